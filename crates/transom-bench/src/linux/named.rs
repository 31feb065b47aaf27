//! transom's named pipes, of the byte type and of the message type.

use transom::Code;
use transom::pipe::{ClientOptions, Listener, Pipe, ServerOptions, Spin};

use crate::error::{Error, Result};
use crate::link::{End, Link, Place, Server};

/// The quotas in both directions: about what a Unix socket holds.
const QUOTA: u32 = 256 * 1024;

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
