//! `transom event …`

use std::io;

use serde::Serialize;
use transom::event::{Event, EventOptions};
use transom::process::SYNCHRONIZE;
use transom::wait::{self, Wait};

use crate::args::{EventCommand, EventCreateArgs, WaitOneArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keep::{self, Ready};
use crate::output::{Output, Report};

/// `EVENT_MODIFY_STATE`: all that setting needs, so that a holder may allow just that.
const EVENT_MODIFY_STATE: u32 = 0x2;

/// Runs an `event` command.
pub fn run(command: EventCommand, output: &Output) -> Result<i32, Failure> {
    match command {
        EventCommand::Create(args) => create(&args, output),
        EventCommand::Set(args) => change(&args.name, "set", Event::set, output),
        EventCommand::Reset(args) => change(&args.name, "reset", Event::reset, output),
        EventCommand::Pulse(args) => change(&args.name, "pulsed", Event::pulse, output),
        EventCommand::Wait(args) => wait(&args, output),
    }
}

/// What happened to an object; text says nothing, since the exit code says it all.
#[derive(Debug, Serialize)]
pub struct Done<'a> {
    /// Which object.
    pub name: &'a str,
    /// `"set"`, `"signalled"`…
    pub result: &'static str,
}

impl Report for Done<'_> {
    fn text(&self, _out: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }
}

fn create(args: &EventCreateArgs, output: &Output) -> Result<i32, Failure> {
    let mut options = EventOptions::new().name(&args.name).manual_reset(args.manual).initial(args.set);
    if let Some(security) = args.keep.security() {
        options = options.security(security);
    }
    let created = options.create()?;
    keep::check_new(&args.keep, created.existed, "event", &args.name)?;
    keep::keep(&args.keep, Ready::new("event", &args.name, created.existed), false, output)
}

fn change(
    name: &str,
    result: &'static str,
    how: fn(&Event) -> transom::Result<()>,
    output: &Output,
) -> Result<i32, Failure> {
    let event = EventOptions::new().name(name).access(EVENT_MODIFY_STATE).open()?;
    how(&event)?;
    output.report(&Done { name, result })?;
    Ok(Exit::Ok.code())
}

fn wait(args: &WaitOneArgs, output: &Output) -> Result<i32, Failure> {
    let event = EventOptions::new().name(&args.name).access(SYNCHRONIZE).open()?;
    if wait::one(&event, args.limit.timeout)? == Wait::Timeout {
        return Err(Failure::timed_out(format!("event '{}'", args.name)));
    }
    output.report(&Done { name: &args.name, result: "signalled" })?;
    Ok(Exit::Ok.code())
}
