//! `transom bench`: how fast it is here, beside the floors of this machine.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use transom_bench::{Error, Options, Plan, run_child};

use crate::args::{BenchArgs, BenchCommand};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{BAD, GOOD, HEAD, Output, Report};

/// Measures, or is one of the processes that are measured.
pub fn run(command: BenchCommand, output: &Output) -> Result<i32, Failure> {
    match command {
        BenchCommand::Map(args) => measure(&Plan::map().only(&args.only), &args, output),
        BenchCommand::Pipe(args) => measure(&Plan::pipe().only(&args.only), &args, output),
        BenchCommand::Mailslot(args) => measure(&Plan::mailslot().only(&args.only), &args, output),
        BenchCommand::Window(args) => measure(&Plan::window().only(&args.only), &args, output),
        BenchCommand::Child { arguments } => {
            run_child(&arguments)?;
            Ok(Exit::Ok.code())
        }
    }
}

fn measure(plan: &Plan, args: &BenchArgs, output: &Output) -> Result<i32, Failure> {
    if plan.is_empty() {
        return Err(Failure::usage("no case has an id like that; --quick --json shows them"));
    }
    let usual = if args.quick { Options::FEWEST_ROUNDS } else { Options::USUAL_ROUNDS };
    let options = Options {
        rounds: args.rounds.unwrap_or(usual),
        quick: args.quick,
        child: ["bench", "child"].map(str::to_owned).to_vec(),
    };
    // Draws on standard error, and on a terminal only.
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {prefix} {msg}") {
        bar.set_style(style);
    }
    let report = plan.measure(&options, &mut |progress| {
        bar.set_length(progress.total as u64);
        bar.set_position(progress.done as u64);
        bar.set_prefix(match progress.round {
            0 => "starting".to_owned(),
            round => format!("round {round} of {}", progress.rounds),
        });
        bar.set_message(progress.what.to_owned());
    });
    bar.finish_and_clear();
    output.report(&Table(&report?))?;
    Ok(Exit::Ok.code())
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let exit = if error.is_unsupported() { Exit::Unsupported } else { Exit::General };
        Failure::new(exit, error.to_string())
    }
}

/// The report as people see it.
#[derive(Serialize)]
#[serde(transparent)]
struct Table<'a>(&'a transom_bench::Report);

impl Report for Table<'_> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        for line in self.0.to_string().lines() {
            if let Some(line) = line.strip_suffix("MISSED") {
                writeln!(out, "{line}{BAD}MISSED{BAD:#}")?;
            } else if let Some(line) = line.strip_suffix(" ok") {
                writeln!(out, "{line} {GOOD}ok{GOOD:#}")?;
            } else if line.ends_with(" goal") || line.ends_with(" spread") || line == "skipped" {
                writeln!(out, "{HEAD}{line}{HEAD:#}")?;
            } else {
                writeln!(out, "{line}")?;
            }
        }
        Ok(())
    }
}
