//! Semaphores on Linux: a count beside a futex, see [`transom_core::word`].

use transom_core::access::{Kind, SEMAPHORE_MODIFY_STATE};
use transom_core::code::Code;
use transom_core::word::Rule;

use super::SemaphoreOptions;
use crate::engine::named::{create_sync, error, open_sync};
use crate::engine::signal;
use crate::engine::sync::Blueprint;
use crate::error::Result;
use crate::handle::{Attributes, Created, Handle};

pub(super) fn create(options: &SemaphoreOptions) -> Result<Created<Handle>> {
    let (Ok(count), Ok(maximum)) = (u32::try_from(options.initial), u32::try_from(options.maximum)) else {
        return Err(options.attributes.error("create semaphore", Code::INVALID_PARAMETER));
    };
    if maximum < 1 || count > maximum {
        return Err(options.attributes.error("create semaphore", Code::INVALID_PARAMETER));
    }
    let blueprint = Blueprint { rule: Rule::Semaphore, signalled: false, count, maximum };
    create_sync(&options.attributes, Kind::Semaphore, blueprint, "create semaphore")
}

pub(super) fn open(attributes: &Attributes) -> Result<Handle> {
    open_sync(attributes, Kind::Semaphore, "open semaphore")
}

pub(super) fn release(handle: &Handle, count: i32) -> Result<i32> {
    let error = error("release semaphore");
    let object = handle.resolved.sync(Kind::Semaphore, SEMAPHORE_MODIFY_STATE).map_err(&error)?;
    let count = u32::try_from(count).ok().filter(|&count| count > 0).ok_or(error(Code::INVALID_PARAMETER))?;
    let before = signal::release_semaphore(object, count).map_err(error)?;
    // The maximum was an i32, so every count is.
    Ok(i32::try_from(before).unwrap_or(i32::MAX))
}
