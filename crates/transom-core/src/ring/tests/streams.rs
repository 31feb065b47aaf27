//! Writes that have no room and go through the ring piece by piece.

use super::*;

/// Writes `bytes` while reading with buffers of `len`; what was read, read by read.
fn pump(pipe: &Pipe, bytes: &[u8], len: usize, mode: Mode) -> Vec<Vec<u8>> {
    let mut writer = pipe.writer();
    let Ok(Written::Streaming(mut stream)) = writer.write(bytes, Limit::Quota, ROW) else {
        panic!("it does not stream");
    };
    let (mut reads, mut buffer, mut taken, mut ticket) = (Vec::new(), vec![0; len], 0, None);
    for _ in 0..10_000 {
        let mut reader = pipe.reader();
        let read = reader.read(&mut buffer, taken, mode, |_| false).unwrap();
        reader.publish();
        match read {
            Read::Got { len, .. } => {
                reads.push(buffer[..len].to_vec());
                taken = 0;
            }
            Read::Part { taken: so_far } => taken = so_far,
            Read::Empty if ticket.is_some() => {
                let ticket = ticket.unwrap();
                assert_eq!(pipe.progress(&ticket), Progress::Done);
                return reads;
            }
            other => assert_eq!(other, Read::Empty),
        }
        if ticket.is_some() {
            continue;
        }
        if let Streamed::Through(all) = writer.stream(&mut stream, &[bytes]).unwrap() {
            ticket = Some(all);
        }
    }
    panic!("it does not end");
}

/// P30: a message larger than everything stays whole.
#[test]
fn a_message_larger_than_the_ring_stays_whole() {
    for len in [57, 64, 65, 1000, 4099] {
        let pipe = Pipe::new(true, 10, 64);
        assert_eq!(pump(&pipe, &pattern(len), 5000, Mode::Message), [pattern(len)]);
    }
}

/// P30, P27: parts of it can be read while the writer waits.
#[test]
fn a_message_larger_than_the_ring_is_read_in_parts() {
    let pipe = Pipe::new(true, 10, 64);
    let reads = pump(&pipe, &pattern(1000), 33, Mode::Message);
    assert!(reads[..reads.len() - 1].iter().all(|read| read.len() == 33));
    assert_eq!(reads.concat(), pattern(1000));
}

/// P22, P35.
#[test]
fn bytes_larger_than_the_ring_stream_through() {
    for (pipe, len) in [(Pipe::new(false, 10, 64), 1003), (Pipe::new(true, 10, 64), 1003)] {
        assert_eq!(pump(&pipe, &pattern(len), 50, Mode::Bytes).concat(), pattern(len));
    }
}

/// P35: Peek counts all of it from the beginning.
#[test]
fn a_streaming_write_is_announced_in_full() {
    for pipe in [Pipe::new(false, 10, 64), Pipe::new(true, 10, 64)] {
        pipe.done(&[1; 10]);
        let _stream = pipe.streaming(&pattern(500));
        assert_eq!(pipe.unread(), 510);
        assert_eq!(pipe.message(10), [1; 10]);
        let (peek, bytes) = pipe.peek(100);
        assert_eq!(peek.available, 500);
        assert_eq!(bytes, pattern(bytes.len()));
        assert_eq!(peek.left, if pipe.shape.message { 500 - bytes.len() as u64 } else { 0 });
    }
}

/// P34: after it is through it waits as others do.
#[test]
fn a_streamed_write_waits_for_the_quota() {
    let pipe = Pipe::new(false, 10, 64);
    let mut writer = pipe.writer();
    let bytes = pattern(100);
    let Ok(Written::Streaming(mut stream)) = writer.write(&bytes, Limit::Quota, ROW) else { panic!() };
    pipe.some(60);
    let Ok(Streamed::Through(ticket)) = writer.stream(&mut stream, &[&bytes]) else { panic!("room for all") };
    assert_eq!(pipe.progress(&ticket), Progress::Waiting);
    pipe.some(29);
    assert_eq!(pipe.progress(&ticket), Progress::Waiting);
    pipe.some(1);
    assert_eq!(pipe.progress(&ticket), Progress::Done);
}

/// Before a step there may be no room at all.
#[test]
fn a_full_ring_blocks_the_stream() {
    let pipe = Pipe::new(true, 56, 64);
    pipe.done(&[1; 56]);
    let mut writer = pipe.writer();
    let bytes = pattern(100);
    let Ok(Written::Streaming(mut stream)) = writer.write(&bytes, Limit::Quota, ROW) else { panic!() };
    assert!(matches!(writer.stream(&mut stream, &[&bytes]), Ok(Streamed::Blocked { progressed: false })));
    assert_eq!(pipe.message(56), [1; 56]);
    assert_eq!(pipe.read(9, Mode::Message).0, Read::Empty);
    assert!(matches!(writer.stream(&mut stream, &[&bytes]), Ok(Streamed::Blocked { progressed: true })));
    assert_eq!(pipe.read(9, Mode::Message), (part(9), pattern(9)));
}

/// P38: what a cancelled stream left disappears, and what it had not sent was never there.
#[test]
fn an_abandoned_stream_disappears() {
    for pipe in [Pipe::new(false, 50, 64), Pipe::new(true, 40, 64)] {
        // 56 and 64: all that is in the ring, header and all.
        for read_before in [0, 1, 17, 40, 56, 64] {
            let mut writer = pipe.writer();
            let Ok(Written::Streaming(stream)) = writer.write(&pattern(500), Limit::Quota, ROW) else {
                panic!("it does not stream");
            };
            if read_before > 0 {
                pipe.some(read_before);
            }
            assert_eq!(writer.abandon(stream), Ok(Withdrawal::Withdrawn));
            assert_eq!((pipe.unread(), pipe.queue().is_drained()), (0, Ok(true)));
            // Its room is free again.
            pipe.reader().skip().unwrap();
            pipe.done(b"next");
            assert_eq!(pipe.unread(), 4);
            assert_eq!(pipe.message(99), b"next");
        }
    }
}

/// P38: also before the first byte was sent.
#[test]
fn a_stream_abandoned_before_its_first_byte_was_never_there() {
    for (pipe, full) in [(Pipe::new(false, 64, 64), 64), (Pipe::new(true, 56, 64), 56)] {
        pipe.done(&vec![1; full]);
        let mut writer = pipe.writer();
        let Ok(Written::Streaming(stream)) = writer.write(&[2; 10], Limit::Quota, ROW) else { panic!() };
        assert_eq!(pipe.unread(), full as u64 + 10);
        assert_eq!(writer.abandon(stream), Ok(Withdrawal::Withdrawn));
        assert_eq!(pipe.unread(), full as u64);
        assert_eq!(pipe.message(99), vec![1; full]);
        assert_eq!(pipe.read(99, Mode::Message).0, Read::Empty);
    }
}

/// P38: a reader inside the message drops what it took and goes on with the next.
#[test]
fn a_reader_inside_an_abandoned_message_gets_the_next_one() {
    let pipe = Pipe::new(true, 100, 64);
    let mut writer = pipe.writer();
    let Ok(Written::Streaming(stream)) = writer.write(&[1; 500], Limit::Quota, ROW) else { panic!() };
    let mut buffer = [0; 600];
    let mut reader = pipe.reader();
    let Ok(Read::Part { taken }) = reader.read(&mut buffer, 0, Mode::Message, |_| false) else { panic!() };
    assert_eq!(taken, 56);
    reader.publish();
    assert_eq!(writer.abandon(stream), Ok(Withdrawal::Withdrawn));
    assert!(matches!(writer.write(b"next", Limit::Quota, ROW), Ok(Written::Done)));
    writer.publish();
    assert_eq!(reader.read(&mut buffer, taken, Mode::Message, |_| false), Ok(whole(4)));
    assert_eq!(buffer[..4], *b"next");
}

/// P64: a request larger than the ring does not wait for the quota in the end.
#[test]
fn a_streamed_request_is_complete_when_it_is_through() {
    let pipe = Pipe::new(true, 10, 64);
    let bytes = pattern(100);
    let mut writer = pipe.writer();
    let Ok(Written::Streaming(mut stream)) = writer.write(&bytes, Limit::Physical, ROW) else { panic!() };
    pipe.some(56);
    let Ok(Streamed::Through(ticket)) = writer.stream(&mut stream, &[&bytes]) else { panic!("room for all") };
    assert_eq!(pipe.queue().complete(ticket), Progress::Done);
    assert_eq!(pipe.some(99), bytes[56..]);
}

#[test]
fn a_write_that_windows_could_not_count_is_refused() {
    // Parts that overlap cost no memory, and their sum is what counts.
    let block = vec![0; 1 << 20];
    let parts = vec![&block[..]; 4096];
    let pipe = Pipe::bytes(10);
    assert!(matches!(pipe.writer().write_parts(&parts, Limit::Quota, ROW), Ok(Written::TooLong)));
}
