//! A mailslot's queue in which another process writes anything anywhere at any time: every answer is allowed, none is a
//! panic, an endless loop or an access outside the memory.
#![no_main]

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use libfuzzer_sys::fuzz_target;
use transom_core::post::layout::{BLOCK, BLOCKS, LANES};
use transom_core::post::{Batch, Header, Lane, LaneWriter, Memory, Picture, Post, Refused, Taken};

/// Blocks that have memory; the others are holes, where what is written is lost.
const REAL: usize = 8;

struct Bytes(RefCell<Vec<u8>>);

impl Bytes {
    /// Which of `length` bytes at `offset` have memory. Panics outside the mailslot.
    fn real(&self, offset: usize, length: usize) -> std::ops::Range<usize> {
        assert!(offset <= BLOCKS * BLOCK && length <= BLOCKS * BLOCK - offset, "outside");
        let end = REAL * BLOCK;
        offset.min(end)..(offset + length).min(end)
    }
}

impl Memory for Bytes {
    fn copy_in(&self, offset: usize, from: &[u8]) {
        let real = self.real(offset, from.len());
        let length = real.len();
        self.0.borrow_mut()[real].copy_from_slice(&from[..length]);
    }
    fn copy_out(&self, offset: usize, to: &mut [u8]) {
        let real = self.real(offset, to.len());
        let length = real.len();
        to[..length].copy_from_slice(&self.0.borrow()[real]);
        to[length..].fill(0);
    }
}

struct Slot {
    header: Header,
    lanes: Vec<Lane>,
    owners: Vec<AtomicU32>,
    blocks: Bytes,
}

/// Something that consists of atomics as words, as another process sees it.
fn words<T>(of: &[T]) -> &[AtomicU32] {
    let len = size_of_val(of) / size_of::<AtomicU32>();
    // SAFETY: it is called with headers, lanes and words, which consist of atomics and padding, are aligned to 4 at
    // least, and live as long as the borrow. Words of different sizes are not used at the same time here.
    unsafe { std::slice::from_raw_parts(of.as_ptr().cast(), len) }
}

impl Slot {
    fn new() -> Slot {
        Slot {
            header: Header::new(),
            lanes: (0..LANES).map(|_| Lane::new()).collect(),
            owners: (0..BLOCKS).map(|_| AtomicU32::new(0)).collect(),
            blocks: Bytes(RefCell::new(vec![0; REAL * BLOCK])),
        }
    }

    fn post(&self) -> Post<'_, Bytes> {
        Post::new(&self.header, &self.lanes, &self.owners, &self.blocks)
    }

    /// As new, except for what lies in the blocks, which is nobody's.
    fn clear(&self) {
        let header = words(std::slice::from_ref(&self.header));
        // Rows are taken from the first on.
        for word in header.iter().chain(words(&self.lanes[..64])).chain(&self.owners) {
            word.store(0, Ordering::Relaxed);
        }
    }
}

thread_local! {
    static SLOT: Slot = Slot::new();
}

struct Held {
    writers: [Option<LaneWriter>; 4],
    pictures: [Picture; 2],
}

fuzz_target!(|input: &[u8]| {
    SLOT.with(|slot| {
        slot.clear();
        let pictures = [Picture::new(7), Picture::new(8)];
        let mut held = Held { writers: [None, None, None, None], pictures };
        for step in input.chunks_exact(4) {
            let step = [step[0], step[1], step[2], step[3]];
            if step[0] & 0x80 == 0 {
                harm(slot, step);
            } else {
                act(slot.post(), step, &mut held);
            }
        }
    });
});

/// One word becomes another.
fn harm(slot: &Slot, [what, at, a, b]: [u8; 4]) {
    let value = u32::from_le_bytes([a, b, 0, 0]);
    let index = usize::from(at);
    let header = words(std::slice::from_ref(&slot.header));
    let blocks = &slot.blocks.0;
    let word = match what & 7 {
        // The lines of the header, and the first marks.
        0 => &header[index % 264],
        // The words in use of the first lanes.
        1 | 2 => {
            let lane = words(std::slice::from_ref(&slot.lanes[index / 8 % 6]));
            &lane[[0, 1, 2, 3, 4, 5, 32, 33][index % 8]]
        }
        3 => &slot.owners[index % (REAL + 2)],
        kind => {
            // A word of a record, where records begin most often.
            let at =
                if kind & 1 == 0 { index % 32 * 8 } else { index % REAL * BLOCK + usize::from(b) % 8 * 4 };
            let mut bytes = blocks.borrow_mut();
            let new = if kind < 6 { u32::from(a) } else { value << 16 | 1 << 31 };
            bytes[at..at + 4].copy_from_slice(&new.to_le_bytes());
            return;
        }
    };
    let old = word.load(Ordering::Relaxed);
    word.store(
        match what >> 3 & 7 {
            0 => value,
            1 => old.wrapping_add_signed(i32::from(a as i8)),
            2 => old.wrapping_add_signed(8 * i32::from(a as i8)),
            3 => old ^ value << 16,
            4 => !old,
            5 => value << 16 | u32::from(b) % 6,
            6 => u32::from(a) % 6,
            _ => value % (2 * BLOCK as u32) & !7,
        },
        Ordering::Relaxed,
    );
}

/// One operation of an honest side.
fn act(post: Post<'_, Bytes>, [what, which, a, b]: [u8; 4], held: &mut Held) {
    let length = usize::from(a) * [1, 16, 256, 1024][usize::from(b) % 4];
    let picture = &mut held.pictures[usize::from(which >> 4) % 2];
    let writer = &mut held.writers[usize::from(which) % 4];
    let mut ended = Vec::new();
    match what & 15 {
        0..=4 => {
            let Some(writer) = writer else {
                if let Some(row) = post.free_row(usize::from(a) % 4) {
                    *writer = post.open_lane(row, 1);
                }
                return;
            };
            let message = vec![which; length];
            if writer.write(&post, &message) == Err(Refused::Full)
                && writer.extend(&post, length, &mut |_, _| b & 128 == 0)
            {
                let _ = writer.write(&post, &message);
            }
            post.tell(writer.row());
        }
        5 => {
            if let Some(writer) = writer.take() {
                post.close_lane(&writer);
            }
        }
        // Killed.
        6 => *writer = None,
        7..=9 => {
            let mut buffer = vec![0; length];
            let taken = picture.take(&post, &mut buffer, &mut |row| ended.push(row));
            assert!(!matches!(taken, Taken::Message(got) if got > length));
            assert!(!matches!(taken, Taken::Small(got) if got <= length));
        }
        10 | 11 => {
            let next = picture.next(&post, &mut |row| ended.push(row));
            // The next may be as long as all memory; that it is taken whole is a matter of memory alone.
            if next.is_some_and(|next| next < 1 << 20) {
                let mut batch = Batch::default();
                let most = 1 + usize::from(b) % 4;
                picture.take_many(&post, &mut batch, (most, 1 << 20), &mut |row| ended.push(row));
                assert!((1..=most).contains(&batch.len()));
                assert_eq!(batch.messages().next().map(<[u8]>::len), next);
            }
        }
        12 => {
            let _ = picture.has_news(&post);
            let _ = post.count();
        }
        13 => picture.doubt(&post),
        14 => {
            post.header().disturb();
            post.free_lane(usize::from(a) % 8, true);
        }
        _ => {
            post.free_lane(usize::from(a) | usize::from(b) << 8, false);
        }
    }
    for row in ended {
        post.free_lane(row, false);
    }
}
