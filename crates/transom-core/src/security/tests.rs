use super::*;
use crate::access::{
    EVENT_ALL_ACCESS, EVENT_MODIFY_STATE, FILE_GENERIC_READ, FILE_MAP_ALL_ACCESS, FILE_MAP_READ,
    GENERIC_READ, GENERIC_WRITE, SYNCHRONIZE,
};
use std::string::ToString;

/// What the owner may do whatever the rules say.
const OWNER_ALWAYS: u32 = READ_CONTROL | WRITE_DAC;

fn read(text: &str) -> Security {
    match Security::from_sddl(text) {
        Ok(security) => security,
        Err(code) => panic!("{text}: {code}"),
    }
}

fn refused(text: &str) -> Code {
    match Security::from_sddl(text) {
        Ok(security) => panic!("{text}: read as {security}"),
        Err(code) => code,
    }
}

/// Rights of owner, group member and stranger.
fn rights(security: &Security, kind: Kind) -> [u32; 3] {
    [
        security.granted(kind, true, false),
        security.granted(kind, false, true),
        security.granted(kind, false, false),
    ]
}

/// M41: without a descriptor the creating user has access and nobody else.
#[test]
fn the_default_is_for_the_owner_only() {
    let security = Security::default();
    assert_eq!(rights(&security, Kind::Event), [EVENT_ALL_ACCESS, 0, 0]);
    assert_eq!(rights(&security, Kind::Mapping), [FILE_MAP_ALL_ACCESS, 0, 0]);
    assert!(!security.admits_others());
    assert_eq!(security.mode(), 0o600);
}

/// M41, design.md: a NULL DACL is everyone.
#[test]
fn a_null_access_list_is_for_everyone() {
    for security in [Security::everyone(), read("D:NO_ACCESS_CONTROL"), read("D:(A;;GA;;;WD)")] {
        assert_eq!(rights(&security, Kind::Event), [EVENT_ALL_ACCESS; 3]);
        assert!(security.admits_others());
        assert_eq!(security.mode(), 0o666);
    }
}

#[test]
fn an_empty_access_list_leaves_the_owner_its_say_over_the_list() {
    for security in [Security::nobody(), read("D:"), read("D:P"), read("O:SYG:SYD:AI")] {
        assert_eq!(rights(&security, Kind::Event), [OWNER_ALWAYS, 0, 0]);
        assert!(!security.admits_others());
        assert_eq!(security.mode(), 0o600);
    }
}

#[test]
fn a_text_without_access_list_is_the_default() {
    for text in ["", "  ", "O:SY", "G:BA", "O:S-1-5-18G:S-1-5-32-544", "S:(ML;;NW;;;LW)"] {
        assert_eq!(rights(&read(text), Kind::Event), [EVENT_ALL_ACCESS, 0, 0], "{text}");
    }
}

#[test]
fn sids_fall_into_three_classes() {
    let all = EVENT_ALL_ACCESS;
    for sid in ["WD", "AU", "BU", "IU", "S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-4"] {
        let security = read(&std::format!("D:(A;;GA;;;{sid})"));
        assert_eq!(rights(&security, Kind::Event), [all, all, all], "{sid}");
    }
    for sid in ["OW", "CO", "SY", "BA", "LA", "S-1-5-18", "S-1-5-32-544", "S-1-3-0", "S-1-3-4"] {
        let security = read(&std::format!("D:(A;;GA;;;{sid})"));
        assert_eq!(rights(&security, Kind::Event), [all, 0, 0], "{sid}");
        assert_eq!(security.mode(), 0o600);
    }
    for sid in ["CG", "S-1-3-1", "S-1-22-2-100"] {
        let security = read(&std::format!("D:(A;;GA;;;{sid})"));
        assert_eq!(rights(&security, Kind::Event), [all, all, 0], "{sid}");
        assert_eq!(security.mode(), 0o660);
    }
}

#[test]
fn rules_about_strangers_of_windows_change_nothing() {
    let text = "D:(D;;GA;;;BG)(D;;GA;;;AN)(D;;GA;;;NU)(D;;GA;;;S-1-5-21-1-2-3-1001)(A;;GA;;;WD)";
    assert_eq!(read(text), Security::everyone());
    assert_eq!(read("D:(A;;GA;;;BG)(A;;GA;;;S-1-15-2-1)"), Security::nobody());
}

#[test]
fn a_denial_counts_only_in_front_of_a_grant() {
    let before = read("D:(D;;0x2;;;WD)(A;;GA;;;WD)");
    assert_eq!(before.granted(Kind::Event, false, false), EVENT_ALL_ACCESS & !EVENT_MODIFY_STATE);
    let behind = read("D:(A;;GA;;;WD)(D;;0x2;;;WD)");
    assert_eq!(behind.granted(Kind::Event, false, false), EVENT_ALL_ACCESS);
}

#[test]
fn a_generic_denial_is_what_it_means_for_the_kind() {
    let security = read("D:(D;;GW;;;WD)(A;;GA;;;WD)");
    assert_eq!(security.granted(Kind::Event, false, false), EVENT_ALL_ACCESS & !0x2_0002);
    assert_eq!(security.granted(Kind::Mapping, false, false), FILE_MAP_ALL_ACCESS & !0x2_0002);
    assert_eq!(security.granted(Kind::File, false, false), 0x1F_01FF & !0x12_0116);
}

#[test]
fn different_rights_for_different_classes() {
    let security = read("D:(A;;GA;;;OW)(A;;GR;;;CG)(A;;0x100000;;;WD)");
    assert_eq!(rights(&security, Kind::Event), [EVENT_ALL_ACCESS, 0x2_0001 | SYNCHRONIZE, SYNCHRONIZE]);
    assert_eq!(rights(&security, Kind::File), [0x1F_01FF, FILE_GENERIC_READ | SYNCHRONIZE, SYNCHRONIZE]);
}

#[test]
fn the_group_can_be_shut_out_while_everyone_is_let_in() {
    let security = read("D:(A;;GA;;;OW)(D;;GA;;;CG)(A;;GA;;;WD)");
    assert_eq!(rights(&security, Kind::Event), [EVENT_ALL_ACCESS, 0, EVENT_ALL_ACCESS]);
    assert_eq!(security.mode(), 0o606);
}

#[test]
fn rights_are_letters_or_numbers() {
    for (text, mask) in [
        ("", 0),
        ("GRGW", GENERIC_READ | GENERIC_WRITE),
        ("FR", 0x12_0089),
        ("KA", 0xF_003F),
        ("CCDCLCSWRPWPDTLOCRSDRCWDWO", 0xF_01FF),
        ("0x1F0003", 0x1F_0003),
        ("0X1f0003", 0x1F_0003),
        ("1048576", SYNCHRONIZE),
        ("010", 8),
        ("0", 0),
        ("0xFFFFFFFF", u32::MAX),
    ] {
        let security = read(&std::format!("D:(A;;{text};;;WD)"));
        let expected = Kind::File.map_generic(mask);
        assert_eq!(security.granted(Kind::File, false, false), expected, "{text}");
    }
}

#[test]
fn flags_change_nothing_but_inherit_only_leaves_the_entry_out() {
    let plain = read("D:(A;;GA;;;WD)");
    assert_eq!(read("D:PARAI(A;OICINPIDSAFA;GA;;;WD)"), plain);
    assert_eq!(read("D:(A;OICIIO;GA;;;WD)"), Security::nobody());
    assert_eq!(read("S:(ML;;NW;;;LW)(XU;;;;;WD;(a()))D:P(A;;GA;;;WD)"), plain);
    assert_eq!(read(" D: ( A ; ; GA ; ; ; WD ) "), plain);
}

#[test]
fn parts_come_in_any_order() {
    let expected = read("O:S-1-22-1-7G:S-1-22-2-8D:(A;;GR;;;CG)");
    assert_eq!(read("D:(A;;GR;;;CG)G:S-1-22-2-8O:S-1-22-1-7"), expected);
    assert_eq!(expected.owner_id(), Some(7));
    assert_eq!(expected.group_id(), Some(8));
}

#[test]
fn linux_users_and_groups_have_to_fit_the_three_classes() {
    let owner = read("O:S-1-22-1-1000D:(A;;GA;;;S-1-22-1-1000)");
    assert_eq!(rights(&owner, Kind::Event), [EVENT_ALL_ACCESS, 0, 0]);
    assert_eq!(read("D:(A;;GR;;;S-1-22-2-100)").group_id(), Some(100));
    for text in [
        "D:(A;;GA;;;S-1-22-1-1000)",
        "O:S-1-22-1-1D:(A;;GA;;;S-1-22-1-1000)",
        "D:(A;;GR;;;S-1-22-2-1)(A;;GR;;;S-1-22-2-2)",
        "G:S-1-22-2-1D:(A;;GR;;;S-1-22-2-2)",
        "D:(A;;GR;;;CG)(A;;GR;;;S-1-22-2-2)",
        "D:(A;;GR;;;S-1-22-2-2)(A;;GR;;;CG)",
        "D:(OA;;GR;;;WD)",
        "D:(XA;;GR;;;WD;(a))",
    ] {
        assert_eq!(refused(text), Code::NOT_SUPPORTED, "{text}");
    }
}

#[test]
fn malformed_texts_are_refused_with_a_code_for_the_part() {
    for text in [
        "x",
        "D",
        "D:(A;;GA;;;WD",
        "D:x",
        "X:",
        "D:D:",
        "O:SYO:SY",
        "G:SYG:SY",
        "S:S:",
        "D:(A;;GA;;;WD)x",
        "D:)",
        "S:(",
        "d:(A;;GA;;;WD)",
    ] {
        assert_eq!(refused(text), Code::INVALID_PARAMETER, "{text}");
    }
    for text in [
        "D:()",
        "D:(A)",
        "D:(A;;GA;;WD)",
        "D:(A;;GA;;;WD;)",
        "D:(B;;GA;;;WD)",
        "D:(A;XX;GA;;;WD)",
        "D:(A;;G;;;WD)",
        "D:(A;;ZZ;;;WD)",
        "D:(A;;0x;;;WD)",
        "D:(A;;0x+1;;;WD)",
        "D:(A;;0x100000000;;;WD)",
        "D:(A;;089;;;WD)",
        "D:(A;;GA;x;;WD)",
        "D:(A;;GA;;x;WD)",
        "D:(A;;ä;;;WD)",
    ] {
        assert_eq!(refused(text), Code::INVALID_ACL, "{text}");
    }
    for text in [
        "O:",
        "O:XX",
        "O:S-",
        "O:S-1",
        "O:S-1-5",
        "O:S-2-5-18",
        "O:S-1-5-4294967296",
        "O:S-1-281474976710656-1",
        "O:S-1-5-1-",
        "D:(A;;GA;;;)",
        "D:(A;;GA;;;WDx)",
        "D:(A;;GA;;;ä)",
        "D:(A;;GA;;;S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16)",
        "O:S-1-22-1-4294967295",
    ] {
        assert_eq!(refused(text), Code::INVALID_SID, "{text}");
    }
}

#[test]
fn printing_and_reading_agree() {
    for text in [
        "D:",
        "D:(A;;GA;;;OW)",
        "D:(A;;GA;;;WD)",
        "O:S-1-22-1-7G:S-1-22-2-8D:(D;;GRGW;;;CG)(A;;0x1f0003;;;WD)(A;;;;;OW)",
    ] {
        assert_eq!(read(text).to_string(), text);
    }
    assert_eq!(Security::owner_only().to_sddl(), "D:(A;;GA;;;OW)");
    assert_eq!(Security::everyone().to_sddl(), "D:(A;;GA;;;WD)");
    assert_eq!(Security::nobody().to_sddl(), "D:");
}

#[test]
fn masks_mean_exactly_what_each_class_gets() {
    // Others get more than the owner: unusual, and kept.
    let security = Security::from_masks(0, FILE_MAP_READ, 0xF_001F);
    assert_eq!(rights(&security, Kind::Mapping), [OWNER_ALWAYS, FILE_MAP_READ, 0xF_001F]);
    let generic = Security::from_masks(GENERIC_ALL, 0, GENERIC_READ);
    assert_eq!(rights(&generic, Kind::Event), [EVENT_ALL_ACCESS, 0, 0x2_0001]);
    assert_eq!(Security::from_masks(0, 0, 0), Security::nobody());
}

#[test]
fn the_fixed_form_keeps_what_the_rules_mean_for_the_kind() {
    let security = read("G:S-1-22-2-8D:(D;;GW;;;WD)(A;;GA;;;OW)(A;;GR;;;CG)");
    let words = security.to_words(Kind::Event);
    assert_eq!(words, [EVENT_ALL_ACCESS & !0x2_0002, 0x1, 0, 8]);
    let again = Security::from_words(words);
    assert_eq!(again.to_words(Kind::Event), words);
    assert_eq!(rights(&again, Kind::Event), rights(&security, Kind::Event));
    assert_eq!(again.group_id(), Some(8));
    assert_eq!(Security::owner_only().to_words(Kind::Mutex), [0x1F_0001, 0, 0, u32::MAX]);
    assert_eq!(Security::from_words([0, 0, 0, u32::MAX]).group_id(), None);
}

/// A handle that may ask everything may also ask the little that the limited right allows, so a list that
/// grants the first and says nothing of the second grants both.
#[test]
fn rights_that_come_along_are_granted_and_not_stored() {
    let security = read("D:(A;;0x400;;;WD)");
    assert_eq!(security.granted(Kind::Process, false, false), 0x1400);
    assert_eq!(security.to_words(Kind::Process)[2], 0x400);
}
