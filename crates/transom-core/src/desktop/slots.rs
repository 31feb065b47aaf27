//! What a slot can be, and finding a free one.

use super::layout::{SLOTS, Slot};
use super::{Header, Phase, Who};
use crate::sync::Ordering;

/// What a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// A posted message.
    Post = 1,
    /// A sent message whose sender waits.
    Send = 2,
    /// A sent message that nobody waits for.
    Notify = 3,
    /// A sent message whose answer the sender takes when it comes.
    Callback = 4,
    /// An answer.
    Reply = 5,
}

impl Kind {
    /// The kind with this number.
    #[must_use]
    pub const fn from_u32(number: u32) -> Option<Kind> {
        Some(match number & 0xFF {
            1 => Kind::Post,
            2 => Kind::Send,
            3 => Kind::Notify,
            4 => Kind::Callback,
            5 => Kind::Reply,
            _ => return None,
        })
    }
}

/// With the kind: the sender used the W form.
pub const WIDE: u32 = 1 << 8;
/// With the kind: what it carries lies in an arena.
pub const IN_ARENA: u32 = 1 << 9;
/// With the kind: what it carries lies in a memory file.
pub const IN_FILE: u32 = 1 << 10;
/// With an answer: the receiver went before it had one.
pub const GONE: u32 = 1 << 11;

/// Slots looked at before new ones are used.
const LOOKS: u32 = 64;

/// A free slot, now held by `who`; `rotor` is where the caller looked last. `None`: all are in use.
pub fn take(header: &Header, slots: &[Slot], who: Who, rotor: &mut u32) -> Option<u32> {
    let most = slots.len().min(SLOTS) as u32;
    let high = &header.high.0.slots;
    for _ in 0..2 {
        let used = high.load(Ordering::Relaxed).clamp(1, most);
        let looks = if used == most { most } else { LOOKS };
        for _ in 0..looks {
            *rotor = if *rotor + 1 >= used { 1 } else { *rotor + 1 };
            if try_take(slots, *rotor, who) {
                return Some(*rotor);
            }
        }
        if used == most {
            return None;
        }
        // Beyond what was ever used.
        let fresh = high.fetch_add(1, Ordering::Relaxed);
        if fresh >= most {
            high.store(most, Ordering::Relaxed);
            continue;
        }
        if try_take(slots, fresh.max(1), who) {
            return Some(fresh.max(1));
        }
    }
    None
}

fn try_take(slots: &[Slot], index: u32, who: Who) -> bool {
    let Some(slot) = slots.get(index as usize) else { return false };
    if index == 0 || slot.holder.load(Ordering::Relaxed) != 0 {
        return false;
    }
    // Partner: the release in `free`.
    let taken = slot.holder.compare_exchange(0, who.word(), Ordering::Acquire, Ordering::Relaxed).is_ok();
    if taken {
        slot.phase.store(Phase::Held as u32, Ordering::Relaxed);
    }
    taken
}

/// Gives a slot up that the caller holds, or may take apart.
pub fn free(slot: &Slot) {
    slot.phase.store(Phase::Free as u32, Ordering::Relaxed);
    // Partner: the acquire in `take`.
    slot.holder.store(0, Ordering::Release);
}

/// Frees what a dead thread held and had not pushed (D2, D3).
pub fn free_all_of(header: &Header, slots: &[Slot], dead: Who) {
    let used = (header.high.0.slots.load(Ordering::Relaxed) as usize).min(slots.len());
    for slot in &slots[..used] {
        // Acquire: who takes a pushed slot over says so before it says that it is not pushed any more.
        if slot.phase.load(Ordering::Acquire) != Phase::Pushed as u32 {
            // Only if it is still the dead one's. Partner of the release: the acquire in `take`.
            let _ = slot.holder.compare_exchange(dead.word(), 0, Ordering::Release, Ordering::Relaxed);
        }
    }
}
