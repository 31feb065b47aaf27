//! A lock of this process alone that costs its holder no more than a full barrier costs anyway.
//!
//! Who has published something under a lock has to put a barrier behind it before it asks whether somebody sleeps. A
//! lock's release is one instruction that is such a barrier on most processors; with the standard library's lock there
//! would be two. And nobody is killed in it alone: so there is nothing to be recovered.
//!
//! # Safety
//! L1. The value is reached by whoever has taken the word, and the word is given up when that one's closure has ended.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fmt;
use std::sync::atomic::AtomicU32;

use transom_core::ring::turn::{self, Take};
use transom_sys::linux::futex;

/// A value that one thread at a time uses.
pub(crate) struct Latch<T> {
    word: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: L1: the value is used by one thread at a time, which may be any.
unsafe impl<T: Send> Sync for Latch<T> {}

impl<T> Latch<T> {
    pub(crate) const fn new(value: T) -> Latch<T> {
        Latch { word: AtomicU32::new(0), value: UnsafeCell::new(value) }
    }

    /// Does something with the value, alone. Behind it stands a full barrier. Not from within itself.
    #[inline]
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        if turn::try_take(&self.word, 1, false) == Take::Busy {
            self.wait();
        }
        let held = Held(&self.word);
        // SAFETY: L1: this thread has the word until `held` is dropped, also if `work` panics.
        let result = work(unsafe { &mut *self.value.get() });
        drop(held);
        turn::fence_behind_release();
        result
    }

    #[cold]
    fn wait(&self) {
        let mut slept = false;
        while turn::try_take(&self.word, 1, slept) == Take::Busy {
            if let Some(expected) = turn::announce_sleep(&self.word) {
                slept = true;
                let _ = futex::wait(&self.word, expected, None);
            }
        }
    }
}

impl<T> fmt::Debug for Latch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latch").finish_non_exhaustive()
    }
}

struct Held<'a>(&'a AtomicU32);

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        if turn::release(self.0) {
            futex::wake(self.0, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_threads_use_one_value_one_after_the_other() {
        let latch = Latch::new(0_u64);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        latch.with(|value| *value += 1);
                    }
                });
            }
        });
        assert_eq!(latch.with(|value| *value), 80_000);
    }

    #[test]
    fn a_panic_gives_it_up() {
        let latch = Latch::new(1);
        let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            latch.with(|_| panic!("as it should"));
        }));
        assert!(refused.is_err());
        assert_eq!(latch.with(|value| *value), 1);
    }
}
