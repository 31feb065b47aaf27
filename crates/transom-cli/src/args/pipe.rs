//! The arguments of `transom pipe`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use transom::pipe::InstanceWait;

use super::{Eof, Limit};
use crate::units;

/// `transom pipe …`
#[derive(Debug, Subcommand)]
pub enum PipeCommand {
    /// Create a named pipe and serve its clients (CreateNamedPipe, ConnectNamedPipe)
    #[command(after_help = "Examples:
  transom pipe listen greet --exec 'date'            what the program prints goes to the client
  transom pipe listen calc --exec 'bc -q' --max 8    at most 8 clients at a time
  transom pipe listen log --message --frame lines    every message as a line, one client after the other
  transom pipe listen inbox --once > received.bin    one client, then end
  transom CreateNamedPipe greet --exec date

Without --exec the client talks to this command's standard streams, and one client after the other is served. \
With --exec every client has a program of its own, whose standard input and output are the pipe.")]
    Listen(PipeListenArgs),

    /// Connect standard input and output to a named pipe (CreateFile)
    #[command(after_help = "Examples:
  transom pipe connect greet
  echo 6*7 | transom pipe connect calc
  transom pipe connect log --frame lines < lines.txt     every line as one message
  transom pipe connect busy --wait 5s                    wait for an instance
  transom pipe connect job --eof close < input           end when the input ends

It ends when the server closes the pipe. A named pipe cannot be closed for one direction only, so the end of \
standard input changes nothing unless --eof says so.")]
    Connect(PipeConnectArgs),

    /// Send one message and print the answer (CallNamedPipe)
    #[command(after_help = "Examples:
  transom pipe call service status
  transom pipe call service --hex '01 00 ff'
  transom pipe call service --file request.bin --wait 2s > answer.bin
  transom CallNamedPipe service status

The pipe must be one of messages. Without TEXT, --hex or --file the message is standard input. --wait limits \
the wait for an instance, --timeout the wait for the answer.")]
    Call(PipeCallArgs),

    /// Connect, look at what the server has written without taking it, and close (PeekNamedPipe)
    #[command(after_help = "Examples:
  transom pipe peek greet
  transom pipe peek greet --timeout 2s --json

This is a connection like any other: the server sees a client that comes, reads nothing and goes.")]
    Peek(PipePeekArgs),

    /// Wait until an instance of a named pipe listens (WaitNamedPipe)
    #[command(after_help = "Examples:
  transom pipe wait service
  transom pipe wait service --timeout 10s && transom pipe call service status
  transom WaitNamedPipe service

Exit code 3 at once if no such pipe exists, 6 if the time ran out. Without --timeout the pipe's own default \
counts. Success reserves nothing: somebody else may be quicker.")]
    Wait(PipeWaitArgs),

    /// List named pipes and their instances
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  transom pipe list
  transom pipe list --json
  transom pipe list --watch --interval 1s            states, unread bytes, bytes and messages per second

On Linux another user's pipe is listed if it lets other users in: whose it is and how many
instances it has. On Windows only the names are known."
    )]
    List(PipeListArgs),
}

/// How messages stand in a stream of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Frame {
    /// Bytes as they are: what one read brings is one message
    #[default]
    None,
    /// One line is one message, without the line's end
    Lines,
    /// A length of four bytes, little-endian, before each message
    Length,
}

/// `transom pipe listen`
#[derive(Debug, Args)]
pub struct PipeListenArgs {
    /// The pipe: NAME or '\\.\pipe\NAME'
    pub name: String,

    /// A pipe of messages instead of bytes
    #[arg(long)]
    pub message: bool,

    /// How messages stand on the standard streams
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub frame: Frame,

    /// Run this command line for every client, with the pipe as its standard input and output
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString)]
    pub exec: Option<String>,

    /// The most clients at a time
    #[arg(long, value_name = "N", default_value = "255", value_parser = clap::value_parser!(u32).range(1..=255))]
    pub max: u32,

    /// End after the first client
    #[arg(long)]
    pub once: bool,

    /// Bytes that may be unread in each direction before a write waits
    #[arg(long, value_name = "SIZE", value_parser = units::size, default_value = "64K")]
    pub quota: u64,

    /// Let every user connect, not only this one (a NULL DACL)
    #[arg(long)]
    pub everyone: bool,

    /// What the end of standard input, or of the program's output, means
    #[arg(long, value_enum, value_name = "HOW")]
    pub eof: Option<Eof>,

    /// Print what went through, when a client goes, to standard error
    #[arg(long)]
    pub stats: bool,
}

/// `transom pipe connect`
#[derive(Debug, Args)]
pub struct PipeConnectArgs {
    /// The pipe: NAME or '\\.\pipe\NAME'
    pub name: String,

    /// How messages stand on the standard streams
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub frame: Frame,

    /// How long to wait for an instance
    #[command(flatten)]
    pub wait: Instance,

    /// What the end of standard input means
    #[arg(long, value_enum, value_name = "HOW")]
    pub eof: Option<Eof>,

    /// Print what went through to standard error
    #[arg(long)]
    pub stats: bool,
}

/// How long to wait for a listening instance.
#[derive(Debug, Clone, Copy, Args)]
pub struct Instance {
    /// How long to wait for an instance if all are busy: 0, 500ms, 2s, infinite
    #[arg(long, value_name = "TIME", value_parser = units::timeout)]
    pub wait: Option<transom::wait::Timeout>,
}

impl Instance {
    /// As the library has it; not at all if nothing was said.
    pub fn or_not_at_all(self) -> InstanceWait {
        InstanceWait::AtMost(self.wait.unwrap_or(transom::wait::Timeout::ZERO))
    }

    /// As the library has it; the pipe's own default if nothing was said.
    pub fn or_default(self) -> InstanceWait {
        self.wait.map_or(InstanceWait::Default, InstanceWait::AtMost)
    }
}

/// `transom pipe call`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("request").args(["text", "hex", "file"]))]
pub struct PipeCallArgs {
    /// The pipe: NAME or '\\.\pipe\NAME'
    pub name: String,

    /// The message
    pub text: Option<String>,

    /// The message in hexadecimal
    #[arg(long, value_name = "BYTES")]
    pub hex: Option<String>,

    /// A file that holds the message
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,

    /// How long to wait for an instance.
    #[command(flatten)]
    pub wait: Instance,

    /// How long to wait for the answer.
    #[command(flatten)]
    pub limit: Limit,
}

/// `transom pipe peek`
#[derive(Debug, Args)]
pub struct PipePeekArgs {
    /// The pipe: NAME or '\\.\pipe\NAME'
    pub name: String,

    /// How long to wait for something to look at
    #[arg(long, short, value_name = "TIME", value_parser = units::duration, default_value = "0")]
    pub timeout: Duration,

    /// How long to wait for an instance.
    #[command(flatten)]
    pub wait: Instance,
}

/// `transom pipe wait`
#[derive(Debug, Args)]
pub struct PipeWaitArgs {
    /// The pipe: NAME or '\\.\pipe\NAME'
    pub name: String,

    /// How long to wait: 0, 500ms, 2s, infinite; the pipe's own default if not given
    #[arg(long, short, value_name = "TIME", value_parser = units::timeout)]
    pub timeout: Option<transom::wait::Timeout>,
}

/// `transom pipe list`
#[derive(Debug, Args)]
pub struct PipeListArgs {
    /// Print the list again and again, with rates
    #[arg(long)]
    pub watch: bool,

    /// How often --watch looks
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "1s", requires = "watch")]
    pub interval: Duration,
}
