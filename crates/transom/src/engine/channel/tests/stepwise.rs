//! Operations that never sleep, and the descriptor that says when to try again.

use transom_sys::linux::bell;

use super::*;

/// Whether the descriptor of an end is readable within the time.
fn is_readable(end: &End, nanos: u64) -> bool {
    let fd = end.poll_fd().unwrap();
    let deadline = if nanos == 0 { 0 } else { futex::now() + nanos };
    bell::wait(fd, &[], Some(deadline)).unwrap().bell
}

const LONG: u64 = 10_000_000_000;

#[test]
fn a_read_is_tried_until_the_descriptor_says_so() {
    let _limit = limit();
    let (server, client) = pair(bytes(100));
    let mut buffer = [0; 16];
    for round in 0..100u8 {
        assert_eq!(server.try_read(&mut buffer, ReadMode::Byte), Ok(None));
        server.arm(Interest::Data, 16);
        assert_eq!(server.try_read(&mut buffer, ReadMode::Byte), Ok(None));
        assert!(!is_readable(&server, 0));
        client.write(&[round], &FOR_EVER).unwrap();
        assert!(is_readable(&server, LONG));
        server.take_token();
        assert_eq!(
            server.try_read(&mut buffer, ReadMode::Byte),
            Ok(Some(Message { len: 1, complete: true }))
        );
        assert_eq!(buffer[0], round);
        assert!(!is_readable(&server, 0));
    }
    server.arm(Interest::Data, 0);
    server.disarm(Interest::Data);
    client.write(b"x", &FOR_EVER).unwrap();
    assert!(!is_readable(&server, 0), "no token was owed");
}

#[test]
fn a_write_is_begun_and_polled() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    assert!(matches!(client.begin_write(&[1; 10]), Ok(Begun::Done(10))));
    let Ok(Begun::Waiting(mut waiting)) = client.begin_write(&[2; 5]) else { panic!("it waits") };
    assert_eq!(waiting.poll(&client), Ok(None));
    client.arm(Interest::Space, 0);
    assert_eq!(waiting.poll(&client), Ok(None));
    assert_eq!(read_bytes(&server, 5).unwrap().len(), 5);
    assert!(is_readable(&client, LONG));
    client.take_token();
    assert_eq!(waiting.poll(&client), Ok(Some(5)));
    assert_eq!(waiting.poll(&client), Ok(Some(5)), "it stays complete");
    let Ok(Begun::Waiting(waiting)) = client.begin_write(&[3; 5]) else { panic!("it waits") };
    assert!(waiting.cancel(&client));
    assert_eq!(read_bytes(&server, 100).unwrap(), [[1; 5], [2; 5]].concat());
    assert!(matches!(client.begin_write(&vec![0; 1 << 20]), Ok(Begun::TooLarge)));
    assert!(!client.is_flushed().unwrap() || server.try_read(&mut [0; 4], ReadMode::Byte) == Ok(None));
}

/// A write that would have to wait for room in memory is not begun, and one that waits is taken back as a whole.
#[test]
fn a_write_without_room_is_not_begun() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    let mut waiting = Vec::new();
    let begun = loop {
        match client.begin_write(&[1; 10_000]).unwrap() {
            Begun::Waiting(write) => waiting.push(write),
            other => break other,
        }
    };
    assert!(matches!(begun, Begun::NoRoom));
    assert_eq!(waiting.len(), 6, "64 KiB");
    for write in waiting {
        assert!(write.cancel(&client));
    }
    assert_eq!(server.try_read(&mut [0; 4], ReadMode::Byte), Ok(None));
    client.write(&[5; 10], &FOR_EVER).unwrap();
    assert_eq!(read_bytes(&server, 100).unwrap(), [5; 10]);
}

/// While another thread streams, nothing is begun, nothing is waited for long, and its end is told.
#[test]
fn a_write_is_not_begun_while_another_streams() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    let writer = asleep(&client, |end| end.write(&vec![1; 200_000], &FOR_EVER));
    client.arm(Interest::Space, 0);
    assert!(matches!(client.begin_write(b"x"), Ok(Begun::NoRoom)));
    let mut left = 200_000;
    while left > 0 {
        left -= read_bytes(&server, 50_000).unwrap().len();
    }
    assert_eq!(writer.join().unwrap(), Ok(200_000));
    assert!(is_readable(&client, LONG));
    client.take_token();
    assert!(matches!(client.begin_write(b"x"), Ok(Begun::Done(1))));
}

/// A thread that sleeps at the bell takes the tokens; who polls is told nevertheless.
#[test]
fn polling_works_beside_a_sleeping_thread() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    for _ in 0..100 {
        client.write(&[1; 10], &FOR_EVER).unwrap();
        let reader = asleep(&client, |end| read_bytes(end, 10));
        let Ok(Begun::Waiting(mut waiting)) = client.begin_write(&[2; 5]) else { panic!("it waits") };
        client.arm(Interest::Space, 0);
        assert_eq!(waiting.poll(&client), Ok(None));
        assert_eq!(read_bytes(&server, 100).unwrap().len(), 15);
        while waiting.poll(&client) == Ok(None) {
            assert!(is_readable(&client, LONG));
            client.take_token();
            client.arm(Interest::Space, 0);
        }
        assert!(!reader.is_finished());
        server.write(b"x", &FOR_EVER).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), b"x");
    }
}

#[test]
fn the_descriptor_says_that_the_peer_has_gone() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    server.arm(Interest::Data, 0);
    assert!(!is_readable(&server, 0));
    drop(client);
    assert!(is_readable(&server, LONG));
    server.take_token();
    assert_eq!(server.try_read(&mut [0; 4], ReadMode::Byte), Err(Trouble::PeerClosed));
}

#[test]
fn a_client_is_polled_for() {
    let _limit = limit();
    let server = End::offer(&bytes(10)).unwrap();
    server.arm(Interest::Connect, 0);
    assert!(!is_readable(&server, 0));
    let client = join(&server);
    client.ring_connect();
    assert!(is_readable(&server, LONG));
    server.take_token();
    server.connected();
    assert!(!is_readable(&server, 0));
}
