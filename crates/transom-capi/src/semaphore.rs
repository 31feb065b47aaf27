//! Semaphores: `CreateSemaphore` and its like.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use transom::Code;
use transom::handle::FromHandle;
use transom::semaphore::{Semaphore, SemaphoreOptions};

use crate::ffi::{Bool, HANDLE, In, Out, Unit, created, fail, opened, truth};
use crate::security::{SECURITY_ATTRIBUTES, with_attributes};

fn create<U: Unit>(
    attributes: In<SECURITY_ATTRIBUTES>,
    (initial, maximum): (i32, i32),
    name: In<U>,
    flags: u32,
    access: Option<u32>,
) -> HANDLE {
    created(|| {
        if flags != 0 {
            return fail(Code::INVALID_PARAMETER);
        }
        let options = SemaphoreOptions::new(initial, maximum);
        let made = with_attributes!(options, attributes, name, access).create()?;
        Ok((made.object.into_handle().into_raw(), made.existed))
    })
}

fn open<U: Unit>(access: u32, inherit: Bool, name: In<U>) -> HANDLE {
    opened(|| {
        let Some(name) = name.name()? else { return fail(Code::INVALID_PARAMETER) };
        let options = SemaphoreOptions::new(0, 1).access(access).inherit(inherit != 0).name_utf16(&name);
        Ok(options.open()?.into_handle().into_raw())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateSemaphoreA(
    attributes: In<SECURITY_ATTRIBUTES>,
    initial: i32,
    maximum: i32,
    name: In<u8>,
) -> HANDLE {
    create(attributes, (initial, maximum), name, 0, None)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateSemaphoreW(
    attributes: In<SECURITY_ATTRIBUTES>,
    initial: i32,
    maximum: i32,
    name: In<u16>,
) -> HANDLE {
    create(attributes, (initial, maximum), name, 0, None)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateSemaphoreExA(
    attributes: In<SECURITY_ATTRIBUTES>,
    initial: i32,
    maximum: i32,
    name: In<u8>,
    flags: u32,
    access: u32,
) -> HANDLE {
    create(attributes, (initial, maximum), name, flags, Some(access))
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateSemaphoreExW(
    attributes: In<SECURITY_ATTRIBUTES>,
    initial: i32,
    maximum: i32,
    name: In<u16>,
    flags: u32,
    access: u32,
) -> HANDLE {
    create(attributes, (initial, maximum), name, flags, Some(access))
}

#[unsafe(no_mangle)]
pub extern "C" fn OpenSemaphoreA(access: u32, inherit: Bool, name: In<u8>) -> HANDLE {
    open(access, inherit, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn OpenSemaphoreW(access: u32, inherit: Bool, name: In<u16>) -> HANDLE {
    open(access, inherit, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn ReleaseSemaphore(semaphore: HANDLE, count: i32, previous: Out<i32>) -> Bool {
    truth(|| {
        let before = Semaphore::borrow(semaphore.raw())?.release(count)?;
        previous.put(before);
        Ok(())
    })
}
