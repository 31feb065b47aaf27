//! `check-docs`: the behaviours in docs/behaviours.toml, those the docs speak of, and those
//! the tests cite are the same.

use crate::repo::{Finding, Tree};
use crate::source::{is_word, split, test_parts};
use crate::toml::{Value, parse};
use std::collections::{BTreeMap, BTreeSet};

const LIST: &str = "docs/behaviours.toml";

/// The letters that begin an id, and the table of the list each may stand in.
const LETTERS: &[(char, &[&str])] = &[
    ('M', &["mapping"]),
    ('H', &["handle"]),
    ('Y', &["event", "mutex", "semaphore", "wait"]),
    ('R', &["process"]),
    ('P', &["pipe"]),
    ('S', &["mailslot"]),
    ('A', &["atl"]),
    ('W', &["window"]),
];

/// One behaviour of the list.
struct Behaviour {
    line: usize,
    /// Whether the list says why no test can show it.
    untested: bool,
}

/// Runs the check.
pub fn check(tree: &Tree) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    let list = tree.text(LIST).ok_or_else(|| format!("{LIST} is missing"))?;
    let behaviours = read(list, &mut findings)?;
    for (path, text) in tree.iter().filter(|(path, _)| speaks_of_behaviours(path)) {
        let said = if path.ends_with(".rs") { split(text).comments } else { text.to_owned() };
        for (line, id) in ids(&said) {
            if !behaviours.contains_key(id) {
                findings.push(Finding::at(path, line, format!("{id} is not in {LIST}")));
            }
        }
    }
    let cited = cited_by_tests(tree);
    let mut in_order: Vec<_> = behaviours.iter().collect();
    in_order.sort_by_key(|(_, behaviour)| behaviour.line);
    for (id, behaviour) in in_order {
        let what = match (behaviour.untested, cited.contains(id)) {
            (false, false) => format!("{id} is cited by no test"),
            (true, true) => format!("{id} is cited by a test: remove its remark"),
            _ => continue,
        };
        findings.push(Finding::at(LIST, behaviour.line, what));
    }
    Ok(findings)
}

/// Reads the list and holds it to its own form.
fn read<'a>(list: &'a str, findings: &mut Vec<Finding>) -> Result<BTreeMap<&'a str, Behaviour>, String> {
    let mut behaviours = BTreeMap::new();
    for row in parse(list).map_err(|why| format!("{LIST}: {why}"))? {
        let mut refuse = |what: String| findings.push(Finding::at(LIST, row.line, what));
        // The key as it stands in the text, so that it may be handed out.
        let line = list.lines().nth(row.line - 1).unwrap_or_default();
        let key = line.split('=').next().unwrap_or_default().trim();
        let letter = key.chars().next().unwrap_or(' ');
        let tables = LETTERS.iter().find(|(known, _)| *known == letter);
        match tables {
            Some((_, tables)) if is_id(key) && tables.contains(&row.table.as_str()) => {}
            _ => refuse(format!("{key} is no id for the table {}", row.table)),
        }
        let text = row.value.text().or_else(|| row.value.entry("text").and_then(Value::text));
        let reason = row.value.entry("untested").map(|reason| reason.text().unwrap_or_default());
        if text.is_none_or(str::is_empty) || reason.is_some_and(str::is_empty) {
            refuse(format!("{key} needs a text, and a remark needs its reason"));
        }
        let behaviour = Behaviour { line: row.line, untested: reason.is_some() };
        if behaviours.insert(key, behaviour).is_some() {
            refuse(format!("{key} stands here twice"));
        }
    }
    Ok(behaviours)
}

/// Whether a file's ids are promises to a reader.
fn speaks_of_behaviours(path: &str) -> bool {
    let within = |folder| path.starts_with(folder);
    let prose = path.ends_with(".md") && (within("docs/") || !path.contains('/'));
    let source = within("crates/") && (path.ends_with(".rs") || path.ends_with(".h"));
    prose || source || path == "conformance/deviations.toml"
}

/// All ids that tests mention.
fn cited_by_tests(tree: &Tree) -> BTreeSet<&str> {
    let mut cited = BTreeSet::new();
    for (path, text) in tree.iter() {
        let suite = path.starts_with("conformance/") && (path.ends_with(".c") || path.ends_with(".cpp"));
        let in_crates = path.starts_with("crates/");
        let whole = suite
            || (in_crates && path.contains("/tests/"))
            || (in_crates && path.contains("/src/") && path.ends_with("/tests.rs"));
        if whole {
            cited.extend(ids(text).into_iter().map(|(_, id)| id));
        } else if in_crates && path.contains("/src/") && path.ends_with(".rs") {
            for part in test_parts(&split(text).code) {
                cited.extend(ids(&text[part]).into_iter().map(|(_, id)| id));
            }
        }
    }
    cited
}

/// The ids in a text with their lines: a letter and one or two digits, on their own.
fn ids(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // A word ends where a byte is neither letter nor digit; `é` belongs to a word.
        for word in line.split(|c: char| c.is_ascii() && !is_word(c as u8)) {
            // `M1–M5` has a dash beyond ASCII.
            for word in word.split(|c: char| !c.is_alphanumeric() && c != '_') {
                if is_id(word) {
                    found.push((number + 1, word));
                }
            }
        }
    }
    found
}

fn is_id(word: &str) -> bool {
    let mut chars = word.chars();
    let letter = chars.next().unwrap_or(' ');
    let digits = chars.as_str();
    LETTERS.iter().any(|(known, _)| *known == letter)
        && (1..=2).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "[mapping]\nM1 = \"one\"\nM2 = { text = \"two\", untested = \"why\" }\n";

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let found = check(&Tree::of(files)).expect("the fixtures are well formed");
        found.into_iter().map(|f| format!("{}: {}", f.place, f.what)).collect()
    }

    #[test]
    fn ids_stand_on_their_own() {
        let text = "M1, (Y24) H3\u{2013}H4; xM5 M5x M_6 M123 M07 0xA1 Z1 \"R9\"";
        let found: Vec<_> = ids(text).into_iter().map(|(_, id)| id).collect();
        assert_eq!(found, ["M1", "Y24", "H3", "H4", "R9"]);
    }

    #[test]
    fn tested_and_excused_behaviours_pass() {
        for place in
            ["crates/transom/tests/a.rs", "crates/transom/src/mapping/tests.rs", "conformance/map_basic.c"]
        {
            assert!(findings(&[(LIST, TWO), (place, "// M1\n")]).is_empty(), "{place}");
        }
        let inline = "#[cfg(test)]\nmod tests {\n    // M1\n    fn a() {}\n}\n";
        assert!(findings(&[(LIST, TWO), ("crates/transom/src/a.rs", inline)]).is_empty());
    }

    #[test]
    fn a_mention_outside_tests_tests_nothing() {
        for place in ["crates/transom/src/a.rs", "docs/mapping.md", "xtask/src/tests.rs"] {
            let found = findings(&[(LIST, TWO), (place, "// M1\n")]);
            assert_eq!(found, ["docs/behaviours.toml:2: M1 is cited by no test"], "{place}");
        }
    }

    #[test]
    fn a_remark_on_a_tested_behaviour_is_stale() {
        let found = findings(&[(LIST, TWO), ("crates/transom/tests/a.rs", "// M1 M2\n")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("remove its remark"));
    }

    #[test]
    fn docs_cite_only_what_exists() {
        let test = ("crates/transom/tests/a.rs", "// M1\n");
        for (path, text) in [
            ("docs/mapping.md", "as M9 says\n"),
            ("README.md", "M9\n"),
            ("crates/transom/src/a.rs", "/// See M9.\nfn a() {}\n"),
            ("conformance/deviations.toml", "id = \"M9\"\n"),
        ] {
            let found = findings(&[(LIST, TWO), test, (path, text)]);
            assert_eq!(found.len(), 1, "{path}");
            assert!(found[0].contains("M9 is not in"));
        }
        let name = "fn a() { let M9 = 1; }\n";
        assert!(findings(&[(LIST, TWO), test, ("crates/transom/src/a.rs", name)]).is_empty());
    }

    #[test]
    fn the_list_keeps_its_form() {
        for (list, expected) in [
            ("[event]\nM1 = \"a\"\n", "no id for the table"),
            ("[mapping]\nM1 = \"a\"\nM1 = \"b\"\n", "twice"),
            ("[mapping]\nM1 = { text = \"a\", untested = \"\" }\n", "needs"),
            ("[mapping]\nM1 = \"\"\n", "needs"),
        ] {
            let found = findings(&[(LIST, list)]);
            assert!(found.iter().any(|f| f.contains(expected)), "{list}: {found:?}");
        }
    }
}
