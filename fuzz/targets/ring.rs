//! A pipe's queue whose other side writes anything anywhere: every answer is allowed, none is a panic, an endless
//! loop or an access outside the data.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use transom_core::ring::{
    Borrow, Control, Corrupt, HeadCache, Limit, Loaned, Memory, Mode, Peeked, Progress, Queue, Read, Shape,
    Stream, Streamed, TailCache, Ticket, Written,
};

/// Data whose indexing panics outside.
struct Bytes(RefCell<Vec<u8>>);

impl Memory for Bytes {
    fn copy_in(&self, offset: usize, from: &[u8]) {
        self.0.borrow_mut()[offset..offset + from.len()].copy_from_slice(from);
    }
    fn copy_out(&self, offset: usize, to: &mut [u8]) {
        to.copy_from_slice(&self.0.borrow()[offset..offset + to.len()]);
    }
}

/// The control block as words, as the other side sees it.
fn words(control: &Control) -> &[AtomicU32] {
    let len = size_of::<Control>() / size_of::<AtomicU32>();
    // SAFETY: a control block consists of atomics and nothing else (its size is the sum of theirs), is aligned
    // beyond 4, and lives as long as the borrow. Words of different sizes are not used at the same time here.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(control).cast(), len) }
}

#[derive(Default)]
struct Held {
    heads: HeadCache,
    tails: TailCache,
    tickets: Vec<Ticket>,
    stream: Option<(Stream, Vec<u8>)>,
}

fuzz_target!(|input: &[u8]| {
    let [shape, quota, steps @ ..] = input else { return };
    let capacity = 64usize << (shape >> 1 & 3);
    let shape = Shape::new(shape & 1 != 0, u32::from(*quota), capacity as u64).expect("a power of two");
    let control = Control::new();
    let data = Bytes(RefCell::new(vec![0; capacity]));
    let queue = Queue::new(&control, &data, shape);
    let mut held = Held::default();
    for step in steps.chunks_exact(4) {
        let step = [step[0], step[1], step[2], step[3]];
        if step[0] & 0x80 == 0 {
            harm(&control, &data, step);
        } else {
            let _ = act(queue, step, &mut held);
        }
    }
});

/// One word, byte or header becomes another.
fn harm(control: &Control, data: &Bytes, [what, at, a, b]: [u8; 4]) {
    let words = words(control);
    // The lines in use, and three slots; the rest is not looked at.
    let at_word = usize::from(at) % 184;
    let word = &words[if at_word < 14 {
        at_word
    } else if at_word < 28 {
        at_word + 50
    } else {
        at_word + 100
    }];
    let old = word.load(Ordering::Relaxed);
    let value = u32::from_le_bytes([a, b, 0, 0]);
    match what & 7 {
        0 => word.store(value, Ordering::Relaxed),
        1 => word.store(old.wrapping_add_signed(i32::from(a as i8)), Ordering::Relaxed),
        2 => word.store(old ^ value << 16, Ordering::Relaxed),
        3 => word.store(
            words[usize::from(a)].load(Ordering::Relaxed).wrapping_add(u32::from(b)),
            Ordering::Relaxed,
        ),
        4 => word.store(!old, Ordering::Relaxed),
        5 => {
            let mut bytes = data.0.borrow_mut();
            let len = bytes.len();
            bytes[usize::from(at) % len] = a;
        }
        kind => {
            let mut bytes = data.0.borrow_mut();
            let at = usize::from(at) * 8 % bytes.len();
            bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            bytes[at + 4..at + 8].copy_from_slice(if kind == 6 { b"data" } else { b"pad " });
        }
    }
}

/// One operation of the honest side.
fn act(queue: Queue<'_, Bytes>, [what, len, more, row]: [u8; 4], held: &mut Held) -> Result<(), Corrupt> {
    let capacity = queue.shape().capacity() as usize;
    let len = usize::from(len) * if more & 1 == 0 { 1 } else { 4 };
    let limit = [Limit::Quota, Limit::NoWait, Limit::Physical][usize::from(more >> 1) % 3];
    let mode = if more & 8 == 0 { Mode::Message } else { Mode::Bytes };
    let dead = |holder: u32| more & 16 != 0 && holder == u32::from(row);
    match what & 15 {
        0..=2 if held.stream.is_none() => {
            let bytes = vec![row; len];
            let mut writer = queue.swift_writer(&held.heads);
            if writer.write_swiftly(&bytes) {
                writer.publish();
                return Ok(());
            }
            let mut writer = queue.writer(&held.heads)?;
            let written = writer.write(&bytes, limit, u32::from(row))?;
            writer.publish();
            match written {
                Written::Waiting(ticket) => held.tickets.push(ticket),
                Written::Streaming(stream) => held.stream = Some((stream, bytes)),
                _ => {}
            }
        }
        0..=3 => {
            let Some((mut stream, bytes)) = held.stream.take() else { return Ok(()) };
            match queue.writer(&held.heads)?.stream(&mut stream, &[&bytes])? {
                Streamed::Through(ticket) => held.tickets.push(ticket),
                Streamed::Blocked { .. } => held.stream = Some((stream, bytes)),
            }
        }
        4 => {
            if let Some((stream, _)) = held.stream.take() {
                queue.writer(&held.heads)?.abandon(stream)?;
            }
        }
        5 => {
            let mut writer = queue.writer(&held.heads)?;
            if let Loaned::Ready(loan) = writer.loan(len)? {
                assert!(loan.offset + loan.len <= capacity);
                let len = loan.len;
                if let Written::Waiting(ticket) = writer.commit(&loan, len, limit, u32::from(row))? {
                    held.tickets.push(ticket);
                }
                writer.publish();
            }
        }
        6..=8 => {
            let mut buffer = vec![0; len];
            let taken = usize::from(row) % 8;
            let mut early = held.tails.early();
            queue.read_early(&mut early, &mut buffer);
            let mut reader = queue.swift_reader(&held.tails);
            if taken == 0
                && let Some(got) = reader.read_swiftly(&mut buffer, mode, &early)
            {
                assert!(got <= buffer.len());
                reader.publish();
                return Ok(());
            }
            let mut reader = queue.reader(&held.tails)?;
            let read = reader.read(&mut buffer, taken, mode, dead)?;
            reader.publish();
            if let Read::Got { len, .. } | Read::Part { taken: len } = read {
                assert!(len <= buffer.len());
            }
        }
        9 => {
            let mut reader = queue.reader(&held.tails)?;
            if let Borrow::Lent(lent) = reader.borrow(dead)? {
                assert!(lent.parts.iter().all(|(offset, len)| offset + len <= capacity));
                reader.give_back(lent, usize::from(row))?;
            }
            reader.publish();
        }
        10 => {
            let peeked = queue.peek(&mut vec![0; len], dead)?;
            assert!(!matches!(peeked, Peeked::Seen(peek) if peek.copied > len));
            queue.is_drained()?;
            queue.unread()?;
        }
        11 => held.tickets.retain(|ticket| queue.poll(ticket) == Ok(Progress::Waiting)),
        12 => {
            if let Some(ticket) = held.tickets.pop() {
                queue.withdraw(ticket);
            }
        }
        13 => {
            queue.sweep(dead);
            queue.reader(&held.tails)?.skip()?;
        }
        14 => queue.recover_writer()?,
        _ => queue.recover_reader()?,
    }
    Ok(())
}
