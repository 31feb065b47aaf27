//! Windows: floors are raw Linux calls, so there is nothing to hold a figure against.

use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::report::Report;
use crate::{Options, Progress, Role};

pub(crate) fn measure(_: &Plan, _: &Options, _: &mut dyn FnMut(Progress<'_>)) -> Result<Report> {
    Err(Error::unsupported("benchmarks are measured on Linux only"))
}

pub(crate) fn run_child(_: &[String], _: &[Role]) -> Result<()> {
    Err(Error::unsupported("benchmarks are measured on Linux only"))
}
