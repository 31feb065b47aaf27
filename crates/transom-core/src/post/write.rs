//! Writing: a lane is opened, filled, closed.

use super::layout::{self, BLOCK, state};
use super::{HEADER, JUMP, Memory, Place, Post, Record, padded};
use crate::sync::{Ordering, fence, publish};

/// So far ahead of what is written the memory is asked for.
const AHEAD: usize = 512;

/// A lane as its writer knows it. What is in shared memory may have been written by others; this counts.
#[derive(Debug)]
pub struct LaneWriter {
    row: usize,
    place: Place,
    /// Bytes of the extent.
    room: usize,
    /// Messages written.
    written: u64,
}

/// Why a message was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The extent is full: call [`LaneWriter::extend`], then write again.
    Full,
    /// Longer than any extent.
    TooLong,
}

impl<M: Memory> Post<'_, M> {
    /// The first free row from `from` on.
    #[must_use]
    pub fn free_row(&self, from: usize) -> Option<usize> {
        (from..layout::LANES).find(|row| self.is_free(*row))
    }

    /// Whether nobody has the row.
    #[must_use]
    pub fn is_free(&self, row: usize) -> bool {
        self.lanes[row].state.load(Ordering::Acquire) == state::FREE
    }

    /// Opens a free row for a writer in `process`, which has the lock of that row (invariant 6). `None`: all blocks
    /// are taken.
    pub fn open_lane(&self, row: usize, process: u32) -> Option<LaneWriter> {
        // What a writer left that was killed while it had a lane but had not said so.
        self.give_back_all(row);
        let block = self.take_blocks(row, BLOCK)?;
        let place = Place { block, offset: 0 };
        let lane = &self.lanes[row];
        lane.process.store(process, Ordering::Relaxed);
        lane.written.store(0, Ordering::Relaxed);
        lane.head.0.store(place.pack(), Ordering::Relaxed);
        lane.tail.store(place.pack(), Ordering::Relaxed);
        self.header.raise(row);
        // Release: with the state comes all of the above.
        lane.state.store(state::OPEN, Ordering::Release);
        Some(LaneWriter { row, place, room: BLOCK, written: 0 })
    }

    /// The writer closes its lane. It is free as soon as it has been read; the mark makes the reader look.
    pub fn close_lane(&self, writer: &LaneWriter) {
        self.lanes[writer.row].state.store(state::ENDED, Ordering::Release);
        fence(Ordering::SeqCst);
        self.header.mark(writer.row);
    }
}

impl LaneWriter {
    /// The lane's number.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }

    /// Writes one message and publishes it. The engine then asks whether somebody sleeps ([`doze`](crate::doze)).
    ///
    /// # Errors
    /// [`Refused`]; nothing was written.
    #[inline]
    pub fn write<M: Memory>(&mut self, post: &Post<'_, M>, message: &[u8]) -> Result<(), Refused> {
        let length = u32::try_from(message.len()).map_err(|_| Refused::TooLong)?;
        let size = HEADER + padded(message.len());
        // A jump has to fit behind it.
        if self.place.offset + size + HEADER > self.room {
            return Err(Refused::Full);
        }
        // Lines that the reader had: got while earlier messages are written, not when they are needed.
        post.blocks.expect_write(self.place.block * BLOCK + self.place.offset + AHEAD);
        post.blocks.expect_write(self.place.block * BLOCK + self.place.offset + AHEAD + 64);
        // The order of messages: relaxed, because whoever sees a later stamp sees it through a publication that
        // came after the earlier write had returned.
        let stamp = post.header.stamp.0.fetch_add(1, Ordering::Relaxed);
        let number = self.written as u32 & !JUMP;
        post.blocks.copy_in(self.place.block * BLOCK + self.place.offset + HEADER, message);
        post.store(self.place, Record { stamp, length, number });
        self.place.offset += size;
        self.written += 1;
        let lane = &post.lanes[self.row];
        lane.written.store(self.written, Ordering::Relaxed);
        // A barrier: the mark, and whether somebody sleeps, are looked at afterwards (invariant 4, `doze`).
        publish(&lane.tail, self.place.pack() | (self.written & 1));
        post.header.mark(self.row);
        Ok(())
    }

    /// Goes on in a new extent that has room for a message of `length` bytes. False: no block is free, or `reserve`,
    /// which is told where the extent begins and how long it is, has no memory for it.
    pub fn extend<M: Memory>(
        &mut self,
        post: &Post<'_, M>,
        length: usize,
        reserve: &mut dyn FnMut(usize, usize) -> bool,
    ) -> bool {
        let needed = HEADER + padded(length) + HEADER;
        let Some(block) = post.take_blocks(self.row, needed) else { return false };
        if !reserve(block * BLOCK, needed.div_ceil(BLOCK) * BLOCK) {
            post.give_back(self.row, block);
            return false;
        }
        // Not published by itself: the tail moves over it together with the next message.
        post.store(self.place, Record::jump(block));
        self.place = Place { block, offset: 0 };
        self.room = needed.div_ceil(BLOCK) * BLOCK;
        true
    }

    /// Whether a message of this length can be written at all.
    #[must_use]
    pub fn fits_anywhere(length: usize) -> bool {
        length <= layout::BLOCKS * BLOCK - 2 * HEADER - 8 && u32::try_from(length).is_ok()
    }

    /// Where the writer's extent begins and how long it is.
    #[must_use]
    pub fn extent(&self) -> (usize, usize) {
        (self.place.block * BLOCK, self.room)
    }
}
