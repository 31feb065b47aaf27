//! Programs that play workers in place of this one.

use std::ffi::{OsStr, OsString};
use std::sync::{Arc, LazyLock};

use crate::error::Result;

/// A program that answers as [`Sample`](crate::Sample) says: one that is there, or one that is made for the run.
#[derive(Debug, Clone)]
pub struct Program(Arc<Made>);

type Made = LazyLock<Result<OsString>, Box<dyn FnOnce() -> Result<OsString> + Send>>;

impl Program {
    /// One that `make` makes when a case with it is started, once for all such cases: not in a run that leaves them
    /// out. Where it fails they are skipped, with its reason.
    #[must_use]
    pub fn made(make: impl FnOnce() -> Result<OsString> + Send + 'static) -> Program {
        Program(Arc::new(LazyLock::new(Box::new(make))))
    }

    /// What is to be run.
    pub(crate) fn path(&self) -> Result<&OsStr> {
        let made: &Result<OsString> = &self.0;
        made.as_deref().map_err(Clone::clone)
    }
}

impl From<&str> for Program {
    fn from(name: &str) -> Program {
        let name = name.into();
        Program::made(|| Ok(name))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::error::Error;

    #[test]
    fn a_program_is_made_once_and_when_it_is_needed() {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let program = Program::made(|| {
            MADE.fetch_add(1, Ordering::Relaxed);
            Ok("x".into())
        });
        let copy = program.clone();
        assert_eq!(MADE.load(Ordering::Relaxed), 0);
        assert_eq!(program.path().unwrap(), "x");
        assert_eq!(copy.path().unwrap(), "x");
        assert_eq!(MADE.load(Ordering::Relaxed), 1);
        let failing = Program::made(|| Err(Error::new("no compiler")));
        assert_eq!(failing.path().unwrap_err().to_string(), "no compiler");
    }
}
