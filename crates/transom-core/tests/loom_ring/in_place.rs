//! Messages that are written and read in place, in the usual case that is done at once, as the engine does it.

use super::*;
use transom_core::ring::{Borrow, Loan, Loaned, Writer};

/// Of a message: two have room.
const LEN: usize = 24;

fn empty() -> (Arc<Pipe>, Option<Ticket>) {
    (Pipe::new(true, 64), None)
}

/// A message is there.
fn one_is_there() -> (Arc<Pipe>, Option<Ticket>) {
    let (pipe, heads) = (Pipe::new(true, 64), HeadCache::new());
    assert!(write(&pipe, &heads, 1));
    (pipe, None)
}

/// A message in place; false if it has no room.
fn write(pipe: &Pipe, heads: &HeadCache, byte: u8) -> bool {
    let queue = pipe.queue();
    match queue.swift_writer(heads).loan_swiftly(LEN) {
        Some(loan) => fill_and_commit(pipe, queue.swift_writer(heads), &loan, byte),
        // The reader has to be looked for.
        None => match queue.writer(heads).unwrap().loan(LEN).unwrap() {
            Loaned::Ready(loan) => fill_and_commit(pipe, queue.swift_writer(heads), &loan, byte),
            Loaned::NoRoom => return false,
            Loaned::Unfit => panic!("it lies in one piece"),
        },
    }
    true
}

/// As the program has it, and then in a session of its own.
fn fill_and_commit(pipe: &Pipe, mut writer: Writer<'_, Words>, loan: &Loan, byte: u8) {
    pipe.data.copy_in(loan.offset, &[byte; LEN]);
    assert!(writer.commit_swiftly(loan, LEN), "who has room has the quota");
    writer.publish();
    writer.look_ahead(LEN);
}

/// Borrows a message, looks at all of it and gives it back.
fn borrow(pipe: &Pipe, tails: &TailCache) -> Option<u8> {
    let queue = pipe.queue();
    let borrowed = match queue.swift_reader(tails).borrow_swiftly() {
        Some(borrowed) => borrowed,
        // Others have read more than this one has seen.
        None => match queue.reader(tails).unwrap().borrow(|_| false).unwrap() {
            Borrow::Lent(borrowed) => borrowed,
            other => {
                assert!(matches!(other, Borrow::Empty));
                return None;
            }
        },
    };
    let mut seen = [0; LEN];
    let [(offset, len), (_, behind)] = borrowed.parts;
    assert_eq!((len, behind, borrowed.complete), (LEN, 0, true));
    pipe.data.copy_out(offset, &mut seen);
    assert_eq!(seen, [seen[0]; LEN], "one write's bytes");
    let mut reader = queue.swift_reader(tails);
    assert!(reader.give_back_swiftly(&borrowed));
    reader.publish();
    Some(seen[0])
}

/// As many messages at most, each borrowed and given back.
fn borrow_each<const N: usize>(pipe: &Pipe) -> Vec<u8> {
    let tails = TailCache::new();
    [(); N].iter().filter_map(|()| borrow(pipe, &tails)).collect()
}

/// Invariants 3 and 4: each is there when it is committed, and stays as it is until it is given back.
#[test]
fn what_is_written_in_place_is_read_in_place() {
    race(
        one_is_there,
        |pipe, _| {
            let heads = HeadCache::new();
            assert!(write(pipe, &heads, 2));
            write(pipe, &heads, 3)
        },
        borrow_each::<2>,
        |pipe, third, mut got| {
            got.extend(borrow_each::<3>(pipe));
            assert_eq!(got, [1, 2, 3][..2 + usize::from(third)]);
            assert_eq!(pipe.queue().is_drained(), Ok(true));
        },
    );
}

/// P38: killed with a loan, a writer has written nothing; killed behind the commit, a message.
#[test]
fn a_loan_of_the_dead_was_never_written() {
    Mortal::at_each_step(|mortal| {
        race_within(
            OF_THE_DEAD,
            empty,
            move |pipe, _| {
                let (heads, word) = (HeadCache::new(), &pipe.control.write_turn);
                if !mortal.live(word, || assert!(write(pipe, &heads, 1))) {
                    assert_eq!(turn::try_take(word, 2, false), Take::AfterDeath);
                    pipe.queue().recover_writer().unwrap();
                }
                assert!(write(pipe, &HeadCache::new(), 2));
            },
            borrow_each::<2>,
            |pipe, (), mut got| {
                let unpublished = usize::from(pipe.control.totals().unwrap().writes == 1);
                got.extend(borrow_each::<2>(pipe));
                assert_eq!(got, [1, 2][unpublished..]);
                assert_eq!(pipe.queue().is_drained(), Ok(true));
            },
        );
    });
}

/// Invariant 4: killed with a borrowed message, a reader has read nothing; killed behind giving it back, the message.
#[test]
fn what_the_dead_had_borrowed_is_there_for_others() {
    Mortal::at_each_step(|mortal| {
        race_within(
            OF_THE_DEAD,
            || {
                let (pipe, _) = one_is_there();
                let heads = HeadCache::new();
                assert!(write(&pipe, &heads, 2));
                (pipe, None)
            },
            move |pipe, _| {
                let (tails, word) = (TailCache::new(), &pipe.control.read_turn);
                let read = || assert_eq!(borrow(pipe, &tails), Some(1));
                if !mortal.live(word, read) {
                    assert_eq!(turn::try_take(word, 2, false), Take::AfterDeath);
                    pipe.queue().recover_reader().unwrap();
                }
                let counts = pipe.control.totals().unwrap().bytes_read;
                (counts, borrow_each::<1>(pipe))
            },
            |pipe| {
                let heads = HeadCache::new();
                write(pipe, &heads, 3) || write(pipe, &heads, 3)
            },
            |pipe, (counts, mut got), third| {
                got.extend(borrow_each::<3>(pipe));
                assert_eq!(got, [1, 2, 3][usize::from(counts != 0)..2 + usize::from(third)]);
                assert_eq!(pipe.queue().is_drained(), Ok(true));
            },
        );
    });
}
