//! Pipes of messages (P26 to P32).

use super::{Waiting, available, connected, message_pair, name, take, take_message};
use crate::pipe::{Message, ServerOptions};
use crate::support::{code, limit};

/// P26, P27.
#[test]
fn each_read_takes_one_message() {
    let _limit = limit();
    let (server, client) = message_pair();
    for text in [&b"first"[..], b"2nd", b"third one"] {
        assert_eq!(client.pipe().send(text).unwrap(), text.len());
    }
    assert_eq!(take_message(server.pipe(), 100), (b"first".to_vec(), true));
    assert_eq!(take_message(server.pipe(), 3), (b"2nd".to_vec(), true), "fitting to the byte");
    assert_eq!(take_message(server.pipe(), 100), (b"third one".to_vec(), true));
}

/// P27: 234, and the rest with the next read.
#[test]
fn a_message_too_long_for_the_buffer_comes_in_parts() {
    let _limit = limit();
    let (server, client) = message_pair();
    server.pipe().send(b"abcdefghij").unwrap();
    server.pipe().send(b"next").unwrap();
    assert_eq!(take_message(client.pipe(), 4), (b"abcd".to_vec(), false));
    assert_eq!(take_message(client.pipe(), 4), (b"efgh".to_vec(), false));
    assert_eq!(take_message(client.pipe(), 4), (b"ij".to_vec(), true));
    assert_eq!(take_message(client.pipe(), 4), (b"next".to_vec(), true));
}

/// P27: in any thread, through any handle to the end.
#[test]
fn the_rest_of_a_message_can_be_read_elsewhere() {
    let _limit = limit();
    let (server, client) = message_pair();
    server.pipe().send(b"abcdef").unwrap();
    assert_eq!(take_message(client.pipe(), 4), (b"abcd".to_vec(), false));
    let copy = client.try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || assert_eq!(take_message(copy.pipe(), 4), (b"ef".to_vec(), true)));
    });
}

/// P26: a reader in byte read mode sees no borders.
#[test]
fn byte_read_mode_ignores_borders() {
    let _limit = limit();
    let (server, client) = connected(&ServerOptions::new(&name()).message(true));
    server.pipe().send(b"ab").unwrap();
    server.pipe().send(b"cde").unwrap();
    assert_eq!(take_message(client.pipe(), 4), (b"abcd".to_vec(), true));
    assert_eq!(take_message(client.pipe(), 4), (b"e".to_vec(), true));
}

/// P24: reading nothing of a message that is not empty.
#[test]
fn reading_nothing_of_a_message_tells_that_there_is_more() {
    let _limit = limit();
    let (server, client) = message_pair();
    server.pipe().send(b"x").unwrap();
    assert_eq!(client.pipe().receive_message(&mut []).unwrap(), Message { len: 0, complete: false });
    assert_eq!(available(client.pipe()), 1);
    client.pipe().set_message_read(false).unwrap();
    assert_eq!(client.pipe().receive_message(&mut []).unwrap(), Message { len: 0, complete: true });
    assert_eq!(take(client.pipe(), 9), b"x");
}

/// P28.
#[test]
fn an_empty_message_is_a_message() {
    let _limit = limit();
    let (server, client) = message_pair();
    assert_eq!(server.pipe().send(b"").unwrap(), 0);
    server.pipe().send(b"after").unwrap();
    assert_eq!(take_message(client.pipe(), 9), (Vec::new(), true));
    assert_eq!(take_message(client.pipe(), 9), (b"after".to_vec(), true));
}

/// P28: in both read modes, one reader.
#[test]
fn an_empty_message_wakes_one_reader() {
    let _limit = limit();
    for message_read in [true, false] {
        let (server, client) = message_pair();
        client.pipe().set_message_read(message_read).unwrap();
        std::thread::scope(|scope| {
            let first = Waiting::begin(scope, || take_message(client.pipe(), 9));
            let second = Waiting::begin(scope, || take_message(client.pipe(), 9));
            server.pipe().send(b"").unwrap();
            assert_eq!(first.end(), (Vec::new(), true), "P52: the first that waited");
            second.still();
            server.pipe().send(b"text").unwrap();
            assert_eq!(second.end(), (b"text".to_vec(), true));
        });
    }
}

/// P24: a read of nothing takes an empty message.
#[test]
fn reading_nothing_takes_an_empty_message() {
    let _limit = limit();
    let (server, client) = message_pair();
    server.pipe().send(b"").unwrap();
    server.pipe().send(b"x").unwrap();
    assert_eq!(client.pipe().receive_message(&mut []).unwrap(), Message { len: 0, complete: true });
    assert_eq!(client.pipe().receive_message(&mut []).unwrap(), Message { len: 0, complete: false });
    assert_eq!(take(client.pipe(), 9), b"x");
}

/// P29: a half-read message is a message again when the mode says so.
#[test]
fn the_read_mode_counts_from_the_next_read_on() {
    let _limit = limit();
    let (server, client) = message_pair();
    client.pipe().set_message_read(false).unwrap();
    server.pipe().send(b"abcdef").unwrap();
    server.pipe().send(b"ghi").unwrap();
    server.pipe().send(b"jkl").unwrap();
    assert_eq!(take(client.pipe(), 2), b"ab");
    client.pipe().set_message_read(true).unwrap();
    assert_eq!(take_message(client.pipe(), 100), (b"cdef".to_vec(), true), "the rest of that message");
    client.pipe().set_message_read(false).unwrap();
    assert_eq!(take(client.pipe(), 100), b"ghijkl");
}

/// P30, P35: larger than the quota, still whole; parts can be read meanwhile.
#[test]
fn a_message_may_be_larger_than_the_quota() {
    let _limit = limit();
    let options = ServerOptions::new(&name()).message(true).out_size(100);
    let (server, client) = connected(&options);
    client.pipe().set_message_read(true).unwrap();
    for length in [101, 5_000, 300_000] {
        let message: Vec<u8> = (0..length).map(|n| (n % 253) as u8).collect();
        std::thread::scope(|scope| {
            let waiting = Waiting::begin(scope, || server.pipe().send(&message).unwrap());
            let mut received = Vec::new();
            loop {
                let (part, complete) = take_message(client.pipe(), 97);
                received.extend(part);
                if complete {
                    break;
                }
            }
            assert_eq!(waiting.end(), length);
            assert!(received == message);
        });
    }
}

/// P27, P30: 1 MiB in one read.
#[test]
fn a_large_message_fits_a_large_buffer() {
    let _limit = limit();
    let (server, client) = message_pair();
    let message: Vec<u8> = (0..1 << 20).map(|n: u32| (n % 241) as u8).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(client.pipe().send(&message).unwrap(), message.len()));
        let (received, complete) = take_message(server.pipe(), 2 << 20);
        assert!(complete);
        assert!(received == message);
    });
}

/// P31.
#[test]
fn a_byte_pipe_has_no_messages() {
    let _limit = limit();
    let (server, client) = super::pair();
    for end in [server.pipe(), client.pipe()] {
        assert_eq!(code(end.set_mode(2)), 87);
        assert_eq!(code(end.set_message_read(true)), 87);
        assert_eq!(code(end.set_mode(3)), 87, "and nothing changes");
        assert!(!end.nowait().unwrap());
        assert!(!end.info().unwrap().is_message_type());
    }
    let options = ServerOptions::new(&name());
    let _server = options.create().unwrap();
    let client = crate::pipe::ClientOptions::new_utf16(&options.name).message_read(true);
    assert_eq!(code(client.open()), 87);
}

/// P31, P26: a message pipe accepts either mode; a client chooses when it opens.
#[test]
fn a_message_pipe_accepts_either_mode() {
    let _limit = limit();
    let options = ServerOptions::new(&name()).message(true);
    let server = options.create().unwrap();
    let client = crate::pipe::ClientOptions::new_utf16(&options.name).message_read(true).open().unwrap();
    for message_read in [true, false, true] {
        client.pipe().set_message_read(message_read).unwrap();
        assert_eq!(client.pipe().state().unwrap().message_read, message_read);
        assert!(server.pipe().state().unwrap().message_read, "P32: the other end is as it was");
    }
    assert!(client.pipe().info().unwrap().is_message_type());
}

/// P39: writers of one end at once: every message whole.
#[test]
fn messages_of_several_writers_stay_whole() {
    let _limit = limit();
    let (server, client) = message_pair();
    const EACH: usize = 300;
    std::thread::scope(|scope| {
        for writer in 0..4_u8 {
            let client = &client;
            scope.spawn(move || {
                for number in 0..EACH {
                    let message = vec![writer; 1 + number * 37 % 900];
                    assert_eq!(client.pipe().send(&message).unwrap(), message.len());
                }
            });
        }
        let mut next = [0; 4];
        for _ in 0..4 * EACH {
            let (message, complete) = take_message(server.pipe(), 1000);
            assert!(complete);
            let writer = usize::from(message[0]);
            assert!(message.iter().all(|byte| usize::from(*byte) == writer), "one writer's alone");
            assert_eq!(message.len(), 1 + next[writer] * 37 % 900, "in its order");
            next[writer] += 1;
        }
        assert_eq!(next, [EACH; 4]);
    });
}
