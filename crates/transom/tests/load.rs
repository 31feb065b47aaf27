//! Load: a thousand clients on one server, ten thousand open pipes, what waiting costs, and what a connection costs.
//!
//! `cargo test` runs these with small numbers. The full ones, with figures on standard output:
//!
//! ```text
//! prlimit --nofile=100000 env TRANSOM_LOAD=full \
//!     cargo test --release -p transom --test load -- --test-threads=1 --nocapture
//! ```
//!
//! Linux only: the figures come from `/proc`.
#![cfg(target_os = "linux")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use transom::event::Event;
use transom::mapping::{Mapping, View};
use transom::namespace;
use transom::pipe::{self, Client, ClientOptions, Server, ServerOptions};
use transom::process::Child;
use transom::wait::{self, Timeout};

mod support;
use support::{PATIENCE, With, alone, argument, code, expect_signal, number, role, unique};

#[test]
fn child_entry() {
    support::child(&[("clients", clients), ("blocked", blocked), ("opener", opener)]);
}

/// Whether the full numbers are asked for.
fn full() -> bool {
    std::env::var_os("TRANSOM_LOAD").is_some_and(|value| value == "full")
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
const TALLIES: u64 = 4;

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
    let row = u64::from(process) * TALLIES * 8;
    let store = |column: u64, value: u64| tally.store_u64((row + column * 8) as usize, value).expect("to tell");
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
    let (name, here, go_name, tally_name) = (pipe_name("load"), unique("here"), unique("go"), unique("tally"));
    let go = support::named_event(&go_name);
    let here_event = support::named_event(&here);
    let tally = Mapping::create(&tally_name, 65_536).expect("memory").object.view().expect("a view");
    let options = ServerOptions::new(&name).message(true).message_read(true).max_instances(instances);
    let servers: Vec<Server> = (0..instances).map(|_| options.create().expect("an instance")).collect();
    let children: Vec<Child> = (0..processes)
        .map(|process| {
            let child = role("clients").with("PIPE", &name).with("PROCESS", process).with("THREADS", threads);
            let child = child.with("TALLY", &tally_name).with("SECONDS", seconds).with("GO", &go_name);
            let child = child.with("READY", &here).env("TRANSOM_TEST_LIMIT", "600").start();
            expect_signal(&here_event);
            here_event.reset().expect("to reset it");
            child
        })
        .collect();
    let (over, served) = (AtomicBool::new(false), AtomicU64::new(0));
    let before = processor(std::process::id()).0;
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
    let column = |column: u64| {
        let rows = 0..u64::from(processes);
        rows.map(|row| tally.load_u64(((row * TALLIES + column) * 8) as usize).expect("a count"))
            .collect::<Vec<_>>()
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
        Duration::from_nanos(processor(std::process::id()).0.saturating_sub(before)),
    );
    drop(servers);
    assert_eq!(code(Client::open(&name)), 2);
    assert_eq!(namespace::find(&name).expect("a look"), None);
}

/// Every answer is right, every client is served, and the server has afterwards what it had before.
#[test]
fn many_clients_share_a_few_instances() {
    let _alone = alone();
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

// --- many pipes ---

/// How many connections with both ends here the descriptors allow, 10,000 at the most.
fn room_for_pipes() -> usize {
    let limits = proc_text("/proc/self/limits");
    let line = limits.lines().find(|line| line.starts_with("Max open files")).expect("the limit");
    let hard: usize = line.split_whitespace().nth(4).and_then(|number| number.parse().ok()).unwrap_or(1024);
    let most = if full() { 10_000 } else { 300 };
    most.min((hard - 100) / 6)
}

/// What `count` connections, both ends in this process, add: descriptors, mappings, RSS and PSS in bytes each.
fn cost(count: usize, used: bool) {
    let options = ServerOptions::new(&pipe_name("open")).message(true).message_read(true);
    let name = String::from_utf16_lossy(&[]) + &unique("cost");
    let name = format!(r"\\.\pipe\{name}");
    let options = { let _ = options; ServerOptions::new(&name).message(true).message_read(true) };
    let keep = options.create().expect("the name");
    let before = (descriptors(), mappings(), kilobytes("Rss:"), kilobytes("Pss:"));
    let began = Instant::now();
    let mut ends = Vec::with_capacity(count);
    for _ in 0..count {
        let server = options.create().expect("an instance");
        ends.push((Client::open(&name).expect("the oldest listens"), server));
    }
    drop(keep);
    let made = began.elapsed();
    let _ = used;
    println!("{} {made:?} {before:?}", ends.len());
}
