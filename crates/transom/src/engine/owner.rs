//! Who this thread is, and the mutexes it owns.
//!
//! A mutex is owned by a thread (Y8). While it owns one, the mutex's futex is on the kernel's robust list
//! of the thread, and the object is kept mapped by the list here, also if its last handle is closed
//! meanwhile (Y13). When the thread ends in an orderly way, the destructor of this list abandons what is
//! left; when it is killed, the kernel does the same (see [`transom_core::word`]).
//!
//! **The word may lie.** A peer that writes a mutex's page can make it free while its owner lives, and then a
//! second thread of the owner's own process takes it. What is on which list stands in private memory, so the
//! second one is refused, and no list is ever bent.
//!
//! # Safety
//! Linking a futex needs the page behind the object's shared one: private memory of this process, one per
//! mapping. A mapping's futex is linked by at most one thread at a time, the one that
//! [`SyncObject::linked`] names: that is set before it is linked and cleared after it is unlinked.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use transom_core::{protocol, word};
use transom_sys::linux::fault::step;
use transom_sys::linux::{process, robust};

use super::record;
use super::sync::{SyncObject, same};

/// A thread's identity in object pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Me {
    /// The kernel's id, which robust futexes need.
    pub(crate) id: u32,
    /// A number that no other thread has, in this or any other PID namespace.
    pub(crate) key: u64,
    /// Its process, asked for once: a system call each time would cost more than the mutex.
    pub(crate) process: u32,
}

struct Owned {
    object: Arc<SyncObject>,
    depth: u32,
}

struct Thread {
    owned: RefCell<Vec<Owned>>,
    /// The mutex that this thread released last, which is mostly the one it takes next: counting its users up and
    /// down would cost as much as taking it.
    last: Cell<Option<Arc<SyncObject>>>,
}

static NEXT_KEY: AtomicU64 = AtomicU64::new(0);

thread_local! {
    // What `Me` says. Apart from the list, which has a destructor, and from each other: these are asked for at every
    // lock.
    static ID: Cell<u32> = const { Cell::new(0) };
    static KEY: Cell<u64> = const { Cell::new(0) };
    static PROCESS: Cell<u32> = const { Cell::new(0) };
    static THREAD: Thread = const { Thread { owned: RefCell::new(Vec::new()), last: Cell::new(None) } };
}

#[cold]
fn meet() -> Me {
    let me = identify();
    ID.set(me.id);
    KEY.set(me.key);
    PROCESS.set(me.process);
    me
}

fn identify() -> Me {
    let first =
        || u64::from_le_bytes(transom_sys::linux::random::cookie()[..8].try_into().unwrap_or([1; 8])) | 1;
    let key = match NEXT_KEY.load(Ordering::Relaxed) {
        0 => {
            let _ = NEXT_KEY.compare_exchange(0, first(), Ordering::Relaxed, Ordering::Relaxed);
            NEXT_KEY.fetch_add(2, Ordering::Relaxed)
        }
        _ => NEXT_KEY.fetch_add(2, Ordering::Relaxed),
    };
    Me { id: process::thread_id(), key, process: process::id() }
}

/// The calling thread.
#[inline]
pub(crate) fn me() -> Me {
    Me { id: my_id(), key: my_key(), process: PROCESS.get() }
}

/// [`Me::id`] of the calling thread.
#[inline]
pub(crate) fn my_id() -> u32 {
    match ID.get() {
        0 => meet().id,
        id => id,
    }
}

/// [`Me::key`] of the calling thread; never 0.
#[inline]
pub(crate) fn my_key() -> u64 {
    match KEY.get() {
        0 => meet().key,
        key => key,
    }
}

/// Whether the calling thread owns the mutex.
pub(crate) fn owns(object: &SyncObject) -> bool {
    let me = me();
    // Only the owner writes its key, so no other thread can find its own key here by accident.
    word::id(object.word().load(Ordering::Relaxed)) == me.id
        && object.owner_key().load(Ordering::Relaxed) == me.key
}

/// Links an object whose word has just got this thread's id. False if another thread of this process has it
/// linked: then somebody else wrote the word, and the caller gives back what it took.
#[inline]
#[must_use]
pub(crate) fn link(object: &SyncObject) -> bool {
    // Partner: the release in `unlink`.
    match object.linked().compare_exchange(0, me().id, Ordering::Acquire, Ordering::Relaxed) {
        Ok(_) => {
            // SAFETY: the futex lies 24 bytes before the private page behind the object's, which is this
            // thread's now and on no list; and the object outlives the link (see the callers).
            unsafe { robust::link(object.address()) };
            true
        }
        Err(thread) => link_again(object, thread),
    }
}

/// The mapping is still linked by `thread`, although its word said that nobody owns the object.
#[cold]
fn link_again(object: &SyncObject, thread: u32) -> bool {
    let me = me().id;
    if thread == me {
        // It is where it belongs. What was known of the earlier time is over.
        THREAD.with(|this| this.owned.borrow_mut().retain(|owned| !std::ptr::eq(&*owned.object, object)));
        return true;
    }
    let replace = || object.linked().compare_exchange(thread, me, Ordering::Acquire, Ordering::Relaxed);
    if !transom_sys::linux::thread::exists(thread) && replace().is_ok() {
        // That thread was ended by a system call, and its list with it.
        // SAFETY: as in `link`.
        unsafe { robust::link(object.address()) };
        return true;
    }
    false
}

/// Unlinks an object whose word is about to lose this thread's id; nothing happens if it is not linked.
#[inline]
pub(crate) fn unlink(object: &SyncObject) {
    if object.linked().load(Ordering::Relaxed) == me().id {
        // SAFETY: as in `link`.
        unsafe { robust::unlink(object.address()) };
        // Partner: the acquire in `link`.
        object.linked().store(0, Ordering::Release);
    }
}

/// Notes that this thread has just acquired the mutex: its id is in the word, and it is linked.
#[inline]
pub(crate) fn acquired(object: &Arc<SyncObject>) {
    let me = me();
    object.owner_key().store(me.key, Ordering::Relaxed);
    object.process_id().store(me.process, Ordering::Relaxed);
    // Partner: the acquire load in `waiter`, which takes depth 0 for "not yet decided".
    object.depth().store(1, Ordering::Release);
    THREAD.with(|thread| {
        let last = thread.last.take().filter(|last| Arc::ptr_eq(last, object));
        let object = last.unwrap_or_else(|| Arc::clone(object));
        thread.owned.borrow_mut().push(Owned { object, depth: 1 });
    });
}

/// A handle to the object is closed: if it was the last, the object is not to stay for this thread's sake.
pub(crate) fn forget(object: &Arc<SyncObject>) {
    // A thread that is at its end keeps nothing any more.
    let _ = THREAD.try_with(|thread| {
        let last = thread.last.take().filter(|last| !Arc::ptr_eq(last, object));
        thread.last.set(last);
    });
}

/// The owner acquires once more. False if the count is full.
pub(crate) fn acquired_again(object: &Arc<SyncObject>) -> bool {
    THREAD.with(|thread| {
        let mut owned = thread.owned.borrow_mut();
        match owned.iter_mut().rev().find(|owned| same(&owned.object, object)) {
            Some(owned) => match owned.depth.checked_add(1) {
                Some(depth) => {
                    owned.depth = depth;
                    true
                }
                None => false,
            },
            None => false,
        }
    })
}

/// ReleaseMutex by this thread; false if it is not the owner (Y9).
pub(crate) fn release(object: &Arc<SyncObject>) -> bool {
    if word::id(object.word().load(Ordering::Relaxed)) != me().id {
        return false;
    }
    let released = THREAD.with(|thread| {
        let mut owned = thread.owned.borrow_mut();
        // The mutex acquired last is released first, mostly.
        let index = owned.iter().rposition(|owned| same(&owned.object, object))?;
        owned[index].depth -= 1;
        Some(if owned[index].depth == 0 { Some(owned.swap_remove(index)) } else { None })
    });
    match released {
        None => false,
        Some(None) => true,
        Some(Some(owned)) => {
            // Through the mapping that was linked, which need not be the one this handle has.
            give_up(&owned.object, word::unlock);
            // Its handles may be closed, also by other threads.
            if Arc::strong_count(&owned.object) > 1 {
                THREAD.with(|thread| thread.last.set(Some(owned.object)));
            }
            true
        }
    }
}

/// Takes this thread's id out of the word, as `change` says, and wakes who waits.
fn give_up(object: &SyncObject, change: fn(u64) -> u64) {
    robust::set_pending(object.address());
    unlink(object);
    step("mutex-unlinked");
    object.owner_key().store(0, Ordering::Relaxed);
    object.depth().store(0, Ordering::Relaxed);
    protocol::give_up(object, change);
    robust::clear_pending();
}

/// The thread ends: what it still owns is abandoned (Y11).
pub(crate) fn abandon_all() {
    THREAD.with(Thread::abandon);
}

impl Thread {
    fn abandon(&self) {
        if record::is_forked() {
            // The objects are the parent's, and so is their owner.
            return;
        }
        for owned in self.owned.take() {
            if word::id(owned.object.word().load(Ordering::Relaxed)) == me().id {
                give_up(&owned.object, word::died);
            }
            // Also if somebody else wrote the word: what is on the list must not be unmapped.
            unlink(&owned.object);
        }
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.abandon();
    }
}
