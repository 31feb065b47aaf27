//! Names: how they are written, what they mean, how long they live (mapping.md, section 7).

use transom_core::access::{EVENT_MODIFY_STATE, SYNCHRONIZE};

use crate::error::Result;
use crate::event::{Event, EventOptions};
use crate::handle::Handle;
use crate::mapping::{Mapping, MappingOptions};
use crate::mutex::{Mutex, MutexOptions};
use crate::security::Security;
use crate::semaphore::{Semaphore, SemaphoreOptions};
use crate::support::{code, limit, signalled, unique};

const PAGE: u64 = 4096;

/// Something of each kind, created under a name, for as long as it is needed.
struct OfEachKind {
    kind: &'static str,
    create: fn(&str) -> Result<Box<dyn std::any::Any>>,
    open: fn(&str) -> Result<()>,
}

fn kinds() -> [OfEachKind; 4] {
    fn boxed<T: 'static>(created: crate::handle::Created<T>) -> Box<dyn std::any::Any> {
        Box::new(created.object)
    }
    [
        OfEachKind {
            kind: "event",
            create: |name| EventOptions::new().name(name).create().map(boxed),
            open: |name| Event::open(name).map(drop),
        },
        OfEachKind {
            kind: "mutex",
            create: |name| MutexOptions::new().name(name).create().map(boxed),
            open: |name| Mutex::open(name).map(drop),
        },
        OfEachKind {
            kind: "semaphore",
            create: |name| SemaphoreOptions::new(0, 1).name(name).create().map(boxed),
            open: |name| Semaphore::open(name).map(drop),
        },
        OfEachKind {
            kind: "section",
            create: |name| Mapping::create(name, PAGE).map(boxed),
            open: |name| Mapping::open(name).map(drop),
        },
    ]
}

/// M32: each kind against each other one.
#[test]
fn a_name_held_by_another_kind_is_6() {
    let _limit = limit();
    for (row, holder) in kinds().iter().enumerate() {
        let name = unique(holder.kind);
        let _object = (holder.create)(&name).unwrap();
        for (column, other) in kinds().iter().enumerate() {
            let expected = if row == column { 0 } else { 6 };
            assert_eq!(code((other.create)(&name)), expected, "{} over {}", other.kind, holder.kind);
            assert_eq!(code((other.open)(&name)), expected, "{} over {}", other.kind, holder.kind);
        }
    }
}

/// M33.
#[test]
fn names_differ_by_the_case_of_a_letter() {
    let _limit = limit();
    let name = unique("case");
    let _lower = Mapping::create(&name, PAGE).unwrap();
    assert_eq!(code(Mapping::open(&name.to_uppercase())), 2);
    assert!(!Mapping::create(&name.to_uppercase(), PAGE).unwrap().existed);
}

/// M33, Y40: UTF-8 and UTF-16 callers meet, also beyond ASCII.
#[test]
fn names_in_utf_8_and_utf_16_are_the_same() {
    let _limit = limit();
    let name = unique("Größe-名前-🧩");
    let wide: Vec<u16> = name.encode_utf16().collect();
    let _mapping = Mapping::create(&name, PAGE).unwrap();
    assert!(MappingOptions::new(PAGE).name_utf16(&wide).create().unwrap().existed);
    assert_eq!(code(MappingOptions::new(0).name_utf16(&wide).open()), 0);
}

/// M34, M35: unprefixed is Local; Global is elsewhere; the prefixes are exact.
#[test]
fn local_is_the_default_and_global_another_place() {
    let _limit = limit();
    let name = unique("scope");
    let plain = EventOptions::new().name(&name).manual_reset(true).create().unwrap().object;
    let local = EventOptions::new().name(&format!("Local\\{name}")).create().unwrap();
    assert!(local.existed);
    assert_eq!(code(Event::open(&format!("Global\\{name}"))), 2);
    let options = EventOptions::new().name(&format!("Global\\{name}")).manual_reset(true).initial(true);
    let global = options.create().unwrap();
    assert!(!global.existed);
    assert!(signalled(&global.object) && !signalled(&plain) && !signalled(&local.object));
    for prefix in ["local", "LOCAL", "global", "GLOBAL"] {
        assert_eq!(code(Event::open(&format!("{prefix}\\{name}"))), 3, "{prefix}");
        assert_eq!(code(EventOptions::new().name(&format!("{prefix}\\{name}")).create()), 3, "{prefix}");
    }
}

/// M36.
#[test]
fn a_backslash_in_the_rest_of_a_name_is_3() {
    let _limit = limit();
    let name = unique("back");
    for bad in [format!("nowhere\\{name}"), format!("Local\\a\\{name}"), format!("{name}\\")] {
        for kind in kinds() {
            assert_eq!(code((kind.create)(&bad)), 3, "{} {bad}", kind.kind);
            assert_eq!(code((kind.open)(&bad)), 3, "{} {bad}", kind.kind);
        }
    }
    assert_ne!(code(Mapping::create(&format!("\\{name}"), PAGE)), 0);
    assert_ne!(code(Mapping::create("Local\\", PAGE)), 0);
}

/// M36: everything else is an ordinary character.
#[test]
fn all_other_characters_are_ordinary() {
    let _limit = limit();
    let odd = [
        "a/b",
        "a b",
        "..",
        ".",
        "*?<>|:\"",
        "%00",
        "-",
        "~",
        "ä",
        "\u{7f}\u{1}",
        "a.b.c",
        "Local",
        "Global",
    ];
    for text in odd {
        let name = format!("{text}{}{text}", unique("odd"));
        let other = format!("{name}.");
        let mapping = Mapping::create(&name, PAGE).unwrap();
        assert!(!mapping.existed, "{name}");
        assert_eq!(code(Mapping::open(&name)), 0, "{name}");
        assert_eq!(code(Mapping::open(&other)), 2, "{other}");
    }
}

/// M37: what narrow calls allow works; how they refuse more is a matter of the C interface.
#[test]
fn names_of_200_characters_work_and_count_to_the_last() {
    let _limit = limit();
    let name = format!("{:y<199}", unique("long"));
    let (one, two) = (format!("{name}1"), format!("{name}2"));
    assert_eq!(one.len(), 200);
    let _first = Mapping::create(&one, PAGE).unwrap();
    assert_eq!(code(Mapping::open(&two)), 2);
    assert!(!Mapping::create(&two, PAGE).unwrap().existed);
}

/// Names longer than a file name may be still differ in their last character.
#[test]
fn very_long_names_are_told_apart() {
    let _limit = limit();
    let name = format!("{:y<3000}", unique("very-long"));
    let (one, two) = (format!("{name}1"), format!("{name}2"));
    let first = Mapping::create(&one, PAGE).unwrap();
    let second = Mapping::create(&two, PAGE).unwrap();
    assert!(!first.existed && !second.existed);
    first.object.view().unwrap().store_u8(0, 1).unwrap();
    assert_eq!(Mapping::open(&two).unwrap().view().unwrap().load_u8(0).unwrap(), 0);
    assert_eq!(Mapping::open(&one).unwrap().view().unwrap().load_u8(0).unwrap(), 1);
}

/// M38.
#[test]
fn an_empty_name_makes_an_unnamed_object() {
    let _limit = limit();
    let one = Mapping::create("", PAGE).unwrap();
    let two = Mapping::create("", PAGE).unwrap();
    assert!(!one.existed && !two.existed);
    one.object.view().unwrap().store_u8(0, 1).unwrap();
    assert_eq!(two.object.view().unwrap().load_u8(0).unwrap(), 0);
}

/// M39: a view keeps the memory, not the name.
#[test]
fn a_name_goes_with_the_last_handle() {
    let _limit = limit();
    let name = unique("last");
    let first = Mapping::create(&name, PAGE).unwrap().object;
    let old = first.view().unwrap();
    old.store_u8(0, 42).unwrap();
    let second = Mapping::open(&name).unwrap();
    drop(first);
    assert_eq!(code(Mapping::open(&name)), 0, "one handle is left");
    drop(second);
    assert_eq!(code(Mapping::open(&name)), 2);
    assert_eq!(old.load_u8(0).unwrap(), 42);

    let again = Mapping::create(&name, PAGE).unwrap();
    assert!(!again.existed);
    let new = again.object.view().unwrap();
    assert_eq!(new.load_u8(0).unwrap(), 0);
    new.store_u8(1, 7).unwrap();
    assert_eq!(old.load_u8(1).unwrap(), 0);
}

/// M39 for all kinds, many times over: no entry stays behind and none is refused.
#[test]
fn a_name_can_be_used_again_and_again_by_any_kind() {
    let _limit = limit();
    let name = unique("reuse");
    for _ in 0..10 {
        for kind in kinds() {
            let object = (kind.create)(&name).unwrap();
            assert_eq!(code((kind.open)(&name)), 0, "{}", kind.kind);
            drop(object);
            assert_eq!(code((kind.open)(&name)), 2, "{}", kind.kind);
        }
    }
}

/// M39: duplicates are handles like any other.
#[test]
fn a_duplicate_keeps_the_name() {
    let _limit = limit();
    use crate::handle::AsHandle;
    let name = unique("duplicate");
    let mapping = Mapping::create(&name, PAGE).unwrap().object;
    let copy: Handle = mapping.as_handle().try_clone().unwrap();
    drop(mapping);
    assert_eq!(code(Mapping::open(&name)), 0);
    drop(copy);
    assert_eq!(code(Mapping::open(&name)), 2);
}

/// M42, Y39.
#[test]
fn opening_never_creates() {
    let _limit = limit();
    let name = unique("missing");
    for kind in kinds() {
        assert_eq!(code((kind.open)(&name)), 2, "{}", kind.kind);
    }
    for kind in kinds() {
        assert_eq!(code((kind.open)(&name)), 2, "{} after the others had asked", kind.kind);
    }
}

/// Mapping.md, section 2.
#[test]
fn opening_needs_a_name() {
    let _limit = limit();
    assert_eq!(code(MappingOptions::new(0).open()), 87);
    assert_eq!(code(EventOptions::new().open()), 87);
    assert_eq!(code(MutexOptions::new().open()), 87);
    assert_eq!(code(SemaphoreOptions::new(0, 1).open()), 87);
}

/// M41, Y38: the descriptor decides, also for the one who wrote it.
#[test]
fn the_creators_descriptor_decides_who_may_open() {
    let _limit = limit();
    let name = unique("security");
    let security = Security::from_masks(SYNCHRONIZE, 0, 0);
    let creator = EventOptions::new().name(&name).security(security).create().unwrap().object;
    creator.set().unwrap();
    let open = |access| EventOptions::new().name(&name).access(access).open();
    assert_eq!(code(open(SYNCHRONIZE)), 0);
    assert!(signalled(&open(SYNCHRONIZE).unwrap()));
    assert_eq!(code(open(EVENT_MODIFY_STATE)), 5);
    assert_eq!(code(EventOptions::new().name(&name).create()), 5, "creating asks for all access");

    let name = unique("everyone");
    let _open = EventOptions::new().name(&name).security(Security::everyone()).create().unwrap();
    assert_eq!(code(Event::open(&name)), 0);
}

/// H42: what the descriptor forbids others it does not forbid the creator's own handle.
#[test]
fn the_creators_handle_has_all_rights() {
    let _limit = limit();
    let name = unique("nobody");
    let creator = EventOptions::new().name(&name).security(Security::nobody()).create().unwrap().object;
    creator.set().unwrap();
    assert!(signalled(&creator));
    assert_eq!(code(Event::open(&name)), 5);
}
