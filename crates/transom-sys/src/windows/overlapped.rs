//! Overlapped operations that nobody waits for here: begun, looked at, waited for elsewhere, cancelled.
//!
//! # Safety
//! From its beginning to its end an operation's structure and buffers belong to the kernel. They lie in one box,
//! which is only reached through pointers until the operation has ended, and which is not freed before: dropping an
//! operation cancels it and waits until the kernel has let go of it.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_IO_INCOMPLETE, ERROR_IO_PENDING, ERROR_MORE_DATA, HANDLE, INVALID_HANDLE_VALUE, STATUS_PENDING,
};
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Pipes::{ConnectNamedPipe, TransactNamedPipe};
use windows_sys::Win32::System::Threading::{
    INFINITE, RegisterWaitForSingleObject, UnregisterWaitEx, WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE,
};
use windows_sys::core::BOOL;

use super::pipe::{Transfer, length};
use super::security::Attributes;
use super::{Handle, Result, check, event, from_api, handle, last_error, to_api};

/// What the kernel uses while an operation is under way.
struct Frame {
    overlapped: OVERLAPPED,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// An operation that has begun, and its event, which is set when it ends.
pub struct Operation {
    file: Handle,
    event: Handle,
    frame: *mut Frame,
    ended: bool,
}

// SAFETY: the frame is this value's own; the kernel does not care which thread looks at it.
unsafe impl Send for Operation {}

impl Operation {
    /// `ReadFile` of at most `size` bytes.
    ///
    /// # Errors
    /// As the call; then nothing has begun.
    pub fn read(file: Handle, size: usize) -> Result<Operation> {
        Operation::begin(file, Vec::new(), vec![0; size], |file, _, _, output, size, overlapped| {
            // SAFETY: `output` is good for writes of `size` bytes as long as the frame lives.
            unsafe { ReadFile(file, output, size, ptr::null_mut(), overlapped) }
        })
    }

    /// `WriteFile`.
    ///
    /// # Errors
    /// As the call; then nothing has begun.
    pub fn write(file: Handle, bytes: Vec<u8>) -> Result<Operation> {
        Operation::begin(file, bytes, Vec::new(), |file, input, size, _, _, overlapped| {
            // SAFETY: `input` is good for reads of `size` bytes as long as the frame lives.
            unsafe { WriteFile(file, input, size, ptr::null_mut(), overlapped) }
        })
    }

    /// `TransactNamedPipe` with a reply of at most `size` bytes.
    ///
    /// # Errors
    /// As the call; then nothing has begun.
    pub fn transact(pipe: Handle, request: Vec<u8>, size: usize) -> Result<Operation> {
        Operation::begin(pipe, request, vec![0; size], |pipe, input, length, output, size, overlapped| {
            // SAFETY: as for reading and writing.
            unsafe {
                TransactNamedPipe(
                    pipe,
                    input.cast(),
                    length,
                    output.cast(),
                    size,
                    ptr::null_mut(),
                    overlapped,
                )
            }
        })
    }

    /// `ConnectNamedPipe`.
    ///
    /// # Errors
    /// As the call; then nothing has begun.
    pub fn connect(pipe: Handle) -> Result<Operation> {
        Operation::begin(pipe, Vec::new(), Vec::new(), |pipe, _, _, _, _, overlapped| {
            // SAFETY: the structure lives as long as the frame.
            unsafe { ConnectNamedPipe(pipe, overlapped) }
        })
    }

    fn begin(
        file: Handle,
        input: Vec<u8>,
        output: Vec<u8>,
        call: impl FnOnce(HANDLE, *const u8, u32, *mut u8, u32, *mut OVERLAPPED) -> BOOL,
    ) -> Result<Operation> {
        let event =
            event::create(&Attributes::new(None, false), None, true, false, event::ALL_ACCESS)?.handle;
        let overlapped =
            OVERLAPPED { Internal: STATUS_PENDING as usize, hEvent: to_api(event), ..OVERLAPPED::default() };
        let frame = Box::into_raw(Box::new(Frame { overlapped, input, output }));
        let mut operation = Operation { file, event, frame, ended: false };
        // SAFETY: the frame was just made and nobody else has it; from here on it is reached by pointers alone.
        let (input, output, overlapped) =
            unsafe { (&(*frame).input, &mut (*frame).output, &raw mut (*frame).overlapped) };
        let (input, input_length) = (input.as_ptr(), length(input));
        let (output, output_length) = (output.as_mut_ptr(), length(output));
        if call(to_api(file), input, input_length, output, output_length, overlapped) == 0 {
            let code = last_error();
            if code != ERROR_IO_PENDING && code != ERROR_MORE_DATA {
                // Nothing has begun, so the kernel has nothing of it.
                operation.ended = true;
                return Err(code);
            }
        }
        Ok(operation)
    }

    /// The event that is set when the operation has ended.
    #[must_use]
    pub fn event(&self) -> Handle {
        self.event
    }

    /// How the operation ended, and what it read; `None` while it goes on. To be asked no more once it has told.
    pub fn result(&mut self) -> Option<Result<(Transfer, Vec<u8>)>> {
        self.outcome(false)
    }

    /// `CancelIoEx` of this operation, and then its end, which is `ERROR_OPERATION_ABORTED` (995) or what it was
    /// before the call.
    pub fn cancel(&mut self) -> Result<(Transfer, Vec<u8>)> {
        // SAFETY: the structure lives; that there is nothing to cancel any more is no failure.
        unsafe { CancelIoEx(to_api(self.file), &raw const (*self.frame).overlapped) };
        self.outcome(true).unwrap_or(Err(ERROR_IO_INCOMPLETE))
    }

    fn outcome(&mut self, wait: bool) -> Option<Result<(Transfer, Vec<u8>)>> {
        let mut count = 0;
        // SAFETY: the structure is the one the operation was begun with, and lives.
        let result = check(unsafe {
            GetOverlappedResult(
                to_api(self.file),
                &raw const (*self.frame).overlapped,
                &raw mut count,
                wait.into(),
            )
        });
        // SAFETY: as above; volatile, as the kernel is the one who writes it.
        let status = unsafe { (&raw const (*self.frame).overlapped.Internal).read_volatile() };
        // It may have ended since the call looked; and a call that failed to wait has not seen the end either.
        if result == Err(ERROR_IO_INCOMPLETE) || status == STATUS_PENDING as usize {
            return None;
        }
        self.ended = true;
        let more = match result {
            Ok(()) => false,
            Err(ERROR_MORE_DATA) => true,
            Err(code) => return Some(Err(code)),
        };
        // SAFETY: the operation has ended, so the frame is this value's alone.
        let mut output = std::mem::take(unsafe { &mut (*self.frame).output });
        output.truncate(count as usize);
        Some(Ok((Transfer { count: count as usize, more }, output)))
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if !self.ended {
            let _ = self.cancel();
        }
        if self.ended {
            // SAFETY: from Box::into_raw in `begin`; the operation has ended and nobody else has it.
            drop(unsafe { Box::from_raw(self.frame) });
        }
        // If it has not even now, somebody closed the file or the event by number. The kernel may still write into
        // the frame, so that stays where it is.
        let _ = handle::close(self.event);
    }
}

/// Calls something once when an object is signalled. Dropping it takes that back, after a call that is under way.
pub struct OnSignal {
    registration: Handle,
    context: *mut Context,
}

struct Context(Box<dyn Fn() + Send + Sync>);

// SAFETY: the context is only read, by a thread of the system, and freed when that is over.
unsafe impl Send for OnSignal {}

impl OnSignal {
    /// `RegisterWaitForSingleObject`: calls `then` in a thread of the system, which it must not keep.
    ///
    /// # Errors
    /// As the call.
    pub fn new(object: Handle, then: Box<dyn Fn() + Send + Sync>) -> Result<OnSignal> {
        let context = Box::into_raw(Box::new(Context(then)));
        let mut registration = ptr::null_mut();
        // SAFETY: `call` takes such a context, which lives until the registration has been taken back.
        let result = check(unsafe {
            RegisterWaitForSingleObject(
                &raw mut registration,
                to_api(object),
                Some(call),
                context.cast(),
                INFINITE,
                WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD,
            )
        });
        match result {
            Ok(()) => Ok(OnSignal { registration: from_api(registration), context }),
            Err(code) => {
                // SAFETY: from Box::into_raw above; nothing was registered.
                drop(unsafe { Box::from_raw(context) });
                Err(code)
            }
        }
    }
}

unsafe extern "system" fn call(context: *mut c_void, _timed_out: bool) {
    // SAFETY: the context of the registration, which is not freed before this has returned.
    let context = unsafe { &*context.cast::<Context>() };
    (context.0)();
}

impl Drop for OnSignal {
    fn drop(&mut self) {
        // SAFETY: the registration is open; with INVALID_HANDLE_VALUE the call returns when `call` has, if it runs.
        if unsafe { UnregisterWaitEx(to_api(self.registration), INVALID_HANDLE_VALUE) } != 0 {
            // SAFETY: from Box::into_raw in `new`; nobody calls it any more.
            drop(unsafe { Box::from_raw(self.context) });
        }
    }
}
