//! `CreateWindowEx`, `DestroyWindow`, and the procedures that programs fall back on.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. Messages carry what their procedures expect: the caller's
//! promise.
#![allow(unsafe_code)]

use transom::Code;
use transom::window::WindowHandle;
use transom::window::raw::{self, Charset, Creation, Procedure};

use crate::ffi::{Bool, FALSE, In, TRUE, Unit};
use crate::last_error;

use super::{HWND, Named, charset, handle, keeping, settled, wide};

/// What `CreateWindowEx` is told, texts aside.
struct Form {
    ex_style: u32,
    style: u32,
    rectangle: [i32; 4],
    parent: HWND,
    menu: usize,
    instance: usize,
    parameter: usize,
}

fn create<U: Unit>(form: &Form, class: In<U>, title: In<U>) -> HWND {
    let texts = (Named::of(class), title.units().map(|units| wide(&units)));
    let result = keeping(texts, |(class, title)| {
        raw::create(&Creation {
            class: class.name(),
            title: title.as_deref(),
            style: form.style,
            ex_style: form.ex_style,
            rectangle: form.rectangle,
            parent: handle(form.parent),
            menu: form.menu,
            instance: form.instance,
            parameter: form.parameter,
            charset: charset::<U>(),
        })
    });
    settled(result, WindowHandle::NULL).value()
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn CreateWindowExA(
    ex_style: u32,
    class: In<u8>,
    title: In<u8>,
    style: u32,
    x: i32,
    y: i32,
    width: i32,
    height: i32,
    parent: HWND,
    menu: usize,
    instance: usize,
    parameter: usize,
) -> HWND {
    let rectangle = [x, y, width, height];
    create(&Form { ex_style, style, rectangle, parent, menu, instance, parameter }, class, title)
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn CreateWindowExW(
    ex_style: u32,
    class: In<u16>,
    title: In<u16>,
    style: u32,
    x: i32,
    y: i32,
    width: i32,
    height: i32,
    parent: HWND,
    menu: usize,
    instance: usize,
    parameter: usize,
) -> HWND {
    let rectangle = [x, y, width, height];
    create(&Form { ex_style, style, rectangle, parent, menu, instance, parameter }, class, title)
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn DestroyWindow(window: HWND) -> Bool {
    settled(raw::destroy(handle(window)).map(|()| TRUE), FALSE)
}

/// # Safety
/// The message carries what Windows documents for it.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn DefWindowProcA(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { raw::default_procedure(handle(window), message, wparam, lparam, Charset::Narrow) }
}

/// # Safety
/// As for [`DefWindowProcA`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn DefWindowProcW(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { raw::default_procedure(handle(window), message, wparam, lparam, Charset::Wide) }
}

/// # Safety
/// As for [`CallWindowProcA`].
unsafe fn call(
    procedure: Option<Procedure>,
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> isize {
    let Some(procedure) = procedure else {
        last_error::set(Code::INVALID_PARAMETER);
        return 0;
    };
    // SAFETY: the caller's promise.
    unsafe { raw::call_procedure(procedure, handle(window), message, wparam, lparam, charset) }
}

/// # Safety
/// `procedure` is one, or came from `GetWindowLongPtr`; the message carries what it expects.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn CallWindowProcA(
    procedure: Option<Procedure>,
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { call(procedure, window, message, wparam, lparam, Charset::Narrow) }
}

/// # Safety
/// As for [`CallWindowProcA`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn CallWindowProcW(
    procedure: Option<Procedure>,
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { call(procedure, window, message, wparam, lparam, Charset::Wide) }
}
