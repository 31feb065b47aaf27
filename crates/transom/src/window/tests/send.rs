//! Sending.
//!
//! # Safety
//! What the tests hand to the raw calls outlives them.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::message::{
    ISMEX_CALLBACK, ISMEX_NOSEND, ISMEX_NOTIFY, ISMEX_REPLIED, ISMEX_SEND, SMTO_ABORTIFHUNG, SMTO_BLOCK,
    SMTO_NORMAL, SMTO_NOTIMEOUTIFNOTHUNG, WM_SETTEXT,
};
use super::super::{Ended, reply, sender_waits};
use super::*;
use crate::event::Event;
use crate::support::{A_MOMENT, expect_signal, has_waited, in_thread, limit};
use crate::wait::{self, Timeout, Wait};

fn auto() -> Arc<Event> {
    Arc::new(Event::new(false).unwrap())
}

/// `SendMessageTimeout` with flags.
fn send_flags(to: WindowHandle, message: u32, lparam: isize, flags: u32, timeout: Timeout) -> Result<isize> {
    // SAFETY: a message whose parameters are numbers.
    unsafe { raw::send_timeout(to, message, 0, lparam, flags, timeout, Charset::Wide) }
}

/// W10.
#[test]
fn a_send_to_the_own_thread_is_a_call() {
    let _limit = limit();
    let class = class("own");
    let order = Rc::new(RefCell::new(Vec::new()));
    let theirs = Rc::clone(&order);
    let window = class.window("").create().unwrap();
    window.on_message(WM_USER, move |_, lparam| {
        theirs.borrow_mut().push(lparam);
        assert_eq!(raw::in_send(), ISMEX_NOSEND);
        assert!(!sender_waits() && !reply(9));
        lparam + 1
    });
    let sender = window.sender();
    sender.post(WM_USER, 0, 1).unwrap();
    assert_eq!(sender.send(WM_USER, 0, 2, Timeout::ZERO).unwrap(), 3, "W17: the time means nothing");
    sender.notify(WM_USER, 0, 3).unwrap();
    assert_eq!(*order.borrow(), [2, 3]);
    MessageLoop::new().unwrap().poll().unwrap();
    assert_eq!(*order.borrow(), [2, 3, 1]);
}

/// W11, W17: not in waits for objects; and what has begun is not stopped by the end of the sender's time.
#[test]
fn a_thread_serves_while_it_looks_at_its_queue_and_not_in_other_waits() {
    let _limit = limit();
    let (go, begun, on, done) = (auto(), auto(), auto(), auto());
    let theirs = [&go, &begun, &on, &done].map(Arc::clone);
    let (tell, told) = channel();
    let class = class("serves");
    let thread = std::thread::spawn(move || {
        let [go, begun, on, done] = theirs;
        let window = class.window("").create().unwrap();
        window.on_message(WM_USER, move |_, lparam| {
            begun.set().unwrap();
            expect_signal(&*on);
            done.set().unwrap();
            lparam
        });
        tell.send(window.handle()).unwrap();
        expect_signal(&*go);
        assert_eq!(MessageLoop::new().unwrap().run().unwrap(), 3);
    });
    let sender = Sender::new(told.recv().unwrap());
    assert_eq!(code(sender.send(WM_APP, 0, 0, A_MOMENT)), 1460, "it waits for an object");
    assert_eq!(wait::one(&*begun, Timeout::ZERO).unwrap(), Wait::Timeout);
    go.set().unwrap();
    assert_eq!(code(sender.send(WM_USER, 0, 0, Timeout::millis(200))), 1460, "the closure waits");
    expect_signal(&*begun);
    assert_eq!(wait::one(&*done, Timeout::ZERO).unwrap(), Wait::Timeout);
    on.set().unwrap();
    expect_signal(&*done);
    on.set().unwrap();
    assert_eq!(sender.send(WM_USER, 0, 5, PATIENCE).unwrap(), 5);
    let thread_id = sender.thread_id().unwrap();
    raw::post_thread(thread_id, super::super::message::WM_QUIT, 3, 0, Charset::Wide).unwrap();
    thread.join().unwrap();
}

/// W12.
#[test]
fn sent_messages_overtake_posted_ones_and_keep_their_order() {
    let _limit = limit();
    let class = class("order");
    let order = Rc::new(RefCell::new(Vec::new()));
    let theirs = Rc::clone(&order);
    let window = class.window("").create().unwrap();
    window.on_message(WM_USER, move |_, lparam| {
        theirs.borrow_mut().push(lparam);
        0
    });
    let sender = window.sender();
    in_thread(move || {
        for number in 0..5 {
            sender.post(WM_USER, 0, 100 + number).unwrap();
            sender.notify(WM_USER, 0, number).unwrap();
        }
        assert_eq!(code(sender.send(WM_USER, 0, 5, A_MOMENT)), 1460);
    });
    MessageLoop::new().unwrap().poll().unwrap();
    let seen = order.borrow().clone();
    // Whether a message whose sender has given up is still delivered is nobody's promise.
    let sent: Vec<isize> = seen.iter().copied().filter(|number| *number != 5).collect();
    assert_eq!(sent, [0, 1, 2, 3, 4, 100, 101, 102, 103, 104]);
}

/// A window that sends on to the one it was last told of, one less, until there is nothing left.
fn ponger(class: &Class, answers: &Arc<Mutex<Vec<bool>>>) -> WindowThread {
    let answers = Arc::clone(answers);
    hidden(class, move |class| {
        let window = class.window("").create()?;
        let own = window.handle();
        window.on_message(WM_USER, move |other, depth| {
            answers.lock().unwrap().push(sender_waits());
            if depth == 0 {
                return 0;
            }
            // The other one sends here in turn, while this waits.
            let other = Sender::new(WindowHandle::from_raw(other));
            other.send(WM_USER, own.value(), depth - 1, PATIENCE).unwrap() + 1
        });
        Ok(window)
    })
}

/// W13: A sends to B, which sends to A, and so on.
#[test]
fn a_waiting_sender_serves_what_is_sent_to_it_to_any_depth() {
    let _limit = limit();
    let class = class("ping-pong");
    let waits = Arc::default();
    let (ping, pong) = (ponger(&class, &waits), ponger(&class, &waits));
    for depth in [1, 2, 40] {
        let answer = ping.sender().send(WM_USER, pong.handle().value(), depth, PATIENCE).unwrap();
        assert_eq!(answer, depth);
    }
    let waits = waits.lock().unwrap();
    assert_eq!(waits.len(), 2 + 3 + 41);
    assert!(waits.iter().all(|waits| *waits), "InSendMessage is true at each level");
}

/// W13: what was posted stays where it is.
#[test]
fn a_waiting_sender_dispatches_nothing_posted() {
    let _limit = limit();
    let class = class("posted-waits");
    let window = class.window("").create().unwrap();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let theirs = Rc::clone(&seen);
    window.on_any(move |message, _, _| {
        theirs.borrow_mut().push(message);
        Some(1)
    });
    let own = window.sender();
    let other = hidden(&class, move |class| {
        let answer = move |_, _| {
            own.post(WM_APP, 0, 0).unwrap();
            own.send(WM_USER, 0, 0, PATIENCE).unwrap()
        };
        class.window("other").on_message(WM_USER, answer).create()
    });
    seen.borrow_mut().clear();
    assert_eq!(other.sender().send(WM_USER, 0, 0, PATIENCE).unwrap(), 1);
    assert_eq!(*seen.borrow(), [WM_USER]);
    assert_eq!(posted().iter().map(|message| message.message).collect::<Vec<_>>(), [WM_APP]);
}

/// W14.
#[test]
fn with_block_the_waiting_sender_serves_nothing() {
    let _limit = limit();
    let class = class("block");
    let served = Rc::new(RefCell::new(0));
    let theirs = Rc::clone(&served);
    let window = class.window("").create().unwrap();
    window.on_message(WM_USER, move |_, _| {
        *theirs.borrow_mut() += 1;
        1
    });
    let own = window.sender();
    let other = hidden(&class, move |class| {
        let answer = move |_, _| code(own.send(WM_USER, 0, 0, A_MOMENT)) as isize;
        class.window("other").on_message(WM_USER, answer).create()
    });
    assert_eq!(send_flags(other.handle(), WM_USER, 0, SMTO_BLOCK, PATIENCE).unwrap(), 1460);
    assert_eq!(*served.borrow(), 0);
    assert_eq!(send_flags(other.handle(), WM_USER, 0, SMTO_NORMAL, PATIENCE).unwrap(), 0);
    assert!(*served.borrow() >= 1);
}

/// W15.
#[test]
fn a_reply_frees_the_sender_and_only_the_first_counts() {
    let _limit = limit();
    let class = class("reply");
    let (on, done) = (auto(), auto());
    let (their_on, their_done) = (Arc::clone(&on), Arc::clone(&done));
    let other = hidden(&class, move |class| {
        let answer = move |_, _| {
            assert_eq!(raw::in_send(), ISMEX_SEND);
            assert!(sender_waits() && reply(5));
            assert_eq!(raw::in_send(), ISMEX_SEND | ISMEX_REPLIED);
            assert!(!sender_waits());
            expect_signal(&*their_on);
            reply(6);
            their_done.set().unwrap();
            7
        };
        class.window("").on_message(WM_USER, answer).create()
    });
    assert_eq!(other.sender().send(WM_USER, 0, 0, PATIENCE).unwrap(), 5);
    assert_eq!(wait::one(&*done, Timeout::ZERO).unwrap(), Wait::Timeout, "it goes on by itself");
    on.set().unwrap();
    expect_signal(&*done);
    assert_eq!(other.sender().send(WM_APP, 0, 0, PATIENCE).unwrap(), 0);
    other.close().unwrap();
}

/// W16.
#[test]
fn a_receiver_that_ends_before_it_answers_ends_the_wait() {
    let _limit = limit();
    let class = class("ends");
    for timeout in [PATIENCE, Timeout::INFINITE] {
        let (tell, told) = channel();
        let theirs = class.clone();
        let begun = auto();
        let their_begun = Arc::clone(&begun);
        let thread = std::thread::spawn(move || {
            let window = theirs.window("").create().unwrap();
            tell.send(window.handle()).unwrap();
            expect_signal(&*their_begun);
            // Ends without a look at the queue.
        });
        let receiver = Sender::new(told.recv().unwrap());
        let waiting = std::thread::spawn(move || code(receiver.send(WM_USER, 0, 0, timeout)));
        begun.set().unwrap();
        assert_eq!(waiting.join().unwrap(), 1400);
        thread.join().unwrap();
    }
    let window = class.window("").create().unwrap();
    let handle = window.handle();
    window.on_message(WM_USER, move |_, _| {
        raw::destroy(handle).unwrap();
        8
    });
    let sender = window.sender();
    assert_eq!(while_served(move || sender.send(WM_USER, 0, 0, PATIENCE).unwrap()), 8);
    assert!(!window.is_alive());
}

/// W18.
#[test]
fn results_have_pointer_width() {
    let _limit = limit();
    let class = class("wide-result");
    let other = hidden(&class, |class| {
        class.window("").on_message(WM_USER, |wparam, lparam| wparam as isize ^ lparam).create()
    });
    let wparam = 0xF123_4567_89AB_CDEF_usize;
    assert_eq!(other.sender().send(WM_USER, wparam, 1, PATIENCE).unwrap(), wparam as isize ^ 1);
    assert_eq!(other.sender().send(WM_USER, 0, isize::MIN, PATIENCE).unwrap(), isize::MIN);
}

/// W19, W37: a registered message, so that no other program's windows do anything; its answer is not known.
#[test]
fn a_broadcast_is_sent_to_each_top_level_window_in_turn() {
    let _limit = limit();
    let message = raw::register_message(&wide(&unique("sent-broadcast"))).unwrap();
    let class = class("sent-broadcast");
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listen = |what: &'static str| {
        let heard = Arc::clone(&heard);
        hidden(&class, move |class| {
            let options = class.window(what).on_message(message, move |_, _| {
                heard.lock().unwrap().push(what);
                1
            });
            if what == "message-only" { options } else { options.top_level() }.create()
        })
    };
    let windows = [listen("one"), listen("two"), listen("message-only")];
    let (all, flags) = (WindowHandle::BROADCAST, SMTO_ABORTIFHUNG);
    // Windows of other tests may not look at their queues just now.
    let sent = send_flags(all, message, 0, flags, Timeout::millis(300));
    assert!(sent.is_ok() || code(sent) == 1460);
    let mut heard = heard.lock().unwrap();
    heard.sort_unstable();
    assert_eq!(*heard, ["one", "two"]);
    drop(windows);
}

/// W20.
#[test]
fn parameters_of_the_programs_own_messages_are_numbers() {
    let _limit = limit();
    let class = class("numbers");
    let other = hidden(&class, |class| {
        let answer = |_, wparam: usize, lparam: isize| Some(wparam as isize - lparam);
        class
            .window("")
            .on_any(move |message, w, l| if message >= WM_USER { answer(message, w, l) } else { None })
            .create()
    });
    let here = Box::new(5_u64);
    let address = (&raw const *here).addr() as isize;
    for message in [WM_USER, WM_APP, 0xC123, 0xFFFF] {
        assert_eq!(other.sender().send(message, 1, address, PATIENCE).unwrap(), 1 - address);
    }
    assert_eq!(code(other.sender().send(WM_SETTEXT, 0, address, PATIENCE)), 87, "those have pointers");
    assert_eq!(code(other.sender().notify(WM_SETTEXT, 0, address)), 87);
}

unsafe extern "system-unwind" fn note_result(window: usize, message: u32, data: usize, result: isize) {
    // SAFETY: the address of a list that outlives the calls, of this thread alone.
    let list = unsafe { &*std::ptr::with_exposed_provenance::<RefCell<Vec<(usize, u32, isize)>>>(data) };
    list.borrow_mut().push((window, message, result));
}

/// Messages.md, section 2: SendMessageCallback, SendNotifyMessage.
#[test]
fn a_callback_gets_the_result_while_its_thread_looks_at_its_queue() {
    let _limit = limit();
    let class = class("callback");
    let states = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&states);
    let answer = move |_, lparam: isize| {
        theirs.lock().unwrap().push(raw::in_send());
        lparam * 2
    };
    let other = hidden(&class, move |class| class.window("").on_message(WM_USER, answer).create());
    let results: RefCell<Vec<(usize, u32, isize)>> = RefCell::default();
    let data = (&raw const results).expose_provenance();
    let send = |to: WindowHandle, lparam| {
        // SAFETY: numbers; the list outlives the loop below, which waits for both results.
        unsafe { raw::send_callback(to, WM_USER, 0, lparam, note_result, data, Charset::Wide) }
    };
    send(other.handle(), 4).unwrap();
    send(other.handle(), 5).unwrap();
    other.sender().notify(WM_USER, 0, 6).unwrap();
    let messages = MessageLoop::new().unwrap();
    let began = Instant::now();
    while results.borrow().len() < 2 && began.elapsed() < Duration::from_secs(20) {
        assert_eq!(messages.run_for(Timeout::millis(5)).unwrap(), None);
    }
    let other_handle = other.handle().value();
    assert_eq!(*results.borrow(), [(other_handle, WM_USER, 8), (other_handle, WM_USER, 10)]);
    assert_eq!(other.sender().send(WM_USER, 0, 1, PATIENCE).unwrap(), 2);
    assert_eq!(*states.lock().unwrap(), [ISMEX_CALLBACK, ISMEX_CALLBACK, ISMEX_NOTIFY, ISMEX_SEND]);
    let own = class.window("own").on_message(WM_USER, |_, lparam| lparam * 3).create().unwrap();
    send(own.handle(), 7).unwrap();
    assert_eq!(
        results.borrow().last(),
        Some(&(own.handle().value(), WM_USER, 21)),
        "before the call returned"
    );
    assert_eq!(code(send(NO_WINDOW, 0)), 1400);
}

/// W40.
#[test]
fn a_thread_that_looks_away_for_5_seconds_is_hung() {
    let _limit = limit();
    let class = class("hung");
    let (tell, told) = channel();
    let go = auto();
    let theirs = Arc::clone(&go);
    let thread = std::thread::spawn(move || {
        let window = class.window("").top_level().on_message(WM_USER, |_, _| 1).create().unwrap();
        let messages = MessageLoop::new().unwrap();
        messages.poll().unwrap();
        tell.send(window.handle()).unwrap();
        expect_signal(&*theirs);
        assert_eq!(messages.run().unwrap(), 0);
    });
    let receiver = Sender::new(told.recv().unwrap());
    assert!(!receiver.is_hung());
    let began = Instant::now();
    assert_eq!(code(send_flags(receiver.handle(), WM_USER, 0, SMTO_ABORTIFHUNG, A_MOMENT)), 1460);
    assert!(has_waited(began, Duration::from_millis(50)), "not hung yet: it waits its time");
    #[expect(clippy::disallowed_methods, reason = "that time passes is what makes it hung")]
    std::thread::sleep(Duration::from_millis(5500));
    assert!(receiver.is_hung());
    let began = Instant::now();
    assert_eq!(code(send_flags(receiver.handle(), WM_USER, 0, SMTO_ABORTIFHUNG, PATIENCE)), 1460);
    assert!(began.elapsed() < Duration::from_secs(10), "at once");
    let patient = std::thread::spawn(move || {
        send_flags(receiver.handle(), WM_USER, 0, SMTO_NOTIMEOUTIFNOTHUNG, PATIENCE).unwrap()
    });
    go.set().unwrap();
    assert_eq!(patient.join().unwrap(), 1);
    assert!(!receiver.is_hung());
    let thread_id = receiver.thread_id().unwrap();
    raw::post_thread(thread_id, super::super::message::WM_QUIT, 0, 0, Charset::Wide).unwrap();
    thread.join().unwrap();
    assert!(!receiver.is_hung(), "a dead window is not hung");
}

/// W28: several threads send to one window at once.
#[test]
fn senders_are_served_one_after_the_other() {
    let _limit = limit();
    let class = class("several");
    let inside = RefCell::new(0);
    let window = class.window("").create().unwrap();
    window.on_copydata(move |_, tag, bytes| {
        *inside.borrow_mut() += 1;
        assert!(bytes.iter().all(|byte| usize::from(*byte) == tag));
        let alone = *inside.borrow() == 1;
        *inside.borrow_mut() -= 1;
        if alone { (tag + bytes.len()) as isize } else { -1 }
    });
    let to = window.sender();
    while_served(move || {
        std::thread::scope(|scope| {
            for tag in 1..=8_u8 {
                scope.spawn(move || {
                    for length in 0..200_usize {
                        let bytes = vec![tag; length * 7];
                        let answer = to.copydata(tag.into(), &bytes, PATIENCE).unwrap();
                        assert_eq!(answer, isize::from(tag) + bytes.len() as isize);
                    }
                });
            }
        });
    });
    assert_eq!(
        MessageLoop::new().unwrap().wait_with(&[], Timeout::ZERO).unwrap(),
        Ended::Wait(Wait::Timeout)
    );
}
