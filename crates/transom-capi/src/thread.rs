//! Threads: `CreateThread`, `OpenThread` and their like.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. A new thread runs a function of the program,
//! with a pointer that is the program's affair.
#![allow(unsafe_code)]

use std::ffi::c_void;

use transom::Code;
use transom::handle::{FromHandle, RawHandle};
use transom::thread::{self, Thread, ThreadOptions};

use crate::ffi::{Bool, HANDLE, In, Out, fail, guard, opened, truth};
use crate::security::{self, SECURITY_ATTRIBUTES};

/// `CREATE_SUSPENDED`.
const SUSPENDED: u32 = 0x0000_0004;
/// `STACK_SIZE_PARAM_IS_A_RESERVATION`: the size means that here in any case.
const STACK_IS_RESERVATION: u32 = 0x0001_0000;
/// `STILL_ACTIVE`.
pub(crate) const STILL_ACTIVE: u32 = 259;
/// What ResumeThread answers when it fails.
const RESUME_FAILED: u32 = u32::MAX;

/// What a thread runs. It may end by ExitThread, which unwinds.
type Start = unsafe extern "C-unwind" fn(*mut c_void) -> u32;

/// A pointer that the program hands from one of its threads to another.
struct Parameter(*mut c_void);

// SAFETY: whether what it points to may be used there is the program's affair.
unsafe impl Send for Parameter {}

impl Parameter {
    fn pointer(self) -> *mut c_void {
        self.0
    }
}

/// # Safety
/// `start` is a function that can be called with `parameter` in another thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateThread(
    attributes: In<SECURITY_ATTRIBUTES>,
    stack_size: usize,
    start: Option<Start>,
    parameter: *mut c_void,
    flags: u32,
    id: Out<u32>,
) -> HANDLE {
    opened(|| {
        let (Some(start), 0) = (start, flags & !(SUSPENDED | STACK_IS_RESERVATION)) else {
            return fail(Code::INVALID_PARAMETER);
        };
        let parameter = Parameter(parameter);
        let options = ThreadOptions::new()
            .stack_size(stack_size)
            .suspended(flags & SUSPENDED != 0)
            .inherit(security::inherit(attributes));
        // SAFETY: the caller's promise. Nothing of this closure needs to be dropped while it runs, so that
        // ExitThread may unwind through it.
        let thread = options.spawn(move || unsafe { start(parameter.pointer()) })?;
        id.put(thread.id()?);
        Ok(thread.into_handle().into_raw())
    })
}

/// Unwinds to the thread's beginning, through frames of the program.
#[unsafe(no_mangle)]
pub extern "C-unwind" fn ExitThread(code: u32) {
    // SAFETY: C has no borrows; whose stack another thread points into is the program's affair, as on Windows.
    unsafe { thread::exit(code) }
}

#[unsafe(no_mangle)]
pub extern "C" fn OpenThread(access: u32, inherit: Bool, id: u32) -> HANDLE {
    opened(|| Ok(Thread::open(id, access, inherit != 0)?.into_handle().into_raw()))
}

#[unsafe(no_mangle)]
pub extern "C" fn ResumeThread(thread: HANDLE) -> u32 {
    guard(RESUME_FAILED, || Ok(Thread::borrow(thread.raw())?.resume()?))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentThread() -> HANDLE {
    HANDLE::of(RawHandle::CURRENT_THREAD)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentThreadId() -> u32 {
    thread::current_id()
}

#[unsafe(no_mangle)]
pub extern "C" fn GetThreadId(thread: HANDLE) -> u32 {
    guard(0, || Ok(Thread::borrow(thread.raw())?.id()?))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetExitCodeThread(thread: HANDLE, code: Out<u32>) -> Bool {
    truth(|| {
        let ended = Thread::borrow(thread.raw())?.exit_code()?;
        code.required()?.put(ended.unwrap_or(STILL_ACTIVE));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SwitchToThread() -> Bool {
    std::thread::yield_now();
    crate::ffi::TRUE
}
