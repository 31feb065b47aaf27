//! Window messages, and what else calls another process with bytes and waits for a number.

mod dbus;

use transom_bench::{Carrier, Case, Goal, Manner, Plan, Shape, Side};

use crate::folder::Folder;
use crate::wine;

use Manner::{Cross, Same};

/// What calls besides transom.
pub const CARRIERS: &[Carrier] = &[Carrier::of::<dbus::PeerToPeer>("zbus")];

const M: usize = 1024 * 1024;

/// transom's case, and the shape that is the same for others.
const CALLS: [(&str, Shape); 6] = [
    ("send-same", Shape::call(0, Same)),
    ("send-cross", Shape::call(0, Cross)),
    ("copydata-64-same", Shape::call(64, Same)),
    ("copydata-64-cross", Shape::call(64, Cross)),
    ("copydata-1m-same", Shape::call(M, Same)),
    ("copydata-1m-cross", Shape::call(M, Cross)),
];

/// transom-bench's plan and the rivals'.
pub fn plan(folder: &Folder) -> Plan {
    let shapes = CALLS.map(|(_, shape)| shape);
    let zbus = |shape| Case::carried(Side::Peer, "zbus", "D-Bus peer to peer, zbus", shape);
    let plan = Plan::window().extend(shapes.map(zbus)).extend(wine::windows(folder, shapes.to_vec()));
    CALLS.into_iter().fold(plan, |plan, (id, shape)| {
        let large = id.contains("1m");
        let dbus = (!large).then_some(Goal::AtMost(0.3));
        let wine = Goal::AtMost(if large { 0.1 } else { 0.35 });
        plan.compare(id, shape.id("zbus"), dbus).compare(id, shape.id("wine"), Some(wine))
    })
}
