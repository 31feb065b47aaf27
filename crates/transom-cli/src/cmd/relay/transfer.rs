//! One connection: two directions, each in a thread of its own, until both have ended.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::side::{Side, Sink, Source, Taken};

/// What went through in one direction.
#[derive(Debug, Default)]
pub struct Count {
    bytes: AtomicU64,
    messages: AtomicU64,
}

impl Count {
    fn add(&self, taken: Taken, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.messages.fetch_add(u64::from(taken == Taken::Message), Ordering::Relaxed);
    }

    /// As it stands now.
    pub fn total(&self) -> Total {
        Total { bytes: self.bytes.load(Ordering::Relaxed), messages: self.messages.load(Ordering::Relaxed) }
    }
}

/// Bytes and messages.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Total {
    pub bytes: u64,
    pub messages: u64,
}

impl std::ops::AddAssign for Total {
    fn add_assign(&mut self, other: Total) {
        self.bytes += other.bytes;
        self.messages += other.messages;
    }
}

/// What a connection came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// From the first side to the second.
    pub forth: Total,
    /// From the second side to the first.
    pub back: Total,
    /// What went wrong, if anything did that is not just an end.
    pub error: Option<io::Error>,
}

/// How a direction ended.
struct Ended {
    /// The whole connection is over.
    whole: bool,
    error: Option<io::Error>,
}

/// How often a thread that should end is told so again: it may have been between two waits.
const AGAIN: Duration = Duration::from_millis(20);

/// Joins two sides until both directions have ended.
pub fn join(mut first: Side, mut second: Side) -> io::Result<Outcome> {
    let counts = Arc::new((Count::default(), Count::default()));
    let (sender, ended) = mpsc::channel();
    let mut running = 0;
    let directions =
        [(first.source.take(), second.sink.take(), true), (second.source.take(), first.sink.take(), false)];
    for (source, sink, forth) in directions {
        let (Some(mut source), Some(mut sink)) = (source, sink) else { continue };
        let (sender, counts) = (sender.clone(), counts.clone());
        let count =
            move |taken, bytes| if forth { counts.0.add(taken, bytes) } else { counts.1.add(taken, bytes) };
        let name = if forth { "relay-forth" } else { "relay-back" };
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            let result = copy(&mut *source, &mut *sink, &count);
            // Nobody listens any more if the connection was given up.
            let _ = sender.send(result);
        })?;
        running += 1;
    }
    drop(sender);
    let error = settle(&ended, running, &first, &second);
    first.stop.finish();
    second.stop.finish();
    Ok(Outcome { forth: counts.0.total(), back: counts.1.total(), error })
}

/// Waits until all directions have ended, and sees to it that they do once one says that everything is over.
fn settle(ended: &Receiver<Ended>, mut running: usize, first: &Side, second: &Side) -> Option<io::Error> {
    let mut stopping = false;
    let mut error = None;
    while running > 0 {
        let next = if stopping {
            first.stop.stop();
            second.stop.stop();
            ended.recv_timeout(AGAIN)
        } else {
            ended.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match next {
            Ok(one) => {
                running -= 1;
                // What fails after the stop fails because of it.
                if !stopping {
                    error = one.error;
                }
                stopping |= one.whole;
            }
            Err(RecvTimeoutError::Timeout) if first.stop.reaches_reads() && second.stop.reaches_reads() => {}
            // Standard input cannot be made to return: its thread ends with the process.
            Err(_) => break,
        }
    }
    error
}

fn copy(source: &mut dyn Source, sink: &mut dyn Sink, count: &dyn Fn(Taken, usize)) -> Ended {
    let mut buffer = Vec::new();
    loop {
        let taken = match source.next(&mut buffer) {
            Ok(taken) => taken,
            Err(error) => return Ended { whole: true, error: real(error) },
        };
        let written = match taken {
            Taken::Bytes => sink.bytes(&buffer),
            Taken::Message => sink.message(&buffer),
            Taken::End => {
                return match sink.end() {
                    Ok(whole) => Ended { whole, error: None },
                    Err(error) => Ended { whole: true, error: real(error) },
                };
            }
        };
        if let Err(error) = written {
            return Ended { whole: true, error: real(error) };
        }
        count(taken, buffer.len());
    }
}

/// A peer that went away ends a connection and is no failure.
fn real(error: io::Error) -> Option<io::Error> {
    let gone = [
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::NotConnected,
    ];
    let code =
        error.get_ref().and_then(|source| source.downcast_ref::<transom::Error>()).map(transom::Error::code);
    let ended = matches!(code, Some(transom::Code::PIPE_NOT_CONNECTED | transom::Code::OPERATION_ABORTED));
    (!gone.contains(&error.kind()) && !ended).then_some(error)
}
