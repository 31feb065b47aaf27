//! Output: one struct per answer, printed as text or as JSON.
//!
//! Text goes to people, so it is coloured on terminals and says nothing where nothing needs saying.
//! JSON goes to programs: always one object on one line.

use std::io::{self, Write};

use anstream::ColorChoice;
use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::failure::Failure;

/// Something that went wrong, or `transom:` in front of it.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// Something to notice.
pub const NOTE: Style = AnsiColor::Yellow.on_default().bold();
/// Something in order.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// Headings.
pub const HEAD: Style = Style::new().bold();
/// What is there for completeness.
pub const FAINT: Style = Style::new().dimmed();

/// An answer: serialised for JSON, printed by [`Report::text`] for people.
pub trait Report: Serialize {
    /// Prints the answer; nothing at all is a good answer too.
    fn text(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Where answers go, and in which form.
#[derive(Debug, Clone)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Output in JSON or text; colours as `color` says.
    pub fn new(json: bool, color: clap::ColorChoice) -> Output {
        let choice = match color {
            clap::ColorChoice::Auto => ColorChoice::Auto,
            clap::ColorChoice::Always => ColorChoice::Always,
            clap::ColorChoice::Never => ColorChoice::Never,
        };
        choice.write_global();
        Output { json }
    }

    /// Whether JSON was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints an answer and hands it on at once: a reader may be waiting for this line.
    pub fn report(&self, report: &impl Report) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        let printed = if self.json {
            serde_json::to_writer(&mut out, report)
                .map_err(io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
        } else {
            report.text(&mut out)
        };
        printed.and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
    }

    /// Prints plain text as it is.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        let mut out = anstream::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
    }

    /// A word to whoever watches, beside the answer.
    pub fn note(&self, message: &str) {
        // Nobody may be reading; the work goes on all the same.
        let _ = writeln!(anstream::stderr(), "transom: {NOTE}note:{NOTE:#} {message}");
    }

    /// Prints a failure and gives the exit code.
    pub fn failure(&self, failure: &Failure) -> i32 {
        if failure.reader_gone {
            return failure.exit_code;
        }
        let mut err = anstream::stderr().lock();
        // There is no better place to complain about a standard error that is closed.
        let _ = if self.json {
            let object = serde_json::json!({ "error": failure });
            writeln!(err, "{object}")
        } else {
            let hint = match &failure.hint {
                Some(hint) => format!("{NOTE}hint:{NOTE:#} {hint}\n"),
                None => String::new(),
            };
            write!(err, "{BAD}transom:{BAD:#} {}\n{hint}", failure.message)
        };
        failure.exit_code
    }
}

/// Prints rows in columns as wide as their widest cell; the first row is the heading.
pub fn table(out: &mut dyn Write, rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for (number, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        let line = line.trim_end();
        if number == 0 {
            writeln!(out, "{HEAD}{line}{HEAD:#}")?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// `text` without what could move a terminal's cursor: names and commands come from other processes.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let mut out = Vec::new();
        table(&mut out, &[row(["A", "B"]), row(["long", "x"])]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, format!("{HEAD}A     B{HEAD:#}\nlong  x\n"));
    }

    #[test]
    fn foreign_names_cannot_move_the_cursor() {
        assert_eq!(printable("a\u{1b}[2Jb"), "a\u{FFFD}[2Jb");
    }
}
