//! A worker as the measuring process sees it: a child that answers lines.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::sample::Sample;

/// How long a worker may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it may take to tidy up.
const FAREWELL: Duration = Duration::from_secs(2);

/// A running worker. Let go when dropped; its partner dies with it.
pub(super) struct Worker {
    child: Child,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
}

impl Worker {
    /// Starts a worker and waits until it can be asked.
    pub(super) fn start(mut command: Command) -> Result<Worker> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Error::new(format!("cannot run {program}: {error}")))?;
        let (Some(requests), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::new("a worker without streams"));
        };
        let (sender, answers) = channel();
        // A thread per worker, so that a silent one is noticed; it ends with the worker's output.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let worker = Worker { child, requests: Some(requests), answers };
        let line = worker.answer()?;
        match line.trim_end() {
            "ready" => Ok(worker),
            other => Err(other.strip_prefix("error ").map_or_else(
                || Error::new(format!("{program} said '{other}' instead of being ready")),
                Error::new,
            )),
        }
    }

    /// Has the worker do `count` operations.
    pub(super) fn ask(&mut self, count: u64) -> Result<Sample> {
        let requests = self.requests.as_mut().ok_or_else(|| Error::new("a worker that was let go"))?;
        writeln!(requests, "{count}").map_err(Error::of("ask a worker"))?;
        Sample::from_line(&self.answer()?)
    }

    fn answer(&self) -> Result<String> {
        self.answers
            .recv_timeout(PATIENCE)
            .map_err(|_| Error::new("a worker ended or said nothing for a minute"))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The end of its requests is the end of its work, and the end of its answers that of its life.
        drop(self.requests.take());
        while self.answers.recv_timeout(FAREWELL).is_ok() {}
        // It has ended by itself, or never will; either way nothing more can be done about it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
