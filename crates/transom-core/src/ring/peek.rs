//! Looking without taking and without a turn: what was copied counts if the reader did not move meanwhile.

use super::cursor::{Cursor, Spot};
use super::reader::LOST;
use super::slots;
use super::{Corrupt, Memory, Queue, padded};
use crate::sync::Ordering;

/// Looks before a reader that never stands still is left to whoever takes its turn.
const TRIES: u32 = 64;

/// What `PeekNamedPipe` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Peek {
    /// Bytes copied: at most one message, at most what is in the queue already.
    pub copied: usize,
    /// Unread payload bytes in the queue, those of waiting writes included (P35, P58).
    pub available: u64,
    /// Bytes of the first message that were not copied; 0 for a byte-type queue (P60).
    pub left: u64,
    /// Nothing is left to be read, not even an empty message.
    pub drained: bool,
}

/// What came of peeking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Peeked {
    /// This.
    Seen(Peek),
    /// Readers were too quick each time: take the read turn and peek again.
    Contended,
    /// As [`Read::Recover`](super::Read::Recover).
    Recover {
        /// Row in the table of holders.
        holder: u32,
    },
}

impl<M: Memory> Queue<'_, M> {
    /// Copies the beginning of what is unread and takes nothing. `dead` as in
    /// [`Reader::read`](super::Reader::read).
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn peek(&self, buffer: &mut [u8], mut dead: impl FnMut(u32) -> bool) -> Result<Peeked, Corrupt> {
        for _ in 0..TRIES {
            let (mark, words) = self.control.consumed.look()?;
            let seen = self.peek_from(words, buffer, &mut dead);
            if self.control.consumed.unmoved(mark) {
                return seen;
            }
            // What does not fit together was read at different moments.
        }
        Ok(Peeked::Contended)
    }

    /// Payload bytes that are written, or announced by a streaming write, and not read.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn unread(&self) -> Result<u64, Corrupt> {
        match self.peek(&mut [], |_| false)? {
            Peeked::Seen(peek) => Ok(peek.available),
            Peeked::Recover { .. } => Err(Corrupt),
            Peeked::Contended => {
                let (_, [_, payload, _]) = self.control.consumed.look()?;
                let (_, [_, announced, _]) = self.control.written.look()?;
                self.unread_between(payload, announced)
            }
        }
    }

    /// Whether the reader has taken everything (P40), empty messages included.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn is_drained(&self) -> Result<bool, Corrupt> {
        Ok(matches!(self.peek(&mut [], |_| false)?, Peeked::Seen(peek) if peek.drained))
    }

    fn peek_from(
        &self,
        words: [u64; 3],
        buffer: &mut [u8],
        dead: &mut impl FnMut(u32) -> bool,
    ) -> Result<Peeked, Corrupt> {
        let mut at = Cursor::new(self, words)?;
        // Both from one look, so that what is counted is what is seen.
        let (_, [mut tail, mut announced, _]) = self.control.written.look()?;
        let mut payload = words[1];
        if at.rest != 0 && self.control.parted.load(Ordering::Relaxed) == LOST {
            // What is left of a message that lost its beginning will be skipped.
            payload = payload.wrapping_add(at.rest.min(announced.wrapping_sub(payload)));
            if at.ready(self, tail)? < at.rest {
                let available = self.unread_between(payload, announced)?;
                return Ok(Peeked::Seen(Peek { copied: 0, available, left: 0, drained: false }));
            }
            at = Cursor { head: padded(at.head.wrapping_add(at.rest)), payload, rest: 0, ..at };
        }
        let mut copied = 0;
        let mut left = 0;
        let mut drained = false;
        loop {
            match at.settle(self, tail, dead)? {
                Spot::Dead(holder) if copied == 0 => return Ok(Peeked::Recover { holder }),
                Spot::Nothing => {
                    drained = copied == 0 && at.rest == 0;
                    break;
                }
                Spot::Run { len, .. } => {
                    let len = if self.shape.message { len.min(at.rest) } else { len };
                    let n = len.min((buffer.len() - copied) as u64);
                    let end = copied + n as usize;
                    self.copy_out(at.head, &mut buffer[copied..end]);
                    copied = end;
                    if self.shape.message {
                        left = at.rest - n;
                        break;
                    }
                    // A byte-type queue goes on behind the writes that are withdrawn.
                    at.head = at.head.wrapping_add(n);
                    at.payload = at.payload.wrapping_add(n);
                    if copied == buffer.len() {
                        break;
                    }
                }
                Spot::Stale => {
                    let (_, [now, announced_now, _]) = self.control.written.look()?;
                    if now == tail {
                        return Err(Corrupt);
                    }
                    (tail, announced) = (now, announced_now);
                }
                Spot::Hollow | Spot::Dead(_) => break,
            }
        }
        let available = self.unread_between(payload, announced)?;
        drained &= available == 0;
        Ok(Peeked::Seen(Peek { copied, available, left, drained }))
    }

    fn unread_between(&self, payload: u64, announced: u64) -> Result<u64, Corrupt> {
        let unread = announced.wrapping_sub(payload);
        if unread > self.shape.capacity() + u64::from(u32::MAX) {
            return Err(Corrupt);
        }
        Ok(unread - slots::withdrawn_between(self.control, payload, announced).min(unread))
    }
}
