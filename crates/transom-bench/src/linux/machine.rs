//! What machine this is.

use std::fs;

use transom_sys::linux::{affinity, host};

use crate::error::{Error, Result};
use crate::report::Machine;

/// The machine, with the first two processors that this process may use.
pub(crate) fn machine() -> Result<Machine> {
    let allowed = affinity::allowed().map_err(Error::of("find out the processors"))?;
    let used: Vec<usize> = allowed.iter().copied().take(2).collect();
    Ok(Machine {
        processor: processor().unwrap_or_else(|| "unknown processor".to_owned()),
        processors: allowed.len(),
        used,
        kernel: host::kernel(),
    })
}

/// What the first processor calls itself.
fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
