//! Reading Rust sources without a compiler: what is code, what is comment, what is test.
//!
//! The checks ask simple questions ("does this file name that module?"), and a string or
//! a comment must not answer them. So a source is first separated into two texts of the
//! same shape as the original, in which everything of the other sort is blank: positions
//! and line numbers mean the same in all three.

use std::ops::Range;

/// A source file taken apart; both texts have the length and the lines of the original.
pub struct Source {
    /// Code alone: comments, and the contents of string and character literals, are blank.
    pub code: String,
    /// Comments alone, their slashes included.
    pub comments: String,
}

/// Separates code from comments.
pub fn split(text: &str) -> Source {
    let bytes = text.as_bytes();
    let mut code = blank(bytes);
    let mut comments = blank(bytes);
    let mut at = 0;
    while at < bytes.len() {
        let piece = next_piece(bytes, at);
        let target = match piece.sort {
            Sort::Comment => Some(&mut comments),
            Sort::Code => Some(&mut code),
            Sort::Literal => None,
        };
        if let Some(target) = target {
            for (to, from) in target[at..piece.end].iter_mut().zip(&bytes[at..piece.end]) {
                if from.is_ascii() {
                    *to = *from;
                }
            }
        } else {
            // The quotes stay, so that `"a" "b"` does not become one word.
            code[at] = b'"';
            code[piece.end - 1] = b'"';
        }
        at = piece.end;
    }
    Source { code: ascii(code), comments: ascii(comments) }
}

/// Spaces of the same length, line ends kept.
fn blank(bytes: &[u8]) -> Vec<u8> {
    let space = |b: &u8| if *b == b'\n' { b'\n' } else { b' ' };
    bytes.iter().map(space).collect()
}

fn ascii(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("only ASCII bytes were copied")
}

enum Sort {
    Code,
    Comment,
    Literal,
}

struct Piece {
    sort: Sort,
    end: usize,
}

/// The piece that begins at `at`: a whole comment, a whole literal, a whole word, or one
/// byte of other code.
fn next_piece(bytes: &[u8], at: usize) -> Piece {
    let rest = &bytes[at..];
    let piece = |sort, length: usize| Piece { sort, end: (at + length).min(bytes.len()) };
    if rest.starts_with(b"//") {
        let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        return piece(Sort::Comment, length);
    }
    if rest.starts_with(b"/*") {
        return piece(Sort::Comment, block_comment(rest));
    }
    if rest[0] == b'"' {
        return piece(Sort::Literal, quoted(rest, b'"'));
    }
    if rest[0] == b'\'' {
        return match character(rest) {
            Some(length) => piece(Sort::Literal, length),
            None => piece(Sort::Code, 1),
        };
    }
    if is_word(rest[0]) {
        let word = rest.iter().position(|b| !is_word(*b)).unwrap_or(rest.len());
        return match prefixed_literal(rest, word) {
            Some(length) => piece(Sort::Literal, length),
            None => piece(Sort::Code, word),
        };
    }
    piece(Sort::Code, 1)
}

/// Whether a byte can stand in an identifier or a number.
pub fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// Length of a block comment; they nest in Rust.
fn block_comment(rest: &[u8]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Length of a literal with escapes that begins and ends with `quote`.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b if b == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of a character literal, or `None` for a lifetime.
fn character(rest: &[u8]) -> Option<usize> {
    match rest.get(1)? {
        b'\\' => Some(quoted(rest, b'\'')),
        first => {
            let width = match first {
                0xf0.. => 4,
                0xe0.. => 3,
                0xc0.. => 2,
                _ => 1,
            };
            (rest.get(1 + width) == Some(&b'\'')).then_some(width + 2)
        }
    }
}

/// Length of a literal such as `b"…"`, `r#"…"#` or `b'…'` whose prefix is `word` long.
fn prefixed_literal(rest: &[u8], word: usize) -> Option<usize> {
    let prefix = &rest[..word];
    let raw = matches!(prefix, b"r" | b"br" | b"cr");
    let plain = matches!(prefix, b"b" | b"c");
    let next = *rest.get(word)?;
    if plain && next == b'"' {
        return Some(word + quoted(&rest[word..], b'"'));
    }
    if prefix == b"b" && next == b'\'' {
        return Some(word + quoted(&rest[word..], b'\''));
    }
    if !raw {
        return None;
    }
    let hashes = rest[word..].iter().take_while(|b| **b == b'#').count();
    let open = word + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let body = open + 1;
    let end = rest[body..].windows(close.len()).position(|w| w == close);
    Some(end.map_or(rest.len(), |end| body + end + close.len()))
}

/// The line number, from 1, of a position.
pub fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1
}

/// Where `word` stands in code as a whole word.
pub fn find_words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let bytes = code.as_bytes();
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = at.checked_sub(1).is_none_or(|i| !is_word(bytes[i]));
        let after = bytes.get(at + word.len()).is_none_or(|b| !is_word(*b));
        before && after
    })
}

/// The end of the bracketed stretch that opens at `open`, one behind its closing bracket.
pub fn closing(code: &str, open: usize) -> usize {
    let bytes = code.as_bytes();
    let mut depth = 0usize;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    bytes.len()
}

/// The stretches of a file that exist for tests only: items under an attribute whose
/// condition names `test`, attribute included.
pub fn test_parts(code: &str) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for at in find_words(code, "cfg") {
        let inside_earlier = parts.last().is_some_and(|part| at < part.end);
        if inside_earlier || !code[..at].ends_with("#[") {
            continue;
        }
        let attribute = at - 2..closing(code, at - 1);
        let condition = &code[attribute.clone()];
        let negated = find_words(condition, "not").next().is_some();
        if negated || find_words(condition, "test").next().is_none() {
            continue;
        }
        parts.push(attribute.start..item_end(code, attribute.end));
    }
    parts
}

/// The end of the item that follows `at`: behind its block, or behind its semicolon.
fn item_end(code: &str, at: usize) -> usize {
    let bytes = code.as_bytes();
    let mut at = at;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => return closing(code, at),
            b';' => return at + 1,
            b'(' | b'[' => at = closing(code, at),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `text` with the given stretches blank.
pub fn without(text: &str, parts: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for part in parts {
        for byte in &mut bytes[part.clone()] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let source = split("let a = \"use x::y\"; // use z::w\nb /* c /* d */ e */ f");
        assert!(!source.code.contains("x::y"));
        assert!(!source.code.contains("z::w"));
        assert!(source.comments.contains("use z::w"));
        assert!(source.comments.contains("d */ e"));
        assert!(source.code.contains('f'));
    }

    #[test]
    fn both_texts_keep_positions_and_lines() {
        let text = "a\n// é\n\"x\ny\" b";
        let source = split(text);
        assert_eq!(source.code.len(), text.len());
        assert_eq!(source.comments.len(), text.len());
        assert_eq!(source.code.find('b'), text.find('b'));
        assert_eq!(line_of(text, text.len()), 4);
    }

    #[test]
    fn raw_strings_end_at_their_own_number_of_hashes() {
        let source = split(r####"r##"a "# unsafe"## done br"\" end"####);
        assert!(!source.code.contains("unsafe"));
        assert!(source.code.contains("done"));
        assert!(source.code.contains("end"));
    }

    #[test]
    fn lifetimes_are_code_and_characters_are_not() {
        let source = split("fn f<'a>(x: &'a str) { '\"'; '\\''; b'\"'; 'é'; g }");
        assert!(source.code.contains("&'a str"));
        assert!(source.code.contains("g }"));
    }

    #[test]
    fn raw_identifiers_are_code() {
        assert!(split("r#type x").code.contains("r#type x"));
    }

    #[test]
    fn whole_words_only() {
        let found: Vec<_> = find_words("unsafe unsafe_code (unsafe)", "unsafe").collect();
        assert_eq!(found, [0, 20]);
    }

    #[test]
    fn test_modules_are_found_with_their_bodies() {
        let code = "fn a() {}\n#[cfg(test)]\n#[path = \"\"]\nmod tests { fn b() { {} } }\nfn c() {}";
        let parts = test_parts(code);
        assert_eq!(parts.len(), 1);
        let inside = &code[parts[0].clone()];
        assert!(inside.contains("fn b") && !inside.contains("fn c"));
        let outside = without(code, &parts);
        assert!(outside.contains("fn a") && outside.contains("fn c"));
        assert!(!outside.contains("fn b"));
    }

    #[test]
    fn code_that_exists_outside_tests_is_no_test() {
        assert!(test_parts("#[cfg(not(test))] mod real { }").is_empty());
        assert_eq!(test_parts("#[cfg(all(test, unix))] mod tests;").len(), 1);
    }
}
