//! One process's part. What needs several is in `tests/instance.rs`.

use std::sync::mpsc::channel;

use super::*;
use crate::support::{A_MOMENT, PATIENCE, code, in_thread, limit, unique};

fn first(name: &str) -> First {
    match Single::acquire(name).unwrap() {
        Single::First(first) => first,
        Single::Other(_) => panic!("somebody has {name}"),
    }
}

fn other(name: &str) -> Other {
    match Single::acquire(name).unwrap() {
        Single::Other(other) => other,
        Single::First(_) => panic!("nobody has {name}"),
    }
}

fn launch(bytes: &[u8]) -> Launch {
    Launch {
        arguments: vec!["program".into(), "".into(), "ünïcode \u{1F600}".into()],
        directory: "/some/where".into(),
        bytes: bytes.to_vec(),
    }
}

#[test]
fn the_first_is_first_until_it_is_dropped() {
    let _limit = limit();
    let name = unique("first");
    let one = first(&name);
    assert_eq!(other(&name).process_id(), Some(std::process::id()));
    assert!(matches!(Single::acquire_for(&format!(r"Local\{name}"), A_MOMENT).unwrap(), Single::Other(_)));
    // Names are told apart by case, titles of windows are not.
    let shouted = first(&name.to_uppercase());
    assert_eq!(code(Single::acquire(r"no\such\prefix")), 3);
    drop(one);
    let again = first(&name);
    drop((shouted, again));
}

#[test]
fn a_launch_is_handed_over_and_answered() {
    let _limit = limit();
    let name = unique("answered");
    let first = first(&name);
    assert!(first.next(Timeout::ZERO).unwrap().is_none());
    let theirs = name.clone();
    let handing =
        std::thread::spawn(move || other(&theirs).hand_over(&launch(b"\0bytes"), PATIENCE).unwrap());
    let request = first.next(PATIENCE).unwrap().unwrap();
    assert_eq!(*request.launch(), launch(b"\0bytes"));
    request.answer(Answer { code: -7, bytes: vec![1; 100_000] });
    assert_eq!(handing.join().unwrap(), Answer { code: -7, bytes: vec![1; 100_000] });
}

#[test]
fn a_dropped_request_is_answered_with_nothing() {
    let _limit = limit();
    let name = unique("dropped");
    let first = first(&name);
    let theirs = name.clone();
    let handing = std::thread::spawn(move || other(&theirs).hand_over(&Launch::default(), PATIENCE).unwrap());
    assert!(wait::any(&[&first], PATIENCE).unwrap().is_signalled(), "the first can be waited for");
    drop(first.next(Timeout::ZERO).unwrap().expect("it was signalled"));
    assert_eq!(handing.join().unwrap(), Answer::default());
}

#[test]
fn a_closure_answers_also_what_waits_already() {
    let _limit = limit();
    let name = unique("closure");
    let first = first(&name);
    let theirs = name.clone();
    let handing = std::thread::spawn(move || other(&theirs).hand_over(&launch(b"waits"), PATIENCE).unwrap());
    assert!(wait::one(&first, PATIENCE).unwrap().is_signalled());
    let echo = |launch: Launch| Answer { code: launch.arguments.len() as i32, bytes: launch.bytes };
    first.on_launch(echo);
    assert_eq!(handing.join().unwrap(), Answer { code: 3, bytes: b"waits".to_vec() });
    for number in 0..50_u8 {
        let answer = other(&name).hand_over(&launch(&[number]), PATIENCE).unwrap();
        assert_eq!(answer, Answer { code: 3, bytes: vec![number] });
    }
    first.on_launch(|_| panic!("in the answer"));
    assert_eq!(other(&name).hand_over(&launch(b""), PATIENCE).unwrap(), Answer::default());
}

#[test]
fn nobody_waits_for_a_first_that_ends_or_does_not_answer() {
    let _limit = limit();
    let name = unique("ends");
    let one = first(&name);
    assert_eq!(code(other(&name).hand_over(&launch(b""), A_MOMENT)), 1460);
    let waiting = other(&name);
    let (tell, told) = channel();
    let handing = std::thread::spawn(move || {
        tell.send(()).unwrap();
        code(waiting.hand_over(&launch(b"late"), PATIENCE))
    });
    told.recv().unwrap();
    // The one that has given up may come first.
    let request = loop {
        let request = one.next(PATIENCE).unwrap().unwrap();
        if request.launch().bytes == b"late" {
            break request;
        }
    };
    drop(one);
    assert_eq!(handing.join().unwrap(), 1400);
    drop(request);
    let stale = {
        let _first = first(&name);
        other(&name)
    };
    assert_eq!(code(stale.hand_over(&launch(b""), PATIENCE)), 1400, "nobody has the mutex");
    assert_eq!(stale.process_id(), None);
}

/// The mutex is an ordinary one: whoever has it by other means is not handed over to.
#[test]
fn a_mutex_without_a_window_is_waited_for() {
    let _limit = limit();
    let name = unique("bare");
    let mutex = MutexOptions::new().name(&name).initial_owner(true).create().unwrap().object;
    let theirs = name.clone();
    in_thread(move || {
        assert_eq!(code(other(&theirs).hand_over(&launch(b""), A_MOMENT)), 1460);
        assert!(matches!(Single::acquire_for(&theirs, A_MOMENT).unwrap(), Single::Other(_)));
    });
    mutex.release().unwrap();
    first(&name);
}

#[test]
fn launching_makes_the_first_or_hands_over() {
    let _limit = limit();
    let name = unique("launch");
    let Launched::First(first) = Single::launch(&name, &launch(b"1"), PATIENCE).unwrap() else {
        panic!("nobody has {name}")
    };
    first.on_launch(|launch| Answer { code: 2, bytes: launch.bytes });
    let Launched::Answered(answer) = Single::launch(&name, &launch(b"2"), PATIENCE).unwrap() else {
        panic!("somebody has {name}")
    };
    assert_eq!(answer, Answer { code: 2, bytes: b"2".to_vec() });
}

#[test]
fn launches_travel_as_they_are() {
    let launch = Launch::current().unwrap().with_bytes([0, 255, 7]);
    assert!(!launch.arguments.is_empty() && launch.directory.is_absolute());
    let bytes = wire::encode_launch(&launch).unwrap();
    assert_eq!(wire::decode_launch(&bytes).unwrap(), launch);
    for cut in 0..bytes.len() {
        assert_eq!(wire::decode_launch(&bytes[..cut]), None);
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(wire::decode_launch(&longer), None);
    // A number of arguments that there is no room for.
    let mut many = wire::encode_launch(&Launch::default()).unwrap();
    let end = many.len();
    many[end - 4..].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(wire::decode_launch(&many), None);
    let answer = Answer { code: i32::MIN, bytes: vec![3; 9] };
    let bytes = wire::encode_answer(&answer).unwrap();
    assert_eq!(wire::decode_answer(&bytes).unwrap(), answer);
    assert_eq!(wire::decode_answer(&bytes[1..]), None);
    assert_eq!(wire::decode_launch(&bytes), None);
}
