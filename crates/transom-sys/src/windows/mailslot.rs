//! Mailslots; reading and writing them is [`pipe`](super::pipe)'s.
//!
//! # Safety
//! The calls take terminated strings, structures that outlive them, and locals for results.
#![allow(unsafe_code)]

use std::ptr;

use windows_sys::Win32::Foundation::{GENERIC_WRITE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FILE_SHARE_READ, FILE_SHARE_WRITE, OPEN_EXISTING,
};
use windows_sys::Win32::System::Mailslots::{CreateMailslotW, GetMailslotInfo, SetMailslotInfo};

use super::security::Attributes;
use super::{Handle, Result, Wide, check, from_api, last_error, to_api};

/// What `GetMailslotInfo` fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Info {
    /// `lpMaxMessageSize`.
    pub max_message: u32,
    /// `lpNextSize`; `u32::MAX` = no message.
    pub next: u32,
    /// `lpMessageCount`.
    pub count: u32,
    /// `lpReadTimeout`, milliseconds; `u32::MAX` = for ever.
    pub timeout: u32,
}

/// `CreateMailslot`.
///
/// # Errors
/// As the call.
pub fn create(name: &[u16], max_message: u32, timeout: u32, attributes: &Attributes<'_>) -> Result<Handle> {
    let name = Wide::new(Some(name))?;
    // SAFETY: the name is terminated; it and the attributes outlive the call.
    let handle = unsafe { CreateMailslotW(name.as_ptr(), max_message, timeout, attributes.as_ptr()) };
    if handle == INVALID_HANDLE_VALUE { Err(last_error()) } else { Ok(from_api(handle)) }
}

/// `CreateFile` to write, shared with everybody.
///
/// # Errors
/// As the call.
pub fn open(name: &[u16], attributes: &Attributes<'_>) -> Result<Handle> {
    let name = Wide::new(Some(name))?;
    let share = FILE_SHARE_READ | FILE_SHARE_WRITE;
    // SAFETY: the name is terminated; it and the attributes outlive the call; no template.
    let handle = unsafe {
        CreateFileW(
            name.as_ptr(),
            GENERIC_WRITE,
            share,
            attributes.as_ptr(),
            OPEN_EXISTING,
            0,
            ptr::null_mut(),
        )
    };
    if handle == INVALID_HANDLE_VALUE { Err(last_error()) } else { Ok(from_api(handle)) }
}

/// `GetMailslotInfo`.
///
/// # Errors
/// As the call.
pub fn info(mailslot: Handle) -> Result<Info> {
    let mut info = Info::default();
    // SAFETY: four locals for the results.
    check(unsafe {
        GetMailslotInfo(
            to_api(mailslot),
            &raw mut info.max_message,
            &raw mut info.next,
            &raw mut info.count,
            &raw mut info.timeout,
        )
    })?;
    Ok(info)
}

/// `SetMailslotInfo`.
///
/// # Errors
/// As the call.
pub fn set_timeout(mailslot: Handle, millis: u32) -> Result<()> {
    // SAFETY: takes numbers only.
    check(unsafe { SetMailslotInfo(to_api(mailslot), millis) })
}
