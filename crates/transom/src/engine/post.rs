//! The memory of a mailslot in this process, and its two ends ([`transom_core::post`] has the rules).
//!
//! # Sleeping
//! Readers sleep on words in the mailslot's memory ([`doze`](super::doze)); a writer needs no descriptor of theirs, nor
//! they one of its.
//!
//! # Who lives
//! A mailslot lives while somebody holds its name. A writer keeps the entry open, asks that file when it has not for
//! some 20 microseconds, and keeps the byte of its lane's row locked from before the row is taken until after it is
//! given up. So an open row whose byte nobody has locked is that of a dead writer. Nobody waits for a lock of a writer's:
//! there is none.
//!
//! # Safety
//! P1. `pages` maps the whole file, whose size was checked and is sealed (a file of the namespace is not, but its
//!     owner alone can cut it, and then the access fails as one of a view does); it lives as long as the value.
//! P2. What is made of its address are atomics and bytes that are only reached by copies that may race.
#![allow(unsafe_code)]

use std::cell::{Cell, LazyCell};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use transom_core::code::Code;
use transom_core::post::layout::{BLOCKS, BLOCKS_AT, LANES, LANES_AT, LENGTH, OWNERS_AT};
use transom_core::post::{Batch, Description, Header, Lane, Picture, Post, Taken};
use transom_sys::linux::fault::step;
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{fd, futex, lock, memfd, random};

mod outlet;

pub(crate) use outlet::Outlet;

use super::area::Area;
use super::cookie;
use super::doze::Doze;
use super::errno::to_code;
use super::spin::{self, Budget, cycles};
use super::turn::{self, Go, Turn};
use crate::namespace::imp as namespace;

/// Where the locks of writers begin in an entry: away from its content, and before those that keep a name or are
/// locked to remove it (S8).
const WRITER_LOCKS: u64 = 1 << 38;
const _: () = {
    use transom_core::entry::{LOCKS, MAX_SIZE};
    assert!(WRITER_LOCKS > MAX_SIZE as u64 && WRITER_LOCKS + LANES as u64 <= LOCKS);
};

/// Nanoseconds for which a writer waits for a reader's turn, when lanes or blocks have run out.
const PATIENCE: u64 = 10_000_000;

/// Lanes of which it is asked by the way whether their writers live.
const FEW: usize = 8;

/// Cycles for which a reader of a stream that has caught up keeps away from the writers' cache lines, two microseconds:
/// some dozens of messages come together meanwhile.
const AWAY: u64 = spin::SHORT / 10;

/// Bytes of memory that are kept for the next time that messages are taken together, at the most.
const SPARE: usize = 128 << 10;

/// Cycles between two times that a reader asks whether writers live.
const SELDOM: u64 = 50 * spin::SHORT;

/// Nanoseconds after which a read that does not wait, or not that long, gives up waiting for another reader: long
/// enough to find out that there is none (see [`turn`]).
const OTHERS: u64 = 3_000_000_000;

/// A mailslot, mapped.
#[derive(Debug)]
pub(crate) struct Mailbox {
    file: OwnedFd,
    description: Description,
    blocks: Area,
    // Last: what points into it goes first.
    pages: SharedPages,
}

impl Mailbox {
    /// Makes `file`, which is empty, into a mailslot; `seal` where it is a memory file.
    ///
    /// # Errors
    /// 8, 112: no memory.
    pub(crate) fn create(
        file: OwnedFd,
        cookie: &[u8; 16],
        longest: u32,
        timeout: u32,
        seal: bool,
    ) -> Result<Mailbox, Code> {
        to_code(memfd::set_size(&file, LENGTH))?;
        if seal {
            to_code(memfd::seal_size(&file))?;
        }
        let description = Description { cookie: cookie::words(cookie), longest };
        let mailbox = Mailbox::map(file, description)?;
        mailbox.header().timeout().store(timeout, Ordering::Relaxed);
        mailbox.header().describe(&description);
        step("mailslot-described");
        Ok(mailbox)
    }

    /// The mailslot of a file that another process made. `sealed`: it must be a memory file that nobody can cut short.
    ///
    /// # Errors
    /// 1392: it is no mailslot. 8: no room for the mapping.
    pub(crate) fn open(file: OwnedFd, sealed: bool) -> Result<Mailbox, Code> {
        let (_, _, size) = to_code(fd::identity(&file))?;
        if size != LENGTH || sealed && !memfd::is_size_sealed(file.as_fd()) {
            return Err(Code::FILE_CORRUPT);
        }
        let mut mailbox = Mailbox::map(file, Description { cookie: [0; 2], longest: 0 })?;
        mailbox.description = mailbox.header().check().map_err(|_| Code::FILE_CORRUPT)?;
        Ok(mailbox)
    }

    fn map(file: OwnedFd, description: Description) -> Result<Mailbox, Code> {
        let length = usize::try_from(LENGTH).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        let pages = to_code(SharedPages::map(&file, length))?;
        // SAFETY: P1, P2: the blocks lie in the mapping from there to its end.
        let blocks = unsafe { Area::new(pages.address() + BLOCKS_AT, length - BLOCKS_AT) };
        Ok(Mailbox { file, description, blocks, pages })
    }

    #[inline]
    fn post(&self) -> Post<'_, Area> {
        let base = self.pages.address();
        // SAFETY: P1, P2: the three parts lie in the mapping, at multiples of their alignment, and consist of atomics
        // only; all bit patterns are good.
        let (header, lanes, owners) = unsafe {
            (
                &*(base as *const Header),
                std::slice::from_raw_parts((base + LANES_AT) as *const Lane, LANES),
                std::slice::from_raw_parts((base + OWNERS_AT) as *const AtomicU32, BLOCKS),
            )
        };
        Post::new(header, lanes, owners, &self.blocks)
    }

    #[inline]
    pub(crate) fn header(&self) -> &Header {
        self.post().header()
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Bytes of the longest message; 0 = any.
    pub(crate) fn longest(&self) -> u32 {
        self.description.longest
    }

    #[inline]
    fn doze(&self) -> Doze<'_> {
        let header = self.header();
        Doze::new(header.word(), header.death())
    }

    /// Gets memory for an extent, so that writing into it cannot fail.
    fn reserve(&self, (offset, length): (usize, usize)) -> bool {
        memfd::reserve_range(&self.file, (BLOCKS_AT + offset) as u64, length as u64).is_ok()
    }

    /// As [`Mailbox::reserve`], for an extent that is about to be filled: its pages are mapped by one call, which is less
    /// than a fault for each of them takes.
    fn prepare(&self, (offset, length): (usize, usize)) -> bool {
        let reserved = self.reserve((offset, length));
        if reserved {
            // Where the kernel cannot (before Linux 5.14), there are faults.
            let _ = self.pages.populate(BLOCKS_AT + offset, length);
        }
        reserved
    }

    /// Frees what killed writers left, as far as it has been read; `own` is a lane of the entry's open file itself. A
    /// reader that is stopped in the middle of its turn is not waited for long (S10).
    fn sweep(&self, entry: BorrowedFd<'_>, own: Option<usize>) {
        let limit = futex::now() + PATIENCE;
        if let Some(_reading) = take(self.header().read_turn(), || Go::On(Some(limit))) {
            self.free_dead(entry, 0..LANES, LANES, own);
        }
    }

    /// As [`Mailbox::sweep`], if that takes no time: nobody reads now, and of the lanes only some are looked at.
    fn tidy(&self, entry: BorrowedFd<'_>) {
        if let Some(_reading) = Turn::try_take(self.header().read_turn()) {
            // Others each time.
            let from = cycles() as usize % self.header().high().max(1);
            self.free_dead(entry, from..LANES, FEW, None);
            self.free_dead(entry, 0..from, FEW, None);
        }
    }

    /// Frees drained lanes of killed writers; asks of at most `most` open ones. Under the read turn.
    fn free_dead(&self, entry: BorrowedFd<'_>, rows: Range<usize>, most: usize, own: Option<usize>) {
        let post = self.post();
        let mut asked = 0;
        for (row, lane) in post.lanes().take(rows.end).skip(rows.start) {
            if asked == most {
                return;
            }
            if !lane.is_open() || Some(row) == own {
                continue;
            }
            asked += 1;
            if lock::is_byte_locked(entry, WRITER_LOCKS + row as u64) == Ok(false)
                && post.free_lane(row, true)
            {
                step("lane-freed");
                post.header().disturb();
            }
        }
    }
}

/// A turn, waited for as long as `go` says. Whatever its last owner did not finish: each store left the mailslot as it
/// may be.
#[inline]
fn take(word: &AtomicU32, go: impl FnMut() -> Go) -> Option<Turn<'_>> {
    Turn::try_take(word).or_else(|| Turn::wait(word, go))
}

thread_local! {
    /// How many messages this thread has sent.
    static SENT: Cell<u32> = const { Cell::new(0) };
}

/// The server end as this process has it.
#[derive(Debug)]
pub(crate) struct Inlet {
    mailbox: Mailbox,
    /// The entry, without locks of this process's: to see whether others hold the name.
    entry: OwnedFd,
    picture: Mutex<Picture>,
    /// Memory for [`receive_many`](Inlet::receive_many), not in use.
    spare: Mutex<Batch>,
    handles: AtomicU32,
    closed: AtomicBool,
    /// Changes with each cancellation.
    cancelled: AtomicU32,
    waiting: AtomicU32,
    /// When all lanes were looked at last, in cycles.
    doubted: AtomicU64,
    /// All that was known of has been read.
    drained: AtomicBool,
    /// How long it pays to look before sleeping.
    budget: Budget,
    /// What [`SENT`] was when this was read last.
    sent: AtomicU32,
    /// When it was asked last whether writers live, in cycles.
    inspected: AtomicU64,
}

/// When a wait for a message ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// When one comes.
    Message,
    /// At this moment of CLOCK_MONOTONIC, in nanoseconds.
    Moment(u64),
    /// At once.
    Now,
}

/// A snapshot of a mailslot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Snapshot {
    pub(crate) next: Option<usize>,
    pub(crate) count: u64,
}

impl Inlet {
    pub(crate) fn new(mailbox: Mailbox, entry: OwnedFd) -> Inlet {
        let owner = u64::from_le_bytes(random::cookie()[..8].try_into().unwrap_or_default());
        Inlet {
            mailbox,
            entry,
            picture: Mutex::new(Picture::new(owner)),
            spare: Mutex::new(Batch::default()),
            handles: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            cancelled: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            doubted: AtomicU64::new(0),
            drained: AtomicBool::new(false),
            budget: Budget::new(),
            sent: AtomicU32::new(0),
            inspected: AtomicU64::new(0),
        }
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    fn picture(&self) -> MutexGuard<'_, Picture> {
        self.picture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn spare(&self) -> MutexGuard<'_, Batch> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with what there is to read, under the read turn. `None`: another reader has it for too long.
    fn reading<T>(
        &self,
        go: impl FnMut() -> Go,
        work: impl FnOnce(&mut Picture, &Post<'_, Area>, &mut dyn FnMut(usize)) -> T,
    ) -> Option<T> {
        let mut ended = Vec::new();
        let mut picture = self.picture();
        let _turn = take(self.mailbox.header().read_turn(), go)?;
        let post = self.mailbox.post();
        let result = work(&mut picture, &post, &mut |row| ended.push(row));
        self.drained.store(picture.is_drained(), Ordering::Relaxed);
        for row in ended {
            post.free_lane(row, false);
        }
        Some(result)
    }

    /// ReadFile: takes the oldest message.
    ///
    /// # Errors
    /// 121: none in time. 122: it is longer than the buffer. 995: cancelled. 6: closed.
    pub(crate) fn receive(&self, buffer: &mut [u8], until: Until) -> Result<usize, Code> {
        self.receive_unless(buffer, until, &AtomicBool::new(false))
    }

    /// [`receive`](Self::receive), which ends with 995 as well when `stop` is set and [`stir`](Self::stir) called.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub(crate) fn receive_unless(
        &self,
        buffer: &mut [u8],
        until: Until,
        stop: &AtomicBool,
    ) -> Result<usize, Code> {
        self.wait_for(until, stop, |picture, post, ended| match picture.take(post, buffer, ended) {
            Taken::Message(length) => Ok(Some(length)),
            Taken::Small(_) => Err(Code::INSUFFICIENT_BUFFER),
            Taken::Empty => Ok(None),
        })
    }

    /// Waits as [`receive`](Self::receive) does until there is a message, and leaves it.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), never 122.
    pub(crate) fn await_message(&self, until: Until, stop: &AtomicBool) -> Result<(), Code> {
        self.wait_for(until, stop, |picture, post, ended| Ok(picture.next(post, ended).map(drop)))
    }

    /// Takes all that is there, at most `most` messages, and calls `each` with them.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), never 122.
    pub(crate) fn receive_many(
        &self,
        most: usize,
        until: Until,
        each: &mut dyn FnMut(&[u8]),
    ) -> Result<usize, Code> {
        if most == 0 {
            return Ok(0);
        }
        let mut batch = std::mem::take(&mut *self.spare());
        let mut count = 0;
        let result = loop {
            let now = if count == 0 { until } else { Until::Now };
            // So many at a time are taken under the turn before they are handed out.
            let left = (most - count).min(256);
            batch.clear();
            let taken = self.wait_for(now, &AtomicBool::new(false), |picture, post, ended| {
                picture.take_many(post, &mut batch, (left, 1 << 20), ended);
                Ok((!batch.is_empty()).then_some(()))
            });
            match taken {
                Ok(()) => {}
                Err(_) if count > 0 => break Ok(count),
                Err(code) => break Err(code),
            }
            batch.messages().for_each(&mut *each);
            count += batch.len();
            if count == most || self.drained.load(Ordering::Relaxed) {
                break Ok(count);
            }
        };
        if batch.capacity() <= SPARE {
            *self.spare() = batch;
        }
        result
    }

    fn wait_for<T>(
        &self,
        until: Until,
        stop: &AtomicBool,
        mut work: impl FnMut(&mut Picture, &Post<'_, Area>, &mut dyn FnMut(usize)) -> Result<Option<T>, Code>,
    ) -> Result<T, Code> {
        let round = self.cancelled.load(Ordering::SeqCst);
        let now = LazyCell::new(futex::now);
        let ended = || {
            if self.closed.load(Ordering::SeqCst) {
                return Some(Code::INVALID_HANDLE);
            }
            let over = stop.load(Ordering::SeqCst) || self.cancelled.load(Ordering::SeqCst) != round;
            over.then_some(Code::OPERATION_ABORTED)
        };
        // S23: what is there is had at once; but who does not want to wait does not wait for a stopped process either.
        let limit = |until| match until {
            Until::Message => None,
            Until::Moment(moment) => Some(moment.max(*now + OTHERS)),
            Until::Now => Some(*now + OTHERS),
        };
        let mut look = |doubt: bool| {
            let go = || if ended().is_some() { Go::Stop } else { Go::On(limit(until)) };
            let looked = self.reading(go, |picture, post, ended| {
                if doubt {
                    picture.doubt(post);
                }
                work(picture, post, ended)
            });
            looked.unwrap_or_else(|| Err(ended().unwrap_or(Code::SEM_TIMEOUT)))
        };
        if !matches!(until, Until::Now) && self.drained.load(Ordering::Relaxed) {
            self.learn();
            if self.budget.is_stream() && !self.is_in_the_way() {
                spin::pass(AWAY);
            }
        }
        if let Some(found) = look(false)? {
            return Ok(found);
        }
        if let Until::Now = until {
            return if self.is_time_to_doubt()
                && let Some(found) = look(true)?
            {
                Ok(found)
            } else {
                Err(Code::SEM_TIMEOUT)
            };
        }
        let begun = cycles();
        if self.budget.spin(begun, self.is_in_the_way(), || self.picture().has_news(&self.mailbox.post()))
            && let Some(found) = look(false)?
        {
            return Ok(found);
        }
        let deadline = match until {
            Until::Moment(moment) => Some(moment),
            _ => None,
        };
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let doze = self.mailbox.doze();
        let result = loop {
            // Before the look at what ends it: who cancels after that wakes this one.
            let seen = doze.announce();
            if let Some(code) = ended() {
                break Err(code);
            }
            match look(true) {
                Ok(Some(found)) => break Ok(found),
                Ok(None) => {}
                Err(code) => break Err(code),
            }
            if deadline.is_some_and(|at| futex::now() >= at) {
                break Err(Code::SEM_TIMEOUT);
            }
            self.inspect();
            doze.sleep(seen, deadline);
        };
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        self.budget.slept(begun);
        result
    }

    /// Whether whoever wrote last needs this processor.
    fn is_in_the_way(&self) -> bool {
        spin::is_where(self.picture().processor(&self.mailbox.post()))
    }

    /// Whether a look at all lanes is due for a program that only ever asks without waiting.
    fn is_time_to_doubt(&self) -> bool {
        let now = cycles();
        let due = now.wrapping_sub(self.doubted.load(Ordering::Relaxed)) >= spin::SHORT;
        if due {
            self.doubted.store(now, Ordering::Relaxed);
        }
        due
    }

    /// Whether this thread has sent something since it read here last: then what comes may be an answer.
    fn learn(&self) {
        let sent = SENT.get();
        if self.sent.swap(sent, Ordering::Relaxed) != sent {
            self.budget.answered();
        }
    }

    /// Asks of some lanes whether their writers live, and frees those of the dead; called when this process is about to
    /// sleep, and does nothing if it has slept a moment ago.
    fn inspect(&self) {
        let now = cycles();
        if now.wrapping_sub(self.inspected.load(Ordering::Relaxed)) < SELDOM {
            return;
        }
        self.inspected.store(now, Ordering::Relaxed);
        self.mailbox.tidy(self.entry.as_fd());
    }

    /// GetMailslotInfo.
    ///
    /// # Errors
    /// 121: another process has been reading for three seconds.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Code> {
        let limit = futex::now() + OTHERS;
        self.reading(
            || Go::On(Some(limit)),
            |picture, post, ended| {
                let mut next = picture.next(post, ended);
                let count = post.count();
                if next.is_none() && count > 0 {
                    // Published by a writer that was killed before it said so, or just now.
                    picture.doubt(post);
                    next = picture.next(post, ended);
                }
                Ok(Snapshot { next, count: count.max(u64::from(next.is_some())) })
            },
        )
        .unwrap_or(Err(Code::SEM_TIMEOUT))
    }

    /// Makes the waits of all processes look again.
    pub(crate) fn stir(&self) {
        self.mailbox.doze().rouse();
        turn::stir(self.mailbox.header().read_turn());
    }

    /// Ends the waits of this process with 995; false if there is none.
    pub(crate) fn cancel(&self) -> bool {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return false;
        }
        self.cancelled.fetch_add(1, Ordering::SeqCst);
        self.stir();
        true
    }

    pub(crate) fn opened(&self) {
        self.handles.fetch_add(1, Ordering::SeqCst);
        self.closed.store(false, Ordering::SeqCst);
    }

    /// A handle is closed. Its hold goes after this.
    pub(crate) fn closed(&self) {
        if self.handles.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.closed.store(true, Ordering::SeqCst);
            self.stir();
        }
    }

    /// The hold of the last handle is gone: if nobody else holds the name, writers are told at once.
    pub(crate) fn after_closing(&self) {
        if self.closed.load(Ordering::SeqCst) && !namespace::is_held(self.entry.as_fd()) {
            self.mailbox.header().closed().store(1, Ordering::SeqCst);
        }
    }
}

/// What waits in a mailslot, in a few words for people; `None` if it is no mailslot.
pub(crate) fn describe(memory: OwnedFd) -> Option<String> {
    let sealed = memfd::is_size_sealed(memory.as_fd());
    let mailbox = Mailbox::open(memory, sealed).ok()?;
    Some(match mailbox.post().count() {
        0 => "empty".to_owned(),
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    })
}
