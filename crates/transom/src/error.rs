//! Errors that keep the Win32 code.

use std::fmt;
use std::io;

pub use transom_core::code::Code;

/// What went wrong: the operation, the object's name if it has one, and the Win32 code.
///
/// The code survives every conversion: [`io::Error::from`] wraps the whole error under the matching
/// [`io::ErrorKind`], and [`Error::code`] gives back what Windows would leave in `GetLastError`.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    operation: &'static str,
    name: Option<Box<str>>,
    code: Code,
}

/// A result whose error keeps the Win32 code.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `operation` with `code`.
    #[must_use]
    pub fn new(operation: &'static str, code: Code) -> Error {
        Error { operation, name: None, code }
    }

    /// The same error, naming the object it happened to.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<Box<str>>) -> Error {
        self.name = Some(name.into());
        self
    }

    /// What was being done, as a verb and a noun: `"create event"`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// The object's name, where the operation had one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The Win32 code, as `GetLastError` has it on Windows.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} '{}': {}", self.operation, name, self.code),
            None => write!(f, "{}: {}", self.operation, self.code),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        let kind = match error.code {
            Code::FILE_NOT_FOUND | Code::PATH_NOT_FOUND | Code::ENVVAR_NOT_FOUND => io::ErrorKind::NotFound,
            Code::ACCESS_DENIED | Code::PRIVILEGE_NOT_HELD | Code::NOT_OWNER => {
                io::ErrorKind::PermissionDenied
            }
            Code::ALREADY_EXISTS => io::ErrorKind::AlreadyExists,
            Code::BROKEN_PIPE | Code::NO_DATA => io::ErrorKind::BrokenPipe,
            Code::INVALID_PARAMETER | Code::INVALID_NAME | Code::INVALID_HANDLE | Code::BAD_PATHNAME => {
                io::ErrorKind::InvalidInput
            }
            Code::NOT_ENOUGH_MEMORY | Code::COMMITMENT_LIMIT => io::ErrorKind::OutOfMemory,
            Code::DISK_FULL => io::ErrorKind::StorageFull,
            Code::WAIT_TIMEOUT | Code::SEM_TIMEOUT => io::ErrorKind::TimedOut,
            Code::NOT_SUPPORTED => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
