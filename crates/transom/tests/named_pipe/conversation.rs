//! Client and server in two processes: what passes between them.

use transom::event::Event;
use transom::handle::{AsHandle, DuplicateOptions, FromHandle, RawHandle};
use transom::pipe::{self, Listener, Server, ServerOptions};
use transom::process::current_id;

use crate::support::{PATIENCE, With, argument, code, exit_code, expect_signal, limit, number, role};
use crate::{client, message_client, pipe_name, take};

pub fn echo_client() -> u32 {
    let client = message_client();
    let mut total = 0;
    for length in [0, 1, 7, 4096, 4097, 100_000] {
        let message: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| client.pipe().send(&message).unwrap());
            assert!(take(client.pipe(), 200_000) == message, "{length} bytes come back");
        });
        total += length;
    }
    total
}

/// P26, P28, P30: messages of every size, there and back.
#[test]
fn messages_cross_between_processes() {
    let _limit = limit();
    let name = pipe_name("echo");
    let server = ServerOptions::new(&name).message(true).create().unwrap();
    let child = role("echo-client").with("PIPE", &name).start();
    server.connect().unwrap();
    loop {
        let mut buffer = vec![0; 200_000];
        match server.pipe().receive_message(&mut buffer) {
            Ok(message) => {
                assert!(message.complete);
                assert_eq!(server.pipe().send(&buffer[..message.len]).unwrap(), message.len);
            }
            Err(error) => {
                assert_eq!(error.code().value(), 109, "P20");
                break;
            }
        }
    }
    assert_eq!(exit_code(&child), 1 + 7 + 4096 + 4097 + 100_000);
}

pub fn caller() -> u32 {
    let mut reply = [0; 100];
    let mut bytes = 0;
    for number in 0..20_u8 {
        // Somebody else may take the instance it waited for (P68).
        let message = loop {
            match pipe::call(&argument("PIPE"), &[number; 30], &mut reply, PATIENCE) {
                Err(error) if error.code().value() == 231 => {}
                other => break other.unwrap(),
            }
        };
        assert_eq!(reply[..message.len], [number + 1; 30]);
        bytes += message.len;
    }
    u32::try_from(bytes).unwrap()
}

/// P66: calls from several processes, one listener.
#[test]
fn calls_come_from_several_processes() {
    let _limit = limit();
    const CALLERS: usize = 3;
    let name = pipe_name("call");
    let listener = Listener::bind(ServerOptions::new(&name).message(true)).unwrap();
    let callers: Vec<_> = (0..CALLERS).map(|_| role("caller").with("PIPE", &name).start()).collect();
    for _ in 0..20 * CALLERS {
        let server = listener.accept().unwrap();
        let request = take(server.pipe(), 100);
        let reply: Vec<u8> = request.iter().map(|byte| byte + 1).collect();
        server.pipe().send(&reply).unwrap();
    }
    for caller in &callers {
        assert_eq!(exit_code(caller), 600);
    }
}

pub fn bulk_reader() -> u32 {
    let client = client();
    let mut sum = 0_u32;
    let mut buffer = vec![0; 30_011];
    loop {
        match client.pipe().receive(&mut buffer) {
            Ok(count) => {
                sum = buffer[..count].iter().fold(sum, |sum, byte| sum.wrapping_mul(31) + u32::from(*byte));
            }
            Err(error) => {
                assert_eq!(error.code().value(), 109);
                return sum & 0x7FFF_FFFF;
            }
        }
    }
}

/// P22, P34: megabytes through a small quota, every byte in its place.
#[test]
fn a_long_stream_crosses_between_processes() {
    let _limit = limit();
    let name = pipe_name("bulk");
    let server = ServerOptions::new(&name).out_size(3000).create().unwrap();
    let child = role("bulk-reader").with("PIPE", &name).start();
    server.connect().unwrap();
    let (mut sum, mut size, mut next) = (0_u32, 1, 0_u8);
    for _ in 0..300 {
        let part: Vec<u8> = (0..size)
            .map(|_| {
                next = next.wrapping_mul(5).wrapping_add(7);
                next
            })
            .collect();
        sum = part.iter().fold(sum, |sum, byte| sum.wrapping_mul(31) + u32::from(*byte));
        assert_eq!(server.pipe().send(&part).unwrap(), part.len());
        size = size * 13 % 20_011 + 1;
    }
    drop(server);
    assert_eq!(exit_code(&child), sum & 0x7FFF_FFFF);
}

pub fn ids() -> u32 {
    let client = client();
    assert_eq!(client.pipe().client_process_id().unwrap(), current_id());
    let server = client.pipe().server_process_id().unwrap();
    assert_eq!(client.peer_process().unwrap().id().unwrap(), server);
    client.pipe().send(b"here").unwrap();
    assert_eq!(take(client.pipe(), 9), b"go");
    assert_eq!(usize::try_from(server).unwrap(), number("SERVER"));
    21
}

/// P71.
#[test]
fn each_end_knows_the_other_ends_process() {
    let _limit = limit();
    let name = pipe_name("ids");
    let server = Server::create(&name).unwrap();
    let child = role("ids").with("PIPE", &name).with("SERVER", current_id()).start();
    server.connect().unwrap();
    assert_eq!(take(server.pipe(), 9), b"here");
    let id = child.process.id().unwrap();
    assert_eq!(server.pipe().client_process_id().unwrap(), id);
    assert_eq!(server.pipe().server_process_id().unwrap(), current_id());
    let peer = server.peer_process().unwrap();
    assert_eq!(peer.id().unwrap(), id);
    server.pipe().send(b"go").unwrap();
    assert_eq!(exit_code(&child), 21);
    expect_signal(&peer);
    assert_eq!(server.pipe().client_process_id().unwrap(), id, "kept after the client ended");
}

pub fn numbered_client() -> u32 {
    let client = client();
    client.pipe().send(&[u8::try_from(number("NUMBER")).unwrap()]).unwrap();
    u32::from(take(client.pipe(), 9)[0])
}

/// P5, P16, P68: more clients than instances, from as many processes.
#[test]
fn clients_of_many_processes_take_turns() {
    let _limit = limit();
    let name = pipe_name("turns");
    let servers = [Server::create(&name).unwrap(), Server::create(&name).unwrap()];
    let children: Vec<_> = (0..8)
        .map(|number| role("numbered-client").with("PIPE", &name).with("NUMBER", number).start())
        .collect();
    std::thread::scope(|scope| {
        for server in &servers {
            scope.spawn(|| {
                for _ in 0..4 {
                    server.connect().unwrap();
                    let request = take(server.pipe(), 9);
                    server.pipe().send(&[request[0] + 100]).unwrap();
                    server.pipe().flush().unwrap();
                    server.disconnect().unwrap();
                }
            });
        }
    });
    for (number, child) in (100..).zip(&children) {
        assert_eq!(exit_code(child), number);
    }
}

pub fn event_receiver() -> u32 {
    let client = client();
    let number = usize::from_le_bytes(take(client.pipe(), 8).try_into().unwrap());
    let event = Event::from_raw(RawHandle::new(number)).unwrap();
    code(event.set())
}

/// H34: a handle is given to the process at the other end, and its number told through the pipe.
#[test]
fn a_handle_reaches_the_peer() {
    let _limit = limit();
    let name = pipe_name("give");
    let server = Server::create(&name).unwrap();
    let child = role("event-receiver").with("PIPE", &name).start();
    server.connect().unwrap();
    let event = Event::new(true).unwrap();
    let there = server.duplicate_to_peer(event.as_handle(), DuplicateOptions::default()).unwrap();
    server.pipe().send(&there.value().to_le_bytes()).unwrap();
    expect_signal(&event);
    assert_eq!(exit_code(&child), 0);
}
