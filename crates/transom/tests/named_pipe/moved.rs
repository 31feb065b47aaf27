//! Ends that move between processes: inherited, or duplicated into another one (P4, P71, P74, H9, H34).

use transom::handle::{AsHandle, DuplicateOptions, FromHandle, RawHandle};
use transom::pipe::{Client, ClientOptions, Listener, Pipe, Server, ServerOptions};
use transom::process::current_id;

use crate::support::{
    PATIENCE, With, alone, argument, code, exit_code, expect_signal, handle, limit, named_event, number,
    ready, role, unique, wait_to_be_killed,
};
use crate::{client, pipe_name, take, until_available};

fn raw(end: &impl AsHandle) -> usize {
    end.as_handle().as_raw().value()
}

/// Talks through the client's end it inherited.
pub fn inheriting_client() -> u32 {
    let client = Client::from_pipe(Pipe::from_raw(handle("END")).unwrap());
    assert_eq!(client.pipe().client_process_id().unwrap() as usize, number("OPENER"), "P71");
    assert!(client.pipe().state().unwrap().message_read, "the mode is the end's");
    client.pipe().send(b"from the child").unwrap();
    let answer = take(client.pipe(), 100);
    answer.len() as u32
}

/// P71, P74, H9: the end is open as long as anybody has it; whose it was does not change.
#[test]
fn a_client_end_can_be_inherited() {
    let _limit = alone();
    let name = pipe_name("heir");
    let server = ServerOptions::new(&name).message(true).create().unwrap();
    let client = ClientOptions::new(&name).message_read(true).inherit(true).open().unwrap();
    client.pipe().send(b"from the parent").unwrap();
    let child =
        role("inheriting-client").inheriting().with("END", raw(&client)).with("OPENER", current_id()).start();
    drop(client);
    assert_eq!(take(server.pipe(), 100), b"from the parent");
    assert_eq!(take(server.pipe(), 100), b"from the child");
    assert_eq!(server.pipe().client_process_id().unwrap(), current_id());
    server.pipe().send(b"answer").unwrap();
    assert_eq!(exit_code(&child), 6);
    assert_eq!(code(server.pipe().receive(&mut [0])), 109, "now the last one has gone");
}

/// Serves through the end it inherited: one client, then another one.
pub fn inheriting_server() -> u32 {
    let server = Server::from_pipe(Pipe::from_raw(handle("END")).unwrap());
    ready();
    for _ in 0..2 {
        server.connect().unwrap();
        let request = take(server.pipe(), 100);
        server.pipe().send(&request.to_ascii_uppercase()).unwrap();
        server.pipe().flush().unwrap();
        server.disconnect().unwrap();
    }
    assert_eq!(server.pipe().server_process_id().unwrap() as usize, number("CREATOR"), "P71");
    8
}

/// P4, P16, P71: a listening end is inherited, its creator closes, and the name lives on.
#[test]
fn a_server_end_can_be_inherited() {
    let _limit = alone();
    let (name, here) = (pipe_name("heir"), unique("ready"));
    let here_event = named_event(&here);
    let server = ServerOptions::new(&name).inherit(true).create().unwrap();
    let child = role("inheriting-server")
        .inheriting()
        .with("END", raw(&server))
        .with("CREATOR", current_id())
        .with("READY", &here)
        .start();
    expect_signal(&here_event);
    drop(server);
    for text in [&b"first"[..], b"second"] {
        let client = ClientOptions::new(&name).wait(PATIENCE).open().unwrap();
        assert_eq!(client.pipe().server_process_id().unwrap(), current_id());
        client.pipe().send(text).unwrap();
        assert_eq!(take(client.pipe(), 100), text.to_ascii_uppercase());
    }
    assert_eq!(exit_code(&child), 8);
    assert_eq!(code(Client::open(&name)), 2);
}

/// H10: what is not inheritable does not keep a pipe open in a child.
#[test]
fn an_end_that_is_not_inheritable_stays_here() {
    let _limit = alone();
    let (name, here) = (pipe_name("own"), unique("ready"));
    let here_event = named_event(&here);
    let (server, other) = (Server::create(&name).unwrap(), pipe_name("other"));
    let client = Client::open(&name).unwrap();
    let unrelated = ServerOptions::new(&other).inherit(true).create().unwrap();
    let child = role("inheriting-server")
        .inheriting()
        .with("END", raw(&unrelated))
        .with("CREATOR", current_id())
        .with("READY", &here)
        .start();
    expect_signal(&here_event);
    drop(client);
    assert_eq!(code(server.pipe().receive(&mut [0])), 109);
    drop(server);
    assert_eq!(code(Client::open(&name)), 2);
    child.process.terminate(1).unwrap();
    exit_code(&child);
}

/// Takes over ends that it is told about through a pipe, and answers their clients.
pub fn receiving_server() -> u32 {
    let control = client();
    let mut served = 0;
    while let Ok(count) = control.pipe().receive(&mut [0; 0]) {
        assert_eq!(count, 0);
        let number = usize::from_le_bytes(take(control.pipe(), 8).try_into().unwrap());
        let server = Server::from_pipe(Pipe::from_raw(RawHandle::new(number)).unwrap());
        let request = take(server.pipe(), 100);
        server.pipe().send(&request.to_ascii_uppercase()).unwrap();
        served += 1;
    }
    served
}

/// H34, P71: a process accepts, another one serves: connected ends are duplicated into it.
#[test]
fn connected_ends_can_be_handed_to_a_worker() {
    let _limit = limit();
    let (control_name, name) = (pipe_name("control"), pipe_name("work"));
    let control = Server::create(&control_name).unwrap();
    let worker = role("receiving-server").with("PIPE", &control_name).start();
    control.connect().unwrap();
    let listener = Listener::bind(ServerOptions::new(&name)).unwrap();
    for round in 0..5 {
        let client = Client::open(&name).unwrap();
        let server = listener.accept().unwrap();
        let options = DuplicateOptions { close_source: true, ..DuplicateOptions::default() };
        let there = control.duplicate_to_peer(server.as_handle(), options).unwrap();
        // Its number is no longer ours to close.
        let _ = server.into_handle().into_raw();
        control.pipe().send(&there.value().to_le_bytes()).unwrap();
        client.pipe().send(format!("job {round}").as_bytes()).unwrap();
        assert_eq!(take(client.pipe(), 100), format!("JOB {round}").as_bytes());
        assert_eq!(client.pipe().server_process_id().unwrap(), current_id(), "P71: who created it");
        assert_eq!(code(client.pipe().receive(&mut [0])), 109, "the worker has closed it");
    }
    drop(control);
    assert_eq!(exit_code(&worker), 5);
}

/// Holds an end that somebody put here, until it is killed.
pub fn given_end() -> u32 {
    let control = client();
    let number = usize::from_le_bytes(take(control.pipe(), 8).try_into().unwrap());
    let end = Pipe::from_raw(RawHandle::new(number)).unwrap();
    end.send(argument("TEXT").as_bytes()).unwrap();
    control.pipe().send(b"wrote").unwrap();
    wait_to_be_killed()
}

/// P74: an end is closed when the last process that has it is gone, in whatever way.
#[test]
fn an_end_lives_until_its_last_process_is_killed() {
    let _limit = limit();
    let (control_name, name) = (pipe_name("control"), pipe_name("kept"));
    let control = Server::create(&control_name).unwrap();
    let child = role("given-end").with("PIPE", &control_name).with("TEXT", "from there").start();
    control.connect().unwrap();
    let server = Server::create(&name).unwrap();
    let client = Client::open(&name).unwrap();
    let there = control.duplicate_to_peer(client.as_handle(), DuplicateOptions::default()).unwrap();
    control.pipe().send(&there.value().to_le_bytes()).unwrap();
    assert_eq!(take(control.pipe(), 9), b"wrote");
    drop(client);
    until_available(server.pipe(), 10);
    server.pipe().set_nowait(true).unwrap();
    assert_eq!(take(server.pipe(), 100), b"from there");
    assert_eq!(code(server.pipe().receive(&mut [0])), 232, "not the end yet");
    server.pipe().set_nowait(false).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| code(server.pipe().receive(&mut [0])));
        child.process.terminate(1).unwrap();
        assert_eq!(waiting.join().unwrap(), 109);
    });
    exit_code(&child);
}
