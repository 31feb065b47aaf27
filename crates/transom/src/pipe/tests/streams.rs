//! The standard library's traits over named pipes, and how calls wait.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};

use super::{Waiting, message_pair, name, pair, take};
use crate::pipe::{ClientOptions, ServerOptions, Spin};
use crate::support::{io_code, limit, read_all};

/// The end of the pipe is the end of the stream.
#[test]
fn ends_are_streams_in_both_directions() {
    let _limit = limit();
    let (mut server, client) = pair();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut lines = BufReader::new(&client).lines();
            assert_eq!(lines.next().unwrap().unwrap(), "hello");
            (&client).write_all(b"world\n").unwrap();
            assert_eq!(lines.next().unwrap().unwrap(), "end");
            assert!(lines.next().is_none());
        });
        writeln!(server, "hello").unwrap();
        let mut answer = [0; 6];
        server.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"world\n");
        writeln!(server, "end").unwrap();
        server.flush().unwrap();
        drop(server);
    });
}

/// Message read mode: borders are lost to a stream, bytes are not.
#[test]
fn a_stream_over_messages_gets_every_byte() {
    let _limit = limit();
    let (server, client) = message_pair();
    server.pipe().send(&[b'a'; 100]).unwrap();
    // P28: a message; to a stream it is nothing, least of all the end.
    server.pipe().send(b"").unwrap();
    server.pipe().send(b"bc").unwrap();
    drop(server);
    let mut small = [0; 7];
    assert_eq!((&client).read(&mut small).unwrap(), 7);
    assert_eq!(read_all(&client), [&[b'a'; 93][..], b"bc"].concat());
}

/// P41, P42, P20 as kinds of errors.
#[test]
fn streams_tell_waiting_from_ending() {
    let _limit = limit();
    let options = ServerOptions::new(&name()).nowait(true).out_size(100);
    let (mut server, client) = super::connected(&options);
    assert_eq!(server.read(&mut [0; 4]).unwrap_err().kind(), ErrorKind::WouldBlock);
    server.write_all(&[0; 100]).unwrap();
    assert_eq!(server.write(&[0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(client);
    let error = server.write(&[0]).unwrap_err();
    assert_eq!((error.kind(), io_code(&error)), (ErrorKind::BrokenPipe, 232));
    assert_eq!(server.read(&mut [0; 4]).unwrap(), 0);
    server.disconnect().unwrap();
    let error = server.read(&mut [0; 4]).unwrap_err();
    assert_eq!(io_code(&error), 233);
}

/// How a call waits changes nothing about what it does.
#[test]
fn every_way_to_wait_brings_the_data() {
    let _limit = limit();
    for spin in [Spin::Never, Spin::Adaptive, Spin::Always] {
        let name = name();
        let server = ServerOptions::new(&name).spin(spin).create().unwrap();
        let client = ClientOptions::new(&name).spin(spin).open().unwrap();
        std::thread::scope(|scope| {
            let waiting = Waiting::begin(scope, || take(client.pipe(), 9));
            server.pipe().send(b"slow").unwrap();
            assert_eq!(waiting.end(), b"slow");
            scope.spawn(|| {
                for _ in 0..200 {
                    let request = take(client.pipe(), 9);
                    client.pipe().send(&request).unwrap();
                }
            });
            for number in 0..200_u8 {
                server.pipe().send(&[number]).unwrap();
                assert_eq!(take(server.pipe(), 9), [number]);
            }
        });
        server.pipe().set_spin(Spin::Never).unwrap();
        server.pipe().send(b"x").unwrap();
        assert_eq!(take(client.pipe(), 9), b"x");
    }
}
