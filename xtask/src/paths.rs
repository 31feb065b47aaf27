//! The paths a source names: `use` trees written out, and paths within expressions.

use crate::source::{is_word, line_of};

/// One path, as segments, with `self`, `super` and `crate` resolved to module names.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Path {
    /// The line the path begins on, from 1.
    pub line: usize,
    /// For paths within the crate the first segment is `crate`.
    pub segments: Vec<String>,
}

impl Path {
    /// Whether the path begins with these segments.
    pub fn begins(&self, prefix: &[&str]) -> bool {
        self.segments.len() >= prefix.len() && self.segments.iter().zip(prefix).all(|(a, b)| a == b)
    }

    /// Whether a segment has this name.
    pub fn names(&self, segment: &str) -> bool {
        self.segments.iter().any(|s| s == segment)
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.segments.join("::"))
    }
}

/// The module that a file holds, by its place below `src`: `mapping/linux.rs` is
/// `["mapping", "linux"]`, `mapping/mod.rs` is `["mapping"]`, `lib.rs` is the root.
pub fn module_of(below_src: &str) -> Vec<String> {
    let stem = below_src.trim_end_matches(".rs");
    let mut module: Vec<String> = stem.split('/').map(str::to_owned).collect();
    let root = module.len() == 1 && matches!(stem, "lib" | "main");
    if root || module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// All paths in `code`, which holds neither comments nor literals (see `source::split`).
/// A single name is a path only inside a `use`.
pub fn paths(code: &str, module: &[String]) -> Vec<Path> {
    let mut reader =
        Reader { tokens: tokens(code), at: 0, scope: module.to_vec(), opened: Vec::new(), found: Vec::new() };
    reader.read();
    let line = |at| line_of(code, at);
    let found = reader.found.into_iter();
    found.map(|(at, segments)| Path { line: line(at), segments }).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Token<'a> {
    Word(&'a str),
    Colons,
    Mark(u8),
}

fn tokens(code: &str) -> Vec<(usize, Token<'_>)> {
    let bytes = code.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        if is_word(bytes[at]) {
            while at < bytes.len() && is_word(bytes[at]) {
                at += 1;
            }
            tokens.push((start, Token::Word(&code[start..at])));
        } else if bytes[at..].starts_with(b"::") {
            at += 2;
            tokens.push((start, Token::Colons));
        } else {
            at += 1;
            if !bytes[start].is_ascii_whitespace() {
                tokens.push((start, Token::Mark(bytes[start])));
            }
        }
    }
    tokens
}

struct Reader<'a> {
    tokens: Vec<(usize, Token<'a>)>,
    at: usize,
    /// The module the reader is in; inline modules are pushed and popped.
    scope: Vec<String>,
    /// For each open brace: did it open an inline module?
    opened: Vec<bool>,
    found: Vec<(usize, Vec<String>)>,
}

impl<'a> Reader<'a> {
    fn peek(&self, ahead: usize) -> Option<Token<'a>> {
        self.tokens.get(self.at + ahead).map(|(_, token)| *token)
    }

    fn read(&mut self) {
        while let Some(token) = self.peek(0) {
            match token {
                Token::Word("use") => {
                    self.at += 1;
                    self.tree(&[], true);
                }
                Token::Word("mod") if self.peek(2) == Some(Token::Mark(b'{')) => {
                    if let Some(Token::Word(name)) = self.peek(1) {
                        self.scope.push(name.to_owned());
                    }
                    self.opened.push(true);
                    self.at += 3;
                }
                Token::Word(_) => self.tree(&[], false),
                Token::Mark(b'{') => {
                    self.opened.push(false);
                    self.at += 1;
                }
                Token::Mark(b'}') => {
                    if self.opened.pop() == Some(true) {
                        self.scope.pop();
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
    }

    /// Reads one path or tree and records it behind `prefix`.
    fn tree(&mut self, prefix: &[&'a str], in_use: bool) {
        let start = self.tokens.get(self.at).map_or(0, |(at, _)| *at);
        let mut segments = prefix.to_vec();
        if self.peek(0) == Some(Token::Colons) {
            self.at += 1;
        }
        loop {
            match self.peek(0) {
                Some(Token::Word(word)) => {
                    segments.push(word);
                    self.at += 1;
                }
                Some(Token::Mark(b'{')) if in_use => {
                    self.group(&segments);
                    return;
                }
                Some(Token::Mark(b'*')) if in_use => {
                    segments.push("*");
                    self.at += 1;
                }
                _ => break,
            }
            let more = match self.peek(1) {
                Some(Token::Word(_)) => true,
                Some(Token::Mark(b'{' | b'*')) => in_use,
                _ => false,
            };
            if self.peek(0) != Some(Token::Colons) || !more {
                break;
            }
            self.at += 1;
        }
        if in_use && self.peek(0) == Some(Token::Word("as")) {
            self.at += 2;
        }
        if segments.len() > 1 || (in_use && !segments.is_empty()) {
            let segments = self.resolve(&segments);
            self.found.push((start, segments));
        } else if segments.is_empty() {
            // Nothing was read: step over the token, or the reader would stand still.
            self.at += 1;
        }
    }

    fn group(&mut self, prefix: &[&'a str]) {
        self.at += 1;
        loop {
            match self.peek(0) {
                None => return,
                Some(Token::Mark(b'}')) => {
                    self.at += 1;
                    return;
                }
                Some(Token::Mark(b',')) => self.at += 1,
                Some(_) => self.tree(prefix, true),
            }
        }
    }

    fn resolve(&self, segments: &[&str]) -> Vec<String> {
        let mut base: Option<Vec<String>> = None;
        let mut rest = segments;
        while let Some((first, tail)) = rest.split_first() {
            match *first {
                "crate" => base = Some(Vec::new()),
                "self" if base.is_none() => base = Some(self.scope.clone()),
                "self" => {}
                "super" => {
                    let mut up = base.unwrap_or_else(|| self.scope.clone());
                    up.pop();
                    base = Some(up);
                }
                _ => break,
            }
            rest = tail;
        }
        // `mod::{self, x}` names the module itself.
        let rest = rest.iter().filter(|s| **s != "self").map(|s| (*s).to_owned());
        match base {
            Some(base) => std::iter::once("crate".to_owned()).chain(base).chain(rest).collect(),
            None => rest.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(code: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<String> = module.iter().map(|s| (*s).to_owned()).collect();
        paths(code, &module).iter().map(Path::to_string).collect()
    }

    #[test]
    fn use_trees_are_written_out() {
        assert_eq!(
            named("use a::{b, c::{self, d as e}, f::*}; use g;", &[]),
            ["a::b", "a::c", "a::c::d", "a::f::*", "g"]
        );
    }

    #[test]
    fn expressions_are_read_and_generics_end_a_path() {
        assert_eq!(
            named("fn f(x: std::io::Result<u8>) { a::b(c.d, e::<F>()) }", &[]),
            ["std::io::Result", "a::b"]
        );
    }

    #[test]
    fn relative_paths_are_resolved() {
        assert_eq!(
            named("use super::x; use self::y; use crate::z;", &["mapping", "linux"]),
            ["crate::mapping::x", "crate::mapping::linux::y", "crate::z"]
        );
    }

    #[test]
    fn inline_modules_are_a_level_of_their_own() {
        assert_eq!(
            named("mod t { use super::a; fn f() { super::super::b::c() } } use super::d;", &["m", "n"]),
            ["crate::m::n::a", "crate::m::b::c", "crate::m::d"]
        );
    }

    #[test]
    fn leading_colons_and_lines() {
        let found = paths("\n\nuse ::libc::pid_t;", &[]);
        assert_eq!(found[0].line, 3);
        assert!(found[0].begins(&["libc"]));
        assert!(found[0].names("pid_t"));
    }

    #[test]
    fn files_know_their_module() {
        assert!(module_of("lib.rs").is_empty());
        assert_eq!(module_of("mapping/mod.rs"), ["mapping"]);
        assert_eq!(module_of("mapping/linux.rs"), ["mapping", "linux"]);
        assert_eq!(module_of("error.rs"), ["error"]);
    }
}
