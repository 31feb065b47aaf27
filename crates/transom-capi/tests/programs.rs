//! C programs against the built library: each prints what it prints on Windows. The programs and their
//! output are in the folder conformance of the repository, whose run-wine.sh shows the same for Windows' side.

mod common;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{c, files, folder, headers, here, library, run, text};

/// Seconds after which a program counts as hung.
const LIMIT: &str = "60";

fn suite() -> PathBuf {
    here("../../conformance")
}

/// Every program, as noun and name.
fn programs() -> Vec<(String, String)> {
    let mut programs = Vec::new();
    for noun in ["handle", "mailslot", "mapping", "pipe", "process", "sync", "window"] {
        for file in files(&suite().join(noun), &[".c"]) {
            programs.push((noun.to_owned(), file.trim_end_matches(".c").to_owned()));
        }
    }
    programs
}

/// Builds and runs one program; the lines that differ, with what else is wrong.
fn complaints(noun: &str, name: &str, libraries: &Path) -> Vec<String> {
    let folder = folder(&format!("program-{name}"));
    let program = folder.join(name);
    run(c()
        .args(["-std=c99", "-Wall", "-Werror", "-pthread", "-I"])
        .arg(headers())
        .arg(suite().join(noun).join(format!("{name}.c")))
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(libraries)
        .arg("-ltransom_c"));
    // The linker wrote down the name that the installed library has.
    std::os::unix::fs::symlink(libraries.join("libtransom_c.so"), folder.join("libtransom.so.0"))
        .expect("a link to the library");
    let cwd = folder.join("cwd");
    std::fs::create_dir(&cwd).expect("a folder to run in");
    let printed = folder.join("printed.txt");
    let status = Command::new("timeout")
        .args(["--kill-after=5", LIMIT])
        .arg(&program)
        .current_dir(&cwd)
        .env("LD_LIBRARY_PATH", &folder)
        .env("TRANSOM_DIR", folder.join("names"))
        .stdin(Stdio::null())
        // Not a pipe: a child that lives on would hold it open.
        .stdout(File::create(&printed).expect("a file to print to"))
        .status()
        .expect("the program starts");
    let printed = text(&printed);
    let expected = text(&suite().join(noun).join("expected").join(format!("{name}.txt")));
    let mut complaints: Vec<String> = printed
        .lines()
        .zip(expected.lines())
        .filter(|(printed, expected)| printed != expected)
        .map(|(printed, expected)| format!("{name}: expected {expected}, printed {printed}"))
        .collect();
    let (lines, wanted) = (printed.lines().count(), expected.lines().count());
    if lines != wanted {
        complaints.push(format!("{name}: {lines} lines instead of {wanted}"));
    }
    if !status.success() {
        complaints.push(format!("{name}: {status}"));
    }
    for left in files(&cwd, &[""]) {
        complaints.push(format!("{name}: left {left} behind"));
    }
    complaints
}

#[test]
fn every_program_prints_what_windows_prints() {
    let libraries = library();
    let programs = programs();
    assert!(programs.len() >= 12, "the programs are found");
    let complaints: Vec<String> =
        programs.iter().flat_map(|(noun, name)| complaints(noun, name, &libraries)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_program_has_its_output_and_every_output_its_program() {
    let mut with_output = BTreeSet::new();
    for noun in ["handle", "mailslot", "mapping", "pipe", "process", "sync", "window"] {
        for file in files(&suite().join(noun).join("expected"), &[".txt"]) {
            with_output.insert((noun.to_owned(), file.trim_end_matches(".txt").to_owned()));
        }
    }
    assert_eq!(with_output, programs().into_iter().collect());
}
