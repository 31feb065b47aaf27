//! Taking turns and sleeping over a log, on Linux: a robust futex for the turn, [`crate::engine::doze`] for the sleep.
//! All of it lies in the log's first page; nobody is written down.

use transom_core::ring::turn;
use transom_sys::linux::fault;
use transom_sys::linux::futex;

use crate::engine::doze::Doze;
use crate::engine::turn::{Go, Turn};
use crate::error::{Code, Error, Result};
use crate::mapping::View;
use crate::wait::Timeout;

const WORD: usize = 384;
const DEATH: usize = 388;
const TURN: usize = 512;

/// What a process has of it beside the memory.
#[derive(Debug)]
pub(super) struct Lull;

/// A subscriber's.
#[derive(Debug)]
pub(super) struct Seat;

/// A publisher has it while it writes.
pub(super) type Held<'a> = Turn<'a>;

/// Where a test may kill this process.
pub(super) use fault::step;

fn doze(view: &View) -> Result<Doze<'_>> {
    Ok(Doze::new(view.atomic_u32(WORD)?, view.atomic_u32(DEATH)?))
}

impl Lull {
    pub(super) fn new(_name: &str) -> Result<Lull> {
        Ok(Lull)
    }

    /// The turn to publish. Whatever a publisher that was killed did not finish lies behind the tail.
    #[inline]
    pub(super) fn turn<'a>(&'a self, view: &'a View) -> Result<Held<'a>> {
        let word = view.atomic_u32(TURN)?;
        let taken = Turn::try_take(word).or_else(|| Turn::wait(word, || Go::On(None)));
        taken.ok_or_else(|| Error::new("publish", Code::NOT_SUPPORTED))
    }

    /// Something was published, and the turn was given up.
    #[inline]
    pub(super) fn published(&self, view: &View) -> Result<()> {
        turn::fence_behind_release();
        let doze = doze(view)?;
        doze.publishing();
        step("broadcast-published");
        doze.published();
        Ok(())
    }

    pub(super) fn sit(&self, _view: &View) -> Result<Seat> {
        Ok(Seat)
    }

    /// A subscriber is about to sleep: it looks once more before [`Lull::sleep`] with what this gives.
    pub(super) fn announce(&self, view: &View, _seat: &Seat) -> Result<u32> {
        Ok(doze(view)?.announce())
    }

    /// Sleeps for `timeout` at most, unless something was published since `seen` was announced.
    pub(super) fn sleep(&self, view: &View, _: &Seat, seen: u32, timeout: Timeout) -> Result<()> {
        doze(view)?.sleep(seen, timeout.deadline_nanos(futex::now()));
        Ok(())
    }

    /// The subscriber is up again.
    pub(super) fn rise(&self, _view: &View, _seat: &Seat) -> Result<()> {
        Ok(())
    }

    /// Lets subscribers look, this one among them.
    #[cfg(feature = "tokio")]
    pub(super) fn stir(&self, view: &View, _seat: &Seat) {
        if let Ok(doze) = doze(view) {
            doze.rouse();
        }
    }
}
