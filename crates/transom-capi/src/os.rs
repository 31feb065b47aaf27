//! The few calls to the system that neither `transom` nor the standard library offers: clocks that all
//! processes share, pages of one's own, sleeping on several descriptors, users' names, and what is to happen when
//! the program ends.
//!
//! # Safety
//! Pages are named by numbers; that a range is the caller's to change is for [`crate::pages`] to know.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};

use transom::Code;

/// Open flags: only look at the file, do not read or write it.
pub(crate) const O_PATH: i32 = libc::O_PATH;
/// Writes are on the disk when they return.
pub(crate) const O_DSYNC: i32 = libc::O_DSYNC;
/// Reads and writes go past the system's cache.
pub(crate) const O_DIRECT: i32 = libc::O_DIRECT;
/// Opening a terminal does not make it this process's.
pub(crate) const O_NOCTTY: i32 = libc::O_NOCTTY;

/// What a failure of the standard library is for a Windows program. Which of 2 and 3 a missing file is
/// depends on its folder: see [`crate::file_names::missing`].
pub(crate) fn code(error: &io::Error) -> Code {
    match error.raw_os_error() {
        Some(libc::ENOENT | libc::ENXIO | libc::ENODEV) => Code::FILE_NOT_FOUND,
        Some(libc::ENOTDIR | libc::ELOOP) => Code::PATH_NOT_FOUND,
        Some(libc::EMFILE | libc::ENFILE) => Code::TOO_MANY_OPEN_FILES,
        Some(libc::EACCES | libc::EPERM | libc::EISDIR) => Code::ACCESS_DENIED,
        Some(libc::EBADF) => Code::INVALID_HANDLE,
        Some(libc::ENOMEM) => Code::NOT_ENOUGH_MEMORY,
        Some(libc::EROFS) => Code::WRITE_PROTECT,
        Some(libc::ETXTBSY) => Code::SHARING_VIOLATION,
        Some(libc::EEXIST) => Code::FILE_EXISTS,
        Some(libc::EINVAL) => Code::INVALID_PARAMETER,
        Some(libc::EFAULT) => Code::NOACCESS,
        Some(libc::ENOSPC | libc::EDQUOT | libc::EFBIG) => Code::DISK_FULL,
        Some(libc::ENAMETOOLONG) => Code::INVALID_NAME,
        Some(libc::ENOTEMPTY) => Code::DIR_NOT_EMPTY,
        Some(libc::EBUSY) => Code::BUSY,
        Some(libc::EPIPE) => Code::NO_DATA,
        // Not in the table of names: ERROR_SEEK_ON_DEVICE.
        Some(libc::ESPIPE) => Code::new(132),
        Some(libc::EIO) => Code::IO_DEVICE,
        Some(libc::EOPNOTSUPP | libc::ENOSYS) => Code::NOT_SUPPORTED,
        _ => Code::GEN_FAILURE,
    }
}

/// Nanoseconds of a clock.
fn clock(which: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the record is this function's own; the two clocks used exist on every kernel.
    unsafe { libc::clock_gettime(which, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// CLOCK_BOOTTIME: nanoseconds since the computer started, time asleep included.
pub(crate) fn since_start() -> u64 {
    clock(libc::CLOCK_BOOTTIME)
}

/// CLOCK_MONOTONIC: nanoseconds of a clock that never goes back.
pub(crate) fn monotonic() -> u64 {
    clock(libc::CLOCK_MONOTONIC)
}

/// localtime_r(3): how many seconds this place is ahead of Greenwich at a moment, in seconds since 1970.
pub(crate) fn local_offset(moment: i64) -> i64 {
    // SAFETY: an all-zero record is a valid one, and both records are this function's own.
    unsafe {
        let mut local: libc::tm = std::mem::zeroed();
        let moment: libc::time_t = moment;
        if libc::localtime_r(&raw const moment, &raw mut local).is_null() { 0 } else { local.tm_gmtoff }
    }
}

/// atexit(3): calls `function` when the process ends by exit(3) or by returning from main.
pub(crate) fn at_exit(function: extern "C" fn()) {
    // SAFETY: a function that exists as long as this library.
    unsafe { libc::atexit(function) };
}

/// A descriptor as a file of the standard library, which does not close it.
pub(crate) struct Borrowed<'a> {
    file: ManuallyDrop<File>,
    _descriptor: BorrowedFd<'a>,
}

/// Makes the standard library's calls for files available for a descriptor.
pub(crate) fn file(descriptor: BorrowedFd<'_>) -> Borrowed<'_> {
    // SAFETY: the descriptor is open as long as it is borrowed, and the file is never dropped.
    let file = ManuallyDrop::new(unsafe { File::from_raw_fd(descriptor.as_raw_fd()) });
    Borrowed { file, _descriptor: descriptor }
}

impl Deref for Borrowed<'_> {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

/// getpwuid_r(3): the name of a user, or its number if it has none.
pub(crate) fn user_name(id: u32) -> String {
    let mut record = std::mem::MaybeUninit::<libc::passwd>::uninit();
    let mut found = std::ptr::null_mut();
    let mut room = vec![0 as libc::c_char; 4096];
    // SAFETY: record, room and result are this function's own, and as large as said.
    let failed =
        unsafe { libc::getpwuid_r(id, record.as_mut_ptr(), room.as_mut_ptr(), room.len(), &raw mut found) };
    if failed != 0 || found.is_null() {
        return id.to_string();
    }
    // SAFETY: found, so the record is filled, and its name is a string in `room`.
    unsafe { std::ffi::CStr::from_ptr((*found).pw_name) }.to_string_lossy().into_owned()
}

/// epoll_create1(2).
pub(crate) fn epoll() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let made = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
    if made < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a new descriptor that nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(made) })
}

/// epoll_ctl(2): lets [`next_watched`] give out `id` once, when the descriptor is readable or hung up.
pub(crate) fn watch_once(epoll: &OwnedFd, descriptor: BorrowedFd<'_>, id: usize) -> io::Result<()> {
    let mut event = libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLONESHOT) as u32, u64: id as u64 };
    let mut control = |operation| {
        // SAFETY: both descriptors are open, the record is this function's own.
        unsafe { libc::epoll_ctl(epoll.as_raw_fd(), operation, descriptor.as_raw_fd(), &raw mut event) }
    };
    if control(libc::EPOLL_CTL_MOD) == 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        error if error.raw_os_error() != Some(libc::ENOENT) => Err(error),
        _ if control(libc::EPOLL_CTL_ADD) == 0 => Ok(()),
        _ => match io::Error::last_os_error() {
            // Another thread was quicker.
            error if error.raw_os_error() == Some(libc::EEXIST) && control(libc::EPOLL_CTL_MOD) == 0 => {
                Ok(())
            }
            error => Err(error),
        },
    }
}

/// epoll_ctl(2): gives the descriptor out no more.
pub(crate) fn forget_watched(epoll: &OwnedFd, descriptor: BorrowedFd<'_>) {
    let nothing = std::ptr::null_mut();
    // SAFETY: both descriptors are open; taking one away needs no record. One that is not there is no harm.
    unsafe {
        libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, descriptor.as_raw_fd(), nothing);
    }
}

/// epoll_wait(2): sleeps until a descriptor is ready; its id.
pub(crate) fn next_watched(epoll: &OwnedFd) -> io::Result<usize> {
    let mut event = libc::epoll_event { events: 0, u64: 0 };
    loop {
        // SAFETY: room for one record, as the call is told.
        match unsafe { libc::epoll_wait(epoll.as_raw_fd(), &raw mut event, 1, -1) } {
            1 => return Ok(event.u64 as usize),
            0 => {}
            _ => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error => return Err(error),
            },
        }
    }
}

/// What a part of a file is to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangeLock {
    None,
    Shared,
    Exclusive,
}

/// fcntl(2), `F_OFD_SETLK` or its waiting form: locks that belong to the open file.
pub(crate) fn lock_range(
    descriptor: i32,
    start: i64,
    length: i64,
    lock: RangeLock,
    wait: bool,
) -> io::Result<()> {
    let kind = match lock {
        RangeLock::None => libc::F_UNLCK,
        RangeLock::Shared => libc::F_RDLCK,
        RangeLock::Exclusive => libc::F_WRLCK,
    };
    let command = if wait { libc::F_OFD_SETLKW } else { libc::F_OFD_SETLK };
    // SAFETY: an all-zero record is a valid one.
    let mut record: libc::flock = unsafe { std::mem::zeroed() };
    record.l_type = kind as libc::c_short;
    record.l_whence = libc::SEEK_SET as libc::c_short;
    record.l_start = start;
    record.l_len = length;
    loop {
        // SAFETY: the record is this function's own; a bad descriptor is an error.
        if unsafe { libc::fcntl(descriptor, command, &raw mut record) } == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINTR) {
            return Err(error);
        }
    }
}

/// Whether somebody else has what was asked for.
pub(crate) fn would_block(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES))
}

/// What may be done with pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rights {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) execute: bool,
}

impl Rights {
    pub(crate) const NONE: Rights = Rights { read: false, write: false, execute: false };

    fn bits(self) -> libc::c_int {
        let bit = |set: bool, bit: libc::c_int| if set { bit } else { 0 };
        bit(self.read, libc::PROT_READ)
            | bit(self.write, libc::PROT_WRITE)
            | bit(self.execute, libc::PROT_EXEC)
    }
}

/// mmap(2): `length` bytes of address space without access, at `base` if that is not 0. Fails rather than
/// take a range that is in use.
pub(crate) fn reserve(base: usize, length: usize) -> io::Result<usize> {
    let exact = if base == 0 { 0 } else { libc::MAP_FIXED_NOREPLACE };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | exact;
    let wanted = std::ptr::without_provenance_mut(base);
    // SAFETY: a new mapping where nothing is; with an address the kernel refuses a range in use.
    let at = unsafe { libc::mmap(wanted, length, libc::PROT_NONE, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let at = at.expose_provenance();
    if base != 0 && at != base {
        // A kernel before 4.17 takes the flag for a hint.
        // SAFETY: the mapping made just now, which nobody knows.
        unsafe { release(at, length) };
        return Err(io::Error::from_raw_os_error(libc::EEXIST));
    }
    Ok(at)
}

/// munmap(2).
///
/// # Safety
/// The range is the caller's, and nothing refers to it any more.
pub(crate) unsafe fn release(base: usize, length: usize) {
    // SAFETY: the caller's promise.
    unsafe { libc::munmap(std::ptr::with_exposed_provenance_mut(base), length) };
}

/// mmap(2) over pages of one's own: without contents and without access, as after [`reserve`].
///
/// # Safety
/// The range lies in what [`reserve`] gave the caller, and nothing refers to its contents any more.
pub(crate) unsafe fn clear(base: usize, length: usize) -> io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
    let at = std::ptr::with_exposed_provenance_mut(base);
    // SAFETY: the caller's promise.
    let at = unsafe { libc::mmap(at, length, libc::PROT_NONE, flags, -1, 0) };
    if at == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// mprotect(2).
///
/// # Safety
/// The range is the caller's to change.
pub(crate) unsafe fn protect(base: usize, length: usize, rights: Rights) -> io::Result<()> {
    let at = std::ptr::with_exposed_provenance_mut(base);
    // SAFETY: the caller's promise; a range that is not mapped is an error.
    let done = unsafe { libc::mprotect(at, length, rights.bits()) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// mlock(2), munlock(2): pages stay in memory, or need not any more.
pub(crate) fn lock_pages(base: usize, length: usize, lock: bool) -> io::Result<()> {
    let at = std::ptr::with_exposed_provenance(base);
    // SAFETY: nothing about the contents changes; a range that is not mapped is an error.
    let done = unsafe { if lock { libc::mlock(at, length) } else { libc::munlock(at, length) } };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// process_vm_readv(2), process_vm_writev(2): between `ours` here and `theirs` in a process. Bad addresses on
/// either side are errors, not faults.
pub(crate) fn copy_memory(
    process: u32,
    theirs: usize,
    ours: usize,
    size: usize,
    write: bool,
) -> io::Result<usize> {
    let part = |base| libc::iovec { iov_base: std::ptr::with_exposed_provenance_mut(base), iov_len: size };
    let (here, there) = (part(ours), part(theirs));
    let id = process as libc::pid_t;
    // SAFETY: the records are this function's own; the kernel checks both ranges. What is written to is the
    // caller's to write, as its safety contract says.
    let done = unsafe {
        if write {
            libc::process_vm_writev(id, &raw const here, 1, &raw const there, 1, 0)
        } else {
            libc::process_vm_readv(id, &raw const here, 1, &raw const there, 1, 0)
        }
    };
    usize::try_from(done).map_err(|_| io::Error::last_os_error())
}

/// futex(2): sleeps while the word has this value, until woken or so many nanoseconds have passed. False after that
/// time.
pub(crate) fn sleep_on(word: &AtomicU32, value: u32, nanoseconds: Option<u64>) -> bool {
    let time = nanoseconds.map(|time| libc::timespec {
        tv_sec: (time / 1_000_000_000) as libc::time_t,
        tv_nsec: (time % 1_000_000_000) as libc::c_long,
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word and the time live until the call returns.
    let done = unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, time) };
    done == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ETIMEDOUT)
}

/// futex(2): wakes so many that sleep on the word.
pub(crate) fn wake(word: &AtomicU32, count: i32) {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: only the word's address is used.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, count) };
}

/// isatty(3).
pub(crate) fn is_terminal(descriptor: BorrowedFd<'_>) -> bool {
    use std::io::IsTerminal;
    descriptor.is_terminal()
}

/// The signals that stand for Ctrl+C and Ctrl+Break.
pub(crate) const SIGINT: i32 = libc::SIGINT;
pub(crate) const SIGTERM: i32 = libc::SIGTERM;

/// Signals of this process as they come.
pub(crate) struct Signals(File);

impl Signals {
    /// The next one's number.
    pub(crate) fn next(&self) -> io::Result<i32> {
        let mut number = [0];
        (&self.0).read_exact(&mut number)?;
        Ok(i32::from(number[0]))
    }
}

/// The descriptor that the signal handler writes to.
static SIGNALS: AtomicI32 = AtomicI32::new(-1);

extern "C" fn note_signal(signal: libc::c_int) {
    let number = [signal as u8];
    // SAFETY: write(2) may be called in a signal handler; the byte is this function's own, and errno is put back.
    unsafe {
        let errno = *libc::__errno_location();
        libc::write(SIGNALS.load(Ordering::Relaxed), number.as_ptr().cast(), 1);
        *libc::__errno_location() = errno;
    }
}

/// From now on SIGINT and SIGTERM end nothing: they are read here.
pub(crate) fn interrupts() -> io::Result<Signals> {
    let (reader, writer) = io::pipe()?;
    SIGNALS.store(OwnedFd::from(writer).into_raw_fd(), Ordering::Relaxed);
    for signal in [SIGINT, SIGTERM] {
        handle_signal(signal, note_signal as extern "C" fn(libc::c_int) as libc::sighandler_t)?;
    }
    Ok(Signals(File::from(OwnedFd::from(reader))))
}

/// Whether SIGINT is ignored; if not, it ends the process, or is read if [`interrupts`] was called.
pub(crate) fn ignore_interrupts(ignore: bool) -> io::Result<()> {
    let listening = SIGNALS.load(Ordering::Relaxed) >= 0;
    handle_signal(
        SIGINT,
        match (ignore, listening) {
            (true, _) => libc::SIG_IGN,
            (false, true) => note_signal as extern "C" fn(libc::c_int) as libc::sighandler_t,
            (false, false) => libc::SIG_DFL,
        },
    )
}

/// sigaction(2).
fn handle_signal(signal: i32, handler: libc::sighandler_t) -> io::Result<()> {
    // SAFETY: an all-zero record is a valid one; the handler is a constant of the system's or `note_signal`.
    let done = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &raw const action, std::ptr::null_mut())
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// kill(2) of a process group; 0 is this process's.
pub(crate) fn signal_group(group: u32, signal: i32) -> io::Result<()> {
    // SAFETY: numbers only.
    let done = unsafe { libc::kill(-(group as libc::pid_t), signal) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// sysconf(3): ticks of the kernel's clock for processes in a second.
pub(crate) fn ticks_per_second() -> u64 {
    // SAFETY: a number only.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_CLK_TCK) }).ok().filter(|ticks| *ticks > 0).unwrap_or(100)
}

/// prctl(2): the calling thread's name, of which the kernel keeps 15 bytes.
pub(crate) fn name_thread(name: &[u8]) {
    let mut bytes: Vec<u8> = name.iter().copied().take(15).collect();
    bytes.push(0);
    // SAFETY: a string with its terminator.
    unsafe { libc::prctl(libc::PR_SET_NAME, bytes.as_ptr()) };
}

/// gethostname(2).
pub(crate) fn host_name() -> Vec<u8> {
    let mut name = vec![0; 256];
    // SAFETY: the buffer is as long as it is said to be, less the terminator that is there already.
    let done = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) };
    name.truncate(if done == 0 { name.iter().position(|&byte| byte == 0).unwrap_or(0) } else { 0 });
    name
}

/// The number of the user this process runs as.
pub(crate) fn user() -> u32 {
    // SAFETY: takes nothing.
    unsafe { libc::getuid() }
}

/// sched_getcpu(3).
pub(crate) fn processor() -> u32 {
    // SAFETY: takes nothing.
    u32::try_from(unsafe { libc::sched_getcpu() }).unwrap_or(0)
}
