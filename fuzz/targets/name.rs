//! Object names, narrow and wide: a name that is accepted becomes one safe file name, and reads back as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_core::name::ObjectName;
use transom_core::text;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Some(name)) = ObjectName::parse_bytes(bytes) {
        check(&name);
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    if let Ok(Some(name)) = ObjectName::parse_utf16(&units) {
        check(&name);
        assert_eq!(ObjectName::parse_utf16(&name.to_utf16()), Ok(Some(name)));
    }
    assert_eq!(text::to_utf16(&text::from_utf16(&units)), units);
});

fn check(name: &ObjectName) {
    let file = name.file_name();
    assert!(!file.is_empty() && file.len() <= 200);
    assert!(!file.contains(['/', '\0', '+']) && file != "." && file != "..");
    assert!(name.matches_file_name(&file));
    assert!(!name.display().is_empty());
    let again = ObjectName::from_parts(name.scope(), name.rest()).expect("the parts of a name");
    assert_eq!(again.file_name(), file);
}
