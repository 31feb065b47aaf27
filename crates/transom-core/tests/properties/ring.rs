//! A queue against a naive one: a list of writes, each with the bytes nobody has read yet. Everything that can
//! happen to a queue in one thread, in any order; deaths are steps that are left out.

use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use transom_core::ring::{
    Borrow, Control, Early, HeadCache, Limit, Loaned, Memory, Mode, Peeked, Progress, Queue, Read, Shape,
    Stream, Streamed, TailCache, Ticket, Withdrawal, Written, layout::SLOTS,
};

struct Bytes(RefCell<Vec<u8>>);

impl Memory for Bytes {
    fn copy_in(&self, offset: usize, from: &[u8]) {
        self.0.borrow_mut()[offset..offset + from.len()].copy_from_slice(from);
    }
    fn copy_out(&self, offset: usize, to: &mut [u8]) {
        to.copy_from_slice(&self.0.borrow()[offset..offset + to.len()]);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Write(usize, Limit),
    Loan(usize),
    Batch(usize, usize),
    Stream,
    Abandon,
    Read(usize, Mode),
    Borrow(usize),
    Peek(usize),
    Cancel(usize),
    /// A process with a waiting or streaming write dies: seen by the next reader, or by a sweep.
    Kill(usize, bool),
    /// A writer dies before it publishes.
    DyingWrite(usize),
    /// A reader dies before it publishes.
    DyingRead(usize, Mode),
    Skip,
}

fn step() -> impl Strategy<Value = Step> {
    let len = prop_oneof![3 => 0usize..40, 1 => 0usize..400];
    let limit = prop_oneof![4 => Just(Limit::Quota), 1 => Just(Limit::NoWait), 1 => Just(Limit::Physical)];
    let mode = prop_oneof![Just(Mode::Bytes), Just(Mode::Message)];
    prop_oneof![
        8 => (len.clone(), limit).prop_map(|(len, limit)| Step::Write(len, limit)),
        2 => (0usize..80).prop_map(Step::Loan),
        1 => (0usize..20, 0usize..8).prop_map(|(len, count)| Step::Batch(len, count)),
        4 => Just(Step::Stream),
        1 => Just(Step::Abandon),
        8 => (len.clone(), mode.clone()).prop_map(|(len, mode)| Step::Read(len, mode)),
        2 => (0usize..80).prop_map(Step::Borrow),
        3 => len.clone().prop_map(Step::Peek),
        2 => any::<usize>().prop_map(Step::Cancel),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(which, sweep)| Step::Kill(which, sweep)),
        1 => len.clone().prop_map(Step::DyingWrite),
        1 => (len, mode).prop_map(|(len, mode)| Step::DyingRead(len, mode)),
        1 => Just(Step::Skip),
    ]
}

/// One write that is not read completely.
struct Item {
    left: VecDeque<u8>,
    /// Ring bytes that it can still take.
    ring: u64,
    ticket: Option<Ticket>,
    stream: Option<(Stream, Vec<u8>)>,
    /// Nobody will read what is left of it.
    gone: bool,
    row: u32,
}

struct World {
    control: Control,
    data: Bytes,
    shape: Shape,
    heads: HeadCache,
    tails: TailCache,
    items: VecDeque<Item>,
    next_byte: u8,
    next_row: u32,
    /// A row whose process is dead.
    dead: Option<u32>,
    /// What a reader took of a message that is still being written.
    taken: Vec<u8>,
}

impl World {
    fn new(message: bool, quota: u32, capacity: usize) -> World {
        World {
            control: Control::new(),
            data: Bytes(RefCell::new(vec![0; capacity])),
            shape: Shape::new(message, quota, capacity as u64).unwrap(),
            heads: HeadCache::new(),
            tails: TailCache::new(),
            items: VecDeque::new(),
            next_byte: 0,
            next_row: 0,
            dead: None,
            taken: Vec::new(),
        }
    }

    fn queue(&self) -> Queue<'_, Bytes> {
        Queue::new(&self.control, &self.data, self.shape)
    }

    fn fresh(&mut self, len: usize) -> Vec<u8> {
        let first = self.next_byte;
        self.next_byte = first.wrapping_add(len as u8).wrapping_add(1);
        (0..len).map(|i| first.wrapping_add(i as u8)).collect()
    }

    fn unread(&self) -> u64 {
        self.items.iter().filter(|item| !item.gone).map(|item| item.left.len() as u64).sum()
    }

    fn streams(&self) -> bool {
        self.items.iter().any(|item| item.stream.is_some())
    }

    fn slots_in_use(&self) -> usize {
        let in_use = |item: &&Item| item.ticket.is_some() || item.stream.is_some() || item.gone;
        self.items.iter().filter(in_use).count()
    }

    fn ring_bytes(&self, len: usize) -> u64 {
        if self.shape.is_message() { 8 + (len as u64).next_multiple_of(8) } else { len as u64 }
    }

    fn push(&mut self, bytes: &[u8], row: u32) -> &mut Item {
        let ring = self.ring_bytes(bytes.len());
        let left = bytes.iter().copied().collect();
        self.items.push_back(Item { left, ring, ticket: None, stream: None, gone: false, row });
        self.items.back_mut().unwrap()
    }

    fn write(&mut self, len: usize, limit: Limit, publish: bool) {
        let (bytes, row) = (self.fresh(len), self.next_row);
        self.next_row += 1;
        let (unread, ring) = (self.unread(), self.ring_bytes(len));
        let within = unread + len as u64 <= u64::from(self.shape.quota());
        let within = within || len == 0 || limit == Limit::Physical;
        // What is read of an item may not be given back yet, so this is the least room there is.
        let room = self.items.iter().map(|item| item.ring).sum::<u64>() + ring <= self.shape.capacity();
        // By the short way, as far as it goes, every second time.
        let swift = row.is_multiple_of(2) && {
            let mut writer = self.queue().swift_writer(&self.heads);
            let done = writer.write_swiftly(&bytes);
            if publish {
                writer.publish();
            }
            done
        };
        let written = if swift {
            Written::Done
        } else {
            let mut writer = self.queue().writer(&self.heads).unwrap();
            let written = writer.write(&bytes, limit, row).unwrap();
            if publish {
                writer.publish();
            }
            written
        };
        match written {
            Written::Done => {
                assert!(within, "P34");
                if publish && (len > 0 || self.shape.is_message()) {
                    self.push(&bytes, row);
                }
                if !publish {
                    self.queue().recover_writer().unwrap();
                }
            }
            Written::Waiting(ticket) => {
                assert!(!within && limit == Limit::Quota, "P34");
                self.push(&bytes, row).ticket = Some(ticket);
            }
            Written::Streaming(stream) => {
                assert!(!room && limit != Limit::NoWait);
                let item = self.push(&bytes, row);
                item.stream = Some((stream, bytes));
            }
            Written::Refused => assert!(limit == Limit::NoWait && !(within && room), "P42"),
            Written::NoSpace => assert!(len == 0 && !room),
            Written::NoSlot => assert!(self.slots_in_use() >= SLOTS),
            Written::TooLong => panic!("{len} bytes are not too long"),
        }
    }

    fn loan(&mut self, len: usize) {
        let (bytes, row, unread) = (self.fresh(len), self.next_row, self.unread());
        self.next_row += 1;
        let written = {
            let mut writer = self.queue().writer(&self.heads).unwrap();
            let Loaned::Ready(loan) = writer.loan(len).unwrap() else { return };
            assert!(loan.len == len || !self.shape.is_message());
            let (offset, len) = (loan.offset, loan.len);
            self.data.0.borrow_mut()[offset..offset + len].copy_from_slice(&bytes[..len]);
            let written = writer.commit(&loan, len, Limit::Quota, row).unwrap();
            writer.publish();
            (written, len)
        };
        let (written, len) = written;
        let within = unread + len as u64 <= u64::from(self.shape.quota());
        let capacity = self.shape.capacity();
        let ticket = match written {
            Written::Done => None,
            Written::Waiting(ticket) => Some(ticket),
            Written::NoSlot => return assert!(self.slots_in_use() >= SLOTS),
            other => panic!("a loan has its room: {other:?}"),
        };
        assert_eq!(ticket.is_none(), within, "P34");
        let item = self.push(&bytes[..len], row);
        // How much of it is padding is not known here.
        (item.ring, item.ticket) = (capacity, ticket);
    }

    fn stream(&mut self) {
        let Some(at) = self.items.iter().position(|item| item.stream.is_some()) else { return };
        let (mut stream, bytes) = self.items[at].stream.take().unwrap();
        let streamed = {
            let mut writer = self.queue().writer(&self.heads).unwrap();
            writer.stream(&mut stream, &[&bytes]).unwrap()
        };
        match streamed {
            Streamed::Blocked { .. } => self.items[at].stream = Some((stream, bytes)),
            Streamed::Through(ticket) => self.items[at].ticket = Some(ticket),
        }
    }

    fn abandon(&mut self) {
        let Some(at) = self.items.iter().position(|item| item.stream.is_some()) else { return };
        let (stream, _) = self.items[at].stream.take().unwrap();
        let mut writer = self.queue().writer(&self.heads).unwrap();
        assert_eq!(writer.abandon(stream), Ok(Withdrawal::Withdrawn));
        self.items[at].gone = true;
    }

    fn cancel(&mut self, which: usize) {
        let waiting: Vec<_> = (0..self.items.len()).filter(|at| self.items[*at].ticket.is_some()).collect();
        if !waiting.is_empty() {
            let at = waiting[which % waiting.len()];
            let ticket = self.items[at].ticket.take().unwrap();
            assert_eq!(self.queue().withdraw(ticket), Withdrawal::Withdrawn);
            self.items[at].gone = true;
        }
    }

    fn kill(&mut self, which: usize, sweep: bool) {
        let waits = |item: &Item| item.ticket.is_some() || item.stream.is_some();
        let waiting: Vec<_> = (0..self.items.len()).filter(|at| waits(&self.items[*at])).collect();
        if waiting.is_empty() {
            return;
        }
        let at = waiting[which % waiting.len()];
        let row = self.items[at].row;
        let item = &mut self.items[at];
        item.gone = true;
        if item.stream.take().is_some() {
            assert!(self.queue().sweep(|holder| holder == row).streaming);
            self.queue().recover_writer().unwrap();
            return;
        }
        let ticket = item.ticket.take().unwrap();
        if sweep || at != 0 {
            assert_eq!(self.queue().sweep(|holder| holder == row).withdrawn, 1, "P38");
            assert_eq!(self.queue().poll(&ticket), Ok(Progress::Withdrawn));
        } else {
            // The reader comes upon it and asks.
            self.dead = Some(row);
            self.read(3, Mode::Bytes, true);
        }
    }

    /// Forgets what is read or withdrawn at the head.
    fn trim(&mut self) {
        while self.items.front().is_some_and(|item| item.gone) {
            self.items.pop_front();
            // It takes with it what a reader had of it.
            self.taken.clear();
        }
    }

    /// Takes `len` bytes as the reader did, over empty messages between them.
    fn take(&mut self, mut len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while len > 0 {
            self.trim();
            let item = self.items.front_mut().expect("as many bytes as were read");
            let n = len.min(item.left.len());
            bytes.extend(item.left.drain(..n));
            len -= n;
            if item.left.is_empty() {
                self.finish_front();
            }
        }
        bytes
    }

    /// The first item is read to its end, which completes it if it waits.
    fn finish_front(&mut self) {
        let item = self.items.pop_front().unwrap();
        if let Some(ticket) = item.ticket {
            assert_eq!(self.queue().poll(&ticket), Ok(Progress::Done), "P34");
        }
    }

    fn read(&mut self, len: usize, mode: Mode, publish: bool) {
        let message = mode == Mode::Message && self.shape.is_message();
        if publish {
            self.trim();
        }
        if !message || !publish {
            // Another reader comes, and what the one before took is its own.
            self.taken.clear();
        }
        let taken = self.taken.len();
        let mut buffer = vec![0xEE; len.max(taken)];
        buffer[..taken].copy_from_slice(&self.taken);
        let dead = self.dead;
        let swift = (len.is_multiple_of(2) && taken == 0).then(|| {
            let mut reader = self.queue().swift_reader(&self.tails);
            let got = reader.read_swiftly(&mut buffer, mode, &Early::default());
            if publish {
                reader.publish();
            }
            got.map(|len| Read::Got { len, complete: true })
        });
        let read = swift.flatten().unwrap_or_else(|| {
            let mut reader = self.queue().reader(&self.tails).unwrap();
            let read = reader.read(&mut buffer, taken, mode, |row| dead == Some(row)).unwrap();
            if publish {
                reader.publish();
            }
            read
        });
        if !publish {
            return self.queue().recover_reader().unwrap();
        }
        let first = self.items.front().map(|item| item.left.len());
        let front_streams = self.items.front().is_some_and(|item| item.stream.is_some());
        match read {
            Read::Got { len: got, complete } if message => {
                assert!(got >= taken, "it lost what it had taken");
                let new = got - taken;
                assert_eq!(complete, Some(new) == first, "P27");
                assert!(complete || got == buffer.len(), "P27");
                let mut whole = core::mem::take(&mut self.taken);
                whole.extend(self.take(new));
                assert_eq!(buffer[..got], whole);
                if got == 0 && complete {
                    self.finish_front();
                }
            }
            Read::Part { taken: got } => {
                assert!(front_streams && message);
                let new = self.take(got - taken);
                self.taken.extend(new);
                assert_eq!(buffer[..got], self.taken);
            }
            Read::Got { len: got, complete } => {
                assert!(complete);
                // Bytes cross boundaries; what is read is all there is, or fills the buffer.
                let there = self.unread() as usize;
                assert!(got == there.min(buffer.len()) || self.streams() || first == Some(0), "P22");
                let hollow = got == 0 && self.shape.is_message() && first == Some(0);
                assert_eq!(buffer[..got], self.take(got));
                if hollow {
                    self.finish_front();
                }
            }
            Read::Empty => assert!(self.items.is_empty() || front_streams),
            Read::Recover { .. } => panic!("recovery came with the death"),
        }
    }

    fn borrow(&mut self, take: usize) {
        self.trim();
        self.taken.clear();
        let dead = self.dead;
        let lent = {
            let mut reader = self.queue().reader(&self.tails).unwrap();
            let borrowed = reader.borrow(|row| dead == Some(row)).unwrap();
            reader.publish();
            let Borrow::Lent(lent) = borrowed else {
                assert!(self.items.is_empty() || self.streams());
                return;
            };
            let data = self.data.0.borrow();
            let bytes = lent.parts.map(|(offset, len)| data[offset..offset + len].to_vec()).concat();
            drop(data);
            assert_eq!(bytes.len(), lent.len);
            let (take, hollow) = (take.min(lent.len), lent.len == 0);
            assert_eq!(reader.give_back(lent, take), Ok(true));
            reader.publish();
            (bytes, take, hollow)
        };
        let (bytes, take, hollow) = lent;
        assert_eq!(bytes[..take], self.take(take));
        if hollow {
            self.finish_front();
        }
    }

    fn peek(&mut self, len: usize) {
        let mut buffer = vec![0; len];
        let dead = self.dead;
        let peeked = self.queue().peek(&mut buffer, |row| dead == Some(row)).unwrap();
        let Peeked::Seen(peek) = peeked else { panic!("nobody else is here: {peeked:?}") };
        let live: Vec<_> = self.items.iter().filter(|item| !item.gone).collect();
        let first = live.first().map_or(0, |item| item.left.len());
        let all: Vec<u8> = live.iter().flat_map(|item| item.left.iter().copied()).collect();
        let scope = if self.shape.is_message() { first } else { all.len() };
        assert_eq!(buffer[..peek.copied], all[..peek.copied], "P58");
        assert!(peek.copied == scope.min(len) || self.streams(), "P58, P59");
        let left = if self.shape.is_message() { first - peek.copied } else { 0 };
        // Of a stream whose header is not there yet nothing is left.
        assert!(peek.left == left as u64 || self.streams(), "P58, P60");
        assert_eq!(peek.drained, live.is_empty(), "P40");
    }

    /// A read that dies has completed the waiting writes whose last byte it took: not stepped here.
    fn may_die_reading(&self) -> bool {
        self.items.iter().all(|item| item.ticket.is_none())
    }

    /// What must be true after each step.
    fn check(&mut self) {
        assert_eq!(self.queue().unread(), Ok(self.unread()), "P35, P58");
        let mut before = 0;
        for at in 0..self.items.len() {
            let item = &self.items[at];
            before += if item.gone { 0 } else { item.left.len() as u64 };
            if let Some(ticket) = &item.ticket {
                let done = before <= u64::from(self.shape.quota());
                let expected = if done { Progress::Done } else { Progress::Waiting };
                assert_eq!(self.queue().poll(ticket), Ok(expected), "P34");
                if done {
                    self.items[at].ticket = None;
                }
            }
        }
    }

    fn step(&mut self, step: &Step) {
        let streams = self.streams();
        match *step {
            // The write turn is the streaming writer's.
            Step::Write(..) | Step::Loan(_) | Step::Batch(..) | Step::DyingWrite(_) if streams => {
                self.stream()
            }
            Step::Write(len, limit) => self.write(len, limit, true),
            Step::Loan(len) => self.loan(len),
            Step::Batch(len, count) => (0..count).for_each(|_| {
                if !self.streams() {
                    self.write(len, Limit::Quota, true);
                }
            }),
            Step::Stream => self.stream(),
            Step::Abandon => self.abandon(),
            Step::Read(len, mode) => self.read(len, mode, true),
            Step::Borrow(take) => self.borrow(take),
            Step::Peek(len) => self.peek(len),
            Step::Cancel(which) => self.cancel(which),
            Step::Kill(which, sweep) => self.kill(which, sweep),
            Step::DyingWrite(len) => self.write(len, Limit::NoWait, false),
            Step::DyingRead(len, mode) if self.may_die_reading() => self.read(len, mode, false),
            Step::DyingRead(..) => {}
            Step::Skip => {
                self.queue().reader(&self.tails).unwrap().skip().unwrap();
                self.trim();
            }
        }
        self.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_queue_does_what_a_naive_one_does(
        message: bool,
        quota in prop_oneof![Just(0u32), 1u32..150],
        capacity in prop_oneof![Just(64usize), Just(128), Just(256)],
        steps in vec(step(), 1..120),
    ) {
        let mut world = World::new(message, quota, capacity);
        for step in &steps {
            world.step(step);
        }
        // Whatever happened, the rest can be read to the end.
        for _ in 0..40 {
            world.stream();
            world.read(1000, Mode::Bytes, true);
            world.check();
        }
        prop_assert!(world.items.iter().all(|item| item.gone), "something is left");
        prop_assert_eq!(world.queue().is_drained(), Ok(true));
    }
}
