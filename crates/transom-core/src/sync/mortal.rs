//! Atomics under the model checker: loom's, of which each store is a step before which their thread may die.
//!
//! A process can be killed between any two instructions. What others see of that is which stores were made and which were
//! not, and then the word that the kernel leaves. So a model counts a thread's stores and stops it before one of them, and
//! does that for each of them in turn. Loads are loom's own.

use core::cell::Cell;
use core::ops::Deref;
use std::boxed::Box;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::Ordering;

loom::thread_local! {
    /// The stores that this thread may still make, if it is to die.
    static LEFT: Cell<Option<u32>> = Cell::new(None);
}

/// What unwinds a thread that dies. No panic: nobody is told of it.
struct Death;

/// Runs `life` in this thread until it is over, or `stores` stores were made and it comes to another one. `None`: it died
/// there. What it owned is dropped, as nothing of the dead is; so it should own nothing that stores when it is dropped.
pub fn live<T>(stores: u32, life: impl FnOnce() -> T) -> Option<T> {
    LEFT.with(|left| left.set(Some(stores)));
    let lived = catch_unwind(AssertUnwindSafe(life));
    LEFT.with(|left| left.set(None));
    match lived {
        Ok(result) => Some(result),
        Err(reason) if reason.is::<Death>() => None,
        Err(panic) => resume_unwind(panic),
    }
}

/// A store is next.
fn step() {
    LEFT.with(|left| match left.get() {
        None => {}
        Some(0) => resume_unwind(Box::new(Death)),
        Some(stores) => left.set(Some(stores - 1)),
    });
}

macro_rules! mortal {
    ($(#[$doc:meta])* $name:ident, $word:ty) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(loom::sync::atomic::$name);

        impl $name {
            /// A word that says this.
            #[must_use]
            pub fn new(word: $word) -> $name {
                $name(loom::sync::atomic::$name::new(word))
            }

            /// A step.
            pub fn store(&self, word: $word, order: Ordering) {
                step();
                self.0.store(word, order);
            }

            /// A step, also if nothing is changed.
            ///
            /// # Errors
            /// What the word says, if that is not `old`.
            pub fn compare_exchange(
                &self,
                old: $word,
                new: $word,
                changed: Ordering,
                not: Ordering,
            ) -> Result<$word, $word> {
                step();
                self.0.compare_exchange(old, new, changed, not)
            }

            mortal!(changes $word: swap fetch_add fetch_sub fetch_or fetch_and);
        }

        impl Deref for $name {
            type Target = loom::sync::atomic::$name;

            fn deref(&self) -> &loom::sync::atomic::$name {
                &self.0
            }
        }
    };
    (changes $word:ty: $($change:ident)*) => {
        $(
            /// A step.
            pub fn $change(&self, word: $word, order: Ordering) -> $word {
                step();
                self.0.$change(word, order)
            }
        )*
    };
}

mortal! {
    /// 32 bits.
    AtomicU32, u32
}
mortal! {
    /// 64 bits.
    AtomicU64, u64
}

/// A word that loom does not see; a store is a step.
#[derive(Debug)]
pub(crate) struct TurnWord(core::sync::atomic::AtomicU64);

impl TurnWord {
    pub fn new(word: u64) -> TurnWord {
        TurnWord(core::sync::atomic::AtomicU64::new(word))
    }

    pub fn load(&self, order: Ordering) -> u64 {
        self.0.load(order)
    }

    pub fn store(&self, word: u64, order: Ordering) {
        step();
        self.0.store(word, order);
    }
}
