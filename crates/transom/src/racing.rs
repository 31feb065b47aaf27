//! Copying to and from memory that other processes write at the same time.
//!
//! # Why not `ptr::copy`
//! In Rust's memory model an ordinary access that meets a concurrent write is undefined behaviour, and a
//! compiler may use that: read a byte twice and believe it twice, or widen a store over bytes it was not
//! told to write. The bytes of a view are written by whom nobody here controls, so every access to them
//! must be one that may race.
//!
//! # What is used instead
//! - On x86-64 one block of assembly. To the compiler it is opaque: it must assume that the block reads and
//!   writes what its pointers reach, once, in whatever pieces; and what the block does can be told in
//!   Rust's own terms as *one relaxed atomic load and one relaxed atomic store for each byte, in some
//!   order*. Racing with it yields old and new bytes mixed, never undefined behaviour. The instructions are
//!   those of `memcpy`: 16-byte moves for short blocks, `rep movsb` from [`STRING_FROM`] bytes on.
//! - Elsewhere, relaxed atomic words where the shared address is aligned and relaxed atomic bytes before
//!   and behind ([`words`]): the same meaning, somewhat slower.
//!
//! Atomics of different sizes on the same bytes, at the same time and without other synchronisation, are
//! not described by the memory model; the hardware gives a mixture of whole bytes, and so does this module
//! (a caller that mixes [`View::atomic_u32`](crate::mapping::View::atomic_u32) and
//! [`View::read`](crate::mapping::View::read) gets it).
//!
//! # Promises
//! C1. Only the `len` bytes behind each pointer are touched, each at least once.
//! C2. A block of 1, 2, 4 or 8 bytes moves in one access, so an aligned one is never seen torn.
//! C3. All accesses lie between what stands before and behind the call in the program: no fence of the
//!     caller is needed to keep the compiler from moving them, only to keep the processor from it.
//!
//! # Safety
//! The functions take raw pointers; each states what it needs of them. Nothing here makes a reference into
//! shared memory.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{copy_in, copy_out, fill};

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use words::{copy_in, copy_out, fill};

/// From this length on `rep movsb` is as fast as vector moves or faster on processors of the last ten
/// years; below, its start costs more than it saves.
#[cfg(target_arch = "x86_64")]
const STRING_FROM: usize = 2048;

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::STRING_FROM;
    use std::arch::asm;

    /// Copies `len` bytes out of shared memory.
    ///
    /// # Safety
    /// `from` is valid for reads of `len` bytes (others may write them meanwhile); `to` is valid for writes
    /// of `len` bytes that nobody else accesses. The two do not overlap.
    pub(crate) unsafe fn copy_out(from: *const u8, to: *mut u8, len: usize) {
        // SAFETY: the caller's promise is the one `copy` asks for.
        unsafe { copy(from, to, len) }
    }

    /// Copies `len` bytes into shared memory.
    ///
    /// # Safety
    /// `from` is valid for reads of `len` bytes that nobody writes meanwhile; `to` is valid for writes of
    /// `len` bytes (others may read or write them meanwhile). The two do not overlap.
    pub(crate) unsafe fn copy_in(from: *const u8, to: *mut u8, len: usize) {
        // SAFETY: the caller's promise is the one `copy` asks for.
        unsafe { copy(from, to, len) }
    }

    /// # Safety
    /// `from` is valid for reads and `to` for writes of `len` bytes, without overlap.
    unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
        if len >= STRING_FROM {
            // SAFETY: `rep movsb` reads rcx bytes at rsi and writes them at rdi, upwards, because the
            // direction flag is clear on entry to every asm block (Rust Reference, rules for inline
            // assembly). The caller promises both ranges.
            unsafe {
                asm!(
                    "rep movsb",
                    inout("rcx") len => _,
                    inout("rsi") from => _,
                    inout("rdi") to => _,
                    options(nostack, preserves_flags),
                );
            }
            return;
        }
        // SAFETY: the loop moves 64 bytes while at least 64 are left; of the rest, below 64 bytes, each set
        // bit of the length moves its own number of bytes once. So exactly `len` bytes are read and
        // written (C1), which the caller promises, and a power of two up to 16 is one move (C2).
        unsafe {
            asm!(
                "sub {len}, 64",
                "jb 3f",
                "2:",
                "movups {a}, [{from}]",
                "movups {b}, [{from} + 16]",
                "movups {c}, [{from} + 32]",
                "movups {d}, [{from} + 48]",
                "movups [{to}], {a}",
                "movups [{to} + 16], {b}",
                "movups [{to} + 32], {c}",
                "movups [{to} + 48], {d}",
                "add {from}, 64",
                "add {to}, 64",
                "sub {len}, 64",
                "jae 2b",
                "3:",
                "add {len}, 64",
                "jz 9f",
                "test {len:l}, 32",
                "jz 4f",
                "movups {a}, [{from}]",
                "movups {b}, [{from} + 16]",
                "movups [{to}], {a}",
                "movups [{to} + 16], {b}",
                "add {from}, 32",
                "add {to}, 32",
                "4:",
                "test {len:l}, 16",
                "jz 5f",
                "movups {a}, [{from}]",
                "movups [{to}], {a}",
                "add {from}, 16",
                "add {to}, 16",
                "5:",
                "test {len:l}, 8",
                "jz 6f",
                "mov {word}, [{from}]",
                "mov [{to}], {word}",
                "add {from}, 8",
                "add {to}, 8",
                "6:",
                "test {len:l}, 4",
                "jz 7f",
                "mov {word:e}, [{from}]",
                "mov [{to}], {word:e}",
                "add {from}, 4",
                "add {to}, 4",
                "7:",
                "test {len:l}, 2",
                "jz 8f",
                "mov {word:x}, [{from}]",
                "mov [{to}], {word:x}",
                "add {from}, 2",
                "add {to}, 2",
                "8:",
                "test {len:l}, 1",
                "jz 9f",
                "mov {word:l}, [{from}]",
                "mov [{to}], {word:l}",
                "9:",
                from = inout(reg) from => _,
                to = inout(reg) to => _,
                len = inout(reg_abcd) len => _,
                word = out(reg_abcd) _,
                a = out(xmm_reg) _,
                b = out(xmm_reg) _,
                c = out(xmm_reg) _,
                d = out(xmm_reg) _,
                options(nostack),
            );
        }
    }

    /// Stores `byte` into `len` bytes of shared memory.
    ///
    /// # Safety
    /// `to` is valid for writes of `len` bytes (others may read or write them meanwhile).
    pub(crate) unsafe fn fill(to: *mut u8, byte: u8, len: usize) {
        // SAFETY: `rep stosb` writes rcx bytes at rdi, upwards (see `copy`); the caller promises them.
        unsafe {
            std::arch::asm!(
                "rep stosb",
                inout("rcx") len => _,
                inout("rdi") to => _,
                in("al") byte,
                options(nostack, preserves_flags),
            );
        }
    }
}

/// The same with relaxed atomics, for every processor.
#[cfg(any(test, not(target_arch = "x86_64")))]
mod words {
    use std::sync::atomic::Ordering::Relaxed;
    use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicUsize};

    const WORD: usize = size_of::<usize>();

    /// The atomic at `at`, which may lie in read-only memory: only loads are made through it, and relaxed
    /// loads of at most a word work there (std::sync::atomic, "Atomic accesses to read-only memory").
    macro_rules! load {
        ($atomic:ty, $at:expr) => {
            (*$at.cast::<$atomic>()).load(Relaxed)
        };
    }

    macro_rules! store {
        ($atomic:ty, $at:expr, $value:expr) => {
            (*$at.cast::<$atomic>()).store($value, Relaxed)
        };
    }

    /// Copies `len` bytes out of shared memory.
    ///
    /// # Safety
    /// `from` is valid for reads of `len` bytes (others may write them meanwhile); `to` is valid for writes
    /// of `len` bytes that nobody else accesses. The two do not overlap.
    pub(crate) unsafe fn copy_out(from: *const u8, to: *mut u8, len: usize) {
        let mut at = 0;
        while at < len {
            let piece = piece(from as usize + at, len - at);
            // SAFETY: at + piece <= len, so both pointers stay in the ranges the caller promises; the shared
            // one is a multiple of the piece's size, as atomics need. The private one may be unaligned.
            unsafe {
                let (from, to) = (from.add(at), to.add(at));
                match piece {
                    1 => to.write(load!(AtomicU8, from)),
                    2 => to.cast::<u16>().write_unaligned(load!(AtomicU16, from)),
                    4 => to.cast::<u32>().write_unaligned(load!(AtomicU32, from)),
                    _ => to.cast::<usize>().write_unaligned(load!(AtomicUsize, from)),
                }
            }
            at += piece;
        }
    }

    /// Copies `len` bytes into shared memory.
    ///
    /// # Safety
    /// `from` is valid for reads of `len` bytes that nobody writes meanwhile; `to` is valid for writes of
    /// `len` bytes (others may read or write them meanwhile). The two do not overlap.
    pub(crate) unsafe fn copy_in(from: *const u8, to: *mut u8, len: usize) {
        let mut at = 0;
        while at < len {
            let piece = piece(to as usize + at, len - at);
            // SAFETY: as in `copy_out`, with the parts exchanged.
            unsafe {
                let (from, to) = (from.add(at), to.add(at));
                match piece {
                    1 => store!(AtomicU8, to, from.read()),
                    2 => store!(AtomicU16, to, from.cast::<u16>().read_unaligned()),
                    4 => store!(AtomicU32, to, from.cast::<u32>().read_unaligned()),
                    _ => store!(AtomicUsize, to, from.cast::<usize>().read_unaligned()),
                }
            }
            at += piece;
        }
    }

    /// Stores `byte` into `len` bytes of shared memory.
    ///
    /// # Safety
    /// `to` is valid for writes of `len` bytes (others may read or write them meanwhile).
    pub(crate) unsafe fn fill(to: *mut u8, byte: u8, len: usize) {
        let block = [byte; 256];
        let mut at = 0;
        while at < len {
            let piece = block.len().min(len - at);
            // SAFETY: at + piece <= len, which the caller promises; the block is our own.
            unsafe { copy_in(block.as_ptr(), to.add(at), piece) };
            at += piece;
        }
    }

    /// How many bytes to move next: the largest of 1, 2, 4 and a word that fits and is aligned.
    fn piece(address: usize, left: usize) -> usize {
        let aligned = 1usize << address.trailing_zeros().min(WORD.trailing_zeros());
        let fits = 1usize << left.ilog2().min(WORD.trailing_zeros());
        let piece = aligned.min(fits);
        // A word is 8 bytes or 4; every smaller power of two has an arm above.
        debug_assert!(piece.is_power_of_two() && piece <= WORD && piece <= left);
        piece
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    type Copy = unsafe fn(*const u8, *mut u8, usize);
    type Fill = unsafe fn(*mut u8, u8, usize);

    /// Both variants, so that the one for other processors is tested here as well.
    const COPIES: [Copy; 4] =
        [super::copy_out, super::copy_in, super::words::copy_out, super::words::copy_in];
    const FILLS: [Fill; 2] = [super::fill, super::words::fill];

    fn pattern(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i * 7 + 13) as u8).collect()
    }

    fn check_copy(copy: Copy, from_skip: usize, to_skip: usize, len: usize) {
        let source = pattern(len + from_skip);
        let mut target = vec![0xEE; len + to_skip + 32];
        // SAFETY: both blocks are this function's own and long enough.
        unsafe { copy(source[from_skip..].as_ptr(), target[to_skip..].as_mut_ptr(), len) };
        assert!(target[..to_skip].iter().all(|b| *b == 0xEE), "C1: wrote before the block");
        assert_eq!(&target[to_skip..to_skip + len], &source[from_skip..]);
        assert!(target[to_skip + len..].iter().all(|b| *b == 0xEE), "C1: wrote behind the block");
    }

    /// C1.
    #[test]
    fn every_length_and_alignment_is_copied_exactly() {
        for copy in COPIES {
            for len in (0..=200).chain([2047, 2048, 2049, 4096, 65_537]) {
                for (from_skip, to_skip) in [(0, 0), (1, 0), (0, 1), (3, 5), (7, 7), (8, 4)] {
                    check_copy(copy, from_skip, to_skip, len);
                }
            }
        }
    }

    #[test]
    fn filling_touches_the_range_alone() {
        for fill in FILLS {
            for len in [0, 1, 7, 8, 9, 255, 256, 257, 5000] {
                let mut target = vec![1; len + 20];
                // SAFETY: the block is this function's own and long enough.
                unsafe { fill(target[9..].as_mut_ptr(), 0xAB, len) };
                assert!(target[..9].iter().all(|b| *b == 1));
                assert!(target[9..9 + len].iter().all(|b| *b == 0xAB));
                assert!(target[9 + len..].iter().all(|b| *b == 1));
            }
        }
    }

    proptest! {
        #[test]
        fn any_length_and_alignment(from_skip in 0usize..64, to_skip in 0usize..64, len in 0usize..9000, which in 0..4usize) {
            check_copy(COPIES[which], from_skip, to_skip, len);
        }
    }
}
