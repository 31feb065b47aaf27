//! `transom bench`: what it prints and refuses. How fast anything is does not matter here.

mod common;

use common::{Place, can_list};

#[test]
fn fewer_than_five_rounds_are_refused() {
    let place = Place::new();
    place.run(["bench", "map", "--rounds", "4"]).expect(2);
}

#[test]
fn a_role_that_does_not_exist_is_refused() {
    let place = Place::new();
    place.run(["bench", "child", "nobody", "0", "0"]).expect(if can_list() { 1 } else { 10 });
}

#[test]
fn a_case_that_does_not_exist_is_refused() {
    let place = Place::new();
    place.run(["bench", "map", "--only", "nothing"]).expect(2);
    place.run(["bench", "pipe", "--only", "nothing"]).expect(2);
}

#[test]
fn a_part_is_measured_beside_its_floor_and_leaves_no_name() {
    let place = Place::new();
    if !can_list() {
        place.run(["bench", "map"]).expect(10);
        return;
    }
    let json = place.run(["bench", "map", "--quick", "--only", "named-open-own", "--json"]).expect(0).json();
    let figures = json["figures"].as_array().unwrap();
    let ids: Vec<&str> = figures.iter().map(|figure| figure["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["raw-open", "named-open-own"], "{json}");
    for figure in figures {
        assert_eq!(figure["unit"], "us");
        assert!(figure["median"].as_f64().unwrap() > 0.0, "{figure}");
        assert!(figure["low"].as_f64() <= figure["high"].as_f64(), "{figure}");
    }
    let against = &figures[1]["against"][0];
    assert_eq!((&against["id"], &against["goal"]), (&"raw-open".into(), &serde_json::Value::Null));
    assert!(against["ratio"].as_f64().unwrap() > 0.0, "{against}");
    assert_eq!(place.run(["list"]).expect(0).text(), "no names exist\n");
}

#[test]
fn pipes_are_measured_beside_floors_and_others_and_leave_no_name() {
    let place = Place::new();
    if !can_list() {
        place.run(["bench", "pipe"]).expect(10);
        return;
    }
    let parts = ["--only", "rt-64-same/transom", "--only", "connect/transom"];
    let json = place.run([&["bench", "pipe", "--quick", "--json"], &parts[..]].concat()).expect(0).json();
    let figures = json["figures"].as_array().unwrap();
    let mut ids: Vec<&str> = figures.iter().map(|figure| figure["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let (one_processor, two) = (["futex-same", "rt-64-same/pipe2"], ["connect/transom", "connect/unix"]);
    let rest = ["rt-64-same/transom", "rt-64-same/transom-msg", "rt-64-same/unix"];
    // Where there is only one processor, what needs two is skipped.
    let expected = [&two[..], &one_processor[..], &rest[..]].concat();
    let skipped = json["skipped"].as_array().unwrap();
    assert_eq!(if skipped.is_empty() { &expected[..] } else { &expected[2..] }, ids, "{json}");
    for figure in figures {
        assert!(figure["median"].as_f64().unwrap() > 0.0, "{figure}");
        let id = figure["id"].as_str().unwrap();
        let group = if id.starts_with("rt") { "round trip of 64 B, blocking, same" } else { "" };
        assert!(id.starts_with("connect") || figure["group"] == group, "{figure}");
    }
    let ours = figures.iter().find(|figure| figure["id"] == "rt-64-same/transom").unwrap();
    let others: Vec<&str> =
        ours["against"].as_array().unwrap().iter().map(|other| other["id"].as_str().unwrap()).collect();
    assert_eq!(others, ["futex-same", "rt-64-same/unix", "rt-64-same/pipe2"], "{ours}");
    assert_eq!(place.run(["list"]).expect(0).text(), "no names exist\n");
}
