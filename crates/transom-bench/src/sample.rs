//! What a worker measures, and how it is told.
//!
//! A worker reads requests from its standard input and answers on its standard output, one line each:
//!
//! | line | meaning |
//! | --- | --- |
//! | `ready` | from the worker, first of all: it can be asked now |
//! | `1000` | to the worker: do 1000 operations |
//! | `each 510 498 …` | nanoseconds of each operation |
//! | `row 20 1020 996 …` | nanoseconds of each 20 operations in a row |
//! | `row 20 1020 996 … each 52 49 …` | the same, then of further operations timed one by one, for the tail |
//! | `error …` | it cannot, and why; nothing follows |
//!
//! So a worker can be written in any language. The end of its input is the end of its work.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::time::Instant;

use crate::error::{Error, Result};

/// How many rows [`row`] makes of its operations at most. Many short ones, so that most are over before
/// another program gets the processor, and the median is of those.
const ROWS: u64 = 400;

/// How many [`stretch`] makes: long ones, so that each has its share of what happens now and then.
const STRETCHES: u64 = 16;

/// How many operations [`row_and_tail`] times one by one at most.
const SINGLES: u64 = 20_000;

/// What one request to a worker gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// How many operations each time is for.
    pub operations: u64,
    /// Nanoseconds.
    pub times: Vec<u64>,
    /// Nanoseconds of further operations timed one by one, for the tail alone, where a look at the clock weighs
    /// too much to time all of them so.
    pub singles: Vec<u64>,
}

impl Sample {
    /// Nanoseconds of an operation: the median of the times, shared among the operations of each.
    #[must_use]
    pub fn nanoseconds(&self) -> f64 {
        let mut times: Vec<f64> = self.times.iter().map(|time| *time as f64).collect();
        crate::stats::median(&mut times) / self.operations.max(1) as f64
    }

    /// Every operation that was timed by itself.
    pub(crate) fn each(self) -> impl Iterator<Item = u64> {
        let times = if self.operations == 1 { self.times } else { Vec::new() };
        times.into_iter().chain(self.singles)
    }

    /// The line that tells it.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut line = match (self.operations, self.singles.len()) {
            (1, 0) => "each".to_owned(),
            (operations, _) => format!("row {operations}"),
        };
        line.reserve(8 * (self.times.len() + self.singles.len()));
        append(&mut line, &self.times);
        if !self.singles.is_empty() {
            line.push_str(" each");
            append(&mut line, &self.singles);
        }
        line
    }

    /// What a worker's line says.
    ///
    /// # Errors
    /// The worker's own, or that the line is none of the known ones.
    pub fn from_line(line: &str) -> Result<Sample> {
        let odd = || Error::new(format!("a worker answered '{}'", line.chars().take(80).collect::<String>()));
        let (word, rest) = line.trim_end().split_once(' ').ok_or_else(odd)?;
        let (operations, times) = match word {
            "error" => return Err(Error::new(rest)),
            "each" => ("1", rest),
            "row" => rest.split_once(' ').ok_or_else(odd)?,
            _ => return Err(odd()),
        };
        let operations = operations.parse().ok().filter(|operations| *operations > 0).ok_or_else(odd)?;
        let (times, singles) = match times.split_once(" each ") {
            Some((times, singles)) if word == "row" => (times, Some(singles)),
            _ => (times, None),
        };
        let numbers = |words: &str| words.split(' ').map(str::parse).collect::<std::result::Result<_, _>>();
        let singles = singles.map_or(Ok(Vec::new()), numbers).map_err(|_| odd())?;
        Ok(Sample { operations, times: numbers(times).map_err(|_| odd())?, singles })
    }
}

fn append(line: &mut String, times: &[u64]) {
    for time in times {
        // Writing to a string cannot fail.
        let _ = write!(line, " {time}");
    }
}

/// Does an operation `count` times and times each.
///
/// # Errors
/// The operation's.
pub fn each(count: u64, mut operation: impl FnMut() -> Result<()>) -> Result<Sample> {
    Ok(Sample { operations: 1, times: timed(count, 1, &mut operation)?, singles: Vec::new() })
}

/// Times `rows` rows of operations.
fn timed(rows: u64, operations: u64, operation: &mut impl FnMut() -> Result<()>) -> Result<Vec<u64>> {
    let mut times = Vec::with_capacity(usize::try_from(rows).unwrap_or(0));
    for _ in 0..rows {
        let start = Instant::now();
        for _ in 0..operations {
            operation()?;
        }
        // Half a thousand years fit.
        times.push(start.elapsed().as_nanos() as u64);
    }
    Ok(times)
}

/// Does an operation `count` times, in rows of which each is timed. Operations that make no whole row are
/// done first, and not timed.
///
/// # Errors
/// The operation's.
pub fn row(count: u64, mut operation: impl FnMut() -> Result<()>) -> Result<Sample> {
    in_rows(count, ROWS, &mut operation)
}

/// As [`row`], with few and long rows: for what flows and stops now and then, as where a buffer gets full
/// and its writer sleeps. Each row has its share of that, where most short ones would have none.
///
/// # Errors
/// The operation's.
pub fn stretch(count: u64, mut operation: impl FnMut() -> Result<()>) -> Result<Sample> {
    in_rows(count, STRETCHES, &mut operation)
}

/// As [`row`], and times a part of the operations one by one: for short ones whose slowest matter.
///
/// # Errors
/// The operation's.
pub fn row_and_tail(count: u64, mut operation: impl FnMut() -> Result<()>) -> Result<Sample> {
    let singles = (count / 4).min(SINGLES);
    let sample = in_rows(count - singles, ROWS, &mut operation)?;
    Ok(Sample { singles: timed(singles, 1, &mut operation)?, ..sample })
}

fn in_rows(count: u64, most: u64, operation: &mut impl FnMut() -> Result<()>) -> Result<Sample> {
    let rows = count.min(most);
    let operations = count / rows.max(1);
    for _ in rows * operations..count {
        operation()?;
    }
    Ok(Sample { operations, times: timed(rows, operations, operation)?, singles: Vec::new() })
}

/// Does an operation `count` times and times all of them together: where what matters comes and goes, such
/// as a lock that is contended or not, and no short row is like another.
///
/// # Errors
/// The operation's.
pub fn whole(count: u64, mut operation: impl FnMut() -> Result<()>) -> Result<Sample> {
    in_rows(count, 1, &mut operation)
}

/// Answers requests on standard input until it ends: what a worker does once it is set up.
///
/// # Errors
/// The first of `work`, which has been told to whoever asked; a failure of the streams.
pub fn serve(work: &mut dyn FnMut(u64) -> Result<Sample>) -> Result<()> {
    say("ready")?;
    let mut line = String::new();
    loop {
        line.clear();
        let read = io::stdin().lock().read_line(&mut line).map_err(Error::of("read a request"))?;
        if read == 0 {
            return Ok(());
        }
        let count =
            line.trim().parse().map_err(|_| Error::new(format!("'{}' is no request", line.trim())))?;
        say(&work(count)?.to_line())?;
    }
}

/// One line on standard output, at once.
pub(crate) fn say(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(Error::of("answer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(operations: u64, times: &[u64]) -> Sample {
        Sample { operations, times: times.to_vec(), singles: Vec::new() }
    }

    #[test]
    fn lines_say_what_was_measured() {
        let with_tail = Sample { singles: vec![52, 49], ..sample(20, &[1020, 996]) };
        let few = Sample { singles: vec![9], ..sample(1, &[7, 8]) };
        for sample in [sample(1, &[3, 1, 2]), sample(1, &[7]), sample(20, &[1020, 996]), with_tail, few] {
            assert_eq!(Sample::from_line(&sample.to_line()), Ok(sample));
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in ["", "each", "each x", "row 1", "row 0 5", "row x 2", "ready", "row -1 5", "each 1  2"]
            .into_iter()
            .chain(["row 2 5 each", "row 2 5 each x", "each 5 each 5"])
        {
            assert!(Sample::from_line(line).is_err(), "{line}");
        }
        assert_eq!(Sample::from_line("error no such thing"), Err(Error::new("no such thing")));
    }

    #[test]
    fn an_operation_takes_its_share_of_the_median() {
        assert_eq!(sample(1, &[1, 900, 3]).nanoseconds(), 3.0);
        assert_eq!(sample(4, &[10, 12, 9000]).nanoseconds(), 3.0);
    }

    /// A partner counts along, so every operation is done, timed or not.
    #[test]
    fn operations_are_done_as_often_as_asked() {
        for count in [1, 7, ROWS, ROWS + 1, 10 * ROWS + 3, 10 * SINGLES] {
            for tail in [false, true] {
                let mut done = 0;
                let operation = || {
                    done += 1;
                    Ok(())
                };
                let sample = if tail { row_and_tail(count, operation) } else { row(count, operation) };
                let sample = sample.expect("nothing fails");
                assert_eq!(done, count);
                let timed = sample.operations as usize * sample.times.len() + sample.singles.len();
                assert!(timed as u64 <= count);
            }
        }
        assert_eq!(stretch(40, || Ok(())).expect("nothing fails").times.len(), STRETCHES as usize);
        assert_eq!(each(3, || Ok(())).expect("nothing fails").times.len(), 3);
        assert_eq!(whole(9, || Ok(())).expect("nothing fails").operations, 9);
        assert_eq!(row(3, || Err(Error::new("it does not work"))), Err(Error::new("it does not work")));
    }
}
