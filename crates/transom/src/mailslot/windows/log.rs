//! Windows has nothing that lets a process sleep on shared memory, so there is no broadcast.

use std::convert::Infallible;

use super::Received;
use crate::error::{Code, Error, Result};
use crate::wait::Timeout;

/// There is none.
#[derive(Debug)]
pub(super) struct Log(Infallible);

/// A place in what does not exist.
#[derive(Debug)]
pub(super) struct Place(Infallible);

impl Log {
    pub(super) fn create(_name: &str, _capacity: usize) -> Result<Log> {
        Err(Error::new("create broadcast", Code::NOT_SUPPORTED))
    }

    pub(super) fn open(_name: &str) -> Result<Log> {
        Err(Error::new("open broadcast", Code::NOT_SUPPORTED))
    }

    pub(super) fn end(&self) -> Result<Place> {
        match self.0 {}
    }

    pub(super) fn publish(&self, _message: &[u8]) -> Result<()> {
        match self.0 {}
    }

    pub(super) fn receive(
        &self,
        place: &mut Place,
        _buffer: &mut [u8],
        _timeout: Timeout,
    ) -> Result<Received> {
        match place.0 {}
    }
}
