//! `transom mailslot`: listening, sending, looking, publishing and subscribing.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use common::{Place, can_list, rest};

/// A command that goes on, once it has said that it is ready.
struct Ready(Child);

impl Ready {
    fn start(mut command: Command, says: &str) -> Ready {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let mut line = String::new();
        let mut errors = BufReader::new(child.stderr.take().expect("its messages"));
        errors.read_line(&mut line).expect("a line when it is ready");
        assert!(line.contains(says), "{line}");
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Ready(child)
    }

    fn output(mut self) -> String {
        rest(self.0.stdout.take().expect("its output"))
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn messages_of_many_commands_come_out_of_one() {
    let place = Place::new();
    let name = place.name("log");
    let listening =
        Ready::start(place.command(["mailslot", "listen", &name, "--count", "4"]), "listening at");
    place.run(["mailslot", "send", &name, "one"]).expect(0);
    place.run(["mailslot", "send", &name, "--hex", "74 77 6f"]).expect(0);
    // Wine 8.0 loses empty messages (S11).
    let (input, output) =
        if can_list() { ("three\n\n", "three\n\n") } else { ("three\nfour\n", "three\nfour\n") };
    place.run_with_input(["mailslot", "send", &name, "--format", "lines"], input.as_bytes()).expect(0);
    assert_eq!(listening.output(), format!("one\ntwo\n{output}"));
    place.run(["mailslot", "send", &name, "late"]).expect(3);
}

#[test]
fn a_name_has_one_listener_and_a_wait_can_end() {
    let place = Place::new();
    let name = place.name("slot");
    place.run(["mailslot", "listen", &name, "--timeout", "20ms"]).expect(6);
    let listening = Ready::start(place.command(["CreateMailslot", &name, "--format", "hex"]), "listening at");
    place.run(["mailslot", "listen", &name]).expect(4);
    drop(listening);
}

#[test]
fn what_is_published_reaches_all_who_subscribed() {
    use std::io::Write as _;

    let place = Place::new();
    let name = place.name("news");
    let mut publisher = Ready::start(place.command(["mailslot", "publish", &name]), "publishing to");
    let subscribe = ["mailslot", "subscribe", &name, "--count", "2"];
    let subscribers: Vec<Ready> =
        (0..2).map(|_| Ready::start(place.command(subscribe), "subscribed to")).collect();
    let input = publisher.0.stdin.as_mut().expect("its input");
    input.write_all(b"first\nsecond\n").expect("it reads");
    for subscriber in subscribers {
        assert_eq!(subscriber.output(), "first\nsecond\n");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_waits_in_a_mailslot_can_be_seen() {
    let place = Place::new();
    let name = place.name("seen");
    place.run(["mailslot", "info", &name]).expect(3);
    let _listening = Ready::start(place.command(["mailslot", "listen", &name]), "listening at");
    assert!(place.run(["mailslot", "info", &name]).expect(0).text().contains("empty"));
    assert!(place.run(["list"]).expect(0).text().contains("mailslot"));
}
