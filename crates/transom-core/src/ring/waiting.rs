//! What happens to a write after it was published: it is completed, or it is withdrawn. No turn is needed.

use super::slots::{self, ENDING, FREE, PENDING, STREAMING, View, WITHDRAWN, become_state};
use super::{Corrupt, Memory, Queue};
use crate::sync::Ordering;

/// A write that waits: its data are in the queue, more than the quota lies unread.
#[derive(Debug)]
#[must_use = "a write that waits is polled until it is done, or withdrawn"]
pub struct Ticket {
    pub(super) index: usize,
    /// The slot's word while the write waits.
    pub(super) word: u32,
    pub(super) payload_end: u64,
}

impl Ticket {
    pub(super) fn new(view: &View) -> Ticket {
        let word = become_state(view.word, PENDING);
        Ticket { index: view.index, word, payload_end: view.payload_end() }
    }
}

/// How a waiting write stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It waits still.
    Waiting,
    /// It has succeeded; the ticket is spent.
    Done,
    /// It was withdrawn by another: its process was taken for dead. The ticket is spent. (Once the reader has
    /// gone past it the slot is free, and nothing tells this from success: only the dead may be taken for dead.)
    Withdrawn,
}

/// What came of withdrawing a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdrawal {
    /// What is left of its data will not be read.
    Withdrawn,
    /// It had succeeded before.
    TooLate,
}

/// What a look at all waiting writes found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Writes of dead processes that were withdrawn.
    pub withdrawn: u32,
    /// A process is dead that had not published its write in full: take the write turn and recover.
    pub streaming: bool,
}

impl<M: Memory> Queue<'_, M> {
    /// How a waiting write stands (P34: it is done as soon as the unread bytes up to its end are not more
    /// than the quota).
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn poll(&self, ticket: &Ticket) -> Result<Progress, Corrupt> {
        let slot = &self.control.slots[ticket.index];
        let word = slot.state.load(Ordering::SeqCst);
        if word != ticket.word {
            return Ok(outcome(ticket, word));
        }
        let (_, [_, payload, _]) = self.control.consumed.look()?;
        let ahead = ticket.payload_end.wrapping_sub(payload) as i64;
        let quota = i64::from(self.shape.quota);
        if ahead > quota {
            let gone = slots::withdrawn_between(self.control, payload, ticket.payload_end);
            if ahead.saturating_sub_unsigned(gone) > quota {
                return Ok(Progress::Waiting);
            }
        }
        Ok(match slot.change(word, FREE) {
            Ok(_) => Progress::Done,
            Err(now) => outcome(ticket, now),
        })
    }

    /// Cancels a waiting write (P38). Others' writes that wait behind it may be done then.
    pub fn withdraw(&self, ticket: Ticket) -> Withdrawal {
        let slot = &self.control.slots[ticket.index];
        match slot.change(ticket.word, WITHDRAWN) {
            Ok(_) => Withdrawal::Withdrawn,
            Err(now) if outcome(&ticket, now) == Progress::Withdrawn => Withdrawal::Withdrawn,
            Err(_) => Withdrawal::TooLate,
        }
    }

    /// Ends the wait as a success, whatever the quota (P64).
    pub fn complete(&self, ticket: Ticket) -> Progress {
        match self.control.slots[ticket.index].change(ticket.word, FREE) {
            Ok(_) => Progress::Done,
            Err(now) => outcome(&ticket, now),
        }
    }

    /// Asks of every write that waits whether its process is `dead` (given its row in the table of holders),
    /// and withdraws those of the dead.
    pub fn sweep(&self, mut dead: impl FnMut(u32) -> bool) -> Swept {
        let mut swept = Swept::default();
        for view in slots::all(self.control) {
            let Ok((_, [tail, ..])) = self.control.written.look() else { continue };
            let published = (tail.wrapping_sub(view.start) as i64) > 0;
            match view.state() {
                PENDING if published && dead(view.holder) => {
                    let slot = &self.control.slots[view.index];
                    swept.withdrawn += u32::from(slot.change(view.word, WITHDRAWN).is_ok());
                }
                PENDING | STREAMING | ENDING if dead(view.holder) => swept.streaming = true,
                _ => {}
            }
        }
        swept
    }

    /// Withdraws what a row's former owner, who is dead, left behind. For who takes the row over, before its
    /// first write.
    pub fn disown(&self, holder: u32) -> Swept {
        self.sweep(|row| row == holder)
    }
}

/// What became of a ticket whose slot says `now` instead of its own word.
fn outcome(ticket: &Ticket, now: u32) -> Progress {
    if now == become_state(ticket.word, WITHDRAWN) { Progress::Withdrawn } else { Progress::Done }
}
