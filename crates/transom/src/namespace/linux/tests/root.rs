//! Where names lie, and which folders are too dangerous for them.

use std::fs::{Permissions, create_dir, create_dir_all, set_permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};

use transom_sys::linux::dirs::Status;
use transom_sys::linux::process;

use super::super::root::{Refusal, Root, check};
use super::*;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
}

fn make(path: &Path, mode: u32) {
    create_dir_all(path).expect("to make a folder");
    set_permissions(path, Permissions::from_mode(mode)).expect("to set its mode");
}

#[test]
fn the_usual_roots_lie_in_shared_memory() {
    let local = Root::of(Scope::Local, None, 1000);
    assert_eq!((local.path().as_path(), local.public), (Path::new("/dev/shm/transom-1000"), false));
    let global = Root::of(Scope::Global, None, 1000);
    assert_eq!((global.path().as_path(), global.public), (Path::new("/dev/shm/transom"), true));
}

#[test]
fn folders_are_made_on_demand_with_their_modes() {
    let _limit = limit();
    let scratch = Scratch::new();
    let (_local, _global) = (scratch.create("x").unwrap(), scratch.create("Global\\x").unwrap());
    let base = scratch.base.path();
    for folder in ["local", "local/objects"] {
        assert_eq!(mode(&base.join(folder)), 0o700, "{folder}");
    }
    for folder in ["global", "global/objects"] {
        assert_eq!(mode(&base.join(folder)), 0o1777, "{folder}");
    }
    if process::user() == 0 {
        assert_eq!(mode(&base.join("global/process")), 0o1777, "what the administrator makes is whole");
    }
}

/// Also the folder that the variable names is made, but not those above it.
#[test]
fn a_missing_base_is_made_and_a_missing_path_to_it_is_not() {
    let _limit = limit();
    let scratch = Scratch::new();
    let base = scratch.base.path().join("new");
    let namespace = Namespace::below(Some(base.as_os_str()));
    assert!(namespace.directory(Scope::Local, Folder::Objects).is_ok());
    assert_eq!(mode(&base), 0o700);
    let namespace = Namespace::below(Some(base.join("a/b").as_os_str()));
    assert_eq!(failure(namespace.directory(Scope::Local, Folder::Objects)), Code::PATH_NOT_FOUND);
}

#[test]
fn a_root_that_is_a_symbolic_link_is_refused() {
    let _limit = limit();
    for folder in ["local", "local/objects"] {
        let scratch = Scratch::new();
        let elsewhere = tempfile::tempdir().unwrap();
        set_permissions(elsewhere.path(), Permissions::from_mode(0o700)).unwrap();
        if folder == "local/objects" {
            make(&scratch.base.path().join("local"), 0o700);
        }
        symlink(elsewhere.path(), scratch.base.path().join(folder)).unwrap();
        assert_eq!(failure(scratch.create("x")), Code::ACCESS_DENIED, "{folder}");
        assert_eq!(failure(scratch.namespace.list()), Code::ACCESS_DENIED, "{folder}");
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
}

#[test]
fn a_private_folder_that_others_can_look_into_is_refused() {
    let _limit = limit();
    for loose in [0o755, 0o770, 0o701, 0o1777] {
        for folder in ["local", "local/objects"] {
            let scratch = Scratch::new();
            make(&scratch.base.path().join("local"), 0o700);
            make(&scratch.base.path().join(folder), loose);
            assert_eq!(failure(scratch.create("x")), Code::ACCESS_DENIED, "{folder} {loose:o}");
            assert_eq!(failure(scratch.open("x")), Code::ACCESS_DENIED, "{folder} {loose:o}");
        }
    }
}

#[test]
fn a_public_folder_without_the_sticky_bit_is_refused() {
    let _limit = limit();
    for loose in [0o777, 0o775, 0o757] {
        let scratch = Scratch::new();
        make(&scratch.base.path().join("global"), loose);
        assert_eq!(failure(scratch.create("Global\\x")), Code::ACCESS_DENIED, "{loose:o}");
    }
}

/// A mode that the umask, or the death of its maker, left too narrow is put right by the owner.
#[test]
fn a_public_folder_that_is_too_narrow_is_widened() {
    let _limit = limit();
    let scratch = Scratch::new();
    make(&scratch.base.path().join("global"), 0o755);
    let _object = scratch.create("Global\\x").unwrap();
    assert_eq!(mode(&scratch.base.path().join("global")), 0o1777);
}

#[test]
fn a_root_that_is_no_folder_is_refused() {
    let _limit = limit();
    let scratch = Scratch::new();
    std::fs::write(scratch.base.path().join("local"), b"").unwrap();
    assert_eq!(failure(scratch.create("x")), Code::ACCESS_DENIED);
}

/// Whose folder it may be: one's own; for Global also the administrator's.
#[test]
fn folders_of_other_users_are_refused() {
    let folder = |owner: u32, mode: u32| Status {
        device: 1,
        inode: 1,
        mode,
        owner,
        group: 0,
        size: 0,
        is_removed: false,
        is_file: false,
        is_folder: true,
    };
    assert_eq!(check(&folder(1000, 0o700), false, 1000), Ok(()));
    assert_eq!(check(&folder(1001, 0o700), false, 1000), Err(Refusal::Owner(1001)));
    assert_eq!(check(&folder(0, 0o700), false, 1000), Err(Refusal::Owner(0)));
    assert_eq!(check(&folder(1000, 0o1777), true, 1000), Ok(()));
    assert_eq!(check(&folder(0, 0o1777), true, 1000), Ok(()));
    assert_eq!(check(&folder(1001, 0o1777), true, 1000), Err(Refusal::Owner(1001)));
    assert_eq!(check(&folder(1001, 0o700), true, 0), Err(Refusal::Owner(1001)));
    let file = Status { is_folder: false, is_file: true, ..folder(1000, 0o700) };
    assert_eq!(check(&file, false, 1000), Err(Refusal::NotAFolder));
}

/// The same with a real folder, where this user can give one away.
#[test]
fn a_folder_given_to_another_user_is_refused() {
    let _limit = limit();
    let scratch = Scratch::new();
    let local = scratch.base.path().join("local");
    make(&local, 0o700);
    match std::os::unix::fs::chown(&local, Some(54321), None) {
        Ok(()) => assert_eq!(failure(scratch.create("x")), Code::ACCESS_DENIED),
        // Only the administrator can; everybody else's folder stays good.
        Err(_) => assert!(scratch.create("x").is_ok()),
    }
}

/// Names go on working when somebody tidies up; objects that exist go on, but their names are lost.
#[test]
fn a_removed_root_is_made_anew() {
    let _limit = limit();
    let scratch = Scratch::new();
    let old = scratch.create("x").unwrap();
    std::fs::remove_dir_all(scratch.base.path().join("local")).unwrap();
    assert_eq!(failure(scratch.open("x")), Code::FILE_NOT_FOUND);
    let new = scratch.create("x").unwrap();
    assert!(!new.existed);
    drop(old);
    assert!(same_memory(&new, &scratch.open("x").unwrap()));
    std::fs::remove_dir_all(scratch.base.path()).unwrap();
    assert!(!scratch.create("x").unwrap().existed);
}

/// A folder that has become unsafe is noticed although it is kept open.
#[test]
fn a_folder_is_checked_at_each_use() {
    let _limit = limit();
    let scratch = Scratch::new();
    let _object = scratch.create("x").unwrap();
    set_permissions(scratch.objects(), Permissions::from_mode(0o777)).unwrap();
    assert_eq!(failure(scratch.open("x")), Code::ACCESS_DENIED);
    set_permissions(scratch.objects(), Permissions::from_mode(0o700)).unwrap();
    assert!(scratch.open("x").is_ok());
}

/// Looking makes nothing.
#[test]
fn listing_and_sweeping_make_no_folders() {
    let _limit = limit();
    let scratch = Scratch::new();
    assert_eq!(scratch.namespace.list().unwrap(), []);
    assert_eq!(scratch.namespace.find("x").unwrap(), None);
    assert_eq!(scratch.namespace.sweep(), Ok(0));
    assert_eq!(std::fs::read_dir(scratch.base.path()).unwrap().count(), 0);
    create_dir(scratch.base.path().join("local")).unwrap();
}
