//! One direction of a named-pipe connection: a queue in memory that two processes share.
//!
//! Sans I/O: nothing here sleeps, wakes or asks whether a process lives. The engine takes the turns, asks this
//! module for each step, and does what the answer says. All that is read from shared memory is hostile input:
//! it is checked at each use, and nonsense is [`Corrupt`], never a panic and never an access outside the data.
//!
//! # The picture
//! ```text
//!            head (consumed)                                        tail (published)
//!              │                                                      │
//!   ───────────┼──────────────┬───────────────┬──────────────────────┼─────────▶ positions: u64, ever growing
//!    free,     │ writes that  │ a withdrawn   │ a write that waits   │  free      byte of the data = position
//!    old bytes │ are done     │ one: skipped  │ (readable)           │            modulo capacity
//!   ───────────┴──────────────┴───────────────┴──────────────────────┴─────────
//!                               slot: WITHDRAWN  slot: PENDING
//!   message type, each record:   length u32 │ kind u32 │ payload … │ up to the next multiple of 8
//!   byte type: payload and nothing else, so positions count payload
//! ```
//! Payload is counted apart from positions, because quotas are kept to the byte (P33): `announced` counts what
//! was written, `payload` what was read or skipped. Unread is the difference, less the part of withdrawn writes
//! that the reader has not skipped yet.
//!
//! # A write
//! | found | becomes |
//! | --- | --- |
//! | unread + n ≤ quota (or, into an empty queue, ≤ quota + what a sleeping reader wants: P34) | copied, done |
//! | more, but there is room in the data | a slot, copied, visible at once (P35), *waits* until enough is read |
//! | no room in the data | a slot, announced in full, copied piece by piece under the turn: *streams*, then waits |
//! | `PIPE_NOWAIT` and not the first row | refused (P42) |
//!
//! # Invariants
//! 1. `tail`, `announced` and the slots' extents change under the write turn; `head`, `payload` and `rest` under
//!    the read turn. The holder before may have been killed at any instruction.
//! 2. 0 ≤ tail − head ≤ capacity. In a message-type queue tail is a multiple of 8, and so is head unless it is
//!    inside a message (`rest` ≠ 0).
//! 3. Bytes from head to tail are not written; bytes elsewhere are written under the write turn alone.
//! 4. `tail` and `announced` change together, and so do `head`, `payload` and `rest` ([`Journal`]): killed
//!    before the one store, nothing happened. What a read took and did not publish is read again by the
//!    successor; what a write copied and did not publish never existed.
//! 5. A slot is in use, and its bit in `pending` set, before a byte of its write is published. Who sees the
//!    bytes sees the slot.
//! 6. A slot that waits is completed (freed) or withdrawn by one compare-and-swap. The reader frees it
//!    before it takes the last byte, so a write that was cancelled successfully was not read to its end (P38).
//! 7. A record lies in one write, and a slot covers whole writes.
//! 8. At most one slot streams, and its writer holds the write turn.
//! 9. Between publishing and its look at the asleep words a publisher makes a sequentially consistent fence. A
//!    sleeper changes the asleep word and looks a second time by sequentially consistent operations. So one of
//!    the two sees the other.
//! 10. A read that publishes the beginning of a message and waits for the rest says so before, and takes that back
//!     when it returns. If it dies in between, who comes next skips the rest: nobody gets it as if it were a message.
//! 11. Under a turn that was not taken after a death, its [`Mirror`] says what the journal says.
//! 12. While `fills` stays as it is, bytes from the head to `filled` stay what they are (see `early`).
//!
//! # Memory orderings
//! Data and records are published by the mark of a [`Journal`] (release) and taken after looking at it
//! (acquire); space is given back by the mark of the other journal in the same way. Slots are published by
//! their state and, for readers, by the mark that comes after. Caches of the other side's journal
//! ([`HeadCache`], [`TailCache`]) are relaxed: they change under the turn, whose release and acquire
//! order them, and are only ever stale in the safe direction (less room, less data).
//!
//! # Files
//! [`layout`] bytes · [`journal`](Journal) three words as one · `slots` writes that wait · `cursor` what is at
//! the head · `writer`, `loan` · `reader`, `early`, `borrow` · `peek` · `waiting` what happens to a write afterwards ·
//! `recover` after a death · [`turn`] the turn words

mod borrow;
mod cursor;
mod early;
mod journal;
pub mod layout;
mod loan;
mod peek;
mod reader;
mod recover;
mod slots;
#[cfg(all(test, not(loom)))]
mod tests;
pub mod turn;
mod waiting;
mod writer;

pub use borrow::{Borrow, Lent};
pub use early::Early;
pub use journal::{Journal, Mirror};
pub use layout::{Control, Description, SegmentHeader, Totals, capacity_for};
pub use loan::{Loan, Loaned};
pub use peek::{Peek, Peeked};
pub use reader::{Mode, Read, Reader, TailCache};
pub use slots::Slot;
pub use waiting::{Progress, Swept, Ticket, Withdrawal};
pub use writer::{Fit, HeadCache, Limit, MAX_WRITE, Stream, Streamed, Writer, Written};

use crate::sync::Ordering;

/// What was read from shared memory makes no sense: the other side is broken or hostile. Readers report
/// `ERROR_BROKEN_PIPE`, writers `ERROR_NO_DATA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupt;

/// The data bytes of a queue, which others read and write at the same time. Offsets and lengths given to it
/// stay within the capacity of the queue's [`Shape`].
pub trait Memory {
    /// Copies `from` to `offset`.
    fn copy_in(&self, offset: usize, from: &[u8]);
    /// Copies from `offset` on into `to`.
    fn copy_out(&self, offset: usize, to: &mut [u8]);
    /// The bytes from `offset` on are about to be read: the processor may get them from others before. Any offset will
    /// do.
    #[inline]
    fn expect_read(&self, _offset: usize) {}
    /// The bytes from `offset` on are about to be written: the processor may get them from others before. Any offset
    /// will do.
    #[inline]
    fn expect_write(&self, _offset: usize) {}
    /// Stores a word at a multiple of 8.
    #[inline]
    fn store_word(&self, offset: usize, word: u64) {
        self.copy_in(offset, &word.to_le_bytes());
    }
    /// Loads the word at a multiple of 8.
    #[inline]
    fn load_word(&self, offset: usize) -> u64 {
        let mut bytes = [0; 8];
        self.copy_out(offset, &mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// What a queue is: taken from the segment's header once, and not believed again afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    message: bool,
    quota: u32,
    /// Capacity − 1.
    wrap: u64,
}

impl Shape {
    /// A queue of messages or bytes with this quota and capacity. `None` unless the capacity is a power of
    /// two, at least 64, and addressable.
    #[must_use]
    pub fn new(message: bool, quota: u32, capacity: u64) -> Option<Shape> {
        let good = capacity.is_power_of_two() && capacity >= 64 && isize::try_from(capacity).is_ok();
        good.then(|| Shape { message, quota, wrap: capacity - 1 })
    }

    /// Whether boundaries of writes are kept.
    #[must_use]
    pub fn is_message(&self) -> bool {
        self.message
    }

    /// Unread bytes up to which a write does not wait.
    #[must_use]
    pub fn quota(&self) -> u32 {
        self.quota
    }

    /// Bytes of the data.
    #[must_use]
    #[inline]
    pub fn capacity(&self) -> u64 {
        self.wrap + 1
    }

    #[inline]
    fn offset(&self, position: u64) -> usize {
        (position & self.wrap) as usize
    }

    /// Bytes of the ring that a write of `len` takes.
    #[inline]
    fn ring_bytes(&self, len: u64) -> u64 {
        if self.message { HEADER + padded(len) } else { len }
    }
}

/// One direction of a connection, as this process has it mapped. Made on the fly.
#[derive(Debug)]
pub struct Queue<'a, M> {
    control: &'a Control,
    data: &'a M,
    shape: Shape,
}

impl<M> Clone for Queue<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Queue<'_, M> {}

impl<'a, M: Memory> Queue<'a, M> {
    /// The queue of this control block and these data.
    #[inline]
    pub fn new(control: &'a Control, data: &'a M, shape: Shape) -> Self {
        Queue { control, data, shape }
    }

    /// Its control block.
    #[inline]
    pub fn control(&self) -> &'a Control {
        self.control
    }

    /// What it is.
    #[inline]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Changes with each publication of a writer. For spinning, and for the second look before sleeping.
    #[inline]
    pub fn written_mark(&self) -> u64 {
        self.control.written.mark()
    }

    /// Changes with each publication of a reader.
    #[inline]
    pub fn consumed_mark(&self) -> u64 {
        self.control.consumed.mark()
    }

    /// Says how many bytes a reader that goes to sleep will take (P34: a waiting read takes its bytes first);
    /// 0 when it has woken. Under the read turn.
    #[inline]
    pub fn demand(&self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.control.demand.store(bytes, Ordering::SeqCst);
    }

    /// The lines of the next write, if it is as short as the last one; else none: to fetch lines of a long one while it is
    /// being copied takes them away from the writer. Under the read turn.
    #[inline]
    #[must_use]
    pub fn next_lines(&self, cache: &TailCache) -> [Option<usize>; 2] {
        match cache.next() {
            (tail, last @ 1..=NEXT) => self.ends(tail, last),
            _ => [None; 2],
        }
    }

    /// As [`Queue::next_lines`], where messages are written in place and as long as the last one: the lines at the ends of
    /// the next.
    #[inline]
    #[must_use]
    pub fn next_ends(&self, cache: &TailCache) -> [Option<usize>; 2] {
        match cache.next() {
            (_, 0) => [None; 2],
            (tail, last) => self.ends(tail, last),
        }
    }

    /// The first line of so many bytes at a position, and the last if that is another.
    #[inline]
    fn ends(&self, at: u64, len: u64) -> [Option<usize>; 2] {
        let line = |at: u64| self.shape.offset(at) & !(LINE as usize - 1);
        let (first, last) = (line(at), line(at.wrapping_add(len - 1)));
        [Some(first), (last != first).then_some(last)]
    }

    /// Something was written: if it is more than what a reader that looks again and again has fetched meanwhile, has the
    /// first lines of it fetched while the read begins, and the last one, for who looks at a long message in place. Under
    /// the read turn.
    #[inline]
    pub fn expect(&self) {
        let (_, [head, ..]) = self.control.consumed_mirror.look();
        // Whatever they say: a hint.
        let (_, [tail, ..]) = self.control.written.look_once();
        if tail.wrapping_sub(head) <= NEXT {
            return;
        }
        let first = head & !(LINE - 1);
        for line in (first..tail).step_by(LINE as usize).take(EXPECTED) {
            self.data.expect_read(self.shape.offset(line));
        }
        self.data.expect_read(self.shape.offset(tail.wrapping_sub(1)));
    }

    /// Whether something was published since `mark`, for who looks again and again. What comes next is expected to lie
    /// in these lines: they are fetched together with the mark's, not one after the other when that has changed.
    #[inline]
    pub fn has_come(&self, mark: u64, lines: &[Option<usize>; 2]) -> bool {
        for line in lines.iter().flatten() {
            self.data.expect_read(*line);
        }
        self.written_mark() != mark
    }

    /// Copies into the ring at a position; at most the capacity.
    #[inline]
    fn copy_in(&self, position: u64, from: &[u8]) {
        let offset = self.shape.offset(position);
        let straight = self.shape.capacity() as usize - offset;
        match from.split_at_checked(straight) {
            None => self.data.copy_in(offset, from),
            Some((first, second)) => copy_in_two(self.data, offset, first, second),
        }
    }

    /// Copies out of the ring at a position; at most the capacity.
    #[inline]
    fn copy_out(&self, position: u64, to: &mut [u8]) {
        let offset = self.shape.offset(position);
        let straight = self.shape.capacity() as usize - offset;
        match to.split_at_mut_checked(straight) {
            None => self.data.copy_out(offset, to),
            Some((first, second)) => copy_out_two(self.data, offset, first, second),
        }
    }

    /// `len` bytes at a position as at most two pieces of the data: offset and length.
    fn pieces(&self, position: u64, len: u64) -> [(usize, usize); 2] {
        let offset = self.shape.offset(position);
        let first = (len as usize).min(self.shape.capacity() as usize - offset);
        [(offset, first), (0, len as usize - first)]
    }
}

/// Copies around the ring's end. Like its twin no method of a queue, which would have to lie in memory for it.
#[cold]
fn copy_in_two<M: Memory>(data: &M, offset: usize, first: &[u8], second: &[u8]) {
    data.copy_in(offset, first);
    data.copy_in(0, second);
}

#[cold]
fn copy_out_two<M: Memory>(data: &M, offset: usize, first: &mut [u8], second: &mut [u8]) {
    data.copy_out(offset, first);
    data.copy_out(0, second);
}

/// Bytes that move together between processors.
const LINE: u64 = 64;
/// A write of so many bytes of the ring lies in two lines, or three whose first and last are worth fetching.
const NEXT: u64 = 2 * LINE;
/// So many lines a reader has fetched at once; behind them the processor sees by itself where it goes.
const EXPECTED: usize = 4;
/// Bytes of a record's header.
const HEADER: u64 = 8;
/// Kind of a record that holds a message.
const DATA: u32 = u32::from_le_bytes(*b"data");
/// Kind of a record that fills the ring up to its end: no message.
const PAD: u32 = u32::from_le_bytes(*b"pad ");

/// A record's header.
#[inline]
const fn record(length: u32, kind: u32) -> u64 {
    length as u64 | (kind as u64) << 32
}

/// `len` up to the next multiple of 8. For lengths below 2⁶³.
#[inline]
const fn padded(len: u64) -> u64 {
    len.wrapping_add(7) & !7
}
