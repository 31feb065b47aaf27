//! The functions that the headers declare, that symbols.txt lists and that the library exports are the same.

mod common;

use std::collections::BTreeSet;
use std::process::Command;

use common::{files, headers, here, library, run, text};

/// Stands before each function of a header.
const MARK: &str = "TRANSOM_API ";

fn declared() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for header in files(&headers(), &[".h"]) {
        let text = text(&headers().join(&header));
        for (at, _) in text.match_indices(MARK) {
            // The macro's own definition and comments about it are not followed by a parenthesis.
            let declaration = text[at + MARK.len()..].split(';').next().unwrap_or_default();
            if let Some((before, _)) = declaration.split_once('(')
                && text[..at].ends_with('\n')
            {
                let name = before.rsplit([' ', '*', '\n']).next().unwrap_or_default();
                assert!(names.insert(name.to_owned()), "{name} is declared once ({header})");
            }
        }
    }
    names
}

fn listed() -> Vec<String> {
    let list = text(&here("symbols.txt"));
    let name = |line: &str| {
        let (name, version) = line.split_once(' ').unwrap_or_else(|| panic!("{line}: a version is missing"));
        assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{line}: not a version");
        name.to_owned()
    };
    list.lines().filter(|line| !line.starts_with('#')).map(name).collect()
}

fn exported() -> BTreeSet<String> {
    let table = run(Command::new("nm").args(["-D", "--defined-only"]).arg(library().join("libtransom_c.so")));
    table.lines().filter_map(|line| line.split_whitespace().nth(2)).map(str::to_owned).collect()
}

#[test]
fn the_list_is_sorted_and_has_each_name_once() {
    let listed = listed();
    assert!(listed.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn headers_list_and_library_have_the_same_functions() {
    let listed: BTreeSet<String> = listed().into_iter().collect();
    assert_eq!(declared(), listed, "declared (left) and listed (right)");
    assert_eq!(exported(), listed, "exported (left) and listed (right)");
}
