use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use transom_core::command_line::*;

/// Bytes in which the special ones are frequent.
fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        6 => select(b"\"\\ \tab".to_vec()),
        1 => any::<u8>(),
    ];
    vec(byte, 0..max)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Rules R9 to R13 once more, byte by byte with the run of backslashes as state.
fn naive_words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let (mut quoted, mut slashes, mut at) = (false, 0, 0);
    while at < line.len() {
        let byte = line[at];
        at += 1;
        if byte == b'\\' {
            slashes += 1;
            word.get_or_insert_default().push(byte);
            continue;
        }
        if byte == b'"' {
            let word = word.get_or_insert_default();
            // The backslashes were written as they came; take half of them back.
            word.truncate(word.len() - slashes / 2 - slashes % 2);
            if slashes % 2 == 1 {
                word.push(b'"');
            } else if quoted && line.get(at) == Some(&b'"') {
                word.push(b'"');
                at += 1;
            } else {
                quoted = !quoted;
            }
        } else if is_blank(byte) && !quoted {
            words.extend(word.take());
        } else {
            word.get_or_insert_default().push(byte);
        }
        slashes = 0;
    }
    words.extend(word);
    words
}

proptest! {
    /// R14
    #[test]
    fn quoted_words_come_back_exactly(
        first in bytes(8).prop_filter("can be first", |word| is_program_word(word)),
        rest in vec(bytes(8), 0..6),
    ) {
        let mut args: Vec<&[u8]> = vec![&first];
        args.extend(rest.iter().map(Vec::as_slice));
        prop_assert_eq!(split(&quote(&args)), args);
    }

    /// A first word that cannot be written does not disturb the others.
    #[test]
    fn the_other_words_come_back_whatever_the_first_is(first in bytes(8), rest in vec(bytes(8), 0..4)) {
        let mut args: Vec<&[u8]> = vec![&first];
        args.extend(rest.iter().map(Vec::as_slice));
        prop_assert_eq!(&split(&quote(&args))[1..], &rest[..]);
    }

    /// R9 to R13
    #[test]
    fn words_are_those_of_the_byte_by_byte_reading(line in bytes(24)) {
        let mut whole = b"x ".to_vec();
        whole.extend(&line);
        prop_assert_eq!(&split(&whole)[1..], &naive_words(&line)[..]);
    }

    /// R8
    #[test]
    fn there_is_always_a_first_word(line in bytes(24)) {
        let words = split(&line);
        prop_assert!(!words.is_empty());
        prop_assert!(is_program_word(&words[0]));
    }

    #[test]
    fn cutting_and_quoting_settle(line in bytes(24)) {
        let words = split(&line);
        let args: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(split(&quote(&args)), words);
    }

    /// R2
    #[test]
    fn candidates_grow_word_by_word_along_the_line(line in bytes(24)) {
        let start = line.iter().position(|&byte| !is_blank(byte)).unwrap_or(line.len());
        let trimmed = &line[start..];
        let candidates = program(&line);
        if trimmed.starts_with(b"\"") {
            prop_assert!(candidates.len() <= 1);
            let first = split(trimmed).swap_remove(0);
            prop_assert_eq!(candidates, if first.is_empty() { vec![] } else { vec![first] });
            return Ok(());
        }
        let words = trimmed.split(|&byte| is_blank(byte)).filter(|word| !word.is_empty()).count();
        prop_assert_eq!(candidates.len(), words);
        for pair in candidates.windows(2) {
            prop_assert!(pair[1].starts_with(&pair[0]));
        }
        for candidate in &candidates {
            prop_assert!(trimmed.starts_with(candidate));
            prop_assert!(!is_blank(candidate[candidate.len() - 1]));
        }
    }
}
