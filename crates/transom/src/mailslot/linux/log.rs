//! The log of a broadcast, in a named mapping.
//!
//! ```text
//!     0  magic u64 │ capacity u64
//!   128  oldest u64           from here on the log is intact, or about to be overwritten
//!   256  tail u64 │ number u64   where it ends, with the low bits of the number; messages published
//!   384  word u32 │ death u32    subscribers sleep on them
//!   512  turn u32             who publishes
//!  4096  records: number u64 │ length u32 │ skip u32 │ payload │ to a multiple of 16
//! ```
//! Positions only grow; a record lies at its position modulo the capacity and never goes over the end: a record that
//! says *skip* leads to the front. Whoever may open the name may write anything: every number is checked when it is
//! used, and the view checks every access.

use std::sync::atomic::{Ordering, fence};

use transom_core::code::Code;
use transom_core::sync::publish;
use transom_sys::linux::fault::step;
use transom_sys::linux::futex;

use super::Received;
use crate::engine::doze::Doze;
use crate::engine::turn::{Go, Turn};
use crate::error::{Error, Result};
use crate::mapping::{Mapping, View};
use crate::wait::Timeout;

const MAGIC: u64 = u64::from_le_bytes(*b"transomB");
const CAPACITY: usize = 8;
const OLDEST: usize = 128;
const TAIL: usize = 256;
const NUMBER: usize = 264;
const WORD: usize = 384;
const DEATH: usize = 388;
const TURN: usize = 512;
const RECORDS: usize = 4096;
const HEADER: u64 = 16;

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
}

/// Where a subscriber is.
#[derive(Debug)]
pub(super) struct Place {
    position: u64,
    /// The number of the message that comes next, if none is lost.
    next: u64,
}

struct Record {
    number: u64,
    length: u64,
    skip: bool,
}

fn padded(length: u64) -> u64 {
    HEADER + length.next_multiple_of(HEADER)
}

fn mapping_name(name: &str) -> String {
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
        let made = Mapping::create(&mapping_name(name), RECORDS as u64 + capacity)?;
        let view = made.object.view()?;
        if made.existed {
            return Log::of(made.object, view);
        }
        view.atomic_u64(CAPACITY)?.store(capacity, Ordering::Relaxed);
        view.atomic_u64(0)?.store(MAGIC, Ordering::Release);
        Ok(Log { view, _mapping: made.object, capacity })
    }

    pub(super) fn open(name: &str) -> Result<Log> {
        let mapping = Mapping::open(&mapping_name(name))?;
        let view = mapping.view()?;
        Log::of(mapping, view)
    }

    /// A log that another process has made, or is just making.
    fn of(mapping: Mapping, view: View) -> Result<Log> {
        let deadline = futex::now() + 1_000_000_000;
        while view.atomic_u64(0)?.load(Ordering::Acquire) != MAGIC {
            if futex::now() > deadline {
                return Err(corrupt());
            }
            std::thread::yield_now();
        }
        let capacity = view.load_u64(CAPACITY)?;
        let room = (view.len() as u64).saturating_sub(RECORDS as u64);
        if capacity < 4096 || capacity > room || !capacity.is_multiple_of(4096) {
            return Err(corrupt());
        }
        Ok(Log { view, _mapping: mapping, capacity })
    }

    pub(super) fn end(&self) -> Result<Place> {
        let (tail, number) = (self.view.atomic_u64(TAIL)?, self.view.atomic_u64(NUMBER)?);
        loop {
            let end = tail.load(Ordering::Acquire);
            let next = published(number.load(Ordering::Acquire), end);
            if tail.load(Ordering::Acquire) == end {
                return Ok(Place { position: end & POSITION, next });
            }
        }
    }

    fn doze(&self) -> Result<Doze<'_>> {
        Ok(Doze::new(self.view.atomic_u32(WORD)?, self.view.atomic_u32(DEATH)?))
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
        let word = self.view.atomic_u32(TURN)?;
        {
            // Whatever a publisher that was killed did not finish lies behind the tail.
            let taken = Turn::try_take(word).or_else(|| Turn::wait(word, || Go::On(None)));
            let _turn = taken.ok_or_else(|| Error::new("publish", Code::NOT_SUPPORTED))?;
            self.append(message, size)?;
        }
        // The tail was a barrier.
        let doze = self.doze()?;
        doze.publishing();
        step("broadcast-published");
        doze.published();
        Ok(())
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
        // With the tail comes the record; a barrier, before it is asked who sleeps.
        publish(tail, end | count.wrapping_add(1) & !POSITION);
        Ok(())
    }

    /// Says that everything before what is about to be written is intact no more.
    fn make_room(&self, tail: u64, end: u64) -> Result<()> {
        let word = self.view.atomic_u64(OLDEST)?;
        let mut oldest = word.load(Ordering::Relaxed);
        while end.wrapping_sub(oldest) > self.capacity {
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

    pub(super) fn receive(&self, place: &mut Place, buffer: &mut [u8], timeout: Timeout) -> Result<Received> {
        if let Some(received) = self.take(place, buffer)? {
            return Ok(received);
        }
        let deadline = if timeout == Timeout::ZERO { Some(0) } else { timeout.deadline_nanos(futex::now()) };
        let doze = self.doze()?;
        loop {
            if deadline.is_some_and(|at| futex::now() >= at) {
                return Err(Error::new("read broadcast", Code::SEM_TIMEOUT));
            }
            let seen = doze.announce();
            if let Some(received) = self.take(place, buffer)? {
                return Ok(received);
            }
            doze.sleep(seen, deadline);
        }
    }

    /// The next message, if there is one.
    fn take(&self, place: &mut Place, buffer: &mut [u8]) -> Result<Option<Received>> {
        let oldest = self.view.atomic_u64(OLDEST)?;
        let tail = self.view.atomic_u64(TAIL)?;
        // As often as publishers may be faster than this.
        for _ in 0..10_000 {
            let end = tail.load(Ordering::Acquire) & POSITION;
            let intact = oldest.load(Ordering::Acquire);
            if place.position < intact || place.position > end {
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
            *place = Place { position: behind, next: record.number.wrapping_add(1) };
            return Ok(Some(Received { len: length, lost }));
        }
        Ok(None)
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
