//! The reading side, under the read turn.

use super::cursor::{Cursor, Spot};
use super::early::Early;
use super::slots::{self, FREE, PENDING, View, WITHDRAWN, become_state};
use super::{Corrupt, DATA, HEADER, Memory, Queue, padded};
use crate::sync::{AtomicU64, Ordering, TurnWord};

/// What a reading end remembers of the writer's side: stale means fewer data, and then it looks anew. One for
/// each end, direction and connection.
#[derive(Debug)]
pub struct TailCache {
    tail: AtomicU64,
    /// The writer's mark that came with it, or an earlier one.
    mark: TurnWord,
    /// Bytes of the ring that the last read took.
    last: TurnWord,
}

impl Default for TailCache {
    fn default() -> TailCache {
        TailCache::new()
    }
}

impl TailCache {
    /// Nothing is published yet.
    #[must_use]
    pub fn new() -> TailCache {
        TailCache { tail: AtomicU64::new(0), mark: TurnWord::new(0), last: TurnWord::new(0) }
    }

    /// As new. For an end whose connection is used again.
    pub fn reset(&self) {
        self.tail.store(0, Ordering::Relaxed);
        self.mark.store(0, Ordering::Relaxed);
    }

    /// The writer's mark at the last look, or an earlier one.
    #[must_use]
    #[inline]
    pub fn mark(&self) -> u64 {
        self.mark.load(Ordering::Relaxed)
    }

    /// For a reader that has found nothing: nothing of the message that comes next.
    #[must_use]
    pub fn early(&self) -> Early {
        Early::at(self.tail.load(Ordering::Relaxed).wrapping_add(HEADER))
    }

    #[inline]
    pub(super) fn note_last(&self, ring: u64) {
        self.last.store(ring, Ordering::Relaxed);
    }

    /// The writer's position at the last look, or an earlier one, and how many bytes of the ring the last read took.
    #[inline]
    pub(super) fn next(&self) -> (u64, u64) {
        (self.tail.load(Ordering::Relaxed), self.last.load(Ordering::Relaxed))
    }
}

/// So many bytes copied at once are much.
const MUCH: u64 = 4096;

/// `parted`: nothing to be said.
pub(super) const WHOLE: u32 = 0;
/// `parted`: a read has taken and published the beginning of the message, and not returned yet.
pub(super) const IN_HAND: u32 = 1;
/// `parted`: the beginning is lost, because the process that had taken it died. The rest is skipped.
pub(super) const LOST: u32 = 2;

/// How the reader's handle looks at messages. On a byte-type queue it does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Byte read mode: boundaries do not matter (P26).
    Bytes,
    /// Message read mode: at most one message (P27).
    Message,
}

/// What became of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Read {
    /// `len` bytes of the buffer are filled.
    Got {
        /// Bytes, those of earlier parts included.
        len: usize,
        /// False: the rest of the message stays in the queue (`ERROR_MORE_DATA`).
        complete: bool,
    },
    /// Nothing is there.
    Empty,
    /// The beginning of a message that is still being written: `taken` bytes of the buffer are filled, the
    /// rest comes later.
    Part {
        /// To be passed to the next call.
        taken: usize,
    },
    /// The process that streams the next write is dead: take the write turn and recover, then read anew.
    Recover {
        /// Its row in the table of holders.
        holder: u32,
    },
}

/// A session of the reading side. Made under the read turn and given up before it.
#[derive(Debug)]
pub struct Reader<'a, M> {
    pub(super) queue: Queue<'a, M>,
    pub(super) cache: &'a TailCache,
    mark: u64,
    pub(super) at: Cursor,
    /// Head and rest as last published: nothing else changes without one of them.
    published: (u64, u64),
    pub(super) tail: u64,
    /// Whether the caller knows of all that was published.
    told: bool,
}

impl<'a, M: Memory> Queue<'a, M> {
    /// Whether there is nothing to read and no write waits, as of the writer's mark that the cache has: nothing was
    /// published since. Under the read turn.
    #[inline]
    #[must_use]
    pub fn is_empty(&self, cache: &TailCache) -> bool {
        let (_, [head, _, rest]) = self.control.consumed_mirror.look();
        let seen = head == cache.tail.load(Ordering::Relaxed) && rest == 0;
        // The mask after the tail: see `Cursor::settle`.
        seen && self.written_mark() == cache.mark() && self.control.pending.load(Ordering::Acquire) == 0
    }

    /// Begins to read; under the read turn.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn reader(&self, cache: &'a TailCache) -> Result<Reader<'a, M>, Corrupt> {
        let mut reader = self.swift_reader(cache);
        reader.at.check(self)?;
        // Others who read from this end may have gone beyond what this process saw.
        if reader.at.ready(self, reader.tail).is_err() {
            reader.look()?;
        }
        Ok(reader)
    }

    /// As [`Queue::reader`], for [`Reader::read_swiftly`] and what may come behind it: nothing was looked at yet.
    #[inline]
    pub fn swift_reader(&self, cache: &'a TailCache) -> Reader<'a, M> {
        let (mark, [head, payload, rest]) = self.control.consumed_mirror.look();
        let rest = if self.shape.message { rest } else { 0 };
        let messages = self.control.messages_read.load(Ordering::Relaxed);
        let at = Cursor { head, payload, rest, messages };
        let tail = cache.tail.load(Ordering::Relaxed);
        Reader { queue: *self, cache, mark, at, published: (head, rest), tail, told: true }
    }
}

impl<M: Memory> Reader<'_, M> {
    /// Whether everything was read that this process knows of: the next read looks at the writer's line.
    #[inline]
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.at.head == self.tail
    }

    /// The usual case of [`Reader::read`], done at once: a message that is there in full and has room in the buffer, or
    /// bytes; and no write that waits. `None`: nothing was taken, begin anew with [`Queue::reader`]. `early`: what the
    /// buffer may have of the message already.
    ///
    /// It calls nothing that is given the session itself, which therefore need not lie in memory.
    #[inline]
    pub fn read_swiftly(&mut self, buffer: &mut [u8], mode: Mode, early: &Early) -> Option<usize> {
        let wanted = match (self.queue.shape.message, mode) {
            (false, _) => buffer.len() as u64,
            (true, Mode::Message) => 1,
            (true, Mode::Bytes) => return None,
        };
        self.look_swiftly(wanted)?;
        if self.queue.shape.message { self.read_whole(buffer, early) } else { self.read_ready(buffer) }
    }

    /// Looks where the writer is if fewer bytes are known of than are wanted. `None`: something makes no sense.
    #[inline]
    pub(super) fn look_swiftly(&mut self, wanted: u64) -> Option<()> {
        self.at.check(&self.queue).ok()?;
        if self.at.ready(&self.queue, self.tail).ok()? < wanted {
            let (mark, [tail, ..]) = self.queue.control.written.look().ok()?;
            self.at.ready(&self.queue, tail).ok()?;
            self.tail = tail;
            self.cache.tail.store(tail, Ordering::Relaxed);
            self.cache.mark.store(mark, Ordering::Relaxed);
        }
        Some(())
    }

    /// Reads once: bytes, or at most one message. `taken`: 0, or what [`Read::Part`] said, with the same
    /// buffer. `dead` is asked whether the process in a row of the table of holders is dead, only if the data
    /// at the head belong to a write that waits.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn read(
        &mut self,
        buffer: &mut [u8],
        taken: usize,
        mode: Mode,
        mut dead: impl FnMut(u32) -> bool,
    ) -> Result<Read, Corrupt> {
        if self.at.rest != 0
            && let Some(read) = self.skip_lost(&mut dead)?
        {
            return Ok(read);
        }
        match (self.queue.shape.message, mode) {
            (false, _) => self.read_stream(buffer, &mut dead),
            (true, Mode::Message) => self.read_message(buffer, taken, &mut dead),
            (true, Mode::Bytes) => self.read_across(buffer, &mut dead),
        }
    }

    /// Publishes what was taken, so that writers can go on. True: something was; then look whether one sleeps,
    /// behind a fence (invariant 9).
    #[inline]
    pub fn publish(&mut self) -> bool {
        let changed = (self.at.head, self.at.rest) != self.published;
        if changed {
            let words = [self.at.head, self.at.payload, self.at.rest];
            let control = self.queue.control;
            self.mark = control.consumed_mirror.publish(&control.consumed, self.mark, words);
            self.cache.note_last(self.at.head.wrapping_sub(self.published.0));
            control.messages_read.store(self.at.messages, Ordering::Relaxed);
            self.published = (self.at.head, self.at.rest);
        }
        if self.queue.control.pending.load(Ordering::Relaxed) != 0 {
            // After publishing: a slot freed before would show its data as good ones to who peeks.
            slots::tidy(self.queue.control, self.at.head, self.at.rest != 0);
        }
        !core::mem::replace(&mut self.told, true) || changed
    }

    /// The read has taken a part and goes on to wait for the rest: before what it took is published. Killed from now
    /// on until [`Reader::end_part`], it takes the beginning of the message with it.
    pub fn begin_part(&self) {
        self.queue.control.parted.store(IN_HAND, Ordering::Relaxed);
    }

    /// The read that had taken a part is over: what is left of its message, if anything, can be read.
    pub fn end_part(&self) {
        self.queue.control.parted.store(WHOLE, Ordering::SeqCst);
    }

    /// Inside a message: if that has lost its beginning, goes to its end. What a read gives that cannot get there, or
    /// `None`.
    #[cold]
    pub(super) fn skip_lost(&mut self, dead: &mut impl FnMut(u32) -> bool) -> Result<Option<Read>, Corrupt> {
        let control = self.queue.control;
        if control.parted.load(Ordering::Relaxed) != LOST {
            return Ok(None);
        }
        while self.at.rest != 0 {
            let head = self.at.head;
            let spot = self.settle(dead)?;
            if self.at.head != head {
                // It was withdrawn. This is settled before anything is published: the next message is whole.
                control.parted.store(WHOLE, Ordering::SeqCst);
                return Ok(None);
            }
            let cover = match spot {
                Spot::Run { cover, .. } => cover,
                Spot::Dead(holder) => return Ok(Some(Read::Recover { holder })),
                _ => return Ok(Some(Read::Empty)),
            };
            let n = self.ready_of_message()?;
            if n == 0 {
                return Ok(Some(Read::Empty));
            }
            self.advance(n, cover.filter(|_| n == self.at.rest))?;
        }
        // First its end is published: who dies between the two leaves no message to be taken for a lost one.
        self.told = !self.publish();
        control.parted.store(WHOLE, Ordering::SeqCst);
        Ok(None)
    }

    /// Goes past withdrawn writes at the head, so that their room is free again. For who withdrew one, if the
    /// read turn is free (otherwise its holder, rung, does the same).
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn skip(&mut self) -> Result<bool, Corrupt> {
        self.settle(&mut |_| false)?;
        Ok(self.publish())
    }

    /// Byte type.
    fn read_stream(
        &mut self,
        buffer: &mut [u8],
        dead: &mut impl FnMut(u32) -> bool,
    ) -> Result<Read, Corrupt> {
        let mut len = 0;
        loop {
            match self.settle(dead)? {
                Spot::Nothing if len == 0 => return Ok(Read::Empty),
                Spot::Dead(holder) if len == 0 => return Ok(Read::Recover { holder }),
                Spot::Run { len: run, cover } => {
                    let n = run.min((buffer.len() - len) as u64);
                    let end = len + n as usize;
                    self.queue.copy_out(self.at.head, &mut buffer[len..end]);
                    let last = cover.filter(|view| view.end() == self.at.head.wrapping_add(n));
                    if self.advance(n, last)? {
                        len = end;
                    }
                    if len == buffer.len() {
                        return Ok(Read::Got { len, complete: true });
                    }
                }
                _ => return Ok(Read::Got { len, complete: true }),
            }
        }
    }

    /// Bytes that are there and belong to no write that waits.
    #[inline]
    fn read_ready(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let mut len = 0;
        loop {
            let ready = self.tail.wrapping_sub(self.at.head);
            // The mask after the tail: see `Cursor::settle`.
            if ready == 0 || self.queue.control.pending.load(Ordering::Acquire) != 0 {
                return (len > 0).then_some(len);
            }
            let n = ready.min((buffer.len() - len) as u64);
            let end = len + n as usize;
            self.queue.copy_out(self.at.head, &mut buffer[len..end]);
            self.at.head = self.at.head.wrapping_add(n);
            self.at.payload = self.at.payload.wrapping_add(n);
            len = end;
            // While much is copied, more of it may have come: long writes come in pieces.
            if n < MUCH || len == buffer.len() || self.look_swiftly(1).is_none() {
                return Some(len);
            }
        }
    }

    /// A message that is there in full, has room in the buffer and belongs to no write that waits.
    #[inline]
    fn read_whole(&mut self, buffer: &mut [u8], early: &Early) -> Option<usize> {
        let length = self.whole_message().filter(|length| *length <= buffer.len() as u64)?;
        let start = self.at.head.wrapping_add(HEADER);
        let message = &mut buffer[..length as usize];
        let have = if early.is_empty() { 0 } else { self.queue.have_early(early, start, message.len()) };
        self.queue.copy_out(start.wrapping_add(have as u64), &mut message[have..]);
        self.at.head = self.at.head.wrapping_add(HEADER + padded(length));
        self.at.payload = self.at.payload.wrapping_add(length);
        self.at.messages = self.at.messages.wrapping_add(1);
        Some(length as usize)
    }

    /// The length of the message that begins at the head, is there in full, is not empty and belongs to no write that
    /// waits.
    #[inline]
    pub(super) fn whole_message(&self) -> Option<u64> {
        let ready = self.tail.wrapping_sub(self.at.head);
        // The mask after the tail: see `Cursor::settle`.
        if ready == 0 || self.at.rest != 0 || self.queue.control.pending.load(Ordering::Acquire) != 0 {
            return None;
        }
        let header = self.queue.data.load_word(self.queue.shape.offset(self.at.head));
        let length = header & u64::from(u32::MAX);
        let whole = header >> 32 == u64::from(DATA) && length != 0 && HEADER + padded(length) <= ready;
        whole.then_some(length)
    }

    /// Message type, message read mode.
    fn read_message(
        &mut self,
        buffer: &mut [u8],
        taken: usize,
        dead: &mut impl FnMut(u32) -> bool,
    ) -> Result<Read, Corrupt> {
        let mut taken = taken.min(buffer.len());
        loop {
            let (inside, head) = (self.at.rest != 0, self.at.head);
            let spot = self.settle(dead)?;
            if !inside || self.at.head != head {
                // A new message: what was taken of the one before, if any, was withdrawn.
                taken = 0;
            }
            let cover = match spot {
                Spot::Nothing if self.at.rest != 0 => return Ok(Read::Part { taken }),
                Spot::Nothing | Spot::Stale => return Ok(Read::Empty),
                Spot::Dead(holder) => return Ok(Read::Recover { holder }),
                Spot::Hollow => {
                    self.pass_hollow();
                    return Ok(Read::Got { len: 0, complete: true });
                }
                Spot::Run { cover, .. } => cover,
            };
            let n = self.ready_of_message()?.min((buffer.len() - taken) as u64);
            let end = taken + n as usize;
            self.queue.copy_out(self.at.head, &mut buffer[taken..end]);
            if !self.advance(n, cover.filter(|_| n == self.at.rest))? {
                continue;
            }
            return Ok(match self.at.rest {
                0 => Read::Got { len: end, complete: true },
                _ if end == buffer.len() => Read::Got { len: end, complete: false },
                _ => Read::Part { taken: end },
            });
        }
    }

    /// Message type, byte read mode: over boundaries, and over empty messages if bytes come behind them.
    fn read_across(
        &mut self,
        buffer: &mut [u8],
        dead: &mut impl FnMut(u32) -> bool,
    ) -> Result<Read, Corrupt> {
        let mut len = 0;
        // Where the read ends if nothing more is found: before the empty messages passed last.
        let mut keep = self.at;
        let found = loop {
            match self.settle(dead)? {
                Spot::Hollow if len == 0 => {
                    self.pass_hollow();
                    return Ok(Read::Got { len: 0, complete: true });
                }
                Spot::Hollow => self.pass_hollow(),
                Spot::Run { cover, .. } => {
                    let n = self.ready_of_message()?.min((buffer.len() - len) as u64);
                    if n == 0 && !buffer.is_empty() {
                        break None;
                    }
                    let end = len + n as usize;
                    self.queue.copy_out(self.at.head, &mut buffer[len..end]);
                    if self.advance(n, cover.filter(|_| n == self.at.rest))? {
                        (len, keep) = (end, self.at);
                    }
                    if len == buffer.len() {
                        return Ok(Read::Got { len, complete: true });
                    }
                }
                Spot::Nothing | Spot::Stale => break None,
                Spot::Dead(holder) => break Some(holder),
            }
        };
        if len > 0 {
            self.at = keep;
            return Ok(Read::Got { len, complete: true });
        }
        Ok(found.map_or(Read::Empty, |holder| Read::Recover { holder }))
    }

    /// Looks where the writer is.
    #[inline]
    pub(super) fn look(&mut self) -> Result<(), Corrupt> {
        let (mark, [tail, ..]) = self.queue.control.written.look()?;
        self.at.ready(&self.queue, tail)?;
        self.tail = tail;
        self.cache.tail.store(tail, Ordering::Relaxed);
        self.cache.mark.store(mark, Ordering::Relaxed);
        Ok(())
    }

    /// What is at the cursor, with the newest tail if the one remembered is reached.
    #[inline]
    pub(super) fn settle(&mut self, dead: &mut impl FnMut(u32) -> bool) -> Result<Spot, Corrupt> {
        loop {
            if self.at.head == self.tail {
                self.look()?;
            }
            let before = self.at.head;
            match self.at.settle(&self.queue, self.tail, dead)? {
                // What was skipped may have been all that this reader knew of.
                Spot::Nothing if self.at.head != before => {}
                Spot::Stale => {
                    let known = self.tail;
                    self.look()?;
                    if self.tail == known {
                        return Err(Corrupt);
                    }
                }
                spot => return Ok(spot),
            }
        }
    }

    /// Bytes of the message at the cursor that are there.
    #[inline]
    pub(super) fn ready_of_message(&mut self) -> Result<u64, Corrupt> {
        if self.at.ready(&self.queue, self.tail)? < self.at.rest {
            self.look()?;
        }
        Ok(self.at.ready(&self.queue, self.tail)?.min(self.at.rest))
    }

    /// Goes past an empty message.
    pub(super) fn pass_hollow(&mut self) {
        self.at.head = self.at.head.wrapping_add(HEADER);
        self.at.messages = self.at.messages.wrapping_add(1);
    }

    /// Takes `n` bytes at the cursor. `last`: the waiting write that ends with them. False: that write was
    /// withdrawn meanwhile, and nothing was taken (invariant 6).
    #[inline]
    pub(super) fn advance(&mut self, n: u64, last: Option<View>) -> Result<bool, Corrupt> {
        if last.is_some_and(|view| !self.take_last(&view)) {
            return Ok(false);
        }
        let at = &mut self.at;
        at.head = at.head.wrapping_add(n);
        at.payload = at.payload.wrapping_add(n);
        if self.queue.shape.message {
            at.rest -= n;
            if at.rest == 0 {
                at.head = padded(at.head);
                at.messages = at.messages.wrapping_add(1);
                // The padding was published with the last byte, or the length in the header was a lie.
                at.ready(&self.queue, self.tail)?;
            }
        }
        Ok(true)
    }

    /// Completes a waiting write because its last byte is taken. False: it was withdrawn.
    #[cold]
    fn take_last(&self, view: &View) -> bool {
        let slot = &self.queue.control.slots[view.index];
        let gone = become_state(view.word, WITHDRAWN);
        let result = match slot.change(view.word, FREE) {
            // It streamed when it was looked at.
            Err(now) if now == become_state(view.word, PENDING) => slot.change(now, FREE),
            other => other,
        };
        result != Err(gone)
    }
}
