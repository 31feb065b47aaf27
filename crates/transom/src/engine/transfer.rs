//! An object as a row of a handle table, and back.
//!
//! A handle travels in three ways, and each needs the row and the descriptors it names: a child inherits
//! them under the numbers in the row ([`adopt`]); another process gets them through its inbox, in the order
//! object, name, record ([`descriptors`], [`arrive`]); another process takes them through /proc by the
//! numbers in the row ([`pull`]).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::record::Slot;
use transom_sys::linux::{fd, procfs};

use super::errno::{to_code, with_room};
use super::process::ProcessObject;
use super::record::{Inherited, ProcessRecord};
use super::section::{self, Section};
use super::sync::SyncObject;
use super::table::{Descriptor, Entry, Object, PipeEnd};
use crate::namespace::imp::Hold;

/// Bit of a pipe's row: the read end.
const READ_END: u32 = 1;

/// An object that came from another process.
pub(crate) struct Arrived {
    pub(crate) object: Object,
    pub(crate) hold: Option<Hold>,
}

/// The row of a handle, with descriptor numbers as they are in this process.
pub(crate) fn row(entry: &Entry, flags: u32) -> Slot {
    let number = |fd: BorrowedFd<'_>| fd.as_raw_fd();
    let mut slot = Slot { kind: entry.object.kind() as u32, access: entry.access, flags, ..Slot::EMPTY };
    match &entry.object {
        Object::Sync(object) => slot.descriptor = number(object.descriptor()),
        Object::Section(section) => {
            slot.descriptor = number(section.descriptor());
            slot.size = section.size();
            slot.detail = section.protect();
            slot.bits = section.bits();
        }
        Object::File(file) => slot.descriptor = number(file.as_fd()),
        Object::Pipe(pipe) => {
            slot.descriptor = number(pipe.descriptor.as_fd());
            slot.detail = pipe.quota;
            slot.bits = if pipe.reader { READ_END } else { 0 };
        }
        Object::Process(process) | Object::FirstThread(process) => {
            slot.descriptor = process.pidfd().map_or(-1, number);
            slot.record = process.record().map_or(-1, |record| number(record.descriptor()));
            slot.detail = process.id();
            // A thread of this kind has no page of its own.
            slot.bits = u32::from(matches!(entry.object, Object::FirstThread(_)));
        }
    }
    if let Some(hold) = entry.hold() {
        slot.hold = hold.raw_fd();
        slot.hold_slot = hold.slot();
    }
    slot
}

/// The object's and the record's descriptors, as a message carries them.
pub(crate) fn descriptors(entry: &Entry) -> (Option<BorrowedFd<'_>>, Option<BorrowedFd<'_>>) {
    match &entry.object {
        Object::Sync(object) => (Some(object.descriptor()), None),
        Object::Section(section) => (Some(section.descriptor()), None),
        Object::File(file) => (Some(file.as_fd()), None),
        Object::Pipe(pipe) => (Some(pipe.descriptor.as_fd()), None),
        Object::Process(process) | Object::FirstThread(process) => {
            (process.pidfd(), process.record().map(|record| record.descriptor()))
        }
    }
}

/// A row whose descriptors this process has inherited under the numbers it names.
pub(crate) fn adopt(row: Inherited) -> Result<Arrived, Code> {
    let standard = || fd::standard(row.slot.descriptor).map(Descriptor::Standard);
    let object = row.object.map(Descriptor::Owned).or_else(standard);
    build(&row.slot, object, row.hold, row.record)
}

/// A row whose descriptors came in a message.
pub(crate) fn arrive(slot: &Slot, descriptors: Vec<OwnedFd>) -> Result<Arrived, Code> {
    let mut queue = descriptors.into_iter();
    let mut next = |named: i32| if named >= 0 { queue.next() } else { None };
    let (object, hold, record) = (next(slot.descriptor), next(slot.hold), next(slot.record));
    build(slot, object.map(Descriptor::Owned), hold, record)
}

/// A row of process `id`, whose descriptors are opened through /proc.
pub(crate) fn pull(slot: &Slot, process: &ProcessObject) -> Result<Arrived, Code> {
    let id = process.id();
    let open = |number: RawFd, read: bool, write: bool| procfs::open_descriptor(id, number, read, write);
    let object = if slot.descriptor < 0 {
        None
    } else {
        Some(match Kind::from_u32(slot.kind) {
            Some(Kind::Process) => return pull_process(slot.detail, false),
            Some(Kind::Thread) if slot.bits != 0 => return pull_process(slot.detail, true),
            Some(Kind::Pipe) => {
                to_code(open(slot.descriptor, slot.bits & READ_END != 0, slot.bits & READ_END == 0))?
            }
            Some(Kind::File) => to_code(pull_file(process, slot))?,
            Some(Kind::Mapping) => {
                to_code(open(slot.descriptor, true, true).or_else(|_| open(slot.descriptor, true, false)))?
            }
            _ => to_code(open(slot.descriptor, true, true))?,
        })
    };
    let entry = if slot.hold < 0 { None } else { open(slot.hold, true, true).ok() };
    let mut arrived = build(&Slot { hold: -1, ..*slot }, object.map(Descriptor::Owned), None, None)?;
    if let Some(entry) = entry {
        let memory = match &arrived.object {
            Object::Sync(object) => object.descriptor().as_raw_fd(),
            Object::Section(section) => section.descriptor().as_raw_fd(),
            _ => -1,
        };
        arrived.hold = Some(Hold::join(entry, slot.access, memory)?);
    }
    Ok(arrived)
}

fn pull_process(id: u32, thread: bool) -> Result<Arrived, Code> {
    let process = ProcessObject::open(id)?;
    Ok(Arrived {
        object: if thread { Object::FirstThread(process) } else { Object::Process(process) },
        hold: None,
    })
}

/// A file keeps its position when it is duplicated (H26), which only a descriptor of the same open file does;
/// where that is not allowed, a new open file has to do.
fn pull_file(process: &ProcessObject, slot: &Slot) -> Result<OwnedFd, transom_sys::linux::Errno> {
    if let Some(pidfd) = process.pidfd()
        && let Ok(same) = fd::take(pidfd, slot.descriptor)
    {
        return Ok(same);
    }
    let read = slot.access & transom_core::access::FILE_READ_DATA != 0;
    let write = slot.access & transom_core::access::FILE_WRITE_DATA != 0;
    procfs::open_descriptor(process.id(), slot.descriptor, read, write)
}

/// Makes the object of a row. Everything in the row is checked against the descriptors.
fn build(
    slot: &Slot,
    descriptor: Option<Descriptor>,
    hold: Option<OwnedFd>,
    record: Option<OwnedFd>,
) -> Result<Arrived, Code> {
    let kind = Kind::from_u32(slot.kind).ok_or(Code::INVALID_HANDLE)?;
    let owned = |descriptor: Option<Descriptor>| match descriptor {
        Some(Descriptor::Owned(fd)) => Ok(fd),
        Some(Descriptor::Standard(fd)) => with_room(|| fd::duplicate(fd)),
        None => Err(Code::INVALID_HANDLE),
    };
    let object = match kind {
        Kind::Thread if slot.bits != 0 => Object::FirstThread(process(slot, descriptor, record)?),
        Kind::Process => Object::Process(process(slot, descriptor, record)?),
        Kind::Event | Kind::Mutex | Kind::Semaphore | Kind::Thread => {
            let memory = owned(descriptor)?;
            // Path-backed objects are files of the namespace, which cannot be sealed.
            let sealed = transom_sys::linux::memfd::is_size_sealed(memory.as_fd());
            Object::Sync(Arc::new(SyncObject::open(memory, kind, sealed)?))
        }
        Kind::Mapping => {
            let bits = slot.bits & (section::PATH_BACKED | section::OVER_FILE);
            let memory = owned(descriptor)?;
            if bits & section::OVER_FILE != 0 {
                let _ = transom_sys::linux::file::mark_mapped(&memory, slot.size);
            }
            Object::Section(Arc::new(Section::new(memory, slot.size, slot.detail, bits)?))
        }
        Kind::File => Object::File(Arc::new(descriptor.ok_or(Code::INVALID_HANDLE)?)),
        Kind::Pipe => Object::Pipe(Arc::new(PipeEnd {
            descriptor: descriptor.ok_or(Code::INVALID_HANDLE)?,
            quota: slot.detail,
            reader: slot.bits & READ_END != 0,
        })),
    };
    let hold = match hold {
        Some(fd) => {
            let hold = Hold::adopt(fd, slot.hold_slot)?;
            match &object {
                Object::Sync(object) => hold.set_memory_fd(object.descriptor().as_raw_fd()),
                Object::Section(section) => hold.set_memory_fd(section.descriptor().as_raw_fd()),
                _ => {}
            }
            Some(hold)
        }
        None => None,
    };
    Ok(Arrived { object, hold })
}

fn process(
    slot: &Slot,
    descriptor: Option<Descriptor>,
    record: Option<OwnedFd>,
) -> Result<Arc<ProcessObject>, Code> {
    let pidfd = match descriptor {
        Some(Descriptor::Owned(fd)) => Some(fd),
        _ => None,
    };
    let record = record.and_then(|fd| ProcessRecord::open(fd).ok()).map(Arc::new);
    if pidfd.is_none() && record.is_none() {
        return Err(Code::INVALID_HANDLE);
    }
    Ok(ProcessObject::known(slot.detail, pidfd, record, None))
}

/// The number a row names for a descriptor that travels along, or a marker that it does.
pub(crate) fn marked(present: bool) -> i32 {
    if present { 0 } else { -1 }
}
