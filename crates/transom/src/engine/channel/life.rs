//! Whether the peer lives, for who never sleeps.
//!
//! A killed peer closes nothing in good order, and who always has room makes no system call that would tell. So a
//! write looks at the bell (poll) if the peer has taken nothing since the last look, and that was more than some
//! 20 microseconds ago. To know that takes the processor's counter, which costs as much as the rest of a small write.
//! Therefore in a *burst*, many writes close together, only each 16th reads it, and the others compare the kernel's
//! coarse clock: after a pause, or with the next of its ticks at the latest, a write looks again.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use transom_sys::linux::futex;

use super::super::spin::{SHORT, cycles};
use super::End;

/// So many writes in a row, each soon after the one before, are a burst.
const BURST: u32 = 64;
/// So many writes of a burst do not read the counter after one that did.
const CREDIT: u32 = 15;
/// A write so long after another is soon, in [`cycles`].
const SOON: u64 = SHORT / 16;

/// When somebody last looked, and what was seen.
#[derive(Debug)]
pub(super) struct Watch {
    seen_at: AtomicU64,
    /// How far the peer had come then.
    seen_mark: AtomicU64,
    /// When a write last read the counter.
    asked_at: AtomicU64,
    /// The coarse clock as the credit was given.
    tick: AtomicU64,
    /// Writes in a row that were soon.
    quick: AtomicU32,
    credit: AtomicU32,
}

impl Watch {
    pub(super) fn new() -> Watch {
        let watch = Watch {
            seen_at: AtomicU64::new(0),
            seen_mark: AtomicU64::new(0),
            asked_at: AtomicU64::new(0),
            tick: AtomicU64::new(0),
            quick: AtomicU32::new(0),
            credit: AtomicU32::new(0),
        };
        watch.reset();
        watch
    }

    /// As new, for another connection.
    pub(super) fn reset(&self) {
        self.seen_at.store(0, Ordering::Relaxed);
        self.seen_mark.store(u64::MAX, Ordering::Relaxed);
        self.no_burst();
    }

    /// What comes now is no part of a burst.
    #[inline]
    pub(super) fn no_burst(&self) {
        if self.quick.load(Ordering::Relaxed) != 0 {
            self.quick.store(0, Ordering::Relaxed);
            self.credit.store(0, Ordering::Relaxed);
        }
    }

    /// Whether a write of a burst may leave it to another to look.
    #[inline]
    fn has_credit(&self) -> bool {
        let credit = self.credit.load(Ordering::Relaxed);
        if credit == 0 {
            return false;
        }
        self.credit.store(credit - 1, Ordering::Relaxed);
        self.tick.load(Ordering::Relaxed) == futex::tick()
    }

    /// A write read the counter.
    #[inline]
    fn asked(&self, now: u64) {
        let since = now.wrapping_sub(self.asked_at.load(Ordering::Relaxed));
        self.asked_at.store(now, Ordering::Relaxed);
        let quick = self.quick.load(Ordering::Relaxed);
        // The last of a burst that read it stands many writes back.
        if since > if quick < BURST { SOON } else { SOON * u64::from(CREDIT + 1) } {
            self.no_burst();
        } else if quick < BURST {
            self.quick.store(quick + 1, Ordering::Relaxed);
        } else {
            self.tick.store(futex::tick(), Ordering::Relaxed);
            self.credit.store(CREDIT, Ordering::Relaxed);
        }
    }
}

impl End {
    /// For a write, or a read that finds nothing: looks after the peer, now and then. `mark` tells how far it is.
    #[inline]
    pub(super) fn look_after_peer(&self, mark: impl Fn() -> u64) {
        self.look_if_due(cycles(), mark);
    }

    /// As [`End::look_after_peer`], for each of many writes.
    #[inline]
    pub(super) fn look_after_reader(&self, mark: impl Fn() -> u64) {
        if self.watch.has_credit() {
            return;
        }
        let now = cycles();
        self.watch.asked(now);
        self.look_if_due(now, mark);
    }

    #[inline]
    fn look_if_due(&self, now: u64, mark: impl Fn() -> u64) {
        if now.wrapping_sub(self.watch.seen_at.load(Ordering::Relaxed)) > SHORT {
            self.look_now(now, mark());
        }
    }

    #[cold]
    fn look_now(&self, now: u64, mark: u64) {
        self.show_processor();
        if self.watch.seen_mark.swap(mark, Ordering::Relaxed) == mark && !self.is_listening() {
            self.sleepers.look_for_ringers();
        }
        self.watch.seen_at.store(now, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A burst leaves out most looks at the counter, and none is left out before it, after a pause, or after a tick.
    #[test]
    fn only_a_burst_has_credit_and_a_pause_ends_it() {
        let watch = Watch::new();
        let mut now = 1 << 40;
        let mut asked = |after: u64| {
            now += after;
            watch.asked(now);
        };
        for _ in 0..=BURST {
            assert!(!watch.has_credit());
            asked(SOON);
        }
        assert!(!watch.has_credit(), "the first of them was not soon");
        asked(SOON);
        let free = (0..100).take_while(|_| watch.has_credit()).count() as u32;
        assert!(free <= CREDIT, "{free}");
        asked(SOON * 16);
        watch.tick.store(0, Ordering::Relaxed);
        assert!(!watch.has_credit(), "the clock has ticked");
        asked(SOON * 16 + 1);
        assert!(!watch.has_credit(), "after a pause");
    }
}
