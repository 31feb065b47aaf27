//! Handles on Linux: rows of the table in [`crate::engine::table`].

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, PoisonError};

use transom_core::access::{Kind, PROCESS_DUP_HANDLE};
use transom_core::code::Code;
use transom_core::record::{Slot, SlotState, handle_value, process as layout, slot_index};
use transom_sys::linux::fault::step;

use super::{DuplicateOptions, Handle, HandleFlags, RawHandle};
use crate::engine::named::error;
use crate::engine::process::ProcessObject;
use crate::engine::record::ProcessRecord;
use crate::engine::sync::SyncObject;
use crate::engine::table::{self, Entry, INHERIT, Object, PROTECT};
use crate::engine::{inbox, transfer};
use crate::error::Result;
use crate::process::Process;

/// What a value stood for when it was looked up.
#[derive(Clone)]
pub(crate) struct Resolved(pub(crate) Arc<Entry>);

impl Resolved {
    /// A pseudo handle; the object behind it is found out when it is needed.
    pub(crate) fn pseudo(raw: RawHandle) -> Resolved {
        let object = if raw == RawHandle::CURRENT_THREAD {
            crate::thread::imp::current_object().map(Object::Sync)
        } else {
            ProcessObject::own().map(Object::Process)
        };
        // Without a record (after a fork, or without descriptors) the pseudo handle is of a process that is gone:
        // every call with it fails.
        let object = object.unwrap_or_else(|_| Object::Process(ProcessObject::known(0, None, None, None)));
        Resolved(Arc::new(Entry::pseudo(object)))
    }

    /// The object as one of `kind`, if the handle has `rights`.
    pub(crate) fn sync(&self, kind: Kind, rights: u32) -> std::result::Result<&Arc<SyncObject>, Code> {
        match &self.0.object {
            Object::Sync(object) if object.kind() == kind => {
                self.0.check(rights)?;
                Ok(object)
            }
            _ => Err(Code::INVALID_HANDLE),
        }
    }

    /// The object as a process, if the handle has `rights`.
    pub(crate) fn process(&self, rights: u32) -> std::result::Result<&Arc<ProcessObject>, Code> {
        match &self.0.object {
            Object::Process(process) => {
                self.0.check(rights)?;
                Ok(process)
            }
            _ => Err(Code::INVALID_HANDLE),
        }
    }
}

pub(crate) fn resolve(raw: RawHandle) -> Result<Resolved> {
    if raw.is_pseudo() {
        return Ok(Resolved::pseudo(raw));
    }
    table::lookup(raw).map(Resolved).map_err(error("look up handle"))
}

pub(crate) fn close(raw: RawHandle) -> Result<()> {
    if raw.is_pseudo() {
        return Ok(());
    }
    release_kept();
    table::close(raw).map_err(error("close handle"))
}

pub(crate) fn kind(handle: &Handle) -> Option<Kind> {
    Some(handle.resolved.0.object.kind())
}

pub(crate) fn information(handle: &Handle) -> Result<HandleFlags> {
    let flags = match handle.as_raw().is_pseudo() {
        true => 0,
        false => table::flags(&handle.resolved.0).map_err(error("get handle information"))?,
    };
    Ok(HandleFlags { inherit: flags & INHERIT != 0, protect_from_close: flags & PROTECT != 0 })
}

pub(crate) fn set_information(handle: &Handle, flags: HandleFlags) -> Result<()> {
    let bits = if flags.inherit { INHERIT } else { 0 } | if flags.protect_from_close { PROTECT } else { 0 };
    table::set_flags(&handle.resolved.0, bits).map_err(error("set handle information"))
}

pub(crate) fn same_object(a: &Handle, b: &Handle) -> bool {
    match (&a.resolved.0.object, &b.resolved.0.object) {
        (Object::Sync(a), Object::Sync(b)) => crate::engine::sync::same(a, b),
        (Object::Process(a), Object::Process(b)) | (Object::FirstThread(a), Object::FirstThread(b)) => {
            a.id() == b.id()
        }
        _ => {
            let identity = |handle: &Handle| transfer::identity(&handle.resolved.0.object);
            a.kind() == b.kind() && identity(a).is_some() && identity(a) == identity(b)
        }
    }
}

pub(crate) fn duplicate(
    source: &Process,
    raw: RawHandle,
    target: &Process,
    options: DuplicateOptions,
) -> Result<RawHandle> {
    let error = error("duplicate handle");
    let from = source.0.resolved.process(PROCESS_DUP_HANDLE).map_err(&error)?;
    let to = target.0.resolved.process(PROCESS_DUP_HANDLE);
    let entry = take(from, raw).map_err(&error)?;
    let duplicated = match &to {
        Ok(to) => grant(&entry, options.access).and_then(|access| give(to, &entry, access, options.inherit)),
        Err(code) => Err(*code),
    };
    if options.close_source {
        // Whatever happened (H31).
        let _ = close_source(from, raw);
    }
    duplicated.map_err(error)
}

pub(crate) fn close_in(process: &Process, raw: RawHandle) -> Result<()> {
    let error = error("close handle of another process");
    let from = process.0.resolved.process(PROCESS_DUP_HANDLE).map_err(&error)?;
    close_source(from, raw).map_err(error)
}

/// The handle `raw` of process `from`.
fn take(from: &Arc<ProcessObject>, raw: RawHandle) -> std::result::Result<Arc<Entry>, Code> {
    if raw.is_pseudo() {
        // Means the source process, whoever asks.
        return if from.is_own() {
            Ok(Resolved::pseudo(raw).0)
        } else {
            Ok(Arc::new(Entry::pseudo(Object::Process(Arc::clone(from)))))
        };
    }
    if from.is_own() {
        return table::lookup(raw);
    }
    let record = from.record().filter(|_| !from.has_ended()).ok_or(Code::INVALID_HANDLE)?;
    let index = slot_index(raw.value()).ok_or(Code::INVALID_HANDLE)?;
    let slot = record.slot(index).ok_or(Code::INVALID_HANDLE)?;
    let arrived = transfer::pull(&slot, from)?;
    // Still the same handle: else what was opened may be another's.
    if record.slot(index) != Some(slot) {
        return Err(Code::INVALID_HANDLE);
    }
    Ok(Arc::new(Entry::detached(arrived.object, slot.access, arrived.hold)))
}

/// The rights of the new handle (H27–H30).
fn grant(entry: &Entry, wanted: Option<u32>) -> std::result::Result<u32, Code> {
    let kind = entry.object.kind();
    let Some(wanted) = wanted else { return Ok(entry.access) };
    let mut wanted = kind.map_generic(wanted);
    if matches!(kind, Kind::Event | Kind::Mutex | Kind::Semaphore) {
        // What is no right of the kind is dropped here, where opening by name refuses it.
        wanted &= kind.all_access();
    }
    let more = wanted & !entry.access != 0;
    if more && matches!(kind, Kind::File | Kind::Pipe) {
        return Err(Code::ACCESS_DENIED);
    }
    if more && let Object::Sync(object) = &entry.object {
        let granted = object.security().granted(kind, true, false);
        if wanted & !(granted | entry.access) != 0 {
            return Err(Code::ACCESS_DENIED);
        }
    }
    Ok(wanted)
}

/// Puts a second handle to the entry's object into process `to`.
fn give(
    to: &Arc<ProcessObject>,
    entry: &Arc<Entry>,
    access: u32,
    inherit: bool,
) -> std::result::Result<RawHandle, Code> {
    if to.is_own() {
        let object = match &entry.object {
            // Each handle to a process lives by itself; the objects are shared.
            Object::Process(process) if process.is_own() => Object::Process(ProcessObject::own()?),
            object => object.clone(),
        };
        return table::insert(object, access, entry.hold(), inherit);
    }
    let record = to.record().filter(|_| !to.has_ended()).ok_or(Code::INVALID_HANDLE)?;
    let index =
        (0..layout::SLOT_COUNT).find(|index| record.reserve(*index)).ok_or(Code::TOO_MANY_OPEN_FILES)?;
    step("row-reserved-in-target");
    let sent = send(to, record, index, entry, access, inherit);
    if sent.is_err() && record.head(index).1 == SlotState::Reserved {
        record.free(index);
    }
    sent.map(|()| RawHandle::new(handle_value(index)))
}

fn send(
    to: &Arc<ProcessObject>,
    record: &ProcessRecord,
    index: usize,
    entry: &Entry,
    access: u32,
    inherit: bool,
) -> std::result::Result<(), Code> {
    // The name is held for the target from now on, also while the handle waits in its inbox.
    let hold = match entry.hold() {
        Some(hold) => {
            let hold = hold.for_child(access, -1)?;
            if let Object::Server(instance) = &entry.object {
                hold.keep_instance(instance.index())?;
            }
            let memory = transfer::named_memory(&entry.object)?;
            hold.set_process_and_keeper(to.id(), keep(to, index, memory));
            Some(hold)
        }
        None => None,
    };
    let sent = transfer::travelling(entry, if inherit { INHERIT } else { 0 }, |row, parts| {
        let slot = Slot {
            access,
            descriptor: transfer::marked(parts.object.is_some()),
            hold: transfer::marked(hold.is_some()),
            hold_slot: hold.as_ref().map_or(0, |hold| hold.slot()),
            record: transfer::marked(parts.record.is_some()),
            bells: parts.bells.map(|bell| transfer::marked(bell.is_some())),
            ..row
        };
        // In the order of `Slot::descriptors`.
        let held = hold.as_ref().map(|hold| hold.fd());
        let bells = parts.bells.into_iter().flatten();
        let descriptors: Vec<_> =
            parts.object.into_iter().chain(held).chain(parts.record).chain(bells).collect();
        step("name-held-for-target");
        inbox::deliver(record, index, &slot, &descriptors)?;
        if let Some(lent) = parts.lent {
            lent.handed_over();
        }
        Ok(())
    });
    sent?;
    step("handle-delivered");
    if let Some(hold) = hold {
        hold.handed_over();
    }
    Ok(())
}

/// Memory of named objects that this process put into others which have not picked it up: until they do, whoever
/// opens the name comes here for it (see `Holder::kept`).
static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());

struct Kept {
    _memory: OwnedFd,
    target: Arc<ProcessObject>,
    index: usize,
}

impl Kept {
    fn is_needed(&self) -> bool {
        let waits = |record: &Arc<ProcessRecord>| record.head(self.index).1 == SlotState::Reserved;
        !self.target.has_ended() && self.target.record().is_some_and(waits)
    }
}

/// Keeps the memory until the target has picked it up; its number here.
fn keep(target: &Arc<ProcessObject>, index: usize, memory: OwnedFd) -> RawFd {
    let number = memory.as_raw_fd();
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.retain(Kept::is_needed);
    kept.push(Kept { _memory: memory, target: Arc::clone(target), index });
    number
}

/// Lets go of what has been picked up.
fn release_kept() {
    // Whoever holds the lock does the same.
    if let Ok(mut kept) = KEPT.try_lock() {
        kept.retain(Kept::is_needed);
    }
}

/// Closes the source of a duplication (H31, H32).
fn close_source(from: &Arc<ProcessObject>, raw: RawHandle) -> std::result::Result<(), Code> {
    if raw.is_pseudo() {
        return Ok(());
    }
    if from.is_own() {
        return table::close(raw);
    }
    let record = from.record().ok_or(Code::INVALID_HANDLE)?;
    let index = slot_index(raw.value()).ok_or(Code::INVALID_HANDLE)?;
    if record.close_remotely(index) { Ok(()) } else { Err(Code::INVALID_HANDLE) }
}

/// Linux's own conversions: descriptors of files and pipes.
pub mod ext {
    use std::fs::File;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
    use std::path::Path;
    use std::sync::Arc;

    use transom_core::access::{FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_WRITE_DATA, Kind};
    use transom_core::code::Code;
    use transom_sys::linux::{Errno, fd, file};

    use crate::engine::errno::{code, to_code};
    use crate::engine::named::error;
    use crate::engine::table::{self, Descriptor, Object, PipeEnd};
    use crate::error::Result;
    use crate::handle::Handle;

    /// A handle to what `descriptor` has open: `kind` is [`Kind::File`] or [`Kind::Pipe`], `access` its rights.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): another kind. `ERROR_TOO_MANY_OPEN_FILES` (4).
    pub fn from_fd(descriptor: OwnedFd, kind: Kind, access: u32, inherit: bool) -> Result<Handle> {
        let error = error("make handle of descriptor");
        let descriptor =
            Descriptor::Owned(fd::above_standard(descriptor).map_err(|errno| error(code(errno)))?);
        let object = match kind {
            Kind::File => Object::File(Arc::new(descriptor)),
            Kind::Pipe => {
                let reader = access & FILE_WRITE_DATA == 0;
                Object::Pipe(Arc::new(PipeEnd::new(descriptor, crate::pipe::imp::DEFAULT_QUOTA, reader)))
            }
            _ => return Err(error(Code::INVALID_PARAMETER)),
        };
        Handle::from_raw(table::insert(object, access, None, inherit).map_err(error)?)
    }

    /// A handle to a Rust file, with the rights it was opened with.
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4).
    pub fn adopt_file(file: File, inherit: bool) -> Result<Handle> {
        let (read, write) = fd::access_mode(&file).map_err(|errno| error("adopt file")(code(errno)))?;
        let access = if read { FILE_GENERIC_READ } else { 0 } | if write { FILE_GENERIC_WRITE } else { 0 };
        from_fd(OwnedFd::from(file), Kind::File, access, inherit)
    }

    /// The descriptor behind a handle to a file or a pipe end.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): another kind. `ERROR_ACCESS_DENIED` (5): the handle lacks `access`.
    pub fn as_fd(handle: &Handle, access: u32) -> Result<BorrowedFd<'_>> {
        let error = error("get descriptor of handle");
        let entry = &handle.resolved.0;
        let descriptor = match &entry.object {
            Object::File(file) => file.as_fd(),
            Object::Pipe(pipe) => pipe.descriptor.as_fd(),
            _ => return Err(error(Code::INVALID_HANDLE)),
        };
        entry.check(access).map_err(error)?;
        Ok(descriptor)
    }

    /// The rights of a handle.
    #[must_use]
    pub fn granted_access(handle: &Handle) -> u32 {
        handle.resolved.0.access
    }

    /// `SetEndOfFile` at a given place.
    ///
    /// # Errors
    /// `ERROR_USER_MAPPED_FILE` (1224): a section or view covers what would be cut off (M50).
    /// `ERROR_ACCESS_DENIED` (5): the handle cannot write. `ERROR_DISK_FULL` (112).
    pub fn set_file_length(handle: &Handle, length: u64) -> Result<()> {
        let error = error("set end of file");
        let descriptor = as_fd(handle, FILE_WRITE_DATA)?;
        let (_, _, now) = to_code(fd::identity(descriptor)).map_err(&error)?;
        if length < now && file::mapped_beyond(descriptor, length) == Ok(true) {
            return Err(error(Code::USER_MAPPED_FILE));
        }
        if length > now && file::size_limit().is_some_and(|limit| length > limit) {
            return Err(error(Code::DISK_FULL));
        }
        file::set_length(descriptor, length).map_err(|errno| match errno {
            Errno::INVAL => error(Code::INVALID_PARAMETER),
            other => error(code(other)),
        })
    }

    /// Whether a section or view over the file at `path` exists in any process that uses this library; such a
    /// file is not to be deleted (M51).
    #[must_use]
    pub fn file_is_mapped(path: &Path) -> bool {
        File::open(path).is_ok_and(|opened| file::mapped_beyond(&opened, 0) == Ok(true))
    }
}
