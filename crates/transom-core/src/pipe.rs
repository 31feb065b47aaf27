//! Named pipes: which flags are allowed, which instances may be made, and what each call answers in each state
//! (pipes.md, sections 2 to 5).
//!
//! # Life of an instance
//! ```text
//!                    a client comes               the peer closes
//!  made ─► Listening ─────────────────► Connected ─────────────────► Closing
//!              ▲                            │ DisconnectNamedPipe       │
//!              │      ConnectNamedPipe      ▼                           │
//!              └────────────────────── Disconnected ◄───────────────────┘
//! ```
//! [`at_once`] is the first table of section 2: what a call does when it begins. [`interrupted`] is the second one:
//! what becomes of an operation that has begun, when things change or time runs out.

use crate::access::{
    FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_READ_ATTRIBUTES, FILE_READ_DATA, FILE_WRITE_ATTRIBUTES,
    FILE_WRITE_DATA, Kind,
};
use crate::code::Code;
use crate::time::Timeout;

/// `PIPE_ACCESS_INBOUND`: the client writes, the server reads.
pub const PIPE_ACCESS_INBOUND: u32 = 1;
/// `PIPE_ACCESS_OUTBOUND`: the server writes, the client reads.
pub const PIPE_ACCESS_OUTBOUND: u32 = 2;
/// `PIPE_ACCESS_DUPLEX`: both.
pub const PIPE_ACCESS_DUPLEX: u32 = 3;
/// Only if the name does not exist (P9).
pub const FILE_FLAG_FIRST_PIPE_INSTANCE: u32 = 0x0008_0000;
/// Operations may go on in the background.
pub const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
/// Without effect here.
pub const FILE_FLAG_WRITE_THROUGH: u32 = 0x8000_0000;
/// Rights that the server end may have besides; without effect here.
const MORE_RIGHTS: u32 = crate::access::WRITE_DAC | 0x0100_0000;

/// Mode: calls do not wait.
pub const PIPE_NOWAIT: u32 = 1;
/// Mode: reads return whole messages.
pub const PIPE_READMODE_MESSAGE: u32 = 2;
/// Type: writes are messages.
pub const PIPE_TYPE_MESSAGE: u32 = 4;
/// Nobody comes from other computers; that is so in any case.
pub const PIPE_REJECT_REMOTE_CLIENTS: u32 = 8;
/// `GetNamedPipeInfo`: it is a server end.
pub const PIPE_SERVER_END: u32 = 1;
/// As many instances as there is room for (P11).
pub const PIPE_UNLIMITED_INSTANCES: u32 = 255;

/// Milliseconds that mean "as long as the pipe says" in `WaitNamedPipe` and `CallNamedPipe`.
pub const NMPWAIT_USE_DEFAULT_WAIT: u32 = 0;
/// Milliseconds that mean "not at all".
pub const NMPWAIT_NOWAIT: u32 = 1;
/// The default time-out of a pipe whose creator gave none, in milliseconds (P69).
const DEFAULT_WAIT: u32 = 50;

/// Which end of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The end that `CreateNamedPipe` gave.
    Server,
    /// The end that `CreateFile` gave.
    Client,
}

/// How an end reads and waits; separate for both ends (P32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modes {
    /// `PIPE_NOWAIT`.
    pub nowait: bool,
    /// `PIPE_READMODE_MESSAGE`.
    pub message_read: bool,
}

impl Modes {
    /// All bits of a mode word.
    pub const ALL: u32 = PIPE_NOWAIT | PIPE_READMODE_MESSAGE;

    /// The modes in a mode word; bits that mean something else do not count.
    #[must_use]
    #[inline]
    pub const fn of_bits(bits: u32) -> Modes {
        Modes { nowait: bits & PIPE_NOWAIT != 0, message_read: bits & PIPE_READMODE_MESSAGE != 0 }
    }

    /// The mode word.
    #[must_use]
    pub const fn bits(self) -> u32 {
        (self.nowait as u32 * PIPE_NOWAIT) | (self.message_read as u32 * PIPE_READMODE_MESSAGE)
    }

    /// The mode word that `SetNamedPipeHandleState` is given.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): undefined bits, or message read mode on a byte-type pipe (P31).
    pub const fn checked(bits: u32, message_type: bool) -> Result<Modes, Code> {
        let modes = Modes::of_bits(bits);
        if bits & !Modes::ALL != 0 || modes.message_read && !message_type {
            return Err(Code::INVALID_PARAMETER);
        }
        Ok(modes)
    }
}

/// What `CreateNamedPipe` is asked for, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// `PIPE_ACCESS_*`.
    pub access: u32,
    /// Only as the first instance.
    pub first: bool,
    /// Operations may go on in the background.
    pub overlapped: bool,
    /// Writes are messages.
    pub message_type: bool,
    /// The modes of the server end.
    pub modes: Modes,
    /// The most instances; [`PIPE_UNLIMITED_INSTANCES`] = no limit.
    pub max_instances: u32,
}

impl Plan {
    /// Checks the three words of `CreateNamedPipe`.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): no direction, undefined bits, byte type with message read mode, no instances or
    /// more than 255.
    pub const fn check(open_mode: u32, pipe_mode: u32, max_instances: u32) -> Result<Plan, Code> {
        let open_bits = PIPE_ACCESS_DUPLEX
            | FILE_FLAG_FIRST_PIPE_INSTANCE
            | FILE_FLAG_OVERLAPPED
            | FILE_FLAG_WRITE_THROUGH
            | MORE_RIGHTS;
        let mode_bits = PIPE_NOWAIT | PIPE_READMODE_MESSAGE | PIPE_TYPE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS;
        let access = open_mode & PIPE_ACCESS_DUPLEX;
        let modes = Modes::of_bits(pipe_mode);
        let message_type = pipe_mode & PIPE_TYPE_MESSAGE != 0;
        if open_mode & !open_bits != 0
            || pipe_mode & !mode_bits != 0
            || access == 0
            || modes.message_read && !message_type
            || max_instances == 0
            || max_instances > PIPE_UNLIMITED_INSTANCES
        {
            return Err(Code::INVALID_PARAMETER);
        }
        Ok(Plan {
            access,
            first: open_mode & FILE_FLAG_FIRST_PIPE_INSTANCE != 0,
            overlapped: open_mode & FILE_FLAG_OVERLAPPED != 0,
            message_type,
            modes,
            max_instances,
        })
    }

    /// Whether this may be an instance of a pipe that exists. The limit is looked at before the first-instance flag,
    /// and that before the direction (P8); type, maximum and time-out are the first creator's whatever is asked (P6).
    ///
    /// # Errors
    /// `ERROR_PIPE_BUSY` (231): there are as many instances as the first creator allowed. `ERROR_ACCESS_DENIED` (5):
    /// the name exists (P9), or has another direction. `ERROR_INVALID_PARAMETER` (87): message read mode, and the
    /// pipe is of byte type.
    pub const fn admit(&self, existing: &Existing) -> Result<(), Code> {
        if existing.is_full() {
            Err(Code::PIPE_BUSY)
        } else if self.first || self.access != existing.access {
            Err(Code::ACCESS_DENIED)
        } else if self.modes.message_read && !existing.message_type {
            Err(Code::INVALID_PARAMETER)
        } else {
            Ok(())
        }
    }

    /// The rights of the server's handle: outbound ones cannot ask, inbound ones cannot set modes (section 3).
    #[must_use]
    pub const fn rights(&self) -> u32 {
        let mut rights = 0;
        if self.access & PIPE_ACCESS_INBOUND != 0 {
            rights |= FILE_GENERIC_READ;
        }
        if self.access & PIPE_ACCESS_OUTBOUND != 0 {
            rights |= FILE_GENERIC_WRITE;
        }
        rights
    }
}

/// What the first creator of a name fixed (P6), and how many instances there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Existing {
    /// `PIPE_ACCESS_*`.
    pub access: u32,
    /// Writes are messages.
    pub message_type: bool,
    /// As [`Plan::max_instances`].
    pub max_instances: u32,
    /// Instances whose server end is open (P12).
    pub instances: u32,
}

impl Existing {
    /// Whether there are as many instances as there may be.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.max_instances < PIPE_UNLIMITED_INSTANCES && self.instances >= self.max_instances
    }
}

/// The rights of a client's handle, for what `CreateFile` is asked for.
///
/// # Errors
/// `ERROR_ACCESS_DENIED` (5): reading is asked of an inbound pipe, or writing of an outbound one.
pub const fn client_rights(wanted: u32, pipe_access: u32) -> Result<u32, Code> {
    let rights = Kind::Pipe.map_generic(wanted);
    let reads = rights & FILE_READ_DATA != 0;
    let writes = rights & FILE_WRITE_DATA != 0;
    if reads && pipe_access & PIPE_ACCESS_OUTBOUND == 0 || writes && pipe_access & PIPE_ACCESS_INBOUND == 0 {
        return Err(Code::ACCESS_DENIED);
    }
    Ok(rights)
}

/// How long `WaitNamedPipe` and `CallNamedPipe` wait for an instance: `default` is the pipe's (P67, P69).
#[must_use]
pub const fn instance_wait(milliseconds: u32, default: u32) -> Timeout {
    match milliseconds {
        NMPWAIT_USE_DEFAULT_WAIT => Timeout::millis(if default == 0 { DEFAULT_WAIT } else { default }),
        NMPWAIT_NOWAIT => Timeout::ZERO,
        more => Timeout::millis(more),
    }
}

/// What state an instance is in, seen from one end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Made or connected again, and no client has come. Never seen from a client's end.
    Listening,
    /// Both ends are open.
    Connected,
    /// The peer's end is closed.
    Closing,
    /// The server has disconnected.
    Disconnected,
}

/// What is done with an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// ReadFile.
    Read,
    /// WriteFile, also of nothing.
    Write,
    /// PeekNamedPipe.
    Peek,
    /// TransactNamedPipe.
    Transact,
    /// FlushFileBuffers.
    Flush,
    /// ConnectNamedPipe.
    Connect,
    /// DisconnectNamedPipe.
    Disconnect,
    /// GetNamedPipeHandleState, SetNamedPipeHandleState, GetNamedPipeInfo.
    Query,
    /// GetNamedPipeClientProcessId.
    ClientProcess,
    /// GetNamedPipeServerProcessId.
    ServerProcess,
}

impl Operation {
    /// The right that a handle needs for it (section 3); setting modes needs `FILE_WRITE_ATTRIBUTES` instead.
    #[must_use]
    pub const fn right(self) -> u32 {
        match self {
            Operation::Read | Operation::Peek => FILE_READ_DATA,
            Operation::Write | Operation::Flush => FILE_WRITE_DATA,
            Operation::Transact => FILE_READ_DATA | FILE_WRITE_DATA,
            Operation::Query => FILE_READ_ATTRIBUTES,
            _ => 0,
        }
    }
}

/// The right that `SetNamedPipeHandleState` needs.
pub const SET_MODES_RIGHT: u32 = FILE_WRITE_ATTRIBUTES;

/// What a call does when it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on: takes, queues, waits, changes.
    Go,
    /// It has succeeded; there is nothing to do.
    Done,
    /// It fails.
    Fail(Code),
}

/// The table of what each call does in each state. Reading and peeking while closing go on until what is left has
/// been read; then [`interrupted`] says the code.
#[must_use]
pub const fn at_once(operation: Operation, state: State, role: Role) -> Verdict {
    use Verdict::{Done, Fail, Go};
    if let Role::Client = role {
        return match (operation, state) {
            (Operation::Connect | Operation::Disconnect, _) => Fail(Code::INVALID_FUNCTION),
            (_, State::Disconnected | State::Listening) => Fail(Code::PIPE_NOT_CONNECTED),
            (Operation::Write, State::Closing) => Fail(Code::NO_DATA),
            (Operation::Transact, State::Closing) => Fail(Code::BAD_PIPE),
            (Operation::Flush, State::Closing) => Done,
            _ => Go,
        };
    }
    match (operation, state) {
        (_, State::Connected) if !matches!(operation, Operation::Connect) => Go,
        (Operation::Read | Operation::Write, State::Listening) => Fail(Code::PIPE_LISTENING),
        (Operation::Read | Operation::Write, State::Disconnected) => Fail(Code::PIPE_NOT_CONNECTED),
        (Operation::Write, State::Closing) => Fail(Code::NO_DATA),
        (Operation::Peek | Operation::Transact, State::Listening | State::Disconnected)
        | (Operation::Transact, State::Closing) => Fail(Code::BAD_PIPE),
        (Operation::Flush, _) => Done,
        (Operation::Connect, State::Connected) => Fail(Code::PIPE_CONNECTED),
        (Operation::Connect, State::Closing) => Fail(Code::NO_DATA),
        (Operation::Disconnect, State::Disconnected) => Fail(Code::PIPE_NOT_CONNECTED),
        (Operation::ClientProcess, State::Listening | State::Disconnected) => Fail(Code::NOT_FOUND),
        _ => Go,
    }
}

/// What ended an operation before it could finish by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// The peer's end is closed, and there is nothing left to read. `waiting`: it was open when the operation began.
    PeerClosed {
        /// The operation was already waiting.
        waiting: bool,
    },
    /// The server has disconnected.
    Disconnected,
    /// The handle was closed meanwhile.
    LocalClosed,
    /// CancelIo, CancelIoEx.
    Cancelled,
    /// The time given for it is over.
    TimedOut,
    /// It would have to wait, and was not to.
    WouldBlock,
    /// The peer has written nonsense into the memory of the connection.
    Corrupt,
}

/// The table of what becomes of a waiting operation.
#[must_use]
pub const fn interrupted(operation: Operation, by: Interruption, role: Role) -> Code {
    match (by, operation) {
        (Interruption::PeerClosed { waiting: false } | Interruption::Corrupt, Operation::Write) => {
            Code::NO_DATA
        }
        (Interruption::PeerClosed { waiting: false }, Operation::Transact) => Code::BAD_PIPE,
        (Interruption::PeerClosed { .. } | Interruption::Corrupt | Interruption::LocalClosed, _) => {
            Code::BROKEN_PIPE
        }
        // It never waits: the first table says what it meets.
        (Interruption::Disconnected, Operation::Peek) if matches!(role, Role::Server) => Code::BAD_PIPE,
        (Interruption::Disconnected, _) => Code::PIPE_NOT_CONNECTED,
        (Interruption::Cancelled, _) => Code::OPERATION_ABORTED,
        (Interruption::TimedOut, _) => Code::SEM_TIMEOUT,
        (Interruption::WouldBlock, Operation::Connect) => Code::PIPE_LISTENING,
        (Interruption::WouldBlock, _) => Code::NO_DATA,
    }
}

/// Whether TransactNamedPipe may send its request (P63; section 3). `unread`: data waits in the read direction.
///
/// # Errors
/// `ERROR_BAD_PIPE` (230): byte-type pipe or byte read mode. `ERROR_PIPE_BUSY` (231): unread data.
pub const fn may_transact(message_type: bool, modes: Modes, unread: bool) -> Result<(), Code> {
    if !message_type || !modes.message_read {
        Err(Code::BAD_PIPE)
    } else if unread {
        Err(Code::PIPE_BUSY)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
