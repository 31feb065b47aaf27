//! `transom window listen`: a window that prints what it gets, and answers.

use std::cell::{Cell, RefCell};
use std::io::{self, Write};
use std::process::Stdio;
use std::rc::Rc;

use serde::Serialize;
use transom::window::message::{WM_CLOSE, WM_COPYDATA, WM_USER};
use transom::window::{Class, MessageLoop, WindowHandle};

use crate::args::{MessageFormat, WindowListenArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Report, printable};
use crate::{system, units};

use super::window::{message_name, shown, word};

/// Listens until it is told to end.
pub fn run(args: &WindowListenArgs, output: &Output) -> Result<i32, Failure> {
    let reply = args.reply.as_deref().map(word).transpose()?.map(usize::cast_signed);
    let state = Rc::new(State {
        output: output.clone(),
        format: args.format,
        exec: args.exec.clone(),
        reply,
        left: Cell::new(args.count),
        failure: RefCell::new(None),
        ended: Cell::new(args.count == Some(0)),
    });
    let class = Class::register(&args.class)?;
    let mut options = class.window(&args.title);
    if args.top_level {
        options = options.top_level();
    }
    let (of_bytes, of_others) = (Rc::clone(&state), Rc::clone(&state));
    let messages = MessageLoop::new()?;
    let window = options
        .on_copydata(move |from, tag, bytes| of_bytes.copydata(from, tag, bytes))
        .on_any(move |number, wparam, lparam| of_others.other(number, wparam, lparam))
        .create()?;
    output.note(&format!("listening at {} {}", printable(&args.class), shown(window.handle())));
    while !state.ended.get() {
        match messages.run_for(args.limit.timeout)? {
            // Something came, or WM_QUIT was posted from outside.
            Some(WOKEN) => {}
            Some(code) => return Ok(code),
            None => return Err(Failure::timed_out(format!("a message for '{}'", printable(&args.class)))),
        }
    }
    match state.failure.take() {
        Some(failure) => Err(failure),
        None => Ok(Exit::Ok.code()),
    }
}

/// The code with which the closures let the loop return, so that the time begins anew.
const WOKEN: i32 = 0x7452_616E;

/// What the closures share.
struct State {
    output: Output,
    format: MessageFormat,
    exec: Option<String>,
    reply: Option<isize>,
    /// How many messages are still wanted.
    left: Cell<Option<u64>>,
    failure: RefCell<Option<Failure>>,
    ended: Cell<bool>,
}

impl State {
    fn copydata(&self, from: WindowHandle, tag: usize, bytes: &[u8]) -> isize {
        self.handle(&Message {
            message: message_name(WM_COPYDATA),
            number: WM_COPYDATA,
            from: Some(shown(from)),
            tag: Some(tag),
            bytes: Some(bytes.len()),
            hex: Some(units::to_hex(bytes)),
            wparam: None,
            lparam: None,
            payload: bytes,
            format: self.format,
        })
    }

    fn other(&self, number: u32, wparam: usize, lparam: isize) -> Option<isize> {
        if number == WM_CLOSE {
            self.ended.set(true);
            MessageLoop::quit(WOKEN);
            return Some(0);
        }
        // The others are between the window and the system.
        (number >= WM_USER).then(|| {
            self.handle(&Message {
                message: message_name(number),
                number,
                from: None,
                tag: None,
                bytes: None,
                hex: None,
                wparam: Some(wparam),
                lparam: Some(lparam),
                payload: &[],
                format: self.format,
            })
        })
    }

    /// Prints a message, and gives the answer to it.
    fn handle(&self, message: &Message<'_>) -> isize {
        if self.ended.get() {
            return 0;
        }
        let answer = self.output.report(message).and_then(|()| match &self.exec {
            Some(line) => execute(line, message),
            None => Ok(0),
        });
        let answer = answer.unwrap_or_else(|failure| {
            self.failure.replace(Some(failure));
            self.ended.set(true);
            0
        });
        if let Some(left) = self.left.get() {
            self.left.set(Some(left - 1));
            if left == 1 {
                self.ended.set(true);
            }
        }
        MessageLoop::quit(WOKEN);
        self.reply.unwrap_or(answer)
    }
}

/// Runs the command line with the bytes as its input; its exit code.
fn execute(line: &str, message: &Message<'_>) -> Result<isize, Failure> {
    let mut command = system::shell(line);
    command.env("TRANSOM_MESSAGE", &message.message);
    let set = [
        ("TRANSOM_WPARAM", message.wparam.map(|value| value.to_string())),
        ("TRANSOM_LPARAM", message.lparam.map(|value| value.to_string())),
        ("TRANSOM_FROM", message.from.clone()),
        ("TRANSOM_TAG", message.tag.map(|value| value.to_string())),
    ];
    for (name, value) in set {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let failed = |error: io::Error| Failure::new(Exit::CannotRun, format!("cannot run '{line}': {error}"));
    let mut child = command.stdin(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not read is in its right.
        let _ = input.write_all(message.payload);
    }
    let status = child.wait().map_err(failed)?;
    Ok(system::exit_code(status) as isize)
}

/// A message that came.
#[derive(Debug, Serialize)]
struct Message<'a> {
    message: String,
    number: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wparam: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lparam: Option<isize>,
    #[serde(skip)]
    payload: &'a [u8],
    #[serde(skip)]
    format: MessageFormat,
}

impl Report for Message<'_> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        if let (Some(wparam), Some(lparam)) = (self.wparam, self.lparam) {
            // Raw output is the bytes and nothing else.
            return match self.format {
                MessageFormat::Raw => Ok(()),
                _ => writeln!(out, "{} {wparam:#x} {lparam:#x}", printable(&self.message)),
            };
        }
        match self.format {
            MessageFormat::Raw => out.write_all(self.payload),
            MessageFormat::Lines => {
                out.write_all(self.payload)?;
                out.write_all(b"\n")
            }
            MessageFormat::Hex => writeln!(out, "{}", self.hex.as_deref().unwrap_or_default()),
        }
    }
}
