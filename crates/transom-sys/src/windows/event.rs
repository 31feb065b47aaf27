//! Events.
//!
//! # Safety
//! The calls take a number and strings that `Wide` terminated.
#![allow(unsafe_code)]

use windows_sys::Win32::System::Threading::{
    CREATE_EVENT_INITIAL_SET, CREATE_EVENT_MANUAL_RESET, CreateEventExW, OpenEventW, PulseEvent, ResetEvent,
    SetEvent,
};

pub use windows_sys::Win32::System::Threading::EVENT_ALL_ACCESS as ALL_ACCESS;

use super::security::Attributes;
use super::{Created, Handle, Result, Wide, check, check_created, check_handle, clear_last_error, to_api};

/// `CreateEventEx`.
///
/// # Errors
/// As the call.
pub fn create(
    attributes: &Attributes<'_>,
    name: Option<&[u16]>,
    manual_reset: bool,
    initial: bool,
    access: u32,
) -> Result<Created> {
    let name = Wide::new(name)?;
    let manual_reset = if manual_reset { CREATE_EVENT_MANUAL_RESET } else { 0 };
    let initial = if initial { CREATE_EVENT_INITIAL_SET } else { 0 };
    clear_last_error();
    // SAFETY: the attributes and the terminated name (or NULL) outlive the call.
    check_created(unsafe {
        CreateEventExW(attributes.as_ptr(), name.as_ptr(), manual_reset | initial, access)
    })
}

/// `OpenEvent`.
///
/// # Errors
/// As the call.
pub fn open(access: u32, inherit: bool, name: Option<&[u16]>) -> Result<Handle> {
    let name = Wide::new(name)?;
    // SAFETY: the terminated name (or NULL) outlives the call.
    check_handle(unsafe { OpenEventW(access, inherit.into(), name.as_ptr()) })
}

/// `SetEvent`.
///
/// # Errors
/// As the call.
pub fn set(event: Handle) -> Result<()> {
    // SAFETY: takes a number only.
    check(unsafe { SetEvent(to_api(event)) })
}

/// `ResetEvent`.
///
/// # Errors
/// As the call.
pub fn reset(event: Handle) -> Result<()> {
    // SAFETY: takes a number only.
    check(unsafe { ResetEvent(to_api(event)) })
}

/// `PulseEvent`.
///
/// # Errors
/// As the call.
pub fn pulse(event: Handle) -> Result<()> {
    // SAFETY: takes a number only.
    check(unsafe { PulseEvent(to_api(event)) })
}
