//! Looking at a thread's queue.
//!
//! # Safety
//! A message goes to its window as the queue gave it.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Instant;

use super::WindowHandle;
use super::message::{MWMO_INPUTAVAILABLE, PM_NOREMOVE, PM_REMOVE, QS_ALLINPUT, WM_QUIT};
use super::procedure::resume;
use super::raw::{self, Charset, Message, MessageWait};
use crate::error::Result;
use crate::handle::{AsHandle, Handle};
use crate::wait::{Timeout, Wait};

/// How many messages are handled before a loop looks at its objects and its clock again.
const BATCH: usize = 32;

type OnThreadMessage = dyn Fn(u32, usize, isize);

/// The calling thread's message loop (`GetMessage`, `DispatchMessage`): what lets the closures of its windows run.
///
/// A thread may make several; they share its queue.
pub struct MessageLoop {
    on_thread_message: RefCell<Option<Rc<OnThreadMessage>>>,
    thread_bound: PhantomData<*const ()>,
}

/// How [`MessageLoop::wait_with`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// An object was signalled, or the time ran out.
    Wait(Wait),
    /// The thread was told to quit, with this code.
    Quit(i32),
}

impl MessageLoop {
    /// The loop of this thread, which from now on has a queue: others can post to it (W36).
    ///
    /// # Errors
    /// The desktop cannot be reached.
    ///
    /// # Panics
    /// With the panic of a closure of this thread's windows: what was sent to them is served.
    pub fn new() -> Result<MessageLoop> {
        let looked = raw::peek(WindowHandle::NULL, 0, 0, PM_NOREMOVE, Charset::Wide);
        resume();
        looked?;
        Ok(MessageLoop { on_thread_message: RefCell::default(), thread_bound: PhantomData })
    }

    /// What gets the messages that are posted to the thread and not to a window (`PostThreadMessage`), in place of what did
    /// before: number, `wParam`, `lParam`. Without it they are dropped.
    pub fn on_thread_message(&self, closure: impl Fn(u32, usize, isize) + 'static) {
        drop(self.on_thread_message.replace(Some(Rc::new(closure))));
    }

    /// `GetMessage` and `DispatchMessage`, until the thread is told to [`quit`](Self::quit); the code it was told.
    ///
    /// # Errors
    /// The desktop cannot be reached.
    ///
    /// # Blocking
    /// Without limit.
    ///
    /// # Panics
    /// With the panic of a closure.
    #[doc(alias = "GetMessage")]
    #[doc(alias = "DispatchMessage")]
    pub fn run(&self) -> Result<i32> {
        loop {
            let message = raw::get(WindowHandle::NULL, 0, 0, Charset::Wide);
            resume();
            if let Some(code) = self.handle(&message?) {
                return Ok(code);
            }
        }
    }

    /// The same for this long at most; `None` if nobody told it to quit.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    ///
    /// # Blocking
    /// For `timeout`; a closure that takes longer is not stopped.
    ///
    /// # Panics
    /// With the panic of a closure.
    pub fn run_for(&self, timeout: impl Into<Timeout>) -> Result<Option<i32>> {
        Ok(match self.wait_with(&[], timeout)? {
            Ended::Quit(code) => Some(code),
            Ended::Wait(_) => None,
        })
    }

    /// `PeekMessage`: handles what is there, and does not wait. The code if the thread was told to quit.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    ///
    /// # Blocking
    /// As long as the closures take.
    ///
    /// # Panics
    /// With the panic of a closure.
    #[doc(alias = "PeekMessage")]
    pub fn poll(&self) -> Result<Option<i32>> {
        loop {
            match self.step()? {
                Step::Empty => return Ok(None),
                Step::Quit(code) => return Ok(Some(code)),
                Step::Handled => {}
            }
        }
    }

    /// `MsgWaitForMultipleObjectsEx`: handles messages until one of the objects is signalled, as
    /// [`wait::any`](crate::wait::any) has it, or the thread is told to quit.
    ///
    /// # Parameters
    /// `objects`: at most 63; none is fine. `timeout`: how long at most.
    ///
    /// # Errors
    /// As [`wait::any`](crate::wait::any); `ERROR_INVALID_PARAMETER` (87): more than 63 objects.
    ///
    /// # Blocking
    /// For `timeout`; a closure that takes longer is not stopped. An object that is signalled is not kept waiting by
    /// messages that do not end.
    ///
    /// # Panics
    /// With the panic of a closure.
    #[doc(alias = "MsgWaitForMultipleObjectsEx")]
    pub fn wait_with(&self, objects: &[&dyn AsHandle], timeout: impl Into<Timeout>) -> Result<Ended> {
        let handles: Vec<&Handle> = objects.iter().map(|object| object.as_handle()).collect();
        let timeout = timeout.into();
        let began = Instant::now();
        loop {
            let left = timeout.as_duration().map(|limit| limit.saturating_sub(began.elapsed()));
            let left = left.map_or(Timeout::INFINITE, Timeout::from_duration);
            match raw::wait(&handles, left, QS_ALLINPUT, MWMO_INPUTAVAILABLE)? {
                MessageWait::Objects(Wait::Timeout) => {
                    // What came at the last moment, or a time of 0: it is there, so it is handled.
                    return match self.batch()? {
                        Some(code) => Ok(Ended::Quit(code)),
                        None => Ok(Ended::Wait(Wait::Timeout)),
                    };
                }
                MessageWait::Objects(wait) => return Ok(Ended::Wait(wait)),
                MessageWait::Input => {
                    if let Some(code) = self.batch()? {
                        return Ok(Ended::Quit(code));
                    }
                    let over = timeout.as_duration().is_some_and(|limit| began.elapsed() >= limit);
                    if over && handles.is_empty() {
                        return Ok(Ended::Wait(Wait::Timeout));
                    }
                }
                MessageWait::Called => {}
            }
        }
    }

    /// `PostQuitMessage`: lets this thread's loop end with this code, after what was posted before (W30).
    #[doc(alias = "PostQuitMessage")]
    pub fn quit(code: i32) {
        raw::post_quit(code);
    }

    /// Handles some of what is there.
    fn batch(&self) -> Result<Option<i32>> {
        for _ in 0..BATCH {
            match self.step()? {
                Step::Empty => break,
                Step::Quit(code) => return Ok(Some(code)),
                Step::Handled => {}
            }
        }
        Ok(None)
    }

    /// Serves what was sent, and handles one message if there is one.
    fn step(&self) -> Result<Step> {
        let message = raw::peek(WindowHandle::NULL, 0, 0, PM_REMOVE, Charset::Wide);
        resume();
        let Some(message) = message? else { return Ok(Step::Empty) };
        Ok(self.handle(&message).map_or(Step::Handled, Step::Quit))
    }

    /// Gives a message to its window; the code if it says quit.
    fn handle(&self, message: &Message) -> Option<i32> {
        if message.message == WM_QUIT {
            // The parameter is the code, which has 32 bits.
            return Some(message.wparam as i32);
        }
        if message.window.is_null() {
            let closure = self.on_thread_message.borrow().clone();
            if let Some(closure) = closure {
                closure(message.message, message.wparam, message.lparam);
            }
        }
        // SAFETY: as the queue gave it. Timers of the thread may have procedures, so those without a window go this way too.
        unsafe { raw::dispatch(message, Charset::Wide) };
        resume();
        None
    }
}

impl fmt::Debug for MessageLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageLoop").finish_non_exhaustive()
    }
}

/// What one look at the queue gave.
enum Step {
    Empty,
    Handled,
    Quit(i32),
}
