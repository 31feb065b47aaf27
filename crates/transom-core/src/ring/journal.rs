//! Three words that change together, by one store.
//!
//! ```text
//!   mark  ──────┐ even: copy 0 counts, odd: copy 1
//!   copy 0  [a b c]          the next publisher fills the copy that does *not* count,
//!   copy 1  [a b c]          then stores mark + 1
//! ```
//! A publisher that is killed at any instruction has published all three words or none: nothing is ever to be
//! repaired. Only the holder of the turn publishes. Everybody may look, and looks again when the mark moved
//! meanwhile, because then the copy may have been filled anew under the look.
//!
//! The other side looks at the journal all the time, and each look takes its cache line away. So the next publisher
//! learns from a [`Mirror`] what was published last: the same words in a line that only publishers use.

use super::Corrupt;
use crate::sync::{AtomicU64, Ordering, TurnWord, fence};

/// Looks before a mark that never stands still counts as nonsense. A publisher needs longer for a step than
/// a look takes, so an honest one is never near it.
const TRIES: u32 = 1 << 14;

/// Three words that change together. See the module.
#[derive(Debug)]
#[repr(C)]
pub struct Journal {
    pub(super) mark: AtomicU64,
    pub(super) copies: [[AtomicU64; 3]; 2],
}

impl Journal {
    pub(super) fn new() -> Journal {
        let copy = || [AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0)];
        Journal { mark: AtomicU64::new(0), copies: [copy(), copy()] }
    }

    /// The words as last published, and their mark.
    #[inline]
    pub(super) fn look(&self) -> Result<(u64, [u64; 3]), Corrupt> {
        let mark = self.mark();
        let words = self.words(mark);
        if self.unmoved(mark) {
            return Ok((mark, words));
        }
        self.look_again()
    }

    #[cold]
    fn look_again(&self) -> Result<(u64, [u64; 3]), Corrupt> {
        for _ in 0..TRIES {
            let mark = self.mark();
            let words = self.words(mark);
            if self.unmoved(mark) {
                return Ok((mark, words));
            }
        }
        Err(Corrupt)
    }

    /// The words for the one who holds the turn: nobody else changes them. After a death; others have the mirror.
    #[inline]
    pub(super) fn look_once(&self) -> (u64, [u64; 3]) {
        #[cfg(not(loom))]
        let mark = self.mark();
        // To the model checker a publisher's own load hides the loads of others from the store that follows; a
        // step that might have written does not.
        #[cfg(loom)]
        let mark = self.mark.fetch_or(0, Ordering::SeqCst);
        (mark, self.words(mark))
    }

    #[inline]
    fn words(&self, mark: u64) -> [u64; 3] {
        let [a, b, c] = &self.copies[(mark & 1) as usize];
        [a.load(Ordering::Relaxed), b.load(Ordering::Relaxed), c.load(Ordering::Relaxed)]
    }

    /// Whether what was copied since `mark` was seen is still what that mark stands for.
    #[inline]
    pub(super) fn unmoved(&self, mark: u64) -> bool {
        // Pairs with the release fence in `publish`: whoever saw a word of the next filling sees its
        // predecessor's mark as well.
        fence(Ordering::Acquire);
        self.mark.load(Ordering::Relaxed) == mark
    }

    /// The mark alone: it changes with every publication. Sequentially consistent, because it may be the second
    /// look of one who has just written down that it is going to sleep.
    #[inline]
    pub(super) fn mark(&self) -> u64 {
        // The model checker takes SeqCst loads for acquire, and knows SeqCst fences. The fence against this one is
        // the publisher's, before it looks at the asleep words.
        #[cfg(loom)]
        fence(Ordering::SeqCst);
        self.mark.load(Ordering::SeqCst)
    }

    /// Publishes `words` over `mark`, the mark last published; returns the new one. Under the turn.
    #[inline]
    pub(super) fn publish(&self, mark: u64, words: [u64; 3]) -> u64 {
        let next = mark.wrapping_add(1);
        // Pairs with the acquire fence in `unmoved`: the store of `mark` comes before the words below.
        fence(Ordering::Release);
        let copy = &self.copies[(next & 1) as usize];
        for (place, word) in copy.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
        // Release for the words and the data before them. No more than that: a store that is a fence at the same
        // time waits for the words first, and meanwhile the other side takes the line away from them.
        self.mark.store(next, Ordering::Release);
        next
    }

    /// Back to zeroes. For whoever is alone with the segment.
    pub(super) fn reset(&self) {
        for word in self.copies.iter().flatten() {
            word.store(0, Ordering::Relaxed);
        }
        self.mark.store(0, Ordering::SeqCst);
    }
}

/// What the last holder of the turn published, for the next one. See the module.
///
/// It is written after the journal. Who is killed in between leaves it behind, and who recovers sets it again.
#[derive(Debug)]
#[repr(C)]
pub struct Mirror {
    mark: TurnWord,
    words: [TurnWord; 3],
}

impl Mirror {
    pub(super) fn new() -> Mirror {
        let zero = || TurnWord::new(0);
        Mirror { mark: zero(), words: [zero(), zero(), zero()] }
    }

    /// The mark and the words last published. Under the turn, whose release and acquire order them.
    #[inline]
    pub(super) fn look(&self) -> (u64, [u64; 3]) {
        let [a, b, c] = &self.words;
        let words = [a.load(Ordering::Relaxed), b.load(Ordering::Relaxed), c.load(Ordering::Relaxed)];
        (self.mark.load(Ordering::Relaxed), words)
    }

    /// [`Journal::publish`], and notes it here.
    #[inline]
    pub(super) fn publish(&self, journal: &Journal, mark: u64, words: [u64; 3]) -> u64 {
        let next = journal.publish(mark, words);
        self.set(next, words);
        next
    }

    /// Takes over what the journal says; after a death.
    pub(super) fn restore(&self, journal: &Journal) -> (u64, [u64; 3]) {
        let (mark, words) = journal.look_once();
        self.set(mark, words);
        (mark, words)
    }

    pub(super) fn reset(&self) {
        self.set(0, [0; 3]);
    }

    #[inline]
    fn set(&self, mark: u64, words: [u64; 3]) {
        self.mark.store(mark, Ordering::Relaxed);
        for (place, word) in self.words.iter().zip(words) {
            place.store(word, Ordering::Relaxed);
        }
    }
}
