//! The repository as the checks see it: relative paths and texts, nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}

/// The target folder in use: `CARGO_TARGET_DIR`, or `target` in the workspace.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// Text files by their path relative to the root, with forward slashes.
#[derive(Default)]
pub struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads every text file that git tracks or would add; without git, every file
    /// outside hidden and target folders. Files that are not UTF-8 are no text.
    pub fn read(root: &Path) -> std::io::Result<Tree> {
        let mut files = BTreeMap::new();
        for path in listed_by_git(root).map_or_else(|| walk(root), Ok)? {
            // A file may be listed and deleted at the same time.
            if let Ok(bytes) = std::fs::read(root.join(&path))
                && let Ok(text) = String::from_utf8(bytes)
            {
                files.insert(path, text);
            }
        }
        Ok(Tree { files })
    }

    /// A tree made of fixtures.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let owned = |(path, text): &(&str, &str)| ((*path).to_owned(), (*text).to_owned());
        Tree { files: files.iter().map(owned).collect() }
    }

    /// One file's text.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// All files, sorted by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(p, t)| (p.as_str(), t.as_str()))
    }

    /// All Rust sources.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(path, _)| path.ends_with(".rs"))
    }
}

fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    let listing = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()?;
    if !listing.status.success() || listing.stdout.is_empty() {
        return None;
    }
    let names = String::from_utf8(listing.stdout).ok()?;
    let names = names.split('\0').filter(|name| !name.is_empty());
    Some(names.map(str::to_owned).collect())
}

fn walk(root: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = match folder.as_str() {
                "" => name.clone(),
                folder => format!("{folder}/{name}"),
            };
            let kind = entry.file_type()?;
            let hidden = matches!(name.as_str(), ".git" | "target");
            if kind.is_dir() && !hidden {
                folders.push(path);
            } else if kind.is_file() {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// What a check has to say about one place.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
pub struct Finding {
    /// A path, with a line where there is one.
    pub place: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl Finding {
    /// A finding about a file.
    pub fn new(place: impl Into<String>, what: impl Into<String>) -> Finding {
        Finding { place: place.into(), what: what.into() }
    }

    /// A finding about a line of a file.
    pub fn at(path: &str, line: usize, what: impl Into<String>) -> Finding {
        Finding::new(format!("{path}:{line}"), what)
    }
}

/// One row of a list file: a key and the reason it is there.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    /// The line, from 1.
    pub line: usize,
    /// The first word.
    pub key: String,
    /// The rest of the line.
    pub reason: String,
}

/// Reads a list file: a key and a reason on each line, `#` begins a comment line.
pub fn listed(text: &str) -> Vec<Listed> {
    let rows = text.lines().enumerate();
    let rows = rows.map(|(n, line)| (n + 1, line.trim()));
    let rows = rows.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    rows.map(|(line, row)| {
        let (key, reason) = row.split_once(char::is_whitespace).unwrap_or((row, ""));
        Listed { line, key: key.to_owned(), reason: reason.trim().to_owned() }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_of_this_repository_holds_this_file() {
        let tree = Tree::read(&root()).expect("the repository can be read");
        assert!(tree.text("xtask/src/repo.rs").is_some());
        assert!(tree.text("Cargo.toml").is_some());
        assert!(!tree.iter().any(|(path, _)| path.starts_with("target/")));
    }

    #[test]
    fn walking_finds_what_git_lists() {
        let walked = walk(&root().join("xtask")).expect("the folder can be read");
        assert!(walked.contains(&"src/repo.rs".to_owned()));
    }

    #[test]
    fn lists_have_keys_and_reasons() {
        let rows = listed("# head\n\na/b.rs  because of c\nd.rs");
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].line, rows[0].key.as_str()), (3, "a/b.rs"));
        assert_eq!(rows[0].reason, "because of c");
        assert_eq!(rows[1].reason, "");
    }
}
