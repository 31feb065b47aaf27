//! Events: `CreateEvent` and its like.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use transom::Code;
use transom::event::{Event, EventOptions};
use transom::handle::FromHandle;

use crate::ffi::{Bool, HANDLE, In, Unit, created, fail, opened, truth};
use crate::security::{SECURITY_ATTRIBUTES, with_attributes};

/// `CREATE_EVENT_MANUAL_RESET`.
const MANUAL_RESET: u32 = 1;
/// `CREATE_EVENT_INITIAL_SET`.
const INITIAL_SET: u32 = 2;

fn create<U: Unit>(
    attributes: In<SECURITY_ATTRIBUTES>,
    name: In<U>,
    flags: u32,
    access: Option<u32>,
) -> HANDLE {
    created(|| {
        if flags & !(MANUAL_RESET | INITIAL_SET) != 0 {
            return fail(Code::INVALID_PARAMETER);
        }
        let options =
            EventOptions::new().manual_reset(flags & MANUAL_RESET != 0).initial(flags & INITIAL_SET != 0);
        let made = with_attributes!(options, attributes, name, access).create()?;
        Ok((made.object.into_handle().into_raw(), made.existed))
    })
}

fn flags(manual_reset: Bool, initial: Bool) -> u32 {
    (if manual_reset != 0 { MANUAL_RESET } else { 0 }) | (if initial != 0 { INITIAL_SET } else { 0 })
}

fn open<U: Unit>(access: u32, inherit: Bool, name: In<U>) -> HANDLE {
    opened(|| {
        let Some(name) = name.name()? else { return fail(Code::INVALID_PARAMETER) };
        let options = EventOptions::new().access(access).inherit(inherit != 0).name_utf16(&name);
        Ok(options.open()?.into_handle().into_raw())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateEventA(
    attributes: In<SECURITY_ATTRIBUTES>,
    manual_reset: Bool,
    initial: Bool,
    name: In<u8>,
) -> HANDLE {
    create(attributes, name, flags(manual_reset, initial), None)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateEventW(
    attributes: In<SECURITY_ATTRIBUTES>,
    manual_reset: Bool,
    initial: Bool,
    name: In<u16>,
) -> HANDLE {
    create(attributes, name, flags(manual_reset, initial), None)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateEventExA(
    attributes: In<SECURITY_ATTRIBUTES>,
    name: In<u8>,
    flags: u32,
    access: u32,
) -> HANDLE {
    create(attributes, name, flags, Some(access))
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateEventExW(
    attributes: In<SECURITY_ATTRIBUTES>,
    name: In<u16>,
    flags: u32,
    access: u32,
) -> HANDLE {
    create(attributes, name, flags, Some(access))
}

#[unsafe(no_mangle)]
pub extern "C" fn OpenEventA(access: u32, inherit: Bool, name: In<u8>) -> HANDLE {
    open(access, inherit, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn OpenEventW(access: u32, inherit: Bool, name: In<u16>) -> HANDLE {
    open(access, inherit, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn SetEvent(event: HANDLE) -> Bool {
    truth(|| Ok(Event::borrow(event.raw())?.set()?))
}

#[unsafe(no_mangle)]
pub extern "C" fn ResetEvent(event: HANDLE) -> Bool {
    truth(|| Ok(Event::borrow(event.raw())?.reset()?))
}

#[unsafe(no_mangle)]
pub extern "C" fn PulseEvent(event: HANDLE) -> Bool {
    truth(|| Ok(Event::borrow(event.raw())?.pulse()?))
}
