//! `ipc-channel`: a channel of bytes each way. The worker makes both and sends the partner its ends through a
//! one-shot server.

use ipc_channel::TryRecvError;
use ipc_channel::ipc::{self, IpcBytesReceiver, IpcBytesSender, IpcOneShotServer, IpcSender};
use transom_bench::{End, Error, Link, Place, Result, Server};

/// What the partner gets: where it receives, where it sends.
type Ends = (IpcBytesReceiver, IpcBytesSender);

pub struct Channel;

pub struct Waiting {
    server: Option<IpcOneShotServer<Ends>>,
    name: String,
    polling: bool,
}

pub struct Connection {
    receiver: IpcBytesReceiver,
    sender: IpcBytesSender,
    polling: bool,
}

impl Link for Channel {
    type Server = Waiting;
    type Client = Connection;

    fn listen(place: &Place) -> Result<Waiting> {
        let (server, name) = IpcOneShotServer::new().map_err(Error::of("make a one-shot server"))?;
        Ok(Waiting { server: Some(server), name, polling: place.polling })
    }

    fn connect(place: &Place) -> Result<Connection> {
        let channel = || ipc::bytes_channel().map_err(Error::of("make a channel"));
        let ((there, theirs), (back, receiver)) = (channel()?, channel()?);
        let first = IpcSender::<Ends>::connect(place.address.clone());
        let first = first.map_err(Error::of("connect to the one-shot server"))?;
        first.send((theirs, back)).map_err(Error::of("send the partner its ends"))?;
        Ok(Connection { receiver, sender: there, polling: place.polling })
    }
}

impl Server for Waiting {
    type End = Connection;

    fn address(&self) -> String {
        self.name.clone()
    }

    fn accept(&mut self) -> Result<Connection> {
        let server = self.server.take().ok_or_else(|| Error::new("a one-shot server serves once"))?;
        let (_, (receiver, sender)) = server.accept().map_err(Error::of("accept"))?;
        Ok(Connection { receiver, sender, polling: self.polling })
    }
}

impl Connection {
    fn next(&self) -> Result<Vec<u8>> {
        if !self.polling {
            return self.receiver.recv().map_err(Error::of("receive"));
        }
        loop {
            match self.receiver.try_recv() {
                Err(TryRecvError::Empty) => {}
                result => return result.map_err(Error::of("receive")),
            }
        }
    }
}

impl End for Connection {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.sender.send(bytes).map_err(Error::of("send"))
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        super::taken(&self.next()?, buffer)
    }
}
