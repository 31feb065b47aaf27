//! Locks on parts of a file: `LockFile`, `LockFileEx`.
//!
//! They are locks of the open file, as on Windows: duplicated and inherited handles share them, and they end with
//! the last of them. Programs that do not ask for locks are not kept out, which Windows does.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::os::fd::AsRawFd;

use transom::Code;
use transom::handle::{Handle, ext};
use transom_core::access;

use crate::ffi::{Bool, HANDLE, Out, Outcome, fail, truth};
use crate::os::{self, RangeLock};
use crate::overlapped::OVERLAPPED;

/// `LOCKFILE_FAIL_IMMEDIATELY`, `LOCKFILE_EXCLUSIVE_LOCK`.
const FAIL_IMMEDIATELY: u32 = 1;
const EXCLUSIVE_LOCK: u32 = 2;

fn whole(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn change(file: HANDLE, offset: u64, length: u64, lock: RangeLock, wait: bool) -> Outcome<()> {
    let handle = Handle::borrow(file.raw())?;
    let granted = ext::granted_access(&handle);
    if granted & (access::FILE_READ_DATA | access::FILE_WRITE_DATA) == 0 {
        return fail(Code::ACCESS_DENIED);
    }
    // A lock of the kernel's for writing needs a descriptor that can write, Windows' does not.
    let lock = match lock {
        RangeLock::Exclusive if granted & access::FILE_WRITE_DATA == 0 => RangeLock::Shared,
        RangeLock::Shared if granted & access::FILE_READ_DATA == 0 => RangeLock::Exclusive,
        lock => lock,
    };
    // The kernel knows no bytes beyond 2^63, and means everything by a length of 0.
    let Ok(start) = i64::try_from(offset) else { return fail(Code::INVALID_PARAMETER) };
    let length =
        i64::try_from(length).ok().filter(|length| start.checked_add(*length).is_some()).unwrap_or(0);
    let descriptor = ext::as_fd(&handle, 0)?.as_raw_fd();
    match os::lock_range(descriptor, start, length, lock, wait) {
        Ok(()) => Ok(()),
        Err(error) if os::would_block(&error) => fail(Code::LOCK_VIOLATION),
        Err(error) => Err(error.into()),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn LockFile(
    file: HANDLE,
    offset: u32,
    offset_high: u32,
    length: u32,
    length_high: u32,
) -> Bool {
    let (offset, length) = (whole(offset_high, offset), whole(length_high, length));
    truth(|| change(file, offset, length, RangeLock::Exclusive, false))
}

#[unsafe(no_mangle)]
pub extern "C" fn LockFileEx(
    file: HANDLE,
    flags: u32,
    reserved: u32,
    length: u32,
    length_high: u32,
    overlapped: Out<OVERLAPPED>,
) -> Bool {
    truth(|| {
        if reserved != 0 {
            return fail(Code::INVALID_PARAMETER);
        }
        let offset = overlapped.reader().required()?.offset();
        let lock = if flags & EXCLUSIVE_LOCK != 0 { RangeLock::Exclusive } else { RangeLock::Shared };
        let wait = flags & FAIL_IMMEDIATELY == 0;
        if wait {
            transom::process::let_go();
        }
        change(file, offset, whole(length_high, length), lock, wait)
    })
}

fn unlock(file: HANDLE, offset: u64, length: u64) -> Bool {
    truth(|| change(file, offset, length, RangeLock::None, false))
}

#[unsafe(no_mangle)]
pub extern "C" fn UnlockFile(
    file: HANDLE,
    offset: u32,
    offset_high: u32,
    length: u32,
    length_high: u32,
) -> Bool {
    unlock(file, whole(offset_high, offset), whole(length_high, length))
}

#[unsafe(no_mangle)]
pub extern "C" fn UnlockFileEx(
    file: HANDLE,
    _reserved: u32,
    length: u32,
    length_high: u32,
    overlapped: Out<OVERLAPPED>,
) -> Bool {
    match overlapped.reader().get() {
        Some(place) => unlock(file, place.offset(), whole(length_high, length)),
        None => truth(|| fail(Code::INVALID_PARAMETER)),
    }
}
