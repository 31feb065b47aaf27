//! Semaphores.
//!
//! # Safety
//! The calls take numbers and strings that `Wide` terminated.
#![allow(unsafe_code)]

use windows_sys::Win32::System::Threading::{CreateSemaphoreExW, OpenSemaphoreW, ReleaseSemaphore};

use super::security::Attributes;
use super::{Created, Handle, Result, Wide, check, check_created, check_handle, clear_last_error, to_api};

/// `CreateSemaphoreEx`.
///
/// # Errors
/// As the call.
pub fn create(
    attributes: &Attributes<'_>,
    name: Option<&[u16]>,
    initial: i32,
    maximum: i32,
    access: u32,
) -> Result<Created> {
    let name = Wide::new(name)?;
    clear_last_error();
    // SAFETY: the attributes and the terminated name (or NULL) outlive the call; the flags are reserved, 0.
    check_created(unsafe {
        CreateSemaphoreExW(attributes.as_ptr(), initial, maximum, name.as_ptr(), 0, access)
    })
}

/// `OpenSemaphore`.
///
/// # Errors
/// As the call.
pub fn open(access: u32, inherit: bool, name: Option<&[u16]>) -> Result<Handle> {
    let name = Wide::new(name)?;
    // SAFETY: the terminated name (or NULL) outlives the call.
    check_handle(unsafe { OpenSemaphoreW(access, inherit.into(), name.as_ptr()) })
}

/// `ReleaseSemaphore`: the count before.
///
/// # Errors
/// As the call.
pub fn release(semaphore: Handle, count: i32) -> Result<i32> {
    let mut previous = 0;
    // SAFETY: `previous` is a local for the result.
    check(unsafe { ReleaseSemaphore(to_api(semaphore), count, &raw mut previous) })?;
    Ok(previous)
}
