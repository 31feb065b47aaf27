//! The handle table: values ↔ objects of this process.
//!
//! Two halves. The *objects* are this process's own and stand in a vector behind a lock. The *rows*, what
//! each handle is in numbers, stand in the process's record, where other processes can read them (to take a
//! handle) and reserve one (to put a handle here). A row that another process closed or filled is noticed
//! when its value is next used; no thread waits for that.
//!
//! What is true of a handle stands in the vector. The row is a copy for others, who may have written anything
//! into it: of it, this process believes that a peer reserved or closed it, and nothing else.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockWriteGuard, Weak};

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::record::{SlotState, handle_value, process as layout, slot_index};
use transom_sys::linux::fault::step;

use super::instance::Instance;
use super::post::{Inlet, Outlet};
use super::process::ProcessObject;
use super::record::{self, Inherited, Own};
use super::section::Section;
use super::sync::SyncObject;
use super::visit::Visit;
use super::{inbox, known, owner, parked, served, transfer, views};
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
    pub(crate) attachment: Attachment,
}

/// Where the C interface keeps what it knows of an end.
pub(crate) type Attachment = OnceLock<Box<dyn Any + Send + Sync>>;

impl PipeEnd {
    pub(crate) fn new(descriptor: Descriptor, quota: u32, reader: bool) -> PipeEnd {
        PipeEnd { descriptor, quota, reader, attachment: OnceLock::new() }
    }
}

/// What a handle refers to.
#[derive(Debug, Clone)]
pub(crate) enum Object {
    Sync(Arc<SyncObject>),
    Section(Arc<Section>),
    File(Arc<Descriptor>),
    Pipe(Arc<PipeEnd>),
    /// The server end of a named pipe.
    Server(Arc<Instance>),
    /// The client end of a named pipe.
    Client(Arc<Visit>),
    /// The server end of a mailslot.
    Inlet(Arc<Inlet>),
    /// A client end of a mailslot.
    Outlet(Arc<Outlet>),
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
            Object::Pipe(_) | Object::Server(_) | Object::Client(_) => Kind::Pipe,
            Object::Inlet(_) | Object::Outlet(_) => Kind::Mailslot,
            Object::Process(_) => Kind::Process,
            Object::FirstThread(_) => Kind::Thread,
        }
    }

    /// A handle of the table leads to it.
    fn opened(&self) {
        match self {
            Object::Server(instance) => instance.opened(),
            Object::Client(visit) => visit.opened(),
            Object::Inlet(inlet) => inlet.opened(),
            Object::Outlet(outlet) => outlet.opened(),
            _ => {}
        }
    }

    /// A handle of the table leads to it no more, also if somebody still has the object.
    fn closed(&self) {
        match self {
            Object::Server(instance) => instance.closed(),
            Object::Client(visit) => visit.closed(),
            Object::Inlet(inlet) => inlet.closed(),
            Object::Outlet(outlet) => outlet.closed(),
            _ => {}
        }
    }
}

/// A handle: an object, the rights to it, and what keeps its name.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What keeps the object's name while the handle exists; given up when it is closed, also if somebody still
    /// has this entry. First, so that it goes before the memory it leads to.
    hold: Mutex<Option<Arc<Hold>>>,
    pub(crate) object: Object,
    pub(crate) access: u32,
    /// Its descriptor, or -1.
    hold_number: RawFd,
    /// `None` for pseudo handles, which stand in no row.
    index: Option<usize>,
    /// The head of that row, which other processes change.
    row: Option<&'static AtomicU64>,
    /// [`INHERIT`] and [`PROTECT`].
    flags: AtomicU32,
    closed: AtomicBool,
}

impl Entry {
    /// A handle that is not in the table.
    pub(crate) fn pseudo(object: Object) -> Entry {
        let access = object.kind().all_access();
        Entry::new(object, access, None, None, 0)
    }

    /// A handle on its way from one process to another: in no table of this one.
    pub(crate) fn detached(object: Object, access: u32, hold: Option<Arc<Hold>>) -> Entry {
        Entry::new(object, access, hold, None, 0)
    }

    fn new(object: Object, access: u32, hold: Option<Arc<Hold>>, index: Option<usize>, flags: u32) -> Entry {
        let hold_number = hold.as_ref().map_or(-1, |hold| hold.raw_fd());
        let (hold, flags, closed) = (Mutex::new(hold), AtomicU32::new(flags), AtomicBool::new(false));
        if index.is_some() {
            object.opened();
        }
        let row = index.and_then(|index| Some(record::own().ok()?.record.head_word(index)));
        Entry { object, access, hold, hold_number, index, row, flags, closed }
    }

    /// What keeps the object's name, while the handle exists.
    pub(crate) fn hold(&self) -> Option<Arc<Hold>> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The handle exists no more.
    fn end(&self) {
        if !self.closed.swap(true, Ordering::AcqRel) && self.index.is_some() {
            self.object.closed();
        }
        if let Object::Sync(object) = &self.object {
            owner::forget(object);
        }
        let hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(hold);
        if let Object::Inlet(inlet) = &self.object {
            inlet.after_closing();
        }
    }

    /// Whether the handle still exists: it may have been closed by number, here or by another process.
    pub(crate) fn is_open(&self) -> bool {
        !record::is_forked() && self.is_open_here()
    }

    /// The same, in the process that has the handle.
    #[inline]
    fn is_open_here(&self) -> bool {
        let Some(row) = self.row else { return true };
        !self.closed.load(Ordering::Acquire) && record::state_in(row) != SlotState::ClosedByPeer
    }

    /// Fails with 6 if the handle was closed, with 5 if it lacks one of the rights, with 1006 if somebody has cut
    /// the object's memory short, and with 50 in a plain fork of the process that has the handle.
    #[inline]
    pub(crate) fn check(&self, rights: u32) -> Result<(), Code> {
        if record::is_forked() {
            return Err(Code::NOT_SUPPORTED);
        }
        if !self.is_open_here() {
            return Err(Code::INVALID_HANDLE);
        }
        if self.access & rights != rights {
            return Err(Code::ACCESS_DENIED);
        }
        match &self.object {
            Object::Sync(object) if !object.is_whole() => Err(Code::FILE_INVALID),
            _ => Ok(()),
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

/// Whether a row is that of a handle of this process, whatever its record says.
fn is_occupied(table: &Table, inherited: &HashMap<usize, Option<Inherited>>, index: usize) -> bool {
    table.entries.get(index).is_some_and(Option::is_some) || inherited.contains_key(&index)
}

/// Takes a free row of this process's record; small values first, then onward from the last.
fn reserve(own: &Own, table: &mut Table) -> Result<usize, Code> {
    let inherited = own.inherited();
    let high = table.entries.len().max(own.record.used());
    let limit = layout::SLOT_COUNT;
    // A ring of the rows in use so far and as many again keeps values small and late to return.
    let span = (high + high / 2 + 64).min(limit);
    for step in 0..span {
        let index = (table.next + step) % span;
        if !is_occupied(table, &inherited, index) && own.record.reserve(index) {
            table.next = index + 1;
            return Ok(index);
        }
    }
    let free = (0..limit).find(|index| {
        if is_occupied(table, &inherited, *index) {
            return false;
        }
        own.record.take_back(*index);
        own.record.reserve(*index)
    });
    free.ok_or(Code::TOO_MANY_OPEN_FILES)
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
    let entry = Arc::new(Entry::new(object, access, hold, Some(index), flags));
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

/// Whoever looks for a value that another thread is just taking over waits for it here.
static TURN: Mutex<()> = Mutex::new(());

/// A value that is not in the table as it should be: inherited, put here by another process, or closed by one.
fn meet(own: &Own, index: usize) -> Result<Arc<Entry>, Code> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let unused = own.inherited().get_mut(&index).and_then(Option::take);
    if let Some(row) = unused {
        return adopt(own, index, row);
    }
    if own.record.head(index).1 == SlotState::Reserved {
        empty_inbox(own, Some(index))?;
    }
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let closed = own.record.head(index).1 == SlotState::ClosedByPeer;
    let place = table.entries.get_mut(index);
    match place.and_then(|place| if closed { place.take() } else { place.clone() }) {
        Some(gone) if closed => {
            own.record.free(index);
            drop(table);
            gone.end();
            Err(Code::INVALID_HANDLE)
        }
        Some(entry) => Ok(entry),
        None => {
            // What a peer wrote into our record by itself means nothing.
            own.record.take_back(index);
            Err(Code::INVALID_HANDLE)
        }
    }
}

/// Turns a row that the creator of this process filled into a handle. What is checked for that happens outside
/// the table's lock; the row stays taken meanwhile.
fn adopt(own: &Own, index: usize, row: Inherited) -> Result<Arc<Entry>, Code> {
    let (access, flags) = (row.slot.access, row.slot.flags & (INHERIT | PROTECT));
    let closed = own.record.head(index).1 == SlotState::ClosedByPeer;
    let arrived = transfer::adopt(row);
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    own.inherited().remove(&index);
    match arrived {
        Ok(arrived) if !closed => {
            place(own, &mut table, index, arrived.object, access, arrived.hold, flags);
            table.entries.get(index).cloned().flatten().ok_or(Code::INVALID_HANDLE)
        }
        arrived => {
            own.record.free(index);
            drop(table);
            // Closed by another process before anybody here used it: it ends now.
            Err(arrived.err().unwrap_or(Code::INVALID_HANDLE))
        }
    }
}

/// As many messages as an inbox may hold, twice: so many are looked at for one value. A peer that fills the
/// inbox faster than it is emptied cannot keep this process at it.
const MOST_MESSAGES: usize = 8192;

/// Takes what other processes left in the inbox into the table, until row `wanted` is there. The caller has
/// its [`TURN`].
fn empty_inbox(own: &Own, wanted: Option<usize>) -> Result<(), Code> {
    let is_expected = |table: &Table, index: usize| {
        own.record.head(index).1 == SlotState::Reserved && !is_occupied(table, &own.inherited(), index)
    };
    let expects = |index: usize| is_expected(&TABLE.read().unwrap_or_else(PoisonError::into_inner), index);
    for _ in 0..MOST_MESSAGES {
        if wanted.is_some_and(|index| !expects(index)) {
            return Ok(());
        }
        let Some(delivery) = inbox::next(&own.inbox)? else { return Ok(()) };
        let index = delivery.index;
        if !expects(index) {
            continue;
        }
        // Outside the table's lock: what came is checked, which asks the system many things.
        let arrived = transfer::arrive(&delivery.slot, delivery.descriptors);
        let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
        match arrived {
            Ok(arrived) if is_expected(&table, index) => {
                let flags = delivery.slot.flags & (INHERIT | PROTECT);
                place(own, &mut table, index, arrived.object, delivery.slot.access, arrived.hold, flags);
            }
            Err(_) if is_expected(&table, index) => own.record.free(index),
            _ => {}
        }
    }
    Ok(())
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
        if !same || entry.flags.load(Ordering::Relaxed) & PROTECT != 0 {
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
        if let Object::Server(instance) = &entry.object {
            instance.give_up();
        }
    }
}

/// The flags of a handle.
pub(crate) fn flags(entry: &Entry) -> Result<u32, Code> {
    entry.check(0)?;
    Ok(entry.flags.load(Ordering::Relaxed))
}

/// Sets the flags of a handle.
pub(crate) fn set_flags(entry: &Entry, flags: u32) -> Result<(), Code> {
    entry.check(0)?;
    let index = entry.index.ok_or(Code::INVALID_HANDLE)?;
    let flags = flags & (INHERIT | PROTECT);
    entry.flags.store(flags, Ordering::Relaxed);
    record::own()?.record.set_flags(index, entry.access, flags);
    Ok(())
}

/// Every handle that children may inherit, with its flags.
pub(crate) fn inheritable() -> Result<Vec<(usize, Arc<Entry>, u32)>, Code> {
    let own = record::own()?;
    // Those that came to this process and were not met yet are inheritable like the others.
    {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        empty_inbox(own, None)?;
    }
    let unused: Vec<usize> = own.inherited().keys().copied().collect();
    for index in unused {
        // One that cannot be taken over any more is none.
        let _ = lookup(RawHandle::new(handle_value(index)));
    }
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    let rows = table.entries.iter().enumerate().filter_map(|(index, entry)| {
        let entry = entry.as_ref().filter(|entry| entry.is_open())?;
        let flags = entry.flags.load(Ordering::Relaxed);
        (flags & INHERIT != 0).then(|| (index, Arc::clone(entry), flags))
    });
    Ok(rows.collect())
}

/// What a fork must not find half changed.
struct Still {
    table: RwLockWriteGuard<'static, Table>,
    inherited: MutexGuard<'static, HashMap<usize, Option<Inherited>>>,
    served: MutexGuard<'static, Vec<Weak<served::Served>>>,
    known: MutexGuard<'static, Vec<Arc<known::Known>>>,
    parked: MutexGuard<'static, parked::Lot>,
    _views: views::Still,
}

thread_local! {
    static STILL: RefCell<Option<Still>> = const { RefCell::new(None) };
}

/// Waits until no other thread is changing the table, and lets none begin before [`go_on`].
pub(crate) fn hold_still(own: &'static Own) {
    let table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    let still = Still {
        table,
        inherited: own.inherited(),
        served: served::hold_still(),
        known: known::hold_still(),
        parked: parked::hold_still(),
        _views: views::hold_still(),
    };
    // A thread that ends and has no such variables any more forks without: there is nothing better to do.
    let _ = STILL.try_with(|place| *place.borrow_mut() = Some(still));
}

/// Ends [`hold_still`], in the parent and in the child.
pub(crate) fn go_on() {
    let _ = STILL.try_with(|place| drop(place.borrow_mut().take()));
}

/// Each descriptor of this process's handles, while the table is held still by this thread.
pub(crate) fn each_descriptor(mut see: impl FnMut(RawFd)) {
    let _ = STILL.try_with(|place| {
        let place = place.borrow();
        let Some(still) = &*place else { return };
        for entry in still.table.entries.iter().flatten() {
            transfer::each_descriptor(&entry.object, &mut see);
            see(entry.hold_number);
            if let Object::Process(process) | Object::FirstThread(process) = &entry.object
                && let Some(entry) = process.entry()
            {
                see(entry.raw_fd());
            }
        }
        for row in still.inherited.values().flatten() {
            row.slot.descriptors().for_each(&mut see);
        }
        served::each_descriptor(&still.served, &mut see);
        known::each_descriptor(&still.known, &mut see);
        still.parked.each_descriptor(&mut see);
    });
}
