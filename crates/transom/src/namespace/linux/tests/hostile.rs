//! Entries that somebody has damaged or forged, and things that were put where an entry belongs.

use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;

use proptest::prelude::*;
use transom_core::entry::{Header, flags};

use super::*;

#[test]
fn a_planted_symbolic_link_is_not_followed() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("real").unwrap();
    symlink(scratch.path("real"), scratch.path("link")).unwrap();
    symlink(scratch.base.path().join("nothing"), scratch.path("dangling")).unwrap();
    for name in ["link", "dangling"] {
        assert_eq!(failure(scratch.open(name)), Code::ACCESS_DENIED, "{name}");
        assert_eq!(failure(scratch.create(name)), Code::ACCESS_DENIED, "{name}");
    }
    assert!(!scratch.base.path().join("nothing").exists());
    drop(object);
}

#[test]
fn a_planted_folder_or_fifo_is_no_entry() {
    let _limit = limit();
    let scratch = Scratch::new();
    drop(scratch.create("x").unwrap());
    std::fs::create_dir(scratch.path("folder")).unwrap();
    let made =
        Command::new("mkfifo").arg(scratch.path("fifo")).status().expect("mkfifo is part of every system");
    assert!(made.success());
    for name in ["folder", "fifo"] {
        assert_eq!(failure(scratch.open(name)), Code::ACCESS_DENIED, "{name}");
        assert_eq!(failure(scratch.create(name)), Code::ACCESS_DENIED, "{name}");
    }
}

/// The user of the damaged name gets an error, everybody else nothing, and the next user the name.
#[test]
fn a_scribbled_entry_is_an_error_while_it_is_held_and_reused_afterwards() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let other = scratch.create("y").unwrap();
    std::fs::write(scratch.path("x"), [0xA5; 700]).unwrap();
    assert_eq!(failure(scratch.open("x")), Code::FILE_CORRUPT);
    assert_eq!(failure(scratch.create("x")), Code::FILE_CORRUPT);
    assert_eq!(failure(object.hold.for_child(1, -1)), Code::FILE_CORRUPT);
    assert!(same_memory(&other, &scratch.open("y").unwrap()));
    assert_eq!(scratch.namespace.sweep(), Ok(0), "it is held");
    drop(object);
    assert_eq!(scratch.files(), ["y"]);
    assert!(!scratch.create("x").unwrap().existed);
}

#[test]
fn a_scribbled_entry_that_nobody_holds_is_no_object() {
    let _limit = limit();
    let scratch = Scratch::new();
    drop(scratch.create("x").unwrap());
    for junk in [&b"junk"[..], &[0; 128], &[0xFF; 9000]] {
        std::fs::write(scratch.path("x"), junk).unwrap();
        assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
        std::fs::write(scratch.path("x"), junk).unwrap();
        let object = scratch.create("x").unwrap();
        assert!(!object.existed && same_memory(&object, &scratch.open("x").unwrap()));
    }
}

/// A file as long as disks are costs nothing but the answer.
#[test]
fn an_absurdly_long_entry_is_damaged() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(scratch.path("x")).unwrap();
    file.set_len(1 << 40).unwrap();
    assert_eq!(failure(scratch.open("x")), Code::FILE_CORRUPT);
    drop(object);
    assert_eq!(scratch.files(), [""; 0]);
}

/// Writes a whole entry with right checks, as only a forger would.
fn forge(path: &Path, change: impl FnOnce(&mut Header<'_>, &mut Holder)) {
    let bytes = contents(path);
    let entry = Entry::parse(&bytes).expect("an entry");
    let (mut header, (_, mut holder)) = (entry.header, entry.holders().next().expect("a holder"));
    change(&mut header, &mut holder);
    std::fs::write(path, header.encode(&holder).expect("a short name")).expect("to write the entry");
}

/// Nobody gets memory that is not the file the entry names.
#[test]
fn memory_of_another_identity_is_not_handed_out() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let decoy = sealed();
    forge(&scratch.path("x"), |_, holder| holder.descriptor = decoy.as_raw_fd());
    assert_eq!(failure(scratch.open("x")), Code::ACCESS_DENIED, "the decoy is another file");
    forge(&scratch.path("x"), |header, holder| {
        holder.descriptor = object.memory.fd.as_raw_fd();
        header.inode += 1;
    });
    assert_eq!(failure(scratch.open("x")), Code::ACCESS_DENIED, "no file is the one it names");
}

/// Memory whose size can change would be a trap for whoever maps it.
#[test]
fn memory_that_is_not_sealed_is_not_handed_out() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let trap = memfd::create("trap").unwrap();
    memfd::reserve(&trap, SIZE).unwrap();
    let (device, inode, _) = fd::identity(&trap).unwrap();
    forge(&scratch.path("x"), |header, holder| {
        (header.device, header.inode) = (device, inode);
        holder.descriptor = trap.as_raw_fd();
    });
    assert_eq!(failure(scratch.open("x")), Code::ACCESS_DENIED);
    drop(object);
}

/// A disk file cannot be sealed, and an entry that says so is believed: views guard themselves.
#[test]
fn memory_over_a_disk_file_needs_no_seals() {
    let _limit = limit();
    let scratch = Scratch::new();
    let disk = tempfile::tempfile().unwrap();
    disk.set_len(SIZE).unwrap();
    let name = parsed("x");
    let request = request(&name, Kind::Mapping, 0);
    let made =
        scratch.namespace.create(&request, &Security::owner_only(), false, false, &mut |place, cookie| {
            let mut memory = make(place, cookie, Kind::Mapping, &Security::owner_only())?;
            memory.fd = OwnedFd::from(disk.try_clone().unwrap());
            memory.facts.flags = flags::OVER_FILE;
            Ok(memory)
        });
    let (made, opened) = (made.unwrap(), scratch.open("x").unwrap());
    assert!(same_memory(&made, &opened));
    assert_eq!(opened.memory.facts.flags, flags::OVER_FILE);
}

/// Numbers of processes mean something only in the PID namespace they were counted in.
#[test]
fn holders_in_another_pid_namespace_are_out_of_reach() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    change_slots(&scratch.path("x"), |holder| Holder { namespace: holder.namespace + 1, ..holder });
    assert_eq!(failure(scratch.open("x")), Code::ACCESS_DENIED);
    drop(object);
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND, "their locks count all the same");
}

/// A process that has ended holds nothing, even if its number is still in a slot that somebody keeps locked.
#[test]
fn a_slot_of_a_process_that_is_gone_is_no_holder() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let peer = scratch.start("create", "y");
    let gone = peer.id();
    peer.kill();
    change_slots(&scratch.path("x"), |holder| Holder { process: gone, ..holder });
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
    assert_eq!(object.memory.facts.size, SIZE);
}

/// Slots that say nothing while their bytes are locked.
#[test]
fn a_wiped_table_is_an_error() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    let mut bytes = contents(&scratch.path("x"));
    let table = Entry::parse(&bytes).unwrap().header.table_offset();
    bytes[table..].fill(0);
    std::fs::write(scratch.path("x"), &bytes).unwrap();
    assert_eq!(failure(scratch.open("x")), Code::FILE_CORRUPT);
    drop(object);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever anybody writes into an entry: a documented error, or the very memory.
    #[test]
    fn damage_is_an_error_or_harmless(
        patches in proptest::collection::vec((0..320_usize, any::<u8>()), 1..6),
        cut in proptest::option::of(0..320_u64),
        forged in any::<bool>(),
    ) {
        let scratch = Scratch::new();
        let object = scratch.create("x").unwrap();
        let second = object.hold.for_child(7, object.memory.fd.as_raw_fd()).unwrap();
        second.set_process(std::process::id());
        let mut bytes = contents(&scratch.path("x"));
        prop_assert_eq!(bytes.len(), 320);
        for (at, byte) in &patches {
            bytes[*at] = *byte;
        }
        if forged {
            // Slots with right checks and wrong content.
            for slot in bytes[192..].chunks_exact_mut(64) {
                let word = |at: usize| u32::from_le_bytes(slot[at..at + 4].try_into().unwrap());
                let holder = Holder { process: word(8), descriptor: word(12) as i32, namespace: u64::from(word(16)), access: word(24), kept: (0, 0) };
                let encoded = holder.encode();
                slot.copy_from_slice(&encoded);
            }
        }
        std::fs::write(scratch.path("x"), &bytes).unwrap();
        if let Some(cut) = cut {
            std::fs::OpenOptions::new().write(true).open(scratch.path("x")).unwrap().set_len(cut).unwrap();
        }
        match scratch.open("x") {
            Ok(opened) => prop_assert!(same_memory(&object, &opened)),
            Err(code) => {
                let documented = [Code::FILE_NOT_FOUND, Code::ACCESS_DENIED, Code::INVALID_HANDLE, Code::FILE_CORRUPT];
                prop_assert!(documented.contains(&code), "{code:?}");
            }
        }
        let _ = scratch.namespace.list();
        let _ = scratch.namespace.sweep();
        drop((object, second));
        prop_assert!(!scratch.create("x").unwrap().existed);
        prop_assert!(scratch.files().is_empty());
    }
}
