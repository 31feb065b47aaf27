//! Mutexes between processes (`CreateMutex`): owned by a thread, recursive, and robust: when the owner
//! ends without releasing, the next one to acquire is told so, once (Y11).

use std::fmt;

use crate::error::Result;
use crate::handle::{Attributes, Created, Handle, Kind, attribute_methods, object_impls};
use crate::wait::{self, Timeout, Wait};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

#[cfg(test)]
mod tests;

/// A mutex (`CreateMutex`, `OpenMutex`).
#[derive(Debug)]
pub struct Mutex(Handle);

object_impls!(Mutex, Kind::Mutex, "use mutex");

/// How a mutex is created (`CreateMutex`, `CreateMutexEx`).
#[derive(Debug, Clone, Default)]
pub struct MutexOptions {
    pub(crate) attributes: Attributes,
    pub(crate) initial_owner: bool,
}

impl MutexOptions {
    /// An unnamed mutex that nobody owns.
    #[must_use]
    pub fn new() -> MutexOptions {
        MutexOptions::default()
    }

    attribute_methods!();

    /// Whether the calling thread owns the mutex at once, if the call makes it (`bInitialOwner`, Y10).
    /// Default false.
    #[must_use]
    pub fn initial_owner(mut self, initial_owner: bool) -> MutexOptions {
        self.initial_owner = initial_owner;
        self
    }

    /// `CreateMutexEx`: creates the mutex, or opens the one that has the name (then nothing is owned, Y10).
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): the name belongs to an object of another kind (M32).
    /// `ERROR_PATH_NOT_FOUND` (3): a backslash in the name, an unknown prefix (M36).
    /// `ERROR_ACCESS_DENIED` (5): the name exists and its security refuses (Y38); on Linux also if only processes
    /// in another PID namespace hold it and it is not path-backed (see `docs/limits.md`).
    pub fn create(&self) -> Result<Created<Mutex>> {
        imp::create(self).map(|created| created.map(Mutex))
    }

    /// `OpenMutex`: opens the mutex that has the name; never creates (Y39).
    ///
    /// # Errors
    /// `ERROR_FILE_NOT_FOUND` (2): no such name. `ERROR_INVALID_PARAMETER` (87): no name given.
    /// Otherwise as [`MutexOptions::create`].
    pub fn open(&self) -> Result<Mutex> {
        imp::open(&self.attributes).map(Mutex)
    }
}

impl Mutex {
    /// An unnamed mutex that nobody owns.
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4), `ERROR_NOT_ENOUGH_MEMORY` (8).
    pub fn new() -> Result<Mutex> {
        MutexOptions::new().create().map(|created| created.object)
    }

    /// Opens the mutex `name` with all rights.
    ///
    /// # Errors
    /// As [`MutexOptions::open`].
    pub fn open(name: &str) -> Result<Mutex> {
        MutexOptions::new().name(name).open()
    }

    /// Acquires the mutex for the calling thread and gives a guard that releases it; waits without limit.
    /// The owner may lock again; each guard releases once (Y8).
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `SYNCHRONIZE` (Y16).
    pub fn lock(&self) -> Result<MutexGuard<'_>> {
        let abandoned = imp::acquire(&self.0)?;
        Ok(MutexGuard { mutex: self, abandoned, thread_bound: std::marker::PhantomData })
    }

    /// As [`Mutex::lock`], giving up after `timeout`: `None` then.
    ///
    /// # Errors
    /// As [`Mutex::lock`].
    pub fn lock_for(&self, timeout: impl Into<Timeout>) -> Result<Option<MutexGuard<'_>>> {
        let abandoned = match wait::one(self, timeout)? {
            Wait::Timeout => return Ok(None),
            Wait::Object(_) => false,
            Wait::Abandoned(_) => true,
        };
        Ok(Some(MutexGuard { mutex: self, abandoned, thread_bound: std::marker::PhantomData }))
    }

    /// `ReleaseMutex`: for those who acquired by waiting, or created it with an initial owner. Needs no
    /// particular right on the handle (Y15).
    ///
    /// # Errors
    /// `ERROR_NOT_OWNER` (288): the calling thread does not own the mutex (Y9).
    #[doc(alias = "ReleaseMutex")]
    pub fn release(&self) -> Result<()> {
        imp::release(&self.0)
    }
}

/// Ownership of a [`Mutex`] by this thread; dropping it is one `ReleaseMutex`.
pub struct MutexGuard<'a> {
    mutex: &'a Mutex,
    abandoned: bool,
    /// A mutex is released by the thread that acquired it, so the guard stays there.
    thread_bound: std::marker::PhantomData<*const ()>,
}

impl MutexGuard<'_> {
    /// Whether the previous owner ended without releasing (`WAIT_ABANDONED`, Y11): what the mutex protects
    /// may be half changed.
    #[must_use]
    pub fn abandoned(&self) -> bool {
        self.abandoned
    }
}

impl fmt::Debug for MutexGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MutexGuard").field("mutex", self.mutex).field("abandoned", &self.abandoned).finish()
    }
}

impl Drop for MutexGuard<'_> {
    fn drop(&mut self) {
        // Fails only if the holder released by hand as well, which ReleaseMutex reported as it is.
        let _ = self.mutex.release();
    }
}
