//! Every reader of the crate, fed with what nobody would write on purpose. Each has to answer, and
//! what it answers has to fit together; none may panic or overflow.

use proptest::collection::vec;
use proptest::prelude::*;
use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::command_line;
use transom_core::environment::Environment;
use transom_core::mapping;
use transom_core::name::ObjectName;
use transom_core::security::Security;
use transom_core::text;
use transom_core::time::Timeout;

/// Random bytes, and random pieces of what the readers look for.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"Local\\",
        b"Global\\",
        b"\\",
        b"\"",
        b"\\\"",
        b"\\\\",
        b" ",
        b"\t",
        b"%",
        b"%A%",
        b"A=",
        b"=",
        b"\0",
        b"\0\0",
        b"O:",
        b"G:",
        b"D:",
        b"S:",
        b"(",
        b")",
        b"(A;;GA;;;WD)",
        b";",
        b"A",
        b"IO",
        b"GA",
        b"0x",
        b"0",
        b"99999999999",
        b"WD",
        b"SY",
        b"S-1-22-1-",
        b"S-1-5-",
        b"-",
        b"P",
        b"AI",
        b"NO_ACCESS_CONTROL",
        b"\xED\xA0\x80",
        b"\xED\xB0\x80",
        b"\xFF",
        b".",
        b"~",
    ];
    let piece = prop_oneof![
        4 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..6),
    ];
    vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_reader_answers_everything(input in input()) {
        let units = text::to_utf16(&input);
        prop_assert_eq!(text::to_utf16(&text::from_utf16(&units)), &units[..]);

        if let Ok(Some(name)) = ObjectName::parse_bytes(&input) {
            prop_assert!(name.file_name().len() <= 200);
            prop_assert!(!name.display().is_empty());
        }
        let wide = ObjectName::parse_utf16(&units);
        if let Ok(Some(name)) = &wide {
            prop_assert_eq!(&ObjectName::parse_utf16(&name.to_utf16()), &wide);
        }

        let shown = text::to_string_lossy(&input);
        if let Ok(security) = Security::from_sddl(&shown) {
            prop_assert_eq!(Security::from_sddl(&security.to_sddl()), Ok(security.clone()));
            prop_assert_eq!(security.mode() & 0o600, 0o600);
        }

        let words = command_line::split(&input);
        let args: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(command_line::split(&command_line::quote(&args)), words);
        for candidate in command_line::program(&input) {
            prop_assert!(!candidate.is_empty() && candidate.len() <= input.len());
        }
        prop_assert_eq!(command_line::check_length(&input), Ok(()));

        let env = Environment::from_block(&input);
        prop_assert_eq!(&Environment::from_block(&env.to_block()), &env);
        let wide = Environment::from_block16(&units);
        prop_assert_eq!(&Environment::from_block16(&wide.to_block16()), &wide);
        for (name, value) in env.iter() {
            prop_assert!(!name.is_empty() && !name.contains(&b'=') && env.get(name).is_some());
            prop_assert!(!value.contains(&0));
        }
        let expanded = Environment::new().expand(&input);
        prop_assert_eq!(expanded, input);
    }

    #[test]
    fn every_number_is_answered(a: u64, b: u64, c: u64, d: u32, e: u32, flag: bool) {
        if let Ok(section) = mapping::decode(d, flag) {
            let len = flag.then_some(a);
            if let Ok(size) = mapping::section_size(len, b, section.protection) {
                let view = mapping::view_range(size.size, c - c % mapping::GRANULARITY, b);
                prop_assert!(view.is_ok() || view == Err(Code::ACCESS_DENIED));
            }
            let mode = mapping::view_mode(section.protection, d, e);
            prop_assert!(mode.is_ok() || mode == Err(Code::ACCESS_DENIED));
        }
        prop_assert_eq!(mapping::alignment(0, a).is_ok(), a % mapping::GRANULARITY == 0);
        prop_assert!(Timeout::millis(d).deadline_nanos(a).is_none_or(|deadline| deadline >= a));
        if let Some(kind) = Kind::from_u32(d % 16) {
            let granted = Security::from_words([d, e, d ^ e, e]).granted(kind, flag, !flag);
            prop_assert_eq!(kind.map_generic(granted), granted);
        }
        prop_assert_eq!(Code::new(d).value(), d);
    }
}
