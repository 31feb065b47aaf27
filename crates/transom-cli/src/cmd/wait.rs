//! `transom wait`: one, any or all of several named objects of any kind.

use std::io;

use serde::Serialize;
use transom::Code;
use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, Handle};
use transom::mutex::{Mutex, MutexOptions};
use transom::process::SYNCHRONIZE;
use transom::semaphore::{Semaphore, SemaphoreOptions};
use transom::wait::{self, Wait};

use crate::args::WaitArgs;
use crate::cmd::mutex;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, Report, printable};

/// Waits, releases mutexes at once, and prints which object it was if there were several.
pub fn run(args: &WaitArgs, output: &Output) -> Result<i32, Failure> {
    let objects: Vec<Object> =
        args.names.iter().map(|name| Object::open(name)).collect::<Result<_, Failure>>()?;
    let handles: Vec<&dyn AsHandle> = objects.iter().map(|object| object as &dyn AsHandle).collect();
    let result = if args.all {
        wait::all(&handles, args.limit.timeout)?
    } else {
        wait::any(&handles, args.limit.timeout)?
    };
    let (index, abandoned) = match result {
        Wait::Timeout => return Err(Failure::timed_out(args.names.join(", "))),
        Wait::Object(index) => (index, false),
        Wait::Abandoned(index) => (index, true),
    };
    let taken = if args.all { &objects[..] } else { &objects[index..=index] };
    for object in taken {
        object.give_back()?;
    }
    if abandoned {
        return Err(mutex::abandoned(&args.names[index]));
    }
    let name = if args.all { None } else { Some(args.names[index].as_str()) };
    output.report(&Signalled {
        name,
        index,
        all: args.all,
        value: result.value(),
        several: args.names.len() > 1,
    })?;
    Ok(Exit::Ok.code())
}

/// How the wait ended.
#[derive(Debug, Serialize)]
struct Signalled<'a> {
    /// The object that was signalled; none in a wait for all.
    name: Option<&'a str>,
    index: usize,
    all: bool,
    /// What WaitForMultipleObjects returns.
    value: u32,
    #[serde(skip)]
    several: bool,
}

impl Report for Signalled<'_> {
    fn text(&self, out: &mut dyn io::Write) -> io::Result<()> {
        match self.name {
            Some(name) if self.several => writeln!(out, "{}", printable(name)),
            _ => Ok(()),
        }
    }
}

/// A named object that can be waited for.
enum Object {
    Event(Event),
    Mutex(Mutex),
    Semaphore(Semaphore),
}

impl Object {
    /// Opens a name of whichever kind. All kinds share one set of names, so at most one kind fits.
    fn open(name: &str) -> Result<Object, Failure> {
        let other_kind = |error: &transom::Error| error.code() == Code::INVALID_HANDLE;
        match EventOptions::new().name(name).access(SYNCHRONIZE).open() {
            Err(error) if other_kind(&error) => {}
            result => return Ok(Object::Event(result?)),
        }
        match MutexOptions::new().name(name).access(SYNCHRONIZE).open() {
            Err(error) if other_kind(&error) => {}
            result => return Ok(Object::Mutex(result?)),
        }
        match SemaphoreOptions::new(0, 1).name(name).access(SYNCHRONIZE).open() {
            Err(error) if other_kind(&error) => {
                let failure = Failure::from(error);
                Err(failure.hint("events, mutexes and semaphores can be waited for; mappings cannot"))
            }
            result => Ok(Object::Semaphore(result?)),
        }
    }

    /// A mutex is released; otherwise this process's end would abandon it.
    fn give_back(&self) -> Result<(), Failure> {
        match self {
            Object::Mutex(mutex) => Ok(mutex.release()?),
            Object::Event(_) | Object::Semaphore(_) => Ok(()),
        }
    }
}

impl AsHandle for Object {
    fn as_handle(&self) -> &Handle {
        match self {
            Object::Event(event) => event.as_handle(),
            Object::Mutex(mutex) => mutex.as_handle(),
            Object::Semaphore(semaphore) => semaphore.as_handle(),
        }
    }
}
