//! What a container has or has not: a shared memory folder of 1 MiB, a read-only one, none; no /proc.
//!
//! A user and a mount namespace of its own is what an unprivileged container is made of.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, DuplicateOptions, FromHandle, Handle};
use transom::mapping::{Backing, Mapping, MappingOptions};
use transom::mutex::{Mutex, MutexOptions};
use transom::namespace::{self, Severity};
use transom::pipe;
use transom::process::Inherit;
use transom::semaphore::Semaphore;
use transom::wait::{self, Timeout, Wait};

use crate::support::{PATIENCE, ROLE, With, argument, code, exit_code, handle, limit, role, unique};

const MIB: u64 = 1 << 20;

/// Plays a role in a user and mount namespace of its own, after `script` has changed it; `None`, with a word why,
/// where that is not allowed.
fn contained(script: &str, role: impl AsRef<OsStr>) -> Option<i32> {
    let allowed = Command::new("unshare").args(["-Urm", "sh", "-c", script]).stdout(Stdio::null()).output();
    match allowed {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            eprintln!("skipped: no namespaces here: {}", String::from_utf8_lossy(&output.stderr).trim());
            return None;
        }
        Err(error) => {
            eprintln!("skipped: unshare(1): {error}");
            return None;
        }
    }
    let program = std::env::current_exe().unwrap();
    let status = Command::new("unshare")
        .args(["-Urm", "sh", "-c", &format!("{script} && exec \"$0\" \"$@\"")])
        .arg(&program)
        .args(["child_entry", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env("TRANSOM_TEST_PROGRAM", &program)
        .env_remove("TRANSOM_DIR")
        .status()
        .unwrap();
    Some(status.code().expect("nobody is killed, by SIGBUS least of all"))
}

/// The most severe finding of `transom doctor` whose message or subject contains `word`.
fn doctor(word: &str) -> Option<Severity> {
    let findings = namespace::examine();
    let about = |text: &str| text.contains(word);
    findings.iter().filter(|it| about(&it.subject) || about(&it.message)).map(|it| it.severity).max()
}

#[test]
fn large_sections_work_where_the_folder_for_shared_memory_is_small() {
    let _limit = limit();
    let code = contained("mount -t tmpfs -o size=1m tmpfs /dev/shm", "little-shared-memory");
    assert!(code.is_none_or(|code| code == 0), "{code:?}");
}

/// 256 MiB between two processes, in spite of 1 MiB of /dev/shm: the memory does not lie there. What is to lie there
/// is refused at once.
pub fn little_shared_memory() -> u32 {
    let name = unique("large");
    let mapping = Mapping::create(&name, 256 * MIB).unwrap().object;
    let view = mapping.view().unwrap();
    let child = role("last-byte").with("NAME", &name).start();
    assert_eq!(exit_code(&child), 0);
    assert_eq!(view.load_u8(256 * MIB as usize - 1).unwrap(), 0x5A);
    let by_path =
        |name: &str, size: u64| MappingOptions::new(size).name(name).backing(Backing::Path).create();
    for size in [2 * MIB, 256 * MIB] {
        assert_eq!(code(by_path(&format!("{name}-path"), size)), 112);
        assert_eq!(code(Mapping::open(&format!("{name}-path"))), 2, "nothing is left of it");
    }
    // As many as there is room for, each whole, and then none.
    let mut kept = Vec::new();
    let full = loop {
        match by_path(&format!("{name}-{}", kept.len()), 64 * 1024) {
            Ok(created) => kept.push(created.object),
            Err(error) => break error.code().value(),
        }
        assert!(kept.len() < 100);
    };
    assert_eq!(full, 112);
    assert!(kept.len() >= 5, "{}", kept.len());
    for mapping in &kept {
        mapping.view().unwrap().fill(0, 64 * 1024, 1).unwrap();
    }
    let mut names = Vec::new();
    let full = loop {
        match EventOptions::new().name(&format!("{name}-event-{}", names.len())).create() {
            Ok(created) => names.push(created.object),
            Err(error) => break error.code().value(),
        }
        assert!(names.len() < 10_000);
    };
    assert_eq!(full, 112, "no room for one more name");
    Event::new(true).unwrap().set().unwrap();
    drop((kept, names));
    assert_eq!(code(by_path(&name_again(&name), 512 * 1024)), 0, "the room is back");
    0
}

fn name_again(name: &str) -> String {
    format!("{name}-again")
}

pub fn last_byte() -> u32 {
    let view = Mapping::open(&argument("NAME")).unwrap().view().unwrap();
    view.store_u8(view.len() - 1, 0x5A).unwrap();
    0
}

#[test]
fn without_a_folder_for_shared_memory_names_give_an_error_and_the_rest_works() {
    let _limit = limit();
    let code = contained("mount -t tmpfs tmpfs /dev && : > /dev/null", "no-shared-memory");
    assert!(code.is_none_or(|code| code == 0), "{code:?}");
}

/// Objects without names, and what is inherited.
fn expect_unnamed_objects() {
    let event = Event::new(false).unwrap();
    let mutex = Mutex::new().unwrap();
    let semaphore = Semaphore::new(1, 1).unwrap();
    event.set().unwrap();
    assert_eq!(wait::all(&[&event, &mutex, &semaphore], PATIENCE).unwrap(), Wait::Object(0));
    mutex.release().unwrap();
    assert_eq!(wait::any(&[&event, &semaphore], Timeout::ZERO).unwrap(), Wait::Timeout);
    let view = Mapping::anonymous(3 * MIB).unwrap().view().unwrap();
    view.write(2 * MIB as usize, b"there").unwrap();
    let (reader, writer) = pipe::anonymous().unwrap();
    writer.pipe().send(b"x").unwrap();
    assert_eq!(reader.pipe().receive(&mut [0]).unwrap(), 1);
    let copy = event
        .as_handle()
        .duplicate(DuplicateOptions { inherit: true, ..DuplicateOptions::default() })
        .unwrap();
    let child = transom::process::Command::new(argument("PROGRAM"))
        .args(["child_entry", "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, "inherits-event")
        .with("HANDLE", copy.as_raw().value())
        .inherit(Inherit::List(vec![copy.as_raw()]))
        .spawn()
        .unwrap();
    assert_eq!(wait::any(&[&event, &child.process], PATIENCE).unwrap(), Wait::Object(0));
    assert_eq!(exit_code(&child), 0);
}

pub fn inherits_event() -> u32 {
    Event::from_handle(Handle::from_raw(handle("HANDLE")).unwrap()).unwrap().set().unwrap();
    0
}

pub fn no_shared_memory() -> u32 {
    for name in ["Local\\name", "Global\\name", "name"] {
        assert_eq!(code(EventOptions::new().name(name).create()), 3);
        assert_eq!(code(Mapping::create(name, 4096)), 3);
        assert_eq!(code(Event::open(name)), 3);
    }
    assert_eq!(doctor("/dev/shm"), Some(Severity::Problem));
    expect_unnamed_objects();
    0
}

#[test]
fn where_the_folder_for_shared_memory_cannot_be_written_names_are_denied() {
    let _limit = limit();
    let code = contained("mount -t tmpfs -o ro,size=1m tmpfs /dev/shm", "read-only-shared-memory");
    assert!(code.is_none_or(|code| code == 0), "{code:?}");
}

pub fn read_only_shared_memory() -> u32 {
    for name in ["Local\\name", "Global\\name", "name"] {
        assert_eq!(code(MutexOptions::new().name(name).create()), 5);
        assert_eq!(code(Event::open(name)), 5);
    }
    assert_eq!(doctor("/dev/shm"), Some(Severity::Problem));
    expect_unnamed_objects();
    0
}

#[test]
fn without_proc_unnamed_objects_work_and_named_ones_by_path() {
    let _limit = limit();
    let script = "mount -t tmpfs -o size=8m tmpfs /dev/shm && mount -t tmpfs tmpfs /proc";
    let code = contained(script, "no-proc");
    assert!(code.is_none_or(|code| code == 0), "{code:?}");
}

pub fn no_proc() -> u32 {
    assert!(std::fs::read_link("/proc/self/exe").is_err(), "the test needs /proc to be missing");
    expect_unnamed_objects();
    // A name can be made, but its memory is reached through /proc.
    let name = unique("unreachable");
    let event = EventOptions::new().name(&name).create().unwrap().object;
    event.set().unwrap();
    assert_eq!(code(Event::open(&name)), 5);
    assert_eq!(code(EventOptions::new().name(&name).create()), 5);
    drop(event);
    assert_eq!(code(Event::open(&name)), 2);
    // By path it is reached without.
    let name = unique("reachable");
    let create = || MappingOptions::new(MIB).name(&name).backing(Backing::Path).create().unwrap();
    let mapping = create().object;
    mapping.view().unwrap().write(0, b"by path").unwrap();
    assert!(create().existed);
    let opened = Mapping::open(&name).unwrap();
    assert_eq!(opened.view().unwrap().read_to_vec(0, 7).unwrap(), b"by path");
    drop((mapping, opened));
    assert_eq!(code(Mapping::open(&name)), 2);
    assert!(doctor("proc").is_some_and(|severity| severity > Severity::Fine));
    0
}
