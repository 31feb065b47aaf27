//! Win32 error codes as a number with names.
//!
//! A code is a newtype over the number and not an enum: the system, a peer or a newer version may
//! hand us a number this table does not know, and it has to pass through unchanged. The constants
//! are named as Windows names them, without the `ERROR_` in front: `Code::FILE_NOT_FOUND`.
//!
//! The table holds the numbers of handles.md section 9 and those the other rules can answer with.
//! The short texts are ours; they are meant for people who see a failing command.

use core::fmt;

/// A Win32 error code, as `GetLastError` returns it.
///
/// `0` is [`Code::SUCCESS`]; any other number is a failure, known to this table or not.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u32);

impl Code {
    /// The code with this number; every number is allowed.
    #[must_use]
    pub const fn new(value: u32) -> Code {
        Code(value)
    }

    /// The number, as C programs see it.
    #[must_use]
    pub const fn value(self) -> u32 {
        self.0
    }

    /// The name in the Windows headers, such as `"ERROR_FILE_NOT_FOUND"`; `None` for a number that
    /// is not in the table.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.row().map(|row| row.name)
    }

    /// What the code means, in a few plain words.
    #[must_use]
    pub fn message(self) -> &'static str {
        self.row().map_or("unknown error", |row| row.message)
    }

    /// Every code of the table, in ascending order.
    #[must_use]
    pub fn all() -> &'static [Code] {
        CODES
    }

    fn row(self) -> Option<&'static Row> {
        // CODES and ROWS come from one list, in ascending order (tested below).
        let index = CODES.binary_search(&self).ok()?;
        ROWS.get(index)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Code({})", self.0),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name}, {})", self.message(), self.0),
            None => write!(f, "{} ({})", self.message(), self.0),
        }
    }
}

impl core::error::Error for Code {}

impl From<Code> for u32 {
    fn from(code: Code) -> u32 {
        code.0
    }
}

struct Row {
    name: &'static str,
    message: &'static str,
}

/// One list makes the constants, the names and the texts, so they cannot disagree.
macro_rules! codes {
    ($( $constant:ident = $value:literal, $name:literal, $message:literal; )*) => {
        impl Code {
            $(
                #[doc = concat!("`", $name, "` (", stringify!($value), "): ", $message, ".")]
                pub const $constant: Code = Code($value);
            )*
        }

        const CODES: &[Code] = &[ $( Code::$constant ),* ];
        const ROWS: &[Row] = &[ $( Row { name: $name, message: $message } ),* ];
    };
}

codes! {
    SUCCESS = 0, "ERROR_SUCCESS", "no error";
    INVALID_FUNCTION = 1, "ERROR_INVALID_FUNCTION", "the object cannot do this";
    FILE_NOT_FOUND = 2, "ERROR_FILE_NOT_FOUND", "file not found";
    PATH_NOT_FOUND = 3, "ERROR_PATH_NOT_FOUND", "path not found";
    TOO_MANY_OPEN_FILES = 4, "ERROR_TOO_MANY_OPEN_FILES", "too many files are open";
    ACCESS_DENIED = 5, "ERROR_ACCESS_DENIED", "access denied";
    INVALID_HANDLE = 6, "ERROR_INVALID_HANDLE", "not a handle for this call";
    NOT_ENOUGH_MEMORY = 8, "ERROR_NOT_ENOUGH_MEMORY", "not enough memory";
    INVALID_DATA = 13, "ERROR_INVALID_DATA", "the data makes no sense";
    OUTOFMEMORY = 14, "ERROR_OUTOFMEMORY", "out of memory";
    NO_MORE_FILES = 18, "ERROR_NO_MORE_FILES", "no more files";
    WRITE_PROTECT = 19, "ERROR_WRITE_PROTECT", "the medium is read-only";
    NOT_READY = 21, "ERROR_NOT_READY", "not ready";
    BAD_LENGTH = 24, "ERROR_BAD_LENGTH", "wrong length";
    WRITE_FAULT = 29, "ERROR_WRITE_FAULT", "writing failed";
    READ_FAULT = 30, "ERROR_READ_FAULT", "reading failed";
    GEN_FAILURE = 31, "ERROR_GEN_FAILURE", "the system failed in a way that has no code";
    SHARING_VIOLATION = 32, "ERROR_SHARING_VIOLATION", "in use elsewhere and not shared";
    LOCK_VIOLATION = 33, "ERROR_LOCK_VIOLATION", "this part of the file is locked elsewhere";
    HANDLE_EOF = 38, "ERROR_HANDLE_EOF", "end of file";
    HANDLE_DISK_FULL = 39, "ERROR_HANDLE_DISK_FULL", "no room on the disk for this file";
    NOT_SUPPORTED = 50, "ERROR_NOT_SUPPORTED", "not supported";
    BAD_NETPATH = 53, "ERROR_BAD_NETPATH", "network path not found";
    BAD_NET_NAME = 67, "ERROR_BAD_NET_NAME", "network name not found";
    FILE_EXISTS = 80, "ERROR_FILE_EXISTS", "the file exists already";
    INVALID_PARAMETER = 87, "ERROR_INVALID_PARAMETER", "an argument is not allowed";
    BROKEN_PIPE = 109, "ERROR_BROKEN_PIPE", "the other end of the pipe is closed";
    OPEN_FAILED = 110, "ERROR_OPEN_FAILED", "opening failed";
    BUFFER_OVERFLOW = 111, "ERROR_BUFFER_OVERFLOW", "too long for its buffer";
    DISK_FULL = 112, "ERROR_DISK_FULL", "the disk is full";
    CALL_NOT_IMPLEMENTED = 120, "ERROR_CALL_NOT_IMPLEMENTED", "this call does not exist here";
    SEM_TIMEOUT = 121, "ERROR_SEM_TIMEOUT", "the time given for it ran out";
    INSUFFICIENT_BUFFER = 122, "ERROR_INSUFFICIENT_BUFFER", "the buffer is too small";
    INVALID_NAME = 123, "ERROR_INVALID_NAME", "not a valid name";
    NEGATIVE_SEEK = 131, "ERROR_NEGATIVE_SEEK", "the position would lie before the start of the file";
    DIR_NOT_EMPTY = 145, "ERROR_DIR_NOT_EMPTY", "the folder is not empty";
    BAD_PATHNAME = 161, "ERROR_BAD_PATHNAME", "not a valid path";
    BUSY = 170, "ERROR_BUSY", "busy";
    ALREADY_EXISTS = 183, "ERROR_ALREADY_EXISTS", "the name exists already";
    BAD_EXE_FORMAT = 193, "ERROR_BAD_EXE_FORMAT", "not a program this system can run";
    ENVVAR_NOT_FOUND = 203, "ERROR_ENVVAR_NOT_FOUND", "environment variable not found";
    FILENAME_EXCED_RANGE = 206, "ERROR_FILENAME_EXCED_RANGE", "the name is too long";
    FILE_TOO_LARGE = 223, "ERROR_FILE_TOO_LARGE", "the file would be too large";
    BAD_PIPE = 230, "ERROR_BAD_PIPE", "the pipe is in a state that does not allow this";
    PIPE_BUSY = 231, "ERROR_PIPE_BUSY", "all instances of the pipe are busy";
    NO_DATA = 232, "ERROR_NO_DATA", "the pipe is empty or being closed";
    PIPE_NOT_CONNECTED = 233, "ERROR_PIPE_NOT_CONNECTED", "nobody is at the other end of the pipe";
    MORE_DATA = 234, "ERROR_MORE_DATA", "there is more of this message";
    WAIT_TIMEOUT = 258, "WAIT_TIMEOUT", "the wait ended without result";
    NO_MORE_ITEMS = 259, "ERROR_NO_MORE_ITEMS", "nothing more to list";
    DIRECTORY = 267, "ERROR_DIRECTORY", "not a usable folder";
    NOT_OWNER = 288, "ERROR_NOT_OWNER", "the calling thread does not own the mutex";
    TOO_MANY_POSTS = 298, "ERROR_TOO_MANY_POSTS", "the semaphore would pass its maximum";
    PARTIAL_COPY = 299, "ERROR_PARTIAL_COPY", "only a part was copied";
    INVALID_ADDRESS = 487, "ERROR_INVALID_ADDRESS", "not an address for this call";
    ARITHMETIC_OVERFLOW = 534, "ERROR_ARITHMETIC_OVERFLOW", "a number does not fit";
    PIPE_CONNECTED = 535, "ERROR_PIPE_CONNECTED", "a client is connected already";
    PIPE_LISTENING = 536, "ERROR_PIPE_LISTENING", "the pipe is still waiting for a client";
    OPERATION_ABORTED = 995, "ERROR_OPERATION_ABORTED", "the operation was cancelled";
    IO_INCOMPLETE = 996, "ERROR_IO_INCOMPLETE", "the operation has not finished yet";
    IO_PENDING = 997, "ERROR_IO_PENDING", "the operation goes on in the background";
    NOACCESS = 998, "ERROR_NOACCESS", "this memory cannot be used";
    INVALID_FLAGS = 1004, "ERROR_INVALID_FLAGS", "a flag that does not exist, or not with the others";
    FILE_INVALID = 1006, "ERROR_FILE_INVALID", "the file cannot be used for this, it may be empty";
    IO_DEVICE = 1117, "ERROR_IO_DEVICE", "the device reported an error";
    POSSIBLE_DEADLOCK = 1131, "ERROR_POSSIBLE_DEADLOCK", "the thread would wait for itself";
    MAPPED_ALIGNMENT = 1132, "ERROR_MAPPED_ALIGNMENT", "not a multiple of the allocation granularity";
    MESSAGE_SYNC_ONLY = 1159, "ERROR_MESSAGE_SYNC_ONLY", "a message with pointers can be sent only, not posted";
    NOT_FOUND = 1168, "ERROR_NOT_FOUND", "not found";
    CANCELLED = 1223, "ERROR_CANCELLED", "cancelled by the user";
    USER_MAPPED_FILE = 1224, "ERROR_USER_MAPPED_FILE", "the file is mapped";
    CONNECTION_REFUSED = 1225, "ERROR_CONNECTION_REFUSED", "the other side refused the connection";
    INVALID_OWNER = 1307, "ERROR_INVALID_OWNER", "this user cannot be made the owner";
    INVALID_PRIMARY_GROUP = 1308, "ERROR_INVALID_PRIMARY_GROUP", "this group cannot be made the group of the object";
    PRIVILEGE_NOT_HELD = 1314, "ERROR_PRIVILEGE_NOT_HELD", "a privilege is missing";
    INVALID_ACL = 1336, "ERROR_INVALID_ACL", "not a valid access list";
    INVALID_SID = 1337, "ERROR_INVALID_SID", "not a valid user or group id";
    INVALID_SECURITY_DESCR = 1338, "ERROR_INVALID_SECURITY_DESCR", "not a valid security descriptor";
    INTERNAL_ERROR = 1359, "ERROR_INTERNAL_ERROR", "an internal rule was broken";
    FILE_CORRUPT = 1392, "ERROR_FILE_CORRUPT", "the file is damaged";
    INVALID_WINDOW_HANDLE = 1400, "ERROR_INVALID_WINDOW_HANDLE", "there is no such window";
    TLW_WITH_WSCHILD = 1406, "ERROR_TLW_WITH_WSCHILD", "a child window needs a parent";
    CANNOT_FIND_WND_CLASS = 1407, "ERROR_CANNOT_FIND_WND_CLASS", "this process has no such window class";
    CLASS_ALREADY_EXISTS = 1410, "ERROR_CLASS_ALREADY_EXISTS", "the window class exists already";
    CLASS_DOES_NOT_EXIST = 1411, "ERROR_CLASS_DOES_NOT_EXIST", "there is no such window class";
    CLASS_HAS_WINDOWS = 1412, "ERROR_CLASS_HAS_WINDOWS", "the window class still has windows";
    INVALID_INDEX = 1413, "ERROR_INVALID_INDEX", "the window has nothing at this index";
    INVALID_THREAD_ID = 1444, "ERROR_INVALID_THREAD_ID", "there is no such thread, or it has no message queue";
    NO_SYSTEM_RESOURCES = 1450, "ERROR_NO_SYSTEM_RESOURCES", "the system has no resources left for this";
    COMMITMENT_LIMIT = 1455, "ERROR_COMMITMENT_LIMIT", "more memory than the system can promise";
    TIMEOUT = 1460, "ERROR_TIMEOUT", "the time ran out";
    INVALID_USER_BUFFER = 1784, "ERROR_INVALID_USER_BUFFER", "the buffer is not usable for this";
    NOT_ENOUGH_QUOTA = 1816, "ERROR_NOT_ENOUGH_QUOTA", "the quota does not allow this";
    REMOTE_MAILSLOTS_DEPRECATED = 3025, "ERROR_REMOTE_MAILSLOTS_DEPRECATED", "mailslots of other machines are switched off";
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use std::format;

    #[test]
    fn the_table_ascends_so_that_look_up_finds_every_code() {
        assert!(CODES.windows(2).all(|pair| pair[0] < pair[1]));
        for code in Code::all() {
            let name = code.name().expect("listed codes have names");
            assert!(name.starts_with("ERROR_") || *code == Code::WAIT_TIMEOUT);
            assert!(!code.message().is_empty());
        }
    }

    #[test]
    fn names_and_texts_are_not_used_twice() {
        for (at, code) in CODES.iter().enumerate() {
            for other in &CODES[at + 1..] {
                assert_ne!(code.name(), other.name());
                assert_ne!(code.message(), other.message());
            }
        }
    }

    /// handles.md section 9.
    #[test]
    fn the_numbers_of_the_spec_have_their_names() {
        let spec = [
            (1, "INVALID_FUNCTION"),
            (2, "FILE_NOT_FOUND"),
            (3, "PATH_NOT_FOUND"),
            (5, "ACCESS_DENIED"),
            (6, "INVALID_HANDLE"),
            (8, "NOT_ENOUGH_MEMORY"),
            (32, "SHARING_VIOLATION"),
            (38, "HANDLE_EOF"),
            (50, "NOT_SUPPORTED"),
            (53, "BAD_NETPATH"),
            (87, "INVALID_PARAMETER"),
            (109, "BROKEN_PIPE"),
            (112, "DISK_FULL"),
            (121, "SEM_TIMEOUT"),
            (122, "INSUFFICIENT_BUFFER"),
            (123, "INVALID_NAME"),
            (161, "BAD_PATHNAME"),
            (183, "ALREADY_EXISTS"),
            (193, "BAD_EXE_FORMAT"),
            (206, "FILENAME_EXCED_RANGE"),
            (230, "BAD_PIPE"),
            (231, "PIPE_BUSY"),
            (232, "NO_DATA"),
            (233, "PIPE_NOT_CONNECTED"),
            (234, "MORE_DATA"),
            (288, "NOT_OWNER"),
            (298, "TOO_MANY_POSTS"),
            (487, "INVALID_ADDRESS"),
            (535, "PIPE_CONNECTED"),
            (536, "PIPE_LISTENING"),
            (995, "OPERATION_ABORTED"),
            (996, "IO_INCOMPLETE"),
            (997, "IO_PENDING"),
            (1006, "FILE_INVALID"),
            (1131, "POSSIBLE_DEADLOCK"),
            (1132, "MAPPED_ALIGNMENT"),
            (1168, "NOT_FOUND"),
            (1224, "USER_MAPPED_FILE"),
            (1314, "PRIVILEGE_NOT_HELD"),
        ];
        for (number, name) in spec {
            assert_eq!(Code::new(number).name(), Some(format!("ERROR_{name}").as_str()));
        }
        assert_eq!(Code::new(258).name(), Some("WAIT_TIMEOUT"));
    }

    #[test]
    fn a_known_code_prints_text_name_and_number() {
        assert_eq!(Code::FILE_NOT_FOUND.to_string(), "file not found (ERROR_FILE_NOT_FOUND, 2)");
        assert_eq!(format!("{:?}", Code::FILE_NOT_FOUND), "ERROR_FILE_NOT_FOUND");
    }

    #[test]
    fn an_unknown_code_passes_through_with_its_number() {
        let code = Code::new(0xDEAD_BEEF);
        assert_eq!(code.value(), 0xDEAD_BEEF);
        assert_eq!(code.name(), None);
        assert_eq!(code.to_string(), "unknown error (3735928559)");
        assert_eq!(format!("{code:?}"), "Code(3735928559)");
    }
}
