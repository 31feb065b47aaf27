//! The Win32 calls that transom makes, one function for each.
//!
//! Every function takes plain values, makes one call and gives back what it returned or the Win32
//! code it left. No rule lives here: what the system allows is allowed, what it refuses comes back
//! with its own code. The few checks that there are keep a call from reading or writing memory it
//! was not given: lengths are taken from slices, strings get their terminator here, and a string
//! that holds one already is refused with `ERROR_INVALID_NAME` (123), as the rest would be lost.
//!
//! A handle is its number ([`Handle`]). A wrong number is no danger to memory: the kernel looks it up
//! and answers `ERROR_INVALID_HANDLE` (6), or does to another object what was asked for. So these
//! functions are safe. Those that take or give back memory say in their `# Safety` what holds them.
//!
//! | file | calls |
//! | --- | --- |
//! | [`event`], [`mutex`], [`semaphore`] | `CreateEventEx`, `OpenEvent`, `SetEvent`… |
//! | [`wait`] | `WaitForSingleObject`, `WaitForMultipleObjects`, `SignalObjectAndWait` |
//! | [`handle`] | `CloseHandle`, `DuplicateHandle`, `GetHandleInformation`… |
//! | [`mapping`] | `CreateFileMapping`, `MapViewOfFileEx`, `VirtualQuery`… |
//! | [`mailslot`] | `CreateMailslot`, `GetMailslotInfo`… |
//! | [`pipe`] | `CreatePipe`, `CreateNamedPipe`, `ReadFile`, `WriteFile`… |
//! | [`overlapped`] | the same calls, begun and not waited for |
//! | [`process`], [`thread`] | `CreateProcess`, `OpenProcess`, `CreateThread`… |
//! | [`security`] | `ConvertStringSecurityDescriptorToSecurityDescriptor` |
//! | [`system`] | versions, page size |
//! | [`window`], [`message`] | `CreateWindowEx`, `FindWindowEx`, `SendMessage`, `GetMessage`… |
//!
//! # Safety
//! This file holds the conversions that all of them share.
#![allow(unsafe_code)]

use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_INVALID_NAME, GetLastError, HANDLE, SetLastError,
};
use windows_sys::core::BOOL;

pub mod event;
pub mod handle;
pub mod mailslot;
pub mod mapping;
pub mod message;
pub mod mutex;
pub mod overlapped;
pub mod pipe;
pub mod process;
pub mod security;
pub mod semaphore;
pub mod system;
pub mod thread;
pub mod wait;
pub mod window;

#[cfg(test)]
mod tests;

/// A `HANDLE` as its number; 0 is `NULL`, `usize::MAX` is `INVALID_HANDLE_VALUE`.
pub type Handle = usize;

/// What a call returned, or the Win32 code that `GetLastError` had after it.
pub type Result<T> = std::result::Result<T, u32>;

/// What a creating call returned: the handle, and whether the name existed (`ERROR_ALREADY_EXISTS`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The new handle.
    pub handle: Handle,
    /// Whether it leads to an object that existed.
    pub existed: bool,
}

/// The number as the API takes it. Nothing is ever read through this pointer.
fn to_api(handle: Handle) -> HANDLE {
    ptr::without_provenance_mut(handle)
}

/// The number that the API gave.
fn from_api(handle: HANDLE) -> Handle {
    handle.addr()
}

fn last_error() -> u32 {
    // SAFETY: reads a value of the calling thread; there is nothing to get wrong.
    unsafe { GetLastError() }
}

/// Clears the last error before a call that tells two kinds of success apart by it.
fn clear_last_error() {
    // SAFETY: sets a value of the calling thread; there is nothing to get wrong.
    unsafe { SetLastError(0) }
}

fn check(result: BOOL) -> Result<()> {
    if result == 0 { Err(last_error()) } else { Ok(()) }
}

/// The result of a call that returns `NULL` on failure.
fn check_handle(handle: HANDLE) -> Result<Handle> {
    if handle.is_null() { Err(last_error()) } else { Ok(from_api(handle)) }
}

/// The result of a creating call, made right after [`clear_last_error`].
fn check_created(handle: HANDLE) -> Result<Created> {
    let code = last_error();
    if handle.is_null() {
        return Err(code);
    }
    Ok(Created { handle: from_api(handle), existed: code == ERROR_ALREADY_EXISTS })
}

/// A string as the W functions take it: 16-bit units and a terminator, or nothing (`NULL`).
struct Wide(Option<Vec<u16>>);

impl Wide {
    fn new(units: Option<&[u16]>) -> Result<Wide> {
        let Some(units) = units else {
            return Ok(Wide(None));
        };
        if units.contains(&0) {
            return Err(ERROR_INVALID_NAME);
        }
        let mut terminated = Vec::with_capacity(units.len() + 1);
        terminated.extend_from_slice(units);
        terminated.push(0);
        Ok(Wide(Some(terminated)))
    }

    /// `NULL`, or a terminated string that lives as long as `self`.
    fn as_ptr(&self) -> *const u16 {
        self.0.as_ref().map_or(ptr::null(), |units| units.as_ptr())
    }

    /// As [`Wide::as_ptr`], for a call that may write into the string.
    fn as_mut_ptr(&mut self) -> *mut u16 {
        self.0.as_mut().map_or(ptr::null_mut(), |units| units.as_mut_ptr())
    }
}
