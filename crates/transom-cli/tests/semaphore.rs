//! `transom semaphore`.

mod common;

use common::{Place, binary};

/// Y18, Y21: a wait takes one, a release gives some and tells the count before.
#[test]
fn counts_are_taken_and_given_back() {
    let place = Place::new();
    let name = place.name("counts");
    let holder = place.hold(["semaphore", "create", &name, "--initial", "1", "--maximum", "3"]);
    place.run(["semaphore", "wait", &name, "--timeout", "0"]).expect(0);
    place.run(["sem", "wait", &name, "--timeout", "0"]).expect(6);
    assert_eq!(place.run(["ReleaseSemaphore", &name, "-n", "2"]).expect(0).text(), "0\n");
    let json = place.run(["semaphore", "release", &name, "--json"]).expect(0).json();
    assert_eq!((&json["previous"], &json["given"]), (&2.into(), &1.into()));
    drop(holder);
}

/// Y20: a release beyond the maximum changes nothing.
#[test]
fn a_release_beyond_the_maximum_is_refused() {
    let place = Place::new();
    let name = place.name("full");
    let holder = place.hold(["semaphore", "create", &name, "--maximum", "2"]);
    let ended = place.run(["semaphore", "release", &name]).expect(7);
    assert!(ended.err.contains("ERROR_TOO_MANY_POSTS, 298"), "{}", ended.err);
    assert_eq!(ended.out, b"");
    place.run(["semaphore", "wait", &name, "--timeout", "0"]).expect(0);
    place.run(["semaphore", "wait", &name, "--timeout", "0"]).expect(0);
    place.run(["semaphore", "wait", &name, "--timeout", "0"]).expect(6);
    drop(holder);
}

#[test]
fn counts_that_cannot_be_are_refused() {
    let place = Place::new();
    let name = place.name("bad");
    for (initial, maximum) in [("0", "0"), ("3", "2"), ("-1", "1"), ("0", "-5")] {
        place.run(["semaphore", "create", &name, "--initial", initial, "--maximum", maximum]).expect(2);
    }
    place.run(["semaphore", "create", &name]).expect(2);
}

#[test]
fn a_command_runs_within_the_count_and_gives_it_back() {
    let place = Place::new();
    let name = place.name("slots");
    let me = binary().to_str().unwrap();
    let inner = ["semaphore", "run", &name, "--timeout", "0", "--", me, "--version"];
    let one = |maximum: &'static str| {
        let mut line = vec!["semaphore", "run", &name, "--maximum", maximum, "--", me];
        line.extend(inner);
        place.run(line)
    };
    one("1").expect(6);
    one("2").expect(0);
    // Nobody has it any more.
    place.run(inner).expect(3);
    let holder = place.hold(["semaphore", "create", &name, "--maximum", "1"]);
    place.run(inner).expect(0);
    place.run(inner).expect(0);
    drop(holder);
}
