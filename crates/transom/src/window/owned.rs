//! Windows as their thread has them.
//!
//! # Safety
//! A timer without a procedure asks for nothing.
#![allow(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use super::message::{WM_TIMER, WS_CHILD, WS_POPUP};
use super::procedure::{self, Handlers, resume};
use super::raw::{self, Charset, Creation, Name};
use super::registered::{Parameters, Registered};
use super::{Class, Sender, WindowHandle, text, units};
use crate::error::Result;
use crate::wait::Timeout;

/// How a window is made; from [`Class::window`].
pub struct WindowOptions {
    class: Class,
    title: String,
    parent: WindowHandle,
    handlers: Rc<Handlers>,
}

/// A window of this thread (`CreateWindowEx`): a mailbox with closures that answer what is sent to it. Dropping it destroys
/// it.
///
/// The closures run in this thread, while it looks at its queue ([`MessageLoop`](super::MessageLoop)) or waits in a send, and
/// not while it waits for anything else (W11). A closure may send; while it waits for the answer its window is sent to in
/// turn, and the closure may run again inside itself (W13).
///
/// A panic in a closure answers its message with 0 and goes on where the loop, the send or the call returns that ran it.
///
/// ```
/// use transom::wait::Timeout;
/// use transom::window::{Class, MessageLoop, Sender, Window};
/// # fn main() -> Result<(), transom::Error> {
/// # let name = format!("doc-window-{}", std::process::id());
/// let class = Class::register(&name)?;
/// let window = class.window("inbox").on_copydata(|_from, tag, bytes| (tag + bytes.len()) as isize).create()?;
///
/// // Another process, or another thread of this one, finds it and sends it bytes.
/// let answer = std::thread::spawn(move || -> Result<isize, transom::Error> {
///     let answer = Sender::find(name.as_str(), "inbox")?.copydata(7, b"hello", Timeout::INFINITE)?;
///     Sender::find(name.as_str(), "inbox")?.post(transom::window::message::WM_USER, 0, 0)?;
///     Ok(answer)
/// });
/// window.on_message(transom::window::message::WM_USER, |_, _| {
///     MessageLoop::quit(0);
///     0
/// });
/// MessageLoop::new()?.run()?;
/// assert_eq!(answer.join().unwrap()?, 12);
/// # Ok(())
/// # }
/// ```
pub struct Window {
    handle: WindowHandle,
    handlers: Rc<Handlers>,
    /// Registered as long as there is a window of it.
    class: Class,
    thread_bound: PhantomData<*const ()>,
}

impl WindowOptions {
    pub(super) fn new(class: Class, title: &str) -> WindowOptions {
        WindowOptions {
            class,
            title: title.to_owned(),
            parent: WindowHandle::MESSAGE,
            handlers: Rc::default(),
        }
    }

    /// A window that is found and sent to, but not enumerated and not reached by broadcasts (`HWND_MESSAGE`). The default.
    #[must_use]
    pub fn message_only(mut self) -> WindowOptions {
        self.parent = WindowHandle::MESSAGE;
        self
    }

    /// A window of the desktop, which broadcasts reach (W37). It is never shown. On Windows it needs a desktop to be on, which
    /// services may not have.
    #[must_use]
    pub fn top_level(mut self) -> WindowOptions {
        self.parent = WindowHandle::NULL;
        self
    }

    /// A child of `parent` (`WS_CHILD`), which is destroyed with it (W3).
    #[must_use]
    pub fn child(mut self, parent: WindowHandle) -> WindowOptions {
        self.parent = parent;
        self
    }

    /// As [`Window::on_copydata`], from the window's first message on.
    #[must_use]
    pub fn on_copydata(
        self,
        closure: impl Fn(WindowHandle, usize, &[u8]) -> isize + 'static,
    ) -> WindowOptions {
        self.handlers.set_copydata(Rc::new(closure));
        self
    }

    /// As [`Window::on_message`], from the window's first message on.
    #[must_use]
    pub fn on_message(self, number: u32, closure: impl Fn(usize, isize) -> isize + 'static) -> WindowOptions {
        self.handlers.set_message(number, Rc::new(closure));
        self
    }

    /// As [`Window::on_registered`], from the window's first message on.
    #[must_use]
    pub fn on_registered<T: Parameters>(
        self,
        message: &Registered<T>,
        closure: impl Fn(T) -> isize + 'static,
    ) -> WindowOptions {
        self.on_message(message.number(), move |wparam, lparam| closure(T::from_parameters(wparam, lparam)))
    }

    /// As [`Window::on_any`], from the window's first message on.
    #[must_use]
    pub fn on_any(self, closure: impl Fn(u32, usize, isize) -> Option<isize> + 'static) -> WindowOptions {
        self.handlers.set_any(Rc::new(closure));
        self
    }

    /// `CreateWindowEx`: the window, of the calling thread. For one on a thread of its own see [`Window::spawn`].
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): no such parent. `ERROR_INVALID_NAME` (123): a zero in the title.
    /// 0: a closure for `WM_NCCREATE` answered 0 or one for `WM_CREATE` -1 (W2).
    ///
    /// # Blocking
    /// As long as the closures for these two take, and on Windows those of the parent.
    ///
    /// # Panics
    /// With the panic of a closure.
    #[doc(alias = "CreateWindowEx")]
    pub fn create(self) -> Result<Window> {
        let WindowOptions { class, title, parent, handlers } = self;
        let units = units("create window", &title)?;
        let style = match parent {
            WindowHandle::MESSAGE => 0,
            WindowHandle::NULL => WS_POPUP,
            _ => WS_CHILD,
        };
        let creation = Creation {
            class: Name::Atom(class.number()),
            title: Some(&units),
            style,
            ex_style: 0,
            rectangle: [0; 4],
            parent,
            menu: 0,
            instance: 0,
            parameter: 0,
            charset: Charset::Wide,
        };
        let created = procedure::creating(&handlers, || raw::create(&creation));
        let window = created.map(|handle| Window { handle, handlers, class, thread_bound: PhantomData });
        // The window, if there is one, is destroyed on the way.
        resume();
        window
    }
}

impl fmt::Debug for WindowOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("WindowOptions");
        debug.field("class", &self.class.name()).field("title", &self.title).field("parent", &self.parent);
        debug.finish_non_exhaustive()
    }
}

impl Window {
    /// Which window it is, to be told to others and to make a [`Sender`] of.
    #[must_use]
    pub fn handle(&self) -> WindowHandle {
        self.handle
    }

    /// Its class.
    #[must_use]
    pub fn class(&self) -> &Class {
        &self.class
    }

    /// Whether it still exists: its closures may have destroyed it, and its parent's end is its own.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.handlers.alive()
    }

    /// What answers `WM_COPYDATA`, in place of what did before: who sends (any value, unchecked: W24), the number that came
    /// with the bytes, the bytes, which are this window's own copy during the call. The result goes to the sender.
    #[doc(alias = "WM_COPYDATA")]
    pub fn on_copydata(&self, closure: impl Fn(WindowHandle, usize, &[u8]) -> isize + 'static) {
        self.handlers.set_copydata(Rc::new(closure));
    }

    /// What answers this message, in place of what did before: `wParam` and `lParam`. The result goes to the sender, if
    /// the message was sent and not posted.
    pub fn on_message(&self, number: u32, closure: impl Fn(usize, isize) -> isize + 'static) {
        self.handlers.set_message(number, Rc::new(closure));
    }

    /// What answers a registered message, in place of what did before.
    pub fn on_registered<T: Parameters>(
        &self,
        message: &Registered<T>,
        closure: impl Fn(T) -> isize + 'static,
    ) {
        self.on_message(message.number(), move |wparam, lparam| closure(T::from_parameters(wparam, lparam)));
    }

    /// What looks at every message that has no closure of its own, in place of what did before: number, `wParam`,
    /// `lParam`. With `None` the system does what it does by default (`DefWindowProc`).
    pub fn on_any(&self, closure: impl Fn(u32, usize, isize) -> Option<isize> + 'static) {
        self.handlers.set_any(Rc::new(closure));
    }

    /// `SetWindowText`: changes the title, by which others find the window.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): destroyed. `ERROR_INVALID_NAME` (123): a zero in the title.
    #[doc(alias = "SetWindowText")]
    pub fn set_title(&self, title: &str) -> Result<()> {
        let title = units("set window text", title)?;
        let set = raw::set_text(self.handle, &title, Charset::Wide);
        resume();
        set.map(drop)
    }

    /// `GetWindowText`: the title.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): destroyed.
    #[doc(alias = "GetWindowText")]
    pub fn title(&self) -> Result<String> {
        let title = raw::text(self.handle);
        resume();
        title.map(|title| text(&title))
    }

    /// `SetTimer`: `closure` is called about every `period` from now on, while this thread looks at its queue, and never twice
    /// for the time it did not (W32). The same `timer` again is the same timer with another period.
    ///
    /// # Parameters
    /// `period`: 10 ms to about 24 days; less or more is taken for that.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): destroyed.
    ///
    /// # Differs from Windows
    /// All timers of a window share what answers `WM_TIMER`, so this closure takes the timer's number.
    #[doc(alias = "SetTimer")]
    pub fn start_timer(
        &self,
        timer: usize,
        period: Duration,
        closure: impl Fn(usize) + 'static,
    ) -> Result<()> {
        self.on_message(WM_TIMER, move |timer, _| {
            closure(timer);
            0
        });
        // SAFETY: no procedure.
        let started =
            unsafe { raw::set_timer(self.handle, timer, Timeout::from_duration(period).as_millis(), None) };
        started.map(drop)
    }

    /// `KillTimer`.
    ///
    /// # Errors
    /// `ERROR_INVALID_WINDOW_HANDLE` (1400): destroyed. Another code of the system's: no such timer.
    #[doc(alias = "KillTimer")]
    pub fn stop_timer(&self, timer: usize) -> Result<()> {
        raw::kill_timer(self.handle, timer)
    }

    /// A sender to this window.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender::new(self.handle)
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window").field("handle", &self.handle).field("class", &self.class.name()).finish()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // Its number may be another window's by now if it is gone.
        if self.handlers.alive() {
            let _ = raw::destroy(self.handle);
            resume();
        }
    }
}
