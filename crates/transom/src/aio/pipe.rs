//! Named pipes whose calls wait as tasks do.
//!
//! ```
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use transom::aio::pipe::{Client, Listener};
//! use transom::pipe::{ClientOptions, ServerOptions};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = format!(r"\\.\pipe\doc-aio-{}", std::process::id());
//! let listener = Listener::bind(ServerOptions::new(&name))?;
//! let server = tokio::spawn(async move {
//!     let mut client = listener.accept().await?;
//!     let mut question = [0; 8];
//!     client.read_exact(&mut question).await?;
//!     client.write_all(b"answer").await?;
//!     client.flush().await
//! });
//! let mut client = Client::open(&ClientOptions::new(&name)).await?;
//! client.write_all(b"question").await?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer).await?;
//! assert_eq!(answer, "answer");
//! server.await??;
//! # Ok(())
//! # }
//! ```

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::spawn_blocking;

use super::imp::{Connecting, Port, Receiving, Sending, Transacting};
use crate::error::{Code, Error, Result};
use crate::handle::{AsHandle, Handle};
use crate::pipe::{self, ClientOptions, Connected, InstanceWait, Message, Pipe, ServerOptions, as_stream};
use crate::wait::Timeout;

/// How long a thread of the runtime waits for an instance on behalf of a task before it looks whether the task still
/// wants it.
const SLICE: Duration = Duration::from_millis(250);

/// What both ends have.
#[derive(Debug)]
struct End {
    /// What [`AsyncRead`] and [`AsyncWrite`] keep between two polls.
    reading: Mutex<Receiving>,
    writing: Mutex<Sending>,
    port: Port,
    /// The last, as what is before belongs to it.
    pipe: Pipe,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl End {
    fn new(pipe: Pipe) -> Result<End> {
        let port = Port::new(&pipe)?;
        Ok(End { reading: Mutex::default(), writing: Mutex::default(), port, pipe })
    }

    fn into_pipe(self) -> Pipe {
        drop((self.reading, self.writing, self.port));
        self.pipe
    }

    async fn receive_message(&self, buffer: &mut [u8]) -> Result<Message> {
        // A read of the stream that was given up gives back what it has.
        *lock(&self.reading) = Receiving::default();
        let mut state = Receiving::default();
        poll_fn(|context| self.port.poll_receive(&self.pipe, &mut state, context, buffer)).await
    }

    async fn send(&self, bytes: &[u8]) -> Result<usize> {
        poll_fn(|context| self.port.poll_sent(&mut lock(&self.writing), context)).await?;
        let mut state = Sending::default();
        poll_fn(|context| self.port.poll_send(&self.pipe, &mut state, context, bytes)).await
    }

    async fn transact(&self, request: &[u8], reply: &mut [u8]) -> Result<Message> {
        *lock(&self.reading) = Receiving::default();
        let mut state = Transacting::default();
        poll_fn(|context| self.port.poll_transact(&self.pipe, &mut state, context, request, reply)).await
    }

    fn poll_read(&self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let space = buffer.initialize_unfilled();
            let wanted = space.len();
            let read = ready!(self.port.poll_receive(&self.pipe, &mut lock(&self.reading), context, space));
            if let Some(count) = as_stream(read.map(|message| message.len), wanted) {
                buffer.advance(count?);
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match ready!(self.port.poll_begin(&self.pipe, &mut lock(&self.writing), context, bytes)) {
            Ok(0) if !bytes.is_empty() => Poll::Ready(Err(io::ErrorKind::WouldBlock.into())),
            written => Poll::Ready(written.map_err(io::Error::from)),
        }
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.port.poll_sent(&mut lock(&self.writing), context).map_err(io::Error::from)
    }
}

/// The methods and traits that both ends have.
macro_rules! end {
    ($type:ident) => {
        impl $type {
            /// The end with the calls that never wait: [`Pipe::peek`], [`Pipe::info`], [`Pipe::set_mode`] and so on.
            /// Those that wait keep the thread.
            #[must_use]
            pub fn pipe(&self) -> &Pipe {
                &self.0.pipe
            }

            /// `ReadFile`: as [`Pipe::receive`].
            ///
            /// # Errors
            /// As [`Pipe::receive`].
            ///
            /// # Cancel safety
            /// Nothing is lost: what the pipe gave is given to the next call.
            pub async fn receive(&self, buffer: &mut [u8]) -> Result<usize> {
                self.0.receive_message(buffer).await.map(|message| message.len)
            }

            /// `ReadFile`: as [`Pipe::receive_message`].
            ///
            /// # Errors
            /// As [`Pipe::receive`].
            ///
            /// # Cancel safety
            /// Nothing is lost: what the pipe gave is given to the next call.
            pub async fn receive_message(&self, buffer: &mut [u8]) -> Result<Message> {
                self.0.receive_message(buffer).await
            }

            /// `WriteFile`: as [`Pipe::send`].
            ///
            /// # Errors
            /// As [`Pipe::send`].
            ///
            /// # Cancel safety
            /// The write is cancelled: what was not read of `bytes` is taken out of the pipe again (P38), unless it
            /// had succeeded. A reader may have got a part, or all, so whoever cancels does not know what was sent.
            ///
            /// # Differs from Windows
            /// On Linux a message larger than the pipe's memory (16 times the quota, at least 64 KiB, at most 1 MiB
            /// or twice the quota) needs a thread meanwhile; cancelling does not take it back.
            pub async fn send(&self, bytes: &[u8]) -> Result<usize> {
                self.0.send(bytes).await
            }

            /// `TransactNamedPipe`: as [`Pipe::transact`].
            ///
            /// # Errors
            /// As [`Pipe::transact`].
            ///
            /// # Cancel safety
            /// The request stays sent, and its reply is to be read with [`receive_message`](Self::receive_message).
            pub async fn transact(&self, request: &[u8], reply: &mut [u8]) -> Result<Message> {
                self.0.transact(request, reply).await
            }
        }

        impl AsHandle for $type {
            fn as_handle(&self) -> &Handle {
                self.0.pipe.as_handle()
            }
        }

        /// The end of the pipe is the end of the stream, and the borders of messages are not seen.
        ///
        /// A read that was given up loses nothing.
        impl AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.0.poll_read(context, buffer)
            }
        }

        /// A write is ready when its bytes are in the pipe, where they can be read; the next one waits until they are
        /// within the quota (P34), and so does flushing. What is beyond the quota is lost if the end is dropped
        /// before, as it is on Windows when a handle is closed under a write: flush first.
        ///
        /// A write that was given up before it was ready has written nothing. On a pipe of messages each write is one.
        impl AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.0.poll_write(context, bytes)
            }

            fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.0.poll_flush(context)
            }

            fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.0.poll_flush(context)
            }
        }
    };
}

/// The server's end of one instance, for tasks; see [`pipe::Server`].
#[derive(Debug)]
pub struct Server(End);

end!(Server);

impl Server {
    /// `CreateNamedPipe`: as [`ServerOptions::create`].
    ///
    /// # Errors
    /// As [`ServerOptions::create`].
    ///
    /// # Panics
    /// Outside of a tokio runtime, or in one without I/O.
    pub fn create(options: &ServerOptions) -> Result<Server> {
        Server::new(options.create()?)
    }

    /// Makes a server's end one for tasks. It was opened for the calls that keep a thread, and can be used so beside.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): closed by number. `ERROR_TOO_MANY_OPEN_FILES` (4).
    ///
    /// # Panics
    /// As [`Server::create`].
    pub fn new(server: pipe::Server) -> Result<Server> {
        End::new(server.into_pipe()).map(Server)
    }

    /// The end again as one that keeps threads. A write of the stream that was begun is cancelled: flush first.
    #[must_use]
    pub fn into_inner(self) -> pipe::Server {
        pipe::Server::from_pipe(self.0.into_pipe())
    }

    /// `ConnectNamedPipe`: as [`pipe::Server::connect`].
    ///
    /// # Errors
    /// As [`pipe::Server::connect`].
    ///
    /// # Cancel safety
    /// The instance goes on listening; a client that comes meanwhile is found by the next call.
    pub async fn connect(&self) -> Result<Connected> {
        let mut state = Connecting::default();
        poll_fn(|context| self.0.port.poll_connect(&self.0.pipe, &mut state, context)).await
    }

    /// `DisconnectNamedPipe`: as [`pipe::Server::disconnect`]; never waits.
    ///
    /// # Errors
    /// As [`pipe::Server::disconnect`].
    pub fn disconnect(&self) -> Result<()> {
        // What was begun belongs to the client that is cut off.
        *lock(&self.0.writing) = Sending::default();
        pipe::disconnect(&self.0.pipe)
    }
}

/// The client's end, for tasks; see [`pipe::Client`].
#[derive(Debug)]
pub struct Client(End);

end!(Client);

impl Client {
    /// `CreateFile`: as [`ClientOptions::open`], waiting for an instance as long as [`ClientOptions::wait`] says.
    ///
    /// # Errors
    /// As [`ClientOptions::open`].
    ///
    /// # Panics
    /// Outside of a tokio runtime, or in one without I/O.
    ///
    /// # Cancel safety
    /// No instance is taken. A thread of the runtime that waits for one notices within 250 ms.
    pub async fn open(options: &ClientOptions) -> Result<Client> {
        let mut wait = options.wait;
        let at_once = options.clone().wait(Timeout::ZERO);
        loop {
            match at_once.open() {
                Err(error) if error.code() == Code::PIPE_BUSY && wait != at_once.wait => {
                    wait = wait_for_instance(&options.name, wait).await?;
                }
                other => return Client::new(other?),
            }
        }
    }

    /// Makes a client's end one for tasks.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): closed by number. `ERROR_TOO_MANY_OPEN_FILES` (4).
    ///
    /// # Panics
    /// Outside of a tokio runtime, or in one without I/O.
    pub fn new(client: pipe::Client) -> Result<Client> {
        End::new(client.into_pipe()).map(Client)
    }

    /// The end again as one that keeps threads. A write of the stream that was begun is cancelled: flush first.
    #[must_use]
    pub fn into_inner(self) -> pipe::Client {
        pipe::Client::from_pipe(self.0.into_pipe())
    }
}

/// Waits until an instance listens, and says how long a next time may take.
async fn wait_for_instance(name: &[u16], wait: InstanceWait) -> Result<InstanceWait> {
    let began = std::time::Instant::now();
    let mut left = wait;
    loop {
        let slice = match left {
            InstanceWait::AtMost(timeout) => InstanceWait::AtMost(timeout.min(SLICE.into())),
            InstanceWait::Default => InstanceWait::Default,
        };
        let name = name.to_vec();
        let waited = spawn_blocking(move || pipe::wait_utf16(&name, slice)).await;
        let waited = waited.unwrap_or_else(|_| Err(Error::new("wait for pipe", Code::OPERATION_ABORTED)));
        if let InstanceWait::AtMost(timeout) = wait {
            let rest = timeout.as_duration().map(|limit| limit.saturating_sub(began.elapsed()));
            left = InstanceWait::AtMost(rest.map_or(Timeout::INFINITE, Timeout::from_duration));
        }
        match waited {
            Err(error) if error.code() == Code::SEM_TIMEOUT && slice != left && has_time(left) => {}
            Err(error) => return Err(error),
            Ok(()) => return Ok(left),
        }
    }
}

fn has_time(wait: InstanceWait) -> bool {
    matches!(wait, InstanceWait::AtMost(timeout) if !timeout.is_zero())
}

/// A named pipe that takes one client after the other, for tasks; see [`pipe::Listener`].
#[derive(Debug)]
pub struct Listener {
    options: ServerOptions,
    /// Instances that listen, the oldest first: clients get that one (P10), so it is the one to wait for.
    ready: tokio::sync::Mutex<VecDeque<Server>>,
}

impl Listener {
    /// Creates the first instance (`CreateNamedPipe`), which listens at once.
    ///
    /// # Errors
    /// As [`ServerOptions::create`].
    ///
    /// # Panics
    /// Outside of a tokio runtime, or in one without I/O.
    pub fn bind(options: ServerOptions) -> Result<Listener> {
        let first = Server::create(&options)?;
        let ready = tokio::sync::Mutex::new(VecDeque::from([first]));
        Ok(Listener { options: options.first_instance(false), ready })
    }

    /// Waits for the next client (`ConnectNamedPipe`) and gives the instance it is connected to, as
    /// [`pipe::Listener::accept`]. Tasks that accept at the same time are served in their order.
    ///
    /// # Errors
    /// As [`pipe::Listener::accept`].
    ///
    /// # Cancel safety
    /// No client is lost: one that came is found by the next call.
    pub async fn accept(&self) -> Result<Server> {
        let mut ready = self.ready.lock().await;
        // One more than is waited for, so that a client need not wait for the next instance to be made.
        while ready.len() < 2 {
            match Server::create(&self.options) {
                Ok(next) => ready.push_back(next),
                Err(error) if ready.is_empty() => return Err(error),
                // There is one to wait for.
                Err(_) => break,
            }
        }
        let oldest = &ready[0];
        match oldest.connect().await {
            Ok(_) => {}
            // It came and left; what it wrote can be read.
            Err(error) if error.code() == Code::NO_DATA => {}
            Err(error) => return Err(error),
        }
        // From here to the end nothing waits.
        if ready.len() == 1 {
            match Server::create(&self.options) {
                Ok(next) => ready.push_back(next),
                // Everything is in use: the next call tries again.
                Err(error) if error.code() == Code::PIPE_BUSY => {}
                Err(error) => return Err(error),
            }
        }
        ready.pop_front().ok_or_else(|| Error::new("accept client", Code::INTERNAL_ERROR))
    }
}
