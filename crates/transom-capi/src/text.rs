//! Strings: UTF-8 to UTF-16 and back, and the plain string calls.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::cmp::Ordering;

use transom::Code;

use crate::ffi::{Bool, FALSE, Failure, In, Out, Outcome, Unit, fail, guard};

/// `CP_UTF8`.
const UTF8: u32 = 65001;
/// `CP_ACP`, `CP_OEMCP`, `CP_THREAD_ACP`: UTF-8 as well.
const SYSTEM: [u32; 3] = [0, 1, 3];
/// `MB_ERR_INVALID_CHARS`.
const MB_ERR_INVALID_CHARS: u32 = 0x08;
/// `WC_ERR_INVALID_CHARS`.
const WC_ERR_INVALID_CHARS: u32 = 0x80;
/// `ERROR_NO_UNICODE_TRANSLATION`.
const NO_UNICODE_TRANSLATION: Code = Code::new(1113);

/// The characters to convert: so many, or up to and with the terminator.
fn source<U: Unit>(text: In<U>, count: i32) -> Outcome<Vec<U>> {
    match usize::try_from(count) {
        Ok(0) => fail(Code::INVALID_PARAMETER),
        Ok(count) if !text.is_null() => text.values(count),
        Err(_) if count == -1 && !text.is_null() => {
            let mut units = text.units().unwrap_or_default();
            units.push(U::default());
            Ok(units)
        }
        _ => fail(Code::INVALID_PARAMETER),
    }
}

/// Stores the result, or tells how long it is if there is no buffer.
fn store<U: Unit>(converted: &[U], buffer: Out<U>, size: i32) -> Outcome<i32> {
    let length = i32::try_from(converted.len()).map_err(|_| Failure(Code::INVALID_PARAMETER))?;
    if size < 0 || (size > 0 && buffer.is_null()) {
        return fail(Code::INVALID_PARAMETER);
    }
    if size > 0 {
        if length > size {
            return fail(Code::INSUFFICIENT_BUFFER);
        }
        buffer.put_all(converted);
    }
    Ok(length)
}

fn check_code_page(code_page: u32) -> Outcome<()> {
    if code_page == UTF8 || SYSTEM.contains(&code_page) { Ok(()) } else { fail(Code::INVALID_PARAMETER) }
}

#[unsafe(no_mangle)]
pub extern "C" fn MultiByteToWideChar(
    code_page: u32,
    flags: u32,
    text: In<u8>,
    count: i32,
    buffer: Out<u16>,
    size: i32,
) -> i32 {
    guard(0, || {
        check_code_page(code_page)?;
        let bytes = source(text, count)?;
        let text = String::from_utf8_lossy(&bytes);
        if flags & MB_ERR_INVALID_CHARS != 0 && std::str::from_utf8(&bytes).is_err() {
            return fail(NO_UNICODE_TRANSLATION);
        }
        let units: Vec<u16> = text.encode_utf16().collect();
        store(&units, buffer, size)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn WideCharToMultiByte(
    code_page: u32,
    flags: u32,
    text: In<u16>,
    count: i32,
    buffer: Out<u8>,
    size: i32,
    default: In<u8>,
    used_default: Out<Bool>,
) -> i32 {
    guard(0, || {
        check_code_page(code_page)?;
        if code_page == UTF8 && (!default.is_null() || !used_default.is_null()) {
            return fail(Code::INVALID_PARAMETER);
        }
        let units = source(text, count)?;
        if flags & WC_ERR_INVALID_CHARS != 0 && String::from_utf16(&units).is_err() {
            return fail(NO_UNICODE_TRANSLATION);
        }
        // Every character has a place in UTF-8.
        used_default.put(FALSE);
        store(String::from_utf16_lossy(&units).as_bytes(), buffer, size)
    })
}

fn length<U: Unit>(text: In<U>) -> i32 {
    text.units().map_or(0, |units| i32::try_from(units.len()).unwrap_or(i32::MAX))
}

/// Copies with terminator; at most `size` characters with it, if that is given.
fn copy<U: Unit>(to: Out<U>, from: In<U>, size: Option<i32>) -> *mut U {
    let units = match size {
        None => from.units(),
        Some(size) => match usize::try_from(size) {
            Ok(size) if size > 0 => from.units_up_to(size - 1),
            _ => return to.pointer(),
        },
    };
    match units {
        Some(mut units) if !to.is_null() => {
            units.push(U::default());
            to.put_all(&units);
            to.pointer()
        }
        _ => std::ptr::null_mut(),
    }
}

fn append<U: Unit>(to: Out<U>, from: In<U>) -> *mut U {
    let (Some(before), false) = (to.reader().units(), from.is_null()) else { return std::ptr::null_mut() };
    copy(to.offset(before.len() * size_of::<U>()), from, None);
    to.pointer()
}

/// Compares by number of the character, as C is told it. Text in UTF-8 compares by bytes the same.
fn compare<U: Unit + Ord>(first: In<U>, second: In<U>, fold: impl Fn(U) -> U) -> i32 {
    let folded = |text: In<U>| text.units().unwrap_or_default().into_iter().map(&fold).collect::<Vec<_>>();
    match folded(first).cmp(&folded(second)) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

fn lower(unit: u16) -> u16 {
    if (0x41..=0x5A).contains(&unit) { unit + 0x20 } else { unit }
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrlenA(text: In<u8>) -> i32 {
    length(text)
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrlenW(text: In<u16>) -> i32 {
    length(text)
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrcpyA(to: Out<u8>, from: In<u8>) -> *mut u8 {
    copy(to, from, None)
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrcpyW(to: Out<u16>, from: In<u16>) -> *mut u16 {
    copy(to, from, None)
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrcpynA(to: Out<u8>, from: In<u8>, size: i32) -> *mut u8 {
    copy(to, from, Some(size))
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrcpynW(to: Out<u16>, from: In<u16>, size: i32) -> *mut u16 {
    copy(to, from, Some(size))
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrcatA(to: Out<u8>, from: In<u8>) -> *mut u8 {
    append(to, from)
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrcatW(to: Out<u16>, from: In<u16>) -> *mut u16 {
    append(to, from)
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrcmpA(first: In<u8>, second: In<u8>) -> i32 {
    compare(first, second, |unit| unit)
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrcmpW(first: In<u16>, second: In<u16>) -> i32 {
    compare(first, second, |unit| unit)
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrcmpiA(first: In<u8>, second: In<u8>) -> i32 {
    compare(first, second, |unit| unit.to_ascii_lowercase())
}

#[unsafe(no_mangle)]
pub extern "C" fn lstrcmpiW(first: In<u16>, second: In<u16>) -> i32 {
    compare(first, second, lower)
}
