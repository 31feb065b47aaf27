//! What happens to a call that waits when things change (pipes.md, section 2), in what order waiting calls are
//! served (P52), and how they are cancelled (P53) or run out of time.

use super::{Waiting, connected, message_pair, name, pair, take, until_available};
use crate::handle::AsHandle;
use crate::pipe::{Client, Server, ServerOptions};
use crate::support::{PATIENCE, code, limit};
use crate::wait::Timeout;

/// A pair whose quotas are small, so that writes wait.
fn narrow() -> (Server, Client) {
    connected(&ServerOptions::new(&name()).in_size(2).out_size(2))
}

/// Row "read", column "peer end closes".
#[test]
fn a_waiting_read_ends_with_109_when_the_peer_closes() {
    let _limit = limit();
    let (server, client) = pair();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(client.pipe().receive(&mut [0; 9])));
        drop(server);
        assert_eq!(waiting.end(), 109);
    });
    let (server, client) = pair();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(server.pipe().receive(&mut [])));
        drop(client);
        assert_eq!(waiting.end(), 109);
    });
}

/// Row "read", column "server disconnects".
#[test]
fn a_waiting_read_ends_with_233_when_the_server_disconnects() {
    let _limit = limit();
    let (server, client) = pair();
    std::thread::scope(|scope| {
        let of_client = Waiting::begin(scope, || code(client.pipe().receive(&mut [0; 9])));
        let of_server = Waiting::begin(scope, || code(server.pipe().receive(&mut [0; 9])));
        server.disconnect().unwrap();
        assert_eq!((of_client.end(), of_server.end()), (233, 233));
    });
}

/// Row "read", column "cancelled"; P53.
#[test]
fn a_waiting_read_that_is_cancelled_ends_with_995() {
    let _limit = limit();
    let (server, client) = pair();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(client.pipe().receive(&mut [0; 9])));
        // The other end's calls are not concerned.
        let _ = server.pipe().cancel();
        waiting.still();
        assert_eq!(waiting.end_by(|| drop(client.pipe().cancel())), 995);
    });
    server.pipe().send(b"later").unwrap();
    assert_eq!(take(client.pipe(), 9), b"later", "later calls are not concerned");
}

/// Section 3.
#[test]
fn cancelling_where_nothing_waits_is_1168() {
    let _limit = limit();
    let (server, client) = pair();
    let codes = (code(client.pipe().cancel()), code(server.pipe().cancel()));
    crate::differs_under_wine!("P53", codes == (1168, 1168));
}

/// P53: all of them.
#[test]
fn cancelling_ends_every_call_that_waits() {
    let _limit = limit();
    let (_server, client) = narrow();
    client.pipe().send(b"ab").unwrap();
    std::thread::scope(|scope| {
        let reads = [(); 2].map(|()| Waiting::begin(scope, || code(client.pipe().receive(&mut [0; 9]))));
        let write = Waiting::begin(scope, || code(client.pipe().send(b"cd")));
        client.pipe().cancel().unwrap();
        for waiting in reads.into_iter().chain([write]) {
            assert_eq!(waiting.end_by(|| drop(client.pipe().cancel())), 995);
        }
    });
}

/// Row "write", column "peer end closes".
#[test]
fn a_waiting_write_ends_with_109_when_the_peer_closes() {
    let _limit = limit();
    let (server, client) = narrow();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(client.pipe().send(b"abcdef")));
        until_available(server.pipe(), 6);
        drop(server);
        assert_eq!(waiting.end(), 109);
    });
    let (server, client) = narrow();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(server.pipe().send(b"abcdef")));
        until_available(client.pipe(), 6);
        assert_eq!(take(client.pipe(), 3), b"abc");
        drop(client);
        assert_eq!(waiting.end(), 109);
    });
}

/// Row "write", column "server disconnects".
#[test]
fn a_waiting_write_ends_with_233_when_the_server_disconnects() {
    let _limit = limit();
    let (server, client) = narrow();
    std::thread::scope(|scope| {
        let of_client = Waiting::begin(scope, || code(client.pipe().send(b"abcdef")));
        let of_server = Waiting::begin(scope, || code(server.pipe().send(b"abcdef")));
        until_available(server.pipe(), 6);
        until_available(client.pipe(), 6);
        server.disconnect().unwrap();
        assert_eq!((of_client.end(), of_server.end()), (233, 233));
    });
}

/// Row "flush".
#[test]
fn a_waiting_flush_ends_when_nobody_can_read_any_more() {
    let _limit = limit();
    let (server, client) = pair();
    client.pipe().send(b"unread").unwrap();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(client.pipe().flush()));
        server.disconnect().unwrap();
        assert_eq!(waiting.end(), 233);
    });
    let (server, client) = pair();
    client.pipe().send(b"unread").unwrap();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(client.pipe().flush()));
        drop(server);
        assert_eq!(waiting.end(), 109);
    });
}

/// Row "connect", column "server disconnects".
#[test]
fn a_waiting_connect_ends_with_233_when_the_server_disconnects() {
    let _limit = limit();
    let (server, client) = pair();
    drop(client);
    server.disconnect().unwrap();
    let result = std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(server.connect()));
        waiting.end_by(|| {
            if code(server.disconnect()) != 0 {
                let _ = server.pipe().cancel();
            }
        })
    });
    crate::differs_under_wine!("P19", result == 233);
}

/// Row "connect", column "cancelled".
#[test]
fn a_waiting_connect_that_is_cancelled_ends_with_995() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || code(server.connect()));
        assert_eq!(waiting.end_by(|| drop(server.pipe().cancel())), 995);
    });
    let _client = Client::open(&name).unwrap();
    assert_eq!(code(server.connect()), 0, "it went on listening");
}

/// Row "transact".
#[test]
fn a_waiting_transaction_ends_when_things_change() {
    let _limit = limit();
    let transact = |client: &Client| code(client.pipe().transact(b"request", &mut [0; 9]));
    let (server, client) = message_pair();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || transact(&client));
        assert_eq!(take(server.pipe(), 9), b"request");
        drop(server);
        assert_eq!(waiting.end(), 109);
    });
    let (server, client) = message_pair();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || transact(&client));
        until_available(server.pipe(), 7);
        server.disconnect().unwrap();
        assert_eq!(waiting.end(), 233);
    });
    let (server, client) = message_pair();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || transact(&client));
        until_available(server.pipe(), 7);
        assert_eq!(waiting.end_by(|| drop(client.pipe().cancel())), 995);
        assert_eq!(take(server.pipe(), 9), b"request", "it stays sent");
    });
}

/// P52.
#[test]
fn waiting_reads_are_served_in_their_order() {
    let _limit = limit();
    let (server, client) = message_pair();
    std::thread::scope(|scope| {
        let waiting = [(); 3].map(|()| Waiting::begin(scope, || take(client.pipe(), 9)));
        for number in 0..3_u8 {
            server.pipe().send(&[number]).unwrap();
        }
        let mut got = Vec::new();
        for waiting in waiting {
            got.extend(waiting.end());
        }
        assert_eq!(got, [0, 1, 2]);
    });
}

/// A read with a time-out takes what comes, or nothing.
#[test]
fn a_read_may_run_out_of_time() {
    let _limit = limit();
    let (server, client) = pair();
    let mut buffer = [0; 9];
    assert_eq!(code(client.pipe().receive_timeout(&mut buffer, Timeout::ZERO)), 121);
    assert_eq!(code(client.pipe().receive_timeout(&mut buffer, Timeout::millis(20))), 121);
    server.pipe().send(b"abc").unwrap();
    assert_eq!(client.pipe().receive_timeout(&mut buffer, Timeout::ZERO).unwrap(), 3);
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || {
            let mut buffer = [0; 9];
            client.pipe().receive_message_timeout(&mut buffer, PATIENCE).unwrap().len
        });
        server.pipe().send(b"in time").unwrap();
        assert_eq!(waiting.end(), 7);
    });
    drop(server);
    assert_eq!(code(client.pipe().receive_timeout(&mut buffer, PATIENCE)), 109);
}

/// Time-outs again and again, with data between them: nothing is lost, nothing comes twice.
#[test]
fn time_outs_lose_nothing() {
    let _limit = limit();
    let (server, client) = pair();
    const COUNT: u32 = 300;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0..COUNT {
                server.pipe().send(&number.to_le_bytes()).unwrap();
                if number % 7 == 0 {
                    std::thread::yield_now();
                }
            }
        });
        let mut received = Vec::new();
        while received.len() < 4 * COUNT as usize {
            let mut buffer = [0; 6];
            match client.pipe().receive_timeout(&mut buffer, Timeout::millis(received.len() as u32 % 2)) {
                Ok(count) => received.extend_from_slice(&buffer[..count]),
                Err(error) => assert_eq!(error.code().value(), 121),
            }
        }
        let expected: Vec<u8> = (0..COUNT).flat_map(u32::to_le_bytes).collect();
        assert!(received == expected);
    });
}

/// P54: a pipe handle that nobody uses is signalled.
#[test]
fn a_pipe_that_is_not_in_use_is_signalled() {
    let _limit = limit();
    let (server, client) = pair();
    for handle in [server.as_handle(), client.as_handle()] {
        assert!(crate::wait::one(handle, Timeout::ZERO).unwrap().is_signalled());
    }
}
