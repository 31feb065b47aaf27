//! Pipes of both kinds: `CreatePipe`, and the calls that look at an end or set its mode.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use transom::Code;
use transom::handle::FromHandle;
use transom::pipe::{Pipe, PipeOptions, ext};

use crate::ffi::{Bool, HANDLE, In, Out, Unit, fail, length, truth};
use crate::io::Here;
use crate::security::{self, SECURITY_ATTRIBUTES};
use crate::{named_pipe, pending};

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
        let raw = pipe.raw();
        let pipe = Pipe::borrow(raw)?;
        pending::progress();
        let size = if buffer.is_null() { 0 } else { size as usize };
        let end = ext::end(&pipe, 0)?;
        let _here = Here::at(&end, raw);
        let peek = pipe.peek(buffer.bytes(size)?)?;
        // Quotas have 32 bits.
        read.put(peek.copied as u32);
        available.put(length(peek.available));
        left_of_message.put(length(peek.left));
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
        let raw = pipe.raw();
        let pipe = Pipe::borrow(raw)?;
        let end = ext::end(&pipe, 0)?;
        let _here = Here::at(&end, raw);
        let info = pipe.info()?;
        flags.put(info.flags);
        out_size.put(info.out_size);
        in_size.put(info.in_size);
        max_instances.put(info.max_instances);
        Ok(())
    })
}

/// What both forms of GetNamedPipeHandleState do; `remote` says whether something was asked that only pipes of other
/// computers have.
fn state<U: Unit>(
    pipe: HANDLE,
    [mode, instances]: [Out<u32>; 2],
    remote: bool,
    user: Out<U>,
    user_size: u32,
) -> Bool {
    truth(|| {
        let raw = pipe.raw();
        let pipe = Pipe::borrow(raw)?;
        if remote {
            return fail(Code::INVALID_PARAMETER);
        }
        let end = ext::end(&pipe, 0)?;
        let _here = Here::at(&end, raw);
        let state = pipe.state()?;
        named_pipe::put_user(&pipe, user, user_size)?;
        mode.put(state.mode());
        instances.put(state.instances);
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
    user_size: u32,
) -> Bool {
    let remote = !(collection_count.is_null() && collection_time.is_null());
    state(pipe, [mode, instances], remote, user, user_size)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetNamedPipeHandleStateW(
    pipe: HANDLE,
    mode: Out<u32>,
    instances: Out<u32>,
    collection_count: Out<u32>,
    collection_time: Out<u32>,
    user: Out<u16>,
    user_size: u32,
) -> Bool {
    let remote = !(collection_count.is_null() && collection_time.is_null());
    state(pipe, [mode, instances], remote, user, user_size)
}

#[unsafe(no_mangle)]
pub extern "C" fn SetNamedPipeHandleState(
    pipe: HANDLE,
    mode: In<u32>,
    collection_count: In<u32>,
    collection_time: In<u32>,
) -> Bool {
    truth(|| {
        let raw = pipe.raw();
        let pipe = Pipe::borrow(raw)?;
        if !collection_count.is_null() || !collection_time.is_null() {
            return fail(Code::INVALID_PARAMETER);
        }
        let end = ext::end(&pipe, 0)?;
        let _here = Here::at(&end, raw);
        match mode.get() {
            Some(mode) => Ok(pipe.set_mode(mode)?),
            None => Ok(()),
        }
    })
}
