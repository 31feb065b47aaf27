//! Turning the end of a process into a word that can be slept on beside others.
//!
//! A process's end is readable on its pidfd, events and mutexes are futexes, and no system call sleeps on
//! both. So when a wait mixes them (and only then) one thread of this process watches the pidfds in question and
//! sets a word for each process that ends. It sleeps in epoll_wait and costs nothing meanwhile.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use transom_core::code::Code;
use transom_sys::linux::futex::{self, Sleep};
use transom_sys::linux::poller::Poller;
use transom_sys::linux::{Errno, process};

use super::errno::{code, to_code, with_room};

/// A process whose end is being watched for.
#[derive(Debug)]
pub(crate) struct Watched {
    pidfd: OwnedFd,
    ended: AtomicU32,
}

impl Watched {
    /// 0 until the process has ended, then 1; a futex of this process.
    pub(crate) fn word(&self) -> &AtomicU32 {
        &self.ended
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire) != 0
    }
}

/// The name of the thread; the system keeps 15 bytes of it.
pub(crate) const THREAD: &str = "transom-watcher";

struct Watcher {
    system: Poller,
    next: AtomicU64,
    watched: Mutex<HashMap<u64, Weak<Watched>>>,
    /// Owners of mutexes that were waited for, so that the next wait finds them watched.
    owners: Mutex<HashMap<u32, Arc<Watched>>>,
}

static WATCHER: OnceLock<Result<Watcher, Code>> = OnceLock::new();

fn watcher() -> Result<&'static Watcher, Code> {
    static STARTED: OnceLock<bool> = OnceLock::new();
    let watcher = WATCHER
        .get_or_init(|| {
            Ok(Watcher {
                system: to_code(Poller::new())?,
                next: AtomicU64::new(1),
                watched: Mutex::default(),
                owners: Mutex::default(),
            })
        })
        .as_ref()
        .map_err(|error| *error)?;
    let started = STARTED.get_or_init(|| {
        std::thread::Builder::new()
            .name(THREAD.to_owned())
            .stack_size(64 * 1024)
            .spawn(|| run(watcher))
            .is_ok()
    });
    if *started { Ok(watcher) } else { Err(Code::NO_SYSTEM_RESOURCES) }
}

fn run(watcher: &Watcher) {
    let mut tokens = Vec::new();
    loop {
        watcher.system.wait(&mut tokens, None);
        for token in &tokens {
            let entry = watcher.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
            if let Some(watched) = entry.and_then(|entry| entry.upgrade()) {
                watched.ended.store(1, Ordering::Release);
                futex::wake(&watched.ended, u32::MAX);
            }
        }
    }
}

/// Begins to watch the process of `pidfd`.
pub(crate) fn watch(pidfd: impl AsFd) -> Result<Arc<Watched>, Code> {
    let watcher = watcher()?;
    let pidfd = with_room(|| transom_sys::linux::fd::duplicate(&pidfd))?;
    let watched = Arc::new(Watched { pidfd, ended: AtomicU32::new(0) });
    let token = watcher.next.fetch_add(1, Ordering::Relaxed);
    let mut all = watcher.watched.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|_, entry| entry.strong_count() > 0);
    all.insert(token, Arc::downgrade(&watched));
    if let Err(error) = watcher.system.add_once(&watched.pidfd, token) {
        all.remove(&token);
        return Err(code(error));
    }
    Ok(watched)
}

/// So many owners of mutexes stay watched between waits.
const MOST_OWNERS: usize = 64;

/// Watches the process `id`; `None` if there is none.
pub(crate) fn watch_process(id: u32) -> Result<Option<Arc<Watched>>, Code> {
    let watcher = watcher()?;
    let mut owners = watcher.owners.lock().unwrap_or_else(PoisonError::into_inner);
    // The number stands in memory that others write: lies are not to fill the table of descriptors.
    let many = owners.len() >= MOST_OWNERS;
    owners.retain(|_, watched| !(watched.has_ended() || many && Arc::strong_count(watched) == 1));
    if let Some(watched) = owners.get(&id) {
        return Ok(Some(Arc::clone(watched)));
    }
    let open = || match process::open(id) {
        Ok(pidfd) => Ok(Some(pidfd)),
        // Also if it is the number of a thread.
        Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    };
    let Some(pidfd) = with_room(open)? else { return Ok(None) };
    let watched = watch(pidfd)?;
    owners.insert(id, Arc::clone(&watched));
    Ok(Some(watched))
}

/// What futex_waitv does, for kernels before 5.16 and sandboxes that refuse it: a thread for each word. The inner
/// result is as the kernel's: ETIMEDOUT at the deadline.
///
/// To end the wait all sleepers of all words are woken once; those of other waits sleep again.
///
/// # Errors
/// 1450: no more threads can be started.
pub(crate) fn wait_any_with_threads(
    sleeps: &[Sleep<'_>],
    deadline: Option<u64>,
) -> Result<Result<(), Errno>, Code> {
    let bell = AtomicU32::new(0);
    let over = AtomicBool::new(false);
    let sleeping = AtomicU32::new(0);
    std::thread::scope(|scope| {
        let mut started = Ok(());
        for sleep in sleeps {
            let (bell, over, sleeping) = (&bell, &over, &sleeping);
            sleeping.fetch_add(1, Ordering::Relaxed);
            let body = move || {
                // At the deadline the caller wakes up by itself.
                while !over.load(Ordering::Acquire)
                    && futex::wait(sleep.word, sleep.expected, deadline) == Err(Errno::INTR)
                {}
                bell.store(1, Ordering::Release);
                futex::wake(bell, u32::MAX);
                sleeping.fetch_sub(1, Ordering::Release);
            };
            if std::thread::Builder::new().stack_size(32 * 1024).spawn_scoped(scope, body).is_err() {
                sleeping.fetch_sub(1, Ordering::Relaxed);
                started = Err(Code::NO_SYSTEM_RESOURCES);
                break;
            }
        }
        let mut slept = Ok(());
        while started.is_ok() && bell.load(Ordering::Acquire) == 0 {
            if futex::wait(&bell, 0, deadline) == Err(Errno::TIMEDOUT) {
                slept = Err(Errno::TIMEDOUT);
                break;
            }
        }
        if deadline.is_some_and(|at| futex::now() >= at) {
            // A sleeper may have seen the end of time before this thread did.
            slept = Err(Errno::TIMEDOUT);
        }
        over.store(true, Ordering::Release);
        while sleeping.load(Ordering::Acquire) != 0 {
            for sleep in sleeps {
                futex::wake(sleep.word, u32::MAX);
            }
            std::thread::yield_now();
        }
        started.map(|()| slept)
    })
}
