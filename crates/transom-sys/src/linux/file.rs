//! Disk files: length, locks that say "mapped", memory limits.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use rustix::io::{Errno, Result};

use super::fault;
use super::signal::without_size_signal;

/// Byte ranges from here on mean "this much of the file is mapped"; no file is that long.
const MAPPED: u64 = 1 << 62;

fn lock(
    fd: BorrowedFd<'_>,
    command: libc::c_int,
    kind: libc::c_int,
    start: u64,
    length: u64,
) -> Result<libc::flock> {
    // SAFETY: an all-zero flock is valid; the fields that matter are set next.
    let mut request: libc::flock = unsafe { std::mem::zeroed() };
    request.l_type = kind as libc::c_short;
    request.l_whence = libc::SEEK_SET as libc::c_short;
    request.l_start = libc::off_t::try_from(start).map_err(|_| Errno::INVAL)?;
    request.l_len = libc::off_t::try_from(length).map_err(|_| Errno::INVAL)?;
    // SAFETY: the kernel reads the request and, for F_OFD_GETLK, writes it.
    if unsafe { libc::fcntl(fd.as_raw_fd(), command, &raw mut request) } == 0 {
        Ok(request)
    } else {
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
    }
}

/// F_OFD_SETLK: says for as long as this open file lives that `size` bytes of it are mapped. The file must be
/// open for reading. Who cuts files short asks [`mapped_beyond`].
pub fn mark_mapped(fd: impl AsFd, size: u64) -> Result<()> {
    lock(fd.as_fd(), libc::F_OFD_SETLK, libc::F_RDLCK, MAPPED, size.clamp(1, MAPPED - 1)).map(drop)
}

/// F_OFD_GETLK: whether somebody has more than `size` bytes of the file mapped.
pub fn mapped_beyond(fd: impl AsFd, size: u64) -> Result<bool> {
    let start = MAPPED.checked_add(size).ok_or(Errno::INVAL)?;
    lock(fd.as_fd(), libc::F_OFD_GETLK, libc::F_WRLCK, start, 0)
        .map(|found| found.l_type != libc::F_UNLCK as libc::c_short)
}

/// ftruncate(2).
pub fn set_length(fd: impl AsFd, length: u64) -> Result<()> {
    without_size_signal(|| {
        loop {
            match fault::call("ftruncate").and_then(|()| rustix::fs::ftruncate(&fd, length)) {
                Err(Errno::INTR) => {}
                result => return result,
            }
        }
    })
}

/// fallocate(2) of the part that is to be added: lengthens the file and takes the space. Falls back to
/// ftruncate(2) where the file system cannot reserve.
pub fn grow(fd: impl AsFd, from: u64, to: u64) -> Result<()> {
    let flags = rustix::fs::FallocateFlags::empty();
    let grown = without_size_signal(|| {
        loop {
            match fault::call("fallocate").and_then(|()| rustix::fs::fallocate(&fd, flags, from, to - from)) {
                Err(Errno::INTR) => {}
                result => return result,
            }
        }
    });
    match grown {
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => set_length(fd, to),
        result => result,
    }
}

/// RLIMIT_FSIZE in bytes, if there is one: a file that would pass it must not be tried, since the kernel
/// sends SIGXFSZ.
#[must_use]
pub fn size_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Fsize).current
}

/// RLIMIT_AS in bytes, if there is one.
#[must_use]
pub fn address_space_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

/// sysinfo(2): bytes of memory and swap that are free or hold only caches, roughly.
#[must_use]
pub fn free_memory() -> u64 {
    let info = rustix::system::sysinfo();
    let unit = u64::from(info.mem_unit.max(1));
    (info.freeram as u64 + info.bufferram as u64 + info.freeswap as u64).saturating_mul(unit)
}
