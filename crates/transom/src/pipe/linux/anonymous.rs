//! Anonymous pipes on Linux: pipe(2), since they must serve as a child's standard streams.
//!
//! The kernel's pipe has a capacity in whole pages; the quota in bytes (P33) is kept beside it and matters
//! where it can be told: in `PIPE_NOWAIT` mode. A blocking write waits for room in the kernel's pipe, which
//! is at least the quota.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use transom_core::access::{
    FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES,
};
use transom_core::code::Code;
use transom_sys::linux::{Errno, fd, pipe, signal};

use super::super::{PIPE_NOWAIT, PIPE_SERVER_END, Peek, PipeInfo, PipeOptions, PipeState};
use crate::engine::errno::{code, with_room};
use crate::engine::named::{error, finish};
use crate::engine::table::{Descriptor, Object, PipeEnd};
use crate::error::Result;
use crate::handle::Handle;
use crate::wait::Timeout;

/// The quota of a pipe whose creator gave none.
pub(crate) const DEFAULT_QUOTA: u32 = 4096;

pub(super) fn create(options: &PipeOptions) -> Result<(Handle, Handle)> {
    let error = error("create pipe");
    let quota = if options.size == 0 { DEFAULT_QUOTA } else { options.size };
    let (reader, writer) = with_room(pipe::create).map_err(&error)?;
    // More than an unprivileged user may have: the kernel keeps what it has, and writes wait earlier.
    let _ = pipe::set_capacity(&writer, quota as usize);
    let end = |descriptor, reader| {
        Object::Pipe(Arc::new(PipeEnd::new(Descriptor::Owned(descriptor), quota, reader)))
    };
    // H41.
    let read_access = FILE_GENERIC_READ | FILE_WRITE_ATTRIBUTES;
    let write_access = FILE_GENERIC_WRITE | FILE_READ_ATTRIBUTES;
    let reader = finish(end(reader, true), read_access, None, options.inherit).map_err(&error)?;
    let writer = finish(end(writer, false), write_access, None, options.inherit).map_err(error)?;
    Ok((reader, writer))
}

/// The time that is left of a call's time-out.
struct Left {
    began: Instant,
    limit: Option<Duration>,
}

impl Left {
    fn of(timeout: Timeout) -> Left {
        Left { began: Instant::now(), limit: timeout.as_duration() }
    }

    /// `None` for a call that may wait for ever.
    fn now(&self) -> Option<Duration> {
        self.limit.map(|limit| limit.saturating_sub(self.began.elapsed()))
    }
}

pub(super) fn read(end: &PipeEnd, buffer: &mut [u8], timeout: Timeout) -> std::result::Result<usize, Code> {
    let descriptor = end.descriptor.as_fd();
    let nowait = fd::is_nonblocking(descriptor).map_err(code)?;
    let left = Left::of(timeout);
    loop {
        let limited = if nowait { None } else { left.now() };
        if limited.is_some() || buffer.is_empty() {
            let ready = match limited {
                Some(time) => pipe::poll_read_for(descriptor, time),
                None => pipe::poll_read(descriptor, !nowait),
            };
            match ready.map(|ready| (ready.readable, ready.broken)).map_err(code)? {
                // Waits for data and takes nothing (P24).
                (true, _) if buffer.is_empty() => return Ok(0),
                (true, _) => {}
                (false, true) => return Err(Code::BROKEN_PIPE),
                (false, false) if nowait => return Err(Code::NO_DATA),
                (false, false) => return Err(Code::SEM_TIMEOUT),
            }
        }
        let read = match limited {
            Some(_) => pipe::read_now(descriptor, buffer),
            None => pipe::read(descriptor, buffer),
        };
        match read {
            Ok(0) => return Err(Code::BROKEN_PIPE),
            Ok(count) => return Ok(count),
            Err(Errno::INTR) => {}
            // Another reader was quicker.
            Err(Errno::AGAIN) if !nowait => {}
            Err(Errno::AGAIN) => return Err(Code::NO_DATA),
            Err(error) => return Err(code(error)),
        }
    }
}

/// What is in the kernel's pipe cannot be taken out of it again: a write that runs out of time says how much is.
pub(super) fn write(end: &PipeEnd, bytes: &[u8], timeout: Timeout) -> std::result::Result<usize, Code> {
    let descriptor = end.descriptor.as_fd();
    let broken = || pipe::poll_write(descriptor, false).is_ok_and(|ready| ready.broken);
    // Asked first, since the kernel does not tell a reader that had gone (232) from one that goes while the
    // write waits (109).
    if broken() {
        return Err(Code::NO_DATA);
    }
    if bytes.is_empty() {
        return Ok(0);
    }
    let nowait = fd::is_nonblocking(descriptor).map_err(code)?;
    if nowait {
        // All or nothing (P42).
        let unread = pipe::unread(descriptor).map_err(code)?;
        if unread.saturating_add(bytes.len()) > end.quota as usize {
            return Ok(0);
        }
    }
    let left = Left::of(timeout);
    let mut done = 0;
    while done < bytes.len() {
        let rest = &bytes[done..];
        let limited = if nowait { None } else { left.now() };
        if let Some(time) = limited {
            let ready = pipe::poll_write_for(descriptor, time).map_err(code)?;
            if !ready.writable && !ready.broken {
                return if done == 0 { Err(Code::SEM_TIMEOUT) } else { Ok(done) };
            }
        }
        let written = match limited {
            Some(_) => pipe::write_now(descriptor, rest),
            None => signal::write_without_signal(descriptor, rest),
        };
        match written {
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            // Another writer was quicker.
            Err(Errno::AGAIN) if !nowait => {}
            Err(Errno::AGAIN) if done == 0 => return Ok(0),
            // Begun, so it is finished: nobody is to see half of it.
            Err(Errno::AGAIN) => drop(pipe::poll_write(descriptor, true).map_err(code)?),
            Err(Errno::PIPE) => return Err(Code::BROKEN_PIPE),
            Err(error) => return Err(code(error)),
        }
    }
    Ok(done)
}

pub(super) fn peek(end: &PipeEnd, buffer: &mut [u8]) -> std::result::Result<Peek, Code> {
    let descriptor = end.descriptor.as_fd();
    let available = pipe::unread(descriptor).map_err(code)?;
    if available == 0 && pipe::poll_read(descriptor, false).map_err(code)?.broken {
        return Err(Code::BROKEN_PIPE);
    }
    let copied =
        if buffer.is_empty() || available == 0 { 0 } else { pipe::peek(descriptor, buffer).map_err(code)? };
    Ok(Peek { copied, available, left: 0 })
}

pub(super) fn info(end: &PipeEnd) -> PipeInfo {
    PipeInfo {
        flags: if end.reader { PIPE_SERVER_END } else { 0 },
        out_size: end.quota,
        in_size: end.quota,
        max_instances: 1,
    }
}

pub(super) fn state(end: &PipeEnd) -> std::result::Result<PipeState, Code> {
    let nowait = fd::is_nonblocking(end.descriptor.as_fd()).map_err(code)?;
    Ok(PipeState { nowait, message_read: false, instances: 1 })
}

pub(super) fn set_mode(end: &PipeEnd, mode: u32) -> std::result::Result<(), Code> {
    if mode & !PIPE_NOWAIT != 0 {
        // Message read mode needs a message-type pipe (P31), and there are no other bits.
        return Err(Code::INVALID_PARAMETER);
    }
    fd::set_nonblocking(end.descriptor.as_fd(), mode & PIPE_NOWAIT != 0).map_err(code)
}
