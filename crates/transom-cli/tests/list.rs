//! `transom list` and `transom who`: what exists, and who holds it.

mod common;

use common::{Lines, Place, binary, can_list};

#[test]
fn names_are_listed_with_kind_state_and_holders() {
    let place = Place::new();
    if !can_list() {
        let ended = place.run(["list"]).expect(10);
        assert!(ended.err.contains("ERROR_NOT_SUPPORTED, 50"), "{}", ended.err);
        return;
    }
    assert_eq!(place.run(["list"]).expect(0).text(), "no names exist\n");
    let map = place.hold(["map", "create", "cfg", "--size", "8K"]);
    let event = place.hold(["event", "create", "ready", "--set"]);
    let text = place.run(["list"]).expect(0).text();
    let rows: Vec<&str> = text.lines().collect();
    assert!(rows[0].starts_with("NAME"), "{text}");
    assert!(rows[1].starts_with("cfg") && rows[1].contains("mapping") && rows[1].contains("8 KiB"), "{text}");
    assert!(rows[1].contains(&map.id().to_string()), "{text}");
    assert!(rows[2].starts_with("ready") && rows[2].contains("event") && rows[2].contains("set"), "{text}");
    let json = place.run(["ls", "--kind", "event", "--json"]).expect(0).json();
    assert_eq!(json["objects"].as_array().unwrap().len(), 1);
    assert_eq!(json["objects"][0]["name"], "ready");
    assert_eq!(json["objects"][0]["holders"][0]["process_id"], event.id());
    map.kill();
    event.kill();
    // M39, also after SIGKILL.
    assert_eq!(place.run(["list"]).expect(0).text(), "no names exist\n");
}

#[test]
fn states_are_told_in_words() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    let me = binary().to_str().unwrap();
    let semaphore = place.hold(["semaphore", "create", "slots", "--initial", "3", "--maximum", "5"]);
    let mutex = place.hold(["mutex", "run", "lock", "--", me, "event", "create", "held"]);
    let json = place.run(["list", "--json"]).expect(0).json();
    let state = |name: &str| {
        let objects = json["objects"].as_array().unwrap();
        let object = objects.iter().find(|object| object["name"] == name).unwrap();
        object["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state("slots"), "3 of 5");
    assert!(state("held").ends_with("not set"), "{}", state("held"));
    let owned = state("lock");
    assert!(owned.starts_with("owned by") && owned.contains(&mutex.id().to_string()), "{owned}");
    drop((semaphore, mutex));
}

#[test]
fn a_watched_list_is_printed_again_when_it_changes() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    let watch = Lines::start(place.command(["list", "--watch", "--interval", "10ms", "--json"]));
    assert_eq!(watch.next(), "{\"objects\":[]}");
    let holder = place.hold(["event", "create", "new"]);
    assert!(watch.next().contains("\"new\""));
    holder.kill();
    // While it dies less and less is known of it, and each time the list is another.
    let after = std::iter::repeat_with(|| watch.next()).find(|line| !line.contains("\"new\""));
    assert_eq!(after.unwrap(), "{\"objects\":[]}");
}

#[test]
fn holders_are_told_with_their_rights() {
    let place = Place::new();
    let name = place.name("held");
    if !can_list() {
        place.run(["who", &name]).expect(10);
        return;
    }
    let holder = place.hold(["map", "create", &name, "--size", "1"]);
    let text = place.run(["who", &name]).expect(0).text();
    assert!(text.starts_with(&format!("mapping '{name}', 4 KiB\n")), "{text}");
    assert!(text.contains("FILE_MAP_WRITE | FILE_MAP_READ"), "{text}");
    assert!(text.contains(&holder.id().to_string()), "{text}");
    let json = place.run(["who", &name, "--json"]).expect(0).json();
    let rights = json["holders"][0]["rights"].as_array().unwrap();
    assert!(rights.iter().any(|right| right == "FILE_MAP_READ"), "{json}");
    place.run(["who", &place.name("none")]).expect(3);
    drop(holder);
}
