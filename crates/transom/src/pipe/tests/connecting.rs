//! Connecting and disconnecting (P15 to P21).

use super::{Waiting, connected, message_pair, name, pair, take};
use crate::pipe::{Client, Connected, Server, ServerOptions};
use crate::support::{PATIENCE, code, limit};
use crate::wait::Timeout;

/// P15.
#[test]
fn connecting_waits_for_the_client() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || server.connect().unwrap());
        let client = Client::open(&name).unwrap();
        assert_eq!(waiting.end(), Connected::During);
        client.pipe().send(b"x").unwrap();
    });
    assert_eq!(take(server.pipe(), 9), b"x");
}

/// P15: three ways for a client to have come before.
#[test]
fn a_client_that_came_before_is_535_and_one_that_left_is_232() {
    let _limit = limit();
    let (server, client) = pair();
    assert_eq!(server.connect().unwrap(), Connected::Already);
    assert_eq!(server.connect().unwrap(), Connected::Already, "as often as one asks");
    client.pipe().send(b"last words").unwrap();
    drop(client);
    assert_eq!(code(server.connect()), 232);
    assert_eq!(take(server.pipe(), 100), b"last words");
    assert_eq!(code(server.pipe().receive(&mut [0])), 109);
    assert_eq!(code(server.connect()), 232);
}

/// Section 2: after a disconnect the instance listens again, for one client after the other.
#[test]
fn one_instance_serves_one_client_after_the_other() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    for round in 0..20_u8 {
        std::thread::scope(|scope| {
            let serving = scope.spawn(|| {
                server.connect().unwrap();
                let request = take(server.pipe(), 100);
                server.pipe().send(&request).unwrap();
                server.pipe().flush().unwrap();
                server.disconnect().unwrap();
            });
            let client = crate::pipe::ClientOptions::new(&name).wait(PATIENCE).open().unwrap();
            client.pipe().send(&[round; 50]).unwrap();
            assert_eq!(take(client.pipe(), 100), [round; 50]);
            serving.join().unwrap();
        });
    }
}

/// P17: disconnecting throws away what is unread, in both directions.
#[test]
fn disconnecting_discards_what_is_unread() {
    let _limit = limit();
    let (server, client) = pair();
    server.pipe().send(b"lost").unwrap();
    client.pipe().send(b"lost too").unwrap();
    server.disconnect().unwrap();
    assert_eq!(code(client.pipe().receive(&mut [0; 9])), 233);
    assert_eq!(code(server.pipe().receive(&mut [0; 9])), 233);
}

/// P17: nothing of a client is left for the next one.
#[test]
fn the_next_client_finds_an_empty_pipe() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    let first = Client::open(&name).unwrap();
    server.pipe().send(b"for the first").unwrap();
    first.pipe().send(b"from the first").unwrap();
    server.disconnect().unwrap();
    assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
    let second = Client::open(&name).unwrap();
    assert_eq!(second.pipe().peek(&mut []).unwrap().available, 0);
    assert_eq!(server.pipe().peek(&mut []).unwrap().available, 0);
    second.pipe().send(b"second").unwrap();
    assert_eq!(take(server.pipe(), 100), b"second");
    assert_eq!(code(first.pipe().send(b"x")), 233, "P18: the old handle stays cut off");
}

/// P17: closing instead lets the client read.
#[test]
fn closing_the_server_lets_the_client_read_what_was_written() {
    let _limit = limit();
    let (server, client) = pair();
    server.pipe().send(b"kept").unwrap();
    drop(server);
    assert_eq!(take(client.pipe(), 2), b"ke");
    assert_eq!(take(client.pipe(), 10), b"pt");
    assert_eq!(code(client.pipe().receive(&mut [0])), 109);
}

/// P17: and so does flushing before.
#[test]
fn flushing_before_disconnecting_loses_nothing() {
    let _limit = limit();
    let (server, client) = pair();
    server.pipe().send(b"to be read").unwrap();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || {
            server.pipe().flush().unwrap();
            server.disconnect().unwrap();
        });
        assert_eq!(take(client.pipe(), 3), b"to ");
        waiting.still();
        assert_eq!(take(client.pipe(), 100), b"be read");
        waiting.end();
    });
    assert_eq!(code(client.pipe().receive(&mut [0])), 233);
}

/// P18.
#[test]
fn a_client_that_was_cut_off_gets_233_for_everything() {
    let _limit = limit();
    let (server, client) = message_pair();
    server.disconnect().unwrap();
    let client = client.pipe();
    assert_eq!(code(client.receive(&mut [0; 4])), 233);
    assert_eq!(code(client.receive(&mut [])), 233);
    assert_eq!(code(client.send(b"x")), 233);
    assert_eq!(code(client.send(b"")), 233);
    assert_eq!(code(client.peek(&mut [0; 4])), 233);
    assert_eq!(code(client.transact(b"x", &mut [0; 4])), 233);
    assert_eq!(code(client.flush()), 233);
    assert_eq!(code(client.state()), 233);
    assert_eq!(code(client.info()), 233);
    assert_eq!(code(client.set_mode(0)), 233);
}

/// P18, section 2: its process ids too.
#[test]
fn a_client_that_was_cut_off_knows_no_process() {
    let _limit = limit();
    let (server, client) = pair();
    server.disconnect().unwrap();
    let codes = (code(client.pipe().client_process_id()), code(client.pipe().server_process_id()));
    crate::differs_under_wine!("P18", codes == (233, 233));
}

/// P19.
#[test]
fn disconnecting_twice_is_233() {
    let _limit = limit();
    let (server, _client) = pair();
    server.disconnect().unwrap();
    assert_eq!(code(server.disconnect()), 233);
}

/// Section 2: an instance whose client has gone can be disconnected.
#[test]
fn disconnecting_after_the_client_left_succeeds() {
    let _limit = limit();
    let (server, client) = pair();
    drop(client);
    assert_eq!(code(server.disconnect()), 0);
    assert_eq!(code(server.disconnect()), 233);
}

/// Section 2.
#[test]
fn a_listening_instance_can_be_disconnected() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    let result = code(server.disconnect());
    crate::differs_under_wine!("P19", result == 0);
    if result == 0 {
        assert_eq!(code(Client::open(&name)), 231);
    }
}

/// P20: both ways round.
#[test]
fn who_stays_reads_the_rest_and_then_the_end() {
    let _limit = limit();
    let (server, client) = pair();
    server.pipe().send(b"rest").unwrap();
    drop(server);
    assert_eq!(code(client.pipe().send(b"x")), 232);
    assert_eq!(code(client.pipe().send(b"")), 232);
    assert_eq!(take(client.pipe(), 100), b"rest");
    for _ in 0..3 {
        assert_eq!(code(client.pipe().receive(&mut [0])), 109);
        assert_eq!(code(client.pipe().peek(&mut [])), 109);
    }
    let (server, client) = pair();
    client.pipe().send(b"rest").unwrap();
    drop(client);
    assert_eq!(code(server.pipe().send(b"x")), 232);
    assert_eq!(take(server.pipe(), 100), b"rest");
    for _ in 0..3 {
        assert_eq!(code(server.pipe().receive(&mut [0])), 109);
        assert_eq!(code(server.pipe().peek(&mut [])), 109);
    }
}

/// P21: the server's modes stay; a new client starts anew.
#[test]
fn modes_of_the_server_outlive_the_client() {
    let _limit = limit();
    let name = name();
    let server = ServerOptions::new(&name).message(true).create().unwrap();
    let client = Client::open(&name).unwrap();
    let modes = |end: &crate::pipe::Pipe| {
        let state = end.state().unwrap();
        (state.message_read, state.nowait)
    };
    assert_eq!(modes(client.pipe()), (false, false));
    client.pipe().set_mode(3).unwrap();
    assert_eq!(modes(server.pipe()), (true, false), "P32");
    server.pipe().set_mode(1).unwrap();
    assert_eq!(modes(client.pipe()), (true, true), "P32");
    drop(client);
    server.disconnect().unwrap();
    assert_eq!(modes(server.pipe()), (false, true));
    // P43: 536, or success as documented.
    assert!(matches!(code(server.connect()), 0 | 536));
    let second = Client::open(&name).unwrap();
    assert_eq!(modes(server.pipe()), (false, true));
    assert_eq!(modes(second.pipe()), (false, false));
}

/// Section 2.
#[test]
fn only_servers_connect_and_disconnect() {
    let _limit = limit();
    let (_server, client) = pair();
    let server_of_client = Server::from_pipe(client.into_pipe());
    assert_eq!(code(server_of_client.connect()), 1);
    crate::differs_under_wine!("P15", code(server_of_client.disconnect()) == 1);
}

/// Section 2: the server closes while the client's handle stays; the client's writes then have nowhere to go.
#[test]
fn a_disconnected_server_that_listens_again_is_no_longer_the_old_clients() {
    let _limit = limit();
    let (server, client) = connected(&ServerOptions::new(&name()));
    server.disconnect().unwrap();
    assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
    assert_eq!(code(client.pipe().receive(&mut [0])), 233);
    drop(client);
    assert_eq!(code(server.pipe().receive(&mut [0])), 536, "still listening");
}

/// Connecting with a time-out leaves the instance listening.
#[test]
fn connecting_may_run_out_of_time() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
    assert_eq!(code(server.connect_timeout(Timeout::millis(20))), 121);
    let client = Client::open(&name).unwrap();
    assert_eq!(server.connect_timeout(PATIENCE).unwrap(), Connected::Already);
    client.pipe().send(b"x").unwrap();
    assert_eq!(take(server.pipe(), 9), b"x");
}
