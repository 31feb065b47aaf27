//! Failures as people and scripts see them: what could not be done, why, the Win32 code, a way on.

use std::fmt::Display;
use std::io;
use std::path::Path;

use serde::Serialize;
use transom::{Code, Error};

use crate::exit::Exit;

/// Why a command did not do what was asked.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// One sentence: what could not be done and why.
    pub message: String,
    /// What may help.
    pub hint: Option<String>,
    /// The Win32 code, where one is behind it.
    pub code: Option<u32>,
    /// Its name in the Windows headers.
    pub symbol: Option<&'static str>,
    /// The number this process ends with.
    pub exit_code: i32,
    /// Whoever read the output has gone: not a failure, but the work is over.
    #[serde(skip)]
    pub reader_gone: bool,
}

impl Failure {
    /// A failure that has no Win32 code.
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            hint: None,
            code: None,
            symbol: None,
            exit_code: exit.code(),
            reader_gone: false,
        }
    }

    /// An argument that cannot be.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, message)
    }

    /// The same, with a way on.
    pub fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// A failure with a Win32 code: `cannot {what}: {why} (NAME, number)`.
    pub fn with_code(what: impl Display, why: &str, code: Code) -> Failure {
        let message = match code.name() {
            Some(name) => format!("cannot {what}: {why} ({name}, {})", code.value()),
            None => format!("cannot {what}: {why} ({})", code.value()),
        };
        Failure {
            message,
            hint: None,
            code: Some(code.value()),
            symbol: code.name(),
            exit_code: Exit::of(code).code(),
            reader_gone: false,
        }
    }

    /// The failure of an ordinary file.
    pub fn file(what: &str, path: &Path, error: &io::Error) -> Failure {
        Failure::new(Exit::of_io(error), format!("cannot {what} {}: {error}", path.display()))
    }

    /// The failure of reading standard input.
    pub fn input(error: &io::Error) -> Failure {
        Failure::new(Exit::of_io(error), format!("cannot read standard input: {error}"))
    }

    /// The failure of writing the output. A reader that went away is none: `transom list | head -1`.
    pub fn output(error: &io::Error) -> Failure {
        // What could not be read from shared memory while it was printed keeps its own words.
        if let Some(source) = error.get_ref().and_then(|source| source.downcast_ref::<Error>()) {
            return Failure::from(source.clone());
        }
        // Windows has a third code for it, ERROR_PIPE_NOT_CONNECTED, that Rust files under no kind.
        let not_connected = error.raw_os_error() == Some(Code::PIPE_NOT_CONNECTED.value() as i32);
        let gone = error.kind() == io::ErrorKind::BrokenPipe || not_connected;
        let exit = if gone { Exit::Ok } else { Exit::of_io(error) };
        let failure = Failure::new(exit, format!("cannot write the output: {error}"));
        Failure { reader_gone: gone, ..failure }
    }

    /// A wait that ended without what was waited for.
    pub fn timed_out(what: impl Display) -> Failure {
        Failure::with_code(format!("wait for {what}"), "the time given ran out", Code::WAIT_TIMEOUT)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let what = match error.name() {
            Some(name) => format!("{} '{name}'", error.operation()),
            None => error.operation().to_owned(),
        };
        let mut failure = Failure::with_code(what, why(&error), error.code());
        failure.hint = hint(&error);
        failure
    }
}

impl Exit {
    /// The kind of failure of an ordinary file operation.
    fn of_io(error: &io::Error) -> Exit {
        match error.kind() {
            io::ErrorKind::NotFound => Exit::NotFound,
            io::ErrorKind::AlreadyExists => Exit::Exists,
            io::ErrorKind::PermissionDenied => Exit::Denied,
            io::ErrorKind::TimedOut => Exit::TimedOut,
            io::ErrorKind::StorageFull | io::ErrorKind::OutOfMemory | io::ErrorKind::QuotaExceeded => {
                Exit::Resources
            }
            _ => Exit::General,
        }
    }
}

/// What a code means. The general words speak of files; an object's name deserves its own.
fn why(error: &Error) -> &'static str {
    let named = error.name().is_some();
    match error.code() {
        Code::FILE_NOT_FOUND if is_pipe(error) => "no pipe has this name",
        Code::FILE_NOT_FOUND if is_window(error) => "no window has this class and title",
        Code::TIMEOUT if is_window(error) => "the receiver did not answer in the time given",
        Code::PIPE_BUSY if is_create(error) => "the pipe has all the instances it may have",
        Code::PIPE_BUSY if named => "no instance of the pipe listens",
        Code::BAD_PATHNAME | Code::INVALID_NAME if is_pipe(error) => "that is not the name of a pipe",
        Code::ACCESS_DENIED if is_pipe(error) && is_create(error) => {
            "the name exists already, as a pipe of another direction or another user's"
        }
        Code::FILE_NOT_FOUND if named && !is_create(error) => "no object has this name",
        Code::INVALID_HANDLE if named => "the name belongs to an object of another kind",
        Code::PATH_NOT_FOUND if named && !is_misspelt(error) => {
            "the folder where names are kept is not there"
        }
        Code::PATH_NOT_FOUND | Code::BAD_PATHNAME if named => {
            "a backslash may only end the prefix Local\\ or Global\\"
        }
        code => code.message(),
    }
}

/// A way on, for the codes that have a usual one.
fn hint(error: &Error) -> Option<String> {
    let text = match (error.code(), error.name()) {
        (Code::FILE_NOT_FOUND, Some(_)) if is_pipe(error) => {
            "`transom pipe list` shows what exists; a pipe's name goes with its last server".to_owned()
        }
        (Code::FILE_NOT_FOUND | Code::INVALID_WINDOW_HANDLE, _) if is_window(error) => {
            "`transom window list` shows what exists; a window goes with its thread and process".to_owned()
        }
        (Code::TIMEOUT, _) if is_window(error) => {
            "a receiver answers while it looks at its queue; `transom window list` tells who hangs".to_owned()
        }
        (Code::INVALID_THREAD_ID, _) => {
            "a thread has a queue once it has looked for a message; `transom window list` shows threads with windows"
                .to_owned()
        }
        (Code::NOT_ENOUGH_QUOTA, _) => "10000 messages wait there already: the receiver does not take them".to_owned(),
        (Code::PIPE_BUSY, Some(_)) if !is_create(error) => {
            "every instance has a client; --wait TIME waits for one".to_owned()
        }
        (Code::BAD_PATHNAME | Code::INVALID_NAME | Code::BAD_NETPATH, Some(_)) if is_pipe(error) => {
            "write NAME or '\\\\.\\pipe\\NAME' (quoted, because shells take backslashes)".to_owned()
        }
        (Code::ACCESS_DENIED, Some(name)) if is_pipe(error) && is_elsewhere(name) => {
            "it is served in another PID namespace (a container) only: a pipe opens from outside if made with --everyone, \
             and a further instance has to be made inside"
                .to_owned()
        }
        (Code::ACCESS_DENIED, Some(_)) if is_pipe(error) => {
            "a pipe opens for the user who made it, or for all if made with --everyone, and only in its direction"
                .to_owned()
        }
        (Code::FILE_NOT_FOUND, Some(_)) if is_create(error) => WHERE.to_owned(),
        (Code::FILE_NOT_FOUND, Some(_)) => {
            "`transom list` shows what exists; a name goes with the last process that holds it".to_owned()
        }
        (Code::INVALID_HANDLE, Some(name)) => {
            format!("`transom who {}` shows what has the name, and who holds it", quoted(name))
        }
        (Code::PATH_NOT_FOUND, Some(_)) if !is_misspelt(error) => WHERE.to_owned(),
        (Code::PATH_NOT_FOUND | Code::BAD_PATHNAME | Code::INVALID_NAME, Some(_)) => {
            "write NAME, 'Local\\NAME' or 'Global\\NAME' (quoted, because shells take backslashes); \
             `transom help names` tells more"
                .to_owned()
        }
        (Code::ACCESS_DENIED, Some(name)) if is_elsewhere(name) => {
            "it is held by processes in another PID namespace (a container) only: have it made with \
             TRANSOM_BACKING=path, which puts its memory where others find it, or share the PID namespace"
                .to_owned()
        }
        (Code::ACCESS_DENIED, _) => {
            "an object opens for the user who made it, for all if made with --everyone, and \
             not for writing if it is read-only; `transom doctor` checks the rest"
                .to_owned()
        }
        (Code::FILE_INVALID, _) => "the file behind it is empty, or was cut short while in use".to_owned(),
        (Code::COMMITMENT_LIMIT | Code::NOT_ENOUGH_MEMORY | Code::DISK_FULL, _) => {
            "`transom doctor` shows how much shared memory is free, and the limits".to_owned()
        }
        (Code::TOO_MANY_OPEN_FILES, _) => "`transom doctor` shows the limit on open files".to_owned(),
        _ => return None,
    };
    Some(text)
}

/// Whether it is about a named pipe.
fn is_pipe(error: &Error) -> bool {
    error.operation().contains("pipe")
}

/// Whether it is about a window, or a message to one.
fn is_window(error: &Error) -> bool {
    let operation = error.operation();
    operation.contains("window") || operation.contains("message")
}

/// The hint where it is the place of the names that is wrong.
const WHERE: &str = "`transom doctor` checks where names are kept";

/// Whether all who hold a name are where this process cannot look into their descriptors.
fn is_elsewhere(name: &str) -> bool {
    let object = transom::namespace::find(name).ok().flatten();
    object.is_some_and(|object| {
        !object.path_backed
            && object.holders.iter().all(|holder| holder.elsewhere)
            && !object.holders.is_empty()
    })
}

/// Whether a name has a backslash where none may be: else a missing path is not the name's fault.
fn is_misspelt(error: &Error) -> bool {
    let name = error.name().unwrap_or_default();
    let rest = name.split_once('\\').map_or(name, |(prefix, rest)| match prefix {
        "Local" | "Global" => rest,
        _ => name,
    });
    rest.contains('\\')
}

/// Whether an object was to be made: then a missing file is not a missing name.
fn is_create(error: &Error) -> bool {
    error.operation().starts_with("create")
}

/// `name` as a shell takes it.
fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("'{}'", name.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_name_is_told_in_words_code_and_hint() {
        let failure = Failure::from(Error::new("open mapping", Code::FILE_NOT_FOUND).with_name("x"));
        assert_eq!(
            failure.message,
            "cannot open mapping 'x': no object has this name (ERROR_FILE_NOT_FOUND, 2)"
        );
        assert!(failure.hint.is_some_and(|hint| hint.contains("transom list")));
        assert_eq!(failure.exit_code, 3);
    }

    #[test]
    fn what_cannot_be_created_is_not_called_missing() {
        let failure = Failure::from(Error::new("create event", Code::FILE_NOT_FOUND).with_name("x"));
        assert_eq!(failure.message, "cannot create event 'x': file not found (ERROR_FILE_NOT_FOUND, 2)");
        assert!(failure.hint.is_some_and(|hint| hint.contains("transom doctor")));
    }

    #[test]
    fn a_missing_path_is_the_names_fault_or_the_folders() {
        let why = |name: &str| why(&Error::new("open event", Code::PATH_NOT_FOUND).with_name(name));
        for misspelt in ["a\\b", "Local\\a\\b", "Session\\a"] {
            assert!(why(misspelt).contains("backslash"), "{misspelt}");
        }
        for fine in ["a", "Local\\a", "Global\\a"] {
            assert!(why(fine).contains("folder"), "{fine}");
        }
    }

    #[test]
    fn a_code_that_is_not_in_the_table_keeps_its_number() {
        let failure = Failure::from(Error::new("wait", Code::new(54_321)));
        assert!(failure.message.ends_with("(54321)"), "{}", failure.message);
        assert_eq!((failure.code, failure.symbol, failure.exit_code), (Some(54_321), None, 1));
    }

    #[test]
    fn a_reader_that_went_away_is_not_a_failure() {
        let gone = Failure::output(&io::ErrorKind::BrokenPipe.into());
        assert!(gone.reader_gone);
        assert_eq!(gone.exit_code, 0);
        assert!(Failure::output(&io::Error::from_raw_os_error(233)).reader_gone);
        let full = Failure::output(&io::ErrorKind::StorageFull.into());
        assert_eq!((full.reader_gone, full.exit_code), (false, 7));
    }

    #[test]
    fn memory_that_fails_while_it_is_printed_keeps_its_code() {
        let inside = io::Error::from(Error::new("read view", Code::FILE_INVALID));
        let failure = Failure::output(&inside);
        assert_eq!(failure.code, Some(1006));
        assert!(failure.message.starts_with("cannot read view"), "{}", failure.message);
    }

    #[test]
    fn names_in_hints_survive_a_shell() {
        assert_eq!(quoted("plain-1.0"), "plain-1.0");
        assert_eq!(quoted("Global\\it's"), "'Global\\it'\\''s'");
    }
}
