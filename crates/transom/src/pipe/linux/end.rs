//! What is done with an end of a named pipe: the rules of [`transom_core::pipe`] drive the engine.

use std::sync::Arc;

use transom_core::code::Code;
use transom_core::pipe::{
    Interruption, Modes, Operation, PIPE_SERVER_END, PIPE_TYPE_MESSAGE, Role, State, Verdict, at_once,
    interrupted, may_transact,
};
use transom_sys::linux::process;

use super::super::{Message, Peek, PipeInfo, PipeState};
use crate::engine::channel::{Deadline, End, ReadMode, Trouble, Waiting};
use crate::engine::current::Inside;
use crate::engine::instance::{Attached, Came, Instance};
use crate::engine::spin::Spin;
use crate::engine::table::{Entry, Object};
use crate::engine::turn::Turn;
use crate::engine::visit::Visit;
use crate::wait::Timeout;

type Coded<T> = std::result::Result<T, Code>;

/// An end of a named pipe, whichever.
#[derive(Clone, Copy)]
pub(crate) enum NamedEnd<'a> {
    Server(&'a Instance),
    Client(&'a Visit),
}

/// The connection of an end, in use.
pub(crate) enum Connection<'a> {
    Server(Inside<'a, Attached>),
    Client(&'a End),
}

impl Connection<'_> {
    #[inline]
    pub(crate) fn end(&self) -> &End {
        match self {
            Connection::Server(attached) => attached.end(),
            Connection::Client(end) => end,
        }
    }
}

/// The connection that an operation began on, for as long as that takes.
#[derive(Debug, Clone)]
pub(crate) enum Link {
    Server(Arc<Attached>),
    Client(Arc<Visit>),
}

impl Link {
    /// The connection of a server end, if its state lets the operation go on.
    pub(super) fn server(instance: &Instance, operation: Operation) -> Coded<Link> {
        instance.connection(operation).map(|attached| Link::Server(attached.share())).map_err(verdict_code)
    }

    pub(super) fn end(&self) -> &End {
        match self {
            Link::Server(attached) => attached.end(),
            Link::Client(visit) => visit.end(),
        }
    }

    pub(super) fn role(&self) -> Role {
        self.end().role()
    }
}

/// The code of an operation that met trouble.
pub(crate) fn code_of(operation: Operation, trouble: Trouble, role: Role) -> Code {
    let interruption = match trouble {
        Trouble::PeerClosed => Interruption::PeerClosed { waiting: false },
        Trouble::PeerClosedMeanwhile => Interruption::PeerClosed { waiting: true },
        Trouble::Disconnected => Interruption::Disconnected,
        Trouble::LocalClosed => Interruption::LocalClosed,
        Trouble::Cancelled => Interruption::Cancelled,
        Trouble::TimedOut => Interruption::TimedOut,
        Trouble::WouldBlock => Interruption::WouldBlock,
        Trouble::Corrupt => Interruption::Corrupt,
        Trouble::Busy => return Code::PIPE_BUSY,
        Trouble::Code(code) => return code,
    };
    interrupted(operation, interruption, role)
}

pub(super) fn verdict_code(verdict: Verdict) -> Code {
    match verdict {
        Verdict::Fail(code) => code,
        // Said of no operation whose result matters.
        Verdict::Go | Verdict::Done => Code::SUCCESS,
    }
}

impl<'a> NamedEnd<'a> {
    /// The end that a handle's entry leads to; `None` for other objects.
    #[inline]
    pub(crate) fn of(entry: &'a Entry) -> Option<NamedEnd<'a>> {
        match &entry.object {
            Object::Server(instance) => Some(NamedEnd::Server(instance)),
            Object::Client(visit) => Some(NamedEnd::Client(visit)),
            _ => None,
        }
    }

    pub(crate) fn role(self) -> Role {
        match self {
            NamedEnd::Server(_) => Role::Server,
            NamedEnd::Client(_) => Role::Client,
        }
    }

    #[inline]
    pub(crate) fn modes(self) -> Modes {
        match self {
            NamedEnd::Server(instance) => instance.modes(),
            NamedEnd::Client(visit) => visit.modes(),
        }
    }

    #[inline]
    fn spin(self) -> Spin {
        match self {
            NamedEnd::Server(instance) => instance.spin(),
            NamedEnd::Client(visit) => visit.spin(),
        }
    }

    pub(super) fn set_spin(self, spin: Spin) {
        match self {
            NamedEnd::Server(instance) => instance.set_spin(spin),
            NamedEnd::Client(visit) => visit.set_spin(spin),
        }
    }

    /// The connection, if the state lets the operation go on.
    #[inline(always)] // It is the beginning of every read and write.
    pub(crate) fn connection(self, operation: Operation) -> std::result::Result<Connection<'a>, Verdict> {
        match self {
            NamedEnd::Server(instance) => instance.connection(operation).map(Connection::Server),
            // A client's states are the connection's own.
            NamedEnd::Client(visit) => Ok(Connection::Client(visit.end())),
        }
    }

    /// How an operation waits that has until `timeout`.
    #[inline]
    pub(super) fn waiting(self, timeout: Timeout) -> Waiting {
        let deadline = if timeout.is_infinite() { Deadline::Never } else { Deadline::from(timeout) };
        Waiting { deadline, spin: self.spin() }
    }

    /// The same, but at once in `PIPE_NOWAIT` mode.
    #[inline]
    pub(super) fn waiting_by_mode(self, timeout: Timeout) -> Waiting {
        let mut waiting = self.waiting(timeout);
        if self.modes().nowait {
            waiting.deadline = Deadline::Now;
        }
        waiting
    }

    #[inline]
    pub(super) fn receive(self, buffer: &mut [u8], timeout: Timeout) -> Coded<Message> {
        let connection = self.connection(Operation::Read).map_err(verdict_code)?;
        let modes = self.modes();
        let mode = if modes.message_read { ReadMode::Message } else { ReadMode::Byte };
        let may_pause = || !modes.nowait && !timeout.is_zero() && self.spin() != Spin::Never;
        match connection.end().read_at_once(buffer, mode, may_pause) {
            Ok(len) => Ok(Message { len, complete: true }),
            Err(turn) => self.receive_on(connection.end(), turn, buffer, mode, timeout),
        }
    }

    /// Goes on with what was not done at once.
    #[cold]
    fn receive_on<'e>(
        self,
        end: &'e End,
        turn: Option<Turn<'e>>,
        buffer: &mut [u8],
        mode: ReadMode,
        timeout: Timeout,
    ) -> Coded<Message> {
        match end.read_on(turn, buffer, mode, &self.waiting_by_mode(timeout)) {
            Ok(message) => Ok(Message { len: message.len, complete: message.complete }),
            Err(Trouble::WouldBlock) if !self.modes().nowait => Err(Code::SEM_TIMEOUT),
            Err(trouble) => Err(code_of(Operation::Read, trouble, self.role())),
        }
    }

    #[inline]
    pub(super) fn send(self, bytes: &[u8], timeout: Timeout) -> Coded<usize> {
        let connection = self.connection(Operation::Write).map_err(verdict_code)?;
        let end = connection.end();
        let written = match end.write_at_once(bytes) {
            Ok(()) => end.is_through(bytes.len()),
            Err(turn) => end.write_on(turn, bytes, &self.waiting_by_mode(timeout)),
        };
        match written {
            Ok(count) => Ok(count),
            // All or nothing (P42).
            Err(Trouble::WouldBlock) if self.modes().nowait => Ok(0),
            Err(Trouble::WouldBlock) => Err(Code::SEM_TIMEOUT),
            Err(trouble) => Err(code_of(Operation::Write, trouble, self.role())),
        }
    }

    pub(super) fn peek(self, buffer: &mut [u8]) -> Coded<Peek> {
        let connection = self.connection(Operation::Peek).map_err(verdict_code)?;
        match connection.end().peek(buffer) {
            Ok(seen) => Ok(Peek {
                copied: seen.copied,
                available: usize::try_from(seen.available).unwrap_or(usize::MAX),
                left: usize::try_from(seen.left).unwrap_or(usize::MAX),
            }),
            Err(trouble) => Err(code_of(Operation::Peek, trouble, self.role())),
        }
    }

    pub(super) fn flush(self, timeout: Timeout) -> Coded<()> {
        let connection = match self.connection(Operation::Flush) {
            Ok(connection) => connection,
            Err(Verdict::Fail(code)) => return Err(code),
            Err(_) => return Ok(()),
        };
        let waiting = Waiting { deadline: Deadline::from(timeout), spin: self.spin() };
        match connection.end().flush(&waiting) {
            // Nobody is there to read it (P40).
            Ok(()) | Err(Trouble::PeerClosed) => Ok(()),
            Err(Trouble::WouldBlock) => Err(Code::SEM_TIMEOUT),
            Err(trouble) => Err(code_of(Operation::Flush, trouble, self.role())),
        }
    }

    /// The connection for a transaction, if one may begin.
    pub(super) fn may_transact(self) -> Coded<Connection<'a>> {
        let connection = self.connection(Operation::Transact).map_err(verdict_code)?;
        let end = connection.end();
        if self.is_disconnected() {
            return Err(verdict_code(at_once(Operation::Transact, State::Disconnected, self.role())));
        }
        // Whether something unread is there (P63) the engine sees, in one step with the writing.
        may_transact(end.segment().shape().message, self.modes(), false)?;
        Ok(connection)
    }

    pub(super) fn transact(self, request: &[u8], reply: &mut [u8], timeout: Timeout) -> Coded<Message> {
        let connection = self.may_transact()?;
        let (end, waiting) = (connection.end(), self.waiting(timeout));
        let code = |trouble| code_of(Operation::Transact, trouble, self.role());
        end.send_request(request, &waiting).map_err(|trouble| match trouble {
            // That nobody would answer is said first.
            Trouble::Busy if end.peer_is_gone() => Code::BAD_PIPE,
            trouble => code(trouble),
        })?;
        match end.read(reply, ReadMode::Message, &waiting) {
            Ok(message) => Ok(Message { len: message.len, complete: message.complete }),
            Err(Trouble::WouldBlock) => Err(Code::SEM_TIMEOUT),
            // The peer was there when the call began.
            Err(Trouble::PeerClosed) => Err(code(Trouble::PeerClosedMeanwhile)),
            Err(trouble) => Err(code(trouble)),
        }
    }

    /// A client that was cut off; a server end knows by its slot.
    fn is_disconnected(self) -> bool {
        match self {
            NamedEnd::Server(_) => false,
            NamedEnd::Client(visit) => visit.is_disconnected(),
        }
    }

    /// The state lets the end be asked about.
    fn may_ask(self, operation: Operation) -> Coded<()> {
        if self.is_disconnected() {
            return Err(verdict_code(at_once(operation, State::Disconnected, self.role())));
        }
        Ok(())
    }

    pub(super) fn info(self) -> Coded<PipeInfo> {
        self.may_ask(Operation::Query)?;
        let (shape, max_instances, server) = match self {
            NamedEnd::Server(instance) => {
                (instance.shape(), instance.board().fixed().max_instances, PIPE_SERVER_END)
            }
            NamedEnd::Client(visit) => {
                (visit.end().segment().shape(), visit.known().board().fixed().max_instances, 0)
            }
        };
        Ok(PipeInfo {
            flags: server | if shape.message { PIPE_TYPE_MESSAGE } else { 0 },
            out_size: shape.quota_out,
            in_size: shape.quota_in,
            max_instances,
        })
    }

    pub(super) fn state(self) -> Coded<PipeState> {
        self.may_ask(Operation::Query)?;
        let instances = match self {
            NamedEnd::Server(instance) => instance.count()?,
            NamedEnd::Client(visit) => visit.known().count(),
        };
        let modes = self.modes();
        Ok(PipeState { nowait: modes.nowait, message_read: modes.message_read, instances })
    }

    pub(super) fn set_mode(self, mode: u32) -> Coded<()> {
        self.may_ask(Operation::Query)?;
        match self {
            NamedEnd::Server(instance) => instance.set_modes(Modes::checked(mode, instance.shape().message)?),
            NamedEnd::Client(visit) => {
                visit.set_modes(Modes::checked(mode, visit.end().segment().shape().message)?);
            }
        }
        Ok(())
    }

    pub(super) fn client_process_id(self) -> Coded<u32> {
        self.may_ask(Operation::ClientProcess)?;
        match self {
            NamedEnd::Server(instance) => instance.client_process(),
            NamedEnd::Client(visit) => Ok(word(&visit.end().words().client_pid)),
        }
    }

    pub(super) fn server_process_id(self) -> Coded<u32> {
        self.may_ask(Operation::ServerProcess)?;
        match self {
            NamedEnd::Server(instance) => Ok(instance.server_process()),
            NamedEnd::Client(visit) => visit.server_process(),
        }
    }

    pub(super) fn client_user_id(self) -> Coded<u32> {
        self.may_ask(Operation::ClientProcess)?;
        match self {
            NamedEnd::Server(instance) => instance.client_user(),
            NamedEnd::Client(_) => Ok(process::user()),
        }
    }

    /// CancelIoEx for everything of this process.
    pub(super) fn cancel(self) -> Coded<()> {
        let cancelled = match self {
            // Both kinds, whatever the first one gives.
            NamedEnd::Server(instance) => instance.cancel_connects() | instance.attached().end().cancel(),
            NamedEnd::Client(visit) => visit.end().cancel(),
        };
        if cancelled { Ok(()) } else { Err(Code::NOT_FOUND) }
    }

    /// ConnectNamedPipe.
    pub(super) fn connect(self, timeout: Timeout) -> Coded<Came> {
        let instance = self.server()?;
        // Not even a look is a wait: a client that is there counts whatever the time-out.
        let came = instance.connect(instance.modes().nowait, Deadline::from(timeout));
        came.map_err(|trouble| connect_code(instance, trouble))
    }

    /// The same, for who takes a client that has left as well.
    pub(super) fn accept(self, timeout: Timeout) -> Coded<()> {
        let instance = self.server()?;
        let came = instance.accept(instance.modes().nowait, Deadline::from(timeout));
        came.map(drop).map_err(|trouble| connect_code(instance, trouble))
    }

    /// The server end, for what only it can do.
    pub(super) fn server(self) -> Coded<&'a Instance> {
        match self {
            NamedEnd::Server(instance) => Ok(instance),
            NamedEnd::Client(_) => Err(Code::INVALID_FUNCTION),
        }
    }
}

fn connect_code(instance: &Instance, trouble: Trouble) -> Code {
    match trouble {
        Trouble::WouldBlock if !instance.modes().nowait => Code::SEM_TIMEOUT,
        trouble => code_of(Operation::Connect, trouble, Role::Server),
    }
}

fn word(word: &std::sync::atomic::AtomicU32) -> u32 {
    word.load(std::sync::atomic::Ordering::Relaxed)
}
