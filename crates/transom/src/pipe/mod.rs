//! Anonymous pipes (`CreatePipe`): one-way, byte type, for parent and child, standard streams included.
//!
//! A pipe is broken for its reader when *every* write handle everywhere is closed (P74): close your own
//! copy after starting a child.

use std::io;

use crate::error::{Code, Result};
use crate::handle::{AsHandle, Handle, Kind, object_impls};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
pub(crate) mod imp;

#[cfg(test)]
mod tests;

/// An end of a pipe, whichever: the calls that both ends have. See [`PipeReader`] and [`PipeWriter`].
#[derive(Debug)]
pub struct Pipe(Handle);

object_impls!(Pipe, Kind::Pipe, "use pipe");

/// What `PeekNamedPipe` saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peek {
    /// Bytes copied into the buffer.
    pub copied: usize,
    /// All unread bytes of the pipe.
    pub available: usize,
}

/// What `GetNamedPipeInfo` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PipeInfo {
    /// `PIPE_SERVER_END` (1) and `PIPE_TYPE_MESSAGE` (4) bits; the read end of an anonymous pipe is a server end (P72).
    pub flags: u32,
    /// Bytes of the outbound quota.
    pub out_size: u32,
    /// Bytes of the inbound quota; both are what `CreatePipe` was given (P33).
    pub in_size: u32,
    /// The most instances: 1.
    pub max_instances: u32,
}

impl Pipe {
    /// `ReadFile`: waits for at least one byte and takes what is there, at most `buffer` (P22). A read of 0
    /// bytes waits for data and takes nothing (P24).
    ///
    /// # Errors
    /// `ERROR_BROKEN_PIPE` (109): empty, and every write end is closed (P25).
    /// `ERROR_NO_DATA` (232): empty, in `PIPE_NOWAIT` mode (P41).
    /// `ERROR_ACCESS_DENIED` (5): a write end (P72).
    #[doc(alias = "ReadFile")]
    pub fn receive(&self, buffer: &mut [u8]) -> Result<usize> {
        imp::read(&self.0, buffer)
    }

    /// `WriteFile`: writes all of `bytes`, waiting for room; 0 bytes succeed and are invisible (P23).
    /// In `PIPE_NOWAIT` mode it writes all or nothing and returns 0 for nothing (P42).
    ///
    /// # Errors
    /// `ERROR_NO_DATA` (232): every read end is closed.
    /// `ERROR_ACCESS_DENIED` (5): a read end (P72).
    #[doc(alias = "WriteFile")]
    pub fn send(&self, bytes: &[u8]) -> Result<usize> {
        imp::write(&self.0, bytes)
    }

    /// `PeekNamedPipe`: copies from the front without taking; never blocks.
    ///
    /// # Errors
    /// `ERROR_BROKEN_PIPE` (109): empty, and every write end is closed. `ERROR_ACCESS_DENIED` (5): a write end.
    #[doc(alias = "PeekNamedPipe")]
    pub fn peek(&self, buffer: &mut [u8]) -> Result<Peek> {
        imp::peek(&self.0, buffer)
    }

    /// `FlushFileBuffers`: waits until everything written has been read (P40).
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): a read end.
    ///
    /// # Differs from Windows
    /// On Linux an anonymous pipe cannot tell when it was drained: the call returns at once.
    #[doc(alias = "FlushFileBuffers")]
    pub fn flush(&self) -> Result<()> {
        imp::flush(&self.0)
    }

    /// `GetNamedPipeInfo`.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `FILE_READ_ATTRIBUTES`.
    #[doc(alias = "GetNamedPipeInfo")]
    pub fn info(&self) -> Result<PipeInfo> {
        imp::info(&self.0)
    }

    /// Whether the end is in `PIPE_NOWAIT` mode (`GetNamedPipeHandleState`).
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `FILE_READ_ATTRIBUTES`.
    #[doc(alias = "GetNamedPipeHandleState")]
    pub fn nowait(&self) -> Result<bool> {
        imp::nowait(&self.0)
    }

    /// Sets the mode word (`SetNamedPipeHandleState`): bit 0 is `PIPE_NOWAIT`.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): message read mode or undefined bits (P31).
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `FILE_WRITE_ATTRIBUTES`.
    #[doc(alias = "SetNamedPipeHandleState")]
    pub fn set_mode(&self, mode: u32) -> Result<()> {
        imp::set_mode(&self.0, mode)
    }
}

/// How an anonymous pipe is created (`CreatePipe`).
#[derive(Debug, Clone, Copy, Default)]
pub struct PipeOptions {
    pub(crate) size: u32,
    pub(crate) inherit: bool,
}

impl PipeOptions {
    /// A pipe with the default quota of 4096 bytes; neither end is inheritable.
    #[must_use]
    pub fn new() -> PipeOptions {
        PipeOptions::default()
    }

    /// The quota in bytes (`nSize`); 0 = 4096.
    #[must_use]
    pub fn size(mut self, bytes: u32) -> PipeOptions {
        self.size = bytes;
        self
    }

    /// Whether both ends are inheritable. Take it back from one with
    /// [`Handle::set_information`](crate::handle::Handle::set_information).
    #[must_use]
    pub fn inherit(mut self, inherit: bool) -> PipeOptions {
        self.inherit = inherit;
        self
    }

    /// `CreatePipe`: the read end and the write end.
    ///
    /// # Errors
    /// `ERROR_TOO_MANY_OPEN_FILES` (4).
    #[doc(alias = "CreatePipe")]
    pub fn create(&self) -> Result<(PipeReader, PipeWriter)> {
        let (reader, writer) = imp::create(self)?;
        Ok((PipeReader(Pipe(reader)), PipeWriter(Pipe(writer))))
    }
}

/// An anonymous pipe with the default quota.
///
/// # Errors
/// As [`PipeOptions::create`].
pub fn anonymous() -> Result<(PipeReader, PipeWriter)> {
    PipeOptions::new().create()
}

/// The read end of a pipe; [`io::Read`] reports the end of the pipe as 0 bytes.
#[derive(Debug)]
pub struct PipeReader(Pipe);

/// The write end of a pipe.
#[derive(Debug)]
pub struct PipeWriter(Pipe);

impl PipeReader {
    /// Takes a handle to a read end, as a child does with an inherited one.
    #[must_use]
    pub fn new(pipe: Pipe) -> PipeReader {
        PipeReader(pipe)
    }

    /// The end with its Win32 calls.
    #[must_use]
    pub fn pipe(&self) -> &Pipe {
        &self.0
    }

    /// Gives the end up for its Win32 calls alone.
    #[must_use]
    pub fn into_pipe(self) -> Pipe {
        self.0
    }
}

impl PipeWriter {
    /// Takes a handle to a write end, as a child does with an inherited one.
    #[must_use]
    pub fn new(pipe: Pipe) -> PipeWriter {
        PipeWriter(pipe)
    }

    /// The end with its Win32 calls.
    #[must_use]
    pub fn pipe(&self) -> &Pipe {
        &self.0
    }

    /// Gives the end up for its Win32 calls alone.
    #[must_use]
    pub fn into_pipe(self) -> Pipe {
        self.0
    }
}

impl AsHandle for PipeReader {
    fn as_handle(&self) -> &Handle {
        self.0.as_handle()
    }
}

impl AsHandle for PipeWriter {
    fn as_handle(&self) -> &Handle {
        self.0.as_handle()
    }
}

impl io::Read for &PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.receive(buffer) {
            Err(error) if error.code() == Code::BROKEN_PIPE => Ok(0),
            Err(error) if error.code() == Code::NO_DATA => {
                Err(io::Error::new(io::ErrorKind::WouldBlock, error))
            }
            result => result.map_err(io::Error::from),
        }
    }
}

impl io::Read for PipeReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buffer)
    }
}

impl io::Write for &PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.send(bytes) {
            Ok(0) if !bytes.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            result => result.map_err(io::Error::from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
