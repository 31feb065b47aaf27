//! getrandom(2): numbers that nobody guesses.

use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;
use rustix::rand::GetRandomFlags;

/// So many cookies are drawn with one system call.
const BATCH: usize = 16;

/// Cookies that were drawn and not yet given out, and whose they are.
struct Drawn {
    bytes: [[u8; 16]; BATCH],
    left: usize,
    process: u32,
}

/// 16 random bytes.
#[must_use]
pub fn cookie() -> [u8; 16] {
    static DRAWN: Mutex<Drawn> = Mutex::new(Drawn { bytes: [[0; 16]; BATCH], left: 0, process: 0 });
    let process = super::process::id();
    // Never waited for: in a forked child it may be locked by a thread that is not there.
    let drawn = match DRAWN.try_lock() {
        Ok(drawn) => Some(drawn),
        Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(PoisonError::into_inner(poisoned)),
        Err(std::sync::TryLockError::WouldBlock) => None,
    };
    let Some(mut drawn) = drawn else {
        let mut one = [0; 16];
        fill(&mut one);
        return one;
    };
    // What a parent has drawn, a forked child must not give out once more.
    if drawn.left == 0 || drawn.process != process {
        fill(drawn.bytes.as_flattened_mut());
        (drawn.left, drawn.process) = (BATCH, process);
    }
    drawn.left -= 1;
    let left = drawn.left;
    std::mem::take(&mut drawn.bytes[left])
}

fn fill(bytes: &mut [u8]) {
    let mut done = 0;
    while done < bytes.len() {
        match rustix::rand::getrandom(&mut bytes[done..], GetRandomFlags::empty()) {
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            // A kernel without getrandom is older than any this library runs on.
            Err(_) => break,
        }
    }
}
