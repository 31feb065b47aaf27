//! Closing, disconnecting, cancelling; connecting; forged and foreign memory.

use std::os::fd::AsFd;

use transom_core::ring::capacity_for;
use transom_sys::linux::{bell, fd, memfd};

use super::*;

/// P20, P25: the rest is read, then 109; writes fail at once.
#[test]
fn what_was_written_before_the_end_stays_readable() {
    let _limit = limit();
    let (server, client) = pair(messages(100));
    client.write(b"one", &FOR_EVER).unwrap();
    client.write(b"two", &FOR_EVER).unwrap();
    client.close();
    assert_eq!(server.write(b"x", &FOR_EVER), Err(Trouble::PeerClosed));
    assert_eq!(server.write(b"", &FOR_EVER), Err(Trouble::PeerClosed));
    assert_eq!(server.peek(&mut []).unwrap().available, 6);
    assert_eq!(read_message(&server, 10).unwrap().0, b"one");
    assert_eq!(read_message(&server, 10).unwrap().0, b"two");
    assert_eq!(read_message(&server, 10), Err(Trouble::PeerClosed));
    assert_eq!(server.try_read(&mut [0; 4], ReadMode::Message), Err(Trouble::PeerClosed));
    assert_eq!(server.peek(&mut []), Err(Trouble::PeerClosed));
    assert_eq!(server.flush(&FOR_EVER), Ok(()), "P40");
}

/// Section 2 of the spec, second table: the peer's end is closed meanwhile.
#[test]
fn who_waits_when_the_peer_closes_is_told() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    let reader = asleep(&server, |end| read_bytes(end, 10));
    let writer = asleep(&server, |end| end.write(&[0; 30], &FOR_EVER));
    let flusher = asleep(&server, |end| end.flush(&FOR_EVER));
    client.close();
    assert_eq!(reader.join().unwrap(), Err(Trouble::PeerClosed));
    assert_eq!(writer.join().unwrap(), Err(Trouble::PeerClosedMeanwhile));
    assert_eq!(flusher.join().unwrap(), Err(Trouble::PeerClosedMeanwhile));
}

/// Without a flag, as when it was killed: its descriptors are closed, that is all.
#[test]
fn who_waits_when_the_peer_vanishes_is_told() {
    let _limit = limit();
    for length in [30, 1 << 20] {
        let (server, client) = pair(bytes(10));
        let reader = asleep(&server, |end| read_bytes(end, 10));
        let writer = asleep(&server, move |end| end.write(&vec![0; length], &FOR_EVER));
        vanish(client);
        assert_eq!(reader.join().unwrap(), Err(Trouble::PeerClosed));
        assert_eq!(writer.join().unwrap(), Err(Trouble::PeerClosedMeanwhile));
        assert!(server.peer_is_gone());
    }
}

/// A process that is killed: as if its last threads never came to say that they close.
fn vanish(end: Arc<End>) {
    end.closed.store(1, Ordering::SeqCst);
    drop(end);
}

/// Who writes without waiting, and never sleeps, learns of it too.
#[test]
fn a_writer_with_room_notices_that_the_peer_vanished() {
    let _limit = limit();
    let (server, client) = pair(bytes(1 << 20));
    server.write(b"x", &FOR_EVER).unwrap();
    vanish(client);
    let mut written = 0;
    while server.write(b"x", &FOR_EVER).is_ok() {
        written += 1;
        assert!(written < 100_000, "nobody is there");
    }
    let (server, client) = pair(bytes(1 << 20));
    vanish(client);
    pause(Duration::from_millis(1));
    while server.try_read(&mut [0; 4], ReadMode::Byte) != Err(Trouble::PeerClosed) {}
}

/// P38: what a vanished writer had waiting is gone, and what it had written before stays.
#[test]
fn waiting_writes_vanish_with_the_writer() {
    let _limit = limit();
    let (server, client) = pair(messages(10));
    client.write(b"complete", &FOR_EVER).unwrap();
    let own = Arc::clone(&client);
    let Ok(Begun::Waiting(_never_polled)) = own.begin_write(&[7; 100]) else { panic!("it waits") };
    drop(own);
    vanish(client);
    assert_eq!(read_message(&server, 100).unwrap().0, b"complete");
    assert_eq!(read_message(&server, 100), Err(Trouble::PeerClosed));
}

#[test]
fn closing_ends_what_waits_in_this_process() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    let readers: Vec<_> = (0..3).map(|_| Arc::clone(&server)).collect();
    let first = asleep(&server, |end| read_bytes(end, 10));
    let others: Vec<_> = readers.into_iter().map(|end| thread::spawn(move || read_bytes(&end, 10))).collect();
    let writer = asleep(&server, |end| end.write(&[0; 30], &FOR_EVER));
    pause(Duration::from_millis(5));
    server.close();
    assert_eq!(first.join().unwrap(), Err(Trouble::LocalClosed));
    for other in others {
        assert_eq!(other.join().unwrap(), Err(Trouble::LocalClosed));
    }
    assert_eq!(writer.join().unwrap(), Err(Trouble::LocalClosed));
    assert_eq!(read_bytes(&server, 10), Err(Trouble::LocalClosed));
    assert_eq!(read_bytes(&client, 10), Err(Trouble::PeerClosed));
}

/// CancelIoEx(h, NULL): who waits gets 995, who comes later does not.
#[test]
fn cancelling_ends_what_waits_and_nothing_else() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    assert!(!server.cancel());
    for _ in 0..50 {
        let first = asleep(&server, |end| read_bytes(end, 10));
        let behind = Arc::clone(&server);
        let second = thread::spawn(move || read_bytes(&behind, 10));
        let writer = asleep(&server, |end| end.write(&[0; 30], &FOR_EVER));
        let flusher = asleep(&server, |end| end.flush(&FOR_EVER));
        while server.incoming().0.read_turn.load(Ordering::SeqCst) >> 31 == 0 {
            thread::yield_now();
        }
        assert!(server.cancel());
        assert_eq!(first.join().unwrap(), Err(Trouble::Cancelled));
        assert_eq!(second.join().unwrap(), Err(Trouble::Cancelled));
        assert_eq!(writer.join().unwrap(), Err(Trouble::Cancelled));
        assert_eq!(flusher.join().unwrap(), Err(Trouble::Cancelled));
        assert_eq!(client.try_read(&mut [0; 64], ReadMode::Byte), Ok(None), "P38");
    }
    client.write(b"later", &FOR_EVER).unwrap();
    assert_eq!(read_bytes(&server, 10).unwrap(), b"later");
}

/// P17, P18: both queues are dead for both ends.
#[test]
fn disconnecting_discards_and_tells_everybody() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    server.write(b"unread", &FOR_EVER).unwrap();
    let reader = asleep(&server, |end| read_bytes(end, 10));
    let writer = asleep(&client, |end| end.write(&[0; 30], &FOR_EVER));
    // The reader above may take part of that; it does not matter.
    server.disconnect();
    assert!(matches!(reader.join().unwrap(), Err(Trouble::Disconnected) | Ok(_)));
    assert!(matches!(writer.join().unwrap(), Err(Trouble::Disconnected) | Ok(30)));
    assert_eq!(read_bytes(&client, 10), Err(Trouble::Disconnected));
    assert_eq!(client.write(b"x", &FOR_EVER), Err(Trouble::Disconnected));
    assert_eq!(client.peek(&mut []), Err(Trouble::Disconnected));
}

/// Until it is told of a client, a server's bell is not at its end although nobody has the other one.
#[test]
fn a_listening_server_is_not_taken_for_left() {
    let _limit = limit();
    let server = End::offer(&bytes(100)).unwrap();
    assert!(server.is_listening() && !server.peer_is_gone());
    let client = join(&server);
    client.write(b"hello", &FOR_EVER).unwrap();
    server.connected();
    assert!(!server.is_listening());
    assert_eq!(read_bytes(&server, 10).unwrap(), b"hello");
    drop(client);
    assert!(server.peer_is_gone());
}

/// Where descriptors cannot be taken, or what the header says of them is nonsense, they are opened by name.
#[test]
fn a_client_finds_the_bells_also_by_their_names() {
    let _limit = limit();
    let own = process::open(process::id()).unwrap();
    for (way, number) in [(None, None), (Some(own.as_fd()), Some(0)), (Some(own.as_fd()), Some(u32::MAX))] {
        let server = End::offer(&bytes(100)).unwrap();
        if let Some(number) = number {
            server.words().bell_to_sleep.store(number, Ordering::Relaxed);
            server.words().bell_to_ring.store(number, Ordering::Relaxed);
        }
        let client = Arc::new(join_process(process::id(), way, &server.offered()).unwrap());
        server.connected();
        let server = Arc::new(server);
        let reader = asleep(&server, |end| read_bytes(end, 10));
        client.write(b"there", &FOR_EVER).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), b"there");
        let reader = asleep(&client, |end| read_bytes(end, 10));
        server.write(b"back", &FOR_EVER).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), b"back");
        let reader = asleep(&server, |end| read_bytes(end, 10));
        drop(client);
        assert_eq!(reader.join().unwrap(), Err(Trouble::PeerClosed));
    }
}

/// An end that two processes have is closed when both have closed it (H19).
#[test]
fn an_end_that_is_shared_is_closed_by_the_last() {
    let _limit = limit();
    let (server, client) = pair(bytes(100));
    let descriptors = client.descriptors();
    let copy = |fd: std::os::fd::BorrowedFd<'_>| fd::duplicate(fd).unwrap();
    let second = End::share(
        Role::Client,
        copy(descriptors.segment),
        copy(descriptors.own),
        copy(descriptors.peer),
        &client.segment().cookie(),
    )
    .unwrap();
    client.close();
    drop(client);
    assert_eq!(server.try_read(&mut [0; 4], ReadMode::Byte), Ok(None));
    second.write(b"still here", &FOR_EVER).unwrap();
    assert_eq!(read_bytes(&server, 100).unwrap(), b"still here");
    let reader = asleep(&server, |end| read_bytes(end, 10));
    drop(second);
    assert_eq!(reader.join().unwrap(), Err(Trouble::PeerClosed));
}

/// Two processes sleep at one bell for different things, which are told apart.
#[test]
fn sleepers_of_two_processes_at_one_end_all_get_theirs() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    let descriptors = client.descriptors();
    let copy = |fd: std::os::fd::BorrowedFd<'_>| fd::duplicate(fd).unwrap();
    let second = Arc::new(
        End::share(
            Role::Client,
            copy(descriptors.segment),
            copy(descriptors.own),
            copy(descriptors.peer),
            &client.segment().cookie(),
        )
        .unwrap(),
    );
    for _ in 0..100 {
        let reader = asleep(&client, |end| read_bytes(end, 10));
        let writer = asleep(&second, |end| end.write(&[1; 20], &FOR_EVER));
        assert_eq!(read_bytes(&server, 20).unwrap().len(), 20);
        assert_eq!(writer.join().unwrap(), Ok(20));
        server.write(b"done", &FOR_EVER).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), b"done");
    }
}

#[test]
fn a_closed_connection_can_be_used_again() {
    let _limit = limit();
    let (server, client) = pair(messages(100));
    let (mut server, mut client) = (Arc::into_inner(server).unwrap(), Arc::into_inner(client).unwrap());
    for round in 0..50u8 {
        client.write(&[round], &FOR_EVER).unwrap();
        client.write(b"never read", &FOR_EVER).unwrap();
        assert_eq!(read_message(&server, 10).unwrap().0, [round]);
        client.close();
        server.close();
        assert_eq!(server.write(b"x", &FOR_EVER), Err(Trouble::LocalClosed));
        client.segment().reset();
        client.revive();
        server.revive();
        assert_eq!(server.try_read(&mut [0; 10], ReadMode::Message), Ok(None));
    }
}

/// What another process offers is looked at before it is used.
#[test]
fn foreign_memory_is_refused() {
    let _limit = limit();
    let server = End::offer(&bytes(100)).unwrap();
    let (own, spare) = bell::create().unwrap();
    let peer = bell::reopen_ringer(&own).unwrap();
    let copy = |fd: &dyn Fn() -> std::os::fd::OwnedFd| fd();
    let join = |file: std::os::fd::OwnedFd, cookie: &[u8; 16]| {
        let own = copy(&|| fd::duplicate(&own).unwrap());
        let peer = copy(&|| fd::duplicate(&peer).unwrap());
        End::join(file, own, peer, cookie).map(drop)
    };
    let cookie = server.segment().cookie();
    assert_eq!(join(fd::duplicate(server.segment().descriptor()).unwrap(), &cookie), Ok(()));
    let other = [1; 16];
    let file = || fd::duplicate(server.segment().descriptor()).unwrap();
    assert_eq!(join(file(), &other), Err(Code::FILE_CORRUPT));
    assert_eq!(join(fd::duplicate(&spare).unwrap(), &cookie), Err(Code::FILE_CORRUPT));
    let unsealed = memfd::create("transom-test").unwrap();
    memfd::set_size(&unsealed, 1 << 20).unwrap();
    assert_eq!(join(fd::duplicate(unsealed.as_fd()).unwrap(), &cookie), Err(Code::FILE_CORRUPT));
    memfd::seal_size(&unsealed).unwrap();
    assert_eq!(join(unsealed, &cookie), Err(Code::FILE_CORRUPT));
    let small = memfd::create("transom-test").unwrap();
    memfd::seal_size(&small).unwrap();
    assert_eq!(join(small, &cookie), Err(Code::FILE_CORRUPT));
    // Numbers that are something else.
    let offered = Offered { to_server: server.offered().segment, ..server.offered() };
    assert!(join_process(process::id(), None, &offered).is_err());
    let offered = Offered { to_client: server.offered().segment, ..server.offered() };
    assert!(join_process(process::id(), None, &offered).is_err());
}

/// A peer that writes nonsense into the shared words gets an error at the other side, and nothing worse.
#[test]
fn nonsense_in_the_shared_words_is_an_error() {
    let _limit = limit();
    let size = 1664 / 8;
    let outward = 4096 + capacity_for(true, 100) as usize;
    for word in 0..size {
        for value in [u64::MAX, 1, 0x8000_0000_0000_0000, 12345] {
            let (server, client) = pair(messages(100));
            client.write(b"some data", &FOR_EVER).unwrap();
            server.write(b"other data", &FOR_EVER).unwrap();
            for base in [768, outward] {
                client.segment().scribble(base + 8 * word, value);
            }
            let soon = || Waiting { deadline: Deadline::At(futex::now() + 1_000_000), spin: Spin::Never };
            let mut buffer = [0; 64];
            for _ in 0..3 {
                let _ = server.peek(&mut buffer);
                let _ = server.read(&mut buffer, ReadMode::Message, &soon());
                let _ = server.write(b"more", &soon());
                let _ = server.write_nowait(&[0; 200]);
                let _ = server.flush(&soon());
            }
        }
    }
}
