//! What the tests of the C interface need: a compiler, the headers, the built library, a folder. Each test file
//! is a program of its own and uses a part of it.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file or folder of this crate.
pub fn here(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// The folder that programs include from.
pub fn headers() -> PathBuf {
    here("include/transom")
}

/// The text of a file.
pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// An empty folder of this test's own.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("capi").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("an old folder of the test can be removed");
    }
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// The C compiler, which Rust needs for linking, too.
pub fn c() -> Command {
    Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()))
}

/// The C++ compiler; `None` on a developer's machine without one.
pub fn cplusplus() -> Option<Command> {
    let compiler = std::env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let exists = Command::new(&compiler).arg("--version").output().is_ok_and(|said| said.status.success());
    assert!(exists || std::env::var_os("CI").is_none(), "{} is missing", compiler.display());
    exists.then(|| Command::new(compiler))
}

/// Runs a command that is to succeed; what it printed.
pub fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|why| panic!("{command:?} cannot be started: {why}"));
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {status}\n{errors}");
    String::from_utf8(stdout).expect("programs print text")
}

/// The names of the files in a folder that end in one of these ways, in order.
pub fn files(folder: &Path, endings: &[&str]) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let names = entries.map(|entry| entry.expect("an entry of a folder").file_name());
    let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    names.retain(|name| endings.iter().any(|ending| name.ends_with(ending)));
    names.sort();
    names
}

/// The folder with `libtransom_c.so` as Cargo made it for this run.
pub fn library() -> PathBuf {
    let program = std::env::current_exe().expect("the test's own path");
    let folders = program.ancestors().skip(1).take(2);
    let found = folders.map(Path::to_owned).find(|folder| folder.join("libtransom_c.so").exists());
    found.unwrap_or_else(|| panic!("no libtransom_c.so beside {}", program.display()))
}
