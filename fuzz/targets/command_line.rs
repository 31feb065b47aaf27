//! Command lines: what was quoted is cut into the same words.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_core::command_line;

fuzz_target!(|bytes: &[u8]| {
    let words = command_line::split(bytes);
    let borrowed: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    assert_eq!(command_line::split(&command_line::quote(&borrowed)), words);
    for candidate in command_line::program(bytes) {
        assert!(!candidate.is_empty() && candidate.len() <= bytes.len());
    }
    let _ = command_line::check_length(bytes);
    // And the input as words.
    let words: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
    if command_line::is_program_word(words[0]) {
        assert_eq!(command_line::split(&command_line::quote(&words)), words);
    }
});
