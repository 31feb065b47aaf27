//! Events over the real calls.

use transom_core::access::EVENT_ALL_ACCESS;
use transom_sys::windows::event;

use super::EventOptions;
use crate::error::Result;
use crate::handle::imp::{create_object, failed, open_object, value};
use crate::handle::{Attributes, Created, Handle};

pub(crate) fn create(options: &EventOptions) -> Result<Created<Handle>> {
    let access = options.attributes.access.unwrap_or(EVENT_ALL_ACCESS);
    create_object("create event", &options.attributes, |security, name| {
        event::create(security, name, options.manual_reset, options.initial, access)
    })
}

pub(crate) fn open(attributes: &Attributes) -> Result<Handle> {
    open_object("open event", attributes, EVENT_ALL_ACCESS, event::open)
}

pub(crate) fn set(handle: &Handle) -> Result<()> {
    event::set(value(handle)).map_err(failed("set event"))
}

pub(crate) fn reset(handle: &Handle) -> Result<()> {
    event::reset(value(handle)).map_err(failed("reset event"))
}

pub(crate) fn pulse(handle: &Handle) -> Result<()> {
    event::pulse(value(handle)).map_err(failed("pulse event"))
}
