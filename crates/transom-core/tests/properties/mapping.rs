use proptest::prelude::*;
use proptest::sample::select;
use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::mapping::*;

fn protection() -> impl Strategy<Value = Protection> {
    select(&Protection::ALL[..])
}

/// Numbers close to the places where something changes, and all others.
fn number() -> impl Strategy<Value = u64> {
    let edges = vec![0, PAGE, GRANULARITY, 1 << 32, MAX_SIZE - PAGE, MAX_SIZE, u64::MAX];
    prop_oneof![
        (select(edges), -2_i64..3).prop_map(|(edge, by)| edge.saturating_add_signed(by)),
        0..4 * GRANULARITY,
        any::<u64>(),
    ]
}

/// Offsets of which many are aligned.
fn offset() -> impl Strategy<Value = u64> {
    prop_oneof![
        (0_u64..8).prop_map(|n| n * GRANULARITY),
        number().prop_map(|n| n - n % GRANULARITY),
        number(),
    ]
}

proptest! {
    /// M8
    #[test]
    fn a_paging_file_section_is_the_next_whole_page(requested in number(), protection in protection()) {
        let rounded = u128::from(requested).div_ceil(u128::from(PAGE)) * u128::from(PAGE);
        let expected = if requested == 0 {
            Err(Code::INVALID_PARAMETER)
        } else if rounded > u128::from(MAX_SIZE) {
            Err(Code::NOT_ENOUGH_MEMORY)
        } else {
            Ok(SectionSize { size: rounded as u64, grow: false })
        };
        prop_assert_eq!(section_size(None, requested, protection), expected);
    }

    /// M9, M43, M44, M45
    #[test]
    fn a_file_section_is_exact_and_grows_only_the_file_it_may_write(
        len in number(), requested in number(), protection in protection(),
    ) {
        match section_size(Some(len), requested, protection) {
            Ok(section) => {
                prop_assert_eq!(section.size, if requested == 0 { len } else { requested });
                prop_assert!(section.size > 0 && section.size <= MAX_SIZE);
                prop_assert_eq!(section.grow, section.size > len);
                prop_assert!(!section.grow || protection.is_writable());
            }
            Err(Code::FILE_INVALID) => prop_assert!(len == 0 && requested == 0),
            Err(code) => {
                prop_assert_eq!(code, Code::NOT_ENOUGH_MEMORY);
                let size = requested.max(if requested == 0 { len } else { 0 });
                let may_not_grow = size > len && !protection.is_writable();
                prop_assert!(size > MAX_SIZE || may_not_grow);
            }
        }
    }

    /// M19, M20, M21
    #[test]
    fn a_view_lies_inside_its_section(size in number(), offset in offset(), bytes in number()) {
        let wide = |n: u64| u128::from(n);
        match view_range(size, offset, bytes) {
            Ok(view) => {
                prop_assert_eq!(view.offset, offset);
                prop_assert_eq!(offset % GRANULARITY, 0);
                prop_assert!(view.len > 0);
                prop_assert_eq!(view.len, if bytes == 0 { size - offset } else { bytes });
                prop_assert!(wide(view.offset) + wide(view.len) <= wide(size));
                prop_assert_eq!(view.mapped_len % PAGE, 0);
                prop_assert!(view.mapped_len >= view.len && view.mapped_len - view.len < PAGE);
            }
            Err(Code::MAPPED_ALIGNMENT) => prop_assert_ne!(offset % GRANULARITY, 0),
            Err(Code::ACCESS_DENIED) => {
                prop_assert!(wide(offset) + wide(bytes.max(1)) > wide(size));
            }
            Err(code) => {
                prop_assert_eq!(code, Code::NOT_ENOUGH_MEMORY);
                prop_assert!(size > MAX_SIZE);
            }
        }
    }

    /// Every section that can be made can be mapped whole, and not one byte further.
    #[test]
    fn a_section_can_be_mapped_to_its_end(len in number(), requested in number(), paging: bool) {
        let len = if paging { None } else { Some(len) };
        if let Ok(section) = section_size(len, requested, Protection::ReadWrite) {
            prop_assert_eq!(view_range(section.size, 0, 0).map(|view| view.len), Ok(section.size));
            let over = view_range(section.size, 0, section.size + 1);
            prop_assert_eq!(over, Err(Code::ACCESS_DENIED));
        }
    }

    #[test]
    fn any_protect_is_either_taken_apart_or_refused(protect: u32, file_backed: bool) {
        match decode(protect, file_backed) {
            Ok(section) => {
                let bits = section.protection.value() | section.flags.bits();
                let added = bits & !protect;
                prop_assert!(added == 0 || added == SectionFlags::COMMIT.bits());
                prop_assert_eq!(protect & !bits, 0);
                let one_of = [SectionFlags::IMAGE, SectionFlags::RESERVE, SectionFlags::COMMIT];
                let count = one_of.iter().filter(|flag| section.flags.contains(**flag)).count();
                prop_assert_eq!(count, 1);
            }
            Err(code) => {
                prop_assert!(code == Code::INVALID_PARAMETER || code == Code::BAD_EXE_FORMAT);
            }
        }
    }

    /// M1
    #[test]
    fn more_rights_never_take_a_view_away(
        protection in protection(), rights: u32, more: u32, desired: u32,
    ) {
        if let Ok(mode) = view_mode(protection, rights, desired) {
            prop_assert_eq!(view_mode(protection, rights | more, desired), Ok(mode));
        }
    }

    /// M1, M2, M3: what is mapped never exceeds what the section and the handle allow.
    #[test]
    fn a_view_never_exceeds_section_and_handle(
        protection in protection(), rights: u32, desired: u32,
    ) {
        match view_mode(protection, rights, desired) {
            Ok(mode) => {
                let writes = mode.access == ViewAccess::Write;
                prop_assert!(!writes || (protection.is_writable() && rights & 2 != 0));
                prop_assert!(writes || rights & 4 != 0);
                prop_assert!(!mode.execute || (protection.is_executable() && rights & 0x28 != 0));
                prop_assert_eq!(writes, desired & 2 != 0);
                prop_assert_eq!(mode.execute, desired & 0x20 != 0);
            }
            Err(code) => prop_assert_eq!(code, Code::ACCESS_DENIED),
        }
    }

    /// H42
    #[test]
    fn a_creator_has_no_right_that_its_protection_does_not_allow(protection in protection()) {
        let rights = handle_rights(protection);
        prop_assert_eq!(rights & !Kind::Mapping.all_access(), 0);
        prop_assert_eq!(rights & 2 != 0, protection.is_writable());
        prop_assert_eq!(rights & 8 != 0, protection.is_executable());
    }

    /// Opening for a kind of view gives a handle with which that view is possible.
    #[test]
    fn a_handle_opened_for_a_view_can_make_it(desired: u32) {
        let rights = open_rights(desired);
        let data = desired & 7 != 0;
        let view = view_mode(Protection::ExecuteReadWrite, rights, desired);
        prop_assert!(!data || view.is_ok());
    }

    /// M25
    #[test]
    fn a_base_is_judged_by_its_low_bits(addr in number()) {
        prop_assert_eq!(alignment(0, addr).is_ok(), addr & 0xFFFF == 0);
    }
}
