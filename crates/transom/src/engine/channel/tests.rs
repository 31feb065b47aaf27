//! Two ends in one process, and threads; processes that are killed are in `killed`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use transom_core::pipe::Role;
use transom_sys::linux::{futex, process};

use super::super::segment::Shape;
use super::super::spin::Spin;
use super::loan::{Borrowed, Loan};
use super::read::{Message, Peeked};
use super::*;
use crate::support::limit;

mod ending;
mod killed;
mod messages;
mod stepwise;
mod waiting;

/// Waits for ever, and sleeps at once: so every test goes through the bells.
pub(super) const FOR_EVER: Waiting = Waiting { deadline: Deadline::Never, spin: Spin::Never };
pub(super) const NOT: Waiting = Waiting { deadline: Deadline::Now, spin: Spin::Never };

/// A moment from now.
pub(super) fn moment() -> Waiting {
    Waiting { deadline: Deadline::At(futex::now() + 20_000_000), spin: Spin::Never }
}

/// A connected pair: server, client.
pub(super) fn pair(shape: Shape) -> (Arc<End>, Arc<End>) {
    let server = End::offer(&shape).expect("an offer");
    let client = join(&server);
    server.connected();
    (Arc::new(server), Arc::new(client))
}

/// The client's end of what is on offer here.
pub(super) fn join(server: &End) -> End {
    let way = process::open(process::id()).expect("a pidfd");
    join_process(process::id(), Some(way.as_fd()), &server.offered()).expect("a client")
}

pub(super) fn bytes(quota: u32) -> Shape {
    Shape { message: false, quota_in: quota, quota_out: quota }
}

pub(super) fn messages(quota: u32) -> Shape {
    Shape { message: true, quota_in: quota, quota_out: quota }
}

/// Pages of memory that a connection has taken.
fn pages(end: &End) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let file = end.segment().descriptor().try_clone_to_owned().expect("a descriptor");
    // In units of 512 bytes, whatever a block is.
    std::fs::File::from(file).metadata().expect("a file").blocks() / 8
}

/// Reads once, in byte mode, for ever.
pub(super) fn read_bytes(end: &End, most: usize) -> Result<Vec<u8>, Trouble> {
    let mut buffer = vec![0; most];
    let message = end.read(&mut buffer, ReadMode::Byte, &FOR_EVER)?;
    buffer.truncate(message.len);
    Ok(buffer)
}

/// Reads one message, or a part of it.
pub(super) fn read_message(end: &End, most: usize) -> Result<(Vec<u8>, bool), Trouble> {
    let mut buffer = vec![0; most];
    let message = end.read(&mut buffer, ReadMode::Message, &FOR_EVER)?;
    buffer.truncate(message.len);
    Ok((buffer, message.complete))
}

/// One write, whatever the quota, and one message read.
pub(super) fn transact(end: &End, request: &[u8], reply: &mut [u8]) -> Result<Message, Trouble> {
    end.send_request(request, &FOR_EVER)?;
    end.read(reply, ReadMode::Message, &FOR_EVER)
}

/// Runs something in a thread, which is asleep in a call of `end` when this returns.
pub(super) fn asleep<T: Send + 'static>(
    end: &Arc<End>,
    call: impl FnOnce(&End) -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let words = [&end.incoming().0.asleep_data, &end.outgoing().0.asleep_space];
    let count = || words.iter().map(|word| word.load(Ordering::SeqCst)).sum::<u32>();
    let before = count();
    let own = Arc::clone(end);
    let thread = thread::spawn(move || call(&own));
    while count() <= before {
        thread::yield_now();
    }
    pause(Duration::from_millis(2));
    thread
}

/// Lets time pass in which something else goes to sleep, or does not happen.
#[allow(clippy::disallowed_methods)]
pub(super) fn pause(time: Duration) {
    thread::sleep(time);
}

pub(super) fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|i| (i.wrapping_mul(31) ^ (i >> 8) ^ seed.wrapping_mul(97)) as u8).collect()
}

/// P22, P25: bytes come in order, as many as are there.
#[test]
fn bytes_go_both_ways() {
    let _limit = limit();
    let (server, client) = pair(bytes(4096));
    assert_eq!(client.write(b"hello ", &FOR_EVER), Ok(6));
    assert_eq!(client.write(b"there", &FOR_EVER), Ok(5));
    assert_eq!(server.write(b"answer", &FOR_EVER), Ok(6));
    assert_eq!(read_bytes(&server, 100).unwrap(), b"hello there");
    assert_eq!(read_bytes(&client, 3).unwrap(), b"ans");
    assert_eq!(read_bytes(&client, 100).unwrap(), b"wer");
    assert_eq!(server.role(), Role::Server);
    assert_eq!(client.role(), Role::Client);
}

#[test]
fn what_goes_through_is_counted() {
    let _limit = limit();
    let (server, client) = pair(messages(4096));
    client.write(b"hello", &FOR_EVER).unwrap();
    client.write(b"you", &FOR_EVER).unwrap();
    read_message(&server, 10).unwrap();
    let counters = Counters { bytes_out: 8, messages_out: 2, unread_out: 3, ..Counters::default() };
    assert_eq!(client.counters(), counters);
    let counters = Counters { bytes_in: 5, messages_in: 1, unread_in: 3, ..Counters::default() };
    assert_eq!(server.counters(), counters);
}

/// P23.
#[test]
fn an_empty_write_to_a_byte_pipe_is_invisible() {
    let _limit = limit();
    let (server, client) = pair(bytes(4096));
    assert_eq!(client.write(b"", &FOR_EVER), Ok(0));
    assert_eq!(server.try_read(&mut [0; 4], ReadMode::Byte), Ok(None));
    assert_eq!(server.peek(&mut [0; 4]), Ok(Peeked::default()));
}

#[test]
fn a_reader_sleeps_until_data_come() {
    let _limit = limit();
    for spin in [Spin::Never, Spin::Adaptive, Spin::Always] {
        let (server, client) = pair(bytes(4096));
        let waiting = Waiting { deadline: Deadline::Never, spin };
        let reader = thread::spawn(move || {
            let mut buffer = [0; 16];
            let message = server.read(&mut buffer, ReadMode::Byte, &waiting).unwrap();
            buffer[..message.len].to_vec()
        });
        pause(Duration::from_millis(3));
        client.write(b"woken", &FOR_EVER).unwrap();
        assert_eq!(reader.join().unwrap(), b"woken");
    }
}

/// One read(2) and one write(2) for each message, as fast as two threads can.
#[test]
fn many_round_trips_lose_no_wake_up() {
    let _limit = limit();
    for spin in [Spin::Never, Spin::Adaptive] {
        let (server, client) = pair(bytes(4096));
        let waiting = Waiting { deadline: Deadline::Never, spin };
        let echo = thread::spawn(move || {
            let mut buffer = [0; 64];
            while let Ok(message) = server.read(&mut buffer, ReadMode::Byte, &waiting) {
                server.write(&buffer[..message.len], &waiting).unwrap();
            }
        });
        for round in 0..20_000u64 {
            client.write(&round.to_le_bytes(), &waiting).unwrap();
            let mut buffer = [0; 64];
            let message = client.read(&mut buffer, ReadMode::Byte, &waiting).unwrap();
            assert_eq!(buffer[..message.len], round.to_le_bytes());
        }
        client.close();
        drop(client);
        echo.join().unwrap();
    }
}

/// The same with deadlines, which take another way to sleep.
#[test]
fn many_round_trips_with_deadlines_lose_no_wake_up() {
    let _limit = limit();
    let (server, client) = pair(messages(4096));
    let waiting = || Waiting { deadline: Deadline::At(futex::now() + 30_000_000_000), spin: Spin::Never };
    let echo = thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok(message) = server.read(&mut buffer, ReadMode::Message, &waiting()) {
            server.write(&buffer[..message.len], &waiting()).unwrap();
        }
    });
    for round in 0..10_000u64 {
        client.write(&round.to_le_bytes(), &waiting()).unwrap();
        let mut buffer = [0; 64];
        let message = client.read(&mut buffer, ReadMode::Message, &waiting()).unwrap();
        assert_eq!(buffer[..message.len], round.to_le_bytes());
    }
    drop(client);
    echo.join().unwrap();
}

/// A stream of pieces of all lengths against a small quota: both sides sleep and wake all the time.
#[test]
fn a_stream_through_a_small_quota_arrives_whole() {
    let _limit = limit();
    for (quota, spin) in [(100, Spin::Never), (100, Spin::Adaptive), (5000, Spin::Never), (0, Spin::Never)] {
        let (server, client) = pair(bytes(quota));
        let waiting = Waiting { deadline: Deadline::Never, spin };
        let total = if quota == 0 { 100_000 } else { 1_000_000 };
        let writer = thread::spawn(move || {
            let all = pattern(total, 1);
            let (mut at, mut piece) = (0, 1);
            while at < all.len() {
                let end = (at + piece).min(all.len());
                assert_eq!(client.write(&all[at..end], &waiting), Ok(end - at));
                at = end;
                piece = piece * 7 % 6_007;
            }
        });
        let mut got = Vec::new();
        let mut buffer = vec![0; 3000];
        while let Ok(message) = server.read(&mut buffer, ReadMode::Byte, &waiting) {
            got.extend_from_slice(&buffer[..message.len]);
        }
        writer.join().unwrap();
        assert!(got == pattern(total, 1), "quota {quota}");
    }
}

/// Threads of both ends, reading and writing at once.
#[test]
fn both_directions_at_once_with_a_thread_each() {
    let _limit = limit();
    let (server, client) = pair(bytes(256));
    let mut threads = Vec::new();
    for (end, seed) in [(&server, 1), (&client, 2)] {
        let writer = Arc::clone(end);
        threads.push(thread::spawn(move || {
            for piece in pattern(300_000, seed).chunks(700) {
                writer.write(piece, &FOR_EVER).unwrap();
            }
        }));
    }
    for (end, seed) in [(&server, 2), (&client, 1)] {
        let reader = Arc::clone(end);
        threads.push(thread::spawn(move || {
            let mut got = Vec::new();
            while got.len() < 300_000 {
                got.extend(read_bytes(&reader, 500).unwrap());
            }
            assert!(got == pattern(300_000, seed));
        }));
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

/// The words of each direction and its first bytes are in one page.
#[test]
fn a_connection_that_carries_little_has_two_pages() {
    let _limit = limit();
    for shape in [bytes(1000), bytes(4096), messages(100_000)] {
        let (server, client) = pair(shape);
        for (from, to) in [(&client, &server), (&server, &client)] {
            from.write(&[7; 500], &FOR_EVER).unwrap();
            assert_eq!(read_bytes(to, 1000).unwrap(), [7; 500]);
        }
        assert_eq!(pages(&server), 2, "{shape:?}");
    }
}

/// P39, P52: many writers and many readers at one end each; nothing is lost or doubled.
#[test]
fn messages_of_many_writers_reach_many_readers_once_each() {
    let _limit = limit();
    let (server, client) = pair(messages(300));
    let sum = Arc::new(AtomicU64::new(0));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (server, sum) = (Arc::clone(&server), Arc::clone(&sum));
            thread::spawn(move || {
                let mut count = 0;
                while let Ok((message, complete)) = read_message(&server, 64) {
                    assert!(complete);
                    let value = u64::from_le_bytes(message[..8].try_into().unwrap());
                    assert!(message[8..].iter().all(|byte| *byte == value as u8));
                    sum.fetch_add(value, Ordering::Relaxed);
                    count += 1;
                }
                count
            })
        })
        .collect();
    let writers: Vec<_> = (0..4u64)
        .map(|writer| {
            let client = Arc::clone(&client);
            thread::spawn(move || {
                for round in 0..2_000 {
                    let value = writer * 2_000 + round;
                    let mut message = value.to_le_bytes().to_vec();
                    message.resize(8 + (value % 50) as usize, value as u8);
                    client.write(&message, &FOR_EVER).unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    client.flush(&FOR_EVER).unwrap();
    drop(client);
    let count: u64 = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
    assert_eq!(count, 8_000);
    assert_eq!(sum.load(Ordering::Relaxed), (0..8_000).sum::<u64>());
}
