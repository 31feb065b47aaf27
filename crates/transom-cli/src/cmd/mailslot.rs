//! `transom mailslot …`

use std::io::{self, BufRead, Write};

use serde::Serialize;
use transom::mailslot::{Broadcast, Options, Subscriber, Writer};
use transom::namespace;
use transom::security::Security;

use crate::args::{
    MailslotCommand, MailslotInfoArgs, MailslotListenArgs, MailslotPublishArgs, MailslotSendArgs,
    MailslotSubscribeArgs, MessageFormat,
};
use crate::cmd::event::Done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Report, printable};
use crate::payload::all_input;
use crate::units;

/// Runs a `mailslot` command.
pub fn run(command: MailslotCommand, output: &Output) -> Result<i32, Failure> {
    match command {
        MailslotCommand::Listen(args) => listen(&args, output),
        MailslotCommand::Send(args) => send(&args, output),
        MailslotCommand::Info(args) => info(&args, output),
        MailslotCommand::Publish(args) => publish(&args, output),
        MailslotCommand::Subscribe(args) => subscribe(&args, output),
    }
}

fn slot_name(name: &str) -> String {
    let is_whole = name.starts_with(r"\\") || name.starts_with("//");
    if is_whole { name.to_owned() } else { format!(r"\\.\mailslot\{name}") }
}

/// A message that came.
#[derive(Debug, Serialize)]
struct Message<'a> {
    name: &'a str,
    bytes: usize,
    /// Messages before it that were overwritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<u64>,
    hex: String,
    #[serde(skip)]
    message: &'a [u8],
    #[serde(skip)]
    format: MessageFormat,
}

impl Report for Message<'_> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        match self.format {
            MessageFormat::Raw => out.write_all(self.message),
            MessageFormat::Lines => {
                out.write_all(self.message)?;
                out.write_all(b"\n")
            }
            MessageFormat::Hex => writeln!(out, "{}", self.hex),
        }
    }
}

fn listen(args: &MailslotListenArgs, output: &Output) -> Result<i32, Failure> {
    let name = slot_name(&args.name);
    let longest = u32::try_from(args.longest).map_err(|_| {
        Failure::usage(format!("a message of {} does not fit: 4 GiB - 1 at most", args.longest))
    })?;
    let mut options = Options::new(&name).max_message(longest).read_timeout(args.limit.timeout);
    if args.everyone {
        options = options.security(Security::everyone());
    }
    let server = options.create()?;
    output.note(&format!("listening at {}", printable(&name)));
    let mut count = 0;
    while args.count.is_none_or(|most| count < most) {
        let message = server.receive_vec()?;
        let (bytes, hex) = (message.len(), units::to_hex(&message));
        output.report(&Message {
            name: &name,
            bytes,
            lost: None,
            hex,
            message: &message,
            format: args.format,
        })?;
        count += 1;
    }
    Ok(Exit::Ok.code())
}

/// Each line, without its end, as bytes.
fn each_line(mut work: impl FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(|error| Failure::input(&error))? == 0 {
            return Ok(());
        }
        work(line.strip_suffix(b"\n").unwrap_or(&line))?;
    }
}

fn send(args: &MailslotSendArgs, output: &Output) -> Result<i32, Failure> {
    let name = slot_name(&args.name);
    let writer = Writer::open(&name)?;
    if let Some(text) = &args.text {
        writer.send(text.as_bytes())?;
    } else if let Some(hex) = &args.hex {
        writer.send(&units::hex(hex).map_err(Failure::usage)?)?;
    } else {
        match args.format {
            MessageFormat::Lines => each_line(|line| Ok(writer.send(line)?))?,
            MessageFormat::Raw => writer.send(&all_input()?)?,
            MessageFormat::Hex => {
                let text = String::from_utf8_lossy(&all_input()?).into_owned();
                writer.send(&units::hex(text.trim()).map_err(Failure::usage)?)?;
            }
        }
    }
    output.report(&Done { name: &name, result: "sent" })?;
    Ok(Exit::Ok.code())
}

/// What is known of a mailslot from outside.
#[derive(Debug, Serialize)]
struct Known<'a> {
    name: &'a str,
    detail: Option<String>,
}

impl Report for Known<'_> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}: {}", printable(self.name), self.detail.as_deref().unwrap_or("exists"))
    }
}

fn info(args: &MailslotInfoArgs, output: &Output) -> Result<i32, Failure> {
    let name = slot_name(&args.name);
    let Some(object) = namespace::find(&name)? else {
        return Err(Failure::new(Exit::NotFound, format!("no mailslot {}", printable(&name))));
    };
    output.report(&Known { name: &name, detail: object.state })?;
    Ok(Exit::Ok.code())
}

fn publish(args: &MailslotPublishArgs, output: &Output) -> Result<i32, Failure> {
    let capacity = usize::try_from(args.capacity).unwrap_or(usize::MAX);
    let broadcast = Broadcast::create(&args.name, capacity)?;
    output.note(&format!("publishing to {}", printable(&args.name)));
    match &args.text {
        Some(text) => {
            broadcast.publish(text.as_bytes())?;
            if args.wait_for_input {
                all_input()?;
            }
        }
        None => each_line(|line| Ok(broadcast.publish(line)?))?,
    }
    Ok(Exit::Ok.code())
}

fn subscribe(args: &MailslotSubscribeArgs, output: &Output) -> Result<i32, Failure> {
    let mut subscriber = Subscriber::open(&args.name)?;
    output.note(&format!("subscribed to {}", printable(&args.name)));
    let mut count = 0;
    while args.count.is_none_or(|most| count < most) {
        let (message, lost) = subscriber.receive_vec(args.limit.timeout)?;
        if lost > 0 && !output.is_json() {
            output.note(&format!("{lost} messages lost"));
        }
        let (bytes, hex) = (message.len(), units::to_hex(&message));
        let (name, lost, format) = (args.name.as_str(), Some(lost), args.format);
        output.report(&Message { name, bytes, lost, hex, message: &message, format })?;
        count += 1;
    }
    Ok(Exit::Ok.code())
}
