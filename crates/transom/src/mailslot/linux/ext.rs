//! Linux's own view of a mailslot's server end: waits that can be stopped one by one, which is what a C interface with
//! `OVERLAPPED` or an event loop needs.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use transom_core::access::{FILE_READ_DATA, FILE_WRITE_DATA};
use transom_core::code::Code;

use super::super::{Server, Writer};
use super::{inlet, try_open, until};
use crate::engine::named::error;
use crate::engine::post::{Inlet, Until};
use crate::error::Result;
use crate::handle::AsHandle;
use crate::wait::Timeout;

/// This process's side of a server end. It is no handle: it does not keep the mailslot open. When the last handle of
/// this process is closed, its waits end with `ERROR_INVALID_HANDLE` (6).
#[derive(Debug, Clone)]
pub struct Slot(Arc<Inlet>);

/// When a read that begins now ends.
#[derive(Debug, Clone, Copy)]
pub struct Limit(Until);

impl Limit {
    /// Whether the read does not wait at all.
    #[must_use]
    pub fn is_now(self) -> bool {
        matches!(self.0, Until::Now)
    }
}

/// The server end of a handle.
///
/// # Errors
/// `ERROR_ACCESS_DENIED` (5): a writer's. `ERROR_INVALID_HANDLE` (6): no mailslot's.
pub fn slot(server: &Server) -> Result<Slot> {
    inlet(server.as_handle(), FILE_READ_DATA)
        .map(|inlet| Slot(Arc::clone(inlet)))
        .map_err(error("read mailslot"))
}

/// [`Writer::open_utf16`] with rights as `CreateFile` takes them; without that to write nothing can be written.
///
/// # Errors
/// As [`Writer::open`].
pub fn open(name: &[u16], access: u32, inherit: bool) -> Result<Writer> {
    let rights = transom_core::access::Kind::Mailslot.map_generic(access);
    try_open(name, rights, inherit).map(Writer).map_err(error("open mailslot"))
}

/// Whether rights, as they are granted, are enough to write.
pub(super) fn writes(rights: u32) -> bool {
    rights & FILE_WRITE_DATA != 0
}

impl Slot {
    /// The same number for all handles of this process that lead to the same server end.
    #[must_use]
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// When a read ends that begins now: after `timeout`, or after the mailslot's own time (S20, S24).
    #[must_use]
    pub fn limit(&self, timeout: Option<Timeout>) -> Limit {
        Limit(until(&self.0, timeout))
    }

    /// [`Server::receive`] until `limit`, or until `stop` is set and [`Slot::stir`] called.
    ///
    /// # Errors
    /// As [`Server::receive`]; `ERROR_OPERATION_ABORTED` (995): stopped.
    pub fn receive(
        &self,
        buffer: &mut [u8],
        limit: Limit,
        stop: &AtomicBool,
    ) -> std::result::Result<usize, Code> {
        self.0.receive_unless(buffer, limit.0, stop)
    }

    /// Waits as [`Slot::receive`] does until there is a message, and leaves it.
    ///
    /// # Errors
    /// As [`Slot::receive`], never 122.
    pub fn wait(&self, limit: Limit, stop: &AtomicBool) -> std::result::Result<(), Code> {
        self.0.await_message(limit.0, stop)
    }

    /// Lets all who wait look whether they are to stop.
    pub fn stir(&self) {
        self.0.stir();
    }
}
