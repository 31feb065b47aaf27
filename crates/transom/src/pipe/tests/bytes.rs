//! Pipes of bytes (P22 to P25), in both directions.

use super::{Waiting, available, pair, take};
use crate::pipe::Pipe;
use crate::support::{code, limit};

fn both_ways(test: impl Fn(&Pipe, &Pipe)) {
    let (server, client) = pair();
    test(server.pipe(), client.pipe());
    test(client.pipe(), server.pipe());
}

/// P22.
#[test]
fn a_read_takes_what_is_there_whoever_wrote_it() {
    let _limit = limit();
    both_ways(|writer, reader| {
        assert_eq!(writer.send(b"ab").unwrap(), 2);
        assert_eq!(writer.send(b"cde").unwrap(), 3);
        assert_eq!(take(reader, 4), b"abcd");
        assert_eq!(take(reader, 4), b"e");
    });
}

/// P22: as soon as there is at least one byte; never to fill the buffer.
#[test]
fn a_read_waits_for_the_first_byte_only() {
    let _limit = limit();
    both_ways(|writer, reader| {
        std::thread::scope(|scope| {
            let waiting = Waiting::begin(scope, || take(reader, 100));
            writer.send(b"x").unwrap();
            assert_eq!(waiting.end(), b"x");
        });
    });
}

/// P23, P37.
#[test]
fn writing_nothing_is_invisible() {
    let _limit = limit();
    both_ways(|writer, reader| {
        std::thread::scope(|scope| {
            let waiting = Waiting::begin(scope, || take(reader, 100));
            assert_eq!(writer.send(b"").unwrap(), 0);
            waiting.still();
            writer.send(b"now").unwrap();
            assert_eq!(waiting.end(), b"now");
        });
        assert_eq!(writer.send(b"").unwrap(), 0);
        assert_eq!(available(reader), 0);
    });
}

/// P24.
#[test]
fn reading_nothing_waits_for_data_and_takes_none() {
    let _limit = limit();
    both_ways(|writer, reader| {
        writer.send(b"data").unwrap();
        assert_eq!(reader.receive(&mut []).unwrap(), 0);
        assert_eq!(take(reader, 10), b"data");
        std::thread::scope(|scope| {
            let waiting = Waiting::begin(scope, || reader.receive(&mut []).unwrap());
            writer.send(b"more").unwrap();
            assert_eq!(waiting.end(), 0);
        });
        assert_eq!(take(reader, 10), b"more");
    });
}

/// P25.
#[test]
fn what_was_written_outlives_the_writer() {
    let _limit = limit();
    let (server, client) = pair();
    server.pipe().send(b"last words").unwrap();
    drop(server);
    assert_eq!(take(client.pipe(), 4), b"last");
    assert_eq!(take(client.pipe(), 100), b" words");
    for _ in 0..3 {
        assert_eq!(code(client.pipe().receive(&mut [0; 4])), 109);
        assert_eq!(code(client.pipe().receive(&mut [])), 109);
    }
}

/// P22: what goes in comes out, whatever the pieces, through a pipe much smaller than the whole.
#[test]
fn a_long_stream_arrives_as_it_was_sent() {
    let _limit = limit();
    const TOTAL: usize = 2_000_003;
    both_ways(|writer, reader| {
        let bytes: Vec<u8> = (0..TOTAL).map(|n| (n % 251) as u8).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut rest = bytes.as_slice();
                let mut size = 1;
                while !rest.is_empty() {
                    let (part, after) = rest.split_at(size.min(rest.len()));
                    assert_eq!(writer.send(part).unwrap(), part.len());
                    rest = after;
                    size = size * 7 % 10_007 + 1;
                }
            });
            let mut received = Vec::with_capacity(TOTAL);
            let mut size = 5;
            while received.len() < TOTAL {
                received.extend(take(reader, size));
                size = size * 11 % 9_973 + 1;
            }
            assert!(received == bytes, "every byte, in its place");
        });
    });
}

/// P56: one handle, both directions at once, and more than one thread for each.
#[test]
fn an_end_can_be_read_and_written_at_the_same_time() {
    let _limit = limit();
    let (server, client) = pair();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || take(client.pipe(), 100));
        client.pipe().send(b"not held up by the read").unwrap();
        assert_eq!(client.pipe().peek(&mut []).unwrap().available, 0);
        assert!(!client.pipe().nowait().unwrap());
        let question = take(server.pipe(), 100);
        assert_eq!(question, b"not held up by the read");
        waiting.still();
        server.pipe().send(b"answer").unwrap();
        assert_eq!(waiting.end(), b"answer");
    });
}

/// P39: several writers lose nothing, and what fits the quota stays together.
#[test]
fn several_writers_and_readers_lose_nothing() {
    let _limit = limit();
    let (server, client) = pair();
    const EACH: usize = 500;
    std::thread::scope(|scope| {
        for letter in b"abcd" {
            let client = client.try_clone().unwrap();
            scope.spawn(move || {
                for _ in 0..EACH {
                    assert_eq!(client.pipe().send(&[*letter; 10]).unwrap(), 10);
                }
            });
        }
        drop(client);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let server = server.try_clone().unwrap();
                scope.spawn(move || {
                    let mut counts = [0_usize; 4];
                    let mut buffer = [0; 10];
                    while server.pipe().receive(&mut buffer).is_ok_and(|count| {
                        for byte in &buffer[..count] {
                            counts[usize::from(byte - b'a')] += 1;
                        }
                        true
                    }) {}
                    counts
                })
            })
            .collect();
        let mut totals = [0; 4];
        for reader in readers {
            for (total, count) in totals.iter_mut().zip(reader.join().unwrap()) {
                *total += count;
            }
        }
        assert_eq!(totals, [10 * EACH; 4]);
    });
}
