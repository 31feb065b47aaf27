//! What both systems show about handles within one process (handles.md). Inheritance and duplication between
//! processes are in `tests/inheritance.rs` and `tests/duplication.rs`.

use transom_core::access::{
    EVENT_ALL_ACCESS, EVENT_MODIFY_STATE, FILE_READ_DATA, FILE_WRITE_DATA, SYNCHRONIZE,
};

use crate::event::{Event, EventOptions};
use crate::handle::{
    AsHandle, DuplicateOptions, FromHandle, Handle, HandleFlags, RawHandle, close, duplicate,
};
use crate::mapping::{FILE_MAP_READ, Mapping, MappingOptions};
use crate::mutex::{Mutex, MutexOptions};
use crate::pipe;
use crate::process::Process;
use crate::semaphore::{Semaphore, SemaphoreOptions};
use crate::support::{NEVER_ISSUED, With, child, code, limit, named_event, role_at, signalled, unique};
use crate::thread::{Thread, ThreadOptions};
use crate::wait::{self, Timeout, Wait};

const ENTRY: &str = "handle::tests::child_entry";

/// Numbers that are free may be given to another thread at any moment, so what concerns them is shown in a
/// process where nothing else happens.
#[test]
fn child_entry() {
    child(&[("closed", closed_numbers), ("protected", protected_handles)]);
}

fn set() -> Event {
    EventOptions::new().manual_reset(true).initial(true).create().unwrap().object
}

fn flags(inherit: bool, protect_from_close: bool) -> HandleFlags {
    HandleFlags { inherit, protect_from_close }
}

fn with_access(access: u32) -> DuplicateOptions {
    DuplicateOptions { access: Some(access), ..DuplicateOptions::default() }
}

/// Handles.md, section 1: the numbers.
#[test]
fn numbers_are_multiples_of_four_and_never_0() {
    let _limit = limit();
    let events: Vec<Event> = (0..100).map(|_| set()).collect();
    for event in &events {
        let raw = event.as_handle().as_raw();
        assert_eq!(raw.value() % 4, 0);
        assert!(raw != RawHandle::NULL && !raw.is_pseudo());
    }
    let mut numbers: Vec<_> = events.iter().map(|event| event.as_handle().as_raw()).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 100, "each has its own");
}

/// H1, in a process of its own.
#[test]
fn a_closed_number_is_6_for_every_call() {
    let _limit = limit();
    assert_eq!(role_at(ENTRY, "closed").run(), 0);
}

fn closed_numbers() -> u32 {
    let raw = set().as_handle().try_clone().unwrap().into_raw();
    assert_eq!(code(close(raw)), 0);
    assert_eq!(code(close(raw)), 6);
    assert_eq!(code(Event::borrow(raw).and_then(|event| event.set())), 6);
    assert_eq!(code(Handle::borrow(raw).and_then(|handle| wait::one(&*handle, Timeout::ZERO))), 6);
    assert_eq!(code(Handle::borrow(raw).and_then(|handle| handle.information())), 6);
    assert_eq!(code(Handle::borrow(raw).and_then(|handle| handle.set_information(flags(true, false)))), 6);
    assert_eq!(code(Handle::borrow(raw).and_then(|handle| handle.try_clone())), 6);
    // A value whose number somebody closed behind its back.
    let event = set();
    close(event.as_handle().as_raw()).unwrap();
    assert_eq!(code(event.set()), 6);
    assert_eq!(code(wait::one(&event, Timeout::ZERO)), 6);
    assert_eq!(code(event.as_handle().information()), 6);
    std::mem::forget(event);
    let event = set();
    close(event.as_handle().as_raw()).unwrap();
    assert_eq!(code(event.as_handle().try_clone()), 6);
    0
}

/// H2.
#[test]
fn closing_null_is_6_and_pseudo_handles_need_no_closing() {
    let _limit = limit();
    assert_eq!(code(close(RawHandle::NULL)), 6);
    assert_eq!(code(close(NEVER_ISSUED)), 6);
    for pseudo in [RawHandle::CURRENT_PROCESS, RawHandle::CURRENT_THREAD, RawHandle::INVALID] {
        assert_eq!(code(close(pseudo)), 0);
        assert_eq!(code(Handle::from_raw(pseudo)), 6, "nobody owns one");
    }
    assert!(!signalled(&Process::current()));
}

/// H3, H10.
#[test]
fn two_handles_of_one_object_are_independent() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    let options = DuplicateOptions { access: Some(SYNCHRONIZE), inherit: true, close_source: false };
    let copy = event.as_handle().duplicate(options).unwrap();
    assert_eq!(copy.information().unwrap(), flags(true, false));
    assert_eq!(event.as_handle().information().unwrap(), flags(false, false));
    event.set().unwrap();
    drop(event);
    assert!(signalled(&copy));
    assert_eq!(code(Event::from_handle(copy).unwrap().set()), 5, "its rights are its own");
}

/// H7.
#[test]
fn a_protected_handle_refuses_to_close() {
    let _limit = limit();
    assert_eq!(role_at(ENTRY, "protected").run(), 0);
}

fn protected_handles() -> u32 {
    let event = set();
    event.as_handle().set_information(flags(false, true)).unwrap();
    assert_eq!(event.as_handle().information().unwrap(), flags(false, true));
    let raw = event.as_handle().as_raw();
    assert_eq!(code(close(raw)), 6);
    drop(event);
    let event = Event::from_raw(raw).unwrap();
    event.reset().unwrap();
    assert!(!signalled(&event));
    event.as_handle().set_information(flags(false, false)).unwrap();
    assert_eq!(code(close(raw)), 0);
    assert_eq!(code(close(raw)), 6);
    std::mem::forget(event);
    0
}

/// H9.
#[test]
fn handles_are_inheritable_only_if_somebody_says_so() {
    let _limit = limit();
    let name = unique("inherit");
    let event = EventOptions::new().name(&name).create().unwrap().object;
    assert_eq!(event.as_handle().information().unwrap(), flags(false, false));
    let created = EventOptions::new().inherit(true).create().unwrap().object;
    assert_eq!(created.as_handle().information().unwrap(), flags(true, false));
    let opened = EventOptions::new().name(&name).inherit(true).open().unwrap();
    assert_eq!(opened.as_handle().information().unwrap(), flags(true, false));
    event.as_handle().set_information(flags(true, false)).unwrap();
    assert_eq!(event.as_handle().information().unwrap(), flags(true, false));
    event.as_handle().set_information(flags(false, false)).unwrap();
    assert_eq!(event.as_handle().information().unwrap(), flags(false, false));
}

/// H9 for every kind that has the wish.
#[test]
fn every_kind_can_be_made_inheritable_at_creation() {
    let _limit = limit();
    let inheritable = |object: &dyn AsHandle| object.as_handle().information().unwrap().inherit;
    assert!(inheritable(&MutexOptions::new().inherit(true).create().unwrap().object));
    assert!(inheritable(&SemaphoreOptions::new(0, 1).inherit(true).create().unwrap().object));
    assert!(inheritable(&MappingOptions::new(4096).inherit(true).create().unwrap().object));
    assert!(inheritable(&ThreadOptions::new().inherit(true).spawn(|| 0).unwrap()));
    let (reader, writer) = pipe::PipeOptions::new().inherit(true).create().unwrap();
    assert!(inheritable(&reader) && inheritable(&writer));
    let (reader, writer) = pipe::anonymous().unwrap();
    assert!(!inheritable(&reader) && !inheritable(&writer));
}

/// H11: both flags are set as told; neither touches the other.
#[test]
fn each_flag_is_set_by_itself() {
    let _limit = limit();
    let event = set();
    let handle = event.as_handle();
    for (inherit, protect) in [(true, false), (true, true), (false, true), (false, false)] {
        handle.set_information(flags(inherit, protect)).unwrap();
        assert_eq!(handle.information().unwrap(), flags(inherit, protect));
    }
}

/// H12.
#[test]
fn a_second_creators_wish_is_for_its_own_handle() {
    let _limit = limit();
    let name = unique("wish");
    let first = EventOptions::new().name(&name).create().unwrap();
    let second = EventOptions::new().name(&name).inherit(true).create().unwrap();
    assert!(second.existed);
    assert!(second.object.as_handle().information().unwrap().inherit);
    assert!(!first.object.as_handle().information().unwrap().inherit);
}

/// H26.
#[test]
fn a_duplicate_is_the_same_object() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    let copy = Event::from_handle(event.as_handle().try_clone().unwrap()).unwrap();
    assert_ne!(copy.as_handle().as_raw(), event.as_handle().as_raw());
    assert!(copy.as_handle().same_object(event.as_handle()));
    assert!(!copy.as_handle().same_object(set().as_handle()));
    copy.set().unwrap();
    assert!(signalled(&event));
    let mapping = Mapping::anonymous(4096).unwrap();
    let copy = Mapping::from_handle(mapping.as_handle().try_clone().unwrap()).unwrap();
    mapping.view().unwrap().store_u8(0, 9).unwrap();
    assert_eq!(copy.view().unwrap().load_u8(0).unwrap(), 9);
}

/// H27: the rights of the source.
#[test]
fn the_same_access_is_the_sources() {
    let _limit = limit();
    let name = unique("same");
    let _event = named_event(&name);
    let waits = EventOptions::new().name(&name).access(SYNCHRONIZE).open().unwrap();
    let copy = Event::from_handle(waits.as_handle().try_clone().unwrap()).unwrap();
    assert_eq!(code(copy.set()), 5);
    assert!(!signalled(&copy));
}

/// H28.
#[test]
fn a_duplicate_has_the_rights_asked_for() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    let waits = Event::from_handle(event.as_handle().duplicate(with_access(SYNCHRONIZE)).unwrap()).unwrap();
    assert_eq!(code(waits.set()), 5);
    assert!(!signalled(&waits));
    let sets =
        Event::from_handle(event.as_handle().duplicate(with_access(EVENT_MODIFY_STATE)).unwrap()).unwrap();
    sets.set().unwrap();
    assert_eq!(code(wait::one(&sets, Timeout::ZERO)), 5);
    assert!(signalled(&waits));
    let mapping = Mapping::anonymous(4096).unwrap();
    let reads = mapping.as_handle().duplicate(with_access(FILE_MAP_READ)).unwrap();
    let reads = Mapping::from_handle(reads).unwrap();
    assert_eq!(code(reads.view()), 5);
    assert_eq!(code(reads.view_read_only()), 0);
}

/// H29: what the object's security grants may be gained, except on pipes (and files).
#[test]
fn a_duplicate_may_gain_rights_but_not_on_a_pipe() {
    let _limit = limit();
    let name = unique("gain");
    let _event = named_event(&name);
    let waits = EventOptions::new().name(&name).access(SYNCHRONIZE).open().unwrap();
    let all = waits.as_handle().duplicate(with_access(EVENT_ALL_ACCESS)).unwrap();
    Event::from_handle(all).unwrap().set().unwrap();
    assert!(signalled(&waits));
    let (reader, writer) = pipe::anonymous().unwrap();
    let more = [
        code(reader.as_handle().duplicate(with_access(FILE_READ_DATA | FILE_WRITE_DATA))),
        code(writer.as_handle().duplicate(with_access(FILE_READ_DATA))),
    ];
    crate::differs_under_wine!("H29", more == [5, 5]);
    assert_eq!(code(reader.as_handle().duplicate(with_access(FILE_READ_DATA))), 0);
}

/// H30.
#[test]
fn a_duplicate_without_rights_can_only_be_closed() {
    let _limit = limit();
    let event = set();
    let nothing = Event::from_handle(event.as_handle().duplicate(with_access(0)).unwrap()).unwrap();
    assert_eq!(code(nothing.set()), 5);
    assert_eq!(code(wait::one(&nothing, Timeout::ZERO)), 5);
    let mapping = Mapping::anonymous(4096).unwrap();
    let nothing_mapped = mapping.as_handle().duplicate(with_access(0)).unwrap();
    assert_eq!(code(Mapping::from_handle(nothing_mapped).unwrap().view_read_only()), 5);
    assert_eq!(code(close(nothing.as_handle().try_clone().unwrap().into_raw())), 0);
}

/// H31, in one process.
#[test]
fn closing_the_source_leaves_the_duplicate_alone() {
    let _limit = limit();
    let name = unique("close-source");
    let event = named_event(&name);
    let here = Process::current();
    let options = DuplicateOptions { close_source: true, ..DuplicateOptions::default() };
    let copy = duplicate(&here, event.as_handle().as_raw(), &here, options).unwrap();
    // Its number is not ours any more, and may even be the copy's.
    std::mem::forget(event);
    let copy = Event::from_raw(copy).unwrap();
    copy.set().unwrap();
    assert!(signalled(&copy));
    drop(copy);
    assert_eq!(code(Event::open(&name)), 2, "no other handle is left");
}

/// H33.
#[test]
fn duplicates_of_pseudo_handles_are_real() {
    let _limit = limit();
    let here = Process::current();
    let raw = duplicate(&here, RawHandle::CURRENT_PROCESS, &here, DuplicateOptions::default()).unwrap();
    assert!(!raw.is_pseudo());
    let process = Process::from_raw(raw).unwrap();
    assert_eq!(process.id().unwrap(), std::process::id());
    assert_eq!(wait::one(&process, Timeout::ZERO).unwrap(), Wait::Timeout);
    let raw = duplicate(&here, RawHandle::CURRENT_THREAD, &here, DuplicateOptions::default()).unwrap();
    let thread = Thread::from_raw(raw).unwrap();
    assert_eq!(thread.id().unwrap(), crate::thread::current_id());
    assert!(!signalled(&thread));
}

/// H35.
#[test]
fn a_duplications_inherit_wish_is_for_the_new_handle() {
    let _limit = limit();
    let event = EventOptions::new().inherit(true).create().unwrap().object;
    let copy = event.as_handle().try_clone().unwrap();
    assert!(!copy.information().unwrap().inherit);
    assert!(event.as_handle().information().unwrap().inherit);
}

/// H36: nobody looks at the number, and everything goes on.
#[test]
fn a_duplicate_nobody_asks_for_is_a_handle_like_others() {
    let _limit = limit();
    let name = unique("unknown");
    let event = named_event(&name);
    let here = Process::current();
    let unknown = duplicate(&here, event.as_handle().as_raw(), &here, DuplicateOptions::default()).unwrap();
    drop(event);
    assert_eq!(code(Event::open(&name)), 0, "it keeps the name");
    close(unknown).unwrap();
    assert_eq!(code(Event::open(&name)), 2);
}

/// Handles.md, section 3.
#[test]
fn duplicating_what_does_not_exist_is_6() {
    let _limit = limit();
    let here = Process::current();
    for number in [RawHandle::NULL, NEVER_ISSUED] {
        assert_eq!(code(duplicate(&here, number, &here, DuplicateOptions::default())), 6);
    }
    let event = set();
    let no_process = Process::borrow(event.as_handle().as_raw());
    let result = no_process.and_then(|process| {
        duplicate(&process, event.as_handle().as_raw(), &here, DuplicateOptions::default())
    });
    assert_eq!(code(result), 6);
}

/// H37.
#[test]
fn all_handles_of_a_mutex_act_for_the_thread() {
    let _limit = limit();
    let mutex = MutexOptions::new().initial_owner(true).create().unwrap().object;
    let copy = Mutex::from_handle(mutex.as_handle().try_clone().unwrap()).unwrap();
    copy.release().unwrap();
    assert_eq!(code(mutex.release()), 288);
}

/// H42.
#[test]
fn a_creator_may_do_everything_with_its_handle() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    assert_eq!([code(event.set()), code(event.reset()), code(wait::one(&event, Timeout::ZERO))], [0; 3]);
    let semaphore = Semaphore::new(1, 2).unwrap();
    assert!(signalled(&semaphore));
    semaphore.release(1).unwrap();
    let all = event.as_handle().duplicate(with_access(EVENT_ALL_ACCESS));
    assert_eq!(code(all), 0);
}

/// Section 3: a handle of one kind where another is needed.
#[test]
fn another_kind_is_6() {
    let _limit = limit();
    let (event, mutex, semaphore) = (set(), Mutex::new().unwrap(), Semaphore::new(0, 1).unwrap());
    let mapping = Mapping::anonymous(4096).unwrap();
    let raw = |object: &dyn AsHandle| object.as_handle().as_raw();
    assert_eq!(code(Event::borrow(raw(&mutex)).and_then(|event| event.set())), 6);
    assert_eq!(code(Event::borrow(raw(&semaphore)).and_then(|event| event.reset())), 6);
    assert_eq!(code(Event::borrow(raw(&mapping)).and_then(|event| event.set())), 6);
    assert_eq!(code(Mutex::borrow(raw(&event)).and_then(|mutex| mutex.release())), 6);
    assert_eq!(code(Semaphore::borrow(raw(&mutex)).and_then(|semaphore| semaphore.release(1))), 6);
    assert_eq!(code(Semaphore::borrow(raw(&event)).and_then(|semaphore| semaphore.release(1))), 6);
    assert_eq!(code(Mapping::borrow(raw(&event)).and_then(|mapping| mapping.view())), 6);
    assert_eq!(code(Process::borrow(raw(&event)).and_then(|process| process.exit_code())), 6);
    assert_eq!(code(Thread::borrow(raw(&event)).and_then(|thread| thread.exit_code())), 6);
    assert_eq!(code(pipe::Pipe::borrow(raw(&event)).and_then(|pipe| pipe.receive(&mut [0]))), 6);
    assert_eq!(code(pipe::Pipe::borrow(raw(&mapping)).and_then(|pipe| pipe.peek(&mut [0]))), 6);
}

/// Handles are made and closed by many threads at once; each gets what it made.
#[test]
fn threads_do_not_get_in_each_others_way() {
    let _limit = limit();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..200 {
                    let event = EventOptions::new()
                        .manual_reset(true)
                        .initial(round % 2 == 0)
                        .create()
                        .unwrap()
                        .object;
                    let copy = event.as_handle().try_clone().unwrap();
                    drop(event);
                    assert_eq!(signalled(&copy), round % 2 == 0);
                }
            });
        }
    });
}

/// A borrowed object is used and not closed.
#[test]
fn borrowing_does_not_close() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    let raw = event.as_handle().as_raw();
    Event::borrow(raw).unwrap().set().unwrap();
    assert!(signalled(&event));
    let again = Event::from_raw(event.as_handle().try_clone().unwrap().into_raw()).unwrap();
    again.reset().unwrap();
    assert!(!signalled(&event));
}
