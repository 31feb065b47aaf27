//! How threads signal, take and sleep on a [state word](crate::word): the loops around the pure functions, over a
//! futex that is given.
//!
//! The engine gives the kernel's futex, the model checker one of its own, so that what is checked is what
//! runs.
//!
//! # Who is woken
//! One signal that one waiter can take wakes one sleeper. A sleeper that is killed between its wake-up and
//! its taking would lose it for the others; so who sleeps on one object names its futex as *pending*, and
//! the kernel passes the wake-up on. Who sleeps on several can name only one, so it counts itself in the
//! object's herd, and while there is a herd every signal wakes everybody.
//!
//! # Who forgets to wake
//! Nobody, also when killed: where sleepers may be, an event's S bit and the wake-up are one system call,
//! and a semaphore or mutex is changed with its futex pending.
//!
//! # Orderings
//! Every signal is a release and every taking an acquire of the word, so what was done before the signal is
//! visible after the wait. W is set by relaxed operations: a sleeper's last check of the word is the
//! kernel's, under the lock under which it also wakes.

use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::word::{self, Release, Rule, Set, Take};

/// Everybody.
pub const ALL: u32 = u32::MAX;

/// How a sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slept {
    /// Woken, or not even begun because the word was another: look again.
    Look,
    /// The time is over.
    TimedOut,
}

/// An object with its word and a futex on the word's low half.
pub trait Waitable {
    /// The state word.
    fn word(&self) -> &AtomicU64;
    /// Its rule.
    fn rule(&self) -> Rule;
    /// The most a semaphore counts to.
    fn maximum(&self) -> u32;
    /// How many sleepers wait for several objects.
    fn herd(&self) -> &AtomicU32;
    /// Sleeps while the low half is `expected`.
    fn sleep(&self, expected: u32) -> Slept;
    /// Wakes at most `count` sleepers; how many there were.
    fn wake(&self, count: u32) -> u32;
    /// Sets S and wakes at most `count`, in one step.
    fn set_signalled_and_wake(&self, count: u32) -> u32;
    /// Clears W and wakes everybody, in one step.
    fn clear_waiters_and_wake(&self) -> u32;
    /// From here to [`Waitable::end_pending`] a wake-up that this thread got or owes is not lost by its death.
    fn begin_pending(&self);
    /// See [`Waitable::begin_pending`].
    fn end_pending(&self);
    /// Lets the thread that has locked the word for a moment go on; [`Slept::TimedOut`] if it does not, and the time
    /// is over.
    fn pause(&self) -> Slept;
}

/// Wakes `count` sleepers of an object whose word says that there are some, or all if there is a herd.
/// Clears W if fewer slept than thought; that wakes whoever came meanwhile (invariant 4 of `word`).
pub fn wake(object: &impl Waitable, count: u32) {
    let count = if take_herd(object) { ALL } else { count };
    if object.wake(count) < count {
        object.clear_waiters_and_wake();
    }
}

/// Whether somebody sleeps on this and other objects at once; who still does after being woken says so again.
fn take_herd(object: &impl Waitable) -> bool {
    object.herd().load(Ordering::Relaxed) != 0 && object.herd().swap(0, Ordering::Relaxed) != 0
}

/// `SetEvent` (Y1–Y3).
#[inline]
pub fn set_event(object: &impl Waitable) {
    loop {
        let old = object.word().load(Ordering::Relaxed);
        match word::set(old) {
            Set::Already => {
                // A release, although nothing changes: what the setter did before must be visible to who takes
                // the signal. A read-modify-write joins the release sequence that the taker acquires.
                if object.word().compare_exchange(old, old, Ordering::Release, Ordering::Relaxed).is_ok() {
                    return;
                }
            }
            Set::Swap(new) => {
                if object.word().compare_exchange(old, new, Ordering::Release, Ordering::Relaxed).is_ok() {
                    return;
                }
            }
            Set::Wake => return set_and_wake(object),
            Set::Busy => drop(object.pause()),
        }
    }
}

/// Sets S and wakes in one system call, which is a full barrier.
fn set_and_wake(object: &impl Waitable) {
    let all = object.rule() != Rule::Auto || take_herd(object);
    let woken = object.set_signalled_and_wake(if all { ALL } else { 1 });
    if all {
        clear_waiters_of_set_event(object);
    } else if woken == 0 {
        object.clear_waiters_and_wake();
    }
}

/// Clears W of an event all of whose sleepers were woken: while S is set nobody goes to sleep, and everybody
/// who slept when it was set was woken by the same call.
fn clear_waiters_of_set_event(object: &impl Waitable) {
    let old = object.word().load(Ordering::Relaxed);
    if word::is_signalled(old) && word::has_waiters(old) && word::id(old) == 0 {
        let new = old & !u64::from(word::WAITERS);
        let _ = object.word().compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// `ResetEvent`.
#[inline]
pub fn reset_event(object: &impl Waitable) {
    let mut old = object.word().load(Ordering::Relaxed);
    loop {
        match word::reset(old) {
            None => {
                object.pause();
                old = object.word().load(Ordering::Relaxed);
            }
            Some(new) => {
                match object.word().compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed) {
                    Ok(_) => return,
                    Err(now) => old = now,
                }
            }
        }
    }
}

/// `ReleaseSemaphore` (Y18–Y21): the count before, or `None` if it would pass the maximum (Y20).
#[inline]
pub fn release_semaphore(object: &impl Waitable, count: u32) -> Option<u32> {
    loop {
        let old = object.word().load(Ordering::Relaxed);
        match word::release(old, count, object.maximum()) {
            Release::TooMany => return None,
            Release::Busy => drop(object.pause()),
            Release::Swap(new) => {
                object.begin_pending();
                let swapped =
                    object.word().compare_exchange(old, new, Ordering::Release, Ordering::Relaxed).is_ok();
                if swapped && word::has_waiters(new) {
                    wake(object, count);
                }
                object.end_pending();
                if swapped {
                    return Some(word::count(old));
                }
            }
        }
    }
}

/// The owner of a mutex, whose futex is pending, takes its id out of the word, as `change` says, and wakes
/// who waits.
#[inline]
pub fn give_up(object: &impl Waitable, change: fn(u64) -> u64) {
    let mut old = object.word().load(Ordering::Relaxed);
    while let Err(now) =
        object.word().compare_exchange_weak(old, change(old), Ordering::Release, Ordering::Relaxed)
    {
        old = now;
    }
    if word::has_waiters(old) {
        wake(object, 1);
    }
}

/// Says in the word that somebody sleeps; the value to sleep on, or `None` if the object changed meanwhile.
#[inline]
pub fn announce(object: &impl Waitable) -> Option<u32> {
    let old = object.word().load(Ordering::Relaxed);
    let sleepable = match object.rule() {
        Rule::Mutex => word::id(old) != 0,
        Rule::Thread => !word::is_signalled(old),
        Rule::Semaphore => word::id(old) == 0 && word::count(old) == 0,
        Rule::Manual | Rule::Auto => word::id(old) == 0 && !word::is_signalled(old),
    };
    if !sleepable {
        return None;
    }
    let new = word::announce(old);
    if old != new && object.word().compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_err() {
        return None;
    }
    Some(word::low(new))
}

/// What a waiter owes the others after it slept and took: a wake-up that the kernel gave to one sleeper on
/// behalf of a dead one concerns them too, and a count that is left.
pub fn pass_on(object: &impl Waitable) {
    let now = object.word().load(Ordering::Relaxed);
    if !word::has_waiters(now) {
        return;
    }
    match object.rule() {
        Rule::Manual | Rule::Thread if word::is_signalled(now) => {
            object.clear_waiters_and_wake();
        }
        Rule::Semaphore if word::count(now) > 0 => wake(object, 1),
        _ => {}
    }
}

/// A waiter leaves without taking this object, after it may have been given its wake-up: passes it on if
/// the object can be taken.
pub fn leave(object: &impl Waitable) {
    let now = object.word().load(Ordering::Relaxed);
    let available = match object.rule() {
        Rule::Mutex => word::id(now) == 0,
        _ => word::is_signalled(now),
    };
    if available && word::has_waiters(now) {
        wake(object, if object.rule() == Rule::Manual { ALL } else { 1 });
    }
}

/// What one try at an object gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// Taken; `abandoned` as in [`Take::Free`].
    Taken {
        /// Whether the wait's result is the abandoned one.
        abandoned: bool,
    },
    /// Not available.
    Empty,
    /// Locked for a moment.
    Busy,
}

/// One try at taking an object for thread `me`, again as long as other threads change the word meanwhile.
#[inline]
pub fn try_take(object: &impl Waitable, me: u32) -> Tried {
    let rule = object.rule();
    let mut old = object.word().load(Ordering::Acquire);
    loop {
        match word::take(rule, old, me) {
            Take::Free { word: new, abandoned } if new == old => return Tried::Taken { abandoned },
            Take::Free { word: new, abandoned } => {
                // Acquire: what was done before the signal is visible.
                match object.word().compare_exchange(old, new, Ordering::Acquire, Ordering::Acquire) {
                    Ok(_) => return Tried::Taken { abandoned },
                    Err(now) => old = now,
                }
            }
            Take::Busy => return Tried::Busy,
            Take::Empty => return Tried::Empty,
        }
    }
}

/// Takes the object, sleeping as long as that is not possible; `None` when the time is over. `attempt` is
/// one try, with whatever the caller does when it succeeds.
pub fn wait<E>(
    object: &impl Waitable,
    mut attempt: impl FnMut() -> Result<Tried, E>,
) -> Result<Option<bool>, E> {
    loop {
        // Pending from before the sleep until after the taking: if this thread is killed in between the
        // kernel wakes the next one.
        object.begin_pending();
        let slept = announce(object).map_or(Slept::Look, |expected| object.sleep(expected));
        let tried = attempt();
        object.end_pending();
        match tried? {
            Tried::Taken { abandoned } => {
                pass_on(object);
                return Ok(Some(abandoned));
            }
            Tried::Busy if object.pause() == Slept::TimedOut => return Ok(None),
            Tried::Busy => {}
            Tried::Empty if slept == Slept::TimedOut => return Ok(None),
            Tried::Empty => {}
        }
    }
}

/// The second half of a wait for all, for an event or semaphore that is locked, with its futex pending: taken
/// (`commit`) or put back.
pub fn unlock(object: &impl Waitable, commit: bool, abandoned: bool) {
    let rule = object.rule();
    let mut old = object.word().load(Ordering::Relaxed);
    let new = loop {
        let new = if commit { word::commit(rule, old) } else { word::roll_back(rule, old, abandoned) };
        // Release pairs with the acquire of who takes it next: a rolled-back signal is still the signaller's.
        match object.word().compare_exchange_weak(old, new, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => break new,
            Err(now) => old = now,
        }
    };
    // Whoever met the lock said W and looks again; so does whoever can take what is there now.
    if word::has_waiters(new) {
        wake(object, ALL);
    }
}
