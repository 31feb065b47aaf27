//! Waiting at an end's doorbell with tokio's poll.
//!
//! A step is tried; if it cannot be done the end is armed and the step tried once more, and then a task waits for two
//! things: that the doorbell's descriptor is readable, or that another task of this process was there first. That one
//! has taken tokens that may have been meant for others as well, so it wakes all of them: everybody looks again and
//! arms again. A waiter registers for being woken so *before* it arms; nothing that comes later can be missed.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::Interest as Readiness;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, spawn_blocking};
use transom_core::access::{FILE_READ_DATA, FILE_WRITE_DATA};

use super::mailslot::Sleeper;
use crate::error::{Code, Error, Result};
use crate::mailslot;
use crate::mailslot::ext::Slot;
use crate::pipe::ext::{self, Begun, End, Interest};
use crate::pipe::{Connected, Message, Pipe};
use crate::wait::Timeout;

/// What every pipe takes at once, whatever its quota.
const ALWAYS_FITS: usize = 32 * 1024;

/// An end that tokio knows.
#[derive(Debug)]
pub(super) struct Port {
    end: End,
    /// Tells tasks that another one has answered the bell.
    answered: Arc<Notify>,
    /// The descriptor of the present connection.
    bell: Mutex<Option<(u64, Arc<AsyncFd<OwnedFd>>)>>,
}

/// Somebody who waits.
struct Waiter {
    end: End,
    interest: Interest,
    epoch: u64,
    woken: Pin<Box<dyn Future<Output = io::Result<()>> + Send>>,
    done: bool,
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waiter").field("interest", &self.interest).field("epoch", &self.epoch).finish()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // Another connection has not been armed by this one.
        if !self.done && self.end.epoch() == self.epoch {
            self.end.disarm(self.interest);
        }
    }
}

impl Waiter {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let woken = ready!(self.woken.as_mut().poll(context));
        self.done = true;
        // The runtime is shutting down.
        Poll::Ready(woken.map_err(|_| Error::new("wait for pipe", Code::OPERATION_ABORTED)))
    }
}

/// What a read keeps between two polls.
#[derive(Debug, Default)]
pub(super) struct Receiving(Option<Waiter>);

/// What a write keeps between two polls.
#[derive(Debug, Default)]
pub(super) struct Sending {
    stage: Stage,
    waiter: Option<Waiter>,
}

#[derive(Debug, Default)]
enum Stage {
    #[default]
    Begin,
    /// The bytes are in the pipe, beyond its quota.
    Waiting(ext::Sending),
    /// Too many for the pipe's memory.
    Thread(JoinHandle<Result<usize>>),
}

/// What a connect keeps between two polls.
#[derive(Debug, Default)]
pub(super) struct Connecting {
    listens: bool,
    waiter: Option<Waiter>,
}

/// What a transaction keeps between two polls.
#[derive(Debug, Default)]
pub(super) struct Transacting {
    sent: bool,
    waiter: Option<Waiter>,
}

impl Port {
    pub(super) fn new(pipe: &Pipe) -> Result<Port> {
        let port = Port { end: ext::end(pipe, 0)?, answered: Arc::default(), bell: Mutex::default() };
        // Now, so that what is missing is told here.
        port.bell()?;
        Ok(port)
    }

    fn bell(&self) -> Result<(u64, Arc<AsyncFd<OwnedFd>>)> {
        let mut known = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let epoch = self.end.epoch();
            if let Some((of, bell)) = &*known
                && *of == epoch
            {
                return Ok((epoch, Arc::clone(bell)));
            }
            let descriptor = self.end.poll_fd()?;
            *known = Some((epoch, Arc::new(watch(descriptor)?)));
        }
    }

    /// Arms for `interest`. The caller looks once more, and only then polls the waiter.
    fn arm(&self, interest: Interest, demand: usize) -> Result<Waiter> {
        let (epoch, bell) = self.bell()?;
        let (end, answered) = (self.end.clone(), Arc::clone(&self.answered));
        let mut others = Box::pin(Arc::clone(&answered).notified_owned());
        others.as_mut().enable();
        end.arm(interest, demand);
        let answering = end.clone();
        let woken = async move {
            let mut rung = pin!(bell.readable());
            poll_fn(|context| {
                if others.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Ok(()));
                }
                let mut ready = ready!(rung.as_mut().poll(context))?;
                answering.take_token();
                ready.clear_ready();
                answered.notify_waiters();
                Poll::Ready(Ok(()))
            })
            .await
        };
        Ok(Waiter { end, interest, epoch, woken: Box::pin(woken), done: false })
    }

    /// Repeats `step` until it gives something, sleeping in between.
    fn poll_step<T>(
        &self,
        waiter: &mut Option<Waiter>,
        context: &mut Context<'_>,
        (interest, demand): (Interest, usize),
        mut step: impl FnMut() -> Result<Option<T>>,
    ) -> Poll<Result<T>> {
        loop {
            match step() {
                Ok(None) => {}
                Ok(Some(done)) => {
                    *waiter = None;
                    return Poll::Ready(Ok(done));
                }
                Err(error) => {
                    *waiter = None;
                    return Poll::Ready(Err(error));
                }
            }
            match waiter {
                None => *waiter = Some(self.arm(interest, demand)?),
                Some(armed) => {
                    ready!(armed.poll(context))?;
                    *waiter = None;
                }
            }
        }
    }

    pub(super) fn poll_receive(
        &self,
        pipe: &Pipe,
        state: &mut Receiving,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<Message>> {
        check(pipe, FILE_READ_DATA, "read pipe")?;
        let demand = buffer.len();
        self.poll_step(&mut state.0, context, (Interest::Data, demand), || self.end.try_receive(buffer))
    }

    /// The whole write.
    pub(super) fn poll_send(
        &self,
        pipe: &Pipe,
        state: &mut Sending,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        if matches!(state.stage, Stage::Begin)
            && let Some(count) = ready!(self.poll_start(pipe, state, context, bytes))?
        {
            return Poll::Ready(Ok(count));
        }
        self.poll_end(state, context)
    }

    /// The write as far as its bytes are in the pipe, after the end of the one before.
    pub(super) fn poll_begin(
        &self,
        pipe: &Pipe,
        state: &mut Sending,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        ready!(self.poll_sent(state, context))?;
        // A stream may be cut where one likes, a message not.
        let part =
            if bytes.len() > ALWAYS_FITS && !is_message_type(pipe) { &bytes[..ALWAYS_FITS] } else { bytes };
        let done = ready!(self.poll_start(pipe, state, context, part))?;
        Poll::Ready(Ok(done.unwrap_or(part.len())))
    }

    /// The end of a write that was begun.
    pub(super) fn poll_sent(&self, state: &mut Sending, context: &mut Context<'_>) -> Poll<Result<()>> {
        if matches!(state.stage, Stage::Begin) {
            return Poll::Ready(Ok(()));
        }
        self.poll_end(state, context).map_ok(drop)
    }

    /// Begins; gives the number of bytes if that was all.
    fn poll_start(
        &self,
        pipe: &Pipe,
        state: &mut Sending,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<Option<usize>>> {
        check(pipe, FILE_WRITE_DATA, "write pipe")?;
        let begin = || match self.end.begin_send(bytes)? {
            Begun::NoRoom => Ok(None),
            begun => Ok(Some(begun)),
        };
        let begun = ready!(self.poll_step(&mut state.waiter, context, (Interest::Space, 0), begin))?;
        Poll::Ready(Ok(match begun {
            Begun::Done(count) => Some(count),
            Begun::Waiting(sending) => {
                state.stage = Stage::Waiting(sending);
                None
            }
            Begun::NoRoom | Begun::TooLarge => {
                let (end, bytes) = (self.end.clone(), bytes.to_vec());
                state.stage = Stage::Thread(spawn_blocking(move || end.send(&bytes)));
                None
            }
        }))
    }

    fn poll_end(&self, state: &mut Sending, context: &mut Context<'_>) -> Poll<Result<usize>> {
        let sent = match &mut state.stage {
            Stage::Begin => Ok(0),
            Stage::Waiting(sending) => {
                ready!(self.poll_step(&mut state.waiter, context, (Interest::Space, 0), || sending.poll()))
            }
            Stage::Thread(thread) => ready!(Pin::new(thread).poll(context))
                .unwrap_or_else(|_| Err(Error::new("write pipe", Code::OPERATION_ABORTED))),
        };
        state.stage = Stage::Begin;
        Poll::Ready(sent)
    }

    pub(super) fn poll_connect(
        &self,
        _pipe: &Pipe,
        state: &mut Connecting,
        context: &mut Context<'_>,
    ) -> Poll<Result<Connected>> {
        if !state.listens {
            match self.end.begin_connect() {
                Ok(()) => state.listens = true,
                Err(error) if error.code() == Code::PIPE_CONNECTED => {
                    return Poll::Ready(Ok(Connected::Already));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.poll_step(&mut state.waiter, context, (Interest::Connect, 0), || {
            Ok(self.end.poll_connect()?.then_some(Connected::During))
        })
    }

    pub(super) fn poll_transact(
        &self,
        pipe: &Pipe,
        state: &mut Transacting,
        context: &mut Context<'_>,
        request: &[u8],
        reply: &mut [u8],
    ) -> Poll<Result<Message>> {
        if !state.sent {
            check(pipe, FILE_READ_DATA | FILE_WRITE_DATA, "transact on pipe")?;
            self.end.begin_transact(request)?;
            state.sent = true;
        }
        let demand = reply.len();
        self.poll_step(&mut state.waiter, context, (Interest::Data, demand), || {
            self.end.try_receive_message(reply)
        })
    }
}

/// Gives a descriptor to the runtime's poll.
// The replacement is an unsafe function for the sake of types that give out another number each time. This type owns
// its number, and older versions of the runtime have no other function.
#[allow(deprecated)]
fn watch(descriptor: OwnedFd) -> Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, Readiness::READABLE)
        .map_err(|_| Error::new("watch pipe", Code::NO_SYSTEM_RESOURCES))
}

/// Whether the handle has the right, as the calls that sleep check it.
fn check(pipe: &Pipe, right: u32, operation: &'static str) -> Result<()> {
    match ext::end(pipe, right) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::new(operation, error.code())),
    }
}

/// Where the system does not tell it is taken for one: then nothing is cut.
fn is_message_type(pipe: &Pipe) -> bool {
    pipe.info().map_or(true, |info| info.is_message_type())
}

/// A mailslot's server end that tasks use.
#[derive(Debug)]
pub(super) struct SlotPort(Slot);

impl SlotPort {
    pub(super) fn new(server: &mailslot::Server) -> Result<SlotPort> {
        mailslot::ext::slot(server).map(SlotPort)
    }

    pub(super) async fn receive(&self, server: &mailslot::Server, buffer: &mut [u8]) -> Result<usize> {
        let failed = |code| Error::new("read mailslot", code);
        // As it was before: the handle may have been closed by its number.
        mailslot::ext::slot(server)?;
        let (limit, now) = (self.0.limit(None), self.0.limit(Some(Timeout::ZERO)));
        loop {
            match self.0.receive(buffer, now, &AtomicBool::new(false)) {
                Err(Code::SEM_TIMEOUT) if !limit.is_now() => {}
                done => return done.map_err(failed),
            }
            let (sleeping, stirred) = (self.0.clone(), self.0.clone());
            let wait = move |stop: &AtomicBool| sleeping.wait(limit, stop).map_err(failed);
            Sleeper::start(wait, move || stirred.stir()).ended().await?;
        }
    }
}
