//! Why something could not be measured: words for people, since nothing depends on the cause.

use std::fmt;

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Why something could not be measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    unsupported: bool,
}

impl Error {
    /// A failure in words.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), unsupported: false }
    }

    /// This system cannot do that.
    #[must_use]
    pub fn unsupported(message: impl Into<String>) -> Error {
        Error { message: message.into(), unsupported: true }
    }

    /// Whether this system cannot do that at all.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        self.unsupported
    }

    /// A way to put what was attempted in front of a failure of any kind: `.map_err(Error::of("open it"))`.
    pub fn of<E: fmt::Display>(attempt: &str) -> impl FnOnce(E) -> Error {
        move |error| Error::new(format!("cannot {attempt}: {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<transom::Error> for Error {
    fn from(error: transom::Error) -> Error {
        Error::new(error.to_string())
    }
}
