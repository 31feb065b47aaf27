//! `MsgWaitForMultipleObjects`: waiting for objects and for the queue.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::time::Instant;

use transom::Code;
use transom::handle::{AsHandle, Borrowed, Handle};
use transom::wait::{MAXIMUM_WAIT_OBJECTS, Timeout, Wait};
use transom::window::message::{MWMO_ALERTABLE, MWMO_INPUTAVAILABLE, MWMO_WAITALL};
use transom::window::raw::{self, MessageWait};

use crate::apc::Queue;
use crate::ffi::{Bool, HANDLE, In, Outcome, fail, guard};
use crate::overlapped::WAIT_IO_COMPLETION;
use crate::pending;
use crate::wait::{SLICE, stand_in, timeout};

/// `WAIT_FAILED`.
const WAIT_FAILED: u32 = u32::MAX;

/// One of the objects is the queue.
const MOST: usize = MAXIMUM_WAIT_OBJECTS - 1;

fn wait(count: u32, handles: In<HANDLE>, milliseconds: u32, mask: u32, flags: u32) -> u32 {
    guard(WAIT_FAILED, || {
        let known = MWMO_WAITALL | MWMO_ALERTABLE | MWMO_INPUTAVAILABLE;
        if count as usize > MOST || flags & !known != 0 {
            return fail(Code::INVALID_PARAMETER);
        }
        let borrowed = handles
            .values(count as usize)?
            .iter()
            .map(|handle| Ok(Handle::borrow(handle.raw())?))
            .collect::<Outcome<Vec<Borrowed<Handle>>>>()?;
        // What waits on pipes goes on first, and their handles stand for the events of what waits there.
        pending::progress();
        let stand_ins = borrowed.iter().map(|handle| stand_in(handle)).collect::<Outcome<Vec<_>>>()?;
        let objects: Vec<&Handle> = borrowed
            .iter()
            .zip(&stand_ins)
            .map(|(handle, stand_in)| match stand_in {
                Some(stand_in) => &**stand_in,
                None => &**handle,
            })
            .collect();
        let limit = timeout(milliseconds);
        let ended = if flags & MWMO_ALERTABLE == 0 {
            raw::wait(&objects, limit, mask, flags)?
        } else {
            alertable(&objects, limit, mask, flags & !MWMO_ALERTABLE)?
        };
        Ok(match ended {
            MessageWait::Objects(wait) => wait.value(),
            MessageWait::Input => count,
            MessageWait::Called => WAIT_IO_COMPLETION,
        })
    })
}

/// As `wait_or_call` of [`crate::wait`], and for the queue as well.
fn alertable(objects: &[&Handle], limit: Timeout, mask: u32, flags: u32) -> Outcome<MessageWait> {
    let queue = Queue::own()?;
    let began = Instant::now();
    // The event of the calls is one object more, and none that a wait for all could have.
    let together = flags & MWMO_WAITALL == 0 && objects.len() < MOST;
    let mut all: Vec<&Handle> = objects.to_vec();
    if together {
        all.push(queue.event().as_handle());
    }
    loop {
        if queue.run() {
            return Ok(MessageWait::Called);
        }
        let rest = match limit.as_duration() {
            Some(limit) => Timeout::from_duration(limit.saturating_sub(began.elapsed())),
            None => Timeout::INFINITE,
        };
        let turn = if together { rest } else { rest.min(SLICE) };
        match raw::wait(&all, turn, mask, flags)? {
            MessageWait::Objects(Wait::Object(index)) if index == objects.len() => {}
            MessageWait::Objects(Wait::Timeout) if rest != Timeout::ZERO => pending::progress(),
            ended => return Ok(ended),
        }
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn MsgWaitForMultipleObjects(
    count: u32,
    handles: In<HANDLE>,
    all: Bool,
    milliseconds: u32,
    mask: u32,
) -> u32 {
    wait(count, handles, milliseconds, mask, if all != 0 { MWMO_WAITALL } else { 0 })
}

#[unsafe(no_mangle)]
pub extern "C" fn MsgWaitForMultipleObjectsEx(
    count: u32,
    handles: In<HANDLE>,
    milliseconds: u32,
    mask: u32,
    flags: u32,
) -> u32 {
    wait(count, handles, milliseconds, mask, flags)
}
