//! Files as wholes: copying, moving, attributes, full paths.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use transom::Code;
use transom::handle::ext;

use crate::ffi::{Bool, In, Out, Outcome, Unit, fail, guard, truth};
use crate::file_names::missing;

/// `MOVEFILE_REPLACE_EXISTING`, `MOVEFILE_COPY_ALLOWED`.
const REPLACE_EXISTING: u32 = 1;
const COPY_ALLOWED: u32 = 2;
/// `FILE_ATTRIBUTE_READONLY`.
const READONLY: u32 = 1;

/// Whether a file may be replaced: it is no folder, and no mapping of this library's covers it (M51).
fn replaceable(path: &Path) -> Outcome<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fail(Code::ACCESS_DENIED),
        Ok(metadata) if metadata.is_file() && ext::file_is_mapped(path) => fail(Code::ACCESS_DENIED),
        _ => Ok(()),
    }
}

fn copy<U: Unit>(from: In<U>, to: In<U>, fail_if_exists: Bool) -> Bool {
    truth(|| {
        let (from, to) = (from.path()?, to.path()?);
        let mut source = fs::File::open(&from).map_err(|error| missing(&error, &from))?;
        let metadata = source.metadata()?;
        if metadata.is_dir() {
            return fail(Code::ACCESS_DENIED);
        }
        replaceable(&to)?;
        let same = |other: &fs::Metadata| {
            use std::os::unix::fs::MetadataExt;
            (other.dev(), other.ino()) == (metadata.dev(), metadata.ino())
        };
        if fs::metadata(&to).is_ok_and(|other| same(&other)) {
            // Cutting it short would lose what is to be copied.
            return fail(if fail_if_exists != 0 { Code::FILE_EXISTS } else { Code::SHARING_VIOLATION });
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).create_new(fail_if_exists != 0);
        let mut target = options.open(&to).map_err(|error| missing(&error, &to))?;
        io::copy(&mut source, &mut target)?;
        target.set_permissions(metadata.permissions())?;
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CopyFileA(from: In<u8>, to: In<u8>, fail_if_exists: Bool) -> Bool {
    copy(from, to, fail_if_exists)
}

#[unsafe(no_mangle)]
pub extern "C" fn CopyFileW(from: In<u16>, to: In<u16>, fail_if_exists: Bool) -> Bool {
    copy(from, to, fail_if_exists)
}

fn rename<U: Unit>(from: In<U>, to: In<U>, flags: u32) -> Bool {
    truth(|| {
        let (from, to) = (from.path()?, to.path()?);
        fs::symlink_metadata(&from).map_err(|error| missing(&error, &from))?;
        if flags & REPLACE_EXISTING != 0 {
            replaceable(&to)?;
        } else if fs::symlink_metadata(&to).is_ok() {
            return fail(Code::ALREADY_EXISTS);
        }
        match fs::rename(&from, &to) {
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                if flags & COPY_ALLOWED == 0 || from.is_dir() {
                    // ERROR_NOT_SAME_DEVICE.
                    return fail(Code::new(17));
                }
                fs::copy(&from, &to).map_err(|error| missing(&error, &to))?;
                Ok(fs::remove_file(&from)?)
            }
            // The source is there, so it is the target's folder that is missing.
            Err(error) if error.kind() == ErrorKind::NotFound => fail(Code::PATH_NOT_FOUND),
            result => Ok(result?),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn MoveFileA(from: In<u8>, to: In<u8>) -> Bool {
    rename(from, to, COPY_ALLOWED)
}

#[unsafe(no_mangle)]
pub extern "C" fn MoveFileW(from: In<u16>, to: In<u16>) -> Bool {
    rename(from, to, COPY_ALLOWED)
}

#[unsafe(no_mangle)]
pub extern "C" fn MoveFileExA(from: In<u8>, to: In<u8>, flags: u32) -> Bool {
    rename(from, to, flags)
}

#[unsafe(no_mangle)]
pub extern "C" fn MoveFileExW(from: In<u16>, to: In<u16>, flags: u32) -> Bool {
    rename(from, to, flags)
}

fn set_attributes<U: Unit>(name: In<U>, attributes: u32) -> Bool {
    truth(|| {
        let path = name.path()?;
        let mut permissions = fs::metadata(&path).map_err(|error| missing(&error, &path))?.permissions();
        let mode = permissions.mode();
        permissions.set_mode(if attributes & READONLY != 0 { mode & !0o222 } else { mode | 0o200 });
        Ok(fs::set_permissions(&path, permissions)?)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SetFileAttributesA(name: In<u8>, attributes: u32) -> Bool {
    set_attributes(name, attributes)
}

#[unsafe(no_mangle)]
pub extern "C" fn SetFileAttributesW(name: In<u16>, attributes: u32) -> Bool {
    set_attributes(name, attributes)
}

/// A path from the root, without `.` and `..`; nothing on disk is looked at.
fn full(path: &Path) -> io::Result<PathBuf> {
    let mut full = PathBuf::new();
    for part in std::path::absolute(path)?.components() {
        match part {
            Component::ParentDir => drop(full.pop()),
            Component::CurDir => {}
            part => full.push(part),
        }
    }
    Ok(full)
}

fn full_path<U: Unit>(name: In<U>, size: u32, buffer: Out<U>, file_part: Out<Out<U>>) -> u32 {
    guard(0, || {
        let given = name.path()?;
        let mut path = full(&given)?.into_os_string();
        let is_folder = given.as_os_str().as_bytes().ends_with(b"/") && path != "/";
        if is_folder {
            path.push("/");
        }
        let length = buffer.put_text(size, &path);
        if length < size && !buffer.is_null() {
            let last = path.as_bytes().iter().rposition(|&byte| byte == b'/').map_or(0, |at| at + 1);
            let before = U::from_text(&path.as_bytes()[..last]).len();
            let at = buffer.offset(before * size_of::<U>());
            file_part.put(if last == path.len() { Out::null() } else { at });
        }
        Ok(length)
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetFullPathNameA(name: In<u8>, size: u32, buffer: Out<u8>, file_part: Out<Out<u8>>) -> u32 {
    full_path(name, size, buffer, file_part)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetFullPathNameW(
    name: In<u16>,
    size: u32,
    buffer: Out<u16>,
    file_part: Out<Out<u16>>,
) -> u32 {
    full_path(name, size, buffer, file_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_paths_have_no_steps_back() {
        let cases = [("/a/b/../c", "/a/c"), ("/a/./b/", "/a/b"), ("/../a", "/a"), ("/", "/")];
        for (given, wanted) in cases {
            assert_eq!(full(Path::new(given)).unwrap(), Path::new(wanted), "{given}");
        }
        let relative = full(Path::new("x/../y")).unwrap();
        assert_eq!(relative, std::env::current_dir().unwrap().join("y"));
    }
}
