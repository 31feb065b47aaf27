//! The table of names: classes, registered messages and clipboard formats (spec: case does not matter, the first spelling
//! is kept, numbers 0xC000 to 0xFFFF).
//!
//! A name's number is its place, found by its hash and then the next places. Names are added by whoever has the turn,
//! with one store that makes them stand; they are read without it, and never removed.

use alloc::vec::Vec;

use super::layout::{NAME, Name, load_units, store_units};
use crate::sync::Ordering;

/// The number of the first place.
pub const FIRST: u32 = 0xC000;

/// What a look into the table found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The name has this number.
    Known(u16),
    /// It would stand here.
    Free(usize),
    /// The table is full.
    Full,
}

/// Lower case, as comparing names does it: characters whose lower case is one unit.
#[must_use]
pub fn fold(unit: u16) -> u16 {
    if unit < 0x80 {
        return if (b'A' as u16..=b'Z' as u16).contains(&unit) { unit + 32 } else { unit };
    }
    let mut lower = char::from_u32(u32::from(unit)).map(char::to_lowercase).into_iter().flatten();
    match (lower.next(), lower.next()) {
        (Some(one), None) => u16::try_from(one as u32).unwrap_or(unit),
        _ => unit,
    }
}

/// Whether two texts are equal without case.
#[must_use]
pub fn equal(a: &[u16], b: &[u16]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || fold(*a) == fold(*b))
}

fn hash(units: &[u16]) -> usize {
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    for &unit in units {
        hash = (hash ^ u64::from(fold(unit))).wrapping_mul(0x0100_0000_01B3);
    }
    (hash ^ hash >> 32) as usize
}

/// Looks for a name.
#[must_use]
pub fn look_up(table: &[Name], units: &[u16]) -> Place {
    if table.is_empty() {
        return Place::Full;
    }
    let begin = hash(units) % table.len();
    let mut text = Vec::new();
    for step in 0..table.len() {
        let place = (begin + step) % table.len();
        if !read(&table[place], &mut text) {
            return Place::Free(place);
        }
        if equal(&text, units) {
            return Place::Known((FIRST as usize + place) as u16);
        }
    }
    Place::Full
}

/// Writes a name where it belongs; the caller has the turn and `place` from [`look_up`] under it.
pub fn add(table: &[Name], place: usize, units: &[u16]) -> u16 {
    let name = &table[place];
    store_units(&name.units, units);
    name.length.store(units.len().min(NAME) as u32, Ordering::Relaxed);
    // Partner: the load in `read`.
    name.ready.store(1, Ordering::Release);
    (FIRST as usize + place) as u16
}

/// The name with this number.
#[must_use]
pub fn text(table: &[Name], number: u16) -> Option<Vec<u16>> {
    let name = table.get((number as usize).checked_sub(FIRST as usize)?)?;
    let mut text = Vec::new();
    read(name, &mut text).then_some(text)
}

fn read(name: &Name, text: &mut Vec<u16>) -> bool {
    // Partner: the store in `add`.
    if name.ready.load(Ordering::Acquire) == 0 {
        return false;
    }
    load_units(&name.units, (name.length.load(Ordering::Relaxed) as usize).min(NAME), text);
    true
}
