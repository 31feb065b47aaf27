//! futex(2) between processes: never the PRIVATE form, which would wake nobody outside.

use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

use rustix::io::{Errno, Result};

use super::fault;

/// How many words [`wait_any`] can take at once.
pub const MOST_WORDS: usize = 128;

const WAIT_BITSET: libc::c_int = 9;
const WAKE: libc::c_int = 1;
const WAKE_OP: libc::c_int = 5;
const MATCH_ANY: u32 = u32::MAX;
const SIZE_U32: u32 = 2;

/// FUTEX_OP encoding: `OR 1 << 30`, then a comparison with a value that no word has.
const OR_BIT_30: u32 = (2 | 8) << 28 | 30 << 12 | 0x7FF;
/// FUTEX_OP encoding: `AND NOT 1 << 31`, as above.
const CLEAR_BIT_31: u32 = (3 | 8) << 28 | 31 << 12 | 0x7FF;
/// FUTEX_OP encoding: `ADD 1`, as above.
const ADD_ONE: u32 = 1 << 28 | 1 << 12 | 0x7FF;

/// The low half of a 64-bit word, which the kernel compares and changes.
#[must_use]
#[inline]
pub fn low_half(word: &AtomicU64) -> &AtomicU32 {
    // SAFETY: the word is 8-aligned and 8 bytes long, so its first four bytes are an aligned u32; on the
    // little-endian machines this crate is built for they are the low half. All accesses are atomic.
    unsafe { AtomicU32::from_ptr(word.as_ptr().cast()) }
}

const _: () = assert!(cfg!(target_endian = "little"));

fn timespec(nanos: u64) -> libc::timespec {
    let duration = Duration::from_nanos(nanos);
    libc::timespec {
        tv_sec: libc::time_t::try_from(duration.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(duration.subsec_nanos() as i32),
    }
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// FUTEX_WAIT_BITSET: sleeps while the word is `expected`, until it is woken or CLOCK_MONOTONIC reaches
/// `deadline` (nanoseconds).
///
/// Errors: EAGAIN the word was another; ETIMEDOUT; EINTR.
pub fn wait(word: &AtomicU32, expected: u32, deadline: Option<u64>) -> Result<()> {
    let time = deadline.map(timespec);
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the word and the time live during the call; the kernel only reads them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            WAIT_BITSET,
            expected,
            time,
            std::ptr::null::<u32>(),
            MATCH_ANY,
        )
    };
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

/// FUTEX_WAKE: wakes at most `count` sleepers; how many there were.
pub fn wake(word: &AtomicU32, count: u32) -> u32 {
    let count = count.min(i32::MAX as u32);
    // SAFETY: the kernel takes the address as a key and touches nothing.
    let woken = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), WAKE, count) };
    u32::try_from(woken).unwrap_or(0)
}

fn wake_op(word: &AtomicU32, operation: u32, count: u32) -> u32 {
    let count = count.min(i32::MAX as u32);
    // SAFETY: the kernel changes the word by one atomic operation; it is a live atomic.
    let woken = unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), WAKE_OP, count, 0usize, word.as_ptr(), operation)
    };
    u32::try_from(woken).unwrap_or(0)
}

/// FUTEX_WAKE_OP: sets bit 30 and wakes at most `count` sleepers, in one step that no kill can split.
pub fn set_bit_30_and_wake(word: &AtomicU32, count: u32) -> u32 {
    wake_op(word, OR_BIT_30, count)
}

/// FUTEX_WAKE_OP: clears bit 31 and wakes everybody, in one step.
pub fn clear_bit_31_and_wake_all(word: &AtomicU32) -> u32 {
    wake_op(word, CLEAR_BIT_31, u32::MAX)
}

/// FUTEX_WAKE_OP: adds 1 and wakes everybody, in one step that no kill can split.
pub fn add_one_and_wake_all(word: &AtomicU32) -> u32 {
    wake_op(word, ADD_ONE, u32::MAX)
}

/// A word to sleep on with others.
#[derive(Debug, Clone, Copy)]
pub struct Sleep<'a> {
    /// The word.
    pub word: &'a AtomicU32,
    /// What it must be for the sleep to begin.
    pub expected: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct WaitV {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// futex_waitv(2), Linux 5.16: sleeps until any of at most 128 words is woken; which one.
///
/// Errors: EAGAIN a word was another; ETIMEDOUT; EINTR; ENOSYS on older kernels.
pub fn wait_any(words: &[Sleep<'_>], deadline: Option<u64>) -> Result<usize> {
    let mut list = [WaitV { value: 0, address: 0, flags: SIZE_U32, reserved: 0 }; MOST_WORDS];
    let list = list.get_mut(..words.len()).ok_or(Errno::INVAL)?;
    for (row, sleep) in list.iter_mut().zip(words) {
        row.value = u64::from(sleep.expected);
        row.address = sleep.word.as_ptr() as u64;
    }
    let time = deadline.map(timespec);
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    fault::call("futex_waitv")?;
    // SAFETY: list and time live during the call; the words do too, being borrowed; the kernel only reads.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex_waitv,
            list.as_ptr(),
            list.len() as u32,
            0u32,
            time,
            libc::CLOCK_MONOTONIC,
        )
    };
    usize::try_from(result).map_err(|_| last_error())
}

/// Whether the kernel has futex_waitv(2).
#[must_use]
pub fn has_wait_any() -> bool {
    if fault::call("futex_waitv") == Err(Errno::NOSYS) {
        return false;
    }
    // SAFETY: an empty list is refused with EINVAL before anything is read.
    let result = unsafe {
        libc::syscall(
            libc::SYS_futex_waitv,
            std::ptr::null::<WaitV>(),
            0u32,
            0u32,
            std::ptr::null::<libc::timespec>(),
            0,
        )
    };
    result == -1 && last_error() != Errno::NOSYS
}

/// CLOCK_MONOTONIC in nanoseconds.
#[must_use]
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

/// Lets so many nanoseconds pass, for whoever has nothing to sleep on.
pub fn pass(nanos: u64) {
    let nothing = AtomicU32::new(0);
    let _ = wait(&nothing, 0, Some(now().saturating_add(nanos)));
}

/// CLOCK_MONOTONIC_COARSE, in nanoseconds: stands still for some milliseconds at a time and costs a third of
/// [`now`].
#[must_use]
#[inline]
pub fn tick() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}
