//! Names of pipes: `\\.\pipe\NAME` (pipes.md, P1 to P3).
//!
//! | spelling | creating | opening | waiting |
//! | --- | --- | --- | --- |
//! | `\\.\pipe\NAME`, `\\?\pipe\NAME`, `\\COMPUTER\pipe\NAME` of this computer | a pipe | a pipe | a pipe |
//! | `\\OTHER\pipe\NAME` | 123 | `ERROR_BAD_NETPATH` 53 | 53 |
//! | more than 256 units in all | `ERROR_FILENAME_EXCED_RANGE` 206 | 206 | 206 |
//! | no NAME, NUL inside, anything else | `ERROR_INVALID_NAME` 123 | 123 | `ERROR_BAD_PATHNAME` 161 |
//!
//! A slash counts as a backslash, and case does not count. Two characters are the same if Windows' table of
//! capitals makes one of both: the simple mapping of Unicode, unit by unit, so `ß` has no capital and `ﬁ` stays
//! one character.

use alloc::vec::Vec;

use super::device::{backslashes, fold, from_folded, split};
use super::{ObjectName, Scope};
use crate::code::Code;
use crate::text;

const DEVICE: &[u8] = br"pipe\";

/// The most 16-bit units of a whole name, prefix included.
pub const MAX_PIPE_UNITS: usize = 256;

/// Which call a name is for: they differ in what they say about one that is no pipe's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `CreateNamedPipe`.
    Create,
    /// `CreateFile`.
    Open,
    /// `WaitNamedPipe`.
    Wait,
}

impl Purpose {
    fn refusal(self) -> Code {
        match self {
            Purpose::Create | Purpose::Open => Code::INVALID_NAME,
            Purpose::Wait => Code::BAD_PATHNAME,
        }
    }
}

/// A checked name of a pipe on this computer. Names that are spelled differently are equal if they mean the
/// same pipe.
#[derive(Debug, Clone)]
pub struct PipeName {
    spelling: Vec<u8>,
    folded: Vec<u8>,
}

impl PartialEq for PipeName {
    fn eq(&self, other: &PipeName) -> bool {
        self.folded == other.folded
    }
}

impl Eq for PipeName {}

impl PipeName {
    /// Reads a name; `computer` is this one's.
    ///
    /// # Errors
    /// As the table of the module says.
    pub fn parse(name: &str, computer: &str, purpose: Purpose) -> Result<PipeName, Code> {
        PipeName::parse_bytes(name.as_bytes(), computer.as_bytes(), purpose)
    }

    /// Reads a name from 16-bit units, without the final NUL.
    ///
    /// # Errors
    /// As the table of the module says.
    pub fn parse_utf16(name: &[u16], computer: &str, purpose: Purpose) -> Result<PipeName, Code> {
        PipeName::parse_bytes(&text::from_utf16(name), computer.as_bytes(), purpose)
    }

    fn parse_bytes(name: &[u8], computer: &[u8], purpose: Purpose) -> Result<PipeName, Code> {
        let name = backslashes(name);
        let (server, rest) = split(&name, DEVICE).ok_or(purpose.refusal())?;
        if !matches!(server, b"." | b"?") && !server.eq_ignore_ascii_case(computer) {
            // A server serves its own computer.
            return Err(if purpose == Purpose::Create { Code::INVALID_NAME } else { Code::BAD_NETPATH });
        }
        if text::utf16_len(&name) > MAX_PIPE_UNITS {
            return Err(Code::FILENAME_EXCED_RANGE);
        }
        if rest.is_empty() || rest.contains(&0) {
            return Err(purpose.refusal());
        }
        Ok(PipeName { spelling: rest.to_vec(), folded: fold(rest) })
    }

    /// The name with this spelling of NAME; `None` if no pipe can have it.
    #[must_use]
    pub fn of_spelling(spelling: &[u8]) -> Option<PipeName> {
        let folded = fold(spelling);
        ObjectName::from_pipe_parts(Scope::Local, &folded).ok()?;
        Some(PipeName { spelling: spelling.to_vec(), folded })
    }

    /// Whether a path is spelled as that of a pipe, on this computer or another: what else `CreateFile` opens are
    /// files.
    #[must_use]
    pub fn is_meant(name: &[u16]) -> bool {
        split(&backslashes(&text::from_utf16(name)), DEVICE).is_some()
    }

    /// NAME as it was spelled, with backslashes, in the form of [`crate::text`].
    #[must_use]
    pub fn spelling(&self) -> &[u8] {
        &self.spelling
    }

    /// The name that the pipe has in the namespace.
    #[must_use]
    pub fn object(&self, scope: Scope) -> ObjectName {
        ObjectName { scope, rest: self.folded.clone() }
    }
}

impl ObjectName {
    /// Puts the name of a pipe together again from what its entry says: as [`ObjectName::from_parts`], but it may
    /// hold backslashes.
    ///
    /// # Errors
    /// `ERROR_INVALID_NAME` when no pipe can have this name.
    pub fn from_pipe_parts(scope: Scope, rest: &[u8]) -> Result<ObjectName, Code> {
        from_folded(scope, rest, MAX_PIPE_UNITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    const COMPUTER: &str = "machine7";

    fn parse(name: &str) -> Result<PipeName, Code> {
        PipeName::parse(name, COMPUTER, Purpose::Create)
    }

    fn good(name: &str) -> PipeName {
        parse(name).expect(name)
    }

    /// P1
    #[test]
    fn case_and_kind_of_slash_do_not_count() {
        let name = good(r"\\.\pipe\My Pipe");
        for other in
            [r"\\.\PIPE\my pipe", r"//./pipe/MY PIPE", r"\\?\Pipe\mY pIPE", r"\\MACHINE7\pipe\my pipe"]
        {
            assert_eq!(good(other), name, "{other}");
            assert_eq!(good(other).object(Scope::Local), name.object(Scope::Local));
        }
        assert_eq!(name.spelling(), b"My Pipe");
        assert_eq!(name.object(Scope::Local).file_name(), "my%20pipe");
        assert_ne!(good(r"\\.\pipe\my_pipe"), name);
    }

    /// P1: beyond ASCII too, by single characters.
    #[test]
    fn letters_of_other_alphabets_have_capitals_too() {
        assert_eq!(good(r"\\.\pipe\größe"), good(r"\\.\pipe\GRÖßE"));
        assert_ne!(good(r"\\.\pipe\größe"), good(r"\\.\pipe\GRÖSSE"));
        assert_eq!(good(r"\\.\pipe\ñ жd"), good(r"\\.\pipe\Ñ ЖD"));
        // A capital letter of its own, whatever its small form is.
        assert_ne!(good("\\\\.\\pipe\\\u{212A}"), good(r"\\.\pipe\k"));
        let lone =
            |half| PipeName::parse_utf16(&[92, 92, 46, 92, 112, 105, 112, 101, 92, half], "", Purpose::Open);
        assert_ne!(lone(0xD800).unwrap(), lone(0xD801).unwrap());
    }

    /// P1: any character but NUL; in practice also backslashes.
    #[test]
    fn a_name_may_hold_nearly_everything() {
        let name = good("\\\\.\\pipe\\n <special> *?|\"/ name\\x");
        assert_eq!(name.spelling(), b"n <special> *?|\"\\ name\\x");
        assert_eq!(good(r"\\.\pipe\a\b"), good(r"\\.\pipe/a/b"));
        assert!(!good(r"\\.\pipe\..\..\x").object(Scope::Local).file_name().contains(['/', '\\']));
    }

    #[test]
    fn what_is_no_pipes_name_is_refused_as_the_call_does() {
        for name in [
            "",
            "plain",
            r"\\.\mailslot\x",
            r"\\.\pipe\",
            r"\\.\pipe",
            r"\\.\pip\x",
            r"\.\pipe\x",
            "\\\\.\\pipe\\a\0b",
            r"\\\pipe\x",
        ] {
            assert_eq!(parse(name).err(), Some(Code::INVALID_NAME), "{name:?}");
            let waiting = PipeName::parse(name, COMPUTER, Purpose::Wait);
            assert_eq!(waiting.err(), Some(Code::BAD_PATHNAME), "{name:?}");
        }
    }

    /// P3
    #[test]
    fn another_computer_cannot_be_reached() {
        for name in [r"\\server\pipe\x", r"\\machine70\pipe\x", r"\\10.0.0.1\pipe\x"] {
            let answer = |purpose| PipeName::parse(name, COMPUTER, purpose).err().map(Code::value);
            let answers = [Purpose::Create, Purpose::Open, Purpose::Wait].map(answer);
            assert_eq!(answers, [Some(123), Some(53), Some(53)], "{name}");
        }
        assert!(parse(r"\\Machine7\PIPE\x").is_ok());
    }

    #[test]
    fn a_whole_name_has_at_most_256_characters() {
        let longest = format!(r"\\.\pipe\{}", "ä".repeat(MAX_PIPE_UNITS - 9));
        assert!(parse(&longest).is_ok());
        assert_eq!(parse(&format!("{longest}x")).err(), Some(Code::FILENAME_EXCED_RANGE));
        let far = format!(r"\\other\pipe\{}", "x".repeat(300));
        assert_eq!(PipeName::parse(&far, COMPUTER, Purpose::Open).err(), Some(Code::BAD_NETPATH));
    }

    #[test]
    fn a_path_is_a_pipes_or_a_files() {
        let meant = |name: &str| PipeName::is_meant(&name.encode_utf16().collect::<Vec<u16>>());
        assert!(meant(r"\\.\pipe\x") && meant("//server/PIPE/x") && meant(r"\\.\pipe\"));
        assert!(!meant(r"C:\pipe\x") && !meant("/tmp/x") && !meant(r"\\.\mailslot\x") && !meant(""));
    }

    /// P2: an entry of the folder of pipes is read back as one.
    #[test]
    fn the_name_in_an_entry_is_the_folded_one() {
        let object = good(r"\\.\pipe\A\b").object(Scope::Global);
        assert_eq!(ObjectName::from_pipe_parts(Scope::Global, object.rest()).as_ref(), Ok(&object));
        assert_eq!(PipeName::of_spelling(b"A\\B").map(|name| name.object(Scope::Global)), Some(object));
        assert_eq!(PipeName::of_spelling(b""), None);
        for rest in [&b""[..], b"A", b"a\0", &[b'x'; 800]] {
            assert_eq!(ObjectName::from_pipe_parts(Scope::Local, rest), Err(Code::INVALID_NAME));
        }
    }
}
