//! Overlapped operations whose events wake tasks.
//!
//! Each operation has buffers of its own, since a future may be dropped while the kernel uses them. Dropping one
//! cancels it. A read that had ended before it could be cancelled has taken something from the pipe; that is kept and
//! given to the next read.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use transom_sys::windows::overlapped::{OnSignal, Operation};
use transom_sys::windows::pipe::Transfer;

use crate::error::{Code, Error, Result};
use crate::handle::AsHandle;
use crate::handle::imp::{failed, value};
use crate::mailslot;
use crate::pipe::{Connected, Message, Pipe};

/// What reads took that nobody got.
type Early = Arc<Mutex<VecDeque<(Vec<u8>, bool)>>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An end that tasks use.
#[derive(Debug)]
pub(super) struct Port {
    early: Early,
}

/// An operation under way, and the task to wake at its end.
struct Started {
    /// Before the operation, whose event it waits for.
    watch: Option<OnSignal>,
    operation: Operation,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl std::fmt::Debug for Started {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Started").field("event", &self.operation.event()).finish()
    }
}

impl Started {
    fn new(operation: Operation) -> Started {
        Started { watch: None, operation, waker: Arc::default() }
    }

    fn poll(&mut self, context: &mut Context<'_>, name: &'static str) -> Poll<Result<(Transfer, Vec<u8>)>> {
        // Told first, looked at then: the end is not missed.
        *lock(&self.waker) = Some(context.waker().clone());
        if let Some(result) = self.operation.result() {
            self.watch = None;
            return Poll::Ready(result.map_err(failed(name)));
        }
        if self.watch.is_none() {
            let waker = Arc::clone(&self.waker);
            let wake = move || {
                // Not under the lock: who is woken may be here at once.
                let waker = lock(&waker).take();
                if let Some(waker) = waker {
                    waker.wake();
                }
            };
            let watch = OnSignal::new(self.operation.event(), Box::new(wake));
            self.watch = Some(watch.map_err(failed(name))?);
        }
        Poll::Pending
    }
}

/// What a read keeps between two polls.
#[derive(Debug, Default)]
pub(super) struct Receiving(Option<(Started, Early)>);

impl Drop for Receiving {
    fn drop(&mut self) {
        if let Some((mut started, early)) = self.0.take()
            && let Ok((transfer, bytes)) = started.operation.cancel()
        {
            lock(&early).push_back((bytes, !transfer.more));
        }
    }
}

/// What a write keeps between two polls.
#[derive(Debug, Default)]
pub(super) struct Sending(Option<Started>);

/// What a connect keeps between two polls.
#[derive(Debug, Default)]
pub(super) struct Connecting(Option<Started>);

/// What a transaction keeps between two polls.
#[derive(Debug, Default)]
pub(super) struct Transacting(Receiving);

impl Port {
    pub(super) fn new(pipe: &Pipe) -> Result<Port> {
        pipe.as_handle().information()?;
        Ok(Port { early: Early::default() })
    }

    /// What an earlier read took, as far as it fits.
    fn take_early(&self, buffer: &mut [u8]) -> Option<Message> {
        let mut early = lock(&self.early);
        let (mut bytes, complete) = early.pop_front()?;
        let len = bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&bytes[..len]);
        if len == bytes.len() {
            return Some(Message { len, complete });
        }
        bytes.drain(..len);
        early.push_front((bytes, complete));
        Some(Message { len, complete: false })
    }

    pub(super) fn poll_receive(
        &self,
        pipe: &Pipe,
        state: &mut Receiving,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<Message>> {
        const NAME: &str = "read pipe";
        if state.0.is_none() {
            if let Some(message) = self.take_early(buffer) {
                return Poll::Ready(Ok(message));
            }
            let operation = Operation::read(value(pipe.as_handle()), buffer.len()).map_err(failed(NAME))?;
            state.0 = Some((Started::new(operation), Arc::clone(&self.early)));
        }
        self.poll_received(state, context, buffer, NAME)
    }

    /// The end of a read or transaction.
    fn poll_received(
        &self,
        state: &mut Receiving,
        context: &mut Context<'_>,
        buffer: &mut [u8],
        name: &'static str,
    ) -> Poll<Result<Message>> {
        let Some((started, _)) = &mut state.0 else {
            return Poll::Ready(Err(Error::new(name, Code::INTERNAL_ERROR)));
        };
        let Poll::Ready(result) = started.poll(context, name) else { return Poll::Pending };
        state.0 = None;
        let (transfer, bytes) = result?;
        if transfer.count <= buffer.len() {
            buffer[..transfer.count].copy_from_slice(&bytes);
            return Poll::Ready(Ok(Message { len: transfer.count, complete: !transfer.more }));
        }
        // Begun with a larger buffer than it ends with: the rest is for the next call.
        lock(&self.early).push_front((bytes, !transfer.more));
        let message = self.take_early(buffer);
        Poll::Ready(message.ok_or_else(|| Error::new(name, Code::INTERNAL_ERROR)))
    }

    /// The whole write.
    pub(super) fn poll_send(
        &self,
        pipe: &Pipe,
        state: &mut Sending,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        if state.0.is_none() {
            state.0 = Some(start(pipe, bytes)?);
        }
        poll_written(state, context)
    }

    /// The write as far as its bytes are in the pipe, after the end of the one before.
    pub(super) fn poll_begin(
        &self,
        pipe: &Pipe,
        state: &mut Sending,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize>> {
        match self.poll_sent(state, context) {
            Poll::Ready(Ok(())) => {}
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => return Poll::Pending,
        }
        state.0 = Some(start(pipe, bytes)?);
        // In PIPE_NOWAIT mode it has ended already, perhaps with nothing written.
        match poll_written(state, context) {
            Poll::Pending => Poll::Ready(Ok(bytes.len())),
            done => done,
        }
    }

    /// The end of a write that was begun.
    pub(super) fn poll_sent(&self, state: &mut Sending, context: &mut Context<'_>) -> Poll<Result<()>> {
        if state.0.is_none() {
            return Poll::Ready(Ok(()));
        }
        poll_written(state, context).map_ok(drop)
    }

    pub(super) fn poll_connect(
        &self,
        pipe: &Pipe,
        state: &mut Connecting,
        context: &mut Context<'_>,
    ) -> Poll<Result<Connected>> {
        const NAME: &str = "connect pipe";
        const CONNECTED: u32 = Code::PIPE_CONNECTED.value();
        let started = match &mut state.0 {
            Some(started) => started,
            None => match Operation::connect(value(pipe.as_handle())) {
                Ok(operation) => state.0.insert(Started::new(operation)),
                Err(CONNECTED) => return Poll::Ready(Ok(Connected::Already)),
                Err(code) => return Poll::Ready(Err(Error::new(NAME, Code::new(code)))),
            },
        };
        let Poll::Ready(result) = started.poll(context, NAME) else { return Poll::Pending };
        state.0 = None;
        Poll::Ready(result.map(|_| Connected::During))
    }

    pub(super) fn poll_transact(
        &self,
        pipe: &Pipe,
        state: &mut Transacting,
        context: &mut Context<'_>,
        request: &[u8],
        reply: &mut [u8],
    ) -> Poll<Result<Message>> {
        const NAME: &str = "transact on pipe";
        if state.0.0.is_none() {
            if !lock(&self.early).is_empty() {
                // Unread data, as far as the caller knows (P63).
                return Poll::Ready(Err(Error::new(NAME, Code::PIPE_BUSY)));
            }
            let operation = Operation::transact(value(pipe.as_handle()), request.to_vec(), reply.len());
            let operation = operation.map_err(failed(NAME))?;
            state.0.0 = Some((Started::new(operation), Arc::clone(&self.early)));
        }
        self.poll_received(&mut state.0, context, reply, NAME)
    }
}

fn start(pipe: &Pipe, bytes: &[u8]) -> Result<Started> {
    let operation = Operation::write(value(pipe.as_handle()), bytes.to_vec());
    operation.map(Started::new).map_err(failed("write pipe"))
}

fn poll_written(state: &mut Sending, context: &mut Context<'_>) -> Poll<Result<usize>> {
    const NAME: &str = "write pipe";
    let Some(started) = &mut state.0 else { return Poll::Ready(Ok(0)) };
    let Poll::Ready(result) = started.poll(context, NAME) else { return Poll::Pending };
    state.0 = None;
    Poll::Ready(result.map(|(transfer, _)| transfer.count))
}

/// A mailslot's server end that tasks use.
#[derive(Debug)]
pub(super) struct SlotPort {
    early: Early,
}

impl SlotPort {
    pub(super) fn new(server: &mailslot::Server) -> Result<SlotPort> {
        server.as_handle().information()?;
        Ok(SlotPort { early: Early::default() })
    }

    /// What an earlier read took, whole or not at all (S12).
    fn take_early(&self, buffer: &mut [u8]) -> Option<Result<usize>> {
        let mut early = lock(&self.early);
        let (bytes, _) = early.front()?;
        let Some(room) = buffer.get_mut(..bytes.len()) else {
            return Some(Err(Error::new("read mailslot", Code::INSUFFICIENT_BUFFER)));
        };
        room.copy_from_slice(bytes);
        early.pop_front().map(|(bytes, _)| Ok(bytes.len()))
    }

    pub(super) async fn receive(&self, server: &mailslot::Server, buffer: &mut [u8]) -> Result<usize> {
        const NAME: &str = "read mailslot";
        if let Some(taken) = self.take_early(buffer) {
            return taken;
        }
        let operation = Operation::read(value(server.as_handle()), buffer.len()).map_err(failed(NAME))?;
        let mut state = Receiving(Some((Started::new(operation), Arc::clone(&self.early))));
        let result = poll_fn(|context| match &mut state.0 {
            Some((started, _)) => started.poll(context, NAME),
            None => Poll::Ready(Err(Error::new(NAME, Code::INTERNAL_ERROR))),
        })
        .await;
        // It has ended: there is nothing to cancel.
        state.0 = None;
        let (transfer, bytes) = result?;
        match (buffer.get_mut(..transfer.count), bytes.get(..transfer.count)) {
            (Some(room), Some(bytes)) if !transfer.more => room.copy_from_slice(bytes),
            _ => return Err(Error::new(NAME, Code::INSUFFICIENT_BUFFER)),
        }
        Ok(transfer.count)
    }
}
