//! The steps on a turn word.

use crate::ring::turn::{Take, announce_sleep, holder, release, try_take};
use crate::sync::{AtomicU32, Ordering};
use crate::word::{SIGNALLED, WAITERS};

#[test]
fn a_turn_is_one_threads_until_it_is_given_up() {
    let word = AtomicU32::new(0);
    assert_eq!(try_take(&word, 7, false), Take::Taken);
    assert_eq!((try_take(&word, 8, false), holder(&word)), (Take::Busy, 7));
    assert!(!release(&word), "nobody sleeps");
    assert_eq!(try_take(&word, 8, false), Take::Taken);
}

#[test]
fn whoever_gives_up_is_told_of_sleepers() {
    let word = AtomicU32::new(0);
    assert_eq!(try_take(&word, 7, false), Take::Taken);
    assert_eq!(announce_sleep(&word), Some(7 | WAITERS));
    assert!(release(&word));
    // The one that was woken does not know whether it slept alone.
    assert_eq!(try_take(&word, 8, true), Take::Taken);
    assert!(release(&word));
}

#[test]
fn nobody_sleeps_on_a_free_turn() {
    let word = AtomicU32::new(0);
    assert_eq!(announce_sleep(&word), None);
    assert_eq!(try_take(&word, 7, false), Take::Taken);
    assert!(release(&word), "one wake-up too many, never one too few");
}

/// What the kernel makes of the word of a dead thread.
#[test]
fn the_successor_of_the_dead_is_told_once() {
    let word = AtomicU32::new(SIGNALLED | WAITERS);
    assert_eq!(try_take(&word, 8, false), Take::AfterDeath);
    assert_eq!(word.load(Ordering::Relaxed), 8 | WAITERS);
    assert!(release(&word));
    assert_eq!(try_take(&word, 9, false), Take::Taken);
}
