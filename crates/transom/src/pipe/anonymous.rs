//! Anonymous pipes: one-way, byte type, for parent and child, standard streams included.

use super::{Pipe, end_impls, imp, stream_reader, stream_writer};
use crate::error::Result;

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

/// The read end of a pipe; [`std::io::Read`] reports the end of the pipe as 0 bytes.
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
}

impl PipeWriter {
    /// Takes a handle to a write end, as a child does with an inherited one.
    #[must_use]
    pub fn new(pipe: Pipe) -> PipeWriter {
        PipeWriter(pipe)
    }
}

end_impls!(PipeReader);
end_impls!(PipeWriter);
stream_reader!(PipeReader, &PipeReader);
stream_writer!(PipeWriter, &PipeWriter);
