//! What is measured, against what, and how good it has to be.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsString;

use crate::fan::FanShape;
use crate::link::Shape;
use crate::program::Program;

/// Words that are the program's, or were put together by it.
pub(crate) type Text = Cow<'static, str>;

/// What a case stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The least it can cost: the machine and the kernel, without any library.
    Floor,
    /// transom.
    Ours,
    /// Somebody else's library.
    Peer,
}

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Time of an operation, shown in nanoseconds.
    Nanoseconds,
    /// Time of an operation, shown in microseconds.
    Microseconds,
    /// Bytes per nanosecond, where an operation moves this many bytes.
    Bandwidth(u64),
    /// Operations per microsecond, shown as millions in a second.
    Rate,
}

/// How good a ratio has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// At most this many times the other: for times.
    AtMost(f64),
    /// At least this many times the other: for bandwidths and rates.
    AtLeast(f64),
}

impl Goal {
    /// Whether `ratio` is good enough.
    #[must_use]
    pub fn is_met(self, ratio: f64) -> bool {
        match self {
            Goal::AtMost(limit) => ratio <= limit,
            Goal::AtLeast(limit) => ratio >= limit,
        }
    }
}

/// Where worker and partner run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Placement {
    /// There is no partner.
    Alone,
    /// Both on one processor.
    Same,
    /// One each.
    Cross,
}

/// What a worker is.
#[derive(Debug, Clone)]
pub(crate) enum Worker {
    /// This program again, as [`run_child`](crate::run_child) plays it.
    Role(Text, Vec<String>),
    /// Another program that answers as [`Sample`](crate::Sample) says. It gets the number of the processor
    /// it is to stay on as its last argument; in a case between two processes, that of its partner behind
    /// it.
    Program(Program, Vec<OsString>),
}

/// One thing to be measured.
#[derive(Debug, Clone)]
pub struct Case {
    pub(crate) id: Text,
    pub(crate) what: Text,
    /// What it is one of several ways to do; empty if it stands by itself.
    pub(crate) group: Text,
    pub(crate) side: Side,
    pub(crate) unit: Unit,
    pub(crate) worker: Worker,
    pub(crate) placement: Placement,
    pub(crate) compare: Vec<(Text, Option<Goal>)>,
}

impl Case {
    /// A case of `side` that a worker plays as `role`, a word that [`run_child`](crate::run_child) or the
    /// program's own child knows. `what` is for people; `id` names the case in comparisons and in JSON.
    #[must_use]
    pub fn role(side: Side, id: &'static str, role: &'static str, unit: Unit, what: &'static str) -> Case {
        Case::new(side, id.into(), unit, what.into(), Worker::Role(role.into(), Vec::new()))
    }

    /// A case that another program plays.
    #[must_use]
    pub fn program(
        side: Side,
        id: &'static str,
        program: impl Into<Program>,
        arguments: Vec<OsString>,
        unit: Unit,
        what: &'static str,
    ) -> Case {
        Case::new(side, id.into(), unit, what.into(), Worker::Program(program.into(), arguments))
    }

    /// A way to send bytes between two processes, as `who` does it: the word of a
    /// [`Carrier`](crate::Carrier). The case's id is the shape's, a slash and `who`.
    #[must_use]
    pub fn carried(side: Side, who: &'static str, what: &'static str, shape: Shape) -> Case {
        Case::shaped(side, who, what, shape, Worker::Role(who.into(), shape.arguments()))
    }

    /// As [`Case::carried`], where another program plays both ends. Behind `arguments` it gets the shape's: `rt`,
    /// `call`, `msg`, `bytes` or `connect`, the number of bytes, `polling` or `blocking`; then both processors.
    #[must_use]
    pub fn carried_by_program(
        who: &'static str,
        what: &'static str,
        shape: Shape,
        program: impl Into<Program>,
        arguments: Vec<OsString>,
    ) -> Case {
        let shaped = shape.arguments().into_iter().map(OsString::from);
        let all = arguments.into_iter().chain(shaped).collect();
        Case::shaped(Side::Peer, who, what, shape, Worker::Program(program.into(), all))
    }

    fn shaped(side: Side, who: &'static str, what: &'static str, shape: Shape, worker: Worker) -> Case {
        let mut case = Case::new(side, shape.id(who).into(), shape.unit(), what.into(), worker);
        case.group = shape.to_string().into();
        case.placement = if shape.is_on_one_processor() { Placement::Same } else { Placement::Cross };
        case
    }

    /// Messages from many processes to one, or from one to many, as `who` does it: the word of a
    /// [`Carrier`](crate::Carrier) made by `fan`. The case's id is the shape's, a slash and `who`.
    #[must_use]
    pub fn fanned(side: Side, who: &'static str, what: &'static str, shape: FanShape) -> Case {
        Case::in_shape(side, who, what, shape, Worker::Role(who.into(), shape.arguments()))
    }

    /// As [`Case::fanned`], where another program plays all ends. Behind `arguments` it gets the shape's: `to-one`,
    /// `to-many` or `publish`, the numbers of processes, of bytes, and of messages that may be unread; then the
    /// processors of the one and of the many.
    #[must_use]
    pub fn fanned_by_program(
        who: &'static str,
        what: &'static str,
        shape: FanShape,
        program: impl Into<Program>,
        arguments: Vec<OsString>,
    ) -> Case {
        let all = arguments.into_iter().chain(shape.arguments().into_iter().map(OsString::from)).collect();
        Case::in_shape(Side::Peer, who, what, shape, Worker::Program(program.into(), all))
    }

    fn in_shape(side: Side, who: &str, what: &'static str, shape: FanShape, worker: Worker) -> Case {
        let mut case = Case::new(side, shape.id(who).into(), shape.unit(), what.into(), worker);
        case.group = shape.to_string().into();
        case.placement = Placement::Cross;
        case
    }

    fn new(side: Side, id: Text, unit: Unit, what: Text, worker: Worker) -> Case {
        let (group, placement, compare) = (Text::default(), Placement::Alone, Vec::new());
        Case { id, what, group, side, unit, worker, placement, compare }
    }

    /// In words that need no heading.
    pub(crate) fn in_words(&self) -> Text {
        match self.group.as_ref() {
            "" => self.what.clone(),
            group => format!("{}: {group}", self.what).into(),
        }
    }

    /// Adds an argument for the role.
    #[must_use]
    pub fn with(mut self, argument: impl ToString) -> Case {
        if let Worker::Role(_, arguments) = &mut self.worker {
            arguments.push(argument.to_string());
        }
        self
    }

    /// Between two processes on one processor.
    #[must_use]
    pub fn same(mut self) -> Case {
        self.placement = Placement::Same;
        self
    }

    /// Between two processes on a processor each.
    #[must_use]
    pub fn cross(mut self) -> Case {
        self.placement = Placement::Cross;
        self
    }

    /// Shows the ratio to another case.
    #[must_use]
    pub fn against(mut self, id: impl Into<Text>) -> Case {
        self.compare.push((id.into(), None));
        self
    }

    /// Shows the ratio to another case, which has to be good enough.
    #[must_use]
    pub fn goal(mut self, id: impl Into<Text>, goal: Goal) -> Case {
        self.compare.push((id.into(), Some(goal)));
        self
    }
}

/// A list of cases, measured together.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) name: &'static str,
    pub(crate) cases: Vec<Case>,
    pub(crate) notes: Vec<&'static str>,
}

const BLOCK: u64 = 64 * 1024;

impl Plan {
    /// A plan without cases.
    #[must_use]
    pub fn empty(name: &'static str) -> Plan {
        Plan { name, cases: Vec::new(), notes: NOTES.to_vec() }
    }

    /// Adds a case.
    #[must_use]
    pub fn with_case(mut self, case: Case) -> Plan {
        self.cases.push(case);
        self
    }

    /// Adds cases.
    #[must_use]
    pub fn extend(mut self, cases: impl IntoIterator<Item = Case>) -> Plan {
        self.cases.extend(cases);
        self
    }

    /// Adds a goal or comparison to a case that is there already.
    #[must_use]
    pub fn compare(mut self, id: &str, with: impl Into<Text>, goal: Option<Goal>) -> Plan {
        let with = with.into();
        for case in self.cases.iter_mut().filter(|case| case.id == id) {
            case.compare.push((with.clone(), goal));
        }
        self
    }

    /// Only the cases whose id contains one of `parts`, and those they are compared with. No parts: all.
    #[must_use]
    pub fn only(mut self, parts: &[String]) -> Plan {
        let named = |id: &str| parts.is_empty() || parts.iter().any(|part| id.contains(part.as_str()));
        let wanted: BTreeSet<Text> = self
            .cases
            .iter()
            .filter(|case| named(&case.id))
            .flat_map(|case| case.compare.iter().map(|(with, _)| with).chain([&case.id]))
            .cloned()
            .collect();
        self.cases.retain(|case| wanted.contains(&case.id));
        self
    }

    /// Whether there is nothing to measure.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Mappings, handles, processes and synchronisation objects: everything `transom bench map` measures.
    #[must_use]
    pub fn map() -> Plan {
        Plan::empty("map")
            .extend(floors())
            .extend(mapping_floors())
            .extend(mappings())
            .extend(copies())
            .extend(synchronisation())
            .extend(handles())
            .extend(crate::python::cases())
            .compare("named-create", "python-create", Some(Goal::AtMost(1.0)))
            .compare("named-open", "python-open", None)
    }

    /// Creating and opening mappings, and nothing else: what is compared with rivals.
    #[must_use]
    pub fn mapping_only() -> Plan {
        Plan::empty("mapping")
            .with_case(syscall())
            .extend(mapping_floors())
            .extend(mappings())
            .extend(crate::python::cases())
            .compare("named-create", "python-create", Some(Goal::AtMost(1.0)))
            .compare("named-open", "python-open", None)
    }
}

const NOTES: &[&str] = &[
    "ratios are made within each round and can be compared between runs; times and bandwidths cannot",
    "spread is the distance from the lowest to the highest round in per cent of the median: a ratio of \
     rows that spread by much means little; end other programs and repeat",
    "a round trip is two ways: from set to running is half of it. Between processors it is mostly the \
     time a sleeping processor takes to wake",
];

pub(crate) fn syscall() -> Case {
    Case::role(Side::Floor, "syscall", "syscall", Unit::Nanoseconds, "system call (gettid)")
}

/// What the machine itself takes.
fn floors() -> Vec<Case> {
    use Unit::{Bandwidth, Microseconds, Nanoseconds};
    let floor = |id, role, unit, what| Case::role(Side::Floor, id, role, unit, what);
    let mut floors = vec![syscall()];
    floors.extend(floors_between());
    floors.extend([
        floor("memcpy-in", "memcpy-in", Bandwidth(BLOCK), "memcpy of 64 KiB into shared pages"),
        floor("memcpy-out", "memcpy-out", Bandwidth(BLOCK), "memcpy of 64 KiB out of shared pages"),
        floor("memcpy-64", "memcpy-64", Nanoseconds, "memcpy of 64 B in and out"),
        floor("std-mutex", "std-mutex", Nanoseconds, "std Mutex, lock + unlock"),
        floor("futex-mutex", "futex-mutex", Nanoseconds, "bare futex mutex, contended, cross").cross(),
        floor("rwlock-read", "rwlock-read", Nanoseconds, "std RwLock of 64 B, read"),
        floor("rwlock-write", "rwlock-write", Nanoseconds, "std RwLock of 64 B, write"),
        floor("dup", "dup", Nanoseconds, "fcntl F_DUPFD + close"),
        floor("std-spawn", "std-spawn", Microseconds, "std Command: run `true`, wait"),
    ]);
    floors
}

/// What the machine itself takes between two processes.
pub(crate) fn floors_between() -> [Case; 4] {
    use Unit::{Bandwidth, Microseconds, Nanoseconds};
    let floor = |id, role, unit, what| Case::role(Side::Floor, id, role, unit, what);
    [
        floor("line", "line", Nanoseconds, "cache line, round trip, spinning, cross").cross(),
        floor("futex-same", "futex", Microseconds, "futex round trip, same").same(),
        floor("futex-cross", "futex", Microseconds, "futex round trip, cross").cross(),
        floor("copy", "copy", Bandwidth(BLOCK), "copy(64 KiB): memcpy in, memcpy out, cross").cross(),
    ]
}

/// [`floors_between`]'s copy, from and to so much that the fastest caches do not hold it.
pub(crate) fn copy_long() -> Case {
    let what = "copy(1 MiB): the same in and out of 1 MiB, 64 KiB at a time";
    Case::role(Side::Floor, "copy-1m", "copy-1m", Unit::Bandwidth(BLOCK), what).cross()
}

/// The least that 64 bytes take there and back, where both sides spin.
pub(crate) fn bare_ring() -> Case {
    let what = "bare ring: 64 B and an index, round trip, spinning, cross";
    Case::role(Side::Floor, "ring", "ring", Unit::Nanoseconds, what).cross()
}

fn mapping_floors() -> Vec<Case> {
    let floor = |id, what| Case::role(Side::Floor, id, id, Unit::Microseconds, what);
    vec![
        floor("memfd", "memfd: create, size, map, unmap, close"),
        floor("memfd-reserved", "memfd: the same, space reserved"),
        floor("memfd-touched", "memfd: the same, each page written"),
        floor("raw-map", "raw map: shm_open, size, map, unmap, close, unlink"),
        floor("raw-open", "raw open: shm_open, map, unmap, close"),
    ]
}

/// Mappings of 64 KiB.
fn mappings() -> Vec<Case> {
    let ours = |id, what| Case::role(Side::Ours, id, id, Unit::Microseconds, what);
    vec![
        ours("anonymous", "anonymous mapping: create, map, unmap, close")
            .goal("memfd", Goal::AtMost(1.3))
            .against("memfd-reserved"),
        ours("anonymous-touched", "anonymous mapping, each page written").against("memfd-touched"),
        ours("view", "view of a mapping: map, unmap").against("syscall"),
        ours("named-create", "named mapping: create, map, unmap, close").goal("raw-map", Goal::AtMost(2.0)),
        ours("named-create-fresh", "named mapping, a new name each time").against("raw-map"),
        ours("named-open", "named mapping: open, map, unmap, close").goal("raw-open", Goal::AtMost(2.5)),
        ours("named-open-own", "named mapping: open what this process holds").against("raw-open"),
    ]
}

/// Bytes through views.
fn copies() -> Vec<Case> {
    let ours = |id, unit, what| Case::role(Side::Ours, id, id, unit, what);
    let block = Unit::Bandwidth(BLOCK);
    vec![
        ours("view-write", block, "View::write of 64 KiB").against("memcpy-in"),
        ours("view-read", block, "View::read of 64 KiB").against("memcpy-out"),
        ours("view-64", Unit::Nanoseconds, "View::write + View::read of 64 B").against("memcpy-64"),
        ours("view-copy", block, "View::write here, View::read there, cross").cross().against("copy"),
        ours("guarded-load", Unit::Nanoseconds, "Guarded of 64 B, load").against("rwlock-read"),
        ours("guarded-store", Unit::Nanoseconds, "Guarded of 64 B, store").against("rwlock-write"),
    ]
}

fn synchronisation() -> Vec<Case> {
    use Unit::{Microseconds, Nanoseconds};
    let ours = |id, role, unit, what| Case::role(Side::Ours, id, role, unit, what);
    vec![
        ours("event-same", "event", Microseconds, "event round trip (set, wait, both ways), same")
            .same()
            .goal("futex-same", Goal::AtMost(1.15)),
        ours("event-cross", "event", Microseconds, "event round trip, cross")
            .cross()
            .goal("futex-cross", Goal::AtMost(1.15)),
        ours("event-fast", "event-fast", Nanoseconds, "event, set + wait, nobody sleeps").against("syscall"),
        ours("mutex", "mutex", Nanoseconds, "named mutex, lock + unlock, uncontended")
            .goal("std-mutex", Goal::AtMost(4.0))
            .against("syscall"),
        ours("mutex-contended", "mutex-contended", Nanoseconds, "named mutex, contended, cross")
            .cross()
            .against("futex-mutex"),
        ours("semaphore", "semaphore", Nanoseconds, "semaphore, release + wait").against("syscall"),
        ours("any-2", "any-fast", Nanoseconds, "wait for any of 2, the last is set")
            .with(2)
            .against("event-fast"),
        ours("any-8", "any-fast", Nanoseconds, "wait for any of 8").with(8).against("event-fast"),
        ours("any-64", "any-fast", Nanoseconds, "wait for any of 64").with(64).against("event-fast"),
        ours("any-2-same", "any", Microseconds, "round trip, the other waits for any of 2, same")
            .with(2)
            .same()
            .against("futex-same"),
        ours("any-8-same", "any", Microseconds, "round trip, any of 8, same")
            .with(8)
            .same()
            .against("futex-same"),
        ours("any-64-same", "any", Microseconds, "round trip, any of 64, same")
            .with(64)
            .same()
            .against("futex-same"),
    ]
}

fn handles() -> Vec<Case> {
    let ours = |id, unit, what| Case::role(Side::Ours, id, id, unit, what);
    vec![
        ours("duplicate", Unit::Nanoseconds, "handle: duplicate here, close").against("dup"),
        ours("spawn", Unit::Microseconds, "process: run `true`, wait").against("std-spawn"),
        ours("spawn-inherit", Unit::Microseconds, "process with 8 inherited handles").against("std-spawn"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_its_own_id_and_is_compared_with_one_that_exists() {
        for plan in [Plan::map(), Plan::mapping_only(), Plan::pipe(), Plan::mailslot(), Plan::window()] {
            let ids: BTreeSet<&str> = plan.cases.iter().map(|case| case.id.as_ref()).collect();
            assert_eq!(ids.len(), plan.cases.len());
            for case in &plan.cases {
                for (with, _) in &case.compare {
                    assert!(ids.contains(with.as_ref()), "{} is compared with {with}", case.id);
                }
            }
        }
    }

    #[test]
    fn what_is_ours_is_held_against_something_and_a_floor_against_no_goal() {
        for case in Plan::map().extend(Plan::pipe().cases).extend(Plan::mailslot().cases).cases {
            let good = match case.side {
                Side::Ours => !case.compare.is_empty(),
                Side::Floor => case.compare.iter().all(|(_, goal)| goal.is_none()),
                _ => case.compare.is_empty(),
            };
            assert!(good, "{}", case.id);
        }
    }

    #[test]
    fn a_part_of_a_plan_keeps_what_it_is_compared_with() {
        let ids = |parts: &[&str]| {
            let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
            let plan = Plan::map().only(&parts);
            plan.cases.into_iter().map(|case| case.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&["named-open-own"]), ["raw-open", "named-open-own"]);
        assert_eq!(ids(&["no such case"]), [""; 0]);
        assert_eq!(ids(&[]).len(), Plan::map().cases.len());
    }

    #[test]
    fn a_goal_is_a_limit_and_reaching_it_is_enough() {
        assert!(Goal::AtMost(2.0).is_met(2.0));
        assert!(!Goal::AtMost(2.0).is_met(2.01));
        assert!(Goal::AtLeast(0.9).is_met(0.9));
        assert!(!Goal::AtLeast(0.9).is_met(0.89));
    }
}
