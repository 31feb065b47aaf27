//! What names exist, and who holds them: for `transom list`, `transom who` and `transom doctor`.
//!
//! On Linux this module is also the namespace itself: names to objects, with their holders (see
//! `linux.rs`). Windows keeps its object directory in the kernel and documents no call that lists it, so
//! there these functions fail with `ERROR_NOT_SUPPORTED` (50).

use crate::error::Result;
use crate::handle::Kind;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
pub(crate) mod imp;

#[cfg(test)]
mod tests;

pub use transom_core::name::Scope;

/// A name that exists now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedObject {
    /// The name as users write it (`Global\…` with its prefix).
    pub name: String,
    /// Which root it lies in.
    pub scope: Scope,
    /// What kind of object it is.
    pub kind: Kind,
    /// Bytes of a section; `None` for other kinds.
    pub size: Option<u64>,
    /// Whether the memory is a file of the namespace ([`Backing::Path`](crate::mapping::Backing::Path)).
    pub path_backed: bool,
    /// A short word on the present state of a synchronisation object, as far as its memory can be reached:
    /// `"set"`, `"not set"`, `"free"`, `"owned by 123"`, `"3 of 5"`.
    pub state: Option<String>,
    /// The processes that hold it, one row for each handle-holding process.
    pub holders: Vec<Holder>,
}

/// A process that holds a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process id, as its own PID namespace counts.
    pub process_id: u32,
    /// Its command, as far as the system tells.
    pub command: String,
    /// The access rights it opened the object with.
    pub access: u32,
    /// It runs in another PID namespace (a container): this process reaches the object through it only if the
    /// object is path-backed.
    pub elsewhere: bool,
}

/// One thing that [`examine`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it is in order, worth knowing, or in the way.
    pub severity: Severity,
    /// What was looked at: `"root"`, `"shared memory"`, `"open files"`…
    pub subject: String,
    /// What was found.
    pub message: String,
    /// How to mend it, where there is something to mend.
    pub remedy: Option<String>,
}

/// How much a [`Finding`] matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// In order.
    Fine,
    /// Works, with a restriction worth knowing.
    Note,
    /// Something will fail here.
    Problem,
}

/// All names that exist now, sorted by scope and name.
///
/// # Errors
/// `ERROR_ACCESS_DENIED` (5): a root is not safe to use. `ERROR_NOT_SUPPORTED` (50): on Windows.
pub fn list() -> Result<Vec<NamedObject>> {
    imp::list()
}

/// The object that has `name`, if there is one.
///
/// # Errors
/// As [`list`]; the errors of a bad name (M36).
pub fn find(name: &str) -> Result<Option<NamedObject>> {
    imp::find(name)
}

/// Removes what processes left that were killed: entries without a living holder. Nothing depends on it
/// (the next user of a name reuses its entry); returns how many were removed.
///
/// # Errors
/// As [`list`].
pub fn sweep() -> Result<usize> {
    imp::sweep()
}

/// Looks at this machine and process: roots, limits, kernel features, leftovers.
#[must_use]
pub fn examine() -> Vec<Finding> {
    imp::examine()
}
