//! Files that a peer cuts short under views and under synchronisation objects: safe accesses fail with 1006, the
//! process lives, and a SIGBUS that has nothing to do with it goes where it went before.
//!
//! # Safety
//! A slice over a view is read while nobody writes there any more.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::Write;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use transom::event::{Event, EventOptions};
use transom::mapping::{Backing, FILE_MAP_COPY, FILE_MAP_READ, Mapping, MappingOptions, View, ViewOptions};
use transom::mutex::{Mutex, MutexOptions};
use transom::semaphore::{Semaphore, SemaphoreOptions};
use transom::wait::{self, Timeout, Wait};
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::memfd;

use crate::peer::{memory_path, objects};
use crate::support::{
    PATIENCE, With, argument, code, exit_code, expect_signal, limit, named_event, role, unique,
};

const SIZE: usize = 1 << 20;

fn by_path(name: &str) -> Mapping {
    MappingOptions::new(SIZE as u64).name(name).backing(Backing::Path).create().unwrap().object
}

/// What every safe access of a view that was cut short answers.
fn expect_broken(view: &View) {
    let at = view.len() - 8;
    assert_eq!(code(view.read(at, &mut [0; 8])), 1006);
    assert_eq!(code(view.read_to_vec(0, view.len())), 1006);
    assert_eq!(code(view.read_value::<u64>(at)), 1006);
    if view.is_writable() {
        assert_eq!(code(view.write(at, b"lost")), 1006);
        assert_eq!(code(view.fill(at, 8, 7)), 1006);
        assert_eq!(code(view.write_value(at, &1u64)), 1006);
    }
    assert!(!view.is_intact());
    assert!(view.load_u64(at).is_ok(), "a word is one access: what it reads is what there is");
}

#[test]
fn a_view_of_path_backed_memory_that_was_cut_short_gives_1006() {
    let _limit = limit();
    let name = unique("cut");
    let mapping = by_path(&name);
    let views = [
        mapping.view().unwrap(),
        ViewOptions::new().access(FILE_MAP_READ).map(&mapping).unwrap(),
        ViewOptions::new().access(FILE_MAP_COPY).map(&mapping).unwrap(),
        ViewOptions::new().offset(65_536).map(&mapping).unwrap(),
    ];
    let other = by_path(&format!("{name}-other"));
    let unharmed = other.view().unwrap();
    unharmed.write(9, b"whole").unwrap();
    let file = File::options().write(true).open(memory_path(&name)).unwrap();
    file.set_len(0).unwrap();
    for view in &views {
        expect_broken(view);
    }
    // Made longer again, it is other memory: what was broken stays so.
    file.set_len(SIZE as u64).unwrap();
    for view in &views {
        expect_broken(view);
    }
    file.set_len(100).unwrap();
    assert_eq!(code(mapping.view()), 1006, "refused now rather than met later");
    assert_eq!(unharmed.read_to_vec(9, 5).unwrap(), b"whole");
    assert!(unharmed.is_intact());
    drop(views);
    assert_eq!(code(other.view()), 0);
}

/// What lies before the cut is there until somebody looks behind it.
#[test]
fn what_lies_before_the_cut_can_be_read() {
    let _limit = limit();
    let name = unique("part");
    let mapping = by_path(&name);
    let view = mapping.view().unwrap();
    view.write(100, b"before").unwrap();
    File::options().write(true).open(memory_path(&name)).unwrap().set_len(8192).unwrap();
    assert_eq!(view.read_to_vec(100, 6).unwrap(), b"before");
    assert!(view.is_intact());
    assert_eq!(code(view.read(20_000, &mut [0])), 1006);
    assert_eq!(code(view.read(100, &mut [0])), 1006, "from now on nothing of it is trusted");
    // SAFETY: the view is this thread's alone, and so is the memory that replaced the file's.
    let bytes = unsafe { view.as_slice() };
    assert_eq!(&bytes[100..106], b"before");
    assert!(bytes[8192..].iter().all(|byte| *byte == 0), "zeroes behind the cut");
}

#[test]
fn a_view_of_a_disk_file_that_was_cut_short_gives_1006() {
    let _limit = limit();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&vec![0xA5; SIZE]).unwrap();
    let mapping = MappingOptions::of_file(file.as_file(), 0).create().unwrap().object;
    let (view, second) = (mapping.view().unwrap(), mapping.view().unwrap());
    assert_eq!(view.load_u8(SIZE - 1).unwrap(), 0xA5);
    // By other means than this library's, which would refuse (M50).
    file.as_file().set_len(4096).unwrap();
    expect_broken(&view);
    expect_broken(&second);
    let _ = view.flush(0, 0);
    drop((view, second));
    let again = mapping.view().unwrap();
    assert_eq!(code(again.read(4096, &mut [0])), 1006);
}

/// Cuts, and many threads that meet it at the same moment: each access is right or 1006.
#[test]
fn many_threads_may_meet_the_cut_at_once() {
    let _limit = limit();
    for round in 0..10 {
        let name = unique("many");
        let mapping = by_path(&name);
        let view = mapping.view().unwrap();
        view.fill(0, SIZE, 0xEE).unwrap();
        let file = File::options().write(true).open(memory_path(&name)).unwrap();
        let begun = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (view, begun) = (&view, &begun);
                scope.spawn(move || {
                    let mut at = thread * 97 * 4096;
                    loop {
                        at = (at + 37 * 4096) % SIZE;
                        let mut bytes = [0; 64];
                        match code(view.read(at, &mut bytes)) {
                            0 => assert_eq!(bytes, [0xEE; 64], "zeroes that were never there"),
                            1006 => return,
                            other => panic!("{other}"),
                        }
                        begun.store(true, Ordering::Relaxed);
                    }
                });
            }
            while !begun.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            // Between two pages: within its last page a file that was cut has zeroes, and no system tells.
            file.set_len(if round % 2 == 0 { 0 } else { SIZE as u64 / 2 }).unwrap();
        });
        assert!(!view.is_intact());
    }
}

/// A large view, of which every page is met by itself and in no order: that needs no more of the system than one.
#[test]
fn a_large_view_that_was_cut_short_can_be_met_everywhere() {
    let _limit = limit();
    const LARGE: usize = 512 << 20;
    let file = tempfile::tempfile().unwrap();
    file.set_len(LARGE as u64).unwrap();
    let mapping = MappingOptions::of_file(&file, 0).create().unwrap().object;
    let view = mapping.view_read_only().unwrap();
    file.set_len(0).unwrap();
    let pages = LARGE / 4096;
    for step in 0..pages {
        // Backwards, so that each page lies before all that were met.
        assert_eq!(view.load_u8((pages - 1 - step) * 4096).unwrap(), 0);
    }
    assert!(!view.is_intact());
}

/// Another process with the same view, and one with path-backed events, mutexes and semaphores.
pub fn viewer() -> u32 {
    let name = argument("NAME");
    let view = Mapping::open(&format!("{name}-map")).unwrap().view().unwrap();
    let event = EventOptions::new().name(&format!("{name}-event")).create().unwrap().object;
    let mutex = MutexOptions::new().name(&format!("{name}-mutex")).create().unwrap().object;
    let semaphore = SemaphoreOptions::new(1, 9).name(&format!("{name}-semaphore")).create().unwrap().object;
    let own = MutexOptions::new().name(&format!("{name}-own")).create().unwrap().object;
    // Owned while it is cut, between others.
    assert_eq!(wait::one(&own, Timeout::ZERO).unwrap(), Wait::Object(0));
    assert_eq!(wait::one(&mutex, Timeout::ZERO).unwrap(), Wait::Object(0));
    Event::open(&format!("{name}-ready")).unwrap().set().unwrap();
    expect_signal(&Event::open(&format!("{name}-go")).unwrap());
    expect_broken(&view);
    let moment = Timeout::millis(20);
    for _ in 0..2 {
        assert_eq!(code(event.set()), 1006);
        assert_eq!(code(event.reset()), 1006);
        assert_eq!(code(wait::one(&event, moment)), 1006);
        assert_eq!(code(semaphore.release(1)), 1006);
        assert_eq!(code(wait::one(&semaphore, moment)), 1006);
        assert_eq!(code(mutex.release()), 1006);
        assert_eq!(code(wait::one(&mutex, moment)), 1006);
        assert_eq!(code(wait::any(&[&own, &event], moment)), 1006);
        assert_eq!(code(wait::all(&[&own, &event], moment)), 1006);
    }
    let plain = (Event::new(false).unwrap(), Mutex::new().unwrap(), Semaphore::new(0, 1).unwrap());
    plain.0.set().unwrap();
    assert_eq!(wait::all(&[&plain.0, &plain.1], moment).unwrap(), Wait::Object(0));
    plain.1.release().unwrap();
    assert_eq!(wait::one(&plain.2, Timeout::ZERO).unwrap(), Wait::Timeout);
    Event::open(&format!("{name}-ready")).unwrap().set().unwrap();
    crate::support::wait_to_be_killed()
}

#[test]
fn objects_in_files_that_were_cut_short_give_1006_and_their_users_live() {
    let _limit = limit();
    let name = unique("objects");
    let event = |what: &str| EventOptions::new().name(&format!("{name}-{what}")).create().unwrap().object;
    let (ready, go) = (event("ready"), event("go"));
    let mapping = by_path(&format!("{name}-map"));
    let child = role("viewer").with("NAME", &name).env("TRANSOM_BACKING", "path").start();
    let expect_ready = || {
        let woken = wait::any(&[&ready, &child.process], PATIENCE).unwrap();
        assert_eq!(woken, Wait::Object(0), "the process lives");
    };
    expect_ready();
    let own = Mutex::open(&format!("{name}-own")).unwrap();
    for what in ["map", "event", "mutex", "semaphore"] {
        let path = memory_path(&format!("{name}-{what}"));
        File::options().write(true).open(path).unwrap().set_len(0).unwrap();
    }
    go.set().unwrap();
    expect_ready();
    child.process.terminate(1).unwrap();
    exit_code(&child);
    // What it owned besides is abandoned as ever.
    assert_eq!(wait::one(&own, PATIENCE).unwrap(), Wait::Abandoned(0));
    own.release().unwrap();
    drop((own, mapping));
    let left: Vec<_> = std::fs::read_dir(objects())
        .unwrap()
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().contains(&format!("{name}-map")))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Makes sure that the library's handler is there, and gives memory that is none of its.
fn with_handler() -> SharedPages {
    let file = tempfile::tempfile().unwrap();
    file.set_len(4096).unwrap();
    let view = MappingOptions::of_file(&file, 0).create().unwrap().object.view().unwrap();
    file.set_len(0).unwrap();
    assert_eq!(code(view.read(0, &mut [0])), 1006);
    let foreign = memfd::create("foreign").unwrap();
    memfd::set_size(&foreign, 4096).unwrap();
    let pages = SharedPages::map(&foreign, 4096).unwrap();
    memfd::set_size(&foreign, 0).unwrap();
    pages
}

/// A fault in memory that is none of ours.
pub fn other_bus_error() -> u32 {
    let pages = with_handler();
    pages.u32(0).load(Ordering::SeqCst)
}

/// A SIGBUS that somebody sent: again and again, since the standard library's own handler, to which it goes, only
/// steps aside at the first.
pub fn sent_bus_error() -> u32 {
    let _pages = with_handler();
    let send = "for time in 1 2 3 4 5 6 7 8 9; do kill -s BUS $PPID || exit; sleep 0.1; done";
    let _ = Command::new("sh").args(["-c", send]).status();
    0
}

/// The handler that was there before: it ends the process in its own way.
pub fn earlier_handler() -> u32 {
    let how = argument("HOW");
    if how == "sent" { sent_bus_error() } else { other_bus_error() }
}

/// SIGBUS reports as an access violation (R32).
#[test]
fn other_bus_errors_end_the_process_as_ever() {
    let _limit = limit();
    for how in ["other-bus-error", "sent-bus-error"] {
        assert_eq!(role(how).run(), 0xC000_0005, "{how}");
    }
}

#[test]
fn other_bus_errors_reach_the_handler_that_was_there_before() {
    let _limit = limit();
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("handler.c"), folder.path().join("handler.so"));
    let code = "#include <signal.h>\n#include <unistd.h>\n\
        static void handle(int n, siginfo_t *i, void *c) { (void)n; (void)c; _exit(i->si_code > 0 ? 71 : 72); }\n\
        __attribute__((constructor)) static void begin(void) {\n\
        struct sigaction a = {0}; a.sa_sigaction = handle; a.sa_flags = SA_SIGINFO; sigaction(SIGBUS, &a, 0); }\n";
    std::fs::write(&source, code).unwrap();
    let compiled = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).status();
    if !compiled.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no C compiler to make an earlier handler with");
        return;
    }
    for (how, expected) in [("fault", 71), ("sent", 72)] {
        let child = role("earlier-handler").with("HOW", how).env("LD_PRELOAD", &library).start();
        assert_eq!(exit_code(&child), expected, "{how}");
    }
}

/// An object whose name nobody can reach any more is nobody's business but its holders'.
#[test]
fn the_memory_of_a_section_may_be_removed_under_its_views() {
    let _limit = limit();
    let name = unique("removed");
    let mapping = by_path(&name);
    let view = mapping.view().unwrap();
    view.write(0, b"still here").unwrap();
    std::fs::remove_file(memory_path(&name)).unwrap();
    assert_eq!(view.read_to_vec(0, 10).unwrap(), b"still here");
    assert_eq!(mapping.view().unwrap().read_to_vec(0, 10).unwrap(), b"still here");
    let _ = named_event(&format!("{name}-x"));
    drop((mapping, view));
    assert!(!by_path(&name).view().unwrap().read_to_vec(0, 1).unwrap().is_empty());
}
