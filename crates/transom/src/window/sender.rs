//! Sending to windows of any process.
//!
//! # Safety
//! Only messages whose parameters are numbers pass here, and `WM_COPYDATA` with a structure and bytes that outlive the call.
#![allow(unsafe_code)]

use std::ptr;

use super::message::{SMTO_ERRORONEXIT, SMTO_NORMAL, WM_CLOSE, WM_COPYDATA, WM_NULL, WM_USER};
use super::procedure::resume;
use super::raw::{self, Charset, CopyData, Name};
use super::{Window, WindowHandle, text, units};
use crate::error::{Code, Error, Result};
use crate::handle::{AsHandle, DuplicateOptions, RawHandle};
use crate::process::Process;
use crate::wait::Timeout;

/// How often [`Sender::all`] tries to walk past all windows while they change.
const WALKS: usize = 100;

/// `PROCESS_DUP_HANDLE`.
const DUPLICATE_HANDLES: u32 = 0x0040;

/// Who sends to a window, of this process or another.
///
/// It is the window's number, and keeps nothing alive: calls fail with 1400 once the window is gone, which it is at the
/// moment its process ends or is killed.
///
/// While a call waits for the answer it serves what is sent to windows of the calling thread (W13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sender {
    to: WindowHandle,
    from: WindowHandle,
}

impl Sender {
    /// To the window with this number, whether it exists or not.
    #[must_use]
    pub const fn new(to: WindowHandle) -> Sender {
        Sender { to, from: WindowHandle::NULL }
    }

    /// `FindWindow`: to the first window with this class and title, top-level ones before message-only ones (W5). Both compare
    /// without case and in full (W6); `None` matches any.
    ///
    /// # Errors
    /// `ERROR_FILE_NOT_FOUND` (2): there is none. `ERROR_INVALID_NAME` (123): a zero in a name.
    ///
    /// # Blocking
    /// Never.
    ///
    /// # Differs from Windows
    /// Which code a search leaves that finds nothing is not documented there (W9); here it is always 2.
    #[doc(alias = "FindWindow")]
    pub fn find<'a>(class: impl Into<Option<&'a str>>, title: impl Into<Option<&'a str>>) -> Result<Sender> {
        let wanted = Wanted::new(class.into(), title.into())?;
        match wanted.find(WindowHandle::NULL, WindowHandle::NULL)? {
            Some(window) => Ok(Sender::new(window)),
            None => Err(Error::new("find window", Code::FILE_NOT_FOUND).with_name(wanted.name)),
        }
    }

    /// `FindWindowEx`, until there is no more: to every window with this class and title, in Z order.
    ///
    /// # Errors
    /// `ERROR_INVALID_NAME` (123): a zero in a name.
    ///
    /// # Blocking
    /// Never. A walk that loses its way since windows come and go begins again, a hundred times at most; then those windows
    /// are missing.
    #[doc(alias = "FindWindowEx")]
    pub fn all<'a>(
        class: impl Into<Option<&'a str>>,
        title: impl Into<Option<&'a str>>,
    ) -> Result<Vec<Sender>> {
        let wanted = Wanted::new(class.into(), title.into())?;
        let mut found = Vec::new();
        // Below one parent after the other: not every system goes from the last top-level window to the others.
        for parent in [raw::desktop()?, WindowHandle::MESSAGE] {
            for _ in 0..WALKS {
                if let Some(walked) = wanted.below(parent)? {
                    found.extend(walked);
                    break;
                }
            }
        }
        Ok(found)
    }

    /// The same, in the name of a window: receivers of bytes see it as the one that sends.
    #[must_use]
    pub fn on_behalf_of(mut self, window: &Window) -> Sender {
        self.from = window.handle();
        self
    }

    /// The receiving window.
    #[must_use]
    pub const fn handle(self) -> WindowHandle {
        self.to
    }

    /// `SendMessageTimeout` with `WM_COPYDATA`: gives the receiver a copy of the bytes and waits for what it answers.
    ///
    /// # Parameters
    /// `tag`: a number for the receiver. `bytes`: up to 4 GiB - 1; none is fine (W26). `timeout`: how long at most;
    /// ignored for a window of this thread (W10).
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): no such window, or it is gone before it has answered. `ERROR_TIMEOUT` (1460): no
    /// answer in time; the receiver may still handle the message. `ERROR_INVALID_PARAMETER` (87): too many bytes.
    ///
    /// # Blocking
    /// Until it is answered, or for `timeout`.
    ///
    /// # Panics
    /// With the panic of a closure of this thread's windows that ran meanwhile.
    #[doc(alias = "WM_COPYDATA")]
    pub fn copydata(self, tag: usize, bytes: &[u8], timeout: impl Into<Timeout>) -> Result<isize> {
        let length =
            u32::try_from(bytes.len()).map_err(|_| Error::new("send message", Code::INVALID_PARAMETER))?;
        let bytes = if bytes.is_empty() { ptr::null() } else { bytes.as_ptr() };
        let data = CopyData { tag, length, bytes };
        let lparam = ptr::from_ref(&data).expose_provenance().cast_signed();
        // SAFETY: the structure and its bytes outlive the call, and a message that has not begun when the time is over
        // is not begun with them: the system has its own copy.
        let answered = unsafe { self.deliver(WM_COPYDATA, self.from.value(), lparam, timeout.into()) };
        resume();
        answered
    }

    /// `SendMessageTimeout`: has the window's closure for this message run and waits for what it answers.
    ///
    /// # Parameters
    /// `message`: `WM_USER` or more, `WM_NULL` or `WM_CLOSE`. The system's other messages have pointers as parameters; for
    /// them there is [`raw::send_timeout`].
    ///
    /// # Errors
    /// As [`copydata`](Self::copydata); `ERROR_INVALID_PARAMETER` (87): another message.
    ///
    /// # Blocking
    /// Until it is answered, or for `timeout`.
    ///
    /// # Panics
    /// As [`copydata`](Self::copydata).
    #[doc(alias = "SendMessageTimeout")]
    #[doc(alias = "SendMessage")]
    pub fn send(
        self,
        message: u32,
        wparam: usize,
        lparam: isize,
        timeout: impl Into<Timeout>,
    ) -> Result<isize> {
        check_plain("send message", message)?;
        // SAFETY: a message whose parameters are numbers.
        let answered = unsafe { self.deliver(message, wparam, lparam, timeout.into()) };
        resume();
        answered
    }

    /// `PostMessage`: puts the message into the queue of the window's thread, and does not wait.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): no such window. `ERROR_NOT_ENOUGH_QUOTA` (1816): 10,000 are waiting there
    /// (W35). `ERROR_MESSAGE_SYNC_ONLY` (1159): its parameters are pointers (W23).
    ///
    /// # Blocking
    /// Never.
    #[doc(alias = "PostMessage")]
    pub fn post(self, message: u32, wparam: usize, lparam: isize) -> Result<()> {
        raw::post(self.to, message, wparam, lparam, Charset::Wide)
    }

    /// `SendNotifyMessage`: as [`send`](Self::send), but does not wait for a window of another thread.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): no such window. `ERROR_INVALID_PARAMETER` (87): as [`send`](Self::send).
    ///
    /// # Blocking
    /// For a window of this thread as long as its closure takes.
    ///
    /// # Panics
    /// As [`copydata`](Self::copydata).
    #[doc(alias = "SendNotifyMessage")]
    pub fn notify(self, message: u32, wparam: usize, lparam: isize) -> Result<()> {
        check_plain("send notify message", message)?;
        // SAFETY: a message whose parameters are numbers.
        let sent = unsafe { raw::notify(self.to, message, wparam, lparam, Charset::Wide) };
        resume();
        sent
    }

    /// `DuplicateHandle` into the receiver's process: the number of the new handle there, to be told to it.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): no such window. `ERROR_ACCESS_DENIED` (5): its process is somebody else's.
    ///
    /// # Blocking
    /// Never.
    #[doc(alias = "DuplicateHandle")]
    pub fn duplicate_handle(self, object: &impl AsHandle) -> Result<RawHandle> {
        let process = Process::open(self.process_id()?, DUPLICATE_HANDLES, false)?;
        object.as_handle().duplicate_into(&process, DuplicateOptions::default())
    }

    /// `DuplicateHandle` into the receiver's process, and the message that tells it: `wParam` is `tag`, `lParam` the number
    /// of its new handle, which is the receiver's to close.
    ///
    /// # Errors
    /// As [`duplicate_handle`](Self::duplicate_handle), then as [`send`](Self::send). After `ERROR_TIMEOUT` (1460) the
    /// receiver has the handle and may still be told.
    ///
    /// # Blocking
    /// As [`send`](Self::send).
    ///
    /// # Panics
    /// As [`copydata`](Self::copydata).
    pub fn send_handle(
        self,
        message: u32,
        tag: usize,
        object: &impl AsHandle,
        timeout: impl Into<Timeout>,
    ) -> Result<isize> {
        check_plain("send message", message)?;
        let there = self.duplicate_handle(object)?;
        self.send(message, tag, there.value().cast_signed(), timeout)
    }

    /// `GetWindowThreadProcessId`: the number of the window's process.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): no such window.
    #[doc(alias = "GetWindowThreadProcessId")]
    pub fn process_id(self) -> Result<u32> {
        raw::owner(self.to).map(|(_, process)| process)
    }

    /// `GetWindowThreadProcessId`: the number of the window's thread.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): no such window.
    pub fn thread_id(self) -> Result<u32> {
        raw::owner(self.to).map(|(thread, _)| thread)
    }

    /// `GetWindowText`: the window's title.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): no such window.
    ///
    /// # Blocking
    /// A window of this process is asked, and answers when its thread looks at its queue; of another one's the stored title
    /// is read.
    #[doc(alias = "GetWindowText")]
    pub fn title(self) -> Result<String> {
        let title = raw::text(self.to);
        resume();
        title.map(|title| text(&title))
    }

    /// `GetClassName`: in the spelling of the first registration (W1).
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): no such window.
    #[doc(alias = "GetClassName")]
    pub fn class_name(self) -> Result<String> {
        raw::class_name(self.to).map(|name| text(&name))
    }

    /// `IsWindow`: whether the window exists, at this moment.
    #[must_use]
    #[doc(alias = "IsWindow")]
    pub fn is_alive(self) -> bool {
        raw::is_window(self.to)
    }

    /// `IsHungAppWindow`: whether its thread has not looked at its queue for 5 seconds (W40).
    #[must_use]
    #[doc(alias = "IsHungAppWindow")]
    pub fn is_hung(self) -> bool {
        raw::is_hung(self.to)
    }

    /// # Safety
    /// As [`raw::send_timeout`].
    unsafe fn deliver(self, message: u32, wparam: usize, lparam: isize, timeout: Timeout) -> Result<isize> {
        let flags = SMTO_NORMAL | SMTO_ERRORONEXIT;
        // SAFETY: the caller's promise.
        unsafe { raw::send_timeout(self.to, message, wparam, lparam, flags, timeout, Charset::Wide) }
    }
}

impl From<WindowHandle> for Sender {
    fn from(window: WindowHandle) -> Sender {
        Sender::new(window)
    }
}

/// Refuses messages whose parameters may be pointers.
fn check_plain(operation: &'static str, message: u32) -> Result<()> {
    if message >= WM_USER || matches!(message, WM_NULL | WM_CLOSE) {
        Ok(())
    } else {
        Err(Error::new(operation, Code::INVALID_PARAMETER))
    }
}

/// What a search looks for.
struct Wanted {
    class: Option<Vec<u16>>,
    title: Option<Vec<u16>>,
    /// For errors.
    name: String,
}

impl Wanted {
    fn new(class: Option<&str>, title: Option<&str>) -> Result<Wanted> {
        let units = |name: &str| units("find window", name);
        Ok(Wanted {
            class: class.map(units).transpose()?,
            title: title.map(units).transpose()?,
            name: match (class, title) {
                (Some(class), Some(title)) => format!("{class}: {title}"),
                (class, title) => class.or(title).unwrap_or_default().to_owned(),
            },
        })
    }

    fn find(&self, parent: WindowHandle, after: WindowHandle) -> Result<Option<WindowHandle>> {
        raw::find(parent, after, self.class.as_deref().map(Name::Text), self.title.as_deref())
    }

    /// All below `parent`; `None` if that changed meanwhile.
    fn below(&self, parent: WindowHandle) -> Result<Option<Vec<Sender>>> {
        let mut found = Vec::new();
        let mut last = WindowHandle::NULL;
        loop {
            match self.find(parent, last) {
                // Where a walk from a window that is gone just ends, nobody says so.
                Ok(None) => return Ok((last.is_null() || raw::is_window(last)).then_some(found)),
                // Windows that change places while one walks are met twice, or not at all.
                Ok(Some(window)) if found.contains(&Sender::new(window)) => return Ok(None),
                Ok(Some(window)) => {
                    found.push(Sender::new(window));
                    last = window;
                }
                Err(error) if last.is_null() => return Err(error),
                Err(_) => return Ok(None),
            }
        }
    }
}
