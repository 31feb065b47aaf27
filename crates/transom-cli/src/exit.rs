//! Exit codes: one number for each kind of failure, so that scripts need not read messages.

use transom::Code;

/// How this command ended, when the number is not that of a command it ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// A failure without a number of its own.
    General = 1,
    /// The command line, or a value in it, cannot be.
    Usage = 2,
    /// No such object, file or folder.
    NotFound = 3,
    /// The name, or another instance, exists already.
    Exists = 4,
    /// Access denied.
    Denied = 5,
    /// The time ran out.
    TimedOut = 6,
    /// Memory, disk, handles or a count are used up.
    Resources = 7,
    /// A mutex was left behind by an owner that ended.
    Abandoned = 8,
    /// The name belongs to an object of another kind.
    OtherKind = 9,
    /// This system cannot do that.
    Unsupported = 10,
    /// The given command cannot be run.
    CannotRun = 126,
    /// The given command was not found.
    NoCommand = 127,
}

/// The table as `transom help exit-codes` and the manual print it.
pub const TABLE: &[(&str, &str)] = &[
    ("0", "done; also when the reader of the output went away first"),
    ("1", "another failure; a problem that `doctor` found; a step of `tour`"),
    ("2", "the command line, or a name, size or offset in it, is not allowed"),
    ("3", "no such object, file or folder"),
    ("4", "exists already: `create --new`, `run --single`"),
    ("5", "access denied"),
    ("6", "timed out"),
    ("7", "out of resources: memory, disk, handles, a semaphore's maximum, instances of a pipe"),
    ("8", "abandoned: the mutex's last owner ended without releasing it"),
    ("9", "the name belongs to an object of another kind"),
    ("10", "not supported on this system"),
    ("126", "the given command cannot be run"),
    ("127", "the given command was not found"),
    ("128+N", "on Linux: signal N ended the given command"),
];

/// What the table is followed by.
pub const NOTE: &str = "A command given after -- passes its own exit code through.";

impl Exit {
    /// The number.
    pub fn code(self) -> i32 {
        self as i32
    }

    /// The kind of failure a Win32 code stands for.
    pub fn of(code: Code) -> Exit {
        match code {
            Code::SUCCESS => Exit::Ok,
            Code::FILE_NOT_FOUND
            | Code::PATH_NOT_FOUND
            | Code::INVALID_WINDOW_HANDLE
            | Code::INVALID_THREAD_ID => Exit::NotFound,
            Code::ALREADY_EXISTS | Code::FILE_EXISTS | Code::CLASS_ALREADY_EXISTS => Exit::Exists,
            Code::ACCESS_DENIED | Code::PRIVILEGE_NOT_HELD | Code::NOT_OWNER | Code::SHARING_VIOLATION => {
                Exit::Denied
            }
            Code::WAIT_TIMEOUT | Code::SEM_TIMEOUT | Code::TIMEOUT => Exit::TimedOut,
            Code::NOT_ENOUGH_MEMORY
            | Code::OUTOFMEMORY
            | Code::COMMITMENT_LIMIT
            | Code::DISK_FULL
            | Code::HANDLE_DISK_FULL
            | Code::TOO_MANY_OPEN_FILES
            | Code::TOO_MANY_POSTS
            | Code::NOT_ENOUGH_QUOTA
            | Code::PIPE_BUSY => Exit::Resources,
            Code::INVALID_HANDLE => Exit::OtherKind,
            Code::INVALID_PARAMETER
            | Code::INVALID_NAME
            | Code::BAD_PATHNAME
            | Code::FILENAME_EXCED_RANGE
            | Code::MAPPED_ALIGNMENT => Exit::Usage,
            Code::NOT_SUPPORTED => Exit::Unsupported,
            _ => Exit::General,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table is the promise; the numbers in the code have to be in it.
    #[test]
    fn every_number_is_in_the_table() {
        for exit in [
            Exit::Ok,
            Exit::General,
            Exit::Usage,
            Exit::NotFound,
            Exit::Exists,
            Exit::Denied,
            Exit::TimedOut,
            Exit::Resources,
            Exit::Abandoned,
            Exit::OtherKind,
            Exit::Unsupported,
            Exit::CannotRun,
            Exit::NoCommand,
        ] {
            let number = exit.code().to_string();
            assert!(TABLE.iter().any(|row| row.0 == number), "{exit:?}");
        }
    }

    #[test]
    fn kinds_of_failure_keep_their_numbers() {
        assert_eq!(Exit::of(Code::FILE_NOT_FOUND).code(), 3);
        assert_eq!(Exit::of(Code::ALREADY_EXISTS).code(), 4);
        assert_eq!(Exit::of(Code::ACCESS_DENIED).code(), 5);
        assert_eq!(Exit::of(Code::WAIT_TIMEOUT).code(), 6);
        assert_eq!(Exit::of(Code::COMMITMENT_LIMIT).code(), 7);
        assert_eq!(Exit::of(Code::INVALID_HANDLE).code(), 9);
        assert_eq!(Exit::of(Code::new(0x1234_5678)).code(), 1);
    }
}
