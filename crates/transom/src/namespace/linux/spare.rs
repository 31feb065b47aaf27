//! A file that a process keeps for its next entry: see [`Spare`].

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use transom_core::code::Code;
use transom_core::entry::LOCKS;
use transom_sys::linux::fault::step;
use transom_sys::linux::signal::without_size_signal;
use transom_sys::linux::{Errno, dirs, lock, random};

use super::entry_file::{New, Spot};
use super::hold::{Hold, Identity, Seat};
use super::root::Directory;
use super::{Folder, Memory, Opened, Place};
use crate::engine::errno::code;

/// The file of an entry that is no more, under a name that no entry has, for the next entry that this process makes:
/// it gets its name as a second one, which costs less than a new file. All its bytes are locked: whoever still has
/// it open from before finds it taken, and looks for the name again.
#[derive(Debug)]
pub(super) struct Spare {
    pub(super) file: Arc<OwnedFd>,
    pub(super) identity: Identity,
    pub(super) name: String,
    /// Bytes that it has.
    pub(super) length: u64,
}

impl Spare {
    /// Begins the name of a spare file.
    pub(super) const MARK: char = '+';

    /// A name that nothing has.
    pub(super) fn new_name() -> String {
        format!("{}{:032x}", Spare::MARK, u128::from_be_bytes(random::cookie()))
    }

    pub(super) fn discard(self, directory: &Directory) {
        // What stays is swept away like an entry without holders.
        let _ = dirs::remove_file(directory, &self.name);
    }
}

/// An entry whose file may become a spare one.
#[derive(Debug)]
pub(super) struct Plain {
    /// Its name as a spare file, if it has one.
    pub(super) spare: Option<String>,
}

/// The mode of an entry that only its user may touch.
pub(super) const PRIVATE_MODE: u32 = 0o600;

/// A spare file is not to keep more than a page.
pub(super) const MOST_SPARE: u64 = 4096;

impl Spot<'_> {
    /// Makes the object in a file that this process keeps for that, if it has one and the name is free. Nobody
    /// sees the entry before it is whole: it gets its name at the end, with all its bytes locked.
    pub(super) fn fill_spare(&self, new: &mut New<'_, '_>) -> Result<Option<Opened>, Code> {
        if new.path_backing || new.mode != PRIVATE_MODE || new.request.folder != Folder::Objects {
            return Ok(None);
        }
        let Some(mut spare) = self.directory.take_spare() else { return Ok(None) };
        // Asked first, so that nothing is made to be thrown away.
        let is_free = || matches!(dirs::status_at(&*self.directory, &self.file), Err(Errno::NOENT));
        let filled = if new.is_cheap || is_free() {
            let filled = without_size_signal(|| Ok(self.try_fill_spare(new, &mut spare)));
            filled.map_err(code).and_then(|filled| filled)
        } else {
            Ok(None)
        };
        let Ok(Some((memory, seat))) = filled else {
            if let Err(spare) = self.directory.put_spare(spare) {
                spare.discard(&self.directory);
            }
            return filled.map(|_| None);
        };
        let (directory, file) = (Arc::clone(&self.directory), self.file.clone());
        let plain = Plain { spare: Some(spare.name) };
        let hold = Hold::plain(spare.file, spare.identity, seat, directory, file, plain);
        Ok(Some(Opened { memory, hold, existed: false, is_sealed: false }))
    }

    /// `None` if the name turns out to be taken, or cannot be given.
    fn try_fill_spare(
        &self,
        new: &mut New<'_, '_>,
        spare: &mut Spare,
    ) -> Result<Option<(Memory, Seat)>, Code> {
        let memory = new.memory(Place::Anonymous, &random::cookie())?;
        let header = self.header(new, &memory)?;
        let seat = Seat::first_in_spare(spare, &header, new.request.access, memory.fd.as_raw_fd())?;
        step("spare-written");
        if dirs::link(&*self.directory, &spare.name, &self.file).is_err() {
            return Ok(None);
        }
        step("spare-named");
        // It cannot fail for locks that are held.
        let _ = lock::unlock_from(&*spare.file, LOCKS + 1);
        Ok(Some((memory, seat)))
    }
}
