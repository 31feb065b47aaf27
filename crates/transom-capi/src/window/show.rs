//! What programs do with windows that can be seen: the state is kept in the style, nothing is shown.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use transom::Code;
use transom::window::message::GWL_STYLE;
use transom::window::raw;

use crate::ffi::{Bool, In, Outcome, TRUE, Unit, fail, guard};

use super::attribute::{ancestors, exists};
use super::{HWND, handle};

const VISIBLE: u32 = 0x1000_0000;
const DISABLED: u32 = 0x0800_0000;
const MINIMIZE: u32 = 0x2000_0000;
const MAXIMIZE: u32 = 0x0100_0000;
/// `ERROR_RESOURCE_NAME_NOT_FOUND`.
const RESOURCE_NAME_NOT_FOUND: Code = Code::new(1814);

fn style(window: HWND) -> Outcome<u32> {
    Ok(raw::long32(handle(window), GWL_STYLE)?.cast_unsigned())
}

/// Whether all of these bits are set.
fn has(window: HWND, bits: u32) -> Outcome<bool> {
    Ok(style(window)? & bits == bits)
}

/// Changes bits of the style; `false` if it is not this process's to change.
fn change(window: HWND, clear: u32, set: u32) -> Outcome<bool> {
    let style = style(window)? & !clear | set;
    Ok(raw::set_long32(handle(window), GWL_STYLE, style.cast_signed()).is_ok())
}

fn show(window: HWND, command: i32) -> Outcome<Bool> {
    let before = has(window, VISIBLE)?;
    let (clear, set) = match command {
        0 => (VISIBLE, 0),
        2 | 6 | 7 | 11 => (MAXIMIZE, VISIBLE | MINIMIZE),
        3 => (MINIMIZE, VISIBLE | MAXIMIZE),
        1 | 4 | 9 => (MINIMIZE | MAXIMIZE, VISIBLE),
        _ => (0, VISIBLE),
    };
    change(window, clear, set)?;
    Ok(before.into())
}

#[unsafe(no_mangle)]
pub extern "C" fn ShowWindow(window: HWND, command: i32) -> Bool {
    guard(0, || show(window, command))
}

#[unsafe(no_mangle)]
pub extern "C" fn ShowWindowAsync(window: HWND, command: i32) -> Bool {
    guard(0, || show(window, command).map(|_| TRUE))
}

/// Its parents have to be visible, too.
#[unsafe(no_mangle)]
pub extern "C" fn IsWindowVisible(window: HWND) -> Bool {
    guard(0, || {
        let above = ancestors(handle(window)).all(|one| has(one.value(), VISIBLE).unwrap_or(false));
        Ok((above && has(window, VISIBLE)?).into())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn IsIconic(window: HWND) -> Bool {
    guard(0, || Ok(has(window, MINIMIZE)?.into()))
}

#[unsafe(no_mangle)]
pub extern "C" fn IsZoomed(window: HWND) -> Bool {
    guard(0, || Ok(has(window, MAXIMIZE)?.into()))
}

#[unsafe(no_mangle)]
pub extern "C" fn IsWindowEnabled(window: HWND) -> Bool {
    guard(0, || Ok((!has(window, DISABLED)?).into()))
}

/// Whether it was disabled before.
#[unsafe(no_mangle)]
pub extern "C" fn EnableWindow(window: HWND, enable: Bool) -> Bool {
    guard(0, || {
        let before = has(window, DISABLED)?;
        let (clear, set) = if enable != 0 { (DISABLED, 0) } else { (0, DISABLED) };
        change(window, clear, set)?;
        Ok(before.into())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn UpdateWindow(window: HWND) -> Bool {
    exists(window)
}

#[unsafe(no_mangle)]
pub extern "C" fn SetForegroundWindow(window: HWND) -> Bool {
    exists(window)
}

#[unsafe(no_mangle)]
pub extern "C" fn BringWindowToTop(window: HWND) -> Bool {
    exists(window)
}

#[unsafe(no_mangle)]
pub extern "C" fn AllowSetForegroundWindow(_process: u32) -> Bool {
    TRUE
}

#[unsafe(no_mangle)]
pub extern "C" fn GetForegroundWindow() -> HWND {
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn GetLastActivePopup(window: HWND) -> HWND {
    if exists(window) == TRUE { window } else { 0 }
}

/// The system's own are told by number, and are that number here.
fn system<U: Unit>(instance: usize, name: In<U>) -> usize {
    guard(0, || match name.number() {
        Some(number @ 1..) if instance == 0 => Ok(usize::from(number)),
        _ => fail(RESOURCE_NAME_NOT_FOUND),
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn LoadIconA(instance: usize, name: In<u8>) -> usize {
    system(instance, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn LoadIconW(instance: usize, name: In<u16>) -> usize {
    system(instance, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn LoadCursorA(instance: usize, name: In<u8>) -> usize {
    system(instance, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn LoadCursorW(instance: usize, name: In<u16>) -> usize {
    system(instance, name)
}
