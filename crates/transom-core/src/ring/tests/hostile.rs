//! A peer that writes anything into any word and any byte, also in the middle of an operation: every answer is
//! allowed, but no panic, no access outside the data (`Bytes` would panic) and no endless loop.

use super::*;
use core::cell::Cell;
use proptest::collection::vec;
use proptest::prelude::*;

/// One act of the peer.
#[derive(Debug, Clone)]
enum Harm {
    /// A word of 64 bits: which, and what it becomes.
    Long(usize, Value),
    /// A word of 32 bits.
    Short(usize, Value),
    Data(usize, Vec<u8>),
    /// A record's header.
    Header(usize, u32, bool),
}

#[derive(Debug, Clone)]
enum Value {
    Absolute(u64),
    /// Near to what it was.
    Relative(i8),
    /// Near to another word.
    Other(usize, i8),
}

fn value() -> impl Strategy<Value = Value> {
    let edge =
        prop_oneof![Just(0u64), Just(u64::MAX), Just(1 << 63), Just(u64::from(u32::MAX)), any::<u64>()];
    prop_oneof![
        1 => edge.prop_map(Value::Absolute),
        2 => (0u64..300).prop_map(Value::Absolute),
        3 => any::<i8>().prop_map(Value::Relative),
        2 => (any::<usize>(), -9i8..9).prop_map(|(which, near)| Value::Other(which, near)),
    ]
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        4 => (any::<usize>(), value()).prop_map(|(which, value)| Harm::Long(which, value)),
        3 => (any::<usize>(), value()).prop_map(|(which, value)| Harm::Short(which, value)),
        1 => (any::<usize>(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Harm::Data(at, bytes)),
        2 => (any::<usize>(), prop_oneof![0u32..100, any::<u32>()], any::<bool>())
            .prop_map(|(at, len, pad)| Harm::Header(at, len, pad)),
    ]
}

#[derive(Debug, Clone)]
enum Act {
    Harm(Harm),
    /// Happens at the given access to the data from now on.
    Later(usize, Harm),
    Write(usize, Limit),
    Stream,
    Abandon,
    Loan(usize),
    Read(usize, usize, Mode, bool),
    Borrow(usize, bool),
    Peek(usize, bool),
    Poll,
    Withdraw,
    Sweep(u32),
    Recover,
}

fn act() -> impl Strategy<Value = Act> {
    let len = prop_oneof![0usize..40, 0usize..400];
    let limit = prop_oneof![Just(Limit::Quota), Just(Limit::NoWait), Just(Limit::Physical)];
    let mode = prop_oneof![Just(Mode::Bytes), Just(Mode::Message)];
    prop_oneof![
        6 => harm().prop_map(Act::Harm),
        4 => (0usize..4, harm()).prop_map(|(when, harm)| Act::Later(when, harm)),
        4 => (len.clone(), limit).prop_map(|(len, limit)| Act::Write(len, limit)),
        2 => Just(Act::Stream),
        1 => Just(Act::Abandon),
        1 => len.clone().prop_map(Act::Loan),
        5 => (len.clone(), 0usize..9, mode, any::<bool>())
            .prop_map(|(len, taken, mode, dead)| Act::Read(len, taken, mode, dead)),
        2 => (len.clone(), any::<bool>()).prop_map(|(len, dead)| Act::Borrow(len, dead)),
        2 => (len, any::<bool>()).prop_map(|(len, dead)| Act::Peek(len, dead)),
        2 => Just(Act::Poll),
        1 => Just(Act::Withdraw),
        1 => (0u32..5).prop_map(Act::Sweep),
        1 => Just(Act::Recover),
    ]
}

/// Data whose every access may come with an act of the peer.
struct Trap<'a> {
    control: &'a Control,
    bytes: Bytes,
    later: RefCell<Vec<(usize, Harm)>>,
    accesses: Cell<usize>,
}

impl Trap<'_> {
    fn spring(&self) {
        self.accesses.set(self.accesses.get() + 1);
        assert!(self.accesses.get() < 5_000, "it does not end");
        let mut due = Vec::new();
        self.later.borrow_mut().retain_mut(|(when, harm)| {
            let now = *when == 0;
            if now {
                due.push(harm.clone());
            }
            *when = when.saturating_sub(1);
            !now
        });
        due.iter().for_each(|harm| self.apply(harm));
    }

    fn apply(&self, harm: &Harm) {
        let control = self.control;
        let journals = [&control.written, &control.consumed];
        let words = journals.iter().flat_map(|j| j.copies.iter().flatten().chain([&j.mark]));
        let slots = control.slots.iter().take(3).flat_map(|slot| [&slot.start, &slot.payload_start]);
        let longs: Vec<_> = words.chain([&control.messages_read]).chain(slots).collect();
        let slots = control.slots.iter().take(3);
        let slots = slots.flat_map(|slot| [&slot.state, &slot.holder, &slot.length, &slot.ring]);
        let shorts: Vec<_> =
            [&control.pending, &control.demand, &control.pending].into_iter().chain(slots).collect();
        let become_value = |old: u64, value: &Value| match *value {
            Value::Absolute(value) => value,
            Value::Relative(near) => old.wrapping_add_signed(near.into()),
            Value::Other(which, near) => {
                let other = longs[which % longs.len()].load(Ordering::Relaxed);
                other.wrapping_add_signed(near.into())
            }
        };
        match harm {
            Harm::Long(which, value) => {
                let word = longs[which % longs.len()];
                word.store(become_value(word.load(Ordering::Relaxed), value), Ordering::Relaxed);
            }
            Harm::Short(which, value) => {
                let word = shorts[which % shorts.len()];
                word.store(
                    become_value(word.load(Ordering::Relaxed).into(), value) as u32,
                    Ordering::Relaxed,
                );
            }
            Harm::Data(at, with) => {
                let mut bytes = self.bytes.0.borrow_mut();
                let len = bytes.len();
                with.iter().enumerate().for_each(|(i, byte)| bytes[at.wrapping_add(i) % len] = *byte);
            }
            Harm::Header(at, len, pad) => {
                let mut bytes = self.bytes.0.borrow_mut();
                let at = at % (bytes.len() / 8) * 8;
                let header = record(*len, if *pad { PAD } else { DATA });
                bytes[at..at + 8].copy_from_slice(&header.to_le_bytes());
            }
        }
    }
}

impl Memory for Trap<'_> {
    fn copy_in(&self, offset: usize, from: &[u8]) {
        self.spring();
        self.bytes.copy_in(offset, from);
    }
    fn copy_out(&self, offset: usize, to: &mut [u8]) {
        self.spring();
        self.bytes.copy_out(offset, to);
    }
}

/// What the honest side holds between its operations.
#[derive(Default)]
struct Held {
    heads: HeadCache,
    tails: TailCache,
    tickets: Vec<Ticket>,
    stream: Option<(Stream, Vec<u8>)>,
}

fn play(act: Act, trap: &Trap<'_>, shape: Shape, held: &mut Held) -> Result<(), Corrupt> {
    let queue = Queue::new(trap.control, trap, shape);
    trap.accesses.set(0);
    match act {
        Act::Harm(harm) => trap.apply(&harm),
        Act::Later(when, harm) => trap.later.borrow_mut().push((when, harm)),
        Act::Write(len, limit) if held.stream.is_none() => {
            let bytes = pattern(len);
            let mut writer = queue.swift_writer(&held.heads);
            if writer.write_swiftly(&bytes) {
                writer.publish();
                return Ok(());
            }
            let mut writer = queue.writer(&held.heads)?;
            let written = writer.write(&bytes, limit, ROW)?;
            writer.publish();
            match written {
                Written::Waiting(ticket) => held.tickets.push(ticket),
                Written::Streaming(stream) => held.stream = Some((stream, bytes)),
                _ => {}
            }
        }
        Act::Write(..) | Act::Stream => {
            let Some((mut stream, bytes)) = held.stream.take() else { return Ok(()) };
            match queue.writer(&held.heads)?.stream(&mut stream, &[&bytes])? {
                Streamed::Through(ticket) => held.tickets.push(ticket),
                Streamed::Blocked { .. } => held.stream = Some((stream, bytes)),
            }
        }
        Act::Abandon => {
            if let Some((stream, _)) = held.stream.take() {
                queue.writer(&held.heads)?.abandon(stream)?;
            }
        }
        Act::Loan(len) => {
            let mut writer = queue.swift_writer(&held.heads);
            if let Some(loan) = writer.loan_swiftly(len) {
                assert!(loan.offset + loan.len <= shape.capacity() as usize);
                if writer.commit_swiftly(&loan, len) {
                    writer.publish();
                    return Ok(());
                }
            }
            let mut writer = queue.writer(&held.heads)?;
            if let Loaned::Ready(loan) = writer.loan(len)? {
                assert!(loan.offset + loan.len <= shape.capacity() as usize);
                let len = loan.len;
                let _ = writer.commit(&loan, len, Limit::NoWait, ROW)?;
                writer.publish();
            }
        }
        Act::Read(len, taken, mode, dead) => {
            let mut buffer = vec![0; len];
            let mut early = held.tails.early();
            queue.read_early(&mut early, &mut buffer);
            let mut reader = queue.swift_reader(&held.tails);
            if taken == 0
                && let Some(got) = reader.read_swiftly(&mut buffer, mode, &early)
            {
                assert!(got <= len);
                reader.publish();
                return Ok(());
            }
            let mut reader = queue.reader(&held.tails)?;
            let read = reader.read(&mut buffer, taken, mode, |_| dead)?;
            reader.publish();
            if let Read::Got { len, .. } | Read::Part { taken: len } = read {
                assert!(len <= buffer.len());
            }
        }
        Act::Borrow(taken, dead) => {
            let inside = |(offset, len): (usize, usize)| offset + len <= shape.capacity() as usize;
            if let Some(lent) = queue.swift_reader(&held.tails).borrow_swiftly() {
                assert!(lent.parts.into_iter().all(inside));
                let mut reader = queue.swift_reader(&held.tails);
                if taken >= lent.len && reader.give_back_swiftly(&lent) {
                    reader.publish();
                } else {
                    let mut reader = queue.resume(&held.tails, &lent)?;
                    reader.give_back(lent, taken)?;
                    reader.publish();
                }
                return Ok(());
            }
            let mut reader = queue.reader(&held.tails)?;
            if let Borrow::Lent(lent) = reader.borrow(|_| dead)? {
                assert!(lent.parts.into_iter().all(inside));
                reader.give_back(lent, taken)?;
            }
            reader.publish();
        }
        Act::Peek(len, dead) => {
            let peeked = queue.peek(&mut vec![0; len], |_| dead)?;
            assert!(!matches!(peeked, Peeked::Seen(peek) if peek.copied > len));
            queue.is_drained()?;
        }
        Act::Poll => held.tickets.retain(|ticket| queue.poll(ticket) == Ok(Progress::Waiting)),
        Act::Withdraw => {
            if let Some(ticket) = held.tickets.pop() {
                queue.withdraw(ticket);
            }
        }
        Act::Sweep(row) => {
            queue.sweep(|holder| holder == row);
        }
        Act::Recover => {
            queue.recover_writer()?;
            queue.recover_reader()?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_a_peer_writes_does_harm(
        message: bool,
        quota in 0u32..150,
        capacity in prop_oneof![Just(64usize), Just(256)],
        acts in vec(act(), 1..60),
    ) {
        let control = Control::new();
        let bytes = Bytes(RefCell::new(vec![0; capacity]));
        let trap = Trap { control: &control, bytes, later: RefCell::default(), accesses: Cell::new(0) };
        let shape = Shape::new(message, quota, capacity as u64).unwrap();
        let mut held = Held::default();
        let mut corrupt = 0;
        for act in acts {
            corrupt += usize::from(play(act, &trap, shape, &mut held) == Err(Corrupt));
        }
        // Nonsense never makes the honest side worse than useless: with the words reset it works again.
        control.reset();
        let (heads, tails) = (HeadCache::new(), TailCache::new());
        trap.later.borrow_mut().clear();
        trap.accesses.set(0);
        let queue = Queue::new(&control, &trap, shape);
        let mut writer = queue.writer(&heads).unwrap();
        prop_assert!(matches!(writer.write(b"x", Limit::Physical, ROW), Ok(Written::Done)));
        writer.publish();
        let mut buffer = [0; 2];
        let read = queue.reader(&tails).unwrap().read(&mut buffer, 0, Mode::Message, |_| false);
        prop_assert_eq!((read, buffer), (Ok(whole(1)), *b"x\0"), "after {} times Corrupt", corrupt);
    }
}
