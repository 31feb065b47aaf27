//! Help, topics, manual, completions, version.

mod common;

use std::process::Stdio;

use common::{Place, rest};

#[test]
fn exit_codes_can_be_read_by_people_and_programs() {
    let place = Place::new();
    let text = place.run(["help", "exit-codes"]).expect(0).text();
    assert!(text.contains("    6  timed out"), "{text}");
    let json = place.run(["help", "exit-codes", "--json"]).expect(0).json();
    assert!(json["exit_codes"].as_array().unwrap().iter().any(|row| row[0] == "127"));
}

#[test]
fn help_is_found_for_commands_topics_and_windows_habits() {
    let place = Place::new();
    let plain = place.run(["help"]).expect(0).text();
    assert!(plain.contains("Usage: transom") && plain.contains("tour"), "{plain}");
    assert_eq!(place.run(["/?"]).expect(0).text(), place.run(["--help"]).expect(0).text());
    let create = place.run(["help", "map", "create"]).expect(0).text();
    assert!(create.contains("transom map create") && create.contains("--from"), "{create}");
    assert_eq!(place.run(["map", "create", "/?"]).expect(0).text(), create);
    for topic in ["names", "win32", "environment"] {
        assert!(place.run(["help", topic]).expect(0).text().lines().count() > 3, "{topic}");
    }
    let ended = place.run(["help", "nonsense"]).expect(2);
    assert!(ended.err.contains("exit-codes"), "{}", ended.err);
}

#[test]
fn the_manual_is_one_page_with_everything() {
    let place = Place::new();
    let page = place.run(["man"]).expect(0).text();
    assert!(page.contains(".TH transom 1"), "{}", &page[..200]);
    for words in ["map create", "event wait", "doctor", "EXIT CODES", "TRANSOM_DIR", "NO_COLOR"] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn completions_exist_for_the_usual_shells() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = place.run(["completions", shell]).expect(0).text();
        assert!(script.contains("semaphore"), "{shell}");
    }
}

#[test]
fn the_version_is_one_line() {
    let place = Place::new();
    let text = place.run(["--version"]).expect(0).text();
    assert_eq!(text, format!("transom {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let place = Place::new();
    place.run(["frobnicate"]).expect(2);
    place.run(["event", "set"]).expect(2);
    place.run::<&str>([]).expect(2);
}

/// A reader that has seen enough ends the output without a complaint.
#[test]
fn a_reader_that_goes_away_is_success() {
    let place = Place::new();
    let holder = place.hold(["map", "create", &place.name("big"), "--size", "16M"]);
    let mut read = place.command(["map", "read", &place.name("big")]);
    let mut child = read.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Far more than a pipe holds is on its way when the read end is closed.
    drop(child.stdout.take());
    let complaint = rest(child.stderr.take().unwrap());
    assert_eq!(complaint, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    drop(holder);
}
