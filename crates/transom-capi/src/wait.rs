//! Waiting: `WaitForSingleObject` and its like, alertable or not. Only `WAIT_FAILED` sets the last error.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::time::Instant;

use transom::Code;
use transom::handle::{AsHandle, Borrowed, FromHandle, Handle, Kind, ext as handle_ext};
use transom::pipe::{Pipe, ext};
use transom::process::{self, Process};
use transom::wait::{self, MAXIMUM_WAIT_OBJECTS, Timeout, Wait};
use transom_core::access;

use crate::apc::Queue;
use crate::ffi::{Bool, HANDLE, In, Outcome, fail, guard};
use crate::overlapped::WAIT_IO_COMPLETION;
use crate::pending::{self, Attached};

/// `WAIT_FAILED`.
const WAIT_FAILED: u32 = u32::MAX;
/// How long an alertable wait that cannot wait for its calls as well waits before it looks for them.
pub(crate) const SLICE: Timeout = Timeout::millis(5);

/// The timeout of a call. Before this thread waits, a child that left it a head start is let go.
pub(crate) fn timeout(milliseconds: u32) -> Timeout {
    if milliseconds > 0 {
        process::let_go();
    }
    Timeout::millis(milliseconds)
}

/// How an alertable wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alertable {
    Waited(Wait),
    /// Calls were made to this thread, which ends the wait.
    Called,
}

fn waited(body: impl FnOnce() -> Outcome<Alertable>) -> u32 {
    guard(WAIT_FAILED, || {
        Ok(match body()? {
            Alertable::Waited(wait) => wait.value(),
            Alertable::Called => WAIT_IO_COMPLETION,
        })
    })
}

/// One handle or several, any of them or all.
fn plain_wait(handles: &[&dyn AsHandle], all: bool, limit: Timeout) -> Outcome<Wait> {
    Ok(match handles {
        [one] => wait::one(&Only(*one), limit)?,
        several if all => wait::all(several, limit)?,
        several => wait::any(several, limit)?,
    })
}

/// What [`wait::one`] takes.
struct Only<'a>(&'a dyn AsHandle);

impl AsHandle for Only<'_> {
    fn as_handle(&self) -> &Handle {
        self.0.as_handle()
    }
}

/// What a wait for the handle of a pipe waits for (P54); `None` for anything else.
pub(crate) fn stand_in(handle: &Handle) -> Outcome<Option<Borrowed<Handle>>> {
    if handle.kind() != Some(Kind::Pipe) {
        return Ok(None);
    }
    let end = ext::end(&*Pipe::borrow(handle.as_raw())?, 0)?;
    let idle = if end.is_overlapped() { Attached::of(&end).idle() } else { None };
    if idle.is_some() && handle_ext::granted_access(handle) & access::SYNCHRONIZE == 0 {
        return fail(Code::ACCESS_DENIED);
    }
    Ok(idle.map(Handle::borrow).transpose()?)
}

/// A wait that also ends when this thread has calls to make, if it is alertable. What waits on pipes goes on first.
pub(crate) fn alertable_wait(
    handles: &[&Handle],
    all: bool,
    limit: Timeout,
    alertable: bool,
) -> Outcome<Alertable> {
    pending::progress();
    let stand_ins = handles.iter().map(|handle| stand_in(handle)).collect::<Outcome<Vec<_>>>()?;
    let objects: Vec<&dyn AsHandle> = handles
        .iter()
        .zip(&stand_ins)
        .map(|(handle, stand_in)| match stand_in {
            Some(stand_in) => &**stand_in as &dyn AsHandle,
            None => *handle as &dyn AsHandle,
        })
        .collect();
    let mut at_once = plain_wait(&objects, all, Timeout::ZERO)?;
    if at_once == Wait::Timeout && limit != Timeout::ZERO {
        let mut failure = None;
        pending::spin(|| {
            match plain_wait(&objects, all, Timeout::ZERO) {
                Ok(wait) => at_once = wait,
                Err(why) => failure = Some(why),
            }
            failure.is_some() || at_once != Wait::Timeout
        });
        if let Some(why) = failure {
            return Err(why);
        }
    }
    if at_once != Wait::Timeout {
        return Ok(Alertable::Waited(at_once));
    }
    if alertable {
        return wait_or_call(&objects, all, limit);
    }
    if limit == Timeout::ZERO {
        return Ok(Alertable::Waited(Wait::Timeout));
    }
    plain_wait(&objects, all, limit).map(Alertable::Waited)
}

/// Nothing of `objects` was signalled just now.
fn wait_or_call(objects: &[&dyn AsHandle], all: bool, limit: Timeout) -> Outcome<Alertable> {
    let queue = Queue::own()?;
    let began = Instant::now();
    let left = || match limit.as_duration() {
        Some(limit) => Timeout::from_duration(limit.saturating_sub(began.elapsed())),
        None => Timeout::INFINITE,
    };
    loop {
        if queue.run() {
            return Ok(Alertable::Called);
        }
        let rest = left();
        // The queue's event is one object more, and none that a wait for all could have.
        let together = objects.is_empty() || (!all && objects.len() < MAXIMUM_WAIT_OBJECTS);
        let ended = if together {
            let with_queue: Vec<&dyn AsHandle> =
                objects.iter().copied().chain([queue.event() as _]).collect();
            match plain_wait(&with_queue, false, rest)? {
                Wait::Object(index) if index == objects.len() => continue,
                ended => ended,
            }
        } else {
            plain_wait(objects, all, rest.min(SLICE))?
        };
        if ended != Wait::Timeout || rest == Timeout::ZERO {
            // A call that came in the last moment is for the next wait.
            return Ok(Alertable::Waited(ended));
        }
        pending::progress();
    }
}

/// Whether a wait has nothing to do with pipes and calls, as most have.
pub(crate) fn is_plain(handles: &[&Handle], alertable: Bool) -> bool {
    alertable == 0 && !pending::any() && handles.iter().all(|handle| handle.kind() != Some(Kind::Pipe))
}

fn one(object: HANDLE, milliseconds: u32, alertable: Bool) -> u32 {
    waited(|| {
        let object = Handle::borrow(object.raw())?;
        let limit = timeout(milliseconds);
        if is_plain(&[&*object], alertable) {
            return Ok(Alertable::Waited(wait::one(&*object, limit)?));
        }
        alertable_wait(&[&*object], false, limit, alertable != 0)
    })
}

fn several(count: u32, handles: In<HANDLE>, all: Bool, milliseconds: u32, alertable: Bool) -> u32 {
    waited(|| {
        let count = count as usize;
        if count == 0 || count > MAXIMUM_WAIT_OBJECTS {
            return fail(Code::INVALID_PARAMETER);
        }
        let values = handles.values(count)?;
        // One bad handle fails the call, whatever the others are (Y28); the first one decides how.
        let mut borrowed = Vec::with_capacity(count);
        for handle in &values {
            let handle = Handle::borrow(handle.raw())?;
            if handle_ext::granted_access(&handle) & access::SYNCHRONIZE == 0 {
                return fail(Code::ACCESS_DENIED);
            }
            borrowed.push(handle);
        }
        let objects: Vec<&Handle> = borrowed.iter().map(|handle| &**handle).collect();
        let all = all != 0 && objects.len() > 1;
        if is_plain(&objects, alertable) {
            let objects: Vec<&dyn AsHandle> = objects.iter().map(|object| *object as &dyn AsHandle).collect();
            return plain_wait(&objects, all, timeout(milliseconds)).map(Alertable::Waited);
        }
        alertable_wait(&objects, all, timeout(milliseconds), alertable != 0)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObject(object: HANDLE, milliseconds: u32) -> u32 {
    one(object, milliseconds, 0)
}

#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObjectEx(object: HANDLE, milliseconds: u32, alertable: Bool) -> u32 {
    one(object, milliseconds, alertable)
}

#[unsafe(no_mangle)]
pub extern "C" fn WaitForMultipleObjects(
    count: u32,
    handles: In<HANDLE>,
    all: Bool,
    milliseconds: u32,
) -> u32 {
    several(count, handles, all, milliseconds, 0)
}

#[unsafe(no_mangle)]
pub extern "C" fn WaitForMultipleObjectsEx(
    count: u32,
    handles: In<HANDLE>,
    all: Bool,
    milliseconds: u32,
    alertable: Bool,
) -> u32 {
    several(count, handles, all, milliseconds, alertable)
}

#[unsafe(no_mangle)]
pub extern "C" fn SignalObjectAndWait(
    signal: HANDLE,
    object: HANDLE,
    milliseconds: u32,
    alertable: Bool,
) -> u32 {
    waited(|| {
        pending::progress();
        let signal = Handle::borrow(signal.raw())?;
        let object = Handle::borrow(object.raw())?;
        let limit = timeout(milliseconds);
        if alertable == 0 {
            return Ok(Alertable::Waited(wait::signal_and_wait(&*signal, &*object, limit)?));
        }
        match wait::signal_and_wait(&*signal, &*object, Timeout::ZERO)? {
            Wait::Timeout => alertable_wait(&[&*object], false, limit, true),
            ended => Ok(Alertable::Waited(ended)),
        }
    })
}

/// `SleepEx`, alertable: 0 when the time is over, `WAIT_IO_COMPLETION` when calls were made.
pub(crate) fn alertable_sleep(milliseconds: u32) -> u32 {
    guard(0, || {
        pending::progress();
        Ok(match wait_or_call(&[], false, timeout(milliseconds))? {
            Alertable::Called => WAIT_IO_COMPLETION,
            Alertable::Waited(_) => 0,
        })
    })
}

/// No program waits for a user's input: each is as a console program is on Windows.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForInputIdle(process: HANDLE, _milliseconds: u32) -> u32 {
    waited(|| {
        Process::borrow(process.raw())?;
        // ERROR_NOT_GUI_PROCESS.
        fail(Code::new(1471))
    })
}
