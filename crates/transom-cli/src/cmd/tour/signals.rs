//! Steps about events, mutexes, semaphores, waits and names.

use std::time::Instant;

use transom::Code;
use transom::event::{Event, EventOptions};
use transom::mapping::Mapping;
use transom::mutex::MutexOptions;
use transom::semaphore::SemaphoreOptions;
use transom::wait::{self, Timeout, Wait};

use super::peer::Peer;
use super::{PATIENCE, Stage, expect};
use crate::failure::Failure;

/// Round trips of the ping-pong.
pub const ROUNDS: u32 = 2000;

/// Places of the bounded queue.
pub const PLACES: u32 = 8;

/// Numbers that go through it.
pub const ITEMS: u32 = 1000;

/// What the waited-for child ends with: more than the eight bits of other systems' exit codes.
pub const EXIT_CODE: u32 = 0xC0DE_0007;

/// A named auto-reset event.
fn event(name: &str) -> Result<Event, Failure> {
    Ok(EventOptions::new().name(name).create()?.object)
}

/// Waits for an event that the child sets.
pub fn await_event(event: &Event, what: &str) -> Result<(), Failure> {
    let set = wait::one(event, PATIENCE)? != Wait::Timeout;
    expect(set, format!("waited in vain for the other process to {what}"))
}

pub fn ping_pong(stage: &Stage) -> Result<String, Failure> {
    let (ping, pong) = (stage.name("ping"), stage.name("pong"));
    let (to_child, to_us) = (event(&ping)?, event(&pong)?);
    let child = Peer::start("ping-pong", [ping, pong])?;
    // The first one is the child's start and not counted.
    await_event(&to_us, "start")?;
    let begin = Instant::now();
    for _ in 0..ROUNDS {
        to_child.set()?;
        await_event(&to_us, "answer")?;
    }
    let micros = begin.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS);
    child.finish()?;
    Ok(format!("{ROUNDS} round trips, {micros:.1} microseconds each"))
}

pub fn abandoned_mutex(stage: &Stage) -> Result<String, Failure> {
    let (name, held) = (stage.name("mutex"), stage.name("held"));
    let mutex = MutexOptions::new().name(&name).create()?.object;
    let is_held = event(&held)?;
    let child = Peer::start("hold-mutex", [name, held])?;
    await_event(&is_held, "acquire the mutex")?;
    expect(mutex.lock_for(Timeout::ZERO)?.is_none(), "acquired a mutex that the child owns")?;
    child.kill()?;
    let first = mutex.lock_for(PATIENCE)?;
    let told = first.as_ref().is_some_and(|guard| guard.abandoned());
    expect(told, "a killed owner was not reported as WAIT_ABANDONED")?;
    drop(first);
    let again = mutex.lock_for(Timeout::ZERO)?;
    let clean = again.is_some_and(|guard| !guard.abandoned());
    expect(clean, "the abandonment was told twice")?;
    Ok(format!("owned while {} lived, WAIT_ABANDONED once after it was killed, then normal", child.id()))
}

pub fn bounded_queue(stage: &Stage) -> Result<String, Failure> {
    let (name, free, full) = (stage.name("queue"), stage.name("free"), stage.name("full"));
    let places = PLACES as i32;
    // The handle keeps the name, which the child needs; the view alone would keep only the memory.
    let mapping = Mapping::create(&name, 4096)?.object;
    let view = mapping.view()?;
    let free_places = SemaphoreOptions::new(places, places).name(&free).create()?.object;
    let full_places = SemaphoreOptions::new(0, places).name(&full).create()?.object;
    let child = Peer::start("fill-queue", [&name, &free, &full])?;
    let mut most = 0;
    for item in 0..ITEMS {
        let ready = wait::one(&full_places, PATIENCE)? != Wait::Timeout;
        expect(ready, format!("number {item} did not arrive"))?;
        let number = view.load_u32(slot(item))?;
        expect(number == item, format!("number {number} arrived instead of {item}"))?;
        // What was free before tells how many were waiting to be taken.
        let before = free_places.release(1)?;
        most = most.max(places - before);
    }
    child.finish()?;
    Ok(format!("{ITEMS} numbers in order, never more than {most} on the way"))
}

pub fn any_and_all(stage: &Stage) -> Result<String, Failure> {
    let (set, count, go) = (stage.name("any-event"), stage.name("any-count"), stage.name("any-go"));
    let event_set = event(&set)?;
    let counter = SemaphoreOptions::new(0, 4).name(&count).create()?.object;
    let may_go = event(&go)?;
    let child = Peer::start("signal-and-end", [set, count, go])?;
    let any = wait::any(&[&event_set, &counter, child.process()], PATIENCE)?;
    expect(any == Wait::Object(0), format!("any gave {any:?} instead of the event"))?;
    // The semaphore has a count by now, but the process still runs: nothing may be taken.
    let all = wait::all(&[&counter, child.process()], Timeout::millis(20))?;
    expect(all == Wait::Timeout, format!("all gave {all:?} while the process was running"))?;
    may_go.set()?;
    let all = wait::all(&[&counter, child.process()], PATIENCE)?;
    expect(all == Wait::Object(0), format!("all gave {all:?} at the end"))?;
    let left = wait::one(&counter, Timeout::ZERO)?;
    expect(left == Wait::Timeout, "the semaphore was not taken once")?;
    let code = child.exit_code()?;
    expect(code == EXIT_CODE, format!("exit code {code:#x} instead of {EXIT_CODE:#x}"))?;
    Ok(format!("any: the event; all: nothing before the process ended, with exit code {code:#x}"))
}

pub fn vanishing_name(stage: &Stage) -> Result<String, Failure> {
    let (name, made) = (stage.name("vanishing"), stage.name("made"));
    let is_made = event(&made)?;
    let child = Peer::start("hold-name", [name.clone(), made])?;
    await_event(&is_made, "create the name")?;
    // Opened and closed again, so that the child is the only holder.
    drop(Mapping::open_read_only(&name)?);
    child.kill()?;
    match Mapping::open_read_only(&name) {
        Ok(_) => expect(false, "the name was still there")?,
        Err(error) if error.code() == Code::FILE_NOT_FOUND => {}
        Err(error) => return Err(error.into()),
    }
    let again = Mapping::create(&name, 4096)?;
    expect(!again.existed, "the name was free, and yet it existed")?;
    Ok(format!("ERROR_FILE_NOT_FOUND (2) after {} was killed; the name is free again", child.id()))
}

/// Where an item of the queue lies.
pub fn slot(item: u32) -> usize {
    (item % PLACES) as usize * 4
}
