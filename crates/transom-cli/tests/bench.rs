//! `transom bench`: what it prints and refuses. How fast anything is does not matter here.

mod common;

use common::Place;

#[test]
fn fewer_than_five_rounds_are_refused() {
    let place = Place::new();
    place.run(["bench", "map", "--rounds", "4"]).expect(2);
}

#[test]
fn a_role_that_does_not_exist_is_refused() {
    let place = Place::new();
    place.run(["bench", "child", "nobody", "0", "0"]).expect(1);
}
