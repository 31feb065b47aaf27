//! `transom window`: listening, sending, posting, finding, listing.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use common::{Ended, Lines, Place, binary, can_list, finish, rest};

/// A listener, once its window exists.
struct Listener {
    child: Option<Child>,
    handle: String,
}

impl Listener {
    fn start(place: &Place, arguments: &[&str]) -> Listener {
        let mut command = place.command(["window", "listen"].iter().chain(arguments));
        let mut child = started(&mut command);
        let mut line = String::new();
        let mut errors = BufReader::new(child.stderr.take().expect("its messages"));
        errors.read_line(&mut line).expect("a line when it is ready");
        let handle = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        assert!(line.starts_with("transom: listening at ") || line.contains("listening at"), "{line}");
        assert!(handle.starts_with("0x"), "{line}");
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Listener { child: Some(child), handle }
    }

    /// Waits for its end: what it printed.
    fn ended(mut self, code: i32) -> String {
        let child = self.child.take().expect("it is there until here");
        finish(child, b"").expect(code).text()
    }

    fn kill(mut self) {
        let mut child = self.child.take().expect("it is there until here");
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn started(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the command starts")
}

/// What a command printed, in one line.
fn answer(ended: Ended) -> String {
    ended.expect(0).text().trim_end().to_owned()
}

/// W24 to W26: bytes of any kind, a number with them, an answer.
#[test]
fn bytes_reach_a_window_from_text_hex_file_and_input() {
    let place = Place::new();
    let class = place.name("Inbox");
    let listener = Listener::start(&place, &[&class, "--count", "4", "--reply", "42"]);
    assert_eq!(answer(place.run(["window", "copydata", &class, "one"])), "42");
    assert_eq!(answer(place.run(["window", "copydata", &listener.handle, "--hex", "74 77 6f"])), "42");
    let file = place.file("three", b"three");
    let from_file = ["window", "copydata", &class, "--file", file.to_str().unwrap(), "--tag", "3"];
    assert_eq!(answer(place.run(from_file)), "42");
    assert_eq!(answer(place.run_with_input(["window", "copydata", &class], b"four")), "42");
    assert_eq!(listener.ended(0), "one\ntwo\nthree\nfour\n");
    place.run(["window", "copydata", &class, "late"]).expect(3);
}

#[test]
fn what_came_can_be_read_by_programs() {
    let place = Place::new();
    let class = place.name("Inbox");
    let listener = Listener::start(&place, &[&class, "--count", "2", "--json"]);
    place.run(["window", "copydata", &class, "--tag", "0x10", "--hex", "00ff"]).expect(0);
    place.run(["window", "send", &class, "WM_APP+1", "7", "-1"]).expect(0);
    let lines: Vec<serde_json::Value> =
        listener.ended(0).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines[0]["message"], "WM_COPYDATA");
    assert_eq!(
        (&lines[0]["tag"], &lines[0]["bytes"], &lines[0]["hex"]),
        (&16.into(), &2.into(), &"00ff".into())
    );
    assert_eq!(lines[1]["message"], "WM_APP+1");
    assert_eq!((&lines[1]["wparam"], &lines[1]["lparam"]), (&7.into(), &(-1).into()));
}

/// W37, W39: registered names, and who hears a broadcast.
#[test]
fn messages_have_names_and_reach_all_top_level_windows() {
    let place = Place::new();
    let (class, message) = (place.name("Inbox"), place.name("progress"));
    let top = Listener::start(&place, &[&class, "--top-level", "--count", "3", "--title", "top"]);
    let only = Listener::start(&place, &[&class, "--count", "1", "--title", "only"]);
    assert_eq!(answer(place.run(["window", "send", &class, &message, "1", "--title", "TOP"])), "0");
    place.run(["window", "post", "HWND_BROADCAST", &message, "2"]).expect(0);
    place.run(["window", "post", &top.handle, "WM_USER+5", "3"]).expect(0);
    assert_eq!(top.ended(0), format!("{message} 0x1 0x0\n{message} 0x2 0x0\nWM_USER+5 0x3 0x0\n"));
    place.run(["window", "post", &only.handle, "WM_APP"]).expect(0);
    assert_eq!(only.ended(0), "WM_APP 0x0 0x0\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_can_answer() {
    let place = Place::new();
    let class = place.name("Inbox");
    let line = "printf '%s:%s:' $TRANSOM_MESSAGE $TRANSOM_TAG; cat; echo; exit 5";
    let listener = Listener::start(&place, &[&class, "--count", "1", "--exec", line, "--format", "raw"]);
    assert_eq!(answer(place.run(["window", "copydata", &class, "text", "--tag", "9"])), "5");
    assert_eq!(listener.ended(0), "textWM_COPYDATA:9:text\n");
}

#[test]
fn windows_are_found_and_listed() {
    let place = Place::new();
    let (class, title) = (place.name("Listed"), place.name("a title"));
    place.run(["window", "find", &class]).expect(3);
    place.run(["window", "find", &class, "--wait", "20ms"]).expect(6);
    let search = place.command(["window", "find", "--title", &title, "--wait", "60s"]);
    let search = std::thread::spawn(move || Ended::of(search, b""));
    let listener = Listener::start(&place, &[&class, "--title", &title]);
    assert_eq!(answer(search.join().expect("the search ends")), listener.handle);
    let found = place.run(["window", "find", &class.to_uppercase(), "--every"]).expect(0).text();
    assert_eq!(found, format!("{}\n", listener.handle));
    let list = place.run(["window", "list", "--class", &class, "--json"]).expect(0).json();
    let row = &list["windows"][0];
    assert_eq!((&row["handle"], &row["title"]), (&listener.handle.as_str().into(), &title.as_str().into()));
    assert_eq!((&row["kind"], &row["hung"]), (&"message-only".into(), &false.into()));
    let text = place.run(["FindWindow", &class]).expect(0).text();
    assert_eq!(text.trim_end(), listener.handle);
    assert!(place.run(["window", "list", "--class", &class]).expect(0).text().contains("HANDLE"));
    assert_eq!(place.run(["window", "list", "--class", "nobody"]).expect(0).text(), "no windows\n");
}

/// W3, W16: the windows of a killed process are gone at once.
#[test]
fn a_killed_listener_is_no_window_any_more() {
    let place = Place::new();
    let class = place.name("Killed");
    let listener = Listener::start(&place, &[&class]);
    let handle = listener.handle.clone();
    listener.kill();
    let ended = place.run(["window", "send", &handle, "WM_APP"]).expect(3);
    assert!(ended.err.contains("ERROR_INVALID_WINDOW_HANDLE, 1400"), "{}", ended.err);
    assert!(ended.err.contains("hint: "), "{}", ended.err);
    place.run(["window", "post", &class, "WM_APP"]).expect(3);
}

/// W11: a receiver that does something else does not answer.
#[test]
fn a_send_can_run_out_of_time() {
    let place = Place::new();
    let (class, event) = (place.name("Busy"), place.name("go"));
    let held = place.hold(["event", "create", &event]);
    let line = format!("{} event wait {event} --timeout 60s", binary().display());
    let listener = Listener::start(&place, &[&class, "--exec", &line, "--count", "1"]);
    place.run(["window", "send", &class, "WM_APP", "--notify"]).expect(0);
    let ended = place.run(["window", "send", &class, "WM_APP", "--timeout", "50ms"]).expect(6);
    assert!(ended.err.contains("ERROR_TIMEOUT, 1460"), "{}", ended.err);
    place.run(["event", "set", &event]).expect(0);
    assert_eq!(listener.ended(0), "WM_APP 0x0 0x0\n");
    assert_eq!(held.release(), 0);
}

#[test]
fn a_listener_ends_by_time_or_when_it_is_told() {
    let place = Place::new();
    let class = place.name("Ending");
    place.run(["window", "listen", &class, "--timeout", "20ms"]).expect(6);
    let listener = Listener::start(&place, &[&class]);
    assert_eq!(answer(place.run(["window", "send", &class, "WM_CLOSE"])), "0");
    assert_eq!(listener.ended(0), "");
}

#[test]
fn a_change_of_the_list_is_printed() {
    let place = Place::new();
    let class = place.name("Watched");
    let lines =
        Lines::start(place.command(["window", "watch", "--class", &class, "--interval", "5ms", "--json"]));
    assert_eq!(lines.next(), r#"{"windows":[]}"#);
    let listener = Listener::start(&place, &[&class]);
    assert!(lines.next().contains(&listener.handle));
    listener.kill();
    assert_eq!(lines.next(), r#"{"windows":[]}"#);
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let place = Place::new();
    let class = place.name("Refusing");
    let listener = Listener::start(&place, &[&class]);
    let ended = place.run(["window", "send", &class, "WM_SETTEXT"]).expect(2);
    assert!(ended.err.contains("transom window copydata"), "{}", ended.err);
    place.run(["window", "send", &class, "WM_NONSENSE"]).expect(2);
    place.run(["window", "send", &class, "WM_APP", "x"]).expect(2);
    place.run(["window", "post", &class]).expect(2);
    place.run(["window", "find"]).expect(2);
    // Wine 8.0 gives 87 for a thread that does not exist (W36).
    let code = if can_list() { 3 } else { 2 };
    assert_eq!(place.run(["window", "post", "--thread", "4294967295", "WM_APP"]).expect(code).text(), "");
    drop(listener);
}

#[test]
fn output_that_is_raw_has_the_bytes_and_nothing_else() {
    let place = Place::new();
    let class = place.name("Raw");
    let mut listener = Listener::start(&place, &[&class, "--format", "raw", "--count", "2"]);
    place.run(["window", "send", &class, "WM_APP"]).expect(0);
    place.run(["window", "copydata", &class, "bytes"]).expect(0);
    let output = listener.child.as_mut().and_then(|child| child.stdout.take()).expect("its output");
    assert_eq!(rest(output), "bytes");
}
