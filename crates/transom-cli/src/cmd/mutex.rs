//! `transom mutex …`

use transom::mutex::{Mutex, MutexOptions};
use transom::process::SYNCHRONIZE;

use crate::args::{MutexCommand, MutexCreateArgs, MutexRunArgs, WaitOneArgs};
use crate::child;
use crate::cmd::event::Done;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keep::{self, Ready};
use crate::output::Output;

/// Runs a `mutex` command.
pub fn run(command: MutexCommand, output: &Output) -> Result<i32, Failure> {
    match command {
        MutexCommand::Run(args) => run_holding(&args, output),
        MutexCommand::Create(args) => create(&args, output),
        MutexCommand::Wait(args) => wait(&args, output),
    }
}

/// The failure of a mutex that was left behind.
pub fn abandoned(name: &str) -> Failure {
    Failure::new(Exit::Abandoned, format!("the last owner of mutex '{name}' ended without releasing it"))
        .hint("what it protects may be half changed; this is told once")
}

fn run_holding(args: &MutexRunArgs, output: &Output) -> Result<i32, Failure> {
    let mutex: Mutex = MutexOptions::new().name(&args.name).create()?.object;
    let Some(guard) = mutex.lock_for(args.limit.timeout)? else {
        return Err(Failure::timed_out(format!("mutex '{}'", args.name)));
    };
    if guard.abandoned() {
        let failure = abandoned(&args.name);
        if args.fail_abandoned {
            return Err(failure);
        }
        output.note(&failure.message);
    }
    // The guard lives until the command has ended, and then releases.
    let code = child::run(&args.command);
    drop(guard);
    code
}

fn create(args: &MutexCreateArgs, output: &Output) -> Result<i32, Failure> {
    let mut options = MutexOptions::new().name(&args.name);
    if let Some(security) = args.keep.security() {
        options = options.security(security);
    }
    let created = options.create()?;
    keep::check_new(&args.keep, created.existed, "mutex", &args.name)?;
    keep::keep(&args.keep, Ready::new("mutex", &args.name, created.existed), false, output)
}

fn wait(args: &WaitOneArgs, output: &Output) -> Result<i32, Failure> {
    let mutex = MutexOptions::new().name(&args.name).access(SYNCHRONIZE).open()?;
    let Some(guard) = mutex.lock_for(args.limit.timeout)? else {
        return Err(Failure::timed_out(format!("mutex '{}'", args.name)));
    };
    let was_abandoned = guard.abandoned();
    drop(guard);
    if was_abandoned {
        return Err(abandoned(&args.name));
    }
    output.report(&Done { name: &args.name, result: "free" })?;
    Ok(Exit::Ok.code())
}
