//! Windows: floors are raw Linux calls, so there is nothing to hold a figure against.

use crate::Role;
use crate::error::{Error, Result};
use crate::fan::Fan;
use crate::link::Link;
use crate::report::Machine;

fn unsupported() -> Error {
    Error::unsupported("benchmarks are measured on Linux only")
}

pub(crate) fn machine() -> Result<Machine> {
    Err(unsupported())
}

/// What carries bytes between two processes, under the word that a case calls it by. Nothing here.
#[derive(Debug, Clone, Copy)]
pub struct Carrier;

impl Carrier {
    /// A carrier that links processes as `L` does.
    #[must_use]
    pub const fn of<L: Link>(_: &'static str) -> Carrier {
        Carrier
    }

    /// A carrier that fans as `F` does.
    #[must_use]
    pub const fn fan<F: Fan>(_: &'static str) -> Carrier {
        Carrier
    }
}

pub(crate) fn run_child(_: &[String], _: &[Role], _: &[Carrier]) -> Result<()> {
    Err(unsupported())
}
