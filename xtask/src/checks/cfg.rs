//! `check-cfg`: platform cfgs stand only where they are listed.
//!
//! One cfg per mechanism picks its backend; everything else is written once. A cfg that
//! leaks elsewhere is a second, hidden backend.

use crate::repo::{Finding, Tree, listed};
use crate::source::{closing, find_words, line_of, split};
use std::collections::BTreeMap;

const ALLOWED: &str = "xtask/cfg-allowed.txt";

/// What takes a condition: attributes, and the macro of the first one's name. (The macros
/// of crates that choose between arms hold such attributes.)
const CONDITIONS: &[&str] = &["cfg", "cfg_attr"];

/// Words in a condition that ask for a platform.
const PLATFORM: &[&str] = &["windows", "unix", "target_os", "target_family", "target_env", "target_vendor"];

/// Runs the check.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let allowed = listed(tree.text(ALLOWED).unwrap_or_default());
    let mut with_cfg: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (path, text) in tree.rust() {
        let lines = platform_cfgs(text);
        if !lines.is_empty() {
            with_cfg.insert(path, lines);
        }
    }
    let mut findings = Vec::new();
    for (path, lines) in &with_cfg {
        if allowed.iter().any(|row| row.key == *path) {
            continue;
        }
        for line in lines {
            let what = format!("a platform cfg outside the files of {ALLOWED}");
            findings.push(Finding::at(path, *line, what));
        }
    }
    for row in &allowed {
        if row.reason.is_empty() {
            findings.push(Finding::at(ALLOWED, row.line, "a row needs a reason"));
        }
        if !with_cfg.contains_key(row.key.as_str()) {
            let what = format!("{} has no platform cfg; remove the row", row.key);
            findings.push(Finding::at(ALLOWED, row.line, what));
        }
    }
    findings
}

/// The lines of conditions that name a platform.
fn platform_cfgs(text: &str) -> Vec<usize> {
    let code = split(text).code;
    let mut lines = Vec::new();
    for condition in CONDITIONS {
        for at in find_words(&code, condition) {
            let rest = &code[at + condition.len()..];
            let blanks = rest.len() - rest.trim_start_matches([' ', '!', '\n']).len();
            let open = at + condition.len() + blanks;
            if !code[open..].starts_with('(') {
                continue;
            }
            let inside = &code[open..closing(&code, open)];
            let asks = |word: &&str| find_words(inside, word).next().is_some();
            if PLATFORM.iter().any(asks) {
                lines.push(line_of(&code, at));
            }
        }
    }
    lines.sort_unstable();
    lines.dedup();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_seen() {
        for form in [
            "#[cfg(windows)]",
            "#![cfg(unix)]",
            "#[cfg(target_os = \"linux\")]",
            "#[cfg(all(test, not(target_os = \"linux\")))]",
            "if cfg!(windows) {}",
            "#[cfg_attr(target_env = \"msvc\", path = \"x.rs\")]",
            "cfg_if! { if #[cfg(unix)] { } }",
        ] {
            assert_eq!(platform_cfgs(form), [1], "{form}");
        }
    }

    #[test]
    fn other_conditions_and_mentions_are_left_alone() {
        for form in [
            "#[cfg(test)]",
            "#[cfg(loom)]",
            "#[cfg(feature = \"windows\")]",
            "// cfg(windows) is picked elsewhere",
            "let s = \"cfg(windows)\";",
            "mod windows;",
            "#[cfg_attr(docsrs, doc(cfg(x)))]",
        ] {
            assert!(platform_cfgs(form).is_empty(), "{form}");
        }
    }

    #[test]
    fn unlisted_files_fail_and_listed_ones_pass() {
        let file = ("a.rs", "#[cfg(windows)]\nfn a() {}\n");
        assert_eq!(check(&Tree::of(&[file])).len(), 1);
        assert!(check(&Tree::of(&[file, (ALLOWED, "a.rs the backend\n")])).is_empty());
    }

    #[test]
    fn stale_rows_and_rows_without_reason_fail() {
        let found = check(&Tree::of(&[("a.rs", ""), (ALLOWED, "a.rs why\n")]));
        assert!(found[0].what.contains("remove the row"));
        let found = check(&Tree::of(&[("a.rs", "#[cfg(unix)] fn a() {}"), (ALLOWED, "a.rs\n")]));
        assert!(found[0].what.contains("reason"));
    }
}
