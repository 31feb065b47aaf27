//! `interprocess`: its local sockets, which are named pipes on Windows and Unix streams elsewhere.

use std::io::{self, ErrorKind, Read, Write};

use interprocess::local_socket::prelude::*;
use interprocess::local_socket::{GenericNamespaced, Listener, ListenerOptions, Name, Stream};
use transom_bench::{End, Error, Link, Place, Result, Server};

pub struct LocalSocket;

pub struct Listening {
    listener: Listener,
    polling: bool,
}

pub struct Connection(Stream);

fn name(place: &Place) -> Result<Name<'_>> {
    place.tag.as_str().to_ns_name::<GenericNamespaced>().map_err(Error::of("name a socket"))
}

fn prepared(stream: Stream, polling: bool) -> Result<Connection> {
    if polling {
        stream.set_nonblocking(true).map_err(Error::of("set a socket's mode"))?;
    }
    Ok(Connection(stream))
}

impl Link for LocalSocket {
    type Server = Listening;
    type Client = Connection;

    fn listen(place: &Place) -> Result<Listening> {
        let options = ListenerOptions::new().name(name(place)?);
        let listener = options.create_sync().map_err(Error::of("listen with interprocess"))?;
        Ok(Listening { listener, polling: place.polling })
    }

    fn connect(place: &Place) -> Result<Connection> {
        let stream = Stream::connect(name(place)?).map_err(Error::of("connect with interprocess"))?;
        prepared(stream, place.polling)
    }
}

impl Server for Listening {
    type End = Connection;

    fn accept(&mut self) -> Result<Connection> {
        prepared(self.listener.accept().map_err(Error::of("accept with interprocess"))?, self.polling)
    }
}

fn tried<T>(what: &str, mut attempt: impl FnMut() -> io::Result<T>) -> Result<T> {
    loop {
        match attempt() {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            result => return result.map_err(Error::of(what)),
        }
    }
}

impl End for Connection {
    fn send(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let sent = tried("write with interprocess", || self.0.write(bytes))?;
            bytes = &bytes[sent..];
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        tried("read with interprocess", || self.0.read(buffer))
    }
}
