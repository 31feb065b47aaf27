//! One byte form for texts that Windows keeps as 16-bit units.
//!
//! Windows does not check that names, command lines and environments are valid UTF-16: a lone half
//! of a surrogate pair is a legal part of a name, and two names that differ only there are two
//! objects. UTF-8 cannot write such a half. The form used here is therefore the widened one known
//! as WTF-8: valid text is plain UTF-8, and a lone half takes the three bytes its number would
//! take (`ED A0..BF 80..BF`). Two unit strings are equal exactly when their bytes are.
//!
//! Bytes that came from Linux need not be text at all. They are carried unchanged; only on the way
//! to 16-bit units each byte that fits no scheme becomes U+FFFD.

use alloc::string::String;
use alloc::vec::Vec;

/// The replacement character, for bytes that stand for nothing.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// 16-bit units to bytes: UTF-8, with lone surrogate halves as three bytes.
#[must_use]
pub fn from_utf16(units: &[u16]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(units.len());
    for piece in char::decode_utf16(units.iter().copied()) {
        match piece {
            Ok(c) => push_char(&mut bytes, c),
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                bytes.push(0xE0 | low_byte(unit >> 12));
                bytes.push(0x80 | low_byte((unit >> 6) & 0x3F));
                bytes.push(0x80 | low_byte(unit & 0x3F));
            }
        }
    }
    bytes
}

/// Bytes to 16-bit units: the reverse of [`from_utf16`]; bytes it never makes become U+FFFD.
#[must_use]
pub fn to_utf16(bytes: &[u8]) -> Vec<u16> {
    let mut units = Vec::with_capacity(bytes.len());
    for piece in pieces(bytes) {
        match piece {
            Piece::Text(text) => units.extend(text.encode_utf16()),
            Piece::Lone(unit) => units.push(unit),
            Piece::Bad => units.push(0xFFFD),
        }
    }
    units
}

/// How many 16-bit units [`to_utf16`] makes of these bytes: the length Windows counts.
#[must_use]
pub fn utf16_len(bytes: &[u8]) -> usize {
    pieces(bytes)
        .map(|piece| match piece {
            Piece::Text(text) => text.chars().map(char::len_utf16).sum(),
            Piece::Lone(_) | Piece::Bad => 1,
        })
        .sum()
}

/// For people: valid text as it is, everything else as U+FFFD.
#[must_use]
pub fn to_string_lossy(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for piece in pieces(bytes) {
        match piece {
            Piece::Text(text) => shown.push_str(text),
            Piece::Lone(_) | Piece::Bad => shown.push(REPLACEMENT),
        }
    }
    shown
}

enum Piece<'a> {
    /// The longest stretch of valid UTF-8.
    Text(&'a str),
    /// A lone half of a surrogate pair.
    Lone(u16),
    /// One byte that belongs to nothing.
    Bad,
}

fn pieces(bytes: &[u8]) -> Pieces<'_> {
    Pieces { rest: bytes }
}

struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let valid = match core::str::from_utf8(self.rest) {
            Ok(text) => {
                self.rest = &[];
                return Some(Piece::Text(text));
            }
            Err(error) => error.valid_up_to(),
        };
        if valid > 0 {
            let (text, rest) = self.rest.split_at(valid);
            self.rest = rest;
            // The bytes before valid_up_to() are UTF-8 by its definition, so this is never empty.
            return Some(Piece::Text(core::str::from_utf8(text).unwrap_or_default()));
        }
        if let [0xED, b @ 0xA0..=0xBF, c @ 0x80..=0xBF, rest @ ..] = self.rest {
            let unit = 0xD000 | (u16::from(*b & 0x3F) << 6) | u16::from(*c & 0x3F);
            self.rest = rest;
            return Some(Piece::Lone(unit));
        }
        self.rest = &self.rest[1..];
        Some(Piece::Bad)
    }
}

fn push_char(bytes: &mut Vec<u8>, c: char) {
    let mut buffer = [0; 4];
    bytes.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
}

/// The low eight bits; the callers pass values that have no others.
fn low_byte(unit: u16) -> u8 {
    unit.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn plain_text_is_utf_8() {
        let units: Vec<u16> = "Grüße 🦀".encode_utf16().collect();
        assert_eq!(from_utf16(&units), "Grüße 🦀".as_bytes());
        assert_eq!(to_utf16("Grüße 🦀".as_bytes()), units);
        assert_eq!(utf16_len("Grüße 🦀".as_bytes()), 8);
    }

    #[test]
    fn lone_halves_stay_apart_from_each_other_and_from_the_replacement() {
        let high = from_utf16(&[0xD800]);
        let low = from_utf16(&[0xDC00]);
        assert_eq!(high, [0xED, 0xA0, 0x80]);
        assert_eq!(low, [0xED, 0xB0, 0x80]);
        assert_ne!(high, from_utf16(&[0xFFFD]));
        assert_eq!(to_utf16(&high), [0xD800]);
        assert_eq!(to_utf16(&low), [0xDC00]);
    }

    #[test]
    fn a_pair_in_order_is_one_character_and_in_reverse_two_halves() {
        assert_eq!(from_utf16(&[0xD83E, 0xDD80]), "🦀".as_bytes());
        let reversed = from_utf16(&[0xDD80, 0xD83E]);
        assert_eq!(reversed.len(), 6);
        assert_eq!(to_utf16(&reversed), [0xDD80, 0xD83E]);
    }

    #[test]
    fn bytes_that_are_no_text_show_as_the_replacement_character() {
        assert_eq!(to_utf16(b"a\xFFb"), vec![97, 0xFFFD, 98]);
        assert_eq!(to_string_lossy(b"a\xFFb\xED\xA0\x80"), "a\u{FFFD}b\u{FFFD}");
        assert_eq!(utf16_len(b"a\xFFb\xED\xA0\x80"), 4);
    }
}
