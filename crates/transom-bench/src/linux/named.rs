//! transom's named pipes: of the byte type, of the message type, and of messages written and read in place.

use transom::Code;
use transom::pipe::{ClientOptions, Listener, Pipe, ServerOptions, Spin};

use crate::error::{Error, Result};
use crate::link::{End, Link, Place, Server, Shape};

/// The quotas in both directions: about what a Unix socket holds.
const QUOTA: u32 = 256 * 1024;

/// The same where messages are lent: several of the largest.
const LENT_QUOTA: u32 = 4 * 1024 * 1024;

/// A pipe of the message type if `MESSAGES`, else of the byte type.
pub(super) struct Named<const MESSAGES: bool>;

pub(super) struct Listening(Listener);

pub(super) struct NamedEnd(Pipe);

fn name(place: &Place) -> String {
    format!(r"\\.\pipe\{}", place.tag)
}

fn spin(place: &Place) -> Spin {
    if place.polling { Spin::Always } else { Spin::default() }
}

/// Messages in place.
pub(super) struct Lent;

pub(super) struct LentEnd(Pipe);

impl<const MESSAGES: bool> Link for Named<MESSAGES> {
    type Server = Listening;
    type Client = NamedEnd;

    fn listen(place: &Place) -> Result<Listening> {
        let options = ServerOptions::new(&name(place)).in_size(QUOTA).out_size(QUOTA).spin(spin(place));
        let options = options.message(MESSAGES).message_read(MESSAGES);
        Ok(Listening(Listener::bind(options)?))
    }

    fn connect(place: &Place) -> Result<NamedEnd> {
        let options = ClientOptions::new(&name(place)).message_read(MESSAGES).spin(spin(place));
        Ok(NamedEnd(options.open()?.into_pipe()))
    }
}

impl Server for Listening {
    type End = NamedEnd;

    fn accept(&mut self) -> Result<NamedEnd> {
        Ok(NamedEnd(self.0.accept()?.into_pipe()))
    }
}

impl End for NamedEnd {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        match self.0.send(bytes)? {
            sent if sent == bytes.len() => Ok(()),
            sent => Err(Error::new(format!("{sent} of {} bytes were sent", bytes.len()))),
        }
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        match self.0.receive(buffer) {
            Err(error) if error.code() == Code::BROKEN_PIPE => Ok(0),
            result => Ok(result?),
        }
    }
}

impl Link for Lent {
    type Server = Lending;
    type Client = LentEnd;

    fn listen(place: &Place) -> Result<Lending> {
        let options = ServerOptions::new(&name(place)).message(true).message_read(true).spin(spin(place));
        Ok(Lending(Listener::bind(options.in_size(LENT_QUOTA).out_size(LENT_QUOTA))?))
    }

    fn connect(place: &Place) -> Result<LentEnd> {
        let options = ClientOptions::new(&name(place)).message_read(true).spin(spin(place));
        Ok(LentEnd(options.open()?.into_pipe()))
    }
}

pub(super) struct Lending(Listener);

impl Server for Lending {
    type End = LentEnd;

    fn accept(&mut self) -> Result<LentEnd> {
        Ok(LentEnd(self.0.accept()?.into_pipe()))
    }
}

/// Touches the ends of messages alone.
impl End for LentEnd {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let mut loan = self.0.loan(bytes.len())?;
        let last = bytes.len() - Shape::TOUCHED;
        loan.write_at(0, &bytes[..Shape::TOUCHED])?;
        loan.write_at(last, &bytes[last..])?;
        if !loan.is_in_place() {
            return Err(Error::new("the loan is not in the pipe"));
        }
        loan.commit()?;
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let message = match self.0.borrow_message() {
            Err(error) if error.code() == Code::BROKEN_PIPE => return Ok(0),
            result => result?,
        };
        let len = message.len();
        if len != buffer.len() || !message.is_in_place() {
            return Err(Error::new(format!("{len} bytes were received")));
        }
        let last = len - Shape::TOUCHED;
        message.read_at(0, &mut buffer[..Shape::TOUCHED])?;
        message.read_at(last, &mut buffer[last..])?;
        Ok(len)
    }
}
