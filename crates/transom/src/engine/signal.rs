//! Setting events, releasing semaphores, and waking those whom it concerns.
//!
//! # Who is woken
//! One signal that one waiter can take wakes one sleeper. A sleeper that is killed between its wake-up and
//! its taking would lose it for the others; so who sleeps on one object names its futex as *pending*, and
//! the kernel passes the wake-up on. Who sleeps on several can name only one, so it counts itself in the
//! object's herd, and while there is a herd every signal wakes everybody.
//!
//! # Who forgets to wake
//! Nobody, also when killed: where sleepers may be, an event's S bit and the wake-up are one system call,
//! and a semaphore or mutex is changed with its futex pending.

use std::sync::atomic::Ordering;

use transom_core::code::Code;
use transom_core::word::{self, Release, Rule, Set};
use transom_sys::linux::{futex, robust};

use super::sync::SyncObject;
use super::waiter::settle;

/// Everybody.
pub(crate) const ALL: u32 = u32::MAX;

/// Wakes `count` sleepers of an object whose word says that there are some, or all if there is a herd.
/// Clears W if fewer slept than thought; that wakes whoever came meanwhile.
pub(crate) fn wake(object: &SyncObject, count: u32) {
    let count = if take_herd(object) { ALL } else { count };
    let woken = futex::wake(object.futex(), count);
    if woken < count {
        futex::clear_bit_31_and_wake_all(object.futex());
    }
}

/// Whether somebody sleeps on this and other objects at once; who still does after being woken says so again.
fn take_herd(object: &SyncObject) -> bool {
    object.herd().load(Ordering::Relaxed) != 0 && object.herd().swap(0, Ordering::Relaxed) != 0
}

/// SetEvent (Y1–Y3).
pub(crate) fn set_event(object: &SyncObject) {
    loop {
        let old = object.word().load(Ordering::Relaxed);
        match word::set(old) {
            Set::Already => {
                // Release, although nothing changes: what the setter did before must be visible to who takes
                // the signal. A read-modify-write joins the release sequence that the taker acquires.
                if object.word().compare_exchange(old, old, Ordering::Release, Ordering::Relaxed).is_ok() {
                    return;
                }
            }
            Set::Swap(new) => {
                if object.word().compare_exchange(old, new, Ordering::Release, Ordering::Relaxed).is_ok() {
                    return;
                }
            }
            Set::Wake => return set_and_wake(object),
            Set::Busy => settle(object, None),
        }
    }
}

/// Sets S and wakes in one system call, which is a full barrier.
fn set_and_wake(object: &SyncObject) {
    let all = object.rule() != Rule::Auto || take_herd(object);
    let woken = futex::set_bit_30_and_wake(object.futex(), if all { ALL } else { 1 });
    if all {
        clear_waiters_of_set_event(object);
    } else if woken == 0 {
        futex::clear_bit_31_and_wake_all(object.futex());
    }
}

/// Clears W of an event all of whose sleepers were woken. Invariant 4 of `word`: while S is set nobody goes
/// to sleep, and everybody who slept when it was set was woken by the same call.
fn clear_waiters_of_set_event(object: &SyncObject) {
    let old = object.word().load(Ordering::Relaxed);
    if word::is_signalled(old) && word::has_waiters(old) && word::id(old) == 0 {
        let new = old & !u64::from(word::WAITERS);
        let _ = object.word().compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// ResetEvent.
pub(crate) fn reset_event(object: &SyncObject) {
    let mut old = object.word().load(Ordering::Relaxed);
    loop {
        match word::reset(old) {
            None => {
                settle(object, None);
                old = object.word().load(Ordering::Relaxed);
            }
            Some(new) => match object.word().compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => old = now,
            },
        }
    }
}

/// PulseEvent (Y7): a manual-reset event lets through who sleeps now; an auto-reset one, one of them.
pub(crate) fn pulse_event(object: &SyncObject) {
    if object.rule() == Rule::Manual {
        reset_event(object);
        object.pulse().fetch_add(1, Ordering::Release);
        futex::wake(object.futex(), ALL);
        return;
    }
    let old = object.word().load(Ordering::Relaxed);
    let woken = if word::has_waiters(old) && word::id(old) == 0 {
        futex::set_bit_30_and_wake(object.futex(), 1)
    } else {
        0
    };
    if woken == 0 {
        reset_event(object);
    }
}

/// ReleaseSemaphore (Y18–Y21): the count before.
pub(crate) fn release_semaphore(object: &SyncObject, count: u32) -> Result<u32, Code> {
    loop {
        let old = object.word().load(Ordering::Relaxed);
        match word::release(old, count, object.maximum()) {
            Release::TooMany => return Err(Code::TOO_MANY_POSTS),
            Release::Busy => settle(object, None),
            Release::Swap(new) => {
                robust::set_pending(object.address());
                let swapped = object.word().compare_exchange(old, new, Ordering::Release, Ordering::Relaxed).is_ok();
                if swapped && word::has_waiters(new) {
                    wake(object, count);
                }
                robust::clear_pending();
                if swapped {
                    return Ok(word::count(old));
                }
            }
        }
    }
}

/// The thread of this object has ended in an orderly way: signalled for ever (Y33).
pub(crate) fn end_thread(object: &SyncObject, code: u32) {
    object.exit_code().store(code, Ordering::Relaxed);
    let mut old = object.word().load(Ordering::Relaxed);
    // Release: the exit code and all else the thread did. Partner: the acquire in `waiter::try_take`.
    while let Err(now) =
        object.word().compare_exchange_weak(old, word::died(old), Ordering::Release, Ordering::Relaxed)
    {
        old = now;
    }
    if word::has_waiters(old) {
        futex::wake(object.futex(), ALL);
    }
}
