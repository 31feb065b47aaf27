//! What is done at once comes to the same as the steps one by one, and what cannot is left alone.

use super::*;

fn write(pipe: &Pipe, bytes: &[u8]) -> bool {
    let mut writer = pipe.queue().swift_writer(&pipe.heads);
    let done = writer.write_swiftly(bytes);
    writer.publish();
    done
}

fn read(pipe: &Pipe, len: usize, mode: Mode) -> Option<Vec<u8>> {
    let mut buffer = vec![0; len];
    let mut reader = pipe.queue().swift_reader(&pipe.tails);
    let got = reader.read_swiftly(&mut buffer, mode, &Early::default())?;
    assert!(reader.publish());
    buffer.truncate(got);
    Some(buffer)
}

#[test]
fn usual_writes_and_reads_are_done_at_once() {
    for (pipe, mode) in [(Pipe::bytes(100), Mode::Bytes), (Pipe::messages(100), Mode::Message)] {
        for round in 0..40 {
            pipe.writer().refresh().unwrap();
            assert!(write(&pipe, &[round; 30]));
            pipe.done(&[round; 20]);
            assert_eq!(read(&pipe, 30, mode), Some(vec![round; 30]));
            assert_eq!(pipe.some(99), [round; 20]);
        }
        assert_eq!(pipe.queue().is_drained(), Ok(true));
        let totals = pipe.control.totals().unwrap();
        assert_eq!((totals.writes, totals.bytes_written, totals.bytes_read), (80, 2000, 2000));
        if pipe.shape.is_message() {
            assert_eq!(totals.messages_read, 80);
        }
    }
}

/// P34: more than the quota is not complete at once; nor is what the writer has not seen the room for.
#[test]
fn a_write_beyond_the_quota_is_left_alone() {
    for pipe in [Pipe::bytes(10), Pipe::messages(10)] {
        assert!(write(&pipe, &[1; 6]));
        assert!(!write(&pipe, &[2; 5]));
        assert_eq!(pipe.unread(), 6);
        assert!(write(&pipe, &[3; 4]));
        pipe.message(10);
        assert!(!write(&pipe, &[4; 4]));
        pipe.writer().refresh().unwrap();
        assert!(write(&pipe, &[4; 4]));
    }
}

#[test]
fn nothing_empty_is_done_at_once() {
    let pipe = Pipe::messages(10);
    assert!(!write(&pipe, b"") && read(&pipe, 9, Mode::Message).is_none());
    pipe.done(b"");
    assert_eq!(read(&pipe, 9, Mode::Message), None);
    assert_eq!(pipe.message(9), b"");
}

/// P27, P26: who has too little room, or reads over boundaries, goes the long way.
#[test]
fn only_whole_messages_are_read_at_once() {
    let pipe = Pipe::messages(100);
    pipe.done(b"hello");
    assert_eq!(read(&pipe, 4, Mode::Message), None);
    assert_eq!(read(&pipe, 9, Mode::Bytes), None);
    assert_eq!(pipe.read(2, Mode::Message), (part(2), b"he".to_vec()));
    assert_eq!(read(&pipe, 9, Mode::Message), None, "inside a message");
    assert_eq!(pipe.message(9), b"llo");
}

/// P38: a write that waits may be taken back at any moment.
#[test]
fn what_a_waiting_write_left_is_not_read_at_once() {
    for (pipe, mode) in [(Pipe::bytes(10), Mode::Bytes), (Pipe::messages(10), Mode::Message)] {
        let ticket = pipe.waiting(&[7; 20]);
        assert_eq!(read(&pipe, 20, mode), None);
        assert!(pipe.queue().swift_reader(&pipe.tails).borrow_swiftly().is_none());
        assert!(matches!(pipe.queue().withdraw(ticket), Withdrawal::Withdrawn));
        assert_eq!(read(&pipe, 20, mode), None);
        assert_eq!(pipe.read(20, mode).0, Read::Empty);
    }
}

/// All that the caller has room for, also where an earlier look saw less of it.
#[test]
fn bytes_come_all_that_are_there() {
    let pipe = Pipe::bytes(100);
    pipe.done(b"ab");
    assert_eq!(pipe.peek(9).1, b"ab");
    assert_eq!(read(&pipe, 1, Mode::Bytes).unwrap(), b"a");
    pipe.done(b"cd");
    assert_eq!(read(&pipe, 9, Mode::Bytes).unwrap(), b"bcd");
}

#[test]
fn loans_are_made_committed_and_looked_at_at_once() {
    let pipe = Pipe::messages(100);
    for round in 0..40 {
        pipe.writer().refresh().unwrap();
        let mut writer = pipe.queue().swift_writer(&pipe.heads);
        let Some(loan) = writer.loan_swiftly(40) else {
            // Not in front of the ring's end.
            assert!(write(&pipe, &[round; 40]));
            assert_eq!(pipe.message(99), [round; 40]);
            continue;
        };
        pipe.data.0.borrow_mut()[loan.offset..loan.offset + 40].fill(round);
        assert!(!writer.commit_swiftly(&loan, 41));
        assert!(writer.commit_swiftly(&loan, 30));
        assert!(!writer.commit_swiftly(&loan, 30), "it is committed");
        writer.publish();
        let lent = pipe.queue().swift_reader(&pipe.tails).borrow_swiftly().unwrap();
        assert_eq!((lent.len, lent.complete), (30, true));
        let [(at, len), _] = lent.parts;
        assert_eq!(pipe.data.0.borrow()[at..at + len], vec![round; len]);
        let mut reader = pipe.queue().swift_reader(&pipe.tails);
        assert!(reader.give_back_swiftly(&lent));
        assert!(reader.publish());
        assert_eq!(pipe.queue().is_drained(), Ok(true));
    }
    assert_eq!(pipe.control.totals().unwrap().messages_read, 40);
}

/// What is fetched before it comes: where the next write will lie if it is like the last.
#[test]
fn the_next_lines_are_those_behind_the_last_write() {
    let pipe = Pipe::new(true, 1024, 4096);
    let next = || (pipe.queue().next_lines(&pipe.tails), pipe.queue().next_ends(&pipe.tails));
    assert_eq!(next(), ([None; 2], [None; 2]), "nothing was read");
    pipe.done(&[1; 24]);
    pipe.message(99);
    assert_eq!(next(), ([Some(0), None], [Some(0), None]), "bytes 32 to 63");
    pipe.done(&[1; 64]);
    pipe.message(99);
    assert_eq!(next(), ([Some(64), Some(128)], [Some(64), Some(128)]), "bytes 104 to 175");
    pipe.done(&[1; 1000]);
    pipe.message(1000);
    assert_eq!(next(), ([None; 2], [Some(1088), Some(2112)]), "bytes 1112 to 2119");
}

/// Two builds meet in these bytes, whichever way they were written.
#[test]
fn both_ways_write_the_same_bytes() {
    for message in [false, true] {
        let pipes = [(); 2].map(|()| Pipe::new(message, 4096, 16 << 10));
        for len in 1..80 {
            let bytes = pattern(len);
            assert!(write(&pipes[0], &bytes));
            pipes[1].done(&bytes);
        }
        assert_eq!(*pipes[0].data.0.borrow(), *pipes[1].data.0.borrow());
    }
}

/// Who would have to look next time looks when nobody waits for it.
#[test]
fn a_writer_looks_ahead() {
    let pipe = Pipe::messages(10);
    assert!(write(&pipe, &[1; 6]));
    pipe.message(10);
    pipe.writer().look_ahead(4);
    assert!(!write(&pipe, &[2; 6]), "a write of 4 was there for the asking");
    pipe.writer().look_ahead(6);
    assert!(write(&pipe, &[2; 6]));
}
