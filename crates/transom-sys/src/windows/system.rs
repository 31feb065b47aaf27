//! What this system is.
//!
//! # Safety
//! The calls fill structures of known size; one function is looked up by name and called as it is declared.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};

use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::SystemInformation::{GetSystemInfo, OSVERSIONINFOW, SYSTEM_INFO};
use windows_sys::w;

/// `RtlGetVersion`: major, minor and build number of Windows, whatever the program's manifest says.
#[must_use]
pub fn version() -> (u32, u32, u32) {
    let mut version = OSVERSIONINFOW {
        // A structure of 276 bytes.
        dwOSVersionInfoSize: size_of::<OSVERSIONINFOW>() as u32,
        ..OSVERSIONINFOW::default()
    };
    // SAFETY: the structure is writable and says its size. The call is documented to succeed always.
    unsafe { RtlGetVersion(&raw mut version) };
    (version.dwMajorVersion, version.dwMinorVersion, version.dwBuildNumber)
}

/// `GetSystemInfo`: the page size and the allocation granularity, in bytes.
#[must_use]
pub fn granularity() -> (u32, u32) {
    let mut info = SYSTEM_INFO::default();
    // SAFETY: the structure is writable.
    unsafe { GetSystemInfo(&raw mut info) };
    (info.dwPageSize, info.dwAllocationGranularity)
}

/// The version of Wine that provides the API, `None` on Windows itself.
///
/// Wine exports `wine_get_version` from its `ntdll.dll` so that programs can tell.
#[must_use]
pub fn wine() -> Option<String> {
    // SAFETY: the name is terminated; ntdll.dll is part of every process and never unloaded.
    let ntdll = unsafe { GetModuleHandleW(w!("ntdll.dll")) };
    if ntdll.is_null() {
        return None;
    }
    // SAFETY: the module is loaded and the name is terminated.
    let function = unsafe { GetProcAddress(ntdll, c"wine_get_version".as_ptr().cast()) }?;
    // SAFETY: Wine declares the function as `const char * CDECL wine_get_version(void)`; no other ntdll.dll
    // exports one of this name.
    let function: unsafe extern "C" fn() -> *const c_char = unsafe { std::mem::transmute(function) };
    // SAFETY: the function takes nothing and returns a terminated string that is never freed.
    let version = unsafe { CStr::from_ptr(function()) };
    Some(version.to_string_lossy().into_owned())
}
