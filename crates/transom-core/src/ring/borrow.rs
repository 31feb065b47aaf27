//! Reading in place: the bytes at the head are looked at where they lie, then given back.

use super::cursor::{Cursor, Spot};
use super::slots::View;
use super::{Corrupt, HEADER, LINE, Memory, Queue, Read, Reader, TailCache, padded};

/// Bytes at the head, lent to the reader.
#[derive(Debug)]
#[must_use = "bytes that are not given back stay in the queue"]
pub struct Lent {
    /// Where they lie in the data: offset and length, the second piece behind the wrap.
    pub parts: [(usize, usize); 2],
    /// Bytes in both.
    pub len: usize,
    /// Whether the message ends with them (a byte-type queue: always).
    pub complete: bool,
    at: Cursor,
    /// The waiting write they belong to.
    cover: Option<View>,
}

/// What came of borrowing.
#[derive(Debug)]
#[must_use]
pub enum Borrow {
    /// Here they are.
    Lent(Lent),
    /// Nothing is there.
    Empty,
    /// As [`Read::Recover`](super::Read::Recover).
    Recover {
        /// Row in the table of holders.
        holder: u32,
    },
}

impl<'a, M: Memory> Queue<'a, M> {
    /// The session that lent these bytes, for who kept the turn and gave the session up.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn resume(&self, cache: &'a TailCache, lent: &Lent) -> Result<Reader<'a, M>, Corrupt> {
        let mut reader = self.reader(cache)?;
        reader.at = lent.at;
        // The cache may be another's, who has seen less.
        if reader.at.ready(self, reader.tail).is_err() {
            reader.look()?;
        }
        Ok(reader)
    }
}

impl<M: Memory> Reader<'_, M> {
    /// The usual case of [`Reader::borrow`], done at once: a message that is there in full and belongs to no write that
    /// waits. `None`: nothing was lent, begin anew with [`Queue::reader`]. See [`Reader::read_swiftly`].
    #[inline]
    pub fn borrow_swiftly(&mut self) -> Option<Lent> {
        if !self.queue.shape.message {
            return None;
        }
        self.look_swiftly(1)?;
        let length = self.whole_message()?;
        let at = Cursor { head: self.at.head.wrapping_add(HEADER), rest: length, ..self.at };
        let parts = self.queue.pieces(at.head, length);
        self.cache.note_last(HEADER + padded(length));
        Some(Lent { parts, len: length as usize, complete: true, at, cover: None })
    }

    /// The usual case of [`Queue::resume`] and [`Reader::give_back`], done at once: all of what
    /// [`Reader::borrow_swiftly`] lent is consumed. False: nothing was done.
    #[inline]
    pub fn give_back_swiftly(&mut self, lent: &Lent) -> bool {
        if !self.queue.shape.message || lent.cover.is_some() || !lent.complete || lent.len == 0 {
            return false;
        }
        self.at = Cursor {
            head: padded(lent.at.head.wrapping_add(lent.len as u64)),
            payload: lent.at.payload.wrapping_add(lent.len as u64),
            rest: 0,
            messages: lent.at.messages.wrapping_add(1),
        };
        true
    }

    /// Lends what is at the head: a message or what is there of it, or bytes of the stream. The turn is kept
    /// until it is given back, and nothing else is read meanwhile.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn borrow(&mut self, mut dead: impl FnMut(u32) -> bool) -> Result<Borrow, Corrupt> {
        if self.at.rest != 0 {
            match self.skip_lost(&mut dead)? {
                None => {}
                Some(Read::Recover { holder }) => return Ok(Borrow::Recover { holder }),
                Some(_) => return Ok(Borrow::Empty),
            }
        }
        let spot = self.settle(&mut dead)?;
        let len = match spot {
            Spot::Nothing | Spot::Stale => return Ok(Borrow::Empty),
            Spot::Dead(holder) => return Ok(Borrow::Recover { holder }),
            Spot::Hollow => 0,
            Spot::Run { .. } if self.queue.shape.message => self.ready_of_message()?,
            Spot::Run { len, .. } => len,
        };
        if len == 0 && spot != Spot::Hollow {
            return Ok(Borrow::Empty);
        }
        let complete = !self.queue.shape.message || len == self.at.rest;
        let parts = self.queue.pieces(self.at.head, len);
        // The first line comes with the header.
        if len > LINE {
            self.queue.data.expect_read(self.queue.shape.offset(self.at.head.wrapping_add(len - 1)));
        }
        let cover = if let Spot::Run { cover, .. } = spot { cover } else { None };
        Ok(Borrow::Lent(Lent { parts, len: len as usize, complete, at: self.at, cover }))
    }

    /// Gives back what was lent; its first `taken` bytes are consumed (an empty message is, in any case).
    /// False: the write was cancelled meanwhile, so what was seen does not count.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn give_back(&mut self, lent: Lent, taken: usize) -> Result<bool, Corrupt> {
        if lent.at != self.at {
            return Ok(false);
        }
        // Nothing else is lent that has no bytes.
        if lent.len == 0 {
            self.pass_hollow();
            return Ok(true);
        }
        let n = taken.min(lent.len) as u64;
        let ends = |view: &_| {
            let view: &super::slots::View = view;
            if self.queue.shape.message {
                n == self.at.rest
            } else {
                view.end() == self.at.head.wrapping_add(n)
            }
        };
        self.advance(n, lent.cover.filter(ends))
    }
}
