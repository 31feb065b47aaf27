//! Wine's own mappings, pipes, mailslots and window messages, by small Windows programs that are compiled for the run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use transom_bench::{Case, Error, FanShape, Manner, Program, Result, Shape, Side, Unit};

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
    let (program, arguments) = program(folder, "mapping", MAPPING);
    let case = |id, mode: &str, what| {
        let arguments = arguments.iter().cloned().chain([mode.into()]).collect();
        Case::program(Side::Peer, id, program.clone(), arguments, Unit::Microseconds, what)
    };
    [
        case("wine-create", "create", "Wine: create, map, unmap, close"),
        case("wine-open", "open", "Wine: open, map, unmap, close"),
    ]
}

/// Pipes in all shapes whose ends need not poll, as far as there are a compiler and a Wine.
pub fn pipes(folder: &Folder) -> Vec<Case> {
    let blocking = Shape::all().into_iter().filter(|shape| shape.manner() != Manner::Polling);
    carried(program(folder, "pipe", PIPE), "Wine, named pipe", blocking)
}

/// Up to 16 writers to one mailslot: more take minutes to start.
pub fn mailslots(folder: &Folder) -> Vec<Case> {
    let (program, arguments) = program(folder, "mailslot", MAILSLOT);
    let case = |many| {
        let shape = FanShape::to_one(many, 64);
        Case::fanned_by_program("wine", "Wine, mailslot", shape, program.clone(), arguments.clone())
    };
    [1, 4, 16].map(case).to_vec()
}

/// Messages to a window of another process, in `shapes`: without bytes SendMessage, with bytes WM_COPYDATA.
pub fn windows(folder: &Folder, shapes: Vec<Shape>) -> Vec<Case> {
    carried(program(folder, "window", WINDOW), "Wine, SendMessage", shapes)
}

fn carried(
    (program, arguments): (Program, Vec<OsString>),
    what: &'static str,
    shapes: impl IntoIterator<Item = Shape>,
) -> Vec<Case> {
    let case = |shape| Case::carried_by_program("wine", what, shape, program.clone(), arguments.clone());
    shapes.into_iter().map(case).collect()
}

/// What is run for a program for Wine that is compiled from `source` when it is needed, and what that is told: the
/// environment is the only way to tell Wine where its files are, and `env` a program that sets one.
fn program(folder: &Folder, name: &'static str, source: &'static str) -> (Program, Vec<OsString>) {
    let root = folder.path("");
    let prefix = [OsString::from("WINEPREFIX="), prefix(&root).into()].into_iter().collect();
    let file = folder.path(format!("{name}.exe")).into();
    let arguments = vec![prefix, "WINEDEBUG=-all".into(), "wine".into(), file];
    let folder = folder.clone();
    (Program::made(move || make(&folder, name, source)), arguments)
}

/// Wine runs it once: it makes its files then, which takes a while.
fn make(folder: &Folder, name: &str, source: &str) -> Result<OsString> {
    let file = |ending: &str| format!("{name}.{ending}");
    std::fs::write(folder.path("wine.h"), HEADER).map_err(Error::of("write a header"))?;
    let program = native::compile(folder, COMPILER, (&file("c"), source), &file("exe"), &[])?;
    warm(&program, &folder.path(""))?;
    Ok("env".into())
}

fn prefix(root: &Path) -> PathBuf {
    root.join("prefix")
}

/// Ends Wine's server, which otherwise lives on for a while and uses the folder.
pub fn end(root: &Path) {
    if prefix(root).exists() {
        // Where it has ended already there is nothing to do.
        let _ = quiet("wineserver", root).arg("-k").status();
    }
}

/// A command with Wine's files in the folder `root` and nothing to say.
fn quiet(program: &str, root: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("WINEPREFIX", prefix(root)).env("WINEDEBUG", "-all");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs the program without arguments, to which it says no more than how it is used.
fn warm(program: &Path, root: &Path) -> Result<()> {
    eprintln!("starting: Wine, which makes its files first");
    let status = quiet("wine", root).arg(program).status().map_err(Error::of("run wine"))?;
    match status.code() {
        Some(2) => Ok(()),
        _ => Err(Error::new(format!("wine ended with {status}"))),
    }
}
