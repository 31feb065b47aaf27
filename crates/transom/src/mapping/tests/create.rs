//! Creating sections and their sizes (mapping.md, section 4).

use std::fs::OpenOptions;

use crate::handle::{AsHandle, FromHandle, RawHandle};
use crate::mapping::{FILE_MAP_READ, Mapping, MappingOptions, Protection, ViewOptions};
use crate::support::{NEVER_ISSUED, code, limit, unique};

const PAGE: u64 = 4096;
const PAGE_READWRITE: u32 = 4;
const SEC_RESERVE: u32 = 0x0400_0000;
const SEC_COMMIT: u32 = 0x0800_0000;
const SEC_NOCACHE: u32 = 0x1000_0000;
const SEC_WRITECOMBINE: u32 = 0x4000_0000;
const SEC_LARGE_PAGES: u32 = 0x8000_0000;

fn create(size: u64, protect: u32) -> u32 {
    code(MappingOptions::new(size).protect_word(protect).create())
}

/// M7.
#[test]
fn new_memory_is_all_zero() {
    let _limit = limit();
    let mapping = Mapping::anonymous(64 * PAGE).unwrap();
    let view = mapping.view().unwrap();
    let bytes = view.read_to_vec(0, view.len()).unwrap();
    assert_eq!(bytes.len() as u64, 64 * PAGE);
    assert!(bytes.iter().all(|b| *b == 0));
}

/// M8.
#[test]
fn sizes_of_memory_are_whole_pages() {
    let _limit = limit();
    let mapping = Mapping::anonymous(100).unwrap();
    assert_eq!(mapping.size().unwrap(), PAGE);
    let view = ViewOptions::new().length(100).map(&mapping).unwrap();
    assert_eq!(view.len(), 100);
    let whole = ViewOptions::new().length(PAGE).map(&mapping).unwrap();
    whole.store_u8(4095, 9).unwrap();
    let to_the_end = ViewOptions::new().access(FILE_MAP_READ).map(&mapping).unwrap();
    assert_eq!(to_the_end.len() as u64, PAGE);
    assert_eq!(to_the_end.load_u8(4095).unwrap(), 9);
    assert_eq!(code(ViewOptions::new().length(PAGE + 1).map(&mapping)), 5);
}

/// M10, M11, Y39: creating what exists is a success that says so, and changes nothing.
#[test]
fn a_second_creator_gets_the_first_object_with_its_size() {
    let _limit = limit();
    let name = unique("again");
    let first = Mapping::create(&name, 100).unwrap();
    assert!(!first.existed);
    let view = first.object.view().unwrap();

    let bigger = Mapping::create(&name, 1 << 20).unwrap();
    assert!(bigger.existed);
    assert_eq!(bigger.object.size().unwrap(), PAGE);
    assert_eq!(code(ViewOptions::new().length(1 << 20).map(&bigger.object)), 5);
    bigger.object.view().unwrap().store_u8(7, 0x77).unwrap();
    assert_eq!(view.load_u8(7).unwrap(), 0x77);

    assert!(Mapping::create(&name, 1).unwrap().existed);
    assert_eq!(code(Mapping::create(&name, 0)), 87, "size 0 is refused before the name counts");
}

/// Mapping.md, section 2: the first rows.
#[test]
fn sizes_and_protections_that_make_no_sense_are_87() {
    let _limit = limit();
    assert_eq!(create(0, PAGE_READWRITE), 87);
    assert_eq!(create(PAGE, 0), 87);
    assert_eq!(create(PAGE, 1), 87);
    assert_eq!(create(PAGE, PAGE_READWRITE | 2), 87);
    assert_eq!(create(PAGE, PAGE_READWRITE | SEC_COMMIT | SEC_RESERVE), 87);
}

/// M12: what was reserved may be used at once.
#[test]
fn reserved_memory_is_usable() {
    let _limit = limit();
    let mapping =
        MappingOptions::new(1 << 20).protect_word(PAGE_READWRITE | SEC_RESERVE).create().unwrap().object;
    let view = mapping.view().unwrap();
    view.store_u32(1 << 19, 5).unwrap();
    assert_eq!(view.load_u32(1 << 19).unwrap(), 5);
}

/// M14.
#[test]
fn commit_and_reserve_mean_nothing_for_a_file() {
    let _limit = limit();
    let file = tempfile::tempfile().unwrap();
    file.set_len(10).unwrap();
    for bits in [SEC_COMMIT, SEC_RESERVE] {
        let mapping =
            MappingOptions::of_file(&file, 0).protect_word(PAGE_READWRITE | bits).create().unwrap().object;
        let view = mapping.view().unwrap();
        view.store_u8(9, 1).unwrap();
        assert_eq!(view.load_u8(9).unwrap(), 1);
    }
}

/// M15: what can be told without the privilege.
#[test]
fn large_pages_need_committed_memory() {
    let _limit = limit();
    assert_eq!(create(1 << 30, PAGE_READWRITE | SEC_RESERVE | SEC_LARGE_PAGES), 87);
    let file = tempfile::tempfile().unwrap();
    file.set_len(1 << 21).unwrap();
    let protect = PAGE_READWRITE | SEC_COMMIT | SEC_LARGE_PAGES;
    assert_eq!(code(MappingOptions::of_file(&file, 0).protect_word(protect).create()), 87);
}

/// M16.
#[test]
fn cache_bits_are_accepted_beside_commit_or_reserve() {
    let _limit = limit();
    for bits in [SEC_NOCACHE, SEC_WRITECOMBINE] {
        assert_eq!(create(PAGE, PAGE_READWRITE | SEC_COMMIT | bits), 0);
        assert_eq!(create(PAGE, PAGE_READWRITE | SEC_RESERVE | bits), 0);
        assert_eq!(create(PAGE, PAGE_READWRITE | bits), 87);
    }
}

/// M18: the high half of a size counts.
#[test]
fn sections_of_more_than_4_gib_work() {
    let _limit = limit();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path).unwrap();
    let size = (4 << 30) + 65_536 + 10;
    // A hole: no disk is used but for the pages written below.
    file.set_len(size).unwrap();
    let mapping = MappingOptions::of_file(&file, 0).create().unwrap().object;
    assert_eq!(mapping.size().unwrap(), size);
    let view = ViewOptions::new().offset((4 << 30) + 65_536).map(&mapping).unwrap();
    assert_eq!(view.len(), 10);
    view.write(0, b"far behind").unwrap();
    let other = ViewOptions::new().offset(4 << 30).length(65_546).map(&mapping).unwrap();
    assert_eq!(other.read_to_vec(65_536, 10).unwrap(), b"far behind");
}

/// A file argument that is no file.
#[test]
fn the_file_must_be_one() {
    let _limit = limit();
    let event = crate::event::Event::new(true).unwrap();
    assert_eq!(code(MappingOptions::of_handle(event.as_handle(), PAGE).create()), 6);
}

/// M17 in this API: memory without a file is what no file argument asks for.
#[test]
fn without_a_file_it_is_memory() {
    let _limit = limit();
    let mapping = MappingOptions::new(PAGE).create().unwrap().object;
    assert_eq!(mapping.size().unwrap(), PAGE);
}

/// M9's twin for protections: a read-only section of memory is there and stays zero.
#[test]
fn a_read_only_section_of_memory_reads_as_zero() {
    let _limit = limit();
    let mapping = MappingOptions::new(PAGE).protection(Protection::ReadOnly).create().unwrap().object;
    assert_eq!(mapping.view_read_only().unwrap().read_to_vec(0, 4096).unwrap(), vec![0; 4096]);
}

/// Handles of other kinds are no sections, and numbers that nobody issued neither.
#[test]
fn only_a_sections_handle_is_one() {
    let _limit = limit();
    for number in [RawHandle::NULL, NEVER_ISSUED, RawHandle::CURRENT_PROCESS] {
        assert_eq!(code(Mapping::borrow(number).and_then(|mapping| mapping.view())), 6, "{number:?}");
    }
    let event = crate::event::Event::new(true).unwrap();
    assert_eq!(code(Mapping::borrow(event.as_handle().as_raw()).and_then(|mapping| mapping.view())), 6);
}
