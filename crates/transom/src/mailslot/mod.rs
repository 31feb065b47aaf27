//! Mailslots (`CreateMailslot`): many writers, one reader, whole messages.
//!
//! A mailslot is a named queue. Its server end, which reads, is made by [`Options::create`]; any number of processes
//! write to it through a [`Writer`]. Messages have borders, come in the order in which they were written, and exist
//! in memory only: they are gone with the last handle of the server (S18).
//!
//! Writing never waits for the reader (S10), and nothing is ever waited for that another writer does.
//!
//! [`Broadcast`] is an extension: one message to every process that subscribed to a name.
//!
//! # The backend contract
//! `linux.rs` and `windows.rs` each export, over handles: `create`, `open`, `receive`, `receive_many`, `info`,
//! `set_timeout`, `send` and `cancel`.

use std::io;

use transom_core::security::Security;

use crate::error::{Code, Error, Result};
use crate::handle::{Handle, Kind, object_impls};
use crate::wait::Timeout;

mod broadcast;
#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
pub(crate) mod imp;

#[cfg(test)]
mod tests;

pub use broadcast::{Broadcast, Received, Subscriber};
#[cfg(target_os = "linux")]
pub use imp::ext;

/// How a mailslot is created (`CreateMailslot`).
#[derive(Debug, Clone)]
pub struct Options {
    /// UTF-16, without terminator.
    pub(crate) name: Vec<u16>,
    /// Bytes; 0 = any.
    pub(crate) max_message: u32,
    pub(crate) read_timeout: Timeout,
    pub(crate) security: Option<Security>,
    pub(crate) inherit: bool,
}

impl Options {
    /// A mailslot for messages of any size, whose reads wait for ever.
    ///
    /// `name` is `\\.\mailslot\NAME`; NAME may have parts between backslashes, which are only text, and case does
    /// not matter (S1).
    #[must_use]
    pub fn new(name: &str) -> Options {
        Options::new_utf16(&name.encode_utf16().collect::<Vec<_>>())
    }

    /// [`Options::new`] with the name in UTF-16, without terminator.
    #[must_use]
    pub fn new_utf16(name: &[u16]) -> Options {
        Options {
            name: name.to_vec(),
            max_message: 0,
            read_timeout: Timeout::INFINITE,
            security: None,
            inherit: false,
        }
    }

    /// The longest message in bytes (`nMaxMessageSize`); a longer write is refused as a whole (S15). Default 0: any
    /// size (S16).
    #[must_use]
    pub fn max_message(mut self, bytes: u32) -> Options {
        self.max_message = bytes;
        self
    }

    /// How long a read waits (`lReadTimeout`). It belongs to the mailslot: it holds for every handle (S20). Default
    /// for ever, `MAILSLOT_WAIT_FOREVER`.
    #[must_use]
    pub fn read_timeout(mut self, timeout: impl Into<Timeout>) -> Options {
        self.read_timeout = timeout.into();
        self
    }

    /// Who else may write to it (`lpSecurityDescriptor`). Default: only this user.
    #[must_use]
    pub fn security(mut self, security: Security) -> Options {
        self.security = Some(security);
        self
    }

    /// Whether children started with inheritance get the handle (`bInheritHandle`, S32). Default false.
    #[must_use]
    pub fn inherit(mut self, inherit: bool) -> Options {
        self.inherit = inherit;
        self
    }

    /// `CreateMailslot`: the server end. The name exists until the last handle to it is closed or its processes end
    /// (S8).
    ///
    /// # Errors
    /// `ERROR_ALREADY_EXISTS` (183): the name has a server, and unlike with other objects there is no handle (S2).
    /// `ERROR_INVALID_NAME` (123): not the name of a mailslot.
    /// `ERROR_PATH_NOT_FOUND` (3): a name on another computer (S7).
    #[doc(alias = "CreateMailslot")]
    pub fn create(&self) -> Result<Server> {
        imp::create(self).map(Server).map_err(|error| named(error, &self.name))
    }
}

/// What `GetMailslotInfo` tells: a snapshot (S28).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Info {
    /// The longest message in bytes; `None` = any.
    pub max_message: Option<u32>,
    /// Bytes of the next message, 0 for an empty one (S29); `None` if there is none (`MAILSLOT_NO_MESSAGE`).
    pub next: Option<usize>,
    /// Messages that wait, empty ones too.
    pub count: u32,
    /// How long reads wait.
    pub read_timeout: Timeout,
}

/// The server end of a mailslot: it reads.
#[derive(Debug)]
pub struct Server(Handle);

object_impls!(Server, Kind::Mailslot, "use mailslot");

impl Server {
    /// A mailslot for messages of any size, whose reads wait for ever; see [`Options`].
    ///
    /// # Errors
    /// As [`Options::create`].
    pub fn create(name: &str) -> Result<Server> {
        Options::new(name).create()
    }

    /// `ReadFile`: takes the oldest message and says how long it is (S12, S13).
    ///
    /// # Errors
    /// `ERROR_SEM_TIMEOUT` (121): no message in the mailslot's time-out, also if that is zero (S22).
    /// `ERROR_INSUFFICIENT_BUFFER` (122): the message is longer than `buffer`; nothing was taken, and
    /// [`Server::info`] tells how long it is (S12).
    /// `ERROR_OPERATION_ABORTED` (995): [`Server::cancel`]. `ERROR_INVALID_HANDLE` (6): closed meanwhile.
    ///
    /// # Blocking
    /// As long as the mailslot's time-out says (S21).
    #[doc(alias = "ReadFile")]
    pub fn receive(&self, buffer: &mut [u8]) -> Result<usize> {
        imp::receive(&self.0, buffer, None)
    }

    /// [`Server::receive`], at most for `timeout` instead of the mailslot's own. An extension.
    ///
    /// # Errors
    /// As [`Server::receive`].
    pub fn receive_timeout(&self, buffer: &mut [u8], timeout: impl Into<Timeout>) -> Result<usize> {
        imp::receive(&self.0, buffer, Some(timeout.into()))
    }

    /// The oldest message, however long: what the usual loop of `GetMailslotInfo` and `ReadFile` does (S29).
    ///
    /// # Errors
    /// As [`Server::receive`], never 122.
    pub fn receive_vec(&self) -> Result<Vec<u8>> {
        let mut message = vec![0; 1024];
        loop {
            match self.receive(&mut message) {
                Ok(length) => {
                    message.truncate(length);
                    return Ok(message);
                }
                Err(error) if error.code() == Code::INSUFFICIENT_BUFFER => {
                    // Another reader may have been faster; then the next one may have another length.
                    let next = self.info()?.next.unwrap_or(0);
                    message.resize(next.max(message.len()), 0);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes all messages that are there, at most `most`, and calls `each` with them in their order; waits for the
    /// first as [`Server::receive`] does. An extension: it costs less than as many single reads.
    ///
    /// # Errors
    /// As [`Server::receive`], never 122; then `each` was not called.
    pub fn receive_many(&self, most: usize, mut each: impl FnMut(&[u8])) -> Result<usize> {
        imp::receive_many(&self.0, most, &mut each)
    }

    /// `GetMailslotInfo`.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6).
    #[doc(alias = "GetMailslotInfo")]
    pub fn info(&self) -> Result<Info> {
        imp::info(&self.0)
    }

    /// `SetMailslotInfo`: how long reads that begin later wait, through any handle (S20, S24).
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6).
    #[doc(alias = "SetMailslotInfo")]
    pub fn set_read_timeout(&self, timeout: impl Into<Timeout>) -> Result<()> {
        imp::set_timeout(&self.0, timeout.into())
    }

    /// `CancelIoEx(handle, NULL)`: every read of this process that waits on this mailslot ends with 995.
    ///
    /// # Errors
    /// `ERROR_NOT_FOUND` (1168): nothing waits.
    #[doc(alias = "CancelIoEx")]
    pub fn cancel(&self) -> Result<()> {
        imp::cancel(&self.0)
    }

    /// A second handle to this end; the mailslot lives until all are closed (S33).
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4).
    pub fn try_clone(&self) -> Result<Server> {
        self.0.try_clone().map(Server)
    }

    /// Every message in turn; ends at the first error, a time-out included.
    #[must_use]
    pub fn messages(&self) -> Messages<'_> {
        Messages(self)
    }
}

/// The messages of a [`Server`], one after the other.
#[derive(Debug)]
pub struct Messages<'a>(&'a Server);

impl Iterator for Messages<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.0.receive_vec().ok()
    }
}

/// A client end of a mailslot: it writes.
#[derive(Debug)]
pub struct Writer(Handle);

object_impls!(Writer, Kind::Mailslot, "use mailslot");

impl Writer {
    /// `CreateFile` with `GENERIC_WRITE`: any number of writers at the same time (S31).
    ///
    /// # Errors
    /// `ERROR_FILE_NOT_FOUND` (2): no such mailslot. `ERROR_ACCESS_DENIED` (5): it refuses this user.
    /// `ERROR_REMOTE_MAILSLOTS_DEPRECATED` (3025): a name for other computers; see [`net`](crate::net).
    /// `ERROR_NO_SYSTEM_RESOURCES` (1450): 4096 writers have it open already (Linux).
    #[doc(alias = "CreateFile")]
    pub fn open(name: &str) -> Result<Writer> {
        Writer::open_utf16(&name.encode_utf16().collect::<Vec<_>>(), false)
    }

    /// [`Writer::open`] with the name in UTF-16, and whether the handle is inheritable.
    ///
    /// # Errors
    /// As [`Writer::open`].
    pub fn open_utf16(name: &[u16], inherit: bool) -> Result<Writer> {
        imp::open(name, inherit).map(Writer).map_err(|error| named(error, name))
    }

    /// `WriteFile`: one message, whole, behind all whose writing had returned before (S9).
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): longer than the mailslot's longest (S15); nothing was written.
    /// `ERROR_HANDLE_EOF` (38): the mailslot is gone (S34).
    /// `ERROR_NOT_ENOUGH_MEMORY` (8): a gibibyte of messages is unread (Linux).
    ///
    /// # Blocking
    /// Never for a reader (S10).
    #[doc(alias = "WriteFile")]
    pub fn send(&self, message: &[u8]) -> Result<()> {
        imp::send(&self.0, message)
    }

    /// A second handle to the mailslot, to write.
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4).
    pub fn try_clone(&self) -> Result<Writer> {
        self.0.try_clone().map(Writer)
    }
}

impl io::Write for &Writer {
    /// One call is one message.
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        self.send(message)?;
        Ok(message.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Write for Writer {
    fn write(&mut self, message: &[u8]) -> io::Result<usize> {
        (&*self).write(message)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn named(error: Error, name: &[u16]) -> Error {
    error.with_name(String::from_utf16_lossy(name))
}
