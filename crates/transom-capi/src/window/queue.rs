//! Retrieving: `GetMessage`, `PeekMessage`, `DispatchMessage`, timers.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. What is dispatched carries what its procedure expects, and
//! a timer's procedure can be called until the timer is killed: the program's promises.
#![allow(unsafe_code)]

use std::cell::Cell;

use transom::window::message::WM_QUIT;
use transom::window::raw::{self, Charset, Message, TimerProcedure};
use transom::{Code, process};

use crate::ffi::{Bool, FALSE, In, Out, Plain, TRUE, guard, truth};
use crate::last_error;

use super::{HWND, handle, settled};

/// `MSG`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct MSG {
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
    time: u32,
    point: [i32; 2],
}

// SAFETY: integers; what lies between them is nobody's value.
unsafe impl Plain for MSG {}

impl MSG {
    fn of(message: &Message) -> MSG {
        MSG {
            window: message.window.value(),
            message: message.message,
            wparam: message.wparam,
            lparam: message.lparam,
            time: message.time,
            point: [0, 0],
        }
    }

    fn message(&self) -> Message {
        Message {
            window: handle(self.window),
            message: self.message,
            wparam: self.wparam,
            lparam: self.lparam,
            time: self.time,
        }
    }
}

thread_local! {
    /// What GetMessageTime answers. Without a destructor, so that it can be used while a thread ends.
    static TIME: Cell<u32> = const { Cell::new(0) };
}

/// -1 is failure.
fn get(to: Out<MSG>, window: HWND, first: u32, last: u32, charset: Charset) -> Bool {
    if to.is_null() {
        last_error::set(Code::NOACCESS);
        return -1;
    }
    process::let_go();
    match settled(raw::get(handle(window), first, last, charset).map(Some), None) {
        Some(message) => {
            TIME.set(message.time);
            to.put(MSG::of(&message));
            Bool::from(message.message != WM_QUIT)
        }
        None => -1,
    }
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn GetMessageA(to: Out<MSG>, window: HWND, first: u32, last: u32) -> Bool {
    get(to, window, first, last, Charset::Narrow)
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn GetMessageW(to: Out<MSG>, window: HWND, first: u32, last: u32) -> Bool {
    get(to, window, first, last, Charset::Wide)
}

fn peek(to: Out<MSG>, window: HWND, first: u32, last: u32, flags: u32, charset: Charset) -> Bool {
    if to.is_null() {
        last_error::set(Code::NOACCESS);
        return FALSE;
    }
    match settled(raw::peek(handle(window), first, last, flags, charset), None) {
        Some(message) => {
            TIME.set(message.time);
            to.put(MSG::of(&message));
            TRUE
        }
        None => FALSE,
    }
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn PeekMessageA(to: Out<MSG>, window: HWND, first: u32, last: u32, flags: u32) -> Bool {
    peek(to, window, first, last, flags, Charset::Narrow)
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn PeekMessageW(to: Out<MSG>, window: HWND, first: u32, last: u32, flags: u32) -> Bool {
    peek(to, window, first, last, flags, Charset::Wide)
}

/// # Safety
/// As for [`DispatchMessageA`].
unsafe fn dispatch(message: In<MSG>, charset: Charset) -> isize {
    let Some(message) = message.get() else {
        last_error::set(Code::NOACCESS);
        return 0;
    };
    // SAFETY: the caller's promise.
    unsafe { raw::dispatch(&message.message(), charset) }
}

/// # Safety
/// The message carries what its procedure expects.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn DispatchMessageA(message: In<MSG>) -> isize {
    // SAFETY: the caller's promise.
    unsafe { dispatch(message, Charset::Narrow) }
}

/// # Safety
/// As for [`DispatchMessageA`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn DispatchMessageW(message: In<MSG>) -> isize {
    // SAFETY: the caller's promise.
    unsafe { dispatch(message, Charset::Wide) }
}

#[unsafe(no_mangle)]
pub extern "C" fn TranslateMessage(_message: In<MSG>) -> Bool {
    FALSE
}

#[unsafe(no_mangle)]
pub extern "C-unwind" fn WaitMessage() -> Bool {
    process::let_go();
    settled(raw::wait_message().map(|()| TRUE), FALSE)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetMessageTime() -> i32 {
    TIME.get().cast_signed()
}

#[unsafe(no_mangle)]
pub extern "C" fn GetMessagePos() -> u32 {
    0
}

#[unsafe(no_mangle)]
pub extern "C" fn GetQueueStatus(flags: u32) -> u32 {
    guard(0, || Ok(raw::queue_status(flags)?))
}

/// # Safety
/// `procedure` can be called until the timer is killed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SetTimer(
    window: HWND,
    timer: usize,
    milliseconds: u32,
    procedure: Option<TimerProcedure>,
) -> usize {
    // SAFETY: the caller's promise.
    guard(0, || Ok(unsafe { raw::set_timer(handle(window), timer, milliseconds, procedure) }?))
}

#[unsafe(no_mangle)]
pub extern "C" fn KillTimer(window: HWND, timer: usize) -> Bool {
    truth(|| Ok(raw::kill_timer(handle(window), timer)?))
}
