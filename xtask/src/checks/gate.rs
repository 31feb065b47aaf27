//! `check-gate`: nothing that can fail is left out of the gate.
//!
//! `.ci/run` is the one gate: a table of steps and a function for each. A step that is
//! written and not listed, or a check that no step runs, would be green for ever.

use crate::checks::CHECKS;
use crate::repo::{Finding, Tree};
use std::collections::BTreeSet;

const GATE: &str = ".ci/run";

/// Chores of this program that find mistakes, beside the checks.
const CHORES: &[&str] = &["conformance", "loom", "windows"];

/// Runs the check.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(script) = tree.text(GATE) else {
        return vec![Finding::new(GATE, "the gate is missing")];
    };
    let mut findings = Vec::new();
    let listed = table(script);
    let defined = functions(script);
    for (line, step) in &listed {
        if !defined.iter().any(|(_, name)| name == step) {
            findings.push(Finding::at(GATE, *line, format!("step {step} has no function step_{step}")));
        }
    }
    for (line, step) in &defined {
        if !listed.iter().any(|(_, name)| name == step) {
            findings.push(Finding::at(GATE, *line, format!("step_{step} is not in the table of steps")));
        }
    }
    let distinct: BTreeSet<_> = listed.iter().map(|(_, step)| step).collect();
    if listed.is_empty() || distinct.len() < listed.len() {
        findings.push(Finding::new(GATE, "the table of steps is empty or names one twice"));
    }
    let commands = xtask_commands(script);
    let all_checks = commands.contains("check");
    for check in CHECKS {
        if !all_checks && !commands.contains(check.name) {
            findings.push(Finding::new(GATE, format!("no step runs {}", check.name)));
        }
    }
    for chore in CHORES {
        if !commands.contains(chore) {
            findings.push(Finding::new(GATE, format!("no step runs {chore}")));
        }
    }
    for (number, line) in code_lines(script) {
        if line.contains("|| true") || line.contains("|| :") {
            findings.push(Finding::at(GATE, number, "a failure swallowed"));
        }
    }
    findings
}

/// Lines of a script without comments, numbered from 1.
fn code_lines(script: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = script.lines().enumerate().map(|(n, line)| (n + 1, line.trim()));
    lines.filter(|(_, line)| !line.starts_with('#'))
}

/// The names between `STEPS=(` and `)`.
fn table(script: &str) -> Vec<(usize, &str)> {
    let inside = code_lines(script).skip_while(|(_, line)| *line != "STEPS=(").skip(1);
    let inside = inside.take_while(|(_, line)| *line != ")");
    let words = inside.map(|(number, line)| (number, line.split_whitespace().next()));
    words.filter_map(|(number, word)| Some((number, word?))).collect()
}

/// The names of functions `step_NAME() {`.
fn functions(script: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in code_lines(script) {
        if let Some(rest) = line.strip_prefix("step_")
            && let Some((name, _)) = rest.split_once("()")
        {
            found.push((number, name));
        }
    }
    found
}

/// The commands of this program that functions of the script run.
fn xtask_commands(script: &str) -> BTreeSet<&str> {
    let mut commands = BTreeSet::new();
    for (_, line) in code_lines(script) {
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            if word == "xtask"
                && let Some(command) = words.next()
            {
                commands.insert(command);
            }
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "STEPS=(\n    fmt\n    rest   # all\n)\nstep_fmt() {\n    cargo fmt --check\n}\nstep_rest() {\n    cargo xtask check && cargo xtask loom\n    cargo xtask windows --run\n    cargo xtask conformance\n}\n";

    fn findings(script: &str) -> Vec<String> {
        let found = check(&Tree::of(&[(GATE, script)]));
        found.into_iter().map(|f| format!("{}: {}", f.place, f.what)).collect()
    }

    #[test]
    fn a_whole_gate_passes() {
        assert_eq!(findings(WHOLE), [""; 0]);
    }

    #[test]
    fn steps_and_functions_are_the_same() {
        let found = findings(&WHOLE.replace("    fmt\n", ""));
        assert!(found[0].contains("step_fmt is not in the table"), "{found:?}");
        let found = findings(&WHOLE.replace("step_fmt()", "step_format()"));
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn every_check_and_chore_is_run() {
        let found = findings(&WHOLE.replace("xtask check", "xtask check-files"));
        assert_eq!(found.len(), CHECKS.len() - 1);
        let found = findings(&WHOLE.replace("xtask loom", "xtask check"));
        assert_eq!(found, [".ci/run: no step runs loom"]);
    }

    #[test]
    fn failures_are_not_swallowed() {
        let found = findings(&WHOLE.replace("fmt --check", "fmt --check || true"));
        assert!(found[0].contains("swallowed"));
        assert!(findings(&WHOLE.replace("    cargo fmt", "    # x || true\n    cargo fmt")).is_empty());
    }

    #[test]
    fn no_gate_and_no_table_fail() {
        assert_eq!(check(&Tree::of(&[])).len(), 1);
        assert!(!findings(&WHOLE.replace("STEPS=(", "OTHER=(")).is_empty());
    }
}
