//! `transom relay`: any two of a pipe, standard streams, sockets and programs.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use common::{Place, can_list};

/// A relay that listens, once it does.
struct Relay {
    child: Child,
    errors: BufReader<std::process::ChildStderr>,
}

impl Relay {
    fn start(mut command: Command) -> Relay {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        errors.read_line(&mut line).unwrap();
        assert!(line.contains("listening at"), "{line}");
        Relay { child, errors }
    }

    /// The next line of its messages.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.errors.read_line(&mut line).unwrap();
        line
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that was free a moment ago.
fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// A server that sends back what it gets, on a thread of its own.
fn echo_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut input = stream.try_clone().unwrap();
                let mut output = &stream;
                let _ = std::io::copy(&mut input, &mut output);
                let _ = stream.shutdown(Shutdown::Write);
            });
        }
    });
    address
}

#[test]
fn a_pipe_in_front_of_tcp_passes_bytes_both_ways_and_half_closes() {
    let place = Place::new();
    let (pipe, echo) = (place.name("tcp"), echo_server());
    let _relay =
        Relay::start(place.command(["relay", &format!("pipe-listen:{pipe}"), &format!("tcp:{echo}")]));
    for text in ["first\n", "second\n"] {
        let client = ["pipe", "connect", &pipe, "--wait", "10s", "--eof", "keep"];
        let mut child = place.command(client).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, text);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn tcp_in_front_of_a_pipe_serves_many_connections_at_once() {
    let place = Place::new();
    let (pipe, address) = (place.name("served"), free_address());
    let exec = if can_list() { "cat" } else { "more" };
    let mut server = place.command(["pipe", "listen", &pipe, "--exec", exec]);
    let _server = Relay::start({
        server.stdin(Stdio::null());
        server
    });
    let relay =
        ["relay", &format!("tcp-listen:{address}"), &format!("pipe:{pipe}"), "--wait", "10s", "--stats"];
    let mut relay = Relay::start(place.command(relay));
    if !can_list() {
        return;
    }
    let mut streams: Vec<TcpStream> = (0..5).map(|_| TcpStream::connect(&address).unwrap()).collect();
    for (number, stream) in streams.iter_mut().enumerate() {
        writeln!(stream, "client {number}").unwrap();
    }
    for (number, stream) in streams.iter().enumerate() {
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        assert_eq!(line, format!("client {number}\n"));
    }
    drop(streams);
    for _ in 0..5 {
        let line = relay.line();
        assert!(line.contains("9 B forth, 9 B back") || line.contains("9 bytes"), "{line}");
    }
}

#[test]
fn messages_stay_messages_and_empty_ones_too() {
    let place = Place::new();
    let (outer, inner) = (place.name("outer"), place.name("inner"));
    let mut inside = place.command(["pipe", "listen", &inner, "--frame", "length", "--once"]);
    let mut inside =
        inside.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    BufReader::new(inside.stderr.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
    let sides = [format!("pipe-listen:{outer}"), format!("pipe:{inner}")];
    let _relay = Relay::start(place.command(["relay", &sides[0], &sides[1], "--message", "--wait", "10s"]));

    let mut stream = Vec::new();
    for message in [&b"one"[..], b"", &[7; 100_000]] {
        stream.extend_from_slice(&(message.len() as u32).to_le_bytes());
        stream.extend_from_slice(message);
    }
    let client = ["pipe", "connect", &outer, "--frame", "length", "--eof", "close"];
    place.run_with_input(client, &stream).expect(0);
    let mut arrived = Vec::new();
    inside.stdout.take().unwrap().read_to_end(&mut arrived).unwrap();
    assert_eq!(arrived.len(), stream.len());
    assert!(arrived == stream);
    inside.wait().unwrap();
}

#[test]
fn standard_streams_reach_a_socket_and_hear_its_end() {
    let place = Place::new();
    let echo = echo_server();
    let ended = place.run_with_input(["relay", "-", &format!("tcp:{echo}")], b"there and back").expect(0);
    assert_eq!(ended.text(), "there and back");
}

#[test]
fn a_unix_socket_can_stand_on_either_side() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    let (pipe, socket) = (place.name("unix"), place.path("a.sock"));
    let sides = [format!("pipe-listen:{pipe}"), format!("unix:{}", socket.display())];
    let listen = format!("unix-listen:{}", socket.display());
    let _program = Relay::start(place.command(["relay", &listen, "exec:cat"]));
    let _relay = Relay::start(place.command(["relay", &sides[0], &sides[1]]));
    let mut client = place.command(["pipe", "connect", &pipe]);
    let mut client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    client.stdin.as_mut().unwrap().write_all(b"around\n").unwrap();
    let mut line = String::new();
    BufReader::new(client.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "around\n");
    client.kill().unwrap();
    client.wait().unwrap();
}

#[test]
fn sides_that_make_no_sense_are_refused() {
    let place = Place::new();
    place.run(["relay", "-", "-"]).expect(2);
    place.run(["relay", "-", "pipe-listen:x"]).expect(2);
    place.run(["relay", "-", "smoke-signals:x"]).expect(2);
    let missing = place.run(["relay", "-", "pipe:missing"]).expect(3);
    assert!(missing.err.contains("missing"), "{}", missing.err);
}
