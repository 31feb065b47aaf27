//! Windows and messages between processes (messages.md).

mod support;

#[cfg(windows)]
#[path = "window/plain.rs"]
mod plain;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use support::{
    PATIENCE, With, argument, child, code, exit_code, expect_signal, limit, named_event, number, ready, role,
    signalled, unique, wait_to_be_killed,
};
use transom::event::Event;
use transom::handle::{FromHandle, RawHandle};
use transom::process::Child;
use transom::wait::Timeout;
use transom::window::message::{GWLP_USERDATA, GWLP_WNDPROC, WM_APP, WM_QUIT, WM_USER};
use transom::window::raw::{self, Charset, Name};
use transom::window::{Class, Ended, MessageLoop, Registered, Sender, WindowHandle, reply, sender_waits};

#[test]
fn child_entry() {
    child(&[
        ("server", server),
        ("client", client),
        ("sender", sender),
        ("silent", silent),
        ("number", registered_number),
        ("broadcaster", broadcaster),
        #[cfg(windows)]
        ("plain-server", plain::server),
        #[cfg(windows)]
        ("plain-client", plain::client),
    ]);
}

/// What `WM_COPYDATA` asks of a server, as its tag.
const SUM: usize = 0x7000_0000_0000_0001;
const BACK: usize = 2;
const KEEP: usize = 3;

/// What is sent to a server beside.
const ECHO: u32 = WM_USER;
const TAKE_EVENT: u32 = WM_USER + 1;
const DEPTH: u32 = WM_USER + 2;
const END: u32 = WM_APP;

fn sum(bytes: &[u8]) -> isize {
    let next = |sum: usize, byte: &u8| sum.wrapping_mul(31).wrapping_add(usize::from(*byte));
    bytes.iter().fold(bytes.len(), next) as isize
}

/// A process with a window that does what the constants above say, until it is told to end.
fn server() -> u32 {
    let class = Class::register(&argument("CLASS")).unwrap();
    let kept = RefCell::new(Vec::new());
    let options = class.window("server").on_copydata(move |from, tag, bytes| match tag {
        SUM => sum(bytes),
        BACK => {
            let mut turned = bytes.to_vec();
            turned.reverse();
            let answer = Sender::new(from).copydata(BACK, &turned, PATIENCE).unwrap();
            assert!(bytes.iter().rev().eq(&turned), "they stay as they were");
            answer + 1
        }
        KEEP => {
            let mut kept = kept.borrow_mut();
            let before = kept.len() as isize;
            *kept = bytes.to_vec();
            before
        }
        _ => -1,
    });
    let options = if argument("PLACE") == "top" { options.top_level() } else { options };
    let window = options.on_message(ECHO, |wparam, lparam| wparam as isize ^ lparam).create().unwrap();
    window.on_message(TAKE_EVENT, |tag, handle| {
        let event = <Event as FromHandle>::from_raw(RawHandle::new(handle.cast_unsigned())).unwrap();
        event.set().unwrap();
        tag as isize
    });
    let own = window.handle();
    window.on_message(DEPTH, move |other, depth| {
        assert!(sender_waits());
        if depth == 0 {
            return 0;
        }
        let other = Sender::new(WindowHandle::from_raw(other));
        other.send(DEPTH, own.value(), depth - 1, PATIENCE).unwrap() + 1
    });
    window.on_message(END, |code, _| {
        MessageLoop::quit(code as i32);
        0
    });
    let property: Vec<u16> = "transom-test".encode_utf16().collect();
    raw::set_property(own, Name::Text(&property), 0x77).unwrap();
    ready();
    MessageLoop::new().unwrap().run().unwrap() as u32
}

/// A server in another process, and a sender to it.
struct Server {
    child: Child,
    class: String,
    to: Sender,
}

impl Server {
    fn start(place: &str) -> Server {
        Server::start_as("server", place)
    }

    fn start_as(kind: &str, place: &str) -> Server {
        let (class, here) = (unique("class"), unique("ready"));
        let event = named_event(&here);
        let child = role(kind).with("CLASS", &class).with("PLACE", place).with("READY", &here).start();
        expect_signal(&event);
        let to = Sender::find(class.as_str(), None).unwrap();
        assert_eq!(to.process_id().unwrap(), child.process.id().unwrap());
        Server { child, class, to }
    }

    fn end(self) {
        self.to.post(END, 5, 0).unwrap();
        assert_eq!(exit_code(&self.child), 5);
        assert!(!self.to.is_alive());
        assert_eq!(code(self.to.send(ECHO, 0, 0, PATIENCE)), 1400);
        assert_eq!(code(Sender::find(self.class.as_str(), None)), 2);
    }
}

/// W24, W26, W18.
#[test]
fn bytes_reach_another_process_whole() {
    let _limit = limit();
    let server = Server::start("message-only");
    let all: Vec<u8> = (0..1_200_000_u32).map(|number| (number.wrapping_mul(number) >> 5) as u8).collect();
    for length in [0, 1, 2, 63, 4095, 4096, 4097, 65_536, 100_003, 1_000_000] {
        for start in [0, 1, 13] {
            let bytes = &all[start..start + length];
            assert_eq!(
                server.to.copydata(SUM, bytes, PATIENCE).unwrap(),
                sum(bytes),
                "{length} from {start}"
            );
        }
    }
    let wide = 0xFEDC_BA98_7654_3210_usize;
    assert_eq!(server.to.send(ECHO, wide, 1, PATIENCE).unwrap(), wide as isize ^ 1);
    assert_eq!(server.to.send(ECHO, 0, isize::MIN, Timeout::INFINITE).unwrap(), isize::MIN);
    assert_eq!(server.to.copydata(99, b"?", PATIENCE).unwrap(), -1);
    server.end();
}

/// W26: memory is the limit.
#[test]
fn many_megabytes_reach_another_process() {
    let _limit = limit();
    // Wine 8.0's receiver overflows its stack beyond about 2 MB.
    if support::under_wine() {
        return;
    }
    let server = Server::start("message-only");
    for length in [3_000_000, 16 << 20, 60_000_001] {
        let bytes = vec![0xA5; length];
        assert_eq!(server.to.copydata(SUM, &bytes, PATIENCE).unwrap(), sum(&bytes));
        assert!(server.to.copydata(KEEP, &bytes, PATIENCE).unwrap() >= 0);
    }
    assert_eq!(server.to.copydata(KEEP, b"", PATIENCE).unwrap(), 60_000_001);
    server.end();
}

/// W28, W25, W13: while it waits for the answer, its own window gets bytes from the receiver.
#[test]
fn a_receiver_sends_back_to_another_process_before_it_answers() {
    let _limit = limit();
    let server = Server::start("message-only");
    let class = Class::register(&unique("own")).unwrap();
    let window = class.window("own").create().unwrap();
    let got = Rc::new(RefCell::new(Vec::new()));
    let theirs = Rc::clone(&got);
    window.on_copydata(move |_, tag, bytes| {
        assert!(sender_waits());
        *theirs.borrow_mut() = bytes.to_vec();
        tag as isize * 100
    });
    for bytes in [b"abc".to_vec(), vec![7; 300_000], Vec::new()] {
        let sent = server.to.on_behalf_of(&window).copydata(BACK, &bytes, PATIENCE).unwrap();
        assert_eq!(sent, 201);
        assert!(got.borrow().iter().eq(bytes.iter().rev()));
    }
    // A to B to A to B.
    let own = window.handle();
    window.on_message(DEPTH, move |other, depth| {
        if depth == 0 {
            return 0;
        }
        let other = Sender::new(WindowHandle::from_raw(other));
        other.send(DEPTH, own.value(), depth - 1, PATIENCE).unwrap() + 1
    });
    for depth in [1, 2, 25] {
        assert_eq!(server.to.send(DEPTH, own.value(), depth, PATIENCE).unwrap(), depth);
    }
    server.end();
}

/// W4, W8, W21: what one may look at and change in another process's window.
#[test]
fn another_processs_window_can_be_looked_at() {
    let _limit = limit();
    let server = Server::start("top");
    let handle = server.to.handle();
    assert_eq!(server.to.title().unwrap(), "server");
    assert_eq!(server.to.class_name().unwrap(), server.class);
    assert_eq!(raw::charset(handle).unwrap(), Charset::Wide);
    assert!(raw::top_level().unwrap().contains(&handle));
    let name = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    assert_eq!(raw::property(handle, Name::Text(&name("TRANSOM-test"))).unwrap(), Some(0x77));
    assert_eq!(raw::long(handle, GWLP_USERDATA).unwrap(), 0);
    assert_eq!(code(raw::long(handle, GWLP_WNDPROC)), 5);
    assert_eq!(code(raw::destroy(handle)), 5);
    assert!(raw::set_text(handle, &name("renamed"), Charset::Wide).unwrap());
    assert_eq!(server.to.title().unwrap(), "renamed");
    assert_eq!(Sender::find(server.class.as_str(), "RENAMED").unwrap(), server.to);
    server.end();
}

/// A window whose thread never looks at its queue.
fn silent() -> u32 {
    let class = Class::register(&argument("CLASS")).unwrap();
    let _window = class.window("silent").create().unwrap();
    ready();
    wait_to_be_killed()
}

/// W8, W11, W16, W41: the title can be read, a send gives up, and the end of the process ends a wait at once.
#[test]
fn a_killed_receiver_ends_every_wait_for_its_answer() {
    let _limit = limit();
    for timeout in [PATIENCE, Timeout::INFINITE] {
        let server = Server::start_as("silent", "message-only");
        let to = server.to;
        assert_eq!(to.title().unwrap(), "silent");
        assert_eq!(code(to.send(ECHO, 0, 0, Timeout::millis(50))), 1460);
        assert_eq!(code(to.copydata(0, b"x", Timeout::millis(50))), 1460);
        let waiting = std::thread::spawn(move || code(to.copydata(SUM, &[1; 100_000], timeout)));
        let notified = to.notify(ECHO, 0, 0);
        server.child.process.terminate(9).unwrap();
        assert_eq!(waiting.join().unwrap(), 1400);
        notified.unwrap();
        assert_eq!(exit_code(&server.child), 9);
        // The process has ended before everything it had is gone where the system closes it.
        while support::under_wine() && to.is_alive() {
            std::thread::yield_now();
        }
        assert!(!to.is_alive() && !to.is_hung());
        assert_eq!(code(to.post(ECHO, 0, 0)), 1400);
        assert_eq!(code(to.title()), 1400);
        assert_eq!(code(Sender::find(server.class.as_str(), None)), 2);
    }
}

/// Sends to the window it was told of, which never answers.
fn sender() -> u32 {
    let to = Sender::new(WindowHandle::from_raw(number("WINDOW")));
    let _ = to.copydata(SUM, &vec![3; number("LENGTH")], Timeout::INFINITE);
    wait_to_be_killed()
}

/// W41: what a killed sender has sent is whole or not there, and its end disturbs nobody.
#[test]
fn a_sender_may_be_killed_while_its_message_is_handled() {
    let _limit = limit();
    let class = Class::register(&unique("victim")).unwrap();
    for length in [10, 500_000] {
        let begun = named_event(&unique("begun"));
        let go = Event::new(true).unwrap();
        let handled = Rc::new(Cell::new(0));
        let theirs = Rc::clone(&handled);
        let window = class.window("").create().unwrap();
        let child = role("sender").with("WINDOW", window.handle().value()).with("LENGTH", length).start();
        let process = transom::handle::AsHandle::as_handle(&child.process).try_clone().unwrap();
        let victim = transom::process::Process::from_handle(process).unwrap();
        window.on_copydata(move |_, _, bytes| {
            begun.set().unwrap();
            victim.terminate(9).unwrap();
            expect_signal(&victim);
            assert!(bytes.len() == length && bytes.iter().all(|byte| *byte == 3), "still whole");
            reply(1);
            theirs.set(theirs.get() + 1);
            go.set().unwrap();
            2
        });
        let messages = MessageLoop::new().unwrap();
        while handled.get() == 0 {
            assert_eq!(messages.run_for(Timeout::millis(10)).unwrap(), None);
        }
        assert_eq!(exit_code(&child), 9);
        let own = window.sender();
        window.on_copydata(|_, _, bytes| bytes.len() as isize);
        let sending = std::thread::spawn(move || own.copydata(0, b"four", PATIENCE).unwrap());
        while !sending.is_finished() {
            messages.run_for(Timeout::millis(1)).unwrap();
        }
        assert_eq!(sending.join().unwrap(), 4);
    }
}

/// Answers with the number of the message it is told the name of.
fn registered_number() -> u32 {
    Registered::<()>::new(&argument("NAME")).unwrap().number()
}

/// W39.
#[test]
fn a_registered_message_has_the_same_number_in_every_process() {
    let _limit = limit();
    let name = unique("Registered");
    let number = Registered::<()>::new(&name).unwrap().number();
    for name in [name.clone(), name.to_uppercase()] {
        assert_eq!(role("number").with("NAME", name).run(), number);
    }
    let other = unique("first-elsewhere");
    let there = role("number").with("NAME", &other).run();
    assert!((0xC000..=0xFFFF).contains(&there) && there != number);
}

/// The line of DuplicateHandle that says how the other process learns its number (handles.md, H34).
#[test]
fn a_handle_is_sent_to_another_process_in_one_line() {
    let _limit = limit();
    let server = Server::start("message-only");
    let event = Event::new(true).unwrap();
    assert_eq!(server.to.send_handle(TAKE_EVENT, 8, &event, PATIENCE).unwrap(), 8);
    assert!(signalled(&event));
    event.reset().unwrap();
    let there = server.to.duplicate_handle(&event).unwrap();
    assert_eq!(server.to.send(TAKE_EVENT, 9, there.value() as isize, PATIENCE).unwrap(), 9);
    assert!(signalled(&event));
    server.end();
}

/// Looks for the class it is told, sends, and posts to the thread that owns the window.
fn client() -> u32 {
    let to = Sender::find(argument("CLASS").as_str(), "main").unwrap();
    for number in 0..50 {
        to.post(WM_USER, 0, number).unwrap();
    }
    to.notify(WM_USER, 0, -1).unwrap();
    let answer = to.copydata(7, b"from the client", PATIENCE).unwrap();
    raw::post_thread(to.thread_id().unwrap(), WM_QUIT, answer as usize, 0, Charset::Wide).unwrap();
    answer as u32
}

/// W12, W29, W31, W36: between processes too.
#[test]
fn posted_and_sent_messages_of_another_process_keep_their_order() {
    let _limit = limit();
    let class = Class::register(&unique("main-class")).unwrap();
    let window = class.window("main").create().unwrap();
    let order = Rc::new(RefCell::new(Vec::new()));
    let (posts, sends) = (Rc::clone(&order), Rc::clone(&order));
    window.on_message(WM_USER, move |_, lparam| {
        posts.borrow_mut().push(lparam);
        0
    });
    window.on_copydata(move |_, tag, bytes| {
        assert_eq!(bytes, b"from the client");
        sends.borrow_mut().push(-2);
        tag as isize
    });
    let messages = MessageLoop::new().unwrap();
    let child = role("client").with("CLASS", class.name()).start();
    // Served while they come, so that what was sent may come between what was posted.
    assert_eq!(messages.wait_with(&[], PATIENCE).unwrap(), Ended::Quit(7));
    assert_eq!(exit_code(&child), 7);
    let order = order.borrow();
    let posted: Vec<isize> = order.iter().copied().filter(|number| *number >= 0).collect();
    let sent: Vec<isize> = order.iter().copied().filter(|number| *number < 0).collect();
    assert_eq!(posted, Vec::from_iter(0..50));
    assert_eq!(sent, [-1, -2]);
}

/// Posts a registered message to everybody.
fn broadcaster() -> u32 {
    Registered::<(u32, u32)>::new(&argument("NAME")).unwrap().broadcast((3, 4)).unwrap();
    0
}

/// W37: in every process of the desktop.
#[test]
fn a_broadcast_reaches_other_processes() {
    let _limit = limit();
    let class = Class::register(&unique("heard")).unwrap();
    let message = Registered::<(u32, u32)>::new(&unique("heard")).unwrap();
    let window = class.window("").top_level().create().unwrap();
    window.on_registered(&message, |value| {
        assert_eq!(value, (3, 4));
        MessageLoop::quit(1);
        0
    });
    let name = transom::window::name_of(message.number() as u16).unwrap().unwrap();
    let child = role("broadcaster").with("NAME", name).start();
    assert_eq!(MessageLoop::new().unwrap().wait_with(&[], PATIENCE).unwrap(), Ended::Quit(1));
    assert_eq!(exit_code(&child), 0);
}

/// A program over Win32 alone and this library send each other bytes.
#[cfg(windows)]
mod with_plain_programs {
    use super::*;

    #[test]
    fn a_plain_program_answers_our_bytes() {
        let _limit = limit();
        let server = Server::start_as("plain-server", "message-only");
        for length in [0, 1, 1000, 300_000] {
            let bytes = vec![9; length];
            assert_eq!(server.to.copydata(SUM, &bytes, PATIENCE).unwrap(), sum(&bytes));
        }
        assert_eq!(server.to.title().unwrap(), "plain");
        assert_eq!(server.to.send(ECHO, 6, 5, PATIENCE).unwrap(), 3);
        server.end();
    }

    #[test]
    fn a_plain_program_gets_our_answer() {
        let _limit = limit();
        let class = Class::register(&unique("for-plain")).unwrap();
        let got = Rc::new(RefCell::new(Vec::new()));
        let theirs = Rc::clone(&got);
        let window = class.window("for plain programs").create().unwrap();
        window.on_copydata(move |from, tag, bytes| {
            assert_eq!(from.value(), 0x1234);
            theirs.borrow_mut().push((tag, bytes.to_vec()));
            tag as isize * 2
        });
        let child = role("plain-client").with("CLASS", class.name()).start();
        let messages = MessageLoop::new().unwrap();
        let ended = messages.wait_with(&[&child.process], PATIENCE).unwrap();
        assert_eq!(ended, Ended::Wait(transom::wait::Wait::Object(0)));
        assert_eq!(exit_code(&child), 42);
        assert_eq!(*got.borrow(), [(21, b"plain bytes".to_vec())]);
        drop(window);
    }
}
