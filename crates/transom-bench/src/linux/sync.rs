//! Events, mutexes, semaphores, and waiting for several.

use transom::event::{Event, EventOptions};
use transom::handle::AsHandle;
use transom::mutex::{Mutex, MutexOptions};
use transom::semaphore::Semaphore;
use transom::wait::{self, Timeout, Wait};

use super::Stage;
use super::floors::{contend, contended};
use super::mapping::unique;
use super::partner::{Partner, Shared, Work};
use crate::error::{Error, Result};
use crate::sample::{each, row, serve};

/// A new auto-reset event.
fn named(name: &str) -> Result<Event> {
    Ok(EventOptions::new().name(name).create()?.object)
}

fn argument(arguments: &[String], index: usize) -> Result<&str> {
    arguments.get(index).map(String::as_str).ok_or_else(|| Error::new("a partner lacks an argument"))
}

fn round_trips(stage: &Stage<'_>, role: &str, more: &[String]) -> Result<()> {
    let names = [unique("there"), unique("back")];
    let (there, back) = (named(&names[0])?, named(&names[1])?);
    let mut partner = Partner::start(stage, role, &[&names, more].concat(), 0)?;
    serve(&mut |count| {
        partner.begin(count)?;
        each(count, || {
            there.set()?;
            wait::one(&back, Timeout::INFINITE)?;
            Ok(())
        })
    })
}

pub(super) fn event(stage: &Stage<'_>) -> Result<()> {
    round_trips(stage, "event", &[])
}

pub(super) fn event_partner(_: Shared, arguments: &[String]) -> Result<Work> {
    let (there, back) = (Event::open(argument(arguments, 0)?)?, Event::open(argument(arguments, 1)?)?);
    Ok(Box::new(move |count| {
        for _ in 0..count {
            wait::one(&there, Timeout::INFINITE)?;
            back.set()?;
        }
        Ok(())
    }))
}

/// The partner waits for any of several events, of which the last is set.
pub(super) fn any(stage: &Stage<'_>) -> Result<()> {
    round_trips(stage, "any", &[stage.number(0)?.to_string()])
}

pub(super) fn any_partner(_: Shared, arguments: &[String]) -> Result<Work> {
    let (there, back) = (Event::open(argument(arguments, 0)?)?, Event::open(argument(arguments, 1)?)?);
    let number: usize = argument(arguments, 2)?.parse().map_err(Error::of("read a number"))?;
    let others = (1..number).map(|_| Event::new(false)).collect::<transom::Result<Vec<_>>>()?;
    Ok(Box::new(move |count| {
        let mut all: Vec<&dyn AsHandle> = others.iter().map(|event| event as &dyn AsHandle).collect();
        all.push(&there);
        for _ in 0..count {
            wait::any(&all, Timeout::INFINITE)?;
            back.set()?;
        }
        Ok(())
    }))
}

fn taken(wait: Wait, index: usize) -> Result<()> {
    if wait == Wait::Object(index) { Ok(()) } else { Err(Error::new(format!("a wait ended with {wait:?}"))) }
}

pub(super) fn event_fast(_: &Stage<'_>) -> Result<()> {
    let event = named(&unique("event"))?;
    serve(&mut |count| {
        row(count, || {
            event.set()?;
            taken(wait::one(&event, Timeout::INFINITE)?, 0)
        })
    })
}

pub(super) fn any_fast(stage: &Stage<'_>) -> Result<()> {
    let number = stage.number(0)?;
    let events = (0..number).map(|_| Event::new(false)).collect::<transom::Result<Vec<_>>>()?;
    let all: Vec<&dyn AsHandle> = events.iter().map(|event| event as &dyn AsHandle).collect();
    let last = events.last().ok_or_else(|| Error::new("nothing to wait for"))?;
    serve(&mut |count| {
        row(count, || {
            last.set()?;
            taken(wait::any(&all, Timeout::INFINITE)?, number - 1)
        })
    })
}

pub(super) fn mutex(_: &Stage<'_>) -> Result<()> {
    let mutex = MutexOptions::new().name(&unique("mutex")).create()?.object;
    serve(&mut |count| {
        row(count, || {
            drop(mutex.lock()?);
            Ok(())
        })
    })
}

pub(super) fn mutex_contended(stage: &Stage<'_>) -> Result<()> {
    let name = unique("contended");
    let mutex = MutexOptions::new().name(&name).create()?.object;
    let mut partner = Partner::start(stage, "mutex-contended", &[name], 0)?;
    serve(&mut |count| contended(&mut partner, count, |_, work| locked(&mutex, work)))
}

pub(super) fn mutex_contended_partner(shared: Shared, arguments: &[String]) -> Result<Work> {
    let mutex = Mutex::open(argument(arguments, 0)?)?;
    Ok(Box::new(move |_| contend(&shared, |_, work| locked(&mutex, work))))
}

fn locked(mutex: &Mutex, work: &dyn Fn()) -> Result<()> {
    let guard = mutex.lock()?;
    work();
    drop(guard);
    Ok(())
}

pub(super) fn semaphore(_: &Stage<'_>) -> Result<()> {
    let semaphore = Semaphore::new(0, 1000)?;
    serve(&mut |count| {
        row(count, || {
            semaphore.release(1)?;
            taken(wait::one(&semaphore, Timeout::INFINITE)?, 0)
        })
    })
}
