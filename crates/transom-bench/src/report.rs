//! The result of a run: one struct for people and for programs.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::error::Error;
use crate::plan::{Case, Goal, Plan, Side, Text, Unit};
use crate::stats::{Series, slowest_one_in};

/// What a run found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Which plan.
    pub plan: &'static str,
    /// Where.
    pub machine: Machine,
    /// How many times each case was measured.
    pub rounds: u32,
    /// Whether with fewer operations.
    pub quick: bool,
    /// How long the run took.
    pub seconds: f64,
    /// How many goals were missed.
    pub missed: usize,
    /// All figures: floors, ours, peers.
    pub figures: Vec<Figure>,
    /// What could not be measured.
    pub skipped: Vec<Skipped>,
    /// How to read it.
    pub notes: Vec<&'static str>,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// What the processors call themselves.
    pub processor: String,
    /// How many processors this process may use.
    pub processors: usize,
    /// Those that were used: the worker's, and the partner's in cases between two.
    pub used: Vec<usize>,
    /// The kernel's name and release.
    pub kernel: String,
}

/// A case's figure.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// The case.
    pub id: Text,
    /// In words.
    pub what: Text,
    /// What it is one of several ways to do; empty if it stands by itself.
    pub group: Text,
    /// `floor`, `transom` or `peer`.
    #[serde(serialize_with = "side")]
    pub side: Side,
    /// `ns`, `us`, `GB/s` or `M/s`: what all the numbers of this figure count.
    #[serde(serialize_with = "unit")]
    pub unit: Unit,
    /// The median over the rounds.
    pub median: f64,
    /// What one operation in a hundred reached or passed, where each was timed.
    pub p99: Option<f64>,
    /// What one operation in a thousand reached or passed.
    pub p999: Option<f64>,
    /// The lowest round.
    pub low: f64,
    /// The highest round.
    pub high: f64,
    /// Held against others.
    pub against: Vec<Comparison>,
}

/// A ratio to another case.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// The other case.
    pub id: Text,
    /// This figure divided by the other, median over the rounds.
    pub ratio: f64,
    /// What the ratio should be.
    #[serde(serialize_with = "goal")]
    pub goal: Option<Goal>,
    /// Whether it is; `None` without a goal.
    pub met: Option<bool>,
}

/// A case without a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// The case.
    pub id: Text,
    /// In words.
    pub what: Text,
    /// Why.
    pub why: String,
}

impl Skipped {
    pub(crate) fn new(case: &Case, error: &Error) -> Skipped {
        Skipped { id: case.id.clone(), what: case.in_words(), why: error.to_string() }
    }
}

fn side<S: Serializer>(side: &Side, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match side {
        Side::Floor => "floor",
        Side::Ours => "transom",
        Side::Peer => "peer",
    })
}

fn unit<S: Serializer>(unit: &Unit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match unit {
        Unit::Nanoseconds => "ns",
        Unit::Microseconds => "us",
        Unit::Bandwidth(_) => "GB/s",
        Unit::Rate => "M/s",
    })
}

fn goal<S: Serializer>(goal: &Option<Goal>, serializer: S) -> Result<S::Ok, S::Error> {
    goal.map(|goal| goal.to_string()).serialize(serializer)
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goal::AtMost(limit) => write!(f, "<= {limit}"),
            Goal::AtLeast(limit) => write!(f, ">= {limit}"),
        }
    }
}

impl Unit {
    /// What an operation of so many nanoseconds is in terms that can be compared: nanoseconds for times of
    /// either unit, bytes per nanosecond for bandwidths, operations per microsecond for rates.
    pub(crate) fn comparable(self, nanoseconds: f64) -> f64 {
        match self {
            Unit::Nanoseconds | Unit::Microseconds => nanoseconds,
            Unit::Bandwidth(bytes) => bytes as f64 / nanoseconds.max(1e-3),
            Unit::Rate => 1e3 / nanoseconds.max(1e-3),
        }
    }

    /// A comparable value as a number of this unit.
    fn shown(self, comparable: f64) -> f64 {
        if self == Unit::Microseconds { comparable / 1e3 } else { comparable }
    }

    fn name(self) -> &'static str {
        match self {
            Unit::Nanoseconds => "ns",
            Unit::Microseconds => "\u{b5}s",
            Unit::Bandwidth(_) => "GB/s",
            Unit::Rate => "M/s",
        }
    }
}

impl Figure {
    /// The figure of `case`, as far as its comparisons can be made.
    fn new(case: &Case, own: &Series, all: &[(&Case, &Series)]) -> Figure {
        let mut sorted = own.each.clone();
        sorted.sort_unstable();
        let tail =
            |of| slowest_one_in(&sorted, of).map(|time| case.unit.shown(case.unit.comparable(time as f64)));
        let (low, high) = own.range();
        let against = case.compare.iter().filter_map(|(id, goal)| {
            let (_, other) = all.iter().find(|(case, _)| case.id == *id)?;
            let ratio = own.ratio(other)?;
            Some(Comparison { id: id.clone(), ratio, goal: *goal, met: goal.map(|goal| goal.is_met(ratio)) })
        });
        Figure {
            id: case.id.clone(),
            what: case.what.clone(),
            group: case.group.clone(),
            side: case.side,
            unit: case.unit,
            median: case.unit.shown(own.median()),
            p99: tail(100),
            p999: tail(1000),
            low: case.unit.shown(low),
            high: case.unit.shown(high),
            against: against.collect(),
        }
    }

    /// From the lowest to the highest round, in per cent of the median.
    #[must_use]
    pub fn spread(&self) -> f64 {
        if self.median > 0.0 { (self.high - self.low) / self.median * 100.0 } else { 0.0 }
    }
}

impl Report {
    /// The report on what was measured of `plan`.
    pub(crate) fn new(
        plan: &Plan,
        machine: Machine,
        rounds: u32,
        quick: bool,
        seconds: f64,
        measured: &[(&Case, &Series)],
        skipped: Vec<Skipped>,
    ) -> Report {
        let figures: Vec<Figure> =
            measured.iter().map(|(case, series)| Figure::new(case, series, measured)).collect();
        let verdicts = figures.iter().flat_map(|figure| &figure.against);
        let missed = verdicts.filter(|comparison| comparison.met == Some(false)).count();
        let notes = plan.notes.clone();
        Report { plan: plan.name, machine, rounds, quick, seconds, missed, figures, skipped, notes }
    }

    /// The parts of the table: what stands by itself, side by side with its like; then each group, ours first.
    fn sections(&self) -> Vec<(&str, Vec<&Figure>)> {
        let chosen = |chosen: &dyn Fn(&Figure) -> bool| -> Vec<&Figure> {
            self.figures.iter().filter(|figure| chosen(figure)).collect()
        };
        let mut sections = Vec::new();
        for (side, title) in [(Side::Floor, "floors"), (Side::Ours, "transom"), (Side::Peer, "peers")] {
            sections.push((title, chosen(&|figure| figure.group.is_empty() && figure.side == side)));
        }
        for figure in &self.figures {
            let title = figure.group.as_ref();
            if !title.is_empty() && sections.iter().all(|(known, _)| *known != title) {
                let mut figures = chosen(&|figure| figure.group == title);
                figures.sort_by_key(|figure| figure.side != Side::Ours);
                sections.push((title, figures));
            }
        }
        sections.retain(|(_, figures)| !figures.is_empty());
        sections
    }

    /// The figure of the case `id`.
    #[must_use]
    pub fn figure(&self, id: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.id == id)
    }
}

/// Three digits that count, and no more than people read.
fn number(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}

/// The columns of the table, of which the first and the one named "against" are words.
const HEADINGS: [&str; 9] = ["", "median", "", "p99", "p99.9", "spread", "against", "ratio", "goal"];
const WORDS: [usize; 4] = [0, 2, 6, 8];

impl Figure {
    fn rows(&self) -> Vec<[String; 9]> {
        let tail = |value: Option<f64>| value.map(number).unwrap_or_default();
        let mut first: [String; 9] = Default::default();
        first[0] = self.what.to_string();
        first[1] = number(self.median);
        first[2] = self.unit.name().to_owned();
        first[3] = tail(self.p99);
        first[4] = tail(self.p999);
        first[5] = format!("{:.0} %", self.spread());
        let mut rows = vec![first];
        for (index, comparison) in self.against.iter().enumerate() {
            if index == rows.len() {
                rows.push(Default::default());
            }
            rows[index][6] = comparison.id.to_string();
            rows[index][7] = format!("{:.2}", comparison.ratio);
            if let (Some(goal), Some(met)) = (comparison.goal, comparison.met) {
                rows[index][8] = format!("{goal} {}", if met { "ok" } else { "MISSED" });
            }
        }
        rows
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = &self.machine;
        let used: Vec<String> = machine.used.iter().map(ToString::to_string).collect();
        writeln!(f, "{}, {}", machine.processor, machine.kernel)?;
        writeln!(
            f,
            "processors used: {} (of {}); {} rounds{}, {:.0} s",
            used.join(" and "),
            machine.processors,
            self.rounds,
            if self.quick { ", quick" } else { "" },
            self.seconds
        )?;
        let all: Vec<[String; 9]> = self.figures.iter().flat_map(Figure::rows).collect();
        let mut widths = HEADINGS.map(|heading| heading.chars().count());
        for row in &all {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for (title, figures) in self.sections() {
            // Floors and peers are compared with nothing, so their lines end before those columns.
            let columns = if figures.iter().all(|figure| figure.against.is_empty()) { 6 } else { 9 };
            writeln!(f)?;
            // A title may reach into the columns of numbers, which then have their headings above.
            let mut heading = HEADINGS.map(str::to_owned);
            if title.chars().count() > widths[0] {
                writeln!(f, "{title}")?;
            } else {
                heading[0] = title.to_owned();
            }
            line(f, &heading, &widths, columns)?;
            for row in figures.iter().flat_map(|figure| figure.rows()) {
                line(f, &row, &widths, columns)?;
            }
        }
        if !self.skipped.is_empty() {
            writeln!(f, "\nskipped")?;
            for skipped in &self.skipped {
                writeln!(f, "{}: {}", skipped.what, skipped.why)?;
            }
        }
        let goals =
            self.figures.iter().flat_map(|figure| &figure.against).filter(|c| c.goal.is_some()).count();
        writeln!(f)?;
        if goals > 0 {
            writeln!(f, "{} of {goals} goals reached", goals - self.missed)?;
        }
        self.notes.iter().try_for_each(|note| wrapped(f, &format!("note: {note}")))
    }
}

/// Prints words in lines that fit the table's width.
fn wrapped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut column = 0;
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > 100 {
            write!(f, "\n      {word}")?;
            column = 6 + width;
        } else {
            let blank = if column > 0 { " " } else { "" };
            write!(f, "{blank}{word}")?;
            column += blank.len() + width;
        }
    }
    writeln!(f)
}

/// Prints the first cells of a line.
fn line(f: &mut fmt::Formatter<'_>, cells: &[String; 9], widths: &[usize; 9], columns: usize) -> fmt::Result {
    let mut line = String::new();
    for (column, (cell, width)) in cells.iter().zip(widths).enumerate().take(columns) {
        let cell =
            if WORDS.contains(&column) { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
        line.push_str(&cell);
        // A unit stands close to its number.
        line.push_str(if column == 1 { " " } else { "  " });
    }
    writeln!(f, "{}", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(rounds: &[f64], each: &[u64]) -> Series {
        Series { rounds: rounds.to_vec(), each: each.to_vec() }
    }

    fn report() -> Report {
        let floor = Case::role(Side::Floor, "floor", "x", Unit::Microseconds, "the floor");
        let ours = Case::role(Side::Ours, "ours", "x", Unit::Microseconds, "what we do")
            .goal("floor", Goal::AtMost(2.0))
            .against("gone");
        let slow = Case::role(Side::Ours, "slow", "x", Unit::Bandwidth(1000), "what is slow")
            .goal("floor", Goal::AtLeast(0.9));
        let machine =
            Machine { processor: "P".into(), processors: 2, used: vec![0, 1], kernel: "Linux 6".into() };
        let skipped =
            vec![Skipped { id: "gone".into(), what: "what is gone".into(), why: "not here".into() }];
        let plan = Plan::empty("test");
        let values = [
            series(&[10e3, 20e3, 10e3], &[]),
            series(&[15e3, 30e3, 15e3], &(1..=200).map(|i| i * 1000).collect::<Vec<_>>()),
            series(&[5e3, 5e3, 5e3], &[]),
        ];
        let measured: Vec<(&Case, &Series)> = [&floor, &ours, &slow].into_iter().zip(&values).collect();
        Report::new(&plan, machine, 3, false, 1.0, &measured, skipped)
    }

    #[test]
    fn ratios_are_judged_and_counted() {
        let report = report();
        let ours = report.figure("ours").expect("measured");
        assert_eq!((ours.median, ours.low, ours.high), (15.0, 15.0, 30.0));
        assert_eq!((ours.p99, ours.p999), (Some(199.0), None));
        assert_eq!(ours.against.len(), 1, "what was skipped is compared with nothing");
        assert_eq!((ours.against[0].ratio, ours.against[0].met), (1.5, Some(true)));
        assert_eq!(report.figure("slow").map(|slow| slow.against[0].met), Some(Some(false)));
        assert_eq!(report.missed, 1);
    }

    #[test]
    fn the_table_is_aligned_and_names_floors_units_and_what_is_missing() {
        let text = report().to_string();
        let with = |word: &str| text.lines().find(|line| line.contains(word)).expect(word).to_owned();
        assert!(with("what we do").ends_with("floor     1.50  <= 2 ok"), "{text}");
        assert!(with("what is slow").ends_with(">= 0.9 MISSED"), "{text}");
        let unit = |line: &str| line.chars().take_while(|c| *c != '\u{b5}').count();
        assert_eq!(unit(&with("the floor")), unit(&with("what we do")));
        assert!(text.contains("what is gone: not here"));
        assert!(text.contains("1 of 2 goals reached"));
        assert!(text.lines().all(|line| line.trim_end() == line));
    }
}
