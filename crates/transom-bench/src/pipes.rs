//! What is measured of pipes: the shapes, who else is measured in them, and the goals.

use crate::link::{Manner, Shape};
use crate::plan::{Case, Goal, Plan, Side, bare_ring, copy_long, floors_between, syscall};

use Manner::{Cross, Polling, Same};

const K: usize = 1024;
const M: usize = 1024 * K;

/// A pipe of the byte type.
const BYTES: &str = "transom";
/// A pipe of the message type.
const MESSAGES: &str = "transom-msg";
/// The same, written and read in place.
const LENT: &str = "transom-lent";

fn round_trips() -> impl Iterator<Item = Shape> {
    let manners = [Polling, Same, Cross];
    [64, 64 * K].into_iter().flat_map(move |bytes| manners.map(|manner| Shape::round_trip(bytes, manner)))
}

fn streams() -> [Shape; 4] {
    [64, 4 * K, 64 * K, M].map(|bytes| Shape::bytes(bytes, Cross))
}

fn polled_streams() -> [Shape; 2] {
    [64, 64 * K].map(|bytes| Shape::bytes(bytes, Polling))
}

impl Shape {
    /// What is measured in place: nothing is copied, so the length should not matter.
    #[must_use]
    pub fn all_lent() -> [Shape; 4] {
        let [small, large] = [64 * K, M];
        [(small, Polling), (large, Polling), (small, Cross), (large, Cross)]
            .map(|(bytes, manner)| Shape::lent(bytes, manner))
    }

    /// All shapes that a link between two processes is measured in, for one where an end can poll and
    /// connections can be made again and again.
    #[must_use]
    pub fn all() -> Vec<Shape> {
        let messages = [Polling, Cross].map(|manner| Shape::messages(64, manner));
        let one_way = messages.into_iter().chain(polled_streams()).chain(streams());
        round_trips().chain(one_way).chain([Shape::connect()]).collect()
    }
}

impl Plan {
    /// Named pipes beside the kernel's own means: everything `transom bench pipe` measures.
    #[must_use]
    pub fn pipe() -> Plan {
        let unix = |shape| Case::carried(Side::Peer, "unix", "Unix stream", shape);
        let pipe2 = |shape| Case::carried(Side::Peer, "pipe2", "pipe(2)", shape);
        let lasting = |shape: &Shape| *shape != Shape::connect();
        let plan = Plan::empty("pipe")
            .with_case(syscall())
            .extend(floors_between())
            .with_case(bare_ring().against("line").against(Shape::round_trip(64, Polling).id("unix")))
            .with_case(copy_long().against(Shape::bytes(M, Cross).id("unix")))
            .extend(ours())
            .extend(Shape::all().into_iter().map(unix))
            .extend(Shape::all().into_iter().filter(lasting).map(pipe2));
        goals().into_iter().fold(plan, |plan, (shape, who, with, goal)| {
            let other = if FLOORS.contains(&with) { with.to_owned() } else { shape.id(with) };
            plan.compare(&shape.id(who), other, goal)
        })
    }
}

/// The floors that pipes are held against.
const FLOORS: [&str; 6] = ["line", "ring", "futex-same", "futex-cross", "copy", "copy-1m"];

fn ours() -> Vec<Case> {
    let bytes = |shape| Case::carried(Side::Ours, BYTES, "transom, byte type", shape);
    let messages = |shape| Case::carried(Side::Ours, MESSAGES, "transom, message type", shape);
    let first = Case::carried(Side::Ours, BYTES, "transom, first time", Shape::connect_first());
    let mut cases: Vec<Case> = Shape::all().into_iter().map(bytes).collect();
    cases.extend(round_trips().map(messages));
    cases.extend([Polling, Cross].map(|manner| messages(Shape::messages(64, manner))));
    cases.extend(lent());
    cases.push(first.goal(Shape::connect().id("unix"), Goal::AtMost(2.0)));
    cases
}

/// Messages in place: a long one is to cost what a short one costs.
fn lent() -> impl Iterator<Item = Case> {
    Shape::all_lent().into_iter().map(|shape| {
        let case = Case::carried(Side::Ours, LENT, "transom, in place", shape);
        match shape.manner() {
            Cross => case.against("futex-cross"),
            _ if shape == Shape::lent(M, Polling) => {
                case.goal(Shape::lent(64 * K, Polling).id(LENT), Goal::AtMost(1.2))
            }
            _ => case.against("line"),
        }
    })
}

/// A comparison: the shape, who is ours, a floor or who else plays the same shape, and how good the ratio has
/// to be.
type Row = (Shape, &'static str, &'static str, Option<Goal>);

fn goals() -> Vec<Row> {
    let most = |ratio| Some(Goal::AtMost(ratio));
    let least = |ratio| Some(Goal::AtLeast(ratio));
    let rt = Shape::round_trip;
    let mut rows = vec![];
    for who in [BYTES, MESSAGES] {
        rows.extend([
            (rt(64, Polling), who, "line", most(3.0)),
            (rt(64, Polling), who, "ring", None),
            (rt(64, Polling), who, "unix", most(0.1)),
            (rt(64, Polling), who, "pipe2", None),
            (rt(64, Same), who, "futex-same", most(1.2)),
            (rt(64, Same), who, "unix", most(0.6)),
            (rt(64, Same), who, "pipe2", None),
            (rt(64, Cross), who, "futex-cross", most(1.2)),
            (rt(64, Cross), who, "unix", None),
            (rt(64, Cross), who, "pipe2", None),
            (rt(64 * K, Polling), who, "unix", most(0.7)),
            (rt(64 * K, Polling), who, "pipe2", None),
            (rt(64 * K, Same), who, "unix", None),
            (rt(64 * K, Cross), who, "unix", None),
            (Shape::messages(64, Polling), who, "pipe2", None),
            (Shape::messages(64, Cross), who, "pipe2", None),
        ]);
    }
    let against_unix = streams().into_iter().zip([10.0, 4.0, 2.3, 2.0]);
    rows.extend(against_unix.map(|(shape, ratio)| (shape, BYTES, "unix", least(ratio))));
    rows.push((Shape::bytes(64 * K, Cross), BYTES, "copy", least(0.9)));
    rows.extend(streams().map(|shape| (shape, BYTES, "pipe2", None)));
    rows.push((Shape::bytes(M, Cross), BYTES, "copy-1m", None));
    rows.push((Shape::bytes(64 * K, Polling), BYTES, "copy", None));
    rows.extend(polled_streams().map(|shape| (shape, BYTES, "unix", None)));
    rows.push((Shape::connect(), BYTES, "unix", most(0.5)));
    rows
}
