//! The writing side, under the write turn.

use super::early::LONG;
use super::slots::{self, ENDING, PENDING, STREAMING, View};
use super::waiting::{Ticket, Withdrawal};
use super::{Corrupt, DATA, HEADER, LINE, Memory, Queue, record};
use crate::sync::{AtomicU64, Ordering};

/// The longest write, bytes: Windows counts in 32 bits, and so do slots, header and padding included.
pub const MAX_WRITE: usize = u32::MAX as usize - 64;

/// A streaming write publishes so many bytes at a time, at the most.
const PART: u64 = 64 << 10;

/// So many lines are fetched for the next write; behind them the processor sees by itself where it goes.
const CLAIMED: u64 = 4;

/// What a writing end remembers of the reader's side: stale means less room, and then it looks anew. One for
/// each end, direction and connection.
#[derive(Debug)]
pub struct HeadCache {
    head: AtomicU64,
    payload: AtomicU64,
}

impl Default for HeadCache {
    fn default() -> HeadCache {
        HeadCache::new()
    }
}

impl HeadCache {
    /// Nothing is consumed yet.
    #[must_use]
    pub fn new() -> HeadCache {
        HeadCache { head: AtomicU64::new(0), payload: AtomicU64::new(0) }
    }

    /// As new. For an end whose connection is used again.
    pub fn reset(&self) {
        self.head.store(0, Ordering::Relaxed);
        self.payload.store(0, Ordering::Relaxed);
    }
}

/// What bounds a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The quota: more than that waits.
    Quota,
    /// `PIPE_NOWAIT`: more than the quota is refused (P42).
    NoWait,
    /// Room alone (P64: a transaction's request).
    Physical,
}

/// What became of a write.
#[derive(Debug)]
#[must_use]
pub enum Written {
    /// Copied and complete. It exists once [`Writer::publish`] was called.
    Done,
    /// Published; it waits until enough is read.
    Waiting(Ticket),
    /// Begun; keep the turn and go on with [`Writer::stream`].
    Streaming(Stream),
    /// [`Limit::NoWait`], and it does not fit. Nothing was done.
    Refused,
    /// An empty message, and not even its header has room (P37: it waits for nothing else).
    NoSpace,
    /// As many writes wait as there are slots. Nothing was done.
    NoSlot,
    /// Longer than [`MAX_WRITE`]. Nothing was done.
    TooLong,
}

/// What a write would become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Complete at once.
    Completes,
    /// In the queue at once, but waiting (or refused).
    Waits,
    /// Not in the queue at once.
    Streams,
}

/// A write that goes into the queue piece by piece.
#[derive(Debug)]
#[must_use = "a streaming write is streamed through or abandoned"]
pub struct Stream {
    view: View,
    /// Bytes of the ring published.
    sent: u64,
}

/// How far a streaming write came.
#[derive(Debug)]
#[must_use]
pub enum Streamed {
    /// The reader must make room. `progressed`: something was published in this step.
    Blocked {
        /// Whether the reader is to be rung.
        progressed: bool,
    },
    /// All is in the queue; from here on it waits as others do.
    Through(Ticket),
}

/// A session of the writing side. Made under the write turn and given up before it.
#[derive(Debug)]
pub struct Writer<'a, M> {
    pub(super) queue: Queue<'a, M>,
    cache: &'a HeadCache,
    mark: u64,
    pub(super) tail: u64,
    announced: u64,
    messages: u64,
    /// The reader's position and payload, as last seen.
    pub(super) head: u64,
    payload: u64,
    dirty: bool,
}

impl<'a, M: Memory> Queue<'a, M> {
    /// Begins to write; under the write turn.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn writer(&self, cache: &'a HeadCache) -> Result<Writer<'a, M>, Corrupt> {
        let mut writer = self.swift_writer(cache);
        if self.shape.message && !writer.tail.is_multiple_of(8) {
            return Err(Corrupt);
        }
        // Others who write to this end may have gone far beyond what this process saw.
        if writer.used() > self.shape.capacity() {
            writer.refresh()?;
        }
        Ok(writer)
    }

    /// As [`Queue::writer`], for [`Writer::write_swiftly`] and what may come behind it: nothing was looked at yet.
    #[inline]
    pub fn swift_writer(&self, cache: &'a HeadCache) -> Writer<'a, M> {
        let (mark, [tail, announced, messages]) = self.control.written_mirror.look();
        Writer {
            queue: *self,
            cache,
            mark,
            tail,
            announced,
            messages,
            head: cache.head.load(Ordering::Relaxed),
            payload: cache.payload.load(Ordering::Relaxed),
            dirty: false,
        }
    }
}

impl<M: Memory> Writer<'_, M> {
    /// The usual case of [`Writer::write`], done at once: bytes that are complete as far as was seen of the reader. False:
    /// nothing was done, begin anew with [`Queue::writer`].
    ///
    /// It calls nothing that is given the session itself, which therefore need not lie in memory.
    #[inline]
    pub fn write_swiftly(&mut self, bytes: &[u8]) -> bool {
        let shape = self.queue.shape;
        let len = bytes.len() as u64;
        if len == 0 || bytes.len() > MAX_WRITE || shape.message && !self.tail.is_multiple_of(8) {
            return false;
        }
        let ring = shape.ring_bytes(len);
        if !self.completes_as_seen(len, ring, Limit::Quota) {
            return false;
        }
        let mut rest = bytes;
        let mut at = self.tail;
        if shape.message {
            self.store_header(at, len, DATA);
            at = at.wrapping_add(HEADER);
            // What follows is copied 16 bytes at a time, and none of these is to lie in two lines: the reader would take
            // the first away while the writer waits for the second.
            if at & 8 != 0
                && let Some((word, behind)) = bytes.split_first_chunk()
            {
                self.queue.data.store_word(shape.offset(at), u64::from_le_bytes(*word));
                at = at.wrapping_add(8);
                rest = behind;
            }
        }
        self.queue.copy_in(at, rest);
        self.count(ring, len);
        true
    }

    /// Writes `bytes` as one write.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn write(&mut self, bytes: &[u8], limit: Limit, holder: u32) -> Result<Written, Corrupt> {
        self.write_parts(&[bytes], limit, holder)
    }

    /// Writes several blocks as one write. `holder`: the process's row in the segment's table of holders,
    /// should the write wait.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn write_parts(&mut self, parts: &[&[u8]], limit: Limit, holder: u32) -> Result<Written, Corrupt> {
        let len = parts.iter().fold(0usize, |sum, part| sum.saturating_add(part.len()));
        if len > MAX_WRITE {
            return Ok(Written::TooLong);
        }
        let len = len as u64;
        if len == 0 && !self.queue.shape.message {
            return Ok(Written::Done);
        }
        let ring = self.queue.shape.ring_bytes(len);
        if self.completes_as_seen(len, ring, limit) {
            self.copy_record(parts, len);
            self.count(ring, len);
            return Ok(Written::Done);
        }
        self.write_odd(parts, len, ring, limit, holder)
    }

    /// Writes `bytes` as one write of a byte-type queue, and publishes piece by piece, so that the reader copies one
    /// while the next is written. Others' writes do not come in between, since the turn is kept. `published` is
    /// called after each piece. False: it would not be complete at once, and nothing was done.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn write_pieces(
        &mut self,
        bytes: &[u8],
        piece: usize,
        mut published: impl FnMut(),
    ) -> Result<bool, Corrupt> {
        if self.queue.shape.message || self.fit(bytes.len(), Limit::NoWait)? != Fit::Completes {
            return Ok(false);
        }
        // One write, counted when it is there in full.
        let messages = self.messages.wrapping_add(1);
        let mut left = bytes.len();
        for piece in bytes.chunks(piece.max(1)) {
            self.queue.copy_in(self.tail, piece);
            left -= piece.len();
            self.count(piece.len() as u64, piece.len() as u64);
            self.messages = if left == 0 { messages } else { messages.wrapping_sub(1) };
            self.publish();
            published();
        }
        Ok(true)
    }

    #[cold]
    fn write_odd(
        &mut self,
        parts: &[&[u8]],
        len: u64,
        ring: u64,
        limit: Limit,
        holder: u32,
    ) -> Result<Written, Corrupt> {
        let fit = self.fit_ring(len, ring, limit)?;
        match fit {
            Fit::Completes => {
                self.copy_record(parts, len);
                self.count(ring, len);
                Ok(Written::Done)
            }
            Fit::Waits | Fit::Streams if limit == Limit::NoWait => Ok(Written::Refused),
            Fit::Waits => {
                let Some(view) = self.take_slot(PENDING, ring, len, holder) else {
                    return Ok(Written::NoSlot);
                };
                self.copy_record(parts, len);
                self.count(ring, len);
                self.publish();
                Ok(Written::Waiting(Ticket::new(&view)))
            }
            Fit::Streams if len == 0 => Ok(Written::NoSpace),
            Fit::Streams => {
                let Some(view) = self.take_slot(STREAMING, ring, len, holder) else {
                    return Ok(Written::NoSlot);
                };
                self.count(0, len);
                self.publish();
                let mut stream = Stream { view, sent: 0 };
                // It cannot be through: there is less room than it needs, or this goes on with it later.
                self.send(&mut stream, parts);
                Ok(Written::Streaming(stream))
            }
        }
    }

    /// What a write of `len` bytes would become now.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn fit(&mut self, len: usize, limit: Limit) -> Result<Fit, Corrupt> {
        let len = len as u64;
        if len == 0 && !self.queue.shape.message {
            return Ok(Fit::Completes);
        }
        let ring = self.queue.shape.ring_bytes(len);
        if self.completes_as_seen(len, ring, limit) {
            return Ok(Fit::Completes);
        }
        self.fit_ring(len, ring, limit)
    }

    /// Goes on with a streaming write; `parts` as they were given first. What it copied is published.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn stream(&mut self, stream: &mut Stream, parts: &[&[u8]]) -> Result<Streamed, Corrupt> {
        self.refresh()?;
        let progressed = self.send(stream, parts);
        if stream.sent < u64::from(stream.view.ring) {
            return Ok(Streamed::Blocked { progressed });
        }
        // Err: the reader took its last byte already; the ticket finds that out.
        let _ = self.queue.control.slots[stream.view.index].change(stream.view.word, PENDING);
        Ok(Streamed::Through(Ticket::new(&stream.view)))
    }

    /// Cancels a streaming write: what is left of it will not be read (P38), and what is not in the queue
    /// yet was never announced. Ring the reader, who may wait for the rest of a message.
    ///
    /// # Errors
    /// `Corrupt`.
    pub fn abandon(&mut self, stream: Stream) -> Result<Withdrawal, Corrupt> {
        let view = stream.view;
        match self.queue.control.slots[view.index].change(view.word, ENDING) {
            Ok(word) => self.queue.end_stream(&View { word, ..view })?,
            Err(_) => return Ok(Withdrawal::TooLate),
        }
        let (mark, [_, announced, _]) = self.queue.control.written_mirror.look();
        (self.mark, self.announced) = (mark, announced);
        Ok(Withdrawal::Withdrawn)
    }

    /// Makes everything written so far visible at once. Afterwards look whether a reader sleeps, behind a fence
    /// (invariant 9).
    #[inline]
    pub fn publish(&mut self) {
        if self.dirty {
            let words = [self.tail, self.announced, self.messages];
            let control = self.queue.control;
            self.mark = control.written_mirror.publish(&control.written, self.mark, words);
            self.dirty = false;
        }
    }

    /// Has the lines fetched that the next write of about `len` bytes goes to, which the reader had last.
    #[inline]
    pub fn claim(&self, len: usize) {
        let lines = (len as u64).div_ceil(LINE).clamp(1, CLAIMED) + u64::from(self.queue.shape.message);
        for line in 0..lines {
            self.queue.data.expect_write(self.queue.shape.offset(self.tail.wrapping_add(line * LINE)));
        }
    }

    /// As [`Writer::claim`], for a record of `len` bytes of which others than this fill the middle: its first lines and
    /// its last.
    #[inline]
    pub fn claim_ends(&self, len: usize) {
        let last = self.queue.shape.ring_bytes(len as u64).saturating_sub(1);
        for at in [0, LINE.min(last), last] {
            self.queue.data.expect_write(self.queue.shape.offset(self.tail.wrapping_add(at)));
        }
    }

    /// If another write of `len` bytes would have to look where the reader is, looks now, where nobody waits for it. With
    /// the turn, after publishing.
    #[inline]
    pub fn look_ahead(&self, len: usize) {
        let (len, shape) = (len as u64, self.queue.shape);
        if !self.completes_as_seen(len, shape.ring_bytes(len), Limit::Quota) {
            self.look_where_the_reader_is();
        }
    }

    #[cold]
    fn look_where_the_reader_is(&self) {
        // Nonsense shows when it is used.
        if let Ok((_, [head, payload, _])) = self.queue.control.consumed.look() {
            self.cache.head.store(head, Ordering::Relaxed);
            self.cache.payload.store(payload, Ordering::Relaxed);
        }
    }

    #[inline]
    fn used(&self) -> u64 {
        self.tail.wrapping_sub(self.head)
    }

    /// Looks where the reader is.
    pub(super) fn refresh(&mut self) -> Result<(), Corrupt> {
        let (_, [head, payload, _]) = self.queue.control.consumed.look()?;
        (self.head, self.payload) = (head, payload);
        if self.used() > self.queue.shape.capacity() {
            return Err(Corrupt);
        }
        self.cache.head.store(head, Ordering::Relaxed);
        self.cache.payload.store(payload, Ordering::Relaxed);
        Ok(())
    }

    /// Free bytes of the ring, as far as was seen of the reader.
    #[inline]
    pub(super) fn room(&self) -> u64 {
        self.queue.shape.capacity().saturating_sub(self.used())
    }

    #[inline]
    pub(super) fn has_room(&self, ring: u64) -> bool {
        ring <= self.room()
    }

    /// Payload bytes that are not read, as far as was seen of the reader.
    #[inline]
    #[must_use]
    pub fn unread_as_seen(&self) -> u64 {
        self.announced.wrapping_sub(self.payload)
    }

    /// Whether a write is complete at once, as far as was seen of the reader. No means: look.
    #[inline]
    pub(super) fn completes_as_seen(&self, len: u64, ring: u64, limit: Limit) -> bool {
        let within = self.unread_as_seen().saturating_add(len) <= u64::from(self.queue.shape.quota);
        self.has_room(ring) && (within || len == 0 || limit == Limit::Physical)
    }

    /// The same after looking, with everything that counts.
    pub(super) fn fit_ring(&mut self, len: u64, ring: u64, limit: Limit) -> Result<Fit, Corrupt> {
        self.refresh()?;
        let control = self.queue.control;
        let unread = self.unread_as_seen();
        if unread > self.queue.shape.capacity() {
            return Err(Corrupt);
        }
        if !self.has_room(ring) {
            return Ok(Fit::Streams);
        }
        if len == 0 || limit == Limit::Physical {
            return Ok(Fit::Completes);
        }
        let gone = slots::withdrawn_between(control, self.payload, self.announced);
        let mut allowed = u64::from(self.queue.shape.quota);
        if self.used() == 0 {
            // P34: what a waiting read will take does not count.
            allowed += u64::from(control.demand.load(Ordering::SeqCst));
        }
        let within = unread.saturating_sub(gone) + len <= allowed;
        Ok(if within { Fit::Completes } else { Fit::Waits })
    }

    pub(super) fn take_slot(&self, state: u32, ring: u64, len: u64, holder: u32) -> Option<View> {
        // Both fit: a write is at most MAX_WRITE, a loan at most u32::MAX with its padding.
        let (ring, length) = (ring as u32, len as u32);
        let (start, payload_start) = (self.tail, self.announced);
        let new = View { index: 0, word: 0, holder, start, ring, payload_start, length };
        slots::take(self.queue.control, state, &new)
    }

    /// Copies a whole record to the tail.
    #[inline]
    fn copy_record(&self, parts: &[&[u8]], len: u64) {
        let mut at = self.tail;
        if self.queue.shape.message {
            self.store_header(at, len, DATA);
            at = at.wrapping_add(HEADER);
            if let [whole @ [_, ..]] = parts
                && whole.len() >= LONG
            {
                return self.queue.fill_in(at, whole);
            }
        }
        for part in parts {
            self.queue.copy_in(at, part);
            at = at.wrapping_add(part.len() as u64);
        }
    }

    #[inline]
    pub(super) fn store_header(&self, at: u64, len: u64, kind: u32) {
        self.queue.data.store_word(self.queue.shape.offset(at), record(len as u32, kind));
    }

    /// Takes what was copied into the count; it is published later.
    #[inline]
    pub(super) fn count(&mut self, ring: u64, len: u64) {
        self.tail = self.tail.wrapping_add(ring);
        self.announced = self.announced.wrapping_add(len);
        self.messages = self.messages.wrapping_add(1);
        self.dirty = true;
    }

    /// Copies as much of a stream as has room and publishes it. Whether that was anything.
    fn send(&mut self, stream: &mut Stream, parts: &[&[u8]]) -> bool {
        let left = u64::from(stream.view.ring) - stream.sent;
        // In parts, so that the reader copies one while the next is written, and both stay in the caches.
        let mut chunk = left.min(self.room()).min(PART);
        if self.queue.shape.message {
            // Header, multiples of 8, the last with its padding: the tail keeps its alignment.
            chunk &= !7;
        }
        if chunk == 0 {
            return false;
        }
        let (from, to) = (stream.sent, stream.sent + chunk);
        let header = if self.queue.shape.message { HEADER } else { 0 };
        if from == 0 && header != 0 {
            self.store_header(self.tail, u64::from(stream.view.length), DATA);
        }
        self.copy_range(parts, from.saturating_sub(header), to - header, from.max(header) - from);
        stream.sent = to;
        self.tail = self.tail.wrapping_add(chunk);
        self.dirty = true;
        self.publish();
        true
    }

    /// Copies the payload bytes `from..to` of all parts to the ring, `skip` bytes behind the tail. Parts may
    /// end before `to`: the rest is padding.
    fn copy_range(&self, parts: &[&[u8]], from: u64, to: u64, skip: u64) {
        let mut at = self.tail.wrapping_add(skip);
        let mut begins = 0;
        for part in parts {
            let ends = begins + part.len() as u64;
            let (first, last) = (from.max(begins), to.min(ends));
            if first < last {
                let piece = &part[(first - begins) as usize..(last - begins) as usize];
                self.queue.copy_in(at, piece);
                at = at.wrapping_add(piece.len() as u64);
            }
            begins = ends;
        }
    }
}
