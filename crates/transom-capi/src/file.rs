//! Files: `CreateFile`, which opens pipes and mailslots as well; places in files and their lengths.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use transom::Code;
use transom::handle::{Borrowed, Handle, Kind, RawHandle, ext};
use transom::security::Security;
use transom_core::access;

use crate::ffi::{Bool, HANDLE, In, Out, Outcome, Unit, fail, guard, truth};
use crate::file_names::{self, missing};
use crate::security::{self, SECURITY_ATTRIBUTES};
use crate::{last_error, mailslot, named_pipe, os};

/// `CREATE_NEW` and the other dispositions; what is left is `OPEN_EXISTING`, 3.
const CREATE_NEW: u32 = 1;
const CREATE_ALWAYS: u32 = 2;
const OPEN_ALWAYS: u32 = 4;
const TRUNCATE_EXISTING: u32 = 5;
/// `FILE_FLAG_WRITE_THROUGH` and the other flags that are obeyed.
const WRITE_THROUGH: u32 = 0x8000_0000;
const NO_BUFFERING: u32 = 0x2000_0000;
const DELETE_ON_CLOSE: u32 = 0x0400_0000;
const BACKUP_SEMANTICS: u32 = 0x0200_0000;
/// `FILE_ATTRIBUTE_READONLY`.
const READONLY: u32 = 0x0001;
/// `FILE_TYPE_UNKNOWN`, `FILE_TYPE_DISK`, `FILE_TYPE_CHAR`, `FILE_TYPE_PIPE`.
const TYPE_UNKNOWN: u32 = 0;
const TYPE_DISK: u32 = 1;
const TYPE_CHAR: u32 = 2;
const TYPE_PIPE: u32 = 3;
/// `INVALID_FILE_SIZE`, `INVALID_SET_FILE_POINTER`.
const INVALID: u32 = u32::MAX;

/// Files to be removed with their handles (`FILE_FLAG_DELETE_ON_CLOSE`).
static DOOMED: Mutex<BTreeMap<RawHandle, PathBuf>> = Mutex::new(BTreeMap::new());

fn doomed() -> MutexGuard<'static, BTreeMap<RawHandle, PathBuf>> {
    DOOMED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A handle was closed: its file goes too, if that was the wish.
pub(crate) fn closed(raw: RawHandle) {
    if let Some(path) = doomed().remove(&raw) {
        // Somebody else may have removed it.
        let _ = fs::remove_file(path);
    }
}

/// A handle was replaced by a duplicate: in this process the wish goes along, in another one nobody would
/// remember it, so the file goes now and its bytes with the last handle.
pub(crate) fn moved(raw: RawHandle, duplicate: Option<RawHandle>) {
    let mut doomed = doomed();
    match (doomed.remove(&raw), duplicate) {
        (Some(path), Some(duplicate)) => drop(doomed.insert(duplicate, path)),
        (Some(path), None) => drop(fs::remove_file(path)),
        (None, _) => {}
    }
}

/// The end of the process closes all handles.
extern "C" fn all_closed() {
    for path in std::mem::take(&mut *doomed()).into_values() {
        let _ = fs::remove_file(path);
    }
}

fn create<U: Unit>(
    name: In<U>,
    desired: u32,
    attributes: In<SECURITY_ATTRIBUTES>,
    disposition: u32,
    flags: u32,
) -> HANDLE {
    guard(HANDLE::INVALID, || {
        if let Some(name) = named_pipe::meant(name)? {
            return named_pipe::open(&name, desired, attributes, flags);
        }
        if let Some(name) = mailslot::meant(name)? {
            return mailslot::open(&name, desired, attributes);
        }
        let path = file_names::path(name)?;
        let (inherit, security) = security::attributes(attributes)?;
        if !(CREATE_NEW..=TRUNCATE_EXISTING).contains(&disposition)
            || (disposition == TRUNCATE_EXISTING && desired & access::GENERIC_WRITE == 0)
        {
            return fail(Code::INVALID_PARAMETER);
        }
        let rights = Kind::File.map_generic(desired) | access::SYNCHRONIZE | access::FILE_READ_ATTRIBUTES;
        let wish = Wish { path: &path, rights, disposition, flags, security };
        let (file, existed) = wish.open()?;
        let kind = match file.metadata()?.file_type() {
            kind if kind.is_dir() && flags & BACKUP_SEMANTICS == 0 => return fail(Code::ACCESS_DENIED),
            kind if kind.is_fifo() => Kind::Pipe,
            _ => Kind::File,
        };
        let raw = ext::from_fd(OwnedFd::from(file), kind, rights, inherit)?.into_raw();
        if flags & DELETE_ON_CLOSE != 0 {
            static AT_EXIT: Once = Once::new();
            AT_EXIT.call_once(|| os::at_exit(all_closed));
            doomed().insert(raw, fs::canonicalize(&path).unwrap_or(path));
        }
        // Every success sets it.
        let tells = existed && matches!(disposition, CREATE_ALWAYS | OPEN_ALWAYS);
        last_error::set(if tells { Code::ALREADY_EXISTS } else { Code::SUCCESS });
        Ok(HANDLE::of(raw))
    })
}

/// What CreateFile was asked for.
struct Wish<'a> {
    path: &'a Path,
    rights: u32,
    disposition: u32,
    flags: u32,
    security: Option<Security>,
}

impl Wish<'_> {
    /// The open file, and whether it existed.
    fn open(&self) -> Outcome<(File, bool)> {
        let may_create = matches!(self.disposition, CREATE_NEW | CREATE_ALWAYS | OPEN_ALWAYS);
        // Between a look and an open the file may come or go: look again then, but not for ever.
        for _ in 0..8 {
            if may_create {
                match self.try_open(true) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        if self.disposition == CREATE_NEW {
                            return fail(Code::FILE_EXISTS);
                        }
                    }
                    Err(error) => return Err(missing(&error, self.path)),
                    Ok(file) => return Ok((file, false)),
                }
            }
            match self.try_open(false) {
                Err(error) if may_create && error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(missing(&error, self.path)),
                Ok(file) => return Ok((file, true)),
            }
        }
        fail(Code::SHARING_VIOLATION)
    }

    fn try_open(&self, create: bool) -> std::io::Result<File> {
        let read = self.rights & (access::FILE_READ_DATA | access::FILE_EXECUTE) != 0;
        let write = self.rights & access::FILE_WRITE_DATA != 0;
        let append = !write && self.rights & access::FILE_APPEND_DATA != 0;
        let truncate = !create && matches!(self.disposition, CREATE_ALWAYS | TRUNCATE_EXISTING);
        let mut options = OpenOptions::new();
        // Making a file and cutting one short need a descriptor that can write; the handle's rights do not
        // grow by that.
        options.read(read || !(write || append)).append(append && !truncate);
        options.write(write || truncate || (create && !append)).truncate(truncate).create_new(create);
        options.mode(match &self.security {
            Some(security) => security.mode(),
            None if self.flags & READONLY != 0 => 0o444,
            None => 0o666,
        });
        let only_looks = !(read || write || append || truncate || create);
        let mut flags = os::O_NOCTTY;
        if only_looks {
            flags |= os::O_PATH;
        }
        if self.flags & WRITE_THROUGH != 0 && !only_looks {
            flags |= os::O_DSYNC;
        }
        if self.flags & NO_BUFFERING != 0 && !only_looks {
            // Not every file system can; a hint then.
            let direct = options.custom_flags(flags | os::O_DIRECT).open(self.path);
            if direct.as_ref().map_err(os::code).err() != Some(Code::INVALID_PARAMETER) {
                return direct;
            }
        }
        options.custom_flags(flags).open(self.path)
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateFileA(
    name: In<u8>,
    access: u32,
    _share: u32,
    attributes: In<SECURITY_ATTRIBUTES>,
    disposition: u32,
    flags: u32,
    _template: HANDLE,
) -> HANDLE {
    create(name, access, attributes, disposition, flags)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateFileW(
    name: In<u16>,
    access: u32,
    _share: u32,
    attributes: In<SECURITY_ATTRIBUTES>,
    disposition: u32,
    flags: u32,
    _template: HANDLE,
) -> HANDLE {
    create(name, access, attributes, disposition, flags)
}

/// A handle to something that has places and a length (P75).
fn file_not_pipe(file: HANDLE) -> Outcome<Borrowed<Handle>> {
    match Handle::borrow(file.raw())? {
        handle if matches!(handle.kind(), Some(Kind::Pipe | Kind::Mailslot)) => fail(Code::INVALID_FUNCTION),
        handle => Ok(handle),
    }
}

/// Moves a file's position; the new one.
fn seek(file: HANDLE, distance: i64, origin: u32) -> Outcome<u64> {
    // What is wrong without looking at the file comes first.
    if origin > 2 {
        return fail(Code::INVALID_PARAMETER);
    }
    if origin == 0 && distance < 0 {
        return fail(Code::NEGATIVE_SEEK);
    }
    let handle = file_not_pipe(file)?;
    let file = os::file(ext::as_fd(&handle, 0)?);
    let start = match origin {
        0 => 0,
        1 => (&*file).stream_position()?,
        _ => file.metadata()?.len(),
    };
    let target = i64::try_from(start).ok().and_then(|start| start.checked_add(distance));
    match target.map(u64::try_from) {
        Some(Ok(target)) => Ok((&*file).seek(SeekFrom::Start(target))?),
        Some(Err(_)) => fail(Code::NEGATIVE_SEEK),
        None => fail(Code::INVALID_PARAMETER),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn SetFilePointer(file: HANDLE, low: i32, high: Out<i32>, origin: u32) -> u32 {
    guard(INVALID, || {
        let distance = match high.reader().get() {
            // The low half has no sign of its own then.
            Some(high) => i64::from(high) << 32 | i64::from(low as u32),
            None => i64::from(low),
        };
        let before = if high.is_null() { seek(file, 0, 1).ok() } else { None };
        let position = seek(file, distance, origin)?;
        if let (Some(before), true) = (before, position > u64::from(u32::MAX)) {
            // Nowhere to put the high half.
            seek(file, i64::try_from(before).unwrap_or(0), 0)?;
            return fail(Code::INVALID_PARAMETER);
        }
        high.put((position >> 32) as i32);
        Ok(low_half(position))
    })
}

/// The low half of a number as a result, where one value of it looks like failure.
fn low_half(value: u64) -> u32 {
    let low = value as u32;
    if low == INVALID {
        last_error::set(Code::SUCCESS);
    }
    low
}

#[unsafe(no_mangle)]
pub extern "C" fn SetFilePointerEx(file: HANDLE, distance: i64, position: Out<i64>, origin: u32) -> Bool {
    truth(|| {
        let now = seek(file, distance, origin)?;
        position.put(i64::try_from(now).unwrap_or(i64::MAX));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SetEndOfFile(file: HANDLE) -> Bool {
    truth(|| {
        let position = seek(file, 0, 1)?;
        Ok(ext::set_file_length(&*Handle::borrow(file.raw())?, position)?)
    })
}

/// The length of a file on disk.
fn size(file: HANDLE) -> Outcome<u64> {
    let handle = file_not_pipe(file)?;
    let metadata = os::file(ext::as_fd(&handle, 0)?).metadata()?;
    if metadata.is_file() || metadata.is_dir() { Ok(metadata.len()) } else { fail(Code::INVALID_FUNCTION) }
}

#[unsafe(no_mangle)]
pub extern "C" fn GetFileSize(file: HANDLE, high: Out<u32>) -> u32 {
    guard(INVALID, || {
        let size = size(file)?;
        high.put((size >> 32) as u32);
        Ok(low_half(size))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetFileSizeEx(file: HANDLE, result: Out<i64>) -> Bool {
    truth(|| {
        let size = size(file)?;
        result.required()?.put(i64::try_from(size).unwrap_or(i64::MAX));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetFileType(file: HANDLE) -> u32 {
    guard(TYPE_UNKNOWN, || {
        let handle = Handle::borrow(file.raw())?;
        if handle.kind() == Some(Kind::Pipe) {
            return Ok(TYPE_PIPE);
        }
        if handle.kind() == Some(Kind::Mailslot) {
            // Not a failure, which would have another last error.
            last_error::set(Code::SUCCESS);
            return Ok(TYPE_UNKNOWN);
        }
        let kind = os::file(ext::as_fd(&handle, 0)?).metadata()?.file_type();
        Ok(if kind.is_char_device() {
            TYPE_CHAR
        } else if kind.is_fifo() || kind.is_socket() {
            TYPE_PIPE
        } else {
            TYPE_DISK
        })
    })
}
