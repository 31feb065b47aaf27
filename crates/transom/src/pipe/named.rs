//! Named pipes: their two ends, and the calls that know a pipe by its name.

use std::time::Instant;

use super::{
    Message, PIPE_ACCESS_DUPLEX, PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND, PIPE_NOWAIT,
    PIPE_READMODE_MESSAGE, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES, Pipe, Spin, end_impls, imp,
    stream_reader, stream_writer,
};
use crate::error::{Code, Error, Result};
use crate::handle::{AsHandle, DuplicateOptions, Handle, RawHandle};
use crate::process::{PROCESS_DUP_HANDLE, PROCESS_QUERY_LIMITED_INFORMATION, Process, SYNCHRONIZE};
use crate::security::Security;
use crate::wait::Timeout;
use transom_core::access::{FILE_WRITE_ATTRIBUTES, GENERIC_READ, GENERIC_WRITE};

/// `FILE_FLAG_FIRST_PIPE_INSTANCE`.
const FIRST_PIPE_INSTANCE: u32 = 0x0008_0000;

/// How a server's end is created (`CreateNamedPipe`).
///
/// The first instance of a name fixes its type, direction, limit and default time-out (P6); modes, sizes and
/// inheritability are each instance's own (P7).
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// UTF-16, without terminator.
    pub(crate) name: Vec<u16>,
    /// `dwOpenMode`, unchecked.
    pub(crate) open_mode: u32,
    /// `dwPipeMode`, unchecked.
    pub(crate) pipe_mode: u32,
    pub(crate) max_instances: u32,
    pub(crate) out_size: u32,
    pub(crate) in_size: u32,
    /// Milliseconds; 0 = 50.
    pub(crate) default_timeout: u32,
    pub(crate) security: Option<Security>,
    pub(crate) inherit: bool,
    pub(crate) spin: Spin,
}

impl ServerOptions {
    /// A pipe of bytes in both directions, with quotas of 4096 bytes and as many instances as there is room for.
    ///
    /// `name` is `\\.\pipe\NAME`; case does not matter, and NAME may hold nearly any character (P1).
    #[must_use]
    pub fn new(name: &str) -> ServerOptions {
        ServerOptions::new_utf16(&name.encode_utf16().collect::<Vec<_>>())
    }

    /// [`ServerOptions::new`] with the name in UTF-16, without terminator.
    #[must_use]
    pub fn new_utf16(name: &[u16]) -> ServerOptions {
        ServerOptions {
            name: name.to_vec(),
            open_mode: PIPE_ACCESS_DUPLEX,
            pipe_mode: 0,
            max_instances: PIPE_UNLIMITED_INSTANCES,
            out_size: 4096,
            in_size: 4096,
            default_timeout: 0,
            security: None,
            inherit: false,
            spin: Spin::default(),
        }
    }

    /// Client to server only (`PIPE_ACCESS_INBOUND`).
    #[must_use]
    pub fn inbound(self) -> ServerOptions {
        self.direction(PIPE_ACCESS_INBOUND)
    }

    /// Server to client only (`PIPE_ACCESS_OUTBOUND`).
    #[must_use]
    pub fn outbound(self) -> ServerOptions {
        self.direction(PIPE_ACCESS_OUTBOUND)
    }

    /// Both directions (`PIPE_ACCESS_DUPLEX`). The default.
    #[must_use]
    pub fn duplex(self) -> ServerOptions {
        self.direction(PIPE_ACCESS_DUPLEX)
    }

    fn direction(mut self, access: u32) -> ServerOptions {
        self.open_mode = (self.open_mode & !PIPE_ACCESS_DUPLEX) | access;
        self
    }

    /// Whether each write is one message (`PIPE_TYPE_MESSAGE`), which sets this end's read mode too
    /// (`PIPE_READMODE_MESSAGE`; see [`ServerOptions::message_read`]). Default false. A client chooses its read
    /// mode itself.
    #[must_use]
    pub fn message(self, message: bool) -> ServerOptions {
        self.pipe_bit(PIPE_TYPE_MESSAGE, message).pipe_bit(PIPE_READMODE_MESSAGE, message)
    }

    /// Whether this end reads message by message (`PIPE_READMODE_MESSAGE`). Default: as the pipe's type.
    #[must_use]
    pub fn message_read(self, message_read: bool) -> ServerOptions {
        self.pipe_bit(PIPE_READMODE_MESSAGE, message_read)
    }

    /// Whether calls on this end never wait (`PIPE_NOWAIT`, P41–P46). Default false.
    #[must_use]
    pub fn nowait(self, nowait: bool) -> ServerOptions {
        self.pipe_bit(PIPE_NOWAIT, nowait)
    }

    fn pipe_bit(mut self, bit: u32, set: bool) -> ServerOptions {
        self.pipe_mode = if set { self.pipe_mode | bit } else { self.pipe_mode & !bit };
        self
    }

    /// Whether creation fails if the name exists (`FILE_FLAG_FIRST_PIPE_INSTANCE`). Default false. It asks about
    /// this moment only: later instances need not say it (P9).
    #[must_use]
    pub fn first_instance(mut self, first: bool) -> ServerOptions {
        self.open_mode &= !FIRST_PIPE_INSTANCE;
        if first {
            self.open_mode |= FIRST_PIPE_INSTANCE;
        }
        self
    }

    /// The most instances of the name at a time (`nMaxInstances`): 1 to 254, or
    /// [`PIPE_UNLIMITED_INSTANCES`], the default. The first creator's number counts.
    #[must_use]
    pub fn max_instances(mut self, instances: u32) -> ServerOptions {
        self.max_instances = instances;
        self
    }

    /// The quota in bytes of what clients write (`nInBufferSize`). Default 4096. With 0 every write waits until
    /// it is read (P36).
    #[must_use]
    pub fn in_size(mut self, bytes: u32) -> ServerOptions {
        self.in_size = bytes;
        self
    }

    /// The quota in bytes of what the server writes (`nOutBufferSize`). Default 4096, 0 as for
    /// [`ServerOptions::in_size`].
    #[must_use]
    pub fn out_size(mut self, bytes: u32) -> ServerOptions {
        self.out_size = bytes;
        self
    }

    /// How long [`wait`] and [`call`] wait with [`InstanceWait::Default`] (`nDefaultTimeOut`); zero is 50 ms,
    /// the default. The first instance's number counts (P69).
    #[must_use]
    pub fn default_timeout(mut self, timeout: impl Into<Timeout>) -> ServerOptions {
        self.default_timeout = timeout.into().as_millis();
        self
    }

    /// Who else may open the name (`lpSecurityDescriptor`), as the first instance says. Default: only this user
    /// (P14).
    ///
    /// # Differs from Windows
    /// On Linux, processes of other users do not make instances, whatever it says; and they open a duplex pipe only if
    /// they are granted reading and writing.
    #[must_use]
    pub fn security(mut self, security: Security) -> ServerOptions {
        self.security = Some(security);
        self
    }

    /// Whether children started with inheritance get the handle (`bInheritHandle`). Default false.
    #[must_use]
    pub fn inherit(mut self, inherit: bool) -> ServerOptions {
        self.inherit = inherit;
        self
    }

    /// How this end waits; see [`Pipe::set_spin`].
    #[must_use]
    pub fn spin(mut self, spin: Spin) -> ServerOptions {
        self.spin = spin;
        self
    }

    /// The whole `dwOpenMode` word of Win32, unchecked until `create`.
    #[must_use]
    pub fn open_mode_word(mut self, open_mode: u32) -> ServerOptions {
        self.open_mode = open_mode;
        self
    }

    /// The whole `dwPipeMode` word of Win32, unchecked until `create`.
    #[must_use]
    pub fn pipe_mode_word(mut self, pipe_mode: u32) -> ServerOptions {
        self.pipe_mode = pipe_mode;
        self
    }

    /// `CreateNamedPipe`: a new instance, which listens at once (P5). The name exists while a server's handle to
    /// any instance is open (P4).
    ///
    /// # Errors
    /// `ERROR_INVALID_NAME` (123): the name does not begin with `\\.\pipe\`.
    /// `ERROR_INVALID_PARAMETER` (87): instances 0 or above 255; message read mode without message type; undefined
    /// bits in a word.
    /// `ERROR_PIPE_BUSY` (231): all instances exist (P8).
    /// `ERROR_ACCESS_DENIED` (5): the name exists and must not ([`ServerOptions::first_instance`]), or has
    /// another direction (P6), or is another user's.
    /// `ERROR_PIPE_BUSY` (231), on Linux, also if it lets other users in and the process that serves it does not answer.
    /// `ERROR_FILENAME_EXCED_RANGE` (206) or `ERROR_INVALID_NAME` (123): longer than 256 characters.
    #[doc(alias = "CreateNamedPipe")]
    pub fn create(&self) -> Result<Server> {
        imp::create_server(self).map(|handle| Server(Pipe(handle))).map_err(|error| named(error, &self.name))
    }
}

/// How long [`wait`] and [`call`] wait for an instance (`nTimeOut`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InstanceWait {
    /// As long as the pipe's creator said (`NMPWAIT_USE_DEFAULT_WAIT`, P69).
    #[default]
    Default,
    /// So long; [`Timeout::ZERO`] not at all (`NMPWAIT_NOWAIT`), [`Timeout::INFINITE`] for ever
    /// (`NMPWAIT_WAIT_FOREVER`).
    AtMost(Timeout),
}

impl InstanceWait {
    /// The number Win32 functions take.
    #[must_use]
    pub fn value(self) -> u32 {
        match self {
            InstanceWait::Default => 0,
            InstanceWait::AtMost(timeout) => timeout.as_millis().max(1),
        }
    }

    /// What a C program means by this number.
    #[must_use]
    pub fn from_value(value: u32) -> InstanceWait {
        match value {
            0 => InstanceWait::Default,
            1 => InstanceWait::AtMost(Timeout::ZERO),
            millis => InstanceWait::AtMost(Timeout::millis(millis)),
        }
    }
}

impl<T: Into<Timeout>> From<T> for InstanceWait {
    fn from(timeout: T) -> InstanceWait {
        InstanceWait::AtMost(timeout.into())
    }
}

/// What [`Server::connect`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connected {
    /// A client came while the call waited.
    During,
    /// A client was there already (`ERROR_PIPE_CONNECTED`, 535), which is good news (P5).
    Already,
}

/// The server's end of one instance of a named pipe (`CreateNamedPipe`).
#[derive(Debug)]
pub struct Server(Pipe);

end_impls!(Server);
stream_reader!(Server, &Server);
stream_writer!(Server, &Server);

impl Server {
    /// Takes a handle to a server's end, as a child does with an inherited one.
    #[must_use]
    pub fn from_pipe(pipe: Pipe) -> Server {
        Server(pipe)
    }

    /// A pipe of bytes in both directions named `\\.\pipe\NAME`; see [`ServerOptions`].
    ///
    /// # Errors
    /// As [`ServerOptions::create`].
    pub fn create(name: &str) -> Result<Server> {
        ServerOptions::new(name).create()
    }

    /// `ConnectNamedPipe`: waits for a client. A disconnected instance begins to listen again (P16).
    ///
    /// # Errors
    /// `ERROR_NO_DATA` (232): a client came and left; what it wrote can still be read, then disconnect (P15).
    /// `ERROR_PIPE_LISTENING` (536): no client, in `PIPE_NOWAIT` mode; the instance listens now (P43).
    /// `ERROR_PIPE_NOT_CONNECTED` (233): disconnected meanwhile by another thread.
    /// `ERROR_BROKEN_PIPE` (109): closed meanwhile. `ERROR_OPERATION_ABORTED` (995): [`Pipe::cancel`].
    /// `ERROR_INVALID_FUNCTION` (1): a client's handle.
    ///
    /// # Blocking
    /// Until a client opens the name; not if one has already, and not in `PIPE_NOWAIT` mode.
    #[doc(alias = "ConnectNamedPipe")]
    pub fn connect(&self) -> Result<Connected> {
        self.connect_timeout(Timeout::INFINITE)
    }

    /// [`Server::connect`], at most for `timeout`.
    ///
    /// # Errors
    /// As [`Server::connect`]; `ERROR_SEM_TIMEOUT` (121): no client in time. The instance goes on listening.
    pub fn connect_timeout(&self, timeout: impl Into<Timeout>) -> Result<Connected> {
        imp::connect(self.as_handle(), timeout.into())
    }

    /// [`Server::connect_timeout`], for who takes any client: one that was there, and one that has left.
    pub(super) fn accept(&self, timeout: Timeout) -> Result<()> {
        imp::accept(self.as_handle(), timeout)
    }

    /// `DisconnectNamedPipe`: cuts the client off and discards what is unread in both directions (P17). The
    /// client's handle stays open and fails with 233 (P18). [`Pipe::flush`] first saves what was written;
    /// closing the server instead lets the client read it.
    ///
    /// # Errors
    /// `ERROR_PIPE_NOT_CONNECTED` (233): disconnected already (P19).
    /// `ERROR_INVALID_FUNCTION` (1): a client's handle.
    #[doc(alias = "DisconnectNamedPipe")]
    pub fn disconnect(&self) -> Result<()> {
        disconnect(&self.0)
    }

    /// A second handle to this end: the end is closed when all of them are.
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4).
    pub fn try_clone(&self) -> Result<Server> {
        self.0.try_clone().map(Server)
    }

    /// The client's process, opened to wait for its end, to ask its exit code and to duplicate handles into it.
    ///
    /// # Errors
    /// As [`Pipe::client_process_id`]; `ERROR_INVALID_PARAMETER` (87): it has ended.
    /// `ERROR_ACCESS_DENIED` (5): another user's.
    pub fn peer_process(&self) -> Result<Process> {
        open_peer(self.0.client_process_id()?)
    }

    /// Duplicates a handle into the client's process (`DuplicateHandle`); tell it the number by a message.
    ///
    /// # Errors
    /// As [`Server::peer_process`] and [`Handle::duplicate_into`].
    pub fn duplicate_to_peer(&self, handle: &Handle, options: DuplicateOptions) -> Result<RawHandle> {
        handle.duplicate_into(&self.peer_process()?, options)
    }
}

/// How a client opens a named pipe (`CreateFile`).
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// UTF-16, without terminator.
    pub(crate) name: Vec<u16>,
    /// `dwDesiredAccess`.
    pub(crate) access: u32,
    pub(crate) wait: InstanceWait,
    /// The mode word to set, if any.
    pub(crate) mode: u32,
    pub(crate) inherit: bool,
    pub(crate) spin: Spin,
    /// `FILE_FLAG_OVERLAPPED`.
    pub(crate) overlapped: bool,
}

impl ClientOptions {
    /// To read and to write, in byte read mode, failing if every instance is busy.
    ///
    /// `name` as for [`ServerOptions::new`].
    #[must_use]
    pub fn new(name: &str) -> ClientOptions {
        ClientOptions::new_utf16(&name.encode_utf16().collect::<Vec<_>>())
    }

    /// [`ClientOptions::new`] with the name in UTF-16, without terminator.
    #[must_use]
    pub fn new_utf16(name: &[u16]) -> ClientOptions {
        ClientOptions {
            name: name.to_vec(),
            access: GENERIC_READ | GENERIC_WRITE,
            wait: InstanceWait::AtMost(Timeout::ZERO),
            mode: 0,
            inherit: false,
            spin: Spin::default(),
            overlapped: false,
        }
    }

    /// Whether to read (`GENERIC_READ`). Default true; an inbound pipe cannot be read by its clients.
    #[must_use]
    pub fn read(mut self, read: bool) -> ClientOptions {
        self.access = if read { self.access | GENERIC_READ } else { self.access & !GENERIC_READ };
        self
    }

    /// Whether to write (`GENERIC_WRITE`). Default true; an outbound pipe cannot be written by its clients.
    #[must_use]
    pub fn write(mut self, write: bool) -> ClientOptions {
        self.access = if write { self.access | GENERIC_WRITE } else { self.access & !GENERIC_WRITE };
        self
    }

    /// The access rights wanted (`dwDesiredAccess`), instead of `read` and `write`. With 0 the client is
    /// connected and can neither read nor write (P13).
    #[must_use]
    pub fn access(mut self, access: u32) -> ClientOptions {
        self.access = access;
        self
    }

    /// How long to wait for an instance if all are busy. Default: not at all.
    #[must_use]
    pub fn wait(mut self, wait: impl Into<InstanceWait>) -> ClientOptions {
        self.wait = wait.into();
        self
    }

    /// Whether this end reads message by message; the pipe must be one of messages. Default false, as on Windows.
    #[must_use]
    pub fn message_read(self, message_read: bool) -> ClientOptions {
        self.mode_bit(PIPE_READMODE_MESSAGE, message_read)
    }

    /// Whether calls on this end never wait (`PIPE_NOWAIT`). Default false.
    #[must_use]
    pub fn nowait(self, nowait: bool) -> ClientOptions {
        self.mode_bit(PIPE_NOWAIT, nowait)
    }

    fn mode_bit(mut self, bit: u32, set: bool) -> ClientOptions {
        self.mode = if set { self.mode | bit } else { self.mode & !bit };
        self
    }

    /// Whether children started with inheritance get the handle. Default false.
    #[must_use]
    pub fn inherit(mut self, inherit: bool) -> ClientOptions {
        self.inherit = inherit;
        self
    }

    /// How this end waits; see [`Pipe::set_spin`].
    #[must_use]
    pub fn spin(mut self, spin: Spin) -> ClientOptions {
        self.spin = spin;
        self
    }

    /// Notes `FILE_FLAG_OVERLAPPED`, for the C interface; [`ServerOptions::open_mode_word`] has it among its bits.
    /// Default false. It changes nothing here: every end can be read and written at once (P56).
    #[must_use]
    pub fn overlapped(mut self, overlapped: bool) -> ClientOptions {
        self.overlapped = overlapped;
        self
    }

    /// `CreateFile`: connects to the instance that has listened longest (P10). It may write before the server
    /// calls `ConnectNamedPipe` (P5).
    ///
    /// # Errors
    /// `ERROR_FILE_NOT_FOUND` (2): no such pipe; at once, whatever the wait.
    /// `ERROR_PIPE_BUSY` (231): no instance listens, and no wait was asked for.
    /// `ERROR_SEM_TIMEOUT` (121): none did in the time asked for.
    /// `ERROR_ACCESS_DENIED` (5): the pipe does not go that way, or its security refuses. On Linux also: it lets in nobody
    /// but its user, and its servers are in another PID namespace (see `docs/limits.md`).
    /// `ERROR_INVALID_PARAMETER` (87): message read mode, but it is a pipe of bytes.
    /// `ERROR_BAD_NETPATH` (53): another computer's name (P3).
    ///
    /// # Blocking
    /// Only as long as [`ClientOptions::wait`] says. On Linux, for the pipe of another user, until its server's process
    /// has answered; if that is stopped, ten seconds, and then it is 231.
    #[doc(alias = "CreateFile")]
    pub fn open(&self) -> Result<Client> {
        self.open_when_free().map_err(|error| named(error, &self.name))
    }

    fn open_when_free(&self) -> Result<Client> {
        let began = Instant::now();
        loop {
            match imp::open_client(&self.with_mode_right()) {
                Ok(handle) => return self.in_mode(Client(Pipe(handle))),
                Err(error) if error.code() == Code::PIPE_BUSY && !self.gives_up_at_once() => {
                    // Success reserves nothing: somebody else may be quicker, and then it is the next turn (P68).
                    imp::wait(&self.name, self.wait_left(began))?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn gives_up_at_once(&self) -> bool {
        self.wait == InstanceWait::AtMost(Timeout::ZERO)
    }

    fn wait_left(&self, began: Instant) -> InstanceWait {
        match self.wait {
            InstanceWait::AtMost(timeout) => {
                let left = timeout.as_duration().map(|limit| limit.saturating_sub(began.elapsed()));
                InstanceWait::AtMost(left.map_or(Timeout::INFINITE, Timeout::from_duration))
            }
            InstanceWait::Default => InstanceWait::Default,
        }
    }

    /// The right to set the mode, which reading alone does not bring.
    fn with_mode_right(&self) -> ClientOptions {
        let right = if self.mode == 0 { 0 } else { FILE_WRITE_ATTRIBUTES };
        ClientOptions { access: self.access | right, ..self.clone() }
    }

    fn in_mode(&self, client: Client) -> Result<Client> {
        if self.mode != 0 {
            client.pipe().set_mode(self.mode)?;
        }
        Ok(client)
    }
}

/// The client's end of a named pipe (`CreateFile`).
#[derive(Debug)]
pub struct Client(Pipe);

end_impls!(Client);
stream_reader!(Client, &Client);
stream_writer!(Client, &Client);

impl Client {
    /// Takes a handle to a client's end, as a child does with an inherited one.
    #[must_use]
    pub fn from_pipe(pipe: Pipe) -> Client {
        Client(pipe)
    }

    /// Opens `\\.\pipe\NAME` to read and to write; see [`ClientOptions`].
    ///
    /// # Errors
    /// As [`ClientOptions::open`].
    pub fn open(name: &str) -> Result<Client> {
        ClientOptions::new(name).open()
    }

    /// A second handle to this end: the end is closed when all of them are.
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4).
    pub fn try_clone(&self) -> Result<Client> {
        self.0.try_clone().map(Client)
    }

    /// The server's process, opened to wait for its end, to ask its exit code and to duplicate handles into it.
    ///
    /// # Errors
    /// As [`Pipe::server_process_id`]; `ERROR_INVALID_PARAMETER` (87): it has ended.
    /// `ERROR_ACCESS_DENIED` (5): another user's.
    pub fn peer_process(&self) -> Result<Process> {
        open_peer(self.0.server_process_id()?)
    }

    /// Duplicates a handle into the server's process (`DuplicateHandle`); tell it the number by a message.
    ///
    /// # Errors
    /// As [`Client::peer_process`] and [`Handle::duplicate_into`].
    pub fn duplicate_to_peer(&self, handle: &Handle, options: DuplicateOptions) -> Result<RawHandle> {
        handle.duplicate_into(&self.peer_process()?, options)
    }
}

/// `WaitNamedPipe`: waits until an instance of `name` listens. That reserves nothing: the next to open it may be
/// somebody else (P68), which [`ClientOptions::wait`] takes care of.
///
/// # Errors
/// `ERROR_FILE_NOT_FOUND` (2): no such pipe; at once, even with [`Timeout::INFINITE`].
/// `ERROR_SEM_TIMEOUT` (121): no instance in time.
/// `ERROR_BAD_PATHNAME` (161): not the name of a pipe.
#[doc(alias = "WaitNamedPipe")]
pub fn wait(name: &str, wait: impl Into<InstanceWait>) -> Result<()> {
    wait_utf16(&name.encode_utf16().collect::<Vec<_>>(), wait)
}

/// [`wait`] with the name in UTF-16, without terminator.
///
/// # Errors
/// As [`wait`].
pub fn wait_utf16(name: &[u16], wait: impl Into<InstanceWait>) -> Result<()> {
    imp::wait(name, wait.into()).map_err(|error| named(error, name))
}

/// `CallNamedPipe`: opens `name`, waiting for an instance if need be, sends one message, receives one and closes
/// (P66). Of a reply longer than `reply` the rest is lost.
///
/// # Errors
/// `ERROR_FILE_NOT_FOUND` (2): no such pipe.
/// `ERROR_SEM_TIMEOUT` (121) or `ERROR_PIPE_BUSY` (231): no instance in time.
/// `ERROR_INVALID_PARAMETER` (87): a pipe of bytes.
/// Otherwise as [`Pipe::transact`].
///
/// # Blocking
/// `wait` limits only the wait for an instance (P67); the reply may take any time.
#[doc(alias = "CallNamedPipe")]
pub fn call(name: &str, request: &[u8], reply: &mut [u8], wait: impl Into<InstanceWait>) -> Result<Message> {
    call_utf16(&name.encode_utf16().collect::<Vec<_>>(), request, reply, wait)
}

/// [`call`] with the name in UTF-16, without terminator.
///
/// # Errors
/// As [`call`].
pub fn call_utf16(
    name: &[u16],
    request: &[u8],
    reply: &mut [u8],
    wait: impl Into<InstanceWait>,
) -> Result<Message> {
    imp::call(name, request, reply, wait.into()).map_err(|error| named(error, name))
}

/// [`Server::disconnect`] of an end whichever.
pub(crate) fn disconnect(server: &Pipe) -> Result<()> {
    imp::disconnect(server.as_handle())
}

fn open_peer(id: u32) -> Result<Process> {
    Process::open(id, PROCESS_DUP_HANDLE | PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, false)
}

fn named(error: Error, name: &[u16]) -> Error {
    error.with_name(String::from_utf16_lossy(name))
}
