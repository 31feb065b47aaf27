//! Starting, watching and ending processes: clone(2), execve(2), pidfds, waitid(2).
//!
//! # Safety
//! [`fork`] returns twice; what runs in the child until execve may only make system calls, since every
//! other thread of the parent is gone and may have held any lock.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, Result};
use rustix::process::{Pid, PidfdFlags, Signal, WaitId, WaitIdOptions};

use super::fault::{self, opening};
use super::fd::above_standard;

/// gettid(2).
#[must_use]
pub fn thread_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get() as u32
}

/// getpid(2), asked once in each process: what is remembered lies in a page that the kernel empties in a forked
/// child, however that was forked.
#[must_use]
#[inline]
pub fn id() -> u32 {
    // SAFETY: the page is never unmapped once its address is here, and nothing but this word is ever in it.
    let known = unsafe { KNOWN_ID.load(Ordering::Acquire).as_ref() };
    match known.map_or(0, |known| known.load(Ordering::Relaxed)) {
        0 => ask_id(known),
        id => id,
    }
}

/// Where [`id`] remembers; null until it was first asked.
static KNOWN_ID: AtomicPtr<AtomicU32> = AtomicPtr::new(std::ptr::null_mut());

#[cold]
fn ask_id(known: Option<&AtomicU32>) -> u32 {
    let id = rustix::process::getpid().as_raw_nonzero().get() as u32;
    match known {
        Some(known) => known.store(id, Ordering::Relaxed),
        None => {
            if let Some(page) = page_emptied_by_fork() {
                // SAFETY: it is a new page, mapped for good; an atomic of zeroes is a valid one.
                unsafe { (*page).store(id, Ordering::Relaxed) };
                // Of several threads that come here at once, one page is used and the others are wasted.
                KNOWN_ID.store(page, Ordering::Release);
            }
        }
    }
    id
}

/// mmap(2) and madvise(2), MADV_WIPEONFORK; `None` if the kernel refuses either.
fn page_emptied_by_fork() -> Option<*mut AtomicU32> {
    const LENGTH: usize = 4096;
    // SAFETY: new private memory, which nobody knows; given back if it cannot be what it should be.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(std::ptr::null_mut(), LENGTH, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        if page == libc::MAP_FAILED {
            return None;
        }
        if libc::madvise(page, LENGTH, libc::MADV_WIPEONFORK) != 0 {
            libc::munmap(page, LENGTH);
            return None;
        }
        Some(page.cast())
    }
}

/// geteuid(2).
#[must_use]
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// getegid(2).
#[must_use]
pub fn group() -> u32 {
    rustix::process::getegid().as_raw()
}

fn pid(id: u32) -> Result<Pid> {
    i32::try_from(id).ok().and_then(Pid::from_raw).ok_or(Errno::SRCH)
}

/// pidfd_open(2): a descriptor of the process, readable when it has ended.
pub fn open(id: u32) -> Result<OwnedFd> {
    let pid = pid(id)?;
    above_standard(opening("pidfd_open", || rustix::process::pidfd_open(pid, PidfdFlags::empty()))?)
}

/// poll(2): whether the process of a pidfd has ended.
#[must_use]
pub fn has_ended(pidfd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(&pidfd, PollFlags::IN)];
    loop {
        match rustix::event::poll(&mut fds, Some(&rustix::time::Timespec::default())) {
            Ok(ready) => return ready > 0,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

/// poll(2): waits until one of the pidfds is readable or CLOCK_MONOTONIC reaches `deadline`; which one, or
/// `None` for the deadline.
pub fn wait_any(pidfds: &[BorrowedFd<'_>], deadline: Option<u64>) -> Result<Option<usize>> {
    let mut fds: Vec<PollFd<'_>> = pidfds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    loop {
        let left = deadline.map(|at| {
            let nanos = at.saturating_sub(super::futex::now());
            rustix::time::Timespec {
                tv_sec: (nanos / 1_000_000_000) as i64,
                tv_nsec: (nanos % 1_000_000_000) as i64,
            }
        });
        match rustix::event::poll(&mut fds, left.as_ref()) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(fds.iter().position(|fd| !fd.revents().is_empty())),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// pidfd_send_signal(2) with SIGKILL.
pub fn kill(pidfd: BorrowedFd<'_>) -> Result<()> {
    rustix::process::pidfd_send_signal(pidfd, Signal::KILL)
}

/// How a process ended, as far as the kernel tells us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// exit(2) with this status, 8 bits of it.
    Exited(u32),
    /// Killed by this signal.
    Signalled(u32),
}

/// waitid(2) with WNOWAIT: how a child of ours ended, leaving it for [`reap`]. ECHILD if it is no child.
pub fn peek_status(pidfd: BorrowedFd<'_>) -> Result<Option<Ended>> {
    status(pidfd, WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT)
}

/// waitid(2): takes the remains of an ended child away, so that its id may be used again.
pub fn reap(pidfd: BorrowedFd<'_>) -> Result<Option<Ended>> {
    status(pidfd, WaitIdOptions::EXITED | WaitIdOptions::NOHANG)
}

/// kill(2) with SIGKILL and waitid(2), by number: ends a child of ours, of which nobody else knows yet, and takes
/// its remains away.
pub fn undo_fork(id: u32) {
    let Ok(pid) = pid(id) else { return };
    let _ = rustix::process::kill_process(pid, Signal::KILL);
    while matches!(rustix::process::waitid(WaitId::Pid(pid), WaitIdOptions::EXITED), Err(Errno::INTR)) {}
}

fn status(pidfd: BorrowedFd<'_>, options: WaitIdOptions) -> Result<Option<Ended>> {
    loop {
        match rustix::process::waitid(WaitId::PidFd(pidfd), options) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
            Ok(None) => return Ok(None),
            Ok(Some(status)) => {
                let ended = if let Some(code) = status.exit_status() {
                    Ended::Exited(code as u32)
                } else {
                    Ended::Signalled(status.terminating_signal().unwrap_or(0) as u32)
                };
                return Ok(Some(ended));
            }
        }
    }
}

/// PIDFD_GET_INFO, Linux 6.15: how a process ended that is not a child of ours, even after it was reaped.
pub fn exit_info(pidfd: BorrowedFd<'_>) -> Option<Ended> {
    const EXIT: u64 = 1 << 3;
    /// `_IOWR(0xFF, 11, struct pidfd_info)` with the first published size, 64 bytes.
    const GET_INFO: libc::c_ulong = 0xC040_FF0B;
    #[repr(C)]
    #[derive(Default)]
    struct Info {
        mask: u64,
        cgroup: u64,
        ids: [u32; 11],
        exit_code: i32,
    }
    let mut info = Info { mask: EXIT, ..Info::default() };
    // SAFETY: the kernel writes at most the 64 bytes that the request number names.
    let result = unsafe { libc::ioctl(pidfd.as_raw_fd(), GET_INFO as _, &raw mut info) };
    if result != 0 || info.mask & EXIT == 0 {
        return None;
    }
    let status = info.exit_code;
    Some(if libc::WIFEXITED(status) {
        Ended::Exited(libc::WEXITSTATUS(status) as u32)
    } else {
        Ended::Signalled(libc::WTERMSIG(status) as u32)
    })
}

/// What the new process is to become, made ready before the fork: nothing is allocated after it.
#[derive(Debug)]
pub struct Image<'a> {
    /// The program's path.
    pub program: &'a CStr,
    /// argv and envp: pointers to strings that live as long as this, closed by a null pointer.
    pub arguments: &'a [*const libc::c_char],
    /// As `arguments`.
    pub environment: &'a [*const libc::c_char],
    /// The working directory, if another.
    pub directory: Option<&'a CStr>,
    /// What becomes descriptors 0, 1 and 2; `None` leaves one as it is.
    pub standard: [Option<RawFd>; 3],
    /// Descriptors that stay open under their numbers.
    pub keep: &'a [RawFd],
    /// setsid(2): no controlling terminal.
    pub new_session: bool,
    /// setpgid(2): a process group of its own.
    pub new_group: bool,
    /// Read end of the pipe on which the parent says that it has recorded the child.
    pub go: RawFd,
    /// A word that must become other than 0 before the program runs (`CREATE_SUSPENDED`), shared with who resumes.
    pub resume: Option<&'a std::sync::atomic::AtomicU32>,
    /// Write end of the close-on-exec pipe that carries `errno` (and which step) back if a step fails; also five
    /// zeroes once a suspended child needs its creator no more.
    pub report: RawFd,
}

/// The step of starting a program that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The working directory.
    Directory,
    /// Anything else before the program.
    Setup,
    /// execve(2).
    Execute,
}

impl Step {
    /// The step of a report's second byte.
    #[must_use]
    pub fn from_byte(byte: u8) -> Step {
        match byte {
            1 => Step::Directory,
            3 => Step::Execute,
            _ => Step::Setup,
        }
    }
}

/// clone(2) without sharing, and execve(2) in the child: starts `image`; the child's id.
///
/// The child waits for a byte on `go` first. If the parent dies before that, the child does too.
///
/// # Safety
/// The pointers in `image` are valid C strings, its descriptors are open.
pub unsafe fn fork(image: &Image<'_>) -> Result<u32> {
    fault::call("clone")?;
    let parent = id();
    let mut all: libc::sigset_t;
    let mut before: libc::sigset_t;
    // SAFETY: the sets are filled by the calls before they are read. All signals are blocked around the
    // fork so that no handler of the parent runs in the child.
    let child = unsafe {
        all = std::mem::zeroed();
        before = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, &raw mut before);
        // Straight to the kernel: the C library's fork would run handlers that other code registered.
        let child = libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0usize, 0usize, 0usize, 0usize);
        if child == 0 {
            become_image(image, parent, &before);
        }
        let error = std::io::Error::last_os_error();
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        if child < 0 {
            return Err(Errno::from_io_error(&error).unwrap_or(Errno::AGAIN));
        }
        child
    };
    Ok(child as u32)
}

/// The child's side of [`fork`]: system calls only.
///
/// # Safety
/// As for [`fork`]; runs in the child, between clone and execve.
unsafe fn become_image(image: &Image<'_>, parent: u32, mask: &libc::sigset_t) -> ! {
    // SAFETY: every call below is a bare system call or an async-signal-safe function on valid arguments;
    // this process has one thread and leaves by execve or _exit.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() as u32 != parent {
            libc::_exit(127);
        }
        let mut byte = 0u8;
        while libc::read(image.go, (&raw mut byte).cast(), 1) < 0 {
            if *libc::__errno_location() != libc::EINTR {
                libc::_exit(127);
            }
        }
        if byte == 0 {
            libc::_exit(127);
        }
        libc::prctl(libc::PR_SET_PDEATHSIG, 0);
        if image.new_session {
            libc::setsid();
        }
        if image.new_group {
            libc::setpgid(0, 0);
        }
        let mut sources = image.standard;
        // A source that is itself 0, 1 or 2 would be overwritten before it is used: move it away first.
        for (target, source) in sources.iter_mut().enumerate() {
            if let Some(fd) = *source
                && fd <= 2
                && fd as usize != target
            {
                let moved = libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3);
                if moved < 0 {
                    fail(image.report, 2);
                }
                *source = Some(moved);
            }
        }
        for (target, source) in sources.iter().enumerate() {
            let target = target as RawFd;
            match *source {
                Some(fd) if fd == target => {
                    libc::fcntl(fd, libc::F_SETFD, 0);
                }
                Some(fd) if libc::dup2(fd, target) < 0 => fail(image.report, 2),
                Some(_) | None => {}
            }
        }
        for &fd in image.keep {
            if libc::fcntl(fd, libc::F_SETFD, 0) < 0 {
                fail(image.report, 2);
            }
        }
        if let Some(directory) = image.directory
            && libc::chdir(directory.as_ptr()) != 0
        {
            fail(image.report, 1);
        }
        if let Some(resume) = image.resume {
            close_what_ends_at_exec(image.report);
            // From here on it lives without its creator, who waits for this.
            report(image.report, 0, 0);
            while resume.load(std::sync::atomic::Ordering::Acquire) == 0 {
                libc::syscall(libc::SYS_futex, resume.as_ptr(), 0, 0, std::ptr::null::<libc::timespec>());
            }
        }
        // Ignored signals stay ignored over execve, caught ones become default by themselves; a broken pipe
        // kills programs that do not say otherwise.
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::sigprocmask(libc::SIG_SETMASK, mask, std::ptr::null_mut());
        libc::execve(image.program.as_ptr(), image.arguments.as_ptr(), image.environment.as_ptr());
        fail(image.report, 3);
    }
}

/// Closes every descriptor but `except` that execve would close: a child that is to wait before it becomes the
/// program must not keep alive what its creator has open.
///
/// # Safety
/// As for [`become_image`].
unsafe fn close_what_ends_at_exec(except: RawFd) {
    let close = |fd: RawFd| {
        // SAFETY: this process has one thread, which uses none of these descriptors any more.
        unsafe {
            let flags = libc::fcntl(fd, libc::F_GETFD);
            if flags >= 0 && flags & libc::FD_CLOEXEC != 0 && fd > 2 && fd != except {
                libc::close(fd);
            }
        }
    };
    // SAFETY: open, getdents64 and getrlimit on local buffers; a record of the list is read within the bytes
    // that the kernel says it wrote.
    unsafe {
        let folder =
            libc::open(c"/proc/self/fd".as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC);
        if folder < 0 {
            let mut limit: libc::rlimit = std::mem::zeroed();
            libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
            // Beyond that there is hardly anything, and without /proc there is no quicker way to know.
            for fd in 3..limit.rlim_cur.min(1 << 16) as RawFd {
                close(fd);
            }
            return;
        }
        let mut list = [0u64; 512];
        loop {
            let read = libc::syscall(libc::SYS_getdents64, folder, list.as_mut_ptr(), size_of_val(&list));
            let Ok(read @ 1..) = usize::try_from(read) else { break };
            let mut at = 0;
            // Each record: inode u64, offset i64, length u16, type u8, name with a zero behind it.
            while at + 19 < read {
                let record = list.as_ptr().cast::<u8>().add(at);
                let mut number: Option<RawFd> = None;
                let mut name = record.add(19);
                while (*name).is_ascii_digit() {
                    number = Some(number.unwrap_or(0) * 10 + RawFd::from(*name - b'0'));
                    name = name.add(1);
                }
                if let Some(fd) = number.filter(|fd| *fd != folder) {
                    close(fd);
                }
                at += usize::from(record.add(16).cast::<u16>().read_unaligned());
            }
        }
        libc::close(folder);
    }
}

/// Reports errno and the step, and ends the child.
///
/// # Safety
/// As for [`become_image`].
unsafe fn fail(report: RawFd, step: u8) -> ! {
    // SAFETY: the caller's promise.
    unsafe {
        self::report(report, step, *libc::__errno_location());
        libc::_exit(127)
    }
}

/// Writes errno and the step to the pipe.
///
/// # Safety
/// As for [`become_image`].
unsafe fn report(pipe: RawFd, step: u8, errno: libc::c_int) {
    let errno = errno.to_le_bytes();
    let message = [step, errno[0], errno[1], errno[2], errno[3]];
    // SAFETY: five bytes of a local array go to a pipe.
    unsafe { libc::write(pipe, message.as_ptr().cast(), message.len()) };
}

/// access(2) with X_OK for the effective user.
pub fn may_execute(path: &CStr) -> Result<()> {
    rustix::fs::accessat(rustix::fs::CWD, path, rustix::fs::Access::EXEC_OK, rustix::fs::AtFlags::EACCESS)
}

/// Ends this process at once with SIGKILL, as TerminateProcess on oneself does.
pub fn kill_self() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), Signal::KILL);
    // SAFETY: _exit takes a number and does not return; reached only if the signal was refused.
    unsafe { libc::_exit(1) }
}

/// Stops this process until somebody continues it; the calling thread does not come back before that.
pub fn stop_self() {
    // SAFETY: raise takes a number. The signal goes to this thread, which meets it before the call returns.
    unsafe { libc::raise(libc::SIGSTOP) };
}

/// exit(3): runs what was registered to run at the end, and ends with the low 8 bits of `status`.
pub fn exit(status: i32) -> ! {
    // SAFETY: the C library's exit may be called from any thread.
    unsafe { libc::exit(status) }
}

/// on_exit(3): calls `function` with the full 32-bit status when the process ends by exit(3) or by
/// returning from main. False where the C library does not have it.
pub fn at_exit(function: extern "C" fn(libc::c_int, *mut libc::c_void)) -> bool {
    unsafe extern "C" {
        fn on_exit(
            function: extern "C" fn(libc::c_int, *mut libc::c_void),
            argument: *mut libc::c_void,
        ) -> libc::c_int;
    }
    // SAFETY: a function pointer that stays valid as long as this library is loaded, and no argument.
    unsafe { on_exit(function, std::ptr::null_mut()) == 0 }
}

/// pthread_atfork(3): calls `before` before fork(2), and after it `parent` and `child` in the two processes,
/// all in the thread that forks.
pub fn at_fork(before: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    unsafe extern "C" {
        fn pthread_atfork(
            prepare: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> libc::c_int;
    }
    // SAFETY: as in `at_exit`.
    unsafe { pthread_atfork(Some(before), Some(parent), Some(child)) };
}

/// close(2) by number, for descriptors whose owner no longer exists: after fork, in the child.
///
/// # Safety
/// Nothing in this process will use or close the descriptor.
pub unsafe fn close_raw(fd: RawFd) {
    // SAFETY: the caller's promise.
    unsafe { libc::close(fd) };
}
