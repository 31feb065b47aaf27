//! `WaitNamedPipe` (P68 to P70).

use std::time::{Duration, Instant};

use super::{Waiting, name};
use crate::pipe::{self, Client, InstanceWait, Server, ServerOptions};
use crate::support::{PATIENCE, code, limit};
use crate::wait::Timeout;

/// P68, section 3.
#[test]
fn a_missing_name_is_2_at_once() {
    let _limit = limit();
    let name = name();
    assert_eq!(code(pipe::wait(&name, Timeout::INFINITE)), 2);
    assert_eq!(code(pipe::wait(&name, Timeout::ZERO)), 2);
    assert_eq!(code(pipe::wait(&name, InstanceWait::Default)), 2);
}

/// Section 3.
#[test]
fn what_is_no_pipe_name_is_161() {
    let _limit = limit();
    let codes = ["x", r"C:\x", r"\\.\mailslot\x"].map(|bad| code(pipe::wait(bad, Timeout::ZERO)));
    crate::differs_under_wine!("P68", codes == [161; 3]);
}

/// P68: success reserves nothing.
#[test]
fn a_listening_instance_ends_the_wait_and_is_not_reserved() {
    let _limit = limit();
    let name = name();
    let _server = Server::create(&name).unwrap();
    for wait in [InstanceWait::Default, Timeout::ZERO.into(), Timeout::INFINITE.into()] {
        assert_eq!(code(pipe::wait(&name, wait)), 0);
    }
    let _client = Client::open(&name).unwrap();
    assert_eq!(code(pipe::wait(&name, Timeout::ZERO)), 121);
    assert_eq!(code(pipe::wait(&name, Timeout::millis(20))), 121);
}

/// P68: a new instance wakes all that wait.
#[test]
fn a_new_instance_wakes_everybody() {
    let _limit = limit();
    let name = name();
    let _busy = Server::create(&name).unwrap();
    let _client = Client::open(&name).unwrap();
    std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..3).map(|_| Waiting::begin(scope, || code(pipe::wait(&name, PATIENCE)))).collect();
        let _new = Server::create(&name).unwrap();
        for waiting in waiting {
            assert_eq!(waiting.end(), 0);
        }
    });
}

/// P68, P70: a ConnectNamedPipe wakes them, a disconnect alone does not.
#[test]
fn an_instance_that_listens_again_wakes_everybody() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    let client = Client::open(&name).unwrap();
    std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..3).map(|_| Waiting::begin(scope, || code(pipe::wait(&name, Timeout::INFINITE)))).collect();
        drop(client);
        waiting[0].still();
        server.disconnect().unwrap();
        waiting[0].still();
        assert_eq!(code(server.connect_timeout(Timeout::ZERO)), 121);
        for waiting in waiting {
            assert_eq!(waiting.end(), 0);
        }
    });
}

/// P68: the name goes while somebody waits.
#[test]
fn a_wait_ends_when_the_name_goes() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    let _client = Client::open(&name).unwrap();
    std::thread::scope(|scope| {
        let waiting: Vec<_> =
            (0..3).map(|_| Waiting::begin(scope, || code(pipe::wait(&name, Timeout::millis(500))))).collect();
        drop(server);
        for waiting in waiting {
            let result = waiting.end();
            assert!(matches!(result, 2 | 121), "{result}: not there, or not in time");
        }
    });
}

/// P69.
#[test]
fn the_default_time_out_is_the_first_instances() {
    let _limit = limit();
    let name = name();
    let options = ServerOptions::new(&name);
    let _first = options.clone().default_timeout(Timeout::millis(150)).create().unwrap();
    let _second = options.default_timeout(Timeout::millis(60_000)).create().unwrap();
    let _clients = (Client::open(&name).unwrap(), Client::open(&name).unwrap());
    let began = Instant::now();
    assert_eq!(code(pipe::wait(&name, InstanceWait::Default)), 121);
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(140) && waited < Duration::from_secs(30), "{waited:?}");
}

/// P69: 0 means 50 ms.
#[test]
fn no_default_time_out_is_50_milliseconds() {
    let _limit = limit();
    let name = name();
    let _server = ServerOptions::new(&name).default_timeout(Timeout::ZERO).create().unwrap();
    let _client = Client::open(&name).unwrap();
    let began = Instant::now();
    assert_eq!(code(pipe::wait(&name, InstanceWait::Default)), 121);
    let waited = began.elapsed();
    assert!(waited < Duration::from_secs(30), "{waited:?}");
    crate::differs_under_wine!("P69", waited >= Duration::from_millis(45));
}

/// P67: the numbers of the `NMPWAIT_` constants.
#[test]
fn waits_have_the_numbers_of_win32() {
    for (number, wait) in [
        (0, InstanceWait::Default),
        (1, InstanceWait::AtMost(Timeout::ZERO)),
        (25, InstanceWait::AtMost(Timeout::millis(25))),
        (u32::MAX, InstanceWait::AtMost(Timeout::INFINITE)),
    ] {
        assert_eq!(InstanceWait::from_value(number), wait);
        assert_eq!(wait.value(), number);
    }
}
