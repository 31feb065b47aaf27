//! Windows and messages over the real calls.
//!
//! # Safety
//! What is unsafe here passes the caller's promise on to a call that asks for the same.
#![allow(unsafe_code)]

use transom_sys::windows::{message as messages, window as sys};

use super::WindowHandle;
use super::raw::{
    Charset, ClassDefinition, Creation, Message, MessageWait, Name, Procedure, SendCallback, TimerProcedure,
};
use crate::error::Result;
use crate::handle::Handle;
use crate::handle::imp::{failed, value};
use crate::wait::{Timeout, Wait};

pub(crate) fn register_class(definition: &ClassDefinition) -> Result<u16> {
    let class = sys::Class {
        wide: wide(definition.charset),
        procedure: definition.procedure,
        style: definition.style,
        class_extra: definition.class_extra,
        window_extra: definition.window_extra,
        instance: definition.instance,
        icon: definition.icon,
        cursor: definition.cursor,
        background: definition.background,
        menu_name: definition.menu_name,
        small_icon: definition.small_icon,
    };
    sys::register_class(&definition.name, &class).map_err(failed("register class"))
}

pub(crate) fn unregister_class(class: Name<'_>) -> Result<()> {
    sys::unregister_class(name(class)).map_err(failed("unregister class"))
}

pub(crate) fn class(wanted: Name<'_>) -> Result<(u16, ClassDefinition)> {
    let (atom, class) = sys::class(name(wanted)).map_err(failed("get class"))?;
    let spelled = sys::name_of(atom).or_else(|| match wanted {
        Name::Text(text) => Some(text.to_vec()),
        Name::Atom(_) => None,
    });
    let definition = ClassDefinition {
        name: spelled.unwrap_or_default(),
        charset: if class.wide { Charset::Wide } else { Charset::Narrow },
        procedure: class.procedure,
        style: class.style,
        class_extra: class.class_extra,
        window_extra: class.window_extra,
        instance: class.instance,
        icon: class.icon,
        cursor: class.cursor,
        background: class.background,
        menu_name: class.menu_name,
        small_icon: class.small_icon,
    };
    Ok((atom, definition))
}

pub(crate) fn create(creation: &Creation<'_>) -> Result<WindowHandle> {
    // The form of the call does not matter: the system gives the procedure the text in the form of its class.
    let Creation { class, title, style, ex_style, rectangle, parent, menu, instance, parameter, charset: _ } =
        *creation;
    let creation = sys::Creation {
        class: name(class),
        title,
        style,
        ex_style,
        rectangle,
        parent: parent.value(),
        menu,
        instance,
        parameter,
    };
    sys::create(&creation).map(WindowHandle::from_raw).map_err(failed("create window"))
}

pub(crate) fn destroy(window: WindowHandle) -> Result<()> {
    sys::destroy(window.value()).map_err(failed("destroy window"))
}

pub(crate) fn is_window(window: WindowHandle) -> bool {
    sys::is_window(window.value())
}

pub(crate) fn charset(window: WindowHandle) -> Result<Charset> {
    sys::is_wide(window.value())
        .map(|wide| if wide { Charset::Wide } else { Charset::Narrow })
        .map_err(failed("get form of window"))
}

pub(crate) fn class_name(window: WindowHandle) -> Result<Vec<u16>> {
    sys::class_name(window.value()).map_err(failed("get class name"))
}

pub(crate) fn owner(window: WindowHandle) -> Result<(u32, u32)> {
    sys::owner(window.value()).map_err(failed("get owner of window"))
}

pub(crate) fn text(window: WindowHandle) -> Result<Vec<u16>> {
    sys::text(window.value()).map_err(failed("get window text"))
}

pub(crate) fn text_length(window: WindowHandle) -> Result<usize> {
    sys::text_length(window.value()).map_err(failed("get window text length"))
}

pub(crate) fn set_text(window: WindowHandle, text: &[u16], _charset: Charset) -> Result<bool> {
    // The system gives the procedure the text in its own form.
    match sys::set_text(window.value(), text) {
        Ok(()) => Ok(true),
        // The procedure did not take it.
        Err(0) => Ok(false),
        Err(code) => Err(failed("set window text")(code)),
    }
}

pub(crate) fn long(window: WindowHandle, index: i32) -> Result<isize> {
    sys::long(window.value(), index).map_err(failed("get window long"))
}

pub(crate) unsafe fn set_long(
    window: WindowHandle,
    index: i32,
    value: isize,
    charset: Charset,
) -> Result<isize> {
    // SAFETY: the caller's promise.
    unsafe { sys::set_long(window.value(), index, value, wide(charset)) }.map_err(failed("set window long"))
}

pub(crate) fn long32(window: WindowHandle, index: i32) -> Result<i32> {
    sys::long32(window.value(), index).map_err(failed("get window long"))
}

pub(crate) fn set_long32(window: WindowHandle, index: i32, value: i32) -> Result<i32> {
    sys::set_long32(window.value(), index, value).map_err(failed("set window long"))
}

pub(crate) fn set_property(window: WindowHandle, property: Name<'_>, value: usize) -> Result<()> {
    sys::set_property(window.value(), name(property), value).map_err(failed("set property"))
}

pub(crate) fn property(window: WindowHandle, property: Name<'_>) -> Result<Option<usize>> {
    sys::property(window.value(), name(property)).map_err(failed("get property"))
}

pub(crate) fn remove_property(window: WindowHandle, property: Name<'_>) -> Result<Option<usize>> {
    sys::remove_property(window.value(), name(property)).map_err(failed("remove property"))
}

pub(crate) fn parent(window: WindowHandle) -> Result<WindowHandle> {
    sys::parent(window.value()).map(WindowHandle::from_raw).map_err(failed("get parent"))
}

pub(crate) fn set_parent(window: WindowHandle, parent: WindowHandle) -> Result<WindowHandle> {
    sys::set_parent(window.value(), parent.value()).map(WindowHandle::from_raw).map_err(failed("set parent"))
}

#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(crate) fn desktop_window() -> Result<WindowHandle> {
    Ok(WindowHandle::from_raw(sys::desktop()))
}

pub(crate) fn find(
    parent: WindowHandle,
    after: WindowHandle,
    class: Option<Name<'_>>,
    title: Option<&[u16]>,
) -> Result<Option<WindowHandle>> {
    sys::find(parent.value(), after.value(), class.map(name), title)
        .map(|found| found.map(WindowHandle::from_raw))
        .map_err(failed("find window"))
}

pub(crate) fn top_level() -> Result<Vec<WindowHandle>> {
    sys::top_level().map(handles).map_err(failed("list windows"))
}

#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(crate) fn of_thread(thread: u32) -> Result<Vec<WindowHandle>> {
    Ok(handles(sys::of_thread(thread)))
}

pub(crate) fn children(parent: WindowHandle) -> Result<Vec<WindowHandle>> {
    let parent = match parent {
        WindowHandle::NULL => sys::desktop(),
        WindowHandle::MESSAGE => match message_root() {
            Some(root) => root,
            None => return Ok(Vec::new()),
        },
        parent => parent.value(),
    };
    sys::children(parent).map(handles).map_err(failed("list child windows"))
}

/// The window whose children are the message-only ones; `None` as long as there are none.
fn message_root() -> Option<sys::Window> {
    loop {
        let first = sys::find(sys::message_parent(), 0, None, None).ok().flatten()?;
        // 0 if it is gone by now.
        match sys::true_parent(first) {
            0 => {}
            root => return Some(root),
        }
    }
}

pub(crate) fn register_message(name: &[u16]) -> Result<u32> {
    sys::register_message(name).map_err(failed("register message"))
}

#[expect(clippy::unnecessary_wraps, reason = "on Linux it can fail")]
pub(crate) fn name_of(number: u16) -> Result<Option<Vec<u16>>> {
    Ok(sys::name_of(number))
}

pub(crate) unsafe fn send(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<isize> {
    // SAFETY: the caller's promise.
    unsafe { messages::send(window.value(), message, wparam, lparam, wide(charset)) }
        .map_err(failed("send message"))
}

pub(crate) unsafe fn send_timeout(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    flags: u32,
    timeout: Timeout,
    charset: Charset,
) -> Result<isize> {
    let millis = timeout.as_millis();
    // SAFETY: the caller's promise.
    unsafe { messages::send_timeout(window.value(), message, wparam, lparam, flags, millis, wide(charset)) }
        .map_err(failed("send message"))
}

pub(crate) unsafe fn notify(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { messages::notify(window.value(), message, wparam, lparam, wide(charset)) }
        .map_err(failed("send notify message"))
}

pub(crate) unsafe fn send_callback(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    callback: SendCallback,
    data: usize,
    charset: Charset,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { messages::send_callback(window.value(), message, wparam, lparam, callback, data, wide(charset)) }
        .map_err(failed("send message with callback"))
}

pub(crate) fn reply(result: isize) -> bool {
    messages::reply(result)
}

pub(crate) fn in_send() -> u32 {
    messages::in_send()
}

pub(crate) fn post(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<()> {
    messages::post(window.value(), message, wparam, lparam, wide(charset)).map_err(failed("post message"))
}

pub(crate) fn post_thread(
    thread: u32,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<()> {
    messages::post_thread(thread, message, wparam, lparam, wide(charset))
        .map_err(failed("post thread message"))
}

pub(crate) fn post_quit(code: i32) {
    messages::post_quit(code);
}

pub(crate) fn get(window: WindowHandle, first: u32, last: u32, charset: Charset) -> Result<Message> {
    messages::get(window.value(), first, last, wide(charset)).map(message).map_err(failed("get message"))
}

pub(crate) fn peek(
    window: WindowHandle,
    first: u32,
    last: u32,
    flags: u32,
    charset: Charset,
) -> Result<Option<Message>> {
    messages::peek(window.value(), first, last, flags, wide(charset))
        .map(|found| found.map(message))
        .map_err(failed("peek message"))
}

pub(crate) unsafe fn dispatch(message: &Message, charset: Charset) -> isize {
    let message = messages::Message {
        window: message.window.value(),
        message: message.message,
        wparam: message.wparam,
        lparam: message.lparam,
        time: message.time,
    };
    // SAFETY: the caller's promise.
    unsafe { messages::dispatch(&message, wide(charset)) }
}

pub(crate) unsafe fn default_procedure(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { messages::default_procedure(window.value(), message, wparam, lparam, wide(charset)) }
}

pub(crate) unsafe fn call_procedure(
    procedure: Procedure,
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { messages::call_procedure(procedure, window.value(), message, wparam, lparam, wide(charset)) }
}

pub(crate) fn queue_status(flags: u32) -> Result<u32> {
    messages::queue_status(flags).map_err(failed("get queue status"))
}

pub(crate) fn wait_message() -> Result<()> {
    messages::wait_message().map_err(failed("wait for message"))
}

pub(crate) fn wait(objects: &[&Handle], timeout: Timeout, mask: u32, flags: u32) -> Result<MessageWait> {
    /// `WAIT_ABANDONED_0`, `WAIT_IO_COMPLETION`, `WAIT_TIMEOUT`.
    const ABANDONED: u32 = 0x80;
    const CALLED: u32 = 0xC0;
    const TIMEOUT: u32 = 0x102;
    let handles: Vec<_> = objects.iter().map(|handle| value(handle)).collect();
    let ended = messages::wait(&handles, timeout.as_millis(), mask, flags)
        .map_err(failed("wait for messages and objects"))?;
    Ok(match ended {
        TIMEOUT => MessageWait::Objects(Wait::Timeout),
        CALLED => MessageWait::Called,
        // At most 63 objects, so the ranges do not meet and an index fits anything.
        ABANDONED.. => MessageWait::Objects(Wait::Abandoned((ended - ABANDONED) as usize)),
        index if index as usize >= objects.len() => MessageWait::Input,
        index => MessageWait::Objects(Wait::Object(index as usize)),
    })
}

pub(crate) unsafe fn set_timer(
    window: WindowHandle,
    timer: usize,
    period: u32,
    procedure: Option<TimerProcedure>,
) -> Result<usize> {
    // SAFETY: the caller's promise.
    unsafe { messages::set_timer(window.value(), timer, period, procedure) }.map_err(failed("set timer"))
}

pub(crate) fn kill_timer(window: WindowHandle, timer: usize) -> Result<()> {
    messages::kill_timer(window.value(), timer).map_err(failed("kill timer"))
}

pub(crate) fn is_hung(window: WindowHandle) -> bool {
    sys::is_hung(window.value())
}

fn wide(charset: Charset) -> bool {
    charset == Charset::Wide
}

fn name(name: Name<'_>) -> sys::Name<'_> {
    match name {
        Name::Text(text) => sys::Name::Text(text),
        Name::Atom(atom) => sys::Name::Atom(atom),
    }
}

fn handles(windows: Vec<sys::Window>) -> Vec<WindowHandle> {
    windows.into_iter().map(WindowHandle::from_raw).collect()
}

fn message(message: messages::Message) -> Message {
    Message {
        window: WindowHandle::from_raw(message.window),
        message: message.message,
        wparam: message.wparam,
        lparam: message.lparam,
        time: message.time,
    }
}
