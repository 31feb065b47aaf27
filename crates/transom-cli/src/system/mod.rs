//! The few things that differ between the systems: how a command's end is told, what Ctrl-C means
//! while it runs, and what standard input is.
//!
//! Each backend exports `exit_code(ExitStatus) -> i32`, `outlive_interrupts() -> io::Result<()>`,
//! `input_is_null() -> bool`, `shell(&str) -> Command`, `command_of(u32) -> String`, and `UnixStream`, `UnixListener` and `listen_unix`.

#[cfg_attr(unix, path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

pub use imp::{
    UnixListener, UnixStream, command_of, exit_code, input_is_null, listen_unix, outlive_interrupts, shell,
};
