//! Windows on threads of their own.

use std::fmt;
use std::panic::resume_unwind;
use std::sync::mpsc::channel;
use std::thread::JoinHandle;

use super::{Ended, MessageLoop, Sender, Window, WindowHandle};
use crate::error::{Code, Error, Result};
use crate::event::Event;
use crate::handle::{AsHandle, FromHandle};
use crate::wait::Timeout;

/// A window on a hidden thread of its own, from [`Window::spawn`]. Dropping it destroys the window and waits for the thread.
///
/// Whoever has a window without a message loop wants this: the closures run whenever something is sent.
pub struct WindowThread {
    window: WindowHandle,
    stop: Event,
    thread: Option<JoinHandle<Result<i32>>>,
}

impl Window {
    /// Starts a thread, makes a window there, and keeps it with a message loop until the value is dropped, a closure
    /// [quits](MessageLoop::quit), or a closure panics.
    ///
    /// ```
    /// use transom::wait::Timeout;
    /// use transom::window::{Class, Window};
    /// # fn main() -> Result<(), transom::Error> {
    /// # let name = format!("doc-spawn-{}", std::process::id());
    /// let class = Class::register(&name)?;
    /// let hidden = Window::spawn(move || class.window("").on_copydata(|_, _, bytes| bytes.len() as isize).create())?;
    /// assert_eq!(hidden.sender().copydata(0, b"four", Timeout::INFINITE)?, 4);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As `make`; `ERROR_NO_SYSTEM_RESOURCES` (1450): no thread.
    ///
    /// # Blocking
    /// Until `make` has returned.
    ///
    /// # Panics
    /// With the panic of `make`.
    pub fn spawn(make: impl FnOnce() -> Result<Window> + Send + 'static) -> Result<WindowThread> {
        let (tell, told) = channel();
        let stop = Event::new(true)?;
        let stopped = Event::from_handle(stop.as_handle().try_clone()?)?;
        let body = move || {
            let window = make()?;
            let messages = MessageLoop::new()?;
            // Nobody listens any more if the caller's thread was ended.
            let _ = tell.send(window.handle());
            match messages.wait_with(&[&stopped], Timeout::INFINITE)? {
                Ended::Quit(code) => Ok(code),
                Ended::Wait(_) => Ok(0),
            }
        };
        let thread = std::thread::Builder::new()
            .name("transom window".to_owned())
            .spawn(body)
            .map_err(|_| Error::new("start window thread", Code::NO_SYSTEM_RESOURCES))?;
        match told.recv() {
            Ok(window) => Ok(WindowThread { window, stop, thread: Some(thread) }),
            // It has ended before it could tell.
            Err(_) => Err(match thread.join() {
                Ok(Err(error)) => error,
                Ok(Ok(_)) => Error::new("start window thread", Code::OPERATION_ABORTED),
                Err(panic) => resume_unwind(panic),
            }),
        }
    }
}

impl WindowThread {
    /// Which window it is.
    #[must_use]
    pub fn handle(&self) -> WindowHandle {
        self.window
    }

    /// A sender to it.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender::new(self.window)
    }

    /// Destroys the window and waits for the thread: 0, or the code with which a closure quit before.
    ///
    /// # Errors
    /// The loop could not go on.
    ///
    /// # Blocking
    /// Until a closure that runs has returned.
    ///
    /// # Panics
    /// With the panic of a closure.
    pub fn close(mut self) -> Result<i32> {
        match self.end() {
            Some(Ok(result)) => result,
            Some(Err(panic)) => resume_unwind(panic),
            None => Ok(0),
        }
    }

    /// Ends the thread; `None` from the thread itself, which cannot wait for its own end.
    fn end(&mut self) -> Option<std::thread::Result<Result<i32>>> {
        let _ = self.stop.set();
        let thread = self.thread.take()?;
        (thread.thread().id() != std::thread::current().id()).then(|| thread.join())
    }
}

impl fmt::Debug for WindowThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WindowThread").field("window", &self.window).finish_non_exhaustive()
    }
}

impl Drop for WindowThread {
    fn drop(&mut self) {
        // A panic of a closure was printed, and is for `close` to give.
        let _ = self.end();
    }
}
