//! Anonymous pipes on Linux: pipe(2), since they must serve as a child's standard streams.
//!
//! The kernel's pipe has a capacity in whole pages; the quota in bytes (P33) is kept beside it and matters
//! where it can be told: in `PIPE_NOWAIT` mode. A blocking write waits for room in the kernel's pipe, which
//! is at least the quota.

use std::os::fd::AsFd;
use std::sync::Arc;

use transom_core::access::{
    FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_READ_ATTRIBUTES, FILE_READ_DATA, FILE_WRITE_ATTRIBUTES,
    FILE_WRITE_DATA,
};
use transom_core::code::Code;
use transom_sys::linux::{Errno, fd, pipe, signal};

use super::{Peek, PipeInfo, PipeOptions};
use crate::engine::errno::{code, with_room};
use crate::engine::named::{error, finish};
use crate::engine::table::{Descriptor, Object, PipeEnd};
use crate::error::Result;
use crate::handle::Handle;

/// The quota of a pipe whose creator gave none.
pub(crate) const DEFAULT_QUOTA: u32 = 4096;
const PIPE_NOWAIT: u32 = 1;
const SERVER_END: u32 = 1;

pub(super) fn create(options: &PipeOptions) -> Result<(Handle, Handle)> {
    let error = error("create pipe");
    let quota = if options.size == 0 { DEFAULT_QUOTA } else { options.size };
    let (reader, writer) = with_room(pipe::create).map_err(&error)?;
    // More than an unprivileged user may have: the kernel keeps what it has, and writes wait earlier.
    let _ = pipe::set_capacity(&writer, quota as usize);
    let end = |descriptor, reader| {
        Object::Pipe(Arc::new(PipeEnd { descriptor: Descriptor::Owned(descriptor), quota, reader }))
    };
    // H41.
    let read_access = FILE_GENERIC_READ | FILE_WRITE_ATTRIBUTES;
    let write_access = FILE_GENERIC_WRITE | FILE_READ_ATTRIBUTES;
    let reader = finish(end(reader, true), read_access, None, options.inherit).map_err(&error)?;
    let writer = finish(end(writer, false), write_access, None, options.inherit).map_err(error)?;
    Ok((reader, writer))
}

fn end(handle: &Handle, rights: u32) -> std::result::Result<&PipeEnd, Code> {
    match &handle.resolved.0.object {
        Object::Pipe(pipe) => {
            handle.resolved.0.check(rights)?;
            Ok(pipe)
        }
        _ => Err(Code::INVALID_HANDLE),
    }
}

pub(super) fn read(handle: &Handle, buffer: &mut [u8]) -> Result<usize> {
    end(handle, FILE_READ_DATA).and_then(|end| read_end(end, buffer)).map_err(error("read pipe"))
}

fn read_end(end: &PipeEnd, buffer: &mut [u8]) -> std::result::Result<usize, Code> {
    let descriptor = end.descriptor.as_fd();
    let nowait = fd::is_nonblocking(descriptor).map_err(code)?;
    if buffer.is_empty() {
        // Waits for data and takes nothing (P24).
        let ready = pipe::poll_read(descriptor, !nowait).map_err(code)?;
        return match (ready.readable, ready.broken) {
            (true, _) => Ok(0),
            (false, true) => Err(Code::BROKEN_PIPE),
            (false, false) => Err(Code::NO_DATA),
        };
    }
    loop {
        match pipe::read(descriptor, buffer) {
            Ok(0) => return Err(Code::BROKEN_PIPE),
            Ok(count) => return Ok(count),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Err(Code::NO_DATA),
            Err(error) => return Err(code(error)),
        }
    }
}

pub(super) fn write(handle: &Handle, bytes: &[u8]) -> Result<usize> {
    end(handle, FILE_WRITE_DATA).and_then(|end| write_end(end, bytes)).map_err(error("write pipe"))
}

fn write_end(end: &PipeEnd, bytes: &[u8]) -> std::result::Result<usize, Code> {
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
    if fd::is_nonblocking(descriptor).map_err(code)? {
        // All or nothing (P42).
        let unread = pipe::unread(descriptor).map_err(code)?;
        if unread.saturating_add(bytes.len()) > end.quota as usize {
            return Ok(0);
        }
    }
    let mut done = 0;
    while done < bytes.len() {
        match signal::write_without_signal(descriptor, &bytes[done..]) {
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if done == 0 => return Ok(0),
            // Begun, so it is finished: nobody is to see half of it.
            Err(Errno::AGAIN) => drop(pipe::poll_write(descriptor, true).map_err(code)?),
            Err(Errno::PIPE) => return Err(Code::BROKEN_PIPE),
            Err(error) => return Err(code(error)),
        }
    }
    Ok(done)
}

pub(super) fn peek(handle: &Handle, buffer: &mut [u8]) -> Result<Peek> {
    let mut peek = || {
        let descriptor = end(handle, FILE_READ_DATA)?.descriptor.as_fd();
        let available = pipe::unread(descriptor).map_err(code)?;
        if available == 0 && pipe::poll_read(descriptor, false).map_err(code)?.broken {
            return Err(Code::BROKEN_PIPE);
        }
        let copied = if buffer.is_empty() || available == 0 {
            0
        } else {
            pipe::peek(descriptor, buffer).map_err(code)?
        };
        Ok(Peek { copied, available })
    };
    peek().map_err(error("peek pipe"))
}

pub(super) fn flush(handle: &Handle) -> Result<()> {
    end(handle, FILE_WRITE_DATA).map(drop).map_err(error("flush pipe"))
}

pub(super) fn info(handle: &Handle) -> Result<PipeInfo> {
    let end = end(handle, FILE_READ_ATTRIBUTES).map_err(error("get pipe information"))?;
    Ok(PipeInfo {
        flags: if end.reader { SERVER_END } else { 0 },
        out_size: end.quota,
        in_size: end.quota,
        max_instances: 1,
    })
}

pub(super) fn nowait(handle: &Handle) -> Result<bool> {
    end(handle, FILE_READ_ATTRIBUTES)
        .and_then(|end| fd::is_nonblocking(end.descriptor.as_fd()).map_err(code))
        .map_err(error("get pipe state"))
}

pub(super) fn set_mode(handle: &Handle, mode: u32) -> Result<()> {
    end(handle, FILE_WRITE_ATTRIBUTES)
        .and_then(|end| {
            if mode & !PIPE_NOWAIT != 0 {
                // Message read mode needs a message-type pipe (P31), and there are no other bits.
                return Err(Code::INVALID_PARAMETER);
            }
            fd::set_nonblocking(end.descriptor.as_fd(), mode & PIPE_NOWAIT != 0).map_err(code)
        })
        .map_err(error("set pipe state"))
}
