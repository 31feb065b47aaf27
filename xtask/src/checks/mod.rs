//! The checks: each reads the repository and answers with findings, none meaning good.

mod cfg;
mod docs;
mod files;
mod gate;
mod imports;
pub mod symbols;
mod unsafety;

use crate::repo::{Finding, Tree};

/// One check.
pub struct Check {
    /// Its command name.
    pub name: &'static str,
    /// What it demands, in one line.
    pub about: &'static str,
    /// Runs it. An `Err` means that it could not be run at all.
    pub run: fn(&Tree) -> Result<Vec<Finding>, String>,
}

/// All checks; `cargo xtask check` runs them in this order.
pub const CHECKS: &[Check] = &[
    Check {
        name: "check-files",
        about: "sources are short, clean and name no machine; work left over has an issue",
        run: |tree| Ok(files::check(tree)),
    },
    Check {
        name: "check-cfg",
        about: "platform cfgs stand only in the files of xtask/cfg-allowed.txt",
        run: |tree| Ok(cfg::check(tree)),
    },
    Check {
        name: "check-imports",
        about: "crates and mechanisms import only what the architecture allows",
        run: imports::check,
    },
    Check {
        name: "check-unsafe",
        about: "unsafe stands where it may and as often as xtask/unsafe-counts.txt says",
        run: |tree| Ok(unsafety::check(tree)),
    },
    Check {
        name: "check-docs",
        about: "every behaviour id cited exists, every one that exists is tested",
        run: docs::check,
    },
    Check {
        name: "check-gate",
        about: "the gate, .ci/run, runs every step and every check it has",
        run: |tree| Ok(gate::check(tree)),
    },
    Check {
        name: "check-symbols",
        about: "headers, symbols.txt and the built library agree on the C functions",
        run: symbols::check,
    },
];

/// Runs checks and prints what they find; the answer is whether all were content.
pub fn run(checks: &[&Check], tree: &Tree) -> bool {
    let mut content = true;
    for check in checks {
        let findings = match (check.run)(tree) {
            Ok(findings) => findings,
            Err(why) => vec![Finding::new(check.name, format!("could not be run: {why}"))],
        };
        for finding in &findings {
            println!("{}: {}", finding.place, finding.what);
        }
        match findings.len() {
            0 => println!("{}: ok", check.name),
            1 => println!("{}: 1 finding", check.name),
            n => println!("{}: {n} findings", check.name),
        }
        content &= findings.is_empty();
    }
    content
}
