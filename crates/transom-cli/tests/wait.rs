//! `transom wait`: one, any or all of several objects of any kind.

mod common;

use common::{Place, binary};

/// Y25, Y36: of several the first signalled one is taken, whatever its kind.
#[test]
fn any_prints_the_name_that_was_signalled() {
    let place = Place::new();
    let (event, semaphore) = (place.name("e"), place.name("s"));
    let first = place.hold(["event", "create", &event]);
    let second = place.hold(["semaphore", "create", &semaphore, "--maximum", "2"]);
    assert_eq!(place.run(["wait", &event, &semaphore, "-t", "0"]).expect(0).text(), format!("{semaphore}\n"));
    place.run(["event", "set", &event]).expect(0);
    let json =
        place.run(["WaitForMultipleObjects", &event, &semaphore, "-t", "0", "--json"]).expect(0).json();
    assert_eq!(
        (&json["name"], &json["index"], &json["value"]),
        (&event.as_str().into(), &0.into(), &0.into())
    );
    drop((first, second));
}

/// Y26: a wait for all takes nothing until all are signalled.
#[test]
fn all_takes_nothing_until_all_are_signalled() {
    let place = Place::new();
    let (event, semaphore) = (place.name("e"), place.name("s"));
    let first = place.hold(["event", "create", &event]);
    let second = place.hold(["semaphore", "create", &semaphore, "--maximum", "1"]);
    place.run(["wait", "--all", &semaphore, &event, "-t", "20ms"]).expect(6);
    place.run(["event", "set", &event]).expect(0);
    assert_eq!(place.run(["wait", "--all", &semaphore, &event, "-t", "0"]).expect(0).out, b"");
    place.run(["wait", &semaphore, &event, "-t", "0"]).expect(6);
    drop((first, second));
}

/// A mutex that was waited for is released, not abandoned.
#[test]
fn a_mutex_is_released_after_the_wait() {
    let place = Place::new();
    let name = place.name("m");
    let holder = place.hold(["mutex", "create", &name]);
    place.run(["WaitForSingleObject", &name, "-t", "0"]).expect(0);
    place.run(["mutex", "wait", &name, "-t", "0"]).expect(0);
    drop(holder);
}

/// Y11: an abandoned mutex is told by the exit code.
#[test]
fn an_abandoned_mutex_has_its_own_exit_code() {
    let place = Place::new();
    let (name, event) = (place.name("m"), place.name("held"));
    let keeper = place.hold(["mutex", "create", &name]);
    let me = binary().to_str().unwrap();
    place.hold(["mutex", "run", &name, "--", me, "event", "create", &event]).kill();
    place.run(["wait", &name, "-t", "10s"]).expect(8);
    place.run(["wait", &name, "-t", "10s"]).expect(0);
    drop(keeper);
}

#[test]
fn mappings_and_missing_names_cannot_be_waited_for() {
    let place = Place::new();
    let name = place.name("map");
    let holder = place.hold(["map", "create", &name, "--size", "1"]);
    let ended = place.run(["wait", &name]).expect(9);
    assert!(ended.err.contains("mappings cannot"), "{}", ended.err);
    place.run(["wait", &place.name("none")]).expect(3);
    drop(holder);
}
