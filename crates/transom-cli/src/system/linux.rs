//! Linux: signals, and the null device.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGQUIT};

/// A command's exit code; 128 + N if signal N ended it, as shells count.
pub fn exit_code(status: ExitStatus) -> i32 {
    match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => 128 + signal,
        (None, None) => 1,
    }
}

/// From now on Ctrl-C is the command's business: the terminal sends it to both, and a command that
/// tidies up first must still hold its mutex or name while it does. The command starts with the usual
/// reactions, because handlers do not pass to a new program.
pub fn outlive_interrupts() -> io::Result<()> {
    for signal in [SIGINT, SIGQUIT] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))?;
    }
    Ok(())
}

/// Whether standard input is the null device: then its end says nothing. Shells give it to
/// background jobs of scripts.
pub fn input_is_null() -> bool {
    let input = std::fs::metadata("/dev/stdin");
    let null = std::fs::metadata("/dev/null");
    match (input, null) {
        (Ok(input), Ok(null)) => input.file_type().is_char_device() && input.rdev() == null.rdev(),
        _ => false,
    }
}
