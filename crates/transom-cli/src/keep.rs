//! Keeping a created object: its name lives as long as this process holds it.

use std::io::{self, Read};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::args::Keep;
use crate::child;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Report, printable};
use crate::system;
use crate::units;

/// The shortest time between two looks of a command that looks again and again.
pub const SHORTEST: Duration = Duration::from_millis(1);

/// What is printed once others can open the name.
#[derive(Debug, Serialize)]
pub struct Ready<'a> {
    /// The name as it was given.
    pub name: &'a str,
    /// `"mapping"`, `"event"`…
    pub kind: &'static str,
    /// Whether the name existed, so that it was opened and not created.
    pub existed: bool,
    /// Bytes of a section.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Who holds it: this process.
    pub process_id: u32,
    /// Until when, in words.
    kept: String,
}

impl<'a> Ready<'a> {
    /// The answer for an object that [`keep`] is about to keep.
    pub fn new(kind: &'static str, name: &'a str, existed: bool) -> Ready<'a> {
        Ready { name, kind, existed, size: None, process_id: std::process::id(), kept: String::new() }
    }
}

impl Report for Ready<'_> {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let size = self.size.map(|size| format!(" of {}", units::readable(size))).unwrap_or_default();
        let made = if self.existed { "opened (it exists)" } else { "created" };
        writeln!(out, "{} '{}'{size} {made}, kept {}", self.kind, printable(self.name), self.kept)
    }
}

/// Fails if the name was to be new and is not.
pub fn check_new(keep: &Keep, existed: bool, kind: &str, name: &str) -> Result<(), Failure> {
    if keep.new && existed {
        let failure = Failure::new(Exit::Exists, format!("the {kind} '{name}' exists already"));
        return Err(failure.hint("`transom who` shows who holds it; without --new it is opened"));
    }
    Ok(())
}

/// Keeps what the caller holds as long as it was asked to, and gives the exit code. `input_taken` says
/// that standard input was read to its end before.
pub fn keep(keep: &Keep, mut ready: Ready<'_>, input_taken: bool, output: &Output) -> Result<i32, Failure> {
    if !keep.command.is_empty() {
        // Nothing is printed: the output is the command's.
        return child::run(&keep.command);
    }
    // The null device has no end worth waiting for: scripts give it to background jobs.
    let until_input = !keep.hold && keep.duration.is_none() && !input_taken && !system::input_is_null();
    ready.kept = match keep.duration {
        Some(duration) => format!("for {duration:?}"),
        None if until_input => "until standard input closes".to_owned(),
        None => "until this process is stopped".to_owned(),
    };
    output.report(&ready)?;
    match keep.duration {
        Some(duration) => pause(duration),
        None if until_input => drain_input()?,
        None => loop {
            std::thread::park();
        },
    }
    Ok(Exit::Ok.code())
}

/// Lets time pass.
pub fn pause(duration: Duration) {
    let Some(end) = Instant::now().checked_add(duration) else {
        loop {
            std::thread::park();
        }
    };
    // Parking may end early for no reason, so what is left is worked out each time.
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}

/// Prints an answer, and again whenever it is another one, until this is stopped or its reader goes away.
pub fn report_changes<R: Report + PartialEq>(
    output: &Output,
    interval: Duration,
    take: impl Fn() -> Result<R, Failure>,
) -> Result<i32, Failure> {
    let mut last = take()?;
    output.report(&last)?;
    loop {
        pause(interval.max(SHORTEST));
        let next = take()?;
        if next != last {
            last = next;
            if !output.is_json() {
                output.text("\n")?;
            }
            output.report(&last)?;
        }
    }
}

/// Reads standard input to its end and forgets it.
fn drain_input() -> Result<(), Failure> {
    let mut input = io::stdin().lock();
    let mut buffer = [0; 4096];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Failure::input(&error)),
        }
    }
}
