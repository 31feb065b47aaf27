//! Waiting: `WaitForSingleObject` and its like. Only `WAIT_FAILED` sets the last error.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use transom::Code;
use transom::handle::{AsHandle, Handle, ext};
use transom::process::{self, Process};
use transom::wait::{self, MAXIMUM_WAIT_OBJECTS, Timeout, Wait};
use transom_core::access::SYNCHRONIZE;

use crate::ffi::{Bool, HANDLE, In, Outcome, fail, guard};
use transom::handle::FromHandle;

/// `WAIT_FAILED`.
const WAIT_FAILED: u32 = u32::MAX;

/// The timeout of a call. Before this thread waits, a child that left it a head start is let go.
fn timeout(milliseconds: u32) -> Timeout {
    if milliseconds > 0 {
        process::let_go();
    }
    Timeout::millis(milliseconds)
}

fn waited(body: impl FnOnce() -> Outcome<Wait>) -> u32 {
    guard(WAIT_FAILED, || body().map(Wait::value))
}

fn one(object: HANDLE, milliseconds: u32) -> u32 {
    waited(|| {
        let object = Handle::borrow(object.raw())?;
        Ok(wait::one(&*object, timeout(milliseconds))?)
    })
}

fn several(count: u32, handles: In<HANDLE>, all: Bool, milliseconds: u32) -> u32 {
    waited(|| {
        let count = count as usize;
        if count == 0 || count > MAXIMUM_WAIT_OBJECTS {
            return fail(Code::INVALID_PARAMETER);
        }
        let values = handles.values(count)?;
        // One bad handle fails the call, whatever the others are (Y28); the first one decides how.
        let mut borrowed = Vec::with_capacity(count);
        for handle in &values {
            let handle = Handle::borrow(handle.raw())?;
            if ext::granted_access(&handle) & SYNCHRONIZE == 0 {
                return fail(Code::ACCESS_DENIED);
            }
            borrowed.push(handle);
        }
        let objects: Vec<&dyn AsHandle> = borrowed.iter().map(|handle| &**handle as &dyn AsHandle).collect();
        let limit = timeout(milliseconds);
        Ok(if all != 0 { wait::all(&objects, limit)? } else { wait::any(&objects, limit)? })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObject(object: HANDLE, milliseconds: u32) -> u32 {
    one(object, milliseconds)
}

/// Nothing queues calls to a thread here, so an alertable wait is a plain one.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObjectEx(object: HANDLE, milliseconds: u32, _alertable: Bool) -> u32 {
    one(object, milliseconds)
}

#[unsafe(no_mangle)]
pub extern "C" fn WaitForMultipleObjects(
    count: u32,
    handles: In<HANDLE>,
    all: Bool,
    milliseconds: u32,
) -> u32 {
    several(count, handles, all, milliseconds)
}

#[unsafe(no_mangle)]
pub extern "C" fn WaitForMultipleObjectsEx(
    count: u32,
    handles: In<HANDLE>,
    all: Bool,
    milliseconds: u32,
    _alertable: Bool,
) -> u32 {
    several(count, handles, all, milliseconds)
}

#[unsafe(no_mangle)]
pub extern "C" fn SignalObjectAndWait(
    signal: HANDLE,
    object: HANDLE,
    milliseconds: u32,
    _alertable: Bool,
) -> u32 {
    waited(|| {
        let signal = Handle::borrow(signal.raw())?;
        let object = Handle::borrow(object.raw())?;
        Ok(wait::signal_and_wait(&*signal, &*object, timeout(milliseconds))?)
    })
}

/// No program has a message queue in this version.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForInputIdle(process: HANDLE, _milliseconds: u32) -> u32 {
    waited(|| {
        Process::borrow(process.raw())?;
        // ERROR_NOT_GUI_PROCESS.
        fail(Code::new(1471))
    })
}
