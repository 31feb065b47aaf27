//! The folders of the namespace: where they lie, whether they are safe to use, and how they come to be.

use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use transom_core::code::Code;
use transom_core::name::Scope;
use transom_sys::linux::dirs::{self, Status};
use transom_sys::linux::fd::raise_limit;
use transom_sys::linux::{Errno, host, process};

use super::Folder;
use super::hold::Seen;
use super::spare::Spare;
use crate::engine::errno;

/// The variable that puts both roots below another folder.
pub(super) const VARIABLE: &str = "TRANSOM_DIR";

/// Where shared memory is a file system.
const SHARED_MEMORY: &str = "/dev/shm";

/// What a folder that only its user may touch has, and what one for everybody has.
const PRIVATE: u32 = 0o700;
const PUBLIC: u32 = 0o1777;

/// Where names of a scope live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    /// The folder it lies in; symbolic links on the way there are the administrator's affair.
    pub(super) parent: PathBuf,
    /// Its own name there; no symbolic link.
    pub(super) name: String,
    /// It is for everybody, with the sticky bit.
    pub(super) public: bool,
    /// A missing parent is made.
    pub(super) make_parent: bool,
}

impl Root {
    /// The root of a scope, as the environment says.
    pub(super) fn of(scope: Scope, base: Option<&Path>, user: u32) -> Root {
        let public = scope == Scope::Global;
        match base {
            Some(base) => {
                let name = if public { "global" } else { "local" };
                Root { parent: base.to_owned(), name: name.to_owned(), public, make_parent: true }
            }
            None => {
                let name = if public { "transom".to_owned() } else { format!("transom-{user}") };
                Root { parent: PathBuf::from(SHARED_MEMORY), name, public, make_parent: false }
            }
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.parent.join(&self.name)
    }

    /// Opens it, if it is there and safe. `make`: makes it if it is not there.
    pub(super) fn open(&self, user: u32, make: bool) -> Result<Option<OwnedFd>, Refusal> {
        if self.parent.is_relative() {
            // Programs in different folders would not meet, and one that changes its folder would lose its names.
            return Err(Refusal::Relative);
        }
        let parent = match dirs::open_path(&self.parent) {
            Err(Errno::NOENT) if make && self.make_parent => {
                match dirs::make_path(&self.parent, PRIVATE) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(Errno::NOENT) => return Err(Refusal::NoParent),
                    Err(error) => return Err(Refusal::System(error)),
                }
                dirs::open_path(&self.parent)
            }
            result => result,
        };
        match parent {
            Ok(parent) => open_checked(&parent, &self.name, self.public, user, make),
            Err(Errno::NOENT) if !make => Ok(None),
            Err(Errno::NOENT) => Err(Refusal::NoParent),
            Err(error) => Err(Refusal::System(error)),
        }
    }
}

impl Folder {
    pub(super) fn name(self) -> &'static str {
        match self {
            Folder::Objects => "objects",
            Folder::Processes => "process",
            Folder::Pipes => "pipe",
            Folder::Mailslots => "mailslot",
            Folder::Windows => "window",
        }
    }
}

/// Why a folder is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is a symbolic link, or no folder at all.
    NotAFolder,
    /// It belongs to this other user.
    Owner(u32),
    /// Others may do more in it than is safe; its mode.
    Mode(u32),
    /// The folder it should lie in does not exist.
    NoParent,
    /// The folder it should lie in depends on where the program runs.
    Relative,
    /// The system refused.
    System(Errno),
}

impl Refusal {
    pub(super) fn code(self) -> Code {
        match self {
            Refusal::NotAFolder | Refusal::Owner(_) | Refusal::Mode(_) => Code::ACCESS_DENIED,
            Refusal::NoParent | Refusal::Relative => Code::PATH_NOT_FOUND,
            Refusal::System(error) => errno::code(error),
        }
    }
}

/// Whether a folder is safe: a private one is ours and nobody else can even look into it; in a public one
/// nobody can remove or rename what belongs to others.
pub(super) fn check(status: &Status, public: bool, user: u32) -> Result<(), Refusal> {
    if !status.is_folder {
        return Err(Refusal::NotAFolder);
    }
    let owner_is_fine = status.owner == user || public && status.owner == 0;
    if !owner_is_fine {
        return Err(Refusal::Owner(status.owner));
    }
    let mode_is_fine =
        if public { status.mode & 0o022 == 0 || status.mode & 0o1000 != 0 } else { status.mode & 0o077 == 0 };
    if mode_is_fine { Ok(()) } else { Err(Refusal::Mode(status.mode)) }
}

/// Opens a folder, made on demand, and checks it.
fn open_checked(
    parent: &OwnedFd,
    name: &str,
    public: bool,
    user: u32,
    make: bool,
) -> Result<Option<OwnedFd>, Refusal> {
    let wanted = if public { PUBLIC } else { PRIVATE };
    let folder = loop {
        match dirs::open_folder(parent, name) {
            Ok(folder) => break folder,
            Err(Errno::NOENT) if !make => return Ok(None),
            Err(Errno::NOENT) => match dirs::make_folder(parent, name, wanted) {
                // Whoever made it, the next round opens it. A removed parent ends the loop: ENOENT.
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(Refusal::System(error)),
            },
            Err(Errno::LOOP | Errno::NOTDIR) => return Err(Refusal::NotAFolder),
            Err(Errno::ACCESS) => {
                // It exists, and its status says more than "denied".
                let status = dirs::status_at(parent, name).map_err(Refusal::System)?;
                check(&status, public, user)?;
                return Err(Refusal::System(Errno::ACCESS));
            }
            Err(error) => return Err(Refusal::System(error)),
        }
    };
    let status = dirs::status(&folder).map_err(Refusal::System)?;
    check(&status, public, user)?;
    if make && status.owner == user && status.mode != wanted {
        // The umask took bits away, or whoever made it died before this line.
        dirs::set_mode(&folder, wanted).map_err(Refusal::System)?;
    }
    Ok(Some(folder))
}

/// An open folder of entries.
#[derive(Debug)]
pub(super) struct Directory {
    fd: OwnedFd,
    public: bool,
    pub(super) user: u32,
    /// The entry that was visited last, which may well be the next one: it needs not be opened again.
    seen: Mutex<Option<Seen>>,
    /// A file for the next entry, see [`Spare`].
    spare: Mutex<Option<Spare>>,
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Directory {
    /// A folder of which nothing is known but that an entry lies in it.
    pub(super) fn unchecked(fd: OwnedFd, user: u32) -> Directory {
        Directory::new(fd, false, user)
    }

    fn new(fd: OwnedFd, public: bool, user: u32) -> Directory {
        Directory { fd, public, user, seen: Mutex::new(None), spare: Mutex::new(None) }
    }

    /// Keeps an entry open that this process does not hold any more.
    pub(super) fn remember(&self, seen: Seen) {
        // Where another thread is just at it, its entry is as good.
        let before = self.seen.try_lock().ok().and_then(|mut place| place.replace(seen));
        drop(before);
    }

    /// The entry that was visited last, if it is the one of this name.
    pub(super) fn recall(&self, name: &str) -> Option<Seen> {
        self.seen.try_lock().ok()?.take_if(|seen| seen.name == name)
    }

    /// Whether a file of it is kept open, so that a call may get on without a look at the folder.
    fn keeps_something(&self) -> bool {
        self.seen.try_lock().is_ok_and(|seen| seen.is_some())
            || self.spare.try_lock().is_ok_and(|spare| spare.is_some())
    }

    /// The spare file, if there is one.
    pub(super) fn take_spare(&self) -> Option<Spare> {
        self.spare.try_lock().ok()?.take()
    }

    /// Keeps a spare file, or gives it back if there is one already.
    pub(super) fn put_spare(&self, spare: Spare) -> Result<(), Spare> {
        match self.spare.try_lock() {
            Ok(mut place) if place.is_none() => {
                *place = Some(spare);
                Ok(())
            }
            _ => Err(spare),
        }
    }

    /// Whether there is room for a spare file, and entries here are this user's alone.
    pub(super) fn wants_spare(&self) -> bool {
        !self.public && self.spare.try_lock().is_ok_and(|place| place.is_none())
    }

    /// Whether it still has a name and is still safe.
    fn is_good(&self, user: u32) -> bool {
        self.user == user
            && dirs::status(&self.fd)
                .is_ok_and(|status| !status.is_removed && check(&status, self.public, user).is_ok())
    }

    /// Whether it has been removed.
    pub(super) fn is_gone(&self) -> bool {
        dirs::status(&self.fd).is_ok_and(|status| status.is_removed)
    }
}

/// Both roots, with their folders kept open.
#[derive(Debug)]
pub(super) struct Namespace {
    base: Option<PathBuf>,
    folders: [RwLock<Option<Arc<Directory>>>; 2 * Folder::ALL.len()],
    swept: [AtomicBool; 2],
}

impl Namespace {
    /// The one that the environment names.
    pub(super) fn of_process() -> &'static Namespace {
        static NAMESPACE: OnceLock<Namespace> = OnceLock::new();
        NAMESPACE.get_or_init(|| Namespace::below(std::env::var_os(VARIABLE).as_deref()))
    }

    /// One below `base`, or the usual one. An empty variable counts as none.
    pub(super) fn below(base: Option<&OsStr>) -> Namespace {
        Namespace {
            base: base.filter(|base| !base.is_empty()).map(PathBuf::from),
            folders: Default::default(),
            swept: Default::default(),
        }
    }

    pub(super) fn base(&self) -> Option<&Path> {
        self.base.as_deref()
    }

    pub(super) fn root(&self, scope: Scope) -> Root {
        Root::of(scope, self.base.as_deref(), process::user())
    }

    /// Whether this is the first time that this process asks for names of the scope.
    pub(super) fn is_first_use(&self, scope: Scope) -> bool {
        let swept = &self.swept[scope_index(scope)];
        !swept.load(Ordering::Relaxed) && !swept.swap(true, Ordering::Relaxed)
    }

    /// Where a folder is kept open.
    fn kept(&self, scope: Scope, folder: Folder) -> &RwLock<Option<Arc<Directory>>> {
        &self.folders[Folder::ALL.len() * scope_index(scope) + folder as usize]
    }

    /// A folder that has been opened and checked before by this user.
    pub(super) fn known_directory(&self, scope: Scope, folder: Folder) -> Option<Arc<Directory>> {
        let kept = self.kept(scope, folder).read();
        let kept = kept.unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|kept| kept.keeps_something() && kept.user == process::user()).map(Arc::clone)
    }

    /// A folder, open and checked; made if it is not there.
    pub(super) fn directory(&self, scope: Scope, folder: Folder) -> Result<Arc<Directory>, Code> {
        let user = process::user();
        let kept = self.kept(scope, folder);
        if let Some(directory) = kept.read().unwrap_or_else(PoisonError::into_inner).as_ref()
            && directory.is_good(user)
        {
            return Ok(Arc::clone(directory));
        }
        let directory =
            Arc::new(self.open_directory(scope, folder, user, true)?.ok_or(Code::PATH_NOT_FOUND)?);
        *kept.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&directory));
        Ok(directory)
    }

    /// Removes what this process keeps for its next entries.
    pub(super) fn end(&self) {
        for directory in self.kept_directories() {
            if let Some(spare) = directory.take_spare() {
                spare.discard(&directory);
            }
        }
    }

    /// The descriptors of what this process keeps for its next entries, as far as no other thread is at them.
    pub(super) fn each_spare(&self, mut see: impl FnMut(RawFd)) {
        for directory in self.kept_directories() {
            if let Ok(spare) = directory.spare.try_lock() {
                spare.iter().for_each(|spare| see(spare.file.as_raw_fd()));
            }
        }
    }

    fn kept_directories(&self) -> impl Iterator<Item = Arc<Directory>> {
        self.folders.iter().filter_map(|kept| kept.try_read().ok()?.clone())
    }

    /// The folder, if it is there.
    pub(super) fn existing_directory(&self, scope: Scope, folder: Folder) -> Result<Option<Directory>, Code> {
        self.open_directory(scope, folder, process::user(), false)
    }

    fn open_directory(
        &self,
        scope: Scope,
        folder: Folder,
        user: u32,
        make: bool,
    ) -> Result<Option<Directory>, Code> {
        let root = self.root(scope);
        let open = || {
            let Some(above) = root.open(user, make)? else { return Ok(None) };
            if make && root.public && user == 0 {
                // What the administrator makes, everybody may use: so make all of it.
                for other in Folder::ALL.into_iter().filter(|other| *other != folder) {
                    open_checked(&above, other.name(), true, user, true)?;
                }
            }
            open_checked(&above, folder.name(), root.public, user, make)
        };
        loop {
            return match open() {
                Ok(fd) => Ok(fd.map(|fd| Directory::new(fd, root.public, user))),
                // Somebody has removed the root between two of the calls.
                Err(Refusal::System(Errno::NOENT)) if make => continue,
                Err(Refusal::System(Errno::MFILE)) if raise_limit() => continue,
                Err(refusal) => Err(refusal.code()),
            };
        }
    }
}

fn scope_index(scope: Scope) -> usize {
    match scope {
        Scope::Local => 0,
        Scope::Global => 1,
    }
}

/// How this process is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) process: u32,
    /// The PID namespace in which that number counts; 0 where /proc does not tell.
    pub(super) namespace: u64,
}

/// This process. What it is called changes only by forking.
pub(super) fn own() -> Own {
    static NAMESPACE: AtomicU64 = AtomicU64::new(0);
    static PROCESS: AtomicU32 = AtomicU32::new(0);
    let process = process::id();
    // Partner: the release below.
    if PROCESS.load(Ordering::Acquire) != process {
        // A forked child may be in another namespace.
        NAMESPACE.store(host::pid_namespace(), Ordering::Relaxed);
        PROCESS.store(process, Ordering::Release);
    }
    Own { process, namespace: NAMESPACE.load(Ordering::Relaxed) }
}
