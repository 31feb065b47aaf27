//! A run: workers started, calibrated, asked round by round.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::imp::machine;
use crate::plan::{self, Case, Placement, Plan};
use crate::report::{Machine, Report, Skipped};
use crate::stats::Series;
use crate::worker::Worker;
use crate::{Options, Progress};

/// How long a case is measured in one round.
const SLICE: Duration = Duration::from_millis(40);
const QUICK_SLICE: Duration = Duration::from_millis(8);
/// The fewest and the most operations of a slice.
const COUNTS: (u64, u64) = (8, 5_000_000);

/// A case that runs.
struct Running<'a> {
    case: &'a Case,
    worker: Worker,
    /// Operations per round.
    count: u64,
    series: Series,
}

pub(crate) fn measure(
    plan: &Plan,
    options: &Options,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Report> {
    let begin = Instant::now();
    let machine = machine()?;
    let rounds = options.rounds.max(Options::FEWEST_ROUNDS);
    let slice = if options.quick { QUICK_SLICE } else { SLICE };
    let total = plan.cases.len() * rounds as usize;
    let mut skipped = Vec::new();
    let mut running = Vec::new();
    for case in &plan.cases {
        progress(Progress { round: 0, rounds, done: 0, total, what: &case.what });
        match start(case, &machine, options, slice) {
            Ok((worker, count)) => running.push(Running { case, worker, count, series: Series::default() }),
            Err(error) => skipped.push(Skipped::new(case, &error)),
        }
    }
    let mut done = 0;
    for round in 1..=rounds {
        let mut index = 0;
        while index < running.len() {
            let now = &mut running[index];
            progress(Progress { round, rounds, done, total, what: &now.case.what });
            done += 1;
            match now.worker.ask(now.count) {
                Ok(sample) => {
                    now.series.rounds.push(now.case.unit.comparable(sample.nanoseconds()));
                    now.series.each.extend(sample.each());
                    index += 1;
                }
                Err(error) => {
                    // Rounds must stay comparable, so what it measured before goes too.
                    skipped.push(Skipped::new(running.remove(index).case, &error));
                }
            }
        }
    }
    let measured: Vec<(&Case, &Series)> = running.iter().map(|now| (now.case, &now.series)).collect();
    let seconds = begin.elapsed().as_secs_f64();
    Ok(Report::new(plan, machine, rounds, options.quick, seconds, &measured, skipped))
}

/// Starts a case's worker and finds out how many operations fill a slice.
fn start(case: &Case, machine: &Machine, options: &Options, slice: Duration) -> Result<(Worker, u64)> {
    let mut worker = Worker::start(command(case, machine, options)?)?;
    // The first operations are slower than the rest: they are not measured, only counted by.
    worker.ask(COUNTS.0)?;
    let mut count = COUNTS.0;
    loop {
        let took = worker.ask(count)?.nanoseconds();
        let fitting = slice.as_nanos() as f64 / took.max(0.1);
        let next = (fitting as u64).clamp(COUNTS.0, COUNTS.1);
        // A few operations say little about many: grow by steps.
        if next <= count.saturating_mul(20) {
            return Ok((worker, next));
        }
        count *= 20;
    }
}

fn command(case: &Case, machine: &Machine, options: &Options) -> Result<Command> {
    let first = machine.used.first().copied().unwrap_or(0);
    let mut command = match &case.worker {
        plan::Worker::Program(program, arguments) => {
            let mut command = Command::new(program.path()?);
            command.args(arguments).arg(first.to_string());
            if case.placement != Placement::Alone {
                command.arg(partner_processor(case, machine)?.to_string());
            }
            // What other programs have to say besides is not for this table.
            command.stderr(Stdio::null());
            command
        }
        plan::Worker::Role(role, arguments) => {
            let partner = partner_processor(case, machine)?;
            let program = std::env::current_exe().map_err(Error::of("find this program"))?;
            let mut command = Command::new(program);
            command.args(&options.child).arg(role.as_ref()).arg(first.to_string()).arg(partner.to_string());
            command.args(arguments);
            command
        }
    };
    // A user's choice of backing would change what is measured, and not what is said about it.
    command.env_remove("TRANSOM_BACKING");
    Ok(command)
}

/// Where the partner runs.
fn partner_processor(case: &Case, machine: &Machine) -> Result<usize> {
    let processor = match case.placement {
        Placement::Alone | Placement::Same => machine.used.first(),
        Placement::Cross => machine.used.get(1),
    };
    processor.copied().ok_or_else(|| Error::new("there is only one processor"))
}
