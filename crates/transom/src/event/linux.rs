//! Events on Linux: a page with a word, see [`transom_core::word`].

use std::sync::Arc;

use transom_core::access::{EVENT_MODIFY_STATE, Kind};
use transom_core::word::Rule;

use super::EventOptions;
use crate::engine::named::{create_sync, error, open_sync};
use crate::engine::signal;
use crate::engine::sync::{Blueprint, SyncObject};
use crate::error::Result;
use crate::handle::{Attributes, Created, Handle};

pub(super) fn create(options: &EventOptions) -> Result<Created<Handle>> {
    let blueprint = Blueprint {
        rule: if options.manual_reset { Rule::Manual } else { Rule::Auto },
        signalled: options.initial,
        count: 0,
        maximum: 0,
    };
    create_sync(&options.attributes, Kind::Event, blueprint, "create event")
}

pub(super) fn open(attributes: &Attributes) -> Result<Handle> {
    open_sync(attributes, Kind::Event, "open event")
}

fn event<'a>(handle: &'a Handle, operation: &'static str) -> Result<&'a Arc<SyncObject>> {
    handle.resolved.sync(Kind::Event, EVENT_MODIFY_STATE).map_err(error(operation))
}

pub(super) fn set(handle: &Handle) -> Result<()> {
    signal::set_event(event(handle, "set event")?);
    Ok(())
}

pub(super) fn reset(handle: &Handle) -> Result<()> {
    signal::reset_event(event(handle, "reset event")?);
    Ok(())
}

pub(super) fn pulse(handle: &Handle) -> Result<()> {
    signal::pulse_event(event(handle, "pulse event")?);
    Ok(())
}
