//! Names of mailslots: `\\.\mailslot\[path\]name` (mailslots.md, S1 to S7).
//!
//! | spelling | creating | opening |
//! | --- | --- | --- |
//! | `\\.\mailslot\NAME`, also with `?`, `localhost` or this computer's name for the dot | a mailslot | a mailslot |
//! | `\\*\mailslot\NAME`, `\\OTHER\mailslot\NAME` | `ERROR_PATH_NOT_FOUND` 3 | [`MailslotName::Remote`] |
//! | no NAME, NUL inside, anything else | `ERROR_INVALID_NAME` 123 | 123 |
//!
//! Parts of NAME between backslashes are only text. A slash counts as a backslash, and case does not count, in the
//! way of the names of pipes.

use alloc::vec::Vec;

use super::device::{backslashes, fold, from_folded, split};
use super::{MAX_UNITS, ObjectName, Scope};
use crate::code::Code;
use crate::text;

const DEVICE: &[u8] = br"mailslot\";

/// What a name of a mailslot leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailslotName {
    /// A mailslot on this computer.
    Local(LocalMailslot),
    /// Mailslots of other computers, or of all: `\\*\mailslot\NAME`, `\\domain\mailslot\NAME`.
    Remote {
        /// What stands for the computer.
        target: Vec<u8>,
        /// NAME.
        name: Vec<u8>,
    },
}

/// A checked name of a mailslot on this computer.
#[derive(Debug, Clone)]
pub struct LocalMailslot {
    spelling: Vec<u8>,
    folded: Vec<u8>,
}

impl PartialEq for LocalMailslot {
    fn eq(&self, other: &LocalMailslot) -> bool {
        self.folded == other.folded
    }
}

impl Eq for LocalMailslot {}

impl MailslotName {
    /// Reads a name; `computer` is this one's.
    ///
    /// # Errors
    /// `ERROR_INVALID_NAME` (123), `ERROR_FILENAME_EXCED_RANGE` (206): longer than any name.
    pub fn parse(name: &str, computer: &str) -> Result<MailslotName, Code> {
        MailslotName::parse_bytes(name.as_bytes(), computer.as_bytes())
    }

    /// Reads a name from 16-bit units, without the final NUL.
    ///
    /// # Errors
    /// As [`MailslotName::parse`].
    pub fn parse_utf16(name: &[u16], computer: &str) -> Result<MailslotName, Code> {
        MailslotName::parse_bytes(&text::from_utf16(name), computer.as_bytes())
    }

    fn parse_bytes(name: &[u8], computer: &[u8]) -> Result<MailslotName, Code> {
        let name = backslashes(name);
        let (server, rest) = split(&name, DEVICE).ok_or(Code::INVALID_NAME)?;
        if rest.is_empty() || rest.contains(&0) {
            return Err(Code::INVALID_NAME);
        }
        if text::utf16_len(&name) > MAX_UNITS {
            return Err(Code::FILENAME_EXCED_RANGE);
        }
        let is_here = matches!(server, b"." | b"?")
            || server.eq_ignore_ascii_case(b"localhost")
            || server.eq_ignore_ascii_case(computer);
        if is_here {
            return Ok(MailslotName::Local(LocalMailslot { spelling: rest.to_vec(), folded: fold(rest) }));
        }
        Ok(MailslotName::Remote { target: server.to_vec(), name: rest.to_vec() })
    }

    /// The name a server is created under (S7).
    ///
    /// # Errors
    /// `ERROR_PATH_NOT_FOUND` (3): that of another computer.
    pub fn for_server(self) -> Result<LocalMailslot, Code> {
        match self {
            MailslotName::Local(name) => Ok(name),
            MailslotName::Remote { .. } => Err(Code::PATH_NOT_FOUND),
        }
    }

    /// Whether a path is spelled as that of a mailslot: what else `CreateFile` opens is something else.
    #[must_use]
    pub fn is_meant(name: &[u16]) -> bool {
        split(&backslashes(&text::from_utf16(name)), DEVICE).is_some()
    }
}

impl LocalMailslot {
    /// NAME as it was spelled, with backslashes, in the form of [`crate::text`].
    #[must_use]
    pub fn spelling(&self) -> &[u8] {
        &self.spelling
    }

    /// The name that the mailslot has in the namespace.
    #[must_use]
    pub fn object(&self, scope: Scope) -> ObjectName {
        ObjectName { scope, rest: self.folded.clone() }
    }
}

impl ObjectName {
    /// Puts the name of a mailslot together again from what its entry says, as
    /// [`ObjectName::from_pipe_parts`] does for a pipe's.
    ///
    /// # Errors
    /// `ERROR_INVALID_NAME` when no mailslot can have this name.
    pub fn from_mailslot_parts(scope: Scope, rest: &[u8]) -> Result<ObjectName, Code> {
        from_folded(scope, rest, MAX_UNITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Result<MailslotName, Code> {
        MailslotName::parse(name, "machine7")
    }

    fn local(name: &str) -> LocalMailslot {
        parse(name).and_then(MailslotName::for_server).expect(name)
    }

    /// S1
    #[test]
    fn case_and_kind_of_slash_do_not_count_and_paths_are_text() {
        let name = local(r"\\.\mailslot\some\path\Slot");
        for other in [
            r"\\.\MAILSLOT\SOME\PATH\SLOT",
            "//./mailslot/some/path/slot",
            r"\\localhost\mailslot\some\path\slot",
        ] {
            assert_eq!(local(other), name, "{other}");
        }
        assert_eq!(name.spelling(), br"some\path\Slot");
        assert_ne!(local(r"\\Machine7\mailslot\slot"), name);
        assert!(!name.object(Scope::Local).file_name().contains(['/', '\\']));
        let again = ObjectName::from_mailslot_parts(Scope::Local, name.object(Scope::Local).rest());
        assert_eq!(again, Ok(name.object(Scope::Local)));
    }

    /// S4, S7: others' mailslots can be written to, where that is switched on, and never served.
    #[test]
    fn names_of_other_computers_are_known_as_such() {
        for (name, target) in [(r"\\*\mailslot\x", "*"), (r"\\domain\mailslot\x", "domain")] {
            let parsed = parse(name).unwrap();
            assert_eq!(parsed, MailslotName::Remote { target: target.into(), name: b"x".to_vec() });
            assert_eq!(parsed.for_server().err(), Some(Code::PATH_NOT_FOUND));
        }
    }

    #[test]
    fn what_is_no_mailslots_name_is_refused() {
        for name in ["", "plain", r"\\.\pipe\x", r"\\.\mailslot\", r"\\.\mailslot", "\\\\.\\mailslot\\a\0b"] {
            assert_eq!(parse(name).err(), Some(Code::INVALID_NAME), "{name:?}");
        }
        let meant = |name: &str| MailslotName::is_meant(&name.encode_utf16().collect::<Vec<u16>>());
        assert!(meant(r"\\.\mailslot\x") && meant("//*/MAILSLOT/x"));
        assert!(!meant(r"\\.\pipe\x") && !meant(r"C:\mailslot\x"));
    }
}
