//! Mailslots: `CreateMailslot`, opening one, what waits in it, and reads that end later.
//!
//! A handle of `CreateMailslot` is always one for overlapped operations (S25). A read that has to wait is put in
//! [`READS`], and a thread of its own sleeps until there is a message or its time is up. As with pipes, nothing
//! depends on when that thread runs: every call that waits or looks lets the reads that wait go on first, in the
//! order in which they began.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use transom::Code;
use transom::event::Event;
use transom::handle::{AsHandle, Borrowed, FromHandle, Handle, Kind, RawHandle};
use transom::mailslot::ext::{self, Limit, Slot};
use transom::mailslot::{Options, Server, Writer};
use transom::wait::Timeout;
use transom::{process, thread};
use transom_core::name::MailslotName;

use crate::apc::Routine;
use crate::ffi::{Bool, HANDLE, In, Out, Outcome, Unit, fail, guard, truth};
use crate::overlapped::{OVERLAPPED, Started};
use crate::pending::{self, Done};
use crate::security::{self, SECURITY_ATTRIBUTES};

/// `MAILSLOT_NO_MESSAGE`.
const NO_MESSAGE: u32 = u32::MAX;

/// Nobody stops it.
static GO_ON: AtomicBool = AtomicBool::new(false);

/// Reads that wait, in the order in which they began.
static READS: Mutex<Vec<Arc<Read>>> = Mutex::new(Vec::new());
/// How many those are.
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A read that waits.
pub(crate) struct Read {
    slot: Slot,
    /// The address of its OVERLAPPED; 0: the calling thread waits itself.
    overlapped: usize,
    /// The thread that began it.
    thread: u32,
    stop: AtomicBool,
    /// What is to be done for it; `None` once it has ended, or if its thread does it.
    waiting: Mutex<Option<Waiting>>,
    /// Set when it has ended.
    over: Event,
}

struct Waiting {
    buffer: Out<u8>,
    length: usize,
    started: Started,
}

impl Read {
    /// The event that is set when it has ended.
    pub(crate) fn over(&self) -> RawHandle {
        self.over.as_handle().as_raw()
    }

    /// Takes a message, if there is one and nobody has ended the read yet; false if it goes on waiting.
    fn step(&self) -> bool {
        let mut waiting = lock(&self.waiting);
        let Some(given) = &mut *waiting else { return true };
        let now = self.slot.limit(Some(Timeout::ZERO));
        let received = match given.buffer.bytes(given.length) {
            Ok(buffer) => self.slot.receive(buffer, now, &GO_ON),
            Err(failure) => Err(failure.0),
        };
        let done = match received {
            Ok(count) => Done::moved(count),
            Err(Code::SEM_TIMEOUT) => return false,
            Err(code) => Done::failed(code),
        };
        self.tell(waiting.take(), done);
        true
    }

    fn end(&self, code: Code) -> bool {
        let waiting = lock(&self.waiting).take();
        let had = waiting.is_some();
        self.tell(waiting, Done::failed(code));
        had
    }

    fn tell(&self, waiting: Option<Waiting>, done: Done) {
        let Some(waiting) = waiting else { return };
        forget(self);
        waiting.started.end(done);
        // An event that was made cannot refuse.
        let _ = self.over.set();
    }

    /// What the thread of the read does.
    fn run(&self, limit: Limit) {
        loop {
            match self.slot.wait(limit, &self.stop) {
                Ok(()) => {
                    // Those that began earlier come first.
                    progress();
                    if lock(&self.waiting).is_none() {
                        return;
                    }
                }
                Err(code) => {
                    // Closing the handle ends what was begun through it.
                    let code = if code == Code::INVALID_HANDLE { Code::OPERATION_ABORTED } else { code };
                    self.end(code);
                    return;
                }
            }
        }
    }
}

fn enlist(read: Arc<Read>) {
    let mut reads = lock(&READS);
    reads.push(read);
    COUNT.store(reads.len(), Ordering::Relaxed);
}

fn forget(read: &Read) {
    let mut reads = lock(&READS);
    reads.retain(|other| !std::ptr::eq(&**other, read));
    COUNT.store(reads.len(), Ordering::Relaxed);
}

fn reads() -> Vec<Arc<Read>> {
    lock(&READS).clone()
}

/// Whether any read waits.
pub(crate) fn any() -> bool {
    COUNT.load(Ordering::Relaxed) != 0
}

/// Lets the reads that wait go on as far as they can.
pub(crate) fn progress() {
    if any() {
        for read in reads() {
            read.step();
        }
    }
}

/// The read that waits with this OVERLAPPED.
pub(crate) fn waiting(overlapped: usize) -> Option<Arc<Read>> {
    reads().into_iter().find(|read| read.overlapped == overlapped)
}

/// Ends the reads of a thread, or with an OVERLAPPED, or all; how many there were (P53).
pub(crate) fn cancel(file: RawHandle, thread: Option<u32>, which: Option<usize>) -> Outcome<usize> {
    let Ok(slot) = ext::slot(&*Server::borrow(file)?) else {
        // Writing never waits.
        return Ok(0);
    };
    Ok(stop(|read| {
        read.slot.id() == slot.id()
            && thread.is_none_or(|thread| thread == read.thread)
            && which.is_none_or(|which| which == read.overlapped)
    }))
}

/// Ends the read in which a thread waits itself; false if there is none.
pub(crate) fn cancel_synchronous(thread: u32) -> bool {
    any() && stop(|read| read.overlapped == 0 && read.thread == thread) > 0
}

fn stop(wanted: impl Fn(&Read) -> bool) -> usize {
    let mut count = 0;
    for read in reads().into_iter().filter(|read| wanted(read)) {
        // Before its thread notices and ends it by itself.
        if read.overlapped == 0 || read.end(Code::OPERATION_ABORTED) {
            count += 1;
        }
        read.stop.store(true, Ordering::SeqCst);
        read.slot.stir();
    }
    count
}

/// Whether a handle leads to a mailslot.
pub(crate) fn is(file: RawHandle) -> bool {
    Handle::borrow(file).is_ok_and(|handle| handle.kind() == Some(Kind::Mailslot))
}

/// A name given to CreateFile, if it is a mailslot's.
pub(crate) fn meant<U: Unit>(name: In<U>) -> Outcome<Option<Vec<u16>>> {
    let Some(text) = name.text() else { return Ok(None) };
    if !matches!(text.first(), Some(b'\\' | b'/')) || !MailslotName::is_meant(&u16::from_text(&text)) {
        return Ok(None);
    }
    name.name()
}

/// CreateFile on a mailslot. Share mode and disposition do not matter.
pub(crate) fn open(name: &[u16], desired: u32, attributes: In<SECURITY_ATTRIBUTES>) -> Outcome<HANDLE> {
    let writer = ext::open(name, desired, security::inherit(attributes))?;
    Ok(HANDLE::of(writer.into_handle().into_raw()))
}

fn read_now(slot: &Slot, buffer: &mut [u8]) -> Result<usize, Code> {
    if reads().iter().any(|read| read.overlapped != 0 && read.slot.id() == slot.id()) {
        // Whoever waits already gets what comes first.
        return Err(Code::SEM_TIMEOUT);
    }
    slot.receive(buffer, slot.limit(Some(Timeout::ZERO)), &GO_ON)
}

/// The server end behind a handle, when what waits has gone on.
fn slot(file: Borrowed<Handle>) -> Outcome<Slot> {
    let slot = ext::slot(&*file.into_typed::<Server>()?)?;
    process::let_go();
    pending::progress();
    Ok(slot)
}

/// ReadFile on a mailslot (S12, S21, S25).
pub(crate) fn read(
    file: Borrowed<Handle>,
    mut buffer: Out<u8>,
    size: u32,
    count: Out<u32>,
    overlapped: Out<OVERLAPPED>,
) -> Outcome<()> {
    let slot = slot(file)?;
    if overlapped.is_null() {
        // No more than was asked for, which was 32 bits.
        count.put(read_here(&slot, buffer.bytes(size as usize)?)? as u32);
        return Ok(());
    }
    match begin(&slot, buffer, size, overlapped, Started::begin(overlapped, None)?)? {
        Some(done) => {
            count.put(done as u32);
            Ok(())
        }
        None => fail(Code::IO_PENDING),
    }
}

/// ReadFileEx on a mailslot: the routine is called also if the read ends at once.
pub(crate) fn read_with_routine(
    file: Borrowed<Handle>,
    buffer: Out<u8>,
    size: u32,
    overlapped: Out<OVERLAPPED>,
    routine: Routine,
) -> Outcome<()> {
    let slot = slot(file)?;
    begin(&slot, buffer, size, overlapped, Started::with_routine(overlapped, routine)?).map(drop)
}

/// A read in the calling thread.
fn read_here(slot: &Slot, buffer: &mut [u8]) -> Outcome<usize> {
    let limit = slot.limit(None);
    match read_now(slot, buffer) {
        Err(Code::SEM_TIMEOUT) if !limit.is_now() => {}
        result => return Ok(result?),
    }
    let read = Arc::new(Read {
        slot: slot.clone(),
        overlapped: 0,
        thread: thread::current_id(),
        stop: AtomicBool::new(false),
        waiting: Mutex::new(None),
        over: Event::new(true)?,
    });
    enlist(Arc::clone(&read));
    let result = slot.receive(buffer, limit, &read.stop);
    forget(&read);
    Ok(result?)
}

/// A read with an OVERLAPPED. `Some`: it has ended at once, with so many bytes.
///
/// # Errors
/// It failed at once.
fn begin(
    slot: &Slot,
    mut buffer: Out<u8>,
    size: u32,
    overlapped: Out<OVERLAPPED>,
    started: Started,
) -> Outcome<Option<usize>> {
    let limit = slot.limit(None);
    let length = size as usize;
    match read_now(slot, buffer.bytes(length)?) {
        Ok(count) => {
            started.end(Done::moved(count));
            return Ok(Some(count));
        }
        Err(Code::SEM_TIMEOUT) if !limit.is_now() => {}
        Err(code) => {
            started.fail(code);
            return fail(code);
        }
    }
    let read = Arc::new(Read {
        slot: slot.clone(),
        overlapped: overlapped.address(),
        thread: thread::current_id(),
        stop: AtomicBool::new(false),
        waiting: Mutex::new(Some(Waiting { buffer, length, started })),
        over: Event::new(true)?,
    });
    enlist(Arc::clone(&read));
    let own = Arc::clone(&read);
    let thread = std::thread::Builder::new().name("transom-slot".to_owned());
    if thread.spawn(move || own.run(limit)).is_err()
        && let Some(waiting) = lock(&read.waiting).take()
    {
        forget(&read);
        waiting.started.fail(Code::NO_SYSTEM_RESOURCES);
        return fail(Code::NO_SYSTEM_RESOURCES);
    }
    Ok(None)
}

/// WriteFile on a mailslot (S9).
pub(crate) fn write(file: Borrowed<Handle>, bytes: &[u8]) -> Outcome<usize> {
    let writer = file.into_typed::<Writer>()?;
    process::let_go();
    writer.send(bytes)?;
    // A read of this process may have waited for it.
    pending::progress();
    Ok(bytes.len())
}

fn create<U: Unit>(name: In<U>, longest: u32, timeout: u32, attributes: In<SECURITY_ATTRIBUTES>) -> HANDLE {
    guard(HANDLE::INVALID, || {
        let Some(name) = name.name()? else { return fail(Code::PATH_NOT_FOUND) };
        let (inherit, security) = security::attributes(attributes)?;
        let mut options = Options::new_utf16(&name)
            .max_message(longest)
            .read_timeout(Timeout::millis(timeout))
            .inherit(inherit);
        if let Some(security) = security {
            options = options.security(security);
        }
        Ok(HANDLE::of(options.create()?.into_handle().into_raw()))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateMailslotA(
    name: In<u8>,
    max_message_size: u32,
    read_timeout: u32,
    attributes: In<SECURITY_ATTRIBUTES>,
) -> HANDLE {
    create(name, max_message_size, read_timeout, attributes)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateMailslotW(
    name: In<u16>,
    max_message_size: u32,
    read_timeout: u32,
    attributes: In<SECURITY_ATTRIBUTES>,
) -> HANDLE {
    create(name, max_message_size, read_timeout, attributes)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetMailslotInfo(
    mailslot: HANDLE,
    max_message_size: Out<u32>,
    next_size: Out<u32>,
    message_count: Out<u32>,
    read_timeout: Out<u32>,
) -> Bool {
    truth(|| {
        let server = Server::borrow(mailslot.raw())?;
        process::let_go();
        pending::progress();
        let info = server.info()?;
        max_message_size.put(info.max_message.unwrap_or(0));
        // A message comes from one call, whose length has 32 bits.
        next_size.put(info.next.map_or(NO_MESSAGE, |next| next as u32));
        message_count.put(info.count);
        read_timeout.put(info.read_timeout.as_millis());
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SetMailslotInfo(mailslot: HANDLE, read_timeout: u32) -> Bool {
    truth(|| Ok(Server::borrow(mailslot.raw())?.set_read_timeout(Timeout::millis(read_timeout))?))
}
