//! Blocks: who has which, taking and giving back.

use super::layout::{BLOCK, BLOCKS};
use super::{Memory, Post};
use crate::sync::Ordering;

const LANE: u32 = 0xFFFF;

impl<M: Memory> Post<'_, M> {
    /// Bytes of the extent that begins at `block`, if it is one of lane `row`.
    pub(super) fn room(&self, row: usize, block: usize) -> Option<usize> {
        let word = self.owners.get(block)?.load(Ordering::Acquire);
        let count = (word >> 16) as usize;
        let fits = count > 0 && block + count <= BLOCKS;
        (word & LANE == row as u32 + 1 && fits).then_some(count * BLOCK)
    }

    /// Takes an extent of at least `bytes` for lane `row`; `None` if there is none. Whoever is killed in between has
    /// taken blocks that come back with the lane.
    pub(super) fn take_blocks(&self, row: usize, bytes: usize) -> Option<usize> {
        let count = bytes.div_ceil(BLOCK);
        // The number of blocks has 16 bits, of which even the largest extent fills 15.
        if count == 0 || count > BLOCKS {
            return None;
        }
        let hint = self.header.hint().load(Ordering::Relaxed) as usize % BLOCKS;
        let block = self.take_from(hint, row, count).or_else(|| self.take_from(0, row, count))?;
        if count == 1 && block >= hint {
            self.header.hint().store(block as u32 + 1, Ordering::Relaxed);
        }
        Some(block)
    }

    fn take_from(&self, from: usize, row: usize, count: usize) -> Option<usize> {
        let mut from = from;
        loop {
            let first = self.find(from, count)?;
            let taken = (first..first + count).find(|block| !self.take(*block, row));
            let Some(lost) = taken else {
                // The first word last: until then the extent is nobody's who asks by its first block.
                self.owners[first].store((count as u32) << 16 | (row as u32 + 1), Ordering::Release);
                return Some(first);
            };
            // Another writer was faster: look behind its block.
            for block in first..lost {
                self.owners[block].store(0, Ordering::Release);
            }
            from = lost + 1;
        }
    }

    /// Takes one block, if it is free. Acquire: whoever gave it back has done with it.
    fn take(&self, block: usize, row: usize) -> bool {
        let lane = row as u32 + 1;
        self.owners[block].compare_exchange(0, lane, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// The first of `count` free blocks, as far as it can be said without taking them.
    fn find(&self, from: usize, count: usize) -> Option<usize> {
        let mut free = 0;
        for block in from..BLOCKS {
            free = if self.owners[block].load(Ordering::Relaxed) == 0 { free + 1 } else { 0 };
            if free == count {
                return Some(block + 1 - count);
            }
        }
        None
    }

    /// Gives back the extent that begins at `block`, if it is one of lane `row`.
    pub(super) fn give_back(&self, row: usize, block: usize) {
        let Some(bytes) = self.room(row, block) else { return };
        for owned in (block..block + bytes / BLOCK).rev() {
            // Release: nothing is read from it any more.
            self.owners[owned].store(0, Ordering::Release);
        }
        self.header.hint().fetch_min(block as u32, Ordering::Relaxed);
    }

    /// Gives back all blocks of lane `row`, linked or not: when nobody writes or reads the lane.
    pub(super) fn give_back_all(&self, row: usize) {
        let mut first = BLOCKS;
        for (block, word) in self.owners.iter().enumerate() {
            if word.load(Ordering::Relaxed) & LANE == row as u32 + 1 {
                word.store(0, Ordering::Release);
                first = first.min(block);
            }
        }
        if first < BLOCKS {
            self.header.hint().fetch_min(first as u32, Ordering::Relaxed);
        }
    }
}
