//! The namespace itself, below folders of the tests' own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::entry::{Entry, Holder, LOCKS};
use transom_core::name::{ObjectName, Scope};
use transom_core::security::Security;
use transom_sys::linux::{dirs, fd, lock, memfd};

use super::root::Namespace;
use super::spare::Spare;
use super::{Facts, Folder, Memory, Opened, Place, Request};
use crate::support::limit;

mod beside;
mod hostile;
mod life;
mod list;
mod path;
mod process;
mod race;
mod root;

/// Bytes of the memory that the tests' objects have.
const SIZE: u64 = 4096;

/// A namespace below a new folder, which goes with the value.
struct Scratch {
    namespace: Namespace,
    base: TempDir,
}

impl Scratch {
    fn new() -> Scratch {
        let base = tempfile::tempdir_in("/dev/shm").expect("a folder in shared memory");
        Scratch { namespace: Namespace::below(Some(base.path().as_os_str())), base }
    }

    fn objects(&self) -> PathBuf {
        self.base.path().join("local").join("objects")
    }

    /// The files of the folder of local objects.
    fn files(&self) -> Vec<String> {
        let folder = std::fs::File::open(self.objects()).expect("the folder");
        let mut files = dirs::names(&folder, usize::MAX).expect("its names");
        // What a process keeps for its next entry is nobody's name.
        files.retain(|file| !file.starts_with(Spare::MARK));
        files.sort();
        files
    }

    fn create(&self, name: &str) -> Result<Opened, Code> {
        self.create_with(name, Kind::Mapping, &Security::owner_only(), false)
    }

    fn create_path(&self, name: &str) -> Result<Opened, Code> {
        self.create_with(name, Kind::Mapping, &Security::owner_only(), true)
    }

    fn create_with(&self, name: &str, kind: Kind, security: &Security, path: bool) -> Result<Opened, Code> {
        let name = parsed(name);
        let request = request(&name, kind, kind.all_access());
        self.namespace
            .create(&request, security, path, false, &mut |place, cookie| make(place, cookie, kind, security))
    }

    fn open(&self, name: &str) -> Result<Opened, Code> {
        self.open_with(name, Kind::Mapping, 0)
    }

    fn open_with(&self, name: &str, kind: Kind, access: u32) -> Result<Opened, Code> {
        let name = parsed(name);
        self.namespace.open(&request(&name, kind, access))
    }

    /// The file of a local name.
    fn path(&self, name: &str) -> PathBuf {
        self.objects().join(parsed(name).file_name())
    }

    /// Starts this program again as the process that plays `role` in this namespace, and waits until it has
    /// come where it should.
    fn start(&self, role: &str, argument: &str) -> Peer {
        let program = std::env::current_exe().expect("the test program has a path");
        start(Command::new(program).args(ENTRY), self.base.path(), role, argument)
    }
}

fn parsed(name: &str) -> ObjectName {
    ObjectName::parse(name).expect("a good name").expect("not empty")
}

fn request(name: &ObjectName, kind: Kind, access: u32) -> Request<'_> {
    Request { folder: Folder::Objects, name, kind, access, for_reading_only: false }
}

/// Sealed memory of [`SIZE`] bytes, or the file given.
fn make(place: Place, cookie: &[u8; 16], kind: Kind, security: &Security) -> Result<Memory, Code> {
    let (fd, backing_path) = match place {
        Place::Anonymous => (sealed(), false),
        Place::File(file) => {
            memfd::reserve(&file, SIZE).expect("room");
            (file, true)
        }
    };
    let facts = Facts {
        kind,
        size: SIZE,
        protect: 4,
        flags: 0,
        security: security.clone(),
        backing_path,
        cookie: *cookie,
    };
    Ok(Memory { fd, facts })
}

fn sealed() -> OwnedFd {
    let memory = memfd::create("test").expect("a memory file");
    memfd::reserve(&memory, SIZE).expect("room");
    memfd::seal_size(&memory).expect("seals");
    memory
}

/// Whether both are the same memory: by identity, and by a byte that travels.
fn same_memory(a: &Opened, b: &Opened) -> bool {
    let same = fd::identity(&a.memory.fd) == fd::identity(&b.memory.fd);
    let mut byte = [0];
    dirs::read_at(&b.memory.fd, &mut byte, 0).expect("readable memory");
    let changed = byte[0].wrapping_add(1);
    dirs::write_at(&a.memory.fd, &[changed], 0).expect("writable memory");
    dirs::read_at(&b.memory.fd, &mut byte, 0).expect("readable memory");
    assert_eq!(byte[0] == changed, same);
    same
}

/// The content of an entry's file.
fn contents(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("an entry")
}

/// Changes the slots of an entry as somebody could who may write it.
fn change_slots(path: &Path, change: impl Fn(Holder) -> Holder) {
    let mut bytes = contents(path);
    let entry = Entry::parse(&bytes).expect("an entry");
    let table = entry.header.table_offset();
    let changed: Vec<_> = entry.holders().map(|(index, holder)| (index, change(holder))).collect();
    for (index, holder) in changed {
        bytes[table + 64 * index..][..64].copy_from_slice(&holder.encode());
    }
    std::fs::write(path, bytes).expect("to write the entry");
}

/// The error of a result that has to be one.
fn failure<T>(result: Result<T, Code>) -> Code {
    result.err().expect("it fails")
}

const ENTRY: [&str; 4] = ["namespace::imp::tests::child_entry", "--exact", "--nocapture", "--test-threads=1"];
const ROLE: &str = "TRANSOM_TEST_ROLE";
const BASE: &str = "TRANSOM_TEST_BASE";
const ARGUMENT: &str = "TRANSOM_TEST_ARGUMENT";

/// Another process with a role. It ends when it is told to, when it is killed, and with its test.
struct Peer(Child);

fn start(command: &mut Command, base: &Path, role: &str, argument: &str) -> Peer {
    let command = command.env(ROLE, role).env(BASE, base).env(ARGUMENT, argument);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the child starts");
    let mut peer = Peer(child);
    assert_eq!(peer.answer(), "ready");
    peer
}

impl Peer {
    fn id(&self) -> u32 {
        self.0.id()
    }

    /// The next line that the role has printed, behind a mark that the test harness does not print.
    fn answer(&mut self) -> String {
        let output = self.0.stdout.as_mut().expect("a pipe");
        for line in BufReader::with_capacity(1, output).lines() {
            if let Some((_, answer)) = line.expect("text").split_once("=> ") {
                return answer.to_owned();
            }
        }
        panic!("the role has ended without an answer")
    }

    /// SIGKILL, and waits for the end.
    fn kill(mut self) {
        self.0.kill().expect("to kill it");
        self.0.wait().expect("it ends");
    }

    /// Lets the role go on to its end.
    fn finish(mut self) {
        let mut input = self.0.stdin.take().expect("a pipe");
        input.write_all(b"\n").expect("it listens");
        drop(input);
        assert!(self.0.wait().expect("it ends").success());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tells the test how far the role is.
fn say(what: &str) {
    println!("=> {what}");
}

/// Waits until the test says so, or has gone.
fn wait_for_test() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("a pipe");
}

/// Not a test: where the processes begin that [`Scratch::start`] starts.
#[test]
fn child_entry() {
    crate::support::child(&[
        ("create", || in_role(|scratch, name| scratch.create(name))),
        ("create path-backed", || in_role(|scratch, name| scratch.create_path(name))),
        ("create and close", || {
            let (namespace, name) = scratch_of_test();
            drop(namespace.create(&name).expect("the name"));
            say("ready");
            wait_for_test();
            0
        }),
        ("open", || in_role(|scratch, name| scratch.open(name))),
        ("try", path::role_try),
        ("record", process::role_record),
    ]);
}

/// The namespace that this role's test has.
fn scratch_of_test() -> (RoleNamespace, String) {
    let base = std::env::var_os(BASE).expect("a base");
    let argument = std::env::var(ARGUMENT).expect("an argument");
    (RoleNamespace(Namespace::below(Some(&base))), argument)
}

/// As [`Scratch`], without the folder's end.
struct RoleNamespace(Namespace);

impl RoleNamespace {
    fn create(&self, name: &str) -> Result<Opened, Code> {
        self.create_with(name, false)
    }

    fn create_path(&self, name: &str) -> Result<Opened, Code> {
        self.create_with(name, true)
    }

    fn create_with(&self, name: &str, path: bool) -> Result<Opened, Code> {
        let security = Security::owner_only();
        let name = parsed(name);
        let request = request(&name, Kind::Mapping, Kind::Mapping.all_access());
        self.0.create(&request, &security, path, false, &mut |place, cookie| {
            make(place, cookie, Kind::Mapping, &security)
        })
    }

    fn open(&self, name: &str) -> Result<Opened, Code> {
        self.0.open(&request(&parsed(name), Kind::Mapping, 0))
    }
}

fn in_role(take: impl FnOnce(&RoleNamespace, &str) -> Result<Opened, Code>) -> u32 {
    let (namespace, name) = scratch_of_test();
    let opened = take(&namespace, &name).expect("the name");
    say("ready");
    wait_for_test();
    drop(opened);
    0
}
