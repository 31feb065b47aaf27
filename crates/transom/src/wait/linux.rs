//! Waiting on Linux, see [`crate::engine::waiter`].

use transom_core::access::{EVENT_MODIFY_STATE, SEMAPHORE_MODIFY_STATE, SYNCHRONIZE};
use transom_core::code::Code;
use transom_core::word::Rule;

use super::{MAXIMUM_WAIT_OBJECTS, Timeout, Wait};
use crate::engine::named::error;
use crate::engine::table::Object;
use crate::engine::waiter::{self, Target};
use crate::engine::{owner, signal, sync};
use crate::error::Result;
use crate::handle::Handle;

/// What a handle is to a wait; fails with 5 without SYNCHRONIZE, which no handle to a section has.
fn target(handle: &Handle) -> std::result::Result<Target<'_>, Code> {
    let entry = &handle.resolved.0;
    entry.check(SYNCHRONIZE)?;
    Ok(match &entry.object {
        Object::Sync(object) => Target::Sync(object),
        Object::Process(process) | Object::FirstThread(process) => Target::Process(process),
        // A pipe handle is signalled as long as nothing goes on in the background (P54).
        Object::File(_)
        | Object::Pipe(_)
        | Object::Server(_)
        | Object::Client(_)
        | Object::Inlet(_)
        | Object::Outlet(_)
        | Object::Section(_) => Target::Always,
    })
}

/// Does `wait` with what the handles are to it. At most as many as an array has room for, so that nothing is
/// allocated.
fn with_targets(
    handles: &[&Handle],
    wait: impl FnOnce(&[Target<'_>]) -> std::result::Result<Wait, Code>,
) -> std::result::Result<Wait, Code> {
    let mut room = [Target::Always; MAXIMUM_WAIT_OBJECTS];
    let targets = room.get_mut(..handles.len()).ok_or(Code::INVALID_PARAMETER)?;
    for (place, handle) in targets.iter_mut().zip(handles) {
        *place = target(handle)?;
    }
    wait(targets)
}

pub(super) fn one(handle: &Handle, timeout: Timeout) -> Result<Wait> {
    target(handle).and_then(|target| waiter::one(&target, timeout)).map_err(error("wait for object"))
}

pub(super) fn any(handles: &[&Handle], timeout: Timeout) -> Result<Wait> {
    with_targets(handles, |targets| waiter::any(targets, timeout)).map_err(error("wait for any object"))
}

pub(super) fn all(handles: &[&Handle], timeout: Timeout) -> Result<Wait> {
    let all = |targets: &[Target<'_>]| {
        let is_listed =
            |(index, handle): (usize, &&Handle)| handles[..index].iter().any(|other| same(other, handle));
        if handles.iter().enumerate().any(is_listed) {
            return Err(Code::INVALID_PARAMETER);
        }
        waiter::all(targets, timeout)
    };
    with_targets(handles, all).map_err(error("wait for all objects"))
}

/// Whether both lead to one object, as far as a wait for all could take it twice.
fn same(a: &Handle, b: &Handle) -> bool {
    match (&a.resolved.0.object, &b.resolved.0.object) {
        (Object::Sync(a), Object::Sync(b)) => sync::same(a, b),
        (Object::Process(a), Object::Process(b)) | (Object::FirstThread(a), Object::FirstThread(b)) => {
            a.id() == b.id()
        }
        _ => a.as_raw() == b.as_raw(),
    }
}

pub(super) fn signal_and_wait(signal: &Handle, wait: &Handle, timeout: Timeout) -> Result<Wait> {
    let error = error("signal object and wait");
    // Both are checked before anything is signalled (Y32), what is waited for first.
    let target = target(wait).map_err(&error)?;
    let entry = &signal.resolved.0;
    let Object::Sync(object) = &entry.object else { return Err(error(Code::INVALID_HANDLE)) };
    let right = match object.rule() {
        Rule::Manual | Rule::Auto => EVENT_MODIFY_STATE,
        Rule::Semaphore => SEMAPHORE_MODIFY_STATE,
        Rule::Mutex => 0,
        Rule::Thread => return Err(error(Code::INVALID_HANDLE)),
    };
    entry.check(right).map_err(&error)?;
    match object.rule() {
        Rule::Semaphore => drop(signal::release_semaphore(object, 1).map_err(&error)?),
        Rule::Mutex if !owner::release(object) => return Err(error(Code::NOT_OWNER)),
        Rule::Mutex | Rule::Thread => {}
        Rule::Manual | Rule::Auto => signal::set_event(object),
    }
    waiter::one(&target, timeout).map_err(error)
}

/// [`any`] with one target more, whose index is the last.
pub(crate) fn any_with<'a>(
    handles: &[&'a Handle],
    more: Target<'a>,
    timeout: Timeout,
) -> std::result::Result<Wait, Code> {
    let mut room = [more; MAXIMUM_WAIT_OBJECTS];
    let targets = room.get_mut(..=handles.len()).ok_or(Code::INVALID_PARAMETER)?;
    for (place, handle) in targets.iter_mut().zip(handles) {
        *place = target(handle)?;
    }
    waiter::any(targets, timeout)
}

/// [`all`] with its code.
pub(crate) fn all_coded(handles: &[&Handle], timeout: Timeout) -> std::result::Result<Wait, Code> {
    all(handles, timeout).map_err(|error| error.code())
}
