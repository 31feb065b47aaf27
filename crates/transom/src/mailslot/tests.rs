//! What both systems must show.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::mailslot::{Options, Server, Writer};
use crate::support::{has_waited, limit, unique};
use crate::wait::Timeout;
use crate::{Code, Error};

fn name(what: &str) -> String {
    format!(r"\\.\mailslot\{}", unique(what))
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> u32 {
    result.expect_err("an error").code().value()
}

/// A mailslot that is looked at once, and a writer.
fn pair(what: &str) -> (Server, Writer) {
    let name = name(what);
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    let writer = Writer::open(&name).unwrap();
    (server, writer)
}

/// S2, S8
#[test]
fn a_name_has_one_server_and_is_gone_with_it() {
    let _limit = limit();
    let name = name("one");
    assert_eq!(code(Writer::open(&name)), 2);
    let server = Server::create(&name).unwrap();
    assert_eq!(code(Server::create(&name)), 183);
    let writer = Writer::open(&name).unwrap();
    drop(server);
    // Clients do not keep the name.
    crate::differs_under_wine!("S8", crate::support::code(Writer::open(&name)) == 2);
    if crate::support::under_wine() {
        return;
    }
    let again = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    assert!(writer.send(b"to the old one").is_err());
    assert_eq!(code(again.receive(&mut [0; 20])), 121);
}

/// S1, S7
#[test]
fn names_are_those_of_mailslots_on_this_computer() {
    let _limit = limit();
    let stem = unique("Names");
    let server = Server::create(&format!(r"\\.\mailslot\some\{stem}")).unwrap();
    let writer = Writer::open(&format!(r"\\.\MAILSLOT\SOME\{}", stem.to_uppercase())).unwrap();
    writer.send(b"x").unwrap();
    assert_eq!(server.receive_vec().unwrap(), b"x");
    drop(writer);
    Writer::open(&format!("//./mailslot/some/{stem}")).unwrap().send(b"slashes").unwrap();
    assert_eq!(server.receive_vec().unwrap(), b"slashes");
    assert_eq!(code(Server::create(&format!(r"\\elsewhere\mailslot\{stem}"))), 3);
    assert_eq!(code(Server::create("plain")), 123);
    assert_eq!(code(Server::create(&format!(r"\\.\pipe\{stem}"))), 123);
}

/// S9, S11, S13: each write is a message, empty ones too.
#[test]
fn messages_come_whole_and_in_order() {
    let _limit = limit();
    let (server, one) = pair("order");
    one.send(b"one").unwrap();
    one.send(b"three").unwrap();
    let mut buffer = [0; 100];
    assert_eq!(server.receive(&mut buffer).unwrap(), 3);
    assert_eq!(&buffer[..3], b"one");
    assert_eq!(server.receive(&mut buffer).unwrap(), 5);
    assert_eq!(&buffer[..5], b"three");
    assert_eq!(code(server.receive(&mut buffer)), 121);
}

/// S20, S21, S22, S24
#[test]
fn the_time_out_is_the_mailslots_and_can_be_changed() {
    let _limit = limit();
    let (server, _writer) = pair("time");
    let other = server.try_clone().unwrap();
    other.set_read_timeout(Duration::from_millis(40)).unwrap();
    assert_eq!(server.info().unwrap().read_timeout, Timeout::millis(40));
    let began = Instant::now();
    assert_eq!(code(server.receive(&mut [0; 8])), 121);
    assert!(has_waited(began, Duration::from_millis(40)));
}

/// S21: a reader that waits for ever is woken by a message.
#[test]
fn a_waiting_reader_gets_the_message() {
    let _limit = limit();
    let name = name("waits");
    let server = Server::create(&name).unwrap();
    let (told, heard) = mpsc::channel();
    let reader = thread::spawn(move || {
        told.send(()).unwrap();
        server.receive_vec().unwrap()
    });
    heard.recv().unwrap();
    Writer::open(&name).unwrap().send(b"wake up").unwrap();
    assert_eq!(reader.join().unwrap(), b"wake up");
}

/// S30
#[test]
fn a_writer_reads_not_and_a_server_writes_not() {
    let _limit = limit();
    let (server, writer) = pair("rights");
    use crate::handle::{FromHandle, Handle};
    let as_writer =
        Writer::from_handle(Handle::from_raw(server.try_clone().unwrap().into_handle().into_raw()).unwrap());
    assert_eq!(code(as_writer.unwrap().send(b"x")), 5);
    let as_server =
        Server::from_handle(Handle::from_raw(writer.try_clone().unwrap().into_handle().into_raw()).unwrap());
    assert_eq!(code(as_server.unwrap().receive(&mut [0; 4])), 5);
}

/// S11, S29: an empty message counts, and is read.
#[test]
fn an_empty_message_is_a_message() {
    let _limit = limit();
    let (server, writer) = pair("empty");
    writer.send(b"").unwrap();
    let info = server.info().unwrap();
    let read = server.receive(&mut [0; 4]).ok();
    crate::differs_under_wine!("S11", (info.next, info.count, read) == (Some(0), 1, Some(0)));
}

/// S29: all messages count, and the size is that of the first.
#[test]
fn every_message_counts() {
    let _limit = limit();
    let (server, writer) = pair("count");
    assert_eq!(server.info().unwrap().next, None);
    for message in [&b"four"[..], b"to", b"three"] {
        writer.send(message).unwrap();
    }
    let info = server.info().unwrap();
    assert_eq!(info.next, Some(4));
    crate::differs_under_wine!("S29", info.count == 3);
}

/// S14: a read of 0 bytes finds nothing, or no room.
#[test]
fn a_read_of_no_bytes_tells_whether_there_is_something() {
    let _limit = limit();
    let (server, writer) = pair("none");
    let none = crate::support::code(server.receive(&mut []));
    writer.send(b"x").unwrap();
    let refused = crate::support::code(server.receive(&mut []));
    let stays = server.receive_vec().is_ok_and(|message| message == b"x");
    crate::differs_under_wine!("S14", (none, refused, stays) == (121, 122, true));
}

/// S15: a message that is too long is refused as a whole, and what is queued stays.
#[test]
fn a_message_longer_than_the_longest_is_refused() {
    let _limit = limit();
    let name = name("limit");
    let server = Options::new(&name).max_message(10).read_timeout(Timeout::ZERO).create().unwrap();
    assert_eq!(server.info().unwrap().max_message, Some(10));
    let writer = Writer::open(&name).unwrap();
    writer.send(&[1; 10]).unwrap();
    let refused = writer.send(&[2; 11]).is_err();
    assert_eq!(server.receive_vec().unwrap(), [1; 10]);
    let nothing = crate::support::code(server.receive(&mut [0; 20])) == 121;
    crate::differs_under_wine!("S15", refused && nothing);
}

/// S16
#[test]
fn without_a_longest_message_any_size_is_taken() {
    let _limit = limit();
    let (server, writer) = pair("large");
    writer.send(&[5; 3000]).unwrap();
    let mut buffer = [0; 4000];
    assert_eq!(server.receive(&mut buffer).unwrap(), 3000);
    assert!(buffer[..3000].iter().all(|byte| *byte == 5));
    assert_eq!(server.info().unwrap().max_message, None);
}

/// S17: a message stays when its writer closes.
#[test]
fn a_message_outlives_its_writer() {
    let _limit = limit();
    let (server, writer) = pair("outlives");
    writer.send(b"still there").unwrap();
    drop(writer);
    let stays = server.receive(&mut [0; 20]).is_ok_and(|length| length == 11);
    crate::differs_under_wine!("S17", stays);
}

/// S33: a copy of the handle is as good, and the last one takes the name.
#[test]
fn a_second_handle_keeps_the_mailslot() {
    let _limit = limit();
    let name = name("second");
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    let copy = server.try_clone().unwrap();
    drop(server);
    assert_eq!(code(Server::create(&name)), 183);
    Writer::open(&name).unwrap().send(b"x").unwrap();
    assert_eq!(copy.info().unwrap().read_timeout, Timeout::ZERO);
    drop(copy);
    assert_eq!(code(Writer::open(&name)), 2);
}

/// S38: a mailslot's handle can be waited for, and that says nothing about messages.
#[test]
fn waiting_for_the_handle_is_no_error() {
    let _limit = limit();
    let (server, writer) = pair("wait");
    let before = crate::wait::one(&server, Timeout::ZERO).unwrap();
    writer.send(b"x").unwrap();
    assert_eq!(crate::wait::one(&server, Timeout::ZERO).unwrap(), before);
}

/// S31, S9
#[test]
fn writers_in_many_threads_lose_nothing_and_keep_their_order() {
    let _limit = limit();
    const WRITERS: u32 = 8;
    const EACH: u32 = 500;
    let name = name("many");
    let server = Server::create(&name).unwrap();
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let name = &name;
            scope.spawn(move || {
                let slot = Writer::open(name).unwrap();
                for number in 0..EACH {
                    slot.send(&[writer.to_le_bytes(), number.to_le_bytes()].concat()).unwrap();
                }
            });
        }
        let mut next = [0; WRITERS as usize];
        for _ in 0..WRITERS * EACH {
            let message = server.receive_vec().unwrap();
            let (writer, number) = message.split_at(4);
            let writer = u32::from_le_bytes(writer.try_into().unwrap()) as usize;
            assert_eq!(u32::from_le_bytes(number.try_into().unwrap()), next[writer]);
            next[writer] += 1;
        }
    });
}

/// S3: names of mailslots, pipes and objects do not meet.
#[test]
fn a_pipe_and_an_event_may_have_the_same_name() {
    let _limit = limit();
    let stem = unique("same");
    let _event = crate::event::EventOptions::new().name(&stem).create().unwrap();
    let _pipe = crate::pipe::Server::create(&format!(r"\\.\pipe\{stem}")).unwrap();
    let _server = Server::create(&format!(r"\\.\mailslot\{stem}")).unwrap();
}

/// S23, S35: one process may have both ends, and what is there is returned at once, whatever the time-out.
#[test]
fn a_message_that_is_there_is_not_waited_for() {
    let _limit = limit();
    let name = name("there");
    let server = Server::create(&name).unwrap();
    Writer::open(&name).unwrap().send(b"there").unwrap();
    assert_eq!(server.info().unwrap().read_timeout, Timeout::INFINITE);
    assert_eq!(server.receive(&mut [0; 8]).unwrap(), 5);
}

/// S18: what is unread goes with the mailslot.
#[test]
fn a_new_mailslot_has_nothing_of_the_old_one() {
    let _limit = limit();
    let name = name("anew");
    let server = Server::create(&name).unwrap();
    let writer = Writer::open(&name).unwrap();
    writer.send(b"lost").unwrap();
    drop((writer, server));
    let again = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    assert_eq!(code(again.receive(&mut [0; 8])), 121);
}

#[test]
fn an_error_carries_the_name() {
    let _limit = limit();
    let name = name("missing");
    let error = Writer::open(&name).unwrap_err();
    assert_eq!((error.code(), error.name()), (Code::FILE_NOT_FOUND, Some(name.as_str())));
}

#[cfg(target_os = "linux")]
#[path = "tests/linux_only.rs"]
mod linux_only;
