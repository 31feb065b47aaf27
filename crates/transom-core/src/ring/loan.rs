//! Writing in place: a piece of the ring is lent to the writer, which fills it and commits. Nothing is copied.

use super::slots::PENDING;
use super::waiting::Ticket;
use super::writer::MAX_WRITE;
use super::{Corrupt, DATA, HEADER, Memory, PAD, padded};
use super::{Fit, Limit, Writer, Written};

/// A piece of the data to be written in place. Given up by dropping it.
#[derive(Debug)]
#[must_use = "a loan that is not committed was never written"]
pub struct Loan {
    /// Where it lies in the data.
    pub offset: usize,
    /// Its length, bytes.
    pub len: usize,
    /// Bytes between the tail and its record.
    pad: u64,
    tail: u64,
}

/// What came of asking for a loan.
#[derive(Debug)]
#[must_use]
pub enum Loaned {
    /// Here it is.
    Ready(Loan),
    /// Not yet: the reader must make room.
    NoRoom,
    /// So much does not lie in one piece here: write it by copying.
    Unfit,
}

impl<M: Memory> Writer<'_, M> {
    /// Asks for `len` bytes in one piece. The turn is kept until the loan is committed or dropped, and nothing else
    /// is written meanwhile. A byte-type queue knows no padding: what would lie across the ring's end is unfit.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn loan(&mut self, len: usize) -> Result<Loaned, Corrupt> {
        let shape = self.queue.shape;
        if len == 0 || len > MAX_WRITE {
            return Ok(Loaned::Unfit);
        }
        let offset = shape.offset(self.tail) as u64;
        let straight = shape.capacity() - offset;
        let record = shape.ring_bytes(len as u64);
        let pad = if record <= straight { 0 } else { straight };
        let ring = pad + record;
        if ring > shape.capacity() || ring > MAX_WRITE as u64 || !shape.message && pad != 0 {
            return Ok(Loaned::Unfit);
        }
        if !self.has_room(ring) {
            self.refresh()?;
        }
        if !self.has_room(ring) {
            return Ok(Loaned::NoRoom);
        }
        let begin = if pad == 0 { offset } else { 0 };
        let offset = begin + if shape.message { HEADER } else { 0 };
        Ok(Loaned::Ready(Loan { offset: offset as usize, len, pad, tail: self.tail }))
    }

    /// The usual case of [`Writer::loan`], done at once: there is room as far as was seen of the reader, in front of the
    /// ring's end. `None`: nothing was done, begin anew with [`Queue::writer`](super::Queue::writer). See
    /// [`Writer::write_swiftly`].
    #[inline]
    pub fn loan_swiftly(&self, len: usize) -> Option<Loan> {
        let shape = self.queue.shape;
        if len == 0 || len > MAX_WRITE || shape.message && !self.tail.is_multiple_of(8) {
            return None;
        }
        let offset = shape.offset(self.tail);
        let ring = shape.ring_bytes(len as u64);
        if ring > shape.capacity() - offset as u64 || !self.has_room(ring) {
            return None;
        }
        let header = if shape.message { HEADER as usize } else { 0 };
        Some(Loan { offset: offset + header, len, pad: 0, tail: self.tail })
    }

    /// The usual case of [`Writer::commit`], done at once: the write is complete as far as was seen of the reader. False:
    /// nothing was done.
    #[inline]
    pub fn commit_swiftly(&mut self, loan: &Loan, len: usize) -> bool {
        let shape = self.queue.shape;
        if loan.tail != self.tail || loan.pad != 0 || len == 0 || len > loan.len {
            return false;
        }
        let ring = shape.ring_bytes(len as u64);
        if !self.completes_as_seen(len as u64, ring, Limit::Quota) {
            return false;
        }
        if shape.message {
            self.store_header(self.tail, len as u64, DATA);
        }
        self.count(ring, len as u64);
        true
    }

    /// Makes the first `len` bytes of a loan one write. As [`Writer::write`], but it has its room already, so
    /// it never streams. What is refused for want of a slot or of quota may be committed again.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn commit(&mut self, loan: &Loan, len: usize, limit: Limit, holder: u32) -> Result<Written, Corrupt> {
        let shape = self.queue.shape;
        if loan.tail != self.tail || len > loan.len {
            return Ok(Written::Refused);
        }
        let len = len as u64;
        if len == 0 && !shape.message {
            return Ok(Written::Done);
        }
        let ring = loan.pad + if shape.message { HEADER + padded(len) } else { len };
        let fit = if self.completes_as_seen(len, ring, limit) {
            Fit::Completes
        } else {
            self.fit_ring(len, ring, limit)?
        };
        match fit {
            Fit::Waits if limit == Limit::NoWait => return Ok(Written::Refused),
            // The room was there when the loan was made, and room does not shrink.
            Fit::Streams => return Err(Corrupt),
            Fit::Completes | Fit::Waits => {}
        }
        let slot = match fit {
            Fit::Waits => match self.take_slot(PENDING, ring, len, holder) {
                Some(view) => Some(view),
                None => return Ok(Written::NoSlot),
            },
            _ => None,
        };
        if shape.message {
            if loan.pad != 0 {
                self.store_header(self.tail, loan.pad - HEADER, PAD);
            }
            self.store_header(self.tail.wrapping_add(loan.pad), len, DATA);
        }
        self.count(ring, len);
        Ok(match slot {
            Some(view) => {
                self.publish();
                Written::Waiting(Ticket::new(&view))
            }
            None => Written::Done,
        })
    }
}
