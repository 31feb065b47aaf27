use super::*;
use crate::access::{FILE_MAP_ALL_ACCESS, SYNCHRONIZE};
use std::vec::Vec;

const DENIED: Code = Code::ACCESS_DENIED;

#[test]
fn one_protection_and_nothing_else_is_accepted() {
    for protection in Protection::ALL {
        let section = decode(protection.value(), false).expect("a plain protection");
        assert_eq!(section.protection, protection);
        assert_eq!(section.flags, SectionFlags::COMMIT);
        assert_eq!(Protection::from_value(protection.value()), Some(protection));
    }
    // 0, PAGE_NOACCESS, PAGE_EXECUTE, mixtures, PAGE_GUARD, PAGE_NOCACHE, an unknown section bit
    for protect in [0, 1, 0x10, 2 | 4, 4 | 8, 4 | 0x40, 4 | 0x100, 4 | 0x200, 4 | 0x0080_0000] {
        assert_eq!(decode(protect, false), Err(Code::INVALID_PARAMETER), "{protect:#x}");
        assert_eq!(decode(protect, true), Err(Code::INVALID_PARAMETER), "{protect:#x}");
    }
}

/// Section 2, and M12 to M16.
#[test]
fn section_bits_have_to_fit_each_other() {
    let flags = |bits: u32| decode(4 | bits, false).map(|section| section.flags.bits());
    assert_eq!((SectionFlags::NOCACHE | SectionFlags::RESERVE).bits(), SEC_NOCACHE | SEC_RESERVE);
    assert_eq!(flags(SEC_RESERVE), Ok(SEC_RESERVE));
    assert_eq!(flags(SEC_COMMIT), Ok(SEC_COMMIT));
    assert_eq!(flags(SEC_COMMIT | SEC_RESERVE), Err(Code::INVALID_PARAMETER));
    assert_eq!(flags(SEC_NOCACHE), Err(Code::INVALID_PARAMETER));
    assert_eq!(flags(SEC_WRITECOMBINE), Err(Code::INVALID_PARAMETER));
    assert_eq!(flags(SEC_NOCACHE | SEC_COMMIT), Ok(SEC_NOCACHE | SEC_COMMIT));
    assert_eq!(flags(SEC_WRITECOMBINE | SEC_RESERVE), Ok(SEC_WRITECOMBINE | SEC_RESERVE));
}

/// M15
#[test]
fn large_pages_need_commit_and_the_paging_file() {
    let protect = 4 | SEC_LARGE_PAGES;
    let section = decode(protect | SEC_COMMIT, false).expect("large pages");
    assert!(section.flags.contains(SectionFlags::LARGE_PAGES));
    assert_eq!(decode(protect | SEC_COMMIT, true), Err(Code::INVALID_PARAMETER));
    assert_eq!(decode(protect, false), Err(Code::INVALID_PARAMETER));
    assert_eq!(decode(protect | SEC_RESERVE, false), Err(Code::INVALID_PARAMETER));
}

/// Section 2: SEC_IMAGE on something that is not an executable image.
#[test]
fn an_image_needs_a_file_and_stands_alone() {
    assert_eq!(decode(2 | SEC_IMAGE, false), Err(Code::BAD_EXE_FORMAT));
    let section = decode(2 | SEC_IMAGE, true).expect("an image");
    assert!(section.flags.contains(SectionFlags::IMAGE));
    assert!(!section.flags.contains(SectionFlags::COMMIT));
    assert!(decode(2 | SEC_IMAGE | SEC_NOCACHE, true).is_ok());
    for other in [SEC_COMMIT, SEC_RESERVE, SEC_WRITECOMBINE, SEC_LARGE_PAGES] {
        assert_eq!(decode(2 | SEC_IMAGE | other, true), Err(Code::INVALID_PARAMETER));
    }
}

/// READ, WRITE, READ|WRITE, ALL, COPY, EXECUTE|READ.
const VIEWS: [u32; 6] = [4, 2, 6, 0xF_001F, 1, 0x24];

fn allowed(protection: Protection, rights: u32) -> Vec<bool> {
    VIEWS.iter().map(|&view| view_mode(protection, rights, view).is_ok()).collect()
}

/// First table of section 3; M1, H42.
#[test]
fn a_creator_maps_what_its_protection_allows() {
    let table = [
        (Protection::ReadOnly, [true, false, false, false, true, false]),
        (Protection::ReadWrite, [true, true, true, true, true, false]),
        (Protection::WriteCopy, [true, false, false, false, true, false]),
        (Protection::ExecuteRead, [true, false, false, false, true, true]),
        (Protection::ExecuteReadWrite, [true, true, true, true, true, true]),
        (Protection::ExecuteWriteCopy, [true, false, false, false, true, true]),
    ];
    for (protection, expected) in table {
        assert_eq!(allowed(protection, handle_rights(protection)), expected, "{protection:?}");
        // The protection alone already says the same: all rights do not help.
        assert_eq!(allowed(protection, u32::MAX), expected, "{protection:?}");
    }
}

/// Second table of section 3; M1.
#[test]
fn an_opened_handle_maps_what_its_rights_allow() {
    let section = Protection::ReadWrite;
    assert_eq!(allowed(section, FILE_MAP_READ), [true, false, false, false, true, false]);
    assert_eq!(allowed(section, FILE_MAP_WRITE), [false, true, true, true, false, false]);
    assert_eq!(allowed(section, FILE_MAP_ALL_ACCESS), [true, true, true, true, true, false]);
    assert_eq!(allowed(section, 0), [false; 6]);
    assert_eq!(allowed(section, SYNCHRONIZE), [false; 6]);
}

/// M2
#[test]
fn write_is_read_and_write_however_it_is_spelt() {
    let write = ViewMode { access: ViewAccess::Write, execute: false };
    for desired in [FILE_MAP_WRITE, FILE_MAP_READ | FILE_MAP_WRITE, FILE_MAP_ALL_ACCESS, 3] {
        assert_eq!(view_mode(Protection::ReadWrite, FILE_MAP_ALL_ACCESS, desired), Ok(write));
    }
}

/// M3
#[test]
fn copy_counts_only_when_it_is_the_only_data_access() {
    let access = |desired| view_mode(Protection::ExecuteReadWrite, u32::MAX, desired).map(|mode| mode.access);
    assert_eq!(access(FILE_MAP_COPY), Ok(ViewAccess::Copy));
    assert_eq!(access(FILE_MAP_COPY | FILE_MAP_EXECUTE), Ok(ViewAccess::Copy));
    assert_eq!(access(FILE_MAP_COPY | FILE_MAP_READ), Ok(ViewAccess::Read));
    assert_eq!(access(FILE_MAP_COPY | FILE_MAP_WRITE), Ok(ViewAccess::Write));
    let read_only = view_mode(Protection::ReadOnly, FILE_MAP_READ, FILE_MAP_COPY);
    assert_eq!(read_only.map(|mode| mode.access), Ok(ViewAccess::Copy));
}

/// M4
#[test]
fn no_access_maps_an_inaccessible_view_if_the_handle_may_read() {
    let none = ViewMode { access: ViewAccess::None, execute: false };
    assert_eq!(view_mode(Protection::ReadOnly, FILE_MAP_READ, 0), Ok(none));
    assert_eq!(view_mode(Protection::ReadWrite, FILE_MAP_WRITE, 0), Err(DENIED));
}

/// M5
#[test]
fn a_second_creator_is_bound_by_its_own_protection() {
    let rights = handle_rights(Protection::ReadOnly);
    assert_eq!(view_mode(Protection::ReadWrite, rights, FILE_MAP_WRITE), Err(DENIED));
    assert!(view_mode(Protection::ReadWrite, rights, FILE_MAP_READ).is_ok());
    // The other way round the section refuses.
    let rights = handle_rights(Protection::ReadWrite);
    assert_eq!(view_mode(Protection::ReadOnly, rights, FILE_MAP_WRITE), Err(DENIED));
}

#[test]
fn opening_for_copy_or_execute_asks_for_the_rights_behind_them() {
    let mode = |desired| view_mode(Protection::ExecuteReadWrite, open_rights(desired), desired).is_ok();
    for desired in VIEWS {
        assert!(mode(desired), "{desired:#x}");
    }
    assert_eq!(open_rights(FILE_MAP_READ | FILE_MAP_EXECUTE), 0xC);
    assert_eq!(open_rights(FILE_MAP_ALL_ACCESS), FILE_MAP_ALL_ACCESS);
    assert_eq!(open_rights(FILE_MAP_COPY) & SECTION_MAP_WRITE, 0);
}

/// M53, M54
#[test]
fn the_access_of_the_file_handle_decides() {
    for protection in Protection::ALL {
        let read_only = check_file_access(protection, FILE_READ_DATA);
        let expected = if protection.is_writable() { Err(DENIED) } else { Ok(()) };
        assert_eq!(read_only, expected, "{protection:?}");
        assert_eq!(check_file_access(protection, FILE_WRITE_DATA), Err(DENIED));
        assert_eq!(check_file_access(protection, 0), Err(DENIED));
        assert_eq!(check_file_access(protection, 0x12_019F), Ok(()));
    }
}

fn size(file_len: Option<u64>, requested: u64, protection: Protection) -> Result<u64, Code> {
    section_size(file_len, requested, protection).map(|section| section.size)
}

/// M8
#[test]
fn paging_file_sections_are_whole_pages() {
    assert_eq!(size(None, 0, Protection::ReadWrite), Err(Code::INVALID_PARAMETER));
    assert_eq!(size(None, 1, Protection::ReadWrite), Ok(4096));
    assert_eq!(size(None, 4096, Protection::ReadOnly), Ok(4096));
    assert_eq!(size(None, 4097, Protection::ReadWrite), Ok(8192));
    // M18
    assert_eq!(size(None, 5 << 30, Protection::ReadWrite), Ok(5 << 30));
    let section = section_size(None, 100, Protection::ReadWrite).expect("100 bytes");
    assert!(!section.grow);
    assert_eq!(view_range(section.size, 0, 4096).map(|view| view.len), Ok(4096));
    assert_eq!(view_range(section.size, 0, 4097), Err(DENIED));
}

#[test]
fn sizes_that_no_file_can_have_are_refused() {
    for requested in [MAX_SIZE, MAX_SIZE - 4094, MAX_SIZE + 1, u64::MAX, u64::MAX - 4095] {
        assert_eq!(size(None, requested, Protection::ReadWrite), Err(Code::NOT_ENOUGH_MEMORY));
    }
    assert_eq!(size(None, MAX_SIZE - 4095, Protection::ReadWrite), Ok(MAX_SIZE - 4095));
    assert_eq!(size(Some(1), MAX_SIZE, Protection::ReadWrite), Ok(MAX_SIZE));
    assert_eq!(size(Some(1), MAX_SIZE + 1, Protection::ReadWrite), Err(Code::NOT_ENOUGH_MEMORY));
    assert_eq!(size(Some(u64::MAX), 0, Protection::ReadOnly), Err(Code::NOT_ENOUGH_MEMORY));
}

/// M9, M43
#[test]
fn file_sections_are_exact() {
    assert_eq!(size(Some(100), 0, Protection::ReadOnly), Ok(100));
    assert_eq!(size(Some(100), 60, Protection::ReadOnly), Ok(60));
    assert_eq!(view_range(100, 0, 101), Err(DENIED));
    let whole = view_range(100, 0, 0).expect("the whole section");
    assert_eq!((whole.len, whole.mapped_len), (100, 4096));
}

/// Section 2: disk file of length 0 and size 0.
#[test]
fn an_empty_file_needs_a_size() {
    for protection in Protection::ALL {
        assert_eq!(size(Some(0), 0, protection), Err(Code::FILE_INVALID));
    }
    assert_eq!(size(Some(0), 1, Protection::ReadWrite), Ok(1));
}

/// M44, M45
#[test]
fn only_writable_protections_extend_the_file() {
    for protection in Protection::ALL {
        let section = section_size(Some(100), 101, protection);
        if protection.is_writable() {
            assert_eq!(section, Ok(SectionSize { size: 101, grow: true }));
        } else {
            assert_eq!(section, Err(Code::NOT_ENOUGH_MEMORY));
        }
        let inside = section_size(Some(100), 100, protection);
        assert_eq!(inside, Ok(SectionSize { size: 100, grow: false }));
    }
}

/// M19
#[test]
fn offsets_are_multiples_of_the_granularity() {
    assert_eq!(view_range(1 << 20, 4096, 0), Err(Code::MAPPED_ALIGNMENT));
    assert_eq!(view_range(1 << 20, 65535, 0), Err(Code::MAPPED_ALIGNMENT));
    // Looked at before the range.
    assert_eq!(view_range(4096, 1 << 30 | 1, 0), Err(Code::MAPPED_ALIGNMENT));
    let view = view_range(1 << 20, 65536, 0).expect("an aligned offset");
    assert_eq!((view.offset, view.len), (65536, (1 << 20) - 65536));
}

/// M20
#[test]
fn a_view_covers_whole_pages_and_counts_the_bytes_asked_for() {
    let view = view_range(1 << 20, 0, 4097).expect("two pages");
    assert_eq!((view.len, view.mapped_len), (4097, 8192));
}

/// M21
#[test]
fn what_does_not_fit_into_the_section_is_denied() {
    assert_eq!(view_range(65536, 65536, 0), Err(DENIED));
    assert_eq!(view_range(65536, 131072, 1), Err(DENIED));
    assert_eq!(view_range(131072, 65536, 65537), Err(DENIED));
    assert_eq!(view_range(131072, 65536, u64::MAX), Err(DENIED));
    assert_eq!(view_range(0, 0, 0), Err(DENIED));
    assert_eq!(view_range(u64::MAX, 0, 0), Err(Code::NOT_ENOUGH_MEMORY));
}

/// M25
#[test]
fn a_base_is_a_multiple_of_the_granularity_or_zero() {
    assert_eq!(alignment(0, 0), Ok(()));
    assert_eq!(alignment(0x20000, 0x10000), Ok(()));
    assert_eq!(alignment(0, 0x11000), Err(Code::MAPPED_ALIGNMENT));
    assert_eq!(alignment(0x1000, 0), Err(Code::MAPPED_ALIGNMENT));
}
