//! Values that each thread has for itself: `TlsAlloc` and its like.
//!
//! # Safety
//! Exports under fixed names; the values are the program's, and only kept.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::c_void;
use std::sync::{Mutex, PoisonError};

use transom::Code;

use crate::ffi::{Bool, fail, guard, truth};
use crate::last_error;

/// As many as Windows has.
const MOST: usize = 1088;

/// Which slots are taken, and how often each was, so that a new owner finds no old values.
static TAKEN: Mutex<Vec<(bool, u64)>> = Mutex::new(Vec::new());

thread_local! {
    static VALUES: RefCell<Vec<(u64, usize)>> = const { RefCell::new(Vec::new()) };
}

fn generation(index: usize) -> Option<u64> {
    let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    taken.get(index).filter(|(taken, _)| *taken).map(|(_, generation)| *generation)
}

fn take() -> Option<usize> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let free = taken.iter().position(|(taken, _)| !taken);
    let index = free.unwrap_or(taken.len());
    if index >= MOST {
        return None;
    }
    if index == taken.len() {
        taken.push((false, 0));
    }
    taken[index] = (true, taken[index].1 + 1);
    Some(index)
}

fn give_back(index: usize) -> bool {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    match taken.get_mut(index) {
        Some(slot) if slot.0 => {
            slot.0 = false;
            true
        }
        _ => false,
    }
}

/// The calling thread's value; 0 until it has set one.
fn get(index: usize) -> Option<usize> {
    let now = generation(index)?;
    let value = |values: &RefCell<Vec<(u64, usize)>>| {
        values.borrow().get(index).filter(|(generation, _)| *generation == now).map(|(_, value)| *value)
    };
    // A thread that is ending has none any more.
    Some(VALUES.try_with(value).ok().flatten().unwrap_or(0))
}

fn set(index: usize, value: usize) -> bool {
    let Some(now) = generation(index) else { return false };
    let set = |values: &RefCell<Vec<(u64, usize)>>| {
        let mut values = values.borrow_mut();
        if values.len() <= index {
            values.resize(index + 1, (0, 0));
        }
        values[index] = (now, value);
    };
    VALUES.try_with(set).is_ok()
}

/// `TLS_OUT_OF_INDEXES`.
const OUT_OF_INDEXES: u32 = u32::MAX;

#[unsafe(no_mangle)]
pub extern "C" fn TlsAlloc() -> u32 {
    guard(OUT_OF_INDEXES, || match take() {
        // At most 1088 of them.
        Some(index) => Ok(index as u32),
        // ERROR_NO_MORE_ITEMS.
        None => fail(Code::new(259)),
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn TlsFree(index: u32) -> Bool {
    truth(|| if give_back(index as usize) { Ok(()) } else { fail(Code::INVALID_PARAMETER) })
}

/// Success sets the last error to 0, since NULL may be a value.
#[unsafe(no_mangle)]
pub extern "C" fn TlsGetValue(index: u32) -> *mut c_void {
    guard(std::ptr::null_mut(), || match get(index as usize) {
        Some(value) => {
            last_error::set(Code::SUCCESS);
            Ok(std::ptr::with_exposed_provenance_mut(value))
        }
        None => fail(Code::INVALID_PARAMETER),
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn TlsSetValue(index: u32, value: *mut c_void) -> Bool {
    let value = value.expose_provenance();
    truth(|| if set(index as usize, value) { Ok(()) } else { fail(Code::INVALID_PARAMETER) })
}
