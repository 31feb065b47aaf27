//! The arguments of `transom bench`.

use clap::{Args, Subcommand};
use transom_bench::Options;

/// `transom bench …`
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Mappings, copies, events, mutexes, semaphores, handles and processes
    #[command(after_help = "Examples:
  transom bench map
  transom bench map --quick
  transom bench map --only mutex --only event --rounds 25
  transom bench map --rounds 25 --json > figures.json

Each figure stands beside its floor, the same work by bare system calls, and beside the goal for their \
ratio. End other programs first, and look at the spread: a busy machine gives no figures. Only ratios can \
be compared between machines and runs. A goal that is missed is no failure of the command. Python's shared \
memory is measured in the same run where there is a python3. On Linux only.")]
    Map(BenchArgs),

    /// Named pipes: round trips, messages, bytes, connections; beside Unix sockets and pipe(2)
    #[command(after_help = "Examples:
  transom bench pipe
  transom bench pipe --quick
  transom bench pipe --only rt-64 --rounds 25
  transom bench pipe --rounds 25 --json > figures.json

Each figure stands beside the same traffic through a Unix stream and through pipe(2), beside what the \
machine takes at least (a cache line, a bare ring or a futex there and back, memcpy in and out), and beside the \
goal for the ratio. 'polling': a processor each, who waits spins; 'cross': a processor each, who waits sleeps; \
'same': both on one. End other programs first, and look at the spread: a busy machine gives no figures. \
Only ratios can be compared between machines and runs. A goal that is missed is no failure of the command. \
On Linux only.")]
    Pipe(BenchArgs),

    /// Mailslots and broadcast: many writers to one reader, one publisher to many subscribers
    #[command(after_help = "Examples:
  transom bench mailslot
  transom bench mailslot --quick
  transom bench mailslot --only to-one --rounds 25
  transom bench mailslot --rounds 25 --json > figures.json

Up to 256 processes write to one, or one publishes to up to 16; the one has a processor for itself, the \
others share a second one. Each figure stands beside its floor or beside Unix datagram sockets, and beside \
the goal for the ratio. Nobody loses a message here: the publisher waits for the slowest. End other programs \
first, and look at the spread: a busy machine gives no figures. Only ratios can be compared between machines \
and runs. A goal that is missed is no failure of the command. On Linux only.")]
    Mailslot(BenchArgs),

    /// Window messages: SendMessage, WM_COPYDATA, PostMessage, FindWindow
    #[command(after_help = "Examples:
  transom bench window
  transom bench window --quick
  transom bench window --only copydata --rounds 25
  transom bench window --rounds 25 --json > figures.json

Two processes, each on a processor of its own or both on one; each figure stands beside its floor, and beside the \
goal for the ratio. End other programs first, and look at the spread: a busy machine gives no figures. Only ratios \
can be compared between machines and runs. A goal that is missed is no failure of the command. On Linux only.")]
    Window(BenchArgs),

    /// A process of the benchmark
    #[command(hide = true, after_help = "Examples:\n  transom bench child syscall 0 0")]
    Child {
        /// The role, and what it has to know.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// `transom bench map`, `pipe` and `mailslot`
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// How many times each case is measured, 5 at least; [default: 9, with --quick 5]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(i64::from(Options::FEWEST_ROUNDS)..=1000))]
    pub rounds: Option<u32>,

    /// Measure for seconds instead of half a minute; the tails and small ratios get vague
    #[arg(long)]
    pub quick: bool,

    /// Only cases whose id contains this, and their floors; may be given again. --json shows the ids
    #[arg(long, value_name = "PART")]
    pub only: Vec<String>,
}
