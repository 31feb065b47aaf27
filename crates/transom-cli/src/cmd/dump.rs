//! `transom map dump`: bytes in hexadecimal and ASCII.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use transom::mapping::{Mapping, View};

use crate::args::MapDumpArgs;
use crate::cmd::map;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{FAINT, Output, Report};
use crate::units;

/// Prints a part of a section.
pub fn run(args: &MapDumpArgs, output: &Output) -> Result<i32, Failure> {
    let view = Mapping::open_read_only(&args.name)?.view_read_only()?;
    let (offset, length) = map::part(&args.part, view.len() as u64)?;
    let lines = Lines { view: &view, start: offset, end: offset + length, width: usize::from(args.width) };
    output.report(&Dump {
        name: &args.name,
        size: view.len() as u64,
        offset: offset as u64,
        length: length as u64,
        lines,
    })?;
    Ok(Exit::Ok.code())
}

#[derive(Serialize)]
struct Dump<'a> {
    name: &'a str,
    size: u64,
    offset: u64,
    length: u64,
    lines: Lines<'a>,
}

impl Report for Dump<'_> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let width = self.lines.width;
        for line in self.lines.iter() {
            let line = line?;
            hex_line(out, line.offset, &line.bytes, width)?;
            if line.repeats > 0 {
                writeln!(out, "*")?;
            }
        }
        writeln!(out, "{FAINT}{:08x}{FAINT:#}", self.lines.end)
    }
}

/// The lines of a dump, read from the view one by one: a section may be larger than memory to spare.
struct Lines<'a> {
    view: &'a View,
    start: usize,
    end: usize,
    width: usize,
}

impl Lines<'_> {
    fn iter(&self) -> LineIter<'_> {
        LineIter { lines: self, at: self.start }
    }
}

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, SerializeSeq};
        let mut sequence = serializer.serialize_seq(None)?;
        for line in self.iter() {
            sequence.serialize_element(&line.map_err(S::Error::custom)?)?;
        }
        sequence.end()
    }
}

/// A line, and how many equal ones follow it.
#[derive(Serialize)]
struct Line {
    offset: u64,
    #[serde(serialize_with = "hex")]
    bytes: Vec<u8>,
    repeats: u64,
}

fn hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&units::to_hex(bytes))
}

struct LineIter<'a> {
    lines: &'a Lines<'a>,
    at: usize,
}

impl LineIter<'_> {
    fn read(&self, at: usize) -> io::Result<Vec<u8>> {
        let length = self.lines.width.min(self.lines.end - at);
        Ok(self.lines.view.read_to_vec(at, length)?)
    }
}

impl Iterator for LineIter<'_> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<io::Result<Line>> {
        if self.at >= self.lines.end {
            return None;
        }
        let offset = self.at as u64;
        let bytes = match self.read(self.at) {
            Ok(bytes) => bytes,
            Err(error) => return Some(Err(error)),
        };
        self.at += bytes.len();
        let mut repeats = 0;
        // Only whole lines are folded; a short last one is always shown.
        while self.lines.end - self.at >= bytes.len() {
            match self.read(self.at) {
                Ok(next) if next == bytes => {
                    self.at += next.len();
                    repeats += 1;
                }
                _ => break,
            }
        }
        Some(Ok(Line { offset, bytes, repeats }))
    }
}

/// One line: offset, hexadecimal, ASCII.
fn hex_line(out: &mut dyn Write, offset: u64, bytes: &[u8], width: usize) -> io::Result<()> {
    write!(out, "{FAINT}{offset:08x}{FAINT:#} ")?;
    for column in 0..width {
        // A gap in the middle of each 16 helps counting.
        let gap = if column % 8 == 0 { " " } else { "" };
        match bytes.get(column) {
            Some(byte) => write!(out, "{gap}{byte:02x} ")?,
            None => write!(out, "{gap}   ")?,
        }
    }
    writeln!(out, " |{}|", ascii(bytes))
}

/// Bytes in lines of 16.
pub fn hex_lines(out: &mut dyn Write, bytes: &[u8]) -> io::Result<()> {
    for (number, line) in bytes.chunks(16).enumerate() {
        hex_line(out, 16 * number as u64, line, 16)?;
    }
    Ok(())
}

/// Printable ASCII as it is, dots for the rest.
pub fn ascii(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| if (0x20..0x7F).contains(&byte) { char::from(byte) } else { '.' }).collect()
}

#[cfg(test)]
mod tests {
    use super::ascii;

    #[test]
    fn only_printable_ascii_is_shown() {
        assert_eq!(ascii(b"a~ \x7f\x1b\xff\0"), "a~ ....");
    }
}
