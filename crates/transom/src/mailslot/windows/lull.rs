//! Taking turns and sleeping over a log, on Windows, by public calls: a named mutex for the turn, and for each subscriber
//! a named event that is set when something is published while it sleeps.
//!
//! ```text
//!  1024  next u32                a number for the next subscriber
//!  1032  128 rows: number u32 │ asleep u32      0: nobody's
//! ```
//! The event of the subscriber with number 7 in row 3 is called as the log, with `-3-7` behind it. It exists as long as
//! the subscriber does, however that ends: a publisher that does not find it gives the row back. It sets the event
//! whenever the subscriber says that it sleeps, and leaves that to say to the subscriber; so one that is killed in
//! between owes nothing to anybody.

use std::sync::atomic::{Ordering, fence};

use super::log::log_name;
use crate::error::{Code, Error, Result};
use crate::event::{Event, EventOptions};
use crate::mapping::View;
use crate::mutex::{Mutex, MutexGuard, MutexOptions};
use crate::wait::{self, Timeout};

const NEXT: usize = 1024;
const ROWS: usize = 1032;
/// Subscribers at the same time.
const MOST: usize = 128;

/// What a process has of it beside the memory.
#[derive(Debug)]
pub(super) struct Lull {
    name: String,
    turn: Mutex,
}

/// A subscriber's row and event.
#[derive(Debug)]
pub(super) struct Seat {
    row: usize,
    event: Event,
}

/// A publisher has it while it writes.
pub(super) type Held<'a> = MutexGuard<'a>;

/// Where a test may kill this process: not on Windows.
#[inline]
pub(super) fn step(_: &str) {}

fn number(row: usize) -> usize {
    ROWS + 8 * row
}

fn asleep(row: usize) -> usize {
    number(row) + 4
}

impl Lull {
    pub(super) fn new(name: &str) -> Result<Lull> {
        let name = log_name(name);
        let turn = MutexOptions::new().name(&format!("{name}-turn")).create()?.object;
        Ok(Lull { name, turn })
    }

    fn event_name(&self, row: usize, number: u32) -> String {
        format!("{}-{row}-{number}", self.name)
    }

    /// The turn to publish. Whatever a publisher that was killed did not finish lies behind the tail.
    pub(super) fn turn<'a>(&'a self, _view: &'a View) -> Result<Held<'a>> {
        self.turn.lock()
    }

    /// Something was published, and the turn was given up.
    pub(super) fn published(&self, view: &View) -> Result<()> {
        // Pairs with the one of who is about to sleep.
        fence(Ordering::SeqCst);
        for row in 0..MOST {
            let taken = view.atomic_u32(number(row))?;
            let seen = taken.load(Ordering::SeqCst);
            if seen == 0 || view.atomic_u32(asleep(row))?.load(Ordering::SeqCst) == 0 {
                continue;
            }
            match Event::open(&self.event_name(row, seen)) {
                Ok(event) => event.set()?,
                // The subscriber has ended. Whoever has the row by now keeps it.
                Err(_) => drop(taken.compare_exchange(seen, 0, Ordering::SeqCst, Ordering::Relaxed)),
            }
        }
        Ok(())
    }

    pub(super) fn sit(&self, view: &View) -> Result<Seat> {
        let _turn = self.turn.lock()?;
        let next = view.atomic_u32(NEXT)?;
        // 0 is nobody.
        let own = next.load(Ordering::Relaxed).wrapping_add(1).max(1);
        next.store(own, Ordering::Relaxed);
        for row in 0..MOST {
            let taken = view.atomic_u32(number(row))?;
            let seen = taken.load(Ordering::SeqCst);
            if seen != 0 && Event::open(&self.event_name(row, seen)).is_ok() {
                continue;
            }
            let event = EventOptions::new().name(&self.event_name(row, own)).create()?.object;
            view.atomic_u32(asleep(row))?.store(0, Ordering::SeqCst);
            taken.store(own, Ordering::SeqCst);
            return Ok(Seat { row, event });
        }
        Err(Error::new("subscribe", Code::NO_SYSTEM_RESOURCES))
    }

    /// A subscriber is about to sleep: it looks once more before [`Lull::sleep`] with what this gives.
    pub(super) fn announce(&self, view: &View, seat: &Seat) -> Result<u32> {
        view.atomic_u32(asleep(seat.row))?.store(1, Ordering::SeqCst);
        // Pairs with the one of whoever has published.
        fence(Ordering::SeqCst);
        Ok(0)
    }

    /// Sleeps for `timeout` at most, unless something was published since it was announced.
    pub(super) fn sleep(&self, _: &View, seat: &Seat, _: u32, timeout: Timeout) -> Result<()> {
        wait::one(&seat.event, timeout).map(drop)
    }

    /// The subscriber is up again.
    pub(super) fn rise(&self, view: &View, seat: &Seat) -> Result<()> {
        view.atomic_u32(asleep(seat.row))?.store(0, Ordering::SeqCst);
        Ok(())
    }

    /// Lets this subscriber look.
    #[cfg(feature = "tokio")]
    pub(super) fn stir(&self, _view: &View, seat: &Seat) {
        // An event that was made cannot refuse.
        let _ = seat.event.set();
    }
}
