//! Registered messages, and handles in messages.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::{Registered, name_of};
use super::*;
use crate::event::Event;
use crate::handle::{FromHandle, RawHandle};
use crate::support::{in_thread, limit};

/// W39.
#[test]
fn a_name_has_one_number() {
    let _limit = limit();
    let name = unique("Registered-Name");
    let message = Registered::<u32>::new(&name).unwrap();
    assert!((0xC000..=0xFFFF).contains(&message.number()));
    assert_eq!(Registered::<u32>::new(&name.to_uppercase()).unwrap().number(), message.number());
    let theirs = name.clone();
    assert_eq!(in_thread(move || Registered::<()>::new(&theirs).unwrap().number()), message.number());
    assert_ne!(Registered::<u32>::new(&unique("another")).unwrap().number(), message.number());
    let number = u16::try_from(message.number()).unwrap();
    assert_eq!(name_of(number).unwrap().as_deref(), Some(name.as_str()), "in its first spelling");
    assert_ne!(code(Registered::<()>::new("")), 0);
    assert_ne!(code(Registered::<()>::new(&"x".repeat(256))), 0);
    assert_eq!(code(Registered::<()>::new("a\0b")), 123);
}

#[test]
fn typed_parameters_arrive_as_they_were() {
    let _limit = limit();
    let class = class("typed");
    let pair = Registered::<(i32, isize)>::new(&unique("pair")).unwrap();
    let handle = Registered::<WindowHandle>::new(&unique("handle")).unwrap();
    let flag = Registered::<(bool, u8)>::new(&unique("flag")).unwrap();
    let nothing = Registered::<()>::new(&unique("nothing")).unwrap();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let note = |seen: &Rc<RefCell<Vec<String>>>| {
        let seen = Rc::clone(seen);
        move |what: String| seen.borrow_mut().push(what)
    };
    let (one, two, three, four) = (note(&seen), note(&seen), note(&seen), note(&seen));
    let window = class
        .window("")
        .on_registered(&pair, move |pair| {
            one(format!("{pair:?}"));
            1
        })
        .on_registered(&handle, move |window| {
            two(format!("{:x}", window.value()));
            2
        })
        .create()
        .unwrap();
    window.on_registered(&flag, move |flag| {
        three(format!("{flag:?}"));
        3
    });
    window.on_registered(&nothing, move |()| {
        four("()".to_owned());
        4
    });
    let to = window.sender();
    assert_eq!(pair.send(to, (-5, isize::MIN), PATIENCE).unwrap(), 1);
    assert_eq!(handle.send(window.handle(), WindowHandle::from_raw(0xABC), PATIENCE).unwrap(), 2);
    flag.post(to, (true, 255)).unwrap();
    nothing.notify(to, ()).unwrap();
    MessageLoop::new().unwrap().poll().unwrap();
    let expected =
        [format!("(-5, {})", isize::MIN), "abc".to_owned(), "()".to_owned(), "(true, 255)".to_owned()];
    assert_eq!(*seen.borrow(), expected);
}

/// W37.
#[test]
fn a_typed_broadcast_reaches_top_level_windows() {
    let _limit = limit();
    let class = class("typed-broadcast");
    let message = Registered::<(u32, u32)>::new(&unique("typed-broadcast")).unwrap();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let theirs = Rc::clone(&seen);
    let note = move |value| {
        theirs.borrow_mut().push(value);
        0
    };
    let window = class.window("").top_level().on_registered(&message, note).create().unwrap();
    message.broadcast((3, 4)).unwrap();
    MessageLoop::new().unwrap().poll().unwrap();
    assert_eq!(*seen.borrow(), [(3, 4)]);
    drop(window);
}

/// W20: the number is valid where it arrives. Between processes: `tests/window.rs`.
#[test]
fn a_handle_in_a_message_is_the_receivers() {
    let _limit = limit();
    let class = class("handles");
    let other = hidden(&class, |class| {
        let answer = |tag, handle: isize| {
            let event = <Event as FromHandle>::from_raw(RawHandle::new(handle.cast_unsigned())).unwrap();
            event.set().unwrap();
            tag as isize
        };
        class.window("").on_message(WM_USER, answer).create()
    });
    let event = Event::new(true).unwrap();
    assert_eq!(other.sender().send_handle(WM_USER, 9, &event, PATIENCE).unwrap(), 9);
    assert!(crate::support::signalled(&event));
    let there = other.sender().duplicate_handle(&event).unwrap();
    assert!(crate::support::signalled(&<Event as FromHandle>::from_raw(there).unwrap()));
    assert_eq!(code(Sender::new(NO_WINDOW).send_handle(WM_USER, 0, &event, PATIENCE)), 1400);
    assert_eq!(code(other.sender().send_handle(1, 0, &event, PATIENCE)), 87);
}
