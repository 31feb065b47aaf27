//! Memory of a process by its handle: `ReadProcessMemory` and its like, and the forms of the calls on pages that take
//! a process. Pages are those of this process; only reading and writing reach into others.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::ffi::c_void;

use transom::Code;
use transom::handle::FromHandle;
use transom::process::{self, Process};

use crate::ffi::{Bool, FALSE, Failure, HANDLE, Out, Outcome, fail, guard, truth};
use crate::os;
use crate::pages;
use crate::virtual_memory::{self, MEMORY_BASIC_INFORMATION};

/// Fails unless the handle is one to this process.
fn own(handle: HANDLE) -> Outcome<()> {
    if Process::borrow(handle.raw())?.id()? == process::current_id() {
        Ok(())
    } else {
        fail(Code::NOT_SUPPORTED)
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn VirtualAllocEx(
    process: HANDLE,
    address: *mut c_void,
    size: usize,
    kind: u32,
    protect: u32,
) -> *mut c_void {
    guard(std::ptr::null_mut(), || {
        own(process)?;
        Ok(virtual_memory::VirtualAlloc(address, size, kind, protect))
    })
}

/// # Safety
/// As `VirtualFree`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VirtualFreeEx(
    process: HANDLE,
    address: *mut c_void,
    size: usize,
    kind: u32,
) -> Bool {
    guard(FALSE, || {
        own(process)?;
        // SAFETY: the caller's promise.
        Ok(unsafe { virtual_memory::VirtualFree(address, size, kind) })
    })
}

/// # Safety
/// As `VirtualProtect`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VirtualProtectEx(
    process: HANDLE,
    address: *mut c_void,
    size: usize,
    protect: u32,
    old: Out<u32>,
) -> Bool {
    guard(FALSE, || {
        own(process)?;
        // SAFETY: the caller's promise.
        Ok(unsafe { virtual_memory::VirtualProtect(address, size, protect, old) })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn VirtualQueryEx(
    process: HANDLE,
    address: *const c_void,
    information: Out<MEMORY_BASIC_INFORMATION>,
    length: usize,
) -> usize {
    guard(0, || {
        own(process)?;
        Ok(virtual_memory::VirtualQuery(address, information, length))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn VirtualLock(address: *mut c_void, size: usize) -> Bool {
    truth(|| {
        let wanted = pages::whole_pages(address.addr(), size)?;
        os::lock_pages(wanted.start, wanted.len(), true).map_err(|error| match os::code(&error) {
            Code::NOT_ENOUGH_MEMORY => Failure(Code::new(1453)), // ERROR_WORKING_SET_QUOTA
            code => Failure(code),
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn VirtualUnlock(address: *mut c_void, size: usize) -> Bool {
    truth(|| {
        let wanted = pages::whole_pages(address.addr(), size)?;
        Ok(os::lock_pages(wanted.start, wanted.len(), false)?)
    })
}

/// Copies between this process's memory and another's.
fn transfer(
    process: HANDLE,
    theirs: usize,
    ours: usize,
    size: usize,
    count: Out<usize>,
    write: bool,
) -> Bool {
    truth(|| {
        count.put(0);
        let id = Process::borrow(process.raw())?.id()?;
        // ERROR_PARTIAL_COPY is what Windows says of a range that is not all there.
        let partial = Failure(Code::new(299));
        let done =
            os::copy_memory(id, theirs, ours, size, write).map_err(|error| match os::code(&error) {
                Code::NOACCESS if write => Failure(Code::NOACCESS),
                Code::NOACCESS => partial,
                code => Failure(code),
            })?;
        count.put(done);
        if done < size { Err(partial) } else { Ok(()) }
    })
}

/// # Safety
/// `buffer` has `size` bytes that this process may write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReadProcessMemory(
    process: HANDLE,
    address: *const c_void,
    buffer: *mut c_void,
    size: usize,
    count: Out<usize>,
) -> Bool {
    transfer(process, address.addr(), buffer.addr(), size, count, false)
}

/// # Safety
/// `buffer` has `size` bytes; what is at the address in the other process may become these.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WriteProcessMemory(
    process: HANDLE,
    address: *mut c_void,
    buffer: *const c_void,
    size: usize,
    count: Out<usize>,
) -> Bool {
    transfer(process, address.addr(), buffer.addr(), size, count, true)
}
