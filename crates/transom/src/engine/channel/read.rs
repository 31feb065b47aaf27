//! Reading: take the turn, copy, publish, ring whom it concerns.
//!
//! A reader that waits for data keeps the turn, so that readers are served in order of arrival (P52); who must not
//! wait and finds the turn taken sees an empty queue as empty.

use std::cell::Cell;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;

use transom_core::ring::{self, Early, Mode, Queue, Read, Reader};
use transom_sys::linux::fault::step;
use transom_sys::linux::{futex, process};

use super::super::area::Area;
use super::super::turn::{self, Go, Turn};
use super::{A_MOMENT, Deadline, End, Operation, Patience, Reason, Trouble, Waiting};

/// So many bytes are read at a time.
pub(super) const PART: usize = 64 << 10;

/// How a read sees messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadMode {
    /// As a stream of bytes.
    Byte,
    /// At most one at a time.
    Message,
}

impl From<ReadMode> for Mode {
    #[inline]
    fn from(mode: ReadMode) -> Mode {
        match mode {
            ReadMode::Byte => Mode::Bytes,
            ReadMode::Message => Mode::Message,
        }
    }
}

/// What a read took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) len: usize,
    /// False: the rest of the message is still there (234).
    pub(crate) complete: bool,
}

/// What a peek saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Peeked {
    pub(crate) copied: usize,
    /// All unread bytes.
    pub(crate) available: u64,
    /// Bytes of the first message that were not copied.
    pub(crate) left: u64,
}

impl End {
    /// ReadFile: waits for data as `waiting` says.
    ///
    /// # Errors
    /// [`Trouble::PeerClosed`]: nothing is left, and nobody will write any more. [`Trouble::WouldBlock`]: nothing is
    /// there, with [`Deadline::Now`]. The others as they are called.
    pub(crate) fn read(
        &self,
        buffer: &mut [u8],
        mode: ReadMode,
        waiting: &Waiting,
    ) -> Result<Message, Trouble> {
        match self.read_at_once(buffer, mode, || waiting.may_pause()) {
            Ok(len) => Ok(Message { len, complete: true }),
            Err(turn) => self.read_on(turn, buffer, mode, waiting),
        }
    }

    /// The usual case of [`End::read`]: the turn is free, and what is wanted is there, complete. Otherwise nothing was
    /// taken but the turn, if anything, and [`End::read_on`] goes on. `may_pause`: see [`Waiting::may_pause`].
    #[inline]
    pub(crate) fn read_at_once(
        &self,
        buffer: &mut [u8],
        mode: ReadMode,
        may_pause: impl FnOnce() -> bool,
    ) -> Result<usize, Option<Turn<'_>>> {
        let turn = self.try_read_turn()?;
        let (_, queue) = self.incoming();
        let reader = self.stream_reader(&queue, may_pause);
        match self.read_swiftly(reader, buffer, mode, &Early::default()) {
            Some((len, published)) => {
                if published {
                    self.ring_space_behind(turn);
                }
                Ok(len)
            }
            None => Err(Some(turn)),
        }
    }

    /// Goes on with a read that was not done at once, in its turn if it has that.
    #[cold]
    pub(crate) fn read_on<'a>(
        &'a self,
        turn: Option<Turn<'a>>,
        buffer: &mut [u8],
        mode: ReadMode,
        waiting: &Waiting,
    ) -> Result<Message, Trouble> {
        let mut operation = Operation::new(self);
        operation.check()?;
        let (_, queue) = self.incoming();
        let looked = turn.as_ref().is_some_and(|turn| !turn.is_after_death());
        let turn = self.enter_read_turn(turn, &queue, &mut operation, waiting)?;
        let mut consumed = false;
        let read =
            self.read_in_turn(&turn, &queue, buffer, mode, looked, waiting, &mut operation, &mut consumed);
        if consumed {
            self.ring_space_behind(turn);
        }
        read
    }

    /// A reader of this end died with the turn. It may also not have come to ringing.
    #[cold]
    pub(super) fn recover_own_reader(&self, queue: &Queue<'_, Area>) -> Result<(), Trouble> {
        step("recovering-own-reader");
        queue.recover_reader()?;
        self.incoming().0.asleep_space.fetch_add(1, Ordering::SeqCst);
        self.ring_space();
        Ok(())
    }

    /// As [`End::read`], for what is there now; `None` if nothing is.
    ///
    /// # Errors
    /// As [`End::read`], but for [`Trouble::WouldBlock`].
    pub(crate) fn try_read(&self, buffer: &mut [u8], mode: ReadMode) -> Result<Option<Message>, Trouble> {
        let waiting = Waiting { deadline: Deadline::Now, ..Waiting::default() };
        match self.read(buffer, mode, &waiting) {
            Err(Trouble::WouldBlock) => Ok(None),
            result => result.map(Some),
        }
    }

    /// The read turn, if it is free, its last owner lives or left it in order, and this end is in use. Otherwise no
    /// turn, or one that is to be [entered](End::enter_read_turn).
    #[inline]
    pub(super) fn try_read_turn(&self) -> Result<Turn<'_>, Option<Turn<'_>>> {
        if self.is_ended() {
            return Err(None);
        }
        let turn = Turn::try_take(&self.incoming().0.read_turn).ok_or(None)?;
        step("read-turn-taken");
        if turn.is_after_death() { Err(Some(turn)) } else { Ok(turn) }
    }

    /// The read turn, which may have been taken already, with what its last owner left in order if it died with it.
    #[cold]
    pub(super) fn enter_read_turn<'a>(
        &'a self,
        turn: Option<Turn<'a>>,
        queue: &Queue<'_, Area>,
        operation: &mut Operation<'a>,
        waiting: &Waiting,
    ) -> Result<Turn<'a>, Trouble> {
        let turn = match turn {
            Some(turn) => turn,
            None => self.wait_read_turn(queue, operation, waiting)?,
        };
        if turn.is_after_death() {
            self.recover_own_reader(queue)?;
        }
        Ok(turn)
    }

    fn wait_read_turn<'a>(
        &'a self,
        queue: &Queue<'_, Area>,
        operation: &mut Operation<'a>,
        waiting: &Waiting,
    ) -> Result<Turn<'a>, Trouble> {
        let turn = if waiting.deadline == Deadline::Now {
            self.take_turn_if_not_empty(queue, operation)?
        } else {
            self.wait_turn(&self.incoming().0.read_turn, operation, waiting.deadline)?
        };
        step("read-turn-taken");
        Ok(turn)
    }

    /// The read turn, for who must not wait: whoever has it waits for data itself if there are none.
    #[cold]
    fn take_turn_if_not_empty<'a>(
        &'a self,
        queue: &Queue<'_, Area>,
        operation: &mut Operation<'a>,
    ) -> Result<Turn<'a>, Trouble> {
        let begun = futex::now();
        while !queue.is_drained()? {
            if futex::now() > begun + 100 * A_MOMENT {
                break;
            }
            match self.wait_turn(&self.incoming().0.read_turn, operation, Deadline::Now) {
                Err(Trouble::WouldBlock) => {}
                result => return result,
            }
        }
        if self.peer_is_gone() { Err(Trouble::PeerClosed) } else { Err(Trouble::WouldBlock) }
    }

    /// Reads what is there, if that is the usual: how much it was, and whether the writer is to be rung.
    #[inline]
    fn read_swiftly(
        &self,
        mut reader: Reader<'_, Area>,
        buffer: &mut [u8],
        mode: ReadMode,
        early: &Early,
    ) -> Option<(usize, bool)> {
        let len = reader.read_swiftly(buffer, mode.into(), early)?;
        step("data-read");
        let published = reader.publish();
        if published {
            step("read-published");
        }
        Some((len, published))
    }

    /// `looked`: the usual has just been tried. `consumed`: whether the writer is to be rung afterwards.
    #[allow(clippy::too_many_arguments)] // It is one place's state.
    fn read_in_turn<'a>(
        &'a self,
        turn: &Turn<'_>,
        queue: &Queue<'_, Area>,
        buffer: &mut [u8],
        mode: ReadMode,
        mut looked: bool,
        waiting: &Waiting,
        operation: &mut Operation<'a>,
        consumed: &mut bool,
    ) -> Result<Message, Trouble> {
        let mut waits = Waits { taken: 0, in_hand: false, suspect: Cell::new(None) };
        // Most reads find something; only who waits needs the writer's mark, whose cache line the writer wants too.
        let mut in_vain = false;
        let mut early = Early::default();
        let mut patience = Patience::default();
        loop {
            let begins = waits.taken == 0 && !waits.in_hand;
            if begins
                && !looked
                && let Some((len, published)) =
                    self.read_swiftly(queue.swift_reader(&self.tail), buffer, mode, &early)
            {
                *consumed = published;
                return Ok(Message { len, complete: true });
            }
            looked = false;
            early = Early::default();
            let (mark, over) = if begins && self.gives_way_at_once(queue) {
                (self.tail.mark(), false)
            } else {
                // Before the look at the queue: what was written before the end is found after it.
                let over = self.is_peer_over();
                let mark = if in_vain { queue.written_mark() } else { 0 };
                match self.read_closely(queue, buffer, mode.into(), over, &mut waits, consumed)? {
                    Read::Got { len, complete } => return Ok(Message { len, complete }),
                    Read::Empty => waits.taken = 0,
                    Read::Part { taken } => waits.taken = taken,
                    Read::Recover { .. } => {
                        let recovered = self.recover_writer(queue, operation);
                        if let Err(trouble) =
                            recovered.and_then(|()| patience.spend(operation, waiting.deadline))
                        {
                            self.end_part(queue, &waits);
                            return Err(trouble);
                        }
                        turn.protect();
                        waits.taken = 0;
                        continue;
                    }
                }
                if !in_vain {
                    in_vain = true;
                    continue;
                }
                (mark, over)
            };
            early = self.tail.early();
            let copies = (waits.taken == 0 && mode == ReadMode::Message).then_some(&mut early);
            if let Some(result) =
                self.wait_for_data(queue, mark, over, buffer, copies, &waits, waiting, operation)
            {
                self.end_part(queue, &waits);
                return result;
            }
            turn.protect();
        }
    }

    /// Nothing is there, and whoever could write needs this processor: then a closer look would only keep it waiting.
    /// Elsewhere the writer has the time of that look, in which nobody takes its cache lines away.
    #[inline]
    fn gives_way_at_once(&self, queue: &Queue<'_, Area>) -> bool {
        // What comes after these looks is seen by who waits.
        self.is_in_peers_way() && queue.is_empty(&self.tail) && !self.is_peer_over()
    }

    /// Reads what is there, of whatever kind, and publishes that.
    fn read_closely(
        &self,
        queue: &Queue<'_, Area>,
        buffer: &mut [u8],
        mode: Mode,
        over: bool,
        waits: &mut Waits,
        consumed: &mut bool,
    ) -> Result<Read, Trouble> {
        let mut reader = queue.reader(&self.tail)?;
        let dead = |row: u32| {
            waits.suspect.set(Some(row));
            over || self.is_dead(row)
        };
        let read = if queue.shape().is_message() {
            reader.read(buffer, waits.taken, mode, dead)?
        } else {
            self.read_parts(&mut reader, buffer, dead)?
        };
        if !matches!(read, Read::Empty) {
            step("data-read");
        }
        if let Read::Part { taken: 1.. } = read {
            // If this process dies before it has the rest, nobody else gets that.
            reader.begin_part();
            waits.in_hand = true;
        }
        if reader.publish() {
            step("read-published");
            match read {
                Read::Got { .. } => *consumed = true,
                _ => self.ring_space(),
            }
        }
        if matches!(read, Read::Got { .. }) {
            self.end_part(queue, waits);
        }
        Ok(read)
    }

    /// Reads bytes. Of many the first are given back while the others are read, for the sake of a writer that waits for
    /// room: killed in between, this process takes them with it as if its read had ended there.
    fn read_parts(
        &self,
        reader: &mut Reader<'_, Area>,
        buffer: &mut [u8],
        mut dead: impl FnMut(u32) -> bool,
    ) -> Result<Read, Trouble> {
        let mut len = 0;
        loop {
            let end = buffer.len().min(len + PART);
            match reader.read(&mut buffer[len..end], 0, Mode::Bytes, &mut dead) {
                Ok(Read::Got { len: got, .. }) => len += got,
                // Whatever that is, the next read finds it.
                _ if len > 0 => break,
                read => return Ok(read?),
            }
            if len < end || len == buffer.len() {
                break;
            }
            if reader.publish() {
                step("part-read");
                self.ring_space();
            }
        }
        Ok(Read::Got { len, complete: true })
    }

    /// The read is over, whatever it has.
    fn end_part(&self, queue: &Queue<'_, Area>, waits: &Waits) {
        if waits.in_hand {
            queue.swift_reader(&self.tail).end_part();
        }
    }

    /// Begins to read. Before the look at the line of a writer who writes without end it lets some writes come
    /// together.
    #[inline]
    pub(super) fn stream_reader<'a>(
        &'a self,
        queue: &Queue<'a, Area>,
        may_pause: impl FnOnce() -> bool,
    ) -> Reader<'a, Area> {
        let reader = queue.swift_reader(&self.tail);
        if reader.is_caught_up() && may_pause() && self.for_data.is_stream() && !self.is_in_peers_way() {
            self.for_data.keep_away(self.tail.mark(), || queue.written_mark());
        }
        reader
    }

    /// Nothing, or not all, is there: waits for more. A result ends the read.
    #[cold]
    #[allow(clippy::too_many_arguments)] // It is one place's state, taken out of the fast path.
    fn wait_for_data<'a>(
        &'a self,
        queue: &Queue<'_, Area>,
        mark: u64,
        over: bool,
        buffer: &mut [u8],
        mut early: Option<&mut Early>,
        waits: &Waits,
        waiting: &Waiting,
        operation: &mut Operation<'a>,
    ) -> Option<Result<Message, Trouble>> {
        let partly = || Ok(Message { len: waits.taken, complete: false });
        if over {
            return Some(if waits.taken > 0 { partly() } else { Err(Trouble::PeerClosed) });
        }
        let demand = if waits.taken > 0 { 0 } else { buffer.len() };
        let watched = if waits.taken > 0 { self.streamer(waits.suspect.get()) } else { None };
        let others = watched.as_ref().map(OwnedFd::as_fd);
        let lines = if self.for_data.is_streaming() { [None; 2] } else { queue.next_lines(&self.tail) };
        let ready = || {
            if let Some(early) = &mut early {
                queue.read_early(early, buffer);
            }
            queue.has_come(mark, &lines)
        };
        match self.pause(operation, Reason::Data(demand), waiting, others.as_slice(), ready) {
            Ok(()) => {
                queue.expect();
                self.watch.no_burst();
                self.await_writer(queue, mark, waiting.deadline, operation).err().map(Err)
            }
            Err(_) if waits.taken > 0 => Some(partly()),
            Err(Trouble::WouldBlock) => {
                // The killed close nothing; a look now and then is enough (see `look_after_peer`).
                self.look_after_peer(|| mark);
                if self.is_peer_over() { None } else { Some(Err(Trouble::WouldBlock)) }
            }
            Err(trouble) => Some(Err(trouble)),
        }
    }

    /// The process whose rest of a message is waited for, if its death would not show at the bell because others have
    /// its end too.
    fn streamer(&self, row: Option<u32>) -> Option<OwnedFd> {
        let shared = self.holders_of_peer().load(Ordering::Relaxed) > 1;
        match row {
            Some(row) if shared => process::open(self.segment.holder(row)).ok(),
            _ => None,
        }
    }

    /// A writer whose end other processes have too rings before it publishes, with the turn (see
    /// [`End::ring_before`]): who is woken and finds nothing waits until it has published or given the turn up, or is
    /// dead and the kernel has done that.
    #[cold]
    pub(super) fn await_writer(
        &self,
        queue: &Queue<'_, Area>,
        mark: u64,
        deadline: Deadline,
        operation: &mut Operation<'_>,
    ) -> Result<(), Trouble> {
        if self.holders_of_peer().load(Ordering::Relaxed) <= 1 {
            return Ok(());
        }
        let word = &self.incoming().0.write_turn;
        let mut slice = A_MOMENT / 8;
        while queue.written_mark() == mark && turn::is_taken(word) {
            operation.check()?;
            let now = futex::now();
            if matches!(deadline, Deadline::At(at) if now >= at) {
                return Ok(());
            }
            // It may also have a loan, or write more than there is room for: then it goes on without giving the turn up.
            let until = now + slice;
            slice = (slice * 2).min(20 * A_MOMENT);
            let go = || if queue.written_mark() == mark { Go::On(Some(until)) } else { Go::Stop };
            // With the turn: who writes next without having found the death trusts the mirror.
            if let Some(turn) = Turn::wait(word, go)
                && turn.is_after_death()
            {
                queue.recover_writer()?;
            }
        }
        Ok(())
    }

    /// Undoes what a writer left that died while it streamed.
    #[cold]
    pub(super) fn recover_writer(
        &self,
        queue: &Queue<'_, Area>,
        operation: &mut Operation<'_>,
    ) -> Result<(), Trouble> {
        let until = futex::now() + A_MOMENT;
        let mut ended = None;
        let turn = Turn::wait(&self.incoming().0.write_turn, || {
            ended = operation.check().err();
            if ended.is_some() { Go::Stop } else { Go::On(Some(until)) }
        });
        match (turn, ended) {
            // Whoever has it was told of the death, and does it.
            (None, None) => Ok(()),
            (None, Some(trouble)) => Err(trouble),
            (Some(_turn), _) => {
                step("recovering-writer");
                queue.recover_writer()?;
                Ok(())
            }
        }
    }

    /// PeekNamedPipe: copies without taking. Never waits.
    ///
    /// # Errors
    /// [`Trouble::PeerClosed`]: nothing is left, and nobody will write any more. [`Trouble::Disconnected`],
    /// [`Trouble::LocalClosed`], [`Trouble::Corrupt`].
    pub(crate) fn peek(&self, buffer: &mut [u8]) -> Result<Peeked, Trouble> {
        let mut operation = Operation::new(self);
        operation.check()?;
        let (control, queue) = self.incoming();
        let mut _turn = None;
        let mut patience = Patience::default();
        loop {
            let over = self.is_peer_over();
            let dead = |row: u32| over || self.is_dead(row);
            match queue.peek(buffer, dead)? {
                ring::Peeked::Seen(peek) => {
                    if peek.drained {
                        if over {
                            return Err(Trouble::PeerClosed);
                        }
                        self.look_after_peer(|| queue.written_mark());
                        if self.is_peer_over() {
                            continue;
                        }
                    }
                    return Ok(Peeked { copied: peek.copied, available: peek.available, left: peek.left });
                }
                ring::Peeked::Contended => {
                    // With the turn nobody else moves what it looks at; a hostile peer may.
                    patience.spend(&operation, Deadline::Now).map_err(corrupt)?;
                    _turn = self.take_turn(&control.read_turn, &mut operation, Deadline::Now).ok();
                    if _turn.as_ref().is_some_and(Turn::is_after_death) {
                        queue.recover_reader()?;
                    }
                }
                ring::Peeked::Recover { .. } => {
                    _turn = None;
                    self.recover_writer(&queue, &mut operation)?;
                    patience.spend(&operation, Deadline::Now).map_err(corrupt)?;
                }
            }
        }
    }

    /// The first half of TransactNamedPipe: one write, which does not wait for the quota (P64). The second is a read of
    /// one message.
    ///
    /// # Errors
    /// [`Trouble::Busy`]: there is unread data; nothing was written (P63). Otherwise as [`End::write`].
    pub(crate) fn send_request(&self, request: &[u8], waiting: &Waiting) -> Result<usize, Trouble> {
        Operation::new(self).check()?;
        if self.is_peer_over() {
            return Err(Trouble::PeerClosed);
        }
        if !self.incoming().1.is_drained()? {
            return Err(Trouble::Busy);
        }
        match self.write_at_once(request) {
            Ok(()) => self.is_through(request.len()),
            Err(turn) => self.write_within(ring::Limit::Physical, turn, request, waiting),
        }
    }
}

/// Never to come to an end is no answer of who must not wait.
fn corrupt(trouble: Trouble) -> Trouble {
    if trouble == Trouble::WouldBlock { Trouble::Corrupt } else { trouble }
}

/// What a read that waits knows.
struct Waits {
    /// Bytes taken of a message that is still being written.
    taken: usize,
    /// Such bytes were published as taken.
    in_hand: bool,
    /// The row of the process that writes it.
    suspect: Cell<Option<u32>>,
}
