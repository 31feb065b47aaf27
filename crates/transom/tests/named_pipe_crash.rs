//! Named pipes whose server or client is killed with SIGKILL at random moments: while it connects, in the middle of
//! a message larger than the ring, in a transaction, while it waits, and while it shares an end with others.
//!
//! After each of more than 500 rounds: the survivor has the documented error at once, what was written completely is
//! delivered, nothing is torn or comes twice, the instance takes the next client, and neither a descriptor, a mapping
//! nor a name of the dead is left.
//!
//! P4, P15, P16, P20, P30, P35, P38, P68, M40, and the tables of section 2. Linux only: there SIGKILL can hit between
//! any two instructions of ours.
#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, DuplicateOptions, FromHandle};
use transom::mapping::{Mapping, View};
use transom::namespace;
use transom::pipe::{self, Client, ClientOptions, Pipe, Server, ServerOptions, Spin};
use transom::process::Child;
use transom::wait::Timeout;

#[path = "named_pipe_crash/left.rs"]
mod left;
mod support;
use left::{files, possessions};
use support::{
    PATIENCE, With, alone, argument, code, expect_signal, handle, number, role, unique, wait_to_be_killed,
};

#[test]
fn child_entry() {
    support::child(&[
        ("caller", caller),
        ("talking-client", talking_client),
        ("transacting-client", transacting_client),
        ("waiting-client", waiting_client),
        ("reopening-server", reopening_server),
        ("talking-server", talking_server),
        ("answering-server", answering_server),
        ("idle-server", idle_server),
        ("sharing-reader", sharing_reader),
        ("sharing-writer", sharing_writer),
        ("echo-of-inherited", echo_of_inherited),
        ("echo-of-given", echo_of_given),
    ]);
}

/// How long after a process has ended its peer may take to notice. It needs microseconds; a busy machine is not a
/// bug, and what is never told never comes.
const AT_ONCE: Duration = Duration::from_secs(5);

/// The ring of a pipe with this quota has 64 KiB: some of the [`message`]s do not fit.
const QUOTA: u32 = 4096;

/// A message that tells its number by length and content.
fn message(number: u32) -> Vec<u8> {
    let length = [5, 200_000, 64, 5_000, 90_000, 1_000, 20_000][number as usize % 7];
    let mut bytes = vec![number as u8; length];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes
}

/// The number of a message that came whole.
fn number_of(bytes: &[u8]) -> u32 {
    let number = u32::from_le_bytes(bytes[..4].try_into().expect("a message has a number"));
    assert!(bytes == message(number), "message {number} is torn");
    number
}

/// Lets time pass where the time itself is the point: when a kill hits. Nothing is synchronised by it.
#[allow(clippy::disallowed_methods)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    /// Short delays are the likelier ones: most of what can be hit happens at once.
    fn delay(&mut self) -> Duration {
        let most = 1 << (6 + self.below(7));
        Duration::from_micros(self.below(most))
    }
}

/// What a test needs: a name, a random sequence, and a place where a victim counts what it has done.
struct Scene {
    name: String,
    random: Random,
    ready: Event,
    ready_name: String,
    count: View,
    /// Keeps the name of what is counted in.
    _memory: Mapping,
    count_name: String,
}

impl Scene {
    fn new(what: &str) -> Scene {
        let (ready_name, count_name) = (unique("ready"), unique("count"));
        let mut seed = 88_172_645_463_325_252;
        for byte in what.bytes() {
            seed = seed * 31 % 0x7FFF_FFFF_FFFF + u64::from(byte);
        }
        let memory = Mapping::create(&count_name, 4096).expect("memory").object;
        Scene {
            name: format!(r"\\.\pipe\{}", unique(what)),
            random: Random(seed),
            ready: EventOptions::new().name(&ready_name).create().expect("an event").object,
            ready_name,
            count: memory.view().expect("a view"),
            _memory: memory,
            count_name,
        }
    }

    /// Starts a victim.
    fn start(&self, kind: &str) -> Child {
        self.start_with(kind, "", false)
    }

    fn start_with(&self, kind: &str, how: &str, inherit: bool) -> Child {
        self.count.store_u64(0, 0).expect("to reset the count");
        let command = role(kind)
            .with("PIPE", &self.name)
            .with("READY", &self.ready_name)
            .with("COUNT", &self.count_name)
            .with("HOW", how);
        if inherit { command.inheriting().start() } else { command.start() }
    }

    fn wait_until_ready(&self) {
        expect_signal(&self.ready);
    }

    /// How much the victim has done.
    fn done(&self) -> u32 {
        self.count.load_u64(0).expect("the count") as u32
    }

    fn server(&self) -> Server {
        self.server_of(QUOTA, Spin::Adaptive)
    }

    fn server_of(&self, quota: u32, spin: Spin) -> Server {
        let options = ServerOptions::new(&self.name).message(true).message_read(true).max_instances(1);
        options.in_size(quota).out_size(quota).spin(spin).create().expect("a server")
    }

    /// Kills the victim some time after the survivor begins, and checks that this one ends at once.
    fn survive<T>(&mut self, victim: &Child, survivor: impl FnOnce() -> T) -> T {
        let delay = self.random.delay();
        let (result, late) = std::thread::scope(|scope| {
            let killer = scope.spawn(|| {
                pause(delay);
                kill(victim);
                Instant::now()
            });
            let result = survivor();
            let done = Instant::now();
            let dead = killer.join().expect("the victim dies");
            (result, done.saturating_duration_since(dead))
        });
        assert!(late < AT_ONCE, "told {late:?} after the end");
        result
    }

    /// P16: the instance takes the next client, who finds nothing of the last one; then it listens again.
    fn serves_the_next(&self, server: &Server) {
        assert!(matches!(code(server.disconnect()), 0 | 233));
        assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121, "nobody is there");
        let client = open(&self.name).expect("the instance listens");
        client.pipe().send(&message(2)).expect("room");
        let mut buffer = [0; 2_000];
        let count = server.pipe().receive_timeout(&mut buffer, PATIENCE).expect("the message");
        assert_eq!(number_of(&buffer[..count]), 2);
        server.pipe().send(&message(5)).expect("room");
        let count = client.pipe().receive_timeout(&mut buffer, PATIENCE).expect("the answer");
        assert_eq!(number_of(&buffer[..count]), 5);
        drop(client);
        assert_eq!(code(server.pipe().receive(&mut buffer)), 109);
        server.disconnect().expect("it was connected");
        assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
    }

    /// P4: the name has gone with its only server, for every call, and a new server may be the first.
    fn is_gone(&self) {
        assert_eq!(code(Client::open(&self.name)), 2);
        assert_eq!(code(pipe::wait(&self.name, Timeout::INFINITE)), 2);
        assert_eq!(namespace::find(&self.name).expect("a look"), None);
    }
}

fn kill(victim: &Child) {
    // Access is denied if it has ended by itself.
    assert!(matches!(code(victim.process.terminate(9)), 0 | 5));
    expect_signal(&victim.process);
}

/// Runs the rounds of a test; afterwards this process has what it had before.
fn rounds(what: &str, count: u32, play: impl Fn(&mut Scene, u32)) {
    let _alone = alone();
    // What a process makes once, at first use, is there after this.
    for round in 0..2 {
        let mut scene = Scene::new(what);
        play(&mut scene, round);
        scene.is_gone();
    }
    let before = possessions();
    let mut scene = Scene::new(what);
    for round in 0..count {
        play(&mut scene, round);
    }
    // A process remembers the names it has opened until it finds them gone.
    scene.is_gone();
    let part = scene.name.trim_start_matches(r"\\.\pipe\").to_owned();
    drop(scene);
    let mut after = possessions();
    // A thread that has just ended may still give something back.
    for _ in 0..200 {
        if after.0 <= before.0 && after.1 <= before.1 {
            break;
        }
        pause(Duration::from_millis(5));
        after = possessions();
    }
    assert!(after.0 <= before.0 && after.1 <= before.1, "{what}: {before:?} before, {after:?} after");
    assert_eq!(files(&part), Vec::<String>::new(), "{what}");
}

fn open(name: &str) -> transom::Result<Client> {
    ClientOptions::new(name).message_read(true).wait(PATIENCE).open()
}

/// What a victim does first: says that it is there, and finds its count.
fn count() -> View {
    Mapping::open(&argument("COUNT")).expect("the test's memory").view().expect("a view")
}

fn send_for_ever(pipe: &Pipe) -> u32 {
    let count = count();
    for number in 0_u32.. {
        if pipe.send(&message(number)).is_err() {
            return 1;
        }
        count.store_u64(0, u64::from(number) + 1).expect("to count");
    }
    0
}

/// Receives until the other end is gone, and gives how many messages came.
fn receive_all(pipe: &Pipe, what: &str) -> u32 {
    let mut buffer = vec![0; 250_000];
    for expected in 0.. {
        match pipe.receive_message_timeout(&mut buffer, PATIENCE) {
            Ok(got) => {
                assert!(got.complete, "{what}: message {expected}");
                assert_eq!(number_of(&buffer[..got.len]), expected, "{what}: in order, each once");
            }
            Err(error) => {
                assert_eq!(error.code().value(), 109, "{what}: {error}");
                return expected;
            }
        }
    }
    0
}

// --- the client is the victim ---

/// Opens and closes, for ever.
fn caller() -> u32 {
    let name = argument("PIPE");
    loop {
        let Ok(client) = open(&name) else { return 1 };
        let _ = client.pipe().send(&message(2));
    }
}

/// P15, P16: whatever a client was doing while it connected, the instance serves the next one.
#[test]
fn clients_killed_while_they_connect() {
    rounds("connecting", 70, |scene, round| {
        let server = scene.server();
        let child = scene.start("caller");
        // Some die before they have come at all.
        let _ = server.connect_timeout(Timeout::millis(round % 40));
        let over = AtomicBool::new(false);
        let (over, served) = (&over, &server);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut buffer = [0; 100];
                while !over.load(Ordering::Acquire) {
                    let come = code(served.connect_timeout(Timeout::millis(20)));
                    assert!(matches!(come, 0 | 121 | 232), "connect: {come}");
                    if come != 121 {
                        let got = served.pipe().receive_timeout(&mut buffer, PATIENCE);
                        match got {
                            Ok(count) => assert_eq!(number_of(&buffer[..count]), 2),
                            Err(error) => assert_eq!(error.code().value(), 109),
                        }
                        assert_eq!(code(served.disconnect()), 0);
                    }
                }
            });
            pause(scene.random.delay());
            kill(&child);
            over.store(true, Ordering::Release);
        });
        // The dead one may have come last of all.
        scene.serves_the_next(&server);
    });
}

fn talking_client() -> u32 {
    let client = open(&argument("PIPE")).expect("the test's server");
    send_for_ever(client.pipe())
}

/// P20, P30, P38: what the client had sent comes, whole and in order; of what it was sending, nothing.
#[test]
fn clients_killed_in_the_middle_of_a_large_message() {
    rounds("talking", 80, |scene, round| {
        let server = scene.server();
        let child = scene.start("talking-client");
        server.connect_timeout(PATIENCE).expect("the client");
        let received = scene.survive(&child, || receive_all(server.pipe(), &format!("round {round}")));
        let sent = scene.done();
        assert!((sent..=sent + 1).contains(&received), "round {round}: sent {sent}, received {received}");
        assert_eq!(code(server.pipe().send(b"")), 232);
        assert_eq!(code(server.connect()), 232, "P15");
        scene.serves_the_next(&server);
    });
}

fn transacting_client() -> u32 {
    let client = open(&argument("PIPE")).expect("the test's server");
    let mut reply = vec![0; 250_000];
    for number in 0_u32.. {
        let Ok(got) = client.pipe().transact(&message(number), &mut reply) else { return 1 };
        assert_eq!(number_of(&reply[..got.len]), number);
    }
    0
}

/// Section 2: the server's half of a transaction.
#[test]
fn clients_killed_in_a_transaction() {
    rounds("asking", 60, |scene, round| {
        let server = scene.server();
        let child = scene.start("transacting-client");
        server.connect_timeout(PATIENCE).expect("the client");
        let end = scene.survive(&child, || {
            let mut buffer = vec![0; 250_000];
            for expected in 0.. {
                match server.pipe().receive_message_timeout(&mut buffer, PATIENCE) {
                    Ok(got) => assert_eq!(number_of(&buffer[..got.len]), expected),
                    Err(error) => return ("read", error.code().value()),
                }
                if let Err(error) = server.pipe().send_timeout(&message(expected), PATIENCE) {
                    return ("write", error.code().value());
                }
            }
            ("", 0)
        });
        assert!(matches!(end, ("read", 109) | ("write", 109 | 232)), "round {round}: {end:?}");
        scene.serves_the_next(&server);
    });
}

/// Waits in one way for what never comes.
fn waiting_client() -> u32 {
    let name = argument("PIPE");
    let client = open(&name).expect("the test's server");
    support::ready();
    match argument("HOW").as_str() {
        "read" => code(client.pipe().receive(&mut [0; 9])),
        "write" => {
            while client.pipe().send(&message(5)).is_ok() {}
            1
        }
        "flush" => {
            client.pipe().send(&message(5)).expect("room");
            let _ = client.pipe().flush();
            wait_to_be_killed()
        }
        _ => code(pipe::wait(&name, Timeout::INFINITE)),
    }
}

/// Section 2, P38, P68: a client that waits is killed; what it was waiting for goes on without it.
#[test]
fn clients_killed_while_they_wait() {
    rounds("waiting", 80, |scene, round| {
        let server = scene.server();
        let how = ["read", "write", "flush", "instance"][round as usize % 4];
        let child = scene.start_with("waiting-client", how, false);
        server.connect_timeout(PATIENCE).expect("the client");
        scene.wait_until_ready();
        let mut buffer = [0; 2000];
        if how == "write" {
            // Its quota is 4096: four of 1,000 bytes are through, the fifth waits, and goes with it (P35, P38).
            while server.pipe().peek(&mut []).expect("it is connected").available < 5_000 {
                std::thread::yield_now();
            }
            pause(scene.random.delay());
            kill(&child);
        } else {
            let error = scene.survive(&child, || {
                loop {
                    match server.pipe().receive_timeout(&mut buffer, PATIENCE) {
                        Ok(count) => assert_eq!(number_of(&buffer[..count]), 5),
                        Err(error) => return error.code().value(),
                    }
                }
            });
            assert_eq!(error, 109, "{how}");
        }
        let mut left = 0;
        while let Ok(count) = server.pipe().receive_timeout(&mut buffer, PATIENCE) {
            assert_eq!(number_of(&buffer[..count]), 5, "{how}");
            left += 1;
        }
        // The fourth was complete, and what was complete stays.
        assert!(how != "write" || left == 4, "{left} messages");
        assert_eq!(code(server.pipe().receive(&mut buffer)), 109, "{how}");
        scene.serves_the_next(&server);
    });
}

// --- the server is the victim ---

fn victim_server() -> Server {
    let options = ServerOptions::new(&argument("PIPE")).message(true).message_read(true).max_instances(1);
    let server = options.in_size(QUOTA).out_size(QUOTA).create().expect("a server");
    support::ready();
    server
}

/// Connects and disconnects, for ever.
fn reopening_server() -> u32 {
    let server = victim_server();
    loop {
        let _ = server.connect();
        let _ = server.pipe().receive(&mut [0; 100]);
        server.disconnect().expect("it was connected");
    }
}

/// P4, P10, P68: clients that open and wait while the server dies are told so.
#[test]
fn servers_killed_while_they_connect() {
    rounds("serving", 60, |scene, round| {
        let child = scene.start("reopening-server");
        if round % 4 != 0 {
            scene.wait_until_ready();
        }
        let name = scene.name.clone();
        let waited = scene.survive(&child, || {
            loop {
                match open(&name) {
                    Ok(client) => {
                        let told = code(client.pipe().send(&message(2)));
                        assert!(matches!(told, 0 | 232 | 233), "{told}");
                    }
                    Err(error) if error.code().value() == 2 && !support::signalled(&child.process) => {}
                    Err(error) => return error.code().value(),
                }
            }
        });
        assert_eq!(waited, 2, "round {round}");
        scene.is_gone();
        support::signalled(&scene.ready);
        let server = scene.server();
        scene.serves_the_next(&server);
    });
}

fn talking_server() -> u32 {
    let server = victim_server();
    let _ = server.connect();
    send_for_ever(server.pipe())
}

/// P20, P30, P38: the mirror image of what a killed client leaves.
#[test]
fn servers_killed_in_the_middle_of_a_large_message() {
    rounds("telling", 80, |scene, round| {
        let child = scene.start("talking-server");
        scene.wait_until_ready();
        let client = open(&scene.name).expect("the server");
        let received = scene.survive(&child, || receive_all(client.pipe(), &format!("round {round}")));
        let sent = scene.done();
        assert!((sent..=sent + 1).contains(&received), "round {round}: sent {sent}, received {received}");
        assert_eq!(code(client.pipe().send(b"")), 232);
        drop(client);
        scene.is_gone();
    });
}

/// Gives every message back.
fn answering_server() -> u32 {
    let server = victim_server();
    let _ = server.connect();
    let mut buffer = vec![0; 250_000];
    while let Ok(count) = server.pipe().receive(&mut buffer) {
        if server.pipe().send(&buffer[..count]).is_err() {
            break;
        }
    }
    0
}

/// Section 2: a transaction has a whole answer, or 109 if it had begun, or 230.
#[test]
fn servers_killed_in_a_transaction() {
    rounds("answering", 70, |scene, round| {
        let child = scene.start("answering-server");
        scene.wait_until_ready();
        let client = open(&scene.name).expect("the server");
        let told = scene.survive(&child, || {
            let mut reply = vec![0; 250_000];
            for number in 0_u32.. {
                match client.pipe().transact_timeout(&message(number), &mut reply, PATIENCE) {
                    Ok(got) => assert_eq!(number_of(&reply[..got.len]), number),
                    Err(error) => return error.code().value(),
                }
            }
            0
        });
        assert!(matches!(told, 109 | 230), "round {round}: {told}");
        assert_eq!(code(client.pipe().transact(b"x", &mut [0; 9])), 230);
        drop(client);
        scene.is_gone();
    });
}

/// Is there, and does nothing.
fn idle_server() -> u32 {
    let _server = victim_server();
    wait_to_be_killed()
}

/// Section 2, P68: whoever waits for a server in any way is told of its death.
#[test]
fn servers_killed_while_somebody_waits_for_them() {
    rounds("awaited", 75, |scene, round| {
        let how = ["read", "write", "flush", "instance", "transact"][round as usize % 5];
        let child = scene.start("idle-server");
        scene.wait_until_ready();
        let client = open(&scene.name).expect("the server");
        let name = scene.name.clone();
        let told = scene.survive(&child, || match how {
            "read" => code(client.pipe().receive(&mut [0; 9])),
            "write" => loop {
                let told = code(client.pipe().send(&message(5)));
                if told != 0 {
                    break told;
                }
            },
            "flush" => {
                let _ = client.pipe().send(&message(5));
                code(client.pipe().flush())
            }
            "instance" => code(pipe::wait(&name, Timeout::INFINITE)),
            _ => code(client.pipe().transact(&message(1), &mut [0; 9])),
        });
        // The second is what a call finds that begins after the death.
        let expected: &[u32] = match how {
            "read" => &[109],
            "write" => &[109, 232],
            "flush" => &[109, 0],
            "instance" => &[2],
            _ => &[109, 230],
        };
        assert!(expected.contains(&told), "round {round}: {how}: {told}");
        drop(client);
        scene.is_gone();
    });
}

// --- an end that several processes have ---

fn shared_end() -> Pipe {
    Pipe::from_raw(handle("HOW")).expect("the inherited end")
}

/// Reads from an end that the test has too, and counts.
fn sharing_reader() -> u32 {
    let (pipe, count) = (shared_end(), count());
    support::ready();
    let mut buffer = vec![0; 250_000];
    for number in 1_u64.. {
        let Ok(got) = pipe.receive(&mut buffer) else { return 1 };
        let value = u32::from_le_bytes(buffer[..4].try_into().expect("a number"));
        assert!(buffer[..got] == fitting(value));
        count.store_u64(0, number).expect("to count");
    }
    0
}

/// A message that fits the ring. The rest of a larger one whose reader is killed in the middle comes to the other
/// reader (docs/limits.md).
fn fitting(number: u32) -> Vec<u8> {
    let mut bytes = message(number);
    bytes.truncate(5_000);
    bytes
}

/// P27, P30: two processes read from one end, and one is killed: each message comes to one of them, whole; what
/// comes afterwards all comes to the other.
#[test]
fn readers_of_a_shared_end_are_killed() {
    rounds("shared-read", 30, |scene, round| {
        let options = ServerOptions::new(&scene.name).message(true).message_read(true).inherit(true);
        let server = options.in_size(QUOTA).create().expect("a server");
        let client = open(&scene.name).expect("the server");
        let raw = server.as_handle().as_raw().value().to_string();
        let child = scene.start_with("sharing-reader", &raw, true);
        scene.wait_until_ready();
        let dead = AtomicBool::new(false);
        let delay = scene.random.delay();
        let (numbers, last) = std::thread::scope(|scope| {
            scope.spawn(|| {
                pause(delay);
                kill(&child);
                dead.store(true, Ordering::Release);
            });
            let sender = scope.spawn(|| {
                for number in 0.. {
                    // What is sent after this look is for this process.
                    let last = dead.load(Ordering::Acquire);
                    client.pipe().send_timeout(&fitting(number), PATIENCE).expect("a reader");
                    if last {
                        drop(client);
                        return number;
                    }
                }
                0
            });
            let mut buffer = vec![0; 250_000];
            let mut numbers = Vec::new();
            while let Ok(got) = server.pipe().receive_message_timeout(&mut buffer, PATIENCE) {
                assert!(got.complete);
                let value = u32::from_le_bytes(buffer[..4].try_into().expect("a number"));
                assert!(buffer[..got.len] == fitting(value), "round {round}: message {value} is torn");
                numbers.push(value);
            }
            (numbers, sender.join().expect("the sender ends"))
        });
        assert!(numbers.is_sorted_by(|a, b| a < b), "round {round}: {numbers:?}");
        assert_eq!(numbers.last(), Some(&last), "round {round}");
        let (taken, missing) = (scene.done(), last + 1 - numbers.len() as u32);
        assert!((taken..=taken + 1).contains(&missing), "round {round}: {taken} taken, {missing} missing");
        assert_eq!(code(server.pipe().receive(&mut [0; 9])), 109);
    });
}

/// Writes to an end that the test has too.
fn sharing_writer() -> u32 {
    let pipe = shared_end();
    support::ready();
    send_for_ever(&pipe)
}

/// P30, P34, P38: two processes write to one end, and one is killed in a message: all of the other one's come.
#[test]
fn writers_to_a_shared_end_are_killed() {
    rounds("shared-write", 60, |scene, round| {
        // With room for all messages the reader, which does not sleep, copies the long ones while they are written.
        let server = if round % 2 == 0 { scene.server() } else { scene.server_of(1 << 20, Spin::Always) };
        let client = ClientOptions::new(&scene.name).inherit(true).open().expect("the server");
        let raw = client.as_handle().as_raw().value().to_string();
        let child = scene.start_with("sharing-writer", &raw, true);
        scene.wait_until_ready();
        let dead = AtomicBool::new(false);
        let delay = scene.random.delay();
        // The own ones are told from the child's by their first byte.
        let own = |number: u32| {
            let mut bytes = message(number);
            bytes[3] = 0xFF;
            bytes
        };
        let (of_child, of_us, sent) = std::thread::scope(|scope| {
            scope.spawn(|| {
                pause(delay);
                kill(&child);
                dead.store(true, Ordering::Release);
            });
            let sender = scope.spawn(|| {
                for number in 0.. {
                    let last = dead.load(Ordering::Acquire);
                    client.pipe().send_timeout(&own(number), PATIENCE).expect("a reader");
                    if last {
                        drop(client);
                        return number + 1;
                    }
                }
                0
            });
            let mut buffer = vec![0; 250_000];
            let (mut of_child, mut of_us) = (0, 0);
            while let Ok(got) = server.pipe().receive_message_timeout(&mut buffer, PATIENCE) {
                assert!(got.complete);
                if buffer[3] == 0xFF {
                    assert!(buffer[..got.len] == own(of_us), "round {round}: own message {of_us}");
                    of_us += 1;
                } else {
                    assert_eq!(number_of(&buffer[..got.len]), of_child, "round {round}");
                    of_child += 1;
                }
            }
            (of_child, of_us, sender.join().expect("the sender ends"))
        });
        assert_eq!(of_us, sent, "round {round}");
        let told = scene.done();
        assert!((told..=told + 1).contains(&of_child), "round {round}: {told} sent, {of_child} came");
        scene.serves_the_next(&server);
    });
}

fn echo(pipe: &Pipe) -> u32 {
    support::ready();
    let mut buffer = [0; 100];
    while let Ok(count) = pipe.receive(&mut buffer) {
        if pipe.send(&buffer[..count]).is_err() {
            break;
        }
    }
    1
}

fn echo_of_inherited() -> u32 {
    echo(&shared_end())
}

/// Gets the handle's number through a pipe of its own.
fn echo_of_given() -> u32 {
    let messenger = Client::open(&format!("{}-messenger", argument("PIPE"))).expect("the messenger");
    let mut raw = [0; 8];
    messenger.pipe().receive(&mut raw).expect("the number");
    let raw = transom::handle::RawHandle::new(u64::from_le_bytes(raw) as usize);
    assert_eq!(number("HOW"), 0, "nothing is inherited");
    echo(&Pipe::from_raw(raw).expect("the given end"))
}

/// P20, H4: a client end that one process inherited and another one was given. While any of them lives it is open,
/// and one that is killed while it waits for data keeps nothing from the other; with the last one it is closed.
#[test]
fn processes_that_share_an_end_are_killed_one_after_the_other() {
    rounds("shared-end", 20, |scene, round| {
        let server = scene.server();
        let messenger = Server::create(&format!("{}-messenger", scene.name)).expect("a messenger");
        let client = ClientOptions::new(&scene.name).inherit(true).open().expect("the server");
        let raw = client.as_handle().as_raw().value().to_string();
        let first = scene.start_with("echo-of-inherited", &raw, true);
        scene.wait_until_ready();
        let second = scene.start_with("echo-of-given", "0", false);
        messenger.connect().expect("the second one");
        let given = messenger.duplicate_to_peer(client.as_handle(), DuplicateOptions::default());
        let given = given.expect("a handle there").value() as u64;
        messenger.pipe().send(&given.to_le_bytes()).expect("a reader");
        scene.wait_until_ready();
        drop(client);
        let (early, late) = if round % 2 == 0 { (first, second) } else { (second, first) };
        let exchange = |text: &[u8]| {
            let mut buffer = [0; 100];
            server.pipe().send_timeout(text, PATIENCE).expect("a reader");
            let count = server.pipe().receive_timeout(&mut buffer, PATIENCE).expect("an answer");
            assert_eq!(&buffer[..count], text, "round {round}");
        };
        exchange(b"both");
        pause(scene.random.delay());
        kill(&early);
        exchange(b"one");
        exchange(b"one again");
        let told = scene.survive(&late, || code(server.pipe().receive(&mut [0; 9])));
        assert_eq!(told, 109, "round {round}");
        assert_eq!(code(server.pipe().send(b"")), 232);
        scene.serves_the_next(&server);
    });
}
