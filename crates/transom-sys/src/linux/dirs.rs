//! Folders and the small files in them, by calls relative to an open folder that follow no symbolic link.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, RenameFlags, Stat};
use rustix::io::{Errno, Result};

use super::fault::{self, opening};
use super::fd::above_standard;
use super::signal::without_size_signal;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const ENTRY: OFlags = OFlags::RDWR.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);

/// What fstat(2) and fstatat(2) tell that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Device of the file.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Permission bits with set-id and sticky bits (07777).
    pub mode: u32,
    /// User that owns it.
    pub owner: u32,
    /// Group that owns it.
    pub group: u32,
    /// Bytes.
    pub size: u64,
    /// It has no name any more.
    pub is_removed: bool,
    /// A regular file.
    pub is_file: bool,
    /// A folder.
    pub is_folder: bool,
}

impl From<Stat> for Status {
    fn from(stat: Stat) -> Status {
        let kind = FileType::from_raw_mode(stat.st_mode);
        Status {
            device: stat.st_dev,
            inode: stat.st_ino,
            mode: stat.st_mode & 0o7777,
            owner: stat.st_uid,
            group: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            is_removed: stat.st_nlink == 0,
            is_file: kind == FileType::RegularFile,
            is_folder: kind == FileType::Directory,
        }
    }
}

/// fstat(2).
pub fn status(fd: impl AsFd) -> Result<Status> {
    rustix::fs::fstat(fd).map(Status::from)
}

/// fstatat(2) of a name in a folder, not following a symbolic link.
pub fn status_at(folder: impl AsFd, name: &str) -> Result<Status> {
    rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map(Status::from)
}

/// open(2) of a folder by path; symbolic links on the way are followed.
pub fn open_path(path: &Path) -> Result<OwnedFd> {
    above_standard(opening("open", || rustix::fs::openat(CWD, path, FOLDER, Mode::empty()))?)
}

/// mkdir(2) by path.
pub fn make_path(path: &Path, mode: u32) -> Result<()> {
    fault::call("mkdir")?;
    rustix::fs::mkdirat(CWD, path, Mode::from_raw_mode(mode))
}

/// openat(2) of a folder in a folder: ENOTDIR if it is a symbolic link.
pub fn open_folder(parent: impl AsFd, name: &str) -> Result<OwnedFd> {
    let flags = FOLDER | OFlags::NOFOLLOW;
    above_standard(opening("open", || rustix::fs::openat(&parent, name, flags, Mode::empty()))?)
}

/// faccessat(2) for the effective user: whether files can be made in a folder. EROFS, EACCES.
pub fn may_write(path: &Path) -> Result<()> {
    let access = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    rustix::fs::accessat(CWD, path, access, AtFlags::EACCESS)
}

/// mkdirat(2); the process's umask takes bits away.
pub fn make_folder(parent: impl AsFd, name: &str, mode: u32) -> Result<()> {
    fault::call("mkdir")?;
    rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(mode))
}

/// openat(2), O_EXCL: a new file, for reading and writing; EEXIST if there is anything of that name. The
/// umask takes bits of the mode away.
pub fn create_file(folder: impl AsFd, name: &str, mode: u32) -> Result<OwnedFd> {
    let flags = ENTRY | OFlags::CREATE | OFlags::EXCL;
    let mode = Mode::from_raw_mode(mode);
    above_standard(opening("open", || rustix::fs::openat(&folder, name, flags, mode))?)
}

/// openat(2) of an existing file for reading, and for writing if asked; ELOOP if it is a symbolic link. What
/// kind of file it is, is still to be checked; opening has no effect on any kind.
pub fn open_file(folder: impl AsFd, name: &str, write: bool) -> Result<OwnedFd> {
    let flags = if write { ENTRY } else { ENTRY.difference(OFlags::RDWR) };
    above_standard(opening("open", || rustix::fs::openat(&folder, name, flags, Mode::empty()))?)
}

/// unlinkat(2) of a file.
pub fn remove_file(folder: impl AsFd, name: &str) -> Result<()> {
    rustix::fs::unlinkat(folder, name, AtFlags::empty())
}

/// renameat2(2), RENAME_NOREPLACE, within a folder: EEXIST if there is anything of the new name.
pub fn rename_to_free(folder: impl AsFd, from: &str, to: &str) -> Result<()> {
    fault::call("rename")?;
    rustix::fs::renameat_with(&folder, from, &folder, to, RenameFlags::NOREPLACE)
}

/// linkat(2) within a folder: a second name for a file, EEXIST if there is anything of that name.
pub fn link(folder: impl AsFd, from: &str, to: &str) -> Result<()> {
    fault::call("link")?;
    rustix::fs::linkat(&folder, from, &folder, to, AtFlags::empty())
}

/// fchmod(2).
pub fn set_mode(fd: impl AsFd, mode: u32) -> Result<()> {
    fault::call("chmod")?;
    rustix::fs::fchmod(fd, Mode::from_raw_mode(mode))
}

/// fchown(2) of the group alone.
pub fn set_group(fd: impl AsFd, group: u32) -> Result<()> {
    rustix::fs::fchown(fd, None, Some(Gid::from_raw(group)))
}

/// pread(2) until the buffer is full or the file ends; gives how much was read.
pub fn read_at(fd: impl AsFd, buffer: &mut [u8], offset: u64) -> Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        let call = fault::call("pread");
        match call.and_then(|()| rustix::io::pread(&fd, &mut buffer[done..], offset + done as u64)) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// pread(2), once: gives how much was read, which is less than asked for only where a regular file ends.
pub fn read_once(fd: impl AsFd, buffer: &mut [u8], offset: u64) -> Result<usize> {
    loop {
        match fault::call("pread").and_then(|()| rustix::io::pread(&fd, &mut *buffer, offset)) {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

/// pwrite(2) until all is written.
pub fn write_at(fd: impl AsFd, bytes: &[u8], offset: u64) -> Result<()> {
    without_size_signal(|| {
        let mut done = 0;
        while done < bytes.len() {
            let call = fault::call("pwrite");
            match call.and_then(|()| rustix::io::pwrite(&fd, &bytes[done..], offset + done as u64)) {
                Ok(0) => return Err(Errno::IO),
                Ok(count) => done += count,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    })
}

/// ftruncate(2).
pub fn set_length(fd: impl AsFd, length: u64) -> Result<()> {
    super::file::set_length(fd, length)
}

/// getdents(2): the names in a folder, in the order of the file system and without `.` and `..`; `limit` of
/// them at most. Names that are no UTF-8 are left out.
pub fn names(folder: impl AsFd, limit: usize) -> Result<Vec<String>> {
    // A folder of its own, for the position in the list.
    let list = opening("open", || rustix::fs::openat(&folder, ".", FOLDER, Mode::empty()))?;
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::new(list)? {
        if names.len() == limit {
            break;
        }
        match entry?.file_name().to_str() {
            Ok("." | "..") | Err(_) => {}
            Ok(name) => names.push(name.to_owned()),
        }
    }
    Ok(names)
}

/// getegid(2), getgroups(2): whether this process is in a group.
#[must_use]
pub fn is_in_group(group: u32) -> bool {
    rustix::process::getegid().as_raw() == group
        || rustix::process::getgroups().is_ok_and(|groups| groups.iter().any(|own| own.as_raw() == group))
}

/// fstatvfs(2): bytes of a file system, and how many of them are free for this user.
pub fn space(folder: impl AsFd) -> Result<(u64, u64)> {
    let status = rustix::fs::fstatvfs(folder)?;
    Ok((status.f_blocks.saturating_mul(status.f_frsize), status.f_bavail.saturating_mul(status.f_frsize)))
}
