//! `transom pipe …`

use std::io;
use std::time::Instant;

use serde::Serialize;
use transom::Code;
use transom::pipe::{self, ClientOptions, InstanceWait};

use crate::args::{
    Frame, PipeCallArgs, PipeCommand, PipeConnectArgs, PipeListenArgs, PipePeekArgs, PipeWaitArgs,
};
use crate::cmd::dump::hex_lines;
use crate::cmd::event::Done;
use crate::cmd::pipes;
use crate::cmd::relay::{Manner, Place, Relay, pipe_name};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keep::{SHORTEST, pause};
use crate::output::{Output, Report, printable};
use crate::payload::payload;
use crate::units;

/// Runs a `pipe` command.
pub fn run(command: PipeCommand, output: &Output) -> Result<i32, Failure> {
    match command {
        PipeCommand::Listen(args) => listen(&args, output),
        PipeCommand::Connect(args) => connect(&args, output),
        PipeCommand::Call(args) => call(&args, output),
        PipeCommand::Peek(args) => peek(&args, output),
        PipeCommand::Wait(args) => wait(&args, output),
        PipeCommand::List(args) => pipes::run(&args, output),
    }
}

fn listen(args: &PipeListenArgs, output: &Output) -> Result<i32, Failure> {
    let second = args.exec.clone().map_or(Place::Streams, Place::Exec);
    let quota = u32::try_from(args.quota)
        .map_err(|_| Failure::usage(format!("a quota of {} does not fit: 4 GiB - 1 at most", args.quota)))?;
    let relay = Relay {
        first: Place::PipeListen(pipe_name(&args.name)),
        second,
        manner: Manner { frame: args.frame, eof: args.eof, wait: InstanceWait::Default },
        message: args.message || args.frame != Frame::None,
        quota,
        everyone: args.everyone,
        once: args.once,
        max: args.max,
        stats: args.stats,
    };
    relay.run(output)
}

fn connect(args: &PipeConnectArgs, output: &Output) -> Result<i32, Failure> {
    let relay = Relay {
        first: Place::Streams,
        second: Place::Pipe(pipe_name(&args.name)),
        manner: Manner { frame: args.frame, eof: args.eof, wait: args.wait.or_not_at_all() },
        message: false,
        quota: 0,
        everyone: false,
        once: true,
        max: 1,
        stats: args.stats,
    };
    relay.run(output)
}

/// The longest answer that is taken.
const LONGEST_ANSWER: usize = 64 << 20;

fn call(args: &PipeCallArgs, output: &Output) -> Result<i32, Failure> {
    let request = payload(args.text.as_deref(), args.hex.as_deref(), args.file.as_deref())?;
    let name = pipe_name(&args.name);
    // Message read mode, as CallNamedPipe has it; a longer answer is read to its end, which that cannot.
    let client =
        ClientOptions::new(&name).wait(args.wait.or_default()).message_read(true).open().map_err(of_bytes)?;
    let mut answer = vec![0; 64 << 10];
    let first = client.pipe().transact_timeout(&request, &mut answer, args.limit.timeout)?;
    let (mut length, mut complete) = (first.len, first.complete);
    while !complete {
        if length >= LONGEST_ANSWER {
            return Err(Failure::new(Exit::Resources, "the answer is longer than 64 MiB"));
        }
        answer.resize(2 * answer.len(), 0);
        let more = client.pipe().receive_message(&mut answer[length..])?;
        length += more.len;
        complete = more.complete;
    }
    answer.truncate(length);
    output.report(&Answer { name: &name, bytes: length, hex: units::to_hex(&answer), answer })?;
    Ok(Exit::Ok.code())
}

/// Message read mode is refused with a code that says nothing about the reason.
fn of_bytes(error: transom::Error) -> Failure {
    let is_bytes = error.code() == Code::INVALID_PARAMETER;
    let failure = Failure::from(error);
    if is_bytes {
        return failure.hint("a call needs a pipe of messages; `transom pipe connect` talks to one of bytes");
    }
    failure
}

/// The answer to a call.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    name: &'a str,
    bytes: usize,
    hex: String,
    #[serde(skip)]
    answer: Vec<u8>,
}

impl Report for Answer<'_> {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        out.write_all(&self.answer)
    }
}

fn peek(args: &PipePeekArgs, output: &Output) -> Result<i32, Failure> {
    let name = pipe_name(&args.name);
    let client = ClientOptions::new(&name).write(false).wait(args.wait.or_not_at_all()).open()?;
    let message = client.pipe().info().is_ok_and(|info| info.is_message_type());
    let began = Instant::now();
    let mut bytes = vec![0; 64 << 10];
    let seen = loop {
        let seen = client.pipe().peek(&mut bytes)?;
        // Looking has no event: the call takes what is there, so this looks again.
        if seen.available > 0 || began.elapsed() >= args.timeout {
            break seen;
        }
        pause(10 * SHORTEST);
    };
    bytes.truncate(seen.copied);
    let first_message = message.then_some(seen.copied + seen.left);
    let hex = units::to_hex(&bytes);
    output.report(&Seen { name: &name, available: seen.available, first_message, hex, bytes })?;
    Ok(Exit::Ok.code())
}

/// What is unread in a pipe.
#[derive(Debug, Serialize)]
struct Seen<'a> {
    name: &'a str,
    /// All unread bytes.
    available: usize,
    /// Bytes of the first message, on a pipe of messages.
    first_message: Option<usize>,
    /// What was copied, in hexadecimal.
    hex: String,
    #[serde(skip)]
    bytes: Vec<u8>,
}

impl Report for Seen<'_> {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let first = match self.first_message {
            Some(length) if self.available > 0 => format!(", the first message has {length}"),
            _ => String::new(),
        };
        writeln!(out, "{}: {} bytes unread{first}", printable(self.name), self.available)?;
        hex_lines(out, &self.bytes)
    }
}

fn wait(args: &PipeWaitArgs, output: &Output) -> Result<i32, Failure> {
    let name = pipe_name(&args.name);
    pipe::wait(&name, args.timeout.map_or(InstanceWait::Default, InstanceWait::AtMost))?;
    output.report(&Done { name: &name, result: "listening" })?;
    Ok(Exit::Ok.code())
}
