//! `transom window …`: naming windows and messages, sending and posting.

use std::io::{self, Write};

use serde::Serialize;
use transom::Code;
use transom::wait::Timeout;
use transom::window::message::{
    WM_APP, WM_CLOSE, WM_COPYDATA, WM_GETTEXT, WM_GETTEXTLENGTH, WM_NULL, WM_QUIT, WM_SETTEXT, WM_TIMER,
    WM_USER,
};
use transom::window::raw::{self, Charset};
use transom::window::{self, Registered, Sender, WindowHandle};

use crate::args::{
    WindowArg, WindowCommand, WindowCopydataArgs, WindowFindArgs, WindowPostArgs, WindowSendArgs,
};
use crate::cmd::event::Done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keep::{SHORTEST, pause};
use crate::output::{Output, Report};
use crate::payload::payload;

use super::{window_list, window_listen};

/// Runs a `window` command.
pub fn run(command: WindowCommand, output: &Output) -> Result<i32, Failure> {
    match command {
        WindowCommand::List(args) => window_list::list(&args, output),
        WindowCommand::Watch(args) => window_list::watch(&args, output),
        WindowCommand::Find(args) => find(&args, output),
        WindowCommand::Send(args) => send(&args, output),
        WindowCommand::Post(args) => post(&args, output),
        WindowCommand::Copydata(args) => copydata(&args, output),
        WindowCommand::Listen(args) => window_listen::run(&args, output),
    }
}

/// A handle as people see it, and may type it.
pub fn shown(window: WindowHandle) -> String {
    format!("{:#x}", window.value())
}

/// Windows' names of messages that programs meet.
const NAMES: &[(&str, u32)] = &[
    ("WM_NULL", WM_NULL),
    ("WM_SETTEXT", WM_SETTEXT),
    ("WM_GETTEXT", WM_GETTEXT),
    ("WM_GETTEXTLENGTH", WM_GETTEXTLENGTH),
    ("WM_CLOSE", WM_CLOSE),
    ("WM_QUIT", WM_QUIT),
    ("WM_COPYDATA", WM_COPYDATA),
    ("WM_COMMAND", 0x0111),
    ("WM_TIMER", WM_TIMER),
    ("WM_USER", WM_USER),
    ("WM_APP", WM_APP),
];

/// Where registered messages begin.
const REGISTERED: u32 = 0xC000;

/// A message as people call it.
pub fn message_name(number: u32) -> String {
    if let Some((name, _)) = NAMES.iter().find(|(_, known)| *known == number) {
        return (*name).to_owned();
    }
    match number {
        WM_USER..WM_APP => format!("WM_USER+{}", number - WM_USER),
        WM_APP..REGISTERED => format!("WM_APP+{}", number - WM_APP),
        _ => {
            let name = u16::try_from(number).ok().and_then(|number| window::name_of(number).ok().flatten());
            name.unwrap_or_else(|| format!("{number:#06x}"))
        }
    }
}

/// The number of a message: a number, a name of Windows', or a registered name.
fn message_number(text: &str) -> Result<u32, Failure> {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        let number = word(text)?;
        return u32::try_from(number)
            .map_err(|_| Failure::usage(format!("'{text}' is not a message: it has more than 32 bits")));
    }
    if !text.starts_with("WM_") {
        return Ok(Registered::<(usize, isize)>::new(text)?.number());
    }
    let (name, plus) = match text.split_once('+') {
        Some((name, plus)) => (name.trim(), word(plus.trim())?),
        None => (text, 0),
    };
    let known = NAMES.iter().find(|(known, _)| *known == name);
    let number = known.and_then(|(_, number)| number.checked_add(u32::try_from(plus).ok()?));
    number.ok_or_else(|| {
        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        Failure::usage(format!("'{text}' is not a message that is known here"))
            .hint(format!("a number does as well; names: {}", names.join(", ")))
    })
}

/// A parameter of a message: decimal, hexadecimal or negative.
pub fn word(text: &str) -> Result<usize, Failure> {
    let (digits, negative) = match text.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (text, false),
    };
    let value = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => usize::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    let value =
        value.map_err(|_| Failure::usage(format!("'{text}' is not a number; examples: 7, -1, 0x10004")))?;
    Ok(if negative { value.wrapping_neg() } else { value })
}

/// The window that was named.
fn target(to: &WindowArg) -> Result<Sender, Failure> {
    named(&to.window, to.title.as_deref())
}

fn named(window: &str, title: Option<&str>) -> Result<Sender, Failure> {
    let digits = window.strip_prefix("0x").unwrap_or(window);
    let is_handle = window.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_hexdigit())
        && title.is_none();
    if is_handle {
        return Ok(Sender::new(WindowHandle::from_raw(word(window)?)));
    }
    Ok(Sender::find(window, title)?)
}

/// A failure to reach a window that was named by its handle.
fn unreachable(to: &str) -> impl Fn(transom::Error) -> Failure + '_ {
    move |error| {
        match error.code() {
        Code::INVALID_WINDOW_HANDLE | Code::TIMEOUT => Failure::from(error.with_name(to)),
        Code::INVALID_PARAMETER => Failure::from(error).hint(
            "messages below WM_USER (0x400) have parameters that are pointers, or are the system's own; bytes go with \
             `transom window copydata`",
        ),
        _ => Failure::from(error),
    }
    }
}

/// Windows that were found.
#[derive(Debug, Serialize)]
struct Found {
    windows: Vec<String>,
}

impl Report for Found {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        self.windows.iter().try_for_each(|window| writeln!(out, "{window}"))
    }
}

fn find(args: &WindowFindArgs, output: &Output) -> Result<i32, Failure> {
    let (class, title) = (args.class.as_deref(), args.title.as_deref());
    let began = std::time::Instant::now();
    // Nobody tells when a window is made, so this looks again.
    let first = loop {
        match Sender::find(class, title) {
            Err(error) if error.code() == Code::FILE_NOT_FOUND => {
                let Some(limit) = args.wait else { return Err(error.into()) };
                if limit.as_duration().is_some_and(|limit| began.elapsed() >= limit) {
                    let what = format!("window '{}'", class.or(title).unwrap_or_default());
                    return Err(Failure::timed_out(what));
                }
                pause(10 * SHORTEST);
            }
            found => break found?,
        }
    };
    let found = if args.every { Sender::all(class, title)? } else { vec![first] };
    output.report(&Found { windows: found.into_iter().map(|sender| shown(sender.handle())).collect() })?;
    Ok(Exit::Ok.code())
}

/// What a receiver answered.
#[derive(Debug, Serialize)]
struct Answer {
    window: String,
    answer: isize,
}

impl Report for Answer {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", self.answer)
    }
}

fn send(args: &WindowSendArgs, output: &Output) -> Result<i32, Failure> {
    let message = message_number(&args.message)?;
    let (wparam, lparam) = (word(&args.wparam)?, word(&args.lparam)?.cast_signed());
    let to = target(&args.to)?;
    let failed = unreachable(&args.to.window);
    if args.notify {
        to.notify(message, wparam, lparam).map_err(failed)?;
        output.report(&Done { name: &args.to.window, result: "sent" })?;
    } else {
        let answer = to.send(message, wparam, lparam, args.limit.timeout).map_err(failed)?;
        output.report(&Answer { window: shown(to.handle()), answer })?;
    }
    Ok(Exit::Ok.code())
}

fn post(args: &WindowPostArgs, output: &Output) -> Result<i32, Failure> {
    let mut words = args.words.iter().map(String::as_str);
    let window = if args.thread.is_none() { words.next() } else { None };
    let Some(message) = words.next() else {
        return Err(Failure::usage("no message is given")
            .hint("transom window post WINDOW MESSAGE [WPARAM [LPARAM]]"));
    };
    let message = message_number(message)?;
    let wparam = words.next().map_or(Ok(0), word)?;
    let lparam = words.next().map_or(Ok(0), word)?.cast_signed();
    if words.next().is_some() {
        return Err(Failure::usage("a message has two parameters"));
    }
    let name = match (args.thread, window) {
        (Some(thread), _) => {
            raw::post_thread(thread, message, wparam, lparam, Charset::Wide)?;
            format!("thread {thread}")
        }
        (None, window) => {
            let window = window.unwrap_or_default();
            let to = match window {
                "HWND_BROADCAST" => Sender::new(WindowHandle::BROADCAST),
                window => named(window, args.title.as_deref())?,
            };
            to.post(message, wparam, lparam).map_err(unreachable(window))?;
            window.to_owned()
        }
    };
    output.report(&Done { name: &name, result: "posted" })?;
    Ok(Exit::Ok.code())
}

fn copydata(args: &WindowCopydataArgs, output: &Output) -> Result<i32, Failure> {
    let bytes = payload(args.text.as_deref(), args.hex.as_deref(), args.file.as_deref())?;
    let tag = word(&args.tag)?;
    let to = target(&args.to)?;
    let limit: Timeout = args.limit.timeout;
    let answer = to.copydata(tag, &bytes, limit).map_err(unreachable(&args.to.window))?;
    output.report(&Answer { window: shown(to.handle()), answer })?;
    Ok(Exit::Ok.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbers_of_pointer_width() {
        assert_eq!(word("7").ok(), Some(7));
        assert_eq!(word("0x10004").ok(), Some(0x10004));
        assert_eq!(word("-1").ok(), Some(usize::MAX));
        assert!(word("x").is_err());
        assert!(word("").is_err());
    }

    #[test]
    fn messages_have_numbers_and_windows_names() {
        assert_eq!(message_number("0x8001").ok(), Some(0x8001));
        assert_eq!(message_number("WM_APP+1").ok(), Some(0x8001));
        assert_eq!(message_number("WM_USER").ok(), Some(0x400));
        assert!(message_number("WM_PRINT").is_err());
        assert!(message_number("0x100000000").is_err());
        assert_eq!(message_name(0x8001), "WM_APP+1");
        assert_eq!(message_name(0x4A), "WM_COPYDATA");
        assert_eq!(message_name(0x401), "WM_USER+1");
        assert_eq!(message_name(0x317), "0x0317");
    }
}
