//! Files by name: paths, deleting, attributes, folders, temporary files.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use transom::Code;
use transom::handle::ext;

use crate::environment;
use crate::ffi::{Bool, Failure, In, MAX_PATH, Out, Outcome, Unit, fail, guard, path_of, truth};
use crate::os;
use crate::security::{self, SECURITY_ATTRIBUTES};

/// `FILE_ATTRIBUTE_READONLY` and the others that are told.
const READONLY: u32 = 0x01;
const HIDDEN: u32 = 0x02;
const DIRECTORY: u32 = 0x10;
const NORMAL: u32 = 0x80;
/// `INVALID_FILE_ATTRIBUTES`.
const INVALID: u32 = u32::MAX;

/// The path that a name given to CreateFile means.
pub(crate) fn path<U: Unit>(name: In<U>) -> Outcome<PathBuf> {
    let path = name.path()?;
    let text = path.as_os_str().as_bytes();
    if let Some(device) = text.strip_prefix(b"//./") {
        return match terminal_or_nothing(device) {
            Some(path) => Ok(path.into()),
            // Pipes and mailslots have been looked for by now.
            None => fail(Code::FILE_NOT_FOUND),
        };
    }
    if let Some(plain) = text.strip_prefix(b"//?/") {
        return Ok(path_of(plain.to_vec()));
    }
    Ok(terminal_or_nothing(text).map_or(path.clone(), PathBuf::from))
}

/// The devices that have names without a folder.
fn terminal_or_nothing(name: &[u8]) -> Option<&'static str> {
    let is = |device: &str| name.eq_ignore_ascii_case(device.as_bytes());
    match name {
        _ if is("NUL") => Some("/dev/null"),
        _ if is("CONIN$") || is("CONOUT$") => Some("/dev/tty"),
        _ => None,
    }
}

/// An error about a path: a file that is missing is 2, or 3 if its folder is missing too.
pub(crate) fn missing(error: &io::Error, path: &Path) -> Failure {
    let code = os::code(error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if code == Code::FILE_NOT_FOUND && folder.is_some_and(|folder| !folder.is_dir()) {
        return Failure(Code::PATH_NOT_FOUND);
    }
    Failure(code)
}

fn delete<U: Unit>(name: In<U>) -> Bool {
    truth(|| {
        let path = name.path()?;
        let metadata = fs::symlink_metadata(&path).map_err(|error| missing(&error, &path))?;
        if metadata.is_dir() || (metadata.is_file() && ext::file_is_mapped(&path)) {
            return fail(Code::ACCESS_DENIED);
        }
        fs::remove_file(&path).map_err(|error| missing(&error, &path))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn DeleteFileA(name: In<u8>) -> Bool {
    delete(name)
}

#[unsafe(no_mangle)]
pub extern "C" fn DeleteFileW(name: In<u16>) -> Bool {
    delete(name)
}

fn attributes<U: Unit>(name: In<U>) -> u32 {
    guard(INVALID, || {
        let path = name.path()?;
        let metadata = fs::metadata(&path).map_err(|error| missing(&error, &path))?;
        let mut attributes = 0;
        if metadata.is_dir() {
            attributes |= DIRECTORY;
        } else if metadata.permissions().mode() & 0o222 == 0 {
            attributes |= READONLY;
        }
        if path.file_name().is_some_and(|name| name.as_bytes().starts_with(b".")) {
            attributes |= HIDDEN;
        }
        Ok(if attributes == 0 { NORMAL } else { attributes })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetFileAttributesA(name: In<u8>) -> u32 {
    attributes(name)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetFileAttributesW(name: In<u16>) -> u32 {
    attributes(name)
}

fn make_folder<U: Unit>(name: In<U>, attributes: In<SECURITY_ATTRIBUTES>) -> Bool {
    truth(|| {
        let path = name.path()?;
        let (_, security) = security::attributes(attributes)?;
        let mode = security.map_or(0o777, |security| {
            // Who may read a folder has to be able to enter it.
            let mode = security.mode();
            mode | mode >> 2 & 0o111
        });
        DirBuilder::new().mode(mode).create(&path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Failure(Code::ALREADY_EXISTS),
            // Its parent is missing.
            ErrorKind::NotFound => Failure(Code::PATH_NOT_FOUND),
            _ => error.into(),
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateDirectoryA(name: In<u8>, attributes: In<SECURITY_ATTRIBUTES>) -> Bool {
    make_folder(name, attributes)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateDirectoryW(name: In<u16>, attributes: In<SECURITY_ATTRIBUTES>) -> Bool {
    make_folder(name, attributes)
}

fn remove_folder<U: Unit>(name: In<U>) -> Bool {
    truth(|| {
        let path = name.path()?;
        let metadata = fs::symlink_metadata(&path).map_err(|error| missing(&error, &path))?;
        if !metadata.is_dir() {
            return fail(Code::DIRECTORY);
        }
        fs::remove_dir(&path).map_err(|error| missing(&error, &path))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn RemoveDirectoryA(name: In<u8>) -> Bool {
    remove_folder(name)
}

#[unsafe(no_mangle)]
pub extern "C" fn RemoveDirectoryW(name: In<u16>) -> Bool {
    remove_folder(name)
}

fn temporary_folder<U: Unit>(size: u32, buffer: Out<U>) -> u32 {
    guard(0, || {
        let given = ["TMP", "TEMP", "TMPDIR"]
            .into_iter()
            .find_map(|name| environment::variable(name.as_bytes()).filter(|value| !value.is_empty()));
        let mut folder = given.unwrap_or_else(|| OsString::from("/tmp")).into_vec();
        if !matches!(folder.last(), Some(b'/' | b'\\')) {
            folder.push(b'/');
        }
        Ok(buffer.put_text(size, OsStr::from_bytes(&folder)))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetTempPathA(size: u32, buffer: Out<u8>) -> u32 {
    temporary_folder(size, buffer)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetTempPathW(size: u32, buffer: Out<u16>) -> u32 {
    temporary_folder(size, buffer)
}

/// Makes a name of folder, prefix and number; with number 0 finds a free one and makes the file.
fn temporary_file<U: Unit>(folder: In<U>, prefix: In<U>, unique: u32, buffer: Out<U>) -> u32 {
    guard(0, || {
        let buffer = buffer.required()?;
        let mut folder = folder.text().unwrap_or_default();
        if !matches!(folder.last(), None | Some(b'/' | b'\\')) {
            folder.push(b'/');
        }
        if U::from_text(&folder).len() > MAX_PATH - 14 {
            return fail(Code::BUFFER_OVERFLOW);
        }
        if !path_of(if folder.is_empty() { b".".to_vec() } else { folder.clone() }).is_dir() {
            return fail(Code::DIRECTORY);
        }
        let prefix = U::to_text(&prefix.units_up_to(3).unwrap_or_default());
        let name = |number: u32| [&folder[..], &prefix[..], format!("{number:X}.tmp").as_bytes()].concat();
        let wanted = unique & 0xFFFF;
        let number = if wanted != 0 { wanted } else { free_number(&name)? };
        buffer.put_text(MAX_PATH as u32, OsStr::from_bytes(&name(number)));
        Ok(number)
    })
}

/// A number from 1 to 65535 whose name is free, and now taken.
fn free_number(name: &impl Fn(u32) -> Vec<u8>) -> Outcome<u32> {
    // Programs that start together shall not all try the same numbers one by one.
    let first = (os::monotonic() / 1000) as u32;
    for step in 0..0xFFFF {
        let number = first.wrapping_add(step) % 0xFFFF + 1;
        let path = path_of(name(number));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(_) => return Ok(number),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(missing(&error, &path)),
        }
    }
    fail(Code::FILE_EXISTS)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetTempFileNameA(folder: In<u8>, prefix: In<u8>, unique: u32, buffer: Out<u8>) -> u32 {
    temporary_file(folder, prefix, unique, buffer)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetTempFileNameW(folder: In<u16>, prefix: In<u16>, unique: u32, buffer: Out<u16>) -> u32 {
    temporary_file(folder, prefix, unique, buffer)
}
