//! Writing and reading in place: nothing is copied between the program's memory and the queue.
//!
//! The turn is kept while a loan or a borrowed message exists; nobody else writes or reads meanwhile. The peer can
//! change the bytes at any moment, so they are reached through copies, or through raw pointers by who knows that
//! the peer does not.
//!
//! ```text
//!  loan ────► the write turn, room for a record ──── bytes ────► commit: header, tail published, turn given up
//!                                                          └───► drop: turn given up, nothing was written
//!  borrow ──► the read turn, where the bytes lie ─── look ─────► drop: head published, turn given up
//! ```
//! Nothing in shared memory says that there is a loan, except the turn: killed with one, a process has written
//! nothing, and killed with a borrowed message it has read nothing.

use transom_core::code::Code;
use transom_core::pipe::Role;
use transom_core::ring::{self, Borrow, Lent, Limit, Loaned, Memory, Queue, Writer, Written};
use transom_sys::linux::fault::step;

use super::super::area::Area;
use super::super::record;
use super::super::turn::{Kept, Turn};
use super::{Deadline, End, NO_ROW, Operation, Patience, Reason, Trouble, Waiting};

/// Bytes of the queue that are to be written; not committed, they were never written. `K` leads to the end and keeps
/// it.
#[derive(Debug)]
#[must_use = "a loan that is not committed was never written"]
pub(crate) struct Loan<K: AsRef<End>> {
    keeper: K,
    loan: ring::Loan,
    turn: Option<Kept>,
}

/// A message, or bytes of the stream, where they lie in the queue; consumed when dropped.
#[derive(Debug)]
pub(crate) struct Borrowed<K: AsRef<End>> {
    keeper: K,
    lent: Option<Lent>,
    turn: Option<Kept>,
}

impl AsRef<End> for End {
    fn as_ref(&self) -> &End {
        self
    }
}

impl<K: AsRef<End>> Loan<K> {
    /// Lends `len` bytes of the queue for writing in place, waiting for room as `waiting` says. `None`: so much does
    /// not lie in one piece there now; write it.
    ///
    /// # Errors
    /// As [`End::write`].
    #[inline]
    pub(crate) fn make(keeper: K, len: usize, waiting: &Waiting) -> Result<Option<Loan<K>>, Trouble> {
        let (loan, turn) = match keeper.as_ref().lend(len, waiting)? {
            Some((loan, turn)) => (loan, turn.keep()),
            None => return Ok(None),
        };
        step("loan-made");
        Ok(Some(Loan { keeper, loan, turn: Some(turn) }))
    }

    pub(crate) fn role(&self) -> Role {
        self.keeper.as_ref().role
    }

    /// Where the bytes are, valid while the loan lives. The peer may change them at any moment.
    pub(crate) fn as_ptr(&self) -> *mut u8 {
        self.keeper.as_ref().outgoing_data().pointer(self.loan.offset, self.loan.len)
    }

    /// Copies bytes in; false if they do not fit at `at`.
    #[inline]
    pub(crate) fn write(&mut self, at: usize, bytes: &[u8]) -> bool {
        let fits = at.checked_add(bytes.len()).is_some_and(|end| end <= self.loan.len);
        if fits {
            self.keeper.as_ref().outgoing_data().copy_in(self.loan.offset + at, bytes);
        }
        fits
    }

    /// Makes the first `len` bytes one write and waits until it is complete, as [`End::write`] does.
    ///
    /// # Errors
    /// As [`End::write`]; 87: more than was lent.
    #[inline]
    pub(crate) fn commit(mut self, len: usize, waiting: &Waiting) -> Result<usize, Trouble> {
        let Some(kept) = self.turn.take().filter(|_| !record::is_forked()) else {
            return Err(Trouble::LocalClosed);
        };
        let end = self.keeper.as_ref();
        // The program may have used a mutex meanwhile, which takes the kernel's note away.
        let turn = Turn::resume(&end.outgoing().0.write_turn, kept);
        end.commit(turn, &self.loan, len, waiting)
    }
}

impl<K: AsRef<End>> Drop for Loan<K> {
    #[inline]
    fn drop(&mut self) {
        if let Some(kept) = self.turn.take().filter(|_| !record::is_forked()) {
            drop(Turn::resume(&self.keeper.as_ref().outgoing().0.write_turn, kept));
        }
    }
}

impl<K: AsRef<End>> Borrowed<K> {
    /// The next message, or what there is of the stream, in place; waits for it as `waiting` says.
    ///
    /// # Errors
    /// As [`End::read`].
    #[inline]
    pub(crate) fn next(keeper: K, waiting: &Waiting) -> Result<Borrowed<K>, Trouble> {
        let (lent, turn) = keeper.as_ref().borrow_next(waiting)?;
        let (lent, turn) = (Some(lent), Some(turn.keep()));
        step("borrowed");
        Ok(Borrowed { keeper, lent, turn })
    }

    pub(crate) fn role(&self) -> Role {
        self.keeper.as_ref().role
    }

    #[inline]
    fn data(&self) -> &Area {
        let end = self.keeper.as_ref();
        end.segment.queue_read_by(end.role).1
    }

    /// How many bytes there are.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.lent.as_ref().map_or(0, |lent| lent.len)
    }

    /// Whether the message ends with them.
    #[inline]
    pub(crate) fn is_complete(&self) -> bool {
        self.lent.as_ref().is_none_or(|lent| lent.complete)
    }

    #[inline]
    fn pieces(&self) -> [(usize, usize); 2] {
        self.lent.as_ref().map_or([(0, 0); 2], |lent| lent.parts)
    }

    /// Where they are: two pieces, the second empty unless they lie across the end of the queue's memory. Valid
    /// while this lives; the peer may change them at any moment.
    pub(crate) fn parts(&self) -> [(*const u8, usize); 2] {
        self.pieces().map(|(offset, len)| (self.data().pointer(offset, len).cast_const(), len))
    }

    /// Copies bytes out; false if there are not so many at `at`.
    #[inline]
    pub(crate) fn read(&self, at: usize, buffer: &mut [u8]) -> bool {
        if at.checked_add(buffer.len()).is_none_or(|end| end > self.len()) {
            return false;
        }
        let (mut skip, mut done) = (at, 0);
        for (offset, len) in self.pieces() {
            let from = skip.min(len);
            skip -= from;
            let count = (len - from).min(buffer.len() - done);
            self.data().copy_out(offset + from, &mut buffer[done..done + count]);
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

    #[inline]
    fn give_back(&mut self) -> Result<bool, Trouble> {
        let kept = self.turn.take().filter(|_| !record::is_forked());
        match (kept, self.lent.take()) {
            (Some(kept), Some(lent)) => self.keeper.as_ref().give_back(kept, lent),
            _ => Ok(true),
        }
    }
}

impl<K: AsRef<End>> Drop for Borrowed<K> {
    #[inline]
    fn drop(&mut self) {
        // Nonsense from the peer shows at the next read.
        let _ = self.give_back();
    }
}

impl End {
    /// The write turn, and a piece of the ring. See [`Loan::make`].
    #[inline]
    fn lend(&self, len: usize, waiting: &Waiting) -> Result<Option<(ring::Loan, Turn<'_>)>, Trouble> {
        let turn = match self.try_write_turn() {
            Ok(turn) => turn,
            Err(turn) => return self.lend_slowly(turn, len, waiting),
        };
        match self.outgoing().1.swift_writer(&self.head).loan_swiftly(len) {
            Some(loan) => Ok(Some((loan, turn))),
            None => self.lend_slowly(Some(turn), len, waiting),
        }
    }

    /// There is no room, or it has to be looked for; or the turn was not to be had as it should be.
    #[cold]
    fn lend_slowly<'a>(
        &'a self,
        turn: Option<Turn<'a>>,
        len: usize,
        waiting: &Waiting,
    ) -> Result<Option<(ring::Loan, Turn<'a>)>, Trouble> {
        let mut operation = Operation::new(self);
        operation.check()?;
        if turn.is_none() && self.is_peer_over() {
            return Err(Trouble::PeerClosed);
        }
        let (_, queue) = self.outgoing();
        let turn = self.enter_write_turn(turn, &queue, &mut operation, waiting.deadline)?;
        let mut looked = false;
        // Mostly there is room; only who waits needs the reader's mark, whose cache line the reader wants too.
        let mut in_vain = false;
        loop {
            let over = self.is_peer_over();
            let mark = if in_vain { queue.consumed_mark() } else { 0 };
            match queue.writer(&self.head)?.loan(len)? {
                Loaned::Ready(loan) => return Ok(Some((loan, turn))),
                Loaned::Unfit => return Ok(None),
                Loaned::NoRoom if !in_vain => in_vain = true,
                Loaned::NoRoom if over => {
                    return Err(if looked { Trouble::PeerClosedMeanwhile } else { Trouble::PeerClosed });
                }
                Loaned::NoRoom => {
                    looked = true;
                    let moved = || queue.consumed_mark() != mark;
                    self.pause(&mut operation, Reason::Space, waiting, &[], moved)?;
                }
            }
        }
    }

    /// See [`Loan::commit`].
    #[inline]
    fn commit(
        &self,
        turn: Turn<'_>,
        loan: &ring::Loan,
        len: usize,
        waiting: &Waiting,
    ) -> Result<usize, Trouble> {
        // Most are complete at once, and these take no slot.
        let mut writer = self.outgoing().1.swift_writer(&self.head);
        if !self.is_ended() && !self.is_peer_over() && writer.commit_swiftly(loan, len) {
            return self.finish_commit(turn, writer, len);
        }
        self.commit_slowly(turn, loan, len, waiting)
    }

    /// What was lent is in the queue and can be complete: publishes it.
    #[inline]
    fn finish_commit(
        &self,
        turn: Turn<'_>,
        mut writer: Writer<'_, Area>,
        len: usize,
    ) -> Result<usize, Trouble> {
        self.ring_before();
        writer.publish();
        step("loan-published");
        // Probably the next one is as long.
        writer.claim_ends(len);
        writer.look_ahead(len);
        self.ring_data_behind(turn);
        self.sleepers.tell_pollers();
        self.is_through(len)
    }

    /// A commit that was not done at once, in its turn.
    #[cold]
    fn commit_slowly(
        &self,
        turn: Turn<'_>,
        loan: &ring::Loan,
        len: usize,
        waiting: &Waiting,
    ) -> Result<usize, Trouble> {
        let mut operation = Operation::new(self);
        operation.check()?;
        if self.is_peer_over() {
            return Err(Trouble::PeerClosed);
        }
        if len > loan.len {
            return Err(Trouble::Code(Code::INVALID_PARAMETER));
        }
        let (_, queue) = self.outgoing();
        let mut writer = queue.writer(&self.head)?;
        let mut written = writer.commit(loan, len, Limit::NoWait, NO_ROW)?;
        if matches!(written, Written::Done) {
            return self.finish_commit(turn, writer, len);
        }
        self.ring_before();
        if matches!(written, Written::Refused) && waiting.deadline != Deadline::Now {
            let row = self.segment.row().unwrap_or(NO_ROW);
            let mut patience = Patience::default();
            loop {
                let (over, mark) = (self.is_peer_over(), queue.consumed_mark());
                written = writer.commit(loan, len, Limit::Quota, row)?;
                if !matches!(written, Written::NoSlot) {
                    break;
                }
                if over {
                    return Err(Trouble::PeerClosedMeanwhile);
                }
                if !self.sweep(&queue) {
                    self.pause(&mut operation, Reason::Space, waiting, &[], || {
                        queue.consumed_mark() != mark
                    })?;
                }
                turn.protect();
                patience.spend(&operation, waiting.deadline)?;
            }
        }
        writer.publish();
        step("loan-published");
        self.ring_data_behind(turn);
        self.sleepers.tell_pollers();
        match written {
            Written::Done => self.is_through(len),
            Written::Waiting(ticket) => self.wait_for_ticket(ticket, len, waiting, &mut operation),
            Written::Refused if waiting.deadline == Deadline::Now => Err(Trouble::WouldBlock),
            // Somebody else wrote although this thread has the turn.
            _ => Err(Trouble::Corrupt),
        }
    }

    /// The read turn, and where the bytes lie. See [`Borrowed::next`].
    #[inline]
    fn borrow_next(&self, waiting: &Waiting) -> Result<(Lent, Turn<'_>), Trouble> {
        let turn = match self.try_read_turn() {
            Ok(turn) => turn,
            Err(turn) => return self.borrow_slowly(turn, waiting),
        };
        let (_, queue) = self.incoming();
        match self.stream_reader(&queue, || waiting.may_pause()).borrow_swiftly() {
            Some(lent) => Ok((lent, turn)),
            None => self.borrow_slowly(Some(turn), waiting),
        }
    }

    /// Nothing is there, or not just a message; or the turn was not to be had as it should be.
    #[cold]
    fn borrow_slowly<'a>(
        &'a self,
        turn: Option<Turn<'a>>,
        waiting: &Waiting,
    ) -> Result<(Lent, Turn<'a>), Trouble> {
        let mut operation = Operation::new(self);
        operation.check()?;
        let (_, queue) = self.incoming();
        let queue = &queue;
        let turn = self.enter_read_turn(turn, queue, &mut operation, waiting)?;
        let mut patience = Patience::default();
        loop {
            let over = self.is_peer_over();
            let mark = queue.written_mark();
            let mut reader = queue.reader(&self.tail)?;
            match reader.borrow(|row| over || self.is_dead(row))? {
                Borrow::Lent(lent) => return Ok((lent, turn)),
                Borrow::Recover { .. } => {
                    self.recover_writer(queue, &mut operation)?;
                    patience.spend(&operation, waiting.deadline)?;
                    turn.protect();
                    continue;
                }
                Borrow::Empty => {}
            }
            if reader.publish() {
                self.ring_space();
            }
            if over {
                return Err(Trouble::PeerClosed);
            }
            let lines = if self.for_data.is_streaming() { [None; 2] } else { queue.next_ends(&self.tail) };
            let moved = || queue.has_come(mark, &lines);
            match self.pause(&mut operation, Reason::Data(0), waiting, &[], moved) {
                Ok(()) => {
                    queue.expect();
                    self.watch.no_burst();
                    self.await_writer(queue, mark, waiting.deadline, &mut operation)?;
                    turn.protect();
                    if let Some(lent) = queue.swift_reader(&self.tail).borrow_swiftly() {
                        return Ok((lent, turn));
                    }
                }
                Err(Trouble::WouldBlock) => {
                    self.look_after_peer(|| mark);
                    if !self.is_peer_over() {
                        return Err(Trouble::WouldBlock);
                    }
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// See [`Borrowed::consume`].
    #[inline]
    fn give_back(&self, kept: Kept, lent: Lent) -> Result<bool, Trouble> {
        let (control, queue) = self.incoming();
        let turn = Turn::resume(&control.read_turn, kept);
        let counts = consume(&queue, self, lent)?;
        self.ring_space_behind(turn);
        Ok(counts)
    }
}

#[inline]
fn consume(queue: &Queue<'_, Area>, end: &End, lent: Lent) -> Result<bool, Trouble> {
    let mut reader = queue.swift_reader(&end.tail);
    if reader.give_back_swiftly(&lent) {
        reader.publish();
        step("borrowed-consumed");
        return Ok(true);
    }
    consume_slowly(queue, end, lent)
}

fn consume_slowly(queue: &Queue<'_, Area>, end: &End, lent: Lent) -> Result<bool, Trouble> {
    let mut reader = queue.resume(&end.tail, &lent)?;
    let len = lent.len;
    let counts = reader.give_back(lent, len)?;
    reader.publish();
    step("borrowed-consumed");
    Ok(counts)
}
