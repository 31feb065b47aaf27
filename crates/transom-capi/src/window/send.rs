//! Sending and posting: `SendMessage` and its like, `PostMessage`, `ReplyMessage`.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. Messages carry what Windows documents for them: the
//! caller's promise.
#![allow(unsafe_code)]

use transom::wait::Timeout;
use transom::window::message::{ISMEX_CALLBACK, ISMEX_NOSEND, ISMEX_NOTIFY, ISMEX_SEND};
use transom::window::raw::{self, Charset, SendCallback};
use transom::{Code, process};

use crate::ffi::{Bool, FALSE, Out, TRUE, guard, truth};
use crate::last_error;

use super::{HWND, handle, settled};

/// # Safety
/// As for [`SendMessageA`].
unsafe fn send(window: HWND, message: u32, wparam: usize, lparam: isize, charset: Charset) -> isize {
    process::let_go();
    // SAFETY: the caller's promise.
    settled(unsafe { raw::send(handle(window), message, wparam, lparam, charset) }, 0)
}

/// # Safety
/// The message carries what Windows documents for it, valid during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SendMessageA(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { send(window, message, wparam, lparam, Charset::Narrow) }
}

/// # Safety
/// As for [`SendMessageA`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SendMessageW(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { send(window, message, wparam, lparam, Charset::Wide) }
}

/// How long a send may take.
struct Within {
    flags: u32,
    milliseconds: u32,
    charset: Charset,
}

/// # Safety
/// As for [`SendMessageA`].
unsafe fn send_timeout(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
    within: Within,
    result: Out<usize>,
) -> isize {
    process::let_go();
    let Within { flags, milliseconds, charset } = within;
    let limit = Timeout::millis(milliseconds);
    // SAFETY: the caller's promise.
    let sent = unsafe { raw::send_timeout(handle(window), message, wparam, lparam, flags, limit, charset) };
    match settled(sent.map(Some), None) {
        Some(value) => {
            result.put(value.cast_unsigned());
            1
        }
        None => 0,
    }
}

/// # Safety
/// As for [`SendMessageA`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SendMessageTimeoutA(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
    flags: u32,
    milliseconds: u32,
    result: Out<usize>,
) -> isize {
    let within = Within { flags, milliseconds, charset: Charset::Narrow };
    // SAFETY: the caller's promise.
    unsafe { send_timeout(window, message, wparam, lparam, within, result) }
}

/// # Safety
/// As for [`SendMessageA`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SendMessageTimeoutW(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
    flags: u32,
    milliseconds: u32,
    result: Out<usize>,
) -> isize {
    let within = Within { flags, milliseconds, charset: Charset::Wide };
    // SAFETY: the caller's promise.
    unsafe { send_timeout(window, message, wparam, lparam, within, result) }
}

/// # Safety
/// As for [`SendMessageA`].
unsafe fn notify(window: HWND, message: u32, wparam: usize, lparam: isize, charset: Charset) -> Bool {
    // SAFETY: the caller's promise.
    let sent = unsafe { raw::notify(handle(window), message, wparam, lparam, charset) };
    settled(sent.map(|()| TRUE), FALSE)
}

/// # Safety
/// As for [`SendMessageA`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SendNotifyMessageA(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> Bool {
    // SAFETY: the caller's promise.
    unsafe { notify(window, message, wparam, lparam, Charset::Narrow) }
}

/// # Safety
/// As for [`SendMessageA`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SendNotifyMessageW(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> Bool {
    // SAFETY: the caller's promise.
    unsafe { notify(window, message, wparam, lparam, Charset::Wide) }
}

/// What gets the result.
struct Answer {
    callback: Option<SendCallback>,
    data: usize,
    charset: Charset,
}

/// # Safety
/// As for [`SendMessageCallbackA`].
unsafe fn send_callback(window: HWND, message: u32, wparam: usize, lparam: isize, answer: Answer) -> Bool {
    let Some(callback) = answer.callback else {
        last_error::set(Code::INVALID_PARAMETER);
        return FALSE;
    };
    let Answer { data, charset, .. } = answer;
    // SAFETY: the caller's promise.
    let sent =
        unsafe { raw::send_callback(handle(window), message, wparam, lparam, callback, data, charset) };
    settled(sent.map(|()| TRUE), FALSE)
}

/// # Safety
/// As for [`SendMessageA`]; `callback` can be called with `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SendMessageCallbackA(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
    callback: Option<SendCallback>,
    data: usize,
) -> Bool {
    let answer = Answer { callback, data, charset: Charset::Narrow };
    // SAFETY: the caller's promise.
    unsafe { send_callback(window, message, wparam, lparam, answer) }
}

/// # Safety
/// As for [`SendMessageCallbackA`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn SendMessageCallbackW(
    window: HWND,
    message: u32,
    wparam: usize,
    lparam: isize,
    callback: Option<SendCallback>,
    data: usize,
) -> Bool {
    let answer = Answer { callback, data, charset: Charset::Wide };
    // SAFETY: the caller's promise.
    unsafe { send_callback(window, message, wparam, lparam, answer) }
}

#[unsafe(no_mangle)]
pub extern "C" fn ReplyMessage(result: isize) -> Bool {
    guard(FALSE, || Ok(raw::reply(result).into()))
}

#[unsafe(no_mangle)]
pub extern "C" fn InSendMessageEx(_reserved: usize) -> u32 {
    guard(ISMEX_NOSEND, || Ok(raw::in_send()))
}

#[unsafe(no_mangle)]
pub extern "C" fn InSendMessage() -> Bool {
    Bool::from(InSendMessageEx(0) & (ISMEX_SEND | ISMEX_NOTIFY | ISMEX_CALLBACK) != 0)
}

fn post(window: HWND, message: u32, wparam: usize, lparam: isize, charset: Charset) -> Bool {
    truth(|| Ok(raw::post(handle(window), message, wparam, lparam, charset)?))
}

#[unsafe(no_mangle)]
pub extern "C" fn PostMessageA(window: HWND, message: u32, wparam: usize, lparam: isize) -> Bool {
    post(window, message, wparam, lparam, Charset::Narrow)
}

#[unsafe(no_mangle)]
pub extern "C" fn PostMessageW(window: HWND, message: u32, wparam: usize, lparam: isize) -> Bool {
    post(window, message, wparam, lparam, Charset::Wide)
}

fn post_thread(thread: u32, message: u32, wparam: usize, lparam: isize, charset: Charset) -> Bool {
    truth(|| Ok(raw::post_thread(thread, message, wparam, lparam, charset)?))
}

#[unsafe(no_mangle)]
pub extern "C" fn PostThreadMessageA(thread: u32, message: u32, wparam: usize, lparam: isize) -> Bool {
    post_thread(thread, message, wparam, lparam, Charset::Narrow)
}

#[unsafe(no_mangle)]
pub extern "C" fn PostThreadMessageW(thread: u32, message: u32, wparam: usize, lparam: isize) -> Bool {
    post_thread(thread, message, wparam, lparam, Charset::Wide)
}

#[unsafe(no_mangle)]
pub extern "C" fn PostQuitMessage(code: i32) {
    guard((), || {
        raw::post_quit(code);
        Ok(())
    });
}
