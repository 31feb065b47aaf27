//! Where the threads of this process sleep for one end of a connection.
//!
//! # One sleeper for all
//! An end has one bell (see [`transom_sys::linux::bell`]) and its threads may wait for different things: data, space,
//! a client. A token does not say for whom it is, so if all slept at the bell, one that has nothing to gain would
//! take the token of another and sleep again. So only one thread of the process, the *leader*, sleeps at the bell;
//! the others sleep on a word of this process, the *epoch*. Whoever was leader changes the epoch when it gets up, for
//! whatever reason, and so wakes all; each looks for itself, and one of those that sleep again leads.
//!
//! # No wake-up is lost
//! ```text
//!  sleeper                                      ringer
//!  e = epoch                                    publish (SeqCst)
//!  asleep += 1 (SeqCst)                         n = asleep → 0 (SeqCst)
//!  look again                                   if n > 0: write tokens
//!  lead, if epoch is still e, else look
//!  read(2)
//! ```
//! B1. Tokens in the pipe and counts in `asleep` are together never fewer than the processes that sleep.
//! B2. Who leads with the epoch it read before it registered, misses no token: whoever took one since then would
//!     have changed the epoch before it gave the lead up.
//! B3. Counts may be too high, and tokens too many: then somebody looks in vain, once.
//!
//! # An end that several processes have
//! There the leaders of the processes compete for tokens. A leader for whom there was nothing passes the token on:
//! it rings its own bell and keeps away from it for a moment, a limited number of times in a row.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use transom_core::code::Code;
use transom_sys::linux::bell::{self, Pollable, Woken};
use transom_sys::linux::fault::step;
use transom_sys::linux::futex;

use super::errno::{code, with_room};

/// How a sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slept {
    /// Something may have changed.
    Look,
    /// The deadline is over.
    TimedOut,
}

/// So many tokens in a row are passed on before one is kept.
const MOST_PASSED: u32 = 64;
/// How long a leader keeps away from the bell after it passed a token on, in nanoseconds.
const AWAY: u64 = 200_000;

/// The sleepers of this process at one bell.
#[derive(Debug)]
pub(crate) struct Sleepers {
    reader: OwnedFd,
    leader: AtomicU32,
    epoch: AtomicU32,
    followers: AtomicU32,
    /// Somebody polls instead of sleeping.
    armed: AtomicU32,
    pollable: OnceLock<Pollable>,
    /// Nobody is left who could ring.
    gone: AtomicBool,
    passed: AtomicU32,
    /// Operations that wait, by the parity of the round in which they began to.
    waiting: [AtomicU32; 2],
    round: AtomicU32,
    stirring: Mutex<()>,
}

/// An operation that waits: it can be stirred until this is dropped.
#[derive(Debug)]
pub(crate) struct Waiter<'a> {
    sleepers: &'a Sleepers,
    parity: usize,
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.sleepers.waiting[self.parity].fetch_sub(1, Ordering::SeqCst);
    }
}

/// What one sleep is about.
pub(crate) struct Sleep<'a> {
    /// The count, in shared memory, of those who sleep for the same reason.
    pub(crate) asleep: &'a AtomicU32,
    /// CLOCK_MONOTONIC, in nanoseconds.
    pub(crate) deadline: Option<u64>,
    /// What ends the sleep besides: pidfds.
    pub(crate) others: &'a [BorrowedFd<'a>],
    /// Whether other processes have this end as well.
    pub(crate) shared: bool,
}

impl Sleepers {
    pub(crate) fn new(reader: OwnedFd) -> Sleepers {
        Sleepers {
            reader,
            leader: AtomicU32::new(0),
            epoch: AtomicU32::new(0),
            followers: AtomicU32::new(0),
            armed: AtomicU32::new(0),
            pollable: OnceLock::new(),
            gone: AtomicBool::new(false),
            passed: AtomicU32::new(0),
            waiting: [AtomicU32::new(0), AtomicU32::new(0)],
            round: AtomicU32::new(0),
            stirring: Mutex::new(()),
        }
    }

    pub(crate) fn reader(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// Whether it has been seen that nobody is left who could ring.
    #[inline]
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }

    /// Looks whether somebody is left who could ring.
    pub(crate) fn look_for_ringers(&self) -> bool {
        if !self.is_gone() && bell::is_gone(&self.reader) {
            self.gone.store(true, Ordering::Release);
        }
        self.is_gone()
    }

    /// An operation begins to wait.
    pub(crate) fn enter(&self) -> Waiter<'_> {
        let parity = (self.round.load(Ordering::SeqCst) & 1) as usize;
        self.waiting[parity].fetch_add(1, Ordering::SeqCst);
        Waiter { sleepers: self, parity }
    }

    /// Whether operations wait.
    pub(crate) fn has_waiters(&self) -> bool {
        self.waiting.iter().any(|count| count.load(Ordering::SeqCst) > 0)
    }

    /// Sleeps until something may have changed. `ready` is asked once, after this thread has registered.
    ///
    /// # Errors
    /// What the system calls give; the bell is a good descriptor, so there is hardly any.
    pub(crate) fn sleep(&self, sleep: &Sleep<'_>, mut ready: impl FnMut() -> bool) -> Result<Slept, Code> {
        let epoch = self.epoch.load(Ordering::SeqCst);
        sleep.asleep.fetch_add(1, Ordering::SeqCst);
        step("asleep-registered");
        if ready() {
            leave(sleep.asleep);
            return Ok(Slept::Look);
        }
        if self.leader.compare_exchange(0, 1, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
            let slept = if self.epoch.load(Ordering::SeqCst) == epoch {
                self.lead(sleep)
            } else {
                // B2.
                Ok(None)
            };
            self.resign();
            return match slept? {
                None => {
                    leave(sleep.asleep);
                    Ok(over(sleep.deadline))
                }
                Some(taken) => {
                    if taken && sleep.shared {
                        self.pass_on(&mut ready);
                    }
                    Ok(Slept::Look)
                }
            };
        }
        self.followers.fetch_add(1, Ordering::SeqCst);
        if sleep.others.is_empty() {
            let _ = futex::wait(&self.epoch, epoch, sleep.deadline);
        } else {
            // The leader does not watch these; so look now and then.
            let soon = futex::now() + 10_000_000;
            let _ = futex::wait(&self.epoch, epoch, Some(sleep.deadline.map_or(soon, |at| at.min(soon))));
        }
        self.followers.fetch_sub(1, Ordering::SeqCst);
        if self.epoch.load(Ordering::SeqCst) == epoch {
            leave(sleep.asleep);
            return Ok(over(sleep.deadline));
        }
        Ok(Slept::Look)
    }

    /// Sleeps at the bell; whether a token was taken, or `None` if the sleep ended for another reason.
    fn lead(&self, sleep: &Sleep<'_>) -> Result<Option<bool>, Code> {
        let most = if sleep.shared { 1 } else { bell::MOST };
        let woken = if sleep.deadline.is_none() && sleep.others.is_empty() {
            bell::sleep(&self.reader, most).map_err(code)?
        } else {
            let ready = bell::wait(&self.reader, sleep.others, sleep.deadline).map_err(code)?;
            if ready.bell || ready.gone {
                bell::take(&self.reader, most).map_err(code)?
            } else {
                Woken::Nothing
            }
        };
        step("woken");
        Ok(match woken {
            Woken::Tokens(_) => Some(true),
            Woken::Gone => {
                self.gone.store(true, Ordering::Release);
                Some(false)
            }
            Woken::Nothing => None,
        })
    }

    /// Gives the lead up and lets all look.
    fn resign(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.leader.store(0, Ordering::SeqCst);
        self.tell_followers();
    }

    fn tell_followers(&self) {
        if self.followers.load(Ordering::SeqCst) > 0 {
            futex::wake(&self.epoch, u32::MAX);
        }
        if self.armed.load(Ordering::SeqCst) > 0
            && let Some(pollable) = self.pollable.get()
        {
            pollable.kick();
        }
    }

    /// The token may have been meant for another process that has this end: gives it back.
    #[cold]
    fn pass_on(&self, mut ready: impl FnMut() -> bool) {
        if ready() || self.passed.fetch_add(1, Ordering::Relaxed) >= MOST_PASSED {
            self.passed.store(0, Ordering::Relaxed);
            return;
        }
        self.ring_own(1);
        let epoch = self.epoch.load(Ordering::SeqCst);
        let _ = futex::wait(&self.epoch, epoch, Some(futex::now() + AWAY));
    }

    /// Puts tokens into the own bell, for which this process has no ringer as long as it sleeps there.
    pub(crate) fn ring_own(&self, count: u32) {
        if let Ok(ringer) = with_room(|| bell::reopen_ringer(&self.reader)) {
            bell::ring(&ringer, count as usize);
        }
    }

    /// Makes everybody in this process who sleeps here look, once.
    #[cold]
    pub(crate) fn wake_own(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
        if self.leader.load(Ordering::SeqCst) != 0 {
            self.ring_own(1);
        }
        self.tell_followers();
    }

    /// Makes every operation that waits now look, and returns when it has ended. What it is to see must be stored
    /// before. `also` wakes those who wait elsewhere: it is called again and again.
    #[cold]
    pub(crate) fn stir(&self, also: impl Fn()) {
        let _alone = self.stirring.lock().unwrap_or_else(PoisonError::into_inner);
        let old = (self.round.fetch_add(1, Ordering::SeqCst) & 1) as usize;
        for round in 0u64.. {
            self.epoch.fetch_add(1, Ordering::SeqCst);
            if self.armed.load(Ordering::SeqCst) > 0 || round == 0 {
                self.tell_followers();
            }
            if self.waiting[old].load(Ordering::SeqCst) == 0 {
                break;
            }
            futex::wake(&self.epoch, u32::MAX);
            also();
            if self.leader.load(Ordering::SeqCst) != 0 {
                self.ring_own(1);
            }
            if round < 10 {
                std::thread::yield_now();
            } else {
                // Until one of them has left, or for a moment.
                let left = self.waiting[old].load(Ordering::SeqCst);
                if left > 0 {
                    let _ = futex::wait(&self.waiting[old], left, Some(futex::now() + AWAY));
                }
            }
        }
    }

    /// The descriptor to poll instead of sleeping.
    pub(crate) fn pollable(&self) -> Result<BorrowedFd<'_>, Code> {
        if self.pollable.get().is_none() {
            let made = with_room(|| Pollable::new(&self.reader))?;
            let _ = self.pollable.set(made);
        }
        self.pollable.get().map(Pollable::as_fd).ok_or(Code::NO_SYSTEM_RESOURCES)
    }

    /// Registers for being rung at the pollable descriptor.
    pub(crate) fn arm(&self, asleep: &AtomicU32) {
        // Before anybody could have to kick it. Where it cannot be made, who asks for it is told.
        let _ = self.pollable();
        self.armed.store(1, Ordering::SeqCst);
        asleep.fetch_add(1, Ordering::SeqCst);
        step("armed");
    }

    /// Takes back [`Sleepers::arm`].
    pub(crate) fn disarm(&self, asleep: &AtomicU32) {
        self.armed.store(0, Ordering::SeqCst);
        leave(asleep);
    }

    /// Takes the tokens that made the pollable descriptor readable.
    pub(crate) fn take_token(&self, shared: bool) {
        self.armed.store(0, Ordering::SeqCst);
        if let Some(pollable) = self.pollable.get() {
            pollable.take_kicks();
        }
        // If a thread sleeps at the bell it takes them itself.
        if self.leader.compare_exchange(0, 1, Ordering::SeqCst, Ordering::Relaxed).is_ok() {
            let woken = bell::take(&self.reader, if shared { 1 } else { bell::MOST });
            if woken == Ok(Woken::Gone) {
                self.gone.store(true, Ordering::Release);
            }
            self.resign();
        }
    }

    /// Makes the pollable descriptor readable if somebody polls.
    #[inline]
    pub(crate) fn tell_pollers(&self) {
        if self.armed.load(Ordering::Relaxed) > 0
            && let Some(pollable) = self.pollable.get()
        {
            pollable.kick();
        }
    }
}

/// What a sleep that ended by itself means.
fn over(deadline: Option<u64>) -> Slept {
    if deadline.is_some_and(|at| futex::now() >= at) { Slept::TimedOut } else { Slept::Look }
}

/// Takes one registration back. If it is not there any more the ringer has it, and a token is on its way (B3).
pub(crate) fn leave(asleep: &AtomicU32) {
    let less = |count: u32| count.checked_sub(1);
    let _ = asleep.fetch_update(Ordering::SeqCst, Ordering::Relaxed, less);
}

/// Wakes who sleeps by [`await_announcement`]; no system call if nobody does.
///
/// `asleep` is odd while somebody sleeps, and each sleep has a number of its own. First the token, then the number:
/// killed in between, somebody looks in vain; the other way round nobody would be told of what others announce. Who
/// has begun to sleep again meanwhile has another number, and stays registered.
pub(crate) fn announce(ringer: BorrowedFd<'_>, asleep: &AtomicU32) {
    let seen = asleep.load(Ordering::SeqCst);
    if seen & 1 != 0 {
        step("before-announcing");
        bell::ring(ringer, 1);
        step("announced");
        awake(asleep, seen);
    }
}

fn awake(asleep: &AtomicU32, number: u32) {
    let _ = asleep.compare_exchange(number, number.wrapping_add(1), Ordering::SeqCst, Ordering::Relaxed);
}

/// Sleeps until something is announced; `ready` is asked once, after this thread has registered. For one sleeper at a
/// time, in all processes.
///
/// # Errors
/// [`Gone::NoRinger`] when nobody is left who could announce anything; [`Gone::System`].
pub(crate) fn await_announcement(
    reader: BorrowedFd<'_>,
    asleep: &AtomicU32,
    deadline: Option<u64>,
    ready: impl FnOnce() -> bool,
) -> Result<(), Gone> {
    let number = (asleep.load(Ordering::SeqCst) | 1).wrapping_add(2);
    asleep.store(number, Ordering::SeqCst);
    step("waiting-for-announcement");
    let woken = if ready() {
        Ok(Woken::Nothing)
    } else if deadline.is_none() {
        bell::sleep(reader, bell::MOST)
    } else {
        let take = |ready: bell::Ready| {
            if ready.any() { bell::take(reader, bell::MOST) } else { Ok(Woken::Nothing) }
        };
        bell::wait(reader, &[], deadline).and_then(take)
    };
    step("announcement-heard");
    awake(asleep, number);
    match woken {
        Ok(Woken::Gone) => Err(Gone::NoRinger),
        Ok(_) => Ok(()),
        Err(error) => Err(Gone::System(code(error))),
    }
}

/// Why [`await_announcement`] failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gone {
    /// Nobody is left who could ring.
    NoRinger,
    /// A system call failed.
    System(Code),
}
