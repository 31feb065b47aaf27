//! The `transom` command: Windows' ways of sharing data, for the command line and for scripts.
//!
//! Read `args.rs` for what can be typed, `cmd/` for what is done, `exit.rs` for how it ends.

mod args;
mod child;
mod cmd;
mod exit;
mod failure;
mod keep;
mod output;
mod payload;
mod rights;
mod system;
mod topics;
mod units;
mod win32;

use clap::Parser;

fn main() {
    let cli = args::Cli::parse_from(win32::translate(std::env::args_os()));
    let output = output::Output::new(cli.json, cli.color);
    let code = match cmd::run(cli.command, &output) {
        Ok(code) => code,
        Err(failure) => output.failure(&failure),
    };
    std::process::exit(code);
}
