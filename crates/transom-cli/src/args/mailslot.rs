//! The arguments of `transom mailslot`.

use clap::{Args, Subcommand, ValueEnum};

use super::Limit;
use crate::units;

/// `transom mailslot …`
#[derive(Debug, Subcommand)]
pub enum MailslotCommand {
    /// Create a mailslot and print every message (CreateMailslot, ReadFile)
    #[command(after_help = "Examples:
  transom mailslot listen log                          every message as a line
  transom mailslot listen log --count 1 --timeout 5s   one message; exit code 6 if none came
  transom mailslot listen log --format hex --json
  transom CreateMailslot log

Any number of processes can write to it, none of them waits, and messages come in the order of their writing.")]
    Listen(MailslotListenArgs),

    /// Write messages into a mailslot (CreateFile, WriteFile)
    #[command(after_help = "Examples:
  transom mailslot send log 'backup started'
  transom mailslot send log --hex '01 00 ff'
  tail -f app.log | transom mailslot send log --format lines

Without TEXT or --hex standard input is one message, or one for each line. Exit code 3 if nobody listens.")]
    Send(MailslotSendArgs),

    /// Tell what waits in a mailslot and who has it
    #[command(after_help = "Examples:
  transom mailslot info log
  transom mailslot info log --json")]
    Info(MailslotInfoArgs),

    /// Publish messages to everybody who subscribed to a name
    #[command(after_help = "Examples:
  vmstat 1 | transom mailslot publish vmstat
  transom mailslot publish news 'hello' --wait-for-input

Each line of standard input is a message; with TEXT that is the only one. Nobody is waited for.")]
    Publish(MailslotPublishArgs),

    /// Print what is published to a name from now on
    #[command(after_help = "Examples:
  transom mailslot subscribe vmstat
  transom mailslot subscribe vmstat --count 10 --json

A subscriber that is too slow loses the oldest messages; how many is printed on standard error.")]
    Subscribe(MailslotSubscribeArgs),
}

/// How messages are printed and read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum MessageFormat {
    /// One line is one message
    #[default]
    Lines,
    /// The bytes of a message as they are
    Raw,
    /// In hexadecimal, one line for each message
    Hex,
}

/// `transom mailslot listen`
#[derive(Debug, Args)]
pub struct MailslotListenArgs {
    /// The mailslot: NAME, or '\\.\mailslot\NAME'
    pub name: String,

    /// The longest message that is accepted; 0 = any
    #[arg(long, value_name = "SIZE", value_parser = units::size, default_value = "0")]
    pub longest: u64,

    /// End after so many messages
    #[arg(long, short = 'n', value_name = "N")]
    pub count: Option<u64>,

    /// How messages are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: MessageFormat,

    /// Let every user write, not only this one (a NULL DACL)
    #[arg(long)]
    pub everyone: bool,

    /// How long to wait for each message.
    #[command(flatten)]
    pub limit: Limit,
}

/// `transom mailslot send`
#[derive(Debug, Args)]
pub struct MailslotSendArgs {
    /// The mailslot: NAME, or '\\.\mailslot\NAME'
    pub name: String,

    /// The message
    pub text: Option<String>,

    /// The message in hexadecimal
    #[arg(long, value_name = "HEX", conflicts_with = "text")]
    pub hex: Option<String>,

    /// What of standard input is a message: each line, or all of it (raw, hex)
    #[arg(long, value_enum, default_value = "raw")]
    pub format: MessageFormat,
}

/// `transom mailslot info`
#[derive(Debug, Args)]
pub struct MailslotInfoArgs {
    /// The mailslot: NAME, or '\\.\mailslot\NAME'
    pub name: String,
}

/// `transom mailslot publish`
#[derive(Debug, Args)]
pub struct MailslotPublishArgs {
    /// The name
    pub name: String,

    /// The only message
    pub text: Option<String>,

    /// Room for what slow subscribers have not read
    #[arg(long, value_name = "SIZE", value_parser = units::size, default_value = "1M")]
    pub capacity: u64,

    /// Stay until standard input ends, so that the name stays
    #[arg(long, requires = "text")]
    pub wait_for_input: bool,
}

/// `transom mailslot subscribe`
#[derive(Debug, Args)]
pub struct MailslotSubscribeArgs {
    /// The name
    pub name: String,

    /// End after so many messages
    #[arg(long, short = 'n', value_name = "N")]
    pub count: Option<u64>,

    /// How messages are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: MessageFormat,

    /// How long to wait for each message.
    #[command(flatten)]
    pub limit: Limit,
}
