//! What this process can find out about the machine it runs on and about the processes beside it.
//!
//! # Safety
//! A descriptor number is borrowed for one call that answers EBADF if it is not open.
#![allow(unsafe_code)]

use std::fs;
use std::os::fd::{BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{AtFlags, CWD, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Resource, Rlimit};

use super::fault::opening;
use super::fd::above_standard;

/// The number of this process's PID namespace; 0 where /proc does not tell.
#[must_use]
pub fn pid_namespace() -> u64 {
    rustix::fs::statat(CWD, "/proc/self/ns/pid", AtFlags::empty()).map_or(0, |stat| stat.st_ino)
}

/// A second descriptor of what this process has open under `number`; EBADF if that is nothing. Another thread
/// may be closing that number: what comes back is to be checked.
pub fn duplicate_number(number: RawFd) -> Result<OwnedFd> {
    if number < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: the number is used for this one call only, which answers EBADF if it is not open.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    opening("dup", || rustix::io::fcntl_dupfd_cloexec(borrowed, 3))
}

/// kill(2) with signal 0: whether there is a process of this number, whoever's it is.
#[must_use]
pub fn exists(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(Errno::SRCH))
}

/// The thread ids of a process; empty if it has ended or cannot be seen.
#[must_use]
pub fn threads(process: u32) -> Vec<u32> {
    let Ok(folder) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Opens what a thread of another process has open under `number`: a process whose first thread has ended
/// shows its descriptors only under the others.
pub fn open_descriptor_of_thread(process: u32, thread: u32, number: RawFd, write: bool) -> Result<OwnedFd> {
    let mode = if write { OFlags::RDWR } else { OFlags::RDONLY };
    let path = format!("/proc/{process}/task/{thread}/fd/{number}");
    let flags = mode | OFlags::CLOEXEC | OFlags::NONBLOCK;
    above_standard(opening("open_proc", || rustix::fs::openat(CWD, &path, flags, Mode::empty()))?)
}

/// Whether a thread runs no program any more: it is on its way out, a zombie, or gone.
#[must_use]
pub fn is_thread_ending(process: u32, thread: u32) -> bool {
    // The flags of a task that has begun to exit; proc_pid_stat(5) names the field, the kernel's sched.h the bit.
    const EXITING: u64 = 0x4;
    let Ok(line) = fs::read(format!("/proc/{process}/task/{thread}/stat")) else { return true };
    let line = String::from_utf8_lossy(&line);
    // The command stands in parentheses and may hold anything, also parentheses and blanks.
    let fields = line.rsplit_once(')').map_or("", |(_, fields)| fields);
    let flags = fields.split_ascii_whitespace().nth(6).and_then(|field| field.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & EXITING != 0)
}

/// A soft and a hard limit of this process; `None` = none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What counts now.
    pub soft: Option<u64>,
    /// How far the process may raise it.
    pub hard: Option<u64>,
}

impl From<Rlimit> for Limit {
    fn from(limit: Rlimit) -> Limit {
        Limit { soft: limit.current, hard: limit.maximum }
    }
}

/// RLIMIT_NOFILE: open descriptors.
#[must_use]
pub fn limit_of_files() -> Limit {
    rustix::process::getrlimit(Resource::Nofile).into()
}

/// RLIMIT_FSIZE: bytes of a file this process writes.
#[must_use]
pub fn limit_of_file_size() -> Limit {
    rustix::process::getrlimit(Resource::Fsize).into()
}

/// RLIMIT_MEMLOCK: bytes of memory that may be locked.
#[must_use]
pub fn limit_of_locked_memory() -> Limit {
    rustix::process::getrlimit(Resource::Memlock).into()
}

/// RLIMIT_AS: bytes of address space.
#[must_use]
pub fn limit_of_address_space() -> Limit {
    rustix::process::getrlimit(Resource::As).into()
}

/// uname(2): what this computer is called.
#[must_use]
pub fn computer() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// uname(2): the name and the release of the kernel.
#[must_use]
pub fn kernel() -> String {
    let name = rustix::system::uname();
    format!("{} {}", name.sysname().to_string_lossy(), name.release().to_string_lossy())
}

/// memfd_create(2) and F_ADD_SEALS on a file of no bytes: whether memory can be made that keeps its size.
pub fn try_sealed_memory() -> Result<()> {
    let file = rustix::fs::memfd_create("transom-probe", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
}

/// pidfd_open(2) of this very process: whether the end of a process can be waited for.
pub fn try_process_descriptor() -> Result<()> {
    rustix::process::pidfd_open(rustix::process::getpid(), rustix::process::PidfdFlags::empty()).map(drop)
}
