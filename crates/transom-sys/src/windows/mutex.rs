//! Mutexes.
//!
//! # Safety
//! The calls take a number and strings that `Wide` terminated.
#![allow(unsafe_code)]

use windows_sys::Win32::System::Threading::{
    CREATE_MUTEX_INITIAL_OWNER, CreateMutexExW, OpenMutexW, ReleaseMutex,
};

use super::security::Attributes;
use super::{Created, Handle, Result, Wide, check, check_created, check_handle, clear_last_error, to_api};

/// `CreateMutexEx`.
///
/// # Errors
/// As the call.
pub fn create(
    attributes: &Attributes<'_>,
    name: Option<&[u16]>,
    initial_owner: bool,
    access: u32,
) -> Result<Created> {
    let name = Wide::new(name)?;
    let flags = if initial_owner { CREATE_MUTEX_INITIAL_OWNER } else { 0 };
    clear_last_error();
    // SAFETY: the attributes and the terminated name (or NULL) outlive the call.
    check_created(unsafe { CreateMutexExW(attributes.as_ptr(), name.as_ptr(), flags, access) })
}

/// `OpenMutex`.
///
/// # Errors
/// As the call.
pub fn open(access: u32, inherit: bool, name: Option<&[u16]>) -> Result<Handle> {
    let name = Wide::new(name)?;
    // SAFETY: the terminated name (or NULL) outlives the call.
    check_handle(unsafe { OpenMutexW(access, inherit.into(), name.as_ptr()) })
}

/// `ReleaseMutex`.
///
/// # Errors
/// As the call.
pub fn release(mutex: Handle) -> Result<()> {
    // SAFETY: takes a number only.
    check(unsafe { ReleaseMutex(to_api(mutex)) })
}
