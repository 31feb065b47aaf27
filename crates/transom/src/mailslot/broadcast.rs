//! One message to many processes.
//!
//! ```text
//!   publishers ─one copy──▶ │ … 17 │ 18 │ 19 │ 20 │ tail     a log in shared memory
//!                             ▲          ▲      ▲
//!                           slow      another   quick subscriber: a position each, in its own memory
//! ```
//! A publisher overwrites what is oldest. It first says from where on the log is intact, then writes, then moves the
//! tail; a subscriber copies and then looks whether what it copied was intact still. So neither waits for the other, and
//! nobody keeps a list of subscribers.

use crate::error::Result;
use crate::wait::Timeout;

#[path = "log.rs"]
pub(crate) mod log;
#[cfg_attr(target_os = "linux", path = "linux/lull.rs")]
#[cfg_attr(windows, path = "windows/lull.rs")]
mod lull;

/// What publishes to a name: each message reaches every [`Subscriber`] of this computer that is there.
///
/// An extension, on both systems; a publisher and a subscriber have to be on the same one.
#[derive(Debug)]
pub struct Broadcast(log::Log);

impl Broadcast {
    /// Publishes to `name`, with room for `capacity` bytes of messages that slow subscribers have not read; each takes
    /// 16 to 31 bytes more than its own, and up to a sixteenth of the room may be given up before it has to be. If the
    /// name has a publisher already, its capacity stays.
    ///
    /// `name` is one of the namespace's, `Local\` or `Global\` in front or not. It exists as long as anybody publishes or
    /// subscribes to it.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): fewer than 4096 bytes, or more than 1 GiB. Those of
    /// [`Mapping::create`](crate::mapping::Mapping::create).
    pub fn create(name: &str, capacity: usize) -> Result<Broadcast> {
        log::Log::create(name, capacity).map(Broadcast)
    }

    /// Publishes one message: one copy, however many subscribe.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): longer than half of the capacity.
    ///
    /// # Blocking
    /// Never for a subscriber; for the moment that another publisher takes.
    pub fn publish(&self, message: &[u8]) -> Result<()> {
        self.0.publish(message)
    }
}

/// What came of [`Subscriber::receive`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Bytes of the message.
    pub len: usize,
    /// Messages before it that were overwritten before this subscriber had read them.
    pub lost: u64,
}

/// A reader of a [`Broadcast`], with a position of its own.
#[derive(Debug)]
pub struct Subscriber {
    reader: log::Reader,
    place: log::Place,
}

impl Subscriber {
    /// Subscribes to what is published to `name` from now on.
    ///
    /// # Errors
    /// `ERROR_FILE_NOT_FOUND` (2): nobody publishes to it. `ERROR_NO_SYSTEM_RESOURCES` (1450): 128 subscribers are there
    /// already (Windows).
    pub fn open(name: &str) -> Result<Subscriber> {
        let (reader, place) = log::Reader::open(name)?;
        Ok(Subscriber { reader, place })
    }

    /// The next message, and how many were lost before it.
    ///
    /// # Errors
    /// `ERROR_INSUFFICIENT_BUFFER` (122): it is longer than `buffer`, and is still next.
    /// `ERROR_SEM_TIMEOUT` (121): none in that time.
    ///
    /// # Blocking
    /// For `timeout` at the most.
    pub fn receive(&mut self, buffer: &mut [u8], timeout: impl Into<Timeout>) -> Result<Received> {
        self.reader.receive(&mut self.place, buffer, timeout.into())
    }

    /// The next message, however long, and how many were lost before it.
    ///
    /// # Errors
    /// As [`Subscriber::receive`], never 122.
    pub fn receive_vec(&mut self, timeout: impl Into<Timeout>) -> Result<(Vec<u8>, u64)> {
        let timeout = timeout.into();
        let mut buffer = vec![0; 1024];
        loop {
            match self.receive(&mut buffer, timeout) {
                Err(error) if error.code() == crate::Code::INSUFFICIENT_BUFFER => {
                    buffer.resize(2 * buffer.len(), 0)
                }
                Ok(received) => {
                    buffer.truncate(received.len);
                    return Ok((buffer, received.lost));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(feature = "tokio")]
impl Subscriber {
    /// What can wait for it on another thread: for whom, and from where on.
    pub(crate) fn waiter(&self) -> (log::Reader, log::Place) {
        (self.reader.clone(), self.place)
    }
}
