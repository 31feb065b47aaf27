//! Links, measured: the same code for each of them, in every shape.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::Stage;
use super::floors::{signal, sleep};
use super::partner::{Partner, Play, ROOM, Shared, Work};
use crate::error::{Error, Result};
use crate::link::{End, Link, Place, Server, Shape, fill};
use crate::sample::{Sample, each, row_and_tail, serve, stretch};

/// What carries bytes between two processes, under the word that a case calls it by.
#[derive(Debug, Clone, Copy)]
pub struct Carrier {
    pub(super) word: &'static str,
    pub(super) worker: super::Play,
    pub(super) partner: Play,
}

impl Carrier {
    /// A carrier that links processes as `L` does.
    #[must_use]
    pub const fn of<L: Link>(word: &'static str) -> Carrier {
        Carrier { word, worker: worker::<L>, partner: partner::<L> }
    }
}

/// Words of the role: whether the partner has received all, and how long its address is.
const DONE: usize = 0;
const LENGTH: usize = 1;
/// Bytes that an address may have.
const ADDRESS: usize = 255;

/// What the partner receives at a time where bytes have no borders.
const BUFFER: usize = 64 * 1024;
/// Round trips up to here take less than a look at the clock should weigh, where nobody sleeps.
const SHORT: usize = 1024;

/// Connections that are open at the same time, none of which is one used before: what a process keeps for
/// later is taken out first.
const KEPT: u64 = 32;
const TIMED: u64 = 48;

/// What both sides are told.
struct Order {
    kind: String,
    place: Place,
}

impl Order {
    fn read(arguments: &[String], worker: u32) -> Result<Order> {
        let [kind, bytes, wait, rest @ ..] = arguments else {
            return Err(Error::new("a carrier needs a shape"));
        };
        let place = Place {
            tag: format!("transom-bench-{worker}"),
            polling: wait == "polling",
            bytes: bytes.parse().map_err(Error::of("read a number of bytes"))?,
            address: String::new(),
            arguments: rest.to_vec(),
        };
        Ok(Order { kind: kind.clone(), place })
    }

    fn unknown(&self) -> Error {
        Error::new(format!("there is no shape '{}'", self.kind))
    }
}

fn worker<L: Link>(stage: &Stage<'_>) -> Result<()> {
    let mut order = Order::read(stage.arguments, std::process::id())?;
    let mut partner = Partner::start(stage, stage.role, stage.arguments, ADDRESS)?;
    order.place.address = read_address(partner.shared())?;
    let place = &order.place;
    match order.kind.as_str() {
        "rt" => {
            let bytes = (0..place.bytes).map(|index| index as u8).collect();
            round_trips(&mut partner, place, L::connect(place)?, bytes)
        }
        "lent" => round_trips(&mut partner, place, L::connect(place)?, touched(place.bytes)),
        "call" => calls(&mut partner, L::connect(place)?, vec![7; place.bytes]),
        "msg" | "bytes" => one_way(&mut partner, place, L::connect(place)?),
        "connect" => serve(&mut |count| {
            partner.begin(count)?;
            each(count, || visit(&mut L::connect(place)?))
        }),
        "connect-first" => serve(&mut |count| {
            partner.begin(count)?;
            first_visits::<L>(place, count)
        }),
        _ => Err(order.unknown()),
    }
}

fn partner<L: Link>(shared: Shared, arguments: &[String]) -> Result<Work> {
    let order = Order::read(arguments, std::os::unix::process::parent_id())?;
    let mut server = L::listen(&order.place)?;
    write_address(&shared, &server.address())?;
    let bytes = order.place.bytes;
    match order.kind.as_str() {
        "rt" | "lent" => Ok(once_connected(server, move |end, count| {
            let mut buffer = vec![0; bytes];
            for _ in 0..count {
                fill(end, &mut buffer)?;
                end.send(&buffer)?;
            }
            Ok(())
        })),
        "call" => Ok(once_connected(server, move |end, count| {
            let mut buffer = vec![0; bytes];
            for _ in 0..count {
                let received = end.receive(&mut buffer)? as u64;
                end.send(&answer(received).to_ne_bytes())?;
            }
            Ok(())
        })),
        "msg" => Ok(once_connected(server, move |end, count| {
            let mut buffer = vec![0; bytes];
            for _ in 0..count {
                fill(end, &mut buffer)?;
            }
            signal(shared.word(DONE), 1);
            Ok(())
        })),
        "bytes" => Ok(once_connected(server, move |end, count| {
            let mut buffer = vec![0; bytes.max(BUFFER)];
            let mut left = count * bytes as u64;
            while left > 0 {
                match end.receive(&mut buffer)? as u64 {
                    0 => return Err(Error::new("the other side closed")),
                    received => left = left.saturating_sub(received),
                }
            }
            signal(shared.word(DONE), 1);
            Ok(())
        })),
        "connect" => Ok(Box::new(move |count| {
            for _ in 0..count {
                farewell(&mut welcome(&mut server)?)?;
            }
            Ok(())
        })),
        "connect-first" => Ok(Box::new(move |count| {
            let mut left = count;
            while left > 0 {
                let timed = left.min(TIMED);
                let visits = (0..KEPT + timed).map(|_| welcome(&mut server));
                let mut ends = visits.collect::<Result<Vec<_>>>()?;
                ends.iter_mut().try_for_each(farewell)?;
                left -= timed;
            }
            Ok(())
        })),
        _ => Err(order.unknown()),
    }
}

/// Work on one connection, which is there from the first request on.
fn once_connected<S: Server + 'static>(
    mut server: S,
    mut work: impl FnMut(&mut S::End, u64) -> Result<()> + 'static,
) -> Work {
    let mut connected = None;
    Box::new(move |count| {
        let end = match &mut connected {
            Some(end) => end,
            None => connected.insert(server.accept()?),
        };
        work(end, count)
    })
}

/// Bytes that are 0 but for those that are touched.
fn touched(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let ends = Shape::TOUCHED.min(len);
    bytes[..ends].fill(3);
    bytes[len - ends..].fill(4);
    bytes
}

fn round_trips(partner: &mut Partner, place: &Place, mut end: impl End, bytes: Vec<u8>) -> Result<()> {
    let mut buffer = vec![0; bytes.len()];
    // What is in place costs the same whatever its length.
    let short = bytes.len() <= SHORT || bytes[SHORT / 2] == 0;
    serve(&mut |count| {
        partner.begin(count)?;
        buffer.fill(0);
        let operation = || {
            end.send(&bytes)?;
            fill(&mut end, &mut buffer)
        };
        let sample =
            if place.polling && short { row_and_tail(count, operation) } else { each(count, operation) }?;
        if buffer == bytes { Ok(sample) } else { Err(Error::new("what came back is not what was sent")) }
    })
}

/// What is answered to so many bytes.
fn answer(received: u64) -> u64 {
    received + 1
}

fn calls(partner: &mut Partner, mut end: impl End, bytes: Vec<u8>) -> Result<()> {
    let expected = answer(bytes.len() as u64).to_ne_bytes();
    serve(&mut |count| {
        partner.begin(count)?;
        each(count, || {
            let mut number = [0; 8];
            end.send(&bytes)?;
            fill(&mut end, &mut number)?;
            if number == expected { Ok(()) } else { Err(Error::new("a call was answered wrongly")) }
        })
    })
}

fn one_way(partner: &mut Partner, place: &Place, mut end: impl End) -> Result<()> {
    let bytes = vec![5; place.bytes];
    serve(&mut |count| {
        partner.shared().word(DONE).store(0, Ordering::Relaxed);
        partner.begin(count)?;
        let done = partner.shared().word(DONE);
        let mut left = count;
        stretch(count, || {
            end.send(&bytes)?;
            left -= 1;
            if left == 0 {
                sleep(done, 1);
            }
            Ok(())
        })
    })
}

/// The worker's part of a round trip on a new connection.
fn visit(end: &mut impl End) -> Result<()> {
    let mut buffer = [7; Shape::CONNECT_BYTES];
    end.send(&buffer)?;
    fill(end, &mut buffer)
}

/// The partner's part.
fn welcome<S: Server>(server: &mut S) -> Result<S::End> {
    let mut end = server.accept()?;
    let mut buffer = [0; Shape::CONNECT_BYTES];
    fill(&mut end, &mut buffer)?;
    end.send(&buffer)?;
    Ok(end)
}

/// Waits until the worker closes.
fn farewell(end: &mut impl End) -> Result<()> {
    match end.receive(&mut [0; Shape::CONNECT_BYTES])? {
        0 => Ok(()),
        _ => Err(Error::new("there is more than was sent")),
    }
}

/// Connections that are all open before the first is closed.
fn first_visits<L: Link>(place: &Place, count: u64) -> Result<Sample> {
    let mut times = Vec::new();
    let mut left = count;
    while left > 0 {
        let timed = left.min(TIMED);
        let mut open = Vec::new();
        for number in 0..KEPT + timed {
            let start = Instant::now();
            let mut end = L::connect(place)?;
            visit(&mut end)?;
            open.push((number, start.elapsed(), end));
        }
        for (number, before, end) in open {
            let start = Instant::now();
            drop(end);
            if number >= KEPT {
                times.push((before + start.elapsed()).as_nanos() as u64);
            }
        }
        left -= timed;
    }
    Ok(Sample { operations: 1, times, singles: Vec::new() })
}

fn write_address(shared: &Shared, address: &str) -> Result<()> {
    if address.len() > ADDRESS || !shared.pages().write(ROOM, address.as_bytes()) {
        return Err(Error::new("an address is too long"));
    }
    // Worker: reads it after the release that says this process is ready.
    shared.word(LENGTH).store(address.len() as u32, Ordering::Relaxed);
    Ok(())
}

fn read_address(shared: &Shared) -> Result<String> {
    let mut bytes = vec![0; ADDRESS.min(shared.word(LENGTH).load(Ordering::Relaxed) as usize)];
    if !shared.pages().read(ROOM, &mut bytes) {
        return Err(Error::new("an address outside the shared pages"));
    }
    String::from_utf8(bytes).map_err(Error::of("read the partner's address"))
}
