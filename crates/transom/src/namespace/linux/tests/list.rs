//! Looking at names, and sweeping.

use super::*;
use crate::namespace::{Severity, examine};

/// Copies the entry of an object, which a killed process would leave, under `count` names.
fn leave_behind(scratch: &Scratch, count: usize) {
    let object = scratch.create("pattern").unwrap();
    let dead = contents(&scratch.path("pattern"));
    drop(object);
    for number in 0..count {
        std::fs::write(scratch.objects().join(format!("dead-{number}")), &dead).unwrap();
    }
}

/// M39, M40: what is listed is what lives.
#[test]
fn only_names_with_a_living_holder_are_listed() {
    let _limit = limit();
    let scratch = Scratch::new();
    leave_behind(&scratch, 3);
    let _object = scratch.create("x").unwrap();
    let peer = scratch.start("create path-backed", "y");
    let names = |scratch: &Scratch| -> Vec<String> {
        scratch.namespace.list().unwrap().into_iter().map(|object| object.name).collect()
    };
    assert_eq!(names(&scratch), ["x", "y"]);
    peer.kill();
    assert_eq!(names(&scratch), ["x"]);
    assert_eq!(scratch.namespace.find("y").unwrap(), None);
}

#[test]
fn a_listed_name_tells_kind_size_backing_and_holders() {
    let _limit = limit();
    let scratch = Scratch::new();
    let peer = scratch.start("create path-backed", "Global\\x");
    let name = parsed("Global\\x");
    let first = scratch.namespace.open(&request(&name, Kind::Mapping, 4)).unwrap();
    let second = scratch.namespace.open(&request(&name, Kind::Mapping, 2)).unwrap();
    let found = scratch.namespace.find("Global\\x").unwrap().expect("it exists");
    assert_eq!((found.name.as_str(), found.scope, found.kind), ("Global\\x", Scope::Global, Kind::Mapping));
    assert_eq!((found.size, found.path_backed, found.state), (Some(SIZE), true, None));
    let mut holders = found.holders;
    holders.sort_by_key(|holder| holder.process_id == std::process::id());
    let [other, own] = holders.as_slice() else { panic!("{holders:?}") };
    assert_eq!((other.process_id, other.access), (peer.id(), Kind::Mapping.all_access()));
    assert!(other.command.contains("child_entry"), "{}", other.command);
    assert_eq!((own.process_id, own.access), (std::process::id(), 6), "one row for two handles");
    drop((first, second));
    peer.finish();
    assert_eq!(scratch.namespace.find("Global\\x").unwrap(), None);
}

/// A handle on its way to a child has no process yet.
#[test]
fn a_slot_that_nobody_has_adopted_is_no_row() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let child = object.hold.for_child(1, -1).unwrap();
    assert_eq!(scratch.namespace.find("x").unwrap().expect("it exists").holders.len(), 1);
    child.set_process(1);
    assert_eq!(scratch.namespace.find("x").unwrap().expect("it exists").holders.len(), 2);
    drop(child);
    assert_eq!(scratch.namespace.find("x").unwrap().expect("it exists").holders.len(), 1);
}

/// Numbers of another PID namespace would name the wrong command.
#[test]
fn holders_of_another_pid_namespace_have_no_command() {
    let _limit = limit();
    let scratch = Scratch::new();
    let _object = scratch.create("x").unwrap();
    change_slots(&scratch.path("x"), |holder| Holder { namespace: holder.namespace + 1, ..holder });
    let found = scratch.namespace.find("x").unwrap().expect("it exists");
    assert_eq!(found.holders[0].command, "(in another PID namespace)");
    assert!(found.holders[0].elsewhere);
}

/// Somebody who keeps an entry locked cannot stop those who only look, nor the sweep.
#[test]
fn a_locked_entry_stops_nobody_who_looks() {
    let _limit = limit();
    let scratch = Scratch::new();
    let _object = scratch.create("x").unwrap();
    let entry = std::fs::File::open(scratch.path("x")).unwrap();
    lock::lock_file(&entry).unwrap();
    assert_eq!(scratch.namespace.list().unwrap().len(), 1);
    assert_eq!(scratch.namespace.sweep(), Ok(0));
    lock::unlock_file(&entry).unwrap();
}

#[test]
fn a_damaged_entry_does_not_hide_the_others() {
    let _limit = limit();
    let scratch = Scratch::new();
    let damaged = scratch.create("a").unwrap();
    let _object = scratch.create("b").unwrap();
    std::fs::write(scratch.path("a"), b"junk").unwrap();
    let names: Vec<String> =
        scratch.namespace.list().unwrap().into_iter().map(|object| object.name).collect();
    assert_eq!(names, ["b"]);
    drop(damaged);
}

/// M40: leftovers that nobody asks for again go too.
#[test]
fn sweeping_removes_what_is_dead_and_nothing_else() {
    let _limit = limit();
    let scratch = Scratch::new();
    leave_behind(&scratch, 50);
    std::fs::write(scratch.objects().join("empty"), b"").unwrap();
    let _object = scratch.create("x").unwrap();
    let record = sealed();
    let _hold = scratch.namespace.create_process_entry(7, record.as_fd()).unwrap();
    assert_eq!(scratch.namespace.sweep(), Ok(51));
    assert_eq!(scratch.files(), ["x"]);
    assert!(scratch.namespace.open_process_entry(7).is_ok());
    assert_eq!(scratch.namespace.sweep(), Ok(0));
}

/// Each process looks after a few entries when it first uses the names of a scope, once.
#[test]
fn the_first_use_sweeps_a_few_entries() {
    let _limit = limit();
    let scratch = Scratch::new();
    leave_behind(&scratch, 100);
    scratch.namespace.sweep_once(Scope::Global);
    assert_eq!(scratch.files().len(), 100, "another scope");
    scratch.namespace.sweep_once(Scope::Local);
    let left = scratch.files().len();
    assert_eq!(left, 68);
    scratch.namespace.sweep_once(Scope::Local);
    assert_eq!(scratch.files().len(), left, "once is enough");
}

#[test]
fn every_finding_that_is_in_the_way_says_what_to_do() {
    let _limit = limit();
    let findings = examine();
    for subject in
        ["kernel", "root of Local", "root of Global", "shared memory", "open files", "/proc", "PID namespace"]
    {
        assert!(findings.iter().any(|finding| finding.subject == subject), "{subject}");
    }
    for finding in findings {
        assert!(!finding.message.is_empty());
        assert_eq!(finding.remedy.is_none(), finding.severity == Severity::Fine, "{finding:?}");
    }
}
