//! Running the command that was given after `--`.

use std::ffi::OsString;
use std::io;
use std::process::Command;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::system;

/// Runs a command with this process's streams and gives its exit code. Whatever the caller holds is held
/// until the command has ended.
pub fn run(line: &[OsString]) -> Result<i32, Failure> {
    let (program, arguments) =
        line.split_first().ok_or_else(|| Failure::usage("no command is given after --"))?;
    // Before the command exists: an interrupt between the two would end this process alone.
    system::outlive_interrupts().map_err(|error| cannot_run(program, &error))?;
    let status = Command::new(program).args(arguments).status();
    status.map(system::exit_code).map_err(|error| cannot_run(program, &error))
}

/// A command that cannot be started, with the numbers that shells use.
fn cannot_run(program: &OsString, error: &io::Error) -> Failure {
    let program = program.display();
    if error.kind() == io::ErrorKind::NotFound {
        return Failure::new(Exit::NoCommand, format!("cannot run {program}: no such command"))
            .hint("give a program and its arguments after --; for shell syntax: -- sh -c '…'");
    }
    Failure::new(Exit::CannotRun, format!("cannot run {program}: {error}"))
}
