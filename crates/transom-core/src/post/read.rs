//! Reading: the smallest stamp first.
//!
//! What a reader has once seen of a lane it keeps in its own memory: where the next message is, how long it is, and up
//! to where the lane was published. So as long as there is more in a lane, its writer's cache line is left alone; and as
//! long as no lane was found to have more than was known, what was looked for among the others is enough.
//!
//! A lane that was read to its end is *warm*, if it is the last one that was: its mark stays, since its writer goes on
//! more often than not, and its tail is looked at each time instead. One lane at a time, so that reading costs nothing
//! per idle writer.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::layout::{BLOCK, LANES, state};
use super::{Corrupt, END, HEADER, JUMP, Memory, Place, Post, Record, padded};
use crate::sync::Ordering;

/// What a process knows of the lanes: which have something, and the stamp of their first message. As long as no
/// other process reads, it is right.
#[derive(Debug)]
pub struct Picture {
    /// A random number: whose picture.
    owner: u64,
    heads: BinaryHeap<Reverse<(u64, usize)>>,
    /// Lanes in `heads`, and the warm one.
    known: Vec<u64>,
    warm: Option<usize>,
    /// Of lanes that are known.
    fronts: Vec<Front>,
    /// Other lanes were looked at after the end of every lane in `heads` was learnt.
    complete: bool,
}

/// Messages that were taken together, one behind the other.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Bytes that are filled; those behind them are whatever they are.
    used: usize,
    ends: Vec<usize>,
}

impl Batch {
    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of memory that it has.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Each message, the oldest first.
    pub fn messages(&self) -> impl Iterator<Item = &[u8]> {
        let mut begin = 0;
        self.ends.iter().map(move |end| &self.bytes[core::mem::replace(&mut begin, *end)..*end])
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.used = 0;
        self.ends.clear();
    }

    /// Room for the next message.
    #[inline]
    fn push(&mut self, length: usize) -> &mut [u8] {
        let (begin, end) = (self.used, self.used + length);
        if end > self.bytes.len() {
            self.bytes.resize(if end <= BLOCK { end.next_power_of_two() } else { end }, 0);
        }
        self.used = end;
        self.ends.push(end);
        &mut self.bytes[begin..end]
    }
}

/// The first unread message of a lane.
#[derive(Debug, Clone, Copy)]
struct Front {
    place: Place,
    length: usize,
    /// Bytes of the extent in which it is.
    room: usize,
    /// The extent in which the head was: another than that of `place` is done with.
    behind: usize,
    /// Where the lane ended when it was looked at last, packed.
    end: u64,
}

const NOWHERE: Front = Front { place: Place { block: 0, offset: 0 }, length: 0, room: 0, behind: 0, end: 0 };

/// So far ahead of what is read the memory is asked for.
const AHEAD: usize = 512;

/// What [`Picture::take`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A message of this length; it is gone from the mailslot.
    Message(usize),
    /// The next message has this length, and the buffer is smaller; nothing was taken (S12).
    Small(usize),
    /// Nothing there.
    Empty,
}

impl Picture {
    /// The picture of a reader with a random number that no other has.
    #[must_use]
    pub fn new(owner: u64) -> Picture {
        let known = alloc::vec![0; LANES.div_ceil(64)];
        Picture { owner, heads: BinaryHeap::new(), known, warm: None, fronts: Vec::new(), complete: false }
    }

    /// Makes the next look one at all lanes: a writer may have been killed after it published and before it said so,
    /// a reader before it had freed a lane. Under the read turn.
    pub fn doubt<M: Memory>(&self, post: &Post<'_, M>) {
        for (row, lane) in post.lanes() {
            let worth = match lane.state.load(Ordering::Acquire) {
                state::FREE => false,
                state::OPEN => !matches!(post.first(row), Ok(None)),
                _ => true,
            };
            if worth {
                post.header.mark(row);
            }
        }
    }

    /// Forgets everything if another process has read since.
    fn renew<M: Memory>(&mut self, post: &Post<'_, M>) {
        if post.header.reader().load(Ordering::Acquire) != self.owner {
            post.header.reader().store(self.owner, Ordering::Release);
            self.heads.clear();
            self.known.fill(0);
            self.warm = None;
            self.complete = false;
            // Marks that the other took away of lanes that have something: it knows those, and this one does not.
            self.doubt(post);
        }
    }

    /// Takes the oldest message into `buffer`. Under the read turn. `ended` is called for each lane that is
    /// drained and whose writer has closed it.
    pub fn take<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        buffer: &mut [u8],
        ended: &mut dyn FnMut(usize),
    ) -> Taken {
        let Some((row, front)) = self.oldest(post, ended) else { return Taken::Empty };
        let Some(room) = buffer.get_mut(..front.length) else { return Taken::Small(front.length) };
        post.blocks.copy_out(front.at(), room);
        self.step_over(post, row, front, ended);
        Taken::Message(front.length)
    }

    /// Takes the oldest messages and appends them to `batch`, until it has `most` or some `bytes`. As [`Picture::take`]
    /// otherwise.
    pub fn take_many<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        batch: &mut Batch,
        (most, bytes): (usize, usize),
        ended: &mut dyn FnMut(usize),
    ) {
        // Nobody else reads as long as this one has the turn.
        self.renew(post);
        let mut looked = false;
        while batch.len() < most && batch.used < bytes {
            if !self.complete || self.heads.is_empty() {
                // What has come since the call began may wait, and so may its writer's cache line.
                if looked && self.heads.is_empty() {
                    return;
                }
                looked = true;
            }
            let Some((row, front)) = self.first(post, ended) else { return };
            let last = Picture::take_run(post, batch, (most, bytes), front, self.stamp());
            self.step_over(post, row, Front { behind: front.behind, ..last }, ended);
        }
    }

    /// Takes messages of one run out of one extent, beginning with the oldest; the last one taken. What is published
    /// later is left where it is: other lanes have not been looked at since.
    #[inline]
    fn take_run<M: Memory>(
        post: &Post<'_, M>,
        batch: &mut Batch,
        (most, bytes): (usize, usize),
        front: Front,
        stamp: u64,
    ) -> Front {
        let Front { mut place, mut length, .. } = front;
        let base = place.block * BLOCK;
        let end = Place::unpack(front.end);
        let end = if end.block == place.block { end.offset } else { front.room };
        loop {
            post.blocks.copy_out(base + place.offset + HEADER, batch.push(length));
            let next = place.offset + HEADER + padded(length);
            if batch.len() == most || batch.used >= bytes || next >= end {
                break;
            }
            let next = Place { offset: next, ..place };
            let Ok(record) = post.record_within(next, front.room) else { break };
            if record.stamp != stamp || record.number & JUMP != 0 {
                break;
            }
            // Not what the writer is at.
            if next.offset + AHEAD + 64 < end {
                post.blocks.expect_read(base + next.offset + AHEAD);
                post.blocks.expect_read(base + next.offset + AHEAD + 64);
            }
            (place, length) = (next, record.length as usize);
        }
        Front { place, length, ..front }
    }

    /// The stamp of the oldest message, which there is.
    fn stamp(&self) -> u64 {
        self.heads.peek().map_or(0, |Reverse((stamp, _))| *stamp)
    }

    /// The length of the oldest message; `None` if there is none. Under the read turn.
    pub fn next<M: Memory>(&mut self, post: &Post<'_, M>, ended: &mut dyn FnMut(usize)) -> Option<usize> {
        self.oldest(post, ended).map(|(_, front)| front.length)
    }

    /// Whether all that was known of has been read.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.heads.is_empty()
    }

    /// On which processor the writer was that wrote last, as far as is known; its number + 1, or 0.
    pub fn processor<M: Memory>(&self, post: &Post<'_, M>) -> u32 {
        self.warm.map_or(0, |row| post.lanes[row].processor.load(Ordering::Relaxed))
    }

    /// Whether a look would find something, as far as that can be said at a glance and without the turn: to spin on.
    #[inline]
    pub fn has_news<M: Memory>(&self, post: &Post<'_, M>) -> bool {
        let words = post.header.high().div_ceil(64);
        !self.heads.is_empty()
            || self.warm.is_some_and(|row| {
                let lane = &post.lanes[row];
                lane.tail.load(Ordering::Relaxed) & END != self.fronts[row].end
                    || lane.state.load(Ordering::Relaxed) != state::OPEN
            })
            || (0..words).any(|word| post.header.worth[word].load(Ordering::Relaxed) & !self.known[word] != 0)
            || post.header.reader().load(Ordering::Relaxed) != self.owner
    }

    fn oldest<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        ended: &mut dyn FnMut(usize),
    ) -> Option<(usize, Front)> {
        self.renew(post);
        self.first(post, ended)
    }

    #[inline]
    fn first<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        ended: &mut dyn FnMut(usize),
    ) -> Option<(usize, Front)> {
        if !self.complete || self.heads.is_empty() {
            self.look(post, ended);
            self.complete = true;
        }
        let &Reverse((_, row)) = self.heads.peek()?;
        Some((row, self.fronts[row]))
    }

    /// Finds the lanes that have something and are not known to. Called after the ends of those in `heads` were seen.
    fn look<M: Memory>(&mut self, post: &Post<'_, M>, ended: &mut dyn FnMut(usize)) {
        // Each round brings lanes that were not known: as many rounds as there are lanes at the most.
        loop {
            let mut more = false;
            if let Some(row) = self.warm
                && self.has_moved(post, row)
            {
                self.warm = None;
                self.forget(row);
                more |= self.meet(post, row, ended);
            }
            let words = post.header.high().div_ceil(64);
            for word in 0..words {
                let mut new = post.header.worth[word].load(Ordering::Acquire) & !self.known[word];
                while new != 0 {
                    let row = 64 * word + new.trailing_zeros() as usize;
                    new &= new - 1;
                    if row < LANES {
                        more |= self.meet(post, row, ended);
                    }
                }
            }
            if !more {
                return;
            }
        }
    }

    /// Whether something has come into the warm lane, or its writer has closed it.
    fn has_moved<M: Memory>(&self, post: &Post<'_, M>, row: usize) -> bool {
        let lane = &post.lanes[row];
        lane.tail.load(Ordering::Acquire) & END != self.fronts[row].end
            || lane.state.load(Ordering::Acquire) != state::OPEN
    }

    /// Takes note of a lane that is worth a look; true if it has something.
    fn meet<M: Memory>(&mut self, post: &Post<'_, M>, row: usize, ended: &mut dyn FnMut(usize)) -> bool {
        if self.know(post, row) {
            return true;
        }
        post.header.unmark(row);
        // After taking the mark away: what was written before is seen here, what comes later sets it again.
        if self.know(post, row) {
            post.header.mark(row);
            return true;
        }
        if post.lanes[row].state.load(Ordering::Acquire) == state::ENDED {
            ended(row);
        }
        false
    }

    /// Looks at a lane; true if it has something, which is known from now on.
    fn know<M: Memory>(&mut self, post: &Post<'_, M>, row: usize) -> bool {
        let Some((front, record)) = post.front_or_resync(row) else { return false };
        if self.fronts.len() <= row {
            self.fronts.resize(row + 1, NOWHERE);
        }
        self.fronts[row] = front;
        self.known[row / 64] |= 1 << (row % 64);
        self.heads.push(Reverse((record.stamp, row)));
        self.complete = false;
        true
    }

    fn forget(&mut self, row: usize) {
        self.known[row / 64] &= !(1 << (row % 64));
    }

    /// Moves a lane's head behind the oldest message, which was copied.
    fn step_over<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        row: usize,
        front: Front,
        ended: &mut dyn FnMut(usize),
    ) {
        let after = Place { offset: front.place.offset + HEADER + padded(front.length), ..front.place };
        // Release: the message was read before its bytes may be written again (invariant 2).
        post.lanes[row].head.0.store(after.pack(), Ordering::Release);
        if front.behind != front.place.block {
            // It jumped: the extent before is done with. Killed in between, it comes back with the lane.
            post.give_back(row, front.behind);
        }
        let at_end = after.pack() == front.end;
        // The writer's line is left alone now: it is looked at before anything else is read.
        match if at_end { None } else { post.next_front(row, after, &front) } {
            Some((next, record)) => {
                self.complete &= next.end == front.end;
                self.fronts[row] = next;
                // Of the same run: it stays on top.
                if self.heads.peek().is_some_and(|Reverse((stamp, _))| *stamp != record.stamp)
                    && let Some(mut top) = self.heads.peek_mut()
                {
                    *top = Reverse((record.stamp, row));
                }
            }
            None => {
                self.heads.pop();
                self.complete = false;
                self.fronts[row].end = after.pack();
                // The one that was warm before cools down: it may have got something meanwhile.
                if let Some(before) = self.warm.replace(row) {
                    self.forget(before);
                    self.meet(post, before, ended);
                }
            }
        }
    }
}

impl Front {
    /// Where the message's bytes are.
    fn at(&self) -> usize {
        self.place.block * BLOCK + self.place.offset + HEADER
    }
}

impl<M: Memory> Post<'_, M> {
    /// The first unread message of a lane; one that makes no sense is set to its end (invariant 7).
    fn front_or_resync(&self, row: usize) -> Option<(Front, Record)> {
        let lane = &self.lanes[row];
        let head = Place::unpack(lane.head.0.load(Ordering::Acquire));
        // Pairs with the publication of the tail in `write`.
        let end = lane.tail.load(Ordering::Acquire) & END;
        self.front(row, head, end).unwrap_or_else(|Corrupt| {
            lane.head.0.store(end, Ordering::Release);
            None
        })
    }

    /// The message at `after`, which this reader has come to behind `last`, before the end of what it knows.
    #[inline]
    fn next_front(&self, row: usize, after: Place, last: &Front) -> Option<(Front, Record)> {
        // Most are in the same extent, of which it is known that it is the lane's, and how long it is.
        if let Ok(record) = self.record_within(after, last.room)
            && record.number & JUMP == 0
        {
            let length = record.length as usize;
            return Some((Front { place: after, length, behind: after.block, ..*last }, record));
        }
        self.front(row, after, last.end).unwrap_or_else(|Corrupt| self.front_or_resync(row))
    }

    fn front(&self, row: usize, from: Place, end: u64) -> Result<Option<(Front, Record)>, Corrupt> {
        let Some((place, record)) = self.message_from(row, from, end)? else { return Ok(None) };
        let room = self.room(row, place.block).ok_or(Corrupt)?;
        let front = Front { place, length: record.length as usize, room, behind: from.block, end };
        Ok(Some((front, record)))
    }

    /// Frees a lane that is drained and has no writer any more. Under the read turn. False: something is in it, or it
    /// is somebody's.
    pub fn free_lane(&self, row: usize, writer_is_dead: bool) -> bool {
        let Some(lane) = self.lanes.get(row) else { return false };
        let now = lane.state.load(Ordering::Acquire);
        let over = now == state::ENDED || (now == state::OPEN && writer_is_dead);
        // A lane that makes no sense has nothing that could be read.
        if !over || !matches!(self.first(row), Ok(None) | Err(Corrupt)) {
            return false;
        }
        self.header.unmark(row);
        self.give_back_all(row);
        lane.state.store(state::FREE, Ordering::Release);
        true
    }
}
