//! Waiting on Linux, see [`crate::engine::waiter`].

use transom_core::access::{EVENT_MODIFY_STATE, SEMAPHORE_MODIFY_STATE, SYNCHRONIZE};
use transom_core::code::Code;
use transom_core::word::Rule;

use super::{MAXIMUM_WAIT_OBJECTS, Timeout, Wait};
use crate::engine::named::error;
use crate::engine::table::Object;
use crate::engine::waiter::{self, Target};
use crate::engine::{owner, signal};
use crate::error::Result;
use crate::handle::Handle;

/// What a handle is to a wait; fails with 5 without SYNCHRONIZE and with 6 for a section.
fn target(handle: &Handle) -> std::result::Result<Target<'_>, Code> {
    let entry = &handle.resolved.0;
    match &entry.object {
        Object::Section(_) => {
            entry.check(0)?;
            return Err(Code::INVALID_HANDLE);
        }
        _ => entry.check(SYNCHRONIZE)?,
    }
    Ok(match &entry.object {
        Object::Sync(object) => Target::Sync(object),
        Object::Process(process) | Object::FirstThread(process) => Target::Process(process),
        Object::File(_) | Object::Pipe(_) | Object::Section(_) => Target::Always,
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
    with_targets(handles, |targets| waiter::all(targets, timeout)).map_err(error("wait for all objects"))
}

pub(super) fn signal_and_wait(signal: &Handle, wait: &Handle, timeout: Timeout) -> Result<Wait> {
    let error = error("signal object and wait");
    let entry = &signal.resolved.0;
    let Object::Sync(object) = &entry.object else { return Err(error(Code::INVALID_HANDLE)) };
    let right = match object.rule() {
        Rule::Manual | Rule::Auto => EVENT_MODIFY_STATE,
        Rule::Semaphore => SEMAPHORE_MODIFY_STATE,
        Rule::Mutex => 0,
        Rule::Thread => return Err(error(Code::INVALID_HANDLE)),
    };
    entry.check(right).map_err(&error)?;
    // Both are checked before anything is signalled (Y32).
    let target = target(wait).map_err(&error)?;
    match object.rule() {
        Rule::Semaphore => drop(signal::release_semaphore(object, 1).map_err(&error)?),
        Rule::Mutex if !owner::release(object) => return Err(error(Code::NOT_OWNER)),
        Rule::Mutex | Rule::Thread => {}
        Rule::Manual | Rule::Auto => signal::set_event(object),
    }
    waiter::one(&target, timeout).map_err(error)
}
