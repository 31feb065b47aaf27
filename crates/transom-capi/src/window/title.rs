//! `GetWindowText`, `GetWindowTextLength`, `SetWindowText`.
//!
//! A window of this process is asked by message, so that its procedure may answer what it likes; of another process's
//! the stored title is read.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s, and go with a message only for the time of the call.
#![allow(unsafe_code)]

use transom::process;
use transom::window::message::{WM_GETTEXT, WM_GETTEXTLENGTH, WM_SETTEXT};
use transom::window::raw;

use crate::ffi::{Bool, FALSE, In, Out, Unit};

use super::{HWND, charset, handle, put_cut, settled};

/// Whether it belongs to this process; `None`, and the last error is set: it is no window.
fn is_own(window: HWND) -> Option<bool> {
    let owner = raw::owner(handle(window)).map(Some);
    settled(owner, None).map(|(_, process)| process == process::current_id())
}

fn get<U: Unit>(window: HWND, buffer: Out<U>, size: i32) -> i32 {
    let room = usize::try_from(size).unwrap_or(0);
    if buffer.is_null() || room == 0 {
        return 0;
    }
    match is_own(window) {
        None => 0,
        Some(true) => {
            let place = buffer.reader().value().cast_signed();
            // SAFETY: the buffer has room for so many characters (F2).
            let result = unsafe { raw::send(handle(window), WM_GETTEXT, room, place, charset::<U>()) };
            settled(result, 0) as i32
        }
        Some(false) => settled(raw::text(handle(window)).map(|text| put_cut(&text, buffer, size)), 0),
    }
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn GetWindowTextA(window: HWND, buffer: Out<u8>, size: i32) -> i32 {
    get(window, buffer, size)
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn GetWindowTextW(window: HWND, buffer: Out<u16>, size: i32) -> i32 {
    get(window, buffer, size)
}

fn length<U: Unit>(window: HWND) -> i32 {
    match is_own(window) {
        None => 0,
        Some(true) => {
            // SAFETY: the message carries nothing.
            let result = unsafe { raw::send(handle(window), WM_GETTEXTLENGTH, 0, 0, charset::<U>()) };
            settled(result, 0) as i32
        }
        Some(false) => {
            let units = |text: Vec<u16>| U::from_text(&transom_core::text::from_utf16(&text)).len();
            settled(raw::text(handle(window)).map(units), 0) as i32
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn GetWindowTextLengthA(window: HWND) -> i32 {
    length::<u8>(window)
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn GetWindowTextLengthW(window: HWND) -> i32 {
    length::<u16>(window)
}

/// What NULL stands for.
static EMPTY: [u16; 1] = [0];

fn set<U: Unit>(window: HWND, text: In<U>) -> Bool {
    let place = if text.is_null() { EMPTY.as_ptr().expose_provenance() } else { text.value() };
    transom::process::let_go();
    // SAFETY: a string up to its terminator (F1).
    let result = unsafe { raw::send(handle(window), WM_SETTEXT, 0, place.cast_signed(), charset::<U>()) };
    Bool::from(settled(result, FALSE as isize) != 0)
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn SetWindowTextA(window: HWND, text: In<u8>) -> Bool {
    set(window, text)
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn SetWindowTextW(window: HWND, text: In<u16>) -> Bool {
    set(window, text)
}
