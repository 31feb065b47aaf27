//! One name, served by several processes.

use transom::pipe::{self, Client, InstanceWait, Server, ServerOptions};
use transom::process::current_id;
use transom::wait::Timeout;

use crate::support::{
    PATIENCE, With, argument, code, exit_code, expect_signal, limit, named_event, ready, role, unique,
};
use crate::{pipe_name, take};

/// Serves one client: tells it the process.
pub fn server_that_stays() -> u32 {
    let server = Server::create(&argument("PIPE")).unwrap();
    ready();
    server.connect().unwrap();
    server.pipe().send(&current_id().to_le_bytes()).unwrap();
    take(server.pipe(), 9);
    9
}

fn whose(client: &Client) -> u32 {
    u32::from_le_bytes(take(client.pipe(), 4).try_into().unwrap())
}

/// P4, P10, P12, P71: instances of two processes under one name.
#[test]
fn two_processes_serve_one_name() {
    let _limit = limit();
    let (name, here) = (pipe_name("both"), unique("ready"));
    let here_event = named_event(&here);
    let child = role("server-that-stays").with("PIPE", &name).with("READY", &here).start();
    expect_signal(&here_event);
    let own = Server::create(&name).unwrap();
    assert_eq!(own.pipe().state().unwrap().instances, 2);
    let to_child = Client::open(&name).unwrap();
    let id = child.process.id().unwrap();
    assert_eq!(whose(&to_child), id, "it listened first");
    assert_eq!(to_child.pipe().server_process_id().unwrap(), id);
    let to_us = Client::open(&name).unwrap();
    assert_eq!(to_us.pipe().server_process_id().unwrap(), current_id());
    assert_eq!(to_us.pipe().state().unwrap().instances, 2);
    to_child.pipe().send(b"done").unwrap();
    assert_eq!(exit_code(&child), 9);
    while own.pipe().state().unwrap().instances == 2 {
        std::thread::yield_now();
    }
    assert_eq!(code(to_child.pipe().receive(&mut [0])), 109);
}

/// P4: the name goes with a server that is killed, and is free for anybody.
#[test]
fn a_name_is_free_again_when_its_server_was_killed() {
    let _limit = limit();
    let (name, here) = (pipe_name("free"), unique("ready"));
    for _ in 0..3 {
        let here_event = named_event(&here);
        let child = role("server-that-stays").with("PIPE", &name).with("READY", &here).start();
        expect_signal(&here_event);
        assert_eq!(code(pipe::wait(&name, Timeout::ZERO)), 0);
        child.process.terminate(1).unwrap();
        exit_code(&child);
        assert_eq!(code(Client::open(&name)), 2);
        assert_eq!(code(pipe::wait(&name, Timeout::INFINITE)), 2);
        let own = ServerOptions::new(&name).first_instance(true).max_instances(1).create().unwrap();
        assert_eq!(code(Client::open(&name)), 0);
        drop(own);
    }
}

/// What creating an instance of some kind gives, as an exit code.
pub fn creator() -> u32 {
    let options = ServerOptions::new(&argument("PIPE"));
    let options = match argument("HOW").as_str() {
        "first" => options.first_instance(true),
        "inbound" => options.inbound(),
        _ => options,
    };
    code(options.create())
}

/// P6, P8, P9: the rules hold for all processes together.
#[test]
fn another_process_is_held_to_what_the_first_one_said() {
    let _limit = limit();
    let name = pipe_name("rules");
    let ask = |how: &str| role("creator").with("PIPE", &name).with("HOW", how).run();
    assert_eq!(ask("any"), 0);
    let first = ServerOptions::new(&name).max_instances(2).create().unwrap();
    assert_eq!(ask("any"), 0);
    assert_eq!(ask("inbound"), 5);
    crate::differs_under_wine!("P9", ask("first") == 5);
    let second = ServerOptions::new(&name).create().unwrap();
    assert_eq!(ask("any"), 231);
    assert_eq!(ask("inbound"), 231);
    drop(second);
    assert_eq!(ask("any"), 0, "there is room again");
    drop(first);
    assert_eq!(ask("first"), 0);
}

pub fn waiter() -> u32 {
    ready();
    code(pipe::wait(&argument("PIPE"), PATIENCE))
}

/// P68: an instance of any process wakes waiters of any other.
#[test]
fn processes_wait_for_an_instance_of_another() {
    let _limit = limit();
    let (name, here) = (pipe_name("waiters"), unique("ready"));
    let server = Server::create(&name).unwrap();
    let client = Client::open(&name).unwrap();
    let children: Vec<_> = (0..3)
        .map(|number| {
            let here = format!("{here}-{number}");
            let here_event = named_event(&here);
            let child = role("waiter").with("PIPE", &name).with("READY", &here).start();
            expect_signal(&here_event);
            child
        })
        .collect();
    drop(client);
    server.disconnect().unwrap();
    assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
    for child in &children {
        assert_eq!(exit_code(child), 0);
    }
}

/// P68: the last server is killed while somebody waits: not there, or not in time, but no hang.
#[test]
fn a_wait_ends_when_the_server_is_killed() {
    let _limit = limit();
    let (name, here) = (pipe_name("gone"), unique("ready"));
    let here_event = named_event(&here);
    let child = role("server-that-stays").with("PIPE", &name).with("READY", &here).start();
    expect_signal(&here_event);
    let client = Client::open(&name).unwrap();
    let id = child.process.id().unwrap();
    assert_eq!(whose(&client), id);
    let result = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| code(pipe::wait(&name, Timeout::millis(1000))));
        child.process.terminate(1).unwrap();
        waiting.join().unwrap()
    });
    assert!(matches!(result, 2 | 121), "{result}");
    exit_code(&child);
    assert_eq!(code(client.pipe().receive(&mut [0])), 109);
    assert_eq!(code(pipe::wait(&name, InstanceWait::Default)), 2);
}

/// Serves clients until one says that it was the last one; counts them.
pub fn racing_server() -> u32 {
    let server = Server::create(&argument("PIPE")).unwrap();
    ready();
    let mut served = 0;
    loop {
        server.connect().unwrap();
        let request = take(server.pipe(), 9);
        server.pipe().send(&request).unwrap();
        let _ = server.pipe().flush();
        server.disconnect().unwrap();
        if request == b"last" {
            return served;
        }
        served += 1;
    }
}

/// P10, P16: clients are spread over the instances of several processes; none is lost, none is served twice.
#[test]
fn several_processes_serve_many_clients() {
    let _limit = limit();
    let (name, here) = (pipe_name("race"), unique("ready"));
    let servers: Vec<_> = (0..3)
        .map(|number| {
            let here = format!("{here}-{number}");
            let here_event = named_event(&here);
            let child = role("racing-server").with("PIPE", &name).with("READY", &here).start();
            expect_signal(&here_event);
            child
        })
        .collect();
    let ask = |text: &[u8]| {
        let client = pipe::ClientOptions::new(&name).wait(PATIENCE).open().unwrap();
        client.pipe().send(text).unwrap();
        assert_eq!(take(client.pipe(), 9), text);
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..50_u8 {
                    ask(&[number]);
                }
            });
        }
    });
    for _ in &servers {
        ask(b"last");
    }
    assert_eq!(servers.iter().map(exit_code).sum::<u32>(), 200);
    assert_eq!(code(Client::open(&name)), 2);
}

/// A process that holds a name and does nothing is no different from one that serves it (P4).
#[test]
fn a_name_lives_as_long_as_the_slowest_server() {
    let _limit = limit();
    let (name, here) = (pipe_name("slow"), unique("ready"));
    let here_event = named_event(&here);
    let own = Server::create(&name).unwrap();
    let child = role("server-that-stays").with("PIPE", &name).with("READY", &here).start();
    expect_signal(&here_event);
    drop(own);
    let client = Client::open(&name).unwrap();
    assert_eq!(whose(&client), child.process.id().unwrap());
    client.pipe().send(b"x").unwrap();
    exit_code(&child);
    assert_eq!(code(Client::open(&name)), 2);
}
