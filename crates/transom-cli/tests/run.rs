//! `transom run --single`: one instance at a time.

mod common;

use std::process::Stdio;

use common::{Place, binary, can_list, finish};

#[test]
fn a_second_instance_is_refused_and_told_who_runs() {
    let place = Place::new();
    let name = place.name("one");
    let me = binary().to_str().unwrap();
    let first = place.hold(["run", "--single", &name, "--", me, "event", "create", &place.name("up")]);
    let ended = place.run(["run", "--single", &name, "--", me, "--version"]).expect(4);
    assert_eq!(ended.out, b"", "the second command did not run");
    assert!(ended.err.contains("another instance of"), "{}", ended.err);
    let who = format!("process {}, running {me} event create", first.id());
    assert!(ended.err.contains(&who), "{who} holds: {}", ended.err);
    assert_eq!(first.release(), 0);
    place.run(["run", "--single", &name, "--", me, "--version"]).expect(0);
}

/// Whoever has the mutex by other means counts as well, and says nothing.
#[test]
fn a_mutex_of_the_name_is_an_instance() {
    let place = Place::new();
    let name = place.name("mutex");
    let me = binary().to_str().unwrap();
    let holder = place.hold(["mutex", "run", &name, "--", me, "event", "create", &place.name("up")]);
    let ended = place.run(["run", "--single", &name, "--", me, "--version"]).expect(4);
    assert!(ended.err.contains("another instance of"), "{}", ended.err);
    if can_list() {
        assert!(ended.err.contains(&format!("process {}", holder.id())), "{}", ended.err);
    }
    assert_eq!(holder.release(), 0);
}

/// Y11: a killed instance does not keep the name.
#[test]
fn the_name_is_free_after_the_instance_was_killed() {
    let place = Place::new();
    let name = place.name("killed");
    let me = binary().to_str().unwrap();
    let first = place.hold(["run", "--single", &name, "--", me, "event", "create", &place.name("up")]);
    first.kill();
    place.run(["run", "--single", &name, "--wait", "10s", "--", me, "--version"]).expect(0);
}

#[test]
fn a_waiting_instance_gets_its_turn() {
    let place = Place::new();
    let name = place.name("turn");
    let me = binary().to_str().unwrap();
    let first = place.hold(["run", "--single", &name, "--", me, "event", "create", &place.name("up")]);
    place.run(["run", "--single", &name, "--wait", "10ms", "--", me, "--version"]).expect(6);
    let mut second = place.command(["run", "--single", &name, "--wait", "--", me, "--version"]);
    let second = second.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(first.release(), 0);
    let ended = finish(second, b"").expect(0);
    assert!(ended.text().starts_with("transom "), "{}", ended.text());
}

#[test]
fn the_commands_exit_code_and_streams_are_its_own() {
    let place = Place::new();
    let name = place.name("code");
    let me = binary().to_str().unwrap();
    let holder = place.hold(["map", "create", &place.name("m"), "--size", "1"]);
    let ended =
        place.run_with_input(["run", "--single", &name, "--", me, "map", "write", &place.name("m")], b"in");
    ended.expect(0);
    assert_eq!(place.run(["map", "read", &place.name("m"), "--until-nul"]).expect(0).text(), "in");
    place.run(["run", "--single", &name, "--", me, "map", "read", "no-such-name"]).expect(3);
    place.run(["run", "--single", &name, "--", "no-such-command-anywhere"]).expect(127);
    place.run(["run", "--single", &name]).expect(2);
    place.run(["run", "--", me]).expect(2);
    drop(holder);
}
