//! `transom event`.

mod common;

use std::process::Stdio;

use common::{Lines, Place, binary, can_list, finish};

/// Y3: an auto-reset event stays set until one wait takes it.
#[test]
fn an_auto_reset_event_lets_one_wait_through_for_each_set() {
    let place = Place::new();
    let name = place.name("auto");
    let holder = place.hold(["event", "create", &name]);
    let ended = place.run(["event", "wait", &name, "--timeout", "0"]).expect(6);
    assert!(ended.err.contains("(WAIT_TIMEOUT, 258)"), "{}", ended.err);
    place.run(["event", "set", &name]).expect(0);
    place.run(["event", "wait", &name, "--timeout", "0"]).expect(0);
    place.run(["event", "wait", &name, "--timeout", "0"]).expect(6);
    assert_eq!(holder.release(), 0);
}

/// Y2: a manual-reset event lets every wait through until it is reset.
#[test]
fn a_manual_reset_event_stays_set_until_reset() {
    let place = Place::new();
    let name = place.name("manual");
    let holder = place.hold(["event", "create", &name, "--manual", "--set"]);
    place.run(["event", "wait", &name, "--timeout", "0"]).expect(0);
    place.run(["event", "wait", &name, "--timeout", "0"]).expect(0);
    place.run(["ResetEvent", &name]).expect(0);
    place.run(["event", "wait", &name, "-t", "0"]).expect(6);
    drop(holder);
}

/// Y1, Y5: any process may set it, and a waiting one wakes.
#[test]
fn a_waiting_process_wakes_when_another_sets_the_event() {
    let place = Place::new();
    let name = place.name("wake");
    let holder = place.hold(["event", "create", &name]);
    let mut wait = place.command(["event", "wait", &name, "--timeout", "30s", "--json"]);
    let waiting = wait.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    place.run(["SetEvent", &name]).expect(0);
    let ended = finish(waiting, b"").expect(0);
    assert_eq!(ended.json()["result"], "signalled");
    drop(holder);
}

/// Y39: Open never creates.
#[test]
fn an_event_that_does_not_exist_cannot_be_set_or_waited_for() {
    let place = Place::new();
    for verb in ["set", "reset", "pulse", "wait"] {
        place.run(["event", verb, &place.name("none")]).expect(3);
    }
}

/// Y7: a pulse that nobody waits for leaves the event as it was, reset.
#[test]
fn a_pulse_without_waiters_leaves_nothing() {
    let place = Place::new();
    let name = place.name("pulse");
    let holder = place.hold(["event", "create", &name, "--manual"]);
    place.run(["PulseEvent", &name]).expect(0);
    place.run(["event", "wait", &name, "--timeout", "0"]).expect(6);
    drop(holder);
}

/// Y4: on an existing name kind and state stay what they are.
#[test]
fn an_existing_event_keeps_its_state() {
    let place = Place::new();
    let name = place.name("existing");
    let holder = place.hold(["event", "create", &name]);
    let second = place.hold(["event", "create", &name, "--manual", "--set"]);
    assert!(second.ready.contains("it exists"), "{}", second.ready);
    place.run(["event", "wait", &name, "--timeout", "0"]).expect(6);
    drop(holder);
}

#[test]
fn an_event_is_kept_while_a_command_runs() {
    let place = Place::new();
    let name = place.name("while");
    let me = binary().to_str().unwrap();
    let ended = place.run(["event", "create", &name, "--set", "--", me, "event", "wait", &name, "-t", "0"]);
    assert_eq!(ended.expect(0).out, b"", "the output is the command's alone");
    place.run(["event", "set", &name]).expect(3);
}

/// Shells give the null device to background jobs of scripts; its end is not the end of the keeping.
#[test]
fn the_null_device_as_input_does_not_end_the_keeping() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    let name = place.name("null");
    let keeper = Lines::start(place.command(["event", "create", &name]));
    assert!(keeper.next().ends_with("kept until this process is stopped"));
    place.run(["event", "set", &name]).expect(0);
    drop(keeper);
    place.run(["event", "set", &name]).expect(3);
}
