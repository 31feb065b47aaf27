//! Quotas and waiting writes (P33 to P40).

use super::{Waiting, available, connected, name, take, take_message, until_available};
use crate::pipe::{Client, Server, ServerOptions};
use crate::support::{A_MOMENT, PATIENCE, code, limit};
use crate::wait::Timeout;

fn with_quota(bytes: u32) -> (Server, Client) {
    connected(&ServerOptions::new(&name()).in_size(bytes).out_size(bytes))
}

/// P34: what fits does not wait, to the byte.
#[test]
fn a_write_within_the_quota_returns_at_once() {
    let _limit = limit();
    let (server, client) = with_quota(1000);
    assert_eq!(client.pipe().send(&[1; 600]).unwrap(), 600);
    assert_eq!(client.pipe().send(&[2; 400]).unwrap(), 400);
    assert_eq!(available(server.pipe()), 1000);
    assert_eq!(code(client.pipe().send_timeout(&[3; 1], Timeout::ZERO)), 121);
    assert_eq!(available(server.pipe()), 1000, "P38: it is gone again");
}

/// P34: each direction has its own.
#[test]
fn the_directions_have_quotas_of_their_own() {
    let _limit = limit();
    let options = ServerOptions::new(&name()).in_size(100).out_size(200);
    let (server, client) = connected(&options);
    assert_eq!(client.pipe().send_timeout(&[0; 100], Timeout::ZERO).unwrap(), 100);
    assert_eq!(code(client.pipe().send_timeout(&[0; 1], Timeout::ZERO)), 121);
    assert_eq!(server.pipe().send_timeout(&[0; 200], Timeout::ZERO).unwrap(), 200);
    assert_eq!(code(server.pipe().send_timeout(&[0; 1], Timeout::ZERO)), 121);
}

/// P34, P35: quota + 2000 bytes are through in the moment 2000 have been read, and are visible before.
#[test]
fn a_waiting_write_ends_when_enough_was_read() {
    let _limit = limit();
    let (server, client) = with_quota(3000);
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || client.pipe().send(&[7; 5000]).unwrap());
        until_available(server.pipe(), 5000);
        assert_eq!(take(server.pipe(), 1999).len(), 1999);
        waiting.still();
        assert_eq!(available(server.pipe()), 3001);
        assert_eq!(take(server.pipe(), 1), [7]);
        assert_eq!(waiting.end(), 5000, "P35: never short");
        assert_eq!(available(server.pipe()), 3000);
    });
}

/// P34: a waiting read takes its bytes first.
#[test]
fn what_a_waiting_read_takes_does_not_count() {
    let _limit = limit();
    let (server, client) = with_quota(10);
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || take(server.pipe(), 50));
        assert_eq!(client.pipe().send(&[1; 60]).unwrap(), 60);
        assert_eq!(waiting.end().len(), 50);
    });
    assert_eq!(available(server.pipe()), 10);
}

/// P34, P39: waiting writes are through in their order.
#[test]
fn waiting_writes_end_in_their_order() {
    let _limit = limit();
    let (server, client) = with_quota(10);
    client.pipe().send(&[0; 10]).unwrap();
    std::thread::scope(|scope| {
        let first = Waiting::begin(scope, || client.pipe().send(&[1; 10]).unwrap());
        until_available(server.pipe(), 20);
        let second = Waiting::begin(scope, || client.pipe().send(&[2; 10]).unwrap());
        until_available(server.pipe(), 30);
        assert_eq!(take(server.pipe(), 10), [0; 10]);
        first.end();
        second.still();
        assert_eq!(take(server.pipe(), 15), [&[1; 10][..], &[2; 5]].concat());
        second.end();
        assert_eq!(take(server.pipe(), 15), [2; 5]);
    });
}

/// P36.
#[test]
fn with_quota_0_a_write_waits_until_it_is_read_completely() {
    let _limit = limit();
    let (server, client) = with_quota(0);
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || client.pipe().send(b"abc").unwrap());
        until_available(server.pipe(), 3);
        assert_eq!(take(server.pipe(), 2), b"ab");
        waiting.still();
        assert_eq!(take(server.pipe(), 2), b"c");
        assert_eq!(waiting.end(), 3);
        let reading = Waiting::begin(scope, || take(server.pipe(), 10));
        assert_eq!(client.pipe().send(b"def").unwrap(), 3, "the reader was there");
        assert_eq!(reading.end(), b"def");
    });
}

/// P37: also behind a write that waits; on a pipe of messages it is one nevertheless.
#[test]
fn a_write_of_nothing_never_waits() {
    let _limit = limit();
    for message in [false, true] {
        let options = ServerOptions::new(&name()).message(message).in_size(4);
        let (server, client) = connected(&options);
        assert_eq!(client.pipe().send_timeout(b"", Timeout::ZERO).unwrap(), 0);
        if message {
            assert_eq!(take_message(server.pipe(), 9), (Vec::new(), true));
        }
        client.pipe().send(b"full").unwrap();
        std::thread::scope(|scope| {
            let waiting = Waiting::begin(scope, || client.pipe().send(b"waits").unwrap());
            until_available(server.pipe(), 9);
            assert_eq!(client.pipe().send(b"").unwrap(), 0);
            waiting.still();
            assert_eq!(take(server.pipe(), 4), b"full");
            assert_eq!(take(server.pipe(), 9), b"waits");
            assert_eq!(waiting.end(), 5);
        });
        if message {
            assert_eq!(take_message(server.pipe(), 9), (Vec::new(), true));
        }
        assert_eq!(available(server.pipe()), 0);
    }
}

/// P38: what a cancelled write wrote disappears; what others wrote stays, before and after.
#[test]
fn a_cancelled_write_takes_its_data_back() {
    let _limit = limit();
    let (server, client) = with_quota(10);
    client.pipe().send(b"before").unwrap();
    std::thread::scope(|scope| {
        let copy = client.try_clone().unwrap();
        let waiting = Waiting::begin(scope, move || code(copy.pipe().send(b"cancelled")));
        until_available(server.pipe(), 15);
        assert_eq!(waiting.end_by(|| drop(client.pipe().cancel())), 995);
    });
    assert_eq!(available(server.pipe()), 6);
    assert_eq!(client.pipe().send(b"next").unwrap(), 4);
    assert_eq!(take(server.pipe(), 100), b"beforenext");
}

/// P38: even if a part of it was read.
#[test]
fn a_cancelled_write_takes_the_rest_of_its_data_back() {
    let _limit = limit();
    let (server, client) = with_quota(2);
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(client.pipe().send(b"abcdef")));
        until_available(server.pipe(), 6);
        assert_eq!(take(server.pipe(), 3), b"abc");
        waiting.still();
        assert_eq!(waiting.end_by(|| drop(client.pipe().cancel())), 995);
    });
    assert_eq!(available(server.pipe()), 0);
    client.pipe().send(b"g").unwrap();
    assert_eq!(take(server.pipe(), 9), b"g");
}

/// P38 for a message that is too large for any buffer on the way.
#[test]
fn a_large_message_that_runs_out_of_time_leaves_nothing() {
    let _limit = limit();
    let options = ServerOptions::new(&name()).message(true).in_size(100);
    let (server, client) = connected(&options);
    let large = vec![1; 3 << 20];
    assert_eq!(code(client.pipe().send_timeout(&large, Timeout::millis(20))), 121);
    assert_eq!(available(server.pipe()), 0);
    assert_eq!(client.pipe().send(b"small").unwrap(), 5);
    assert_eq!(take_message(server.pipe(), 100), (b"small".to_vec(), true));
}

/// P38, with a time-out: what is through counts, what is not is withdrawn.
#[test]
fn writes_that_run_out_of_time_are_all_or_nothing() {
    let _limit = limit();
    let (server, client) = with_quota(100);
    assert_eq!(client.pipe().send_timeout(&[1; 100], Timeout::millis(20)).unwrap(), 100);
    assert_eq!(code(client.pipe().send_timeout(&[2; 50], Timeout::millis(20))), 121);
    assert_eq!(available(server.pipe()), 100);
    assert_eq!(take(server.pipe(), 50), [1; 50]);
    assert_eq!(client.pipe().send_timeout(&[3; 50], Timeout::millis(20)).unwrap(), 50);
    assert_eq!(take(server.pipe(), 100), [&[1; 50][..], &[3; 50]].concat());
}

/// P40.
#[test]
fn flushing_waits_until_everything_is_read() {
    let _limit = limit();
    let (server, client) = with_quota(1000);
    assert_eq!(code(server.pipe().flush()), 0, "nothing was written");
    for (writer, reader) in [(server.pipe(), client.pipe()), (client.pipe(), server.pipe())] {
        writer.send(b"abc").unwrap();
        std::thread::scope(|scope| {
            let waiting = Waiting::begin(scope, || code(writer.flush()));
            assert_eq!(take(reader, 2), b"ab");
            waiting.still();
            assert_eq!(take(reader, 2), b"c");
            assert_eq!(waiting.end(), 0);
        });
        assert_eq!(code(writer.flush()), 0);
    }
}

/// P40, with a limit: what was written stays.
#[test]
fn flushing_may_run_out_of_time() {
    let _limit = limit();
    let (server, client) = with_quota(1000);
    for (writer, reader) in [(server.pipe(), client.pipe()), (client.pipe(), server.pipe())] {
        writer.flush_timeout(Timeout::ZERO).unwrap();
        writer.send(b"abc").unwrap();
        assert_eq!(code(writer.flush_timeout(Timeout::ZERO)), 121);
        assert_eq!(code(writer.flush_timeout(A_MOMENT)), 121);
        std::thread::scope(|scope| {
            let waiting = Waiting::begin(scope, || code(writer.flush_timeout(PATIENCE)));
            assert_eq!(take(reader, 9), b"abc");
            assert_eq!(waiting.end(), 0);
        });
        writer.flush_timeout(Timeout::ZERO).unwrap();
    }
}

/// P40, P53: a flush that waits can be cancelled, and takes nothing back.
#[test]
fn flushing_can_be_cancelled() {
    let _limit = limit();
    let (server, client) = with_quota(1000);
    client.pipe().send(b"abc").unwrap();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(client.pipe().flush()));
        assert_eq!(waiting.end_by(|| drop(client.pipe().cancel())), 995);
    });
    assert_eq!(take(server.pipe(), 9), b"abc");
    client.pipe().flush().unwrap();
}

/// P40: waiting writes count too.
#[test]
fn flushing_waits_for_waiting_writes() {
    let _limit = limit();
    let (server, client) = with_quota(2);
    std::thread::scope(|scope| {
        let writing = Waiting::begin(scope, || client.pipe().send(b"abcdef").unwrap());
        until_available(server.pipe(), 6);
        let flushing = Waiting::begin(scope, || code(client.pipe().flush()));
        assert_eq!(take(server.pipe(), 4), b"abcd");
        assert_eq!(writing.end(), 6);
        flushing.still();
        assert_eq!(take(server.pipe(), 4), b"ef");
        assert_eq!(flushing.end(), 0);
    });
}
