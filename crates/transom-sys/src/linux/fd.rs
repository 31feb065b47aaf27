//! Descriptors as such: flags, numbers, identity.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::fs::OFlags;
use rustix::io::{Errno, FdFlags, Result};

use super::fault::opening;

/// Moves a new descriptor above the three standard ones, which a program may have closed and which must
/// never become ours.
pub fn above_standard(fd: OwnedFd) -> Result<OwnedFd> {
    if fd.as_raw_fd() > 2 { Ok(fd) } else { rustix::io::fcntl_dupfd_cloexec(&fd, 3) }
}

/// F_DUPFD_CLOEXEC: a second descriptor of the same open file.
pub fn duplicate(fd: impl AsFd) -> Result<OwnedFd> {
    opening("dup", || rustix::io::fcntl_dupfd_cloexec(&fd, 3))
}

/// fstat(2): device, inode and size.
pub fn identity(fd: impl AsFd) -> Result<(u64, u64, u64)> {
    let stat = rustix::fs::fstat(fd)?;
    Ok((stat.st_dev, stat.st_ino, u64::try_from(stat.st_size).unwrap_or(0)))
}

/// What kind of file a descriptor refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    Regular,
    /// A pipe or FIFO.
    Pipe,
    /// A terminal or another character device.
    Character,
    /// A socket.
    Socket,
    /// Anything else.
    Other,
}

/// fstat(2): the kind of file.
pub fn file_kind(fd: impl AsFd) -> Result<FileKind> {
    let stat = rustix::fs::fstat(fd)?;
    Ok(match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
        rustix::fs::FileType::RegularFile => FileKind::Regular,
        rustix::fs::FileType::Fifo => FileKind::Pipe,
        rustix::fs::FileType::CharacterDevice => FileKind::Character,
        rustix::fs::FileType::Socket => FileKind::Socket,
        _ => FileKind::Other,
    })
}

/// F_GETFL: whether the descriptor may be read and written.
pub fn access_mode(fd: impl AsFd) -> Result<(bool, bool)> {
    let mode = rustix::fs::fcntl_getfl(fd)? & OFlags::RWMODE;
    Ok((mode != OFlags::WRONLY, mode != OFlags::RDONLY))
}

/// F_GETFL: whether O_NONBLOCK is set on the open file.
pub fn is_nonblocking(fd: impl AsFd) -> Result<bool> {
    Ok(rustix::fs::fcntl_getfl(fd)?.contains(OFlags::NONBLOCK))
}

/// F_SETFL: sets or clears O_NONBLOCK on the open file, for all who share it.
pub fn set_nonblocking(fd: impl AsFd, nonblocking: bool) -> Result<()> {
    let mut flags = rustix::fs::fcntl_getfl(&fd)?;
    flags.set(OFlags::NONBLOCK, nonblocking);
    rustix::fs::fcntl_setfl(fd, flags)
}

/// Whether `fd` is an open descriptor of this process.
#[must_use]
pub fn is_open(fd: RawFd) -> bool {
    if fd < 0 {
        return false;
    }
    // SAFETY: the descriptor is only asked for its flags, by a call that answers EBADF if it is not open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    rustix::io::fcntl_getfd(borrowed) != Err(Errno::BADF)
}

/// Takes ownership of a descriptor by number, after checking that it is open; sets close-on-exec.
///
/// # Safety
/// Nothing else in the process may own the descriptor.
pub unsafe fn adopt(fd: RawFd) -> Result<OwnedFd> {
    if !is_open(fd) {
        return Err(Errno::BADF);
    }
    // SAFETY: it is open, and the caller says that nobody else owns it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    rustix::io::fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    Ok(fd)
}

/// Borrows a standard descriptor (0, 1, 2), which nobody owns.
#[must_use]
pub fn standard(number: RawFd) -> Option<BorrowedFd<'static>> {
    if !(0..=2).contains(&number) || !is_open(number) {
        return None;
    }
    // SAFETY: the standard descriptors live as long as the process, by everybody's convention; a program
    // that closes them gets errors from calls with them, as with std::io::stdin and the like.
    Some(unsafe { BorrowedFd::borrow_raw(number) })
}

/// Whether `count` more descriptors can be opened now: EMFILE or ENFILE if not.
pub fn probe(fd: impl AsFd, count: usize) -> Result<()> {
    let copies: Result<Vec<OwnedFd>> = (0..count).map(|_| duplicate(&fd)).collect();
    copies.map(drop)
}

/// Raises the soft limit of open files to the hard one. True if there is more room now.
#[must_use]
pub fn raise_limit() -> bool {
    let mut limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    if limit.current == limit.maximum {
        return false;
    }
    limit.current = limit.maximum;
    rustix::process::setrlimit(rustix::process::Resource::Nofile, limit).is_ok()
}

/// F_SETFD: sets close-on-exec.
pub fn set_close_on_exec(fd: impl AsFd) -> Result<()> {
    rustix::io::fcntl_setfd(fd, FdFlags::CLOEXEC)
}

/// pidfd_getfd(2): a descriptor of the same open file that another process has under `number`. It needs the
/// right to trace that process.
pub fn take(pidfd: BorrowedFd<'_>, number: RawFd) -> Result<OwnedFd> {
    if number < 0 {
        // Whoever said so may have said anything.
        return Err(Errno::BADF);
    }
    let flags = rustix::process::PidfdGetfdFlags::empty();
    above_standard(opening("pidfd_getfd", || rustix::process::pidfd_getfd(pidfd, number, flags))?)
}
