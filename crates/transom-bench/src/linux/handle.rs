//! Handles and processes.

use transom::handle::AsHandle;
use transom::mapping::{Mapping, MappingOptions};
use transom::process::{Command, Inherit};

use super::Stage;
use super::floors::idle_program;
use crate::error::{Error, Result};
use crate::sample::{each, row, serve};

pub(super) fn duplicate(_: &Stage<'_>) -> Result<()> {
    let mapping = Mapping::anonymous(4096)?;
    serve(&mut |count| {
        row(count, || {
            drop(mapping.as_handle().try_clone()?);
            Ok(())
        })
    })
}

fn run(command: &Command) -> Result<()> {
    match command.spawn()?.wait()? {
        0 => Ok(()),
        code => Err(Error::new(format!("`true` ended with {code}"))),
    }
}

pub(super) fn spawn(_: &Stage<'_>) -> Result<()> {
    let command = Command::new(idle_program()?);
    serve(&mut |count| each(count, || run(&command)))
}

pub(super) fn spawn_inherit(_: &Stage<'_>) -> Result<()> {
    let mappings: Vec<_> =
        (0..8).map(|_| MappingOptions::new(4096).inherit(true).create()).collect::<transom::Result<_>>()?;
    let command = Command::new(idle_program()?).inherit(Inherit::All);
    let result = serve(&mut |count| each(count, || run(&command)));
    drop(mappings);
    result
}
