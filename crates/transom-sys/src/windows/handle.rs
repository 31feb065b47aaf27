//! Handles of any kind.
//!
//! # Safety
//! The calls take numbers and locals for their results.
#![allow(unsafe_code)]

use std::ptr;

use windows_sys::Wdk::Foundation::{NtQueryObject, ObjectTypeInformation};
use windows_sys::Win32::Foundation::{
    CloseHandle, CompareObjectHandles, DUPLICATE_CLOSE_SOURCE, DUPLICATE_SAME_ACCESS, DuplicateHandle,
    GetHandleInformation, HANDLE_FLAG_INHERIT, HANDLE_FLAG_PROTECT_FROM_CLOSE, RtlNtStatusToDosError,
    SetHandleInformation,
};
use windows_sys::Win32::System::WindowsProgramming::PUBLIC_OBJECT_TYPE_INFORMATION;

use super::{Handle, Result, check, from_api, to_api};

/// `HANDLE_FLAG_INHERIT`.
pub const INHERIT: u32 = HANDLE_FLAG_INHERIT;
/// `HANDLE_FLAG_PROTECT_FROM_CLOSE`.
pub const PROTECT_FROM_CLOSE: u32 = HANDLE_FLAG_PROTECT_FROM_CLOSE;
/// `DUPLICATE_CLOSE_SOURCE`.
pub const CLOSE_SOURCE: u32 = DUPLICATE_CLOSE_SOURCE;
/// `DUPLICATE_SAME_ACCESS`.
pub const SAME_ACCESS: u32 = DUPLICATE_SAME_ACCESS;

/// `CloseHandle`.
///
/// # Errors
/// As the call.
pub fn close(handle: Handle) -> Result<()> {
    // SAFETY: takes a number only. No memory of this process goes away with a handle: views and running
    // operations hold their objects themselves.
    check(unsafe { CloseHandle(to_api(handle)) })
}

/// `GetHandleInformation`: the flags.
///
/// # Errors
/// As the call.
pub fn information(handle: Handle) -> Result<u32> {
    let mut flags = 0;
    // SAFETY: `flags` is a local for the result.
    check(unsafe { GetHandleInformation(to_api(handle), &raw mut flags) })?;
    Ok(flags)
}

/// `SetHandleInformation`: sets the flags in `mask` to those in `flags`.
///
/// # Errors
/// As the call.
pub fn set_information(handle: Handle, mask: u32, flags: u32) -> Result<()> {
    // SAFETY: takes numbers only.
    check(unsafe { SetHandleInformation(to_api(handle), mask, flags) })
}

/// `DuplicateHandle`: the handle's number in `target_process`.
///
/// # Errors
/// As the call.
pub fn duplicate(
    source_process: Handle,
    source: Handle,
    target_process: Handle,
    access: u32,
    inherit: bool,
    options: u32,
) -> Result<Handle> {
    let mut target = ptr::null_mut();
    // SAFETY: `target` is a local for the result; everything else is a number.
    check(unsafe {
        DuplicateHandle(
            to_api(source_process),
            to_api(source),
            to_api(target_process),
            &raw mut target,
            access,
            inherit.into(),
            options,
        )
    })?;
    Ok(from_api(target))
}

/// `DuplicateHandle` with `DUPLICATE_CLOSE_SOURCE` and no target: closes a handle of another process.
///
/// # Errors
/// As the call.
pub fn close_in(process: Handle, handle: Handle) -> Result<()> {
    // SAFETY: takes numbers only; without a target process nothing is stored through the NULL result.
    check(unsafe {
        DuplicateHandle(
            to_api(process),
            to_api(handle),
            ptr::null_mut(),
            ptr::null_mut(),
            0,
            0,
            DUPLICATE_CLOSE_SOURCE,
        )
    })
}

/// `CompareObjectHandles`: whether both numbers lead to one object.
#[must_use]
pub fn same_object(first: Handle, second: Handle) -> bool {
    // SAFETY: takes numbers only.
    unsafe { CompareObjectHandles(to_api(first), to_api(second)) != 0 }
}

/// `NtQueryObject` with `ObjectTypeInformation`: calls `f` with the name of the object's type in 16-bit
/// units: `Event`, `Mutant`, `Semaphore`, `Section`, `Process`, `Thread`, `File` (pipes too)…
///
/// Not `GetFileType`: on a pipe that one waits until a read that another thread or process has begun is over.
///
/// # Errors
/// As the call, its NT status turned into a Win32 code.
pub fn type_name<T>(handle: Handle, f: impl FnOnce(&[u16]) -> T) -> Result<T> {
    /// The structure and room for the name behind it; the longest type name of Windows has some 30
    /// characters.
    #[repr(C)]
    struct Buffer {
        information: PUBLIC_OBJECT_TYPE_INFORMATION,
        name: [u16; 512],
    }
    let mut buffer = Buffer { information: PUBLIC_OBJECT_TYPE_INFORMATION::default(), name: [0; 512] };
    // SAFETY: the buffer is writable, as large as said and aligned for the structure; the length may be NULL.
    let status = unsafe {
        NtQueryObject(
            to_api(handle),
            ObjectTypeInformation,
            (&raw mut buffer).cast(),
            // Some 1100 bytes.
            size_of::<Buffer>() as u32,
            ptr::null_mut(),
        )
    };
    if status < 0 {
        // SAFETY: takes a number only.
        return Err(unsafe { RtlNtStatusToDosError(status) });
    }
    let name = buffer.information.TypeName;
    if name.Buffer.is_null() {
        return Ok(f(&[]));
    }
    // SAFETY: after success the string says where in the buffer the name is and how many bytes it has.
    Ok(f(unsafe { std::slice::from_raw_parts(name.Buffer, usize::from(name.Length) / 2) }))
}
