//! What waits: operations of this process on ends of pipes that were begun and have not ended (pipes.md, 10).
//!
//! ```text
//!   ReadFile, WriteFile, …  ──start──►  the end's line: reads │ writes │ connects, first come first served
//!                                          ▲                        │ told: OVERLAPPED, event, routine
//!   every call that waits or looks ──progress                       ▼
//!   the thread of `watch`, woken by the end's bell ──rung      GetOverlappedResult, WaitForSingleObject
//! ```
//! Nothing depends on when the thread of [`watch`] runs: each call of this library that waits or looks lets all
//! that waits go on first, as Windows' kernel would have done by then. The thread is for programs that call
//! nothing. It is started when the first operation has to wait.
//!
//! Each end has its line, with a lock of its own, in the end's attachment. [`BUSY`] has the ends whose line is not
//! empty; it is never locked while a line is being locked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use transom::Code;
use transom::event::Event;
use transom::pipe::Pipe;
use transom::pipe::ext::{self, Begun, End, Interest, Sending};
use transom::thread;

use crate::ffi::{In, Out, Outcome};

pub(crate) mod line;
mod watch;

pub(crate) use line::{Done, Operation, Request};
use line::{INTERESTS, Line, Sent, Side};

/// Ends with operations that wait, by [`End::id`].
static BUSY: Mutex<BTreeMap<usize, End>> = Mutex::new(BTreeMap::new());
/// How many those are: what calls look at when nothing waits.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Where the next round over many ends begins.
static CURSOR: AtomicUsize = AtomicUsize::new(0);
static NEXT_KEY: AtomicU64 = AtomicU64::new(1);

/// The most ends that one call looks at. A program with more leaves the rest to the next call, and to the thread.
const ROUND: usize = 64;
/// How long a thread that begins or gives up a large write is waited for.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long a call that will wait looks again by itself, which is quicker than to be woken twice.
const SPIN: Duration = Duration::from_micros(20);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What this crate keeps with each end of a pipe, shared by all handles to it.
pub(crate) struct Attached {
    line: Mutex<Watched>,
    /// P56: a synchronous end does one thing at a time.
    serial: Mutex<()>,
    /// P54: what a wait for the handle waits for; `None` as long as nobody needed it.
    idle: Mutex<Option<Event>>,
    /// Whether a thread of this crate writes something large.
    apart: AtomicBool,
}

impl Attached {
    /// What is kept with this end.
    pub(crate) fn of(end: &End) -> &Attached {
        Attached::at(end.attachment())
    }

    /// What is kept with the end of this pipe.
    pub(crate) fn of_pipe(pipe: &Pipe) -> Option<&Attached> {
        ext::attachment(pipe).map(Attached::at)
    }

    fn at(attachment: &OnceLock<Box<dyn std::any::Any + Send + Sync>>) -> &Attached {
        let make = || -> Box<dyn std::any::Any + Send + Sync> {
            Box::new(Attached {
                line: Mutex::default(),
                serial: Mutex::default(),
                idle: Mutex::default(),
                apart: AtomicBool::new(false),
            })
        };
        // Nobody else attaches anything.
        attachment.get_or_init(make).downcast_ref().unwrap_or_else(|| unreachable!("one kind of attachment"))
    }

    /// Waits for the call that another thread makes on a synchronous end.
    pub(crate) fn serial(&self) -> MutexGuard<'_, ()> {
        lock(&self.serial)
    }

    /// An operation without an event begins (`busy`) or has ended.
    pub(crate) fn set_busy(&self, busy: bool) -> Outcome<()> {
        let mut idle = lock(&self.idle);
        match (&*idle, busy) {
            (Some(event), true) => event.reset()?,
            (Some(event), false) => event.set()?,
            (None, true) => *idle = Some(Event::new(true)?),
            (None, false) => {}
        }
        Ok(())
    }

    /// The number of the event that stands for the handle in waits.
    pub(crate) fn idle(&self) -> Option<transom::handle::RawHandle> {
        use transom::handle::AsHandle;
        lock(&self.idle).as_ref().map(|event| event.as_handle().as_raw())
    }
}

/// A line and what its end's bell is watched by.
#[derive(Default)]
struct Watched {
    line: Line<End>,
    watch: Option<watch::Watch>,
    /// Whether [`BUSY`] has the end.
    listed: bool,
}

impl Watched {
    /// Sees to it that the thread is woken for what waits here now, and that [`BUSY`] knows of it.
    fn settle(&mut self, end: &End, ended: &mut Vec<(u64, Done)>) -> Result<(), Code> {
        let new = self.line.arm(end);
        if new {
            // What came before the bell was armed is not told by it.
            self.line.step(end, ended);
            // Less may wait now.
            self.line.arm(end);
        }
        // First, since the thread looks there when the bell rings.
        self.update(end);
        if new && !self.line.is_empty() { watch::enable(&mut self.watch, end) } else { Ok(()) }
    }

    fn update(&mut self, end: &End) {
        let waits = !self.line.is_empty();
        if waits == self.listed {
            return;
        }
        self.listed = waits;
        let mut busy = lock(&BUSY);
        if waits {
            busy.insert(end.id(), end.clone());
        } else {
            // Not the last of its kind: the caller has one.
            busy.remove(&end.id());
        }
        COUNT.store(busy.len(), Ordering::Relaxed);
    }
}

/// A number that no other operation of this process has.
pub(crate) fn key() -> u64 {
    NEXT_KEY.fetch_add(1, Ordering::Relaxed)
}

/// Begins an operation. `Some`: it has ended, and whoever it tells has been told; `None`: it waits.
///
/// # Errors
/// It failed at once: nothing was begun, nobody is told.
pub(crate) fn start(end: &End, request: Request, operation: Operation) -> Outcome<Option<Done>> {
    progress();
    let key = operation.key;
    let mut ended = Vec::new();
    {
        let mut watched = lock(&Attached::of(end).line);
        watched.line.begin(end, request, operation, &mut ended)?;
        if let Err(code) = watched.settle(end, &mut ended)
            && watched.line.take_back(end, key)
        {
            // Nobody would wake it.
            watched.update(end);
            return Err(code.into());
        }
    }
    progress_into(&mut ended);
    Ok(ended.into_iter().find(|(of, _)| *of == key).map(|(_, done)| done))
}

/// Whether anything waits.
pub(crate) fn any() -> bool {
    COUNT.load(Ordering::Relaxed) != 0 || crate::mailslot::any()
}

/// Lets everything that waits go on as far as it can. Costs one look when nothing waits.
pub(crate) fn progress() {
    crate::mailslot::progress();
    progress_into(&mut Vec::new());
}

fn progress_into(ended: &mut Vec<(u64, Done)>) {
    if !any() {
        return;
    }
    loop {
        let before = ended.len();
        for end in round() {
            let mut watched = lock(&Attached::of(&end).line);
            let before = ended.len();
            watched.line.step(&end, ended);
            if ended.len() > before {
                // Nothing new waits, so nothing new can fail.
                let _ = watched.settle(&end, ended);
            }
        }
        // One that has ended may be what another waited for.
        if ended.len() == before {
            return;
        }
    }
}

/// The ends to look at, in turn if they are many.
fn round() -> Vec<End> {
    let busy = lock(&BUSY);
    if busy.len() <= ROUND {
        return busy.values().cloned().collect();
    }
    let from = CURSOR.load(Ordering::Relaxed);
    let ends: Vec<(usize, End)> = busy
        .range(from..)
        .chain(busy.range(..from))
        .take(ROUND)
        .map(|(id, end)| (*id, end.clone()))
        .collect();
    CURSOR.store(ends.last().map_or(0, |(id, _)| id + 1), Ordering::Relaxed);
    ends.into_iter().map(|(_, end)| end).collect()
}

/// The bell of an end was rung, says [`watch`].
fn rung(id: usize) {
    let Some(end) = lock(&BUSY).get(&id).cloned() else { return };
    let mut ended = Vec::new();
    {
        let mut watched = lock(&Attached::of(&end).line);
        if watched.line.take_armed() {
            end.take_token();
        }
        watched.line.step(&end, &mut ended);
        let _ = watched.settle(&end, &mut ended);
    }
    if !ended.is_empty() {
        progress();
    }
}

/// Ends operations of an end with `ERROR_OPERATION_ABORTED`: those of one thread, or with one OVERLAPPED, or all.
/// How many there were.
pub(crate) fn cancel(end: &End, thread: Option<u32>, overlapped: Option<usize>) -> usize {
    let mut ended = Vec::new();
    let mut watched = lock(&Attached::of(end).line);
    let wanted = |operation: &Operation| {
        thread.is_none_or(|thread| operation.thread == thread)
            && overlapped.is_none_or(|overlapped| operation.overlapped == overlapped)
    };
    let count = watched.line.cancel(end, wanted, &mut ended);
    // Others may go on, and nothing new waits.
    watched.line.step(end, &mut ended);
    let _ = watched.settle(end, &mut ended);
    count
}

/// A thread that began operations: what still waits of them ends with it, as on Windows, since buffers on its stack
/// end then.
struct Began(u32);

impl Drop for Began {
    fn drop(&mut self) {
        // Whatever cannot be reached any more as the thread ends is no reason to end the process.
        let _ = std::panic::catch_unwind(|| {
            let ends: Vec<End> = lock(&BUSY).values().cloned().collect();
            for end in ends {
                cancel(&end, Some(self.0), None);
            }
        });
    }
}

thread_local! {
    static BEGAN: Began = Began(thread::current_id());
}

/// The thread that begins an operation.
pub(crate) fn this_thread() -> u32 {
    BEGAN.try_with(|began| began.0).unwrap_or_else(|_| thread::current_id())
}

/// Whether something reads or waits to read on this end.
pub(crate) fn is_read(end: &End) -> bool {
    lock(&Attached::of(end).line).line.is_read()
}

/// Looks for a moment whether `is_done`, letting what waits go on; true if so. Where nothing waits or there is only
/// one processor, that would be a waste.
pub(crate) fn spin(mut is_done: impl FnMut() -> bool) -> bool {
    use std::sync::OnceLock;
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    let processors =
        || *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, |count| count.get()));
    if !any() || processors() == 1 {
        return is_done();
    }
    let began = Instant::now();
    loop {
        progress();
        if is_done() {
            return true;
        }
        if !any() || began.elapsed() > SPIN {
            return false;
        }
        std::hint::spin_loop();
    }
}

impl Side for End {
    type Sending = Sending;

    fn poll_connect(&self) -> Result<bool, Code> {
        End::poll_connect(self).map_err(|error| error.code())
    }

    fn try_receive(&self, buffer: &mut [u8], message: bool) -> Result<Option<Done>, Code> {
        let received =
            if message { self.try_receive_message(buffer) } else { End::try_receive(self, buffer) };
        Ok(received.map_err(|error| error.code())?.map(Done::received))
    }

    fn is_peer_gone(&self) -> bool {
        End::is_peer_gone(self)
    }

    fn begin_send(&self, bytes: &[u8]) -> Result<Sent<Sending>, Code> {
        Ok(match End::begin_send(self, bytes).map_err(|error| error.code())? {
            Begun::Done(count) => Sent::Done(count),
            Begun::Waiting(sending) => Sent::InPipe(sending),
            Begun::NoRoom => Sent::NoRoom,
            Begun::TooLarge => Sent::TooLarge,
        })
    }

    fn poll_send(&self, sending: &mut Sending) -> Result<Option<usize>, Code> {
        sending.poll().map_err(|error| error.code())
    }

    fn cancel_send(&self, sending: Sending) -> bool {
        sending.cancel()
    }

    /// A thread of its own for a write that is larger than the pipe's memory. Returns when the first of it can be
    /// read, as if it had been begun here (P35).
    fn send_apart(&self, bytes: In<u8>, length: usize, key: u64) -> Result<(), Code> {
        let end = self.clone();
        let before = self.written();
        let apart = &Attached::of(self).apart;
        apart.store(true, Ordering::Release);
        let send = move || {
            let sent = bytes.bytes(length).map_err(|failure| failure.0);
            let sent = sent.and_then(|bytes| End::send(&end, bytes).map_err(|error| error.code()));
            let attached = Attached::of(&end);
            attached.apart.store(false, Ordering::Release);
            {
                let mut ended = Vec::new();
                let mut watched = lock(&attached.line);
                watched.line.sent_apart(key, sent, &mut ended);
                watched.line.step(&end, &mut ended);
                let _ = watched.settle(&end, &mut ended);
            }
            progress();
        };
        let thread = std::thread::Builder::new().name("transom-write".to_owned());
        if thread.spawn(send).is_err() {
            apart.store(false, Ordering::Release);
            return Err(Code::NO_SYSTEM_RESOURCES);
        }
        // Another process may be writing something as large through this end: then it takes its time.
        soon(|| self.written() != before || !apart.load(Ordering::Acquire));
        Ok(())
    }

    /// The only call on this end that waits in a thread is that one. It may be between two waits.
    fn cancel_apart(&self) {
        let apart = &Attached::of(self).apart;
        soon(|| {
            let _ = self.cancel();
            !apart.load(Ordering::Acquire)
        });
    }

    fn arm(&self, interest: usize, demand: usize) {
        End::arm(self, kind(interest), demand);
    }

    fn epoch(&self) -> u64 {
        End::epoch(self)
    }

    fn disarm(&self, interest: usize) {
        End::disarm(self, kind(interest));
    }
}

/// Waits for what another thread of this process does at once.
fn soon(is_done: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_done() && began.elapsed() < PATIENCE {
        std::thread::yield_now();
    }
}

/// What [`Line`] counts as 0, 1 and 2.
fn kind(interest: usize) -> Interest {
    [Interest::Connect, Interest::Data, Interest::Space][interest % INTERESTS]
}

/// Where an operation reads to.
pub(crate) fn read(buffer: Out<u8>, length: u32, message: bool) -> Request {
    Request::Read { buffer, length: length as usize, message }
}

/// What an operation writes.
pub(crate) fn write(bytes: In<u8>, length: u32) -> Request {
    Request::Write { bytes, length: length as usize }
}
