//! Threads as CreateThread makes them: detached, and able to end anywhere.
//!
//! Not std's, because std catches unwinding at a thread's root and takes the end of a thread from within,
//! pthread_exit(3), for a mistake.

use rustix::io::{Errno, Result};

use super::fault;

/// What runs in a new thread. It may be left by unwinding that pthread_exit(3) started.
pub type Start = extern "C-unwind" fn(*mut libc::c_void) -> *mut libc::c_void;

unsafe extern "C-unwind" {
    #[link_name = "pthread_create"]
    fn create(
        thread: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        start: Start,
        argument: *mut libc::c_void,
    ) -> libc::c_int;
    #[link_name = "pthread_exit"]
    fn leave(value: *mut libc::c_void) -> !;
}

/// pthread_create(3), detached; `stack` bytes, 0 = the default.
///
/// # Safety
/// `start` may be called with `argument` in another thread.
pub unsafe fn start(stack: usize, start: Start, argument: *mut libc::c_void) -> Result<()> {
    fault::call("thread")?;
    // SAFETY: the attributes are initialised before they are used and destroyed after; the rest is the
    // caller's promise.
    let result = unsafe {
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        libc::pthread_attr_init(&raw mut attributes);
        libc::pthread_attr_setdetachstate(&raw mut attributes, libc::PTHREAD_CREATE_DETACHED);
        if stack != 0 {
            let least = 64 * 1024;
            libc::pthread_attr_setstacksize(&raw mut attributes, stack.max(least).next_multiple_of(4096));
        }
        let mut thread: libc::pthread_t = std::mem::zeroed();
        let result = create(&raw mut thread, &raw const attributes, start, argument);
        libc::pthread_attr_destroy(&raw mut attributes);
        result
    };
    if result == 0 { Ok(()) } else { Err(Errno::from_raw_os_error(result)) }
}

/// pthread_exit(3): ends a thread that [`start`] made, running its thread-local destructors.
///
/// # Safety
/// No frame between here and the thread's start catches unwinding.
pub unsafe fn exit_started() -> ! {
    // SAFETY: the caller's promise.
    unsafe { leave(std::ptr::null_mut()) }
}

/// tgkill(2) with signal 0: whether this process has a thread of this number.
#[must_use]
pub fn exists(id: u32) -> bool {
    // SAFETY: the call takes no pointers, and signal 0 is none.
    let result = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id as libc::pid_t, 0) };
    result == 0
}

/// exit(2), of this thread alone and without any ceremony: for threads that others made.
pub fn exit_bare(code: u32) -> ! {
    // SAFETY: the kernel ends the thread; nothing of it is used afterwards.
    unsafe {
        libc::syscall(libc::SYS_exit, code as libc::c_int);
    }
    unreachable!("the thread has ended")
}
