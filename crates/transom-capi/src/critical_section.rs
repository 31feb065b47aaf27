//! Critical sections: locks among the threads of one process, entered again by their owner.
//!
//! ```text
//!   CRITICAL_SECTION   DebugInfo │ LockCount │ RecursionCount │ OwningThread │ LockSemaphore │ SpinCount
//!                                                                              └ points to a [`Section`]
//! ```
//! The program owns the storage, the library one word of it. A section of zeroes works too, without
//! `InitializeCriticalSection`: programs have them in static storage, and get away with it on Windows.
//!
//! # Safety
//! C1. The word is 0 or points to a [`Section`] made here. C2. Delete ends it; that nobody is inside then, or
//! uses it later, is the program's promise, as on Windows.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::ffi::{Bool, FALSE, TRUE, guard};

/// The program's storage, of which only one word is looked at.
#[repr(C)]
pub struct CRITICAL_SECTION {
    debug_info: usize,
    lock_count: i32,
    recursion_count: i32,
    owning_thread: usize,
    section: AtomicPtr<Section>,
    spin_count: usize,
}

/// The lock behind a critical section.
#[derive(Default)]
struct Section {
    inside: Mutex<Inside>,
    free: Condvar,
}

#[derive(Default)]
struct Inside {
    /// The thread that is inside; 0 is nobody.
    owner: usize,
    /// How often it entered.
    depth: usize,
}

/// A number that only the calling thread has while it lives.
fn this_thread() -> usize {
    thread_local!(static HERE: Cell<u8> = const { Cell::new(0) });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

impl Section {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, wait: bool) -> bool {
        let me = this_thread();
        let mut inside = self.inside();
        while inside.owner != me && inside.owner != 0 {
            if !wait {
                return false;
            }
            inside = self.free.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        inside.owner = me;
        inside.depth += 1;
        true
    }

    fn leave(&self) {
        let mut inside = self.inside();
        if inside.owner != this_thread() {
            // A mistake without a report; the owner keeps the section.
            return;
        }
        inside.depth -= 1;
        if inside.depth == 0 {
            inside.owner = 0;
            drop(inside);
            self.free.notify_one();
        }
    }
}

/// The section behind the program's storage, made if there is none.
///
/// # Safety
/// `storage` is NULL or a critical section (C1, C2).
unsafe fn section<'a>(storage: *mut CRITICAL_SECTION) -> Option<&'a Section> {
    if storage.is_null() {
        return None;
    }
    // SAFETY: the caller's promise; the word is only used as an atomic.
    let word = unsafe { &(*storage).section };
    // Partner: the release below, of whichever thread was first.
    let mut at = word.load(Ordering::Acquire);
    if at.is_null() {
        let made = Box::into_raw(Box::default());
        match word.compare_exchange(at, made, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => at = made,
            Err(other) => {
                // SAFETY: made just now, and nobody has seen it.
                drop(unsafe { Box::from_raw(made) });
                at = other;
            }
        }
    }
    // SAFETY: C1, C2.
    Some(unsafe { &*at })
}

/// # Safety
/// `storage` is NULL or room for a critical section.
unsafe fn initialize(storage: *mut CRITICAL_SECTION) {
    if !storage.is_null() {
        let section = AtomicPtr::new(Box::into_raw(Box::default()));
        let fresh = CRITICAL_SECTION {
            debug_info: 0,
            lock_count: -1,
            recursion_count: 0,
            owning_thread: 0,
            section,
            spin_count: 0,
        };
        // SAFETY: the caller's promise. What was there before is not looked at: it may be anything.
        unsafe { storage.write(fresh) };
    }
}

/// # Safety
/// See [`initialize`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSection(storage: *mut CRITICAL_SECTION) {
    // SAFETY: the caller's promise.
    unsafe { initialize(storage) };
}

/// # Safety
/// See [`initialize`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSectionAndSpinCount(
    storage: *mut CRITICAL_SECTION,
    _spin: u32,
) -> Bool {
    // SAFETY: the caller's promise.
    unsafe { initialize(storage) };
    TRUE
}

/// # Safety
/// See [`initialize`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSectionEx(
    storage: *mut CRITICAL_SECTION,
    _spin: u32,
    _flags: u32,
) -> Bool {
    // SAFETY: the caller's promise.
    unsafe { initialize(storage) };
    TRUE
}

/// # Safety
/// See [`section`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn EnterCriticalSection(storage: *mut CRITICAL_SECTION) {
    guard((), || {
        // SAFETY: the caller's promise.
        if let Some(section) = unsafe { section(storage) } {
            section.enter(true);
        }
        Ok(())
    });
}

/// # Safety
/// See [`section`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TryEnterCriticalSection(storage: *mut CRITICAL_SECTION) -> Bool {
    guard(FALSE, || {
        // SAFETY: the caller's promise.
        let section = unsafe { section(storage) };
        Ok(if section.is_some_and(|section| section.enter(false)) { TRUE } else { FALSE })
    })
}

/// # Safety
/// See [`section`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LeaveCriticalSection(storage: *mut CRITICAL_SECTION) {
    guard((), || {
        // SAFETY: the caller's promise.
        if let Some(section) = unsafe { section(storage) } {
            section.leave();
        }
        Ok(())
    });
}

/// # Safety
/// See [`section`]; nobody is inside, and nobody enters any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DeleteCriticalSection(storage: *mut CRITICAL_SECTION) {
    if storage.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    let at = unsafe { (*storage).section.swap(std::ptr::null_mut(), Ordering::AcqRel) };
    if !at.is_null() {
        // SAFETY: made by `initialize` or `section`, and nobody uses it any more (C2).
        drop(unsafe { Box::from_raw(at) });
    }
}
