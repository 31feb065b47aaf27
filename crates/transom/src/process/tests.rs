//! What a process can show about processes without starting one; `tests/process.rs` has the rest.

use transom_core::access::PROCESS_ALL_ACCESS;

use crate::handle::{AsHandle, RawHandle};
use crate::process::{
    Command, Inherit, PROCESS_QUERY_INFORMATION, Process, SYNCHRONIZE, command_line, current_id,
    set_standard_handle, standard_handle,
};
use crate::support::{HARMLESS, NEVER_ISSUED, code, limit};
use crate::wait::{self, Timeout, Wait};

/// Y35, H2: the pseudo handle.
#[test]
fn the_current_process_is_this_one() {
    let _limit = limit();
    let process = Process::current();
    assert!(process.as_handle().as_raw().is_pseudo());
    assert_eq!(process.id().unwrap(), current_id());
    assert_eq!(current_id(), std::process::id());
    assert_eq!(process.exit_code().unwrap(), None);
    assert_eq!(wait::one(&process, Timeout::ZERO).unwrap(), Wait::Timeout);
}

/// Process.md, section 2.
#[test]
fn opening_needs_a_process_that_exists() {
    let _limit = limit();
    assert_eq!(code(Process::open(0, PROCESS_ALL_ACCESS, false)), 87);
    // Ids end below 2^22 on Linux and are multiples of 4 on Windows.
    assert_eq!(code(Process::open(0x7FFF_FFF1, PROCESS_ALL_ACCESS, false)), 87);
    let myself = Process::open(current_id(), PROCESS_QUERY_INFORMATION | SYNCHRONIZE, true).unwrap();
    assert!(!myself.as_handle().as_raw().is_pseudo());
    assert!(myself.as_handle().information().unwrap().inherit);
    assert_eq!(myself.id().unwrap(), current_id());
}

/// Process.md, section 2: each right for itself.
#[test]
fn an_opened_process_can_do_what_its_rights_allow() {
    let _limit = limit();
    let asks = Process::open(current_id(), PROCESS_QUERY_INFORMATION, false).unwrap();
    assert_eq!(asks.exit_code().unwrap(), None);
    assert_eq!(code(wait::one(&asks, Timeout::ZERO)), 5);
    assert_eq!(code(asks.terminate(1)), 5);
    let waits = Process::open(current_id(), SYNCHRONIZE, false).unwrap();
    assert_eq!(wait::one(&waits, Timeout::ZERO).unwrap(), Wait::Timeout);
    assert_eq!(code(waits.exit_code()), 5);
    assert_eq!(code(waits.terminate(1)), 5);
}

/// Process.md, section 2: what CreateProcess refuses, R1.
#[test]
fn a_program_that_is_not_there_is_2_or_3() {
    let _limit = limit();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code(Command::new(folder.path().join("missing")).spawn()), 2);
    assert_eq!(code(Command::new(folder.path().join("missing").join("program")).spawn()), 3);
    assert_eq!(code(Command::from_command_line("transom-test-no-such-program").spawn()), 2);
    assert_eq!(code(Command::default().spawn()), 87);
}

/// Process.md, section 2.
#[test]
fn what_is_no_program_is_193() {
    let _limit = limit();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.exe");
    std::fs::copy(std::env::current_exe().unwrap(), &path).unwrap();
    std::fs::write(&path, b"This is no program, but it may be run.").unwrap();
    assert_eq!(code(Command::new(&path).spawn()), 193);
}

/// Process.md, section 2; R19.
#[test]
fn a_missing_directory_is_267() {
    let _limit = limit();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code(Command::new(HARMLESS).current_dir(folder.path().join("missing")).spawn()), 267);
}

/// Process.md, section 2.
#[test]
fn a_command_line_has_at_most_32767_characters() {
    let _limit = limit();
    let result = Command::new(HARMLESS).command_line("x".repeat(40_000)).spawn();
    crate::differs_under_wine!("R1", code(result) == 206);
}

/// H25, R23: the list is checked before anything starts.
#[test]
fn a_handle_list_holds_inheritable_handles_only() {
    let _limit = limit();
    let event = crate::event::Event::new(true).unwrap();
    let with = |raw| code(Command::new(HARMLESS).inherit(Inherit::List(vec![raw])).spawn());
    crate::differs_under_wine!("R23", with(event.as_handle().as_raw()) == 87 && with(NEVER_ISSUED) != 0);
}

/// `GetStdHandle` and `SetStdHandle`: the numbers of the three, and no others.
#[test]
fn there_are_three_standard_handles() {
    let _limit = limit();
    assert_eq!(code(standard_handle(3)), 87);
    assert_eq!(code(set_standard_handle(3, RawHandle::NULL)), 87);
    let before = standard_handle(0);
    let event = crate::event::Event::new(true).unwrap();
    set_standard_handle(0, event.as_handle().as_raw()).unwrap();
    assert_eq!(standard_handle(0).unwrap(), event.as_handle().as_raw());
    set_standard_handle(0, RawHandle::NULL).unwrap();
    assert_eq!(code(standard_handle(0)), 6, "there is none");
    set_standard_handle(0, before.unwrap_or(RawHandle::NULL)).unwrap();
}

/// R14: this process has one too, whoever started it.
#[test]
fn this_process_has_a_command_line() {
    let _limit = limit();
    let line = command_line();
    let first = std::env::args_os().next().unwrap();
    let name = std::path::Path::new(&first).file_stem().unwrap().to_string_lossy().into_owned();
    assert!(line.to_string_lossy().contains(&name), "{line:?}");
}
