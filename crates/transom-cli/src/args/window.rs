//! The arguments of `transom window`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use super::{Limit, MessageFormat};
use crate::units;

/// What may stand for a message.
const MESSAGES: &str = "A message is a number (0x8001), a name of Windows' (WM_APP, WM_APP+1, WM_USER+3, WM_CLOSE, WM_NULL), or any other \
word: that is a registered message (RegisterWindowMessage).";

/// `transom window …`
#[derive(Debug, Subcommand)]
pub enum WindowCommand {
    /// List the windows of the desktop
    #[command(
        visible_alias = "ls",
        after_help = "Examples:
  transom window list
  transom window list --class Inbox --json
  transom window list --all                          children too

A window is a mailbox of a thread; nothing is drawn. On Linux the desktop is that of the namespace, see \
`transom help environment`."
    )]
    List(WindowListArgs),

    /// Print the list again whenever it changes
    #[command(after_help = "Examples:
  transom window watch
  transom window watch --class Inbox --interval 100ms --json")]
    Watch(WindowWatchArgs),

    /// Print the handles of windows by class and title (FindWindow, FindWindowEx)
    #[command(after_help = "Examples:
  transom window find Inbox
  transom window find Inbox --title 'of the browser'
  transom window find --title 'of the browser' --every
  transom window find Inbox --wait 5s                until there is one

Both are compared without case and in full. Exit code 3 if there is none, 6 if --wait ran out.")]
    Find(WindowFindArgs),

    /// Send a message and print the answer (SendMessageTimeout)
    #[command(after_help = format!("Examples:
  transom window send Inbox WM_APP 7
  transom window send 0x10004 my-message 0x10 -1 --timeout 2s
  transom window send Inbox WM_CLOSE
  transom SendMessage Inbox WM_APP

{MESSAGES} Messages whose parameters are pointers cannot be sent from here, but for WM_COPYDATA: \
`transom window copydata`. Exit codes: 3 if there is no such window or it went before it answered, 6 if the time ran out."))]
    Send(WindowSendArgs),

    /// Post a message, not waiting for anything (PostMessage, PostThreadMessage)
    #[command(after_help = format!("Examples:
  transom window post Inbox WM_APP 7
  transom window post HWND_BROADCAST my-message      to every top-level window
  transom window post --thread 4711 WM_APP+1         to a thread
  transom PostMessage Inbox WM_CLOSE

{MESSAGES} Exit codes: 3 if there is no such window or thread, 7 if its queue is full (10000 messages)."))]
    Post(WindowPostArgs),

    /// Send bytes and print the answer (WM_COPYDATA)
    #[command(after_help = "Examples:
  transom window copydata Inbox 'open document.txt'
  transom window copydata Inbox --hex '01 00 ff' --tag 7
  transom window copydata Inbox --file picture.png --timeout 10s
  ls | transom window copydata Inbox --tag 2

Without TEXT, --hex or --file the bytes are standard input, to its end. The answer is the number that the \
receiver's procedure returned.")]
    Copydata(WindowCopydataArgs),

    /// Make a window and print what it gets; answer it (CreateWindowEx, GetMessage)
    #[command(after_help = "Examples:
  transom window listen Inbox                        bytes of WM_COPYDATA as lines, other messages by name
  transom window listen Inbox --reply 1 --count 1 --format raw > received.bin
  transom window listen Inbox --json --timeout 1m
  transom window listen Inbox --exec 'notify-send \"$(cat)\"'
  transom window listen Inbox --top-level            found by EnumWindows, reached by broadcasts

Messages are answered with --reply. With --exec the command runs for each message before it is answered: the bytes \
are its standard input, TRANSOM_MESSAGE, TRANSOM_WPARAM, TRANSOM_LPARAM, TRANSOM_FROM and TRANSOM_TAG are set, and its exit code is the \
answer unless --reply is given. Meanwhile the others wait. WM_CLOSE ends it.")]
    Listen(WindowListenArgs),
}

/// Which windows.
#[derive(Debug, Args)]
pub struct WindowFilter {
    /// Only those of this class
    #[arg(long, value_name = "NAME")]
    pub class: Option<String>,

    /// Only those with this title
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// Children of other windows, too
    #[arg(long)]
    pub all: bool,
}

/// `transom window list`
#[derive(Debug, Args)]
pub struct WindowListArgs {
    /// Which windows.
    #[command(flatten)]
    pub filter: WindowFilter,
}

/// `transom window watch`
#[derive(Debug, Args)]
pub struct WindowWatchArgs {
    /// Which windows.
    #[command(flatten)]
    pub filter: WindowFilter,

    /// How often to look
    #[arg(long, value_name = "TIME", value_parser = units::duration, default_value = "500ms")]
    pub interval: Duration,
}

/// `transom window find`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("wanted").args(["class", "title"]).required(true).multiple(true))]
pub struct WindowFindArgs {
    /// The class
    pub class: Option<String>,

    /// The title
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// Print all that match, not the first one only
    #[arg(long)]
    pub every: bool,

    /// Wait for one: 500ms, 2s, infinite
    #[arg(long, value_name = "TIME", value_parser = units::timeout)]
    pub wait: Option<transom::wait::Timeout>,
}

/// A window as it is named on the command line.
#[derive(Debug, Args)]
pub struct WindowArg {
    /// The window: a handle (0x10004), or its class
    #[arg(value_name = "WINDOW")]
    pub window: String,

    /// The title, where several windows have the class
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
}

/// `transom window send`
#[derive(Debug, Args)]
pub struct WindowSendArgs {
    /// The window.
    #[command(flatten)]
    pub to: WindowArg,

    /// The message: a number, WM_APP+1, or a registered name
    pub message: String,

    /// Its first parameter
    #[arg(default_value = "0", allow_negative_numbers = true)]
    pub wparam: String,

    /// Its second parameter
    #[arg(default_value = "0", allow_negative_numbers = true)]
    pub lparam: String,

    /// Do not wait for the answer (SendNotifyMessage)
    #[arg(long)]
    pub notify: bool,

    /// How long to wait for the answer.
    #[command(flatten)]
    pub limit: Limit,
}

/// `transom window post`
#[derive(Debug, Args)]
pub struct WindowPostArgs {
    /// WINDOW MESSAGE [WPARAM [LPARAM]]; with --thread MESSAGE [WPARAM [LPARAM]]. WINDOW: a handle (0x10004), a class, or HWND_BROADCAST
    #[arg(required = true, num_args = 1..=4, value_name = "WORD", allow_negative_numbers = true)]
    pub words: Vec<String>,

    /// The title, where several windows have the class
    #[arg(long, value_name = "TEXT", conflicts_with = "thread")]
    pub title: Option<String>,

    /// To the thread with this number, which must have a queue
    #[arg(long, value_name = "ID")]
    pub thread: Option<u32>,
}

/// `transom window copydata`
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("payload").args(["text", "hex", "file"]))]
pub struct WindowCopydataArgs {
    /// The window.
    #[command(flatten)]
    pub to: WindowArg,

    /// The bytes, as text
    pub text: Option<String>,

    /// The bytes in hexadecimal
    #[arg(long, value_name = "BYTES")]
    pub hex: Option<String>,

    /// A file that holds the bytes
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,

    /// The number that goes with them (dwData)
    #[arg(long, value_name = "N", default_value = "0", allow_negative_numbers = true)]
    pub tag: String,

    /// How long to wait for the answer.
    #[command(flatten)]
    pub limit: Limit,
}

/// `transom window listen`
#[derive(Debug, Args)]
pub struct WindowListenArgs {
    /// The class, by which the window is found
    pub class: String,

    /// The title
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub title: String,

    /// A window of the desktop instead of a message-only one: enumerated, and reached by broadcasts
    #[arg(long)]
    pub top_level: bool,

    /// What every message is answered with
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub reply: Option<String>,

    /// Run this command line for every message
    #[arg(long, value_name = "CMD", value_hint = ValueHint::CommandString)]
    pub exec: Option<String>,

    /// End after so many messages
    #[arg(long, short = 'n', value_name = "N")]
    pub count: Option<u64>,

    /// How bytes are printed
    #[arg(long, value_enum, default_value_t)]
    pub format: MessageFormat,

    /// How long to wait for each message.
    #[command(flatten)]
    pub limit: Limit,
}
