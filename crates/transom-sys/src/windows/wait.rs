//! Waits.
//!
//! # Safety
//! The calls take numbers and, for several, an array with its length.
#![allow(unsafe_code)]

use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, HANDLE, WAIT_FAILED};
use windows_sys::Win32::System::Threading::{
    SignalObjectAndWait, WaitForMultipleObjects, WaitForSingleObject,
};

use super::{Handle, Result, last_error, to_api};

/// `WaitForSingleObject`: the value it returned, never `WAIT_FAILED`.
///
/// # Errors
/// As the call.
pub fn one(object: Handle, millis: u32) -> Result<u32> {
    // SAFETY: takes numbers only.
    check(unsafe { WaitForSingleObject(to_api(object), millis) })
}

/// `WaitForMultipleObjects`: the value it returned, never `WAIT_FAILED`.
///
/// # Errors
/// As the call.
pub fn many(objects: &[Handle], all: bool, millis: u32) -> Result<u32> {
    let objects: Vec<HANDLE> = objects.iter().map(|&object| to_api(object)).collect();
    // A longer array than the type can count is more than 64 objects, which the call refuses with this code.
    let count = u32::try_from(objects.len()).map_err(|_| ERROR_INVALID_PARAMETER)?;
    // SAFETY: `objects` has `count` elements and outlives the call.
    check(unsafe { WaitForMultipleObjects(count, objects.as_ptr(), all.into(), millis) })
}

/// `SignalObjectAndWait`: the value it returned, never `WAIT_FAILED`.
///
/// # Errors
/// As the call.
pub fn signal_and_wait(signal: Handle, wait: Handle, millis: u32) -> Result<u32> {
    // SAFETY: takes numbers only; not alertable, so no foreign procedure runs meanwhile.
    check(unsafe { SignalObjectAndWait(to_api(signal), to_api(wait), millis, 0) })
}

fn check(result: u32) -> Result<u32> {
    if result == WAIT_FAILED { Err(last_error()) } else { Ok(result) }
}
