//! Windows spellings: `transom SetEvent x` is `transom event set x`, and `/?` asks for help.

use std::ffi::{OsStr, OsString};

/// What Win32 calls it, and what it is here. Case does not matter, and the endings A, W and Ex may follow.
pub const SPELLINGS: &[(&str, &[&str])] = &[
    ("CreateFileMapping", &["map", "create"]),
    ("OpenFileMapping", &["map", "read"]),
    ("CreateEvent", &["event", "create"]),
    ("SetEvent", &["event", "set"]),
    ("ResetEvent", &["event", "reset"]),
    ("PulseEvent", &["event", "pulse"]),
    ("CreateMutex", &["mutex", "create"]),
    ("CreateSemaphore", &["semaphore", "create"]),
    ("ReleaseSemaphore", &["semaphore", "release"]),
    ("WaitForSingleObject", &["wait"]),
    ("WaitForMultipleObjects", &["wait"]),
    ("CreateNamedPipe", &["pipe", "listen"]),
    ("CallNamedPipe", &["pipe", "call"]),
    ("PeekNamedPipe", &["pipe", "peek"]),
    ("WaitNamedPipe", &["pipe", "wait"]),
    ("CreateMailslot", &["mailslot", "listen"]),
    ("GetMailslotInfo", &["mailslot", "info"]),
    ("EnumWindows", &["window", "list"]),
    ("FindWindow", &["window", "find"]),
    ("SendMessage", &["window", "send"]),
    ("SendMessageTimeout", &["window", "send"]),
    ("PostMessage", &["window", "post"]),
    ("CreateWindow", &["window", "listen"]),
];

/// The command line with Windows spellings replaced by ours. Only the first word is a command, and
/// nothing behind `--` is touched: that is another program's command line.
pub fn translate(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let mut line: Vec<OsString> = arguments.next().into_iter().collect();
    let mut command_seen = false;
    let mut foreign = false;
    // The value of an option is not ours to read: `--text /?` writes two characters.
    let mut after_option = false;
    for argument in arguments {
        let is_option = argument.as_encoded_bytes().starts_with(b"-");
        if foreign || after_option {
            line.push(argument);
            after_option = false;
            continue;
        }
        if argument == "--" {
            foreign = true;
        } else if argument == "/?" {
            line.push("--help".into());
            continue;
        } else if is_option {
            after_option = takes_value(&argument, command_seen);
        } else if !command_seen {
            command_seen = true;
            if let Some(words) = lookup(&argument) {
                line.extend(words.iter().map(OsString::from));
                continue;
            }
        }
        line.push(argument);
    }
    line
}

/// Whether the word after this option is its value, as far as matters here.
fn takes_value(option: &OsStr, command_seen: bool) -> bool {
    let joined = option.as_encoded_bytes().contains(&b'=');
    let switch = option == "--json" || option == "-h" || option == "--help";
    if command_seen { !joined && !switch } else { option == "--color" }
}

/// What a Windows name stands for.
fn lookup(word: &OsStr) -> Option<&'static [&'static str]> {
    let word = word.to_str()?.to_ascii_lowercase();
    let matches = |name: &str| {
        word.strip_prefix(&name.to_ascii_lowercase())
            .is_some_and(|end| matches!(end, "" | "a" | "w" | "ex" | "exa" | "exw"))
    };
    SPELLINGS.iter().find(|(name, _)| matches(name)).map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn translated(line: &str) -> String {
        let words = translate(line.split(' ').map(OsString::from));
        words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn windows_names_are_commands_in_any_case() {
        assert_eq!(translated("transom SetEvent x"), "transom event set x");
        assert_eq!(translated("transom createfilemappingw x --size 1"), "transom map create x --size 1");
        assert_eq!(
            translated("transom --color never CREATEEVENTEX x"),
            "transom --color never event create x"
        );
    }

    #[test]
    fn only_the_command_is_translated() {
        assert_eq!(translated("transom event set SetEvent"), "transom event set SetEvent");
        assert_eq!(translated("transom mutex run x -- SetEvent /?"), "transom mutex run x -- SetEvent /?");
        assert_eq!(translated("transom SetEvents x"), "transom SetEvents x");
    }

    #[test]
    fn the_slash_question_mark_asks_for_help_unless_it_is_a_value() {
        assert_eq!(translated("transom /?"), "transom --help");
        assert_eq!(translated("transom map create /?"), "transom map create --help");
        assert_eq!(translated("transom map write x --text /?"), "transom map write x --text /?");
        assert_eq!(translated("transom list --json /?"), "transom list --json --help");
    }
}
