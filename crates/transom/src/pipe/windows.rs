//! Pipes over the real calls.
//!
//! The ends of named pipes are made for overlapped work, which nobody outside sees: each call starts its own
//! operation, with an event of its thread, and waits for that one. So a read and a write never wait for each
//! other (P56), a call can run out of time, and `CancelIoEx` reaches it.

use std::convert::Infallible;
use std::marker::PhantomData;

use transom_sys::windows as sys;
use transom_sys::windows::pipe::{self, Blueprint};
use transom_sys::windows::security::{Attributes, Descriptor};

use super::{
    ClientOptions, Connected, InstanceWait, Message, NamedPipe, PIPE_NOWAIT, PIPE_READMODE_MESSAGE, Peek,
    PipeInfo, PipeOptions, PipeState, ServerOptions, Spin,
};
use crate::error::{Code, Error, Result};
use crate::handle::Handle;
use crate::handle::imp::{adopt, failed, value};
use crate::wait::Timeout;

/// The most that one call writes: `WriteFile` counts with 32 bits.
const LONGEST_WRITE: usize = u32::MAX as usize;

pub(super) fn create(options: &PipeOptions) -> Result<(Handle, Handle)> {
    let attributes = Attributes::new(None, options.inherit);
    let (read, write) = pipe::create(&attributes, options.size).map_err(failed("create pipe"))?;
    Ok((adopt(read), adopt(write)))
}

pub(super) fn create_server(options: &ServerOptions) -> Result<Handle> {
    let create = || {
        let descriptor = match &options.security {
            Some(security) => Some(Descriptor::from_sddl(&security.to_sddl())?),
            None => None,
        };
        let attributes = Attributes::new(descriptor.as_ref(), options.inherit);
        let blueprint = Blueprint {
            open_mode: options.open_mode | pipe::FILE_FLAG_OVERLAPPED,
            pipe_mode: options.pipe_mode,
            max_instances: options.max_instances,
            out_size: options.out_size,
            in_size: options.in_size,
            default_timeout: options.default_timeout,
        };
        pipe::create_named(&options.name, &attributes, &blueprint)
    };
    create().map(adopt).map_err(failed("create pipe"))
}

pub(super) fn open_client(options: &ClientOptions) -> Result<Handle> {
    // Without the last two whoever serves the name could act with this user's rights.
    let flags = pipe::FILE_FLAG_OVERLAPPED | pipe::SECURITY_SQOS_PRESENT | pipe::SECURITY_IDENTIFICATION;
    let attributes = Attributes::new(None, options.inherit);
    pipe::open_named(&options.name, options.access, &attributes, flags)
        .map(adopt)
        .map_err(failed("open pipe"))
}

pub(super) fn connect(handle: &Handle, timeout: Timeout) -> Result<Connected> {
    const CONNECTED: u32 = Code::PIPE_CONNECTED.value();
    match pipe::connect(value(handle), timeout.as_millis()) {
        Ok(()) => Ok(Connected::During),
        Err(CONNECTED) => Ok(Connected::Already),
        Err(code) => Err(Error::new("connect pipe", Code::new(code))),
    }
}

pub(super) fn accept(handle: &Handle, timeout: Timeout) -> Result<()> {
    match connect(handle, timeout) {
        Err(error) if error.code() != Code::NO_DATA => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn disconnect(handle: &Handle) -> Result<()> {
    pipe::disconnect(value(handle)).map_err(failed("disconnect pipe"))
}

pub(super) fn wait(name: &[u16], wait: InstanceWait) -> Result<()> {
    pipe::wait_named(name, wait.value()).map_err(failed("wait for pipe"))
}

pub(super) fn call(name: &[u16], request: &[u8], reply: &mut [u8], wait: InstanceWait) -> Result<Message> {
    pipe::call_named(name, request, reply, wait.value()).map(message).map_err(failed("call pipe"))
}

pub(super) fn receive(handle: &Handle, buffer: &mut [u8], timeout: Timeout) -> Result<Message> {
    pipe::read(value(handle), buffer, timeout.as_millis()).map(message).map_err(failed("read pipe"))
}

pub(super) fn send(handle: &Handle, bytes: &[u8], timeout: Timeout) -> Result<usize> {
    let mut written = 0;
    loop {
        let rest = &bytes[written..];
        let part = &rest[..rest.len().min(LONGEST_WRITE)];
        let count = pipe::write(value(handle), part, timeout.as_millis()).map_err(failed("write pipe"))?;
        written += count;
        // Less than asked for is what PIPE_NOWAIT gives when there is no room.
        if count < part.len() || written == bytes.len() {
            return Ok(written);
        }
    }
}

/// The memory of a pipe is the kernel's: nothing of it can be lent. There is no value of this type.
#[derive(Debug)]
pub(super) struct Loan<'a>(Infallible, PhantomData<&'a Handle>);

/// As [`Loan`].
#[derive(Debug)]
pub(super) struct Borrowed<'a>(Infallible, PhantomData<&'a Handle>);

pub(super) fn lend(_: &Handle, _len: usize, _: Timeout) -> Result<Option<Loan<'_>>> {
    Ok(None)
}

pub(super) fn commit(_: &Handle, loan: Loan<'_>, _len: usize, _: Timeout) -> Result<usize> {
    match loan.0 {}
}

pub(super) fn borrow_next(_: &Handle, _: Timeout) -> Result<Option<Borrowed<'_>>> {
    Ok(None)
}

impl Loan<'_> {
    pub(super) fn as_ptr(&self) -> *mut u8 {
        match self.0 {}
    }

    pub(super) fn write(&mut self, _at: usize, _bytes: &[u8]) -> bool {
        match self.0 {}
    }
}

impl Borrowed<'_> {
    pub(super) fn len(&self) -> usize {
        match self.0 {}
    }

    pub(super) fn is_complete(&self) -> bool {
        match self.0 {}
    }

    pub(super) fn parts(&self) -> [(*const u8, usize); 2] {
        match self.0 {}
    }

    pub(super) fn read(&self, _at: usize, _buffer: &mut [u8]) -> bool {
        match self.0 {}
    }

    pub(super) fn consume(self) -> Result<bool> {
        match self.0 {}
    }
}

pub(super) fn transact(
    handle: &Handle,
    request: &[u8],
    reply: &mut [u8],
    timeout: Timeout,
) -> Result<Message> {
    pipe::transact(value(handle), request, reply, timeout.as_millis())
        .map(message)
        .map_err(failed("transact on pipe"))
}

fn message(transfer: pipe::Transfer) -> Message {
    Message { len: transfer.count, complete: !transfer.more }
}

pub(super) fn peek(handle: &Handle, buffer: &mut [u8]) -> Result<Peek> {
    let peek = pipe::peek(value(handle), buffer).map_err(failed("peek pipe"))?;
    // Of a pipe of bytes, where nothing is left of any message, the system says 0 less what was copied (P60).
    let possible = peek.available.saturating_sub(peek.copied);
    let left = if peek.left > possible { 0 } else { peek.left };
    Ok(Peek { copied: peek.copied as usize, available: peek.available as usize, left: left as usize })
}

pub(super) fn flush(handle: &Handle, timeout: Timeout) -> Result<()> {
    pipe::flush(value(handle), timeout.as_millis()).map_err(failed("flush pipe"))
}

pub(super) fn info(handle: &Handle) -> Result<PipeInfo> {
    let info = pipe::info(value(handle)).map_err(failed("get pipe information"))?;
    Ok(PipeInfo {
        flags: info.flags,
        out_size: info.out_size,
        in_size: info.in_size,
        max_instances: info.max_instances,
    })
}

pub(super) fn state(handle: &Handle) -> Result<PipeState> {
    let state = pipe::state(value(handle)).map_err(failed("get pipe state"))?;
    Ok(PipeState {
        nowait: state.mode & PIPE_NOWAIT != 0,
        message_read: state.mode & PIPE_READMODE_MESSAGE != 0,
        instances: state.instances,
    })
}

pub(super) fn set_mode(handle: &Handle, mode: u32) -> Result<()> {
    pipe::set_state(value(handle), mode).map_err(failed("set pipe state"))
}

pub(super) fn client_process_id(handle: &Handle) -> Result<u32> {
    pipe::client_process_id(value(handle)).map_err(failed("get client process of pipe"))
}

pub(super) fn server_process_id(handle: &Handle) -> Result<u32> {
    pipe::server_process_id(value(handle)).map_err(failed("get server process of pipe"))
}

pub(super) fn client_user_id(_: &Handle) -> Result<u32> {
    Err(Error::new("get client user of pipe", Code::NOT_SUPPORTED))
}

pub(super) fn cancel(handle: &Handle) -> Result<()> {
    pipe::cancel(value(handle)).map_err(failed("cancel waiting calls on pipe"))
}

/// How a call waits is the system's own affair.
pub(super) fn set_spin(handle: &Handle, _spin: Spin) -> Result<()> {
    sys::handle::information(value(handle)).map(drop).map_err(failed("set how pipe waits"))
}

/// Of a pipe that it does not open the system tells the name alone.
pub(super) fn list() -> Result<Vec<NamedPipe>> {
    let names = pipe::names().map_err(failed("list pipes"))?;
    let mut pipes: Vec<_> = names
        .iter()
        .map(|name| NamedPipe {
            name: format!(r"\\.\pipe\{}", String::from_utf16_lossy(name)),
            message: None,
            max_instances: None,
            user: None,
            instance_count: None,
            instances: Vec::new(),
        })
        .collect();
    pipes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(pipes)
}
