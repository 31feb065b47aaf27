//! One instance at a time, between processes that are killed.

mod support;

use std::sync::atomic::{AtomicU64, Ordering};

use support::{
    PATIENCE, With, argument, child, code, exit_code, expect_signal, limit, number, role, unique,
    wait_to_be_killed,
};
use transom::event::{Event, EventOptions};
use transom::instance::{Answer, Launch, Launched, Single};
use transom::mapping::{Mapping, View};
use transom::process::Child;
use transom::wait::Timeout;

#[test]
fn child_entry() {
    child(&[
        ("hand-over", hand_over),
        ("successor", successor),
        ("launcher", launcher),
        ("deaf", deaf),
        ("answering", answering),
    ]);
}

/// What all processes of a test see: words at 0, 8, 16.
struct Board(View);

impl Board {
    fn create(name: &str) -> (Board, Mapping) {
        let mapping = Mapping::create(name, 4096).unwrap().object;
        (Board(mapping.view().unwrap()), mapping)
    }

    fn open() -> Board {
        Board(Mapping::open(&argument("BOARD")).unwrap().view().unwrap())
    }

    /// The process that is the first.
    fn first(&self) -> &AtomicU64 {
        self.0.atomic_u64(0).unwrap()
    }

    /// How many have become the first.
    fn count(&self) -> &AtomicU64 {
        self.0.atomic_u64(8).unwrap()
    }
}

/// An event that is set once for each process that becomes the first.
fn became(name: &str) -> Event {
    EventOptions::new().name(name).create().unwrap().object
}

/// Hands over what it was started with, and ends with the code of the answer.
fn hand_over() -> u32 {
    let Single::Other(other) = Single::acquire(&argument("NAME")).unwrap() else { return 201 };
    if other.process_id().is_none_or(|id| id as usize != number("FIRST")) {
        return 202;
    }
    let launch = Launch::current().unwrap().with_bytes(argument("BYTES"));
    let answer = other.hand_over(&launch, PATIENCE).unwrap();
    if answer.bytes == argument("BYTES").to_uppercase().into_bytes() { answer.code as u32 } else { 203 }
}

#[test]
fn another_process_hands_over_its_arguments_directory_and_bytes() {
    let _limit = limit();
    let name = unique("handed");
    let Single::First(first) = Single::acquire(&name).unwrap() else { panic!("nobody has the name") };
    let folder = std::env::temp_dir().canonicalize().unwrap();
    for number in 0..3_u32 {
        let other = role("hand-over")
            .with("NAME", &name)
            .with("FIRST", std::process::id())
            .with("BYTES", format!("bytes {number}"))
            .current_dir(&folder)
            .start();
        let request = first.next(PATIENCE).unwrap().expect("it hands over");
        let launch = request.launch();
        assert_eq!(launch.bytes, format!("bytes {number}").into_bytes());
        assert_eq!(launch.directory.canonicalize().unwrap(), folder);
        assert!(launch.arguments.iter().any(|argument| argument == "child_entry"), "{launch:?}");
        let bytes = launch.bytes.to_ascii_uppercase();
        request.answer(Answer { code: 70 + number as i32, bytes });
        assert_eq!(exit_code(&other), 70 + number);
    }
}

/// Becomes the first some day, says so, and stays until it is killed.
fn successor() -> u32 {
    let board = Board::open();
    let Single::First(_first) = Single::acquire_for(&argument("NAME"), Timeout::INFINITE).unwrap() else {
        return 201;
    };
    board.first().store(std::process::id().into(), Ordering::SeqCst);
    board.count().fetch_add(1, Ordering::SeqCst);
    became(&argument("BECAME")).set().unwrap();
    wait_to_be_killed()
}

/// Y11, W41: whoever is first is killed, and each time exactly one of those who wait is the next.
#[test]
fn a_killed_first_has_exactly_one_successor() {
    let _limit = limit();
    let (name, board_name, became_name) = (unique("killed"), unique("board"), unique("became"));
    let (board, _mapping) = Board::create(&board_name);
    let event = became(&became_name);
    let start = || {
        role("successor").with("NAME", &name).with("BOARD", &board_name).with("BECAME", &became_name).start()
    };
    let mut children: Vec<Child> = (0..6).map(|_| start()).collect();
    for round in 1..=12 {
        expect_signal(&event);
        assert_eq!(board.count().load(Ordering::SeqCst), round);
        let first = board.first().load(Ordering::SeqCst);
        let Single::Other(other) = Single::acquire(&name).unwrap() else { panic!("{first} has the name") };
        assert_eq!(other.process_id(), Some(first as u32));
        let dead = children.iter().position(|child| u64::from(child.process.id().unwrap()) == first);
        let dead = children.swap_remove(dead.expect("it is one of ours"));
        if round <= 6 {
            children.push(start());
        }
        assert_eq!(board.count().load(Ordering::SeqCst), round, "nobody beside it");
        dead.process.terminate(9).unwrap();
        assert_eq!(exit_code(&dead), 9);
    }
    assert!(children.is_empty());
    // Where the system ends a process before it closes what that had, the name is free a little later.
    assert!(matches!(Single::acquire_for(&name, PATIENCE).unwrap(), Single::First(_)));
}

/// Is the first, and never answers.
fn deaf() -> u32 {
    let Single::First(_first) = Single::acquire_for(&argument("NAME"), PATIENCE).unwrap() else { return 201 };
    became(&argument("BECAME")).set().unwrap();
    wait_to_be_killed()
}

/// W16, W41.
#[test]
fn a_first_killed_before_it_answers_is_told_at_once() {
    let _limit = limit();
    let (name, became_name) = (unique("deaf"), unique("became"));
    let event = became(&became_name);
    for _ in 0..3 {
        let first = role("deaf").with("NAME", &name).with("BECAME", &became_name).start();
        expect_signal(&event);
        let Single::Other(other) = Single::acquire(&name).unwrap() else { panic!("it has the name") };
        let handing =
            std::thread::spawn(move || code(other.hand_over(&Launch::default(), Timeout::INFINITE)));
        first.process.terminate(9).unwrap();
        assert_eq!(handing.join().unwrap(), 1400);
        assert_eq!(exit_code(&first), 9);
    }
}

/// Is the first when it can, and answers.
fn answering() -> u32 {
    let board = Board::open();
    let Single::First(first) = Single::acquire_for(&argument("NAME"), Timeout::INFINITE).unwrap() else {
        return 201;
    };
    first.on_launch(|launch| Answer { code: launch.bytes.len() as i32, bytes: launch.bytes });
    board.count().fetch_add(1, Ordering::SeqCst);
    became(&argument("BECAME")).set().unwrap();
    wait_to_be_killed()
}

/// Hands over again and again, to whoever is the first.
fn launcher() -> u32 {
    let name = argument("NAME");
    for round in 0..number("COUNT") {
        let bytes = vec![round as u8; round * 37 % 5000];
        let launch = Launch::default().with_bytes(bytes.clone());
        loop {
            match Single::launch(&name, &launch, PATIENCE).unwrap() {
                Launched::Answered(answer) => {
                    assert_eq!(answer, Answer { code: bytes.len() as i32, bytes });
                    break;
                }
                // For a moment there was none. One that answers waits for the name.
                Launched::First(first) => drop(first),
            }
        }
    }
    0
}

/// W41: every launch is answered by somebody, and rightly, whoever is killed meanwhile.
#[test]
fn launches_are_answered_while_firsts_are_killed() {
    let _limit = limit();
    let (name, board_name, became_name) = (unique("kills"), unique("board"), unique("became"));
    let (_board, _mapping) = Board::create(&board_name);
    let event = became(&became_name);
    let start = |kind: &str| {
        let command = role(kind).with("NAME", &name).with("BOARD", &board_name).with("BECAME", &became_name);
        command.with("COUNT", 60).start()
    };
    let mut firsts = vec![start("answering")];
    expect_signal(&event);
    let launchers: Vec<Child> = (0..3).map(|_| start("launcher")).collect();
    for _ in 0..8 {
        let dead = firsts.pop().expect("there is one");
        firsts.push(start("answering"));
        dead.process.terminate(9).unwrap();
        assert_eq!(exit_code(&dead), 9);
        expect_signal(&event);
    }
    for launcher in &launchers {
        assert_eq!(exit_code(launcher), 0);
    }
    for first in firsts {
        first.process.terminate(9).unwrap();
        exit_code(&first);
    }
}
