//! Which view can be mapped through which handle (mapping.md, section 3).

use crate::mapping::{
    FILE_MAP_ALL_ACCESS, FILE_MAP_COPY, FILE_MAP_EXECUTE, FILE_MAP_READ, FILE_MAP_WRITE, Mapping,
    MappingOptions, Protection, ViewOptions,
};
use crate::support::{code, limit, unique};

const PAGE: u64 = 4096;

/// The view accesses of the tables, with the column's name.
const VIEWS: [(&str, u32); 6] = [
    ("read", FILE_MAP_READ),
    ("write", FILE_MAP_WRITE),
    ("copy", FILE_MAP_COPY),
    ("read and write", FILE_MAP_READ | FILE_MAP_WRITE),
    ("all", FILE_MAP_ALL_ACCESS),
    ("execute and read", FILE_MAP_EXECUTE | FILE_MAP_READ),
];

/// What each view of [`VIEWS`] fails with.
fn codes(mapping: &Mapping) -> [u32; 6] {
    VIEWS.map(|(_, access)| code(ViewOptions::new().access(access).map(mapping)))
}

/// M1, H42: the rows of the first table; what refuses is 5.
#[test]
fn the_sections_protection_decides_which_views_the_creator_gets() {
    let _limit = limit();
    let rows = [
        (Protection::ReadOnly, [0, 5, 0, 5, 5, 5]),
        (Protection::ReadWrite, [0, 0, 0, 0, 0, 5]),
        (Protection::WriteCopy, [0, 5, 0, 5, 5, 5]),
        (Protection::ExecuteRead, [0, 5, 0, 5, 5, 0]),
        (Protection::ExecuteReadWrite, [0, 0, 0, 0, 0, 0]),
    ];
    for (protection, expected) in rows {
        let mapping = MappingOptions::new(PAGE).protection(protection).create().unwrap().object;
        assert_eq!(codes(&mapping), expected, "{protection:?}");
    }
}

/// M1: the rows of the second table; the handle's rights decide where the section would allow more.
#[test]
fn an_opened_handles_rights_decide_as_well() {
    let _limit = limit();
    let name = unique("access");
    let _creator = Mapping::create(&name, PAGE).unwrap();
    let rows = [
        (FILE_MAP_READ, [0, 5, 0, 5, 5, 5]),
        (FILE_MAP_WRITE, [5, 0, 5, 0, 0, 5]),
        (FILE_MAP_ALL_ACCESS, [0, 0, 0, 0, 0, 5]),
    ];
    for (access, expected) in rows {
        let mapping = MappingOptions::new(0).name(&name).access(access).open().unwrap();
        let found = codes(&mapping);
        assert_eq!(found[..5], expected[..5], "{access:#x}");
        if access == FILE_MAP_ALL_ACCESS {
            // The handle may execute, the section may not.
            crate::differs_under_wine!("M1", found[5] == 5);
        } else {
            assert_eq!(found[5], expected[5], "{access:#x}");
        }
    }
}

/// M2.
#[test]
fn a_write_view_can_be_read_too() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    for access in [FILE_MAP_WRITE, FILE_MAP_READ | FILE_MAP_WRITE, FILE_MAP_ALL_ACCESS] {
        let view = ViewOptions::new().access(access).map(&mapping).unwrap();
        assert!(view.is_writable() && !view.is_copy_on_write());
        view.store_u32(8, access).unwrap();
        assert_eq!(view.load_u32(8).unwrap(), access);
    }
}

/// M3: with another data access named the view is an ordinary one.
#[test]
fn copy_on_write_is_what_copy_alone_asks_for() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let copy = ViewOptions::new().access(FILE_MAP_COPY).map(&mapping).unwrap();
    assert!(copy.is_copy_on_write() && copy.is_writable());
    let shared = ViewOptions::new().access(FILE_MAP_COPY | FILE_MAP_WRITE).map(&mapping).unwrap();
    assert!(!shared.is_copy_on_write());
    shared.store_u8(0, 7).unwrap();
    assert_eq!(mapping.view().unwrap().load_u8(0).unwrap(), 7);
}

/// M4: nobody can touch it; what reads and writes it by the safe calls is told so.
#[test]
fn access_0_maps_a_view_that_cannot_be_touched() {
    let _limit = limit();
    let name = unique("access-0");
    let mapping = Mapping::create(&name, PAGE).unwrap().object;
    let view = ViewOptions::new().access(0).map(&mapping).unwrap();
    assert!(!view.is_writable());
    assert_eq!(code(view.read(0, &mut [0; 4])), 5);
    assert_eq!(code(view.load_u32(0)), 5);
    assert_eq!(code(view.write(0, &[1])), 5);
    let writer = MappingOptions::new(0).name(&name).access(FILE_MAP_WRITE).open().unwrap();
    assert_eq!(code(ViewOptions::new().access(0).map(&writer)), 5);
}

/// M5.
#[test]
fn a_second_creator_has_the_rights_of_its_own_protection() {
    let _limit = limit();
    let name = unique("second");
    let _first = Mapping::create(&name, PAGE).unwrap();
    let second = MappingOptions::new(PAGE).name(&name).protection(Protection::ReadOnly).create().unwrap();
    assert!(second.existed);
    assert_eq!(code(second.object.view()), 5);
    assert_eq!(code(second.object.view_read_only()), 0);
}

/// M6 is the fault of a raw pointer; the safe calls answer 5 instead.
#[test]
fn safe_writes_through_a_read_only_view_are_refused() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let view = mapping.view_read_only().unwrap();
    assert!(!view.is_writable());
    assert_eq!(code(view.write(0, b"x")), 5);
    assert_eq!(code(view.fill(0, 1, 1)), 5);
    assert_eq!(code(view.write_value(0, &1u32)), 5);
    assert_eq!(code(view.store_u8(0, 1)), 5);
    assert_eq!(code(view.store_u16(0, 1)), 5);
    assert_eq!(code(view.store_u32(0, 1)), 5);
    assert_eq!(code(view.store_u64(0, 1)), 5);
    assert_eq!(code(view.atomic_u8(0)), 5);
    assert_eq!(code(view.atomic_u32(0)), 5);
    assert_eq!(code(view.atomic_u64(0)), 5);
    assert_eq!(view.read_to_vec(0, 8).unwrap(), [0; 8]);
    assert_eq!(view.load_u64(0).unwrap(), 0);
}
