//! Posting, retrieving, waiting.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::super::Ended;
use super::super::message::{
    MWMO_INPUTAVAILABLE, MWMO_WAITALL, PM_NOREMOVE, PM_REMOVE, QS_ALLINPUT, QS_POSTMESSAGE, QS_SENDMESSAGE,
    WM_NULL, WM_QUIT, WM_TIMER,
};
use super::super::raw::MessageWait;
use super::*;
use crate::differs_under_wine;
use crate::event::Event;
use crate::mutex::Mutex;
use crate::support::{A_MOMENT, expect_signal, in_thread, limit};
use crate::wait::{Timeout, Wait};

/// The next message within the filters, and taken.
fn next(window: WindowHandle, first: u32, last: u32) -> Option<(WindowHandle, u32, isize)> {
    let found = raw::peek(window, first, last, PM_REMOVE, Charset::Wide).unwrap();
    found.map(|message| (message.window, message.message, message.lparam))
}

const ANY: WindowHandle = WindowHandle::NULL;

/// W29.
#[test]
fn posted_messages_come_in_order_and_filters_leave_the_rest() {
    let _limit = limit();
    let class = class("filters");
    let one = class.window("one").create().unwrap();
    let child = class.window("child").child(one.handle()).create().unwrap();
    let two = class.window("two").create().unwrap();
    assert_eq!(posted(), []);
    for (number, to) in
        [one.handle(), two.handle(), ANY, child.handle(), one.handle()].into_iter().enumerate()
    {
        raw::post(to, WM_USER + number as u32, 7, number as isize, Charset::Wide).unwrap();
    }
    assert_eq!(next(two.handle(), 0, 0), Some((two.handle(), WM_USER + 1, 1)));
    assert_eq!(next(two.handle(), 0, 0), None);
    assert_eq!(next(ANY, WM_USER + 3, WM_USER + 4), Some((child.handle(), WM_USER + 3, 3)));
    assert_eq!(next(WindowHandle::THREAD, 0, 0), Some((ANY, WM_USER + 2, 2)));
    child.sender().post(WM_APP, 0, 9).unwrap();
    let looked = raw::peek(one.handle(), 0, 0, PM_NOREMOVE, Charset::Wide).unwrap().unwrap();
    assert_eq!((looked.message, looked.wparam), (WM_USER, 7));
    assert_eq!(next(one.handle(), 0, 0), Some((one.handle(), WM_USER, 0)), "a look takes nothing");
    assert_eq!(next(one.handle(), 0, 0), Some((one.handle(), WM_USER + 4, 4)));
    assert_eq!(next(one.handle(), 0, 0), Some((child.handle(), WM_APP, 9)), "children are included");
    assert_eq!(posted(), []);
    assert_eq!(code(raw::peek(NO_WINDOW, 0, 0, PM_REMOVE, Charset::Wide)), 1400);
    assert_eq!(code(raw::get(NO_WINDOW, 0, 0, Charset::Wide)), 1400);
}

/// W30.
#[test]
fn quit_shows_once_and_after_everything_posted() {
    let _limit = limit();
    MessageLoop::new().unwrap();
    raw::post(ANY, WM_USER, 0, 0, Charset::Wide).unwrap();
    MessageLoop::quit(3);
    MessageLoop::quit(4);
    raw::post(ANY, WM_APP, 0, 0, Charset::Wide).unwrap();
    assert_eq!(next(ANY, 0, 0).unwrap().1, WM_USER);
    assert_eq!(next(ANY, 0, 0).unwrap().1, WM_APP);
    let quit = raw::get(ANY, 0, 0, Charset::Wide).unwrap();
    assert_eq!((quit.message, quit.wparam, quit.window), (WM_QUIT, 4, ANY));
    assert_eq!(posted(), []);
    MessageLoop::quit(5);
    assert_eq!(next(ANY, WM_USER, WM_APP).unwrap().1, WM_QUIT, "a range does not hold it back");
}

/// W31.
#[test]
fn a_quit_that_was_posted_comes_in_its_turn() {
    let _limit = limit();
    let messages = MessageLoop::new().unwrap();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let theirs = Rc::clone(&heard);
    messages
        .on_thread_message(move |number, wparam, lparam| theirs.borrow_mut().push((number, wparam, lparam)));
    raw::post(ANY, WM_USER, 1, 2, Charset::Wide).unwrap();
    raw::post(ANY, WM_QUIT, 6, 0, Charset::Wide).unwrap();
    raw::post(ANY, WM_APP, 3, -4, Charset::Wide).unwrap();
    assert_eq!(messages.run().unwrap(), 6);
    assert_eq!(*heard.borrow(), [(WM_USER, 1, 2)]);
    assert_eq!(messages.poll().unwrap(), None);
    assert_eq!(*heard.borrow(), [(WM_USER, 1, 2), (WM_APP, 3, -4)]);
}

/// W32.
#[test]
fn sent_posted_quit_and_timers_come_in_this_order() {
    let _limit = limit();
    let class = class("turns");
    let window = class.window("").create().unwrap();
    let order = Rc::new(RefCell::new(Vec::new()));
    let note = |what: &'static str| {
        let order = Rc::clone(&order);
        move || order.borrow_mut().push(what)
    };
    let (sent, came, ticked) = (note("sent"), note("posted"), note("timer"));
    window.on_message(WM_USER, move |_, _| {
        sent();
        0
    });
    window.on_message(WM_APP, move |_, _| {
        came();
        0
    });
    window.start_timer(1, Duration::from_millis(10), move |_| ticked()).unwrap();
    #[expect(clippy::disallowed_methods, reason = "that the timer is due is what this is about")]
    std::thread::sleep(Duration::from_millis(100));
    MessageLoop::quit(0);
    let sender = window.sender();
    sender.post(WM_APP, 0, 0).unwrap();
    in_thread(move || sender.notify(WM_USER, 0, 0).unwrap());
    let messages = MessageLoop::new().unwrap();
    assert_eq!(messages.poll().unwrap(), Some(0));
    assert_eq!(*order.borrow(), ["sent", "posted"]);
    order.borrow_mut().clear();
    // Ten periods have passed, and one message waits.
    assert_eq!(next(ANY, WM_TIMER, WM_TIMER).unwrap().1, WM_TIMER);
    let left: Vec<_> = posted().into_iter().filter(|message| message.message == WM_TIMER).collect();
    assert!(left.len() <= 1, "they do not pile up: {left:?}");
    while order.borrow().is_empty() {
        assert_eq!(messages.run_for(A_MOMENT).unwrap(), None);
    }
    window.stop_timer(1).unwrap();
    assert_ne!(code(window.stop_timer(1)), 0);
    messages.poll().unwrap();
    order.borrow_mut().clear();
    assert_eq!(messages.run_for(A_MOMENT).unwrap(), None);
    assert_eq!(*order.borrow(), [""; 0]);
}

fn wait_for_messages(flags: u32, timeout: Timeout) -> MessageWait {
    raw::wait(&[], timeout, QS_ALLINPUT, flags).unwrap()
}

/// W33.
#[test]
fn a_wait_tells_of_what_is_new() {
    let _limit = limit();
    MessageLoop::new().unwrap();
    let time_out = MessageWait::Objects(Wait::Timeout);
    assert_eq!(posted(), []);
    assert_eq!(wait_for_messages(0, Timeout::ZERO), time_out);
    raw::post(ANY, WM_USER, 0, 0, Charset::Wide).unwrap();
    assert_eq!(wait_for_messages(0, PATIENCE), MessageWait::Input);
    assert!(raw::peek(ANY, 0, 0, PM_NOREMOVE, Charset::Wide).unwrap().is_some());
    assert_eq!(wait_for_messages(0, A_MOMENT), time_out, "it was looked at");
    assert_eq!(wait_for_messages(MWMO_INPUTAVAILABLE, PATIENCE), MessageWait::Input, "but is there");
    assert_eq!(raw::queue_status(QS_POSTMESSAGE).unwrap(), QS_POSTMESSAGE << 16);
    raw::post(ANY, WM_USER, 0, 0, Charset::Wide).unwrap();
    let both = QS_POSTMESSAGE << 16 | QS_POSTMESSAGE;
    assert_eq!(raw::queue_status(QS_POSTMESSAGE).unwrap(), both);
    assert_eq!(raw::queue_status(QS_POSTMESSAGE).unwrap(), QS_POSTMESSAGE << 16, "asked before");
    assert_eq!(posted().len(), 2);
    assert_eq!(raw::queue_status(QS_ALLINPUT).unwrap(), 0);
    assert_eq!(code(raw::queue_status(0x4000_0000)), 1004);
}

/// W33, W11: a wait returns for what was sent, and the next look serves it.
#[test]
fn a_wait_does_not_serve_what_is_sent() {
    let _limit = limit();
    let class = class("not-served");
    let served = Rc::new(Cell::new(0));
    let theirs = Rc::clone(&served);
    let window = class.window("").create().unwrap();
    window.on_message(WM_USER, move |_, _| {
        theirs.set(theirs.get() + 1);
        0
    });
    let to = window.sender();
    assert_eq!(posted(), []);
    let sending = std::thread::spawn(move || to.send(WM_USER, 0, 0, PATIENCE).unwrap());
    assert_eq!(wait_for_messages(0, PATIENCE), MessageWait::Input);
    assert_eq!(served.get(), 0);
    assert_eq!(raw::queue_status(QS_SENDMESSAGE).unwrap() >> 16, QS_SENDMESSAGE);
    assert_eq!(next(ANY, 0, 0), None);
    assert_eq!(served.get(), 1);
    sending.join().unwrap();
}

/// W33: with objects, any or all.
#[test]
fn a_wait_is_for_messages_and_objects() {
    let _limit = limit();
    let messages = MessageLoop::new().unwrap();
    let (event, mutex) = (Event::new(false).unwrap(), Mutex::new().unwrap());
    let handles = || [crate::handle::AsHandle::as_handle(&event), crate::handle::AsHandle::as_handle(&mutex)];
    let wait = |flags| raw::wait(&handles(), Timeout::ZERO, QS_ALLINPUT, flags).unwrap();
    assert_eq!(wait(0), MessageWait::Objects(Wait::Object(1)));
    event.set().unwrap();
    raw::post(ANY, WM_USER, 0, 0, Charset::Wide).unwrap();
    assert_eq!(wait(0), MessageWait::Objects(Wait::Object(0)), "objects come first");
    mutex.release().unwrap();
    posted();
    event.set().unwrap();
    assert_eq!(wait(MWMO_WAITALL), MessageWait::Objects(Wait::Timeout), "all, and a message");
    assert!(crate::support::signalled(&event), "nothing was taken");
    assert_eq!(messages.wait_with(&[&mutex], PATIENCE).unwrap(), Ended::Wait(Wait::Object(0)));
    mutex.release().unwrap();
    let many: Vec<Event> = (0..64).map(|_| Event::new(true).unwrap()).collect();
    let many: Vec<&dyn crate::handle::AsHandle> = many.iter().map(|event| event as _).collect();
    assert_eq!(code(messages.wait_with(&many, Timeout::ZERO)), 87);
    assert_eq!(messages.wait_with(&many[..63], Timeout::ZERO).unwrap(), Ended::Wait(Wait::Timeout));
}

/// The loop's own promise: messages that do not end keep no object waiting.
#[test]
fn messages_without_end_keep_no_object_waiting() {
    let _limit = limit();
    let class = class("endless");
    let window = class.window("").create().unwrap();
    let own = window.sender();
    window.on_message(WM_USER, move |_, _| {
        own.post(WM_USER, 0, 0).unwrap();
        0
    });
    own.post(WM_USER, 0, 0).unwrap();
    let event = Arc::new(Event::new(true).unwrap());
    let theirs = Arc::clone(&event);
    let messages = MessageLoop::new().unwrap();
    assert_eq!(messages.run_for(A_MOMENT).unwrap(), None, "nor its time");
    let setting = std::thread::spawn(move || theirs.set().unwrap());
    assert_eq!(messages.wait_with(&[&*event], PATIENCE).unwrap(), Ended::Wait(Wait::Object(0)));
    setting.join().unwrap();
}

/// W34.
#[test]
fn a_destroyed_windows_messages_are_gone() {
    let _limit = limit();
    let class = class("dropped");
    let (one, two) = (class.window("one").create().unwrap(), class.window("two").create().unwrap());
    let gone = one.sender();
    assert_eq!(posted(), []);
    gone.post(WM_USER, 0, 1).unwrap();
    two.sender().post(WM_USER, 0, 2).unwrap();
    gone.post(WM_USER, 0, 3).unwrap();
    drop(one);
    assert_eq!(posted().into_iter().map(|message| message.lparam).collect::<Vec<_>>(), [2]);
    assert_eq!(code(gone.post(WM_USER, 0, 0)), 1400);
    assert_eq!(code(gone.notify(WM_USER, 0, 0)), 1400);
}

/// W35.
#[test]
fn a_queue_holds_10000_posted_messages() {
    let _limit = limit();
    let window = class("quota").window("").create().unwrap();
    assert_eq!(posted(), []);
    for number in 0..10_000 {
        let to = if number % 2 == 0 { window.handle() } else { ANY };
        raw::post(to, WM_USER, 0, number, Charset::Wide).unwrap();
    }
    differs_under_wine!("W35", code(window.sender().post(WM_USER, 0, 10_000)) == 1816);
    assert_eq!(next(ANY, 0, 0).unwrap().2, 0);
    window.sender().post(WM_USER, 0, 10_001).unwrap();
    differs_under_wine!("W35", code(window.sender().post(WM_USER, 0, 10_002)) == 1816);
    let rest = posted();
    assert_eq!(
        rest.iter().take(9_999).map(|message| message.lparam).collect::<Vec<_>>(),
        Vec::from_iter(1..10_000)
    );
}

/// W36.
#[test]
fn posting_to_a_thread_wants_a_queue_there() {
    let _limit = limit();
    let post = |thread| code(raw::post_thread(thread, WM_USER, 5, 6, Charset::Wide));
    differs_under_wine!("W36", post(0x7FFF_FFF0) == 1444);
    let (tell, told) = channel();
    let go = Arc::new(Event::new(false).unwrap());
    let theirs = Arc::clone(&go);
    let thread = std::thread::spawn(move || {
        let id = crate::thread::Thread::current().unwrap().id().unwrap();
        tell.send(id).unwrap();
        expect_signal(&*theirs);
        MessageLoop::new().unwrap();
        tell.send(id).unwrap();
        let message = raw::get(ANY, 0, 0, Charset::Wide).unwrap();
        (message.window, message.message, message.wparam, message.lparam)
    });
    let id = told.recv().unwrap();
    assert_eq!(post(id), 1444);
    go.set().unwrap();
    assert_eq!(told.recv().unwrap(), id);
    assert_eq!(post(id), 0);
    assert_eq!(thread.join().unwrap(), (ANY, WM_USER, 5, 6));
    differs_under_wine!("W36", post(id) == 1444);
}

/// W37, W38: counted by a message of this test alone.
#[test]
fn broadcasts_reach_top_level_windows_alone() {
    let _limit = limit();
    let class = class("broadcast");
    let registered = raw::register_message(&wide(&unique("broadcast"))).unwrap();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let listen = |who: &'static str, options: super::super::WindowOptions| {
        let heard = Rc::clone(&heard);
        let note = move |message: u32, _, lparam: isize| {
            let ours = message == registered || (message == WM_USER + 77 && lparam == 0x5EED);
            if ours {
                heard.borrow_mut().push((who, message));
            }
            ours.then_some(0)
        };
        options.on_any(note).create().unwrap()
    };
    let top = listen("top", class.window("top").top_level());
    let child = listen("child", class.window("child").child(top.handle()));
    let message_only = listen("message-only", class.window("message-only"));
    let messages = MessageLoop::new().unwrap();
    let to_thread = Rc::new(Cell::new(0));
    let theirs = Rc::clone(&to_thread);
    messages
        .on_thread_message(move |number, _, _| theirs.set(theirs.get() + u32::from(number == registered)));
    raw::post(WindowHandle::BROADCAST, registered, 0, 1, Charset::Wide).unwrap();
    raw::post(WindowHandle::BROADCAST, WM_USER + 77, 0, 0x5EED, Charset::Wide).unwrap();
    raw::post(WindowHandle::BROADCAST, WM_NULL, 0, 0, Charset::Wide).unwrap();
    messages.poll().unwrap();
    assert_eq!(*heard.borrow(), [("top", registered)]);
    assert_eq!(to_thread.get(), 0);
    drop((child, message_only));
}

/// Messages.md, section 2.
#[test]
fn waiting_for_a_message_ends_with_it() {
    let _limit = limit();
    let class = class("wait-message");
    let window = class.window("").create().unwrap();
    assert_eq!(posted(), []);
    let sender = window.sender();
    let posting = std::thread::spawn(move || sender.post(WM_USER, 0, 4).unwrap());
    raw::wait_message().unwrap();
    posting.join().unwrap();
    assert_eq!(next(ANY, 0, 0), Some((window.handle(), WM_USER, 4)));
}
