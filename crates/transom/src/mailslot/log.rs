//! The log of a broadcast, in a named mapping.
//!
//! ```text
//!     0  magic u64 │ capacity u64
//!   128  oldest u64           from here on the log is intact, or about to be overwritten
//!   256  tail u64 │ number u64   where it ends, with the low bits of the number; messages published
//!   384  word u32 │ death u32    subscribers sleep on them
//!   512  turn u32             who publishes
//!  1024  who subscribes: on Windows alone
//!  4096  records: number u64 │ length u32 │ skip u32 │ payload │ to a multiple of 16
//! ```
//! Positions only grow; a record lies at its position modulo the capacity and never goes over the end: a record that
//! says *skip* leads to the front. Whoever may open the name may write anything: every number is checked when it is
//! used, and the view checks every access.
//!
//! # The backend contract
//! `linux/lull.rs` and `windows/lull.rs` each export `Lull`, what a process has to take turns and to sleep, with `new`,
//! `turn`, `published`, `sit`, `announce`, `sleep`, `rise` and `stir`; `Seat`, a subscriber's part of it; `Held`, the
//! turn; and `step`, where tests may kill.

#[cfg(feature = "tokio")]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use transom_core::code::Code;

use super::Received;
use super::lull::{Lull, Seat, step};
use crate::error::{Error, Result};
use crate::mapping::{Mapping, View};
use crate::wait::Timeout;

const MAGIC: u64 = u64::from_le_bytes(*b"transomB");
const CAPACITY: usize = 8;
const OLDEST: usize = 128;
const TAIL: usize = 256;
const NUMBER: usize = 264;
const RECORDS: usize = 4096;
const HEADER: u64 = 16;

/// So many times, at the most, has a whole log to be said to be overwritten.
const AT_ONCE: u64 = 16;

/// The bits of a tail that are a position.
const POSITION: u64 = !(HEADER - 1);

/// How many messages are published before `tail`: the number is stored first, and a publisher may be killed in between.
fn published(number: u64, tail: u64) -> u64 {
    number.wrapping_sub(number.wrapping_sub(tail) & !POSITION)
}

/// A log that this process has mapped.
#[derive(Debug)]
pub(super) struct Log {
    view: View,
    /// Keeps the name.
    _mapping: Mapping,
    capacity: u64,
    lull: Lull,
}

/// A subscriber: its log, and where it sleeps.
#[derive(Debug, Clone)]
pub(crate) struct Reader(Arc<Subscribed>);

#[derive(Debug)]
struct Subscribed {
    log: Log,
    seat: Seat,
    /// One sleeps at a time: one that was told to stop may still be about to.
    sleeping: Mutex<()>,
}

/// Where a subscriber is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    position: u64,
    /// The number of the message that comes next, if none is lost.
    next: u64,
    /// Up to where the log was published when this subscriber looked last.
    end: u64,
}

struct Record {
    number: u64,
    length: u64,
    skip: bool,
}

fn padded(length: u64) -> u64 {
    HEADER + length.next_multiple_of(HEADER)
}

/// What the log's mapping is called, and what the names of all that belongs to it begin with.
pub(super) fn log_name(name: &str) -> String {
    for scope in [r"Local\", r"Global\"] {
        if let Some((prefix, rest)) = name.split_at_checked(scope.len())
            && prefix.eq_ignore_ascii_case(scope)
        {
            return format!("{scope}transom-broadcast-{rest}");
        }
    }
    format!("transom-broadcast-{name}")
}

fn corrupt() -> Error {
    Error::new("read broadcast", Code::FILE_CORRUPT)
}

impl Log {
    pub(super) fn create(name: &str, capacity: usize) -> Result<Log> {
        if !(4096..=1 << 30).contains(&capacity) {
            return Err(Error::new("create broadcast", Code::INVALID_PARAMETER));
        }
        let capacity = capacity.next_multiple_of(4096) as u64;
        let made = Mapping::create(&log_name(name), RECORDS as u64 + capacity)?;
        let view = made.object.view()?;
        Log::of(name, made.object, view)
    }

    pub(super) fn open(name: &str) -> Result<Log> {
        let mapping = Mapping::open(&log_name(name))?;
        let view = mapping.view()?;
        Log::of(name, mapping, view)
    }

    fn of(name: &str, mapping: Mapping, view: View) -> Result<Log> {
        let room = (view.len() as u64).saturating_sub(RECORDS as u64) & !4095;
        let magic = view.atomic_u64(0)?;
        // Whoever comes first, or comes while the first does, or after that one was killed, writes the same.
        if magic.load(Ordering::Acquire) == 0 {
            view.atomic_u64(CAPACITY)?.store(room, Ordering::Relaxed);
            magic.store(MAGIC, Ordering::Release);
        }
        let capacity = view.load_u64(CAPACITY)?;
        if magic.load(Ordering::Acquire) != MAGIC
            || capacity < 4096
            || capacity > room
            || !capacity.is_multiple_of(4096)
        {
            return Err(corrupt());
        }
        Ok(Log { view, _mapping: mapping, capacity, lull: Lull::new(name)? })
    }

    pub(super) fn end(&self) -> Result<Place> {
        let (tail, number) = (self.view.atomic_u64(TAIL)?, self.view.atomic_u64(NUMBER)?);
        loop {
            let end = tail.load(Ordering::Acquire);
            let next = published(number.load(Ordering::Acquire), end);
            if tail.load(Ordering::Acquire) == end {
                return Ok(Place { position: end & POSITION, next, end: end & POSITION });
            }
        }
    }

    fn at(&self, position: u64) -> usize {
        RECORDS + (position % self.capacity) as usize
    }

    fn record(&self, position: u64) -> Result<Record> {
        let at = self.at(position);
        let (number, rest) = (self.view.load_u64(at)?, self.view.load_u64(at + 8)?);
        Ok(Record { number, length: rest & 0xFFFF_FFFF, skip: rest >> 32 != 0 })
    }

    /// Where the record behind this one begins; `None` if it makes no sense.
    fn behind(&self, position: u64, record: &Record) -> Option<u64> {
        let left = self.capacity - position % self.capacity;
        let size = if record.skip { left } else { padded(record.length) };
        if size > left { None } else { position.checked_add(size) }
    }

    fn store(&self, position: u64, number: u64, rest: u64) -> Result<()> {
        let at = self.at(position);
        self.view.store_u64(at, number)?;
        self.view.store_u64(at + 8, rest)
    }

    pub(super) fn publish(&self, message: &[u8]) -> Result<()> {
        let size = padded(message.len() as u64);
        if size > self.capacity / 2 {
            return Err(Error::new("publish", Code::INVALID_PARAMETER));
        }
        {
            let _turn = self.lull.turn(&self.view)?;
            self.append(message, size)?;
        }
        self.lull.published(&self.view)
    }

    /// Under the turn.
    fn append(&self, message: &[u8], size: u64) -> Result<()> {
        let tail = self.view.atomic_u64(TAIL)?;
        let number = self.view.atomic_u64(NUMBER)?;
        let last = tail.load(Ordering::Relaxed);
        let mut begin = last & POSITION;
        let left = self.capacity - begin % self.capacity;
        let skip = left < size;
        let end = begin.wrapping_add(if skip { left } else { 0 }).wrapping_add(size);
        self.make_room(begin, end)?;
        if skip {
            self.store(begin, 0, 1 << 32)?;
            begin = begin.wrapping_add(left);
        }
        let count = published(number.load(Ordering::Relaxed), last);
        self.store(begin, count, message.len() as u64)?;
        self.view.write(self.at(begin) + HEADER as usize, message)?;
        number.store(count.wrapping_add(1), Ordering::Relaxed);
        step("broadcast-written");
        // With the tail comes the record. The barrier before it is asked who sleeps stands behind the turn.
        tail.store(end | count.wrapping_add(1) & !POSITION, Ordering::Release);
        Ok(())
    }

    /// Says that everything before what is about to be written is intact no more; and something more than that, so that
    /// most messages need not say anything: each subscriber looks at the word each time.
    fn make_room(&self, tail: u64, end: u64) -> Result<()> {
        let word = self.view.atomic_u64(OLDEST)?;
        let mut oldest = word.load(Ordering::Relaxed);
        if end.wrapping_sub(oldest) <= self.capacity {
            // Whoever sees a byte of what is written next sees what the last publisher said.
            fence(Ordering::Release);
            return Ok(());
        }
        let most = self.capacity - self.capacity / AT_ONCE;
        while end.wrapping_sub(oldest) > most {
            let record = self.record(oldest)?;
            oldest = match self.behind(oldest, &record) {
                Some(next) if oldest < tail && next <= tail => next,
                // It makes no sense; what is published from now on does.
                _ => tail,
            };
            if oldest == tail {
                break;
            }
        }
        word.store(oldest, Ordering::Relaxed);
        // Whoever sees a byte of what is written next sees this as well.
        fence(Ordering::SeqCst);
        step("broadcast-room");
        Ok(())
    }

    /// The next message, if there is one.
    fn take(&self, place: &mut Place, buffer: &mut [u8]) -> Result<Option<Received>> {
        let oldest = self.view.atomic_u64(OLDEST)?;
        let tail = self.view.atomic_u64(TAIL)?;
        // As often as publishers may be faster than this.
        for _ in 0..10_000 {
            // As long as there is more, the publishers' cache line is left alone.
            if place.position >= place.end {
                place.end = tail.load(Ordering::Acquire) & POSITION;
            }
            let mut end = place.end;
            let intact = oldest.load(Ordering::Acquire);
            if place.position < intact || place.position > end {
                end = tail.load(Ordering::Acquire) & POSITION;
                place.end = end;
                place.position = intact.min(end);
            }
            if place.position == end {
                return Ok(None);
            }
            let record = self.record(place.position)?;
            let behind = self.behind(place.position, &record);
            let length = record.length as usize;
            let fits = !record.skip && behind.is_some() && length <= buffer.len();
            if fits {
                self.view.read(self.at(place.position) + HEADER as usize, &mut buffer[..length])?;
            }
            // After everything that was read.
            fence(Ordering::SeqCst);
            if oldest.load(Ordering::Relaxed) > place.position {
                continue;
            }
            let Some(behind) = behind.filter(|behind| *behind <= end) else {
                place.position = end;
                return Err(corrupt());
            };
            if record.skip {
                place.position = behind;
                continue;
            }
            if !fits {
                return Err(Error::new("read broadcast", Code::INSUFFICIENT_BUFFER));
            }
            let lost = record.number.saturating_sub(place.next);
            *place = Place { position: behind, next: record.number.wrapping_add(1), end };
            return Ok(Some(Received { len: length, lost }));
        }
        Ok(None)
    }
}

impl Reader {
    pub(super) fn open(name: &str) -> Result<(Reader, Place)> {
        let log = Log::open(name)?;
        let (place, seat) = (log.end()?, log.lull.sit(&log.view)?);
        Ok((Reader(Arc::new(Subscribed { log, seat, sleeping: Mutex::new(()) })), place))
    }

    pub(super) fn receive(&self, place: &mut Place, buffer: &mut [u8], timeout: Timeout) -> Result<Received> {
        let log = &self.0.log;
        if let Some(received) = log.take(place, buffer)? {
            return Ok(received);
        }
        self.until(timeout, || log.take(place, buffer))
    }

    /// Waits until there is something behind `place`, or `stop` is set and [`Reader::stir`] called.
    #[cfg(feature = "tokio")]
    pub(crate) fn wait(&self, place: Place, timeout: Timeout, stop: &AtomicBool) -> Result<()> {
        let tail = self.0.log.view.atomic_u64(TAIL)?;
        self.until(timeout, || {
            if stop.load(Ordering::SeqCst) {
                return Err(Error::new("read broadcast", Code::OPERATION_ABORTED));
            }
            Ok((tail.load(Ordering::Acquire) & POSITION != place.position).then_some(()))
        })
    }

    /// Lets whoever waits look whether it is to stop.
    #[cfg(feature = "tokio")]
    pub(crate) fn stir(&self) {
        let Subscribed { log, seat, .. } = &*self.0;
        log.lull.stir(&log.view, seat);
    }

    /// Sleeps until `look` finds something.
    fn until<T>(&self, timeout: Timeout, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let Subscribed { log: Log { view, lull, .. }, seat, sleeping } = &*self.0;
        let _sleeping = sleeping.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = Instant::now();
        let result = loop {
            let left = match timeout.as_duration() {
                None => Timeout::INFINITE,
                Some(all) => match all.checked_sub(begun.elapsed()) {
                    Some(left) if !left.is_zero() => Timeout::from_duration(left),
                    _ => break Err(Error::new("read broadcast", Code::SEM_TIMEOUT)),
                },
            };
            let seen = lull.announce(view, seat)?;
            match look() {
                Ok(Some(found)) => break Ok(found),
                Ok(None) => lull.sleep(view, seat, seen, left)?,
                Err(error) => break Err(error),
            }
        };
        lull.rise(view, seat)?;
        result
    }
}

#[cfg(test)]
mod tests {
    use crate::mailslot::{Broadcast, Received, Subscriber};
    use crate::support::{PATIENCE, code, limit, unique};
    use crate::wait::Timeout;

    #[test]
    fn every_subscriber_gets_every_message() {
        let _limit = limit();
        let name = unique("all");
        assert_eq!(code(Subscriber::open(&name)), 2);
        let publisher = Broadcast::create(&name, 1 << 16).unwrap();
        publisher.publish(b"nobody listens").unwrap();
        let mut subscribers: Vec<_> = (0..3).map(|_| Subscriber::open(&name).unwrap()).collect();
        for number in 0..5000_u32 {
            publisher.publish(&number.to_le_bytes()).unwrap();
            for subscriber in &mut subscribers {
                let mut buffer = [0; 8];
                let received = subscriber.receive(&mut buffer, PATIENCE).unwrap();
                assert_eq!(
                    (received, &buffer[..4]),
                    (Received { len: 4, lost: 0 }, &number.to_le_bytes()[..])
                );
            }
        }
        assert_eq!(code(subscribers[0].receive(&mut [0; 8], Timeout::ZERO)), 121);
    }

    #[test]
    fn a_slow_subscriber_loses_the_oldest_and_is_told_how_many() {
        let _limit = limit();
        let name = unique("slow");
        let publisher = Broadcast::create(&name, 4096).unwrap();
        let mut slow = Subscriber::open(&name).unwrap();
        for number in 0..1000_u64 {
            publisher.publish(&[number as u8; 100]).unwrap();
        }
        let (message, lost) = slow.receive_vec(PATIENCE).unwrap();
        assert!(lost > 900 && message == [lost as u8; 100], "{lost}");
        for number in lost + 1..1000 {
            assert_eq!(slow.receive_vec(PATIENCE).unwrap(), (vec![number as u8; 100], 0));
        }
        assert_eq!(code(slow.receive(&mut [0; 8], Timeout::millis(5))), 121);
    }

    #[test]
    fn a_short_buffer_leaves_the_message_and_a_long_message_is_refused() {
        let _limit = limit();
        let name = unique("short");
        let publisher = Broadcast::create(&name, 4096).unwrap();
        let mut subscriber = Subscriber::open(&name).unwrap();
        assert_eq!(code(publisher.publish(&[0; 3000])), 87);
        publisher.publish(b"12345").unwrap();
        assert_eq!(code(subscriber.receive(&mut [0; 4], PATIENCE)), 122);
        assert_eq!(subscriber.receive_vec(PATIENCE).unwrap(), (b"12345".to_vec(), 0));
        assert_eq!(code(Broadcast::create(&name, 100)), 87);
    }

    /// Publishers that are faster than subscribers: whole messages in their order, and an honest number of lost ones.
    #[test]
    fn what_is_overwritten_while_it_is_read_is_not_delivered() {
        let _limit = limit();
        let name = unique("race");
        let publisher = Broadcast::create(&name, 8192).unwrap();
        let mut subscribers: Vec<_> = (0..2).map(|_| Subscriber::open(&name).unwrap()).collect();
        std::thread::scope(|scope| {
            for subscriber in &mut subscribers {
                scope.spawn(move || {
                    let mut expected = 0;
                    while expected < 20_000 {
                        let (message, lost) = subscriber.receive_vec(PATIENCE).unwrap();
                        expected += lost;
                        assert!(message.len() == 8 * (1 + expected as usize % 50));
                        assert!(message.chunks_exact(8).all(|word| word == expected.to_le_bytes()), "torn");
                        expected += 1;
                    }
                });
            }
            for number in 0..20_000_u64 {
                let message: Vec<u8> =
                    std::iter::repeat_n(number.to_le_bytes(), 1 + number as usize % 50).flatten().collect();
                publisher.publish(&message).unwrap();
            }
        });
    }
}
