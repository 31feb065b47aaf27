//! Links that carry bytes between worker and partner, and the shapes in which they are measured.
//!
//! A link is written once; each [`Shape`] is measured through it by the same code, so what differs between
//! two figures of a group is the link alone. The worker connects to the partner and measures:
//!
//! | shape | worker | partner |
//! | --- | --- | --- |
//! | round trip | sends, receives as many bytes | the same, the other way round |
//! | in place | a round trip of which both sides touch the first and the last bytes alone | the same |
//! | call | sends, receives a number of 8 bytes | looks at what it receives, sends the number |
//! | messages | sends all; the last one ends when the partner has all | receives one by one |
//! | bytes | sends all; the last one ends when the partner has all | receives what there is, 64 KiB at a time |
//! | connect | connects, a round trip of 64 bytes, closes | accepts, the round trip, waits for the end |

use std::fmt;

use crate::error::{Error, Result};
use crate::plan::Unit;

/// What the two ends of a link are told.
#[derive(Debug, Clone)]
pub struct Place {
    /// A name that no other link of the system has, the same for both ends: letters, digits and dashes.
    pub tag: String,
    /// Whether an end that waits spins and never sleeps.
    pub polling: bool,
    /// How many bytes each send has.
    pub bytes: usize,
    /// What the partner's [`Server::address`] said; empty for the partner.
    pub address: String,
    /// The case's own arguments.
    pub arguments: Vec<String>,
}

/// One end of a connection.
pub trait End {
    /// Sends all of `bytes`, at once or in the order in which they fit. A message where the link has those.
    ///
    /// # Errors
    /// The link's.
    fn send(&mut self, bytes: &[u8]) -> Result<()>;

    /// Waits until something is there, puts it into `buffer` and says how much; 0 when the other side has
    /// closed. One message where the link has those; none is longer than the buffer.
    ///
    /// # Errors
    /// The link's.
    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize>;
}

/// The partner's side before anybody has connected.
pub trait Server: Sized {
    /// What a connection is to the partner.
    type End: End;

    /// What the worker has to know to connect, as far as the tag does not tell: at most 255 bytes.
    fn address(&self) -> String {
        String::new()
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// The link's; also that it cannot do this a second time.
    fn accept(&mut self) -> Result<Self::End>;
}

/// A way to carry bytes between two processes.
pub trait Link: 'static {
    /// The partner's side.
    type Server: Server;
    /// What a connection is to the worker.
    type Client: End;

    /// Makes the partner's side, to which a worker can connect from then on.
    ///
    /// # Errors
    /// The link's.
    fn listen(place: &Place) -> Result<Self::Server>;

    /// Connects the worker. Must not wait for [`Server::accept`], which may come later.
    ///
    /// # Errors
    /// The link's.
    fn connect(place: &Place) -> Result<Self::Client>;
}

/// Receives until `buffer` is full.
///
/// # Errors
/// The link's; that the other side closed.
pub fn fill(end: &mut impl End, buffer: &mut [u8]) -> Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match end.receive(&mut buffer[filled..])? {
            0 => return Err(Error::new("the other side closed")),
            received => filled += received,
        }
    }
    Ok(())
}

/// How the two processes run and wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// On a processor each; who waits spins.
    Polling,
    /// On a processor each; who waits sleeps.
    Cross,
    /// Both on one processor; who waits sleeps.
    Same,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    RoundTrip,
    Lent,
    Call,
    Messages,
    Bytes,
    Connect,
    ConnectFirst,
}

/// What is carried, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    kind: Kind,
    bytes: usize,
    manner: Manner,
}

impl Shape {
    /// Bytes of the round trip within [`Shape::connect`].
    pub const CONNECT_BYTES: usize = 64;

    /// Bytes at either end of a [`Shape::lent`] that are touched.
    pub const TOUCHED: usize = 8;

    /// There and back again, `bytes` each way.
    #[must_use]
    pub const fn round_trip(bytes: usize, manner: Manner) -> Shape {
        Shape { kind: Kind::RoundTrip, bytes, manner }
    }

    /// There and back again, `bytes` each way, which lie in shared memory and are not copied: a link that plays this
    /// writes the first and the last [`Shape::TOUCHED`] bytes of what it sends, and looks at those of what it receives.
    #[must_use]
    pub const fn lent(bytes: usize, manner: Manner) -> Shape {
        Shape { kind: Kind::Lent, bytes, manner }
    }

    /// `bytes` there, and a number back. Who is called may read the bytes where they arrived: its
    /// [`receive`](End::receive) says how many there are, and need not copy them.
    #[must_use]
    pub const fn call(bytes: usize, manner: Manner) -> Shape {
        Shape { kind: Kind::Call, bytes, manner }
    }

    /// Messages one way, each received by itself.
    #[must_use]
    pub const fn messages(bytes: usize, manner: Manner) -> Shape {
        Shape { kind: Kind::Messages, bytes, manner }
    }

    /// Bytes one way, `bytes` with each write, received as they come.
    #[must_use]
    pub const fn bytes(bytes: usize, manner: Manner) -> Shape {
        Shape { kind: Kind::Bytes, bytes, manner }
    }

    /// Connect, one round trip, close; again and again to the same partner.
    #[must_use]
    pub const fn connect() -> Shape {
        Shape { kind: Kind::Connect, bytes: Shape::CONNECT_BYTES, manner: Manner::Cross }
    }

    /// The same where nothing can be used again: many connections are open at the same time, and closed
    /// together.
    #[must_use]
    pub const fn connect_first() -> Shape {
        Shape { kind: Kind::ConnectFirst, bytes: Shape::CONNECT_BYTES, manner: Manner::Cross }
    }

    /// The id of the case that `who` plays.
    #[must_use]
    pub fn id(self, who: &str) -> String {
        let (word, size) = (self.kind.word(), size(self.bytes, ""));
        let manner = match self.manner {
            Manner::Polling => "-poll",
            Manner::Cross => "",
            Manner::Same => "-same",
        };
        match self.kind {
            Kind::Connect | Kind::ConnectFirst => format!("{word}/{who}"),
            _ => format!("{word}-{}{manner}/{who}", size.to_lowercase()),
        }
    }

    /// How its processes run and wait.
    #[must_use]
    pub const fn manner(self) -> Manner {
        self.manner
    }

    /// What the workers that play it are told first.
    pub(crate) fn arguments(self) -> Vec<String> {
        let wait = if self.manner == Manner::Polling { "polling" } else { "blocking" };
        vec![self.kind.word().to_owned(), self.bytes.to_string(), wait.to_owned()]
    }

    pub(crate) fn unit(self) -> Unit {
        match self.kind {
            Kind::RoundTrip | Kind::Lent | Kind::Call | Kind::Connect | Kind::ConnectFirst => {
                Unit::Microseconds
            }
            Kind::Messages => Unit::Rate,
            Kind::Bytes => Unit::Bandwidth(self.bytes as u64),
        }
    }

    pub(crate) fn is_on_one_processor(self) -> bool {
        self.manner == Manner::Same
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::RoundTrip => "rt",
            Kind::Lent => "lent",
            Kind::Call => "call",
            Kind::Messages => "msg",
            Kind::Bytes => "bytes",
            Kind::Connect => "connect",
            Kind::ConnectFirst => "connect-first",
        }
    }
}

pub(crate) fn size(bytes: usize, unit: &str) -> String {
    let blank = if unit.is_empty() { "" } else { " " };
    match bytes {
        0..1024 => format!("{bytes}{blank}{unit}"),
        1024..1_048_576 => format!("{}{blank}K{}", bytes >> 10, unit.replace('B', "iB")),
        _ => format!("{}{blank}M{}", bytes >> 20, unit.replace('B', "iB")),
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = size(self.bytes, "B");
        let manner = match self.manner {
            Manner::Polling => "polling, cross",
            Manner::Cross => "blocking, cross",
            Manner::Same => "blocking, same",
        };
        match self.kind {
            Kind::RoundTrip => write!(f, "round trip of {size}, {manner}"),
            Kind::Lent => write!(f, "round trip of {size} in place, {manner}"),
            Kind::Call => write!(f, "call with {size}, {manner}"),
            Kind::Messages => write!(f, "messages of {size}, {manner}"),
            Kind::Bytes => write!(f, "bytes, {size} a write, {manner}"),
            Kind::Connect | Kind::ConnectFirst => {
                write!(f, "connect, round trip of {size}, close, cross")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_called_by_what_it_carries() {
        let id = |shape: Shape| (shape.id("x"), shape.to_string());
        let of = |id: &str, words: &str| (id.to_owned(), words.to_owned());
        assert_eq!(
            id(Shape::round_trip(64, Manner::Polling)),
            of("rt-64-poll/x", "round trip of 64 B, polling, cross")
        );
        assert_eq!(
            id(Shape::round_trip(65536, Manner::Same)),
            of("rt-64k-same/x", "round trip of 64 KiB, blocking, same")
        );
        assert_eq!(
            id(Shape::lent(1 << 20, Manner::Polling)),
            of("lent-1m-poll/x", "round trip of 1 MiB in place, polling, cross")
        );
        assert_eq!(id(Shape::call(64, Manner::Same)), of("call-64-same/x", "call with 64 B, blocking, same"));
        assert_eq!(
            id(Shape::bytes(1 << 20, Manner::Cross)),
            of("bytes-1m/x", "bytes, 1 MiB a write, blocking, cross")
        );
        assert_eq!(id(Shape::connect()), of("connect/x", "connect, round trip of 64 B, close, cross"));
    }

    /// Gives what it holds, a piece at a time.
    struct Pieces(Vec<Vec<u8>>);

    impl End for Pieces {
        fn send(&mut self, _: &[u8]) -> Result<()> {
            Err(Error::new("it only gives"))
        }

        fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
            let Some(piece) = self.0.pop() else { return Ok(0) };
            buffer[..piece.len()].copy_from_slice(&piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn a_buffer_is_filled_from_pieces_or_not_at_all() {
        let mut buffer = [0; 3];
        assert_eq!(fill(&mut Pieces(vec![vec![3], vec![1, 2]]), &mut buffer), Ok(()));
        assert_eq!(buffer, [1, 2, 3]);
        assert!(fill(&mut Pieces(vec![vec![1, 2]]), &mut buffer).is_err());
    }
}
