//! Wine's own mappings, pipes, mailslots and window messages, by small Windows programs that are compiled for the run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use transom_bench::{Case, Error, FanShape, Manner, Result, Shape, Side, Unit};

use crate::folder::Folder;
use crate::native;

const MAPPING: &str = include_str!("../programs/mapping.c");
const MAILSLOT: &str = include_str!("../programs/mailslot.c");
const PIPE: &str = include_str!("../programs/pipe.c");
const WINDOW: &str = include_str!("../programs/window.c");
const HEADER: &str = include_str!("../programs/wine.h");
const COMPILER: &str = "x86_64-w64-mingw32-gcc";

/// Mappings, as far as there are a compiler and a Wine.
pub fn mappings(folder: &Folder) -> [Case; 2] {
    let program = program(folder, "mapping", MAPPING);
    let case = |id, mode: &str, what| match &program {
        Err(error) => Case::missing(Side::Peer, id, Unit::Microseconds, what, error.to_string()),
        Ok(program) => {
            let mut arguments = arguments(program, folder);
            arguments.push(mode.into());
            Case::program(Side::Peer, id, "env", arguments, Unit::Microseconds, what)
        }
    };
    [
        case("wine-create", "create", "Wine: create, map, unmap, close"),
        case("wine-open", "open", "Wine: open, map, unmap, close"),
    ]
}

/// Pipes in all shapes whose ends need not poll, as far as there are a compiler and a Wine.
pub fn pipes(folder: &Folder) -> Vec<Case> {
    let program = program(folder, "pipe", PIPE);
    let blocking = Shape::all().into_iter().filter(|shape| shape.manner() != Manner::Polling);
    let case = |shape| match &program {
        Err(error) => Case::carried_not("wine", "Wine, named pipe", shape, error.to_string()),
        Ok(program) => {
            Case::carried_by_program("wine", "Wine, named pipe", shape, "env", arguments(program, folder))
        }
    };
    blocking.map(case).collect()
}

/// Up to 16 writers to one mailslot: more take minutes to start.
pub fn mailslots(folder: &Folder) -> Vec<Case> {
    let program = program(folder, "mailslot", MAILSLOT);
    let (word, what) = ("wine", "Wine, mailslot");
    let case = |many| match (FanShape::to_one(many, 64), &program) {
        (shape, Err(error)) => Case::fanned_not(word, what, shape, error.to_string()),
        (shape, Ok(program)) => Case::fanned_by_program(word, what, shape, "env", arguments(program, folder)),
    };
    [1, 4, 16].map(case).to_vec()
}

/// Messages to a window of another process, in `shapes`: without bytes SendMessage, with bytes WM_COPYDATA.
pub fn windows(folder: &Folder, shapes: Vec<Shape>) -> Vec<Case> {
    let program = program(folder, "window", WINDOW);
    let (word, what) = ("wine", "Wine, SendMessage");
    let case = |shape| match &program {
        Err(error) => Case::carried_not(word, what, shape, error.to_string()),
        Ok(program) => Case::carried_by_program(word, what, shape, "env", arguments(program, folder)),
    };
    shapes.into_iter().map(case).collect()
}

/// A program that Wine has run once: it makes its files then, which takes a while.
fn program(folder: &Folder, name: &str, source: &str) -> Result<PathBuf> {
    let file = |ending: &str| format!("{name}.{ending}");
    std::fs::write(folder.path("wine.h"), HEADER).map_err(Error::of("write a header"))?;
    let program = native::compile(folder, COMPILER, (&file("c"), source), &file("exe"), &[])?;
    warm(&program, folder)?;
    Ok(program)
}

/// What `env` is told: the environment is the only way to tell Wine where its files are, and `env` a program
/// that sets one.
fn arguments(program: &Path, folder: &Folder) -> Vec<OsString> {
    let prefix = [OsString::from("WINEPREFIX="), prefix(folder).into()].into_iter().collect();
    vec![prefix, "WINEDEBUG=-all".into(), "wine".into(), program.into()]
}

fn prefix(folder: &Folder) -> PathBuf {
    folder.path("prefix")
}

/// Ends Wine's server, which otherwise lives on for a while and uses the folder.
pub fn end(folder: &Folder) {
    if prefix(folder).exists() {
        // Where it has ended already there is nothing to do.
        let _ = quiet("wineserver", folder).arg("-k").status();
    }
}

/// A command with Wine's files in `folder` and nothing to say.
fn quiet(program: &str, folder: &Folder) -> Command {
    let mut command = Command::new(program);
    command.env("WINEPREFIX", prefix(folder)).env("WINEDEBUG", "-all");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs the program without arguments, to which it says no more than how it is used.
fn warm(program: &Path, folder: &Folder) -> Result<()> {
    eprintln!("starting: Wine, which makes its files first");
    let status = quiet("wine", folder).arg(program).status().map_err(Error::of("run wine"))?;
    match status.code() {
        Some(2) => Ok(()),
        _ => Err(Error::new(format!("wine ended with {status}"))),
    }
}
