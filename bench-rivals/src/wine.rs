//! Wine's own mappings, by a small Windows program that is compiled for the run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use transom_bench::{Case, Error, Result, Side, Unit};

use crate::folder::Folder;

const SOURCE: &str = include_str!("../wine/mapping.c");
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// Create and open, as far as there are a compiler and a Wine.
pub fn cases(folder: &Folder) -> [Case; 2] {
    let program = compile(folder).and_then(|program| warm(&program, folder).map(|()| program));
    let what = ["Wine: create, map, unmap, close", "Wine: open, map, unmap, close"];
    let case = |id, mode: &str, what| match &program {
        Err(error) => Case::missing(Side::Peer, id, Unit::Microseconds, what, error.to_string()),
        Ok(program) => {
            // The environment is the only way to tell Wine where its files are, and `env` a program that
            // sets one.
            let prefix = [OsString::from("WINEPREFIX="), prefix(folder).into()].into_iter().collect();
            let arguments = [prefix, "WINEDEBUG=-all".into(), "wine".into(), program.into(), mode.into()];
            Case::program(Side::Peer, id, "env", arguments.to_vec(), Unit::Microseconds, what)
        }
    };
    [case("wine-create", "create", what[0]), case("wine-open", "open", what[1])]
}

fn prefix(folder: &Folder) -> PathBuf {
    folder.path("prefix")
}

/// Ends Wine's server, which otherwise lives on for a while and uses the folder.
pub fn end(folder: &Folder) {
    // Where there is no Wine there is no server.
    let _ = quiet("wineserver", folder).arg("-k").status();
}

/// A command with Wine's files in `folder` and nothing to say.
fn quiet(program: &str, folder: &Folder) -> Command {
    let mut command = Command::new(program);
    command.env("WINEPREFIX", prefix(folder)).env("WINEDEBUG", "-all");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn compile(folder: &Folder) -> Result<PathBuf> {
    let (source, program) = (folder.path("mapping.c"), folder.path("mapping.exe"));
    std::fs::write(&source, SOURCE).map_err(Error::of("write the Windows program"))?;
    let status = Command::new(COMPILER).arg("-O2").arg("-o").arg(&program).arg(&source).status();
    match status {
        Ok(status) if status.success() => Ok(program),
        Ok(status) => Err(Error::new(format!("{COMPILER} ended with {status}"))),
        Err(error) => Err(Error::new(format!("cannot run {COMPILER}: {error}"))),
    }
}

/// Has Wine make its files, which takes a while, and run a program with an empty input.
fn warm(program: &Path, folder: &Folder) -> Result<()> {
    eprintln!("starting: Wine, which makes its files first");
    let status = quiet("wine", folder).arg(program).args(["create", "0"]).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Error::new(format!("wine ended with {status}"))),
        Err(error) => Err(Error::new(format!("cannot run wine: {error}"))),
    }
}
