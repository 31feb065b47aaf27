//! Reads and peeks.

use super::*;

/// P22: a stream. A read returns what is there, of several writes, up to its length.
#[test]
fn bytes_are_a_stream() {
    let pipe = Pipe::bytes(100);
    pipe.done(b"abc");
    pipe.done(b"def");
    assert_eq!(pipe.some(4), b"abcd");
    assert_eq!(pipe.some(100), b"ef");
    assert_eq!(pipe.read(100, Mode::Bytes).0, Read::Empty);
}

/// P22: also what came since the writer was last looked at.
#[test]
fn a_read_takes_what_came_meanwhile() {
    let pipe = Pipe::bytes(100);
    pipe.done(b"abc");
    assert_eq!(pipe.some(1), b"a");
    pipe.done(b"def");
    assert_eq!(pipe.some(100), b"bcdef");
}

/// P24: a read of 0 bytes takes nothing, and sees whether something is there.
#[test]
fn a_read_of_no_bytes_sees_whether_something_is_there() {
    let bytes = Pipe::bytes(100);
    assert_eq!(bytes.read(0, Mode::Bytes).0, Read::Empty);
    bytes.done(b"abc");
    assert_eq!(bytes.read(0, Mode::Bytes).0, whole(0));
    assert_eq!(bytes.some(9), b"abc");

    let messages = Pipe::messages(100);
    assert_eq!(messages.read(0, Mode::Message).0, Read::Empty);
    messages.done(b"abc");
    messages.done(b"");
    assert_eq!(messages.read(0, Mode::Bytes).0, whole(0));
    assert_eq!(messages.read(0, Mode::Message).0, part(0));
    assert_eq!(messages.unread(), 3);
    assert_eq!(messages.message(9), b"abc");
    assert_eq!(messages.read(0, Mode::Message).0, whole(0), "an empty message is taken");
    assert_eq!(messages.read(0, Mode::Message).0, Read::Empty);
}

/// P26: the reader's mode decides.
#[test]
fn byte_reads_cross_messages_and_message_reads_do_not() {
    let pipe = Pipe::messages(100);
    for message in [b"abc", b"def", b"ghi"] {
        pipe.done(message);
    }
    assert_eq!(pipe.message(100), b"abc");
    assert_eq!(pipe.some(100), b"defghi");
}

/// P27: 234, the rest stays at the head.
#[test]
fn a_message_longer_than_the_buffer_stays_at_the_head() {
    let pipe = Pipe::messages(100);
    pipe.done(b"0123456789");
    pipe.done(b"next");
    assert_eq!(pipe.read(4, Mode::Message), (part(4), b"0123".to_vec()));
    assert_eq!(pipe.read(4, Mode::Message), (part(4), b"4567".to_vec()));
    assert_eq!(pipe.message(4), b"89");
    assert_eq!(pipe.message(4), b"next");
}

/// P28: an empty message is read as 0 bytes, in both modes.
#[test]
fn empty_messages_are_read() {
    for mode in [Mode::Bytes, Mode::Message] {
        let pipe = Pipe::messages(100);
        pipe.done(b"");
        pipe.done(b"x");
        assert_eq!(pipe.read(10, mode).0, whole(0));
        assert_eq!(pipe.read(10, mode), (whole(1), b"x".to_vec()));
        assert_eq!(pipe.read(10, mode).0, Read::Empty);
    }
}

/// P28: a byte read goes over empty messages between bytes, and leaves one that comes last.
#[test]
fn byte_reads_leave_an_empty_message_that_comes_last() {
    let pipe = Pipe::messages(100);
    for message in [&b"ab"[..], b"", b"cd", b""] {
        pipe.done(message);
    }
    assert_eq!(pipe.some(100), b"abcd");
    assert_eq!(pipe.some(100), b"");
    assert_eq!(pipe.read(10, Mode::Bytes).0, Read::Empty);
}

/// P29: after a byte read inside a message the rest is the message.
#[test]
fn switching_the_mode_continues_inside_the_message() {
    let pipe = Pipe::messages(100);
    pipe.done(b"abcdef");
    pipe.done(b"ghi");
    assert_eq!(pipe.some(2), b"ab");
    assert_eq!(pipe.message(100), b"cdef");
    assert_eq!(pipe.read(1, Mode::Message), (part(1), b"g".to_vec()));
    pipe.done(b"jk");
    assert_eq!(pipe.some(100), b"hijk");
}

/// P58: copied, available, left.
#[test]
fn peeking_tells_what_is_there() {
    let pipe = Pipe::messages(100);
    pipe.done(b"abcdef");
    pipe.done(b"gh");
    let expected = Peek { copied: 4, available: 8, left: 2, drained: false };
    assert_eq!(pipe.peek(4), (expected, b"abcd".to_vec()));
    assert_eq!(pipe.some(1), b"a");
    let expected = Peek { copied: 2, available: 7, left: 3, drained: false };
    assert_eq!(pipe.peek(2), (expected, b"bc".to_vec()));
}

/// P59: it stops at the end of the first message, whatever the mode.
#[test]
fn peeking_stops_at_the_end_of_the_message() {
    let pipe = Pipe::messages(100);
    pipe.done(b"abc");
    pipe.done(b"def");
    let expected = Peek { copied: 3, available: 6, left: 0, drained: false };
    assert_eq!(pipe.peek(100), (expected, b"abc".to_vec()));
}

/// P60: a byte-type pipe has nothing left of a message.
#[test]
fn peeking_at_bytes_leaves_nothing() {
    let pipe = Pipe::bytes(100);
    pipe.done(b"abc");
    pipe.done(b"def");
    let expected = Peek { copied: 4, available: 6, left: 0, drained: false };
    assert_eq!(pipe.peek(4), (expected, b"abcd".to_vec()));
}

/// P61: an empty message at the head looks like an empty pipe, but it is still to be read.
#[test]
fn peeking_does_not_see_an_empty_message() {
    let pipe = Pipe::messages(100);
    pipe.done(b"");
    assert_eq!(pipe.peek(9).0, Peek::default());
    assert_eq!(pipe.queue().is_drained(), Ok(false), "P40: a flush waits for it");
    assert_eq!(pipe.message(9), b"");
    assert_eq!(pipe.queue().is_drained(), Ok(true));
}

/// P40: flushed means read, waiting writes included.
#[test]
fn drained_means_read_to_the_last_byte() {
    let pipe = Pipe::bytes(2);
    assert_eq!(pipe.queue().is_drained(), Ok(true));
    pipe.done(b"ab");
    let ticket = pipe.waiting(b"cd");
    assert_eq!(pipe.some(3), b"abc");
    assert_eq!(pipe.progress(&ticket), Progress::Done);
    assert_eq!(pipe.queue().is_drained(), Ok(false));
    assert_eq!(pipe.some(3), b"d");
    assert_eq!(pipe.queue().is_drained(), Ok(true));
}

/// Messages are read where they lie and given back, in whole or in part.
#[test]
fn a_message_is_borrowed_and_given_back() {
    let pipe = Pipe::new(true, 60, 64);
    pipe.done(&[9; 30]);
    pipe.message(30);
    pipe.done(&pattern(40));
    pipe.done(b"");
    let mut reader = pipe.reader();
    let Ok(Borrow::Lent(lent)) = reader.borrow(|_| false) else { panic!("there is a message") };
    assert!(lent.complete && lent.len == 40);
    let data = pipe.data.0.borrow();
    let pieces = lent.parts.map(|(offset, len)| data[offset..offset + len].to_vec());
    drop(data);
    assert!(!pieces[1].is_empty(), "it lies across the ring's end");
    assert_eq!(pieces.concat(), pattern(40));
    assert_eq!(reader.give_back(lent, 15), Ok(true));
    let Ok(Borrow::Lent(lent)) = reader.borrow(|_| false) else { panic!("there is the rest") };
    assert!(lent.complete && lent.len == 25);
    assert_eq!(reader.give_back(lent, 25), Ok(true));
    let Ok(Borrow::Lent(lent)) = reader.borrow(|_| false) else { panic!("there is an empty one") };
    assert_eq!(lent.len, 0);
    assert_eq!(reader.give_back(lent, 0), Ok(true));
    assert!(matches!(reader.borrow(|_| false), Ok(Borrow::Empty)));
    assert!(reader.publish());
    assert_eq!(pipe.queue().is_drained(), Ok(true));
}

/// The session may be given up as long as the turn is kept.
#[test]
fn a_borrowed_message_is_given_back_in_another_session() {
    let mut pipe = Pipe::new(true, 60, 256);
    let first = pipe.waiting(&[1; 70]);
    pipe.done(b"");
    assert_eq!(pipe.queue().withdraw(first), Withdrawal::Withdrawn);
    pipe.shape = Shape::new(true, 200, 256).unwrap();
    pipe.done(&pattern(40));
    let Ok(Borrow::Lent(lent)) = pipe.reader().borrow(|_| false) else { panic!("there is an empty one") };
    let cache = TailCache::new();
    let mut reader = pipe.queue().resume(&cache, &lent).unwrap();
    assert_eq!(reader.give_back(lent, 0), Ok(true));
    let Ok(Borrow::Lent(lent)) = reader.borrow(|_| false) else { panic!("there is a message") };
    let mut reader = pipe.queue().resume(&cache, &lent).unwrap();
    assert_eq!(reader.give_back(lent, 40), Ok(true));
    assert!(reader.publish());
    assert_eq!((pipe.queue().is_drained(), pipe.unread()), (Ok(true), 0));
}

/// A loan that was not given back before something else was read counts for nothing.
#[test]
fn what_was_read_since_cannot_be_given_back() {
    let pipe = Pipe::bytes(100);
    pipe.done(b"abcdef");
    let mut reader = pipe.reader();
    let Ok(Borrow::Lent(lent)) = reader.borrow(|_| false) else { panic!("there are bytes") };
    assert_eq!(reader.read(&mut [0; 2], 0, Mode::Bytes, |_| false), Ok(whole(2)));
    assert_eq!(reader.give_back(lent, 6), Ok(false));
    reader.publish();
    assert_eq!(pipe.some(9), b"cdef");
}

/// Empty is what has nothing to read, nor a write that waits or is expected, nor one that was not looked at yet.
#[test]
fn a_queue_is_empty_when_all_is_read_and_nothing_has_come() {
    for pipe in [Pipe::bytes(100), Pipe::messages(100)] {
        let empty = || pipe.queue().is_empty(&pipe.tails);
        assert!(empty());
        pipe.done(b"abcd");
        assert!(!empty(), "not looked at yet");
        assert_eq!(pipe.read(2, Mode::Message).1, b"ab");
        assert!(!empty(), "a rest");
        assert_eq!(pipe.read(9, Mode::Message).1, b"cd");
        assert!(empty());
        let ticket = pipe.waiting(&[1; 120]);
        assert_eq!(pipe.read(120, Mode::Message).1.len(), 120);
        assert_eq!(pipe.progress(&ticket), Progress::Done);
        assert!(empty());
        let stream = pipe.streaming(&[1; 1000]);
        assert!(!empty(), "more is to come");
        drop(stream);
    }
}

/// What another reader of the end took away does not make it empty for who has not looked since.
#[test]
fn who_has_not_looked_does_not_take_a_queue_for_empty() {
    let pipe = Pipe::messages(100);
    pipe.done(b"abc");
    assert_eq!(pipe.message(9), b"abc");
    let other = TailCache::new();
    assert!(!pipe.queue().is_empty(&other));
    assert!(pipe.queue().is_empty(&pipe.tails));
    pipe.done(b"");
    assert!(!pipe.queue().is_empty(&pipe.tails), "an empty message is one");
}
