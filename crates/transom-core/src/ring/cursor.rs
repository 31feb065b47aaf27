//! What is at the head: one answer for readers, borrowers and peekers.

use super::layout::SLOTS;
use super::slots::{self, ENDING, PENDING, STREAMING, View, WITHDRAWN};
use super::{Corrupt, DATA, HEADER, Memory, PAD, Queue};
use crate::sync::Ordering;

/// Looks at the slots before a world that keeps changing counts as nonsense. Each look goes past a withdrawn
/// write or withdraws one.
const ROUNDS: usize = 4 * SLOTS + 8;

/// A reader's position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub head: u64,
    pub payload: u64,
    /// Payload bytes left of the message that `head` is inside; 0 between messages, always for bytes.
    pub rest: u64,
    pub messages: u64,
}

/// What a cursor stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// The end of what is published.
    Nothing,
    /// A write that is not published in full, and whose process is dead.
    Dead(u32),
    /// A write was withdrawn beyond the tail that was given: look where it is now.
    Stale,
    /// An empty message. The cursor stays before it.
    Hollow,
    /// Bytes: up to `len` of the ring; for messages the cursor's `rest` says how many of them belong to the
    /// message, and more may be on their way. `cover`: the waiting write they belong to.
    Run { len: u64, cover: Option<View> },
}

impl Cursor {
    /// A cursor from a journal's words.
    pub fn new<M>(queue: &Queue<'_, M>, words: [u64; 3]) -> Result<Cursor, Corrupt> {
        let [head, payload, rest] = words;
        let rest = if queue.shape.message { rest } else { 0 };
        let cursor = Cursor { head, payload, rest, messages: 0 };
        cursor.check(queue).map(|()| cursor)
    }

    /// Whether it may be where it is (invariant 2).
    #[inline]
    pub fn check<M>(&self, queue: &Queue<'_, M>) -> Result<(), Corrupt> {
        let astray = self.rest == 0 && !self.head.is_multiple_of(8) || self.rest > u64::from(u32::MAX);
        if queue.shape.message && astray { Err(Corrupt) } else { Ok(()) }
    }

    /// Published bytes in front of the cursor (invariant 2).
    #[inline]
    pub fn ready<M>(&self, queue: &Queue<'_, M>, tail: u64) -> Result<u64, Corrupt> {
        let ready = tail.wrapping_sub(self.head);
        if ready > queue.shape.wrap + 1 || (queue.shape.message && !tail.is_multiple_of(8)) {
            return Err(Corrupt);
        }
        Ok(ready)
    }

    /// Moves over what is no data and says what comes then. `dead` is asked about a write that waits.
    #[inline]
    pub fn settle<M: Memory>(
        &mut self,
        queue: &Queue<'_, M>,
        tail: u64,
        dead: &mut impl FnMut(u32) -> bool,
    ) -> Result<Spot, Corrupt> {
        // After `tail` was taken, so that every slot over those bytes is seen (invariant 5).
        let mask = queue.control.pending.load(Ordering::Acquire);
        if mask == 0 { self.enter(queue, tail, None) } else { self.settle_among(queue, tail, dead) }
    }

    #[cold]
    fn settle_among<M: Memory>(
        &mut self,
        queue: &Queue<'_, M>,
        tail: u64,
        dead: &mut impl FnMut(u32) -> bool,
    ) -> Result<Spot, Corrupt> {
        for _ in 0..ROUNDS {
            let ready = self.ready(queue, tail)?;
            let mask = queue.control.pending.load(Ordering::Acquire);
            let mut cover = None;
            let mut len = ready;
            for view in slots::in_use(queue.control, mask) {
                if self.is_covered(&view) {
                    len = len.min(view.end().wrapping_sub(self.head));
                    cover = Some(view);
                } else {
                    let ahead = view.start.wrapping_sub(self.head);
                    len = len.min(if ahead == 0 { len } else { ahead });
                }
            }
            let Some(view) = cover else { return self.enter(queue, tail, Some((len, None))) };
            match view.state() {
                WITHDRAWN if view.end().wrapping_sub(self.head) > ready => return Ok(Spot::Stale),
                WITHDRAWN => self.skip(&view, queue.shape.message)?,
                PENDING if ready == 0 && dead(view.holder) => return Ok(Spot::Dead(view.holder)),
                PENDING if dead(view.holder) => {
                    // Whatever came of it, the next round sees it.
                    let _ = queue.control.slots[view.index].change(view.word, WITHDRAWN);
                }
                STREAMING | ENDING if dead(view.holder) => return Ok(Spot::Dead(view.holder)),
                ENDING => return Ok(Spot::Nothing),
                _ => return self.enter(queue, tail, Some((len, cover))),
            }
        }
        Err(Corrupt)
    }

    /// Whether the cursor stands in this slot's write. Inside a message also at the slot's end: there the rest
    /// of a stream that ended early would be.
    fn is_covered(&self, view: &View) -> bool {
        let into = self.head.wrapping_sub(view.start);
        let ring = u64::from(view.ring);
        if self.rest == 0 { into < ring } else { into > 0 && into <= ring }
    }

    /// Goes past a withdrawn write, which is published.
    fn skip(&mut self, view: &View, message: bool) -> Result<(), Corrupt> {
        let over = view.end().wrapping_sub(self.head);
        let gone = view.payload_end().wrapping_sub(self.payload);
        if gone > over || (message && !view.end().is_multiple_of(8)) {
            return Err(Corrupt);
        }
        *self = Cursor { head: view.end(), payload: view.payload_end(), rest: 0, ..*self };
        Ok(())
    }

    /// Between messages: goes over padding and into the next message.
    #[inline]
    fn enter<M: Memory>(
        &mut self,
        queue: &Queue<'_, M>,
        tail: u64,
        among: Option<(u64, Option<View>)>,
    ) -> Result<Spot, Corrupt> {
        let mut ready = self.ready(queue, tail)?;
        let (len, cover) = among.unwrap_or((ready, None));
        if !queue.shape.message {
            return Ok(if len == 0 { Spot::Nothing } else { Spot::Run { len, cover } });
        }
        if self.rest != 0 {
            return Ok(Spot::Run { len: ready, cover });
        }
        // Padding moves on by 8 at least, and to the ring's end: twice in a row is nonsense.
        for _ in 0..2 {
            if ready == 0 {
                return Ok(Spot::Nothing);
            }
            // Not 0 and a multiple of 8 (invariant 2), so there is a whole header.
            let header = queue.data.load_word(queue.shape.offset(self.head));
            let length = header & u64::from(u32::MAX);
            match (header >> 32) as u32 {
                DATA if length == 0 => return Ok(Spot::Hollow),
                DATA => {
                    self.head = self.head.wrapping_add(HEADER);
                    self.rest = length;
                    return Ok(Spot::Run { len: ready - HEADER, cover });
                }
                PAD if length.is_multiple_of(8) && length <= ready - HEADER => {
                    self.head = self.head.wrapping_add(HEADER + length);
                    ready -= HEADER + length;
                }
                _ => return Err(Corrupt),
            }
        }
        Err(Corrupt)
    }
}
