//! The turn: who may write, who may read. One word, laid out as the kernel's robust futexes are.
//!
//! ```text
//!  31 30 29                            0
//! ┌──┬──┬──────────────────────────────┐   W  somebody may be asleep on the word
//! │W │D │ thread id of the holder, or 0│   D  the holder died (set by the kernel, which clears the id)
//! └──┴──┴──────────────────────────────┘
//! ```
//! These are the steps on the word alone. Sleeping, waking and telling the kernel where the word is
//! (`list_op_pending`) are the engine's.

use crate::sync::{AtomicU32, Ordering};
use crate::word::{ID, SIGNALLED as DIED, WAITERS};

/// What came of asking for the turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// It is the caller's.
    Taken,
    /// It is the caller's, and the holder before died in it: recover first.
    AfterDeath,
    /// Somebody else's.
    Busy,
}

/// Takes the turn for thread `me` if it is free. `slept`: the caller has slept on the word, so others may
/// sleep there too, and the release must go on to wake them.
#[inline]
pub fn try_take(word: &AtomicU32, me: u32, slept: bool) -> Take {
    let mine = (me & ID) | if slept { WAITERS } else { 0 };
    // Acquire: pairs with the release in `release`, so the successor sees what the holder left.
    match word.compare_exchange(0, mine, Ordering::Acquire, Ordering::Relaxed) {
        Ok(_) => Take::Taken,
        Err(seen) => try_take_odd(word, mine, seen),
    }
}

#[cold]
fn try_take_odd(word: &AtomicU32, mine: u32, mut seen: u32) -> Take {
    // Each round somebody else has changed the word; a word that does not stand still is busy.
    for _ in 0..16 {
        if seen & ID != 0 {
            return Take::Busy;
        }
        // The dead holder's mark goes; whoever slept behind it still does.
        let new = mine | (seen & WAITERS);
        match word.compare_exchange(seen, new, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) if seen & DIED != 0 => return Take::AfterDeath,
            Ok(_) => return Take::Taken,
            Err(now) => seen = now,
        }
    }
    Take::Busy
}

/// Notes that the caller is going to sleep on the word. The value to sleep on, or `None` if the turn is
/// free by now.
pub fn announce_sleep(word: &AtomicU32) -> Option<u32> {
    let seen = word.fetch_or(WAITERS, Ordering::Relaxed);
    // If it is free, the mark just set makes at most one wake-up too many.
    (seen & ID != 0).then_some(seen | WAITERS)
}

/// Gives the turn up. True: wake one who sleeps on the word.
#[inline]
#[must_use]
pub fn release(word: &AtomicU32) -> bool {
    word.swap(0, Ordering::Release) & WAITERS != 0
}

/// Stands behind [`release`]: what this thread published before it is seen by others before this thread loads what
/// comes next (invariant 9 of the ring).
#[inline]
pub fn fence_behind_release() {
    // There the swap was a locked instruction, which is a fence for everything (Intel SDM 3A, 9.2.3.9; AMD APM 2,
    // 7.4.2): only the compiler has to be kept from moving loads before it.
    #[cfg(all(target_arch = "x86_64", not(loom)))]
    crate::sync::compiler_fence(Ordering::SeqCst);
    #[cfg(not(all(target_arch = "x86_64", not(loom))))]
    crate::sync::fence(Ordering::SeqCst);
}

/// The thread that holds the turn, or 0.
#[must_use]
pub fn holder(word: &AtomicU32) -> u32 {
    word.load(Ordering::Relaxed) & ID
}
