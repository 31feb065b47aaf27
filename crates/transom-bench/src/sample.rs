//! What a worker measures, and how it is told.
//!
//! A worker reads requests from its standard input and answers on its standard output, one line each:
//!
//! | line | meaning |
//! | --- | --- |
//! | `ready` | from the worker, first of all: it can be asked now |
//! | `1000` | to the worker: do 1000 operations |
//! | `each 510 498 …` | nanoseconds of each operation |
//! | `row 1000 507000` | 1000 operations took 507000 nanoseconds together |
//! | `error …` | it cannot, and why; nothing follows |
//!
//! So a worker can be written in any language. The end of its input is the end of its work.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// What one request to a worker gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sample {
    /// Nanoseconds of each operation.
    Each(Vec<u64>),
    /// Operations that were timed in a row.
    Row {
        /// How many.
        operations: u64,
        /// How long they took together.
        elapsed: Duration,
    },
}

impl Sample {
    /// Nanoseconds of an operation: the median where each was timed, else the mean.
    #[must_use]
    pub fn nanoseconds(&self) -> f64 {
        match self {
            Sample::Each(times) => {
                let mut times: Vec<f64> = times.iter().map(|time| *time as f64).collect();
                crate::stats::median(&mut times)
            }
            Sample::Row { operations, elapsed } => elapsed.as_nanos() as f64 / (*operations).max(1) as f64,
        }
    }

    /// Nanoseconds of all operations together.
    #[must_use]
    pub fn total(&self) -> f64 {
        match self {
            Sample::Each(times) => times.iter().sum::<u64>() as f64,
            Sample::Row { elapsed, .. } => elapsed.as_nanos() as f64,
        }
    }

    /// The line that tells it.
    #[must_use]
    pub fn to_line(&self) -> String {
        match self {
            Sample::Row { operations, elapsed } => format!("row {operations} {}", elapsed.as_nanos()),
            Sample::Each(times) => {
                let mut line = String::with_capacity(5 + 8 * times.len());
                line.push_str("each");
                for time in times {
                    // Writing to a string cannot fail.
                    let _ = write!(line, " {time}");
                }
                line
            }
        }
    }

    /// What a worker's line says.
    ///
    /// # Errors
    /// The worker's own, or that the line is none of the known ones.
    pub fn from_line(line: &str) -> Result<Sample> {
        let odd = || Error::new(format!("a worker answered '{}'", line.chars().take(80).collect::<String>()));
        let (word, rest) = line.trim_end().split_once(' ').ok_or_else(odd)?;
        let numbers = || rest.split(' ').map(str::parse).collect::<std::result::Result<Vec<u64>, _>>();
        match word {
            "error" => Err(Error::new(rest)),
            "each" => Ok(Sample::Each(numbers().map_err(|_| odd())?)),
            "row" => match numbers().map_err(|_| odd())?[..] {
                [operations, nanoseconds] if operations > 0 => {
                    Ok(Sample::Row { operations, elapsed: Duration::from_nanos(nanoseconds) })
                }
                _ => Err(odd()),
            },
            _ => Err(odd()),
        }
    }
}

/// Does an operation `count` times and times each.
///
/// # Errors
/// The operation's.
pub fn each(count: u64, mut operation: impl FnMut() -> Result<()>) -> Result<Sample> {
    let mut times = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    for _ in 0..count {
        let start = Instant::now();
        operation()?;
        // Half a thousand years fit.
        times.push(start.elapsed().as_nanos() as u64);
    }
    Ok(Sample::Each(times))
}

/// Does an operation `count` times and times them in a row.
///
/// # Errors
/// The operation's.
pub fn row(count: u64, mut operation: impl FnMut() -> Result<()>) -> Result<Sample> {
    let start = Instant::now();
    for _ in 0..count {
        operation()?;
    }
    Ok(Sample::Row { operations: count, elapsed: start.elapsed() })
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

    #[test]
    fn lines_say_what_was_measured() {
        let row = Sample::Row { operations: 10, elapsed: Duration::from_nanos(25) };
        for sample in [Sample::Each(vec![3, 1, 2]), Sample::Each(vec![7]), row] {
            assert_eq!(Sample::from_line(&sample.to_line()), Ok(sample));
        }
    }

    #[test]
    fn other_lines_are_refused() {
        for line in ["", "each", "each x", "row 1", "row 0 5", "row 1 2 3", "ready", "row -1 5"] {
            assert!(Sample::from_line(line).is_err(), "{line}");
        }
        assert_eq!(Sample::from_line("error no such thing"), Err(Error::new("no such thing")));
    }

    #[test]
    fn an_operation_takes_the_median_or_the_mean() {
        assert_eq!(Sample::Each(vec![1, 900, 3]).nanoseconds(), 3.0);
        assert_eq!(Sample::Row { operations: 4, elapsed: Duration::from_nanos(10) }.nanoseconds(), 2.5);
    }

    #[test]
    fn operations_are_done_as_often_as_asked() {
        let mut count = 0;
        let mut operation = || {
            count += 1;
            Ok(())
        };
        assert!(matches!(each(3, &mut operation), Ok(Sample::Each(times)) if times.len() == 3));
        assert!(matches!(row(4, &mut operation), Ok(Sample::Row { operations: 4, .. })));
        assert_eq!(count, 7);
    }
}
