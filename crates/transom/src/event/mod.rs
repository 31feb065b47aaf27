//! Events: a flag that threads of any process can wait for (`CreateEvent`).
//!
//! A *manual-reset* event stays set until it is reset and lets every waiter through; an *auto-reset*
//! event lets exactly one waiter through per set (Y1–Y3). There is no owner: any thread with the right
//! may set it (Y5), and a set event stays set when its setter has ended (Y6).

use crate::error::Result;
use crate::handle::{Attributes, Created, Handle, Kind, attribute_methods, object_impls};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

#[cfg(test)]
mod tests;

/// An event (`CreateEvent`, `OpenEvent`).
#[derive(Debug)]
pub struct Event(Handle);

object_impls!(Event, Kind::Event, "use event");

/// How an event is created (`CreateEvent`, `CreateEventEx`).
#[derive(Debug, Clone, Default)]
pub struct EventOptions {
    pub(crate) attributes: Attributes,
    pub(crate) manual_reset: bool,
    pub(crate) initial: bool,
}

impl EventOptions {
    /// An unnamed auto-reset event, not set.
    #[must_use]
    pub fn new() -> EventOptions {
        EventOptions::default()
    }

    attribute_methods!();

    /// Whether the event stays set until it is reset (`bManualReset`). Default false. Ignored if the name
    /// exists (Y4).
    #[must_use]
    pub fn manual_reset(mut self, manual_reset: bool) -> EventOptions {
        self.manual_reset = manual_reset;
        self
    }

    /// Whether the event is set at first (`bInitialState`). Default false. Ignored if the name exists (Y4).
    #[must_use]
    pub fn initial(mut self, initial: bool) -> EventOptions {
        self.initial = initial;
        self
    }

    /// `CreateEventEx`: creates the event, or opens the one that has the name.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): the name belongs to an object of another kind (M32).
    /// `ERROR_PATH_NOT_FOUND` (3): a backslash in the name, an unknown prefix (M36).
    /// `ERROR_ACCESS_DENIED` (5): the name exists and its security refuses (Y38); on Linux also if only processes
    /// in another PID namespace hold it and it is not path-backed (see `docs/limits.md`).
    pub fn create(&self) -> Result<Created<Event>> {
        imp::create(self).map(|created| created.map(Event))
    }

    /// `OpenEvent`: opens the event that has the name; never creates (Y39).
    ///
    /// # Errors
    /// `ERROR_FILE_NOT_FOUND` (2): no such name. `ERROR_INVALID_PARAMETER` (87): no name given.
    /// Otherwise as [`EventOptions::create`].
    pub fn open(&self) -> Result<Event> {
        imp::open(&self.attributes).map(Event)
    }
}

impl Event {
    /// An unnamed event; `manual_reset` as in [`EventOptions::manual_reset`].
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4), `ERROR_NOT_ENOUGH_MEMORY` (8).
    pub fn new(manual_reset: bool) -> Result<Event> {
        EventOptions::new().manual_reset(manual_reset).create().map(|created| created.object)
    }

    /// Opens the event `name` with all rights.
    ///
    /// # Errors
    /// As [`EventOptions::open`].
    pub fn open(name: &str) -> Result<Event> {
        EventOptions::new().name(name).open()
    }

    /// `SetEvent`. Setting a set event changes nothing (Y1). Never blocks.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `EVENT_MODIFY_STATE`.
    #[doc(alias = "SetEvent")]
    pub fn set(&self) -> Result<()> {
        imp::set(&self.0)
    }

    /// `ResetEvent`. Resetting a reset event changes nothing (Y1). Never blocks.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `EVENT_MODIFY_STATE`.
    #[doc(alias = "ResetEvent")]
    pub fn reset(&self) -> Result<()> {
        imp::reset(&self.0)
    }

    /// `PulseEvent`: lets those through who wait at this moment, then resets. It may miss waiters (Y7) and
    /// is here for sources that use it.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `EVENT_MODIFY_STATE`.
    #[doc(alias = "PulseEvent")]
    pub fn pulse(&self) -> Result<()> {
        imp::pulse(&self.0)
    }
}
