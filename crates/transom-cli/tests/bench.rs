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
