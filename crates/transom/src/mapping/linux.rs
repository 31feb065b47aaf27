//! File mappings on Linux, see [`crate::engine::section`].

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use transom_core::access::{FILE_READ_DATA, FILE_WRITE_DATA, Kind};
use transom_core::code::Code;
use transom_core::mapping::{self as rules, SectionFlags};
use transom_sys::linux::fd;

use super::{Backing, MappingOptions, Source, ViewOptions};
use crate::engine::errno::to_code;
use crate::engine::named::{self, error, open_named};
use crate::engine::section::{self, OVER_FILE, PATH_BACKED, Section};
use crate::engine::table::Object;
use crate::engine::views::{self, Intact};
use crate::error::Result;
use crate::handle::{Attributes, Created, Handle};
use crate::namespace::imp::{self as namespace, Facts, Folder, Memory, Place, Request};

/// A view as the kernel made it.
#[derive(Debug)]
pub(super) struct RawView {
    pub(super) base: usize,
    pub(super) len: usize,
    pub(super) token: ViewToken,
}

/// Tells whether a view is still backed.
pub(super) type ViewToken = Intact;

pub(super) fn create(options: &MappingOptions<'_>) -> Result<Created<Handle>> {
    create_coded(options).map_err(|code| options.attributes.error("create file mapping", code))
}

/// The disk file of a section, with the rights it was opened with.
fn file_of<'a>(source: &'a Source<'_>) -> std::result::Result<Option<(BorrowedFd<'a>, u32)>, Code> {
    match source {
        Source::PagingFile => Ok(None),
        Source::File(file) => {
            let (read, write) = to_code(fd::access_mode(file))?;
            let rights = if read { FILE_READ_DATA } else { 0 } | if write { FILE_WRITE_DATA } else { 0 };
            Ok(Some((file.as_fd(), rights)))
        }
        Source::Handle(handle) => match &handle.resolved.0.object {
            Object::File(file) => {
                handle.resolved.0.check(0)?;
                Ok(Some((file.as_fd(), handle.resolved.0.access)))
            }
            _ => Err(Code::INVALID_HANDLE),
        },
    }
}

fn create_coded(options: &MappingOptions<'_>) -> std::result::Result<Created<Handle>, Code> {
    let attributes = &options.attributes;
    // What is wrong without looking at the file comes first.
    let is_file = !matches!(options.source, Source::PagingFile);
    let section = match rules::decode(options.protect, is_file) {
        Err(Code::BAD_EXE_FORMAT) if options.size == 0 => return Err(Code::INVALID_PARAMETER),
        section => section?,
    };
    let file = file_of(&options.source)?;
    if section.flags.contains(SectionFlags::IMAGE) {
        return Err(Code::BAD_EXE_FORMAT);
    }
    let (file_length, grow) = match file {
        None => (None, None),
        Some((file, rights)) => {
            if fd::file_kind(file) != Ok(fd::FileKind::Regular) {
                return Err(Code::INVALID_HANDLE);
            }
            rules::check_file_access(section.protection, rights)?;
            let (_, _, length) = to_code(fd::identity(file))?;
            (Some(length), Some(length))
        }
    };
    let sized = rules::section_size(file_length, options.size, section.protection)?;
    if section.flags.contains(SectionFlags::LARGE_PAGES) && !sized.size.is_multiple_of(large_page()) {
        return Err(Code::INVALID_PARAMETER);
    }
    // The handle of a new section carries what the protection allows (H42); so does that of a second creator, by
    // its own protection (M5).
    let access = rules::handle_rights(section.protection);
    let bits = if file.is_some() { OVER_FILE } else { 0 };
    let make_memory = |place: Place| -> std::result::Result<OwnedFd, Code> {
        match (place, file) {
            (_, Some((file, _))) => section::open_file(
                file,
                section.protection.is_writable(),
                sized.size,
                grow.filter(|_| sized.grow),
            ),
            (Place::File(memory), None) => {
                section::reserve_path(&memory, sized.size)?;
                Ok(memory)
            }
            (Place::Anonymous, None) => {
                section::create_memory(sized.size, section.flags, section.protection.is_executable())
            }
        }
    };
    let Some(name) = named::name(attributes)? else {
        let memory = make_memory(Place::Anonymous)?;
        let object = Section::made(memory, sized.size, options.protect, bits)?;
        let handle = named::finish(Object::Section(Arc::new(object)), access, None, attributes.inherit)?;
        return Ok(Created { object: handle, existed: false });
    };
    let security = attributes.security.clone().unwrap_or_default();
    let path = file.is_none()
        && match options.backing {
            Backing::Auto => named::wants_path(&security),
            Backing::Memory => false,
            Backing::Path => true,
        };
    let request = Request {
        folder: Folder::Objects,
        name: &name,
        kind: Kind::Mapping,
        access,
        for_reading_only: false,
    };
    let is_cheap = file.is_none() && sized.size < section::CHECKED_FROM;
    let create = if is_cheap { namespace::create_cheap } else { namespace::create };
    let opened = create(&request, security.clone(), path, &mut |place, cookie| {
        Ok(Memory {
            fd: make_memory(place)?,
            facts: Facts {
                kind: Kind::Mapping,
                size: sized.size,
                protect: options.protect,
                flags: bits,
                security: security.clone(),
                backing_path: path,
                cookie: *cookie,
            },
        })
    })?;
    let existed = opened.existed;
    let handle = finish_opened(opened, access, attributes)?;
    Ok(Created { object: handle, existed })
}

/// Makes a handle of what the namespace found or made.
fn finish_opened(
    opened: namespace::Opened,
    access: u32,
    attributes: &Attributes,
) -> std::result::Result<Handle, Code> {
    let facts = &opened.memory.facts;
    let bits = facts.flags & OVER_FILE | if facts.backing_path { PATH_BACKED } else { 0 };
    let memory = opened.memory.fd;
    if bits & OVER_FILE != 0 && opened.existed {
        // This process's own mark, so that the file stays uncut when the creator is gone (M50).
        let _ = transom_sys::linux::file::mark_mapped(&memory, facts.size);
    }
    // Memory that was found sealed is as long as its entry says.
    let is_known = !opened.existed || opened.is_sealed;
    let make = if is_known { Section::made } else { Section::new };
    let section = make(memory, facts.size, facts.protect, bits)?;
    named::finish(Object::Section(Arc::new(section)), access, Some(opened.hold), attributes.inherit)
}

fn large_page() -> u64 {
    // The default size on the machines this library is built for; the kernel refuses what does not fit.
    2 << 20
}

pub(super) fn open(attributes: &Attributes) -> Result<Handle> {
    let open = || {
        let desired = Kind::Mapping.map_generic(attributes.access.unwrap_or(super::FILE_MAP_ALL_ACCESS));
        let (opened, access) = open_named(attributes, Kind::Mapping, rules::open_rights(desired), false)?;
        finish_opened(opened, access, attributes)
    };
    open().map_err(|code| attributes.error("open file mapping", code))
}

fn section_of(handle: &Handle) -> std::result::Result<&Arc<Section>, Code> {
    handle.resolved.0.check(0)?;
    match &handle.resolved.0.object {
        Object::Section(section) => Ok(section),
        _ => Err(Code::INVALID_HANDLE),
    }
}

pub(super) fn size(handle: &Handle) -> Result<u64> {
    section_of(handle).map(|section| section.size()).map_err(error("get size of file mapping"))
}

pub(super) fn map(handle: &Handle, options: &ViewOptions) -> Result<RawView> {
    rules::alignment(options.offset, options.base as u64)
        .and_then(|()| section_of(handle))
        .and_then(|section| {
            let rights = handle.resolved.0.access;
            section.map(rights, options.access, options.offset, options.length, options.base)
        })
        .map(|(base, len, token)| RawView { base, len, token })
        .map_err(error("map view of file"))
}

/// UnmapViewOfFile.
///
/// # Safety
/// Nothing uses the view's memory any more.
#[allow(unsafe_code)]
pub(super) unsafe fn unmap(base: usize) -> Result<()> {
    // SAFETY: passed on to the caller.
    unsafe { views::unmap(base) }.map_err(error("unmap view of file"))
}

pub(super) fn flush(address: usize, bytes: usize) -> Result<()> {
    views::flush(address, bytes).map_err(error("flush view of file"))
}
