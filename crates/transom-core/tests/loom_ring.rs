//! The queue of `transom_core::ring`, every interleaving of two or three threads.
//!
//! Runs only under loom: `cargo xtask loom`. Data are words of relaxed atomics, so that the model shows every
//! byte that a processor may show; turns are taken where two threads write, or two read. A death is a thread
//! that stops between two steps, and the word that the kernel leaves; where it may be at any step, that is before each
//! of its stores, one model for each.
#![cfg(loom)]

#[path = "loom_ring/early.rs"]
mod early;
#[path = "loom_ring/in_place.rs"]
mod in_place;

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use std::sync::atomic::AtomicBool;
use transom_core::ring::turn::{self, Take};
use transom_core::ring::{
    Control, Early, HeadCache, Limit, Memory, Mode, Peeked, Progress, Queue, Read, Shape, Streamed,
    TailCache, Ticket, Withdrawal, Written,
};
use transom_core::sync::mortal;
use transom_core::sync::{AtomicU32, AtomicU64, Ordering, fence};
use transom_core::word::SIGNALLED as DIED;

/// Data in words; the models copy multiples of 8 bytes only.
struct Words(Vec<AtomicU64>);

impl Memory for Words {
    fn copy_in(&self, offset: usize, from: &[u8]) {
        assert!(offset.is_multiple_of(8) && from.len().is_multiple_of(8));
        for (word, bytes) in self.0[offset / 8..].iter().zip(from.chunks_exact(8)) {
            word.store(u64::from_le_bytes(bytes.try_into().unwrap()), Ordering::Relaxed);
        }
    }
    fn copy_out(&self, offset: usize, to: &mut [u8]) {
        assert!(offset.is_multiple_of(8) && to.len().is_multiple_of(8));
        for (word, bytes) in self.0[offset / 8..].iter().zip(to.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
    }
}

/// A sleeper and its wake-up, as the engine makes them of the asleep words.
#[derive(Default)]
struct Bed {
    rung: Mutex<bool>,
    bell: Condvar,
}

impl Bed {
    fn ring(&self, asleep: &AtomicU32) {
        // What a SeqCst store and load are to each other everywhere but in loom.
        fence(Ordering::SeqCst);
        if asleep.load(Ordering::SeqCst) != 0 && asleep.swap(0, Ordering::SeqCst) != 0 {
            *self.rung.lock().unwrap() = true;
            self.bell.notify_one();
        }
    }

    fn sleep(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.bell.wait(rung).unwrap();
        }
        *rung = false;
    }
}

struct Pipe {
    control: Control,
    data: Words,
    shape: Shape,
    bed: Bed,
}

const CAPACITY: usize = 64;

impl Pipe {
    fn new(message: bool, quota: u32) -> Arc<Pipe> {
        Arc::new(Pipe {
            control: Control::new(),
            data: Words((0..CAPACITY / 8).map(|_| AtomicU64::new(0)).collect()),
            shape: Shape::new(message, quota, CAPACITY as u64).unwrap(),
            bed: Bed::default(),
        })
    }

    fn queue(&self) -> Queue<'_, Words> {
        Queue::new(&self.control, &self.data, self.shape)
    }

    /// A write, published; under the write turn or with one writer only.
    fn write(&self, heads: &HeadCache, bytes: &[u8], limit: Limit) -> Written {
        let queue = self.queue();
        let mut writer = queue.swift_writer(heads);
        if writer.write_swiftly(bytes) {
            writer.publish();
            return Written::Done;
        }
        let mut writer = queue.writer(heads).unwrap();
        let written = writer.write(bytes, limit, 0).unwrap();
        writer.publish();
        written
    }

    fn waiting(&self, heads: &HeadCache, bytes: &[u8]) -> Ticket {
        match self.write(heads, bytes, Limit::Quota) {
            Written::Waiting(ticket) => ticket,
            other => panic!("the write does not wait: {other:?}"),
        }
    }

    /// A read, published: the first byte and the length of what it got.
    fn read(&self, tails: &TailCache) -> Option<(u8, usize)> {
        let mut buffer = [0; 56];
        let queue = self.queue();
        let mut reader = queue.swift_reader(tails);
        if let Some(len) = reader.read_swiftly(&mut buffer, Mode::Message, &Early::default()) {
            reader.publish();
            assert!(buffer[..len].iter().all(|byte| *byte == buffer[0]), "one write's bytes");
            return Some((buffer[0], len));
        }
        let mut reader = queue.reader(tails).unwrap();
        let read = reader.read(&mut buffer, 0, Mode::Message, |_| false).unwrap();
        reader.publish();
        match read {
            Read::Got { len, complete } => {
                assert!(complete && buffer[..len].iter().all(|byte| *byte == buffer[0]), "one write's bytes");
                Some((buffer[0], len))
            }
            Read::Empty => None,
            other => panic!("nobody streams or dies here: {other:?}"),
        }
    }
}

/// Every interleaving of two threads, `left` and `right`, and what must hold of what they return. Twice, once with
/// either of them first: loom goes out from one execution, and does not see from each what it sees from the other.
fn race<L: Send + 'static, R: Send + 'static>(
    new: fn() -> (Arc<Pipe>, Option<Ticket>),
    left: impl Fn(&Pipe, Option<Ticket>) -> L + Copy + Send + Sync + 'static,
    right: impl Fn(&Pipe) -> R + Copy + Send + Sync + 'static,
    check: impl Fn(&Pipe, L, R) + Copy + Send + Sync + 'static,
) {
    race_within(None, new, left, right, check);
}

/// The same, within so many preemptions if not within the usual number.
fn race_within<L: Send + 'static, R: Send + 'static>(
    preemptions: Option<usize>,
    new: fn() -> (Arc<Pipe>, Option<Ticket>),
    left: impl Fn(&Pipe, Option<Ticket>) -> L + Copy + Send + Sync + 'static,
    right: impl Fn(&Pipe) -> R + Copy + Send + Sync + 'static,
    check: impl Fn(&Pipe, L, R) + Copy + Send + Sync + 'static,
) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions.or(model.preemption_bound);
    model.check(move || {
        let (pipe, ticket) = new();
        let other = spawn(&pipe, right);
        let l = left(&pipe, ticket);
        check(&pipe, l, other.join().unwrap());
    });
    model.check(move || {
        let (pipe, ticket) = new();
        let other = spawn(&pipe, move |pipe| left(pipe, ticket));
        let r = right(&pipe);
        check(&pipe, other.join().unwrap(), r);
    });
}

fn spawn<T: 'static>(pipe: &Arc<Pipe>, run: impl FnOnce(&Pipe) -> T + 'static) -> thread::JoinHandle<T> {
    let pipe = pipe.clone();
    thread::spawn(move || run(&pipe))
}

/// Preemptions of models with a death at each step: each of them is many.
const OF_THE_DEAD: Option<usize> = Some(2);

/// Whose death a model is about: before the first store of its life, the second and so on.
#[derive(Clone, Copy)]
struct Mortal {
    stores: u32,
    died: &'static AtomicBool,
}

impl Mortal {
    /// One whose death is not what the model varies.
    fn after(stores: u32) -> Mortal {
        Mortal { stores, died: Box::leak(Box::default()) }
    }

    /// Models with a death at each step, until there is one in which nobody dies any more.
    fn at_each_step(model: impl Fn(Mortal)) {
        for stores in 0.. {
            let mortal = Mortal::after(stores);
            model(mortal);
            if !mortal.died.load(Ordering::Relaxed) {
                return;
            }
        }
    }

    /// Takes a turn, lives, and gives it up; whether it came to that. If it did not, `word` is as the kernel leaves it.
    fn live(self, word: &AtomicU32, life: impl FnOnce()) -> bool {
        assert_ne!(turn::try_take(word, 1, false), Take::Busy);
        let lived = mortal::live(self.stores, || {
            life();
            assert!(!turn::release(word));
        });
        if lived.is_none() {
            word.store(DIED, Ordering::Release);
            self.died.store(true, Ordering::Relaxed);
        }
        lived.is_some()
    }
}

/// What all these reads got, the empty ones left out.
fn reads<const N: usize>(pipe: &Pipe) -> Vec<(u8, usize)> {
    let tails = TailCache::new();
    [(); N].iter().filter_map(|()| pipe.read(&tails)).collect()
}

/// A quota of nothing, and a write that waits.
fn one_waits(message: bool) -> (Arc<Pipe>, Option<Ticket>) {
    let pipe = Pipe::new(message, 0);
    let ticket = pipe.waiting(&HeadCache::new(), &[1; 8]);
    (pipe, Some(ticket))
}

/// Invariant 4: what is published is there, whole and in order.
#[test]
fn what_was_published_is_read_in_order() {
    race(
        || (Pipe::new(true, 64), None),
        |pipe, _| {
            let heads = HeadCache::new();
            assert!(matches!(pipe.write(&heads, &[1; 8], Limit::Quota), Written::Done));
            assert!(matches!(pipe.write(&heads, &[2; 16], Limit::Quota), Written::Done));
        },
        reads::<3>,
        |pipe, (), mut got| {
            got.extend(reads::<2>(pipe));
            assert_eq!(got, [(1, 8), (2, 16)]);
        },
    );
}

/// Invariant 3: bytes that are not read yet are not overwritten.
#[test]
fn room_is_used_again_after_it_was_read() {
    race(
        || {
            let pipe = Pipe::new(true, 64);
            assert!(matches!(pipe.write(&HeadCache::new(), &[1; 32], Limit::NoWait), Written::Done));
            (pipe, None)
        },
        |pipe, _| {
            let heads = HeadCache::new();
            let write = || matches!(pipe.write(&heads, &[2; 32], Limit::NoWait), Written::Done);
            write() || write()
        },
        reads::<2>,
        |pipe, written, mut got| {
            got.extend(reads::<2>(pipe));
            assert_eq!(got, [(1, 32), (2, 32)][..1 + usize::from(written)]);
        },
    );
}

/// P58: who peeks sees one moment, whatever reader and writer do meanwhile.
#[test]
fn a_peek_sees_one_moment() {
    race(
        || {
            let pipe = Pipe::new(true, 64);
            assert!(matches!(pipe.write(&HeadCache::new(), &[1; 40], Limit::Quota), Written::Done));
            (pipe, None)
        },
        |pipe, _| {
            assert_eq!(pipe.read(&TailCache::new()), Some((1, 40)));
            assert!(matches!(pipe.write(&HeadCache::new(), &[2; 40], Limit::NoWait), Written::Done));
        },
        |pipe| {
            let mut buffer = [0; 40];
            match pipe.queue().peek(&mut buffer, |_| false).unwrap() {
                Peeked::Seen(peek) if peek.drained => assert_eq!(peek.copied, 0),
                Peeked::Seen(peek) => {
                    assert!(peek.copied == 40 && peek.left == 0);
                    assert!(buffer == [1; 40] || buffer == [2; 40], "P58");
                }
                other => panic!("{other:?}"),
            }
        },
        |_, (), ()| {},
    );
}

/// Invariant 4: head and payload are seen as they were published, together, although two publications pass.
#[test]
fn positions_are_seen_together() {
    race(
        || {
            let (pipe, heads) = (Pipe::new(true, 64), HeadCache::new());
            assert!(matches!(pipe.write(&heads, &[1; 8], Limit::Quota), Written::Done));
            assert!(matches!(pipe.write(&heads, &[2; 16], Limit::Quota), Written::Done));
            (pipe, None)
        },
        |pipe, _| assert_eq!(reads::<2>(pipe), [(1, 8), (2, 16)]),
        |pipe| match pipe.queue().peek(&mut [0; 16], |_| false).unwrap() {
            Peeked::Seen(peek) => {
                assert!(matches!((peek.copied, peek.available), (8, 24) | (16, 16) | (0, 0)), "{peek:?}");
            }
            other => panic!("{other:?}"),
        },
        |_, (), ()| {},
    );
}

/// Invariant 6: a write is either read or cancelled.
#[test]
fn a_write_is_read_or_cancelled_and_never_both() {
    for new in [|| one_waits(false), || one_waits(true)] {
        race(
            new,
            |pipe, ticket| pipe.queue().withdraw(ticket.unwrap()) == Withdrawal::Withdrawn,
            reads::<1>,
            |pipe, cancelled, got| {
                assert_eq!(got.is_empty(), cancelled);
                assert_eq!(pipe.read(&TailCache::new()), None);
                assert_eq!(pipe.queue().is_drained(), Ok(true));
            },
        );
    }
}

/// A slot is used again while the reader tidies up after its first use: the second is not lost from sight.
#[test]
fn a_slot_that_is_used_again_is_seen_again() {
    race(
        || one_waits(true),
        |pipe, ticket| {
            let ticket = ticket.unwrap();
            if pipe.queue().poll(&ticket) == Ok(Progress::Waiting) {
                return None;
            }
            let second = pipe.waiting(&HeadCache::new(), &[2; 8]);
            Some(pipe.queue().withdraw(second) == Withdrawal::Withdrawn)
        },
        reads::<2>,
        |pipe, cancelled, mut got| {
            got.extend(reads::<1>(pipe));
            let expected: &[_] = if cancelled == Some(false) { &[(1, 8), (2, 8)] } else { &[(1, 8)] };
            assert_eq!(got, expected);
            assert_eq!(pipe.queue().is_drained(), Ok(true));
        },
    );
}

/// Invariant 9: a reader that found nothing and sleeps is seen by the writer. Else loom reports a deadlock.
#[test]
fn no_reader_sleeps_through_a_write() {
    race(
        || (Pipe::new(false, 64), None),
        |pipe, _| {
            assert!(matches!(pipe.write(&HeadCache::new(), &[1; 8], Limit::Quota), Written::Done));
            pipe.bed.ring(&pipe.control.asleep_data);
        },
        |pipe| {
            let tails = TailCache::new();
            if let Some(got) = pipe.read(&tails) {
                return got;
            }
            pipe.queue().demand(8);
            pipe.control.asleep_data.fetch_add(1, Ordering::SeqCst);
            if let Some(got) = pipe.read(&tails) {
                return got;
            }
            pipe.bed.sleep();
            pipe.read(&tails).expect("it was rung")
        },
        |_, (), got| assert_eq!(got, (1, 8)),
    );
}

/// Invariant 9, the other way: a writer that waits is seen by the reader.
#[test]
fn no_writer_sleeps_through_a_read() {
    race(
        || one_waits(false),
        |pipe, ticket| {
            let ticket = ticket.unwrap();
            if pipe.queue().poll(&ticket) == Ok(Progress::Waiting) {
                pipe.control.asleep_space.fetch_add(1, Ordering::SeqCst);
                if pipe.queue().poll(&ticket) == Ok(Progress::Waiting) {
                    pipe.bed.sleep();
                    assert_eq!(pipe.queue().poll(&ticket), Ok(Progress::Done));
                }
            }
        },
        |pipe| {
            assert_eq!(pipe.read(&TailCache::new()), Some((1, 8)));
            pipe.bed.ring(&pipe.control.asleep_space);
        },
        |_, (), ()| {},
    );
}

/// P39: two writers take turns.
#[test]
fn two_writers_write_one_after_the_other() {
    fn write(pipe: &Pipe, me: u8) {
        let word = &pipe.control.write_turn;
        while turn::try_take(word, me.into(), false) == Take::Busy {
            thread::yield_now();
        }
        assert!(matches!(pipe.write(&HeadCache::new(), &[me; 8], Limit::Quota), Written::Done));
        assert!(!turn::release(word));
    }
    race(
        || (Pipe::new(true, 64), None),
        |pipe, _| write(pipe, 1),
        |pipe| write(pipe, 2),
        |pipe, (), ()| {
            let both = reads::<2>(pipe);
            assert!(both == [(1, 8), (2, 8)] || both == [(2, 8), (1, 8)]);
        },
    );
}

/// Reads in message mode as an engine does: parts of a message are kept until the rest comes.
fn message_soon(pipe: &Pipe, tries: usize) -> Option<Vec<u8>> {
    let (mut buffer, mut taken, tails) = ([0; 80], 0, TailCache::new());
    for _ in 0..tries {
        let queue = pipe.queue();
        let mut reader = queue.reader(&tails).unwrap();
        let read = reader.read(&mut buffer, taken, Mode::Message, |_| false).unwrap();
        reader.publish();
        match read {
            Read::Got { len, complete } => {
                assert!(complete);
                return Some(buffer[..len].to_vec());
            }
            Read::Part { taken: so_far } => taken = so_far,
            other => {
                assert_eq!(other, Read::Empty);
                taken = 0;
            }
        }
    }
    None
}

/// The successor of a writer that died: recovers, then writes if there is room.
fn succeed(pipe: &Pipe) -> bool {
    assert_eq!(turn::try_take(&pipe.control.write_turn, 2, false), Take::AfterDeath);
    pipe.queue().recover_writer().unwrap();
    let written = matches!(pipe.write(&HeadCache::new(), &[2; 8], Limit::NoWait), Written::Done);
    assert!(!turn::release(&pipe.control.write_turn));
    written
}

fn after_death(pipe: &Pipe, written: bool, got: Option<Vec<u8>>) {
    let got = got.or_else(|| message_soon(pipe, 3));
    assert_eq!(got, written.then(|| vec![2; 8]), "P38");
    assert_eq!(pipe.queue().is_drained(), Ok(true));
}

/// Invariant 4: a writer dies with a write that is not published; its successor goes on while the reader reads.
#[test]
fn what_a_dead_writer_did_not_publish_never_existed() {
    race(
        || {
            let (pipe, heads) = (Pipe::new(true, 64), HeadCache::new());
            assert_eq!(turn::try_take(&pipe.control.write_turn, 1, false), Take::Taken);
            let written = pipe.queue().writer(&heads).unwrap().write(&[1; 8], Limit::Quota, 0);
            assert!(matches!(written, Ok(Written::Done)));
            // What the kernel does for a thread that died.
            pipe.control.write_turn.store(DIED, Ordering::Release);
            (pipe, None)
        },
        |pipe, _| succeed(pipe),
        |pipe| message_soon(pipe, 2),
        after_death,
    );
}

/// P38: a writer dies with a stream under way; its successor recovers while the reader reads.
#[test]
fn what_a_dead_writer_streamed_is_never_read_to_its_end() {
    race(
        || {
            let pipe = Pipe::new(true, 64);
            assert_eq!(turn::try_take(&pipe.control.write_turn, 1, false), Take::Taken);
            let written = pipe.write(&HeadCache::new(), &[1; 64], Limit::Quota);
            assert!(matches!(written, Written::Streaming(_)));
            pipe.control.write_turn.store(DIED, Ordering::Release);
            (pipe, None)
        },
        |pipe, _| succeed(pipe),
        |pipe| message_soon(pipe, 2),
        after_death,
    );
}

/// P38: a stream is cancelled while the reader takes from it.
#[test]
fn an_abandoned_stream_is_never_read_to_its_end() {
    race(
        || (Pipe::new(false, 64), None),
        |pipe, _| {
            let (heads, bytes) = (HeadCache::new(), [1; 72]);
            let queue = pipe.queue();
            let mut writer = queue.writer(&heads).unwrap();
            let Ok(Written::Streaming(mut stream)) = writer.write(&bytes, Limit::Quota, 0) else {
                panic!("72 bytes have no room in 64")
            };
            match writer.stream(&mut stream, &[&bytes]).unwrap() {
                Streamed::Through(ticket) => match queue.withdraw(ticket) {
                    Withdrawal::TooLate => 72..=72,
                    Withdrawal::Withdrawn => 0..=71,
                },
                Streamed::Blocked { .. } => {
                    assert_eq!(writer.abandon(stream), Ok(Withdrawal::Withdrawn));
                    0..=71
                }
            }
        },
        |pipe| {
            let (tails, mut got) = (TailCache::new(), 0);
            for _ in 0..2 {
                let mut buffer = [0; 72];
                let queue = pipe.queue();
                let mut reader = queue.reader(&tails).unwrap();
                match reader.read(&mut buffer, 0, Mode::Bytes, |_| false).unwrap() {
                    Read::Got { len, .. } => got += len,
                    other => assert_eq!(other, Read::Empty),
                }
                reader.publish();
            }
            got
        },
        |pipe, expected, got| {
            assert!(expected.contains(&got), "{got} bytes were read of {expected:?}");
            assert_eq!(pipe.read(&TailCache::new()), None, "P38");
            assert_eq!(pipe.queue().is_drained(), Ok(true));
        },
    );
}
