//! Blocks of memory: `GlobalAlloc` and `LocalAlloc` with their like, and the process's heap.
//!
//! Everything lies on C's heap. Global and local blocks are also in a table, because their handles have to be
//! told from other values: a fixed block's handle is its address, a moveable one's is not. Blocks of the heap
//! are not; their size stands in front of them:
//!
//! ```text
//!   heap block    size usize │ room usize │ the program's bytes …        16-byte aligned
//! ```
//!
//! # Safety
//! B1. A block in the table was made by [`allocate`] with the room it says. B2. What `HeapAlloc` gave has the
//! two words above in front; that C gives nothing else back is its promise.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

use transom::Code;

use crate::ffi::{Bool, FALSE, Failure, HANDLE, Outcome, TRUE, fail, guard, truth};
use crate::{heap, last_error};

/// Blocks fit any type.
const ALIGNMENT: usize = 16;
/// `GMEM_MOVEABLE`, `LMEM_MOVEABLE`.
const MOVEABLE: u32 = 0x0002;
/// `GMEM_ZEROINIT`, `LMEM_ZEROINIT`.
const ZEROINIT: u32 = 0x0040;
/// `GMEM_MODIFY`.
const MODIFY: u32 = 0x0080;
/// `HEAP_ZERO_MEMORY`.
const HEAP_ZERO_MEMORY: u32 = 0x0008;
/// `HEAP_REALLOC_IN_PLACE_ONLY`.
const HEAP_IN_PLACE_ONLY: u32 = 0x0010;
/// `ERROR_NOT_LOCKED`.
const NOT_LOCKED: Code = Code::new(158);

fn layout(room: usize) -> Option<Layout> {
    Layout::from_size_align(room.max(1), ALIGNMENT).ok()
}

/// Memory from C's heap; `None` if there is none.
fn allocate(room: usize, zero: bool) -> Option<*mut u8> {
    let layout = layout(room)?;
    // SAFETY: the layout has at least one byte.
    let memory = unsafe { if zero { System.alloc_zeroed(layout) } else { System.alloc(layout) } };
    (!memory.is_null()).then_some(memory)
}

/// # Safety
/// `memory` is what [`allocate`] gave for `room`, and nothing uses it any more.
unsafe fn free(memory: *mut u8, room: usize) {
    if let Some(layout) = layout(room) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) };
    }
}

/// # Safety
/// `memory` is what [`allocate`] gave for `before`; after success nothing uses it any more.
unsafe fn resize(memory: *mut u8, before: usize, now: usize) -> Option<*mut u8> {
    let old = layout(before)?;
    let new = layout(now)?;
    // SAFETY: the caller's promise; the new layout has at least one byte.
    let memory = unsafe { System.realloc(memory, old, new.size()) };
    (!memory.is_null()).then_some(memory)
}

/// A global or local block.
#[derive(Debug)]
struct Block {
    /// Where the bytes are; a number, so that the table may be shared by threads.
    address: usize,
    /// What the program asked for.
    size: usize,
    /// What was allocated.
    room: usize,
    /// For moveable blocks: how often it is locked.
    locks: Option<u32>,
}

impl Block {
    fn pointer(&self) -> *mut u8 {
        std::ptr::with_exposed_provenance_mut(self.address)
    }
}

#[derive(Debug)]
struct Blocks {
    by_handle: BTreeMap<usize, Block>,
    /// The next handle of a moveable block. Odd multiples of 8 are no addresses of blocks, which are
    /// multiples of 16, and so high up no address of anything.
    next_moveable: usize,
}

static BLOCKS: Mutex<Blocks> =
    Mutex::new(Blocks { by_handle: BTreeMap::new(), next_moveable: usize::MAX - 7 });

fn blocks() -> MutexGuard<'static, Blocks> {
    BLOCKS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Blocks {
    fn add(&mut self, block: Block) -> usize {
        let handle = match block.locks {
            None => block.address,
            Some(_) => {
                self.next_moveable -= 16;
                self.next_moveable
            }
        };
        self.by_handle.insert(handle, block);
        handle
    }

    fn find(&mut self, handle: HANDLE) -> Outcome<&mut Block> {
        self.by_handle.get_mut(&handle.raw().value()).ok_or(Failure(Code::INVALID_HANDLE))
    }
}

/// A pointer to a block, for C; or the handle of a moveable one.
fn given(handle: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(handle)
}

fn make(flags: u32, size: usize) -> *mut c_void {
    guard(std::ptr::null_mut(), || {
        let memory = allocate(size, flags & ZEROINIT != 0).ok_or(Failure(Code::NOT_ENOUGH_MEMORY))?;
        let locks = (flags & MOVEABLE != 0).then_some(0);
        let block = Block { address: memory.expose_provenance(), size, room: size, locks };
        Ok(given(blocks().add(block)))
    })
}

/// A fixed block with these bytes, which C frees with `LocalFree`.
pub(crate) fn local(bytes: &[u8]) -> Outcome<*mut c_void> {
    let memory = allocate(bytes.len(), false).ok_or(Failure(Code::NOT_ENOUGH_MEMORY))?;
    // SAFETY: the block was made just now, with room for these bytes.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), memory, bytes.len()) };
    let size = bytes.len();
    let block = Block { address: memory.expose_provenance(), size, room: size, locks: None };
    Ok(given(blocks().add(block)))
}

/// Frees a block by its handle; false if there is none.
pub(crate) fn local_free(handle: usize) -> bool {
    match blocks().by_handle.remove(&handle) {
        Some(block) => {
            // SAFETY: the block is out of the table (B1), and the program has given it up.
            unsafe { free(block.pointer(), block.room) };
            true
        }
        None => false,
    }
}

/// `GlobalFree` and `LocalFree`: NULL when done, the handle itself when not.
fn free_block(handle: HANDLE) -> HANDLE {
    guard(handle, || {
        if handle == HANDLE::NULL || local_free(handle.raw().value()) {
            Ok(HANDLE::NULL)
        } else {
            fail(Code::INVALID_HANDLE)
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GlobalAlloc(flags: u32, size: usize) -> *mut c_void {
    make(flags, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn LocalAlloc(flags: u32, size: usize) -> *mut c_void {
    make(flags, size)
}

/// # Safety
/// The caller uses the block no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GlobalFree(handle: HANDLE) -> HANDLE {
    free_block(handle)
}

/// # Safety
/// The caller uses the block no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LocalFree(handle: HANDLE) -> HANDLE {
    free_block(handle)
}

/// # Safety
/// The caller uses the old address of the block no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GlobalReAlloc(handle: HANDLE, size: usize, flags: u32) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { change(handle, size, flags) }
}

/// # Safety
/// The caller uses the old address of the block no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LocalReAlloc(handle: HANDLE, size: usize, flags: u32) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { change(handle, size, flags) }
}

/// # Safety
/// The caller uses the old address of the block no more.
unsafe fn change(handle: HANDLE, size: usize, flags: u32) -> *mut c_void {
    guard(std::ptr::null_mut(), || {
        let mut blocks = blocks();
        let block = blocks.find(handle)?;
        if flags & MODIFY != 0 {
            // There is nothing about a block that could be changed besides its size.
            return Ok(given(handle.raw().value()));
        }
        let locked = block.locks.is_some_and(|locks| locks > 0);
        if size > block.room && locked && flags & MOVEABLE == 0 {
            // Somebody holds its address.
            return fail(Code::NOT_ENOUGH_MEMORY);
        }
        if size > block.room {
            // SAFETY: a block of the table (B1); C gives the old address up.
            let grown = unsafe { resize(block.pointer(), block.room, size) };
            block.address = grown.ok_or(Failure(Code::NOT_ENOUGH_MEMORY))?.expose_provenance();
            block.room = size;
        }
        if flags & ZEROINIT != 0 && size > block.size {
            // SAFETY: the bytes behind the old size lie in the room of the block.
            unsafe { block.pointer().add(block.size).write_bytes(0, size - block.size) };
        }
        block.size = size;
        if block.locks.is_some() || block.address == handle.raw().value() {
            return Ok(given(handle.raw().value()));
        }
        let moved = blocks.by_handle.remove(&handle.raw().value()).ok_or(Failure(Code::INVALID_HANDLE))?;
        Ok(given(blocks.add(moved)))
    })
}

fn lock(handle: HANDLE) -> *mut c_void {
    guard(std::ptr::null_mut(), || {
        let mut blocks = blocks();
        let block = blocks.find(handle)?;
        if let Some(locks) = &mut block.locks {
            *locks = locks.saturating_add(1);
        }
        Ok(given(block.address))
    })
}

fn unlock(handle: HANDLE) -> Bool {
    guard(FALSE, || {
        let mut blocks = blocks();
        match &mut blocks.find(handle)?.locks {
            None => Ok(TRUE),
            Some(0) => fail(NOT_LOCKED),
            Some(locks) => {
                *locks -= 1;
                if *locks > 0 {
                    return Ok(TRUE);
                }
                last_error::set(Code::SUCCESS);
                Ok(FALSE)
            }
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GlobalLock(handle: HANDLE) -> *mut c_void {
    lock(handle)
}

#[unsafe(no_mangle)]
pub extern "C" fn LocalLock(handle: HANDLE) -> *mut c_void {
    lock(handle)
}

#[unsafe(no_mangle)]
pub extern "C" fn GlobalUnlock(handle: HANDLE) -> Bool {
    unlock(handle)
}

#[unsafe(no_mangle)]
pub extern "C" fn LocalUnlock(handle: HANDLE) -> Bool {
    unlock(handle)
}

fn size(handle: HANDLE) -> usize {
    guard(0, || Ok(blocks().find(handle)?.size))
}

#[unsafe(no_mangle)]
pub extern "C" fn GlobalSize(handle: HANDLE) -> usize {
    size(handle)
}

#[unsafe(no_mangle)]
pub extern "C" fn LocalSize(handle: HANDLE) -> usize {
    size(handle)
}

/// The handle of the process's heap is the address of this; others are [`crate::heap`]'s.
static HEAP: u8 = 0;

pub(crate) fn heap() -> *mut c_void {
    std::ptr::from_ref(&HEAP).cast_mut().cast()
}

/// The words in front of a heap block.
const HEADER: usize = 16;

/// Room for a block of so many bytes with its header.
fn heap_room(size: usize) -> Option<usize> {
    size.checked_add(HEADER)
}

/// Writes the two words in front of a block, and gives the place behind them.
///
/// # Safety
/// `memory` has `room` bytes, 16 at least, and is aligned to 16.
unsafe fn begin(memory: *mut u8, size: usize, room: usize) -> *mut c_void {
    let words = memory.cast::<usize>();
    // SAFETY: the caller's promise.
    unsafe {
        words.write(size);
        words.add(1).write(room);
        memory.add(HEADER).cast()
    }
}

/// Where a heap block begins, its size and its room.
///
/// # Safety
/// `block` is what `HeapAlloc` gave.
unsafe fn begun(block: *const c_void) -> (*mut u8, usize, usize) {
    let memory = block.cast_mut().cast::<u8>();
    // SAFETY: B2.
    unsafe {
        let memory = memory.sub(HEADER);
        let words = memory.cast::<usize>();
        (memory, words.read(), words.add(1).read())
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn GetProcessHeap() -> *mut c_void {
    heap()
}

/// Failure leaves the last error alone, as on Windows.
#[unsafe(no_mangle)]
pub extern "C" fn HeapAlloc(owner: *mut c_void, flags: u32, size: usize) -> *mut c_void {
    let made = || {
        let room = heap_room(size).filter(|_| heap::exists(owner))?;
        let memory = allocate(room, flags & HEAP_ZERO_MEMORY != 0)?;
        // SAFETY: the block was made just now.
        let block = unsafe { begin(memory, size, room) };
        heap::made(owner, block);
        Some(block)
    };
    made().unwrap_or(std::ptr::null_mut())
}

/// # Safety
/// `block` is NULL or from `HeapAlloc`; after success the caller uses the old address no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapReAlloc(
    owner: *mut c_void,
    flags: u32,
    block: *mut c_void,
    size: usize,
) -> *mut c_void {
    let made = || {
        let wanted = heap_room(size).filter(|_| heap::exists(owner) && !block.is_null())?;
        // SAFETY: the caller's promise (B2).
        let (memory, before, room) = unsafe { begun(block) };
        let (memory, room) = if wanted <= room {
            (memory, room)
        } else if flags & HEAP_IN_PLACE_ONLY != 0 {
            return None;
        } else {
            // SAFETY: as above; the caller gives the old address up.
            let moved = unsafe { resize(memory, room, wanted) }?;
            heap::gone(owner, block);
            // SAFETY: the block has room for its header.
            heap::made(owner, unsafe { moved.add(HEADER) }.cast());
            (moved, wanted)
        };
        // SAFETY: the block has `room` bytes, of which the new ones lie behind the old.
        unsafe {
            if flags & HEAP_ZERO_MEMORY != 0 && size > before {
                memory.add(HEADER + before).write_bytes(0, size - before);
            }
            Some(begin(memory, size, room))
        }
    };
    made().unwrap_or(std::ptr::null_mut())
}

/// # Safety
/// `block` is NULL or from `HeapAlloc`, and the caller uses it no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapFree(owner: *mut c_void, _flags: u32, block: *mut c_void) -> Bool {
    truth(|| {
        if !heap::exists(owner) {
            return fail(Code::INVALID_HANDLE);
        }
        if !block.is_null() {
            heap::gone(owner, block);
            // SAFETY: the caller's promise.
            unsafe { end(block) };
        }
        Ok(())
    })
}

/// Frees a block of a heap.
///
/// # Safety
/// `block` is from `HeapAlloc` (B2), and nothing uses it any more.
pub(crate) unsafe fn end(block: *mut c_void) {
    // SAFETY: the caller's promise.
    unsafe {
        let (memory, _, room) = begun(block);
        free(memory, room);
    }
}

/// # Safety
/// `block` is NULL or from `HeapAlloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapSize(owner: *mut c_void, _flags: u32, block: *const c_void) -> usize {
    if !heap::exists(owner) || block.is_null() {
        return usize::MAX;
    }
    // SAFETY: the caller's promise (B2).
    let (_, size, _) = unsafe { begun(block) };
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(pointer: *mut c_void) -> HANDLE {
        HANDLE::of(transom::handle::RawHandle::new(pointer.addr()))
    }

    #[test]
    fn a_moveable_block_is_reached_by_locking_and_a_fixed_one_directly() {
        let moveable = GlobalAlloc(MOVEABLE | ZEROINIT, 100);
        let address = GlobalLock(handle(moveable));
        assert_ne!(address, moveable);
        assert_eq!(GlobalSize(handle(moveable)), 100);
        assert_eq!(GlobalUnlock(handle(moveable)), FALSE);
        assert_eq!(last_error::GetLastError(), 0);
        assert_eq!(GlobalUnlock(handle(moveable)), FALSE);
        assert_eq!(last_error::GetLastError(), NOT_LOCKED.value());
        let fixed = GlobalAlloc(0, 1);
        assert_eq!(GlobalLock(handle(fixed)), fixed);
        assert_eq!(GlobalUnlock(handle(fixed)), TRUE);
        // SAFETY: nothing uses the blocks any more.
        unsafe {
            assert_eq!(GlobalFree(handle(moveable)), HANDLE::NULL);
            assert_eq!(GlobalFree(handle(fixed)), HANDLE::NULL);
            assert_eq!(GlobalFree(handle(fixed)), handle(fixed));
        }
        assert_eq!(last_error::GetLastError(), Code::INVALID_HANDLE.value());
        assert_eq!(GlobalSize(handle(address)), 0);
    }

    #[test]
    fn growing_keeps_what_was_there_and_clears_the_rest() {
        let block = make(0, 4);
        let bytes = block.cast::<u8>();
        // SAFETY: the block has four bytes, then 100000; the old address is not used after it grew.
        unsafe {
            bytes.copy_from_nonoverlapping([1, 2, 3, 4].as_ptr(), 4);
            let grown = GlobalReAlloc(handle(block), 100_000, MOVEABLE | ZEROINIT);
            let bytes = std::slice::from_raw_parts(grown.cast::<u8>(), 100_000);
            assert_eq!(bytes[..4], [1, 2, 3, 4]);
            assert!(bytes[4..].iter().all(|byte| *byte == 0));
            assert_eq!(GlobalSize(handle(grown)), 100_000);
            assert_eq!(LocalFree(handle(grown)), HANDLE::NULL);
        }
    }

    #[test]
    fn heap_blocks_know_the_size_asked_for() {
        // SAFETY: the blocks are used as their functions say.
        unsafe {
            let block = HeapAlloc(heap(), HEAP_ZERO_MEMORY, 10);
            assert_eq!(HeapSize(heap(), 0, block), 10);
            assert_eq!(block.cast::<[u8; 10]>().read(), [0; 10]);
            assert_eq!(HeapReAlloc(heap(), HEAP_IN_PLACE_ONLY, block, 1_000_000), std::ptr::null_mut());
            assert_eq!(HeapReAlloc(heap(), HEAP_IN_PLACE_ONLY, block, 4), block);
            let grown = HeapReAlloc(heap(), HEAP_ZERO_MEMORY, block, 50_000);
            assert_eq!(HeapSize(heap(), 0, grown), 50_000);
            assert_eq!(grown.cast::<[u8; 10]>().read(), [0; 10]);
            assert_eq!(HeapFree(std::ptr::null_mut(), 0, grown), FALSE);
            assert_eq!(HeapFree(heap(), 0, grown), TRUE);
            assert_eq!(HeapFree(heap(), 0, std::ptr::null_mut()), TRUE);
            assert_eq!(HeapSize(heap(), 0, std::ptr::null()), usize::MAX);
        }
    }
}
