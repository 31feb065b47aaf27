//! A mailslot's queue: many writers, one reader at a time, whole messages in the order of their writing.
//!
//! Sans I/O, like [`ring`](crate::ring): the engine takes the turns, this module does the steps. What is read from
//! shared memory is checked at each use; nonsense is [`Corrupt`].
//!
//! # The picture
//! ```text
//!  stamp ─────▶ every write looks at it first, and raises it if another writer was the last to do so
//!
//!  lane 0   head ▶ ┌─ 3 ─┬─── 7 ───┬─ 7 ─┬ JUMP ┐            tail ▼
//!                  └─────┴─────────┴─────┴──────┘──▶ ┌─ 12 ─┬───────┄┄┄
//!  lane 1   head ▶ ┌─ 4 ─┬─ 4 ─┐ ◀ tail              an extent: one block of 64 KiB, or several
//!  lane 2   (empty)
//!                          the reader takes 3, 4, 4, 7, 7, 12
//! ```
//! Each writer has a *lane* of its own: extents of blocks that it fills from front to back and the reader gives
//! back behind it. No writer waits for another or for the reader (S10), and none can be in another's way.
//!
//! ```text
//!  record:  stamp u64 │ length u32 │ bit 31: jump, bits 0–30: which message of the lane │ payload │ to a multiple of 8
//!  jump:    block u64 │ 0          │ bit 31 set                                        the lane goes on in that block
//! ```
//!
//! # Order
//! A write that began after another had returned is read after it.
//!
//! A stamp is the number of a *run* and whose it is: what one lane gets while no other writer takes a stamp. So of two
//! writes into different lanes, one of which had returned before the other began, the second has the larger stamp; in
//! one lane they stand in order.
//!
//! The reader takes the smallest stamp among the lanes it knows to have something. It knows up to where each of them was
//! published, and has looked *after* learning that which other lanes have something. Take a message that it knows of,
//! and a write that had returned before that message's began: it was published, and its lane marked, before that
//! message was, so before the reader learnt of that; so it was seen by that look.
//!
//! # Invariants
//! 1. Tail, written and what lies behind the tail are the lane's writer's; head is the reader's, under the read turn.
//! 2. `head` moves by one store. A reader that is killed before it has read nothing; one killed after it has taken the
//!    message.
//! 3. `tail` moves by one store, over a whole record. A writer that is killed before it has written nothing.
//! 4. A lane with something in it is marked, or its writer is about to mark it (and its write has not returned).
//!    The reader takes the mark away before it looks whether the lane is empty, the writer sets it after publishing.
//! 5. A block's word says whose it is; words are taken from 0 by one exchange and given back by whoever owns the block.
//! 6. A row is opened by whoever has the lock of its number, which the kernel drops with the process. A row that is
//!    open without that lock is a dead writer's, and the reader's to free.
//! 7. A lane that makes no sense is set to its end by the reader: its writer goes on behind that, and no other lane
//!    notices.
//!
//! # Files
//! [`layout`] bytes · `blocks` taking and giving back · `write` · `read`

mod blocks;
pub mod layout;
mod read;
#[cfg(all(test, not(loom)))]
mod tests;
mod write;

pub use layout::{Description, Header, Lane};
pub use read::{Batch, Picture, Taken};
pub use write::{LaneWriter, Refused};

pub use crate::ring::{Corrupt, Memory};
use crate::sync::{AtomicU32, Ordering};

/// A mailslot's memory as this process has it mapped. Made on the fly.
#[derive(Debug)]
pub struct Post<'a, M> {
    header: &'a Header,
    lanes: &'a [Lane],
    /// Bit 0–15 lane + 1, 0 = free; bits 16–31 blocks of the extent that begins here, 0 = goes on from before.
    owners: &'a [AtomicU32],
    blocks: &'a M,
}

impl<M> Clone for Post<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M> Copy for Post<'_, M> {}

/// A place in a lane: an extent's first block, and an offset in the extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    block: usize,
    offset: usize,
}

impl Place {
    const fn pack(self) -> u64 {
        ((self.block as u64) << 32) | self.offset as u64
    }

    const fn unpack(word: u64) -> Place {
        Place { block: (word >> 32) as usize, offset: (word & 0xFFFF_FFFF) as usize }
    }
}

/// The bits of a tail that are a place: offsets are multiples of 8. Bit 0 is that of the number of messages.
const END: u64 = !7;
/// Bytes of a record's header.
const HEADER: usize = 16;
/// Bit of a header's last word: no message, the lane goes on elsewhere.
const JUMP: u32 = 1 << 31;

/// A record's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Record {
    /// Where it stands among all messages; a jump's block.
    stamp: u64,
    length: u32,
    /// Which message of its lane, modulo 2³¹; with [`JUMP`].
    number: u32,
}

impl Record {
    fn jump(block: usize) -> Record {
        Record { stamp: block as u64, length: 0, number: JUMP }
    }

    /// Bytes that it takes.
    fn size(self) -> usize {
        HEADER + padded(self.length as usize)
    }
}

/// `length` up to the next multiple of 8. Of lengths of messages, which are below 2³².
const fn padded(length: usize) -> usize {
    length.wrapping_add(7) & !7
}

impl<'a, M: Memory> Post<'a, M> {
    /// The mailslot in this memory; `blocks` has its offsets from the first block on.
    ///
    /// # Panics
    /// In debug builds, if the slices are not of the layout's lengths: a mistake of the caller's.
    pub fn new(header: &'a Header, lanes: &'a [Lane], owners: &'a [AtomicU32], blocks: &'a M) -> Post<'a, M> {
        debug_assert!(lanes.len() == layout::LANES && owners.len() == layout::BLOCKS);
        Post { header, lanes, owners, blocks }
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &'a Header {
        self.header
    }

    /// The rows of writers that may be in use, with their numbers.
    pub fn lanes(&self) -> impl Iterator<Item = (usize, &'a Lane)> {
        self.lanes.iter().take(self.header.high()).enumerate()
    }

    /// Says that lane `row` is worth a look. After what was published in it and a full barrier (invariant 4).
    #[inline]
    pub fn tell(&self, row: usize) {
        self.header.mark(row);
    }

    fn load(&self, place: Place) -> Record {
        let at = place.block * layout::BLOCK + place.offset;
        let (stamp, rest) = (self.blocks.load_word(at), self.blocks.load_word(at + 8));
        Record { stamp, length: (rest & 0xFFFF_FFFF) as u32, number: (rest >> 32) as u32 }
    }

    fn store(&self, place: Place, record: Record) {
        let at = place.block * layout::BLOCK + place.offset;
        self.blocks.store_word(at, record.stamp);
        self.blocks.store_word(at + 8, u64::from(record.length) | u64::from(record.number) << 32);
    }

    /// The record at a place of a lane, if it can be one: it lies in an extent of the lane.
    fn record(&self, lane: usize, place: Place) -> Result<Record, Corrupt> {
        let room = self.room(lane, place.block).ok_or(Corrupt)?;
        self.record_within(place, room)
    }

    /// The record at a place, if it can be one: it lies in the extent, which has `room` bytes.
    #[inline]
    fn record_within(&self, place: Place, room: usize) -> Result<Record, Corrupt> {
        if !place.offset.is_multiple_of(8) || place.offset.checked_add(HEADER).is_none_or(|end| end > room) {
            return Err(Corrupt);
        }
        let record = self.load(place);
        if place.offset.checked_add(record.size()).is_none_or(|end| end > room) {
            return Err(Corrupt);
        }
        Ok(record)
    }

    /// Unread messages of all lanes (`GetMailslotInfo`): a snapshot (S28).
    ///
    /// What makes no sense counts as nothing.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.lanes().map(|(row, _)| u64::from(self.unread(row))).sum()
    }

    /// Unread messages of one lane.
    fn unread(&self, row: usize) -> u32 {
        let lane = &self.lanes[row];
        if lane.state.load(Ordering::Acquire) == layout::state::FREE {
            return 0;
        }
        let head = lane.head.0.load(Ordering::Acquire);
        let Ok(Some((_, record))) = self.first(row) else { return 0 };
        let (tail, written) = (lane.tail.load(Ordering::Acquire), lane.written.load(Ordering::Acquire));
        if lane.head.0.load(Ordering::Acquire) != head {
            // Read meanwhile, by somebody who has the turn: what stood there may be something else by now.
            return 0;
        }
        // The number is stored before the tail, and a writer may be killed in between.
        let published = written.wrapping_sub((written ^ tail) & 1) as u32;
        published.wrapping_sub(record.number) & !JUMP
    }

    /// The first unread message of a lane, behind any jumps, and where it stands.
    fn first(&self, row: usize) -> Result<Option<(Place, Record)>, Corrupt> {
        let lane = &self.lanes[row];
        // Pairs with the publication of the tail in `write`.
        let tail = lane.tail.load(Ordering::Acquire);
        self.message_from(row, Place::unpack(lane.head.0.load(Ordering::Acquire)), tail & END)
    }

    /// The first message of a lane from a place on, behind any jumps; `None` if the lane ends there.
    #[inline]
    fn message_from(
        &self,
        row: usize,
        mut place: Place,
        end: u64,
    ) -> Result<Option<(Place, Record)>, Corrupt> {
        // A chain of jumps without a message between them is not made by writers.
        for _ in 0..3 {
            if place.pack() == end {
                return Ok(None);
            }
            let record = self.record(row, place)?;
            if record.number & JUMP == 0 {
                return Ok(Some((place, record)));
            }
            let block = usize::try_from(record.stamp).map_err(|_| Corrupt)?;
            place = Place { block, offset: 0 };
        }
        Err(Corrupt)
    }
}
