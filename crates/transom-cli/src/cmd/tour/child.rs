//! The roles of the other process: `transom tour-child ROLE …`.

use std::fs::OpenOptions;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use transom::event::Event;
use transom::handle::{AsHandle, FromHandle, RawHandle};
use transom::mapping::{Guarded, Mapping, MappingOptions, View};
use transom::mutex::Mutex;
use transom::semaphore::Semaphore;
use transom::wait::{self, Timeout, Wait};

use super::memory::{ANSWER, LINES, Large, text_at};
use super::signals::{EXIT_CODE, ITEMS, ROUNDS, await_event, slot};
use super::{PATIENCE, expect, mailslots, messages, pipes};
use crate::exit::Exit;
use crate::failure::Failure;

/// Plays a role to its end.
pub fn run(role: &str, arguments: &[String]) -> Result<i32, Failure> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match (role, &arguments[..]) {
        ("answer-by-name", [name]) => answer(&Mapping::open(name)?.view()?)?,
        ("answer-in-file", [path]) => answer_in_file(Path::new(path))?,
        ("answer-by-handle", [number]) => answer(&Mapping::borrow(raw(number)?)?.view()?)?,
        ("trade-handles", []) => trade_handles()?,
        ("write-guarded", [name, started]) => write_guarded(name, started)?,
        ("print-lines", []) => print_lines()?,
        ("write-messages", [name]) => mailslots::write_messages(name)?,
        ("ask-questions", [name]) => pipes::ask_questions(name)?,
        ("say-who", [name]) => pipes::say_who(name)?,
        ("send-and-wait", [name, sent]) => pipes::send_and_wait(name, sent)?,
        ("answer-by-asking", [class, ready]) => messages::answer_by_asking(class, ready)?,
        ("never-answer", [class, ready, inside]) => messages::never_answer(class, ready, inside)?,
        ("ping-pong", [ping, pong]) => ping_pong(ping, pong)?,
        ("hold-mutex", [name, held]) => hold_mutex(name, held)?,
        ("fill-queue", [name, free, full]) => fill_queue(name, free, full)?,
        ("signal-and-end", [set, count, go]) => signal_and_end(set, count, go)?,
        ("hold-name", [name, made]) => hold_name(name, made)?,
        _ => return Err(Failure::usage(format!("the tour has no role '{role}' with these arguments"))),
    }
    Ok(Exit::Ok.code())
}

fn raw(number: &str) -> Result<RawHandle, Failure> {
    let value = number.parse().map_err(|_| Failure::usage(format!("'{number}' is not a handle")))?;
    Ok(RawHandle::new(value))
}

/// Checks the greeting and leaves the answer.
fn answer(view: &View) -> Result<(), Failure> {
    let text = text_at(view, 0)?;
    expect(text == "hello", format!("read '{text}' instead of 'hello'"))?;
    leave_answer(view)
}

fn leave_answer(view: &View) -> Result<(), Failure> {
    Ok(view.write(ANSWER, format!("process {} was here", std::process::id()).as_bytes())?)
}

fn answer_in_file(path: &Path) -> Result<(), Failure> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|error| Failure::file("open", path, &error))?;
    answer(&MappingOptions::of_file(&file, 0).create()?.object.view()?)
}

fn trade_handles() -> Result<(), Failure> {
    let mut input = io::stdin().lock();
    let mut line = String::new();
    input.read_line(&mut line).map_err(|error| Failure::input(&error))?;
    let Some((map, event)) = line.trim().split_once(' ') else {
        return Err(Failure::usage(format!("was told '{line}' and not two handles")));
    };
    // Duplicated into this process, so they are this process's own to close.
    let map: Mapping = FromHandle::from_raw(raw(map)?)?;
    let event: Event = FromHandle::from_raw(raw(event)?)?;
    answer(&map.view()?)?;
    event.set()?;

    let own = Mapping::anonymous(4096)?;
    leave_answer(&own.view()?)?;
    let mut output = io::stdout().lock();
    writeln!(output, "{}", own.as_handle().as_raw())
        .and_then(|()| output.flush())
        .map_err(|error| Failure::output(&error))?;
    // The other process takes the handle while this one lives.
    input.read_to_string(&mut line).map_err(|error| Failure::input(&error))?;
    Ok(())
}

fn write_guarded(name: &str, started: &str) -> Result<(), Failure> {
    let value = Guarded::<Large>::open(name)?;
    value.store(&[1; 64])?;
    Event::open(started)?.set()?;
    // Until it is killed, in the middle of whatever it does then; not for ever if nobody does.
    for number in 2..100_000_000 {
        value.store(&[number; 64])?;
    }
    Ok(())
}

fn print_lines() -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    for number in 0..LINES {
        writeln!(output, "line {number} of a child's ordinary standard output")
            .map_err(|error| Failure::output(&error))?;
    }
    output.flush().map_err(|error| Failure::output(&error))
}

fn ping_pong(ping: &str, pong: &str) -> Result<(), Failure> {
    let (from_parent, to_parent) = (Event::open(ping)?, Event::open(pong)?);
    to_parent.set()?;
    for _ in 0..ROUNDS {
        await_event(&from_parent, "hit the ball")?;
        to_parent.set()?;
    }
    Ok(())
}

fn hold_mutex(name: &str, held: &str) -> Result<(), Failure> {
    let mutex = Mutex::open(name)?;
    let guard = mutex.lock()?;
    Event::open(held)?.set()?;
    wait_to_be_killed()?;
    drop(guard);
    Ok(())
}

fn fill_queue(name: &str, free: &str, full: &str) -> Result<(), Failure> {
    let view = Mapping::open(name)?.view()?;
    let (free, full) = (Semaphore::open(free)?, Semaphore::open(full)?);
    for item in 0..ITEMS {
        let room = wait::one(&free, PATIENCE)? != Wait::Timeout;
        expect(room, format!("no place for number {item}"))?;
        view.store_u32(slot(item), item)?;
        full.release(1)?;
    }
    Ok(())
}

fn signal_and_end(set: &str, count: &str, go: &str) -> Result<(), Failure> {
    let go = Event::open(go)?;
    // First the event: it comes first in the other's list, so a wait for any finds it whenever it looks.
    let counter = Semaphore::open(count)?;
    Event::open(set)?.set()?;
    counter.release(1)?;
    await_event(&go, "let this one end")?;
    transom::process::exit(EXIT_CODE)
}

fn hold_name(name: &str, made: &str) -> Result<(), Failure> {
    let mapping = Mapping::create(name, 4096)?.object;
    Event::open(made)?.set()?;
    wait_to_be_killed()?;
    drop(mapping);
    Ok(())
}

/// Waits for the end that the other process brings; comes back if it does not.
fn wait_to_be_killed() -> Result<(), Failure> {
    let never = Event::new(true)?;
    wait::one(&never, Timeout::from(2 * PATIENCE))?;
    Err(Failure::new(Exit::TimedOut, "nobody killed this process"))
}
