//! Semaphores over the real calls.

use transom_core::access::SEMAPHORE_ALL_ACCESS;
use transom_sys::windows::semaphore;

use super::SemaphoreOptions;
use crate::error::Result;
use crate::handle::imp::{create_object, failed, open_object, value};
use crate::handle::{Attributes, Created, Handle};

pub(crate) fn create(options: &SemaphoreOptions) -> Result<Created<Handle>> {
    let access = options.attributes.access.unwrap_or(SEMAPHORE_ALL_ACCESS);
    create_object("create semaphore", &options.attributes, |security, name| {
        semaphore::create(security, name, options.initial, options.maximum, access)
    })
}

pub(crate) fn open(attributes: &Attributes) -> Result<Handle> {
    open_object("open semaphore", attributes, SEMAPHORE_ALL_ACCESS, semaphore::open)
}

pub(crate) fn release(handle: &Handle, count: i32) -> Result<i32> {
    semaphore::release(value(handle), count).map_err(failed("release semaphore"))
}
