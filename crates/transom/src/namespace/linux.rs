//! Names on Linux: one small file for each, in a folder of shared memory, and no process that looks after them.
//!
//! ```text
//! /dev/shm/transom-1000/           Local\ and names without a prefix, mode 0700
//! /dev/shm/transom/                Global\, mode 1777
//!      objects/  NAME              an entry: what the object is, and a table of holders
//!                +COOKIE           a spare file, which a process keeps for its next entry
//!                NAME+COOKIE.mem   the memory of a path-backed object
//!      process/  PID.NAMESPACE     an entry whose memory is the record of a process
//!      pipe/     NAME              an entry whose memory is the board of a named pipe
//!      mailslot/ NAME              an entry whose memory is that of a mailslot
//!      window/   desktop           an entry whose memory has the windows of this user
//! ```
//! The memory of an object is not in the entry. It is a memory file without a name, which its holders have
//! open; the entry says who they are and which number their descriptor has, and `/proc/PID/fd/NUMBER` opens
//! it. So the memory goes with its last user by the kernel's own count.
//!
//! **Alive is who holds a lock.** Each holder of a name keeps the entry open and has one byte of it locked,
//! which the kernel undoes when it dies, in whatever way. A name exists if any of those bytes is locked: one
//! system call tells. What the file says about the dead is overwritten by whoever comes next.
//!
//! **Most holders only visit**: they lock a byte whose number says who they are, and write nothing. Slots in the
//! table are for makers and for handles that travel; they are given out under the entry's `flock`, taken before
//! anything is read and followed by a look whether the file still has its name.
//!
//! **Who removes an entry has all bytes locked**, so that nobody comes to hold it meanwhile. See docs/adr/0002 and
//! docs/adr/0007.
//!
//! | module | what |
//! | --- | --- |
//! | [`root`] | the folders: made, checked, remembered |
//! | [`entry_file`] | an entry under its lock: create, open, join |
//! | [`visit`] | holding without leaving anything in the entry |
//! | [`spare`] | the file for the next entry |
//! | [`backing`] | reaching an object's memory, and checking that it is the right one |
//! | [`hold`] | what keeps a name: in this process, and on its way to another |
//! | [`list`] | who holds what; removing what the dead left |
//! | [`examine`] | what about this machine helps or hinders |

use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::entry::flags;
use transom_core::name::ObjectName;
use transom_core::security::Security;

#[path = "linux/backing.rs"]
mod backing;
#[path = "linux/entry_file.rs"]
mod entry_file;
#[path = "linux/examine.rs"]
mod examine;
#[path = "linux/hold.rs"]
mod hold;
#[path = "linux/list.rs"]
mod list;
#[path = "linux/root.rs"]
mod root;
#[path = "linux/spare.rs"]
mod spare;
#[path = "linux/visit.rs"]
mod visit;

#[cfg(test)]
#[path = "linux/tests/mod.rs"]
mod tests;

pub(crate) use examine::examine;
pub(crate) use hold::{ChildHold, Hold};
pub(crate) use list::{find, list, pipes, sweep};

use root::Namespace;

/// Which names are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folder {
    /// Events, mutexes, semaphores and sections, which share one name space (M32).
    Objects,
    /// Processes by their number.
    Processes,
    /// Named pipes.
    Pipes,
    /// Mailslots.
    Mailslots,
    /// The desktop.
    Windows,
}

impl Folder {
    /// Every folder.
    pub(crate) const ALL: [Folder; 5] =
        [Folder::Objects, Folder::Processes, Folder::Pipes, Folder::Mailslots, Folder::Windows];
}

/// What an entry tells about its object. Another process may have written it: sizes and words are to be
/// validated by whoever uses them.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    /// Bytes of a section.
    pub(crate) size: u64,
    /// `flProtect` of a section.
    pub(crate) protect: u32,
    /// Bits of [`transom_core::entry::flags`] besides the one that `backing_path` says.
    pub(crate) flags: u32,
    pub(crate) security: Security,
    /// The memory is a file of the namespace.
    pub(crate) backing_path: bool,
    pub(crate) cookie: [u8; 16],
}

/// The memory of an object, and what its entry says about it.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) fd: OwnedFd,
    pub(crate) facts: Facts,
}

/// Where the memory of a new object is to lie.
#[derive(Debug)]
pub(crate) enum Place {
    /// In a memory file that the caller makes and seals.
    Anonymous,
    /// In this file of the namespace, new and empty, open for reading and writing.
    File(OwnedFd),
}

/// Makes the memory of a new object, whose cookie it is told.
pub(crate) type Make<'a> = dyn FnMut(Place, &[u8; 16]) -> Result<Memory, Code> + 'a;

/// An object that was found or made.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Keeps the name. To be dropped before `memory` is closed: a holder whose memory is gone while its lock
    /// is not looks like one that cannot be reached. (Fields are dropped in their order.)
    pub(crate) hold: Hold,
    pub(crate) memory: Memory,
    /// It was there before (`ERROR_ALREADY_EXISTS`).
    pub(crate) existed: bool,
    /// The memory was found to be sealed: it is as long as the facts say, and stays so.
    pub(crate) is_sealed: bool,
}

/// What a caller wants.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) folder: Folder,
    pub(crate) name: &'a ObjectName,
    pub(crate) kind: Kind,
    /// Rights that must be granted, without generic ones; 0 = none.
    pub(crate) access: u32,
    /// The memory descriptor is to be one that cannot write.
    pub(crate) for_reading_only: bool,
}

impl Facts {
    /// Of an object that is no section.
    pub(crate) fn plain(kind: Kind, security: &Security, backing_path: bool, cookie: [u8; 16]) -> Facts {
        Facts { kind, size: 0, protect: 0, flags: 0, security: security.clone(), backing_path, cookie }
    }

    /// The flags as they stand in the entry.
    fn entry_flags(&self) -> u32 {
        let path = if self.backing_path { flags::PATH_BACKED } else { 0 };
        self.flags & !flags::PATH_BACKED | path
    }
}

/// Opens the object that has the name, or makes one: `make` is called only if there is none, and gets the cookie of
/// the new object.
///
/// # Errors
/// 6: the name belongs to an object of another kind. 5: it refuses the access; its memory cannot be reached;
/// the root is not safe to use. 1392: its entry is damaged, and somebody holds it. Those of `make`. 4, 8, 112:
/// the system has no room.
pub(crate) fn create(
    request: &Request<'_>,
    security: Security,
    path_backing: bool,
    make: &mut Make<'_>,
) -> Result<Opened, Code> {
    let namespace = Namespace::of_process();
    namespace.sweep_once(request.name.scope());
    namespace.create(request, &security, path_backing, false, make)
}

/// As [`create`], where making the object takes little and changes nothing else: it may be made before it is known
/// whether the name is free.
///
/// # Errors
/// As [`create`].
pub(crate) fn create_cheap(
    request: &Request<'_>,
    security: Security,
    path_backing: bool,
    make: &mut Make<'_>,
) -> Result<Opened, Code> {
    let namespace = Namespace::of_process();
    namespace.sweep_once(request.name.scope());
    namespace.create(request, &security, path_backing, true, make)
}

/// Opens the object that has the name.
///
/// # Errors
/// 2: there is none. Otherwise as [`create`].
pub(crate) fn open(request: &Request<'_>) -> Result<Opened, Code> {
    let namespace = Namespace::of_process();
    namespace.sweep_once(request.name.scope());
    namespace.open(request)
}

/// The memory of the object that has the name, and its entry, without becoming a holder: for those who must not
/// keep a name (P4). Nothing of the entry's file is locked.
///
/// # Errors
/// As [`open`].
pub(crate) fn look_up(request: &Request<'_>) -> Result<(Memory, OwnedFd), Code> {
    Namespace::of_process().look_up(request)
}

/// The folder that has the roots, where the environment names one: another one is another name space.
pub(crate) fn base() -> Option<std::path::PathBuf> {
    Namespace::of_process().base().map(std::path::Path::to_owned)
}

/// Whether there is such a folder; none is made.
pub(crate) fn has_folder(scope: transom_core::name::Scope, folder: Folder) -> bool {
    matches!(Namespace::of_process().existing_directory(scope, folder), Ok(Some(_)))
}

/// Whether somebody holds the name whose entry this is. An entry is removed when nobody does; what locks are left on
/// it then are those of forked processes that have not become another program yet.
pub(crate) fn is_held(entry: BorrowedFd<'_>) -> bool {
    let removed = transom_sys::linux::dirs::status(entry).is_ok_and(|status| status.is_removed);
    !removed && backing::is_held(entry)
}

/// Whether a holder has this byte of an entry locked. Who has all of them locked is no holder: it removes the entry.
pub(crate) fn is_kept(entry: BorrowedFd<'_>, byte: u64) -> bool {
    backing::is_kept(entry, byte)
}

/// The process ends in an orderly way: nothing of it is to stay in the folders.
pub(crate) fn end() {
    Namespace::of_process().end();
}

/// Descriptors whose locks must not live longer for the sake of a forked child.
pub(crate) fn each_descriptor(see: impl FnMut(RawFd)) {
    Namespace::of_process().each_spare(see);
}

/// Makes the record of process `pid` findable by its number, as long as the hold lives. A record that is
/// there already is that of an earlier process with this number, and is replaced.
///
/// # Errors
/// As [`create`].
pub(crate) fn create_process_entry(pid: u32, record: BorrowedFd<'_>) -> Result<Hold, Code> {
    Namespace::of_process().create_process_entry(pid, record)
}

/// The record of process `pid`, and a hold that keeps it findable also when the process has ended (R29).
///
/// # Errors
/// As [`open`].
pub(crate) fn open_process_entry(pid: u32) -> Result<(OwnedFd, Hold), Code> {
    Namespace::of_process().open_process_entry(pid)
}
