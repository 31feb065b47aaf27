//! Windows: exit codes are what they are, and Ctrl-C reaches every process of the console.

use std::io;
use std::process::ExitStatus;

/// A command's exit code, all 32 bits.
pub fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(1)
}

/// Nothing to do: a console's Ctrl-C ends this process and the command alike.
pub fn outlive_interrupts() -> io::Result<()> {
    Ok(())
}

/// Whether standard input is the null device. Windows does not tell without a call of its own, and
/// no shell there hands it out by itself.
pub fn input_is_null() -> bool {
    false
}
