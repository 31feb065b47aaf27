//! Mailslots and broadcast for tasks. The rules are those of [`crate::mailslot`].
//!
//! Writing never waits for anybody, so tasks use [`Writer`](crate::mailslot::Writer) and
//! [`Broadcast`](crate::mailslot::Broadcast) as they are.
//!
//! # Who waits
//! On Linux a reader sleeps on memory that writers of any process change; there is no descriptor that they could make
//! readable without having one of each reader's. So while a task waits, a thread of the runtime's for blocking work
//! ([`spawn_blocking`]) sleeps in its place; as long as messages come before they are asked for, there is none. On
//! Windows a read is an overlapped operation; for [`Subscriber`] it is as on Linux.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> transom::Result<()> {
//! use transom::aio::mailslot::Server;
//! use transom::mailslot::{Options, Writer};
//!
//! let name = format!(r"\\.\mailslot\aio-example-{}", std::process::id());
//! let server = Server::create(&Options::new(&name))?;
//! let writer = Writer::open(&name)?;
//! let mut buffer = [0; 64];
//! let (received, sent) = tokio::join!(server.receive(&mut buffer), async { writer.send(b"started") });
//! sent?;
//! assert_eq!(&buffer[..received?], b"started");
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::{JoinHandle, spawn_blocking};

use super::imp::SlotPort;
use crate::error::{Code, Error, Result};
use crate::handle::{AsHandle, Handle};
use crate::mailslot::{self, Options, Received};
use crate::wait::Timeout;

/// A thread of the runtime that sleeps for a task. Dropped, it is told to stop, and does so at once.
pub(super) struct Sleeper {
    thread: JoinHandle<Result<()>>,
    stop: Arc<AtomicBool>,
    stir: Box<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Sleeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleeper").field("thread", &self.thread).finish_non_exhaustive()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        (self.stir)();
    }
}

impl Sleeper {
    /// Has a thread `wait`, which ends when its argument is set and `stir` called.
    pub(super) fn start(
        wait: impl FnOnce(&AtomicBool) -> Result<()> + Send + 'static,
        stir: impl Fn() + Send + Sync + 'static,
    ) -> Sleeper {
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&stop);
        Sleeper { thread: spawn_blocking(move || wait(&theirs)), stop, stir: Box::new(stir) }
    }

    /// Waits until it has ended.
    pub(super) async fn ended(mut self) -> Result<()> {
        // The runtime is shutting down.
        (&mut self.thread).await.unwrap_or_else(|_| Err(Error::new("wait", Code::OPERATION_ABORTED)))
    }
}

/// The server end of a mailslot, for tasks; see [`mailslot::Server`].
#[derive(Debug)]
pub struct Server {
    port: SlotPort,
    /// The last, as what is before belongs to it.
    server: mailslot::Server,
}

impl Server {
    /// `CreateMailslot`: as [`Options::create`].
    ///
    /// # Errors
    /// As [`Options::create`].
    pub fn create(options: &Options) -> Result<Server> {
        Server::new(options.create()?)
    }

    /// Makes a server end one for tasks.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): closed by number.
    pub fn new(server: mailslot::Server) -> Result<Server> {
        Ok(Server { port: SlotPort::new(&server)?, server })
    }

    /// The end with the calls that never wait: [`mailslot::Server::info`] and so on. Those that wait keep the thread.
    #[must_use]
    pub fn server(&self) -> &mailslot::Server {
        &self.server
    }

    /// The end again as one that keeps threads. On Windows a message that a cancelled read had taken is lost then; see
    /// [`Server::receive`].
    #[must_use]
    pub fn into_inner(self) -> mailslot::Server {
        self.server
    }

    /// `ReadFile`: takes the oldest message, as [`mailslot::Server::receive`]; waits as long as the mailslot says when
    /// this begins (S24).
    ///
    /// # Errors
    /// As [`mailslot::Server::receive`].
    ///
    /// # Panics
    /// Outside of a tokio runtime, if it has to wait.
    ///
    /// # Cancel safety
    /// No message is lost. On Linux one is taken only when the future is ready; on Windows one that was taken just before
    /// a read was cancelled is given to the next call on this value.
    pub async fn receive(&self, buffer: &mut [u8]) -> Result<usize> {
        self.port.receive(&self.server, buffer).await
    }
}

impl AsHandle for Server {
    fn as_handle(&self) -> &Handle {
        self.server.as_handle()
    }
}

/// A reader of a [`Broadcast`](mailslot::Broadcast), for tasks; see [`mailslot::Subscriber`].
#[derive(Debug)]
pub struct Subscriber(mailslot::Subscriber);

impl Subscriber {
    /// Subscribes to what is published to `name` from now on.
    ///
    /// # Errors
    /// As [`mailslot::Subscriber::open`].
    pub fn open(name: &str) -> Result<Subscriber> {
        mailslot::Subscriber::open(name).map(Subscriber)
    }

    /// The subscriber again as one that keeps threads.
    #[must_use]
    pub fn into_inner(self) -> mailslot::Subscriber {
        self.0
    }

    /// The next message, and how many were lost before it, as [`mailslot::Subscriber::receive`]; waits for ever.
    ///
    /// # Errors
    /// As [`mailslot::Subscriber::receive`].
    ///
    /// # Panics
    /// Outside of a tokio runtime, if it has to wait.
    ///
    /// # Cancel safety
    /// No message is lost: one is taken only when the future is ready.
    pub async fn receive(&mut self, buffer: &mut [u8]) -> Result<Received> {
        loop {
            match self.0.receive(buffer, Timeout::ZERO) {
                Err(error) if error.code() == Code::SEM_TIMEOUT => {}
                done => return done,
            }
            let (reader, place) = self.0.waiter();
            let stirred = reader.clone();
            let wait = move |stop: &AtomicBool| reader.wait(place, Timeout::INFINITE, stop);
            Sleeper::start(wait, move || stirred.stir()).ended().await?;
        }
    }
}

impl From<mailslot::Subscriber> for Subscriber {
    fn from(subscriber: mailslot::Subscriber) -> Subscriber {
        Subscriber(subscriber)
    }
}
