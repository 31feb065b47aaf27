//! The memory of a file mapping: a sealed memory file, a file of the namespace, or a disk file.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use transom_core::code::Code;
use transom_core::mapping::{self as rules, Protection, SectionFlags, ViewAccess};
use transom_sys::linux::{Errno, fd, file, map, memfd, procfs};

use super::errno::{code, to_code, with_room};
use super::views::{self, Intact, Plan};

/// A section as this process has it.
#[derive(Debug)]
pub(crate) struct Section {
    file: Arc<OwnedFd>,
    size: u64,
    protect: u32,
    protection: Protection,
    /// Over a disk file, so that `FlushViewOfFile` has work to do.
    over_file: bool,
    /// A peer may cut the memory short: a disk file, or path-backed memory.
    breakable: bool,
}

/// Bit of [`Slot::bits`](transom_core::record::Slot): the memory is a file of the namespace.
pub(crate) const PATH_BACKED: u32 = 1;
/// Bit of [`Slot::bits`](transom_core::record::Slot): the section is over a disk file.
pub(crate) const OVER_FILE: u32 = 2;

/// Sections from this size on are checked against the memory that is left before it is taken: taking it
/// would otherwise make the kernel kill somebody.
pub(crate) const CHECKED_FROM: u64 = 1 << 20;

impl Section {
    /// The section of a descriptor that `protect` and `bits` describe; the protection word is validated again,
    /// since it may come from another process.
    pub(crate) fn new(file: OwnedFd, size: u64, protect: u32, bits: u32) -> Result<Section, Code> {
        // The word first: what is wrong with it does not depend on what the descriptor is.
        rules::decode(protect, bits & OVER_FILE != 0)?;
        if fd::file_kind(&file) != Ok(fd::FileKind::Regular) {
            return Err(Code::INVALID_HANDLE);
        }
        let breakable = !memfd::is_size_sealed(file.as_fd());
        if !breakable {
            let (_, _, length) = to_code(fd::identity(&file))?;
            if length < size {
                return Err(Code::FILE_CORRUPT);
            }
        }
        Section::with(file, size, protect, bits, breakable)
    }

    /// The section of memory that this process has just made, or grown, by [`create_memory`], [`reserve_path`] or
    /// [`open_file`]: there is nothing to doubt.
    pub(crate) fn made(file: OwnedFd, size: u64, protect: u32, bits: u32) -> Result<Section, Code> {
        Section::with(file, size, protect, bits, bits != 0)
    }

    fn with(file: OwnedFd, size: u64, protect: u32, bits: u32, breakable: bool) -> Result<Section, Code> {
        let over_file = bits & OVER_FILE != 0;
        let section = rules::decode(protect, over_file)?;
        Ok(Section {
            file: Arc::new(file),
            size,
            protect,
            protection: section.protection,
            over_file,
            breakable,
        })
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The `flProtect` word it was created with.
    pub(crate) fn protect(&self) -> u32 {
        self.protect
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    pub(crate) fn bits(&self) -> u32 {
        if self.over_file {
            OVER_FILE
        } else if self.breakable {
            PATH_BACKED
        } else {
            0
        }
    }

    /// MapViewOfFileEx: address, bytes asked for, and whether they stay backed.
    pub(crate) fn map(
        &self,
        rights: u32,
        desired: u32,
        offset: u64,
        bytes: u64,
        base: usize,
    ) -> Result<(usize, usize, Intact), Code> {
        rules::alignment(offset, base as u64)?;
        let mode = rules::view_mode(self.protection, rights, desired)?;
        let range = rules::view_range(self.size, offset, bytes)?;
        let access = match mode.access {
            ViewAccess::None => map::Access::default(),
            ViewAccess::Read => map::Access::READ,
            ViewAccess::Write => map::Access::READ_WRITE,
            ViewAccess::Copy => map::Access { private: true, ..map::Access::READ_WRITE },
        };
        let length = usize::try_from(range.mapped_len).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        if self.breakable && !self.over_file {
            // Refused now rather than met as zeroes later: somebody has cut the memory short.
            let (_, _, backed) = to_code(fd::identity(&self.file))?;
            if backed < range.offset.saturating_add(range.len) {
                return Err(Code::FILE_INVALID);
            }
        }
        let plan = Plan {
            access: map::Access { execute: mode.execute, ..access },
            offset: range.offset,
            length,
            base,
            guarded: self.breakable,
            write_back: self.over_file && matches!(mode.access, ViewAccess::Write),
        };
        let (address, intact) = views::map(&plan, &self.file)?;
        Ok((address, usize::try_from(range.len).unwrap_or(length), intact))
    }
}

/// A new memory file of `size` bytes, reserved and sealed. Small ones are only sized while the machine has so
/// much memory left that they cannot be what exhausts it: taking the pages one by one costs more than all
/// the rest (docs/adr/0003). Unlike a file's, missing pages of a memory file are never a SIGBUS.
pub(crate) fn create_memory(size: u64, flags: SectionFlags, executable: bool) -> Result<OwnedFd, Code> {
    check_room(size)?;
    let huge = flags.contains(SectionFlags::LARGE_PAGES);
    let file = if huge {
        with_room(|| memfd::create_huge("transom-mapping")).map_err(|error| match error {
            Code::ACCESS_DENIED => Code::PRIVILEGE_NOT_HELD,
            Code::INVALID_PARAMETER | Code::NOT_SUPPORTED | Code::FILE_NOT_FOUND => Code::NOT_SUPPORTED,
            other => other,
        })?
    } else if executable {
        with_room(|| memfd::create_executable("transom-mapping"))?
    } else {
        with_room(|| memfd::create("transom-mapping"))?
    };
    let take = if !huge && size < CHECKED_FROM && super::memory::is_plenty(size) {
        memfd::set_size
    } else {
        memfd::reserve
    };
    take(&file, size).map_err(|error| match error {
        Errno::INVAL if huge => Code::INVALID_PARAMETER,
        Errno::NOSPC if huge => Code::NO_SYSTEM_RESOURCES,
        Errno::NOMEM | Errno::NOSPC => Code::COMMITMENT_LIMIT,
        other => code(other),
    })?;
    to_code(memfd::seal_size(&file))?;
    Ok(file)
}

/// Makes `file`, new and empty, into path-backed memory of `size` bytes, all of it reserved.
pub(crate) fn reserve_path(file: &OwnedFd, size: u64) -> Result<(), Code> {
    check_room(size)?;
    memfd::reserve(file, size).map_err(|error| match error {
        Errno::NOMEM => Code::COMMITMENT_LIMIT,
        other => code(other),
    })
}

/// Whether `size` bytes of memory can be had without making the kernel kill somebody; what is small is simply tried.
fn check_room(size: u64) -> Result<(), Code> {
    if size >= CHECKED_FROM {
        if file::size_limit().is_some_and(|limit| size > limit) {
            return Err(Code::DISK_FULL);
        }
        // With it comes what the system keeps about it.
        let all = size.saturating_add(size / 128).saturating_add(256 << 10);
        if all > super::memory::available() {
            return Err(Code::COMMITMENT_LIMIT);
        }
    }
    Ok(())
}

/// A descriptor for a section over a disk file: open anew, so that closing or moving the caller's does not
/// matter (M46), and marked as mapped (M50). Grows the file if the section is larger.
pub(crate) fn open_file(
    user: BorrowedFd<'_>,
    writable: bool,
    size: u64,
    grow_from: Option<u64>,
) -> Result<OwnedFd, Code> {
    if let Some(from) = grow_from {
        if file::size_limit().is_some_and(|limit| size > limit) {
            return Err(Code::DISK_FULL);
        }
        file::grow(user, from, size).map_err(|error| match error {
            Errno::FBIG | Errno::NOSPC | Errno::DQUOT => Code::DISK_FULL,
            other => code(other),
        })?;
    }
    let own = match procfs::reopen(user, true, writable) {
        Ok(own) => own,
        // The name in /proc leads nowhere, or no longer for us: share the caller's open file.
        Err(_) => return with_room(|| fd::duplicate(user)),
    };
    // File systems without locks get none: there a mapped file can be cut short, and views notice.
    let _ = file::mark_mapped(&own, size);
    Ok(own)
}
