//! What keeps a name: a locked byte of its entry, and the slot that may go with it.
//!
//! ```text
//!            create, open, join                      for_child
//!  (nothing) ─────────────────────► Hold ──────────────────────────► ChildHold
//!                                    │ ▲                                 │
//!                  drop: struck out, │ │ adopt, in the other process     │ handed_over, then drop:
//!                  last one removes  │ └─────────────────────────────────┤ the other process has it
//!                  the entry         ▼                                   ▼ drop before that: given up
//!                                (nothing)                           (nothing)
//! ```
//! A lock belongs to an open file, and a forked process shares its parent's. So a hold knows the process it
//! was made in; dropped in any other it closes a descriptor and leaves the name alone.
//!
//! **Leaving.** Who leaves tries to get all bytes of the entry to itself. If that works it was the last one, and
//! removes the entry before anybody else can lock a byte of it again. If it does not, it gives its own byte up
//! and tries once more: of several that leave at once, the one that gives up last finds nobody.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use transom_core::access::Kind;
use transom_core::board::INSTANCE_LOCKS;
use transom_core::code::Code;
use transom_core::entry::{Entry, Header, Holder, LOCKS, MAX_SLOTS, SLOT_SIZE};
use transom_core::name::ObjectName;
use transom_sys::linux::dirs::{self, Status};
use transom_sys::linux::fault::step;
use transom_sys::linux::{Errno, lock, process, procfs};

use super::Folder;
use super::backing;
use super::entry_file::{read, remove};
use super::root::{Directory, Namespace, Own, own};
use super::spare::{MOST_SPARE, PRIVATE_MODE, Plain, Spare};
use crate::engine::errno::{to_code, with_room};

/// How many slots of the dead a newcomer tries before it takes one at the end of the table.
const TRIES: usize = 8;

/// A slot of an entry, whose byte an open file of this process has locked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    index: usize,
    /// Where the table begins.
    table: usize,
    access: u32,
    /// Who took it.
    own: Own,
}

/// What came of looking for a slot.
#[derive(Debug)]
pub(super) enum Taken {
    Seat(Seat),
    /// Somebody has all bytes to himself, and is removing the entry or has just filled it.
    Busy,
}

impl Taken {
    /// The slot, where somebody is known to hold the name: if he has just left, so has what was to be had from him.
    fn seat(self) -> Result<Seat, Code> {
        match self {
            Taken::Seat(seat) => Ok(seat),
            Taken::Busy => Err(Code::INVALID_HANDLE),
        }
    }
}

/// How a hold stands in its entry.
#[derive(Debug)]
pub(super) enum Stand {
    Slot(Seat),
    /// By a byte alone, which says who has it.
    Visitor {
        byte: u64,
        own: Own,
        known: Option<Known>,
    },
}

/// Device and inode of a file.
pub(super) type Identity = (u64, u64);

/// An entry that this process has seen by its name, and may visit again without opening it.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) file: Arc<OwnedFd>,
    pub(super) identity: Identity,
    pub(super) name: String,
    pub(super) known: Known,
}

/// What a visitor knows of an entry.
#[derive(Debug)]
pub(super) struct Known {
    /// What stood in it.
    pub(super) content: Vec<u8>,
    pub(super) way: Way,
}

/// The way to the memory of another process besides /proc: pidfd_getfd(2), which costs less than half.
#[derive(Debug)]
pub(super) enum Way {
    /// Not yet looked for; the process.
    Unknown(u32),
    Open(u32, OwnedFd),
    /// The system refuses it.
    Refused,
}

impl Way {
    /// Looks for it, where an entry has been visited and may be again.
    fn look(self) -> Way {
        match self {
            Way::Unknown(holder) if holder != process::id() => {
                process::open(holder).map_or(Way::Refused, |pidfd| Way::Open(holder, pidfd))
            }
            known => known,
        }
    }
}

impl Seat {
    /// Slot 0 of a new entry, written together with its header.
    pub(super) fn first(
        file: BorrowedFd<'_>,
        header: &Header<'_>,
        access: u32,
        memory: RawFd,
    ) -> Result<Seat, Code> {
        let seat = Seat::of_maker(header, access);
        if !to_code(lock::lock_byte(file, LOCKS))? {
            return Err(Code::BUSY);
        }
        let bytes = header.encode(&seat.holder(seat.own.process, memory));
        match bytes.and_then(|bytes| to_code(dirs::write_at(file, &bytes, 0))) {
            Ok(()) => Ok(seat),
            Err(code) => {
                let _ = lock::unlock_byte(file, LOCKS);
                Err(code)
            }
        }
    }

    fn of_maker(header: &Header<'_>, access: u32) -> Seat {
        Seat { index: 0, table: header.table_offset(), access, own: own() }
    }

    /// As [`first`](Self::first), in a file that has all its bytes locked.
    pub(super) fn first_in_spare(
        spare: &mut Spare,
        header: &Header<'_>,
        access: u32,
        memory: RawFd,
    ) -> Result<Seat, Code> {
        let seat = Seat::of_maker(header, access);
        let bytes = header.encode(&seat.holder(seat.own.process, memory))?;
        let length = bytes.len() as u64;
        if spare.length > length {
            to_code(dirs::set_length(&*spare.file, length))?;
        }
        // Also if it fails, no more than this is in the file.
        spare.length = length;
        to_code(dirs::write_at(&*spare.file, &bytes, 0))?;
        Ok(seat)
    }

    /// A free slot of an entry.
    pub(super) fn take(
        file: BorrowedFd<'_>,
        entry: &Entry<'_>,
        access: u32,
        memory: RawFd,
    ) -> Result<Taken, Code> {
        let table = entry.header.table_offset();
        let count = entry.slot_count();
        let is_left = |holder: Option<Holder>| holder.is_none_or(|holder| holder == Holder::LEAVING);
        let struck_out =
            entry.slots().enumerate().filter(|(_, holder)| is_left(*holder)).map(|(index, _)| index);
        // Slots of processes that died without a word. Where to look differs from one to the next.
        let own = own();
        let start = if count == 0 { 0 } else { own.process as usize % count };
        let tries = if count < TRIES { 0 } else { TRIES };
        let perhaps_dead = (0..tries).map(|step| (start + step) % count);
        let new = count..MAX_SLOTS;
        for index in struck_out.chain(perhaps_dead).chain(new) {
            if to_code(lock::lock_byte(file, LOCKS + index as u64))? {
                let seat = Seat { index, table, access, own };
                return match seat.write(file, own.process, memory) {
                    Ok(()) => Ok(Taken::Seat(seat)),
                    Err(code) => {
                        let _ = lock::unlock_byte(file, seat.byte());
                        Err(code)
                    }
                };
            }
            let all = LOCKS..LOCKS + MAX_SLOTS as u64;
            if let Some(found) = to_code(lock::find_locked(file, all))?
                && found.end == u64::MAX
            {
                return Ok(Taken::Busy);
            }
        }
        Err(Code::NO_SYSTEM_RESOURCES)
    }

    fn byte(&self) -> u64 {
        LOCKS + self.index as u64
    }

    fn offset(&self) -> u64 {
        (self.table + self.index * SLOT_SIZE) as u64
    }

    fn holder(&self, process: u32, descriptor: RawFd) -> Holder {
        Holder { process, descriptor, namespace: self.own.namespace, access: self.access, kept: (0, 0) }
    }

    /// Says how the holder can be reached; under the entry's lock.
    fn write(&self, file: BorrowedFd<'_>, process: u32, descriptor: RawFd) -> Result<(), Code> {
        to_code(dirs::write_at(file, &self.holder(process, descriptor).encode(), self.offset()))
    }

    /// As [`write`](Self::write), for a holder whose memory this process keeps until it picks it up.
    fn write_kept(&self, file: BorrowedFd<'_>, process: u32, kept: RawFd) -> Result<(), Code> {
        let holder = Holder { kept: (self.own.process, kept), ..self.holder(process, -1) };
        to_code(dirs::write_at(file, &holder.encode(), self.offset()))
    }

    fn strike_out(&self, file: BorrowedFd<'_>) {
        // If that fails, the missing lock says the same.
        let _ = dirs::write_at(file, &Holder::LEAVING.encode(), self.offset());
    }
}

/// Keeps a name as long as it lives.
#[derive(Debug)]
pub(crate) struct Hold {
    file: Arc<OwnedFd>,
    identity: Identity,
    stand: Stand,
    /// The entry was made by this process, for its user alone: its file may become a [`Spare`], or is one already.
    plain: Option<Plain>,
    /// Where the entry lies, for removing it; `None` if that cannot be found out.
    directory: Option<Arc<Directory>>,
    name: String,
    /// The memory's file beside it.
    backing: Option<String>,
    /// Somebody else has the slot now.
    given_away: AtomicBool,
}

/// Takes the `flock` for a few lines.
fn under_lock<T>(file: BorrowedFd<'_>, work: impl FnOnce() -> T) -> Result<T, Code> {
    to_code(lock::lock_file(file))?;
    let result = work();
    let _ = lock::unlock_file(file);
    Ok(result)
}

/// Takes the `flock` as soon as nobody else has it, and waits a second for that at the most; false if somebody
/// keeps it, stopped in the middle of a call or out of malice. The kernel's lock knows no time-out, and this is the
/// rare end of giving a name up, so here time is slept away.
#[allow(clippy::disallowed_methods)]
fn lock_soon(file: BorrowedFd<'_>) -> bool {
    for round in 0..1_050 {
        match lock::try_lock_file(file) {
            Ok(true) => return true,
            Ok(false) if round < 50 => std::thread::yield_now(),
            Ok(false) => std::thread::sleep(Duration::from_millis(1)),
            Err(_) => return false,
        }
    }
    false
}

/// Changes a slot of one's own, under the `flock` if that can be had soon. Else without: nobody else writes a slot
/// whose byte is locked, and who reads it half written takes it for none.
fn change_own<T>(file: BorrowedFd<'_>, work: impl FnOnce() -> T) -> T {
    let locked = lock_soon(file);
    let result = work();
    if locked {
        let _ = lock::unlock_file(file);
    }
    result
}

impl Hold {
    pub(super) fn new(
        file: OwnedFd,
        identity: Identity,
        seat: Seat,
        directory: Option<Arc<Directory>>,
        name: String,
        backing: Option<String>,
    ) -> Hold {
        let (file, stand, given_away) = (Arc::new(file), Stand::Slot(seat), AtomicBool::new(false));
        Hold { file, identity, stand, plain: None, directory, name, backing, given_away }
    }

    /// That of who has made the entry, for this user alone and without a file of memory beside it.
    pub(super) fn plain(
        file: Arc<OwnedFd>,
        identity: Identity,
        seat: Seat,
        directory: Arc<Directory>,
        name: String,
        plain: Plain,
    ) -> Hold {
        let (stand, directory, given_away) = (Stand::Slot(seat), Some(directory), AtomicBool::new(false));
        Hold { file, identity, stand, plain: Some(plain), directory, name, backing: None, given_away }
    }

    /// That of a visitor, which has `byte` locked.
    pub(super) fn visitor(
        file: Arc<OwnedFd>,
        identity: Identity,
        byte: u64,
        directory: Arc<Directory>,
        name: String,
    ) -> Hold {
        let stand = Stand::Visitor { byte, own: own(), known: None };
        let (directory, given_away) = (Some(directory), AtomicBool::new(false));
        Hold { file, identity, stand, plain: None, directory, name, backing: None, given_away }
    }

    /// Lets the entry be visited again without opening it, when a visitor has left it to others.
    pub(super) fn keep(&mut self, seen: Known) {
        if let Stand::Visitor { known, .. } = &mut self.stand {
            *known = Some(seen);
        }
    }

    fn seat(&self) -> Option<&Seat> {
        match &self.stand {
            Stand::Slot(seat) => Some(seat),
            Stand::Visitor { .. } => None,
        }
    }

    /// The process that it was made in.
    fn process(&self) -> u32 {
        match &self.stand {
            Stand::Slot(seat) => seat.own.process,
            Stand::Visitor { own, .. } => own.process,
        }
    }

    /// The descriptor of the entry.
    pub(crate) fn raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }

    /// The slot's number; `u32::MAX`, which no slot has, for a visitor.
    pub(crate) fn slot(&self) -> u32 {
        // Below MAX_SLOTS.
        self.seat().map_or(u32::MAX, |seat| seat.index as u32)
    }

    /// Says under which number this process has the object's memory. A failure leaves the old number, and
    /// others will ask the next holder. Only what came from another process, and so has a slot, is moved.
    pub(crate) fn set_memory_fd(&self, memory: RawFd) {
        if let Some(seat) = self.seat() {
            let file = self.file.as_fd();
            let _ = change_own(file, || seat.write(file, seat.own.process, memory));
        }
    }

    /// Keeps an instance of the pipe alive, as long as this open file lives: several processes may.
    ///
    /// # Errors
    /// 1450: the system has no room for locks.
    pub(crate) fn keep_instance(&self, index: usize) -> Result<(), Code> {
        if to_code(lock::share_byte(&self.file, INSTANCE_LOCKS + index as u64))? {
            Ok(())
        } else {
            Err(Code::BUSY)
        }
    }

    /// Takes back [`keep_instance`](Self::keep_instance).
    pub(crate) fn let_go_of_instance(&self, index: usize) {
        let _ = lock::unlock_byte(&self.file, INSTANCE_LOCKS + index as u64);
    }

    /// Whether another process keeps the instance.
    pub(crate) fn is_instance_kept(&self, index: usize) -> bool {
        lock::is_byte_locked(&self.file, INSTANCE_LOCKS + index as u64).unwrap_or(true)
    }

    /// The entry once more, as an open file without locks: through it this process's own locks show like others'.
    ///
    /// # Errors
    /// 4: too many open files.
    pub(crate) fn view(&self) -> Result<OwnedFd, Code> {
        with_room(|| self.second())
    }

    /// A slot for another process, which is to inherit or receive its descriptor; `memory` is the number
    /// that the object's memory will have there, -1 if that is not known yet.
    ///
    /// # Errors
    /// 4, 8, 112: no room. 1450: the table is full.
    pub(crate) fn for_child(&self, access: u32, memory: RawFd) -> Result<ChildHold, Code> {
        let file = with_room(|| self.second())?;
        let seat = under_lock(self.file.as_fd(), || {
            let status = to_code(dirs::status(&file))?;
            let contents = read(file.as_fd(), status.size)?;
            let seat = Seat::take(file.as_fd(), &Entry::parse(&contents)?, access, memory)?.seat()?;
            seat.write(file.as_fd(), 0, memory)?;
            Ok(seat)
        })??;
        let (directory, name) = (self.directory.clone(), self.name.clone());
        let hold = Hold::new(file, self.identity, seat, directory, name, self.backing.clone());
        Ok(ChildHold { hold, memory })
    }

    /// Another open file of the same entry.
    fn second(&self) -> Result<OwnedFd, Errno> {
        let error = match procfs::reopen(&self.file, true, true) {
            Ok(second) => return Ok(second),
            Err(error) => error,
        };
        // Without /proc: by name, if that still is this entry.
        let second = match &self.directory {
            Some(directory) if error != Errno::MFILE => dirs::open_file(directory, &self.name, true)?,
            _ => return Err(error),
        };
        let (ours, theirs) = (dirs::status(&self.file)?, dirs::status(&second)?);
        if (ours.device, ours.inode) == (theirs.device, theirs.inode) { Ok(second) } else { Err(error) }
    }

    /// Takes over what a [`ChildHold`] in another process has prepared: `file` is the descriptor that was
    /// inherited or received. The number of the memory stays as it is; see [`set_memory_fd`](Self::set_memory_fd).
    ///
    /// # Errors
    /// 6: it is no entry with that slot, or the slot belongs to somebody else.
    pub(crate) fn adopt(file: OwnedFd, slot: u32) -> Result<Hold, Code> {
        let (status, contents) = inspect(file.as_fd())?;
        let entry = Entry::parse(&contents).map_err(|_| Code::INVALID_HANDLE)?;
        let (index, holder) =
            entry.holders().find(|(index, _)| *index == slot as usize).ok_or(Code::INVALID_HANDLE)?;
        if holder == Holder::LEAVING {
            return Err(Code::INVALID_HANDLE);
        }
        let seat = Seat { index, table: entry.header.table_offset(), access: holder.access, own: own() };
        // Its own lock it may take again; a free one means that whoever prepared it has given it up.
        let is_ours = to_code(lock::lock_byte(&file, seat.byte()))?;
        if !is_ours {
            return Err(Code::INVALID_HANDLE);
        }
        let write = || seat.write(file.as_fd(), seat.own.process, holder.descriptor);
        // Whoever sent the file may keep its lock for ever.
        let written = change_own(file.as_fd(), write);
        Hold::located(file, seat, &status, &entry.header, written)
    }

    /// Takes a slot of its own in an entry that another process has open.
    ///
    /// # Errors
    /// 6: it is no entry. Others as [`for_child`](Self::for_child).
    pub(crate) fn join(file: OwnedFd, access: u32, memory: RawFd) -> Result<Hold, Code> {
        let (seat, status, contents) = under_lock(file.as_fd(), || {
            let (status, contents) = inspect(file.as_fd())?;
            let entry = Entry::parse(&contents).map_err(|_| Code::INVALID_HANDLE)?;
            let seat = Seat::take(file.as_fd(), &entry, access, memory)?.seat()?;
            Ok((seat, status, contents))
        })??;
        let entry = Entry::parse(&contents)?;
        Hold::located(file, seat, &status, &entry.header, Ok(()))
    }

    /// A hold of an entry of which only the descriptor is known: finds its folder again.
    fn located(
        file: OwnedFd,
        seat: Seat,
        status: &Status,
        header: &Header<'_>,
        written: Result<(), Code>,
    ) -> Result<Hold, Code> {
        let (directory, name) = locate(file.as_fd(), status, header).unzip();
        let name = name.unwrap_or_default();
        let path_backed = header.flags & transom_core::entry::flags::PATH_BACKED != 0;
        let backing = path_backed.then(|| backing::memory_name(&name, &header.cookie));
        let hold = Hold::new(file, (status.device, status.inode), seat, directory, name, backing);
        // On failure the hold goes, and with it the slot.
        written.map(|()| hold)
    }

    /// Gives the name up.
    fn release(&mut self) {
        let file = Arc::clone(&self.file);
        let file = file.as_fd();
        // If the system does not answer, somebody else may be there: closing the file gives up what matters, and
        // whoever comes next clears the rest away.
        let is_last = || lock::lock_from(file, LOCKS).unwrap_or(false);
        let last = match &self.stand {
            // Whoever made an object is most often the last to leave it.
            Stand::Slot(seat) => {
                is_last() || {
                    seat.strike_out(file);
                    step("slot-struck-out");
                    // The slot's byte, and those of a pipe's instances. Said explicitly: a child that was forked
                    // and has not yet become another program shares the locks.
                    let _ = lock::unlock_from(file, LOCKS);
                    is_last()
                }
            }
            Stand::Visitor { byte, .. } => {
                let _ = lock::unlock_byte(file, *byte);
                is_last()
            }
        };
        if !last
            && let (Some(Plain { spare: Some(name), .. }), Some(directory)) = (&self.plain, &self.directory)
        {
            // Others have the entry now.
            let _ = dirs::remove_file(directory, name);
        }
        if last {
            step("name-claimed");
            if !self.remove_entry() {
                if let Stand::Slot(seat) = &self.stand {
                    seat.strike_out(file);
                }
                let _ = lock::unlock_from(file, LOCKS);
            }
        } else if let (Stand::Visitor { known, .. }, Some(directory)) = (&mut self.stand, &self.directory)
            && let Some(Known { content, way }) = known.take()
        {
            let (file, name) = (Arc::clone(&self.file), std::mem::take(&mut self.name));
            let known = Known { content, way: way.look() };
            directory.remember(Seen { file, identity: self.identity, name, known });
        }
    }

    /// Removes the entry, if it still is the one of its name, while nobody else has a lock. False if it stays.
    fn remove_entry(&mut self) -> bool {
        let Some(directory) = self.directory.clone() else { return false };
        match dirs::status_at(&*directory, &self.name) {
            Ok(status) if (status.device, status.inode) == self.identity => {
                self.retire(&status) || remove(&directory, &self.name, self.backing.as_deref()).is_ok()
            }
            // Somebody has removed it, and the name may be another entry's by now.
            Ok(_) | Err(Errno::NOENT) => true,
            Err(_) => false,
        }
    }

    /// Takes the name away and keeps the file as a spare one. False if that cannot be.
    fn retire(&mut self, status: &Status) -> bool {
        let (Some(plain), Some(directory)) = (self.plain.take(), &self.directory) else { return false };
        let is_fit = status.mode == PRIVATE_MODE
            && status.owner == directory.user
            && status.size <= MOST_SPARE
            && directory.wants_spare();
        let name = match plain.spare {
            Some(name) if is_fit => remove(directory, &self.name, None).is_ok().then_some(name),
            None if is_fit => {
                let name = Spare::new_name();
                dirs::rename_to_free(directory, &self.name, &name).is_ok().then_some(name)
            }
            Some(name) => {
                let _ = dirs::remove_file(directory, &name);
                None
            }
            None => None,
        };
        let Some(name) = name else { return false };
        step("name-retired");
        let spare =
            Spare { file: Arc::clone(&self.file), identity: self.identity, name, length: status.size };
        if let Err(spare) = directory.put_spare(spare) {
            spare.discard(directory);
        }
        true
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.given_away.load(Ordering::Relaxed) && process::id() == self.process() {
            self.release();
        }
    }
}

/// Status and content of what should be an entry.
fn inspect(file: BorrowedFd<'_>) -> Result<(Status, Vec<u8>), Code> {
    let status = to_code(dirs::status(file))?;
    if !status.is_file {
        return Err(Code::INVALID_HANDLE);
    }
    let contents = read(file, status.size)?;
    Ok((status, contents))
}

/// The folder and the file name of an entry: where this process would look for its name or, if it looks
/// elsewhere, where /proc says that the file lies.
fn locate(file: BorrowedFd<'_>, status: &Status, header: &Header<'_>) -> Option<(Arc<Directory>, String)> {
    let is_it = |directory: &Directory, name: &str| {
        dirs::status_at(directory, name)
            .is_ok_and(|found| (found.device, found.inode) == (status.device, status.inode))
    };
    let (folder, name) = match header.kind {
        Kind::Process => (Folder::Processes, str::from_utf8(header.name).ok()?.to_owned()),
        Kind::Pipe => {
            (Folder::Pipes, ObjectName::from_pipe_parts(header.scope, header.name).ok()?.file_name())
        }
        Kind::Mailslot => {
            (Folder::Mailslots, ObjectName::from_mailslot_parts(header.scope, header.name).ok()?.file_name())
        }
        Kind::Desktop => (Folder::Windows, str::from_utf8(header.name).ok()?.to_owned()),
        _ => (Folder::Objects, ObjectName::from_parts(header.scope, header.name).ok()?.file_name()),
    };
    if let Ok(directory) = Namespace::of_process().directory(header.scope, folder)
        && is_it(&directory, &name)
    {
        return Some((directory, name));
    }
    let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    let fd = dirs::open_path(path.parent().filter(|parent| *parent != Path::new(""))?).ok()?;
    let directory = Directory::unchecked(fd, process::user());
    is_it(&directory, &name).then(|| (Arc::new(directory), name))
}

/// A slot on its way to another process.
#[derive(Debug)]
pub(crate) struct ChildHold {
    hold: Hold,
    memory: RawFd,
}

impl ChildHold {
    /// The descriptor to be inherited or sent.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.hold.file.as_fd()
    }

    /// The slot's number, for [`Hold::adopt`].
    pub(crate) fn slot(&self) -> u32 {
        self.hold.slot()
    }

    /// As [`Hold::keep_instance`], for the other process.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn keep_instance(&self, index: usize) -> Result<(), Code> {
        self.hold.keep_instance(index)
    }

    /// Says which process has it from now on. A failure means that others cannot reach the memory through
    /// that process until it adopts the slot.
    pub(crate) fn set_process(&self, process: u32) {
        // Under the lock of an open file of our own: the other process shares this one's.
        let Ok(guard) = self.hold.second() else { return };
        if let Some(seat) = self.hold.seat() {
            let _ = under_lock(guard.as_fd(), || seat.write(self.fd(), process, self.memory));
        }
    }

    /// As [`set_process`](Self::set_process), for a process that will pick the handle up when it pleases: until
    /// then the memory can be reached through this process's descriptor `kept`.
    pub(crate) fn set_process_and_keeper(&self, process: u32, kept: RawFd) {
        let Ok(guard) = self.hold.second() else { return };
        if let Some(seat) = self.hold.seat() {
            let _ = under_lock(guard.as_fd(), || seat.write_kept(self.fd(), process, kept));
        }
    }

    /// The other process has the descriptor: dropping this one gives nothing up.
    pub(crate) fn handed_over(&self) {
        self.hold.given_away.store(true, Ordering::Relaxed);
    }
}
