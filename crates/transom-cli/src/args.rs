//! What can be typed: every command, option and default, once. The parser, the help, the completions
//! and the manual page are all made from these types.

mod bench;
mod mailslot;
mod map;
mod pipe;
mod relay;
mod window;

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum, ValueHint};
use transom::security::Security;
use transom::wait::Timeout;

use crate::units;

pub use bench::*;
pub use mailslot::*;
pub use map::*;
pub use pipe::*;
pub use relay::*;
pub use window::*;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Windows' ways of sharing data between processes, on the command line.
///
/// Names are those of Windows: NAME or 'Local\NAME' for this user, 'Global\NAME' for the machine. An
/// object lives as long as a process holds it, so commands that create one keep it while another
/// command runs, while standard input is open, or until they are stopped.
#[derive(Debug, Parser)]
#[command(
    name = "transom",
    bin_name = "transom",
    version,
    styles = STYLES,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "Examples:
  transom tour                                     every mechanism at work, in seconds
  transom map create cfg --from app.conf --hold &  share a file's content under a name
  transom map read cfg                             read it, from any process
  transom run --single backup -- ./backup.sh       one instance at a time
  transom help exit-codes                          also: names, win32, environment

Windows spellings work too: transom SetEvent NAME, transom /?"
)]
pub struct Cli {
    /// Print JSON: one object on one line
    #[arg(long, global = true, display_order = 900, help_heading = "Output")]
    pub json: bool,

    /// When to use colours
    #[arg(
        long,
        global = true,
        display_order = 901,
        help_heading = "Output",
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub color: ColorChoice,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shared memory: create, fill, read, write, look into it, watch it
    #[command(subcommand, visible_alias = "mapping")]
    Map(MapCommand),

    /// Events: create, set, reset, pulse, wait
    #[command(subcommand)]
    Event(EventCommand),

    /// Mutexes: run a command while holding one, create, wait
    #[command(subcommand)]
    Mutex(MutexCommand),

    /// Semaphores: create, release, wait, run a command within the count
    #[command(subcommand, visible_alias = "sem")]
    Semaphore(SemaphoreCommand),

    /// Wait for one, any or all of several named objects
    #[command(after_help = "Examples:
  transom wait ready --timeout 5s          one event, mutex or semaphore
  transom wait first second                whichever is signalled first; prints its name
  transom wait --all left right            both at one moment
  transom WaitForSingleObject ready        the same in Windows' words

A mutex that was acquired is released at once; an auto-reset event is reset and a semaphore loses one, \
as in every wait. Exit codes: 6 if the time ran out, 8 if a mutex was abandoned.")]
    Wait(WaitArgs),

    /// Run a command as the only instance of its name
    #[command(after_help = "Examples:
  transom run --single backup -- ./backup.sh          exit code 4 if it runs already
  transom run --single backup --wait -- ./backup.sh   wait for its turn
  transom run --single 'Global\\db' --wait 30s -- ./migrate

The name is free again when the command has ended, however it ended. The command's exit code is passed \
through. If only transom itself is killed, the command goes on without the name.")]
    Run(RunArgs),

    /// Named pipes: serve, connect, call, look, wait, list
    #[command(subcommand)]
    Pipe(PipeCommand),

    /// Mailslots: print what many processes write; publish one message to many
    #[command(subcommand, visible_alias = "slot")]
    Mailslot(MailslotCommand),

    /// Windows as mailboxes: list, find, send, post, listen
    #[command(subcommand)]
    Window(WindowCommand),

    /// Join two of: a named pipe, standard streams, a Unix socket, TCP, a program
    #[command(after_help = "Examples:
  transom relay pipe-listen:db unix:/run/db.sock               a pipe in front of a Unix socket
  transom relay unix-listen:agent.sock pipe:openssh-ssh-agent  a Unix socket in front of a pipe
  transom relay tcp-listen:127.0.0.1:7000 pipe:service         TCP in front of a pipe
  transom relay - pipe:service                                 standard streams and a pipe
  transom relay pipe-listen:calc 'exec:bc -q' --stats          a program for every client
  transom relay pipe-listen:copy pipe:original --message       messages stay messages, empty ones too

Sides: -, pipe:NAME, pipe-listen:NAME, unix:PATH, unix-listen:PATH, tcp:HOST:PORT, tcp-listen:HOST:PORT, \
exec:CMD; '\\\\.\\pipe\\NAME' is pipe:NAME. Only the first may listen. The end of one side's input is passed on where the \
other can be closed for one direction; a pipe cannot, see --eof.")]
    Relay(Box<RelayArgs>),

    /// List the names that exist now
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  transom list
  transom list --kind mapping --json
  transom list --watch                   print the list again whenever it changes

On Linux only: Windows documents no call that lists names."
    )]
    List(ListArgs),

    /// Show who holds a name, with which rights
    #[command(after_help = "Examples:
  transom who cfg
  transom who 'Global\\cfg' --json

On Linux only. Exit code 3 if nothing has the name.")]
    Who(WhoArgs),

    /// Check this machine: namespace, limits, kernel, leftovers
    #[command(after_help = "Examples:
  transom doctor
  transom doctor --sweep                 also remove what killed processes left
  transom doctor --json

Exit code 1 if something will fail here.")]
    Doctor(DoctorArgs),

    /// See every mechanism at work between real processes
    #[command(after_help = "Examples:
  transom tour
  transom tour --keep-going --json

Nothing stays behind. Exit code 1 if a step fails.")]
    Tour(TourArgs),

    /// Measure how fast it is here, beside the floors of this machine
    #[command(subcommand)]
    Bench(BenchCommand),

    /// Print a completion script for a shell
    #[command(after_help = "Examples:
  transom completions bash > ~/.local/share/bash-completion/completions/transom
  transom completions zsh  > ~/.zfunc/_transom
  transom completions fish > ~/.config/fish/completions/transom.fish")]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },

    /// Print help for a command or a topic: exit-codes, names, win32, environment
    #[command(after_help = "Examples:
  transom help map create
  transom help exit-codes")]
    Help {
        /// A command, or a topic: exit-codes, names, win32, environment
        #[arg(value_name = "COMMAND|TOPIC")]
        words: Vec<String>,
    },

    /// Print the manual page
    #[command(hide = true, after_help = "Examples:\n  transom man > transom.1\n  transom man | man -l -")]
    Man,

    /// A process of the tour
    #[command(hide = true)]
    TourChild {
        /// What it plays.
        role: String,
        /// What it has to know.
        arguments: Vec<String>,
    },
}

/// How long a created object is kept.
#[derive(Debug, Args)]
pub struct Keep {
    /// Make sure that the name is new; exit code 4 if it exists
    #[arg(long)]
    pub new: bool,

    /// Let every user open it, not only this one (a NULL DACL)
    #[arg(long)]
    pub everyone: bool,

    /// Keep it until this command is stopped, whatever happens to standard input
    #[arg(long, conflicts_with_all = ["duration", "command"])]
    pub hold: bool,

    /// Keep it for this long: 500ms, 2s, 1m, 1h
    #[arg(long = "for", value_name = "TIME", value_parser = units::duration, conflicts_with = "command")]
    pub duration: Option<Duration>,

    /// Keep it while this command runs, and end with its exit code. Without this, --hold or --for: until
    /// standard input closes
    #[arg(last = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

impl Keep {
    /// Who may open the object; `None` is the default, this user.
    pub fn security(&self) -> Option<Security> {
        self.everyone.then(Security::everyone)
    }
}

/// `transom event …`
#[derive(Debug, Subcommand)]
pub enum EventCommand {
    /// Create an event and keep it (CreateEvent)
    #[command(after_help = "Examples:
  transom event create ready --hold &
  transom event create go --manual -- ./workers.sh
  transom CreateEvent ready --for 10s

An auto-reset event lets one waiter through for each time it is set; a manual-reset one lets all through \
until it is reset. If the name exists, it is opened and stays as it is.")]
    Create(EventCreateArgs),

    /// Set an event (SetEvent)
    #[command(after_help = "Examples:\n  transom event set ready\n  transom SetEvent ready")]
    Set(NameArg),

    /// Reset an event (ResetEvent)
    #[command(after_help = "Examples:\n  transom event reset ready\n  transom ResetEvent ready")]
    Reset(NameArg),

    /// Let through who waits now, and reset (PulseEvent; unreliable, for sources that use it)
    #[command(after_help = "Examples:\n  transom event pulse ready\n  transom PulseEvent ready")]
    Pulse(NameArg),

    /// Wait until an event is set (WaitForSingleObject)
    #[command(after_help = "Examples:
  transom event wait ready
  transom event wait ready --timeout 5s || echo 'not ready'

An auto-reset event is reset by the wait. Exit code 6 if the time ran out.")]
    Wait(WaitOneArgs),
}

/// `transom event create`
#[derive(Debug, Args)]
pub struct EventCreateArgs {
    /// The name
    pub name: String,

    /// Stay set until reset, and let every waiter through
    #[arg(long)]
    pub manual: bool,

    /// Be set at first
    #[arg(long)]
    pub set: bool,

    /// How long it is kept.
    #[command(flatten)]
    pub keep: Keep,
}

/// A name and nothing else.
#[derive(Debug, Args)]
pub struct NameArg {
    /// The name
    pub name: String,
}

/// Waiting for one object.
#[derive(Debug, Args)]
pub struct WaitOneArgs {
    /// The name
    pub name: String,

    /// How long at most
    #[command(flatten)]
    pub limit: Limit,
}

/// The end of a wait.
#[derive(Debug, Clone, Copy, Args)]
pub struct Limit {
    /// How long to wait: 500 (ms), 500ms, 2s, 1m, infinite
    #[arg(long, short, value_name = "TIME", value_parser = units::timeout, default_value = "infinite")]
    pub timeout: Timeout,
}

/// `transom mutex …`
#[derive(Debug, Subcommand)]
pub enum MutexCommand {
    /// Run a command while holding a mutex
    #[command(after_help = "Examples:
  transom mutex run deploy -- ./deploy.sh
  transom mutex run deploy --timeout 10s -- ./deploy.sh

The mutex is created if nobody has it. If its last owner ended without releasing it, a note is printed and \
the command runs; with --fail-abandoned it does not, and the exit code is 8.")]
    Run(MutexRunArgs),

    /// Create a mutex that nobody owns, and keep it (CreateMutex)
    #[command(
        after_help = "Examples:\n  transom mutex create deploy --hold &\n  transom CreateMutex deploy --for 1m"
    )]
    Create(MutexCreateArgs),

    /// Wait until nobody owns a mutex (acquires and releases it)
    #[command(after_help = "Examples:
  transom mutex wait deploy --timeout 0

Exit codes: 6 if the time ran out, 8 if its last owner ended without releasing it.")]
    Wait(WaitOneArgs),
}

/// `transom mutex run`
#[derive(Debug, Args)]
pub struct MutexRunArgs {
    /// The name
    pub name: String,

    /// How long at most
    #[command(flatten)]
    pub limit: Limit,

    /// Do not run the command if the last owner ended without releasing the mutex
    #[arg(long)]
    pub fail_abandoned: bool,

    /// The command
    #[arg(last = true, required = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// `transom mutex create`
#[derive(Debug, Args)]
pub struct MutexCreateArgs {
    /// The name
    pub name: String,

    /// How long it is kept.
    #[command(flatten)]
    pub keep: Keep,
}

/// `transom semaphore …`
#[derive(Debug, Subcommand)]
pub enum SemaphoreCommand {
    /// Create a semaphore and keep it (CreateSemaphore)
    #[command(after_help = "Examples:
  transom semaphore create slots --maximum 4 -- ./build-all.sh
  transom semaphore create queue --initial 0 --maximum 100 --hold &
  transom CreateSemaphore slots --maximum 4 --for 1h

If the name exists, it is opened and keeps its counts.")]
    Create(SemaphoreCreateArgs),

    /// Give counts back; prints the count before (ReleaseSemaphore)
    #[command(after_help = "Examples:
  transom semaphore release queue
  transom semaphore release queue -n 3
  transom ReleaseSemaphore queue

Exit code 7 if the count would pass the maximum; then nothing changes.")]
    Release(SemaphoreReleaseArgs),

    /// Wait for a count and take it (WaitForSingleObject)
    #[command(after_help = "Examples:
  transom semaphore wait queue --timeout 5s

What is taken stays taken until somebody releases it: nobody owns a count. Exit code 6 if the time ran out.")]
    Wait(WaitOneArgs),

    /// Take a count, run a command, give the count back
    #[command(after_help = "Examples:
  transom semaphore run slots -- ./job.sh
  transom semaphore run slots --maximum 4 -- ./job.sh     create it if nobody has it

If this process is killed, the count is not given back; it comes back with the name, when nobody holds it \
any more.")]
    Run(SemaphoreRunArgs),
}

/// `transom semaphore create`
#[derive(Debug, Args)]
pub struct SemaphoreCreateArgs {
    /// The name
    pub name: String,

    /// The highest count
    #[arg(long, short, value_name = "N", allow_negative_numbers = true)]
    pub maximum: i32,

    /// The count at first; the maximum if not given
    #[arg(long, short, value_name = "N", allow_negative_numbers = true)]
    pub initial: Option<i32>,

    /// How long it is kept.
    #[command(flatten)]
    pub keep: Keep,
}

/// `transom semaphore release`
#[derive(Debug, Args)]
pub struct SemaphoreReleaseArgs {
    /// The name
    pub name: String,

    /// How many to give
    #[arg(long, short = 'n', value_name = "N", default_value = "1", allow_negative_numbers = true)]
    pub count: i32,
}

/// `transom semaphore run`
#[derive(Debug, Args)]
pub struct SemaphoreRunArgs {
    /// The name
    pub name: String,

    /// Create it with this maximum, and as many free, if nobody has it
    #[arg(long, short, value_name = "N", allow_negative_numbers = true)]
    pub maximum: Option<i32>,

    /// How long at most
    #[command(flatten)]
    pub limit: Limit,

    /// The command
    #[arg(last = true, required = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// `transom wait`
#[derive(Debug, Args)]
pub struct WaitArgs {
    /// Names of events, mutexes and semaphores, in any mixture; at most 64
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,

    /// Wait until all are signalled at one moment, instead of any
    #[arg(long)]
    pub all: bool,

    /// How long at most
    #[command(flatten)]
    pub limit: Limit,
}

/// `transom run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Run only if no other command runs under this name
    #[arg(long, value_name = "NAME", required = true)]
    pub single: String,

    /// Wait for the other instance to end: for ever, or for this long
    #[arg(long, value_name = "TIME", value_parser = units::timeout, num_args = 0..=1, default_missing_value = "infinite")]
    pub wait: Option<Timeout>,

    /// The command
    #[arg(last = true, required = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

/// `transom list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only objects of this kind
    #[arg(long, short, value_enum)]
    pub kind: Option<KindArg>,

    /// Look again and again, and print the list when it has changed
    #[arg(long, short)]
    pub watch: bool,

    /// How often --watch looks
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "500ms", requires = "watch")]
    pub interval: Duration,
}

/// The kinds that have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    /// Shared memory
    Mapping,
    /// Events
    Event,
    /// Mutexes
    Mutex,
    /// Semaphores
    Semaphore,
    /// Named pipes
    Pipe,
}

/// `transom who`
#[derive(Debug, Args)]
pub struct WhoArgs {
    /// The name
    pub name: String,
}

/// `transom doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Remove entries that killed processes left; nothing depends on it
    #[arg(long)]
    pub sweep: bool,
}

/// `transom tour`
#[derive(Debug, Args)]
pub struct TourArgs {
    /// Go on after a step that failed
    #[arg(long)]
    pub keep_going: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    /// Every command that people see shows by example how it is used.
    #[test]
    fn every_command_has_examples() {
        fn check(command: &clap::Command) {
            for sub in command.get_subcommands() {
                if sub.has_subcommands() {
                    check(sub);
                } else if sub.get_name() != "tour-child" {
                    let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
                    assert!(help.starts_with("Examples:\n"), "{}", sub.get_name());
                }
            }
        }
        check(&Cli::command());
    }

    /// The examples parse: an example that fails is worse than none.
    #[test]
    fn every_example_is_a_command_line_that_parses() {
        fn check(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter_map(|line| line.strip_prefix("  ")) {
                let Some(start) = line.find("transom ") else { continue };
                let line = &line[start..];
                let end = ["  ", " &", " |", " >", " <"].iter().filter_map(|stop| line.find(stop)).min();
                let words = words(&line[..end.unwrap_or(line.len())]);
                let parsed = Cli::try_parse_from(crate::win32::translate(words));
                if let Err(error) = parsed {
                    assert!(!error.use_stderr(), "{line}: {error}");
                }
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    /// Words as a shell cuts them, as far as the examples need it: single quotes only.
    fn words(line: &str) -> Vec<OsString> {
        let mut words = Vec::new();
        for (number, piece) in line.split('\'').enumerate() {
            if number % 2 == 1 {
                words.push(piece.to_owned());
            } else {
                words.extend(piece.split_whitespace().map(str::to_owned));
            }
        }
        words.into_iter().map(OsString::from).collect()
    }
}
