//! Named pipes whose server or client is killed with SIGKILL at each step of creating, connecting, disconnecting
//! and closing: the name is free or the instance serves the next client, and nobody waits for the dead.
//!
//! P4, P8, P10, P16, P68, P70, M40. Linux only: there SIGKILL can hit between any two instructions of ours.
#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use transom::handle::{AsHandle, DuplicateOptions, FromHandle, Handle, RawHandle};
use transom::namespace;
use transom::pipe::{self, Client, ClientOptions, InstanceWait, Server, ServerOptions, Spin};
use transom::process::Child;
use transom::wait::{self, Timeout};

mod support;
use support::{PATIENCE, With, argument, code, eventually, limit, ready, role, unique, wait_to_be_killed};

/// Exit code of a process that was killed by SIGKILL.
const KILLED: u32 = 0xC000_0000 + 9;

#[test]
fn child_entry() {
    support::child(&[
        ("server", server),
        ("client", client),
        ("holder", holder),
        ("waiter", waiter),
        ("first-server", first_server),
        ("reconnector", reconnector),
        ("taker", taker),
    ]);
}

fn pipe_name(what: &str) -> String {
    format!(r"\\.\pipe\{}", unique(what))
}

/// One way to serve for all of these tests: a single instance that gives every message back. Its server sleeps as soon as it
/// waits, since some steps need a sleeper.
fn create(name: &str) -> transom::Result<Server> {
    ServerOptions::new(name).message(true).max_instances(1).spin(Spin::Never).create()
}

/// Serves one client, as long as it stays.
fn serve(server: &Server) -> transom::Result<()> {
    match server.connect() {
        Err(error) if error.code().value() == 232 => {}
        result => drop(result?),
    }
    let mut buffer = [0; 64];
    while let Ok(count) = server.pipe().receive(&mut buffer) {
        if server.pipe().send(&buffer[..count]).is_err() {
            break;
        }
    }
    server.disconnect()
}

fn server() -> u32 {
    let server = create(&argument("PIPE")).unwrap();
    for _ in 0..3 {
        serve(&server).unwrap();
    }
    0
}

fn open(name: &str) -> transom::Result<Client> {
    ClientOptions::new(name).message_read(true).wait(PATIENCE).open()
}

/// A few conversations with whoever serves the name.
fn converse(name: &str, count: u8) -> transom::Result<()> {
    for number in 0..count {
        let client = open(name)?;
        let mut reply = [0; 64];
        for _ in 0..2 {
            let message = client.pipe().transact_timeout(&[number; 9], &mut reply, PATIENCE)?;
            assert_eq!(&reply[..message.len], [number; 9]);
        }
    }
    Ok(())
}

fn client() -> u32 {
    converse(&argument("PIPE"), 3).unwrap();
    0
}

/// Lets time pass where nothing tells that a dying process is gone.
#[allow(clippy::disallowed_methods)]
fn pause() {
    std::thread::sleep(Duration::from_millis(2));
}

fn has_ended(child: &Child) -> bool {
    wait::one(&child.process, Timeout::ZERO).unwrap().is_signalled()
}

const SERVER_STEPS: [&str; 21] = [
    "name-locked",
    "memory-made",
    "entry-written",
    "bell-announced",
    "segment-described",
    "offer-made",
    "segment-made",
    "place-taken",
    "listening-published",
    "row-reserved",
    "asleep-registered",
    "at-the-door",
    "before-ring",
    "rung",
    "segment-disconnected",
    "disconnected:2",
    "segment-made:2",
    "listening-published:2",
    "before-announcing",
    "row-freed",
    "slot-freed",
];

/// A server killed at a step, while this process visits it; gives its exit code.
fn server_killed_at(name: &str, step: &str) -> u32 {
    let child = role("server").with("PIPE", name).env("TRANSOM_KILL_AT", step).spawn().unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Somebody waits for an instance all the time, so that there is somebody to tell.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let _ = pipe::wait(name, Timeout::millis(200));
            }
        });
        while !has_ended(&child) {
            let _ = converse(name, 1);
        }
        over.store(true, Ordering::Relaxed);
    });
    child.process.exit_code().unwrap().unwrap()
}

/// P4, P8: the name is gone, and its one place is free.
#[test]
fn a_server_killed_at_any_step_leaves_no_name() {
    let _limit = limit();
    for step in SERVER_STEPS {
        let name = pipe_name("server");
        server_killed_at(&name, step);
        eventually(2, step, || code(Client::open(&name)));
        assert_eq!(code(pipe::wait(&name, Timeout::INFINITE)), 2, "{step}");
        assert_eq!(namespace::find(&name).unwrap(), None, "{step}");
        let again = ServerOptions::new(&name).message(true).max_instances(1).first_instance(true).create();
        let again = again.unwrap_or_else(|error| panic!("{step}: {error}"));
        std::thread::scope(|scope| {
            let served = scope.spawn(|| serve(&again));
            converse(&name, 1).unwrap_or_else(|error| panic!("{step}: {error}"));
            served.join().unwrap().unwrap_or_else(|error| panic!("{step}: {error}"));
        });
        drop(again);
        assert_eq!(code(Client::open(&name)), 2, "{step}");
    }
}

const CLIENT_STEPS: [&str; 15] = [
    "board-locked",
    "board-locked:2",
    "client-attached",
    "client-rang",
    "connected-published",
    "before-knock",
    "knocked",
    "client-revived",
    "client-revived:2",
    "connected-again",
    "row-reserved",
    "before-ring",
    "asleep-registered",
    "row-freed",
    "closed",
];

/// A client killed at a step, while this process serves; gives its exit code.
fn client_killed_at(name: &str, step: &str) -> u32 {
    let server = create(name).unwrap();
    let child = role("client").with("PIPE", name).env("TRANSOM_KILL_AT", step).spawn().unwrap();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let served = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                serve(&server).unwrap();
            }
        });
        wait::one(&child.process, PATIENCE).unwrap();
        // P16: whatever the dead client did, the next one gets its turn.
        let conversed = converse(name, 1);
        over.store(true, Ordering::Relaxed);
        // The server waits for one more already.
        while !served.is_finished() {
            let _ = ClientOptions::new(name).open();
        }
        served.join().unwrap();
        conversed.unwrap_or_else(|error| panic!("{step}: {error}"));
    });
    child.process.exit_code().unwrap().unwrap()
}

/// P16
#[test]
fn after_a_client_killed_at_any_step_the_next_one_is_served() {
    let _limit = limit();
    for step in CLIENT_STEPS {
        client_killed_at(&pipe_name("client"), step);
    }
}

/// The steps are there: a kill that never happens would prove nothing.
#[test]
fn every_step_is_reached() {
    let _limit = limit();
    if !cfg!(debug_assertions) {
        eprintln!("skipped: the steps are compiled into builds with debug assertions only");
        return;
    }
    for step in SERVER_STEPS {
        // Some steps need a sleeper at the right moment: a busy machine may take more than one try.
        let killed = (0..20).any(|_| server_killed_at(&pipe_name("step"), step) == KILLED);
        assert!(killed, "{step} was not reached by a server");
    }
    for step in CLIENT_STEPS {
        let killed = (0..20).any(|_| client_killed_at(&pipe_name("step"), step) == KILLED);
        assert!(killed, "{step} was not reached by a client");
    }
}

/// Has a listening instance until it is killed.
fn holder() -> u32 {
    let _server = ServerOptions::new(&argument("PIPE")).max_instances(2).create().unwrap();
    ready();
    wait_to_be_killed()
}

fn start(kind: &str, name: &str) -> Child {
    let event = unique("ready");
    let told = support::named_event(&event);
    let child = role(kind).with("PIPE", name).with("READY", &event).start();
    support::expect_signal(&told);
    child
}

fn kill(child: &Child) {
    child.process.terminate(9).unwrap();
    support::expect_signal(&child.process);
}

/// P8, P10, P12: instances of several processes count together and are served in the order of their listening; that
/// of a killed process counts no more.
#[test]
fn places_of_killed_servers_are_free_again() {
    let _limit = limit();
    let name = pipe_name("places");
    let child = start("holder", &name);
    let options = ServerOptions::new(&name).max_instances(2);
    let own = options.create().unwrap();
    assert_eq!(own.pipe().state().unwrap().instances, 2);
    assert_eq!(code(options.create()), 231);
    let first = Client::open(&name).unwrap();
    assert_eq!(first.pipe().server_process_id().unwrap(), child.process_id);
    kill(&child);
    assert_eq!(code(first.pipe().receive(&mut [0; 4])), 109);
    eventually(1, "the killed one counts no more", || own.pipe().state().unwrap().instances);
    let second = options.create().unwrap();
    assert_eq!(code(options.create()), 231);
    let clients = [Client::open(&name).unwrap(), Client::open(&name).unwrap()];
    assert_eq!(code(Client::open(&name)), 231);
    clients[0].pipe().send(b"first").unwrap();
    clients[1].pipe().send(b"second").unwrap();
    assert_eq!(own.pipe().peek(&mut []).unwrap().available, 5);
    assert_eq!(second.pipe().peek(&mut []).unwrap().available, 6);
}

/// A listening instance of a killed server is passed over, and does not end a wait for one (P68).
#[test]
fn an_instance_of_a_killed_server_is_passed_over() {
    let _limit = limit();
    let name = pipe_name("over");
    let child = start("holder", &name);
    let own = ServerOptions::new(&name).max_instances(2).create().unwrap();
    kill(&child);
    // This process's instance listens, behind the dead one.
    let client = Client::open(&name).unwrap();
    assert_eq!(client.pipe().server_process_id().unwrap(), std::process::id());
    eventually(121, "nothing listens", || code(pipe::wait(&name, Timeout::millis(20))));
    assert_eq!(code(Client::open(&name)), 231);
    drop(own);
    assert_eq!(code(Client::open(&name)), 2);
}

/// Creates the name, tells, and waits to be killed.
fn first_server() -> u32 {
    let server = ServerOptions::new(&argument("PIPE")).create().unwrap();
    // Busy: its client is this process.
    let _client = Client::open(&argument("PIPE")).unwrap();
    ready();
    let _ = server.pipe();
    wait_to_be_killed()
}

/// P68: the process that made the announce bell may die; the others go on with it, and who sleeps at it is woken.
#[test]
fn waits_outlive_the_first_server() {
    let _limit = limit();
    let name = pipe_name("bell");
    let child = start("first-server", &name);
    let own = Server::create(&name).unwrap();
    let _client = Client::open(&name).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| pipe::wait(&name, PATIENCE));
        let early = scope.spawn(|| pipe::wait(&name, PATIENCE));
        pause();
        kill(&child);
        let late = scope.spawn(|| pipe::wait(&name, PATIENCE));
        pause();
        own.disconnect().unwrap();
        assert!(!waiter.is_finished() && !early.is_finished(), "P70: disconnecting wakes nobody");
        scope.spawn(|| own.connect_timeout(Timeout::millis(500)).map(drop));
        for waiter in [waiter, early, late] {
            assert_eq!(code(waiter.join().unwrap()), 0);
        }
    });
}

/// Waits for an instance, again and again.
fn waiter() -> u32 {
    let name = argument("PIPE");
    ready();
    while code(pipe::wait(&name, Timeout::INFINITE)) == 0 {}
    0
}

/// What one that waits for an instance comes to when one listens.
const WAITER_STEPS: [&str; 4] =
    ["first-of-those-who-wait", "waiting-for-announcement", "announcement-heard", "turn-released"];

/// How long others waited for an instance that began to listen while one of those who waited was killed at a step; `None`
/// if it was not.
fn told_although_one_is_killed_at(step: &str) -> Option<Duration> {
    let (name, event) = (pipe_name("waiter"), unique("ready"));
    let told = support::named_event(&event);
    let server = Server::create(&name).unwrap();
    let client = Client::open(&name).unwrap();
    // First of all, so that it is the one who hears the bell.
    let child = role("waiter").with("PIPE", &name).with("READY", &event).env("TRANSOM_KILL_AT", step).start();
    support::expect_signal(&told);
    pause();
    std::thread::scope(|scope| {
        let others: Vec<_> = (0..3).map(|_| scope.spawn(|| pipe::wait(&name, PATIENCE))).collect();
        pause();
        drop(client);
        server.disconnect().unwrap();
        let began = std::time::Instant::now();
        assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
        for other in others {
            assert_eq!(code(other.join().unwrap()), 0, "{step}");
        }
        let waited = began.elapsed();
        drop(server);
        support::expect_signal(&child.process);
        (child.process.exit_code().unwrap() == Some(KILLED)).then_some(waited)
    })
}

/// P68: nobody sleeps on beside a free instance because the one that was woken for it is killed. Everybody looks by
/// itself after a second: so it has to be quicker than that.
#[test]
fn a_waiter_killed_at_any_step_keeps_the_news_from_nobody() {
    let _limit = limit();
    if !cfg!(debug_assertions) {
        eprintln!("skipped: the steps are compiled into builds with debug assertions only");
        return;
    }
    for step in WAITER_STEPS {
        let rounds: Vec<Duration> =
            (0..20).filter_map(|_| told_although_one_is_killed_at(step)).take(3).collect();
        let best = rounds.iter().min().unwrap_or_else(|| panic!("{step} was not reached"));
        assert!(*best < Duration::from_millis(600), "{step}: {rounds:?}");
    }
}

/// Takes the server end it inherited, cuts the client off, serves the next one, and ends when it is told to.
fn reconnector() -> u32 {
    let handle = Handle::from_raw(RawHandle::new(support::number("SERVER"))).unwrap();
    let server = Server::from_handle(handle).unwrap();
    server.disconnect().unwrap();
    ready();
    let connected = code(server.connect());
    support::expect_signal(&support::named_event(&argument("GO")));
    connected
}

/// An end that two processes have: one of them listens again, the other one's handle follows it to the new
/// connection, and stays connected when the first one is gone.
#[test]
fn a_shared_server_end_follows_to_the_next_connection() {
    let (_limit, _turn) = support::alone();
    let name = pipe_name("shared");
    let server = ServerOptions::new(&name).inherit(true).create().unwrap();
    let old = Client::open(&name).unwrap();
    server.connect().unwrap();
    let (event, last) = (unique("ready"), unique("go"));
    let (told, go) = (support::named_event(&event), support::named_event(&last));
    let child = role("reconnector")
        .with("SERVER", server.as_handle().as_raw().value())
        .with("READY", &event)
        .with("GO", &last)
        .inheriting()
        .start();
    support::expect_signal(&told);
    assert_eq!(code(old.pipe().send(b"x")), 233);
    let new = ClientOptions::new(&name).wait(InstanceWait::AtMost(PATIENCE)).open().unwrap();
    new.pipe().send(b"to both").unwrap();
    // This process reaches the connection through the child, which lives.
    let mut buffer = [0; 16];
    let count = server.pipe().receive(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"to both");
    go.set().unwrap();
    assert_eq!(support::exit_code(&child), 0);
    server.pipe().send(b"still here").unwrap();
    let count = new.pipe().receive(&mut buffer).unwrap();
    assert_eq!(&buffer[..count], b"still here");
    drop(server);
    assert_eq!(code(new.pipe().receive(&mut buffer)), 109);
}

/// Gets a listening server end that its sender then closes, and serves a client with it.
fn taker() -> u32 {
    let name = argument("BOX");
    ready();
    let told = transom::mapping::Mapping::open(&name).unwrap().view().unwrap();
    support::expect_signal(&support::named_event(&format!("{name}-go")));
    let handle = Handle::from_raw(RawHandle::new(told.load_u64(0).unwrap() as usize)).unwrap();
    code(serve(&Server::from_handle(handle).unwrap()))
}

/// A worker can be given a server end that listens; after the giver has closed its own, it serves.
#[test]
fn a_listening_end_can_be_given_away() {
    let _limit = limit();
    let name = pipe_name("given");
    let server = create(&name).unwrap();
    let (told, event) = (unique("box"), unique("ready"));
    let mapping = transom::mapping::Mapping::create(&told, 4096).unwrap().object;
    let (here, go) = (support::named_event(&event), support::named_event(&format!("{told}-go")));
    let child = role("taker").with("BOX", &told).with("READY", &event).start();
    support::expect_signal(&here);
    let given = server.as_handle().duplicate_into(&child.process, DuplicateOptions::default()).unwrap();
    mapping.view().unwrap().store_u64(0, given.value() as u64).unwrap();
    drop(server);
    // On its way it keeps the name, and its place.
    assert_ne!(code(Client::open(&name)), 2);
    assert_eq!(code(create(&name)), 231);
    go.set().unwrap();
    converse(&name, 1).unwrap();
    assert_eq!(support::exit_code(&child), 0);
    assert_eq!(code(Client::open(&name)), 2);
}
