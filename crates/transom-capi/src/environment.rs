//! Environment variables, current folder, standard handles, command line.
//!
//! The variables are those of the C library, so that `getenv` and children see what is set here. Its lists
//! are not made for changing while other threads read them: a C program that calls `getenv` in one thread
//! and `SetEnvironmentVariable` in another must keep them apart itself, as with `setenv`.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. The standard library's own lock keeps calls of
//! this library apart from each other.
#![allow(unsafe_code)]

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use transom::Code;
use transom::process;
use transom_core::environment::Environment;

use crate::ffi::{
    Bool, Failure, HANDLE, In, Out, Outcome, TRUE, Text, Unit, fail, forever, guard, length, path_of, truth,
};
use crate::file_names::missing;
use crate::memory;

/// Held while variables are looked through and changed, so that two spellings of a name stay one variable.
static CHANGING: Mutex<()> = Mutex::new(());

fn changing() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All variables.
fn all() -> Environment {
    let entries = env::vars_os().map(|(mut name, value)| {
        name.push("=");
        name.push(value);
        name.into_vec()
    });
    Environment::from_entries(entries)
}

/// The value of a variable; names match without regard to case.
pub(crate) fn variable(name: &[u8]) -> Option<OsString> {
    if name.is_empty() || name.contains(&b'=') {
        return None;
    }
    env::var_os(OsStr::from_bytes(name))
        .or_else(|| all().get(name).map(|value| OsString::from_vec(value.to_vec())))
}

fn get<U: Unit>(name: In<U>, buffer: Out<U>, size: u32) -> u32 {
    guard(0, || {
        let name = name.text().ok_or(Failure(Code::INVALID_PARAMETER))?;
        let value = variable(&name).ok_or(Failure(Code::ENVVAR_NOT_FOUND))?;
        Ok(buffer.put_text(size, &value))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetEnvironmentVariableA(name: In<u8>, buffer: Out<u8>, size: u32) -> u32 {
    get(name, buffer, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetEnvironmentVariableW(name: In<u16>, buffer: Out<u16>, size: u32) -> u32 {
    get(name, buffer, size)
}

fn set<U: Unit>(name: In<U>, value: In<U>) -> Bool {
    truth(|| {
        let name = name.text().ok_or(Failure(Code::INVALID_PARAMETER))?;
        if name.is_empty() || name.contains(&b'=') {
            return fail(Code::INVALID_PARAMETER);
        }
        let _changing = changing();
        let spellings: Vec<OsString> = env::vars_os()
            .map(|(name, _)| name)
            .filter(|known| known.as_bytes().eq_ignore_ascii_case(&name))
            .collect();
        let name = OsString::from_vec(name);
        match value.os_text() {
            Some(value) => {
                // The spelling a name was first given stays (R15).
                let exact = spellings.iter().find(|known| **known == name);
                let known = exact.or(spellings.first()).unwrap_or(&name);
                // SAFETY: under the locks of this module and of the standard library; threads that read the
                // environment in another way are the program's to keep apart, as the module says.
                unsafe { env::set_var(known, value) };
            }
            None => {
                for known in spellings {
                    // SAFETY: as above.
                    unsafe { env::remove_var(known) };
                }
            }
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SetEnvironmentVariableA(name: In<u8>, value: In<u8>) -> Bool {
    set(name, value)
}

#[unsafe(no_mangle)]
pub extern "C" fn SetEnvironmentVariableW(name: In<u16>, value: In<u16>) -> Bool {
    set(name, value)
}

/// A copy of all variables in a block of its own.
fn block<U: Unit>() -> *mut U {
    guard(std::ptr::null_mut(), || {
        let units = U::from_text(&all().to_block());
        Ok(memory::local(&U::to_bytes(&units))?.cast())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetEnvironmentStrings() -> *mut u8 {
    block()
}

#[unsafe(no_mangle)]
pub extern "C" fn GetEnvironmentStringsW() -> *mut u16 {
    block()
}

#[unsafe(no_mangle)]
pub extern "C" fn FreeEnvironmentStringsA(block: HANDLE) -> Bool {
    memory::local_free(block.raw().value());
    TRUE
}

#[unsafe(no_mangle)]
pub extern "C" fn FreeEnvironmentStringsW(block: HANDLE) -> Bool {
    memory::local_free(block.raw().value());
    TRUE
}

/// The result counts the terminator, whether it fitted or not.
fn expand<U: Unit>(source: In<U>, buffer: Out<U>, size: u32) -> u32 {
    guard(0, || {
        let source = source.text().ok_or(Failure(Code::INVALID_PARAMETER))?;
        let expanded = all().expand(&source);
        buffer.put_text(size, OsStr::from_bytes(&expanded));
        Ok(length(U::from_text(&expanded).len()).saturating_add(1))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn ExpandEnvironmentStringsA(source: In<u8>, buffer: Out<u8>, size: u32) -> u32 {
    expand(source, buffer, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn ExpandEnvironmentStringsW(source: In<u16>, buffer: Out<u16>, size: u32) -> u32 {
    expand(source, buffer, size)
}

fn get_folder<U: Unit>(size: u32, buffer: Out<U>) -> u32 {
    guard(0, || Ok(buffer.put_text(size, env::current_dir()?.as_os_str())))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentDirectoryA(size: u32, buffer: Out<u8>) -> u32 {
    get_folder(size, buffer)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentDirectoryW(size: u32, buffer: Out<u16>) -> u32 {
    get_folder(size, buffer)
}

fn set_folder<U: Unit>(path: In<U>) -> Bool {
    truth(|| {
        let path = match path.text() {
            Some(text) if !text.is_empty() => path_of(text),
            // What Windows says of a name that is none.
            _ => return fail(Code::INVALID_NAME),
        };
        change_to(&path)
    })
}

fn change_to(path: &Path) -> Outcome<()> {
    let metadata = std::fs::metadata(path).map_err(|error| missing(&error, path))?;
    if !metadata.is_dir() {
        return fail(Code::DIRECTORY);
    }
    env::set_current_dir(path).map_err(|error| missing(&error, path))
}

#[unsafe(no_mangle)]
pub extern "C" fn SetCurrentDirectoryA(path: In<u8>) -> Bool {
    set_folder(path)
}

#[unsafe(no_mangle)]
pub extern "C" fn SetCurrentDirectoryW(path: In<u16>) -> Bool {
    set_folder(path)
}

/// The stream that `STD_INPUT_HANDLE` (-10), `STD_OUTPUT_HANDLE` or `STD_ERROR_HANDLE` means.
fn stream(which: u32) -> Outcome<usize> {
    match which.wrapping_neg() {
        which @ 10..=12 => Ok(which as usize - 10),
        _ => fail(Code::INVALID_HANDLE),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn GetStdHandle(which: u32) -> HANDLE {
    guard(HANDLE::INVALID, || {
        let stream = stream(which)?;
        Ok(match process::standard_handle(stream) {
            Ok(raw) => HANDLE::of(raw),
            Err(error) if error.code() == Code::INVALID_HANDLE => HANDLE::NULL,
            Err(error) => return Err(error.into()),
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SetStdHandle(which: u32, handle: HANDLE) -> Bool {
    truth(|| Ok(process::set_standard_handle(stream(which)?, handle.raw())?))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetCommandLineA() -> *mut u8 {
    static LINE: OnceLock<Text<u8>> = OnceLock::new();
    guard(std::ptr::null_mut(), || Ok(LINE.get_or_init(|| Text(forever(&process::command_line()))).0))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetCommandLineW() -> *mut u16 {
    static LINE: OnceLock<Text<u16>> = OnceLock::new();
    guard(std::ptr::null_mut(), || Ok(LINE.get_or_init(|| Text(forever(&process::command_line()))).0))
}
