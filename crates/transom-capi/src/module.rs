//! The running program's own file, and its command line in words.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::env;
use std::ffi::{OsString, c_void};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use transom::Code;
use transom_core::{command_line, text};

use crate::ffi::{Failure, HANDLE, In, Out, Unit, fail, guard};
use crate::{last_error, memory};

/// `ERROR_MOD_NOT_FOUND`.
const MOD_NOT_FOUND: Code = Code::new(126);

/// The program's module handle is the address of this.
static PROGRAM: u8 = 0;

fn program() -> *mut c_void {
    std::ptr::from_ref(&PROGRAM).cast_mut().cast()
}

fn file_name<U: Unit>(module: HANDLE, buffer: Out<U>, size: u32) -> u32 {
    guard(0, || {
        if module != HANDLE::NULL && module.raw().value() != program().addr() {
            return fail(MOD_NOT_FOUND);
        }
        let path = env::current_exe()?;
        let needed = buffer.put_text(size, path.as_os_str());
        if needed < size {
            return Ok(needed);
        }
        // Cut to fit, and told so.
        if let Some(room) = size.checked_sub(1) {
            let mut units = U::from_text(path.as_os_str().as_bytes());
            units.truncate(room as usize);
            units.push(U::default());
            buffer.put_all(&units);
        }
        last_error::set(Code::INSUFFICIENT_BUFFER);
        Ok(size)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetModuleFileNameA(module: HANDLE, buffer: Out<u8>, size: u32) -> u32 {
    file_name(module, buffer, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetModuleFileNameW(module: HANDLE, buffer: Out<u16>, size: u32) -> u32 {
    file_name(module, buffer, size)
}

fn module<U: Unit>(name: In<U>) -> *mut c_void {
    guard(std::ptr::null_mut(), || if name.is_null() { Ok(program()) } else { fail(MOD_NOT_FOUND) })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetModuleHandleA(name: In<u8>) -> *mut c_void {
    module(name)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetModuleHandleW(name: In<u16>) -> *mut c_void {
    module(name)
}

/// The array of pointers and then the strings, in one block for `LocalFree`.
#[unsafe(no_mangle)]
pub extern "C" fn CommandLineToArgvW(line: In<u16>, count: Out<i32>) -> *mut *mut u16 {
    guard(std::ptr::null_mut(), || {
        let (Some(line), false) = (line.text(), count.is_null()) else {
            return fail(Code::INVALID_PARAMETER);
        };
        let words = if line.is_empty() {
            vec![env::current_exe().map(|path| OsString::from(path).into_vec())?]
        } else {
            command_line::split(&line)
        };
        let number = i32::try_from(words.len()).map_err(|_| Failure(Code::NOT_ENOUGH_MEMORY))?;
        // One pointer more, NULL, as argv has it.
        let pointers = (words.len() + 1) * size_of::<*mut u16>();
        let mut offsets = Vec::with_capacity(words.len());
        let mut block = vec![0; pointers];
        for word in &words {
            offsets.push(block.len());
            let mut units = text::to_utf16(word);
            units.push(0);
            block.extend_from_slice(&u16::to_bytes(&units));
        }
        let base = memory::local(&block)?;
        for (index, offset) in offsets.into_iter().enumerate() {
            // SAFETY: the block made just now begins with room for these pointers, and the offsets lie in it.
            unsafe { base.cast::<*mut u16>().add(index).write(base.byte_add(offset).cast()) };
        }
        count.put(number);
        Ok(base.cast())
    })
}
