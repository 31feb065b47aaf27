//! Creating and opening by name: what is the same for all kinds of object.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::name::ObjectName;
use transom_core::security::Security;
use transom_sys::linux::random;

use super::record;
use super::sync::{Blueprint, Page, SyncObject};
use super::table::{self, Object};
use crate::handle::{Attributes, Created, Handle};
use crate::namespace::imp::{self as namespace, Facts, Folder, Memory, Opened, Place, Request};
use crate::{Error, Result};

/// The name in the attributes; `None` for an unnamed object, also for the empty name (M38).
pub(crate) fn name(attributes: &Attributes) -> std::result::Result<Option<ObjectName>, Code> {
    // A plain fork has no handles, and must not meet the namespace as its parent left it in the middle of a call.
    record::own()?;
    match &attributes.name {
        None => Ok(None),
        Some(name) => ObjectName::parse_utf16(name),
    }
}

/// The name in the attributes of an Open call, which needs one.
pub(crate) fn required_name(attributes: &Attributes) -> std::result::Result<ObjectName, Code> {
    if attributes.name.is_none() {
        return Err(Code::INVALID_PARAMETER);
    }
    // Nothing is ever registered under the empty name.
    name(attributes)?.ok_or(Code::FILE_NOT_FOUND)
}

/// Whether new named objects are to be files of the namespace: asked for, by everybody or for this object, or
/// needed because other users may open it and cannot reach this process's memory.
pub(crate) fn wants_path(security: &Security) -> bool {
    security.admits_others() || std::env::var_os("TRANSOM_BACKING").is_some_and(|value| value == "path")
}

/// Puts an opened or created object into the table.
pub(crate) fn finish(
    object: Object,
    access: u32,
    hold: Option<namespace::Hold>,
    inherit: bool,
) -> std::result::Result<Handle, Code> {
    let raw = table::insert(object, access, hold.map(Arc::new), inherit)?;
    Handle::from_raw(raw).map_err(|error| error.code())
}

/// CreateEvent, CreateMutex, CreateSemaphore.
pub(crate) fn create_sync(
    attributes: &Attributes,
    kind: Kind,
    blueprint: Blueprint,
    operation: &'static str,
) -> Result<Created<Handle>> {
    create_sync_coded(attributes, kind, blueprint).map_err(|code| attributes.error(operation, code))
}

fn create_sync_coded(
    attributes: &Attributes,
    kind: Kind,
    blueprint: Blueprint,
) -> std::result::Result<Created<Handle>, Code> {
    let security = attributes.security.clone().unwrap_or_default();
    let access = attributes.access.map_or(kind.all_access(), |mask| kind.map_generic(mask));
    let Some(name) = name(attributes)? else {
        let object = SyncObject::create(blueprint, random::cookie(), &security)?;
        let handle = finish(Object::Sync(Arc::new(object)), access, None, attributes.inherit)?;
        return Ok(Created { object: handle, existed: false });
    };
    let path = wants_path(&security);
    let mut fresh = None;
    let request = Request { folder: Folder::Objects, name: &name, kind, access, for_reading_only: false };
    let opened = namespace::create(&request, security.clone(), path, &mut |place, cookie| {
        let (file, seal) = match place {
            Place::Anonymous => (memory_file("transom-object")?, true),
            Place::File(file) => (file, false),
        };
        fresh = Some(Page::fill(&file, blueprint, *cookie, &security, seal)?);
        Ok(Memory { fd: file, facts: Facts::plain(kind, &security, path, *cookie) })
    })?;
    let existed = opened.existed;
    let object = match fresh {
        Some(page) if !existed => page.own(opened.memory.fd),
        _ => SyncObject::open(opened.memory.fd, kind, !opened.memory.facts.backing_path)?,
    };
    let handle = finish(Object::Sync(Arc::new(object)), access, Some(opened.hold), attributes.inherit)?;
    Ok(Created { object: handle, existed })
}

fn memory_file(name: &str) -> std::result::Result<OwnedFd, Code> {
    super::errno::with_room(|| transom_sys::linux::memfd::create(name))
}

/// OpenEvent, OpenMutex, OpenSemaphore.
pub(crate) fn open_sync(attributes: &Attributes, kind: Kind, operation: &'static str) -> Result<Handle> {
    let open = || {
        let access = attributes.access.map_or(kind.all_access(), |mask| kind.map_generic(mask));
        let (opened, access) = open_named(attributes, kind, access, false)?;
        if access == 0 {
            // H43: the name was found, and nothing was asked of it.
            return Err(Code::ACCESS_DENIED);
        }
        let object = SyncObject::open(opened.memory.fd, kind, !opened.memory.facts.backing_path)?;
        finish(Object::Sync(Arc::new(object)), access, Some(opened.hold), attributes.inherit)
    };
    open().map_err(|code| attributes.error(operation, code))
}

/// Finds the object that has the name and checks the rights.
pub(crate) fn open_named(
    attributes: &Attributes,
    kind: Kind,
    access: u32,
    for_reading_only: bool,
) -> std::result::Result<(Opened, u32), Code> {
    let name = required_name(attributes)?;
    let request = Request { folder: Folder::Objects, name: &name, kind, access, for_reading_only };
    Ok((namespace::open(&request)?, access))
}

/// An error of `operation` on a handle.
pub(crate) fn error(operation: &'static str) -> impl Fn(Code) -> Error {
    move |code| Error::new(operation, code)
}
