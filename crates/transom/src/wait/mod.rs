//! Waiting for one, any or all of several objects (`WaitForSingleObject`, `WaitForMultipleObjects`,
//! `SignalObjectAndWait`): events, mutexes, semaphores, processes and threads, own, inherited or opened
//! by name, in any mixture (Y36).
//!
//! A successful wait has acquire meaning and a signal release meaning, between processes too: what was
//! stored in a shared view before the signal is visible after the wait.

use crate::error::{Code, Error, Result};
use crate::handle::{AsHandle, Handle};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
pub(crate) mod imp;

#[cfg(test)]
mod tests;

pub use transom_core::time::Timeout;

/// The most objects that one call can wait for (`MAXIMUM_WAIT_OBJECTS`).
pub const MAXIMUM_WAIT_OBJECTS: usize = 64;

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The object at this index was signalled and, if of such a kind, taken (`WAIT_OBJECT_0` + index).
    Object(usize),
    /// As [`Wait::Object`], for a mutex whose owner ended without releasing it (`WAIT_ABANDONED_0` + index,
    /// Y11). In a wait for all, one of them was (Y12); the index is 0.
    Abandoned(usize),
    /// The time passed first (`WAIT_TIMEOUT`).
    Timeout,
}

impl Wait {
    /// The value the Win32 functions return.
    #[must_use]
    pub fn value(self) -> u32 {
        match self {
            // At most 64 objects, so the index fits.
            Wait::Object(index) => index as u32,
            Wait::Abandoned(index) => 0x80 + index as u32,
            Wait::Timeout => 0x102,
        }
    }

    /// Whether an object was signalled, abandoned or not.
    #[must_use]
    pub fn is_signalled(self) -> bool {
        self != Wait::Timeout
    }
}

/// `WaitForSingleObject`: waits until the object is signalled, at most `timeout`.
///
/// What a successful wait does to the object: an auto-reset event is reset, a mutex is owned by the calling
/// thread, a semaphore loses one; manual-reset events, processes and threads stay as they are.
///
/// # Errors
/// `ERROR_ACCESS_DENIED` (5): the handle lacks `SYNCHRONIZE`.
/// `ERROR_INVALID_HANDLE` (6): closed by number, or of a kind that cannot be waited for.
#[doc(alias = "WaitForSingleObject")]
pub fn one(object: &impl AsHandle, timeout: impl Into<Timeout>) -> Result<Wait> {
    imp::one(object.as_handle(), timeout.into())
}

/// `WaitForMultipleObjects` for any: waits until one is signalled; of several the first in the list is
/// taken, and only that one (Y25).
///
/// # Errors
/// As [`one`], if any of the handles is bad (Y28); `ERROR_INVALID_PARAMETER` (87): none, or more than
/// [`MAXIMUM_WAIT_OBJECTS`].
#[doc(alias = "WaitForMultipleObjects")]
pub fn any(objects: &[&dyn AsHandle], timeout: impl Into<Timeout>) -> Result<Wait> {
    with_handles(objects, |handles| imp::any(handles, timeout.into()))
}

/// `WaitForMultipleObjects` for all: waits until all are signalled at one moment and takes all of them in
/// one step; until then nothing is taken (Y26).
///
/// # Errors
/// As [`any`]; `ERROR_INVALID_PARAMETER` (87) also if the same object is listed twice (Y29).
#[doc(alias = "WaitForMultipleObjects")]
pub fn all(objects: &[&dyn AsHandle], timeout: impl Into<Timeout>) -> Result<Wait> {
    with_handles(objects, |handles| imp::all(handles, timeout.into()))
}

/// `SignalObjectAndWait`: sets the event, releases the mutex or gives the semaphore one, and waits for the
/// other object. If the first part fails nothing is waited for; if the wait times out the signal was given
/// nevertheless (Y31). Both handles are checked first (Y32).
///
/// # Errors
/// As [`one`] for `wait`; for `signal` `ERROR_INVALID_HANDLE` (6) if it is none of the three,
/// `ERROR_NOT_OWNER` (288), `ERROR_TOO_MANY_POSTS` (298), `ERROR_ACCESS_DENIED` (5).
#[doc(alias = "SignalObjectAndWait")]
pub fn signal_and_wait(
    signal: &impl AsHandle,
    wait: &impl AsHandle,
    timeout: impl Into<Timeout>,
) -> Result<Wait> {
    imp::signal_and_wait(signal.as_handle(), wait.as_handle(), timeout.into())
}

/// Does `wait` with the handles of `objects`, if their number is allowed.
fn with_handles(objects: &[&dyn AsHandle], wait: impl FnOnce(&[&Handle]) -> Result<Wait>) -> Result<Wait> {
    let refused = || Error::new("wait for several objects", Code::INVALID_PARAMETER);
    let first = objects.first().ok_or_else(refused)?;
    let mut room = [first.as_handle(); MAXIMUM_WAIT_OBJECTS];
    let handles = room.get_mut(..objects.len()).ok_or_else(refused)?;
    for (place, object) in handles.iter_mut().zip(objects) {
        *place = object.as_handle();
    }
    wait(handles)
}
