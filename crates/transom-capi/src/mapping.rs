//! File mappings: `CreateFileMapping`, `MapViewOfFile` and their like.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. Unmapping trusts C not to use the view any more.
#![allow(unsafe_code)]

use std::ffi::c_void;

use transom::Code;
use transom::handle::{FromHandle, Handle, RawHandle};
use transom::mapping::{self, Mapping, MappingOptions, ViewOptions};
use transom_core::mapping as rules;

use crate::ffi::{Bool, HANDLE, In, Outcome, Unit, created, fail, guard, opened, truth};
use crate::pages;
use crate::security::{SECURITY_ATTRIBUTES, with_attributes};

/// A number that comes in two halves.
fn whole(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn create<U: Unit>(
    file: HANDLE,
    attributes: In<SECURITY_ATTRIBUTES>,
    protect: u32,
    size: u64,
    name: In<U>,
) -> HANDLE {
    created(|| {
        let make = |options: MappingOptions<'_>| -> Outcome<(RawHandle, bool)> {
            let options = options.protect_word(protect);
            let made = with_attributes!(options, attributes, name, None::<u32>).create()?;
            Ok((made.object.into_handle().into_raw(), made.existed))
        };
        // NULL means the same as INVALID_HANDLE_VALUE (M17).
        if file.is_none() {
            return make(MappingOptions::new(size));
        }
        // What is wrong without looking at the file comes first.
        rules::decode(protect, true)?;
        make(MappingOptions::of_handle(&*Handle::borrow(file.raw())?, size))
    })
}

fn open<U: Unit>(access: u32, inherit: Bool, name: In<U>) -> HANDLE {
    opened(|| {
        let Some(name) = name.name()? else { return fail(Code::INVALID_PARAMETER) };
        let options = MappingOptions::new(0).access(access).inherit(inherit != 0).name_utf16(&name);
        Ok(options.open()?.into_handle().into_raw())
    })
}

fn map(mapping: HANDLE, access: u32, offset: u64, bytes: usize, base: usize) -> *mut c_void {
    guard(std::ptr::null_mut(), || {
        rules::alignment(offset, base as u64)?;
        let mapping = Mapping::borrow(mapping.raw())?;
        let options = ViewOptions::new().access(access).offset(offset).length(bytes as u64).base(base);
        let view = options.map(&mapping)?;
        pages::view_mapped(view.as_ptr().addr(), view.len(), access);
        Ok(view.into_raw())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateFileMappingA(
    file: HANDLE,
    attributes: In<SECURITY_ATTRIBUTES>,
    protect: u32,
    size_high: u32,
    size_low: u32,
    name: In<u8>,
) -> HANDLE {
    create(file, attributes, protect, whole(size_high, size_low), name)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateFileMappingW(
    file: HANDLE,
    attributes: In<SECURITY_ATTRIBUTES>,
    protect: u32,
    size_high: u32,
    size_low: u32,
    name: In<u16>,
) -> HANDLE {
    create(file, attributes, protect, whole(size_high, size_low), name)
}

#[unsafe(no_mangle)]
pub extern "C" fn OpenFileMappingA(access: u32, inherit: Bool, name: In<u8>) -> HANDLE {
    open(access, inherit, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn OpenFileMappingW(access: u32, inherit: Bool, name: In<u16>) -> HANDLE {
    open(access, inherit, name)
}

#[unsafe(no_mangle)]
pub extern "C" fn MapViewOfFile(
    mapping: HANDLE,
    access: u32,
    offset_high: u32,
    offset_low: u32,
    bytes: usize,
) -> *mut c_void {
    map(mapping, access, whole(offset_high, offset_low), bytes, 0)
}

#[unsafe(no_mangle)]
pub extern "C" fn MapViewOfFileEx(
    mapping: HANDLE,
    access: u32,
    offset_high: u32,
    offset_low: u32,
    bytes: usize,
    base: *mut c_void,
) -> *mut c_void {
    map(mapping, access, whole(offset_high, offset_low), bytes, base.addr())
}

/// # Safety
/// The caller uses the view's memory no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn UnmapViewOfFile(base: *const c_void) -> Bool {
    truth(|| {
        pages::view_unmapped(base.addr(), || {
            // SAFETY: the caller's promise.
            unsafe { mapping::unmap(base) }
        })?;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn FlushViewOfFile(base: *const c_void, bytes: usize) -> Bool {
    truth(|| Ok(mapping::flush(base, bytes)?))
}
