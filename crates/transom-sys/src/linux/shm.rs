//! shm_open(3) and shm_unlink(3), which are files of /dev/shm, and memcpy(3) into shared pages.
//!
//! Nothing of the library is built on them: they are what other ways of sharing memory are made of, and
//! what the benchmarks hold against this one.

use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, Result};

use super::map::SharedPages;

fn path(name: &str) -> Result<String> {
    // As shm_open(3): one part of a path, which is neither empty nor a way out.
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(Errno::INVAL);
    }
    Ok(format!("/dev/shm/{name}"))
}

/// shm_open(3) with `O_CREAT | O_EXCL | O_RDWR`, for this user only.
pub fn create(name: &str) -> Result<OwnedFd> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(path(name)?, flags, Mode::RUSR | Mode::WUSR)
}

/// shm_open(3) with `O_RDWR`.
pub fn open(name: &str) -> Result<OwnedFd> {
    rustix::fs::open(path(name)?, OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// shm_unlink(3).
pub fn unlink(name: &str) -> Result<()> {
    rustix::fs::unlink(path(name)?)
}

fn inside(pages: &SharedPages, offset: usize, length: usize) -> bool {
    offset.checked_add(length).is_some_and(|end| end <= pages.len())
}

/// memcpy(3) into shared pages. A range outside the pages gives false and copies nothing.
#[must_use]
pub fn copy_in(pages: &SharedPages, offset: usize, bytes: &[u8]) -> bool {
    if !inside(pages, offset, bytes.len()) {
        return false;
    }
    // SAFETY: the range lies in the mapping, which lives as long as the borrow and which no reference
    // points into. The copy is a call into C, so what a peer writes meanwhile is between it and the machine.
    unsafe {
        libc::memcpy((pages.address() + offset) as *mut libc::c_void, bytes.as_ptr().cast(), bytes.len());
    }
    true
}

/// memcpy(3) out of shared pages. A range outside the pages gives false and leaves the buffer alone.
#[must_use]
pub fn copy_out(pages: &SharedPages, offset: usize, buffer: &mut [u8]) -> bool {
    if !inside(pages, offset, buffer.len()) {
        return false;
    }
    // SAFETY: as in `copy_in`, with the roles exchanged; the buffer is this thread's own.
    unsafe {
        libc::memcpy(
            buffer.as_mut_ptr().cast(),
            (pages.address() + offset) as *const libc::c_void,
            buffer.len(),
        );
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linux::memfd;

    #[test]
    fn a_name_is_one_part_of_a_path() {
        for name in ["", ".", "..", "a/b", "/a"] {
            assert_eq!(open(name).err(), Some(Errno::INVAL), "{name}");
        }
    }

    #[test]
    fn a_name_exists_from_creating_to_unlinking() {
        let name = format!("transom-sys-test-{}", std::process::id());
        let _file = create(&name).expect("a new file");
        assert_eq!(create(&name).err(), Some(Errno::EXIST));
        assert!(open(&name).is_ok());
        unlink(&name).expect("the file is there");
        assert_eq!(open(&name).err(), Some(Errno::NOENT));
    }

    #[test]
    fn copies_stay_inside_the_pages() {
        let file = memfd::create("transom-sys-test").expect("a memory file");
        memfd::set_size(&file, 4096).expect("a page");
        let pages = SharedPages::map(&file, 4096).expect("a mapping");
        assert!(copy_in(&pages, 4092, b"abcd"));
        assert!(!copy_in(&pages, 4093, b"wxyz"));
        let mut bytes = [0; 4];
        assert!(copy_out(&pages, 4092, &mut bytes));
        assert_eq!(&bytes, b"abcd");
        assert!(!copy_out(&pages, usize::MAX, &mut bytes));
        assert_eq!(&bytes, b"abcd");
    }
}
