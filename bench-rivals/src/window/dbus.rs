//! D-Bus without a bus: method calls over a Unix socket between two zbus connections.
//!
//! As fast as zbus does it: each process has one thread, on which tokio runs zbus and this; an array of bytes is
//! written as a whole; who is called reads it where it arrived, and answers from the stream of messages, without
//! looking an object up.

use std::os::unix::net::{UnixListener, UnixStream};

use futures_util::StreamExt as _;
use serde_bytes::Bytes;
use tokio::runtime::{self, Runtime};
use transom_bench::{End, Error, Link, Place, Result, Server};
use zbus::connection::Builder;
use zbus::{Connection, Guid, Message, MessageStream};

pub struct PeerToPeer;

pub struct Listening {
    runtime: Option<Runtime>,
    listener: UnixListener,
}

pub struct Client {
    runtime: Runtime,
    end: Ready,
    answer: Option<u64>,
}

/// The greeting waits for the other side, which accepts only when it is asked to work.
enum Ready {
    Connected(UnixStream),
    Greeted(Connection),
}

pub struct Called {
    runtime: Runtime,
    messages: MessageStream,
    connection: Connection,
    call: Option<Message>,
}

fn runtime() -> Result<Runtime> {
    runtime::Builder::new_current_thread().enable_all().build().map_err(Error::of("start tokio"))
}

fn path(place: &Place) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("{}.dbus", place.tag))
}

impl Link for PeerToPeer {
    type Server = Listening;
    type Client = Client;

    fn listen(place: &Place) -> Result<Listening> {
        let listener = UnixListener::bind(path(place)).map_err(Error::of("bind a socket"))?;
        Ok(Listening { runtime: Some(runtime()?), listener })
    }

    fn connect(place: &Place) -> Result<Client> {
        let path = path(place);
        let stream = UnixStream::connect(&path).map_err(Error::of("connect a socket"))?;
        // The listener takes one connection.
        std::fs::remove_file(path).map_err(Error::of("remove a socket"))?;
        Ok(Client { runtime: runtime()?, end: Ready::Connected(stream), answer: None })
    }
}

impl Server for Listening {
    type End = Called;

    fn accept(&mut self) -> Result<Called> {
        let runtime = self.runtime.take().ok_or_else(|| Error::new("the socket is taken"))?;
        let (stream, _) = self.listener.accept().map_err(Error::of("accept"))?;
        let built = runtime
            .block_on(Builder::unix_stream(stream).server(Guid::generate()).p2p().build_message_stream());
        let messages = built.map_err(Error::of("greet a client"))?;
        let connection = Connection::from(&messages);
        Ok(Called { runtime, messages, connection, call: None })
    }
}

impl Client {
    fn connection(&mut self) -> Result<&Connection> {
        if let Ready::Connected(stream) = &self.end {
            let stream = stream.try_clone().map_err(Error::of("duplicate a socket"))?;
            let built = self.runtime.block_on(Builder::unix_stream(stream).p2p().build());
            self.end = Ready::Greeted(built.map_err(Error::of("greet a server"))?);
        }
        match &self.end {
            Ready::Greeted(connection) => Ok(connection),
            Ready::Connected(_) => Err(Error::new("a client that was not greeted")),
        }
    }
}

impl End for Client {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let connection = self.connection()?.clone();
        let array = Bytes::new(bytes);
        let call = connection.call_method(None::<&str>, "/bench", Some("bench.Call"), "Take", &array);
        let reply = self.runtime.block_on(call).map_err(Error::of("call a method"))?;
        self.answer = Some(reply.body().deserialize().map_err(Error::of("read an answer"))?);
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let answer = self.answer.take().ok_or_else(|| Error::new("nothing was asked"))?.to_ne_bytes();
        buffer.copy_from_slice(&answer);
        Ok(answer.len())
    }
}

impl End for Called {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let call = self.call.take().ok_or_else(|| Error::new("nothing was asked"))?;
        let answer = u64::from_ne_bytes(bytes.try_into().map_err(Error::of("read a number"))?);
        self.runtime.block_on(self.connection.reply(&call.header(), &answer)).map_err(Error::of("reply"))
    }

    fn receive(&mut self, _: &mut [u8]) -> Result<usize> {
        let next = self.runtime.block_on(self.messages.next());
        let call = next.ok_or_else(|| Error::new("the other side closed"))?.map_err(Error::of("receive"))?;
        let body = call.body();
        let bytes: &Bytes = body.deserialize().map_err(Error::of("read an array"))?;
        let received = bytes.len();
        self.call = Some(call);
        Ok(received)
    }
}
