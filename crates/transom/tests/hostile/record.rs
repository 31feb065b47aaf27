//! Random bytes over another process's record, and rows that a peer wrote with a purpose.

use std::fs::File;
use std::os::unix::fs::FileExt;

use transom::event::Event;
use transom::handle::{self, AsHandle, DuplicateOptions, FromHandle, Handle, HandleFlags, RawHandle, ext};
use transom::mapping::Mapping;
use transom::mutex::Mutex;
use transom::pipe;
use transom::process::{Inherit, PROCESS_ALL_ACCESS, Process};
use transom::wait;
use transom_core::access::Kind;
use transom_core::record::{SLOT_SIZE, Slot, SlotState, handle_value, process as layout, slot_index};

use crate::peer::{Random, descriptors, number, record_of, same_file, write_u32, write_u64};
use crate::support::{
    PATIENCE, With, argument, code, exit_code, expect_signal, handle as told, limit, named_event, ready,
    role, signalled, unique,
};

/// Where a row begins.
fn at(index: usize) -> usize {
    layout::SLOTS + index * SLOT_SIZE
}

/// Writes a row, as its process alone should.
pub fn plant(record: &File, index: usize, slot: &Slot, state: SlotState) {
    for (word, value) in slot.body().into_iter().enumerate() {
        write_u64(record, at(index) + 8 * (word + 1), value);
    }
    write_u64(record, at(index), Slot::head(slot.kind, state));
}

/// The row of a handle of this process.
fn index_of(raw: RawHandle) -> usize {
    slot_index(raw.value()).expect("a value")
}

/// Rows that no handle of this process has, far from those that it uses.
const FAR: usize = 40_000;

/// A row that names a descriptor of its process, written by a peer: nothing.
#[test]
fn a_row_that_a_peer_wrote_is_no_handle() {
    let _limit = limit();
    let mine = tempfile::tempfile().unwrap();
    let record = record_of_this_process();
    let kinds = [Kind::File, Kind::Pipe, Kind::Event, Kind::Mapping, Kind::Process, Kind::Thread];
    for (step, kind) in kinds.into_iter().enumerate() {
        for (more, state) in
            [SlotState::Open, SlotState::ClosedByPeer, SlotState::Reserved].into_iter().enumerate()
        {
            let index = FAR + 10 * step + more;
            let number = number(&mine);
            let slot = Slot {
                kind: kind as u32,
                access: u32::MAX,
                descriptor: number,
                hold: number,
                record: number,
                ..Slot::EMPTY
            };
            plant(&record, index, &slot, state);
            let raw = RawHandle::new(handle_value(index));
            assert_eq!(code(Handle::from_raw(raw)), 6, "{kind:?} {state:?}");
            assert_eq!(code(handle::close(raw)), 6);
            assert!(mine.metadata().is_ok(), "the descriptor is still this test's");
        }
    }
}

/// This process has one as soon as it has a handle.
fn record_of_this_process() -> File {
    let _ = Event::new(true).unwrap();
    record_of(std::process::id())
}

/// A row that a peer marks as free while its handle lives is not given out a second time.
#[test]
fn a_row_marked_as_free_still_belongs_to_its_handle() {
    let _limit = limit();
    let record = record_of_this_process();
    let kept = Event::new(true).unwrap();
    let value = kept.as_handle().as_raw();
    write_u64(&record, at(index_of(value)), Slot::head(0, SlotState::Free));
    let others: Vec<Event> = (0..300).map(|_| Event::new(false).unwrap()).collect();
    assert!(others.iter().all(|other| other.as_handle().as_raw() != value));
    kept.set().unwrap();
    assert!(signalled(&*Handle::borrow(value).unwrap()));
    assert!(others.iter().all(|other| !signalled(other)));
}

/// What a peer writes into the flags of a handle neither keeps it open nor passes it on to children.
#[test]
fn flags_that_a_peer_wrote_mean_nothing() {
    let _limit = limit();
    let record = record_of_this_process();
    let event = Event::new(true).unwrap();
    let raw = event.as_handle().as_raw();
    write_u32(&record, at(index_of(raw)) + 12, 3);
    assert_eq!(event.as_handle().information().unwrap(), HandleFlags::default());
    let child = role("values").with("VALUES", raw.value()).with("EXPECTED", "6").inheriting().start();
    assert_eq!(exit_code(&child), 0, "not inherited");
    assert_eq!(code(event.as_handle().try_clone().unwrap().close()), 0);
    assert_eq!(code(handle::close(event.into_handle().into_raw())), 0);
    // And the other way round: what this process said stays.
    let event = Event::new(true).unwrap();
    let flags = HandleFlags { inherit: true, protect_from_close: true };
    event.as_handle().set_information(flags).unwrap();
    write_u32(&record, at(index_of(event.as_handle().as_raw())) + 12, 0);
    write_u32(&record, layout::USED, 0);
    assert_eq!(event.as_handle().information().unwrap(), flags);
    let value = event.as_handle().as_raw();
    assert_eq!(code(handle::close(value)), 6);
    let child = role("values").with("VALUES", value.value()).with("EXPECTED", "0").inheriting().start();
    assert_eq!(exit_code(&child), 0, "inherited");
    event.as_handle().set_information(HandleFlags::default()).unwrap();
}

/// A table that a peer has filled up by writing it has room all the same, except where it says that another
/// process is just putting handles: those rows might be theirs.
#[test]
fn a_table_full_of_forged_rows_has_room() {
    let _limit = limit();
    let here = unique("ready");
    let event = named_event(&here);
    let child = role("bystander").with("READY", &here).suspended(true).start();
    let record = record_of(child.process_id);
    let forged = Slot::head(1, SlotState::Open);
    let mut table = vec![0; layout::SLOT_COUNT * SLOT_SIZE];
    for row in table.chunks_exact_mut(SLOT_SIZE) {
        row[..8].copy_from_slice(&forged.to_le_bytes());
        // Descriptors of nothing.
        row[16..24].fill(0xFF);
        row[24..28].fill(0xFF);
    }
    record.write_all_at(&table, layout::SLOTS as u64).unwrap();
    // Some of them are seen at the start, the others only when there is no room.
    write_u32(&record, layout::USED, 1000);
    child.thread.resume().unwrap();
    // It could open the event.
    expect_signal(&event);
    child.process.terminate(1).unwrap();
}

/// What stands behind H21: a row whose inherited handle was closed is never taken over again, whoever
/// writes it; its descriptor's number is somebody else's by then.
pub fn reopened() -> u32 {
    let raw = told("HANDLE");
    let row = index_of(raw);
    let before = Handle::from_raw(raw).unwrap();
    let record = record_of(std::process::id());
    let mut slot = [0; SLOT_SIZE];
    record.read_exact_at(&mut slot, at(row) as u64).unwrap();
    drop(before);
    // Takes the number that the handle had.
    let files: Vec<File> = (0..20).map(|_| tempfile::tempfile().unwrap()).collect();
    let names = slot[16..20].try_into().map(i32::from_le_bytes).unwrap();
    assert!(files.iter().any(|file| number(file) == names), "one of them has the number {names}");
    record.write_all_at(&slot, at(row) as u64).unwrap();
    assert_eq!(code(Handle::from_raw(raw)), 6);
    assert!(files.iter().all(|file| file.metadata().is_ok()));
    0
}

#[test]
fn a_closed_inherited_handle_does_not_come_back() {
    let _limit = limit();
    let (reader, _writer) = pipe::PipeOptions::new().inherit(true).create().unwrap();
    let raw = reader.pipe().as_handle().as_raw();
    let child = role("reopened").with("HANDLE", raw.value()).inherit(Inherit::List(vec![raw])).start();
    assert_eq!(exit_code(&child), 0);
}

/// Scribbles over the record of the process in the arguments, until it is killed.
pub fn scribbler() -> u32 {
    let id = argument("VICTIM").parse().unwrap();
    let record = record_of(id);
    let mut random = Random::new(4711);
    loop {
        match random.below(10) {
            0 => record.write_all_at(&random.bytes(96), 0).unwrap(),
            1 => write_u32(&record, layout::USED, random.next() as u32),
            2 => write_u64(&record, layout::COOKIE, random.next()),
            3 => write_u64(&record, layout::EXIT, random.next()),
            4 => record.write_all_at(&random.bytes(4096), random.below(layout::SLOTS as u64)).unwrap(),
            5 => {
                let count = random.below(2000) as usize;
                record
                    .write_all_at(&random.bytes(count), (layout::SLOTS as u64) + random.below(100_000))
                    .unwrap();
            }
            _ => {
                let head = Slot::head(
                    1 + random.below(8) as u32,
                    [SlotState::Free, SlotState::Reserved, SlotState::Open, SlotState::ClosedByPeer]
                        [random.below(4) as usize],
                );
                write_u64(&record, at(random.below(200) as usize), head);
            }
        }
        for _ in 0..random.below(20) {
            std::thread::yield_now();
        }
    }
}

/// Makes, uses and closes handles while somebody scribbles over its record. A handle may be closed by that, as a
/// peer that may duplicate handles can close them; everything else is as ever.
pub fn honest() -> u32 {
    // What a handle answers that may have been closed by a peer a moment ago.
    let fine = |code: u32| assert!([0, 6].contains(&code), "{code}");
    let file = tempfile::tempfile().unwrap();
    let second = file.try_clone().unwrap();
    let mut before = 0;
    ready();
    for round in 0..400 {
        let event = Event::new(true);
        fine(code(event.as_ref().map(|_| ()).map_err(Clone::clone)));
        if let Ok(event) = &event {
            fine(code(event.set()));
            fine(code(wait::one(event, PATIENCE)));
            fine(code(event.as_handle().try_clone()));
        }
        if let Ok(view) = Mapping::anonymous(8192).and_then(|mapping| mapping.view()) {
            view.write(0, b"whole").unwrap();
            assert_eq!(view.read_to_vec(0, 5).unwrap(), b"whole");
        }
        if let Ok(mutex) = Mutex::new() {
            let taken = wait::one(&mutex, PATIENCE);
            if taken.is_ok() {
                fine(code(mutex.release()));
            }
        }
        if let Ok((reader, writer)) = pipe::anonymous()
            && code(writer.pipe().send(b"x")) == 0
        {
            fine(code(reader.pipe().receive(&mut [0])));
        }
        if let Ok(adopted) = ext::adopt_file(file.try_clone().unwrap(), true) {
            assert!(adopted.kind().is_some());
        }
        let value = RawHandle::new(handle_value((round * 7) % 220));
        if let Ok(handle) = Handle::borrow(value) {
            // Something of this process's own, since nothing lives over the rounds: it cannot be.
            panic!("{value:?} is {:?}", handle.kind());
        }
        if round % 100 == 50 {
            // The child's record is another one, and what is inherited is said by this process alone.
            let child = role("values").with("VALUES", 4).with("EXPECTED", "6").start();
            fine(code(wait::one(&child.process, PATIENCE)));
        }
        if round == 120 {
            before = descriptors();
        }
        assert!(same_file(&file, &second));
    }
    // A child that has not been missed yet is one more.
    assert!(descriptors() <= before + 3, "{before} descriptors have become {}", descriptors());
    std::fs::write(argument("DONE"), "done").unwrap();
    0
}

#[test]
fn random_bytes_over_a_record_harm_nobody_but_its_handles() {
    let _limit = limit();
    let here = unique("ready");
    let event = named_event(&here);
    let folder = tempfile::tempdir().unwrap();
    let done = folder.path().join("done");
    let victim = role("honest-with-record").with("READY", &here).with("DONE", done.display()).start();
    expect_signal(&event);
    let scribbler = role("scribbler-of-record").with("VICTIM", victim.process_id).start();
    expect_signal(&victim.process);
    scribbler.process.terminate(1).unwrap();
    exit_code(&scribbler);
    // Its exit code stood in the record too, so it says otherwise that it came to its end.
    assert!(victim.process.exit_code().unwrap().is_some());
    assert!(done.exists());
}

/// Takes handles out of a process whose record lies.
pub fn duplicator() -> u32 {
    let id = argument("VICTIM").parse().unwrap();
    let record = record_of(id);
    let from = Process::open(id, PROCESS_ALL_ACCESS, false).unwrap();
    let take = || {
        for kind in 0..12 {
            for number in [0, 1, 2, 3, 5, 900, i32::MAX, -1, i32::MIN] {
                let slot = Slot {
                    kind,
                    access: u32::MAX,
                    descriptor: number,
                    hold: number,
                    record: number,
                    size: 1 << 40,
                    detail: 4,
                    ..Slot::EMPTY
                };
                plant(&record, FAR, &slot, SlotState::Open);
                let raw = RawHandle::new(handle_value(FAR));
                if let Ok(handle) = Handle::duplicate_from(&from, raw, DuplicateOptions::default()) {
                    // A file, stream or process, which any process of this user may open; no page or record.
                    let kind = handle.kind().unwrap();
                    let page = matches!(kind, Kind::Event | Kind::Mutex | Kind::Semaphore);
                    assert!(!page, "{number} gives {kind:?}");
                }
            }
        }
    };
    take();
    let before = descriptors();
    take();
    assert_eq!(descriptors(), before, "descriptors were lost");
    0
}

/// What stands in a record is of no use for reaching descriptors: duplicating out of a process whose record lies
/// gives what the kernel lets this user open, checked for what it is, or an error.
#[test]
fn duplicating_out_of_a_process_with_a_forged_record_gives_errors() {
    let _limit = limit();
    let here = unique("ready");
    let event = named_event(&here);
    let child = role("bystander").with("READY", &here).start();
    expect_signal(&event);
    assert_eq!(role("duplicator").with("VICTIM", child.process_id).run(), 0);
    child.process.terminate(1).unwrap();
}
