//! Two kinds of lock that the kernel drops when their holder dies: flock(2) over a whole file, and locks of
//! single bytes that belong to an open file (F_OFD_SETLK).
//!
//! # Safety
//! fcntl(2) with a `struct flock` that lives on the stack for the call.
#![allow(unsafe_code)]

use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::fs::FlockOperation;
use rustix::io::{Errno, Result};

use super::fault;

/// flock(2), LOCK_EX: waits until nobody else has the file locked.
pub fn lock_file(fd: impl AsFd) -> Result<()> {
    loop {
        match fault::call("flock").and_then(|()| rustix::fs::flock(&fd, FlockOperation::LockExclusive)) {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

/// flock(2), LOCK_EX | LOCK_NB: false if somebody else has the file locked.
pub fn try_lock_file(fd: impl AsFd) -> Result<bool> {
    loop {
        let operation = FlockOperation::NonBlockingLockExclusive;
        return match fault::call("flock").and_then(|()| rustix::fs::flock(&fd, operation)) {
            Ok(()) => Ok(true),
            Err(Errno::AGAIN) => Ok(false),
            Err(Errno::INTR) => continue,
            Err(error) => Err(error),
        };
    }
}

/// flock(2), LOCK_UN.
pub fn unlock_file(fd: impl AsFd) -> Result<()> {
    rustix::fs::flock(fd, FlockOperation::Unlock)
}

/// F_OFD_SETLK, F_WRLCK: locks one byte for as long as this open file lives; false if another open file has
/// it. Locking it twice is one lock. The file must be open for writing.
pub fn lock_byte(fd: impl AsFd, at: u64) -> Result<bool> {
    granted(request(fd.as_fd(), libc::F_OFD_SETLK, libc::F_WRLCK, at, 1))
}

/// False for a lock that somebody else has.
fn granted(answer: Result<libc::flock>) -> Result<bool> {
    match answer {
        Ok(_) => Ok(true),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(false),
        Err(error) => Err(error),
    }
}

/// F_OFD_SETLK, F_RDLCK: as [`lock_byte`], for a byte that several open files may have at once; false if somebody
/// has it to himself.
pub fn share_byte(fd: impl AsFd, at: u64) -> Result<bool> {
    granted(request(fd.as_fd(), libc::F_OFD_SETLK, libc::F_RDLCK, at, 1))
}

/// F_OFD_SETLK, F_WRLCK: locks this byte and all behind it; false, and nothing changed, if another open file has
/// any of them.
pub fn lock_from(fd: impl AsFd, at: u64) -> Result<bool> {
    granted(request(fd.as_fd(), libc::F_OFD_SETLK, libc::F_WRLCK, at, 0))
}

/// F_OFD_SETLK, F_UNLCK: gives the lock of one byte up, for all who share this open file.
pub fn unlock_byte(fd: impl AsFd, at: u64) -> Result<()> {
    request(fd.as_fd(), libc::F_OFD_SETLK, libc::F_UNLCK, at, 1).map(drop)
}

/// As [`unlock_byte`], for this byte and all behind it.
pub fn unlock_from(fd: impl AsFd, at: u64) -> Result<()> {
    request(fd.as_fd(), libc::F_OFD_SETLK, libc::F_UNLCK, at, 0).map(drop)
}

/// F_OFD_GETLK: whether another open file has the byte locked.
pub fn is_byte_locked(fd: impl AsFd, at: u64) -> Result<bool> {
    is_locked(fd.as_fd(), at, 1)
}

/// F_OFD_GETLK: whether another open file has this byte or any behind it locked.
pub fn is_locked_from(fd: impl AsFd, at: u64) -> Result<bool> {
    is_locked(fd.as_fd(), at, 0)
}

fn is_locked(fd: BorrowedFd<'_>, start: u64, length: i64) -> Result<bool> {
    let found = request(fd, libc::F_OFD_GETLK, libc::F_WRLCK, start, length)?;
    Ok(libc::c_int::from(found.l_type) != libc::F_UNLCK)
}

/// F_OFD_GETLK: a range that another open file has locked and that has bytes in `range`, whichever the kernel
/// finds first. One without an end ends at `u64::MAX`.
pub fn find_locked(fd: impl AsFd, range: Range<u64>) -> Result<Option<Range<u64>>> {
    let length = i64::try_from(range.end.saturating_sub(range.start)).map_err(|_| Errno::INVAL)?;
    if length == 0 {
        return Ok(None);
    }
    let found = request(fd.as_fd(), libc::F_OFD_GETLK, libc::F_WRLCK, range.start, length)?;
    if libc::c_int::from(found.l_type) == libc::F_UNLCK {
        return Ok(None);
    }
    let start = u64::try_from(found.l_start).unwrap_or(0);
    let length = u64::try_from(found.l_len).unwrap_or(0);
    Ok(Some(start..if length == 0 { u64::MAX } else { start.saturating_add(length) }))
}

/// `length` 0 means "to the end of all files".
fn request(
    fd: BorrowedFd<'_>,
    command: libc::c_int,
    kind: libc::c_int,
    start: u64,
    length: i64,
) -> Result<libc::flock> {
    // SAFETY: an all-zero flock is valid; the fields that matter are set next, and the kernel wants l_pid 0.
    let mut request: libc::flock = unsafe { std::mem::zeroed() };
    request.l_type = kind as libc::c_short;
    request.l_whence = libc::SEEK_SET as libc::c_short;
    request.l_start = libc::off_t::try_from(start).map_err(|_| Errno::INVAL)?;
    request.l_len = libc::off_t::try_from(length).map_err(|_| Errno::INVAL)?;
    loop {
        match fault::call("lock_byte") {
            Err(Errno::INTR) => continue,
            result => result?,
        }
        // SAFETY: fcntl(2): for these commands the kernel reads the flock, and for F_OFD_GETLK writes it; it
        // lives for the whole call.
        if unsafe { libc::fcntl(fd.as_raw_fd(), command, &raw mut request) } == 0 {
            return Ok(request);
        }
        match Errno::from_io_error(&std::io::Error::last_os_error()) {
            Some(Errno::INTR) => {}
            error => return Err(error.unwrap_or(Errno::IO)),
        }
    }
}
