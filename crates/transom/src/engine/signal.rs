//! The kernel's futex under the protocol of [`transom_core::protocol`], and the two signals that are not in
//! it: pulsing an event, and the end of a thread.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use transom_core::code::Code;
use transom_core::protocol::{self, ALL, Slept, Waitable};
use transom_core::word::{self, Rule};
use transom_sys::linux::fault::step;
use transom_sys::linux::{Errno, futex, robust};

use super::sync::SyncObject;
use super::waiter::settle;

impl Waitable for SyncObject {
    fn word(&self) -> &AtomicU64 {
        SyncObject::word(self)
    }

    fn rule(&self) -> Rule {
        SyncObject::rule(self)
    }

    fn maximum(&self) -> u32 {
        SyncObject::maximum(self)
    }

    fn herd(&self) -> &AtomicU32 {
        SyncObject::herd(self)
    }

    fn sleep(&self, expected: u32) -> Slept {
        let _ = futex::wait(self.futex(), expected, None);
        Slept::Look
    }

    fn wake(&self, count: u32) -> u32 {
        step("word-changed");
        futex::wake(self.futex(), count)
    }

    fn set_signalled_and_wake(&self, count: u32) -> u32 {
        step("about-to-set");
        futex::set_bit_30_and_wake(self.futex(), count)
    }

    fn clear_waiters_and_wake(&self) -> u32 {
        futex::clear_bit_31_and_wake_all(self.futex())
    }

    fn begin_pending(&self) {
        robust::set_pending(self.address());
    }

    fn end_pending(&self) {
        robust::clear_pending();
    }

    fn pause(&self) -> Slept {
        settle(self, None)
    }
}

/// An object whose sleeps end at a deadline.
pub(crate) struct Until<'a> {
    pub(crate) object: &'a SyncObject,
    pub(crate) deadline: Option<u64>,
}

impl Waitable for Until<'_> {
    fn word(&self) -> &AtomicU64 {
        self.object.word()
    }

    fn rule(&self) -> Rule {
        self.object.rule()
    }

    fn maximum(&self) -> u32 {
        self.object.maximum()
    }

    fn herd(&self) -> &AtomicU32 {
        self.object.herd()
    }

    fn sleep(&self, expected: u32) -> Slept {
        match futex::wait(self.object.futex(), expected, self.deadline) {
            Err(Errno::TIMEDOUT) => Slept::TimedOut,
            _ => Slept::Look,
        }
    }

    fn wake(&self, count: u32) -> u32 {
        self.object.wake(count)
    }

    fn set_signalled_and_wake(&self, count: u32) -> u32 {
        self.object.set_signalled_and_wake(count)
    }

    fn clear_waiters_and_wake(&self) -> u32 {
        self.object.clear_waiters_and_wake()
    }

    fn begin_pending(&self) {
        self.object.begin_pending();
    }

    fn end_pending(&self) {
        self.object.end_pending();
    }

    fn pause(&self) -> Slept {
        settle(self.object, self.deadline)
    }
}

/// SetEvent.
pub(crate) fn set_event(object: &SyncObject) {
    protocol::set_event(object);
}

/// ResetEvent.
pub(crate) fn reset_event(object: &SyncObject) {
    protocol::reset_event(object);
}

/// ReleaseSemaphore: the count before.
pub(crate) fn release_semaphore(object: &SyncObject, count: u32) -> Result<u32, Code> {
    protocol::release_semaphore(object, count).ok_or(Code::TOO_MANY_POSTS)
}

/// PulseEvent (Y7): a manual-reset event lets through who sleeps now; an auto-reset one, one of them.
pub(crate) fn pulse_event(object: &SyncObject) {
    if object.rule() == Rule::Manual {
        reset_event(object);
        // Partner: the acquire loads of the count in `waiter`.
        object.pulse().fetch_add(1, Ordering::Release);
        futex::wake(object.futex(), ALL);
        return;
    }
    let old = object.word().load(Ordering::Relaxed);
    let sleepers = word::has_waiters(old) && word::id(old) == 0;
    if !sleepers || futex::set_bit_30_and_wake(object.futex(), 1) == 0 {
        reset_event(object);
    }
}

/// The thread of this object has ended in an orderly way: signalled for ever (Y33).
pub(crate) fn end_thread(object: &SyncObject, code: u32) {
    object.exit_code().store(code, Ordering::Relaxed);
    let mut old = object.word().load(Ordering::Relaxed);
    // Release: the exit code and all else the thread did. Partner: the acquire in `protocol::try_take`.
    while let Err(now) =
        object.word().compare_exchange_weak(old, word::died(old), Ordering::Release, Ordering::Relaxed)
    {
        old = now;
    }
    if word::has_waiters(old) {
        futex::wake(object.futex(), ALL);
    }
}
