//! A process killed with SIGKILL at each step of each protocol here, while others use the same connection (P38, P74).
//!
//! Whatever it had published is whole, what it had not does not exist, nobody waits for it, and who shares its end
//! goes on.

use std::os::fd::AsRawFd;
use std::sync::atomic::AtomicBool;

use transom_sys::linux::procfs;

use super::super::read::PART;
use super::*;
use crate::process::{Child, Command};
use crate::support::{self, PATIENCE, With, argument, number};

/// Steps that every run of the worker comes to.
const STEPS: [&str; 29] = [
    "read-turn-taken",
    "data-read",
    "data-read:5",
    "read-published",
    "read-published:9",
    "write-turn-taken",
    "write-turn-taken:7",
    "data-copied",
    "data-published",
    "data-published:4",
    "before-ring",
    "before-ring:5",
    "rung",
    "slot-taken",
    "slot-taken:3",
    "row-locked",
    "streaming",
    "part-published",
    "part-published:3",
    "streamed",
    "stream-abandoned",
    "write-withdrawn",
    "asleep-registered",
    "asleep-registered:4",
    "woken:3",
    "loan-made",
    "loan-published",
    "borrowed",
    "borrowed-consumed",
];
/// Steps of the way out.
const LAST_STEPS: [&str; 2] = ["closing", "closed"];

const ENTRY: &str = "engine::channel::tests::killed::child_entry";
const KILLED: u32 = 0xC000_0000 + 9;
/// Lengths of what the server sends.
const SENT: [usize; 4] = [20, 500, 3000, 120_000];
/// Length of the message that says that all is well.
const AFTER: usize = 77;

#[test]
fn child_entry() {
    support::child(&[("worker", worker), ("one-writer", one_writer), ("one-reader", one_reader)]);
}

/// A message that says how long it is and of what.
fn message(len: usize) -> Vec<u8> {
    let mut message = pattern(len, len);
    message[..8].copy_from_slice(&(len as u64).to_le_bytes());
    message
}

fn check(got: &[u8]) {
    assert!(got.len() >= 8, "{} bytes of a message", got.len());
    assert!(got == message(got.len()), "a message of {} bytes is damaged", got.len());
}

/// A message of the server, or what is left of one whose beginning a call of another process returned (P27): one that
/// ran out of time, or borrowed it.
fn check_rest(got: &[u8]) {
    assert!(SENT.iter().any(|len| message(*len).ends_with(got)), "{} bytes of nothing sent", got.len());
}

fn within(millis: u64) -> Waiting {
    Waiting { deadline: Deadline::At(futex::now() + millis * 1_000_000), spin: Spin::Never }
}

/// The client's end, which the test has too.
fn shared_end() -> End {
    let parent = number("PARENT") as u32;
    let fd = |name| number(name) as i32;
    let file = procfs::open_descriptor(parent, fd("SEGMENT"), true, true).unwrap();
    let own = bell::open_reader(parent, fd("OWN")).unwrap();
    let peer = bell::open_ringer(parent, fd("PEER")).unwrap();
    let mut cookie = [0; 16];
    for (byte, pair) in cookie.iter_mut().zip(argument("COOKIE").as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    }
    End::share(Role::Client, file, own, peer, &cookie).unwrap()
}

/// Does everything again and again, until it is killed or has done enough.
fn worker() -> u32 {
    let end = Arc::new(shared_end());
    let reader = {
        let end = Arc::clone(&end);
        thread::spawn(move || {
            for round in 0u64.. {
                if round % 4 == 3 {
                    let Ok(borrowed) = Borrowed::next(&*end, &FOR_EVER) else { return };
                    drop(borrowed);
                } else if read_message(&end, 1 << 20).is_err() {
                    return;
                }
            }
        })
    };
    for _ in 0..30 {
        let patient = || within(20_000);
        if end.write(&message(50), &patient()).is_err() || end.write(&message(3000), &patient()).is_err() {
            break;
        }
        let _ = end.write(&message(150_000), &patient());
        // These two run out of time, mostly.
        let _ = end.write(&message(2000), &within(0));
        let _ = end.write(
            &message(900_000),
            &Waiting { deadline: Deadline::At(futex::now() + 200_000), spin: Spin::Never },
        );
        if let Ok(Some(mut loan)) = Loan::make(&*end, 300, &patient()) {
            loan.write(0, &message(300));
            let _ = loan.commit(300, &patient());
        }
        let _ = end.peek(&mut [0; 100]);
        let _ = end.flush(&within(1));
    }
    end.close();
    reader.join().unwrap();
    0
}

/// Writes one message of the length that it is told, when somebody sleeps until one comes.
fn one_writer() -> u32 {
    let end = shared_end();
    while end.outgoing().0.asleep_data.load(Ordering::SeqCst) == 0 {
        thread::yield_now();
    }
    let _ = end.write(&message(number("LENGTH")), &within(20_000));
    0
}

/// Reads one message, or as many bytes as there are.
fn one_reader() -> u32 {
    let end = shared_end();
    let _ = read_message(&end, 1 << 20);
    0
}

fn start(end: &End, step: &str) -> Child {
    start_as(end, "worker", step, 0)
}

fn start_as(end: &End, role: &str, step: &str, length: usize) -> Child {
    let descriptors = end.descriptors();
    let cookie: String = end.segment().cookie().iter().map(|byte| format!("{byte:02x}")).collect();
    let command: Command = support::role_at(ENTRY, role);
    command
        .with("LENGTH", length)
        .with("PARENT", process::id())
        .with("SEGMENT", descriptors.segment.as_raw_fd())
        .with("OWN", descriptors.own.as_raw_fd())
        .with("PEER", descriptors.peer.as_raw_fd())
        .with("COOKIE", cookie)
        .env("TRANSOM_KILL_AT", step)
        .spawn()
        .expect("the child starts")
}

fn ended(child: &Child) -> u32 {
    let wait = crate::wait::one(&child.process, PATIENCE).unwrap();
    assert!(wait.is_signalled(), "the child does not end");
    child.process.exit_code().unwrap().unwrap()
}

/// The server's end when the only process of the client's end is killed; whether it came to the step.
fn alone(step: &str) -> bool {
    let (server, client) = pair(messages(1000));
    let child = start(&client, step);
    // The child has the end when something comes from it; then it has it alone.
    {
        let mut buffer = vec![0; 1 << 20];
        // Nothing, if it is killed before it writes: then it had nothing to lose.
        if let Ok(got) = server.read(&mut buffer, ReadMode::Message, &within(2_000)) {
            check(&buffer[..got.len]);
        }
    }
    client.close();
    drop(client);
    let reader = {
        let server = Arc::clone(&server);
        thread::spawn(move || {
            loop {
                match read_message(&server, 1 << 20) {
                    Ok((got, complete)) => {
                        assert!(complete, "a part of a message");
                        check(&got);
                    }
                    Err(trouble) => return trouble,
                }
            }
        })
    };
    let writer = {
        let server = Arc::clone(&server);
        thread::spawn(move || {
            for len in SENT.into_iter().cycle() {
                if let Err(trouble) = server.write(&message(len), &FOR_EVER) {
                    return trouble;
                }
            }
            unreachable!("the cycle has no end")
        })
    };
    let code = ended(&child);
    assert_eq!(reader.join().unwrap(), Trouble::PeerClosed, "{step}");
    let trouble = writer.join().unwrap();
    assert!(matches!(trouble, Trouble::PeerClosed | Trouble::PeerClosedMeanwhile), "{step}: {trouble:?}");
    code == KILLED
}

/// The server's end and another process of the client's, when one is killed; whether it came to the step.
fn shared(step: &str) -> bool {
    let (server, client) = pair(messages(1000));
    let child = start(&client, step);
    let (written, over) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let reader = {
        let server = Arc::clone(&server);
        thread::spawn(move || {
            loop {
                let (got, complete) = read_message(&server, 1 << 20).expect("the end is not closed");
                assert!(complete, "a part of a message");
                check(&got);
                if got.len() == AFTER {
                    return;
                }
            }
        })
    };
    let writer = {
        let (server, written) = (Arc::clone(&server), Arc::clone(&written));
        thread::spawn(move || {
            for len in SENT.into_iter().cycle() {
                if written.load(Ordering::Relaxed) {
                    return;
                }
                server.write(&message(len), &within(20_000)).expect("somebody reads");
            }
        })
    };
    // Both processes of the client's end read.
    let sharer = {
        let (client, over) = (Arc::clone(&client), Arc::clone(&over));
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 20];
            while !over.load(Ordering::Relaxed) {
                match client.read(&mut buffer, ReadMode::Message, &within(20)) {
                    Ok(got) if got.complete => check_rest(&buffer[..got.len]),
                    Ok(_) | Err(Trouble::TimedOut) => {}
                    Err(trouble) => panic!("{trouble:?}"),
                }
            }
        })
    };
    let code = ended(&child);
    client.write(&message(AFTER), &within(20_000)).expect("the write turn goes on");
    reader.join().unwrap();
    written.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    over.store(true, Ordering::Relaxed);
    sharer.join().unwrap();
    // And a whole one of each kind more, so that both queues and turns are known to be good.
    client.write(&message(600), &within(20_000)).unwrap();
    let mut buffer = vec![0; 1 << 20];
    let got = server.read(&mut buffer, ReadMode::Message, &within(20_000)).unwrap();
    check(&buffer[..got.len]);
    assert!(!server.peer_is_gone(), "one of two has gone");
    drop(client);
    // Not at once: another test's child may have copies of all descriptors until it runs its program.
    assert_eq!(server.read(&mut buffer, ReadMode::Message, &within(20_000)), Err(Trouble::PeerClosed));
    code == KILLED
}

/// Some steps need somebody asleep at the right moment: a busy machine may take more than one try.
fn each(steps: &[&str], round: fn(&str) -> bool) {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: the steps are compiled into builds with debug assertions only");
        return;
    }
    for step in steps {
        assert!((0..100).any(|_| round(step)), "{step} was not reached");
    }
}

#[test]
fn a_client_killed_at_any_step_is_missed_by_nobody() {
    let _limit = limit();
    each(&STEPS[..14], alone);
}

#[test]
fn a_client_killed_at_any_later_step_is_missed_by_nobody() {
    let _limit = limit();
    each(&STEPS[14..], alone);
    each(&LAST_STEPS, alone);
}

#[test]
fn a_process_killed_at_any_step_leaves_the_end_to_those_who_share_it() {
    let _limit = limit();
    each(&STEPS[..14], shared);
}

#[test]
fn a_process_killed_at_any_later_step_leaves_the_end_to_those_who_share_it() {
    let _limit = limit();
    each(&STEPS[14..], shared);
    each(&LAST_STEPS[..1], shared);
}

/// The kernel wakes whoever waits for the turn of a killed process, and nothing else: a reader at its bell must have
/// been rung already. Nobody writes afterwards, and this process keeps the bell from being at its end.
#[test]
fn what_a_killed_process_published_is_heard_of_although_others_have_its_end() {
    let _limit = limit();
    if !cfg!(debug_assertions) {
        eprintln!("skipped: the steps are compiled into builds with debug assertions only");
        return;
    }
    // From the first byte on (`Ok`), or nothing at all is to be read.
    let cases = [
        ("data-copied", 50, false),
        ("data-published", 50, true),
        ("turn-released", 50, true),
        ("data-published", 3000, false),
        ("slot-taken", 3000, false),
    ];
    for (step, length, whole) in cases {
        let mut reached = false;
        // A turn that is given up is somebody's at once only if that one sleeps: on a busy machine it seldom does.
        for _ in 0..200 {
            let (server, client) = pair(messages(1000));
            let child = start_as(&client, "one-writer", step, length);
            let begun = futex::now();
            let got = server.read(&mut vec![0; 1 << 20], ReadMode::Message, &within(2_000));
            let waited = futex::now() - begun;
            reached = ended(&child) == KILLED;
            if !reached {
                continue;
            }
            if whole {
                assert_eq!(got.map(|got| got.len), Ok(length), "{step}");
                assert!(waited < 1_500_000_000, "{step}: {waited} ns");
            } else {
                // A write that waits counts as long as its process lives.
                assert!(matches!(got, Err(Trouble::TimedOut) | Ok(_)), "{step}: {got:?}");
            }
            client.write(&message(AFTER), &within(20_000)).unwrap();
            break;
        }
        assert!(reached || !whole, "{step} was not reached");
    }
}

/// Invariant 10 of the ring: half a message is nobody's. Whatever a killed reader had taken, the next one gets whole
/// messages.
#[test]
fn the_rest_of_a_message_whose_reader_was_killed_is_nobodys() {
    let _limit = limit();
    if !cfg!(debug_assertions) {
        eprintln!("skipped: the steps are compiled into builds with debug assertions only");
        return;
    }
    for step in ["data-read:2", "read-published", "read-published:2", "read-published:3", "asleep-registered"]
    {
        let mut reached = false;
        for _ in 0..20 {
            let (server, client) = pair(messages(1000));
            let child = start_as(&client, "one-reader", step, 0);
            let writer = {
                let server = Arc::clone(&server);
                thread::spawn(move || {
                    // Larger than the ring several times over.
                    server.write(&message(400_000), &FOR_EVER).unwrap();
                    server.write(&message(AFTER), &FOR_EVER).unwrap();
                })
            };
            reached = ended(&child) == KILLED;
            loop {
                let (got, complete) = read_message(&client, 1 << 20).unwrap();
                assert!(complete, "{step}: a part of a message");
                check(&got);
                if got.len() == AFTER {
                    break;
                }
            }
            writer.join().unwrap();
            if reached {
                break;
            }
        }
        assert!(reached, "{step} was not reached");
    }
}

/// P22: a reader of bytes that is killed in the middle has read what it gave back, and nothing else is missing; the writer
/// goes on with the room of it.
#[test]
fn a_killed_reader_of_bytes_takes_with_it_what_it_gave_back() {
    let _limit = limit();
    if !cfg!(debug_assertions) {
        eprintln!("skipped: the steps are compiled into builds with debug assertions only");
        return;
    }
    let sent = message(900_000);
    for (step, parts) in [("part-read", Some(1)), ("part-read:3", Some(3)), ("data-read", None)] {
        let mut reached = false;
        for _ in 0..20 {
            let (server, client) = pair(bytes(150_000));
            let writer = asleep(&server, {
                let sent = sent.clone();
                move |server| server.write(&sent, &FOR_EVER)
            });
            let child = start_as(&client, "one-reader", step, 0);
            reached = ended(&child) == KILLED;
            let mut got = vec![];
            while !got.ends_with(&sent[sent.len() - 8..]) {
                got.append(&mut read_bytes(&client, 1 << 20).unwrap());
            }
            assert_eq!(writer.join().unwrap(), Ok(sent.len()));
            assert!(sent.ends_with(&got), "{step}: {} bytes", got.len());
            if reached {
                let (gone, rest) = ((sent.len() - got.len()) / PART, (sent.len() - got.len()) % PART);
                assert!(
                    rest == 0 && parts.is_none_or(|parts| gone == parts),
                    "{step}: {gone} parts and {rest}"
                );
                break;
            }
        }
        assert!(reached, "{step} was not reached");
    }
}
