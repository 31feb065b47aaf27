//! Quotas, waiting writes, deadlines, flushing.

use super::*;

/// P34, P35: it waits, but its data are there.
#[test]
fn a_write_beyond_the_quota_waits_until_enough_is_read() {
    let _limit = limit();
    let (server, client) = pair(bytes(1000));
    let writer = asleep(&client, |end| end.write(&pattern(3000, 1), &FOR_EVER));
    assert_eq!(server.peek(&mut []).unwrap().available, 3000);
    assert_eq!(read_bytes(&server, 1999).unwrap().len(), 1999);
    pause(Duration::from_millis(10));
    assert!(!writer.is_finished());
    assert_eq!(read_bytes(&server, 1).unwrap().len(), 1);
    assert_eq!(writer.join().unwrap(), Ok(3000));
    assert_eq!(read_bytes(&server, 9000).unwrap(), pattern(3000, 1)[2000..]);
}

/// P36.
#[test]
fn with_quota_0_every_write_waits_until_it_is_read() {
    let _limit = limit();
    let (server, client) = pair(bytes(0));
    let writer = asleep(&client, |end| end.write(b"abc", &FOR_EVER));
    assert_eq!(read_bytes(&server, 2).unwrap(), b"ab");
    pause(Duration::from_millis(5));
    assert!(!writer.is_finished());
    assert_eq!(read_bytes(&server, 2).unwrap(), b"c");
    assert_eq!(writer.join().unwrap(), Ok(3));
}

/// P34: a waiting read takes its bytes first.
#[test]
fn a_waiting_read_makes_room_for_a_write() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    let reader = asleep(&server, |end| read_bytes(end, 100));
    assert_eq!(client.write_nowait(&pattern(110, 0)), Ok(110));
    assert_eq!(reader.join().unwrap().unwrap().len(), 100);
    assert_eq!(client.write_nowait(b"x"), Ok(0), "ten are unread");
}

/// P42.
#[test]
fn a_write_that_must_not_wait_is_all_or_nothing() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    assert_eq!(client.write_nowait(&[0; 11]), Ok(0));
    assert_eq!(client.write_nowait(&[0; 10]), Ok(10));
    assert_eq!(client.write_nowait(&[0; 1]), Ok(0));
    assert_eq!(client.write(&[0; 1], &NOT), Err(Trouble::WouldBlock));
    assert_eq!(read_bytes(&server, 4).unwrap().len(), 4);
    assert_eq!(client.write_nowait(&[0; 4]), Ok(4));
}

/// P37.
#[test]
fn an_empty_message_waits_for_nothing() {
    let _limit = limit();
    let (server, client) = pair(messages(4));
    let writer = asleep(&client, |end| end.write(b"too long", &FOR_EVER));
    assert_eq!(client.write(b"", &NOT), Ok(0));
    assert_eq!(read_message(&server, 10).unwrap().0, b"too long");
    assert_eq!(read_message(&server, 10).unwrap(), (Vec::new(), true));
    writer.join().unwrap().unwrap();
}

/// P34: in order; several wait at once, and each is complete when its own bytes say so.
#[test]
fn several_writes_wait_and_complete_in_order() {
    let _limit = limit();
    let (server, client) = pair(messages(10));
    let writers: Vec<_> =
        (0..5u8).map(|index| asleep(&client, move |end| end.write(&[index; 20], &FOR_EVER))).collect();
    assert_eq!(server.peek(&mut []).unwrap().available, 100);
    for (index, writer) in writers.into_iter().enumerate() {
        assert!(!writer.is_finished());
        assert_eq!(read_message(&server, 20).unwrap(), (vec![index as u8; 20], true));
        assert_eq!(writer.join().unwrap(), Ok(20));
    }
}

/// A write that waits and one reader of the same end: who is woken for the other lets the other go.
#[test]
fn a_sleeping_reader_does_not_keep_a_waiting_write_of_its_end_asleep() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    for _ in 0..300 {
        let reader = asleep(&client, |end| read_bytes(end, 10));
        let writer = asleep(&client, |end| end.write(&[1; 20], &FOR_EVER));
        assert_eq!(read_bytes(&server, 20).unwrap().len(), 20);
        assert_eq!(writer.join().unwrap(), Ok(20));
        assert!(!reader.is_finished());
        server.write(b"done", &FOR_EVER).unwrap();
        assert_eq!(reader.join().unwrap().unwrap(), b"done");
    }
}

/// More writes than there are slots: the others wait for a slot.
#[test]
fn more_writes_than_slots_wait_in_turn() {
    let _limit = limit();
    let (server, client) = pair(messages(0));
    let writers: Vec<_> = (0..40u8)
        .map(|index| {
            let client = Arc::clone(&client);
            thread::spawn(move || client.write(&[index; 10], &FOR_EVER))
        })
        .collect();
    let mut seen: Vec<u8> = (0..40).map(|_| read_message(&server, 10).unwrap().0[0]).collect();
    for writer in writers {
        assert_eq!(writer.join().unwrap(), Ok(10));
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..40).collect::<Vec<u8>>());
}

#[test]
fn waiting_ends_at_the_deadline() {
    let _limit = limit();
    let (server, client) = pair(bytes(10));
    let begun = futex::now();
    assert_eq!(server.read(&mut [0; 4], ReadMode::Byte, &moment()), Err(Trouble::TimedOut));
    assert!(futex::now() - begun >= 20_000_000);
    // What was not read is taken back.
    assert_eq!(client.write(&[1; 20], &moment()), Err(Trouble::TimedOut));
    assert_eq!(server.try_read(&mut [0; 32], ReadMode::Byte), Ok(None));
    client.write(b"data", &FOR_EVER).unwrap();
    assert_eq!(client.flush(&moment()), Err(Trouble::TimedOut));
    assert_eq!(read_bytes(&server, 10).unwrap(), b"data");
    // Behind another reader.
    let reader = asleep(&server, |end| read_bytes(end, 10));
    assert_eq!(server.read(&mut [0; 4], ReadMode::Byte, &moment()), Err(Trouble::TimedOut));
    client.write(b"x", &FOR_EVER).unwrap();
    reader.join().unwrap().unwrap();
    assert_eq!(
        server.read(&mut [0; 4], ReadMode::Byte, &Waiting { spin: Spin::Always, ..moment() }),
        Err(Trouble::TimedOut)
    );
}

/// P38: a message of which a part was read, and whose writer gives up, is gone.
#[test]
fn a_write_that_gives_up_takes_the_rest_back() {
    let _limit = limit();
    let (server, client) = pair(messages(10));
    let writer = asleep(&client, |end| end.write(&pattern(500, 1), &FOR_EVER));
    assert_eq!(read_message(&server, 100).unwrap(), (pattern(500, 1)[..100].to_vec(), false));
    assert!(client.cancel());
    assert_eq!(writer.join().unwrap(), Err(Trouble::Cancelled));
    client.write(b"next", &FOR_EVER).unwrap();
    assert_eq!(read_message(&server, 1000).unwrap(), (b"next".to_vec(), true));
}

/// P38, for one that is longer than the queue.
#[test]
fn a_streaming_write_that_gives_up_takes_the_rest_back() {
    let _limit = limit();
    let (server, client) = pair(messages(10));
    let big = pattern(1 << 20, 1);
    let writer = asleep(&client, {
        let big = big.clone();
        move |end| end.write(&big, &FOR_EVER)
    });
    assert_eq!(read_message(&server, 100_000).unwrap(), (big[..100_000].to_vec(), false));
    assert!(!writer.is_finished());
    assert!(client.cancel());
    assert_eq!(writer.join().unwrap(), Err(Trouble::Cancelled));
    // Its room is free again although nobody reads.
    assert_eq!(client.write_nowait(b"next"), Ok(4));
    assert_eq!(read_message(&server, 2 << 20).unwrap(), (b"next".to_vec(), true));
}

/// The same with a reader in the middle of the message, who then gets the next one.
#[test]
fn a_reader_in_the_middle_of_a_withdrawn_message_goes_on_with_the_next() {
    let _limit = limit();
    let (server, client) = pair(messages(10));
    let big = pattern(1 << 20, 1);
    let sender = Arc::clone(&client);
    let writer = thread::spawn(move || {
        // Ends somewhere in the middle, or just before or behind it.
        let waiting = Waiting { deadline: Deadline::At(futex::now() + 300_000), spin: Spin::Never };
        let result = sender.write(&big, &waiting);
        sender.write(b"next", &FOR_EVER).unwrap();
        result
    });
    let (got, complete) = read_message(&server, 2 << 20).unwrap();
    match writer.join().unwrap() {
        Ok(_) => assert_eq!((got.len(), complete), (1 << 20, true)),
        Err(trouble) => {
            assert_eq!(trouble, Trouble::TimedOut);
            assert_eq!((&got[..], complete), (&b"next"[..], true));
        }
    }
}

/// The same for one that nobody has read anything of, by its deadline.
#[test]
fn a_streaming_write_that_runs_out_of_time_leaves_nothing() {
    let _limit = limit();
    for shape in [messages(100), bytes(100)] {
        let (server, client) = pair(shape);
        assert_eq!(client.write(&vec![1; 3 << 20], &moment()), Err(Trouble::TimedOut));
        assert_eq!(server.peek(&mut []), Ok(Peeked::default()));
        assert_eq!(client.write_nowait(&[2; 100]), Ok(100));
        assert_eq!(read_bytes(&server, 200).unwrap(), [2; 100]);
    }
}

/// When a write is withdrawn, the one behind it may be complete.
#[test]
fn a_withdrawn_write_lets_the_next_one_be_complete() {
    let _limit = limit();
    let (server, client) = pair(messages(10));
    // Long enough for the second to be asleep by then, also on a busy machine.
    let later = Waiting { deadline: Deadline::At(futex::now() + 500_000_000), spin: Spin::Never };
    let first = asleep(&client, move |end| end.write(&[1; 100], &later));
    let second = asleep(&client, |end| end.write(&[2; 8], &FOR_EVER));
    assert_eq!(first.join().unwrap(), Err(Trouble::TimedOut));
    assert_eq!(second.join().unwrap(), Ok(8));
    assert_eq!(read_message(&server, 100).unwrap().0, [2; 8]);
}

/// P40.
#[test]
fn flushing_waits_until_everything_is_read() {
    let _limit = limit();
    let (server, client) = pair(bytes(100));
    assert_eq!(client.flush(&FOR_EVER), Ok(()));
    client.write(b"ab", &FOR_EVER).unwrap();
    let flusher = asleep(&client, |end| end.flush(&FOR_EVER));
    assert_eq!(client.is_flushed(), Ok(false));
    read_bytes(&server, 1).unwrap();
    pause(Duration::from_millis(5));
    assert!(!flusher.is_finished());
    read_bytes(&server, 1).unwrap();
    assert_eq!(flusher.join().unwrap(), Ok(()));
    assert_eq!(client.is_flushed(), Ok(true));
}

/// Where both are on one processor nobody looks again and again; where the other side is on another, anybody may.
#[test]
fn a_thread_on_the_peers_processor_is_in_its_way() {
    let (server, client) = pair(bytes(100));
    let elsewhere = || client.words().processor_server.store(u32::MAX, Ordering::Relaxed);
    elsewhere();
    assert!(!client.is_in_peers_way());
    // This thread may move between the two.
    let both_here = || server.show_processor() == client.show_processor() && client.is_in_peers_way();
    assert!((0..1000).any(|_| both_here()));
}

/// P39: a long write to a reader on another processor goes in pieces, and is one write.
#[test]
fn a_long_write_goes_in_pieces_and_is_one_write() {
    let _limit = limit();
    let (server, client) = pair(bytes(1 << 20));
    client.words().processor_server.store(u32::MAX, Ordering::Relaxed);
    let sent = pattern(300_001, 7);
    assert_eq!(client.write(&sent, &FOR_EVER), Ok(sent.len()));
    assert_eq!(client.counters().messages_out, 1);
    assert_eq!(read_bytes(&server, 1 << 20), Ok(sent));
}
