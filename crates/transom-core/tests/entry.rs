//! The entry file: fixed bytes, and an answer to every input.

use proptest::prelude::*;
use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::entry::{
    Entry, HEADER_SIZE, Header, Holder, LOCKS, MAX_NAME, MAX_SIZE, MAX_SLOTS, SLOT_SIZE, VISITORS,
    VISITORS_END, Visitor, table_offset,
};
use transom_core::name::Scope;

const HEADER: Header<'static> = Header {
    kind: Kind::Mapping,
    scope: Scope::Global,
    cookie: [0xC0; 16],
    security: [0xF001F, 4, 0, u32::MAX],
    size: 0x1_0000_2000,
    protect: 0x0800_0004,
    flags: 1,
    device: 0x1B,
    inode: 0x0102_0304_0506_0708,
    created: 0x1122_3344_5566_7788,
    name: b"Frames-7",
};

const HOLDER: Holder =
    Holder { process: 4242, descriptor: 17, namespace: 0xEFFF_FFFC, access: 0xF001F, kept: (0, 0) };

fn numbers(bytes: &[u8], at: &[(usize, usize)]) -> Vec<u64> {
    let number = |&(at, length): &(usize, usize)| {
        bytes[at..at + length].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    at.iter().map(number).collect()
}

/// Two builds meet in this file: each field stands where the drawing says, and the checks are these numbers.
#[test]
fn the_layout_is_fixed() {
    let file = HEADER.encode(&HOLDER).expect("a short name");
    assert_eq!(file.len(), 256);
    assert_eq!(&file[..8], b"tranname");
    assert_eq!(numbers(&file, &[(8, 4), (12, 4)]), [1, 4], "version, kind");
    assert_eq!(file[16..32], [0xC0; 16]);
    assert_eq!(numbers(&file, &[(32, 4), (36, 4), (40, 4), (44, 4)]), [0xF001F, 4, 0, 0xFFFF_FFFF]);
    assert_eq!(numbers(&file, &[(48, 8), (56, 4), (60, 4)]), [0x1_0000_2000, 0x0800_0004, 1]);
    assert_eq!(numbers(&file, &[(64, 8), (72, 8)]), [0x1B, 0x0102_0304_0506_0708], "device, inode");
    assert_eq!(numbers(&file, &[(80, 8), (88, 4), (92, 4)]), [0x1122_3344_5566_7788, 8, 1]);
    assert_eq!(numbers(&file, &[(96, 8)]), [HEADER_CHECK], "check of the header");
    assert_eq!(file[104..128], [0; 24]);
    assert_eq!(&file[128..136], b"Frames-7");
    assert_eq!(file[136..192], [0; 56]);
    assert_eq!(numbers(&file, &[(192, 8)]), [HOLDER_CHECK], "check of the slot");
    assert_eq!(numbers(&file, &[(200, 4), (204, 4), (208, 8), (216, 4)]), [4242, 17, 0xEFFF_FFFC, 0xF001F]);
    assert_eq!(file[220..], [0; 36]);
    assert_eq!((LOCKS, SLOT_SIZE, HEADER_SIZE, table_offset(8)), (1 << 40, 64, 128, 192));
}

const HEADER_CHECK: u64 = 0xe2a8_672d_3ebd_36eb;
const HOLDER_CHECK: u64 = 0x5f76_df04_233e_420f;

#[test]
fn what_was_written_is_read() {
    let file = HEADER.encode(&HOLDER).expect("a short name");
    let entry = Entry::parse(&file).expect("an entry");
    assert_eq!(entry.header, HEADER);
    assert_eq!(entry.holders().collect::<Vec<_>>(), [(0, HOLDER)]);
}

#[test]
fn an_entry_fits_into_a_page_with_tens_of_holders() {
    assert!((4096 - table_offset(200)) / SLOT_SIZE >= 50);
}

/// A slot that its writer did not finish is none, whichever part of it is missing.
#[test]
fn a_half_written_slot_is_ignored() {
    let whole = HOLDER.encode();
    let mut file = HEADER.encode(&HOLDER).expect("a short name");
    for written in 0..SLOT_SIZE {
        let mut slot = [0; SLOT_SIZE];
        slot[..written].copy_from_slice(&whole[..written]);
        // The holder's data ends at byte 28; from there on nothing is missing but zeroes.
        let complete = slot == whole;
        assert_eq!(Holder::decode(&slot), complete.then_some(HOLDER), "{written} bytes");
        file.extend_from_slice(&slot);
    }
    let entry = Entry::parse(&file).expect("the header is whole");
    assert_eq!(entry.slot_count(), 1 + SLOT_SIZE);
    assert!(entry.holders().all(|(_, holder)| holder == HOLDER));
}

/// The end of the file may cut a slot: it is none, and those before it are.
#[test]
fn a_slot_cut_by_the_end_of_the_file_is_none() {
    let mut file = HEADER.encode(&HOLDER).expect("a short name");
    file.extend_from_slice(&HOLDER.encode()[..63]);
    assert_eq!(Entry::parse(&file).expect("an entry").slot_count(), 1);
    assert_eq!(Entry::parse(&file[..192]).expect("an entry").slot_count(), 0);
    assert_eq!(Entry::parse(&file[..140]).expect("name whole, padding not").slot_count(), 0);
    assert_eq!(Entry::parse(&file[..135]), Err(Code::FILE_CORRUPT));
}

/// M37: wide names may have 32767 units, each up to three bytes.
#[test]
fn the_longest_name_fits_and_a_longer_one_is_refused() {
    let name = vec![b'x'; MAX_NAME];
    let file = Header { name: &name, ..HEADER }.encode(&HOLDER).expect("the longest name");
    assert_eq!(Entry::parse(&file).expect("an entry").header.name, name);
    let name = vec![b'x'; MAX_NAME + 1];
    assert_eq!(Header { name: &name, ..HEADER }.encode(&HOLDER), Err(Code::FILENAME_EXCED_RANGE));
}

#[test]
fn a_file_longer_than_any_entry_is_none() {
    let mut file = HEADER.encode(&HOLDER).expect("a short name");
    file.resize(MAX_SIZE, 0);
    assert_eq!(Entry::parse(&file).expect("an entry").slot_count(), MAX_SLOTS);
    file.push(0);
    assert_eq!(Entry::parse(&file), Err(Code::FILE_CORRUPT));
}

/// Numbers that mean nothing are refused even if the check is right.
#[test]
fn unknown_magic_version_kind_and_scope_are_refused() {
    let file = HEADER.encode(&HOLDER).expect("a short name");
    for at in [0, 8, 12, 92] {
        let mut other = file.clone();
        other[at] = 0xEE;
        assert_eq!(Entry::parse(&other), Err(Code::FILE_CORRUPT), "byte {at}");
    }
}

fn header_of<'a>(
    name: &'a [u8],
    words: &[u32; 8],
    numbers: &[u64; 4],
    kind: usize,
    global: bool,
) -> Header<'a> {
    let [a, b, c, d, protect, flags, cookie, _] = *words;
    let [size, device, inode, created] = *numbers;
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&cookie.to_le_bytes());
    Header {
        kind: Kind::ALL[kind % Kind::ALL.len()],
        scope: if global { Scope::Global } else { Scope::Local },
        cookie: bytes,
        security: [a, b, c, d],
        size,
        protect,
        flags,
        device,
        inode,
        created,
        name,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_entry_survives_writing_and_reading(
        name in proptest::collection::vec(any::<u8>(), 1..300),
        words: [u32; 8],
        numbers: [u64; 4],
        kind: usize,
        global: bool,
        process: u32,
        descriptor: i32,
    ) {
        let header = header_of(&name, &words, &numbers, kind, global);
        let holder = Holder { process, descriptor, namespace: numbers[0], access: words[7], kept: (0, 0) };
        let mut file = header.encode(&holder).expect("a short name");
        file.extend_from_slice(&[0; SLOT_SIZE]);
        file.extend_from_slice(&holder.encode());
        let entry = Entry::parse(&file).expect("an entry");
        prop_assert_eq!(entry.header, header);
        prop_assert_eq!(entry.slots().collect::<Vec<_>>(), [Some(holder), None, Some(holder)]);
    }

    /// Whatever the bytes are: an entry within its bounds, or 1392.
    #[test]
    fn any_bytes_are_an_entry_or_corrupt(bytes in proptest::collection::vec(any::<u8>(), 0..1000)) {
        prop_assert_eq!(Entry::parse(&bytes), Err(Code::FILE_CORRUPT));
        for slot in bytes.chunks(SLOT_SIZE) {
            prop_assert_eq!(Holder::decode(slot), None);
        }
    }

    /// One changed byte is noticed, except in bytes that mean nothing; a damaged slot harms no other.
    #[test]
    fn a_changed_byte_is_noticed(at in 0..320_usize, change in 1..=255_u8) {
        let mut file = HEADER.encode(&HOLDER).expect("a short name");
        file.extend_from_slice(&HOLDER.encode());
        let whole = file.clone();
        file[at] ^= change;
        let meaningless = (104..128).contains(&at) || (136..192).contains(&at);
        match Entry::parse(&file) {
            Err(code) => {
                prop_assert_eq!(code, Code::FILE_CORRUPT);
                prop_assert!(at < 192 && !meaningless);
            }
            Ok(entry) => {
                prop_assert!(meaningless || at >= 192);
                prop_assert_eq!(entry.header, HEADER);
                let damaged = at.checked_sub(192).map(|at| at / SLOT_SIZE);
                let expected: Vec<_> = (0..2).filter(|slot| Some(*slot) != damaged).map(|slot| (slot, HOLDER)).collect();
                prop_assert_eq!(entry.holders().collect::<Vec<_>>(), expected);
            }
        }
        file[at] ^= change;
        prop_assert_eq!(file, whole);
    }

    /// Bytes that look like an entry up to a point, with lengths that lie.
    #[test]
    fn lying_lengths_are_answered(length: u32, cut in 0..400_usize, patch in proptest::collection::vec((0..400_usize, any::<u8>()), 0..8)) {
        let mut file = HEADER.encode(&HOLDER).expect("a short name");
        file.resize(400, 0x5A);
        file[88..92].copy_from_slice(&length.to_le_bytes());
        for (at, byte) in patch {
            file[at] = byte;
        }
        file.truncate(cut);
        if let Ok(entry) = Entry::parse(&file) {
            prop_assert!(entry.slot_count() * SLOT_SIZE + entry.header.table_offset() <= file.len().max(entry.header.table_offset()));
            prop_assert!(entry.holders().count() <= entry.slot_count());
        }
    }
}

/// Two builds meet in these numbers too.
#[test]
fn a_visitors_byte_says_who_it_is() {
    let visitor = Visitor::new(4242, 17, 0xEFFF_FFFC).expect("ordinary numbers");
    assert_eq!(visitor.byte(), 1 << 61 | 0x1_FFFC << 44 | 4242 << 22 | 17);
    assert_eq!(Visitor::of_byte(visitor.byte()), Some(visitor));
    let too_large = [
        Visitor::new(0, 17, 1),
        Visitor::new(1 << 22, 17, 1),
        Visitor::new(1, -1, 1),
        Visitor::new(1, 1 << 22, 1),
        Visitor::new(1, 17, 0),
    ];
    assert_eq!(too_large, [None; 5]);
    assert_eq!([LOCKS, VISITORS - 1, VISITORS_END].map(Visitor::of_byte), [None; 3]);
}

/// Who is leaving is told from whoever has a slot, and from who is about to get one.
#[test]
fn a_slot_may_say_that_its_holder_is_leaving() {
    let slot = Holder::LEAVING.encode();
    assert_eq!(Holder::decode(&slot), Some(Holder::LEAVING));
    assert_ne!(Holder::LEAVING, Holder { process: 0, descriptor: -1, ..HOLDER });
}

proptest! {
    #[test]
    fn every_visitor_comes_back_from_its_byte(process in 1..1_u32 << 22, descriptor in 0..1_i32 << 22, namespace in 1..u64::MAX) {
        let visitor = Visitor::new(process, descriptor, namespace).expect("numbers that fit");
        prop_assert_eq!(Visitor::of_byte(visitor.byte()), Some(visitor));
        prop_assert!((VISITORS..VISITORS_END).contains(&visitor.byte()));
    }
}
