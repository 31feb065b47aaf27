//! Windows whose sender, receiver or bystander is killed with SIGKILL at each step: the others get their answers,
//! what was carried is whole or not there, windows of the dead are invalid at once, nobody waits for the dead.
//!
//! W3, W16, W41. Linux only: there SIGKILL can hit between any two instructions of ours.
//! `TRANSOM_KILL_ROUNDS` says how often each step is met (default 3).
#![cfg(target_os = "linux")]

use std::cell::RefCell;
use std::rc::Rc;

use transom::process::Child;
use transom::wait::{self, Timeout};
use transom::window::message::{WM_APP, WM_USER};
use transom::window::{Class, MessageLoop, Sender, Window, WindowHandle};

mod support;
use support::{PATIENCE, With, argument, code, exit_code, limit, named_event, number, ready, role, unique};

/// Exit code of a process that was killed by SIGKILL.
const KILLED: u32 = 0xC000_0000 + 9;

/// Asks a window to ask back, so many times, before it answers.
const NEST: u32 = WM_APP;

#[test]
fn child_entry() {
    support::child(&[
        ("sender", sender),
        ("receiver", receiver),
        ("visitor", visitor),
        ("patient", patient),
        ("hasty", hasty),
    ]);
}

fn rounds() -> usize {
    std::env::var("TRANSOM_KILL_ROUNDS").ok().and_then(|value| value.parse().ok()).unwrap_or(3)
}

/// Bytes that only fit each other: some go through the arena, some in a file of their own.
fn parcel(index: usize) -> Vec<u8> {
    vec![index as u8; [0, 1, 64, 5000, 40_000, 300_000][index % 6]]
}

fn is_whole(bytes: &[u8]) -> bool {
    bytes.windows(2).all(|pair| pair[0] == pair[1])
        && bytes.first().is_none_or(|first| parcel(usize::from(*first)).len() == bytes.len())
}

/// A window that answers what it gets: -1 for what is not whole, else its length; and asks back when it is to.
fn answering(class: &Class, title: &str, seen: &Rc<RefCell<Vec<usize>>>) -> Window {
    let seen = Rc::clone(seen);
    let window = class.window(title).on_copydata(move |_, tag, bytes| {
        let whole = is_whole(bytes);
        seen.borrow_mut().push(if whole { tag } else { usize::MAX });
        if whole { bytes.len() as isize } else { -1 }
    });
    let window = window.create().unwrap();
    let own = window.handle();
    window.on_message(NEST, move |depth, from| {
        if depth == 0 {
            return 1;
        }
        let back = Sender::from(WindowHandle::from_raw(from as usize));
        back.send(NEST, depth - 1, own.value() as isize, PATIENCE).map_or(-1000, |answer| answer + 1)
    });
    window
}

fn class() -> Class {
    Class::register(&argument("CLASS")).unwrap()
}

/// Sends parcels and questions to the test's window.
fn sender() -> u32 {
    let class = class();
    let seen = Rc::default();
    let own = answering(&class, "sender", &seen);
    let to = Sender::find(class.name(), "test").unwrap();
    for index in 0..6 {
        assert_eq!(to.copydata(index, &parcel(index), PATIENCE).unwrap(), parcel(index).len() as isize);
        to.notify(WM_USER, index, 0).unwrap();
        to.post(WM_USER, index, 0).unwrap();
    }
    assert_eq!(to.send(NEST, 6, own.handle().value() as isize, PATIENCE).unwrap(), 7);
    0
}

const SENDER_STEPS: [&str; 20] = [
    "row-claimed",
    "row-begun",
    "window-taken",
    "window-made",
    "message-filled",
    "message-pushed",
    "message-asked",
    "message-filled:2",
    "message-pushed:2",
    "message-filled:3",
    "message-pushed:3",
    "message-asked:4",
    "message-pushed:10",
    "message-asked:6",
    "message-filled:19",
    "message-pushed:19",
    "message-begun",
    "message-answered",
    "message-pushed:21",
    "queue-asleep",
];

/// W12, W16, W25
#[test]
fn a_sender_killed_at_any_step_leaves_whole_messages_and_harms_nobody() {
    let _limit = limit();
    let class = Class::register(&unique("steps-sender")).unwrap();
    let seen = Rc::default();
    let own = answering(&class, "test", &seen);
    let messages = MessageLoop::new().unwrap();
    for step in SENDER_STEPS {
        for _ in 0..rounds() {
            seen.borrow_mut().clear();
            let child = role("sender").with("CLASS", class.name()).env("TRANSOM_KILL_AT", step).start();
            while !support::signalled(&child.process) {
                messages.wait_with(&[&child.process], PATIENCE).unwrap();
                assert_eq!(messages.poll().unwrap(), None);
            }
            let ended = exit_code(&child);
            let may_finish = step == "queue-asleep" || step == "message-pushed:21";
            assert!(ended == KILLED || may_finish && ended == 0, "{step}: {ended}");
            messages.poll().unwrap();
            let seen = seen.borrow();
            assert!(seen.iter().copied().eq(0..seen.len()), "{step}: {seen:?}");
            // It is not found any more, and this thread's queue works on.
            assert_eq!(code(Sender::find(class.name(), "sender")), 2, "{step}");
            assert_eq!(own.sender().send(NEST, 0, 0, PATIENCE).unwrap(), 1, "{step}");
        }
    }
}

/// Gives up waiting for an answer to a parcel, and ends: in good order, or by SIGKILL.
fn hasty() -> u32 {
    let to = Sender::from(WindowHandle::from_raw(number("WINDOW")));
    // In a thread whose queue ends with it.
    let sent = std::thread::spawn(move || code(to.copydata(1, &parcel(3), Timeout::millis(1))));
    u32::from(sent.join().is_err())
}

/// W25: what a thread left behind that has ended is delivered whole or not at all, although its memory is given back.
#[test]
fn what_a_thread_that_is_gone_had_sent_is_whole_or_not_there() {
    let _limit = limit();
    let class = Class::register(&unique("steps-hasty")).unwrap();
    let seen = Rc::default();
    let own = answering(&class, "test", &seen);
    let messages = MessageLoop::new().unwrap();
    for step in ["nowhere", "message-asked", "message-pushed"] {
        for _ in 0..rounds() {
            let child = role("hasty").with("WINDOW", own.handle().value()).env("TRANSOM_KILL_AT", step);
            if step == "nowhere" {
                // It gives its things back itself, and nobody has them when this thread looks at its queue.
                assert_eq!(child.run(), 0);
            } else {
                assert_eq!(child.run(), KILLED);
                // Somebody else takes apart what it left.
                assert_eq!(role("visitor").with("CLASS", class.name()).run(), 0);
            }
            messages.poll().unwrap();
            assert!(seen.borrow_mut().drain(..).all(|tag| tag == 1), "{step}: it was not whole");
        }
    }
}

/// Answers until it is killed.
fn receiver() -> u32 {
    let class = class();
    let seen = Rc::default();
    let _own = answering(&class, "receiver", &seen);
    ready();
    let _ = MessageLoop::new().unwrap().run();
    0
}

const RECEIVER_STEPS: [&str; 8] = [
    "queue-asleep",
    "message-begun",
    "message-answered",
    "message-filled",
    "message-pushed",
    "message-begun:3",
    "message-answered:3",
    "queue-asleep:3",
];

/// W3, W16, W41
#[test]
fn a_receiver_killed_at_any_step_answers_its_senders_and_its_window_is_invalid_at_once() {
    let _limit = limit();
    let class = Class::register(&unique("steps-receiver")).unwrap();
    let seen = Rc::default();
    let own = answering(&class, "test", &seen);
    for step in RECEIVER_STEPS {
        for _ in 0..rounds() {
            let name = unique("steps-ready");
            let event = named_event(&name);
            let command = role("receiver").with("CLASS", class.name()).with("READY", &name);
            let child = command.env("TRANSOM_KILL_AT", step).start();
            wait::one(&event, PATIENCE).unwrap();
            let Ok(to) = Sender::find(class.name(), "receiver") else {
                // It has met its step already.
                assert_eq!(exit_code(&child), KILLED, "{step}");
                continue;
            };
            // Several wait at the same time: all of them are told.
            std::thread::scope(|scope| {
                for _ in 0..3 {
                    scope.spawn(|| {
                        for index in 0..50 {
                            match to.copydata(index, &parcel(index % 6), PATIENCE) {
                                Ok(answer) => assert_eq!(answer, parcel(index % 6).len() as isize, "{step}"),
                                Err(error) => {
                                    assert_eq!(error.code().value(), 1400, "{step}: {error}");
                                    return;
                                }
                            }
                        }
                    });
                }
                match to.send(NEST, 4, own.handle().value() as isize, PATIENCE) {
                    Ok(answer) => assert!(answer == 5 || answer < 0, "{step}: {answer}"),
                    Err(error) => assert_eq!(error.code().value(), 1400, "{step}: {error}"),
                }
            });
            // Unless it has met its step.
            let _ = child.process.terminate(9);
            exit_code(&child);
            assert!(!to.is_alive(), "{step}");
            assert_eq!(code(to.send(NEST, 0, 0, PATIENCE)), 1400, "{step}");
            assert_eq!(code(to.post(NEST, 0, 0)), 1400, "{step}");
            assert_eq!(code(Sender::find(class.name(), "receiver")), 2, "{step}");
        }
    }
}

/// A process that answers, and a way to its window.
fn ready_receiver(class: &Class) -> (Child, Sender) {
    let name = unique("steps-ready");
    let event = named_event(&name);
    let child = role("receiver").with("CLASS", class.name()).with("READY", &name).start();
    wait::one(&event, PATIENCE).unwrap();
    let to = Sender::find(class.name(), "receiver").unwrap();
    (child, to)
}

/// Makes a window, which finds what the dead have left, and goes in good order.
fn visitor() -> u32 {
    let thread = std::thread::spawn(|| {
        let class = class();
        let windows: Vec<Window> = (0..3).map(|_| class.window("visitor").create().unwrap()).collect();
        drop(windows);
    });
    u32::from(thread.join().is_err())
}

/// W41: who takes a dead thread's things apart is killed itself, and the next one finishes; who gives its own back too.
#[test]
fn what_the_dead_left_is_taken_apart_whoever_dies_meanwhile() {
    let _limit = limit();
    let class = Class::register(&unique("steps-visitor")).unwrap();
    let seen = Rc::default();
    let own = answering(&class, "test", &seen);
    for step in ["reap-begun", "reap-stack", "reap-windows", "queue-closed", "window-removed", "row-begun"] {
        for _ in 0..rounds() {
            let killed = (0..100).any(|_| {
                let dead = role("sender").with("CLASS", class.name()).env("TRANSOM_KILL_AT", "window-made");
                assert_eq!(dead.run(), KILLED);
                // Another process of the desktop may be quicker to take it apart.
                let child = role("visitor").with("CLASS", class.name()).env("TRANSOM_KILL_AT", step);
                child.run() == KILLED
            });
            assert!(killed, "{step}");
            let child = role("visitor").with("CLASS", class.name()).start();
            assert_eq!(exit_code(&child), 0, "{step}");
            let left = Sender::all(class.name(), None).unwrap();
            assert_eq!(left.len(), 1, "{step}: only the test's own is left");
            assert_eq!(own.sender().send(NEST, 0, 0, PATIENCE).unwrap(), 1, "{step}");
        }
    }
}

/// W3: what is being taken apart stays dead for everybody, and who takes it apart may take its time.
#[test]
fn the_dead_stay_dead_while_they_are_taken_apart() {
    let _limit = limit();
    let class = Class::register(&unique("steps-dead")).unwrap();
    // A thread of this process with a queue has no part in it: it looks, and takes nothing apart.
    let seen = Rc::default();
    let own = answering(&class, "test", &seen);
    for step in ["reap-begun", "reap-stack", "reap-windows"] {
        let mut met = false;
        // A process of another test may be there first, and take the dead apart without stopping.
        while !met {
            let (dead, to) = ready_receiver(&class);
            dead.process.terminate(9).unwrap();
            exit_code(&dead);
            let visitor = role("visitor").with("CLASS", class.name()).env("TRANSOM_STOP_AT", step).start();
            let id = visitor.process.id().unwrap();
            met = is_stopped_in_the_end(id);
            assert!(!to.is_alive(), "{step}");
            assert_eq!(code(Sender::find(class.name(), "receiver")), 2, "{step}");
            assert_eq!(code(to.send(NEST, 0, 0, PATIENCE)), 1400, "{step}");
            assert_eq!(code(to.post(NEST, 0, 0)), 1400, "{step}");
            if met {
                signal(id, "-CONT");
            }
            assert_eq!(exit_code(&visitor), 0, "{step}");
            assert_eq!(own.sender().send(NEST, 0, 0, PATIENCE).unwrap(), 1, "{step}");
        }
    }
}

fn signal(id: u32, which: &str) {
    let status = std::process::Command::new("kill").args([which, &id.to_string()]).status();
    assert!(status.unwrap().success());
}

/// Looks at a child until all its threads are stopped; false: it ended instead.
fn is_stopped_in_the_end(id: u32) -> bool {
    let state = |task: std::path::PathBuf| {
        let stat = std::fs::read_to_string(task.join("stat")).unwrap_or_default();
        stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).unwrap_or('X')
    };
    loop {
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten();
        let states: Vec<char> = tasks.filter_map(|task| Some(state(task.ok()?.path()))).collect();
        if states.iter().all(|state| matches!(state, 'Z' | 'X')) {
            return false;
        }
        if states.iter().all(|state| *state == 'T') {
            return true;
        }
        std::thread::yield_now();
    }
}

/// The first of a desktop: its own namespace.
#[test]
fn a_desktop_whose_maker_is_killed_is_made_by_the_next() {
    let _limit = limit();
    for step in ["desktop-described", "memory-made", "entry-written", "row-claimed", "row-begun"] {
        for _ in 0..rounds() {
            let folder = tempfile::tempdir().unwrap();
            let of_its_own = |role_name: &str| {
                role(role_name).with("CLASS", "the-first").env("TRANSOM_DIR", folder.path())
            };
            let child = of_its_own("visitor").env("TRANSOM_KILL_AT", step).start();
            assert_eq!(exit_code(&child), KILLED, "{step}");
            assert_eq!(of_its_own("visitor").run(), 0, "{step}");
        }
    }
}

/// Asks a window that never answers.
fn patient() -> u32 {
    let to = Sender::from(WindowHandle::from_raw(number("WINDOW")));
    ready();
    code(to.send(NEST, 0, 0, Timeout::INFINITE))
}

/// W16, W40: who waits without end is told by the kernel, and takes no processor time meanwhile.
#[test]
fn many_who_wait_without_end_are_told_of_the_death() {
    let _limit = limit();
    let class = Class::register(&unique("steps-patient")).unwrap();
    let (deaf, to) = ready_receiver(&class);
    // Stopped, it never looks at its queue again.
    let id = deaf.process.id().unwrap();
    signal(id, "-STOP");
    assert!(is_stopped_in_the_end(id));
    let waiting: Vec<_> = (0..8)
        .map(|_| {
            let name = unique("steps-asking");
            let asking = named_event(&name);
            let child = role("patient").with("WINDOW", to.handle().value()).with("READY", &name).start();
            wait::one(&asking, PATIENCE).unwrap();
            child
        })
        .collect();
    deaf.process.terminate(9).unwrap();
    for child in &waiting {
        assert_eq!(exit_code(child), 1400);
    }
}
