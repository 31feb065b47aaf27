use proptest::collection::vec;
use proptest::prelude::*;
use transom_core::text::*;

/// 16-bit units in which halves of surrogate pairs are frequent.
pub fn units(max: usize) -> impl Strategy<Value = Vec<u16>> {
    let unit = prop_oneof![
        3 => 0x20_u16..0x7F,
        2 => 0xD800_u16..0xE000,
        1 => any::<u16>(),
    ];
    vec(unit, 0..max)
}

proptest! {
    #[test]
    fn every_string_of_units_comes_back(units in units(40)) {
        let bytes = from_utf16(&units);
        prop_assert_eq!(utf16_len(&bytes), units.len());
        prop_assert_eq!(to_utf16(&bytes), units);
    }

    #[test]
    fn different_units_are_different_bytes(a in units(4), b in units(4)) {
        prop_assert_eq!(a == b, from_utf16(&a) == from_utf16(&b));
    }

    #[test]
    fn text_is_its_own_utf_8(text in any::<String>()) {
        let units: Vec<u16> = text.encode_utf16().collect();
        prop_assert_eq!(from_utf16(&units), text.as_bytes());
        prop_assert_eq!(to_utf16(text.as_bytes()), units);
        prop_assert_eq!(to_string_lossy(text.as_bytes()), text);
    }

    #[test]
    fn any_bytes_have_a_length_and_a_spelling(bytes in vec(any::<u8>(), 0..60)) {
        prop_assert_eq!(utf16_len(&bytes), to_utf16(&bytes).len());
        let shown: Vec<u16> = to_string_lossy(&bytes).encode_utf16().collect();
        prop_assert_eq!(shown.len(), utf16_len(&bytes));
    }
}
