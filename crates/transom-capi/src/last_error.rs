//! `GetLastError`: one code for each thread.
//!
//! # Safety
//! Exports under fixed names; nothing here touches a pointer.
#![allow(unsafe_code)]

use std::cell::Cell;

use transom::Code;

thread_local! {
    // Without a destructor, so that it can be used while a thread ends.
    static LAST: Cell<u32> = const { Cell::new(0) };
}

/// Leaves `code` for the calling thread's `GetLastError`.
pub(crate) fn set(code: Code) {
    LAST.set(code.value());
}

#[unsafe(no_mangle)]
pub extern "C" fn GetLastError() -> u32 {
    LAST.get()
}

#[unsafe(no_mangle)]
pub extern "C" fn SetLastError(code: u32) {
    LAST.set(code);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_way_through_a_failing_call() {
        for code in Code::all().iter().copied().chain([Code::new(0xDEAD_BEEF)]) {
            crate::ffi::truth(|| Err(transom::Error::new("test", code).into()));
            assert_eq!(GetLastError(), code.value());
        }
    }

    #[test]
    fn threads_do_not_see_each_others_error() {
        SetLastError(5);
        let other = std::thread::spawn(|| {
            let first = GetLastError();
            SetLastError(6);
            first
        });
        assert_eq!(other.join().expect("the thread does nothing but look"), 0);
        assert_eq!(GetLastError(), 5);
    }
}
