//! Messages in another process's inbox: garbage, and rows with descriptors that are not what they say.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;

use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, DuplicateOptions, Handle, RawHandle};
use transom::mapping::{Mapping, View};
use transom::process::Child;
use transom::wait::{self, Timeout, Wait};
use transom_core::access::Kind;
use transom_core::delivery;
use transom_core::record::{PAGE_MAGIC, Slot, SlotState, VERSION, handle_value, page, process as layout};
use transom_core::word;
use transom_sys::linux::{Errno, inbox, lock, memfd, pipe};

use crate::peer::{Random, descriptors, duplicate, entry_path, record_of, write_u32, write_u64};
use crate::record::plant;
use crate::support::{
    PATIENCE, With, argument, code, exit_code, expect_signal, limit, named_event, role, unique,
};

/// Rows for what is planted; the receiver itself never comes so far.
const ROW: usize = 30_000;

/// Bytes of the note: how many values, then each value and what became of it.
const NOTE: u64 = 65_536;

/// Looks at the values in the note whenever it is told to, and writes down what they are.
pub fn receiver() -> u32 {
    let name = argument("NAME");
    let go = Event::open(&format!("{name}-go")).unwrap();
    let done = Event::open(&format!("{name}-done")).unwrap();
    let note = Mapping::open(&format!("{name}-note")).unwrap().view().unwrap();
    let mut before = None;
    loop {
        done.set().unwrap();
        expect_signal(&go);
        let count = note.load_u64(0).unwrap();
        if count == u64::MAX {
            return 0;
        }
        for index in 0..count as usize {
            let raw = RawHandle::new(note.load_u64(16 + 16 * index).unwrap() as usize);
            let handle = Handle::from_raw(raw);
            let found = match &handle {
                Ok(handle) => use_it(handle),
                Err(error) => error.code().value(),
            };
            note.store_u64(24 + 16 * index, u64::from(found)).unwrap();
        }
        note.store_u64(8, descriptors() as u64).unwrap();
        assert!(*before.get_or_insert(descriptors()) + 80 > descriptors(), "descriptors were lost");
    }
}

/// What a handle is good for: 0, or the error of using it.
fn use_it(handle: &Handle) -> u32 {
    match handle.kind().unwrap() {
        Kind::Event | Kind::Mutex | Kind::Semaphore | Kind::Thread | Kind::Process => {
            code(wait::one(&Borrowing(handle), Timeout::millis(5)))
        }
        _ => code(handle.information()),
    }
}

struct Borrowing<'a>(&'a Handle);

impl AsHandle for Borrowing<'_> {
    fn as_handle(&self) -> &Handle {
        self.0
    }
}

/// The receiver, seen from the hostile side.
struct Receiver {
    child: Child,
    go: Event,
    done: Event,
    note: View,
    record: File,
    inbox: Vec<u8>,
    next: usize,
}

impl Receiver {
    fn start() -> Receiver {
        let name = unique("receiver");
        let event = |what: &str| EventOptions::new().name(&format!("{name}-{what}")).create().unwrap().object;
        let (go, done) = (event("go"), event("done"));
        let mapping = Mapping::create(&format!("{name}-note"), NOTE).unwrap().object;
        let note = mapping.view().unwrap();
        let child = role("receiver").with("NAME", &name).start();
        expect_signal(&done);
        let record = record_of(child.process_id);
        let mut cookie = [0; 16];
        record.read_exact_at(&mut cookie, layout::COOKIE as u64).unwrap();
        let digits: String = cookie.iter().map(|byte| format!("{byte:02x}")).collect();
        Receiver { child, go, done, note, record, inbox: format!("transom/{digits}").into_bytes(), next: ROW }
    }

    /// Lets it look at these values; what it found.
    fn look(&self, values: &[usize]) -> Vec<u32> {
        self.note.store_u64(0, values.len() as u64).unwrap();
        for (index, value) in values.iter().enumerate() {
            self.note.store_u64(16 + 16 * index, *value as u64).unwrap();
            self.note.store_u64(24 + 16 * index, u64::MAX).unwrap();
        }
        self.go.set().unwrap();
        let woken = wait::any(&[&self.done, &self.child.process], PATIENCE).unwrap();
        assert_eq!(woken, Wait::Object(0), "the receiver lives");
        (0..values.len()).map(|index| self.note.load_u64(24 + 16 * index).unwrap() as u32).collect()
    }

    fn send(&self, message: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<(), Errno> {
        inbox::deliver(&self.inbox, message, descriptors)
    }

    /// Plants a reserved row, sends what is to be in it, and gives the value.
    fn plant(&mut self, slot: &Slot, descriptors: &[BorrowedFd<'_>]) -> usize {
        self.next += 1;
        plant(&self.record, self.next, &Slot { kind: 0, ..Slot::EMPTY }, SlotState::Reserved);
        self.send(&delivery::encode(self.next, slot), descriptors).unwrap();
        handle_value(self.next)
    }

    /// An honest duplicate.
    fn give(&self, event: &Event) -> usize {
        event.as_handle().duplicate_into(&self.child.process, DuplicateOptions::default()).unwrap().value()
    }

    fn end(self) {
        self.note.store_u64(0, u64::MAX).unwrap();
        self.go.set().unwrap();
        assert_eq!(exit_code(&self.child), 0);
    }
}

#[test]
fn garbage_in_an_inbox_is_thrown_away() {
    let _limit = limit();
    let receiver = Receiver::start();
    let mut random = Random::new(99);
    let file = tempfile::tempfile().unwrap();
    let (reader, writer) = pipe::create().unwrap();
    let things = [file.as_fd(), reader.as_fd(), writer.as_fd(), receiver.record.as_fd()];
    let event = Event::new(true).unwrap();
    event.set().unwrap();
    let mut values = Vec::new();
    for round in 0..300 {
        let length = if round % 3 == 0 { delivery::SIZE } else { random.below(400) as usize };
        let bytes = random.bytes(length);
        let count = random.below(5) as usize;
        // Some with no descriptors at all, as many as nobody expects, and some that are rows by accident.
        receiver.send(&bytes, &things[..count]).unwrap();
        let mut row = delivery::encode(ROW + 500 + round, &Slot::EMPTY);
        row[4..].copy_from_slice(&random.bytes(delivery::SIZE - 4));
        receiver.send(&row, &things[..random.below(5) as usize]).unwrap();
        if round % 20 == 0 {
            values.push(receiver.give(&event));
        }
    }
    let found = receiver.look(&values);
    assert!(found.iter().all(|found| *found == 0), "{found:?}");
    let first = receiver.note.load_u64(8).unwrap();
    for _ in 0..100 {
        receiver.send(&random.bytes(70), &things).unwrap();
    }
    let more = receiver.give(&event);
    assert_eq!(receiver.look(&[more]), [0]);
    assert_eq!(receiver.note.load_u64(8).unwrap(), first, "descriptors of garbage were closed");
    receiver.end();
}

/// The page of an event, as it should be.
fn forge_page(rule: u32) -> OwnedFd {
    let memory = memfd::create("forged").unwrap();
    memfd::set_size(&memory, page::SIZE as u64).unwrap();
    let pages = File::from(memory.try_clone().unwrap());
    write_u64(&pages, page::MAGIC, PAGE_MAGIC);
    write_u32(&pages, page::VERSION, VERSION);
    write_u32(&pages, page::RULE, rule);
    write_u64(&pages, page::WORD, word::SIGNALLED.into());
    memory
}

fn slot(kind: Kind) -> Slot {
    Slot { kind: kind as u32, access: kind.all_access(), descriptor: 0, ..Slot::EMPTY }
}

#[test]
fn rows_with_descriptors_that_are_something_else_are_errors() {
    let _limit = limit();
    let mut receiver = Receiver::start();
    let file = tempfile::tempfile().unwrap();
    let (reader, _writer) = pipe::create().unwrap();
    let sealed = memfd::create("short").unwrap();
    memfd::set_size(&sealed, 4096).unwrap();
    memfd::seal_size(&sealed).unwrap();
    let event = forge_page(2);
    let section = Slot { detail: 4, size: 1 << 30, ..slot(Kind::Mapping) };
    let mut values = vec![
        receiver.plant(&slot(Kind::Event), &[]),
        receiver.plant(&slot(Kind::Event), &[file.as_fd()]),
        receiver.plant(&slot(Kind::Event), &[reader.as_fd()]),
        receiver.plant(&slot(Kind::Event), &[sealed.as_fd()]),
        receiver.plant(&slot(Kind::Mutex), &[event.as_fd()]),
        receiver.plant(&section, &[sealed.as_fd()]),
        receiver.plant(&Slot { detail: 0x77, ..section }, &[sealed.as_fd()]),
        receiver.plant(&slot(Kind::Process), &[]),
        receiver.plant(&Slot { descriptor: -1, record: 0, ..slot(Kind::Process) }, &[sealed.as_fd()]),
        receiver.plant(&Slot { hold: 0, ..slot(Kind::Event) }, &[event.as_fd(), file.as_fd()]),
        receiver.plant(&Slot { hold: 0, ..slot(Kind::File) }, &[file.as_fd(), reader.as_fd()]),
        receiver.plant(&Slot { kind: 77, ..Slot::EMPTY }, &[file.as_fd()]),
    ];
    let honest = Event::new(true).unwrap();
    honest.set().unwrap();
    values.push(receiver.give(&honest));
    let found = receiver.look(&values);
    assert_eq!(found.last(), Some(&0), "the honest one");
    assert!(found[..found.len() - 1].iter().all(|found| *found == 6), "{found:?}");
    receiver.end();
}

/// Memory that its owner can cut short after it was accepted: the receiver gets 1006 and lives (M-rule V3).
#[test]
fn an_event_over_memory_that_is_cut_short_is_an_error_and_no_crash() {
    let _limit = limit();
    let mut receiver = Receiver::start();
    let (whole, cut) = (forge_page(1), forge_page(1));
    let values = [
        receiver.plant(&slot(Kind::Event), &[whole.as_fd()]),
        receiver.plant(&slot(Kind::Event), &[cut.as_fd()]),
    ];
    // Accepted as they are sent, cut before they are used.
    assert_eq!(receiver.look(&values[..1]), [0]);
    let also = receiver.plant(&slot(Kind::Event), &[cut.as_fd()]);
    memfd::set_size(&cut, 0).unwrap();
    let found = receiver.look(&[values[1], also]);
    assert!(found.iter().all(|found| [6, 1006].contains(found)), "{found:?}");
    receiver.end();
}

/// A name's entry whose lock the sender keeps for ever: the receiver is held up for a second and no longer.
#[test]
fn a_name_whose_entry_stays_locked_holds_nobody_up() {
    let _limit = limit();
    let mut receiver = Receiver::start();
    let name = unique("kept");
    let event = named_event(&name);
    event.set().unwrap();
    // What an honest sender sends, only that nobody may touch the entry any more.
    let value = receiver.give(&event);
    let entry = File::options().read(true).write(true).open(entry_path(&name)).unwrap();
    lock::lock_file(&entry).unwrap();
    let plain = Event::new(true).unwrap();
    plain.set().unwrap();
    let other = receiver.give(&plain);
    let page = forge_page(1);
    let hold = Slot { hold: 0, hold_slot: 0, ..slot(Kind::Event) };
    let copy = duplicate(entry.as_fd());
    let forged = receiver.plant(&hold, &[page.as_fd(), copy.as_fd()]);
    let found = receiver.look(&[other, value, forged]);
    assert_eq!(found[0], 0, "it does not concern what has no name");
    assert_eq!(found[1], 0, "nor what was duplicated before");
    receiver.end();
}

/// Somebody fills the inbox: honest senders are told so, and whoever looks for a value does not look for ever.
#[test]
fn a_flooded_inbox_is_emptied_in_one_go() {
    let _limit = limit();
    let receiver = Receiver::start();
    let mut sent = 0;
    let refused = loop {
        match receiver.send(b"nothing", &[]) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 100_000, "the system has no limit");
    };
    assert_eq!(refused, Errno::AGAIN);
    let event = Event::new(true).unwrap();
    event.set().unwrap();
    let full = event.as_handle().duplicate_into(&receiver.child.process, DuplicateOptions::default());
    assert_eq!(code(full), 1450);
    // A reserved row makes it look.
    plant(&receiver.record, ROW, &Slot::EMPTY, SlotState::Reserved);
    assert_eq!(receiver.look(&[handle_value(ROW)]), [6]);
    let value = receiver.give(&event);
    assert_eq!(receiver.look(&[value]), [0]);
    receiver.end();
}
