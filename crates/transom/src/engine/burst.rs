//! Bursts of writes, in which the processor's counter is not read each time.
//!
//! A write that never sleeps looks after the other side, now and then. To know when takes the processor's counter, which
//! costs as much as the rest of a small write. Therefore in a *burst*, many writes close together, only each 16th reads
//! it, and the others compare the kernel's coarse clock: after a pause, or with the next of its ticks at the latest, a
//! write looks again.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use transom_sys::linux::futex;

use super::spin::SHORT;

/// So many writes in a row, each soon after the one before, are a burst.
const BURST: u32 = 64;
/// So many writes of a burst do not read the counter after one that did.
const CREDIT: u32 = 15;
/// A write so long after another is soon, in [`cycles`](super::spin::cycles).
const SOON: u64 = SHORT / 16;

/// Whether writes come in a burst.
#[derive(Debug)]
pub(crate) struct Burst {
    /// When a write last read the counter.
    asked_at: AtomicU64,
    /// The coarse clock as the credit was given.
    tick: AtomicU64,
    /// Writes in a row that were soon.
    quick: AtomicU32,
    credit: AtomicU32,
}

impl Burst {
    pub(crate) const fn new() -> Burst {
        Burst {
            asked_at: AtomicU64::new(0),
            tick: AtomicU64::new(0),
            quick: AtomicU32::new(0),
            credit: AtomicU32::new(0),
        }
    }

    /// What comes now is no part of a burst.
    #[inline]
    pub(crate) fn end(&self) {
        if self.quick.load(Ordering::Relaxed) != 0 {
            self.quick.store(0, Ordering::Relaxed);
            self.credit.store(0, Ordering::Relaxed);
        }
    }

    /// Whether a write of a burst may leave it to another to look.
    #[inline]
    pub(crate) fn has_credit(&self) -> bool {
        let credit = self.credit.load(Ordering::Relaxed);
        if credit == 0 {
            return false;
        }
        self.credit.store(credit - 1, Ordering::Relaxed);
        self.tick.load(Ordering::Relaxed) == futex::tick()
    }

    /// A write read the counter.
    #[inline]
    pub(crate) fn asked(&self, now: u64) {
        let since = now.wrapping_sub(self.asked_at.load(Ordering::Relaxed));
        self.asked_at.store(now, Ordering::Relaxed);
        let quick = self.quick.load(Ordering::Relaxed);
        // The last of a burst that read it stands many writes back.
        if since > if quick < BURST { SOON } else { SOON * u64::from(CREDIT + 1) } {
            self.end();
        } else if quick < BURST {
            self.quick.store(quick + 1, Ordering::Relaxed);
        } else {
            self.tick.store(futex::tick(), Ordering::Relaxed);
            self.credit.store(CREDIT, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A burst leaves out most looks at the counter, and none is left out before it, after a pause, or after a tick.
    #[test]
    fn only_a_burst_has_credit_and_a_pause_ends_it() {
        let burst = Burst::new();
        let mut now = 1 << 40;
        let mut asked = |after: u64| {
            now += after;
            burst.asked(now);
        };
        for _ in 0..=BURST {
            assert!(!burst.has_credit());
            asked(SOON);
        }
        assert!(!burst.has_credit(), "the first of them was not soon");
        asked(SOON);
        let free = (0..100).take_while(|_| burst.has_credit()).count() as u32;
        assert!(free <= CREDIT, "{free}");
        asked(SOON * 16);
        burst.tick.store(0, Ordering::Relaxed);
        assert!(!burst.has_credit(), "the clock has ticked");
        asked(SOON * 16 + 1);
        assert!(!burst.has_credit(), "after a pause");
    }
}
