//! How names come and go.

use super::*;
use crate::namespace::imp::hold::Hold;
use std::os::fd::AsRawFd as _;

/// M10, M42.
#[test]
fn creating_makes_opening_finds_and_creating_again_opens() {
    let _limit = limit();
    let scratch = Scratch::new();
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
    let made = scratch.create("x").unwrap();
    assert!(!made.existed);
    let opened = scratch.open("x").unwrap();
    assert!(opened.existed && same_memory(&made, &opened));
    let again = scratch.create("x").unwrap();
    assert!(again.existed && same_memory(&made, &again));
    assert_eq!(again.memory.facts.size, SIZE);
    assert_eq!(again.memory.facts.cookie, made.memory.facts.cookie);
}

/// M39: with the last holder, whichever that is, and not while another one lives.
#[test]
fn a_name_goes_with_its_last_holder() {
    let _limit = limit();
    let scratch = Scratch::new();
    let first = scratch.create("x").unwrap();
    let second = scratch.open("x").unwrap();
    drop(first.hold);
    let third = scratch.open("x").expect("the second still holds it");
    assert!(same_memory(&second, &third));
    drop((second.hold, third));
    assert_eq!(scratch.files(), [""; 0]);
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
}

/// M39: memory that lives on in views has nothing to do with a new object of that name.
#[test]
fn a_name_used_again_is_a_new_object() {
    let _limit = limit();
    let scratch = Scratch::new();
    let old = scratch.create("x").unwrap();
    let (memory, cookie) = (old.memory.fd, old.memory.facts.cookie);
    dirs::write_at(&memory, b"old", 0).unwrap();
    drop(old.hold);
    let new = scratch.create("x").unwrap();
    assert!(!new.existed);
    assert_ne!(new.memory.facts.cookie, cookie);
    let mut bytes = [1; 3];
    dirs::read_at(&new.memory.fd, &mut bytes, 0).unwrap();
    assert_eq!(bytes, [0; 3]);
}

/// M40: SIGKILL, at once and without anybody cleaning up.
#[test]
fn a_killed_holder_frees_the_name() {
    let _limit = limit();
    let scratch = Scratch::new();
    let peer = scratch.start("create", "x");
    let opened = scratch.open("x").expect("the peer holds it");
    drop(opened);
    peer.kill();
    assert_eq!(scratch.files(), ["x"], "nobody was there to remove the entry");
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
    assert_eq!(scratch.files(), [""; 0], "who met the dead entry removed it");

    scratch.start("create", "x").kill();
    assert!(!scratch.create("x").unwrap().existed, "the dead entry is no object");
}

/// M40: with other holders left, the object lives on, and is reached through them.
#[test]
fn a_killed_holder_leaves_the_name_to_the_others() {
    let _limit = limit();
    let scratch = Scratch::new();
    let creator = scratch.start("create", "x");
    let peer = scratch.start("open", "x");
    creator.kill();
    let opened = scratch.open("x").expect("the peer holds it");
    let again = scratch.create("x").unwrap();
    assert!(again.existed && same_memory(&opened, &again));
    drop((opened, again));
    peer.finish();
    assert_eq!(scratch.files(), [""; 0]);
}

/// M32: before rights are asked for, and only while the other kind's object lives.
#[test]
fn a_name_of_another_kind_is_an_invalid_handle() {
    let _limit = limit();
    let scratch = Scratch::new();
    let event = scratch.create_with("x", Kind::Event, &Security::nobody(), false).unwrap();
    assert_eq!(failure(scratch.open_with("x", Kind::Mapping, u32::MAX)), Code::INVALID_HANDLE);
    assert_eq!(failure(scratch.create("x")), Code::INVALID_HANDLE);
    assert!(scratch.open_with("x", Kind::Event, 0).is_ok());
    drop(event);
    assert!(!scratch.create("x").unwrap().existed);
}

/// M33.
#[test]
fn names_that_differ_in_case_are_two_objects() {
    let _limit = limit();
    let scratch = Scratch::new();
    let small = scratch.create("frames").unwrap();
    let capital = scratch.create("Frames").unwrap();
    assert!(!capital.existed && !same_memory(&small, &capital));
    assert_eq!(failure(scratch.open("FRAMES")), Code::FILE_NOT_FOUND);
}

/// M34, M35.
#[test]
fn local_and_unprefixed_are_one_name_and_global_is_another() {
    let _limit = limit();
    let scratch = Scratch::new();
    let plain = scratch.create("x").unwrap();
    assert!(same_memory(&plain, &scratch.open("Local\\x").unwrap()));
    assert_eq!(failure(scratch.open("Global\\x")), Code::FILE_NOT_FOUND);
    let global = scratch.create("Global\\x").unwrap();
    assert!(!global.existed && !same_memory(&plain, &global));
}

/// M36, M37: names of any length and with any characters; long ones share the start of their file's name.
#[test]
fn long_and_strange_names_are_names_like_others() {
    let _limit = limit();
    let scratch = Scratch::new();
    let long = "x".repeat(32767);
    let names = [long.as_str(), &long[1..], "../../etc", ".", " ", "a/b", "%2E", "x+y.mem", "ä🦀"];
    let objects: Vec<Opened> = names.iter().map(|name| scratch.create(name).unwrap()).collect();
    assert!(objects.iter().all(|object| !object.existed));
    for (name, object) in names.iter().zip(&objects) {
        assert!(same_memory(object, &scratch.open(name).unwrap()), "{name:.20}");
    }
    assert_eq!(scratch.files().len(), names.len());
    drop(objects);
    assert_eq!(scratch.files(), [""; 0]);
}

/// Two names may have the same hash and so the same file; the name inside tells them apart.
#[test]
fn the_file_of_another_name_is_not_this_name() {
    let _limit = limit();
    let scratch = Scratch::new();
    let _object = scratch.create("a").unwrap();
    std::fs::rename(scratch.path("a"), scratch.path("b")).unwrap();
    assert_eq!(failure(scratch.open("b")), Code::FILE_NOT_FOUND);
    assert_eq!(failure(scratch.create("b")), Code::FILE_CORRUPT);
    std::fs::remove_file(scratch.path("b")).unwrap();
}

/// M41: rights that the descriptor does not give are refused, those it gives are not.
#[test]
fn access_that_is_not_granted_is_denied() {
    let _limit = limit();
    let scratch = Scratch::new();
    let read = transom_core::access::SECTION_MAP_READ;
    let write = transom_core::access::SECTION_MAP_WRITE;
    let security = Security::from_masks(read, 0, 0);
    let _object = scratch.create_with("x", Kind::Mapping, &security, false).unwrap();
    assert!(scratch.open_with("x", Kind::Mapping, read).is_ok());
    assert_eq!(failure(scratch.open_with("x", Kind::Mapping, read | write)), Code::ACCESS_DENIED);
    assert_eq!(failure(scratch.create("x")), Code::ACCESS_DENIED);
}

/// A descriptor that names another user as owner cannot be had.
#[test]
fn a_foreign_owner_is_refused() {
    let _limit = limit();
    let scratch = Scratch::new();
    let foreign = Security::from_sddl("O:S-1-22-1-54321D:(A;;GA;;;WD)").unwrap();
    assert_eq!(failure(scratch.create_with("x", Kind::Mapping, &foreign, false)), Code::INVALID_OWNER);
}

#[test]
fn an_object_that_cannot_be_made_leaves_nothing_behind() {
    let _limit = limit();
    let scratch = Scratch::new();
    let name = parsed("x");
    for path in [false, true] {
        let request = request(&name, Kind::Mapping, 0);
        let result = scratch
            .namespace
            .create(&request, &Security::owner_only(), path, false, &mut |_, _| Err(Code::COMMITMENT_LIMIT));
        assert_eq!(failure(result), Code::COMMITMENT_LIMIT);
        assert_eq!(scratch.files(), [""; 0], "path backing: {path}");
    }
    assert!(!scratch.create("x").unwrap().existed);
}

/// What somebody leaves who dies between making the file and filling it.
#[test]
fn an_empty_entry_is_no_object_and_gets_filled() {
    let _limit = limit();
    let scratch = Scratch::new();
    drop(scratch.create("other").unwrap());
    std::fs::write(scratch.path("x"), b"").unwrap();
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
    let object = scratch.create("x").unwrap();
    assert!(!object.existed && same_memory(&object, &scratch.open("x").unwrap()));
}

/// The entry of a name whose file somebody removed is not the one that has the name now.
#[test]
fn a_hold_removes_no_entry_but_its_own() {
    let _limit = limit();
    let scratch = Scratch::new();
    let old = scratch.create("x").unwrap();
    std::fs::remove_file(scratch.path("x")).unwrap();
    let new = scratch.create("x").unwrap();
    assert!(!new.existed);
    drop(old);
    assert!(same_memory(&new, &scratch.open("x").expect("the new one is still there")));
}

#[test]
fn slots_that_were_given_up_are_used_again() {
    let _limit = limit();
    let scratch = Scratch::new();
    let _keep = scratch.create_path("x").unwrap();
    let many: Vec<Opened> = (0..100).map(|_| scratch.open("x").unwrap()).collect();
    let mut slots: Vec<u32> = many.iter().map(|opened| opened.hold.slot()).collect();
    slots.sort_unstable();
    assert_eq!(slots, (1..=100).collect::<Vec<u32>>());
    let size = contents(&scratch.path("x")).len();
    drop(many);
    for _ in 0..300 {
        assert_eq!(scratch.open("x").unwrap().hold.slot(), 1);
    }
    assert_eq!(contents(&scratch.path("x")).len(), size);
}

/// The slots of killed processes say something until somebody takes them, and the table must not grow for
/// ever.
#[test]
fn slots_of_the_dead_are_used_again() {
    let _limit = limit();
    let scratch = Scratch::new();
    let keep = scratch.create_path("x").unwrap();
    drop((0..20).map(|_| scratch.open("x").unwrap()).collect::<Vec<_>>());
    let table = Entry::parse(&contents(&scratch.path("x"))).unwrap().header.table_offset();
    let mut bytes = contents(&scratch.path("x"));
    for index in 1..=20 {
        let dead = Holder { process: 1, descriptor: 1, namespace: 1, access: 0, kept: (0, 0) };
        bytes[table + 64 * index..][..64].copy_from_slice(&dead.encode());
    }
    std::fs::write(scratch.path("x"), &bytes).unwrap();
    let taken = scratch.open("x").unwrap();
    assert!((1..=20).contains(&taken.hold.slot()), "slot {}", taken.hold.slot());
    assert!(same_memory(&keep, &taken));
}

/// A half-written slot is what a process leaves that dies while it writes: it has no lock, and its bytes are
/// no holder.
#[test]
fn a_half_written_slot_is_ignored() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create_path("x").unwrap();
    let mut bytes = contents(&scratch.path("x"));
    let whole = Holder { process: 77, descriptor: 5, namespace: 9, access: 1, kept: (0, 0) }.encode();
    bytes.extend_from_slice(&whole[..30]);
    std::fs::write(scratch.path("x"), &bytes).unwrap();
    let opened = scratch.open("x").unwrap();
    assert!(same_memory(&object, &opened));
    assert_eq!(opened.hold.slot(), 1);
    let after = contents(&scratch.path("x"));
    assert_eq!(Entry::parse(&after).unwrap().holders().count(), 2);
}

/// M39: who only visits leaves nothing in the entry, and is found when the maker has gone: closed or killed.
#[test]
fn a_visitor_is_found_when_the_maker_has_gone() {
    let _limit = limit();
    let scratch = Scratch::new();
    for kill in [false, true] {
        let peer = scratch.start("create", "x");
        let size = contents(&scratch.path("x")).len();
        let visitor = scratch.open("x").unwrap();
        assert_eq!(contents(&scratch.path("x")).len(), size);
        if kill {
            peer.kill()
        } else {
            peer.finish()
        }
        let opened = scratch.open("x").expect("the visitor holds it");
        assert!(same_memory(&visitor, &opened));
        let again = scratch.create("x").unwrap();
        assert!(again.existed && same_memory(&visitor, &again));
        let found = scratch.namespace.find("x").unwrap().expect("it exists");
        assert!(found.holders.iter().all(|holder| holder.process_id == std::process::id()), "{found:?}");
        drop((visitor, again, opened));
        assert_eq!(scratch.files(), [""; 0]);
    }
}

/// M39, M40: visitors in other processes, which are killed.
#[test]
fn a_killed_visitor_holds_nothing() {
    let _limit = limit();
    let scratch = Scratch::new();
    let made = scratch.create("x").unwrap();
    let (first, second) = (scratch.start("open", "x"), scratch.start("open", "x"));
    drop(made);
    first.kill();
    assert!(scratch.open("x").is_ok(), "the second has it");
    second.kill();
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
    assert!(!scratch.create("x").unwrap().existed);
}

/// An entry that was opened before is opened again without its folder; it must be the one that has the name now.
#[test]
fn an_entry_that_was_visited_before_is_not_taken_for_a_later_one() {
    let _limit = limit();
    let scratch = Scratch::new();
    let mut last = None;
    for round in 0..4 {
        let peer = scratch.start("create", "x");
        let opened = scratch.open("x").unwrap();
        assert_ne!(last.replace(opened.memory.facts.cookie), Some(opened.memory.facts.cookie));
        drop(opened);
        assert!(scratch.open("x").is_ok(), "visited again");
        match round {
            0 => peer.kill(),
            1 => peer.finish(),
            2 => {
                std::fs::remove_file(scratch.path("x")).unwrap();
                assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
                let new = scratch.create("x").unwrap();
                assert!(!new.existed && same_memory(&new, &scratch.open("x").unwrap()));
            }
            _ => {
                // Somebody has moved it away.
                std::fs::rename(scratch.path("x"), scratch.path("y")).unwrap();
                assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
            }
        }
        let _ = scratch.namespace.sweep();
    }
}

/// A file that is kept for the next entry is nobody's: not found, not listed, not swept away while its process lives.
#[test]
fn a_spare_file_is_no_name() {
    let _limit = limit();
    let scratch = Scratch::new();
    let all = || std::fs::read_dir(scratch.objects()).unwrap().count();
    drop(scratch.create("x").unwrap());
    assert_eq!((scratch.files().len(), all()), (0, 1));
    assert_eq!(scratch.namespace.list().unwrap(), []);
    assert_eq!(scratch.namespace.sweep(), Ok(0));
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
    let spare = std::fs::read_dir(scratch.objects()).unwrap().next().unwrap().unwrap().path();
    // A longer name and a shorter one, and slots of others in between.
    for name in ["a-name-that-is-longer-than-64-bytes-so-that-the-table-begins-later-in-the-file", "y", "x"] {
        let made = scratch.create(name).unwrap();
        assert!(!made.existed && spare.exists());
        let child = made.hold.for_child(1, -1).unwrap();
        assert!(same_memory(&made, &scratch.open(name).unwrap()));
        assert_eq!(Entry::parse(&contents(&scratch.path(name))).unwrap().holders().count(), 2);
        drop(child);
    }
    assert_eq!(all(), 1);
    // Somebody holds what was made in it: then it is a spare file no more.
    let made = scratch.create("x").unwrap();
    let peer = scratch.start("open", "x");
    drop(made);
    assert!(!spare.exists());
    assert!(scratch.open("x").is_ok());
    peer.finish();
    assert_eq!(scratch.files(), [""; 0]);
    // Removed under our feet, it is not missed.
    drop(scratch.create("x").unwrap());
    let spare = std::fs::read_dir(scratch.objects()).unwrap().next().unwrap().unwrap().path();
    std::fs::remove_file(spare).unwrap();
    assert!(!scratch.create("x").unwrap().existed);
    scratch.namespace.end();
    assert_eq!(all(), 0);
}

/// M40: of a killed process a spare file may stay, until somebody sweeps.
#[test]
fn a_spare_file_of_a_killed_process_is_swept_away() {
    let _limit = limit();
    let scratch = Scratch::new();
    scratch.start("create and close", "x").kill();
    assert_eq!(std::fs::read_dir(scratch.objects()).unwrap().count(), 1);
    assert_eq!(scratch.namespace.sweep(), Ok(1));
    assert_eq!(std::fs::read_dir(scratch.objects()).unwrap().count(), 0);
}

/// M56: a handle that a child is to inherit holds the name from before the child runs.
#[test]
fn a_slot_handed_over_keeps_the_name() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let child = object.hold.for_child(7, object.memory.fd.as_raw_fd()).unwrap();
    child.set_process(std::process::id());
    // What the child does with the descriptor that it has inherited.
    let inherited = child.fd().try_clone_to_owned().unwrap();
    let slot = child.slot();
    child.handed_over();
    drop(child);
    drop(object.hold);
    let adopted = Hold::adopt(inherited, slot).unwrap();
    assert_eq!(adopted.slot(), slot);
    let opened = scratch.open("x").expect("the adopted slot holds it");
    assert_eq!(fd::identity(&opened.memory.fd), fd::identity(&object.memory.fd));
    drop(opened);
    drop(adopted);
    assert_eq!(scratch.files(), [""; 0]);
}

#[test]
fn a_slot_that_was_not_handed_over_is_given_up() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let child = object.hold.for_child(7, -1).unwrap();
    let inherited = child.fd().try_clone_to_owned().unwrap();
    let slot = child.slot();
    drop(child);
    assert_eq!(failure(Hold::adopt(inherited, slot)), Code::INVALID_HANDLE);
    drop(object);
    assert_eq!(scratch.files(), [""; 0]);
}

/// Descriptors and slot numbers may come from another process.
#[test]
fn only_ones_own_slot_of_an_entry_can_be_adopted() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let open =
        || OwnedFd::from(std::fs::OpenOptions::new().read(true).write(true).open(scratch.path("x")).unwrap());
    assert_eq!(failure(Hold::adopt(open(), 0)), Code::INVALID_HANDLE, "somebody else's slot");
    assert_eq!(failure(Hold::adopt(open(), 1)), Code::INVALID_HANDLE, "no slot");
    assert_eq!(failure(Hold::adopt(open(), u32::MAX)), Code::INVALID_HANDLE, "no slot");
    assert_eq!(failure(Hold::adopt(sealed(), 0)), Code::INVALID_HANDLE, "no entry");
    let folder = OwnedFd::from(std::fs::File::open(scratch.objects()).unwrap());
    assert_eq!(failure(Hold::adopt(folder, 0)), Code::INVALID_HANDLE, "no file");
    assert_eq!(failure(Hold::join(sealed(), 1, -1)), Code::INVALID_HANDLE, "no entry");
    drop(object);
}

/// A handle duplicated out of another process brings the descriptor of the entry, and takes a slot by it.
#[test]
fn an_entry_can_be_joined_by_its_descriptor() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let entry = std::fs::OpenOptions::new().read(true).write(true).open(scratch.path("x")).unwrap();
    let joined = Hold::join(entry.into(), 7, object.memory.fd.as_raw_fd()).unwrap();
    assert_ne!(joined.slot(), object.hold.slot());
    drop(object.hold);
    assert!(scratch.open("x").is_ok(), "the joined slot holds it");
    drop(joined);
    assert_eq!(scratch.files(), [""; 0], "it knows where its entry lies");
}

/// Others reach the memory under the number that was said last.
#[test]
fn a_memory_descriptor_may_move() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let moved = fd::duplicate(&object.memory.fd).unwrap();
    let identity = fd::identity(&moved);
    drop(object.memory.fd);
    assert_eq!(failure(scratch.open("x")), Code::ACCESS_DENIED, "held, but out of reach");
    object.hold.set_memory_fd(moved.as_raw_fd());
    assert_eq!(fd::identity(scratch.open("x").unwrap().memory.fd), identity);
}

/// M39: a lock lives with the open file, also in a process that was forked from the holder.
#[test]
fn a_second_descriptor_of_the_entry_does_not_keep_the_name() {
    let _limit = limit();
    let scratch = Scratch::new();
    let first = scratch.create("x").unwrap();
    let second = scratch.open("x").unwrap();
    // As a child has it between fork and exec.
    let forked: OwnedFd = {
        let entry = format!("/proc/self/fd/{}", second.hold.raw_fd());
        assert_eq!(std::fs::read_link(entry).unwrap(), scratch.path("x"));
        transom_sys::linux::host::duplicate_number(second.hold.raw_fd()).unwrap()
    };
    drop(second);
    drop(first);
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
    assert_eq!(scratch.files(), [""; 0]);
    assert!(!lock::is_locked_from(sealed(), LOCKS).unwrap());
    drop(forked);
}
