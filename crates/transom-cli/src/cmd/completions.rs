//! `transom completions`: made from the same definitions as the parser.

use clap::CommandFactory;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Prints the script for `shell`.
pub fn run(shell: clap_complete::Shell, output: &Output) -> Result<i32, Failure> {
    // Into memory first: the generator stops the process when the reader of the output has gone.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "transom", &mut script);
    output.text(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok.code())
}
