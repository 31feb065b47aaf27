//! Finding windows: places, handles, order (rules 5 to 8).

use alloc::vec::Vec;

use super::layout::{FIRST_WINDOW, MESSAGE_ROOT, WINDOWS, WindowRow};
use super::{Header, Who};
use crate::sync::Ordering;

/// The handle of the desktop itself: the parent of top-level windows.
pub const DESKTOP: u32 = 0x0001_0010;

/// The place of a window's row, if the handle can be one.
#[must_use]
pub fn place(handle: u32) -> Option<usize> {
    let place = (handle & 0xFFFF) as usize;
    (handle >> 16 != 0 && (FIRST_WINDOW..WINDOWS).contains(&place)).then_some(place)
}

/// A window as one look saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its place.
    pub place: usize,
    /// Its handle.
    pub handle: u32,
    /// Its thread.
    pub owner: Who,
    /// Its parent.
    pub parent: u32,
    /// Its class and whether it is wide.
    pub class: u32,
    /// Its place in Z order.
    pub order: u64,
}

/// The window with this handle, if its row says so; whether its thread lives is for the caller to see (D4).
#[must_use]
pub fn see(rows: &[WindowRow], handle: u32) -> Option<Seen> {
    let place = place(handle)?;
    let row = rows.get(place)?;
    (row.handle.load(Ordering::Acquire) == handle).then(|| seen(row, place, handle))?
}

fn seen(row: &WindowRow, place: usize, handle: u32) -> Option<Seen> {
    Some(Seen {
        place,
        handle,
        owner: Who::from_word(row.owner.load(Ordering::Relaxed))?,
        parent: row.parent.load(Ordering::Relaxed),
        class: row.class.load(Ordering::Relaxed),
        order: row.order.load(Ordering::Relaxed),
    })
}

/// All windows for which `wanted` holds, topmost first.
pub fn all(header: &Header, rows: &[WindowRow], mut wanted: impl FnMut(&Seen) -> bool) -> Vec<Seen> {
    let used = (header.high.0.windows.load(Ordering::Relaxed) as usize).min(rows.len());
    let mut found = Vec::new();
    for (place, row) in rows[..used].iter().enumerate().skip(FIRST_WINDOW) {
        let handle = row.handle.load(Ordering::Acquire);
        if handle != 0
            && let Some(seen) = seen(row, place, handle)
            && wanted(&seen)
        {
            found.push(seen);
        }
    }
    found.sort_by_key(|seen| core::cmp::Reverse(seen.order));
    found
}

/// Where a search goes: what a window's parent must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Under {
    /// Top-level windows, then message-only ones.
    Both,
    /// This parent.
    One(u32),
}

impl Under {
    /// What a caller of FindWindowEx means (rule 5).
    #[must_use]
    pub fn of(parent: u32) -> Under {
        match parent {
            0 => Under::Both,
            DESKTOP => Under::One(0),
            other => Under::One(other),
        }
    }

    /// Whether a window with this parent is meant.
    #[must_use]
    pub fn is(self, parent: u32) -> bool {
        match self {
            Under::Both => parent == 0 || parent == MESSAGE_ROOT,
            Under::One(wanted) => parent == wanted,
        }
    }
}

/// Takes a free place for a window of `who`, whose handle is not yet shown. `None`: there are too many windows.
pub fn take(header: &Header, rows: &[WindowRow], who: Who) -> Option<(usize, u32)> {
    let most = rows.len().min(WINDOWS);
    let high = &header.high.0.windows;
    let try_take = |place: usize| {
        let row = &rows[place];
        let free = row.owner.load(Ordering::Relaxed) == 0
            && row.owner.compare_exchange(0, who.word(), Ordering::Acquire, Ordering::Relaxed).is_ok();
        free.then(|| {
            // The upper half has 15 bits and is never 0, so that a handle is a positive number of 32 bits.
            let generation = row.generation.load(Ordering::Relaxed) % 0x7FFF + 1;
            row.generation.store(generation, Ordering::Relaxed);
            (place, generation << 16 | place as u32)
        })
    };
    // A place that was given up is not used again while others were never used, up to a point: handles stay invalid
    // for long (rule 4).
    let used = (high.load(Ordering::Relaxed) as usize).clamp(FIRST_WINDOW, most);
    let again = if used >= 1024 || used == most { FIRST_WINDOW..used } else { 0..0 };
    if let Some(found) = again.into_iter().find_map(try_take) {
        return Some(found);
    }
    for _ in used..most {
        let place = high.fetch_add(1, Ordering::Relaxed) as usize;
        if place >= most {
            break;
        }
        if let Some(found) = try_take(place.max(FIRST_WINDOW)) {
            return Some(found);
        }
    }
    high.fetch_min(most as u32, Ordering::Relaxed);
    (FIRST_WINDOW..most).find_map(try_take)
}

/// Gives a window's place up.
pub fn free(row: &WindowRow) {
    row.handle.store(0, Ordering::Release);
    // Partner: the acquire in `take`.
    row.owner.store(0, Ordering::Release);
}
