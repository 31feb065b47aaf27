//! The memory of a pipe's name: its *board*, on which the instances stand.
//!
//! Server processes and clients map it; all of them can write it, and any may be killed in the middle. It is changed
//! under its lock, except where this page says otherwise. Whatever is read from it may be nonsense: states that do
//! not exist read as [`SlotState::Disconnected`], which nobody connects to, and numbers of descriptors are numbers to
//! be checked.
//!
//! # Layout (native byte order, all words atomic)
//! ```text
//!     0  magic u64 │ version u32 │ flags u32       bit 0: message type; bit 1: a copy, see [`COPY`]
//!    16  cookie, 16 bytes
//!    32  access u32 │ max instances u32 │ default time-out u32 │ spelling length u32
//!    64  lock u32                                  a turn, see `engine::turn`
//!    68  processor of its owner u32                number + 1, 0 for nobody yet; hints for who waits in a loop first
//!    72  processor of the last client u32
//!   128  next stamp u64                            the order in which instances began to listen (P10)
//!   136  slots in use u32                          slots from this number on were never used
//!   192  asleep u32 │ queue u32                    of the announce bell, see `engine::bell`; changed without the lock.
//!                                                queue: the turn of who sleeps there
//!   256  32 announcers of 8 bytes                  process u32 │ descriptor i32: who has the announce bell
//!   512  bell device u64 │ bell inode u64          which pipe that bell is
//!   528  security, 4 x u32                          see `Security::to_words`; the group is always named
//!   544  strangers u32                              not 0: a client of another user has come, at some time
//!  1024  spelling of the name, up to 768 bytes     as the first creator wrote it
//!  4096  16,384 slots of 64 bytes
//!  1 MiB + 4096  16,384 x u32                       for each slot: 0, or 1 + the user of its client, if it is another
//!
//! slot
//!     0  word u64                                  state in the low half, generation in the high one
//!     8  stamp u64                                 when it began to listen
//!    16  maker u32 │ client u32                    process of the segment; process of the client
//!    24  segment i32 │ inbound i32 │ outbound i32  the maker's descriptors: memory, its own bell, the client's bell
//!    36  modes u32                                 low byte: of the server end (P21), changed without the lock; the
//!                                                  rest: which quotas, see [`shape_tag`]
//!    40  creator u32                               process that created the instance (P71)
//!    44  door u32                                  who waits for a client, see [`door`]
//!    48  cookie, 16 bytes                          of the segment
//! ```
//! # Invariants
//! 1. Only `Listening` → `Connected` is done by clients, and only under the lock: by one store of the word.
//! 2. The generation grows whenever a slot gets another segment, also when it is used for another instance.
//! 3. Whether the server end of a slot lives is not written here: its processes have a byte of the name's entry
//!    locked (see [`INSTANCE_LOCKS`]).
//! 4. Processes of other users never have a board: the server connects them (see [`crate::gate`]). What they have in
//!    its place is a copy of the first page, which they made themselves.

/// Magic number: `"tranpipe"` read as a little-endian number.
pub const MAGIC: u64 = u64::from_le_bytes(*b"tranpipe");
/// Version of the layout.
pub const VERSION: u32 = 3;
/// Bit of the flags: writes are messages.
pub const MESSAGE_TYPE: u32 = 1;
/// Bit of the flags: nobody stands here. A client of another user has it to know what the pipe is.
pub const COPY: u32 = 2;

/// `magic: u64`.
pub const AT_MAGIC: usize = 0;
/// `version: u32`.
pub const AT_VERSION: usize = 8;
/// `flags: u32`.
pub const AT_FLAGS: usize = 12;
/// 16 random bytes.
pub const AT_COOKIE: usize = 16;
/// `access: u32`.
pub const AT_ACCESS: usize = 32;
/// `max instances: u32`.
pub const AT_MAX: usize = 36;
/// `default time-out: u32`.
pub const AT_TIMEOUT: usize = 40;
/// `spelling length: u32`.
pub const AT_SPELLING_LENGTH: usize = 44;
/// `lock: u32`.
pub const AT_LOCK: usize = 64;
/// `processor of the lock's owner: u32`, its number + 1, 0 for nobody yet: whether to wait for the lock in a loop.
pub const AT_LOCK_PROCESSOR: usize = 68;
/// `processor of the last client: u32`, likewise: whether to wait for the next one in a loop.
pub const AT_CLIENT_PROCESSOR: usize = 72;
/// `next stamp: u64`.
pub const AT_STAMP: usize = 128;
/// `slots in use: u32`.
pub const AT_USED: usize = 136;
/// `asleep: u32`.
pub const AT_ASLEEP: usize = 192;
/// `queue: u32`.
pub const AT_QUEUE: usize = 196;
/// The announcers.
pub const AT_ANNOUNCERS: usize = 256;
/// How many announcers there can be.
pub const ANNOUNCERS: usize = 32;
/// `bell device: u64`.
pub const AT_BELL_DEVICE: usize = 512;
/// `bell inode: u64`.
pub const AT_BELL_INODE: usize = 520;
/// `security: [u32; 4]`.
pub const AT_SECURITY: usize = 528;
/// `strangers: u32`.
pub const AT_STRANGERS: usize = 544;
/// The spelling.
pub const AT_SPELLING: usize = 1024;
/// Room for the spelling: 256 units of up to three bytes.
pub const SPELLING_ROOM: usize = 768;
/// The first slot.
pub const AT_SLOTS: usize = 4096;
/// Bytes of a slot.
pub const SLOT_SIZE: usize = 64;
/// How many instances a name can have at the most.
pub const SLOTS: usize = 16_384;
/// The users of clients.
pub const AT_USERS: usize = AT_SLOTS + SLOTS * SLOT_SIZE;
/// Bytes of the board.
pub const SIZE: usize = AT_USERS + 4 * SLOTS;

/// The byte of the name's entry that the server processes of slot 0 lock, far behind those of the holders.
pub const INSTANCE_LOCKS: u64 = 1 << 41;

/// Offsets in a slot.
pub mod slot {
    /// `word: u64`.
    pub const WORD: usize = 0;
    /// `stamp: u64`.
    pub const STAMP: usize = 8;
    /// `maker: u32`.
    pub const MAKER: usize = 16;
    /// `client: u32`.
    pub const CLIENT: usize = 20;
    /// `segment: i32`.
    pub const SEGMENT: usize = 24;
    /// `inbound: i32`: the bell on which the server sleeps.
    pub const INBOUND: usize = 28;
    /// `outbound: i32`: the bell on which the client sleeps.
    pub const OUTBOUND: usize = 32;
    /// `modes: u32`.
    pub const MODES: usize = 36;
    /// `creator: u32`.
    pub const CREATOR: usize = 40;
    /// `door: u32`.
    pub const DOOR: usize = 44;
    /// The cookie.
    pub const COOKIE: usize = 48;
}

/// Bits of a slot's door, a futex at which server threads sleep in ConnectNamedPipe. Who waits sets its bit under the
/// board's lock; who comes sets [`RUNG`](door::RUNG) and wakes, in one system call and *before* it changes the slot,
/// so that no kill can leave somebody asleep whose client has come.
pub mod door {
    /// Threads sleep at the futex.
    pub const WAITING: u32 = 1;
    /// Somebody polls the bell of the segment on offer.
    pub const POLLING: u32 = 2;
    /// They have been woken.
    pub const RUNG: u32 = 1 << 30;
}

/// A mark of 24 bits by which a client knows whether a segment that it used before has the quotas of this instance.
#[must_use]
pub const fn shape_tag(quota_in: u32, quota_out: u32) -> u32 {
    let both = (quota_in as u64) << 32 | quota_out as u64;
    (both.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as u32
}

/// Where a slot begins; the last one for numbers beyond the table.
#[must_use]
#[inline]
pub const fn slot_offset(index: usize) -> usize {
    let index = if index < SLOTS { index } else { SLOTS - 1 };
    AT_SLOTS + index * SLOT_SIZE
}

/// Where the user of a slot's client stands; the last one for numbers beyond the table.
#[must_use]
pub const fn user_offset(index: usize) -> usize {
    let index = if index < SLOTS { index } else { SLOTS - 1 };
    AT_USERS + 4 * index
}

/// What an instance is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum SlotState {
    /// There is no instance.
    Free = 0,
    /// A client may come.
    Listening = 1,
    /// A client has come; whether it is still there its segment tells.
    Connected = 2,
    /// After DisconnectNamedPipe.
    Disconnected = 3,
}

/// State and generation of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word {
    /// What the instance is doing.
    pub state: SlotState,
    /// Which of the slot's segments counts.
    pub generation: u32,
}

impl Word {
    /// As it stands in the slot.
    #[must_use]
    #[inline]
    pub const fn pack(self) -> u64 {
        (self.generation as u64) << 32 | self.state as u64
    }

    /// From what stands in a slot; every number is allowed.
    #[must_use]
    #[inline]
    pub const fn unpack(word: u64) -> Word {
        let state = match word as u32 {
            0 => SlotState::Free,
            1 => SlotState::Listening,
            2 => SlotState::Connected,
            _ => SlotState::Disconnected,
        };
        Word { state, generation: (word >> 32) as u32 }
    }

    /// The same segment in another state.
    #[must_use]
    pub const fn now(self, state: SlotState) -> Word {
        Word { state, generation: self.generation }
    }

    /// Another segment.
    #[must_use]
    pub const fn next(self, state: SlotState) -> Word {
        Word { state, generation: self.generation.wrapping_add(1) }
    }
}

/// Of the slots with these words and stamps, the one that a client gets: it began to listen first (P10). `skip`: some
/// that are no good.
#[must_use]
pub fn oldest(slots: impl IntoIterator<Item = (usize, Word, u64)>, skip: &[usize]) -> Option<usize> {
    slots
        .into_iter()
        .filter(|(index, word, _)| word.state == SlotState::Listening && !skip.contains(index))
        .min_by_key(|(_, _, stamp)| *stamp)
        .map(|(index, _, _)| index)
}

const _: () = {
    assert!(
        AT_SPELLING + SPELLING_ROOM <= AT_SLOTS && AT_SLOTS.is_multiple_of(4096) && SIZE.is_multiple_of(4096)
    );
    assert!(AT_ANNOUNCERS + 8 * ANNOUNCERS <= AT_BELL_DEVICE && AT_BELL_INODE + 8 <= AT_SECURITY);
    assert!(AT_SECURITY + 16 <= AT_STRANGERS && AT_STRANGERS + 4 <= AT_SPELLING);
    assert!(AT_LOCK.is_multiple_of(64) && AT_STAMP.is_multiple_of(64) && AT_ASLEEP.is_multiple_of(64));
    assert!(slot::COOKIE + 16 == SLOT_SIZE);
    assert!(INSTANCE_LOCKS > crate::entry::LOCKS + crate::entry::MAX_SLOTS as u64);
    assert!(INSTANCE_LOCKS + (SLOTS as u64) < crate::entry::VISITORS);
    assert!(SPELLING_ROOM >= 3 * crate::name::MAX_PIPE_UNITS);
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Golden numbers: two builds of transom meet on a board.
    #[test]
    fn the_layout_is_fixed() {
        assert_eq!(MAGIC.to_le_bytes(), *b"tranpipe");
        assert_eq!((AT_SLOTS, SLOT_SIZE, SLOTS, SIZE), (4096, 64, 16_384, 1_118_208));
        assert_eq!((AT_SECURITY, AT_STRANGERS, AT_USERS, VERSION), (528, 544, 1_052_672, 3));
        assert_eq!((AT_LOCK, AT_STAMP, AT_USED, AT_ASLEEP, AT_QUEUE), (64, 128, 136, 192, 196));
        assert_eq!((AT_ANNOUNCERS, ANNOUNCERS, AT_BELL_DEVICE, AT_SPELLING), (256, 32, 512, 1024));
        let word = Word { state: SlotState::Connected, generation: 0x0102_0304 };
        assert_eq!(word.pack().to_le_bytes(), [2, 0, 0, 0, 4, 3, 2, 1]);
        assert_eq!(slot_offset(0), 4096);
        assert_eq!(slot_offset(1), 4160);
        let fields = [
            slot::WORD,
            slot::STAMP,
            slot::MAKER,
            slot::CLIENT,
            slot::SEGMENT,
            slot::INBOUND,
            slot::OUTBOUND,
            slot::MODES,
            slot::CREATOR,
            slot::DOOR,
            slot::COOKIE,
        ];
        assert_eq!(fields, [0, 8, 16, 20, 24, 28, 32, 36, 40, 44, 48]);
    }

    #[test]
    fn a_word_survives_packing_and_changes_as_told() {
        for state in [SlotState::Free, SlotState::Listening, SlotState::Connected, SlotState::Disconnected] {
            let word = Word { state, generation: u32::MAX };
            assert_eq!(Word::unpack(word.pack()), word);
            assert_eq!(word.now(SlotState::Free), Word { state: SlotState::Free, generation: u32::MAX });
            assert_eq!(word.next(SlotState::Listening), Word { state: SlotState::Listening, generation: 0 });
        }
    }

    #[test]
    fn different_quotas_have_different_tags() {
        assert!(shape_tag(u32::MAX, u32::MAX) < 1 << 24);
        assert_eq!(shape_tag(512, 4096), shape_tag(512, 4096));
        let tags = [
            shape_tag(0, 0),
            shape_tag(512, 512),
            shape_tag(512, 513),
            shape_tag(513, 512),
            shape_tag(4096, 0),
        ];
        for (at, tag) in tags.iter().enumerate() {
            assert!(!tags[..at].contains(tag));
        }
    }

    /// Hostile values: nobody connects to a state that does not exist, and no number leaves the board.
    #[test]
    fn nonsense_is_disconnected_and_stays_on_the_board() {
        for number in [4, 5, 0x8000_0001, u64::from(u32::MAX)] {
            assert_eq!(Word::unpack(number).state, SlotState::Disconnected);
        }
        for index in [SLOTS, usize::MAX] {
            assert_eq!(slot_offset(index), AT_USERS - SLOT_SIZE);
            assert_eq!(user_offset(index), SIZE - 4);
        }
    }

    /// P10
    #[test]
    fn a_client_gets_the_instance_that_has_listened_longest() {
        let word = |state| Word { state, generation: 7 };
        let slots = [
            (0, word(SlotState::Connected), 1),
            (1, word(SlotState::Listening), 9),
            (2, word(SlotState::Listening), 4),
            (3, word(SlotState::Free), 0),
            (4, word(SlotState::Disconnected), 2),
        ];
        assert_eq!(oldest(slots, &[]), Some(2));
        assert_eq!(oldest(slots, &[2]), Some(1));
        assert_eq!(oldest(slots, &[1, 2]), None);
    }
}
