//! The one place that names atomics: core's, or loom's when a model is checked.
//!
//! Everything that several processes change at once goes through these, so that the model checker sees
//! the real code and not a copy of it.

#[cfg(not(loom))]
pub use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, compiler_fence, fence};
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// Stores a word and lets no later load be done before: a store, and a full barrier that goes along with it for
/// nothing. Later loads that must not be missed by the others' fences are sequentially consistent.
#[inline]
pub fn publish(word: &AtomicU64, value: u64) {
    #[cfg(not(loom))]
    word.swap(value, Ordering::SeqCst);
    // The model checker knows an order of sequentially consistent accesses only from fences.
    #[cfg(loom)]
    {
        word.store(value, Ordering::Release);
        fence(Ordering::SeqCst);
    }
}

/// A word that is used under a turn and never else. The turn's own acquire and release order it, which the models
/// check; so the model checker need not try every order of these as well.
pub(crate) type TurnWord = core::sync::atomic::AtomicU64;
