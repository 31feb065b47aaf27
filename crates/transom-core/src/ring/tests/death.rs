//! Processes that were killed: at the point that matters nothing more is done, and the successor recovers.

use super::*;

/// Invariant 4: what was copied and not published never existed.
#[test]
fn an_unpublished_write_never_existed() {
    for pipe in [Pipe::bytes(100), Pipe::messages(100)] {
        let mut writer = pipe.writer();
        assert!(matches!(writer.write(b"lost", Limit::Quota, ROW), Ok(Written::Done)));
        pipe.queue().recover_writer().unwrap();
        assert_eq!(pipe.read(9, Mode::Message).0, Read::Empty);
        pipe.done(b"kept");
        assert_eq!(pipe.message(9), b"kept");
    }
}

/// Invariant 4: what was read and not published is read again.
#[test]
fn an_unpublished_read_is_read_again() {
    for pipe in [Pipe::bytes(100), Pipe::messages(100)] {
        pipe.done(b"abcd");
        let mut reader = pipe.reader();
        let _ = reader.read(&mut [0; 3], 0, Mode::Message, |_| false).unwrap();
        pipe.queue().recover_reader().unwrap();
        assert_eq!((pipe.unread(), pipe.message(9)), (4, b"abcd".to_vec()));
    }
}

/// P38: the writes of a dead process disappear, those of others stay.
#[test]
fn waiting_writes_of_the_dead_disappear() {
    for pipe in [Pipe::bytes(0), Pipe::messages(0)] {
        let alive = pipe.waiting(b"alive");
        let mut writer = pipe.writer();
        let Ok(Written::Waiting(_dead)) = writer.write(b"dead", Limit::Quota, 9) else { panic!() };
        assert_eq!(pipe.read_asking(100, Mode::Message, |row| row == 9), (whole(5), b"alive".to_vec()));
        assert_eq!(pipe.progress(&alive), Progress::Done);
        assert_eq!(pipe.read_asking(100, Mode::Message, |row| row == 9).0, Read::Empty);
        assert_eq!(pipe.queue().is_drained(), Ok(true));
    }
}

/// P38: even if part of it has been read, and whoever looks first.
#[test]
fn a_sweep_withdraws_the_writes_of_the_dead() {
    for pipe in [Pipe::bytes(0), Pipe::messages(0)] {
        let ticket = pipe.waiting(b"dead");
        assert_eq!(pipe.some(1), b"d");
        assert_eq!(pipe.queue().sweep(|row| row != ROW), Swept::default());
        assert_eq!(pipe.queue().sweep(|row| row == ROW), Swept { withdrawn: 1, streaming: false });
        assert_eq!(pipe.unread(), 0);
        assert_eq!(pipe.progress(&ticket), Progress::Withdrawn);
        assert_eq!(pipe.read(9, Mode::Bytes).0, Read::Empty);
    }
}

/// A row's next owner must not pass for the dead one.
#[test]
fn who_takes_a_row_over_withdraws_what_was_left_there() {
    let pipe = Pipe::bytes(0);
    let _dead = pipe.waiting(b"dead");
    assert_eq!(pipe.queue().disown(ROW + 1).withdrawn, 0);
    assert_eq!(pipe.queue().disown(ROW).withdrawn, 1);
    let ticket = pipe.waiting(b"new");
    assert_eq!(pipe.some(9), b"new");
    assert_eq!(pipe.progress(&ticket), Progress::Done);
}

/// P38: a process that dies while it streams.
#[test]
fn a_dead_stream_disappears() {
    for pipe in [Pipe::new(false, 50, 64), Pipe::new(true, 40, 64)] {
        for read_before in [0, 5, 40] {
            let _dead = pipe.streaming(&pattern(500));
            if read_before > 0 {
                pipe.some(read_before);
            }
            let read = pipe.read_asking(9, Mode::Message, |row| row == ROW).0;
            assert_eq!(read, Read::Recover { holder: ROW });
            let peeked = pipe.queue().peek(&mut [], |row| row == ROW);
            assert_eq!(peeked, Ok(Peeked::Recover { holder: ROW }));
            assert!(pipe.queue().sweep(|row| row == ROW).streaming);
            pipe.queue().recover_writer().unwrap();
            assert_eq!((pipe.unread(), pipe.read(9, Mode::Message).0), (0, Read::Empty));
            pipe.done(b"next");
            assert_eq!(pipe.message(9), b"next");
        }
    }
}

/// A recovery that is killed is made again by the next: every cut between its steps.
#[test]
fn a_recovery_may_die_as_well() {
    for message in [false, true] {
        for cut in 0..4 {
            let pipe = Pipe::new(message, 40, 64);
            let _dead = pipe.streaming(&pattern(500));
            pipe.some(7);
            let view = slots::all(&pipe.control).next().unwrap();
            let (mark, [tail, announced, messages]) = pipe.control.written.look_once();
            if cut > 0 {
                pipe.control.slots[view.index].change(view.word, slots::ENDING).unwrap();
                assert_ne!(pipe.read(9, Mode::Message).0, Read::Recover { holder: ROW }, "nobody was asked");
            }
            let reached = tail - view.start;
            let payload = if message { reached - HEADER } else { reached };
            if cut > 1 {
                slots::shorten(&pipe.control, &view, reached as u32, payload as u32);
            }
            if cut > 2 {
                let corrected = announced - 500 + payload;
                pipe.control.written.publish(mark, [tail, corrected, messages]);
            }
            pipe.queue().recover_writer().unwrap();
            pipe.queue().recover_writer().unwrap();
            assert_eq!((pipe.unread(), pipe.queue().is_drained()), (0, Ok(true)), "cut {cut}");
            assert_eq!(pipe.reader().skip(), Ok(true), "its room is free again");
            pipe.done(b"next");
            assert_eq!(pipe.message(9), b"next");
        }
    }
}

/// A dead writer's slot without data is no reason to skip what another writes there later.
#[test]
fn a_slot_without_data_is_not_withdrawn() {
    for pipe in [Pipe::bytes(10), Pipe::messages(10)] {
        pipe.writer().take_slot(slots::PENDING, 16, 5, ROW).unwrap();
        assert_eq!(pipe.queue().sweep(|row| row == ROW), Swept { withdrawn: 0, streaming: true });
        let read = pipe.read_asking(9, Mode::Message, |row| row == ROW).0;
        assert_eq!(read, Read::Recover { holder: ROW });
        pipe.queue().recover_writer().unwrap();
        pipe.done(b"next");
        assert_eq!(pipe.message(9), b"next");
    }
}

/// Killed after it took a slot, before it published: nobody has seen it.
#[test]
fn a_slot_without_data_is_freed() {
    for state in [slots::PENDING, slots::STREAMING] {
        let pipe = Pipe::new(true, 0, 64);
        pipe.writer().take_slot(state, 16, 5, ROW).unwrap();
        // Or even before it set the bit.
        pipe.control.pending.store(0, Ordering::Relaxed);
        pipe.queue().recover_writer().unwrap();
        assert_eq!(slots::all(&pipe.control).count(), 0);
        let ticket = pipe.waiting(b"abc");
        assert_eq!((pipe.unread(), pipe.message(9)), (3, b"abc".to_vec()));
        assert_eq!(pipe.progress(&ticket), Progress::Done);
    }
}

/// Killed between publishing and tidying: the withdrawn slot behind the head is freed by the next reader.
#[test]
fn a_slot_left_behind_the_head_is_freed() {
    let pipe = Pipe::bytes(0);
    let ticket = pipe.waiting(b"gone");
    assert_eq!(pipe.queue().withdraw(ticket), Withdrawal::Withdrawn);
    let (mark, [head, payload, rest]) = pipe.control.consumed.look_once();
    pipe.control.consumed.publish(mark, [head + 4, payload + 4, rest]);
    pipe.queue().demand(77);
    pipe.queue().recover_reader().unwrap();
    assert_eq!(slots::all(&pipe.control).count(), 0);
    assert_eq!(pipe.control.pending.load(Ordering::Relaxed), 0);
    assert!(matches!(pipe.write(b"x", Limit::NoWait), Written::Refused), "nor does the dead reader wait");
}

/// The reader took the last byte of a waiting write and died before it published: the write has succeeded, and
/// its data are read again.
#[test]
fn a_write_that_a_dead_reader_took_has_succeeded() {
    for pipe in [Pipe::bytes(0), Pipe::messages(0)] {
        let ticket = pipe.waiting(b"abc");
        let _ = pipe.reader().read(&mut [0; 9], 0, Mode::Message, |_| false).unwrap();
        assert_eq!(pipe.progress(&ticket), Progress::Done);
        pipe.queue().recover_reader().unwrap();
        assert_eq!(pipe.message(9), b"abc");
    }
}

/// A read that took and published the beginning of a message, as one that waits for the rest does.
fn begin_message(pipe: &Pipe, len: usize) {
    let mut buffer = vec![0; len];
    let mut reader = pipe.reader();
    assert_eq!(reader.read(&mut buffer, 0, Mode::Message, |_| false), Ok(Read::Part { taken: 56 }));
    reader.begin_part();
    assert!(reader.publish());
}

/// Writes on until nothing has room any more.
fn go_on(pipe: &Pipe, stream: &mut Stream, bytes: &[u8]) -> Option<Ticket> {
    let mut writer = pipe.writer();
    loop {
        match writer.stream(stream, &[bytes]).unwrap() {
            Streamed::Through(ticket) => return Some(ticket),
            Streamed::Blocked { progressed: true } => {}
            Streamed::Blocked { progressed: false } => return None,
        }
    }
}

/// Invariant 10: the rest of a message whose reader died in the middle is nobody's message.
#[test]
fn a_message_that_lost_its_beginning_is_skipped() {
    for mode in [Mode::Message, Mode::Bytes] {
        let pipe = Pipe::new(true, 40, 64);
        let bytes = pattern(150);
        let mut stream = pipe.streaming(&bytes);
        begin_message(&pipe, 200);
        pipe.queue().recover_reader().unwrap();
        pipe.queue().recover_reader().unwrap();
        let mut rounds = 0;
        let ticket = loop {
            rounds += 1;
            let written = go_on(&pipe, &mut stream, &bytes);
            if let Some(ticket) = written {
                break ticket;
            }
            assert_eq!(pipe.peek(9).0, Peek::default(), "nothing of it is shown");
            assert_eq!(pipe.read(9, mode).0, Read::Empty);
        };
        assert!(rounds > 1);
        assert_eq!(pipe.read(9, mode).0, Read::Empty);
        assert_eq!((pipe.progress(&ticket), pipe.queue().is_drained()), (Progress::Done, Ok(true)));
        pipe.done(b"next");
        assert_eq!(pipe.message(9), b"next");
    }
}

/// The same with a message behind it, and for who looks in place.
#[test]
fn what_follows_a_message_that_lost_its_beginning_is_whole() {
    let pipe = Pipe::new(true, 60, 64);
    let bytes = pattern(80);
    let mut stream = pipe.streaming(&bytes);
    begin_message(&pipe, 200);
    pipe.queue().recover_reader().unwrap();
    let Some(_ticket) = go_on(&pipe, &mut stream, &bytes) else { panic!("there is room") };
    pipe.done(b"next");
    assert_eq!(pipe.peek(9), (Peek { copied: 4, available: 4, left: 0, drained: false }, b"next".to_vec()));
    let mut reader = pipe.reader();
    let Ok(Borrow::Lent(lent)) = reader.borrow(|_| false) else { panic!("there is a message") };
    assert_eq!((lent.len, lent.complete), (4, true));
    assert_eq!(reader.give_back(lent, 4), Ok(true));
    reader.publish();
    assert_eq!(pipe.queue().is_drained(), Ok(true));
}

/// Its writer may take it back, or die as well.
#[test]
fn a_message_that_lost_its_beginning_may_be_withdrawn() {
    for writer_died in [false, true] {
        let pipe = Pipe::new(true, 40, 64);
        let bytes = pattern(150);
        let mut stream = pipe.streaming(&bytes);
        begin_message(&pipe, 200);
        pipe.queue().recover_reader().unwrap();
        assert!(go_on(&pipe, &mut stream, &bytes).is_none());
        if writer_died {
            let read = pipe.read_asking(9, Mode::Message, |row| row == ROW).0;
            assert_eq!(read, Read::Recover { holder: ROW });
            pipe.queue().recover_writer().unwrap();
        } else {
            assert_eq!(pipe.writer().abandon(stream), Ok(Withdrawal::Withdrawn));
        }
        assert_eq!(pipe.read(9, Mode::Message).0, Read::Empty);
        pipe.done(b"next");
        assert_eq!(pipe.message(9), b"next");
        // And nothing of that is remembered.
        pipe.done(&pattern(20));
        assert_eq!(pipe.read(15, Mode::Message).0, part(15));
        pipe.queue().recover_reader().unwrap();
        assert_eq!(pipe.message(9), pattern(20)[15..], "P27");
    }
}

/// P27: a part that was returned has not lost anybody anything: the rest is to be read, whoever dies afterwards.
#[test]
fn the_rest_of_a_message_whose_beginning_was_returned_stays() {
    let pipe = Pipe::new(true, 40, 64);
    let bytes = pattern(70);
    let mut stream = pipe.streaming(&bytes);
    begin_message(&pipe, 200);
    pipe.reader().end_part();
    pipe.queue().recover_reader().unwrap();
    let Some(_ticket) = go_on(&pipe, &mut stream, &bytes) else { panic!("there is room") };
    assert_eq!(pipe.message(99), bytes[56..]);
}

/// Invariant 11: killed between publishing and noting it in the mirror.
#[test]
fn a_mirror_left_behind_is_set_again() {
    let pipe = Pipe::bytes(100);
    pipe.done(b"old");
    let (mark, [tail, announced, writes]) = pipe.control.written.look_once();
    pipe.queue().copy_in(tail, b"new");
    pipe.control.written.publish(mark, [tail + 3, announced + 3, writes + 1]);
    pipe.queue().recover_writer().unwrap();
    pipe.done(b"!");
    let (mark, [head, payload, rest]) = pipe.control.consumed.look_once();
    pipe.control.consumed.publish(mark, [head + 3, payload + 3, rest]);
    pipe.queue().recover_reader().unwrap();
    assert_eq!(pipe.some(9), b"new!");
}
