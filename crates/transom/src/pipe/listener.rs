//! A server that takes one client after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::{Server, ServerOptions};
use crate::error::{Code, Error, Result};
use crate::wait::Timeout;

/// A named pipe that takes one client after the other: the idiom over [`Server`], not a Win32 object.
///
/// While the listener lives, the name exists and some instance of it listens: the next one is made before the
/// connected one is handed out. So no client finds the name missing between two others. While somebody accepts, one
/// instance more than the [backlog](Listener::backlog) listens, if as many are allowed: so a client need not wait for the
/// next one to be made before it is answered. Any number of threads may accept at the same time.
///
/// ```
/// use std::io::{Read, Write};
/// use transom::pipe::{Client, Listener, ServerOptions};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let name = format!(r"\\.\pipe\doc-listener-{}", std::process::id());
/// let listener = Listener::bind(ServerOptions::new(&name))?;
/// let client = std::thread::spawn(move || -> std::io::Result<String> {
///     let mut client = Client::open(&name)?;
///     client.write_all(b"question")?;
///     let mut answer = String::new();
///     client.read_to_string(&mut answer)?;
///     Ok(answer)
/// });
/// let mut server = listener.accept()?;
/// let mut question = [0; 8];
/// server.read_exact(&mut question)?;
/// server.write_all(b"answer")?;
/// drop(server);
/// assert_eq!(client.join().unwrap()?, "answer");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Listener {
    options: ServerOptions,
    /// How many instances listen while nobody accepts.
    backlog: usize,
    state: Mutex<State>,
    /// Told when the turn to wait is free.
    turn: Condvar,
}

/// Clients get the instance that has listened longest (P10). So it is enough to wait for that one, and wrong to wait
/// for any other: one thread at a time waits, for the first in the queue.
#[derive(Debug)]
struct State {
    /// Instances that listen and nobody waits for, the oldest first.
    ready: VecDeque<Server>,
    /// The oldest one of all, while somebody waits for its client.
    accepting: Option<Arc<Server>>,
    /// How often [`Listener::cancel`] was called.
    cancelled: u64,
    /// How many wait for the turn to wait.
    queued: usize,
}

impl Listener {
    /// Creates the first instance (`CreateNamedPipe`), which listens at once.
    ///
    /// [`ServerOptions::first_instance`] makes sure that nobody else serves the name already.
    ///
    /// # Errors
    /// As [`ServerOptions::create`].
    pub fn bind(options: ServerOptions) -> Result<Listener> {
        let first = options.create()?;
        let state = State { ready: VecDeque::from([first]), accepting: None, cancelled: 0, queued: 0 };
        Ok(Listener {
            // That was the first one.
            options: options.first_instance(false),
            backlog: 1,
            state: Mutex::new(state),
            turn: Condvar::new(),
        })
    }

    /// Lets so many instances listen while nobody accepts, so that as many clients at once find one without
    /// waiting. Default 1, which is also the least.
    ///
    /// # Errors
    /// As [`ServerOptions::create`].
    pub fn backlog(mut self, instances: usize) -> Result<Listener> {
        self.backlog = instances.max(1);
        self.refill(&mut self.lock(), self.backlog)?;
        Ok(self)
    }

    /// Waits for the next client (`ConnectNamedPipe`) and gives the instance it is connected to.
    ///
    /// A client that came and left in the meantime is handed out too: what it wrote can be read, then comes 109.
    ///
    /// # Errors
    /// `ERROR_PIPE_BUSY` (231): all instances that [`ServerOptions::max_instances`] allows are in use.
    /// `ERROR_OPERATION_ABORTED` (995): [`Listener::cancel`].
    /// Otherwise as [`Server::connect`] and [`ServerOptions::create`]; the listener stays usable.
    ///
    /// # Blocking
    /// Until a client comes; not in `PIPE_NOWAIT` mode (536).
    pub fn accept(&self) -> Result<Server> {
        self.accept_timeout(Timeout::INFINITE)
    }

    /// [`Listener::accept`], at most for `timeout`.
    ///
    /// # Errors
    /// As [`Listener::accept`]; `ERROR_SEM_TIMEOUT` (121): no client in time.
    pub fn accept_timeout(&self, timeout: impl Into<Timeout>) -> Result<Server> {
        let timeout = timeout.into();
        let began = Instant::now();
        let mut state = self.wait_for_turn(timeout, began)?;
        // One more than are to be ready when a client has come. So it need not wait for the next instance to be made.
        let room = self.refill(&mut state, self.backlog + 1);
        let Some(oldest) = state.ready.pop_front() else {
            return Err(room.err().unwrap_or_else(|| Error::new("accept client", Code::INTERNAL_ERROR)));
        };
        let oldest = Arc::new(oldest);
        state.accepting = Some(Arc::clone(&oldest));
        drop(state);
        let connected = oldest.accept(left(timeout, began));
        let mut state = self.lock();
        state.accepting = None;
        let accepted = self.finish(&mut state, oldest, connected);
        let queued = state.queued > 0;
        drop(state);
        // A condition variable makes a system call for that, whether somebody waits or not.
        if queued {
            self.turn.notify_one();
        }
        accepted
    }

    /// Every client in turn; never ends by itself.
    #[must_use]
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming(self)
    }

    /// Ends every [`Listener::accept`] that waits with `ERROR_OPERATION_ABORTED` (995). Calls that begin later are
    /// not concerned.
    ///
    /// # Errors
    /// `ERROR_NOT_FOUND` (1168): none waits for a client at this moment.
    pub fn cancel(&self) -> Result<()> {
        let mut state = self.lock();
        state.cancelled += 1;
        self.turn.notify_all();
        match &state.accepting {
            Some(server) => server.pipe().cancel(),
            None => Err(Error::new("cancel accept", Code::NOT_FOUND)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, when nobody else waits for a client.
    fn wait_for_turn(&self, timeout: Timeout, began: Instant) -> Result<MutexGuard<'_, State>> {
        let mut state = self.lock();
        let cancelled = state.cancelled;
        while state.accepting.is_some() {
            let left = left(timeout, began).as_duration();
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Error::new("accept client", Code::SEM_TIMEOUT));
            }
            state.queued += 1;
            state = match left {
                Some(left) => self.turn.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.turn.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.queued -= 1;
            if state.cancelled != cancelled {
                // Who was woken for this one's turn goes instead.
                self.turn.notify_one();
                return Err(Error::new("accept client", Code::OPERATION_ABORTED));
            }
        }
        Ok(state)
    }

    fn finish(&self, state: &mut State, oldest: Arc<Server>, connected: Result<()>) -> Result<Server> {
        // If there is no room for another one, the next call tries again.
        let ready = connected.and_then(|()| match self.refill(state, self.backlog) {
            Err(error) if error.code() != Code::PIPE_BUSY => Err(error),
            _ => Ok(()),
        });
        // The other reference was the state's.
        let Some(server) = Arc::into_inner(oldest) else {
            return Err(Error::new("accept client", Code::INTERNAL_ERROR));
        };
        match ready {
            Ok(()) => Ok(server),
            Err(error) => {
                // It is still the oldest: it listens, or has a client, which the next call then finds.
                state.ready.push_front(server);
                Err(error)
            }
        }
    }

    fn refill(&self, state: &mut State, instances: usize) -> Result<()> {
        while state.ready.len() < instances {
            state.ready.push_back(self.options.create()?);
        }
        Ok(())
    }
}

/// What is left of a time-out.
fn left(timeout: Timeout, began: Instant) -> Timeout {
    match timeout.as_duration() {
        Some(limit) => Timeout::from_duration(limit.saturating_sub(began.elapsed())),
        None => Timeout::INFINITE,
    }
}

/// The clients of a [`Listener`], one after the other.
#[derive(Debug)]
pub struct Incoming<'a>(&'a Listener);

impl Iterator for Incoming<'_> {
    type Item = Result<Server>;

    fn next(&mut self) -> Option<Result<Server>> {
        Some(self.0.accept())
    }
}

impl<'a> IntoIterator for &'a Listener {
    type Item = Result<Server>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}
