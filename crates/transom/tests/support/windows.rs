//! The Windows side of the tests' support.
//!
//! # Safety
//! Two calls of the system's loader, which take strings and give addresses that are compared and never used.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_void};
use std::fs::File;

/// Whether the native build runs, and not the one over Win32.
pub const ON_LINUX: bool = false;

/// A program that ends at once, whatever its arguments. (This test program with arguments it does not expect
/// would run all tests, which start it again.)
pub const HARMLESS: &str = r"C:\windows\system32\hostname.exe";

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetModuleHandleA(name: *const c_char) -> *mut c_void;
    fn GetProcAddress(module: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// Whether this is Wine: its ntdll exports a function that Windows' has not.
pub fn under_wine() -> bool {
    // SAFETY: both strings end with a zero; ntdll is in every process, and a null module would mean the
    // program itself, which has no such export either.
    let version = unsafe {
        let ntdll = GetModuleHandleA(c"ntdll.dll".as_ptr());
        GetProcAddress(ntdll, c"wine_get_version".as_ptr())
    };
    !version.is_null()
}

/// `SetEndOfFile` at `length`; gives the Win32 code.
pub fn set_end_of_file(file: &File, length: u64) -> u32 {
    match file.set_len(length) {
        Ok(()) => 0,
        // A code from the system is a positive number.
        Err(error) => error.raw_os_error().map_or(u32::MAX, |code| code as u32),
    }
}
