//! A long message is copied out while it is copied in, and that shows nowhere.

use super::super::early::{Early, LONG, PIECE};
use super::*;

const LEN: usize = 100_000;

fn pipe() -> Pipe {
    Pipe::new(true, 1 << 20, 1 << 20)
}

/// A write that has come so far when it is interrupted.
fn begin(pipe: &Pipe, bytes: &[u8]) {
    let writer = pipe.writer();
    pipe.queue().fill_in(writer.tail.wrapping_add(HEADER), bytes);
}

/// Copies so many pieces, if there are as many, and says how much that was.
fn copy(pipe: &Pipe, pieces: usize, early: &mut Early, buffer: &mut [u8]) -> usize {
    for _ in 0..pieces {
        pipe.queue().read_early(early, buffer);
    }
    early.len
}

/// Reads the message, but for what was copied.
fn finish(pipe: &Pipe, early: &Early, buffer: &mut [u8]) -> Option<usize> {
    let mut reader = pipe.queue().swift_reader(&pipe.tails);
    let read = reader.read_swiftly(buffer, Mode::Message, early);
    reader.publish();
    read
}

/// Bytes that tell where they are from.
fn bytes(seed: u8, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 100) as u8 ^ seed).collect()
}

/// At all places of the ring, the end included.
#[test]
fn what_was_copied_early_is_not_copied_again() {
    let pipe = pipe();
    for round in 0..30 {
        pipe.done(&vec![round; 7_001]);
        assert_eq!(pipe.message(LEN).len(), 7_001);
        let (mut buffer, mut early) = (vec![0; LEN], pipe.tails.early());
        assert_eq!(copy(&pipe, 3, &mut early, &mut buffer), 0, "of the message before");
        let all = bytes(round, LEN);
        pipe.done(&all);
        let pieces = usize::from(round) % 9;
        let len = copy(&pipe, pieces, &mut early, &mut buffer);
        assert_eq!(len, LEN.min(pieces * PIECE));
        assert_eq!(buffer[..len], all[..len]);
        buffer[..len].fill(0xAA);
        assert_eq!(finish(&pipe, &early, &mut buffer), Some(LEN));
        assert!(buffer[..len].iter().all(|&byte| byte == 0xAA));
        assert_eq!(buffer[len..], all[len..]);
    }
    assert_eq!(pipe.queue().is_drained(), Ok(true));
}

/// It does not exist (invariant 4), whatever was copied of it; and the next one is another.
#[test]
fn of_a_killed_writer_nothing_stays() {
    for next in [5, LONG, LEN, 2 * LEN] {
        let pipe = pipe();
        let (mut buffer, mut early) = (vec![0; 2 * LEN], pipe.tails.early());
        begin(&pipe, &bytes(1, LEN));
        assert_eq!(copy(&pipe, 4, &mut early, &mut buffer), 4 * PIECE);
        assert_eq!(finish(&pipe, &early, &mut buffer), None);
        pipe.queue().recover_writer().unwrap();
        let all = bytes(2, next);
        pipe.done(&all);
        assert_eq!(finish(&pipe, &early, &mut buffer), Some(next));
        assert_eq!(buffer[..next], all);
    }
}

/// The next one may also be written in place, which says nothing of how far it is.
#[test]
fn of_a_killed_writer_nothing_stays_in_a_message_written_in_place() {
    let pipe = pipe();
    let (mut buffer, mut early) = (vec![0; LEN], pipe.tails.early());
    begin(&pipe, &bytes(1, LEN));
    assert_eq!(copy(&pipe, 4, &mut early, &mut buffer), 4 * PIECE);
    pipe.queue().recover_writer().unwrap();
    let mut writer = pipe.writer();
    let Ok(Loaned::Ready(loan)) = writer.loan(LEN) else { panic!("there is room") };
    let all = bytes(2, LEN);
    pipe.data.copy_in(loan.offset, &all);
    assert!(writer.commit_swiftly(&loan, LEN));
    writer.publish();
    assert_eq!(finish(&pipe, &early, &mut buffer), Some(LEN));
    assert_eq!(buffer, all);
}

/// Not even for who begins to copy after the death was found, whatever comes next: no write but a long one says how far
/// it is.
#[test]
fn of_a_killed_writer_nothing_is_copied_after_its_death_was_found() {
    for next in [PIECE, PIECE + 4000, LONG, LEN] {
        let pipe = pipe();
        pipe.done(&bytes(3, 100));
        assert_eq!(pipe.message(LEN).len(), 100);
        begin(&pipe, &bytes(1, LEN));
        pipe.queue().recover_writer().unwrap();
        let (mut buffer, mut early) = (vec![0; LEN], pipe.tails.early());
        assert_eq!(copy(&pipe, 9, &mut early, &mut buffer), 0);
        let all = bytes(2, next);
        pipe.done(&all);
        assert_eq!(finish(&pipe, &early, &mut buffer), Some(next));
        assert_eq!(buffer[..next], all);
    }
}

/// Copying goes on with what is new when a death was found and another writes; not with a part of each.
#[test]
fn copying_begins_anew_with_another_write() {
    let pipe = pipe();
    let (mut buffer, mut early) = (vec![0; LEN], pipe.tails.early());
    begin(&pipe, &bytes(1, LEN));
    assert_eq!(copy(&pipe, 2, &mut early, &mut buffer), 2 * PIECE);
    pipe.queue().recover_writer().unwrap();
    let all = bytes(2, LEN);
    pipe.done(&all);
    assert_eq!(copy(&pipe, 2, &mut early, &mut buffer), 2 * PIECE);
    assert_eq!(buffer[..2 * PIECE], all[..2 * PIECE]);
    assert_eq!(finish(&pipe, &early, &mut buffer), Some(LEN));
    assert_eq!(buffer, all);
}

/// Messages in front that the reader has not seen, and more behind: each comes as it is.
#[test]
fn other_messages_in_between_come_whole() {
    for first in [5, PIECE + 5, 2 * PIECE] {
        let pipe = pipe();
        let (mut buffer, mut early) = (vec![0; LEN], pipe.tails.early());
        let sent = [bytes(1, first), bytes(2, LEN), bytes(3, LEN)];
        pipe.done(&sent[0]);
        pipe.done(&sent[1]);
        copy(&pipe, 9, &mut early, &mut buffer);
        pipe.done(&sent[2]);
        assert_eq!(finish(&pipe, &early, &mut buffer), Some(first));
        assert_eq!(buffer[..first], sent[0]);
        for message in &sent[1..] {
            assert_eq!(pipe.message(LEN), *message);
        }
    }
}

/// Too small a buffer, reads over boundaries, and pipes of bytes go the usual way.
#[test]
fn what_does_not_fit_is_left_alone() {
    let pipe = pipe();
    let (mut buffer, mut early) = (vec![0; PIECE + 1], pipe.tails.early());
    let all = bytes(1, LEN);
    pipe.done(&all);
    assert_eq!(copy(&pipe, 9, &mut early, &mut buffer), PIECE);
    assert_eq!(finish(&pipe, &early, &mut buffer), None, "122, or a part, says the long way");
    assert_eq!(pipe.message(LEN), all);
    let stream = Pipe::new(false, 1 << 20, 1 << 20);
    let mut early = stream.tails.early();
    stream.done(&all);
    assert_eq!(copy(&stream, 9, &mut early, &mut buffer), 0);
    assert_eq!(finish(&stream, &early, &mut buffer), Some(PIECE + 1));
    assert_eq!(buffer, all[..=PIECE]);
}

/// The words may say anything.
#[test]
fn nonsense_copies_nothing_from_outside() {
    let pipe = Pipe::new(true, 100, 256);
    let edges = [0, 1, 8, 255, 256, 257, 264, 1 << 32, u64::MAX - 8, u64::MAX];
    for filled in edges {
        for fills in edges {
            for len in [0, 1, 200, 300, PIECE + 300] {
                let (mut buffer, mut early) = (vec![0; len], pipe.tails.early());
                pipe.control.filled.store(filled, Ordering::Relaxed);
                pipe.control.fills.store(fills, Ordering::Relaxed);
                assert!(copy(&pipe, 3, &mut early, &mut buffer) <= len.min(256));
                pipe.done(b"hello");
                let mut room = [0; 9];
                let got = finish(&pipe, &early, &mut room);
                assert!(got.is_none_or(|got| got == 5));
                while matches!(pipe.read(9, Mode::Message).0, Read::Got { .. }) {}
            }
        }
    }
}
