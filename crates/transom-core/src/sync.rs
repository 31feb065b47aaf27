//! The one place that names atomics: core's, or loom's when a model is checked.
//!
//! Everything that several processes change at once goes through these, so that the model checker sees
//! the real code and not a copy of it.

#[cfg(not(loom))]
pub use core::sync::atomic::{AtomicU32, AtomicU64, Ordering, compiler_fence, fence};
#[cfg(loom)]
pub use loom::sync::atomic::{Ordering, fence};
#[cfg(loom)]
pub use mortal::{AtomicU32, AtomicU64};

#[cfg(loom)]
pub mod mortal;

/// A word that is used under a turn and never else. The turn's own acquire and release order it, which the models
/// check; so the model checker need not try every order of these as well.
#[cfg(not(loom))]
pub(crate) type TurnWord = core::sync::atomic::AtomicU64;
#[cfg(loom)]
pub(crate) type TurnWord = mortal::TurnWord;
