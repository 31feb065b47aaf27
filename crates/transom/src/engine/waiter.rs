//! Waiting for one, any or all of several objects.
//!
//! A wait is a loop: look whether the object can be taken, and if not, say so in its word (W) and sleep on
//! it until it changes. Looking and taking are one compare-and-swap, so nobody reports success without
//! having taken (Y3, Y25); who was woken and comes too late sleeps again.
//!
//! *Any*: the objects are tried in order, then slept on together, futex_waitv(2).
//!
//! *All* (Y26): the objects are locked one after the other in the order of their cookies, so that two such
//! waits cannot block each other; if all could be locked all are taken, else all are put back and the
//! thread sleeps on the first that was missing. Others that meet a locked object wait the moment until it
//! is decided, so nobody ever sees half a wait. A thread killed in between has its locks put back by the
//! kernel.
//!
//! A process among the objects ends without touching a word. If only processes are waited for, their
//! pidfds are polled; mixed with others, the [`watcher`](super::watcher) turns their end into a word.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use transom_core::code::Code;
use transom_core::protocol::{self, Slept, Tried, announce, leave, pass_on};
use transom_core::word::{self, Rule, Take};
use transom_sys::linux::fault::step;
use transom_sys::linux::futex::{self, Sleep};
use transom_sys::linux::{Errno, host, process, robust};

use super::owner::{self, me};
use super::process::ProcessObject;
use super::queue::Queue;
use super::signal::Until;
use super::sync::SyncObject;
use super::watcher::{self, Watched};
use crate::wait::{Timeout, Wait};

/// Something to wait for. It is borrowed: counting its users up and down costs more than a look at it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'a> {
    /// An event, mutex, semaphore or thread.
    Sync(&'a Arc<SyncObject>),
    /// A process, or its first thread.
    Process(&'a Arc<ProcessObject>),
    /// Something new in the queue of the calling thread.
    Input(Input<'a>),
    /// A pipe end or file: signalled whenever nothing is pending on it, and here nothing ever is.
    Always,
}

/// What of a queue a wait is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) queue: &'a Queue,
    /// `QS_` bits.
    pub(crate) mask: u32,
    /// What is there counts as well (`MWMO_INPUTAVAILABLE`).
    pub(crate) available: bool,
}

/// What one look at an object found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Taken { abandoned: bool },
    Empty,
}

/// When a time-out that begins now is over, on CLOCK_MONOTONIC.
fn deadline(timeout: Timeout) -> Option<u64> {
    if timeout.is_infinite() { None } else { timeout.deadline_nanos(futex::now()) }
}

/// How long a wait may take beyond its time-out for an object that is locked for a moment: its holder needs a
/// processor to say what it is.
const GRACE: u64 = 100_000_000;

/// After this time somebody asks whether the holder exists at all.
const DOUBT: u64 = 1_000_000_000;

/// Waits the moment until an object that is locked for a wait-all, or a mutex whose taker has not decided
/// yet, is so no more; not beyond `deadline` and [`GRACE`], if a deadline is given.
///
/// Its holder runs a few instructions. If it does not get a processor soon, this thread sleeps until the
/// word changes: the holder wakes whoever said W, and so does the kernel if the holder is killed. An id that a
/// peer made up has nobody who would do that; so a lock of a thread that does not exist is undone here.
pub(crate) fn settle(object: &SyncObject, deadline: Option<u64>) -> Slept {
    let undecided = || {
        let now = object.word().load(Ordering::Acquire);
        match object.rule() {
            Rule::Thread => None,
            // Partner: the release store in `owner::acquired`.
            Rule::Mutex if word::id(now) != 0 && object.depth().load(Ordering::Acquire) == 0 => Some(now),
            Rule::Mutex => None,
            _ if word::id(now) != 0 => Some(now),
            _ => None,
        }
    };
    for round in 0..200 {
        if undecided().is_none() {
            return Slept::Look;
        }
        if round < 50 { std::hint::spin_loop() } else { std::thread::yield_now() }
    }
    let begun = futex::now();
    let end = deadline.map(|at| at.max(begun.saturating_add(GRACE)));
    while let Some(now) = undecided() {
        let time = futex::now();
        if end.is_some_and(|at| time >= at) {
            return Slept::TimedOut;
        }
        if time >= begun.saturating_add(DOUBT) && !host::exists(word::id(now)) {
            undo(object, now);
            continue;
        }
        let announced = word::announce(now);
        if now != announced
            && object.word().compare_exchange(now, announced, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            continue;
        }
        // A mutex's decision does not change its word, so this sleep has an end of its own.
        let _ = futex::wait(object.futex(), word::low(announced), Some(time + 1_000_000));
    }
    Slept::Look
}

/// Does what the kernel does for a thread that died, for one that never was.
#[cold]
fn undo(object: &SyncObject, now: u64) {
    let changed = word::died(now);
    if object.word().compare_exchange(now, changed, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
        futex::wake(object.futex(), protocol::ALL);
    }
}

/// Tries an object once: takes it if it can be taken, with what belongs to it in a mutex.
fn attempt(object: &Arc<SyncObject>) -> Result<Tried, Code> {
    if !object.is_whole() {
        return Err(Code::FILE_INVALID);
    }
    if object.rule() != Rule::Mutex {
        return Ok(protocol::try_take(&**object, 0));
    }
    robust::set_pending(object.address());
    let tried = protocol::try_take(&**object, me().id);
    if let Tried::Taken { abandoned } = tried {
        step("mutex-taken");
        if !owner::link(object) {
            protocol::unlock(&**object, false, abandoned);
            robust::clear_pending();
            return Err(Code::FILE_CORRUPT);
        }
        step("mutex-linked");
        owner::acquired(object);
        robust::clear_pending();
        return Ok(tried);
    }
    robust::clear_pending();
    if owner::owns(object) {
        return if owner::acquired_again(object) {
            Ok(Tried::Taken { abandoned: false })
        } else {
            Err(Code::NO_SYSTEM_RESOURCES)
        };
    }
    // Its taker may still give it back.
    Ok(if is_undecided(object) { Tried::Busy } else { Tried::Empty })
}

/// When a wait ends; found out when somebody asks, since most waits end at the first look.
struct Limit {
    timeout: Timeout,
    at: Cell<Option<Option<u64>>>,
}

impl Limit {
    fn new(timeout: Timeout) -> Limit {
        Limit { timeout, at: Cell::new(None) }
    }

    /// On CLOCK_MONOTONIC; now for a time-out of 0, `None` for no end.
    fn at(&self) -> Option<u64> {
        self.at.get().unwrap_or_else(|| {
            let at = deadline_or_now(self.timeout);
            self.at.set(Some(at));
            at
        })
    }
}

/// Tries an object, waiting out the moment in which it is locked for a wait-all.
fn try_take(object: &Arc<SyncObject>, limit: &Limit) -> Result<Look, Code> {
    loop {
        match attempt(object)? {
            Tried::Taken { abandoned } => return Ok(Look::Taken { abandoned }),
            Tried::Empty => return Ok(Look::Empty),
            Tried::Busy if settle(object, limit.at()) == Slept::TimedOut => return Ok(Look::Empty),
            Tried::Busy => {}
        }
    }
}

/// WaitForSingleObject.
pub(crate) fn one(target: &Target<'_>, timeout: Timeout) -> Result<Wait, Code> {
    let object = match target {
        Target::Always => return Ok(Wait::Object(0)),
        Target::Input(_) => {
            let found = any(&[*target, *target], timeout)?;
            // Whichever of the two looks found it.
            return Ok(if found == Wait::Timeout { found } else { Wait::Object(0) });
        }
        Target::Process(process) => {
            let processes = [*process];
            return processes_only(&processes, deadline_or_now(timeout));
        }
        Target::Sync(object) => object,
    };
    let limit = Limit::new(timeout);
    match try_take(object, &limit)? {
        Look::Taken { abandoned } => return Ok(result(0, abandoned)),
        Look::Empty if timeout.as_millis() == 0 => return Ok(Wait::Timeout),
        Look::Empty => {}
    }
    sleep_and_take(object, limit.at())
        .map(|found| found.map_or(Wait::Timeout, |abandoned| result(0, abandoned)))
}

fn result(index: usize, abandoned: bool) -> Wait {
    if abandoned { Wait::Abandoned(index) } else { Wait::Object(index) }
}

/// Sleeps on one object until it can be taken, and takes it; `None` at the deadline.
fn sleep_and_take(object: &Arc<SyncObject>, deadline: Option<u64>) -> Result<Option<bool>, Code> {
    let pulse = object.pulse().load(Ordering::Acquire);
    let until = Until { object, deadline };
    protocol::wait(&until, || {
        // Partner: the release in `signal::pulse_event`.
        if object.rule() == Rule::Manual && object.pulse().load(Ordering::Acquire) != pulse {
            return Ok(Tried::Taken { abandoned: false });
        }
        attempt(object)
    })
}

/// Sleeps until one object changes; false at the deadline.
fn sleep_until_changed(object: &Arc<SyncObject>, deadline: Option<u64>) -> bool {
    robust::set_pending(object.address());
    let slept =
        announce(&**object).map_or(Ok(()), |expected| futex::wait(object.futex(), expected, deadline));
    robust::clear_pending();
    slept != Err(Errno::TIMEDOUT) && !is_over(deadline)
}

/// Whether it is too late. A sleep that could not begin, because an object is locked for a moment, does not tell.
fn is_over(deadline: Option<u64>) -> bool {
    deadline.is_some_and(|at| futex::now() >= at)
}

/// A deadline in any case: now for a time-out of 0.
fn deadline_or_now(timeout: Timeout) -> Option<u64> {
    if timeout.as_millis() == 0 { Some(0) } else { deadline(timeout) }
}

/// Waits for any of some processes and nothing else.
fn processes_only(processes: &[&Arc<ProcessObject>], deadline: Option<u64>) -> Result<Wait, Code> {
    if let Some(index) = processes.iter().position(|process| process.has_ended()) {
        return Ok(Wait::Object(index));
    }
    let pidfds: Vec<_> = processes.iter().filter_map(|process| process.pidfd()).collect();
    match process::wait_any(&pidfds, deadline) {
        Ok(None) => Ok(Wait::Timeout),
        Ok(Some(_)) => {
            let index = processes.iter().position(|process| process.has_ended()).unwrap_or(0);
            Ok(Wait::Object(index))
        }
        Err(error) => Err(super::errno::code(error)),
    }
}

/// WaitForMultipleObjects for any.
pub(crate) fn any(targets: &[Target<'_>], timeout: Timeout) -> Result<Wait, Code> {
    if let [target] = targets {
        return one(target, timeout);
    }
    let limit = Limit::new(timeout);
    // Most waits end here, and need not know how often which event was pulsed.
    if let Some((index, abandoned)) = first_available(targets, &limit)? {
        return Ok(result(index, abandoned));
    }
    if timeout.as_millis() == 0 {
        return Ok(Wait::Timeout);
    }
    let pulses: Vec<u32> = targets.iter().map(pulse_of).collect();
    loop {
        if let Some((index, abandoned)) = first_available(targets, &limit)? {
            leave_all(targets, Some(index));
            return Ok(result(index, abandoned));
        }
        let until = limit.at();
        let processes: Vec<&Arc<ProcessObject>> = targets
            .iter()
            .filter_map(|target| if let Target::Process(process) = target { Some(*process) } else { None })
            .collect();
        if processes.len() == targets.len() {
            return processes_only(&processes, until);
        }
        let slept = sleep_on_all_words(targets, until)?;
        if let Some(index) =
            targets.iter().zip(&pulses).position(|(target, pulse)| pulse_of(target) != *pulse)
        {
            leave_all(targets, Some(index));
            return Ok(Wait::Object(index));
        }
        if slept == Err(Errno::TIMEDOUT) || is_over(until) {
            let found = first_available(targets, &limit)?;
            leave_all(targets, found.map(|(index, _)| index));
            return Ok(found.map_or(Wait::Timeout, |(index, abandoned)| result(index, abandoned)));
        }
    }
}

/// A manual-reset event's pulse count; 0 for everything else.
fn pulse_of(target: &Target<'_>) -> u32 {
    match target {
        Target::Sync(object) if object.rule() == Rule::Manual => object.pulse().load(Ordering::Acquire),
        _ => 0,
    }
}

/// Tries the targets from index 0 up and takes the first that can be taken (Y25): which, and whether it was abandoned.
fn first_available(targets: &[Target<'_>], limit: &Limit) -> Result<Option<(usize, bool)>, Code> {
    for (index, target) in targets.iter().enumerate() {
        let look = match target {
            Target::Always => Look::Taken { abandoned: false },
            Target::Process(process) if process.has_ended() => Look::Taken { abandoned: false },
            Target::Process(_) => Look::Empty,
            Target::Input(input) if input.queue.has_input(input.mask, input.available) => {
                Look::Taken { abandoned: false }
            }
            Target::Input(_) => Look::Empty,
            Target::Sync(object) => try_take(object, limit)?,
        };
        if let Look::Taken { abandoned } = look {
            if let Target::Sync(object) = target {
                pass_on(&***object);
            }
            return Ok(Some((index, abandoned)));
        }
    }
    Ok(None)
}

/// Passes on what this wait may have been given, while it slept, of objects that it did not take.
fn leave_all(targets: &[Target<'_>], taken: Option<usize>) {
    for (index, target) in targets.iter().enumerate() {
        if let (Target::Sync(object), true) = (target, taken != Some(index)) {
            leave(&***object);
        }
    }
}

/// Sleeps until one of the words changes. The inner result is the kernel's.
fn sleep_on_all_words(targets: &[Target<'_>], deadline: Option<u64>) -> Result<Result<(), Errno>, Code> {
    let mut watched: Vec<Arc<Watched>> = Vec::new();
    let mut queued: Vec<Sleep<'_>> = Vec::new();
    let mut expected = Vec::with_capacity(targets.len());
    for &target in targets {
        match target {
            Target::Always => {}
            Target::Input(input) => match input.queue.word() {
                Some(word) => queued.push(word),
                None => return Ok(Ok(())),
            },
            Target::Process(process) => {
                if let Some(end) = process.watch()? {
                    watched.push(end);
                }
            }
            Target::Sync(object) => {
                object.herd().fetch_add(1, Ordering::Relaxed);
                let Some(value) = announce(&**object) else { return Ok(Ok(())) };
                expected.push((object, value));
                if let Some(end) = watch_owner(object)? {
                    watched.push(end);
                }
            }
        }
    }
    let mut sleeps: Vec<Sleep<'_>> = Vec::with_capacity(expected.len() + watched.len());
    for (object, value) in &expected {
        sleeps.push(Sleep { word: object.futex(), expected: *value });
    }
    sleeps.extend(queued);
    for end in &watched {
        if end.has_ended() {
            return Ok(Ok(()));
        }
        sleeps.push(Sleep { word: end.word(), expected: 0 });
    }
    match futex::wait_any(&sleeps, deadline) {
        Err(Errno::NOSYS | Errno::PERM) => super::watcher::wait_any_with_threads(&sleeps, deadline),
        Err(error @ (Errno::TIMEDOUT | Errno::AGAIN | Errno::INTR)) => Ok(Err(error)),
        Err(error) => Err(super::errno::code(error)),
        Ok(_) => Ok(Ok(())),
    }
}

/// A mutex whose owner is in another process: its death wakes one sleeper only, and that may be one of its
/// own threads that dies with it. So this wait watches the owner's process by itself.
fn watch_owner(object: &SyncObject) -> Result<Option<Arc<Watched>>, Code> {
    if object.rule() != Rule::Mutex {
        return Ok(None);
    }
    let before = object.word().load(Ordering::Acquire);
    let process = object.process_id().load(Ordering::Relaxed);
    if word::id(before) == 0 || process == me().process || process == 0 {
        return Ok(None);
    }
    let watched = watcher::watch_process(process)?;
    // If the owner is still the same, the process was alive when it was looked up, so it is the right one.
    let after = object.word().load(Ordering::Acquire);
    Ok(if word::id(before) == word::id(after) { watched } else { None })
}

/// An object that a wait for all has locked.
struct Locked<'a> {
    object: &'a Arc<SyncObject>,
    abandoned: bool,
    /// A mutex that the thread owned already: acquired once more at the end.
    again: bool,
}

/// WaitForMultipleObjects for all.
pub(crate) fn all(targets: &[Target<'_>], timeout: Timeout) -> Result<Wait, Code> {
    let mut order: Vec<&Arc<SyncObject>> = Vec::with_capacity(targets.len());
    let mut processes: Vec<&Arc<ProcessObject>> = Vec::new();
    for &target in targets {
        match target {
            // Input is not waited for together with all of others.
            Target::Always | Target::Input(_) => {}
            Target::Process(process) => processes.push(process),
            Target::Sync(object) => order.push(object),
        }
    }
    order.sort_by(|a, b| a.cookie().cmp(b.cookie()));
    if order.windows(2).any(|pair| pair[0].cookie() == pair[1].cookie()) {
        return Err(Code::INVALID_PARAMETER);
    }
    let until = if timeout.as_millis() == 0 { Some(0) } else { deadline(timeout) };
    loop {
        // Processes stay ended, so they can be waited for one after the other, first of all.
        for process in &processes {
            if processes_only(&[process], until)? == Wait::Timeout {
                return Ok(Wait::Timeout);
            }
        }
        match lock_all(&order, until)? {
            Ok(abandoned) => return Ok(result(0, abandoned)),
            Err(missing) => {
                if timeout.as_millis() == 0 {
                    return Ok(Wait::Timeout);
                }
                if !sleep_until_changed(missing, until) {
                    let last = lock_all(&order, until)?;
                    if last.is_err() {
                        leave(&**missing);
                    }
                    return Ok(last.map_or(Wait::Timeout, |abandoned| result(0, abandoned)));
                }
                // Woken for `missing`: if it is another object's turn now, somebody else may take this one.
                match lock_all(&order, until)? {
                    Ok(abandoned) => return Ok(result(0, abandoned)),
                    Err(_) => leave(&**missing),
                }
            }
        }
    }
}

/// Takes all objects in one step, or none: then the first that could not be taken.
fn lock_all<'a>(
    order: &[&'a Arc<SyncObject>],
    deadline: Option<u64>,
) -> Result<Result<bool, &'a Arc<SyncObject>>, Code> {
    let me = me();
    let mut locked: Vec<Locked<'a>> = Vec::with_capacity(order.len());
    for object in order {
        match lock_one(object, me.id, deadline) {
            Ok(Some(row)) => locked.push(row),
            missing => {
                for row in locked.iter().rev() {
                    unlock(row, false);
                }
                return missing.map(|_| Err(*object));
            }
        }
    }
    step("all-locked");
    let abandoned = locked.iter().any(|row| row.abandoned);
    let mut full = false;
    for row in &locked {
        if row.again {
            full |= !owner::acquired_again(row.object);
        } else {
            unlock(row, true);
        }
    }
    if full { Err(Code::NO_SYSTEM_RESOURCES) } else { Ok(Ok(abandoned)) }
}

fn lock_one<'a>(
    object: &'a Arc<SyncObject>,
    id: u32,
    deadline: Option<u64>,
) -> Result<Option<Locked<'a>>, Code> {
    let rule = object.rule();
    loop {
        if !object.is_whole() {
            return Err(Code::FILE_INVALID);
        }
        let old = object.word().load(Ordering::Acquire);
        match word::lock(rule, old, id) {
            Take::Free { word: new, abandoned } => {
                if rule == Rule::Thread {
                    return Ok(Some(Locked { object, abandoned, again: false }));
                }
                robust::set_pending(object.address());
                let swapped =
                    object.word().compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed).is_ok();
                let mut linked = true;
                if swapped {
                    step("object-locked");
                    linked = owner::link(object);
                    if !linked {
                        protocol::unlock(&**object, false, abandoned);
                    }
                }
                robust::clear_pending();
                if !linked {
                    return Err(Code::FILE_CORRUPT);
                }
                if swapped {
                    return Ok(Some(Locked { object, abandoned, again: false }));
                }
            }
            Take::Busy if settle(object, deadline) == Slept::TimedOut => return Ok(None),
            Take::Busy => {}
            Take::Empty if rule != Rule::Mutex => return Ok(None),
            Take::Empty if owner::owns(object) => {
                return Ok(Some(Locked { object, abandoned: false, again: true }));
            }
            // Another wait for all has it and may yet give it back: that is neither taken nor free. The order in
            // which objects are locked keeps two such waits from waiting for each other.
            Take::Empty if is_undecided(object) && settle(object, deadline) == Slept::Look => {}
            Take::Empty => return Ok(None),
        }
    }
}

/// Whether a mutex that could not be taken is worth another look: its owner has not decided whether it keeps it, or
/// has given it back since.
fn is_undecided(object: &SyncObject) -> bool {
    // Partner: the release store in `owner::acquired`.
    object.depth().load(Ordering::Acquire) == 0 || word::id(object.word().load(Ordering::Acquire)) == 0
}

/// Decides about a locked object: taken, or put back as it was.
fn unlock(row: &Locked<'_>, commit: bool) {
    let object = row.object;
    let rule = object.rule();
    if row.again || rule == Rule::Thread {
        return;
    }
    if commit && rule == Rule::Mutex {
        owner::acquired(object);
        return;
    }
    robust::set_pending(object.address());
    owner::unlink(object);
    protocol::unlock(&**object, commit, row.abandoned);
    robust::clear_pending();
}

/// Acquires a mutex, without limit.
pub(crate) fn lock(object: &Arc<SyncObject>) -> Result<Wait, Code> {
    match try_take(object, &Limit::new(Timeout::INFINITE))? {
        Look::Taken { abandoned } => Ok(result(0, abandoned)),
        Look::Empty => {
            Ok(sleep_and_take(object, None)?.map_or(Wait::Timeout, |abandoned| result(0, abandoned)))
        }
    }
}
