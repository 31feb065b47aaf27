//! Mailslots, broadcast, and what else carries messages from many processes to one or from one to many.
//!
//! One file per rival. A rival is a [`Fan`](transom_bench::Fan) each way; the shapes are transom-bench's.

mod boost;
mod pubsub;
mod seqpacket;
mod zeromq;

use transom_bench::{Carrier, Case, FanShape, Goal, Plan, Side};

use crate::folder::Folder;
use crate::{iceoryx, wine};

/// What carries messages besides transom-bench's own carriers.
pub const CARRIERS: &[Carrier] = &[
    Carrier::fan::<pubsub::ToOne>("iceoryx2-to-one"),
    Carrier::fan::<pubsub::ToMany>("iceoryx2-to-many"),
    Carrier::fan::<zeromq::ToOne>("zmq-to-one"),
    Carrier::fan::<zeromq::ToMany>("zmq-to-many"),
    Carrier::fan::<seqpacket::ToMany>("seqpacket-to-many"),
];

const SLOT: &str = "slot";
const CAST: &str = "broadcast";

fn rival(who: &'static str, what: &'static str, shapes: Vec<FanShape>) -> impl Iterator<Item = Case> {
    shapes.into_iter().map(move |shape| Case::fanned(Side::Peer, who, what, shape))
}

/// transom-bench's plan and the rivals'.
pub fn plan(folder: &Folder) -> Plan {
    let (to_one, to_many) = (FanShape::all_to_one, FanShape::all_to_many);
    let plan = Plan::mailslot()
        .extend(boost::cases(folder))
        .extend(
            rival("iceoryx2-to-one", "iceoryx2 pub-sub", to_one()).map(|case| iceoryx::told(case, folder)),
        )
        .extend(rival("zmq-to-one", "ZeroMQ, PUSH and PULL", to_one()))
        .extend(wine::mailslots(folder))
        .extend(
            rival("iceoryx2-to-many", "iceoryx2 pub-sub", to_many()).map(|case| iceoryx::told(case, folder)),
        )
        .extend(rival("zmq-to-many", "ZeroMQ, XPUB and SUB", to_many()))
        .extend(rival("seqpacket-to-many", "Unix seqpacket", to_many()));
    let plan = to_many().into_iter().fold(plan, |plan, shape| {
        // What would reach the goal, had everybody else cost nothing.
        plan.compare(&shape.id("bare"), shape.id("iceoryx2-to-many"), None)
    });
    goals().into_iter().fold(plan, |plan, (shape, who, with, goal)| {
        plan.compare(&shape.id(who), shape.id(with), goal.map(Goal::AtLeast))
    })
}

/// What transom's figures are held against: the shape, whose, the rival, how many times as much.
type Row = (FanShape, &'static str, &'static str, Option<f64>);

fn goals() -> Vec<Row> {
    const K: usize = 1024;
    let mut rows = vec![];
    for (many, boost, iceoryx) in [(1, 4.0, None), (4, 2.0, None), (16, 1.2, Some(2.0))] {
        let shape = FanShape::to_one(many, 64);
        rows.extend([
            (shape, SLOT, "boost", Some(boost)),
            (shape, SLOT, "iceoryx2-to-one", iceoryx),
            (shape, SLOT, "zmq-to-one", None),
            (shape, SLOT, "wine", None),
        ]);
    }
    for many in [1, 4, 16] {
        let (small, large) = (FanShape::to_many(many, 64), FanShape::to_many(many, 64 * K));
        rows.extend([
            (small, CAST, "iceoryx2-to-many", Some(4.0)),
            (small, CAST, "zmq-to-many", None),
            (small, CAST, "seqpacket-to-many", None),
            (large, CAST, "iceoryx2-to-many", Some(1.25)),
            (large, CAST, "zmq-to-many", None),
            (large, CAST, "seqpacket-to-many", None),
        ]);
    }
    rows
}
