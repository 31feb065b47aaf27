//! Handles duplicated between processes (handles.md, section 7).

mod support;

use support::{
    NEVER_ISSUED, With, argument, child, code, eventually, exit_code, expect_signal, limit, named_event,
    number, ready, role, signalled, unique, wait_to_be_killed,
};
use transom::event::{Event, EventOptions};
use transom::handle::{self, AsHandle, DuplicateOptions, FromHandle, Handle, RawHandle};
use transom::mapping::{Mapping, View};
use transom::pipe::{self, Pipe};
use transom::process::{Child, PROCESS_DUP_HANDLE, PROCESS_QUERY_INFORMATION, Process};
use transom::wait;

#[test]
fn child_entry() {
    child(&[
        ("receive", receive),
        ("offer", offer),
        ("pull", pull),
        ("broker", broker),
        ("receive-many", receive_many),
        ("keep", keep),
    ]);
}

const SAME: DuplicateOptions = DuplicateOptions { access: None, inherit: false, close_source: false };

/// What parent and child tell each other: a number at 0 (and more behind it), and two events around it.
struct Between {
    view: View,
    /// Set by the child when it is there, or has said something.
    here: Event,
    /// Set by the parent when it has said something.
    go: Event,
}

impl Between {
    fn create(name: &str) -> (Between, Mapping) {
        let mapping = Mapping::create(name, 4096).unwrap().object;
        let event = |what: &str| EventOptions::new().name(&format!("{name}-{what}")).create().unwrap().object;
        (Between { view: mapping.view().unwrap(), here: event("here"), go: event("go") }, mapping)
    }

    fn open() -> Between {
        let name = argument("BOX");
        let view = Mapping::open(&name).unwrap().view().unwrap();
        let event = |what: &str| Event::open(&format!("{name}-{what}")).unwrap();
        Between { view, here: event("here"), go: event("go") }
    }

    fn tell(&self, raw: RawHandle) {
        self.view.store_u64(0, raw.value() as u64).unwrap();
    }

    fn told(&self) -> RawHandle {
        RawHandle::new(self.view.load_u64(0).unwrap() as usize)
    }
}

/// A child with a box between it and us.
fn start(kind: &str) -> (Child, Between) {
    let name = unique(kind);
    let (between, _mapping) = Between::create(&name);
    let child = role(kind).with("BOX", &name).with("PARENT", std::process::id()).start();
    expect_signal(&between.here);
    (child, between)
}

fn receive() -> u32 {
    let between = Between::open();
    between.here.set().unwrap();
    expect_signal(&between.go);
    let handle = Handle::from_raw(between.told()).unwrap();
    assert!(!handle.information().unwrap().inherit);
    code(Event::from_handle(handle).and_then(|event| event.set()))
}

/// H34, R25, H26, M56: into a running child, which is told the number.
#[test]
fn a_handle_can_be_put_into_a_running_child() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    let (child, between) = start("receive");
    between.tell(event.as_handle().duplicate_into(&child.process, SAME).unwrap());
    between.go.set().unwrap();
    assert_eq!(exit_code(&child), 0);
    assert!(signalled(&event));
}

/// H28 across processes: fewer rights.
#[test]
fn a_handle_put_into_a_child_has_the_rights_asked_for() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    let (child, between) = start("receive");
    let waits = DuplicateOptions { access: Some(0x10_0000), ..SAME };
    between.tell(event.as_handle().duplicate_into(&child.process, waits).unwrap());
    between.go.set().unwrap();
    assert_eq!(exit_code(&child), 5);
    assert!(!signalled(&event));
}

/// H31, H34: moved into the child: the name lives and dies with its handle.
#[test]
fn a_handle_can_be_given_away() {
    let _limit = limit();
    let name = unique("given");
    let event = named_event(&name);
    let (child, between) = start("receive");
    let give = DuplicateOptions { close_source: true, ..SAME };
    let ours = event.as_handle().try_clone().unwrap().into_raw();
    drop(event);
    between.tell(handle::duplicate(&Process::current(), ours, &child.process, give).unwrap());
    assert_eq!(code(Event::open(&name)), 0, "the child holds it");
    between.go.set().unwrap();
    assert_eq!(exit_code(&child), 0);
    assert_eq!(code(Event::open(&name)), 2, "H4: and it has ended");
}

fn offer() -> u32 {
    let between = Between::open();
    let event = EventOptions::new().manual_reset(true).initial(true).create().unwrap().object;
    between.tell(event.as_handle().as_raw());
    between.here.set().unwrap();
    expect_signal(&between.go);
    let result = code(event.set());
    std::mem::forget(event);
    result
}

/// H34, H31: out of a child, which does not have it any more afterwards; it outlives the child.
#[test]
fn a_handle_can_be_taken_out_of_a_child() {
    let _limit = limit();
    let (child, between) = start("offer");
    let take = DuplicateOptions { close_source: true, ..SAME };
    let taken = Handle::duplicate_from(&child.process, between.told(), take).unwrap();
    assert!(signalled(&taken));
    between.go.set().unwrap();
    assert_eq!(exit_code(&child), 6, "it was the child's no more");
    Event::from_handle(taken).unwrap().reset().unwrap();
}

/// H34: copied out, it stays with the child too.
#[test]
fn a_handle_copied_out_of_a_child_stays_there() {
    let _limit = limit();
    let (child, between) = start("offer");
    let copy = Handle::duplicate_from(&child.process, between.told(), SAME).unwrap();
    let copy = Event::from_handle(copy).unwrap();
    copy.reset().unwrap();
    between.go.set().unwrap();
    assert_eq!(exit_code(&child), 0);
    assert!(signalled(&copy), "the child set it once more");
}

/// H32.
#[test]
fn a_handle_inside_another_process_can_be_closed() {
    let _limit = limit();
    let (child, between) = start("offer");
    let closing = code(handle::close_in(&child.process, between.told()));
    between.go.set().unwrap();
    let childs = exit_code(&child);
    differs_under_wine!("H32", (closing, childs) == (0, 6));
}

fn pull() -> u32 {
    let between = Between::open();
    between.here.set().unwrap();
    expect_signal(&between.go);
    let parent = Process::open(number("PARENT") as u32, PROCESS_DUP_HANDLE, false).unwrap();
    let event = Handle::duplicate_from(&parent, between.told(), SAME).unwrap();
    assert_eq!(code(Handle::duplicate_from(&parent, NEVER_ISSUED, SAME)), 6);
    Event::from_handle(event).unwrap().set().unwrap();
    33
}

/// H34: the child takes from its parent.
#[test]
fn a_child_can_take_a_handle_from_its_parent() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    let (child, between) = start("pull");
    between.tell(event.as_handle().as_raw());
    between.go.set().unwrap();
    assert_eq!(exit_code(&child), 33);
    assert!(signalled(&event));
}

fn broker() -> u32 {
    let between = Between::open();
    between.here.set().unwrap();
    expect_signal(&between.go);
    let source = Process::open(between.view.load_u32(8).unwrap(), PROCESS_DUP_HANDLE, false).unwrap();
    let target = Process::open(between.view.load_u32(12).unwrap(), PROCESS_DUP_HANDLE, false).unwrap();
    between.tell(handle::duplicate(&source, between.told(), &target, SAME).unwrap());
    0
}

/// H34: neither source nor target.
#[test]
fn a_third_process_can_duplicate_between_two_others() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    let (target, to_target) = start("receive");
    let (third, to_third) = start("broker");
    to_third.tell(event.as_handle().as_raw());
    to_third.view.store_u32(8, std::process::id()).unwrap();
    to_third.view.store_u32(12, target.process_id).unwrap();
    to_third.go.set().unwrap();
    assert_eq!(exit_code(&third), 0);
    to_target.tell(to_third.told());
    to_target.go.set().unwrap();
    assert_eq!(exit_code(&target), 0);
    assert!(signalled(&event));
}

fn receive_many() -> u32 {
    let between = Between::open();
    between.here.set().unwrap();
    expect_signal(&between.go);
    let raw = |at: usize| RawHandle::new(between.view.load_u64(8 * at).unwrap() as usize);
    let mapping = Mapping::from_raw(raw(0)).unwrap();
    mapping.view().unwrap().write(0, b"from child").unwrap();
    assert_eq!(Pipe::from_raw(raw(1)).unwrap().send(b"piped").unwrap(), 5);
    let parent = Process::from_raw(raw(2)).unwrap();
    assert_eq!(parent.id().unwrap() as usize, number("PARENT"));
    assert!(!signalled(&parent));
    let thread = transom::thread::Thread::from_raw(raw(3)).unwrap();
    assert!(!signalled(&thread));
    let mutex = transom::mutex::Mutex::from_raw(raw(4)).unwrap();
    assert_eq!(code(mutex.release()), 288, "ownership is not duplicated");
    let semaphore = transom::semaphore::Semaphore::from_raw(raw(5)).unwrap();
    assert_eq!(semaphore.release(3).unwrap(), 1);
    7
}

/// H33, Y14, M56: all kinds, pseudo handles as real ones.
#[test]
fn every_kind_of_handle_can_be_duplicated_into_a_child() {
    let _limit = limit();
    let (child, between) = start("receive-many");
    let mapping = Mapping::anonymous(4096).unwrap();
    let (reader, writer) = pipe::anonymous().unwrap();
    let mutex = transom::mutex::MutexOptions::new().initial_owner(true).create().unwrap().object;
    let semaphore = transom::semaphore::Semaphore::new(1, 9).unwrap();
    let numbers = [
        mapping.as_handle().as_raw(),
        writer.as_handle().as_raw(),
        RawHandle::CURRENT_PROCESS,
        RawHandle::CURRENT_THREAD,
        mutex.as_handle().as_raw(),
        semaphore.as_handle().as_raw(),
    ];
    for (at, raw) in numbers.into_iter().enumerate() {
        let theirs = handle::duplicate(&Process::current(), raw, &child.process, SAME).unwrap();
        assert!(!theirs.is_pseudo());
        between.view.store_u64(8 * at, theirs.value() as u64).unwrap();
    }
    drop(writer);
    between.go.set().unwrap();
    assert_eq!(exit_code(&child), 7);
    assert_eq!(mapping.view().unwrap().read_to_vec(0, 10).unwrap(), b"from child");
    assert_eq!(support::read_all(&reader), b"piped", "P74: the child's copy was the last writer");
    assert_eq!(semaphore.release(1).unwrap(), 4);
    mutex.release().unwrap();
}

fn keep() -> u32 {
    ready();
    wait_to_be_killed()
}

/// Handles.md, section 3.
#[test]
fn duplicating_needs_the_right_to() {
    let _limit = limit();
    let here = unique("ready");
    let here_event = named_event(&here);
    let child = role("keep").with("READY", &here).start();
    expect_signal(&here_event);
    let event = Event::new(true).unwrap();
    let asks = Process::open(child.process_id, PROCESS_QUERY_INFORMATION, false).unwrap();
    assert_eq!(code(event.as_handle().duplicate_into(&asks, SAME)), 5);
    assert_eq!(code(Handle::duplicate_from(&asks, RawHandle::new(4), SAME)), 5);
    let may = Process::open(child.process_id, PROCESS_DUP_HANDLE, false).unwrap();
    assert_eq!(code(event.as_handle().duplicate_into(&may, SAME)), 0);
    assert_eq!(code(Handle::duplicate_from(&may, NEVER_ISSUED, SAME)), 6);
    child.process.terminate(1).unwrap();
    exit_code(&child);
}

/// H19, P74: a duplicate nobody there knows of holds on all the same, to its process's end.
#[test]
fn a_duplicate_in_a_child_is_a_holder() {
    let _limit = limit();
    let (here, name) = (unique("ready"), unique("name"));
    let here_event = named_event(&here);
    let child = role("keep").with("READY", &here).start();
    expect_signal(&here_event);
    let (reader, writer) = pipe::anonymous().unwrap();
    let named = named_event(&name);
    writer.as_handle().duplicate_into(&child.process, SAME).unwrap();
    named.as_handle().duplicate_into(&child.process, SAME).unwrap();
    drop((writer, named));
    assert_eq!(code(Event::open(&name)), 0);
    reader.pipe().set_mode(1).unwrap();
    assert_eq!(code(reader.pipe().receive(&mut [0])), 232, "not the end");
    child.process.terminate(1).unwrap();
    exit_code(&child);
    // The kernel closes what lay in the inbox a moment after the process: this read waits for it.
    reader.pipe().set_mode(0).unwrap();
    assert_eq!(code(reader.pipe().receive(&mut [0])), 109);
    eventually(2, "held by nobody", || code(Event::open(&name)));
}

/// Handles.md, section 3: into a process that has ended.
#[test]
fn nothing_can_be_duplicated_into_a_process_that_has_ended() {
    let _limit = limit();
    let here = unique("ready");
    let here_event = named_event(&here);
    let child = role("keep").with("READY", &here).start();
    expect_signal(&here_event);
    child.process.terminate(1).unwrap();
    exit_code(&child);
    let event = Event::new(true).unwrap();
    assert_ne!(code(event.as_handle().duplicate_into(&child.process, SAME)), 0);
    assert!(!wait::one(&event, support::A_MOMENT).unwrap().is_signalled());
}
