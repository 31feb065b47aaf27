//! Limits of a process (setrlimit): files, their size, address space.

use std::process::Command;

use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, DuplicateOptions, Handle};
use transom::mapping::{Backing, Mapping, MappingOptions, ViewOptions};
use transom::mutex::Mutex;
use transom::pipe;
use transom::process::{PROCESS_ALL_ACCESS, Process, current_id};
use transom::wait::{self, Timeout, Wait};

use crate::support::{
    HARMLESS, ROLE, With, argument, code, exit_code, expect_signal, handle as told, limit, number, role,
    set_end_of_file, unique,
};

const MIB: u64 = 1 << 20;

/// Plays a role under a limit that the shell sets.
fn limited(ulimit: &str, role: &str) -> i32 {
    // What it says goes into pipes, which have no such limits.
    let output = Command::new("sh")
        .args(["-c", &format!("{ulimit} && exec \"$0\" child_entry --exact --nocapture --test-threads=1")])
        .arg(std::env::current_exe().unwrap())
        .env(ROLE, role)
        .output()
        .unwrap();
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.code().unwrap_or_else(|| panic!("nobody is killed by a limit: {}", output.status))
}

/// RLIMIT_FSIZE: no SIGXFSZ, but 112. The shell counts in blocks of 512 bytes.
#[test]
fn a_limit_of_file_sizes_is_an_error_and_no_signal() {
    let _limit = limit();
    assert_eq!(limited("ulimit -f 20480", "small-files"), 0);
    assert_eq!(limited("ulimit -f 2048", "tiny-files"), 0);
    assert_eq!(limited("ulimit -f 0", "tiny-files"), 0);
}

pub fn small_files() -> u32 {
    let name = unique("small");
    assert_eq!(code(Mapping::anonymous(64 * MIB)), 112);
    assert_eq!(code(Mapping::create(&name, 64 * MIB)), 112);
    assert_eq!(code(MappingOptions::new(64 * MIB).name(&name).backing(Backing::Path).create()), 112);
    let file = tempfile::tempfile().unwrap();
    assert_eq!(code(MappingOptions::of_file(&file, 64 * MIB).create()), 112);
    assert_eq!(file.metadata().unwrap().len(), 0, "and the file is as it was");
    assert_eq!(set_end_of_file(&file, 64 * MIB), 112);
    // What stays below the limit works.
    assert_eq!(code(Mapping::anonymous(8 * MIB).unwrap().view().unwrap().fill(0, 8 << 20, 1)), 0);
    assert_eq!(code(MappingOptions::of_file(&file, 8 * MIB).create()), 0);
    let event = EventOptions::new().name(&name).create().unwrap().object;
    event.set().unwrap();
    assert_eq!(wait::one(&event, Timeout::ZERO).unwrap(), Wait::Object(0));
    0
}

/// Not even the process's own record, of 4.3 MiB, may be made: so there are no handles.
pub fn tiny_files() -> u32 {
    assert_eq!(code(Event::new(true)), 112);
    assert_eq!(code(Mapping::anonymous(MIB)), 112);
    assert_eq!(code(EventOptions::new().name(&unique("tiny")).create()), 112);
    assert_eq!(code(pipe::anonymous()), 112);
    0
}

/// RLIMIT_AS: the section exists, its view does not.
#[test]
fn a_limit_of_address_space_is_an_error() {
    let _limit = limit();
    assert_eq!(limited("ulimit -v 600000", "little-address-space"), 0);
}

pub fn little_address_space() -> u32 {
    let mapping = Mapping::anonymous(1024 * MIB).unwrap();
    assert_eq!(code(mapping.view()), 8);
    let small = ViewOptions::new().length(16 * MIB).map(&mapping).unwrap();
    small.fill(0, 16 << 20, 3).unwrap();
    let mut views = vec![small];
    let full = loop {
        match ViewOptions::new().length(16 * MIB).map(&mapping) {
            Ok(view) => views.push(view),
            Err(error) => break error.code().value(),
        }
        assert!(views.len() < 1000);
    };
    assert_eq!(full, 8);
    drop(views);
    assert_eq!(code(ViewOptions::new().length(64 * MIB).map(&mapping)), 0, "the room is back");
    0
}

/// RLIMIT_NOFILE: Windows programs hold thousands of handles, so the soft limit is raised when it is met.
#[test]
fn the_soft_limit_of_files_is_raised_when_it_is_met() {
    let _limit = limit();
    assert_eq!(limited("ulimit -Sn 40", "soft-limit-of-files"), 0);
}

pub fn soft_limit_of_files() -> u32 {
    let name = unique("many");
    let events: Vec<Event> = (0..300).map(|_| Event::new(true).unwrap()).collect();
    let named: Vec<_> = (0..300)
        .map(|at| EventOptions::new().name(&format!("{name}-{at}")).create().unwrap().object)
        .collect();
    let opened: Vec<_> = (0..300).map(|at| Event::open(&format!("{name}-{at}")).unwrap()).collect();
    let pipes: Vec<_> = (0..100).map(|_| pipe::anonymous().unwrap()).collect();
    let child = role("last-byte").suspended(true).spawn().unwrap();
    child.process.terminate(1).unwrap();
    assert!(events.len() + named.len() + opened.len() + pipes.len() == 1000);
    0
}

/// Wherever it is met: after each number of handles another call is the first that finds no room.
#[test]
fn the_soft_limit_of_files_is_raised_by_whichever_call_meets_it() {
    let _limit = limit();
    let name = unique("soft");
    let event = EventOptions::new().name(&name).create().unwrap().object;
    let _mapping = Mapping::create(&format!("{name}-map"), 4096).unwrap();
    let path = MappingOptions::new(4096).name(&format!("{name}-path")).backing(Backing::Path);
    let _path = path.create().unwrap();
    for soft in 10..70 {
        let child = transom::process::Command::new("/bin/sh")
            .args(["-c", "ulimit -Sn \"$1\" && exec \"$0\" child_entry --exact --nocapture --test-threads=1"])
            .arg(std::env::current_exe().unwrap())
            .arg(soft.to_string())
            .env(ROLE, "opens-everything")
            .with("NAME", &name)
            .with("TEST", std::process::id())
            .with("EVENT", event.as_handle().as_raw().value())
            .start();
        assert_eq!(exit_code(&child), 0, "a soft limit of {soft}");
    }
}

pub fn opens_everything() -> u32 {
    let name = argument("NAME");
    let test = Process::open(number("TEST") as u32, PROCESS_ALL_ACCESS, false).unwrap();
    let mut kept: Vec<Box<dyn std::any::Any>> = Vec::new();
    for round in 0..4 {
        kept.push(Box::new(Event::open(&name).unwrap()));
        kept.push(Box::new(Mapping::open(&format!("{name}-map")).unwrap().view().unwrap()));
        kept.push(Box::new(Mapping::open(&format!("{name}-path")).unwrap()));
        kept.push(Box::new(
            Handle::duplicate_from(&test, told("EVENT"), DuplicateOptions::default()).unwrap(),
        ));
        kept.push(Box::new(
            EventOptions::new().name(&format!("{name}-{round}-{}", current_id())).create().unwrap(),
        ));
        kept.push(Box::new(Event::open(&format!("{name}-{round}-{}", current_id())).unwrap()));
        let path = MappingOptions::new(4096).name(&format!("{name}-{round}-{}-path", current_id()));
        kept.push(Box::new(path.backing(Backing::Path).create().unwrap()));
        kept.push(Box::new(Mapping::anonymous(4096).unwrap()));
        kept.push(Box::new(pipe::anonymous().unwrap()));
        kept.push(Box::new(Process::open(number("TEST") as u32, PROCESS_ALL_ACCESS, false).unwrap()));
        assert!(transom::namespace::find(&name).unwrap().is_some(), "{round}");
        let given = Event::new(true).unwrap();
        let raw = given.as_handle().duplicate_into(&test, DuplicateOptions::default()).unwrap();
        transom::handle::close_in(&test, raw).unwrap();
        let child = transom::process::Command::new(HARMLESS).spawn().unwrap();
        expect_signal(&child.process);
        kept.push(Box::new(child));
    }
    0
}

/// And where the hard limit is met: 4, for every kind of handle, until others are closed.
#[test]
fn the_hard_limit_of_files_is_error_4_until_handles_are_closed() {
    let _limit = limit();
    assert_eq!(limited("ulimit -n 64", "hard-limit-of-files"), 0);
}

pub fn hard_limit_of_files() -> u32 {
    let name = unique("hard");
    let first = EventOptions::new().name(&name).create().unwrap().object;
    // One that is not opened before: the entry that was opened last is kept open.
    let unopened = format!("{name}-unopened");
    let _second = EventOptions::new().name(&unopened).create().unwrap().object;
    // Whatever is opened once and kept.
    let child = role("last-byte").suspended(true).spawn().unwrap();
    child.process.terminate(1).unwrap();
    // Ended before it is let go of: else it is let go of later, when nobody expects it.
    exit_code(&child);
    let own = Process::current();
    drop((Event::open(&name).unwrap(), pipe::anonymous().unwrap(), child));
    let before = std::fs::read_dir("/proc/self/fd").unwrap().count();
    for _ in 0..3 {
        let mut kept = Vec::new();
        let full = loop {
            match Event::new(true) {
                Ok(event) => kept.push(event),
                Err(error) => break error.code().value(),
            }
        };
        assert_eq!(full, 4);
        // One is left for looking around, which is not enough for any of these.
        kept.pop();
        let child = role("last-byte");
        for round in 0..2 {
            assert_eq!(code(pipe::anonymous()), 4, "{round}");
            assert_eq!(code(Event::open(&unopened)), 4, "{round}");
            assert_eq!(code(EventOptions::new().name(&format!("{name}-new")).create()), 4, "{round}");
            assert_eq!(code(child.spawn()), 4, "{round}");
        }
        assert_eq!(
            code(first.as_handle().duplicate_into(&own, DuplicateOptions::default())),
            0,
            "needs none"
        );
        assert_eq!(code(Event::new(true).map(|event| kept.push(event))), 0);
        assert_eq!(code(Mutex::new()), 4);
        assert_eq!(code(Mapping::anonymous(4096)), 4);
        first.set().unwrap();
        assert_eq!(wait::one(&first, Timeout::ZERO).unwrap(), Wait::Object(0));
        drop(kept);
        assert_eq!(code(pipe::anonymous()), 0);
        assert_eq!(code(Event::open(&name)), 0);
        assert_eq!(code(Event::open(&format!("{name}-new"))), 2, "nothing is left of it");
        assert!(std::fs::read_dir("/proc/self/fd").unwrap().count() <= before + 1, "descriptors were lost");
    }
    0
}
