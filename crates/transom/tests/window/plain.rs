//! Programs as people write them over Win32 alone: nothing here uses the library but to learn its arguments.
//!
//! # Safety
//! Calls of user32 with terminated strings and structures that outlive them.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_void};
use std::ptr;

use super::support::{argument, ready};

#[repr(C)]
struct ClassA {
    style: u32,
    procedure: unsafe extern "system" fn(*mut c_void, u32, usize, isize) -> isize,
    class_extra: i32,
    window_extra: i32,
    instance: *mut c_void,
    icon: *mut c_void,
    cursor: *mut c_void,
    background: *mut c_void,
    menu: *const c_char,
    name: *const c_char,
}

#[repr(C)]
struct CopyData {
    tag: usize,
    length: u32,
    bytes: *const u8,
}

#[repr(C)]
struct Msg {
    window: *mut c_void,
    message: u32,
    wparam: usize,
    lparam: isize,
    time: u32,
    point: [i32; 2],
}

#[link(name = "user32")]
unsafe extern "system" {
    fn RegisterClassA(class: *const ClassA) -> u16;
    fn CreateWindowExA(
        ex_style: u32,
        class: *const c_char,
        title: *const c_char,
        style: u32,
        x: i32,
        y: i32,
        width: i32,
        height: i32,
        parent: *mut c_void,
        menu: *mut c_void,
        instance: *mut c_void,
        parameter: *const c_void,
    ) -> *mut c_void;
    fn DefWindowProcA(window: *mut c_void, message: u32, wparam: usize, lparam: isize) -> isize;
    fn GetMessageA(message: *mut Msg, window: *mut c_void, first: u32, last: u32) -> i32;
    fn DispatchMessageA(message: *const Msg) -> isize;
    fn PostQuitMessage(code: i32);
    fn FindWindowA(class: *const c_char, title: *const c_char) -> *mut c_void;
    fn SendMessageA(window: *mut c_void, message: u32, wparam: usize, lparam: isize) -> isize;
}

const WM_COPYDATA: u32 = 0x4A;
const HWND_MESSAGE: *mut c_void = ptr::without_provenance_mut(usize::MAX - 2);

unsafe extern "system" fn procedure(
    window: *mut c_void,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    match message {
        WM_COPYDATA => {
            // SAFETY: what the message is documented to have.
            let data = unsafe { &*ptr::with_exposed_provenance::<CopyData>(lparam.cast_unsigned()) };
            if data.bytes.is_null() {
                return super::sum(&[]);
            }
            // SAFETY: as above.
            super::sum(unsafe { std::slice::from_raw_parts(data.bytes, data.length as usize) })
        }
        super::ECHO => wparam as isize ^ lparam,
        super::END => {
            // SAFETY: takes a number only.
            unsafe { PostQuitMessage(wparam as i32) };
            0
        }
        // SAFETY: passed on as they came.
        _ => unsafe { DefWindowProcA(window, message, wparam, lparam) },
    }
}

/// A window that answers with the sum of what it gets, until it is told to end.
pub fn server() -> u32 {
    let name = CString::new(argument("CLASS")).unwrap();
    let class = ClassA {
        style: 0,
        procedure,
        class_extra: 0,
        window_extra: 0,
        instance: ptr::null_mut(),
        icon: ptr::null_mut(),
        cursor: ptr::null_mut(),
        background: ptr::null_mut(),
        menu: ptr::null(),
        name: name.as_ptr(),
    };
    // SAFETY: terminated strings and a structure that outlive the calls.
    let window = unsafe {
        assert_ne!(RegisterClassA(&raw const class), 0);
        let (title, none) = (c"plain".as_ptr(), ptr::null_mut());
        CreateWindowExA(0, name.as_ptr(), title, 0, 0, 0, 0, 0, HWND_MESSAGE, none, none, none)
    };
    assert!(!window.is_null());
    ready();
    loop {
        let mut message =
            Msg { window: ptr::null_mut(), message: 0, wparam: 0, lparam: 0, time: 0, point: [0; 2] };
        // SAFETY: a local for the result, and given on as it came.
        unsafe {
            match GetMessageA(&raw mut message, ptr::null_mut(), 0, 0) {
                0 => return message.wparam as u32,
                -1 => return 201,
                _ => DispatchMessageA(&raw const message),
            };
        }
    }
}

/// Finds a window and sends it bytes; ends with its answer.
pub fn client() -> u32 {
    let class = CString::new(argument("CLASS")).unwrap();
    let bytes = b"plain bytes";
    let data = CopyData { tag: 21, length: bytes.len() as u32, bytes: bytes.as_ptr() };
    let lparam = (&raw const data).expose_provenance() as isize;
    // SAFETY: a terminated string, a structure and bytes that outlive the calls.
    unsafe {
        let window = FindWindowA(class.as_ptr(), c"For Plain Programs".as_ptr());
        assert!(!window.is_null());
        SendMessageA(window, WM_COPYDATA, 0x1234, lparam) as u32
    }
}
