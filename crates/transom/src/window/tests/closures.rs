//! What the closures of windows may do.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use super::super::Ended;
use super::super::message::{WM_CREATE, WM_DESTROY, WM_NCCREATE};
use super::*;
use crate::support::limit;
use crate::wait::{Timeout, Wait};

/// The text of a panic that `body` ends with.
fn panic_of<T>(body: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(body)) else { panic!("it does not panic") };
    match panic.downcast::<&str>() {
        Ok(text) => (*text).to_owned(),
        Err(panic) => *panic.downcast::<String>().unwrap(),
    }
}

#[test]
fn a_closure_may_be_called_again_while_it_runs() {
    let _limit = limit();
    let class = class("again");
    let window = class.window("").create().unwrap();
    let own = window.sender();
    let deepest = Rc::new(Cell::new(0));
    let theirs = Rc::clone(&deepest);
    window.on_copydata(move |_, depth, bytes| {
        theirs.set(theirs.get().max(depth));
        if depth == 20 { 0 } else { own.copydata(depth + 1, bytes, PATIENCE).unwrap() + bytes.len() as isize }
    });
    assert_eq!(own.copydata(0, b"xy", PATIENCE).unwrap(), 40);
    assert_eq!(deepest.get(), 20);
}

#[test]
fn a_closure_may_replace_itself_and_make_and_end_windows() {
    let _limit = limit();
    let class = class("changes");
    let window = Rc::new(class.window("").create().unwrap());
    let weak = Rc::downgrade(&window);
    let theirs = class.clone();
    window.on_message(WM_USER, move |_, _| {
        let window = weak.upgrade().unwrap();
        window.on_message(WM_USER, |_, _| 2);
        let inner = theirs.window("inner").on_message(WM_USER, |_, _| 10).create().unwrap();
        inner.sender().send(WM_USER, 0, 0, PATIENCE).unwrap()
            + window.sender().send(WM_USER, 0, 0, PATIENCE).unwrap()
    });
    assert_eq!(window.sender().send(WM_USER, 0, 0, PATIENCE).unwrap(), 12);
    assert_eq!(window.sender().send(WM_USER, 0, 0, PATIENCE).unwrap(), 2);
    assert_eq!(Sender::all(class.name(), None).unwrap().len(), 1);
    // A window that is made while another one is being made.
    let theirs = class.clone();
    let made = Rc::new(RefCell::new(None));
    let keep = Rc::clone(&made);
    let nested = class.window("outer").on_message(WM_CREATE, move |_, _| {
        *keep.borrow_mut() = Some(theirs.window("nested").on_message(WM_USER, |_, _| 7).create().unwrap());
        0
    });
    let outer = nested.on_message(WM_USER, |_, _| 8).create().unwrap();
    assert_eq!(outer.sender().send(WM_USER, 0, 0, PATIENCE).unwrap(), 8);
    assert_eq!(made.borrow().as_ref().unwrap().sender().send(WM_USER, 0, 0, PATIENCE).unwrap(), 7);
}

#[test]
fn messages_go_to_the_closure_for_their_number_first() {
    let _limit = limit();
    let class = class("first");
    let window = class
        .window("")
        .on_any(|message, _, _| (message >= WM_USER).then_some(1))
        .on_message(WM_USER, |_, _| 2)
        .create()
        .unwrap();
    let to = window.sender();
    assert_eq!(to.send(WM_USER, 0, 0, PATIENCE).unwrap(), 2);
    assert_eq!(to.send(WM_APP, 0, 0, PATIENCE).unwrap(), 1);
    assert_eq!(to.copydata(0, b"", PATIENCE).unwrap(), 0, "by default");
    window.on_any(|message, wparam, _| {
        (message == super::super::message::WM_COPYDATA).then_some(wparam as isize + 5)
    });
    assert_eq!(to.copydata(0, b"", PATIENCE).unwrap(), 5);
}

/// Within one thread: out of the send.
#[test]
fn a_panic_goes_on_where_the_send_returns() {
    let _limit = limit();
    let class = class("panic-send");
    let window = class.window("").on_message(WM_USER, |_, _| panic!("in a closure")).create().unwrap();
    let own = window.sender();
    assert_eq!(panic_of(|| own.send(WM_USER, 0, 0, PATIENCE)), "in a closure");
    // Through a closure that sends, as through any function.
    window.on_message(WM_APP, move |_, _| own.send(WM_USER, 0, 0, PATIENCE).unwrap());
    assert_eq!(panic_of(|| own.send(WM_APP, 0, 0, PATIENCE)), "in a closure");
    window.on_message(WM_USER, |_, _| 4);
    assert_eq!(own.send(WM_APP, 0, 0, PATIENCE).unwrap(), 4, "the window goes on");
    posted();
}

/// From another thread: its send is answered with 0, and the panic comes out of the receiver's loop.
#[test]
fn a_panic_answers_0_and_goes_on_where_the_loop_returns() {
    let _limit = limit();
    let class = class("panic-loop");
    let window = class.window("").on_copydata(|_, _, _| panic!("not these bytes")).create().unwrap();
    let to = window.sender();
    let messages = MessageLoop::new().unwrap();
    let sending = std::thread::spawn(move || to.copydata(0, b"x", PATIENCE).unwrap());
    assert_eq!(panic_of(|| messages.run()), "not these bytes");
    assert_eq!(sending.join().unwrap(), 0);
    let sending = std::thread::spawn(move || to.copydata(0, b"x", PATIENCE).unwrap());
    assert_eq!(panic_of(|| messages.wait_with(&[], PATIENCE)), "not these bytes");
    assert_eq!(sending.join().unwrap(), 0);
    to.post(WM_USER, 0, 0).unwrap();
    window.on_message(WM_USER, |_, _| panic!("posted"));
    assert_eq!(panic_of(|| messages.poll()), "posted");
    assert_eq!(messages.wait_with(&[], Timeout::ZERO).unwrap(), Ended::Wait(Wait::Timeout));
}

#[test]
fn a_panic_while_a_window_is_made_or_destroyed_goes_on_there() {
    let _limit = limit();
    let class = class("panic-create");
    for message in [WM_NCCREATE, WM_CREATE] {
        let options = class.window("").on_message(message, |_, _| panic!("while it is made"));
        assert_eq!(panic_of(|| options.create()), "while it is made");
        assert_eq!(Sender::all(class.name(), None).unwrap(), []);
    }
    let window = class.window("").on_message(WM_DESTROY, |_, _| panic!("while it ends")).create().unwrap();
    assert_eq!(panic_of(|| drop(window)), "while it ends");
    assert_eq!(Sender::all(class.name(), None).unwrap(), []);
    posted();
}

#[test]
fn a_hidden_thread_ends_with_its_value() {
    let _limit = limit();
    let class = class("hidden");
    let other = hidden(&class, |class| class.window("hidden").on_message(WM_USER, |_, _| 1).create());
    let to = other.sender();
    assert_eq!(to.send(WM_USER, 0, 0, PATIENCE).unwrap(), 1);
    assert_eq!(other.close().unwrap(), 0);
    assert!(!to.is_alive());
    let quitting = hidden(&class, |class| {
        let quit = |code, _| {
            MessageLoop::quit(code as i32);
            1
        };
        class.window("").on_message(WM_USER, quit).create()
    });
    assert_eq!(quitting.sender().send(WM_USER, 9, 0, PATIENCE).unwrap(), 1);
    assert_eq!(quitting.close().unwrap(), 9);
    let panicking =
        hidden(&class, |class| class.window("").on_message(WM_USER, |_, _| panic!("there")).create());
    assert_eq!(panicking.sender().send(WM_USER, 0, 0, PATIENCE).unwrap(), 0);
    assert_eq!(panic_of(|| panicking.close()), "there");
    let failing = Window::spawn(move || class.window("").child(NO_WINDOW).create());
    assert_eq!(failing.err().map(|error| error.code().value()), Some(1400));
}

/// What a closure holds is dropped with its window, and may use windows in turn.
#[test]
fn closures_are_dropped_with_their_window() {
    let _limit = limit();
    let class = class("dropped");
    let held = Rc::new(());
    let theirs = Rc::clone(&held);
    let window = class.window("").create().unwrap();
    window.on_message(WM_USER, move |_, _| Rc::strong_count(&theirs) as isize);
    assert_eq!(window.sender().send(WM_USER, 0, 0, PATIENCE).unwrap(), 2);
    drop(window);
    assert_eq!(Rc::strong_count(&held), 1);
    let inner = class.window("inner").create().unwrap();
    let outer = class.window("outer").create().unwrap();
    outer.on_message(WM_APP, move |_, _| inner.handle().value() as isize);
    drop(outer);
    assert_eq!(Sender::all(class.name(), None).unwrap(), []);
}
