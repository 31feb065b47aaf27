//! Strings as they travel: their bytes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

pub(super) fn to_bytes(text: &OsStr) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// `None` never: any bytes are a string.
#[expect(clippy::unnecessary_wraps, reason = "on Windows not every number of bytes is a string")]
pub(super) fn from_bytes(bytes: &[u8]) -> Option<OsString> {
    Some(OsString::from_vec(bytes.to_vec()))
}
