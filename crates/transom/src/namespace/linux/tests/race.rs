//! Many at once on one name.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const THREADS: usize = 8;

/// Runs `body` in each of several threads at once.
fn at_once(body: impl Fn(usize) + Sync) {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let body = &body;
            scope.spawn(move || body(thread));
        }
    });
}

#[test]
fn creating_and_closing_one_name_at_once_never_fails_and_leaves_nothing() {
    let _limit = limit();
    let scratch = Scratch::new();
    let made = AtomicUsize::new(0);
    at_once(|_| {
        for _ in 0..2000 {
            let object = scratch.create("x").expect("creating always works");
            made.fetch_add(usize::from(!object.existed), Ordering::Relaxed);
        }
    });
    assert!(made.load(Ordering::Relaxed) > 0);
    assert_eq!(scratch.files(), [""; 0]);
}

#[test]
fn opening_while_others_create_and_close_finds_it_or_not() {
    let _limit = limit();
    let scratch = Scratch::new();
    drop(scratch.create("x").unwrap());
    at_once(|thread| {
        for _ in 0..1000 {
            if thread % 2 == 0 {
                drop(scratch.create_with("x", Kind::Mapping, &Security::owner_only(), thread == 0).unwrap());
            } else {
                match scratch.open("x") {
                    Ok(opened) => assert_eq!(opened.memory.facts.size, SIZE),
                    Err(code) => assert_eq!(code, Code::FILE_NOT_FOUND),
                }
            }
        }
    });
    assert_eq!(scratch.files(), [""; 0]);
}

/// While somebody holds the name throughout, everybody gets the same memory.
#[test]
fn a_name_that_is_held_is_one_object_for_all() {
    let _limit = limit();
    let scratch = Scratch::new();
    let object = scratch.create("x").unwrap();
    at_once(|thread| {
        for round in 0..500 {
            let opened = if (thread + round) % 2 == 0 { scratch.create("x") } else { scratch.open("x") };
            let opened = opened.expect("it is held");
            assert!(opened.existed);
            assert_eq!(opened.memory.facts.cookie, object.memory.facts.cookie);
            assert_eq!(fd::identity(&opened.memory.fd), fd::identity(&object.memory.fd));
        }
    });
    drop(object);
    assert_eq!(scratch.files(), [""; 0]);
}

/// Looking and sweeping disturb nobody.
#[test]
fn listing_and_sweeping_at_the_same_time_harm_nobody() {
    let _limit = limit();
    let scratch = Scratch::new();
    let _keep = scratch.create_path("kept").unwrap();
    at_once(|thread| {
        for _ in 0..300 {
            match thread {
                0 => assert!(scratch.namespace.sweep().is_ok()),
                1 => assert!(scratch.namespace.list().unwrap().iter().any(|object| object.name == "kept")),
                _ => {
                    let object =
                        scratch.create_with("x", Kind::Mapping, &Security::owner_only(), thread == 2);
                    drop(object.expect("creating always works"));
                }
            }
        }
    });
    assert_eq!(scratch.files().len(), 2);
}

/// The folders may be removed under everybody's feet.
#[test]
fn making_names_while_the_root_is_being_removed_never_fails() {
    let _limit = limit();
    let scratch = Scratch::new();
    at_once(|thread| {
        for _ in 0..200 {
            if thread == 0 {
                let _ = std::fs::remove_dir_all(scratch.base.path().join("local"));
            } else {
                drop(scratch.create("x").expect("the folders are made anew"));
            }
        }
    });
}

/// M40: killed at any instruction. Each time, the name is free for the next one.
#[test]
fn killing_processes_that_are_just_creating_leaves_names_usable() {
    let _limit = limit();
    let scratch = Scratch::new();
    for round in 0..30 {
        // Not waited for: killed wherever it happens to be, after a time that differs.
        let program = std::env::current_exe().unwrap();
        let mut command = Command::new(program);
        command.args(ENTRY).env(ROLE, "create path-backed").env(BASE, scratch.base.path()).env(ARGUMENT, "x");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        for _ in 0..round * 40 {
            match scratch.open("x") {
                Ok(_) | Err(Code::FILE_NOT_FOUND) => {}
                Err(code) => panic!("{code:?}"),
            }
        }
        child.kill().unwrap();
        // It may be ending still: it is alive or dead, and nothing between.
        match scratch.open("x") {
            Ok(_) | Err(Code::FILE_NOT_FOUND) => {}
            Err(code) => panic!("{code:?}"),
        }
        child.wait().unwrap();
        assert!(!scratch.create("x").unwrap().existed, "round {round}");
        let _ = scratch.namespace.sweep();
        assert_eq!(scratch.files(), [""; 0]);
    }
}
