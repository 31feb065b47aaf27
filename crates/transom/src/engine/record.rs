//! A process's record: a memory file with its handle table, exit code, command line (see
//! [`transom_core::record`]), and this process's own.
//!
//! A child that this library starts finds its record already made: the creator left it open under the
//! number in the variable `TRANSOM_PROCESS`, with the rows of the inherited handles filled in. Every other
//! process makes its own when it first needs one.
//!
//! **What is in the record others may write.** So nothing that this process relies on is read from it twice: rows,
//! command line and standard handles are taken when the program begins, the rows together with their
//! descriptors. A descriptor's number that stands in the record later means nothing.
//!
//! # Safety
//! The variable is taken out of the environment before `main`, when no other thread can be reading it. Then, too,
//! descriptors are taken over by number: nobody else in this process can have got them yet.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::record::{
    RECORD_MAGIC, SLOT_SIZE, SLOT_WORDS, Slot, SlotState, VERSION, believable, process as layout,
};
use transom_sys::linux::inbox::is_inbox;
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{barrier, fd, futex, host, memfd, process, random};

use super::errno::{to_code, with_room};
use super::{inbox, table};
use crate::namespace::imp as namespace;

/// The variable that names a child's record.
pub(crate) const VARIABLE: &str = "TRANSOM_PROCESS";

/// The value of a standard handle that is NULL, which programs may set; no handle has it, being no multiple of 4.
pub(crate) const NO_HANDLE: u64 = 1;

/// A process's record, mapped.
#[derive(Debug)]
pub(crate) struct ProcessRecord {
    pages: SharedPages,
    descriptor: OwnedFd,
}

impl ProcessRecord {
    /// A new record for process `id` (0 = not known yet).
    pub(crate) fn create(id: u32) -> Result<ProcessRecord, Code> {
        let descriptor = with_room(|| memfd::create("transom-process"))?;
        to_code(memfd::set_size(&descriptor, layout::SIZE as u64))?;
        to_code(memfd::seal_size(&descriptor))?;
        let pages = to_code(SharedPages::map(&descriptor, layout::SIZE))?;
        pages.u32(layout::VERSION).store(VERSION, Ordering::Relaxed);
        pages.u32(layout::PROCESS_ID).store(id, Ordering::Relaxed);
        pages.u32(layout::INBOX).store(u32::MAX, Ordering::Relaxed);
        let _ = pages.write(layout::COOKIE, &random::cookie());
        // Partner: the acquire in `open`.
        pages.u64(layout::MAGIC).store(RECORD_MAGIC, Ordering::Release);
        Ok(ProcessRecord { pages, descriptor })
    }

    /// Maps and validates a record.
    pub(crate) fn open(descriptor: OwnedFd) -> Result<ProcessRecord, Code> {
        let (_, _, size) = to_code(fd::identity(&descriptor))?;
        if size != layout::SIZE as u64 || !memfd::is_size_sealed(descriptor.as_fd()) {
            return Err(Code::FILE_CORRUPT);
        }
        let pages = to_code(SharedPages::map(&descriptor, layout::SIZE))?;
        // Partner: the release in `create`.
        if pages.u64(layout::MAGIC).load(Ordering::Acquire) != RECORD_MAGIC
            || pages.u32(layout::VERSION).load(Ordering::Relaxed) != VERSION
        {
            return Err(Code::FILE_CORRUPT);
        }
        Ok(ProcessRecord { pages, descriptor })
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.pages.u32(layout::PROCESS_ID).load(Ordering::Relaxed)
    }

    pub(crate) fn set_process_id(&self, id: u32) {
        self.pages.u32(layout::PROCESS_ID).store(id, Ordering::Relaxed);
    }

    /// The address of the process's inbox.
    pub(crate) fn inbox_name(&self) -> Vec<u8> {
        let mut cookie = [0; 16];
        let _ = self.pages.read(layout::COOKIE, &mut cookie);
        inbox::name(&cookie)
    }

    pub(crate) fn set_inbox(&self, descriptor: RawFd) {
        self.pages.u32(layout::INBOX).store(descriptor as u32, Ordering::Relaxed);
    }

    fn inbox_descriptor(&self) -> RawFd {
        self.pages.u32(layout::INBOX).load(Ordering::Relaxed) as RawFd
    }

    /// The exit code, once somebody has said it.
    pub(crate) fn exit_code(&self) -> Option<u32> {
        let exit = self.pages.u64(layout::EXIT).load(Ordering::Acquire);
        (exit >> 32 != 0).then_some(exit as u32)
    }

    /// Says how the process ends; the first word counts. True if this was it.
    pub(crate) fn set_exit_code(&self, code: u32) -> bool {
        let exit = 1 << 32 | u64::from(code);
        self.pages.u64(layout::EXIT).compare_exchange(0, exit, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// The word that a child created suspended sleeps on.
    pub(crate) fn resume(&self) -> &std::sync::atomic::AtomicU32 {
        self.pages.u32(layout::RESUME)
    }

    pub(crate) fn suspended(&self) -> &std::sync::atomic::AtomicU32 {
        self.pages.u32(layout::SUSPENDED)
    }

    /// Leaves the value of a standard handle for the child: 0 = not given, [`NO_HANDLE`] = there is none.
    pub(crate) fn set_standard(&self, which: usize, value: u64) {
        self.pages.u64(layout::STANDARD + 8 * which.min(2)).store(value, Ordering::Relaxed);
    }

    /// Leaves the command line for the child; false if it is too long.
    pub(crate) fn set_command_line(&self, line: &[u8]) -> bool {
        if line.len() > layout::COMMAND_ROOM || !self.pages.write(layout::COMMAND, line) {
            return false;
        }
        self.pages.u32(layout::COMMAND_LENGTH).store(line.len() as u32, Ordering::Release);
        true
    }

    /// The command line that the creator left; `None` if it left none.
    fn command_line(&self) -> Option<Vec<u8>> {
        let length = self.pages.u32(layout::COMMAND_LENGTH).load(Ordering::Acquire) as usize;
        if length == 0 || length > layout::COMMAND_ROOM {
            return None;
        }
        let mut line = vec![0; length];
        self.pages.read(layout::COMMAND, &mut line).then_some(line)
    }

    /// Milliseconds that the child waits before its `main`, a futex: 0 lets it go at once.
    pub(crate) fn head_start(&self) -> &AtomicU32 {
        self.pages.u32(layout::HEAD_START)
    }

    /// In the child: lets the creator go first, as long as it was told to, a second at most.
    fn leave_head_start(&self) {
        let word = self.head_start();
        let milliseconds = word.load(Ordering::Acquire);
        if milliseconds > 0 {
            let until = futex::now() + u64::from(milliseconds.min(1000)) * 1_000_000;
            // Woken, interrupted or out of time: in each case it has waited enough.
            let _ = futex::wait(word, milliseconds, Some(until));
        }
    }

    /// Leaves STARTUPINFO's flags, wShowWindow and title for the child; the title is cut to the room there is.
    pub(crate) fn set_startup(&self, flags: u32, show_window: u32, title: Option<&[u8]>) {
        self.pages.u32(layout::STARTUP_FLAGS).store(flags, Ordering::Relaxed);
        self.pages.u32(layout::SHOW_WINDOW).store(show_window, Ordering::Relaxed);
        if let Some(title) = title {
            let title = &title[..title.len().min(layout::TITLE_ROOM - 1)];
            // One more than its length, so that an empty one is told from none.
            if self.pages.write(layout::TITLE, title) {
                self.pages.u32(layout::TITLE_LENGTH).store(title.len() as u32 + 1, Ordering::Release);
            }
        }
    }

    /// What [`ProcessRecord::set_startup`] left.
    pub(crate) fn startup(&self) -> (u32, u32, Option<Vec<u8>>) {
        let flags = self.pages.u32(layout::STARTUP_FLAGS).load(Ordering::Relaxed);
        let show_window = self.pages.u32(layout::SHOW_WINDOW).load(Ordering::Relaxed);
        let stored = self.pages.u32(layout::TITLE_LENGTH).load(Ordering::Acquire) as usize;
        let title = stored.checked_sub(1).filter(|length| *length < layout::TITLE_ROOM).and_then(|length| {
            let mut title = vec![0; length];
            self.pages.read(layout::TITLE, &mut title).then_some(title)
        });
        (flags, show_window, title)
    }

    /// How many slots may be in use; a bound that a hostile peer cannot raise beyond the table.
    pub(crate) fn used(&self) -> usize {
        (self.pages.u32(layout::USED).load(Ordering::Acquire) as usize).min(layout::SLOT_COUNT)
    }

    fn slot_offset(index: usize) -> usize {
        layout::SLOTS + index.min(layout::SLOT_COUNT - 1) * SLOT_SIZE
    }

    /// State and kind of a slot.
    pub(crate) fn head(&self, index: usize) -> (u32, SlotState) {
        Slot::split_head(self.head_word(index).load(Ordering::Acquire))
    }

    /// What [`state_in`] is to be asked about.
    pub(crate) fn head_word(&self, index: usize) -> &AtomicU64 {
        self.pages.u64(Self::slot_offset(index))
    }

    /// Reads a slot that is open.
    pub(crate) fn slot(&self, index: usize) -> Option<Slot> {
        let head = self.pages.u64(Self::slot_offset(index));
        let (kind, state) = Slot::split_head(head.load(Ordering::Acquire));
        let mut body = [0; SLOT_WORDS - 1];
        for (number, word) in body.iter_mut().enumerate() {
            *word = self.pages.u64(Self::slot_offset(index) + 8 * (number + 1)).load(Ordering::Relaxed);
        }
        // Still the same handle: else the words are of two.
        std::sync::atomic::fence(Ordering::Acquire);
        let unchanged = Slot::split_head(head.load(Ordering::Relaxed)) == (kind, state);
        (unchanged && state == SlotState::Open).then(|| Slot::decode(kind, body))
    }

    /// The rights of the handles of a kind that have their object's memory under a number.
    pub(crate) fn access_by(&self, kind: Kind, descriptor: RawFd) -> u32 {
        let slots = (0..self.used()).filter_map(|index| self.slot(index));
        let matching = slots.filter(|slot| slot.kind == kind as u32 && slot.descriptor == descriptor);
        matching.fold(0, |access, slot| access | slot.access)
    }

    /// Takes a free slot for a handle that is being made.
    pub(crate) fn reserve(&self, index: usize) -> bool {
        let reserved = Slot::head(0, SlotState::Reserved);
        let head = self.pages.u64(Self::slot_offset(index));
        let free = head.load(Ordering::Relaxed);
        if Slot::split_head(free).1 != SlotState::Free
            || head.compare_exchange(free, reserved, Ordering::AcqRel, Ordering::Relaxed).is_err()
        {
            return false;
        }
        self.pages.u32(layout::USED).fetch_max(index as u32 + 1, Ordering::AcqRel);
        true
    }

    /// Fills a reserved slot: now the handle exists.
    pub(crate) fn publish(&self, index: usize, slot: &Slot) {
        for (number, word) in slot.body().into_iter().enumerate() {
            self.pages.u64(Self::slot_offset(index) + 8 * (number + 1)).store(word, Ordering::Relaxed);
        }
        let head = self.pages.u64(Self::slot_offset(index));
        let (reserved, open) = (Slot::head(0, SlotState::Reserved), Slot::head(slot.kind, SlotState::Open));
        // Partner: the acquires in `head` and `slot`.
        if let Err(now) = head.compare_exchange(reserved, open, Ordering::Release, Ordering::Relaxed)
            && Slot::split_head(now).1 != SlotState::ClosedByPeer
        {
            // What else stands there, no friend wrote.
            head.store(open, Ordering::Release);
        }
    }

    /// The slot's handle exists no more.
    pub(crate) fn free(&self, index: usize) {
        self.pages.u64(Self::slot_offset(index)).store(Slot::head(0, SlotState::Free), Ordering::Release);
    }

    /// Closes a handle of another process: that process lets go of it when it next looks. Also one that it has
    /// not picked up yet.
    pub(crate) fn close_remotely(&self, index: usize) -> bool {
        let head = self.pages.u64(Self::slot_offset(index));
        let mut old = head.load(Ordering::Acquire);
        loop {
            let (kind, state) = Slot::split_head(old);
            if !matches!(state, SlotState::Open | SlotState::Reserved) {
                return false;
            }
            let closed = Slot::head(kind, SlotState::ClosedByPeer);
            match head.compare_exchange(old, closed, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                // It was just picked up: then it is closed as one that was.
                Err(now) => old = now,
            }
        }
    }

    /// Takes back a slot that a peer marked as open or closed although this process has no handle there.
    pub(crate) fn take_back(&self, index: usize) {
        let head = self.pages.u64(Self::slot_offset(index));
        let old = head.load(Ordering::Relaxed);
        if matches!(Slot::split_head(old).1, SlotState::Open | SlotState::ClosedByPeer) {
            let free = Slot::head(0, SlotState::Free);
            let _ = head.compare_exchange(old, free, Ordering::Release, Ordering::Relaxed);
        }
    }

    /// Changes the flags word of an open slot of this process.
    pub(crate) fn set_flags(&self, index: usize, access: u32, flags: u32) {
        let word = u64::from(flags) << 32 | u64::from(access);
        self.pages.u64(Self::slot_offset(index) + 8).store(word, Ordering::Relaxed);
    }
}

/// A row that the creator of this process filled, with the descriptors it named.
#[derive(Debug)]
pub(crate) struct Inherited {
    pub(crate) slot: Slot,
    /// `None` also if it is one of the standard ones.
    pub(crate) object: Option<OwnedFd>,
    pub(crate) hold: Option<OwnedFd>,
    pub(crate) record: Option<OwnedFd>,
    pub(crate) bells: [Option<OwnedFd>; 2],
}

/// This process's own record and what belongs to it.
pub(crate) struct Own {
    pub(crate) record: Arc<ProcessRecord>,
    pub(crate) inbox: OwnedFd,
    /// Rows that the creator filled and nobody here has used yet; `None` while one is being taken over.
    inherited: Mutex<HashMap<usize, Option<Inherited>>>,
    command_line: Option<Vec<u8>>,
    /// Values of the standard handles: 0 = not given, [`NO_HANDLE`] = there is none.
    standard: [AtomicU64; 3],
    /// Says in the namespace where this record is.
    entry: Mutex<Option<namespace::Hold>>,
}

impl Own {
    /// The rows that the creator filled and nobody here has used yet.
    pub(crate) fn inherited(&self) -> MutexGuard<'_, HashMap<usize, Option<Inherited>>> {
        self.inherited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The command line that the creator left; `None` if it left none.
    pub(crate) fn command_line(&self) -> Option<&[u8]> {
        self.command_line.as_deref()
    }

    /// The value of a standard handle: 0 = not given, [`NO_HANDLE`] = there is none.
    pub(crate) fn standard(&self, which: usize) -> &AtomicU64 {
        &self.standard[which.min(2)]
    }
}

static OWN: OnceLock<Result<Own, Code>> = OnceLock::new();
static FORKED: AtomicBool = AtomicBool::new(false);
/// What `TRANSOM_PROCESS` said, or -1.
static GIVEN: AtomicI32 = AtomicI32::new(-1);

/// Runs before `main`: does what takes long once there are threads, and takes the variable out of the environment, so
/// that the program and its children see the environment that was meant for it.
extern "C" fn before_main() {
    let _ = barrier::is_available();
    let Some(value) = std::env::var_os(VARIABLE) else { return };
    // SAFETY: initialisers run before main, in the only thread there is.
    unsafe { std::env::remove_var(VARIABLE) };
    if let Some(number) = value.to_str().and_then(|text| text.parse::<RawFd>().ok()) {
        GIVEN.store(number, Ordering::Relaxed);
        // The exit code is to be kept also if the program never calls anything of ours.
        if let Ok(own) = own() {
            own.record.leave_head_start();
        }
    }
}

#[used]
// SAFETY: the section holds pointers to functions without arguments that are relied on; this is one.
#[unsafe(link_section = ".init_array")]
static BEFORE_MAIN: extern "C" fn() = before_main;

/// This process's record; made or taken over when first asked for.
pub(crate) fn own() -> Result<&'static Own, Code> {
    if FORKED.load(Ordering::Relaxed) {
        // A fork without exec: the table is the parent's (see docs/limits.md).
        return Err(Code::NOT_SUPPORTED);
    }
    OWN.get_or_init(start).as_ref().map_err(|error| *error)
}

/// The state of a slot that begins with this word.
#[inline]
pub(crate) fn state_in(head: &AtomicU64) -> SlotState {
    Slot::split_head(head.load(Ordering::Acquire)).1
}

/// Whether this process is a plain fork of the one whose handles these are.
#[inline]
pub(crate) fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}

fn start() -> Result<Own, Code> {
    let given = GIVEN.swap(-1, Ordering::Relaxed);
    let (record, inbox, inherited) = match take_over(given) {
        Some(taken) => taken,
        None => {
            let record = ProcessRecord::create(process::id())?;
            let inbox = inbox::create(&record)?;
            (record, inbox, HashMap::new())
        }
    };
    let command_line = record.command_line();
    let standard = [0, 1, 2]
        .map(|which| AtomicU64::new(record.pages.u64(layout::STANDARD + 8 * which).load(Ordering::Relaxed)));
    // Where nobody may look at this process the entry is of no use; handles work without it.
    let entry = namespace::create_process_entry(process::id(), record.descriptor()).ok();
    process::at_exit(on_exit);
    process::at_fork(before_fork, after_fork, on_fork);
    let (inherited, entry) = (Mutex::new(inherited), Mutex::new(entry));
    Ok(Own { record: Arc::new(record), inbox, inherited, command_line, standard, entry })
}

/// The record, inbox and inherited handles that the creator left, if the variable told the truth.
fn take_over(given: RawFd) -> Option<(ProcessRecord, OwnedFd, HashMap<usize, Option<Inherited>>)> {
    if given <= 2 {
        return None;
    }
    // Looked at through copies: a number that is not what it should be is somebody else's, and stays as it is.
    let record = ProcessRecord::open(host::duplicate_number(given).ok()?).ok()?;
    if record.process_id() != process::id() {
        return None;
    }
    let number = record.inbox_descriptor();
    if number <= 2 || number == given {
        return None;
    }
    let inbox = host::duplicate_number(number).ok()?;
    if !is_inbox(inbox.as_fd(), &record.inbox_name()) {
        return None;
    }
    for left in [given, number] {
        // SAFETY: both are what the creator of this process made for it, and nobody else here knows them.
        drop(unsafe { fd::adopt(left) });
    }
    let taken = [given, number, record.descriptor.as_raw_fd(), inbox.as_raw_fd()];
    let rows: Vec<usize> = (0..record.used()).collect();
    let slots = rows.iter().filter_map(|index| Some((*index, record.slot(*index)?)));
    let mut inherited = HashMap::new();
    for (index, slot) in believable(slots, &taken) {
        // Taken now, not when the handle is first used: by then the numbers may be anybody's.
        let take = |number: RawFd| {
            // SAFETY: each number stands in one row and is none of ours; nobody else in this process can have
            // got it yet.
            if number > 2 { unsafe { fd::adopt(number) }.map(Some) } else { Ok(None) }
        };
        let taken = [slot.descriptor, slot.hold, slot.record, slot.bells[0], slot.bells[1]].map(take);
        if let [Ok(object), Ok(hold), Ok(record), Ok(own), Ok(peer)] = taken {
            inherited.insert(index, Some(Inherited { slot, object, hold, record, bells: [own, peer] }));
        }
    }
    for index in rows {
        if !inherited.contains_key(&index) {
            record.take_back(index);
        }
    }
    Some((record, inbox, inherited))
}

/// Says the full exit code when the program ends by `exit` or by returning from `main` (R26).
extern "C" fn on_exit(status: i32, _: *mut core::ffi::c_void) {
    if let Some(Ok(own)) = OWN.get()
        && !FORKED.load(Ordering::Relaxed)
    {
        own.record.set_exit_code(status as u32);
        // The kernel would end the names too; this way no file is left for the next process to clear away.
        super::table::give_up_names();
        if let Ok(mut entry) = own.entry.try_lock() {
            drop(entry.take());
        }
        namespace::end();
    }
}

/// A plain fork is about to happen: no other thread is to be found in the middle of changing the table.
extern "C" fn before_fork() {
    if !is_forked()
        && let Some(Ok(own)) = OWN.get()
    {
        table::hold_still(own);
    }
}

/// The fork has happened, or failed; this is the parent.
extern "C" fn after_fork() {
    table::go_on();
}

/// In the child of a plain fork: lets go of everything, so that no name and no pipe end lives longer for
/// its sake. From here on every call fails with `ERROR_NOT_SUPPORTED` until the child executes a program.
extern "C" fn on_fork() {
    let again = FORKED.swap(true, Ordering::Relaxed);
    let close = |number: RawFd| {
        if number > 2 {
            // SAFETY: this is a copy of the parent's table of descriptors, and nothing in this process will use
            // ours again: every call asks `own` or `is_forked` first.
            unsafe { process::close_raw(number) };
        }
    };
    if let (false, Some(Ok(own))) = (again, OWN.get()) {
        table::each_descriptor(close);
        namespace::each_descriptor(close);
        close(own.record.descriptor().as_raw_fd());
        close(own.inbox.as_raw_fd());
        if let Ok(entry) = own.entry.try_lock()
            && let Some(entry) = &*entry
        {
            close(entry.raw_fd());
        }
    }
    table::go_on();
}
