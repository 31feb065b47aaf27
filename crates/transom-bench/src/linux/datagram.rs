//! Unix datagram sockets, by the standard library: many writers, one reader.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use crate::error::{Error, Result};
use crate::fan::{self, Fan, FanPlace};

/// Under an abstract name.
pub(super) struct Datagram;

pub(super) struct Bound(UnixDatagram, Vec<u8>);

fn address(place: &FanPlace) -> Result<SocketAddr> {
    SocketAddr::from_abstract_name(&place.tag).map_err(Error::of("name a socket"))
}

impl Fan for Datagram {
    type Sender = UnixDatagram;
    type Receiver = Bound;
    const TO_ONE: bool = true;

    fn sender(place: &FanPlace) -> Result<UnixDatagram> {
        let socket = UnixDatagram::unbound().map_err(Error::of("make a socket"))?;
        socket.connect_addr(&address(place)?).map_err(Error::of("connect a socket"))?;
        Ok(socket)
    }

    fn receiver(place: &FanPlace) -> Result<Bound> {
        let socket = UnixDatagram::bind_addr(&address(place)?).map_err(Error::of("bind a socket"))?;
        Ok(Bound(socket, vec![0; place.bytes]))
    }
}

impl fan::Sender for UnixDatagram {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        UnixDatagram::send(self, bytes).map(drop).map_err(Error::of("send"))
    }
}

impl fan::Receiver for Bound {
    fn receive(&mut self, _: u64) -> Result<u64> {
        self.0.recv(&mut self.1).map_err(Error::of("receive"))?;
        Ok(1)
    }
}
