//! Sizes, places of members, constants and error codes are those of Windows' headers.

mod common;

use common::{c, folder, headers, here, run, text};

/// Compiles a program against the headers, runs it and compares what it prints.
fn prints_what_windows_prints(name: &str) {
    let program = folder(&format!("layout-{name}")).join(name);
    let source = here("tests/c").join(name);
    run(c()
        .args(["-std=c99", "-Wall", "-Werror", "-I"])
        .arg(headers())
        .arg(source.with_extension("c"))
        .arg("-o")
        .arg(&program));
    let printed = run(&mut std::process::Command::new(&program));
    let expected = text(&source.with_extension("expected"));
    for (printed, expected) in printed.lines().zip(expected.lines()) {
        assert_eq!(printed, expected);
    }
    assert_eq!(printed.lines().count(), expected.lines().count());
}

#[test]
fn types_lie_in_memory_as_on_windows() {
    prints_what_windows_prints("layout");
}

#[test]
fn constants_have_their_values() {
    prints_what_windows_prints("constants");
}

#[test]
fn error_codes_have_their_numbers() {
    prints_what_windows_prints("errors");
}
