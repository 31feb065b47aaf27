//! What names of pipes and of mailslots have in common: `\\SERVER\DEVICE\NAME`, in which a slash counts as a
//! backslash and case does not count.

use alloc::vec::Vec;

use super::{ObjectName, Scope};
use crate::code::Code;
use crate::text;

/// A name with backslashes alone.
pub(super) fn backslashes(name: &[u8]) -> Vec<u8> {
    name.iter().map(|&byte| if byte == b'/' { b'\\' } else { byte }).collect()
}

/// Server and NAME; `device` with the backslash behind it.
pub(super) fn split<'a>(name: &'a [u8], device: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let rest = name.strip_prefix(br"\\")?;
    let end = rest.iter().position(|&byte| byte == b'\\')?;
    let (server, rest) = (&rest[..end], &rest[end + 1..]);
    let (found, name) = rest.split_at_checked(device.len())?;
    (!server.is_empty() && found.eq_ignore_ascii_case(device)).then_some((server, name))
}

/// The name in the namespace that an entry says, if `rest` is a NAME as [`fold`] leaves it, of at most `units` 16-bit
/// units.
pub(super) fn from_folded(scope: Scope, rest: &[u8], units: usize) -> Result<ObjectName, Code> {
    let good = !rest.is_empty() && rest.len() <= 3 * units && !rest.contains(&0) && fold(rest) == rest;
    if good { Ok(ObjectName { scope, rest: rest.to_vec() }) } else { Err(Code::INVALID_NAME) }
}

/// What all spellings of a name have in common: capitals, of which those of ASCII are then made small again, so that
/// the usual name is its own file name. (No capital of another letter is a small ASCII letter, so nothing new falls
/// together.)
pub(super) fn fold(name: &[u8]) -> Vec<u8> {
    let mut units = text::to_utf16(name);
    for unit in &mut units {
        // Lone halves of pairs and pairs themselves stay: Windows' table covers single units.
        if let Some(letter) = char::from_u32(u32::from(*unit)) {
            let mut capitals = letter.to_uppercase();
            if let (Some(capital), None) = (capitals.next(), capitals.next())
                && let Ok(capital) = u16::try_from(u32::from(capital))
            {
                *unit = capital;
            }
        }
    }
    let mut bytes = text::from_utf16(&units);
    bytes.make_ascii_lowercase();
    bytes
}
