//! transom beside other libraries, in one run.
//!
//! ```text
//! bench-rivals map [--rounds N] [--quick] [--json]
//! ```
//!
//! See README.md for what is compared and how.

use std::process::ExitCode;

use transom_bench::{Case, Error, Goal, Options, Plan, Progress, Result, Side, Unit, run_child_with};

mod folder;
mod iceoryx;
mod shmem;
mod wine;

use folder::Folder;

const USAGE: &str = "usage: bench-rivals map [--rounds N] [--quick] [--json]";

/// What the workers of this program can play besides transom-bench's own roles.
const ROLES: &[transom_bench::Role] = &[
    ("shared-memory-create", shmem::create),
    ("shared-memory-open", shmem::open),
    ("iceoryx2-pubsub-create", iceoryx::pubsub_create),
    ("iceoryx2-pubsub-open", iceoryx::pubsub_open),
    ("iceoryx2-blackboard-create", iceoryx::blackboard_create),
    ("iceoryx2-blackboard-open", iceoryx::blackboard_open),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.split_first() {
        Some((word, rest)) if word == "child" => run_child_with(rest, ROLES),
        Some((word, rest)) if word == "map" => map(rest),
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

/// Mappings: everything that makes and opens shared memory.
fn map(arguments: &[String]) -> Result<()> {
    let (mut rounds, mut quick, mut json) = (Options::USUAL_ROUNDS, false, false);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--quick" => quick = true,
            "--json" => json = true,
            "--rounds" => {
                let number = words.next().and_then(|word| word.parse().ok());
                rounds = number.ok_or_else(|| Error::new(USAGE))?;
            }
            _ => return Err(Error::new(USAGE)),
        }
    }
    let folder = Folder::make()?;
    let rival = |id, what| Case::role(Side::Peer, id, id, Unit::Microseconds, what);
    let iceoryx = |id, what| rival(id, what).with(folder.path("iceoryx2").display());
    let plan = Plan::mapping_only()
        .extend([
            rival("shared-memory-create", "shared_memory: create, map, unmap, close"),
            rival("shared-memory-open", "shared_memory: open, map, unmap, close"),
            iceoryx("iceoryx2-pubsub-create", "iceoryx2 pub-sub: create service and publisher of 64 KiB"),
            iceoryx("iceoryx2-pubsub-open", "iceoryx2 pub-sub: open service, subscribe"),
            iceoryx("iceoryx2-blackboard-create", "iceoryx2 blackboard: create service with 64 KiB"),
            iceoryx("iceoryx2-blackboard-open", "iceoryx2 blackboard: open service, make a reader"),
        ])
        .extend(wine::cases(&folder))
        .compare("named-create", "shared-memory-create", None)
        .compare("named-open", "shared-memory-open", None)
        .compare("named-create", "iceoryx2-pubsub-create", Some(Goal::AtMost(1.0)))
        .compare("named-create", "iceoryx2-blackboard-create", Some(Goal::AtMost(1.0)))
        .compare("named-create", "wine-create", Some(Goal::AtMost(0.15)))
        .compare("named-open", "wine-open", Some(Goal::AtMost(0.15)));
    let options = Options { rounds, quick, child: vec!["child".to_owned()] };
    let report = plan.measure(&options, &mut show);
    iceoryx::clean();
    let report = report?;
    if json {
        println!("{}", serde_json::to_string(&report).map_err(Error::of("print the report"))?);
    } else {
        print!("{report}");
    }
    Ok(())
}

fn show(progress: Progress<'_>) {
    match progress.round {
        0 => eprintln!("starting: {}", progress.what),
        round if progress.done.is_multiple_of(progress.total / progress.rounds as usize) => {
            eprintln!("round {round} of {}", progress.rounds);
        }
        _ => {}
    }
}
