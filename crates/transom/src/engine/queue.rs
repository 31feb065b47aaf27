//! The queue of the calling thread: what came for it, sleeping until something does, sending, serving.
//!
//! A thread has no queue before its first call that needs one (rule 36). Sent messages are served, posted ones kept in
//! order; answers wake who asked. All of that is one thread's own, behind a `RefCell` that is never borrowed while a
//! procedure runs, since procedures call back into here.
//!
//! ```text
//!  sender                                             receiver
//!  push                                               asleep = 1
//!  asleep? wake                                       sleep while the head is empty
//! ```
//! The kernel itself looks at the head when the receiver falls asleep, so a push before that is not slept through. A
//! sender that is killed between the push and the wake-up has not returned: its message is found at the next look, and
//! whoever pushes next wakes. An answer is not late for that: who waits for it sleeps on the life of who gives it as
//! well.
//!
//! # What unwinds
//! A procedure may end its thread, which unwinds through the functions here that run procedures: they keep nothing that
//! needs to be dropped. The queue itself is dropped with the thread, and answers what is left.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use transom_core::code::Code;
use transom_core::desktop::layout::ARENA;
use transom_core::desktop::slots::{self, GONE, Kind};
use transom_core::desktop::{Phase, Refused, Slot, Who, stack};
use transom_sys::linux::fault::step;
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{Errno, futex};

use super::desktop::{Desktop, desktop, has_died};
use super::marshal::{self, Served};
use super::procedures;
use super::record;
use super::spin::{self, Budget};
use crate::window::WindowHandle;
use crate::window::message::{QS_ALLPOSTMESSAGE, QS_POSTMESSAGE, QS_SENDMESSAGE, QS_TIMER};
use crate::window::raw::{Charset, Message, SendCallback, TimerProcedure};

mod retrieve;

pub(crate) use retrieve::{Filter, Windows, keep, take_back, tick};

/// Slots that a thread keeps for its next messages.
const KEPT: usize = 32;
/// After so many nanoseconds a sleeper without futex_waitv looks again.
const DOUBT: u64 = 10_000_000;
/// A sleeper that waits for another thread asks by itself, after this time, whether it lives: of several that sleep
/// on one life the kernel wakes one, who wakes the others, unless it is killed just then.
const LIFE_DOUBT: u64 = 5_000_000_000;

/// What is sent: one call of a window's procedure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) window: u32,
    pub(crate) message: u32,
    pub(crate) wparam: usize,
    pub(crate) lparam: isize,
    pub(crate) charset: Charset,
}

/// How a sender waits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// On CLOCK_MONOTONIC.
    pub(crate) deadline: Option<u64>,
    /// `SMTO_BLOCK`.
    pub(crate) block: bool,
    /// `SMTO_ABORTIFHUNG`.
    pub(crate) abort_if_hung: bool,
    /// `SMTO_NOTIMEOUTIFNOTHUNG`, with the time that passes each time.
    pub(crate) unless_hung: Option<u64>,
}

impl Patience {
    pub(crate) const ENDLESS: Patience =
        Patience { deadline: None, block: false, abort_if_hung: false, unless_hung: None };
}

/// How a send ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Result(isize),
    /// The receiver went before it answered (rule 16).
    Gone,
}

/// Something this thread asked and is, or was, waiting for.
#[derive(Debug)]
struct Question {
    token: u64,
    to: Who,
    answer: Option<Answer>,
    /// Bytes of the answer, in the arena.
    length: u64,
    /// Nobody waits any more; what it carries must stay until it comes back.
    given_up: bool,
    /// Its part of the arena.
    part: Option<Part>,
    _file: Option<OwnedFd>,
    callback: Option<(SendCallback, usize, u32, u32)>,
}

/// A part of this thread's arena.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// Counted from the first arena.
    pub(crate) at: usize,
    begin: usize,
    pub(crate) length: usize,
}

/// A message of another thread's that is being handled.
#[derive(Debug)]
struct Handling {
    kind: Kind,
    replied: bool,
    /// The slot goes back with the answer.
    slot: u32,
    from: Option<Who>,
    /// What pointers in the message point to.
    served: Served,
}

/// An answer for whose callback it is time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Called {
    pub(crate) callback: SendCallback,
    pub(crate) data: usize,
    pub(crate) window: u32,
    pub(crate) message: u32,
    pub(crate) value: isize,
}

#[derive(Debug)]
struct Timer {
    window: u32,
    id: usize,
    period: u64,
    due: u64,
    told: bool,
    procedure: Option<TimerProcedure>,
}

#[derive(Debug, Default)]
struct State {
    sent: VecDeque<u32>,
    posted: VecDeque<Message>,
    quit: Option<i32>,
    timers: Vec<Timer>,
    news: u32,
    questions: Vec<Question>,
    callbacks: VecDeque<Called>,
    handling: Vec<Handling>,
    kept: Vec<u32>,
    rotor: u32,
    next_token: u64,
    arena_used: bool,
    drained: Vec<u32>,
    /// What procedures of this thread that run now use.
    blocks: Vec<Vec<u64>>,
}

/// The queue of a thread.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) desktop: &'static Desktop,
    who: Who,
    page: Option<SharedPages>,
    state: RefCell<State>,
    budget: Budget,
    /// Whose message was served last: from there the next one may come soon.
    last_from: Cell<Option<Who>>,
}

thread_local! {
    static QUEUE: OnceCell<Queue> = const { OnceCell::new() };
}

/// Does something with the calling thread's queue, made at the first time.
///
/// # Errors
/// Those of the desktop; 1450: too many threads have queues.
pub(crate) fn with<T>(work: impl FnOnce(&Queue) -> T) -> Result<T, Code> {
    let made = |cell: &OnceCell<Queue>| {
        if record::is_forked() {
            return Err(Code::NOT_SUPPORTED);
        }
        let queue = match cell.get() {
            Some(queue) => queue,
            // Making one uses no queue, so nobody sets it meanwhile.
            None => {
                let new = Queue::new()?;
                cell.get_or_init(|| new)
            }
        };
        Ok(work(queue))
    };
    QUEUE.try_with(made).map_err(|_| Code::INVALID_THREAD_ID)?
}

/// Whether the calling thread has a queue.
pub(crate) fn exists() -> bool {
    QUEUE.try_with(|cell| cell.get().is_some()).unwrap_or(false)
}

impl Queue {
    fn new() -> Result<Queue, Code> {
        let desktop = desktop()?;
        let (who, page) = desktop.claim()?;
        Ok(Queue {
            desktop,
            who,
            page: Some(page),
            state: RefCell::new(State::default()),
            budget: Budget::new(),
            last_from: Cell::new(None),
        })
    }

    /// Whether the row is still this thread's; else a hostile process wrote it.
    fn is_sound(&self) -> bool {
        self.desktop.is_open(self.who)
    }

    pub(crate) fn who(&self) -> Who {
        self.who
    }

    // Taking in.

    /// Takes what was pushed into the thread's own lists.
    pub(crate) fn drain(&self) {
        let row = self.desktop.thread(self.who);
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let mut drained = std::mem::take(&mut state.drained);
        stack::drain(row, self.desktop.slots(), &mut drained);
        for index in drained.drain(..) {
            let slot = self.desktop.slot(index);
            slot.holder.store(self.who.word(), Ordering::Relaxed);
            // Partner: the look in `slots::free_all_of`.
            slot.phase.store(Phase::Held as u32, Ordering::Release);
            self.take_in(state, index, slot);
        }
        state.drained = drained;
        let now = if state.timers.is_empty() { 0 } else { futex::now() };
        for timer in state.timers.iter_mut().filter(|timer| !timer.told && timer.due <= now) {
            timer.told = true;
            state.news |= QS_TIMER;
        }
    }

    fn take_in(&self, state: &mut State, index: u32, slot: &Slot) {
        match Kind::from_u32(slot.kind.load(Ordering::Relaxed)) {
            Some(Kind::Post) => {
                let message = Message {
                    window: WindowHandle::from_raw(slot.window.load(Ordering::Relaxed) as usize),
                    message: slot.message.load(Ordering::Relaxed),
                    wparam: slot.wparam.load(Ordering::Relaxed) as usize,
                    lparam: slot.lparam.load(Ordering::Relaxed) as isize,
                    time: slot.time.load(Ordering::Relaxed),
                };
                state.posted.push_back(message);
                state.news |= QS_POSTMESSAGE | QS_ALLPOSTMESSAGE;
                self.give_back(state, index);
            }
            Some(Kind::Send | Kind::Notify | Kind::Callback) => {
                state.sent.push_back(index);
                state.news |= QS_SENDMESSAGE;
            }
            Some(Kind::Reply) => {
                Queue::take_answer(state, slot);
                self.give_back(state, index);
            }
            None => self.give_back(state, index),
        }
    }

    /// Notes an answer for who asked.
    fn take_answer(state: &mut State, slot: &Slot) {
        let token = slot.token.load(Ordering::Relaxed);
        let Some(at) = state.questions.iter().position(|question| question.token == token) else { return };
        let gone = slot.kind.load(Ordering::Relaxed) & GONE != 0;
        let value = slot.lparam.load(Ordering::Relaxed) as isize;
        let question = &mut state.questions[at];
        if let Some((callback, data, window, message)) = question.callback {
            state.questions.swap_remove(at);
            if !gone {
                state.callbacks.push_back(Called { callback, data, window, message, value });
            }
        } else if question.given_up {
            state.questions.swap_remove(at);
        } else {
            question.length = slot.length.load(Ordering::Relaxed);
            question.answer = Some(if gone { Answer::Gone } else { Answer::Result(value) });
        }
    }

    /// Keeps a slot for the next message, or frees it.
    fn give_back(&self, state: &mut State, index: u32) {
        if state.kept.len() < KEPT {
            state.kept.push(index);
        } else {
            slots::free(self.desktop.slot(index));
        }
    }

    /// A slot of this thread's.
    fn take_slot(&self) -> Result<u32, Code> {
        let mut state = self.state.borrow_mut();
        if let Some(index) = state.kept.pop() {
            return Ok(index);
        }
        let mut rotor = state.rotor;
        let taken = slots::take(self.desktop.header(), self.desktop.slots(), self.who, &mut rotor);
        state.rotor = rotor;
        taken.ok_or(Code::NO_SYSTEM_RESOURCES)
    }

    // Pushing.

    fn push(&self, to: Who, index: u32, posted: bool) -> Result<(), Refused> {
        let (row, slot) = (self.desktop.thread(to), self.desktop.slot(index));
        slot.phase.store(Phase::Pushed as u32, Ordering::Relaxed);
        step("message-filled");
        let pushed = stack::push(row, slot, index, to.generation(), posted);
        step("message-pushed");
        if pushed == Ok(true) {
            futex::wake(futex::low_half(&row.head), 1);
        }
        if pushed.is_err() {
            slot.phase.store(Phase::Held as u32, Ordering::Relaxed);
        }
        pushed.map(|_| ())
    }

    fn fill(&self, index: u32, kind: u32, call: &Call) -> &Slot {
        let slot = self.desktop.slot(index);
        let wide = if call.charset == Charset::Wide { slots::WIDE } else { 0 };
        slot.kind.store(kind | wide, Ordering::Relaxed);
        slot.window.store(call.window, Ordering::Relaxed);
        slot.message.store(call.message, Ordering::Relaxed);
        slot.wparam.store(call.wparam as u64, Ordering::Relaxed);
        slot.lparam.store(call.lparam as u64, Ordering::Relaxed);
        slot.from.store(0, Ordering::Relaxed);
        slot.token.store(0, Ordering::Relaxed);
        slot.length.store(0, Ordering::Relaxed);
        slot.time.store(tick(), Ordering::Relaxed);
        slot
    }

    fn drop_slot(&self, index: u32) {
        self.give_back(&mut self.state.borrow_mut(), index);
    }

    /// PostMessage to the queue of `to`.
    ///
    /// # Errors
    /// 1444: it is gone. 1816: it is full. 1450: no room on the desktop.
    pub(crate) fn post(&self, to: Who, call: &Call) -> Result<(), Code> {
        let index = self.take_slot()?;
        self.fill(index, Kind::Post as u32, call);
        self.push(to, index, true).map_err(|refused| {
            self.drop_slot(index);
            match refused {
                Refused::Gone => Code::INVALID_THREAD_ID,
                Refused::Full => Code::NOT_ENOUGH_QUOTA,
            }
        })
    }

    /// SendNotifyMessage to a window of another thread.
    ///
    /// # Errors
    /// 1400: it is gone. 1450.
    pub(crate) fn notify(&self, to: Who, call: &Call) -> Result<(), Code> {
        let index = self.take_slot()?;
        self.fill(index, Kind::Notify as u32, call);
        self.push(to, index, false).map_err(|_| {
            self.drop_slot(index);
            Code::INVALID_WINDOW_HANDLE
        })
    }

    /// SendMessageCallback to a window of another thread.
    ///
    /// # Errors
    /// As [`notify`](Self::notify).
    pub(crate) fn send_callback(
        &self,
        to: Who,
        call: &Call,
        callback: SendCallback,
        data: usize,
    ) -> Result<(), Code> {
        let question = Some((callback, data, call.window, call.message));
        self.ask(to, call, Kind::Callback, question).map(|_| ())
    }

    /// Pushes a message with a question to which the answer belongs: its token.
    fn ask(
        &self,
        to: Who,
        call: &Call,
        kind: Kind,
        callback: Option<(SendCallback, usize, u32, u32)>,
    ) -> Result<u64, Code> {
        if callback.is_some() {
            // Who has died answers no more; what it did answer before is taken first.
            let is_vain =
                |question: &&Question| question.callback.is_some() && !self.desktop.lives(question.to);
            let vain: Vec<u64> =
                self.state.borrow().questions.iter().filter(is_vain).map(|question| question.token).collect();
            self.drain();
            self.state.borrow_mut().questions.retain(|question| !vain.contains(&question.token));
        }
        let index = self.take_slot()?;
        let packed = match marshal::pack(call, |bytes, room| self.place(bytes, room)) {
            Ok(packed) => packed,
            Err(code) => {
                self.drop_slot(index);
                return Err(code);
            }
        };
        let slot = self.fill(index, kind as u32 | packed.flags, call);
        let token = {
            let mut state = self.state.borrow_mut();
            state.next_token += 1;
            state.next_token
        };
        slot.from.store(self.who.word(), Ordering::Relaxed);
        slot.token.store(token, Ordering::Relaxed);
        slot.tag.store(packed.tag, Ordering::Relaxed);
        slot.wparam.store(packed.wparam, Ordering::Relaxed);
        slot.data.store(packed.data, Ordering::Relaxed);
        slot.length.store(packed.length, Ordering::Relaxed);
        slot.file.store(packed.identity, Ordering::Relaxed);
        let question = Question {
            token,
            to,
            answer: None,
            length: 0,
            given_up: false,
            part: packed.part,
            _file: packed.file,
            callback,
        };
        self.state.borrow_mut().questions.push(question);
        if self.push(to, index, false).is_err() {
            let mut state = self.state.borrow_mut();
            state.questions.retain(|question| question.token != token);
            self.give_back(&mut state, index);
            return Err(Code::INVALID_WINDOW_HANDLE);
        }
        Ok(token)
    }

    /// A part of this thread's arena with `bytes` in it, at least `room` long. Parts that an answer may still be
    /// written to stay.
    fn place(&self, bytes: &[u8], room: usize) -> Option<Part> {
        let length = bytes.len().max(room).next_multiple_of(64);
        let mut state = self.state.borrow_mut();
        // What a dead thread was asked comes back no more.
        state.questions.retain(|question| !question.given_up || self.desktop.lives(question.to));
        let parts = state.questions.iter().filter_map(|question| question.part);
        let begin = parts.map(|part| part.begin + part.length).max().unwrap_or(0);
        if length > ARENA - begin.min(ARENA) {
            return None;
        }
        state.arena_used = true;
        let at = self.who.row() * ARENA + begin;
        self.desktop.copy_in(at, bytes);
        Some(Part { at, begin, length })
    }

    // Sending.

    /// Sends a message to a window of another thread and waits for the answer.
    ///
    /// # Errors
    /// 1460: not in time. 8, 1450: no room for what it carries.
    pub(crate) fn send(&self, to: Who, call: &Call, patience: &Patience) -> Result<Answer, Code> {
        if patience.abort_if_hung && self.desktop.is_hung(to) {
            return Err(Code::TIMEOUT);
        }
        let token = match self.ask(to, call, Kind::Send, None) {
            Ok(token) => token,
            Err(Code::INVALID_WINDOW_HANDLE) => return Ok(Answer::Gone),
            Err(code) => return Err(code),
        };
        step("message-asked");
        let answer = self.wait_for(token, to, patience);
        let mut state = self.state.borrow_mut();
        let at = state.questions.iter().position(|question| question.token == token);
        match (at, &answer) {
            (Some(at), Err(_)) => state.questions[at].given_up = true,
            (Some(at), Ok(result)) => {
                let question = state.questions.swap_remove(at);
                drop(state);
                if let (Some(part), Answer::Result(value)) = (question.part, result) {
                    let mut bytes = vec![0; (question.length as usize).min(part.length)];
                    self.desktop.copy_out(part.at as u64, &mut bytes);
                    return Ok(Answer::Result(marshal::unpack_answer(call, *value, &bytes)));
                }
            }
            (None, _) => {}
        }
        answer
    }

    fn wait_for(&self, token: u64, to: Who, patience: &Patience) -> Result<Answer, Code> {
        let mut deadline = patience.deadline;
        loop {
            self.drain();
            if let Some(answer) = self.answer(token) {
                return Ok(answer);
            }
            if !patience.block {
                if self.serve_one() {
                    continue;
                }
                self.run_callbacks();
                if self.has_unserved() {
                    continue;
                }
            }
            if !self.is_sound() {
                return Err(Code::FILE_CORRUPT);
            }
            if !self.desktop.lives(to) {
                self.desktop.reap(to.row());
                self.drain();
                return Ok(self.answer(token).unwrap_or(Answer::Gone));
            }
            if deadline.is_some_and(|at| futex::now() >= at) {
                match patience.unless_hung {
                    Some(time) if !self.desktop.is_hung(to) => deadline = Some(futex::now() + time),
                    _ => return Err(Code::TIMEOUT),
                }
            }
            if patience.abort_if_hung && self.desktop.is_hung(to) {
                return Err(Code::TIMEOUT);
            }
            let doubt = futex::now() + LIFE_DOUBT;
            let until = Some(deadline.map_or(doubt, |at| at.min(doubt)));
            // Who serves meanwhile is not hung.
            self.rest(until, Some(to), Some(to), !patience.block);
            self.desktop.thread(self.who).looked.store(futex::now(), Ordering::Relaxed);
        }
    }

    fn answer(&self, token: u64) -> Option<Answer> {
        self.state.borrow().questions.iter().find(|question| question.token == token)?.answer
    }

    /// Looks for a moment, then sleeps, until something is pushed, the watched thread ends, or the time comes. `peer`: from
    /// whom something may come soon. `looking`: the thread counts as one that looks at its queue.
    fn rest(&self, deadline: Option<u64>, watched: Option<Who>, peer: Option<Who>, looking: bool) {
        let row = self.desktop.thread(self.who);
        let begun = spin::cycles();
        let there = peer.map_or(0, |peer| self.desktop.thread(peer).processor.load(Ordering::Relaxed));
        let has_news = || stack::Head::from_word(row.head.load(Ordering::Relaxed)).top() != 0;
        if self.budget.spin(begun, spin::is_in_the_way(&row.processor, there), has_news) {
            return;
        }
        let life = watched.and_then(|watched| self.desktop.watch(watched));
        if watched.is_some() && life.is_none() {
            // It has ended since the caller looked.
            return;
        }
        row.looking.store(u32::from(looking), Ordering::Relaxed);
        self.sleep(deadline, life);
        row.looking.store(0, Ordering::Relaxed);
        self.budget.slept(begun);
    }

    /// Sleeps until something is pushed, the watched life ends, or the time comes.
    fn sleep(&self, deadline: Option<u64>, life: Option<(&AtomicU32, u32)>) {
        let row = self.desktop.thread(self.who);
        let Some(low) = stack::prepare_sleep(row) else { return };
        step("queue-asleep");
        let word = futex::low_half(&row.head);
        match life {
            None => {
                let _ = futex::wait(word, low, deadline);
            }
            Some((life, expected)) => {
                let words = [futex::Sleep { word, expected: low }, futex::Sleep { word: life, expected }];
                if matches!(futex::wait_any(&words, deadline), Err(Errno::NOSYS | Errno::PERM)) {
                    let doubt = futex::now() + DOUBT;
                    let _ = futex::wait(word, low, Some(deadline.map_or(doubt, |at| at.min(doubt))));
                }
            }
        }
        row.asleep.store(0, Ordering::Relaxed);
        if let Some((life, _)) = life.filter(|(life, _)| has_died(life)) {
            // The kernel wakes one of those who watch a life.
            futex::wake(life, u32::MAX);
        }
    }

    /// The word to sleep on with others, unless there is something already; [`woken`](Self::woken) after it.
    pub(crate) fn word(&self) -> Option<futex::Sleep<'_>> {
        let row = self.desktop.thread(self.who);
        let expected = stack::prepare_sleep(row)?;
        Some(futex::Sleep { word: futex::low_half(&row.head), expected })
    }

    pub(crate) fn woken(&self) {
        self.desktop.thread(self.who).asleep.store(0, Ordering::Relaxed);
    }

    // Serving.

    /// Runs the procedure for the next sent message; false if there is none.
    pub(crate) fn serve_one(&self) -> bool {
        let Some(index) = self.state.borrow_mut().sent.pop_front() else { return false };
        let slot = self.desktop.slot(index);
        let Some(call) = self.begin(index, slot) else { return true };
        let result = procedures::run(&call);
        self.finish(result);
        true
    }

    /// Whether something was taken in that is still to be served: nobody would wake this thread for it.
    fn has_unserved(&self) -> bool {
        let state = self.state.borrow();
        !state.sent.is_empty() || !state.callbacks.is_empty()
    }

    /// Unpacks a message and notes that it is being handled. `None`: there is nobody to handle it.
    fn begin(&self, index: u32, slot: &Slot) -> Option<Call> {
        let (kind, from) = origin(slot);
        let unpacked = marshal::unpack(self.desktop, slot, from);
        let window = slot.window.load(Ordering::Relaxed);
        let is_mine = self.desktop.window(window).is_some_and(|seen| seen.owner == self.who);
        let Some((call, served)) = unpacked.filter(|_| is_mine) else {
            self.answer_with(kind, index, from, 0, GONE, None);
            return None;
        };
        self.last_from.set(from);
        step("message-begun");
        let mut state = self.state.borrow_mut();
        if kind == Kind::Notify {
            self.give_back(&mut state, index);
        }
        state.handling.push(Handling { kind, replied: false, slot: index, from, served });
        Some(call)
    }

    /// The procedure has returned.
    fn finish(&self, result: isize) {
        let Some(handling) = self.state.borrow_mut().handling.pop() else { return };
        if !handling.replied {
            self.answer_with(handling.kind, handling.slot, handling.from, result, 0, Some(&handling.served));
        }
    }

    fn answer_with(
        &self,
        kind: Kind,
        index: u32,
        from: Option<Who>,
        result: isize,
        flags: u32,
        served: Option<&Served>,
    ) {
        if kind == Kind::Notify {
            if served.is_none() {
                self.drop_slot(index);
            }
            return;
        }
        let Some(from) = from else {
            self.drop_slot(index);
            return;
        };
        let slot = self.desktop.slot(index);
        // The arena of one that is gone may be another's by now.
        let served = served.filter(|_| self.desktop.is_open(from));
        let length = served.map_or(0, |served| served.write_answer(self.desktop, slot, result));
        slot.length.store(length, Ordering::Relaxed);
        slot.kind.store(Kind::Reply as u32 | flags, Ordering::Relaxed);
        slot.lparam.store(result as u64, Ordering::Relaxed);
        step("message-answered");
        if self.push(from, index, false).is_err() {
            self.drop_slot(index);
        }
    }

    /// ReplyMessage.
    pub(crate) fn reply(&self, result: isize) -> bool {
        let (kind, slot, from) = {
            let mut state = self.state.borrow_mut();
            let Some(handling) = state.handling.last_mut() else { return false };
            if handling.replied {
                return true;
            }
            handling.replied = true;
            (handling.kind, handling.slot, handling.from)
        };
        if kind != Kind::Notify {
            self.answer_with(kind, slot, from, result, 0, None);
        }
        true
    }

    /// InSendMessageEx.
    pub(crate) fn in_send(&self) -> u32 {
        let state = self.state.borrow();
        state.handling.last().map_or(0, |handling| {
            let kind = match handling.kind {
                Kind::Notify => 2,
                Kind::Callback => 4,
                _ => 1,
            };
            kind | if handling.replied { 8 } else { 0 }
        })
    }

    fn run_callbacks(&self) {
        while let Some(next) = { self.state.borrow_mut().callbacks.pop_front() } {
            procedures::run_callback(next);
        }
    }

    /// A window of this thread is no more: what was posted to it is dropped, who waits for it is answered.
    pub(crate) fn forget_window(&self, window: u32) {
        self.drain();
        let mut unanswered = Vec::new();
        {
            let mut state = self.state.borrow_mut();
            let before = state.posted.len();
            state.posted.retain(|posted| posted.window.value() as u32 != window);
            for _ in state.posted.len()..before {
                stack::forget_posted(self.desktop.thread(self.who));
            }
            state.timers.retain(|timer| timer.window != window);
            state.sent.retain(|&index| {
                let is_for = self.desktop.slot(index).window.load(Ordering::Relaxed) == window;
                if is_for {
                    unanswered.push(index);
                }
                !is_for
            });
        }
        for index in unanswered {
            self.refuse(index);
        }
    }

    /// Answers a message that nobody will handle.
    fn refuse(&self, index: u32) {
        let (kind, from) = origin(self.desktop.slot(index));
        self.answer_with(kind, index, from, 0, GONE, None);
    }
}

/// What a message is, and who waits for its answer.
fn origin(slot: &Slot) -> (Kind, Option<Who>) {
    let kind = Kind::from_u32(slot.kind.load(Ordering::Relaxed)).unwrap_or(Kind::Notify);
    (kind, Who::from_word(slot.from.load(Ordering::Relaxed)))
}
