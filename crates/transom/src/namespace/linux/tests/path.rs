//! Path backing: the memory is a file beside the entry, for whom /proc cannot serve.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;

use transom_core::access::{SECTION_MAP_READ, SECTION_MAP_WRITE};
use transom_sys::linux::process;

use super::*;

/// The memory's file of a local name.
fn memory_file(scratch: &Scratch, name: &str) -> PathBuf {
    let start = format!("{}+", parsed(name).file_name());
    let files = scratch.files();
    let file = files.iter().find(|file| file.starts_with(&start)).expect("a memory file");
    scratch.objects().join(file)
}

#[test]
fn the_memory_lies_beside_the_entry_and_goes_with_the_last_holder() {
    let _limit = limit();
    let scratch = Scratch::new();
    let made = scratch.create_path("x").unwrap();
    assert_eq!(scratch.files().len(), 2);
    let mode = std::fs::metadata(memory_file(&scratch, "x")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    let opened = scratch.open("x").unwrap();
    assert!(same_memory(&made, &opened));
    assert!(opened.memory.facts.backing_path && made.memory.facts.backing_path);
    assert_eq!(std::fs::metadata(memory_file(&scratch, "x")).unwrap().len(), SIZE);
    drop(made);
    assert_eq!(scratch.files().len(), 2);
    drop(opened);
    assert_eq!(scratch.files(), [""; 0]);
}

/// A second creator's wish for a backing does not count (M10).
#[test]
fn an_existing_object_keeps_its_backing() {
    let _limit = limit();
    let scratch = Scratch::new();
    let _anonymous = scratch.create("x").unwrap();
    let again = scratch.create_path("x").unwrap();
    assert!(again.existed && !again.memory.facts.backing_path);
    assert_eq!(scratch.files(), ["x"]);
}

/// M40.
#[test]
fn memory_of_a_killed_holder_goes_with_its_entry() {
    let _limit = limit();
    let scratch = Scratch::new();
    scratch.start("create path-backed", "x").kill();
    assert_eq!(scratch.files().len(), 2);
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
    assert_eq!(scratch.files(), [""; 0]);

    scratch.start("create path-backed", "x").kill();
    assert!(!scratch.create_path("x").unwrap().existed);
    assert_eq!(scratch.files(), [""; 0]);
}

/// What /proc cannot give, the file can.
#[test]
fn holders_out_of_reach_do_not_matter() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create_path("x").unwrap();
    change_slots(&scratch.path("x"), |holder| Holder { namespace: holder.namespace + 1, ..holder });
    assert!(same_memory(&object, &scratch.open("x").unwrap()));
}

/// And the other way round: a file that was removed or replaced is still to be had from its holders.
#[test]
fn a_memory_file_that_was_replaced_is_not_taken() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create_path("x").unwrap();
    let file = memory_file(&scratch, "x");
    std::fs::remove_file(&file).unwrap();
    assert!(same_memory(&object, &scratch.open("x").unwrap()), "removed");
    std::fs::write(&file, [1; SIZE as usize]).unwrap();
    assert!(same_memory(&object, &scratch.open("x").unwrap()), "another file");
    std::fs::remove_file(&file).unwrap();
    symlink(scratch.path("x"), &file).unwrap();
    assert!(same_memory(&object, &scratch.open("x").unwrap()), "a link");
    change_slots(&scratch.path("x"), |holder| Holder { namespace: holder.namespace + 1, ..holder });
    assert_eq!(failure(scratch.open("x")), Code::ACCESS_DENIED, "neither way");
    drop(object);
    assert_eq!(scratch.files(), [""; 0]);
}

/// Memory that no entry tells of: its maker died before the entry was written, or the entry was damaged.
#[test]
fn stray_memory_is_swept_away_and_used_memory_is_not() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create_path("x").unwrap();
    let cookie = "0123456789abcdef0123456789abcdef";
    for stray in [format!("x+{cookie}.mem"), format!("gone+{cookie}.mem")] {
        std::fs::write(scratch.objects().join(stray), [0; 4096]).unwrap();
    }
    assert_eq!(scratch.files().len(), 4);
    assert_eq!(scratch.namespace.sweep(), Ok(0), "strays are no names");
    assert_eq!(scratch.files().len(), 2);
    assert!(same_memory(&object, &scratch.open("x").unwrap()));

    // Of an object whose entry is damaged nobody knows whose memory is whose.
    std::fs::write(scratch.path("x"), b"junk").unwrap();
    assert_eq!(scratch.namespace.sweep(), Ok(0));
    assert_eq!(scratch.files().len(), 2);
    drop(object);
    assert_eq!(scratch.files(), [""; 0]);
}

/// Opens the name for reading, then for writing, and says what came of each.
pub(super) fn role_try() -> u32 {
    let (namespace, name) = scratch_of_test();
    let name = parsed(&name);
    let attempt = |access: u32| {
        let result = namespace.0.open(&request(&name, Kind::Mapping, access));
        result.map(|opened| dirs::write_at(&opened.memory.fd, b"w", 0).is_ok())
    };
    say("ready");
    say(&format!("{:?} {:?}", attempt(SECTION_MAP_READ), attempt(SECTION_MAP_WRITE)));
    wait_for_test();
    0
}

/// What another user gets under a name: for the administrator, who alone can play other users. Everybody
/// else's run still checks the modes that come to the same.
fn other_user_gets(security: &Security, path: bool) -> String {
    const OTHER: u32 = 54321;
    let scratch = Scratch::new();
    std::fs::set_permissions(scratch.base.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let object = scratch.create_with("Global\\x", Kind::Mapping, security, path).unwrap();
    // By this name it starts although it may lie where other users cannot look.
    let mut command = Command::new("/proc/self/exe");
    command.args(ENTRY).uid(OTHER).gid(OTHER);
    let mut peer = start(&mut command, scratch.base.path(), "try", "Global\\x");
    let answer = peer.answer();
    peer.finish();
    drop(object);
    answer
}

/// M41: by default the creating user alone.
#[test]
fn other_users_are_kept_out_by_default() {
    let _limit = limit();
    if process::user() == 0 {
        assert_eq!(
            other_user_gets(&Security::owner_only(), true),
            "Err(ERROR_ACCESS_DENIED) Err(ERROR_ACCESS_DENIED)"
        );
    }
    let scratch = Scratch::new();
    let _object = scratch.create_path("x").unwrap();
    assert_eq!(std::fs::metadata(scratch.path("x")).unwrap().permissions().mode() & 0o777, 0o600);
}

/// M41: a NULL DACL is everyone; memory without a path stays out of other users' reach all the same.
#[test]
fn other_users_are_let_in_as_the_descriptor_says() {
    let _limit = limit();
    if process::user() == 0 {
        assert_eq!(other_user_gets(&Security::everyone(), true), "Ok(true) Ok(true)");
        let denied = "Err(ERROR_ACCESS_DENIED) Err(ERROR_ACCESS_DENIED)";
        assert_eq!(other_user_gets(&Security::everyone(), false), denied);
    }
    let scratch = Scratch::new();
    let _object = scratch.create_with("x", Kind::Mapping, &Security::everyone(), true).unwrap();
    for file in [scratch.path("x"), memory_file(&scratch, "x")] {
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o666);
    }
}

/// M41: who may only read gets a descriptor that cannot write, which no trick in the entry changes.
#[test]
fn readers_cannot_write_the_memory() {
    let _limit = limit();
    let all = Kind::Mapping.all_access();
    let security = Security::from_masks(all, 0, SECTION_MAP_READ);
    if process::user() == 0 {
        assert_eq!(other_user_gets(&security, true), "Ok(false) Err(ERROR_ACCESS_DENIED)");
    }
    let scratch = Scratch::new();
    let _object = scratch.create_with("x", Kind::Mapping, &security, true).unwrap();
    let mode = |file: PathBuf| std::fs::metadata(file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(scratch.path("x")), 0o606, "a reader takes a slot too");
    assert_eq!(mode(memory_file(&scratch, "x")), 0o604);
}

/// A descriptor for reading only is that, whatever the caller might do.
#[test]
fn memory_opened_for_reading_only_cannot_be_written() {
    let _limit = limit();
    let scratch = Scratch::new();
    for path in [false, true] {
        let name = if path { "path" } else { "anonymous" };
        let _object = scratch.create_with(name, Kind::Mapping, &Security::owner_only(), path).unwrap();
        let name = parsed(name);
        let request = Request { for_reading_only: true, ..request(&name, Kind::Mapping, 0) };
        let opened = scratch.namespace.open(&request).unwrap();
        assert_eq!(fd::access_mode(&opened.memory.fd), Ok((true, false)), "path backing: {path}");
    }
}
