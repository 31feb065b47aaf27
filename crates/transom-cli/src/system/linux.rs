//! Linux: signals, and the null device.

use std::io;
use std::net::Shutdown;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
pub use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGQUIT};

use crate::cmd::relay::Socket;

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

/// A command line for the user's shell.
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(line);
    command
}

/// A process's command line; empty if it cannot be seen.
pub fn command_of(process: u32) -> String {
    let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let words: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    words.join(" ").trim_end().to_owned()
}

/// Listens at a path. A socket that somebody left there, and at which nobody answers, is replaced.
pub fn listen_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_behind(path) => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        result => result,
    }
}

fn is_left_behind(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_socket());
    let refused =
        || UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    is_socket && refused()
}

impl Socket for UnixStream {
    fn second(&self) -> io::Result<UnixStream> {
        self.try_clone()
    }

    fn shut(&self, how: Shutdown) -> io::Result<()> {
        self.shutdown(how)
    }
}
