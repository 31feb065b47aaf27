//! Copying a long message out while it is still being copied in.
//!
//! A message exists once it is published (invariant 4), and a long one that is read only then is copied twice in a row.
//! So a long write says how far it has come, and a reader that waits for it anyway, looking again and again, copies what is
//! there into its buffer. That counts for nothing: when the message is published, the reader takes it as ever, but for the
//! bytes that it has already.
//!
//! ```text
//!  writer, in its turn                       reader, in its turn
//!  filled = start                            number = fills
//!  fills += 1                                copies up to filled
//!  copies a piece, filled += piece  …          …
//!  publishes                                 sees the mark; fills is still number: what it has is right
//! ```
//!
//! Why it is right: while `fills` does not change, bytes of the ring from the head to `filled` stay what they are until
//! they are consumed. Only the death of the writer could change that; then `filled` goes back to what is published, and
//! `fills` is raised, before anybody writes again (`recover_writer`). A hostile writer can change the bytes at any time,
//! early or not.

use super::{Memory, Queue};
use crate::sync::{AtomicU64, Ordering};

/// From so many bytes on a write says how far it has been copied, after each piece.
pub(super) const LONG: usize = 2 * PIECE;
/// A word for the model checker, which has little room and time.
pub(super) const PIECE: usize = if cfg!(loom) { 8 } else { 16 << 10 };

/// What a reader has copied of a message that is not published yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Early {
    /// `fills` at that time.
    number: u64,
    /// Where it begins.
    start: u64,
    pub(super) len: usize,
}

impl Early {
    /// Nothing of a message whose bytes begin at this position.
    pub(super) fn at(start: u64) -> Early {
        Early { start, ..Early::default() }
    }

    /// Whether there is anything.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl<M: Memory> Queue<'_, M> {
    /// Copies more of what a long write has copied so far, at most a piece. Under the read turn.
    #[inline]
    pub fn read_early(&self, early: &mut Early, buffer: &mut [u8]) {
        let control = self.control;
        // Pairs with the release stores in `fill_in`.
        let number = control.fills.load(Ordering::Acquire);
        let come = control.filled.load(Ordering::Acquire).wrapping_sub(early.start);
        if self.shape.message
            && come <= self.shape.capacity()
            && (come > early.len as u64 || number != early.number)
        {
            self.read_more(early, buffer, number, come as usize);
        }
    }

    #[cold]
    fn read_more(&self, early: &mut Early, buffer: &mut [u8], number: u64, come: usize) {
        if number != early.number {
            *early = Early { number, ..Early::at(early.start) };
        }
        let upto = come.min(early.len + PIECE);
        if let Some(piece) = buffer.get_mut(early.len..upto) {
            self.copy_out(early.start.wrapping_add(early.len as u64), piece);
            early.len = upto;
        }
    }

    /// How many bytes the buffer has already, at most `len`, of the message whose bytes begin at `start`.
    #[cold]
    pub(super) fn have_early(&self, early: &Early, start: u64, len: usize) -> usize {
        // After the message was seen: whoever died before it was written has raised the number since.
        let right = self.control.fills.load(Ordering::Acquire) == early.number;
        if right && early.start == start && early.len <= len { early.len } else { 0 }
    }

    /// As `copy_in`, and says how far it is. Under the write turn.
    pub(super) fn fill_in(&self, start: u64, from: &[u8]) {
        let control = self.control;
        control.filled.store(start, Ordering::Release);
        raise(&control.fills);
        let mut at = start;
        for piece in from.chunks(PIECE) {
            self.copy_in(at, piece);
            at = at.wrapping_add(piece.len() as u64);
            // Pairs with the loads in `read_early`.
            control.filled.store(at, Ordering::Release);
        }
    }

    /// A writer has died, and nothing is written behind `tail`: what was copied of that is not right, and nobody copies
    /// more of it.
    pub(super) fn forget_early(&self, tail: u64) {
        // Who sees the new number sees this too.
        self.control.filled.store(tail, Ordering::Release);
        raise(&self.control.fills);
    }
}

/// One more; under the write turn.
fn raise(fills: &AtomicU64) {
    fills.store(fills.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
}
