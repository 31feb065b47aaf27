use proptest::prelude::*;
use proptest::sample::select;
use transom_core::access::*;

fn kind() -> impl Strategy<Value = Kind> {
    select(&Kind::ALL[..])
}

const GENERIC: u32 = GENERIC_ALL | GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | MAXIMUM_ALLOWED;

proptest! {
    #[test]
    fn a_mapped_mask_has_no_shorthand_left_and_maps_to_itself(kind in kind(), mask: u32) {
        let mapped = kind.map_generic(mask);
        prop_assert_eq!(mapped & GENERIC, 0);
        prop_assert_eq!(kind.map_generic(mapped), mapped);
    }

    #[test]
    fn mapping_keeps_every_specific_bit(kind in kind(), mask: u32) {
        prop_assert_eq!(mask & !GENERIC & !kind.map_generic(mask), 0);
    }

    #[test]
    fn asking_for_more_never_gives_less(kind in kind(), a: u32, b: u32) {
        let together = kind.map_generic(a | b);
        prop_assert_eq!(together, kind.map_generic(a) | kind.map_generic(b));
    }

    #[test]
    fn only_the_numbers_of_kinds_are_kinds(number: u32) {
        let kind = Kind::from_u32(number);
        prop_assert_eq!(kind.is_some(), (1..=8).contains(&number));
        if let Some(kind) = kind {
            prop_assert_eq!(kind.as_u32(), number);
        }
    }
}
