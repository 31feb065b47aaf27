//! Anonymous pipes between a process and its children (pipes.md, section 13; handles.md H19, H22).

mod support;

use std::io::{Read, Write};

use support::{
    A_MOMENT, With, alone, argument, child, code, exit_code, expect_signal, handle, named_event, number,
    read_all, ready, role, unique, wait_to_be_killed,
};
use transom::handle::{AsHandle, FromHandle, HandleFlags, RawHandle};
use transom::pipe::{self, Pipe, PipeOptions, PipeReader, PipeWriter};
use transom::wait::{self, Wait};

#[test]
fn child_entry() {
    child(&[
        ("upper", upper),
        ("half", half),
        ("many", many),
        ("streams", streams),
        ("no-streams", no_streams),
        ("big", big),
        ("reader", reader_that_waits),
    ]);
}

/// A pipe whose ends are inheritable or not.
fn pipe(reader: bool, writer: bool) -> (PipeReader, PipeWriter) {
    let ends = PipeOptions::new().create().unwrap();
    let flags = |inherit| HandleFlags { inherit, protect_from_close: false };
    ends.0.as_handle().set_information(flags(reader)).unwrap();
    ends.1.as_handle().set_information(flags(writer)).unwrap();
    ends
}

fn raw(end: &impl AsHandle) -> usize {
    end.as_handle().as_raw().value()
}

fn reader() -> PipeReader {
    PipeReader::new(Pipe::from_raw(handle("IN")).unwrap())
}

fn writer() -> PipeWriter {
    PipeWriter::new(Pipe::from_raw(handle("OUT")).unwrap())
}

fn upper() -> u32 {
    let (input, output) = (reader(), writer());
    let (mut buffer, mut total) = ([0; 100], 0);
    loop {
        match input.pipe().receive(&mut buffer) {
            Ok(count) => {
                output.pipe().send(&buffer[..count].to_ascii_uppercase()).unwrap();
                total += count as u32;
            }
            Err(error) => return 1000 * error.code().value() + total,
        }
    }
}

/// P22, P25, P74: request and reply; the child sees the end when the last writer, ours, has gone.
#[test]
fn a_child_answers_until_its_input_ends() {
    let _alone = alone();
    let (child_in, to_child) = pipe(true, false);
    let (from_child, child_out) = pipe(false, true);
    let child = role("upper").inheriting().with("IN", raw(&child_in)).with("OUT", raw(&child_out)).start();
    drop((child_in, child_out));
    let mut buffer = [0; 100];
    for (question, answer) in [(&b"hello"[..], &b"HELLO"[..]), (b"pipe", b"PIPE")] {
        to_child.pipe().send(question).unwrap();
        let count = from_child.pipe().receive(&mut buffer).unwrap();
        assert_eq!(&buffer[..count], answer);
    }
    drop(to_child);
    assert_eq!(exit_code(&child), 109_009);
    assert_eq!(code(from_child.pipe().receive(&mut buffer)), 109);
}

fn half() -> u32 {
    writer().pipe().send(b"half").unwrap();
    if argument("HOW") == "exit" {
        return 17;
    }
    ready();
    wait_to_be_killed()
}

/// P25, H4: what a process wrote before it ended, or was killed, can be read; then comes the end.
#[test]
fn what_a_child_wrote_outlives_it() {
    let _alone = alone();
    for how in ["exit", "kill"] {
        let here = unique("ready");
        let here_event = named_event(&here);
        let (from_child, child_out) = pipe(false, true);
        let with = role("half").inheriting().with("OUT", raw(&child_out)).with("HOW", how);
        let child = with.with("READY", &here).start();
        drop(child_out);
        if how == "kill" {
            expect_signal(&here_event);
            child.process.terminate(17).unwrap();
        }
        assert_eq!(exit_code(&child), 17);
        assert_eq!(read_all(&from_child), b"half");
    }
}

fn many() -> u32 {
    let output = writer();
    let letter = argument("LETTER").into_bytes()[0];
    for _ in 0..100 {
        assert_eq!(output.pipe().send(&[letter; 7]).unwrap(), 7);
    }
    5
}

/// P35: several processes write into one pipe; nothing is lost and small writes stay whole.
#[test]
fn several_children_write_into_one_pipe() {
    let _alone = alone();
    let (from_children, child_out) = pipe(false, true);
    let start =
        |letter| role("many").inheriting().with("OUT", raw(&child_out)).with("LETTER", letter).start();
    let children = ["a", "b", "c"].map(start);
    drop(child_out);
    let bytes = read_all(&from_children);
    assert_eq!(bytes.len(), 3 * 700);
    assert!(bytes.chunks(7).all(|chunk| chunk.iter().all(|b| *b == chunk[0])));
    assert!(children.iter().all(|child| exit_code(child) == 5));
}

fn streams() -> u32 {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    println!("<<out {}>>", line.trim());
    eprintln!("<<err {}>>", line.trim());
    std::io::stdout().flush().unwrap();
    for (which, name) in ["stdin", "stdout", "stderr"].into_iter().enumerate() {
        transom::process::standard_handle(which).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    23
}

/// H22, R24: the three become the child's standard streams, and those of its runtime library.
#[test]
fn pipes_are_a_childs_standard_streams() {
    let _alone = alone();
    let (child_in, to_child) = pipe(true, false);
    let (out_reader, child_out) = pipe(false, true);
    let (err_reader, child_err) = pipe(false, true);
    let child = role("streams")
        .inheriting()
        .stdin(child_in.as_handle().as_raw())
        .stdout(child_out.as_handle().as_raw())
        .stderr(child_err.as_handle().as_raw())
        .start();
    drop((child_in, child_out, child_err));
    (&to_child).write_all(b"hello\n").unwrap();
    drop(to_child);
    let out = String::from_utf8(read_all(&out_reader)).unwrap();
    let err = String::from_utf8(read_all(&err_reader)).unwrap();
    assert_eq!(exit_code(&child), 23);
    assert!(out.contains("<<out hello>>") && !out.contains("<<err"), "{out}");
    assert!(err.contains("<<err hello>>"), "{err}");
}

/// H22: both may be one pipe.
#[test]
fn output_and_errors_may_go_into_one_pipe() {
    let _alone = alone();
    let (child_in, to_child) = pipe(true, false);
    let (reader, child_out) = pipe(false, true);
    let out = child_out.as_handle().as_raw();
    let child =
        role("streams").inheriting().stdin(child_in.as_handle().as_raw()).stdout(out).stderr(out).start();
    drop((child_in, child_out));
    (&to_child).write_all(b"both\n").unwrap();
    let text = String::from_utf8(read_all(&reader)).unwrap();
    assert_eq!(exit_code(&child), 23);
    assert!(text.contains("<<out both>>") && text.contains("<<err both>>"), "{text}");
}

fn no_streams() -> u32 {
    // Nothing is there to read, and writing to nowhere is no reason to die.
    let mut bytes = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut bytes);
    assert!(bytes.is_empty());
    println!("into the void");
    31
}

/// H22: INVALID_HANDLE_VALUE stands for none.
#[test]
fn a_child_can_do_without_standard_streams() {
    let _alone = alone();
    let none = RawHandle::INVALID;
    let child = role("no-streams").inheriting().stdin(none).stdout(none).stderr(none).start();
    assert_eq!(exit_code(&child), 31);
}

fn big() -> u32 {
    let output = writer();
    let bytes: Vec<u8> = (0..number("SIZE")).map(|n| (n % 253) as u8).collect();
    assert_eq!(output.pipe().send(&bytes).unwrap(), bytes.len());
    0
}

/// P34, P35: far more than the pipe holds, in one write, byte for byte.
#[test]
fn a_large_write_arrives_whole() {
    let _alone = alone();
    let size = 3_000_000;
    let (from_child, child_out) = pipe(false, true);
    let child = role("big").inheriting().with("OUT", raw(&child_out)).with("SIZE", size).start();
    drop(child_out);
    let bytes = read_all(&from_child);
    assert_eq!(bytes.len(), size);
    assert!(bytes.iter().enumerate().all(|(n, byte)| *byte == (n % 253) as u8));
    assert_eq!(exit_code(&child), 0);
}

fn reader_that_waits() -> u32 {
    let input = reader();
    ready();
    let mut buffer = [0; 10];
    // The test may close its end without having written anything.
    let Ok(count) = input.pipe().receive(&mut buffer) else { return 109 };
    (&input).read_to_end(&mut Vec::new()).unwrap();
    count as u32
}

/// P74: our own copy of the writing end is one of those that must be closed.
#[test]
fn the_creators_own_copy_keeps_the_pipe_open() {
    let _alone = alone();
    let here = unique("ready");
    let here_event = named_event(&here);
    let (child_in, to_child) = pipe(true, false);
    let child = role("reader").inheriting().with("IN", raw(&child_in)).with("READY", &here).start();
    drop(child_in);
    expect_signal(&here_event);
    to_child.pipe().send(b"four").unwrap();
    assert_eq!(wait::one(&child.process, A_MOMENT).unwrap(), Wait::Timeout, "it waits for more");
    drop(to_child);
    assert_eq!(exit_code(&child), 4);
}

/// The other direction: a child that has gone cannot be written to.
#[test]
fn writing_to_a_child_that_was_killed_is_232() {
    let _alone = alone();
    let here = unique("ready");
    let here_event = named_event(&here);
    let (child_in, to_child) = pipe(true, false);
    let child = role("reader").inheriting().with("IN", raw(&child_in)).with("READY", &here).start();
    drop(child_in);
    expect_signal(&here_event);
    child.process.terminate(1).unwrap();
    exit_code(&child);
    assert_eq!(code(to_child.pipe().send(b"anyone?")), 232);
}

/// H20: nothing of a pipe that is not inheritable gets into a child, which would keep it open.
#[test]
fn a_pipe_of_our_own_ends_although_a_child_lives() {
    let _alone = alone();
    let here = unique("ready");
    let here_event = named_event(&here);
    let (ours, our_writer) = pipe::anonymous().unwrap();
    let (child_in, to_child) = pipe(true, false);
    let child = role("reader").inheriting().with("IN", raw(&child_in)).with("READY", &here).start();
    expect_signal(&here_event);
    our_writer.pipe().send(b"x").unwrap();
    drop(our_writer);
    assert_eq!(read_all(&ours), b"x");
    drop((to_child, child_in));
    assert_ne!(exit_code(&child), 0, "it had nothing to read");
}
