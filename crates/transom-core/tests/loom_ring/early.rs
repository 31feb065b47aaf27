//! A long message is copied out while it is copied in, and who copies it in dies at any step.

use super::*;

/// Two pieces: the shortest write that says how far it is.
const LONG: usize = 16;

/// How a message is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Saying how far it is.
    Long,
    /// In two blocks, which says nothing.
    InParts,
    /// In place, which says nothing either.
    InPlace,
    /// It is a piece and no more, which says nothing.
    Short,
}

impl Way {
    fn write(self, pipe: &Pipe, heads: &HeadCache, byte: u8) {
        let (queue, long, half) = (pipe.queue(), [byte; LONG], [byte; LONG / 2]);
        let mut writer = queue.swift_writer(heads);
        match self {
            Way::Long => assert!(matches!(writer.write(&long, Limit::Quota, 0), Ok(Written::Done))),
            Way::InParts => {
                let written = writer.write_parts(&[&half, &half], Limit::Quota, 0);
                assert!(matches!(written, Ok(Written::Done)));
            }
            Way::InPlace => {
                let loan = writer.loan_swiftly(LONG).expect("there is room");
                pipe.data.copy_in(loan.offset, &long);
                assert!(writer.commit_swiftly(&loan, LONG));
            }
            Way::Short => assert!(writer.write_swiftly(&half)),
        }
        writer.publish();
    }

    fn message(self, byte: u8) -> Vec<u8> {
        vec![byte; if self == Way::Short { LONG / 2 } else { LONG }]
    }
}

/// A read that waits, as the engine does it: looks again and again, copies what is there, and takes the message when it
/// has come. What it got, if that came in time.
fn read_early(pipe: &Pipe, tails: &TailCache) -> Option<Vec<u8>> {
    let (mut buffer, mut early, queue) = ([0; LONG], tails.early(), pipe.queue());
    for _ in 0..2 {
        queue.read_early(&mut early, &mut buffer);
    }
    let mut reader = queue.swift_reader(tails);
    let len = reader.read_swiftly(&mut buffer, Mode::Message, &early)?;
    reader.publish();
    Some(buffer[..len].to_vec())
}

/// With the rest of what is there, what was got is what was written.
fn all_came(pipe: &Pipe, got: impl IntoIterator<Item = Vec<u8>>, written: &[Vec<u8>]) {
    let mut got: Vec<_> = got.into_iter().collect();
    let tails = TailCache::new();
    while let Some((byte, len)) = pipe.read(&tails) {
        got.push(vec![byte; len]);
    }
    assert_eq!(got, written);
    assert_eq!(pipe.queue().is_drained(), Ok(true));
}

/// Invariant 12: of two long messages, the second follows while the first is read.
#[test]
fn what_was_copied_early_is_what_was_published() {
    race(
        || (Pipe::new(true, 64), None),
        |pipe, _| {
            let heads = HeadCache::new();
            Way::Long.write(pipe, &heads, 1);
            Way::Long.write(pipe, &heads, 2);
        },
        |pipe| read_early(pipe, &TailCache::new()),
        |pipe, (), got| all_came(pipe, got, &[1, 2].map(|byte| Way::Long.message(byte))),
    );
}

/// Invariant 12 and P38: whoever copies a long message in dies at some step, and somebody else writes.
fn of_the_dead_nothing_is_delivered(next: Way) {
    Mortal::at_each_step(|mortal| {
        race_within(
            OF_THE_DEAD,
            || (Pipe::new(true, 64), None),
            move |pipe, _| {
                let (heads, word) = (HeadCache::new(), &pipe.control.write_turn);
                if !mortal.live(word, || Way::Long.write(pipe, &heads, 1)) {
                    assert_eq!(turn::try_take(word, 2, false), Take::AfterDeath);
                    pipe.queue().recover_writer().unwrap();
                }
                next.write(pipe, &HeadCache::new(), 2);
            },
            |pipe| read_early(pipe, &TailCache::new()),
            move |pipe, (), got| {
                let both = [Way::Long.message(1), next.message(2)];
                let unpublished = usize::from(pipe.control.totals().unwrap().writes == 1);
                all_came(pipe, got, &both[unpublished..]);
            },
        );
    });
}

#[test]
fn of_a_dead_writer_nothing_is_delivered_with_another_long_message() {
    of_the_dead_nothing_is_delivered(Way::Long);
}

#[test]
fn of_a_dead_writer_nothing_is_delivered_with_a_message_in_parts() {
    of_the_dead_nothing_is_delivered(Way::InParts);
}

#[test]
fn of_a_dead_writer_nothing_is_delivered_with_a_message_in_place() {
    of_the_dead_nothing_is_delivered(Way::InPlace);
}

#[test]
fn of_a_dead_writer_nothing_is_delivered_with_a_short_message() {
    of_the_dead_nothing_is_delivered(Way::Short);
}

/// Whoever takes the turn after the death may die as well, in the middle of recovering.
#[test]
fn of_a_dead_writer_nothing_is_delivered_if_its_successor_dies_too() {
    Mortal::at_each_step(|successor| {
        race_within(
            OF_THE_DEAD,
            || (Pipe::new(true, 64), None),
            move |pipe, _| {
                let (heads, word) = (HeadCache::new(), &pipe.control.write_turn);
                // The header, then a piece and that it is there.
                assert!(!Mortal::after(5).live(word, || Way::Long.write(pipe, &heads, 1)));
                if !successor.live(word, || pipe.queue().recover_writer().unwrap()) {
                    assert_eq!(turn::try_take(word, 2, false), Take::AfterDeath);
                    pipe.queue().recover_writer().unwrap();
                }
                Way::InParts.write(pipe, &HeadCache::new(), 2);
            },
            |pipe| read_early(pipe, &TailCache::new()),
            |pipe, (), got| all_came(pipe, got, &[Way::InParts.message(2)]),
        );
    });
}
