//! Pipes on Linux: which kind a handle leads to decides who answers.
//!
//! | module | what |
//! | --- | --- |
//! | [`anonymous`] | the ends of `CreatePipe`: pipe(2) |
//! | [`named`] | by name: creating, opening, waiting, calling |
//! | [`end`] | what is done with an end of a named pipe |
//! | [`ext`] | the same in steps that never sleep |
//! | [`loan`] | writing and reading in place |
//! | [`list`] | what pipes there are |

use transom_core::access::FILE_WRITE_ATTRIBUTES;
use transom_core::code::Code;
use transom_core::pipe::Operation;

use super::{
    ClientOptions, Connected, InstanceWait, Message, Peek, PipeInfo, PipeOptions, PipeState, ServerOptions,
    Spin,
};
use crate::engine::instance::Came;
use crate::engine::named::error;
use crate::engine::table::{Object, PipeEnd};
use crate::error::Result;
use crate::handle::Handle;
use crate::wait::Timeout;

#[path = "linux/anonymous.rs"]
mod anonymous;
#[path = "linux/end.rs"]
mod end;
#[path = "linux/ext.rs"]
pub mod ext;
#[path = "linux/list.rs"]
mod list;
#[path = "linux/loan.rs"]
mod loan;
#[path = "linux/named.rs"]
mod named;

pub(crate) use anonymous::DEFAULT_QUOTA;
pub(crate) use end::NamedEnd;
pub(super) use loan::{Borrowed, Loan};

pub(super) fn create(options: &PipeOptions) -> Result<(Handle, Handle)> {
    anonymous::create(options)
}

pub(super) fn create_server(options: &ServerOptions) -> Result<Handle> {
    named::create_server(options).map_err(error("create pipe"))
}

pub(super) fn open_client(options: &ClientOptions) -> Result<Handle> {
    named::open_client(options).map_err(error("open pipe"))
}

pub(super) fn wait(name: &[u16], wait: InstanceWait) -> Result<()> {
    named::wait(name, wait.value()).map_err(error("wait for pipe"))
}

pub(super) fn call(name: &[u16], request: &[u8], reply: &mut [u8], wait: InstanceWait) -> Result<Message> {
    named::call(name, request, reply, wait.value()).map_err(error("call pipe"))
}

/// An end of either kind.
enum End<'a> {
    Named(NamedEnd<'a>),
    Anonymous(&'a PipeEnd),
}

/// The end that a handle leads to, if it has the rights.
#[inline]
fn end(handle: &Handle, rights: u32) -> std::result::Result<End<'_>, Code> {
    let entry = &handle.resolved.0;
    let end = match (NamedEnd::of(entry), &entry.object) {
        (Some(end), _) => End::Named(end),
        (None, Object::Pipe(pipe)) => End::Anonymous(pipe),
        _ => return Err(Code::INVALID_HANDLE),
    };
    entry.check(rights)?;
    Ok(end)
}

#[inline]
pub(super) fn receive(handle: &Handle, buffer: &mut [u8], timeout: Timeout) -> Result<Message> {
    match end(handle, Operation::Read.right()) {
        Ok(End::Named(end)) => end.receive(buffer, timeout),
        Ok(End::Anonymous(end)) => {
            anonymous::read(end, buffer, timeout).map(|len| Message { len, complete: true })
        }
        Err(code) => Err(code),
    }
    .map_err(error("read pipe"))
}

#[inline]
pub(super) fn send(handle: &Handle, bytes: &[u8], timeout: Timeout) -> Result<usize> {
    match end(handle, Operation::Write.right()) {
        Ok(End::Named(end)) => end.send(bytes, timeout),
        Ok(End::Anonymous(end)) => anonymous::write(end, bytes, timeout),
        Err(code) => Err(code),
    }
    .map_err(error("write pipe"))
}

#[inline]
pub(super) fn lend(handle: &Handle, len: usize, timeout: Timeout) -> Result<Option<Loan<'_>>> {
    loan::lend(&handle.resolved.0, len, timeout).map_err(error("lend of pipe"))
}

#[inline]
pub(super) fn commit(handle: &Handle, loan: Loan<'_>, len: usize, timeout: Timeout) -> Result<usize> {
    loan::commit(&handle.resolved.0, loan, len, timeout).map_err(error("write pipe"))
}

#[inline]
pub(super) fn borrow_next(handle: &Handle, timeout: Timeout) -> Result<Option<Borrowed<'_>>> {
    loan::borrow_next(&handle.resolved.0, timeout).map_err(error("read pipe"))
}

pub(super) fn transact(
    handle: &Handle,
    request: &[u8],
    reply: &mut [u8],
    timeout: Timeout,
) -> Result<Message> {
    match end(handle, Operation::Transact.right()) {
        Ok(End::Named(end)) => end.transact(request, reply, timeout),
        // One end of a one-way pipe never has both rights (P73), so this one was made of a descriptor.
        Ok(End::Anonymous(_)) => Err(Code::BAD_PIPE),
        Err(code) => Err(code),
    }
    .map_err(error("transact on pipe"))
}

pub(super) fn peek(handle: &Handle, buffer: &mut [u8]) -> Result<Peek> {
    match end(handle, Operation::Peek.right()) {
        Ok(End::Named(end)) => end.peek(buffer),
        Ok(End::Anonymous(end)) => anonymous::peek(end, buffer),
        Err(code) => Err(code),
    }
    .map_err(error("peek pipe"))
}

pub(super) fn flush(handle: &Handle, timeout: Timeout) -> Result<()> {
    match end(handle, Operation::Flush.right()) {
        Ok(End::Named(end)) => end.flush(timeout),
        Ok(End::Anonymous(_)) => Ok(()),
        Err(code) => Err(code),
    }
    .map_err(error("flush pipe"))
}

pub(super) fn info(handle: &Handle) -> Result<PipeInfo> {
    match end(handle, Operation::Query.right()) {
        Ok(End::Named(end)) => end.info(),
        Ok(End::Anonymous(end)) => Ok(anonymous::info(end)),
        Err(code) => Err(code),
    }
    .map_err(error("get pipe information"))
}

pub(super) fn state(handle: &Handle) -> Result<PipeState> {
    match end(handle, Operation::Query.right()) {
        Ok(End::Named(end)) => end.state(),
        Ok(End::Anonymous(end)) => anonymous::state(end),
        Err(code) => Err(code),
    }
    .map_err(error("get pipe state"))
}

pub(super) fn set_mode(handle: &Handle, mode: u32) -> Result<()> {
    match end(handle, FILE_WRITE_ATTRIBUTES) {
        Ok(End::Named(end)) => end.set_mode(mode),
        Ok(End::Anonymous(end)) => anonymous::set_mode(end, mode),
        Err(code) => Err(code),
    }
    .map_err(error("set pipe state"))
}

pub(super) fn connect(handle: &Handle, timeout: Timeout) -> Result<Connected> {
    let connected = match end(handle, Operation::Connect.right()) {
        Ok(End::Named(end)) => end.connect(timeout),
        // P73: the read end is a server's end that is connected from the beginning.
        Ok(End::Anonymous(end)) if end.reader => Ok(Came::Already),
        Ok(End::Anonymous(_)) => Err(Code::INVALID_FUNCTION),
        Err(code) => Err(code),
    };
    match connected.map_err(error("connect pipe"))? {
        Came::During => Ok(Connected::During),
        Came::Already => Ok(Connected::Already),
        Came::Left => Err(error("connect pipe")(Code::NO_DATA)),
    }
}

/// ConnectNamedPipe where it does not matter since when the client is there, and whether it still is.
pub(super) fn accept(handle: &Handle, timeout: Timeout) -> Result<()> {
    let accepted = match end(handle, Operation::Connect.right()) {
        Ok(End::Named(end)) => end.accept(timeout),
        Ok(End::Anonymous(_)) => Err(Code::INVALID_FUNCTION),
        Err(code) => Err(code),
    };
    accepted.map_err(error("connect pipe"))
}

pub(super) fn disconnect(handle: &Handle) -> Result<()> {
    match end(handle, Operation::Disconnect.right()) {
        Ok(End::Named(end)) => end.server().and_then(|instance| instance.disconnect()),
        Ok(End::Anonymous(_)) => Err(Code::NOT_SUPPORTED),
        Err(code) => Err(code),
    }
    .map_err(error("disconnect pipe"))
}

pub(super) fn client_process_id(handle: &Handle) -> Result<u32> {
    match end(handle, Operation::ClientProcess.right()) {
        Ok(End::Named(end)) => end.client_process_id(),
        Ok(End::Anonymous(_)) => Err(Code::NOT_SUPPORTED),
        Err(code) => Err(code),
    }
    .map_err(error("get client process of pipe"))
}

pub(super) fn server_process_id(handle: &Handle) -> Result<u32> {
    match end(handle, Operation::ServerProcess.right()) {
        Ok(End::Named(end)) => end.server_process_id(),
        Ok(End::Anonymous(_)) => Err(Code::NOT_SUPPORTED),
        Err(code) => Err(code),
    }
    .map_err(error("get server process of pipe"))
}

pub(super) fn client_user_id(handle: &Handle) -> Result<u32> {
    match end(handle, Operation::ClientProcess.right()) {
        Ok(End::Named(end)) => end.client_user_id(),
        Ok(End::Anonymous(_)) => Err(Code::NOT_SUPPORTED),
        Err(code) => Err(code),
    }
    .map_err(error("get client user of pipe"))
}

pub(super) fn cancel(handle: &Handle) -> Result<()> {
    match end(handle, 0) {
        Ok(End::Named(end)) => end.cancel(),
        Ok(End::Anonymous(_)) => Err(Code::NOT_SUPPORTED),
        Err(code) => Err(code),
    }
    .map_err(error("cancel waiting calls on pipe"))
}

pub(super) fn list() -> Result<Vec<super::NamedPipe>> {
    list::list().map_err(error("list pipes"))
}

pub(super) fn set_spin(handle: &Handle, spin: Spin) -> Result<()> {
    match end(handle, 0) {
        Ok(End::Named(end)) => end.set_spin(named::spin(spin)),
        Ok(End::Anonymous(_)) => {}
        Err(code) => return Err(error("set how pipe waits")(code)),
    }
    Ok(())
}
