use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::security::Security;

/// A rule as text and as what it means: denial, class (0 owner, 1 group, 2 everyone), mask.
type Rule = (String, (bool, usize, u32));

fn mask() -> impl Strategy<Value = u32> {
    prop_oneof![
        any::<u32>(),
        (0_u32..16).prop_map(|generic| generic << 28),
        (0_u32..32).prop_map(|bit| 1 << bit),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let class = select(vec![("OW", 0), ("BA", 0), ("CG", 1), ("WD", 2), ("S-1-5-11", 2)]);
    (any::<bool>(), class, mask()).prop_map(|(deny, (sid, class), mask)| {
        let letter = if deny { 'D' } else { 'A' };
        (format!("({letter};OI;0x{mask:X};;;{sid})"), (deny, class, mask))
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    select(&Kind::ALL[..])
}

fn descriptor(rules: &[Rule]) -> Security {
    let text: String = rules.iter().map(|(text, _)| text.as_str()).collect();
    Security::from_sddl(&format!("O:BAD:P{text}")).expect("well formed")
}

/// The definition, bit by bit: the first rule that speaks of a bit decides.
fn model(rules: &[Rule], kind: Kind, classes: &[usize]) -> u32 {
    let mut granted = 0;
    for bit in (0..32).map(|bit| 1_u32 << bit) {
        let first = rules
            .iter()
            .map(|(_, rule)| rule)
            .find(|(_, class, mask)| classes.contains(class) && kind.expand_generic(*mask) & bit != 0);
        if let Some((false, _, _)) = first {
            granted |= bit;
        }
    }
    granted
}

proptest! {
    #[test]
    fn the_first_rule_about_a_bit_decides(rules in vec(rule(), 0..8), kind in kind()) {
        let security = descriptor(&rules);
        let owner = model(&rules, kind, &[0, 1, 2]);
        let group = model(&rules, kind, &[1, 2]);
        let others = model(&rules, kind, &[2]);
        prop_assert_eq!(security.granted(kind, true, false), kind.map_generic(owner) | 0x6_0000);
        prop_assert_eq!(security.granted(kind, true, true), kind.map_generic(owner) | 0x6_0000);
        prop_assert_eq!(security.granted(kind, false, true), kind.map_generic(group));
        prop_assert_eq!(security.granted(kind, false, false), kind.map_generic(others));
        prop_assert_eq!(security.to_words(kind), [owner, group, others, u32::MAX]);
    }

    #[test]
    fn a_printed_descriptor_reads_as_the_same(rules in vec(rule(), 0..8)) {
        let security = descriptor(&rules);
        prop_assert_eq!(Security::from_sddl(&security.to_sddl()), Ok(security));
    }

    #[test]
    fn the_fixed_form_means_the_same_for_its_kind(rules in vec(rule(), 0..8), kind in kind()) {
        let words = descriptor(&rules).to_words(kind);
        let stored = Security::from_words(words);
        prop_assert_eq!(stored.to_words(kind), words);
        prop_assert_eq!(Security::from_sddl(&stored.to_sddl()), Ok(stored));
    }

    #[test]
    fn masks_are_what_each_class_gets(owner: u32, group: u32, others: u32, kind in kind()) {
        let security = Security::from_masks(owner, group, others);
        let mapped = [owner, group, others].map(|mask| kind.expand_generic(mask));
        prop_assert_eq!(&security.to_words(kind)[..3], &mapped[..]);
    }

    /// The file's mode lets nobody in who has no right at all, and everyone else.
    #[test]
    fn mode_bits_follow_the_rights(rules in vec(rule(), 0..8)) {
        let security = descriptor(&rules);
        let any = |in_group| Kind::ALL.iter().any(|&k| security.granted(k, false, in_group) != 0);
        let expected = 0o600 | if any(true) { 0o060 } else { 0 } | if any(false) { 0o006 } else { 0 };
        prop_assert_eq!(security.mode(), expected);
        prop_assert_eq!(security.admits_others(), expected != 0o600);
    }

    #[test]
    fn any_four_words_are_a_descriptor(words: [u32; 4], kind in kind()) {
        let security = Security::from_words(words);
        prop_assert_eq!(security.group_id().unwrap_or(u32::MAX), words[3]);
        let again = Security::from_words(security.to_words(kind));
        prop_assert_eq!(again.to_words(kind), security.to_words(kind));
    }

    /// One wrong letter in a good text is an error or another good text, never a panic.
    #[test]
    fn damaged_texts_are_refused_or_read(
        rules in vec(rule(), 1..4), at: prop::sample::Index, byte in " -~",
    ) {
        let mut text = descriptor(&rules).to_sddl();
        let at = at.index(text.len());
        text.replace_range(at..=at, &byte);
        if let Err(code) = Security::from_sddl(&text) {
            let known = [
                Code::INVALID_PARAMETER, Code::INVALID_ACL, Code::INVALID_SID, Code::NOT_SUPPORTED,
            ];
            prop_assert!(known.contains(&code));
        }
    }
}
