//! `transom tour`: every mechanism at work between real processes.
//!
//! Each step starts this program again as `transom tour-child ROLE …` (see `child.rs`) and shows what
//! one process sees of what the other does. `memory.rs` has the steps about shared memory and handles,
//! `pipes.rs`, `mailslots.rs` and `messages.rs` those about what their names say, `signals.rs` those about
//! waiting, and `peer.rs` is how the other process is started, watched and ended.

mod child;
mod mailslots;
mod memory;
mod messages;
mod peer;
mod pipes;
mod signals;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::args::TourArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{BAD, FAINT, GOOD, HEAD, Output, Report};

pub use child::run as child;

/// No step waits longer than this for the other process: a tour that hangs shows nothing.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// One mechanism.
struct Step {
    title: &'static str,
    did: &'static str,
    /// Does it and tells what was seen.
    run: fn(&Stage) -> Result<String, Failure>,
}

const STEPS: &[Step] = &[
    Step {
        title: "named mapping",
        did: "created memory under a name; a child opened it by that name and answered in it",
        run: memory::named_mapping,
    },
    Step {
        title: "file-backed mapping",
        did: "mapped a file; a child mapped it too and wrote; then read the file as a file",
        run: memory::file_mapping,
    },
    Step {
        title: "named file mapping",
        did: "mapped a file under a name; a child that knows only the name wrote into it",
        run: memory::named_file_mapping,
    },
    Step {
        title: "inherited handle",
        did: "started a child with an inheritable handle to unnamed memory, told it the number",
        run: memory::inherited_handle,
    },
    Step {
        title: "duplicated handles",
        did: "put two handles into a running child, then took one out of it",
        run: memory::duplicated_handles,
    },
    Step {
        title: "guarded value",
        did: "read a value of 512 bytes while a child wrote it, then killed the child",
        run: memory::guarded_value,
    },
    Step {
        title: "anonymous pipe",
        did: "gave a child the write end as standard output and read to the end",
        run: memory::anonymous_pipe,
    },
    Step {
        title: "named pipe",
        did: "answered the questions of a child that knows only the pipe's name, message by message",
        run: pipes::messages,
    },
    Step {
        title: "many clients",
        did: "served four children at once by instances of one named pipe",
        run: pipes::many_clients,
    },
    Step {
        title: "a client is killed",
        did: "killed a child that had written to a named pipe, then read on",
        run: pipes::killed_client,
    },
    Step {
        title: "mailslot",
        did: "read what four children wrote into one mailslot at the same time",
        run: mailslots::many_writers,
    },
    Step {
        title: "window messages",
        did: "sent bytes to a child's window, which sent them back before it answered (WM_COPYDATA)",
        run: messages::both_ways,
    },
    Step {
        title: "a receiver is killed",
        did: "killed a child while its window handled a message",
        run: messages::killed_receiver,
    },
    Step {
        title: "event ping-pong",
        did: "handed the turn to a child and back by two auto-reset events",
        run: signals::ping_pong,
    },
    Step {
        title: "abandoned mutex",
        did: "waited for a mutex whose owner, a child, was killed",
        run: signals::abandoned_mutex,
    },
    Step {
        title: "bounded queue",
        did: "took numbers from a child through 8 places guarded by two semaphores",
        run: signals::bounded_queue,
    },
    Step {
        title: "wait for any and all",
        did: "waited for an event, a semaphore and a process in one call",
        run: signals::any_and_all,
    },
    Step {
        title: "a name vanishes",
        did: "killed the last process that held a name, then asked for it",
        run: signals::vanishing_name,
    },
];

/// What the steps share: a prefix that makes names this run's own, and a folder for files.
pub struct Stage {
    prefix: String,
    folder: PathBuf,
}

impl Stage {
    fn set() -> Result<Stage, Failure> {
        let prefix = format!("transom-tour-{}", std::process::id());
        let folder = std::env::temp_dir().join(&prefix);
        std::fs::create_dir(&folder).map_err(|error| Failure::file("create", &folder, &error))?;
        Ok(Stage { prefix, folder })
    }

    /// A name that no other run uses.
    fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.prefix)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A folder that stays behind in the folder for temporary files harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Runs the steps, printing each as it ends.
pub fn run(args: &TourArgs, output: &Output) -> Result<i32, Failure> {
    let stage = Stage::set()?;
    let start = Instant::now();
    let mut tour = Tour { ok: true, passed: 0, planned: STEPS.len(), milliseconds: 0.0, steps: Vec::new() };
    if !output.is_json() {
        output.text(&format!(
            "{HEAD}{} steps, each with at least one other process{HEAD:#}\n\n",
            STEPS.len()
        ))?;
    }
    for step in STEPS {
        let begin = Instant::now();
        let result = (step.run)(&stage);
        let record = Record::new(step, result, milliseconds(begin));
        if !output.is_json() {
            output.report(&record)?;
        }
        tour.ok &= record.ok;
        tour.passed += usize::from(record.ok);
        tour.steps.push(record);
        if !tour.ok && !args.keep_going {
            break;
        }
    }
    tour.milliseconds = milliseconds(start);
    output.report(&tour)?;
    Ok(if tour.ok { Exit::Ok.code() } else { Exit::General.code() })
}

fn milliseconds(since: Instant) -> f64 {
    // Microseconds are fine enough for people and short enough for JSON.
    (since.elapsed().as_secs_f64() * 1e6).round() / 1e3
}

/// A claim that has to hold for a step to pass.
pub fn expect(holds: bool, claim: impl Into<String>) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::new(Exit::General, claim)) }
}

/// The whole tour.
#[derive(Debug, Serialize)]
struct Tour {
    ok: bool,
    passed: usize,
    planned: usize,
    milliseconds: f64,
    steps: Vec<Record>,
}

impl Report for Tour {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let seconds = self.milliseconds / 1000.0;
        if self.ok {
            return writeln!(
                out,
                "{GOOD}all {} steps passed{GOOD:#} in {seconds:.2} s; nothing stays behind",
                self.passed
            );
        }
        let skipped = self.planned - self.steps.len();
        let failed = self.steps.len() - self.passed;
        writeln!(
            out,
            "{BAD}{failed} failed{BAD:#}, {} passed, {skipped} not tried, in {seconds:.2} s",
            self.passed
        )?;
        writeln!(out, "`transom doctor` checks this machine; --keep-going tries the other steps")
    }
}

/// One step, as it went.
#[derive(Debug, Serialize)]
struct Record {
    title: &'static str,
    ok: bool,
    milliseconds: f64,
    did: &'static str,
    saw: String,
}

impl Record {
    fn new(step: &Step, result: Result<String, Failure>, milliseconds: f64) -> Record {
        let ok = result.is_ok();
        let saw = result.unwrap_or_else(|failure| failure.message);
        Record { title: step.title, ok, milliseconds, did: step.did, saw }
    }
}

impl Report for Record {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let (style, word) = if self.ok { (GOOD, "ok") } else { (BAD, "FAILED") };
        let time = format!("{:.1} ms", self.milliseconds);
        writeln!(out, "{style}{word:<7}{style:#}{HEAD}{:<22}{HEAD:#}{time:>10}", self.title)?;
        writeln!(out, "       {FAINT}did{FAINT:#}  {}", self.did)?;
        writeln!(out, "       {FAINT}saw{FAINT:#}  {}\n", self.saw)
    }
}
