//! Fans: one process on one side, many on the other, and the shapes in which they are measured.
//!
//! | shape | the worker, alone on its processor | the many, on the other |
//! | --- | --- | --- |
//! | to one | receives all that are sent; timed from the start signal to the last one | send their share |
//! | to many | sends; timed until the slowest has all | each receives all |
//! | publish | sends; only the sending is timed | as above |
//!
//! Where one sends to many it waits whenever the slowest is a *window* behind: so nobody loses anything, whatever
//! the link would do then, and all links are asked the same.

use std::fmt;

use crate::error::Result;
use crate::link::size;
use crate::plan::Unit;

/// What the ends of a fan are told.
#[derive(Debug, Clone)]
pub struct FanPlace {
    /// A name that no other fan of the system has, the same for all ends: letters, digits and dashes.
    pub tag: String,
    /// How many processes stand on the side of the many.
    pub many: usize,
    /// How many bytes each message has.
    pub bytes: usize,
    /// How many messages are unread at most, where one sends to many.
    pub window: usize,
    /// The case's own arguments.
    pub arguments: Vec<String>,
}

/// An end that sends.
pub trait Sender {
    /// Called once, when all receivers are there.
    ///
    /// # Errors
    /// The link's.
    fn begin(&mut self) -> Result<()> {
        Ok(())
    }

    /// Sends one message.
    ///
    /// # Errors
    /// The link's.
    fn send(&mut self, bytes: &[u8]) -> Result<()>;
}

/// An end that receives.
pub trait Receiver {
    /// Called once, where many send to one, when all senders are there.
    ///
    /// # Errors
    /// The link's.
    fn begin(&mut self) -> Result<()> {
        Ok(())
    }

    /// Takes at least one message and `most` at most, each copied out of the link, and says how many. One that is one
    /// of many may say 0 if there is none: then it is called again after others have had the processor.
    ///
    /// # Errors
    /// The link's.
    fn receive(&mut self, most: u64) -> Result<u64>;
}

/// A way to carry messages from many to one, or from one to many.
pub trait Fan: 'static {
    /// What sends.
    type Sender: Sender;
    /// What receives.
    type Receiver: Receiver;
    /// Whether there is one receiver. Its side is made first, that of the many afterwards.
    const TO_ONE: bool;

    /// Makes a sender.
    ///
    /// # Errors
    /// The link's.
    fn sender(place: &FanPlace) -> Result<Self::Sender>;

    /// Makes a receiver.
    ///
    /// # Errors
    /// The link's.
    fn receiver(place: &FanPlace) -> Result<Self::Receiver>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ToOne,
    ToMany,
    Publish,
}

/// How many processes, and what they carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FanShape {
    kind: Kind,
    many: usize,
    bytes: usize,
}

impl FanShape {
    /// So many writers to one reader.
    #[must_use]
    pub const fn to_one(many: usize, bytes: usize) -> FanShape {
        FanShape { kind: Kind::ToOne, many, bytes }
    }

    /// One publisher to so many subscribers: what all of them get.
    #[must_use]
    pub const fn to_many(many: usize, bytes: usize) -> FanShape {
        FanShape { kind: Kind::ToMany, many, bytes }
    }

    /// What publishing one message takes while so many read.
    #[must_use]
    pub const fn publish(many: usize, bytes: usize) -> FanShape {
        FanShape { kind: Kind::Publish, many, bytes }
    }

    /// The same with another number of processes.
    #[must_use]
    pub const fn with(self, many: usize) -> FanShape {
        FanShape { many, ..self }
    }

    /// All shapes of many writers to one reader.
    #[must_use]
    pub fn all_to_one() -> Vec<FanShape> {
        [1, 4, 16, 256].map(|many| FanShape::to_one(many, 64)).to_vec()
    }

    /// All shapes of one publisher to many subscribers.
    #[must_use]
    pub fn all_to_many() -> Vec<FanShape> {
        let of = |bytes| [1, 4, 16].map(|many| FanShape::to_many(many, bytes));
        of(64).into_iter().chain(of(64 * 1024)).collect()
    }

    /// The id of the case that `who` plays.
    #[must_use]
    pub fn id(self, who: &str) -> String {
        let bytes = size(self.bytes, "").to_lowercase();
        format!("{}-{}-{bytes}/{who}", self.kind.word(), self.many)
    }

    /// What the workers that play it are told first: `to-one`, `to-many` or `publish`, how many processes, bytes,
    /// messages of the window.
    pub(crate) fn arguments(self) -> Vec<String> {
        let numbers = [self.many, self.bytes, self.window()].map(|number| number.to_string());
        [self.kind.word().to_owned()].into_iter().chain(numbers).collect()
    }

    /// What fits into the second cache of a processor.
    fn window(self) -> usize {
        ((1 << 20) / self.bytes.max(1)).clamp(8, 1024)
    }

    pub(crate) fn unit(self) -> Unit {
        match self.kind {
            Kind::Publish => Unit::Nanoseconds,
            Kind::ToMany if self.bytes > 1024 => Unit::Bandwidth(self.bytes as u64),
            Kind::ToOne | Kind::ToMany => Unit::Rate,
        }
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::ToOne => "to-one",
            Kind::ToMany => "to-many",
            Kind::Publish => "publish",
        }
    }
}

impl fmt::Display for FanShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (many, bytes) = (self.many, size(self.bytes, "B"));
        match self.kind {
            Kind::ToOne if many == 1 => write!(f, "1 writer to one reader, {bytes}"),
            Kind::ToOne => write!(f, "{many} writers to one reader, {bytes}"),
            Kind::ToMany => write!(f, "one to {many}, {bytes}, sum over the readers"),
            Kind::Publish => write!(f, "publishing {bytes} to {many}, the publisher's time"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fan_is_called_by_how_many_and_what() {
        let id = |shape: FanShape| (shape.id("x"), shape.to_string());
        let of = |id: &str, words: &str| (id.to_owned(), words.to_owned());
        assert_eq!(id(FanShape::to_one(16, 64)), of("to-one-16-64/x", "16 writers to one reader, 64 B"));
        let words = "one to 4, 64 KiB, sum over the readers";
        assert_eq!(id(FanShape::to_many(4, 65536)), of("to-many-4-64k/x", words));
        assert_eq!(FanShape::publish(4, 64).arguments(), ["publish", "4", "64", "1024"]);
    }

    #[test]
    fn a_window_has_a_few_messages_at_least() {
        assert_eq!(FanShape::to_many(1, 65536).window(), 16);
        assert_eq!(FanShape::to_many(1, 1 << 20).window(), 8);
    }
}
