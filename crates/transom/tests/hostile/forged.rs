//! The variable that names a child's record, and what it may be made to name.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::process::{Command, Stdio};

use transom::event::Event;
use transom::handle::{Handle, RawHandle};
use transom::wait::{self, Timeout, Wait};
use transom_core::access::Kind;
use transom_core::record::{RECORD_MAGIC, Slot, SlotState, VERSION, handle_value, process as layout};
use transom_sys::linux::memfd;

use crate::peer::{number, open_files, read_u32, record_of, write_u32, write_u64};
use crate::record::plant;
use crate::support::{ROLE, With, argument, code, exit_code, limit, role};

/// The number under which the forged thing is open in the child.
const NUMBER: i32 = 7;

/// Has no handles, can make some, and still has what it was given besides.
pub fn empty_table() -> u32 {
    assert_eq!(std::env::var_os("TRANSOM_PROCESS"), None, "the variable is not the program's");
    for index in 0..200 {
        assert_eq!(code(Handle::from_raw(RawHandle::new(handle_value(index)))), 6);
    }
    let event = Event::new(false).unwrap();
    event.set().unwrap();
    assert_eq!(wait::one(&event, Timeout::ZERO).unwrap(), Wait::Object(0));
    let given = std::fs::metadata(format!("/proc/self/fd/{NUMBER}"));
    match argument("INODE").as_str() {
        "none" => {}
        inode => assert_eq!(given.expect("it was closed").ino().to_string(), inode),
    }
    0
}

/// Starts the role by other means than this library's, with `variable`, and with `file` open as [`NUMBER`].
fn start(variable: &str, file: Option<&OwnedFd>, before: impl FnOnce(u32)) -> i32 {
    let inode = file.map_or("none".to_owned(), |file| {
        File::from(file.try_clone().unwrap()).metadata().unwrap().ino().to_string()
    });
    let open = match file {
        Some(file) => format!("exec {NUMBER}<>/proc/{}/fd/{};", std::process::id(), number(file)),
        None => String::new(),
    };
    let mut child = Command::new("sh")
        .args([
            "-c",
            &format!("read go; {open} exec \"$0\" child_entry --exact --nocapture --test-threads=1"),
        ])
        .arg(std::env::current_exe().unwrap())
        .env(ROLE, "empty-table")
        .env("TRANSOM_TEST_INODE", inode)
        .env("TRANSOM_PROCESS", variable)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    before(child.id());
    child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    child.wait().unwrap().code().expect("it was not killed")
}

/// A memory file with what a record begins with.
fn forge(size: u64, sealed: bool, process: u32, inbox: i32) -> OwnedFd {
    let file = memfd::create("forged").unwrap();
    memfd::set_size(&file, size).unwrap();
    if sealed {
        memfd::seal_size(&file).unwrap();
    }
    let pages = File::from(file.try_clone().unwrap());
    write_u64(&pages, layout::MAGIC, RECORD_MAGIC);
    write_u32(&pages, layout::VERSION, VERSION);
    write_u32(&pages, layout::PROCESS_ID, process);
    write_u32(&pages, layout::INBOX, inbox as u32);
    write_u32(&pages, layout::USED, 100);
    let slot = Slot { kind: Kind::File as u32, access: u32::MAX, descriptor: NUMBER, ..Slot::EMPTY };
    if size == layout::SIZE as u64 {
        (0..50).for_each(|index| plant(&pages, index, &slot, SlotState::Open));
    }
    file
}

#[test]
fn a_variable_that_names_no_record_is_passed_over() {
    let _limit = limit();
    for variable in ["", "abc", "-1", "0", "1", "2", "3", "7", "1000000", "99999999999999999999", "7 ", "+7"]
    {
        assert_eq!(start(variable, None, |_| ()), 0, "{variable:?}");
    }
}

#[test]
fn what_is_open_under_the_number_in_the_variable_stays_open_if_it_is_no_record() {
    let _limit = limit();
    let size = layout::SIZE as u64;
    let regular = OwnedFd::from(tempfile::tempfile().unwrap());
    let null = OwnedFd::from(File::options().read(true).write(true).open("/dev/null").unwrap());
    let zeroes = memfd::create("zeroes").unwrap();
    memfd::set_size(&zeroes, size).unwrap();
    memfd::seal_size(&zeroes).unwrap();
    let things = [
        ("a regular file", regular),
        ("a device", null),
        ("zeroes", zeroes),
        ("a memory file without seals", forge(size, false, 0, 8)),
        ("one of another size", forge(size - 4096, true, 0, 8)),
        ("the record of another process", forge(size, true, std::process::id(), 8)),
    ];
    for (what, thing) in &things {
        assert_eq!(start("7", Some(thing), |_| ()), 0, "{what}");
    }
}

/// A record with the child's own number, but without an inbox that belongs to it.
#[test]
fn a_record_without_its_inbox_is_not_taken() {
    let _limit = limit();
    for inbox in [-1, 0, 2, NUMBER, 8, 900, i32::MIN] {
        let record = forge(layout::SIZE as u64, true, 0, inbox);
        let pages = File::from(record.try_clone().unwrap());
        let number = |id: u32| write_u32(&pages, layout::PROCESS_ID, id);
        assert_eq!(start("7", Some(&record), number), 0, "inbox {inbox}");
    }
}

/// Says which of the values it was told are handles, and that each of its descriptors is closed once.
pub fn values() -> u32 {
    let expected = argument("EXPECTED");
    let handles: Vec<_> = argument("VALUES")
        .split(',')
        .map(|value| Handle::from_raw(RawHandle::new(value.parse().unwrap())))
        .collect();
    let codes: Vec<String> = handles
        .iter()
        .map(|handle| handle.as_ref().err().map_or(0, |error| error.code().value()).to_string())
        .collect();
    assert_eq!(codes.join(","), expected);
    // A descriptor that is closed twice ends a program with debug assertions.
    drop(handles);
    let event = Event::new(true).unwrap();
    assert!(event.set().is_ok());
    0
}

/// Rows in a record that is otherwise whole: a descriptor belongs to one row, once, and the record and the inbox to
/// none.
#[test]
fn forged_rows_are_no_handles() {
    let _limit = limit();
    let file = |descriptor: i32| Slot { kind: Kind::File as u32, access: 1, descriptor, ..Slot::EMPTY };
    let child = role("values").with("VALUES", VALUES).with("EXPECTED", EXPECTED).suspended(true).start();
    let record = record_of(child.process_id);
    let inbox = read_u32(&record, layout::INBOX) as i32;
    let own = descriptor_of(child.process_id, &record);
    let rows = [
        file(0),
        file(1),
        file(2),
        file(own),
        file(inbox),
        file(500),
        file(i32::MAX),
        file(-2),
        Slot { hold: own, ..file(1) },
        Slot { record: inbox, ..file(1) },
        Slot { hold: 1, record: 1, ..file(1) },
        Slot { kind: Kind::Mapping as u32, size: u64::MAX, detail: 0x1234, ..file(1) },
        Slot { kind: Kind::Process as u32, ..file(1) },
        Slot { kind: 99, ..file(1) },
        Slot { kind: Kind::Pipe as u32, detail: u32::MAX, ..file(1) },
    ];
    const VALUES: &str = "4,8,12,16,20,24,28,32,36,40,44,48,52,56,60,64,1600000";
    const EXPECTED: &str = "0,0,0,6,6,6,6,6,6,6,0,87,6,6,0,6,6";
    for (index, row) in rows.iter().enumerate() {
        plant(&record, index, row, SlotState::Open);
    }
    write_u32(&record, layout::USED, u32::MAX);
    child.thread.resume().unwrap();
    assert_eq!(exit_code(&child), 0);
}

/// The number under which a process that has not begun yet has its record.
fn descriptor_of(process: u32, record: &File) -> i32 {
    assert!(!open_files(process, "/memfd:transom-process").is_empty());
    let inode = record.metadata().unwrap().ino();
    let folder = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let mut numbers = folder
        .flatten()
        .filter(|entry| std::fs::metadata(entry.path()).is_ok_and(|data| data.ino() == inode));
    numbers.next().unwrap().file_name().to_string_lossy().parse().unwrap()
}

/// Two handles that name one descriptor: the second is none, and the first is whole.
#[test]
fn a_descriptor_that_two_rows_name_belongs_to_the_first() {
    let _limit = limit();
    let (reader, _writer) = transom::pipe::PipeOptions::new().inherit(true).create().unwrap();
    let raw = transom::handle::AsHandle::as_handle(reader.pipe()).as_raw();
    let first = raw.value();
    let (before, after) = (first - 4, first + 4);
    let child = role("values")
        .with("VALUES", format!("{first},{after},{before}"))
        .with("EXPECTED", if before == 0 { "0,6,6" } else { "6,6,0" })
        .inherit(transom::process::Inherit::List(vec![raw]))
        .suspended(true)
        .start();
    let record = record_of(child.process_id);
    let row = transom_core::record::slot_index(first).unwrap();
    let mut bytes = [0; transom_core::record::SLOT_SIZE];
    let at = |row: usize| (layout::SLOTS + row * transom_core::record::SLOT_SIZE) as u64;
    record.read_exact_at(&mut bytes, at(row)).unwrap();
    record.write_all_at(&bytes, at(row + 1)).unwrap();
    if before != 0 {
        record.write_all_at(&bytes, at(row - 1)).unwrap();
    }
    write_u32(&record, layout::USED, row as u32 + 2);
    child.thread.resume().unwrap();
    assert_eq!(exit_code(&child), 0);
}

/// The forged descriptors of [`forge`] are what they look like: else the tests above prove nothing.
#[test]
fn a_forged_record_looks_like_one() {
    let _limit = limit();
    let file = forge(layout::SIZE as u64, true, 4711, 8);
    assert!(memfd::is_size_sealed(file.as_fd()));
    let pages = File::from(file);
    assert_eq!(read_u32(&pages, layout::PROCESS_ID), 4711);
    assert_eq!(pages.metadata().unwrap().len(), layout::SIZE as u64);
}
