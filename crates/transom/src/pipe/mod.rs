//! Pipes: anonymous ones (`CreatePipe`) for parent and child, and named ones (`CreateNamedPipe`), which any
//! process reaches by name.
//!
//! A pipe instance has a server end and a client end and two queues, client to server (inbound) and server to
//! client (outbound). An anonymous pipe is an unnamed one-way instance: its read end is the server end. All
//! that both kinds can do is in [`Pipe`]; [`Server`] and [`Client`] are the ends of a named pipe,
//! [`PipeReader`] and [`PipeWriter`] those of an anonymous one.
//!
//! ```text
//!  CreateNamedPipe ──► listening ──a client opens──► connected ──it closes──► closing
//!                        ▲                               │                       │
//!                        └── connect() ── disconnected ◄─┴──── disconnect() ─────┘
//! ```
//! A pipe is broken for its reader when *every* write handle everywhere is closed (P74): close your own copy
//! after starting a child.
//!
//! # Both directions at once
//! Any number of threads may use one end at the same time, also for reading and writing. Win32 promises that
//! for overlapped handles only (P56), so that is what this library makes on Windows, without the caller
//! seeing any of it. Anonymous pipes, which must serve as standard streams, are synchronous there: calls on
//! one such handle follow each other, and a time-out is not kept.
//!
//! # The backend contract
//! `linux.rs` and `windows.rs` each export, over handles: `create`, `create_server`, `open_client`, `connect`,
//! `disconnect`, `wait`, `call`, `receive`, `send`, `lend`, `commit`, `borrow_next`, `transact`, `peek`, `flush`,
//! `info`, `state`, `set_mode`, `client_process_id`, `server_process_id`, `client_user_id`, `cancel`, `set_spin` and
//! `list`; also the
//! types `Loan` and `Borrowed`, of which there are no values where nothing can be lent.

use std::io;

use crate::error::{Code, Result};
use crate::handle::{Handle, Kind, object_impls};
use crate::wait::Timeout;

mod anonymous;
#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
pub(crate) mod imp;
mod list;
mod listener;
mod loan;
mod named;

#[cfg(test)]
mod tests;

pub use anonymous::{PipeOptions, PipeReader, PipeWriter, anonymous};
#[cfg(target_os = "linux")]
pub use imp::ext;
pub use list::{Flow, Instance, InstanceState, NamedPipe, list};
pub use listener::{Incoming, Listener};
pub use loan::{Borrowed, Loan};
pub use named::{
    Client, ClientOptions, Connected, InstanceWait, Server, ServerOptions, call, call_utf16, wait, wait_utf16,
};

#[cfg(feature = "tokio")]
pub(crate) use named::disconnect;

/// Bit of a mode word: calls that would wait fail or do nothing instead.
pub const PIPE_NOWAIT: u32 = 0x1;
/// Bit of a mode word: reads obey the borders of messages.
pub const PIPE_READMODE_MESSAGE: u32 = 0x2;
/// Bit of a pipe's type and of [`PipeInfo::flags`]: each write is one message.
pub const PIPE_TYPE_MESSAGE: u32 = 0x4;
/// Bit of a pipe's type: no clients of other computers. There are none here.
pub const PIPE_REJECT_REMOTE_CLIENTS: u32 = 0x8;
/// Bit of [`PipeInfo::flags`]: this is the server end.
pub const PIPE_SERVER_END: u32 = 0x1;
/// The client writes, the server reads.
pub const PIPE_ACCESS_INBOUND: u32 = 0x1;
/// The server writes, the client reads.
pub const PIPE_ACCESS_OUTBOUND: u32 = 0x2;
/// Both directions.
pub const PIPE_ACCESS_DUPLEX: u32 = 0x3;
/// As many instances as there is room for.
pub const PIPE_UNLIMITED_INSTANCES: u32 = 255;

/// An end of a pipe, whichever: the calls that all ends have.
///
/// See [`Server`], [`Client`], [`PipeReader`] and [`PipeWriter`], which give theirs with `pipe()`.
#[derive(Debug)]
pub struct Pipe(Handle);

object_impls!(Pipe, Kind::Pipe, "use pipe");

/// What a read took (`ReadFile`, `TransactNamedPipe`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Bytes in the buffer.
    pub len: usize,
    /// False if the message is longer than the buffer (`ERROR_MORE_DATA`, 234): the rest comes with the next
    /// read (P27). Always true in byte read mode.
    pub complete: bool,
}

/// What `PeekNamedPipe` saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peek {
    /// Bytes copied into the buffer; on a pipe of messages never more than what is left of the first one,
    /// whatever the read mode (P59).
    pub copied: usize,
    /// All unread bytes of the pipe, those of waiting writes included (P35).
    pub available: usize,
    /// Bytes of the first message that were not copied (P58); 0 on a pipe of bytes (P60).
    pub left: usize,
}

/// What `GetNamedPipeInfo` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipeInfo {
    /// [`PIPE_SERVER_END`] and [`PIPE_TYPE_MESSAGE`] bits; the read end of an anonymous pipe is a server end (P72).
    pub flags: u32,
    /// Bytes of the outbound quota, server to client: the number the creator gave, from both ends (P33).
    pub out_size: u32,
    /// Bytes of the inbound quota, client to server; `CreatePipe`'s size serves both.
    pub in_size: u32,
    /// The most instances; [`PIPE_UNLIMITED_INSTANCES`] is no limit (P11). 1 for an anonymous pipe.
    pub max_instances: u32,
}

impl PipeInfo {
    /// Whether the handle is to the server end.
    #[must_use]
    pub fn is_server_end(&self) -> bool {
        self.flags & PIPE_SERVER_END != 0
    }

    /// Whether each write is one message.
    #[must_use]
    pub fn is_message_type(&self) -> bool {
        self.flags & PIPE_TYPE_MESSAGE != 0
    }
}

/// What `GetNamedPipeHandleState` tells: the modes of this end alone (P32), and the number of instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipeState {
    /// `PIPE_NOWAIT`.
    pub nowait: bool,
    /// `PIPE_READMODE_MESSAGE`.
    pub message_read: bool,
    /// Open server ends of the name (P12); 1 for an anonymous pipe.
    pub instances: u32,
}

impl PipeState {
    /// The mode word, as [`Pipe::set_mode`] takes it.
    #[must_use]
    pub fn mode(&self) -> u32 {
        let bit = |set, bit| if set { bit } else { 0 };
        bit(self.nowait, PIPE_NOWAIT) | bit(self.message_read, PIPE_READMODE_MESSAGE)
    }
}

/// Whether a thread looks again and again for a little while before it sleeps. An extension; Windows has no
/// such choice and ignores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spin {
    /// Sleeps at once: no time of the processor is spent on waiting.
    Never,
    /// For a time that depends on how often it helped before, at most some 20 µs. On the processor on which the other
    /// side was seen last it lets others run once instead, `sched_yield(2)`, where that has paid lately.
    #[default]
    Adaptive,
    /// Until something comes: it does not sleep, and takes a processor for itself, or what others leave of the one on which
    /// the other side was seen last.
    Always,
}

impl Pipe {
    /// `ReadFile`: waits for at least one byte, takes what is there up to the size of `buffer` and says how
    /// much that was (P22).
    ///
    /// In message read mode one call takes at most one message; of a longer one the next call takes the rest
    /// (P27). [`Pipe::receive_message`] tells whether there is more. A `buffer` of 0 bytes waits for data and
    /// takes none (P24); 0 bytes into a larger one are an empty message (P28).
    ///
    /// # Errors
    /// `ERROR_BROKEN_PIPE` (109): empty, and the other end is closed (P25); or this end was closed meanwhile.
    /// `ERROR_NO_DATA` (232): empty, in `PIPE_NOWAIT` mode (P41).
    /// `ERROR_PIPE_LISTENING` (536): a server's end without a client.
    /// `ERROR_PIPE_NOT_CONNECTED` (233): the server disconnected, before or during the call.
    /// `ERROR_OPERATION_ABORTED` (995): [`Pipe::cancel`].
    /// `ERROR_ACCESS_DENIED` (5): the handle cannot read (P72).
    ///
    /// # Blocking
    /// Until there is something to read, for ever if need be; not in `PIPE_NOWAIT` mode. Waiting reads are
    /// served in their order (P52).
    #[doc(alias = "ReadFile")]
    pub fn receive(&self, buffer: &mut [u8]) -> Result<usize> {
        self.receive_timeout(buffer, Timeout::INFINITE)
    }

    /// [`Pipe::receive`], at most for `timeout`; [`Timeout::ZERO`] takes only what is there already.
    ///
    /// # Errors
    /// As [`Pipe::receive`]; `ERROR_SEM_TIMEOUT` (121): nothing came in time, and nothing was taken.
    ///
    /// # Differs from Windows
    /// `ReadFile` has no time-out: there it is an overlapped read that is cancelled. A synchronous handle, such
    /// as an anonymous pipe's, waits without limit on Windows.
    pub fn receive_timeout(&self, buffer: &mut [u8], timeout: impl Into<Timeout>) -> Result<usize> {
        self.receive_message_timeout(buffer, timeout).map(|message| message.len)
    }

    /// `ReadFile`, as [`Pipe::receive`], and whether the message is complete (`ERROR_MORE_DATA` is a result,
    /// not a failure: P27).
    ///
    /// # Errors
    /// As [`Pipe::receive`].
    #[doc(alias = "ERROR_MORE_DATA")]
    pub fn receive_message(&self, buffer: &mut [u8]) -> Result<Message> {
        self.receive_message_timeout(buffer, Timeout::INFINITE)
    }

    /// [`Pipe::receive_message`], at most for `timeout`, as [`Pipe::receive_timeout`].
    ///
    /// # Errors
    /// As [`Pipe::receive_timeout`].
    pub fn receive_message_timeout(&self, buffer: &mut [u8], timeout: impl Into<Timeout>) -> Result<Message> {
        imp::receive(&self.0, buffer, timeout.into())
    }

    /// `WriteFile`: writes all of `bytes`, on a pipe of messages as one message, and returns their number.
    ///
    /// In `PIPE_NOWAIT` mode it writes all or nothing and returns 0 for nothing (P42). 0 bytes are an empty
    /// message on a pipe of messages (P28), and nothing at all on a pipe of bytes (P23).
    ///
    /// # Errors
    /// `ERROR_NO_DATA` (232): the other end is closed. `ERROR_BROKEN_PIPE` (109): it was closed while the
    /// write waited; what was not read of it is gone.
    /// `ERROR_PIPE_LISTENING` (536): a server's end without a client.
    /// `ERROR_PIPE_NOT_CONNECTED` (233): the server disconnected, before or during the call.
    /// `ERROR_OPERATION_ABORTED` (995): [`Pipe::cancel`]; what was not read of it is gone (P38).
    /// `ERROR_ACCESS_DENIED` (5): the handle cannot write (P72).
    ///
    /// # Blocking
    /// Until the unread bytes up to and including these are not more than the quota (P34). The data can be
    /// read from the beginning (P35). Waiting writes are served in their order (P39).
    #[doc(alias = "WriteFile")]
    pub fn send(&self, bytes: &[u8]) -> Result<usize> {
        self.send_timeout(bytes, Timeout::INFINITE)
    }

    /// [`Pipe::send`], at most for `timeout`.
    ///
    /// # Errors
    /// As [`Pipe::send`]; `ERROR_SEM_TIMEOUT` (121): not enough was read in time. What was not read of `bytes`
    /// is taken out of the pipe again, although a part may have been read (P38).
    ///
    /// # Differs from Windows
    /// As [`Pipe::receive_timeout`].
    pub fn send_timeout(&self, bytes: &[u8], timeout: impl Into<Timeout>) -> Result<usize> {
        imp::send(&self.0, bytes, timeout.into())
    }

    /// `TransactNamedPipe`: writes one message and reads one, in one step. Either end may do it (P65).
    ///
    /// # Errors
    /// `ERROR_BAD_PIPE` (230): not connected, a pipe of bytes, or this end is in byte read mode.
    /// `ERROR_PIPE_BUSY` (231): something unread is there already; the request was not sent (P63).
    /// `ERROR_ACCESS_DENIED` (5): the handle cannot both read and write.
    /// `ERROR_BROKEN_PIPE` (109), `ERROR_PIPE_NOT_CONNECTED` (233), `ERROR_OPERATION_ABORTED` (995): while
    /// waiting, as for [`Pipe::receive`]; the request stays sent.
    ///
    /// # Blocking
    /// Until the reply comes. It does not wait for room for the request, whatever the quota (P64).
    #[doc(alias = "TransactNamedPipe")]
    pub fn transact(&self, request: &[u8], reply: &mut [u8]) -> Result<Message> {
        self.transact_timeout(request, reply, Timeout::INFINITE)
    }

    /// [`Pipe::transact`], waiting for the reply at most for `timeout`.
    ///
    /// # Errors
    /// As [`Pipe::transact`]; `ERROR_SEM_TIMEOUT` (121): no reply in time. The request stays sent; a reply that
    /// comes later is to be read.
    pub fn transact_timeout(
        &self,
        request: &[u8],
        reply: &mut [u8],
        timeout: impl Into<Timeout>,
    ) -> Result<Message> {
        imp::transact(&self.0, request, reply, timeout.into())
    }

    /// `PeekNamedPipe`: copies from the front without taking; never blocks, whatever the wait mode (P62).
    ///
    /// An empty message at the front looks like an empty pipe (P61).
    ///
    /// # Errors
    /// `ERROR_BROKEN_PIPE` (109): empty, and the other end is closed.
    /// `ERROR_BAD_PIPE` (230): a server's end that listens or is disconnected.
    /// `ERROR_PIPE_NOT_CONNECTED` (233): a client's end that was disconnected.
    /// `ERROR_ACCESS_DENIED` (5): the handle cannot read.
    #[doc(alias = "PeekNamedPipe")]
    pub fn peek(&self, buffer: &mut [u8]) -> Result<Peek> {
        imp::peek(&self.0, buffer)
    }

    /// `FlushFileBuffers`: waits until the peer has read everything written here, waiting writes included
    /// (P40). Before [`Server::disconnect`] it saves what would be lost (P17).
    ///
    /// # Errors
    /// `ERROR_BROKEN_PIPE` (109): the other end was closed meanwhile.
    /// `ERROR_PIPE_NOT_CONNECTED` (233): the server disconnected.
    /// `ERROR_OPERATION_ABORTED` (995): [`Pipe::cancel`].
    /// `ERROR_ACCESS_DENIED` (5): the handle cannot write.
    ///
    /// # Blocking
    /// Until everything is read. At once if there is nothing to be read, and if nobody is there to read it.
    ///
    /// # Differs from Windows
    /// On Linux an anonymous pipe cannot tell when it was drained: the call returns at once.
    #[doc(alias = "FlushFileBuffers")]
    pub fn flush(&self) -> Result<()> {
        self.flush_timeout(Timeout::INFINITE)
    }

    /// [`Pipe::flush`], at most for `timeout`; [`Timeout::ZERO`] asks whether everything is read.
    ///
    /// # Errors
    /// As [`Pipe::flush`]; `ERROR_SEM_TIMEOUT` (121): the peer had not read everything in time. Nothing is taken back.
    ///
    /// # Differs from Windows
    /// `FlushFileBuffers` has no time-out: there a thread is started that calls it, and cancelled when the time is over.
    pub fn flush_timeout(&self, timeout: impl Into<Timeout>) -> Result<()> {
        imp::flush(&self.0, timeout.into())
    }

    /// `GetNamedPipeInfo`.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `FILE_READ_ATTRIBUTES`, as the server's end of an outbound
    /// pipe does. `ERROR_PIPE_NOT_CONNECTED` (233): a client's end that was disconnected.
    #[doc(alias = "GetNamedPipeInfo")]
    pub fn info(&self) -> Result<PipeInfo> {
        imp::info(&self.0)
    }

    /// `GetNamedPipeHandleState`: this end's modes and the number of instances.
    ///
    /// # Errors
    /// As [`Pipe::info`].
    #[doc(alias = "GetNamedPipeHandleState")]
    pub fn state(&self) -> Result<PipeState> {
        imp::state(&self.0)
    }

    /// Whether the end is in `PIPE_NOWAIT` mode (`GetNamedPipeHandleState`).
    ///
    /// # Errors
    /// As [`Pipe::state`].
    pub fn nowait(&self) -> Result<bool> {
        self.state().map(|state| state.nowait)
    }

    /// Sets the mode word (`SetNamedPipeHandleState`): [`PIPE_NOWAIT`] and [`PIPE_READMODE_MESSAGE`]. It says
    /// both at once (P45); [`Pipe::set_nowait`] and [`Pipe::set_message_read`] change one of them.
    ///
    /// The read mode matters from the next read on, also for what is queued already (P29).
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): message read mode on a pipe of bytes, or undefined bits; nothing
    /// changes (P31).
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `FILE_WRITE_ATTRIBUTES`; one opened to read only does,
    /// unless [`ClientOptions`] was told the mode.
    /// `ERROR_PIPE_NOT_CONNECTED` (233): a client's end that was disconnected.
    #[doc(alias = "SetNamedPipeHandleState")]
    pub fn set_mode(&self, mode: u32) -> Result<()> {
        imp::set_mode(&self.0, mode)
    }

    /// Sets or clears `PIPE_NOWAIT` and leaves the read mode (P45).
    ///
    /// # Errors
    /// As [`Pipe::state`] and [`Pipe::set_mode`].
    pub fn set_nowait(&self, nowait: bool) -> Result<()> {
        self.set_mode(PipeState { nowait, ..self.state()? }.mode())
    }

    /// Switches between byte and message read mode and leaves the wait mode (P45).
    ///
    /// # Errors
    /// As [`Pipe::state`] and [`Pipe::set_mode`].
    pub fn set_message_read(&self, message_read: bool) -> Result<()> {
        self.set_mode(PipeState { message_read, ..self.state()? }.mode())
    }

    /// `GetNamedPipeClientProcessId`, from either end: the process that opened the client end, also after that
    /// was inherited or duplicated, and after it closed (P71).
    ///
    /// # Errors
    /// `ERROR_NOT_FOUND` (1168): no client since the instance began to listen.
    /// `ERROR_PIPE_NOT_CONNECTED` (233): a client's end that was disconnected.
    #[doc(alias = "GetNamedPipeClientProcessId")]
    pub fn client_process_id(&self) -> Result<u32> {
        imp::client_process_id(&self.0)
    }

    /// `GetNamedPipeServerProcessId`, from either end: the process that created the instance (P71).
    ///
    /// # Errors
    /// `ERROR_PIPE_NOT_CONNECTED` (233): a client's end that was disconnected.
    /// `ERROR_NOT_FOUND` (1168), on Linux: it is in another PID namespace.
    #[doc(alias = "GetNamedPipeServerProcessId")]
    pub fn server_process_id(&self) -> Result<u32> {
        imp::server_process_id(&self.0)
    }

    /// The number of the Linux user that the client's process has, as the kernel said when it came: what a server asks
    /// that admits other users. An extension; with the numbers of processes alone one could be too late.
    ///
    /// # Errors
    /// As [`Pipe::client_process_id`]. `ERROR_NOT_SUPPORTED` (50): on Windows, where users have no numbers.
    pub fn client_user_id(&self) -> Result<u32> {
        imp::client_user_id(&self.0)
    }

    /// `CancelIoEx(handle, NULL)`: every call of this process that waits on this end, in any thread, ends with
    /// `ERROR_OPERATION_ABORTED` (995). Calls that begin later are not concerned.
    ///
    /// # Errors
    /// `ERROR_NOT_FOUND` (1168): nothing waits.
    #[doc(alias = "CancelIoEx")]
    pub fn cancel(&self) -> Result<()> {
        imp::cancel(&self.0)
    }

    /// How waiting calls of this process on this end wait. An extension, see [`Spin`].
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6).
    pub fn set_spin(&self, spin: Spin) -> Result<()> {
        imp::set_spin(&self.0, spin)
    }

    /// A second handle to this end: the end is closed when all of them are.
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4).
    pub fn try_clone(&self) -> Result<Pipe> {
        self.0.try_clone().map(Pipe)
    }

    fn read_stream(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(read) = as_stream(self.receive(buffer), buffer.len()) {
                return read;
            }
        }
    }

    /// What [`io::Write`] makes of a write: nothing written is `WouldBlock`.
    fn write_stream(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.send(bytes) {
            Ok(0) if !bytes.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            result => result.map_err(io::Error::from),
        }
    }
}

/// What [`io::Read`] makes of a read into `wanted` bytes: the end of the pipe is the end of the stream, what would wait
/// in `PIPE_NOWAIT` mode is `WouldBlock`. `None`: an empty message, of which a stream sees nothing; 0 bytes would be
/// its end.
pub(crate) fn as_stream(read: Result<usize>, wanted: usize) -> Option<io::Result<usize>> {
    Some(match read {
        Ok(0) if wanted > 0 => return None,
        Err(error) if error.code() == Code::BROKEN_PIPE => Ok(0),
        Err(error) if error.code() == Code::NO_DATA => Err(io::Error::new(io::ErrorKind::WouldBlock, error)),
        other => other.map_err(io::Error::from),
    })
}

/// [`io::Read`] for something with a `pipe()`, shared or owned.
macro_rules! stream_reader {
    ($($type:ty),*) => { $(
        impl std::io::Read for $type {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.pipe().read_stream(buffer)
            }
        }
    )* };
}
use stream_reader;

/// [`io::Write`] for something with a `pipe()`, shared or owned. Flushing does nothing: what was written is in
/// the pipe, and waiting for the peer to read it is [`Pipe::flush`].
macro_rules! stream_writer {
    ($($type:ty),*) => { $(
        impl std::io::Write for $type {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.pipe().write_stream(bytes)
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
    )* };
}
use stream_writer;

/// What a typed end over one [`Pipe`] has in common with the others: `pipe()`, and its handle.
macro_rules! end_impls {
    ($type:ident) => {
        impl $type {
            /// The end with the calls that all ends have.
            #[must_use]
            pub fn pipe(&self) -> &Pipe {
                &self.0
            }

            /// Gives the end up for the calls that all ends have.
            #[must_use]
            pub fn into_pipe(self) -> Pipe {
                self.0
            }
        }

        impl $crate::handle::AsHandle for $type {
            fn as_handle(&self) -> &$crate::handle::Handle {
                self.0.as_handle()
            }
        }

        impl $crate::handle::FromHandle for $type {
            fn from_handle(handle: $crate::handle::Handle) -> $crate::error::Result<$type> {
                Pipe::from_handle(handle).map($type)
            }

            fn into_handle(self) -> $crate::handle::Handle {
                self.0.into_handle()
            }

            fn check_kind(handle: &$crate::handle::Handle) -> $crate::error::Result<()> {
                Pipe::check_kind(handle)
            }
        }
    };
}
use end_impls;
