//! Running other programs: loudly, quietly, and with a limit.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a chore answers: nothing, or why it could not be done.
pub type Done = Result<(), String>;

/// The cargo that runs this program.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Prints a command as one would type it.
pub fn shown(command: &Command) -> String {
    let mut line = String::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            line += &format!("{}={} ", name.to_string_lossy(), quoted(value));
        }
    }
    let ours = std::env::var_os("CARGO").is_some_and(|cargo| cargo == command.get_program());
    line += &if ours { "cargo".to_owned() } else { quoted(command.get_program()) };
    for argument in command.get_args() {
        line += " ";
        line += &quoted(argument);
    }
    line
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+%@".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into_owned() } else { format!("'{word}'") }
}

/// Runs a command in sight of the user, its input closed.
pub fn run(command: &mut Command) -> Done {
    println!("$ {}", shown(command));
    let status = command.stdin(Stdio::null()).status();
    let status = status.map_err(|why| format!("{}: {why}", shown(command)))?;
    if status.success() { Ok(()) } else { Err(format!("{}: {status}", shown(command))) }
}

/// Runs a command and takes its output; failing is an error with what it complained of.
pub fn output(command: &mut Command) -> Result<String, String> {
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().map_err(|why| format!("{}: {why}", shown(command)))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&stderr);
    Err(format!("{}: {status}\n{}", shown(command), complaint.trim_end()))
}

/// Whether a program can be started by this name.
pub fn exists(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// A command that is ended after so many seconds, together with what it started.
pub fn limited(seconds: u32, program: impl Into<OsString>) -> Command {
    let mut command = Command::new("timeout");
    command.arg("--kill-after=10").arg(seconds.to_string());
    command.arg(program.into());
    command
}

/// Whether an exit code is that of a program ended by its limit (see `limited`).
pub fn out_of_time(code: Option<i32>) -> bool {
    matches!(code, Some(124 | 137))
}

/// The command line of a chore, taken apart: `--name value`, `--name`, and the rest.
pub struct Arguments {
    rest: Vec<String>,
}

impl Arguments {
    /// Takes what follows the chore's name.
    pub fn new(arguments: &[String]) -> Arguments {
        Arguments { rest: arguments.to_vec() }
    }

    /// Takes `--name value` or `--name=value` out.
    pub fn value(&mut self, name: &str) -> Result<Option<String>, String> {
        let joined = format!("{name}=");
        let found = self.rest.iter().position(|a| a == name || a.starts_with(&joined));
        let Some(at) = found else { return Ok(None) };
        let word = self.rest.remove(at);
        if let Some(value) = word.strip_prefix(&joined) {
            return Ok(Some(value.to_owned()));
        }
        if at < self.rest.len() {
            return Ok(Some(self.rest.remove(at)));
        }
        Err(format!("{name} needs a value"))
    }

    /// Takes the flag `--name` out.
    pub fn flag(&mut self, name: &str) -> bool {
        let found = self.rest.iter().position(|a| a == name);
        found.map(|at| self.rest.remove(at)).is_some()
    }

    /// What is left: words only.
    pub fn words(self) -> Result<Vec<String>, String> {
        match self.rest.iter().find(|word| word.starts_with('-')) {
            Some(unknown) => Err(format!("{unknown}: no such option; see --help")),
            None => Ok(self.rest),
        }
    }

    /// Nothing may be left.
    pub fn end(self) -> Done {
        match self.words()?.first() {
            Some(word) => Err(format!("{word}: not expected; see --help")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(words: &[&str]) -> Arguments {
        Arguments { rest: words.iter().map(|w| (*w).to_owned()).collect() }
    }

    #[test]
    fn options_are_taken_in_both_spellings() {
        let mut given = arguments(&["a", "--x", "1", "--y=2", "--z", "b"]);
        assert_eq!(given.value("--x"), Ok(Some("1".to_owned())));
        assert_eq!(given.value("--y"), Ok(Some("2".to_owned())));
        assert_eq!(given.value("--w"), Ok(None));
        assert!(given.flag("--z"));
        assert!(!given.flag("--z"));
        assert_eq!(given.words(), Ok(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(arguments(&["--x"]).value("--x").unwrap_err().contains("needs a value"));
        assert!(arguments(&["--what"]).words().unwrap_err().contains("--what"));
        assert!(arguments(&["word"]).end().unwrap_err().contains("word"));
        assert_eq!(arguments(&[]).end(), Ok(()));
    }

    #[test]
    fn commands_are_shown_as_typed() {
        let mut command = Command::new("cc");
        command.env("A", "b c").arg("-o").arg("x");
        assert_eq!(shown(&command), "A='b c' cc -o x");
    }

    #[test]
    fn programs_are_looked_up() {
        assert!(exists("cargo") || exists("sh"));
        assert!(!exists("no-such-program-anywhere"));
    }
}
