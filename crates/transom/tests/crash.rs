//! Processes killed with SIGKILL, at random and at each step of each protocol: names are free, memory is
//! back, no waiter hangs, a mutex is abandoned once, and the next creation makes a new object.
//!
//! M40, H4, Y11, Y22, R28. Linux only: there SIGKILL can hit between any two instructions of ours; on Windows
//! the same steps are the kernel's.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::time::Duration;

use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, DuplicateOptions, FromHandle, Handle};
use transom::mapping::{Backing, Mapping, MappingOptions};
use transom::mutex::{Mutex, MutexOptions};
use transom::namespace;
use transom::process::{Child, Process};
use transom::semaphore::{Semaphore, SemaphoreOptions};
use transom::wait::{self, Timeout, Wait};

mod support;
use support::{PATIENCE, With, argument, code, eventually, limit, role, unique};

#[test]
fn child_entry() {
    support::child(&[
        ("everything", everything),
        ("everything-by-path", everything_by_path),
        ("worker", worker),
        ("bystander", bystander),
        ("take-two", take_two),
    ]);
}

/// One pass through every protocol, under names that the test knows.
fn everything() -> u32 {
    pass(Backing::Memory)
}

fn everything_by_path() -> u32 {
    pass(Backing::Path)
}

fn pass(backing: Backing) -> u32 {
    let name = argument("NAME");
    let ready = Event::open(&format!("{name}-ready")).unwrap();
    let mapping =
        MappingOptions::new(100_000).name(&format!("{name}-map")).backing(backing).create().unwrap().object;
    let view = mapping.view().unwrap();
    view.write(0, b"left behind").unwrap();
    let again = Mapping::open(&format!("{name}-map")).unwrap();
    // The survivor waits for these two.
    let event = EventOptions::new().name(&format!("{name}-event")).create().unwrap().object;
    let mutex = MutexOptions::new().name(&format!("{name}-mutex")).create().unwrap().object;
    let semaphore = SemaphoreOptions::new(0, 9).name(&format!("{name}-semaphore")).create().unwrap().object;
    come_and_go(&format!("{name}-short"), backing);
    {
        let _guard = mutex.lock().unwrap();
        ready.set().unwrap();
        pause(Duration::from_millis(2));
    }
    event.set().unwrap();
    semaphore.release(2).unwrap();
    wait::all(&[&semaphore, &mutex], PATIENCE).unwrap();
    mutex.release().unwrap();
    wait::any(&[&semaphore, &event], Timeout::ZERO).unwrap();
    let child = role("bystander").inheriting().spawn().unwrap();
    let copy = event.as_handle().duplicate_into(&child.process, DuplicateOptions::default());
    drop(copy);
    let _ = child.process.terminate(3);
    drop((view, again, mapping, event, semaphore));
    0
}

/// Names that are made, opened and left in each order: first by their makers, first by the others, and again in the
/// file that is kept from the time before.
fn come_and_go(name: &str, backing: Backing) {
    for maker_first in [true, false, false] {
        let made = MappingOptions::new(4096).name(name).backing(backing).create().unwrap();
        assert!(!made.existed);
        let opened = Mapping::open(name).unwrap();
        let again = Mapping::open(name).unwrap();
        drop(again);
        if maker_first {
            drop(made);
            drop(opened);
        } else {
            drop(opened);
            drop(made);
        }
    }
    // With a slot in the table, whatever the rest of this pass is about.
    let file = MappingOptions::new(4096).name(&format!("{name}-file")).backing(Backing::Path);
    let _file = file.create().unwrap();
    let _opened = Mapping::open(&format!("{name}-file")).unwrap();
}

/// A child that only waits to be ended.
fn bystander() -> u32 {
    let _ = wait::one(&Event::new(true).unwrap(), Timeout::millis(500));
    0
}

/// Takes a mutex together with an event, for ever again.
fn take_two() -> u32 {
    let name = argument("NAME");
    let mutex = Mutex::open(&format!("{name}-mutex")).unwrap();
    let event = Event::open(&format!("{name}-event")).unwrap();
    loop {
        if wait::all(&[&mutex, &event], PATIENCE).unwrap().is_signalled() {
            event.set().unwrap();
            mutex.release().unwrap();
        }
    }
}

/// Does everything, for ever, until it is killed.
fn worker() -> u32 {
    let name = argument("NAME");
    let mutex = Mutex::open(&format!("{name}-mutex")).unwrap();
    let semaphore = Semaphore::open(&format!("{name}-semaphore")).unwrap();
    let event = Event::open(&format!("{name}-event")).unwrap();
    for round in 0u64.. {
        let own = format!("{name}-own-{}", round % 3);
        let backing = if round % 2 == 0 { Backing::Memory } else { Backing::Path };
        if let Ok(created) = MappingOptions::new(65_536).name(&own).backing(backing).create() {
            let view = created.object.view().unwrap();
            view.write(128, &round.to_le_bytes()).unwrap();
        }
        if wait::one(&mutex, Timeout::millis(50)).is_ok_and(|wait| wait.is_signalled()) {
            mutex.release().unwrap();
        }
        let _ = semaphore.release(1);
        let _ = wait::any(&[&semaphore, &event], Timeout::ZERO);
        event.set().unwrap();
        if let Ok(Wait::Object(_) | Wait::Abandoned(_)) = wait::all(&[&event, &mutex], Timeout::millis(5)) {
            mutex.release().unwrap();
        }
    }
    0
}

/// Lets time pass where the time itself is the point: when a kill hits, and how long a dying process takes.
/// Nothing is synchronised by it.
#[allow(clippy::disallowed_methods)]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The names below `prefix` that exist.
fn names(prefix: &str) -> Vec<String> {
    let list = namespace::list().unwrap();
    list.into_iter().map(|object| object.name).filter(|name| name.starts_with(prefix)).collect()
}

/// Files in the namespace's folders whose names contain `part`, after a sweep.
fn files(part: &str) -> Vec<String> {
    while namespace::sweep().unwrap() > 0 {}
    let roots = match std::env::var_os("TRANSOM_DIR") {
        Some(dir) => {
            vec![std::path::Path::new(&dir).join("local"), std::path::Path::new(&dir).join("global")]
        }
        None => std::fs::read_dir("/dev/shm")
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("transom")))
            .collect(),
    };
    let mut found = Vec::new();
    for root in roots {
        for folder in ["objects", "process"] {
            for entry in std::fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.contains(part) {
                    found.push(name);
                }
            }
        }
    }
    found
}

/// Memory files of ours that any process still has open or mapped, by inode.
fn memory_files() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        if !process.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        for entry in std::fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten() {
            if let Ok(target) = std::fs::read_link(entry.path())
                && target.to_string_lossy().starts_with("/memfd:transom-mapping")
                && let Ok(data) = std::fs::metadata(entry.path())
            {
                use std::os::unix::fs::MetadataExt;
                found.insert(format!("{} {}", target.display(), data.ino()));
            }
        }
    }
    found
}

const STEPS: [&str; 32] = [
    "name-locked",
    "name-locked:2",
    "memory-made",
    "entry-written",
    "slot-taken",
    "slot-struck-out",
    "visitor-locked",
    "visitor-locked:3",
    "name-claimed",
    "name-claimed:2",
    "name-retired",
    "name-retired:2",
    "spare-written",
    "spare-named",
    "page-half-filled",
    "row-reserved",
    "row-freed",
    "child-forked",
    "child-recorded",
    "child-let-go",
    "row-reserved-in-target",
    "name-held-for-target",
    "handle-delivered",
    "mutex-taken",
    "mutex-linked",
    "mutex-unlinked",
    "word-changed",
    "about-to-set",
    "object-locked",
    "object-locked:2",
    "all-locked",
    "row-reserved:3",
];

/// A process killed at each step, while another waits for what it does.
fn killed_at(step: &str, entry: &str) {
    let name = unique("crash");
    let ready = EventOptions::new().name(&format!("{name}-ready")).create().unwrap().object;
    let event = EventOptions::new().name(&format!("{name}-event")).create().unwrap().object;
    let mutex = MutexOptions::new().name(&format!("{name}-mutex")).create().unwrap().object;
    let semaphore = SemaphoreOptions::new(0, 9).name(&format!("{name}-semaphore")).create().unwrap().object;
    let child = role(entry).with("NAME", &name).env("TRANSOM_KILL_AT", step).spawn().unwrap();
    // Waits while the other is killed: the end must come through, whatever else did.
    let _ = wait::any(&[&ready, &child.process], PATIENCE).unwrap();
    let owner = wait::any(&[&mutex, &child.process], PATIENCE).unwrap();
    assert_ne!(owner, Wait::Timeout, "{step}: nobody may wait for a dead owner");
    if matches!(owner, Wait::Object(0) | Wait::Abandoned(0)) {
        mutex.release().unwrap();
    }
    assert_eq!(wait::one(&child.process, PATIENCE).unwrap(), Wait::Object(0), "{step}");
    assert!(child.process.exit_code().unwrap().is_some());
    // Whatever it held is free now: one abandonment at the most, then an ordinary mutex (Y11).
    let first = wait::one(&mutex, PATIENCE).unwrap();
    assert!(first.is_signalled(), "{step}: the mutex is free");
    mutex.release().unwrap();
    assert_eq!(wait::one(&mutex, Timeout::ZERO).unwrap(), Wait::Object(0), "{step}: abandoned once");
    mutex.release().unwrap();
    // A signal is there or not, but the objects work.
    let _ = wait::one(&event, Timeout::ZERO).unwrap();
    event.set().unwrap();
    assert_eq!(wait::one(&event, PATIENCE).unwrap(), Wait::Object(0), "{step}");
    while wait::one(&semaphore, Timeout::ZERO).unwrap().is_signalled() {}
    assert_eq!(semaphore.release(9).unwrap(), 0, "{step}: the count is whole");
    assert_eq!(wait::all(&[&semaphore, &mutex], PATIENCE).unwrap(), Wait::Object(0), "{step}");
    mutex.release().unwrap();
    // Its own names are gone, and the next one makes new objects.
    eventually(2, step, || code(Mapping::open(&format!("{name}-map"))));
    let new = Mapping::create(&format!("{name}-map"), 4096).unwrap();
    assert!(!new.existed, "{step}");
    let mut bytes = [1; 11];
    new.object.view().unwrap().read(0, &mut bytes).unwrap();
    assert_eq!(bytes, [0; 11], "{step}: new memory is zero");
    drop((new, ready, event, mutex, semaphore, child));
    eventually(Vec::new(), step, || names(&name));
    eventually(Vec::new(), step, || files(&name));
}

#[test]
fn a_process_killed_at_any_step_leaves_nothing_behind() {
    let _limit = limit();
    for step in STEPS {
        killed_at(step, "everything");
    }
}

#[test]
fn a_process_killed_at_any_step_with_path_backing_leaves_nothing_behind() {
    let _limit = limit();
    for step in STEPS {
        killed_at(step, "everything-by-path");
    }
}

/// The steps are there: a kill that never happens would prove nothing.
#[test]
fn every_step_is_reached() {
    let _limit = limit();
    if !cfg!(debug_assertions) {
        eprintln!("skipped: the steps are compiled into builds with debug assertions only");
        return;
    }
    for step in STEPS {
        // Some steps need a sleeper at the right moment: a busy machine may take more than one try.
        let killed = (0..20).any(|_| ends_at(step) == 0xC000_0000 + 9);
        assert!(killed, "{step} was not reached");
    }
}

/// The exit code of a process that is to be killed at `step`, while this one waits for what it does.
fn ends_at(step: &str) -> u32 {
    let name = unique("step");
    let ready = EventOptions::new().name(&format!("{name}-ready")).create().unwrap().object;
    // Somebody sleeps, so that there is somebody to wake.
    let mutex = MutexOptions::new().name(&format!("{name}-mutex")).create().unwrap().object;
    let event = EventOptions::new().name(&format!("{name}-event")).create().unwrap().object;
    let child = role("everything").with("NAME", &name).env("TRANSOM_KILL_AT", step).spawn().unwrap();
    let _ = wait::any(&[&ready, &child.process], PATIENCE).unwrap();
    if wait::any(&[&mutex, &child.process], PATIENCE).unwrap() == Wait::Object(0) {
        mutex.release().unwrap();
    }
    let _ = wait::any(&[&event, &child.process], PATIENCE).unwrap();
    wait::one(&child.process, PATIENCE).unwrap();
    child.process.exit_code().unwrap().unwrap()
}

/// 200 rounds and more of processes killed at random moments, while others go on with the same objects.
#[test]
fn processes_killed_at_random_leave_nothing_behind() {
    let _limit = limit();
    let name = unique("random");
    let before = memory_files();
    {
        let mutex = MutexOptions::new().name(&format!("{name}-mutex")).create().unwrap().object;
        let semaphore =
            SemaphoreOptions::new(0, 1000).name(&format!("{name}-semaphore")).create().unwrap().object;
        let event = EventOptions::new().name(&format!("{name}-event")).create().unwrap().object;
        let mut random = 88_172_645_463_325_252u64;
        for round in 0..220 {
            let roles = if round % 3 == 0 { ["worker", "take-two"] } else { ["worker", "worker"] };
            let victims: Vec<_> =
                roles.iter().map(|it| role(it).with("NAME", &name).spawn().unwrap()).collect();
            for victim in &victims {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                pause(Duration::from_micros(random % 6_000));
                victim.process.terminate(9).unwrap();
            }
            for victim in &victims {
                assert_eq!(wait::one(&victim.process, PATIENCE).unwrap(), Wait::Object(0));
            }
            // Free or abandoned, never locked; and abandoned only once.
            assert!(
                wait::one(&mutex, PATIENCE).unwrap().is_signalled(),
                "round {round}: the mutex is locked"
            );
            mutex.release().unwrap();
            assert_eq!(wait::one(&mutex, Timeout::ZERO).unwrap(), Wait::Object(0), "round {round}");
            mutex.release().unwrap();
            event.set().unwrap();
            assert_eq!(wait::one(&event, PATIENCE).unwrap(), Wait::Object(0), "round {round}");
            assert!(
                semaphore.release(1).is_ok() || wait::one(&semaphore, Timeout::ZERO).unwrap().is_signalled()
            );
            let own = Mapping::create(&format!("{name}-own-0"), 4096).unwrap();
            assert!(!own.existed, "round {round}: a dead process's name is free");
        }
    }
    assert_eq!(names(&name), Vec::<String>::new());
    assert_eq!(files(&name), Vec::<String>::new());
    let left: Vec<_> = memory_files().difference(&before).cloned().collect();
    assert!(left.len() < 3, "memory that nobody should have: {left:?}");
}

/// Y11 for a process killed while it owns, with one waiter for it alone and one for it among others.
#[test]
fn every_waiter_for_a_killed_owners_mutex_gets_its_turn() {
    let _limit = limit();
    for _ in 0..20 {
        let name = unique("owner");
        let mutex = MutexOptions::new().name(&format!("{name}-mutex")).create().unwrap().object;
        let event = EventOptions::new().name(&format!("{name}-event")).initial(true).create().unwrap().object;
        let owner = role("take-two").with("NAME", &name).spawn().unwrap();
        let never = Event::new(true).unwrap();
        let outcomes: Vec<Wait> = std::thread::scope(|scope| {
            let (mutex, never) = (&mutex, &never);
            let threads: Vec<_> = (0..4)
                .map(|number| {
                    scope.spawn(move || {
                        let wait = if number % 2 == 0 {
                            wait::one(mutex, PATIENCE).unwrap()
                        } else {
                            match wait::any(&[never, mutex], PATIENCE).unwrap() {
                                Wait::Object(_) => Wait::Object(0),
                                Wait::Abandoned(_) => Wait::Abandoned(0),
                                Wait::Timeout => Wait::Timeout,
                            }
                        };
                        mutex.release().unwrap();
                        wait
                    })
                })
                .collect();
            owner.process.terminate(1).unwrap();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        drop(event);
        assert!(outcomes.iter().all(|outcome| outcome.is_signalled()), "{outcomes:?}");
        assert!(
            outcomes.iter().filter(|outcome| **outcome == Wait::Abandoned(0)).count() <= 1,
            "{outcomes:?}"
        );
    }
}

/// H34: a handle that waits in the inbox of a process keeps its name until that process ends.
#[test]
fn a_handle_on_its_way_to_a_killed_process_goes_with_it() {
    let _limit = limit();
    let name = unique("inbox");
    let event = EventOptions::new().name(&name).create().unwrap().object;
    let child: Child = role("bystander").spawn().unwrap();
    event.as_handle().duplicate_into(&child.process, DuplicateOptions::default()).unwrap();
    drop(event);
    assert_eq!(names(&name).len(), 1, "held by the process that has not looked yet");
    child.process.terminate(1).unwrap();
    wait::one(&child.process, PATIENCE).unwrap();
    eventually(Vec::<String>::new(), "it went with the process", || names(&name));
    assert_eq!(code(Event::open(&name)), 2);
}

/// A process opened by id is let go of like any other.
#[test]
fn an_opened_process_is_signalled_by_its_death() {
    let _limit = limit();
    let child = role("bystander").spawn().unwrap();
    let other = Process::open(child.process_id, transom::process::PROCESS_ALL_ACCESS, false).unwrap();
    let same: &Handle = other.as_handle();
    assert!(same.same_object(child.process.as_handle()));
    let _ = Process::from_raw(same.duplicate(DuplicateOptions::default()).unwrap().into_raw()).unwrap();
    child.process.terminate(77).unwrap();
    assert_eq!(wait::one(&other, PATIENCE).unwrap(), Wait::Object(0));
    assert_eq!(other.exit_code().unwrap(), Some(77));
}
