//! `transom pipe`: serving, connecting, calling, looking, waiting.

mod common;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use common::{Place, can_list, finish, rest};

/// A command that listens, once it does.
struct Listening {
    child: Child,
}

impl Listening {
    fn start(mut command: Command) -> Listening {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let mut line = String::new();
        let mut errors = BufReader::new(child.stderr.take().expect("its messages"));
        errors.read_line(&mut line).expect("a line when it is ready");
        assert!(line.contains("listening at"), "{line}");
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Listening { child }
    }

    /// What it prints until it ends, after `input`.
    fn output(mut self, input: &[u8]) -> String {
        let mut stdin = self.child.stdin.take().expect("its input");
        stdin.write_all(input).expect("it reads");
        drop(stdin);
        rest(self.child.stdout.take().expect("its output"))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_a_program_prints_goes_to_every_client() {
    let place = Place::new();
    let name = place.name("greet");
    let listening = Listening::start(place.command(["pipe", "listen", &name, "--exec", "echo hello"]));
    for _ in 0..3 {
        // The next instance listens while one client is served.
        let answer = place.run(["pipe", "connect", &name, "--wait", "10s"]).expect(0);
        assert_eq!(answer.text().trim_end(), "hello");
    }
    drop(listening);
    place.run(["pipe", "connect", &name]).expect(3);
}

#[test]
fn one_client_can_talk_to_standard_streams_and_end_the_server() {
    let place = Place::new();
    let name = place.name("once");
    let server = Listening::start(place.command(["pipe", "listen", &name, "--once", "--eof", "close"]));
    let client = place.command(["pipe", "connect", &name, "--eof", "close"]);
    let child =
        { client }.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let ended = finish(child, b"from the client\n");
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert_eq!(server.output(b""), "from the client\n");
}

#[test]
fn lines_become_messages_and_messages_lines() {
    let place = Place::new();
    let name = place.name("lines");
    let listen = ["pipe", "listen", &name, "--message", "--frame", "lines", "--once"];
    let server = Listening::start(place.command(listen));
    let client = ["pipe", "connect", &name, "--frame", "lines", "--eof", "close"];
    place.run_with_input(client, b"one\n\nthree").expect(0);
    // The empty line was an empty message.
    assert_eq!(server.output(b""), "one\n\nthree\n");
}

#[test]
fn a_call_sends_one_message_and_prints_the_answer() {
    let place = Place::new();
    let name = place.name("call");
    let exec =
        if can_list() { "read question; echo \"answer to $question\"" } else { "echo answer to question" };
    let listen = ["pipe", "listen", &name, "--frame", "lines", "--exec", exec];
    let _server = Listening::start(place.command(listen));
    let answer = place.run(["pipe", "call", &name, "question"]).expect(0);
    assert_eq!(answer.text().trim_end(), "answer to question");
    let json = place.run(["pipe", "call", &name, "--hex", "71", "--wait", "10s", "--json"]).expect(0).json();
    assert!(json["bytes"].as_u64().unwrap() > 0, "{json}");
}

#[test]
fn a_call_of_a_pipe_of_bytes_is_refused_with_a_hint() {
    let place = Place::new();
    let name = place.name("bytes");
    let _server = Listening::start(place.command(["pipe", "listen", &name, "--exec", "echo x"]));
    let refused = place.run(["pipe", "call", &name, "question"]).expect(2);
    assert!(refused.err.contains("pipe of messages"), "{}", refused.err);
}

#[test]
fn looking_takes_nothing_and_shows_what_is_there() {
    let place = Place::new();
    let name = place.name("peek");
    let _server = Listening::start(place.command(["pipe", "listen", &name, "--exec", "echo hello"]));
    let seen = place.run(["pipe", "peek", &name, "--timeout", "30s", "--json"]).expect(0).json();
    assert!(seen["available"].as_u64().unwrap() >= 6, "{seen}");
    assert!(seen["hex"].as_str().unwrap().replace(' ', "").starts_with("68656c6c6f"), "{seen}");
}

#[test]
fn waiting_tells_missing_listening_and_busy_apart() {
    let place = Place::new();
    let name = place.name("wait");
    place.run(["pipe", "wait", &name, "--timeout", "infinite"]).expect(3);
    let listen = ["pipe", "listen", &name, "--max", "1", "--exec", if can_list() { "cat" } else { "more" }];
    let _server = Listening::start(place.command(listen));
    place.run(["pipe", "wait", &name]).expect(0);
    let mut client = place.command(["pipe", "connect", &name]);
    let mut client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = client.stdin.take().unwrap();
    if can_list() {
        // Once the echo has come back the connection stands.
        input.write_all(b"echo\n").unwrap();
        let mut line = String::new();
        BufReader::new(client.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "echo\n");
        place.run(["pipe", "wait", &name, "--timeout", "0"]).expect(6);
        place.run(["pipe", "connect", &name]).expect(7);
    }
    client.kill().unwrap();
    client.wait().unwrap();
}

#[test]
fn the_list_shows_instances_and_what_went_through() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    let name = place.name("list");
    assert!(place.run(["pipe", "list"]).expect(0).text().contains("no named pipes"));
    let _server = Listening::start(place.command(["pipe", "listen", &name, "--exec", "cat"]));
    let json = place.run(["pipe", "list", "--json"]).expect(0).json();
    let pipe = &json["pipes"][0];
    assert_eq!(pipe["name"], format!(r"\\.\pipe\{name}"), "{json}");
    assert_eq!(
        (&pipe["kind"], &pipe["instances"][0]["state"]),
        (&"bytes".into(), &"listening".into()),
        "{json}"
    );

    let mut client = place.command(["pipe", "connect", &name]);
    let mut client = client.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    client.stdin.as_mut().unwrap().write_all(b"12345\n").unwrap();
    let mut line = String::new();
    BufReader::new(client.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let json = place.run(["pipe", "list", "--json"]).expect(0).json();
    let instances = json["pipes"][0]["instances"].as_array().unwrap();
    let connected = instances.iter().find(|one| one["state"] == "connected").expect("a connected instance");
    assert_eq!(
        (&connected["inbound"]["bytes"], &connected["outbound"]["bytes"]),
        (&6.into(), &6.into()),
        "{json}"
    );
    client.kill().unwrap();
    client.wait().unwrap();
}
