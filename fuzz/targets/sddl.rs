//! Security descriptors in text: one that is accepted prints as one that reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_core::access::Kind;
use transom_core::security::Security;

fuzz_target!(|text: &str| {
    let Ok(security) = Security::from_sddl(text) else { return };
    assert_eq!(Security::from_sddl(&security.to_sddl()), Ok(security.clone()));
    assert_eq!(security.mode() & 0o600, 0o600);
    for kind in Kind::ALL {
        let words = security.to_words(kind);
        let back = Security::from_words(words);
        for (owner, group) in [(true, true), (true, false), (false, true), (false, false)] {
            let granted = security.granted(kind, owner, group);
            assert_eq!(kind.map_generic(granted), granted, "no generic rights are left");
            assert_eq!(back.granted(kind, owner, group), granted, "{kind:?}");
        }
    }
});
