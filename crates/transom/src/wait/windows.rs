//! Waits over the real calls.

use transom_sys::windows::{self as sys, wait};

use super::{Timeout, Wait};
use crate::error::Result;
use crate::handle::Handle;
use crate::handle::imp::{failed, value};

/// `WAIT_ABANDONED_0`, `WAIT_TIMEOUT`.
const ABANDONED: u32 = 0x80;
const TIMEOUT: u32 = 0x102;

pub(crate) fn one(handle: &Handle, timeout: Timeout) -> Result<Wait> {
    wait::one(value(handle), timeout.as_millis()).map(outcome).map_err(failed("wait for object"))
}

pub(crate) fn any(handles: &[&Handle], timeout: Timeout) -> Result<Wait> {
    many(handles, false, timeout).map(outcome).map_err(failed("wait for any object"))
}

pub(crate) fn all(handles: &[&Handle], timeout: Timeout) -> Result<Wait> {
    let outcome = many(handles, true, timeout).map(outcome).map_err(failed("wait for all objects"))?;
    // The index of a wait for all means nothing (Y27).
    Ok(match outcome {
        Wait::Object(_) => Wait::Object(0),
        Wait::Abandoned(_) => Wait::Abandoned(0),
        Wait::Timeout => Wait::Timeout,
    })
}

pub(crate) fn signal_and_wait(signal: &Handle, wait: &Handle, timeout: Timeout) -> Result<Wait> {
    wait::signal_and_wait(value(signal), value(wait), timeout.as_millis())
        .map(outcome)
        .map_err(failed("signal object and wait"))
}

fn many(handles: &[&Handle], all: bool, timeout: Timeout) -> sys::Result<u32> {
    let handles: Vec<_> = handles.iter().map(|handle| value(handle)).collect();
    wait::many(&handles, all, timeout.as_millis())
}

/// What the value of a wait that did not fail means. Only these occur: nothing here waits alertably.
fn outcome(value: u32) -> Wait {
    match value {
        TIMEOUT => Wait::Timeout,
        // At most 64 objects, so the ranges do not meet and an index fits anything.
        ABANDONED.. => Wait::Abandoned((value - ABANDONED) as usize),
        index => Wait::Object(index as usize),
    }
}
