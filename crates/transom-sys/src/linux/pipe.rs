//! pipe(2): what anonymous pipes are made of.

use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, ReadWriteFlags, Result};
use rustix::pipe::{PipeFlags, SpliceFlags};

use super::fault::opening;
use super::fd::above_standard;
use super::signal::without_pipe_signal;

/// What a pipe takes whole as soon as poll(2) says that it can be written.
const PIPE_BUF: usize = 4096;

/// pipe2(2), close-on-exec: read end and write end.
pub fn create() -> Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = opening("pipe", || rustix::pipe::pipe_with(PipeFlags::CLOEXEC))?;
    Ok((above_standard(reader)?, above_standard(writer)?))
}

/// F_SETPIPE_SZ: asks for room for at least `bytes`; the system may give less to unprivileged users.
pub fn set_capacity(fd: impl AsFd, bytes: usize) -> Result<usize> {
    rustix::pipe::fcntl_setpipe_size(fd, bytes)
}

/// FIONREAD: unread bytes.
pub fn unread(fd: impl AsFd) -> Result<usize> {
    rustix::io::ioctl_fionread(fd).map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
}

/// read(2).
pub fn read(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize> {
    rustix::io::read(fd, buffer)
}

/// preadv2(2) with RWF_NOWAIT: what is there, else EAGAIN. Where the kernel cannot do that for pipes it is read(2),
/// which waits if another reader was quicker: call it when poll(2) has seen something.
pub fn read_now(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize> {
    let fd = fd.as_fd();
    match rustix::io::preadv2(fd, &mut [IoSliceMut::new(buffer)], u64::MAX, ReadWriteFlags::NOWAIT) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::SPIPE) => rustix::io::read(fd, buffer),
        result => result,
    }
}

/// pwritev2(2) with RWF_NOWAIT, without SIGPIPE: what fits, else EAGAIN. Where the kernel cannot do that for pipes
/// it is write(2) of a small part, for which there is room if poll(2) has seen some.
pub fn write_now(fd: impl AsFd, bytes: &[u8]) -> Result<usize> {
    let fd = fd.as_fd();
    without_pipe_signal(|| {
        match rustix::io::pwritev2(fd, &[IoSlice::new(bytes)], u64::MAX, ReadWriteFlags::NOWAIT) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::SPIPE) => {
                rustix::io::write(fd, &bytes[..bytes.len().min(PIPE_BUF)])
            }
            result => result,
        }
    })
}

/// What poll(2) says about an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Something can be read.
    pub readable: bool,
    /// Something can be written.
    pub writable: bool,
    /// Nobody has the other end.
    pub broken: bool,
}

/// poll(2) for reading; `wait`: until there is something to say, else at once.
pub fn poll_read(fd: impl AsFd, wait: bool) -> Result<Ready> {
    poll(fd, PollFlags::IN, limit(wait))
}

/// poll(2) for reading, at most for `time`; then no field is true.
pub fn poll_read_for(fd: impl AsFd, time: Duration) -> Result<Ready> {
    poll(fd, PollFlags::IN, Some(time))
}

/// poll(2) for writing.
pub fn poll_write(fd: impl AsFd, wait: bool) -> Result<Ready> {
    poll(fd, PollFlags::OUT, limit(wait))
}

/// poll(2) for writing, at most for `time`.
pub fn poll_write_for(fd: impl AsFd, time: Duration) -> Result<Ready> {
    poll(fd, PollFlags::OUT, Some(time))
}

fn limit(wait: bool) -> Option<Duration> {
    if wait { None } else { Some(Duration::ZERO) }
}

fn poll(fd: impl AsFd, flags: PollFlags, limit: Option<Duration>) -> Result<Ready> {
    let fd = fd.as_fd();
    let mut fds = [PollFd::new(&fd, flags)];
    let began = Instant::now();
    let mut left = limit;
    loop {
        // A time too long for the format is as good as none.
        let timespec = left.and_then(|left| rustix::time::Timespec::try_from(left).ok());
        match rustix::event::poll(&mut fds, timespec.as_ref()) {
            Err(Errno::INTR) => left = limit.map(|limit| limit.saturating_sub(began.elapsed())),
            Err(error) => return Err(error),
            Ok(_) => {
                let events = fds[0].revents();
                return Ok(Ready {
                    readable: events.contains(PollFlags::IN),
                    writable: events.contains(PollFlags::OUT),
                    broken: events.intersects(PollFlags::HUP | PollFlags::ERR),
                });
            }
        }
    }
}

/// tee(2) into a pipe of its own: copies from the front without taking; how many bytes.
pub fn peek(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize> {
    let (reader, writer) = create()?;
    if buffer.len() > 65_536 {
        set_capacity(&writer, buffer.len())?;
    }
    let copied = match rustix::pipe::tee(fd, &writer, buffer.len(), SpliceFlags::NONBLOCK) {
        Err(Errno::AGAIN) => 0,
        result => result?,
    };
    let mut done = 0;
    while done < copied {
        match rustix::io::read(&reader, &mut buffer[done..copied])? {
            0 => break,
            count => done += count,
        }
    }
    Ok(done)
}
