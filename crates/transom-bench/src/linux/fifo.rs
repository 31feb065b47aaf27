//! Two pipes of the kernel, pipe(2), one each way, with the capacity they are born with.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;

use transom_sys::linux::{fd, procfs};

use super::stream::Connection;
use crate::error::{Error, Result};
use crate::link::{Link, Place, Server};

pub(super) struct Pipes;

/// Both pipes, before the partner gives up the ends that are the worker's.
pub(super) struct Made {
    /// The partner's own.
    ends: Option<(PipeReader, PipeWriter)>,
    /// Those that the worker opens. They stay open here: one link is all that these pipes are for.
    worker: (PipeReader, PipeWriter),
    polling: bool,
}

/// An end: what it reads from and what it writes to.
pub(super) struct Both<R, W>(R, W);

impl<R: Read, W> Read for Both<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R, W: Write> Write for Both<R, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

impl Link for Pipes {
    type Server = Made;
    type Client = Connection<Both<File, File>>;

    fn listen(place: &Place) -> Result<Made> {
        let pipe = || io::pipe().map_err(Error::of("make a pipe"));
        let ((here, worker_writes), (worker_reads, there)) = (pipe()?, pipe()?);
        let (ends, worker) = (Some((here, there)), (worker_reads, worker_writes));
        Ok(Made { ends, worker, polling: place.polling })
    }

    fn connect(place: &Place) -> Result<Connection<Both<File, File>>> {
        let odd = || Error::new(format!("'{}' tells no pipes", place.address));
        let numbers: Vec<u32> = place.address.split(' ').filter_map(|word| word.parse().ok()).collect();
        let &[process, read, write] = numbers.as_slice() else { return Err(odd()) };
        let open = |number: u32, reading| {
            let file = procfs::open_descriptor(process, number as i32, reading, !reading)
                .map_err(Error::of("open the partner's pipe"))?;
            fd::set_nonblocking(&file, place.polling).map_err(Error::of("set a pipe's mode"))?;
            Ok::<File, Error>(file.into())
        };
        Ok(Connection(Both(open(read, true)?, open(write, false)?)))
    }
}

impl Server for Made {
    type End = Connection<Both<PipeReader, PipeWriter>>;

    fn address(&self) -> String {
        let (read, write) = &self.worker;
        format!("{} {} {}", std::process::id(), read.as_raw_fd(), write.as_raw_fd())
    }

    fn accept(&mut self) -> Result<Self::End> {
        let (read, write) = self.ends.take().ok_or_else(|| Error::new("these pipes are taken"))?;
        fd::set_nonblocking(&read, self.polling).map_err(Error::of("set a pipe's mode"))?;
        fd::set_nonblocking(&write, self.polling).map_err(Error::of("set a pipe's mode"))?;
        Ok(Connection(Both(read, write)))
    }
}
