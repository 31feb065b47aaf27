//! Retrieving posted messages, timers, wake bits, and the end of a queue.

use std::sync::atomic::Ordering;

use transom_core::code::Code;
use transom_core::desktop::slots::{self, Kind};
use transom_core::desktop::{rules, stack};
use transom_sys::linux::fault::step;
use transom_sys::linux::futex;

use super::{Queue, State, Timer};
use crate::engine::procedures;
use crate::engine::record;
use crate::window::WindowHandle;
use crate::window::message::{
    QS_ALLPOSTMESSAGE, QS_POSTMESSAGE, QS_SENDMESSAGE, QS_TIMER, WM_QUIT, WM_TIMER,
};
use crate::window::raw::{Message, TimerProcedure};

/// Which messages are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    pub(crate) windows: Windows,
    pub(crate) first: u32,
    pub(crate) last: u32,
}

/// For which windows.
#[derive(Debug, Clone)]
pub(crate) enum Windows {
    /// Any, and those for the thread.
    All,
    /// Those for the thread only.
    Thread,
    /// Those for one of these.
    These(Vec<u32>),
}

impl Filter {
    fn takes(&self, message: &Message) -> bool {
        let window = message.window.value() as u32;
        rules::in_range(message.message, self.first, self.last)
            && match &self.windows {
                Windows::All => true,
                Windows::Thread => window == 0,
                Windows::These(these) => these.contains(&window),
            }
    }
}

/// GetTickCount: milliseconds, from 0 again after 49 days.
pub(crate) fn tick() -> u32 {
    (futex::now() / 1_000_000) as u32
}

/// Keeps memory that a procedure is using: where it lies.
pub(crate) fn keep(block: Vec<u64>) -> usize {
    let at = block.as_ptr() as usize;
    let _ = super::with(|queue| queue.state.borrow_mut().blocks.push(block));
    at
}

/// Takes back what was kept last.
pub(crate) fn take_back() -> Vec<u64> {
    super::with(|queue| queue.state.borrow_mut().blocks.pop()).ok().flatten().unwrap_or_default()
}

impl Queue {
    /// GetMessage and PeekMessage: the next message that is wanted. Serves what was sent.
    ///
    /// # Errors
    /// 1392: a hostile process wrote this thread's row.
    pub(crate) fn retrieve(
        &self,
        filter: &Filter,
        remove: bool,
        wait: bool,
    ) -> Result<Option<Message>, Code> {
        let row = self.desktop.thread(self.who);
        loop {
            row.looked.store(futex::now(), Ordering::Relaxed);
            self.drain();
            while self.serve_one() {
                self.drain();
            }
            self.run_callbacks();
            // Serving may have brought something.
            self.drain();
            if let Some(message) = self.next(filter, remove) {
                return Ok(Some(message));
            }
            if !wait {
                return Ok(None);
            }
            if !self.is_sound() {
                return Err(Code::FILE_CORRUPT);
            }
            if self.has_unserved() {
                continue;
            }
            self.rest(self.next_timer(), None, self.last_from.get(), true);
        }
    }

    fn next(&self, filter: &Filter, remove: bool) -> Option<Message> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        // Whatever it asks for, this look has seen what is there (rule 33).
        state.news = 0;
        if let Some(at) = state.posted.iter().position(|message| filter.takes(message)) {
            let message = state.posted[at];
            if remove {
                state.posted.remove(at);
                stack::forget_posted(self.desktop.thread(self.who));
            }
            return Some(message);
        }
        if let Some(code) = state.quit.filter(|_| state.posted.is_empty()) {
            if remove {
                state.quit = None;
            }
            let wparam = code as isize as usize;
            return Some(Message { message: WM_QUIT, wparam, time: tick(), ..Message::default() });
        }
        let now = if state.timers.is_empty() { 0 } else { futex::now() };
        let due = state.timers.iter_mut().filter(|timer| timer.due <= now);
        let mut due: Vec<&mut Timer> = due.filter(|timer| filter.takes(&timer.message())).collect();
        due.sort_by_key(|timer| timer.due);
        let timer = due.into_iter().next()?;
        let message = timer.message();
        if remove {
            // They do not pile up (rule 32).
            timer.due = now + timer.period;
            timer.told = false;
        }
        Some(message)
    }

    fn next_timer(&self) -> Option<u64> {
        self.state.borrow().timers.iter().map(|timer| timer.due).min()
    }

    /// PostQuitMessage.
    pub(crate) fn post_quit(&self, code: i32) {
        let mut state = self.state.borrow_mut();
        state.quit = Some(code);
        state.news |= QS_POSTMESSAGE | QS_ALLPOSTMESSAGE;
    }

    /// What is in the queue.
    fn present(state: &State) -> u32 {
        let mut bits = 0;
        if !state.posted.is_empty() || state.quit.is_some() {
            bits |= QS_POSTMESSAGE | QS_ALLPOSTMESSAGE;
        }
        if !state.sent.is_empty() || !state.callbacks.is_empty() {
            bits |= QS_SENDMESSAGE;
        }
        if state.timers.iter().any(|timer| timer.told) {
            bits |= QS_TIMER;
        }
        bits
    }

    /// GetQueueStatus: what is new since last asked, and what is there.
    pub(crate) fn status(&self, mask: u32) -> (u32, u32) {
        self.drain();
        let mut state = self.state.borrow_mut();
        let new = state.news & mask;
        state.news &= !mask;
        (new, Queue::present(&state) & mask)
    }

    /// Whether a wait for input ends: something of `mask` is new, or there.
    pub(crate) fn has_input(&self, mask: u32, available: bool) -> bool {
        self.desktop.thread(self.who).looked.store(futex::now(), Ordering::Relaxed);
        self.drain();
        let state = self.state.borrow();
        (state.news | if available { Queue::present(&state) } else { 0 }) & mask != 0
    }

    /// When the next timer is due that has not been told of.
    pub(crate) fn next_untold(&self) -> Option<u64> {
        self.state.borrow().timers.iter().filter(|timer| !timer.told).map(|timer| timer.due).min()
    }

    /// WaitMessage: until there is something new. Serves what was sent.
    ///
    /// # Errors
    /// As [`retrieve`](Self::retrieve).
    pub(crate) fn wait_message(&self) -> Result<(), Code> {
        loop {
            self.desktop.thread(self.who).looked.store(futex::now(), Ordering::Relaxed);
            self.drain();
            while self.serve_one() {
                self.drain();
            }
            self.run_callbacks();
            let mut state = self.state.borrow_mut();
            let new = state.news & !QS_SENDMESSAGE;
            state.news &= QS_SENDMESSAGE;
            drop(state);
            if new != 0 {
                return Ok(());
            }
            if self.has_unserved() {
                continue;
            }
            if !self.is_sound() {
                return Err(Code::FILE_CORRUPT);
            }
            self.rest(self.next_untold(), None, self.last_from.get(), true);
        }
    }

    // Timers.

    /// SetTimer: its number.
    pub(crate) fn set_timer(
        &self,
        window: u32,
        id: usize,
        period: u32,
        procedure: Option<TimerProcedure>,
    ) -> usize {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let period = u64::from(period.clamp(10, 0x7FFF_FFFF)) * 1_000_000;
        let due = futex::now() + period;
        let known = |timer: &Timer| timer.window == window && timer.id == id;
        if let Some(timer) = state.timers.iter_mut().find(|timer| known(timer)) {
            (timer.period, timer.due, timer.told, timer.procedure) = (period, due, false, procedure);
            return if window == 0 { id } else { id.max(1) };
        }
        let id = if window == 0 {
            // A timer of the thread gets a number of its own.
            let used = |id: usize| state.timers.iter().any(|timer| timer.window == 0 && timer.id == id);
            (1..=usize::MAX)
                .rev()
                .map(|back| 0x8000_usize.wrapping_sub(back & 0x7FFF))
                .find(|id| !used(*id))
                .unwrap_or(1)
        } else {
            id
        };
        state.timers.push(Timer { window, id, period, due, told: false, procedure });
        if window == 0 { id } else { id.max(1) }
    }

    /// KillTimer; false if there is none.
    pub(crate) fn kill_timer(&self, window: u32, id: usize) -> bool {
        let mut state = self.state.borrow_mut();
        let before = state.timers.len();
        state.timers.retain(|timer| timer.window != window || timer.id != id);
        state.timers.len() != before
    }

    /// DispatchMessage for a timer with a procedure; false if there is no such timer, whoever posted the message.
    pub(crate) fn run_timer(&self, message: &Message) -> bool {
        let window = message.window.value() as u32;
        let found = {
            let state = self.state.borrow();
            let is_it = |timer: &&Timer| {
                timer.window == window
                    && timer.id == message.wparam
                    && timer.procedure.is_some_and(|procedure| procedure as usize as isize == message.lparam)
            };
            state.timers.iter().find(is_it).and_then(|timer| timer.procedure)
        };
        let Some(procedure) = found else { return false };
        procedures::run_timer(procedure, window, message.wparam, tick());
        true
    }

    // The end.

    /// Answers what is left, and gives the row up.
    fn close(&mut self) {
        let Some(page) = self.page.take() else { return };
        if record::is_forked() {
            // The row is the parent's, and lives. The mapping is left as it is.
            std::mem::forget(page);
            return;
        }
        let row = self.desktop.thread(self.who);
        let mut left = Vec::new();
        stack::close(row, self.desktop.slots(), &mut left);
        step("queue-closed");
        self.desktop.free_windows_of(self.who);
        for window in procedures::windows_of(self.who) {
            procedures::forget(window);
        }
        let state = self.state.get_mut();
        let handled: Vec<u32> = {
            let waits =
                state.handling.iter().filter(|handling| !handling.replied && handling.kind != Kind::Notify);
            waits.map(|handling| handling.slot).collect()
        };
        let mut kept: Vec<u32> = state.kept.drain(..).collect();
        let sent: Vec<u32> = state.sent.drain(..).collect();
        let arena_used = state.arena_used;
        state.handling.clear();
        for index in left {
            let slot = self.desktop.slot(index);
            slot.holder.store(self.who.word(), Ordering::Relaxed);
            match Kind::from_u32(slot.kind.load(Ordering::Relaxed)) {
                Some(Kind::Send | Kind::Callback | Kind::Notify) => self.refuse(index),
                _ => kept.push(index),
            }
        }
        for index in sent.into_iter().chain(handled) {
            self.refuse(index);
        }
        kept.append(&mut self.state.get_mut().kept);
        for index in kept {
            slots::free(self.desktop.slot(index));
        }
        if arena_used {
            self.desktop.give_back_arena(self.who);
        }
        self.desktop.release(self.who, page);
    }
}

impl Timer {
    fn message(&self) -> Message {
        let procedure = self.procedure.map_or(0, |procedure| procedure as usize as isize);
        Message {
            window: WindowHandle::from_raw(self.window as usize),
            message: WM_TIMER,
            wparam: self.id,
            lparam: procedure,
            time: tick(),
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.close();
    }
}
