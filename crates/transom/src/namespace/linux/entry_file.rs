//! An entry under its lock: create, open, join, remove.
//!
//! | found under the name | creating | opening |
//! | --- | --- | --- |
//! | nothing | fill a new file | 2 |
//! | an empty file: somebody is about to fill it, or died before | fill it | 2 |
//! | no byte locked: the holders are dead | remove it, again | remove it, 2 |
//! | locked, by processes that are ending | remove it, again | remove it, 2 |
//! | locked, and damaged | 1392 | 1392 |
//! | locked, of another kind (M32) | 6 | 6 |
//! | locked, and the access is not granted (M41) | 5 | 5 |
//! | locked, no holder's memory can be reached | 5 | 5 |
//! | locked | join the holders | join the holders |
//!
//! "Again" is a loop without a bound: each further round means that another process has removed the file
//! between two of our calls, so somebody always gets on.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::entry::{Entry, Header, LOCKS, MAX_SIZE, flags};
use transom_core::name::{ObjectName, Scope};
use transom_core::security::Security;
use transom_sys::linux::dirs::{self, Status};
use transom_sys::linux::fault::step;
use transom_sys::linux::signal::without_size_signal;
use transom_sys::linux::{Errno, fd, lock, process, random};

use super::backing::{self, Reach};
use super::hold::{Hold, Seat, Taken};
use super::root::{Directory, Namespace, own};
use super::spare::{PRIVATE_MODE, Plain};
use super::{Facts, Folder, Make, Memory, Opened, Place, Request};
use crate::engine::errno::{code, to_code};

/// A name and the file it is.
#[derive(Debug)]
pub(super) struct Spot<'a> {
    pub(super) directory: Arc<Directory>,
    pub(super) file: String,
    pub(super) scope: Scope,
    /// The name as the entry has it.
    pub(super) name: &'a [u8],
}

/// What a caller of an existing entry wants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) kind: Kind,
    pub(super) access: u32,
    pub(super) for_reading_only: bool,
}

impl From<&Request<'_>> for Wanted {
    fn from(request: &Request<'_>) -> Wanted {
        Wanted { kind: request.kind, access: request.access, for_reading_only: request.for_reading_only }
    }
}

/// An entry's file with its `flock` taken. Dropping it closes the file, and the kernel gives the lock up.
#[derive(Debug)]
pub(super) struct Locked(OwnedFd);

/// What came of looking for a name.
enum Sought<T = Opened> {
    Found(Found),
    Visited(T),
    /// It is not there, or something about it changed meanwhile.
    Gone,
}

impl<T> Sought<T> {
    fn of(found: Option<Found>) -> Sought<T> {
        found.map_or(Sought::Gone, Sought::Found)
    }
}

/// What lies under a name, locked.
struct Found {
    locked: Locked,
    status: Status,
    /// This process has just made it.
    made: bool,
}

impl Found {
    /// Whether it is empty and nobody's: not one that somebody has cut while it was held.
    fn is_blank(&self) -> Result<bool, Code> {
        Ok(self.status.size == 0 && (self.made || claim(&self.locked)?))
    }
}

/// Tries to get all bytes of an entry to itself. False if a process holds the name, or one that is ending still
/// has its lock; if true, nobody can come to hold it until this file is closed.
pub(super) fn claim(locked: &Locked) -> Result<bool, Code> {
    to_code(lock::lock_from(locked.fd(), LOCKS))
}

/// Whether a dead entry that cannot be removed, since it is another user's file, will do for a new object:
/// the file and the object are for everybody, so whoever could interfere may do so anyway.
fn may_be_reused(locked: &Locked, status: &Status, mode: u32) -> Result<bool, Code> {
    Ok(mode & 0o006 != 0 && status.mode == mode && claim(locked)?)
}

/// An object that somebody holds, with its entry locked.
struct Alive {
    locked: Locked,
    status: Status,
    contents: Vec<u8>,
    memory: Memory,
}

/// What an entry turned out to be. Where it stays locked, its lock comes back.
enum Met {
    Alive(Alive),
    /// It has no holders; the memory's file of this name may be left.
    Dead(Dead),
    /// The file is that of another name: both have the same hash.
    OtherName,
    /// Somebody is just removing it, or making it.
    Busy,
}

/// An entry without living holders.
struct Dead {
    locked: Locked,
    /// The file of its memory.
    memory: Option<String>,
    /// All its bytes are locked: nobody else removes it, and if it still has its name, that is its own. Else a
    /// process that is ending has some.
    claimed: bool,
}

/// So often somebody gives way to a process that is ending, some 20 ms long, before he removes what it still has
/// locked.
const PATIENCE: u32 = 70;

/// Lets somebody come to an end who has all bytes of an entry to himself, which lasts for two or three system
/// calls. There is nothing to sleep on; after a while, if he was stopped there, time is slept away.
#[allow(clippy::disallowed_methods)]
fn give_way(round: &mut u32) {
    *round = round.saturating_add(1);
    if *round < 50 {
        std::thread::yield_now();
    } else {
        std::thread::sleep(Duration::from_millis(1));
    }
}

impl Locked {
    fn wait(file: OwnedFd) -> Result<Locked, Code> {
        to_code(lock::lock_file(&file))?;
        Ok(Locked(file))
    }

    /// `None` if somebody else has the lock.
    pub(super) fn try_now(file: OwnedFd) -> Result<Option<Locked>, Code> {
        Ok(to_code(lock::try_lock_file(&file))?.then_some(Locked(file)))
    }

    /// Gives the lock up and keeps the file.
    fn unlock(self) -> OwnedFd {
        // It cannot fail for a lock that is held.
        let _ = lock::unlock_file(&self.0);
        self.0
    }

    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A call that makes a descriptor, tried once more with a higher limit if there are too many.
fn roomy<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    match call() {
        Err(Errno::MFILE) if fd::raise_limit() => call(),
        result => result,
    }
}

/// All of an entry's file; nothing if it is longer than an entry can be.
pub(super) fn read(file: BorrowedFd<'_>, size: u64) -> Result<Vec<u8>, Code> {
    match usize::try_from(size) {
        Ok(size) if size <= MAX_SIZE => {
            let mut contents = vec![0; size];
            let length = to_code(dirs::read_at(file, &mut contents, 0))?;
            contents.truncate(length);
            Ok(contents)
        }
        _ => Ok(Vec::new()),
    }
}

/// What an entry says about its object.
pub(super) fn facts(header: &Header<'_>) -> Facts {
    Facts {
        kind: header.kind,
        size: header.size,
        protect: header.protect,
        flags: header.flags & !flags::PATH_BACKED,
        security: Security::from_words(header.security),
        backing_path: header.flags & flags::PATH_BACKED != 0,
        cookie: header.cookie,
    }
}

/// What the descriptor gives this process. The file's owner counts, whom nobody can forge; so does the
/// administrator.
pub(super) fn granted(facts: &Facts, status: &Status, user: u32) -> u32 {
    let is_owner = user == status.owner || user == 0;
    let in_group = is_owner || dirs::is_in_group(facts.security.group_id().unwrap_or(status.group));
    facts.security.granted(facts.kind, is_owner, in_group)
}

/// The entry's mode: whoever has any right must be able to take a slot in it.
fn entry_mode(words: [u32; 4]) -> u32 {
    let group = if words[1] == 0 { 0 } else { 0o060 };
    let others = if words[2] == 0 { 0 } else { 0o006 };
    0o600 | group | others
}

impl Namespace {
    pub(super) fn spot<'a>(&self, folder: Folder, name: &'a ObjectName) -> Result<Spot<'a>, Code> {
        Ok(Spot::new(self.directory(name.scope(), folder)?, name))
    }

    pub(super) fn create(
        &self,
        request: &Request<'_>,
        security: &Security,
        path_backing: bool,
        is_cheap: bool,
        make: &mut Make<'_>,
    ) -> Result<Opened, Code> {
        let words = security.to_words(request.kind);
        let mode = entry_mode(words);
        self.create_new(New { request, security, words, mode, path_backing, is_cheap, make })
    }

    fn create_new(&self, mut new: New<'_, '_>) -> Result<Opened, Code> {
        let New { request, security, mode, .. } = new;
        if security.owner_id().is_some_and(|owner| owner != process::user()) {
            return Err(Code::INVALID_OWNER);
        }
        let mut round = 0;
        loop {
            // A file that is kept needs no look at its folder, which was looked at when it was found.
            if let Some(directory) = self.known_directory(request.name.scope(), request.folder)
                && let Some(opened) = Spot::new(directory, request.name).fill_spare(&mut new)?
            {
                return Ok(opened);
            }
            let spot = self.spot(request.folder, request.name)?;
            let found = match spot.find_or_make(mode, &request.into())? {
                Sought::Found(found) => found,
                Sought::Visited(opened) => return Ok(opened),
                Sought::Gone => continue,
            };
            step("name-locked");
            if found.status.owner == spot.directory.user && found.is_blank()? {
                return spot.fill(found, &mut new);
            }
            match spot.meet(found.locked, &found.status, &request.into())? {
                Met::Alive(alive) => match spot.join(alive, request.access)? {
                    Some(opened) => return Ok(opened),
                    None => give_way(&mut round),
                },
                Met::OtherName => return Err(Code::FILE_CORRUPT),
                Met::Busy => give_way(&mut round),
                Met::Dead(dead) if !dead.claimed && round < PATIENCE => give_way(&mut round),
                Met::Dead(dead) => match spot.remove_dead(&dead, &found.status) {
                    Ok(()) => {}
                    Err(Errno::PERM | Errno::ACCESS) if may_be_reused(&dead.locked, &found.status, mode)? => {
                        to_code(dirs::set_length(dead.locked.fd(), 0))?;
                        return spot.fill(Found { locked: dead.locked, ..found }, &mut new);
                    }
                    Err(error) => return Err(code(error)),
                },
            }
        }
    }

    pub(super) fn open(&self, request: &Request<'_>) -> Result<Opened, Code> {
        // An entry that is known needs no look at the folder: by its identity it is the one that lay in it when it
        // was looked at.
        if let Some(directory) = self.known_directory(request.name.scope(), request.folder) {
            let spot = Spot::new(directory, request.name);
            if let Some(opened) = spot.visit_seen(&request.into())? {
                return Ok(opened);
            }
        }
        let spot = self.spot(request.folder, request.name)?;
        spot.open(&request.into())
    }

    pub(super) fn look_up(&self, request: &Request<'_>) -> Result<(Memory, OwnedFd), Code> {
        let spot = self.spot(request.folder, request.name)?;
        // Who only looks is no visitor: no byte of the entry is to be locked when it comes back.
        let find = || spot.find_locked().map(Sought::of);
        spot.seek(&request.into(), find, |alive| {
            Ok(spot.is_named(&alive.status).then(|| (alive.memory, alive.locked.unlock())))
        })
    }

    pub(super) fn create_process_entry(&self, pid: u32, record: BorrowedFd<'_>) -> Result<Hold, Code> {
        let name = process_name(pid);
        loop {
            let spot = self.process_spot(&name)?;
            let Some(found) = spot.find_or_make_locked(0o600)? else { continue };
            let status = to_code(dirs::status(record))?;
            if !found.is_blank()? {
                if let Some(Taken::Seat(seat)) = spot.join_record(&found, &status, record)? {
                    return Ok(spot.hold(found.locked, &found.status, seat, None));
                }
                // An earlier process of this number; those who still look at it keep the removed file.
                to_code(spot.remove(None))?;
                continue;
            }
            let header = Header {
                kind: Kind::Process,
                scope: spot.scope,
                cookie: random::cookie(),
                security: Security::owner_only().to_words(Kind::Process),
                size: status.size,
                protect: 0,
                flags: 0,
                device: status.device,
                inode: status.inode,
                created: now(),
                name: spot.name,
            };
            let access = Kind::Process.all_access();
            let seat = Seat::first(found.locked.fd(), &header, access, record.as_raw_fd())?;
            return Ok(spot.hold(found.locked, &found.status, seat, None));
        }
    }

    pub(super) fn open_process_entry(&self, pid: u32) -> Result<(OwnedFd, Hold), Code> {
        let name = process_name(pid);
        let wanted = Wanted { kind: Kind::Process, access: 0, for_reading_only: false };
        let opened = self.process_spot(&name)?.open(&wanted)?;
        Ok((opened.memory.fd, opened.hold))
    }

    fn process_spot<'a>(&self, name: &'a str) -> Result<Spot<'a>, Code> {
        let directory = self.directory(Scope::Local, Folder::Processes)?;
        Ok(Spot { directory, file: name.to_owned(), scope: Scope::Local, name: name.as_bytes() })
    }
}

/// Two PID namespaces may share a folder, and their numbers mean different processes.
pub(super) fn process_name(pid: u32) -> String {
    format!("{pid}.{}", own().namespace)
}

/// What a new object is to be.
pub(super) struct New<'a, 'b> {
    pub(super) request: &'a Request<'a>,
    pub(super) security: &'a Security,
    pub(super) words: [u32; 4],
    pub(super) mode: u32,
    pub(super) path_backing: bool,
    /// It may be made although the name may turn out to be taken.
    pub(super) is_cheap: bool,
    pub(super) make: &'a mut Make<'b>,
}

impl New<'_, '_> {
    /// Makes the memory.
    pub(super) fn memory(&mut self, place: Place, cookie: &[u8; 16]) -> Result<Memory, Code> {
        let mut memory = (self.make)(place, cookie)?;
        step("memory-made");
        memory.facts.kind = self.request.kind;
        memory.facts.backing_path = self.path_backing;
        memory.facts.cookie = *cookie;
        Ok(memory)
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

impl<'a> Spot<'a> {
    fn new(directory: Arc<Directory>, name: &'a ObjectName) -> Spot<'a> {
        Spot { directory, file: name.file_name(), scope: name.scope(), name: name.rest() }
    }
}

impl Spot<'_> {
    /// The file of the name, made if there is none; or the object, if that can be had by visiting it.
    fn find_or_make(&self, mode: u32, wanted: &Wanted) -> Result<Sought, Code> {
        match roomy(|| dirs::create_file(&*self.directory, &self.file, mode)) {
            Ok(file) => self.lock(file, true).map(Sought::of),
            Err(Errno::EXIST) => self.find(wanted),
            // The folder itself was removed after it was checked; the next round makes a new one.
            Err(Errno::NOENT) if self.directory.is_gone() => Ok(Sought::Gone),
            Err(error) => Err(code(error)),
        }
    }

    /// As [`find_or_make`](Self::find_or_make), always under the lock.
    fn find_or_make_locked(&self, mode: u32) -> Result<Option<Found>, Code> {
        match roomy(|| dirs::create_file(&*self.directory, &self.file, mode)) {
            Ok(file) => self.lock(file, true),
            Err(Errno::EXIST) => self.find_locked(),
            Err(Errno::NOENT) if self.directory.is_gone() => Ok(None),
            Err(error) => Err(code(error)),
        }
    }

    /// The file of the name, if there is one, under its lock.
    fn find_locked(&self) -> Result<Option<Found>, Code> {
        match roomy(|| dirs::open_file(&*self.directory, &self.file, true)) {
            Ok(file) => self.lock(file, false),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(code(error)),
        }
    }

    /// The object, if it can be had by visiting it; else the file of the name, under its lock.
    fn find(&self, wanted: &Wanted) -> Result<Sought, Code> {
        if let Some(opened) = self.visit_seen(wanted)? {
            return Ok(Sought::Visited(opened));
        }
        match roomy(|| dirs::open_file(&*self.directory, &self.file, true)) {
            Ok(file) => {
                let file = Arc::new(file);
                match self.visit(Arc::clone(&file), wanted)? {
                    Some(opened) => Ok(Sought::Visited(opened)),
                    None => match Arc::try_unwrap(file) {
                        Ok(file) => self.lock(file, false).map(Sought::of),
                        Err(_) => Ok(Sought::Gone),
                    },
                }
            }
            Err(Errno::NOENT) => Ok(Sought::Gone),
            Err(error) => Err(code(error)),
        }
    }

    /// Waits for the lock; `None` if the file has no name any more by then.
    fn lock(&self, file: OwnedFd, made: bool) -> Result<Option<Found>, Code> {
        let locked = Locked::wait(file)?;
        let status = to_code(dirs::status(locked.fd()))?;
        if !status.is_file {
            return Err(Code::ACCESS_DENIED);
        }
        // Only who holds a name makes its file a spare one, and nobody holds a new one yet.
        let is_named = if made { !status.is_removed } else { self.is_named(&status) };
        Ok(is_named.then_some(Found { locked, status, made }))
    }

    /// Whether the name is that of the file with this status. Where the system does not tell, it is not.
    fn is_named(&self, status: &Status) -> bool {
        dirs::status_at(&*self.directory, &self.file)
            .is_ok_and(|named| (named.device, named.inode) == (status.device, status.inode))
    }

    fn open(&self, wanted: &Wanted) -> Result<Opened, Code> {
        self.seek(wanted, || self.find(wanted), |alive| self.join(alive, wanted.access))
    }

    /// Looks for the object of the name with `find`, and does `take` with it, which may find that the entry has
    /// just been removed.
    fn seek<T>(
        &self,
        wanted: &Wanted,
        find: impl Fn() -> Result<Sought<T>, Code>,
        take: impl Fn(Alive) -> Result<Option<T>, Code>,
    ) -> Result<T, Code> {
        let mut round = 0;
        loop {
            let found = match find()? {
                Sought::Found(found) => found,
                Sought::Visited(taken) => return Ok(taken),
                Sought::Gone => match dirs::status_at(&*self.directory, &self.file) {
                    // Removed between the two calls, and there is a new one.
                    Ok(_) => continue,
                    Err(error) => return Err(code(error)),
                },
            };
            if found.is_blank()? {
                return Err(Code::FILE_NOT_FOUND);
            }
            match self.meet(found.locked, &found.status, wanted)? {
                Met::Alive(alive) => {
                    if let Some(taken) = take(alive)? {
                        return Ok(taken);
                    }
                }
                Met::Dead(dead) => {
                    if dead.claimed {
                        // Who comes next would do it; a failure changes nothing.
                        let _ = self.remove_dead(&dead, &found.status);
                    }
                    return Err(Code::FILE_NOT_FOUND);
                }
                Met::OtherName => return Err(Code::FILE_NOT_FOUND),
                Met::Busy => {}
            }
            give_way(&mut round);
        }
    }

    /// Removes the file, and the memory beside it; under its lock.
    fn remove(&self, memory: Option<&str>) -> Result<(), Errno> {
        remove(&self.directory, &self.file, memory)
    }

    /// Removes a dead entry, unless somebody else has just done so.
    fn remove_dead(&self, dead: &Dead, status: &Status) -> Result<(), Errno> {
        if self.is_named(status) { self.remove(dead.memory.as_deref()) } else { Ok(()) }
    }

    /// Looks at an entry that is not empty.
    fn meet(&self, locked: Locked, status: &Status, wanted: &Wanted) -> Result<Met, Code> {
        match self.try_meet(locked, status, wanted) {
            met @ Ok(Met::Alive(_) | Met::Busy) => met,
            // Its holder may have made it a spare file meanwhile, or an entry of another name.
            _ if !self.is_named(status) => Ok(Met::Busy),
            other => other,
        }
    }

    fn try_meet(&self, locked: Locked, status: &Status, wanted: &Wanted) -> Result<Met, Code> {
        let file = locked.fd();
        let contents = read(file, status.size)?;
        let entry = Entry::parse(&contents);
        if claim(&locked)? {
            let memory = self.memory_of(entry.ok().as_ref());
            return Ok(Met::Dead(Dead { locked, memory, claimed: true }));
        }
        let entry = entry?;
        let header = &entry.header;
        if header.name != self.name || header.scope != self.scope {
            return Ok(Met::OtherName);
        }
        if header.kind != wanted.kind {
            return Err(Code::INVALID_HANDLE);
        }
        let facts = facts(header);
        let granted = granted(&facts, status, self.directory.user);
        if wanted.access & !granted != 0 {
            return Err(Code::ACCESS_DENIED);
        }
        let write = !wanted.for_reading_only;
        let fd = match backing::reach(&self.directory, &self.file, &entry, file, write)? {
            Reach::Memory(memory) => memory,
            Reach::Nobody => {
                let memory = self.memory_of(Some(&entry));
                let claimed = claim(&locked)?;
                return Ok(Met::Dead(Dead { locked, memory, claimed }));
            }
            Reach::Leaving => return Ok(Met::Busy),
            // A file that was spare meanwhile may be this name's entry again, with other content.
            Reach::Hidden if read(file, to_code(dirs::status(file))?.size)? != contents => {
                return Ok(Met::Busy);
            }
            Reach::Hidden => return Err(Code::ACCESS_DENIED),
        };
        Ok(Met::Alive(Alive { locked, status: *status, contents, memory: Memory { fd, facts } }))
    }

    /// Takes a slot in an entry that has holders; `None` if it has been removed meanwhile.
    fn join(&self, alive: Alive, access: u32) -> Result<Option<Opened>, Code> {
        let Alive { locked, status, contents, memory } = alive;
        let entry = Entry::parse(&contents)?;
        let seat = match Seat::take(locked.fd(), &entry, access, memory.fd.as_raw_fd()) {
            Ok(Taken::Seat(seat)) => seat,
            Ok(Taken::Busy) => return Ok(None),
            Err(_) if !self.is_named(&status) => return Ok(None),
            Err(code) => return Err(code),
        };
        step("slot-taken");
        let backing = self.memory_of(Some(&entry));
        // Whoever held the name until then may have removed it before the slot was taken.
        let is_named = self.is_named(&status);
        let is_sealed = memory.facts.flags & flags::OVER_FILE == 0 && !memory.facts.backing_path;
        let hold = self.hold(locked, &status, seat, backing);
        Ok(is_named.then_some(Opened { memory, hold, existed: true, is_sealed }))
    }

    /// Makes the object of an empty file.
    fn fill(&self, found: Found, new: &mut New<'_, '_>) -> Result<Opened, Code> {
        let mut memory_file = None;
        // Asked for once, not for each of the calls.
        let filled = without_size_signal(|| Ok(self.try_fill(&found, new, &mut memory_file)));
        match filled.map_err(code).and_then(|filled| filled) {
            Ok((memory, seat)) => {
                // If the file was found, all its bytes are locked; if it was made, this unlocks nothing.
                let _ = lock::unlock_from(found.locked.fd(), LOCKS + 1);
                let hold = if self.may_be_spare(&found, new) {
                    let file = Arc::new(found.locked.unlock());
                    let identity = (found.status.device, found.status.inode);
                    let (directory, plain) = (Arc::clone(&self.directory), Plain { spare: None });
                    Hold::plain(file, identity, seat, directory, self.file.clone(), plain)
                } else {
                    self.hold(found.locked, &found.status, seat, memory_file)
                };
                Ok(Opened { memory, hold, existed: false, is_sealed: false })
            }
            Err(code) => {
                let _ = self.remove(memory_file.as_deref());
                Err(code)
            }
        }
    }

    /// Whether the file of a new entry may become a spare one.
    fn may_be_spare(&self, found: &Found, new: &New<'_, '_>) -> bool {
        let is_plain = !new.path_backing && new.mode == PRIVATE_MODE;
        is_plain && found.made && new.request.folder == Folder::Objects
    }

    fn try_fill(
        &self,
        found: &Found,
        new: &mut New<'_, '_>,
        memory_file: &mut Option<String>,
    ) -> Result<(Memory, Seat), Code> {
        let file = found.locked.fd();
        let group = new.security.group_id().filter(|_| new.words[1] != 0);
        if found.status.owner == self.directory.user {
            if let Some(group) = group.filter(|&group| group != found.status.group) {
                dirs::set_group(file, group).map_err(|_| Code::INVALID_PRIMARY_GROUP)?;
            }
            if found.status.mode != new.mode {
                to_code(dirs::set_mode(file, new.mode))?;
            }
        }
        let cookie = random::cookie();
        let place = if new.path_backing {
            let name = backing::memory_name(&self.file, &cookie);
            let mode = backing::memory_mode(new.request.kind, new.words);
            let memory = backing::create_file(&self.directory, &name, mode, group)?;
            *memory_file = Some(name);
            Place::File(memory)
        } else {
            Place::Anonymous
        };
        let memory = new.memory(place, &cookie)?;
        let header = self.header(new, &memory)?;
        let seat = Seat::first(file, &header, new.request.access, memory.fd.as_raw_fd())?;
        step("entry-written");
        Ok((memory, seat))
    }

    /// The header of a new object.
    pub(super) fn header(&self, new: &New<'_, '_>, memory: &Memory) -> Result<Header<'_>, Code> {
        let (device, inode, _) = to_code(fd::identity(&memory.fd))?;
        Ok(Header {
            kind: new.request.kind,
            scope: self.scope,
            cookie: memory.facts.cookie,
            security: new.words,
            size: memory.facts.size,
            protect: memory.facts.protect,
            flags: memory.facts.entry_flags(),
            device,
            inode,
            created: now(),
            name: self.name,
        })
    }

    /// Gives the lock up and keeps the file with its slot.
    fn hold(&self, locked: Locked, status: &Status, seat: Seat, backing: Option<String>) -> Hold {
        let directory = Some(Arc::clone(&self.directory));
        let identity = (status.device, status.inode);
        Hold::new(locked.unlock(), identity, seat, directory, self.file.clone(), backing)
    }

    /// A slot in the entry of a process, if it is about this very record: its creator made it, or itself.
    fn join_record(
        &self,
        found: &Found,
        record: &Status,
        descriptor: BorrowedFd<'_>,
    ) -> Result<Option<Taken>, Code> {
        let file = found.locked.fd();
        let contents = read(file, found.status.size)?;
        match Entry::parse(&contents) {
            Ok(entry) if (entry.header.device, entry.header.inode) == (record.device, record.inode) => {
                let access = Kind::Process.all_access();
                Seat::take(file, &entry, access, descriptor.as_raw_fd()).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn memory_of(&self, entry: Option<&Entry<'_>>) -> Option<String> {
        entry.and_then(|entry| backing::memory_of(&self.file, entry))
    }
}

/// Removes an entry and the memory beside it, under the entry's lock.
pub(super) fn remove(directory: &Directory, file: &str, memory: Option<&str>) -> Result<(), Errno> {
    if let Some(memory) = memory {
        // It may be gone, or another user's; the entry matters more.
        let _ = dirs::remove_file(directory, memory);
    }
    match dirs::remove_file(directory, file) {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}
