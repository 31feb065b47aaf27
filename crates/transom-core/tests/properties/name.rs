use super::text::units;
use proptest::collection::vec;
use proptest::prelude::*;
use transom_core::code::Code;
use transom_core::name::*;
use transom_core::text;

const BACKSLASH: u16 = b'\\' as u16;

/// What may follow a prefix: no backslash, no NUL, not empty (M36).
fn rest(max: usize) -> impl Strategy<Value = Vec<u16>> {
    units(max)
        .prop_map(|units| units.into_iter().filter(|&u| u != 0 && u != BACKSLASH).collect())
        .prop_filter("a name is not empty", |units: &Vec<u16>| !units.is_empty())
}

fn with_prefix(prefix: &str, rest: &[u16]) -> Vec<u16> {
    prefix.encode_utf16().chain(rest.iter().copied()).collect()
}

fn parsed(units: &[u16]) -> ObjectName {
    ObjectName::parse_utf16(units).expect("a good name").expect("not empty")
}

/// Undoes the escaping of a file name that holds a whole name.
fn unescaped(file_name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = file_name.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let hex = std::str::from_utf8(&after[..2]).expect("two digits");
            bytes.push(u8::from_str_radix(hex, 16).expect("hex digits"));
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    bytes
}

proptest! {
    /// M33, M34, M36
    #[test]
    fn a_name_is_its_scope_and_its_exact_rest(a in rest(20), b in rest(20)) {
        let plain = parsed(&a);
        let local = parsed(&with_prefix("Local\\", &a));
        let global = parsed(&with_prefix("Global\\", &a));
        prop_assert_eq!(&plain, &local);
        prop_assert_ne!(&plain, &global);
        prop_assert_eq!(plain.rest(), global.rest());
        prop_assert_eq!(plain.rest(), text::from_utf16(&a));
        prop_assert_eq!(a == b, plain == parsed(&b));
    }

    #[test]
    fn the_spelling_of_a_name_parses_to_it(rest in rest(20), global: bool) {
        let name = parsed(&with_prefix(if global { "Global\\" } else { "" }, &rest));
        prop_assert_eq!(&parsed(&name.to_utf16()), &name);
        prop_assert_eq!(&ObjectName::from_parts(name.scope(), name.rest()).unwrap(), &name);
    }

    /// M34, M36
    #[test]
    fn a_backslash_anywhere_else_is_refused(before in rest(8), after in rest(8)) {
        let mut units = before;
        units.push(BACKSLASH);
        units.extend(&after);
        let prefix = String::from_utf16_lossy(&units);
        prop_assume!(!prefix.starts_with("Local\\") && !prefix.starts_with("Global\\"));
        prop_assert_eq!(ObjectName::parse_utf16(&units), Err(Code::PATH_NOT_FOUND));
        let inside = with_prefix("Local\\", &units);
        prop_assert_eq!(ObjectName::parse_utf16(&inside), Err(Code::PATH_NOT_FOUND));
        units.insert(0, BACKSLASH);
        prop_assert_eq!(ObjectName::parse_utf16(&units), Err(Code::BAD_PATHNAME));
    }

    #[test]
    fn a_file_name_is_safe_in_any_folder(rest in rest(300)) {
        let file_name = parsed(&rest).file_name();
        prop_assert!(!file_name.is_empty() && file_name.len() <= MAX_FILE_NAME);
        prop_assert!(!file_name.starts_with('.'));
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_.%~".contains(c);
        prop_assert!(file_name.chars().all(safe), "{}", file_name);
        prop_assert!(parsed(&rest).matches_file_name(&file_name));
    }

    #[test]
    fn a_short_file_name_holds_the_whole_name(rest in rest(20)) {
        let name = parsed(&rest);
        let file_name = name.file_name();
        if file_name.contains('~') {
            prop_assert!(name.rest().len() * 3 > MAX_FILE_NAME);
        } else {
            prop_assert_eq!(unescaped(&file_name), name.rest());
        }
    }

    #[test]
    fn long_names_that_differ_at_the_end_are_different_files(
        start in "[a-z]{200}", a in "[a-z]{1,8}", b in "[a-z]{1,8}",
    ) {
        let file = |end: &str| {
            let units: Vec<u16> = format!("{start}{end}").encode_utf16().collect();
            parsed(&units).file_name()
        };
        prop_assert_eq!(a == b, file(&a) == file(&b));
    }

    #[test]
    fn narrow_and_wide_parsing_agree(name in any::<String>()) {
        let units: Vec<u16> = name.encode_utf16().collect();
        prop_assert_eq!(ObjectName::parse(&name), ObjectName::parse_utf16(&units));
    }

    #[test]
    fn names_from_any_bytes_are_named_by_their_bytes(bytes in vec(any::<u8>(), 0..40)) {
        if let Ok(Some(name)) = ObjectName::parse_bytes(&bytes) {
            let again = ObjectName::from_parts(name.scope(), name.rest()).expect("the same parts");
            prop_assert_eq!(again, name);
        }
    }
}
