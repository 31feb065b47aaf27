//! Signals that shared memory and pipes bring along: SIGBUS where a file was cut short under a mapping,
//! SIGPIPE where a reader has gone.
//!
//! # Safety
//! The SIGBUS handler may only do what is async-signal-safe: it reads atomics and calls mmap(2).

use std::cell::Cell;
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::{Errno, Result};

/// Decides about an access to a page that its file no longer has: true if it was mended and the access may be
/// repeated.
pub type Mend = fn(address: usize) -> bool;

static MEND: AtomicUsize = AtomicUsize::new(0);
/// What SIGBUS did before; set once, before the handler is there that reads it.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// sigaction(2): from now on a SIGBUS for lack of a file's page asks `mend` first. What it refuses goes where it
/// went before, and so does every other SIGBUS. To be called once, by whoever makes sure of that.
pub fn handle_bus_errors(mend: Mend) -> Result<()> {
    MEND.store(mend as usize, Ordering::Release);
    // SAFETY: an all-zero action is a valid one; the calls fill it, or install it after it was filled in full.
    let result = unsafe {
        let mut previous: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut previous);
        let _ = PREVIOUS.set(previous);
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_bus_error as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut())
    };
    if result == 0 { Ok(()) } else { Err(Errno::INVAL) }
}

extern "C" fn on_bus_error(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let mend = MEND.load(Ordering::Acquire);
    // SAFETY: the kernel passes valid pointers; MEND holds a `Mend` since before the handler was installed;
    // PREVIOUS was filled then too. A default action is restored and the faulting access repeats.
    unsafe {
        // What kill(2) sends has no address, and a broken memory chip is not mended by other pages.
        if (*info).si_code == libc::BUS_ADRERR {
            let address = (*info).si_addr() as usize;
            let errno = *libc::__errno_location();
            let mend: Mend = std::mem::transmute::<usize, Mend>(mend);
            if mend(address) {
                *libc::__errno_location() = errno;
                return;
            }
        }
        let Some(previous) = PREVIOUS.get() else { libc::abort() };
        let was_sent = (*info).si_code <= 0;
        if previous.sa_sigaction == libc::SIG_IGN && was_sent {
            // A fault cannot be ignored, but this is none.
        } else if previous.sa_sigaction == libc::SIG_DFL || previous.sa_sigaction == libc::SIG_IGN {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
            if was_sent {
                // No access will repeat it.
                libc::raise(signal);
            }
        } else if previous.sa_flags & libc::SA_SIGINFO != 0 {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(previous.sa_sigaction);
            handler(signal, info, context);
        } else {
            let handler: extern "C" fn(libc::c_int) = std::mem::transmute(previous.sa_sigaction);
            handler(signal);
        }
    }
}

/// A call that changes the size of a file, and answers EFBIG without a SIGXFSZ reaching the program: where files
/// have a limit (RLIMIT_FSIZE), passing it is an error like others.
///
/// The signal is blocked in this thread around the call and taken off its queue; one that was pending before
/// stays.
pub fn without_size_signal<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    thread_local! {
        /// Whether a call further up has asked for the limit, and found none.
        static UNLIMITED: Cell<bool> = const { Cell::new(false) };
    }
    if UNLIMITED.get() {
        return call();
    }
    if super::file::size_limit().is_none() {
        UNLIMITED.set(true);
        let result = call();
        UNLIMITED.set(false);
        return result;
    }
    // SAFETY: the sets are initialised by the calls that fill them; the mask is this thread's own and is
    // put back before returning.
    unsafe {
        let mut size: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        let mut pending: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut size);
        libc::sigaddset(&raw mut size, libc::SIGXFSZ);
        libc::sigpending(&raw mut pending);
        let was_pending = libc::sigismember(&raw const pending, libc::SIGXFSZ) == 1;
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const size, &raw mut before);
        let result = call();
        if matches!(result, Err(Errno::FBIG)) && !was_pending {
            let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            while libc::sigtimedwait(&raw const size, std::ptr::null_mut(), &raw const zero) < 0
                && *libc::__errno_location() == libc::EINTR
            {}
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        result
    }
}

/// write(2) that answers EPIPE without a SIGPIPE reaching the program.
pub fn write_without_signal(fd: impl AsFd, bytes: &[u8]) -> Result<usize> {
    without_pipe_signal(|| rustix::io::write(fd, bytes))
}

/// A call that writes into a pipe and answers EPIPE without a SIGPIPE reaching the program.
///
/// A pipe has no flag for that, so the signal is blocked in this thread around the call and taken off its
/// queue; one that was pending before stays.
pub fn without_pipe_signal<T>(call: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: the sets are initialised by the calls that fill them; the mask is this thread's own and is
    // put back before returning.
    unsafe {
        let mut pipe: libc::sigset_t = std::mem::zeroed();
        let mut before: libc::sigset_t = std::mem::zeroed();
        let mut pending: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut pipe);
        libc::sigaddset(&raw mut pipe, libc::SIGPIPE);
        libc::sigpending(&raw mut pending);
        let was_pending = libc::sigismember(&raw const pending, libc::SIGPIPE) == 1;
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const pipe, &raw mut before);
        let result = call();
        if matches!(result, Err(Errno::PIPE)) && !was_pending {
            let zero = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            while libc::sigtimedwait(&raw const pipe, std::ptr::null_mut(), &raw const zero) < 0
                && *libc::__errno_location() == libc::EINTR
            {}
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        result
    }
}
