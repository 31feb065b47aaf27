//! How fast transom is, held against the floors of the machine it runs on.
//!
//! # Why a crate of its own
//! A figure says nothing without its *floor*: the same work done by bare system calls, by a spinning
//! cache line, by `memcpy`. Floors need raw system calls, which the `transom` command may not name; and
//! the same scenarios serve two programs, `transom bench` and the one in `bench-rivals/`, which puts
//! other libraries beside them.
//!
//! # How a figure is made
//! - Each case runs in a process of its own, the *worker*, where nothing else happens; a case between two
//!   processes has a *partner* beside the worker. All are started before the first round and sleep while
//!   others are measured.
//! - Every process is pinned: worker and partner to a processor each (*cross*), or both to one (*same*).
//! - All cases are measured once in each round: what disturbs the machine for a moment disturbs floors and
//!   figures alike. A figure is the median over the rounds, a ratio the median of the ratios within each
//!   round. Ratios can be compared between runs and machines; figures cannot.
//! - Operations of a microsecond or more are timed one by one, and the slowest in a hundred and in a
//!   thousand are told too. Shorter ones are timed in rows, since a look at the clock would weigh too much.
//!
//! # Adding a case
//! Write a role below `linux/`, give it its word in `linux/mod.rs` and its row in `plan.rs`. Another
//! program brings cases of its own with [`Plan::with_case`] and [`serve`]. What carries bytes between two
//! processes is a [`Link`]: written once, measured in every [`Shape`]; what carries them between one and many a [`Fan`].

mod error;
mod fan;
mod link;
mod measure;
mod pipes;
mod plan;
mod program;
mod python;
mod report;
mod sample;
mod slots;
mod stats;
mod window;
mod worker;

#[cfg_attr(target_os = "linux", path = "linux/mod.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

pub use error::{Error, Result};
pub use fan::{Fan, FanPlace, FanShape, Receiver, Sender};
pub use imp::Carrier;
pub use link::{End, Link, Manner, Place, Server, Shape, fill};
pub use plan::{Case, Goal, Plan, Side, Unit};
pub use program::Program;
pub use report::{Comparison, Figure, Machine, Report, Skipped};
pub use sample::{Sample, each, row, row_and_tail, serve, stretch, whole};

/// How often and how thoroughly a [`Plan`] is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many times each case is measured; at least [`Options::FEWEST_ROUNDS`], fewer count as that many.
    pub rounds: u32,
    /// A fifth of the operations per round: quicker, and noisier.
    pub quick: bool,
    /// What stands between this program's name and the arguments for [`run_child`] on the command line of a
    /// process that is to call it.
    pub child: Vec<String>,
}

impl Options {
    /// A median of fewer is not worth the name.
    pub const FEWEST_ROUNDS: u32 = 5;
    /// Enough for ratios that repeat within a few per cent on a quiet machine.
    pub const USUAL_ROUNDS: u32 = 9;
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The round, from 1; 0 while workers are started.
    pub round: u32,
    /// How many there will be.
    pub rounds: u32,
    /// How many cases of all rounds have been measured.
    pub done: usize,
    /// How many there are.
    pub total: usize,
    /// What is being measured.
    pub what: &'a str,
}

impl Plan {
    /// Measures all cases. Blocks until done; a worker that says nothing for a minute is killed and its
    /// case skipped.
    ///
    /// # Errors
    /// [`Error::is_unsupported`]: on Windows. Otherwise what kept the run as a whole from happening; a case
    /// that fails is listed in [`Report::skipped`].
    pub fn measure(&self, options: &Options, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Report> {
        measure::measure(self, options, progress)
    }
}

/// Plays the role that a worker or partner was started for, given the arguments behind [`Options::child`].
/// Returns when its work is over.
///
/// # Errors
/// What kept it from playing; it has been told to the process that measures, too.
pub fn run_child(arguments: &[String]) -> Result<()> {
    imp::run_child(arguments, &[], &[])
}

/// A role that another program brings: sets itself up, given its arguments, and calls [`serve`].
pub type Role = (&'static str, fn(&[String]) -> Result<()>);

/// As [`run_child`], with more roles and carriers to choose from.
///
/// # Errors
/// As [`run_child`].
pub fn run_child_with(arguments: &[String], roles: &[Role], carriers: &[Carrier]) -> Result<()> {
    imp::run_child(arguments, roles, carriers)
}
