//! Copy-on-write views (mapping.md, section 6).

use crate::mapping::{FILE_MAP_COPY, Mapping, MappingOptions, Protection, View, ViewOptions};
use crate::support::limit;

const PAGE: usize = 4096;

fn copy_of(mapping: &Mapping) -> View {
    ViewOptions::new().access(FILE_MAP_COPY).map(mapping).unwrap()
}

/// M29: until the first store to a page the view follows the section.
#[test]
fn a_copy_starts_as_the_section_and_follows_it_until_it_is_written() {
    let _limit = limit();
    let mapping = Mapping::anonymous(2 * PAGE as u64).unwrap();
    let shared = mapping.view().unwrap();
    shared.write(0, b"before").unwrap();
    let copy = copy_of(&mapping);
    assert_eq!(copy.read_to_vec(0, 6).unwrap(), b"before");
    shared.write(0, b"beside").unwrap();
    assert_eq!(copy.read_to_vec(0, 6).unwrap(), b"beside");
    copy.store_u8(0, b'B').unwrap();
    assert_eq!(copy.read_to_vec(0, 6).unwrap(), b"Beside");
    assert_eq!(shared.read_to_vec(0, 6).unwrap(), b"beside");
}

/// M30.
#[test]
fn private_pages_are_seen_by_nobody_else_and_lost_at_unmapping() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE as u64).unwrap();
    let shared = mapping.view().unwrap();
    let (one, two) = (copy_of(&mapping), copy_of(&mapping));
    one.write(0, b"one").unwrap();
    two.write(0, b"two").unwrap();
    assert_eq!(one.read_to_vec(0, 3).unwrap(), b"one");
    assert_eq!(two.read_to_vec(0, 3).unwrap(), b"two");
    assert_eq!(shared.read_to_vec(0, 3).unwrap(), [0; 3]);
    drop(one);
    assert_eq!(copy_of(&mapping).read_to_vec(0, 3).unwrap(), [0; 3]);
}

/// M31, page by page.
#[test]
fn a_private_page_no_longer_follows_the_section() {
    let _limit = limit();
    let mapping = Mapping::anonymous(2 * PAGE as u64).unwrap();
    let shared = mapping.view().unwrap();
    let copy = copy_of(&mapping);
    copy.store_u8(10, 1).unwrap();
    shared.store_u8(11, 2).unwrap();
    shared.store_u8(PAGE + 11, 3).unwrap();
    assert_eq!(copy.load_u8(11).unwrap(), 0, "this page is private");
    assert_eq!(copy.load_u8(PAGE + 11).unwrap(), 3, "that one is not");
}

/// M54: a handle that can only read the file is enough, and the file stays as it is.
#[test]
fn a_copy_of_a_file_needs_only_reading_and_changes_nothing() {
    let _limit = limit();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copied");
    std::fs::write(&path, b"abcd").unwrap();
    let file = std::fs::File::open(&path).unwrap();
    for protection in [Protection::WriteCopy, Protection::ReadOnly] {
        let mapping = MappingOptions::of_file(&file, 0).protection(protection).create().unwrap().object;
        let copy = copy_of(&mapping);
        copy.store_u8(0, b'X').unwrap();
        assert_eq!(copy.read_to_vec(0, 4).unwrap(), b"Xbcd");
        copy.flush(0, 0).unwrap();
    }
    assert_eq!(std::fs::read(&path).unwrap(), b"abcd");
}

/// Atomics work on private pages too, and stay there.
#[test]
fn atomics_of_a_copy_are_private() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE as u64).unwrap();
    let copy = copy_of(&mapping);
    copy.atomic_u32(0).unwrap().fetch_add(5, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(copy.load_u32(0).unwrap(), 5);
    assert_eq!(mapping.view().unwrap().load_u32(0).unwrap(), 0);
}
