//! Records of processes, found by the process's number.

use super::*;

/// A record that says who made it.
fn record(text: &[u8]) -> OwnedFd {
    let record = memfd::create("record").expect("a memory file");
    memfd::reserve(&record, SIZE).expect("room");
    dirs::write_at(&record, text, 0).expect("writable memory");
    memfd::seal_size(&record).expect("seals");
    record
}

fn text(record: &OwnedFd) -> Vec<u8> {
    let mut text = [0; 5];
    dirs::read_at(record, &mut text, 0).expect("readable memory");
    text.to_vec()
}

/// Makes the record of this process findable.
pub(super) fn role_record() -> u32 {
    let (namespace, _) = scratch_of_test();
    let record = record(b"child");
    let hold = namespace.0.create_process_entry(std::process::id(), record.as_fd()).expect("an entry");
    say("ready");
    wait_for_test();
    drop(hold);
    0
}

#[test]
fn a_record_is_found_by_number_while_its_process_lives() {
    let _limit = limit();
    let scratch = Scratch::new();
    let peer = scratch.start("record", "");
    let id = peer.id();
    assert_eq!(failure(scratch.namespace.open_process_entry(0)), Code::FILE_NOT_FOUND);
    let (found, hold) = scratch.namespace.open_process_entry(id).unwrap();
    assert_eq!(text(&found), b"child");
    drop(hold);
    peer.kill();
    assert_eq!(failure(scratch.namespace.open_process_entry(id)), Code::FILE_NOT_FOUND);
}

/// R29: what is left of a process stays findable while somebody has a handle to it.
#[test]
fn a_record_outlives_its_process_with_a_holder() {
    let _limit = limit();
    let scratch = Scratch::new();
    let peer = scratch.start("record", "");
    let id = peer.id();
    let (_kept, hold) = scratch.namespace.open_process_entry(id).unwrap();
    peer.kill();
    let (again, second) = scratch.namespace.open_process_entry(id).unwrap();
    assert_eq!(text(&again), b"child");
    drop((hold, second));
    assert_eq!(failure(scratch.namespace.open_process_entry(id)), Code::FILE_NOT_FOUND);
}

/// Numbers of processes come round: what an earlier one left is not the later one's, held or not.
#[test]
fn a_later_process_of_the_same_number_replaces_the_record() {
    let _limit = limit();
    let scratch = Scratch::new();
    let (old, new) = (record(b"older"), record(b"newer"));
    let old_hold = scratch.namespace.create_process_entry(7, old.as_fd()).unwrap();
    let new_hold = scratch.namespace.create_process_entry(7, new.as_fd()).unwrap();
    let (found, hold) = scratch.namespace.open_process_entry(7).unwrap();
    assert_eq!(text(&found), b"newer");
    drop(hold);
    drop(old_hold);
    let (found, hold) = scratch.namespace.open_process_entry(7).unwrap();
    assert_eq!(text(&found), b"newer", "the old hold has removed nothing");
    drop((hold, new_hold));
    assert_eq!(failure(scratch.namespace.open_process_entry(7)), Code::FILE_NOT_FOUND);
}

/// Its creator and the process itself may both say it.
#[test]
fn the_same_record_is_joined_and_not_replaced() {
    let _limit = limit();
    let scratch = Scratch::new();
    let record = record(b"child");
    let creator = scratch.namespace.create_process_entry(7, record.as_fd()).unwrap();
    let itself = scratch.namespace.create_process_entry(7, record.as_fd()).unwrap();
    assert_ne!(creator.slot(), itself.slot());
    drop(itself);
    assert!(scratch.namespace.open_process_entry(7).is_ok(), "the creator still holds it");
    drop(creator);
    assert_eq!(failure(scratch.namespace.open_process_entry(7)), Code::FILE_NOT_FOUND);
}

/// M32: processes are in a folder of their own, so their numbers are nobody's names.
#[test]
fn records_are_no_objects() {
    let _limit = limit();
    let scratch = Scratch::new();
    let record = record(b"child");
    let _hold = scratch.namespace.create_process_entry(7, record.as_fd()).unwrap();
    let name = format!("7.{}", super::super::root::own().namespace);
    assert_eq!(failure(scratch.open(&name)), Code::FILE_NOT_FOUND);
    assert_eq!(scratch.namespace.list().unwrap(), []);
}
