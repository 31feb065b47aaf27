//! Writes: when they are done, when they wait, when they are refused.

use super::*;

/// P34: up to the quota, to the byte.
#[test]
fn a_write_within_the_quota_is_done_at_once() {
    for pipe in [Pipe::bytes(100), Pipe::messages(100)] {
        pipe.done(&[1; 60]);
        pipe.done(&[2; 40]);
        assert_eq!(pipe.unread(), 100);
        let ticket = pipe.waiting(&[3; 1]);
        assert_eq!(pipe.progress(&ticket), Progress::Waiting);
    }
}

/// P34: a write of quota + n bytes into an empty pipe completes when n bytes have been read.
#[test]
fn a_write_beyond_the_quota_waits_until_the_excess_is_read() {
    let pipe = Pipe::bytes(100);
    let ticket = pipe.waiting(&pattern(120));
    assert_eq!(pipe.some(19).len(), 19);
    assert_eq!(pipe.progress(&ticket), Progress::Waiting);
    assert_eq!(pipe.some(1), pattern(120)[19..20]);
    assert_eq!(pipe.progress(&ticket), Progress::Done);
    assert_eq!(pipe.some(200), pattern(120)[20..]);
}

/// P34: the same inside a message, and with message reads.
#[test]
fn a_long_message_waits_until_the_excess_is_read() {
    let pipe = Pipe::messages(100);
    let ticket = pipe.waiting(&pattern(120));
    assert_eq!(pipe.read(19, Mode::Message).0, part(19));
    assert_eq!(pipe.progress(&ticket), Progress::Waiting);
    assert_eq!(pipe.read(1, Mode::Message).0, part(1));
    assert_eq!(pipe.progress(&ticket), Progress::Done);
    assert_eq!(pipe.message(200), pattern(120)[20..]);
}

/// P34: in order: a write that waits behind another is done after it.
#[test]
fn writes_complete_in_order() {
    let pipe = Pipe::bytes(50);
    pipe.done(&[1; 50]);
    let first = pipe.waiting(&[2; 10]);
    let second = pipe.waiting(&[3; 10]);
    pipe.some(10);
    assert_eq!((pipe.progress(&second), pipe.progress(&first)), (Progress::Waiting, Progress::Done));
    pipe.some(10);
    assert_eq!(pipe.progress(&second), Progress::Done);
}

/// P34: a waiting read takes its bytes first.
#[test]
fn what_a_sleeping_reader_will_take_does_not_count() {
    for pipe in [Pipe::bytes(10), Pipe::messages(10)] {
        pipe.queue().demand(30);
        pipe.done(&[1; 40]);
        // The reader takes one write's bytes; the next finds the queue as it is.
        let ticket = pipe.waiting(&[2; 1]);
        pipe.queue().demand(0);
        pipe.some(30);
        assert_eq!(pipe.progress(&ticket), Progress::Waiting);
        pipe.some(1);
        assert_eq!(pipe.progress(&ticket), Progress::Done);
    }
}

/// P35: the data of waiting writes are visible and counted.
#[test]
fn waiting_data_are_visible_at_once() {
    let pipe = Pipe::bytes(4);
    pipe.done(b"abcd");
    let ticket = pipe.waiting(b"efgh");
    let (peek, bytes) = pipe.peek(100);
    assert_eq!((peek.available, &bytes[..]), (8, &b"abcdefgh"[..]));
    assert_eq!(pipe.some(100), b"abcdefgh");
    assert_eq!(pipe.progress(&ticket), Progress::Done);
}

/// P36: with quota 0 every write waits until it is read completely.
#[test]
fn quota_zero_waits_for_the_last_byte() {
    for pipe in [Pipe::bytes(0), Pipe::messages(0)] {
        let ticket = pipe.waiting(b"abc");
        assert_eq!(pipe.some(2), b"ab");
        assert_eq!(pipe.progress(&ticket), Progress::Waiting);
        assert_eq!(pipe.some(2), b"c");
        assert_eq!(pipe.progress(&ticket), Progress::Done);
    }
}

/// P37: empty messages never wait, not even behind waiting writes.
#[test]
fn empty_messages_pass_the_quota() {
    let pipe = Pipe::messages(0);
    let ticket = pipe.waiting(b"abc");
    pipe.done(b"");
    assert_eq!(pipe.message(9), b"abc");
    assert_eq!(pipe.message(9), b"");
    assert_eq!(pipe.progress(&ticket), Progress::Done);
}

/// P37: they need room for a header.
#[test]
fn an_empty_message_needs_its_header() {
    let pipe = Pipe::new(true, 100, 64);
    pipe.done(&[1; 56]);
    assert!(matches!(pipe.write(b"", Limit::Quota), Written::NoSpace));
    assert!(matches!(pipe.write(b"", Limit::NoWait), Written::Refused));
    pipe.message(56);
    pipe.done(b"");
}

/// P23: a write of 0 bytes to a byte-type pipe is invisible.
#[test]
fn an_empty_write_to_a_byte_pipe_is_invisible() {
    let pipe = Pipe::bytes(10);
    pipe.done(b"");
    assert_eq!(pipe.queue().written_mark(), 0, "no reader wakes");
    assert_eq!(pipe.peek(10).0, Peek { drained: true, ..Peek::default() });
    assert_eq!(pipe.read(10, Mode::Bytes).0, Read::Empty);
}

/// P42: all or nothing.
#[test]
fn without_waiting_a_write_fits_or_is_refused() {
    for pipe in [Pipe::bytes(100), Pipe::messages(100)] {
        assert!(matches!(pipe.write(&[1; 101], Limit::NoWait), Written::Refused));
        assert!(matches!(pipe.write(&[1; 60], Limit::NoWait), Written::Done));
        assert!(matches!(pipe.write(&[2; 41], Limit::NoWait), Written::Refused));
        assert!(matches!(pipe.write(&[2; 40], Limit::NoWait), Written::Done));
        assert_eq!(pipe.unread(), 100, "nothing of a refused write is there");
    }
}

/// P64: a transaction's request is queued whatever the quota.
#[test]
fn a_request_is_queued_whatever_the_quota() {
    let pipe = Pipe::messages(4);
    assert!(matches!(pipe.write(&[1; 50], Limit::Physical), Written::Done));
    assert!(matches!(pipe.write(&[2; 50], Limit::Physical), Written::Done));
    assert_eq!((pipe.message(99), pipe.message(99)), (vec![1; 50], vec![2; 50]));
}

/// P38: what is left of a cancelled write disappears.
#[test]
fn a_cancelled_write_disappears() {
    for pipe in [Pipe::bytes(10), Pipe::messages(10)] {
        pipe.done(&[1; 10]);
        let cancelled = pipe.waiting(&[2; 20]);
        let kept = pipe.waiting(&[3; 5]);
        assert_eq!(pipe.queue().withdraw(cancelled), Withdrawal::Withdrawn);
        assert_eq!(pipe.unread(), 15);
        assert_eq!(pipe.message(10), [1; 10]);
        assert_eq!(pipe.progress(&kept), Progress::Done, "what was withdrawn does not count");
        assert_eq!(pipe.message(100), [3; 5]);
        assert_eq!((pipe.unread(), pipe.queue().is_drained()), (0, Ok(true)));
    }
}

/// P38: even if part of it has been read.
#[test]
fn a_cancelled_write_disappears_from_where_the_reader_is() {
    for pipe in [Pipe::bytes(10), Pipe::messages(10)] {
        let cancelled = pipe.waiting(&[2; 20]);
        assert_eq!(pipe.some(4), [2; 4]);
        assert_eq!(pipe.queue().withdraw(cancelled), Withdrawal::Withdrawn);
        assert_eq!(pipe.peek(50).0, Peek { drained: true, ..Peek::default() });
        pipe.done(&[3; 10]);
        assert_eq!(pipe.message(100), [3; 10]);
    }
}

/// P38: data behind a cancelled write are seen by who peeks, across it.
#[test]
fn peeking_goes_on_behind_a_cancelled_write() {
    let pipe = Pipe::bytes(2);
    pipe.done(b"ab");
    let cancelled = pipe.waiting(b"cd");
    let _kept = pipe.waiting(b"ef");
    assert_eq!(pipe.queue().withdraw(cancelled), Withdrawal::Withdrawn);
    let (peek, bytes) = pipe.peek(10);
    assert_eq!((peek.available, &bytes[..]), (4, &b"abef"[..]));
    assert_eq!(pipe.some(10), b"abef");
}

/// Invariant 6.
#[test]
fn a_write_that_was_read_cannot_be_cancelled() {
    for pipe in [Pipe::bytes(0), Pipe::messages(0)] {
        let ticket = pipe.waiting(b"abc");
        assert_eq!(pipe.some(3), b"abc");
        assert_eq!(pipe.queue().withdraw(ticket), Withdrawal::TooLate);
    }
}

/// Invariant 6: the reader copied it, but the cancellation came before it took the last byte.
#[test]
fn cancelling_under_the_readers_copy_wins() {
    for mut pipe in [Pipe::bytes(0), Pipe::messages(0)] {
        let ticket = pipe.waiting(b"abc");
        pipe.data.0.borrow_mut()[20] = 0;
        let mut reader = pipe.reader();
        let Borrow::Lent(lent) = reader.borrow(|_| false).unwrap() else { panic!("there is something") };
        assert_eq!(lent.len, 3);
        assert_eq!(pipe.queue().withdraw(ticket), Withdrawal::Withdrawn);
        assert_eq!(reader.give_back(lent, 3), Ok(false));
        reader.publish();
        assert_eq!(pipe.read(9, Mode::Bytes).0, Read::Empty);
        pipe.shape = Shape::new(pipe.shape.message, 100, 256).unwrap();
        pipe.done(b"next");
        assert_eq!(pipe.some(9), b"next");
    }
}

/// Invariant 6: a partly read write may be cancelled, and then it is not completed by the reader.
#[test]
fn cancelled_slots_are_used_again() {
    let pipe = Pipe::new(true, 0, 4096);
    for round in 0..100u8 {
        let ticket = pipe.waiting(&[round; 3]);
        if round % 3 == 0 {
            assert_eq!(pipe.queue().withdraw(ticket), Withdrawal::Withdrawn);
            assert_eq!(pipe.read(9, Mode::Message).0, Read::Empty);
        } else {
            assert_eq!(pipe.message(9), [round; 3]);
            assert_eq!(pipe.progress(&ticket), Progress::Done);
        }
    }
    assert_eq!(pipe.control.pending.load(Ordering::Relaxed), 0);
}

#[test]
fn one_write_more_than_slots_is_told_so() {
    let pipe = Pipe::new(false, 0, 256);
    let tickets: Vec<_> = (0..layout::SLOTS).map(|i| pipe.waiting(&[i as u8])).collect();
    assert!(matches!(pipe.write(b"x", Limit::Quota), Written::NoSlot));
    assert_eq!(pipe.unread(), layout::SLOTS as u64, "nothing of it is there");
    assert_eq!(pipe.some(1), [0]);
    assert_eq!(pipe.progress(&tickets[0]), Progress::Done);
    let again = pipe.waiting(b"x");
    assert_eq!(pipe.some(100).last(), Some(&b'x'));
    assert_eq!(pipe.progress(&again), Progress::Done);
}

/// One publication for many writes, one for many reads.
#[test]
fn batches_change_the_marks_once() {
    let pipe = Pipe::messages(100);
    let mut writer = pipe.writer();
    for i in 0..5 {
        assert!(matches!(writer.write(&[i; 4], Limit::Quota, ROW), Ok(Written::Done)));
    }
    assert_eq!(pipe.read(9, Mode::Message).0, Read::Empty, "nothing exists before it is published");
    writer.publish();
    assert_eq!(pipe.queue().written_mark(), 1);
    let mut reader = pipe.reader();
    for i in 0..5 {
        let mut buffer = [0; 9];
        assert_eq!(reader.read(&mut buffer, 0, Mode::Message, |_| false), Ok(whole(4)));
        assert_eq!(buffer[..4], [i; 4]);
    }
    assert!(reader.publish() && !reader.publish());
    assert_eq!(pipe.queue().consumed_mark(), 1);
}

#[test]
fn parts_become_one_write() {
    for pipe in [Pipe::bytes(100), Pipe::messages(100)] {
        let mut writer = pipe.writer();
        let parts: [&[u8]; 4] = [b"head", b"", b"er and ", b"body"];
        assert!(matches!(writer.write_parts(&parts, Limit::Quota, ROW), Ok(Written::Done)));
        writer.publish();
        assert_eq!(pipe.message(99), b"header and body");
    }
}

/// The ring's end is in the middle of everything, at one time or another.
#[test]
fn data_wrap_around() {
    for pipe in [Pipe::new(false, 60, 64), Pipe::new(true, 48, 64)] {
        for len in (1..=48).chain(1..=48) {
            pipe.done(&pattern(len));
            assert_eq!(pipe.message(64), pattern(len));
        }
    }
}

/// What a write would become, without making it.
#[test]
fn looking_whether_a_write_fits_changes_nothing() {
    let pipe = Pipe::messages(100);
    let mut writer = pipe.writer();
    assert_eq!(writer.fit(100, Limit::Quota), Ok(Fit::Completes));
    assert_eq!(writer.fit(101, Limit::Quota), Ok(Fit::Waits));
    assert_eq!(writer.fit(101, Limit::Physical), Ok(Fit::Completes));
    assert_eq!(writer.fit(1000, Limit::Quota), Ok(Fit::Streams));
    assert_eq!(writer.fit(0, Limit::NoWait), Ok(Fit::Completes));
    writer.publish();
    assert_eq!(pipe.queue().written_mark(), 0);
}

/// Two processes share an end: what one of them remembers of the other side is old.
#[test]
fn an_end_that_slept_through_the_others_work_looks_anew() {
    let pipe = Pipe::new(true, 40, 64);
    let (old_heads, old_tails) = (HeadCache::new(), TailCache::new());
    for _ in 0..20 {
        pipe.done(&[1; 30]);
        pipe.message(30);
    }
    let mut writer = pipe.queue().writer(&old_heads).unwrap();
    assert!(matches!(writer.write(&[2; 40], Limit::NoWait, ROW), Ok(Written::Done)));
    writer.publish();
    let mut reader = pipe.queue().reader(&old_tails).unwrap();
    assert_eq!(reader.read(&mut [0; 64], 0, Mode::Message, |_| false), Ok(whole(40)));
}

/// P39: one write, in one piece for others, whose first bytes can be read before the last are there.
#[test]
fn a_write_in_pieces_is_one_write_and_is_seen_piece_by_piece() {
    let pipe = Pipe::new(false, 100, 256);
    let (sent, mut seen) = (pattern(70), Vec::new());
    let written = pipe.writer().write_pieces(&sent, 30, || seen.push(pipe.unread()));
    assert_eq!((written, seen), (Ok(true), vec![30, 60, 70]));
    assert_eq!(pipe.control.totals().unwrap().writes, 1);
    assert_eq!(pipe.some(100), sent);
    // Whoever is killed in between has written so much.
    let mut writer = pipe.writer();
    let published = std::panic::AssertUnwindSafe(|| {
        writer.write_pieces(&sent, 30, || assert!(pipe.unread() < 60, "killed here"))
    });
    assert!(std::panic::catch_unwind(published).is_err());
    pipe.queue().recover_writer().unwrap();
    pipe.done(b"next");
    assert_eq!(pipe.some(100), [&sent[..60], b"next"].concat());
}

/// P34, P42: only what is complete at once goes in pieces.
#[test]
fn a_write_that_would_wait_does_not_begin_in_pieces() {
    for pipe in [Pipe::new(false, 100, 256), Pipe::new(true, 100, 256)] {
        let len = if pipe.queue().shape().is_message() { 50 } else { 101 };
        let written = pipe.writer().write_pieces(&pattern(len), 30, || panic!("nothing is published"));
        assert_eq!((written, pipe.unread()), (Ok(false), 0));
    }
}
