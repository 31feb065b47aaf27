//! Mailslots whose writer, reader or server is killed with SIGKILL at each step: what was written is whole or not
//! there, the others go on, nobody waits for the dead, and the name is free when its last server is gone.
//!
//! S8, S9, S17, S27, S31. Linux only: there SIGKILL can hit between any two instructions of ours.
//! `TRANSOM_KILL_ROUNDS` says how often each step is met (default 3).
#![cfg(target_os = "linux")]

use std::sync::atomic::Ordering;

use transom::handle::{AsHandle, DuplicateOptions, FromHandle, HandleFlags};
use transom::mailslot::{Broadcast, Options, Server, Subscriber, Writer};
use transom::mapping::Mapping;
use transom::namespace;
use transom::wait::{self, Timeout, Wait};

mod support;
use support::{PATIENCE, With, alone, argument, code, exit_code, handle, limit, role, unique};

/// Exit code of a process that was killed by SIGKILL.
const KILLED: u32 = 0xC000_0000 + 9;

#[test]
fn child_entry() {
    support::child(&[
        ("writer", writer),
        ("reader", reader),
        ("server", server),
        ("counting-reader", counting_reader),
        ("publisher", publisher),
        ("subscriber", subscriber),
    ]);
}

fn slot_name(what: &str) -> String {
    format!(r"\\.\mailslot\{}", unique(what))
}

fn rounds() -> usize {
    std::env::var("TRANSOM_KILL_ROUNDS").ok().and_then(|value| value.parse().ok()).unwrap_or(3)
}

/// Message `index` of a writer: some are longer than what is left of an extent.
fn message(index: u8) -> Vec<u8> {
    vec![index; [0, 5, 3000, 70_000, 200_000][usize::from(index) % 5]]
}

const MESSAGES: u8 = 10;

fn writer() -> u32 {
    let writer = Writer::open(&argument("SLOT")).unwrap();
    for index in 0..MESSAGES {
        writer.send(&message(index)).unwrap();
    }
    0
}

const WRITER_STEPS: [&str; 12] = [
    "lane-locked",
    "lane-opened",
    "message-published",
    "message-published:2",
    "message-published:4",
    "message-published:9",
    "before-wake",
    "before-wake:2",
    "before-wake:3",
    "lane-extended",
    "lane-extended:2",
    "lane-extended:3",
];

/// S9, S17, S31
#[test]
fn a_writer_killed_at_any_step_leaves_whole_messages_and_harms_nobody() {
    let _limit = limit();
    let name = slot_name("writer");
    let server = Options::new(&name).read_timeout(PATIENCE).create().unwrap();
    let other = Writer::open(&name).unwrap();
    for step in WRITER_STEPS {
        for _ in 0..rounds() {
            let child = role("writer").with("SLOT", &name).env("TRANSOM_KILL_AT", step).start();
            let mut next = 0;
            std::thread::scope(|scope| {
                // This reader sleeps whenever there is nothing, so that there is somebody to wake.
                let reader = scope.spawn(|| {
                    let mut got = Vec::new();
                    while got.last().is_none_or(|last: &Vec<u8>| last != b"the end") {
                        got.push(server.receive_vec().unwrap());
                    }
                    got.pop();
                    got
                });
                wait::one(&child.process, PATIENCE).unwrap();
                other.send(b"the end").unwrap();
                for got in reader.join().unwrap() {
                    assert!(got == message(next), "{step}: message {next} is not whole");
                    next += 1;
                }
            });
            let ended = exit_code(&child);
            assert!(ended == KILLED || (ended == 0 && step.starts_with("before-wake")), "{step}: {ended}");
            let info = server.info().unwrap();
            assert_eq!((info.count, info.next), (0, None), "{step}");
        }
    }
}

/// S31: rows of dead writers are used again: more die than there are rows.
#[test]
fn lanes_of_killed_writers_are_free_again() {
    let _limit = limit();
    let name = slot_name("lanes");
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    for round in 0..40 {
        let child = role("writer").with("SLOT", &name).env("TRANSOM_KILL_AT", "message-published").start();
        assert_eq!(exit_code(&child), KILLED);
        assert_eq!(server.receive_vec().unwrap(), b"", "round {round}");
    }
    let writers: Vec<Writer> = (0..200).map(|_| Writer::open(&name).unwrap()).collect();
    for (index, writer) in writers.iter().enumerate() {
        writer.send(&index.to_le_bytes()).unwrap();
    }
    for index in 0..200_usize {
        assert_eq!(server.receive_vec().unwrap(), index.to_le_bytes());
    }
}

fn reader() -> u32 {
    let server = Server::from_raw(handle("SERVER")).unwrap();
    while server.receive_vec().is_ok() {}
    0
}

/// S27: a reader that is killed took a message or did not; the other readers get what is left.
#[test]
fn a_reader_killed_at_any_step_stops_no_other() {
    let _alone = alone();
    for step in
        ["reader-registered", "reader-registered:2", "reader-registered:5", "turn-awaited", "turn-released"]
    {
        for _ in 0..rounds() {
            let name = slot_name("reader");
            let server = Options::new(&name).read_timeout(PATIENCE).inherit(true).create().unwrap();
            let raw = server.as_handle().as_raw().value();
            let command = role("reader").inheriting().with("SERVER", raw).env("TRANSOM_KILL_AT", step);
            let child = command.start();
            server
                .as_handle()
                .set_information(HandleFlags { inherit: false, protect_from_close: false })
                .unwrap();
            let writer = Writer::open(&name).unwrap();
            let mut last = None;
            for index in 0..200_u8 {
                writer.send(&[index]).unwrap();
                if index % 8 == 0 {
                    // Whoever sleeps is woken; what the child took is missing here.
                    let got = server.receive_timeout(&mut [0; 8], Timeout::ZERO);
                    assert!(matches!(code(got), 0 | 121));
                }
            }
            // Unless it has met its step.
            let _ = child.process.terminate(9);
            exit_code(&child);
            writer.send(b"last").unwrap();
            while last.as_deref() != Some(&b"last"[..]) {
                let got = server.receive_vec().unwrap();
                assert!(got == b"last" || got.len() == 1, "{step}");
                last = Some(got);
            }
            assert_eq!(server.info().unwrap().count, 0, "{step}");
        }
    }
}

/// Takes messages, each of which is a number, and counts them in shared memory.
fn counting_reader() -> u32 {
    let server = Server::from_raw(handle("SERVER")).unwrap();
    let tally = Mapping::open(&argument("TALLY")).unwrap().view().unwrap();
    let mut buffer = [0; 8];
    while server.receive(&mut buffer).is_ok() {
        let index = u64::from_le_bytes(buffer) as usize;
        tally.atomic_u32(4 * index).unwrap().fetch_add(1, Ordering::SeqCst);
    }
    0
}

/// S27: several processes read at the same time and are killed at random: each message goes to one of them, and none is
/// lost but what a killed one had just taken.
#[test]
fn readers_killed_at_random_leave_the_others_all_that_they_did_not_take() {
    let _alone = alone();
    let (name, tally_name) = (slot_name("readers"), unique("tally"));
    let server = Options::new(&name).read_timeout(PATIENCE).inherit(true).create().unwrap();
    let raw = server.as_handle().as_raw().value();
    let kills = 10 * rounds();
    let messages = 300 * kills as u64;
    let mapping = Mapping::create(&tally_name, 4 * messages).unwrap().object;
    let tally = mapping.view().unwrap();
    let seen = |index: u64| tally.atomic_u32(4 * index as usize).unwrap();
    let start =
        || role("counting-reader").inheriting().with("SERVER", raw).with("TALLY", &tally_name).start();
    let mut readers: Vec<_> = (0..3).map(|_| start()).collect();
    let writers = [(); 4].map(|()| Writer::open(&name).unwrap());
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = 0;
    for kill in 0..kills as u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let victim = readers.swap_remove((random >> 60) as usize % 3);
        let until = next + 1 + (random >> 40) % 250;
        while next < until.min(messages) {
            writers[next as usize % 4].send(&next.to_le_bytes()).unwrap();
            next += 1;
        }
        victim.process.terminate(9).unwrap();
        assert_eq!(exit_code(&victim), 9, "after {kill}");
        readers.push(start());
    }
    while server.info().unwrap().count > 0 {
        std::thread::yield_now();
    }
    for reader in readers {
        reader.process.terminate(9).unwrap();
        exit_code(&reader);
    }
    assert_eq!(code(server.receive_timeout(&mut [0; 8], Timeout::ZERO)), 121);
    let counts: Vec<u32> = (0..next).map(|index| seen(index).load(Ordering::SeqCst)).collect();
    assert!(counts.iter().all(|count| *count <= 1), "a message was taken twice");
    let lost = counts.iter().filter(|count| **count == 0).count();
    assert!(lost <= kills + 3, "{lost} messages were lost");
}

fn server() -> u32 {
    let server = Options::new(&argument("SLOT")).read_timeout(Timeout::ZERO).create().unwrap();
    let _ = server.receive_timeout(&mut [0; 8], PATIENCE);
    0
}

/// S8
#[test]
fn a_server_killed_at_any_step_leaves_no_name() {
    let _limit = limit();
    for step in ["name-locked", "mailslot-described", "memory-made", "entry-written", "reader-registered"] {
        for _ in 0..rounds() {
            let name = slot_name("server");
            let child = role("server").with("SLOT", &name).env("TRANSOM_KILL_AT", step).start();
            assert_eq!(exit_code(&child), KILLED, "{step}");
            let again = loop {
                match Options::new(&name).read_timeout(Timeout::ZERO).create() {
                    Ok(server) => break server,
                    Err(error) => assert_eq!(error.code().value(), 183, "{step}"),
                }
            };
            Writer::open(&name).unwrap().send(b"new").unwrap();
            assert_eq!(again.receive_vec().unwrap(), b"new", "{step}");
            drop(again);
            assert_eq!(namespace::find(&name).unwrap(), None, "{step}");
            assert_eq!(code(Writer::open(&name)), 2, "{step}");
        }
    }
}

/// H32, S33: a handle on its way to a process that is killed is nobody's, and the mailslot goes with the last one.
#[test]
fn a_copy_given_to_a_process_that_is_killed_does_not_stay() {
    let _limit = limit();
    let name = slot_name("given");
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    let writer = Writer::open(&name).unwrap();
    let child = role("server").with("SLOT", slot_name("other")).start();
    let same = DuplicateOptions { access: None, inherit: false, close_source: false };
    let here = transom::process::Process::current();
    transom::handle::duplicate(&here, server.as_handle().as_raw(), &child.process, same).unwrap();
    child.process.terminate(9).unwrap();
    exit_code(&child);
    drop(server);
    // The process has ended before everything it held is closed.
    while code(writer.send(b"x")) == 0 {
        std::thread::yield_now();
    }
    assert_eq!(code(writer.send(b"x")), 38);
}

/// A thread of this process that sleeps in the kernel.
struct Sleeper(std::sync::mpsc::Receiver<std::path::PathBuf>);

impl Sleeper {
    /// What tells the test which thread it is.
    fn told() -> (Sleeper, impl FnOnce() + Send) {
        let (sender, receiver) = std::sync::mpsc::channel();
        (Sleeper(receiver), move || {
            sender.send(std::fs::read_link("/proc/thread-self").unwrap()).unwrap();
        })
    }

    /// Waits until it sleeps in futex_waitv, by the number of that call.
    fn until_asleep(&self) {
        let thread = std::path::Path::new("/proc").join(self.0.recv().unwrap()).join("syscall");
        while !std::fs::read_to_string(&thread).is_ok_and(|call| call.starts_with("449 ")) {
            std::thread::yield_now();
        }
    }
}

/// S17: a message whose writer is killed before it has woken anybody wakes a sleeping reader all the same, and nothing
/// but the kernel does it: nobody else writes, and nobody looks now and then.
#[test]
fn a_sleeping_reader_gets_the_message_of_a_killed_writer() {
    let _limit = limit();
    let name = slot_name("asleep");
    let server = Options::new(&name).create().unwrap();
    for step in ["message-published", "before-wake"] {
        for _ in 0..rounds() {
            let (sleeper, tell) = Sleeper::told();
            std::thread::scope(|scope| {
                let reader = scope.spawn(|| {
                    tell();
                    server.receive_vec().unwrap()
                });
                sleeper.until_asleep();
                let child = role("writer").with("SLOT", &name).env("TRANSOM_KILL_AT", step).start();
                assert_eq!(exit_code(&child), KILLED, "{step}");
                assert_eq!(reader.join().unwrap(), message(0), "{step}");
            });
        }
    }
}

/// The lane of a killed writer is free as soon as somebody opens, however many rows are left.
#[test]
fn a_killed_writers_lane_is_free_when_the_next_one_opens() {
    let _limit = limit();
    let name = slot_name("reused");
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    let stays = Writer::open(&name).unwrap();
    for round in 0..5 {
        let child = role("writer").with("SLOT", &name).env("TRANSOM_KILL_AT", "message-published").start();
        assert_eq!(exit_code(&child), KILLED);
        assert_eq!(server.receive_vec().unwrap(), b"", "round {round}");
        // It is killed where it frees a lane: so it has found one.
        let next = role("writer").with("SLOT", &name).env("TRANSOM_KILL_AT", "lane-freed").start();
        assert_eq!(exit_code(&next), KILLED, "round {round}");
        stays.send(b"x").unwrap();
        assert_eq!(server.receive_vec().unwrap(), b"x");
    }
}

/// A broadcast message: its index in every word.
fn cast(index: u64) -> Vec<u8> {
    std::iter::repeat_n(index.to_le_bytes(), 1 + index as usize % 60).flatten().collect()
}

fn publisher() -> u32 {
    let broadcast = Broadcast::create(&argument("NAME"), 4096).unwrap();
    let first: u64 = argument("FIRST").parse().unwrap();
    for index in first..first + 40 {
        broadcast.publish(&cast(index)).unwrap();
    }
    0
}

fn subscriber() -> u32 {
    let mut subscriber = Subscriber::open(&argument("NAME")).unwrap();
    while subscriber.receive(&mut [0; 512], PATIENCE).is_ok() {}
    0
}

/// A publisher that is killed anywhere leaves whole messages; nobody waits for it, and none is said to be lost that was
/// not.
#[test]
fn a_publisher_killed_at_any_step_stops_no_other() {
    let _limit = limit();
    let steps = [
        "broadcast-room",
        "broadcast-room:20",
        "broadcast-written",
        "broadcast-written:20",
        "broadcast-published",
        "broadcast-published:20",
        "before-wake",
        "turn-released",
    ];
    let name = unique("cast");
    let other = Broadcast::create(&name, 1 << 16).unwrap();
    let mut subscriber = Subscriber::open(&name).unwrap();
    let mut first = 0_u64;
    for step in steps {
        for _ in 0..rounds() {
            let end = first + 40;
            let child = role("publisher")
                .with("NAME", &name)
                .with("FIRST", first)
                .env("TRANSOM_KILL_AT", step)
                .start();
            std::thread::scope(|scope| {
                // It sleeps whenever there is nothing, so that there is somebody to wake.
                let reader = scope.spawn(|| {
                    let mut next = first;
                    loop {
                        let (message, lost) = subscriber.receive_vec(PATIENCE).unwrap();
                        assert_eq!(lost, 0, "{step}");
                        if message == cast(end) {
                            return;
                        }
                        assert!(message == cast(next), "{step}: message {next} is not whole");
                        next += 1;
                    }
                });
                let ended = exit_code(&child);
                assert!(ended == KILLED || ended == 0, "{step}: {ended}");
                other.publish(&cast(end)).unwrap();
                reader.join().unwrap();
            });
            first = end + 1;
        }
    }
}

/// As with mailslots.
#[test]
fn a_sleeping_subscriber_gets_the_message_of_a_killed_publisher() {
    let _limit = limit();
    let name = unique("cast-asleep");
    let _keep = Broadcast::create(&name, 4096).unwrap();
    let mut subscriber = Subscriber::open(&name).unwrap();
    for step in ["broadcast-published", "before-wake"] {
        for _ in 0..rounds() {
            let (sleeper, tell) = Sleeper::told();
            std::thread::scope(|scope| {
                let reader = scope.spawn(|| {
                    tell();
                    subscriber.receive_vec(Timeout::INFINITE).unwrap()
                });
                sleeper.until_asleep();
                let command = role("publisher").with("NAME", &name).with("FIRST", 7);
                assert_eq!(exit_code(&command.env("TRANSOM_KILL_AT", step).start()), KILLED, "{step}");
                assert_eq!(reader.join().unwrap(), (cast(7), 0), "{step}");
            });
        }
    }
}

/// Subscribers are nowhere written down: one that is killed leaves nothing, not even work.
#[test]
fn a_subscriber_killed_at_any_step_costs_nobody_anything() {
    let _limit = limit();
    let name = unique("cast-reader");
    let broadcast = Broadcast::create(&name, 4096).unwrap();
    for step in ["reader-registered", "reader-registered:2", "reader-sleeps", "reader-sleeps:3"] {
        for _ in 0..rounds() {
            let mut stays = Subscriber::open(&name).unwrap();
            let child = role("subscriber").with("NAME", &name).env("TRANSOM_KILL_AT", step).start();
            let mut next = 0;
            // Until the other one has met its step: it sleeps whenever it has read what there is.
            while wait::one(&child.process, Timeout::ZERO).unwrap() == Wait::Timeout {
                broadcast.publish(&cast(next)).unwrap();
                assert_eq!(stays.receive_vec(PATIENCE).unwrap(), (cast(next), 0), "{step}");
                next += 1;
            }
        }
    }
}
