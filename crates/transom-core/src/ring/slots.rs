//! The slots: one for each write that waits.
//!
//! ```text
//!             take                 all is published            poll, or the reader took the last byte
//!   FREE ────────────▶ STREAMING ─────────────────▶ PENDING ───────────────────────────▶ FREE (next
//!     │                    │  abandon, recover          │  withdraw, or the holder died    ▲ generation)
//!     │                    ▼                            ▼                                  │
//!     └─────▶ PENDING    ENDING ─────────────────▶ WITHDRAWN ──────────────────────────────┘
//!                          (its end is corrected)        the reader has gone past
//! ```
//! Each change is one compare-and-swap of the state, which carries a generation: a state seen once is never
//! the same again. Where slots lie is said by the mask `pending`: a bit is set before the data of the slot is
//! published and cleared under the read turn, some time after the slot is free. A set bit means: look.

use super::layout::{Control, SLOTS};
use crate::sync::{AtomicU32, AtomicU64, Ordering, fence};

/// One slot. Fields are written under the write turn: when the slot is taken, or when a stream ends early.
#[derive(Debug)]
#[repr(C)]
pub struct Slot {
    /// Generation and state, see the constants.
    pub(super) state: AtomicU32,
    /// Row of the writing process in the segment's table of holders.
    pub(super) holder: AtomicU32,
    /// Where the write begins, as a position of the ring.
    pub(super) start: AtomicU64,
    /// Where it begins among all payload bytes.
    pub(super) payload_start: AtomicU64,
    /// Payload bytes.
    pub(super) length: AtomicU32,
    /// Bytes of the ring.
    pub(super) ring: AtomicU32,
}

pub(super) const FREE: u32 = 0;
pub(super) const STREAMING: u32 = 1;
pub(super) const PENDING: u32 = 2;
pub(super) const WITHDRAWN: u32 = 3;
pub(super) const ENDING: u32 = 4;
const STATE: u32 = 7;
const GENERATION: u32 = 8;

/// Looks before a slot that never stands still counts as none.
const TRIES: u32 = 64;

/// What a slot said at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct View {
    pub index: usize,
    pub word: u32,
    pub holder: u32,
    pub start: u64,
    pub ring: u32,
    pub payload_start: u64,
    pub length: u32,
}

impl View {
    pub fn state(&self) -> u32 {
        self.word & STATE
    }

    pub fn end(&self) -> u64 {
        self.start.wrapping_add(u64::from(self.ring))
    }

    pub fn payload_end(&self) -> u64 {
        self.payload_start.wrapping_add(u64::from(self.length))
    }
}

/// The word of the same generation in another state; `FREE` is the next generation's.
pub(super) fn become_state(word: u32, state: u32) -> u32 {
    match state {
        FREE => (word & !STATE).wrapping_add(GENERATION),
        _ => word & !STATE | state,
    }
}

impl Slot {
    pub(super) fn new() -> Slot {
        Slot {
            state: AtomicU32::new(0),
            holder: AtomicU32::new(0),
            start: AtomicU64::new(0),
            payload_start: AtomicU64::new(0),
            length: AtomicU32::new(0),
            ring: AtomicU32::new(0),
        }
    }

    pub(super) fn reset(&self) {
        for word in [&self.state, &self.holder, &self.length, &self.ring] {
            word.store(0, Ordering::Relaxed);
        }
        self.start.store(0, Ordering::Relaxed);
        self.payload_start.store(0, Ordering::Relaxed);
    }

    /// Changes the state `word` was seen in. `Err`: the word found instead.
    pub(super) fn change(&self, word: u32, state: u32) -> Result<u32, u32> {
        let new = become_state(word, state);
        self.state.compare_exchange(word, new, Ordering::SeqCst, Ordering::SeqCst).map(|_| new)
    }

    /// What the slot says; `None` if it is free, unknown, or does not stand still.
    fn view(&self, index: usize) -> Option<View> {
        for _ in 0..TRIES {
            let word = self.state.load(Ordering::SeqCst);
            if !matches!(word & STATE, STREAMING | PENDING | WITHDRAWN | ENDING) {
                return None;
            }
            let view = View {
                index,
                word,
                holder: self.holder.load(Ordering::Relaxed),
                start: self.start.load(Ordering::Relaxed),
                ring: self.ring.load(Ordering::Relaxed),
                payload_start: self.payload_start.load(Ordering::Relaxed),
                length: self.length.load(Ordering::Relaxed),
            };
            // Pairs with the release fences in `take` and `shorten`: whoever saw a field of the next use
            // sees that the state has gone on.
            fence(Ordering::Acquire);
            if self.state.load(Ordering::Relaxed) == word {
                return Some(view);
            }
        }
        None
    }
}

/// Every slot in use that `mask` points at.
pub(super) fn in_use(control: &Control, mask: u32) -> impl Iterator<Item = View> + '_ {
    let mut left = mask;
    let next = move || {
        let index = left.trailing_zeros() as usize;
        left &= left.wrapping_sub(1);
        Some(index).filter(|index| *index < SLOTS)
    };
    core::iter::from_fn(next).filter_map(|index| control.slots[index].view(index))
}

/// Every slot in use.
pub(super) fn all(control: &Control) -> impl Iterator<Item = View> + '_ {
    in_use(control, u32::MAX)
}

/// Takes a free slot for a write in `state`; under the write turn, before the write is published. `None` if
/// all are in use.
pub(super) fn take(control: &Control, state: u32, new: &View) -> Option<View> {
    let is_free = |slot: &&Slot| slot.state.load(Ordering::SeqCst) & STATE == FREE;
    let (index, slot) = control.slots.iter().enumerate().find(|(_, slot)| is_free(slot))?;
    let word = become_state(slot.state.load(Ordering::SeqCst), state);
    // Pairs with the acquire fence in `view`: that the slot was free comes before its new fields.
    fence(Ordering::Release);
    slot.holder.store(new.holder, Ordering::Relaxed);
    slot.start.store(new.start, Ordering::Relaxed);
    slot.ring.store(new.ring, Ordering::Relaxed);
    slot.payload_start.store(new.payload_start, Ordering::Relaxed);
    slot.length.store(new.length, Ordering::Relaxed);
    slot.state.store(word, Ordering::SeqCst);
    // After the state: whoever clears the bit looks at the state once more (`tidy`).
    control.pending.fetch_or(1 << index, Ordering::SeqCst);
    Some(View { index, word, ..*new })
}

/// Gives a slot in `ENDING` the extent that was reached; under the write turn.
pub(super) fn shorten(control: &Control, view: &View, ring: u32, length: u32) {
    let Some(slot) = control.slots.get(view.index) else { return };
    // Pairs with the acquire fence in `view`: the state ENDING comes before the new extent.
    fence(Ordering::Release);
    slot.ring.store(ring, Ordering::Relaxed);
    slot.length.store(length, Ordering::Relaxed);
}

/// Payload bytes of withdrawn writes among those at `from..to`: they will not be read.
pub(super) fn withdrawn_between(control: &Control, from: u64, to: u64) -> u64 {
    let mask = control.pending.load(Ordering::SeqCst);
    if mask == 0 {
        return 0;
    }
    let span = to.wrapping_sub(from) as i64;
    let gone = in_use(control, mask).filter(|view| view.state() == WITHDRAWN).map(|view| {
        let start = (view.payload_start.wrapping_sub(from) as i64).max(0);
        let end = (view.payload_end().wrapping_sub(from) as i64).min(span);
        end.saturating_sub(start).max(0) as u64
    });
    gone.fold(0, u64::saturating_add)
}

/// Frees the withdrawn slots that the reader has gone past and clears the bits of free ones; under the read
/// turn. `head`, `inside`: the published position, and whether it is inside a message.
#[cold]
pub(super) fn tidy(control: &Control, head: u64, inside: bool) {
    let mask = control.pending.load(Ordering::SeqCst);
    let mut free = mask;
    for view in in_use(control, mask) {
        let passed = match head.wrapping_sub(view.end()) as i64 {
            0 => !inside,
            beyond => beyond > 0,
        };
        let slot = &control.slots[view.index];
        if !(view.state() == WITHDRAWN && passed && slot.change(view.word, FREE).is_ok()) {
            free &= !(1 << view.index);
        }
    }
    if free != 0 {
        control.pending.fetch_and(!free, Ordering::SeqCst);
        restore_bits(control, free);
    }
}

/// Sets the bits of slots in use among `among`: between the look and the clearing a writer may have taken
/// the slot, and someone killed may have taken it without setting the bit.
pub(super) fn restore_bits(control: &Control, among: u32) {
    let used = in_use(control, among).fold(0, |bits, view| bits | 1 << view.index);
    if used != 0 {
        control.pending.fetch_or(used, Ordering::SeqCst);
    }
}

const _: () = assert!(SLOTS <= 32);
