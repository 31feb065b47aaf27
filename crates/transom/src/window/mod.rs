//! Windows as mailboxes: `RegisterClass`, `CreateWindowEx`, `SendMessage`, `PostMessage`, `FindWindow`, `WM_COPYDATA`.
//!
//! A window belongs to the thread that made it, has a class, a title and a procedure, and can be found and written to
//! from every process of the desktop. On Linux nothing is drawn and no display is needed.
//!
//! | | |
//! | --- | --- |
//! | [`Class`], [`WindowOptions`], [`Window`] | a window of this thread, with closures that answer |
//! | [`Window::spawn`] | the same on a hidden thread of its own |
//! | [`MessageLoop`] | lets the closures run: for ever, for a time, until an object is signalled |
//! | [`Sender`] | finds windows of any process, sends them bytes, numbers and handles |
//! | [`Registered`] | messages with a name, whose parameters have types |
//! | [`raw`], [`message`] | the calls as Win32 has them, and their numbers |
//!
//! The same code serves both systems; below it [`raw`] is the one thing that has two sides.
//!
//! # The backend contract
//! `linux.rs` and `windows.rs` each export a function for every one of [`raw`], with the same name and signature.

mod class;
mod hidden;
pub mod message;
mod message_loop;
mod owned;
mod procedure;
pub mod raw;
mod registered;
mod sender;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::error::{Code, Error, Result};

pub use class::{Class, name_of};
pub use hidden::WindowThread;
pub use message_loop::{Ended, MessageLoop};
pub use owned::{Window, WindowOptions};
pub use registered::{Parameter, Parameters, Registered};
pub use sender::Sender;

/// Which window (`HWND`): a number that every process of the desktop may use, and that is never used again soon.
///
/// Only its low 32 bits mean something. It keeps nothing alive: a window lives until its thread destroys it or ends.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[doc(alias = "HWND")]
pub struct WindowHandle(usize);

impl WindowHandle {
    /// No window (`NULL`).
    pub const NULL: WindowHandle = WindowHandle(0);
    /// All top-level windows, as a receiver (`HWND_BROADCAST`).
    pub const BROADCAST: WindowHandle = WindowHandle(0xFFFF);
    /// The parent of message-only windows (`HWND_MESSAGE`, which is -3).
    pub const MESSAGE: WindowHandle = WindowHandle(usize::MAX - 2);
    /// As a filter of [`raw::get`]: messages of the thread that are for no window ((HWND)-1).
    pub const THREAD: WindowHandle = WindowHandle(usize::MAX);

    /// The window with this number, whether it exists or not.
    #[must_use]
    pub const fn from_raw(value: usize) -> WindowHandle {
        WindowHandle(value)
    }

    /// The number, as C and the parameters of messages have it.
    #[must_use]
    pub const fn value(self) -> usize {
        self.0
    }

    /// Whether it is [`NULL`](Self::NULL).
    #[must_use]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for WindowHandle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "WindowHandle({:#x})", self.0)
    }
}

/// `ReplyMessage`: lets the sender of the message that is being handled go on with this result, before the closure has
/// returned (W15). Whether there is one that waits: not for a posted message, nor for one of this thread.
#[doc(alias = "ReplyMessage")]
pub fn reply(result: isize) -> bool {
    raw::reply(result)
}

/// `InSendMessageEx`: whether a sender in another thread waits for what is being handled.
#[must_use]
#[doc(alias = "InSendMessage")]
#[doc(alias = "InSendMessageEx")]
pub fn sender_waits() -> bool {
    let state = raw::in_send();
    state & (message::ISMEX_SEND | message::ISMEX_REPLIED) == message::ISMEX_SEND
}

/// A text as the calls take it.
fn units(operation: &'static str, text: &str) -> Result<Vec<u16>> {
    if text.contains('\0') {
        return Err(Error::new(operation, Code::INVALID_NAME));
    }
    Ok(text.encode_utf16().collect())
}

/// A text that the calls gave; what is no UTF-16 is replaced.
fn text(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}
