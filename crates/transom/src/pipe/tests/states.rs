//! What each call does in each state (pipes.md, section 2), as far as no other file has it.

use super::{Waiting, name, take};
use crate::pipe::{Client, Pipe, Server, ServerOptions};
use crate::process::current_id;
use crate::support::{code, limit};
use crate::wait::Timeout;

fn message_server(name: &str) -> Server {
    ServerOptions::new(name).message(true).create().unwrap()
}

/// Get/SetNamedPipeHandleState and GetNamedPipeInfo work on a server in every state.
fn state_calls_work(server: &Pipe) {
    assert_eq!(server.state().unwrap().instances, 1);
    assert_eq!(server.info().unwrap().in_size, 4096);
    server.set_mode(2).unwrap();
    assert_eq!(server.server_process_id().unwrap(), current_id());
}

/// Column "listening".
#[test]
fn a_listening_server() {
    let _limit = limit();
    let server = message_server(&name());
    let pipe = server.pipe();
    assert_eq!(code(pipe.receive(&mut [0; 4])), 536);
    assert_eq!(code(pipe.receive(&mut [])), 536);
    assert_eq!(code(pipe.send(b"x")), 536);
    assert_eq!(code(pipe.send(b"")), 536);
    assert_eq!(code(pipe.peek(&mut [0; 4])), 230);
    assert_eq!(code(pipe.transact(b"x", &mut [0; 4])), 230);
    assert_eq!(code(pipe.flush()), 0);
    state_calls_work(pipe);
}

/// Column "connected".
#[test]
fn a_connected_server() {
    let _limit = limit();
    let name = name();
    let server = message_server(&name);
    let client = Client::open(&name).unwrap();
    client.pipe().set_mode(2).unwrap();
    let pipe = server.pipe();
    client.pipe().send(b"data").unwrap();
    assert_eq!(pipe.peek(&mut [0; 9]).unwrap().available, 4);
    assert_eq!(take(pipe, 9), b"data");
    assert_eq!(pipe.send(b"down").unwrap(), 4);
    assert_eq!(take(client.pipe(), 9), b"down");
    assert_eq!(code(pipe.flush()), 0);
    assert_eq!(pipe.client_process_id().unwrap(), current_id());
    state_calls_work(pipe);
    state_calls_work(client.pipe());
}

/// Column "closing", seen from the server.
#[test]
fn a_server_whose_client_left() {
    let _limit = limit();
    let name = name();
    let server = message_server(&name);
    let client = Client::open(&name).unwrap();
    client.pipe().send(b"one").unwrap();
    client.pipe().send(b"two").unwrap();
    drop(client);
    let pipe = server.pipe();
    assert_eq!(code(pipe.transact(b"x", &mut [0; 4])), 230);
    assert_eq!(code(pipe.send(b"x")), 232);
    assert_eq!(code(pipe.send(b"")), 232);
    assert_eq!(code(pipe.flush()), 0);
    assert_eq!(pipe.peek(&mut [0; 9]).unwrap().available, 6);
    assert_eq!(take(pipe, 9), b"one");
    assert_eq!(take(pipe, 9), b"two");
    assert_eq!(code(pipe.peek(&mut [0; 9])), 109);
    assert_eq!(code(pipe.receive(&mut [0; 9])), 109);
    assert_eq!(code(pipe.transact(b"x", &mut [0; 4])), 230);
    assert_eq!(code(pipe.flush()), 0);
    assert_eq!(pipe.client_process_id().unwrap(), current_id(), "P71: of the last client");
    state_calls_work(pipe);
}

/// Column "closing", seen from the client.
#[test]
fn a_client_whose_server_left() {
    let _limit = limit();
    let name = name();
    let server = message_server(&name);
    let client = Client::open(&name).unwrap();
    client.pipe().set_mode(2).unwrap();
    server.pipe().send(b"bye").unwrap();
    drop(server);
    let pipe = client.pipe();
    assert_eq!(code(pipe.transact(b"x", &mut [0; 4])), 230);
    assert_eq!(code(pipe.send(b"x")), 232);
    assert_eq!(code(pipe.flush()), 0);
    assert_eq!(code(pipe.set_mode(2)), 0);
    assert!(pipe.state().unwrap().message_read);
    assert!(pipe.info().unwrap().is_message_type());
    assert_eq!(pipe.server_process_id().unwrap(), current_id());
    assert_eq!(take(pipe, 9), b"bye");
    assert_eq!(code(pipe.receive(&mut [0; 9])), 109);
}

/// Column "disconnected, server".
#[test]
fn a_disconnected_server() {
    let _limit = limit();
    let name = name();
    let server = message_server(&name);
    let client = Client::open(&name).unwrap();
    client.pipe().send(b"unread").unwrap();
    server.disconnect().unwrap();
    let pipe = server.pipe();
    assert_eq!(code(pipe.receive(&mut [0; 4])), 233);
    assert_eq!(code(pipe.receive(&mut [])), 233);
    assert_eq!(code(pipe.send(b"x")), 233);
    assert_eq!(code(pipe.send(b"")), 233);
    assert_eq!(code(pipe.peek(&mut [0; 4])), 230);
    assert_eq!(code(pipe.transact(b"x", &mut [0; 4])), 230);
    assert_eq!(code(pipe.flush()), 0);
    state_calls_work(pipe);
    drop(client);
    assert_eq!(code(pipe.receive(&mut [0; 4])), 233);
}

/// P71: after a disconnect there is no client's process any more.
#[test]
fn a_disconnected_server_has_forgotten_its_client() {
    let _limit = limit();
    let (server, _client) = super::pair();
    server.disconnect().unwrap();
    crate::differs_under_wine!("P71", code(server.pipe().client_process_id()) == 1168);
}

/// A disconnected server that connects is a listening one, in every respect.
#[test]
fn a_server_that_listens_again() {
    let _limit = limit();
    let name = name();
    let server = message_server(&name);
    let client = Client::open(&name).unwrap();
    server.disconnect().unwrap();
    drop(client);
    assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
    assert_eq!(code(server.pipe().receive(&mut [0; 4])), 536);
    assert_eq!(code(server.pipe().send(b"x")), 536);
    assert_eq!(code(server.pipe().peek(&mut [0; 4])), 230);
    assert_eq!(code(server.pipe().flush()), 0);
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || server.connect().unwrap());
        let _client = Client::open(&name).unwrap();
        waiting.end();
    });
}

/// Section 3: the server's end of an outbound pipe lacks the right to ask.
#[test]
fn an_outbound_server_cannot_ask_for_information() {
    let _limit = limit();
    let server = ServerOptions::new(&name()).outbound().create().unwrap();
    assert_eq!(code(server.pipe().info()), 5);
    assert_eq!(code(server.pipe().state()), 5);
    assert_eq!(code(server.pipe().set_mode(0)), 0, "but may set");
}

/// Section 3: a client that reads only lacks the right to set its mode, unless it asked for it.
#[test]
fn a_reading_client_must_ask_for_the_right_to_set_its_mode() {
    let _limit = limit();
    use crate::pipe::ClientOptions;
    let name = name();
    let options = ServerOptions::new(&name).outbound().message(true);
    let (_first, _second) = (options.create().unwrap(), options.create().unwrap());
    let client = ClientOptions::new(&name).write(false).open().unwrap();
    let result = code(client.pipe().set_mode(2));
    crate::differs_under_wine!("P45", result == 5);
    let client = ClientOptions::new(&name).write(false).message_read(true).open().unwrap();
    assert!(client.pipe().state().unwrap().message_read);
}

/// Section 3: SetNamedPipeHandleState.
#[test]
fn undefined_mode_bits_are_87_and_change_nothing() {
    let _limit = limit();
    let (server, client) = super::message_pair();
    for end in [server.pipe(), client.pipe()] {
        for mode in [4, 8, 0x8000_0000, 2 | 4] {
            assert_eq!(code(end.set_mode(mode)), 87, "{mode:#x}");
        }
        let state = end.state().unwrap();
        assert_eq!((state.message_read, state.nowait), (true, false));
    }
}
