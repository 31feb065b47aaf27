//! transom's mailslots, and broadcast: as fans, and there and back again.

use transom::Code;
use transom::mailslot::{self, Broadcast, Subscriber, Writer};
use transom::wait::Timeout;

use crate::error::{Error, Result};
use crate::fan::{self, Fan, FanPlace};
use crate::link::{End, Link, Place};

/// Many writers, one reader.
pub(super) struct Slot;

pub(super) struct Reading(mailslot::Server);

fn slot_name(tag: &str) -> String {
    format!(r"\\.\mailslot\{tag}")
}

impl Fan for Slot {
    type Sender = Writer;
    type Receiver = Reading;
    const TO_ONE: bool = true;

    fn sender(place: &FanPlace) -> Result<Writer> {
        Ok(Writer::open(&slot_name(&place.tag))?)
    }

    fn receiver(place: &FanPlace) -> Result<Reading> {
        Ok(Reading(mailslot::Server::create(&slot_name(&place.tag))?))
    }
}

impl fan::Sender for Writer {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(Writer::send(self, bytes)?)
    }
}

impl fan::Receiver for Reading {
    fn receive(&mut self, most: u64) -> Result<u64> {
        let mut sum = 0;
        let count = self.0.receive_many(usize::try_from(most.min(4096)).unwrap_or(1), |message| {
            sum += message.len();
        })?;
        std::hint::black_box(sum);
        Ok(count as u64)
    }
}

/// The same, one message with each call.
pub(super) struct Singly;

pub(super) struct One(mailslot::Server, Vec<u8>);

impl Fan for Singly {
    type Sender = Writer;
    type Receiver = One;
    const TO_ONE: bool = true;

    fn sender(place: &FanPlace) -> Result<Writer> {
        Slot::sender(place)
    }

    fn receiver(place: &FanPlace) -> Result<One> {
        Ok(One(Slot::receiver(place)?.0, vec![0; place.bytes]))
    }
}

impl fan::Receiver for One {
    fn receive(&mut self, _: u64) -> Result<u64> {
        self.0.receive(&mut self.1)?;
        Ok(1)
    }
}

/// One publisher, many subscribers.
pub(super) struct Cast;

pub(super) struct Reader(Subscriber, Vec<u8>);

impl Fan for Cast {
    type Sender = Broadcast;
    type Receiver = Reader;
    const TO_ONE: bool = false;

    fn sender(place: &FanPlace) -> Result<Broadcast> {
        // The window, and what is overwritten before it has to be.
        let capacity = (place.window + place.window / 8 + 2) * (place.bytes + 64);
        Ok(Broadcast::create(&place.tag, capacity)?)
    }

    fn receiver(place: &FanPlace) -> Result<Reader> {
        Ok(Reader(Subscriber::open(&place.tag)?, vec![0; place.bytes]))
    }
}

impl fan::Sender for Broadcast {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.publish(bytes)?)
    }
}

impl fan::Receiver for Reader {
    fn receive(&mut self, most: u64) -> Result<u64> {
        for count in 0..most {
            match self.0.receive(&mut self.1, Timeout::ZERO) {
                Ok(received) if received.lost == 0 => {}
                Ok(received) => return Err(Error::new(format!("{} messages were lost", received.lost))),
                Err(error) if error.code() == Code::SEM_TIMEOUT => return Ok(count),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(most)
    }
}

/// A mailslot each way.
pub(super) struct TwoSlots;

pub(super) struct Ends {
    server: mailslot::Server,
    /// Opened when it is used first: the other side's may not be there before.
    writer: Option<Writer>,
    there: String,
    polling: bool,
}

impl Ends {
    fn new(place: &Place, here: &str, there: &str) -> Result<Ends> {
        let name = |side: &str| slot_name(&format!("{}-{side}", place.tag));
        let server = mailslot::Server::create(&name(here))?;
        Ok(Ends { server, writer: None, there: name(there), polling: place.polling })
    }
}

pub(super) struct Offered(Option<Ends>);

impl Link for TwoSlots {
    type Server = Offered;
    type Client = Ends;

    fn listen(place: &Place) -> Result<Offered> {
        Ends::new(place, "partner", "worker").map(Some).map(Offered)
    }

    fn connect(place: &Place) -> Result<Ends> {
        Ends::new(place, "worker", "partner")
    }
}

impl crate::link::Server for Offered {
    type End = Ends;

    fn accept(&mut self) -> Result<Ends> {
        self.0.take().ok_or_else(|| Error::new("the mailslots are taken"))
    }
}

impl End for Ends {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let writer = match &self.writer {
            Some(writer) => writer,
            None => self.writer.insert(Writer::open(&self.there)?),
        };
        Ok(writer.send(bytes)?)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if !self.polling {
            return Ok(self.server.receive(buffer)?);
        }
        loop {
            match self.server.receive_timeout(buffer, Timeout::ZERO) {
                Err(error) if error.code() == Code::SEM_TIMEOUT => {}
                result => return Ok(result?),
            }
        }
    }
}
