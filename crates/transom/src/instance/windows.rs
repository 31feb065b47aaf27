//! Strings as they travel: their 16-bit units, the low byte first.

use std::ffi::{OsStr, OsString};
use std::os::windows::ffi::{OsStrExt, OsStringExt};

pub(super) fn to_bytes(text: &OsStr) -> Vec<u8> {
    text.encode_wide().flat_map(u16::to_le_bytes).collect()
}

/// `None` for half a unit.
pub(super) fn from_bytes(bytes: &[u8]) -> Option<OsString> {
    let (units, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = units.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    rest.is_empty().then(|| OsString::from_wide(&units))
}
