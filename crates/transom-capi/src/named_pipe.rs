//! Named pipes: `CreateNamedPipe`, opening one, connecting and disconnecting, waiting for one and calling it.
//! What both kinds of pipes can do is in [`crate::pipe`] and [`crate::io`].
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;

use transom::Code;
use transom::handle::{Borrowed, FromHandle};
use transom::pipe::{self, ClientOptions, Connected, InstanceWait, Pipe, Server, ServerOptions, ext};
use transom_core::access;
use transom_core::name::PipeName;

use crate::ffi::{Bool, HANDLE, In, Out, Outcome, Unit, fail, guard, truth};
use crate::io::{Here, Transfer};
use crate::overlapped::{self, OVERLAPPED, Started};
use crate::pending::{self, Done, Request};
use crate::security::{self, SECURITY_ATTRIBUTES};

/// `FILE_FLAG_OVERLAPPED`.
const OVERLAPPED_FLAG: u32 = 0x4000_0000;
/// `ERROR_PIPE_LOCAL`.
const PIPE_LOCAL: Code = Code::new(229);
/// `ERROR_CANNOT_IMPERSONATE`.
const CANNOT_IMPERSONATE: Code = Code::new(1368);

/// A name given to CreateFile, if it is a pipe's.
pub(crate) fn meant<U: Unit>(name: In<U>) -> Outcome<Option<Vec<u16>>> {
    // All but names of pipes are paths, whose length is not limited; so it is looked at first what it is.
    let Some(text) = name.text() else { return Ok(None) };
    if !matches!(text.first(), Some(b'\\' | b'/')) || !PipeName::is_meant(&u16::from_text(&text)) {
        return Ok(None);
    }
    name.name()
}

/// CreateFile on a pipe. What is to be done about a missing or an existing file does not matter (P13).
pub(crate) fn open(
    name: &[u16],
    desired: u32,
    attributes: In<SECURITY_ATTRIBUTES>,
    flags: u32,
) -> Outcome<HANDLE> {
    pending::progress();
    let options = ClientOptions::new_utf16(name)
        .access(desired)
        .overlapped(flags & OVERLAPPED_FLAG != 0)
        .inherit(security::inherit(attributes));
    let client = options.open()?.into_handle().into_raw();
    // A server in this process may have waited for a client.
    pending::progress();
    Ok(HANDLE::of(client))
}

/// The arguments of CreateNamedPipe that are numbers.
struct Numbers {
    open_mode: u32,
    pipe_mode: u32,
    max_instances: u32,
    out_size: u32,
    in_size: u32,
    default_timeout: u32,
}

fn create<U: Unit>(name: In<U>, numbers: &Numbers, attributes: In<SECURITY_ATTRIBUTES>) -> HANDLE {
    guard(HANDLE::INVALID, || {
        let Some(name) = name.name()? else { return fail(Code::PATH_NOT_FOUND) };
        let (inherit, security) = security::attributes(attributes)?;
        let mut options = ServerOptions::new_utf16(&name)
            .open_mode_word(numbers.open_mode)
            .pipe_mode_word(numbers.pipe_mode)
            .max_instances(numbers.max_instances)
            .out_size(numbers.out_size)
            .in_size(numbers.in_size)
            .default_timeout(transom::wait::Timeout::millis(numbers.default_timeout))
            .inherit(inherit);
        if let Some(security) = security {
            options = options.security(security);
        }
        Ok(HANDLE::of(options.create()?.into_handle().into_raw()))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateNamedPipeA(
    name: In<u8>,
    open_mode: u32,
    pipe_mode: u32,
    max_instances: u32,
    out_size: u32,
    in_size: u32,
    default_timeout: u32,
    attributes: In<SECURITY_ATTRIBUTES>,
) -> HANDLE {
    let numbers = Numbers { open_mode, pipe_mode, max_instances, out_size, in_size, default_timeout };
    create(name, &numbers, attributes)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateNamedPipeW(
    name: In<u16>,
    open_mode: u32,
    pipe_mode: u32,
    max_instances: u32,
    out_size: u32,
    in_size: u32,
    default_timeout: u32,
    attributes: In<SECURITY_ATTRIBUTES>,
) -> HANDLE {
    let numbers = Numbers { open_mode, pipe_mode, max_instances, out_size, in_size, default_timeout };
    create(name, &numbers, attributes)
}

/// A handle as a server's, whether it is one or not: the call says.
fn server(pipe: HANDLE) -> Outcome<Borrowed<Server>> {
    transom::process::let_go();
    Ok(Server::borrow(pipe.raw())?)
}

#[unsafe(no_mangle)]
pub extern "C" fn ConnectNamedPipe(pipe: HANDLE, overlapped: Out<OVERLAPPED>) -> Bool {
    truth(|| {
        let server = server(pipe)?;
        pending::progress();
        let end = ext::end(server.pipe(), 0)?;
        if end.is_overlapped() {
            if overlapped.is_null() {
                end.begin_connect()?;
                let done = overlapped::complete(&end, Request::Connect)?;
                return if done.code == Code::SUCCESS { Ok(()) } else { fail(done.code) };
            }
            // The event is reset even if nothing begins (P49).
            overlapped::begin_after(&end, Request::Connect, overlapped, || Ok(end.begin_connect()?))?;
            // Also if a client has come already since: programs take TRUE for a mistake.
            return fail(Code::IO_PENDING);
        }
        let _here = Here::at(&end, pipe.raw());
        let started = if overlapped.is_null() { None } else { Some(Started::begin(overlapped, None)?) };
        match server.connect()? {
            Connected::During => {
                if let Some(started) = started {
                    started.end(Done::moved(0));
                }
                Ok(())
            }
            Connected::Already => fail(Code::PIPE_CONNECTED),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn DisconnectNamedPipe(pipe: HANDLE) -> Bool {
    truth(|| {
        let server = server(pipe)?;
        pending::progress();
        let end = ext::end(server.pipe(), 0)?;
        let disconnected = {
            let _here = Here::at(&end, pipe.raw());
            server.disconnect()
        };
        // What waited on either end has failed.
        pending::progress();
        Ok(disconnected?)
    })
}

/// What Rust's functions take for a name; that of a pipe cannot hold half a surrogate pair.
fn text<U: Unit>(name: In<U>, missing: Code) -> Outcome<String> {
    match name.name()? {
        Some(name) => Ok(String::from_utf16_lossy(&name)),
        None => fail(missing),
    }
}

fn wait<U: Unit>(name: In<U>, milliseconds: u32) -> Bool {
    truth(|| {
        let name = text(name, Code::BAD_PATHNAME)?;
        transom::process::let_go();
        pending::progress();
        Ok(pipe::wait(&name, InstanceWait::from_value(milliseconds))?)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn WaitNamedPipeA(name: In<u8>, milliseconds: u32) -> Bool {
    wait(name, milliseconds)
}

#[unsafe(no_mangle)]
pub extern "C" fn WaitNamedPipeW(name: In<u16>, milliseconds: u32) -> Bool {
    wait(name, milliseconds)
}

/// What is sent and where the answer goes.
struct Exchange {
    request: In<u8>,
    request_size: u32,
    reply: Out<u8>,
    reply_size: u32,
    read: Out<u32>,
}

fn call<U: Unit>(name: In<U>, mut exchange: Exchange, milliseconds: u32) -> Bool {
    truth(|| {
        let name = text(name, Code::PATH_NOT_FOUND)?;
        transom::process::let_go();
        pending::progress();
        let request = exchange.request.bytes(exchange.request_size as usize)?;
        let reply = exchange.reply.bytes(exchange.reply_size as usize)?;
        let message = pipe::call(&name, request, reply, InstanceWait::from_value(milliseconds))?;
        // Counts come from 32 bits.
        exchange.read.put(message.len as u32);
        if message.complete { Ok(()) } else { fail(Code::MORE_DATA) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CallNamedPipeA(
    name: In<u8>,
    request: In<u8>,
    request_size: u32,
    reply: Out<u8>,
    reply_size: u32,
    read: Out<u32>,
    milliseconds: u32,
) -> Bool {
    call(name, Exchange { request, request_size, reply, reply_size, read }, milliseconds)
}

#[unsafe(no_mangle)]
pub extern "C" fn CallNamedPipeW(
    name: In<u16>,
    request: In<u8>,
    request_size: u32,
    reply: Out<u8>,
    reply_size: u32,
    read: Out<u32>,
    milliseconds: u32,
) -> Bool {
    call(name, Exchange { request, request_size, reply, reply_size, read }, milliseconds)
}

#[unsafe(no_mangle)]
pub extern "C" fn TransactNamedPipe(
    pipe: HANDLE,
    request: In<u8>,
    request_size: u32,
    mut reply: Out<u8>,
    reply_size: u32,
    read: Out<u32>,
    overlapped: Out<OVERLAPPED>,
) -> Bool {
    truth(|| {
        let borrowed = Pipe::borrow(pipe.raw())?;
        transom::process::let_go();
        read.put(0);
        let bytes = request.bytes(request_size as usize)?;
        let end = ext::end(&borrowed, access::FILE_READ_DATA | access::FILE_WRITE_DATA)?;
        if !end.is_overlapped() {
            return Transfer {
                right: 0,
                // Not for this handle.
                request: Request::Connect,
                blocking: |pipe: &Pipe| {
                    Ok(Done::received(pipe.transact(bytes, reply.bytes(reply_size as usize)?)?))
                },
            }
            .run(&borrowed, pipe.raw(), read, overlapped);
        }
        pending::progress();
        let send = || {
            // Whoever waits already gets what comes first.
            if pending::is_read(&end) { fail(Code::PIPE_BUSY) } else { Ok(end.begin_transact(bytes)?) }
        };
        let wanted = pending::read(reply, reply_size, true);
        let done = if overlapped.is_null() {
            send()?;
            overlapped::complete(&end, wanted)?
        } else {
            match overlapped::begin_after(&end, wanted, overlapped, send)? {
                Some(done) if done.code == Code::SUCCESS || done.code == Code::MORE_DATA => done,
                _ => return fail(Code::IO_PENDING),
            }
        };
        if done.code == Code::SUCCESS || (done.code == Code::MORE_DATA && overlapped.is_null()) {
            read.put(done.count as u32);
        }
        if done.code == Code::SUCCESS { Ok(()) } else { fail(done.code) }
    })
}

/// A process id that a pipe tells; a place for it must be given.
fn process_id(pipe: HANDLE, id: Out<u32>, ask: impl FnOnce(&Pipe) -> transom::Result<u32>) -> Bool {
    truth(|| {
        let pipe = Pipe::borrow(pipe.raw())?;
        let id = id.required()?;
        id.put(ask(&pipe)?);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetNamedPipeClientProcessId(pipe: HANDLE, id: Out<u32>) -> Bool {
    process_id(pipe, id, Pipe::client_process_id)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetNamedPipeServerProcessId(pipe: HANDLE, id: Out<u32>) -> Bool {
    process_id(pipe, id, Pipe::server_process_id)
}

/// All processes are in one session here.
#[unsafe(no_mangle)]
pub extern "C" fn GetNamedPipeClientSessionId(pipe: HANDLE, id: Out<u32>) -> Bool {
    process_id(pipe, id, |pipe| pipe.client_process_id().map(|_| 0))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetNamedPipeServerSessionId(pipe: HANDLE, id: Out<u32>) -> Bool {
    process_id(pipe, id, |pipe| pipe.server_process_id().map(|_| 0))
}

/// Every client is on this computer, of which Windows says no name.
fn client_computer(pipe: HANDLE) -> Bool {
    truth(|| {
        Pipe::borrow(pipe.raw())?.client_process_id()?;
        fail(PIPE_LOCAL)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetNamedPipeClientComputerNameA(pipe: HANDLE, _name: Out<u8>, _size: u32) -> Bool {
    client_computer(pipe)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetNamedPipeClientComputerNameW(pipe: HANDLE, _name: Out<u16>, _size: u32) -> Bool {
    client_computer(pipe)
}

/// A client of the same user is that already; of nobody else can the rights be taken on.
#[unsafe(no_mangle)]
pub extern "C" fn ImpersonateNamedPipeClient(pipe: HANDLE) -> Bool {
    truth(|| {
        let pipe = Pipe::borrow(pipe.raw())?;
        if !pipe.info()?.is_server_end() {
            return fail(Code::INVALID_FUNCTION);
        }
        let own = std::fs::metadata("/proc/self")?.uid();
        if pipe.client_user_id()? == own { Ok(()) } else { fail(CANNOT_IMPERSONATE) }
    })
}

/// There is nothing to take back.
#[unsafe(no_mangle)]
pub extern "C" fn RevertToSelf() -> Bool {
    crate::ffi::TRUE
}

/// The user's name as GetNamedPipeHandleState tells it.
pub(crate) fn put_user<U: Unit>(pipe: &Pipe, user: Out<U>, size: u32) -> Outcome<()> {
    if user.is_null() {
        return Ok(());
    }
    if !pipe.info()?.is_server_end() {
        return fail(Code::INVALID_PARAMETER);
    }
    let name = crate::os::user_name(pipe.client_user_id()?);
    if user.put_text(size, OsStr::new(&name)) >= size { fail(Code::INSUFFICIENT_BUFFER) } else { Ok(()) }
}
