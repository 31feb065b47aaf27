//! Processes: starting them with the handles they are to inherit, waiting for them, ending them
//! (`CreateProcess`, `OpenProcess`).

use std::ffi::{OsStr, OsString};
use std::time::Duration;

use crate::error::Result;
use crate::handle::{Handle, Kind, RawHandle, object_impls};
use crate::thread::Thread;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
pub(crate) mod imp;

#[cfg(test)]
mod tests;

pub use transom_core::access::{
    PROCESS_ALL_ACCESS, PROCESS_DUP_HANDLE, PROCESS_QUERY_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION,
    PROCESS_TERMINATE, SYNCHRONIZE,
};

/// A handle to a process; signalled when the process has ended, for ever (Y33).
#[derive(Debug)]
pub struct Process(pub(crate) Handle);

object_impls!(Process, Kind::Process, "use process");

impl Process {
    /// `GetCurrentProcess`: the pseudo handle, which means the caller wherever it is used (H33).
    #[must_use]
    #[doc(alias = "GetCurrentProcess")]
    pub fn current() -> Process {
        Process(Handle::pseudo(RawHandle::CURRENT_PROCESS))
    }

    /// `OpenProcess`: a handle to the process `id` with the `PROCESS_…` rights in `access`.
    ///
    /// # Errors
    /// `ERROR_INVALID_PARAMETER` (87): no such process. `ERROR_ACCESS_DENIED` (5): of another user.
    #[doc(alias = "OpenProcess")]
    pub fn open(id: u32, access: u32, inherit: bool) -> Result<Process> {
        imp::open(id, access, inherit).map(Process)
    }

    /// `GetProcessId`.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `PROCESS_QUERY_LIMITED_INFORMATION`.
    #[doc(alias = "GetProcessId")]
    pub fn id(&self) -> Result<u32> {
        imp::id(&self.0)
    }

    /// `GetExitCodeProcess`: all 32 bits (R26); `None` while it runs (where Win32 says `STILL_ACTIVE`, 259).
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `PROCESS_QUERY_LIMITED_INFORMATION`.
    ///
    /// # Differs from Windows
    /// On Linux a process that a signal ended reports 0xC0000005 for SIGSEGV and SIGBUS, 0xC000013A for
    /// SIGINT, and 0xC0000000 + the signal's number for others.
    #[doc(alias = "GetExitCodeProcess")]
    pub fn exit_code(&self) -> Result<Option<u32>> {
        imp::exit_code(&self.0)
    }

    /// `TerminateProcess`: ends the process with `code`. Returns before the end is complete: wait (R30).
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): the handle lacks `PROCESS_TERMINATE`, or the process has ended already.
    #[doc(alias = "TerminateProcess")]
    pub fn terminate(&self, code: u32) -> Result<()> {
        imp::terminate(&self.0, code)
    }
}

/// `GetCurrentProcessId`.
#[must_use]
#[doc(alias = "GetCurrentProcessId")]
pub fn current_id() -> u32 {
    std::process::id()
}

/// `ExitProcess`: ends this process with a 32-bit code; `std::process::exit` does too.
#[doc(alias = "ExitProcess")]
pub fn exit(code: u32) -> ! {
    imp::exit(code)
}

/// What of this process's inheritable handles a child gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Inherit {
    /// Nothing, except standard handles given by [`Command::stdin`] and the like (`bInheritHandles` FALSE, H15).
    #[default]
    Nothing,
    /// Every inheritable handle (`bInheritHandles` TRUE, H14).
    All,
    /// These, which must be inheritable (`PROC_THREAD_ATTRIBUTE_HANDLE_LIST`, H25), and the standard handles.
    List(Vec<RawHandle>),
}

/// What a process is told by its creator besides handles and texts (`STARTUPINFO`): the library hands it
/// over and does nothing with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartupInfo {
    /// `lpTitle`; on Linux at most 4096 bytes.
    pub title: Option<OsString>,
    /// `dwFlags`: `STARTF_…` bits. `STARTF_USESTDHANDLES` 0x100 is set by [`Command::stdin`] and its like.
    pub flags: u32,
    /// `wShowWindow`, if `STARTF_USESHOWWINDOW` 1 is among the flags.
    pub show_window: u16,
}

/// A process to be started (`CreateProcess`).
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// `lpApplicationName`.
    pub(crate) application: Option<OsString>,
    /// `lpCommandLine`, raw.
    pub(crate) command_line: Option<OsString>,
    /// Arguments to be quoted behind the program, when no raw line was given.
    pub(crate) arguments: Vec<OsString>,
    pub(crate) inherit: Inherit,
    /// `STARTF_USESTDHANDLES`: the three values; `None` = share this process's.
    pub(crate) standard: [Option<RawHandle>; 3],
    pub(crate) use_standard: bool,
    /// `lpEnvironment`: exactly these variables; `None` = a copy of the present ones.
    pub(crate) environment: Option<Vec<(OsString, OsString)>>,
    /// Changes to a copied environment, in order.
    pub(crate) changes: Vec<(OsString, Option<OsString>)>,
    pub(crate) directory: Option<OsString>,
    pub(crate) suspended: bool,
    /// Further `dwCreationFlags`, handed to Windows as they are; checked and otherwise without effect on Linux.
    pub(crate) flags: u32,
    pub(crate) startup: StartupInfo,
    /// How long the child lets this process go first (Linux).
    pub(crate) head_start: Duration,
    /// Whether the two returned handles are inheritable themselves.
    pub(crate) inherit_process: bool,
    pub(crate) inherit_thread: bool,
}

impl Command {
    /// Starts `program` (`lpApplicationName`: a path as it is, no search, R1) with arguments that are quoted
    /// so that the child's C runtime cuts them as given.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>) -> Command {
        Command { application: Some(program.as_ref().to_owned()), ..Command::default() }
    }

    /// Starts what the raw command line says: its first word is searched as a program (R2).
    #[must_use]
    pub fn from_command_line(line: impl AsRef<OsStr>) -> Command {
        Command { command_line: Some(line.as_ref().to_owned()), ..Command::default() }
    }

    /// Sets the raw command line, handed over unchanged (R1). Arguments added by [`Command::arg`] are then ignored.
    #[must_use]
    pub fn command_line(mut self, line: impl AsRef<OsStr>) -> Command {
        self.command_line = Some(line.as_ref().to_owned());
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Command {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Command {
        self.arguments.extend(arguments.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// What the child inherits; default [`Inherit::Nothing`].
    #[must_use]
    pub fn inherit(mut self, inherit: Inherit) -> Command {
        self.inherit = inherit;
        self
    }

    /// The child's standard input (`hStdInput`); the handle must be inheritable (H22). Giving any of the
    /// three means that those not given are "none".
    #[must_use]
    pub fn stdin(mut self, handle: RawHandle) -> Command {
        self.standard[0] = Some(handle);
        self.use_standard = true;
        self
    }

    /// The child's standard output; see [`Command::stdin`].
    #[must_use]
    pub fn stdout(mut self, handle: RawHandle) -> Command {
        self.standard[1] = Some(handle);
        self.use_standard = true;
        self
    }

    /// The child's standard error; see [`Command::stdin`].
    #[must_use]
    pub fn stderr(mut self, handle: RawHandle) -> Command {
        self.standard[2] = Some(handle);
        self.use_standard = true;
        self
    }

    /// Gives the child exactly these variables (R17).
    #[must_use]
    pub fn environment(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Command {
        self.environment = Some(variables.into_iter().collect());
        self
    }

    /// Sets one variable in the child.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Command {
        self.changes.push((name.as_ref().to_owned(), Some(value.as_ref().to_owned())));
        self
    }

    /// Removes one variable in the child.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Command {
        self.changes.push((name.as_ref().to_owned(), None));
        self
    }

    /// The child's current directory; default this process's (R19).
    #[must_use]
    pub fn current_dir(mut self, directory: impl AsRef<OsStr>) -> Command {
        self.directory = Some(directory.as_ref().to_owned());
        self
    }

    /// `CREATE_SUSPENDED`: nothing of the child runs until [`Thread::resume`] on [`Child::thread`] (R5).
    #[must_use]
    pub fn suspended(mut self, suspended: bool) -> Command {
        self.suspended = suspended;
        self
    }

    /// Further `dwCreationFlags` (`CREATE_NEW_PROCESS_GROUP`, `DETACHED_PROCESS`…).
    #[must_use]
    pub fn creation_flags(mut self, flags: u32) -> Command {
        self.flags = flags;
        self
    }

    /// What the child can read with [`startup_info`] (`lpStartupInfo`). Default: nothing.
    #[must_use]
    pub fn startup_info(mut self, startup: StartupInfo) -> Command {
        self.startup = startup;
        self
    }

    /// How long the child lets this process go first: if it uses this library, it begins its `main` when this
    /// thread calls [`let_go`], or after this time, a second at most. Default: at once. An extension; on
    /// Windows without effect.
    ///
    /// A new process on Windows spends its first milliseconds in the loader, so its creator always comes first
    /// with what it does next, and programs have come to rely on that. The C interface uses this.
    #[must_use]
    pub fn head_start(mut self, longest: Duration) -> Command {
        self.head_start = longest;
        self
    }

    /// Whether the returned process and thread handles are inheritable (`lpProcessAttributes`, `lpThreadAttributes`).
    #[must_use]
    pub fn inherit_returned(mut self, process: bool, thread: bool) -> Command {
        self.inherit_process = process;
        self.inherit_thread = thread;
        self
    }

    /// `CreateProcess`: starts the child and returns when it is set up; it runs on by itself (R5, R6).
    ///
    /// # Errors
    /// `ERROR_FILE_NOT_FOUND` (2), `ERROR_PATH_NOT_FOUND` (3): no such program, no such folder.
    /// `ERROR_ACCESS_DENIED` (5): no right to run it. `ERROR_BAD_EXE_FORMAT` (193): not a program.
    /// `ERROR_DIRECTORY` (267): the working directory is missing.
    /// `ERROR_FILENAME_EXCED_RANGE` (206): a command line of more than 32767 characters.
    /// `ERROR_INVALID_PARAMETER` (87): neither program nor command line; a listed handle that is not inheritable.
    /// `ERROR_INVALID_HANDLE` (6): a standard or listed handle that does not exist.
    #[doc(alias = "CreateProcess")]
    pub fn spawn(&self) -> Result<Child> {
        imp::spawn(self)
    }
}

/// A started process (`PROCESS_INFORMATION`). Dropping it closes both handles; the process runs on (R6).
#[derive(Debug)]
pub struct Child {
    /// The process, with all rights.
    pub process: Process,
    /// Its first thread, with all rights.
    pub thread: Thread,
    /// `dwProcessId`.
    pub process_id: u32,
    /// `dwThreadId`.
    pub thread_id: u32,
}

impl Child {
    /// Waits for the end, without limit, and gives the exit code.
    ///
    /// # Errors
    /// As [`crate::wait::one`] and [`Process::exit_code`].
    pub fn wait(&self) -> Result<u32> {
        crate::wait::one(&self.process, crate::wait::Timeout::INFINITE)?;
        Ok(self.process.exit_code()?.unwrap_or(259))
    }
}

/// A standard handle of this process (`GetStdHandle`): 0 input, 1 output, 2 error. The value is this
/// process's own and is not to be closed by who asked.
///
/// # Errors
/// `ERROR_INVALID_PARAMETER` (87): another number. `ERROR_INVALID_HANDLE` (6): there is none.
#[doc(alias = "GetStdHandle")]
pub fn standard_handle(which: usize) -> Result<RawHandle> {
    imp::standard_handle(which)
}

/// Replaces a standard handle of this process (`SetStdHandle`): 0 input, 1 output, 2 error.
/// [`RawHandle::NULL`] makes [`standard_handle`] say that there is none. The value is not looked at.
///
/// # Errors
/// `ERROR_INVALID_PARAMETER` (87): another number.
#[doc(alias = "SetStdHandle")]
pub fn set_standard_handle(which: usize, handle: RawHandle) -> Result<()> {
    imp::set_standard_handle(which, handle)
}

/// Lets the child go that this thread started last with a [head start](Command::head_start): to be called
/// before the thread waits for something. Without effect if there is none.
pub fn let_go() {
    imp::let_go();
}

/// What this process's creator told it (`GetStartupInfo`); nothing if it was not started through this library
/// or Windows.
#[must_use]
#[doc(alias = "GetStartupInfo")]
pub fn startup_info() -> StartupInfo {
    imp::startup_info()
}

/// The whole command line of this process, byte for byte as its creator gave it (`GetCommandLine`).
#[must_use]
#[doc(alias = "GetCommandLine")]
pub fn command_line() -> OsString {
    imp::command_line()
}
