//! Processes that send to each other and are killed at random moments: nobody waits for ever, answers are never mixed
//! up, windows of the dead are invalid at once.
//!
//! W16, W41. `TRANSOM_KILL_ROUNDS` says how many are killed (default 60; 500 and more were tried).
#![cfg(target_os = "linux")]

use std::time::Duration;

use transom::process::Child;
use transom::wait::Timeout;
use transom::window::message::WM_APP;
use transom::window::{Class, MessageLoop, Sender, WindowHandle};

mod support;
use support::{PATIENCE, With, argument, exit_code, limit, role, unique};

/// Answers its two parameters, mixed.
const MIX: u32 = WM_APP;
/// Asks another window first.
const PASS_ON: u32 = WM_APP + 1;

#[test]
fn child_entry() {
    support::child(&[("member", member)]);
}

/// A small generator of numbers that look random.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

fn mix(a: usize, b: isize) -> isize {
    (a as isize).wrapping_mul(31).wrapping_add(b) & 0xFFFF_FFFF
}

/// Has a window, serves it, and sends to all others, until it is killed; an answer that is wrong ends it with 1.
fn member() -> u32 {
    let class = Class::register(&argument("CLASS")).unwrap();
    let mut numbers = Numbers(u64::from(std::process::id()) | 1 << 40);
    let window = class.window("member").on_copydata(|_, tag, bytes| {
        let sum: usize = bytes.iter().map(|byte| usize::from(*byte)).sum();
        mix(tag, sum as isize)
    });
    let window = window.on_message(MIX, mix).create().unwrap();
    window.on_message(PASS_ON, |to, value| {
        let to = Sender::from(WindowHandle::from_raw(to));
        to.send(MIX, 5, value, PATIENCE).unwrap_or(-1)
    });
    let messages = MessageLoop::new().unwrap();
    loop {
        messages.poll().unwrap();
        let all = Sender::all(class.name(), None).unwrap();
        let to = all[numbers.below(all.len())];
        let (a, b) = (numbers.below(1000), numbers.below(1000) as isize);
        let (answer, right) = match numbers.below(3) {
            0 => (to.send(MIX, a, b, PATIENCE), mix(a, b)),
            1 => {
                let length = [10, 3000, 50_000][numbers.below(3)];
                let byte = numbers.below(200) as u8;
                (to.copydata(a, &vec![byte; length], PATIENCE), mix(a, (length * usize::from(byte)) as isize))
            }
            _ => {
                let over = all[numbers.below(all.len())];
                (to.send(PASS_ON, over.handle().value(), b, PATIENCE), mix(5, b))
            }
        };
        match answer {
            Ok(answer) if answer == right || answer == -1 => {}
            Ok(_) => return 1,
            // The receiver is gone.
            Err(error) if error.code().value() == 1400 => {}
            Err(_) => return 2,
        }
    }
}

/// W16, W41
#[test]
fn processes_killed_at_random_take_nobody_with_them() {
    let _limit = limit();
    let rounds = std::env::var("TRANSOM_KILL_ROUNDS").ok().and_then(|value| value.parse().ok()).unwrap_or(60);
    let class = Class::register(&unique("window-crash")).unwrap();
    let start = || role("member").with("CLASS", class.name()).start();
    let mut members: Vec<Child> = (0..6).map(|_| start()).collect();
    let mut numbers = Numbers(0x1234_5678_9ABC);
    for round in 0..rounds {
        // The moment is the point of the test: it is to be any.
        #[allow(clippy::disallowed_methods)]
        std::thread::sleep(Duration::from_micros(numbers.next() % 20_000));
        let victim = members.swap_remove(numbers.below(members.len()));
        let id = victim.process.id().unwrap();
        victim.process.terminate(9).unwrap();
        assert_eq!(exit_code(&victim), 9, "round {round}: it found a wrong answer, or waited too long");
        let of_the_dead = |sender: &Sender| sender.process_id().is_ok_and(|process| process == id);
        assert!(!Sender::all(class.name(), None).unwrap().iter().any(of_the_dead), "round {round}");
        members.push(start());
        for other in Sender::all(class.name(), None).unwrap() {
            match other.send(MIX, round, 3, Timeout::millis(20_000)) {
                Ok(answer) => assert_eq!(answer, mix(round, 3)),
                Err(error) => assert_eq!(error.code().value(), 1400, "round {round}"),
            }
        }
    }
    for member in members {
        member.process.terminate(9).unwrap();
        assert_eq!(exit_code(&member), 9);
    }
    assert!(Sender::all(class.name(), None).unwrap().is_empty());
}
