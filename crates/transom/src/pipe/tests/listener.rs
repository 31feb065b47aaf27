//! The listener: the name is never without an instance that listens.

use std::io::{Read, Write};

use super::{Waiting, name, take};
use crate::pipe::{Client, ClientOptions, Listener, ServerOptions};
use crate::support::{PATIENCE, code, limit};
use crate::wait::Timeout;

/// A client right behind another finds an instance at once, without waiting.
#[test]
fn the_next_instance_listens_before_the_client_is_handed_out() {
    let _limit = limit();
    let name = name();
    let listener = Listener::bind(ServerOptions::new(&name)).unwrap();
    let mut kept = Vec::new();
    for number in 0..20_u8 {
        let client = Client::open(&name).unwrap();
        client.pipe().send(&[number]).unwrap();
        let server = listener.accept().unwrap();
        assert_eq!(take(server.pipe(), 9), [number]);
        kept.push((client, server));
    }
    assert_eq!(kept[0].1.pipe().state().unwrap().instances, 21);
}

/// P4: the name goes with the listener and what it handed out.
#[test]
fn the_name_ends_with_the_last_server() {
    let _limit = limit();
    let name = name();
    let listener = Listener::bind(ServerOptions::new(&name).first_instance(true)).unwrap();
    let client = Client::open(&name).unwrap();
    let server = listener.accept().unwrap();
    drop(listener);
    assert_eq!(code(Client::open(&name)), 231);
    drop(server);
    assert_eq!(code(Client::open(&name)), 2);
    assert_eq!(code(client.pipe().receive(&mut [0])), 109);
}

/// A client that left is handed out for what it wrote (P15).
#[test]
fn a_client_that_came_and_left_is_handed_out() {
    let _limit = limit();
    let name = name();
    let listener = Listener::bind(ServerOptions::new(&name)).unwrap();
    let mut client = Client::open(&name).unwrap();
    client.write_all(b"note").unwrap();
    drop(client);
    let mut text = String::new();
    listener.accept().unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "note");
}

#[test]
fn accepting_may_run_out_of_time() {
    let _limit = limit();
    let name = name();
    let listener = Listener::bind(ServerOptions::new(&name)).unwrap();
    assert_eq!(code(listener.accept_timeout(Timeout::ZERO)), 121);
    assert_eq!(code(listener.accept_timeout(Timeout::millis(20))), 121);
    let client = Client::open(&name).unwrap();
    client.pipe().send(b"x").unwrap();
    assert_eq!(take(listener.accept_timeout(Timeout::ZERO).unwrap().pipe(), 9), b"x");
}

/// With every instance in use the next accept says 231, until one is closed.
#[test]
fn a_listener_keeps_to_its_limit() {
    let _limit = limit();
    let name = name();
    let listener = Listener::bind(ServerOptions::new(&name).max_instances(2)).unwrap();
    let clients = (Client::open(&name).unwrap(), ());
    let first = listener.accept().unwrap();
    let second_client = Client::open(&name).unwrap();
    let second = listener.accept().unwrap();
    assert_eq!(code(Client::open(&name)), 231);
    assert_eq!(code(listener.accept_timeout(Timeout::ZERO)), 231);
    drop(first);
    assert_eq!(code(listener.accept_timeout(Timeout::ZERO)), 121, "there is room again");
    let _third = Client::open(&name).unwrap();
    drop((clients, second_client, second));
}

/// Many threads accept at once; every client is served by exactly one.
#[test]
fn several_threads_accept_at_once() {
    let _limit = limit();
    const CLIENTS: u8 = 24;
    let name = name();
    let listener = Listener::bind(ServerOptions::new(&name)).unwrap();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|_| {
                Waiting::begin(scope, || {
                    let mut served = Vec::new();
                    for server in &listener {
                        let server = server.unwrap();
                        let request = take(server.pipe(), 9);
                        server.pipe().send(&request).unwrap();
                        server.pipe().flush().unwrap();
                        if request == [255] {
                            break;
                        }
                        served.extend(request);
                    }
                    served
                })
            })
            .collect();
        let ask = |number: u8| {
            let client = ClientOptions::new(&name).wait(PATIENCE).open().unwrap();
            client.pipe().send(&[number]).unwrap();
            assert_eq!(take(client.pipe(), 9), [number]);
        };
        for number in 0..CLIENTS {
            ask(number);
        }
        for _ in 0..3 {
            ask(255);
        }
        let mut served: Vec<u8> = workers.into_iter().flat_map(Waiting::end).collect();
        served.sort_unstable();
        assert!(served.iter().copied().eq(0..CLIENTS));
    });
}

/// So many clients at once find an instance.
#[test]
fn a_backlog_lets_several_clients_in_at_once() {
    let _limit = limit();
    let name = name();
    let listener = Listener::bind(ServerOptions::new(&name)).unwrap().backlog(4).unwrap();
    let clients: Vec<_> = (0..4).map(|_| Client::open(&name).unwrap()).collect();
    assert_eq!(code(Client::open(&name)), 231);
    for (number, client) in clients.iter().enumerate() {
        client.pipe().send(&[number as u8]).unwrap();
    }
    for number in 0..4_u8 {
        assert_eq!(take(listener.accept().unwrap().pipe(), 9), [number], "in the order they came");
    }
    let _next: Vec<_> = (0..4).map(|_| Client::open(&name).unwrap()).collect();
}

/// Accepts that wait can be ended from outside, whoever has the turn.
#[test]
fn accepting_can_be_cancelled() {
    let _limit = limit();
    let name = name();
    let listener = Listener::bind(ServerOptions::new(&name)).unwrap();
    assert_eq!(code(listener.cancel()), 1168);
    std::thread::scope(|scope| {
        let waiting = [(); 3].map(|()| Waiting::begin(scope, || code(listener.accept())));
        for waiting in waiting {
            assert_eq!(waiting.end_by(|| drop(listener.cancel())), 995);
        }
        let short = Waiting::begin(scope, || code(listener.accept()));
        assert_eq!(code(listener.accept_timeout(Timeout::millis(20))), 121, "not even its turn came");
        let _client = Client::open(&name).unwrap();
        assert_eq!(short.end(), 0);
    });
}
