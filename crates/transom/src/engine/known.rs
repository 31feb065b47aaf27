//! The names of pipes that this process has opened: their boards stay mapped, so that opening one again asks the
//! namespace nothing. Clients keep no name (P4): nothing here holds.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use transom_core::access::Kind;
use transom_core::board::{SlotState, Word};
use transom_core::code::Code;
use transom_core::gate::Answer;
use transom_core::name::PipeName;
use transom_core::pipe::{PIPE_ACCESS_DUPLEX, instance_wait};
use transom_core::time::Timeout;
use transom_sys::linux::fault::step;
use transom_sys::linux::{bell, futex, memfd, process};

use super::bell::{Gone, await_announcement};
use super::board::{Board, Fixed};
use super::errno::with_room;
use super::gate::{self, call::Whose};
use super::parked;
use super::served::{self, is_alive, is_bell_of};
use super::turn::{Go, Turn};
use crate::namespace::imp::{self as namespace, Folder, Request};

/// So many boards are remembered; with more names in use, those longest unused are opened again.
const MOST: usize = 64;

/// A while in nanoseconds after which somebody looks again who has found no bell to sleep at: server processes are
/// just changing places.
const MOMENT: u64 = 2_000_000;

/// A name as a client has it.
#[derive(Debug)]
pub(crate) struct Known {
    board: Board,
    memory: OwnedFd,
    /// Through it the locks of the name's holders can be seen; `None` for a board that came from another process.
    entry: Option<OwnedFd>,
    /// What the board says it is called; nonsense on it is the name of nothing.
    name: Option<PipeName>,
    /// Rights that were found to be granted.
    granted: AtomicU32,
    /// The announce bell, once somebody has waited at it.
    bell: Mutex<Option<Arc<OwnedFd>>>,
    /// The server process that was connected to last, by its pidfd.
    way: Mutex<Option<(u32, OwnedFd)>>,
}

static KNOWN: Mutex<Vec<Arc<Known>>> = Mutex::new(Vec::new());

fn all() -> MutexGuard<'static, Vec<Arc<Known>>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers a name as the one used last, in place of the one that was not used for longest if there are too many.
fn keep(known: &mut Vec<Arc<Known>>, new: Known) -> Arc<Known> {
    if known.len() >= MOST {
        known.remove(0);
    }
    let new = Arc::new(new);
    known.push(Arc::clone(&new));
    new
}

impl Known {
    /// The name, if it exists and grants `access`; whether it was remembered, and so may be gone meanwhile.
    ///
    /// # Errors
    /// 2: there is none. 5: it refuses. 1392: its entry or board is damaged.
    pub(crate) fn find(name: &PipeName, access: u32) -> Result<(Arc<Known>, bool), Code> {
        {
            let mut known = all();
            let found = known.iter().position(|known| known.name.as_ref() == Some(name));
            if let Some(at) = found {
                // The one used last stands last.
                let found = known.remove(at);
                known.push(Arc::clone(&found));
                if access & !found.granted.load(Ordering::Relaxed) == 0 {
                    return Ok((found, true));
                }
            }
        }
        for scope in served::scopes() {
            let object = name.object(scope);
            let request = Request {
                folder: Folder::Pipes,
                name: &object,
                kind: Kind::Pipe,
                access,
                for_reading_only: false,
            };
            match namespace::look_up(&request) {
                Ok((memory, entry)) => {
                    let board = Board::open(&memory.fd, !memory.facts.backing_path)?;
                    return Ok((Known::remember(name, board, memory.fd, entry, access), false));
                }
                Err(Code::FILE_NOT_FOUND | Code::PATH_NOT_FOUND) => {}
                Err(code) => return Err(code),
            }
        }
        Err(Code::FILE_NOT_FOUND)
    }

    fn remember(name: &PipeName, board: Board, memory: OwnedFd, entry: OwnedFd, access: u32) -> Arc<Known> {
        let mut known = all();
        let mut granted = access;
        if let Some(at) = known.iter().position(|known| known.name.as_ref() == Some(name)) {
            let old = known.remove(at);
            if old.board.cookie() == board.cookie() {
                granted |= old.granted.load(Ordering::Relaxed);
            }
        }
        let new = Known::new(board, memory, Some(name.clone()));
        keep(&mut known, Known { entry: Some(entry), granted: AtomicU32::new(granted), ..new })
    }

    /// The board of a client end that came from another process.
    pub(crate) fn arrive(memory: OwnedFd) -> Result<Arc<Known>, Code> {
        let board = Board::open(&memory, memfd::is_size_sealed(memory.as_fd()))?;
        let is_it = |known: &&Arc<Known>| {
            known.board.cookie() == board.cookie() && known.board.is_copy() == board.is_copy()
        };
        let same = all().iter().find(is_it).cloned();
        Ok(same.unwrap_or_else(|| {
            let name = PipeName::of_spelling(&board.spelling()).filter(|_| !board.is_copy());
            Arc::new(Known::new(board, memory, name))
        }))
    }

    /// What a gate says of a pipe that another user serves.
    ///
    /// # Errors
    /// 1392: nonsense. 4, 8: no room.
    pub(crate) fn of_answer(answer: &Answer) -> Result<Arc<Known>, Code> {
        let fixed = Fixed {
            access: answer.access & PIPE_ACCESS_DUPLEX,
            message_type: answer.message_type,
            max_instances: answer.max_instances,
            default_timeout: answer.default_timeout,
            security: [0; 4],
        };
        let is_it = |known: &&Arc<Known>| {
            let board = &known.board;
            board.is_copy() && *board.cookie() == answer.cookie && *board.fixed() == fixed
        };
        if let Some(known) = all().iter().find(is_it) {
            return Ok(Arc::clone(known));
        }
        let memory = with_room(|| memfd::create("transom-copy"))?;
        let board = Board::copy(&memory, fixed, &answer.spelling, answer.cookie)?;
        // It is found by no name: what stands there is not asked about instances.
        Ok(keep(&mut all(), Known::new(board, memory, None)))
    }

    fn new(board: Board, memory: OwnedFd, name: Option<PipeName>) -> Known {
        let (granted, bell, way) = (AtomicU32::new(0), Mutex::default(), Mutex::default());
        Known { board, memory, entry: None, name, granted, bell, way }
    }

    /// Remembers it no more: it was found dead.
    pub(crate) fn forget(self: &Arc<Known>) {
        all().retain(|known| !Arc::ptr_eq(known, self));
        parked::forget(self.board.cookie());
    }

    pub(crate) fn board(&self) -> &Board {
        &self.board
    }

    /// The board's memory.
    pub(crate) fn memory(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    /// Whether a server has the name.
    pub(crate) fn is_held(&self) -> bool {
        self.entry.as_ref().is_none_or(|entry| namespace::is_held(entry.as_fd()))
    }

    /// Whether a process has the server end of an instance.
    pub(crate) fn is_alive(&self, index: usize) -> bool {
        self.entry.as_ref().is_none_or(|entry| is_alive(entry.as_fd(), index))
    }

    /// How many server ends of the name are open (P12).
    pub(crate) fn count(&self) -> u32 {
        match &self.entry {
            _ if self.board.is_copy() => {
                PipeName::of_spelling(&self.board.spelling()).map_or(0, |name| gate::call::count(&name))
            }
            Some(entry) => served::count(&self.board, entry.as_fd()),
            None => self.board.instances().count() as u32,
        }
    }

    /// Whether an instance listens whose server lives. Without the board's lock: it may be taken in the next moment,
    /// and nothing is reserved.
    fn has_listener(&self) -> bool {
        let listens = |word: &Word| word.state == SlotState::Listening;
        self.board.instances().any(|(index, word)| listens(&word) && self.is_alive(index))
    }

    /// Does something with the pidfd of a server process, if there is one; it is kept for the next time.
    pub(crate) fn by_way_to<T>(
        &self,
        server: u32,
        attempt: impl FnOnce(Option<BorrowedFd<'_>>) -> Result<T, Code>,
    ) -> Result<T, Code> {
        let mut way = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        if way.as_ref().is_none_or(|(process, _)| *process != server) {
            *way = process::open(server).ok().map(|pidfd| (server, pidfd));
        }
        let result = attempt(way.as_ref().map(|(_, pidfd)| pidfd.as_fd()));
        if result.is_err() {
            // Perhaps of a process that is gone, and whose number another has.
            *way = None;
        }
        result
    }

    /// The name's announce bell, for sleeping.
    fn bell(&self) -> Option<Arc<OwnedFd>> {
        let mut known = self.bell.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |reader: &OwnedFd| is_bell_of(&self.board, reader.as_fd());
        if known.as_deref().is_none_or(|reader| !is_it(reader)) {
            let open = |(process, number)| bell::open_reader(process, number).ok().filter(is_it);
            *known = self.board.announcers().into_iter().find_map(open).map(Arc::new);
        }
        known.clone()
    }
}

/// WaitNamedPipe: until an instance listens. `milliseconds`: as the call has them.
///
/// # Errors
/// 2: there is no such name, or its last server goes. 121: time is up.
pub(crate) fn wait(name: &PipeName, milliseconds: u32) -> Result<(), Code> {
    let begun = futex::now();
    loop {
        let (known, remembered) = match Known::find(name, 0) {
            Err(Code::FILE_NOT_FOUND) => {
                return gate::call::wait(name, milliseconds, begun, Whose::Anybodys);
            }
            // Its server may be in another PID namespace.
            Err(Code::ACCESS_DENIED) => {
                return gate::instead_of_5(gate::call::wait(name, milliseconds, begun, Whose::Own));
            }
            result => result?,
        };
        if known.has_listener() {
            return Ok(());
        }
        if !known.is_held() {
            known.forget();
            if remembered {
                continue;
            }
            return gate::call::wait(name, milliseconds, begun, Whose::Anybodys);
        }
        let timeout = instance_wait(milliseconds, known.board.fixed().default_timeout);
        let deadline = timeout.deadline_nanos(begun);
        if timeout == Timeout::ZERO || deadline.is_some_and(|at| futex::now() >= at) {
            return Err(Code::SEM_TIMEOUT);
        }
        sleep(&known, deadline)?;
    }
}

/// Sleeps until there may be something to see.
///
/// One of all that wait sleeps at the bell, the others for its turn: so an instance that listens wakes one, who gives
/// the turn up when it has seen it, and so wakes the next. If that one still sees it, it does the same (P68); as soon
/// as somebody has taken the instance, whoever is woken sleeps again and wakes nobody. Whoever has the turn and is
/// killed passes it on by the kernel's hand.
fn sleep(known: &Known, deadline: Option<u64>) -> Result<(), Code> {
    // Now and then everybody looks: whoever has the turn may be stopped.
    let go = || {
        if known.has_listener() || !known.is_held() { Go::Stop } else { Go::On(deadline) }
    };
    let Some(_turn) = Turn::wait(known.board.queue(), go) else { return Ok(()) };
    step("first-of-those-who-wait");
    if known.has_listener() {
        return Ok(());
    }
    let Some(reader) = known.bell() else {
        // Nobody is noted as having the bell although the name is held: a server is just starting or ending.
        futex::pass(deadline.map_or(MOMENT, |at| at.saturating_sub(futex::now()).min(MOMENT)));
        return Ok(());
    };
    loop {
        let heard =
            await_announcement(reader.as_fd(), known.board.asleep(), deadline, || known.has_listener());
        match heard {
            // What was announced may be taken already; then it is not worth waking the next for.
            Ok(()) if known.has_listener() || !known.is_held() => return Ok(()),
            Ok(()) if deadline.is_some_and(|at| futex::now() >= at) => return Ok(()),
            Ok(()) => {}
            // Nobody serves the name, or those who do have another bell now.
            Err(Gone::NoRinger) => {
                *known.bell.lock().unwrap_or_else(PoisonError::into_inner) = None;
                return Ok(());
            }
            Err(Gone::System(code)) => return Err(code),
        }
    }
}

/// What a fork must not find half changed.
pub(crate) fn hold_still() -> MutexGuard<'static, Vec<Arc<Known>>> {
    all()
}

/// Each descriptor of the names that this process has opened.
pub(crate) fn each_descriptor(known: &[Arc<Known>], mut see: impl FnMut(RawFd)) {
    for known in known {
        see(known.memory.as_raw_fd());
        if let Some(entry) = &known.entry {
            see(entry.as_raw_fd());
        }
        if let Ok(bell) = known.bell.try_lock()
            && let Some(bell) = &*bell
        {
            see(bell.as_raw_fd());
        }
        if let Ok(way) = known.way.try_lock()
            && let Some((_, pidfd)) = &*way
        {
            see(pidfd.as_raw_fd());
        }
    }
}
