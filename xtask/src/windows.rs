//! `windows`: the same library over the real Win32 API, cross-built from Linux, its tests
//! run under Wine.
//!
//! The recipe needs no toolchain manager: a distribution's rustc and cargo, with the
//! sources of the standard library, build that library for the target first. The target
//! is the variant that keeps to calls of Windows 7, which every Wine has.
//!
//! Windows of a desktop need a display, which Wine takes from X: the tests get one of their own that nobody sees.

use crate::repo::{root, target_dir};
use crate::run::{Arguments, Done, exists, limited, out_of_time, output, run};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What the tests run as.
const TARGET: &str = "x86_64-win7-windows-gnu";

/// What users build for; checked, not linked.
const CHECKED: &[&str] = &["x86_64-pc-windows-gnu", "x86_64-pc-windows-msvc"];

/// What exists on Windows. The C interface does not: the system has its own.
const PACKAGES: &[&str] = &["transom-core", "transom", "transom-cli"];

/// Seconds for one test program.
const LIMIT: u32 = 600;

/// Where Debian's packages rustc-web, cargo-web and rust-web-src put things.
const RUSTC: &str = "/usr/bin/rustc";
const CARGO: &str = "/usr/bin/cargo";

/// Entry point of the chore.
pub fn main(mut arguments: Arguments) -> Done {
    let run_tests = arguments.flag("--run");
    let require = arguments.flag("--require");
    arguments.end()?;
    let tools = Tools::find();
    let missing = tools.missing(run_tests);
    if !missing.is_empty() {
        let text = format!("windows: missing {}", missing.join(", "));
        if require {
            return Err(text);
        }
        println!("{text}; skipped");
        return Ok(());
    }
    for target in CHECKED {
        let mut check = tools.cargo("check");
        run(check.args(["--quiet", "--target", target]))?;
    }
    let mut build = tools.cargo("test");
    run(build.args(["--quiet", "--no-run", "--target", TARGET]))?;
    if !run_tests {
        return Ok(());
    }
    // The same build again, which now only tells what it has made.
    let mut tell = tools.cargo("test");
    tell.args(["--no-run", "--target", TARGET, "--message-format=json"]);
    let programs = programs(&output(&mut tell)?);
    if programs.is_empty() {
        return Err("windows: the build made no test programs".to_owned());
    }
    run_under_wine(&programs)
}

struct Tools {
    rustc: PathBuf,
    cargo: PathBuf,
}

impl Tools {
    fn find() -> Tools {
        let from = |name: &str, default: &str| std::env::var_os(name).unwrap_or_else(|| default.into());
        Tools {
            rustc: from("TRANSOM_WEB_RUSTC", RUSTC).into(),
            cargo: from("TRANSOM_WEB_CARGO", CARGO).into(),
        }
    }

    /// What is needed and not here, in words for the user.
    fn missing(&self, run_tests: bool) -> Vec<String> {
        let mut missing = Vec::new();
        for program in [&self.rustc, &self.cargo] {
            if !program.exists() {
                missing.push(program.display().to_string());
            }
        }
        let sysroot = output(Command::new(&self.rustc).args(["--print", "sysroot"]));
        let library = sysroot
            .map(|sysroot| Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std"))
            .is_ok_and(|library| library.exists());
        if !library {
            missing.push("the sources of the standard library (rust-web-src)".to_owned());
        }
        let mut programs = vec!["x86_64-w64-mingw32-gcc"];
        if run_tests {
            programs.extend(["wine", "timeout", "Xvfb"]);
        }
        missing.extend(programs.into_iter().filter(|p| !exists(p)).map(str::to_owned));
        missing
    }

    /// A cargo command over the packages, with the standard library built along.
    fn cargo(&self, what: &str) -> Command {
        let mut command = Command::new(&self.cargo);
        command.current_dir(root());
        // A toolchain manager that runs us sets these for the toolchain it picked.
        for name in ["RUSTUP_TOOLCHAIN", "RUSTFLAGS", "RUSTDOC", "CARGO"] {
            command.env_remove(name);
        }
        command.env("RUSTC", &self.rustc);
        command.env("RUSTC_BOOTSTRAP", "1");
        command.env("CARGO_TARGET_DIR", target_dir().join("windows"));
        command.arg(what).arg("-Zbuild-std=std,panic_abort");
        for package in PACKAGES {
            command.args(["--package", package]);
        }
        command.args(["--features", "transom/tokio"]);
        // Documentation tests need a program per example; the native run has them.
        if what == "test" {
            command.args(["--lib", "--bins", "--tests"]);
        }
        command
    }
}

/// One test program.
#[derive(Debug, PartialEq, Eq)]
struct Program {
    /// The folder of its package, where tests expect to be.
    folder: PathBuf,
    file: PathBuf,
}

impl Program {
    /// Its package and file, for the user.
    fn name(&self) -> String {
        let package = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let file = self.file.file_stem().unwrap_or_default().to_string_lossy();
        format!("{package}/{file}")
    }
}

/// Picks the test programs out of cargo's messages, one JSON object a line. Beside them
/// cargo reports libraries, and the commands that integration tests start.
fn programs(messages: &str) -> Vec<Program> {
    let mut programs = Vec::new();
    for message in messages.lines() {
        let profile = message.split_once("\"profile\":{").map_or("", |(_, rest)| rest);
        let profile = profile.split('}').next().unwrap_or_default();
        if !profile.contains("\"test\":true") {
            continue;
        }
        let file = field(message, "executable");
        let manifest = field(message, "manifest_path").map(PathBuf::from);
        if let (Some(file), Some(manifest)) = (file, manifest) {
            let folder = manifest.parent().unwrap_or(&manifest).to_owned();
            programs.push(Program { folder, file: file.into() });
        }
    }
    programs
}

/// A string field of a JSON object, for paths: without escapes beyond the backslash.
fn field(message: &str, name: &str) -> Option<String> {
    let start = message.find(&format!("\"{name}\":\""))? + name.len() + 4;
    let end = message[start..].find('"')?;
    Some(message[start..start + end].replace("\\\\", "\\"))
}

/// What became of a test program.
struct Outcome {
    passed: bool,
    /// The tests that failed, as far as it came to say so.
    failed: Vec<String>,
}

fn run_under_wine(programs: &[Program]) -> Done {
    let prefix = target_dir().join("windows").join("wine");
    std::fs::create_dir_all(&prefix).map_err(|why| format!("{}: {why}", prefix.display()))?;
    let display = Display::start()?;
    let mut lost = Vec::new();
    for program in programs {
        let outcome = run_one(program, &prefix, &display)?;
        if !outcome.passed {
            lost.push((program, outcome));
        }
    }
    let mut failed = Vec::new();
    let mut report = Vec::new();
    // Wine loses a race of its own now and then, mostly where a process ends: what fails is run once more. That it failed
    // is said at the end, where nobody overlooks it; what fails twice has failed.
    for (program, first) in &lost {
        let name = program.name();
        println!("{name}: once more");
        let again = run_one(program, &prefix, &display)?;
        let tests = [first.failed.join(", "), again.failed.join(", ")];
        if again.passed {
            report.push(format!("{name}: failed ({}), and passed when it was run again", tests[0]));
        } else {
            report.push(format!("{name}: failed twice ({}; {})", tests[0], tests[1]));
            failed.push(name);
        }
    }
    end_wine(&prefix)?;
    drop(display);
    for line in report {
        println!("{line}");
    }
    let passed = programs.len() - failed.len();
    println!("{passed} test programs passed under wine, {} failed", failed.len());
    if failed.is_empty() { Ok(()) } else { Err(format!("windows: failed: {}", failed.join(", "))) }
}

fn run_one(program: &Program, prefix: &Path, display: &Display) -> Result<Outcome, String> {
    let name = program.name();
    println!("$ wine {name}");
    // To a file: processes of Wine's own keep what they were given, and would keep the end of a pipe from us.
    let path = prefix.join("output.txt");
    let file = File::create(&path).map_err(|why| format!("{}: {why}", path.display()))?;
    let errors = file.try_clone().map_err(|why| format!("{}: {why}", path.display()))?;
    let status = limited(LIMIT, "wine")
        .arg(&program.file)
        .current_dir(&program.folder)
        .env("WINEPREFIX", prefix)
        .env("DISPLAY", &display.name)
        .env("WINEDEBUG", "-all")
        // Without its debugger, which would show a window for a test that means to crash, and wait.
        .env("WINEDLLOVERRIDES", "mscoree,mshtml=;winedbg.exe=d")
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(errors)
        .status()
        .map_err(|why| format!("wine: {why}"))?;
    let output = std::fs::read(&path).map_err(|why| format!("{}: {why}", path.display()))?;
    let output = String::from_utf8_lossy(&output);
    print!("{output}");
    if out_of_time(status.code()) {
        println!("{name}: did not end within {LIMIT} s");
    }
    Ok(Outcome { passed: status.success(), failed: failed_tests(&output) })
}

/// The tests that a test program names as failed.
fn failed_tests(output: &str) -> Vec<String> {
    let lines = output.lines().filter_map(|line| line.trim_end().strip_suffix(" ... FAILED"));
    lines.map(|line| line.strip_prefix("test ").unwrap_or(line).to_owned()).collect()
}

/// A display of our own, as long as this value.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    fn start() -> Result<Display, String> {
        // It picks a free number, and writes that to its output when it is ready.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "640x480x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|why| format!("Xvfb: {why}"))?;
        let mut number = String::new();
        let output = server.stdout.take().map(BufReader::new);
        let read = output.map_or(Ok(0), |mut output| output.read_line(&mut number));
        let display = Display { server, name: format!(":{}", number.trim()) };
        match read {
            Ok(_) if number.ends_with('\n') => Ok(display),
            _ => Err("Xvfb: it ended without a display".to_owned()),
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It has ended already if this fails.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Waits until what ran under this prefix has ended, and ends what has not.
fn end_wine(prefix: &Path) -> Done {
    if !exists("wineserver") {
        return Ok(());
    }
    let waited = output(limited(60, "wineserver").arg("-w").env("WINEPREFIX", prefix));
    if waited.is_ok() {
        return Ok(());
    }
    println!("something still runs under wine; ending it");
    output(Command::new("wineserver").arg("-k").env("WINEPREFIX", prefix)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_programs_are_picked_from_messages() {
        let messages = r#"{"reason":"compiler-artifact","manifest_path":"/w/crates/a/Cargo.toml","target":{"test":true},"profile":{"debug":2,"test":true},"executable":"/t/debug/deps/a-1.exe","fresh":true}
{"reason":"compiler-artifact","manifest_path":"/w/crates/a/Cargo.toml","target":{"test":true},"profile":{"test":false},"executable":"/t/debug/a.exe","fresh":true}
{"reason":"compiler-artifact","manifest_path":"/w/crates/a/Cargo.toml","profile":{"test":true},"executable":null,"fresh":true}
{"reason":"build-finished","success":true}"#;
        let found = programs(messages);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].file, Path::new("/t/debug/deps/a-1.exe"));
        assert_eq!(found[0].folder, Path::new("/w/crates/a"));
        assert_eq!(found[0].name(), "a/a-1");
    }

    #[test]
    fn tests_that_failed_are_named() {
        let output =
            "running 3 tests\r\ntest a::b ... ok\r\ntest a::c ... FAILED\r\ntest d ... FAILED\n\nfailures:\n";
        assert_eq!(failed_tests(output), ["a::c", "d"]);
    }

    #[test]
    fn missing_tools_are_named() {
        let tools = Tools { rustc: "/nowhere/rustc".into(), cargo: "/nowhere/cargo".into() };
        let missing = tools.missing(false);
        assert!(missing.contains(&"/nowhere/rustc".to_owned()));
        assert!(missing.contains(&"/nowhere/cargo".to_owned()));
        assert!(missing.iter().any(|m| m.contains("rust-web-src")));
    }
}
