//! A plain fork, without a program being executed: in the child every call fails with ERROR_NOT_SUPPORTED (50), and
//! nothing of the parent's is kept alive or changed by it.
//!
//! # Safety
//! fork(2) and what belongs to it, which the standard library does not have. The forked children here do little, and
//! end by _exit or exit.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, DuplicateOptions, Handle, HandleFlags};
use transom::mapping::{Mapping, MappingOptions};
use transom::mutex::{Mutex, MutexOptions};
use transom::pipe;
use transom::process::{PROCESS_ALL_ACCESS, Process};
use transom::security::Security;
use transom::semaphore::Semaphore;
use transom::thread::{Thread, ThreadOptions};
use transom::wait::{self, Timeout, Wait};

use crate::support::{
    HARMLESS, PATIENCE, With, argument, code, exit_code, expect_signal, limit, read_all, role, signalled,
    unique, wait_to_be_killed,
};

unsafe extern "C" {
    fn fork() -> c_int;
    fn _exit(status: c_int) -> !;
    fn exit(status: c_int) -> !;
    fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
}

/// Runs `body` in a plain fork, which ends with its value by _exit or, after all that a program does at its end, by
/// exit; the status.
fn in_fork(orderly: bool, body: impl FnOnce() -> u8) -> c_int {
    // SAFETY: the child runs `body` and ends; what it must not touch is what this file is about.
    unsafe {
        let child = fork();
        if child == 0 {
            let status =
                c_int::from(std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(255));
            if orderly {
                exit(status);
            }
            _exit(status);
        }
        assert!(child > 0, "a fork");
        let mut status = 0;
        assert_eq!(waitpid(child, &raw mut status, 0), child);
        status >> 8
    }
}

/// Every call of the library, in a fork.
pub fn forks() -> u32 {
    let name = unique("fork");
    let event = EventOptions::new().name(&name).create().unwrap().object;
    let auto = Event::new(false).unwrap();
    let mutex = MutexOptions::new().name(&format!("{name}-mutex")).create().unwrap().object;
    let semaphore = Semaphore::new(1, 2).unwrap();
    let mapping = Mapping::anonymous(4096).unwrap();
    let view = mapping.view().unwrap();
    let (reader, writer) = pipe::anonymous().unwrap();
    let pipe_name = format!(r"\\.\pipe\{name}");
    let server = pipe::Server::create(&pipe_name).unwrap();
    let client = pipe::Client::open(&pipe_name).unwrap();
    let thread = Thread::current().unwrap();
    let child = role("last-byte").suspended(true).start();
    assert_eq!(wait::one(&mutex, Timeout::ZERO).unwrap(), Wait::Object(0));
    let calls = || {
        let own = Process::current();
        let handle: &Handle = event.as_handle();
        let any: [&dyn AsHandle; 2] = [&event, &semaphore];
        let codes = [
            ("set", code(event.set())),
            ("reset", code(event.reset())),
            ("pulse", code(auto.pulse())),
            ("create event", code(Event::new(true))),
            ("create named", code(EventOptions::new().name(&format!("{name}-new")).create())),
            ("create again", code(EventOptions::new().name(&name).create())),
            ("open", code(Event::open(&name))),
            ("open nothing", code(Mutex::open("no such name"))),
            ("wait", code(wait::one(&event, Timeout::ZERO))),
            ("wait for any", code(wait::any(&any, Timeout::ZERO))),
            ("wait for all", code(wait::all(&any, Timeout::ZERO))),
            ("signal and wait", code(wait::signal_and_wait(&auto, &event, Timeout::ZERO))),
            ("wait for a process", code(wait::one(&child.process, Timeout::ZERO))),
            ("release mutex", code(mutex.release())),
            ("lock mutex", code(mutex.lock_for(Timeout::ZERO))),
            ("release semaphore", code(semaphore.release(1))),
            ("create mapping", code(MappingOptions::new(4096).create())),
            ("map", code(mapping.view())),
            ("create pipe", code(pipe::anonymous())),
            ("read", code(reader.pipe().receive(&mut [0]))),
            ("write", code(writer.pipe().send(b"x"))),
            ("create server", code(pipe::Server::create(&pipe_name))),
            ("open client", code(pipe::Client::open(&pipe_name))),
            ("wait for pipe", code(pipe::wait(&pipe_name, Timeout::ZERO))),
            ("call", code(pipe::call(&pipe_name, b"x", &mut [], Timeout::ZERO))),
            ("connect", code(server.connect_timeout(Timeout::ZERO))),
            ("disconnect", code(server.disconnect())),
            ("receive", code(server.pipe().receive_timeout(&mut [0], Timeout::ZERO))),
            ("send", code(client.pipe().send(b"x"))),
            ("pipe state", code(client.pipe().state())),
            ("information", code(handle.information())),
            ("set information", code(handle.set_information(HandleFlags::default()))),
            ("duplicate", code(handle.try_clone())),
            ("duplicate into", code(handle.duplicate_into(&child.process, DuplicateOptions::default()))),
            (
                "duplicate from own",
                code(Handle::duplicate_from(&own, handle.as_raw(), DuplicateOptions::default())),
            ),
            ("from raw", code(Handle::from_raw(handle.as_raw()))),
            ("open process", code(Process::open(child.process_id, PROCESS_ALL_ACCESS, false))),
            ("terminate", code(child.process.terminate(1))),
            ("exit code", code(child.process.exit_code())),
            ("own id", code(own.id())),
            ("own exit code", code(own.exit_code())),
            ("resume", code(child.thread.resume())),
            ("spawn", code(transom::process::Command::new(HARMLESS).spawn())),
            ("standard handle", code(transom::process::standard_handle(0))),
            ("current thread", code(Thread::current())),
            ("create thread", code(ThreadOptions::new().spawn(|| 0))),
            ("thread id", code(thread.id())),
        ];
        let wrong: Vec<_> = codes.iter().filter(|(_, code)| *code != 50).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        // Memory that is mapped stays mapped in a fork, as on any Unix.
        view.write(0, b"from the fork").unwrap();
        0
    };
    for orderly in [false, true] {
        assert_eq!(in_fork(orderly, calls), 0);
        // And once more from the fork's own fork.
        assert_eq!(in_fork(orderly, || in_fork(orderly, calls) as u8), 0);
        assert_eq!(view.read_to_vec(0, 13).unwrap(), b"from the fork");
        // The parent has everything as it was, its mutex and its own thread included.
        assert!(!signalled(&event) && !signalled(&auto) && !signalled(&thread));
        let other = std::thread::scope(|scope| {
            scope.spawn(|| wait::one(&mutex, Timeout::ZERO).unwrap()).join().unwrap()
        });
        assert_eq!(other, Wait::Timeout, "the mutex is this thread's");
        assert_eq!(code(Event::open(&name)), 0);
        writer.pipe().send(b"whole").unwrap();
        assert_eq!(reader.pipe().receive(&mut [0; 9]).unwrap(), 5);
        client.pipe().send(b"named").unwrap();
        assert_eq!(server.pipe().receive(&mut [0; 9]).unwrap(), 5);
        assert_eq!(Process::current().exit_code().unwrap(), None);
    }
    mutex.release().unwrap();
    // A program that is executed in a fork is a process like any other.
    let status = in_fork(false, || {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["child_entry", "--exact", "--nocapture", "--test-threads=1"])
            .env("TRANSOM_TEST_ROLE", "waits-without-waitv")
            .status();
        u8::from(!status.is_ok_and(|status| status.success()))
    });
    assert_eq!(status, 0);
    child.process.terminate(1).unwrap();
    0
}

#[test]
fn in_a_plain_fork_every_call_fails_with_50_and_the_parent_is_as_it_was() {
    let _limit = limit();
    assert_eq!(role("forks").run(), 0);
}

/// A pipe that lets other users in: its gate is the one socket that a process has for a name.
fn server(name: &str) -> transom::Result<pipe::Server> {
    let name = format!(r"\\.\pipe\{name}");
    pipe::ServerOptions::new(&name).first_instance(true).security(Security::everyone()).create()
}

/// Leaves a fork behind that sleeps, says which, and waits to be killed.
pub fn forks_and_is_killed() -> u32 {
    let name = argument("NAME");
    let _event = EventOptions::new().name(&format!("{name}-event")).create().unwrap();
    let mutex = MutexOptions::new().name(&format!("{name}-mutex")).create().unwrap().object;
    let _mapping = Mapping::create(&format!("{name}-mapping"), 4096).unwrap();
    let _server = server(&name).unwrap();
    let _writer = Handle::from_raw(crate::support::handle("WRITER")).unwrap();
    let _unused = argument("UNUSED");
    assert_eq!(wait::one(&mutex, Timeout::ZERO).unwrap(), Wait::Object(0));
    let note = Mapping::open(&format!("{name}-note")).unwrap().view().unwrap();
    let ready = Event::open(&format!("{name}-ready")).unwrap();
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    // SAFETY: the child says that it is there, and sleeps.
    let child = unsafe { fork() };
    if child == 0 {
        writer.write_all(b"!").unwrap();
        loop {
            std::thread::park();
        }
    }
    // A fork is none before it has come out of the call: until then it has what its parent has.
    reader.read_exact(&mut [0]).unwrap();
    note.store_u32(0, child as u32).unwrap();
    ready.set().unwrap();
    wait_to_be_killed()
}

#[test]
fn a_plain_fork_keeps_no_name_and_no_pipe_of_its_parent_alive() {
    let _limit = limit();
    let name = unique("forked");
    let ready = EventOptions::new().name(&format!("{name}-ready")).create().unwrap().object;
    let created = Mapping::create(&format!("{name}-note"), 4096).unwrap();
    let note = created.object.view().unwrap();
    let pipe = || pipe::PipeOptions::new().inherit(true).create().unwrap();
    let (first, second) = (pipe(), pipe());
    let raw = |writer: &pipe::PipeWriter| writer.pipe().as_handle().as_raw();
    // One end is used in the child, the other it never looks at.
    let child = role("forks-and-is-killed")
        .with("NAME", &name)
        .with("WRITER", raw(&first.1).value())
        .with("UNUSED", raw(&second.1).value())
        .inheriting()
        .start();
    drop((first.1, second.1));
    expect_signal(&ready);
    let forked = Process::open(note.load_u32(0).unwrap(), PROCESS_ALL_ACCESS, false).unwrap();
    let mutex = Mutex::open(&format!("{name}-mutex")).unwrap();
    child.process.terminate(3).unwrap();
    assert_eq!(exit_code(&child), 3);
    assert_eq!(wait::one(&forked, Timeout::ZERO).unwrap(), Wait::Timeout, "the fork lives");
    for what in ["event", "mapping"] {
        assert_eq!(code(Event::open(&format!("{name}-{what}"))), 2, "{what}");
    }
    // Else it would wait for an answer that nobody gives, and fail.
    server(&name).unwrap();
    assert_eq!(wait::one(&mutex, PATIENCE).unwrap(), Wait::Abandoned(0));
    mutex.release().unwrap();
    assert!(read_all(first.0).is_empty());
    assert!(read_all(second.0).is_empty());
    forked.terminate(9).unwrap();
}

/// Forks while other threads make, use and close handles: neither side is ever found in the middle of it.
pub fn forks_while_busy() -> u32 {
    let name = unique("busy");
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (name, over) = (&name, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let event =
                        EventOptions::new().name(&format!("{name}-{thread}")).create().unwrap().object;
                    event.set().unwrap();
                    let copy = event.as_handle().try_clone().unwrap();
                    let view = Mapping::anonymous(65_536).unwrap().view().unwrap();
                    drop((event, copy, view));
                }
            });
        }
        // One that serves a pipe for ever again, and another that visits it.
        let pipe_name = format!(r"\\.\pipe\{name}");
        let (served, over) = (pipe_name.clone(), &over);
        scope.spawn(move || {
            let server = pipe::Server::create(&served).unwrap();
            while !over.load(Ordering::Relaxed) {
                if server.connect_timeout(Timeout::millis(20)).is_ok() {
                    let _ = server.pipe().receive_timeout(&mut [0; 9], Timeout::millis(20));
                }
                let _ = server.disconnect();
            }
        });
        scope.spawn(move || {
            while !over.load(Ordering::Relaxed) {
                if let Ok(client) = pipe::Client::open(&pipe_name) {
                    let _ = client.pipe().send(b"x");
                }
            }
        });
        for round in 0..100 {
            let status = in_fork(round % 2 == 0, || {
                let failed = code(Event::new(true)) == 50 && code(Mapping::anonymous(4096)) == 50;
                u8::from(!failed)
            });
            assert_eq!(status, 0);
        }
        over.store(true, Ordering::Relaxed);
    });
    for thread in 0..3 {
        assert_eq!(code(Event::open(&format!("{name}-{thread}"))), 2);
    }
    assert_eq!(code(pipe::Client::open(&format!(r"\\.\pipe\{name}"))), 2);
    0
}

#[test]
fn forking_while_other_threads_are_busy_stops_nobody() {
    let _limit = limit();
    assert_eq!(role("forks-while-busy").run(), 0);
}
