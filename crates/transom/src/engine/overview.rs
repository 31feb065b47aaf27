//! What the pipes of this machine are doing, seen from outside: boards and segments are only read.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;

use transom_core::board::SlotState;
use transom_core::code::Code;
use transom_core::pipe::{Role, State};
use transom_core::ring::Queue;
use transom_sys::linux::{host, memfd, procfs};

use super::board::Board;
use super::errno::to_code;
use super::segment::Segment;
use super::served::is_alive;
use crate::namespace::imp as namespace;

/// A pipe.
pub(crate) struct Overview {
    pub(crate) spelling: Vec<u8>,
    pub(crate) message_type: bool,
    pub(crate) max_instances: u32,
    pub(crate) instances: Vec<Row>,
}

/// An instance of it.
pub(crate) struct Row {
    pub(crate) number: u32,
    pub(crate) state: State,
    pub(crate) server: u32,
    /// 0 = none.
    pub(crate) client: u32,
    pub(crate) inbound: Flow,
    pub(crate) outbound: Flow,
}

/// One direction.
#[derive(Clone, Copy, Default)]
pub(crate) struct Flow {
    pub(crate) quota: u32,
    pub(crate) unread: u64,
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
}

/// All pipes that exist now, in no particular order.
///
/// # Errors
/// 5: a root is not safe to use.
pub(crate) fn all() -> Result<Vec<Overview>, Code> {
    let pipes = namespace::pipes()?;
    Ok(pipes.into_iter().filter_map(|(memory, entry)| look(&memory, &entry)).collect())
}

fn look(memory: &OwnedFd, entry: &OwnedFd) -> Option<Overview> {
    let board = Board::open(memory, memfd::is_size_sealed(memory.as_fd())).ok()?;
    let instances = board
        .instances()
        .filter(|(index, _)| is_alive(entry.as_fd(), *index))
        .map(|(index, word)| row(&board, index, word.state))
        .collect();
    Some(Overview {
        spelling: board.spelling(),
        message_type: board.fixed().message_type,
        max_instances: board.fixed().max_instances,
        instances,
    })
}

fn row(board: &Board, index: usize, state: SlotState) -> Row {
    let segment = segment(board, index);
    let client = board.client(index);
    let has_left = || {
        let closed = segment
            .as_ref()
            .is_some_and(|segment| segment.words().closed_by_client.load(Ordering::Relaxed) != 0);
        closed || client != 0 && !host::exists(client)
    };
    let flow = |reader| segment.as_ref().map_or(Flow::default(), |segment| flow(segment, reader));
    Row {
        number: index as u32,
        state: match state {
            SlotState::Listening => State::Listening,
            SlotState::Connected if has_left() => State::Closing,
            SlotState::Connected => State::Connected,
            SlotState::Disconnected | SlotState::Free => State::Disconnected,
        },
        server: board.creator(index),
        client,
        inbound: flow(Role::Server),
        outbound: flow(Role::Client),
    }
}

/// The connection's memory, if it can be reached.
fn segment(board: &Board, index: usize) -> Option<Segment> {
    let offer = board.glance(index);
    let file = to_code(procfs::open_descriptor(offer.maker, offer.segment, true, true)).ok()?;
    Segment::attach(file, &offer.cookie).ok()
}

fn flow(segment: &Segment, reader: Role) -> Flow {
    let shape = segment.shape();
    let quota = match reader {
        Role::Server => shape.quota_in,
        Role::Client => shape.quota_out,
    };
    let (control, data, queue) = segment.queue_read_by(reader);
    // Zeroes if somebody wrote nonsense.
    let unread = Queue::new(control, data, queue).unread().unwrap_or(0);
    let (bytes, writes) = control.totals().map_or((0, 0), |totals| (totals.bytes_written, totals.writes));
    Flow { quota, unread, bytes, messages: if shape.message { writes } else { 0 } }
}
