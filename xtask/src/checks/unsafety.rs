//! `check-unsafe`: where unsafe code may stand, and how much of it there is.
//!
//! The compiler refuses it everywhere but in files that re-allow it; this check knows
//! which files those may be, and compares the number of uses in each crate with a list
//! that only grows by an edit somebody reviews.

use crate::repo::{Finding, Tree, listed};
use crate::source::{find_words, line_of, split};
use std::collections::BTreeMap;

const COUNTS: &str = "xtask/unsafe-counts.txt";

/// Where a file may re-allow unsafe code, and why there.
const PLACES: &[(&str, &str)] = &[
    ("crates/transom-core/src/ring/bytes.rs", "copies to and from a ring's memory"),
    ("crates/transom-sys/src/", "every system call"),
    ("crates/transom/src/engine/", "mapped memory that other processes write"),
    ("crates/transom/src/mapping/", "views handed to the user"),
    ("crates/transom/src/racing.rs", "copies to and from memory that others write"),
    ("bench-rivals/src/pipe/in_place.rs", "a rival's samples that are sent without being written"),
    ("fuzz/", "memory that a fuzz target shares with itself"),
    ("crates/transom/src/handle/windows.rs", "handles taken from the standard library"),
    (
        "crates/transom/src/thread/",
        "a new thread gets what it runs through a pointer; ending one gives up its stack",
    ),
    ("crates/transom/src/window/", "window procedures, and messages whose parameters are pointers"),
    ("crates/transom/tests/hostile/cut.rs", "slices over memory that is cut short"),
    ("crates/transom/tests/surroundings/fork.rs", "a plain fork"),
    ("crates/transom/tests/window/plain.rs", "a program over Win32 alone"),
    ("crates/transom/tests/support/windows.rs", "asking the loader whether this is Wine"),
    ("crates/transom-capi/", "pointers that come from C"),
];

/// A proof that proves nothing.
const EMPTY_WORDS: &[&str] = &["untriaged", "trust me", "should be fine", "obviously safe", "fixme"];

/// Runs the check.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, text) in tree.rust() {
        let source = split(text);
        let uses = uses(&source.code);
        let name = crate_of(path);
        *counts.entry(name).or_default() += uses.len();
        if let Some(at) = allowing(&source.code) {
            if !PLACES.iter().any(|(place, _)| path.starts_with(place)) {
                let line = line_of(&source.code, at);
                findings.push(Finding::at(path, line, "unsafe code has no place here"));
            } else if !source.comments.contains("# Safety") {
                let what = "re-allows unsafe code without a `//! # Safety` heading";
                findings.push(Finding::new(path, what));
            }
        }
        empty_proofs(path, &source.comments, &mut findings);
    }
    compare(tree.text(COUNTS).unwrap_or_default(), &counts, &mut findings);
    findings
}

/// Where a file re-allows unsafe code, if it does.
fn allowing(code: &str) -> Option<usize> {
    find_words(code, "unsafe_code").find(|at| {
        let attribute = code[..*at].rsplit_once('[').map_or("", |(_, attribute)| attribute);
        attribute.trim_start().starts_with("allow") || attribute.trim_start().starts_with("expect")
    })
}

/// Positions of the keyword; attributes such as `#[unsafe(no_mangle)]` do not count.
fn uses(code: &str) -> Vec<usize> {
    let attribute = |at: &usize| code[..*at].trim_end().ends_with('[') || code[..*at].ends_with(", ");
    find_words(code, "unsafe")
        .filter(|at| !(attribute(at) && code[at + "unsafe".len()..].starts_with('(')))
        .collect()
}

fn crate_of(path: &str) -> &str {
    let within = path.strip_prefix("crates/").unwrap_or(path);
    within.split('/').next().unwrap_or(within)
}

/// Safety comments that say nothing, or hide behind a word.
fn empty_proofs(path: &str, comments: &str, findings: &mut Vec<Finding>) {
    for (number, line) in comments.lines().enumerate().map(|(n, line)| (n + 1, line)) {
        let Some((_, proof)) = line.split_once("SAFETY:") else {
            continue;
        };
        let proof = proof.trim().to_lowercase();
        let ends_here = comments.lines().nth(number).is_none_or(|next| next.trim().is_empty());
        if proof.is_empty() && ends_here {
            findings.push(Finding::at(path, number, "a safety comment without a proof"));
        }
        if let Some(word) = EMPTY_WORDS.iter().find(|word| proof.contains(**word)) {
            findings.push(Finding::at(path, number, format!("{word:?} is not a proof")));
        }
    }
}

fn compare(list: &str, counts: &BTreeMap<&str, usize>, findings: &mut Vec<Finding>) {
    let rows = listed(list);
    for (name, count) in counts {
        let row = rows.iter().find(|row| row.key == *name);
        let said = row.and_then(|row| row.reason.split_whitespace().next()?.parse::<usize>().ok());
        let said_or_none = said.unwrap_or(0);
        if said_or_none != *count {
            let more = if *count > said_or_none { "more" } else { "fewer" };
            let what = format!(
                "{name} has {count} uses of unsafe, {more} than the {said_or_none} listed; if that is meant, write \"{name} {count}\""
            );
            findings.push(Finding::new(COUNTS, what));
        }
    }
    for row in rows.iter().filter(|row| !counts.contains_key(row.key.as_str())) {
        let what = format!("there is no crate {}; remove the row", row.key);
        findings.push(Finding::at(COUNTS, row.line, what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "crates/transom-sys/src/a.rs";
    const TEXT: &str =
        "//! # Safety\n#![allow(unsafe_code)]\n#[unsafe(no_mangle)]\nunsafe fn f() {}\n// unsafe\n";

    #[test]
    fn keywords_count_and_attributes_and_words_do_not() {
        assert_eq!(uses(&split(TEXT).code).len(), 1);
        assert_eq!(uses("unsafe { } unsafe impl X for Y {} unsafe_code").len(), 2);
    }

    #[test]
    fn counts_must_equal_the_list() {
        assert!(check(&Tree::of(&[(FILE, TEXT), (COUNTS, "transom-sys 1\n")])).is_empty());
        for said in ["transom-sys 0\n", "transom-sys 2\n", ""] {
            let found = check(&Tree::of(&[(FILE, TEXT), (COUNTS, said)]));
            assert_eq!(found.len(), 1, "{said}");
        }
        let found = check(&Tree::of(&[(FILE, TEXT), (COUNTS, "transom-sys 1\nold 3\n")]));
        assert!(found[0].what.contains("remove the row"));
    }

    #[test]
    fn crates_without_unsafe_need_no_row() {
        assert!(check(&Tree::of(&[("crates/transom-cli/src/main.rs", "fn main() {}\n")])).is_empty());
    }

    #[test]
    fn only_listed_places_may_allow_it() {
        let allow = "//! # Safety\n#![allow(unsafe_code)]\n";
        assert!(check(&Tree::of(&[(FILE, allow)])).is_empty());
        assert_eq!(check(&Tree::of(&[("crates/transom-cli/src/a.rs", allow)])).len(), 1);
        assert_eq!(check(&Tree::of(&[(FILE, "#![allow(unsafe_code)]\n")])).len(), 1);
        assert!(check(&Tree::of(&[("xtask/src/main.rs", "#![forbid(unsafe_code)]\n")])).is_empty());
    }

    #[test]
    fn proofs_say_something() {
        let mut found = Vec::new();
        empty_proofs("a.rs", "// SAFETY: Untriaged.\n", &mut found);
        empty_proofs("a.rs", "// SAFETY:\n\n", &mut found);
        assert_eq!(found.len(), 2);
        empty_proofs("a.rs", "// SAFETY:\n// the pointer came from a live view\n", &mut found);
        empty_proofs("a.rs", "// SAFETY: `at` is below `len` (invariant 2).\n", &mut found);
        assert_eq!(found.len(), 2);
    }
}
