//! ZeroMQ over its transport for processes of one machine: PUSH and PULL, XPUB and SUB. Its thread for input and
//! output runs on the processor of its process.

use transom_bench::{Error, Fan, FanPlace, Receiver, Result, Sender};
use zmq::{Context, PULL, PUSH, SUB, Socket, SocketType, XPUB};

pub struct ToOne;
pub struct ToMany;

/// An end that sends, and from how many it hears first that they are there.
pub struct Out(Socket, usize);

pub struct In(Socket, Vec<u8>);

fn socket(place: &FanPlace, kind: SocketType) -> Result<Socket> {
    let socket = Context::new().socket(kind).map_err(Error::of("make a socket"))?;
    // Who publishes loses messages at a limit, which is reached before as many are unread; where one sends to many
    // there is a window instead.
    let most = if kind == PUSH || kind == PULL { (2 * place.window) as i32 } else { 0 };
    socket.set_sndhwm(most).map_err(Error::of("limit a socket"))?;
    socket.set_rcvhwm(most).map_err(Error::of("limit a socket"))?;
    socket.set_linger(0).map_err(Error::of("set a socket's end"))?;
    Ok(socket)
}

/// An abstract name.
fn endpoint(place: &FanPlace) -> String {
    format!("ipc://@{}", place.tag)
}

fn bound(place: &FanPlace, kind: SocketType) -> Result<Socket> {
    let socket = socket(place, kind)?;
    socket.bind(&endpoint(place)).map_err(Error::of("bind a socket"))?;
    Ok(socket)
}

fn connected(place: &FanPlace, kind: SocketType) -> Result<Socket> {
    let socket = socket(place, kind)?;
    socket.connect(&endpoint(place)).map_err(Error::of("connect a socket"))?;
    Ok(socket)
}

impl Fan for ToOne {
    type Sender = Out;
    type Receiver = In;
    const TO_ONE: bool = true;

    fn sender(place: &FanPlace) -> Result<Out> {
        Ok(Out(connected(place, PUSH)?, 0))
    }

    fn receiver(place: &FanPlace) -> Result<In> {
        Ok(In(bound(place, PULL)?, vec![0; place.bytes]))
    }
}

impl Fan for ToMany {
    type Sender = Out;
    type Receiver = In;
    const TO_ONE: bool = false;

    fn sender(place: &FanPlace) -> Result<Out> {
        let socket = bound(place, XPUB)?;
        // Otherwise only the first of equal subscriptions is told.
        socket.set_xpub_verbose(true).map_err(Error::of("ask for all subscriptions"))?;
        Ok(Out(socket, place.many))
    }

    fn receiver(place: &FanPlace) -> Result<In> {
        let socket = connected(place, SUB)?;
        socket.set_subscribe(b"").map_err(Error::of("subscribe"))?;
        Ok(In(socket, vec![0; place.bytes]))
    }
}

impl Sender for Out {
    fn begin(&mut self) -> Result<()> {
        // Each subscription is a message.
        (0..self.1)
            .try_for_each(|_| self.0.recv_bytes(0).map(drop).map_err(Error::of("hear of a subscriber")))
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.send(bytes, 0).map_err(Error::of("send"))
    }
}

impl Receiver for In {
    fn receive(&mut self, _: u64) -> Result<u64> {
        match self.0.recv_into(&mut self.1, 0).map_err(Error::of("receive"))? {
            received if received == self.1.len() => Ok(1),
            _ => Err(Error::new("a message of another length")),
        }
    }
}
