//! Guarded values between processes, some of which are killed.

mod support;

use support::{
    With, argument, child, exit_code, expect_signal, handle, limit, named_event, number, ready, role, unique,
};
use transom::event::EventOptions;
use transom::handle::{AsHandle, FromHandle, HandleFlags};
use transom::mapping::{Guarded, Mapping};

/// Large enough that a writer spends its time in the middle of it.
type Value = [u64; 1000];

#[test]
fn child_entry() {
    child(&[("write", write_for_ever), ("update", update), ("read", read), ("own", own), ("adopt", adopt)]);
}

fn write_for_ever() -> u32 {
    let guarded = Guarded::<Value>::open(&argument("NAME")).unwrap();
    let base = number("BASE") as u64;
    guarded.store(&[base; 1000]).unwrap();
    ready();
    for turn in 1.. {
        guarded.store(&[base + turn; 1000]).unwrap();
    }
    0
}

fn assert_whole(value: &Value) {
    assert!(value.iter().all(|part| *part == value[0]), "half of {} and half of {}", value[0], value[999]);
}

/// G2, H4: a writer that is killed leaves a whole value, and the next writer goes on.
#[test]
fn killed_writers_leave_whole_values() {
    let _limit = limit();
    let (name, here) = (unique("guarded"), unique("ready"));
    let here_event = EventOptions::new().name(&here).create().unwrap().object;
    let guarded = Guarded::<Value>::create(&name).unwrap().object;
    for round in 1..=12u64 {
        let base = round << 40;
        let child = role("write").with("NAME", &name).with("READY", &here).with("BASE", base).start();
        expect_signal(&here_event);
        // Looks of different number, so that the child dies at different moments.
        for _ in 0..round * 37 {
            let value = guarded.load().unwrap();
            assert_whole(&value);
            assert!(value[0] >= base, "the child's first value was complete");
        }
        child.process.terminate(1).unwrap();
        exit_code(&child);
        let value = guarded.load().unwrap();
        assert_whole(&value);
        assert!(value[0] >= base);
        assert_eq!(guarded.load().unwrap(), value, "it stands still");
        if round % 2 == 0 {
            let found = guarded.update(|value| std::mem::replace(value, [round; 1000])).unwrap();
            assert_eq!(found, value, "the next writer finds what readers see");
            assert_eq!(guarded.load().unwrap(), [round; 1000]);
        }
    }
}

/// Two writers at once, one of them killed in each round: the other one goes on.
#[test]
fn a_killed_writer_does_not_hold_up_another() {
    let _limit = limit();
    let (name, here) = (unique("guarded"), unique("ready"));
    let here_event = EventOptions::new().name(&here).create().unwrap().object;
    let guarded = Guarded::<Value>::create(&name).unwrap().object;
    let start = |base: u64| {
        let child = role("write").with("NAME", &name).with("READY", &here).with("BASE", base << 40).start();
        expect_signal(&here_event);
        child
    };
    let mut survivor = start(1);
    for round in 2..8u64 {
        let next = start(round);
        survivor.process.terminate(1).unwrap();
        exit_code(&survivor);
        survivor = next;
        // Its values come through, whatever the other one was doing when it died.
        let seen = guarded.load().unwrap();
        assert_whole(&seen);
        loop {
            let value = guarded.load().unwrap();
            assert_whole(&value);
            if value[0] >> 40 == round && value != seen {
                break;
            }
        }
    }
    survivor.process.terminate(1).unwrap();
    exit_code(&survivor);
}

fn update() -> u32 {
    let guarded = Guarded::<Value>::open(&argument("NAME")).unwrap();
    for _ in 0..200 {
        guarded.update(|value| value.iter_mut().for_each(|part| *part += 1)).unwrap();
    }
    0
}

fn read() -> u32 {
    let guarded = Guarded::<Value>::open(&argument("NAME")).unwrap();
    let mut last = 0;
    loop {
        let value = guarded.load().unwrap();
        assert_whole(&value);
        assert!(value[0] >= last, "time goes forward");
        last = value[0];
        if last == 600 {
            return 5;
        }
    }
}

/// Updates of several processes are not lost, and readers see them in order and whole.
#[test]
fn updates_of_several_processes_add_up() {
    let _limit = limit();
    let name = unique("guarded");
    let guarded = Guarded::<Value>::create(&name).unwrap().object;
    let reader = role("read").with("NAME", &name).start();
    let writers = [0; 3].map(|_| role("update").with("NAME", &name).start());
    assert!(writers.iter().all(|writer| exit_code(writer) == 0));
    assert_eq!(guarded.load().unwrap(), [600; 1000]);
    assert_eq!(exit_code(&reader), 5);
}

fn own() -> u32 {
    let guarded = Guarded::<Value>::open(&argument("NAME")).unwrap();
    guarded
        .update(|value| {
            *value = [9; 1000];
            ready();
            support::wait_to_be_killed()
        })
        .unwrap()
}

/// G3: killed while it has the writers' turn: the value is the old one, and the turn passes on.
#[test]
fn a_writer_killed_in_its_turn_passes_it_on() {
    let _limit = limit();
    let (name, here) = (unique("guarded"), unique("ready"));
    let here_event = named_event(&here);
    let guarded = Guarded::<Value>::create(&name).unwrap().object;
    guarded.store(&[3; 1000]).unwrap();
    let child = role("own").with("NAME", &name).with("READY", &here).start();
    expect_signal(&here_event);
    assert_eq!(guarded.load().unwrap(), [3; 1000], "readers do not wait for its turn to end");
    child.process.terminate(1).unwrap();
    guarded.store(&[4; 1000]).unwrap();
    assert_eq!(guarded.load().unwrap(), [4; 1000]);
    exit_code(&child);
}

fn adopt() -> u32 {
    let guarded = Guarded::<Value>::from_mapping(Mapping::from_raw(handle("HANDLE")).unwrap()).unwrap();
    guarded.update(|value| value[0] += 1).unwrap();
    guarded.load().unwrap()[0] as u32
}

/// M56: an unnamed one reaches a child by its handle.
#[test]
fn an_unnamed_value_can_be_inherited() {
    let _limit = limit();
    let guarded = Guarded::<Value>::anonymous().unwrap();
    guarded.store(&[40; 1000]).unwrap();
    let handle = guarded.mapping().as_handle();
    handle.set_information(HandleFlags { inherit: true, protect_from_close: false }).unwrap();
    assert_eq!(role("adopt").inheriting().with("HANDLE", handle.as_raw().value()).run(), 41);
    assert_eq!(guarded.load().unwrap()[0], 41);
}
