//! The inbox into which other processes of a user duplicate handles: a [`socket`] with messages that nobody needs to be
//! awake for.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, Result};
use rustix::net::{SocketAddrUnix, SocketType};

use super::socket;

/// socket(2), bind(2), listen(2): an inbox under an abstract name, with room for as many undelivered
/// messages as the system allows.
pub fn listen(name: &[u8]) -> Result<OwnedFd> {
    socket::listen(name, 4096)
}

/// Whether a descriptor is an inbox under this name, as [`listen`] makes it.
#[must_use]
pub fn is_inbox(fd: BorrowedFd<'_>, name: &[u8]) -> bool {
    let listens = rustix::net::sockopt::socket_acceptconn(fd) == Ok(true);
    let kind = rustix::net::sockopt::socket_type(fd);
    let Ok(bound) = rustix::net::getsockname(fd).and_then(SocketAddrUnix::try_from) else { return false };
    listens && kind == Ok(SocketType::SEQPACKET) && bound.abstract_name() == Some(name)
}

/// connect(2) and sendmsg(2): leaves a message with descriptors in the inbox `name` of a process of the
/// same user or root. Nobody needs to be awake on the other side.
pub fn deliver(name: &[u8], message: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<()> {
    for _ in 0..RETRIES {
        match try_deliver(name, message, descriptors) {
            // The other side took the connection before the message was in it, and threw it away as empty.
            Err(Errno::PIPE | Errno::CONNRESET) => {}
            result => return result,
        }
    }
    Err(Errno::CONNREFUSED)
}

/// How often a connection may be taken too early before the other side counts as one that takes none.
const RETRIES: usize = 100;

fn try_deliver(name: &[u8], message: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<()> {
    let socket = socket::connect(name, None)?;
    if !is_trusted(&socket)? {
        return Err(Errno::ACCESS);
    }
    socket::send(&socket, message, descriptors)
}

/// Whether the process at the other side is of this user or root.
fn is_trusted(socket: &OwnedFd) -> Result<bool> {
    let user = socket::peer(socket)?.user;
    Ok(user == super::process::user() || user == 0)
}

/// accept(2) and recvmsg(2): the next message of the inbox with its descriptors, from a process of the same
/// user or root; `None` if there is none. Messages of anybody else are thrown away.
pub fn receive(inbox: impl AsFd, buffer: &mut [u8]) -> Result<Option<(usize, Vec<OwnedFd>)>> {
    while let Some(socket) = socket::accept(&inbox)? {
        if !is_trusted(&socket)? {
            continue;
        }
        match socket::receive_descriptors(&socket, buffer) {
            Ok(message) => return Ok(Some(message)),
            Err(error @ (Errno::MFILE | Errno::NFILE)) => return Err(error),
            // Connected and died before sending.
            Err(_) => {}
        }
    }
    Ok(None)
}
