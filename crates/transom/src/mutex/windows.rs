//! Mutexes over the real calls.

use transom_core::access::MUTEX_ALL_ACCESS;
use transom_sys::windows::mutex;

use super::MutexOptions;
use crate::error::Result;
use crate::handle::imp::{create_object, failed, open_object, value};
use crate::handle::{Attributes, Created, Handle};
use crate::wait::{self, Timeout, Wait};

pub(crate) fn create(options: &MutexOptions) -> Result<Created<Handle>> {
    let access = options.attributes.access.unwrap_or(MUTEX_ALL_ACCESS);
    create_object("create mutex", &options.attributes, |security, name| {
        mutex::create(security, name, options.initial_owner, access)
    })
}

pub(crate) fn open(attributes: &Attributes) -> Result<Handle> {
    open_object("open mutex", attributes, MUTEX_ALL_ACCESS, mutex::open)
}

/// Waits without limit; true if the mutex was abandoned.
pub(crate) fn acquire(handle: &Handle) -> Result<bool> {
    Ok(matches!(wait::imp::one(handle, Timeout::INFINITE)?, Wait::Abandoned(_)))
}

pub(crate) fn release(handle: &Handle) -> Result<()> {
    mutex::release(value(handle)).map_err(failed("release mutex"))
}
