//! File mappings: memory with a size, a protection and perhaps a name, shared between processes
//! (`CreateFileMapping`).
//!
//! A [`Mapping`] is the section: anonymous memory or a disk file. A [`View`] is a part of it in this
//! process's address space. All views of one section show the same bytes, in every process, at once
//! (M22). The *name* of a section goes with its last handle, also after a crash; its *memory* with its
//! last handle or view (M39, M40).
//!
//! # Memory that others write
//! A peer can change the bytes of a view at any moment, so safe code never gets a `&[u8]` into one: it
//! copies in and out ([`View::read`], [`View::write`]), uses atomics ([`View::atomic_u32`]…), or a typed
//! mapping: [`Shared`] for plain data, [`Guarded`] for data that must never be seen half written.

use std::ffi::c_void;
use std::fs::File;

use crate::error::Result;
use crate::handle::{Attributes, Created, Handle, Kind, attribute_methods, object_impls};

mod guarded;
#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;
mod typed;
mod view;

#[cfg(test)]
mod tests;

pub use guarded::Guarded;
pub use transom_core::access::{
    FILE_MAP_ALL_ACCESS, FILE_MAP_COPY, FILE_MAP_EXECUTE, FILE_MAP_READ, FILE_MAP_WRITE,
};
pub use transom_core::mapping::{Protection, SectionFlags};
pub use typed::Shared;
pub use view::{View, ViewOptions};

/// A file-mapping object, or section (`CreateFileMapping`, `OpenFileMapping`).
#[derive(Debug)]
pub struct Mapping(Handle);

object_impls!(Mapping, Kind::Mapping, "use file mapping");

/// Where the memory of a section lies on Linux. An extension; on Windows all three are the paging file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backing {
    /// [`Backing::Memory`], unless the object is to be opened by other users or `TRANSOM_BACKING=path` is
    /// set: then [`Backing::Path`].
    #[default]
    Auto,
    /// A sealed memory file that no peer can cut short; reached through its holders.
    Memory,
    /// A file in the namespace's folder: reachable where holders are not (other users, other PID
    /// namespaces), but a peer may truncate it; then accesses fail with `ERROR_FILE_INVALID` (1006).
    Path,
}

/// What backs a section: the paging file or a disk file (`hFile`).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Source<'a> {
    /// `INVALID_HANDLE_VALUE`.
    #[default]
    PagingFile,
    /// A Rust file; its rights are found out from its open mode.
    File(&'a File),
    /// A file handle of this library (from `CreateFile` of the C ABI).
    Handle(&'a Handle),
}

/// How a section is created (`CreateFileMapping`).
#[derive(Debug, Clone)]
pub struct MappingOptions<'a> {
    pub(crate) attributes: Attributes,
    pub(crate) source: Source<'a>,
    pub(crate) size: u64,
    /// The raw `flProtect`: a PAGE_ value with SEC_ bits.
    pub(crate) protect: u32,
    pub(crate) backing: Backing,
}

impl<'a> MappingOptions<'a> {
    /// An unnamed section of `size` bytes over the paging file, `PAGE_READWRITE`. The size is rounded up to
    /// whole pages of 4096 bytes (M8); it may pass 4 GiB (M18).
    #[must_use]
    pub fn new(size: u64) -> MappingOptions<'a> {
        MappingOptions {
            attributes: Attributes::default(),
            source: Source::PagingFile,
            size,
            protect: Protection::ReadWrite.value(),
            backing: Backing::Auto,
        }
    }

    /// A section over `file`, `PAGE_READWRITE`: `size` bytes of it, 0 = its present length (M43). A larger
    /// size lengthens the file at once (M44). The file may be closed as soon as the section exists (M46).
    #[must_use]
    pub fn of_file(file: &'a File, size: u64) -> MappingOptions<'a> {
        MappingOptions { source: Source::File(file), ..MappingOptions::new(size) }
    }

    /// As [`MappingOptions::of_file`], for a handle to a file.
    #[must_use]
    pub fn of_handle(file: &'a Handle, size: u64) -> MappingOptions<'a> {
        MappingOptions { source: Source::Handle(file), ..MappingOptions::new(size) }
    }

    attribute_methods!();

    /// The page protection (`PAGE_…`); default `PAGE_READWRITE`.
    #[must_use]
    pub fn protection(mut self, protection: Protection) -> MappingOptions<'a> {
        self.protect = (self.protect & !0xFF) | protection.value();
        self
    }

    /// Section bits (`SEC_…`); default `SEC_COMMIT`. `SEC_RESERVE` commits at once here (M12).
    #[must_use]
    pub fn section(mut self, flags: SectionFlags) -> MappingOptions<'a> {
        self.protect = (self.protect & 0xFF) | flags.bits();
        self
    }

    /// The whole `flProtect` word of Win32, unchecked until `create`.
    #[must_use]
    pub fn protect_word(mut self, protect: u32) -> MappingOptions<'a> {
        self.protect = protect;
        self
    }

    /// Where the memory lies (an extension; see [`Backing`]).
    #[must_use]
    pub fn backing(mut self, backing: Backing) -> MappingOptions<'a> {
        self.backing = backing;
        self
    }

    /// `CreateFileMapping`: makes the section, or opens the one that has the name, whose size stays what it
    /// is (M10). All space is reserved now; what later fails for lack of memory on other systems fails here.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): size 0 without a file; a bad protection or section bits.
    /// `ERROR_INVALID_HANDLE` (6): the name belongs to another kind of object (M32), or not a file.
    /// `ERROR_FILE_INVALID` (1006): an empty file and size 0.
    /// `ERROR_NOT_ENOUGH_MEMORY` (8): beyond the end of a file that is mapped read-only (M45); or no memory.
    /// `ERROR_COMMITMENT_LIMIT` (1455): more memory than the system or the process's limit has left (M13).
    /// `ERROR_DISK_FULL` (112): the file, or the folder of path-backed sections, cannot grow.
    /// `ERROR_ACCESS_DENIED` (5): the file was opened without the rights (M53), or the name refuses (M41); on Linux
    /// also if only processes in another PID namespace hold the name and it is not path-backed
    /// ([`Backing`], `docs/limits.md`).
    /// `ERROR_PATH_NOT_FOUND` (3): backslash or unknown prefix in the name (M36).
    /// `ERROR_PRIVILEGE_NOT_HELD` (1314): large pages without the right to them (M15).
    #[doc(alias = "CreateFileMapping")]
    pub fn create(&self) -> Result<Created<Mapping>> {
        imp::create(self).map(|created| created.map(Mapping))
    }

    /// `OpenFileMapping`: opens the section that has the name; never creates (M42). The default access is
    /// `FILE_MAP_ALL_ACCESS`.
    ///
    /// # Errors
    /// `ERROR_FILE_NOT_FOUND` (2): no such name. `ERROR_INVALID_PARAMETER` (87): no name given.
    /// Otherwise as [`MappingOptions::create`].
    #[doc(alias = "OpenFileMapping")]
    pub fn open(&self) -> Result<Mapping> {
        imp::open(&self.attributes).map(Mapping)
    }
}

impl Mapping {
    /// A section named `name` of `size` bytes, or the existing one (see [`Created::existed`]).
    ///
    /// # Errors
    /// As [`MappingOptions::create`].
    pub fn create(name: &str, size: u64) -> Result<Created<Mapping>> {
        MappingOptions::new(size).name(name).create()
    }

    /// An unnamed section of `size` bytes: shared by inheritance or duplication.
    ///
    /// # Errors
    /// As [`MappingOptions::create`].
    pub fn anonymous(size: u64) -> Result<Mapping> {
        MappingOptions::new(size).create().map(|created| created.object)
    }

    /// Opens the section `name` for reading and writing.
    ///
    /// # Errors
    /// As [`MappingOptions::open`].
    pub fn open(name: &str) -> Result<Mapping> {
        MappingOptions::new(0).name(name).access(FILE_MAP_ALL_ACCESS).open()
    }

    /// Opens the section `name` for reading only.
    ///
    /// # Errors
    /// As [`MappingOptions::open`].
    pub fn open_read_only(name: &str) -> Result<Mapping> {
        MappingOptions::new(0).name(name).access(FILE_MAP_READ).open()
    }

    /// The section's size in bytes: whole pages for memory, exact for a file (M8, M9).
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6). On Windows also what `MapViewOfFile` gives for an inaccessible section.
    pub fn size(&self) -> Result<u64> {
        imp::size(&self.0)
    }

    /// A view of the whole section, for reading and writing.
    ///
    /// # Errors
    /// As [`ViewOptions::map`].
    pub fn view(&self) -> Result<View> {
        ViewOptions::new().map(self)
    }

    /// A view of the whole section, for reading only.
    ///
    /// # Errors
    /// As [`ViewOptions::map`].
    pub fn view_read_only(&self) -> Result<View> {
        ViewOptions::new().access(FILE_MAP_READ).map(self)
    }
}

/// `UnmapViewOfFile` by address: for addresses that [`View::into_raw`] gave out.
///
/// # Safety
/// Nothing may use the view's memory afterwards: no reference, no [`View`].
///
/// # Errors
/// `ERROR_INVALID_ADDRESS` (487): not the exact base of a view (M24).
#[allow(unsafe_code)]
pub unsafe fn unmap(base: *const c_void) -> Result<()> {
    // SAFETY: the caller promises that the memory is not used any more.
    unsafe { imp::unmap(base as usize) }
}

/// `FlushViewOfFile` by address: starts writing the dirty pages of `[address, address + bytes)` to the
/// file, 0 = to the end of the view; a view of memory succeeds and does nothing (M49).
///
/// # Errors
/// `ERROR_INVALID_ADDRESS` (487): not in a view.
pub fn flush(address: *const c_void, bytes: usize) -> Result<()> {
    imp::flush(address as usize, bytes)
}
