//! One step of waiting, the same for everything an end waits for: look for a moment, sleep, and see what came.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use transom_core::code::Code;
use transom_sys::linux::futex;

use super::super::bell::{Sleep, Slept, Waiter};
use super::super::spin::{self, Budget, Spin, cycles};
use super::super::turn::{self, Go, Turn};
use super::{Deadline, End, Trouble, Waiting};

impl End {
    /// Waits until `ready` or something that concerns the operation has happened: looks for a moment, then sleeps.
    pub(super) fn pause(
        &self,
        operation: &mut Operation<'_>,
        reason: Reason,
        waiting: &Waiting,
        others: &[BorrowedFd<'_>],
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), Trouble> {
        let deadline = match waiting.deadline {
            Deadline::Now => return Err(Trouble::WouldBlock),
            Deadline::Never => None,
            Deadline::At(at) => Some(at),
        };
        let cancels = operation.cancels;
        let over = self.is_peer_over();
        let mut ready = || {
            ready()
                || self.interruption(cancels).is_some()
                // Every caller has looked at that before; if it is so now, it happened since.
                || self.is_peer_over()
        };
        let begun = cycles();
        let budget = reason.budget(self);
        let in_the_way = self.is_in_peers_way();
        match waiting.spin {
            Spin::Never => {}
            Spin::Adaptive if budget.spin(begun, in_the_way, &mut ready) => return operation.check(),
            Spin::Adaptive => {}
            // So long it is not worth saying that this waits.
            Spin::Always if !in_the_way && budget.spin_long(&mut ready) => return operation.check(),
            Spin::Always => {
                operation.wait()?;
                let looked = self.look_until(deadline, over, in_the_way, ready);
                operation.check()?;
                return looked;
            }
        }
        operation.wait()?;
        if deadline.is_some_and(|at| futex::now() >= at) {
            return Err(Trouble::TimedOut);
        }
        let asleep = match reason {
            Reason::Data(demand) => {
                self.incoming().1.demand(demand);
                &self.incoming().0.asleep_data
            }
            Reason::Space => &self.outgoing().0.asleep_space,
        };
        let shared = self.is_shared();
        let slept = self.sleepers.sleep(&Sleep { asleep, deadline, others, shared }, &mut ready);
        if let Reason::Data(1..) = reason {
            self.incoming().1.demand(0);
        }
        budget.slept(begun);
        operation.check()?;
        if slept? == Slept::TimedOut && !ready() {
            return Err(Trouble::TimedOut);
        }
        Ok(())
    }

    /// Never sleeps.
    fn look_until(
        &self,
        deadline: Option<u64>,
        over: bool,
        mut in_the_way: bool,
        mut ready: impl FnMut() -> bool,
    ) -> Result<(), Trouble> {
        loop {
            for _ in 0..if in_the_way { 16 } else { 2_000 } {
                if ready() {
                    return Ok(());
                }
                if in_the_way {
                    std::thread::yield_now();
                } else {
                    std::hint::spin_loop();
                }
            }
            if deadline.is_some_and(|at| futex::now() >= at) {
                return Err(Trouble::TimedOut);
            }
            if !over && !self.is_listening() {
                self.sleepers.look_for_ringers();
            }
            in_the_way = self.is_in_peers_way();
        }
    }

    /// Whether looking again and again keeps the peer from running, as far as is known: it was seen last on the
    /// processor that this thread is on. Lets the peer know where that is.
    pub(super) fn is_in_peers_way(&self) -> bool {
        spin::is_in_the_way(self.processor(), self.processor_of_peer().load(Ordering::Relaxed))
    }

    /// Writes down for the peer which processor this thread is on; its number + 1.
    pub(super) fn show_processor(&self) -> u32 {
        spin::show_processor(self.processor())
    }

    /// Whether operations of this end have come to an end, for whatever reason.
    #[inline]
    pub(super) fn is_ended(&self) -> bool {
        self.closed.load(Ordering::SeqCst) != 0 || self.words().disconnected.load(Ordering::SeqCst) != 0
    }

    /// What ends an operation that began when so many had been cancelled, whatever it does.
    #[inline]
    pub(super) fn interruption(&self, cancels: u32) -> Option<Trouble> {
        if self.closed.load(Ordering::SeqCst) != 0 {
            Some(Trouble::LocalClosed)
        } else if self.words().disconnected.load(Ordering::SeqCst) != 0 {
            Some(Trouble::Disconnected)
        } else if self.cancels.load(Ordering::SeqCst) != cancels {
            Some(Trouble::Cancelled)
        } else {
            None
        }
    }

    /// Takes a turn, waiting for it as `deadline` says.
    #[inline]
    pub(super) fn take_turn<'a>(
        &'a self,
        word: &'a AtomicU32,
        operation: &mut Operation<'a>,
        deadline: Deadline,
    ) -> Result<Turn<'a>, Trouble> {
        match Turn::try_take(word) {
            Some(turn) => Ok(turn),
            None => self.wait_turn(word, operation, deadline),
        }
    }

    #[cold]
    pub(super) fn wait_turn<'a>(
        &'a self,
        word: &'a AtomicU32,
        operation: &mut Operation<'a>,
        deadline: Deadline,
    ) -> Result<Turn<'a>, Trouble> {
        if turn::is_own(word) {
            // It has a loan or a borrowed message.
            return Err(Trouble::Code(Code::POSSIBLE_DEADLOCK));
        }
        let (until, trouble) = match deadline {
            Deadline::Never => (None, Trouble::TimedOut),
            Deadline::At(at) => (Some(at), Trouble::TimedOut),
            Deadline::Now => (Some(futex::now() + A_MOMENT), Trouble::WouldBlock),
        };
        let mut ended = None;
        let turn = Turn::wait(word, || {
            ended = operation.wait().err();
            // The peer's end does not end this wait: its holder sees it, and goes.
            if ended.is_some() { Go::Stop } else { Go::On(until) }
        });
        turn.ok_or(ended.unwrap_or(trouble))
    }
}

/// How long what must not wait waits for a turn that somebody has: so long as an honest holder needs.
pub(super) const A_MOMENT: u64 = 500_000;

/// How often an operation does again what only a peer that has died, or a hostile one, makes it do. An honest one makes
/// it do that once or twice; one of another user is not to keep it for ever.
#[derive(Debug, Default)]
pub(super) struct Patience(u32);

impl Patience {
    const MOST: u32 = 1_000;

    /// Once more.
    ///
    /// # Errors
    /// What ends the operation. `WouldBlock`, `TimedOut`: it has been done often, and `deadline` is over.
    pub(super) fn spend(&mut self, operation: &Operation<'_>, deadline: Deadline) -> Result<(), Trouble> {
        operation.check()?;
        self.0 = self.0.saturating_add(1);
        match deadline {
            Deadline::Now if self.0 > Self::MOST => Err(Trouble::WouldBlock),
            Deadline::At(at) if self.0 > Self::MOST && futex::now() >= at => Err(Trouble::TimedOut),
            _ => Ok(()),
        }
    }
}

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reason {
    /// Data, of which so many bytes will be taken.
    Data(usize),
    /// The peer's consuming.
    Space,
}

impl Reason {
    fn budget(self, end: &End) -> &Budget {
        match self {
            Reason::Data(_) => &end.for_data,
            Reason::Space => &end.for_space,
        }
    }
}

/// An operation that may have to wait.
#[derive(Debug)]
pub(super) struct Operation<'a> {
    end: &'a End,
    /// How many times everything had been cancelled when it began.
    pub(super) cancels: u32,
    waiter: Option<Waiter<'a>>,
}

impl<'a> Operation<'a> {
    #[inline]
    pub(super) fn new(end: &'a End) -> Operation<'a> {
        Operation { end, cancels: end.cancels.load(Ordering::SeqCst), waiter: None }
    }

    /// What ends it.
    #[inline]
    pub(super) fn check(&self) -> Result<(), Trouble> {
        self.end.interruption(self.cancels).map_or(Ok(()), Err)
    }

    /// It begins to wait; or goes on, in the present round.
    pub(super) fn wait(&mut self) -> Result<(), Trouble> {
        // First the new one, so that the operation is never without.
        let waiter = self.end.sleepers.enter();
        self.waiter = Some(waiter);
        self.check()
    }
}
