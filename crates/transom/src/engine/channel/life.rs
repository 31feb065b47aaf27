//! Whether the peer lives, for who never sleeps.
//!
//! A killed peer closes nothing in good order, and who always has room makes no system call that would tell. So a
//! write looks at the bell (poll) if the peer has taken nothing since the last look, and that was more than some
//! 20 microseconds ago; in a [burst](Burst) it does not even ask for the time.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::burst::Burst;
use super::super::spin::{SHORT, cycles};
use super::End;

/// When somebody last looked, and what was seen.
#[derive(Debug)]
pub(super) struct Watch {
    seen_at: AtomicU64,
    /// How far the peer had come then.
    seen_mark: AtomicU64,
    burst: Burst,
}

impl Watch {
    pub(super) fn new() -> Watch {
        let watch = Watch { seen_at: AtomicU64::new(0), seen_mark: AtomicU64::new(0), burst: Burst::new() };
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
        self.burst.end();
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
        if self.watch.burst.has_credit() {
            return;
        }
        let now = cycles();
        self.watch.burst.asked(now);
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
