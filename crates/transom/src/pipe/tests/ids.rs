//! Process ids and the peer (P71), within one process. tests/named_pipe.rs has other processes.

use super::{name, pair, take};
use crate::event::Event;
use crate::handle::{AsHandle, DuplicateOptions, FromHandle};
use crate::pipe::{Client, Server};
use crate::process::current_id;
use crate::support::{code, limit, signalled};

/// P71: from either end, also through a duplicate.
#[test]
fn both_ends_know_both_processes() {
    let _limit = limit();
    let (server, client) = pair();
    let copy = client.try_clone().unwrap();
    for end in [server.pipe(), client.pipe(), copy.pipe()] {
        assert_eq!(end.client_process_id().unwrap(), current_id());
        assert_eq!(end.server_process_id().unwrap(), current_id());
    }
    drop((client, copy));
    assert_eq!(server.pipe().client_process_id().unwrap(), current_id(), "kept after the client left");
}

/// P71.
#[test]
fn a_listening_instance_has_no_client() {
    let _limit = limit();
    let server = Server::create(&name()).unwrap();
    let codes = (code(server.pipe().client_process_id()), code(server.peer_process()));
    crate::differs_under_wine!("P71", codes == (1168, 1168));
    assert_eq!(server.pipe().server_process_id().unwrap(), current_id());
}

/// H34 over a pipe: a handle is duplicated into the peer and its number sent there.
#[test]
fn a_handle_is_given_to_the_peer() {
    let _limit = limit();
    let (server, client) = pair();
    let event = Event::new(true).unwrap();
    let options = DuplicateOptions::default();
    let to_server = client.duplicate_to_peer(event.as_handle(), options).unwrap();
    client.pipe().send(&to_server.value().to_le_bytes()).unwrap();
    let number = usize::from_le_bytes(take(server.pipe(), 8).try_into().unwrap());
    let received = Event::from_raw(crate::handle::RawHandle::new(number)).unwrap();
    received.set().unwrap();
    assert!(signalled(&event));
    let back = server.duplicate_to_peer(event.as_handle(), options).unwrap();
    assert!(signalled(&Event::from_raw(back).unwrap()));
}

/// A handle of a pipe is what everything else here is: it can be taken apart and put together.
#[test]
fn ends_are_made_of_handles() {
    let _limit = limit();
    let (server, client) = pair();
    let number = client.into_handle().into_raw();
    let client = Client::from_raw(number).unwrap();
    let borrowed = Client::borrow(number).unwrap();
    borrowed.pipe().send(b"x").unwrap();
    drop(borrowed);
    client.pipe().send(b"y").unwrap();
    let server = Server::from_handle(server.into_handle()).unwrap();
    assert_eq!(take(server.pipe(), 9), b"xy");
}
