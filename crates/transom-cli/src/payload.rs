//! The bytes that a command is to send.

use std::io::{self, Read};
use std::path::Path;

use crate::failure::Failure;
use crate::units;

/// What was given as text, in hexadecimal or in a file; else all of standard input.
pub fn payload(text: Option<&str>, hex: Option<&str>, file: Option<&Path>) -> Result<Vec<u8>, Failure> {
    match (text, hex, file) {
        (Some(text), ..) => Ok(text.as_bytes().to_vec()),
        (_, Some(hex), _) => units::hex(hex).map_err(Failure::usage),
        (.., Some(path)) => std::fs::read(path).map_err(|error| Failure::file("read", path, &error)),
        _ => all_input(),
    }
}

/// All of standard input.
pub fn all_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).map_err(|error| Failure::input(&error))?;
    Ok(bytes)
}
