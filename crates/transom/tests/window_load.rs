//! Load: many processes with several windows each, all sending to each other at random, nested sends included.
//!
//! W13, W18, W28. `cargo test` runs this with small numbers. The full ones, 200 processes for 60 seconds:
//!
//! ```text
//! TRANSOM_LOAD=full cargo test --release -p transom --test window_load -- --nocapture
//! ```

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use transom::mapping::Mapping;
use transom::process::Child;
use transom::wait::Timeout;
use transom::window::message::WM_APP;
use transom::window::{Class, MessageLoop, Sender, Window, WindowHandle};

mod support;
use support::{With, argument, expect_signal, named_event, number, role, unique};

const WINDOWS: usize = 5;
/// Asks another window, which asks another, so many levels down; each adds what it knows.
const NEST: u32 = WM_APP;
/// Goes on only when every process has its windows.
const PATIENCE: Timeout = Timeout::millis(60_000);

#[test]
fn child_entry() {
    // The full load runs longer than a test may; each member ends when its time is over.
    if std::env::var_os(support::ROLE).is_some_and(|role| role == "member") {
        transom::process::exit(member());
    }
}

/// How many processes, and for how many milliseconds.
fn numbers() -> (usize, u64) {
    if std::env::var_os("TRANSOM_LOAD").is_some_and(|value| value == "full") {
        (200, 60_000)
    } else {
        (8, 600)
    }
}

struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

/// What a window answers at each level: so a nested answer can be worked out by whoever asked.
fn answer_of(level: usize, rest: isize) -> isize {
    rest.wrapping_mul(3).wrapping_add(level as isize)
}

fn expected(levels: usize) -> isize {
    (0..=levels).fold(1, |rest, level| answer_of(level, rest))
}

fn windows(class: &Class, others: &Rc<Cell<Vec<Sender>>>) -> Vec<Window> {
    let window = |index: usize| {
        let (others, name) = (Rc::clone(others), class.name().to_owned());
        let numbers = Cell::new(u64::from(std::process::id()) * 7 + index as u64 + 1);
        let sum = |_: WindowHandle, tag: usize, bytes: &[u8]| {
            let sum: usize = bytes.iter().map(|byte| usize::from(*byte)).sum();
            (sum ^ tag) as isize
        };
        let nest = move |level: usize, _: isize| {
            if level == 0 {
                return answer_of(0, 1);
            }
            let mut random = Numbers(numbers.get());
            let mut all = others.take();
            if all.is_empty() {
                // Somebody else was quicker to see that all are there.
                all = Sender::all(&*name, None).unwrap_or_default();
            }
            let to = all[random.below(all.len())];
            others.set(all);
            numbers.set(random.0);
            to.send(NEST, level - 1, 0, PATIENCE).map_or(isize::MIN, |rest| answer_of(level, rest))
        };
        class.window("member").on_copydata(sum).on_message(NEST, nest).create().unwrap()
    };
    (0..WINDOWS).map(window).collect()
}

/// Sends to everybody until the time is over; what it did goes into the mapping.
fn member() -> u32 {
    let class = Class::register(&argument("CLASS")).unwrap();
    let others = Rc::new(Cell::new(Vec::new()));
    let own = windows(&class, &others);
    let messages = MessageLoop::new().unwrap();
    let (members, time) = (number("MEMBERS"), Duration::from_millis(number("TIME") as u64));
    let begun = Instant::now();
    let all = loop {
        messages.run_for(Timeout::millis(20)).unwrap();
        let all = Sender::all(class.name(), None).unwrap();
        if all.len() == members * WINDOWS {
            break all;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "everybody comes");
    };
    others.set(all.clone());
    support::ready();
    let mut random = Numbers(u64::from(std::process::id()) | 1 << 33);
    let (mut calls, begun) = (0_u64, Instant::now());
    while begun.elapsed() < time {
        messages.poll().unwrap();
        let to = all[random.below(all.len())];
        if random.below(4) == 0 {
            let (length, byte, tag) = (random.below(20_000), random.below(256), random.below(1 << 30));
            let answer = to.copydata(tag, &vec![byte as u8; length], PATIENCE).unwrap();
            if answer != ((length * byte) ^ tag) as isize {
                return 1;
            }
        } else {
            let levels = random.below(5);
            if to.send(NEST, levels, 0, PATIENCE).unwrap() != expected(levels) {
                return 2;
            }
        }
        calls += 1;
    }
    let view = Mapping::open(&argument("COUNT")).unwrap().view().unwrap();
    let total = view.atomic_u64(0).unwrap();
    total.fetch_add(calls, std::sync::atomic::Ordering::Relaxed);
    let done = view.atomic_u64(8).unwrap();
    done.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
    // Others still send to it.
    while done.load(std::sync::atomic::Ordering::Acquire) < members as u64 {
        messages.run_for(Timeout::millis(20)).unwrap();
    }
    drop(own);
    0
}

/// W13, W18, W28
#[test]
fn processes_that_all_send_to_each_other_get_right_answers() {
    let (members, time) = numbers();
    let class = Class::register(&unique("window-load")).unwrap();
    let (count, ready) = (unique("window-load-count"), unique("window-load-ready"));
    let mapping = Mapping::create(&count, 4096).unwrap().object;
    let _ready = named_event(&ready);
    let start = |_| {
        let command = role("member").with("CLASS", class.name()).with("MEMBERS", members).with("TIME", time);
        command.with("COUNT", &count).with("READY", &ready).start()
    };
    let children: Vec<Child> = (0..members).map(start).collect();
    for child in &children {
        if time < 10_000 {
            expect_signal(&child.process);
        } else {
            transom::wait::one(&child.process, Timeout::INFINITE).unwrap();
        }
        assert_eq!(child.process.exit_code().unwrap(), Some(0));
    }
    let calls = mapping.view().unwrap().atomic_u64(0).unwrap().load(std::sync::atomic::Ordering::Relaxed);
    println!("{members} processes, {WINDOWS} windows each: {calls} calls in {time} ms, all answers right");
    assert!(calls as usize >= members);
    assert!(Sender::all(class.name(), None).unwrap().is_empty());
}
