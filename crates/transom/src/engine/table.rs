//! The handle table: values ↔ objects of this process.
//!
//! Two halves. The *objects* are this process's own and stand in a vector behind a lock. The *rows*, what
//! each handle is in numbers, stand in the process's record, where other processes can read them (to take a
//! handle) and reserve one (to put a handle here). A row that another process closed or filled is noticed
//! when its value is next used; no thread waits for that.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use transom_sys::linux::fault::step;
use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::record::{SlotState, handle_value, process as layout, slot_index};

use super::process::ProcessObject;
use super::record::{self, Own};
use super::section::Section;
use super::sync::SyncObject;
use super::{inbox, transfer};
use crate::handle::RawHandle;
use crate::namespace::imp::Hold;

/// Bit of a row's flags: inheritable.
pub(crate) const INHERIT: u32 = 1;
/// Bit of a row's flags: protected from closing.
pub(crate) const PROTECT: u32 = 2;

/// A descriptor that is ours, or one of the three that are everybody's.
#[derive(Debug)]
pub(crate) enum Descriptor {
    Owned(OwnedFd),
    Standard(BorrowedFd<'static>),
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Descriptor::Owned(fd) => fd.as_fd(),
            Descriptor::Standard(fd) => *fd,
        }
    }
}

/// An end of an anonymous pipe.
#[derive(Debug)]
pub(crate) struct PipeEnd {
    pub(crate) descriptor: Descriptor,
    pub(crate) quota: u32,
    pub(crate) reader: bool,
}

/// What a handle refers to.
#[derive(Debug, Clone)]
pub(crate) enum Object {
    Sync(Arc<SyncObject>),
    Section(Arc<Section>),
    File(Arc<Descriptor>),
    Pipe(Arc<PipeEnd>),
    Process(Arc<ProcessObject>),
    /// The first thread of a process: it ends with it.
    FirstThread(Arc<ProcessObject>),
}

impl Object {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Object::Sync(object) => object.kind(),
            Object::Section(_) => Kind::Mapping,
            Object::File(_) => Kind::File,
            Object::Pipe(_) => Kind::Pipe,
            Object::Process(_) => Kind::Process,
            Object::FirstThread(_) => Kind::Thread,
        }
    }
}

/// A handle: an object, the rights to it, and what keeps its name.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) object: Object,
    pub(crate) access: u32,
    /// What keeps the object's name while the handle exists; given up when it is closed, also if somebody still
    /// has this entry.
    hold: Mutex<Option<Arc<Hold>>>,
    /// `None` for pseudo handles, which stand in no row.
    index: Option<usize>,
    closed: AtomicBool,
}

impl Entry {
    /// A handle that is not in the table.
    pub(crate) fn pseudo(object: Object) -> Entry {
        let access = object.kind().all_access();
        Entry { object, access, hold: Mutex::new(None), index: None, closed: AtomicBool::new(false) }
    }

    /// A handle on its way from one process to another: in no table of this one.
    pub(crate) fn detached(object: Object, access: u32, hold: Option<Arc<Hold>>) -> Entry {
        Entry { object, access, hold: Mutex::new(hold), index: None, closed: AtomicBool::new(false) }
    }

    /// What keeps the object's name, while the handle exists.
    pub(crate) fn hold(&self) -> Option<Arc<Hold>> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The handle exists no more.
    fn end(&self) {
        self.closed.store(true, Ordering::Release);
        let hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(hold);
    }

    /// Whether the handle still exists: it may have been closed by number, here or by another process.
    pub(crate) fn is_open(&self) -> bool {
        let Some(index) = self.index else { return true };
        !self.closed.load(Ordering::Acquire)
            && record::own().is_ok_and(|own| own.record.head(index).1 != SlotState::ClosedByPeer)
    }

    /// Fails with 6 if the handle was closed, with 5 if it lacks one of the rights.
    pub(crate) fn check(&self, rights: u32) -> Result<(), Code> {
        if !self.is_open() {
            Err(Code::INVALID_HANDLE)
        } else if self.access & rights != rights {
            Err(Code::ACCESS_DENIED)
        } else {
            Ok(())
        }
    }
}

struct Table {
    entries: Vec<Option<Arc<Entry>>>,
    /// Where the search for a free row begins: behind the last one given out, so that a value is not used
    /// again right after it was closed.
    next: usize,
}

static TABLE: RwLock<Table> = RwLock::new(Table { entries: Vec::new(), next: 0 });

/// Puts a handle into the table.
pub(crate) fn insert(
    object: Object,
    access: u32,
    hold: Option<Arc<Hold>>,
    inherit: bool,
) -> Result<RawHandle, Code> {
    let own = record::own()?;
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let index = reserve(own, &mut table)?;
    Ok(place(own, &mut table, index, object, access, hold, if inherit { INHERIT } else { 0 }))
}

/// Takes a free row of this process's record; small values first, then onward from the last.
fn reserve(own: &Own, table: &mut Table) -> Result<usize, Code> {
    let high = table.entries.len().max(own.record.used());
    let limit = layout::SLOT_COUNT;
    // A ring of the rows in use so far and as many again keeps values small and late to return.
    let span = (high + high / 2 + 64).min(limit);
    for step in 0..span {
        let index = (table.next + step) % span;
        if own.record.reserve(index) {
            table.next = index + 1;
            return Ok(index);
        }
    }
    match (0..limit).find(|index| own.record.reserve(*index)) {
        Some(index) => Ok(index),
        None => Err(Code::TOO_MANY_OPEN_FILES),
    }
}

/// Puts a handle into a reserved row.
fn place(
    own: &Own,
    table: &mut Table,
    index: usize,
    object: Object,
    access: u32,
    hold: Option<Arc<Hold>>,
    flags: u32,
) -> RawHandle {
    let entry = Arc::new(Entry {
        object,
        access,
        hold: Mutex::new(hold),
        index: Some(index),
        closed: AtomicBool::new(false),
    });
    step("row-reserved");
    let row = transfer::row(&entry, flags);
    if table.entries.len() <= index {
        table.entries.resize_with(index + 1, || None);
    }
    table.entries[index] = Some(entry);
    own.record.publish(index, &row);
    RawHandle::new(handle_value(index))
}

/// What a value stands for (H1): not NULL, not a pseudo handle.
pub(crate) fn lookup(raw: RawHandle) -> Result<Arc<Entry>, Code> {
    let own = record::own()?;
    let index = slot_index(raw.value()).filter(|_| !raw.is_pseudo()).ok_or(Code::INVALID_HANDLE)?;
    {
        let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(entry)) = table.entries.get(index)
            && own.record.head(index).1 != SlotState::ClosedByPeer
        {
            return Ok(Arc::clone(entry));
        }
    }
    meet(own, index)
}

/// A value that is not in the table as it should be: inherited, put here by another process, or closed by one.
fn meet(own: &Own, index: usize) -> Result<Arc<Entry>, Code> {
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let state = own.record.head(index).1;
    let present = table.entries.get(index).is_some_and(Option::is_some);
    match state {
        SlotState::ClosedByPeer => {
            let gone = table.entries.get_mut(index).and_then(Option::take);
            own.record.free(index);
            drop(table);
            if let Some(gone) = gone {
                gone.end();
            }
            return Err(Code::INVALID_HANDLE);
        }
        SlotState::Open if !present => adopt_inherited(own, &mut table, index)?,
        SlotState::Reserved => empty_inbox(own, &mut table),
        SlotState::Open | SlotState::Free => {}
    }
    table.entries.get(index).cloned().flatten().ok_or(Code::INVALID_HANDLE)
}

/// Turns a row that the creator of this process filled into a handle.
fn adopt_inherited(own: &Own, table: &mut Table, index: usize) -> Result<(), Code> {
    let Some((_, slot)) = own.inherited.iter().find(|(row, _)| *row == index) else {
        // A row that a peer wrote into our record by itself means nothing.
        return Err(Code::INVALID_HANDLE);
    };
    let flags = slot.flags & (INHERIT | PROTECT);
    match transfer::adopt(slot) {
        Ok(arrived) => {
            place(own, table, index, arrived.object, slot.access, arrived.hold.map(Arc::new), flags);
            Ok(())
        }
        Err(error) => {
            own.record.free(index);
            Err(error)
        }
    }
}

/// Takes what other processes left in the inbox into the table.
fn empty_inbox(own: &Own, table: &mut Table) {
    while let Some(delivery) = inbox::next(&own.inbox) {
        let reserved = own.record.head(delivery.index).1 == SlotState::Reserved;
        let present = table.entries.get(delivery.index).is_some_and(Option::is_some);
        if !reserved || present {
            continue;
        }
        match transfer::arrive(&delivery.slot, delivery.descriptors) {
            Ok(arrived) => {
                let flags = delivery.slot.flags & (INHERIT | PROTECT);
                let hold = arrived.hold.map(Arc::new);
                place(own, table, delivery.index, arrived.object, delivery.slot.access, hold, flags);
            }
            Err(_) => own.record.free(delivery.index),
        }
    }
}

/// CloseHandle of a value that is not a pseudo handle.
pub(crate) fn close(raw: RawHandle) -> Result<(), Code> {
    let entry = lookup(raw)?;
    let index = entry.index.ok_or(Code::INVALID_HANDLE)?;
    let own = record::own()?;
    let removed = {
        let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
        let same = table
            .entries
            .get(index)
            .is_some_and(|now| now.as_ref().is_some_and(|now| Arc::ptr_eq(now, &entry)));
        if !same || own.record.flags(index) & PROTECT != 0 {
            return Err(Code::INVALID_HANDLE);
        }
        own.record.free(index);
        step("row-freed");
        table.entries[index].take()
    };
    // The end of the name and of the object (unmapping) happens outside the lock.
    entry.end();
    drop(removed);
    Ok(())
}

/// The process ends in an orderly way: gives up the names that its handles still hold.
pub(crate) fn give_up_names() {
    // Another thread may have been stopped for ever while it held the lock.
    let Ok(table) = TABLE.try_read() else { return };
    for entry in table.entries.iter().flatten() {
        if let Ok(mut hold) = entry.hold.try_lock() {
            drop(hold.take());
        }
    }
}

/// The flags of a handle.
pub(crate) fn flags(entry: &Entry) -> Result<u32, Code> {
    let index = entry.index.filter(|_| entry.is_open()).ok_or(Code::INVALID_HANDLE)?;
    Ok(record::own()?.record.flags(index) & (INHERIT | PROTECT))
}

/// Sets the flags of a handle.
pub(crate) fn set_flags(entry: &Entry, flags: u32) -> Result<(), Code> {
    let index = entry.index.filter(|_| entry.is_open()).ok_or(Code::INVALID_HANDLE)?;
    record::own()?.record.set_flags(index, entry.access, flags & (INHERIT | PROTECT));
    Ok(())
}

/// Every handle that children may inherit, with its flags.
pub(crate) fn inheritable() -> Result<Vec<(usize, Arc<Entry>, u32)>, Code> {
    let own = record::own()?;
    // Those that came to this process and were not met yet are inheritable like the others.
    let rows: Vec<usize> = (0..own.record.used())
        .filter(|index| {
            let state = own.record.head(*index).1;
            state == SlotState::Open && own.record.flags(*index) & INHERIT != 0
        })
        .collect();
    let mut found = Vec::with_capacity(rows.len());
    for index in rows {
        if let Ok(entry) = lookup(RawHandle::new(handle_value(index))) {
            let flags = own.record.flags(index);
            if flags & INHERIT != 0 {
                found.push((index, entry, flags & (INHERIT | PROTECT)));
            }
        }
    }
    Ok(found)
}
