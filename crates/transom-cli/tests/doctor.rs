//! `transom doctor`.

mod common;

use common::{Place, can_list};

#[test]
fn findings_are_counted_and_decide_the_exit_code() {
    let place = Place::new();
    let ended = place.run(["doctor", "--json"]);
    let json = ended.json();
    let findings = json["findings"].as_array().unwrap();
    let count = |severity: &str| findings.iter().filter(|finding| finding["severity"] == severity).count();
    assert_eq!(json["problems"], count("problem"));
    assert_eq!(json["notes"], count("note"));
    assert_eq!(ended.code, i32::from(count("problem") > 0));
}

#[test]
fn colours_are_for_terminals_and_on_demand() {
    let place = Place::new();
    let plain = place.run(["doctor"]);
    assert!(!plain.text().contains('\u{1b}'), "{}", plain.text());
    let coloured = place.run(["doctor", "--color", "always"]);
    assert!(coloured.text().contains('\u{1b}'), "{}", coloured.text());
    let failed = place.run(["--color=always", "map", "read", "no-such-name"]).expect(3);
    assert!(failed.err.contains('\u{1b}'), "{}", failed.err);
}

/// M39: what killed holders leave is only an entry, which a sweep removes.
#[test]
fn a_sweep_removes_what_killed_processes_left() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    place.hold(["map", "create", "left", "--size", "1"]).kill();
    let json = place.run(["doctor", "--sweep", "--json"]).expect(0).json();
    assert!(json["swept"].as_u64().unwrap() >= 1, "{json}");
    let json = place.run(["doctor", "--sweep", "--json"]).expect(0).json();
    assert_eq!(json["swept"], 0);
}

#[test]
fn a_living_holders_entry_is_not_swept() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    let holder = place.hold(["event", "create", "alive"]);
    let json = place.run(["doctor", "--sweep", "--json"]).expect(0).json();
    assert_eq!(json["swept"], 0);
    place.run(["event", "set", "alive"]).expect(0);
    drop(holder);
}
