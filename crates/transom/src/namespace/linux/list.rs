//! Who holds what, and removing what the dead left behind.
//!
//! Looking takes no lock: whatever is read is checked, a slot that is being written at that moment counts as
//! none, and somebody who keeps an entry locked cannot stop those who only look.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::entry::{Entry, Holder as Slot, LOCKS, Visitor, flags};
use transom_core::name::{MailslotName, ObjectName, PipeName, Purpose, Scope};
use transom_core::text;
use transom_sys::linux::{Errno, dirs, host, lock};

use super::Folder;
use super::backing::{self, Reach};
use super::entry_file::{self, Locked, read};
use super::root::{Directory, Namespace, own};
use crate::engine::errno::to_code;
use crate::engine::record::ProcessRecord;
use crate::namespace::{Holder, NamedObject};
use crate::{Error, Result};

/// How many entries a process looks at on its own when it first uses a root.
const FIRST_USE: usize = 32;

type Coded<T> = std::result::Result<T, Code>;

pub(crate) fn list() -> Result<Vec<NamedObject>> {
    Namespace::of_process().list().map_err(|code| Error::new("list names", code))
}

pub(crate) fn find(name: &str) -> Result<Option<NamedObject>> {
    Namespace::of_process().find(name).map_err(|code| Error::new("find name", code).with_name(name))
}

pub(crate) fn sweep() -> Result<usize> {
    Namespace::of_process().sweep().map_err(|code| Error::new("sweep names", code))
}

/// The boards of all pipes that exist, and their entries.
pub(crate) fn pipes() -> Coded<Vec<(OwnedFd, OwnedFd)>> {
    let namespace = Namespace::of_process();
    let mut pipes = Vec::new();
    for scope in [Scope::Local, Scope::Global] {
        let Some(directory) = namespace.existing_directory(scope, Folder::Pipes)? else { continue };
        let files = to_code(dirs::names(&directory, usize::MAX))?;
        for file in files.iter().filter(|file| backing::is_entry(file)) {
            if let Some((entry, contents)) = open_held(&directory, file)
                && let Ok(parsed) = Entry::parse(&contents)
                && let Ok(Reach::Memory(memory)) =
                    backing::reach(&directory, file, &parsed, entry.as_fd(), true)
            {
                pipes.push((memory, entry));
            }
        }
    }
    Ok(pipes)
}

/// An entry that somebody holds, with its content.
fn open_held(directory: &Directory, file_name: &str) -> Option<(OwnedFd, Vec<u8>)> {
    let file = dirs::open_file(directory, file_name, true).ok()?;
    let status = dirs::status(&file).ok().filter(|status| status.is_file)?;
    let contents = read(file.as_fd(), status.size).ok()?;
    backing::is_held(file.as_fd()).then_some((file, contents))
}

impl Namespace {
    pub(super) fn list(&self) -> Coded<Vec<NamedObject>> {
        let mut objects = Vec::new();
        for scope in [Scope::Local, Scope::Global] {
            let processes = self.existing_directory(Scope::Local, Folder::Processes)?;
            for folder in [Folder::Objects, Folder::Pipes, Folder::Mailslots] {
                let Some(directory) = self.existing_directory(scope, folder)? else { continue };
                let files = to_code(dirs::names(&directory, usize::MAX))?;
                let entries = files.iter().filter(|file| backing::is_entry(file));
                objects.extend(entries.filter_map(|file| look(&directory, scope, file, processes.as_ref())));
            }
        }
        objects.sort_by(|a, b| (a.scope, &a.name).cmp(&(b.scope, &b.name)));
        Ok(objects)
    }

    pub(super) fn find(&self, name: &str) -> Coded<Option<NamedObject>> {
        if PipeName::is_meant(&name.encode_utf16().collect::<Vec<u16>>()) {
            return self.find_pipe(name);
        }
        if MailslotName::is_meant(&name.encode_utf16().collect::<Vec<u16>>()) {
            return self.find_mailslot(name);
        }
        let Some(name) = ObjectName::parse(name)? else { return Ok(None) };
        let Some(directory) = self.existing_directory(name.scope(), Folder::Objects)? else {
            return Ok(None);
        };
        let processes = self.existing_directory(Scope::Local, Folder::Processes)?;
        let found = look(&directory, name.scope(), &name.file_name(), processes.as_ref());
        // Another name may have the same hash.
        Ok(found.filter(|object| object.name == name.display()))
    }

    fn find_pipe(&self, name: &str) -> Coded<Option<NamedObject>> {
        let name = PipeName::parse(name, &host::computer(), Purpose::Open)?;
        let processes = self.existing_directory(Scope::Local, Folder::Processes)?;
        for scope in [Scope::Local, Scope::Global] {
            if let Some(directory) = self.existing_directory(scope, Folder::Pipes)? {
                let found = look(&directory, scope, &name.object(scope).file_name(), processes.as_ref());
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    fn find_mailslot(&self, name: &str) -> Coded<Option<NamedObject>> {
        let name = MailslotName::parse(name, &host::computer())?.for_server()?;
        let processes = self.existing_directory(Scope::Local, Folder::Processes)?;
        for scope in [Scope::Local, Scope::Global] {
            if let Some(directory) = self.existing_directory(scope, Folder::Mailslots)? {
                let found = look(&directory, scope, &name.object(scope).file_name(), processes.as_ref());
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    pub(super) fn sweep(&self) -> Coded<usize> {
        let mut removed = 0;
        for scope in [Scope::Local, Scope::Global] {
            for folder in Folder::ALL {
                if let Some(directory) = self.existing_directory(scope, folder)? {
                    removed += sweep_folder(&directory, usize::MAX);
                }
            }
        }
        Ok(removed)
    }

    /// Looks after a few entries when this process first uses the names of a scope, so that what killed
    /// processes left does not pile up where nobody ever asks for those names again.
    pub(super) fn sweep_once(&self, scope: Scope) {
        if !self.is_first_use(scope) {
            return;
        }
        for folder in Folder::ALL {
            // Whatever is wrong with the root, the operation itself will meet it.
            if let Ok(Some(directory)) = self.existing_directory(scope, folder) {
                sweep_folder(&directory, FIRST_USE);
            }
        }
    }
}

/// What an entry says now; `None` if nobody holds it, or if this user may not look at it.
fn look(
    directory: &Directory,
    scope: Scope,
    file_name: &str,
    processes: Option<&Directory>,
) -> Option<NamedObject> {
    let (file, contents) = open_held(directory, file_name)?;
    let entry = Entry::parse(&contents).ok().filter(|entry| entry.header.scope == scope)?;
    let is_pipe = entry.header.kind == Kind::Pipe;
    let name = if is_pipe {
        ObjectName::from_pipe_parts(scope, entry.header.name)
    } else if entry.header.kind == Kind::Mailslot {
        ObjectName::from_mailslot_parts(scope, entry.header.name)
    } else {
        ObjectName::from_parts(scope, entry.header.name)
    };
    let name = name.ok()?;
    if !name.matches_file_name(file_name) {
        return None;
    }
    let held = |index: usize| lock::is_byte_locked(&file, LOCKS + index as u64).unwrap_or(false);
    let slots = entry.holders().filter(|(index, _)| held(*index)).map(|(_, slot)| slot);
    let visitors = backing::visitors(file.as_fd()).unwrap_or_default();
    let slots = slots.chain(visitors.iter().map(|visitor| slot_of(visitor, entry.header.kind, processes)));
    let is_section = entry.header.kind == Kind::Mapping;
    let memory = || match backing::reach(directory, file_name, &entry, file.as_fd(), true) {
        Ok(Reach::Memory(memory)) => Some(memory),
        _ => None,
    };
    let (spelling, state) = match entry.header.kind {
        Kind::Mapping => (None, None),
        Kind::Mailslot => (None, memory().and_then(crate::engine::post::describe)),
        Kind::Pipe => memory().and_then(crate::engine::board::describe).unzip(),
        kind => (None, memory().and_then(|memory| crate::engine::sync::describe(memory, kind))),
    };
    Some(NamedObject {
        name: match spelling {
            _ if entry.header.kind == Kind::Mailslot => {
                format!(r"\\.\mailslot\{}", text::to_string_lossy(name.rest()))
            }
            _ if !is_pipe => name.display(),
            Some(spelling) => format!(r"\\.\pipe\{spelling}"),
            None => format!(r"\\.\pipe\{}", text::to_string_lossy(name.rest())),
        },
        scope,
        kind: entry.header.kind,
        size: is_section.then_some(entry.header.size),
        path_backed: entry.header.flags & flags::PATH_BACKED != 0,
        state,
        holders: rows(slots),
    })
}

/// A visitor as the slot that it does without. Its access stands in the handle table of its process, and is 0 where
/// that cannot be seen.
fn slot_of(visitor: &Visitor, kind: Kind, processes: Option<&Directory>) -> Slot {
    let own = own().namespace;
    let is_here = own != 0 && visitor.namespace == Visitor::short(own);
    let Visitor { process, descriptor, .. } = *visitor;
    let record = processes.filter(|_| is_here).and_then(|processes| record_of(processes, process));
    let access = record.map_or(0, |record| record.access_by(kind, descriptor));
    Slot { process, descriptor, namespace: if is_here { own } else { 0 }, access, kept: (0, 0) }
}

/// The record of a process, found by looking alone.
fn record_of(processes: &Directory, process: u32) -> Option<ProcessRecord> {
    let name = entry_file::process_name(process);
    let file = dirs::open_file(processes, &name, true).ok()?;
    let status = dirs::status(&file).ok().filter(|status| status.is_file)?;
    let contents = read(file.as_fd(), status.size).ok()?;
    let entry = Entry::parse(&contents).ok()?;
    match backing::reach(processes, &name, &entry, file.as_fd(), true) {
        Ok(Reach::Memory(memory)) => ProcessRecord::open(memory).ok(),
        _ => None,
    }
}

/// One row for each process, in the order of their numbers; handles on their way to a child are left out.
fn rows(slots: impl Iterator<Item = Slot>) -> Vec<Holder> {
    let mut slots: Vec<Slot> = slots.filter(|slot| slot.process != 0).collect();
    slots.sort_by_key(|slot| (slot.process, slot.namespace));
    slots.dedup_by(|next, first| {
        let same = (next.process, next.namespace) == (first.process, first.namespace);
        if same {
            first.access |= next.access;
        }
        same
    });
    let here = own().namespace;
    let row = |slot: Slot| Holder {
        process_id: slot.process,
        command: if slot.namespace == here {
            command(slot.process)
        } else {
            "(in another PID namespace)".into()
        },
        access: slot.access,
        elsewhere: slot.namespace != here,
    };
    slots.into_iter().map(row).collect()
}

/// The command line of a process, or at least its name.
fn command(process: u32) -> String {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    let words: Vec<&str> = line.split('\0').filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        return name.trim_end().to_owned();
    }
    words.join(" ")
}

/// Removes dead entries, and memory without an entry, among the first `limit` files of a folder.
fn sweep_folder(directory: &Directory, limit: usize) -> usize {
    let files = dirs::names(directory, limit).unwrap_or_default();
    let (memory, entries): (Vec<_>, Vec<_>) =
        files.iter().partition(|file| backing::entry_of(file).is_some());
    let entries = entries.into_iter().filter(|file| remove_dead(directory, file).unwrap_or(false)).count();
    for file in memory {
        let _ = remove_stray(directory, file);
    }
    entries
}

/// Removes an entry that nobody holds; false if somebody does. Who has just
/// made the file and not yet locked it makes it again.
fn remove_dead(directory: &Directory, file: &str) -> Coded<bool> {
    let Some(locked) = Locked::try_now(to_code(dirs::open_file(directory, file, true))?)? else {
        return Ok(false);
    };
    let status = to_code(dirs::status(locked.fd()))?;
    if status.is_removed || !status.is_file || !entry_file::claim(&locked)? {
        return Ok(false);
    }
    // It may have been given another name since it was opened; now that it is locked, it will not be.
    let named = to_code(dirs::status_at(directory, file))?;
    if (named.device, named.inode) != (status.device, status.inode) {
        return Ok(false);
    }
    let contents = read(locked.fd(), status.size)?;
    let memory = Entry::parse(&contents).ok().and_then(|entry| backing::memory_of(file, &entry));
    to_code(entry_file::remove(directory, file, memory.as_deref()))?;
    Ok(true)
}

/// Removes the memory of an object that no entry tells of: its entry was damaged, or its maker died first.
fn remove_stray(directory: &Directory, memory: &str) -> Coded<()> {
    let Some(file) = backing::entry_of(memory) else { return Ok(()) };
    let entry = match dirs::open_file(directory, file, true) {
        // Cookies are never drawn twice, so no later entry can mean this file.
        Err(Errno::NOENT) => return to_code(dirs::remove_file(directory, memory)),
        result => to_code(result)?,
    };
    let Some(locked) = Locked::try_now(entry)? else { return Ok(()) };
    let status = to_code(dirs::status(locked.fd()))?;
    let contents = read(locked.fd(), status.size)?;
    let named = Entry::parse(&contents).ok().and_then(|entry| backing::memory_of(file, &entry));
    if status.is_removed || named.as_deref() == Some(memory) {
        return Ok(());
    }
    // A damaged entry may be that of a living object.
    if named.is_none() && to_code(lock::is_locked_from(locked.fd(), LOCKS))? {
        return Ok(());
    }
    to_code(dirs::remove_file(directory, memory))
}
