//! The memory of a mailslot: which bytes its processes agree on.
//!
//! ```text
//!        0  Header, 4096 bytes
//!             0  magic u64 │ version u32 │ longest message u32 │ cookie 16 bytes
//!           128  read time-out u32 │ closed u32
//!           256  stamp u64                        the order of messages: run << 13 │ lane << 1
//!           384  read turn u32 │ - │ reader u64   who reads; whose picture of the lanes is the last
//!           512  word u32 │ death u32              what readers sleep on; what the kernel wakes for killed writers
//!           640  - │ high u32 │ hint u32          rows ever used; where to look for a free block
//!          1024  64 words: bit i of word w says that lane 64 w + i is worth a look
//!     4096  4096 lanes of 256 bytes
//!             0  state u32 │ process id u32 │ tail u64 │ written u64        the writer's; bit 0 of tail: of written
//!            24  processor u32                                              the one it was on last, its number + 1
//!           128  head u64                                                  the reader's
//!  1052672  16384 words u32: who has each block
//!  1179648  16384 blocks of 64 KiB
//! ```
//! Everything is little-endian and made of atomics, because any process that may open the name can write at any
//! time. The file is a hole until it is used.

use crate::sync::{AtomicU32, AtomicU64, Ordering, fence};

use super::Corrupt;

/// Writers that can have a mailslot open at the same time. Few for the model checker.
pub const LANES: usize = if cfg!(loom) { 2 } else { 4096 };
/// Blocks of a mailslot: what can be unread, 1 GiB. Few for the model checker.
pub const BLOCKS: usize = if cfg!(loom) { 3 } else { 16384 };
/// Bytes of a block. Small for the model checker.
pub const BLOCK: usize = if cfg!(loom) { 64 } else { 64 << 10 };
/// Where the lanes begin.
pub const LANES_AT: usize = 4096;
/// Where the words of the blocks begin.
pub const OWNERS_AT: usize = LANES_AT + 4096 * 256;
/// Where the blocks begin.
pub const BLOCKS_AT: usize = 1_179_648;
/// Bytes of the whole file.
pub const LENGTH: u64 = (BLOCKS_AT + 16384 * (64 << 10)) as u64;
/// First word: `transomM`.
pub const MAGIC: u64 = u64::from_le_bytes(*b"transomM");
/// The layout of this file.
pub const VERSION: u32 = 3;

const WORDS: usize = LANES.div_ceil(64);

#[derive(Debug)]
#[repr(C, align(128))]
struct Line<T>(T);

/// Page 0. See the module. (The model checker's threads have small stacks.)
#[derive(Debug)]
#[cfg_attr(not(loom), repr(C, align(4096)))]
#[cfg_attr(loom, repr(C))]
pub struct Header {
    fixed: Line<Fixed>,
    shared: Line<Shared>,
    pub(super) stamp: Line64,
    reading: Line<Reading>,
    sleep: Line<Sleep>,
    opening: Line<Opening>,
    _unused: Line<()>,
    pub(super) worth: [AtomicU64; WORDS],
}

/// A word on a line of its own.
#[derive(Debug)]
#[repr(C, align(128))]
pub(super) struct Line64(pub(super) AtomicU64);

#[derive(Debug)]
#[repr(C)]
struct Fixed {
    magic: AtomicU64,
    version: AtomicU32,
    longest: AtomicU32,
    cookie: [AtomicU64; 2],
}

#[derive(Debug)]
#[repr(C)]
struct Shared {
    timeout: AtomicU32,
    closed: AtomicU32,
}

#[derive(Debug)]
#[repr(C)]
struct Reading {
    turn: AtomicU32,
    _1: AtomicU32,
    reader: AtomicU64,
}

#[derive(Debug)]
#[repr(C)]
struct Sleep {
    word: AtomicU32,
    death: AtomicU32,
}

#[derive(Debug)]
#[repr(C)]
struct Opening {
    _1: AtomicU32,
    high: AtomicU32,
    hint: AtomicU32,
}

/// A lane: what one writer has written and nobody has read yet.
#[derive(Debug)]
#[repr(C, align(256))]
pub struct Lane {
    pub(super) state: AtomicU32,
    /// The writer's process.
    pub process: AtomicU32,
    /// The end of what is published: extent and offset, see [`Place`](super::Place).
    pub(super) tail: AtomicU64,
    /// Messages published.
    pub(super) written: AtomicU64,
    /// The processor on which the writer was seen last, its number + 1; 0 if it was not.
    pub(super) processor: AtomicU32,
    pub(super) head: Line64,
}

/// What a lane is.
pub(super) mod state {
    /// Nobody's.
    pub const FREE: u32 = 0;
    /// A writer has it.
    pub const OPEN: u32 = 1;
    /// Its writer has closed it; it is free when it has been read.
    pub const ENDED: u32 = 2;
}

/// What a mailslot is, as its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// 16 random bytes.
    pub cookie: [u64; 2],
    /// The longest message in bytes; 0 = any (S16).
    pub longest: u32,
}

impl Header {
    /// An empty mailslot, in memory that is not shared yet.
    #[must_use]
    pub fn new() -> Header {
        let half = || AtomicU32::new(0);
        let word = || AtomicU64::new(0);
        Header {
            fixed: Line(Fixed { magic: word(), version: half(), longest: half(), cookie: [word(), word()] }),
            shared: Line(Shared { timeout: half(), closed: half() }),
            stamp: Line64(word()),
            reading: Line(Reading { turn: half(), _1: half(), reader: word() }),
            sleep: Line(Sleep { word: half(), death: half() }),
            opening: Line(Opening { _1: half(), high: half(), hint: half() }),
            _unused: Line(()),
            worth: core::array::from_fn(|_| word()),
        }
    }

    /// Writes what the mailslot is into fresh memory; the magic last, so that a half-written one is none.
    pub fn describe(&self, description: &Description) {
        self.fixed.0.version.store(VERSION, Ordering::Relaxed);
        self.fixed.0.longest.store(description.longest, Ordering::Relaxed);
        for (place, word) in self.fixed.0.cookie.iter().zip(description.cookie) {
            place.store(word, Ordering::Relaxed);
        }
        // Pairs with the load in `check`.
        self.fixed.0.magic.store(MAGIC, Ordering::Release);
    }

    /// What the mailslot is.
    ///
    /// # Errors
    /// [`Corrupt`]: another magic or version.
    pub fn check(&self) -> Result<Description, Corrupt> {
        if self.fixed.0.magic.load(Ordering::Acquire) != MAGIC
            || self.fixed.0.version.load(Ordering::Relaxed) != VERSION
        {
            return Err(Corrupt);
        }
        let cookie = [0, 1].map(|i: usize| self.fixed.0.cookie[i].load(Ordering::Relaxed));
        Ok(Description { cookie, longest: self.fixed.0.longest.load(Ordering::Relaxed) })
    }

    /// Milliseconds that a read waits (S20).
    pub fn timeout(&self) -> &AtomicU32 {
        &self.shared.0.timeout
    }

    /// Not 0: the last server handle was closed in good order.
    pub fn closed(&self) -> &AtomicU32 {
        &self.shared.0.closed
    }

    /// Who reads; see [`turn`](crate::ring::turn).
    pub fn read_turn(&self) -> &AtomicU32 {
        &self.reading.0.turn
    }

    /// Whose picture of the lanes is the last.
    pub(super) fn reader(&self) -> &AtomicU64 {
        &self.reading.0.reader
    }

    /// What readers sleep on; see [`doze`](crate::doze).
    #[inline]
    pub fn word(&self) -> &AtomicU32 {
        &self.sleep.0.word
    }

    /// Always 0. A writer names it to the kernel while it publishes, which wakes who sleeps on it if the writer dies.
    #[inline]
    pub fn death(&self) -> &AtomicU32 {
        &self.sleep.0.death
    }

    /// Makes every reader look at all lanes: one was freed by somebody else, and may be another writer's soon.
    pub fn disturb(&self) {
        self.reader().store(0, Ordering::Release);
    }

    /// Lanes below this row may be in use. Another process may have written anything.
    #[must_use]
    pub fn high(&self) -> usize {
        (self.opening.0.high.load(Ordering::SeqCst) as usize).min(LANES)
    }

    /// Says that lane `row` is used.
    pub(super) fn raise(&self, row: usize) {
        // Below LANES, so it fits.
        self.opening.0.high.fetch_max(row as u32 + 1, Ordering::SeqCst);
    }

    /// Where to look for free blocks first.
    pub(super) fn hint(&self) -> &AtomicU32 {
        &self.opening.0.hint
    }

    /// Says that a lane is worth a look; true if nobody had said so.
    #[inline]
    pub(super) fn mark(&self, row: usize) {
        let (word, bit) = (&self.worth[row / 64], 1 << (row % 64));
        // After the barrier behind the tail: what is seen here the reader has not taken away yet, and will look at the lane
        // after it has.
        if word.load(Ordering::SeqCst) & bit == 0 {
            word.fetch_or(bit, Ordering::SeqCst);
            // Before it is asked who sleeps: a reader that does not see the mark has announced that it will.
            fence(Ordering::SeqCst);
        }
    }

    /// Takes that back.
    pub(super) fn unmark(&self, row: usize) {
        self.worth[row / 64].fetch_and(!(1 << (row % 64)), Ordering::AcqRel);
        // Pairs with the barrier of a tail that is published.
        fence(Ordering::SeqCst);
    }
}

impl Default for Header {
    fn default() -> Header {
        Header::new()
    }
}

impl Lane {
    /// A lane of nobody.
    #[must_use]
    pub fn new() -> Lane {
        Lane {
            state: AtomicU32::new(state::FREE),
            process: AtomicU32::new(0),
            tail: AtomicU64::new(0),
            written: AtomicU64::new(0),
            processor: AtomicU32::new(0),
            head: Line64(AtomicU64::new(0)),
        }
    }

    /// Whether a writer has it, as far as it has said.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) == state::OPEN
    }
}

impl Default for Lane {
    fn default() -> Lane {
        Lane::new()
    }
}

#[cfg(not(loom))]
const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<Header>() == 4096);
    assert!(offset_of!(Header, shared) == 128);
    assert!(offset_of!(Header, stamp) == 256);
    assert!(offset_of!(Header, reading) == 384);
    assert!(offset_of!(Header, sleep) == 512);
    assert!(offset_of!(Header, opening) == 640);
    assert!(offset_of!(Header, worth) >= 768 && offset_of!(Header, worth) <= 1024);
    assert!(size_of::<Lane>() == 256);
    assert!(offset_of!(Lane, head) == 128);
    assert!(BLOCKS_AT.is_multiple_of(BLOCK) && BLOCKS_AT >= OWNERS_AT + 4 * BLOCKS);
};
