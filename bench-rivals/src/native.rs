//! Programs in C and C++ that are compiled for the run.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use transom_bench::{Error, Program, Result};

use crate::folder::Folder;

/// What those programs share.
const HEADER: &str = include_str!("../programs/worker.h");

/// The program in C++ that is compiled from `source`, `name.cpp`, when it is needed.
pub fn program(folder: &Folder, name: &'static str, source: &'static str) -> Program {
    let folder = folder.clone();
    Program::made(move || {
        let file = format!("{name}.cpp");
        compile(&folder, "g++", (&file, source), name, &["-lpthread", "-lrt"]).map(Into::into)
    })
}

/// Compiles `source`, a program that is called `name` with its ending, and gives the path of `program`.
pub fn compile(
    folder: &Folder,
    compiler: &str,
    (name, source): (&str, &str),
    program: &str,
    more: &[&str],
) -> Result<PathBuf> {
    let (path, result) = (folder.path(name), folder.path(program));
    std::fs::write(folder.path("worker.h"), HEADER).map_err(Error::of("write a header"))?;
    std::fs::write(&path, source).map_err(Error::of("write a program"))?;
    let mut command = Command::new(compiler);
    command.arg("-O2").arg("-o").arg(&result).arg(&path).args(more);
    // Why it fails is one thing and told below; all that a compiler says of it is another.
    let status = command.stderr(Stdio::null()).status().map_err(Error::of(&format!("run {compiler}")))?;
    if status.success() {
        Ok(result)
    } else {
        Err(Error::new(format!("{compiler} cannot compile {name}: {status}")))
    }
}
