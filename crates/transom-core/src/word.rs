//! The state word of a synchronisation object: what each operation makes of it.
//!
//! Events, mutexes, semaphores and threads each have one 64-bit word in memory that all their holders
//! share. Every change is one compare-and-swap of this word, so a process that is killed has either done
//! a step or not. The functions here are pure: old word in, new word or refusal out; the engine loops
//! around them, sleeps and wakes.
//!
//! # The word
//! ```text
//!  63                             32 31 30 29                            0
//! ┌─────────────────────────────────┬──┬──┬──────────────────────────────┐
//! │ count (semaphores)              │W │S │ thread id                    │
//! └─────────────────────────────────┴──┴──┴──────────────────────────────┘
//!                                    └───────── the futex word ──────────┘
//! W  waiters      somebody may be asleep on the low half
//! S  signalled    event: set · semaphore: count > 0 · mutex: free, and its owner died · thread: ended
//! id              mutex: its owner · thread: itself, while it lives ·
//!                 event, semaphore: 0, or the thread that is taking several objects at once
//! ```
//! The low half is laid out as the kernel's *robust futexes* are: a thread id, bit 31 for waiters, bit 30
//! for "the owner died". When a thread dies, the kernel replaces its id by bit 30 in every word on its
//! robust list and wakes a waiter. With S in bit 30 that is exactly what each kind needs, without
//! anybody's help:
//!
//! | word of the dead | becomes | which means |
//! | --- | --- | --- |
//! | mutex it owned | S | abandoned: free, and the next owner is told (Y11) |
//! | thread, its own | S | ended |
//! | event or semaphore it was about to take with others | S | as it was: still set, still a count |
//!
//! # Invariants
//! 1. In an event or semaphore an id ≠ 0 means that S was set before: only what is available is locked.
//! 2. In a semaphore whose id is 0, S is set exactly if the count is not 0.
//! 3. In a mutex S and an id never stand together.
//! 4. W is cleared only together with a wake-up of everybody who sleeps there, or while S keeps anybody
//!    from going to sleep.

/// Bits of the thread id.
pub const ID: u32 = 0x3FFF_FFFF;
/// The S bit; the kernel's `FUTEX_OWNER_DIED`.
pub const SIGNALLED: u32 = 1 << 30;
/// The W bit; the kernel's `FUTEX_WAITERS`.
pub const WAITERS: u32 = 1 << 31;

/// What kind of object a word belongs to, as far as its rules differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// A manual-reset event: a wait changes nothing.
    Manual,
    /// An auto-reset event: a wait takes the signal.
    Auto,
    /// A mutex: a wait makes the caller its owner.
    Mutex,
    /// A semaphore: a wait takes one of the count.
    Semaphore,
    /// A thread: signalled for ever once it has ended.
    Thread,
}

/// What a wait finds in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// Available: with this new word the caller has taken it. `abandoned`: a mutex whose owner died.
    Free {
        /// The word to put in place.
        word: u64,
        /// Whether the wait's result is the abandoned one.
        abandoned: bool,
    },
    /// Not signalled; for a mutex, owned by the thread in the word (perhaps the caller).
    Empty,
    /// Locked for a moment by a thread that takes several objects at once: look again.
    Busy,
}

/// The futex half of a word.
#[must_use]
#[inline]
pub const fn low(word: u64) -> u32 {
    word as u32
}

/// The count of a semaphore's word.
#[must_use]
#[inline]
pub const fn count(word: u64) -> u32 {
    (word >> 32) as u32
}

/// A word of both halves.
#[must_use]
#[inline]
pub const fn join(count: u32, low: u32) -> u64 {
    (count as u64) << 32 | low as u64
}

/// The thread id in a word.
#[must_use]
#[inline]
pub const fn id(word: u64) -> u32 {
    low(word) & ID
}

/// Whether the W bit is set.
#[must_use]
#[inline]
pub const fn has_waiters(word: u64) -> bool {
    low(word) & WAITERS != 0
}

/// Whether the S bit is set.
#[must_use]
#[inline]
pub const fn is_signalled(word: u64) -> bool {
    low(word) & SIGNALLED != 0
}

/// The word of a new object.
#[must_use]
pub const fn initial(rule: Rule, signalled: bool, initial_count: u32) -> u64 {
    match rule {
        Rule::Semaphore => join(initial_count, if initial_count > 0 { SIGNALLED } else { 0 }),
        Rule::Mutex => 0,
        _ => join(0, if signalled { SIGNALLED } else { 0 }),
    }
}

/// A wait by thread `me` for this one object.
#[must_use]
#[inline]
pub const fn take(rule: Rule, word: u64, me: u32) -> Take {
    let waiters = low(word) & WAITERS;
    match rule {
        Rule::Thread => {
            if is_signalled(word) {
                Take::Free { word, abandoned: false }
            } else {
                Take::Empty
            }
        }
        Rule::Mutex => {
            if id(word) != 0 {
                Take::Empty
            } else {
                Take::Free { word: join(0, waiters | me), abandoned: is_signalled(word) }
            }
        }
        _ if id(word) != 0 => Take::Busy,
        Rule::Manual => {
            if is_signalled(word) {
                Take::Free { word, abandoned: false }
            } else {
                Take::Empty
            }
        }
        Rule::Auto => {
            if is_signalled(word) {
                Take::Free { word: join(0, waiters), abandoned: false }
            } else {
                Take::Empty
            }
        }
        Rule::Semaphore => {
            if count(word) == 0 {
                Take::Empty
            } else {
                Take::Free { word: semaphore(count(word) - 1, waiters), abandoned: false }
            }
        }
    }
}

/// The first half of taking several objects in one step: locks this one for thread `me`, if it is
/// available. A mutex is taken as in [`take`]; its taker tells by its depth, still 0, that it may give it
/// back. Threads are not locked: once ended they stay so.
#[must_use]
#[inline]
pub const fn lock(rule: Rule, word: u64, me: u32) -> Take {
    match (rule, take(rule, word, me)) {
        (Rule::Mutex | Rule::Thread, found) => found,
        (_, Take::Free { .. }) => {
            Take::Free { word: join(count(word), low(word) & WAITERS | me), abandoned: false }
        }
        (_, found) => found,
    }
}

/// The second half: what a locked word becomes when all are locked and the wait succeeds.
///
/// S may have been set meanwhile, by a `SetEvent` that found waiters: that signal comes after this wait.
#[must_use]
#[inline]
pub const fn commit(rule: Rule, word: u64) -> u64 {
    let waiters = low(word) & WAITERS;
    match rule {
        Rule::Mutex | Rule::Thread => word,
        Rule::Manual => join(0, waiters | SIGNALLED),
        Rule::Auto => join(0, low(word) & (WAITERS | SIGNALLED)),
        Rule::Semaphore => semaphore(count(word).saturating_sub(1), waiters),
    }
}

/// The other second half: what a locked word becomes when another object was not available. For a mutex
/// `abandoned` is what [`lock`] found.
#[must_use]
#[inline]
pub const fn roll_back(rule: Rule, word: u64, abandoned: bool) -> u64 {
    let waiters = low(word) & WAITERS;
    match rule {
        Rule::Thread => word,
        Rule::Mutex => join(0, waiters | if abandoned { SIGNALLED } else { 0 }),
        Rule::Manual | Rule::Auto => join(0, waiters | SIGNALLED),
        Rule::Semaphore => semaphore(count(word), waiters),
    }
}

/// What `SetEvent` does with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Set {
    /// Set already (Y1): nothing to do.
    Already,
    /// Nobody sleeps: swap this in.
    Swap(u64),
    /// Somebody may sleep: set S and wake in one system call, so that no killed setter leaves a set event
    /// with a sleeper.
    Wake,
    /// Locked for a moment: look again.
    Busy,
}

/// `SetEvent`.
#[must_use]
#[inline]
pub const fn set(word: u64) -> Set {
    if id(word) != 0 {
        Set::Busy
    } else if is_signalled(word) {
        Set::Already
    } else if has_waiters(word) {
        Set::Wake
    } else {
        Set::Swap(join(0, SIGNALLED))
    }
}

/// `ResetEvent`: the new word, or `None` if locked for a moment.
#[must_use]
#[inline]
pub const fn reset(word: u64) -> Option<u64> {
    if id(word) != 0 { None } else { Some(join(0, low(word) & WAITERS)) }
}

/// What `ReleaseSemaphore` does with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// Swap this in; then wake, if it says that there are waiters.
    Swap(u64),
    /// The count would pass the maximum (298): nothing changes (Y20).
    TooMany,
    /// Locked for a moment: look again.
    Busy,
}

/// `ReleaseSemaphore` of `n` ≥ 1.
#[must_use]
#[inline]
pub const fn release(word: u64, n: u32, maximum: u32) -> Release {
    if id(word) != 0 {
        return Release::Busy;
    }
    match count(word).checked_add(n) {
        Some(sum) if sum <= maximum => Release::Swap(semaphore(sum, low(word) & WAITERS)),
        _ => Release::TooMany,
    }
}

/// `ReleaseMutex` by its owner, the last of its recursion: free, W kept for the wake-up that follows.
#[must_use]
#[inline]
pub const fn unlock(word: u64) -> u64 {
    join(0, low(word) & WAITERS)
}

/// What the kernel makes of a word whose thread died; also what a thread that ends makes of its mutexes.
#[must_use]
#[inline]
pub const fn died(word: u64) -> u64 {
    join(count(word), low(word) & WAITERS | SIGNALLED)
}

/// The word with W set, as somebody who goes to sleep leaves it.
#[must_use]
#[inline]
pub const fn announce(word: u64) -> u64 {
    word | WAITERS as u64
}

/// A semaphore's word with its S bit as invariant 2 has it.
#[inline]
const fn semaphore(count: u32, waiters: u32) -> u64 {
    join(count, waiters | if count > 0 { SIGNALLED } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: u32 = 4711;
    const RULES: [Rule; 5] = [Rule::Manual, Rule::Auto, Rule::Mutex, Rule::Semaphore, Rule::Thread];

    fn taken(rule: Rule, word: u64) -> u64 {
        match take(rule, word, ME) {
            Take::Free { word, .. } => word,
            other => panic!("{rule:?} {word:#x} gives {other:?}"),
        }
    }

    /// Y2, Y3: what a wait leaves of a set event.
    #[test]
    fn a_wait_takes_an_auto_reset_event_and_leaves_a_manual_one() {
        let word = initial(Rule::Auto, true, 0);
        assert_eq!(taken(Rule::Auto, word), 0);
        assert_eq!(taken(Rule::Manual, word), word);
        assert_eq!(take(Rule::Auto, 0, ME), Take::Empty);
        assert_eq!(take(Rule::Manual, 0, ME), Take::Empty);
    }

    /// Y18, Y20.
    #[test]
    fn a_semaphore_counts_between_zero_and_its_maximum() {
        let word = initial(Rule::Semaphore, false, 1);
        let empty = taken(Rule::Semaphore, word);
        assert_eq!((count(empty), is_signalled(empty)), (0, false));
        assert_eq!(take(Rule::Semaphore, empty, ME), Take::Empty);
        assert_eq!(release(empty, 3, 2), Release::TooMany);
        assert_eq!(release(empty, 2, 2), Release::Swap(join(2, SIGNALLED)));
        assert_eq!(release(join(2, SIGNALLED), u32::MAX, 2), Release::TooMany);
    }

    /// Y11: the kernel's mark of a dead owner is an abandoned mutex, once.
    #[test]
    fn a_dead_owner_leaves_an_abandoned_mutex_for_one_taker() {
        let owned = taken(Rule::Mutex, 0);
        assert_eq!(id(owned), ME);
        assert_eq!(take(Rule::Mutex, owned, 1), Take::Empty);
        let Take::Free { word, abandoned } = take(Rule::Mutex, died(owned), 1) else { panic!("not free") };
        assert!(abandoned);
        assert_eq!(take(Rule::Mutex, unlock(word), 2), Take::Free { word: 2, abandoned: false });
    }

    /// Y26: taking several objects in one step; rolling back, or dying, leaves each as it was.
    #[test]
    fn what_is_locked_for_a_wait_for_all_goes_back_unchanged() {
        for waiters in [0, WAITERS] {
            for (rule, word) in [
                (Rule::Manual, join(0, SIGNALLED | waiters)),
                (Rule::Auto, join(0, SIGNALLED | waiters)),
                (Rule::Semaphore, join(7, SIGNALLED | waiters)),
            ] {
                let Take::Free { word: locked, .. } = lock(rule, word, ME) else { panic!("not free") };
                assert_eq!(id(locked), ME);
                assert_eq!(take(rule, locked, 9), Take::Busy);
                assert_eq!(roll_back(rule, locked, false), word);
                assert_eq!(died(locked), word);
                assert_eq!(commit(rule, locked), taken(rule, word));
            }
        }
    }

    #[test]
    fn a_mutex_locked_for_a_wait_for_all_stays_abandoned_when_rolled_back() {
        for word in [0, join(0, SIGNALLED), join(0, WAITERS), join(0, WAITERS | SIGNALLED)] {
            let Take::Free { word: locked, abandoned } = lock(Rule::Mutex, word, ME) else {
                panic!("not free")
            };
            assert_eq!(roll_back(Rule::Mutex, locked, abandoned), word);
            assert_eq!(commit(Rule::Mutex, locked), locked);
        }
    }

    #[test]
    fn a_set_that_meets_a_locked_event_counts_after_the_wait() {
        let Take::Free { word: locked, .. } = lock(Rule::Auto, join(0, SIGNALLED | WAITERS), ME) else {
            panic!("not free")
        };
        let met = locked | SIGNALLED as u64;
        assert!(is_signalled(commit(Rule::Auto, met)));
    }

    /// Invariants 1 to 3 hold after every operation on every word that satisfies them.
    #[test]
    fn every_operation_keeps_the_invariants() {
        fn valid(rule: Rule, word: u64) -> bool {
            match rule {
                Rule::Mutex => !(is_signalled(word) && id(word) != 0),
                Rule::Semaphore if id(word) == 0 => is_signalled(word) == (count(word) > 0),
                _ => true,
            }
        }
        for rule in RULES {
            for flags in [0, SIGNALLED, WAITERS, SIGNALLED | WAITERS] {
                for owner in [0, 5] {
                    for n in [0, 1, 3] {
                        let word = join(if rule == Rule::Semaphore { n } else { 0 }, flags | owner);
                        if !valid(rule, word) {
                            continue;
                        }
                        for found in [take(rule, word, ME), lock(rule, word, ME)] {
                            if let Take::Free { word: next, abandoned } = found {
                                assert!(valid(rule, next), "{rule:?} {word:#x} -> {next:#x}");
                                assert!(valid(rule, commit(rule, next)));
                                assert!(valid(rule, roll_back(rule, next, abandoned)));
                            }
                        }
                        if let (Rule::Semaphore, Release::Swap(next)) = (rule, release(word, 2, 4)) {
                            assert!(valid(rule, next));
                        }
                    }
                }
            }
        }
    }
}
