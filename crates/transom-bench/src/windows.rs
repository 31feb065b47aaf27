//! Windows: floors are raw Linux calls, so there is nothing to hold a figure against.

use crate::Role;
use crate::error::{Error, Result};
use crate::report::Machine;

fn unsupported() -> Error {
    Error::unsupported("benchmarks are measured on Linux only")
}

pub(crate) fn machine() -> Result<Machine> {
    Err(unsupported())
}

pub(crate) fn run_child(_: &[String], _: &[Role]) -> Result<()> {
    Err(unsupported())
}
