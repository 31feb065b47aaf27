//! Reading: the smallest stamp first.
//!
//! What a reader has once seen of a lane it keeps in its own memory: where the next message is, how long it is, and up
//! to where the lane was published. So as long as there is more in a lane, its writer's cache line is left alone.
//!
//! A lane that was read to its end is *warm*, if it is the last one that was: its mark stays, since its writer goes on
//! more often than not, and its tail is looked at each time instead. One lane at a time, so that reading costs nothing
//! per idle writer.

use alloc::collections::BinaryHeap;
use alloc::collections::binary_heap::PeekMut;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::layout::{BLOCK, LANES, state};
use super::{Corrupt, END, HEADER, Memory, Place, Post, Record, padded};
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
}

/// The first unread message of a lane.
#[derive(Debug, Clone, Copy)]
struct Front {
    place: Place,
    length: usize,
    /// The extent in which the head was: another than that of `place` is done with.
    behind: usize,
    /// Where the lane ended when it was looked at last, packed.
    end: u64,
}

const NOWHERE: Front = Front { place: Place { block: 0, offset: 0 }, length: 0, behind: 0, end: 0 };

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
        Picture { owner, heads: BinaryHeap::new(), known, warm: None, fronts: Vec::new() }
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

    /// Takes the oldest message and appends it to `batch`; false if there is none. As [`Picture::take`] otherwise.
    pub fn take_behind<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        batch: &mut Vec<u8>,
        ended: &mut dyn FnMut(usize),
    ) -> bool {
        let Some((row, front)) = self.oldest(post, ended) else { return false };
        let begin = batch.len();
        batch.resize(begin + front.length, 0);
        post.blocks.copy_out(front.at(), &mut batch[begin..]);
        self.step_over(post, row, front, ended);
        true
    }

    /// The length of the oldest message; `None` if there is none. Under the read turn.
    pub fn next<M: Memory>(&mut self, post: &Post<'_, M>, ended: &mut dyn FnMut(usize)) -> Option<usize> {
        self.oldest(post, ended).map(|(_, front)| front.length)
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
        self.look(post, ended);
        let &Reverse((_, row)) = self.heads.peek()?;
        Some((row, self.fronts[row]))
    }

    /// Finds the lanes that have something and are not known to. Called after the stamps in `heads` were seen.
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
        let next = post.next_front(row, after, front.end);
        let Some(top) = self.heads.peek_mut() else { return };
        match next {
            Some((front, record)) => {
                self.fronts[row] = front;
                let mut top = top;
                *top = Reverse((record.stamp, row));
            }
            None => {
                PeekMut::pop(top);
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

    /// The message at `after`, which this reader has come to; `end` is where the lane ended when it looked last.
    #[inline]
    fn next_front(&self, row: usize, after: Place, end: u64) -> Option<(Front, Record)> {
        if after.pack() != end
            && let Ok(front) = self.front(row, after, end)
        {
            return front;
        }
        self.front_or_resync(row)
    }

    fn front(&self, row: usize, from: Place, end: u64) -> Result<Option<(Front, Record)>, Corrupt> {
        let found = self.message_from(row, from, end)?;
        Ok(found.map(|(place, record)| {
            (Front { place, length: record.length as usize, behind: from.block, end }, record)
        }))
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
