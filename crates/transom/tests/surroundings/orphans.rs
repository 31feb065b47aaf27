//! Processes whose creator dies: their ends are known all the same (R26, R29, R32), and a suspended one waits for
//! whoever has a handle to it.

use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, DuplicateOptions, FromHandle, Handle, RawHandle};
use transom::mapping::{Mapping, View};
use transom::pipe;
use transom::process::{PROCESS_ALL_ACCESS, Process};
use transom::thread::Thread;
use transom::wait::{self, Wait};

use crate::support::{
    A_MOMENT, PATIENCE, With, argument, code, exit_code, expect_signal, handle, limit, number, read_all,
    role, unique,
};

const SAME: DuplicateOptions = DuplicateOptions { access: None, inherit: false, close_source: false };

/// Starts the last one, gives the test its handle, and ends; its child goes on.
pub fn middle() -> u32 {
    start_last(false);
    0x0BAD_CAFE
}

/// Has a name and an end of a pipe of its own, starts the last one suspended, and waits to be killed.
pub fn middle_suspended() -> u32 {
    let _name = EventOptions::new().name(&format!("{}-mine", argument("NAME"))).create().unwrap();
    let _writer = Handle::from_raw(handle("WRITER")).unwrap();
    start_last(true);
    crate::support::wait_to_be_killed()
}

fn start_last(suspended: bool) {
    let name = argument("NAME");
    let test = Process::open(number("TEST") as u32, PROCESS_ALL_ACCESS, false).unwrap();
    let last = role("last").with("NAME", &name).with("CODE", argument("CODE")).suspended(suspended).start();
    let note = Mapping::open(&format!("{name}-note")).unwrap().view().unwrap();
    let give = |handle: &Handle| handle.duplicate_into(&test, SAME).unwrap().value() as u64;
    note.store_u64(0, give(last.process.as_handle())).unwrap();
    note.store_u64(8, give(last.thread.as_handle())).unwrap();
    Event::open(&format!("{name}-ready")).unwrap().set().unwrap();
}

/// Waits until it may, and ends with its code.
pub fn last() -> u32 {
    expect_signal(&Event::open(&format!("{}-go", argument("NAME"))).unwrap());
    number("CODE") as u32
}

/// What the test and its descendants share.
struct Family {
    name: String,
    ready: Event,
    go: Event,
    note: View,
}

impl Family {
    fn new() -> Family {
        let name = unique("family");
        let event = |what: &str| EventOptions::new().name(&format!("{name}-{what}")).create().unwrap().object;
        let (ready, go) = (event("ready"), event("go"));
        let note = Mapping::create(&format!("{name}-note"), 4096).unwrap().object;
        // The name is kept by the handle, which the test has no use for otherwise.
        std::mem::forget(note.as_handle().try_clone().unwrap());
        Family { note: note.view().unwrap(), name, ready, go }
    }

    fn start(&self, name: &str, code: u32) -> transom::process::Command {
        role(name).with("NAME", &self.name).with("CODE", code).with("TEST", std::process::id())
    }

    fn handle(&self, at: usize) -> Handle {
        Handle::from_raw(RawHandle::new(self.note.load_u64(at).unwrap() as usize)).unwrap()
    }
}

#[test]
fn the_exit_code_of_a_child_whose_creator_has_ended_is_known() {
    let _limit = limit();
    for code in [0, 259, 0x1234_5678, 0xFFFF_FFFF] {
        let family = Family::new();
        let middle = family.start("middle", code).start();
        expect_signal(&family.ready);
        assert_eq!(exit_code(&middle), 0x0BAD_CAFE);
        drop(middle);
        let last = Process::from_handle(family.handle(0)).unwrap();
        assert_eq!(last.exit_code().unwrap(), None);
        family.go.set().unwrap();
        assert_eq!(wait::one(&last, PATIENCE).unwrap(), Wait::Object(0));
        assert_eq!(last.exit_code().unwrap(), Some(code));
        assert_eq!(Thread::from_handle(family.handle(8)).unwrap().exit_code().unwrap(), Some(code), "R31");
    }
}

/// By whoever has a handle, and by a signal of which only the kernel knows.
#[test]
fn a_child_whose_creator_has_ended_can_be_terminated() {
    let _limit = limit();
    let family = Family::new();
    exit_code(&family.start("middle", 1).start());
    let last = Process::from_handle(family.handle(0)).unwrap();
    last.terminate(0xC0FF_EE00).unwrap();
    expect_signal(&last);
    assert_eq!(last.exit_code().unwrap(), Some(0xC0FF_EE00));

    let family = Family::new();
    exit_code(&family.start("middle", 1).start());
    let last = Process::from_handle(family.handle(0)).unwrap();
    let kill = format!("kill -s KILL {}", last.id().unwrap());
    assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    expect_signal(&last);
    // Kernels before 6.15 do not tell how a process ended to those who are not its parent.
    let code = last.exit_code().unwrap().unwrap();
    assert!([0xC000_0009, 0xC000_0001].contains(&code), "{code:#x}");
}

/// R5: a suspended child outlives its creator, still suspended, as on Windows. It keeps nothing alive that its
/// creator had, and whoever has a handle lets it run.
#[test]
fn a_suspended_child_outlives_its_creator_and_keeps_nothing_of_it() {
    let _limit = limit();
    let family = Family::new();
    let (reader, writer) = pipe::PipeOptions::new().inherit(true).create().unwrap();
    let raw = writer.pipe().as_handle().as_raw();
    let middle = family.start("middle-suspended", 77).with("WRITER", raw.value()).inheriting().start();
    drop(writer);
    expect_signal(&family.ready);
    let (last, thread) =
        (Process::from_handle(family.handle(0)).unwrap(), Thread::from_handle(family.handle(8)).unwrap());
    let mine = format!("{}-mine", family.name);
    assert_eq!(code(Event::open(&mine)), 0);
    middle.process.terminate(1).unwrap();
    exit_code(&middle);
    assert_eq!(code(Event::open(&mine)), 2, "the name went with its only holder");
    assert!(read_all(&reader).is_empty(), "and so did the pipe's end");
    family.go.set().unwrap();
    assert_eq!(wait::one(&last, A_MOMENT).unwrap(), Wait::Timeout, "nothing of it runs");
    assert_eq!(thread.resume().unwrap(), 1);
    assert_eq!(wait::one(&last, PATIENCE).unwrap(), Wait::Object(0));
    assert_eq!(last.exit_code().unwrap(), Some(77));
}

/// A suspended child can be ended without ever having run.
#[test]
fn a_suspended_child_can_be_terminated() {
    let _limit = limit();
    let child = role("last").suspended(true).start();
    child.process.terminate(5).unwrap();
    assert_eq!(exit_code(&child), 5);
}

/// A child that was started by other means is its starter's, also if somebody had a handle to it meanwhile.
#[test]
fn the_remains_of_a_child_started_by_other_means_are_left_to_who_started_it() {
    let _limit = limit();
    let mut child = std::process::Command::new("sh")
        .args(["-c", "read x; exit 7"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let handle = Process::open(child.id(), PROCESS_ALL_ACCESS, false).unwrap();
    drop(child.stdin.take());
    expect_signal(&handle);
    assert_eq!(handle.exit_code().unwrap(), Some(7));
    drop(handle);
    assert_eq!(child.wait().unwrap().code(), Some(7));
}
