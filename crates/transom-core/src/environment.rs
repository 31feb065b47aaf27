//! Environment blocks: ordered `NAME=value` entries (process.md, rules R15 to R18).
//!
//! Names compare without regard to ASCII case and keep the spelling they were first given (R15).
//! Linux can hand over names that differ only in case (`http_proxy` and `HTTP_PROXY`); both are
//! kept, and a name that is spelt exactly like an entry means that entry before any other.
//!
//! Entries are bytes in the form of [`crate::text`]. An entry that begins with `=` (Windows keeps
//! the current directory of each drive so, R18) or has no `=` at all is *hidden*: it is handed on
//! with the block, and nothing else here sees it.

use alloc::vec::Vec;

use crate::code::Code;
use crate::text;

/// The environment of a process, or of one to be started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// The whole entry, `NAME=value`; no NUL inside, never empty.
    bytes: Vec<u8>,
    /// How long the name is; `None` marks a hidden entry.
    name_len: Option<usize>,
}

impl Environment {
    /// An environment without entries.
    #[must_use]
    pub const fn new() -> Environment {
        Environment { entries: Vec::new() }
    }

    /// Collects entries of the form `NAME=value`, as Linux hands them over.
    ///
    /// An entry ends at its first NUL; empty ones are left out, since a block cannot hold them.
    pub fn from_entries<I>(entries: I) -> Environment
    where
        I: IntoIterator,
        I::Item: AsRef<[u8]>,
    {
        let entries = entries.into_iter().filter_map(|entry| {
            let bytes = entry.as_ref();
            let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
            Entry::new(&bytes[..end])
        });
        Environment { entries: entries.collect() }
    }

    /// Reads a narrow block: entries that end with NUL each, and an empty one at the end (R17).
    ///
    /// What follows the empty entry is not looked at; a block that breaks off ends there.
    #[must_use]
    pub fn from_block(block: &[u8]) -> Environment {
        let entries = block.split(|&byte| byte == 0).map_while(Entry::new);
        Environment { entries: entries.collect() }
    }

    /// Reads a block of 16-bit units, as with `CREATE_UNICODE_ENVIRONMENT` (R17).
    #[must_use]
    pub fn from_block16(block: &[u16]) -> Environment {
        let entries = block.split(|&unit| unit == 0).map_while(|units| Entry::new(&text::from_utf16(units)));
        Environment { entries: entries.collect() }
    }

    /// The narrow block: each entry and a NUL, then one more NUL. An empty environment is two.
    #[must_use]
    pub fn to_block(&self) -> Vec<u8> {
        let mut block = Vec::new();
        for entry in &self.entries {
            block.extend_from_slice(&entry.bytes);
            block.push(0);
        }
        if block.is_empty() {
            block.push(0);
        }
        block.push(0);
        block
    }

    /// The same block in 16-bit units.
    #[must_use]
    pub fn to_block16(&self) -> Vec<u16> {
        text::to_utf16(&self.to_block())
    }

    /// `GetEnvironmentVariable`: the value of a name; an empty value is a value.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let entry = &self.entries[self.find(name)?];
        entry.value()
    }

    /// `SetEnvironmentVariable`: gives a name a value. An entry that exists keeps its place and the
    /// spelling of its name; a new one goes to the end.
    ///
    /// # Errors
    ///
    /// `ERROR_INVALID_PARAMETER` when the name is empty or contains `=`, or when name or value
    /// contain NUL, which no block can carry.
    pub fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), Code> {
        check_name(name)?;
        if value.contains(&0) {
            return Err(Code::INVALID_PARAMETER);
        }
        if let Some(at) = self.find(name) {
            let entry = &mut self.entries[at];
            // find() returns only entries with a name, so this cuts behind its '='.
            let keep = entry.name_len.map_or(0, |len| len + 1);
            entry.bytes.truncate(keep);
            entry.bytes.extend_from_slice(value);
        } else {
            let mut bytes = Vec::with_capacity(name.len() + 1 + value.len());
            bytes.extend_from_slice(name);
            bytes.push(b'=');
            bytes.extend_from_slice(value);
            self.entries.push(Entry { bytes, name_len: Some(name.len()) });
        }
        Ok(())
    }

    /// `SetEnvironmentVariable` with NULL: removes a name in every spelling. Says whether it was
    /// there.
    ///
    /// # Errors
    ///
    /// `ERROR_INVALID_PARAMETER` for a name that [`set`](Self::set) refuses.
    pub fn remove(&mut self, name: &[u8]) -> Result<bool, Code> {
        check_name(name)?;
        let before = self.entries.len();
        self.entries.retain(|entry| !entry.is_named(name));
        Ok(self.entries.len() < before)
    }

    /// Names and values in order, without the hidden entries.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries.iter().filter_map(|entry| Some((entry.name()?, entry.value()?)))
    }

    /// Every entry as `NAME=value`, in order, the hidden ones included: what a child gets.
    pub fn entries(&self) -> impl Iterator<Item = &[u8]> {
        self.entries.iter().map(|entry| entry.bytes.as_slice())
    }

    /// How many names there are, hidden entries not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `ExpandEnvironmentStrings`: puts values in place of `%NAME%`.
    ///
    /// A name that is not set stays as it is written, with both percent signs; so does a percent
    /// sign that no other follows. Values are not expanded again.
    #[must_use]
    pub fn expand(&self, source: &[u8]) -> Vec<u8> {
        let mut expanded = Vec::with_capacity(source.len());
        let mut rest = source;
        while let Some(start) = rest.iter().position(|&byte| byte == b'%') {
            let after = &rest[start + 1..];
            let Some(len) = after.iter().position(|&byte| byte == b'%') else {
                break;
            };
            expanded.extend_from_slice(&rest[..start]);
            match self.get(&after[..len]) {
                Some(value) => expanded.extend_from_slice(value),
                None => expanded.extend_from_slice(&rest[start..start + len + 2]),
            }
            rest = &after[len + 1..];
        }
        expanded.extend_from_slice(rest);
        expanded
    }

    /// The entry a name means: the one spelt like it, else the first that differs only in case.
    fn find(&self, name: &[u8]) -> Option<usize> {
        let exact = self.entries.iter().position(|entry| entry.name() == Some(name));
        exact.or_else(|| self.entries.iter().position(|entry| entry.is_named(name)))
    }
}

impl Entry {
    /// `None` for the empty entry, which ends a block.
    fn new(bytes: &[u8]) -> Option<Entry> {
        if bytes.is_empty() {
            return None;
        }
        let name_len = bytes.iter().position(|&byte| byte == b'=').filter(|&len| len > 0);
        Some(Entry { bytes: bytes.to_vec(), name_len })
    }

    fn name(&self) -> Option<&[u8]> {
        self.name_len.map(|len| &self.bytes[..len])
    }

    fn value(&self) -> Option<&[u8]> {
        self.name_len.map(|len| &self.bytes[len + 1..])
    }

    fn is_named(&self, name: &[u8]) -> bool {
        self.name().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }
}

fn check_name(name: &[u8]) -> Result<(), Code> {
    if name.is_empty() || name.iter().any(|&byte| byte == b'=' || byte == 0) {
        return Err(Code::INVALID_PARAMETER);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn sample() -> Environment {
        Environment::from_block(b"=C:=C:\\dir\0Path=/bin\0EMPTY=\0A=b=c\0\0")
    }

    /// R15: names compare without case but keep their spelling.
    #[test]
    fn names_compare_without_case_and_keep_their_spelling() {
        let mut env = sample();
        assert_eq!(env.get(b"PATH"), Some(&b"/bin"[..]));
        env.set(b"PATH", b"/usr/bin").unwrap();
        assert_eq!(env.get(b"path"), Some(&b"/usr/bin"[..]));
        assert_eq!(env.iter().next(), Some((&b"Path"[..], &b"/usr/bin"[..])));
        assert_eq!(env.len(), 3);
    }

    /// R15: values may contain '=' and may be empty, which is not the same as missing.
    #[test]
    fn values_may_be_empty_or_hold_an_equals_sign() {
        let env = sample();
        assert_eq!(env.get(b"EMPTY"), Some(&b""[..]));
        assert_eq!(env.get(b"A"), Some(&b"b=c"[..]));
        assert_eq!(env.get(b"MISSING"), None);
    }

    /// R15 on Linux: an exact spelling comes first.
    #[test]
    fn names_that_differ_only_in_case_are_both_kept() {
        let mut env = Environment::from_entries(["http_proxy=a", "HTTP_PROXY=b"]);
        assert_eq!(env.get(b"http_proxy"), Some(&b"a"[..]));
        assert_eq!(env.get(b"HTTP_PROXY"), Some(&b"b"[..]));
        assert_eq!(env.get(b"Http_Proxy"), Some(&b"a"[..]));
        env.set(b"HTTP_PROXY", b"c").unwrap();
        assert_eq!(env.to_block(), b"http_proxy=a\0HTTP_PROXY=c\0\0");
        assert_eq!(env.remove(b"Http_Proxy"), Ok(true));
        assert!(env.is_empty());
    }

    /// Section 2: name empty or containing '=' is 87.
    #[test]
    fn bad_names_are_invalid_parameters() {
        let mut env = sample();
        let before = env.clone();
        for name in [&b""[..], b"=", b"=C:", b"A=B", b"A\0"] {
            assert_eq!(env.set(name, b"x"), Err(Code::INVALID_PARAMETER));
            assert_eq!(env.remove(name), Err(Code::INVALID_PARAMETER));
        }
        assert_eq!(env.set(b"A", b"x\0y"), Err(Code::INVALID_PARAMETER));
        assert_eq!(env, before);
    }

    #[test]
    fn removing_says_whether_the_name_was_there() {
        let mut env = sample();
        assert_eq!(env.remove(b"path"), Ok(true));
        assert_eq!(env.remove(b"path"), Ok(false));
        assert_eq!(env.get(b"Path"), None);
    }

    /// R18: hidden entries are skipped, and handed on.
    #[test]
    fn hidden_entries_are_handed_on_but_not_seen() {
        let env = Environment::from_block(b"=C:=C:\\dir\0odd\0B=1\0\0");
        assert_eq!(env.get(b"=C:"), None);
        assert_eq!(env.get(b""), None);
        assert_eq!(env.get(b"odd"), None);
        assert_eq!(env.len(), 1);
        assert_eq!(env.to_block(), b"=C:=C:\\dir\0odd\0B=1\0\0");
        assert_eq!(env.entries().count(), 3);
    }

    /// R17: blocks end with two terminators.
    #[test]
    fn an_empty_block_is_two_terminators() {
        assert_eq!(Environment::new().to_block(), b"\0\0");
        assert_eq!(Environment::new().to_block16(), [0, 0]);
        assert_eq!(Environment::from_block(b"\0\0"), Environment::new());
        assert_eq!(Environment::from_block(b""), Environment::new());
    }

    /// R17: the child has exactly what is in the block, and nothing from behind its end.
    #[test]
    fn nothing_behind_the_end_of_a_block_is_read() {
        let env = Environment::from_block(b"A=1\0\0B=2\0\0");
        assert_eq!(env.to_block(), b"A=1\0\0");
        let cut_off = Environment::from_block(b"A=1\0B=");
        assert_eq!(cut_off.to_block(), b"A=1\0B=\0\0");
    }

    #[test]
    fn wide_and_narrow_blocks_hold_the_same() {
        let wide: Vec<u16> = "Grüße=🦀\0A=1\0\0".encode_utf16().collect();
        let env = Environment::from_block16(&wide);
        assert_eq!(env, Environment::from_block("Grüße=🦀\0A=1\0\0".as_bytes()));
        assert_eq!(env.to_block16(), wide);
        let lone = vec![0x41, 0x3D, 0xD800, 0, 0];
        assert_eq!(Environment::from_block16(&lone).to_block16(), lone);
    }

    /// Section 1: unknown %NAME% stays as it is.
    #[test]
    fn known_names_expand_and_unknown_ones_stay() {
        let env = sample();
        assert_eq!(env.expand(b"a %PATH%;%path% b"), b"a /bin;/bin b");
        assert_eq!(env.expand(b"%NOPE% %A%"), b"%NOPE% b=c");
        assert_eq!(env.expand(b"[%EMPTY%]"), b"[]");
        assert_eq!(env.expand(b"100%"), b"100%");
        assert_eq!(env.expand(b"%%"), b"%%");
        assert_eq!(env.expand(b"%A%%A%%"), b"b=cb=c%");
        assert_eq!(env.expand(b"%=C:%"), b"%=C:%");
        assert_eq!(env.expand(b""), b"");
    }

    #[test]
    fn values_are_not_expanded_again() {
        let mut env = Environment::new();
        env.set(b"A", b"%B%").unwrap();
        env.set(b"B", b"x").unwrap();
        assert_eq!(env.expand(b"%A%"), b"%B%");
    }
}
