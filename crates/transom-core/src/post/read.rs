//! Reading: the smallest stamp first.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::layout::{BLOCK, LANES, state};
use super::{Corrupt, END, HEADER, Memory, Place, Post, Record};
use crate::sync::Ordering;

/// What a process knows of the lanes: which have something, and the stamp of their first message. As long as no
/// other process reads, it is right.
#[derive(Debug)]
pub struct Picture {
    /// A random number: whose picture.
    owner: u64,
    heads: BinaryHeap<Reverse<(u64, usize)>>,
    /// Lanes in `heads`.
    known: Vec<u64>,
}

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
        Picture { owner, heads: BinaryHeap::new(), known: alloc::vec![0; LANES.div_ceil(64)] }
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
            self.forget();
            // Marks that the other took away of lanes that have something: it knows those, and this one does not.
            self.doubt(post);
        }
    }

    fn forget(&mut self) {
        self.heads.clear();
        self.known.fill(0);
    }

    /// Takes the oldest message into `buffer`. Under the read turn. `ended` is called for each lane that is
    /// drained and whose writer has closed it.
    ///
    /// # Errors
    /// [`Corrupt`].
    pub fn take<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        buffer: &mut [u8],
        ended: &mut dyn FnMut(usize),
    ) -> Result<Taken, Corrupt> {
        self.renew(post);
        // Once more if somebody set a lane back that this process alone reads.
        self.take_oldest(post, buffer, ended).or_else(|Corrupt| {
            self.forget();
            self.take_oldest(post, buffer, ended)
        })
    }

    fn take_oldest<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        buffer: &mut [u8],
        ended: &mut dyn FnMut(usize),
    ) -> Result<Taken, Corrupt> {
        self.look(post, ended);
        let Some(&Reverse((_, row))) = self.heads.peek() else { return Ok(Taken::Empty) };
        let Some((place, record)) = post.first(row)? else {
            // Somebody set the lane back: this process alone reads it.
            return Err(Corrupt);
        };
        let length = record.length as usize;
        let Some(room) = buffer.get_mut(..length) else { return Ok(Taken::Small(length)) };
        post.blocks.copy_out(place.block * BLOCK + place.offset + HEADER, room);
        self.heads.pop();
        self.step_over(post, row, place, record, ended);
        Ok(Taken::Message(length))
    }

    /// The length of the oldest message; `None` if there is none. Under the read turn.
    ///
    /// # Errors
    /// [`Corrupt`].
    pub fn next<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        ended: &mut dyn FnMut(usize),
    ) -> Result<Option<usize>, Corrupt> {
        self.renew(post);
        self.look(post, ended);
        let Some(&Reverse((_, row))) = self.heads.peek() else { return Ok(None) };
        Ok(post.first(row)?.map(|(_, record)| record.length as usize))
    }

    /// Finds the lanes that have something and are not known to. Called after the stamps in `heads` were seen.
    fn look<M: Memory>(&mut self, post: &Post<'_, M>, ended: &mut dyn FnMut(usize)) {
        // Each round brings lanes that were not known: as many rounds as there are lanes at the most.
        loop {
            let mut more = false;
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

    /// Takes note of a lane that is worth a look; true if it has something.
    fn meet<M: Memory>(&mut self, post: &Post<'_, M>, row: usize, ended: &mut dyn FnMut(usize)) -> bool {
        if let Some(record) = post.first_or_resync(row) {
            self.know(row, record.stamp);
            return true;
        }
        post.header.unmark(row);
        // After taking the mark away: what was written before is seen here, what comes later sets it again.
        if let Some(record) = post.first_or_resync(row) {
            post.header.mark(row);
            self.know(row, record.stamp);
            return true;
        }
        if post.lanes[row].state.load(Ordering::Acquire) == state::ENDED {
            ended(row);
        }
        false
    }

    fn know(&mut self, row: usize, stamp: u64) {
        self.known[row / 64] |= 1 << (row % 64);
        self.heads.push(Reverse((stamp, row)));
    }

    /// Moves a lane's head behind a message that was copied.
    fn step_over<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        row: usize,
        place: Place,
        record: Record,
        ended: &mut dyn FnMut(usize),
    ) {
        let head = &post.lanes[row].head.0;
        let before = Place::unpack(head.load(Ordering::Relaxed));
        let after = Place { offset: place.offset + record.size(), ..place };
        // Release: the message was read before its bytes may be written again (invariant 2).
        head.store(after.pack(), Ordering::Release);
        if before.block != place.block {
            // It jumped: the extent before is done with. Killed in between, it comes back with the lane.
            post.give_back(row, before.block);
        }
        self.known[row / 64] &= !(1 << (row % 64));
        self.meet(post, row, ended);
    }
}

impl<M: Memory> Post<'_, M> {
    /// The first unread message of a lane; one that makes no sense is set to its end (invariant 7).
    fn first_or_resync(&self, row: usize) -> Option<Record> {
        match self.first(row) {
            Ok(first) => first.map(|(_, record)| record),
            Err(Corrupt) => {
                let lane = &self.lanes[row];
                lane.head.0.store(lane.tail.load(Ordering::Acquire) & END, Ordering::Release);
                None
            }
        }
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
