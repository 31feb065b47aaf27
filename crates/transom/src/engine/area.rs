//! A stretch of mapped memory that other processes write: bytes are copied in and out, words are atomics, and each
//! access says where it goes and is checked.
//!
//! # Safety
//! A1. The stretch is mapped, readable and writable, as long as the value is used: whoever calls [`Area::new`] says so.
//! A2. It is reached by copies that may race ([`racing`]) and by atomics only; no reference into it is made that is not
//!     one to an atomic.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

use transom_core::ring::Memory;

use crate::racing;

/// Bytes that other processes may write at any time.
#[derive(Debug)]
pub(crate) struct Area {
    base: *mut u8,
    length: usize,
}

// SAFETY: A1, A2: the mapping belongs to no thread, and what races is made for it.
unsafe impl Send for Area {}
// SAFETY: as above.
unsafe impl Sync for Area {}

impl Area {
    /// The `length` bytes at the address `base`, a multiple of 8.
    ///
    /// # Safety
    /// They are mapped for reading and writing as long as the value is used (A1), and nobody in this process has a
    /// reference to any of them that is not one to an atomic (A2).
    pub(super) unsafe fn new(base: usize, length: usize) -> Area {
        debug_assert!(base.is_multiple_of(8), "words lie at multiples of 8");
        Area { base: base as *mut u8, length }
    }

    #[inline]
    fn at(&self, offset: usize, length: usize) -> *mut u8 {
        assert!(offset <= self.length && length <= self.length - offset, "accesses stay inside their area");
        // SAFETY: inside the stretch (A1), as just checked.
        unsafe { self.base.add(offset) }
    }

    /// Where the bytes at `offset` are, for who may look at them in place.
    pub(super) fn pointer(&self, offset: usize, length: usize) -> *mut u8 {
        self.at(offset, length)
    }

    #[inline]
    fn word(&self, offset: usize) -> &AtomicU64 {
        assert!(offset.is_multiple_of(8), "words lie at multiples of 8");
        // SAFETY: inside the stretch and aligned, since that begins at a multiple of 8; A2.
        unsafe { AtomicU64::from_ptr(self.at(offset, 8).cast()) }
    }
}

impl Memory for Area {
    #[inline]
    fn copy_in(&self, offset: usize, from: &[u8]) {
        let to = self.at(offset, from.len());
        // SAFETY: `to` was checked for the length; the slice is ours, and no part of a mapping that others write.
        unsafe { racing::copy_in(from.as_ptr(), to, from.len()) };
    }

    #[inline]
    fn copy_out(&self, offset: usize, to: &mut [u8]) {
        let from = self.at(offset, to.len());
        // SAFETY: as in `copy_in`.
        unsafe { racing::copy_out(from, to.as_mut_ptr(), to.len()) };
    }

    #[inline]
    fn expect_read(&self, offset: usize) {
        expect_read(self.base.wrapping_add(offset));
    }

    #[inline]
    fn expect_write(&self, offset: usize) {
        expect_write(self.base.wrapping_add(offset));
    }

    #[inline]
    fn store_word(&self, offset: usize, word: u64) {
        self.word(offset).store(word, Ordering::Relaxed);
    }

    #[inline]
    fn load_word(&self, offset: usize) -> u64 {
        self.word(offset).load(Ordering::Relaxed)
    }
}

/// As [`expect_write`], for a line that is about to be read.
#[inline]
fn expect_read(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: as in `expect_write` (PREFETCHT0).
    unsafe {
        std::arch::asm!("prefetcht0 [{}]", in(reg) at, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Has the processor get the cache line at `at` from others, since it is about to be written. A hint: nothing is read or
/// written, and any address will do.
#[inline]
fn expect_write(at: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: PREFETCHW accesses no memory as far as a program can tell, and never faults (Intel SDM, volume 2); where
    // a processor does not have it, it does nothing.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) at, options(nostack, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(words: &mut [u64]) -> Area {
        // SAFETY: the words outlive the area in each test, and are not used beside it.
        unsafe { Area::new(words.as_mut_ptr().addr(), size_of_val(words)) }
    }

    #[test]
    fn bytes_and_words_go_where_they_are_told() {
        let mut words = [0; 4];
        let area = over(&mut words);
        area.copy_in(7, b"abc");
        let mut bytes = [0; 5];
        area.copy_out(6, &mut bytes);
        assert_eq!(&bytes, b"\0abc\0");
        area.store_word(24, 5);
        assert_eq!(area.load_word(24), 5);
    }

    #[test]
    fn nothing_reaches_outside() {
        let outside: [fn(&Area); 4] = [
            |area| area.copy_in(30, b"abc"),
            |area| area.copy_out(33, &mut []),
            |area| area.store_word(32, 1),
            |area| assert_eq!(area.load_word(4), 0),
        ];
        for access in outside {
            let refused = std::panic::catch_unwind(|| access(&over(&mut [0; 4])));
            assert!(refused.is_err());
        }
    }
}
