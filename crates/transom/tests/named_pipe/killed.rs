//! Processes that are killed: what they wrote is whole or not there, and nobody waits for them.

use transom::handle::FromHandle;
use transom::pipe::{Client, ClientOptions, Pipe, Server, ServerOptions};
use transom::wait::Timeout;

use crate::support::{
    PATIENCE, With, alone, argument, code, exit_code, expect_signal, handle, limit, named_event, ready, role,
    unique, wait_to_be_killed,
};
use crate::{client, message_client, pipe_name, take, until_available};

pub fn client_that_writes() -> u32 {
    let client = client();
    client.pipe().send(b"last words").unwrap();
    ready();
    wait_to_be_killed()
}

/// P20, P25, H4: what was written is read, then comes the end; writing has nobody to read it.
#[test]
fn what_a_killed_client_wrote_can_be_read() {
    let _limit = limit();
    let (name, here) = (pipe_name("words"), unique("ready"));
    let here_event = named_event(&here);
    let server = Server::create(&name).unwrap();
    for _ in 0..3 {
        let child = role("client-that-writes").with("PIPE", &name).with("READY", &here).start();
        server.connect().unwrap();
        expect_signal(&here_event);
        here_event.reset().unwrap();
        child.process.terminate(1).unwrap();
        exit_code(&child);
        // The process has ended before everything it held is closed.
        let mut result = 0;
        while result != 232 {
            result = code(server.pipe().send(b""));
        }
        assert_eq!(code(server.connect()), 232, "P15");
        assert_eq!(take(server.pipe(), 4), b"last");
        assert_eq!(take(server.pipe(), 100), b" words");
        assert_eq!(code(server.pipe().receive(&mut [0])), 109);
        assert_eq!(server.pipe().client_process_id().unwrap(), child.process.id().unwrap(), "P71");
        server.disconnect().unwrap();
    }
}

pub fn client_that_waits() -> u32 {
    let client = client();
    ready();
    client.pipe().receive(&mut [0; 9]).map_or(1, |_| 2)
}

/// Section 2: a server that waits for a client that is killed.
#[test]
fn a_server_that_waits_is_told_when_its_client_is_killed() {
    let _limit = limit();
    let (name, here) = (pipe_name("told"), unique("ready"));
    let here_event = named_event(&here);
    let server = Server::create(&name).unwrap();
    let child = role("client-that-waits").with("PIPE", &name).with("READY", &here).start();
    server.connect().unwrap();
    expect_signal(&here_event);
    let result = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| code(server.pipe().receive(&mut [0; 9])));
        child.process.terminate(1).unwrap();
        waiting.join().unwrap()
    });
    assert_eq!(result, 109);
    assert_eq!(code(server.pipe().send(b"x")), 232);
    exit_code(&child);
    server.disconnect().unwrap();
    assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
    let _next = Client::open(&name).unwrap();
}

/// Section 2: a write and a flush towards a client that is killed.
#[test]
fn a_server_that_writes_is_told_when_its_client_is_killed() {
    let _limit = limit();
    for flush in [false, true] {
        let (name, here) = (pipe_name("written"), unique("ready"));
        let here_event = named_event(&here);
        let server = ServerOptions::new(&name).out_size(100).create().unwrap();
        let child = role("client-that-writes").with("PIPE", &name).with("READY", &here).start();
        server.connect().unwrap();
        expect_signal(&here_event);
        assert_eq!(server.pipe().send(&[0; 50]).unwrap(), 50);
        let result = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                if flush { code(server.pipe().flush()) } else { code(server.pipe().send(&[0; 500])) }
            });
            if !flush {
                // The write counts as unread while it waits, at the other end; here only time can tell.
                let _ = transom::wait::one(&child.process, crate::support::A_MOMENT);
            }
            child.process.terminate(1).unwrap();
            waiting.join().unwrap()
        });
        // Which of them depends on whether the call had begun.
        assert!(matches!((flush, result), (true, 0 | 109) | (false, 109 | 232)), "{flush} {result}");
        exit_code(&child);
    }
}

pub fn client_that_lends() -> u32 {
    let client = client();
    client.pipe().send(b"complete").unwrap();
    let mut loan = client.pipe().loan(9_000).unwrap();
    loan.write_at(0, &[1; 9_000]).unwrap();
    ready();
    wait_to_be_killed()
}

/// P38: what was lent and not committed was never written.
#[test]
fn what_a_killed_client_had_on_loan_was_never_written() {
    let _limit = limit();
    let (name, here) = (pipe_name("lent"), unique("ready"));
    let here_event = named_event(&here);
    let server = ServerOptions::new(&name).message(true).in_size(10_000).create().unwrap();
    for _ in 0..3 {
        let child = role("client-that-lends").with("PIPE", &name).with("READY", &here).start();
        server.connect().unwrap();
        expect_signal(&here_event);
        here_event.reset().unwrap();
        assert_eq!(server.pipe().peek(&mut []).unwrap().available, 8);
        let read = std::thread::scope(|scope| {
            let reader = scope.spawn(|| (take(server.pipe(), 100), code(server.pipe().receive(&mut [0; 9]))));
            child.process.terminate(1).unwrap();
            reader.join().unwrap()
        });
        assert_eq!(read, (b"complete".to_vec(), 109));
        exit_code(&child);
        server.disconnect().unwrap();
        assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
    }
}

pub fn client_that_waits_to_write() -> u32 {
    let client = client();
    client.pipe().send(b"complete").unwrap();
    ready();
    code(client.pipe().send(b"waits for room"))
}

/// P38: the data of a write that waited goes with its process, what was complete stays.
#[test]
fn what_a_killed_client_was_still_writing_disappears() {
    let _limit = limit();
    for read_before in [0, 8, 12] {
        let (name, here) = (pipe_name("waits"), unique("ready"));
        let here_event = named_event(&here);
        let server = ServerOptions::new(&name).in_size(8).create().unwrap();
        let child = role("client-that-waits-to-write").with("PIPE", &name).with("READY", &here).start();
        server.connect().unwrap();
        expect_signal(&here_event);
        until_available(server.pipe(), 22);
        let mut read = Vec::new();
        while read.len() < read_before {
            read.extend(take(server.pipe(), (read_before - read.len()).min(8)));
        }
        child.process.terminate(1).unwrap();
        exit_code(&child);
        let mut buffer = [0; 100];
        let error = loop {
            match server.pipe().receive(&mut buffer) {
                Ok(count) => read.extend_from_slice(&buffer[..count]),
                Err(error) => break error,
            }
        };
        assert_eq!(error.code().value(), 109);
        let whole = b"completewaits for room";
        // The server may be quicker than the end of the process; what is gone is gone from some place on, and what
        // was complete never is.
        assert!(read.len() >= 8 && whole.starts_with(&read), "{:?}", String::from_utf8_lossy(&read));
    }
}

pub fn client_that_flushes() -> u32 {
    let client = client();
    client.pipe().send(b"flushed").unwrap();
    ready();
    code(client.pipe().flush())
}

/// P40: between processes; and the flush of one that is killed concerns nobody.
#[test]
fn a_flush_waits_for_the_other_process() {
    let _limit = limit();
    for kill in [false, true] {
        let (name, here) = (pipe_name("flush"), unique("ready"));
        let here_event = named_event(&here);
        let server = Server::create(&name).unwrap();
        let child = role("client-that-flushes").with("PIPE", &name).with("READY", &here).start();
        server.connect().unwrap();
        expect_signal(&here_event);
        assert!(!transom::wait::one(&child.process, crate::support::A_MOMENT).unwrap().is_signalled());
        if kill {
            child.process.terminate(7).unwrap();
            assert_eq!(exit_code(&child), 7);
        }
        assert_eq!(take(server.pipe(), 100), b"flushed");
        assert_eq!(exit_code(&child), if kill { 7 } else { 0 });
    }
}

pub fn server_that_writes() -> u32 {
    let server = ServerOptions::new(&argument("PIPE")).message(true).create().unwrap();
    ready();
    server.connect().unwrap();
    server.pipe().send(b"one").unwrap();
    server.pipe().send(b"two").unwrap();
    let _ = server.pipe().receive(&mut [0; 9]);
    server.pipe().receive(&mut [0; 9]).map_or(1, |_| 2)
}

/// P20: the mirror image: the client reads the rest.
#[test]
fn what_a_killed_server_wrote_can_be_read() {
    let _limit = limit();
    let (name, here) = (pipe_name("server"), unique("ready"));
    let here_event = named_event(&here);
    let child = role("server-that-writes").with("PIPE", &name).with("READY", &here).start();
    expect_signal(&here_event);
    let client = ClientOptions::new(&name).message_read(true).open().unwrap();
    until_available(client.pipe(), 6);
    child.process.terminate(1).unwrap();
    exit_code(&child);
    let mut result = 0;
    while result != 232 {
        result = code(client.pipe().send(b""));
    }
    assert_eq!(code(Client::open(&name)), 2, "P4");
    assert_eq!(take(client.pipe(), 100), b"one");
    assert_eq!(take(client.pipe(), 100), b"two");
    assert_eq!(code(client.pipe().receive(&mut [0; 9])), 109);
    assert_eq!(client.pipe().server_process_id().unwrap(), child.process.id().unwrap());
    assert_eq!(code(client.pipe().transact(b"x", &mut [0; 9])), 230);
}

pub fn server_that_echoes() -> u32 {
    let server = ServerOptions::new(&argument("PIPE")).message(true).create().unwrap();
    ready();
    server.connect().unwrap();
    loop {
        let request = take(server.pipe(), 1000);
        server.pipe().send(&request).unwrap();
    }
}

/// Section 2: a transaction with a server that is killed at some moment ends, with a whole reply or none.
#[test]
fn a_transaction_ends_when_the_server_is_killed() {
    let _limit = limit();
    for round in 0..5 {
        let (name, here) = (pipe_name("transact"), unique("ready"));
        let here_event = named_event(&here);
        let child = role("server-that-echoes").with("PIPE", &name).with("READY", &here).start();
        expect_signal(&here_event);
        let client = ClientOptions::new(&name).message_read(true).open().unwrap();
        let result = std::thread::scope(|scope| {
            let talking = scope.spawn(|| {
                let mut reply = [0; 1000];
                for number in 0_u32.. {
                    let request = vec![number as u8; 1 + number as usize * 31 % 900];
                    match client.pipe().transact(&request, &mut reply) {
                        Ok(message) => assert!(reply[..message.len] == request && message.complete),
                        Err(error) => return error.code().value(),
                    }
                }
                0
            });
            let _ = transom::wait::one(&child.process, Timeout::millis(round * 7));
            child.process.terminate(1).unwrap();
            talking.join().unwrap()
        });
        assert!(matches!(result, 109 | 230 | 231 | 232), "{result}");
        exit_code(&child);
    }
}

/// Messages of every length up to 40,000 bytes, each filled with a number that its length follows from.
pub fn babbler() -> u32 {
    let client = message_client();
    ready();
    for number in 0_u32.. {
        let message = vec![number as u8; babble(number)];
        if client.pipe().send(&message).is_err() {
            return 1;
        }
    }
    0
}

fn babble(number: u32) -> usize {
    1 + number as usize * 7919 % 40_000
}

/// P30, P38: a writer that is killed at any moment leaves whole messages, in their order, and no part of another.
#[test]
fn a_killed_writer_leaves_whole_messages() {
    let _limit = limit();
    let name = pipe_name("babble");
    let server = ServerOptions::new(&name).message(true).in_size(70_000).create().unwrap();
    for round in 0..8 {
        let here = unique("ready");
        let here_event = named_event(&here);
        let child = role("babbler").with("PIPE", &name).with("READY", &here).start();
        server.connect().unwrap();
        expect_signal(&here_event);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _ = transom::wait::one(&child.process, Timeout::millis(round * 3));
                child.process.terminate(1).unwrap();
            });
            let mut buffer = vec![0; 50_000];
            let mut number = 0_u32;
            loop {
                match server.pipe().receive_message(&mut buffer) {
                    Ok(message) => {
                        assert!(message.complete, "round {round}: message {number}");
                        assert_eq!(message.len, babble(number), "round {round}: message {number}");
                        assert!(buffer[..message.len].iter().all(|byte| *byte == number as u8));
                        number += 1;
                    }
                    Err(error) => {
                        assert_eq!(error.code().value(), 109);
                        break;
                    }
                }
            }
        });
        exit_code(&child);
        server.disconnect().unwrap();
    }
}

/// Reads through an inherited duplicate of the server's end, for ever.
pub fn reader_of_shared_end() -> u32 {
    let pipe = Pipe::from_raw(handle("END")).unwrap();
    ready();
    let mut buffer = [0; 100];
    while pipe.receive(&mut buffer).is_ok() {}
    0
}

/// P52, P27: an end shared by two processes: one of them is killed while it reads; the other one goes on.
#[test]
fn who_shares_an_end_with_a_killed_process_goes_on() {
    let _limit = alone();
    let name = pipe_name("shared");
    let server = ServerOptions::new(&name).message(true).inherit(true).create().unwrap();
    let client = ClientOptions::new(&name).message_read(true).open().unwrap();
    for round in 0..6 {
        let here = unique("ready");
        let here_event = named_event(&here);
        let number = transom::handle::AsHandle::as_handle(&server).as_raw().value();
        let child =
            role("reader-of-shared-end").inheriting().with("END", number).with("READY", &here).start();
        expect_signal(&here_event);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Without a time-out it would wait for room for ever once the reader has gone.
                while client.pipe().send_timeout(&[1; 60], Timeout::millis(200)).is_ok() {}
            });
            let _ = transom::wait::one(&child.process, Timeout::millis(round * 5));
            child.process.terminate(1).unwrap();
            exit_code(&child);
        });
        // Everything that is left is whole messages; then it is empty, and open.
        let mut buffer = [0; 100];
        loop {
            match server.pipe().receive_message_timeout(&mut buffer, Timeout::ZERO) {
                Ok(message) => assert!(message.complete && message.len == 60, "{message:?}"),
                Err(error) => {
                    assert_eq!(error.code(), transom::Code::SEM_TIMEOUT);
                    break;
                }
            }
        }
        std::thread::scope(|scope| {
            scope.spawn(|| client.pipe().send(b"still there").unwrap());
            let count = server.pipe().receive_timeout(&mut buffer, PATIENCE).unwrap();
            assert_eq!(&buffer[..count], b"still there");
        });
    }
}
