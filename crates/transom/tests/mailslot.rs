//! Mailslots between processes (mailslots.md).
//!
//! `cargo test` runs the loads with small numbers. The full ones, 256 processes that write 20,000 messages each:
//!
//! ```text
//! TRANSOM_LOAD=full cargo test --release -p transom --test mailslot -- --test-threads=1 --nocapture
//! ```

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use support::{
    ON_LINUX, PATIENCE, With, alone, argument, code, exit_code, expect_signal, handle, limit, named_event,
    number, ready, role, under_wine, unique, wait_to_be_killed,
};
use transom::event::Event;
use transom::handle::{self, AsHandle, DuplicateOptions, FromHandle, HandleFlags, RawHandle};
use transom::mailslot::{Options, Server, Writer};
use transom::mapping::{Mapping, View};
use transom::process::Child;
use transom::wait::{self, Timeout, Wait};

#[test]
fn child_entry() {
    // The full loads may run longer than a test may; each writer ends when it has written, or is killed.
    match std::env::var(support::ROLE).as_deref() {
        Ok("writer") if full() => transom::process::exit(writer()),
        Ok("writer-to-be-killed") if full() => transom::process::exit(writer_to_be_killed()),
        _ => {}
    }
    support::child(&[
        ("writer", writer),
        ("writer-to-be-killed", writer_to_be_killed),
        ("reader-of-handle", reader_of_handle),
        ("writer-through-handle", writer_through_handle),
        ("holder", holder),
        ("setter", setter),
        ("server", server),
    ]);
}

fn slot_name(what: &str) -> String {
    format!(r"\\.\mailslot\{}", unique(what))
}

/// Whether the full numbers are asked for.
fn full() -> bool {
    std::env::var_os("TRANSOM_LOAD").is_some_and(|value| value == "full")
}

/// A limit of the test's time; the full loads may take longer than a test may.
fn load_limit() -> Option<support::Limit> {
    (!full()).then(limit)
}

/// A message: who, which, what the clock of [`Clock`] was as its writing began, and as that of the message before it
/// had returned; then filling that depends on all of that.
fn message(writer: u32, index: u32, began: u64, returned: u64) -> Vec<u8> {
    let length = match index % 1000 {
        // Which Wine cuts: see S12 below.
        7 if !under_wine() => 70_000,
        index => 24 + index as usize % 150,
    };
    let mut message = vec![index as u8 ^ writer as u8; length];
    message[..4].copy_from_slice(&writer.to_le_bytes());
    message[4..8].copy_from_slice(&index.to_le_bytes());
    message[8..16].copy_from_slice(&began.to_le_bytes());
    message[16..24].copy_from_slice(&returned.to_le_bytes());
    message
}

fn word(message: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(message[at..at + 8].try_into().unwrap())
}

/// Who and which; panics if a byte is not as it was written.
fn check_whole(bytes: &[u8]) -> (u32, u32, u64, u64) {
    let (who, began, returned) = (word(bytes, 0), word(bytes, 8), word(bytes, 16));
    let (writer, index) = (who as u32, (who >> 32) as u32);
    assert!(bytes == message(writer, index, began, returned), "message {index} of {writer} is torn");
    (writer, index, began, returned)
}

/// Numbers that all processes of a test share. The first is the clock, which all count up: it is more after a write has
/// returned than it was before.
struct Clock(View);

impl Clock {
    fn create(name: &str) -> (Clock, Mapping) {
        let mapping = Mapping::create(name, 4096).unwrap().object;
        (Clock(mapping.view().unwrap()), mapping)
    }

    fn word(&self) -> &AtomicU64 {
        self.0.atomic_u64(0).unwrap()
    }

    /// Messages that the reader has read, where it says so.
    fn read(&self) -> &AtomicU64 {
        self.0.atomic_u64(8).unwrap()
    }

    /// How many messages may be unread when a writer goes on; 0: any number.
    fn ahead(&self) -> &AtomicU64 {
        self.0.atomic_u64(16).unwrap()
    }

    /// Waits until the reader is not too far behind. Then many writers are in the middle of their work.
    fn keep_pace(&self) {
        let ahead = self.ahead().load(Ordering::SeqCst);
        let unread = || self.word().load(Ordering::SeqCst).saturating_sub(self.read().load(Ordering::SeqCst));
        while ahead != 0 && unread() > ahead {
            std::thread::yield_now();
        }
    }
}

/// Writes its messages as fast as it can and may.
fn write_all(writer: &Writer, id: u32, count: u32, clock: &Clock) {
    let mut returned = 0;
    for index in 0..count {
        clock.keep_pace();
        let began = clock.word().load(Ordering::SeqCst);
        writer.send(&message(id, index, began, returned)).unwrap();
        returned = clock.word().fetch_add(1, Ordering::SeqCst) + 1;
    }
}

fn writer() -> u32 {
    let clock = Clock(Mapping::open(&argument("CLOCK")).unwrap().view().unwrap());
    let writer = Writer::open(&argument("SLOT")).unwrap();
    // All begin at the same moment, where there is an event for that.
    if std::env::var_os("TRANSOM_TEST_GO").is_some() {
        expect_signal(&Event::open(&argument("GO")).unwrap());
    }
    write_all(&writer, number("ID") as u32, number("COUNT") as u32, &clock);
    0
}

/// What a reader has seen.
#[derive(Default)]
struct Seen {
    /// For each writer: its next message, and the latest beginning among all messages read before its last one.
    writers: BTreeMap<u32, (u32, u64)>,
    /// The latest beginning of a message read so far.
    latest: u64,
    count: u64,
    /// Who wrote the last message.
    last: u32,
}

impl Seen {
    fn note(&mut self, bytes: &[u8]) {
        let (writer, index, began, returned) = check_whole(bytes);
        let (next, before) = self.writers.entry(writer).or_default();
        assert_eq!(index, *next, "messages of {writer} are lost, doubled or in another order");
        // The message before this one had returned at `returned`: nothing read before it can have begun later.
        assert!(index == 0 || *before < returned, "one that began later was read before {index} of {writer}");
        (*next, *before) = (index + 1, self.latest);
        self.latest = self.latest.max(began);
        (self.count, self.last) = (self.count + 1, writer);
    }
}

/// S9, S10, S17, S31: none is lost, doubled or torn, each writer's order is kept, and what began after another had
/// returned is read after it.
#[test]
fn many_processes_write_into_one_mailslot() {
    let _limit = load_limit();
    let (writers, each) = if full() { (256, 20_000) } else { (12, 600) };
    let (name, clock_name) = (slot_name("many"), unique("clock"));
    let (_clock, _mapping) = Clock::create(&clock_name);
    let go_name = unique("go");
    let go = named_event(&go_name);
    let server = Options::new(&name).read_timeout(PATIENCE).create().unwrap();
    let children: Vec<Child> = (0..writers)
        .map(|id| {
            role("writer")
                .with("SLOT", &name)
                .with("CLOCK", &clock_name)
                .with("GO", &go_name)
                .with("ID", id)
                .with("COUNT", each)
                .start()
        })
        .collect();
    go.set().unwrap();
    let mut seen = Seen::default();
    while seen.count < (writers * each) as u64 {
        server.receive_many(1000, |bytes| seen.note(bytes)).unwrap();
    }
    for child in &children {
        assert_eq!(exit_code(child), 0);
    }
    assert!(seen.writers.values().all(|(next, _)| *next == each as u32));
    assert_eq!(server.info().unwrap().count, 0);
}

fn writer_to_be_killed() -> u32 {
    writer();
    // Not for ever: the test may have failed.
    let never = Event::new(true).unwrap();
    wait::one(&never, Timeout::millis(600_000)).unwrap();
    0
}

/// How writers are killed.
struct Kills {
    /// Writers at a time; who is killed is followed by another.
    writers: u32,
    /// Messages of each.
    each: u32,
    kills: u32,
    /// At most so many messages are read between two kills.
    apart: u64,
    /// At most so many are unread, or a few more.
    ahead: u64,
}

/// S9, S17, S31: what a killed writer had written is whole and in order, and the others notice nothing: none of
/// theirs is lost, doubled, torn or late.
#[test]
fn writers_killed_at_random_leave_whole_messages() {
    let _limit = load_limit();
    let Kills { writers, each, kills, apart, ahead } = if full() {
        Kills { writers: 256, each: 20_000, kills: 256, apart: 10_000, ahead: 2000 }
    } else {
        Kills { writers: 3, each: 3000, kills: 15, apart: 1024, ahead: 200 }
    };
    let (name, clock_name) = (slot_name("killed"), unique("clock"));
    let (clock, _mapping) = Clock::create(&clock_name);
    let server = Options::new(&name).read_timeout(PATIENCE).create().unwrap();
    clock.ahead().store(ahead, Ordering::SeqCst);
    let start = |id: u32| {
        let command = role("writer-to-be-killed").with("SLOT", &name).with("CLOCK", &clock_name);
        (id, command.with("ID", id).with("COUNT", each).start())
    };
    let read = |most: usize, seen: &mut Seen| {
        let count = server.receive_many(most, |bytes| seen.note(bytes));
        clock.read().store(seen.count, Ordering::SeqCst);
        count
    };
    let mut running: Vec<(u32, Child)> = (0..writers).map(start).collect();
    let mut seen = Seen::default();
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut killed = Vec::new();
    for kill in 0..kills {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let until = seen.count + 1 + (random >> 20) % apart;
        while seen.count < until {
            // There is as much: the newest writer alone brings it.
            read(64, &mut seen).unwrap();
        }
        // The one that wrote last is the likeliest to write just now; now and then another.
        let chosen = running.iter().position(|(id, _)| *id == seen.last && kill % 4 != 0);
        let other = (random >> 33) as usize % running.len();
        let (victim, child) = running.swap_remove(chosen.unwrap_or(other));
        child.process.terminate(9).unwrap();
        exit_code(&child);
        killed.push(victim);
        running.push(start(writers + kill));
    }
    let is_done = |seen: &Seen, id| seen.writers.get(id).is_some_and(|(next, _)| *next == each);
    while !running.iter().all(|(id, _)| is_done(&seen, id)) {
        read(1000, &mut seen).unwrap();
    }
    for (_, child) in &running {
        child.process.terminate(9).unwrap();
        exit_code(child);
    }
    server.set_read_timeout(Timeout::ZERO).unwrap();
    while read(1000, &mut seen).is_ok() {}
    assert_eq!((server.info().unwrap().count, server.info().unwrap().next), (0, None));
    let early = killed.iter().filter(|id| !is_done(&seen, id)).count();
    println!("{} messages, {early} of {kills} killed before they had written all", seen.count);
    assert!(early > 0, "nobody was killed while it wrote");
}

/// S12: a long message stays as it is until there is room for it.
#[test]
fn a_short_buffer_does_not_cut_a_message() {
    let _limit = limit();
    let name = slot_name("long");
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    let sent = vec![7; 50_000];
    Writer::open(&name).unwrap().send(&sent).unwrap();
    let refused = code(server.receive(&mut [0; 4096]));
    let whole = server.receive_vec().is_ok_and(|message| message == sent);
    differs_under_wine!("S12", refused == 122 && whole);
}

/// Reads with a handle whose number it was told, and says how much it got.
fn reader_of_handle() -> u32 {
    let Ok(server) = Server::from_raw(handle("SERVER")) else { return 200 };
    match server.receive_vec() {
        Ok(message) => message.len() as u32,
        Err(error) => error.code().value(),
    }
}

/// S27, S32: an inherited server's handle reads under its value; each message goes to one reader.
#[test]
fn a_child_reads_through_an_inherited_handle() {
    let _alone = alone();
    let name = slot_name("inherited");
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    let raw = server.as_handle().as_raw().value();
    let writer = Writer::open(&name).unwrap();
    writer.send(b"abcd").unwrap();
    writer.send(b"ef").unwrap();
    assert_eq!(role("reader-of-handle").inheriting().with("SERVER", raw).run(), 200, "not inheritable yet");
    server.as_handle().set_information(HandleFlags { inherit: true, protect_from_close: false }).unwrap();
    assert_eq!(role("reader-of-handle").inheriting().with("SERVER", raw).run(), 4);
    assert_eq!(server.receive_vec().unwrap(), b"ef");
    assert_eq!(role("reader-of-handle").inheriting().with("SERVER", raw).run(), 121, "121");
}

/// Sets the time-out with a handle whose number it was told, and says what it was.
fn setter() -> u32 {
    let Ok(server) = Server::from_raw(handle("SERVER")) else { return 200 };
    let was = server.info().unwrap().read_timeout.as_millis();
    server.set_read_timeout(Timeout::millis(77)).unwrap();
    was
}

/// H13, S20, S32: a handle that was created inheritable is inherited, and the time-out a child sets is everybody's.
#[test]
fn a_mailslot_can_be_created_inheritable() {
    let _alone = alone();
    let name = slot_name("born");
    let server = Options::new(&name).read_timeout(Timeout::millis(55)).inherit(true).create().unwrap();
    let inherits = server.as_handle().information().unwrap().inherit;
    differs_under_wine!("H13", inherits);
    // Where the wish is not honoured.
    server.as_handle().set_information(HandleFlags { inherit: true, protect_from_close: false }).unwrap();
    let raw = server.as_handle().as_raw().value();
    assert_eq!(role("setter").inheriting().with("SERVER", raw).run(), 55);
    assert_eq!(server.info().unwrap().read_timeout, Timeout::millis(77));
}

fn writer_through_handle() -> u32 {
    let writer = Writer::from_raw(handle("WRITER")).unwrap();
    let clock = Clock(Mapping::open(&argument("CLOCK")).unwrap().view().unwrap());
    write_all(&writer, 1, 500, &clock);
    0
}

/// S31: an inherited writer's handle writes at the same time as the one it came from.
#[test]
fn parent_and_child_write_through_one_handle() {
    let _alone = alone();
    let (name, clock_name) = (slot_name("shared"), unique("clock"));
    let (clock, _mapping) = Clock::create(&clock_name);
    let server = Options::new(&name).read_timeout(PATIENCE).create().unwrap();
    let units: Vec<u16> = name.encode_utf16().collect();
    let writer = Writer::open_utf16(&units, true).unwrap();
    let raw = writer.as_handle().as_raw().value();
    let child =
        role("writer-through-handle").inheriting().with("WRITER", raw).with("CLOCK", &clock_name).start();
    let mut seen = Seen::default();
    std::thread::scope(|scope| {
        scope.spawn(|| write_all(&writer, 2, 500, &clock));
        while seen.count < 1000 {
            server.receive_many(100, |bytes| seen.note(bytes)).unwrap();
        }
    });
    assert_eq!(exit_code(&child), 0);
}

/// Is told a server's handle through a mapping, reads with it and keeps it.
fn holder() -> u32 {
    let told = Mapping::open(&argument("BOX")).unwrap().view().unwrap();
    ready();
    let word = told.atomic_u64(0).unwrap();
    while word.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    let server = Server::from_raw(RawHandle::new(word.load(Ordering::SeqCst) as usize)).unwrap();
    assert_eq!(server.receive_vec().unwrap(), b"kept");
    ready();
    let _ = server.receive(&mut [0; 8]);
    wait_to_be_killed()
}

/// S8, S33: a copy in another process reads and keeps the mailslot, and that process's end takes it away.
#[test]
fn a_copy_of_the_servers_handle_keeps_the_mailslot() {
    let _limit = limit();
    let (name, here, box_name) = (slot_name("kept"), unique("ready"), unique("box"));
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    let writer = Writer::open(&name).unwrap();
    let event = named_event(&here);
    let mapping = Mapping::create(&box_name, 4096).unwrap().object;
    let child = role("holder").with("READY", &here).with("BOX", &box_name).start();
    expect_signal(&event);
    event.reset().unwrap();
    let own = transom::process::Process::current();
    let same = DuplicateOptions { access: None, inherit: false, close_source: false };
    let there = handle::duplicate(&own, server.as_handle().as_raw(), &child.process, same).unwrap();
    drop(server);
    writer.send(b"kept").unwrap();
    assert_eq!(code(Server::create(&name)), 183, "it is on its way, or there");
    mapping.view().unwrap().store_u64(0, there.value() as u64).unwrap();
    expect_signal(&event);
    writer.send(b"more").unwrap();
    assert_eq!(code(Server::create(&name)), 183);
    child.process.terminate(1).unwrap();
    exit_code(&child);
    differs_under_wine!("S8", is_free_again(&name));
    if under_wine() {
        return;
    }
    assert_ne!(code(writer.send(b"gone")), 0, "S34");
}

/// S10: a reader that never reads stops nobody, and what it has not read waits for it (S17).
#[test]
fn nobody_waits_for_a_reader_that_does_not_read() {
    let _limit = limit();
    let (name, clock_name) = (slot_name("idle"), unique("clock"));
    let (_clock, _mapping) = Clock::create(&clock_name);
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    let command =
        role("writer").with("SLOT", &name).with("CLOCK", &clock_name).with("ID", 1).with("COUNT", 5000);
    let child = command.start();
    // Under Wine it waits for ever: its queue has a limit.
    let patience = if under_wine() { Timeout::millis(3000) } else { PATIENCE };
    let ended = wait::one(&child.process, patience).unwrap() == Wait::Object(0);
    differs_under_wine!("S10", ended);
    if under_wine() {
        child.process.terminate(9).unwrap();
        return;
    }
    assert_eq!(exit_code(&child), 0);
    assert_eq!(server.info().unwrap().count, 5000);
    let mut seen = Seen::default();
    assert_eq!(server.receive_many(usize::MAX, |bytes| seen.note(bytes)).unwrap(), 5000);
}

/// Whether a server can be made of the name, though a writer has the one before open: its process has ended, and what
/// it held is closed soon, if it is at all.
fn is_free_again(name: &str) -> bool {
    let tries = if under_wine() { 1000 } else { usize::MAX };
    (0..tries).any(|_| {
        std::thread::yield_now();
        Server::create(name).is_ok()
    })
}

fn server() -> u32 {
    let server = Server::create(&argument("SLOT")).unwrap();
    ready();
    let _ = server.receive(&mut [0; 8]);
    wait_to_be_killed()
}

/// S8, S34: a server that is killed is gone for everybody, and the name is free.
#[test]
fn a_killed_server_leaves_no_name() {
    let _limit = limit();
    for _ in 0..3 {
        let (name, here) = (slot_name("dead"), unique("ready"));
        let event = named_event(&here);
        let child = role("server").with("SLOT", &name).with("READY", &here).start();
        expect_signal(&event);
        let writer = Writer::open(&name).unwrap();
        assert_eq!(code(Server::create(&name)), 183);
        child.process.terminate(1).unwrap();
        exit_code(&child);
        differs_under_wine!("S8", is_free_again(&name));
        if under_wine() {
            return;
        }
        let again = loop {
            match Options::new(&name).read_timeout(Timeout::ZERO).create() {
                Ok(server) => break server,
                Err(error) => assert_eq!(error.code().value(), 183),
            }
        };
        if ON_LINUX {
            assert_eq!(code(writer.send(b"old")), 38);
        } else {
            assert_ne!(code(writer.send(b"old")), 0);
        }
        assert_eq!(
            again.info().unwrap().next,
            None,
            "what is written to the old one does not reach the new one"
        );
    }
}
