//! The memory of one connection: a sealed memory file, mapped whole.
//!
//! ```text
//!  0        2432                  page      + 1664                 page
//!  ├─ header ─┼─ client to server ─┼─ Control ─┼─ server to client ─┤
//! ```
//! Header and `Control` are [`transom_core::ring::layout`]'s. Data bytes are reached through [`Area`] alone, which copies
//! them in and out and checks where; control words are atomics. So whatever the peer writes, nothing here is undefined.
//!
//! # Who waits in a write
//! A write that waits counts for as long as its process lives (P38). Each process that waits has a row in the header
//! and one byte of the file locked, by an open file of its own: the kernel drops the lock when the process is gone,
//! whoever else has the memory.
//!
//! # Safety
//! S1. The header, the second `Control` and both data areas lie inside the mapping, one behind the other:
//!     [`Segment::map`] compares their sizes with the file's, which is sealed, and keeps what it computed.
//! S2. The mapping lives as long as the `Segment`; references to it borrow from that.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::Ordering;

use transom_core::code::Code;
use transom_core::pipe::Role;
use transom_core::ring::Shape as QueueShape;
use transom_core::ring::layout::{self, Control, Description, HOLDERS, SegmentHeader};
use transom_sys::linux::fault::step;
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{fd, lock, memfd, process, procfs, random};

use super::area::Area;
use super::cookie;
use super::errno::{to_code, with_room};

/// What `CreateNamedPipe` says about an instance's queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Writes are messages.
    pub(crate) message: bool,
    /// Client to server, bytes (`nInBufferSize`).
    pub(crate) quota_in: u32,
    /// Server to client, bytes (`nOutBufferSize`).
    pub(crate) quota_out: u32,
}

/// The first of the bytes that are locked by who waits; far from the content.
const FIRST_BYTE: u64 = 1 << 40;

/// A process's row in the table of who waits.
#[derive(Debug)]
struct Row {
    index: u32,
    /// Has the row's byte locked.
    _file: OwnedFd,
}

/// The memory of a connection.
#[derive(Debug)]
pub(crate) struct Segment {
    file: OwnedFd,
    description: Description,
    shape_in: QueueShape,
    shape_out: QueueShape,
    data_in: Area,
    /// Where the words of the queue from server to client lie.
    queue_out_at: usize,
    data_out: Area,
    row: OnceLock<Option<Row>>,
    // Last: what points into it goes first.
    pages: SharedPages,
}

impl Segment {
    /// A fresh one: its file is sealed, and only touched pages take memory.
    ///
    /// # Errors
    /// 4, 8, 1450, 112: no descriptors, memory or space.
    pub(crate) fn create(shape: &Shape) -> Result<Segment, Code> {
        let description = Description {
            cookie: cookie::words(&random::cookie()),
            message: shape.message,
            quota_in: shape.quota_in,
            quota_out: shape.quota_out,
            capacity_in: layout::capacity_for(shape.message, shape.quota_in),
            capacity_out: layout::capacity_for(shape.message, shape.quota_out),
        };
        let length = description.segment_len().ok_or(Code::NOT_ENOUGH_MEMORY)?;
        let file = with_room(|| memfd::create("transom-pipe"))?;
        to_code(memfd::set_size(&file, length))?;
        to_code(memfd::seal_size(&file))?;
        let segment = Segment::map(file, Some(description), length)?;
        segment.header().describe(&description);
        step("segment-described");
        Ok(segment)
    }

    /// The segment of a file that another process made.
    ///
    /// # Errors
    /// 1392: it is no segment, can be cut short, or is another than the one with this cookie. 8: no room for it.
    pub(crate) fn attach(file: OwnedFd, cookie: &[u8; 16]) -> Result<Segment, Code> {
        if !memfd::is_size_sealed(file.as_fd()) {
            return Err(Code::FILE_CORRUPT);
        }
        let (_, _, length) = to_code(fd::identity(&file))?;
        let segment = Segment::map(file, None, length)?;
        if segment.cookie() != *cookie {
            return Err(Code::FILE_CORRUPT);
        }
        Ok(segment)
    }

    fn map(file: OwnedFd, known: Option<Description>, length: u64) -> Result<Segment, Code> {
        let bytes = usize::try_from(length).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        if length < layout::SEGMENT_HEADER_LEN {
            return Err(Code::FILE_CORRUPT);
        }
        let pages = to_code(SharedPages::map(&file, bytes))?;
        // SAFETY: the mapping begins with a whole header (S1), all of whose fields are atomics.
        let header = unsafe { &*(pages.address() as *const SegmentHeader) };
        let description = match known {
            Some(description) => description,
            None => header.check().map_err(|_| Code::FILE_CORRUPT)?,
        };
        let (Some(queue_out_at), Some(data_out_at)) = (description.queue_out_at(), description.data_out_at())
        else {
            return Err(Code::FILE_CORRUPT);
        };
        if description.segment_len() != Some(length) {
            return Err(Code::FILE_CORRUPT);
        }
        let queue =
            |quota, capacity| QueueShape::new(description.message, quota, capacity).ok_or(Code::FILE_CORRUPT);
        let data = |offset: u64, capacity: u64| {
            // SAFETY: both queues lie in the mapping (S1), which outlives them (S2); nobody else makes references there.
            unsafe { Area::new(pages.address() + offset as usize, capacity as usize) }
        };
        Ok(Segment {
            shape_in: queue(description.quota_in, description.capacity_in)?,
            shape_out: queue(description.quota_out, description.capacity_out)?,
            data_in: data(layout::SEGMENT_HEADER_LEN, description.capacity_in),
            queue_out_at: queue_out_at as usize,
            data_out: data(data_out_at, description.capacity_out),
            file,
            description,
            row: OnceLock::new(),
            pages,
        })
    }

    pub(crate) fn cookie(&self) -> [u8; 16] {
        cookie::bytes(self.description.cookie)
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    pub(crate) fn shape(&self) -> Shape {
        let Description { message, quota_in, quota_out, .. } = self.description;
        Shape { message, quota_in, quota_out }
    }

    /// What it begins with: the words on use alone. Queues are driven by [`End`](super::channel::End) only.
    #[inline]
    pub(crate) fn words(&self) -> &SegmentHeader {
        self.header()
    }

    #[inline]
    fn header(&self) -> &SegmentHeader {
        // SAFETY: S1, S2; page-aligned, and all fields are atomics.
        unsafe { &*(self.pages.address() as *const SegmentHeader) }
    }

    #[inline]
    fn queue_out(&self) -> &Control {
        // SAFETY: S1, S2; at a multiple of a page, and all fields are atomics.
        unsafe { &*((self.pages.address() + self.queue_out_at) as *const Control) }
    }

    /// Empty, as if new, under the same cookie. Only for who knows that nobody else uses it.
    pub(crate) fn reset(&self) {
        self.header().reset();
        self.queue_out().reset();
    }

    /// The parts of the queue that the end of `reader` reads from.
    #[inline]
    pub(super) fn queue_read_by(&self, reader: Role) -> (&Control, &Area, QueueShape) {
        match reader {
            Role::Server => (&self.header().queue_in, &self.data_in, self.shape_in),
            Role::Client => (self.queue_out(), &self.data_out, self.shape_out),
        }
    }

    /// This process's row in the table of who waits; made when first asked for. `None`: the table is full, or the
    /// system refuses the lock.
    pub(super) fn row(&self) -> Option<u32> {
        self.row.get_or_init(|| self.take_row()).as_ref().map(|row| row.index)
    }

    /// As [`Segment::row`], if there is one already.
    #[inline]
    pub(super) fn known_row(&self) -> Option<u32> {
        self.row.get().and_then(Option::as_ref).map(|row| row.index)
    }

    #[cold]
    fn take_row(&self) -> Option<Row> {
        let file = with_room(|| procfs::reopen(&self.file, true, true)).ok()?;
        for (index, pid) in self.header().holders.iter().enumerate() {
            if lock::lock_byte(&file, FIRST_BYTE + index as u64) != Ok(true) {
                continue;
            }
            step("row-locked");
            if pid.load(Ordering::Acquire) != 0 {
                // Whoever had it is gone; what it left waiting is nobody's.
                for role in [Role::Server, Role::Client] {
                    let (control, data, shape) = self.queue_read_by(role);
                    transom_core::ring::Queue::new(control, data, shape).disown(index as u32);
                }
            }
            pid.store(process::id(), Ordering::Release);
            return Some(Row { index: index as u32, _file: file });
        }
        None
    }

    /// Whether the process of a row has ended.
    pub(super) fn is_dead(&self, row: u32) -> bool {
        if row as usize >= HOLDERS {
            return true;
        }
        if self.known_row() == Some(row) {
            return false;
        }
        lock::is_byte_locked(&self.file, FIRST_BYTE + u64::from(row)) == Ok(false)
    }

    /// The process of a row; 0 if it has none.
    pub(super) fn holder(&self, row: u32) -> u32 {
        self.header().holders.get(row as usize).map_or(0, |pid| pid.load(Ordering::Relaxed))
    }

    /// Writes nonsense into the header, as a hostile peer may.
    #[cfg(test)]
    pub(super) fn scribble(&self, offset: usize, value: u64) {
        self.pages.u64(offset).store(value, Ordering::SeqCst);
    }

    /// Gives this process's row up: nothing of it waits any more.
    pub(super) fn leave_row(&self) {
        if let Some(row) = self.known_row()
            && let Some(pid) = self.header().holders.get(row as usize)
        {
            pid.store(0, Ordering::Release);
        }
    }
}
