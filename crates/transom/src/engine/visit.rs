//! The client end of an instance of a named pipe, as this process has it.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use transom_core::board::shape_tag;
use transom_core::code::Code;
use transom_core::name::PipeName;
use transom_core::pipe::{Modes, Role, client_rights};
use transom_core::ring::layout::SegmentHeader;
use transom_sys::linux::fault::step;
use transom_sys::linux::{bell, dirs};

use super::board::{Locked, Offer};
use super::channel::{End, Offered, join_process};
use super::errno::to_code;
use super::gate;
use super::gate::call::{Opened, Whose};
use super::known::Known;
use super::owner::me;
use super::parked;
use super::segment::Shape;
use super::spin::{self, Spin};
use super::table::Attachment;

/// A client end.
#[derive(Debug)]
pub(crate) struct Visit {
    /// Taken out only when this is dropped.
    end: Option<End>,
    known: Arc<Known>,
    /// The server's process.
    maker: u32,
    /// Of a connection that came from the gate: the process that serves it, as that has told.
    server: Option<u32>,
    /// How many handles of this process lead here.
    handles: AtomicU32,
    overlapped: bool,
    spin: AtomicU8,
    attachment: Attachment,
}

/// CreateFile on a pipe's name: the end, and the rights of its handle.
///
/// # Errors
/// 2: there is no such pipe. 231: no instance listens. 5: it does not go that way, or its security refuses.
pub(crate) fn open(name: &PipeName, wanted: u32, spin: Spin, overlapped: bool) -> Result<(Visit, u32), Code> {
    match open_own(name, wanted, spin, overlapped) {
        Err(Code::FILE_NOT_FOUND) => open_at_gate(name, wanted, Whose::Anybodys, spin, overlapped),
        // Its server may be in another PID namespace.
        Err(Code::ACCESS_DENIED) => {
            gate::instead_of_5(open_at_gate(name, wanted, Whose::Own, spin, overlapped))
        }
        result => result,
    }
}

/// The end of a pipe that another user serves, or this one where its board cannot be reached.
fn open_at_gate(
    name: &PipeName,
    wanted: u32,
    whose: Whose,
    spin: Spin,
    overlapped: bool,
) -> Result<(Visit, u32), Code> {
    let Opened { end, answer, server } = gate::call::open(name, wanted, whose)?;
    // What the server wrote is what it sees, perhaps from another PID namespace; nobody reads it but this end.
    end.words().client_pid.store(me().process, Ordering::Relaxed);
    let known = Known::of_answer(&answer)?;
    let rights = client_rights(wanted, answer.access)?;
    let mut visit = Visit::new(end, known, 0, overlapped);
    visit.server = Some(server);
    visit.set_spin(spin);
    Ok((visit, rights))
}

/// The end of a pipe of this user.
fn open_own(name: &PipeName, wanted: u32, spin: Spin, overlapped: bool) -> Result<(Visit, u32), Code> {
    loop {
        let asked = transom_core::access::Kind::Pipe.map_generic(wanted);
        let (known, remembered) = Known::find(name, asked)?;
        let rights = match client_rights(wanted, known.board().fixed().access) {
            // What is remembered may be a pipe that is gone, with another after it.
            Err(_) if remembered && !known.is_held() => {
                known.forget();
                continue;
            }
            result => result?,
        };
        if let Some(visit) = connect(&known, spin, overlapped)? {
            return Ok((visit, rights));
        }
        if known.is_held() {
            return Err(Code::PIPE_BUSY);
        }
        known.forget();
        if !remembered {
            return Err(Code::FILE_NOT_FOUND);
        }
    }
}

/// Connects to the instance that has listened longest; `None` if none listens.
fn connect(known: &Arc<Known>, spin: Spin, overlapped: bool) -> Result<Option<Visit>, Code> {
    let board = known.board();
    let own = me().process;
    let locked = board.lock();
    spin::show_processor(board.processor_of_client());
    step("board-locked");
    let connected = locked.with_oldest(
        |index| known.is_alive(index),
        |index, offer| {
            if let Some(end) = again(known, &locked, index, offer) {
                return Ok((end, offer.maker));
            }
            let end = known.by_way_to(offer.maker, |way| join(offer, way))?;
            step("client-attached");
            end.words().client_pid.store(own, Ordering::Relaxed);
            // Others that got as far as this were killed.
            end.words().holders_client.store(1, Ordering::Release);
            // Before the change, so that it cannot be lost; who is woken waits for the board.
            locked.knock(index);
            end.ring_connect();
            step("client-rang");
            locked.connect(index, own);
            step("connected-published");
            Ok((end, offer.maker))
        },
    )?;
    drop(locked);
    Ok(connected.map(|(end, maker)| {
        let visit = Visit::new(end, Arc::clone(known), maker, overlapped);
        visit.set_spin(spin);
        visit
    }))
}

/// Connects by a connection that this process and the server have had before; `None` if there is none for this
/// instance.
fn again(known: &Known, locked: &Locked<'_>, index: usize, offer: &Offer) -> Option<End> {
    let board = known.board();
    let message = board.fixed().message_type;
    let tag = board.tag(index)?;
    let fits = |shape: &Shape| shape.message == message && shape_tag(shape.quota_in, shape.quota_out) == tag;
    let end = parked::claim(board.cookie(), offer.maker, fits)?;
    step("client-revived");
    let own = me().process;
    end.words().client_pid.store(own, Ordering::Relaxed);
    end.words().server_pid.store(board.creator(index), Ordering::Relaxed);
    if locked.knock(index)
        && let Ok(ringer) = bell::open_ringer(offer.maker, offer.inbound)
    {
        bell::ring(&ringer, 1);
    }
    locked.connect_again(index, own, &end.segment().cookie());
    step("connected-again");
    Some(end)
}

fn join(offer: &Offer, way: Option<BorrowedFd<'_>>) -> Result<End, Code> {
    let offered = Offered {
        segment: offer.segment,
        to_server: offer.inbound,
        to_client: offer.outbound,
        cookie: offer.cookie,
    };
    join_process(offer.maker, way, &offered)
}

impl Visit {
    fn new(end: End, known: Arc<Known>, maker: u32, overlapped: bool) -> Visit {
        let (handles, spin, attachment) = (AtomicU32::new(0), AtomicU8::new(0), Attachment::new());
        Visit { end: Some(end), known, maker, server: None, handles, overlapped, spin, attachment }
    }

    /// A client end that came from another process, which has it too.
    ///
    /// # Errors
    /// 1392: the parts are not what they should be.
    pub(crate) fn arrive(
        segment: OwnedFd,
        own: OwnedFd,
        peer: OwnedFd,
        board: OwnedFd,
        overlapped: bool,
    ) -> Result<Visit, Code> {
        let known = Known::arrive(board)?;
        let cookie = cookie_of(&segment)?;
        let mut end = End::share(Role::Client, segment, own, peer, &cookie)?;
        if known.board().is_copy() {
            end = end.with_writer();
        }
        parked::never(&end);
        Ok(Visit::new(end, known, 0, overlapped))
    }

    #[inline]
    pub(crate) fn end(&self) -> &End {
        match &self.end {
            Some(end) => end,
            None => unreachable!("the end is taken out only when this is dropped"),
        }
    }

    pub(crate) fn known(&self) -> &Known {
        &self.known
    }

    /// The process that serves it.
    ///
    /// # Errors
    /// 1168: it is in another PID namespace, and has no number here.
    pub(crate) fn server_process(&self) -> Result<u32, Code> {
        match self.server.unwrap_or_else(|| self.end().words().server_pid.load(Ordering::Relaxed)) {
            0 => Err(Code::NOT_FOUND),
            server => Ok(server),
        }
    }

    #[inline]
    pub(crate) fn modes(&self) -> Modes {
        Modes::of_bits(self.end().words().client_mode.load(Ordering::Relaxed))
    }

    pub(crate) fn set_modes(&self, modes: Modes) {
        self.end().words().client_mode.store(modes.bits(), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn spin(&self) -> Spin {
        spin_of(self.spin.load(Ordering::Relaxed))
    }

    pub(crate) fn set_spin(&self, spin: Spin) {
        self.spin.store(number_of(spin), Ordering::Relaxed);
    }

    /// Whether it was opened with `FILE_FLAG_OVERLAPPED`.
    pub(crate) fn is_overlapped(&self) -> bool {
        self.overlapped
    }

    pub(crate) fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// Whether the server has disconnected it.
    pub(crate) fn is_disconnected(&self) -> bool {
        self.end().words().disconnected.load(Ordering::Acquire) != 0
    }

    /// A handle more of this process leads here.
    pub(crate) fn opened(&self) {
        self.handles.fetch_add(1, Ordering::AcqRel);
    }

    /// A handle less; with the last one the end is closed here.
    pub(crate) fn closed(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.end().close();
        }
    }

    /// Its descriptors: segment, own bell, peer's bell.
    pub(crate) fn each_descriptor(&self, mut see: impl FnMut(BorrowedFd<'_>)) {
        let descriptors = self.end().descriptors();
        [descriptors.segment, descriptors.own, descriptors.peer].into_iter().for_each(&mut see);
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Some(end) = self.end.take()
            && !self.known.board().is_copy()
        {
            parked::park(end, self.known.board().cookie(), self.maker);
        }
    }
}

/// Which segment a memory file is, as it says itself: for one that came with a handle, from a process that could as
/// well have sent another.
///
/// # Errors
/// 1392: it is too short for one.
pub(crate) fn cookie_of(segment: &OwnedFd) -> Result<[u8; 16], Code> {
    let mut cookie = [0; 16];
    let at = std::mem::offset_of!(SegmentHeader, cookie) as u64;
    match to_code(dirs::read_at(segment.as_fd(), &mut cookie, at))? {
        16 => Ok(cookie),
        _ => Err(Code::FILE_CORRUPT),
    }
}

/// How ends keep the way they wait: a number that can be changed while they are used.
pub(crate) fn number_of(spin: Spin) -> u8 {
    match spin {
        Spin::Adaptive => 0,
        Spin::Never => 1,
        Spin::Always => 2,
    }
}

/// The reverse of [`number_of`].
#[inline]
pub(crate) fn spin_of(number: u8) -> Spin {
    match number {
        0 => Spin::Adaptive,
        1 => Spin::Never,
        _ => Spin::Always,
    }
}
