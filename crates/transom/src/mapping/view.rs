//! Views: a section's bytes in this process's address space (`MapViewOfFile`).
//!
//! ```text
//!   section   0        64 KiB      128 KiB                              size
//!             ├─────────┼───────────┼──────────────────────────────────────┤
//!   view      ·         offset ├────────────── len ──────────────┤         ·
//!   memory    ·                base (a multiple of 64 KiB)       ·         ·
//! ```
//!
//! # Reading and writing
//! Other processes, and other views of this one, may change the bytes at any moment. So the safe calls never
//! make a reference to them. They copy in and out ([`View::read`], [`View::write`], [`View::read_value`]…), or
//! access one aligned word ([`View::load_u32`], [`View::store_u32`], [`View::atomic_u32`]…). What a copy gives
//! while somebody writes is a mixture of old and new bytes, never undefined behaviour; the reasons are in
//! `racing.rs`. Copies have no ordering of their own: a wait that succeeded, an acquired mutex or an
//! acquire load before them makes them see what was stored before the signal.
//!
//! # Invariants
//! V1. `base .. base + len` is mapped from `map` to `unmap`, and this value unmaps it, once, when it is
//!     dropped ([`View::into_raw`] gives that duty away).
//! V2. `access` says what the memory allows, as the mapping call was told. The safe calls check it first, so
//!     they answer ERROR_ACCESS_DENIED where a raw pointer would fault (M6).
//! V3. A file that a peer cuts short under the view never ends this process: the pages behind the cut become
//!     private zeroes, and the token stops being intact. Every copy asks the token *after* it copied, so
//!     zeroes that were never in the section are not handed out as data.
//!
//! # Safety
//! Pointers are made from `base` and an offset that was checked against `len`; by V1 they are valid as long
//! as the view is borrowed.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fmt;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64};

use transom_core::access::FILE_MAP_WRITE;
use transom_core::mapping::{Protection, ViewAccess, view_mode};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::{Mapping, imp};
use crate::error::{Code, Error, Result};
use crate::handle::AsHandle;
use crate::racing;

/// How a view is mapped (`MapViewOfFile`, `MapViewOfFileEx`).
#[derive(Debug, Clone, Copy)]
pub struct ViewOptions {
    pub(crate) access: u32,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    pub(crate) base: usize,
}

impl Default for ViewOptions {
    fn default() -> ViewOptions {
        ViewOptions::new()
    }
}

impl ViewOptions {
    /// A view of the whole section for reading and writing, at any address.
    #[must_use]
    pub fn new() -> ViewOptions {
        ViewOptions { access: FILE_MAP_WRITE, offset: 0, length: 0, base: 0 }
    }

    /// What the view allows: `FILE_MAP_` bits (`dwDesiredAccess`). Default `FILE_MAP_WRITE`, which reads too
    /// (M2); `FILE_MAP_READ`; `FILE_MAP_COPY` for private changes (M29); 0 for a view nobody can touch (M4).
    #[must_use]
    pub fn access(mut self, access: u32) -> ViewOptions {
        self.access = access;
        self
    }

    /// Where in the section the view begins, in bytes: a multiple of 65536 (M19). Default 0.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> ViewOptions {
        self.offset = offset;
        self
    }

    /// How many bytes it shows (`dwNumberOfBytesToMap`): any number; 0, the default, is up to the end of the
    /// section (M20).
    #[must_use]
    pub fn length(mut self, length: u64) -> ViewOptions {
        self.length = length;
        self
    }

    /// The address it must have (`lpBaseAddress`): a multiple of 65536, taken exactly or not at all (M25).
    /// 0, the default, is any address.
    #[must_use]
    pub fn base(mut self, base: usize) -> ViewOptions {
        self.base = base;
        self
    }

    /// `MapViewOfFileEx`: maps the view. The mapping may be dropped afterwards (M23).
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle or the section's protection forbids the access (M1); offset and
    /// length reach beyond the section.
    /// `ERROR_MAPPED_ALIGNMENT` (1132): offset or base is no multiple of 65536.
    /// `ERROR_INVALID_ADDRESS` (487): the base is taken.
    /// `ERROR_NOT_ENOUGH_MEMORY` (8): no address space. `ERROR_INVALID_HANDLE` (6).
    #[doc(alias = "MapViewOfFile")]
    #[doc(alias = "MapViewOfFileEx")]
    pub fn map(&self, mapping: &Mapping) -> Result<View> {
        let raw = imp::map(mapping.as_handle(), self)?;
        // The system has accepted the access; this only tells what it meant.
        let mode = view_mode(Protection::ExecuteReadWrite, u32::MAX, self.access);
        let access = mode.map_or(ViewAccess::None, |mode| mode.access);
        let base = std::ptr::with_exposed_provenance_mut(raw.base);
        Ok(View { base, len: raw.len, access, token: raw.token })
    }
}

/// A mapped view of a section; dropping it is `UnmapViewOfFile`.
///
/// All offsets are bytes from the beginning of the *view*. A range that does not lie within the view is
/// `ERROR_INVALID_PARAMETER` (87) in every call, and so is an offset that is not a multiple of the word's
/// size in those that access a word.
///
/// All reading calls may fail with `ERROR_ACCESS_DENIED` (5) if the view was mapped with access 0, all
/// writing ones if it is not writable, and all copying ones with `ERROR_FILE_INVALID` (1006) if somebody cut
/// the file behind the view short ([`View::is_intact`]).
pub struct View {
    base: *mut u8,
    len: usize,
    access: ViewAccess,
    token: imp::ViewToken,
}

// SAFETY: a view is an address range that belongs to the process, not to a thread (V1). All safe access to
// it is by copies and atomics, which may race (racing.rs), so sharing `&View` between threads adds nothing
// that other processes could not do anyway.
unsafe impl Send for View {}
// SAFETY: as for Send.
unsafe impl Sync for View {}

impl View {
    /// Bytes of the view: what was asked for, or up to the end of the section. The last page is mapped to its
    /// end (M20), but counts only up to here.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Always false: there are no views of 0 bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The address of the first byte. It means nothing in other processes (M57).
    ///
    /// What is done through it is the caller's business: a store through a view that is not writable is a
    /// fault of the process (M6).
    #[must_use]
    pub fn as_ptr(&self) -> *mut u8 {
        self.base
    }

    /// Whether the view can be written: `FILE_MAP_WRITE`, or `FILE_MAP_COPY` with private changes.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        matches!(self.access, ViewAccess::Write | ViewAccess::Copy)
    }

    /// Whether changes stay private to this view (`FILE_MAP_COPY`, M29–M31).
    #[must_use]
    pub fn is_copy_on_write(&self) -> bool {
        self.access == ViewAccess::Copy
    }

    /// Whether all bytes of the view are still those of the section. It becomes false, for good, when a peer
    /// cuts short the file behind it; from then on copies fail with `ERROR_FILE_INVALID` (1006), and words
    /// behind the cut read as zero. Memory without a file is intact for ever, on Windows every view is.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.token.intact()
    }

    /// Copies bytes out of the view.
    ///
    /// # Errors
    /// 87, 5, 1006: see [`View`]. After an error the buffer holds anything.
    pub fn read(&self, offset: usize, buffer: &mut [u8]) -> Result<()> {
        let from = self.readable(READ, offset, buffer.len())?;
        // SAFETY: the range lies in the view (V1), and the buffer is the caller's alone, so not in it.
        unsafe { racing::copy_out(from, buffer.as_mut_ptr(), buffer.len()) };
        self.check_intact(READ)
    }

    /// Copies `len` bytes out of the view.
    ///
    /// # Errors
    /// 87, 5, 1006: see [`View`]. Nothing is allocated for a range that is not in the view.
    pub fn read_to_vec(&self, offset: usize, len: usize) -> Result<Vec<u8>> {
        let from = self.readable(READ, offset, len)?;
        let mut bytes = Vec::with_capacity(len);
        // SAFETY: the range lies in the view (V1); the vector has room for `len` bytes, all of which are
        // written before its length says so.
        unsafe {
            racing::copy_out(from, bytes.as_mut_ptr(), len);
            bytes.set_len(len);
        }
        self.check_intact(READ)?;
        Ok(bytes)
    }

    /// Copies bytes into the view.
    ///
    /// # Errors
    /// 87, 5, 1006: see [`View`]. Nothing is written after 87 and 5.
    pub fn write(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        let to = self.writable(WRITE, offset, bytes.len())?;
        // SAFETY: the range lies in the view and the memory is writable (V1, V2); `bytes` is a shared
        // reference, so it does not lie in a view, whose bytes others may change.
        unsafe { racing::copy_in(bytes.as_ptr(), to, bytes.len()) };
        self.check_intact(WRITE)
    }

    /// Sets `len` bytes to `byte`.
    ///
    /// # Errors
    /// 87, 5, 1006: see [`View`]. Nothing is written after 87 and 5.
    pub fn fill(&self, offset: usize, len: usize, byte: u8) -> Result<()> {
        let to = self.writable(FILL, offset, len)?;
        // SAFETY: the range lies in the view and the memory is writable (V1, V2).
        unsafe { racing::fill(to, byte, len) };
        self.check_intact(FILL)
    }

    /// Copies a value of plain data out of the view; `offset` need not be aligned. While somebody writes the
    /// value it may be half old and half new: see [`Guarded`](super::Guarded).
    ///
    /// # Errors
    /// 87, 5, 1006: see [`View`].
    pub fn read_value<T: FromBytes>(&self, offset: usize) -> Result<T> {
        let from = self.readable(READ, offset, size_of::<T>())?;
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: the range lies in the view (V1), and `value` has room for a T.
        unsafe { racing::copy_out(from, value.as_mut_ptr().cast(), size_of::<T>()) };
        self.check_intact(READ)?;
        // SAFETY: every byte of `value` was written, and FromBytes says that any bytes are a T.
        Ok(unsafe { value.assume_init() })
    }

    /// Copies a value of plain data into the view; `offset` need not be aligned.
    ///
    /// # Errors
    /// 87, 5, 1006: see [`View`]. Nothing is written after 87 and 5.
    pub fn write_value<T: IntoBytes + Immutable + ?Sized>(&self, offset: usize, value: &T) -> Result<()> {
        self.write(offset, value.as_bytes())
    }

    /// The byte at `offset` as an atomic, for interlocked operations between processes (M28).
    ///
    /// # Errors
    /// 87, and 5 if the view is not writable: see [`View`].
    pub fn atomic_u8(&self, offset: usize) -> Result<&AtomicU8> {
        self.atomic(offset)
    }

    /// The four bytes at `offset`, a multiple of 4, as an atomic: what `InterlockedIncrement` and its like
    /// work on, in any process (M28).
    ///
    /// # Errors
    /// 87, and 5 if the view is not writable: see [`View`].
    #[doc(alias = "InterlockedIncrement")]
    pub fn atomic_u32(&self, offset: usize) -> Result<&AtomicU32> {
        self.atomic(offset)
    }

    /// The eight bytes at `offset`, a multiple of 8, as an atomic (`InterlockedIncrement64`…, M28).
    ///
    /// # Errors
    /// 87, and 5 if the view is not writable: see [`View`].
    pub fn atomic_u64(&self, offset: usize) -> Result<&AtomicU64> {
        self.atomic(offset)
    }

    /// Reads one byte; see [`View::load_u32`].
    ///
    /// # Errors
    /// 87, 5: see [`View`].
    pub fn load_u8(&self, offset: usize) -> Result<u8> {
        Ok(self.word::<AtomicU8>(offset)?.load(Relaxed))
    }

    /// Reads an aligned 16-bit word; see [`View::load_u32`].
    ///
    /// # Errors
    /// 87, 5: see [`View`].
    pub fn load_u16(&self, offset: usize) -> Result<u16> {
        Ok(self.word::<AtomicU16>(offset)?.load(Relaxed))
    }

    /// Reads an aligned 32-bit word in one access, as a C program does through `volatile LONG *`: never torn,
    /// in no order with other accesses. Works on read-only views too.
    ///
    /// # Errors
    /// 87, 5: see [`View`].
    #[doc(alias = "volatile")]
    pub fn load_u32(&self, offset: usize) -> Result<u32> {
        Ok(self.word::<AtomicU32>(offset)?.load(Relaxed))
    }

    /// Reads an aligned 64-bit word; see [`View::load_u32`].
    ///
    /// # Errors
    /// 87, 5: see [`View`].
    pub fn load_u64(&self, offset: usize) -> Result<u64> {
        Ok(self.word::<AtomicU64>(offset)?.load(Relaxed))
    }

    /// Writes one byte; see [`View::store_u32`].
    ///
    /// # Errors
    /// 87, 5: see [`View`].
    pub fn store_u8(&self, offset: usize, value: u8) -> Result<()> {
        self.atomic::<AtomicU8>(offset)?.store(value, Relaxed);
        Ok(())
    }

    /// Writes an aligned 16-bit word; see [`View::store_u32`].
    ///
    /// # Errors
    /// 87, 5: see [`View`].
    pub fn store_u16(&self, offset: usize, value: u16) -> Result<()> {
        self.atomic::<AtomicU16>(offset)?.store(value, Relaxed);
        Ok(())
    }

    /// Writes an aligned 32-bit word in one access, as a C program does through `volatile LONG *`: never seen
    /// torn, in no order with other accesses.
    ///
    /// # Errors
    /// 87, 5: see [`View`].
    #[doc(alias = "volatile")]
    pub fn store_u32(&self, offset: usize, value: u32) -> Result<()> {
        self.atomic::<AtomicU32>(offset)?.store(value, Relaxed);
        Ok(())
    }

    /// Writes an aligned 64-bit word; see [`View::store_u32`].
    ///
    /// # Errors
    /// 87, 5: see [`View`].
    pub fn store_u64(&self, offset: usize, value: u64) -> Result<()> {
        self.atomic::<AtomicU64>(offset)?.store(value, Relaxed);
        Ok(())
    }

    /// `FlushViewOfFile`: starts writing the changed pages of `len` bytes from `offset` to the file; `len` 0
    /// is up to the end of the view. Does not wait for the disk (M49); memory without a file succeeds.
    ///
    /// # Errors
    /// 87: see [`View`]. What the file system reports: `ERROR_DISK_FULL` (112), `ERROR_WRITE_FAULT` (29).
    #[doc(alias = "FlushViewOfFile")]
    pub fn flush(&self, offset: usize, len: usize) -> Result<()> {
        let len = if len == 0 { self.len.saturating_sub(offset) } else { len };
        let at = self.range("flush view", offset, len)?;
        if len == 0 {
            // Only an offset at the very end comes here; the system would take 0 for "all".
            return Ok(());
        }
        imp::flush(at as usize, len)
    }

    /// The bytes as a slice.
    ///
    /// # Safety
    /// The view must not be one of access 0, and as long as the slice lives nobody may write these bytes: no
    /// process, no other view, nobody who cuts the file short.
    #[must_use]
    pub unsafe fn as_slice(&self) -> &[u8] {
        // SAFETY: the range is mapped (V1); the caller promises that it is readable and unchanging.
        unsafe { std::slice::from_raw_parts(self.base, self.len) }
    }

    /// The bytes as a slice to be written.
    ///
    /// # Safety
    /// The view must be writable, and as long as the slice lives nobody else may read or write these bytes.
    #[must_use]
    pub unsafe fn as_mut_slice(&mut self) -> &mut [u8] {
        // SAFETY: the range is mapped (V1); the caller promises that it is writable and nobody else's.
        unsafe { std::slice::from_raw_parts_mut(self.base, self.len) }
    }

    /// Gives the view up: it stays mapped until somebody unmaps its address ([`unmap`](super::unmap)), or to
    /// the end of the process.
    #[must_use]
    pub fn into_raw(self) -> *mut c_void {
        let mut view = ManuallyDrop::new(self);
        let base = view.base.cast();
        // SAFETY: the value is not used again, and not dropped as a whole, so its token is dropped once.
        unsafe { std::ptr::drop_in_place(&raw mut view.token) };
        base
    }

    /// The address of `offset`, if the `len` bytes from there lie in the view.
    fn range(&self, operation: &'static str, offset: usize, len: usize) -> Result<*mut u8> {
        match offset.checked_add(len) {
            // In bounds of the mapped range, so the address neither wraps nor leaves it.
            Some(end) if end <= self.len => Ok(self.base.wrapping_add(offset)),
            _ => Err(Error::new(operation, Code::INVALID_PARAMETER)),
        }
    }

    fn readable(&self, operation: &'static str, offset: usize, len: usize) -> Result<*const u8> {
        let at = self.range(operation, offset, len)?;
        match self.access {
            ViewAccess::None => Err(Error::new(operation, Code::ACCESS_DENIED)),
            _ => Ok(at.cast_const()),
        }
    }

    fn writable(&self, operation: &'static str, offset: usize, len: usize) -> Result<*mut u8> {
        let at = self.range(operation, offset, len)?;
        if self.is_writable() { Ok(at) } else { Err(Error::new(operation, Code::ACCESS_DENIED)) }
    }

    /// The word at `offset`, for anything.
    fn atomic<W: Word>(&self, offset: usize) -> Result<&W> {
        self.writable(WORD, offset, size_of::<W>())?;
        self.word(offset)
    }

    /// The word at `offset`, which may lie in read-only memory: for relaxed loads.
    fn word<W: Word>(&self, offset: usize) -> Result<&W> {
        let at = self.readable(WORD, offset, size_of::<W>())?.cast::<W>();
        if !at.is_aligned() {
            return Err(Error::new(WORD, Code::INVALID_PARAMETER));
        }
        // SAFETY: the range lies in the view (V1), which outlives the borrow of self, and is aligned; an
        // atomic may be changed by anyone. Relaxed loads of at most a machine word are allowed on read-only
        // memory (std::sync::atomic), and callers of `word` make no other use of one there.
        Ok(unsafe { &*at })
    }

    /// To be asked after a copy (V3).
    fn check_intact(&self, operation: &'static str) -> Result<()> {
        if self.token.intact() { Ok(()) } else { Err(Error::new(operation, Code::FILE_INVALID)) }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: the view is this value's own (V1), and nothing borrows from it any more. A failure means
        // that somebody unmapped the address by hand, which was unsafe and theirs to answer for.
        let _ = unsafe { imp::unmap(self.base as usize) };
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("base", &self.base)
            .field("len", &self.len)
            .field("access", &self.access)
            .finish()
    }
}

/// What the calls are called in errors.
const READ: &str = "read view";
const WRITE: &str = "write view";
const FILL: &str = "fill view";
const WORD: &str = "access word of view";

/// The atomics that a view hands out: integers of at most 8 bytes, for which any bytes are a value.
trait Word {}

impl Word for AtomicU8 {}
impl Word for AtomicU16 {}
impl Word for AtomicU32 {}
impl Word for AtomicU64 {}
