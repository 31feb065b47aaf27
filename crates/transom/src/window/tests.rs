//! What both systems must show (messages.md). What needs a second process is in `tests/window.rs`.

mod class;
mod closures;
mod copydata;
mod find;
mod post;
mod send;
mod text;
mod typed;

use std::sync::mpsc::{Receiver, channel};

use super::message::{WM_APP, WM_USER};
use super::raw::{self, Charset, ClassDefinition, Creation, Message, Name, Procedure};
use super::{Class, MessageLoop, Sender, Window, WindowHandle, WindowThread};
use crate::error::Result;
use crate::support::{PATIENCE, code, unique};

/// A class nobody else has.
fn class(what: &str) -> Class {
    Class::register(&unique(what)).expect("a class")
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// A number that no window has.
const NO_WINDOW: WindowHandle = WindowHandle::from_raw(0x00FF_FFF6);

/// A definition for [`raw::register_class`].
fn definition(name: &str, charset: Charset, procedure: Procedure) -> ClassDefinition {
    ClassDefinition {
        name: wide(name),
        charset,
        procedure,
        style: 0,
        class_extra: 0,
        window_extra: 0,
        instance: 0,
        icon: 0,
        cursor: 0,
        background: 0,
        menu_name: 0,
        small_icon: 0,
    }
}

/// A creation for [`raw::create`].
fn creation<'a>(class: &'a [u16], title: &'a [u16], parent: WindowHandle) -> Creation<'a> {
    Creation {
        class: Name::Text(class),
        title: Some(title),
        style: 0,
        ex_style: 0,
        rectangle: [0; 4],
        parent,
        menu: 0,
        instance: 0,
        parameter: 0,
        charset: Charset::Wide,
    }
}

/// What is posted to this thread and not handled yet, oldest first.
fn posted() -> Vec<Message> {
    std::iter::from_fn(|| raw::peek(WindowHandle::NULL, 0, 0, 1, Charset::Wide).unwrap()).collect()
}

/// A window on a thread of its own, made there by `make` of a class.
fn hidden(class: &Class, make: impl FnOnce(Class) -> Result<Window> + Send + 'static) -> WindowThread {
    let class = class.clone();
    Window::spawn(move || make(class)).expect("a window on a thread of its own")
}

/// Runs `body` in a thread beside, and handles this thread's messages meanwhile.
fn while_served<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (tell, told): (_, Receiver<std::thread::Result<T>>) = channel();
    let messages = MessageLoop::new().unwrap();
    let done = std::sync::Arc::new(crate::event::Event::new(true).unwrap());
    let theirs = std::sync::Arc::clone(&done);
    std::thread::spawn(move || {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
        tell.send(result).unwrap();
        theirs.set().unwrap();
    });
    let ended = messages.wait_with(&[&*done], PATIENCE).unwrap();
    assert_eq!(ended, super::Ended::Wait(crate::wait::Wait::Object(0)));
    match told.recv().unwrap() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}
