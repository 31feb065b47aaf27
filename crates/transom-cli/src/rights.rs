//! Access masks spelled out, as `who` shows them.

use transom::handle::Kind;

/// Rights that are the same for every kind.
const STANDARD: &[(u32, &str)] = &[
    (0x000F_0000, "STANDARD_RIGHTS_REQUIRED"),
    (0x0001_0000, "DELETE"),
    (0x0002_0000, "READ_CONTROL"),
    (0x0004_0000, "WRITE_DAC"),
    (0x0008_0000, "WRITE_OWNER"),
    (0x0010_0000, "SYNCHRONIZE"),
];

/// The names of the rights in `mask` for an object of `kind`; what has no name stays a number.
pub fn names(kind: Kind, mask: u32) -> Vec<String> {
    let (all, all_name, specific): (u32, &str, &[(u32, &str)]) = match kind {
        Kind::Mapping => (
            0x000F_001F,
            "FILE_MAP_ALL_ACCESS",
            &[
                (0x1, "SECTION_QUERY"),
                (0x2, "FILE_MAP_WRITE"),
                (0x4, "FILE_MAP_READ"),
                (0x8, "SECTION_MAP_EXECUTE"),
                (0x10, "SECTION_EXTEND_SIZE"),
                (0x20, "FILE_MAP_EXECUTE"),
            ],
        ),
        Kind::Event => {
            (0x001F_0003, "EVENT_ALL_ACCESS", &[(0x1, "EVENT_QUERY_STATE"), (0x2, "EVENT_MODIFY_STATE")])
        }
        Kind::Mutex => (0x001F_0001, "MUTEX_ALL_ACCESS", &[(0x1, "MUTEX_MODIFY_STATE")]),
        Kind::Semaphore => (
            0x001F_0003,
            "SEMAPHORE_ALL_ACCESS",
            &[(0x1, "SEMAPHORE_QUERY_STATE"), (0x2, "SEMAPHORE_MODIFY_STATE")],
        ),
        _ => (u32::MAX, "", &[]),
    };
    let mut rest = mask;
    let mut names = Vec::new();
    if mask & all == all {
        rest &= !all;
        names.push(all_name.to_owned());
    }
    for (bit, name) in specific.iter().chain(STANDARD) {
        if rest & bit == *bit {
            rest &= !bit;
            names.push((*name).to_owned());
        }
    }
    if rest != 0 {
        names.push(format!("{rest:#x}"));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use transom::mapping::{FILE_MAP_ALL_ACCESS, FILE_MAP_READ, FILE_MAP_WRITE};
    use transom::process::SYNCHRONIZE;

    #[test]
    fn a_full_mask_has_one_name() {
        assert_eq!(names(Kind::Mapping, FILE_MAP_ALL_ACCESS), ["FILE_MAP_ALL_ACCESS"]);
        assert_eq!(names(Kind::Event, 0x1F_0003), ["EVENT_ALL_ACCESS"]);
        assert_eq!(
            names(Kind::Mapping, FILE_MAP_ALL_ACCESS | SYNCHRONIZE),
            ["FILE_MAP_ALL_ACCESS", "SYNCHRONIZE"]
        );
    }

    #[test]
    fn parts_are_named_one_by_one() {
        assert_eq!(names(Kind::Mapping, FILE_MAP_READ | FILE_MAP_WRITE), ["FILE_MAP_WRITE", "FILE_MAP_READ"]);
        assert_eq!(names(Kind::Semaphore, 0x2 | SYNCHRONIZE), ["SEMAPHORE_MODIFY_STATE", "SYNCHRONIZE"]);
    }

    #[test]
    fn the_four_standard_rights_together_have_one_name() {
        let names = names(Kind::Mapping, 0xF_0000 | FILE_MAP_READ);
        assert_eq!(names, ["FILE_MAP_READ", "STANDARD_RIGHTS_REQUIRED"]);
    }

    #[test]
    fn unknown_bits_stay_numbers() {
        assert_eq!(names(Kind::Mutex, 0x4000), ["0x4000"]);
        assert!(names(Kind::Mutex, 0).is_empty());
    }
}
