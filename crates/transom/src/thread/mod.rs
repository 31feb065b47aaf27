//! Threads as objects to wait for (`CreateThread`, `OpenThread`).

use crate::error::Result;
use crate::handle::{Handle, Kind, object_impls};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
pub(crate) mod imp;

#[cfg(test)]
mod tests;

/// A handle to a thread of this or another process; signalled when the thread has ended (Y33).
#[derive(Debug)]
pub struct Thread(Handle);

object_impls!(Thread, Kind::Thread, "use thread");

/// How a thread is created (`CreateThread`).
#[derive(Debug, Clone, Default)]
pub struct ThreadOptions {
    pub(crate) stack_size: usize,
    pub(crate) suspended: bool,
    pub(crate) inherit: bool,
}

impl ThreadOptions {
    /// A thread with the default stack that starts at once.
    #[must_use]
    pub fn new() -> ThreadOptions {
        ThreadOptions::default()
    }

    /// Bytes of stack (`dwStackSize`); 0 = the system's default.
    #[must_use]
    pub fn stack_size(mut self, bytes: usize) -> ThreadOptions {
        self.stack_size = bytes;
        self
    }

    /// `CREATE_SUSPENDED`: nothing runs until [`Thread::resume`].
    #[must_use]
    pub fn suspended(mut self, suspended: bool) -> ThreadOptions {
        self.suspended = suspended;
        self
    }

    /// Whether children may inherit the handle.
    #[must_use]
    pub fn inherit(mut self, inherit: bool) -> ThreadOptions {
        self.inherit = inherit;
        self
    }

    /// `CreateThread`: runs `body` in a new thread; its value is the thread's exit code.
    ///
    /// # Errors
    /// `ERROR_NOT_ENOUGH_MEMORY` (8), `ERROR_TOO_MANY_OPEN_FILES` (4).
    #[doc(alias = "CreateThread")]
    pub fn spawn(&self, body: impl FnOnce() -> u32 + Send + 'static) -> Result<Thread> {
        imp::spawn(self, Box::new(body)).map(Thread)
    }
}

impl Thread {
    /// `OpenThread`: a handle to the thread `id` (`THREAD_…` rights).
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): no such thread. `ERROR_ACCESS_DENIED` (5): of another user.
    ///
    /// # Differs from Windows
    /// On Linux only threads that this library started, threads of this process that used it, and the first
    /// thread of any process can be opened.
    #[doc(alias = "OpenThread")]
    pub fn open(id: u32, access: u32, inherit: bool) -> Result<Thread> {
        imp::open(id, access, inherit).map(Thread)
    }

    /// A real handle to the calling thread (a duplicate of `GetCurrentThread()`).
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4).
    pub fn current() -> Result<Thread> {
        imp::current().map(Thread)
    }

    /// `GetThreadId`.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `THREAD_QUERY_LIMITED_INFORMATION`.
    pub fn id(&self) -> Result<u32> {
        imp::id(&self.0)
    }

    /// `GetExitCodeThread`: `None` while it runs (where Win32 says `STILL_ACTIVE`, 259).
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `THREAD_QUERY_INFORMATION`.
    #[doc(alias = "GetExitCodeThread")]
    pub fn exit_code(&self) -> Result<Option<u32>> {
        imp::exit_code(&self.0)
    }

    /// `ResumeThread`: starts what was created suspended; returns the suspend count before (1, or 0 if it
    /// was running).
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `THREAD_SUSPEND_RESUME`.
    #[doc(alias = "ResumeThread")]
    pub fn resume(&self) -> Result<u32> {
        imp::resume(&self.0)
    }
}

/// `GetCurrentThreadId`.
#[must_use]
#[doc(alias = "GetCurrentThreadId")]
pub fn current_id() -> u32 {
    imp::current_id()
}

/// `ExitThread`: ends the calling thread with `code`; other threads go on (R27).
///
/// Thread-local destructors run; those of values on this thread's stack need not, and on Windows do not.
///
/// # Safety
/// The thread's stack is gone afterwards: no other thread may be borrowing from it, as one of a
/// `std::thread::scope` that is still open here would.
#[doc(alias = "ExitThread")]
#[allow(unsafe_code)]
pub unsafe fn exit(code: u32) -> ! {
    // SAFETY: the caller's promise.
    unsafe { imp::exit(code) }
}
