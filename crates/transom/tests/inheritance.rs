//! Which handles a child process has (handles.md, section 6; process.md, section 6).

mod support;

use support::{
    A_MOMENT, PATIENCE, With, alone, argument, child, code, eventually, exit_code, expect_signal, handle,
    named_event, number, ready, role, signalled, unique, wait_to_be_killed,
};
use transom::event::{Event, EventOptions};
use transom::handle::{self, AsHandle, DuplicateOptions, FromHandle, HandleFlags, RawHandle};
use transom::mapping::{Mapping, MappingOptions, ViewOptions};
use transom::mutex::{Mutex, MutexOptions};
use transom::pipe::{Pipe, PipeOptions};
use transom::process::{Inherit, Process};
use transom::semaphore::{Semaphore, SemaphoreOptions};
use transom::thread::{Thread, ThreadOptions};
use transom::wait::{self, Timeout, Wait};

#[test]
fn child_entry() {
    child(&[
        ("set", set),
        ("flags", flags),
        ("close", close),
        ("pass-on", pass_on),
        ("release-mutex", release_mutex),
        ("every-kind", every_kind),
        ("hold-pipe", hold_pipe),
        ("unmap", unmap_parents_view),
        ("count-handles", count_handles),
        ("rights", rights),
        ("idle", idle),
    ]);
}

/// An event with a number that a fresh process would not have given to something of its own: handles are
/// numbered from low to high, so a pile of them is put below.
fn event(inherit: bool) -> (Event, Vec<Event>) {
    let pile = (0..300).map(|_| Event::new(true).unwrap()).collect();
    (EventOptions::new().manual_reset(true).inherit(inherit).create().unwrap().object, pile)
}

fn raw(object: &impl AsHandle) -> usize {
    object.as_handle().as_raw().value()
}

fn set_inherit(object: &impl AsHandle, inherit: bool) {
    object.as_handle().set_information(HandleFlags { inherit, protect_from_close: false }).unwrap();
}

fn set() -> u32 {
    code(Event::from_raw(handle("HANDLE")).and_then(|event| event.set()))
}

/// H14, R20: the same value, the same object.
#[test]
fn a_child_has_inheritable_handles_under_their_value() {
    let _alone = alone();
    let (event, _pile) = event(true);
    assert_eq!(role("set").inheriting().with("HANDLE", raw(&event)).run(), 0);
    assert!(signalled(&event));
}

/// H15, R20.
#[test]
fn without_inheritance_a_child_has_nothing() {
    let _alone = alone();
    let (event, _pile) = event(true);
    assert_eq!(role("set").with("HANDLE", raw(&event)).run(), 6);
    assert!(!signalled(&event));
}

/// H20, H9.
#[test]
fn what_is_not_inheritable_is_not_in_the_child() {
    let _alone = alone();
    let (event, _pile) = event(false);
    assert_eq!(role("set").inheriting().with("HANDLE", raw(&event)).run(), 6);
    assert!(!signalled(&event));
}

/// R21: what counts is the flag at the moment of creation.
#[test]
fn the_flag_counts_as_it_is_when_the_child_is_created() {
    let _alone = alone();
    let (event, _pile) = event(false);
    set_inherit(&event, true);
    assert_eq!(role("set").inheriting().with("HANDLE", raw(&event)).run(), 0);
    assert!(signalled(&event));
    event.reset().unwrap();
    set_inherit(&event, false);
    assert_eq!(role("set").inheriting().with("HANDLE", raw(&event)).run(), 6);
    assert!(!signalled(&event));
}

/// H9, H35: made inheritable by opening and by duplicating.
#[test]
fn opened_and_duplicated_handles_can_be_inherited() {
    let _alone = alone();
    let name = unique("opened");
    let creator = named_event(&name);
    let (_event, _pile) = event(false);
    let opened = EventOptions::new().name(&name).access(0x10_0002).inherit(true).open().unwrap();
    assert_eq!(role("set").inheriting().with("HANDLE", raw(&opened)).run(), 0);
    assert!(signalled(&creator));
    creator.reset().unwrap();
    let options = DuplicateOptions { inherit: true, ..DuplicateOptions::default() };
    let copy = creator.as_handle().duplicate(options).unwrap();
    assert_eq!(role("set").inheriting().with("HANDLE", raw(&copy)).run(), 0);
    assert!(signalled(&creator));
}

fn flags() -> u32 {
    let flags = handle::Handle::borrow(handle("HANDLE")).unwrap().information().unwrap();
    assert!(!flags.protect_from_close);
    0x40 | u32::from(flags.inherit)
}

/// H16.
#[test]
fn an_inherited_handle_is_inheritable() {
    let _alone = alone();
    let (event, _pile) = event(true);
    assert_eq!(role("flags").inheriting().with("HANDLE", raw(&event)).run(), 0x41);
}

fn pass_on() -> u32 {
    0x20 + role("set").inheriting().with("HANDLE", number("HANDLE")).run()
}

/// H16: and so a grandchild has it too, under the same value.
#[test]
fn a_grandchild_inherits_under_the_same_value() {
    let _alone = alone();
    let (event, _pile) = event(true);
    assert_eq!(role("pass-on").inheriting().with("HANDLE", raw(&event)).run(), 0x20);
    assert!(signalled(&event));
}

fn close() -> u32 {
    handle::close(handle("HANDLE")).unwrap();
    code(handle::close(handle("HANDLE")))
}

/// H21.
#[test]
fn a_child_that_closes_its_copy_takes_nothing_from_its_parent() {
    let _alone = alone();
    let (event, _pile) = event(true);
    assert_eq!(role("close").inheriting().with("HANDLE", raw(&event)).run(), 6);
    event.set().unwrap();
    assert!(signalled(&event));
}

fn release_mutex() -> u32 {
    let mutex = Mutex::from_raw(handle("HANDLE")).unwrap();
    assert_eq!(wait::one(&mutex, Timeout::ZERO).unwrap(), Wait::Timeout);
    code(mutex.release())
}

/// H18, Y14.
#[test]
fn ownership_of_a_mutex_is_not_inherited() {
    let _alone = alone();
    let (_event, _pile) = event(false);
    let mutex = MutexOptions::new().inherit(true).initial_owner(true).create().unwrap().object;
    assert_eq!(role("release-mutex").inheriting().with("HANDLE", raw(&mutex)).run(), 288);
    mutex.release().unwrap();
}

fn unmap_parents_view() -> u32 {
    // Mapping something at the parent's address works: nothing of the parent's is there.
    let mapping = Mapping::from_raw(handle("HANDLE")).unwrap();
    let view = ViewOptions::new().base(number("ADDRESS")).map(&mapping).unwrap();
    view.load_u32(0).unwrap()
}

/// M26, H18: handles are inherited, views are not. (The address is one that no process has anything at.)
#[test]
fn views_are_not_inherited() {
    let _alone = alone();
    let mapping = MappingOptions::new(4096).inherit(true).create().unwrap().object;
    let (view, address) = (0..)
        .map(|step| 0x5555_0000_0000 + (step << 32))
        .find_map(|address| Some((ViewOptions::new().base(address).map(&mapping).ok()?, address)))
        .unwrap();
    view.store_u32(0, 33).unwrap();
    let child = role("unmap").inheriting().with("HANDLE", raw(&mapping)).with("ADDRESS", address);
    assert_eq!(child.run(), 33);
}

fn every_kind() -> u32 {
    Event::from_raw(handle("EVENT")).unwrap().set().unwrap();
    assert!(Mutex::from_raw(handle("MUTEX")).unwrap().lock_for(PATIENCE).unwrap().is_some());
    assert_eq!(Semaphore::from_raw(handle("SEMAPHORE")).unwrap().release(2).unwrap(), 0);
    let mapping = Mapping::from_raw(handle("MAPPING")).unwrap();
    mapping.view().unwrap().write(0, b"written by child").unwrap();
    assert_eq!(Pipe::from_raw(handle("READER")).unwrap().receive(&mut [0; 10]).unwrap(), 5);
    assert_eq!(Pipe::from_raw(handle("WRITER")).unwrap().send(b"through").unwrap(), 7);
    let parent = Process::from_raw(handle("PROCESS")).unwrap();
    assert_eq!(parent.id().unwrap() as usize, number("PARENT"));
    assert!(!signalled(&parent));
    let thread = Thread::from_raw(handle("THREAD")).unwrap();
    assert!(!signalled(&thread));
    assert_eq!(code(Event::from_raw(RawHandle::CURRENT_PROCESS)), 6, "pseudo handles are nobody's");
    1
}

/// H17, R22, M56: all kinds.
#[test]
fn every_kind_of_handle_can_be_inherited() {
    let _alone = alone();
    let (event, _pile) = event(true);
    let mutex = MutexOptions::new().inherit(true).create().unwrap().object;
    let semaphore = SemaphoreOptions::new(0, 5).inherit(true).create().unwrap().object;
    let mapping = MappingOptions::new(4096).inherit(true).create().unwrap().object;
    let (to_child, to_child_writer) = PipeOptions::new().inherit(true).create().unwrap();
    let (from_child_reader, from_child) = PipeOptions::new().inherit(true).create().unwrap();
    to_child_writer.pipe().send(b"hello").unwrap();
    let inheritable = DuplicateOptions { inherit: true, ..DuplicateOptions::default() };
    let here = Process::current();
    let process = handle::duplicate(&here, RawHandle::CURRENT_PROCESS, &here, inheritable).unwrap();
    let process = Process::from_raw(process).unwrap();
    let (stop, gate) = (std::sync::Arc::new(Event::new(true).unwrap()), Event::new(true).unwrap());
    let theirs = std::sync::Arc::clone(&stop);
    let thread = ThreadOptions::new().inherit(true).spawn(move || {
        expect_signal(&*theirs);
        0
    });
    let thread = thread.unwrap();
    let child = role("every-kind")
        .inheriting()
        .with("EVENT", raw(&event))
        .with("MUTEX", raw(&mutex))
        .with("SEMAPHORE", raw(&semaphore))
        .with("MAPPING", raw(&mapping))
        .with("READER", raw(&to_child))
        .with("WRITER", raw(&from_child))
        .with("PROCESS", raw(&process))
        .with("PARENT", std::process::id())
        .with("THREAD", raw(&thread));
    assert_eq!(child.run(), 1);
    stop.set().unwrap();
    expect_signal(&thread);
    assert!(!signalled(&gate) && signalled(&event));
    assert!(signalled(&semaphore) && signalled(&semaphore) && !signalled(&semaphore));
    assert_eq!(mapping.view().unwrap().read_to_vec(0, 16).unwrap(), b"written by child");
    let mut bytes = [0; 10];
    assert_eq!(from_child_reader.pipe().receive(&mut bytes).unwrap(), 7);
    assert_eq!(&bytes[..7], b"through");
}

/// A bit for each of the handles that this process has.
fn count_handles() -> u32 {
    let numbers = argument("HANDLES");
    let numbers = numbers.split(',').map(|number| number.parse().unwrap());
    let has = |number: usize| handle::Handle::from_raw(RawHandle::new(number)).is_ok();
    numbers.enumerate().map(|(at, number)| u32::from(has(number)) << at).sum()
}

/// H3, H10, H14: handles of one object are inherited each for itself, however many there are.
#[test]
fn several_handles_of_one_object_are_all_inherited() {
    let _alone = alone();
    let (event, _pile) = event(false);
    let mapping = Mapping::anonymous(4096).unwrap();
    let (reader, _writer) = PipeOptions::new().create().unwrap();
    let named = named_event(&unique("several"));
    let here = Process::current();
    let objects = [
        raw(&event),
        raw(&mapping),
        raw(&reader),
        raw(&named),
        RawHandle::CURRENT_PROCESS.value(),
        RawHandle::CURRENT_THREAD.value(),
    ];
    let copy = |object: usize, inherit: bool| {
        let options = DuplicateOptions { inherit, ..DuplicateOptions::default() };
        let raw = handle::duplicate(&here, RawHandle::new(object), &here, options).unwrap();
        handle::Handle::from_raw(raw).unwrap()
    };
    for object in objects {
        let copies: Vec<_> = [true, false, true, true].map(|inherit| copy(object, inherit)).into();
        let numbers: Vec<String> = copies.iter().map(|copy| copy.as_raw().value().to_string()).collect();
        assert_eq!(role("count-handles").inheriting().with("HANDLES", numbers.join(",")).run(), 0b1101);
    }
}

fn rights() -> u32 {
    let event = Event::from_raw(handle("HANDLE")).unwrap();
    assert_eq!(code(wait::one(&event, Timeout::ZERO)), 0);
    code(event.set())
}

/// H14: with the rights it has, not more.
#[test]
fn an_inherited_handle_has_its_rights() {
    let _alone = alone();
    let (event, _pile) = event(false);
    let options = DuplicateOptions { access: Some(0x10_0000), inherit: true, close_source: false };
    let waits = event.as_handle().duplicate(options).unwrap();
    assert_eq!(role("rights").inheriting().with("HANDLE", raw(&waits)).run(), 5);
}

/// H25, R23.
#[test]
fn a_list_limits_what_is_inherited() {
    let _alone = alone();
    let (listed, _pile) = event(true);
    let unlisted = EventOptions::new().manual_reset(true).inherit(true).create().unwrap().object;
    let list = || Inherit::List(vec![listed.as_handle().as_raw()]);
    assert_eq!(role("set").inherit(list()).with("HANDLE", raw(&listed)).run(), 0);
    assert_eq!(role("set").inherit(list()).with("HANDLE", raw(&unlisted)).run(), 6);
    assert!(signalled(&listed) && !signalled(&unlisted));
}

fn hold_pipe() -> u32 {
    ready();
    wait_to_be_killed()
}

/// H19, P74, H4: a copy in a child is a holder like any other, to its end.
#[test]
fn a_childs_copy_keeps_a_pipe_open() {
    let _alone = alone();
    let here = unique("ready");
    let here_event = named_event(&here);
    let (reader, writer) = PipeOptions::new().create().unwrap();
    set_inherit(&writer, true);
    let child = role("hold-pipe").inheriting().with("READY", &here).start();
    expect_signal(&here_event);
    drop(writer);
    reader.pipe().set_mode(1).unwrap();
    assert_eq!(code(reader.pipe().receive(&mut [0])), 232, "empty, but not at its end");
    child.process.terminate(1).unwrap();
    exit_code(&child);
    assert_eq!(code(reader.pipe().receive(&mut [0])), 109);
}

/// H19: the same for names.
#[test]
fn a_childs_copy_keeps_a_name() {
    let _alone = alone();
    let (here, name) = (unique("ready"), unique("name"));
    let here_event = named_event(&here);
    let mapping = MappingOptions::new(4096).name(&name).inherit(true).create().unwrap().object;
    let child = role("hold-pipe").inheriting().with("READY", &here).start();
    // Not after the child has begun: its copy counts from the moment it was created.
    drop(mapping);
    assert_eq!(code(Mapping::open(&name)), 0);
    expect_signal(&here_event);
    assert_eq!(code(Mapping::open(&name)), 0);
    child.process.terminate(1).unwrap();
    exit_code(&child);
    eventually(2, "held by nobody", || code(Mapping::open(&name)));
}

fn idle() -> u32 {
    expect_signal(&Event::open(&argument("STOP")).unwrap());
    0
}

/// H20: a child that was started for others' sake, at any moment, holds no writer that is not inheritable, so
/// a reader sees the end at once.
#[test]
fn children_started_meanwhile_hold_nothing_that_is_not_theirs() {
    let _alone = alone();
    let stop = unique("stop");
    let stop_event = named_event(&stop);
    let inheritable = EventOptions::new().inherit(true).create().unwrap().object;
    let children = std::thread::scope(|scope| {
        let starter = scope.spawn(|| {
            (0..8).map(|_| role("idle").inheriting().with("STOP", &stop).start()).collect::<Vec<_>>()
        });
        let mut rounds = 0;
        while !starter.is_finished() || rounds < 50 {
            let (reader, writer) = PipeOptions::new().create().unwrap();
            writer.pipe().send(b"x").unwrap();
            drop(writer);
            assert_eq!(reader.pipe().receive(&mut [0; 2]).unwrap(), 1);
            assert_eq!(code(reader.pipe().receive(&mut [0; 2])), 109);
            rounds += 1;
        }
        starter.join().unwrap()
    });
    assert!(!signalled(&inheritable));
    stop_event.set().unwrap();
    assert!(children.iter().all(|child| exit_code(child) == 0));
}

/// H20 the other way round: what one thread makes inheritable for its child does not have to be waited for, and
/// the pipe of each child ends with that child.
#[test]
fn each_childs_pipe_ends_with_it() {
    let _alone = alone();
    let here = unique("ready");
    let here_event = EventOptions::new().name(&here).create().unwrap().object;
    let start = || {
        let (reader, writer) = PipeOptions::new().create().unwrap();
        set_inherit(&writer, true);
        let list = Inherit::List(vec![writer.as_handle().as_raw()]);
        let child = role("hold-pipe").inherit(list).with("READY", &here).start();
        expect_signal(&here_event);
        (reader, child)
    };
    let (first_reader, first) = start();
    let (second_reader, second) = start();
    first.process.terminate(1).unwrap();
    exit_code(&first);
    assert_eq!(code(first_reader.pipe().receive(&mut [0])), 109, "the second child has no copy of it");
    second_reader.pipe().set_mode(1).unwrap();
    assert_eq!(code(second_reader.pipe().receive(&mut [0])), 232);
    second.process.terminate(1).unwrap();
    exit_code(&second);
    assert_eq!(wait::one(&here_event, A_MOMENT).unwrap(), Wait::Timeout);
}

/// H9: whether the handles returned for the child itself are inheritable is asked for apart.
#[test]
fn the_childs_own_handles_can_be_made_inheritable() {
    let _alone = alone();
    let here = unique("ready");
    let here_event = named_event(&here);
    let child = role("hold-pipe").inherit_returned(true, false).with("READY", &here).start();
    expect_signal(&here_event);
    assert!(!child.thread.as_handle().information().unwrap().inherit);
    differs_under_wine!("H9", child.process.as_handle().information().unwrap().inherit);
    child.process.terminate(1).unwrap();
    exit_code(&child);
}
