//! transom beside other libraries, in one run.
//!
//! ```text
//! bench-rivals map [--rounds N] [--quick] [--only PART]... [--json] [--plot FILE]
//! bench-rivals pipe [--rounds N] [--quick] [--only PART]... [--json] [--plot FILE]
//! bench-rivals mailslot [--rounds N] [--quick] [--only PART]... [--json] [--plot FILE]
//! bench-rivals window [--rounds N] [--quick] [--only PART]... [--json] [--plot FILE]
//! ```
//!
//! See README.md for what is compared and how.

use std::path::PathBuf;
use std::process::ExitCode;

use transom_bench::{Error, Options, Plan, Progress, Report, Result, run_child_with};

mod chart;
mod folder;
mod iceoryx;
mod mailslot;
mod map;
mod native;
mod pipe;
mod shmem;
mod window;
mod wine;

use folder::Folder;

const USAGE: &str = "usage: bench-rivals map|pipe|mailslot|window [--rounds N] [--quick] [--only PART]... [--json] [--plot FILE]";

/// What the command line asks for.
struct Wish {
    options: Options,
    /// Parts of the ids of the cases to be measured; none: all.
    only: Vec<String>,
    json: bool,
    /// Where a picture is to be drawn.
    plot: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((word, rest)) if word == "child" => {
            let carriers = [pipe::CARRIERS, mailslot::CARRIERS, window::CARRIERS].concat();
            run_child_with(rest, map::ROLES, &carriers)
        }
        Some((word, rest)) if word == "map" => measure(rest, map::plan),
        Some((word, rest)) if word == "pipe" => measure(rest, pipe::plan),
        Some((word, rest)) if word == "mailslot" => measure(rest, mailslot::plan),
        Some((word, rest)) if word == "window" => measure(rest, window::plan),
        _ => Err(Error::new(USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-rivals: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wish(arguments: &[String]) -> Result<Wish> {
    let usage = || Error::new(USAGE);
    let child = vec!["child".to_owned()];
    let options = Options { rounds: Options::USUAL_ROUNDS, quick: false, child };
    let mut wish = Wish { options, only: Vec::new(), json: false, plot: None };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or_else(usage);
        match word.as_str() {
            "--quick" => wish.options.quick = true,
            "--json" => wish.json = true,
            "--rounds" => wish.options.rounds = value()?.parse().map_err(|_| usage())?,
            "--only" => wish.only.push(value()?.clone()),
            "--plot" => wish.plot = Some(value()?.into()),
            _ => return Err(usage()),
        }
    }
    Ok(wish)
}

/// Measures what `plan` makes of a folder for the files of this run.
fn measure(arguments: &[String], plan: fn(&Folder) -> Plan) -> Result<()> {
    let wish = wish(arguments)?;
    let folder = Folder::make()?;
    let plan = plan(&folder).only(&wish.only);
    if plan.is_empty() {
        return Err(Error::new("no case has an id like that; --json shows them"));
    }
    let report = plan.measure(&wish.options, &mut show);
    iceoryx::clean();
    let report = report?;
    tell(&report, &wish)
}

fn tell(report: &Report, wish: &Wish) -> Result<()> {
    if wish.json {
        println!("{}", serde_json::to_string(report).map_err(Error::of("print the report"))?);
    } else {
        print!("{report}");
    }
    wish.plot.as_deref().map_or(Ok(()), |file| chart::draw(report, file))
}

fn show(progress: Progress<'_>) {
    match progress.round {
        0 => eprintln!("starting: {}", progress.what),
        round if progress.done.is_multiple_of((progress.total / progress.rounds as usize).max(1)) => {
            eprintln!("round {round} of {}", progress.rounds);
        }
        _ => {}
    }
}
