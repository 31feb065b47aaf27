//! `OVERLAPPED`: operations that tell their outcome later, and what asks for it or ends them.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. The fields Internal and InternalHigh are written by
//! this library only: as an operation begins, by the thread that begins it; as it ends, once, under the lock of its
//! line (see [`crate::pending`]).
#![allow(unsafe_code)]

use std::sync::Arc;

use transom::Code;
use transom::event::Event;
use transom::handle::{Borrowed, FromHandle, Handle, Kind, RawHandle};
use transom::pipe::Pipe;
use transom::pipe::ext::{self, End};
use transom::thread;
use transom::wait::{Timeout, Wait};

use crate::apc::{Call, Queue, Routine};
use crate::ffi::{Bool, HANDLE, Out, Outcome, Plain, fail, truth};
use crate::mailslot;
use crate::pending::{self, Attached, Done, Operation, Request};
use crate::status::{self, PENDING};
use crate::wait::{Alertable, alertable_wait, timeout};

/// `OVERLAPPED`: where an operation starts, and what came of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct OVERLAPPED {
    internal: usize,
    internal_high: usize,
    offset: u32,
    offset_high: u32,
    event: HANDLE,
}

// SAFETY: integers and a handle, laid out as C does.
unsafe impl Plain for OVERLAPPED {}

impl OVERLAPPED {
    /// The place in a file.
    pub(crate) fn offset(&self) -> u64 {
        u64::from(self.offset_high) << 32 | u64::from(self.offset)
    }

    /// The lowest bit asks for no completion packet, of which there are none anyway.
    fn event(&self) -> Option<RawHandle> {
        let event = RawHandle::new(self.event.raw().value() & !1);
        (event != RawHandle::NULL).then_some(event)
    }
}

impl Out<OVERLAPPED> {
    fn internal(self) -> Out<usize> {
        self.cast()
    }

    fn moved(self) -> Out<usize> {
        self.offset(size_of::<usize>())
    }

    pub(crate) fn address(self) -> usize {
        self.pointer().addr()
    }
}

/// Whom an operation tells when it has ended.
enum Listener {
    Event(Borrowed<Event>),
    /// P54: the handle itself.
    Handle(End),
    /// A completion routine of the thread that began.
    Routine(Arc<Queue>, Routine),
    Nobody,
}

/// An operation with an OVERLAPPED that has begun. Dropped without [`Started::end`] it has failed at once: nothing
/// tells so but the call's result (P49).
pub(crate) struct Started {
    overlapped: Out<OVERLAPPED>,
    listener: Listener,
}

impl Started {
    /// Resets the event and marks the operation as going on (P47). `end` is the pipe's, if its handle is one for
    /// overlapped operations.
    pub(crate) fn begin(overlapped: Out<OVERLAPPED>, end: Option<&End>) -> Outcome<Started> {
        let given = overlapped.reader().required()?;
        let listener = match (given.event(), end) {
            (Some(event), _) => {
                let event = Event::borrow(event)?;
                event.reset()?;
                Listener::Event(event)
            }
            (None, Some(end)) => {
                Attached::of(end).set_busy(true)?;
                Listener::Handle(end.clone())
            }
            (None, None) => Listener::Nobody,
        };
        overlapped.internal().publish(PENDING);
        Ok(Started { overlapped, listener })
    }

    pub(crate) fn with_routine(overlapped: Out<OVERLAPPED>, routine: Routine) -> Outcome<Started> {
        let listener = Listener::Routine(Queue::own()?, routine);
        overlapped.required()?.internal().publish(PENDING);
        Ok(Started { overlapped, listener })
    }

    /// Stores the outcome and tells (P48, P50). From then on the OVERLAPPED is the program's again.
    pub(crate) fn end(mut self, done: Done) {
        let overlapped = self.overlapped;
        overlapped.moved().put(done.count);
        overlapped.internal().publish(status::of(done.code));
        match std::mem::replace(&mut self.listener, Listener::Nobody) {
            // Closed meanwhile: then nobody waits for it.
            Listener::Event(event) => drop(event.set()),
            Listener::Handle(end) => drop(Attached::of(&end).set_busy(false)),
            Listener::Routine(queue, routine) => queue.push(Call::Completion(routine, done, overlapped)),
            Listener::Nobody => {}
        }
    }
}

impl Started {
    /// Stores that a file refused, which sets no event.
    pub(crate) fn fail(self, code: Code) {
        self.overlapped.moved().put(0);
        self.overlapped.internal().publish(status::of(code));
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Listener::Handle(end) = &self.listener {
            // An event that was made cannot refuse.
            let _ = Attached::of(end).set_busy(false);
        }
    }
}

/// An operation on an end for overlapped operations. `Some`: it has ended at once.
///
/// # Errors
/// It failed at once.
pub(crate) fn begin(end: &End, request: Request, overlapped: Out<OVERLAPPED>) -> Outcome<Option<Done>> {
    begin_after(end, request, overlapped, || Ok(()))
}

/// The same after something that may fail, when the event has been reset already.
pub(crate) fn begin_after(
    end: &End,
    request: Request,
    overlapped: Out<OVERLAPPED>,
    first: impl FnOnce() -> Outcome<()>,
) -> Outcome<Option<Done>> {
    let started = Started::begin(overlapped, Some(end))?;
    first()?;
    enqueue(end, request, overlapped.address(), move |done| started.end(done))
}

/// The same with a completion routine, which is called also if the operation ends at once.
pub(crate) fn begin_with_routine(
    end: &End,
    request: Request,
    overlapped: Out<OVERLAPPED>,
    routine: Routine,
) -> Outcome<()> {
    let started = Started::with_routine(overlapped, routine)?;
    enqueue(end, request, overlapped.address(), move |done| started.end(done)).map(drop)
}

/// An operation on a file, which ends before the call returns; the routine is called nevertheless.
pub(crate) fn file_with_routine(
    overlapped: Out<OVERLAPPED>,
    routine: Routine,
    body: impl FnOnce() -> Outcome<usize>,
) -> Outcome<()> {
    let started = Started::with_routine(overlapped, routine)?;
    match body() {
        Ok(count) => {
            started.end(Done::moved(count));
            Ok(())
        }
        Err(failure) => {
            started.fail(failure.0);
            Err(failure)
        }
    }
}

/// The same without an OVERLAPPED: waits until it has ended (P55).
pub(crate) fn complete(end: &End, request: Request) -> Outcome<Done> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let told = move |done| {
        // There is room for the one that comes, and a receiver.
        let _ = sender.try_send(done);
    };
    if let Some(done) = enqueue(end, request, 0, told)? {
        return Ok(done);
    }
    let mut ended = None;
    pending::spin(|| {
        ended = receiver.try_recv().ok();
        ended.is_some()
    });
    match ended {
        Some(done) => Ok(done),
        // Whatever happens to the pipe, each operation is told.
        None => receiver.recv().map_err(|_| Code::INTERNAL_ERROR.into()),
    }
}

fn enqueue(
    end: &End,
    request: Request,
    overlapped: usize,
    told: impl FnOnce(Done) + Send + 'static,
) -> Outcome<Option<Done>> {
    let thread = pending::this_thread();
    pending::start(end, request, Operation { key: pending::key(), overlapped, thread, told: Box::new(told) })
}

/// The end of the pipe behind a handle; `None` for a file.
fn end_of(file: HANDLE) -> Outcome<Option<End>> {
    match Handle::borrow(file.raw())?.kind() {
        Some(Kind::Pipe) => Ok(Some(ext::end(&*Pipe::borrow(file.raw())?, 0)?)),
        Some(Kind::File) => Ok(None),
        _ => fail(Code::INVALID_HANDLE),
    }
}

/// Waits until an operation has ended: as Windows does, for its event or its handle.
fn wait_for(file: HANDLE, overlapped: Out<OVERLAPPED>, limit: Timeout, alertable: bool) -> Outcome<()> {
    let is_done = || overlapped.internal().observe() != PENDING;
    if pending::spin(is_done) {
        return Ok(());
    }
    let event = overlapped.reader().required()?.event();
    if event.is_none()
        && let Some(read) = mailslot::waiting(overlapped.address())
    {
        return match alertable_wait(&[&*Handle::borrow(read.over())?], false, limit, alertable)? {
            Alertable::Called => fail(Code::new(WAIT_IO_COMPLETION)),
            Alertable::Waited(Wait::Timeout) => fail(Code::new(WAIT_TIMEOUT)),
            Alertable::Waited(_) => Ok(()),
        };
    }
    let waited = match (event, end_of(file)) {
        (Some(event), _) => alertable_wait(&[&*Handle::borrow(event)?], false, limit, alertable)?,
        (None, Ok(Some(end))) => match Attached::of(&end).idle() {
            Some(idle) => alertable_wait(&[&*Handle::borrow(idle)?], false, limit, alertable)?,
            None => Alertable::Waited(Wait::Object(0)),
        },
        (None, _) => Alertable::Waited(Wait::Object(0)),
    };
    match waited {
        Alertable::Called => fail(Code::new(WAIT_IO_COMPLETION)),
        Alertable::Waited(Wait::Timeout) => fail(Code::new(WAIT_TIMEOUT)),
        Alertable::Waited(_) => Ok(()),
    }
}

/// `WAIT_IO_COMPLETION`.
pub(crate) const WAIT_IO_COMPLETION: u32 = 0xC0;
/// `WAIT_TIMEOUT`.
const WAIT_TIMEOUT: u32 = 0x102;

fn result(
    file: HANDLE,
    overlapped: Out<OVERLAPPED>,
    count: Out<u32>,
    milliseconds: u32,
    alertable: bool,
) -> Bool {
    truth(|| {
        let internal = overlapped.required()?.internal();
        let count = count.required()?;
        pending::progress();
        if internal.observe() == PENDING {
            if milliseconds == 0 {
                return fail(Code::IO_INCOMPLETE);
            }
            wait_for(file, overlapped, timeout(milliseconds), alertable)?;
        }
        let status = internal.observe();
        if status == PENDING {
            return fail(Code::IO_INCOMPLETE);
        }
        // Counts come from 32 bits.
        count.put(overlapped.moved().reader().required()? as u32);
        match status::code(status) {
            Code::SUCCESS => Ok(()),
            code => fail(code),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetOverlappedResult(
    file: HANDLE,
    overlapped: Out<OVERLAPPED>,
    count: Out<u32>,
    wait: Bool,
) -> Bool {
    result(file, overlapped, count, if wait != 0 { u32::MAX } else { 0 }, false)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetOverlappedResultEx(
    file: HANDLE,
    overlapped: Out<OVERLAPPED>,
    count: Out<u32>,
    milliseconds: u32,
    alertable: Bool,
) -> Bool {
    result(file, overlapped, count, milliseconds, alertable != 0)
}

/// P53: nothing to cancel is no failure.
#[unsafe(no_mangle)]
pub extern "C" fn CancelIo(file: HANDLE) -> Bool {
    truth(|| {
        if mailslot::is(file.raw()) {
            mailslot::cancel(file.raw(), Some(thread::current_id()), None)?;
            return Ok(());
        }
        if let Some(end) = end_of(file)? {
            pending::progress();
            pending::cancel(&end, Some(thread::current_id()), None);
            pending::progress();
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CancelIoEx(file: HANDLE, overlapped: Out<OVERLAPPED>) -> Bool {
    truth(|| {
        let which = (!overlapped.is_null()).then_some(overlapped.address());
        if mailslot::is(file.raw()) {
            pending::progress();
            return if mailslot::cancel(file.raw(), None, which)? > 0 {
                Ok(())
            } else {
                fail(Code::NOT_FOUND)
            };
        }
        let Some(end) = end_of(file)? else { return fail(Code::NOT_FOUND) };
        pending::progress();
        let mut found = pending::cancel(&end, None, which) > 0;
        if which.is_none() && !end.is_overlapped() {
            // A call that waits in another thread.
            found |= end.cancel();
        }
        pending::progress();
        if found { Ok(()) } else { fail(Code::NOT_FOUND) }
    })
}
