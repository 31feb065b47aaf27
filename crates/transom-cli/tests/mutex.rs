//! `transom mutex`.

mod common;

use common::{Place, binary, can_list};

/// Y8: while a command runs under a mutex, others wait in vain.
#[test]
fn a_mutex_is_owned_while_the_command_runs() {
    let place = Place::new();
    let name = place.name("busy");
    let me = binary().to_str().unwrap();
    let inner = ["mutex", "run", &name, "--timeout", "20ms", "--", me, "--version"];
    let mut line = vec!["mutex", "run", &name, "--", me];
    line.extend(inner);
    let ended = place.run(line).expect(6);
    assert!(ended.err.contains(&format!("cannot wait for mutex '{name}'")), "{}", ended.err);
    // Released when the command has ended; and nobody holds the name any more.
    place.run(inner).expect(0);
    place.run(["mutex", "wait", &name]).expect(3);
}

#[test]
fn the_commands_exit_code_is_passed_through() {
    let place = Place::new();
    let me = binary().to_str().unwrap();
    let name = place.name("code");
    place.run(["mutex", "run", &name, "--", me, "event", "set", "no-such-event"]).expect(3);
    place.run(["mutex", "run", &name, "--", "no-such-command-anywhere"]).expect(127);
}

/// Y11: the next one to acquire is told that the owner was killed, once.
#[test]
fn a_killed_owner_is_reported_once() {
    let place = Place::new();
    let (name, event) = (place.name("left"), place.name("held"));
    let keeper = place.hold(["mutex", "create", &name]);
    let me = binary().to_str().unwrap();
    // The command under the mutex prints its line when the mutex is owned.
    let owner = place.hold(["mutex", "run", &name, "--", me, "event", "create", &event]);
    place.run(["mutex", "wait", &name, "--timeout", "0"]).expect(6);
    owner.kill();
    let ended = place.run(["mutex", "wait", &name, "--timeout", "10s"]).expect(8);
    assert!(ended.err.contains("ended without releasing it"), "{}", ended.err);
    place.run(["mutex", "wait", &name, "--timeout", "10s"]).expect(0);
    drop(keeper);
}

#[test]
fn a_command_after_a_killed_owner_runs_with_a_note_or_not_at_all() {
    let place = Place::new();
    let name = place.name("note");
    let keeper = place.hold(["mutex", "create", &name]);
    let me = binary().to_str().unwrap();
    let own = || place.hold(["mutex", "run", &name, "--", me, "event", "create", &place.name("held")]);
    own().kill();
    let ended = place.run(["mutex", "run", &name, "--fail-abandoned", "--", me, "--version"]).expect(8);
    assert_eq!(ended.out, b"", "the command did not run");
    own().kill();
    let ended = place.run(["mutex", "run", &name, "--", me, "--version"]).expect(0);
    assert!(ended.err.contains("note:"), "{}", ended.err);
    assert!(ended.text().starts_with("transom "), "the command ran");
    drop(keeper);
}

#[test]
fn a_free_mutex_is_waited_for_without_waiting() {
    let place = Place::new();
    let name = place.name("free");
    let holder = place.hold(["CreateMutex", &name]);
    let ended = place.run(["mutex", "wait", &name, "--timeout", "0", "--json"]).expect(0);
    assert_eq!(ended.json()["result"], "free");
    place.run(["mutex", "run", &name]).expect(2);
    drop(holder);
}

/// Ctrl-C is for the command: while it tidies up, the mutex is still owned.
#[test]
fn an_interrupt_does_not_release_the_mutex_before_the_command_has_ended() {
    // Windows ends all processes of a console; there is nothing to outlive.
    if !can_list() {
        return;
    }
    let place = Place::new();
    let name = place.name("interrupt");
    let me = binary().to_str().unwrap();
    let script = format!("kill -INT $PPID; '{me}' mutex wait {name} --timeout 50ms; exit $?");
    let ended = place.run(["mutex", "run", &name, "--", "sh", "-c", &script]).expect(6);
    assert!(ended.err.contains("cannot wait for mutex"), "{}", ended.err);
}

#[test]
fn a_command_that_a_signal_ended_is_told_as_shells_do() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    place.run(["mutex", "run", &place.name("signal"), "--", "sh", "-c", "kill -TERM $$"]).expect(143);
}
