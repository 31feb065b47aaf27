//! Process objects: alive, ended, and how.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use transom_core::code::Code;
use transom_sys::linux::process::{self, Ended};
use transom_sys::linux::{Errno, procfs};

use super::errno::{code, with_room};
use super::record::{self, ProcessRecord};
use super::watcher::{self, Watched};
use crate::namespace::imp as namespace;

/// A process as an object of this one.
#[derive(Debug)]
pub(crate) struct ProcessObject {
    id: u32,
    /// `None`: the process was gone when it was opened, and only its record is left.
    pidfd: Option<OwnedFd>,
    record: Option<Arc<ProcessRecord>>,
    /// This very process: its pidfd would say "running" anyway.
    own: bool,
    /// Started by this library in this process, which therefore takes its remains away.
    child: bool,
    watched: OnceLock<Arc<Watched>>,
    /// Keeps the record findable while a handle to the process is open (R29).
    entry: Option<namespace::Hold>,
}

/// Children whose handles were closed while they ran: taken from the process table when they have ended.
static LEFT_BEHIND: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());

impl ProcessObject {
    /// This process.
    pub(crate) fn own() -> Result<Arc<ProcessObject>, Code> {
        static OWN: OnceLock<Arc<ProcessObject>> = OnceLock::new();
        let record = Arc::clone(&record::own()?.record);
        if let Some(own) = OWN.get() {
            return Ok(Arc::clone(own));
        }
        let pidfd = with_room(|| process::open(process::id()))?;
        let own = Arc::new(ProcessObject::new(process::id(), Some(pidfd), Some(record), true, None));
        Ok(Arc::clone(OWN.get_or_init(|| own)))
    }

    fn new(
        id: u32,
        pidfd: Option<OwnedFd>,
        record: Option<Arc<ProcessRecord>>,
        own: bool,
        entry: Option<namespace::Hold>,
    ) -> ProcessObject {
        ProcessObject { id, pidfd, record, own, child: false, watched: OnceLock::new(), entry }
    }

    /// A process that this one has just started.
    pub(crate) fn child(
        id: u32,
        pidfd: OwnedFd,
        record: Arc<ProcessRecord>,
        entry: Option<namespace::Hold>,
    ) -> Arc<ProcessObject> {
        let mut object = ProcessObject::new(id, Some(pidfd), Some(record), false, entry);
        object.child = true;
        Arc::new(object)
    }

    /// A process that was handed over: its descriptor and record are known.
    pub(crate) fn known(
        id: u32,
        pidfd: Option<OwnedFd>,
        record: Option<Arc<ProcessRecord>>,
        entry: Option<namespace::Hold>,
    ) -> Arc<ProcessObject> {
        Arc::new(ProcessObject::new(id, pidfd, record, id == process::id(), entry))
    }

    /// OpenProcess: the process with this id, or what is left of it while somebody holds a handle.
    pub(crate) fn open(id: u32) -> Result<Arc<ProcessObject>, Code> {
        record::own()?;
        if id == 0 || i32::try_from(id).is_err() {
            return Err(Code::INVALID_PARAMETER);
        }
        if id == process::id() {
            return ProcessObject::own();
        }
        let pidfd = match process::open(id) {
            Ok(pidfd) => Some(pidfd),
            Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => None,
            Err(error) => return Err(code(error)),
        };
        if pidfd.is_some()
            && process::user() != 0
            && procfs::owner(id).is_some_and(|user| user != process::user())
        {
            return Err(Code::ACCESS_DENIED);
        }
        let found = namespace::open_process_entry(id)
            .ok()
            .and_then(|(memory, hold)| Some((ProcessRecord::open(memory).ok()?, hold)))
            .filter(|(record, _)| record.process_id() == id);
        match (pidfd, found) {
            (None, None) => Err(Code::INVALID_PARAMETER),
            (pidfd, found) => {
                let (record, hold) = found.unzip();
                Ok(ProcessObject::known(id, pidfd, record.map(Arc::new), hold))
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    pub(crate) fn pidfd(&self) -> Option<BorrowedFd<'_>> {
        self.pidfd.as_ref().map(AsFd::as_fd)
    }

    pub(crate) fn record(&self) -> Option<&Arc<ProcessRecord>> {
        self.record.as_ref()
    }

    /// What keeps the record findable.
    pub(crate) fn entry(&self) -> Option<&namespace::Hold> {
        self.entry.as_ref()
    }

    pub(crate) fn is_own(&self) -> bool {
        self.own
    }

    pub(crate) fn has_ended(&self) -> bool {
        match &self.pidfd {
            _ if self.own => false,
            None => true,
            Some(pidfd) => process::has_ended(pidfd.as_fd()),
        }
    }

    /// The word that tells its end to a wait that has other words too; `None` if it never ends for us.
    pub(crate) fn watch(&self) -> Result<Option<Arc<Watched>>, Code> {
        let Some(pidfd) = self.pidfd.as_ref().filter(|_| !self.own) else { return Ok(None) };
        if let Some(watched) = self.watched.get() {
            return Ok(Some(Arc::clone(watched)));
        }
        let watched = watcher::watch(pidfd)?;
        Ok(Some(Arc::clone(self.watched.get_or_init(|| watched))))
    }

    /// GetExitCodeProcess: `None` while it runs.
    pub(crate) fn exit_code(&self) -> Option<u32> {
        if !self.has_ended() {
            return None;
        }
        let said = || self.record.as_ref().and_then(|record| record.exit_code());
        if let Some(code) = said() {
            return Some(code);
        }
        let ended = self.pidfd().and_then(|pidfd| {
            process::peek_status(pidfd).ok().flatten().or_else(|| process::exit_info(pidfd))
        });
        let code = match ended {
            Some(ended) => code_of(ended),
            // It ended without a word, and nobody who may ask the kernel is left.
            None => UNKNOWN,
        };
        if let Some(record) = &self.record {
            // So that it is known also when the remains are gone.
            record.set_exit_code(code);
        }
        Some(code)
    }

    /// TerminateProcess.
    pub(crate) fn terminate(&self, exit_code: u32) -> Result<(), Code> {
        if self.has_ended() {
            return Err(Code::ACCESS_DENIED);
        }
        if let Some(record) = &self.record {
            record.set_exit_code(exit_code);
        }
        if self.own {
            process::kill_self();
        }
        let Some(pidfd) = self.pidfd() else { return Err(Code::ACCESS_DENIED) };
        match process::kill(pidfd) {
            Ok(()) => Ok(()),
            Err(Errno::SRCH) => Err(Code::ACCESS_DENIED),
            Err(error) => Err(code(error)),
        }
    }
}

/// The exit code of a process about which nothing can be found out any more.
const UNKNOWN: u32 = 0xC000_0001;

/// The 32-bit code of an end that only the kernel reported (R32).
fn code_of(ended: Ended) -> u32 {
    const SIGINT: u32 = 2;
    const SIGBUS: u32 = 7;
    const SIGSEGV: u32 = 11;
    match ended {
        Ended::Exited(status) => status,
        Ended::Signalled(SIGSEGV | SIGBUS) => 0xC000_0005,
        Ended::Signalled(SIGINT) => 0xC000_013A,
        Ended::Signalled(signal) => 0xC000_0000 + signal,
    }
}

impl Drop for ProcessObject {
    /// Takes an ended child out of the process table, so that its id can be used again (R7). Children that were
    /// started by other means are left to whoever started them.
    fn drop(&mut self) {
        let Some(pidfd) = self.pidfd.take().filter(|_| !self.own) else { return };
        if process::has_ended(pidfd.as_fd()) {
            if let (Some(record), Ok(Some(ended))) = (&self.record, process::peek_status(pidfd.as_fd())) {
                record.set_exit_code(code_of(ended));
            }
            if self.child {
                let _ = process::reap(pidfd.as_fd());
            }
        } else if self.child {
            LEFT_BEHIND.lock().unwrap_or_else(PoisonError::into_inner).push(pidfd);
        }
        reap_left_behind();
    }
}

/// Takes those children out of the process table that ended after their last handle here was closed.
pub(crate) fn reap_left_behind() {
    let mut left = LEFT_BEHIND.lock().unwrap_or_else(PoisonError::into_inner);
    left.retain(|pidfd| matches!(process::reap(pidfd.as_fd()), Ok(None)));
}
