//! What has to happen in a process of its own: faults, which end it, and whatever depends on addresses that are
//! free, which another thread may be given at any moment.
//!
//! # Safety
//! The raw stores here are meant to fail: they go to mapped memory that is not writable. What is unmapped by
//! address belongs to nobody else in a process where nothing else happens.
#![allow(unsafe_code)]

use crate::mapping::{Mapping, ViewOptions, unmap};
use crate::support::{With, child, code, limit, role_at, under_wine};

const ENTRY: &str = "mapping::tests::own_process::child_entry";

#[test]
fn child_entry() {
    child(&[
        ("read-only", store_through_a_read_only_view),
        ("inaccessible", store_through_an_inaccessible_view),
        ("unmap", unmap_addresses),
        ("unmap-inside", unmap_inside),
        ("base", map_at_a_base),
    ]);
}

/// What a process that made a fault reports. Wine starts its debugger, which makes another code of it.
fn is_fault(exit: u32) -> bool {
    exit == 0xC000_0005 || (under_wine() && exit == 0xC000_0354)
}

/// M6, R32: a fault, reported as the access violation it is on Windows.
#[test]
fn a_raw_store_through_a_read_only_view_ends_the_process() {
    let _limit = limit();
    let exit = role_at(ENTRY, "read-only").run();
    assert!(is_fault(exit), "{exit:#x}");
}

fn store_through_a_read_only_view() -> u32 {
    let mapping = Mapping::anonymous(4096).unwrap();
    let view = mapping.view_read_only().unwrap();
    // SAFETY: the page is mapped and read-only: the store faults, and this process ends.
    unsafe { view.as_ptr().write_volatile(1) };
    1
}

/// M4.
#[test]
fn a_raw_store_through_an_inaccessible_view_ends_the_process() {
    let _limit = limit();
    let exit = role_at(ENTRY, "inaccessible").run();
    assert!(is_fault(exit), "{exit:#x}");
}

fn store_through_an_inaccessible_view() -> u32 {
    let mapping = Mapping::anonymous(4096).unwrap();
    let view = ViewOptions::new().access(0).map(&mapping).unwrap();
    // SAFETY: the page is mapped without access: the store faults, and this process ends.
    unsafe { view.as_ptr().write_volatile(1) };
    1
}

/// M24: the exact base, once.
#[test]
fn only_the_exact_address_of_a_view_can_be_unmapped() {
    let _limit = limit();
    assert_eq!(role_at(ENTRY, "unmap").run(), 0);
}

fn unmap_addresses() -> u32 {
    let mapping = Mapping::anonymous(4096).unwrap();
    let base = mapping.view().unwrap().into_raw();
    let boxed = Box::new(0u8);
    // SAFETY: none of these is the base of a view, except one, which nobody uses afterwards.
    unsafe {
        assert_eq!(code(unmap(std::ptr::null())), 487);
        assert_eq!(code(unmap((&raw const *boxed).cast())), 487);
        assert_eq!(code(unmap(base)), 0);
        assert_eq!(code(unmap(base)), 487);
    }
    0
}

/// M24: an address inside a view is not its base.
#[test]
fn an_address_inside_a_view_cannot_be_unmapped() {
    let _limit = limit();
    crate::differs_under_wine!("M24", role_at(ENTRY, "unmap-inside").run() == 487);
}

fn unmap_inside() -> u32 {
    let mapping = Mapping::anonymous(4096).unwrap();
    let base = mapping.view().unwrap().into_raw();
    // SAFETY: the view is nobody's any more, whether the call unmaps it or not.
    code(unsafe { unmap(base.wrapping_byte_add(16)) })
}

/// M25: a base is taken exactly or not at all.
#[test]
fn a_base_is_taken_exactly_or_not_at_all() {
    let _limit = limit();
    assert_eq!(role_at(ENTRY, "base").run(), 0);
}

fn map_at_a_base() -> u32 {
    let mapping = Mapping::anonymous(131_072).unwrap();
    let at = |base: usize| ViewOptions::new().base(base).map(&mapping);
    let view = mapping.view().unwrap();
    view.store_u8(65_536, 1).unwrap();
    let base = view.as_ptr() as usize;
    assert_eq!(code(at(base)), 487, "taken");
    let inside = ViewOptions::new().base(base + 65_536).length(65_536).map(&mapping);
    assert_eq!(code(inside), 487, "the inside of a view is taken too");
    assert_eq!(code(at(base + 4096)), 1132);
    assert_eq!(view.load_u8(65_536).unwrap(), 1, "nothing was mapped over it");
    drop(view);
    let again = at(base).unwrap();
    assert_eq!(again.as_ptr() as usize, base);
    assert_eq!(again.load_u8(65_536).unwrap(), 1);
    0
}
