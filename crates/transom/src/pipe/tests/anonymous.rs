//! Anonymous pipes (pipes.md, sections 6, 8, 9 and 13).

use std::io::{Read, Write};

use transom_core::access::{FILE_READ_DATA, FILE_WRITE_DATA};

use crate::event::Event;
use crate::handle::{AsHandle, DuplicateOptions, FromHandle};
use crate::pipe::{
    PIPE_NOWAIT, PIPE_READMODE_MESSAGE, PIPE_SERVER_END, Peek, Pipe, PipeOptions, PipeReader, PipeWriter,
    anonymous,
};
use crate::support::{A_MOMENT, ON_LINUX, code, expect_signal, io_code, limit, read_all};
use crate::wait::{self, Wait};

fn pipe(size: u32) -> (PipeReader, PipeWriter) {
    PipeOptions::new().size(size).create().unwrap()
}

fn receive(reader: &PipeReader, most: usize) -> Vec<u8> {
    let mut buffer = vec![0; most];
    let count = reader.pipe().receive(&mut buffer).unwrap();
    buffer.truncate(count);
    buffer
}

/// P22: as soon as there is a byte, with what there is, whoever wrote it in how many pieces.
#[test]
fn a_read_takes_what_is_there() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    assert_eq!(writer.pipe().send(b"ab").unwrap(), 2);
    assert_eq!(writer.pipe().send(b"cde").unwrap(), 3);
    assert_eq!(receive(&reader, 4), b"abcd");
    assert_eq!(receive(&reader, 4), b"e");
}

/// P22: an empty pipe makes the reader wait.
#[test]
fn a_read_waits_for_the_first_byte() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    let done = Event::new(true).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let bytes = receive(&reader, 100);
            done.set().unwrap();
            bytes
        });
        assert_eq!(wait::one(&done, A_MOMENT).unwrap(), Wait::Timeout);
        writer.pipe().send(b"x").unwrap();
        assert_eq!(waiting.join().unwrap(), b"x");
    });
}

/// P23, P37.
#[test]
fn writing_nothing_succeeds_and_is_not_seen() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    assert_eq!(writer.pipe().send(b"").unwrap(), 0);
    assert_eq!(reader.pipe().peek(&mut []).unwrap().available, 0);
    writer.pipe().set_mode(PIPE_NOWAIT).unwrap();
    while writer.pipe().send(&[0; 100]).unwrap() > 0 {}
    writer.pipe().set_mode(0).unwrap();
    assert_eq!(writer.pipe().send(b"").unwrap(), 0, "also with no room left");
}

/// P24.
#[test]
fn reading_nothing_waits_for_data_and_takes_none() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    writer.pipe().send(b"data").unwrap();
    assert_eq!(reader.pipe().receive(&mut []).unwrap(), 0);
    assert_eq!(receive(&reader, 10), b"data");
    let done = Event::new(true).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(reader.pipe().receive(&mut []).unwrap(), 0);
            done.set().unwrap();
        });
        assert_eq!(wait::one(&done, A_MOMENT).unwrap(), Wait::Timeout);
        writer.pipe().send(b"more").unwrap();
        expect_signal(&done);
    });
    assert_eq!(receive(&reader, 10), b"more");
}

/// P25.
#[test]
fn what_was_written_outlives_the_writer() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    writer.pipe().send(b"last words").unwrap();
    drop(writer);
    assert_eq!(receive(&reader, 4), b"last");
    assert_eq!(receive(&reader, 100), b" words");
    for _ in 0..3 {
        assert_eq!(code(reader.pipe().receive(&mut [0; 4])), 109);
        assert_eq!(code(reader.pipe().receive(&mut [])), 109);
        assert_eq!(code(reader.pipe().peek(&mut [0; 4])), 109);
    }
}

/// P25: the other way round a write fails.
#[test]
fn writing_to_a_pipe_nobody_can_read_is_232() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    drop(reader);
    assert_eq!(code(writer.pipe().send(b"x")), 232);
}

/// P25: a writer that waits for room is told when the reader goes, by the code of a pipe that broke.
#[test]
fn a_waiting_write_ends_when_the_reader_closes() {
    let _limit = limit();
    let (reader, writer) = pipe(4096);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| code(writer.pipe().send(&vec![1; 1 << 20])));
        assert_eq!(receive(&reader, 1), [1]);
        drop(reader);
        assert_eq!(waiting.join().unwrap(), 109);
    });
}

/// A reader that waits is told when the last writer goes.
#[test]
fn a_waiting_read_ends_when_the_writer_closes() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| code(reader.pipe().receive(&mut [0; 4])));
        drop(writer);
        assert_eq!(waiting.join().unwrap(), 109);
    });
}

/// P33, P72.
#[test]
fn both_ends_report_the_pipe_as_it_was_made() {
    let _limit = limit();
    for size in [2000, 4096, 65_536] {
        let (reader, writer) = pipe(size);
        let (read, write) = (reader.pipe().info().unwrap(), writer.pipe().info().unwrap());
        assert_eq!((read.in_size, read.max_instances), (size, 1));
        assert_eq!((write.in_size, write.max_instances), (size, 1));
        assert_eq!(read.out_size, write.out_size);
        assert_eq!((read.flags, write.flags), (PIPE_SERVER_END, 0), "byte type, and which end it is");
    }
    let (reader, _writer) = pipe(0);
    assert_eq!(reader.pipe().info().unwrap().in_size, 4096);
}

/// P34, P35: a write larger than the quota waits, can be read meanwhile, and is never short.
#[test]
fn a_write_beyond_the_quota_waits_until_enough_was_read() {
    let _limit = limit();
    let (reader, writer) = pipe(4096);
    let bytes: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
    let done = Event::new(true).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(writer.pipe().send(&bytes).unwrap(), bytes.len());
            done.set().unwrap();
        });
        let mut received = Vec::new();
        while received.len() < 100_000 {
            received.extend(receive(&reader, 3001));
        }
        assert_eq!(wait::one(&done, A_MOMENT).unwrap(), Wait::Timeout);
        while received.len() < bytes.len() {
            received.extend(receive(&reader, 3001));
        }
        expect_signal(&done);
        assert!(received == bytes, "every byte, in its place");
    });
}

/// P34: what fits the quota does not wait.
#[test]
fn a_write_within_the_quota_returns_at_once() {
    let _limit = limit();
    let (reader, writer) = pipe(4096);
    assert_eq!(writer.pipe().send(&[1; 4096]).unwrap(), 4096);
    assert_eq!(reader.pipe().peek(&mut []).unwrap().available, 4096);
}

/// P36, as far as an anonymous pipe can have it: a size of 0 is the default size there.
#[test]
fn size_0_is_the_default_quota() {
    let _limit = limit();
    let (reader, writer) = pipe(0);
    assert_eq!(writer.pipe().send(&[1; 4096]).unwrap(), 4096);
    assert_eq!(receive(&reader, 5000).len(), 4096);
}

/// Peeking copies from the front and takes nothing.
#[test]
fn peeking_takes_nothing() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    let mut buffer = [0; 4];
    assert_eq!(reader.pipe().peek(&mut buffer).unwrap(), Peek { copied: 0, available: 0, left: 0 });
    writer.pipe().send(b"abcdef").unwrap();
    for _ in 0..2 {
        assert_eq!(reader.pipe().peek(&mut buffer).unwrap(), Peek { copied: 4, available: 6, left: 0 });
        assert_eq!(&buffer, b"abcd");
    }
    assert_eq!(reader.pipe().peek(&mut []).unwrap(), Peek { copied: 0, available: 6, left: 0 });
    assert_eq!(receive(&reader, 10), b"abcdef");
}

/// P41, P44: for the end that was switched alone, at any time.
#[test]
fn a_read_that_may_not_wait_is_232_on_an_empty_pipe() {
    let _limit = limit();
    let (reader, writer) = pipe(2000);
    assert!(!reader.pipe().nowait().unwrap());
    reader.pipe().set_mode(PIPE_NOWAIT).unwrap();
    assert!(reader.pipe().nowait().unwrap());
    assert!(!writer.pipe().nowait().unwrap(), "the other end is as it was");
    assert_eq!(code(reader.pipe().receive(&mut [0; 10])), 232);
    writer.pipe().send(b"data").unwrap();
    assert_eq!(reader.pipe().receive(&mut []).unwrap(), 0);
    assert_eq!(receive(&reader, 10), b"data");
    reader.pipe().set_mode(0).unwrap();
    assert!(!reader.pipe().nowait().unwrap());
    drop(writer);
    assert_eq!(code(reader.pipe().receive(&mut [0; 10])), 109);
}

/// P42: whole or not at all, to the byte.
#[test]
fn a_write_that_may_not_wait_is_whole_or_nothing() {
    let _limit = limit();
    let (reader, writer) = pipe(2000);
    writer.pipe().set_mode(PIPE_NOWAIT).unwrap();
    assert_eq!(writer.pipe().send(&[1; 2000]).unwrap(), 2000);
    assert_eq!(writer.pipe().send(b"y").unwrap(), 0);
    assert_eq!(reader.pipe().peek(&mut []).unwrap().available, 2000);
    assert_eq!(receive(&reader, 500).len(), 500);
    assert_eq!(writer.pipe().send(&[2; 501]).unwrap(), 0);
    assert_eq!(writer.pipe().send(&[2; 500]).unwrap(), 500);
    assert_eq!(receive(&reader, 6000).len(), 2000);
    assert_eq!(writer.pipe().send(b"z").unwrap(), 1);
    assert_eq!(receive(&reader, 10), b"z");
}

/// P31, P45: the mode word is one; a byte pipe has no message read mode, and refusing changes nothing.
#[test]
fn a_byte_pipe_refuses_message_mode() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    for end in [reader.pipe(), writer.pipe()] {
        assert_eq!(code(end.set_mode(PIPE_READMODE_MESSAGE | PIPE_NOWAIT)), 87);
        assert!(!end.nowait().unwrap());
        assert_eq!(code(end.set_mode(PIPE_NOWAIT)), 0);
        assert_eq!(code(end.set_mode(PIPE_READMODE_MESSAGE)), 87);
        assert!(end.nowait().unwrap());
    }
}

/// P72, H41.
#[test]
fn each_end_does_its_own_work_only() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    assert_eq!(code(reader.pipe().send(b"x")), 5);
    assert_eq!(code(writer.pipe().receive(&mut [0; 4])), 5);
    assert_eq!(code(writer.pipe().peek(&mut [0; 4])), 5);
    crate::differs_under_wine!("H41", code(reader.pipe().flush()) == 5);
    assert_eq!(code(writer.pipe().flush()), 0, "P40: nothing was written, so there is nothing to wait for");
}

/// P40: flushing waits for the reader, except on Linux, where a pipe does not tell.
#[test]
fn flushing_waits_until_everything_is_read() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    writer.pipe().send(b"unread").unwrap();
    let done = Event::new(true).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            writer.pipe().flush().unwrap();
            done.set().unwrap();
        });
        if ON_LINUX {
            expect_signal(&done);
        } else {
            assert_eq!(wait::one(&done, A_MOMENT).unwrap(), Wait::Timeout);
        }
        assert_eq!(receive(&reader, 10), b"unread");
        expect_signal(&done);
    });
}

/// P74, H26: with duplicates in one process.
#[test]
fn a_pipe_ends_with_its_last_writer() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    let copy = PipeWriter::new(Pipe::from_handle(writer.as_handle().try_clone().unwrap()).unwrap());
    writer.pipe().send(b"one").unwrap();
    drop(writer);
    copy.pipe().send(b"two").unwrap();
    assert_eq!(receive(&reader, 10), b"onetwo");
    reader.pipe().set_mode(PIPE_NOWAIT).unwrap();
    assert_eq!(code(reader.pipe().receive(&mut [0])), 232, "not the end yet");
    drop(copy);
    assert_eq!(code(reader.pipe().receive(&mut [0])), 109);
}

/// H28 for pipes: a duplicate with fewer rights.
#[test]
fn a_duplicate_without_the_right_cannot_read_or_write() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    writer.pipe().send(b"x").unwrap();
    let less = |end: &dyn AsHandle, access| {
        let options = DuplicateOptions { access: Some(access), ..DuplicateOptions::default() };
        Pipe::from_handle(end.as_handle().duplicate(options).unwrap()).unwrap()
    };
    assert_eq!(code(less(&reader, 0x80).receive(&mut [0])), 5);
    assert_eq!(code(less(&writer, 0x80).send(b"x")), 5);
    assert_eq!(code(less(&reader, FILE_READ_DATA).receive(&mut [0])), 0);
    assert_eq!(code(less(&writer, FILE_WRITE_DATA).send(b"x")), 0);
}

/// The standard library's traits: the end of the pipe is the end of the stream.
#[test]
fn the_ends_are_streams() {
    let _limit = limit();
    let (mut reader, mut writer) = anonymous().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for line in 0..1000 {
                writeln!(writer, "line {line}").unwrap();
            }
            writer.flush().unwrap();
        });
        let text = String::from_utf8(read_all(&mut reader)).unwrap();
        assert!(text.starts_with("line 0\nline 1\n") && text.ends_with("line 999\n"));
        assert_eq!(text.lines().count(), 1000);
    });
    assert_eq!(reader.read(&mut [0; 4]).unwrap(), 0);
}

/// The traits in PIPE_NOWAIT mode: what would wait is `WouldBlock`; a reader that has gone is `BrokenPipe`.
#[test]
fn the_streams_tell_waiting_from_ending() {
    let _limit = limit();
    let (mut reader, mut writer) = pipe(2000);
    reader.pipe().set_mode(PIPE_NOWAIT).unwrap();
    assert_eq!(reader.read(&mut [0; 4]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    writer.pipe().set_mode(PIPE_NOWAIT).unwrap();
    writer.write_all(&[0; 2000]).unwrap();
    assert_eq!(writer.write(&[0; 1]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    drop(reader);
    let error = writer.write(&[0; 1]).unwrap_err();
    assert_eq!((error.kind(), io_code(&error)), (std::io::ErrorKind::BrokenPipe, 232));
}

/// P35: many writers, nothing lost; small writes stay whole.
#[test]
fn several_writers_lose_nothing() {
    let _limit = limit();
    let (reader, writer) = anonymous().unwrap();
    let bytes = std::thread::scope(|scope| {
        for letter in b"abcd" {
            let copy = Pipe::from_handle(writer.as_handle().try_clone().unwrap()).unwrap();
            scope.spawn(move || {
                for _ in 0..200 {
                    assert_eq!(copy.send(&[*letter; 10]).unwrap(), 10);
                }
            });
        }
        drop(writer);
        read_all(&reader)
    });
    assert_eq!(bytes.len(), 8000);
    assert!(bytes.chunks(10).all(|chunk| chunk.iter().all(|b| *b == chunk[0])));
}
