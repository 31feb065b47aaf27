//! Windows as mailboxes: `RegisterClass`, `CreateWindowEx`, `SendMessage`, `PostMessage`, `FindWindow`, `WM_COPYDATA`.
//!
//! A window belongs to the thread that made it, has a class, a title and a procedure, and can be found and written to
//! from every process of the desktop. On Linux nothing is drawn and no display is needed.

pub mod message;
pub mod raw;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

#[cfg(test)]
mod tests;

use std::fmt;

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
