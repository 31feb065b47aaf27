//! Environment blocks, narrow and wide: what is read can be written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_core::environment::Environment;

fuzz_target!(|bytes: &[u8]| {
    let narrow = Environment::from_block(bytes);
    check(&narrow);
    assert_eq!(Environment::from_block(&narrow.to_block()), narrow);
    let units: Vec<u16> = bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]])).collect();
    let wide = Environment::from_block16(&units);
    check(&wide);
    assert_eq!(Environment::from_block16(&wide.to_block16()), wide);
    let expanded = narrow.expand(bytes);
    assert!(bytes.contains(&b'%') || expanded == bytes);
});

fn check(environment: &Environment) {
    for (name, value) in environment.iter() {
        assert!(!name.is_empty() && !name.contains(&0) && !value.contains(&0));
        assert!(environment.get(name).is_some());
    }
    let mut changed = environment.clone();
    if changed.set(b"TRANSOM_FUZZ", b"1").is_ok() {
        assert_eq!(changed.get(b"TRANSOM_FUZZ"), Some(&b"1"[..]), "what was set");
        // An entry that is spelt just so comes before one that differs in case.
        let spellings = changed.iter().filter(|(name, _)| name.eq_ignore_ascii_case(b"TRANSOM_FUZZ")).count();
        if spellings == 1 {
            assert_eq!(changed.get(b"transom_fuzz"), Some(&b"1"[..]), "names compare without case");
        }
    }
}
