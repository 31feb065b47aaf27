//! Reaching the memory of an object: through `/proc` in a process that holds it, or, if the object is
//! path-backed, as a file beside its entry. Whatever is opened must be the file that the entry names by
//! device and inode, and anonymous memory must be sealed: then its size cannot change under anybody.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use transom_core::access::{Kind, SECTION_MAP_WRITE};
use transom_core::code::Code;
use transom_core::entry::{Entry, Header, Holder, LOCKS, MAX_SLOTS, VISITORS, VISITORS_END, Visitor, flags};
use transom_sys::linux::dirs;
use transom_sys::linux::{Errno, fd, host, lock, memfd, procfs};

use super::hold::Way;
use super::root::{Directory, Own, own};
use super::spare::Spare;
use crate::engine::errno::{code, to_code};

/// Ends the name of a file that is memory. With the `+` before the cookie, which no entry's name holds, the
/// two cannot be confused.
const SUFFIX: &str = ".mem";

/// How far one got.
#[derive(Debug)]
pub(super) enum Reach {
    Memory(OwnedFd),
    /// Every holder is a process that has begun to end.
    Nobody,
    /// Somebody is just giving the name up.
    Leaving,
    /// Somebody holds the name, but nobody whose memory this process can open.
    Hidden,
}

/// The file beside the entry `file`.
pub(super) fn memory_name(file: &str, cookie: &[u8; 16]) -> String {
    let cookie = u128::from_be_bytes(*cookie);
    format!("{file}+{cookie:032x}{SUFFIX}")
}

/// The memory's file, if the entry's object is path-backed.
pub(super) fn memory_of(file: &str, entry: &Entry<'_>) -> Option<String> {
    let path = entry.header.flags & flags::PATH_BACKED != 0;
    path.then(|| memory_name(file, &entry.header.cookie))
}

/// The entry's file name that a memory's file belongs to; `None` if the name is that of an entry.
pub(super) fn entry_of(memory: &str) -> Option<&str> {
    let (entry, rest) = memory.split_once('+')?;
    rest.ends_with(SUFFIX).then_some(entry)
}

/// Whether a file is an entry: neither memory nor spare.
pub(super) fn is_entry(file: &str) -> bool {
    !file.contains(Spare::MARK)
}

/// The mode of a memory's file. A class that may only read a section cannot write its memory, whatever it
/// does; a synchronisation object is written by everybody who uses it.
pub(super) fn memory_mode(kind: Kind, words: [u32; 4]) -> u32 {
    let bits = |rights: u32| match kind {
        _ if rights == 0 => 0,
        Kind::Mapping if rights & SECTION_MAP_WRITE == 0 => 0o4,
        _ => 0o6,
    };
    0o600 | bits(words[1]) << 3 | bits(words[2])
}

/// A new, empty file for the memory of an object.
pub(super) fn create_file(
    directory: &Directory,
    name: &str,
    mode: u32,
    group: Option<u32>,
) -> Result<OwnedFd, Code> {
    let file = to_code(dirs::create_file(directory, name, mode))?;
    let finish = || {
        if let Some(group) = group {
            dirs::set_group(&file, group).map_err(|_| Code::INVALID_PRIMARY_GROUP)?;
        }
        // The umask may have taken bits away.
        to_code(dirs::set_mode(&file, mode))
    };
    match finish() {
        Ok(()) => Ok(file),
        Err(code) => {
            let _ = dirs::remove_file(directory, name);
            Err(code)
        }
    }
}

/// Opens the memory of an object.
pub(super) fn reach(
    directory: &Directory,
    file: &str,
    entry: &Entry<'_>,
    locks: BorrowedFd<'_>,
    write: bool,
) -> Result<Reach, Code> {
    if let Some(name) = memory_of(file, entry)
        && let Some(memory) = open_file(directory, &name, &entry.header, write)?
    {
        return Ok(Reach::Memory(memory));
    }
    let own = own();
    let mut silent = Silent::default();
    for (index, holder) in entry.holders() {
        let byte = LOCKS + index as u64;
        if holder == Holder::LEAVING {
            silent.see(locks, byte, true)?;
        } else if holder.namespace == own.namespace && own.namespace != 0 && holder.process != 0 {
            if let Some(memory) = open_of(&holder, own, &entry.header, write)? {
                return Ok(Reach::Memory(memory));
            }
            // Duplicated into a process that has not looked at it yet: whoever sent it has the memory too.
            let (process, descriptor) = holder.kept;
            if process != 0
                && let Some(memory) =
                    open_of(&Holder { process, descriptor, ..holder }, own, &entry.header, write)?
            {
                return Ok(Reach::Memory(memory));
            }
            if !is_ending(holder.process) {
                silent.see(locks, byte, false)?;
            }
        } else {
            silent.see(locks, byte, false)?;
        }
    }
    for visitor in visitors(locks)? {
        let Visitor { process, descriptor, namespace } = visitor;
        let holder = Holder { process, descriptor, namespace: own.namespace, access: 0, kept: (0, 0) };
        if own.namespace == 0 || namespace != Visitor::short(own.namespace) {
            silent.see(locks, visitor.byte(), false)?;
        } else if let Some(memory) = open_of(&holder, own, &entry.header, write)? {
            return Ok(Reach::Memory(memory));
        } else if !is_ending(process) {
            silent.see(locks, visitor.byte(), false)?;
        }
    }
    if silent.holds {
        return Ok(Reach::Hidden);
    }
    if silent.leaves {
        return Ok(Reach::Leaving);
    }
    // Locks without a legible slot: somebody has damaged the table.
    for (index, holder) in entry.slots().enumerate() {
        if holder.is_none() {
            match lock_of(locks, LOCKS + index as u64)? {
                Lock::None => {}
                Lock::Holder => return Err(Code::FILE_CORRUPT),
                Lock::Claim => return Ok(Reach::Leaving),
            }
        }
    }
    Ok(Reach::Nobody)
}

/// The memory of the first holder in this PID namespace whose slot leads to it, with the slot's number; `None` if
/// none does.
pub(super) fn visit(entry: &Entry<'_>, write: bool, way: &mut Way) -> Result<Option<(usize, OwnedFd)>, Code> {
    let own = own();
    for (index, holder) in entry.holders() {
        if holder.namespace != own.namespace || own.namespace == 0 || holder.process == 0 {
            continue;
        }
        if let Some(memory) = fetch(&holder, &entry.header, write, way)? {
            return Ok(Some((index, memory)));
        }
        if let Some(memory) = open_of(&holder, own, &entry.header, write)? {
            if !matches!(way, Way::Open(process, _) if *process == holder.process)
                && !matches!(way, Way::Refused)
            {
                *way = Way::Unknown(holder.process);
            }
            return Ok(Some((index, memory)));
        }
    }
    Ok(None)
}

/// The memory that a holder has open, by the way that was found to it: a descriptor of the same open file, which
/// for sealed memory is as good as one of its own. The way was found when this very memory was last opened, so it
/// is known to be sealed, which cannot be undone.
fn fetch(holder: &Holder, header: &Header<'_>, write: bool, way: &mut Way) -> Result<Option<OwnedFd>, Code> {
    let Way::Open(process, pidfd) = way else { return Ok(None) };
    if *process != holder.process || !write {
        return Ok(None);
    }
    let fetched = fd::take(pidfd.as_fd(), holder.descriptor);
    if let Err(Errno::PERM | Errno::NOSYS) = fetched {
        *way = Way::Refused;
    }
    accept(fetched, |memory| {
        let (device, inode, length) = to_code(fd::identity(memory))?;
        Ok((device, inode) == (header.device, header.inode) && length >= header.size)
    })
}

/// The holders that say with their byte alone who they are.
pub(super) fn visitors(locks: BorrowedFd<'_>) -> Result<Vec<Visitor>, Code> {
    let mut found = Vec::new();
    let mut ranges = Vec::from_iter(std::iter::once(VISITORS..VISITORS_END));
    while let Some(range) = ranges.pop() {
        // As many as a table may have slots: whoever locks more is not a holder but a nuisance.
        if found.len() >= MAX_SLOTS {
            break;
        }
        let Some(locked) = to_code(lock::find_locked(locks, range.clone()))? else { continue };
        if locked.end - locked.start == 1 {
            found.extend(Visitor::of_byte(locked.start));
        }
        ranges.push(range.start..locked.start.max(range.start));
        ranges.push(locked.end.min(range.end)..range.end);
    }
    Ok(found)
}

/// How a byte is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    None,
    Holder,
    /// With all others, by somebody who is just removing the entry or has just filled it.
    Claim,
}

fn lock_of(locks: BorrowedFd<'_>, byte: u64) -> Result<Lock, Code> {
    Ok(match to_code(lock::find_locked(locks, byte..byte + 1))? {
        None => Lock::None,
        Some(range) if range.end == u64::MAX => Lock::Claim,
        Some(_) => Lock::Holder,
    })
}

/// Whether a process holds the name: by a slot's byte or as a visitor. Other bytes are what holders lock beside
/// that. Where the system does not answer, one does.
pub(super) fn is_held(locks: BorrowedFd<'_>) -> bool {
    let ranges = [LOCKS..LOCKS + MAX_SLOTS as u64, VISITORS..VISITORS_END];
    ranges.into_iter().any(|range| match lock::find_locked(locks, range) {
        Ok(None) => false,
        // All bytes are those of who is removing the entry.
        Ok(Some(found)) => found.end != u64::MAX,
        Err(_) => true,
    })
}

/// Whether a holder has the byte locked, by itself or with others.
pub(super) fn is_kept(locks: BorrowedFd<'_>, byte: u64) -> bool {
    lock_of(locks, byte).map_or(true, |lock| lock == Lock::Holder)
}

/// What the locks of holders say whose memory does not answer.
#[derive(Debug, Default)]
struct Silent {
    /// Somebody holds the name.
    holds: bool,
    /// Somebody is leaving.
    leaves: bool,
}

impl Silent {
    fn see(&mut self, locks: BorrowedFd<'_>, byte: u64, is_leaving: bool) -> Result<(), Code> {
        match lock_of(locks, byte)? {
            Lock::None => {}
            Lock::Holder if !is_leaving => self.holds = true,
            Lock::Holder | Lock::Claim => self.leaves = true,
        }
        Ok(())
    }
}

/// Whether no thread of a process runs any more: its locks are about to go. A process of another user that
/// /proc hides is not taken for one that has ended.
fn is_ending(process: u32) -> bool {
    let threads = host::threads(process);
    if threads.is_empty() {
        return !host::exists(process);
    }
    threads.into_iter().all(|thread| host::is_thread_ending(process, thread))
}

/// Path-backed memory; `None` if there is no file that is it.
fn open_file(
    directory: &Directory,
    name: &str,
    header: &Header<'_>,
    write: bool,
) -> Result<Option<OwnedFd>, Code> {
    let opened = with_fallback(header.kind, write, |write| dirs::open_file(directory, name, write));
    accept(opened, |memory| {
        let status = to_code(dirs::status(memory))?;
        Ok(status.is_file && (status.device, status.inode) == (header.device, header.inode))
    })
}

/// The memory that a holder in this PID namespace has open; `None` if it cannot be opened or is another file.
fn open_of(holder: &Holder, own: Own, header: &Header<'_>, write: bool) -> Result<Option<OwnedFd>, Code> {
    let disk_file = header.flags & flags::OVER_FILE != 0;
    let number = holder.descriptor;
    // Our own memory needs no way through /proc; but a disk file carries locks that belong to one opening.
    let opened = if holder.process == own.process && write && !disk_file {
        host::duplicate_number(number)
    } else {
        with_fallback(header.kind, write, |write| open_number(holder.process, number, write))
    };
    accept(opened, |memory| is_memory(memory, header))
}

/// Whether a file is the memory that an entry names, and as it has to be.
fn is_memory(memory: BorrowedFd<'_>, header: &Header<'_>) -> Result<bool, Code> {
    let (device, inode, length) = to_code(fd::identity(memory))?;
    let is_it = (device, inode) == (header.device, header.inode);
    let may_change = header.flags & (flags::PATH_BACKED | flags::OVER_FILE) != 0;
    // A section that is longer than its memory would end in a SIGBUS; whoever wrote that is no friend.
    let is_whole = || length >= header.size && memfd::is_size_sealed(memory);
    Ok(is_it && (may_change || is_whole()))
}

/// A section that may not be written can still be read.
fn with_fallback(
    kind: Kind,
    write: bool,
    open: impl Fn(bool) -> Result<OwnedFd, Errno>,
) -> Result<OwnedFd, Errno> {
    match open(write) {
        Err(Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::TXTBSY) if write && kind == Kind::Mapping => {
            open(false)
        }
        result => result,
    }
}

fn open_number(process: u32, number: i32, write: bool) -> Result<OwnedFd, Errno> {
    let result = procfs::open_descriptor(process, number, true, write);
    if !matches!(result, Err(Errno::NOENT)) {
        return result;
    }
    for thread in host::threads(process).into_iter().filter(|&thread| thread != process) {
        if let Ok(memory) = host::open_descriptor_of_thread(process, thread, number, write) {
            return Ok(memory);
        }
    }
    result
}

/// Keeps what was opened if `is_it`. Only a lack of descriptors or memory is an error: everything else may be
/// different for the next holder.
fn accept(
    opened: Result<OwnedFd, Errno>,
    is_it: impl FnOnce(BorrowedFd<'_>) -> Result<bool, Code>,
) -> Result<Option<OwnedFd>, Code> {
    match opened {
        Ok(memory) => Ok(if is_it(memory.as_fd())? { Some(memory) } else { None }),
        Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => Err(code(error)),
        Err(_) => Ok(None),
    }
}
