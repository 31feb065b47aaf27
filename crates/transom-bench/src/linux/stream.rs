//! Unix stream sockets, by the standard library.

use std::io::{self, ErrorKind, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use crate::error::{Error, Result};
use crate::link::{End, Link, Place, Server};

/// Under an abstract name, so that no file stays behind.
pub(super) struct Stream;

pub(super) struct Listening {
    listener: UnixListener,
    polling: bool,
}

pub(super) struct Connection<S>(pub(super) S);

fn address(place: &Place) -> Result<SocketAddr> {
    SocketAddr::from_abstract_name(&place.tag).map_err(Error::of("name a socket"))
}

fn prepared(stream: UnixStream, polling: bool) -> Result<Connection<UnixStream>> {
    stream.set_nonblocking(polling).map_err(Error::of("set a socket's mode"))?;
    Ok(Connection(stream))
}

impl Link for Stream {
    type Server = Listening;
    type Client = Connection<UnixStream>;

    fn listen(place: &Place) -> Result<Listening> {
        let listener = UnixListener::bind_addr(&address(place)?).map_err(Error::of("bind a socket"))?;
        Ok(Listening { listener, polling: place.polling })
    }

    fn connect(place: &Place) -> Result<Connection<UnixStream>> {
        let stream = UnixStream::connect_addr(&address(place)?).map_err(Error::of("connect a socket"))?;
        prepared(stream, place.polling)
    }
}

impl Server for Listening {
    type End = Connection<UnixStream>;

    fn accept(&mut self) -> Result<Connection<UnixStream>> {
        let (stream, _) = self.listener.accept().map_err(Error::of("accept a connection"))?;
        prepared(stream, self.polling)
    }
}

/// Tries until it need not wait: that is polling, where the descriptor does not block.
pub(super) fn tried<T>(what: &str, mut attempt: impl FnMut() -> io::Result<T>) -> Result<T> {
    loop {
        match attempt() {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            result => return result.map_err(Error::of(what)),
        }
    }
}

impl<S: Read + Write> End for Connection<S> {
    fn send(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let sent = tried("write", || self.0.write(bytes))?;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        tried("read", || self.0.read(buffer))
    }
}
