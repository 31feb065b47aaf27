//! Threads on Linux: each is an object page whose word holds the thread's id while it lives. The word is on
//! the thread's own robust list, so the kernel signals it when the thread dies, however it does.
//!
//! # Safety
//! Starting a thread by pthread_create hands a box through a pointer.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use transom_core::access::{
    Kind, THREAD_QUERY_INFORMATION, THREAD_QUERY_LIMITED_INFORMATION, THREAD_SUSPEND_RESUME,
};
use transom_core::code::Code;
use transom_core::security::Security;
use transom_core::word::{self, Rule};
use transom_sys::linux::{futex, process, procfs, random, thread};

use super::ThreadOptions;
use crate::engine::named::{error, finish};
use crate::engine::process::ProcessObject;
use crate::engine::sync::{Blueprint, SyncObject};
use crate::engine::table::Object;
use crate::engine::{errno, owner, record, signal, watcher};
use crate::error::Result;
use crate::handle::Handle;

/// This thread's own object, once it has one.
struct Own {
    object: RefCell<Option<Arc<SyncObject>>>,
    exit_code: Cell<u32>,
    /// Whether it was made by [`spawn`], and so may end by pthread_exit.
    started: Cell<bool>,
}

thread_local! {
    static OWN: Own =
        const { Own { object: RefCell::new(None), exit_code: Cell::new(0), started: Cell::new(false) } };
}

/// Threads of this process that have an object, by id.
static KNOWN: Mutex<Option<HashMap<u32, Weak<SyncObject>>>> = Mutex::new(None);

fn create_object() -> std::result::Result<SyncObject, Code> {
    let blueprint = Blueprint { rule: Rule::Thread, signalled: false, count: 0, maximum: 0 };
    SyncObject::create(blueprint, random::cookie(), &Security::owner_only())
}

/// Makes `object` the calling thread's: from now on it is signalled when the thread ends.
fn begin(object: &Arc<SyncObject>) {
    let id = process::thread_id();
    // A waiter may have set W already; nothing else is in the word of a thread that has not begun.
    object.word().fetch_or(u64::from(id), Ordering::Relaxed);
    // Nobody else has this object yet, so nobody else can have linked it.
    let _ = owner::link(object);
    object.process_id().store(process::id(), Ordering::Relaxed);
    {
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get_or_insert_default();
        known.retain(|_, object| object.strong_count() > 0);
        known.insert(id, Arc::downgrade(object));
    }
    OWN.with(|own| *own.object.borrow_mut() = Some(Arc::clone(object)));
    // Partner: the acquire in `spawn`.
    object.thread_id().store(id, Ordering::Release);
    futex::wake(object.thread_id(), 1);
}

/// The threads that [`spawn`] made: in the lowest 16 bits how many run, in the next how many are about to say that
/// they have ended, above those the exit code of the last one that came so far.
static THREADS: AtomicU64 = AtomicU64::new(0);
const RUNNING: u64 = 1;
const ENDING: u64 = 1 << 16;
const COUNTS: u64 = 0xFFFF_FFFF;
/// Changes whenever one of them has ended; the first thread sleeps on it once it has ended itself.
static ENDS: AtomicU32 = AtomicU32::new(0);
static FIRST_HAS_ENDED: AtomicBool = AtomicBool::new(false);
/// The numbers of those that ended most recently: the system may still have them.
static ENDED: [AtomicU32; 16] = [const { AtomicU32::new(0) }; 16];

/// The calling thread, one that [`spawn`] made, is ending with `code`: from now on it does not run.
fn begin_to_end(code: u32) {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = NEXT.fetch_add(1, Ordering::Relaxed) as usize;
    // Partner: the acquire in `outlive_all`, as of the change below.
    ENDED[next % ENDED.len()].store(process::thread_id(), Ordering::Release);
    let _ = THREADS.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |threads| {
        Some(u64::from(code) << 32 | ((threads & COUNTS) - RUNNING + ENDING))
    });
}

/// Whoever waits for the calling thread has been told.
fn have_ended() {
    THREADS.fetch_sub(ENDING, Ordering::AcqRel);
    // Sequentially consistent, as is the other side: it sleeps before this change or sees it.
    ENDS.fetch_add(1, Ordering::SeqCst);
    if FIRST_HAS_ENDED.load(Ordering::SeqCst) {
        futex::wake(&ENDS, 1);
    }
}

/// What is left of the first thread: it waits for the others, and then ends the process with the last one's code
/// (R26, R27). It may not just go, since what others see of this process in `/proc` goes with it: descriptors, and
/// so names.
fn outlive_all(code: u32) -> ! {
    FIRST_HAS_ENDED.store(true, Ordering::SeqCst);
    let mut others = false;
    let last = loop {
        let ends = ENDS.load(Ordering::SeqCst);
        let threads = THREADS.load(Ordering::Acquire);
        if threads & COUNTS == 0 {
            break if others { (threads >> 32) as u32 } else { code };
        }
        // Who runs now ends after this thread.
        others |= threads & (ENDING - RUNNING) != 0;
        let _ = futex::wait(&ENDS, ends, None);
    };
    // Threads of somebody else's making do not tell when they end: the kernel knows.
    let has_ended = |id: u32| ENDED.iter().any(|ended| ended.load(Ordering::Relaxed) == id);
    let is_ours =
        |(id, name): &(u32, String)| *id == process::id() || name == watcher::THREAD || has_ended(*id);
    let alone = procfs::own_threads().iter().all(is_ours);
    if let Ok(own) = record::own() {
        own.record.set_exit_code(last);
    }
    if alone {
        process::exit(last.cast_signed());
    }
    thread::exit_bare(last)
}

impl Own {
    fn end(&self) {
        if let Some(object) = self.object.borrow_mut().take()
            // In a fork the object is that of the parent's thread, which lives.
            && !record::is_forked()
        {
            if self.started.get() {
                begin_to_end(self.exit_code.get());
            }
            owner::unlink(&object);
            signal::end_thread(&object, self.exit_code.get());
            if self.started.get() {
                have_ended();
            }
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.end();
    }
}

/// The calling thread's object; made when first asked for.
pub(crate) fn current_object() -> std::result::Result<Arc<SyncObject>, Code> {
    if let Some(object) = OWN.with(|own| own.object.borrow().clone()) {
        return Ok(object);
    }
    let object = Arc::new(create_object()?);
    begin(&object);
    Ok(object)
}

pub(super) fn current() -> Result<Handle> {
    current_object()
        .and_then(|object| finish(Object::Sync(object), Kind::Thread.all_access(), None, false))
        .map_err(error("get current thread"))
}

struct Start {
    object: Arc<SyncObject>,
    body: Box<dyn FnOnce() -> u32 + Send>,
}

/// The root of a thread. Left by returning, or by the unwinding of [`exit`]; a panic ends the process.
extern "C-unwind" fn run(start: *mut c_void) -> *mut c_void {
    // SAFETY: `spawn` gave up this box for us.
    let start = unsafe { Box::from_raw(start.cast::<Start>()) };
    let Start { object, body } = *start;
    OWN.with(|own| own.started.set(true));
    begin(&object);
    while object.suspended().load(Ordering::Acquire) != 0 {
        let _ = futex::wait(object.suspended(), 1, None);
    }
    drop(object);
    let code = body();
    OWN.with(|own| own.exit_code.set(code));
    std::ptr::null_mut()
}

pub(super) fn spawn(options: &ThreadOptions, body: Box<dyn FnOnce() -> u32 + Send>) -> Result<Handle> {
    let error = error("create thread");
    let object = Arc::new(create_object().map_err(&error)?);
    object.suspended().store(u32::from(options.suspended), Ordering::Relaxed);
    let handle = finish(Object::Sync(Arc::clone(&object)), Kind::Thread.all_access(), None, options.inherit)
        .map_err(&error)?;
    THREADS.fetch_add(RUNNING, Ordering::AcqRel);
    let start = Box::into_raw(Box::new(Start { object: Arc::clone(&object), body }));
    // SAFETY: `run` takes the box back; body and object may go to another thread.
    if let Err(failed) = unsafe { thread::start(options.stack_size, run, start.cast()) } {
        THREADS.fetch_sub(RUNNING, Ordering::AcqRel);
        // SAFETY: no thread was made, so the box is still ours.
        drop(unsafe { Box::from_raw(start) });
        return Err(error(match errno::code(failed) {
            Code::BUSY => Code::NOT_ENOUGH_MEMORY,
            other => other,
        }));
    }
    // Its id is known when this returns. Partner: the release in `begin`.
    while object.thread_id().load(Ordering::Acquire) == 0 {
        let _ = futex::wait(object.thread_id(), 0, None);
    }
    Ok(handle)
}

pub(super) fn open(id: u32, access: u32, inherit: bool) -> Result<Handle> {
    let open = || {
        let access = Kind::Thread.map_generic(access);
        let own = {
            let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
            known.as_ref().and_then(|known| known.get(&id)).and_then(Weak::upgrade)
        };
        if let Some(object) = own {
            return finish(Object::Sync(object), access, None, inherit);
        }
        if id == process::thread_id() {
            return finish(Object::Sync(current_object()?), access, None, inherit);
        }
        if procfs::is_own_thread(id) {
            // A thread of this process that never called anything of ours: there is no word to wait on.
            return Err(Code::INVALID_PARAMETER);
        }
        finish(Object::FirstThread(ProcessObject::open(id)?), access, None, inherit)
    };
    open().map_err(error("open thread"))
}

enum Thread<'a> {
    Page(&'a Arc<SyncObject>),
    First(&'a Arc<ProcessObject>),
}

fn of<'a>(handle: &'a Handle, rights: u32) -> std::result::Result<Thread<'a>, Code> {
    let entry = &handle.resolved.0;
    let thread = match &entry.object {
        Object::Sync(object) if object.rule() == Rule::Thread => Thread::Page(object),
        Object::FirstThread(process) => Thread::First(process),
        _ => return Err(Code::INVALID_HANDLE),
    };
    entry.check(rights)?;
    Ok(thread)
}

pub(super) fn id(handle: &Handle) -> Result<u32> {
    Ok(match of(handle, THREAD_QUERY_LIMITED_INFORMATION).map_err(error("get thread id"))? {
        Thread::Page(object) => object.thread_id().load(Ordering::Relaxed),
        Thread::First(process) => process.id(),
    })
}

pub(super) fn exit_code(handle: &Handle) -> Result<Option<u32>> {
    let entry = &handle.resolved.0;
    // The smaller right will do, and the larger one includes it.
    let right = if entry.access & THREAD_QUERY_INFORMATION != 0 {
        THREAD_QUERY_INFORMATION
    } else {
        THREAD_QUERY_LIMITED_INFORMATION
    };
    Ok(match of(handle, right).map_err(error("get exit code of thread"))? {
        Thread::Page(object) => {
            let ended = word::is_signalled(object.word().load(Ordering::Acquire));
            ended.then(|| object.exit_code().load(Ordering::Relaxed))
        }
        Thread::First(process) => process.exit_code(),
    })
}

pub(super) fn resume(handle: &Handle) -> Result<u32> {
    let (suspended, was) = match of(handle, THREAD_SUSPEND_RESUME).map_err(error("resume thread"))? {
        Thread::Page(object) => (object.suspended(), object.suspended().swap(0, Ordering::AcqRel)),
        Thread::First(process) => match process.record() {
            Some(record) => {
                let was = record.suspended().swap(0, Ordering::AcqRel);
                record.resume().store(1, Ordering::Release);
                (record.resume(), was)
            }
            None => return Ok(0),
        },
    };
    futex::wake(suspended, u32::MAX);
    Ok(was)
}

pub(super) fn current_id() -> u32 {
    process::thread_id()
}

/// ExitThread.
///
/// # Safety
/// No other thread borrows from this one's stack.
pub(super) unsafe fn exit(code: u32) -> ! {
    let started = OWN.with(|own| {
        own.exit_code.set(code);
        own.started.get()
    });
    if started {
        // SAFETY: threads that `spawn` made have no frame that catches unwinding.
        unsafe { thread::exit_started() }
    }
    // A thread of somebody else's making: what concerns others is done by hand.
    owner::abandon_all();
    OWN.with(Own::end);
    if process::thread_id() == process::id() {
        outlive_all(code);
    }
    thread::exit_bare(code)
}
