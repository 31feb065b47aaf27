//! The C++ class of atlfile.h against the built library: rules A1 to A13, all in tests/c/atl.cpp.

mod common;

use std::process::Command;

use common::{cplusplus, folder, headers, here, library, run};

#[test]
fn the_mapping_class_keeps_its_rules() {
    let Some(mut compiler) = cplusplus() else {
        eprintln!("no C++ compiler: not looked at");
        return;
    };
    let folder = folder("atl");
    let program = folder.join("atl");
    let libraries = library();
    run(compiler
        .args(["-std=c++11", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(headers())
        .arg(here("tests/c/atl.cpp"))
        .arg("-o")
        .arg(&program)
        .arg("-L")
        .arg(&libraries)
        .arg("-ltransom_c"));
    std::os::unix::fs::symlink(libraries.join("libtransom_c.so"), folder.join("libtransom.so.0"))
        .expect("a link to the library");
    let output = Command::new(&program)
        .current_dir(&folder)
        .env("LD_LIBRARY_PATH", &folder)
        .env("TRANSOM_DIR", folder.join("names"))
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&output.stdout));
}
