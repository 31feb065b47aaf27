//! The project's own checks and chores: `cargo xtask <command>`.
//!
//! Written with the standard library alone, so that it builds in a moment and never
//! fails for somebody else's reason.
#![forbid(unsafe_code)]

mod checks;
mod conformance;
mod install;
mod loom;
mod paths;
mod repo;
mod run;
mod source;
mod toml;
mod windows;

use checks::CHECKS;
use run::Arguments;
use std::process::ExitCode;

/// A command that is no check.
struct Chore {
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    main: fn(Arguments) -> run::Done,
}

const CHORES: &[Chore] = &[
    Chore {
        name: "install",
        usage: "--prefix DIR [--destdir DIR] [--profile NAME]",
        about: "build and install library, headers, command, man page and completions",
        main: install::main,
    },
    Chore {
        name: "conformance",
        usage: "[--prefix DIR] [--suite DIR] [PROGRAM...]",
        about: "build the C programs of conformance/ against an installed prefix, run and
             compare; without --prefix it installs one below the target folder; --suite, or
             TRANSOM_CONFORMANCE, adds the programs of another folder that are listed in
             xtask/conformance.txt",
        main: conformance::main,
    },
    Chore { name: "loom", usage: "", about: "run the core's model checks", main: loom::main },
    Chore {
        name: "windows",
        usage: "[--run] [--require]",
        about: "cross-build for Windows; --run runs the tests under wine, --require makes
             missing tools a failure; TRANSOM_WEB_RUSTC and TRANSOM_WEB_CARGO name other
             tools than the distribution's",
        main: windows::main,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("--help", [].as_slice()),
    };
    let asks_for_help = |word: &String| matches!(word.as_str(), "-h" | "--help");
    if matches!(command, "-h" | "--help" | "help") || rest.iter().any(asks_for_help) {
        print!("{}", help());
        return ExitCode::SUCCESS;
    }
    match dispatch(command, Arguments::new(rest)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("xtask {command}: {why}");
            ExitCode::from(2)
        }
    }
}

/// Runs a command: false means that a check found something, an error that it could not
/// be done.
fn dispatch(command: &str, arguments: Arguments) -> Result<bool, String> {
    if let Some(chore) = CHORES.iter().find(|chore| chore.name == command) {
        return (chore.main)(arguments).map(|()| true);
    }
    let wanted: Vec<_> = CHECKS.iter().filter(|check| command == "check" || check.name == command).collect();
    if wanted.is_empty() {
        return Err("no such command; see cargo xtask --help".to_owned());
    }
    arguments.end()?;
    let tree = repo::Tree::read(&repo::root()).map_err(|why| format!("reading the sources: {why}"))?;
    Ok(checks::run(&wanted, &tree))
}

fn help() -> String {
    let mut text = "The project's own checks and chores.\n\nUsage: cargo xtask <command>\n\n".to_owned();
    text += "Checks (exit code 0: content, 1: findings, 2: could not be run)\n";
    text += &format!("  {:<16} {}\n", "check", "all of the following");
    for check in CHECKS {
        text += &format!("  {:<16} {}\n", check.name, check.about);
    }
    text += "\nChores (exit code 0: done, 2: failed)\n";
    for chore in CHORES {
        text += &format!("  {} {}\n", chore.name, chore.usage);
        for line in chore.about.lines() {
            text += &format!("      {}\n", line.trim());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command() {
        let text = help();
        for name in CHECKS.iter().map(|c| c.name).chain(CHORES.iter().map(|c| c.name)) {
            assert!(text.contains(name), "{name}");
        }
    }

    #[test]
    fn commands_have_names_of_their_own() {
        let mut names: Vec<_> = CHECKS.iter().map(|c| c.name).chain(CHORES.iter().map(|c| c.name)).collect();
        names.push("check");
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn unknown_commands_are_refused() {
        assert!(dispatch("check-nothing", Arguments::new(&[])).is_err());
    }
}
