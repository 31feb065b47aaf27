//! File mappings and their views.
//!
//! # Safety
//! A new view lies where nothing else does, so making one is safe; taking one away is not, since somebody may
//! still use its memory.
#![allow(unsafe_code)]

use std::ptr;

use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FlushViewOfFile, MEM_COMMIT, MEM_RESERVE, MEMORY_BASIC_INFORMATION,
    MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFileEx, OpenFileMappingW, UnmapViewOfFile, VirtualAlloc,
    VirtualQuery,
};

use super::security::Attributes;
use super::{
    Created, Handle, Result, Wide, check, check_created, check_handle, clear_last_error, last_error, to_api,
};

/// `CreateFileMapping`. `file` is `INVALID_HANDLE_VALUE` (`usize::MAX`) for the paging file.
///
/// # Errors
/// As the call.
pub fn create(
    file: Handle,
    attributes: &Attributes<'_>,
    protect: u32,
    size: u64,
    name: Option<&[u16]>,
) -> Result<Created> {
    let name = Wide::new(name)?;
    let (high, low) = halves(size);
    clear_last_error();
    // SAFETY: the attributes and the terminated name (or NULL) outlive the call.
    check_created(unsafe {
        CreateFileMappingW(to_api(file), attributes.as_ptr(), protect, high, low, name.as_ptr())
    })
}

/// `OpenFileMapping`.
///
/// # Errors
/// As the call.
pub fn open(access: u32, inherit: bool, name: Option<&[u16]>) -> Result<Handle> {
    let name = Wide::new(name)?;
    // SAFETY: the terminated name (or NULL) outlives the call.
    check_handle(unsafe { OpenFileMappingW(access, inherit.into(), name.as_ptr()) })
}

/// `MapViewOfFileEx`: the address of the view. `bytes` 0 is up to the end of the section, `base` 0 anywhere.
///
/// # Errors
/// As the call.
pub fn map(mapping: Handle, access: u32, offset: u64, bytes: usize, base: usize) -> Result<usize> {
    let (high, low) = halves(offset);
    // SAFETY: takes numbers only. A base is used only if nothing is mapped there, so no memory in use
    // changes.
    let view =
        unsafe { MapViewOfFileEx(to_api(mapping), access, high, low, bytes, ptr::without_provenance(base)) };
    if view.Value.is_null() { Err(last_error()) } else { Ok(view.Value.expose_provenance()) }
}

/// `UnmapViewOfFile`.
///
/// # Errors
/// As the call.
///
/// # Safety
/// Nothing may use the memory of the view that `base` lies in, neither now nor later.
pub unsafe fn unmap(base: usize) -> Result<()> {
    let view = MEMORY_MAPPED_VIEW_ADDRESS { Value: ptr::with_exposed_provenance_mut(base) };
    // SAFETY: the caller promises that the memory is not used any more; an address outside of every view
    // fails.
    check(unsafe { UnmapViewOfFile(view) })
}

/// `FlushViewOfFile`. `bytes` 0 is up to the end of the view.
///
/// # Errors
/// As the call.
pub fn flush(address: usize, bytes: usize) -> Result<()> {
    // SAFETY: the call reads no memory through the address; one outside of every view fails.
    check(unsafe { FlushViewOfFile(ptr::with_exposed_provenance(address), bytes) })
}

/// A stretch of pages in one state (`MEMORY_BASIC_INFORMATION`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The first page.
    pub base: usize,
    /// The first page of the whole view; 0 for free pages.
    pub allocation_base: usize,
    /// The protection the whole view was mapped with (`PAGE_…`).
    pub allocation_protect: u32,
    /// Bytes up to the first page that is in another state or of another view.
    pub bytes: usize,
    /// Whether the pages are reserved and not committed (`MEM_RESERVE`).
    pub reserved: bool,
}

/// `VirtualQuery`: the stretch of pages that begins with the one of `address`.
///
/// # Errors
/// As the call: an address that no process can have.
pub fn query(address: usize) -> Result<Region> {
    let mut information = MEMORY_BASIC_INFORMATION::default();
    let size = size_of::<MEMORY_BASIC_INFORMATION>();
    // SAFETY: the structure is writable and as large as said; nothing is read through the address.
    let written = unsafe { VirtualQuery(ptr::without_provenance(address), &raw mut information, size) };
    if written == 0 {
        return Err(last_error());
    }
    Ok(Region {
        base: information.BaseAddress.addr(),
        allocation_base: information.AllocationBase.addr(),
        allocation_protect: information.AllocationProtect,
        bytes: information.RegionSize,
        reserved: information.State == MEM_RESERVE,
    })
}

/// `VirtualAlloc` with `MEM_COMMIT`: commits reserved pages of a view, for every view of the section.
///
/// # Errors
/// As the call.
///
/// # Safety
/// `[base, base + bytes)` must lie in a view and `protect` be that view's own protection: on pages that are
/// committed already the call would set it.
pub unsafe fn commit(base: usize, bytes: usize, protect: u32) -> Result<()> {
    // SAFETY: by the caller's promise pages that are in use stay as they are.
    let result = unsafe { VirtualAlloc(ptr::with_exposed_provenance(base), bytes, MEM_COMMIT, protect) };
    if result.is_null() { Err(last_error()) } else { Ok(()) }
}

/// A 64-bit size or offset as the API takes it: the high half, the low half.
fn halves(value: u64) -> (u32, u32) {
    // Cutting off is the point.
    ((value >> 32) as u32, value as u32)
}
