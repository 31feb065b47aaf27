//! Semaphores (`CreateSemaphore`): a count between 0 and a maximum; a wait takes one, a release gives
//! some. Nobody owns what was taken, and a process that ends does not give it back (Y18, Y22).

use crate::error::Result;
use crate::handle::{Attributes, Created, Handle, Kind, attribute_methods, object_impls};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;

#[cfg(test)]
mod tests;

/// A semaphore (`CreateSemaphore`, `OpenSemaphore`).
#[derive(Debug)]
pub struct Semaphore(Handle);

object_impls!(Semaphore, Kind::Semaphore, "use semaphore");

/// How a semaphore is created (`CreateSemaphore`, `CreateSemaphoreEx`).
#[derive(Debug, Clone)]
pub struct SemaphoreOptions {
    pub(crate) attributes: Attributes,
    pub(crate) initial: i32,
    pub(crate) maximum: i32,
}

impl SemaphoreOptions {
    /// An unnamed semaphore with a count of `initial` out of `maximum`; checked by `create` as Windows does.
    #[must_use]
    pub fn new(initial: i32, maximum: i32) -> SemaphoreOptions {
        SemaphoreOptions { attributes: Attributes::default(), initial, maximum }
    }

    attribute_methods!();

    /// `CreateSemaphoreEx`: creates the semaphore, or opens the one that has the name (then the counts are
    /// ignored, but not unchecked: Y23).
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): `maximum` < 1, `initial` < 0 or > `maximum`.
    /// `ERROR_INVALID_HANDLE` (6): the name belongs to an object of another kind (M32).
    /// `ERROR_PATH_NOT_FOUND` (3): a backslash in the name, an unknown prefix (M36).
    /// `ERROR_ACCESS_DENIED` (5): the name exists and its security refuses (Y38); on Linux also if only processes
    /// in another PID namespace hold it and it is not path-backed (see `docs/limits.md`).
    pub fn create(&self) -> Result<Created<Semaphore>> {
        imp::create(self).map(|created| created.map(Semaphore))
    }

    /// `OpenSemaphore`: opens the semaphore that has the name; never creates (Y39). The counts are ignored.
    ///
    /// # Errors
    /// `ERROR_FILE_NOT_FOUND` (2): no such name. `ERROR_INVALID_PARAMETER` (87): no name given.
    /// Otherwise as [`SemaphoreOptions::create`].
    pub fn open(&self) -> Result<Semaphore> {
        imp::open(&self.attributes).map(Semaphore)
    }
}

impl Semaphore {
    /// An unnamed semaphore.
    ///
    /// # Errors
    /// As [`SemaphoreOptions::create`].
    pub fn new(initial: i32, maximum: i32) -> Result<Semaphore> {
        SemaphoreOptions::new(initial, maximum).create().map(|created| created.object)
    }

    /// Opens the semaphore `name` with all rights.
    ///
    /// # Errors
    /// As [`SemaphoreOptions::open`].
    pub fn open(name: &str) -> Result<Semaphore> {
        SemaphoreOptions::new(0, 1).name(name).open()
    }

    /// `ReleaseSemaphore`: gives `count` and returns the count before (Y21). Never blocks.
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_POSTS` (298): the count would pass the maximum; nothing changes (Y20).
    /// `ERROR_INVALID_PARAMETER` (87): `count` < 1.
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `SEMAPHORE_MODIFY_STATE`.
    #[doc(alias = "ReleaseSemaphore")]
    pub fn release(&self, count: i32) -> Result<i32> {
        imp::release(&self.0, count)
    }
}
