//! `transom semaphore …`

use std::io;

use serde::Serialize;
use transom::process::SYNCHRONIZE;
use transom::semaphore::{Semaphore, SemaphoreOptions};
use transom::wait::{self, Timeout, Wait};

use crate::args::{
    SemaphoreCommand, SemaphoreCreateArgs, SemaphoreReleaseArgs, SemaphoreRunArgs, WaitOneArgs,
};
use crate::child;
use crate::cmd::event::Done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keep::{self, Ready};
use crate::output::{Output, Report};

/// `SEMAPHORE_MODIFY_STATE`: all that releasing needs.
const SEMAPHORE_MODIFY_STATE: u32 = 0x2;

/// Runs a `semaphore` command.
pub fn run(command: SemaphoreCommand, output: &Output) -> Result<i32, Failure> {
    match command {
        SemaphoreCommand::Create(args) => create(&args, output),
        SemaphoreCommand::Release(args) => release(&args, output),
        SemaphoreCommand::Wait(args) => wait(&args, output),
        SemaphoreCommand::Run(args) => run_within(&args, output),
    }
}

fn create(args: &SemaphoreCreateArgs, output: &Output) -> Result<i32, Failure> {
    let initial = args.initial.unwrap_or(args.maximum);
    let mut options = SemaphoreOptions::new(initial, args.maximum).name(&args.name);
    if let Some(security) = args.keep.security() {
        options = options.security(security);
    }
    let created = options.create()?;
    keep::check_new(&args.keep, created.existed, "semaphore", &args.name)?;
    keep::keep(&args.keep, Ready::new("semaphore", &args.name, created.existed), false, output)
}

/// What a release did.
#[derive(Debug, Serialize)]
struct Released<'a> {
    name: &'a str,
    /// The count before.
    previous: i32,
    /// How many were given.
    given: i32,
}

impl Report for Released<'_> {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        writeln!(out, "{}", self.previous)
    }
}

fn release(args: &SemaphoreReleaseArgs, output: &Output) -> Result<i32, Failure> {
    let options = SemaphoreOptions::new(0, 1).name(&args.name).access(SEMAPHORE_MODIFY_STATE);
    let previous = options.open()?.release(args.count)?;
    output.report(&Released { name: &args.name, previous, given: args.count })?;
    Ok(Exit::Ok.code())
}

fn wait(args: &WaitOneArgs, output: &Output) -> Result<i32, Failure> {
    let semaphore = SemaphoreOptions::new(0, 1).name(&args.name).access(SYNCHRONIZE).open()?;
    take(&semaphore, &args.name, args.limit.timeout)?;
    output.report(&Done { name: &args.name, result: "taken" })?;
    Ok(Exit::Ok.code())
}

fn run_within(args: &SemaphoreRunArgs, output: &Output) -> Result<i32, Failure> {
    let semaphore = match args.maximum {
        Some(maximum) => SemaphoreOptions::new(maximum, maximum).name(&args.name).create()?.object,
        None => Semaphore::open(&args.name)?,
    };
    take(&semaphore, &args.name, args.limit.timeout)?;
    let code = child::run(&args.command);
    if let Err(error) = semaphore.release(1) {
        // The command has run; that somebody gave too much back meanwhile is worth a word and no more.
        output.note(&Failure::from(error).message);
    }
    code
}

fn take(semaphore: &Semaphore, name: &str, timeout: Timeout) -> Result<(), Failure> {
    match wait::one(semaphore, timeout)? {
        Wait::Timeout => Err(Failure::timed_out(format!("semaphore '{name}'"))),
        Wait::Object(_) | Wait::Abandoned(_) => Ok(()),
    }
}
