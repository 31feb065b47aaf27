//! Places where a test can kill the process: between any two steps of a protocol.
//!
//! In builds with debug assertions, a process started with `TRANSOM_KILL_AT=STEP` (or `STEP:N`, the N-th
//! time) kills itself there with SIGKILL. In other builds the calls are nothing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

struct Kill {
    step: String,
    left: AtomicU32,
}

/// One step of a protocol has been done, and the next has not begun.
#[inline]
pub fn step(name: &str) {
    if cfg!(debug_assertions) {
        reached(name);
    }
}

#[cold]
fn reached(name: &str) {
    static KILL: OnceLock<Option<Kill>> = OnceLock::new();
    let kill = KILL.get_or_init(|| {
        let wanted = std::env::var("TRANSOM_KILL_AT").ok()?;
        let (step, count) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        Some(Kill { step: step.to_owned(), left: AtomicU32::new(count.parse().unwrap_or(1)) })
    });
    if let Some(kill) = kill
        && kill.step == name
        && kill.left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        super::process::kill_self();
    }
}
