//! `TransactNamedPipe` and `CallNamedPipe` (P63 to P67).

use super::{Waiting, available, connected, message_pair, name, pair, take, take_message};
use crate::pipe::{self, Client, InstanceWait, Message, Server, ServerOptions};
use crate::support::{PATIENCE, code, limit};
use crate::wait::Timeout;

/// Answers requests with themselves in capitals, until the client leaves.
fn answer(server: &Server) {
    let mut buffer = [0; 1000];
    while let Ok(message) = server.pipe().receive_message(&mut buffer) {
        server.pipe().send(&buffer[..message.len].to_ascii_uppercase()).unwrap();
    }
}

/// One write and one read in one step.
#[test]
fn a_transaction_brings_the_reply() {
    let _limit = limit();
    let (server, client) = message_pair();
    std::thread::scope(|scope| {
        scope.spawn(|| answer(&server));
        let mut reply = [0; 100];
        for request in [&b"one"[..], b"two", b"three"] {
            let message = client.pipe().transact(request, &mut reply).unwrap();
            assert_eq!(message, Message { len: request.len(), complete: true });
            assert_eq!(reply[..message.len], request.to_ascii_uppercase());
        }
        drop(client);
    });
}

/// P65.
#[test]
fn a_reply_too_long_for_the_buffer_comes_in_parts() {
    let _limit = limit();
    let (server, client) = message_pair();
    std::thread::scope(|scope| {
        scope.spawn(|| answer(&server));
        let mut reply = [0; 4];
        let message = client.pipe().transact(b"abcdefg", &mut reply).unwrap();
        assert_eq!((message, &reply), (Message { len: 4, complete: false }, b"ABCD"));
        assert_eq!(code(client.pipe().transact(b"x", &mut reply)), 231, "P63: the rest is unread");
        assert_eq!(take_message(client.pipe(), 9), (b"EFG".to_vec(), true));
        drop(client);
    });
}

/// P65: empty requests and replies are messages.
#[test]
fn a_transaction_may_carry_nothing() {
    let _limit = limit();
    let (server, client) = message_pair();
    std::thread::scope(|scope| {
        scope.spawn(|| answer(&server));
        let message = client.pipe().transact(b"", &mut [0; 9]).unwrap();
        assert_eq!(message, Message { len: 0, complete: true });
        drop(client);
    });
}

/// P63.
#[test]
fn unread_data_stops_a_transaction_before_it_sends() {
    let _limit = limit();
    let (server, client) = message_pair();
    server.pipe().send(b"unread").unwrap();
    assert_eq!(code(client.pipe().transact(b"request", &mut [0; 9])), 231);
    assert_eq!(available(server.pipe()), 0, "not sent");
    assert_eq!(take(client.pipe(), 9), b"unread");
}

/// P64: it does not wait for its own write to fit.
#[test]
fn a_request_needs_no_room() {
    let _limit = limit();
    let options = ServerOptions::new(&name()).message(true).in_size(4);
    let (server, client) = connected(&options);
    client.pipe().set_message_read(true).unwrap();
    client.pipe().send(b"full").unwrap();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || {
            let mut reply = [0; 9];
            let message = client.pipe().transact(b"a long request", &mut reply).unwrap();
            reply[..message.len].to_vec()
        });
        super::until_available(server.pipe(), 18);
        server.pipe().send(b"reply").unwrap();
        assert_eq!(waiting.end(), b"reply", "before the request was read");
    });
    assert_eq!(take(server.pipe(), 100), b"full");
    assert_eq!(take(server.pipe(), 100), b"a long request");
}

/// P65: either end may, and one answers the other.
#[test]
fn a_server_may_transact_too() {
    let _limit = limit();
    let (server, client) = message_pair();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || {
            let mut reply = [0; 9];
            let message = server.pipe().transact(b"ping", &mut reply).unwrap();
            reply[..message.len].to_vec()
        });
        assert_eq!(take(client.pipe(), 9), b"ping");
        let answering = Waiting::begin(scope, || {
            let mut reply = [0; 9];
            client.pipe().send(b"pong").unwrap();
            let message = client.pipe().receive_message(&mut reply).unwrap();
            reply[..message.len].to_vec()
        });
        assert_eq!(waiting.end(), b"pong");
        server.pipe().send(b"end").unwrap();
        assert_eq!(answering.end(), b"end");
    });
}

/// Section 3: 230 for pipes of bytes and byte read mode, 5 without both rights.
#[test]
fn a_transaction_needs_messages_in_both_directions() {
    let _limit = limit();
    let (_server, client) = pair();
    assert_eq!(code(client.pipe().transact(b"x", &mut [0; 9])), 230, "a pipe of bytes");
    let (_server, client) = connected(&ServerOptions::new(&name()).message(true));
    assert_eq!(code(client.pipe().transact(b"x", &mut [0; 9])), 230, "byte read mode");
    let (server, client) = connected(&ServerOptions::new(&name()).message(true).inbound());
    assert_eq!(code(server.pipe().transact(b"x", &mut [0; 9])), 5);
    assert_eq!(code(client.pipe().transact(b"x", &mut [0; 9])), 5);
}

/// P73.
#[test]
fn anonymous_pipes_have_no_transactions() {
    let _limit = limit();
    let (reader, writer) = pipe::anonymous().unwrap();
    assert_eq!(code(reader.pipe().transact(b"x", &mut [0; 9])), 5);
    assert_eq!(code(writer.pipe().transact(b"x", &mut [0; 9])), 5);
    let server = Server::from_pipe(reader.into_pipe());
    assert_eq!(server.connect().unwrap(), pipe::Connected::Already);
}

/// The request stays sent when the time runs out, and the reply can be read later.
#[test]
fn a_transaction_may_run_out_of_time() {
    let _limit = limit();
    let (server, client) = message_pair();
    assert_eq!(code(client.pipe().transact_timeout(b"request", &mut [0; 9], Timeout::millis(20))), 121);
    assert_eq!(take(server.pipe(), 9), b"request");
    server.pipe().send(b"late").unwrap();
    assert_eq!(take(client.pipe(), 9), b"late");
}

/// P66.
#[test]
fn a_call_opens_transacts_and_closes() {
    let _limit = limit();
    let name = name();
    let server = ServerOptions::new(&name).message(true).create().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..2 {
                server.connect().unwrap();
                answer(&server);
                server.disconnect().unwrap();
            }
        });
        let mut reply = [0; 4];
        let message = pipe::call(&name, b"abc", &mut reply, PATIENCE).unwrap();
        assert_eq!((message, &reply[..3]), (Message { len: 3, complete: true }, &b"ABC"[..]));
        // The rest of a reply that is too long is lost, and the instance was busy until now.
        let message = pipe::call(&name, b"abcdef", &mut reply, PATIENCE).unwrap();
        assert_eq!((message, &reply), (Message { len: 4, complete: false }, b"ABCD"));
    });
}

/// Section 3: CallNamedPipe.
#[test]
fn a_call_tells_why_it_failed() {
    let _limit = limit();
    let call = |name: &str, wait: InstanceWait| code(pipe::call(name, b"x", &mut [0; 9], wait));
    let name = name();
    assert_eq!(call(&name, Timeout::INFINITE.into()), 2);
    let server = ServerOptions::new(&name).message(true).create().unwrap();
    let client = Client::open(&name).unwrap();
    assert!(matches!(call(&name, Timeout::millis(20).into()), 121 | 231));
    assert!(matches!(call(&name, Timeout::ZERO.into()), 121 | 231));
    assert!(matches!(call(&name, InstanceWait::Default), 121 | 231), "50 ms");
    drop((server, client));
    let bytes = super::name();
    let _server = Server::create(&bytes).unwrap();
    assert_eq!(call(&bytes, InstanceWait::Default), 87, "a pipe of bytes");
}

/// P66: a server that goes without an answer.
#[test]
fn a_call_without_an_answer_is_109() {
    let _limit = limit();
    let name = name();
    let server = ServerOptions::new(&name).message(true).create().unwrap();
    std::thread::scope(|scope| {
        let calling = Waiting::begin(scope, || code(pipe::call(&name, b"anyone?", &mut [0; 9], PATIENCE)));
        assert_eq!(take(server.pipe(), 100), b"anyone?");
        drop(server);
        assert_eq!(calling.end(), 109);
    });
}
