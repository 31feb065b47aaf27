//! memfd_create(2) and what belongs to it: size, space, seals.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use rustix::io::{Errno, Result};

use super::fault::{self, opening};
use super::fd::above_standard;
use super::signal::without_size_signal;

/// memfd_create(2): an anonymous file in memory, close-on-exec, that can be sealed.
pub fn create(name: &str) -> Result<OwnedFd> {
    make(name, MemfdFlags::empty())
}

/// memfd_create(2) whose pages may be mapped executable, where the kernel makes that a choice (since 6.3).
pub fn create_executable(name: &str) -> Result<OwnedFd> {
    match make(name, MemfdFlags::EXEC) {
        Err(Errno::INVAL) => make(name, MemfdFlags::empty()),
        result => result,
    }
}

/// memfd_create(2) over huge pages of the default size.
pub fn create_huge(name: &str) -> Result<OwnedFd> {
    make(name, MemfdFlags::HUGETLB)
}

fn make(name: &str, more: MemfdFlags) -> Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | more;
    above_standard(opening("memfd_create", || rustix::fs::memfd_create(name, flags))?)
}

/// ftruncate(2): sets the size; nothing is reserved.
pub fn set_size(fd: impl AsFd, size: u64) -> Result<()> {
    super::file::set_length(fd, size)
}

/// fallocate(2): sets the size to at least `size` and takes the space now, so that touching it later cannot fail.
pub fn reserve(fd: impl AsFd, size: u64) -> Result<()> {
    reserve_range(fd, 0, size)
}

/// The same for `length` bytes from `at` on.
pub fn reserve_range(fd: impl AsFd, at: u64, length: u64) -> Result<()> {
    without_size_signal(|| {
        loop {
            let call = || rustix::fs::fallocate(&fd, FallocateFlags::empty(), at, length);
            match fault::call("fallocate").and_then(|()| call()) {
                Err(Errno::INTR) => {}
                result => return result,
            }
        }
    })
}

/// F_ADD_SEALS: from now on nobody can shrink or grow the file, nor change its seals.
pub fn seal_size(fd: impl AsFd) -> Result<()> {
    fault::call("seal")?;
    rustix::fs::fcntl_add_seals(fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
}

/// F_GET_SEALS: whether the size can change no more.
#[must_use]
pub fn is_size_sealed(fd: BorrowedFd<'_>) -> bool {
    rustix::fs::fcntl_get_seals(fd).is_ok_and(|seals| seals.contains(SealFlags::SHRINK | SealFlags::GROW))
}

/// fstatfs(2): whether it is memory of ordinary pages. Others (huge ones) may be missing when they are touched,
/// whatever is sealed.
#[must_use]
pub fn is_ordinary(fd: BorrowedFd<'_>) -> bool {
    const TMPFS_MAGIC: u64 = 0x0102_1994;
    rustix::fs::fstatfs(fd).is_ok_and(|system| system.f_type as u64 == TMPFS_MAGIC)
}

/// FALLOC_FL_PUNCH_HOLE: gives the memory of a range back; it reads as zeroes afterwards.
pub fn give_back(fd: impl AsFd, at: u64, length: u64) -> Result<()> {
    rustix::fs::fallocate(fd, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, at, length)
}

/// F_SEAL_WRITE and the others: from now on nobody can change the file in any way, this process included.
pub fn seal_content(fd: impl AsFd) -> Result<()> {
    let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(fd, seals)
}

/// F_GET_SEALS: whether nobody can change the file any more.
#[must_use]
pub fn is_content_sealed(fd: BorrowedFd<'_>) -> bool {
    let wanted = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW;
    rustix::fs::fcntl_get_seals(fd).is_ok_and(|seals| seals.contains(wanted))
}

/// A memory file with these bytes that nobody can change any more; its identity (inode) beside it.
pub fn sealed(name: &str, bytes: &[u8]) -> Result<(OwnedFd, u64)> {
    let fd = create(name)?;
    let mut written = 0;
    while written < bytes.len() {
        let call = || rustix::io::write(&fd, &bytes[written..]);
        match fault::call("pwrite").and_then(|()| without_size_signal(call)) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => written += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    seal_content(&fd)?;
    let (_, inode, _) = super::fd::identity(&fd)?;
    Ok((fd, inode))
}
