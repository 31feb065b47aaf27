//! Load: a thousand clients on one server, ten thousand open pipes, what waiting costs, and what a connection costs.
//!
//! `cargo test` runs these with small numbers. The full ones, with figures on standard output:
//!
//! ```text
//! TRANSOM_LOAD=full cargo test --release -p transom --test load -- --test-threads=1 --nocapture
//! ```
//!
//! Ten thousand pipes with both ends in one process need 70,000 descriptors; with fewer it opens as many as there is
//! room for (`prlimit --nofile=100000` before the command, as root, makes room).
//!
//! Linux only: the figures come from `/proc`.
#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use transom::event::Event;
use transom::mapping::{Mapping, View};
use transom::namespace;
use transom::pipe::{self, Client, ClientOptions, Server, ServerOptions};
use transom::process::Child;
use transom::wait::Timeout;

mod support;
use support::{With, argument, code, expect_signal, number, role, unique};

#[test]
fn child_entry() {
    // These may run longer than a test may; they end when their time is over.
    if std::env::var_os(support::ROLE).is_some_and(|role| role == "clients") {
        transom::process::exit(clients());
    }
    support::child(&[("blocked", blocked)]);
}

/// Whether the full numbers are asked for.
fn full() -> bool {
    std::env::var_os("TRANSOM_LOAD").is_some_and(|value| value == "full")
}

/// One of these tests at a time; the full ones may take longer than a test may.
fn turn() -> (Option<support::Limit>, MutexGuard<'static, ()>) {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    ((!full()).then(support::limit), turn)
}

fn pipe_name(what: &str) -> String {
    format!(r"\\.\pipe\{}", unique(what))
}

fn proc_text(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("the descriptors").count()
}

/// Mappings of memory of ours.
fn mappings() -> usize {
    proc_text("/proc/self/maps").lines().filter(|line| line.contains("/memfd:transom")).count()
}

/// Kilobytes that the line of `/proc/self/smaps_rollup` gives.
fn kilobytes(what: &str) -> u64 {
    let text = proc_text("/proc/self/smaps_rollup");
    let line = text.lines().find(|line| line.starts_with(what)).unwrap_or_else(|| panic!("no {what}"));
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// Nanoseconds on a processor, and how often it went to sleep: all threads of a process.
fn processor(process: u32) -> (u64, u64) {
    let (mut time, mut sleeps) = (0, 0);
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("its threads");
    for task in tasks.flatten() {
        let path = task.path();
        let field = |text: &str| text.split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
        time += field(&proc_text(&path.join("schedstat").to_string_lossy())).expect("a time");
        let status = proc_text(&path.join("status").to_string_lossy());
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sleeps += field(line.expect("a count")).expect("a number");
    }
    (time, sleeps)
}

/// Processor time that this process has used, threads that have ended included.
fn processor_time() -> Duration {
    let text = proc_text("/proc/self/stat");
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    // User and system time, in hundredths of a second.
    let ticks: u64 = fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// Lets time pass where the time itself is the point: what something costs in it.
#[allow(clippy::disallowed_methods)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

// --- many clients ---

const MOST: usize = 200_000;

fn request(client: u32, call: u32) -> Vec<u8> {
    // One in 512 is larger than the ring.
    let length = if call % 512 == 511 { MOST } else { 8 + (client * 31 + call * 97) as usize % 900 };
    let mut bytes = vec![(client ^ call) as u8; length];
    bytes[..4].copy_from_slice(&client.to_le_bytes());
    bytes[4..8].copy_from_slice(&call.to_le_bytes());
    bytes
}

/// What the server makes of a request.
fn answer(bytes: &mut [u8]) {
    for byte in &mut *bytes {
        *byte = !*byte;
    }
    bytes.reverse();
}

struct Numbers {
    processes: u32,
    threads: u32,
    instances: u32,
    seconds: u64,
}

/// Calls, connections, and the least and most calls of one client.
const TALLIES: usize = 4;

/// Clients, each a thread: opens, calls 20 times, closes, until the time is over.
fn clients() -> u32 {
    let (name, process, threads) = (argument("PIPE"), number("PROCESS") as u32, number("THREADS") as u32);
    let tally = tally(&argument("TALLY"));
    let seconds = number("SECONDS") as u64;
    // All begin at the same moment.
    let go = Event::open(&argument("GO")).expect("the test's event");
    support::ready();
    expect_signal(&go);
    let until = Instant::now() + Duration::from_secs(seconds);
    let counts: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let talk = |client: u32| {
            let (mut calls, mut connections, mut reply) = (0_u32, 0, vec![0; MOST]);
            while Instant::now() < until {
                let pipe = ClientOptions::new(&name).message_read(true).wait(Timeout::millis(120_000)).open();
                let pipe = pipe.unwrap_or_else(|error| panic!("client {client}: {error}"));
                connections += 1;
                for _ in 0..20 {
                    let mut expected = request(client, calls);
                    let got = pipe.pipe().transact(&expected, &mut reply);
                    let got = got.unwrap_or_else(|error| panic!("client {client}, call {calls}: {error}"));
                    answer(&mut expected);
                    assert!(got.complete && reply[..got.len] == expected, "client {client}, call {calls}");
                    calls += 1;
                }
            }
            (u64::from(calls), connections)
        };
        let threads: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || talk(process * threads + thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no client fails")).collect()
    });
    let row = process as usize * TALLIES * 8;
    let store = |column: usize, value: u64| tally.store_u64(row + column * 8, value).expect("to tell");
    store(0, counts.iter().map(|count| count.0).sum());
    store(1, counts.iter().map(|count| count.1).sum());
    store(2, counts.iter().map(|count| count.0).min().unwrap_or(0));
    store(3, counts.iter().map(|count| count.0).max().unwrap_or(0));
    0
}

fn tally(name: &str) -> View {
    Mapping::open(name).expect("the test's memory").view().expect("a view")
}

/// Serves one client after the other until told to stop.
fn serve(server: &Server, over: &AtomicBool, served: &AtomicU64) {
    let mut buffer = vec![0; MOST];
    while !over.load(Ordering::Acquire) {
        match code(server.connect_timeout(Timeout::millis(300))) {
            121 => continue,
            0 => {}
            other => panic!("connect: {other}"),
        }
        loop {
            match server.pipe().receive_message(&mut buffer) {
                Ok(got) => {
                    assert!(got.complete);
                    answer(&mut buffer[..got.len]);
                    server.pipe().send(&buffer[..got.len]).expect("the client waits for it");
                    served.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    assert_eq!(error.code().value(), 109);
                    break;
                }
            }
        }
        server.disconnect().expect("it was connected");
    }
}

fn many_clients(numbers: &Numbers) {
    let Numbers { processes, threads, instances, seconds } = *numbers;
    let (name, here, go_name, tally_name) =
        (pipe_name("load"), unique("here"), unique("go"), unique("tally"));
    let go = support::named_event(&go_name);
    let here_event = support::named_event(&here);
    let memory = Mapping::create(&tally_name, 65_536).expect("memory").object;
    let tally = memory.view().expect("a view");
    let options = ServerOptions::new(&name).message(true).message_read(true).max_instances(instances);
    let servers: Vec<Server> = (0..instances).map(|_| options.create().expect("an instance")).collect();
    let children: Vec<Child> = (0..processes)
        .map(|process| {
            let child = role("clients").with("PIPE", &name).with("PROCESS", process).with("THREADS", threads);
            let child = child.with("TALLY", &tally_name).with("SECONDS", seconds).with("GO", &go_name);
            let child = child.with("READY", &here).start();
            expect_signal(&here_event);
            here_event.reset().expect("to reset it");
            child
        })
        .collect();
    let (over, served) = (AtomicBool::new(false), AtomicU64::new(0));
    let before = processor_time();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for server in &servers {
            scope.spawn(|| serve(server, &over, &served));
        }
        go.set().expect("to let them go");
        let codes: Vec<u32> = children.iter().map(Child::wait).map(|code| code.expect("its end")).collect();
        over.store(true, Ordering::Release);
        assert!(codes.iter().all(|code| *code == 0), "every answer is right: {codes:?}");
    });
    let took = began.elapsed();
    let column = |column: usize| {
        let rows = 0..processes as usize;
        rows.map(|row| tally.load_u64((row * TALLIES + column) * 8).expect("a count")).collect::<Vec<_>>()
    };
    let calls: u64 = column(0).iter().sum();
    let connections: u64 = column(1).iter().sum();
    let (least, most) = (column(2).into_iter().min().unwrap_or(0), column(3).into_iter().max().unwrap_or(0));
    assert_eq!(served.load(Ordering::Relaxed), calls, "each request is answered once");
    assert!(least >= 20, "a client was never served");
    println!(
        "{} clients ({processes} processes), {instances} instances, {took:.1?}: {calls} calls, {:.0}/s; \
         {connections} connections, {:.0}/s; calls of one client: {least} to {most}; server's processor time {:?}",
        processes * threads,
        calls as f64 / took.as_secs_f64(),
        connections as f64 / took.as_secs_f64(),
        processor_time().saturating_sub(before),
    );
    drop(servers);
    assert_eq!(code(Client::open(&name)), 2);
    assert_eq!(namespace::find(&name).expect("a look"), None);
}

/// Every answer is right, every client is served, and the server has afterwards what it had before.
#[test]
fn many_clients_share_a_few_instances() {
    let _turn = turn();
    let small = Numbers { processes: 2, threads: 8, instances: 4, seconds: 1 };
    many_clients(&small);
    let before = (descriptors(), mappings());
    if full() {
        many_clients(&Numbers { processes: 20, threads: 50, instances: 64, seconds: 60 });
    } else {
        many_clients(&Numbers { processes: 2, threads: 12, instances: 8, seconds: 1 });
    }
    let after = (descriptors(), mappings());
    assert!(after.0 <= before.0 && after.1 <= before.1, "{before:?} before, {after:?} after");
}

/// How often the living threads of this process have gone to sleep.
fn sleeps() -> u64 {
    processor(std::process::id()).1
}

/// P68: an instance that is free again wakes one of those who wait, who wakes the next only while it is still free. If
/// it woke all of them, each connection would cost as many sleeps as there are clients.
#[test]
fn a_free_instance_wakes_a_few_of_those_who_wait() {
    const CLIENTS: usize = 100;
    let _turn = turn();
    let name = pipe_name("few");
    let options = ServerOptions::new(&name).message(true).message_read(true);
    let server = options.create().expect("an instance");
    let (over, served, connections) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| serve(&server, &over, &served));
        let client = || {
            while !over.load(Ordering::Acquire) {
                let open = ClientOptions::new(&name).message_read(true).wait(Timeout::millis(200)).open();
                // At the end nobody serves any more.
                let Ok(client) = open else { continue };
                if client.pipe().transact(b"question", &mut [0; 64]).is_ok() {
                    connections.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(client)).collect();
        let until = |count: u64| {
            while connections.load(Ordering::Relaxed) < count {
                std::thread::yield_now();
            }
        };
        until(CLIENTS as u64);
        let (before, from) = (sleeps(), connections.load(Ordering::Relaxed));
        until(from + 500);
        let (after, to) = (sleeps(), connections.load(Ordering::Relaxed));
        over.store(true, Ordering::Release);
        for client in clients {
            client.join().expect("no client fails");
        }
        serving.join().expect("the server does not fail");
        let each = (after - before) / (to - from);
        println!("{CLIENTS} clients wait for one instance: {each} sleeps for each connection");
        assert!(each <= CLIENTS as u64 / 4, "{each} sleeps for each connection");
    });
}

// --- many pipes ---

/// How many connections with both ends here the descriptors allow, 10,000 at the most.
fn room_for_pipes() -> usize {
    let limits = proc_text("/proc/self/limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("the limit");
    let hard: usize = line.split_whitespace().nth(4).and_then(|number| number.parse().ok()).unwrap_or(1024);
    let most = if full() { 10_000 } else { 300 };
    // Three for each end, and two more until the server has seen its client.
    most.min(hard.saturating_sub(100) / 8)
}

/// Descriptors, mappings, and bytes of resident memory: each mapping's own, and each page once.
#[derive(Clone, Copy)]
struct Spent {
    descriptors: usize,
    mappings: usize,
    resident: u64,
    proportional: u64,
}

impl Spent {
    fn now() -> Spent {
        Spent {
            descriptors: descriptors(),
            mappings: mappings(),
            resident: 1024 * kilobytes("Rss:"),
            proportional: 1024 * kilobytes("Pss:"),
        }
    }

    /// What each of `count` has cost since `before`.
    fn tell(self, before: Spent, count: usize, what: &str) {
        let each = |now: u64, then: u64| now.saturating_sub(then) as f64 / count as f64;
        println!(
            "{count} {what}: each {:.2} descriptors, {:.2} mappings, RSS {:.0} bytes, PSS {:.0} bytes",
            each(self.descriptors as u64, before.descriptors as u64),
            each(self.mappings as u64, before.mappings as u64),
            each(self.resident, before.resident),
            each(self.proportional, before.proportional),
        );
    }
}

/// Open pipes in one process, both ends of each: they all work, cost what docs/limits.md says, and give it back.
#[test]
fn one_process_has_many_open_pipes() {
    let _turn = turn();
    let name = pipe_name("open");
    let count = room_for_pipes();
    // What is made once for a name is there before it is measured.
    let options = ServerOptions::new(&name).message(true).message_read(true);
    let first = options.create().expect("the name");
    drop(Client::open(&name).expect("it listens"));
    let before = Spent::now();
    let began = Instant::now();
    let servers: Vec<Server> = (0..count).map(|_| options.create().expect("an instance")).collect();
    let listening = Spent::now();
    listening.tell(before, count, "instances that listen");
    let open = || ClientOptions::new(&name).message_read(true).open().expect("one listens");
    let clients: Vec<Client> = (0..count).map(|_| open()).collect();
    let took = began.elapsed();
    let idle = Spent::now();
    idle.tell(before, count, "connections, both ends here, idle");
    println!("made in {took:.1?}");
    let mut buffer = [0; 64];
    for (number, (client, server)) in clients.iter().zip(&servers).enumerate() {
        client.pipe().send(&number.to_le_bytes()).expect("room");
        let got = server.pipe().receive_message(&mut buffer).expect("the message");
        assert_eq!(buffer[..got.len], number.to_le_bytes());
        server.pipe().send(&(!number).to_le_bytes()).expect("room");
        let got = client.pipe().receive_message(&mut buffer).expect("the answer");
        assert_eq!(buffer[..got.len], (!number).to_le_bytes());
    }
    let used = Spent::now();
    used.tell(before, count, "connections after one message each way");
    // Three for each end; the goal for memory is 24 KiB beyond the pages that messages lie in: two here.
    assert!(used.descriptors - before.descriptors <= 6 * count + 8);
    assert!(used.mappings - before.mappings <= 2 * count + 4);
    let each = used.proportional.saturating_sub(before.proportional) / count as u64;
    assert!(each <= (24 + 8) * 1024, "{each} bytes for a connection");
    drop((clients, servers));
    assert_eq!(code(pipe::wait(&name, Timeout::ZERO)), 121, "the first one has had its client");
    drop(first);
    assert_eq!(code(Client::open(&name)), 2);
    let after = Spent::now();
    assert!(after.descriptors < before.descriptors && after.mappings < before.mappings, "all is given back");
}

// --- waiting ---

/// Waits in one way, for ever.
fn blocked() -> u32 {
    let name = argument("PIPE");
    let how = argument("HOW");
    if how == "listener" {
        let server = Server::create(&format!("{name}-own")).expect("a server");
        support::ready();
        return code(server.connect());
    }
    let client = Client::open(&name).expect("the test's server");
    support::ready();
    match how.as_str() {
        "reader" => code(client.pipe().receive(&mut [0; 9])),
        "writer" => {
            while client.pipe().send(&[0; 100]).is_ok() {}
            1
        }
        "flusher" => {
            client.pipe().send(&[0; 100]).expect("room");
            code(client.pipe().flush())
        }
        _ => code(pipe::wait(&name, Timeout::INFINITE)),
    }
}

/// A reader, a writer, a flush, a server and a WaitNamedPipe that wait use no processor time, and never wake.
#[test]
fn who_waits_uses_no_processor() {
    let _turn = turn();
    let kinds = ["reader", "writer", "flusher", "listener", "waiter"];
    let pipes: Vec<_> = kinds
        .iter()
        .map(|how| {
            let (name, here) = (pipe_name(how), unique("here"));
            let here_event = support::named_event(&here);
            let server = ServerOptions::new(&name).in_size(200).create().expect("a server");
            let child = role("blocked").with("PIPE", &name).with("HOW", how).with("READY", &here).start();
            expect_signal(&here_event);
            (server, child)
        })
        .collect();
    // A client is ready before its call begins, and the call may look around a little before it sleeps.
    let look = || pipes.iter().map(|(_, child)| processor(child.process_id)).collect::<Vec<_>>();
    let mut seen = look();
    for _ in 0..100 {
        pause(Duration::from_millis(30));
        let now = look();
        if now == seen {
            break;
        }
        seen = now;
    }
    pause(Duration::from_secs(1));
    for (how, (before, after)) in kinds.iter().zip(seen.into_iter().zip(look())) {
        let (time, woken) = (after.0 - before.0, after.1 - before.1);
        println!("a waiting {how}: {time} ns of processor time in a second, woken {woken} times");
        assert_eq!((time, woken), (0, 0), "{how}");
    }
    for (_server, child) in pipes {
        child.process.terminate(0).expect("it waits");
        expect_signal(&child.process);
    }
}
