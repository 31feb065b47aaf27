//! The help topics: `transom help exit-codes` and its neighbours. The manual page prints the same texts.

use crate::exit;
use crate::win32;

/// A topic: its word, its title, its text.
pub struct Topic {
    /// What is typed.
    pub word: &'static str,
    /// One line.
    pub title: &'static str,
    /// The text.
    pub text: fn() -> String,
}

/// All topics.
pub const TOPICS: &[Topic] = &[
    Topic { word: "exit-codes", title: "Exit codes, by kind of failure", text: exit_codes },
    Topic { word: "names", title: "Names of objects", text: names },
    Topic { word: "win32", title: "Windows spellings", text: spellings },
    Topic { word: "environment", title: "Environment variables and files", text: environment },
];

fn exit_codes() -> String {
    let mut text = String::new();
    for (number, meaning) in exit::TABLE {
        text.push_str(&format!("{number:>5}  {meaning}\n"));
    }
    text.push_str(&format!("\n{}\n", exit::NOTE));
    text
}

fn names() -> String {
    "NAME and 'Local\\NAME' are one object of this user; 'Global\\NAME' is another, of
the machine. Quote backslashes: shells take them for their own. Behind the prefix
a name may hold any character but a backslash. Upper and lower case differ, in the
prefix too.

Events, mutexes, semaphores and mappings share one set of names: a name that
belongs to another kind is refused (ERROR_INVALID_HANDLE, exit code 9).

Named pipes have names of their own: '\\\\.\\pipe\\NAME', or NAME where a command wants a
pipe; upper and lower case are the same there.

A name goes with the last process that holds it, also if that process is killed;
a pipe's with its last server. Nothing is left to remove.
"
    .to_owned()
}

fn spellings() -> String {
    let mut text =
        String::from("These words are commands too, in any case, also with A, W or Ex at the end:\n\n");
    for (windows, words) in win32::SPELLINGS {
        text.push_str(&format!("  transom {windows:<24} transom {}\n", words.join(" ")));
    }
    text.push_str("\n/? asks for help, as --help does. A time without a unit is milliseconds; `infinite`\n");
    text.push_str("waits for ever.\n");
    text
}

fn environment() -> String {
    "TRANSOM_DIR
    Linux: the folder of all names, instead of the usual ones; a path that begins
    with a slash. Processes see each other's objects only if theirs is the same.
TRANSOM_BACKING
    Linux: 'path' puts shared memory into files of the namespace's folder, for
    peers that cannot reach the memory of this process: in another container (PID
    namespace), or of another user. Without it they get ERROR_ACCESS_DENIED (5).
NO_COLOR
    No colours, if not empty; --color says otherwise.

/dev/shm/transom-UID/
    Linux: the names of user UID ('Local\\' and without a prefix).
/dev/shm/transom/
    Linux: the names of the machine ('Global\\').
"
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_a_text() {
        for topic in TOPICS {
            assert!((topic.text)().lines().count() > 2, "{}", topic.word);
        }
    }

    #[test]
    fn exit_codes_are_listed_with_their_numbers() {
        let text = exit_codes();
        for number in ["0", "6", "126", "128+N"] {
            assert!(
                text.lines().any(|line| line.trim_start().starts_with(&format!("{number}  "))),
                "{number}"
            );
        }
    }
}
