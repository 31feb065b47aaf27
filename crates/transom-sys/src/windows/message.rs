//! Messages: sending, posting, retrieving, waiting.
//!
//! # Safety
//! The calls take numbers, structures that outlive them, and locals for results. Those that run procedures, or take what
//! a procedure will read, pass their caller's promise on.
#![allow(unsafe_code)]

use std::mem;
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_INVALID_WINDOW_HANDLE, ERROR_TIMEOUT, HANDLE, POINT, WAIT_FAILED,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CallWindowProcA, CallWindowProcW, DefWindowProcA, DefWindowProcW, DispatchMessageA, DispatchMessageW,
    GetMessageA, GetMessageW, GetQueueStatus, HWND_BROADCAST, InSendMessageEx, KillTimer, MSG,
    MsgWaitForMultipleObjectsEx, PeekMessageA, PeekMessageW, PostMessageA, PostMessageW, PostQuitMessage,
    PostThreadMessageA, PostThreadMessageW, ReplyMessage, SENDASYNCPROC, SendMessageA, SendMessageCallbackA,
    SendMessageCallbackW, SendMessageTimeoutA, SendMessageTimeoutW, SendMessageW, SendNotifyMessageA,
    SendNotifyMessageW, SetTimer, TIMERPROC, WaitMessage,
};

use super::window::{Procedure, Window, is_window, to_procedure};
use super::{Handle, Result, check, clear_last_error, from_api, last_error, to_api};

/// `SENDASYNCPROC`.
pub type SendCallback = unsafe extern "system-unwind" fn(usize, u32, usize, isize);

/// `TIMERPROC`.
pub type TimerProcedure = unsafe extern "system-unwind" fn(usize, u32, usize, u32);

/// `MSG`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Message {
    /// `hwnd`.
    pub window: Window,
    /// `message`.
    pub message: u32,
    /// `wParam`.
    pub wparam: usize,
    /// `lParam`.
    pub lparam: isize,
    /// `time`.
    pub time: u32,
}

/// `SendMessage`. The call does not tell 0 from no window, so it is looked up before.
///
/// # Errors
/// 1400.
///
/// # Safety
/// The parameters are what the message is documented to have.
pub unsafe fn send(window: Window, message: u32, wparam: usize, lparam: isize, wide: bool) -> Result<isize> {
    if to_api(window) != HWND_BROADCAST && !is_window(window) {
        return Err(ERROR_INVALID_WINDOW_HANDLE);
    }
    let call = if wide { SendMessageW } else { SendMessageA };
    // SAFETY: the caller's promise.
    Ok(unsafe { call(to_api(window), message, wparam, lparam) })
}

/// `SendMessageTimeout`.
///
/// # Errors
/// As the call; 1400 if the window is gone, for which systems leave different codes, and 1460 where it leaves none.
///
/// # Safety
/// As [`send`].
pub unsafe fn send_timeout(
    window: Window,
    message: u32,
    wparam: usize,
    lparam: isize,
    flags: u32,
    millis: u32,
    wide: bool,
) -> Result<isize> {
    let call = if wide { SendMessageTimeoutW } else { SendMessageTimeoutA };
    let mut result = 0_usize;
    clear_last_error();
    // SAFETY: `result` is a local for the result; else the caller's promise.
    let answered =
        unsafe { call(to_api(window), message, wparam, lparam, flags, millis, &raw mut result) } != 0;
    match last_error() {
        _ if answered => Ok(result.cast_signed()),
        ERROR_TIMEOUT => Err(ERROR_TIMEOUT),
        _ if !is_window(window) => Err(ERROR_INVALID_WINDOW_HANDLE),
        0 => Err(ERROR_TIMEOUT),
        code => Err(code),
    }
}

/// `SendNotifyMessage`.
///
/// # Errors
/// As the call.
///
/// # Safety
/// As [`send`].
pub unsafe fn notify(window: Window, message: u32, wparam: usize, lparam: isize, wide: bool) -> Result<()> {
    let call = if wide { SendNotifyMessageW } else { SendNotifyMessageA };
    // SAFETY: the caller's promise.
    check(unsafe { call(to_api(window), message, wparam, lparam) })
}

/// `SendMessageCallback`.
///
/// # Errors
/// As the call.
///
/// # Safety
/// As [`send`]; `callback` can be called with `data`.
pub unsafe fn send_callback(
    window: Window,
    message: u32,
    wparam: usize,
    lparam: isize,
    callback: SendCallback,
    data: usize,
    wide: bool,
) -> Result<()> {
    let call = if wide { SendMessageCallbackW } else { SendMessageCallbackA };
    // SAFETY: two types of one function pointer, which differ in how they spell its arguments.
    let callback = unsafe { mem::transmute::<Option<SendCallback>, SENDASYNCPROC>(Some(callback)) };
    // SAFETY: the caller's promise.
    check(unsafe { call(to_api(window), message, wparam, lparam, callback, data) })
}

/// `ReplyMessage`.
pub fn reply(result: isize) -> bool {
    // SAFETY: takes a number only.
    unsafe { ReplyMessage(result) != 0 }
}

/// `InSendMessageEx`.
#[must_use]
pub fn in_send() -> u32 {
    // SAFETY: its parameter is reserved and `NULL`.
    unsafe { InSendMessageEx(ptr::null()) }
}

/// `PostMessage`.
///
/// # Errors
/// As the call.
pub fn post(window: Window, message: u32, wparam: usize, lparam: isize, wide: bool) -> Result<()> {
    let call = if wide { PostMessageW } else { PostMessageA };
    // SAFETY: takes numbers only; messages with pointers are refused.
    check(unsafe { call(to_api(window), message, wparam, lparam) })
}

/// `PostThreadMessage`.
///
/// # Errors
/// As the call.
pub fn post_thread(thread: u32, message: u32, wparam: usize, lparam: isize, wide: bool) -> Result<()> {
    let call = if wide { PostThreadMessageW } else { PostThreadMessageA };
    // SAFETY: as in `post`.
    check(unsafe { call(thread, message, wparam, lparam) })
}

/// `PostQuitMessage`.
pub fn post_quit(code: i32) {
    // SAFETY: takes a number only.
    unsafe { PostQuitMessage(code) };
}

/// `GetMessage`; `WM_QUIT` is a message like others.
///
/// # Errors
/// As the call.
pub fn get(window: Window, first: u32, last: u32, wide: bool) -> Result<Message> {
    let call = if wide { GetMessageW } else { GetMessageA };
    let mut message = MSG::default();
    // SAFETY: `message` is a local for the result.
    match unsafe { call(&raw mut message, to_api(window), first, last) } {
        -1 => Err(last_error()),
        _ => Ok(Message::from_api(&message)),
    }
}

/// `PeekMessage`.
///
/// # Errors
/// 1400.
pub fn peek(window: Window, first: u32, last: u32, flags: u32, wide: bool) -> Result<Option<Message>> {
    let call = if wide { PeekMessageW } else { PeekMessageA };
    let mut message = MSG::default();
    // SAFETY: `message` is a local for the result.
    if unsafe { call(&raw mut message, to_api(window), first, last, flags) } != 0 {
        return Ok(Some(Message::from_api(&message)));
    }
    // The last error may come from a procedure that the call ran, so it says nothing.
    let no_filter = window == 0 || window == usize::MAX;
    if no_filter || is_window(window) { Ok(None) } else { Err(ERROR_INVALID_WINDOW_HANDLE) }
}

/// `DispatchMessage`.
///
/// # Safety
/// The message is as its procedure expects it.
pub unsafe fn dispatch(message: &Message, wide: bool) -> isize {
    let call = if wide { DispatchMessageW } else { DispatchMessageA };
    let message = message.to_api();
    // SAFETY: the caller's promise.
    unsafe { call(&raw const message) }
}

/// `DefWindowProc`.
///
/// # Safety
/// As [`send`].
pub unsafe fn default_procedure(
    window: Window,
    message: u32,
    wparam: usize,
    lparam: isize,
    wide: bool,
) -> isize {
    let call = if wide { DefWindowProcW } else { DefWindowProcA };
    // SAFETY: the caller's promise.
    unsafe { call(to_api(window), message, wparam, lparam) }
}

/// `CallWindowProc`.
///
/// # Safety
/// The procedure is one, or what the system gave as one; else as [`send`].
pub unsafe fn call_procedure(
    called: Procedure,
    window: Window,
    message: u32,
    wparam: usize,
    lparam: isize,
    wide: bool,
) -> isize {
    let call = if wide { CallWindowProcW } else { CallWindowProcA };
    // SAFETY: the caller's promise.
    unsafe { call(to_procedure(called), to_api(window), message, wparam, lparam) }
}

/// `GetQueueStatus`.
///
/// # Errors
/// As the call.
pub fn queue_status(flags: u32) -> Result<u32> {
    clear_last_error();
    // SAFETY: takes a number only.
    match unsafe { GetQueueStatus(flags) } {
        0 if last_error() != 0 => Err(last_error()),
        status => Ok(status),
    }
}

/// `WaitMessage`.
///
/// # Errors
/// As the call.
pub fn wait_message() -> Result<()> {
    // SAFETY: takes nothing.
    check(unsafe { WaitMessage() })
}

/// `MsgWaitForMultipleObjectsEx`: the value it returned, never `WAIT_FAILED`.
///
/// # Errors
/// As the call.
pub fn wait(objects: &[Handle], millis: u32, mask: u32, flags: u32) -> Result<u32> {
    let objects: Vec<HANDLE> = objects.iter().map(|&object| to_api(object)).collect();
    // A longer array than the type can count is more than 63 objects, which the call refuses with this code.
    let count = u32::try_from(objects.len()).map_err(|_| ERROR_INVALID_PARAMETER)?;
    // SAFETY: `objects` has `count` elements and outlives the call. Whoever asks for an alertable wait has queued what runs.
    let value = unsafe { MsgWaitForMultipleObjectsEx(count, objects.as_ptr(), millis, mask, flags) };
    if value == WAIT_FAILED { Err(last_error()) } else { Ok(value) }
}

/// `SetTimer`.
///
/// # Errors
/// As the call.
///
/// # Safety
/// `callback` can be called until the timer is killed.
pub unsafe fn set_timer(
    window: Window,
    timer: usize,
    period: u32,
    callback: Option<TimerProcedure>,
) -> Result<usize> {
    // SAFETY: two types of one function pointer, which differ in how they spell its arguments.
    let callback = unsafe { mem::transmute::<Option<TimerProcedure>, TIMERPROC>(callback) };
    // SAFETY: the caller's promise.
    match unsafe { SetTimer(to_api(window), timer, period, callback) } {
        0 => Err(last_error()),
        number => Ok(number),
    }
}

/// `KillTimer`.
///
/// # Errors
/// As the call.
pub fn kill_timer(window: Window, timer: usize) -> Result<()> {
    // SAFETY: takes numbers only.
    check(unsafe { KillTimer(to_api(window), timer) })
}

impl Message {
    fn from_api(message: &MSG) -> Message {
        Message {
            window: from_api(message.hwnd),
            message: message.message,
            wparam: message.wParam,
            lparam: message.lParam,
            time: message.time,
        }
    }

    fn to_api(self) -> MSG {
        MSG {
            hwnd: to_api(self.window),
            message: self.message,
            wParam: self.wparam,
            lParam: self.lparam,
            time: self.time,
            pt: POINT { x: 0, y: 0 },
        }
    }
}
