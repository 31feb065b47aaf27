//! Steps about shared memory, files, handles and pipes.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, DuplicateOptions, FromHandle, Handle, RawHandle};
use transom::mapping::{Guarded, Mapping, MappingOptions, View};
use transom::pipe::PipeOptions;
use transom::process::Inherit;
use transom::wait::{self, Wait};

use super::peer::{Peer, Setup};
use super::{PATIENCE, Stage, expect};
use crate::failure::Failure;

/// Where a child writes its answer in a section.
pub const ANSWER: usize = 64;

/// The longest text in a section.
pub const TEXT: usize = 60;

/// A value large enough that writing it takes a while: 512 bytes.
pub type Large = [u64; 64];

/// How long values are read while they are written.
const READING: Duration = Duration::from_millis(150);

/// Lines that the capturing step expects.
pub const LINES: usize = 200;

/// The text at an offset, up to the first zero byte.
pub fn text_at(view: &View, offset: usize) -> Result<String, Failure> {
    let bytes = view.read_to_vec(offset, TEXT)?;
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    Ok(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

/// The answer a child wrote into a section.
fn answer(view: &View, child: &Peer) -> Result<String, Failure> {
    let text = text_at(view, ANSWER)?;
    let expected = format!("process {} was here", child.id());
    expect(text == expected, format!("read '{text}' instead of '{expected}'"))?;
    Ok(text)
}

pub fn named_mapping(stage: &Stage) -> Result<String, Failure> {
    let name = stage.name("map");
    let mapping = Mapping::create(&name, 4096)?.object;
    let view = mapping.view()?;
    view.write(0, b"hello")?;
    let child = Peer::start("answer-by-name", [&name])?;
    child.finish()?;
    Ok(format!("it read 'hello' and left '{}'", answer(&view, &child)?))
}

pub fn file_mapping(stage: &Stage) -> Result<String, Failure> {
    let path = stage.folder.join("file");
    let file = file_with_hello(&path)?;
    let mapping = MappingOptions::of_file(&file, 4096).create()?.object;
    let view = mapping.view()?;
    let child = Peer::start("answer-in-file", [&path])?;
    child.finish()?;
    let text = answer(&view, &child)?;
    view.flush(0, 0)?;
    in_file(&path, &text)?;
    Ok(format!("'{text}' in this view and in the file, which grew to 4096 bytes"))
}

pub fn named_file_mapping(stage: &Stage) -> Result<String, Failure> {
    let path = stage.folder.join("named-file");
    let name = stage.name("file");
    let file = file_with_hello(&path)?;
    let mapping = MappingOptions::of_file(&file, 4096).name(&name).create()?.object;
    // The section keeps the file by itself.
    drop(file);
    let child = Peer::start("answer-by-name", [&name])?;
    child.finish()?;
    let text = answer(&mapping.view_read_only()?, &child)?;
    in_file(&path, &text)?;
    Ok(format!("'{text}' is in the file, though the child never saw its path"))
}

fn file_with_hello(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).open(path);
    let mut file = file.map_err(|error| Failure::file("create", path, &error))?;
    file.write_all(b"hello").map_err(|error| Failure::file("write", path, &error))?;
    Ok(file)
}

fn in_file(path: &Path, text: &str) -> Result<(), Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
    expect(bytes.len() == 4096, format!("the file has {} bytes instead of 4096", bytes.len()))?;
    let found = bytes[ANSWER..].starts_with(text.as_bytes());
    expect(found, format!("the file does not hold '{text}'"))
}

pub fn inherited_handle(_stage: &Stage) -> Result<String, Failure> {
    let mapping = MappingOptions::new(4096).inherit(true).create()?.object;
    let view = mapping.view()?;
    view.write(0, b"hello")?;
    let raw = mapping.as_handle().as_raw();
    let setup = Setup { inherit: Inherit::List(vec![raw]), ..Setup::default() };
    let child = Peer::start_with("answer-by-handle", [raw.value().to_string()], setup)?;
    child.finish()?;
    Ok(format!("handle {raw} is the same memory in both: '{}'", answer(&view, &child)?))
}

pub fn duplicated_handles(_stage: &Stage) -> Result<String, Failure> {
    let mapping = Mapping::anonymous(4096)?;
    let view = mapping.view()?;
    view.write(0, b"hello")?;
    let done = Event::new(false)?;
    let (child_reads, mut we_write) = PipeOptions::new().inherit(true).create()?;
    let (we_read, child_writes) = PipeOptions::new().inherit(true).create()?;
    let setup = Setup {
        input: Some(child_reads.as_handle().as_raw()),
        output: Some(child_writes.as_handle().as_raw()),
        ..Setup::default()
    };
    let child = Peer::start_with("trade-handles", [""; 0], setup)?;
    // A pipe ends when every write end is closed, so the child's ends must be the child's alone.
    drop((child_reads, child_writes));

    // The child runs already. What it is told by the pipe are the numbers the handles have there.
    let same = DuplicateOptions::default();
    let map_there = mapping.as_handle().duplicate_into(child.process(), same)?;
    let event_there = done.as_handle().duplicate_into(child.process(), same)?;
    let told = writeln!(we_write, "{map_there} {event_there}");
    told.map_err(|error| Failure::file("write", Path::new("the child's pipe"), &error))?;
    let set = wait::one(&done, PATIENCE)? != Wait::Timeout;
    expect(set, "the child did not set the event it was given")?;
    answer(&view, &child)?;

    // And the other way: the child tells the number of a section of its own.
    let mut line = String::new();
    let read = BufReader::new(we_read).read_line(&mut line);
    read.map_err(|error| Failure::file("read", Path::new("the child's pipe"), &error))?;
    let number = line.trim().parse().ok().map(RawHandle::new);
    let number = number.ok_or_else(|| Failure::usage(format!("the child told '{line}' and not a handle")))?;
    let taken = Mapping::from_handle(Handle::duplicate_from(child.process(), number, same)?)?;
    let theirs = text_at(&taken.view_read_only()?, ANSWER)?;
    let expected = format!("process {} was here", child.id());
    expect(theirs == expected, format!("read '{theirs}' in the child's own memory"))?;
    // The end of its input lets it go.
    drop(we_write);
    child.finish()?;
    Ok(format!(
        "it used handles {map_there} and {event_there}; its handle {number} is {} here",
        taken.as_handle().as_raw()
    ))
}

pub fn guarded_value(stage: &Stage) -> Result<String, Failure> {
    let name = stage.name("guarded");
    let value = Guarded::<Large>::create(&name)?.object;
    let started = EventOptions::new().name(&stage.name("writing")).create()?.object;
    let child = Peer::start("write-guarded", [name, stage.name("writing")])?;
    let set = wait::one(&started, PATIENCE)? != Wait::Timeout;
    expect(set, "the child did not begin to write")?;
    let (mut reads, mut different, mut last) = (0_u64, 0_u64, 0);
    let begin = Instant::now();
    while begin.elapsed() < READING {
        let read = whole(&value.load()?)?;
        reads += 1;
        different += u64::from(read != last);
        last = read;
    }
    expect(different > 1, "the value did not change while it was read")?;
    child.kill()?;
    let after = whole(&value.load()?)?;
    value.store(&[1; 64])?;
    expect(whole(&value.load()?)? == 1, "the value could not be written after its writer was killed")?;
    Ok(format!("{reads} reads, {different} values, none torn; {after} was whole when its writer was killed"))
}

/// The number that all parts of a whole value have.
fn whole(value: &Large) -> Result<u64, Failure> {
    let first = value[0];
    let torn = value.iter().position(|&part| part != first);
    match torn {
        None => Ok(first),
        Some(at) => Err(Failure::usage(format!("a torn value: {first} at 0, {} at {at}", value[at]))),
    }
}

pub fn anonymous_pipe(_stage: &Stage) -> Result<String, Failure> {
    let (mut reader, writer) = PipeOptions::new().inherit(true).create()?;
    let setup = Setup { output: Some(writer.as_handle().as_raw()), ..Setup::default() };
    let child = Peer::start_with("print-lines", [""; 0], setup)?;
    drop(writer);
    let mut text = String::new();
    let read = reader.read_to_string(&mut text);
    read.map_err(|error| Failure::file("read", Path::new("the pipe"), &error))?;
    child.finish()?;
    let lines = text.lines().filter(|line| line.starts_with("line ")).count();
    expect(lines == LINES, format!("{lines} lines arrived instead of {LINES}"))?;
    Ok(format!("{lines} lines, {} bytes, and the end when the child ended", text.len()))
}
