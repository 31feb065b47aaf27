//! File mappings over the real calls.
//!
//! # The length of a view
//! `MapViewOfFile` with 0 bytes maps to the end of the section and does not say where that is, and Win32
//! has no other call that does. `VirtualQuery` tells the view's length in whole pages; whether the last
//! page belongs to the section to its end is found out by trying (see [`exact`]), since a view beyond the
//! end is refused (M9).
//!
//! # Reserved pages
//! The pages of a `SEC_RESERVE` section cannot be touched before they are committed (M12). A view must be
//! safe to read, so mapping one commits its pages, as on Linux.
//!
//! # Safety
//! Unmapping takes memory away; its caller answers for that.
#![allow(unsafe_code)]

use std::os::windows::io::AsRawHandle;

use transom_core::access::{FILE_MAP_ALL_ACCESS, FILE_MAP_READ, FILE_MAP_WRITE};
use transom_sys::windows as sys;
use transom_sys::windows::mapping::{self, Region};

use super::{MappingOptions, Source, ViewOptions};
use crate::error::{Code, Error, Result};
use crate::handle::imp::{create_object, failed, open_object, value};
use crate::handle::{Attributes, Created, Handle, RawHandle};

/// The size of a page, and the steps in which views lie in a section, on every Windows.
const PAGE: usize = 4096;
const GRANULARITY: usize = 65536;

/// What refuses a view beyond the end of its section.
const DENIED: u32 = Code::ACCESS_DENIED.value();

/// A new view.
pub(crate) struct RawView {
    /// The address of its first byte.
    pub(crate) base: usize,
    /// The bytes asked for, or all to the end of the section.
    pub(crate) len: usize,
    pub(crate) token: ViewToken,
}

/// Nothing to watch: Windows refuses to cut a file short while a view of it exists (M50).
#[derive(Debug, Clone)]
pub(crate) struct ViewToken;

impl ViewToken {
    pub(crate) fn intact(&self) -> bool {
        true
    }
}

/// `CreateFileMapping` has no argument for the access: the handle gets what the protection implies.
pub(crate) fn create(options: &MappingOptions<'_>) -> Result<Created<Handle>> {
    let file = match options.source {
        Source::PagingFile => RawHandle::INVALID.value(),
        Source::File(file) => file.as_raw_handle().addr(),
        Source::Handle(handle) => value(handle),
    };
    create_object("create file mapping", &options.attributes, |security, name| {
        mapping::create(file, security, options.protect, options.size, name)
    })
}

pub(crate) fn open(attributes: &Attributes) -> Result<Handle> {
    open_object("open file mapping", attributes, FILE_MAP_ALL_ACCESS, mapping::open)
}

/// The size, found out with a view that is gone again at the end.
pub(crate) fn size(handle: &Handle) -> Result<u64> {
    let map = |access| Ok((mapping::map(value(handle), access, 0, 0, 0)?, access));
    // The handle may have the right to write only.
    let mapped =
        map(FILE_MAP_READ).or_else(|code| if code == DENIED { map(FILE_MAP_WRITE) } else { Err(code) });
    let (base, access) = mapped.map_err(failed("get size of file mapping"))?;
    let extent = extent(base, |_| Ok(()));
    unmap_own(base);
    let exact = extent.map(|extent| exact(handle, access, 0, extent));
    Ok(exact.map_err(failed("get size of file mapping"))? as u64)
}

pub(crate) fn map(handle: &Handle, options: &ViewOptions) -> Result<RawView> {
    const OPERATION: &str = "map view";
    let asked =
        usize::try_from(options.length).map_err(|_| Error::new(OPERATION, Code::NOT_ENOUGH_MEMORY))?;
    let base = mapping::map(value(handle), options.access, options.offset, asked, options.base)
        .map_err(failed(OPERATION))?;
    let len = extent(base, commit).map(|extent| match asked {
        0 => exact(handle, options.access, options.offset, extent),
        _ => asked,
    });
    match len {
        Ok(len) => Ok(RawView { base, len, token: ViewToken }),
        Err(code) => {
            unmap_own(base);
            Err(Error::new(OPERATION, Code::new(code)))
        }
    }
}

/// # Safety
/// Nothing may use the memory of the view that `base` lies in, neither now nor later.
pub(crate) unsafe fn unmap(base: usize) -> Result<()> {
    // SAFETY: the caller's promise is the same.
    unsafe { mapping::unmap(base) }.map_err(failed("unmap view"))
}

pub(crate) fn flush(address: usize, bytes: usize) -> Result<()> {
    mapping::flush(address, bytes).map_err(failed("flush view"))
}

/// Takes a view away again that a function of this file has just made for itself.
fn unmap_own(base: usize) {
    // SAFETY: nobody else knows the address. It is one of a view, so this does not fail.
    let _ = unsafe { mapping::unmap(base) };
}

/// Commits pages of a new view if they are only reserved.
fn commit(region: Region) -> sys::Result<()> {
    if !region.reserved {
        return Ok(());
    }
    // SAFETY: the pages are of a view, and the protection is the one it was mapped with.
    unsafe { mapping::commit(region.base, region.bytes, region.allocation_protect) }
}

/// How many bytes of pages the view at `base` has. They may be in several states; `visit` sees each stretch
/// of one state before it counts.
fn extent(base: usize, visit: impl Fn(Region) -> sys::Result<()>) -> sys::Result<usize> {
    let mut extent = 0;
    loop {
        let region = mapping::query(base + extent)?;
        if region.allocation_base != base {
            return Ok(extent);
        }
        visit(region)?;
        extent += region.bytes;
    }
}

/// How many of the `extent` bytes of pages from `offset` on belong to the section: all, or, if it is one of
/// a file, up to somewhere in the last page. Each try maps the part from the last multiple of 64 KiB on.
/// Where that cannot be tried (large pages), all count.
fn exact(handle: &Handle, access: u32, offset: u64, extent: usize) -> usize {
    let start = extent.saturating_sub(1) / GRANULARITY * GRANULARITY;
    let fits = |bytes| match mapping::map(value(handle), access, offset + start as u64, bytes, 0) {
        Ok(base) => {
            unmap_own(base);
            true
        }
        Err(code) => code != DENIED,
    };
    let mut beyond = extent - start;
    if fits(beyond) {
        return extent;
    }
    let mut within = beyond.saturating_sub(PAGE);
    while beyond - within > 1 {
        let middle = within.midpoint(beyond);
        if fits(middle) {
            within = middle;
        } else {
            beyond = middle;
        }
    }
    start + within
}

#[cfg(test)]
mod tests {
    use crate::mapping::{Mapping, MappingOptions, SectionFlags, ViewOptions};
    use crate::support::limit;

    /// M12.
    #[test]
    fn a_view_of_reserved_memory_can_be_used_at_once() {
        let _limit = limit();
        let reserved = MappingOptions::new(300_000).section(SectionFlags::RESERVE).create().unwrap().object;
        let part = ViewOptions::new().offset(65536).length(10).map(&reserved).unwrap();
        part.write(0, b"0123456789").unwrap();
        let whole = reserved.view().unwrap();
        assert_eq!(whole.len(), 303_104);
        assert_eq!(whole.read_to_vec(65536, 10).unwrap(), b"0123456789");
        assert_eq!(whole.read_to_vec(303_103, 1).unwrap(), [0]);
        assert_eq!(reserved.size().unwrap(), 303_104);
    }

    /// M9: the end of a file is found within its last page, at each kind of place.
    #[test]
    fn the_exact_end_of_a_file_is_found() {
        let _limit = limit();
        let file = tempfile::tempfile().unwrap();
        for size in [1, 2, 4095, 4096, 4097, 8191, 65535, 65536, 65537, 69632, 200_000] {
            file.set_len(size).unwrap();
            let mapping = MappingOptions::of_file(&file, 0).create().unwrap().object;
            assert_eq!(mapping.size().unwrap(), size);
            assert_eq!(mapping.view().unwrap().len() as u64, size);
            if size > 65536 {
                let behind = ViewOptions::new().offset(65536).map(&mapping).unwrap();
                assert_eq!(behind.len() as u64, size - 65536);
            }
        }
    }

    #[test]
    fn a_handle_that_can_only_write_tells_the_size() {
        let _limit = limit();
        let name = crate::support::unique("size");
        let _mapping = Mapping::create(&name, 5000).unwrap();
        let writes =
            MappingOptions::new(0).name(&name).access(crate::mapping::FILE_MAP_WRITE).open().unwrap();
        assert_eq!(writes.size().unwrap(), 8192);
    }
}
