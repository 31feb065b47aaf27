//! Handles as such: `CloseHandle`, `DuplicateHandle`, the two flags.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use transom::Code;
use transom::handle::{self, DuplicateOptions, FromHandle, Handle, HandleFlags, RawHandle};
use transom::process::{self, Process};

use crate::ffi::{Bool, HANDLE, Out, fail, truth};
use crate::{file, pending};

/// `HANDLE_FLAG_INHERIT`.
const INHERIT: u32 = 1;
/// `HANDLE_FLAG_PROTECT_FROM_CLOSE`.
const PROTECT_FROM_CLOSE: u32 = 2;
/// `DUPLICATE_CLOSE_SOURCE`.
const CLOSE_SOURCE: u32 = 1;
/// `DUPLICATE_SAME_ACCESS`.
const SAME_ACCESS: u32 = 2;
/// `ERROR_NOT_SAME_OBJECT`.
const NOT_SAME_OBJECT: Code = Code::new(1656);

#[unsafe(no_mangle)]
pub extern "C" fn CloseHandle(object: HANDLE) -> Bool {
    truth(|| {
        handle::close(object.raw())?;
        file::closed(object.raw());
        // What waited on the end of a pipe fails now (P57), and so may what waited on the other end.
        pending::progress();
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn DuplicateHandle(
    source_process: HANDLE,
    source: HANDLE,
    target_process: HANDLE,
    target: Out<HANDLE>,
    access: u32,
    inherit: Bool,
    options: u32,
) -> Bool {
    truth(|| {
        let close_source = options & CLOSE_SOURCE != 0;
        let from = Process::borrow(source_process.raw())?;
        if target_process == HANDLE::NULL && close_source {
            return Ok(handle::close_in(&from, source.raw())?);
        }
        let to = match Process::borrow(target_process.raw()) {
            Ok(to) => to,
            Err(error) => {
                if close_source {
                    // Whatever else happens (H31).
                    let _ = handle::close_in(&from, source.raw());
                }
                return Err(error.into());
            }
        };
        let options = DuplicateOptions {
            access: (options & SAME_ACCESS == 0).then_some(access),
            inherit: inherit != 0,
            close_source,
        };
        let made = handle::duplicate(&from, source.raw(), &to, options)?;
        if close_source && from.id().ok() == Some(process::current_id()) {
            let here = to.id().ok() == Some(process::current_id());
            file::moved(source.raw(), here.then_some(made));
            pending::progress();
        }
        target.put(HANDLE::of(made));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetHandleInformation(object: HANDLE, flags: Out<u32>) -> Bool {
    truth(|| {
        let information = Handle::borrow(object.raw())?.information()?;
        let inherit = if information.inherit { INHERIT } else { 0 };
        let protect = if information.protect_from_close { PROTECT_FROM_CLOSE } else { 0 };
        flags.required()?.put(inherit | protect);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SetHandleInformation(object: HANDLE, mask: u32, flags: u32) -> Bool {
    truth(|| {
        if matches!(object.raw(), RawHandle::CURRENT_PROCESS | RawHandle::CURRENT_THREAD) {
            return fail(Code::ACCESS_DENIED);
        }
        let object = Handle::borrow(object.raw())?;
        let before = object.information()?;
        let flag = |bit: u32, now: bool| if mask & bit != 0 { flags & bit != 0 } else { now };
        let after = HandleFlags {
            inherit: flag(INHERIT, before.inherit),
            protect_from_close: flag(PROTECT_FROM_CLOSE, before.protect_from_close),
        };
        if after != before {
            object.set_information(after)?;
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CompareObjectHandles(first: HANDLE, second: HANDLE) -> Bool {
    truth(|| {
        let first = Handle::borrow(first.raw())?;
        let second = Handle::borrow(second.raw())?;
        if first.same_object(&second) { Ok(()) } else { fail(NOT_SAME_OBJECT) }
    })
}
