//! Files: `CreateFile`, and reading and writing through any handle that can.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use transom::Code;
use transom::event::Event;
use transom::handle::{FromHandle, Handle, Kind, RawHandle, ext};
use transom::pipe::Pipe;
use transom::process;
use transom::security::Security;
use transom_core::access;

use crate::ffi::{Bool, Failure, HANDLE, In, Out, Outcome, Plain, Unit, fail, guard, truth};
use crate::file_names::{self, missing};
use crate::security::{self, SECURITY_ATTRIBUTES};
use crate::{last_error, os};

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

/// `OVERLAPPED`: where an operation starts, and what came of it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct OVERLAPPED {
    internal: usize,
    internal_high: usize,
    offset: u32,
    offset_high: u32,
    event: HANDLE,
}

// SAFETY: integers and a handle, laid out as C does.
unsafe impl Plain for OVERLAPPED {}

impl OVERLAPPED {
    /// Where in a file the operation starts.
    pub(crate) fn place(self) -> u64 {
        u64::from(self.offset_high) << 32 | u64::from(self.offset)
    }
}

/// `STATUS_PENDING`.
const PENDING: usize = 0x103;
/// A Win32 code as a status: RtlNtStatusToDosError gives it back.
const STATUS_OF_CODE: usize = 0xC007_0000;

/// An operation that was given an OVERLAPPED.
struct Operation {
    overlapped: Out<OVERLAPPED>,
    offset: u64,
    event: Option<RawHandle>,
}

impl Operation {
    /// Resets the event and marks the operation as running.
    fn begin(overlapped: Out<OVERLAPPED>) -> Outcome<Option<Operation>> {
        let Some(given) = overlapped.reader().get() else { return Ok(None) };
        // The lowest bit asks for no completion packet, of which there are none anyway.
        let event = RawHandle::new(given.event.raw().value() & !1);
        let event = (event != RawHandle::NULL).then_some(event);
        if let Some(event) = event {
            Event::borrow(event)?.reset()?;
        }
        overlapped.put(OVERLAPPED { internal: PENDING, ..given });
        let offset = given.place();
        Ok(Some(Operation { overlapped, offset, event }))
    }

    /// Stores the outcome; only success sets the event (P48, P49).
    fn end(&self, outcome: Outcome<usize>) -> Outcome<()> {
        let internal = self.overlapped.cast::<usize>();
        let moved = internal.offset::<usize>(size_of::<usize>());
        match outcome {
            Ok(count) => {
                internal.put(0);
                moved.put(count);
                if let Some(event) = self.event {
                    Event::borrow(event)?.set()?;
                }
                Ok(())
            }
            Err(Failure(code)) => {
                internal.put(STATUS_OF_CODE | code.value() as usize & 0xFFFF);
                moved.put(0);
                Err(Failure(code))
            }
        }
    }
}

/// Runs a transfer and tells the count in both places that may want it.
fn transfer(
    count: Out<u32>,
    overlapped: Out<OVERLAPPED>,
    body: impl FnOnce(Option<u64>) -> Outcome<usize>,
) -> Bool {
    truth(|| {
        if count.is_null() && overlapped.is_null() {
            return fail(Code::INVALID_PARAMETER);
        }
        count.put(0);
        let operation = Operation::begin(overlapped)?;
        let outcome = body(operation.as_ref().map(|operation| operation.offset));
        if let Ok(done) = outcome {
            // No more than was asked for, which was 32 bits.
            count.put(done as u32);
        }
        match operation {
            Some(operation) => operation.end(outcome),
            None => outcome.map(drop),
        }
    })
}

/// The end of a pipe behind a handle; `None` for a file. Reading and writing one may wait for a child that left
/// this thread a head start, so that ends here.
fn pipe(handle: &Handle) -> Outcome<Option<transom::handle::Borrowed<Pipe>>> {
    match handle.kind() {
        Some(Kind::File) => Ok(None),
        Some(Kind::Pipe) => {
            process::let_go();
            Ok(Some(Pipe::borrow(handle.as_raw())?))
        }
        _ => fail(Code::INVALID_HANDLE),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn ReadFile(
    file: HANDLE,
    mut buffer: Out<u8>,
    size: u32,
    count: Out<u32>,
    overlapped: Out<OVERLAPPED>,
) -> Bool {
    transfer(count, overlapped, |offset| {
        let handle = Handle::borrow(file.raw())?;
        let buffer = buffer.bytes(size as usize)?;
        match (pipe(&handle)?, offset) {
            (Some(pipe), _) => Ok(pipe.receive(buffer)?),
            (None, None) => {
                let file = os::file(ext::as_fd(&handle, access::FILE_READ_DATA)?);
                Ok(again(|| (&*file).read(buffer))?)
            }
            (None, Some(offset)) => {
                let file = os::file(ext::as_fd(&handle, access::FILE_READ_DATA)?);
                let done = again(|| file.read_at(buffer, offset))?;
                if done == 0 && size > 0 {
                    return fail(Code::HANDLE_EOF);
                }
                move_behind(&file, offset, done);
                Ok(done)
            }
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn WriteFile(
    file: HANDLE,
    buffer: In<u8>,
    size: u32,
    count: Out<u32>,
    overlapped: Out<OVERLAPPED>,
) -> Bool {
    transfer(count, overlapped, |offset| {
        let handle = Handle::borrow(file.raw())?;
        let bytes = buffer.bytes(size as usize)?;
        if let Some(pipe) = pipe(&handle)? {
            return Ok(pipe.send(bytes)?);
        }
        let file = os::file(ext::as_fd(&handle, write_right(&handle))?);
        match offset {
            None => (&*file).write_all(bytes)?,
            // The end of the file, wherever that is.
            Some(u64::MAX) => {
                (&*file).seek(SeekFrom::End(0))?;
                (&*file).write_all(bytes)?;
            }
            Some(offset) => {
                file.write_all_at(bytes, offset)?;
                move_behind(&file, offset, bytes.len());
            }
        }
        Ok(bytes.len())
    })
}

/// The right that this handle can write by.
fn write_right(handle: &Handle) -> u32 {
    if ext::granted_access(handle) & access::FILE_WRITE_DATA != 0 {
        access::FILE_WRITE_DATA
    } else {
        access::FILE_APPEND_DATA
    }
}

/// A call that a signal interrupted goes on.
fn again(mut call: impl FnMut() -> std::io::Result<usize>) -> std::io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// A transfer at a place moves the position of the file there.
fn move_behind(mut file: &File, offset: u64, count: usize) {
    // A device may have no position.
    let _ = file.seek(SeekFrom::Start(offset.saturating_add(count as u64)));
}

#[unsafe(no_mangle)]
pub extern "C" fn GetOverlappedResult(
    _file: HANDLE,
    overlapped: Out<OVERLAPPED>,
    count: Out<u32>,
    _wait: Bool,
) -> Bool {
    truth(|| {
        let result = overlapped.reader().required()?;
        let count = count.required()?;
        match result.internal {
            0 => {
                count.put(result.internal_high as u32);
                Ok(())
            }
            PENDING => fail(Code::IO_INCOMPLETE),
            status => {
                count.put(0);
                fail(Code::new(status as u32 & 0xFFFF))
            }
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn FlushFileBuffers(file: HANDLE) -> Bool {
    truth(|| {
        let handle = Handle::borrow(file.raw())?;
        if let Some(pipe) = pipe(&handle)? {
            return Ok(pipe.flush()?);
        }
        let file = os::file(ext::as_fd(&handle, write_right(&handle))?);
        match file.sync_all() {
            // A device has nothing to hand over.
            Err(error) if os::code(&error) == Code::INVALID_PARAMETER => Ok(()),
            result => Ok(result?),
        }
    })
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
    let handle = Handle::borrow(file.raw())?;
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
    let handle = Handle::borrow(file.raw())?;
    if pipe(&handle)?.is_some() {
        return fail(Code::INVALID_FUNCTION);
    }
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
        if pipe(&handle)?.is_some() {
            return Ok(TYPE_PIPE);
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
