//! Calls that a thread makes to itself in alertable waits: completion routines of `ReadFileEx` and `WriteFileEx`,
//! and `QueueUserAPC`.
//!
//! Each thread that such calls are meant for has a queue and an event that is set while the queue is not empty, so
//! that an alertable wait is one for its objects and that event.
//!
//! # Safety
//! The calls are functions of the program, with pointers that are the program's affair.
#![allow(unsafe_code)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use transom::Code;
use transom::event::Event;
use transom::handle::FromHandle;
use transom::thread::{self, Thread};

use crate::ffi::{HANDLE, Out, Outcome, fail, guard};
use crate::overlapped::OVERLAPPED;
use crate::pending::Done;

/// `LPOVERLAPPED_COMPLETION_ROUTINE`: error code, bytes moved, the OVERLAPPED.
pub(crate) type Routine = unsafe extern "C-unwind" fn(u32, u32, Out<OVERLAPPED>);
/// `PAPCFUNC`.
type UserCall = unsafe extern "C-unwind" fn(usize);

/// What is to be called.
pub(crate) enum Call {
    Completion(Routine, Done, Out<OVERLAPPED>),
    User(UserCall, usize),
}

/// A thread's calls that are still to be made.
pub(crate) struct Queue {
    calls: Mutex<VecDeque<Call>>,
    event: Event,
}

/// The queues of threads, by their ids. A thread takes its own along when it ends.
static QUEUES: Mutex<BTreeMap<u32, Arc<Queue>>> = Mutex::new(BTreeMap::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes a thread's queue when it ends.
struct Ends(u32);

impl Drop for Ends {
    fn drop(&mut self) {
        lock(&QUEUES).remove(&self.0);
    }
}

thread_local! {
    static ENDS: Ends = Ends(thread::current_id());
}

impl Queue {
    fn of(thread: u32) -> Outcome<Arc<Queue>> {
        if let Some(queue) = lock(&QUEUES).get(&thread) {
            return Ok(Arc::clone(queue));
        }
        let made = Arc::new(Queue { calls: Mutex::default(), event: Event::new(true)? });
        Ok(Arc::clone(lock(&QUEUES).entry(thread).or_insert(made)))
    }

    /// The calling thread's.
    pub(crate) fn own() -> Outcome<Arc<Queue>> {
        // A thread that is just ending keeps its queue a little too long.
        let id = ENDS.try_with(|ends| ends.0).unwrap_or_else(|_| thread::current_id());
        Queue::of(id)
    }

    pub(crate) fn push(&self, call: Call) {
        let mut calls = lock(&self.calls);
        calls.push_back(call);
        // The event is this crate's own; it can be set.
        let _ = self.event.set();
    }

    /// What an alertable wait waits for besides its objects.
    pub(crate) fn event(&self) -> &Event {
        &self.event
    }

    fn next(&self) -> Option<Call> {
        let mut calls = lock(&self.calls);
        let call = calls.pop_front();
        if call.is_none() {
            let _ = self.event.reset();
        }
        call
    }

    /// Makes the calls, and those that come meanwhile, in their order; whether there was one.
    pub(crate) fn run(&self) -> bool {
        let mut any = false;
        while let Some(call) = self.next() {
            any = true;
            match call {
                // SAFETY: the program said so when it began the operation. The pointer is its own OVERLAPPED, which
                // the library has no more to do with.
                Call::Completion(routine, done, overlapped) => unsafe {
                    // Counts come from 32 bits.
                    routine(done.code.value(), done.count as u32, overlapped);
                },
                // SAFETY: the program said so when it queued the call.
                Call::User(call, data) => unsafe { call(data) },
            }
        }
        any
    }
}

/// `ERROR_INVALID_PARAMETER` for a call that is none; 0 is failure.
#[unsafe(no_mangle)]
pub extern "C" fn QueueUserAPC(call: Option<UserCall>, thread: HANDLE, data: usize) -> u32 {
    guard(0, || {
        let Some(call) = call else { return fail(Code::INVALID_PARAMETER) };
        let thread = Thread::borrow(thread.raw())?;
        if thread.exit_code()?.is_some() {
            return fail(Code::GEN_FAILURE);
        }
        Queue::of(thread.id()?)?.push(Call::User(call, data));
        Ok(1)
    })
}
