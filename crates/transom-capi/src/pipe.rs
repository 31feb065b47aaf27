//! Pipes: `CreatePipe`, and the calls that look at an end or set its mode. Mailslots do not exist yet.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::ffi::c_void;

use transom::Code;
use transom::handle::FromHandle;
use transom::pipe::{Pipe, PipeOptions};

use crate::ffi::{Bool, HANDLE, In, Out, fail, guard, truth};
use crate::security::{self, SECURITY_ATTRIBUTES};

/// `PIPE_SERVER_END`.
const SERVER_END: u32 = 1;
/// `PIPE_NOWAIT`.
const NOWAIT: u32 = 1;

#[unsafe(no_mangle)]
pub extern "C" fn CreatePipe(
    read_end: Out<HANDLE>,
    write_end: Out<HANDLE>,
    attributes: In<SECURITY_ATTRIBUTES>,
    size: u32,
) -> Bool {
    truth(|| {
        let (read_end, write_end) = (read_end.required()?, write_end.required()?);
        let inherit = security::inherit(attributes);
        let (reader, writer) = PipeOptions::new().size(size).inherit(inherit).create()?;
        read_end.put(HANDLE::of(reader.into_pipe().into_handle().into_raw()));
        write_end.put(HANDLE::of(writer.into_pipe().into_handle().into_raw()));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn PeekNamedPipe(
    pipe: HANDLE,
    mut buffer: Out<u8>,
    size: u32,
    read: Out<u32>,
    available: Out<u32>,
    left_of_message: Out<u32>,
) -> Bool {
    truth(|| {
        let pipe = Pipe::borrow(pipe.raw())?;
        let size = if buffer.is_null() { 0 } else { size as usize };
        let peek = pipe.peek(buffer.bytes(size)?)?;
        // Quotas have 32 bits.
        read.put(peek.copied as u32);
        available.put(peek.available as u32);
        // A pipe of bytes has no messages (P60).
        left_of_message.put(0);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetNamedPipeInfo(
    pipe: HANDLE,
    flags: Out<u32>,
    out_size: Out<u32>,
    in_size: Out<u32>,
    max_instances: Out<u32>,
) -> Bool {
    truth(|| {
        let info = Pipe::borrow(pipe.raw())?.info()?;
        flags.put(info.flags);
        out_size.put(info.out_size);
        in_size.put(info.in_size);
        max_instances.put(info.max_instances);
        Ok(())
    })
}

/// What both forms of GetNamedPipeHandleState do; `remote` says whether something was asked that only remote
/// and named pipes have.
fn state(pipe: HANDLE, mode: Out<u32>, instances: Out<u32>, remote: bool) -> Bool {
    truth(|| {
        let pipe = Pipe::borrow(pipe.raw())?;
        if remote {
            return fail(Code::INVALID_PARAMETER);
        }
        mode.put(if pipe.nowait()? { NOWAIT } else { 0 });
        instances.put(1);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetNamedPipeHandleStateA(
    pipe: HANDLE,
    mode: Out<u32>,
    instances: Out<u32>,
    collection_count: Out<u32>,
    collection_time: Out<u32>,
    user: Out<u8>,
    _user_size: u32,
) -> Bool {
    state(pipe, mode, instances, !(collection_count.is_null() && collection_time.is_null() && user.is_null()))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetNamedPipeHandleStateW(
    pipe: HANDLE,
    mode: Out<u32>,
    instances: Out<u32>,
    collection_count: Out<u32>,
    collection_time: Out<u32>,
    user: Out<u16>,
    _user_size: u32,
) -> Bool {
    state(pipe, mode, instances, !(collection_count.is_null() && collection_time.is_null() && user.is_null()))
}

#[unsafe(no_mangle)]
pub extern "C" fn SetNamedPipeHandleState(
    pipe: HANDLE,
    mode: In<u32>,
    collection_count: In<u32>,
    collection_time: In<u32>,
) -> Bool {
    truth(|| {
        let pipe = Pipe::borrow(pipe.raw())?;
        if !collection_count.is_null() || !collection_time.is_null() {
            return fail(Code::INVALID_PARAMETER);
        }
        match mode.get() {
            Some(mode) => Ok(pipe.set_mode(mode)?),
            None => Ok(()),
        }
    })
}

/// The ends of an anonymous pipe have one direction each (P73).
#[unsafe(no_mangle)]
pub extern "C" fn TransactNamedPipe(
    pipe: HANDLE,
    _request: In<u8>,
    _request_size: u32,
    _reply: Out<u8>,
    _reply_size: u32,
    _read: Out<u32>,
    _overlapped: *mut c_void,
) -> Bool {
    truth(|| {
        Pipe::borrow(pipe.raw())?;
        fail(Code::ACCESS_DENIED)
    })
}

/// The read end of an anonymous pipe is a server end whose client has always been there (P73).
#[unsafe(no_mangle)]
pub extern "C" fn ConnectNamedPipe(pipe: HANDLE, _overlapped: *mut c_void) -> Bool {
    truth(|| {
        let server = Pipe::borrow(pipe.raw())?.info()?.flags & SERVER_END != 0;
        fail(if server { Code::PIPE_CONNECTED } else { Code::INVALID_FUNCTION })
    })
}

fn mailslot() -> HANDLE {
    guard(HANDLE::INVALID, || fail(Code::NOT_SUPPORTED))
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateMailslotA(
    _name: In<u8>,
    _max_message_size: u32,
    _read_timeout: u32,
    _attributes: In<SECURITY_ATTRIBUTES>,
) -> HANDLE {
    mailslot()
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateMailslotW(
    _name: In<u16>,
    _max_message_size: u32,
    _read_timeout: u32,
    _attributes: In<SECURITY_ATTRIBUTES>,
) -> HANDLE {
    mailslot()
}

/// No handle leads to a mailslot.
#[unsafe(no_mangle)]
pub extern "C" fn GetMailslotInfo(
    _mailslot: HANDLE,
    _max_message_size: Out<u32>,
    _next_size: Out<u32>,
    _message_count: Out<u32>,
    _read_timeout: Out<u32>,
) -> Bool {
    truth(|| fail(Code::INVALID_HANDLE))
}
