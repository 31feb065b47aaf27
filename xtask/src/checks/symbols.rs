//! `check-symbols`: the headers declare, symbols.txt lists and the library exports the same
//! functions. A name in one place only is a promise nobody keeps, or a function nobody can
//! call.

use crate::repo::{Finding, Tree, listed, root, target_dir};
use crate::run::{cargo, output, run};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const HEADERS: &str = "crates/transom-capi/include/transom/";
const LIST: &str = "crates/transom-capi/symbols.txt";
const LIBRARY: &str = "libtransom_c.so";

/// Stands before every declaration of an exported function.
const MARK: &str = "TRANSOM_API";

/// Runs the check; builds the library first.
pub fn check(tree: &Tree) -> Result<Vec<Finding>, String> {
    run(cargo().current_dir(root()).args(["build", "--quiet", "--package", "transom-capi"]))?;
    let library = target_dir().join("debug").join(LIBRARY);
    let table = output(Command::new("nm").args(["-D", "--defined-only"]).arg(&library))?;
    Ok(compare(tree, &exported(&table)))
}

/// Compares the three lists.
fn compare(tree: &Tree, exported: &BTreeSet<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut declared: BTreeMap<String, String> = BTreeMap::new();
    for (path, text) in tree.iter().filter(|(path, _)| path.starts_with(HEADERS)) {
        for (line, name) in declarations(text) {
            let place = format!("{path}:{line}");
            if let Some(earlier) = declared.get(&name) {
                findings.push(Finding::new(place, format!("{name} is declared in {earlier} already")));
            } else {
                declared.insert(name, place);
            }
        }
    }
    let rows = listed(tree.text(LIST).unwrap_or_default());
    for pair in rows.windows(2).filter(|pair| pair[0].key >= pair[1].key) {
        let what = format!("{} does not come after {}", pair[1].key, pair[0].key);
        findings.push(Finding::at(LIST, pair[1].line, what));
    }
    for row in &rows {
        let name = row.key.as_str();
        let mut missing = Vec::new();
        if !declared.contains_key(name) {
            missing.push("in no header");
        }
        if !exported.contains(name) {
            missing.push("not exported by the library");
        }
        if !row.reason.starts_with(|c: char| c.is_ascii_digit()) {
            missing.push("without the version it came with");
        }
        for what in missing {
            findings.push(Finding::at(LIST, row.line, format!("{name} is {what}")));
        }
    }
    let is_listed = |name: &str| rows.iter().any(|row| row.key == name);
    for (name, place) in &declared {
        if !is_listed(name) {
            findings.push(Finding::new(place, format!("{name} is not in {LIST}")));
        }
        if !exported.contains(name.as_str()) {
            findings.push(Finding::new(place, format!("{name} is not exported by the library")));
        }
    }
    for name in exported {
        if !is_listed(name) && !declared.contains_key(*name) {
            findings
                .push(Finding::new(LIBRARY, format!("{name} is exported, and neither declared nor listed")));
        }
    }
    findings
}

/// The functions a header declares, with their lines.
fn declarations(header: &str) -> Vec<(usize, String)> {
    let code = without_comments(header);
    let mut found = Vec::new();
    let mut at = 0;
    for (number, line) in code.lines().enumerate().map(|(n, line)| (n + 1, line)) {
        let mark = crate::source::find_words(line, MARK).next();
        if let Some(mark) = mark.filter(|_| !line.trim_start().starts_with('#')) {
            // The name stands before the first parenthesis, which may be on a later line.
            let declaration = &code[at + mark + MARK.len()..];
            let end = declaration.find(['(', ';', '{']).unwrap_or(declaration.len());
            let mut words = declaration[..end].split(|c: char| !c.is_alphanumeric() && c != '_');
            if let Some(name) = words.rfind(|word| !word.is_empty()) {
                found.push((number, name.to_owned()));
            }
        }
        at += line.len() + 1;
    }
    found
}

/// C text with comments blank.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("/*") {
        let (before, comment) = rest.split_at(start);
        out += before;
        let end = comment.find("*/").map_or(comment.len(), |end| end + 2);
        out.extend(comment[..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &comment[end..];
    }
    out + rest
}

/// The names in the output of `nm`, those of the Rust runtime and the linker aside.
fn exported(table: &str) -> BTreeSet<&str> {
    let names = table.lines().filter_map(|line| line.split_whitespace().last());
    let names = names.map(|name| name.split('@').next().unwrap_or(name));
    names.filter(|name| !name.starts_with('_') && !name.starts_with("rust_")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "crates/transom-capi/include/transom/a.h";
    const TEXT: &str = "/* TRANSOM_API void Not(void); */\n#define TRANSOM_API extern\nTRANSOM_API BOOL WINAPI\nSet(HANDLE h);\nTRANSOM_API DWORD WINAPI Get(void);\nstatic inline int own(void) { return 0; }\n";

    fn findings(list: &str, exported: &[&str]) -> Vec<String> {
        let tree = Tree::of(&[(HEADER, TEXT), (LIST, list)]);
        let found = compare(&tree, &exported.iter().copied().collect());
        found.into_iter().map(|f| format!("{}: {}", f.place, f.what)).collect()
    }

    #[test]
    fn declarations_are_found_over_lines() {
        let names: Vec<_> = declarations(TEXT);
        assert_eq!(names, [(3, "Set".to_owned()), (5, "Get".to_owned())]);
    }

    #[test]
    fn agreement_passes() {
        assert_eq!(findings("Get 0.1.0\nSet 0.1.0\n", &["Get", "Set"]), [""; 0]);
    }

    #[test]
    fn each_list_is_missed_when_it_misses_a_name() {
        assert_eq!(findings("Get 0.1.0\n", &["Get", "Set"]).len(), 1);
        assert_eq!(findings("Get 0.1.0\nSet 0.1.0\n", &["Get"]).len(), 2);
        assert_eq!(findings("Get 0.1.0\nSet 0.1.0\nTest 0.1.0\n", &["Get", "Set", "Test"]).len(), 1);
        assert_eq!(findings("Get 0.1.0\nSet 0.1.0\n", &["Get", "Set", "Test"]).len(), 1);
    }

    #[test]
    fn the_list_is_sorted_and_knows_versions() {
        assert_eq!(findings("Set 0.1.0\nGet 0.1.0\n", &["Get", "Set"]).len(), 1);
        assert_eq!(findings("Get\nSet 0.1.0\n", &["Get", "Set"]).len(), 1);
    }

    #[test]
    fn a_function_is_declared_once() {
        let twice = format!("{TEXT}TRANSOM_API DWORD WINAPI Get(void);\n");
        let tree = Tree::of(&[(HEADER, twice.as_str()), (LIST, "Get 0.1.0\nSet 0.1.0\n")]);
        let found = compare(&tree, &["Get", "Set"].into());
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("already"));
    }

    #[test]
    fn the_runtime_is_not_ours() {
        let table = "0000 T Get\n0010 T rust_eh_personality\n0020 T _init\n0030 D Set@@V1\n";
        assert_eq!(exported(table), ["Get", "Set"].into());
    }
}
