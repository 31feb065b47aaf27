//! Windows on Linux: [`crate::engine::desktop`] and [`crate::engine::queue`] by their Win32 calls.
//!
//! | module | what |
//! | --- | --- |
//! | [`create`] | classes, making and destroying windows, the default procedure |
//! | [`attributes`] | what windows are: text, longs, properties, parents; finding them |
//! | this | sending, posting, retrieving, waiting, timers |
//!
//! # Safety
//! The unsafe functions here are those of [`super::raw`], which say what they need.
#![allow(unsafe_code)]

use transom_core::code::Code;
use transom_core::desktop::find::Seen;
use transom_core::desktop::{Who, rules};
use transom_sys::linux::futex;

use super::WindowHandle;
use super::message::{
    MWMO_ALERTABLE, MWMO_INPUTAVAILABLE, MWMO_WAITALL, PM_REMOVE, SMTO_ABORTIFHUNG, SMTO_BLOCK,
    SMTO_NOTIMEOUTIFNOTHUNG, WM_TIMER,
};
use super::raw::{Charset, Message, MessageWait, Procedure, SendCallback, TimerProcedure};
use crate::engine::desktop::{Desktop, desktop};
use crate::engine::named::error;
use crate::engine::procedures;
use crate::engine::queue::{self, Answer, Call, Filter, Patience, Queue, Windows};
use crate::engine::waiter::{Input, Target};
use crate::error::Result;
use crate::handle::Handle;
use crate::wait::{Timeout, Wait, imp as waits};

#[path = "linux/attributes.rs"]
mod attributes;
#[path = "linux/create.rs"]
mod create;

pub(super) use attributes::{
    charset, children, class_name, desktop_window, find, is_window, long, long32, name_of, of_thread, owner,
    parent, property, register_message, remove_property, set_long, set_long32, set_parent, set_property,
    set_text, text, text_length, top_level,
};
pub(super) use create::{class, create, default_procedure, destroy, register_class, unregister_class};

type Coded<T> = std::result::Result<T, Code>;

/// Every `QS_` bit there is.
const QS_ALL: u32 = 0x1DFF;
/// The most objects that can be waited for beside the queue.
const MOST_OBJECTS: usize = 63;

/// The window, if it exists.
fn seen(desktop: &Desktop, window: WindowHandle) -> Coded<Seen> {
    // Only 32 bits of a handle mean something.
    desktop.window(window.value() as u32).ok_or(Code::INVALID_WINDOW_HANDLE)
}

/// Does something with this thread's queue.
fn with<T>(work: impl FnOnce(&Queue) -> Coded<T>) -> Coded<T> {
    queue::with(work)?
}

fn call(window: u32, message: u32, wparam: usize, lparam: isize, charset: Charset) -> Call {
    Call { window, message, wparam, lparam, charset }
}

/// All top-level windows, topmost first.
fn all_top_level(desktop: &Desktop) -> Vec<Seen> {
    desktop.all_windows(|seen| seen.parent == 0)
}

// Sending

/// Runs the procedure, or has it run by the window's thread.
///
/// # Safety
/// As [`super::raw::send`].
unsafe fn send_one(queue: &Queue, to: Who, call: &Call, patience: &Patience) -> Coded<Answer> {
    if to == queue.who() {
        // SAFETY: the caller's promise.
        return Ok(Answer::Result(unsafe { procedures::run_here(call) }));
    }
    queue.send(to, call, patience)
}

pub(super) unsafe fn send(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<isize> {
    let sent = with(|queue| {
        if window == WindowHandle::BROADCAST {
            for seen in broadcast(queue, message) {
                let call = call(seen.handle, message, wparam, lparam, charset);
                // SAFETY: the caller's promise.
                unsafe { send_one(queue, seen.owner, &call, &Patience::ENDLESS) }?;
            }
            return Ok(1);
        }
        let seen = seen(queue.desktop, window)?;
        let call = call(seen.handle, message, wparam, lparam, charset);
        // SAFETY: the caller's promise.
        match unsafe { send_one(queue, seen.owner, &call, &Patience::ENDLESS) }? {
            Answer::Result(result) => Ok(result),
            Answer::Gone => Ok(0),
        }
    });
    sent.map_err(error("send message"))
}

/// Whom a broadcast reaches (rules 37 and 38).
fn broadcast(queue: &Queue, message: u32) -> Vec<Seen> {
    if rules::is_broadcast(message) { all_top_level(queue.desktop) } else { Vec::new() }
}

pub(super) unsafe fn send_timeout(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    flags: u32,
    timeout: Timeout,
    charset: Charset,
) -> Result<isize> {
    let patience = || {
        let deadline = timeout.deadline_nanos(futex::now()).filter(|_| !timeout.is_infinite());
        let again = u64::from(timeout.as_millis()).max(1) * 1_000_000;
        Patience {
            deadline,
            block: flags & SMTO_BLOCK != 0,
            abort_if_hung: flags & SMTO_ABORTIFHUNG != 0,
            unless_hung: (flags & SMTO_NOTIMEOUTIFNOTHUNG != 0).then_some(again),
        }
    };
    let sent = with(|queue| {
        if window == WindowHandle::BROADCAST {
            for seen in broadcast(queue, message) {
                let call = call(seen.handle, message, wparam, lparam, charset);
                // Each window has the whole time (rule 19); who does not answer does not count.
                // SAFETY: the caller's promise.
                let _ = unsafe { send_one(queue, seen.owner, &call, &patience()) };
            }
            return Ok(1);
        }
        let seen = seen(queue.desktop, window)?;
        let call = call(seen.handle, message, wparam, lparam, charset);
        // SAFETY: the caller's promise.
        match unsafe { send_one(queue, seen.owner, &call, &patience()) }? {
            Answer::Result(result) => Ok(result),
            Answer::Gone => Err(Code::INVALID_WINDOW_HANDLE),
        }
    });
    sent.map_err(error("send message"))
}

/// Does `one` for the window, or for all that a broadcast reaches: there, who cannot be reached is left out.
fn to_each(queue: &Queue, window: WindowHandle, message: u32, one: impl Fn(&Seen) -> Coded<()>) -> Coded<()> {
    if window != WindowHandle::BROADCAST {
        return one(&seen(queue.desktop, window)?);
    }
    for seen in broadcast(queue, message) {
        let _ = one(&seen);
    }
    Ok(())
}

/// Messages whose parameters are pointers are sent, and waited for (rule 23).
fn asynchronous(message: u32) -> Coded<()> {
    if rules::is_synchronous(message) { Err(Code::MESSAGE_SYNC_ONLY) } else { Ok(()) }
}

pub(super) unsafe fn notify(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<()> {
    let sent = with(|queue| {
        asynchronous(message)?;
        let one = |seen: &Seen| {
            let call = call(seen.handle, message, wparam, lparam, charset);
            if seen.owner == queue.who() {
                // SAFETY: the caller's promise.
                unsafe { procedures::run_here(&call) };
                return Ok(());
            }
            queue.notify(seen.owner, &call)
        };
        to_each(queue, window, message, one)
    });
    sent.map_err(error("send notification"))
}

pub(super) unsafe fn send_callback(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    callback: SendCallback,
    data: usize,
    charset: Charset,
) -> Result<()> {
    let sent = with(|queue| {
        asynchronous(message)?;
        let one = |seen: &Seen| {
            let call = call(seen.handle, message, wparam, lparam, charset);
            if seen.owner == queue.who() {
                // SAFETY: the caller's promise.
                let result = unsafe { procedures::run_here(&call) };
                // SAFETY: the caller's promise.
                unsafe { callback(seen.handle as usize, message, data, result) };
                return Ok(());
            }
            queue.send_callback(seen.owner, &call, callback, data)
        };
        to_each(queue, window, message, one)
    });
    sent.map_err(error("send message with callback"))
}

pub(super) fn reply(result: isize) -> bool {
    queue::exists() && queue::with(|queue| queue.reply(result)).unwrap_or(false)
}

pub(super) fn in_send() -> u32 {
    if queue::exists() { queue::with(Queue::in_send).unwrap_or(0) } else { 0 }
}

// Posting

pub(super) fn post(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<()> {
    let posted = with(|queue| {
        asynchronous(message)?;
        if window.is_null() {
            return queue.post(queue.who(), &call(0, message, wparam, lparam, charset));
        }
        let one = |seen: &Seen| {
            let sent = queue.post(seen.owner, &call(seen.handle, message, wparam, lparam, charset));
            sent.map_err(
                |code| if code == Code::INVALID_THREAD_ID { Code::INVALID_WINDOW_HANDLE } else { code },
            )
        };
        to_each(queue, window, message, one)
    });
    posted.map_err(error("post message"))
}

pub(super) fn post_thread(
    thread: u32,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<()> {
    let posted = with(|queue| {
        asynchronous(message)?;
        let who = queue.desktop.by_thread_id(thread).ok_or(Code::INVALID_THREAD_ID)?;
        queue.post(who, &call(0, message, wparam, lparam, charset))
    });
    posted.map_err(error("post message to thread"))
}

pub(super) fn post_quit(code: i32) {
    // A thread that cannot have a queue has no loop to end.
    let _ = queue::with(|queue| queue.post_quit(code));
}

// Retrieving

fn filter(queue: &Queue, window: WindowHandle, first: u32, last: u32) -> Coded<Filter> {
    let windows = match window {
        WindowHandle::NULL => Windows::All,
        _ if window == WindowHandle::THREAD || window.value() as u32 == u32::MAX => Windows::Thread,
        _ => {
            let top = seen(queue.desktop, window)?;
            let mut these = vec![top.handle];
            these.extend(attributes::descendants(queue.desktop, top.handle).iter().map(|seen| seen.handle));
            Windows::These(these)
        }
    };
    Ok(Filter { windows, first, last })
}

pub(super) fn get(window: WindowHandle, first: u32, last: u32, charset: Charset) -> Result<Message> {
    let _ = charset;
    let got = with(|queue| {
        let filter = filter(queue, window, first, last)?;
        loop {
            if let Some(message) = queue.retrieve(&filter, true, true)? {
                return Ok(message);
            }
        }
    });
    got.map_err(error("get message"))
}

pub(super) fn peek(
    window: WindowHandle,
    first: u32,
    last: u32,
    flags: u32,
    charset: Charset,
) -> Result<Option<Message>> {
    let _ = charset;
    let got = with(|queue| {
        let filter = filter(queue, window, first, last)?;
        queue.retrieve(&filter, flags & PM_REMOVE != 0, false)
    });
    got.map_err(error("peek message"))
}

pub(super) unsafe fn dispatch(message: &Message, charset: Charset) -> isize {
    let dispatched = with(|queue| {
        if message.message == WM_TIMER && message.lparam != 0 {
            queue.run_timer(message);
            return Ok(0);
        }
        let seen = seen(queue.desktop, message.window)?;
        if seen.owner != queue.who() {
            return Ok(0);
        }
        let call = call(seen.handle, message.message, message.wparam, message.lparam, charset);
        // SAFETY: the caller's promise.
        Ok(unsafe { procedures::run_here(&call) })
    });
    dispatched.unwrap_or(0)
}

pub(super) unsafe fn call_procedure(
    procedure: Procedure,
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> isize {
    let form = procedures::form_of(procedure, charset);
    let call = call(window.value() as u32, message, wparam, lparam, charset);
    // SAFETY: the caller's promise.
    unsafe { procedures::run_converted(procedure, form, &call) }
}

pub(super) fn queue_status(flags: u32) -> Result<u32> {
    let status = with(|queue| {
        if flags & !QS_ALL != 0 {
            return Err(Code::INVALID_FLAGS);
        }
        let (new, present) = queue.status(flags);
        Ok(present << 16 | new)
    });
    status.map_err(error("get queue status"))
}

pub(super) fn wait_message() -> Result<()> {
    with(Queue::wait_message).map_err(error("wait for message"))
}

pub(super) fn wait(objects: &[&Handle], timeout: Timeout, mask: u32, flags: u32) -> Result<MessageWait> {
    let waited = with(|queue| {
        if objects.len() > MOST_OBJECTS || flags & !(MWMO_WAITALL | MWMO_ALERTABLE | MWMO_INPUTAVAILABLE) != 0
        {
            return Err(Code::INVALID_PARAMETER);
        }
        if mask & !QS_ALL != 0 {
            return Err(Code::INVALID_FLAGS);
        }
        let input = Input { queue, mask, available: flags & MWMO_INPUTAVAILABLE != 0 };
        let deadline = if timeout.is_infinite() { None } else { timeout.deadline_nanos(futex::now()) };
        if flags & MWMO_WAITALL != 0 && !objects.is_empty() {
            // What is in the queue stays there meanwhile: only this thread takes it out.
            if wait_once(&[], input, deadline)? == MessageWait::Input {
                let rest = deadline.map_or(Timeout::INFINITE, rest);
                return waits::all_coded(objects, rest).map(MessageWait::Objects);
            }
            return Ok(MessageWait::Objects(Wait::Timeout));
        }
        wait_once(objects, input, deadline)
    });
    waited.map_err(error("wait for objects or input"))
}

fn rest(deadline: u64) -> Timeout {
    let left = deadline.saturating_sub(futex::now()).div_ceil(1_000_000);
    Timeout::millis(u32::try_from(left).unwrap_or(u32::MAX - 1).min(u32::MAX - 1))
}

/// Waits for any of the objects or the input; a timer that falls due is input.
fn wait_once(objects: &[&Handle], input: Input<'_>, deadline: Option<u64>) -> Coded<MessageWait> {
    loop {
        let timer = input.queue.next_untold();
        let end = [deadline, timer].into_iter().flatten().min();
        let result = waits::any_with(objects, Target::Input(input), end.map_or(Timeout::INFINITE, rest));
        input.queue.woken();
        match result? {
            Wait::Object(index) if index == objects.len() => return Ok(MessageWait::Input),
            Wait::Timeout if deadline.is_none_or(|at| futex::now() < at) => {}
            other => return Ok(MessageWait::Objects(other)),
        }
    }
}

// Timers

/// The window of a timer: of this thread, or none.
fn timer_window(queue: &Queue, window: WindowHandle) -> Coded<u32> {
    if window.is_null() {
        return Ok(0);
    }
    let seen = seen(queue.desktop, window)?;
    if seen.owner == queue.who() { Ok(seen.handle) } else { Err(Code::ACCESS_DENIED) }
}

pub(super) unsafe fn set_timer(
    window: WindowHandle,
    timer: usize,
    period: u32,
    procedure: Option<TimerProcedure>,
) -> Result<usize> {
    with(|queue| Ok(queue.set_timer(timer_window(queue, window)?, timer, period, procedure)))
        .map_err(error("set timer"))
}

pub(super) fn kill_timer(window: WindowHandle, timer: usize) -> Result<()> {
    let killed = with(|queue| {
        let window = timer_window(queue, window)?;
        if queue.kill_timer(window, timer) { Ok(()) } else { Err(Code::INVALID_PARAMETER) }
    });
    killed.map_err(error("kill timer"))
}

pub(super) fn is_hung(window: WindowHandle) -> bool {
    desktop().is_ok_and(|desktop| seen(desktop, window).is_ok_and(|seen| desktop.is_hung(seen.owner)))
}
