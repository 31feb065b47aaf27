//! The two layouts that processes share besides section memory: the page of a synchronisation object and
//! the record of a process with its handle table. Two builds of transom meet in them, so they are a file
//! format: fixed offsets, a magic number, a version.
//!
//! # The page of an event, mutex, semaphore or thread (4096 bytes)
//! ```text
//!     0  magic u64 │ version u32 │ kind u32 │ rule u32 │ maximum u32 │ …
//!    32  cookie, 16 bytes        who this object is, whatever it is reached through
//!    48  security, 4 × u32       who may have which rights when it is duplicated
//!  4032  owner key u64           mutex: a number that only the owning thread has
//!  4040  depth u32               mutex: how often its owner acquired it; 0 = not yet decided
//!  4044  herd u32                sleepers that wait for several objects: then everybody is woken
//!  4048  pulse u32               event: how many PulseEvent calls there were
//!  4052  exit code u32           thread
//!  4056  process id u32          mutex: the owner's; thread: its own
//!  4060  thread id u32           thread
//!  4064  suspended u32           thread: 1 until it is resumed
//!  4072  word u64                see `word`; its low half is the futex
//!  4080  16 bytes that the list of robust futexes uses, and nobody reads
//! ```
//! The word stands 24 bytes before the end of the page because the kernel finds a robust futex at a fixed
//! distance before its list entry, and the C library fixed that distance at 24. Each process maps a page of
//! its own, private memory behind the shared one; the list entry lies there, where no peer can reach it.
//!
//! # The record of a process
//! ```text
//!      0  magic u64 │ version u32 │ process id u32 │ cookie, 16 bytes │ exit u64 │ resume u32 │ …
//!   4096  title, up to 4 KiB     STARTUPINFO.lpTitle
//!   8192  command line, up to 96 KiB
//! 106496  65,536 slots of 64 bytes: the handle table; the value of slot i is 4 × (i + 1)
//! ```
//! Its creator fills the slots of inherited handles before the child runs; from then on the process itself
//! changes them, and others only reserve free ones for what they duplicate into it, or close one.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// Magic of an object page: `"transob\0"` read as a little-endian number.
pub const PAGE_MAGIC: u64 = u64::from_le_bytes(*b"transob\0");
/// Magic of a process record.
pub const RECORD_MAGIC: u64 = u64::from_le_bytes(*b"tranproc");
/// Version of both layouts.
pub const VERSION: u32 = 2;

/// Offsets in an object page.
pub mod page {
    /// Bytes of the page.
    pub const SIZE: usize = 4096;
    /// `magic: u64`.
    pub const MAGIC: usize = 0;
    /// `version: u32`.
    pub const VERSION: usize = 8;
    /// `kind: u32`, see [`Kind`](crate::access::Kind).
    pub const KIND: usize = 12;
    /// `rule: u32`: 1 manual, 2 auto, 3 mutex, 4 semaphore, 5 thread.
    pub const RULE: usize = 16;
    /// `maximum: u32` of a semaphore.
    pub const MAXIMUM: usize = 20;
    /// 16 random bytes.
    pub const COOKIE: usize = 32;
    /// `[u32; 4]`, see [`Security::to_words`](crate::security::Security::to_words).
    pub const SECURITY: usize = 48;
    /// `owner key: u64`.
    pub const OWNER_KEY: usize = 4032;
    /// `depth: u32`.
    pub const DEPTH: usize = 4040;
    /// `herd: u32`.
    pub const HERD: usize = 4044;
    /// `pulse: u32`.
    pub const PULSE: usize = 4048;
    /// `exit code: u32`.
    pub const EXIT_CODE: usize = 4052;
    /// `process id: u32`.
    pub const PROCESS_ID: usize = 4056;
    /// `thread id: u32`.
    pub const THREAD_ID: usize = 4060;
    /// `suspended: u32`.
    pub const SUSPENDED: usize = 4064;
    /// `word: u64`.
    pub const WORD: usize = 4072;
}

/// Offsets in a process record.
pub mod process {
    /// `magic: u64`.
    pub const MAGIC: usize = 0;
    /// `version: u32`.
    pub const VERSION: usize = 8;
    /// `process id: u32`.
    pub const PROCESS_ID: usize = 12;
    /// 16 random bytes; the inbox has its address from them.
    pub const COOKIE: usize = 16;
    /// `exit: u64`: 0 while nobody has said how it ends, else bit 32 and the 32-bit code.
    pub const EXIT: usize = 32;
    /// `resume: u32`: 0 until the child may run its program; a futex.
    pub const RESUME: usize = 40;
    /// `suspended: u32`: 1 if it was created suspended.
    pub const SUSPENDED: usize = 44;
    /// `inbox descriptor: i32` that a child inherits, or -1.
    pub const INBOX: usize = 48;
    /// `used: u32`: slots below this index may be in use.
    pub const USED: usize = 52;
    /// `[u64; 3]`: values of the standard handles, 0 for none.
    pub const STANDARD: usize = 56;
    /// `flags: u32` of STARTUPINFO.
    pub const STARTUP_FLAGS: usize = 80;
    /// `wShowWindow: u32`.
    pub const SHOW_WINDOW: usize = 84;
    /// Bytes of the title and one more; 0 = none.
    pub const TITLE_LENGTH: usize = 88;
    /// Bytes of the command line.
    pub const COMMAND_LENGTH: usize = 92;
    /// `head start: u32`: milliseconds that the child leaves its creator before its `main`; 0 lets it go. A futex.
    pub const HEAD_START: usize = 96;
    /// The title.
    pub const TITLE: usize = 4096;
    /// Room for the title.
    pub const TITLE_ROOM: usize = 4096;
    /// The command line.
    pub const COMMAND: usize = 8192;
    /// Room for the command line: 32,767 characters of up to three bytes.
    pub const COMMAND_ROOM: usize = 98_304;
    /// The first slot.
    pub const SLOTS: usize = COMMAND + COMMAND_ROOM;
    /// Number of slots: as many handles as a process can have.
    pub const SLOT_COUNT: usize = 65_536;
    /// Bytes of the whole record.
    pub const SIZE: usize = SLOTS + SLOT_COUNT * super::SLOT_SIZE;
}

/// Bytes of a slot.
pub const SLOT_SIZE: usize = 64;
/// 64-bit words of a slot.
pub const SLOT_WORDS: usize = SLOT_SIZE / 8;

/// Whether a slot's handle exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum SlotState {
    /// No handle has this value.
    Free = 0,
    /// Another process is duplicating a handle into it; what it is lies in the inbox.
    Reserved = 1,
    /// A handle.
    Open = 2,
    /// Closed by another process (`DUPLICATE_CLOSE_SOURCE`); its owner still has to let go of it.
    ClosedByPeer = 3,
}

/// A slot of a handle table, decoded. Everything in it may come from a hostile process: descriptors are
/// numbers to be checked, not facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// [`Kind`](crate::access::Kind) as a number.
    pub kind: u32,
    /// Granted access.
    pub access: u32,
    /// Bit 0 inherit, bit 1 protect from close.
    pub flags: u32,
    /// The object's descriptor: memory, file, pipe end, the segment of a named pipe, or a process's pidfd (-1: it has
    /// ended).
    pub descriptor: i32,
    /// The descriptor that holds the name, or -1.
    pub hold: i32,
    /// The slot of the name's entry that `hold` locks.
    pub hold_slot: u32,
    /// A second descriptor, or -1: the record of a process, the board of a named pipe.
    pub record: i32,
    /// Section: its `flProtect` word. Pipe: its quota. Server end: its place on the board. Process, thread: its id.
    pub detail: u32,
    /// Section: bytes. Server end: the generation of its segment.
    pub size: u64,
    /// Section: bit 0 path-backed, bit 1 over a disk file. Pipe: bit 0 read end, bit 1 server end, bit 2 client end.
    pub bits: u32,
    /// Two more descriptors, or -1: the bell on which an end of a named pipe sleeps, and that of its peer.
    pub bells: [i32; 2],
}

impl Slot {
    /// A slot of nothing: descriptors -1.
    pub const EMPTY: Slot = Slot {
        kind: 0,
        access: 0,
        flags: 0,
        descriptor: -1,
        hold: -1,
        hold_slot: 0,
        record: -1,
        detail: 0,
        size: 0,
        bits: 0,
        bells: [-1; 2],
    };

    /// The first word: state and kind.
    #[must_use]
    #[inline]
    pub const fn head(kind: u32, state: SlotState) -> u64 {
        (kind as u64) << 32 | state as u64
    }

    /// State and kind of a first word; unknown states read as free.
    #[must_use]
    #[inline]
    pub const fn split_head(word: u64) -> (u32, SlotState) {
        let state = match word as u32 {
            1 => SlotState::Reserved,
            2 => SlotState::Open,
            3 => SlotState::ClosedByPeer,
            _ => SlotState::Free,
        };
        ((word >> 32) as u32, state)
    }

    /// Words 1 to 7 of the slot.
    #[must_use]
    pub const fn body(&self) -> [u64; SLOT_WORDS - 1] {
        [
            (self.flags as u64) << 32 | self.access as u64,
            (self.hold as u32 as u64) << 32 | self.descriptor as u32 as u64,
            (self.detail as u64) << 32 | self.record as u32 as u64,
            self.size,
            (self.bits as u64) << 32 | self.hold_slot as u64,
            (self.bells[1] as u32 as u64) << 32 | self.bells[0] as u32 as u64,
            0,
        ]
    }

    /// The slot of a kind and words 1 to 7.
    #[must_use]
    pub const fn decode(kind: u32, body: [u64; SLOT_WORDS - 1]) -> Slot {
        Slot {
            kind,
            access: body[0] as u32,
            flags: (body[0] >> 32) as u32,
            descriptor: body[1] as u32 as i32,
            hold: (body[1] >> 32) as u32 as i32,
            record: body[2] as u32 as i32,
            detail: (body[2] >> 32) as u32,
            size: body[3],
            hold_slot: body[4] as u32,
            bits: (body[4] >> 32) as u32,
            bells: [body[5] as u32 as i32, (body[5] >> 32) as u32 as i32],
        }
    }
}

impl Slot {
    /// The descriptors that the slot names, those of nothing left out; in this order they travel in messages.
    pub fn descriptors(&self) -> impl Iterator<Item = i32> + use<> {
        let [own, peer] = self.bells;
        [self.descriptor, self.hold, self.record, own, peer].into_iter().filter(|number| *number >= 0)
    }
}

/// Of the slots that a creator filled for its child, those that can be believed: each names a descriptor, each
/// descriptor belongs to one slot, once, and none of them is in `taken`. The standard ones, 0 to 2, may be
/// anybody's.
///
/// A slot that cannot be believed takes no descriptor away from those behind it.
#[must_use]
pub fn believable(slots: impl IntoIterator<Item = (usize, Slot)>, taken: &[i32]) -> Vec<(usize, Slot)> {
    let mut seen: BTreeSet<i32> = taken.iter().copied().collect();
    let mut believed = Vec::new();
    for (index, slot) in slots {
        let own: Vec<i32> = slot.descriptors().filter(|number| *number > 2).collect();
        let twice = (1..own.len()).any(|at| own[..at].contains(&own[at]));
        let empty = slot.descriptors().next().is_none();
        if !empty && !twice && own.iter().all(|number| !seen.contains(number)) {
            seen.extend(own);
            believed.push((index, slot));
        }
    }
    believed
}

/// The handle value of slot `index`.
#[must_use]
pub const fn handle_value(index: usize) -> usize {
    (index + 1) * 4
}

/// The slot of a handle value; the two low bits do not count. `None` for 0, the pseudo handles and
/// numbers beyond the table.
#[must_use]
#[inline]
pub const fn slot_index(value: usize) -> Option<usize> {
    match (value / 4).checked_sub(1) {
        Some(index) if index < process::SLOT_COUNT => Some(index),
        _ => None,
    }
}

const _: () = {
    assert!(page::WORD.is_multiple_of(8) && page::WORD + 24 == page::SIZE);
    assert!(page::OWNER_KEY.is_multiple_of(64) && page::OWNER_KEY / 64 == page::WORD / 64);
    assert!(process::SLOTS.is_multiple_of(4096) && process::SIZE.is_multiple_of(4096));
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The two low bits of a handle are ignored, 0 and the pseudo handles name no slot.
    #[test]
    fn values_and_slots_correspond() {
        for index in [0, 1, 399, process::SLOT_COUNT - 1] {
            let value = handle_value(index);
            assert_eq!(value % 4, 0);
            for low_bits in 0..4 {
                assert_eq!(slot_index(value | low_bits), Some(index));
            }
        }
        for value in [0, 1, 2, 3, usize::MAX, usize::MAX - 1, handle_value(process::SLOT_COUNT)] {
            assert_eq!(slot_index(value), None);
        }
    }

    /// Two handles with one descriptor would close it twice.
    #[test]
    fn a_slot_whose_descriptor_is_anothers_is_not_believed() {
        let slot = |descriptor, hold, record| Slot { descriptor, hold, record, ..Slot::EMPTY };
        let slots = [
            slot(10, 11, -1),
            slot(12, 12, -1),
            slot(-1, 13, 13),
            slot(14, 10, -1),
            slot(3, -1, -1),
            slot(1, -1, -1),
            slot(1, 14, -1),
            slot(-1, -1, -1),
            slot(i32::MIN, 12, -7),
        ];
        let believed = believable(slots.into_iter().enumerate(), &[3, 4]);
        let rows: Vec<usize> = believed.iter().map(|(row, _)| *row).collect();
        assert_eq!(rows, [0, 5, 6, 8]);
    }

    #[test]
    fn a_slot_survives_encoding() {
        let slot = Slot {
            kind: 4,
            access: 0xF_001F,
            flags: 1,
            descriptor: 17,
            hold: -1,
            hold_slot: 3,
            record: 9,
            detail: 0x0800_0004,
            size: u64::MAX,
            bits: 2,
            bells: [11, -1],
        };
        assert_eq!(Slot::decode(4, slot.body()), slot);
        assert_eq!(Slot::decode(0, Slot::EMPTY.body()), Slot::EMPTY);
        assert_eq!(Slot::split_head(Slot::head(4, SlotState::Open)), (4, SlotState::Open));
        assert_eq!(Slot::split_head(0xFFFF_FFFF_0000_0009), (u32::MAX, SlotState::Free));
    }

    /// Golden bytes: two builds of transom meet in this layout.
    #[test]
    fn the_layout_of_a_slot_is_fixed() {
        let slot = Slot {
            access: 0x11,
            flags: 0x22,
            descriptor: 3,
            hold: 4,
            hold_slot: 5,
            record: 6,
            detail: 7,
            size: 8,
            bits: 9,
            bells: [10, 11],
            kind: 1,
        };
        let words = [0x22_0000_0011, 0x4_0000_0003, 0x7_0000_0006, 8, 0x9_0000_0005, 0xB_0000_000A, 0];
        assert_eq!(slot.body(), words);
    }
}
