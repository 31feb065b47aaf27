//! Writing: a lane is opened, filled, closed.

use super::layout::{self, BLOCK, LANES, state};
use super::{HEADER, JUMP, Memory, Place, Post, Record, padded};
use crate::sync::{AtomicU64, Ordering, fence};

/// So far ahead of what is written the memory is asked for.
const AHEAD: usize = 512;

/// A stamp's number of its run; below it, whose run it is, and a bit for those who write in between.
const RUN: u64 = 1 << 13;
const WHOSE: u64 = RUN - 2;
const BETWEEN: u64 = 1;
const _: () = assert!(LANES as u64 <= RUN / 2);

/// So many writes take a stamp in between after another writer was faster to begin a run.
const CROWD: u8 = 64;

/// A lane as its writer knows it. What is in shared memory may have been written by others; this counts.
#[derive(Debug)]
pub struct LaneWriter {
    row: usize,
    place: Place,
    /// Bytes of the extent.
    room: usize,
    /// Messages written.
    written: u64,
    /// So many stamps are taken without trying to begin a run.
    crowd: u8,
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
        lane.processor.store(0, Ordering::Relaxed);
        lane.head.0.store(place.pack(), Ordering::Relaxed);
        lane.tail.store(place.pack(), Ordering::Relaxed);
        self.header.raise(row);
        // Release: with the state comes all of the above.
        lane.state.store(state::OPEN, Ordering::Release);
        Some(LaneWriter { row, place, room: BLOCK, written: 0, crowd: 0 })
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

    /// Shows the reader on which processor the writer is: its number + 1.
    #[inline]
    pub fn show_processor<M: Memory>(&self, post: &Post<'_, M>, here: u32) {
        let known = &post.lanes[self.row].processor;
        if known.load(Ordering::Relaxed) != here {
            known.store(here, Ordering::Relaxed);
        }
    }

    /// Writes one message and publishes it. After that and a full barrier the caller says so ([`Post::tell`]), and asks
    /// whether somebody sleeps ([`doze`](crate::doze)).
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
        let stamp = self.stamp(&post.header.stamp.0);
        let number = self.written as u32 & !JUMP;
        post.blocks.copy_in(self.place.block * BLOCK + self.place.offset + HEADER, message);
        post.store(self.place, Record { stamp, length, number });
        self.place.offset += size;
        self.written += 1;
        let lane = &post.lanes[self.row];
        lane.written.store(self.written, Ordering::Relaxed);
        // Release: the record, for who reads the tail. No more than that: a store that is a barrier at the same time
        // waits for those before it, whose lines the reader has.
        lane.tail.store(self.place.pack() | (self.written & 1), Ordering::Release);
        Ok(())
    }

    /// The stamp of the next message. All that one writer writes while no other does has the same one: a *run*, for
    /// which the word is only looked at.
    ///
    /// Relaxed, because whoever writes after another has returned sees what that one saw or made of the word, or a later
    /// value: if that is its own run, it has begun it since; if not, what it takes is larger.
    #[inline]
    fn stamp(&mut self, word: &AtomicU64) -> u64 {
        let mine = (self.row as u64) << 1;
        if self.crowd == 0 {
            let seen = word.load(Ordering::Relaxed);
            if seen & WHOSE == mine {
                return seen;
            }
            let next = (seen & !(RUN - 1)).wrapping_add(RUN) | mine;
            if word.compare_exchange(seen, next, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return next;
            }
            self.crowd = CROWD;
        }
        self.crowd -= 1;
        // Behind all of the run that it breaks; whose that is goes on with a larger one.
        word.fetch_add(RUN, Ordering::Relaxed) | BETWEEN
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
