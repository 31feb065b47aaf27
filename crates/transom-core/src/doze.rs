//! Sleeping until something is published: nobody sleeps past it, whoever is killed wherever.
//!
//! ```text
//!  reader                                  writer
//!  v = announce(word)   makes it odd       publish
//!  look everywhere                         is_announced(word)?
//!  sleep while the word is v                 word + 1 and wake all: one system call
//! ```
//! The word counts up; while it is odd somebody may be asleep on it, or about to be.
//!
//! # Invariants
//! 1. A sleep on `v` begins only if nobody has woken since `v` was announced: the word never comes back to `v` (before
//!    it has gone once round).
//! 2. Changing the word and waking is one step (FUTEX_WAKE_OP), which a kill cannot split. So there is no duty to wake
//!    that somebody takes over and dies with: whoever published while the word is odd wakes by itself.
//! 3. What is published before the look is seen by it; what is published after it meets an odd word. The fence of
//!    [`announce`] and the full barrier that has to lie between publishing and [`is_announced`] say so.
//!
//! Readers may announce together: who finds the word odd sleeps on the same value. One who then finds something and
//! does not sleep leaves it odd; that costs the next writer a system call and nobody anything else.
//!
//! A writer that is killed after it published and before it woke has not returned. What it published is found by the
//! next look; no reader waits for a write that had returned.

use crate::sync::{AtomicU32, Ordering, fence};

/// A reader is about to sleep: from now on whoever publishes wakes it. It looks once more, and sleeps while the word
/// has the value given.
#[inline]
pub fn announce(word: &AtomicU32) -> u32 {
    let seen = word.fetch_or(1, Ordering::SeqCst) | 1;
    // Pairs with the barrier of whoever publishes (invariant 3).
    fence(Ordering::SeqCst);
    seen
}

/// Whether somebody may be asleep; asked after publishing and a full barrier.
#[inline]
pub fn is_announced(word: &AtomicU32) -> bool {
    word.load(Ordering::SeqCst) & 1 != 0
}
