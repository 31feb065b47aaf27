//! Windows: exit codes are what they are, and Ctrl-C reaches every process of the console.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::windows::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus};

use crate::cmd::relay::Socket;

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

/// A command line for the system's shell.
pub fn shell(line: &str) -> Command {
    let mut command = Command::new("cmd");
    // As it is: cmd reads its line by rules of its own. With /S it takes off the outer quotes and no others.
    command.raw_arg(format!("/S /C \"{line}\""));
    command
}

/// A process's command line: no documented call tells another process's.
pub fn command_of(_process: u32) -> String {
    String::new()
}

/// A Unix socket: the standard library has none here, so there never is one.
pub enum UnixStream {}

/// See [`UnixStream`].
pub enum UnixListener {}

fn no_unix_sockets<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "Unix sockets are for Linux here"))
}

/// Fails: there are no Unix sockets here.
pub fn listen_unix(_: &Path) -> io::Result<UnixListener> {
    no_unix_sockets()
}

impl UnixListener {
    /// Never called.
    pub fn accept(&self) -> io::Result<(UnixStream, ())> {
        match *self {}
    }
}

impl UnixStream {
    /// Fails: there are no Unix sockets here.
    pub fn connect(_: &Path) -> io::Result<UnixStream> {
        no_unix_sockets()
    }
}

impl Read for UnixStream {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}

impl Write for UnixStream {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match *self {}
    }
}

impl Socket for UnixStream {
    fn second(&self) -> io::Result<UnixStream> {
        match *self {}
    }

    fn shut(&self, _: Shutdown) -> io::Result<()> {
        match *self {}
    }
}
