//! The gate of a pipe that admits other users: a socket of the server's at which their processes ask for a
//! connection (docs/adr/0010).
//!
//! ```text
//!  client                           server's process
//!  call::open ── request ─────────► serve: one thread for each such name
//!                                     who is it? (the kernel)  may it? (the descriptor)
//!                                     connects by the board, as a client of its own user does
//!  maps, checks ◄── segment, bells ── answers
//! ```
//! The client is of another user, or of the server's in another PID namespace, from where the board cannot be reached.
//! Nothing of the server's but the segment of its own connection, and the bells of that, gets into the hands of
//! somebody else: neither the board nor the entry. A server process that makes another instance of such a name asks
//! the one that has the gate for the same socket ([`Ask::Join`]); so the gate is there as long as one of them lives,
//! and the kernel takes it away with the last.
//!
//! | module | what |
//! | --- | --- |
//! | [`serve`] | the thread behind the gate |
//! | [`call`] | asking at the gate of another user's pipe |

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use transom_core::code::Code;
use transom_core::gate::{self, Ask};
use transom_core::name::{ObjectName, PipeName, Scope};
use transom_sys::linux::fault::{self, step};
use transom_sys::linux::poller::{self, Poller};
use transom_sys::linux::socket;
use transom_sys::linux::{Errno, futex, process};

use super::board::Board;
use super::errno::{code, to_code, with_room};
use crate::namespace::imp as namespace;

pub(crate) mod call;
mod serve;

use serve::{Guests, Service};

/// So many that nobody has looked at yet.
const ROOM: i32 = 128;
/// How long one waits for a place among them.
const FOR_ROOM: Duration = Duration::from_secs(1);
/// How long a server is waited for that does not answer.
const FOR_ANSWER: u64 = 10_000_000_000;
/// How long a list waits for those who are asked, and how many these are at most.
const FOR_LIST: u64 = 1_000_000_000;
const MOST_ASKED: usize = 1_000;
/// How often somebody is asked again who goes away while asked.
const TRIES: u32 = 500;
/// What lies between two tries of something, in nanoseconds.
const MOMENT: u64 = 4_000_000;
/// The user that the kernel names where one has no number: a user of another user namespace.
const NOBODY: u32 = 65_534;

/// The name of the thread; the system keeps 15 bytes of it.
const THREAD: &str = "transom-gate";

/// The gate of a name that this process serves.
#[derive(Debug)]
pub(crate) struct Gate {
    listener: Arc<OwnedFd>,
    /// Raised when an instance listens, in whatever process that has the gate.
    news: Arc<OwnedFd>,
    stop: Arc<OwnedFd>,
    poller: Arc<Poller>,
    guests: Arc<Mutex<Guests>>,
    thread: Option<JoinHandle<()>>,
}

/// The abstract address of a pipe's gate.
fn address(name: &ObjectName) -> Vec<u8> {
    let base = namespace::base();
    gate::address(base.as_deref().map_or(b"", |base| base.as_os_str().as_bytes()), name)
}

/// What the gate of a pipe calls it.
fn object(name: &PipeName) -> ObjectName {
    name.object(Scope::Local)
}

/// What is answered in place of 5: what came of asking at the gate, or still 5 if there is none.
pub(crate) fn instead_of_5<T>(asked: Result<T, Code>) -> Result<T, Code> {
    match asked {
        Err(Code::FILE_NOT_FOUND) => Err(Code::ACCESS_DENIED),
        result => result,
    }
}

/// Whether a user, as the kernel names it, is this process's own.
fn is_own(user: u32) -> bool {
    user == process::user() && user != NOBODY
}

impl Gate {
    /// Opens the gate of a board's name, or has it too. `entry`: shows the locks of the name's holders.
    ///
    /// # Errors
    /// 5: a process of another user serves this name. 231: whoever has the gate does not answer. 4, 8, 1450.
    pub(crate) fn open(name: &PipeName, board: &Arc<Board>, entry: OwnedFd) -> Result<Gate, Code> {
        let name = object(name);
        let (listener, news) = listen(&name, board.cookie())?;
        step("gate-open");
        let stop = Arc::new(with_room(poller::event)?);
        let poller = Arc::new(with_room(Poller::new)?);
        let (listener, news) = (Arc::new(listener), Arc::new(news));
        let guests = Arc::new(Mutex::new(Guests::default()));
        to_code(poller.add(&*listener, serve::LISTENER))?;
        to_code(poller.add_event(&*news, serve::NEWS))?;
        to_code(poller.add(&*stop, serve::STOP))?;
        let service = Service {
            name,
            board: Arc::clone(board),
            entry,
            listener: Arc::clone(&listener),
            news: Arc::clone(&news),
            poller: Arc::clone(&poller),
            guests: Arc::clone(&guests),
        };
        to_code(fault::call("thread"))?;
        let thread = std::thread::Builder::new()
            .name(THREAD.to_owned())
            .stack_size(256 * 1024)
            .spawn(move || service.run())
            .map_err(|_| Code::NO_SYSTEM_RESOURCES)?;
        Ok(Gate { listener, news, stop, poller, guests, thread: Some(thread) })
    }

    /// An instance listens: whoever waits at the gate is told, by whatever process has it.
    pub(crate) fn announce(&self) {
        poller::raise(&*self.news);
    }

    /// What a forked child closes.
    pub(crate) fn each_descriptor(&self, mut see: impl FnMut(RawFd)) {
        for descriptor in [&self.listener, &self.news, &self.stop] {
            see(descriptor.as_raw_fd());
        }
        see(self.poller.as_fd().as_raw_fd());
        if let Ok(guests) = self.guests.try_lock() {
            guests.each_descriptor(see);
        }
    }
}

impl Drop for Gate {
    /// When this is done, nobody is let in here any more.
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        if super::record::is_forked() {
            // It is no thread of this process.
            std::mem::forget(thread);
            return;
        }
        poller::raise(&*self.stop);
        let _ = thread.join();
    }
}

/// The listening socket of a name, new or that of another process of this user; and what is raised for news.
fn listen(name: &ObjectName, cookie: &[u8; 16]) -> Result<(OwnedFd, OwnedFd), Code> {
    let address = address(name);
    let patience = futex::now() + FOR_ANSWER / 2;
    loop {
        match with_room(|| match socket::listen(&address, ROOM) {
            Err(Errno::ADDRINUSE) => Ok(None),
            result => result.map(Some),
        })? {
            Some(listener) => return Ok((listener, with_room(poller::event)?)),
            None => match join(name, &address, cookie) {
                Ok(joined) => return Ok(joined),
                Err(code @ Code::ACCESS_DENIED) => return Err(code),
                // It is about to go, or to come.
                Err(_) if futex::now() < patience => futex::pass(MOMENT),
                Err(_) => return Err(Code::PIPE_BUSY),
            },
        }
    }
}

/// Asks the process that has the gate to have it too.
fn join(name: &ObjectName, address: &[u8], cookie: &[u8; 16]) -> Result<(OwnedFd, OwnedFd), Code> {
    let (socket, peer) = call::connect(address)?;
    if peer.user != process::user() {
        return Err(Code::ACCESS_DENIED);
    }
    let (answer, descriptors) = call::ask(&socket, Ask::Join(*cookie), name, futex::now() + FOR_ANSWER / 5)?;
    match <[OwnedFd; 2]>::try_from(descriptors) {
        Ok([listener, news]) if answer.code == Code::SUCCESS => Ok((listener, news)),
        _ => Err(Code::PIPE_BUSY),
    }
}

fn broken(error: Errno) -> Code {
    match error {
        // Nobody listens there.
        Errno::CONNREFUSED | Errno::NOENT => Code::FILE_NOT_FOUND,
        // Too many wait there, or went away.
        Errno::AGAIN | Errno::PIPE | Errno::CONNRESET => Code::PIPE_BUSY,
        error => code(error),
    }
}
