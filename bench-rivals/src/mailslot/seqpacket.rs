//! Unix sockets that keep messages apart: the publisher sends to each of its connections.

use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect,
    listen, recv, send, socket_with,
};
use transom_bench::{Error, Fan, FanPlace, Receiver, Result, Sender};

/// Under an abstract name.
pub struct ToMany;

pub struct Publisher {
    socket: OwnedFd,
    many: usize,
    connections: Vec<OwnedFd>,
}

pub struct Subscriber(OwnedFd, Vec<u8>);

fn address(place: &FanPlace) -> Result<SocketAddrUnix> {
    SocketAddrUnix::new_abstract_name(place.tag.as_bytes()).map_err(Error::of("name a socket"))
}

fn socket() -> Result<OwnedFd> {
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
        .map_err(Error::of("make a socket"))
}

impl Fan for ToMany {
    type Sender = Publisher;
    type Receiver = Subscriber;
    const TO_ONE: bool = false;

    fn sender(place: &FanPlace) -> Result<Publisher> {
        let socket = socket()?;
        bind(&socket, &address(place)?).map_err(Error::of("bind a socket"))?;
        listen(&socket, 128).map_err(Error::of("listen on a socket"))?;
        Ok(Publisher { socket, many: place.many, connections: Vec::new() })
    }

    fn receiver(place: &FanPlace) -> Result<Subscriber> {
        let socket = socket()?;
        connect(&socket, &address(place)?).map_err(Error::of("connect a socket"))?;
        Ok(Subscriber(socket, vec![0; place.bytes]))
    }
}

impl Sender for Publisher {
    fn begin(&mut self) -> Result<()> {
        let accept = |_| accept_with(&self.socket, SocketFlags::CLOEXEC).map_err(Error::of("accept"));
        self.connections = (0..self.many).map(accept).collect::<Result<_>>()?;
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let each = |to| send(to, bytes, SendFlags::NOSIGNAL).map(drop).map_err(Error::of("send"));
        self.connections.iter().try_for_each(each)
    }
}

impl Receiver for Subscriber {
    fn receive(&mut self, _: u64) -> Result<u64> {
        match recv(&self.0, &mut *self.1, RecvFlags::empty()).map_err(Error::of("receive"))? {
            (received, _) if received == self.1.len() => Ok(1),
            _ => Err(Error::new("the publisher closed")),
        }
    }
}
