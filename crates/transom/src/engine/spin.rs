//! Looking again and again for a moment before sleeping.
//!
//! Being woken takes microseconds, on an idle processor tens of them; an answer often comes sooner. So who is
//! about to sleep may look for a while first. How long that pays is learnt: the *budget* grows where looking
//! was, or would have been, enough, and shrinks where it was for nothing. Nobody looks twice where whoever could
//! change something needs this processor: callers say whether that is so. There the thread gives way instead: it has
//! the kernel run somebody else, sched_yield(2), and looks when it comes back. Two threads of one processor that do so hand
//! it to each other without either sleeping. Where that was for nothing, or others kept the processor for long, it is not
//! tried again for many waits.
//!
//! Time is the processor's counter of cycles, uncalibrated: no decision here needs more than its order of
//! magnitude, and the clock would cost more than a look.
//!
//! # Safety
//! Reading the counter is an instruction without operands in memory.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use transom_sys::linux::affinity;

/// Whether waiting begins with looking again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Spin {
    /// Sleep at once.
    Never,
    /// Look for as long as that has paid lately, 20 µs at the most.
    #[default]
    Adaptive,
    /// Never sleep.
    Always,
}

/// The processor's counter: some 10^7 to 5·10^9 per second.
#[inline]
pub(crate) fn cycles() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 processor has the instruction; it only reads a counter.
    let now = unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(target_arch = "aarch64")]
    let now = {
        let now: u64;
        // SAFETY: the virtual counter can be read by every program under Linux; nothing is written.
        unsafe { std::arch::asm!("mrs {}, cntvct_el0", out(reg) now, options(nomem, nostack)) };
        now
    };
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let now = transom_sys::linux::futex::now();
    now
}

/// About 20 µs of [`cycles`].
pub(crate) const SHORT: u64 = if cfg!(target_arch = "x86_64") {
    60_000
} else if cfg!(target_arch = "aarch64") {
    // Counters of 24 MHz to 1 GHz are in use.
    2_000
} else {
    20_000
};

/// What one kind of waiting has learnt.
#[derive(Debug)]
pub(crate) struct Budget {
    /// How long to look, in [`cycles`].
    most: AtomicU32,
    /// How many times in a row a reader that had caught up found something soon, without an answer from here.
    run: AtomicU32,
    /// How long to keep away from a stream, in [`cycles`].
    away: AtomicU32,
    /// When the other side's line was looked at last for want of room.
    looked: AtomicU64,
    /// In how many of the next waits not to give way.
    stays: AtomicU32,
    /// What `stays` was last; the less it pays to give way the more.
    penalty: AtomicU32,
}

/// So many times in a row are a stream.
const STREAM: u32 = 16;
/// How long who reads a stream, and has caught up, keeps away from the writer's cache line: some writes come
/// together meanwhile, and the line is fetched once for all. At first; where they come close together, so long that
/// it is [`TOGETHER`] of them, but never longer than [`FAR`].
const AWAY: u64 = SHORT / 64;
const FAR: u64 = SHORT / 16;
const TOGETHER: u64 = 32;
/// Less than any read takes.
const EACH: u64 = SHORT / 2048;

/// How many waits go by at most before giving way is tried again: where it cost next to nothing, and where somebody kept
/// the processor for so long that each try has to be made up for by many waits.
const SELDOM: u32 = 255;
const HARDLY_EVER: u32 = 65_535;

const LEAST: u32 = (SHORT / 64) as u32;
const MOST: u32 = SHORT as u32;

impl Budget {
    /// Nothing is learnt yet: as long as a sleep and its end cost, so that whatever comes it was at most half too much. The
    /// first answer on a new connection is worth it.
    pub(crate) const fn new() -> Budget {
        Budget {
            most: AtomicU32::new(MOST),
            run: AtomicU32::new(0),
            away: AtomicU32::new(AWAY as u32),
            looked: AtomicU64::new(0),
            stays: AtomicU32::new(0),
            penalty: AtomicU32::new(0),
        }
    }

    /// This end answered: what comes now is waited for.
    #[inline]
    pub(crate) fn answered(&self) {
        if self.run.load(Ordering::Relaxed) != 0 {
            self.run.store(0, Ordering::Relaxed);
        }
    }

    /// A reader that has read all it knows of is about to look at the writer's line: whether it should
    /// [keep away](Budget::keep_away) for a moment first.
    #[inline]
    pub(crate) fn is_stream(&self) -> bool {
        let run = self.run.load(Ordering::Relaxed);
        if run < STREAM {
            self.run.store(run + 1, Ordering::Relaxed);
        }
        run >= STREAM
    }

    /// Whether something has come soon, many times in a row.
    #[inline]
    pub(crate) fn is_streaming(&self) -> bool {
        self.run.load(Ordering::Relaxed) >= STREAM
    }

    /// Waits for a moment in which more is written. `count` tells how many writes there have been, `before` how many
    /// at the last look.
    pub(crate) fn keep_away(&self, before: u64, count: impl FnOnce() -> u64) {
        let away = u64::from(self.away.load(Ordering::Relaxed));
        pass(away);
        let new = match count().wrapping_sub(before) {
            0 | 1 => AWAY,
            count => (away / count).saturating_mul(TOGETHER).clamp(AWAY, FAR),
        };
        if new != away {
            self.away.store(new as u32, Ordering::Relaxed);
        }
    }

    /// Before a look whether there is room again: waits until the last one is a moment ago, the longer the more reads are
    /// to come `before` all is read. Who looks as soon as there is room for one write is where it was right after it, and
    /// each look takes the reader's cache line.
    pub(crate) fn keep_from_full(&self, before: u64) {
        pass(self.away_from_full(before, cycles()));
        self.looked.store(cycles(), Ordering::Relaxed);
    }

    fn away_from_full(&self, before: u64, now: u64) -> u64 {
        let since = now.saturating_sub(self.looked.load(Ordering::Relaxed));
        before.saturating_mul(EACH).min(FAR).saturating_sub(since)
    }

    /// As [`Budget::spin`], with a moment between two looks, and before the first.
    pub(crate) fn spin_seldom(&self, mut ready: impl FnMut() -> bool) -> bool {
        let mut next = 0;
        self.spin(cycles(), false, || {
            let now = cycles();
            if next == 0 {
                next = now + AWAY / 2;
            }
            if now < next {
                return false;
            }
            next = now + AWAY / 2;
            ready()
        })
    }

    /// Looks until `ready` says so or the budget is spent; whether it said so. Where that would keep who could change
    /// something from running it gives way instead: see [`is_in_the_way`] and [`is_alone`]. `begun`: [`cycles`], just now.
    #[inline]
    pub(crate) fn spin(&self, begun: u64, in_the_way: bool, ready: impl FnMut() -> bool) -> bool {
        if in_the_way {
            return self.give_way(begun, ready);
        }
        let budget = u64::from(self.most.load(Ordering::Relaxed));
        let Some(took) = look_since(begun, budget, ready) else { return false };
        // Room for four times of what was needed.
        let wanted = took.saturating_mul(4).clamp(u64::from(LEAST), u64::from(MOST)) as u32;
        if u64::from(wanted) > budget {
            self.most.store(wanted, Ordering::Relaxed);
        }
        self.took(took);
        true
    }

    /// Has the kernel run somebody else on this processor, and looks afterwards.
    fn give_way(&self, begun: u64, mut ready: impl FnMut() -> bool) -> bool {
        let stays = self.stays.load(Ordering::Relaxed);
        if stays > 0 {
            self.stays.store(stays - 1, Ordering::Relaxed);
            return false;
        }
        std::thread::yield_now();
        let found = ready();
        self.gave_way(found, cycles().saturating_sub(begun));
        found
    }

    /// Learns from having given way for so long.
    fn gave_way(&self, found: bool, took: u64) {
        let before = self.penalty.load(Ordering::Relaxed);
        let penalty = if took > SHORT {
            before.saturating_mul(8).clamp(15, HARDLY_EVER)
        } else if found {
            before / 2
        } else {
            before.max(before.saturating_mul(2).saturating_add(1).min(SELDOM))
        };
        if penalty != before {
            self.penalty.store(penalty, Ordering::Relaxed);
        }
        if penalty != 0 {
            self.stays.store(penalty, Ordering::Relaxed);
        }
    }

    /// As [`Budget::spin`], for the longest time that it may take.
    #[inline]
    pub(crate) fn spin_long(&self, ready: impl FnMut() -> bool) -> bool {
        match look(SHORT, ready) {
            Some(took) => {
                self.took(took);
                true
            }
            None => false,
        }
    }

    /// Something came after so long a wait.
    #[inline]
    fn took(&self, took: u64) {
        if took >= SHORT / 16 {
            self.answered();
        }
    }

    /// Learns from a sleep that began at `begun`, spinning included, and is over now.
    pub(crate) fn slept(&self, begun: u64) {
        let took = cycles().saturating_sub(begun);
        self.took(took);
        let budget = self.most.load(Ordering::Relaxed);
        // Waking up takes as long as the longest looking. What came a little later than that would have been seen.
        let new = if took < 2 * SHORT {
            budget.saturating_mul(2).min(MOST)
        } else {
            (budget - budget / 4).max(LEAST)
        };
        self.most.store(new, Ordering::Relaxed);
    }
}

/// Lets so many cycles pass.
pub(crate) fn pass(long: u64) {
    let until = cycles().saturating_add(long);
    while cycles() < until {
        std::hint::spin_loop();
    }
}

/// Looks until `ready` says so or the time is over; how long it took, about. What came is not kept waiting for another
/// look at the counter: it counts as found at the last one.
#[inline]
pub(crate) fn look(time: u64, ready: impl FnMut() -> bool) -> Option<u64> {
    look_since(cycles(), time, ready)
}

#[inline]
fn look_since(begun: u64, time: u64, mut ready: impl FnMut() -> bool) -> Option<u64> {
    let mut took = 0;
    while took < time {
        for _ in 0..8 {
            if ready() {
                return Some(took);
            }
            std::hint::spin_loop();
        }
        took = cycles().saturating_sub(begun);
    }
    None
}

/// Writes down which processor this thread is on, its number + 1, where the other side looks.
#[inline]
pub(crate) fn show_processor(known: &AtomicU32) -> u32 {
    let here = here();
    if known.load(Ordering::Relaxed) != here {
        known.store(here, Ordering::Relaxed);
    }
    here
}

/// Whether looking again and again keeps the other side from running, as far as is known: it was seen last where this
/// thread is; if it was not seen yet (0), whether this thread may run on one processor only. Lets the other side know
/// where this one is.
pub(crate) fn is_in_the_way(own: &AtomicU32, there: u32) -> bool {
    is_at(show_processor(own), there)
}

/// As [`is_in_the_way`], for who shows nothing.
pub(crate) fn is_where(there: u32) -> bool {
    is_at(here(), there)
}

/// The processor this thread is on just now, its number + 1.
#[inline]
pub(crate) fn here() -> u32 {
    affinity::current() as u32 + 1
}

fn is_at(here: u32, there: u32) -> bool {
    if there == 0 { is_alone() } else { there == here }
}

/// Whether this thread may run on one processor only: asked at first and at every 64th time.
pub(crate) fn is_alone() -> bool {
    thread_local! {
        static KNOWN: Cell<(u32, bool)> = const { Cell::new((0, false)) };
    }
    KNOWN.with(|known| {
        let (count, alone) = known.get();
        let alone = if count % 64 == 0 {
            affinity::allowed().is_ok_and(|processors| processors.len() <= 1)
        } else {
            alone
        };
        known.set((count.wrapping_add(1), alone));
        alone
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_ends_when_there_is_something_or_the_budget_is_spent() {
        let budget = Budget::new();
        let mut left = 5;
        let found = budget.spin(cycles(), false, || {
            left -= 1;
            left == 0
        });
        assert!(found);
        assert!(!budget.spin(cycles(), false, || false));
    }

    #[test]
    fn the_budget_follows_what_pays() {
        let budget = Budget::new();
        let value = || budget.most.load(Ordering::Relaxed);
        for _ in 0..20 {
            budget.slept(cycles().saturating_sub(100 * SHORT));
        }
        assert_eq!(value(), LEAST);
        for _ in 0..20 {
            budget.slept(cycles());
        }
        assert_eq!(value(), MOST);
    }

    /// Where giving way is answered in time it goes on; where it is not, or nobody else wants the processor, it stops for
    /// some waits, and for many where it took long. One success is not enough to forget that.
    #[test]
    fn giving_way_that_does_not_pay_stops() {
        let budget = Budget::new();
        let tries = |budget: &Budget, waits: u32| {
            let looks = std::cell::Cell::new(0);
            for _ in 0..waits {
                assert!(!budget.spin(cycles(), true, || {
                    looks.set(looks.get() + 1);
                    false
                }));
            }
            looks.get()
        };
        budget.gave_way(true, SHORT / 2);
        assert_eq!(budget.stays.load(Ordering::Relaxed), 0);
        for _ in 0..20 {
            budget.gave_way(false, 100);
        }
        assert_eq!(budget.stays.load(Ordering::Relaxed), SELDOM);
        assert_eq!(tries(&budget, SELDOM), 0);
        assert_eq!(tries(&budget, 1), 1);
        for _ in 0..20 {
            budget.gave_way(true, 100 * SHORT);
        }
        assert_eq!(budget.stays.load(Ordering::Relaxed), HARDLY_EVER);
        budget.gave_way(true, SHORT / 2);
        assert_eq!(budget.stays.load(Ordering::Relaxed), HARDLY_EVER / 2);
        for _ in 0..20 {
            budget.gave_way(true, SHORT / 2);
        }
        assert_eq!(budget.penalty.load(Ordering::Relaxed), 0);
    }

    /// A stream that is dense is left alone for longer, one that is not for the shortest time again; an answer ends it.
    #[test]
    fn a_dense_stream_is_looked_at_seldom() {
        let budget = Budget::new();
        let away = || u64::from(budget.away.load(Ordering::Relaxed));
        assert!((0..STREAM).all(|_| !budget.is_stream()));
        assert!(budget.is_stream());
        budget.keep_away(5, || 5 + 4);
        assert_eq!(away(), (AWAY / 4 * TOGETHER).min(FAR));
        budget.keep_away(0, || 1);
        assert_eq!(away(), AWAY);
        budget.answered();
        assert!(!budget.is_stream());
    }

    /// Who has just looked and has many reads to wait for keeps away before it looks again; who has none, or looked long
    /// ago, does not.
    #[test]
    fn a_full_queue_is_looked_at_seldom() {
        let budget = Budget::new();
        budget.keep_from_full(u64::MAX);
        let looked = || budget.looked.load(Ordering::Relaxed);
        let first = looked();
        budget.keep_from_full(u64::MAX);
        assert!(looked() - first >= FAR);
        let away = |before, later| budget.away_from_full(before, looked() + later);
        assert_eq!([away(0, 0), away(2, 0), away(u64::MAX, 0)], [0, 2 * EACH, FAR]);
        assert_eq!([away(u64::MAX, FAR / 4), away(u64::MAX, FAR)], [FAR - FAR / 4, 0]);
    }
}
