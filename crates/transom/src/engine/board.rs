//! The board of a named pipe, mapped (see [`transom_core::board`]): made, checked, locked, read and written.

use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use transom_core::board::{
    ANNOUNCERS, AT_ACCESS, AT_ANNOUNCERS, AT_ASLEEP, AT_BELL_DEVICE, AT_BELL_INODE, AT_CLIENT_PROCESSOR,
    AT_COOKIE, AT_FLAGS, AT_LOCK, AT_LOCK_PROCESSOR, AT_MAGIC, AT_MAX, AT_QUEUE, AT_SECURITY, AT_SPELLING,
    AT_SPELLING_LENGTH, AT_STAMP, AT_STRANGERS, AT_TIMEOUT, AT_USED, AT_VERSION, COPY, MAGIC, MESSAGE_TYPE,
    SIZE, SLOTS, SPELLING_ROOM, SlotState, VERSION, Word, door, oldest, slot, slot_offset, user_offset,
};
use transom_core::code::Code;
use transom_core::pipe::{Existing, Modes, PIPE_ACCESS_DUPLEX, Plan};
use transom_core::text;
use transom_sys::linux::fault::step;
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{fd, futex, memfd};

use super::errno::to_code;
use super::spin;
use super::turn::{self, Go, Turn};

/// Bit of the modes of a slot: several processes have its server end.
const SHARED: u32 = 0x80;

/// What the first creator of a name fixes (P6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fixed {
    /// `PIPE_ACCESS_*`.
    pub(crate) access: u32,
    pub(crate) message_type: bool,
    pub(crate) max_instances: u32,
    /// Milliseconds; 0 = 50.
    pub(crate) default_timeout: u32,
    /// Whom the descriptor admits: [`Security::to_words`](transom_core::security::Security::to_words), with a group.
    pub(crate) security: [u32; 4],
}

impl Fixed {
    pub(crate) fn of(plan: &Plan, default_timeout: u32, security: [u32; 4]) -> Fixed {
        Fixed {
            access: plan.access,
            message_type: plan.message_type,
            max_instances: plan.max_instances,
            default_timeout,
            security,
        }
    }

    /// Whether anybody but the user of its servers may open it.
    pub(crate) fn admits_others(&self) -> bool {
        let [_, group, everyone, _] = self.security;
        group != 0 || everyone != 0
    }

    pub(crate) fn with_instances(&self, instances: u32) -> Existing {
        Existing {
            access: self.access,
            message_type: self.message_type,
            max_instances: self.max_instances,
            instances,
        }
    }
}

/// What an instance that listens offers to clients: descriptors of its maker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) maker: u32,
    pub(crate) segment: RawFd,
    /// The bell on which the server sleeps.
    pub(crate) inbound: RawFd,
    /// The bell on which the client sleeps.
    pub(crate) outbound: RawFd,
    pub(crate) cookie: [u8; 16],
}

/// A mapped board. What the first creator fixed is remembered as it was found.
#[derive(Debug)]
pub(crate) struct Board {
    pages: SharedPages,
    fixed: Fixed,
    cookie: [u8; 16],
    is_copy: bool,
}

impl Board {
    /// Makes `memory`, an empty file, into a board; `seal` where it is a memory file.
    pub(crate) fn create(
        memory: &OwnedFd,
        fixed: Fixed,
        spelling: &[u8],
        cookie: [u8; 16],
        seal: bool,
    ) -> Result<Board, Code> {
        to_code(memfd::set_size(memory, SIZE as u64))?;
        if seal {
            to_code(memfd::seal_size(memory))?;
        }
        let pages = to_code(SharedPages::map(memory, SIZE))?;
        let set = |at: usize, value: u32| pages.u32(at).store(value, Ordering::Relaxed);
        set(AT_VERSION, VERSION);
        set(AT_FLAGS, if fixed.message_type { MESSAGE_TYPE } else { 0 });
        set(AT_ACCESS, fixed.access);
        set(AT_MAX, fixed.max_instances);
        set(AT_TIMEOUT, fixed.default_timeout);
        let spelling = &spelling[..spelling.len().min(SPELLING_ROOM)];
        set(AT_SPELLING_LENGTH, spelling.len() as u32);
        let _ = pages.write(AT_SPELLING, spelling);
        let _ = pages.write(AT_COOKIE, &cookie);
        for (place, word) in fixed.security.iter().enumerate() {
            set(AT_SECURITY + 4 * place, *word);
        }
        // Partner: the acquire in `open`.
        pages.u64(AT_MAGIC).store(MAGIC, Ordering::Release);
        Ok(Board { pages, fixed, cookie, is_copy: false })
    }

    /// Makes `memory` into what a client of another user has in place of the board.
    pub(crate) fn copy(
        memory: &OwnedFd,
        fixed: Fixed,
        spelling: &[u8],
        cookie: [u8; 16],
    ) -> Result<Board, Code> {
        let mut board = Board::create(memory, fixed, spelling, cookie, true)?;
        board.pages.u32(AT_FLAGS).fetch_or(COPY, Ordering::Relaxed);
        board.is_copy = true;
        Ok(board)
    }

    /// Maps and checks a board. `sealed`: it must be a memory file that nobody can cut short.
    pub(crate) fn open(memory: impl AsFd, sealed: bool) -> Result<Board, Code> {
        let memory = memory.as_fd();
        let (_, _, size) = to_code(fd::identity(memory))?;
        if size != SIZE as u64 || sealed && !memfd::is_size_sealed(memory) {
            return Err(Code::FILE_CORRUPT);
        }
        let pages = to_code(SharedPages::map(memory, SIZE))?;
        // Partner: the release in `create`.
        if pages.u64(AT_MAGIC).load(Ordering::Acquire) != MAGIC {
            return Err(Code::FILE_CORRUPT);
        }
        let get = |at: usize| pages.u32(at).load(Ordering::Relaxed);
        let fixed = Fixed {
            access: get(AT_ACCESS),
            message_type: get(AT_FLAGS) & MESSAGE_TYPE != 0,
            max_instances: get(AT_MAX),
            default_timeout: get(AT_TIMEOUT),
            security: std::array::from_fn(|place| get(AT_SECURITY + 4 * place)),
        };
        let is_copy = get(AT_FLAGS) & COPY != 0;
        let good = get(AT_VERSION) == VERSION && fixed.access != 0 && fixed.access & !PIPE_ACCESS_DUPLEX == 0;
        if !good {
            return Err(Code::FILE_CORRUPT);
        }
        let mut cookie = [0; 16];
        let _ = pages.read(AT_COOKIE, &mut cookie);
        Ok(Board { pages, fixed, cookie, is_copy })
    }

    pub(crate) fn fixed(&self) -> &Fixed {
        &self.fixed
    }

    /// Which pipe it is, whatever it was reached through.
    pub(crate) fn cookie(&self) -> &[u8; 16] {
        &self.cookie
    }

    /// Whether nobody stands here: the board is with a server of another user.
    pub(crate) fn is_copy(&self) -> bool {
        self.is_copy
    }

    /// Whether a client of another user has ever come. From then on no connection of the pipe is used again.
    pub(crate) fn met_strangers(&self) -> bool {
        // Partner: the store in `connect_stranger`, before anybody else gets the connection.
        self.pages.u32(AT_STRANGERS).load(Ordering::SeqCst) != 0
    }

    /// The user of a slot's client, if it is not the one of the servers.
    pub(crate) fn stranger(&self, index: usize) -> Option<u32> {
        self.pages.u32(user_offset(index)).load(Ordering::Relaxed).checked_sub(1)
    }

    /// NAME as the first creator spelled it.
    pub(crate) fn spelling(&self) -> Vec<u8> {
        let length = self.pages.u32(AT_SPELLING_LENGTH).load(Ordering::Relaxed) as usize;
        let mut spelling = vec![0; length.min(SPELLING_ROOM)];
        let _ = self.pages.read(AT_SPELLING, &mut spelling);
        spelling
    }

    pub(crate) fn asleep(&self) -> &AtomicU32 {
        self.pages.u32(AT_ASLEEP)
    }

    /// The turn of who sleeps at the announce bell.
    pub(crate) fn queue(&self) -> &AtomicU32 {
        self.pages.u32(AT_QUEUE)
    }

    /// Where the `place`-th process is noted that has the announce bell.
    fn announcer(&self, place: usize) -> &AtomicU64 {
        self.pages.u64(AT_ANNOUNCERS + 8 * place)
    }

    /// Processes that have the announce bell, and its number there. Some may be gone.
    pub(crate) fn announcers(&self) -> Vec<(u32, RawFd)> {
        let all = (0..ANNOUNCERS).map(|place| self.announcer(place).load(Ordering::Acquire));
        all.filter(|word| *word as u32 != 0).map(|word| (word as u32, (word >> 32) as u32 as i32)).collect()
    }

    /// Device and inode of the announce bell.
    pub(crate) fn bell(&self) -> (u64, u64) {
        let get = |at| self.pages.u64(at).load(Ordering::Acquire);
        (get(AT_BELL_DEVICE), get(AT_BELL_INODE))
    }

    /// The slot's word, which is read at every operation of a server end.
    #[inline]
    pub(crate) fn word(&self, index: usize) -> &AtomicU64 {
        self.pages.u64(slot_offset(index) + slot::WORD)
    }

    /// Who waits for a client of the slot.
    pub(crate) fn door(&self, index: usize) -> &AtomicU32 {
        self.pages.u32(slot_offset(index) + slot::DOOR)
    }

    /// Modes of the slot's server end, and a tag of its quotas.
    #[inline]
    pub(crate) fn modes(&self, index: usize) -> &AtomicU32 {
        self.pages.u32(slot_offset(index) + slot::MODES)
    }

    /// Which quotas the slot's instance has, see [`shape_tag`](transom_core::board::shape_tag); `None` if several
    /// processes have its server end: then no connection is used again.
    pub(crate) fn tag(&self, index: usize) -> Option<u32> {
        let word = self.modes(index).load(Ordering::Relaxed);
        (word & SHARED == 0).then_some(word >> 8)
    }

    /// State and generation of a slot.
    #[inline]
    pub(crate) fn state(&self, index: usize) -> Word {
        Word::unpack(self.word(index).load(Ordering::Acquire))
    }

    fn number(&self, index: usize, field: usize) -> u32 {
        self.pages.u32(slot_offset(index) + field).load(Ordering::Relaxed)
    }

    /// The process that opened the client end; 0 = none since the instance began to listen.
    pub(crate) fn client(&self, index: usize) -> u32 {
        self.number(index, slot::CLIENT)
    }

    /// The process that created the instance.
    pub(crate) fn creator(&self, index: usize) -> u32 {
        self.number(index, slot::CREATOR)
    }

    /// The process that made the segment.
    pub(crate) fn maker(&self, index: usize) -> u32 {
        self.number(index, slot::MAKER)
    }

    /// What a slot offers or offered, without the lock: whoever uses it checks it.
    pub(crate) fn glance(&self, index: usize) -> Offer {
        let number = |field| self.number(index, field);
        let mut cookie = [0; 16];
        let _ = self.pages.read(slot_offset(index) + slot::COOKIE, &mut cookie);
        Offer {
            maker: number(slot::MAKER),
            segment: number(slot::SEGMENT) as RawFd,
            inbound: number(slot::INBOUND) as RawFd,
            outbound: number(slot::OUTBOUND) as RawFd,
            cookie,
        }
    }

    /// How many slots were ever used.
    pub(crate) fn used(&self) -> usize {
        (self.pages.u32(AT_USED).load(Ordering::Acquire) as usize).min(SLOTS)
    }

    /// The slots that are not free.
    pub(crate) fn instances(&self) -> impl Iterator<Item = (usize, Word)> + '_ {
        (0..self.used())
            .map(|index| (index, self.state(index)))
            .filter(|(_, word)| word.state != SlotState::Free)
    }

    /// Takes the board's lock. Its holder must not do anything that takes another turn.
    pub(crate) fn lock(&self) -> Locked<'_> {
        let word = self.pages.u32(AT_LOCK);
        let processor = self.pages.u32(AT_LOCK_PROCESSOR);
        loop {
            if turn::is_taken(word) && !spin::is_where(processor.load(Ordering::Relaxed)) {
                // It lasts a system call or two: less than falling asleep and waking up.
                spin::look(spin::SHORT / 4, || !turn::is_taken(word));
            }
            if let Some(turn) = Turn::try_take(word).or_else(|| Turn::wait(word, || Go::On(None))) {
                spin::show_processor(processor);
                // Whatever its last owner did not finish, each store left the board as it may be.
                return Locked { board: self, _turn: turn };
            }
        }
    }

    /// Where the last client was that came; written by whoever comes.
    pub(crate) fn processor_of_client(&self) -> &AtomicU32 {
        self.pages.u32(AT_CLIENT_PROCESSOR)
    }
}

/// A board with its lock taken.
pub(crate) struct Locked<'a> {
    board: &'a Board,
    _turn: Turn<'a>,
}

impl Locked<'_> {
    fn set(&self, index: usize, field: usize, value: u32) {
        self.board.pages.u32(slot_offset(index) + field).store(value, Ordering::Relaxed);
    }

    /// A free slot, now counted among the used ones.
    pub(crate) fn free_slot(&self) -> Option<usize> {
        let used = self.board.used();
        let free = (0..used).find(|index| self.board.state(*index).state == SlotState::Free);
        let index = free.or((used < SLOTS).then_some(used))?;
        self.board.pages.u32(AT_USED).store(used.max(index + 1) as u32, Ordering::Release);
        Some(index)
    }

    /// A new instance in a free slot; [`listen`](Self::listen) makes it visible.
    pub(crate) fn begin(&self, index: usize, creator: u32, modes: Modes, tag: u32) {
        self.set(index, slot::CREATOR, creator);
        self.board.modes(index).store(modes.bits() | tag << 8, Ordering::Relaxed);
    }

    /// Another process gets the server end too.
    pub(crate) fn share(&self, index: usize) {
        self.board.modes(index).fetch_or(SHARED, Ordering::Relaxed);
    }

    fn offer(&self, index: usize, offer: &Offer) {
        self.set(index, slot::MAKER, offer.maker);
        self.set(index, slot::SEGMENT, offer.segment as u32);
        self.set(index, slot::INBOUND, offer.inbound as u32);
        self.set(index, slot::OUTBOUND, offer.outbound as u32);
        let _ = self.board.pages.write(slot_offset(index) + slot::COOKIE, &offer.cookie);
    }

    /// The instance listens, from now on or (`since`) as before; the new word.
    pub(crate) fn listen(&self, index: usize, offer: &Offer, keep_stamp: bool) -> Word {
        let stamp = self.board.pages.u64(slot_offset(index) + slot::STAMP);
        if !keep_stamp {
            let next = self.board.pages.u64(AT_STAMP).fetch_add(1, Ordering::Relaxed);
            stamp.store(next, Ordering::Relaxed);
        }
        self.offer(index, offer);
        self.set(index, slot::CLIENT, 0);
        if self.board.met_strangers() {
            self.board.pages.u32(user_offset(index)).store(0, Ordering::Relaxed);
        }
        self.board.door(index).store(0, Ordering::SeqCst);
        let word = self.board.state(index).next(SlotState::Listening);
        self.store(index, word);
        word
    }

    /// Wakes who waits for a client, before what it waits for happens; whether somebody polls the bell of the segment
    /// on offer.
    pub(crate) fn knock(&self, index: usize) -> bool {
        let word = self.board.door(index);
        let now = word.load(Ordering::SeqCst);
        if now & (door::WAITING | door::RUNG) == door::WAITING {
            step("before-knock");
            futex::set_bit_30_and_wake(word, i32::MAX as u32);
            step("knocked");
        }
        now & door::POLLING != 0
    }

    /// Nobody offers the segment of a listening instance any more.
    pub(crate) fn orphan(&self, index: usize) {
        self.set(index, slot::MAKER, 0);
    }

    /// Says where the segment of a connected instance can be reached now.
    pub(crate) fn move_segment(&self, index: usize, offer: &Offer) {
        self.offer(index, offer);
    }

    /// What the instance offers.
    pub(crate) fn offered(&self, index: usize) -> Offer {
        self.board.glance(index)
    }

    /// Tries the listening instances with what they offer, the one first that has listened longest, until one is good;
    /// `None` if none is. Those leave the board that nobody has any more.
    ///
    /// # Errors
    /// 4, 8: what no other instance would mend.
    pub(crate) fn with_oldest<T>(
        &self,
        is_alive: impl Fn(usize) -> bool,
        attempt: impl Fn(usize, &Offer) -> Result<T, Code>,
    ) -> Result<Option<T>, Code> {
        let mut no_good = Vec::new();
        while let Some(index) = self.oldest(&no_good) {
            match attempt(index, &self.offered(index)) {
                Ok(done) => return Ok(Some(done)),
                Err(code @ (Code::TOO_MANY_OPEN_FILES | Code::NOT_ENOUGH_MEMORY)) => return Err(code),
                // Its server was killed; or it ends just now, or another process has the end but does not offer it.
                Err(_) if is_alive(index) => no_good.push(index),
                Err(_) => self.free(index),
            }
        }
        Ok(None)
    }

    /// The instance that a client gets (P10).
    pub(crate) fn oldest(&self, skip: &[usize]) -> Option<usize> {
        let stamp = |index| self.board.pages.u64(slot_offset(index) + slot::STAMP).load(Ordering::Relaxed);
        oldest(self.board.instances().map(|(index, word)| (index, word, stamp(index))), skip)
    }

    /// A client has come.
    pub(crate) fn connect(&self, index: usize, client: u32) {
        self.set(index, slot::CLIENT, client);
        self.store(index, self.board.state(index).now(SlotState::Connected));
    }

    /// A client of another user has come.
    pub(crate) fn connect_stranger(&self, index: usize, client: u32, user: u32) {
        self.board.pages.u32(AT_STRANGERS).store(1, Ordering::SeqCst);
        self.board.pages.u32(user_offset(index)).store(user.wrapping_add(1), Ordering::Relaxed);
        self.connect(index, client);
    }

    /// A client has come, with a segment that both know.
    pub(crate) fn connect_again(&self, index: usize, client: u32, cookie: &[u8; 16]) {
        self.set(index, slot::CLIENT, client);
        let _ = self.board.pages.write(slot_offset(index) + slot::COOKIE, cookie);
        self.store(index, self.board.state(index).next(SlotState::Connected));
    }

    /// After DisconnectNamedPipe, or where there is nothing to connect to.
    pub(crate) fn disconnect(&self, index: usize) {
        self.set(index, slot::CLIENT, 0);
        self.store(index, self.board.state(index).now(SlotState::Disconnected));
    }

    /// The instance exists no more.
    pub(crate) fn free(&self, index: usize) {
        self.store(index, self.board.state(index).now(SlotState::Free));
    }

    /// Partner: the acquire in [`Board::state`]. Who sees the word sees what the slot says with it.
    fn store(&self, index: usize, word: Word) {
        self.board.word(index).store(word.pack(), Ordering::Release);
    }

    /// Notes that a process has the announce bell: in the place of one of `gone`, or a new one. False if there is no
    /// room.
    pub(crate) fn announce_from(&self, process: u32, bell: RawFd, gone: impl Fn(u32) -> bool) -> bool {
        let place = (0..ANNOUNCERS).find(|place| {
            let there = self.board.announcer(*place).load(Ordering::Relaxed) as u32;
            there == 0 || there == process || gone(there)
        });
        let Some(place) = place else { return false };
        let word = u64::from(bell as u32) << 32 | u64::from(process);
        self.board.announcer(place).store(word, Ordering::Release);
        true
    }

    /// Takes back [`announce_from`](Self::announce_from).
    pub(crate) fn announce_no_more(&self, process: u32) {
        for place in 0..ANNOUNCERS {
            let word = self.board.announcer(place);
            if word.load(Ordering::Relaxed) as u32 == process {
                word.store(0, Ordering::Release);
            }
        }
    }

    /// Says which pipe(2) the announce bell is.
    pub(crate) fn set_bell(&self, device: u64, inode: u64) {
        self.board.pages.u64(AT_BELL_DEVICE).store(device, Ordering::Release);
        self.board.pages.u64(AT_BELL_INODE).store(inode, Ordering::Release);
    }
}

/// The name's spelling and the state of its instances in a few words, for people; `None` if it is no board.
pub(crate) fn describe(memory: OwnedFd) -> Option<(String, String)> {
    let sealed = memfd::is_size_sealed(memory.as_fd());
    let board = Board::open(&memory, sealed).ok()?;
    let mut counts = [0_usize; 4];
    for (_, word) in board.instances() {
        counts[word.state as usize] += 1;
    }
    let [_, listening, connected, disconnected] = counts;
    let mut parts = Vec::new();
    for (count, word) in [(listening, "listening"), (connected, "connected"), (disconnected, "disconnected")]
    {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    let state = if parts.is_empty() { "no instance".to_owned() } else { parts.join(", ") };
    Some((text::to_string_lossy(&board.spelling()), state))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIXED: Fixed = Fixed {
        access: 3,
        message_type: true,
        max_instances: 5,
        default_timeout: 70,
        security: [1, 2, 3, 4],
    };

    fn board() -> (OwnedFd, Board) {
        let memory = memfd::create("transom-pipe").unwrap();
        let board = Board::create(&memory, FIXED, b"A Pipe", [7; 16], true).unwrap();
        (memory, board)
    }

    fn offer(cookie: u8) -> Offer {
        Offer { maker: 12, segment: 3, inbound: 4, outbound: 5, cookie: [cookie; 16] }
    }

    #[test]
    fn what_the_first_creator_fixed_is_read_back() {
        let (memory, _board) = board();
        let again = Board::open(&memory, true).unwrap();
        assert_eq!(*again.fixed(), FIXED);
        assert_eq!((again.cookie(), again.spelling().as_slice()), (&[7; 16], &b"A Pipe"[..]));
        assert_eq!(describe(memory), Some(("A Pipe".into(), "no instance".into())));
    }

    #[test]
    fn a_slot_goes_through_its_states() {
        let (memory, board) = board();
        let other = Board::open(&memory, true).unwrap();
        let locked = board.lock();
        let (first, second) = (locked.free_slot().unwrap(), {
            locked.begin(0, 12, Modes::of_bits(2), 5);
            locked.listen(0, &offer(1), false);
            locked.free_slot().unwrap()
        });
        assert_eq!((first, second), (0, 1));
        locked.begin(1, 12, Modes::default(), 5);
        locked.listen(1, &offer(2), false);
        assert_eq!(locked.oldest(&[]), Some(0));
        locked.connect(0, 99);
        assert_eq!(locked.oldest(&[]), Some(1));
        assert_eq!((other.client(0), other.creator(0), other.maker(0)), (99, 12, 12));
        assert_eq!((other.modes(0).load(Ordering::Relaxed), other.tag(0)), (0x502, Some(5)));
        locked.share(0);
        assert_eq!(other.tag(0), None);
        assert_eq!(other.state(0), Word { state: SlotState::Connected, generation: 1 });
        locked.disconnect(0);
        assert_eq!(other.client(0), 0);
        // P10: listening again, it comes after the other.
        assert_eq!(locked.listen(0, &offer(3), false).generation, 2);
        assert_eq!(locked.oldest(&[]), Some(1));
        assert_eq!(locked.offered(0), offer(3));
        locked.free(1);
        assert_eq!(locked.oldest(&[]), Some(0));
        assert_eq!(locked.free_slot(), Some(1));
        drop(locked);
        assert_eq!(describe(memory).unwrap().1, "1 listening");
    }

    #[test]
    fn the_user_of_a_client_is_told_until_the_instance_listens_again() {
        let (memory, board) = board();
        let locked = board.lock();
        locked.begin(0, 12, Modes::default(), 5);
        locked.listen(0, &offer(1), false);
        assert!(!board.met_strangers());
        locked.connect_stranger(0, 99, 65534);
        assert_eq!((board.stranger(0), board.stranger(1), board.client(0)), (Some(65534), None, 99));
        locked.listen(0, &offer(2), false);
        locked.connect(0, 98);
        assert_eq!(board.stranger(0), None);
        assert!(Board::open(&memory, true).unwrap().met_strangers());
    }

    #[test]
    fn a_copy_says_what_the_pipe_is_and_that_it_is_a_copy() {
        let (_, board) = board();
        assert!(!board.is_copy());
        let memory = memfd::create("transom-pipe").unwrap();
        assert!(Board::copy(&memory, FIXED, b"A Pipe", [7; 16]).unwrap().is_copy());
        let again = Board::open(&memory, true).unwrap();
        assert!(again.is_copy());
        assert_eq!((again.fixed(), again.spelling()), (&FIXED, b"A Pipe".to_vec()));
    }

    #[test]
    fn announcers_take_the_places_of_those_who_are_gone() {
        let (_memory, board) = board();
        let locked = board.lock();
        for process in 1..=ANNOUNCERS as u32 {
            assert!(locked.announce_from(process, process as i32 + 10, |_| false));
        }
        assert!(!locked.announce_from(1000, 1, |_| false));
        assert!(locked.announce_from(1000, 1, |process| process == 3));
        locked.announce_no_more(4);
        let now = board.announcers();
        assert_eq!(now.len(), ANNOUNCERS - 1);
        assert!(now.contains(&(1000, 1)) && !now.iter().any(|(process, _)| [3, 4].contains(process)));
    }

    /// Hostile values
    #[test]
    fn what_is_no_board_is_refused_and_nonsense_on_one_is_harmless() {
        let (memory, board) = board();
        board.pages.u32(AT_USED).store(u32::MAX, Ordering::Relaxed);
        assert_eq!(board.used(), SLOTS);
        board.word(3).store(u64::MAX, Ordering::Relaxed);
        assert_eq!(board.state(3).state, SlotState::Disconnected);
        assert_eq!(board.lock().oldest(&[]), None);
        board.pages.u32(AT_SPELLING_LENGTH).store(u32::MAX, Ordering::Relaxed);
        assert_eq!(board.spelling().len(), SPELLING_ROOM);
        assert!(describe(memory.try_clone().unwrap()).is_some());
        for (at, value) in [(AT_VERSION, VERSION + 1), (AT_ACCESS, 0), (AT_ACCESS, 4), (AT_MAGIC, 1)] {
            let before = board.pages.u32(at).swap(value, Ordering::Relaxed);
            assert_eq!(Board::open(&memory, true).err(), Some(Code::FILE_CORRUPT));
            board.pages.u32(at).store(before, Ordering::Relaxed);
        }
        assert!(Board::open(&memory, true).is_ok());
        let empty = memfd::create("transom-test").unwrap();
        assert_eq!(Board::open(&empty, false).err(), Some(Code::FILE_CORRUPT));
    }
}
