//! `check-files`: sources are short, clean, and name no machine.

use crate::repo::{Finding, Tree, listed};
use std::collections::BTreeSet;

const LONGEST: usize = 800;
const EXCEPTIONS: &str = "xtask/long-files.txt";

/// Endings of files that people write code in.
const SOURCES: &[&str] = &[".rs", ".c", ".cpp", ".h", ".sh", ".py"];

/// Text that is reproduced byte for byte, so not ours to clean.
fn verbatim(path: &str) -> bool {
    path.starts_with("conformance/expected/") || path.starts_with("LICENSE") || path == "Cargo.lock"
}

/// Runs the check.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let exceptions = listed(tree.text(EXCEPTIONS).unwrap_or_default());
    let mut used = BTreeSet::new();
    let mut findings = Vec::new();
    for (path, text) in tree.iter().filter(|(path, _)| !verbatim(path)) {
        clean_lines(path, text, &mut findings);
        if SOURCES.iter().any(|ending| path.ends_with(ending)) {
            let lines = text.lines().count();
            if lines > LONGEST {
                if exceptions.iter().any(|row| row.key == path) {
                    used.insert(path);
                } else {
                    findings.push(Finding::new(
                        path,
                        format!("{lines} lines; split it, or list it with a reason in {EXCEPTIONS}"),
                    ));
                }
            }
            open_ends(path, text, &mut findings);
        }
    }
    for row in &exceptions {
        if row.reason.is_empty() {
            findings.push(Finding::at(EXCEPTIONS, row.line, "an exception needs a reason"));
        }
        if !used.contains(row.key.as_str()) {
            let what = format!("{} is not longer than {LONGEST} lines; remove the row", row.key);
            findings.push(Finding::at(EXCEPTIONS, row.line, what));
        }
    }
    findings
}

/// Blanks at line ends, carriage returns, a missing last line end, folders of a machine.
fn clean_lines(path: &str, text: &str, findings: &mut Vec<Finding>) {
    for (number, line) in text.split('\n').enumerate().map(|(n, line)| (n + 1, line)) {
        if line.ends_with('\r') {
            findings.push(Finding::at(path, number, "a carriage return at the line's end"));
        } else if line.ends_with([' ', '\t']) {
            findings.push(Finding::at(path, number, "blanks at the line's end"));
        }
        if let Some(folder) = machine_folder(line, path.ends_with(".md")) {
            let what = format!("{folder} is a folder of one machine");
            findings.push(Finding::at(path, number, what));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(path, "the last line has no end"));
    }
}

/// A path that exists only on the writer's machine. Prose may not name things below the
/// folder for temporary files either; code under test may.
fn machine_folder(line: &str, prose: bool) -> Option<&str> {
    let folders = [
        (concat!("/wo", "rk/"), true),
        (concat!("/ro", "ot/"), true),
        (concat!("/ho", "me/"), true),
        (concat!("/tm", "p/"), prose),
    ];
    for (folder, applies) in folders {
        for (at, _) in line.match_indices(folder) {
            let before = line[..at].chars().next_back();
            let within_longer = before.is_some_and(|c| c.is_alphanumeric() || "._-/}>$~".contains(c));
            let end = line[at + folder.len()..]
                .find(|c: char| !(c.is_alphanumeric() || "._-/".contains(c)))
                .map_or(line.len(), |end| at + folder.len() + end);
            let names_something = end > at + folder.len();
            if applies && !within_longer && names_something {
                return Some(&line[at..end]);
            }
        }
    }
    None
}

/// Marks for work left over must carry the issue that holds it: `(#12)` or `#12` behind.
fn open_ends(path: &str, text: &str, findings: &mut Vec<Finding>) {
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    for (number, line) in text.lines().enumerate().map(|(n, line)| (n + 1, line)) {
        for mark in marks {
            let bare = crate::source::find_words(line, mark).any(|at| !has_issue(&line[at + mark.len()..]));
            if bare {
                let what = format!("{mark} without an issue: write {mark}(#12)");
                findings.push(Finding::at(path, number, what));
            }
        }
    }
}

fn has_issue(behind: &str) -> bool {
    let behind = behind.trim_start_matches(['(', ' ']);
    let id = behind.strip_prefix('#').unwrap_or_default();
    id.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let found = check(&Tree::of(files));
        found.into_iter().map(|f| format!("{}: {}", f.place, f.what)).collect()
    }

    #[test]
    fn a_clean_file_passes() {
        assert!(findings(&[("a.rs", "fn a() {}\n"), ("b.md", "# b\n")]).is_empty());
    }

    #[test]
    fn long_sources_need_a_row_with_a_reason() {
        let long = "x\n".repeat(LONGEST + 1);
        assert_eq!(findings(&[("a.rs", &long)]).len(), 1);
        assert!(findings(&[("a.rs", &long), (EXCEPTIONS, "a.rs generated\n")]).is_empty());
        assert_eq!(findings(&[("a.rs", &long), (EXCEPTIONS, "a.rs\n")]).len(), 1);
        assert!(findings(&[("a.md", &long)]).is_empty());
    }

    #[test]
    fn a_row_for_a_short_file_is_stale() {
        let found = findings(&[("a.rs", "x\n"), (EXCEPTIONS, "a.rs was long\n")]);
        assert!(found[0].contains("remove the row"), "{found:?}");
    }

    #[test]
    fn line_ends_are_clean() {
        let found = findings(&[("a.txt", "a \nb\r\nc\t\nd")]);
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(findings(&[("conformance/expected/a.txt", "a \n")]).is_empty());
    }

    #[test]
    fn folders_of_a_machine_are_found() {
        let work = concat!("see /wo", "rk/x\n");
        let temporary = concat!("see `/tm", "p/x/y`\n");
        assert_eq!(findings(&[("a.rs", work)]).len(), 1);
        assert_eq!(findings(&[("a.md", temporary)]).len(), 1);
        assert!(findings(&[("a.rs", temporary)]).is_empty());
        assert!(findings(&[("a.md", concat!("$HOME/wo", "rk/x and /tm", "p/ alone\n"))]).is_empty());
    }

    #[test]
    fn open_ends_carry_an_issue() {
        let bare = concat!("// TO", "DO: later\n");
        let fine = concat!("// TO", "DO(#12): later, FIX", "ME #3\n");
        assert_eq!(findings(&[("a.rs", bare)]).len(), 1);
        assert!(findings(&[("a.rs", fine)]).is_empty());
        assert!(findings(&[("a.md", bare)]).is_empty());
    }
}
