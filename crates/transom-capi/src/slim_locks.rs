//! Locks of one word, among the threads of one process: slim reader/writer locks, condition variables, one-time
//! initialisation. Storage of zeroes is an unused one of each.
//!
//! ```text
//!   SRWLOCK              state u32: number of readers, top bit: a writer │ changes u32, slept on
//!   CONDITION_VARIABLE   changes u32, slept on                          │ unused
//!   INIT_ONCE            state u32: 0, 1 = being done, 2 = done          │ unused; then the context
//! ```
//!
//! # Safety
//! L1. A pointer leads to storage of its kind that the program keeps alive and uses through these calls alone.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use transom::Code;

use crate::critical_section::{CRITICAL_SECTION, EnterCriticalSection, LeaveCriticalSection};
use crate::ffi::{Bool, FALSE, Out, TRUE, fail, truth};
use crate::os;

/// `ERROR_TIMEOUT`.
const TIMEOUT: Code = Code::new(1460);
/// `INFINITE`.
const INFINITE: u32 = u32::MAX;
/// `CONDITION_VARIABLE_LOCKMODE_SHARED`.
const SHARED: u32 = 1;

const WRITER: u32 = 1 << 31;

/// The storage of a slim lock.
#[repr(C, align(8))]
pub struct SRWLOCK {
    state: AtomicU32,
    changes: AtomicU32,
}

impl SRWLOCK {
    /// Takes the lock if it is free for that.
    fn try_take(&self, shared: bool) -> bool {
        let next = |state: u32| match (shared, state) {
            (false, 0) => Some(WRITER),
            (true, readers) if readers < WRITER - 1 => Some(readers + 1),
            _ => None,
        };
        // Partner: the release of whoever left it.
        self.state.fetch_update(Ordering::Acquire, Ordering::Relaxed, next).is_ok()
    }

    fn take(&self, shared: bool) {
        loop {
            // Read first: a lock that is left in between changes it, and the sleep ends at once.
            let changes = self.changes.load(Ordering::Acquire);
            if self.try_take(shared) {
                return;
            }
            os::sleep_on(&self.changes, changes, None);
        }
    }

    fn leave(&self, shared: bool) {
        let before = if shared {
            self.state.fetch_sub(1, Ordering::Release)
        } else {
            self.state.fetch_and(!WRITER, Ordering::Release)
        };
        if !shared || before == 1 {
            self.changes.fetch_add(1, Ordering::Release);
            os::wake(&self.changes, i32::MAX);
        }
    }
}

/// # Safety
/// Storage for a lock, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeSRWLock(lock: *mut SRWLOCK) {
    if !lock.is_null() {
        // SAFETY: the caller's promise.
        unsafe { lock.write(SRWLOCK { state: AtomicU32::new(0), changes: AtomicU32::new(0) }) };
    }
}

/// # Safety
/// L1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AcquireSRWLockExclusive(lock: *mut SRWLOCK) {
    // SAFETY: L1.
    unsafe { &*lock }.take(false);
}

/// # Safety
/// L1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn AcquireSRWLockShared(lock: *mut SRWLOCK) {
    // SAFETY: L1.
    unsafe { &*lock }.take(true);
}

/// # Safety
/// L1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TryAcquireSRWLockExclusive(lock: *mut SRWLOCK) -> u8 {
    // SAFETY: L1.
    u8::from(unsafe { &*lock }.try_take(false))
}

/// # Safety
/// L1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TryAcquireSRWLockShared(lock: *mut SRWLOCK) -> u8 {
    // SAFETY: L1.
    u8::from(unsafe { &*lock }.try_take(true))
}

/// # Safety
/// L1; the caller has the lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReleaseSRWLockExclusive(lock: *mut SRWLOCK) {
    // SAFETY: L1.
    unsafe { &*lock }.leave(false);
}

/// # Safety
/// L1; the caller has the lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReleaseSRWLockShared(lock: *mut SRWLOCK) {
    // SAFETY: L1.
    unsafe { &*lock }.leave(true);
}

/// The storage of a condition variable.
#[repr(C, align(8))]
pub struct CONDITION_VARIABLE {
    changes: AtomicU32,
    unused: u32,
}

impl CONDITION_VARIABLE {
    /// Lets a lock go, sleeps, and takes it again; false if the time ran out first.
    fn sleep(&self, milliseconds: u32, leave: impl FnOnce(), take: impl FnOnce()) -> Bool {
        let changes = self.changes.load(Ordering::Acquire);
        let end = (milliseconds != INFINITE)
            .then(|| Instant::now() + Duration::from_millis(u64::from(milliseconds)));
        leave();
        let mut in_time = true;
        while in_time && self.changes.load(Ordering::Acquire) == changes {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()).as_nanos() as u64);
            in_time = left != Some(0) && os::sleep_on(&self.changes, changes, left);
        }
        take();
        truth(|| if in_time { Ok(()) } else { fail(TIMEOUT) })
    }

    fn wake(&self, count: i32) {
        self.changes.fetch_add(1, Ordering::Release);
        os::wake(&self.changes, count);
    }
}

/// # Safety
/// Storage for a condition variable, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeConditionVariable(variable: *mut CONDITION_VARIABLE) {
    if !variable.is_null() {
        // SAFETY: the caller's promise.
        unsafe { variable.write(CONDITION_VARIABLE { changes: AtomicU32::new(0), unused: 0 }) };
    }
}

/// # Safety
/// L1; the caller is inside the critical section, once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SleepConditionVariableCS(
    variable: *mut CONDITION_VARIABLE,
    section: *mut CRITICAL_SECTION,
    milliseconds: u32,
) -> Bool {
    // SAFETY: L1, and the caller's promise about the section.
    unsafe {
        (*variable).sleep(milliseconds, || LeaveCriticalSection(section), || EnterCriticalSection(section))
    }
}

/// # Safety
/// L1; the caller has the lock in the way the flags say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SleepConditionVariableSRW(
    variable: *mut CONDITION_VARIABLE,
    lock: *mut SRWLOCK,
    milliseconds: u32,
    flags: u32,
) -> Bool {
    // SAFETY: L1.
    let (variable, lock) = unsafe { (&*variable, &*lock) };
    let shared = flags & SHARED != 0;
    variable.sleep(milliseconds, || lock.leave(shared), || lock.take(shared))
}

/// # Safety
/// L1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WakeConditionVariable(variable: *mut CONDITION_VARIABLE) {
    // SAFETY: L1.
    unsafe { &*variable }.wake(1);
}

/// # Safety
/// L1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WakeAllConditionVariable(variable: *mut CONDITION_VARIABLE) {
    // SAFETY: L1.
    unsafe { &*variable }.wake(i32::MAX);
}

/// The storage of a one-time initialisation: one pointer's worth. State in the low two bits, above them the context,
/// which is a multiple of 4; the low half is slept on.
#[repr(C)]
pub struct INIT_ONCE {
    word: AtomicUsize,
}

/// The function that does it; FALSE: it has not been done.
type InitOnceFunction =
    unsafe extern "C" fn(once: *mut INIT_ONCE, parameter: *mut c_void, context: *mut *mut c_void) -> Bool;

const BEGUN: usize = 1;
const DONE: usize = 2;

/// # Safety
/// Storage for a one-time initialisation, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitOnceInitialize(once: *mut INIT_ONCE) {
    if !once.is_null() {
        // SAFETY: the caller's promise.
        unsafe { once.write(INIT_ONCE { word: AtomicUsize::new(0) }) };
    }
}

/// # Safety
/// L1; the function is one, and may be called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitOnceExecuteOnce(
    once: *mut INIT_ONCE,
    function: InitOnceFunction,
    parameter: *mut c_void,
    context: Out<*mut c_void>,
) -> Bool {
    // SAFETY: L1.
    let word = unsafe { &(*once).word };
    // SAFETY: the machine is little-endian: the low half of the word lies where the word does.
    let low = unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) };
    loop {
        // Partner: the release of whoever did it.
        match word.compare_exchange(0, BEGUN, Ordering::Acquire, Ordering::Acquire) {
            Err(BEGUN) => {
                os::sleep_on(low, BEGUN as u32, None);
            }
            Err(done) => {
                context.put(std::ptr::with_exposed_provenance_mut(done & !3));
                return TRUE;
            }
            Ok(_) => {
                let mut made = std::ptr::null_mut();
                // SAFETY: the caller's promise.
                let done = unsafe { function(once, parameter, &raw mut made) } != FALSE;
                word.store(if done { made.expose_provenance() & !3 | DONE } else { 0 }, Ordering::Release);
                os::wake(low, i32::MAX);
                if done {
                    context.put(made);
                }
                return if done { TRUE } else { FALSE };
            }
        }
    }
}
