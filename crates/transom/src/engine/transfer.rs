//! An object as a row of a handle table, and back.
//!
//! A handle travels in three ways, and each needs the row and the descriptors it names: a child inherits
//! them under the numbers in the row ([`adopt`]); another process gets them through its inbox, in the order
//! object, name, record, bells ([`travelling`], [`arrive`]); another process takes them through /proc by the
//! numbers in the row ([`pull`]).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::record::Slot;
use transom_sys::linux::{bell, fd, procfs};

use super::channel::End;
use super::errno::{to_code, with_room};
use super::instance::{Attached, Instance, Parts as ServerParts};
use super::parked;
use super::post::{Inlet, Mailbox, Outlet};
use super::process::ProcessObject;
use super::record::{Inherited, ProcessRecord};
use super::section::{self, Section};
use super::sync::SyncObject;
use super::table::{Descriptor, Entry, Object, PipeEnd};
use super::visit::Visit;
use crate::namespace::imp::Hold;

/// Bit of a pipe's row: the read end.
const READ_END: u32 = 1;
/// Bit of a pipe's row: the server end of a named one.
const SERVER_END: u32 = 2;
/// Bit of a pipe's row: the client end of a named one.
const CLIENT_END: u32 = 4;
/// Bit of a mailslot's row: a client's end.
const WRITER: u32 = 1;
/// Bit of a pipe's row: `FILE_FLAG_OVERLAPPED`.
const OVERLAPPED: u32 = 8;

/// An object that came from another process.
pub(crate) struct Arrived {
    pub(crate) object: Object,
    pub(crate) hold: Option<Arc<Hold>>,
}

/// The descriptors of a row, taken.
#[derive(Default)]
struct Parts {
    object: Option<Descriptor>,
    hold: Option<OwnedFd>,
    record: Option<OwnedFd>,
    /// The bell on which the end sleeps, and that of its peer.
    bells: [Option<OwnedFd>; 2],
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
        Object::Server(instance) => {
            let attached = instance.attached();
            let descriptors = attached.end().descriptors();
            slot.descriptor = number(descriptors.segment);
            slot.bells = [number(descriptors.own), number(descriptors.peer)];
            slot.record = instance.served().map_or(-1, |served| number(served.memory()));
            // Below the number of places on a board.
            slot.detail = instance.index() as u32;
            slot.size = u64::from(attached.generation());
            slot.bits = SERVER_END | if instance.is_overlapped() { OVERLAPPED } else { 0 };
        }
        Object::Client(visit) => {
            let descriptors = visit.end().descriptors();
            slot.descriptor = number(descriptors.segment);
            slot.bells = [number(descriptors.own), number(descriptors.peer)];
            slot.record = number(visit.known().memory());
            slot.bits = CLIENT_END | if visit.is_overlapped() { OVERLAPPED } else { 0 };
        }
        Object::Inlet(inlet) => slot.descriptor = number(inlet.mailbox().descriptor()),
        Object::Outlet(outlet) => {
            slot.descriptor = number(outlet.mailbox().descriptor());
            slot.record = number(outlet.entry());
            slot.bits = WRITER;
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

/// What a message carries beside the row.
pub(crate) struct Travelling<'a> {
    pub(crate) object: Option<BorrowedFd<'a>>,
    pub(crate) record: Option<BorrowedFd<'a>>,
    pub(crate) bells: [Option<BorrowedFd<'a>>; 2],
    /// The end of a named pipe's connection, which has one process more from now on.
    pub(crate) lent: Option<Lent>,
}

/// An end of a connection on its way to another process, which counts as one that has it: else the sender could
/// close its own before the other has picked its up, and the peer would take the end for closed. Dropping this takes
/// the count back; until then the descriptors stay open.
#[must_use]
pub(crate) struct Lent {
    link: Option<Link>,
}

enum Link {
    Server(Arc<Attached>),
    Client(Arc<Visit>),
}

impl Link {
    fn end(&self) -> &End {
        match self {
            Link::Server(attached) => attached.end(),
            Link::Client(visit) => visit.end(),
        }
    }

    fn holders(&self) -> &AtomicU32 {
        match self {
            Link::Server(attached) => &attached.end().words().holders_server,
            Link::Client(visit) => &visit.end().words().holders_client,
        }
    }
}

impl Lent {
    fn new(link: Link) -> Lent {
        link.holders().fetch_add(1, Ordering::AcqRel);
        parked::never(link.end());
        Lent { link: Some(link) }
    }

    /// The other process has it.
    pub(crate) fn handed_over(mut self) {
        self.link = None;
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(link) = &self.link {
            link.holders().fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Does `work` with the row of a handle and what a message about it carries; both belong to the same moment.
pub(crate) fn travelling<T>(entry: &Entry, flags: u32, work: impl FnOnce(Slot, Travelling<'_>) -> T) -> T {
    match &entry.object {
        Object::Server(instance) => {
            instance.share();
            let (attached, served) = (instance.attached(), instance.served());
            let descriptors = attached.end().descriptors();
            let parts = Travelling {
                object: Some(descriptors.segment),
                record: served.as_ref().map(|served| served.memory()),
                bells: [Some(descriptors.own), Some(descriptors.peer)],
                lent: Some(Lent::new(Link::Server(attached.share()))),
            };
            // As it is at this moment.
            let numbers = Slot {
                descriptor: descriptors.segment.as_raw_fd(),
                bells: [descriptors.own.as_raw_fd(), descriptors.peer.as_raw_fd()],
                size: u64::from(attached.generation()),
                ..row(entry, flags)
            };
            work(numbers, parts)
        }
        Object::Client(visit) => {
            let descriptors = visit.end().descriptors();
            let parts = Travelling {
                object: Some(descriptors.segment),
                record: Some(visit.known().memory()),
                bells: [Some(descriptors.own), Some(descriptors.peer)],
                lent: Some(Lent::new(Link::Client(Arc::clone(visit)))),
            };
            work(row(entry, flags), parts)
        }
        object => {
            let (object, record) = plain(object);
            work(row(entry, flags), Travelling { object, record, bells: [None; 2], lent: None })
        }
    }
}

/// The object's and the record's descriptors; those of a named pipe's ends are not among them.
fn plain(object: &Object) -> (Option<BorrowedFd<'_>>, Option<BorrowedFd<'_>>) {
    match object {
        Object::Sync(object) => (Some(object.descriptor()), None),
        Object::Section(section) => (Some(section.descriptor()), None),
        Object::File(file) => (Some(file.as_fd()), None),
        Object::Pipe(pipe) => (Some(pipe.descriptor.as_fd()), None),
        Object::Inlet(inlet) => (Some(inlet.mailbox().descriptor()), None),
        Object::Outlet(outlet) => (Some(outlet.mailbox().descriptor()), Some(outlet.entry())),
        Object::Process(process) | Object::FirstThread(process) => {
            (process.pidfd(), process.record().map(|record| record.descriptor()))
        }
        Object::Server(_) | Object::Client(_) => (None, None),
    }
}

/// Two numbers that are the same for two handles to one object.
pub(crate) fn identity(object: &Object) -> Option<(u64, u64)> {
    let identity = |fd: BorrowedFd<'_>| fd::identity(fd).ok().map(|(device, inode, _)| (device, inode));
    match object {
        Object::Server(instance) => {
            // The segment changes with each client; the place on the board does not.
            let (_, inode) = identity(instance.served()?.memory())?;
            Some((inode, instance.index() as u64))
        }
        Object::Client(visit) => identity(visit.end().descriptors().segment),
        object => plain(object).0.and_then(identity),
    }
}

/// Each descriptor that the object alone has.
pub(crate) fn each_descriptor(object: &Object, see: &mut dyn FnMut(RawFd)) {
    let mut see = |fd: BorrowedFd<'_>| see(fd.as_raw_fd());
    match object {
        Object::Server(instance) => instance.each_descriptor(see),
        Object::Client(visit) => visit.each_descriptor(see),
        object => {
            let (object, record) = plain(object);
            object.into_iter().chain(record).for_each(&mut see);
        }
    }
}

/// The memory that the object's name leads to, in a descriptor of its own.
pub(crate) fn named_memory(object: &Object) -> Result<OwnedFd, Code> {
    let copy = |fd: BorrowedFd<'_>| with_room(|| fd::duplicate(fd));
    match object {
        Object::Server(instance) => copy(instance.served().ok_or(Code::INVALID_HANDLE)?.memory()),
        object => copy(plain(object).0.ok_or(Code::INVALID_HANDLE)?),
    }
}

/// A row whose descriptors this process has inherited under the numbers it names.
pub(crate) fn adopt(row: Inherited) -> Result<Arrived, Code> {
    let standard = || fd::standard(row.slot.descriptor).map(Descriptor::Standard);
    let object = row.object.map(Descriptor::Owned).or_else(standard);
    build(&row.slot, Parts { object, hold: row.hold, record: row.record, bells: row.bells })
}

/// A row whose descriptors came in a message.
pub(crate) fn arrive(slot: &Slot, descriptors: Vec<OwnedFd>) -> Result<Arrived, Code> {
    let mut queue = descriptors.into_iter();
    let mut next = |named: i32| if named >= 0 { queue.next() } else { None };
    // In the order of `Slot::descriptors`.
    let (object, hold, record) = (next(slot.descriptor), next(slot.hold), next(slot.record));
    let bells = slot.bells.map(next);
    build(slot, Parts { object: object.map(Descriptor::Owned), hold, record, bells })
}

/// A row of process `id`, whose descriptors are opened through /proc.
pub(crate) fn pull(slot: &Slot, process: &ProcessObject) -> Result<Arrived, Code> {
    let id = process.id();
    if slot.kind == Kind::Pipe as u32 && slot.bits & (SERVER_END | CLIENT_END) != 0 {
        return pull_named_pipe(slot, id);
    }
    if slot.kind == Kind::Mailslot as u32 {
        return pull_mailslot(slot, id);
    }
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
    let parts = Parts { object: object.map(Descriptor::Owned), ..Parts::default() };
    let mut arrived = build(&Slot { hold: -1, ..*slot }, parts)?;
    if let Some(entry) = entry {
        let memory = match &arrived.object {
            Object::Sync(object) => object.descriptor().as_raw_fd(),
            Object::Section(section) => section.descriptor().as_raw_fd(),
            _ => -1,
        };
        arrived.hold = Some(Arc::new(Hold::join(entry, slot.access, memory)?));
    }
    Ok(arrived)
}

/// An end of a mailslot of process `id`.
fn pull_mailslot(slot: &Slot, id: u32) -> Result<Arrived, Code> {
    let open = |number: RawFd| to_code(procfs::open_descriptor(id, number, true, true));
    let memory = open(slot.descriptor)?;
    if slot.bits & WRITER != 0 {
        return writer(memory, open(slot.record)?);
    }
    let hold = Hold::join(open(slot.hold)?, slot.access, memory.as_raw_fd())?;
    reader(memory, hold)
}

fn writer(memory: OwnedFd, entry: OwnedFd) -> Result<Arrived, Code> {
    let sealed = transom_sys::linux::memfd::is_size_sealed(memory.as_fd());
    let outlet = Outlet::arrive(memory, &entry, sealed)?;
    Ok(Arrived { object: Object::Outlet(Arc::new(outlet)), hold: None })
}

fn reader(memory: OwnedFd, hold: Hold) -> Result<Arrived, Code> {
    let sealed = transom_sys::linux::memfd::is_size_sealed(memory.as_fd());
    let inlet = Inlet::new(Mailbox::open(memory, sealed)?, hold.view()?);
    hold.set_memory_fd(inlet.mailbox().descriptor().as_raw_fd());
    Ok(Arrived { object: Object::Inlet(Arc::new(inlet)), hold: Some(Arc::new(hold)) })
}

/// An end of a named pipe of process `id`.
fn pull_named_pipe(slot: &Slot, id: u32) -> Result<Arrived, Code> {
    let memory = |number: RawFd| to_code(procfs::open_descriptor(id, number, true, true));
    let segment = memory(slot.descriptor)?;
    let board = memory(slot.record)?;
    let own = to_code(bell::open_reader(id, slot.bells[0]))?;
    let peer = to_code(bell::open_ringer(id, slot.bells[1]))?;
    if slot.bits & SERVER_END == 0 {
        return client(slot, segment, own, peer, board, false);
    }
    let hold = Hold::join(memory(slot.hold)?, slot.access, board.as_raw_fd())?;
    let (index, generation) = (slot.detail as usize, slot.size as u32);
    let overlapped = slot.bits & OVERLAPPED != 0;
    server(ServerParts { segment, own, peer, board, hold, index, generation, overlapped, lent: false })
}

fn client(
    slot: &Slot,
    segment: OwnedFd,
    own: OwnedFd,
    peer: OwnedFd,
    board: OwnedFd,
    lent: bool,
) -> Result<Arrived, Code> {
    let visit = Visit::arrive(segment, own, peer, board, slot.bits & OVERLAPPED != 0)?;
    if lent {
        visit.end().words().holders_client.fetch_sub(1, Ordering::AcqRel);
    }
    Ok(Arrived { object: Object::Client(Arc::new(visit)), hold: None })
}

fn server(parts: ServerParts) -> Result<Arrived, Code> {
    if parts.index >= transom_core::board::SLOTS {
        return Err(Code::INVALID_HANDLE);
    }
    let instance = Instance::arrive(parts)?;
    let hold = instance.served().map(|served| Arc::clone(served.hold()));
    Ok(Arrived { object: Object::Server(Arc::new(instance)), hold })
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
fn build(slot: &Slot, parts: Parts) -> Result<Arrived, Code> {
    let kind = Kind::from_u32(slot.kind).ok_or(Code::INVALID_HANDLE)?;
    if kind == Kind::Pipe && slot.bits & (SERVER_END | CLIENT_END) != 0 {
        return build_named_pipe(slot, parts);
    }
    if kind == Kind::Mailslot {
        return build_mailslot(slot, parts);
    }
    let Parts { object: descriptor, hold, record, .. } = parts;
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
        // Has been dealt with; a desktop does not travel.
        Kind::Mailslot | Kind::Desktop => return Err(Code::INVALID_HANDLE),
        Kind::Pipe => {
            let descriptor = descriptor.ok_or(Code::INVALID_HANDLE)?;
            Object::Pipe(Arc::new(PipeEnd::new(descriptor, slot.detail, slot.bits & READ_END != 0)))
        }
    };
    let hold = match hold {
        Some(fd) => {
            let hold = Hold::adopt(fd, slot.hold_slot)?;
            match &object {
                Object::Sync(object) => hold.set_memory_fd(object.descriptor().as_raw_fd()),
                Object::Section(section) => hold.set_memory_fd(section.descriptor().as_raw_fd()),
                _ => {}
            }
            Some(Arc::new(hold))
        }
        None => None,
    };
    Ok(Arrived { object, hold })
}

fn build_mailslot(slot: &Slot, parts: Parts) -> Result<Arrived, Code> {
    let Some(Descriptor::Owned(memory)) = parts.object else { return Err(Code::INVALID_HANDLE) };
    if slot.bits & WRITER != 0 {
        return writer(memory, parts.record.ok_or(Code::INVALID_HANDLE)?);
    }
    let hold = Hold::adopt(parts.hold.ok_or(Code::INVALID_HANDLE)?, slot.hold_slot)?;
    reader(memory, hold)
}

fn build_named_pipe(slot: &Slot, parts: Parts) -> Result<Arrived, Code> {
    let (Some(Descriptor::Owned(segment)), Some(board), [Some(own), Some(peer)]) =
        (parts.object, parts.record, parts.bells)
    else {
        return Err(Code::INVALID_HANDLE);
    };
    if slot.bits & SERVER_END == 0 {
        return client(slot, segment, own, peer, board, true);
    }
    let hold = Hold::adopt(parts.hold.ok_or(Code::INVALID_HANDLE)?, slot.hold_slot)?;
    let (index, generation) = (slot.detail as usize, slot.size as u32);
    let overlapped = slot.bits & OVERLAPPED != 0;
    server(ServerParts { segment, own, peer, board, hold, index, generation, overlapped, lent: true })
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
