//! What /proc tells about processes and their descriptors.

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Result;

use super::fault::opening;
use super::fd::above_standard;

/// Opens what another process has open under number `fd`: memory, files and pipes, as a new open file of
/// one's own. It needs the right to look at that process (the same user, and it is dumpable).
pub fn open_descriptor(process: u32, fd: RawFd, read: bool, write: bool) -> Result<OwnedFd> {
    let mode = match (read, write) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        _ => OFlags::RDONLY,
    };
    let path = format!("/proc/{process}/fd/{fd}");
    let flags = mode | OFlags::CLOEXEC | OFlags::NONBLOCK;
    above_standard(opening("open_proc", || rustix::fs::openat(CWD, &path, flags, Mode::empty()))?)
}

/// Opens what this process has open, again: the same file with an offset and flags of its own.
pub fn reopen(fd: impl AsFd, read: bool, write: bool) -> Result<OwnedFd> {
    let mode = match (read, write) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        _ => OFlags::RDONLY,
    };
    let path = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    let flags = mode | OFlags::CLOEXEC;
    above_standard(opening("open_proc", || rustix::fs::openat(CWD, &path, flags, Mode::empty()))?)
}

/// The path of the running program.
pub fn program() -> Result<PathBuf> {
    let path = rustix::fs::readlinkat(CWD, "/proc/self/exe", Vec::new())?;
    Ok(PathBuf::from(OsString::from_vec(path.into_bytes())))
}

/// The arguments of this process, as the kernel keeps them.
#[must_use]
pub fn arguments() -> Vec<Vec<u8>> {
    let bytes = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    bytes.strip_suffix(b"\0").unwrap_or(&bytes).split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
}

/// Whether `thread` is a thread of this process.
#[must_use]
pub fn is_own_thread(thread: u32) -> bool {
    std::path::Path::new(&format!("/proc/self/task/{thread}")).exists()
}

/// The threads of this process: number and name. Empty where /proc does not tell.
#[must_use]
pub fn own_threads() -> Vec<(u32, String)> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let ids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok());
    let name = |id: u32| std::fs::read_to_string(format!("/proc/self/task/{id}/comm")).unwrap_or_default();
    ids.map(|id| (id, name(id).trim_end().to_owned())).collect()
}

/// Whether a process is in a PID namespace below this one, in which it has another number. False if there is no such
/// process.
#[must_use]
pub fn is_below(process: u32) -> bool {
    // From the namespace of /proc down to the process's own.
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mut numbers = status.lines().filter_map(|line| line.strip_prefix("NSpid:"));
    numbers.any(|numbers| numbers.split_whitespace().count() > 1)
}

/// The user that a process runs as; `None` if there is no such process.
#[must_use]
pub fn owner(process: u32) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(format!("/proc/{process}")).ok().map(|data| data.uid())
}
