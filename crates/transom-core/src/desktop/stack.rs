//! A thread's stack of what came for it.
//!
//! ```text
//!  head, 64 bits:  generation, upper 16 │ posted messages, 16 │ generation, lower 8 │ top slot, 24
//!                                                              └──────── the word to sleep on ────┘
//! ```
//! Top 0 is the empty stack, [`CLOSED`] one that takes nothing more. The number of posted messages is that of the whole
//! queue, also of what was drained and is not yet retrieved; it changes with the push itself, so no kill can split it.

use alloc::vec::Vec;

use super::layout::{SLOTS, Slot, ThreadRow};
use crate::sync::{AtomicU64, Ordering};

/// The top of a stack that takes nothing more.
pub const CLOSED: u32 = 0x00FF_FFFF;
/// Posted messages that a queue holds (rule 35).
pub const MOST_POSTED: u32 = 10_000;
/// Generations are less than or equal to this.
pub const GENERATIONS: u32 = 0x00FF_FFFF;

const POSTED_ONE: u64 = 1 << 32;

/// A head, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head(u64);

impl Head {
    /// Put together.
    #[must_use]
    pub const fn new(generation: u32, posted: u32, top: u32) -> Head {
        let generation = generation as u64 & 0xFF_FFFF;
        let low = (generation & 0xFF) << 24 | top as u64 & 0xFF_FFFF;
        Head(generation >> 8 << 48 | (posted as u64 & 0xFFFF) << 32 | low)
    }

    /// As it stands in shared memory.
    #[must_use]
    pub const fn from_word(word: u64) -> Head {
        Head(word)
    }

    /// The word for shared memory.
    #[must_use]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// Which of the row's owners it is.
    #[must_use]
    pub const fn generation(self) -> u32 {
        ((self.0 >> 48) << 8 | self.0 >> 24 & 0xFF) as u32
    }

    /// Posted messages in the queue.
    #[must_use]
    pub const fn posted(self) -> u32 {
        (self.0 >> 32) as u32 & 0xFFFF
    }

    /// The slot on top.
    #[must_use]
    pub const fn top(self) -> u32 {
        self.0 as u32 & 0xFF_FFFF
    }

    /// Whether it takes nothing more.
    #[must_use]
    pub const fn is_closed(self) -> bool {
        self.top() == CLOSED
    }

    /// The half to sleep on.
    #[must_use]
    pub const fn low(self) -> u32 {
        self.0 as u32
    }

    const fn with_top(self, top: u32) -> Head {
        Head(self.0 & !0xFF_FFFF | top as u64 & 0xFF_FFFF)
    }
}

/// Why something could not be pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The thread is gone.
    Gone,
    /// It has too many posted messages (1816).
    Full,
}

/// Pushes a filled slot, which the caller holds and whose phase is already "pushed" (D2); whether the thread has to be
/// woken. `posted`: it counts.
///
/// # Errors
/// Then the slot is still the caller's.
pub fn push(
    row: &ThreadRow,
    slot: &Slot,
    index: u32,
    generation: u32,
    posted: bool,
) -> Result<bool, Refused> {
    let mut head = Head(row.head.load(Ordering::Relaxed));
    loop {
        if head.generation() != generation || head.is_closed() {
            return Err(Refused::Gone);
        }
        if posted && head.posted() >= MOST_POSTED {
            return Err(Refused::Full);
        }
        slot.next.store(head.top(), Ordering::Relaxed);
        let new = head.with_top(index).0 + if posted { POSTED_ONE } else { 0 };
        // Release: what the slot says comes before it. Partner: `take`, `prepare_sleep`.
        match row.head.compare_exchange_weak(head.0, new, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => break,
            Err(now) => head = Head(now),
        }
    }
    // Both sides change both words, so one of them comes second and sees the other. Partner: `prepare_sleep`.
    Ok(row.asleep.fetch_or(0, Ordering::AcqRel) != 0)
}

/// Takes everything off, oldest first. Only the row's owner does this, or who takes it apart.
pub fn drain(row: &ThreadRow, slots: &[Slot], into: &mut Vec<u32>) {
    let head = Head(row.head.load(Ordering::Relaxed));
    if head.top() == 0 || head.is_closed() {
        return;
    }
    take(&row.head, 0, slots, into);
}

/// Closes the stack and takes everything off, oldest first.
pub fn close(row: &ThreadRow, slots: &[Slot], into: &mut Vec<u32>) {
    if !Head(row.head.load(Ordering::Relaxed)).is_closed() {
        take(&row.head, CLOSED, slots, into);
    }
}

fn take(word: &AtomicU64, top: u32, slots: &[Slot], into: &mut Vec<u32>) {
    let mut head = Head(word.load(Ordering::Relaxed));
    loop {
        // Acquire: what was pushed stands in its slots. Partner: the push.
        match word.compare_exchange_weak(head.0, head.with_top(top).0, Ordering::AcqRel, Ordering::Relaxed) {
            Ok(_) => break,
            Err(now) => head = Head(now),
        }
    }
    let begin = into.len();
    let mut next = head.top();
    // A chain that a hostile process bent is followed no longer than there are slots.
    while next != 0 && into.len() - begin < SLOTS {
        let Some(slot) = slots.get(next as usize) else { break };
        into.push(next);
        next = slot.next.load(Ordering::Relaxed);
    }
    into[begin..].reverse();
}

/// A posted message was retrieved or dropped.
pub fn forget_posted(row: &ThreadRow) {
    let mut head = Head(row.head.load(Ordering::Relaxed));
    while head.posted() > 0 {
        let new = head.0 - POSTED_ONE;
        match row.head.compare_exchange_weak(head.0, new, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => return,
            Err(now) => head = Head(now),
        }
    }
}

/// Says that the owner is about to sleep: what the lower half of the head must be for it, or `None` if there is
/// something. Who pushes from now on wakes, all of them: a mark that one of them took back could be that of a later sleep.
pub fn prepare_sleep(row: &ThreadRow) -> Option<u32> {
    // Partner: the look in `push`.
    row.asleep.swap(1, Ordering::AcqRel);
    let head = Head(row.head.fetch_or(0, Ordering::AcqRel));
    if head.top() == 0 {
        return Some(head.low());
    }
    row.asleep.store(0, Ordering::Relaxed);
    None
}

/// The row's next owner begins: an empty stack of the next generation.
pub fn begin(row: &ThreadRow) -> u32 {
    let last = Head(row.head.load(Ordering::Relaxed)).generation();
    let generation = if last >= GENERATIONS { 1 } else { last + 1 };
    row.processor.store(0, Ordering::Relaxed);
    row.asleep.store(0, Ordering::Relaxed);
    row.looking.store(0, Ordering::Relaxed);
    row.head.store(Head::new(generation, 0, 0).0, Ordering::Release);
    generation
}
