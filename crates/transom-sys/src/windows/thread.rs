//! Threads.
//!
//! # Safety
//! A new thread runs a closure that it owns; everything else takes numbers.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use windows_sys::Win32::System::Threading::{
    CREATE_SUSPENDED, CreateThread, ExitThread, GetCurrentThreadId, GetExitCodeThread, GetThreadId,
    OpenThread, ResumeThread, STACK_SIZE_PARAM_IS_A_RESERVATION,
};

use super::security::Attributes;
use super::{Handle, Result, check, check_handle, last_error, to_api};

/// What a new thread runs; its value is the thread's exit code.
pub type Body = Box<dyn FnOnce() -> u32 + Send>;

/// `CreateThread`. `stack_size` is the memory reserved for the stack, 0 the program's default.
///
/// A body that panics ends the process, as a panic must not leave the thread's first function.
///
/// # Errors
/// As the call.
pub fn create(attributes: &Attributes<'_>, stack_size: usize, suspended: bool, body: Body) -> Result<Handle> {
    // Boxed twice: the parameter has room for one pointer, and a boxed closure is two.
    let body = Box::into_raw(Box::new(body));
    let suspended = if suspended { CREATE_SUSPENDED } else { 0 };
    let reservation = if stack_size == 0 { 0 } else { STACK_SIZE_PARAM_IS_A_RESERVATION };
    // SAFETY: the attributes outlive the call; `start` takes exactly the pointer that is passed here, once;
    // the id may be NULL.
    let handle = unsafe {
        CreateThread(
            attributes.as_ptr(),
            stack_size,
            Some(start),
            body.cast::<c_void>(),
            suspended | reservation,
            std::ptr::null_mut(),
        )
    };
    check_handle(handle).inspect_err(|_| {
        // SAFETY: no thread was made, so the pointer from into_raw is still ours alone.
        drop(unsafe { Box::from_raw(body) });
    })
}

/// The first function of a new thread.
///
/// # Safety
/// `parameter` is the pointer that [`create`] made, and this is the only use of it.
unsafe extern "system" fn start(parameter: *mut c_void) -> u32 {
    // SAFETY: `create` made the pointer with into_raw from a boxed Body and gave it to this thread alone.
    let body = unsafe { Box::from_raw(parameter.cast::<Body>()) };
    match catch_unwind(AssertUnwindSafe(*body)) {
        Ok(code) => code,
        Err(_) => std::process::abort(),
    }
}

/// `OpenThread`.
///
/// # Errors
/// As the call.
pub fn open(access: u32, inherit: bool, id: u32) -> Result<Handle> {
    // SAFETY: takes numbers only.
    check_handle(unsafe { OpenThread(access, inherit.into(), id) })
}

/// `GetThreadId`.
///
/// # Errors
/// As the call.
pub fn id(thread: Handle) -> Result<u32> {
    // SAFETY: takes a number only.
    match unsafe { GetThreadId(to_api(thread)) } {
        0 => Err(last_error()),
        id => Ok(id),
    }
}

/// `GetExitCodeThread`: 259 while it runs.
///
/// # Errors
/// As the call.
pub fn exit_code(thread: Handle) -> Result<u32> {
    let mut code = 0;
    // SAFETY: `code` is a local for the result.
    check(unsafe { GetExitCodeThread(to_api(thread), &raw mut code) })?;
    Ok(code)
}

/// `ResumeThread`: the suspend count before.
///
/// # Errors
/// As the call.
pub fn resume(thread: Handle) -> Result<u32> {
    // SAFETY: takes a number only; a thread that was suspended goes on where it was.
    match unsafe { ResumeThread(to_api(thread)) } {
        u32::MAX => Err(last_error()),
        count => Ok(count),
    }
}

/// `GetCurrentThreadId`.
#[must_use]
pub fn current_id() -> u32 {
    // SAFETY: takes nothing.
    unsafe { GetCurrentThreadId() }
}

/// `ExitThread`.
///
/// # Safety
/// The thread's stack goes away without a destructor being run. No other thread may use anything on it:
/// none that is borrowed to a scoped thread, for instance, which relies on the scope's end to be joined.
pub unsafe fn exit(code: u32) -> ! {
    // SAFETY: the caller promises that nobody uses this stack.
    unsafe { ExitThread(code) }
}
