//! Linux's own view of a pipe's end: operations in steps that never sleep, and a descriptor to wait at. It is what
//! an event loop, an I/O thread or a C interface with `OVERLAPPED` needs.
//!
//! A step is tried; if it cannot be done, the end is *armed* for what it needs, the step is tried once more, and only
//! then [`End::poll_fd`] is waited at. A wake-up uses up everything that is armed.
//!
//! Steps are for named pipes. Those of an anonymous pipe's end fail with `ERROR_NOT_SUPPORTED` (50): it is a
//! descriptor itself, see [`handle::ext`](crate::handle::ext).

use std::any::Any;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use transom_core::code::Code;
use transom_core::pipe::{Modes, Operation, Role};
use transom_sys::linux::fd;

use super::super::{Message, Pipe};
use super::end::{Link, NamedEnd, code_of};
use crate::engine::channel::{self, ReadMode, Trouble, Waiting};
use crate::engine::errno::with_room;
use crate::engine::instance::{Came, Instance};
use crate::engine::named::error;
use crate::engine::table::{Attachment, Object, PipeEnd};
use crate::engine::visit::Visit;
use crate::error::Result;
use crate::handle::AsHandle;
use crate::wait::Timeout;

type Coded<T> = std::result::Result<T, Code>;

/// This process's side of a pipe's end. It is no handle: it keeps memory, but not the end open. When the last handle
/// of this process is closed, its operations fail with `ERROR_BROKEN_PIPE` (109).
#[derive(Debug, Clone)]
pub struct End(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Server(Arc<Instance>),
    Client(Arc<Visit>),
    Anonymous(Arc<PipeEnd>),
}

/// What an armed end is to be woken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Something to read.
    Data,
    /// Room to write, and the end of a waiting write.
    Space,
    /// A client, at a listening server end.
    Connect,
}

impl Interest {
    fn inner(self) -> channel::Interest {
        match self {
            Interest::Data => channel::Interest::Data,
            Interest::Space => channel::Interest::Space,
            Interest::Connect => channel::Interest::Connect,
        }
    }
}

/// How a write began.
#[derive(Debug)]
pub enum Begun {
    /// It is complete: so many bytes.
    Done(usize),
    /// Its data can be read, and it is complete when enough of them has been (P35).
    Waiting(Sending),
    /// Nothing was done. Arm for space, and again.
    NoRoom,
    /// Nothing was done: only [`End::send`] can write so much at once.
    TooLarge,
}

/// A write that waits. Dropping it is cancelling it.
#[derive(Debug)]
pub struct Sending {
    link: Link,
    pending: Option<channel::PendingWrite>,
}

/// The end that a handle, or an [`End`], leads to.
#[derive(Clone, Copy)]
enum Which<'a> {
    Server(&'a Arc<Instance>),
    Client(&'a Arc<Visit>),
    Anonymous(&'a Arc<PipeEnd>),
}

impl<'a> Which<'a> {
    fn of(object: &'a Object) -> Option<Which<'a>> {
        match object {
            Object::Server(instance) => Some(Which::Server(instance)),
            Object::Client(visit) => Some(Which::Client(visit)),
            Object::Pipe(pipe) => Some(Which::Anonymous(pipe)),
            _ => None,
        }
    }

    /// The one of a handle that has `rights`.
    fn with(pipe: &'a Pipe, rights: u32) -> Result<Which<'a>> {
        let entry = &pipe.as_handle().resolved.0;
        let which = Which::of(&entry.object).ok_or(Code::INVALID_HANDLE);
        which.and_then(|which| entry.check(rights).map(|()| which)).map_err(error("get end of pipe"))
    }

    fn share(self) -> End {
        End(match self {
            Which::Server(instance) => Kind::Server(Arc::clone(instance)),
            Which::Client(visit) => Kind::Client(Arc::clone(visit)),
            Which::Anonymous(pipe) => Kind::Anonymous(Arc::clone(pipe)),
        })
    }

    fn is_overlapped(self) -> bool {
        match self {
            Which::Server(instance) => instance.is_overlapped(),
            Which::Client(visit) => visit.is_overlapped(),
            Which::Anonymous(_) => false,
        }
    }

    fn attachment(self) -> &'a Attachment {
        match self {
            Which::Server(instance) => instance.attachment(),
            Which::Client(visit) => visit.attachment(),
            Which::Anonymous(pipe) => &pipe.attachment,
        }
    }
}

/// The end of a handle that has `rights`.
///
/// # Errors
/// `ERROR_ACCESS_DENIED` (5): it lacks them. `ERROR_INVALID_HANDLE` (6): it is closed.
pub fn end(pipe: &Pipe, rights: u32) -> Result<End> {
    Which::with(pipe, rights).map(Which::share)
}

/// As [`end`], if it was opened with `FILE_FLAG_OVERLAPPED`; `None` for the others, whose operations wait.
///
/// # Errors
/// As [`end`].
pub fn overlapped_end(pipe: &Pipe, rights: u32) -> Result<Option<End>> {
    let which = Which::with(pipe, rights)?;
    Ok(which.is_overlapped().then(|| which.share()))
}

/// [`End::attachment`] of a pipe's end.
#[must_use]
pub fn attachment(pipe: &Pipe) -> Option<&OnceLock<Box<dyn Any + Send + Sync>>> {
    Which::of(&pipe.as_handle().resolved.0.object).map(Which::attachment)
}

impl End {
    fn which(&self) -> Which<'_> {
        match &self.0 {
            Kind::Server(instance) => Which::Server(instance),
            Kind::Client(visit) => Which::Client(visit),
            Kind::Anonymous(pipe) => Which::Anonymous(pipe),
        }
    }

    /// The same for all handles of this process to one end.
    #[must_use]
    pub fn id(&self) -> usize {
        match &self.0 {
            Kind::Server(instance) => Arc::as_ptr(instance) as usize,
            Kind::Client(visit) => Arc::as_ptr(visit) as usize,
            Kind::Anonymous(pipe) => Arc::as_ptr(pipe) as usize,
        }
    }

    /// Whether it was opened with `FILE_FLAG_OVERLAPPED`.
    #[must_use]
    pub fn is_overlapped(&self) -> bool {
        self.which().is_overlapped()
    }

    /// Whether the last handle of this process was closed; an anonymous end does not tell.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match &self.0 {
            Kind::Server(instance) => instance.is_closed(),
            Kind::Client(visit) => visit.end().is_closed(),
            Kind::Anonymous(_) => false,
        }
    }

    /// A place for what a layer above keeps with the end, as long as this process has it.
    #[must_use]
    pub fn attachment(&self) -> &OnceLock<Box<dyn Any + Send + Sync>> {
        self.which().attachment()
    }

    fn named(&self) -> Coded<NamedEnd<'_>> {
        match &self.0 {
            Kind::Server(instance) => Ok(NamedEnd::Server(instance)),
            Kind::Client(visit) => Ok(NamedEnd::Client(visit)),
            Kind::Anonymous(_) => Err(Code::NOT_SUPPORTED),
        }
    }

    /// The connection that an operation may use.
    fn link(&self, operation: Operation) -> Coded<Link> {
        match &self.0 {
            Kind::Server(instance) => Link::server(instance, operation),
            Kind::Client(visit) => Ok(Link::Client(Arc::clone(visit))),
            Kind::Anonymous(_) => Err(Code::NOT_SUPPORTED),
        }
    }

    /// The connection as it is, whatever the state.
    fn present(&self) -> Coded<Link> {
        match &self.0 {
            Kind::Server(instance) => Ok(Link::Server(instance.attached().share())),
            Kind::Client(visit) => Ok(Link::Client(Arc::clone(visit))),
            Kind::Anonymous(_) => Err(Code::NOT_SUPPORTED),
        }
    }

    /// `ConnectNamedPipe`, begun: the end listens now, and no client is there yet.
    ///
    /// # Errors
    /// `ERROR_PIPE_CONNECTED` (535), `ERROR_NO_DATA` (232), `ERROR_PIPE_LISTENING` (536, in `PIPE_NOWAIT` mode),
    /// `ERROR_INVALID_FUNCTION` (1): it is over already.
    pub fn begin_connect(&self) -> Result<()> {
        let begin = || {
            let instance = self.named()?.server()?;
            match instance.begin_connect(instance.modes().nowait) {
                Ok(None) => Ok(()),
                Ok(Some(Came::Left)) => Err(Code::NO_DATA),
                Ok(Some(Came::During | Came::Already)) => Err(Code::PIPE_CONNECTED),
                Err(trouble) => Err(code_of(Operation::Connect, trouble, Role::Server)),
            }
        };
        begin().map_err(error("connect pipe"))
    }

    /// Whether a client has come since.
    ///
    /// # Errors
    /// `ERROR_PIPE_NOT_CONNECTED` (233): disconnected meanwhile. `ERROR_BROKEN_PIPE` (109): closed meanwhile.
    pub fn poll_connect(&self) -> Result<bool> {
        let poll = || {
            let code = |trouble| code_of(Operation::Connect, trouble, Role::Server);
            self.named()?.server()?.poll_connect().map_err(code)
        };
        poll().map_err(error("connect pipe"))
    }

    /// `ReadFile` of what is there; `None` if nothing is.
    ///
    /// # Errors
    /// As [`Pipe::receive`].
    pub fn try_receive(&self, buffer: &mut [u8]) -> Result<Option<Message>> {
        let modes = self.named().map(NamedEnd::modes);
        modes.and_then(|modes| self.receive_in(buffer, modes)).map_err(error("read pipe"))
    }

    /// As [`End::try_receive`], one message whatever the modes: the reply of a transaction.
    ///
    /// # Errors
    /// As [`Pipe::receive`].
    pub fn try_receive_message(&self, buffer: &mut [u8]) -> Result<Option<Message>> {
        let modes = Modes { nowait: false, message_read: true };
        self.receive_in(buffer, modes).map_err(error("read pipe"))
    }

    fn receive_in(&self, buffer: &mut [u8], modes: Modes) -> Coded<Option<Message>> {
        let link = self.link(Operation::Read)?;
        let mode = if modes.message_read { ReadMode::Message } else { ReadMode::Byte };
        match link.end().try_read(buffer, mode) {
            Ok(Some(message)) => Ok(Some(Message { len: message.len, complete: message.complete })),
            Ok(None) if modes.nowait => Err(Code::NO_DATA),
            Ok(None) => Ok(None),
            Err(trouble) => Err(code_of(Operation::Read, trouble, link.role())),
        }
    }

    /// `WriteFile`, begun.
    ///
    /// # Errors
    /// As [`Pipe::send`].
    pub fn begin_send(&self, bytes: &[u8]) -> Result<Begun> {
        let begin = || {
            let link = self.link(Operation::Write)?;
            let role = link.role();
            let code = |trouble| code_of(Operation::Write, trouble, role);
            if self.named()?.modes().nowait {
                return link.end().write_nowait(bytes).map(Begun::Done).map_err(code);
            }
            Ok(match link.end().begin_write(bytes).map_err(code)? {
                channel::Begun::Done(count) => Begun::Done(count),
                channel::Begun::NoRoom => Begun::NoRoom,
                channel::Begun::TooLarge => Begun::TooLarge,
                channel::Begun::Waiting(pending) => Begun::Waiting(Sending { link, pending: Some(pending) }),
            })
        };
        begin().map_err(error("write pipe"))
    }

    /// `WriteFile`, sleeping until it is complete.
    ///
    /// # Errors
    /// As [`Pipe::send`].
    pub fn send(&self, bytes: &[u8]) -> Result<usize> {
        self.named().and_then(|end| end.send(bytes, Timeout::INFINITE)).map_err(error("write pipe"))
    }

    /// Whether nobody is at the other side any more: its end was closed, or its last process has ended. One system
    /// call; the steps themselves only see what was seen before.
    #[must_use]
    pub fn is_peer_gone(&self) -> bool {
        self.present().is_ok_and(|link| link.end().peer_is_gone())
    }

    /// How many bytes this end has written since it is connected; a write that waits counts in full as soon as the
    /// first of it can be read.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.present().map_or(0, |link| link.end().counters().bytes_out)
    }

    /// `TransactNamedPipe` as far as the request is sent; the reply is [`End::try_receive_message`]'s.
    ///
    /// # Errors
    /// As [`Pipe::transact`].
    pub fn begin_transact(&self, request: &[u8]) -> Result<()> {
        let begin = || {
            let connection = self.named()?.may_transact()?;
            match connection.end().send_request(request, &Waiting::default()) {
                Ok(_) => Ok(()),
                Err(Trouble::Busy) if connection.end().peer_is_gone() => Err(Code::BAD_PIPE),
                Err(trouble) => Err(code_of(Operation::Transact, trouble, connection.end().role())),
            }
        };
        begin().map_err(error("transact on pipe"))
    }

    /// `CancelIoEx(handle, NULL)`: whether something waited in this process.
    #[must_use]
    pub fn cancel(&self) -> bool {
        self.named().is_ok_and(|end| end.cancel().is_ok())
    }

    /// Wants to be woken. `demand`: how many bytes a read wants that waits; a write that fits into them does not
    /// wait (P34). 0 for other interests.
    pub fn arm(&self, interest: Interest, demand: usize) {
        if let Ok(link) = self.present() {
            if let (Interest::Connect, Kind::Server(instance)) = (interest, &self.0) {
                instance.poll_door();
            }
            link.end().arm(interest.inner(), demand);
        }
    }

    /// Takes back [`End::arm`].
    pub fn disarm(&self, interest: Interest) {
        if let Ok(link) = self.present() {
            link.end().disarm(interest.inner());
        }
    }

    /// A descriptor that is readable when an armed end is to be looked at. It belongs to one connection: when
    /// [`End::epoch`] changes, the next one has another. For one thread at a time.
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4).
    pub fn poll_fd(&self) -> Result<OwnedFd> {
        let descriptor = || {
            let link = self.present()?;
            let descriptor = link.end().poll_fd()?;
            with_room(|| fd::duplicate(descriptor))
        };
        descriptor().map_err(error("get descriptor of pipe"))
    }

    /// After [`End::poll_fd`] was readable: takes what made it so.
    pub fn take_token(&self) {
        if let Ok(link) = self.present() {
            link.end().take_token();
        }
    }

    /// Which connection it is: a server end gets another one each time it listens again.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        match self.present() {
            Ok(Link::Server(attached)) => u64::from(attached.generation()),
            _ => 0,
        }
    }
}

impl Sending {
    /// How many bytes were written, once it is complete.
    ///
    /// # Errors
    /// As [`Pipe::send`].
    pub fn poll(&mut self) -> Result<Option<usize>> {
        let Some(pending) = &mut self.pending else { return Ok(None) };
        let polled = pending.poll(self.link.end());
        if !matches!(polled, Ok(None)) {
            self.pending = None;
        }
        polled.map_err(|trouble| {
            // The peer was there when the write began.
            let trouble = if trouble == Trouble::PeerClosed { Trouble::PeerClosedMeanwhile } else { trouble };
            error("write pipe")(code_of(Operation::Write, trouble, self.link.role()))
        })
    }

    /// Takes back what is unread of it (P38); false if it had succeeded.
    #[must_use]
    pub fn cancel(mut self) -> bool {
        self.take_back()
    }

    fn take_back(&mut self) -> bool {
        self.pending.take().is_some_and(|pending| pending.cancel(self.link.end()))
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.take_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipe::{Client, Server, ServerOptions};
    use crate::support::{code, limit, unique};
    use transom_core::access::{FILE_READ_DATA, FILE_WRITE_DATA};
    use transom_sys::linux::{bell, futex};

    const SECOND: u64 = 1_000_000_000;

    fn server() -> (Server, String) {
        let name = format!(r"\\.\pipe\{}", unique("steps"));
        let options = ServerOptions::new(&name).message(true).in_size(100).out_size(100);
        (options.create().unwrap(), name)
    }

    /// Whether the end's descriptor gets readable within a time.
    fn is_woken(end: &End, nanos: u64) -> bool {
        let descriptor = end.poll_fd().unwrap();
        let woken = bell::wait(&descriptor, &[], Some(futex::now() + nanos)).unwrap().bell;
        if woken {
            end.take_token();
        }
        woken
    }

    /// With a fresh connection, and with one that both ends have had, if other tests leave it to them.
    #[test]
    fn a_client_is_seen_at_the_descriptor() {
        let _limit = limit();
        let (server, name) = server();
        let end = end(server.pipe(), 0).unwrap();
        let mut again = 0;
        for round in 0..20 {
            end.begin_connect().unwrap();
            end.arm(Interest::Connect, 0);
            assert!(!end.poll_connect().unwrap());
            assert!(!is_woken(&end, SECOND / 500));
            let before = end.epoch();
            let client = std::thread::scope(|scope| {
                let client = scope.spawn(|| Client::open(&name).unwrap());
                assert!(is_woken(&end, 20 * SECOND), "{round}");
                client.join().unwrap()
            });
            assert!(end.poll_connect().unwrap());
            again += u32::from(end.epoch() != before);
            assert_eq!(code(end.begin_connect()), 535);
            // Its data, and then its end.
            end.arm(Interest::Data, 10);
            assert!(end.try_receive(&mut [0; 10]).unwrap().is_none());
            client.pipe().send(b"data").unwrap();
            assert!(is_woken(&end, 20 * SECOND));
            assert_eq!(end.try_receive(&mut [0; 10]).unwrap().map(|message| message.len), Some(4));
            end.arm(Interest::Data, 10);
            assert!(end.try_receive(&mut [0; 10]).unwrap().is_none());
            drop(client);
            assert!(is_woken(&end, 20 * SECOND));
            assert_eq!(code(end.try_receive(&mut [0; 10])), 109);
            assert_eq!(code(end.begin_connect()), 232);
            server.disconnect().unwrap();
        }
        assert!(again > 0, "a connection of before is used again");
        end.begin_connect().unwrap();
        end.arm(Interest::Connect, 0);
        server.disconnect().unwrap();
        assert!(is_woken(&end, 20 * SECOND));
        assert_eq!(code(end.poll_connect()), 233);
    }

    #[test]
    fn a_write_waits_in_steps_and_can_be_taken_back() {
        let _limit = limit();
        let (server, name) = server();
        let client = Client::open(&name).unwrap();
        let writing = end(client.pipe(), FILE_WRITE_DATA).unwrap();
        assert!(matches!(writing.begin_send(&[1; 100]).unwrap(), Begun::Done(100)));
        let Begun::Waiting(mut first) = writing.begin_send(&[2; 50]).unwrap() else { panic!("it fits") };
        let Begun::Waiting(second) = writing.begin_send(&[3; 50]).unwrap() else { panic!("it fits") };
        assert_eq!(first.poll().unwrap(), None);
        assert_eq!(server.pipe().peek(&mut []).unwrap().available, 200);
        assert!(second.cancel());
        assert_eq!(server.pipe().peek(&mut []).unwrap().available, 150);
        assert_eq!(server.pipe().receive(&mut [0; 200]).unwrap(), 100);
        assert_eq!(first.poll().unwrap(), Some(50));
        drop(first);
        assert_eq!(server.pipe().receive(&mut [0; 200]).unwrap(), 50);
        let Begun::Waiting(third) = writing.begin_send(&[4; 150]).unwrap() else { panic!("it fits") };
        drop(third);
        assert_eq!(server.pipe().peek(&mut []).unwrap().available, 0, "dropping takes it back");
    }

    #[test]
    fn a_transaction_is_a_request_and_a_message() {
        let _limit = limit();
        let (server, name) = server();
        let client = Client::open(&name).unwrap();
        let asking = end(client.pipe(), FILE_READ_DATA | FILE_WRITE_DATA).unwrap();
        assert_eq!(code(asking.begin_transact(b"?")), 230, "byte read mode");
        client.pipe().set_mode(2).unwrap();
        asking.begin_transact(b"?").unwrap();
        assert!(asking.try_receive_message(&mut [0; 4]).unwrap().is_none());
        server.pipe().send(b"answer").unwrap();
        assert_eq!(code(asking.begin_transact(b"?")), 231);
        let mut reply = [0; 4];
        let message = asking.try_receive_message(&mut reply).unwrap().unwrap();
        assert_eq!((message, &reply), (Message { len: 4, complete: false }, b"answ"));
        drop(server);
        assert_eq!(code(asking.begin_transact(b"?")), 230);
    }

    #[test]
    fn an_end_outlives_its_handles_without_keeping_it_open() {
        let _limit = limit();
        let (server, name) = server();
        let client = Client::open(&name).unwrap();
        let (ours, theirs) = (end(server.pipe(), 0).unwrap(), end(client.pipe(), 0).unwrap());
        assert_eq!(ours.id(), end(server.try_clone().unwrap().pipe(), 0).unwrap().id());
        assert_ne!(ours.id(), theirs.id());
        assert!(ours.attachment().set(Box::new(5)).is_ok());
        assert!(end(server.pipe(), 0).unwrap().attachment().get().is_some_and(|five| five.is::<i32>()));
        assert!(!ours.is_closed() && !ours.is_overlapped());
        drop(server);
        assert!(ours.is_closed() && !theirs.is_closed());
        assert_eq!(code(Client::open(&name)), 2);
        assert_eq!(code(ours.try_receive(&mut [0; 1])), 109);
        assert_eq!(code(client.pipe().receive(&mut [0; 1])), 109);
        drop(client);
        assert!(theirs.is_closed());
        assert_eq!(code(theirs.try_receive(&mut [0; 1])), 109);
    }
}
