//! What a hostile process of the same user needs: other processes' memory files, and random bytes.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::PathBuf;

use transom_core::entry::Entry;
use transom_core::name::{ObjectName, Scope};
use transom_sys::linux::process;

use crate::support;

/// A child that only waits to be ended.
pub fn bystander() -> u32 {
    if std::env::var_os("TRANSOM_TEST_READY").is_some() {
        support::ready();
    }
    support::wait_to_be_killed()
}

/// xorshift64*: the same bytes in every run, so that a failure comes again.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| (self.next() >> 32) as u8).collect()
    }
}

/// The folder of entries of unprefixed names.
pub fn objects() -> PathBuf {
    match std::env::var_os("TRANSOM_DIR") {
        Some(base) => PathBuf::from(base).join("local/objects"),
        None => PathBuf::from(format!("/dev/shm/transom-{}/objects", process::user())),
    }
}

/// The entry file of an unprefixed name.
pub fn entry_path(name: &str) -> PathBuf {
    let name = ObjectName::parse(name).expect("a good name").expect("not the empty one");
    assert_eq!(name.scope(), Scope::Local);
    objects().join(name.file_name())
}

/// The file of a path-backed object's memory.
pub fn memory_path(name: &str) -> PathBuf {
    let entry = entry_path(name);
    let prefix = format!("{}+", entry.file_name().expect("a file").to_string_lossy());
    let files = std::fs::read_dir(objects()).expect("the folder of entries");
    let mut found = files.flatten().filter(|file| file.file_name().to_string_lossy().starts_with(&prefix));
    found.next().expect("the memory lies beside the entry").path()
}

/// Everything that a process has open whose link begins with `prefix`, opened anew for reading and writing.
pub fn open_files(process: u32, prefix: &str) -> Vec<File> {
    let Ok(folder) = std::fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
    let is_it = |path: &PathBuf| {
        std::fs::read_link(path).is_ok_and(|link| link.to_string_lossy().starts_with(prefix))
    };
    folder
        .flatten()
        .map(|entry| entry.path())
        .filter(is_it)
        .filter_map(|path| OpenOptions::new().read(true).write(true).open(path).ok())
        .collect()
}

/// The pages of events, mutexes and semaphores that a process has open.
pub fn pages(process: u32) -> Vec<File> {
    open_files(process, "/memfd:transom-object")
}

/// The page of the named object, which this process has open.
pub fn page_of(name: &str) -> File {
    let contents = std::fs::read(entry_path(name)).expect("the name exists");
    let inode = Entry::parse(&contents).expect("an entry").header.inode;
    let is_it = |page: &File| page.metadata().is_ok_and(|data| data.ino() == inode);
    pages(std::process::id()).into_iter().find(is_it).expect("this process has it open")
}

/// The record of process `id`, which it or its creator has open.
pub fn record_of(id: u32) -> File {
    let mut records = open_files(id, "/memfd:transom-process");
    records.extend(open_files(std::process::id(), "/memfd:transom-process"));
    let is_its = |record: &File| read_u32(record, transom_core::record::process::PROCESS_ID) == id;
    records.into_iter().find(is_its).expect("the process has a record")
}

pub fn read_u32(file: &File, at: usize) -> u32 {
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, at as u64).expect("inside the file");
    u32::from_le_bytes(bytes)
}

pub fn read_u64(file: &File, at: usize) -> u64 {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, at as u64).expect("inside the file");
    u64::from_le_bytes(bytes)
}

pub fn write_u32(file: &File, at: usize, value: u32) {
    file.write_all_at(&value.to_le_bytes(), at as u64).expect("inside the file");
}

pub fn write_u64(file: &File, at: usize, value: u64) {
    file.write_all_at(&value.to_le_bytes(), at as u64).expect("inside the file");
}

/// Descriptors that this process has open.
pub fn descriptors() -> usize {
    // The folder's own is among them, each time.
    std::fs::read_dir("/proc/self/fd").expect("/proc").count()
}

/// Whether two descriptors are of the same file.
pub fn same_file(a: &File, b: &File) -> bool {
    let identity = |file: &File| file.metadata().map(|data| (data.dev(), data.ino())).expect("open");
    identity(a) == identity(b)
}

/// A second descriptor of the same open file.
pub fn duplicate(fd: BorrowedFd<'_>) -> OwnedFd {
    transom_sys::linux::fd::duplicate(fd).expect("a descriptor")
}

/// The number of a descriptor.
pub fn number(fd: &impl AsRawFd) -> i32 {
    fd.as_raw_fd()
}
