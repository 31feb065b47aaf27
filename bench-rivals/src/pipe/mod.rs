//! Pipes and what else carries bytes between two processes: transom beside its rivals.
//!
//! One file per rival. A rival is a [`Link`](transom_bench::Link); the shapes in which all are measured are
//! transom-bench's.

mod boost;
mod channel;
mod in_place;
mod local_socket;
mod pubsub;
mod request;
mod seqpacket;
mod zeromq;

use transom_bench::{Carrier, Case, Error, Goal, Manner, Plan, Result, Shape, Side};

use crate::folder::Folder;
use crate::{iceoryx, wine};

use Manner::{Cross, Polling, Same};

/// What carries bytes besides transom-bench's own carriers.
pub const CARRIERS: &[Carrier] = &[
    Carrier::of::<seqpacket::Seqpacket>("seqpacket"),
    Carrier::of::<local_socket::LocalSocket>("interprocess"),
    Carrier::of::<channel::Channel>("ipc-channel"),
    Carrier::of::<pubsub::PubSub>("iceoryx2"),
    Carrier::of::<in_place::InPlace>("iceoryx2-lent"),
    Carrier::of::<request::RequestResponse>("iceoryx2-request"),
    Carrier::of::<zeromq::Pair>("zmq"),
];

const K: usize = 1024;
const M: usize = 1024 * K;

/// A message that arrived, put where it was to go.
fn taken(message: &[u8], buffer: &mut [u8]) -> Result<usize> {
    let room = buffer.get_mut(..message.len());
    room.ok_or_else(|| Error::new("a message is longer than the buffer"))?.copy_from_slice(message);
    Ok(message.len())
}

/// The cases of `who` in all shapes that `fits` says it can have.
fn rival<'a>(
    who: &'static str,
    what: &'static str,
    fits: impl Fn(Shape) -> bool + 'a,
) -> impl Iterator<Item = Case> + 'a {
    let shapes = Shape::all().into_iter().filter(move |shape| fits(*shape));
    shapes.map(move |shape| Case::carried(Side::Peer, who, what, shape))
}

/// transom-bench's plan and the rivals'.
pub fn plan(folder: &Folder) -> Plan {
    let lasting = |shape| shape != Shape::connect();
    let blocking = |shape: Shape| shape.manner() != Polling;
    // A message has to fit into the socket's buffer.
    let small = move |shape: Shape| lasting(shape) && shape != Shape::bytes(M, Cross);
    let asking = |shape: Shape| [64, 64 * K].map(|bytes| Shape::round_trip(bytes, Polling)).contains(&shape);
    let plan = Plan::pipe()
        .extend(rival("seqpacket", "Unix seqpacket", small))
        .extend(rival("interprocess", "interprocess", |_| true))
        .extend(rival("ipc-channel", "ipc-channel", lasting))
        .extend(rival("iceoryx2", "iceoryx2 pub-sub", lasting).map(|case| iceoryx::told(case, folder)))
        .extend(
            rival("iceoryx2-request", "iceoryx2 request-response", asking)
                .map(|case| iceoryx::told(case, folder)),
        )
        .extend(lent().map(|case| iceoryx::told(case, folder)))
        .extend(rival("zmq", "ZeroMQ", move |shape| lasting(shape) && blocking(shape)))
        .extend(boost::cases(folder))
        .extend(wine::pipes(folder));
    let first = Shape::connect_first().id("transom");
    let plan = plan.compare(&first, Shape::connect().id("wine"), Some(Goal::AtMost(0.15)));
    goals()
        .into_iter()
        .fold(plan, |plan, (shape, who, with, goal)| plan.compare(&shape.id(who), shape.id(with), goal))
}

/// What is sent without copying.
fn lent() -> impl Iterator<Item = Case> {
    let shapes = Shape::all_lent().into_iter();
    shapes.map(|shape| Case::carried(Side::Peer, "iceoryx2-lent", "iceoryx2 pub-sub, in place", shape))
}

/// What transom's figures are held against: the shape, whose, the rival, the goal.
type Row = (Shape, &'static str, &'static str, Option<Goal>);

fn goals() -> Vec<Row> {
    let most = |ratio| Some(Goal::AtMost(ratio));
    let least = |ratio| Some(Goal::AtLeast(ratio));
    let rt = Shape::round_trip;
    let (bytes, messages) = ("transom", "transom-msg");
    vec![
        (rt(64, Polling), messages, "iceoryx2", most(0.35)),
        (rt(64, Polling), messages, "iceoryx2-request", None),
        (rt(64, Polling), bytes, "iceoryx2", most(0.35)),
        (rt(64, Polling), bytes, "interprocess", None),
        (rt(64 * K, Polling), messages, "iceoryx2", most(0.6)),
        (rt(64 * K, Polling), bytes, "iceoryx2", most(0.6)),
        (Shape::lent(64 * K, Polling), "transom-lent", "iceoryx2-lent", most(0.6)),
        (Shape::lent(M, Polling), "transom-lent", "iceoryx2-lent", most(0.6)),
        (rt(64, Same), messages, "wine", None),
        (rt(64, Same), bytes, "wine", None),
        (Shape::messages(64, Polling), messages, "iceoryx2", least(4.0)),
        (Shape::messages(64, Polling), messages, "boost", None),
        (Shape::messages(64, Polling), messages, "seqpacket", None),
        (Shape::messages(64, Cross), messages, "zmq", least(3.0)),
        (Shape::messages(64, Cross), messages, "seqpacket", least(15.0)),
        (Shape::messages(64, Cross), messages, "wine", least(500.0)),
        (Shape::messages(64, Cross), messages, "boost", None),
        (Shape::bytes(64 * K, Polling), bytes, "iceoryx2", None),
        (Shape::bytes(64 * K, Cross), bytes, "ipc-channel", None),
        (Shape::bytes(64 * K, Cross), bytes, "wine", None),
        (Shape::connect(), bytes, "interprocess", None),
        (Shape::connect(), bytes, "wine", most(0.15)),
    ]
}
