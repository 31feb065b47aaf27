//! Threads over the real calls.
//!
//! # Safety
//! Ending a thread takes its stack away; its caller answers for that.
#![allow(unsafe_code)]

use transom_sys::windows::security::Attributes;
use transom_sys::windows::thread;

use super::ThreadOptions;
use crate::error::Result;
use crate::handle::imp::{adopt, failed, value};
use crate::handle::{DuplicateOptions, Handle, RawHandle};

/// `STILL_ACTIVE`.
const STILL_ACTIVE: u32 = 259;

pub(crate) fn spawn(options: &ThreadOptions, body: Box<dyn FnOnce() -> u32 + Send>) -> Result<Handle> {
    let attributes = Attributes::new(None, options.inherit);
    thread::create(&attributes, options.stack_size, options.suspended, body)
        .map(adopt)
        .map_err(failed("create thread"))
}

pub(crate) fn open(id: u32, access: u32, inherit: bool) -> Result<Handle> {
    thread::open(access, inherit, id).map(adopt).map_err(failed("open thread"))
}

pub(crate) fn current() -> Result<Handle> {
    Handle::pseudo(RawHandle::CURRENT_THREAD).duplicate(DuplicateOptions::default())
}

pub(crate) fn id(handle: &Handle) -> Result<u32> {
    thread::id(value(handle)).map_err(failed("get thread id"))
}

pub(crate) fn exit_code(handle: &Handle) -> Result<Option<u32>> {
    let code = thread::exit_code(value(handle)).map_err(failed("get exit code of thread"))?;
    Ok(Some(code).filter(|&code| code != STILL_ACTIVE))
}

pub(crate) fn resume(handle: &Handle) -> Result<u32> {
    thread::resume(value(handle)).map_err(failed("resume thread"))
}

pub(crate) fn current_id() -> u32 {
    thread::current_id()
}

/// ExitThread.
///
/// # Safety
/// No other thread borrows from this one's stack.
pub(crate) unsafe fn exit(code: u32) -> ! {
    // SAFETY: nothing of this stack is used by this thread again, nor, the caller promises, by another.
    unsafe { thread::exit(code) }
}
