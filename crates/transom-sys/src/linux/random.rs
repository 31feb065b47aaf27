//! getrandom(2): numbers that nobody guesses.

use rustix::io::Errno;
use rustix::rand::GetRandomFlags;

/// 16 random bytes.
#[must_use]
pub fn cookie() -> [u8; 16] {
    let mut bytes = [0; 16];
    let mut done = 0;
    while done < bytes.len() {
        match rustix::rand::getrandom(&mut bytes[done..], GetRandomFlags::empty()) {
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            // A kernel without getrandom is older than any this library runs on.
            Err(_) => break,
        }
    }
    bytes
}
