//! Sections shared by name between processes (mapping.md, sections 7 and 9).

mod support;

use std::sync::atomic::Ordering;

use support::{
    PATIENCE, With, argument, child, code, exit_code, expect_signal, limit, named_event, ready, role, unique,
    wait_to_be_killed,
};
use transom::event::Event;
use transom::mapping::{FILE_MAP_READ, FILE_MAP_WRITE, Mapping, MappingOptions, ViewOptions};
use transom::wait;

const PAGE: u64 = 4096;

#[test]
fn child_entry() {
    child(&[
        ("greet", greet),
        ("add", add),
        ("hold", hold),
        ("create", create),
        ("write-file", write_file),
        ("store-for-ever", store_for_ever),
        ("map-address", map_address),
        ("create-and-leave", create_and_leave),
    ]);
}

fn greet() -> u32 {
    let Ok(mapping) = Mapping::open(&argument("NAME")) else { return 2 };
    let view = mapping.view().unwrap();
    assert_eq!(view.read_to_vec(16, 11).unwrap(), b"from parent");
    view.write(16, b"from child!").unwrap();
    3
}

/// M22, M56: what one process stores the other sees, at once.
#[test]
fn two_processes_share_a_named_section() {
    let _limit = limit();
    let name = unique("greet");
    let mapping = Mapping::create(&name, PAGE).unwrap().object;
    let view = mapping.view().unwrap();
    view.write(16, b"from parent").unwrap();
    assert_eq!(role("greet").with("NAME", &name).run(), 3);
    assert_eq!(view.read_to_vec(16, 11).unwrap(), b"from child!");
}

/// M42.
#[test]
fn another_process_finds_no_missing_name() {
    let _limit = limit();
    assert_eq!(role("greet").with("NAME", unique("missing")).run(), 2);
}

fn add() -> u32 {
    let view = Mapping::open(&argument("NAME")).unwrap().view().unwrap();
    for _ in 0..10_000 {
        view.atomic_u32(0).unwrap().fetch_add(1, Ordering::Relaxed);
        view.atomic_u64(8).unwrap().fetch_add(1 << 33, Ordering::Relaxed);
    }
    4
}

/// M28.
#[test]
fn interlocked_operations_of_four_processes_lose_nothing() {
    let _limit = limit();
    let name = unique("add");
    let mapping = Mapping::create(&name, PAGE).unwrap().object;
    let children: Vec<_> = (0..4).map(|_| role("add").with("NAME", &name).start()).collect();
    assert!(children.iter().all(|child| exit_code(child) == 4));
    let view = mapping.view().unwrap();
    assert_eq!(view.load_u32(0).unwrap(), 40_000);
    assert_eq!(view.load_u64(8).unwrap(), 40_000 << 33);
}

fn hold() -> u32 {
    let mapping = Mapping::open(&argument("NAME")).unwrap();
    ready();
    expect_signal(&Event::open(&argument("LEAVE")).unwrap());
    drop(mapping);
    0
}

/// M39, M40: the last handle may be in any process, and its process need not close it.
#[test]
fn a_name_lives_with_its_last_holder_wherever_that_is() {
    let _limit = limit();
    for killed in [false, true] {
        let (name, here, leave) = (unique("hold"), unique("ready"), unique("leave"));
        let (here_event, leave_event) = (named_event(&here), named_event(&leave));
        let mapping = Mapping::create(&name, PAGE).unwrap().object;
        let child = role("hold").with("NAME", &name).with("READY", &here).with("LEAVE", &leave).start();
        expect_signal(&here_event);
        drop(mapping);
        assert_eq!(code(Mapping::open(&name)), 0, "the child holds it");
        if killed {
            child.process.terminate(9).unwrap();
        } else {
            leave_event.set().unwrap();
        }
        assert_eq!(exit_code(&child), if killed { 9 } else { 0 });
        assert_eq!(code(Mapping::open(&name)), 2);
        let new = Mapping::create(&name, PAGE).unwrap();
        assert!(!new.existed, "nothing is left over");
    }
}

fn create_and_leave() -> u32 {
    let mapping = Mapping::create(&argument("NAME"), PAGE).unwrap().object;
    let view = mapping.view().unwrap();
    view.write(0, b"left behind").unwrap();
    ready();
    if argument("HOW") == "end" {
        // Without closing anything.
        std::mem::forget((mapping, view));
        return 0;
    }
    wait_to_be_killed()
}

/// M40, H4, R28: a name whose maker ends or is killed without closing is free, and the memory is new.
#[test]
fn a_name_vanishes_with_the_process_that_made_it() {
    let _limit = limit();
    for how in ["end", "kill"] {
        let (name, here) = (unique("leave"), unique("ready"));
        let here_event = named_event(&here);
        let child =
            role("create-and-leave").with("NAME", &name).with("READY", &here).with("HOW", how).start();
        expect_signal(&here_event);
        if how == "kill" {
            assert_eq!(code(Mapping::open(&name)), 0);
            child.process.terminate(1).unwrap();
        }
        exit_code(&child);
        assert_eq!(code(Mapping::open(&name)), 2, "{how}");
        let new = Mapping::create(&name, PAGE).unwrap();
        assert!(!new.existed);
        assert_eq!(new.object.view().unwrap().read_to_vec(0, 11).unwrap(), [0; 11]);
    }
}

/// M39: a view that outlives all handles keeps its memory and nothing else.
#[test]
fn a_view_of_a_killed_creators_section_stays_good() {
    let _limit = limit();
    let (name, here) = (unique("orphan"), unique("ready"));
    let here_event = named_event(&here);
    let child = role("create-and-leave").with("NAME", &name).with("READY", &here).with("HOW", "kill").start();
    expect_signal(&here_event);
    let view = Mapping::open(&name).unwrap().view().unwrap();
    child.process.terminate(1).unwrap();
    exit_code(&child);
    assert_eq!(view.read_to_vec(0, 11).unwrap(), b"left behind");
    view.write(0, b"still here!").unwrap();
    assert_eq!(view.read_to_vec(0, 11).unwrap(), b"still here!");
    assert_eq!(code(Mapping::open(&name)), 2);
}

fn create() -> u32 {
    let created = Mapping::create(&argument("NAME"), 1 << 20).unwrap();
    assert_eq!(created.object.size().unwrap(), PAGE);
    u32::from(created.existed)
}

/// M10, Y39: creating in a second process opens.
#[test]
fn a_second_process_that_creates_gets_the_same_section() {
    let _limit = limit();
    let name = unique("create");
    let _mapping = Mapping::create(&name, PAGE).unwrap();
    assert_eq!(role("create").with("NAME", &name).run(), 1);
}

fn write_file() -> u32 {
    let file = std::fs::OpenOptions::new().read(true).write(true).open(argument("FILE")).unwrap();
    let view = MappingOptions::of_file(&file, 0).create().unwrap().object.view().unwrap();
    view.write(5, b"stored").unwrap();
    ready();
    if argument("HOW") == "kill" { wait_to_be_killed() } else { 0 }
}

/// M27, M47: what was stored in a file's view reaches the file, however the process ends; and a section in
/// another process shows it before.
#[test]
fn a_files_view_survives_its_process() {
    let _limit = limit();
    for how in ["end", "kill"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [b'.'; 20]).unwrap();
        let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let ours = MappingOptions::of_file(&file, 0).create().unwrap().object.view().unwrap();
        let here = unique("ready");
        let here_event = named_event(&here);
        let child =
            role("write-file").with("FILE", path.display()).with("READY", &here).with("HOW", how).start();
        expect_signal(&here_event);
        assert_eq!(ours.read_to_vec(5, 6).unwrap(), b"stored");
        if how == "kill" {
            child.process.terminate(1).unwrap();
        }
        exit_code(&child);
        drop((ours, file));
        assert_eq!(std::fs::read(&path).unwrap(), b".....stored.........", "{how}");
    }
}

fn store_for_ever() -> u32 {
    let view = Mapping::open(&argument("NAME")).unwrap().view().unwrap();
    ready();
    for byte in (1..=255u8).cycle() {
        view.fill(0, view.len(), byte).unwrap();
    }
    0
}

/// M59: the bytes are what was stored so far, and the section is as good as before.
#[test]
fn killing_a_process_in_the_middle_of_a_store_leaves_the_bytes() {
    let _limit = limit();
    let (name, here) = (unique("store"), unique("ready"));
    let here_event = named_event(&here);
    let mapping = Mapping::create(&name, 1 << 20).unwrap().object;
    let view = mapping.view().unwrap();
    let child = role("store-for-ever").with("NAME", &name).with("READY", &here).start();
    expect_signal(&here_event);
    // At least one round has begun when the first byte has changed.
    while view.load_u8(0).unwrap() == 0 {
        std::thread::yield_now();
    }
    child.process.terminate(1).unwrap();
    exit_code(&child);
    let bytes = view.read_to_vec(0, view.len()).unwrap();
    assert_ne!(bytes[0], 0);
    assert_eq!(view.read_to_vec(0, view.len()).unwrap(), bytes, "nobody writes any more");
    view.fill(0, view.len(), 0).unwrap();
    assert_eq!(view.load_u64(0).unwrap(), 0);
}

fn map_address() -> u32 {
    let mapping = Mapping::open(&argument("NAME")).unwrap();
    // Whatever lies at the parent's address here, the view is somewhere else.
    let taken = Mapping::anonymous(PAGE).unwrap();
    let address = support::number("ADDRESS");
    let guard = ViewOptions::new().base(address).map(&taken);
    let view = mapping.view().unwrap();
    assert_ne!(view.as_ptr() as usize, address);
    drop(guard);
    view.load_u32(0).unwrap()
}

/// M56: the section is the same at another address.
#[test]
fn a_view_may_have_another_address_in_another_process() {
    let _limit = limit();
    let name = unique("address");
    let mapping = Mapping::create(&name, PAGE).unwrap().object;
    let view = mapping.view().unwrap();
    view.store_u32(0, 77).unwrap();
    let address = view.as_ptr() as usize;
    assert_eq!(role("map-address").with("NAME", &name).with("ADDRESS", address).run(), 77);
}

/// M1 between processes: what the opener asked for is what it has.
#[test]
fn rights_are_each_openers_own() {
    let _limit = limit();
    let name = unique("rights");
    let (here, leave) = (unique("ready"), unique("leave"));
    let (here_event, leave_event) = (named_event(&here), named_event(&leave));
    let mapping = Mapping::create(&name, PAGE).unwrap().object;
    let child = role("hold").with("NAME", &name).with("READY", &here).with("LEAVE", &leave).start();
    expect_signal(&here_event);
    drop(mapping);
    // Now it is the child's handle that the name leads to.
    let reads = Mapping::open_read_only(&name).unwrap();
    assert_eq!(code(reads.view()), 5);
    assert_eq!(code(ViewOptions::new().access(FILE_MAP_READ).map(&reads)), 0);
    let writes = MappingOptions::new(0).name(&name).access(FILE_MAP_WRITE).open().unwrap();
    assert_eq!(code(writes.view()), 0);
    assert_eq!(code(writes.view_read_only()), 5);
    leave_event.set().unwrap();
    assert!(wait::one(&child.process, PATIENCE).unwrap().is_signalled());
}
