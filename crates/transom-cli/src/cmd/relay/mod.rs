//! `transom relay`, and what `transom pipe listen` and `connect` are made of: two sides, and what comes from
//! one goes to the other.

mod frame;
mod place;
mod side;
mod transfer;

use std::io::{self, Write};
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use serde::Serialize;
use transom::pipe::{Listener, ServerOptions};
use transom::security::Security;

pub use place::{Place, pipe_name};

use crate::args::{Eof, RelayArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{FAINT, Output, Report};
use crate::system;
use crate::units;
use side::Side;
pub use side::{Manner, Socket};
use transfer::{Outcome, Total, join};

/// What joins two sides, whichever command asked for it.
pub struct Relay {
    pub first: Place,
    pub second: Place,
    pub manner: Manner,
    /// A pipe that listens is one of messages.
    pub message: bool,
    /// Its quota in bytes, each way.
    pub quota: u32,
    pub everyone: bool,
    pub once: bool,
    pub max: u32,
    pub stats: bool,
}

/// Runs `transom relay`.
pub fn run(args: &RelayArgs, output: &Output) -> Result<i32, Failure> {
    let relay = Relay {
        first: args.first.clone(),
        second: args.second.clone(),
        manner: Manner { frame: args.frame, eof: args.eof, wait: args.wait.or_not_at_all() },
        message: args.message,
        quota: 64 << 10,
        everyone: args.everyone,
        once: args.once,
        max: args.max,
        stats: args.stats,
    };
    relay.run(output)
}

impl Relay {
    /// Joins the two sides, once or for each connection that comes to the first.
    pub fn run(self, output: &Output) -> Result<i32, Failure> {
        if self.second.listens() {
            return Err(Failure::usage("only the first side of a relay may listen")
                .hint("write the side that listens first"));
        }
        if self.first == Place::Streams && self.second == Place::Streams {
            return Err(Failure::usage("standard input and output are joined already"));
        }
        if self.first.listens() {
            return self.serve(output);
        }
        let first = side::open(&self.first, self.manner, self.eof_of(&self.second))?;
        let outcome = self.connect(first)?;
        self.finish(output, &outcome)
    }

    /// What the end of `place`'s input means to the other side.
    fn eof_of(&self, place: &Place) -> Eof {
        self.manner.eof.unwrap_or_else(|| side::usual_eof(place))
    }

    /// Opens the second side for a first one that is open, and joins them.
    fn connect(&self, first: Side) -> Result<Outcome, Failure> {
        let second = side::open(&self.second, self.manner, self.eof_of(&self.first))?;
        join(first, second)
            .map_err(|error| Failure::new(Exit::Resources, format!("cannot start a thread: {error}")))
    }

    /// Reports the only connection, or the last one.
    fn finish(&self, output: &Output, outcome: &Outcome) -> Result<i32, Failure> {
        match &outcome.error {
            Some(error) => Err(Failure::new(Exit::General, format!("the connection broke: {error}"))),
            None => {
                if self.stats {
                    Stats::of("total", outcome).print(output);
                }
                Ok(Exit::Ok.code())
            }
        }
    }

    /// Takes connections until the command is stopped.
    fn serve(self, output: &Output) -> Result<i32, Failure> {
        let door = Door::open(&self)?;
        // To standard error, for standard output may be a side; whoever started this may wait for the line.
        output.note(&format!("listening at {}", self.first));
        let (relay, room) = (Arc::new(self), Arc::new(Room::default()));
        loop {
            // One client after the other where both would use the same standard streams.
            let most = if relay.second == Place::Streams { 1 } else { relay.max };
            room.enter(most);
            let first = match door.accept(&relay) {
                Ok(side) => side,
                Err(failure) => {
                    room.leave();
                    return Err(failure);
                }
            };
            if relay.once {
                let outcome = relay.connect(first)?;
                return relay.finish(output, &outcome);
            }
            let began = Instant::now();
            let (relay, inside, output) = (relay.clone(), room.clone(), output.clone());
            let work = move || {
                match relay.connect(first) {
                    Ok(outcome) => relay.report(&output, &outcome, began),
                    // This client goes unserved; the next may be luckier.
                    Err(failure) => drop(output.failure(&failure)),
                }
                inside.leave();
            };
            if let Err(error) = thread::Builder::new().name("relay".to_owned()).spawn(work) {
                room.leave();
                return Err(Failure::new(Exit::Resources, format!("cannot start a thread: {error}")));
            }
        }
    }

    fn report(&self, output: &Output, outcome: &Outcome, began: Instant) {
        if let Some(error) = &outcome.error {
            output.note(&format!("a connection broke: {error}"));
        }
        if self.stats {
            let stats =
                Stats { seconds: Some(began.elapsed().as_secs_f64()), ..Stats::of("connection", outcome) };
            stats.print(output);
        }
    }
}

/// How many connections there are.
#[derive(Default)]
struct Room {
    inside: Mutex<u32>,
    left: Condvar,
}

impl Room {
    /// Waits until fewer than `most` are inside, and enters.
    fn enter(&self, most: u32) {
        let inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inside =
            self.left.wait_while(inside, |inside| *inside >= most).unwrap_or_else(PoisonError::into_inner);
        *inside += 1;
    }

    fn leave(&self) {
        *self.inside.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.left.notify_one();
    }
}

/// Where connections come in.
enum Door {
    Pipe { listener: Listener, messages: bool },
    Unix(system::UnixListener),
    Tcp(TcpListener),
}

impl Door {
    fn open(relay: &Relay) -> Result<Door, Failure> {
        let failed = |error: io::Error| {
            Failure::new(Exit::General, format!("cannot listen at {}: {error}", relay.first))
        };
        match &relay.first {
            Place::PipeListen(name) => {
                let mut options = ServerOptions::new(name)
                    .message(relay.message)
                    .first_instance(true)
                    .in_size(relay.quota)
                    .out_size(relay.quota)
                    .max_instances(relay.max);
                if relay.everyone {
                    options = options.security(Security::everyone());
                }
                Ok(Door::Pipe { listener: Listener::bind(options)?, messages: relay.message })
            }
            Place::UnixListen(path) => system::listen_unix(path).map(Door::Unix).map_err(failed),
            Place::TcpListen(address) => TcpListener::bind(address).map(Door::Tcp).map_err(failed),
            _ => Err(Failure::usage(format!("{} does not listen", relay.first))),
        }
    }

    fn accept(&self, relay: &Relay) -> Result<Side, Failure> {
        let frame = relay.manner.frame;
        let failed =
            |error: io::Error| Failure::new(Exit::General, format!("cannot take a connection: {error}"));
        match self {
            Door::Pipe { listener, messages } => {
                Ok(side::server(listener.accept()?, *messages, relay.eof_of(&relay.second)))
            }
            Door::Unix(listener) => {
                listener.accept().and_then(|(stream, _)| side::socket(stream, frame)).map_err(failed)
            }
            Door::Tcp(listener) => {
                listener.accept().and_then(|(stream, _)| side::socket(stream, frame)).map_err(failed)
            }
        }
    }
}

/// What went through.
#[derive(Debug, Serialize)]
struct Stats {
    what: &'static str,
    forth: Total,
    back: Total,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
}

impl Stats {
    fn of(what: &'static str, outcome: &Outcome) -> Stats {
        Stats { what, forth: outcome.forth, back: outcome.back, seconds: None }
    }

    /// To standard error: standard output may be one of the sides.
    fn print(&self, output: &Output) {
        let mut err = anstream::stderr().lock();
        // Statistics that nobody reads are no reason to end.
        let _ = if output.is_json() {
            serde_json::to_writer(&mut err, self).map_err(io::Error::from).and_then(|()| err.write_all(b"\n"))
        } else {
            self.text(&mut err)
        };
    }
}

impl Report for Stats {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let way = |total: Total| match total.messages {
            0 => units::readable(total.bytes),
            messages => format!("{} in {messages} messages", units::readable(total.bytes)),
        };
        let time = self.seconds.map(|seconds| format!(", {seconds:.3} s")).unwrap_or_default();
        writeln!(
            out,
            "{FAINT}{}:{FAINT:#} {} forth, {} back{time}",
            self.what,
            way(self.forth),
            way(self.back)
        )
    }
}
