//! Pipes, and reading and writing.
//!
//! # Safety
//! The calls take slices with their lengths, terminated strings and locals for results. Reads, writes and
//! transactions hand memory to the kernel until it says that it is done with it; `transfer` does not return before.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::os::windows::io::AsRawHandle;
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_IO_PENDING, ERROR_MORE_DATA, ERROR_NO_MORE_FILES, ERROR_NOT_ENOUGH_MEMORY, ERROR_OPERATION_ABORTED,
    ERROR_SEM_TIMEOUT, HANDLE, INVALID_HANDLE_VALUE, STATUS_PENDING, WAIT_TIMEOUT,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, FindClose, FindFirstFileW, FindNextFileW, FlushFileBuffers, OPEN_EXISTING, ReadFile,
    WIN32_FIND_DATAW, WriteFile,
};
use windows_sys::Win32::System::IO::{CancelIoEx, CancelSynchronousIo, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{
    CallNamedPipeW, ConnectNamedPipe, CreateNamedPipeW, CreatePipe, DisconnectNamedPipe,
    GetNamedPipeClientProcessId, GetNamedPipeHandleStateW, GetNamedPipeInfo, GetNamedPipeServerProcessId,
    PeekNamedPipe, SetNamedPipeHandleState, TransactNamedPipe, WaitNamedPipeW,
};
use windows_sys::core::BOOL;

use super::security::Attributes;
use super::{Handle, Result, Wide, check, event, from_api, handle, last_error, to_api, wait};

pub use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_OVERLAPPED, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT,
};

/// `INFINITE`.
pub const INFINITE: u32 = u32::MAX;

/// What a read or a transaction brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Bytes in the buffer.
    pub count: usize,
    /// `ERROR_MORE_DATA`: there is more of the message.
    pub more: bool,
}

/// `CreatePipe`: the read end and the write end.
///
/// # Errors
/// As the call.
pub fn create(attributes: &Attributes<'_>, size: u32) -> Result<(Handle, Handle)> {
    let mut read = ptr::null_mut();
    let mut write = ptr::null_mut();
    // SAFETY: two locals for the results; the attributes outlive the call.
    check(unsafe { CreatePipe(&raw mut read, &raw mut write, attributes.as_ptr(), size) })?;
    Ok((from_api(read), from_api(write)))
}

/// What `CreateNamedPipe` takes besides a name and security attributes.
#[derive(Debug, Clone, Copy)]
pub struct Blueprint {
    /// `dwOpenMode`.
    pub open_mode: u32,
    /// `dwPipeMode`.
    pub pipe_mode: u32,
    /// `nMaxInstances`.
    pub max_instances: u32,
    /// `nOutBufferSize`.
    pub out_size: u32,
    /// `nInBufferSize`.
    pub in_size: u32,
    /// `nDefaultTimeOut`, in milliseconds.
    pub default_timeout: u32,
}

/// `CreateNamedPipe`.
///
/// # Errors
/// As the call.
pub fn create_named(name: &[u16], attributes: &Attributes<'_>, blueprint: &Blueprint) -> Result<Handle> {
    let name = Wide::new(Some(name))?;
    // SAFETY: the name is terminated; it and the attributes outlive the call.
    check_file(unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            blueprint.open_mode,
            blueprint.pipe_mode,
            blueprint.max_instances,
            blueprint.out_size,
            blueprint.in_size,
            blueprint.default_timeout,
            attributes.as_ptr(),
        )
    })
}

/// `CreateFile` with `OPEN_EXISTING`, not shared.
///
/// # Errors
/// As the call.
pub fn open_named(name: &[u16], access: u32, attributes: &Attributes<'_>, flags: u32) -> Result<Handle> {
    let name = Wide::new(Some(name))?;
    // SAFETY: the name is terminated; it and the attributes outlive the call; no template.
    check_file(unsafe {
        CreateFileW(name.as_ptr(), access, 0, attributes.as_ptr(), OPEN_EXISTING, flags, ptr::null_mut())
    })
}

/// The result of a call that returns `INVALID_HANDLE_VALUE` on failure.
fn check_file(handle: HANDLE) -> Result<Handle> {
    if handle == INVALID_HANDLE_VALUE { Err(last_error()) } else { Ok(from_api(handle)) }
}

/// `ConnectNamedPipe`, at most for `millis`.
///
/// # Errors
/// As the call; `ERROR_SEM_TIMEOUT` (121).
pub fn connect(pipe: Handle, millis: u32) -> Result<()> {
    // SAFETY: `transfer` keeps the structure until the operation has ended.
    transfer(pipe, millis, |pipe, overlapped| unsafe { ConnectNamedPipe(pipe, overlapped) }).map(drop)
}

/// `DisconnectNamedPipe`.
///
/// # Errors
/// As the call.
pub fn disconnect(pipe: Handle) -> Result<()> {
    // SAFETY: takes a number only.
    check(unsafe { DisconnectNamedPipe(to_api(pipe)) })
}

/// `WaitNamedPipe`; `millis` may be one of the `NMPWAIT_` values.
///
/// # Errors
/// As the call.
pub fn wait_named(name: &[u16], millis: u32) -> Result<()> {
    let name = Wide::new(Some(name))?;
    // SAFETY: the name is terminated and outlives the call.
    check(unsafe { WaitNamedPipeW(name.as_ptr(), millis) })
}

/// `CallNamedPipe`; `millis` may be one of the `NMPWAIT_` values.
///
/// # Errors
/// As the call, except `ERROR_MORE_DATA`.
pub fn call_named(name: &[u16], request: &[u8], reply: &mut [u8], millis: u32) -> Result<Transfer> {
    let name = Wide::new(Some(name))?;
    let mut count = 0;
    // SAFETY: the name is terminated; the request is read and the reply written within their lengths, the count
    // is a local; all of them outlive the call, which waits for its end.
    let result = check(unsafe {
        CallNamedPipeW(
            name.as_ptr(),
            request.as_ptr().cast(),
            length(request),
            reply.as_mut_ptr().cast(),
            length(reply),
            &raw mut count,
            millis,
        )
    });
    outcome(result, count)
}

/// `ReadFile`, at most for `millis`: what was read; at most 4 GiB less one at a time.
///
/// # Errors
/// As the call, except `ERROR_MORE_DATA`; `ERROR_SEM_TIMEOUT` (121).
pub fn read(file: Handle, buffer: &mut [u8], millis: u32) -> Result<Transfer> {
    let length = length(buffer);
    let start = buffer.as_mut_ptr();
    // SAFETY: `start` is good for writes of `length` bytes as long as the slice is borrowed, which is until
    // `transfer` returns.
    transfer(file, millis, |file, overlapped| unsafe {
        ReadFile(file, start, length, ptr::null_mut(), overlapped)
    })
}

/// `WriteFile`, at most for `millis`: how many bytes were written; at most 4 GiB less one at a time.
///
/// # Errors
/// As the call; `ERROR_SEM_TIMEOUT` (121).
pub fn write(file: Handle, bytes: &[u8], millis: u32) -> Result<usize> {
    let length = length(bytes);
    let start = bytes.as_ptr();
    // SAFETY: `start` is good for reads of `length` bytes as long as the slice is borrowed, which is until
    // `transfer` returns.
    let transfer = transfer(file, millis, |file, overlapped| unsafe {
        WriteFile(file, start, length, ptr::null_mut(), overlapped)
    })?;
    Ok(transfer.count)
}

/// `TransactNamedPipe`, waiting for the reply at most for `millis`.
///
/// # Errors
/// As the call, except `ERROR_MORE_DATA`; `ERROR_SEM_TIMEOUT` (121).
pub fn transact(pipe: Handle, request: &[u8], reply: &mut [u8], millis: u32) -> Result<Transfer> {
    let (request_length, reply_length) = (length(request), length(reply));
    let (request, reply) = (request.as_ptr(), reply.as_mut_ptr());
    // SAFETY: as for reading and writing, for two slices.
    transfer(pipe, millis, |pipe, overlapped| unsafe {
        TransactNamedPipe(
            pipe,
            request.cast(),
            request_length,
            reply.cast(),
            reply_length,
            ptr::null_mut(),
            overlapped,
        )
    })
}

/// `CancelIoEx` without a certain operation: all of this process on `file`.
///
/// # Errors
/// As the call.
pub fn cancel(file: Handle) -> Result<()> {
    // SAFETY: takes a number; NULL means every operation.
    check(unsafe { CancelIoEx(to_api(file), ptr::null()) })
}

/// A length as the calls count.
pub(super) fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// A message that is longer than its buffer is no failure.
fn outcome(result: Result<()>, count: u32) -> Result<Transfer> {
    match result {
        Ok(()) => Ok(Transfer { count: count as usize, more: false }),
        Err(ERROR_MORE_DATA) => Ok(Transfer { count: count as usize, more: true }),
        Err(code) => Err(code),
    }
}

/// Makes one call that reads, writes or waits for a client, and waits for its end.
///
/// A handle may come from anywhere, so be one for overlapped work or not. On the former `ReadFile` without an
/// `OVERLAPPED` can return while the kernel still fills the buffer. With one of its own each call has its own
/// end to wait for, and to cancel; on a synchronous handle the call itself waits, without a limit, and nothing
/// else is different.
fn transfer(
    file: Handle,
    millis: u32,
    call: impl FnOnce(HANDLE, *mut OVERLAPPED) -> BOOL,
) -> Result<Transfer> {
    let done = Done::take()?;
    // Under way, until the kernel says otherwise: not every call of every system sets this itself.
    let mut overlapped =
        OVERLAPPED { Internal: STATUS_PENDING as usize, hEvent: to_api(done.0), ..OVERLAPPED::default() };
    let overlapped = &raw mut overlapped;
    let mut out_of_time = false;
    if call(to_api(file), overlapped) == 0 {
        match last_error() {
            ERROR_IO_PENDING if millis != INFINITE && wait::one(done.0, millis) == Ok(WAIT_TIMEOUT) => {
                out_of_time = true;
                // SAFETY: the structure lives until this function's end. That the operation has just ended by
                // itself is no failure: what it brought counts.
                unsafe { CancelIoEx(to_api(file), overlapped) };
            }
            // The part that fits has been delivered, and the structure tells how much that is.
            ERROR_IO_PENDING | ERROR_MORE_DATA => {}
            code => {
                done.give_back();
                return Err(code);
            }
        }
    }
    let mut count = 0;
    // SAFETY: the structure is the one the operation was started with and lives until this function's end.
    let result = check(unsafe { GetOverlappedResult(to_api(file), overlapped, &raw mut count, 1) });
    // SAFETY: as above; volatile, as the kernel is the one who writes it.
    let status = unsafe { (&raw const (*overlapped).Internal).read_volatile() };
    if status == STATUS_PENDING as usize {
        // The wait itself failed: somebody closed the event or the file by number. The kernel still owns
        // memory that the caller is about to use for other things.
        std::process::abort();
    }
    done.give_back();
    match outcome(result, count) {
        Err(ERROR_OPERATION_ABORTED) if out_of_time => Err(ERROR_SEM_TIMEOUT),
        other => other,
    }
}

/// A manual-reset event for one operation at a time; each thread keeps one for its next.
struct Done(Handle);

thread_local! {
    static SPARE: Cell<Option<Done>> = const { Cell::new(None) };
}

impl Done {
    fn take() -> Result<Done> {
        // While the thread's own values are being dropped there is no spare one any more.
        if let Ok(Some(done)) = SPARE.try_with(Cell::take) {
            return Ok(done);
        }
        let created = event::create(&Attributes::new(None, false), None, true, false, event::ALL_ACCESS)?;
        Ok(Done(created.handle))
    }

    fn give_back(self) {
        let mut done = Some(self);
        // If this thread is at its end already, `done` is dropped here.
        let _ = SPARE.try_with(|spare| spare.set(done.take()));
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        // Fails only if somebody else closed the number, and then there is nothing left to close.
        let _ = handle::close(self.0);
    }
}

/// What `PeekNamedPipe` fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Peek {
    /// `lpBytesRead`.
    pub copied: u32,
    /// `lpTotalBytesAvail`.
    pub available: u32,
    /// `lpBytesLeftThisMessage`.
    pub left: u32,
}

/// `PeekNamedPipe`.
///
/// # Errors
/// As the call.
pub fn peek(pipe: Handle, buffer: &mut [u8]) -> Result<Peek> {
    let mut peek = Peek::default();
    // SAFETY: the buffer is writable for its length; the rest are fields of a local. The call never leaves an
    // operation behind.
    check(unsafe {
        PeekNamedPipe(
            to_api(pipe),
            buffer.as_mut_ptr().cast(),
            length(buffer),
            &raw mut peek.copied,
            &raw mut peek.available,
            &raw mut peek.left,
        )
    })?;
    Ok(peek)
}

/// `FlushFileBuffers`, at most for `millis`: then in a thread of its own, which `CancelSynchronousIo` stops.
///
/// # Errors
/// As the call; `ERROR_SEM_TIMEOUT` (121).
pub fn flush(file: Handle, millis: u32) -> Result<()> {
    // SAFETY: takes a number only.
    let call = move || check(unsafe { FlushFileBuffers(to_api(file)) });
    if millis == INFINITE {
        return call();
    }
    let calling = std::thread::spawn(call);
    let thread = from_api(calling.as_raw_handle());
    let (mut out_of_time, mut left) = (false, millis);
    while wait::one(thread, left) == Ok(WAIT_TIMEOUT) {
        // Again and again: it may not have begun yet.
        (out_of_time, left) = (true, 1);
        // SAFETY: takes the number of a thread that is not joined yet.
        unsafe { CancelSynchronousIo(to_api(thread)) };
    }
    match calling.join() {
        Ok(Err(ERROR_OPERATION_ABORTED)) if out_of_time => Err(ERROR_SEM_TIMEOUT),
        Ok(result) => result,
        Err(_) => Err(ERROR_NOT_ENOUGH_MEMORY),
    }
}

/// What `GetNamedPipeInfo` fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Info {
    /// `lpFlags`.
    pub flags: u32,
    /// `lpOutBufferSize`.
    pub out_size: u32,
    /// `lpInBufferSize`.
    pub in_size: u32,
    /// `lpMaxInstances`.
    pub max_instances: u32,
}

/// `GetNamedPipeInfo`.
///
/// # Errors
/// As the call.
pub fn info(pipe: Handle) -> Result<Info> {
    let mut info = Info::default();
    // SAFETY: four fields of a local for the results.
    check(unsafe {
        GetNamedPipeInfo(
            to_api(pipe),
            &raw mut info.flags,
            &raw mut info.out_size,
            &raw mut info.in_size,
            &raw mut info.max_instances,
        )
    })?;
    Ok(info)
}

/// What `GetNamedPipeHandleState` fills in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// `lpState`: the mode word.
    pub mode: u32,
    /// `lpCurInstances`.
    pub instances: u32,
}

/// `GetNamedPipeHandleState`.
///
/// # Errors
/// As the call.
pub fn state(pipe: Handle) -> Result<State> {
    let mut state = State::default();
    // SAFETY: two fields of a local; every other result may be NULL, with a length of 0.
    check(unsafe {
        GetNamedPipeHandleStateW(
            to_api(pipe),
            &raw mut state.mode,
            &raw mut state.instances,
            ptr::null_mut(),
            ptr::null_mut(),
            ptr::null_mut(),
            0,
        )
    })?;
    Ok(state)
}

/// `SetNamedPipeHandleState`: sets the mode word.
///
/// # Errors
/// As the call.
pub fn set_state(pipe: Handle, mode: u32) -> Result<()> {
    // SAFETY: the mode is a local; the others may be NULL.
    check(unsafe { SetNamedPipeHandleState(to_api(pipe), &raw const mode, ptr::null(), ptr::null()) })
}

/// `GetNamedPipeClientProcessId`.
///
/// # Errors
/// As the call.
pub fn client_process_id(pipe: Handle) -> Result<u32> {
    let mut id = 0;
    // SAFETY: a local for the result.
    check(unsafe { GetNamedPipeClientProcessId(to_api(pipe), &raw mut id) })?;
    Ok(id)
}

/// `GetNamedPipeServerProcessId`.
///
/// # Errors
/// As the call.
pub fn server_process_id(pipe: Handle) -> Result<u32> {
    let mut id = 0;
    // SAFETY: a local for the result.
    check(unsafe { GetNamedPipeServerProcessId(to_api(pipe), &raw mut id) })?;
    Ok(id)
}

/// `FindFirstFile`, `FindNextFile`: the names of all pipes, without prefix.
///
/// # Errors
/// As the calls.
pub fn names() -> Result<Vec<Vec<u16>>> {
    let pattern: Vec<u16> = r"\\.\pipe\*".encode_utf16().collect();
    let pattern = Wide::new(Some(&pattern))?;
    let mut found = WIN32_FIND_DATAW::default();
    // SAFETY: the pattern is terminated and outlives the call; a local for the result.
    let search = unsafe { FindFirstFileW(pattern.as_ptr(), &raw mut found) };
    if search == INVALID_HANDLE_VALUE {
        return Err(last_error());
    }
    let mut names = Vec::new();
    let result = loop {
        let length = found.cFileName.iter().position(|&unit| unit == 0).unwrap_or(found.cFileName.len());
        names.push(found.cFileName[..length].to_vec());
        // SAFETY: the search is open; a local for the result.
        match check(unsafe { FindNextFileW(search, &raw mut found) }) {
            Ok(()) => {}
            Err(ERROR_NO_MORE_FILES) => break Ok(names),
            Err(code) => break Err(code),
        }
    };
    // SAFETY: the search is open, and nobody uses it afterwards.
    unsafe { FindClose(search) };
    result
}
