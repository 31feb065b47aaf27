//! The names of pipes that this process serves: the board, what keeps the name, and the announce bell, shared by all
//! instances that this process has of the name.
//!
//! ```text
//!  Instance ─┐
//!  Instance ─┼─► Served ─► Hold      the name lives (P4); its open file has a byte locked for each instance
//!  Instance ─┘         ├─► Board     where the instances stand
//!                      ├─► ringer    of the bell on which WaitNamedPipe sleeps
//!                      └─► Gate      where other users' clients ask, if the pipe admits any
//! ```
//! Locks of neighbouring bytes that one open file has are one lock to the kernel, so ten thousand instances of a
//! process cost no more than one.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use transom_core::access::{FILE_CREATE_PIPE_INSTANCE, Kind};
use transom_core::board::INSTANCE_LOCKS;
use transom_core::code::Code;
use transom_core::name::{PipeName, Scope};
use transom_core::pipe::Plan;
use transom_core::security::Security;
use transom_sys::linux::fault::step;
use transom_sys::linux::{bell, fd, host, memfd, process};

use super::board::{Board, Fixed};
use super::errno::{to_code, with_room};
use super::gate::Gate;
use super::parked;
use super::spin::Budget;
use crate::namespace::imp::{self as namespace, Facts, Folder, Hold, Memory, Place, Request};

/// A name of which this process has instances.
#[derive(Debug)]
pub(crate) struct Served {
    /// First, so that the name goes before the memory it leads to.
    hold: Arc<Hold>,
    board: Arc<Board>,
    memory: OwnedFd,
    ringer: OwnedFd,
    /// What the board says it is called; nonsense on it is the name of nothing.
    name: Option<PipeName>,
    /// How many objects of this process there are of each instance.
    kept: Mutex<HashMap<usize, usize>>,
    /// How soon clients come, whichever instance they are for.
    budget: Arc<Budget>,
    /// For a pipe that admits other users.
    gate: Mutex<Option<Gate>>,
}

static SERVED: Mutex<Vec<Weak<Served>>> = Mutex::new(Vec::new());

fn all() -> MutexGuard<'static, Vec<Weak<Served>>> {
    SERVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What has the board's cookie, or the one that is given.
fn unique(new: Served) -> Arc<Served> {
    let mut served = all();
    // Those that are let go of here may be the last: they end outside the lock.
    let living: Vec<_> = served.iter().filter_map(Weak::upgrade).collect();
    if let Some(known) = living.iter().find(|known| known.board.cookie() == new.board.cookie()) {
        let known = Arc::clone(known);
        drop(served);
        return known;
    }
    let new = Arc::new(new);
    served.retain(|known| known.strong_count() > 0);
    served.push(Arc::downgrade(&new));
    drop(served);
    new
}

/// Whether this process has instances of the pipe with this board.
pub(crate) fn serves(board: &[u8; 16]) -> bool {
    let living: Vec<_> = all().iter().filter_map(Weak::upgrade).collect();
    living.iter().any(|served| served.board.cookie() == board)
}

/// The scopes in which a name may lie: those of this user come first.
pub(crate) fn scopes() -> impl Iterator<Item = Scope> {
    let global = namespace::has_folder(Scope::Global, Folder::Pipes);
    [Some(Scope::Local), global.then_some(Scope::Global)].into_iter().flatten()
}

impl Served {
    /// The name, made if there is none; whether there was one.
    pub(crate) fn create(
        name: &PipeName,
        plan: &Plan,
        default_timeout: u32,
        security: Security,
    ) -> Result<(Arc<Served>, bool), Code> {
        let (served, existed) = Served::create_closed(name, plan, default_timeout, security)?;
        served.open_gate()?;
        Ok((served, existed))
    }

    /// As [`create`](Self::create), but for the gate.
    fn create_closed(
        name: &PipeName,
        plan: &Plan,
        default_timeout: u32,
        security: Security,
    ) -> Result<(Arc<Served>, bool), Code> {
        if let Some(known) = Served::known(name) {
            return Ok((known, true));
        }
        // Whoever is admitted of other users comes by the gate. So the name lies where all of this user's lie, whatever
        // the descriptor says, and nobody else writes anything here.
        let wanted = Scope::Local;
        let mut words = security.to_words(Kind::Pipe);
        words[3] = security.group_id().unwrap_or_else(process::group);
        let access = plan.rights() | FILE_CREATE_PIPE_INSTANCE;
        for scope in scopes().filter(|scope| *scope != wanted) {
            let object = name.object(scope);
            match namespace::open(&request(&object, access)) {
                Ok(opened) => return Served::join(opened.hold, opened.memory).map(|served| (served, true)),
                Err(Code::FILE_NOT_FOUND | Code::PATH_NOT_FOUND) => {}
                Err(code) => return Err(code),
            }
        }
        let object = name.object(wanted);
        let mut board = None;
        let fixed = Fixed::of(plan, default_timeout, words);
        let opened =
            namespace::create(&request(&object, access), security.clone(), false, &mut |place, cookie| {
                let (fd, seal) = match place {
                    Place::Anonymous => (with_room(|| memfd::create("transom-board"))?, true),
                    Place::File(file) => (file, false),
                };
                board = Some(Board::create(&fd, fixed, name.spelling(), *cookie, seal)?);
                let facts = Facts::plain(Kind::Pipe, &security, false, *cookie);
                Ok(Memory { fd, facts })
            })?;
        let existed = opened.existed;
        let served = match board {
            Some(board) if !existed => Served::new(opened.hold, board, opened.memory.fd)?,
            _ => return Served::join(opened.hold, opened.memory).map(|served| (served, true)),
        };
        Ok((unique(served), false))
    }

    /// A name that this process serves already.
    fn known(name: &PipeName) -> Option<Arc<Served>> {
        let served: Vec<_> = all().iter().filter_map(Weak::upgrade).collect();
        served.into_iter().find(|served| served.name.as_ref() == Some(name))
    }

    fn join(hold: Hold, memory: Memory) -> Result<Arc<Served>, Code> {
        let board = Board::open(&memory.fd, !memory.facts.backing_path)?;
        Served::new(hold, board, memory.fd).map(unique)
    }

    /// A name that came with an instance from another process.
    pub(crate) fn arrive(hold: Hold, memory: OwnedFd) -> Result<Arc<Served>, Code> {
        let sealed = memfd::is_size_sealed(memory.as_fd());
        let board = Board::open(&memory, sealed)?;
        hold.set_memory_fd(memory.as_raw_fd());
        let served = Served::new(hold, board, memory).map(unique)?;
        served.open_gate()?;
        Ok(served)
    }

    /// Lets other users in, if the pipe admits any.
    ///
    /// # Errors
    /// As [`Gate::open`].
    fn open_gate(&self) -> Result<(), Code> {
        let Some(name) = self.name.as_ref().filter(|_| self.board.fixed().admits_others()) else {
            return Ok(());
        };
        let mut gate = self.gate();
        if gate.is_none() {
            *gate = Some(Gate::open(name, &self.board, self.hold.view()?)?);
        }
        Ok(())
    }

    fn gate(&self) -> MutexGuard<'_, Option<Gate>> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new(hold: Hold, board: Board, memory: OwnedFd) -> Result<Served, Code> {
        let ringer = ringer(&board)?;
        let name = PipeName::of_spelling(&board.spelling());
        let kept = Mutex::new(HashMap::new());
        let budget = Arc::new(Budget::new());
        let gate = Mutex::new(None);
        Ok(Served { hold: Arc::new(hold), board: Arc::new(board), memory, ringer, name, kept, budget, gate })
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    pub(crate) fn hold(&self) -> &Arc<Hold> {
        &self.hold
    }

    pub(crate) fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// The board's memory.
    pub(crate) fn memory(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<usize, usize>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says by a lock that the server end of an instance lives.
    pub(crate) fn keep(&self, index: usize) -> Result<(), Code> {
        let mut kept = self.kept();
        self.hold.keep_instance(index)?;
        *kept.entry(index).or_insert(0) += 1;
        Ok(())
    }

    /// Takes back [`keep`](Self::keep). Whether anybody else has the server end: here, or, if it was `shared`, in another
    /// process.
    pub(crate) fn let_go(&self, index: usize, shared: bool) -> bool {
        let mut kept = self.kept();
        let left = kept.get(&index).copied().unwrap_or(1) - 1;
        if left > 0 {
            kept.insert(index, left);
            return true;
        }
        kept.remove(&index);
        self.hold.let_go_of_instance(index);
        shared && self.hold.is_instance_kept(index)
    }

    /// How many instances have a living server end (P12). Those of killed processes leave the board.
    pub(crate) fn count(&self) -> Result<u32, Code> {
        let view = self.hold.view()?;
        Ok(count(&self.board, view.as_fd()))
    }

    /// An instance listens: wakes who waits for that (P68).
    pub(crate) fn announce(&self) {
        super::bell::announce(self.ringer.as_fd(), self.board.asleep());
        if self.board.fixed().admits_others()
            && let Some(gate) = &*self.gate()
        {
            gate.announce();
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // First of all: whoever still comes finds nobody.
        drop(self.gate().take());
        if !super::record::is_forked() {
            self.board.lock().announce_no_more(process::id());
            parked::forget(self.board.cookie());
        }
    }
}

fn request(name: &transom_core::name::ObjectName, access: u32) -> Request<'_> {
    Request { folder: Folder::Pipes, name, kind: Kind::Pipe, access, for_reading_only: false }
}

/// How many instances of a board live, as the locks of its name's entry say.
pub(crate) fn count(board: &Board, entry: BorrowedFd<'_>) -> u32 {
    let dead: Vec<usize> =
        board.instances().map(|(index, _)| index).filter(|index| !is_alive(entry, *index)).collect();
    if !dead.is_empty() {
        let locked = board.lock();
        for index in dead {
            // Once more, now that nobody can just be making it.
            if !is_alive(entry, index) {
                locked.free(index);
            }
        }
    }
    board.instances().count() as u32
}

/// Whether a process has the server end of an instance.
pub(crate) fn is_alive(entry: BorrowedFd<'_>, index: usize) -> bool {
    namespace::is_kept(entry, INSTANCE_LOCKS + index as u64)
}

/// The name's announce bell for ringing: that of another server process, or a new one.
fn ringer(board: &Board) -> Result<OwnedFd, Code> {
    let locked = board.lock();
    let own = process::id();
    for (process, number) in board.announcers() {
        if process == own {
            continue;
        }
        if let Ok(ringer) = bell::open_ringer(process, number)
            && is_bell_of(board, ringer.as_fd())
        {
            locked.announce_from(own, ringer.as_raw_fd(), |process| !host::exists(process));
            return Ok(ringer);
        }
    }
    let (reader, _writer) = with_room(bell::create)?;
    let ringer = with_room(|| bell::reopen_ringer(&reader))?;
    let (device, inode, _) = to_code(fd::identity(&ringer))?;
    locked.set_bell(device, inode);
    locked.announce_from(own, ringer.as_raw_fd(), |_| true);
    step("bell-announced");
    Ok(ringer)
}

/// Whether a descriptor is the name's announce bell.
pub(crate) fn is_bell_of(board: &Board, bell: BorrowedFd<'_>) -> bool {
    fd::identity(bell).is_ok_and(|(device, inode, _)| (device, inode) == board.bell())
}

/// What a fork must not find half changed.
pub(crate) fn hold_still() -> MutexGuard<'static, Vec<Weak<Served>>> {
    all()
}

/// Each descriptor of the names that this process serves, by what [`hold_still`] gave.
pub(crate) fn each_descriptor(served: &[Weak<Served>], mut see: impl FnMut(RawFd)) {
    for served in served.iter().filter_map(Weak::upgrade) {
        see(served.memory.as_raw_fd());
        see(served.ringer.as_raw_fd());
        see(served.hold.raw_fd());
        if let Ok(gate) = served.gate.try_lock()
            && let Some(gate) = &*gate
        {
            gate.each_descriptor(&mut see);
        }
        // The last one must not be dropped here: another thread of the parent has it.
        std::mem::forget(served);
    }
}
