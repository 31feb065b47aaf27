//! An open side of a relay: what comes from it, what goes to it, and how it is stopped.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use transom::Code;
use transom::pipe::{Client, ClientOptions, InstanceWait, Pipe, Server};

use super::frame::{CHUNK, LONGEST, StreamSink, StreamSource};
use super::place::Place;
use crate::args::{Eof, Frame};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::system;

/// What came from a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Some bytes.
    Bytes,
    /// A message, perhaps an empty one.
    Message,
    /// Nothing more will come.
    End,
}

/// What comes from a side.
pub trait Source: Send {
    /// Waits for the next bytes or message and puts them into `buffer`.
    fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Taken>;
}

/// What goes to a side.
pub trait Sink: Send {
    /// Writes bytes.
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Writes a message.
    fn message(&mut self, message: &[u8]) -> io::Result<()>;
    /// Nothing more is to be written; true if the whole connection is over with that.
    fn end(&mut self) -> io::Result<bool>;
}

/// Ends what waits on a side.
pub trait Stop: Send + Sync {
    /// Makes reads and writes that wait return. Called again until they have.
    fn stop(&self);
    /// Whether a read that waits can be ended at all.
    fn reaches_reads(&self) -> bool {
        true
    }
    /// The side is not used any more.
    fn finish(&self) {}
}

/// An open side.
pub struct Side {
    /// `None` if it can only be written.
    pub source: Option<Box<dyn Source>>,
    /// `None` if it can only be read.
    pub sink: Option<Box<dyn Sink>>,
    pub stop: Arc<dyn Stop>,
}

/// How sides are opened.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub frame: Frame,
    pub eof: Option<Eof>,
    pub wait: InstanceWait,
}

/// Opens a side that does not listen. `other` says what the end of the other side's input means to this one.
pub fn open(place: &Place, manner: Manner, other: Eof) -> Result<Side, Failure> {
    let failed =
        |error: io::Error| Failure::new(Exit::General, format!("cannot connect to {place}: {error}"));
    match place {
        Place::Streams => Ok(streams(manner.frame)),
        Place::Pipe(name) => client(name, manner, other),
        Place::Unix(path) => {
            system::UnixStream::connect(path).and_then(|stream| socket(stream, manner.frame)).map_err(failed)
        }
        Place::Tcp(address) => {
            TcpStream::connect(address).and_then(|stream| socket(stream, manner.frame)).map_err(failed)
        }
        Place::Exec(command) => program(command, manner.frame)
            .map_err(|error| Failure::new(Exit::CannotRun, format!("cannot run {command}: {error}"))),
        _ => Err(Failure::usage("only the first side of a relay may listen")),
    }
}

/// What the end of this side's input means to a pipe, if nobody said.
pub fn usual_eof(place: &Place) -> Eof {
    match place {
        // Whoever types or pipes a request in wants the answer.
        Place::Streams => Eof::Keep,
        // A pipe's end is the end of both directions. A closed socket looks like one that is closed for one, and is
        // the commoner of the two; a program that closes its output has usually ended.
        _ => Eof::Close,
    }
}

/// Standard input is read once in the life of this process: what waits for it cannot be stopped.
static INPUT_TAKEN: AtomicBool = AtomicBool::new(false);

struct Unstoppable;

impl Stop for Unstoppable {
    fn stop(&self) {}

    fn reaches_reads(&self) -> bool {
        false
    }
}

fn streams(frame: Frame) -> Side {
    let first = !INPUT_TAKEN.swap(true, Ordering::Relaxed);
    let source = first.then(|| Box::new(StreamSource::new(io::stdin(), frame)) as Box<dyn Source>);
    let end = |output: &mut io::Stdout| output.flush().map(|()| false);
    let sink = StreamSink { output: io::stdout(), frame, end };
    Side { source, sink: Some(Box::new(sink)), stop: Arc::new(Unstoppable) }
}

/// What TCP and Unix sockets have in common.
pub trait Socket: Read + Write + Send + Sync + Sized + 'static {
    /// A second value for the same socket.
    fn second(&self) -> io::Result<Self>;
    /// Closes one direction or both.
    fn shut(&self, how: Shutdown) -> io::Result<()>;
}

impl Socket for TcpStream {
    fn second(&self) -> io::Result<TcpStream> {
        self.try_clone()
    }

    fn shut(&self, how: Shutdown) -> io::Result<()> {
        self.shutdown(how)
    }
}

struct StopSocket<S>(S);

impl<S: Socket> Stop for StopSocket<S> {
    fn stop(&self) {
        // Fails if the peer has gone, which ends waiting too.
        let _ = self.0.shut(Shutdown::Both);
    }
}

/// A connected socket as a side.
pub fn socket<S: Socket>(stream: S, frame: Frame) -> io::Result<Side> {
    let (input, stop) = (stream.second()?, stream.second()?);
    let end = |output: &mut S| {
        // The peer may have gone already; then there is nobody to tell.
        let _ = output.shut(Shutdown::Write);
        Ok(false)
    };
    Ok(Side {
        source: Some(Box::new(StreamSource::new(input, frame))),
        sink: Some(Box::new(StreamSink { output: stream, frame, end })),
        stop: Arc::new(StopSocket(stop)),
    })
}

struct StopProgram(Mutex<Child>);

impl Stop for StopProgram {
    fn stop(&self) {
        // Fails if it has ended.
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).kill();
    }

    fn finish(&self) {
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

fn program(command: &str, frame: Frame) -> io::Result<Side> {
    let mut child = system::shell(command).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let source =
        child.stdout.take().map(|output| Box::new(StreamSource::new(output, frame)) as Box<dyn Source>);
    let sink = child.stdin.take().map(|input| {
        let end = |input: &mut Option<std::process::ChildStdin>| {
            drop(input.take());
            Ok(false)
        };
        Box::new(StreamSink { output: Closable(Some(input)), frame, end: close_with(end) }) as Box<dyn Sink>
    });
    Ok(Side { source, sink, stop: Arc::new(StopProgram(Mutex::new(child))) })
}

/// An output that is closed by dropping it.
struct Closable<W>(Option<W>);

impl<W: Write> Write for Closable<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.as_mut().map_or_else(|| Err(io::ErrorKind::BrokenPipe.into()), |output| output.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), Write::flush)
    }
}

fn close_with<W>(
    mut end: impl FnMut(&mut Option<W>) -> io::Result<bool> + Send,
) -> impl FnMut(&mut Closable<W>) -> io::Result<bool> + Send {
    move |output| end(&mut output.0)
}

/// Either end of a named pipe.
enum End {
    Server(Server),
    Client(Client),
}

impl End {
    fn pipe(&self) -> &Pipe {
        match self {
            End::Server(server) => server.pipe(),
            End::Client(client) => client.pipe(),
        }
    }
}

struct PipeStop(Arc<End>);

impl Stop for PipeStop {
    fn stop(&self) {
        // Fails if nothing waits.
        let _ = self.0.pipe().cancel();
    }
}

struct PipeSource {
    end: Arc<End>,
    messages: bool,
}

impl Source for PipeSource {
    fn next(&mut self, buffer: &mut Vec<u8>) -> io::Result<Taken> {
        let mut length = 0;
        buffer.resize(buffer.capacity().max(CHUNK), 0);
        loop {
            let message = match self.end.pipe().receive_message(&mut buffer[length..]) {
                Err(error) if is_end(error.code()) => return Ok(Taken::End),
                message => message?,
            };
            length += message.len;
            if message.complete {
                buffer.truncate(length);
                return Ok(if self.messages { Taken::Message } else { Taken::Bytes });
            }
            if length >= LONGEST {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is longer than 1 GiB"));
            }
            buffer.resize(2 * length, 0);
        }
    }
}

/// The other end was closed or cut off, or this relay stops.
fn is_end(code: Code) -> bool {
    [Code::BROKEN_PIPE, Code::PIPE_NOT_CONNECTED, Code::OPERATION_ABORTED].contains(&code)
}

struct PipeSink {
    end: Arc<End>,
    messages: bool,
    eof: Eof,
}

impl Sink for PipeSink {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.end.pipe().send(bytes).map(drop).map_err(io::Error::from)
    }

    fn message(&mut self, message: &[u8]) -> io::Result<()> {
        self.bytes(message)
    }

    fn end(&mut self) -> io::Result<bool> {
        match self.eof {
            Eof::Keep => {}
            Eof::Message if self.messages => self.message(&[])?,
            Eof::Message => {}
            Eof::Close => {
                self.end.pipe().flush()?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// A connected server's end as a side.
pub fn server(server: Server, messages: bool, eof: Eof) -> Side {
    pipe(End::Server(server), messages, true, true, eof)
}

fn pipe(end: End, messages: bool, readable: bool, writable: bool, eof: Eof) -> Side {
    let end = Arc::new(end);
    Side {
        source: readable.then(|| Box::new(PipeSource { end: end.clone(), messages }) as Box<dyn Source>),
        sink: writable.then(|| Box::new(PipeSink { end: end.clone(), messages, eof }) as Box<dyn Sink>),
        stop: Arc::new(PipeStop(end)),
    }
}

/// Opens a pipe for what it allows: both directions, or the one it has.
fn client(name: &str, manner: Manner, eof: Eof) -> Result<Side, Failure> {
    let options = |read, write| ClientOptions::new(name).read(read).write(write).wait(manner.wait);
    let mut others = [(true, false), (false, true)].into_iter();
    let (mut readable, mut writable) = (true, true);
    let client = loop {
        match options(readable, writable).open() {
            Ok(client) => break client,
            Err(error) => match others.next() {
                Some(other) if error.code() == Code::ACCESS_DENIED => (readable, writable) = other,
                _ => return Err(error.into()),
            },
        }
    };
    let messages = client.pipe().info().is_ok_and(|info| info.is_message_type());
    let messages = messages && client.pipe().set_message_read(true).is_ok();
    Ok(pipe(End::Client(client), messages, readable, writable, eof))
}
