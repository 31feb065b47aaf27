//! What a window has: numbers, values under names, owner, parent.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. What replaces a procedure is one: the caller's promise.
#![allow(unsafe_code)]

use transom::window::WindowHandle;
use transom::window::raw::{self, Charset};

use crate::ffi::{Bool, HANDLE, In, Out, TRUE, Unit, fail, guard, truth};

use super::{HWND, Named, handle, put_cut};

#[unsafe(no_mangle)]
pub extern "C" fn IsWindow(window: HWND) -> Bool {
    guard(0, || Ok(raw::is_window(handle(window)).into()))
}

#[unsafe(no_mangle)]
pub extern "C" fn IsWindowUnicode(window: HWND) -> Bool {
    guard(0, || Ok((raw::charset(handle(window))? == Charset::Wide).into()))
}

#[unsafe(no_mangle)]
pub extern "C" fn IsHungAppWindow(window: HWND) -> Bool {
    guard(0, || Ok(raw::is_hung(handle(window)).into()))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetWindowThreadProcessId(window: HWND, process: Out<u32>) -> u32 {
    guard(0, || {
        let (thread, id) = raw::owner(handle(window))?;
        process.put(id);
        Ok(thread)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetWindowLongPtrA(window: HWND, index: i32) -> isize {
    guard(0, || Ok(raw::long(handle(window), index)?))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetWindowLongPtrW(window: HWND, index: i32) -> isize {
    GetWindowLongPtrA(window, index)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetWindowLongA(window: HWND, index: i32) -> i32 {
    guard(0, || Ok(raw::long32(handle(window), index)?))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetWindowLongW(window: HWND, index: i32) -> i32 {
    GetWindowLongA(window, index)
}

/// # Safety
/// With `GWLP_WNDPROC` the value is a procedure.
unsafe fn set(window: HWND, index: i32, value: isize, charset: Charset) -> isize {
    // SAFETY: the caller's promise.
    guard(0, || Ok(unsafe { raw::set_long(handle(window), index, value, charset) }?))
}

/// # Safety
/// With `GWLP_WNDPROC` the value is a procedure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SetWindowLongPtrA(window: HWND, index: i32, value: isize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { set(window, index, value, Charset::Narrow) }
}

/// # Safety
/// As for [`SetWindowLongPtrA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SetWindowLongPtrW(window: HWND, index: i32, value: isize) -> isize {
    // SAFETY: the caller's promise.
    unsafe { set(window, index, value, Charset::Wide) }
}

#[unsafe(no_mangle)]
pub extern "C" fn SetWindowLongA(window: HWND, index: i32, value: i32) -> i32 {
    guard(0, || Ok(raw::set_long32(handle(window), index, value)?))
}

#[unsafe(no_mangle)]
pub extern "C" fn SetWindowLongW(window: HWND, index: i32, value: i32) -> i32 {
    SetWindowLongA(window, index, value)
}

fn set_property<U: Unit>(window: HWND, name: In<U>, value: usize) -> Bool {
    truth(|| Ok(raw::set_property(handle(window), Named::of(name).name(), value)?))
}

#[unsafe(no_mangle)]
pub extern "C" fn SetPropA(window: HWND, name: In<u8>, value: HANDLE) -> Bool {
    set_property(window, name, value.raw().value())
}

#[unsafe(no_mangle)]
pub extern "C" fn SetPropW(window: HWND, name: In<u16>, value: HANDLE) -> Bool {
    set_property(window, name, value.raw().value())
}

fn property<U: Unit>(window: HWND, name: In<U>) -> usize {
    guard(0, || Ok(raw::property(handle(window), Named::of(name).name())?.unwrap_or(0)))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetPropA(window: HWND, name: In<u8>) -> usize {
    property(window, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetPropW(window: HWND, name: In<u16>) -> usize {
    property(window, name)
}

fn remove_property<U: Unit>(window: HWND, name: In<U>) -> usize {
    guard(0, || Ok(raw::remove_property(handle(window), Named::of(name).name())?.unwrap_or(0)))
}

#[unsafe(no_mangle)]
pub extern "C" fn RemovePropA(window: HWND, name: In<u8>) -> usize {
    remove_property(window, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn RemovePropW(window: HWND, name: In<u16>) -> usize {
    remove_property(window, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetParent(window: HWND) -> HWND {
    guard(0, || Ok(raw::parent(handle(window))?.value()))
}

#[unsafe(no_mangle)]
pub extern "C" fn SetParent(window: HWND, parent: HWND) -> HWND {
    guard(0, || Ok(raw::set_parent(handle(window), handle(parent))?.value()))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetDesktopWindow() -> HWND {
    guard(0, || Ok(raw::desktop()?.value()))
}

fn register_message<U: Unit>(name: In<U>) -> u32 {
    guard(0, || match Named::of(name) {
        Named::Text(text) => Ok(raw::register_message(&text)?),
        Named::Number(_) => fail(transom::Code::INVALID_PARAMETER),
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn RegisterWindowMessageA(name: In<u8>) -> u32 {
    register_message(name)
}

#[unsafe(no_mangle)]
pub extern "C" fn RegisterWindowMessageW(name: In<u16>) -> u32 {
    register_message(name)
}

#[unsafe(no_mangle)]
pub extern "C" fn RegisterClipboardFormatA(name: In<u8>) -> u32 {
    register_message(name)
}

#[unsafe(no_mangle)]
pub extern "C" fn RegisterClipboardFormatW(name: In<u16>) -> u32 {
    register_message(name)
}

fn format_name<U: Unit>(number: u32, buffer: Out<U>, size: i32) -> i32 {
    guard(0, || {
        let number = u16::try_from(number).unwrap_or(0);
        match raw::name_of(number)? {
            Some(name) if size > 0 => Ok(put_cut(&name, buffer.required()?, size)),
            _ => fail(transom::Code::INVALID_PARAMETER),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetClipboardFormatNameA(number: u32, buffer: Out<u8>, size: i32) -> i32 {
    format_name(number, buffer, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetClipboardFormatNameW(number: u32, buffer: Out<u16>, size: i32) -> i32 {
    format_name(number, buffer, size)
}

/// Whether it is a window at all, for calls that do nothing else.
pub(super) fn exists(window: HWND) -> Bool {
    truth(|| raw::owner(handle(window)).map(drop).map_err(Into::into))
}

/// The window's parents from the nearest up; at most as many as a chain can sensibly have.
pub(super) fn ancestors(window: WindowHandle) -> impl Iterator<Item = WindowHandle> {
    let parent = |of: &WindowHandle| raw::parent(*of).ok().filter(|parent| !parent.is_null());
    std::iter::successors(parent(&window), parent).take(1000)
}

#[unsafe(no_mangle)]
pub extern "C" fn IsChild(parent: HWND, window: HWND) -> Bool {
    guard(0, || Ok(ancestors(handle(window)).any(|above| above == handle(parent)).into()))
}

/// `ChangeWindowMessageFilter`: 1 add, 2 remove.
#[unsafe(no_mangle)]
pub extern "C" fn ChangeWindowMessageFilter(_message: u32, action: u32) -> Bool {
    guard(0, || if matches!(action, 1 | 2) { Ok(TRUE) } else { fail(transom::Code::INVALID_PARAMETER) })
}

/// `ChangeWindowMessageFilterEx`: 0 reset, 1 allow, 2 disallow. The record behind `status` is its size and a word.
#[unsafe(no_mangle)]
pub extern "C" fn ChangeWindowMessageFilterEx(
    window: HWND,
    _message: u32,
    action: u32,
    status: Out<u32>,
) -> Bool {
    truth(|| {
        if action > 2 {
            return fail(transom::Code::INVALID_PARAMETER);
        }
        raw::owner(handle(window))?;
        // MSGFLTINFO_NONE.
        status.offset::<u32>(if status.is_null() { 0 } else { 4 }).put(0);
        Ok(())
    })
}
