//! Views: where they lie, how long they live, how they are read and written (mapping.md, section 5).
//!
//! # Safety
//! Two tests need what the safe interface keeps away: unmapping by address, and slices of a view that nobody
//! else has.
#![allow(unsafe_code)]

use std::sync::atomic::Ordering;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::mapping::{FILE_MAP_READ, Mapping, View, ViewOptions, flush, unmap};
use crate::support::{code, limit, unique};

const PAGE: u64 = 4096;
const GRANULE: u64 = 65_536;

/// M19.
#[test]
fn views_start_at_multiples_of_64_kib() {
    let _limit = limit();
    let mapping = Mapping::anonymous(3 * GRANULE).unwrap();
    let views: Vec<View> = (0..3).map(|_| mapping.view().unwrap()).collect();
    assert!(views.iter().all(|view| view.as_ptr().addr().is_multiple_of(GRANULE as usize)));
    for offset in [1, PAGE, GRANULE - 1, GRANULE + PAGE] {
        assert_eq!(code(ViewOptions::new().offset(offset).map(&mapping)), 1132, "{offset}");
    }
    assert_eq!(code(ViewOptions::new().offset(2 * GRANULE).map(&mapping)), 0);
}

/// M20.
#[test]
fn lengths_are_free_and_0_means_to_the_end() {
    let _limit = limit();
    let mapping = Mapping::anonymous(2 * GRANULE).unwrap();
    for length in [1, 100, 4096, 4097, 2 * GRANULE] {
        assert_eq!(ViewOptions::new().length(length).map(&mapping).unwrap().len() as u64, length);
    }
    assert_eq!(ViewOptions::new().map(&mapping).unwrap().len() as u64, 2 * GRANULE);
    assert_eq!(ViewOptions::new().offset(GRANULE).map(&mapping).unwrap().len() as u64, GRANULE);
}

/// M21, and lengths that do not fit.
#[test]
fn what_lies_beyond_the_end_cannot_be_mapped() {
    let _limit = limit();
    let mapping = Mapping::anonymous(2 * GRANULE).unwrap();
    assert_ne!(code(ViewOptions::new().offset(2 * GRANULE).map(&mapping)), 0);
    assert_ne!(code(ViewOptions::new().offset(u64::MAX - GRANULE + 1).map(&mapping)), 0);
    assert_eq!(code(ViewOptions::new().length(2 * GRANULE + 1).map(&mapping)), 5);
    assert_eq!(code(ViewOptions::new().offset(GRANULE).length(GRANULE + 1).map(&mapping)), 5);
}

/// M22.
#[test]
fn views_of_one_section_show_the_same_bytes() {
    let _limit = limit();
    let mapping = Mapping::anonymous(2 * GRANULE).unwrap();
    let (one, two) = (mapping.view().unwrap(), mapping.view().unwrap());
    let part = ViewOptions::new().offset(GRANULE).map(&mapping).unwrap();
    assert_ne!(one.as_ptr(), two.as_ptr());
    one.write(GRANULE as usize + 3, b"seen").unwrap();
    assert_eq!(two.read_to_vec(GRANULE as usize + 3, 4).unwrap(), b"seen");
    assert_eq!(part.read_to_vec(3, 4).unwrap(), b"seen");
}

/// M23.
#[test]
fn a_view_keeps_the_memory_when_the_handle_is_closed() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let (one, two) = (mapping.view().unwrap(), mapping.view_read_only().unwrap());
    drop(mapping);
    one.store_u32(0, 42).unwrap();
    assert_eq!(two.load_u32(0).unwrap(), 42);
    drop(one);
    assert_eq!(two.load_u32(0).unwrap(), 42);
}

/// M28, within one process; tests/by_name.rs has it between several.
#[test]
fn interlocked_operations_do_not_lose_counts() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let view = mapping.view().unwrap();
            scope.spawn(move || {
                for _ in 0..10_000 {
                    view.atomic_u32(0).unwrap().fetch_add(1, Ordering::Relaxed);
                    view.atomic_u64(8).unwrap().fetch_add(3, Ordering::Relaxed);
                    view.atomic_u8(16).unwrap().fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let view = mapping.view().unwrap();
    assert_eq!(view.load_u32(0).unwrap(), 40_000);
    assert_eq!(view.load_u64(8).unwrap(), 120_000);
    assert_eq!(view.load_u8(16).unwrap(), (40_000 % 256) as u8);
}

/// The ranges of all calls are checked, at both ends of the numbers.
#[test]
fn ranges_outside_the_view_are_87() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let view = ViewOptions::new().length(100).map(&mapping).unwrap();
    for (offset, len) in
        [(0, 101), (100, 1), (101, 0), (usize::MAX, 1), (1, usize::MAX), (usize::MAX, usize::MAX)]
    {
        assert_eq!(code(view.read_to_vec(offset, len)), 87, "{offset} {len}");
        assert_eq!(code(view.fill(offset, len, 1)), 87, "{offset} {len}");
    }
    assert_eq!(code(view.read(97, &mut [0; 4])), 87);
    assert_eq!(code(view.write(97, &[0; 4])), 87);
    assert_eq!(code(view.read_value::<u64>(93)), 87);
    assert_eq!(code(view.write_value(93, &0u64)), 87);
    assert_eq!(code(view.load_u64(96)), 87);
    assert_eq!(code(view.store_u16(100, 0)), 87);
    assert_eq!(code(view.flush(101, 0)), 87);
    assert_eq!(code(view.flush(1, usize::MAX)), 87);
    assert_eq!(view.read_to_vec(0, 100).unwrap(), vec![0; 100], "nothing was written");
}

#[test]
fn empty_ranges_are_fine_up_to_the_end() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let view = mapping.view().unwrap();
    assert!(!view.is_empty());
    for offset in [0, 17, 4096] {
        assert_eq!(view.read_to_vec(offset, 0).unwrap(), []);
        view.write(offset, &[]).unwrap();
        view.fill(offset, 0, 1).unwrap();
    }
}

#[test]
fn words_must_be_aligned() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let view = mapping.view().unwrap();
    for offset in [1, 2, 3, 5] {
        assert_eq!(code(view.atomic_u32(offset)), 87);
        assert_eq!(code(view.load_u32(offset)), 87);
        assert_eq!(code(view.store_u32(offset, 0)), 87);
        assert_eq!(code(view.load_u64(offset)), 87);
    }
    assert_eq!(code(view.load_u64(4)), 87);
    assert_eq!(code(view.load_u16(3)), 87);
    assert_eq!(code(view.load_u8(3)), 0);
}

#[derive(Debug, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Record {
    id: u32,
    letters: [u8; 4],
    value: f64,
}

#[test]
fn plain_values_are_copied_in_and_out_at_any_offset() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let view = mapping.view().unwrap();
    for offset in [0, 1, 7, 4096 - 16] {
        let record = Record { id: offset as u32, letters: *b"abcd", value: 1.5 };
        view.write_value(offset, &record).unwrap();
        assert_eq!(view.read_value::<Record>(offset).unwrap(), record);
        assert_eq!(view.read_to_vec(offset + 4, 4).unwrap(), b"abcd");
    }
    view.write_value(100, [1u16, 2, 3].as_slice()).unwrap();
    assert_eq!(view.load_u16(104).unwrap(), 3);
}

#[test]
fn filling_touches_its_range_alone() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let view = mapping.view().unwrap();
    view.fill(10, 3000, 0xAB).unwrap();
    let bytes = view.read_to_vec(0, 4096).unwrap();
    assert!(bytes[10..3010].iter().all(|b| *b == 0xAB));
    assert!(bytes[..10].iter().chain(&bytes[3010..]).all(|b| *b == 0));
}

/// Words of one view race without being torn: every value seen is one that was stored.
#[test]
fn racing_words_are_never_torn() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let view = mapping.view().unwrap();
    let halves = |x: u64| (x >> 32, x & 0xFFFF_FFFF);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..200_000u64 {
                view.store_u64(0, n << 32 | n).unwrap();
                view.write_value(8, &(n << 32 | n)).unwrap();
            }
        });
        while !writer.is_finished() {
            let (high, low) = halves(view.load_u64(0).unwrap());
            assert_eq!(high, low);
            let (high, low) = halves(view.read_value::<u64>(8).unwrap());
            assert_eq!(high, low);
        }
    });
}

/// M49: memory without a file has nothing to flush, in whole or in part.
#[test]
fn flushing_memory_succeeds() {
    let _limit = limit();
    let mapping = Mapping::anonymous(4 * PAGE).unwrap();
    let view = mapping.view().unwrap();
    for (offset, len) in [(0, 0), (0, 4096), (5000, 17), (16_384, 0)] {
        assert_eq!(code(view.flush(offset, len)), 0, "{offset} {len}");
    }
    assert_eq!(code(flush(view.as_ptr().cast(), 0)), 0);
    assert_eq!(code(flush(view.as_ptr().wrapping_add(5000).cast(), 1)), 0);
}

/// Mapping.md, section 2: the address is in no view.
#[test]
fn only_a_view_can_be_flushed() {
    let _limit = limit();
    let local = 0u8;
    crate::differs_under_wine!("M49", code(flush((&raw const local).cast(), 0)) == 487);
}

/// The caller has the view for itself, so a slice of it is allowed.
#[test]
fn a_view_nobody_else_has_can_be_a_slice() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let mut view = mapping.view().unwrap();
    drop(mapping);
    // SAFETY: the section has no name, no handle and no other view: nobody else can reach its bytes.
    let (first, length) = unsafe {
        view.as_mut_slice()[..3].copy_from_slice(b"abc");
        (view.as_slice()[1], view.as_slice().len())
    };
    assert_eq!((first, length), (b'b', 4096));
    assert_eq!(view.read_to_vec(0, 3).unwrap(), b"abc");
}

/// M23: giving the view up leaves it mapped.
#[test]
fn a_view_given_up_stays_until_it_is_unmapped_by_address() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    let view = mapping.view().unwrap();
    let other = mapping.view().unwrap();
    let base = view.into_raw();
    other.store_u8(5, 77).unwrap();
    // SAFETY: the view is still mapped, and no thread writes to it now; then it is unmapped and not used again.
    unsafe {
        assert_eq!(base.cast::<u8>().add(5).read_volatile(), 77);
        assert_eq!(code(unmap(base)), 0);
    }
}

#[test]
fn a_view_can_be_used_by_many_threads() {
    fn both<T: Send + Sync>() {}
    both::<View>();
}

/// M39's other half is in names.rs: here the *name* is gone while the view lives on.
#[test]
fn a_view_outlives_the_name() {
    let _limit = limit();
    let name = unique("outlives");
    let view = Mapping::create(&name, PAGE).unwrap().object.view().unwrap();
    view.store_u8(0, 42).unwrap();
    assert_eq!(code(Mapping::open(&name)), 2);
    assert_eq!(view.load_u8(0).unwrap(), 42);
}

/// M21, M1: a failed map leaves nothing behind; the next one works.
#[test]
fn a_view_that_failed_leaves_the_section_as_it_was() {
    let _limit = limit();
    let mapping = Mapping::anonymous(PAGE).unwrap();
    for _ in 0..100 {
        assert_eq!(code(ViewOptions::new().length(2 * PAGE).map(&mapping)), 5);
    }
    assert_eq!(mapping.view().unwrap().len() as u64, PAGE);
    assert_eq!(code(ViewOptions::new().access(FILE_MAP_READ).map(&mapping)), 0);
}
