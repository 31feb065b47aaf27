//! A pipe(2) as a doorbell: who sleeps reads from it, who wakes writes bytes into it, which mean nothing by
//! themselves (*tokens*).
//!
//! ```text
//!   sleeper's process                         peer's process
//!   reader ◄──────────── pipe ◄────────────── ringer
//!   read(2) sleeps       one byte each        write(2) wakes
//!   0 bytes, POLLHUP: no ringer is left       (opened for reading too, and never read from)
//! ```
//! The kernel closes a killed process's descriptors, so a bell is a life line as well: who sleeps at one learns of
//! the end of the last process that could ring it, and need not watch anything else.
//!
//! **No SIGPIPE.** A pipe has no flag that keeps the signal away, and blocking it around each write would be five
//! system calls instead of one. So a ringer is opened for reading and writing: its pipe always has a reader,
//! which is itself. Nothing is lost by that, since the peer's end shows at one's own bell. Linux 6.18 has a flag for the
//! write: there the write end that pipe2(2) gives is good enough ([`is_ringer`]), and nothing is opened.
//!
//! **No blocking.** Ringers are non-blocking: a full pipe holds more tokens than there are sleepers. Readers are
//! blocking descriptors, so that sleeping is one system call; tokens are taken without sleeping by RWF_NOWAIT.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::{Errno, ReadWriteFlags, Result};

use super::fault::opening;
use super::fd::{self, above_standard};
use super::{futex, procfs};

/// The most tokens that one call takes or writes.
pub const MOST: usize = 64;

/// pipe2(2), close-on-exec: the reader, and a first write end that keeps the pipe from having none.
pub fn create() -> Result<(OwnedFd, OwnedFd)> {
    super::pipe::create()
}

/// Opens the bell that this process has open as `fd` (either end) for ringing.
pub fn reopen_ringer(fd: impl AsFd) -> Result<OwnedFd> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd());
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK;
    above_standard(opening("open_proc", || rustix::fs::openat(CWD, &path, flags, Mode::empty()))?)
}

/// Opens a bell that another process has open as `number` for ringing. EBADF if it is no pipe.
pub fn open_ringer(process: u32, number: RawFd) -> Result<OwnedFd> {
    checked(procfs::open_descriptor(process, number, true, true)?)
}

/// As [`open_ringer`], for writing alone: where reading from the bell is not allowed. See [`ring_quietly`].
pub fn open_writer(process: u32, number: RawFd) -> Result<OwnedFd> {
    checked(procfs::open_descriptor(process, number, false, true)?)
}

/// Opens a bell that another process has open as `number` for sleeping. EBADF if it is no pipe.
pub fn open_reader(process: u32, number: RawFd) -> Result<OwnedFd> {
    let reader = checked(procfs::open_descriptor(process, number, true, false)?)?;
    // Opened without blocking, since what stands there may be anything.
    fd::set_nonblocking(&reader, false)?;
    Ok(reader)
}

/// pidfd_getfd(2): the end of a bell that a process has open as `number`, to be used by this one from now on: it is one
/// open file. EBADF if it is no pipe.
pub fn take_over(pidfd: BorrowedFd<'_>, number: RawFd) -> Result<OwnedFd> {
    checked(fd::take(pidfd, number)?)
}

/// Whether [`ring_quietly`] is one system call for the `writer` that [`create`] gave with `reader`, at which nobody sleeps
/// yet. If so, it does not block from here on.
#[must_use]
pub fn is_ringer(reader: impl AsFd, writer: impl AsFd) -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    let known = KNOWN.get_or_init(|| {
        // Tried with a token, while there is a reader: a kernel that took any flag for none would not signal here.
        let rung = super::fault::call("pwritev2").is_ok() && write_quietly(&writer, &[1]) == Ok(1);
        rung && take(&reader, 1) == Ok(Woken::Tokens(1))
    });
    // Fresh as it is, it has no other flag that could be lost.
    *known && rustix::fs::fcntl_setfl(&writer, OFlags::NONBLOCK).is_ok()
}

/// EBADF if it is no pipe. F_GETPIPE_SZ says so in less than half of fstat(2)'s time.
fn checked(bell: OwnedFd) -> Result<OwnedFd> {
    rustix::pipe::fcntl_getpipe_size(&bell).map(|_| bell)
}

/// What became of a sleep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// By so many tokens, which are taken.
    Tokens(usize),
    /// There is no token.
    Nothing,
    /// There is no token, and nobody is left who could ring.
    Gone,
}

/// read(2): sleeps until there is a token and takes at most `most` (up to [`MOST`]).
///
/// A signal ends the sleep too: [`Woken::Nothing`].
pub fn sleep(reader: impl AsFd, most: usize) -> Result<Woken> {
    let mut tokens = [0; MOST];
    match rustix::io::read(reader, &mut tokens[..most.clamp(1, MOST)]) {
        Ok(0) => Ok(Woken::Gone),
        Ok(count) => Ok(Woken::Tokens(count)),
        Err(Errno::INTR | Errno::AGAIN) => Ok(Woken::Nothing),
        Err(error) => Err(error),
    }
}

/// preadv2(2) with RWF_NOWAIT: takes at most `most` tokens without sleeping.
pub fn take(reader: impl AsFd, most: usize) -> Result<Woken> {
    /// Pipes know the flag since Linux 6.5, and some sandboxes refuse the call.
    static REFUSED: AtomicBool = AtomicBool::new(false);
    let mut tokens = [0; MOST];
    let tokens = &mut tokens[..most.clamp(1, MOST)];
    if !REFUSED.load(Ordering::Relaxed) {
        match rustix::io::preadv2(&reader, &mut [IoSliceMut::new(tokens)], u64::MAX, ReadWriteFlags::NOWAIT) {
            Ok(0) => return Ok(Woken::Gone),
            Ok(count) => return Ok(Woken::Tokens(count)),
            Err(Errno::AGAIN | Errno::INTR) => return Ok(Woken::Nothing),
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => {
                REFUSED.store(true, Ordering::Relaxed);
            }
            Err(error) => return Err(error),
        }
    }
    take_otherwise(reader.as_fd(), tokens)
}

/// As [`take`], through an open file of its own that does not block; where /proc gives none, by looking first.
fn take_otherwise(reader: BorrowedFd<'_>, tokens: &mut [u8]) -> Result<Woken> {
    let own = reopen_reader(reader);
    let from = match &own {
        Ok(own) => own.as_fd(),
        Err(_) => {
            let ready = wait(reader, &[], Some(0))?;
            match (ready.bell, ready.gone) {
                (true, _) => reader,
                (false, true) => return Ok(Woken::Gone),
                (false, false) => return Ok(Woken::Nothing),
            }
        }
    };
    match rustix::io::read(from, tokens) {
        Ok(0) => Ok(Woken::Gone),
        Ok(count) => Ok(Woken::Tokens(count)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(Woken::Nothing),
        Err(error) => Err(error),
    }
}

fn reopen_reader(reader: BorrowedFd<'_>) -> Result<OwnedFd> {
    use std::os::fd::AsRawFd;
    let path = format!("/proc/self/fd/{}", reader.as_raw_fd());
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    opening("open_proc", || rustix::fs::openat(CWD, &path, flags, Mode::empty()))
}

/// write(2): puts `count` tokens (at most [`MOST`]) into the bell of `ringer`, which [`open_ringer`] or
/// [`reopen_ringer`] made. A full pipe is enough for everybody.
pub fn ring(ringer: impl AsFd, count: usize) {
    let tokens = [1; MOST];
    let tokens = &tokens[..count.clamp(1, MOST)];
    while rustix::io::write(&ringer, tokens) == Err(Errno::INTR) {}
}

/// As [`ring`], for a ringer that can only be written ([`open_writer`], [`is_ringer`]): write(2) would raise SIGPIPE when
/// nobody is left to sleep there.
pub fn ring_quietly(ringer: impl AsFd, count: usize) {
    let tokens = [1; MOST];
    let tokens = &tokens[..count.clamp(1, MOST)];
    loop {
        match write_quietly(&ringer, tokens) {
            Err(Errno::INTR) => {}
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => break,
            Ok(_) | Err(_) => return,
        }
    }
    ring_without_signal(ringer.as_fd(), tokens);
}

/// pwritev2(2) with RWF_NOSIGNAL, which Linux has since 6.18.
fn write_quietly(ringer: impl AsFd, tokens: &[u8]) -> Result<usize> {
    const NOSIGNAL: ReadWriteFlags = ReadWriteFlags::from_bits_retain(0x100);
    rustix::io::pwritev2(ringer, &[IoSlice::new(tokens)], u64::MAX, NOSIGNAL)
}

#[cold]
fn ring_without_signal(ringer: BorrowedFd<'_>, tokens: &[u8]) {
    let write = || super::signal::without_pipe_signal(|| rustix::io::write(ringer, tokens));
    while write() == Err(Errno::INTR) {}
}

/// fchmod(2): others may only write into the bell, or (`whole`) do both.
pub fn open_to_others(bell: impl AsFd, whole: bool) -> Result<()> {
    super::dirs::set_mode(bell, if whole { 0o666 } else { 0o622 })
}

/// What there is to be seen at a bell and at other descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ready {
    /// There are tokens.
    pub bell: bool,
    /// Nobody is left who could ring.
    pub gone: bool,
    /// One of the other descriptors has something to say.
    pub other: bool,
}

impl Ready {
    /// Whether there is anything.
    #[must_use]
    pub fn any(self) -> bool {
        self.bell || self.gone || self.other
    }
}

/// The most further descriptors that [`wait`] takes.
pub const MOST_OTHERS: usize = 3;

/// ppoll(2): waits until there is a token, nobody is left to ring, one of the `others` (at most [`MOST_OTHERS`]) is
/// readable, or CLOCK_MONOTONIC reaches `deadline` (0: a look). Nothing is taken. A signal ends the wait.
pub fn wait(reader: impl AsFd, others: &[BorrowedFd<'_>], deadline: Option<u64>) -> Result<Ready> {
    let reader = reader.as_fd();
    let mut fds = [const { None }; MOST_OTHERS + 1];
    fds[0] = Some(reader);
    for (place, other) in fds[1..].iter_mut().zip(others) {
        *place = Some(*other);
    }
    let count = 1 + others.len().min(MOST_OTHERS);
    let mut fds =
        fds.map(|fd: Option<BorrowedFd<'_>>| PollFd::from_borrowed_fd(fd.unwrap_or(reader), PollFlags::IN));
    let left = deadline.map(|at| {
        let nanos = if at == 0 { 0 } else { at.saturating_sub(futex::now()) };
        rustix::time::Timespec {
            tv_sec: (nanos / 1_000_000_000) as i64,
            tv_nsec: (nanos % 1_000_000_000) as i64,
        }
    });
    match rustix::event::poll(&mut fds[..count], left.as_ref()) {
        Err(Errno::INTR) => Ok(Ready::default()),
        Err(error) => Err(error),
        Ok(_) => {
            let bell = fds[0].revents();
            Ok(Ready {
                bell: bell.contains(PollFlags::IN),
                gone: bell.intersects(PollFlags::HUP | PollFlags::ERR),
                other: fds[1..count].iter().any(|fd| !fd.revents().is_empty()),
            })
        }
    }
}

/// poll(2): whether nobody is left who could ring this bell.
#[must_use]
pub fn is_gone(reader: impl AsFd) -> bool {
    wait(reader, &[], Some(0)).is_ok_and(|ready| ready.gone)
}

/// An epoll(7) descriptor that is readable while there is a token at the bell or a [`Pollable::kick`] that was not taken.
///
/// A thread that sleeps at the bell takes tokens which others of its process polled for; so it kicks these.
#[derive(Debug)]
pub struct Pollable {
    epoll: OwnedFd,
    kicks: OwnedFd,
}

impl Pollable {
    /// epoll_create1(2) and eventfd(2) for the bell of `reader`.
    pub fn new(reader: impl AsFd) -> Result<Pollable> {
        use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
        use rustix::event::{EventfdFlags, eventfd};
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        let kicks = above_standard(opening("eventfd", || eventfd(0, flags))?)?;
        let epoll = above_standard(opening("epoll_create", || epoll::create(CreateFlags::CLOEXEC))?)?;
        super::fault::call("epoll_ctl")?;
        epoll::add(&epoll, reader, EventData::new_u64(0), EventFlags::IN)?;
        epoll::add(&epoll, &kicks, EventData::new_u64(1), EventFlags::IN)?;
        Ok(Pollable { epoll, kicks })
    }

    /// Makes the descriptor readable.
    pub fn kick(&self) {
        let _ = rustix::io::write(&self.kicks, &1u64.to_ne_bytes());
    }

    /// Takes back what [`Pollable::kick`] did.
    pub fn take_kicks(&self) {
        let _ = rustix::io::read(&self.kicks, &mut [0; 8]);
    }
}

impl AsFd for Pollable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn tokens_wake_and_are_taken() {
        let (reader, writer) = create().expect("a pipe");
        let ringer = reopen_ringer(&reader).expect("a ringer");
        assert_eq!(take(&reader, 1), Ok(Woken::Nothing));
        ring(&ringer, 3);
        assert_eq!(sleep(&reader, 1), Ok(Woken::Tokens(1)));
        assert!(wait(&reader, &[], Some(0)).expect("a look").bell);
        assert_eq!(take(&reader, MOST), Ok(Woken::Tokens(2)));
        assert_eq!(take(&reader, MOST), Ok(Woken::Nothing));
        drop(writer);
        assert!(!is_gone(&reader));
        drop(ringer);
        assert!(is_gone(&reader));
        assert_eq!(take(&reader, 1), Ok(Woken::Gone));
        assert_eq!(sleep(&reader, 1), Ok(Woken::Gone));
    }

    #[test]
    fn tokens_are_taken_without_sleeping_also_where_the_kernel_has_no_flag_for_it() {
        let (reader, writer) = create().expect("a pipe");
        let ringer = reopen_ringer(&reader).expect("a ringer");
        assert_eq!(take_otherwise(reader.as_fd(), &mut [0; 4]), Ok(Woken::Nothing));
        ring(&ringer, 5);
        assert_eq!(take_otherwise(reader.as_fd(), &mut [0; 4]), Ok(Woken::Tokens(4)));
        drop((writer, ringer));
        assert_eq!(take_otherwise(reader.as_fd(), &mut [0; 4]), Ok(Woken::Tokens(1)));
        assert_eq!(take_otherwise(reader.as_fd(), &mut [0; 4]), Ok(Woken::Gone));
    }

    /// The signal would end the test program, were it raised.
    #[test]
    fn ringing_where_nobody_sleeps_any_more_is_harmless() {
        let (reader, writer) = create().expect("a pipe");
        let ringer = reopen_ringer(&reader).expect("a ringer");
        drop((reader, writer));
        ring(&ringer, 1);
    }

    /// As above: this ringer is the only one that could raise it.
    #[test]
    fn a_bell_for_writing_alone_rings_and_raises_no_signal() {
        let (reader, writer) = create().expect("a pipe");
        let ringer = open_writer(std::process::id(), reader.as_raw_fd()).expect("a writer");
        assert_eq!(fd::access_mode(&ringer), Ok((false, true)));
        drop(writer);
        ring_quietly(&ringer, 2);
        assert_eq!(sleep(&reader, MOST), Ok(Woken::Tokens(2)));
        drop(reader);
        ring_quietly(&ringer, 1);
    }

    #[test]
    fn a_write_end_rings_as_it_is_where_the_kernel_can_keep_the_signal_away() {
        let (reader, writer) = create().expect("a pipe");
        let able = is_ringer(&reader, &writer);
        assert_eq!(take(&reader, 1), Ok(Woken::Nothing), "no token is left of trying");
        if able {
            assert_eq!(write_quietly(&writer, &[1]), Ok(1));
            assert_eq!(sleep(&reader, MOST), Ok(Woken::Tokens(1)));
            for _ in 0..2_000 {
                ring_quietly(&writer, MOST);
            }
        }
        // Also where it cannot.
        ring_without_signal(writer.as_fd(), &[1]);
        assert!(matches!(sleep(&reader, MOST), Ok(Woken::Tokens(1..))));
        drop(reader);
        ring_quietly(&writer, 1);
        ring_without_signal(writer.as_fd(), &[1]);
    }

    #[test]
    fn an_end_that_is_taken_over_is_the_same_open_file() {
        let (reader, writer) = create().expect("a pipe");
        let own = super::super::process::open(std::process::id()).expect("a pidfd");
        let taken = take_over(own.as_fd(), writer.as_raw_fd()).expect("a descriptor");
        drop(writer);
        assert!(!is_gone(&reader), "it is the last write end");
        rustix::io::write(&taken, &[1]).expect("room");
        assert_eq!(sleep(&reader, MOST), Ok(Woken::Tokens(1)));
        drop(taken);
        assert!(is_gone(&reader));
        assert_eq!(take_over(own.as_fd(), own.as_raw_fd()).err(), Some(Errno::BADF), "that is no pipe");
    }

    #[test]
    fn a_full_bell_does_not_block_who_rings() {
        let (reader, _writer) = create().expect("a pipe");
        let ringer = reopen_ringer(&reader).expect("a ringer");
        for _ in 0..2_000 {
            ring(&ringer, MOST);
        }
        assert_eq!(sleep(&reader, MOST), Ok(Woken::Tokens(MOST)));
    }

    #[test]
    fn a_wait_ends_at_its_deadline_or_with_the_first_to_speak() {
        let (reader, _writer) = create().expect("a pipe");
        let (other, other_writer) = create().expect("a pipe");
        let begun = futex::now();
        assert!(!wait(&reader, &[other.as_fd()], Some(begun + 3_000_000)).expect("a wait").any());
        assert!(futex::now() >= begun + 3_000_000);
        rustix::io::write(&other_writer, b"x").expect("room");
        let ready = wait(&reader, &[other.as_fd()], None).expect("a wait");
        assert_eq!(ready, Ready { other: true, ..Ready::default() });
    }

    #[test]
    fn a_pollable_is_readable_by_tokens_and_kicks() {
        let (reader, _writer) = create().expect("a pipe");
        let ringer = reopen_ringer(&reader).expect("a ringer");
        let pollable = Pollable::new(&reader).expect("descriptors");
        let readable = || wait(&pollable, &[], Some(0)).expect("a look").bell;
        assert!(!readable());
        pollable.kick();
        assert!(readable());
        pollable.take_kicks();
        assert!(!readable());
        ring(&ringer, 1);
        assert!(readable());
    }
}
