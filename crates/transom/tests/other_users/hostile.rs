//! Clients that are admitted and mean harm, and servers that do.

use std::fs;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use transom_core::gate::{self, Answer, Ask};
use transom_core::name::{ObjectName, PipeName, Scope};
use transom_core::ring::layout::{Control, SegmentHeader};
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::socket;
use transom_sys::linux::{Errno, bell, fd, futex, memfd, pipe, process};

use crate::name;
use crate::puppet::{ALICE, BOB, CAROL, Puppet, answer, converse, is_administrator, orders};
use crate::support::{argument, limit};

/// How the gate knows a pipe.
fn object(name: &str) -> ObjectName {
    PipeName::of_spelling(&name.as_bytes()[9..]).unwrap().object(Scope::Local)
}

fn address(name: &str) -> Vec<u8> {
    gate::address(b"", &object(name))
}

const A_SECOND: Duration = Duration::from_secs(1);

fn connect(name: &str) -> Result<OwnedFd, Errno> {
    socket::connect(&address(name), Some(A_SECOND))
}

/// What is said to a message; `None` if the connection is ended without a word.
fn hear(socket: &OwnedFd) -> Option<(Answer, Vec<OwnedFd>)> {
    let mut buffer = [0; gate::MOST];
    loop {
        match socket::receive_descriptors(socket, &mut buffer) {
            Ok((0, _)) => return None,
            Ok((length, descriptors)) => return Some((Answer::decode(&buffer[..length])?, descriptors)),
            Err(Errno::AGAIN) => drop(bell::wait(socket, &[], None)),
            Err(Errno::CONNRESET) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

fn ask(name: &str, message: &[u8]) -> Option<(Answer, Vec<OwnedFd>)> {
    let socket = connect(name).unwrap();
    let _ = socket::send(&socket, message, &[]);
    hear(&socket)
}

fn code(answer: &Option<(Answer, Vec<OwnedFd>)>) -> u32 {
    answer.as_ref().map_or(0, |(answer, _)| answer.code.value())
}

/// A raw guest at a gate.
pub fn hostile() -> u32 {
    let name = argument("PIPE");
    let mut kept = Vec::new();
    let mut grabbed = Vec::new();
    for order in orders() {
        match &*order {
            // More connections than anybody gets, without a word.
            "silence" => {
                for _ in 0..400 {
                    kept.extend(connect(&name));
                }
                answer("0");
            }
            "nonsense" => {
                let good = Ask::Open(0xC000_0000).encode(&object(&name));
                let other = Ask::Open(0xC000_0000).encode(&object(r"\\.\pipe\another"));
                let messages = [&b"x"[..], &[0; 4000], &[0xFF; 820], &good[..33], &other];
                let codes: Vec<String> =
                    messages.iter().map(|message| code(&ask(&name, message)).to_string()).collect();
                answer(codes.join(" "));
            }
            // With somebody else's board's cookie, or none.
            "join" => {
                let got = ask(&name, &Ask::Join([0; 16]).encode(&object(&name)));
                let count = got.as_ref().map_or(0, |(_, descriptors)| descriptors.len());
                answer(format!("{} {count}", code(&got)));
            }
            // Descriptors that nobody wants, in great number.
            "presents" => {
                let (reader, writer) = pipe::create().unwrap();
                for _ in 0..50 {
                    let socket = connect(&name).unwrap();
                    let message = Ask::About.encode(&object(&name));
                    let all = [reader.as_fd(), writer.as_fd(), reader.as_fd()];
                    socket::send(&socket, &message, &all).unwrap();
                    assert_eq!(code(&hear(&socket)), 0);
                }
                drop(writer);
                answer(bell::is_gone(&reader));
            }
            // A connection whose descriptors stay in the socket.
            "deaf" => {
                let socket = connect(&name).unwrap();
                socket::send(&socket, &Ask::Open(0xC000_0000).encode(&object(&name)), &[]).unwrap();
                bell::wait(&socket, &[], None).unwrap();
                kept.push(socket);
                answer("0");
            }
            "grab" => {
                let got = ask(&name, &Ask::Open(0xC000_0000).encode(&object(&name)));
                answer(code(&got));
                grabbed = got.map_or(Vec::new(), |(_, descriptors)| descriptors);
            }
            // More than the bell's writing end, and a shorter segment.
            "misuse" => {
                let [segment, _, bell] = &grabbed[..] else { panic!("it has grabbed nothing") };
                let path = format!("/proc/self/fd/{}", bell.as_raw_fd());
                let open = |read, write| {
                    let opened =
                        fs::OpenOptions::new().read(read).write(write).custom_flags(0o4000).open(&path);
                    opened.map_or_else(|error| error.raw_os_error().unwrap(), |_| 0)
                };
                let cut = memfd::set_size(segment, 4096).map_or_else(|error| error.raw_os_error(), |()| 0);
                let written = fd::access_mode(bell).unwrap();
                answer(format!(
                    "{} {} {} {cut} {written:?}",
                    open(true, false),
                    open(true, true),
                    open(false, true)
                ));
            }
            other => panic!("no order {other}"),
        }
    }
    0
}

/// The words that say that a side has gone.
const END: [usize; 3] = [
    std::mem::offset_of!(SegmentHeader, disconnected),
    std::mem::offset_of!(SegmentHeader, closed_by_client),
    std::mem::offset_of!(SegmentHeader, closed_by_server),
];

/// The words that say whose turn it is to read and to write.
fn turns(pages: &SharedPages) -> [usize; 4] {
    let capacity = pages.u64(std::mem::offset_of!(SegmentHeader, capacity_in)).load(Ordering::Relaxed);
    let (inward, outward) = (std::mem::offset_of!(SegmentHeader, queue_in), 4096 + capacity as usize);
    let (read, write) = (std::mem::offset_of!(Control, read_turn), std::mem::offset_of!(Control, write_turn));
    [inward + read, inward + write, outward + read, outward + write]
}

/// Has a connection, and when it is told to go writes anything anywhere into it, for a while.
pub fn scribbler() -> u32 {
    let name = argument("PIPE");
    let mut orders = orders();
    while let Some(order) = orders.next() {
        let (_, parts) = ask(&name, &Ask::Open(0xC000_0000).encode(&object(&name))).unwrap();
        let [segment, _own, ringer] = &parts[..] else {
            answer("refused");
            continue;
        };
        let (_, _, length) = fd::identity(segment).unwrap();
        let pages = SharedPages::map(segment, length as usize).unwrap();
        let turns = turns(&pages);
        answer("0");
        let _ = orders.next();
        let own = process::thread_id();
        let mut seed: u64 = 0x9E37_79B9_7F4A_7C15 ^ futex::now();
        let mut random = || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        let until = Instant::now() + Duration::from_millis(1500);
        while Instant::now() < until {
            for _ in 0..200 {
                // The control words are in the first half of the first page.
                let at = (random() % 512) as usize * 4;
                let value = match &*order {
                    // Every turn is this living thread's, every count one.
                    "turns" => own,
                    "zeroes" => 0,
                    _ if random() % 4 == 0 => own | 0x8000_0000,
                    _ if random() % 3 == 0 => random() as u32 % 8,
                    _ => random() as u32,
                };
                if order == "held" {
                    turns.iter().for_each(|at| pages.u32(*at).store(own, Ordering::Relaxed));
                    continue;
                }
                // What the header says of itself stays, and that nobody has gone, so that the nonsense is met.
                if at >= 64 && !END.contains(&at) || order == "zeroes" {
                    pages.u32(at).store(value, Ordering::Relaxed);
                }
                let far = (random() % (length / 8)) as usize * 8;
                if far >= 4096 {
                    pages.u64(far).store(random(), Ordering::Relaxed);
                }
            }
            bell::ring_quietly(ringer, 3);
        }
        answer("done");
    }
    0
}

/// A server that hands over what it should not.
pub fn liar() -> u32 {
    let name = argument("PIPE");
    let listener = socket::listen(&address(&name), 128).unwrap();
    for order in orders() {
        // Those who have called meanwhile.
        while let Some(caller) = socket::accept(&listener).unwrap() {
            drop(caller);
        }
        answer("0");
        let until = Instant::now() + Duration::from_secs(20);
        let mut first = true;
        while first && Instant::now() < until {
            bell::wait(&listener, &[], None).unwrap();
            let Some(caller) = socket::accept(&listener).unwrap() else { continue };
            // Other tests list pipes meanwhile.
            let mut request = [0; gate::MOST];
            let _ = bell::wait(&caller, &[], None);
            let heard = socket::receive(&caller, &mut request).unwrap_or(0);
            if (request[..heard] == gate::show()) != order.starts_with("show ") {
                continue;
            }
            lie(order.trim_start_matches("show "), &caller);
            // It may call again and again.
            first = order == "hangs up";
            if order == "hangs up" && Instant::now() + Duration::from_secs(18) > until {
                break;
            }
        }
    }
    0
}

fn lie(order: &str, caller: &OwnedFd) {
    let good = Answer {
        code: transom_core::code::Code::SUCCESS,
        access: 3,
        message_type: true,
        max_instances: 1,
        default_timeout: 0,
        instances: 1,
        server: 1,
        cookie: [1; 16],
        spelling: b"liar".to_vec(),
    };
    let (reader, writer) = pipe::create().unwrap();
    let sealed = |size| {
        let file = memfd::create("lie").unwrap();
        memfd::set_size(&file, size).unwrap();
        memfd::seal_size(&file).unwrap();
        file
    };
    let open = memfd::create("lie").unwrap();
    memfd::set_size(&open, 1 << 20).unwrap();
    let (whole, empty) = (sealed(1 << 20), sealed(0));
    let file: OwnedFd = fs::File::open("/proc/self/exe").unwrap().into();
    let say = |parts: &[&OwnedFd]| {
        let parts: Vec<_> = parts.iter().map(|part| part.as_fd()).collect();
        socket::send(caller, &good.encode(), &parts).unwrap();
    };
    match order {
        "hangs up" => {}
        "babbles" => socket::send(caller, &[7; 300], &[]).unwrap(),
        "nothing" => say(&[]),
        "too few" => say(&[&whole, &reader]),
        "unsealed" => say(&[&open, &reader, &writer]),
        "no segment" => say(&[&whole, &reader, &writer]),
        "empty" => say(&[&empty, &reader, &writer]),
        "a file" => say(&[&file, &file, &file]),
        "no bells" => say(&[&whole, &whole, &file]),
        "a code" => {
            let code = transom_core::code::Code::new(0xDEAD_BEEF);
            socket::send(caller, &Answer { code, ..good.clone() }.encode(), &[]).unwrap();
        }
        other => panic!("no lie {other}"),
    }
}

/// Fills the queue before a gate.
pub fn crowd() -> u32 {
    let name = argument("PIPE");
    let mut all = Vec::new();
    for _ in orders() {
        loop {
            match socket::connect(&address(&name), Some(Duration::from_millis(1))) {
                Ok(socket) => all.push(socket),
                Err(Errno::AGAIN) => break,
                Err(error) => panic!("{error}"),
            }
        }
        answer(all.len());
    }
    0
}

fn has_conversation(server: &mut Puppet, client: &mut Puppet, what: &str) {
    converse(server, client, what);
    assert_eq!(client.tell("close"), "0", "{what}");
    assert_eq!(server.tell("disconnect"), "0", "{what}");
}

/// Nonsense, nothing, and the wrong cookie: others are served as if it were not there.
#[test]
fn guests_that_mean_harm_at_the_gate_get_nothing_and_are_in_nobodys_way() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(CAROL, &name));
    let mut guest = Puppet::of_role(BOB, "hostile", &name);
    assert_eq!(server.tell("create everyone 1"), "0");
    has_conversation(&mut server, &mut client, "before");
    assert_eq!(server.tell("connect-timeout 0"), "121");
    assert_eq!(guest.tell("nonsense"), "2 2 2 2 2");
    assert_eq!(guest.tell("join"), "5 0");
    let count = |server: &mut Puppet| server.tell("descriptors").parse::<usize>().unwrap();
    let before = count(&mut server);
    assert_eq!(guest.tell("presents"), "true", "nobody keeps them");
    // The last guests may still be on their way out.
    while count(&mut server) > before {
        std::thread::yield_now();
    }
    has_conversation(&mut server, &mut client, "after nonsense");
    assert_eq!(guest.tell("silence"), "0");
    has_conversation(&mut server, &mut client, "in silence");
    let mut again = Puppet::new(BOB, &name);
    assert_eq!(server.tell("connect-timeout 0"), "121");
    assert_eq!(again.tell("open"), "231", "of its own user there is no more room");
    guest.kill();
    has_conversation(&mut server, &mut again, "after it");
    assert_eq!(server.tell("close"), "0");
    assert_eq!(client.tell("open"), "2");
}

/// Whoever does not take what it was given has only so much of it, since it counts against the server's user.
#[test]
fn descriptors_that_nobody_takes_are_few() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(CAROL, &name));
    let mut guest = Puppet::of_role(BOB, "hostile", &name);
    assert_eq!(server.tell("create everyone 1"), "0");
    for _ in 0..16 {
        assert_eq!(guest.tell("deaf"), "0");
        assert_eq!(server.tell("connect"), "already");
        assert_eq!(server.tell("disconnect"), "0");
        assert_eq!(server.tell("connect-timeout 0"), "121");
    }
    assert_eq!(guest.tell("grab"), "231");
    has_conversation(&mut server, &mut client, "another user");
    guest.kill();
    assert_eq!(server.tell("connect-timeout 0"), "121");
    let mut again = Puppet::new(BOB, &name);
    assert_eq!(again.tell("open"), "0");
}

/// What a client gets is its connection: the server's bell for ringing, and memory that stays as long as it is.
#[test]
fn a_client_can_neither_take_the_servers_tokens_nor_its_memory() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let mut server = Puppet::new(ALICE, &name);
    let mut guest = Puppet::of_role(BOB, "hostile", &name);
    assert_eq!(server.tell("create everyone 1"), "0");
    assert_eq!(guest.tell("grab"), "0");
    // EACCES, EACCES, fine, EPERM.
    assert_eq!(guest.tell("misuse"), "13 13 0 1 (false, true)");
}

/// Whatever a client writes into its connection, calls of the server that must not wait do not, the others end when they
/// are told to, and the next client has memory of its own.
#[test]
fn a_client_that_scribbles_harms_its_own_connection_alone() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(CAROL, &name));
    let mut guest = Puppet::of_role(BOB, "scribbler", &name);
    assert_eq!(server.tell("create everyone 1"), "0");
    for how in ["anything", "held", "turns", "zeroes", "anything"] {
        assert_eq!(guest.tell(how), "0", "{how}");
        assert_eq!(server.tell("connect"), "already", "{how}");
        guest.say("go");
        assert_eq!(server.tell("try-everything"), "done", "{how}");
        assert_eq!(guest.hear(), "done", "{how}");
        assert_eq!(server.tell("disconnect"), "0", "{how}");
        has_conversation(&mut server, &mut client, how);
        assert_eq!(server.tell("connect-timeout 0"), "121", "{how}");
    }
}

/// The same while a call of the server waits: closing and cancelling get it out.
#[test]
fn closing_gets_a_server_out_of_any_call() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    for how in ["anything", "held", "turns"] {
        let name = name();
        let mut server = Puppet::new(ALICE, &name);
        let mut guest = Puppet::of_role(BOB, "scribbler", &name);
        assert_eq!(server.tell("create everyone 1"), "0");
        assert_eq!(guest.tell(how), "0", "{how}");
        assert_eq!(server.tell("connect"), "already", "{how}");
        guest.say("go");
        assert_eq!(server.tell("close-while-waiting"), "done", "{how}");
    }
}

/// A client is not harmed by a server either.
#[test]
fn what_a_lying_server_hands_over_is_refused() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let mut server = Puppet::of_role(BOB, "liar", &name);
    let mut client = Puppet::new(ALICE, &name);
    for (lie, code) in [
        ("babbles", "1392"),
        ("nothing", "1392"),
        ("too few", "1392"),
        ("unsealed", "1392"),
        ("no segment", "1392"),
        ("empty", "1392"),
        ("a file", "1392"),
        ("no bells", "1392"),
        ("a code", "231"),
        ("hangs up", "231"),
    ] {
        assert_eq!(server.tell(lie), "0", "{lie}");
        assert_eq!(client.tell("open"), code, "{lie}");
    }
}

/// Nor is who lists pipes: what a server makes up is left out, and one that says nothing delays the others by a second.
#[test]
fn lists_leave_out_who_lies_or_says_nothing() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let names = [name(), name()];
    let mut liar = Puppet::of_role(BOB, "liar", &names[0]);
    let mut honest = Puppet::new(CAROL, &names[1]);
    let [mut deceived, mut told] = names.map(|name| Puppet::new(ALICE, &name));
    assert_eq!(honest.tell("create everyone 3"), "0");
    let begun = Instant::now();
    assert_eq!(told.tell("list"), format!("1 of {CAROL}"));
    assert!(begun.elapsed() >= Duration::from_millis(900), "the liar has not been asked");
    for lie in ["babbles", "nothing", "a code", "a file"] {
        assert_eq!(liar.tell(&format!("show {lie}")), "0", "{lie}");
        assert_eq!(deceived.tell("list"), "0", "{lie}");
        assert_eq!(told.tell("list"), format!("1 of {CAROL}"), "{lie}");
    }
    honest.stop();
    assert_eq!(told.tell("list"), "0", "of one that is stopped nothing is known");
    honest.go_on();
    assert_eq!(told.tell("list"), format!("1 of {CAROL}"));
}

/// 231 when nobody looks at the gate and the queue before it is full; and the server goes on where it stopped.
#[test]
fn a_full_queue_is_a_busy_pipe() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(CAROL, &name));
    let mut crowd = Puppet::of_role(BOB, "crowd", &name);
    assert_eq!(server.tell("create everyone 1"), "0");
    server.stop();
    let count: usize = crowd.tell("fill").parse().unwrap();
    assert!((100..400).contains(&count), "{count}");
    assert_eq!(client.tell("open"), "231");
    assert_eq!(client.tell("wait 50"), "121");
    server.go_on();
    assert_eq!(server.tell("connect-timeout 0"), "121");
    crowd.kill();
    has_conversation(&mut server, &mut client, "afterwards");
}
