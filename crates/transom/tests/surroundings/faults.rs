//! Each system call that the library makes, failing in turn with each error the kernel has for it: the operation
//! gives the documented code or works, leaves no descriptor behind, and works the next time.
//!
//! The calls and their errors stand in one table, `transom_sys::linux::fault::CALLS`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, DuplicateOptions, FromHandle, Handle};
use transom::mapping::{Backing, Mapping, MappingOptions};
use transom::mutex::Mutex;
use transom::namespace;
use transom::pipe;
use transom::process::{Inherit, PROCESS_ALL_ACCESS, Process};
use transom::semaphore::Semaphore;
use transom::thread::ThreadOptions;
use transom::wait::{self, Timeout, Wait};
use transom_sys::linux::{Errno, fault};

use crate::support::{
    HARMLESS, PATIENCE, With, code, exit_code, expect_signal, handle, limit, role, unique, wait_to_be_killed,
};

/// What an operation may answer when a call fails with `errno`; 0 always, since there may be another way.
fn codes(errno: Errno) -> &'static [u32] {
    match errno {
        Errno::MFILE | Errno::NFILE => &[4],
        Errno::NOMEM => &[8, 1455, 1450],
        Errno::NOSPC => &[112, 1455, 1450],
        Errno::ACCESS | Errno::PERM | Errno::ROFS => &[5],
        Errno::NOSYS => &[50],
        Errno::AGAIN => &[8, 170, 1450],
        Errno::NOBUFS | Errno::NOLCK | Errno::TOOMANYREFS => &[1450],
        Errno::CONNREFUSED | Errno::PIPE => &[6],
        // A holder whose descriptor is gone cannot be reached.
        Errno::NOENT => &[2, 5, 6],
        Errno::IO => &[1117],
        Errno::BUSY => &[170],
        // Calls that were interrupted are made again.
        Errno::INTR => &[],
        other => panic!("the table has an error of which nothing is said here: {other}"),
    }
}

type Operation<'a> = (&'static str, Box<dyn Fn() -> u32 + 'a>);

/// Every operation that makes system calls, each with what it needs to be done again and again.
fn operations<'a>(name: &'a str, objects: &'a Objects) -> Vec<Operation<'a>> {
    fn operation<'a>(what: &'static str, body: impl Fn() -> u32 + 'a) -> Operation<'a> {
        (what, Box::new(body))
    }
    let by_path =
        move || MappingOptions::new(70_000).name(&format!("{name}-path")).backing(Backing::Path).create();
    vec![
        operation("create event", || code(Event::new(true))),
        operation("create named event", move || {
            code(EventOptions::new().name(&format!("{name}-new")).create())
        }),
        operation("create an event again", move || code(EventOptions::new().name(name).create())),
        operation("open event", move || code(Event::open(name))),
        operation("create mutex and semaphore", || code(Mutex::new()).max(code(Semaphore::new(1, 1)))),
        operation("create mapping", || code(Mapping::anonymous(3 << 20))),
        operation("create named mapping", move || code(Mapping::create(&format!("{name}-map"), 4096))),
        operation("create path-backed mapping", move || code(by_path())),
        operation("create and open path-backed mapping", move || match by_path() {
            Ok(created) => {
                let opened = Mapping::open(&format!("{name}-path"));
                drop(created);
                code(opened)
            }
            Err(error) => error.code().value(),
        }),
        operation("map view", || code(objects.mapping.view())),
        operation("map file", || {
            code(MappingOptions::of_file(&objects.file, 0).create().and_then(|it| it.object.view()))
        }),
        operation("lengthen file by a mapping", || {
            objects.file.set_len(4096).unwrap();
            code(MappingOptions::of_file(&objects.file, 9000).create())
        }),
        operation("create pipe", || code(pipe::anonymous())),
        operation("peek pipe", || code(objects.pipe.pipe().peek(&mut [0; 4]))),
        operation("duplicate into own process", || code(objects.event.as_handle().try_clone())),
        operation("duplicate into another process", || {
            let given = objects.event.as_handle().duplicate_into(&objects.other, DuplicateOptions::default());
            let close = |raw| drop(transom::handle::close_in(&objects.other, raw));
            code(given.map(close))
        }),
        operation("duplicate from another process", || {
            let raw = objects.theirs;
            code(Handle::duplicate_from(&objects.other, raw, DuplicateOptions::default()))
        }),
        operation("open process", || {
            code(Process::open(objects.other.id().unwrap(), PROCESS_ALL_ACCESS, false))
        }),
        operation("start process", || {
            match transom::process::Command::new(HARMLESS).inherit(Inherit::All).spawn() {
                Ok(child) => {
                    expect_signal(&child.process);
                    0
                }
                Err(error) => error.code().value(),
            }
        }),
        operation("start thread", || match ThreadOptions::new().spawn(|| 0) {
            Ok(thread) => {
                expect_signal(&thread);
                0
            }
            Err(error) => error.code().value(),
        }),
        operation("wait for any", || code(wait::any(&[&objects.event, &objects.never], Timeout::millis(1)))),
        operation("wait for an event or a process", || {
            code(wait::any(&[&objects.event, &objects.other], Timeout::millis(1)))
        }),
        operation("list names", || code(namespace::list())),
        operation("find name", move || code(namespace::find(name))),
        operation("sweep", || code(namespace::sweep())),
    ]
}

/// What the operations work on.
struct Objects {
    event: Event,
    never: Event,
    mapping: Mapping,
    file: std::fs::File,
    pipe: pipe::PipeReader,
    other: Process,
    /// A handle of the other process.
    theirs: transom::handle::RawHandle,
    _writer: pipe::PipeWriter,
}

impl Objects {
    fn new(name: &str) -> Objects {
        let event = EventOptions::new().name(name).inherit(true).create().unwrap().object;
        let raw = event.as_handle().as_raw();
        let child = role("sets-what-it-inherits")
            .with("HANDLE", raw.value())
            .inherit(Inherit::List(vec![raw]))
            .start();
        expect_signal(&event);
        let file = tempfile::tempfile().unwrap();
        file.set_len(4096).unwrap();
        let (pipe, writer) = pipe::anonymous().unwrap();
        writer.pipe().send(b"some").unwrap();
        let (never, mapping) = (Event::new(true).unwrap(), Mapping::anonymous(4096).unwrap());
        Objects { event, never, mapping, file, pipe, other: child.process, theirs: raw, _writer: writer }
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        let _ = self.other.terminate(1);
    }
}

/// The other process: has one handle, and waits.
pub fn sets_what_it_inherits() -> u32 {
    let event = Event::from_handle(Handle::from_raw(handle("HANDLE")).unwrap()).unwrap();
    event.set().unwrap();
    wait_to_be_killed()
}

fn descriptors() -> usize {
    // What was kept for another process, until that picks it up, goes at the next closing of a handle.
    drop(Event::new(true).unwrap());
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// How many descriptors there are more than before. A thread that has ended closes its last one a moment later, and
/// nothing tells when.
#[allow(clippy::disallowed_methods)]
fn lost(before: usize) -> usize {
    for _ in 0..200 {
        if descriptors() <= before {
            return 0;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    descriptors() - before
}

/// A process has one thread here, and nobody else its descriptors: so they can be counted.
pub fn every_fault() -> u32 {
    let name = unique("fault");
    let objects = Objects::new(&name);
    let operations = operations(&name, &objects);
    let mut struck = 0;
    let mut wrong = Vec::new();
    for (what, operation) in &operations {
        // Whatever is made once and kept is made now.
        for _ in 0..2 {
            assert_eq!(operation(), 0, "{what}");
        }
        for (call, errors) in fault::CALLS {
            for errno in *errors {
                for nth in 1.. {
                    assert!(nth < 300, "{what} makes {call} without end");
                    let before = descriptors();
                    fault::arm(call, *errno, nth);
                    let code = operation();
                    if !fault::disarm() {
                        break;
                    }
                    struck += 1;
                    if code != 0 && !codes(*errno).contains(&code) {
                        wrong.push(format!("{what}: {call} no. {nth} fails with {errno:?}: {code}"));
                    }
                    let after = operation();
                    if after != 0 {
                        wrong.push(format!("{what}: after {call} no. {nth} failed with {errno:?}: {after}"));
                    }
                    let lost = lost(before);
                    if lost > 0 {
                        wrong.push(format!("{what}: {call} no. {nth}, {errno:?}: {lost} descriptors lost"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {struck}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(struck > 300, "only {struck} calls were refused");
    0
}

#[test]
fn every_system_call_may_fail() {
    let _limit = limit();
    if !cfg!(debug_assertions) {
        eprintln!("skipped: faults are compiled into builds with debug assertions only");
        return;
    }
    // Names of its own: how many calls a list takes must not depend on what else runs on this machine.
    let folder = tempfile::tempdir().unwrap();
    let child = role("every-fault").env("TRANSOM_DIR", folder.path()).start();
    assert_eq!(exit_code(&child), 0);
}

/// Waiting for several objects on a kernel without futex_waitv, or in a sandbox that refuses it.
pub fn waits_without_waitv() -> u32 {
    let events: Vec<Event> = (0..64).map(|_| Event::new(false).unwrap()).collect();
    let all: Vec<&dyn AsHandle> = events.iter().map(|event| event as &dyn AsHandle).collect();
    // Y25: nothing signalled, the time-out; something, the lowest.
    assert_eq!(wait::any(&all, Timeout::ZERO).unwrap(), Wait::Timeout);
    assert_eq!(wait::any(&all, Timeout::millis(20)).unwrap(), Wait::Timeout);
    events[63].set().unwrap();
    events[7].set().unwrap();
    assert_eq!(wait::any(&all, PATIENCE).unwrap(), Wait::Object(7));
    assert_eq!(wait::any(&all, PATIENCE).unwrap(), Wait::Object(63));
    assert_eq!(wait::any(&all, Timeout::ZERO).unwrap(), Wait::Timeout);
    // Signals reach sleepers, each one of them: two threads, one signal at a time.
    let taken = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let all: Vec<&dyn AsHandle> = events.iter().map(|event| event as &dyn AsHandle).collect();
                for _ in 0..50 {
                    assert!(wait::any(&all, PATIENCE).unwrap().is_signalled());
                    taken.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        for round in 0..100 {
            events[round % 64].set().unwrap();
            while (taken.load(Ordering::SeqCst) as usize) <= round {
                std::thread::yield_now();
            }
        }
    });
    assert_eq!(wait::any(&all, Timeout::ZERO).unwrap(), Wait::Timeout, "none was taken twice, none is left");
    // Mutexes, semaphores and manual events among them; abandonment too.
    let (mutex, semaphore) = (Arc::new(Mutex::new().unwrap()), Semaphore::new(0, 9).unwrap());
    let (owned, manual) = (Event::new(true).unwrap(), Event::new(true).unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            assert_eq!(wait::one(&*mutex, PATIENCE).unwrap(), Wait::Object(0));
            owned.set().unwrap();
            expect_signal(&manual);
        });
        expect_signal(&owned);
        let waiter = scope.spawn(|| wait::any(&[&semaphore, &*mutex], PATIENCE).unwrap());
        manual.set().unwrap();
        assert_eq!(waiter.join().unwrap(), Wait::Abandoned(1));
    });
    let waiter = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| wait::any(&[&events[0], &semaphore], PATIENCE).unwrap());
        semaphore.release(1).unwrap();
        waiter.join().unwrap()
    });
    assert_eq!(waiter, Wait::Object(1));
    // A process among events.
    let child = role("last-byte").suspended(true).start();
    assert_eq!(wait::any(&[&events[0], &child.process], Timeout::millis(20)).unwrap(), Wait::Timeout);
    child.process.terminate(4).unwrap();
    assert_eq!(wait::any(&[&events[0], &child.process], PATIENCE).unwrap(), Wait::Object(1));
    assert_eq!(exit_code(&child), 4);
    0
}

#[test]
fn waiting_for_several_objects_works_without_the_kernels_help() {
    let _limit = limit();
    if !cfg!(debug_assertions) {
        eprintln!("skipped: faults are compiled into builds with debug assertions only");
        return;
    }
    for errno in ["ENOSYS", "EPERM"] {
        let child = role("waits-without-waitv").env("TRANSOM_REFUSE", format!("futex_waitv={errno}")).start();
        assert_eq!(exit_code(&child), 0, "{errno}");
    }
    assert_eq!(role("waits-without-waitv").run(), 0, "and with it");
}

/// Kernels before 5.3 have no pidfd: starting a process is refused, and leaves none behind.
#[test]
fn without_process_descriptors_nothing_is_started() {
    let _limit = limit();
    if !cfg!(debug_assertions) {
        eprintln!("skipped: faults are compiled into builds with debug assertions only");
        return;
    }
    fault::arm("pidfd_open", Errno::NOSYS, 1);
    let refused = transom::process::Command::new(HARMLESS).spawn();
    assert!(fault::disarm());
    assert_eq!(code(refused), 50);
}
