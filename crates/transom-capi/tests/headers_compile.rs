//! Each header compiles alone, in C and C++, old and new, with every warning; and so do the ways in which
//! sources of Windows programs spell things.

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::{c, cplusplus, files, folder, headers, here, run};

/// What no header may provoke.
const STRICT: &[&str] =
    &["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wstrict-prototypes", "-Werror"];
/// The same without what does not exist in C++.
const STRICT_CPLUSPLUS: &[&str] = &["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror"];

/// A source for each header that includes nothing else.
fn sources(name: &str, ending: &str, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let folder = folder(name);
    let headers: Vec<String> =
        files(&headers(), &[".h"]).into_iter().filter(|header| wanted(header)).collect();
    assert!(headers.len() > 20, "all headers are found");
    let write = |header: String| {
        let source = folder.join(format!("{header}.{ending}"));
        let text = format!("#include <{header}>\nextern int nothing;\nint nothing;\n");
        std::fs::write(&source, text).expect("a source for the test");
        source
    };
    headers.into_iter().map(write).collect()
}

/// The compiler told where the headers are.
fn with_headers(mut compiler: Command, arguments: &[&str]) -> Command {
    compiler.args(arguments).arg("-I").arg(headers());
    compiler
}

#[test]
fn each_header_compiles_alone_in_c() {
    // The two of ATL are C++.
    let sources = sources("headers-c", "c", |header| !header.starts_with("atl"));
    for standard in ["-std=c99", "-std=c11", "-std=gnu17"] {
        for define in ["-DPLAIN", "-DUNICODE", "-DWIN32_LEAN_AND_MEAN"] {
            run(with_headers(c(), STRICT).args([standard, define]).args(&sources));
        }
    }
}

#[test]
fn each_header_compiles_alone_in_cplusplus() {
    let Some(compiler) = cplusplus() else {
        eprintln!("no C++ compiler: not looked at");
        return;
    };
    let program = compiler.get_program().to_owned();
    let sources = sources("headers-cplusplus", "cpp", |_| true);
    for standard in ["-std=c++11", "-std=c++17"] {
        run(with_headers(Command::new(&program), STRICT_CPLUSPLUS).arg(standard).args(&sources));
    }
}

#[test]
fn sources_of_windows_programs_compile() {
    let dialects = here("tests/c/dialects.c");
    let variants: &[&[&str]] = &[
        &["-std=c99"],
        &["-std=c11", "-DUNICODE", "-D_UNICODE"],
        &["-std=gnu99", "-DUNICODE", "-D_UNICODE", "-fshort-wchar"],
        &["-std=gnu11", "-DNONAMELESSUNION"],
        &["-std=gnu17", "-fshort-wchar"],
    ];
    for variant in variants {
        run(with_headers(c(), &["-fsyntax-only", "-Wall", "-Werror"]).args(*variant).arg(&dialects));
    }
    if let Some(compiler) = cplusplus() {
        run(with_headers(compiler, &["-fsyntax-only", "-Wall", "-Werror", "-std=c++14"])
            .arg(here("tests/c/overloads.cpp")));
    }
}

/// Sources spell some of the names with capitals. The repository has each file once, since it could not be checked
/// out where names differ by more than their case; `cargo xtask install` makes the other spellings.
#[test]
fn no_two_headers_differ_by_case_alone() {
    let mut names = files(&headers(), &[""]);
    assert!(names.contains(&"windows.h".to_owned()));
    names.iter_mut().for_each(|name| name.make_ascii_lowercase());
    names.sort();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
}
