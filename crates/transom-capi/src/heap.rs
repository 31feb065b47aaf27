//! Heaps of a program's own: `HeapCreate`. Their blocks lie on C's heap as all others do, and are listed here, so
//! that `HeapDestroy` can end those that the program left.
//!
//! # Safety
//! Exports under fixed names. Blocks of the lists are [`crate::memory`]'s.
#![allow(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

use transom::Code;

use crate::ffi::{Bool, FALSE, HANDLE, TRUE, fail, guard, truth};
use crate::memory;

/// Blocks of each heap, by the heap's handle; numbers, so that threads may share them.
static HEAPS: Mutex<BTreeMap<usize, BTreeSet<usize>>> = Mutex::new(BTreeMap::new());

fn heaps() -> MutexGuard<'static, BTreeMap<usize, BTreeSet<usize>>> {
    HEAPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a handle is a heap's: the process's, or one that the program made.
pub(crate) fn exists(heap: *mut c_void) -> bool {
    heap == memory::heap() || heaps().contains_key(&heap.addr())
}

/// A block was made on a heap.
pub(crate) fn made(heap: *mut c_void, block: *mut c_void) {
    if heap != memory::heap()
        && let Some(blocks) = heaps().get_mut(&heap.addr())
    {
        blocks.insert(block.expose_provenance());
    }
}

/// A block is no longer on a heap, or has moved.
pub(crate) fn gone(heap: *mut c_void, block: *mut c_void) {
    if heap != memory::heap()
        && let Some(blocks) = heaps().get_mut(&heap.addr())
    {
        blocks.remove(&block.addr());
    }
}

/// A handle is the number of a heap, far below every address.
#[unsafe(no_mangle)]
pub extern "C" fn HeapCreate(_options: u32, _initial: usize, _maximum: usize) -> HANDLE {
    guard(HANDLE::NULL, || {
        let mut heaps = heaps();
        let handle = heaps.last_key_value().map_or(0x100, |(last, _)| last + 16);
        heaps.insert(handle, BTreeSet::new());
        Ok(HANDLE::of(transom::handle::RawHandle::new(handle)))
    })
}

/// # Safety
/// The caller uses the heap's blocks no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapDestroy(heap: HANDLE) -> Bool {
    truth(|| {
        let blocks = heaps().remove(&heap.raw().value());
        let Some(blocks) = blocks else { return fail(Code::INVALID_HANDLE) };
        for block in blocks {
            // SAFETY: made by HeapAlloc, not freed since, and given up by the caller.
            unsafe { memory::end(std::ptr::with_exposed_provenance_mut(block)) };
        }
        Ok(())
    })
}

/// There is nothing that could be damaged and be noticed: the heap exists, and a given block is not NULL.
#[unsafe(no_mangle)]
pub extern "C" fn HeapValidate(heap: *mut c_void, _flags: u32, _block: *const c_void) -> Bool {
    if exists(heap) { TRUE } else { FALSE }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{HeapAlloc, HeapFree, HeapReAlloc, HeapSize};

    #[test]
    fn a_heap_of_its_own_ends_with_what_is_on_it() {
        let handle = HeapCreate(0, 0, 0);
        let heap: *mut c_void = std::ptr::without_provenance_mut(handle.raw().value());
        // SAFETY: the blocks are used as their functions say.
        unsafe {
            let first = HeapAlloc(heap, 0, 100);
            let second = HeapAlloc(heap, 0, 100);
            let grown = HeapReAlloc(heap, 0, second, 10_000);
            assert_eq!((HeapSize(heap, 0, first), HeapSize(heap, 0, grown)), (100, 10_000));
            assert_eq!(HeapFree(heap, 0, first), TRUE);
            assert_eq!(HeapValidate(heap, 0, std::ptr::null()), TRUE);
            assert_eq!(HeapDestroy(handle), TRUE);
            assert_eq!(HeapValidate(heap, 0, std::ptr::null()), FALSE);
            assert!(HeapAlloc(heap, 0, 1).is_null());
            assert_eq!(HeapDestroy(handle), FALSE);
        }
    }
}
