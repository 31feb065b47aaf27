//! Messages: boundaries, parts, empty ones, peeking, transactions, in place.

use super::*;

/// P26, P27.
#[test]
fn a_message_is_read_whole_or_in_parts() {
    let _limit = limit();
    let (server, client) = pair(messages(4096));
    client.write(b"first message", &FOR_EVER).unwrap();
    client.write(b"second", &FOR_EVER).unwrap();
    assert_eq!(read_message(&server, 5).unwrap(), (b"first".to_vec(), false));
    assert_eq!(read_message(&server, 100).unwrap(), (b" message".to_vec(), true));
    assert_eq!(read_message(&server, 6).unwrap(), (b"second".to_vec(), true));
    client.write(b"one", &FOR_EVER).unwrap();
    client.write(b"two", &FOR_EVER).unwrap();
    assert_eq!(read_bytes(&server, 100).unwrap(), b"onetwo");
}

/// P28.
#[test]
fn an_empty_message_wakes_one_reader() {
    let _limit = limit();
    let (server, client) = pair(messages(4096));
    let reader = asleep(&server, |end| read_message(end, 10));
    client.write(b"", &FOR_EVER).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), (Vec::new(), true));
    assert_eq!(server.try_read(&mut [0; 8], ReadMode::Message), Ok(None));
}

/// P24: a read of nothing waits for data and takes none.
#[test]
fn a_read_of_nothing_waits_and_takes_nothing() {
    let _limit = limit();
    let (server, client) = pair(bytes(4096));
    let reader = asleep(&server, |end| read_bytes(end, 0));
    client.write(b"data", &FOR_EVER).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), b"");
    assert_eq!(read_bytes(&server, 10).unwrap(), b"data");
    let (server, client) = pair(messages(4096));
    client.write(b"data", &FOR_EVER).unwrap();
    assert_eq!(read_message(&server, 0).unwrap(), (Vec::new(), false));
}

/// P30: larger than the quota and larger than the queue; its parts can be read while the writer waits.
#[test]
fn a_message_larger_than_the_queue_stays_whole() {
    let _limit = limit();
    let (server, client) = pair(messages(4096));
    let big = pattern(1 << 20, 7);
    let writer = asleep(&client, {
        let big = big.clone();
        move |end| end.write(&big, &FOR_EVER)
    });
    let (part, complete) = read_message(&server, 1000).unwrap();
    assert_eq!((&part[..], complete), (&big[..1000], false));
    assert!(!writer.is_finished());
    let (rest, complete) = read_message(&server, 2 << 20).unwrap();
    assert!(complete && rest == big[1000..]);
    assert_eq!(writer.join().unwrap(), Ok(1 << 20));
    let writer = asleep(&client, {
        let big = big.clone();
        move |end| end.write(&big, &FOR_EVER)
    });
    assert_eq!(read_message(&server, 1 << 20).unwrap(), (big, true));
    assert_eq!(writer.join().unwrap(), Ok(1 << 20));
    assert_eq!(server.try_read(&mut [0; 8], ReadMode::Message), Ok(None));
}

/// The reader is there first, and sleeps between the parts.
#[test]
fn a_waiting_reader_gets_a_message_larger_than_the_queue() {
    let _limit = limit();
    let (server, client) = pair(messages(100));
    let big = pattern(700_000, 3);
    let reader = asleep(&server, |end| read_message(end, 1 << 20));
    assert_eq!(client.write(&big, &FOR_EVER), Ok(big.len()));
    assert_eq!(reader.join().unwrap().unwrap(), (big, true));
}

/// P58, P59, P61.
#[test]
fn peeking_sees_and_takes_nothing() {
    let _limit = limit();
    let (server, client) = pair(messages(4096));
    client.write(b"message one", &FOR_EVER).unwrap();
    client.write(b"two", &FOR_EVER).unwrap();
    let mut buffer = [0; 7];
    for _ in 0..2 {
        assert_eq!(server.peek(&mut buffer), Ok(Peeked { copied: 7, available: 14, left: 4 }));
        assert_eq!(&buffer, b"message");
    }
    let mut large = [0; 64];
    assert_eq!(server.peek(&mut large), Ok(Peeked { copied: 11, available: 14, left: 0 }));
    assert_eq!(read_message(&server, 64).unwrap().0, b"message one");
    assert_eq!(read_message(&server, 64).unwrap().0, b"two");
    client.write(b"", &FOR_EVER).unwrap();
    assert_eq!(server.peek(&mut large), Ok(Peeked::default()));
}

/// Peeking while a reader sleeps, who has the turn.
#[test]
fn peeking_and_polling_do_not_wait_behind_a_sleeping_reader() {
    let _limit = limit();
    let (server, client) = pair(bytes(4096));
    let reader = asleep(&server, |end| read_bytes(end, 10));
    assert_eq!(server.peek(&mut [0; 4]), Ok(Peeked::default()));
    assert_eq!(server.try_read(&mut [0; 4], ReadMode::Byte), Ok(None));
    client.write(b"x", &FOR_EVER).unwrap();
    assert_eq!(reader.join().unwrap().unwrap(), b"x");
}

/// P63, P64, P65.
#[test]
fn a_transaction_is_a_write_and_a_read() {
    let _limit = limit();
    let (server, client) = pair(messages(4));
    let answering = Arc::clone(&server);
    let answer = thread::spawn(move || {
        let (request, complete) = read_message(&answering, 100).unwrap();
        assert_eq!((&request[..], complete), (&b"longer than the quota"[..], true));
        answering.write(b"yes", &FOR_EVER).unwrap();
    });
    let mut reply = [0; 16];
    let message = transact(&client, b"longer than the quota", &mut reply).unwrap();
    assert_eq!((&reply[..message.len], message.complete), (&b"yes"[..], true));
    answer.join().unwrap();
    server.write(b"unread", &NOT).unwrap_err();
    let writer = asleep(&server, |end| end.write(b"unread", &FOR_EVER));
    assert_eq!(transact(&client, b"request", &mut reply), Err(Trouble::Busy));
    assert_eq!(server.try_read(&mut reply, ReadMode::Message), Ok(None), "nothing was sent");
    assert_eq!(read_message(&client, 10).unwrap().0, b"unread");
    writer.join().unwrap().unwrap();
}

/// A request larger than the queue goes through as well.
#[test]
fn a_large_transaction_streams() {
    let _limit = limit();
    let (server, client) = pair(messages(4096));
    let big = pattern(300_000, 9);
    let answer = thread::spawn(move || {
        let (request, _) = read_message(&server, 1 << 20).unwrap();
        server.write(&request, &FOR_EVER).unwrap();
    });
    let mut reply = vec![0; 300_000];
    let message = transact(&client, &big, &mut reply).unwrap();
    assert!(message.complete && reply == big);
    answer.join().unwrap();
}

#[test]
fn messages_are_written_and_read_in_place() {
    let _limit = limit();
    let (server, client) = pair(messages(65_536));
    for round in 0..100 {
        let content = pattern(20_000, round);
        let mut loan = Loan::make(&client, 20_000, &FOR_EVER).unwrap().unwrap();
        assert!(loan.write(0, &content[..10_000]));
        assert!(loan.write(10_000, &content[10_000..]));
        assert!(!loan.write(19_999, b"ab"), "outside");
        assert_eq!(loan.commit(20_000, &FOR_EVER), Ok(20_000));
        let borrowed = Borrowed::next(&server, &FOR_EVER).unwrap();
        assert_eq!((borrowed.len(), borrowed.is_complete()), (20_000, true));
        let mut got = vec![0; 20_000];
        assert!(borrowed.read(0, &mut got));
        assert!(!borrowed.read(1, &mut got), "outside");
        assert!(got == content);
        assert_eq!(borrowed.parts().iter().map(|part| part.1).sum::<usize>(), 20_000);
        assert_eq!(borrowed.consume(), Ok(true));
    }
    drop(Loan::make(&client, 10, &FOR_EVER).unwrap());
    assert_eq!(server.try_read(&mut [0; 8], ReadMode::Message), Ok(None), "never committed");
    assert!(Loan::make(&client, 10 << 20, &FOR_EVER).unwrap().is_none(), "longer than the ring");
}
