//! Writing and reading in place: nothing is copied between the program's memory and the queue.
//!
//! The turn is kept while a loan or a borrowed message exists; nobody else writes or reads meanwhile. The peer can
//! change the bytes at any moment, so they are reached through copies, or through raw pointers by who knows that
//! the peer does not.

use transom_core::code::Code;
use transom_core::ring::{self, Borrow, Lent, Limit, Loaned, Memory, Reader, Writer, Written};
use transom_sys::linux::fault::step;

use super::super::segment::Data;
use super::super::turn::Turn;
use super::{Deadline, End, NO_ROW, Operation, Reason, Trouble, Waiting};

/// Bytes of the queue that are to be written; not committed, they were never written.
#[derive(Debug)]
#[must_use = "a loan that is not committed was never written"]
pub(crate) struct Loan<'a> {
    end: &'a End,
    writer: Writer<'a, Data>,
    data: &'a Data,
    loan: ring::Loan,
    waiting: Waiting,
    turn: Turn<'a>,
}

/// A message, or bytes of the stream, where they lie in the queue; consumed when dropped.
#[derive(Debug)]
pub(crate) struct Borrowed<'a> {
    end: &'a End,
    reader: Reader<'a, Data>,
    data: &'a Data,
    lent: Option<Lent>,
    _turn: Turn<'a>,
}

impl End {
    /// Lends `len` bytes of the queue for writing in place, waiting for room as `waiting` says. A byte-type pipe may
    /// give fewer.
    ///
    /// # Errors
    /// As [`End::write`]; 50: so much does not lie in one piece in this queue: write it.
    pub(crate) fn loan(&self, len: usize, waiting: &Waiting) -> Result<Loan<'_>, Trouble> {
        let mut operation = Operation::new(self);
        operation.check()?;
        let (control, queue) = self.outgoing();
        let data = self.outgoing_data();
        if self.peer_is_gone() {
            return Err(Trouble::PeerClosed);
        }
        let turn = self.take_turn(&control.write_turn, &mut operation, waiting.deadline)?;
        if turn.is_after_death() {
            self.recover_own_writer(&queue)?;
        }
        loop {
            let over = self.is_peer_over();
            let mark = queue.consumed_mark();
            let mut writer = queue.writer(&self.head)?;
            match writer.loan(len)? {
                Loaned::Ready(loan) => {
                    step("loan-made");
                    return Ok(Loan { end: self, writer, data, loan, waiting: *waiting, turn });
                }
                Loaned::Unfit => return Err(Trouble::Code(Code::NOT_SUPPORTED)),
                Loaned::NoRoom if over => return Err(Trouble::PeerClosedMeanwhile),
                Loaned::NoRoom => {
                    let moved = || queue.consumed_mark() != mark;
                    self.pause(&mut operation, Reason::Space, waiting, &[], moved)?;
                }
            }
        }
    }

    /// The next message, or what there is of the stream, in place; waits for it as `waiting` says.
    ///
    /// # Errors
    /// As [`End::read`].
    pub(crate) fn borrow_next(&self, waiting: &Waiting) -> Result<Borrowed<'_>, Trouble> {
        let mut operation = Operation::new(self);
        operation.check()?;
        let (control, queue) = self.incoming();
        let data = self.segment.queue_read_by(self.role).1;
        let turn = self.take_turn(&control.read_turn, &mut operation, waiting.deadline)?;
        if turn.is_after_death() {
            queue.recover_reader()?;
        }
        loop {
            let over = self.is_peer_over();
            let mark = queue.written_mark();
            let mut reader = queue.reader(&self.tail)?;
            let dead = |row: u32| over || self.is_dead(row);
            match reader.borrow(dead)? {
                Borrow::Lent(lent) => {
                    return Ok(Borrowed { end: self, reader, data, lent: Some(lent), _turn: turn });
                }
                Borrow::Recover { .. } => {
                    self.recover_writer(&queue, &mut operation)?;
                    turn.protect();
                }
                Borrow::Empty if over => return Err(Trouble::PeerClosed),
                Borrow::Empty => {
                    if reader.publish() {
                        self.ring_space();
                    }
                    let moved = || queue.written_mark() != mark;
                    self.pause(&mut operation, Reason::Data(0), waiting, &[], moved)?;
                }
            }
        }
    }
}

impl Loan<'_> {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.loan.len
    }

    /// Where they are, valid while the loan lives. The peer may change them at any moment.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.data.pointer(self.loan.offset, self.loan.len)
    }

    /// Copies bytes in; false if they do not fit at `at`.
    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) -> bool {
        let fits = at.checked_add(bytes.len()).is_some_and(|end| end <= self.loan.len);
        if fits {
            self.data.copy_in(self.loan.offset + at, bytes);
        }
        fits
    }

    /// Makes the first `len` bytes one write and waits until it is complete, as [`End::write`] does.
    ///
    /// # Errors
    /// As [`End::write`]; 87: more than was lent.
    pub(crate) fn commit(self, len: usize) -> Result<usize, Trouble> {
        let Loan { end, mut writer, loan, waiting, turn, .. } = self;
        // The program may have used a mutex meanwhile, which takes the kernel's note away.
        turn.protect();
        let mut operation = Operation::new(end);
        let limit = if waiting.deadline == Deadline::Now { Limit::NoWait } else { Limit::Quota };
        let row = end.segment.row().unwrap_or(NO_ROW);
        match writer.commit(loan, len, limit, row)? {
            Written::Done => {
                writer.publish();
                step("loan-published");
                drop(turn);
                end.ring_data();
                Ok(len)
            }
            Written::Waiting(ticket) => {
                drop(turn);
                end.ring_data();
                end.wait_for_ticket(ticket, len, &waiting, &mut operation)
            }
            Written::Refused if limit == Limit::NoWait => Err(Trouble::WouldBlock),
            Written::NoSlot => Err(Trouble::Code(Code::NO_SYSTEM_RESOURCES)),
            _ => Err(Trouble::Code(Code::INVALID_PARAMETER)),
        }
    }
}

impl Borrowed<'_> {
    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.lent.as_ref().map_or(0, |lent| lent.len)
    }

    /// Whether the message ends with them.
    pub(crate) fn is_complete(&self) -> bool {
        self.lent.as_ref().is_none_or(|lent| lent.complete)
    }

    /// Where they are: two pieces, the second empty unless they lie across the end of the queue's memory. Valid
    /// while this lives; the peer may change them at any moment.
    pub(crate) fn parts(&self) -> [(*const u8, usize); 2] {
        let parts = self.lent.as_ref().map_or([(0, 0); 2], |lent| lent.parts);
        parts.map(|(offset, len)| (self.data.pointer(offset, len).cast_const(), len))
    }

    /// Copies bytes out; false if there are not so many at `at`.
    pub(crate) fn read(&self, at: usize, buffer: &mut [u8]) -> bool {
        if at.checked_add(buffer.len()).is_none_or(|end| end > self.len()) {
            return false;
        }
        let parts = self.lent.as_ref().map_or([(0, 0); 2], |lent| lent.parts);
        let (mut skip, mut done) = (at, 0);
        for (offset, len) in parts {
            let from = skip.min(len);
            skip -= from;
            let count = (len - from).min(buffer.len() - done);
            self.data.copy_out(offset + from, &mut buffer[done..done + count]);
            done += count;
        }
        true
    }

    /// Whether what was seen counts: false if its writer took it back meanwhile. It is consumed either way.
    ///
    /// # Errors
    /// [`Trouble::Corrupt`].
    pub(crate) fn consume(mut self) -> Result<bool, Trouble> {
        self.give_back()
    }

    fn give_back(&mut self) -> Result<bool, Trouble> {
        let Some(lent) = self.lent.take() else { return Ok(true) };
        let len = lent.len;
        let counts = self.reader.give_back(lent, len)?;
        if self.reader.publish() {
            step("borrowed-consumed");
            self.end.ring_space();
        }
        Ok(counts)
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        // Nonsense from the peer shows at the next read.
        let _ = self.give_back();
    }
}
