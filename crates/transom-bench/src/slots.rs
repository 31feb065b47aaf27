//! What is measured of mailslots and broadcast: the shapes, who else is measured in them, and the goals.

use crate::fan::FanShape;
use crate::link::{Manner, Shape};
use crate::plan::{Case, Goal, Plan, Side, floors_between, syscall};

const SLOT: &str = "slot";
const SINGLY: &str = "slot-singly";
const CAST: &str = "broadcast";
const BARE: &str = "bare";
const TWO_SLOTS: &str = "slots";

impl Plan {
    /// Mailslots and broadcast beside the kernel's own means: everything `transom bench mailslot` measures.
    #[must_use]
    pub fn mailslot() -> Plan {
        let datagram = |shape| Case::fanned(Side::Peer, "datagram", "Unix datagram", shape);
        let latency = |manner| {
            Case::carried(
                Side::Ours,
                TWO_SLOTS,
                "transom, a mailslot each way",
                Shape::round_trip(64, manner),
            )
        };
        Plan::empty("mailslot")
            .with_case(syscall())
            .extend(floors_between())
            .extend(FanShape::all_to_one().into_iter().map(to_one))
            .extend(FanShape::all_to_one().into_iter().map(datagram))
            .with_case(Case::fanned(
                Side::Ours,
                SINGLY,
                "transom, one with each call",
                FanShape::to_one(16, 64),
            ))
            .extend(FanShape::all_to_many().into_iter().map(bare))
            .extend(FanShape::all_to_many().into_iter().map(to_many))
            .extend([1, 4, 16].map(|many| publishing(FanShape::publish(many, 64), many)))
            .extend([1, 4, 16].map(|many| publishing(FanShape::publish(many, 64 << 10), many)))
            .with_case(latency(Manner::Polling).against("line"))
            .with_case(latency(Manner::Same).against("futex-same"))
            .with_case(latency(Manner::Cross).against("futex-cross"))
            .compare(
                &FanShape::to_one(256, 64).id(SLOT),
                FanShape::to_one(16, 64).id(SLOT),
                Some(Goal::AtLeast(0.5)),
            )
            .compare(&FanShape::to_one(16, 64).id(SINGLY), FanShape::to_one(16, 64).id("datagram"), None)
    }
}

fn to_one(shape: FanShape) -> Case {
    let case = Case::fanned(Side::Ours, SLOT, "transom, mailslot", shape);
    case.goal(shape.id("datagram"), Goal::AtLeast(8.0))
}

/// What one to many takes without any library.
fn bare(shape: FanShape) -> Case {
    Case::fanned(Side::Floor, BARE, "bare ring: memcpy in, memcpy out", shape)
}

fn to_many(shape: FanShape) -> Case {
    Case::fanned(Side::Ours, CAST, "transom, broadcast", shape).against(shape.id(BARE))
}

/// What one message costs does not depend on how many read it.
fn publishing(shape: FanShape, many: usize) -> Case {
    let case = Case::fanned(Side::Ours, CAST, "transom, broadcast", shape);
    match many {
        1 => case.against("line"),
        _ => case.goal(shape.with(1).id(CAST), Goal::AtMost(1.3)),
    }
}
