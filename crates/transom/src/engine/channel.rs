//! One end of a connection in this process: two queues, two bells, two lives.
//!
//! ```text
//!   server's End                    segment                      client's End
//!   reads  ◄──────────────── queue in  ◄──────────────────────── writes
//!   writes ────────────────► queue out ────────────────────────► reads
//!   own bell (reader) ◄───── pipe ◄──────────────────────── peer's bell (ringer)
//!   peer's bell (ringer) ──► pipe ─────────────────────────► own bell (reader)
//! ```
//! An operation tries; if it has to wait it looks for a moment, then sleeps at the own bell, with a count in the
//! queue that says so, and tries again. A system call is made for sleeping and for waking somebody who sleeps, and
//! for nothing else.
//!
//! # When the other side is over
//! - in good order: a flag, set by the last holder of the end, who then rings;
//! - killed: the kernel closes its ringer. Sleepers get the end of file; who writes without ever sleeping looks
//!   at the bell when the reader has taken nothing for a while ([`life`]).
//!
//! Whoever finds the other side over looks at the queue once more: what was written before stays readable (P25).
//!
//! # Listening
//! A server end is made before there is a client. Until [`End::connected`] it keeps a write end of its own bell, which
//! would otherwise have none and be at its end. So a client that is killed while it connects is not seen at the
//! bell; it has to ring *before* it changes what the server looks at (see [`End::ring_connect`]).

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering, fence};
use std::sync::{Mutex, PoisonError};

use transom_core::code::Code;
use transom_core::pipe::Role;
use transom_core::ring::layout::{Control, SegmentHeader};
use transom_core::ring::turn::fence_behind_release;
use transom_core::ring::{HeadCache, Queue, TailCache};
use transom_core::time::Timeout;
use transom_sys::linux::fault::step;
use transom_sys::linux::{bell, fd, futex, procfs};

use super::area::Area;
use super::bell::Sleepers;
use super::errno::with_room;
use super::record;
use super::segment::{Segment, Shape};
use super::spin::{Budget, Spin};
use super::turn::{self, Turn};

mod life;
pub(crate) mod loan;
mod read;
mod step;
#[cfg(test)]
mod tests;
mod write;

use life::Watch;
pub(crate) use read::ReadMode;
use step::{A_MOMENT, Operation, Patience, Reason};
pub(crate) use write::{Begun, PendingWrite};

/// Why an operation failed; the codes depend on operation and role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The peer's end was closed: for a read when nothing is left (109), for a write before it began (232).
    PeerClosed,
    /// The peer's end was closed while a write or flush waited (109).
    PeerClosedMeanwhile,
    /// The server disconnected the instance (233).
    Disconnected,
    /// This process closed its last handle (109).
    LocalClosed,
    /// Cancelled (995).
    Cancelled,
    /// The deadline is over.
    TimedOut,
    /// It would have to wait, and must not (`PIPE_NOWAIT`: 232).
    WouldBlock,
    /// A transaction found unread data (231).
    Busy,
    /// The peer wrote nonsense into the shared words.
    Corrupt,
    /// Anything else.
    Code(Code),
}

impl From<Code> for Trouble {
    fn from(code: Code) -> Trouble {
        Trouble::Code(code)
    }
}

impl From<transom_core::ring::Corrupt> for Trouble {
    fn from(_: transom_core::ring::Corrupt) -> Trouble {
        Trouble::Corrupt
    }
}

/// When waiting ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Deadline {
    /// Never.
    #[default]
    Never,
    /// At once: nothing waits.
    Now,
    /// At this time of CLOCK_MONOTONIC, in nanoseconds.
    At(u64),
}

impl From<Timeout> for Deadline {
    fn from(timeout: Timeout) -> Deadline {
        if timeout.is_zero() {
            return Deadline::Now;
        }
        timeout.deadline_nanos(futex::now()).map_or(Deadline::Never, Deadline::At)
    }
}

/// How an operation waits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waiting {
    pub(crate) deadline: Deadline,
    pub(crate) spin: Spin,
}

impl Waiting {
    /// Whether what waits so may also let a moment pass.
    #[inline]
    pub(crate) fn may_pause(&self) -> bool {
        self.deadline != Deadline::Now && self.spin != Spin::Never
    }
}

/// What an armed end is to be rung for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Data came.
    Data,
    /// Written data were consumed.
    Space,
    /// A client came.
    Connect,
}

/// Descriptor numbers that a listening server shows to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offered {
    pub(crate) segment: RawFd,
    /// The server's bell, which the client rings.
    pub(crate) to_server: RawFd,
    /// The client's bell.
    pub(crate) to_client: RawFd,
    pub(crate) cookie: [u8; 16],
}

/// What another process needs to have this end too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Descriptors<'a> {
    pub(crate) segment: BorrowedFd<'a>,
    pub(crate) own: BorrowedFd<'a>,
    pub(crate) peer: BorrowedFd<'a>,
}

/// What has gone through an end since it was connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counters {
    /// Bytes that this end read, or that were taken back before.
    pub(crate) bytes_in: u64,
    /// Messages that this end read.
    pub(crate) messages_in: u64,
    /// Bytes that this end wrote.
    pub(crate) bytes_out: u64,
    /// Writes of this end.
    pub(crate) messages_out: u64,
    /// Bytes that this end has not read yet.
    pub(crate) unread_in: u64,
    /// Bytes that the peer has not read yet.
    pub(crate) unread_out: u64,
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct End {
    segment: Segment,
    role: Role,
    sleepers: Sleepers,
    peer: OwnedFd,
    /// The peer's bell may only be written, which takes care.
    quiet: bool,
    /// While listening.
    spare: Mutex<Option<Spare>>,
    listening: AtomicU32,
    closed: AtomicU32,
    cancels: AtomicU32,
    head: HeadCache,
    tail: TailCache,
    for_data: Budget,
    for_space: Budget,
    watch: Watch,
}

/// What a server's end has until there is a client, which takes it from here.
#[derive(Debug)]
struct Spare {
    /// Of its own bell, which would otherwise have no write end and be at its end.
    ringer: OwnedFd,
    /// Of the client's bell.
    reader: OwnedFd,
}

impl End {
    /// The server's end of a connection that has no client yet.
    ///
    /// # Errors
    /// 4, 8, 1450, 112.
    pub(crate) fn offer(shape: &Shape) -> Result<End, Code> {
        let segment = Segment::create(shape)?;
        let (own, ringer) = with_room(bell::create)?;
        let (reader, writer) = with_room(bell::create)?;
        let words = segment.words();
        let quiet = bell::is_ringer(&own, &ringer) && bell::is_ringer(&reader, &writer);
        let peer = if quiet { writer } else { with_room(|| bell::reopen_ringer(&reader))? };
        if quiet {
            words.bell_to_ring.store(ringer.as_raw_fd() as u32 + 1, Ordering::Relaxed);
        }
        words.bell_to_sleep.store(reader.as_raw_fd() as u32 + 1, Ordering::Relaxed);
        words.holders_server.store(1, Ordering::Release);
        step("offer-made");
        let mut end = End::new(segment, Role::Server, own, peer, Some(Spare { ringer, reader }));
        end.quiet = quiet;
        Ok(end)
    }

    /// The client's end of what a server offers. `own` was opened by [`bell::open_reader`], `peer` by
    /// [`bell::open_ringer`].
    ///
    /// # Errors
    /// As [`Segment::attach`].
    pub(crate) fn join(file: OwnedFd, own: OwnedFd, peer: OwnedFd, cookie: &[u8; 16]) -> Result<End, Code> {
        End::share(Role::Client, file, own, peer, cookie)
    }

    /// An end that another process has as well, or had.
    ///
    /// # Errors
    /// As [`Segment::attach`].
    pub(crate) fn share(
        role: Role,
        file: OwnedFd,
        own: OwnedFd,
        peer: OwnedFd,
        cookie: &[u8; 16],
    ) -> Result<End, Code> {
        Ok(End::of(Segment::attach(file, cookie)?, role, own, peer))
    }

    fn of(segment: Segment, role: Role, own: OwnedFd, peer: OwnedFd) -> End {
        let end = End::new(segment, role, own, peer, None);
        end.holders().fetch_add(1, Ordering::AcqRel);
        end
    }

    /// For a client whose ringer can only be written: [`bell::open_writer`], [`bell::is_ringer`].
    pub(crate) fn with_writer(mut self) -> End {
        self.quiet = true;
        self
    }

    fn new(segment: Segment, role: Role, own: OwnedFd, peer: OwnedFd, spare: Option<Spare>) -> End {
        let end = End {
            segment,
            role,
            sleepers: Sleepers::new(own),
            peer,
            quiet: false,
            listening: AtomicU32::new(u32::from(spare.is_some())),
            spare: Mutex::new(spare),
            closed: AtomicU32::new(0),
            cancels: AtomicU32::new(0),
            head: HeadCache::new(),
            tail: TailCache::new(),
            for_data: Budget::new(),
            for_space: Budget::new(),
            watch: Watch::new(),
        };
        end.show_processor();
        end
    }

    /// As new, for another connection over the same memory and bells. For an end that was closed and that nobody
    /// else in this process knows; its segment was made as new by the side that began.
    ///
    /// False if nobody is at the other side any more.
    pub(crate) fn revive(&mut self) -> bool {
        // Looking costs less than taking, for which a reader that was opened by its name has to be opened again.
        let look = |end: &End| bell::wait(end.sleepers.reader(), &[], Some(0)).unwrap_or_default();
        let mut ready = look(self);
        while ready.bell
            && matches!(bell::take(self.sleepers.reader(), bell::MOST), Ok(bell::Woken::Tokens(_)))
        {
            ready = look(self);
        }
        self.head.reset();
        self.tail.reset();
        self.closed.store(0, Ordering::Relaxed);
        self.watch.reset();
        self.show_processor();
        self.holders().fetch_add(1, Ordering::AcqRel);
        !ready.gone
    }

    pub(crate) fn role(&self) -> Role {
        self.role
    }

    pub(crate) fn segment(&self) -> &Segment {
        &self.segment
    }

    /// The words on use alone.
    #[inline]
    pub(crate) fn words(&self) -> &SegmentHeader {
        self.segment.words()
    }

    /// What a listening server shows to clients.
    pub(crate) fn offered(&self) -> Offered {
        Offered {
            segment: self.segment.descriptor().as_raw_fd(),
            to_server: self.sleepers.reader().as_raw_fd(),
            to_client: self.peer.as_raw_fd(),
            cookie: self.segment.cookie(),
        }
    }

    /// What another process needs to have this end too.
    pub(crate) fn descriptors(&self) -> Descriptors<'_> {
        Descriptors {
            segment: self.segment.descriptor(),
            own: self.sleepers.reader(),
            peer: self.peer.as_fd(),
        }
    }

    /// Whether this is a server end that has not been told of a client.
    #[inline]
    pub(crate) fn is_listening(&self) -> bool {
        self.listening.load(Ordering::Acquire) != 0
    }

    /// A client is there: from now on its death shows at the bell. Again and again is allowed.
    #[inline]
    pub(crate) fn connected(&self) {
        if self.is_listening() {
            self.let_spare_go();
        }
    }

    /// Sees what nobody but a listening end has.
    pub(crate) fn each_spare(&self, mut see: impl FnMut(BorrowedFd<'_>)) {
        if let Ok(spare) = self.spare.try_lock()
            && let Some(spare) = &*spare
        {
            [&spare.ringer, &spare.reader].into_iter().for_each(|spare| see(spare.as_fd()));
        }
    }

    #[cold]
    fn let_spare_go(&self) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        drop(spare.take());
        self.listening.store(0, Ordering::Release);
    }

    /// By the client, before it changes what the server will look at: wakes it. Killed after that, the change has
    /// happened or not; either way the server looks, and waits for the client's turn to be over when it does.
    pub(crate) fn ring_connect(&self) {
        ring_connect(self.words(), |count| self.ring_peer(count));
    }

    /// Writes tokens into the peer's bell.
    fn ring_peer(&self, count: u32) {
        if self.quiet {
            bell::ring_quietly(&self.peer, count as usize);
        } else {
            bell::ring(&self.peer, count as usize);
        }
    }

    /// The queue this end reads from.
    #[inline]
    fn incoming(&self) -> (&Control, Queue<'_, Area>) {
        let (control, data, shape) = self.segment.queue_read_by(self.role);
        (control, Queue::new(control, data, shape))
    }

    /// The queue this end writes to.
    #[inline]
    fn outgoing(&self) -> (&Control, Queue<'_, Area>) {
        let reader = match self.role {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        let (control, data, shape) = self.segment.queue_read_by(reader);
        (control, Queue::new(control, data, shape))
    }

    /// The data of the queue this end writes to.
    fn outgoing_data(&self) -> &Area {
        match self.role {
            Role::Server => self.segment.queue_read_by(Role::Client).1,
            Role::Client => self.segment.queue_read_by(Role::Server).1,
        }
    }

    /// Whether the process in a row of the table of who waits has ended, as far as can be told.
    fn is_dead(&self, row: u32) -> bool {
        row != NO_ROW && self.segment.is_dead(row)
    }

    /// How many processes have this end; more, if some were killed.
    #[inline]
    fn holders(&self) -> &AtomicU32 {
        match self.role {
            Role::Server => &self.words().holders_server,
            Role::Client => &self.words().holders_client,
        }
    }

    #[inline]
    fn holders_of_peer(&self) -> &AtomicU32 {
        match self.role {
            Role::Server => &self.words().holders_client,
            Role::Client => &self.words().holders_server,
        }
    }

    /// Where a thread of this end was seen last.
    #[inline]
    fn processor(&self) -> &AtomicU32 {
        match self.role {
            Role::Server => &self.words().processor_server,
            Role::Client => &self.words().processor_client,
        }
    }

    #[inline]
    fn processor_of_peer(&self) -> &AtomicU32 {
        match self.role {
            Role::Server => &self.words().processor_client,
            Role::Client => &self.words().processor_server,
        }
    }

    fn is_shared(&self) -> bool {
        self.holders().load(Ordering::Relaxed) > 1
    }

    /// Whether nobody is at the other side any more, as far as this process knows without asking.
    #[inline]
    fn is_peer_over(&self) -> bool {
        self.has_peer_closed() || self.sleepers.is_gone()
    }

    /// Whether the other side closed its end in good order.
    #[inline]
    fn has_peer_closed(&self) -> bool {
        let closed = match self.role {
            Role::Server => &self.words().closed_by_client,
            Role::Client => &self.words().closed_by_server,
        };
        closed.load(Ordering::SeqCst) != 0
    }

    /// Whether the other side is known to have ended without closing.
    #[inline]
    fn was_killed(&self) -> bool {
        self.sleepers.is_gone() && !self.has_peer_closed()
    }

    /// Whether the other side's end is closed: a flag, or one system call.
    pub(crate) fn peer_is_gone(&self) -> bool {
        !self.is_listening() && (self.is_peer_over() || self.sleepers.look_for_ringers())
    }

    /// Wakes the threads of the peer that sleep for `reason`, if there are any. What they wait for was published
    /// before. `other` counts those that sleep at the same bell for another reason.
    ///
    /// Between the publication and this there has to be a fence (invariant 9 of the ring).
    fn ring(&self, reason: &AtomicU32, other: &AtomicU32) {
        if reason.load(Ordering::SeqCst) != 0 {
            self.ring_now(reason, other);
        }
    }

    fn ring_now(&self, reason: &AtomicU32, other: &AtomicU32) {
        if self.is_shared() {
            return self.ring_first(reason, other);
        }
        let mut count = reason.swap(0, Ordering::SeqCst);
        if count == 0 {
            return;
        }
        if self.holders_of_peer().load(Ordering::Relaxed) > 1 {
            // One for each: any of them may take any token (B1).
            count = count.saturating_add(other.swap(0, Ordering::SeqCst));
        } else {
            // Who takes it tells the others of its process.
            count = 1;
        }
        step("before-ring");
        self.ring_peer(count);
        step("rung");
    }

    /// As [`End::ring_now`] where other processes have this end too. If this one is killed the bell is not at its end;
    /// so the first tokens come before the counts are taken. Others may ring at the same time for the same counts,
    /// and sleepers be back already when these are taken, so there are tokens for what was taken as well (B1, B3).
    #[cold]
    fn ring_first(&self, reason: &AtomicU32, other: &AtomicU32) {
        let sum = |count: fn(&AtomicU32) -> u32| count(reason).saturating_add(count(other));
        let asleep = sum(|word| word.load(Ordering::SeqCst));
        step("before-ring");
        self.ring_peer(asleep);
        step("rung");
        let taken = sum(|word| word.swap(0, Ordering::SeqCst));
        if taken > 0 {
            self.ring_peer(taken);
        }
    }

    /// Data are about to be published, with the write turn, by a process that is not alone with its end: if it is killed
    /// between publishing and ringing, neither does the bell end nor does anybody else ring. So it rings before as
    /// well; who is woken too early waits for the turn (see [`End::await_writer`]).
    #[inline]
    fn ring_before(&self) {
        if self.is_shared() {
            self.ring_data();
        }
    }

    /// Data were published.
    fn ring_data(&self) {
        fence(Ordering::SeqCst);
        self.ring_for_data();
    }

    /// As [`End::ring_data`], when the turn is given up. Where others have this end too they have to learn of a death
    /// in between, which only the turn tells them.
    #[inline(always)] // It is the end of every write.
    fn ring_data_behind(&self, turn: Turn<'_>) {
        if self.is_shared() {
            return self.ring_data();
        }
        drop(turn);
        fence_behind_release();
        if self.outgoing().0.asleep_data.load(Ordering::SeqCst) != 0 {
            self.ring_for_data();
        }
    }

    #[cold]
    fn ring_for_data(&self) {
        self.ring(&self.outgoing().0.asleep_data, &self.incoming().0.asleep_space);
    }

    /// Data were consumed.
    fn ring_space(&self) {
        fence(Ordering::SeqCst);
        self.ring_for_space();
    }

    /// As [`End::ring_space`], when the turn is given up; compare [`End::ring_data_behind`].
    #[inline(always)] // It is the end of every read.
    fn ring_space_behind(&self, turn: Turn<'_>) {
        if self.is_shared() {
            return self.ring_space();
        }
        drop(turn);
        fence_behind_release();
        if self.incoming().0.asleep_space.load(Ordering::SeqCst) != 0 {
            self.ring_for_space();
        }
    }

    #[cold]
    fn ring_for_space(&self) {
        self.ring(&self.incoming().0.asleep_space, &self.outgoing().0.asleep_data);
    }

    /// Something that concerns everybody at the other side.
    fn ring_all(&self) {
        let words =
            [&self.outgoing().0.asleep_data, &self.incoming().0.asleep_space, &self.words().connect_asleep];
        let count = words.iter().fold(0u32, |sum, word| sum.saturating_add(word.swap(0, Ordering::SeqCst)));
        if count > 0 {
            self.ring_peer(count);
        }
    }

    /// CancelIoEx(h, NULL): what waits now in this process gets [`Trouble::Cancelled`]; false if nothing does.
    pub(crate) fn cancel(&self) -> bool {
        if !self.sleepers.has_waiters() {
            return false;
        }
        self.cancels.fetch_add(1, Ordering::SeqCst);
        self.stir();
        true
    }

    /// Makes all waiting operations of this process look.
    fn stir(&self) {
        self.sleepers.stir(|| {
            turn::stir(&self.incoming().0.read_turn);
            turn::stir(&self.outgoing().0.write_turn);
        });
    }

    /// DisconnectNamedPipe, by the server: both queues are dead, everybody who waits is told.
    pub(crate) fn disconnect(&self) {
        self.words().disconnected.store(1, Ordering::SeqCst);
        step("disconnected");
        self.ring_all();
        self.stir();
    }

    /// This process's last handle is closed: what waits here ends, and the peer is told if nobody else has the end.
    /// The descriptors go when the value does.
    pub(crate) fn close(&self) {
        if self.closed.swap(1, Ordering::SeqCst) != 0 || record::is_forked() {
            return;
        }
        self.stir();
        self.segment.leave_row();
        step("closing");
        if self.holders().fetch_sub(1, Ordering::SeqCst) <= 1 {
            let closed = match self.role {
                Role::Server => &self.words().closed_by_server,
                Role::Client => &self.words().closed_by_client,
            };
            closed.store(1, Ordering::SeqCst);
            step("closed");
            self.ring_all();
        }
    }

    /// Whether [`End::close`] was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst) != 0
    }

    /// Registers for being rung at [`End::poll_fd`]. Try the operation again after it, and only then poll; a wake-up
    /// uses up what is armed. `demand`: bytes that a pending read will take (P34).
    pub(crate) fn arm(&self, interest: Interest, demand: usize) {
        if interest == Interest::Data && demand > 0 {
            self.incoming().1.demand(demand);
        }
        self.sleepers.arm(self.asleep_word(interest));
    }

    /// Takes back [`End::arm`].
    pub(crate) fn disarm(&self, interest: Interest) {
        if interest == Interest::Data {
            self.incoming().1.demand(0);
        }
        self.sleepers.disarm(self.asleep_word(interest));
    }

    fn asleep_word(&self, interest: Interest) -> &AtomicU32 {
        match interest {
            Interest::Data => &self.incoming().0.asleep_data,
            Interest::Space => &self.outgoing().0.asleep_space,
            Interest::Connect => &self.words().connect_asleep,
        }
    }

    /// A descriptor that is readable when an armed end is to be looked at, and when the peer has gone. For one
    /// thread at a time.
    ///
    /// # Errors
    /// 4: no descriptors.
    pub(crate) fn poll_fd(&self) -> Result<BorrowedFd<'_>, Code> {
        self.sleepers.pollable()
    }

    /// After [`End::poll_fd`] was readable: takes what made it so.
    pub(crate) fn take_token(&self) {
        self.sleepers.take_token(self.is_shared());
    }

    /// What has gone through; zeroes in place of nonsense.
    pub(crate) fn counters(&self) -> Counters {
        let ((incoming, read), (outgoing, written)) = (self.incoming(), self.outgoing());
        let read_totals = incoming.totals().map_or((0, 0), |it| (it.bytes_read, it.messages_read));
        let written_totals = outgoing.totals().map_or((0, 0), |it| (it.bytes_written, it.writes));
        Counters {
            bytes_in: read_totals.0,
            messages_in: read_totals.1,
            bytes_out: written_totals.0,
            messages_out: written_totals.1,
            unread_in: read.unread().unwrap_or(0),
            unread_out: written.unread().unwrap_or(0),
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.close();
    }
}

/// See [`End::ring_connect`]; `ring`: the server's bell.
pub(crate) fn ring_connect(words: &SegmentHeader, ring: impl FnOnce(u32)) {
    let asleep = &words.connect_asleep;
    let count = asleep.load(Ordering::SeqCst);
    if count > 0 {
        // First the token, then the count: killed in between, one looks for nothing. (Who registers meanwhile looks
        // at what this client holds locked.) The other way round nobody would ever be woken for the next client,
        // since a listening bell is not at its end when a client dies.
        step("before-ring");
        ring(count);
        step("rung");
        asleep.store(0, Ordering::SeqCst);
    }
}

/// The row of who has none: nobody takes it for dead.
const NO_ROW: u32 = u32::MAX;

/// The client's end of what the server in a process offers, whose instance must not stop to listen meanwhile.
///
/// Memory and bells are taken as the server has them, by its pidfd, which costs a fraction of opening them by their names
/// in `/proc`. That is done where it gives none, or where taking is not allowed.
///
/// # Errors
/// As [`Segment::attach`]; 4; whatever says that there is no such process or descriptor.
pub(crate) fn join_process(maker: u32, way: Option<BorrowedFd<'_>>, offered: &Offered) -> Result<End, Code> {
    let segment = match way.and_then(|way| fd::take(way, offered.segment).ok()) {
        Some(file) => file,
        None => with_room(|| procfs::open_descriptor(maker, offered.segment, true, true))?,
    };
    let segment = Segment::attach(segment, &offered.cookie)?;
    let take = |word: &AtomicU32| {
        let number = word.load(Ordering::Relaxed).checked_sub(1)?;
        bell::take_over(way?, number as RawFd).ok()
    };
    let own = match take(&segment.words().bell_to_sleep) {
        Some(own) => own,
        None => with_room(|| bell::open_reader(maker, offered.to_client))?,
    };
    let (peer, quiet) = match take(&segment.words().bell_to_ring) {
        Some(peer) => (peer, true),
        None => (with_room(|| bell::open_ringer(maker, offered.to_server))?, false),
    };
    let mut end = End::of(segment, Role::Client, own, peer);
    end.quiet = quiet;
    Ok(end)
}
