//! A value that threads use without a lock and that one of them replaces now and then.
//!
//! Who uses it is counted; what was replaced is dropped when nobody is inside. There is no waiting on either side:
//! a replaced value lives on as long as anybody is inside, whichever value that thread uses.
//!
//! Mostly one thread does all the work with a value, and two counts by locked instructions are a good part of a short
//! read or write. So the first thread that comes many times in a row, or one of several that take turns, becomes the
//! *regular*: it counts itself in a word that nobody else writes, by plain stores. Who replaces a value has a barrier
//! executed in all threads, [`barrier::everywhere`], before it looks at that word.
//!
//! # Safety
//! Values are reached through a raw pointer. A replaced one is dropped only after both counts were seen to be 0 *after*
//! the pointer had changed.
//!
//! - `inside`: all accesses to it and the pointer are sequentially consistent, so whoever enters later finds the new
//!   pointer, and whoever had entered before has left.
//! - `regular_inside`: the regular stores the count and loads the pointer, in program order. The barrier that is
//!   executed in its thread falls before the store, behind the load, or between them. Before: the load is behind it too
//!   and finds the new pointer. Behind or between: the count is seen. The regular's way out is alike: it takes itself
//!   out of the count and then looks for litter, so either the one who replaced saw it gone, or it sees the litter.
//! - There is one regular for good: nobody else ever has the key of its thread.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, AtomicUsize, Ordering, compiler_fence};
use std::sync::{Arc, Mutex, PoisonError};

use transom_sys::linux::barrier;

use super::owner::my_key;

/// So many times in a row make a regular.
const MANY: u32 = 32;
/// So many times make one of whoever it is: of several threads that take turns one.
const ENOUGH: u32 = 1024;

/// See the module.
#[derive(Debug)]
pub(crate) struct Current<T> {
    value: AtomicPtr<T>,
    /// The key of the thread that counts itself in the next word; 0: there is none yet.
    regular: AtomicU64,
    regular_inside: AtomicUsize,
    /// All other threads.
    inside: AtomicUsize,
    /// Until there is a regular: the key of the one that came last, how many times in a row it came, and how many times
    /// anybody did.
    last: AtomicU64,
    in_a_row: AtomicU32,
    times: AtomicU32,
    is_littered: AtomicBool,
    replaced: Mutex<Vec<Arc<T>>>,
}

// SAFETY: it owns counted values and hands out shared references to them, as an `Arc` does.
unsafe impl<T: Send + Sync> Send for Current<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Current<T> {}

/// The value, in use by this thread.
#[derive(Debug)]
pub(crate) struct Inside<'a, T> {
    current: &'a Current<T>,
    value: &'a T,
    as_regular: bool,
    /// Not for other threads: the one that entered leaves.
    _here: PhantomData<*const ()>,
}

impl<T> Current<T> {
    pub(crate) fn new(value: T) -> Current<T> {
        Current {
            value: AtomicPtr::new(Arc::into_raw(Arc::new(value)).cast_mut()),
            regular: AtomicU64::new(0),
            regular_inside: AtomicUsize::new(0),
            inside: AtomicUsize::new(0),
            last: AtomicU64::new(0),
            in_a_row: AtomicU32::new(0),
            times: AtomicU32::new(0),
            is_littered: AtomicBool::new(false),
            replaced: Mutex::new(Vec::new()),
        }
    }

    /// The value as it is now.
    #[inline]
    pub(crate) fn enter(&self) -> Inside<'_, T> {
        let as_regular = self.is_regular();
        if as_regular {
            let count = self.regular_inside.load(Ordering::Relaxed);
            self.regular_inside.store(count + 1, Ordering::Relaxed);
            compiler_fence(Ordering::SeqCst);
        } else {
            self.enter_counted();
        }
        // SAFETY: the pointer came from an `Arc`; while a count has this thread, nobody drops that, see the module.
        let value = unsafe { &*self.value.load(Ordering::SeqCst) };
        Inside { current: self, value, as_regular, _here: PhantomData }
    }

    #[inline]
    fn is_regular(&self) -> bool {
        self.regular.load(Ordering::Relaxed) == my_key()
    }

    #[inline(never)] // It is not the usual, and takes its time anyway.
    fn enter_counted(&self) {
        self.inside.fetch_add(1, Ordering::SeqCst);
        if self.regular.load(Ordering::Relaxed) == 0 {
            self.may_become_regular();
        }
    }

    /// Counts the times; from the next time on the thread may be the regular.
    #[cold]
    fn may_become_regular(&self) {
        if !barrier::is_available() {
            return;
        }
        let key = my_key();
        // Roughly, if several threads do it at once: one of them or none is let in below.
        let is_last = self.last.load(Ordering::Relaxed) == key;
        let before = if is_last { self.in_a_row.load(Ordering::Relaxed) } else { 0 };
        let (in_a_row, times) = (before + 1, self.times.load(Ordering::Relaxed) + 1);
        self.last.store(key, Ordering::Relaxed);
        self.in_a_row.store(in_a_row, Ordering::Relaxed);
        self.times.store(times, Ordering::Relaxed);
        if in_a_row >= MANY || times >= ENOUGH {
            let _ = self.regular.compare_exchange(0, key, Ordering::SeqCst, Ordering::Relaxed);
        }
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
        let garbage = if self.is_empty() {
            self.is_littered.store(false, Ordering::SeqCst);
            std::mem::take(&mut *replaced)
        } else {
            Vec::new()
        };
        drop(replaced);
        drop(garbage);
    }

    /// Whether nobody uses a value that has been replaced before.
    fn is_empty(&self) -> bool {
        if self.inside.load(Ordering::SeqCst) != 0 {
            return false;
        }
        // Who becomes the regular now entered by the other count before, and enters anew after this.
        let regular = self.regular.load(Ordering::SeqCst);
        if regular != 0 && regular != my_key() && !barrier::everywhere() {
            return false;
        }
        self.regular_inside.load(Ordering::SeqCst) == 0
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
        let current = self.current;
        let left = if self.as_regular {
            let left = current.regular_inside.load(Ordering::Relaxed) - 1;
            current.regular_inside.store(left, Ordering::Release);
            compiler_fence(Ordering::SeqCst);
            left
        } else {
            current.inside.fetch_sub(1, Ordering::SeqCst) - 1
        };
        if left == 0 && current.is_littered.load(Ordering::Relaxed) {
            current.tidy();
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

    /// The calling thread comes so often that it is the regular, where the kernel lets anybody be.
    fn becomes_regular<T>(current: &Current<T>) -> bool {
        for _ in 0..MANY {
            drop(current.enter());
        }
        current.is_regular()
    }

    fn in_another_thread(work: impl FnOnce() + Send) {
        std::thread::scope(|scope| {
            scope.spawn(work);
        });
    }

    #[test]
    fn who_comes_many_times_in_a_row_is_the_regular_and_stays_it() {
        let current = Current::new(());
        for _ in 1..MANY {
            drop(current.enter());
        }
        in_another_thread(|| drop(current.enter()));
        drop(current.enter());
        assert!(!current.is_regular(), "another came in between");
        assert_eq!(becomes_regular(&current), barrier::is_available());
        in_another_thread(|| assert_eq!(becomes_regular(&current), !barrier::is_available()));
    }

    #[test]
    fn of_two_that_take_turns_one_becomes_the_regular() {
        let current = Current::new(());
        let turns = std::sync::Barrier::new(2);
        let regulars = std::thread::scope(|scope| {
            let take_turns = |first: bool| {
                for _ in 0..=ENOUGH / 2 {
                    if first {
                        drop(current.enter());
                    }
                    turns.wait();
                    if !first {
                        drop(current.enter());
                    }
                    turns.wait();
                }
                u32::from(current.is_regular())
            };
            let other = scope.spawn(move || take_turns(true));
            take_turns(false) + other.join().expect("no panic")
        });
        assert_eq!(regulars, u32::from(barrier::is_available()));
    }

    #[test]
    fn what_the_regular_uses_lives_until_it_leaves() {
        let count = Arc::new(AtomicUsize::new(0));
        let current = Current::new(Counted::new(&count, 1));
        becomes_regular(&current);
        let (first, again) = (current.enter(), current.enter());
        in_another_thread(|| current.replace(Counted::new(&count, 2)));
        drop(again);
        assert_eq!((count.load(Ordering::SeqCst), first.1, current.enter().1), (2, 1, 2));
        drop(first);
        assert_eq!(count.load(Ordering::SeqCst), 1);
        in_another_thread(|| current.replace(Counted::new(&count, 3)));
        assert_eq!((count.load(Ordering::SeqCst), current.enter().1), (1, 3));
    }

    #[test]
    fn no_value_is_dropped_while_the_regular_uses_it() {
        const VALUES: usize = 20_000;
        /// Says that it was dropped where that can be seen afterwards.
        struct Numbered<'a>(usize, &'a [AtomicBool]);
        impl Drop for Numbered<'_> {
            fn drop(&mut self) {
                self.1[self.0].store(true, Ordering::SeqCst);
            }
        }
        let dropped: Vec<_> = (0..VALUES).map(|_| AtomicBool::new(false)).collect();
        let (current, over) = (Current::new(Numbered(0, &dropped)), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                becomes_regular(&current);
                while !over.load(Ordering::Relaxed) {
                    let inside = current.enter();
                    let seen = &dropped[inside.0];
                    for _ in 0..50 {
                        assert!(!seen.load(Ordering::Relaxed));
                    }
                }
            });
            for number in 1..VALUES {
                current.replace(Numbered(number, &dropped));
            }
            over.store(true, Ordering::Relaxed);
        });
    }
}
