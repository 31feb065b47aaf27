//! What named pipes there are: for `transom pipe list`.

use super::imp;
use crate::error::Result;

/// A named pipe that exists now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPipe {
    /// Its name, `\\.\pipe\…`, as its first creator wrote it.
    pub name: String,
    /// Whether it is a pipe of messages; `None` where the system does not tell.
    pub message: Option<bool>,
    /// The most instances, [`PIPE_UNLIMITED_INSTANCES`](super::PIPE_UNLIMITED_INSTANCES) for no limit; `None` where
    /// the system does not tell.
    pub max_instances: Option<u32>,
    /// The user whose processes serve it; `None` where the system does not tell.
    pub user: Option<u32>,
    /// How many instances it has; `None` where the system does not tell.
    pub instance_count: Option<u32>,
    /// Its instances; none where the system does not tell, of another user's pipe, and of one in another PID namespace.
    pub instances: Vec<Instance>,
}

/// An instance of a named pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Which one; a number is used again when its instance has ended.
    pub number: u32,
    /// What it does.
    pub state: InstanceState,
    /// The process that made it.
    pub server: u32,
    /// The process that opened its client end; `None` while it listens.
    pub client: Option<u32>,
    /// Client to server.
    pub inbound: Flow,
    /// Server to client.
    pub outbound: Flow,
}

/// What an instance does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceState {
    /// It has no client, and the next one may get it.
    Listening,
    /// It has a client.
    Connected,
    /// Its client has closed its end; the server has not disconnected yet.
    Closing,
    /// The server has disconnected the client and does not listen yet.
    Disconnected,
}

/// One direction of an instance, since its client came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flow {
    /// Unread bytes before a write waits.
    pub quota: u32,
    /// Unread bytes.
    pub unread: u64,
    /// Bytes that were written.
    pub bytes: u64,
    /// Messages that were written; 0 on a pipe of bytes.
    pub messages: u64,
}

/// The named pipes that exist now, sorted by name. An extension: Win32 has no call for it.
///
/// The numbers of one instance are read while it is used, so they may be of slightly different moments.
///
/// On Linux another user's pipe is among them if it lets other users in, whether this one or not. Its server's process
/// tells what it is, so of one that is stopped nothing is known; at most 1,000 are asked.
///
/// # Blocking
/// For other users' servers that do not answer, a second in all.
///
/// # Errors
/// `ERROR_ACCESS_DENIED` (5): the folder of names is not safe to use.
///
/// # Differs from Windows
/// There, only the names are known, and those of all users' pipes.
pub fn list() -> Result<Vec<NamedPipe>> {
    imp::list()
}
