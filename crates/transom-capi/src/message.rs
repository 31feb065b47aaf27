//! `FormatMessage`: the texts of error codes.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::ffi::{OsStr, c_void};
use std::os::unix::ffi::OsStrExt;

use transom::Code;

use crate::ffi::{In, Out, Outcome, Unit, fail, guard, length};
use crate::memory;

const ALLOCATE_BUFFER: u32 = 0x0100;
const FROM_STRING: u32 = 0x0400;
const FROM_HMODULE: u32 = 0x0800;
const FROM_SYSTEM: u32 = 0x1000;
const MAX_WIDTH_MASK: u32 = 0x00FF;
/// `ERROR_MR_MID_NOT_FOUND`.
const MID_NOT_FOUND: Code = Code::new(317);
/// The upper half of an HRESULT that holds a Win32 code.
const HRESULT_OF_CODE: u32 = 0x8007;

fn format<U: Unit>(flags: u32, source: In<U>, id: u32, buffer: Out<U>, size: u32) -> u32 {
    guard(0, || {
        let buffer = if buffer.is_null() { return fail(Code::INVALID_PARAMETER) } else { buffer };
        let text = if flags & FROM_STRING != 0 {
            match source.text() {
                Some(text) => text,
                None => return fail(Code::INVALID_PARAMETER),
            }
        } else if flags & FROM_SYSTEM != 0 {
            let end = if flags & MAX_WIDTH_MASK == MAX_WIDTH_MASK { ". " } else { ".\r\n" };
            format!("{}{end}", sentence(id)?).into_bytes()
        } else if flags & FROM_HMODULE != 0 {
            // No module has messages of its own.
            return fail(MID_NOT_FOUND);
        } else {
            return fail(Code::INVALID_PARAMETER);
        };
        if flags & ALLOCATE_BUFFER != 0 {
            return allocated(&text, buffer, size);
        }
        let needed = buffer.put_text(size, OsStr::from_bytes(&text));
        if needed >= size { fail(Code::INSUFFICIENT_BUFFER) } else { Ok(needed) }
    })
}

/// What a code means, beginning with a capital letter.
fn sentence(id: u32) -> Outcome<String> {
    let code = if id >> 16 == HRESULT_OF_CODE { Code::new(id & 0xFFFF) } else { Code::new(id) };
    if code.name().is_none() {
        return fail(MID_NOT_FOUND);
    }
    let mut text = code.message().to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Ok(text)
}

/// Puts a text in a block of its own, of `size` characters at least, whose address goes where `buffer` points.
fn allocated<U: Unit>(text: &[u8], buffer: Out<U>, size: u32) -> Outcome<u32> {
    let mut units = U::from_text(text);
    let stored = length(units.len());
    units.resize((units.len() + 1).max(size as usize), U::default());
    buffer.cast::<*mut c_void>().put(memory::local(&U::to_bytes(&units))?);
    Ok(stored)
}

#[unsafe(no_mangle)]
pub extern "C" fn FormatMessageA(
    flags: u32,
    source: In<u8>,
    id: u32,
    _language: u32,
    buffer: Out<u8>,
    size: u32,
    _arguments: *mut c_void,
) -> u32 {
    format(flags, source, id, buffer, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn FormatMessageW(
    flags: u32,
    source: In<u16>,
    id: u32,
    _language: u32,
    buffer: Out<u16>,
    size: u32,
    _arguments: *mut c_void,
) -> u32 {
    format(flags, source, id, buffer, size)
}
