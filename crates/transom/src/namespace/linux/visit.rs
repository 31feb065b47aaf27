//! Visiting: holding an object without leaving anything in its entry.
//!
//! Where a holder's memory can be reached and nothing is in doubt, an object is opened without the `flock`, and
//! without leaving anything in its entry. The steps are, in this order: read the entry; open the memory of the
//! process that a slot names; lock the byte that says who we are; see that the entry still says the same, and
//! still has its name.
//!
//! From the lock on nobody removes the entry, since whoever does has all its bytes locked first. A slot that is
//! not struck out after that belongs to somebody who has not yet given the name up, or who was killed: then his
//! memory was open a moment ago, so this call began before his end. Whatever is not as it should be is left to
//! the way under the `flock`, which knows an answer to everything.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::entry::{Entry, MAX_SIZE, SLOT_SIZE, Visitor, flags};
use transom_sys::linux::fault::step;
use transom_sys::linux::{Errno, dirs, lock};

use super::backing;
use super::entry_file::{Spot, Wanted, facts, granted};
use super::hold::{Hold, Identity, Known, Way};
use super::root::own;
use super::{Memory, Opened};
use crate::engine::errno::to_code;

/// So much of an entry a visitor looks at: header, most names, and a few slots.
const VISIBLE: usize = 512;

impl Spot<'_> {
    /// Visits the entry that was visited last, if it is the one of this name.
    pub(super) fn visit_seen(&self, wanted: &Wanted) -> Result<Option<Opened>, Code> {
        let Some(seen) = self.directory.recall(&self.file) else { return Ok(None) };
        self.visit_again(seen.file, seen.identity, seen.known, wanted)
    }

    /// Holds an existing object without a slot; `None` if that cannot be done.
    pub(super) fn visit(&self, file: Arc<OwnedFd>, wanted: &Wanted) -> Result<Option<Opened>, Code> {
        let mut buffer = [0; VISIBLE];
        // What cannot be read is no file, or will be met again under the lock.
        let Ok(length) = dirs::read_once(&*file, &mut buffer, 0) else { return Ok(None) };
        let status = to_code(dirs::status(&*file))?;
        let known = Known { content: buffer[..length].to_vec(), way: Way::Unknown(0) };
        self.visit_again(file, (status.device, status.inode), known, wanted)
    }

    /// As [`visit`](Self::visit), for an entry of which is known what stood in it.
    fn visit_again(
        &self,
        file: Arc<OwnedFd>,
        identity: Identity,
        known: Known,
        wanted: &Wanted,
    ) -> Result<Option<Opened>, Code> {
        let Known { content, mut way } = known;
        let Ok(entry) = Entry::parse(&content) else { return Ok(None) };
        let header = &entry.header;
        // Files are there also without holders, so that they prove nothing.
        let proves = header.flags & (flags::PATH_BACKED | flags::OVER_FILE) == 0;
        let is_it = header.name == self.name && header.scope == self.scope && header.kind == wanted.kind;
        let is_simple = matches!(
            header.kind,
            Kind::Event | Kind::Mutex | Kind::Semaphore | Kind::Mapping | Kind::Process
        );
        if !proves || !is_it || !is_simple {
            return Ok(None);
        }
        let Some((index, memory)) = backing::visit(&entry, !wanted.for_reading_only, &mut way)? else {
            return Ok(None);
        };
        let own = own();
        let visitor = Visitor::new(own.process, memory.as_raw_fd(), own.namespace);
        let Some(byte) = visitor.map(|visitor| visitor.byte()) else { return Ok(None) };
        if !to_code(lock::share_byte(&*file, byte))? {
            return Ok(None);
        }
        step("visitor-locked");
        let facts = facts(header);
        let slot = header.table_offset() + index * SLOT_SIZE;
        let slot_end = slot + SLOT_SIZE;
        let is_same = |now: &[u8]| {
            let parts = [0..header.table_offset(), slot..slot_end];
            parts.into_iter().all(|part| now.get(part.clone()) == content.get(part))
        };
        let mut now = [0; VISIBLE];
        let answer = to_code(dirs::read_once(&*file, &mut now, 0)).and_then(|length| {
            let status = match dirs::status_at(&*self.directory, &self.file) {
                Err(Errno::NOENT) => return Ok(None),
                result => to_code(result)?,
            };
            let is_it = (status.device, status.inode) == identity && status.size <= MAX_SIZE as u64;
            Ok((is_same(&now[..length]) && is_it).then_some(status))
        });
        // From here on dropping it gives the byte up.
        let mut hold = Hold::visitor(file, identity, byte, Arc::clone(&self.directory), self.file.clone());
        let Some(status) = answer? else { return Ok(None) };
        hold.keep(Known { content, way });
        let granted = granted(&facts, &status, self.directory.user);
        if wanted.access & !granted != 0 {
            return Err(Code::ACCESS_DENIED);
        }
        let memory = Memory { fd: memory, facts };
        Ok(Some(Opened { memory, hold, existed: true, is_sealed: true }))
    }
}
