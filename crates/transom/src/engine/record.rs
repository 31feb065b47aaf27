//! A process's record: a memory file with its handle table, exit code, command line (see
//! [`transom_core::record`]), and this process's own.
//!
//! A child that this library starts finds its record already made: the creator left it open under the
//! number in the variable `TRANSOM_PROCESS`, with the rows of the inherited handles filled in. Every other
//! process makes its own when it first needs one.
//!
//! # Safety
//! The variable is taken out of the environment before `main`, when no other thread can be reading it.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use transom_core::code::Code;
use transom_core::record::{
    RECORD_MAGIC, SLOT_SIZE, SLOT_WORDS, Slot, SlotState, VERSION, process as layout,
};
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{fd, memfd, process, random};

use super::errno::{to_code, with_room};
use super::inbox;
use crate::namespace::imp as namespace;

/// The variable that names a child's record.
pub(crate) const VARIABLE: &str = "TRANSOM_PROCESS";

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

    /// Values of the standard handles; 0 = none given.
    pub(crate) fn standard(&self, which: usize) -> &std::sync::atomic::AtomicU64 {
        self.pages.u64(layout::STANDARD + 8 * which.min(2))
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
    pub(crate) fn command_line(&self) -> Option<Vec<u8>> {
        let length = self.pages.u32(layout::COMMAND_LENGTH).load(Ordering::Acquire) as usize;
        if length == 0 || length > layout::COMMAND_ROOM {
            return None;
        }
        let mut line = vec![0; length];
        self.pages.read(layout::COMMAND, &mut line).then_some(line)
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
        Slot::split_head(self.pages.u64(Self::slot_offset(index)).load(Ordering::Acquire))
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
        // Partner: the acquires in `head` and `slot`.
        self.pages
            .u64(Self::slot_offset(index))
            .store(Slot::head(slot.kind, SlotState::Open), Ordering::Release);
    }

    /// The slot's handle exists no more.
    pub(crate) fn free(&self, index: usize) {
        self.pages.u64(Self::slot_offset(index)).store(Slot::head(0, SlotState::Free), Ordering::Release);
    }

    /// Closes a handle of another process: that process lets go of it when it next looks.
    pub(crate) fn close_remotely(&self, index: usize) -> bool {
        let head = self.pages.u64(Self::slot_offset(index));
        let old = head.load(Ordering::Acquire);
        let (kind, state) = Slot::split_head(old);
        state == SlotState::Open
            && head
                .compare_exchange(
                    old,
                    Slot::head(kind, SlotState::ClosedByPeer),
                    Ordering::AcqRel,
                    Ordering::Relaxed,
                )
                .is_ok()
    }

    /// Changes the flags word of an open slot of this process.
    pub(crate) fn set_flags(&self, index: usize, access: u32, flags: u32) {
        let word = u64::from(flags) << 32 | u64::from(access);
        self.pages.u64(Self::slot_offset(index) + 8).store(word, Ordering::Relaxed);
    }

    /// Flags of a slot.
    pub(crate) fn flags(&self, index: usize) -> u32 {
        (self.pages.u64(Self::slot_offset(index) + 8).load(Ordering::Relaxed) >> 32) as u32
    }
}

/// This process's own record and what belongs to it.
pub(crate) struct Own {
    pub(crate) record: Arc<ProcessRecord>,
    pub(crate) inbox: OwnedFd,
    /// The rows that the creator filled, taken once: what stands in the record later may be a peer's writing.
    pub(crate) inherited: Vec<(usize, Slot)>,
    /// Says in the namespace where this record is.
    entry: Mutex<Option<namespace::Hold>>,
}

static OWN: OnceLock<Result<Own, Code>> = OnceLock::new();
static FORKED: AtomicBool = AtomicBool::new(false);
/// What `TRANSOM_PROCESS` said, or -1.
static GIVEN: AtomicI32 = AtomicI32::new(-1);

/// Runs before `main`: takes the variable out of the environment, so that the program and its children see
/// the environment that was meant for it.
extern "C" fn before_main() {
    let Some(value) = std::env::var_os(VARIABLE) else { return };
    // SAFETY: initialisers run before main, in the only thread there is.
    unsafe { std::env::remove_var(VARIABLE) };
    if let Some(number) = value.to_str().and_then(|text| text.parse::<RawFd>().ok()) {
        GIVEN.store(number, Ordering::Relaxed);
        // The exit code is to be kept also if the program never calls anything of ours.
        let _ = own();
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

fn start() -> Result<Own, Code> {
    let given = GIVEN.swap(-1, Ordering::Relaxed);
    let (record, inbox, inherited) = match take_over(given) {
        Some(taken) => taken,
        None => {
            let record = ProcessRecord::create(process::id())?;
            let inbox = inbox::create(&record)?;
            (record, inbox, Vec::new())
        }
    };
    // Where nobody may look at this process the entry is of no use; handles work without it.
    let entry = namespace::create_process_entry(process::id(), record.descriptor()).ok();
    process::at_exit(on_exit);
    process::at_fork_in_child(on_fork);
    Ok(Own { record: Arc::new(record), inbox, inherited, entry: Mutex::new(entry) })
}

/// The record, inbox and inherited handles that the creator left, if the variable told the truth.
fn take_over(given: RawFd) -> Option<(ProcessRecord, OwnedFd, Vec<(usize, Slot)>)> {
    if given <= 2 {
        return None;
    }
    // SAFETY: nobody else in this process knows the descriptor: it was open when the program began.
    let record = ProcessRecord::open(unsafe { fd::adopt(given) }.ok()?).ok()?;
    if record.process_id() != process::id() {
        return None;
    }
    let number = record.inbox_descriptor();
    if number <= 2 || number == given {
        return None;
    }
    // SAFETY: as above.
    let inbox = unsafe { fd::adopt(number) }.ok()?;
    let mut inherited = Vec::new();
    let mut numbers = vec![given, number];
    for index in 0..record.used() {
        let Some(slot) = record.slot(index) else { continue };
        let descriptors = [slot.descriptor, slot.hold, slot.record];
        // Each descriptor belongs to one row, and only the standard ones may be anybody's.
        let sound = descriptors.iter().all(|fd| *fd < 0 || *fd <= 2 || !numbers.contains(fd));
        if sound {
            for number in descriptors.into_iter().filter(|fd| *fd > 2) {
                numbers.push(number);
                // Not meant for programs that this one starts by other means.
                // SAFETY: borrowed only to set the flag; the row's owner takes it over later.
                let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
                let _ = transom_sys::linux::fd::set_close_on_exec(borrowed);
            }
            inherited.push((index, slot));
        } else {
            record.free(index);
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
    }
}

/// In the child of a plain fork: lets go of everything, so that no name and no pipe end lives longer for
/// its sake. From here on every call fails with `ERROR_NOT_SUPPORTED` until the child executes a program.
extern "C" fn on_fork() {
    FORKED.store(true, Ordering::Relaxed);
    let Some(Ok(own)) = OWN.get() else { return };
    for index in 0..own.record.used() {
        if let Some(slot) = own.record.slot(index) {
            for number in [slot.descriptor, slot.hold, slot.record].into_iter().filter(|fd| *fd > 2) {
                // SAFETY: this is a copy of the parent's table of descriptors, and nothing in this process
                // will use ours again: every call asks `own` first.
                unsafe { process::close_raw(number) };
            }
        }
    }
    for number in [own.record.descriptor().as_raw_fd(), own.inbox.as_raw_fd()] {
        // SAFETY: as above.
        unsafe { process::close_raw(number) };
    }
}
