//! Reading and writing through any handle that can: files and ends of pipes, now or later.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. Completion routines are functions of the program.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use transom::Code;
use transom::handle::{Borrowed, FromHandle, Handle, Kind, RawHandle, ext as handle_ext};
use transom::pipe::Pipe;
use transom::pipe::ext::{self, End};
use transom::process;
use transom::thread::{self, Thread};
use transom_core::access;

use crate::apc::Routine;
use crate::ffi::{Bool, HANDLE, In, Out, Outcome, fail, truth};
use crate::mailslot;
use crate::os;
use crate::overlapped::{self, OVERLAPPED, Started};
use crate::pending::{self, Attached, Done, Request};

/// The right that this handle can write by.
pub(crate) fn write_right(handle: &Handle) -> u32 {
    if handle_ext::granted_access(handle) & access::FILE_WRITE_DATA != 0 {
        access::FILE_WRITE_DATA
    } else {
        access::FILE_APPEND_DATA
    }
}

/// What can be read or written, its number looked up once.
enum Target {
    Pipe(Borrowed<Pipe>),
    Mailslot(Borrowed<Handle>),
    File(Borrowed<Handle>),
}

impl Target {
    /// What is done with a pipe may wait for a child that left this thread a head start, so that ends here.
    fn of(file: HANDLE) -> Outcome<Target> {
        let handle = Handle::borrow(file.raw())?;
        match handle.kind() {
            Some(Kind::Mailslot) => Ok(Target::Mailslot(handle)),
            Some(Kind::File) => Ok(Target::File(handle)),
            _ => {
                let pipe = handle.into_typed()?;
                process::let_go();
                Ok(Target::Pipe(pipe))
            }
        }
    }
}

/// A synchronous end while this thread makes a call on it. The call is the only one (P56), and `CancelSynchronousIo`
/// finds it. `None` for an end for overlapped operations, on which any number of calls go on at once.
pub(crate) struct Here<'a> {
    serial: Option<MutexGuard<'a, ()>>,
}

/// For each thread that has made synchronous calls on pipes: the handle of the one it makes now, or 0.
static CALLING: Mutex<BTreeMap<u32, Arc<AtomicUsize>>> = Mutex::new(BTreeMap::new());

fn calling() -> MutexGuard<'static, BTreeMap<u32, Arc<AtomicUsize>>> {
    CALLING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This thread's row of [`CALLING`], which it takes along when it ends.
struct Slot {
    thread: u32,
    handle: Arc<AtomicUsize>,
}

impl Slot {
    fn new() -> Slot {
        let slot = Slot { thread: thread::current_id(), handle: Arc::default() };
        calling().insert(slot.thread, Arc::clone(&slot.handle));
        slot
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        calling().remove(&self.thread);
    }
}

thread_local! {
    static SLOT: Slot = Slot::new();
}

impl<'a> Here<'a> {
    pub(crate) fn at(end: &'a End, raw: RawHandle) -> Here<'a> {
        if end.is_overlapped() {
            return Here { serial: None };
        }
        Here::alone(Some(Attached::of(end)), raw)
    }

    /// At the end of a pipe that is known to be synchronous.
    fn on(pipe: &'a Pipe, raw: RawHandle) -> Here<'a> {
        Here::alone(Attached::of_pipe(pipe), raw)
    }

    fn alone(attached: Option<&'a Attached>, raw: RawHandle) -> Here<'a> {
        let serial = attached.map(Attached::serial);
        calls_on(raw.value());
        Here { serial }
    }
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        if self.serial.is_some() {
            calls_on(0);
        }
    }
}

/// Notes which handle this thread makes a call on. A thread that is just ending cannot be found any more.
fn calls_on(handle: usize) {
    let _ = SLOT.try_with(|slot| slot.handle.store(handle, Ordering::Relaxed));
}

/// Ends the synchronous call on a pipe that another thread makes.
#[unsafe(no_mangle)]
pub extern "C" fn CancelSynchronousIo(thread: HANDLE) -> Bool {
    truth(|| {
        let id = Thread::borrow(thread.raw())?.id()?;
        let handle = calling().get(&id).map_or(0, |slot| slot.load(Ordering::Relaxed));
        if mailslot::cancel_synchronous(id) {
            return Ok(());
        }
        let cancelled = handle != 0
            && Pipe::borrow(RawHandle::new(handle))
                .and_then(|pipe| ext::end(&pipe, 0))
                .is_ok_and(|end| end.cancel());
        if cancelled { Ok(()) } else { fail(Code::NOT_FOUND) }
    })
}

/// One operation on an end of a pipe: what it needs, how an overlapped handle does it, and how a synchronous one.
pub(crate) struct Transfer<F> {
    pub(crate) right: u32,
    pub(crate) request: Request,
    pub(crate) blocking: F,
}

impl<F: FnOnce(&Pipe) -> Outcome<Done>> Transfer<F> {
    /// Does it, and tells in all places that want to know.
    pub(crate) fn run(
        self,
        pipe: &Pipe,
        raw: RawHandle,
        count: Out<u32>,
        overlapped: Out<OVERLAPPED>,
    ) -> Outcome<()> {
        let done = match ext::overlapped_end(pipe, self.right)? {
            Some(end) if overlapped.is_null() => overlapped::complete(&end, self.request)?,
            Some(end) => match overlapped::begin(&end, self.request, overlapped)? {
                Some(done) if has_data(done) => done,
                // What ends later, or has just done so after it had to wait.
                _ => return fail(Code::IO_PENDING),
            },
            None => {
                pending::progress();
                let done = {
                    let _here = Here::on(pipe, raw);
                    let started =
                        if overlapped.is_null() { None } else { Some(Started::begin(overlapped, None)?) };
                    let done = (self.blocking)(pipe)?;
                    if let Some(started) = started {
                        started.end(done);
                    }
                    done
                };
                // What was read or written here others may wait for.
                pending::progress();
                done
            }
        };
        if done.code == Code::SUCCESS || (done.code == Code::MORE_DATA && overlapped.is_null()) {
            // Counts come from 32 bits.
            count.put(done.count as u32);
        }
        if done.code == Code::SUCCESS { Ok(()) } else { fail(done.code) }
    }
}

/// Whether an operation has brought what it was for, be it in part (P50).
fn has_data(done: Done) -> bool {
    done.code == Code::SUCCESS || done.code == Code::MORE_DATA
}

#[unsafe(no_mangle)]
pub extern "C" fn ReadFile(
    file: HANDLE,
    mut buffer: Out<u8>,
    size: u32,
    count: Out<u32>,
    overlapped: Out<OVERLAPPED>,
) -> Bool {
    truth(|| {
        if count.is_null() && overlapped.is_null() {
            return fail(Code::INVALID_PARAMETER);
        }
        count.put(0);
        let pipe = match Target::of(file)? {
            Target::Pipe(pipe) => pipe,
            Target::Mailslot(slot) => return mailslot::read(slot, buffer, size, count, overlapped),
            Target::File(file) => {
                return on_file(count, overlapped, |offset| {
                    read_file(&file, buffer.bytes(size as usize)?, offset)
                });
            }
        };
        Transfer {
            right: access::FILE_READ_DATA,
            request: pending::read(buffer, size, false),
            blocking: |pipe: &Pipe| Ok(Done::received(pipe.receive_message(buffer.bytes(size as usize)?)?)),
        }
        .run(&pipe, file.raw(), count, overlapped)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn WriteFile(
    file: HANDLE,
    buffer: In<u8>,
    size: u32,
    count: Out<u32>,
    overlapped: Out<OVERLAPPED>,
) -> Bool {
    truth(|| {
        if count.is_null() && overlapped.is_null() {
            return fail(Code::INVALID_PARAMETER);
        }
        count.put(0);
        let pipe = match Target::of(file)? {
            Target::Pipe(pipe) => pipe,
            Target::Mailslot(slot) => {
                return on_file(count, overlapped, |_| mailslot::write(slot, buffer.bytes(size as usize)?));
            }
            Target::File(file) => {
                return on_file(count, overlapped, |offset| {
                    write_file(&file, buffer.bytes(size as usize)?, offset)
                });
            }
        };
        Transfer {
            right: access::FILE_WRITE_DATA,
            request: pending::write(buffer, size),
            blocking: |pipe: &Pipe| Ok(Done::moved(pipe.send(buffer.bytes(size as usize)?)?)),
        }
        .run(&pipe, file.raw(), count, overlapped)
    })
}

/// What both Ex forms do with a pipe: only overlapped handles have operations that end later.
fn with_routine(
    pipe: &Pipe,
    overlapped: Out<OVERLAPPED>,
    routine: Routine,
    right: u32,
    request: Request,
) -> Outcome<()> {
    let end = ext::end(pipe, right)?;
    if !end.is_overlapped() {
        return fail(Code::INVALID_PARAMETER);
    }
    overlapped::begin_with_routine(&end, request, overlapped, routine)
}

/// # Safety
/// `routine` is a function that can be called in an alertable wait of the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReadFileEx(
    file: HANDLE,
    mut buffer: Out<u8>,
    size: u32,
    overlapped: Out<OVERLAPPED>,
    routine: Option<Routine>,
) -> Bool {
    truth(|| {
        let (Some(routine), Some(given)) = (routine, overlapped.reader().get()) else {
            return fail(Code::INVALID_PARAMETER);
        };
        match Target::of(file)? {
            Target::Pipe(pipe) => {
                let request = pending::read(buffer, size, false);
                with_routine(&pipe, overlapped, routine, access::FILE_READ_DATA, request)
            }
            Target::Mailslot(slot) => mailslot::read_with_routine(slot, buffer, size, overlapped, routine),
            Target::File(file) => overlapped::file_with_routine(overlapped, routine, || {
                read_file(&file, buffer.bytes(size as usize)?, Some(given.offset()))
            }),
        }
    })
}

/// # Safety
/// As [`ReadFileEx`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WriteFileEx(
    file: HANDLE,
    buffer: In<u8>,
    size: u32,
    overlapped: Out<OVERLAPPED>,
    routine: Option<Routine>,
) -> Bool {
    truth(|| {
        let (Some(routine), Some(given)) = (routine, overlapped.reader().get()) else {
            return fail(Code::INVALID_PARAMETER);
        };
        match Target::of(file)? {
            Target::Pipe(pipe) => {
                let request = pending::write(buffer, size);
                with_routine(&pipe, overlapped, routine, access::FILE_WRITE_DATA, request)
            }
            Target::Mailslot(slot) => overlapped::file_with_routine(overlapped, routine, || {
                mailslot::write(slot, buffer.bytes(size as usize)?)
            }),
            Target::File(file) => overlapped::file_with_routine(overlapped, routine, || {
                write_file(&file, buffer.bytes(size as usize)?, Some(given.offset()))
            }),
        }
    })
}

/// Runs a transfer on a file, which ends before the call returns, and tells the count in both places that may want it.
fn on_file(
    count: Out<u32>,
    overlapped: Out<OVERLAPPED>,
    body: impl FnOnce(Option<u64>) -> Outcome<usize>,
) -> Outcome<()> {
    let Some(given) = overlapped.reader().get() else {
        // No more than was asked for, which was 32 bits.
        count.put(body(None)? as u32);
        return Ok(());
    };
    let started = Started::begin(overlapped, None)?;
    match body(Some(given.offset())) {
        Ok(done) => {
            count.put(done as u32);
            started.end(Done::moved(done));
            Ok(())
        }
        Err(failure) => {
            started.fail(failure.0);
            Err(failure)
        }
    }
}

fn read_file(handle: &Handle, buffer: &mut [u8], offset: Option<u64>) -> Outcome<usize> {
    let file = os::file(handle_ext::as_fd(handle, access::FILE_READ_DATA)?);
    let Some(offset) = offset else {
        return Ok(again(|| (&*file).read(buffer))?);
    };
    let size = buffer.len();
    let done = again(|| file.read_at(buffer, offset))?;
    if done == 0 && size > 0 {
        return fail(Code::HANDLE_EOF);
    }
    move_behind(&file, offset, done);
    Ok(done)
}

fn write_file(handle: &Handle, bytes: &[u8], offset: Option<u64>) -> Outcome<usize> {
    let file = os::file(handle_ext::as_fd(handle, write_right(handle))?);
    match offset {
        None => (&*file).write_all(bytes)?,
        // The end of the file, wherever that is.
        Some(u64::MAX) => {
            (&*file).seek(SeekFrom::End(0))?;
            (&*file).write_all(bytes)?;
        }
        Some(offset) => {
            file.write_all_at(bytes, offset)?;
            move_behind(&file, offset, bytes.len());
        }
    }
    Ok(bytes.len())
}

/// A call that a signal interrupted goes on.
fn again(mut call: impl FnMut() -> std::io::Result<usize>) -> std::io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A transfer at a place moves the position of the file there.
fn move_behind(mut file: &File, offset: u64, count: usize) {
    // A device may have no position.
    let _ = file.seek(SeekFrom::Start(offset.saturating_add(count as u64)));
}

#[unsafe(no_mangle)]
pub extern "C" fn FlushFileBuffers(file: HANDLE) -> Bool {
    truth(|| {
        let handle = match Target::of(file)? {
            Target::Pipe(pipe) => {
                pending::progress();
                let end = ext::end(&pipe, access::FILE_WRITE_DATA)?;
                let _here = Here::at(&end, file.raw());
                return Ok(pipe.flush()?);
            }
            Target::Mailslot(_) => return fail(Code::INVALID_HANDLE),
            Target::File(handle) => handle,
        };
        let file = os::file(handle_ext::as_fd(&handle, write_right(&handle))?);
        match file.sync_all() {
            // A device has nothing to hand over.
            Err(error) if os::code(&error) == Code::INVALID_PARAMETER => Ok(()),
            result => Ok(result?),
        }
    })
}
