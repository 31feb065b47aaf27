//! What documented Windows does and Wine 8.0 does not (conformance/NOTES.md of the specification), and extensions.

use std::thread;

use super::{code, name, pair};
use crate::mailslot::{Options, Server, Writer};
use crate::support::limit;
use crate::wait::Timeout;

/// S11, S29: the worked example.
#[test]
fn counts_sizes_and_short_buffers_are_exact() {
    let _limit = limit();
    let name = name("exact");
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    let info = || server.info().map(|info| (info.next, info.count)).unwrap();
    assert_eq!(info(), (None, 0));
    let (one, two) = (Writer::open(&name).unwrap(), Writer::open(&name).unwrap());
    one.send(b"one").unwrap();
    two.send(b"three").unwrap();
    one.send(b"").unwrap();
    assert_eq!(info(), (Some(3), 3));
    // S12, S14: nothing is taken.
    assert_eq!(code(server.receive(&mut [0; 2])), 122);
    assert_eq!(code(server.receive(&mut [])), 122);
    assert_eq!(info(), (Some(3), 3));
    assert_eq!(server.receive(&mut [0; 100]).unwrap(), 3);
    // S17: they stay when their writers go.
    drop((one, two));
    assert_eq!(info(), (Some(5), 2));
    assert_eq!(server.receive(&mut [0; 5]).unwrap(), 5);
    assert_eq!(info(), (Some(0), 1));
    // S14: a read of 0 bytes takes an empty message.
    assert_eq!(server.receive(&mut []).unwrap(), 0);
    assert_eq!(code(server.receive(&mut [])), 121);
}

/// S15, S16
#[test]
fn the_longest_message_is_kept_to() {
    let _limit = limit();
    let name = name("longest");
    let server = Options::new(&name).max_message(100).read_timeout(Timeout::ZERO).create().unwrap();
    let writer = Writer::open(&name).unwrap();
    writer.send(&[1; 100]).unwrap();
    assert_eq!(code(writer.send(&[2; 101])), 87);
    assert_eq!((server.info().unwrap().max_message, server.info().unwrap().count), (Some(100), 1));
    let (server, writer) = pair("any");
    writer.send(&vec![3; 3 << 20]).unwrap();
    assert_eq!(server.receive_vec().unwrap(), vec![3; 3 << 20]);
    assert_eq!(server.info().unwrap().max_message, None);
}

/// S34
#[test]
fn writing_to_a_server_that_is_gone_fails_with_38() {
    let _limit = limit();
    let (server, writer) = pair("gone");
    writer.send(b"there").unwrap();
    drop(server);
    assert_eq!(code(writer.send(b"x")), 38);
}

/// S4, S6
#[test]
fn other_computers_are_not_reached() {
    let _limit = limit();
    for name in [r"\\*\mailslot\x", r"\\elsewhere\mailslot\x"] {
        assert_eq!(code(Writer::open(name)), 3025, "{name}");
        assert_eq!(code(Server::create(name)), 3, "{name}");
    }
}

/// S6
#[test]
fn this_computers_own_names_are_local() {
    let _limit = limit();
    let name = name("here");
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    for computer in ["localhost".to_owned(), transom_sys::linux::host::computer()] {
        let writer = Writer::open(&name.replacen('.', &computer, 1)).unwrap();
        writer.send(computer.as_bytes()).unwrap();
        assert_eq!(server.receive_vec().unwrap(), computer.as_bytes());
    }
}

/// S26, S27: several threads may wait with one handle, and each message goes to one of them.
#[test]
fn threads_that_wait_with_one_handle_get_a_message_each() {
    let _limit = limit();
    let name = name("threads");
    let server = Server::create(&name).unwrap();
    let writer = Writer::open(&name).unwrap();
    let mut got: Vec<u8> = thread::scope(|scope| {
        let readers = [(); 4]
            .map(|()| scope.spawn(|| (0..50).map(|_| server.receive_vec().unwrap()[0]).collect::<Vec<u8>>()));
        for number in 0..200 {
            writer.send(&[number]).unwrap();
        }
        readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect()
    });
    got.sort_unstable();
    assert_eq!(got, (0..200).collect::<Vec<u8>>());
}

/// An extension.
#[test]
fn many_messages_are_taken_in_one_call() {
    let _limit = limit();
    let (server, writer) = pair("batch");
    for number in 0..1000_u32 {
        writer.send(&vec![number as u8; number as usize * 7]).unwrap();
    }
    let mut seen = 0;
    let count = server
        .receive_many(900, |message| {
            assert_eq!(message, vec![seen as u8; seen * 7]);
            seen += 1;
        })
        .unwrap();
    assert_eq!((count, seen, server.info().unwrap().count), (900, 900, 100));
    assert_eq!(server.receive_many(900, |_| {}).unwrap(), 100);
    assert_eq!(code(server.receive_many(900, |_| {})), 121);
}

#[test]
fn a_wait_can_be_cancelled() {
    let _limit = limit();
    let server = Server::create(&name("cancel")).unwrap();
    assert_eq!(code(server.cancel()), 1168);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| code(server.receive(&mut [0; 4])));
        while server.cancel().is_err() {
            thread::yield_now();
        }
        assert_eq!(waiting.join().unwrap(), 995);
    });
}

/// Section 9: rather than hang.
#[test]
fn closing_the_handle_ends_a_wait() {
    let _limit = limit();
    let server = Server::create(&name("close")).unwrap();
    let raw = crate::handle::AsHandle::as_handle(&server).as_raw();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| code(server.receive(&mut [0; 4])));
        let name = crate::namespace::list().unwrap();
        assert!(name.iter().any(|object| object.kind == crate::handle::Kind::Mailslot));
        crate::handle::close(raw).unwrap();
        assert_eq!(waiting.join().unwrap(), 6);
    });
}
