//! Command lines: one string in, words out, and back (process.md, rules R2 and R8 to R14).
//!
//! A Windows process gets one string. Its C runtime cuts that into words, and both ends have to
//! agree on how:
//!
//! ```text
//!   "C:\my app\x.exe" one "two words" a\"b "c:\dir\\" ""
//!   └── first word ──┘ │       │       │       │      └ an empty argument      R10
//!    special, R8       │       │       │       └ c:\dir\                       R11
//!                      │       │       └ a"b                                   R11
//!                      plain   blanks inside quotes                            R9
//! ```
//!
//! The first word is the program: quotes only at its start, backslashes are plain (R8). In the
//! others a quote opens or closes a quoted stretch anywhere (R10), backslashes count only in front
//! of a quote (R11), two quotes inside a stretch are one plain quote (R13). A blank is a space or a
//! tab; nothing else is special (R12).
//!
//! Everything is bytes in the form of [`crate::text`]; no byte of a multi-byte character can be
//! taken for a blank, a quote or a backslash.

use alloc::vec::Vec;

use crate::code::Code;
use crate::text;

/// The longest command line, in 16-bit units without the final NUL.
pub const MAX_CHARS: usize = 32767;

/// The longest name that [`program`] tries of an unquoted line, in bytes: no system opens longer
/// paths, and a line of nothing but blanks must not become thousands of candidates.
const MAX_CANDIDATE: usize = 4096;

/// The length check of `CreateProcess` (section 2).
///
/// # Errors
///
/// `ERROR_FILENAME_EXCED_RANGE` for more than [`MAX_CHARS`] 16-bit units.
pub fn check_length(line: &[u8]) -> Result<(), Code> {
    if line.len() > MAX_CHARS && text::utf16_len(line) > MAX_CHARS {
        return Err(Code::FILENAME_EXCED_RANGE);
    }
    Ok(())
}

/// Cuts a command line into words, the program's first (R8 to R13).
///
/// There is always at least one word; of an empty line it is empty.
#[must_use]
pub fn split(line: &[u8]) -> Vec<Vec<u8>> {
    let (first, mut rest) = split_first(line);
    let mut words = Vec::new();
    words.push(first.to_vec());
    while let Some((word, after)) = next_word(rest) {
        words.push(word);
        rest = after;
    }
    words
}

/// Puts words together so that [`split`] gives exactly them again (R14).
///
/// The first word has to satisfy [`is_program_word`]; quotes in one that does not are left out,
/// since no command line can carry them.
#[must_use]
pub fn quote(args: &[&[u8]]) -> Vec<u8> {
    let mut line = Vec::new();
    let Some((first, rest)) = args.split_first() else {
        return line;
    };
    let plain = !first.is_empty() && !first.starts_with(b"\"") && !first.iter().any(is_blank);
    if plain {
        line.extend_from_slice(first);
    } else {
        line.push(b'"');
        line.extend(first.iter().copied().filter(|&byte| byte != b'"'));
        line.push(b'"');
    }
    for arg in rest {
        line.push(b' ');
        push_quoted(&mut line, arg);
    }
    line
}

/// Whether a word can be the first one of a command line: it has no quote at all, or no blank and
/// no quote at its start (R8).
#[must_use]
pub fn is_program_word(word: &[u8]) -> bool {
    !word.contains(&b'"') || (!word.starts_with(b"\"") && !word.iter().any(is_blank))
}

/// The programs a command line may mean when no application name is given, in the order in which
/// they are tried (R2).
///
/// A quoted first word is the only candidate. Without quotes the name may contain blanks, so it is
/// tried word by word: `c:\my app\x y` gives `c:\my`, `c:\my app\x`, `c:\my app\x y`. Blanks in
/// front are skipped. An empty line has no candidate, and an unquoted one none beyond 4096 bytes.
#[must_use]
pub fn program(line: &[u8]) -> Vec<Vec<u8>> {
    let line = skip_blanks(line);
    let mut candidates = Vec::new();
    if line.starts_with(b"\"") {
        let (word, _) = split_first(line);
        if !word.is_empty() {
            candidates.push(word.to_vec());
        }
        return candidates;
    }
    for end in 1..=line.len().min(MAX_CANDIDATE) {
        let at_end_of_word = line.get(end).is_none_or(is_blank) && !is_blank(&line[end - 1]);
        if at_end_of_word {
            candidates.push(line[..end].to_vec());
        }
    }
    candidates
}

/// The first word by its own rule (R8), and what follows it.
fn split_first(line: &[u8]) -> (&[u8], &[u8]) {
    if let Some(quoted) = line.strip_prefix(b"\"") {
        let end = quoted.iter().position(|&byte| byte == b'"').unwrap_or(quoted.len());
        let after = quoted.get(end + 1..).unwrap_or_default();
        return (&quoted[..end], after);
    }
    let end = line.iter().position(is_blank).unwrap_or(line.len());
    line.split_at(end)
}

/// The next word by the rules for all but the first, and what follows it; `None` at the end.
fn next_word(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = skip_blanks(line);
    if rest.is_empty() {
        return None;
    }
    let mut word = Vec::new();
    let mut quoted = false;
    loop {
        let slashes = rest.iter().take_while(|&&byte| byte == b'\\').count();
        let after = &rest[slashes..];
        match after {
            // R11: half of the backslashes are meant, and an odd one makes the quote plain.
            [b'"', behind @ ..] => {
                word.extend(core::iter::repeat_n(b'\\', slashes / 2));
                rest = behind;
                if slashes % 2 == 1 {
                    word.push(b'"');
                } else if let (true, [b'"', behind @ ..]) = (quoted, behind) {
                    // R13: the stretch goes on behind the pair.
                    word.push(b'"');
                    rest = behind;
                } else {
                    quoted = !quoted;
                }
            }
            [byte, behind @ ..] => {
                word.extend(core::iter::repeat_n(b'\\', slashes));
                if is_blank(byte) && !quoted {
                    return Some((word, after));
                }
                word.push(*byte);
                rest = behind;
            }
            // R10: an unclosed quote runs to the end.
            [] => {
                word.extend(core::iter::repeat_n(b'\\', slashes));
                return Some((word, after));
            }
        }
    }
}

fn push_quoted(line: &mut Vec<u8>, arg: &[u8]) {
    let plain = !arg.is_empty() && !arg.iter().any(|byte| *byte == b'"' || is_blank(byte));
    if plain {
        line.extend_from_slice(arg);
        return;
    }
    line.push(b'"');
    let mut slashes = 0;
    for &byte in arg {
        if byte == b'"' {
            // Doubles the backslashes in front of the quote and adds its own.
            line.extend(core::iter::repeat_n(b'\\', slashes + 1));
        }
        slashes = if byte == b'\\' { slashes + 1 } else { 0 };
        line.push(byte);
    }
    line.extend(core::iter::repeat_n(b'\\', slashes));
    line.push(b'"');
}

fn skip_blanks(line: &[u8]) -> &[u8] {
    let end = line.iter().position(|byte| !is_blank(byte)).unwrap_or(line.len());
    &line[end..]
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    /// The words after the program, each in brackets, as the conformance program prints them.
    fn tail(text: &str) -> String {
        let line = alloc::format!("\"p q\" {text}");
        let mut shown = String::new();
        for word in &split(line.as_bytes())[1..] {
            shown.push('[');
            shown.push_str(core::str::from_utf8(word).expect("text stays text"));
            shown.push(']');
        }
        shown
    }

    fn first(line: &str) -> Vec<u8> {
        split(line.as_bytes()).swap_remove(0)
    }

    /// R9
    #[test]
    fn words_are_separated_by_blanks_and_tabs() {
        assert_eq!(tail(""), "");
        assert_eq!(tail("one two three"), "[one][two][three]");
        assert_eq!(tail("  a    b  "), "[a][b]");
        assert_eq!(tail("a\tb\t\tc"), "[a][b][c]");
        assert_eq!(tail("\"a b\" c"), "[a b][c]");
    }

    /// R10
    #[test]
    fn a_quote_opens_or_closes_a_stretch_anywhere() {
        assert_eq!(tail("a\"b c\"d"), "[ab cd]");
        assert_eq!(tail("\"\" x \"\""), "[][x][]");
        assert_eq!(tail("\"a b c"), "[a b c]");
        assert_eq!(tail("\""), "[]");
        assert_eq!(tail("a\"\"b"), "[ab]");
    }

    /// R11
    #[test]
    fn backslashes_count_only_in_front_of_a_quote() {
        assert_eq!(tail(r#"a\"b"#), "[a\"b]");
        assert_eq!(tail(r#""say \"hi\" now""#), "[say \"hi\" now]");
        assert_eq!(tail(r"c:\dir\file \\server\share"), r"[c:\dir\file][\\server\share]");
        assert_eq!(tail(r#""c:\dir\\" next"#), r"[c:\dir\][next]");
        assert_eq!(tail(r#"a\\"b c""#), r"[a\b c]");
        assert_eq!(tail(r#"a\\\"b c"#), r#"[a\"b][c]"#);
        assert_eq!(tail(r#""a\\\\" b"#), r"[a\\][b]");
        assert_eq!(tail(r"a\"), r"[a\]");
        assert_eq!(tail(r"a\ b\"), r"[a\][b\]");
    }

    /// R12
    #[test]
    fn there_is_no_shell() {
        assert_eq!(tail("'a b' c"), "['a][b'][c]");
        assert_eq!(tail("a&b c|d <e> ^f $g `h` !i; (j)"), "[a&b][c|d][<e>][^f][$g][`h`][!i;][(j)]");
        assert_eq!(tail("%PATH% 100% *.c a\nb"), "[%PATH%][100%][*.c][a\nb]");
    }

    /// R13
    #[test]
    fn two_quotes_inside_a_stretch_are_one_and_do_not_leave_it() {
        assert_eq!(tail(r#""a""b c" d"#), r#"[a"b c][d]"#);
        assert_eq!(tail(r#""""a b" c"#), r#"["a b][c]"#);
        assert_eq!(tail(r#""a\\""b c""#), r#"[a\"b c]"#);
    }

    /// R8
    #[test]
    fn the_first_word_has_plain_backslashes_and_quotes_only_at_its_start() {
        assert_eq!(first(r#""c:\my app\" next"#), br"c:\my app\");
        assert_eq!(first(r#"c:\app\x.exe "a b""#), br"c:\app\x.exe");
        assert_eq!(first(r#"a"b c"d"#), br#"a"b"#);
        assert_eq!(first(r#""unclosed to the end"#), b"unclosed to the end");
        assert_eq!(first(""), b"");
        assert_eq!(first(" a"), b"");
        assert_eq!(split(b"\"a\"b c"), [&b"a"[..], b"b", b"c"]);
        assert_eq!(split(b"\t\t"), [b""]);
    }

    /// R14: what the launcher hands over is cut into the same words.
    #[test]
    fn quoted_words_come_back() {
        let args: [&[u8]; 12] = [
            b"/opt/my app/x",
            b"",
            b"a b",
            b"\"",
            b"\\",
            b"\\\"",
            b"a b\\",
            b"a b\\\\",
            b"c:\\x y\\\" z",
            b"\t",
            b"\xFF\n",
            b"\"\"\"",
        ];
        assert_eq!(split(&quote(&args)), args);
    }

    #[test]
    fn plain_words_stay_readable() {
        assert_eq!(quote(&[b"x", b"one", b"c:\\dir\\", b"--a=b"]), b"x one c:\\dir\\ --a=b");
        assert_eq!(quote(&[b"a b", b"c d"]), b"\"a b\" \"c d\"");
        assert_eq!(quote(&[]), b"");
        assert_eq!(quote(&[b""]), b"\"\"");
    }

    /// R8 leaves no way to write a quote into a quoted first word.
    #[test]
    fn a_first_word_that_cannot_be_written_loses_its_quotes() {
        assert!(is_program_word(b"a\"b"));
        assert!(is_program_word(b"a b"));
        assert!(is_program_word(b""));
        assert!(!is_program_word(b"a\" b"));
        assert!(!is_program_word(b"\"a"));
        assert_eq!(split(&quote(&[b"a\" b", b"c"])), [&b"a b"[..], b"c"]);
    }

    /// R2: unquoted paths with blanks are tried word by word.
    #[test]
    fn an_unquoted_program_is_tried_word_by_word() {
        assert_eq!(
            program(b"c:\\program files\\sub dir\\name"),
            [&b"c:\\program"[..], b"c:\\program files\\sub", b"c:\\program files\\sub dir\\name"]
        );
        assert_eq!(program(b"  ls  -l "), [&b"ls"[..], b"ls  -l"]);
        assert_eq!(program(b"ls"), [b"ls"]);
    }

    /// R2: quotes are respected.
    #[test]
    fn a_quoted_program_is_the_only_candidate() {
        assert_eq!(program(b"\"c:\\my app\\x\" y z"), [b"c:\\my app\\x"]);
        assert_eq!(program(b" \"a b"), [b"a b"]);
        assert!(program(b"\"\" x").is_empty());
        assert!(program(b"").is_empty());
        assert!(program(b" \t ").is_empty());
    }

    #[test]
    fn a_line_of_many_short_words_has_a_bounded_number_of_candidates() {
        let line = "a ".repeat(MAX_CHARS / 2);
        let candidates = program(line.as_bytes());
        assert_eq!(candidates.len(), MAX_CANDIDATE / 2);
        assert!(candidates.iter().all(|name| name.len() <= MAX_CANDIDATE));
    }

    /// Section 2: longer than 32767 characters is 206.
    #[test]
    fn the_length_is_counted_in_16_bit_units() {
        assert_eq!(check_length("ä".repeat(MAX_CHARS).as_bytes()), Ok(()));
        let longer = "ä".repeat(MAX_CHARS + 1);
        assert_eq!(check_length(longer.as_bytes()), Err(Code::FILENAME_EXCED_RANGE));
        assert_eq!(check_length("🦀".repeat(16383).as_bytes()), Ok(()));
        assert_eq!(check_length("🦀".repeat(16384).as_bytes()), Err(Code::FILENAME_EXCED_RANGE));
    }
}
