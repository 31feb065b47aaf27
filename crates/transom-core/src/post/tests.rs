//! The queue of a mailslot, on memory that is a map of blocks.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;

use proptest::prelude::*;

use super::layout::{BLOCK, BLOCKS, LANES};
use super::*;
use crate::sync::AtomicU32;

/// Blocks that exist once something is written into them.
#[derive(Default)]
struct Blocks(RefCell<BTreeMap<usize, Vec<u8>>>);

impl Blocks {
    fn each(&self, offset: usize, length: usize, mut work: impl FnMut(&mut u8, usize)) {
        let mut blocks = self.0.borrow_mut();
        for index in 0..length {
            let at = offset + index;
            assert!(at < BLOCKS * BLOCK, "outside the memory");
            let block = blocks.entry(at / BLOCK).or_insert_with(|| vec![0; BLOCK]);
            work(&mut block[at % BLOCK], index);
        }
    }
}

impl Memory for Blocks {
    fn copy_in(&self, offset: usize, from: &[u8]) {
        self.each(offset, from.len(), |byte, index| *byte = from[index]);
    }

    fn copy_out(&self, offset: usize, to: &mut [u8]) {
        self.each(offset, to.len(), |byte, index| to[index] = *byte);
    }
}

struct Slot {
    header: Box<Header>,
    lanes: Vec<Lane>,
    owners: Vec<AtomicU32>,
    blocks: Blocks,
}

impl Slot {
    fn new() -> Slot {
        let header = Box::new(Header::new());
        header.describe(&Description { cookie: [1, 2], longest: 0 });
        Slot {
            header,
            lanes: (0..LANES).map(|_| Lane::new()).collect(),
            owners: (0..BLOCKS).map(|_| AtomicU32::new(0)).collect(),
            blocks: Blocks::default(),
        }
    }

    fn post(&self) -> Post<'_, Blocks> {
        Post::new(&self.header, &self.lanes, &self.owners, &self.blocks)
    }

    fn used(&self) -> usize {
        self.owners.iter().filter(|word| word.load(Ordering::Relaxed) != 0).count()
    }
}

fn open(post: &Post<'_, Blocks>, process: u32) -> LaneWriter {
    let row = post.free_row(0).expect("a free row");
    post.open_lane(row, process).expect("a free block")
}

fn write(post: &Post<'_, Blocks>, writer: &mut LaneWriter, message: &[u8]) {
    match writer.write(post, message) {
        Err(Refused::Full) => {
            assert!(writer.extend(post, message.len(), &mut |_, _| true));
            writer.write(post, message).unwrap();
        }
        result => result.unwrap(),
    }
    post.tell(writer.row());
}

/// The next message, freeing lanes that have ended.
fn read(post: &Post<'_, Blocks>, picture: &mut Picture) -> Option<Vec<u8>> {
    let mut over = Vec::new();
    let length = picture.next(post, &mut |row| over.push(row));
    let message = length.map(|length| {
        let mut buffer = vec![0; length];
        let taken = picture.take(post, &mut buffer, &mut |row| over.push(row));
        assert_eq!(taken, Taken::Message(length));
        buffer
    });
    for row in over {
        post.free_lane(row, false);
    }
    message
}

/// S9, S11: whole messages, empty ones too, in the order of writing.
#[test]
fn messages_of_several_writers_come_in_the_order_of_writing() {
    let slot = Slot::new();
    let post = slot.post();
    let (mut one, mut two) = (open(&post, 1), open(&post, 2));
    let mut picture = Picture::new(7);
    assert_eq!(read(&post, &mut picture), None);
    write(&post, &mut one, b"one");
    write(&post, &mut two, b"three");
    write(&post, &mut one, b"");
    assert_eq!(post.count(), 3);
    for expected in [&b"one"[..], b"three", b""] {
        assert_eq!(read(&post, &mut picture).as_deref(), Some(expected));
    }
    assert_eq!(read(&post, &mut picture), None);
    assert_eq!(post.count(), 0);
}

/// S12: a short buffer takes nothing.
#[test]
fn a_buffer_that_is_too_small_leaves_the_message() {
    let slot = Slot::new();
    let post = slot.post();
    let mut writer = open(&post, 1);
    write(&post, &mut writer, b"12345");
    let mut picture = Picture::new(7);
    let mut small = [0; 4];
    assert_eq!(picture.take(&post, &mut small, &mut |_| {}), Taken::Small(5));
    assert_eq!(post.count(), 1);
    assert_eq!(read(&post, &mut picture).as_deref(), Some(&b"12345"[..]));
}

/// S10, S16: nobody waits for the reader, and a message may have any size; what was read is given back.
#[test]
fn a_lane_grows_with_what_is_unread_and_shrinks_again() {
    let slot = Slot::new();
    let post = slot.post();
    let mut writer = open(&post, 1);
    for number in 0..3000_u32 {
        write(&post, &mut writer, &[number as u8; 100]);
    }
    write(&post, &mut writer, &vec![9; 3 * BLOCK]);
    assert_eq!(post.count(), 3001);
    assert!(slot.used() > 6, "{}", slot.used());
    let mut picture = Picture::new(7);
    for number in 0..3000_u32 {
        assert_eq!(read(&post, &mut picture).unwrap(), [number as u8; 100]);
    }
    assert_eq!(read(&post, &mut picture).unwrap().len(), 3 * BLOCK);
    assert!(slot.used() <= 4, "the last extent stays: {}", slot.used());
    post.close_lane(&writer);
    assert_eq!(read(&post, &mut picture), None);
    assert_eq!(slot.used(), 0);
}

/// S17: what was written stays when its writer goes, in good order or not.
#[test]
fn messages_stay_when_their_writer_goes_and_the_lane_is_free_after_them() {
    let slot = Slot::new();
    let post = slot.post();
    let (mut closed, mut killed) = (open(&post, 1), open(&post, 2));
    write(&post, &mut closed, b"a");
    write(&post, &mut killed, b"b");
    post.close_lane(&closed);
    assert!(!post.free_lane(killed.row(), true), "something is in it");
    let mut picture = Picture::new(7);
    assert_eq!(read(&post, &mut picture).as_deref(), Some(&b"a"[..]));
    assert_eq!(read(&post, &mut picture).as_deref(), Some(&b"b"[..]));
    assert_eq!(read(&post, &mut picture), None);
    assert!(!post.free_lane(killed.row(), false), "its writer may live");
    assert!(post.free_lane(killed.row(), true));
    assert_eq!(slot.used(), 0);
    assert_eq!(open(&post, 3).row(), 0, "rows are used again");
}

/// What another process damaged costs the lane its unread messages, and nobody else anything.
#[test]
fn a_damaged_lane_goes_on_and_others_do_not_notice() {
    let slot = Slot::new();
    let post = slot.post();
    let (mut damaged, mut other) = (open(&post, 1), open(&post, 2));
    write(&post, &mut damaged, b"lost");
    write(&post, &mut other, b"kept");
    slot.lanes[damaged.row()].head.0.store(0x12_3456_7890, Ordering::Relaxed);
    let mut picture = Picture::new(7);
    assert_eq!(read(&post, &mut picture).as_deref(), Some(&b"kept"[..]));
    assert_eq!(read(&post, &mut picture), None);
    write(&post, &mut damaged, b"again");
    assert_eq!(read(&post, &mut picture).as_deref(), Some(&b"again"[..]));
}

/// A writer that is killed between its two last stores has written nothing, and the count says so.
#[test]
fn the_count_is_that_of_published_messages() {
    let slot = Slot::new();
    let post = slot.post();
    let mut writer = open(&post, 1);
    write(&post, &mut writer, b"one");
    slot.lanes[writer.row()].written.store(2, Ordering::Relaxed);
    assert_eq!(post.count(), 1);
}

/// Memory that cannot be had: the lane stays as it was.
#[test]
fn an_extent_without_memory_is_given_back() {
    let slot = Slot::new();
    let post = slot.post();
    let mut writer = open(&post, 1);
    write(&post, &mut writer, b"before");
    let used = slot.used();
    assert!(!writer.extend(&post, BLOCK, &mut |_, length| {
        assert_eq!(length, 2 * BLOCK);
        false
    }));
    assert_eq!(slot.used(), used);
    write(&post, &mut writer, b"after");
    let mut picture = Picture::new(7);
    assert_eq!(read(&post, &mut picture).as_deref(), Some(&b"before"[..]));
    assert_eq!(read(&post, &mut picture).as_deref(), Some(&b"after"[..]));
}

/// S27: each message goes to one of several readers, whoever reads next.
#[test]
fn readers_in_several_processes_take_turns() {
    let slot = Slot::new();
    let post = slot.post();
    let (mut one, mut two) = (open(&post, 1), open(&post, 2));
    let (mut here, mut there) = (Picture::new(7), Picture::new(8));
    for number in 0..20_u8 {
        write(&post, if number % 3 == 0 { &mut one } else { &mut two }, &[number]);
    }
    for number in 0..20_u8 {
        let picture = if number % 4 < 2 { &mut here } else { &mut there };
        assert_eq!(read(&post, picture).unwrap(), [number]);
    }
}

#[test]
fn more_than_all_blocks_are_refused_and_nothing_is_lost() {
    let slot = Slot::new();
    let post = slot.post();
    let mut writer = open(&post, 1);
    write(&post, &mut writer, b"before");
    assert!(!writer.extend(&post, BLOCKS * BLOCK, &mut |_, _| true));
    write(&post, &mut writer, b"after");
    let mut picture = Picture::new(7);
    assert_eq!(read(&post, &mut picture).as_deref(), Some(&b"before"[..]));
    assert_eq!(read(&post, &mut picture).as_deref(), Some(&b"after"[..]));
}

#[derive(Debug, Clone)]
enum Step {
    Write { writer: usize, length: usize },
    Read,
    OtherReads,
    Reopen { writer: usize },
    Kill { writer: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let length = prop_oneof![8 => 0_usize..200, 2 => 0_usize..20_000, 1 => BLOCK - 64..BLOCK + 64];
    let writer = 0_usize..4;
    let step = prop_oneof![
        6 => (writer.clone(), length).prop_map(|(writer, length)| Step::Write { writer, length }),
        4 => Just(Step::Read),
        1 => Just(Step::OtherReads),
        1 => writer.clone().prop_map(|writer| Step::Reopen { writer }),
        1 => writer.prop_map(|writer| Step::Kill { writer }),
    ];
    proptest::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Against the naive model: one queue.
    #[test]
    fn it_is_one_queue_of_whole_messages(steps in steps()) {
        let slot = Slot::new();
        let post = slot.post();
        let mut writers: Vec<LaneWriter> = (0..4).map(|id| open(&post, id)).collect();
        let mut pictures = [Picture::new(7), Picture::new(8)];
        let mut model: alloc::collections::VecDeque<Vec<u8>> = Default::default();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Write { writer, length } => {
                    let message = vec![number as u8; length];
                    write(&post, &mut writers[writer], &message);
                    model.push_back(message);
                }
                Step::Read | Step::OtherReads => {
                    let picture = &mut pictures[usize::from(matches!(step, Step::OtherReads))];
                    prop_assert_eq!(read(&post, picture), model.pop_front());
                }
                Step::Reopen { writer } => {
                    post.close_lane(&writers[writer]);
                    writers[writer] = open(&post, 9);
                }
                Step::Kill { writer } => {
                    // In the middle of a message: what is not published never existed.
                    let dead = &mut writers[writer];
                    if dead.extend(&post, 10, &mut |_, _| true) {
                        let row = dead.row();
                        *dead = open(&post, 9);
                        post.free_lane(row, true);
                    }
                }
            }
            prop_assert_eq!(post.count(), model.len() as u64);
        }
        while let Some(message) = model.pop_front() {
            prop_assert_eq!(read(&post, &mut pictures[0]), Some(message));
        }
        prop_assert_eq!(read(&post, &mut pictures[0]), None);
    }

    /// A peer that writes anything anywhere: errors, never a panic, never a byte outside.
    #[test]
    fn nonsense_is_an_error_at_worst(
        seed in proptest::collection::vec((0_usize..6, any::<u64>(), 0_usize..8), 1..60),
    ) {
        let slot = Slot::new();
        let post = slot.post();
        let mut writer = open(&post, 1);
        let mut picture = Picture::new(7);
        for (what, value, index) in seed {
            match what {
                0 => slot.lanes[index].tail.store(value, Ordering::Relaxed),
                1 => slot.lanes[index].head.0.store(value, Ordering::Relaxed),
                2 => slot.owners[index].store(value as u32, Ordering::Relaxed),
                3 => slot.blocks.copy_in(8 * index, &value.to_le_bytes()),
                4 => slot.header.worth[0].store(value, Ordering::Relaxed),
                _ => slot.lanes[index].state.store(value as u32 % 4, Ordering::Relaxed),
            }
            slot.header.raise(index);
            let mut buffer = [0; 300];
            let mut over = Vec::new();
            let _ = picture.next(&post, &mut |row| over.push(row));
            let _ = picture.take(&post, &mut buffer, &mut |row| over.push(row));
            let _ = post.count();
            for row in over {
                post.free_lane(row, true);
            }
            post.tell(writer.row());
            if writer.write(&post, b"own").is_err() && !writer.extend(&post, 3, &mut |_, _| true) {
                break;
            }
        }
    }
}
