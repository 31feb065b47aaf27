//! A value that threads use without a lock and that one of them replaces now and then.
//!
//! Who uses it is counted; what was replaced is dropped when nobody is inside. There is no waiting on either side:
//! a replaced value lives on as long as anybody is inside, whichever value that thread uses.
//!
//! # Safety
//! Values are reached through a raw pointer. A replaced one is dropped only after the count was seen to be 0 *after*
//! the pointer had changed; all four accesses are sequentially consistent, so whoever enters later finds the new
//! pointer, and whoever had entered before has left.
#![allow(unsafe_code)]

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// See the module.
#[derive(Debug)]
pub(crate) struct Current<T> {
    value: AtomicPtr<T>,
    inside: AtomicUsize,
    is_littered: AtomicBool,
    replaced: Mutex<Vec<Arc<T>>>,
}

// SAFETY: it owns counted values and hands out shared references to them, as an `Arc` does.
unsafe impl<T: Send + Sync> Send for Current<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Current<T> {}

/// The value, in use.
#[derive(Debug)]
pub(crate) struct Inside<'a, T> {
    current: &'a Current<T>,
    value: &'a T,
}

impl<T> Current<T> {
    pub(crate) fn new(value: T) -> Current<T> {
        Current {
            value: AtomicPtr::new(Arc::into_raw(Arc::new(value)).cast_mut()),
            inside: AtomicUsize::new(0),
            is_littered: AtomicBool::new(false),
            replaced: Mutex::new(Vec::new()),
        }
    }

    /// The value as it is now.
    #[inline]
    pub(crate) fn enter(&self) -> Inside<'_, T> {
        self.inside.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the pointer came from an `Arc`; while `inside` counts this thread, nobody drops that, see the
        // module.
        let value = unsafe { &*self.value.load(Ordering::SeqCst) };
        Inside { current: self, value }
    }

    /// Puts another value in its place. Those inside go on with the one they have.
    pub(crate) fn replace(&self, value: T) {
        let new = Arc::into_raw(Arc::new(value)).cast_mut();
        let old = self.value.swap(new, Ordering::SeqCst);
        // SAFETY: the pointer came from an `Arc`, and the swap took it out of the only place that has it.
        let old = unsafe { Arc::from_raw(old) };
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner).push(old);
        self.is_littered.store(true, Ordering::SeqCst);
        self.tidy();
    }

    /// Drops what was replaced, if nobody is inside.
    #[cold]
    fn tidy(&self) {
        let mut replaced = self.replaced.lock().unwrap_or_else(PoisonError::into_inner);
        // Everything in the list has left the pointer before this look.
        let garbage = if self.inside.load(Ordering::SeqCst) == 0 {
            self.is_littered.store(false, Ordering::SeqCst);
            std::mem::take(&mut *replaced)
        } else {
            Vec::new()
        };
        drop(replaced);
        drop(garbage);
    }
}

impl<T> Drop for Current<T> {
    fn drop(&mut self) {
        // SAFETY: the pointer came from an `Arc`; nobody is inside, since being inside borrows `self`.
        drop(unsafe { Arc::from_raw(*self.value.get_mut()) });
    }
}

impl<T> Inside<'_, T> {
    /// The value, for longer than one operation.
    pub(crate) fn share(&self) -> Arc<T> {
        // SAFETY: the reference leads into an `Arc` that lives while this thread is inside; the count that is added
        // is the one of the result.
        unsafe {
            Arc::increment_strong_count(self.value);
            Arc::from_raw(self.value)
        }
    }
}

impl<T> Deref for Inside<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value
    }
}

impl<T> Drop for Inside<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.current.inside.fetch_sub(1, Ordering::SeqCst) == 1
            && self.current.is_littered.load(Ordering::Relaxed)
        {
            self.current.tidy();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts what lives.
    struct Counted(Arc<AtomicUsize>, usize);

    impl Counted {
        fn new(count: &Arc<AtomicUsize>, number: usize) -> Counted {
            count.fetch_add(1, Ordering::SeqCst);
            Counted(Arc::clone(count), number)
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn what_was_replaced_lives_as_long_as_somebody_is_inside() {
        let count = Arc::new(AtomicUsize::new(0));
        let current = Current::new(Counted::new(&count, 1));
        let first = current.enter();
        current.replace(Counted::new(&count, 2));
        let second = current.enter();
        assert_eq!((first.1, second.1), (1, 2));
        let shared = first.share();
        drop(second);
        assert_eq!(count.load(Ordering::SeqCst), 2);
        drop(first);
        assert_eq!((count.load(Ordering::SeqCst), shared.1), (2, 1));
        drop(shared);
        assert_eq!(count.load(Ordering::SeqCst), 1);
        current.replace(Counted::new(&count, 3));
        assert_eq!((count.load(Ordering::SeqCst), current.enter().1), (1, 3));
        drop(current);
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn many_threads_use_it_while_one_replaces_it() {
        let count = Arc::new(AtomicUsize::new(0));
        let current = Current::new(Counted::new(&count, 0));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut last = 0;
                    while last < 2_000 {
                        let inside = current.enter();
                        assert!(inside.1 >= last);
                        last = inside.1;
                    }
                });
            }
            for number in 1..=2_000 {
                current.replace(Counted::new(&count, number));
            }
        });
        assert_eq!(current.enter().1, 2_000);
        current.replace(Counted::new(&count, 0));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}
