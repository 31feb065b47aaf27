//! ZeroMQ: a PAIR socket on each side, over its transport for processes of one machine. Its thread for input
//! and output runs on the processor of its process.

use transom_bench::{End, Error, Link, Place, Result, Server};
use zmq::{Context, PAIR, Socket};

/// Bytes that may wait on each side; a large message waits in small numbers.
const ROOM: usize = 16 << 20;
/// What the library waits for by default.
const MESSAGES: usize = 1000;

pub struct Pair;

/// A bound socket is the connection, too.
pub struct Bound(Option<Socket>);

pub struct Connection(Socket);

fn socket(place: &Place) -> Result<Socket> {
    let socket = Context::new().socket(PAIR).map_err(Error::of("make a socket"))?;
    let most = (ROOM / place.bytes.max(1)).clamp(4, MESSAGES) as i32;
    socket.set_sndhwm(most).map_err(Error::of("limit a socket"))?;
    socket.set_rcvhwm(most).map_err(Error::of("limit a socket"))?;
    socket.set_linger(0).map_err(Error::of("set a socket's end"))?;
    Ok(socket)
}

/// An abstract name.
fn endpoint(place: &Place) -> String {
    format!("ipc://@{}", place.tag)
}

impl Link for Pair {
    type Server = Bound;
    type Client = Connection;

    fn listen(place: &Place) -> Result<Bound> {
        let socket = socket(place)?;
        socket.bind(&endpoint(place)).map_err(Error::of("bind a socket"))?;
        Ok(Bound(Some(socket)))
    }

    fn connect(place: &Place) -> Result<Connection> {
        let socket = socket(place)?;
        socket.connect(&endpoint(place)).map_err(Error::of("connect a socket"))?;
        Ok(Connection(socket))
    }
}

impl Server for Bound {
    type End = Connection;

    fn accept(&mut self) -> Result<Connection> {
        self.0.take().map(Connection).ok_or_else(|| Error::new("a pair is of two"))
    }
}

impl End for Connection {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.send(bytes, 0).map_err(Error::of("send"))
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self.0.recv_into(buffer, 0).map_err(Error::of("receive"))? {
            received if received <= buffer.len() => Ok(received),
            _ => Err(Error::new("a message is longer than the buffer")),
        }
    }
}
