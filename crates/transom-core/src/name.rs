//! Names of objects: grammar, scopes, and the file a name becomes (mapping.md, M32 to M40).
//!
//! Events, mutexes, semaphores and file mappings share one name space per scope (M32). A name is
//!
//! ```text
//!   name            Local, the caller's own scope          M34
//!   Local\name      the same object as `name`
//!   Global\name     another object, the machine's scope
//! ```
//!
//! What follows the prefix is compared exactly, upper and lower case differ (M33); it may hold
//! anything but a backslash and NUL (M36).
//!
//! | spelling | answer | rule |
//! | --- | --- | --- |
//! | empty | no name: the object is unnamed | M38 |
//! | `\x` | `ERROR_BAD_PATHNAME` 161 | M36 |
//! | `local\x`, `Session\1\x`, `a\b`, `Local\a\b` | `ERROR_PATH_NOT_FOUND` 3 | M34, M36 |
//! | `Local\`, `Global\` | `ERROR_INVALID_NAME` 123 | M36 |
//! | NUL inside | `ERROR_INVALID_NAME` 123 | ours: C callers cannot pass it |
//! | more than 32767 units | `ERROR_FILENAME_EXCED_RANGE` 206 | limit of the wide functions |
//! | 260 or more characters through an A function | `ERROR_FILENAME_EXCED_RANGE` 206 | M37 |
//!
//! A name is kept as bytes in the form of [`crate::text`], so that names with lone surrogate
//! halves stay different names.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::code::Code;
use crate::text;

mod device;
mod mailslot;
mod pipe;

pub use mailslot::{LocalMailslot, MailslotName};
pub use pipe::{MAX_PIPE_UNITS, PipeName, Purpose};

/// The limit of the A functions, in characters and counting the final NUL (M37).
pub const MAX_PATH: usize = 260;

/// The longest name the wide functions can carry, in 16-bit units.
pub const MAX_UNITS: usize = 32767;

/// The longest escaped name that is used as a file name as it is, in bytes. File systems allow
/// 255; the rest is room for what a caller may put around it.
pub const MAX_FILE_NAME: usize = 200;

/// How much of a longer name still shows in its file name, in bytes.
const SHOWN_OF_LONG: usize = 120;

/// Whose name it is (M34, M35).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// `Local\` or no prefix: the objects of this user.
    Local,
    /// `Global\`: the objects of the machine.
    Global,
}

impl Scope {
    /// The prefix that is printed in front of a name; none for [`Scope::Local`].
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Scope::Local => "",
            Scope::Global => "Global\\",
        }
    }
}

/// A checked object name; equal values are the same object name (M33, M34).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    scope: Scope,
    rest: Vec<u8>,
}

impl ObjectName {
    /// Reads a name as the wide functions do; `Ok(None)` is the empty name, an unnamed object.
    ///
    /// # Errors
    ///
    /// As the table of the module says.
    pub fn parse(name: &str) -> Result<Option<ObjectName>, Code> {
        ObjectName::parse_bytes(name.as_bytes())
    }

    /// Reads a name from 16-bit units (without the final NUL). Lone surrogate halves are kept.
    ///
    /// # Errors
    ///
    /// As the table of the module says.
    pub fn parse_utf16(name: &[u16]) -> Result<Option<ObjectName>, Code> {
        if name.len() > MAX_UNITS {
            return Err(Code::FILENAME_EXCED_RANGE);
        }
        ObjectName::parse_bytes(&text::from_utf16(name))
    }

    /// Reads a name from bytes in the form of [`crate::text`].
    ///
    /// # Errors
    ///
    /// As the table of the module says.
    pub fn parse_bytes(name: &[u8]) -> Result<Option<ObjectName>, Code> {
        if name.is_empty() {
            return Ok(None);
        }
        if name.len() > MAX_UNITS && text::utf16_len(name) > MAX_UNITS {
            return Err(Code::FILENAME_EXCED_RANGE);
        }
        if name.contains(&0) {
            return Err(Code::INVALID_NAME);
        }
        let (scope, rest) = match name.iter().position(|&byte| byte == b'\\') {
            None => (Scope::Local, name),
            Some(0) => return Err(Code::BAD_PATHNAME),
            Some(at) => {
                let scope = match &name[..at] {
                    b"Local" => Scope::Local,
                    b"Global" => Scope::Global,
                    _ => return Err(Code::PATH_NOT_FOUND),
                };
                (scope, &name[at + 1..])
            }
        };
        if rest.is_empty() {
            return Err(Code::INVALID_NAME);
        }
        if rest.contains(&b'\\') {
            return Err(Code::PATH_NOT_FOUND);
        }
        Ok(Some(ObjectName { scope, rest: rest.to_vec() }))
    }

    /// Puts a name together again from what [`scope`](Self::scope) and [`rest`](Self::rest) gave,
    /// for example from a record another process wrote.
    ///
    /// # Errors
    ///
    /// `ERROR_INVALID_NAME` when no name can have this rest.
    pub fn from_parts(scope: Scope, rest: &[u8]) -> Result<ObjectName, Code> {
        let too_long = rest.len() > MAX_UNITS && text::utf16_len(rest) > MAX_UNITS;
        if rest.is_empty() || too_long || rest.iter().any(|&byte| byte == 0 || byte == b'\\') {
            return Err(Code::INVALID_NAME);
        }
        Ok(ObjectName { scope, rest: rest.to_vec() })
    }

    /// The scope the name lives in.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// The name without prefix, as bytes in the form of [`crate::text`].
    #[must_use]
    pub fn rest(&self) -> &[u8] {
        &self.rest
    }

    /// The spelling to show to people: `Global\x`, and plain `x` for `Local\x`. Lone surrogate
    /// halves show as U+FFFD.
    #[must_use]
    pub fn display(&self) -> String {
        let mut shown = String::from(self.scope.prefix());
        shown.push_str(&text::to_string_lossy(&self.rest));
        shown
    }

    /// The full spelling in 16-bit units, without a final NUL; parsing it gives this name again.
    #[must_use]
    pub fn to_utf16(&self) -> Vec<u16> {
        let mut units: Vec<u16> = self.scope.prefix().encode_utf16().collect();
        units.extend(text::to_utf16(&self.rest));
        units
    }

    /// The file name this name becomes in the folder of its scope.
    ///
    /// ASCII letters, digits and `-`, `_`, `.` stay (a leading dot does not, so that nothing
    /// becomes hidden, `.` or `..`); each other byte becomes `%` and two upper-case hex digits.
    /// If that is longer than [`MAX_FILE_NAME`] bytes, the file name is the start of it, a `~` and
    /// a 128-bit hash of the whole. `~` itself is always escaped, so the two forms cannot be
    /// confused. Different names get different file names as long as the hash holds; since it is
    /// not a cryptographic one, whoever opens such a file has to compare the full name inside.
    #[must_use]
    pub fn file_name(&self) -> String {
        let mut escaped = String::with_capacity(self.rest.len());
        // Where the shown part of a long name ends, never in the middle of an escape.
        let mut cut = 0;
        for (at, &byte) in self.rest.iter().enumerate() {
            push_escaped(&mut escaped, byte, at == 0);
            if escaped.len() <= SHOWN_OF_LONG {
                cut = escaped.len();
            } else if escaped.len() > MAX_FILE_NAME {
                break;
            }
        }
        if escaped.len() <= MAX_FILE_NAME {
            return escaped;
        }
        escaped.truncate(cut);
        escaped.push('~');
        for byte in fnv1a_128(&self.rest).to_be_bytes() {
            escaped.push(hex_digit(byte >> 4, b'a'));
            escaped.push(hex_digit(byte & 15, b'a'));
        }
        escaped
    }

    /// Whether a file of this name can hold this object.
    #[must_use]
    pub fn matches_file_name(&self, file_name: &str) -> bool {
        self.file_name() == file_name
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display())
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectName({:?})", self.display())
    }
}

/// The length check of the A functions (M37): `chars` without the final NUL.
///
/// # Errors
///
/// `ERROR_FILENAME_EXCED_RANGE` for 260 characters and more.
pub const fn check_ansi_length(chars: usize) -> Result<(), Code> {
    if chars >= MAX_PATH { Err(Code::FILENAME_EXCED_RANGE) } else { Ok(()) }
}

fn push_escaped(escaped: &mut String, byte: u8, first: bool) {
    let plain = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && !first);
    if plain {
        escaped.push(char::from(byte));
    } else {
        escaped.push('%');
        escaped.push(hex_digit(byte >> 4, b'A'));
        escaped.push(hex_digit(byte & 15, b'A'));
    }
}

/// `nibble` is below 16; `ten` is the letter for 10.
fn hex_digit(nibble: u8, ten: u8) -> char {
    char::from(if nibble < 10 { b'0' + nibble } else { ten + (nibble - 10) })
}

/// FNV-1a with 128 bits: small, public domain, good spread over ordinary names.
///
/// Start with the offset basis; for each byte, exclusive-or it in, then multiply by the prime
/// 2^88 + 2^8 + 0x3B, both modulo 2^128.
pub(crate) fn fnv1a_128(bytes: &[u8]) -> u128 {
    const OFFSET_BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = (1 << 88) + (1 << 8) + 0x3b;
    bytes.iter().fold(OFFSET_BASIS, |hash, &byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn parsed(name: &str) -> ObjectName {
        ObjectName::parse(name).expect("a good name").expect("not empty")
    }

    /// M34
    #[test]
    fn local_prefix_and_no_prefix_are_one_name_and_global_another() {
        assert_eq!(parsed("x"), parsed("Local\\x"));
        assert_ne!(parsed("x"), parsed("Global\\x"));
        assert_eq!(parsed("Local\\x").scope(), Scope::Local);
        assert_eq!(parsed("Global\\x").scope(), Scope::Global);
        assert_eq!(parsed("Global\\x").rest(), b"x");
        assert_eq!(parsed("Local\\x").display(), "x");
        assert_eq!(parsed("Global\\x").to_string(), "Global\\x");
    }

    /// M33
    #[test]
    fn upper_and_lower_case_differ() {
        assert_ne!(parsed("Name"), parsed("name"));
        assert_ne!(parsed("Name").file_name(), parsed("name").file_name());
    }

    /// M34, M36
    #[test]
    fn unknown_prefixes_and_inner_backslashes_are_path_not_found() {
        for name in [
            "local\\x",
            "LOCAL\\x",
            "global\\x",
            "GLOBAL\\x",
            "Session\\1\\x",
            "nosuchdir\\x",
            "a\\b",
            "a\\",
            "Local\\a\\b",
            "Local\\\\a",
            "Global\\Local\\x",
            "Local\\Global\\x",
        ] {
            assert_eq!(ObjectName::parse(name), Err(Code::PATH_NOT_FOUND), "{name}");
        }
    }

    /// M36
    #[test]
    fn a_leading_backslash_is_a_bad_path_and_a_bare_prefix_a_bad_name() {
        assert_eq!(ObjectName::parse("\\x"), Err(Code::BAD_PATHNAME));
        assert_eq!(ObjectName::parse("\\"), Err(Code::BAD_PATHNAME));
        assert_eq!(ObjectName::parse("Local\\"), Err(Code::INVALID_NAME));
        assert_eq!(ObjectName::parse("Global\\"), Err(Code::INVALID_NAME));
    }

    /// M36: the rest may hold anything else; a slash is an ordinary character.
    #[test]
    fn everything_but_backslash_and_nul_is_allowed() {
        for name in ["a/b", "Local", "Global", "Global/x", " ", "..", "a:b*c?", "ä🦀", "\n"] {
            assert_eq!(parsed(name).display(), name);
        }
        assert_eq!(ObjectName::parse("a\0b"), Err(Code::INVALID_NAME));
    }

    /// M38
    #[test]
    fn the_empty_name_is_no_name() {
        assert_eq!(ObjectName::parse(""), Ok(None));
        assert_eq!(ObjectName::parse_utf16(&[]), Ok(None));
    }

    /// M37: 206 for 260 and more, 200 works.
    #[test]
    fn names_through_a_functions_end_at_max_path() {
        assert_eq!(check_ansi_length(200), Ok(()));
        assert_eq!(check_ansi_length(259), Ok(()));
        assert_eq!(check_ansi_length(260), Err(Code::FILENAME_EXCED_RANGE));
        assert_eq!(check_ansi_length(usize::MAX), Err(Code::FILENAME_EXCED_RANGE));
    }

    #[test]
    fn wide_names_end_at_32767_units() {
        let longest = "ä".repeat(MAX_UNITS);
        assert_eq!(parsed(&longest).rest().len(), 2 * MAX_UNITS);
        let longer = "ä".repeat(MAX_UNITS + 1);
        assert_eq!(ObjectName::parse(&longer), Err(Code::FILENAME_EXCED_RANGE));
        let units: Vec<u16> = longer.encode_utf16().collect();
        assert_eq!(ObjectName::parse_utf16(&units), Err(Code::FILENAME_EXCED_RANGE));
        assert!(parsed(&longest).file_name().len() <= MAX_FILE_NAME);
    }

    /// M33: the A and the W function share the names.
    #[test]
    fn wide_and_narrow_spellings_meet() {
        let wide: Vec<u16> = "Global\\Grüße 🦀".encode_utf16().collect();
        let name = ObjectName::parse_utf16(&wide).unwrap().unwrap();
        assert_eq!(name, parsed("Global\\Grüße 🦀"));
        assert_eq!(name.to_utf16(), wide);
    }

    #[test]
    fn lone_surrogate_halves_make_different_names() {
        let name = |units: &[u16]| ObjectName::parse_utf16(units).unwrap().unwrap();
        let (a, b) = (name(&[0x61, 0xD800]), name(&[0x61, 0xD801]));
        assert_ne!(a, b);
        assert_ne!(a.file_name(), b.file_name());
        assert_ne!(a, parsed("a\u{FFFD}"));
        assert_eq!(a.to_utf16(), [0x61, 0xD800]);
        assert_eq!(a.display(), "a\u{FFFD}");
    }

    #[test]
    fn a_plain_name_is_its_own_file_name() {
        assert_eq!(parsed("Chrome-42_a.b").file_name(), "Chrome-42_a.b");
        assert!(parsed("Chrome-42_a.b").matches_file_name("Chrome-42_a.b"));
        assert!(!parsed("Chrome-42_a.b").matches_file_name("Chrome-42_a.c"));
    }

    #[test]
    fn other_bytes_are_escaped_so_that_no_name_leaves_its_folder() {
        assert_eq!(parsed("..").file_name(), "%2E.");
        assert_eq!(parsed(".").file_name(), "%2E");
        assert_eq!(parsed("../etc/x").file_name(), "%2E.%2Fetc%2Fx");
        assert_eq!(parsed("a%2Fb").file_name(), "a%252Fb");
        assert_eq!(parsed("a~b c").file_name(), "a%7Eb%20c");
        assert_eq!(parsed("é").file_name(), "%C3%A9");
    }

    #[test]
    fn a_long_name_becomes_its_start_and_a_hash() {
        let fits = parsed(&"x".repeat(200)).file_name();
        assert_eq!(fits, "x".repeat(200));
        let long = parsed(&"x".repeat(201)).file_name();
        assert_eq!(long.len(), SHOWN_OF_LONG + 1 + 32);
        assert!(long.starts_with(&"x".repeat(SHOWN_OF_LONG)));
        assert_eq!(long.as_bytes()[SHOWN_OF_LONG], b'~');
        assert_ne!(long, parsed(&"x".repeat(202)).file_name());
    }

    #[test]
    fn the_start_of_a_long_name_never_ends_inside_an_escape() {
        // One plain byte first, so that 120 falls into the middle of an escape.
        let long = parsed(&alloc::format!("x{}", "/".repeat(100))).file_name();
        let (start, hash) = long.split_once('~').expect("a long name");
        assert_eq!(start.len(), 118);
        assert!(start.ends_with("%2F"));
        assert_eq!(hash.len(), 32);
    }

    /// The published test values of FNV-1a 128.
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv1a_128(b""), 0x6c62272e07bb014262b821756295c58d);
        assert_eq!(fnv1a_128(b"a"), 0xd228cb696f1a8caf78912b704e4a8964);
        assert_eq!(fnv1a_128(b"foobar"), 0x343e1662793c64bf6f0d3597ba446f18);
    }

    #[test]
    fn parts_of_a_record_are_checked_again() {
        assert_eq!(ObjectName::from_parts(Scope::Global, b"x"), Ok(parsed("Global\\x")));
        for bad in [&b""[..], b"a\\b", b"a\0"] {
            assert_eq!(ObjectName::from_parts(Scope::Local, bad), Err(Code::INVALID_NAME));
        }
    }
}
