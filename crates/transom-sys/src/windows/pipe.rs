//! Anonymous pipes, and reading and writing.
//!
//! # Safety
//! The calls take slices with their lengths and locals for results. Reads and writes hand memory to the
//! kernel until it says that it is done with it; `transfer` does not return before.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ptr;

use windows_sys::Win32::Foundation::{ERROR_IO_PENDING, HANDLE, STATUS_PENDING};
use windows_sys::Win32::Storage::FileSystem::{FlushFileBuffers, ReadFile, WriteFile};
use windows_sys::Win32::System::IO::{GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{
    CreatePipe, GetNamedPipeHandleStateW, GetNamedPipeInfo, PeekNamedPipe, SetNamedPipeHandleState,
};
use windows_sys::core::BOOL;

use super::security::Attributes;
use super::{Handle, Result, check, event, from_api, handle, last_error, to_api};

pub use windows_sys::Win32::System::Pipes::PIPE_NOWAIT;

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

/// `ReadFile`: how many bytes were read; at most 4 GiB less one at a time.
///
/// # Errors
/// As the call.
pub fn read(file: Handle, buffer: &mut [u8]) -> Result<usize> {
    let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
    let start = buffer.as_mut_ptr();
    // SAFETY: `start` is good for writes of `length` bytes as long as the slice is borrowed, which is until
    // `transfer` returns.
    transfer(file, |file, overlapped| unsafe { ReadFile(file, start, length, ptr::null_mut(), overlapped) })
}

/// `WriteFile`: how many bytes were written; at most 4 GiB less one at a time.
///
/// # Errors
/// As the call.
pub fn write(file: Handle, bytes: &[u8]) -> Result<usize> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let start = bytes.as_ptr();
    // SAFETY: `start` is good for reads of `length` bytes as long as the slice is borrowed, which is until
    // `transfer` returns.
    transfer(file, |file, overlapped| unsafe { WriteFile(file, start, length, ptr::null_mut(), overlapped) })
}

/// Makes one call that reads or writes, and waits for its end.
///
/// A handle may come from anywhere, so also be one that was opened for overlapped work. On such a one
/// `ReadFile` without an `OVERLAPPED` can return while the kernel still fills the buffer. With one of its
/// own each call has its own end to wait for; on other handles the call itself waits and nothing is
/// different.
fn transfer(file: Handle, call: impl FnOnce(HANDLE, *mut OVERLAPPED) -> BOOL) -> Result<usize> {
    let done = Done::take()?;
    let mut overlapped = OVERLAPPED { hEvent: to_api(done.0), ..OVERLAPPED::default() };
    let overlapped = &raw mut overlapped;
    if call(to_api(file), overlapped) == 0 {
        let code = last_error();
        if code != ERROR_IO_PENDING {
            done.give_back();
            return Err(code);
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
    result.map(|()| count as usize)
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

/// `PeekNamedPipe`: how many bytes were copied, and how many are there.
///
/// # Errors
/// As the call.
pub fn peek(pipe: Handle, buffer: &mut [u8]) -> Result<(usize, usize)> {
    let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
    let mut copied = 0;
    let mut available = 0;
    // SAFETY: the buffer is writable for `length` bytes; the rest are locals or NULL, which is allowed. The
    // call never leaves an operation behind.
    check(unsafe {
        PeekNamedPipe(
            to_api(pipe),
            buffer.as_mut_ptr().cast(),
            length,
            &raw mut copied,
            &raw mut available,
            ptr::null_mut(),
        )
    })?;
    Ok((copied as usize, available as usize))
}

/// `FlushFileBuffers`.
///
/// # Errors
/// As the call.
pub fn flush(file: Handle) -> Result<()> {
    // SAFETY: takes a number only.
    check(unsafe { FlushFileBuffers(to_api(file)) })
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

/// `GetNamedPipeHandleState`: the mode word.
///
/// # Errors
/// As the call.
pub fn state(pipe: Handle) -> Result<u32> {
    let mut state = 0;
    // SAFETY: a local for the mode; every other result may be NULL, with a length of 0.
    check(unsafe {
        GetNamedPipeHandleStateW(
            to_api(pipe),
            &raw mut state,
            ptr::null_mut(),
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
