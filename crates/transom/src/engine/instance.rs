//! The server end of an instance of a named pipe, as this process has it.
//!
//! An instance is a slot on the name's board. Its connection (an [`End`]) changes with every ConnectNamedPipe, and
//! another process that has the same end may be the one that changes it. So each operation compares the slot's word
//! with the one that its end belongs to: two loads, no lock. If they differ, [`Instance::settle`] finds out what
//! happened, under the instance's own lock.
//!
//! | the slot says | and then |
//! | --- | --- |
//! | connected, this end's generation | go on; the first time the end is told that it is connected |
//! | connected, another generation | another process listened again: its segment is opened through `/proc` |
//! | listening, disconnected | [`at_once`] knows the code |
//! | free | the end was closed |
//!
//! ```text
//!  one of: Listening ─ client ─► Connected       client: under the board's lock, and it rings before that
//!          any ─ listen() ─► Listening           fresh segment, generation + 1, fresh stamp
//!          any ─ disconnect() ─► Disconnected
//!          any ─ last handle of the last process ─► Free
//! ```

use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use transom_core::board::{SlotState, Word, shape_tag};
use transom_core::code::Code;
use transom_core::name::PipeName;
use transom_core::pipe::{Modes, Operation, Plan, Role, State, Verdict, at_once};
use transom_core::security::Security;
use transom_sys::linux::fault::step;
use transom_sys::linux::{bell, procfs};

use super::board::{Board, Offer};
use super::channel::End;
use super::current::{Current, Inside};
use super::errno::with_room;
use super::owner::me;
use super::parked;
use super::segment::Shape;
use super::served::Served;
use super::spin::{Budget, Spin};
use super::table::Attachment;
use super::visit::{cookie_of, number_of, spin_of};
use crate::namespace::imp::Hold;

mod connect;

/// A connection, and the word of the slot with which it may be used.
#[derive(Debug)]
pub(crate) struct Attached {
    /// Taken out only when this is dropped.
    end: Option<End>,
    /// Whose pipe it is.
    board: Arc<Board>,
    generation: u32,
    /// What the slot says when this end is connected; 0, which no connected slot says, until that was seen.
    word: AtomicU64,
}

impl Attached {
    fn new(end: End, generation: u32, board: &Arc<Board>) -> Attached {
        Attached { end: Some(end), board: Arc::clone(board), generation, word: AtomicU64::new(0) }
    }

    #[inline]
    pub(crate) fn end(&self) -> &End {
        match &self.end {
            Some(end) => end,
            None => unreachable!("the end is taken out only when this is dropped"),
        }
    }

    /// Which of the slot's segments it is.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }
}

impl Drop for Attached {
    /// Nobody in this process uses the connection any more.
    fn drop(&mut self) {
        let Some(end) = self.end.take() else { return };
        if self.board.met_strangers() {
            // What its words say may be the work of somebody who is not to see the next client's data.
            return;
        }
        let unused = end.is_listening() && !end.is_closed();
        if unused && end.words().disconnected.load(Ordering::Acquire) == 0 {
            parked::keep_spare(end, self.board.cookie());
        } else {
            parked::park(end, self.board.cookie(), me().process);
        }
    }
}

/// A server end.
#[derive(Debug)]
pub(crate) struct Instance {
    current: Current<Attached>,
    board: Arc<Board>,
    index: usize,
    /// `None` once the end is closed here.
    served: Mutex<Option<Arc<Served>>>,
    /// Taken by whoever changes what is above.
    changing: Mutex<()>,
    shape: Shape,
    /// How many handles of this process lead here.
    handles: AtomicU32,
    closed: AtomicBool,
    overlapped: bool,
    spin: AtomicU8,
    attachment: Attachment,
    /// Threads that wait for a client, and how often they were all sent away.
    waiting: AtomicU32,
    cancels: AtomicU32,
    budget: Arc<Budget>,
}

/// What ConnectNamedPipe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    /// A client came meanwhile.
    During,
    /// A client was there.
    Already,
    /// A client was there and has left.
    Left,
}

/// What a server end is to be.
pub(crate) struct Blueprint<'a> {
    pub(crate) name: &'a PipeName,
    pub(crate) plan: Plan,
    pub(crate) quota_in: u32,
    pub(crate) quota_out: u32,
    pub(crate) default_timeout: u32,
    pub(crate) security: Security,
    pub(crate) spin: Spin,
}

/// What belongs to a server end that came from another process.
pub(crate) struct Parts {
    pub(crate) segment: OwnedFd,
    pub(crate) own: OwnedFd,
    pub(crate) peer: OwnedFd,
    pub(crate) board: OwnedFd,
    pub(crate) hold: Hold,
    pub(crate) index: usize,
    pub(crate) generation: u32,
    pub(crate) overlapped: bool,
    /// Whoever sent it has counted this process already.
    pub(crate) lent: bool,
}

fn offer_of(end: &End) -> Offer {
    let offered = end.offered();
    Offer {
        maker: me().process,
        segment: offered.segment,
        inbound: offered.to_server,
        outbound: offered.to_client,
        cookie: offered.cookie,
    }
}

impl Instance {
    /// CreateNamedPipe: an instance that listens.
    ///
    /// # Errors
    /// 231, 5, 87 as [`Plan::admit`] says; those of the namespace; 4, 8, 1450: no room.
    pub(crate) fn create(blueprint: Blueprint<'_>) -> Result<Instance, Code> {
        let Blueprint { name, plan, default_timeout, security, .. } = blueprint;
        let (served, existed) = Served::create(name, &plan, default_timeout, security)?;
        let board = Arc::clone(served.board());
        let fixed = *board.fixed();
        if existed {
            admit(&served, &plan)?;
        }
        let message = if existed { fixed.message_type } else { plan.message_type };
        let shape = Shape { message, quota_in: blueprint.quota_in, quota_out: blueprint.quota_out };
        let end = new_end(&shape, &board)?;
        end.words().server_pid.store(me().process, Ordering::Relaxed);
        let offer = offer_of(&end);
        step("segment-made");
        let (index, word) = {
            let locked = board.lock();
            // Others may have been quicker since it was counted.
            let instances = board.instances().count() as u32;
            if existed && fixed.with_instances(instances).is_full() {
                return Err(Code::PIPE_BUSY);
            }
            let index = locked.free_slot().ok_or(Code::NO_SYSTEM_RESOURCES)?;
            served.keep(index)?;
            step("place-taken");
            let tag = shape_tag(shape.quota_in, shape.quota_out);
            locked.begin(index, me().process, plan.modes, tag);
            (index, locked.listen(index, &offer, false))
        };
        step("listening-published");
        served.announce();
        let instance = Instance {
            current: Current::new(Attached::new(end, word.generation, &board)),
            budget: Arc::clone(served.budget()),
            board,
            index,
            served: Mutex::new(Some(served)),
            changing: Mutex::new(()),
            shape,
            handles: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            overlapped: plan.overlapped,
            spin: AtomicU8::new(number_of(blueprint.spin)),
            attachment: Attachment::new(),
            waiting: AtomicU32::new(0),
            cancels: AtomicU32::new(0),
        };
        Ok(instance)
    }

    /// A server end that came from another process, which has it too.
    ///
    /// # Errors
    /// 6: the parts are not what they should be.
    pub(crate) fn arrive(parts: Parts) -> Result<Instance, Code> {
        let served = Served::arrive(parts.hold, parts.board)?;
        served.keep(parts.index)?;
        let board = Arc::clone(served.board());
        let cookie = cookie_of(&parts.segment);
        let made =
            cookie.and_then(|cookie| End::share(Role::Server, parts.segment, parts.own, parts.peer, &cookie));
        let end = match made {
            Ok(end) => end,
            Err(code) => {
                served.let_go(parts.index, true);
                return Err(code);
            }
        };
        parked::never(&end);
        board.lock().share(parts.index);
        if parts.lent {
            end.words().holders_server.fetch_sub(1, Ordering::AcqRel);
        }
        Ok(Instance {
            shape: end.segment().shape(),
            current: Current::new(Attached::new(end, parts.generation, &board)),
            budget: Arc::clone(served.budget()),
            board,
            index: parts.index,
            served: Mutex::new(Some(served)),
            changing: Mutex::new(()),
            handles: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            overlapped: parts.overlapped,
            spin: AtomicU8::new(0),
            attachment: Attachment::new(),
            waiting: AtomicU32::new(0),
            cancels: AtomicU32::new(0),
        })
    }

    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    /// The slot's number.
    pub(crate) fn index(&self) -> usize {
        self.index
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    /// What keeps the name, while the end is open here.
    pub(crate) fn served(&self) -> Option<Arc<Served>> {
        self.served.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connection as it is, for handing it on and for what asks no state.
    pub(crate) fn attached(&self) -> Inside<'_, Attached> {
        self.current.enter()
    }

    #[inline]
    pub(crate) fn modes(&self) -> Modes {
        Modes::of_bits(self.board.modes(self.index).load(Ordering::Relaxed))
    }

    pub(crate) fn set_modes(&self, modes: Modes) {
        let other = |word: u32| Some(word & !Modes::ALL | modes.bits());
        let _ = self.board.modes(self.index).fetch_update(Ordering::Relaxed, Ordering::Relaxed, other);
    }

    /// Another process is about to get this end too.
    pub(crate) fn share(&self) {
        self.board.lock().share(self.index);
    }

    #[inline]
    pub(crate) fn spin(&self) -> Spin {
        spin_of(self.spin.load(Ordering::Relaxed))
    }

    pub(crate) fn set_spin(&self, spin: Spin) {
        self.spin.store(number_of(spin), Ordering::Relaxed);
    }

    /// The connection, if the state lets the operation go on.
    #[inline(always)] // As `NamedEnd::connection`.
    pub(crate) fn connection(&self, operation: Operation) -> Result<Inside<'_, Attached>, Verdict> {
        self.as_it_was().map_or_else(|| self.connection_anew(operation), Ok)
    }

    /// The connection, if the slot says what it said last.
    #[inline(always)]
    fn as_it_was(&self) -> Option<Inside<'_, Attached>> {
        let attached = self.current.enter();
        let word = self.board.word(self.index).load(Ordering::Acquire);
        (word == attached.word.load(Ordering::Relaxed)).then_some(attached)
    }

    #[cold]
    fn connection_anew(&self, operation: Operation) -> Result<Inside<'_, Attached>, Verdict> {
        loop {
            self.settle(operation)?;
            if let Some(attached) = self.as_it_was() {
                return Ok(attached);
            }
        }
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state as the slot has it.
    fn state(&self) -> Word {
        self.board.state(self.index)
    }

    #[cold]
    fn settle(&self, operation: Operation) -> Result<(), Verdict> {
        let _changing = self.changing();
        let word = self.state();
        let state = match word.state {
            _ if self.closed.load(Ordering::Acquire) => return Err(Verdict::Fail(Code::BROKEN_PIPE)),
            SlotState::Free => return Err(Verdict::Fail(Code::BROKEN_PIPE)),
            SlotState::Listening => State::Listening,
            SlotState::Disconnected => State::Disconnected,
            SlotState::Connected => return self.attach(word, operation),
        };
        match at_once(operation, state, Role::Server) {
            // No operation on the data goes on in these states.
            Verdict::Go => Err(Verdict::Fail(Code::BAD_PIPE)),
            verdict => Err(verdict),
        }
    }

    /// Makes the end that belongs to a connected slot's word the current one.
    fn attach(&self, word: Word, operation: Operation) -> Result<(), Verdict> {
        {
            let attached = self.current.enter();
            if attached.generation == word.generation {
                attached.end().connected();
                attached.word.store(word.pack(), Ordering::Relaxed);
                return Ok(());
            }
        }
        let offer = self.board.lock().offered(self.index);
        let again = if offer.maker == me().process { parked::take(&offer.cookie) } else { None };
        let found = match again {
            Some(end) => {
                // The client brought a connection that both knew; others find it in this process now.
                self.board.lock().move_segment(self.index, &offer_of(&end));
                Ok(end)
            }
            None => reopen(&offer),
        };
        match found {
            Ok(end) => {
                self.current.replace(Attached::new(end, word.generation, &self.board));
                Ok(())
            }
            Err(code @ (Code::TOO_MANY_OPEN_FILES | Code::NOT_ENOUGH_MEMORY)) => Err(Verdict::Fail(code)),
            // The process that made the segment has ended, and this one never had it: the connection is over.
            Err(_) => Err(match at_once(operation, State::Closing, Role::Server) {
                Verdict::Go => Verdict::Fail(Code::BROKEN_PIPE),
                verdict => verdict,
            }),
        }
    }

    /// Says on the board what the segment says already.
    fn unlist(&self, connected: Word) {
        let _changing = self.changing();
        let locked = self.board.lock();
        if self.state() == connected {
            locked.disconnect(self.index);
        }
    }

    /// DisconnectNamedPipe.
    ///
    /// # Errors
    /// 233: it is disconnected already.
    pub(crate) fn disconnect(&self) -> Result<(), Code> {
        loop {
            if self.state().state == SlotState::Connected
                && let Err(Verdict::Fail(code)) = self.connection(Operation::ClientProcess)
                && matches!(code, Code::TOO_MANY_OPEN_FILES | Code::NOT_ENOUGH_MEMORY)
            {
                return Err(code);
            }
            let _changing = self.changing();
            let attached = self.current.enter();
            let word = self.state();
            match word.state {
                SlotState::Free => return Err(Code::BROKEN_PIPE),
                SlotState::Disconnected => return Err(Code::PIPE_NOT_CONNECTED),
                SlotState::Connected if attached.generation == word.generation => {
                    // The client learns of it first: whoever is killed behind this leaves it cut off.
                    attached.end().disconnect();
                    step("segment-disconnected");
                    self.board.lock().disconnect(self.index);
                }
                // Its process has ended, and with it the connection.
                SlotState::Connected => self.board.lock().disconnect(self.index),
                SlotState::Listening => {
                    {
                        let locked = self.board.lock();
                        if self.state() != word {
                            // A client has just come.
                            continue;
                        }
                        locked.knock(self.index);
                        locked.disconnect(self.index);
                    }
                    // Who waits for a client.
                    attached.end().disconnect();
                }
            }
            step("disconnected");
            return Ok(());
        }
    }

    /// Whether it was made with `FILE_FLAG_OVERLAPPED`.
    pub(crate) fn is_overlapped(&self) -> bool {
        self.overlapped
    }

    pub(crate) fn attachment(&self) -> &Attachment {
        &self.attachment
    }

    /// Whether this process's last handle was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The process that created the instance.
    pub(crate) fn server_process(&self) -> u32 {
        self.board.creator(self.index)
    }

    /// The process that opened the client end (P71).
    ///
    /// # Errors
    /// 1168: none since the instance began to listen.
    pub(crate) fn client_process(&self) -> Result<u32, Code> {
        match self.board.client(self.index) {
            0 => Err(Code::NOT_FOUND),
            client => Ok(client),
        }
    }

    /// The user of that process.
    ///
    /// # Errors
    /// As [`client_process`](Self::client_process).
    pub(crate) fn client_user(&self) -> Result<u32, Code> {
        match self.board.stranger(self.index) {
            Some(user) => Ok(user),
            None => self.client_process().map(|_| transom_sys::linux::process::user()),
        }
    }

    /// How many server ends of the name are open (P12).
    pub(crate) fn count(&self) -> Result<u32, Code> {
        self.served().ok_or(Code::INVALID_HANDLE)?.count()
    }

    /// A handle more of this process leads here.
    pub(crate) fn opened(&self) {
        self.handles.fetch_add(1, Ordering::AcqRel);
    }

    /// A handle less; with the last one the end is closed here.
    pub(crate) fn closed(&self) {
        if self.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.close();
        }
    }

    /// The process ends: what a thread that was stopped for ever has locked stays as it is.
    pub(crate) fn give_up(&self) {
        if self.changing.try_lock().is_ok() {
            self.close();
        }
    }

    fn close(&self) {
        if super::record::is_forked() {
            return;
        }
        let served = {
            let _changing = self.changing();
            if self.closed.swap(true, Ordering::AcqRel) {
                return;
            }
            self.served.lock().unwrap_or_else(PoisonError::into_inner).take()
        };
        if let Some(served) = served {
            // Under the lock, so that of two processes that close at once one sees that it is the last.
            let locked = self.board.lock();
            if !served.let_go(self.index, self.board.tag(self.index).is_none()) {
                locked.free(self.index);
            } else if self.state().state == SlotState::Listening && self.is_offered_here(self.state()) {
                locked.orphan(self.index);
            }
            // Threads that wait for a client, here and in other processes of this end.
            self.stir();
            drop(locked);
            step("slot-freed");
            // Perhaps the last instance of the name here: the name goes before the connection does.
            drop(served);
        }
        self.current.enter().end().close();
    }

    /// Its descriptors: segment, own bell, peer's bell; while it listens, also what it has until there is a client.
    pub(crate) fn each_descriptor(&self, mut see: impl FnMut(BorrowedFd<'_>)) {
        let attached = self.current.enter();
        let descriptors = attached.end().descriptors();
        [descriptors.segment, descriptors.own, descriptors.peer].into_iter().for_each(&mut see);
        attached.end().each_spare(&mut see);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether the plan may be an instance of a name that exists. Instances of killed processes are looked for only if
/// their number matters.
fn admit(served: &Served, plan: &Plan) -> Result<(), Code> {
    let fixed = served.board().fixed();
    let seen = served.board().instances().count() as u32;
    let full = fixed.with_instances(seen).is_full();
    let instances = if full { served.count()? } else { seen };
    plan.admit(&fixed.with_instances(instances))
}

/// The server end of a connection that another process of this end made.
fn reopen(offer: &Offer) -> Result<End, Code> {
    let segment = with_room(|| procfs::open_descriptor(offer.maker, offer.segment, true, true))?;
    let own = with_room(|| bell::open_reader(offer.maker, offer.inbound))?;
    let peer = with_room(|| bell::open_ringer(offer.maker, offer.outbound))?;
    let end = End::share(Role::Server, segment, own, peer, &offer.cookie)?;
    parked::never(&end);
    Ok(end)
}

/// A connection to offer: one that was not used, or a fresh one.
fn new_end(shape: &Shape, board: &Board) -> Result<End, Code> {
    match parked::spare(shape, board.cookie()) {
        Some(end) => Ok(end),
        None => End::offer(shape),
    }
}
