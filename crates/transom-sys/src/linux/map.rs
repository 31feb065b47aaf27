//! mmap(2): shared pages as memory that peers may change at any moment.

use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

use rustix::io::{Errno, Result};

use super::fault;

/// What may be done with mapped pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// PROT_READ.
    pub read: bool,
    /// PROT_WRITE.
    pub write: bool,
    /// PROT_EXEC.
    pub execute: bool,
    /// MAP_PRIVATE instead of MAP_SHARED.
    pub private: bool,
}

impl Access {
    /// Shared, for reading and writing.
    pub const READ_WRITE: Access = Access { read: true, write: true, execute: false, private: false };
    /// Shared, for reading.
    pub const READ: Access = Access { read: true, write: false, execute: false, private: false };

    fn protection(self) -> libc::c_int {
        let mut bits = libc::PROT_NONE;
        if self.read {
            bits |= libc::PROT_READ;
        }
        if self.write {
            bits |= libc::PROT_WRITE;
        }
        if self.execute {
            bits |= libc::PROT_EXEC;
        }
        bits
    }

    fn sharing(self) -> libc::c_int {
        if self.private { libc::MAP_PRIVATE } else { libc::MAP_SHARED }
    }
}

fn errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// mmap(2) of a file with MAP_FIXED_NOREPLACE: exactly at `base`, or EEXIST if anything is mapped there.
pub fn map_at(base: usize, length: usize, access: Access, fd: impl AsFd, offset: u64) -> Result<usize> {
    let offset = libc::off_t::try_from(offset).map_err(|_| Errno::INVAL)?;
    fault::call("mmap")?;
    // SAFETY: NOREPLACE makes the kernel refuse a range in which anything is mapped, so no memory in use
    // changes; the new mapping is not referenced by anything yet.
    let address = unsafe {
        libc::mmap(
            base as *mut libc::c_void,
            length,
            access.protection(),
            access.sharing() | libc::MAP_FIXED_NOREPLACE,
            fd.as_fd().as_raw_fd(),
            offset,
        )
    };
    if address == libc::MAP_FAILED {
        return Err(errno());
    }
    if address as usize != base {
        // A kernel before 4.17 takes the flag for a hint.
        // SAFETY: this is the mapping just made, which nobody has seen.
        unsafe { libc::munmap(address, length) };
        return Err(Errno::EXIST);
    }
    Ok(base)
}

/// mmap(2) of a file at an address that is a multiple of `alignment` (a power of two, at least a page).
pub fn map_aligned(
    length: usize,
    alignment: usize,
    access: Access,
    fd: impl AsFd,
    offset: u64,
) -> Result<usize> {
    let room = length.checked_add(alignment).ok_or(Errno::NOMEM)?;
    let offset = libc::off_t::try_from(offset).map_err(|_| Errno::INVAL)?;
    fault::call("mmap")?;
    // SAFETY: a new anonymous mapping without access, anywhere.
    let reserved = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            room,
            libc::PROT_NONE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if reserved == libc::MAP_FAILED {
        return Err(errno());
    }
    let start = reserved as usize;
    let base = start.next_multiple_of(alignment);
    // SAFETY: [base, base + length) lies within the reservation made above, which nobody else knows.
    let address = unsafe {
        libc::mmap(
            base as *mut libc::c_void,
            length,
            access.protection(),
            access.sharing() | libc::MAP_FIXED,
            fd.as_fd().as_raw_fd(),
            offset,
        )
    };
    let error = if address == libc::MAP_FAILED { Some(errno()) } else { None };
    let pages = length.next_multiple_of(4096);
    // SAFETY: these are the parts of the reservation around the mapping, or all of it after a failure.
    unsafe {
        if error.is_some() {
            libc::munmap(reserved, room);
        } else {
            if base > start {
                libc::munmap(reserved, base - start);
            }
            let end = base + pages;
            let room_end = start + room.next_multiple_of(4096);
            if room_end > end {
                libc::munmap(end as *mut libc::c_void, room_end - end);
            }
        }
    }
    error.map_or(Ok(base), Err)
}

/// munmap(2).
///
/// # Safety
/// The range is a mapping of the caller's that nothing refers to any more.
pub unsafe fn unmap(base: usize, length: usize) {
    // SAFETY: passed on to the caller. The call fails only for ranges that are no mapping.
    unsafe { libc::munmap(base as *mut libc::c_void, length) };
}

/// msync(2) with MS_ASYNC and, for a file, sync_file_range(2): starts writing back dirty pages and does not wait.
pub fn start_write_back(base: usize, length: usize, fd: impl AsFd, offset: u64) -> Result<()> {
    // SAFETY: msync reads no memory of ours and changes none; a range that is not mapped gives ENOMEM.
    if unsafe { libc::msync(base as *mut libc::c_void, length, libc::MS_ASYNC) } != 0 {
        return Err(errno());
    }
    let (Ok(from), Ok(bytes)) = (libc::off64_t::try_from(offset), libc::off64_t::try_from(length)) else {
        return Err(Errno::INVAL);
    };
    // SAFETY: the call takes no pointers.
    let result =
        unsafe { libc::sync_file_range(fd.as_fd().as_raw_fd(), from, bytes, libc::SYNC_FILE_RANGE_WRITE) };
    match (result, errno()) {
        (0, _) => Ok(()),
        // Not every file system has it; the pages are marked dirty and will be written in any case.
        (_, Errno::SPIPE | Errno::INVAL | Errno::NOSYS) => Ok(()),
        (_, error) => Err(error),
    }
}

/// Replaces the pages of `[start, end)` by anonymous ones of zeroes, from a signal handler (mmap is a bare
/// system call).
///
/// # Safety
/// They are pages of a mapping of the caller's, and losing its connection to the file is wanted.
pub unsafe fn replace_with_zeroes(start: usize, end: usize, write: bool) -> bool {
    let protection = if write { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
    let replace = |length: usize| {
        // SAFETY: the caller owns the pages and wants their content replaced.
        let address = unsafe {
            libc::mmap(
                start as *mut libc::c_void,
                length,
                protection,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        address != libc::MAP_FAILED
    };
    // One page alone where so much private memory at once is not allowed.
    replace(end.saturating_sub(start)) || replace(4096)
}

/// Pages shared with other processes, with a private page behind them if wanted. Unmapped when dropped.
///
/// The content may change at any moment, so it is reached only by atomics and by copying bytes one by one
/// through volatile accesses; no reference to plain data ever points into it.
#[derive(Debug)]
pub struct SharedPages {
    base: NonNull<u8>,
    shared: NonZeroUsize,
    total: usize,
    writable: bool,
}

// SAFETY: the pages are reached through atomics and volatile copies only, which any thread may do.
unsafe impl Send for SharedPages {}
// SAFETY: as above.
unsafe impl Sync for SharedPages {}

impl SharedPages {
    /// Maps the first `length` bytes (whole pages) of `fd` for reading and writing.
    pub fn map(fd: impl AsFd, length: usize) -> Result<SharedPages> {
        SharedPages::new(fd, 0, length, 0)
    }

    /// As [`SharedPages::map`], with one private zeroed page behind the shared ones.
    pub fn map_with_private_page(fd: impl AsFd, length: usize) -> Result<SharedPages> {
        SharedPages::new(fd, 0, length, 4096)
    }

    /// As [`SharedPages::map_with_private_page`], for the part of `fd` that begins at `offset`, a multiple of a page.
    pub fn map_part_with_private_page(fd: impl AsFd, offset: u64, length: usize) -> Result<SharedPages> {
        SharedPages::new(fd, offset, length, 4096)
    }

    fn new(fd: impl AsFd, offset: u64, length: usize, private: usize) -> Result<SharedPages> {
        let shared = NonZeroUsize::new(length).ok_or(Errno::INVAL)?;
        let total = length.checked_add(private).ok_or(Errno::NOMEM)?;
        let fd = fd.as_fd().as_raw_fd();
        let offset = libc::off_t::try_from(offset).map_err(|_| Errno::INVAL)?;
        fault::call("mmap")?;
        // SAFETY: a new mapping anywhere; where a private page is wanted the anonymous mapping is made
        // first and its front replaced, which is memory nobody else knows.
        let base = unsafe {
            if private == 0 {
                libc::mmap(
                    std::ptr::null_mut(),
                    length,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_SHARED,
                    fd,
                    offset,
                )
            } else {
                let room = libc::mmap(
                    std::ptr::null_mut(),
                    total,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                );
                if room == libc::MAP_FAILED {
                    return Err(errno());
                }
                let front = libc::mmap(
                    room,
                    length,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_SHARED | libc::MAP_FIXED,
                    fd,
                    offset,
                );
                if front == libc::MAP_FAILED {
                    let error = errno();
                    libc::munmap(room, total);
                    return Err(error);
                }
                room
            }
        };
        if base == libc::MAP_FAILED {
            return Err(errno());
        }
        let base = NonNull::new(base.cast::<u8>()).ok_or(Errno::FAULT)?;
        Ok(SharedPages { base, shared, total, writable: true })
    }

    /// Address of the first byte.
    #[must_use]
    #[inline]
    pub fn address(&self) -> usize {
        self.base.as_ptr() as usize
    }

    /// Bytes of the shared part.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.shared.get()
    }

    /// Never: a mapping has at least a page.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// madvise(2), MADV_POPULATE_WRITE (Linux 5.14): `length` bytes from `offset` on, whole pages, can be written without
    /// a fault for each of them from now on.
    pub fn populate(&self, offset: usize, length: usize) -> Result<()> {
        if !self.writable || offset.checked_add(length).is_none_or(|end| end > self.len()) {
            return Err(Errno::INVAL);
        }
        // SAFETY: the range lies in the mapping; its pages keep what is in them.
        match unsafe {
            libc::madvise(self.base.as_ptr().add(offset).cast(), length, libc::MADV_POPULATE_WRITE)
        } {
            0 => Ok(()),
            _ => Err(errno()),
        }
    }

    #[inline]
    fn check(&self, offset: usize, size: usize) -> *mut u8 {
        let inside = offset.checked_add(size).is_some_and(|end| end <= self.len());
        if !(self.writable && offset.is_multiple_of(size) && inside) {
            outside(offset);
        }
        // SAFETY: offset + size lies within the mapping, as just checked.
        unsafe { self.base.as_ptr().add(offset) }
    }

    /// The 32-bit word at `offset`, a multiple of 4 within the pages (a constant of the layout: anything else panics).
    #[must_use]
    #[inline]
    pub fn u32(&self, offset: usize) -> &AtomicU32 {
        // SAFETY: aligned and inside the mapping, which lives as long as the borrow; other processes change
        // the word by atomic operations, or, if they are hostile, in ways that an atomic load survives.
        unsafe { AtomicU32::from_ptr(self.check(offset, 4).cast()) }
    }

    /// The 64-bit word at `offset`, a multiple of 8 within the pages.
    #[must_use]
    #[inline]
    pub fn u64(&self, offset: usize) -> &AtomicU64 {
        // SAFETY: as in `u32`.
        unsafe { AtomicU64::from_ptr(self.check(offset, 8).cast()) }
    }

    /// Copies bytes out. A range outside the pages gives false and leaves the buffer alone.
    #[must_use]
    pub fn read(&self, offset: usize, buffer: &mut [u8]) -> bool {
        if offset.checked_add(buffer.len()).is_none_or(|end| end > self.len()) {
            return false;
        }
        for (index, byte) in buffer.iter_mut().enumerate() {
            // SAFETY: inside the mapping; a volatile read of a byte is one load whatever a peer does.
            *byte = unsafe { self.base.as_ptr().add(offset + index).read_volatile() };
        }
        true
    }

    /// Copies bytes in. A range outside the pages gives false.
    #[must_use]
    pub fn write(&self, offset: usize, bytes: &[u8]) -> bool {
        if offset.checked_add(bytes.len()).is_none_or(|end| end > self.len()) {
            return false;
        }
        for (index, byte) in bytes.iter().enumerate() {
            // SAFETY: inside the mapping; a volatile write of a byte is one store.
            unsafe { self.base.as_ptr().add(offset + index).write_volatile(*byte) };
        }
        true
    }
}

#[cold]
fn outside(offset: usize) -> ! {
    panic!("offset {offset} lies in the pages and is aligned")
}

impl Drop for SharedPages {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and all borrows of it have ended.
        unsafe { unmap(self.address(), self.total) };
    }
}

/// A file's bytes as this process's own: changes stay here (MAP_PRIVATE).
#[derive(Debug)]
pub struct PrivateCopy {
    base: NonNull<u8>,
    length: NonZeroUsize,
}

// SAFETY: memory of this process alone, freed by the one owner.
unsafe impl Send for PrivateCopy {}

impl PrivateCopy {
    /// Maps the first `length` bytes of `fd`.
    pub fn map(fd: impl AsFd, length: usize) -> Result<PrivateCopy> {
        let length = NonZeroUsize::new(length).ok_or(Errno::INVAL)?;
        fault::call("mmap")?;
        // SAFETY: a new mapping anywhere; nobody else knows it.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length.get(),
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE,
                fd.as_fd().as_raw_fd(),
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(errno());
        }
        let base = NonNull::new(base.cast::<u8>()).ok_or(Errno::FAULT)?;
        Ok(PrivateCopy { base, length })
    }

    /// Address of the first byte.
    #[must_use]
    pub fn address(&self) -> usize {
        self.base.as_ptr() as usize
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `map`, which nobody uses any more.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.length.get()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::memfd;

    /// The file was a hole; what was populated has memory, and nothing else.
    #[test]
    fn populated_pages_are_there() {
        let file = memfd::create("transom-sys-test").expect("a memory file");
        memfd::set_size(&file, 16 * 4096).expect("a size");
        let pages = SharedPages::map(&file, 16 * 4096).expect("a mapping");
        let blocks = || rustix::fs::fstat(&file).expect("a file").st_blocks;
        assert_eq!(blocks(), 0);
        match pages.populate(4096, 2 * 4096) {
            Ok(()) => assert_eq!(blocks(), 2 * 8),
            // Before Linux 5.14.
            Err(error) => assert_eq!((error, blocks()), (Errno::INVAL, 0)),
        }
        assert_eq!(pages.populate(4096, 16 * 4096), Err(Errno::INVAL), "beyond the end");
    }
}
