//! Names of pipes (P1 to P4).

use super::{name, take};
use crate::event::EventOptions;
use crate::pipe::{self, Client, ClientOptions, InstanceWait, Server, ServerOptions};
use crate::support::{ON_LINUX, code, limit, unique};
use crate::wait::Timeout;

/// P1.
#[test]
fn case_does_not_matter_in_any_part_of_a_name() {
    let _limit = limit();
    let own = unique("CaSe");
    let server = Server::create(&format!(r"\\.\pipe\{own}")).unwrap();
    let client = Client::open(&format!(r"\\.\PIPE\{}", own.to_uppercase())).unwrap();
    client.pipe().send(b"upper").unwrap();
    assert_eq!(take(server.pipe(), 10), b"upper");
    let _second = Server::create(&format!(r"\\.\Pipe\{}", own.to_lowercase())).unwrap();
    assert_eq!(server.pipe().state().unwrap().instances, 2, "the same name");
}

/// P1.
#[test]
fn slashes_count_as_backslashes() {
    let _limit = limit();
    let own = unique("slash");
    let _server = Server::create(&format!("//./pipe/{own}")).unwrap();
    let _client = Client::open(&format!(r"\\.\pipe\{own}")).unwrap();
    let _second = Server::create(&format!(r"\\.\pipe\{own}")).unwrap();
    let _other = Client::open(&format!("//./PIPE/{own}")).unwrap();
}

/// P1.
#[test]
fn a_name_may_hold_nearly_any_character() {
    let _limit = limit();
    for special in [r"<>*?|", r#"a "b" c"#, "dots.and..dots", "a:b", "äöü ß λ 日本", "%41+x", "-", "x'y"]
    {
        let full = format!(r"\\.\pipe\{special} {}", unique("chars"));
        let server = Server::create(&full).unwrap();
        let client = Client::open(&full).unwrap();
        client.pipe().send(b"x").unwrap();
        assert_eq!(take(server.pipe(), 2), b"x", "{special}");
    }
}

/// Section 3: CreateNamedPipe.
#[test]
fn a_name_without_the_prefix_is_123() {
    let _limit = limit();
    let codes = ["x", r"C:\x", r"pipe\x", r"\pipe\x"].map(|bad| code(Server::create(bad)));
    let devices = [r"\\.\pip\x", r"\\.\mailslot\x"].map(|bad| code(Server::create(bad)));
    crate::differs_under_wine!("P1", (codes, devices) == ([123; 4], [123; 2]));
}

/// Section 3: the whole name may have 256 characters.
#[test]
fn a_name_that_is_too_long_is_refused() {
    let _limit = limit();
    let long = |length: usize| {
        let start = format!(r"\\.\pipe\{}", unique("long"));
        format!("{start}{}", "x".repeat(length - start.len()))
    };
    let name = long(256);
    let _server = Server::create(&name).unwrap();
    assert_eq!(code(Client::open(&name)), 0);
    assert!(matches!(code(Server::create(&long(300))), 206 | 123));
}

/// P2.
#[test]
fn pipe_names_are_a_world_of_their_own() {
    let _limit = limit();
    let own = unique("world");
    let event = EventOptions::new().name(&own).create().unwrap();
    assert!(!event.existed);
    let _server = Server::create(&format!(r"\\.\pipe\{own}")).unwrap();
    assert!(EventOptions::new().name(&own).create().unwrap().existed);
    assert_eq!(code(Client::open(&format!(r"\\.\pipe\{own}"))), 0);
}

/// P3: no pipes of other computers, natively. (Windows asks the network, which may take its time.)
#[test]
fn other_computers_are_not_reached() {
    let _limit = limit();
    let there = format!(r"\\elsewhere.invalid\pipe\{}", unique("net"));
    // A server serves its own computer.
    crate::differs_under_wine!("P3", code(Server::create(&there)) == 123);
    if ON_LINUX {
        assert_eq!(code(Client::open(&there)), 53);
        assert_eq!(code(pipe::wait(&there, InstanceWait::Default)), 53);
        assert_eq!(code(pipe::call(&there, b"", &mut [], InstanceWait::Default)), 53);
    }
}

/// P4, section 3.
#[test]
fn a_name_lives_with_its_servers_only() {
    let _limit = limit();
    let name = name();
    assert_eq!(code(Client::open(&name)), 2);
    let first = Server::create(&name).unwrap();
    let second = Server::create(&name).unwrap();
    let client = Client::open(&name).unwrap();
    first.pipe().send(b"kept").unwrap();
    drop(first);
    let other = Client::open(&name).unwrap();
    drop(second);
    assert_eq!(code(Client::open(&name)), 2, "clients do not keep it");
    assert_eq!(code(pipe::wait(&name, Timeout::INFINITE)), 2);
    assert_eq!(take(client.pipe(), 10), b"kept");
    assert_eq!(code(other.pipe().receive(&mut [0])), 109);
}

/// P4: with a duplicate the server's end is open still.
#[test]
fn a_duplicate_of_the_server_keeps_the_name() {
    let _limit = limit();
    let name = name();
    let server = Server::create(&name).unwrap();
    let copy = server.try_clone().unwrap();
    drop(server);
    let client = Client::open(&name).unwrap();
    client.pipe().send(b"to the copy").unwrap();
    assert_eq!(take(copy.pipe(), 100), b"to the copy");
    drop(copy);
    assert_eq!(code(Client::open(&name)), 2);
}

/// An error names the pipe it happened to.
#[test]
fn errors_carry_the_name() {
    let _limit = limit();
    let name = name();
    let error = Client::open(&name).unwrap_err();
    assert_eq!(error.name(), Some(name.as_str()));
    let error = ServerOptions::new("x").create().unwrap_err();
    assert_eq!((error.operation(), error.name()), ("create pipe", Some("x")));
    let error = pipe::wait(&name, Timeout::ZERO).unwrap_err();
    assert_eq!(error.name(), Some(name.as_str()));
    let units: Vec<u16> = name.encode_utf16().collect();
    let _server = ServerOptions::new_utf16(&units).create().unwrap();
    let _client = ClientOptions::new_utf16(&units).open().unwrap();
}
