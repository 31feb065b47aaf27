//! Unix sockets that carry descriptors: the inbox into which other processes duplicate handles.
//!
//! The address is abstract, so nothing is left in any folder when the process dies.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, Result};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
};

use super::fault::{self, opening};
use super::fd::above_standard;

/// The most descriptors of one message.
pub const MOST_DESCRIPTORS: usize = 5;

fn address(name: &[u8]) -> Result<SocketAddrUnix> {
    SocketAddrUnix::new_abstract_name(name)
}

fn socket() -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    opening("socket", || rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None))
}

/// socket(2), bind(2), listen(2): an inbox under an abstract name, with room for as many undelivered
/// messages as the system allows.
pub fn listen(name: &[u8]) -> Result<OwnedFd> {
    let socket = above_standard(socket()?)?;
    fault::call("bind")?;
    rustix::net::bind(&socket, &address(name)?)?;
    rustix::net::listen(&socket, 4096)?;
    Ok(socket)
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
    let socket = socket()?;
    fault::call("connect")?;
    rustix::net::connect(&socket, &address(name)?)?;
    let owner = rustix::net::sockopt::socket_peercred(&socket)?.uid;
    if owner != rustix::process::geteuid() && !owner.is_root() {
        return Err(Errno::ACCESS);
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::INVAL);
    }
    fault::call("sendmsg")?;
    rustix::net::sendmsg(&socket, &[IoSlice::new(message)], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// accept(2) and recvmsg(2): the next message of the inbox with its descriptors, from a process of the same
/// user or root; `None` if there is none. Messages of anybody else are thrown away.
pub fn receive(inbox: impl AsFd, buffer: &mut [u8]) -> Result<Option<(usize, Vec<OwnedFd>)>> {
    loop {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = match opening("accept", || rustix::net::accept_with(&inbox, flags)) {
            Ok(socket) => socket,
            Err(Errno::AGAIN) => return Ok(None),
            Err(Errno::CONNABORTED) => continue,
            Err(error) => return Err(error),
        };
        let sender = rustix::net::sockopt::socket_peercred(&socket)?.uid;
        if sender != rustix::process::geteuid() && !sender.is_root() {
            continue;
        }
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let Ok(message) = rustix::net::recvmsg(
            &socket,
            &mut [IoSliceMut::new(buffer)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        ) else {
            // Connected and died before sending.
            continue;
        };
        let mut descriptors = Vec::new();
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = part {
                for fd in fds {
                    descriptors.push(above_standard(fd)?);
                }
            }
        }
        return Ok(Some((message.bytes, descriptors)));
    }
}
