//! Turns: who may write into a queue, and who may read from it.
//!
//! A turn is a robust futex in the shared header ([`transom_core::ring::turn`] has its protocol). While a thread has
//! it, its address is the *pending* one of the thread's list, so that the kernel marks the turn and wakes the next
//! one if the thread is killed. No entry is linked: the list never runs through shared memory, and a segment needs
//! no private page. A thread has one turn at a time.
//!
//! While a loan is out the program's own code runs, and a mutex it takes uses the same pending address; then the
//! mark may be missing. So who waits long asks whether the owner exists at all.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU32, Ordering};

use transom_core::ring::turn::{self, Take};
use transom_sys::linux::fault::step;
use transom_sys::linux::robust::Pending;
use transom_sys::linux::{futex, host};

use super::owner::my_id;
use super::spin;

const ID: u32 = 0x3FFF_FFFF;
const OWNER_DIED: u32 = 1 << 30;

/// After so many nanoseconds of waiting somebody asks whether the owner exists; then after twice that, and so on.
const DOUBT: u64 = 1_000_000_000;

/// A turn that the calling thread has; given up when dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    word: &'a AtomicU32,
    after_death: bool,
    /// The thread's that has it.
    pending: Pending,
}

/// A turn that the thread keeps beyond the call that took it, without a borrow of its word; not for other threads.
/// Forgotten, it is given up when the thread ends.
#[derive(Debug)]
pub(crate) struct Kept(PhantomData<*const ()>);

/// How long a turn is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Go {
    /// On, until this moment at the latest.
    On(Option<u64>),
    /// No longer.
    Stop,
}

impl<'a> Turn<'a> {
    /// The turn, if nobody has it.
    #[inline]
    pub(crate) fn try_take(word: &'a AtomicU32) -> Option<Turn<'a>> {
        let pending = Pending::here();
        pending.set(word.as_ptr() as usize);
        match turn::try_take(word, my_id(), false) {
            Take::Taken => Some(Turn { word, after_death: false, pending }),
            Take::AfterDeath => Some(Turn { word, after_death: true, pending }),
            Take::Busy => {
                pending.clear();
                None
            }
        }
    }

    /// Waits for the turn as long as `go` says, which is asked before each sleep.
    #[cold]
    pub(crate) fn wait(word: &'a AtomicU32, mut go: impl FnMut() -> Go) -> Option<Turn<'a>> {
        let me = my_id();
        let pending = Pending::here();
        pending.set(word.as_ptr() as usize);
        let mut slept = false;
        let (mut doubt, begun) = (DOUBT, futex::now());
        if !spin::is_alone() {
            // Most turns last a few hundred instructions.
            spin::look(spin::SHORT / 16, || word.load(Ordering::Relaxed) & ID == 0);
        }
        loop {
            match turn::try_take(word, me, slept) {
                Take::Taken => return Some(Turn { word, after_death: false, pending }),
                Take::AfterDeath => return Some(Turn { word, after_death: true, pending }),
                Take::Busy => {}
            }
            let Go::On(deadline) = go() else { break };
            let now = futex::now();
            if deadline.is_some_and(|at| now >= at) {
                break;
            }
            let look = begun + doubt;
            if now >= look {
                doubt *= 2;
                undo(word);
                continue;
            }
            if let Some(expected) = turn::announce_sleep(word) {
                slept = true;
                step("turn-awaited");
                let _ = futex::wait(word, expected, Some(deadline.map_or(look, |at| at.min(look))));
            }
        }
        if slept && word.load(Ordering::Relaxed) & ID == 0 {
            // The wake-up that this thread may have got is another's.
            futex::wake(word, 1);
        }
        pending.clear();
        None
    }

    /// Whether the last owner died with it: what it left has to be put in order.
    #[inline]
    pub(crate) fn is_after_death(&self) -> bool {
        self.after_death
    }

    /// Names the turn to the kernel again, after another one was taken and given up meanwhile.
    pub(crate) fn protect(&self) {
        self.pending.set(self.word.as_ptr() as usize);
    }

    /// Keeps the turn; [`Turn::resume`] gives it back.
    pub(crate) fn keep(self) -> Kept {
        std::mem::forget(self);
        Kept(PhantomData)
    }

    /// The turn at `word` that was kept.
    pub(crate) fn resume(word: &'a AtomicU32, _: Kept) -> Turn<'a> {
        let turn = Turn { word, after_death: false, pending: Pending::here() };
        turn.protect();
        turn
    }
}

/// Whether somebody has the turn at `word`.
pub(crate) fn is_taken(word: &AtomicU32) -> bool {
    word.load(Ordering::SeqCst) & ID != 0
}

/// Whether the calling thread has the turn at `word`.
#[cold]
pub(crate) fn is_own(word: &AtomicU32) -> bool {
    word.load(Ordering::Relaxed) & ID == my_id() & ID
}

impl Drop for Turn<'_> {
    #[inline]
    fn drop(&mut self) {
        if turn::release(self.word) {
            step("turn-released");
            futex::wake(self.word, 1);
        }
        self.pending.clear();
    }
}

/// Does for an owner that does not exist what the kernel does for one that dies.
#[cold]
fn undo(word: &AtomicU32) {
    let now = word.load(Ordering::Relaxed);
    if now & ID != 0 && !host::exists(now & ID) {
        let dead = now & !ID | OWNER_DIED;
        let _ = word.compare_exchange(now, dead, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Wakes everybody who waits for the turn, so that they ask whether to go on.
pub(crate) fn stir(word: &AtomicU32) {
    futex::wake(word, u32::MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_had_by_one_thread_and_passed_on() {
        let word = AtomicU32::new(0);
        let turn = Turn::try_take(&word).expect("free");
        assert!(!turn.is_after_death());
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| {
                assert!(Turn::try_take(&word).is_none());
                Turn::wait(&word, || Go::On(None)).is_some()
            });
            while word.load(Ordering::Relaxed) & !ID == 0 {
                std::thread::yield_now();
            }
            drop(turn);
            assert!(waiter.join().expect("no panic"));
        });
        assert_eq!(word.load(Ordering::Relaxed) & ID, 0);
    }

    #[test]
    fn waiting_for_a_turn_ends_at_the_deadline_or_when_told_to() {
        let word = AtomicU32::new(0);
        let _turn = Turn::try_take(&word).expect("free");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let deadline = futex::now() + 2_000_000;
                assert!(Turn::wait(&word, || Go::On(Some(deadline))).is_none());
                assert!(futex::now() >= deadline);
                assert!(Turn::wait(&word, || Go::Stop).is_none());
            });
        });
    }

    /// The kernel marks the turn of a thread that ended with it, and the next owner is told.
    #[test]
    fn a_turn_whose_owner_ended_is_free_and_says_so() {
        let word = AtomicU32::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| std::mem::forget(Turn::try_take(&word).expect("free")));
        });
        // The kernel does it when the thread is really gone, which may be after the scope's end.
        let turn = Turn::wait(&word, || Go::On(None)).expect("freed");
        assert!(turn.is_after_death());
    }

    /// An id that a peer made up, or one whose mark was lost.
    #[test]
    fn a_turn_of_a_thread_that_never_was_is_freed_in_the_end() {
        let word = AtomicU32::new(ID - 1);
        let turn = Turn::wait(&word, || Go::On(None)).expect("freed");
        assert!(turn.is_after_death());
    }
}
