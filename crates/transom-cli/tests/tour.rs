//! `transom tour`: all steps pass here.

mod common;

use std::time::{Duration, Instant};

use common::{Place, can_list};

#[test]
fn every_step_passes_in_time_and_nothing_stays_behind() {
    let place = Place::new();
    let begin = Instant::now();
    let json = place.run(["tour", "--keep-going", "--json"]).expect(0).json();
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());
    assert_eq!((&json["ok"], &json["passed"]), (&true.into(), &json["planned"]));
    let steps = json["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 18);
    for step in steps {
        assert_eq!(step["ok"], true, "{step}");
        assert!(!step["saw"].as_str().unwrap().is_empty(), "{step}");
    }
    if can_list() {
        assert_eq!(place.run(["list"]).expect(0).text(), "no names exist\n");
    }
}

#[test]
fn the_text_names_each_step_and_closes_with_a_verdict() {
    let place = Place::new();
    let text = place.run(["tour"]).expect(0).text();
    assert_eq!(text.lines().filter(|line| line.starts_with("ok ")).count(), 18, "{text}");
    assert!(text.trim_end().lines().last().unwrap().starts_with("all 18 steps passed"), "{text}");
}

#[test]
fn a_role_that_does_not_exist_is_refused() {
    let place = Place::new();
    place.run(["tour-child", "nobody"]).expect(2);
}
