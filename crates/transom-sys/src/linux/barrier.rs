//! A memory barrier in all threads of this process, membarrier(2): the one who needs it seldom pays for those who would
//! need it all the time.

use std::sync::OnceLock;

use rustix::thread::{MembarrierCommand, membarrier};

/// Whether the kernel has [`everywhere`] (Linux 4.14), and lets this process use it.
///
/// The first time it is told that this process will. That takes no time while there is one thread, and milliseconds
/// when there are more; so it is best asked early.
pub fn is_available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok())
}

/// Each thread of this process has passed a full barrier since this was called, when it returns true. It interrupts
/// those that run, which takes a microsecond or two.
#[must_use]
pub fn everywhere() -> bool {
    is_available() && membarrier(MembarrierCommand::PrivateExpedited).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering, compiler_fence};

    /// The pattern it is for: two threads each write one word and read the other's, one of them without any barrier of
    /// its own; at least one of the two sees what the other wrote.
    #[test]
    fn of_two_threads_one_sees_the_other() {
        if !super::is_available() {
            return;
        }
        for _ in 0..200 {
            let (often, seldom) = (AtomicU32::new(0), AtomicU32::new(0));
            let (seen_by_often, seen_by_seldom) = std::thread::scope(|scope| {
                let light = scope.spawn(|| {
                    often.store(1, Ordering::Relaxed);
                    compiler_fence(Ordering::SeqCst);
                    seldom.load(Ordering::Relaxed)
                });
                seldom.store(1, Ordering::Relaxed);
                assert!(super::everywhere());
                let seen = often.load(Ordering::Relaxed);
                (light.join().expect("no panic"), seen)
            });
            assert!(seen_by_often == 1 || seen_by_seldom == 1);
        }
    }
}
