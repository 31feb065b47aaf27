//! One instance of a program at a time, and what the others want of it.
//!
//! The first process of a name is the one that owns the mutex of that name; a hidden thread of it keeps the mutex, and a
//! message-only window that the others find by class and title. An other hands over its arguments, its working directory
//! and bytes by `WM_COPYDATA`, and gets an answer in the same way before its send returns.
//!
//! ```text
//!  Other::hand_over                          First
//!    finds the window ── WM_COPYDATA ──►  hidden thread: on_launch, or a Request for whoever calls next
//!    its own window   ◄── WM_COPYDATA ──  the answer
//!    returns          ◄────── 1 ────────
//! ```
//!
//! A killed first abandons its mutex, and its window is gone: whoever waits for its answer is told so (1400), and of those
//! who try to be the next exactly one succeeds.
//!
//! # The backend contract
//! `linux.rs` and `windows.rs` each export `to_bytes` and `from_bytes`: the system's strings as they travel.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result};
use crate::event::Event;
use crate::handle::{AsHandle, FromHandle, Handle};
use crate::mutex::{self, MutexOptions};
use crate::wait::{self, Timeout, Wait};
use crate::window::{Class, Sender};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;
mod keeper;
mod wire;

#[cfg(test)]
mod tests;

use keeper::{Keeper, Slot};

/// The class of a first process's window. Its title is the name, as [`title`] writes it.
const CLASS: &str = "transom.instance";

/// What `WM_COPYDATA` carries between instances, as its number: "TSL1" and "TSA1".
const LAUNCH: usize = 0x5453_4C31;
const ANSWER: usize = 0x5453_4131;

/// What the first's window returns: answered; not, as it is ending; and 0 from windows that know nothing of this.
const ANSWERED: isize = 1;
const ENDING: isize = 2;
const MALFORMED: isize = 3;

/// How long an other waits at a time for the window of a first that owns the mutex and has none yet.
const SLICE: Duration = Duration::from_millis(10);

/// What a process is among those of one name.
#[derive(Debug)]
pub enum Single {
    /// The first: it owns the name until the value is dropped or the process ends.
    First(First),
    /// Not the first: it can hand over to that one.
    Other(Other),
}

/// What an instance was started with, for the first to act on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Launch {
    /// The arguments, the program's own name included.
    pub arguments: Vec<OsString>,
    /// Where it was started.
    pub directory: PathBuf,
    /// Anything else.
    pub bytes: Vec<u8>,
}

/// What the first answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// A number, such as the exit code of the other.
    pub code: i32,
    /// Anything else.
    pub bytes: Vec<u8>,
}

/// What [`Single::launch`] came to.
#[derive(Debug)]
pub enum Launched {
    /// This process is the first: nobody has got what it was started with.
    First(First),
    /// The first has got it, and answered.
    Answered(Answer),
}

impl Single {
    /// Becomes the first process of this name, if there is none.
    ///
    /// ```
    /// use transom::instance::{Answer, Launch, Single};
    /// use transom::wait::Timeout;
    /// # fn main() -> Result<(), transom::Error> {
    /// # let name = format!("doc-instance-{}", std::process::id());
    /// let Single::First(first) = Single::acquire(&name)? else { panic!("somebody runs") };
    /// first.on_launch(|launch| Answer { code: launch.arguments.len() as i32, bytes: b"welcome".to_vec() });
    ///
    /// // Another process, or this one again:
    /// let Single::Other(other) = Single::acquire(&name)? else { panic!("we run") };
    /// let answer = other.hand_over(&Launch::current()?, Timeout::millis(5000))?;
    /// assert_eq!(answer.bytes, b"welcome");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Parameters
    /// `name`: as for [`MutexOptions::name`], and the name of a mutex: unprefixed or `Local\` for one instance of this user,
    /// `Global\` for one of the machine. What is handed over reaches processes of the same desktop, so with `Global\` only
    /// those of the same user.
    ///
    /// # Errors
    /// As [`MutexOptions::create`]; `ERROR_NO_SYSTEM_RESOURCES` (1450): no thread.
    ///
    /// # Blocking
    /// Never for long.
    pub fn acquire(name: &str) -> Result<Single> {
        Single::acquire_for(name, Timeout::ZERO)
    }

    /// The same, waiting this long for the first to end.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire).
    ///
    /// # Blocking
    /// For `timeout`.
    pub fn acquire_for(name: &str, timeout: impl Into<Timeout>) -> Result<Single> {
        // Here and not on the thread, so that a name which is refused costs none.
        let mutex = MutexOptions::new().name(name).create()?.object;
        Ok(match Keeper::start(mutex, title(name), timeout.into())? {
            Ok(keeper) => Single::First(First { keeper }),
            Err(mutex) => Single::Other(Other { mutex, title: title(name) }),
        })
    }

    /// Becomes the first process of this name, or hands over to that one; if it ends before it has answered, begins again.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire) and [`Other::hand_over`], which fails with 1400 no more.
    ///
    /// # Blocking
    /// Until there is an answer, or for `timeout`.
    pub fn launch(name: &str, launch: &Launch, timeout: impl Into<Timeout>) -> Result<Launched> {
        let clock = Clock::start(timeout.into());
        loop {
            let other = match Single::acquire(name)? {
                Single::First(first) => return Ok(Launched::First(first)),
                Single::Other(other) => other,
            };
            match other.hand_over(launch, clock.left()) {
                Err(error) if error.code() == GONE && !clock.over() => {}
                answered => return answered.map(Launched::Answered),
            }
        }
    }
}

/// `ERROR_INVALID_WINDOW_HANDLE`: the first is gone.
const GONE: Code = Code::new(1400);

impl Launch {
    /// What this process was started with, where it is now, and no bytes.
    ///
    /// # Errors
    /// `ERROR_PATH_NOT_FOUND` (3): the working directory is gone.
    pub fn current() -> Result<Launch> {
        let directory =
            std::env::current_dir().map_err(|_| Error::new("get working directory", Code::PATH_NOT_FOUND))?;
        Ok(Launch { arguments: std::env::args_os().collect(), directory, bytes: Vec::new() })
    }

    /// The same with bytes.
    #[must_use]
    pub fn with_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Launch {
        self.bytes = bytes.into();
        self
    }
}

/// The first process of a name. Dropping it frees the name.
///
/// What others hand over waits until it is answered, one after the other: by [`on_launch`](Self::on_launch), or by whoever
/// calls [`next`](Self::next). As a handle it can be waited for beside other objects: it is signalled when `next` has
/// something, once for each.
#[derive(Debug)]
pub struct First {
    keeper: Keeper,
}

impl First {
    /// What answers from now on, on a hidden thread, as soon as something is handed over. A panic in it is answered as
    /// [`Answer::default`], and otherwise lost.
    pub fn on_launch(&self, closure: impl Fn(Launch) -> Answer + Send + Sync + 'static) {
        self.keeper.shared().set_handler(Arc::new(closure));
    }

    /// The next that is handed over; `None` if nothing was for this long.
    ///
    /// # Errors
    /// Never on a handle that was not closed by number.
    ///
    /// # Blocking
    /// For `timeout`.
    pub fn next(&self, timeout: impl Into<Timeout>) -> Result<Option<Request>> {
        let clock = Clock::start(timeout.into());
        loop {
            if let Some((launch, slot)) = self.keeper.shared().take() {
                return Ok(Some(Request { launch, slot }));
            }
            if wait::one(&self.keeper.shared().some, clock.left())? == Wait::Timeout {
                return Ok(None);
            }
        }
    }
}

impl AsHandle for First {
    fn as_handle(&self) -> &Handle {
        self.keeper.shared().some.as_handle()
    }
}

/// What another instance was started with; it waits for the answer. Dropping it is answering with [`Answer::default`].
pub struct Request {
    launch: Launch,
    slot: Arc<Slot>,
}

impl Request {
    /// What it was started with.
    #[must_use]
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// Lets it go on with this answer. Nobody knows whether it still waits.
    pub fn answer(self, answer: Answer) {
        self.slot.answer(answer);
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("launch", &self.launch).finish_non_exhaustive()
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.slot.answer(Answer::default());
    }
}

/// A process that is not the first of a name.
#[derive(Debug)]
pub struct Other {
    mutex: mutex::Mutex,
    title: String,
}

impl Other {
    /// Gives the first what this process was started with, and waits for its answer.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): the first has ended, before or meanwhile; whether it has seen the launch nobody
    /// knows. [Acquire](Single::acquire) again. `ERROR_TIMEOUT` (1460): no answer in time, or the owner of the mutex has no
    /// window to hand over to. `ERROR_INVALID_PARAMETER` (87): more than 4 GiB, or the first is of another version.
    ///
    /// # Blocking
    /// Until it is answered, or for `timeout`. Meanwhile this thread serves what is sent to its windows.
    ///
    /// # Panics
    /// With the panic of a closure of this thread's windows that ran meanwhile.
    pub fn hand_over(&self, launch: &Launch, timeout: impl Into<Timeout>) -> Result<Answer> {
        let clock = Clock::start(timeout.into());
        let bytes = wire::encode_launch(launch)?;
        let got: std::rc::Rc<std::cell::RefCell<Option<Answer>>> = std::rc::Rc::default();
        let answered = std::rc::Rc::clone(&got);
        let own = class()?.window("").on_copydata(move |_, tag, bytes| {
            let answer = (tag == ANSWER).then(|| wire::decode_answer(bytes)).flatten();
            let known = answer.is_some();
            if known {
                *answered.borrow_mut() = answer;
            }
            isize::from(known)
        });
        let own = own.create()?;
        let first = self.find(&clock)?.on_behalf_of(&own);
        let result = first.copydata(LAUNCH, &bytes, clock.left())?;
        let answer = got.borrow_mut().take();
        match (result, answer) {
            (ANSWERED, Some(answer)) => Ok(answer),
            (MALFORMED, _) => Err(Error::new("hand over", Code::INVALID_PARAMETER)),
            _ => Err(Error::new("hand over", GONE)),
        }
    }

    /// The number of the first's process; `None` if it has no window, or not yet.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        Sender::find(CLASS, self.title.as_str()).and_then(Sender::process_id).ok()
    }

    /// The first's window. Whoever owns the mutex makes one next; if nobody owns it the first is gone.
    fn find(&self, clock: &Clock) -> Result<Sender> {
        loop {
            match Sender::find(CLASS, self.title.as_str()) {
                Err(error) if error.code() == Code::FILE_NOT_FOUND => {}
                found => return found,
            }
            let left = clock.left().min(Timeout::from_duration(SLICE));
            if self.mutex.lock_for(left)?.is_some() {
                return Err(Error::new("hand over", GONE));
            }
            if clock.over() {
                return Err(Error::new("hand over", Code::TIMEOUT));
            }
        }
    }
}

/// The class of the windows here, which this process keeps.
fn class() -> Result<Class> {
    static KNOWN: Mutex<Option<Class>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(class) = &*known {
        return Ok(class.clone());
    }
    let class = Class::register(CLASS)?;
    *known = Some(class.clone());
    Ok(class)
}

/// The title of the first's window. Titles compare without case and names with it, so what has a case is written as its
/// bytes.
fn title(name: &str) -> String {
    let name = name.strip_prefix(r"Local\").unwrap_or(name);
    let mut title = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b' ' => title.push(byte.into()),
            _ => title.push_str(&format!("%{byte:02x}")),
        }
    }
    title
}

/// How much of a time is left.
struct Clock {
    began: Instant,
    timeout: Timeout,
}

impl Clock {
    fn start(timeout: Timeout) -> Clock {
        Clock { began: Instant::now(), timeout }
    }

    fn left(&self) -> Timeout {
        let left = self.timeout.as_duration().map(|limit| limit.saturating_sub(self.began.elapsed()));
        left.map_or(Timeout::INFINITE, Timeout::from_duration)
    }

    fn over(&self) -> bool {
        self.left().is_zero()
    }
}

/// A second handle to an event.
fn same_event(event: &Event) -> Result<Event> {
    Event::from_handle(event.as_handle().try_clone()?)
}
