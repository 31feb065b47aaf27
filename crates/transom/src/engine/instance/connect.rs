//! ConnectNamedPipe: listening, and waiting for a client.
//!
//! Who waits sleeps on the slot's *door*, a futex on the board, and not at the bell of the segment on offer: a client
//! that brings a connection of before has nothing of that segment open. Whoever changes the slot knocks first, in one
//! system call that no kill can split, and while it has the board's lock; who wakes up takes the lock to look. So a
//! client that is killed at any moment has either changed nothing or woken everybody.

use std::sync::atomic::Ordering;

use transom_core::board::{SlotState, Word, door};
use transom_core::pipe::Operation;
use transom_sys::linux::fault::step;
use transom_sys::linux::{Errno, futex, host};

use super::super::channel::{Deadline, Trouble};
use super::super::owner::me;
use super::super::spin::{Spin, cycles, is_where};
use super::{Attached, Came, Instance, new_end, offer_of};

/// How often a thread looks that waits for a client of a segment which another process offers: nothing wakes it if
/// that process is killed. It is the only such look, and needs two processes that wait with one end at once.
const LOOK: u64 = 250_000_000;

impl Instance {
    /// ConnectNamedPipe.
    ///
    /// # Errors
    /// The troubles of waiting. `WouldBlock`: it listens, and `nowait` was asked for.
    pub(crate) fn connect(&self, nowait: bool, deadline: Deadline) -> Result<Came, Trouble> {
        let came = self.accept(nowait, deadline)?;
        let has_left = || {
            let connection = self.connection(Operation::ClientProcess);
            connection.is_ok_and(|attached| attached.end().peer_is_gone())
        };
        Ok(if came == Came::Already && has_left() { Came::Left } else { came })
    }

    /// As [`connect`](Self::connect), for who does not ask whether a client that was there has left: that is a system
    /// call.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub(crate) fn accept(&self, nowait: bool, deadline: Deadline) -> Result<Came, Trouble> {
        let cancels = self.cancels.load(Ordering::SeqCst);
        let mut listened = false;
        loop {
            if self.is_closed() {
                return Err(Trouble::LocalClosed);
            }
            let word = self.state();
            match word.state {
                SlotState::Free => return Err(Trouble::LocalClosed),
                SlotState::Disconnected if listened => return Err(Trouble::Disconnected),
                SlotState::Disconnected => {
                    // From here on a client comes during the call.
                    self.listen(false)?;
                    listened = true;
                }
                SlotState::Connected => {
                    if let Some(came) = self.meet(word, listened) {
                        return Ok(came);
                    }
                }
                // Once: of two processes that wait, each would take it from the other for ever.
                SlotState::Listening if !listened && !self.is_offered_here(word) => {
                    self.listen(true)?;
                    listened = true;
                }
                SlotState::Listening if self.is_orphaned() => self.listen(true)?,
                SlotState::Listening if nowait => return Err(Trouble::WouldBlock),
                SlotState::Listening => {
                    listened = true;
                    self.wait_at_door(word, deadline, cancels)?;
                }
            }
        }
    }

    /// What a connected instance is, whose client came while this thread `listened`, or before; `None` if it is
    /// something else by now.
    fn meet(&self, word: Word, listened: bool) -> Option<Came> {
        match self.connection(Operation::ClientProcess) {
            Ok(attached) if attached.end().words().disconnected.load(Ordering::Acquire) != 0 => {
                // Whoever disconnected was killed before it could say so on the board.
                drop(attached);
                self.unlist(word);
                None
            }
            Ok(_) if listened => Some(Came::During),
            Ok(_) => Some(Came::Already),
            Err(_) if self.state() != word => None,
            // Its connection cannot be reached: whoever made it has ended.
            Err(_) => Some(Came::Left),
        }
    }

    /// Whether this object offers the segment that a listening slot names.
    pub(super) fn is_offered_here(&self, word: Word) -> bool {
        let attached = self.current.enter();
        attached.generation == word.generation && attached.end().is_listening()
    }

    /// Whether nobody offers the segment of the listening slot any more.
    fn is_orphaned(&self) -> bool {
        let maker = self.board.maker(self.index);
        maker == 0 || maker != me().process && !host::exists(maker)
    }

    /// Sleeps until the slot may be another than `listening`.
    fn wait_at_door(&self, listening: Word, deadline: Deadline, cancels: u32) -> Result<(), Trouble> {
        if deadline == Deadline::Now {
            return Err(Trouble::WouldBlock);
        }
        let begun = cycles();
        // Whoever comes next is likely to be whoever came last.
        let in_the_way = is_where(self.board.processor_of_client().load(Ordering::Relaxed));
        if self.spin() != Spin::Never && self.budget.spin(begun, in_the_way, || self.state() != listening) {
            return Ok(());
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let waited = self.sleep_at_door(listening, deadline, cancels);
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        self.budget.slept(begun);
        waited
    }

    fn sleep_at_door(&self, listening: Word, deadline: Deadline, cancels: u32) -> Result<(), Trouble> {
        let word = self.board.door(self.index);
        let until = match deadline {
            Deadline::At(at) => Some(at),
            Deadline::Now | Deadline::Never => None,
        };
        loop {
            let expected = {
                let _locked = self.board.lock();
                if self.state() != listening {
                    return Ok(());
                }
                let expected = word.load(Ordering::SeqCst) & door::POLLING | door::WAITING;
                word.store(expected, Ordering::SeqCst);
                expected
            };
            step("at-the-door");
            // After the word was set: whoever stores one of these knocks afterwards.
            if self.is_closed() {
                return Err(Trouble::LocalClosed);
            }
            if self.cancels.load(Ordering::SeqCst) != cancels {
                return Err(Trouble::Cancelled);
            }
            let look = (!self.is_offered_here(listening)).then(|| futex::now() + LOOK);
            let sleep = match (until, look) {
                (Some(until), Some(look)) => Some(until.min(look)),
                (until, look) => until.or(look),
            };
            let slept = futex::wait(word, expected, sleep);
            // Whoever knocked changes the slot next, and has the lock until then.
            let client = self.board.processor_of_client().load(Ordering::Relaxed);
            if slept.is_ok() && !is_where(client) && self.sees_change(listening) {
                return Ok(());
            }
            if slept == Err(Errno::TIMEDOUT) {
                if self.state() != listening || look.is_some() && self.is_orphaned() {
                    return Ok(());
                }
                if until.is_some_and(|at| futex::now() >= at) {
                    return Err(Trouble::TimedOut);
                }
            }
        }
    }

    /// Looks for a moment whether the slot changes.
    fn sees_change(&self, listening: Word) -> bool {
        (0..500).any(|_| {
            std::hint::spin_loop();
            self.state() != listening
        })
    }

    /// Makes the threads look that wait for a client, here and in other processes. What they are to see was stored
    /// before, or is stored under the board's lock, which the caller has.
    pub(super) fn stir(&self) {
        let word = self.board.door(self.index);
        // Sequentially consistent, as is the store of who is about to sleep, so that one of the two sees the other's.
        if word.load(Ordering::SeqCst) & (door::WAITING | door::RUNG) == door::WAITING {
            futex::set_bit_30_and_wake(word, i32::MAX as u32);
        }
    }

    /// CancelIoEx for those that wait for a client: whether there was one.
    pub(crate) fn cancel_connects(&self) -> bool {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return false;
        }
        self.cancels.fetch_add(1, Ordering::SeqCst);
        self.stir();
        true
    }

    /// Whoever comes is to ring the bell of the segment on offer as well: somebody polls it.
    pub(crate) fn poll_door(&self) {
        let _locked = self.board.lock();
        if self.state().state == SlotState::Listening {
            self.board.door(self.index).fetch_or(door::POLLING, Ordering::SeqCst);
        }
    }

    /// The first half of [`connect`](Self::connect), for those who wait by other means than a sleeping thread: `None`
    /// if it listens now and no client is there.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub(crate) fn begin_connect(&self, nowait: bool) -> Result<Option<Came>, Trouble> {
        match self.connect(nowait, Deadline::Now) {
            Err(Trouble::WouldBlock) if !nowait => Ok(None),
            result => result.map(Some),
        }
    }

    /// The second half: whether a client has come.
    ///
    /// # Errors
    /// `Disconnected`, `LocalClosed`.
    pub(crate) fn poll_connect(&self) -> Result<bool, Trouble> {
        // A client that has rung has the board until it is through.
        let word = {
            let _locked = self.board.lock();
            self.state()
        };
        match word.state {
            SlotState::Connected => {
                // From now on its end shows at the bell.
                let _ = self.connection(Operation::ClientProcess);
                Ok(true)
            }
            SlotState::Disconnected => Err(Trouble::Disconnected),
            SlotState::Free => Err(Trouble::LocalClosed),
            SlotState::Listening if self.is_orphaned() => self.listen(true).map(|()| false),
            SlotState::Listening => Ok(false),
        }
    }

    /// Listens, with a segment of this process: after a disconnect, or (`take_over`) in the place of a process that
    /// has the end too.
    fn listen(&self, take_over: bool) -> Result<(), Trouble> {
        let changing = self.changing();
        let served = self.served().ok_or(Trouble::LocalClosed)?;
        loop {
            if self.is_closed() {
                return Err(Trouble::LocalClosed);
            }
            let word = self.state();
            match word.state {
                SlotState::Free => return Err(Trouble::LocalClosed),
                SlotState::Connected => return Ok(()),
                SlotState::Listening if !take_over || self.is_offered_here(word) => return Ok(()),
                SlotState::Listening | SlotState::Disconnected => {}
            }
            let end = new_end(&self.shape, &self.board).map_err(Trouble::Code)?;
            end.words().server_pid.store(self.board.creator(self.index), Ordering::Relaxed);
            let offer = offer_of(&end);
            step("segment-made");
            // First of all, so that the connection that is over is parked when its client comes again.
            let next = word.next(SlotState::Listening);
            self.current.replace(Attached::new(end, next.generation, &self.board));
            let locked = self.board.lock();
            if self.state() == word {
                locked.knock(self.index);
                locked.listen(self.index, &offer, word.state == SlotState::Listening);
                break;
            }
        }
        step("listening-published");
        drop(changing);
        served.announce();
        Ok(())
    }
}
