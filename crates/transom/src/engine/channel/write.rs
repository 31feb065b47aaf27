//! Writing: take the turn, copy, publish, give the turn up, ring whom it concerns; and wait, if the quota says so.
//!
//! A write that waits has its data in the queue already (P35) and a *ticket* for its end. The turn is kept only by
//! writes that are longer than the room in the queue, until the last part is in.

use transom_core::code::Code;
use transom_core::ring::{
    Fit, Limit, Progress, Queue, Stream, Streamed, TailCache, Ticket, Withdrawal, Writer, Written,
};
use transom_sys::linux::fault::step;

use super::super::area::Area;
use super::super::spin::Spin;
use super::super::turn::Turn;
use super::{Deadline, End, NO_ROW, Operation, Patience, Reason, Trouble, Waiting};

/// Writes up to this length are not begun while they would have to wait, as long as looking is allowed: a write that
/// is complete at once costs less than one that waits. Longer ones are copied meanwhile.
const WORTH_WAITING: usize = 1024;

/// Longer writes of bytes are published in pieces of this length.
const PIECE: usize = 16 * 1024;

/// A write that has begun.
#[derive(Debug)]
#[must_use = "a write that waits is to be polled or cancelled"]
pub(crate) enum Begun {
    /// It is complete.
    Done(usize),
    /// All its data can be read already; it is complete when the quota says so.
    Waiting(PendingWrite),
    /// Nothing was done: there is no room now.
    NoRoom,
    /// Nothing was done: it is longer than the queue, and only [`End::write`] can do it.
    TooLarge,
}

/// A write that waits for its quota. It is to be polled to its end, or cancelled.
#[derive(Debug)]
pub(crate) struct PendingWrite {
    ticket: Option<Ticket>,
    len: usize,
}

impl End {
    /// WriteFile: waits as `waiting` says, until all is queued or read (P35).
    ///
    /// # Errors
    /// [`Trouble::PeerClosed`]: nobody will read it. [`Trouble::PeerClosedMeanwhile`]: as long as it waited.
    /// [`Trouble::WouldBlock`]: it does not fit, with [`Deadline::Now`]; nothing was written. The others as they are
    /// called; what was not read is taken back.
    pub(crate) fn write(&self, bytes: &[u8], waiting: &Waiting) -> Result<usize, Trouble> {
        match self.write_at_once(bytes) {
            Ok(()) => self.is_through(bytes.len()),
            Err(turn) => self.write_on(turn, bytes, waiting),
        }
    }

    /// As [`End::write`], all or nothing: 0 is nothing (P42).
    ///
    /// # Errors
    /// As [`End::write`].
    pub(crate) fn write_nowait(&self, bytes: &[u8]) -> Result<usize, Trouble> {
        let waiting = Waiting { deadline: Deadline::Now, ..Waiting::default() };
        match self.write(bytes, &waiting) {
            Err(Trouble::WouldBlock) => Ok(0),
            result => result,
        }
    }

    /// The usual case of [`End::write`]: the turn is free, and there is room. Otherwise nothing was done but that the
    /// turn was taken, if anything, and [`End::write_on`] goes on. Afterwards [`End::is_through`] has to be asked.
    #[inline]
    pub(crate) fn write_at_once(&self, bytes: &[u8]) -> Result<(), Option<Turn<'_>>> {
        if bytes.is_empty() || bytes.len() > PIECE {
            return Err(None);
        }
        let turn = self.try_write_turn()?;
        let (_, queue) = self.outgoing();
        let mut writer = queue.swift_writer(&self.head);
        if !writer.write_swiftly(bytes) {
            return Err(Some(turn));
        }
        self.finish_write(turn, writer, bytes.len());
        Ok(())
    }

    /// The write turn, if it is free, its last owner lives or left it in order, this end is in use and the other one
    /// too. Otherwise no turn, or one that is to be [entered](End::enter_write_turn).
    #[inline]
    pub(super) fn try_write_turn(&self) -> Result<Turn<'_>, Option<Turn<'_>>> {
        if self.is_ended() || self.is_peer_over() {
            return Err(None);
        }
        let turn = Turn::try_take(&self.outgoing().0.write_turn).ok_or(None)?;
        step("write-turn-taken");
        if turn.is_after_death() { Err(Some(turn)) } else { Ok(turn) }
    }

    /// The write turn, which may have been taken already, with what its last owner left in order if it died with it.
    #[cold]
    pub(super) fn enter_write_turn<'a>(
        &'a self,
        turn: Option<Turn<'a>>,
        queue: &Queue<'_, Area>,
        operation: &mut Operation<'a>,
        deadline: Deadline,
    ) -> Result<Turn<'a>, Trouble> {
        let turn = match turn {
            Some(turn) => turn,
            None => {
                let turn = self.take_turn(&self.outgoing().0.write_turn, operation, deadline)?;
                step("write-turn-taken");
                turn
            }
        };
        if turn.is_after_death() {
            self.recover_own_writer(queue)?;
            turn.protect();
        }
        Ok(turn)
    }

    /// The checks before a write; false if there is nothing to write.
    fn may_write(
        &self,
        operation: &Operation<'_>,
        queue: &Queue<'_, Area>,
        len: usize,
    ) -> Result<bool, Trouble> {
        operation.check()?;
        if self.is_peer_over() {
            return Err(Trouble::PeerClosed);
        }
        if len > 0 || queue.shape().is_message() {
            return Ok(true);
        }
        self.peer_lives(queue)?;
        Ok(false)
    }

    /// Looks after the peer, now and then.
    fn peer_lives(&self, queue: &Queue<'_, Area>) -> Result<(), Trouble> {
        self.look_after_reader(|| queue.consumed_mark());
        if self.is_peer_over() { Err(Trouble::PeerClosed) } else { Ok(()) }
    }

    /// The bytes of a write are in the queue and can be complete: publishes them.
    #[inline]
    fn finish_write(&self, turn: Turn<'_>, mut writer: Writer<'_, Area>, len: usize) {
        step("data-copied");
        self.ring_before();
        writer.publish();
        step("data-published");
        writer.claim(len);
        self.ring_data_behind(turn);
        self.sleepers.tell_pollers();
    }

    /// A write that waits for nothing is published, and the reader at work already: whether there is one left.
    #[inline]
    pub(crate) fn is_through(&self, len: usize) -> Result<usize, Trouble> {
        self.for_data.answered();
        self.look_after_reader(|| self.outgoing().1.consumed_mark());
        if self.was_killed() && !self.outgoing().1.is_drained()? {
            return Err(Trouble::PeerClosed);
        }
        Ok(len)
    }

    /// Goes on with a write that was not done at once, in its turn if it has that.
    #[cold]
    pub(crate) fn write_on<'a>(
        &'a self,
        turn: Option<Turn<'a>>,
        bytes: &[u8],
        waiting: &Waiting,
    ) -> Result<usize, Trouble> {
        let limit = if waiting.deadline == Deadline::Now { Limit::NoWait } else { Limit::Quota };
        self.write_within(limit, turn, bytes, waiting)
    }

    /// As [`End::write_on`], within this limit.
    #[cold]
    pub(super) fn write_within<'a>(
        &'a self,
        limit: Limit,
        turn: Option<Turn<'a>>,
        bytes: &[u8],
        waiting: &Waiting,
    ) -> Result<usize, Trouble> {
        let mut operation = Operation::new(self);
        let (_, queue) = self.outgoing();
        if turn.is_none() && !self.may_write(&operation, &queue, bytes.len())? {
            return Ok(0);
        }
        let turn = self.enter_write_turn(turn, &queue, &mut operation, waiting.deadline)?;
        let mut writer = queue.writer(&self.head)?;
        let may_look = limit == Limit::Quota && waiting.spin != Spin::Never;
        if bytes.len() <= WORTH_WAITING && may_look && !self.is_in_peers_way() {
            self.for_space.keep_from_full(writer.unread_as_seen() / (bytes.len() as u64).max(1));
        }
        let complete = if bytes.len() > PIECE && !self.is_shared() && !self.is_in_peers_way() {
            self.write_pieces(&mut writer, bytes)?
        } else {
            matches!(writer.write(bytes, Limit::NoWait, NO_ROW)?, Written::Done)
        };
        if complete {
            self.finish_write(turn, writer, bytes.len());
            return self.is_through(bytes.len());
        }
        self.peer_lives(&queue)?;
        let result = self.write_slowly(&turn, &mut writer, &queue, bytes, limit, waiting, &mut operation);
        drop(turn);
        self.sleepers.tell_pollers();
        match result {
            Ok(Then::Done) => {
                self.ring_data();
                Ok(bytes.len())
            }
            Ok(Then::Wait(ticket)) => {
                self.ring_data();
                self.wait_for_ticket(ticket, bytes.len(), waiting, &mut operation)
            }
            Err(trouble) => {
                // It may have been half written.
                self.pass_withdrawn();
                Err(trouble)
            }
        }
    }

    /// A long write that completes at once; false if it does not. Where bytes have no borders the reader, if it is on
    /// another processor, takes the first while the last are copied.
    fn write_pieces(&self, writer: &mut Writer<'_, Area>, bytes: &[u8]) -> Result<bool, Trouble> {
        if writer.write_pieces(bytes, PIECE, || {
            step("piece-published");
            self.ring_data();
        })? {
            return Ok(true);
        }
        Ok(matches!(writer.write(bytes, Limit::NoWait, NO_ROW)?, Written::Done))
    }

    /// The row to note in a slot, if the write may need one.
    #[cold]
    fn row_for(&self, writer: &mut Writer<'_, Area>, len: usize, limit: Limit) -> Result<u32, Trouble> {
        if let Some(row) = self.segment.known_row() {
            return Ok(row);
        }
        Ok(match writer.fit(len, limit)? {
            Fit::Completes => NO_ROW,
            // Without one, death is only seen at the bell.
            _ => self.segment.row().unwrap_or(NO_ROW),
        })
    }

    /// Looks for a moment whether there will be room, before the write is begun.
    #[inline]
    fn spin_for_room(&self, writer: &mut Writer<'_, Area>, len: usize) -> Result<(), Trouble> {
        if matches!(writer.fit(len, Limit::Quota)?, Fit::Completes) || self.is_in_peers_way() {
            return Ok(());
        }
        // There is much to read, so nothing is lost by looking seldom; and each look takes the reader's cache line.
        self.for_space.spin_seldom(|| {
            !matches!(writer.fit(len, Limit::Quota), Ok(Fit::Waits | Fit::Streams))
                || self.is_peer_over()
                || self.is_closed()
        });
        Ok(())
    }

    /// A write that is not complete at once, in its turn.
    #[cold]
    #[allow(clippy::too_many_arguments)] // It is one place's state, taken out of the fast path.
    fn write_slowly<'a>(
        &'a self,
        turn: &Turn<'_>,
        writer: &mut Writer<'_, Area>,
        queue: &Queue<'_, Area>,
        bytes: &[u8],
        limit: Limit,
        waiting: &Waiting,
        operation: &mut Operation<'a>,
    ) -> Result<Then, Trouble> {
        if limit == Limit::Quota && bytes.len() <= WORTH_WAITING && waiting.spin != Spin::Never {
            self.spin_for_room(writer, bytes.len())?;
        }
        let mut patience = Patience::default();
        loop {
            let over = self.is_peer_over();
            let mark = queue.consumed_mark();
            let row = self.row_for(writer, bytes.len(), limit)?;
            self.ring_before();
            let written = writer.write(bytes, limit, row)?;
            match written {
                Written::Done => {
                    writer.publish();
                    step("data-published");
                    return Ok(Then::Done);
                }
                Written::Waiting(ticket) => {
                    step("slot-taken");
                    return Ok(Then::Wait(ticket));
                }
                Written::Streaming(stream) => {
                    step("streaming");
                    let ticket = self.stream(writer, stream, queue, bytes, waiting, operation)?;
                    if limit == Limit::Physical {
                        queue.complete(ticket);
                        return Ok(Then::Done);
                    }
                    return Ok(Then::Wait(ticket));
                }
                Written::Refused => return Err(Trouble::WouldBlock),
                Written::TooLong => return Err(Trouble::Code(Code::INVALID_PARAMETER)),
                Written::NoSpace | Written::NoSlot => {
                    if matches!(written, Written::NoSlot) && self.sweep(queue) {
                        self.pass_withdrawn();
                        turn.protect();
                        let deadline = if limit == Limit::NoWait { Deadline::Now } else { waiting.deadline };
                        patience.spend(operation, deadline)?;
                        continue;
                    }
                    if over {
                        return Err(Trouble::PeerClosedMeanwhile);
                    }
                    if limit == Limit::NoWait {
                        return Err(Trouble::WouldBlock);
                    }
                    self.pause(operation, Reason::Space, waiting, &[], || queue.consumed_mark() != mark)?;
                }
            }
        }
    }

    /// Takes back what dead processes left waiting; whether there was any.
    pub(super) fn sweep(&self, queue: &Queue<'_, Area>) -> bool {
        // A dead streamer cannot be there: this thread has the turn, and put that in order when it got it.
        queue.sweep(|row| self.is_dead(row)).withdrawn > 0
    }

    /// Copies part by part what is longer than the room, with the turn.
    fn stream<'a>(
        &'a self,
        writer: &mut Writer<'_, Area>,
        mut stream: Stream,
        queue: &Queue<'_, Area>,
        bytes: &[u8],
        waiting: &Waiting,
        operation: &mut Operation<'a>,
    ) -> Result<Ticket, Trouble> {
        self.ring_data();
        loop {
            let over = self.is_peer_over();
            let mark = queue.consumed_mark();
            self.ring_before();
            match writer.stream(&mut stream, &[bytes])? {
                Streamed::Through(ticket) => {
                    step("streamed");
                    return Ok(ticket);
                }
                Streamed::Blocked { progressed } => {
                    if progressed {
                        step("part-published");
                        self.ring_data();
                    }
                    let trouble = if over {
                        Err(Trouble::PeerClosedMeanwhile)
                    } else if progressed {
                        Ok(())
                    } else {
                        self.pause(operation, Reason::Space, waiting, &[], || queue.consumed_mark() != mark)
                    };
                    if let Err(trouble) = trouble {
                        return match writer.abandon(stream)? {
                            Withdrawal::Withdrawn | Withdrawal::TooLate => {
                                step("stream-abandoned");
                                Err(trouble)
                            }
                        };
                    }
                }
            }
        }
    }

    /// Waits until a write is complete.
    #[cold]
    pub(super) fn wait_for_ticket<'a>(
        &'a self,
        ticket: Ticket,
        len: usize,
        waiting: &Waiting,
        operation: &mut Operation<'a>,
    ) -> Result<usize, Trouble> {
        let (_, queue) = self.outgoing();
        let mut found = None;
        loop {
            let over = self.is_peer_over();
            match found.take().map_or_else(|| queue.poll(&ticket), Ok)? {
                Progress::Done => return Ok(len),
                Progress::Withdrawn => return Err(Trouble::Corrupt),
                Progress::Waiting => {}
            }
            let paused = if over {
                Err(Trouble::PeerClosedMeanwhile)
            } else {
                // The poll that finds the end frees the slot, so what it found is kept.
                self.pause(operation, Reason::Space, waiting, &[], || {
                    if found.is_none() {
                        found = match queue.poll(&ticket) {
                            Ok(Progress::Waiting) => None,
                            Ok(progress) => Some(progress),
                            Err(_) => Some(Progress::Withdrawn),
                        };
                    }
                    found.is_some()
                })
            };
            if matches!(found, Some(Progress::Done)) {
                return Ok(len);
            }
            if let Err(trouble) = paused {
                return self.take_back(ticket, len, trouble);
            }
        }
    }

    /// Ends the wait of a write for `trouble`; it may have succeeded meanwhile.
    fn take_back(&self, ticket: Ticket, len: usize, trouble: Trouble) -> Result<usize, Trouble> {
        if trouble == Trouble::PeerClosedMeanwhile {
            // Nobody reads any more. So it stays, and who flushes sees that it was not read.
            return Err(trouble);
        }
        match self.outgoing().1.withdraw(ticket) {
            Withdrawal::TooLate => Ok(len),
            Withdrawal::Withdrawn => {
                step("write-withdrawn");
                self.pass_withdrawn();
                Err(trouble)
            }
        }
    }

    /// A write was withdrawn: its room is free again as soon as the head has passed it. That is the reader's work if
    /// there is one just now, and this thread's if not; it has no turn.
    #[cold]
    fn pass_withdrawn(&self) {
        self.ring_data();
        let (control, queue) = self.outgoing();
        if let Some(turn) = Turn::try_take(&control.read_turn) {
            step("passing-withdrawn");
            let recovered = !turn.is_after_death() || queue.recover_reader().is_ok();
            if let (true, Ok(mut reader)) = (recovered, queue.reader(&TailCache::new())) {
                // Nonsense shows at the next write.
                let _ = reader.skip();
            }
        }
        self.wake_own_writers();
    }

    /// The queue got shorter by something that the peer did not do: whoever of this end waits for that looks.
    fn wake_own_writers(&self) {
        use std::sync::atomic::Ordering;
        let asleep = &self.outgoing().0.asleep_space;
        if asleep.load(Ordering::SeqCst) > 0 {
            if self.is_shared() {
                let count = asleep.swap(0, Ordering::SeqCst);
                self.sleepers.ring_own(count);
            }
            self.sleepers.wake_own();
        }
    }

    /// A writer of this end died with the turn. It may also not have come to ringing.
    #[cold]
    pub(super) fn recover_own_writer(&self, queue: &Queue<'_, Area>) -> Result<(), Trouble> {
        step("recovering-own-writer");
        queue.recover_writer()?;
        self.outgoing().0.asleep_data.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.ring_data();
        Ok(())
    }

    /// Begins a write that its caller does not wait for. It never sleeps.
    ///
    /// # Errors
    /// As [`End::write`].
    pub(crate) fn begin_write(&self, bytes: &[u8]) -> Result<Begun, Trouble> {
        let mut operation = Operation::new(self);
        let (_, queue) = self.outgoing();
        if !self.may_write(&operation, &queue, bytes.len())? {
            return Ok(Begun::Done(0));
        }
        self.peer_lives(&queue)?;
        let turn = match self.enter_write_turn(None, &queue, &mut operation, Deadline::Now) {
            Err(Trouble::WouldBlock) => return Ok(Begun::NoRoom),
            turn => turn?,
        };
        let mut writer = queue.writer(&self.head)?;
        if matches!(writer.fit(bytes.len(), Limit::Quota)?, Fit::Streams) {
            let fits_ever = bytes.len().saturating_add(16) as u64 <= queue.shape().capacity();
            return Ok(if fits_ever { Begun::NoRoom } else { Begun::TooLarge });
        }
        let row = self.row_for(&mut writer, bytes.len(), Limit::Quota)?;
        self.ring_before();
        let mut withdrawn = false;
        let begun = match writer.write(bytes, Limit::Quota, row)? {
            Written::Done => {
                writer.publish();
                Begun::Done(bytes.len())
            }
            Written::Waiting(ticket) => {
                Begun::Waiting(PendingWrite { ticket: Some(ticket), len: bytes.len() })
            }
            Written::Streaming(stream) => {
                // Not after the look above, with the turn; and nobody is to see half of it.
                withdrawn = writer.abandon(stream).is_ok();
                Begun::NoRoom
            }
            Written::TooLong => Begun::TooLarge,
            Written::NoSlot if self.sweep(&queue) => Begun::NoRoom,
            Written::NoSlot | Written::NoSpace | Written::Refused => Begun::NoRoom,
        };
        drop(turn);
        self.ring_data();
        if withdrawn {
            self.pass_withdrawn();
        }
        Ok(begun)
    }

    /// FlushFileBuffers: waits until everything written was read (P40). At once if the peer's end is closed.
    ///
    /// # Errors
    /// [`Trouble::PeerClosedMeanwhile`]: its end was closed while this waited. The others as they are called.
    pub(crate) fn flush(&self, waiting: &Waiting) -> Result<(), Trouble> {
        let mut operation = Operation::new(self);
        operation.check()?;
        let (_, queue) = self.outgoing();
        if self.is_listening() || self.peer_is_gone() {
            return Ok(());
        }
        loop {
            let over = self.is_peer_over();
            if self.is_flushed()? {
                return Ok(());
            }
            if over {
                return Err(Trouble::PeerClosedMeanwhile);
            }
            let drained = || queue.is_drained().unwrap_or(true);
            self.pause(&mut operation, Reason::Space, waiting, &[], drained)?;
        }
    }

    /// Whether everything written was read.
    ///
    /// # Errors
    /// [`Trouble::Corrupt`].
    pub(crate) fn is_flushed(&self) -> Result<bool, Trouble> {
        let (_, queue) = self.outgoing();
        if queue.is_drained()? {
            return Ok(true);
        }
        // What is left may be a dead process's, which nobody reads any more.
        Ok(self.sweep(&queue) && queue.is_drained()?)
    }
}

impl PendingWrite {
    /// How many bytes were written, once the write is complete.
    ///
    /// # Errors
    /// As [`End::write`]; it is over then.
    pub(crate) fn poll(&mut self, end: &End) -> Result<Option<usize>, Trouble> {
        let Some(ticket) = &self.ticket else { return Ok(Some(self.len)) };
        let over = end.peer_is_gone();
        match end.outgoing().1.poll(ticket)? {
            Progress::Done => {
                self.ticket = None;
                return Ok(Some(self.len));
            }
            Progress::Withdrawn => {
                self.ticket = None;
                return Err(Trouble::Corrupt);
            }
            Progress::Waiting => {}
        }
        let cancels = end.cancels.load(std::sync::atomic::Ordering::SeqCst);
        let trouble = end.interruption(cancels).or(over.then_some(Trouble::PeerClosedMeanwhile));
        match (trouble, self.ticket.take()) {
            (Some(trouble), Some(ticket)) => end.take_back(ticket, self.len, trouble).map(Some),
            (_, ticket) => {
                self.ticket = ticket;
                Ok(None)
            }
        }
    }

    /// Takes the write back (P38); false if it is complete.
    pub(crate) fn cancel(mut self, end: &End) -> bool {
        match self.ticket.take() {
            Some(ticket) => end.take_back(ticket, self.len, Trouble::Cancelled).is_err(),
            None => false,
        }
    }
}

/// How a write goes on when it has given the turn up.
enum Then {
    Done,
    Wait(Ticket),
}
