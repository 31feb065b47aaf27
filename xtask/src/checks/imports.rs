//! `check-imports`: who may name whom. ARCHITECTURE.md draws it, this holds it.
//!
//! Three things are read: the dependency tables of the manifests (crate to crate), the
//! paths in each crate's sources (module to module), and the mechanism folders of the
//! library (mechanism to mechanism).

use crate::paths::{Path, module_of, paths};
use crate::repo::{Finding, Tree};
use crate::source::{split, test_parts, without};
use crate::toml::{Value, parse};
use std::collections::BTreeSet;

/// The crates of the workspace, and which others of the workspace each may depend on.
/// A crate without a row fails: a new crate needs a place in the architecture first.
const CRATES: &[(&str, &[&str])] = &[
    ("transom-core", &[]),
    ("transom-sys", &[]),
    ("transom", &["transom-core", "transom-sys"]),
    // Of the core, pure rules alone: text, command lines, the arithmetic of views.
    ("transom-capi", &["transom", "transom-core"]),
    // Beside the library it measures the same calls without it, the floor of every figure.
    ("transom-bench", &["transom", "transom-sys"]),
    ("transom-cli", &["transom", "transom-bench"]),
    // Other libraries, measured by the same means in a workspace of its own.
    ("bench-rivals", &["transom-bench"]),
    // Pure rules are what can be fuzzed; a workspace of its own.
    ("fuzz", &["transom-core"]),
    ("xtask", &[]),
];

/// Crates that are the operating system; only transom-sys may name them.
const SYSTEM: &[&str] = &["libc", "rustix", "windows-sys"];

/// The exceptions: crate, what it names, the one file that may, and why.
const SYSTEM_ELSEWHERE: &[(&str, &str, &str, &str)] = &[
    (
        "transom-capi",
        "libc",
        "crates/transom-capi/src/os.rs",
        "C programs use files, clocks and pages of their own, which the Rust library leaves to std",
    ),
    (
        "bench-rivals",
        "rustix",
        "bench-rivals/src/pipe/seqpacket.rs",
        "a rival that the standard library does not have",
    ),
    (
        "bench-rivals",
        "rustix",
        "bench-rivals/src/mailslot/seqpacket.rs",
        "a rival that the standard library does not have",
    ),
];

/// What the core may depend on outside tests, and under which condition.
const CORE_MAY_USE: &[(&str, &str)] = &[("loom", "cfg(loom)")];

/// Parts of the standard library that are the operating system.
const STD_SYSTEM: &[&str] = &["env", "fs", "io", "net", "os", "path", "process", "thread", "time"];

/// The library's folder of mechanisms.
const LIBRARY: &str = "crates/transom/src/";

/// What one mechanism may import of another, and why. `*` stands for every mechanism.
const EDGES: &[Edge] = &[
    edge("*", "handle", Depth::Inside, "every object is reached through a handle, which its backend makes"),
    edge("*", "namespace", Depth::Inside, "every object may have a name, which its backend looks up"),
    edge("*", "wait", Depth::Face, "every object can be waited for"),
    edge("process", "pipe", Depth::Inside, "a child's standard streams are pipes"),
    edge("handle", "thread", Depth::Inside, "a pseudo handle stands for the current thread"),
    edge("handle", "pipe", Depth::Inside, "a descriptor that becomes a handle may be a pipe"),
    edge("mapping", "mutex", Depth::Face, "a guarded mapping is written under its lock"),
    edge("handle", "process", Depth::Face, "duplication names the other process"),
    edge("process", "thread", Depth::Face, "a new process comes with its first thread"),
    edge("pipe", "process", Depth::Face, "the process at the other end can be asked for"),
    edge("aio", "pipe", Depth::Inside, "the tokio face of pipes"),
    edge("aio", "mailslot", Depth::Inside, "the tokio face of mailslots"),
    edge("aio", "window", Depth::Face, "the tokio face of windows"),
    edge("window", "wait", Depth::Inside, "objects and the queue are waited for together"),
    edge("instance", "mutex", Depth::Face, "who is the first is who owns a mutex"),
    edge("instance", "window", Depth::Face, "the others find the first's window, and send to it"),
    edge("instance", "event", Depth::Face, "a hidden thread is told of answers and of its end by events"),
    edge("window", "process", Depth::Face, "handles are sent into the receiver's process"),
    edge("window", "event", Depth::Face, "a hidden thread is told its end by an event"),
    edge("mailslot", "mapping", Depth::Face, "a broadcast log is a named mapping"),
    edge("mailslot", "mutex", Depth::Face, "on Windows publishers of a broadcast take turns"),
    edge("mailslot", "event", Depth::Face, "on Windows subscribers of a broadcast sleep"),
];

/// How far an import may reach.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Depth {
    /// What `mod.rs` shows.
    Face,
    /// The backend's own items too.
    Inside,
}

/// One permission.
struct Edge {
    from: &'static str,
    to: &'static str,
    depth: Depth,
    reason: &'static str,
}

const fn edge(from: &'static str, to: &'static str, depth: Depth, reason: &'static str) -> Edge {
    Edge { from, to, depth, reason }
}

/// Names under which a mechanism holds its backend.
const BACKENDS: &[&str] = &["imp", "linux", "windows"];

/// Runs the check.
pub fn check(tree: &Tree) -> Result<Vec<Finding>, String> {
    let mut findings = Vec::new();
    for (path, text) in tree.iter() {
        if let Some(name) = crate_of_manifest(path) {
            manifest(path, name, text, &mut findings)?;
        }
    }
    let mechanisms = mechanisms(tree);
    let mut used = BTreeSet::new();
    for (path, text) in tree.rust() {
        let Some(place) = Place::of(path) else {
            continue;
        };
        let code = split(text).code;
        let module = module_of(place.below_src.unwrap_or_default());
        for named in paths(&code, &module) {
            if let Some(why) = crate_rule(path, &place, &named).or_else(|| backend_rule(path, &named)) {
                findings.push(Finding::at(path, named.line, format!("{named}: {why}")));
            }
        }
        if place.name == "transom-core" && place.below_src.is_some() {
            let rules = without(&code, &test_parts(&code));
            core_rule(path, &paths(&rules, &module), &mut findings);
        }
        if path.starts_with(LIBRARY) {
            let named = paths(&without(&code, &test_parts(&code)), &module);
            mechanism_rule(path, &named, &mechanisms, &mut used, &mut findings);
        }
    }
    for (row, edge) in EDGES.iter().enumerate() {
        let exists = |name: &str| name == "*" || mechanisms.contains(name);
        if exists(edge.from) && exists(edge.to) && !used.contains(&row) {
            let what =
                format!("EDGES: nothing uses {} -> {} ({}); remove the row", edge.from, edge.to, edge.reason);
            findings.push(Finding::new("xtask/src/checks/imports.rs", what));
        }
    }
    Ok(findings)
}

/// The folder name of the crate whose manifest this is.
fn crate_of_manifest(path: &str) -> Option<&str> {
    let folder = path.strip_suffix("/Cargo.toml")?;
    let name = folder.strip_prefix("crates/").unwrap_or(folder);
    (!name.contains('/')).then_some(name)
}

/// Checks the dependency tables of one manifest.
fn manifest(path: &str, name: &str, text: &str, findings: &mut Vec<Finding>) -> Result<(), String> {
    let rows = parse(text).map_err(|why| format!("{path}: {why}"))?;
    let Some((_, may)) = CRATES.iter().find(|(known, _)| *known == name) else {
        let what = format!("{name} has no row in CRATES of xtask/src/checks/imports.rs");
        findings.push(Finding::new(path, what));
        return Ok(());
    };
    for row in rows {
        let Some((condition, sort)) = dependency_table(&row.table) else {
            continue;
        };
        // `[dependencies.name]` tables carry the name behind a dot.
        let key = row.key.split('.').next().unwrap_or_default();
        let renamed = row.value.entry("package").and_then(Value::text);
        let dependency = renamed.unwrap_or(key);
        let ours = CRATES.iter().any(|(known, _)| *known == dependency);
        let mut refuse = |why: &str| {
            findings.push(Finding::at(path, row.line, format!("{dependency}: {why}")));
        };
        if ours && !may.contains(&dependency) {
            refuse("a dependency the architecture does not have");
        }
        let excepted = SYSTEM_ELSEWHERE.iter().any(|(of, what, ..)| *of == name && *what == dependency);
        if SYSTEM.contains(&dependency) && name != "transom-sys" && !excepted {
            refuse("only transom-sys speaks to the operating system");
        }
        let core_may = CORE_MAY_USE.contains(&(dependency, condition));
        if name == "transom-core" && sort != "dev-dependencies" && !core_may {
            refuse("the core depends on nothing");
        }
    }
    Ok(())
}

/// Splits `target.'cfg(x)'.dev-dependencies` into condition and sort.
fn dependency_table(table: &str) -> Option<(&str, &str)> {
    let (condition, sort) = table.rsplit_once('.').unwrap_or(("", table));
    let condition = condition.trim_start_matches("target.").trim_matches('\'');
    let sorts = ["dependencies", "dev-dependencies", "build-dependencies"];
    sorts.contains(&sort).then_some((condition, sort))
}

/// Where a Rust file stands.
struct Place<'a> {
    /// The crate's name.
    name: &'a str,
    /// The path below `src`, if it is there and not in tests, benches or examples.
    below_src: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Option<Place<'a>> {
        let within = path.strip_prefix("crates/").unwrap_or(path);
        let (name, below) = within.split_once('/')?;
        let known = CRATES.iter().any(|(known, _)| *known == name);
        known.then_some(Place { name, below_src: below.strip_prefix("src/") })
    }
}

/// The name a crate has in paths.
fn in_paths(name: &str) -> String {
    name.replace('-', "_")
}

/// Paths into crates that the crate may not depend on, also through somebody's re-export.
fn crate_rule(path: &str, place: &Place<'_>, named: &Path) -> Option<&'static str> {
    let (_, may) = CRATES.iter().find(|(known, _)| *known == place.name)?;
    let head = named.segments.first()?;
    for (other, _) in CRATES {
        let itself = *other == place.name;
        if !itself && !may.contains(other) && *head == in_paths(other) && named.segments.len() > 1 {
            return Some("a crate the architecture keeps apart from this one");
        }
    }
    let excepted = |name: &str| {
        let row = |(_, what, file, _): &(&str, &str, &str, &str)| *what == name && *file == path;
        SYSTEM_ELSEWHERE.iter().any(row)
    };
    let system = SYSTEM.iter().any(|name| named.names(&in_paths(name)) && !excepted(name));
    if system && place.name != "transom-sys" {
        return Some("only transom-sys speaks to the operating system");
    }
    None
}

/// A backend never names the other platform's side.
fn backend_rule(path: &str, named: &Path) -> Option<&'static str> {
    let file = path.rsplit('/').next()?;
    if !path.starts_with(LIBRARY) {
        return None;
    }
    match file {
        "windows.rs" if named.names("engine") => Some("the engine is what Linux lacks; Windows has it"),
        "windows.rs" if named.names("linux") => Some("the other platform's side"),
        "linux.rs" if named.names("windows") => Some("the other platform's side"),
        _ => None,
    }
}

/// The core's rules read no clock, open no file and start no thread.
fn core_rule(path: &str, named: &[Path], findings: &mut Vec<Finding>) {
    for named in named {
        let system = STD_SYSTEM.iter().any(|module| named.begins(&["std", module]));
        if system {
            let what = format!("{named}: the core has no system below it");
            findings.push(Finding::at(path, named.line, what));
        }
    }
}

/// Folders of the library with a side for each platform.
fn mechanisms(tree: &Tree) -> BTreeSet<&str> {
    tree.rust()
        .filter_map(|(path, _)| path.strip_prefix(LIBRARY)?.strip_suffix("/mod.rs"))
        .filter(|name| {
            let has = |side| tree.text(&format!("{LIBRARY}{name}/{side}.rs")).is_some();
            has("linux") && has("windows")
        })
        .collect()
}

/// What a mechanism's file imports of other mechanisms must have a row in `EDGES`.
/// Tests may use anything public.
fn mechanism_rule(
    path: &str,
    named: &[Path],
    mechanisms: &BTreeSet<&str>,
    used: &mut BTreeSet<usize>,
    findings: &mut Vec<Finding>,
) {
    let below = path.strip_prefix(LIBRARY).unwrap_or_default();
    let Some((own, file)) = below.split_once('/') else {
        return;
    };
    if !mechanisms.contains(own) || file.split('/').any(|part| part.starts_with("tests")) {
        return;
    }
    for named in named {
        let [root, other, rest @ ..] = named.segments.as_slice() else {
            continue;
        };
        if root != "crate" || other == own || !mechanisms.contains(other.as_str()) {
            continue;
        }
        let inside = rest.first().is_some_and(|next| BACKENDS.contains(&next.as_str()));
        let needed = if inside { Depth::Inside } else { Depth::Face };
        let row = EDGES.iter().position(|edge| {
            (edge.from == "*" || edge.from == own) && edge.to == other && edge.depth >= needed
        });
        match row {
            Some(row) => {
                used.insert(row);
            }
            None => {
                let what = format!(
                    "{named}: {own} has no row in EDGES of xtask/src/checks/imports.rs for {other}, {needed:?}"
                );
                findings.push(Finding::at(path, named.line, what));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let found = check(&Tree::of(files)).expect("the fixtures are well formed");
        let other_rows = |f: &Finding| !f.what.starts_with("EDGES: nothing uses");
        let found = found.into_iter().filter(other_rows);
        found.map(|f| format!("{}: {}", f.place, f.what)).collect()
    }

    #[test]
    fn manifests_keep_to_the_table() {
        let manifest = "[dependencies]\ntransom.workspace = true\nserde = \"1\"\n";
        assert!(findings(&[("crates/transom-cli/Cargo.toml", manifest)]).is_empty());
        assert_eq!(findings(&[("crates/transom-sys/Cargo.toml", manifest)]).len(), 1);
    }

    #[test]
    fn renaming_a_dependency_hides_nothing() {
        let manifest = "[dependencies]\nx = { package = \"transom-sys\", path = \"../transom-sys\" }\n";
        assert_eq!(findings(&[("crates/transom-cli/Cargo.toml", manifest)]).len(), 1);
    }

    #[test]
    fn a_crate_without_a_row_fails() {
        assert_eq!(findings(&[("crates/transom-new/Cargo.toml", "[package]\n")]).len(), 1);
        assert!(findings(&[("Cargo.toml", "[workspace]\n")]).is_empty());
    }

    #[test]
    fn system_crates_belong_to_one_crate() {
        let manifest = "[target.'cfg(unix)'.dev-dependencies]\nlibc = \"0.2\"\n";
        assert_eq!(findings(&[("crates/transom/Cargo.toml", manifest)]).len(), 1);
        assert!(findings(&[("crates/transom-sys/Cargo.toml", manifest)]).is_empty());
        let through = "use transom_sys::libc::kill;\n";
        assert_eq!(findings(&[("crates/transom/src/engine/x.rs", through)]).len(), 1);
    }

    #[test]
    fn an_exception_is_one_file() {
        let naming = "use libc::mmap;\n";
        assert!(findings(&[("crates/transom-capi/src/os.rs", naming)]).is_empty());
        assert_eq!(findings(&[("crates/transom-capi/src/file.rs", naming)]).len(), 1);
        assert_eq!(findings(&[("crates/transom-capi/src/os.rs", "use rustix::fs;\n")]).len(), 1);
    }

    #[test]
    fn the_core_depends_on_nothing_but_loom() {
        let core = "crates/transom-core/Cargo.toml";
        let loom = "[target.'cfg(loom)'.dependencies]\nloom.workspace = true\n";
        let tests = "[dev-dependencies]\nproptest.workspace = true\n";
        assert!(findings(&[(core, loom)]).is_empty());
        assert!(findings(&[(core, tests)]).is_empty());
        assert_eq!(findings(&[(core, "[dependencies]\nserde = \"1\"\n")]).len(), 1);
    }

    #[test]
    fn the_core_asks_no_system() {
        let file = "crates/transom-core/src/time.rs";
        assert_eq!(findings(&[(file, "use std::time::Instant;\n")]).len(), 1);
        assert_eq!(findings(&[(file, "use std::{fmt, thread};\n")]).len(), 1);
        assert!(findings(&[(file, "use core::time::Duration;\nuse std::fmt;\n")]).is_empty());
        let test = "#[cfg(test)]\nmod tests { use std::time::Duration; }\n";
        assert!(findings(&[(file, test)]).is_empty());
        assert!(findings(&[("crates/transom-core/tests/a.rs", "use std::thread::spawn;\n")]).is_empty());
    }

    #[test]
    fn faces_see_the_library_alone() {
        let file = "crates/transom-capi/src/lib.rs";
        assert!(findings(&[(file, "use transom::event::Event;\n")]).is_empty());
        assert_eq!(findings(&[(file, "use transom_sys::linux;\n")]).len(), 1);
        assert_eq!(findings(&[("crates/transom-cli/src/main.rs", "transom_core::name::x();\n")]).len(), 1);
    }

    #[test]
    fn backends_do_not_name_the_other_side() {
        let windows = "crates/transom/src/event/windows.rs";
        let linux = "crates/transom/src/event/linux.rs";
        assert_eq!(findings(&[(windows, "use crate::{engine, error};\n")]).len(), 1);
        assert_eq!(findings(&[(linux, "use transom_sys::windows::wait;\n")]).len(), 1);
        assert!(findings(&[(linux, "use crate::engine::segment;\n")]).is_empty());
        assert!(findings(&[(windows, "use transom_sys::windows::wait;\n")]).is_empty());
    }

    #[test]
    fn mechanisms_keep_apart() {
        let all = [
            ("crates/transom/src/event/mod.rs", "use crate::handle::Handle;\n"),
            ("crates/transom/src/event/linux.rs", "use super::super::pipe::Pipe;\n"),
            ("crates/transom/src/event/windows.rs", ""),
            ("crates/transom/src/event/tests.rs", "use crate::pipe::Pipe;\n"),
            ("crates/transom/src/pipe/mod.rs", "use crate::wait::imp::table;\n"),
            ("crates/transom/src/pipe/linux.rs", ""),
            ("crates/transom/src/pipe/windows.rs", ""),
            ("crates/transom/src/pipe/linux/tests.rs", "use crate::event::imp::x;\n"),
            ("crates/transom/src/wait/mod.rs", ""),
            ("crates/transom/src/wait/linux.rs", ""),
            ("crates/transom/src/wait/windows.rs", ""),
        ];
        let found = findings(&all);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("event has no row"), "{found:?}");
        assert!(found[1].contains("Inside"), "{found:?}");
    }
}
