//! `conformance`: the C programs that run on Windows as they are, built here with a plain
//! compiler against an installed prefix.

use crate::install::{Place, install};
use crate::repo::{root, target_dir};
use crate::run::{Arguments, Done, exists, limited, out_of_time, output, shown};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Which programs of a suite belong to what is built, and which of their lines cannot pass yet.
const LIST: &str = "xtask/conformance.txt";

/// Our own programs: a folder for each noun, with the folder of what they print in it.
const OWN: &str = "conformance";

/// Seconds after which a program counts as hung.
const LIMIT: u32 = 60;

/// Entry point of the chore.
pub fn main(mut arguments: Arguments) -> Done {
    let prefix = arguments.value("--prefix")?;
    let suite = arguments.value("--suite")?.or_else(|| std::env::var("TRANSOM_CONFORMANCE").ok());
    let wanted = arguments.words()?;

    let mut programs = own_programs()?;
    let mut known = BTreeMap::new();
    if let Some(suite) = suite {
        let list = fs::read_to_string(root().join(LIST)).map_err(|why| format!("{LIST}: {why}"))?;
        let list = read_list(&list)?;
        programs.extend(suite_programs(&suite, &list, &wanted)?);
        known = list.known;
    }
    if !wanted.is_empty() {
        programs.retain(|program| wanted.contains(&program.name));
        if let Some(name) = wanted.iter().find(|name| programs.iter().all(|program| program.name != **name)) {
            return Err(format!("{name}: no such program"));
        }
    }
    let prefix = match prefix {
        Some(prefix) => std::path::absolute(&prefix).map_err(|why| format!("{prefix}: {why}"))?,
        None => fresh_prefix()?,
    };
    let bench = Bench { flags: flags(&prefix)?, prefix, known };
    let mut passed = 0;
    let mut failed = 0;
    for program in &programs {
        match bench.run(program) {
            Ok(lines) => {
                println!("{}: ok ({lines} checks)", program.name);
                passed += 1;
            }
            Err(why) => {
                println!("{}: FAILED\n{}", program.name, why.trim_end());
                failed += 1;
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { Ok(()) } else { Err("conformance: not as expected".to_owned()) }
}

/// A program and what it must print.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Program {
    name: String,
    source: PathBuf,
    expected: PathBuf,
}

/// Every C program of this repository.
fn own_programs() -> Result<Vec<Program>, String> {
    let mut programs = Vec::new();
    for noun in paths_in(&root().join(OWN))? {
        let expected = noun.join("expected");
        if !expected.is_dir() {
            continue;
        }
        for source in
            paths_in(&noun)?.into_iter().filter(|path| path.extension().is_some_and(|end| end == "c"))
        {
            let name = source.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            programs.push(Program { expected: expected.join(format!("{name}.txt")), source, name });
        }
    }
    Ok(programs)
}

/// The programs of a suite that are listed, or those that are wanted.
fn suite_programs(suite: &str, list: &List, wanted: &[String]) -> Result<Vec<Program>, String> {
    let folder = std::path::absolute(suite).map_err(|why| format!("{suite}: {why}"))?;
    if !folder.join("expected").is_dir() {
        return Err(format!("{}: no folder of programs with expected/", folder.display()));
    }
    println!("suite {}", folder.display());
    let named = |name: &String| {
        let sources = ["c", "cpp"].map(|end| folder.join(format!("{name}.{end}")));
        let source = sources.into_iter().find(|source| source.exists());
        source.map(|source| {
            let expected = folder.join("expected").join(format!("{name}.txt"));
            Program { name: name.clone(), source, expected }
        })
    };
    let missing = |name: &String| format!("{} has no {name}.c or .cpp", folder.display());
    let mut programs = Vec::new();
    for name in &list.programs {
        programs.push(named(name).ok_or_else(|| missing(name))?);
    }
    // What is not listed can be asked for.
    let others = wanted.iter().filter(|name| !list.programs.contains(name));
    programs.extend(others.filter_map(named));
    Ok(programs)
}

fn paths_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Installs below the target folder.
fn fresh_prefix() -> Result<PathBuf, String> {
    let prefix = target_dir().join("conformance").join("prefix");
    let place = Place { prefix: prefix.clone(), destdir: None, profile: "release".to_owned() };
    install(&place, false)?;
    println!("installed to {}", prefix.display());
    Ok(prefix)
}

/// What the compiler must be told: as pkg-config says, or the same by hand.
fn flags(prefix: &Path) -> Result<Vec<String>, String> {
    let folder = prefix.join("lib/pkgconfig");
    if exists("pkg-config") {
        let said = output(
            Command::new("pkg-config").args(["--cflags", "--libs", "transom"]).env("PKG_CONFIG_PATH", folder),
        )?;
        return Ok(said.split_whitespace().map(str::to_owned).collect());
    }
    println!("pkg-config is not here; flags written by hand");
    let libraries = prefix.join("lib");
    Ok(vec![
        format!("-I{}", prefix.join("include/transom").display()),
        format!("-L{}", libraries.display()),
        "-ltransom".to_owned(),
        format!("-Wl,-rpath,{}", libraries.display()),
    ])
}

/// What the list file says.
#[derive(Debug, Default, PartialEq, Eq)]
struct List {
    programs: Vec<String>,
    /// Program, then check, then reason.
    known: BTreeMap<String, BTreeMap<String, String>>,
}

/// A line is a program's name, or `! program check reason` for a check that cannot pass yet.
fn read_list(text: &str) -> Result<List, String> {
    let mut list = List::default();
    for (number, line) in text.lines().enumerate().map(|(n, line)| (n + 1, line.trim())) {
        let mut words = line.split_whitespace();
        match words.next() {
            None => {}
            Some(word) if word.starts_with('#') => {}
            Some("!") => {
                let (Some(program), Some(check)) = (words.next(), words.next()) else {
                    return Err(format!("{LIST}:{number}: a known line needs program, check and reason"));
                };
                let reason = words.collect::<Vec<_>>().join(" ");
                if reason.is_empty() || !list.programs.iter().any(|p| p == program) {
                    return Err(format!(
                        "{LIST}:{number}: {program} {check} needs a reason and a listed program"
                    ));
                }
                let checks = list.known.entry(program.to_owned()).or_default();
                checks.insert(check.to_owned(), reason);
            }
            Some(program) if words.next().is_none() => list.programs.push(program.to_owned()),
            Some(_) => return Err(format!("{LIST}:{number}: one program a line")),
        }
    }
    Ok(list)
}

struct Bench {
    prefix: PathBuf,
    flags: Vec<String>,
    known: BTreeMap<String, BTreeMap<String, String>>,
}

impl Bench {
    /// Builds, runs and compares one program; the answer is how many lines it printed.
    fn run(&self, program: &Program) -> Result<usize, String> {
        let folder = target_dir().join("conformance").join("run").join(&program.name);
        let fail = |what: &str, why: std::io::Error| format!("{what}: {why}");
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|why| fail("clearing its folder", why))?;
        }
        let cwd = folder.join("cwd");
        fs::create_dir_all(&cwd).map_err(|why| fail("making its folder", why))?;
        let built = folder.join(&program.name);
        self.compile(&program.source, &built)?;

        // To a file and not through a pipe: a child that lives on would hold the pipe open.
        let printed = folder.join("stdout.txt");
        let stdout = File::create(&printed).map_err(|why| fail("making its output", why))?;
        let status = limited(LIMIT, &built)
            .current_dir(&cwd)
            .stdin(Stdio::null())
            .stdout(stdout)
            .status()
            .map_err(|why| fail("starting it", why))?;
        let got = fs::read(&printed).map_err(|why| fail("reading its output", why))?;
        let got = String::from_utf8_lossy(&got);
        let expected = fs::read_to_string(&program.expected)
            .map_err(|why| format!("{}: {why}", program.expected.display()))?;

        let mut complaints = compare(&expected, &got, self.known.get(&program.name));
        if out_of_time(status.code()) {
            complaints.push(format!("  did not end within {LIMIT} s"));
        } else if !status.success() {
            complaints.push(format!("  {status}"));
        }
        let left = fs::read_dir(&cwd).map_err(|why| fail("reading its folder", why))?;
        for entry in left.filter_map(Result::ok) {
            complaints.push(format!("  left {} behind", entry.file_name().to_string_lossy()));
        }
        if complaints.is_empty() { Ok(got.lines().count()) } else { Err(complaints.join("\n")) }
    }

    fn compile(&self, source: &Path, to: &Path) -> Done {
        let mut compiler = if source.extension().is_some_and(|end| end == "cpp") {
            let mut cxx = Command::new("c++");
            cxx.arg("-Wall").arg("-o").arg(to).arg(source);
            cxx
        } else {
            let mut cc = Command::new("cc");
            cc.arg("-std=c99").arg("-Wall").arg("-o").arg(to).arg(source);
            cc
        };
        compiler.args(&self.flags);
        let built =
            compiler.stdin(Stdio::null()).output().map_err(|why| format!("  {}: {why}", shown(&compiler)))?;
        let said = String::from_utf8_lossy(&built.stderr);
        let ours = self.prefix.join("include");
        if built.status.success() && !said.lines().any(|line| header_warning(line, &ours)) {
            Ok(())
        } else {
            Err(format!("  $ {}\n{said}", shown(&compiler)))
        }
    }
}

/// Whether the compiler warns of a header of ours, or of a function that none declares. What it thinks of
/// the program itself is the program's business.
fn header_warning(line: &str, headers: &Path) -> bool {
    let of_ours = line.starts_with(&*headers.to_string_lossy());
    line.contains("warning:") && (of_ours || line.contains("implicit declaration"))
}

/// What differs between expected and printed lines, known lines aside.
fn compare(expected: &str, got: &str, known: Option<&BTreeMap<String, String>>) -> Vec<String> {
    let mut complaints = Vec::new();
    for (check, reason) in known.into_iter().flatten() {
        let of = |text: &str| lines_of(text, check);
        let want = of(expected);
        if want.is_empty() {
            complaints.push(format!("  {check}: no such check; remove the row in {LIST}"));
        } else if want == of(got) {
            complaints.push(format!("  {check}: passes now; remove the row in {LIST} ({reason})"));
        }
    }
    let counts = |line: &&str| known.is_none_or(|known| !known.contains_key(check_name(line)));
    let expected: Vec<&str> = expected.lines().filter(counts).collect();
    let got: Vec<&str> = got.lines().filter(counts).collect();
    complaints.extend(differences(&expected, &got));
    complaints
}

fn check_name(line: &str) -> &str {
    line.split(':').next().unwrap_or(line)
}

fn lines_of(text: &str, check: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| check_name(line) == check);
    lines.map(str::to_owned).collect()
}

/// Lines only expected (`-`) and only printed (`+`), by the longest common subsequence.
fn differences(expected: &[&str], got: &[&str]) -> Vec<String> {
    let (rows, columns) = (expected.len(), got.len());
    // common[i][j]: how many lines the rests from i and j have in common.
    let mut common = vec![vec![0usize; columns + 1]; rows + 1];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            common[i][j] = if expected[i] == got[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let mut lines = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < rows || j < columns {
        if i < rows && j < columns && expected[i] == got[j] {
            i += 1;
            j += 1;
        } else if i < rows && (j == columns || common[i + 1][j] >= common[i][j + 1]) {
            lines.push(format!("  - {}", expected[i]));
            i += 1;
        } else {
            lines.push(format!("  + {}", got[j]));
            j += 1;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_output_has_no_difference() {
        assert_eq!(compare("a: 1\nb: 2\n", "a: 1\nb: 2\n", None), [""; 0]);
    }

    #[test]
    fn differing_missing_and_extra_lines_are_shown() {
        let found = compare("a: 1\nb: 2\nc: 3\n", "a: 1\nb: 9\nc: 3\nd: 4\n", None);
        assert_eq!(found, ["  - b: 2", "  + b: 9", "  + d: 4"]);
        assert_eq!(compare("a: 1\nb: 2\n", "a: 1\n", None), ["  - b: 2"]);
    }

    #[test]
    fn known_lines_may_fail_and_may_not_pass() {
        let known = BTreeMap::from([("b".to_owned(), "not built".to_owned())]);
        assert_eq!(compare("a: 1\nb: 2\n", "a: 1\nb: 9\n", Some(&known)), [""; 0]);
        assert_eq!(compare("a: 1\nb: 2\n", "a: 1\n", Some(&known)), [""; 0]);
        let found = compare("a: 1\nb: 2\n", "a: 1\nb: 2\n", Some(&known));
        assert!(found[0].contains("passes now"));
        assert!(compare("a: 1\n", "a: 1\n", Some(&known))[0].contains("no such check"));
    }

    #[test]
    fn warnings_count_when_a_header_is_to_blame() {
        let headers = Path::new("/p/include");
        assert!(header_warning("/p/include/transom/a.h:1:2: warning: x", headers));
        assert!(header_warning("a.c:1:2: warning: implicit declaration of function 'Set'", headers));
        assert!(!header_warning("a.c:1:2: warning: unused variable 'x'", headers));
        assert!(!header_warning("/p/include/transom/a.h:1:2: note: declared here", headers));
    }

    #[test]
    fn the_list_is_read() {
        let list = read_list("# head\na\nb\n! b x not built yet\n").unwrap();
        assert_eq!(list.programs, ["a", "b"]);
        assert_eq!(list.known["b"]["x"], "not built yet");
        for bad in ["a b\n", "! a x why\n", "a\n! a x\n", "a\n! a\n"] {
            assert!(read_list(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn our_own_programs_are_found_with_what_they_print() {
        let programs = own_programs().expect("the folder of programs");
        assert!(programs.len() >= 12);
        assert!(programs.iter().all(|program| program.expected.is_file()), "{programs:?}");
    }

    #[test]
    fn the_list_of_this_repository_is_well_formed() {
        let text = fs::read_to_string(root().join(LIST)).expect("the list exists");
        assert!(!read_list(&text).expect("the list is well formed").programs.is_empty());
    }
}
