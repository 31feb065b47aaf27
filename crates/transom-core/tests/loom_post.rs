//! The queue of a mailslot of `transom_core::post`, every interleaving of two or three threads.
//!
//! Runs only under loom: `cargo xtask loom`. The bytes of messages are words of relaxed atomics, so that the model shows
//! every byte that a processor may show. The reader's turn and the kernel's locks of rows are not modelled: one thread
//! reads, and each writer has a row of its own.
#![cfg(loom)]

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use transom_core::doze;
use transom_core::post::layout::{BLOCK, BLOCKS, LANES};
use transom_core::post::{
    Batch, Description, Header, Lane, LaneWriter, Memory, Picture, Post, Refused, Taken,
};
use transom_core::sync::{AtomicU32, AtomicU64, Ordering, fence};

/// Blocks in words; the models copy multiples of 8 bytes only.
struct Words(Vec<AtomicU64>);

impl Memory for Words {
    fn copy_in(&self, offset: usize, from: &[u8]) {
        assert!(offset % 8 == 0 && from.len() % 8 == 0);
        for (word, bytes) in self.0[offset / 8..].iter().zip(from.chunks_exact(8)) {
            word.store(u64::from_le_bytes(bytes.try_into().unwrap()), Ordering::Relaxed);
        }
    }
    fn copy_out(&self, offset: usize, to: &mut [u8]) {
        assert!(offset % 8 == 0 && to.len() % 8 == 0);
        for (word, bytes) in self.0[offset / 8..].iter().zip(to.chunks_exact_mut(8)) {
            bytes.copy_from_slice(&word.load(Ordering::Relaxed).to_le_bytes());
        }
    }
}

struct Slot {
    header: Header,
    lanes: Vec<Lane>,
    owners: Vec<AtomicU32>,
    blocks: Words,
    /// The kernel's side of the futex: how many sleep, and how many of them were let go.
    sleepers: Mutex<(u32, u32)>,
    bell: Condvar,
}

impl Slot {
    fn new() -> Arc<Slot> {
        let header = Header::new();
        header.describe(&Description { cookie: [1, 2], longest: 0 });
        Arc::new(Slot {
            header,
            lanes: (0..LANES).map(|_| Lane::new()).collect(),
            owners: (0..BLOCKS).map(|_| AtomicU32::new(0)).collect(),
            blocks: Words((0..BLOCKS * BLOCK / 8).map(|_| AtomicU64::new(0)).collect()),
            sleepers: Mutex::new((0, 0)),
            bell: Condvar::new(),
        })
    }

    fn post(&self) -> Post<'_, Words> {
        Post::new(&self.header, &self.lanes, &self.owners, &self.blocks)
    }

    /// Opens a lane and writes messages of one word.
    fn writer(&self, row: usize) -> LaneWriter {
        self.post().open_lane(row, 1).expect("a free block")
    }

    fn write(&self, writer: &mut LaneWriter, what: u64) {
        self.publish(writer, what);
        if doze::is_announced(self.header.word()) {
            self.wake();
        }
    }

    /// As far as a writer comes that is killed before it looks who sleeps.
    fn publish(&self, writer: &mut LaneWriter, what: u64) {
        let message = what.to_le_bytes();
        if writer.write(&self.post(), &message) == Err(Refused::Full) {
            assert!(writer.extend(&self.post(), 8, &mut |_, _| true), "there are blocks");
            writer.write(&self.post(), &message).unwrap();
        }
        fence(Ordering::SeqCst);
        self.post().tell(writer.row());
    }

    /// What the kernel does when whoever publishes asks for it: it changes the word and wakes all, in one step.
    fn wake(&self) {
        let mut sleepers = self.sleepers.lock().unwrap();
        self.header.word().fetch_add(1, Ordering::SeqCst);
        sleepers.1 += sleepers.0;
        sleepers.0 = 0;
        self.bell.notify_all();
    }

    /// What the kernel does for a writer that is killed: it wakes one, and changes nothing.
    fn wake_for_the_dead(&self) {
        let mut sleepers = self.sleepers.lock().unwrap();
        if sleepers.0 > 0 {
            sleepers.0 -= 1;
            sleepers.1 += 1;
            self.bell.notify_one();
        }
    }

    fn take(&self, picture: &mut Picture) -> Option<u64> {
        let (mut buffer, mut ended) = ([0; 8], Vec::new());
        let taken = picture.take(&self.post(), &mut buffer, &mut |row| ended.push(row));
        for row in ended {
            self.post().free_lane(row, false);
        }
        match taken {
            Taken::Message(8) => Some(u64::from_le_bytes(buffer)),
            Taken::Empty => None,
            other => panic!("messages have 8 bytes: {other:?}"),
        }
    }

    /// At most two.
    fn take_many(&self, picture: &mut Picture) -> Vec<u64> {
        let mut batch = Batch::default();
        picture.take_many(&self.post(), &mut batch, (2, 1024), &mut |_| {});
        batch.messages().map(|message| u64::from_le_bytes(message.try_into().unwrap())).collect()
    }

    /// Waits as the engine does.
    fn read(&self, picture: &mut Picture) -> u64 {
        loop {
            let seen = doze::announce(self.header.word());
            // As the engine does: a writer may have been killed before it marked its lane.
            picture.doubt(&self.post());
            if let Some(message) = self.take(picture) {
                return message;
            }
            let mut sleepers = self.sleepers.lock().unwrap();
            if self.header.word().load(Ordering::SeqCst) != seen {
                continue;
            }
            sleepers.0 += 1;
            while sleepers.1 == 0 {
                sleepers = self.bell.wait(sleepers).unwrap();
            }
            sleepers.1 -= 1;
        }
    }
}

/// S9: a write that began after another had returned is read after it, whatever lanes they took.
#[test]
fn what_was_written_before_is_read_before() {
    loom::model(|| {
        let slot = Slot::new();
        let (mut one, mut two) = (slot.writer(0), slot.writer(1));
        let returned = Arc::new(AtomicU32::new(0));
        let first = {
            let (slot, returned) = (slot.clone(), returned.clone());
            thread::spawn(move || {
                slot.write(&mut one, 1);
                returned.store(1, Ordering::Release);
            })
        };
        let second = {
            let slot = slot.clone();
            thread::spawn(move || {
                let after = returned.load(Ordering::Acquire) == 1;
                slot.write(&mut two, if after { 3 } else { 2 });
            })
        };
        let mut picture = Picture::new(7);
        let mut seen = Vec::new();
        for _ in 0..2 {
            seen.extend(slot.take(&mut picture));
        }
        first.join().unwrap();
        second.join().unwrap();
        while let Some(message) = slot.take(&mut picture) {
            seen.push(message);
        }
        assert_eq!(seen.len(), 2, "each message once");
        assert_ne!(seen, [3, 1], "the one that began later came first");
    });
}

/// S9 with runs: a lane that goes on after the other had something in between is behind that.
#[test]
fn what_one_lane_gets_later_is_behind_what_another_had_before() {
    for many in [false, true] {
        loom::model(move || {
            let slot = Slot::new();
            let (mut one, mut two) = (slot.writer(0), slot.writer(1));
            let returned = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
            let first = {
                let (slot, returned) = (slot.clone(), returned.clone());
                thread::spawn(move || {
                    slot.write(&mut one, 1);
                    returned[0].store(1, Ordering::Release);
                    let after = returned[1].load(Ordering::Acquire) == 1;
                    slot.write(&mut one, if after { 4 } else { 3 });
                })
            };
            let second = {
                let (slot, returned) = (slot.clone(), returned.clone());
                thread::spawn(move || {
                    let after = returned[0].load(Ordering::Acquire) == 1;
                    slot.write(&mut two, if after { 6 } else { 5 });
                    returned[1].store(1, Ordering::Release);
                })
            };
            let mut picture = Picture::new(7);
            let mut seen = Vec::new();
            if many {
                seen.extend(slot.take_many(&mut picture));
            } else {
                seen.extend(slot.take(&mut picture));
                seen.extend(slot.take(&mut picture));
            }
            first.join().unwrap();
            second.join().unwrap();
            while let Some(message) = slot.take(&mut picture) {
                seen.push(message);
            }
            assert_eq!(seen.len(), 3, "each message once: {seen:?}");
            let at = |what| seen.iter().position(|message| *message == what);
            let (other, last) = (at(5).or(at(6)), at(3).or(at(4)));
            assert!(at(1) < last, "one lane in its order: {seen:?}");
            assert!(at(6).is_none_or(|at6| at(1) < Some(at6)), "6 began after 1: {seen:?}");
            assert!(at(4).is_none_or(|at4| other < Some(at4)), "4 began after 5 or 6: {seen:?}");
        });
    }
}

/// A reader that sleeps is woken by whoever publishes: loom reports a deadlock.
#[test]
fn a_sleeping_reader_gets_every_message() {
    loom::model(|| {
        let slot = Slot::new();
        let (mut one, mut two) = (slot.writer(0), slot.writer(1));
        let others = {
            let slot = slot.clone();
            thread::spawn(move || slot.write(&mut two, 2))
        };
        let reader = {
            let slot = slot.clone();
            thread::spawn(move || {
                let mut picture = Picture::new(7);
                slot.read(&mut picture) + slot.read(&mut picture)
            })
        };
        slot.write(&mut one, 1);
        others.join().unwrap();
        assert_eq!(reader.join().unwrap(), 3);
    });
}

/// What a writer that is killed at any moment had not woken for anybody keeps no reader from what others write:
/// wherever the reader is between its look and its sleep. And its message comes no later than theirs.
#[test]
fn a_killed_writer_takes_no_wake_up_with_it() {
    for kernel in [false, true] {
        loom::model(move || {
            let slot = Slot::new();
            let (mut killed, mut other) = (slot.writer(0), slot.writer(1));
            let dying = {
                let slot = slot.clone();
                thread::spawn(move || {
                    slot.publish(&mut killed, 1);
                    // It may have seen that somebody sleeps, or not: it does nothing any more.
                    doze::is_announced(slot.header.word());
                    if kernel {
                        slot.wake_for_the_dead();
                    }
                })
            };
            let reader = {
                let slot = slot.clone();
                thread::spawn(move || {
                    let mut picture = Picture::new(7);
                    let mut got = [slot.read(&mut picture), slot.read(&mut picture)];
                    got.sort_unstable();
                    got
                })
            };
            dying.join().unwrap();
            slot.write(&mut other, 2);
            assert_eq!(reader.join().unwrap(), [1, 2]);
        });
    }
}

/// S27: two readers that sleep on one word; one that wakes, takes a message and never comes back owes nothing.
#[test]
fn a_reader_that_goes_owes_the_other_nothing() {
    loom::model(|| {
        let slot = Slot::new();
        let turn = Arc::new(Mutex::new(Picture::new(7)));
        let mut one = slot.writer(0);
        let readers = [(); 2].map(|()| {
            let (slot, turn) = (slot.clone(), turn.clone());
            thread::spawn(move || {
                loop {
                    let seen = doze::announce(slot.header.word());
                    {
                        let mut picture = turn.lock().unwrap();
                        picture.doubt(&slot.post());
                        if let Some(message) = slot.take(&mut picture) {
                            return message;
                        }
                    }
                    let mut sleepers = slot.sleepers.lock().unwrap();
                    if slot.header.word().load(Ordering::SeqCst) != seen {
                        continue;
                    }
                    sleepers.0 += 1;
                    while sleepers.1 == 0 {
                        sleepers = slot.bell.wait(sleepers).unwrap();
                    }
                    sleepers.1 -= 1;
                }
            })
        });
        slot.write(&mut one, 1);
        slot.write(&mut one, 2);
        let got: u64 = readers.map(|reader| reader.join().unwrap()).into_iter().sum();
        assert_eq!(got, 3);
    });
}

/// Blocks go round between a writer that needs more of them and the reader that gives them back.
#[test]
fn blocks_that_were_read_are_written_again() {
    loom::model(|| {
        let slot = Slot::new();
        let mut one = slot.writer(0);
        let writer = {
            let slot = slot.clone();
            thread::spawn(move || {
                for what in 1..=3 {
                    slot.write(&mut one, what);
                }
                slot.post().close_lane(&one);
            })
        };
        let mut picture = Picture::new(7);
        let mut next = 1;
        for _ in 0..2 {
            if let Some(message) = slot.take(&mut picture) {
                assert_eq!(message, next);
                next += 1;
            }
        }
        writer.join().unwrap();
        while let Some(message) = slot.take(&mut picture) {
            assert_eq!(message, next);
            next += 1;
        }
        assert_eq!(next, 4);
        assert!(slot.post().is_free(0), "S17: read to its end, and free");
    });
}
