//! Pages: `VirtualAlloc`, `VirtualFree`, `VirtualProtect`, `VirtualQuery`.
//!
//! What these calls made is in the table of [`crate::pages`]; of other memory the kernel's list of mappings
//! tells as much as it knows.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. Memory that did not come from here changes its
//! protection when the program asks for it, and the consequences are the program's.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::fs;
use std::ops::Range;

use transom::Code;

use crate::ffi::{Bool, Failure, Out, Outcome, Plain, fail, guard, truth};
use crate::os;
use crate::pages::{self, Kind, PAGE};

/// `MEM_COMMIT` and the other kinds of allocation and states of pages.
const COMMIT: u32 = 0x1000;
const RESERVE: u32 = 0x2000;
const DECOMMIT: u32 = 0x4000;
const RELEASE: u32 = 0x8000;
const FREE: u32 = 0x1_0000;
const RESET: u32 = 0x8_0000;
const TOP_DOWN: u32 = 0x10_0000;
const RESET_UNDO: u32 = 0x100_0000;
const LARGE_PAGES: u32 = 0x2000_0000;
/// `MEM_PRIVATE`, `MEM_MAPPED`, `MEM_IMAGE`.
const PRIVATE: u32 = 0x2_0000;
const MAPPED: u32 = 0x4_0000;
const IMAGE: u32 = 0x100_0000;
/// Above this a program of 64 bits has nothing.
const HIGHEST: usize = 0x7FFF_FFFE_FFFF;

/// What `VirtualQuery` tells.
#[repr(C)]
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct MEMORY_BASIC_INFORMATION {
    base: usize,
    allocation_base: usize,
    allocation_protect: u32,
    partition: u16,
    size: usize,
    state: u32,
    protect: u32,
    kind: u32,
}

// SAFETY: integers, laid out as C does.
unsafe impl Plain for MEMORY_BASIC_INFORMATION {}

fn pointer(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}

#[unsafe(no_mangle)]
pub extern "C" fn VirtualAlloc(address: *mut c_void, size: usize, kind: u32, protect: u32) -> *mut c_void {
    guard(std::ptr::null_mut(), || {
        let address = address.addr();
        let operation = kind & !(TOP_DOWN | LARGE_PAGES);
        let copies = matches!(protect & 0xFF, pages::WRITECOPY | pages::EXECUTE_WRITECOPY);
        if size == 0 || copies || pages::rights(protect).is_none() {
            return fail(Code::INVALID_PARAMETER);
        }
        let at = match operation {
            // What is no longer wanted may as well be kept.
            RESET | RESET_UNDO => {
                let wanted = pages::whole_pages(address, size)?;
                pages::query(wanted.start).ok_or(Failure(Code::INVALID_ADDRESS))?;
                wanted.start
            }
            COMMIT | RESERVE | 0x3000 => {
                if kind & LARGE_PAGES != 0 {
                    return fail(Code::PRIVILEGE_NOT_HELD);
                }
                if size > HIGHEST {
                    return fail(Code::NOT_ENOUGH_MEMORY);
                }
                if operation == COMMIT && address != 0 {
                    pages::commit(address, size, protect)?
                } else {
                    pages::reserve(address, size, protect, operation & COMMIT != 0)?
                }
            }
            _ => return fail(Code::INVALID_PARAMETER),
        };
        Ok(pointer(at))
    })
}

/// # Safety
/// The caller uses the contents of the pages no more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VirtualFree(address: *mut c_void, size: usize, kind: u32) -> Bool {
    truth(|| match kind {
        RELEASE if size == 0 => pages::release(address.addr()),
        DECOMMIT => pages::decommit(address.addr(), size),
        _ => fail(Code::INVALID_PARAMETER),
    })
}

/// # Safety
/// The caller can live with the new protection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VirtualProtect(
    address: *mut c_void,
    size: usize,
    protect: u32,
    old: Out<u32>,
) -> Bool {
    truth(|| {
        let old = old.required()?;
        let wanted = pages::whole_pages(address.addr(), size)?;
        let before = match pages::protect(&wanted, protect)? {
            Some(before) => before,
            None => protect_other(&wanted, protect)?,
        };
        old.put(before);
        Ok(())
    })
}

/// Changes memory that came from elsewhere: code, C's heap.
fn protect_other(wanted: &Range<usize>, protect: u32) -> Outcome<u32> {
    let rights = pages::rights(protect).ok_or(Failure(Code::INVALID_PARAMETER))?;
    let Some(mapping) = mappings()?.into_iter().find(|mapping| mapping.range.contains(&wanted.start)) else {
        return fail(Code::INVALID_ADDRESS);
    };
    // SAFETY: the program's own memory, and the program's wish. Where nothing is mapped it is an error.
    unsafe { os::protect(wanted.start, wanted.len(), rights) }.map_err(|_| Failure(Code::INVALID_ADDRESS))?;
    Ok(mapping.protect)
}

#[unsafe(no_mangle)]
pub extern "C" fn VirtualQuery(
    address: *const c_void,
    information: Out<MEMORY_BASIC_INFORMATION>,
    length: usize,
) -> usize {
    guard(0, || {
        let size = size_of::<MEMORY_BASIC_INFORMATION>();
        if length < size {
            return fail(Code::BAD_LENGTH);
        }
        let information = information.required()?;
        let page = address.addr() - address.addr() % PAGE;
        if page > HIGHEST {
            return fail(Code::INVALID_PARAMETER);
        }
        information.put(describe(page)?);
        Ok(size)
    })
}

/// What the pages from `page` on are.
fn describe(page: usize) -> Outcome<MEMORY_BASIC_INFORMATION> {
    let common = MEMORY_BASIC_INFORMATION { base: page, ..MEMORY_BASIC_INFORMATION::default() };
    if let Some(known) = pages::query(page) {
        return Ok(MEMORY_BASIC_INFORMATION {
            allocation_base: known.base,
            allocation_protect: known.allocation_protect,
            size: known.end - page,
            state: if known.protect.is_some() { COMMIT } else { RESERVE },
            protect: known.protect.unwrap_or(0),
            kind: if known.kind == Kind::Private { PRIVATE } else { MAPPED },
            ..common
        });
    }
    let mut next = HIGHEST + 1;
    for mapping in mappings()? {
        if mapping.range.contains(&page) {
            return Ok(MEMORY_BASIC_INFORMATION {
                allocation_base: mapping.range.start,
                allocation_protect: mapping.protect,
                size: mapping.range.end - page,
                state: COMMIT,
                protect: mapping.protect,
                kind: mapping.kind,
                ..common
            });
        }
        if mapping.range.start > page {
            next = next.min(mapping.range.start);
        }
    }
    let next = pages::next_base(page).map_or(next, |base| next.min(base));
    Ok(MEMORY_BASIC_INFORMATION { size: next - page, state: FREE, protect: pages::NOACCESS, ..common })
}

/// A line of the kernel's list of mappings.
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    range: Range<usize>,
    protect: u32,
    kind: u32,
}

fn mappings() -> Outcome<Vec<Mapping>> {
    let list = fs::read_to_string("/proc/self/maps")?;
    Ok(list.lines().filter_map(mapping).collect())
}

/// Reads `start-end rwxp offset device inode path`.
fn mapping(line: &str) -> Option<Mapping> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let rights = words.next()?.as_bytes();
    let path = words.nth(3).unwrap_or_default();
    let range = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
    let has = |at: usize, letter: u8| rights.get(at) == Some(&letter);
    let protect = match (has(0, b'r'), has(1, b'w'), has(2, b'x')) {
        (_, true, true) => pages::EXECUTE_READWRITE,
        (_, true, false) => pages::READWRITE,
        (true, false, true) => pages::EXECUTE_READ,
        (true, false, false) => pages::READONLY,
        (false, false, true) => pages::EXECUTE,
        (false, false, false) => pages::NOACCESS,
    };
    let kind = match (has(3, b's'), path.starts_with('/')) {
        (true, _) => MAPPED,
        (false, true) => IMAGE,
        (false, false) => PRIVATE,
    };
    Some(Mapping { range, protect, kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernels_list_are_understood() {
        let line = "7f10-7f20 r-xp 00001000 08:01 1234       /usr/lib/libc.so.6";
        let code = Mapping { range: 0x7f10..0x7f20, protect: pages::EXECUTE_READ, kind: IMAGE };
        assert_eq!(mapping(line), Some(code));
        let line = "10-20 rw-s 00000000 00:01 77 /dev/shm/x y";
        assert_eq!(
            mapping(line),
            Some(Mapping { range: 0x10..0x20, protect: pages::READWRITE, kind: MAPPED })
        );
        let line = "10-20 ---p 00000000 00:00 0";
        assert_eq!(
            mapping(line),
            Some(Mapping { range: 0x10..0x20, protect: pages::NOACCESS, kind: PRIVATE })
        );
        assert_eq!(mapping("nonsense"), None);
    }

    #[test]
    fn foreign_memory_is_described_as_the_kernel_lists_it() {
        static CONSTANT: u32 = 7;
        let code = describe(std::ptr::from_ref(&CONSTANT).addr() & !(PAGE - 1)).expect("a list of mappings");
        assert_eq!((code.state, code.kind), (COMMIT, IMAGE));
        let on_stack = 0_u32;
        let stack = describe(std::ptr::from_ref(&on_stack).addr() & !(PAGE - 1)).expect("a list of mappings");
        assert_eq!((stack.state, stack.protect, stack.kind), (COMMIT, pages::READWRITE, PRIVATE));
        let nothing = describe(0).expect("a list of mappings");
        assert_eq!((nothing.state, nothing.protect, nothing.allocation_base), (FREE, pages::NOACCESS, 0));
    }
}
