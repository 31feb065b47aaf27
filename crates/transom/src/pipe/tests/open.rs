//! Opening the client's end (P5, P10, P13, P16, section 3).

use transom_core::access::FILE_GENERIC_READ;

use super::{Waiting, connected, name, take};
use crate::pipe::{Client, ClientOptions, Connected, InstanceWait, Server, ServerOptions};
use crate::security::Security;
use crate::support::{PATIENCE, code, limit};
use crate::wait::Timeout;

/// Section 3: CreateFile.
#[test]
fn a_missing_name_and_a_busy_one_are_told_apart() {
    let _limit = limit();
    let name = name();
    assert_eq!(code(Client::open(&name)), 2);
    let _server = Server::create(&name).unwrap();
    let _client = Client::open(&name).unwrap();
    assert_eq!(code(Client::open(&name)), 231);
}

/// Section 3: the client's rights must fit the direction.
#[test]
fn a_client_cannot_go_against_the_direction() {
    let _limit = limit();
    let open = |name: &str, read, write| code(ClientOptions::new(name).read(read).write(write).open());
    let inbound = name();
    let _server = ServerOptions::new(&inbound).inbound().create().unwrap();
    assert_eq!(open(&inbound, true, true), 5);
    assert_eq!(open(&inbound, true, false), 5);
    assert_eq!(open(&inbound, false, true), 0);
    let outbound = name();
    let _server = ServerOptions::new(&outbound).outbound().create().unwrap();
    assert_eq!(open(&outbound, true, true), 5);
    assert_eq!(open(&outbound, false, true), 5);
    assert_eq!(open(&outbound, true, false), 0);
}

/// Section 3: an end that cannot read or write says so, on the side of the server too.
#[test]
fn each_end_of_a_one_way_pipe_does_its_own_work_only() {
    let _limit = limit();
    let (server, client) = connected(&ServerOptions::new(&name()).inbound());
    assert_eq!(code(server.pipe().send(b"x")), 5);
    assert_eq!(code(client.pipe().receive(&mut [0])), 5);
    assert_eq!(code(client.pipe().peek(&mut [])), 5);
    client.pipe().send(b"in").unwrap();
    assert_eq!(take(server.pipe(), 9), b"in");
    let (server, client) = connected(&ServerOptions::new(&name()).outbound());
    assert_eq!(code(server.pipe().receive(&mut [0])), 5);
    assert_eq!(code(server.pipe().peek(&mut [])), 5);
    assert_eq!(code(client.pipe().send(b"x")), 5);
    server.pipe().send(b"out").unwrap();
    assert_eq!(take(client.pipe(), 9), b"out");
}

/// P13.
#[test]
fn access_0_connects_a_client_that_can_do_nothing() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    let client = ClientOptions::new(&name).access(0).open().unwrap();
    assert_eq!(server.connect().unwrap(), Connected::Already);
    assert_eq!(code(client.pipe().receive(&mut [0])), 5);
    assert_eq!(code(client.pipe().send(b"x")), 5);
    assert_eq!(code(client.pipe().peek(&mut [])), 5);
    drop(client);
    assert_eq!(code(server.pipe().receive(&mut [0])), 109);
}

/// A duplex pipe's client may ask for less than it could have.
#[test]
fn a_client_may_ask_for_one_direction_of_two() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    let client = ClientOptions::new(&name).write(false).open().unwrap();
    assert_eq!(code(client.pipe().send(b"x")), 5);
    server.pipe().send(b"down").unwrap();
    assert_eq!(take(client.pipe(), 9), b"down");
}

/// P14: by default, for everybody, for this user's reading alone, and for nobody.
#[test]
fn the_descriptor_says_who_may_open() {
    let _limit = limit();
    let open = |security: Option<Security>, read, write| {
        let name = name();
        let options = ServerOptions::new(&name);
        let options = security.into_iter().fold(options, ServerOptions::security);
        let _server = options.create().unwrap();
        code(ClientOptions::new(&name).read(read).write(write).open())
    };
    assert_eq!(open(None, true, true), 0);
    assert_eq!(open(Some(Security::owner_only()), true, true), 0);
    assert_eq!(open(Some(Security::everyone()), true, true), 0);
    let reading = Security::from_masks(FILE_GENERIC_READ, 0, 0);
    assert_eq!(open(Some(reading.clone()), true, false), 0);
    let refused = [open(Some(reading), true, true), open(Some(Security::nobody()), true, true)];
    crate::differs_under_wine!("P14", refused == [5, 5]);
}

/// P5: and what it writes before is there.
#[test]
fn a_client_may_come_and_write_before_the_server_connects() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    let client = Client::open(&name).unwrap();
    client.pipe().send(b"early").unwrap();
    assert_eq!(server.connect().unwrap(), Connected::Already);
    assert_eq!(take(server.pipe(), 9), b"early");
    server.pipe().send(b"answer").unwrap();
    assert_eq!(take(client.pipe(), 9), b"answer");
}

/// P10: by creation first, then by when the instance began to listen again.
#[test]
fn clients_get_the_instance_that_listened_longest() {
    let _limit = limit();
    let name = name();
    let servers: Vec<_> = (0..3).map(|_| Server::create(&name).unwrap()).collect();
    let clients: Vec<_> = (0..3).map(|_| Client::open(&name).unwrap()).collect();
    for (number, client) in clients.iter().enumerate() {
        client.pipe().send(&[number as u8]).unwrap();
        assert_eq!(take(servers[number].pipe(), 9), [number as u8]);
    }
    drop(clients);
    for number in [2, 0, 1] {
        servers[number].disconnect().unwrap();
        assert_eq!(code(servers[number].connect_timeout(Timeout::ZERO)), 121);
    }
    for number in [2, 0, 1] {
        let client = Client::open(&name).unwrap();
        client.pipe().send(&[9]).unwrap();
        assert_eq!(take(servers[number].pipe(), 9), [9]);
    }
}

/// P16.
#[test]
fn an_instance_is_busy_until_it_is_disconnected_and_connected_again() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    let client = Client::open(&name).unwrap();
    assert_eq!(code(Client::open(&name)), 231, "connected");
    drop(client);
    assert_eq!(code(Client::open(&name)), 231, "the client has gone");
    server.disconnect().unwrap();
    assert_eq!(code(Client::open(&name)), 231, "disconnected");
    assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
    assert_eq!(code(Client::open(&name)), 0, "it listens");
}

/// P66, P68: an open that waits, as CallNamedPipe and every example program do it.
#[test]
fn opening_can_wait_for_an_instance() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    let client = Client::open(&name).unwrap();
    assert_eq!(code(ClientOptions::new(&name).wait(Timeout::millis(30)).open()), 121);
    assert_eq!(code(ClientOptions::new(&name).wait(InstanceWait::Default).open()), 121, "50 ms");
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || ClientOptions::new(&name).wait(PATIENCE).open().unwrap());
        drop(client);
        server.disconnect().unwrap();
        assert_eq!(server.connect().unwrap(), Connected::During);
        waiting.end().pipe().send(b"x").unwrap();
    });
    assert_eq!(take(server.pipe(), 4), b"x");
    assert_eq!(code(ClientOptions::new(&super::name()).wait(Timeout::INFINITE).open()), 2, "P68");
}

/// P68: many that wait, one instance: one after the other is served.
#[test]
fn waiting_clients_take_turns() {
    let _limit = limit();
    const CLIENTS: usize = 8;
    let name = name();
    let server = Server::create(&name).unwrap();
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let name = &name;
            scope.spawn(move || {
                let client = ClientOptions::new(name).wait(Timeout::INFINITE).open().unwrap();
                client.pipe().send(&[number as u8]).unwrap();
                assert_eq!(take(client.pipe(), 9), [number as u8]);
            });
        }
        let mut seen = Vec::new();
        for _ in 0..CLIENTS {
            server.connect().unwrap();
            let request = take(server.pipe(), 9);
            server.pipe().send(&request).unwrap();
            seen.extend(request);
            server.pipe().flush().unwrap();
            server.disconnect().unwrap();
        }
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..CLIENTS as u8));
    });
}
