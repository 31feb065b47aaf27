//! Sleeping on words in shared memory until something is published; [`transom_core::doze`] says why nothing is slept
//! through.
//!
//! While a writer publishes, a second word, which is always 0, is the *pending* futex of its thread: if it is killed
//! before it has woken anybody, the kernel wakes a reader that sleeps on that. So what it published comes at once, and
//! not with the next message; the rest of the protocol does without.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use transom_core::doze;
use transom_sys::linux::fault::step;
use transom_sys::linux::futex::{self, Sleep};
use transom_sys::linux::{Errno, robust};

/// The two words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Doze<'a> {
    word: &'a AtomicU32,
    death: &'a AtomicU32,
}

/// The kernel cannot sleep on two words (before Linux 5.16), or may not.
static ONE_WORD: AtomicBool = AtomicBool::new(false);

impl<'a> Doze<'a> {
    #[inline]
    pub(crate) fn new(word: &'a AtomicU32, death: &'a AtomicU32) -> Doze<'a> {
        Doze { word, death }
    }

    /// A reader is about to sleep; it looks once more before [`Doze::sleep`] with what this gives.
    pub(crate) fn announce(self) -> u32 {
        let seen = doze::announce(self.word);
        step("reader-registered");
        seen
    }

    /// Sleeps unless somebody has woken since `seen` was announced, until `deadline`.
    pub(crate) fn sleep(self, seen: u32, deadline: Option<u64>) {
        step("reader-sleeps");
        if !ONE_WORD.load(Ordering::Relaxed) {
            let words = [Sleep { word: self.word, expected: seen }, Sleep { word: self.death, expected: 0 }];
            match futex::wait_any(&words, deadline) {
                // Another word than 0 is a peer's nonsense: this one goes without.
                Err(Errno::AGAIN) if self.death.load(Ordering::Relaxed) != 0 => {}
                Err(Errno::NOSYS | Errno::PERM) => ONE_WORD.store(true, Ordering::Relaxed),
                _ => return,
            }
        }
        let _ = futex::wait(self.word, seen, deadline);
    }

    /// From now until [`Doze::published`] the kernel wakes a reader if this thread is killed.
    #[inline]
    pub(crate) fn publishing(self) {
        robust::set_pending(self.death.as_ptr().addr());
    }

    /// Something was published: wakes who sleeps.
    #[inline]
    pub(crate) fn published(self) {
        self.rouse();
        robust::clear_pending();
    }

    /// Wakes who sleeps, or is about to.
    #[inline]
    pub(crate) fn rouse(self) {
        if doze::is_announced(self.word) {
            step("before-wake");
            futex::add_one_and_wake_all(self.word);
        }
    }
}
