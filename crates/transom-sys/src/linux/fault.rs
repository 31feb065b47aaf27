//! What tests can do to a process from within: kill or stop it between any two steps of a protocol, and make
//! system calls fail.
//!
//! All of it exists in builds with debug assertions only; in other builds the calls are nothing.
//!
//! | by | what |
//! | --- | --- |
//! | `TRANSOM_KILL_AT=STEP` (or `STEP:N`, the N-th time) | SIGKILL at that [`step`] |
//! | `TRANSOM_STOP_AT=STEP` (or `STEP:N`) | SIGSTOP at that [`step`] |
//! | `TRANSOM_REFUSE=CALL=ERRNO,…` (or `CALL=ERRNO:N`, only the N-th) | the [`call`] fails, in every thread |
//! | [`arm`] | the N-th such call of this thread fails |
//!
//! [`CALLS`] is the one table of calls that can be made to fail, each with the errors that the kernel has
//! for it and that somebody must be ready for.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::{Errno, Result};

/// Calls that can be made to fail, and with what.
pub const CALLS: &[(&str, &[Errno])] = &[
    ("accept", &[Errno::MFILE, Errno::INTR]),
    ("bind", &[Errno::NOMEM]),
    ("chmod", &[Errno::PERM]),
    ("clone", &[Errno::AGAIN, Errno::NOMEM]),
    ("connect", &[Errno::CONNREFUSED, Errno::AGAIN]),
    ("dup", &[Errno::MFILE]),
    ("epoll_create", &[Errno::MFILE]),
    ("epoll_ctl", &[Errno::NOSPC, Errno::NOMEM]),
    ("eventfd", &[Errno::MFILE, Errno::NOMEM]),
    ("fallocate", &[Errno::NOSPC, Errno::NOMEM, Errno::INTR]),
    ("flock", &[Errno::INTR, Errno::NOLCK]),
    ("ftruncate", &[Errno::INTR, Errno::NOSPC]),
    ("futex_waitv", &[Errno::NOSYS, Errno::PERM, Errno::INTR]),
    ("link", &[Errno::PERM, Errno::NOSPC]),
    ("lock_byte", &[Errno::INTR, Errno::NOLCK]),
    ("memfd_create", &[Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::NOSYS]),
    ("mkdir", &[Errno::NOSPC, Errno::ROFS]),
    ("mmap", &[Errno::NOMEM, Errno::ACCESS]),
    ("open", &[Errno::MFILE, Errno::NFILE, Errno::INTR, Errno::NOMEM]),
    ("open_proc", &[Errno::MFILE, Errno::ACCESS, Errno::NOENT, Errno::INTR]),
    ("pidfd_getfd", &[Errno::PERM, Errno::NOSYS, Errno::MFILE]),
    ("pidfd_open", &[Errno::MFILE, Errno::NOSYS, Errno::NOMEM]),
    ("pipe", &[Errno::MFILE, Errno::NFILE]),
    ("pread", &[Errno::INTR, Errno::IO]),
    ("pwrite", &[Errno::INTR, Errno::NOSPC, Errno::IO]),
    ("pwritev2", &[Errno::NOSYS, Errno::PERM]),
    ("rename", &[Errno::INVAL, Errno::NOSYS, Errno::NOSPC]),
    ("seal", &[Errno::BUSY]),
    ("sendmsg", &[Errno::PIPE, Errno::TOOMANYREFS]),
    ("socket", &[Errno::MFILE, Errno::NOBUFS]),
    ("thread", &[Errno::AGAIN]),
];

/// Names of errors, as `TRANSOM_REFUSE` writes them.
const NAMES: &[(&str, Errno)] = &[
    ("EACCES", Errno::ACCESS),
    ("EAGAIN", Errno::AGAIN),
    ("EINTR", Errno::INTR),
    ("EMFILE", Errno::MFILE),
    ("ENOMEM", Errno::NOMEM),
    ("ENOSPC", Errno::NOSPC),
    ("ENOSYS", Errno::NOSYS),
    ("EPERM", Errno::PERM),
];

/// One step of a protocol has been done, and the next has not begun.
#[inline]
pub fn step(name: &str) {
    if cfg!(debug_assertions) {
        reached(name);
    }
}

/// Stands before a system call: the error that a test wants it to have.
#[inline]
pub fn call(name: &str) -> Result<()> {
    if cfg!(debug_assertions) { refused(name) } else { Ok(()) }
}

/// Makes a call that gives a descriptor and that [`arm`] may refuse: again as long as signals interrupt it, and
/// once more if there is no room for the descriptor but the limit can be raised.
#[inline]
pub fn opening<T>(name: &str, mut system: impl FnMut() -> Result<T>) -> Result<T> {
    loop {
        match call(name).and_then(|()| system()) {
            Err(Errno::INTR) => {}
            Err(Errno::MFILE) if super::fd::raise_limit() => {}
            result => return result,
        }
    }
}

/// The `nth` call of this name (1 = the next one) that this thread makes fails with `errno`.
pub fn arm(name: &'static str, errno: Errno, nth: u32) {
    ARMED.set(Some(Armed { name, errno, left: nth }));
}

/// Ends [`arm`]; whether the call came.
pub fn disarm() -> bool {
    ARMED.take().is_some_and(|armed| armed.left == 0)
}

/// A step at which something happens to this process.
struct At {
    step: String,
    left: AtomicU32,
}

impl At {
    fn from_environment(name: &str) -> Option<At> {
        let wanted = std::env::var(name).ok()?;
        let (step, count) = wanted.split_once(':').unwrap_or((&wanted, "1"));
        Some(At { step: step.to_owned(), left: AtomicU32::new(count.parse().unwrap_or(1)) })
    }

    fn is_now(&self, name: &str) -> bool {
        self.step == name && self.left.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

#[cold]
fn reached(name: &str) {
    static KILL: OnceLock<Option<At>> = OnceLock::new();
    static STOP: OnceLock<Option<At>> = OnceLock::new();
    let is_at = |cell: &OnceLock<Option<At>>, variable| {
        cell.get_or_init(|| At::from_environment(variable)).as_ref().is_some_and(|at| at.is_now(name))
    };
    if is_at(&KILL, "TRANSOM_KILL_AT") {
        super::process::kill_self();
    }
    if is_at(&STOP, "TRANSOM_STOP_AT") {
        super::process::stop_self();
    }
}

#[derive(Clone, Copy)]
struct Armed {
    name: &'static str,
    errno: Errno,
    /// 0 once it has struck.
    left: u32,
}

thread_local! {
    static ARMED: Cell<Option<Armed>> = const { Cell::new(None) };
}

/// A part of `TRANSOM_REFUSE`.
struct Refusal {
    name: String,
    errno: Errno,
    /// `None`: always.
    left: Option<AtomicU32>,
}

#[cold]
fn refused(name: &str) -> Result<()> {
    debug_assert!(CALLS.iter().any(|(known, _)| *known == name), "{name} is not in the table");
    if let Some(armed) = ARMED.get()
        && armed.name == name
        && armed.left > 0
    {
        ARMED.set(Some(Armed { left: armed.left - 1, ..armed }));
        if armed.left == 1 {
            return Err(armed.errno);
        }
    }
    static REFUSALS: OnceLock<Vec<Refusal>> = OnceLock::new();
    let refusals = REFUSALS
        .get_or_init(|| std::env::var("TRANSOM_REFUSE").map_or_else(|_| Vec::new(), |list| parse(&list)));
    for refusal in refusals.iter().filter(|refusal| refusal.name == name) {
        if refusal.left.as_ref().is_none_or(|left| left.fetch_sub(1, Ordering::Relaxed) == 1) {
            return Err(refusal.errno);
        }
    }
    Ok(())
}

/// Parts that mean nothing are passed over: a test that relies on one fails by itself.
fn parse(list: &str) -> Vec<Refusal> {
    let part = |part: &str| {
        let (name, errno) = part.split_once('=')?;
        let (errno, count) =
            errno.split_once(':').map_or((errno, None), |(errno, count)| (errno, Some(count)));
        let errno = NAMES.iter().find(|(known, _)| *known == errno)?.1;
        let left = match count {
            Some(count) => Some(AtomicU32::new(count.parse().ok()?)),
            None => None,
        };
        Some(Refusal { name: name.to_owned(), errno, left })
    };
    list.split(',').filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_armed_call_fails_once_and_in_its_own_thread() {
        arm("memfd_create", Errno::MFILE, 2);
        assert_eq!(call("memfd_create"), Ok(()));
        assert_eq!(call("pipe"), Ok(()));
        std::thread::scope(|scope| {
            let other = scope.spawn(|| (call("memfd_create"), call("memfd_create")));
            assert_eq!(other.join().expect("no panic"), (Ok(()), Ok(())));
        });
        let expected = if cfg!(debug_assertions) { Err(Errno::MFILE) } else { Ok(()) };
        assert_eq!(call("memfd_create"), expected);
        assert_eq!(call("memfd_create"), Ok(()));
        assert_eq!(disarm(), cfg!(debug_assertions));
        assert!(!disarm());
    }

    #[test]
    fn a_list_names_calls_errors_and_which_time() {
        let list = parse("futex_waitv=ENOSYS,dup=EMFILE:3,nonsense,open=EWHAT,pipe=EMFILE:x");
        let shown: Vec<_> = list
            .iter()
            .map(|part| {
                (part.name.as_str(), part.errno, part.left.as_ref().map(|left| left.load(Ordering::Relaxed)))
            })
            .collect();
        assert_eq!(shown, [("futex_waitv", Errno::NOSYS, None), ("dup", Errno::MFILE, Some(3))]);
    }

    #[test]
    fn the_table_is_sorted_and_names_each_call_once() {
        assert!(CALLS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(CALLS.iter().all(|(_, errors)| !errors.is_empty()));
    }
}
