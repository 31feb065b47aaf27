//! Faults end a process, so another process has to make them.
//!
//! # Safety
//! The one raw store here is meant to fail: it goes to mapped memory that is read-only.
#![allow(unsafe_code)]

use crate::mapping::{Mapping, ViewOptions};
use crate::support::{With, child, limit, role_at};

const ENTRY: &str = "mapping::tests::fault::child_entry";

#[test]
fn child_entry() {
    child(&[("read-only", store_through_a_read_only_view), ("inaccessible", store_through_an_inaccessible_view)]);
}

fn store_through_a_read_only_view() -> u32 {
    let mapping = Mapping::anonymous(4096).unwrap();
    let view = mapping.view_read_only().unwrap();
    // SAFETY: the page is mapped and read-only: the store faults, and this process ends.
    unsafe { view.as_ptr().write_volatile(1) };
    1
}

fn store_through_an_inaccessible_view() -> u32 {
    let mapping = Mapping::anonymous(4096).unwrap();
    let view = ViewOptions::new().access(0).map(&mapping).unwrap();
    // SAFETY: the page is mapped without access: the store faults, and this process ends.
    unsafe { view.as_ptr().write_volatile(1) };
    1
}

/// M6, R32: a fault, reported as the access violation it is on Windows.
#[test]
fn a_raw_store_through_a_read_only_view_ends_the_process() {
    let _limit = limit();
    assert_eq!(role_at(ENTRY, "read-only").run(), 0xC000_0005);
}

/// M4.
#[test]
fn a_raw_store_through_an_inaccessible_view_ends_the_process() {
    let _limit = limit();
    assert_eq!(role_at(ENTRY, "inaccessible").run(), 0xC000_0005);
}
