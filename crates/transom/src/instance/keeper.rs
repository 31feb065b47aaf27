//! The hidden thread of a first process: it owns the mutex and the window, and waits for answers.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender as Tell, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{ANSWER, ANSWERED, Answer, ENDING, LAUNCH, Launch, MALFORMED, class, same_event, wire};
use crate::error::{Code, Error, Result};
use crate::event::Event;
use crate::mutex;
use crate::wait::{self, Timeout, Wait};
use crate::window::{MessageLoop, Sender, Window, WindowHandle};

/// How long the answer may take to reach an other that waits for it: its thread is in a send, so it serves at once, or
/// is stopped, or has given up.
const DELIVERY: Duration = Duration::from_secs(10);

type Handler = dyn Fn(Launch) -> Answer + Send + Sync;

/// What the hidden thread and the others of this process share.
pub(super) struct Shared {
    /// Set when there is something to take.
    pub(super) some: Event,
    /// What waits for an answer and was not taken: at most one, since its sender keeps the thread.
    waiting: Mutex<Option<(Launch, Arc<Slot>)>>,
    handler: Mutex<Option<Arc<Handler>>>,
}

/// Where the answer to one launch is put.
pub(super) struct Slot {
    answered: Event,
    answer: Mutex<Option<Answer>>,
}

/// The thread. Dropping it ends the window, then the ownership.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    stop: Event,
    thread: Option<JoinHandle<()>>,
}

/// What the thread says when it knows: that it keeps the mutex now, or that somebody else does.
type Told = Result<std::result::Result<(), mutex::Mutex>>;

impl Keeper {
    /// Starts the thread, which waits for the mutex this long. Without it the mutex comes back.
    pub(super) fn start(
        mutex: mutex::Mutex,
        title: String,
        timeout: Timeout,
    ) -> Result<std::result::Result<Keeper, mutex::Mutex>> {
        let shared = Arc::new(Shared {
            some: Event::new(false)?,
            waiting: Mutex::default(),
            handler: Mutex::default(),
        });
        let stop = Event::new(true)?;
        let (theirs, stopped) = (Arc::clone(&shared), same_event(&stop)?);
        let (tell, told) = channel();
        let thread = std::thread::Builder::new()
            .name("transom instance".to_owned())
            .spawn(move || keep(mutex, &title, timeout, &theirs, stopped, &tell))
            .map_err(|_| Error::new("start instance thread", Code::NO_SYSTEM_RESOURCES))?;
        let told: Told =
            told.recv().unwrap_or_else(|_| Err(Error::new("start instance thread", Code::OPERATION_ABORTED)));
        let keeper = Keeper { shared, stop, thread: Some(thread) };
        Ok(told?.map(|()| keeper))
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.stop.set();
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // It panics nowhere.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn take(&self) -> Option<(Launch, Arc<Slot>)> {
        lock(&self.waiting).take()
    }

    /// What answers from now on, also what waits already.
    pub(super) fn set_handler(&self, handler: Arc<Handler>) {
        let before = lock(&self.handler).replace(Arc::clone(&handler));
        drop(before);
        if let Some((launch, slot)) = self.take() {
            slot.answer(answer_with(&*handler, launch));
        }
    }

    fn handler(&self) -> Option<Arc<Handler>> {
        lock(&self.handler).clone()
    }

    /// Waits for the answer to a launch; `None` if the first ends before.
    fn ask(&self, launch: Launch, stop: &Event) -> Result<Option<Answer>> {
        let slot = Arc::new(Slot { answered: Event::new(true)?, answer: Mutex::default() });
        *lock(&self.waiting) = Some((launch, Arc::clone(&slot)));
        // After it is there to be taken. Whoever sets a handler meanwhile finds it, or is found here.
        if let Some(handler) = self.handler() {
            if let Some((launch, slot)) = self.take() {
                slot.answer(answer_with(&*handler, launch));
            }
        } else {
            self.some.set()?;
        }
        let ended = wait::any(&[&slot.answered, stop], Timeout::INFINITE)?;
        drop(self.take());
        Ok(if ended == Wait::Object(0) { lock(&slot.answer).take() } else { None })
    }
}

impl Slot {
    /// The first answer counts.
    pub(super) fn answer(&self, answer: Answer) {
        lock(&self.answer).get_or_insert(answer);
        // The event is this process's own, and stays open as long as the slot.
        let _ = self.answered.set();
    }
}

fn answer_with(handler: &Handler, launch: Launch) -> Answer {
    catch_unwind(AssertUnwindSafe(|| handler(launch))).unwrap_or_default()
}

/// The thread's life.
fn keep(
    mutex: mutex::Mutex,
    title: &str,
    timeout: Timeout,
    shared: &Arc<Shared>,
    stop: Event,
    tell: &Tell<Told>,
) {
    // An abandoned mutex needs no word: the one before was killed, which is what makes this one the first.
    let owned = match mutex.lock_for(timeout) {
        Ok(owned) => owned,
        Err(error) => return told(tell, Err(error)),
    };
    if owned.is_none() {
        drop(owned);
        return told(tell, Ok(Err(mutex)));
    }
    let made = || -> Result<(Window, MessageLoop, Event)> {
        let for_loop = same_event(&stop)?;
        // The loop first: it looks at the queue, and must find nothing before the caller, who answers or stops, is told.
        let messages = MessageLoop::new()?;
        Ok((window(title, Arc::clone(shared), stop)?, messages, for_loop))
    };
    let (window, messages, stop) = match made() {
        Ok(made) => made,
        Err(error) => return told(tell, Err(error)),
    };
    told(tell, Ok(Ok(())));
    // Nothing quits this thread's loop but the event; if the desktop cannot be reached the name is kept nevertheless.
    if messages.wait_with(&[&stop], Timeout::INFINITE).is_err() {
        let _ = wait::one(&stop, Timeout::INFINITE);
    }
    // Who has sent meanwhile is told that this is the end. Not every system answers for a window that is destroyed.
    let _ = messages.poll();
    drop(window);
    drop(owned);
}

fn told(tell: &Tell<Told>, what: Told) {
    // Somebody listens: the caller waits for nothing else.
    let _ = tell.send(what);
}

/// The window that others find.
fn window(title: &str, shared: Arc<Shared>, stop: Event) -> Result<Window> {
    let answer = move |from: WindowHandle, tag: usize, bytes: &[u8]| {
        if tag != LAUNCH {
            return 0;
        }
        let Some(launch) = wire::decode_launch(bytes) else { return MALFORMED };
        let Ok(Some(answer)) = shared.ask(launch, &stop) else { return ENDING };
        let Ok(bytes) = wire::encode_answer(&answer) else { return MALFORMED };
        match Sender::new(from).copydata(ANSWER, &bytes, DELIVERY) {
            Ok(1) => ANSWERED,
            // It has given up, and looks at no result either.
            _ => ENDING,
        }
    };
    class()?.window(title).on_copydata(answer).create()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
