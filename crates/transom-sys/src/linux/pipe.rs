//! pipe(2): what anonymous pipes are made of.

use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags};
use rustix::io::{Errno, Result};
use rustix::pipe::{PipeFlags, SpliceFlags};

use super::fault::opening;
use super::fd::above_standard;

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

/// What poll(2) says about an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Something can be read.
    pub readable: bool,
    /// Nobody has the other end.
    pub broken: bool,
}

/// poll(2) for reading; `wait`: until there is something to say, else at once.
pub fn poll_read(fd: impl AsFd, wait: bool) -> Result<Ready> {
    poll(fd, PollFlags::IN, wait)
}

/// poll(2) for writing.
pub fn poll_write(fd: impl AsFd, wait: bool) -> Result<Ready> {
    poll(fd, PollFlags::OUT, wait)
}

fn poll(fd: impl AsFd, flags: PollFlags, wait: bool) -> Result<Ready> {
    let fd = fd.as_fd();
    let mut fds = [PollFd::new(&fd, flags)];
    let zero = rustix::time::Timespec::default();
    loop {
        match rustix::event::poll(&mut fds, if wait { None } else { Some(&zero) }) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
            Ok(_) => {
                let events = fds[0].revents();
                return Ok(Ready {
                    readable: events.contains(PollFlags::IN),
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
