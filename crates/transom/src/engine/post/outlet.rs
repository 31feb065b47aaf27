//! The writer's end of a mailslot.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use transom_core::code::Code;
use transom_core::post::layout::BLOCK;
use transom_core::post::{LaneWriter, Refused};
use transom_sys::linux::fault::step;
use transom_sys::linux::{lock, process, procfs};

use super::super::burst::Burst;
use super::super::errno::{to_code, with_room};
use super::super::latch::Latch;
use super::super::spin::{self, cycles};
use super::{Mailbox, SENT, WRITER_LOCKS};
use crate::namespace::imp as namespace;

/// A writer's end as this process has it.
#[derive(Debug)]
pub(crate) struct Outlet {
    mailbox: Mailbox,
    /// An open file of the entry of its own, which has the writer's lock.
    entry: OwnedFd,
    lane: Latch<Pen>,
    handles: AtomicU32,
    /// When the server was last seen, in cycles.
    seen: AtomicU64,
    burst: Burst,
}

/// What a writer writes with.
#[derive(Debug)]
struct Pen {
    writer: Option<LaneWriter>,
    /// A bit for each block that this writer has got memory for once: it stays with the mailslot.
    reserved: Vec<u64>,
}

impl Outlet {
    /// A writer with an open file of the entry that nobody else has.
    pub(crate) fn new(mailbox: Mailbox, entry: OwnedFd) -> Outlet {
        Outlet {
            mailbox,
            entry,
            lane: Latch::new(Pen { writer: None, reserved: Vec::new() }),
            handles: AtomicU32::new(0),
            seen: AtomicU64::new(0),
            burst: Burst::new(),
        }
    }

    /// One that came from another process, with that one's open file of the entry.
    ///
    /// # Errors
    /// 4: too many open files. 1392: it is no mailslot.
    pub(crate) fn arrive(memory: OwnedFd, entry: &OwnedFd, sealed: bool) -> Result<Outlet, Code> {
        let entry = with_room(|| procfs::reopen(entry, true, true))?;
        Ok(Outlet::new(Mailbox::open(memory, sealed)?, entry))
    }

    pub(crate) fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    pub(crate) fn entry(&self) -> BorrowedFd<'_> {
        self.entry.as_fd()
    }

    /// Takes a lane, if there is none yet.
    ///
    /// # Errors
    /// 1450: all lanes are taken. 8: all blocks are.
    pub(crate) fn take_lane(&self) -> Result<(), Code> {
        self.lane.with(|pen| {
            if pen.writer.is_none() {
                pen.writer = Some(self.open_lane()?);
            }
            Ok(())
        })
    }

    fn open_lane(&self) -> Result<LaneWriter, Code> {
        let post = self.mailbox.post();
        self.mailbox.tidy(self.entry.as_fd());
        let mut swept = false;
        let mut from = 0;
        loop {
            let free = post.free_row(from);
            // When all rows so far are taken and as many again would be, dead writers may have some.
            let crowded =
                free.is_none_or(|row| row >= post.header().high() && row >= 16 && row.is_power_of_two());
            if crowded && !swept {
                swept = true;
                from = 0;
                self.mailbox.sweep(self.entry.as_fd(), None);
                continue;
            }
            let Some(row) = free else { return Err(Code::NO_SYSTEM_RESOURCES) };
            from = row + 1;
            let byte = WRITER_LOCKS + row as u64;
            match lock::lock_byte(&self.entry, byte) {
                Ok(true) => {}
                // Another writer is about to take the row, or has just ended.
                Ok(false) => continue,
                Err(_) => return Err(Code::NO_SYSTEM_RESOURCES),
            }
            step("lane-locked");
            // From here on nobody else opens this row.
            if post.is_free(row) {
                let opened = self.open_row(row, &mut swept);
                if opened.is_err() {
                    let _ = lock::unlock_byte(&self.entry, byte);
                }
                return opened;
            }
            to_code(lock::unlock_byte(&self.entry, byte))?;
        }
    }

    fn open_row(&self, row: usize, swept: &mut bool) -> Result<LaneWriter, Code> {
        loop {
            if let Some(writer) = self.mailbox.post().open_lane(row, process::id()) {
                step("lane-opened");
                if self.mailbox.reserve(writer.extent()) {
                    return Ok(writer);
                }
                self.mailbox.post().close_lane(&writer);
                return Err(Code::NOT_ENOUGH_MEMORY);
            }
            if std::mem::replace(swept, true) {
                return Err(Code::NOT_ENOUGH_MEMORY);
            }
            self.mailbox.sweep(self.entry.as_fd(), Some(row));
        }
    }

    /// Whether the mailslot still has a server; asked of the system only now and then.
    #[inline]
    fn has_server(&self, in_burst: bool) -> bool {
        if self.mailbox.header().closed().load(Ordering::SeqCst) != 0 {
            return false;
        }
        if in_burst {
            return true;
        }
        let now = cycles();
        self.burst.asked(now);
        if now.wrapping_sub(self.seen.load(Ordering::Relaxed)) < spin::SHORT {
            return true;
        }
        let held = namespace::is_held(self.entry.as_fd());
        if held {
            self.seen.store(now, Ordering::Relaxed);
        }
        held
    }

    /// WriteFile: one message.
    ///
    /// # Errors
    /// 87: too long. 38: the mailslot is gone. 8: no room.
    pub(crate) fn send(&self, message: &[u8]) -> Result<(), Code> {
        let longest = self.mailbox.longest();
        if longest != 0 && message.len() > longest as usize {
            return Err(Code::INVALID_PARAMETER);
        }
        let in_burst = self.burst.has_credit();
        if !self.has_server(in_burst) {
            return Err(Code::HANDLE_EOF);
        }
        SENT.set(SENT.get().wrapping_add(1));
        let (post, doze) = (self.mailbox.post(), self.mailbox.doze());
        let written = self.lane.with(|pen| {
            let writer = match &mut pen.writer {
                Some(writer) => writer,
                None => pen.writer.insert(self.open_lane()?),
            };
            if !in_burst {
                writer.show_processor(&post, spin::here());
            }
            doze.publishing();
            let mut result = writer.write(&post, message);
            if result == Err(Refused::Full) {
                result = self.extend(writer, &mut pen.reserved, message);
            }
            result.map(|()| writer.row()).map_err(|_| Code::NOT_ENOUGH_MEMORY)
        });
        // Behind the barrier that giving the lane up was. Should it be another writer's by now, that one has a mark too
        // many.
        if let Ok(row) = written {
            post.tell(row);
        }
        step("message-published");
        doze.published();
        written.map(drop)
    }

    #[cold]
    fn extend(
        &self,
        writer: &mut LaneWriter,
        reserved: &mut Vec<u64>,
        message: &[u8],
    ) -> Result<(), Refused> {
        for attempt in 0..2 {
            if attempt > 0 {
                self.mailbox.sweep(self.entry.as_fd(), Some(writer.row()));
                // Sweeping took a turn, which was named to the kernel meanwhile.
                self.mailbox.doze().publishing();
            }
            let mut reserve = |offset, length| {
                let known = is_one_of(reserved, offset, length);
                known || self.mailbox.prepare((offset, length)) && note(reserved, offset, length)
            };
            let extended = writer.extend(&self.mailbox.post(), message.len(), &mut reserve);
            if extended {
                step("lane-extended");
                return writer.write(&self.mailbox.post(), message);
            }
        }
        Err(Refused::Full)
    }

    pub(crate) fn opened(&self) {
        self.handles.fetch_add(1, Ordering::SeqCst);
    }

    /// A handle is closed; with the last one the lane ends.
    pub(crate) fn closed(&self) {
        if self.handles.fetch_sub(1, Ordering::SeqCst) != 1 {
            return;
        }
        if let Some(writer) = self.lane.with(|pen| pen.writer.take()) {
            self.mailbox.post().close_lane(&writer);
            let _ = lock::unlock_byte(&self.entry, WRITER_LOCKS + writer.row() as u64);
        }
    }
}

/// Whether an extent of one block is among the `reserved` ones.
fn is_one_of(reserved: &[u64], offset: usize, length: usize) -> bool {
    let block = offset / BLOCK;
    length == BLOCK && reserved.get(block / 64).is_some_and(|word| word >> (block % 64) & 1 != 0)
}

/// Notes that the blocks of an extent have memory. True.
fn note(reserved: &mut Vec<u64>, offset: usize, length: usize) -> bool {
    for block in offset / BLOCK..(offset + length) / BLOCK {
        if reserved.len() <= block / 64 {
            reserved.resize(block / 64 + 1, 0);
        }
        reserved[block / 64] |= 1 << (block % 64);
    }
    true
}
