//! Unix sockets that keep messages apart, by bare calls.

use std::os::fd::OwnedFd;

use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen, recv, send, socket_with,
};
use transom_bench::{End, Error, Link, Place, Result, Server};

/// Under an abstract name.
pub struct Seqpacket;

pub struct Listening {
    socket: OwnedFd,
    polling: bool,
}

pub struct Connection(OwnedFd);

fn address(place: &Place) -> Result<SocketAddrUnix> {
    SocketAddrUnix::new_abstract_name(place.tag.as_bytes()).map_err(Error::of("name a socket"))
}

fn socket() -> Result<OwnedFd> {
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(Error::of("make a socket"))
}

fn prepared(socket: OwnedFd, polling: bool) -> Result<Connection> {
    ioctl_fionbio(&socket, polling).map_err(Error::of("set a socket's mode"))?;
    Ok(Connection(socket))
}

impl Link for Seqpacket {
    type Server = Listening;
    type Client = Connection;

    fn listen(place: &Place) -> Result<Listening> {
        let socket = socket()?;
        bind(&socket, &address(place)?).map_err(Error::of("bind a socket"))?;
        listen(&socket, 128).map_err(Error::of("listen on a socket"))?;
        Ok(Listening { socket, polling: place.polling })
    }

    fn connect(place: &Place) -> Result<Connection> {
        let socket = socket()?;
        connect(&socket, &address(place)?).map_err(Error::of("connect a socket"))?;
        prepared(socket, place.polling)
    }
}

impl Server for Listening {
    type End = Connection;

    fn accept(&mut self) -> Result<Connection> {
        let socket = accept_with(&self.socket, SocketFlags::CLOEXEC).map_err(Error::of("accept"))?;
        prepared(socket, self.polling)
    }
}

/// Tries until it need not wait: that is polling, where the socket does not block.
fn tried<T>(what: &str, mut attempt: impl FnMut() -> rustix::io::Result<T>) -> Result<T> {
    loop {
        match attempt() {
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result.map_err(Error::of(what)),
        }
    }
}

impl End for Connection {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        tried("send", || send(&self.0, bytes, SendFlags::NOSIGNAL)).map(drop)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        tried("receive", || recv(&self.0, &mut *buffer, RecvFlags::empty())).map(|(received, _)| received)
    }
}
