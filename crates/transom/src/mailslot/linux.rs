//! Mailslots on Linux: [`crate::engine::post`] by its name.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use transom_core::access::{
    FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_READ_ATTRIBUTES, FILE_READ_DATA, FILE_WRITE_DATA, Kind,
    SYNCHRONIZE,
};
use transom_core::code::Code;
use transom_core::name::{MailslotName, Scope};
use transom_sys::linux::{futex, host};

use super::{Info, Options, Writer};
use crate::engine::errno::with_room;
use crate::engine::named::{error, finish, wants_path};
use crate::engine::post::{Inlet, Mailbox, Outlet, Until};
use crate::engine::record;
use crate::engine::table::Object;
use crate::error::Result;
use crate::handle::{FromHandle, Handle};
use crate::namespace::imp::{self as namespace, Facts, Folder, Memory, Place, Request};
use crate::wait::Timeout;

#[path = "linux/ext.rs"]
pub mod ext;

type Coded<T> = std::result::Result<T, Code>;

fn name(units: &[u16]) -> Coded<MailslotName> {
    // A plain fork has no handles, and must not meet the namespace as its parent left it in the middle of a call.
    record::own()?;
    MailslotName::parse_utf16(units, &host::computer())
}

pub(super) fn create(options: &Options) -> Result<Handle> {
    try_create(options).map_err(error("create mailslot"))
}

fn try_create(options: &Options) -> Coded<Handle> {
    let local = name(&options.name)?.for_server()?;
    let security = options.security.clone().unwrap_or_default();
    let path = wants_path(&security);
    let scope = if security.admits_others() { Scope::Global } else { Scope::Local };
    let object = local.object(scope);
    let request = Request {
        folder: Folder::Mailslots,
        name: &object,
        kind: Kind::Mailslot,
        access: 0,
        for_reading_only: false,
    };
    let mut made = None;
    let opened = namespace::create(&request, security.clone(), path, &mut |place, cookie| {
        let (file, seal) = match place {
            Place::Anonymous => (with_room(|| transom_sys::linux::memfd::create("transom-mailslot"))?, true),
            Place::File(file) => (file, false),
        };
        let fd = with_room(|| transom_sys::linux::fd::duplicate(&file))?;
        made =
            Some(Mailbox::create(file, cookie, options.max_message, options.read_timeout.as_millis(), seal)?);
        let facts = Facts::plain(Kind::Mailslot, &security, path, *cookie);
        Ok(Memory { fd, facts })
    })?;
    // S2: unlike with other objects, a name that exists gives no handle.
    let (false, Some(mailbox)) = (opened.existed, made) else { return Err(Code::ALREADY_EXISTS) };
    let entry = opened.hold.view()?;
    opened.hold.set_memory_fd(std::os::fd::AsRawFd::as_raw_fd(&mailbox.descriptor()));
    let inlet = Object::Inlet(Arc::new(Inlet::new(mailbox, entry)));
    finish(inlet, FILE_GENERIC_READ, Some(opened.hold), options.inherit)
}

pub(super) fn open(units: &[u16], inherit: bool) -> Result<Handle> {
    try_open(units, FILE_GENERIC_WRITE, inherit).map_err(error("open mailslot"))
}

fn try_open(units: &[u16], rights: u32, inherit: bool) -> Coded<Handle> {
    let local = match name(units)? {
        MailslotName::Local(local) => local,
        MailslotName::Remote { target, name } => {
            let opened = crate::net::open(&target, &name).map(Writer::into_handle);
            return opened.map_err(|error| error.code());
        }
    };
    let mut refused = Code::FILE_NOT_FOUND;
    // The user's own first; then those that admit others.
    for scope in [Scope::Local, Scope::Global] {
        if !namespace::has_folder(scope, Folder::Mailslots) {
            continue;
        }
        let object = local.object(scope);
        let request = Request {
            folder: Folder::Mailslots,
            name: &object,
            kind: Kind::Mailslot,
            access: FILE_WRITE_DATA,
            for_reading_only: false,
        };
        match namespace::look_up(&request) {
            Ok((memory, entry)) => {
                let mailbox = Mailbox::open(memory.fd, !memory.facts.backing_path)?;
                let outlet = Outlet::new(mailbox, entry);
                if ext::writes(rights) {
                    outlet.take_lane()?;
                }
                let rights = rights | SYNCHRONIZE | FILE_READ_ATTRIBUTES;
                return finish(Object::Outlet(Arc::new(outlet)), rights, None, inherit);
            }
            Err(Code::FILE_NOT_FOUND) => {}
            Err(code) => refused = code,
        }
    }
    Err(refused)
}

fn inlet(handle: &Handle, rights: u32) -> Coded<&Arc<Inlet>> {
    let entry = &handle.resolved.0;
    match &entry.object {
        Object::Inlet(inlet) => {
            entry.check(rights)?;
            Ok(inlet)
        }
        // S30: a writer's handle has not the right.
        Object::Outlet(_) => entry.check(0).and(Err(Code::ACCESS_DENIED)),
        _ => Err(Code::INVALID_HANDLE),
    }
}

/// When a read ends: as the caller says, or as the mailslot does (S20).
fn until(inlet: &Inlet, timeout: Option<Timeout>) -> Until {
    let own = || Timeout::millis(inlet.mailbox().header().timeout().load(Ordering::Relaxed));
    let timeout = timeout.unwrap_or_else(own);
    if timeout == Timeout::ZERO {
        return Until::Now;
    }
    timeout.deadline_nanos(futex::now()).map_or(Until::Message, Until::Moment)
}

pub(super) fn receive(handle: &Handle, buffer: &mut [u8], timeout: Option<Timeout>) -> Result<usize> {
    inlet(handle, FILE_READ_DATA)
        .and_then(|inlet| inlet.receive(buffer, until(inlet, timeout)))
        .map_err(error("read mailslot"))
}

pub(super) fn receive_many(handle: &Handle, most: usize, each: &mut dyn FnMut(&[u8])) -> Result<usize> {
    inlet(handle, FILE_READ_DATA)
        .and_then(|inlet| inlet.receive_many(most, until(inlet, None), each))
        .map_err(error("read mailslot"))
}

/// The server end of a handle, for the calls that ask no right; a writer's is none (section 2).
fn served(handle: &Handle) -> Coded<&Arc<Inlet>> {
    inlet(handle, 0).map_err(|code| if code == Code::ACCESS_DENIED { Code::INVALID_HANDLE } else { code })
}

pub(super) fn info(handle: &Handle) -> Result<Info> {
    let info = || {
        let inlet = served(handle)?;
        let snapshot = inlet.snapshot()?;
        let longest = inlet.mailbox().longest();
        Ok(Info {
            max_message: (longest != 0).then_some(longest),
            next: snapshot.next,
            count: u32::try_from(snapshot.count).unwrap_or(u32::MAX),
            read_timeout: Timeout::millis(inlet.mailbox().header().timeout().load(Ordering::Relaxed)),
        })
    };
    info().map_err(error("get mailslot information"))
}

pub(super) fn set_timeout(handle: &Handle, timeout: Timeout) -> Result<()> {
    served(handle)
        .map(|inlet| inlet.mailbox().header().timeout().store(timeout.as_millis(), Ordering::Relaxed))
        .map_err(error("set mailslot information"))
}

pub(super) fn send(handle: &Handle, message: &[u8]) -> Result<()> {
    let send = || {
        let entry = &handle.resolved.0;
        match &entry.object {
            Object::Outlet(outlet) => {
                entry.check(FILE_WRITE_DATA)?;
                outlet.send(message)
            }
            Object::Inlet(_) => entry.check(0).and(Err(Code::ACCESS_DENIED)),
            _ => Err(Code::INVALID_HANDLE),
        }
    };
    send().map_err(error("write mailslot"))
}

pub(super) fn cancel(handle: &Handle) -> Result<()> {
    match served(handle) {
        Ok(inlet) if inlet.cancel() => Ok(()),
        Ok(_) => Err(error("cancel")(Code::NOT_FOUND)),
        Err(code) => Err(error("cancel")(code)),
    }
}
