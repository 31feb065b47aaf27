//! CreateProcess: starting a child with the handles it is to inherit.
//!
//! Everything is made ready before the fork: the child's record with a row for each inherited handle, its
//! inbox, a slot in the entry of each inherited name. Descriptors are close-on-exec in this process at all
//! times; only the child clears the flag, in its own table, of those it is to have. So children that other
//! threads start at the same moment get nothing of this one's (H20).
//!
//! The child waits until its id is in all the places it has to be in, then executes the program. What
//! fails on the way comes back through a close-on-exec pipe.
//!
//! # Safety
//! The fork and the pointers to argument strings, which live in this function until the child has executed.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::{CString, OsStr, OsString};
use std::io::Read;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::record::slot_index;
use transom_core::{command_line, environment::Environment};
use transom_sys::linux::fault::step;
use transom_sys::linux::process::{self, Image, Step};
use transom_sys::linux::{Errno, futex, host, pipe, procfs, signal};

use super::errno::{code, with_room};
use super::inbox;
use super::named::finish;
use super::process::{ProcessObject, reap_left_behind};
use super::record::{self, ProcessRecord};
use super::table::{self, Entry, INHERIT, Object};
use super::transfer::{self, Lent};
use crate::error::{Error, Result};
use crate::handle::{FromHandle, RawHandle};
use crate::namespace::imp::{self as namespace, ChildHold};
use crate::process::{Child, Command, Inherit, Process};
use crate::thread::Thread;

thread_local! {
    /// The child that this thread started last, while it leaves a head start.
    static FOLLOWER: RefCell<Option<Arc<ProcessRecord>>> = const { RefCell::new(None) };
}

/// Ends the head start over the child that this thread started last.
pub(crate) fn let_go() {
    // While the thread ends there is nobody to be let go: the child goes on by itself in time.
    let follower = FOLLOWER.try_with(|follower| follower.borrow_mut().take()).ok().flatten();
    if let Some(record) = follower {
        record.head_start().store(0, Ordering::Release);
        futex::wake(record.head_start(), 1);
    }
}

const STARTF_USESTDHANDLES: u32 = 0x100;
const DETACHED_PROCESS: u32 = 8;
const CREATE_NEW_CONSOLE: u32 = 0x10;
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;

/// CreateProcess.
pub(crate) fn spawn(command: &Command) -> Result<Child> {
    let name = command.application.as_ref().or(command.command_line.as_ref());
    start(command).map_err(|code| {
        let error = Error::new("create process", code);
        match name {
            Some(name) => error.with_name(name.to_string_lossy().into_owned()),
            None => error,
        }
    })
}

fn start(command: &Command) -> std::result::Result<Child, Code> {
    // First of all, since a plain fork has no handles and must not touch what its parent was just changing.
    record::own()?;
    reap_left_behind();
    let line = line_of(command)?;
    command_line::check_length(&line)?;
    let program = find_program(command, &line)?;
    check_program(&program)?;
    let directory = directory_of(command)?;
    let handles = inherited(command)?;
    let package = Package::new(&handles, command)?;
    package.record.set_command_line(&line);
    let startup = &command.startup;
    let standard = if command.use_standard { STARTF_USESTDHANDLES } else { 0 };
    let title = startup.title.as_ref().map(|title| title.as_bytes());
    let_go();
    let head_start = u32::try_from(command.head_start.as_millis()).unwrap_or(u32::MAX);
    package.record.head_start().store(head_start, Ordering::Relaxed);
    package.record.set_startup(startup.flags | standard, u32::from(startup.show_window), title);

    let arguments = c_strings(command_line::split(&line))?;
    let mut environment = environment_of(command)?;
    let number = package.record.descriptor().as_raw_fd().to_string();
    environment.set(record::VARIABLE.as_bytes(), number.as_bytes())?;
    let environment = c_strings(environment.entries().map(<[u8]>::to_vec).collect())?;
    let argument_pointers = pointers(&arguments);
    let environment_pointers = pointers(&environment);
    let program = CString::new(program.into_os_string().into_vec()).map_err(|_| Code::INVALID_PARAMETER)?;
    let (go_reader, go_writer) = with_room(pipe::create)?;
    let (report_reader, report_writer) = with_room(pipe::create)?;
    package.record.resume().store(u32::from(!command.suspended), Ordering::Relaxed);
    package.record.suspended().store(u32::from(command.suspended), Ordering::Relaxed);
    let record = Arc::new(package.record);
    let image = Image {
        program: &program,
        arguments: &argument_pointers,
        environment: &environment_pointers,
        directory: directory.as_deref(),
        standard: package.standard,
        keep: &package.keep,
        new_session: command.flags & (DETACHED_PROCESS | CREATE_NEW_CONSOLE) != 0,
        new_group: command.flags & CREATE_NEW_PROCESS_GROUP != 0,
        go: go_reader.as_raw_fd(),
        resume: command.suspended.then(|| record.resume()),
        report: report_writer.as_raw_fd(),
    };
    // SAFETY: all strings, pointers and descriptors of the image live until the end of this function.
    let id = unsafe { process::fork(&image) }.map_err(|error| match error {
        Errno::AGAIN | Errno::NOMEM => Code::NOT_ENOUGH_MEMORY,
        other => code(other),
    })?;
    drop((go_reader, report_writer));
    step("child-forked");
    record.set_process_id(id);
    for hold in &package.holds {
        hold.set_process(id);
    }
    let unborn = Unborn(id);
    let pidfd = with_room(|| process::open(id))?;
    // Where nobody may look at this process the entry is of no use; the handle works without it.
    let entry = namespace::create_process_entry(id, record.descriptor()).ok();
    let process = ProcessObject::child(id, pidfd, Arc::clone(&record), entry);
    let thread = Object::FirstThread(Arc::clone(&process));
    // In the table before it runs: where there is no room for its handles nothing is started.
    let process =
        finish(Object::Process(process), Kind::Process.all_access(), None, command.inherit_process)?;
    let thread = finish(thread, Kind::Thread.all_access(), None, command.inherit_thread)?;
    step("child-recorded");
    // A child that cannot read this has died, which the report tells.
    let _ = signal::write_without_signal(&go_writer, &[1]);
    drop(go_writer);
    std::mem::forget(unborn);
    step("child-let-go");
    let mut message = [0; 5];
    let mut report = std::fs::File::from(report_reader);
    // All zeroes: suspended.
    if report.read_exact(&mut message).is_ok() && message != [0; 5] {
        let errno = i32::from_le_bytes([message[1], message[2], message[3], message[4]]);
        return Err(start_code(Step::from_byte(message[0]), Errno::from_raw_os_error(errno)));
    }
    for hold in package.holds {
        hold.handed_over();
    }
    for lent in package.lent {
        lent.handed_over();
    }
    if head_start > 0 {
        FOLLOWER.set(Some(record));
    }
    let coded = |error: Error| error.code();
    Ok(Child {
        process: Process::from_handle(process).map_err(coded)?,
        thread: Thread::from_handle(thread).map_err(coded)?,
        process_id: id,
        thread_id: id,
    })
}

/// A child that has not been let go: if that is not to happen, it is ended.
struct Unborn(u32);

impl Drop for Unborn {
    fn drop(&mut self) {
        process::undo_fork(self.0);
    }
}

/// What a failed step of the child means.
fn start_code(step: Step, errno: Errno) -> Code {
    match (step, errno) {
        (Step::Directory, _) => Code::DIRECTORY,
        (Step::Execute, Errno::NOEXEC | Errno::LIBBAD) => Code::BAD_EXE_FORMAT,
        (Step::Execute, Errno::TOOBIG) => Code::FILENAME_EXCED_RANGE,
        (_, errno) => code(errno),
    }
}

/// The raw command line that the child gets (R1, R3).
fn line_of(command: &Command) -> std::result::Result<Vec<u8>, Code> {
    if let Some(line) = &command.command_line {
        return Ok(line.as_bytes().to_vec());
    }
    let application = command.application.as_ref().ok_or(Code::INVALID_PARAMETER)?;
    let mut words: Vec<&[u8]> = vec![application.as_bytes()];
    words.extend(command.arguments.iter().map(|argument| argument.as_bytes()));
    Ok(if command.arguments.is_empty() && !command_line::is_program_word(application.as_bytes()) {
        application.as_bytes().to_vec()
    } else {
        command_line::quote(&words)
    })
}

/// The program to execute: as given, or searched for the first word of the line (R1, R2).
fn find_program(command: &Command, line: &[u8]) -> std::result::Result<PathBuf, Code> {
    let program = match &command.application {
        Some(application) if Path::new(application).exists() => PathBuf::from(application),
        Some(application) => {
            let names = spellings(application.as_bytes(), false);
            let found = names.iter().map(|name| path(name)).find(|path| path.is_file());
            found.ok_or_else(|| missing(path(&names[0])))?.to_owned()
        }
        None => search_words(&command_line::program(line))?,
    };
    // The child changes its folder before it executes, and a relative path is the creator's.
    let absolute = if command.directory.is_some() { std::path::absolute(&program).ok() } else { None };
    Ok(absolute.unwrap_or(program))
}

/// The first of these that is a program, with or without a path.
fn search_words(candidates: &[Vec<u8>]) -> std::result::Result<PathBuf, Code> {
    let mut failure = if candidates.is_empty() { Code::INVALID_PARAMETER } else { Code::FILE_NOT_FOUND };
    for candidate in candidates {
        for name in spellings(candidate, true) {
            if name.contains(&b'/') {
                if path(&name).is_file() {
                    return Ok(path(&name).to_owned());
                }
                failure = missing(path(&name));
            } else if let Some(found) = search(path(&name)) {
                return Ok(found);
            }
        }
    }
    Err(failure)
}

/// The names under which a program is looked for: as it is, with `.exe` (`add`), and without the `.exe` that a source
/// written for Windows expects of a program built here. A backslash separates as a slash does; only then may it be
/// part of a name.
fn spellings(name: &[u8], add: bool) -> Vec<Vec<u8>> {
    const SUFFIX: &[u8] = b".exe";
    let slashes: Vec<u8> = name.iter().map(|&byte| if byte == b'\\' { b'/' } else { byte }).collect();
    let mut names = vec![slashes];
    if add {
        names.push([&names[0], SUFFIX].concat());
    }
    let stem = names[0].len().saturating_sub(SUFFIX.len());
    if stem > 0 && names[0][stem - 1] != b'/' && names[0][stem..].eq_ignore_ascii_case(SUFFIX) {
        names.push(names[0][..stem].to_vec());
    }
    if name.contains(&b'\\') {
        names.push(name.to_vec());
    }
    names
}

fn path(name: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(name))
}

/// A program without a path: beside this one, in the current folder, then along PATH.
fn search(name: &Path) -> Option<PathBuf> {
    let beside = procfs::program().ok().and_then(|path| path.parent().map(Path::to_owned));
    let along = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    beside
        .into_iter()
        .chain([PathBuf::from(".")])
        .chain(std::env::split_paths(&along))
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// 2 if only the file is missing, 3 if its folder is.
fn missing(path: &Path) -> Code {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_none_or(Path::is_dir) { Code::FILE_NOT_FOUND } else { Code::PATH_NOT_FOUND }
}

/// Tells before anything is started what executing would tell after: not a program, or not allowed.
fn check_program(path: &Path) -> std::result::Result<(), Code> {
    if path.is_dir() {
        return Err(Code::ACCESS_DENIED);
    }
    let mut start = [0; 4];
    let read = std::fs::File::open(path).and_then(|mut file| {
        let mut done = 0;
        while done < start.len() {
            match file.read(&mut start[done..])? {
                0 => break,
                count => done += count,
            }
        }
        Ok(done)
    });
    // A program may be executable without being readable.
    if read.is_ok() && &start != b"\x7fELF" && &start[..2] != b"#!" && !is_registered_format(&start) {
        return Err(Code::BAD_EXE_FORMAT);
    }
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Code::INVALID_PARAMETER)?;
    process::may_execute(&path).map_err(code)
}

/// Windows programs, where the system has an interpreter for them (binfmt_misc and Wine).
fn is_registered_format(start: &[u8; 4]) -> bool {
    &start[..2] == b"MZ" && Path::new("/proc/sys/fs/binfmt_misc/status").exists()
}

fn directory_of(command: &Command) -> std::result::Result<Option<CString>, Code> {
    let Some(directory) = &command.directory else { return Ok(None) };
    if !Path::new(directory).is_dir() {
        return Err(Code::DIRECTORY);
    }
    CString::new(directory.as_bytes()).map(Some).map_err(|_| Code::DIRECTORY)
}

/// The child's variables (R16, R17); names compare without case (R15).
fn environment_of(command: &Command) -> std::result::Result<Environment, Code> {
    let mut environment = Environment::default();
    let mut add = |name: &OsStr, value: &OsStr| environment.set(name.as_bytes(), value.as_bytes());
    match &command.environment {
        Some(variables) => {
            // Hidden entries such as `=C:` are Windows' own business (R18).
            for (name, value) in variables.iter().filter(|(name, _)| !name.as_bytes().starts_with(b"=")) {
                add(name, value)?;
            }
        }
        None => {
            for (name, value) in std::env::vars_os() {
                // What another program put there under a strange name is passed over, not refused.
                let _ = add(&name, &value);
            }
        }
    }
    for (name, value) in &command.changes {
        match value {
            Some(value) => environment.set(name.as_bytes(), value.as_bytes())?,
            None => drop(environment.remove(name.as_bytes())?),
        }
    }
    Ok(environment)
}

fn c_strings(strings: Vec<Vec<u8>>) -> std::result::Result<Vec<CString>, Code> {
    strings.into_iter().map(|bytes| CString::new(bytes).map_err(|_| Code::INVALID_PARAMETER)).collect()
}

fn pointers(strings: &[CString]) -> Vec<*const std::ffi::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
}

type Row = (usize, Arc<Entry>, u32);

/// The handles that the child is to have, standard ones included.
fn inherited(command: &Command) -> std::result::Result<Vec<Row>, Code> {
    let inheritable = table::inheritable()?;
    let find = |raw: RawHandle| {
        let index = slot_index(raw.value())?;
        inheritable.iter().find(|(row, _, _)| *row == index).cloned()
    };
    let mut rows = match &command.inherit {
        Inherit::Nothing => Vec::new(),
        Inherit::All => inheritable.clone(),
        Inherit::List(list) => {
            let mut rows = Vec::with_capacity(list.len());
            for raw in list {
                // H25: what is listed must be inheritable.
                let row = find(*raw).ok_or(Code::INVALID_PARAMETER)?;
                if !rows.iter().any(|(index, _, _): &Row| *index == row.0) {
                    rows.push(row);
                }
            }
            rows
        }
    };
    for raw in command.standard.into_iter().flatten() {
        if let Some(row) = find(raw)
            && !rows.iter().any(|(index, _, _)| *index == row.0)
        {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// What goes over to the child.
struct Package {
    record: ProcessRecord,
    keep: Vec<RawFd>,
    /// Descriptors of this process that a row of the child names.
    named: HashSet<RawFd>,
    standard: [Option<RawFd>; 3],
    holds: Vec<ChildHold>,
    /// Ends of named pipes.
    lent: Vec<Lent>,
    /// Descriptors that must live until the child has its own copies.
    _alive: Vec<std::os::fd::OwnedFd>,
}

impl Package {
    fn new(rows: &[Row], command: &Command) -> std::result::Result<Package, Code> {
        let record = ProcessRecord::create(0)?;
        let inbox = inbox::create(&record)?;
        record.set_inbox(inbox.as_raw_fd());
        let mut package = Package {
            keep: vec![record.descriptor().as_raw_fd(), inbox.as_raw_fd()],
            record,
            named: HashSet::new(),
            standard: [None; 3],
            holds: Vec::new(),
            lent: Vec::new(),
            _alive: vec![inbox],
        };
        let streams = package.streams(rows, command)?;
        for (index, entry, flags) in rows {
            package.add(*index, entry, *flags, &streams)?;
        }
        Ok(package)
    }

    /// The child's standard streams; which row stands on which of them.
    fn streams(
        &mut self,
        rows: &[Row],
        command: &Command,
    ) -> std::result::Result<HashMap<usize, RawFd>, Code> {
        let mut streams = HashMap::new();
        for which in 0..3 {
            let raw = if command.use_standard { command.standard[which] } else { replaced_standard(which) };
            let row = raw.and_then(|raw| {
                let index = slot_index(raw.value())?;
                rows.iter().find(|(row, _, _)| *row == index)
            });
            let stream =
                row.and_then(|(index, entry, _)| Some((*index, crate::process::imp::stream(entry)?)));
            match stream {
                Some((index, descriptor)) => {
                    self.standard[which] = Some(descriptor.as_raw_fd());
                    self.record.set_standard(which, raw.map_or(0, |raw| raw.value() as u64));
                    streams.entry(index).or_insert(which as RawFd);
                }
                None if command.use_standard => {
                    let value = match (row, raw) {
                        (_, None | Some(RawHandle::NULL)) => record::NO_HANDLE,
                        // No stream, but a handle that the child has.
                        (Some(_), Some(raw)) => raw.value() as u64,
                        (None, Some(_)) => u64::MAX,
                    };
                    // "None" must not become whatever the child opens first.
                    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null");
                    let null = null.map_err(|_| Code::FILE_NOT_FOUND)?;
                    self.standard[which] = Some(null.as_raw_fd());
                    self._alive.push(null.into());
                    self.record.set_standard(which, value);
                }
                None => {}
            }
        }
        Ok(streams)
    }

    /// Keeps a descriptor for the child. Several handles to one object share theirs here; there each has its own,
    /// since a child believes only rows that have nothing in common.
    fn keep_own(&mut self, number: RawFd) -> std::result::Result<RawFd, Code> {
        if number <= 2 {
            return Ok(number);
        }
        let mut number = number;
        if !self.named.insert(number) {
            let copy = with_room(|| host::duplicate_number(number))?;
            number = copy.as_raw_fd();
            self._alive.push(copy);
        }
        self.keep.push(number);
        Ok(number)
    }

    /// Puts one handle into the child's record.
    fn add(
        &mut self,
        index: usize,
        entry: &Arc<Entry>,
        flags: u32,
        streams: &HashMap<usize, RawFd>,
    ) -> std::result::Result<(), Code> {
        let (mut slot, lent) = transfer::travelling(entry, flags | INHERIT, |row, parts| (row, parts.lent));
        self.lent.extend(lent);
        if let Some(number) = streams.get(&index) {
            // One descriptor for stream and handle, so that closing the stream closes the pipe (R24).
            slot.descriptor = *number;
        } else {
            slot.descriptor = self.keep_own(slot.descriptor)?;
        }
        slot.record = self.keep_own(slot.record)?;
        for bell in &mut slot.bells {
            *bell = self.keep_own(*bell)?;
        }
        let is_server = matches!(entry.object, Object::Server(_));
        if let Some(hold) = entry.hold() {
            // What the name leads to: a pipe's board, any other object itself.
            let memory = if is_server { slot.record } else { slot.descriptor };
            let hold = hold.for_child(entry.access, memory)?;
            if let Object::Server(instance) = &entry.object {
                hold.keep_instance(instance.index())?;
            }
            slot.hold = hold.fd().as_raw_fd();
            slot.hold_slot = hold.slot();
            self.keep.push(slot.hold);
            self.holds.push(hold);
        }
        if self.record.reserve(index) {
            self.record.publish(index, &slot);
        }
        Ok(())
    }
}

/// A standard handle of this process that `SetStdHandle` replaced: the child's stream too (R24).
fn replaced_standard(which: usize) -> Option<RawHandle> {
    let value = record::own().ok()?.standard(which).load(Ordering::Acquire);
    if matches!(value, 0 | record::NO_HANDLE | u64::MAX) {
        return None;
    }
    Some(RawHandle::new(usize::try_from(value).ok()?))
}
