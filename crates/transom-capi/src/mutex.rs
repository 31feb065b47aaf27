//! Mutexes: `CreateMutex` and its like.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use transom::Code;
use transom::handle::FromHandle;
use transom::mutex::{Mutex, MutexOptions};

use crate::ffi::{Bool, HANDLE, In, Unit, created, fail, opened, truth};
use crate::security::{SECURITY_ATTRIBUTES, with_attributes};

/// `CREATE_MUTEX_INITIAL_OWNER`.
const INITIAL_OWNER: u32 = 1;

fn create<U: Unit>(
    attributes: In<SECURITY_ATTRIBUTES>,
    name: In<U>,
    flags: u32,
    access: Option<u32>,
) -> HANDLE {
    created(|| {
        if flags & !INITIAL_OWNER != 0 {
            return fail(Code::INVALID_PARAMETER);
        }
        let options = MutexOptions::new().initial_owner(flags != 0);
        let made = with_attributes!(options, attributes, name, access).create()?;
        Ok((made.object.into_handle().into_raw(), made.existed))
    })
}

fn open<U: Unit>(access: u32, inherit: Bool, name: In<U>) -> HANDLE {
    opened(|| {
        let Some(name) = name.name()? else { return fail(Code::INVALID_PARAMETER) };
        let options = MutexOptions::new().access(access).inherit(inherit != 0).name_utf16(&name);
        Ok(options.open()?.into_handle().into_raw())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateMutexA(
    attributes: In<SECURITY_ATTRIBUTES>,
    initial_owner: Bool,
    name: In<u8>,
) -> HANDLE {
    create(attributes, name, u32::from(initial_owner != 0), None)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateMutexW(
    attributes: In<SECURITY_ATTRIBUTES>,
    initial_owner: Bool,
    name: In<u16>,
) -> HANDLE {
    create(attributes, name, u32::from(initial_owner != 0), None)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateMutexExA(
    attributes: In<SECURITY_ATTRIBUTES>,
    name: In<u8>,
    flags: u32,
    access: u32,
) -> HANDLE {
    create(attributes, name, flags, Some(access))
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateMutexExW(
    attributes: In<SECURITY_ATTRIBUTES>,
    name: In<u16>,
    flags: u32,
    access: u32,
) -> HANDLE {
    create(attributes, name, flags, Some(access))
}

#[unsafe(no_mangle)]
pub extern "C" fn OpenMutexA(access: u32, inherit: Bool, name: In<u8>) -> HANDLE {
    open(access, inherit, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn OpenMutexW(access: u32, inherit: Bool, name: In<u16>) -> HANDLE {
    open(access, inherit, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn ReleaseMutex(mutex: HANDLE) -> Bool {
    truth(|| Ok(Mutex::borrow(mutex.raw())?.release()?))
}
