//! File mappings: which sections and views are allowed, and how large they are (mapping.md).
//!
//! ```text
//!   CreateFileMapping   decode ──► check_file_access ──► section_size ──► handle_rights
//!   OpenFileMapping     open_rights
//!   MapViewOfFile       alignment ──► view_mode ──► view_range
//! ```
//!
//! Who may do what to a view is decided twice, by the rights of the handle and by the protection
//! of the section (M1). The tables of section 3 are [`handle_rights`] and [`view_mode`]:
//!
//! | section \ view | read | write | copy | execute |
//! | --- | --- | --- | --- | --- |
//! | read-only, write-copy | yes | no | yes | no |
//! | read-write | yes | yes | yes | no |
//! | execute-read, execute-write-copy | yes | no | yes | yes |
//! | execute-read-write | yes | yes | yes | yes |
//!
//! Sizes are 64-bit and arrive from strangers; every sum here is checked, and none can be larger
//! than [`MAX_SIZE`].

use crate::access::{
    FILE_MAP_COPY, FILE_MAP_EXECUTE, FILE_MAP_READ, FILE_MAP_WRITE, FILE_READ_DATA, FILE_WRITE_DATA,
    SECTION_MAP_EXECUTE, SECTION_MAP_READ, SECTION_MAP_WRITE, SECTION_QUERY, STANDARD_RIGHTS_REQUIRED,
};
use crate::code::Code;

/// Bytes of a page; sizes of paging-file sections and of views in memory are multiples of it (M8).
pub const PAGE: u64 = 4096;

/// Offsets in a section and addresses of views are multiples of this many bytes (M19).
pub const GRANULARITY: u64 = 65536;

/// The largest size of a section in bytes: file offsets are signed 64-bit numbers.
pub const MAX_SIZE: u64 = i64::MAX as u64;

const SEC_IMAGE: u32 = 0x0100_0000;
const SEC_RESERVE: u32 = 0x0400_0000;
const SEC_COMMIT: u32 = 0x0800_0000;
const SEC_NOCACHE: u32 = 0x1000_0000;
const SEC_WRITECOMBINE: u32 = 0x4000_0000;
const SEC_LARGE_PAGES: u32 = 0x8000_0000;
const SEC_ALL: u32 = SEC_IMAGE | SEC_RESERVE | SEC_COMMIT | SEC_NOCACHE | SEC_WRITECOMBINE | SEC_LARGE_PAGES;

/// The page protection of a section, the `PAGE_` part of `flProtect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protection {
    /// `PAGE_READONLY` 2.
    ReadOnly,
    /// `PAGE_READWRITE` 4.
    ReadWrite,
    /// `PAGE_WRITECOPY` 8.
    WriteCopy,
    /// `PAGE_EXECUTE_READ` 0x20.
    ExecuteRead,
    /// `PAGE_EXECUTE_READWRITE` 0x40.
    ExecuteReadWrite,
    /// `PAGE_EXECUTE_WRITECOPY` 0x80.
    ExecuteWriteCopy,
}

impl Protection {
    /// Every protection, in the order of the numbers.
    pub const ALL: [Protection; 6] = [
        Protection::ReadOnly,
        Protection::ReadWrite,
        Protection::WriteCopy,
        Protection::ExecuteRead,
        Protection::ExecuteReadWrite,
        Protection::ExecuteWriteCopy,
    ];

    /// The `PAGE_` number.
    #[must_use]
    pub const fn value(self) -> u32 {
        match self {
            Protection::ReadOnly => 0x02,
            Protection::ReadWrite => 0x04,
            Protection::WriteCopy => 0x08,
            Protection::ExecuteRead => 0x20,
            Protection::ExecuteReadWrite => 0x40,
            Protection::ExecuteWriteCopy => 0x80,
        }
    }

    /// The protection with this `PAGE_` number; `None` for a mixture, for `PAGE_NOACCESS` and for
    /// anything else a section cannot have.
    #[must_use]
    pub const fn from_value(value: u32) -> Option<Protection> {
        Some(match value {
            0x02 => Protection::ReadOnly,
            0x04 => Protection::ReadWrite,
            0x08 => Protection::WriteCopy,
            0x20 => Protection::ExecuteRead,
            0x40 => Protection::ExecuteReadWrite,
            0x80 => Protection::ExecuteWriteCopy,
            _ => return None,
        })
    }

    /// Whether stores reach the section. Copy-on-write protections do not.
    #[must_use]
    pub const fn is_writable(self) -> bool {
        matches!(self, Protection::ReadWrite | Protection::ExecuteReadWrite)
    }

    /// Whether views may be executable.
    #[must_use]
    pub const fn is_executable(self) -> bool {
        matches!(self, Protection::ExecuteRead | Protection::ExecuteReadWrite | Protection::ExecuteWriteCopy)
    }
}

/// The `SEC_` part of `flProtect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SectionFlags(u32);

impl SectionFlags {
    /// `SEC_IMAGE`: the file is a program. The caller checks that and answers 193 if it is not.
    pub const IMAGE: SectionFlags = SectionFlags(SEC_IMAGE);
    /// `SEC_RESERVE`: pages become usable when committed (M12).
    pub const RESERVE: SectionFlags = SectionFlags(SEC_RESERVE);
    /// `SEC_COMMIT`: pages are usable at once; the default (M13).
    pub const COMMIT: SectionFlags = SectionFlags(SEC_COMMIT);
    /// `SEC_NOCACHE`: may be ignored (M16).
    pub const NOCACHE: SectionFlags = SectionFlags(SEC_NOCACHE);
    /// `SEC_WRITECOMBINE`: may be ignored (M16).
    pub const WRITECOMBINE: SectionFlags = SectionFlags(SEC_WRITECOMBINE);
    /// `SEC_LARGE_PAGES`: needs a privilege; the caller answers 1314 if it is missing (M15).
    pub const LARGE_PAGES: SectionFlags = SectionFlags(SEC_LARGE_PAGES);

    /// The bits.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all bits of `other` are set here.
    #[must_use]
    pub const fn contains(self, other: SectionFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Both sets of bits, for callers that put an `flProtect` together.
impl core::ops::BitOr for SectionFlags {
    type Output = SectionFlags;

    fn bitor(self, other: SectionFlags) -> SectionFlags {
        SectionFlags(self.0 | other.0)
    }
}

/// `flProtect`, taken apart and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Section {
    /// The page protection.
    pub protection: Protection,
    /// The section bits; exactly one of `IMAGE`, `RESERVE` and `COMMIT` is among them.
    pub flags: SectionFlags,
}

/// Takes the `flProtect` of `CreateFileMapping` apart (section 2, first rows).
///
/// `file_backed` tells a disk file from the paging file. [`SectionFlags::IMAGE`] and
/// [`SectionFlags::LARGE_PAGES`] in the answer are for the caller to judge, who alone can look at
/// the file or the privileges.
///
/// # Errors
///
/// `ERROR_INVALID_PARAMETER` when the protection is none or more than one of the six, when a bit
/// is unknown, with `SEC_COMMIT` and `SEC_RESERVE` together, with `SEC_NOCACHE` or
/// `SEC_WRITECOMBINE` but neither of those two, with `SEC_LARGE_PAGES` for a disk file or without
/// `SEC_COMMIT` (M15), and with `SEC_IMAGE` beside another section bit. `SEC_IMAGE` together with
/// `SEC_NOCACHE` has a meaning of its own, an image that is never executed, and is allowed.
/// `ERROR_BAD_EXE_FORMAT` for `SEC_IMAGE` without a disk file.
pub const fn decode(protect: u32, file_backed: bool) -> Result<Section, Code> {
    let Some(protection) = Protection::from_value(protect & !SEC_ALL) else {
        return Err(Code::INVALID_PARAMETER);
    };
    let flags = protect & SEC_ALL;
    if flags & SEC_IMAGE != 0 {
        if flags & !(SEC_IMAGE | SEC_NOCACHE) != 0 {
            return Err(Code::INVALID_PARAMETER);
        }
        if !file_backed {
            return Err(Code::BAD_EXE_FORMAT);
        }
        return Ok(Section { protection, flags: SectionFlags(flags) });
    }
    let usable = flags & (SEC_COMMIT | SEC_RESERVE);
    if usable == SEC_COMMIT | SEC_RESERVE {
        return Err(Code::INVALID_PARAMETER);
    }
    if usable == 0 && flags & (SEC_NOCACHE | SEC_WRITECOMBINE) != 0 {
        return Err(Code::INVALID_PARAMETER);
    }
    if flags & SEC_LARGE_PAGES != 0 && (usable != SEC_COMMIT || file_backed) {
        return Err(Code::INVALID_PARAMETER);
    }
    let flags = if usable == 0 { flags | SEC_COMMIT } else { flags };
    Ok(Section { protection, flags: SectionFlags(flags) })
}

/// The rights on the handle that `CreateFileMapping` returns (H42), from the protection that *this*
/// call named: a second creator is bound by its own (M5).
#[must_use]
pub const fn handle_rights(protection: Protection) -> u32 {
    let mut rights = STANDARD_RIGHTS_REQUIRED | SECTION_QUERY | SECTION_MAP_READ;
    if protection.is_writable() {
        rights |= SECTION_MAP_WRITE;
    }
    if protection.is_executable() {
        rights |= SECTION_MAP_EXECUTE;
    }
    rights
}

/// The rights that `OpenFileMapping` asks for with this `dwDesiredAccess`.
///
/// View access and rights share most bits. Two differ: `FILE_MAP_COPY` alone asks for a handle to
/// make copy-on-write views with, which is the right to read (M3), and `FILE_MAP_EXECUTE` stands
/// for `SECTION_MAP_EXECUTE`.
#[must_use]
pub const fn open_rights(desired: u32) -> u32 {
    let mut rights = desired;
    if rights & FILE_MAP_EXECUTE != 0 {
        rights = rights & !FILE_MAP_EXECUTE | SECTION_MAP_EXECUTE;
    }
    if desired & (FILE_MAP_COPY | FILE_MAP_WRITE | FILE_MAP_READ) == FILE_MAP_COPY {
        rights |= SECTION_MAP_READ;
    }
    rights
}

/// What a view lets its process do with the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ViewAccess {
    /// Nothing (M4).
    None,
    /// Read.
    Read,
    /// Read and write (M2).
    Write,
    /// Read, and write to private copies of the pages (M29).
    Copy,
}

/// What a view is mapped as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViewMode {
    /// Access to the data.
    pub access: ViewAccess,
    /// Whether the bytes may be run.
    pub execute: bool,
}

/// Decides what `MapViewOfFile` maps for this `dwDesiredAccess` (section 3, M1 to M5).
///
/// `protection` is the section's, `handle_rights` are those of the handle. Bits of `desired` that
/// are not view access are ignored.
///
/// # Errors
///
/// `ERROR_ACCESS_DENIED` when the handle or the section does not allow it.
pub const fn view_mode(protection: Protection, handle_rights: u32, desired: u32) -> Result<ViewMode, Code> {
    let execute = desired & FILE_MAP_EXECUTE != 0;
    let (access, right) = if desired & FILE_MAP_WRITE != 0 {
        (ViewAccess::Write, SECTION_MAP_WRITE)
    } else if desired & FILE_MAP_READ != 0 {
        (ViewAccess::Read, SECTION_MAP_READ)
    } else if desired & FILE_MAP_COPY != 0 {
        (ViewAccess::Copy, SECTION_MAP_READ)
    } else {
        (ViewAccess::None, SECTION_MAP_READ)
    };
    if handle_rights & right == 0 {
        return Err(Code::ACCESS_DENIED);
    }
    if matches!(access, ViewAccess::Write) && !protection.is_writable() {
        return Err(Code::ACCESS_DENIED);
    }
    if execute {
        // A handle duplicated with FILE_MAP_EXECUTE as access carries that bit itself.
        let may = handle_rights & (SECTION_MAP_EXECUTE | FILE_MAP_EXECUTE) != 0;
        if !may || !protection.is_executable() {
            return Err(Code::ACCESS_DENIED);
        }
    }
    Ok(ViewMode { access, execute })
}

/// The rights a file handle needs for a section of this protection (M53, M54).
#[must_use]
pub const fn file_access_needed(protection: Protection) -> u32 {
    if protection.is_writable() { FILE_READ_DATA | FILE_WRITE_DATA } else { FILE_READ_DATA }
}

/// Checks the rights of a file handle against the protection (M53).
///
/// # Errors
///
/// `ERROR_ACCESS_DENIED` when one is missing; a handle opened for writing only fits nothing.
pub const fn check_file_access(protection: Protection, granted: u32) -> Result<(), Code> {
    if file_access_needed(protection) & !granted == 0 { Ok(()) } else { Err(Code::ACCESS_DENIED) }
}

/// The size of a new section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SectionSize {
    /// Bytes; 1 to [`MAX_SIZE`].
    pub size: u64,
    /// Whether the file has to be extended to that size first (M44).
    pub grow: bool,
}

/// Works out the size of a new section.
///
/// `file_len` is the current length of the disk file, `None` for the paging file; `requested` is
/// `sizeHigh:sizeLow`, 0 meaning the length of the file (M43). Paging-file sections are rounded up
/// to whole pages (M8), file sections are exact (M9).
///
/// # Errors
///
/// * `ERROR_INVALID_PARAMETER`: paging file and size 0.
/// * `ERROR_FILE_INVALID`: empty file and size 0.
/// * `ERROR_NOT_ENOUGH_MEMORY`: beyond the end of the file with a protection that cannot write
///   (M45), or more than [`MAX_SIZE`].
pub const fn section_size(
    file_len: Option<u64>,
    requested: u64,
    protection: Protection,
) -> Result<SectionSize, Code> {
    let Some(len) = file_len else {
        if requested == 0 {
            return Err(Code::INVALID_PARAMETER);
        }
        return match round_up_to_page(requested) {
            Some(size) if size <= MAX_SIZE => Ok(SectionSize { size, grow: false }),
            _ => Err(Code::NOT_ENOUGH_MEMORY),
        };
    };
    let size = if requested == 0 { len } else { requested };
    if size == 0 {
        return Err(Code::FILE_INVALID);
    }
    if size > MAX_SIZE {
        return Err(Code::NOT_ENOUGH_MEMORY);
    }
    let grow = size > len;
    if grow && !protection.is_writable() {
        return Err(Code::NOT_ENOUGH_MEMORY);
    }
    Ok(SectionSize { size, grow })
}

/// The part of a section that a view shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViewRange {
    /// First byte in the section, a multiple of [`GRANULARITY`].
    pub offset: u64,
    /// Bytes that belong to the view; at least 1.
    pub len: u64,
    /// Bytes of address space it takes: `len` in whole pages (M20).
    pub mapped_len: u64,
}

/// Works out which part of the section `MapViewOfFile` maps.
///
/// `offset` is `offHigh:offLow`; `bytes` 0 means to the end of the section (M20).
///
/// # Errors
///
/// `ERROR_MAPPED_ALIGNMENT` when `offset` is not a multiple of 65536 (M19);
/// `ERROR_ACCESS_DENIED` when the part is not inside the section (M21).
pub const fn view_range(section_size: u64, offset: u64, bytes: u64) -> Result<ViewRange, Code> {
    if !offset.is_multiple_of(GRANULARITY) {
        return Err(Code::MAPPED_ALIGNMENT);
    }
    if offset >= section_size {
        return Err(Code::ACCESS_DENIED);
    }
    let available = section_size - offset;
    let len = if bytes == 0 { available } else { bytes };
    if len > available {
        return Err(Code::ACCESS_DENIED);
    }
    match round_up_to_page(len) {
        Some(mapped_len) => Ok(ViewRange { offset, len, mapped_len }),
        // Only for a section larger than any that section_size() allows.
        None => Err(Code::NOT_ENOUGH_MEMORY),
    }
}

/// Checks offset and address (0 = any place, M25) as `MapViewOfFileEx` does before it looks at the handle.
///
/// # Errors
///
/// `ERROR_MAPPED_ALIGNMENT` when one of them is not a multiple of 65536 (M19).
pub const fn alignment(offset: u64, address: u64) -> Result<(), Code> {
    if offset.is_multiple_of(GRANULARITY) && address.is_multiple_of(GRANULARITY) {
        Ok(())
    } else {
        Err(Code::MAPPED_ALIGNMENT)
    }
}

/// `None` when the rounded number does not fit.
const fn round_up_to_page(bytes: u64) -> Option<u64> {
    bytes.checked_next_multiple_of(PAGE)
}

#[cfg(test)]
mod tests;
