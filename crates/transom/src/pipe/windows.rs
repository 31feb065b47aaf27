//! Anonymous pipes over the real calls.

use transom_sys::windows::pipe;
use transom_sys::windows::security::Attributes;

use super::{Peek, PipeInfo, PipeOptions};
use crate::error::Result;
use crate::handle::Handle;
use crate::handle::imp::{adopt, failed, value};

/// The most that one call writes: `WriteFile` counts with 32 bits.
const LONGEST_WRITE: usize = u32::MAX as usize;

pub(crate) fn create(options: &PipeOptions) -> Result<(Handle, Handle)> {
    let attributes = Attributes::new(None, options.inherit);
    let (read, write) = pipe::create(&attributes, options.size).map_err(failed("create pipe"))?;
    Ok((adopt(read), adopt(write)))
}

pub(crate) fn read(handle: &Handle, buffer: &mut [u8]) -> Result<usize> {
    pipe::read(value(handle), buffer).map_err(failed("read pipe"))
}

pub(crate) fn write(handle: &Handle, bytes: &[u8]) -> Result<usize> {
    let mut written = 0;
    loop {
        let rest = &bytes[written..];
        let part = &rest[..rest.len().min(LONGEST_WRITE)];
        let count = pipe::write(value(handle), part).map_err(failed("write pipe"))?;
        written += count;
        // Less than asked for is what PIPE_NOWAIT gives when there is no room.
        if count < part.len() || written == bytes.len() {
            return Ok(written);
        }
    }
}

pub(crate) fn peek(handle: &Handle, buffer: &mut [u8]) -> Result<Peek> {
    let (copied, available) = pipe::peek(value(handle), buffer).map_err(failed("peek pipe"))?;
    Ok(Peek { copied, available })
}

pub(crate) fn flush(handle: &Handle) -> Result<()> {
    pipe::flush(value(handle)).map_err(failed("flush pipe"))
}

pub(crate) fn info(handle: &Handle) -> Result<PipeInfo> {
    let info = pipe::info(value(handle)).map_err(failed("get pipe information"))?;
    Ok(PipeInfo {
        flags: info.flags,
        out_size: info.out_size,
        in_size: info.in_size,
        max_instances: info.max_instances,
    })
}

pub(crate) fn nowait(handle: &Handle) -> Result<bool> {
    let state = pipe::state(value(handle)).map_err(failed("get pipe state"))?;
    Ok(state & pipe::PIPE_NOWAIT != 0)
}

pub(crate) fn set_mode(handle: &Handle, mode: u32) -> Result<()> {
    pipe::set_state(value(handle), mode).map_err(failed("set pipe state"))
}
