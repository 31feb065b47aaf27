//! Processes over the real calls.

use std::ffi::{OsStr, OsString};
use std::os::windows::ffi::{OsStrExt, OsStringExt};

use transom_core::command_line::quote;
use transom_core::environment::Environment;
use transom_core::text;
use transom_sys::windows::process::{self, Standard};
use transom_sys::windows::security::Attributes;

use super::{Child, Command, Inherit, Process, StartupInfo};
use crate::error::{Code, Error, Result};
use crate::handle::imp::{adopt, failed, value};
use crate::handle::{FromHandle, Handle, RawHandle};
use crate::thread::Thread;

/// `STILL_ACTIVE`.
const STILL_ACTIVE: u32 = 259;

const CREATE: &str = "create process";

pub(crate) fn open(id: u32, access: u32, inherit: bool) -> Result<Handle> {
    process::open(access, inherit, id).map(adopt).map_err(failed("open process"))
}

pub(crate) fn id(handle: &Handle) -> Result<u32> {
    process::id(value(handle)).map_err(failed("get process id"))
}

pub(crate) fn exit_code(handle: &Handle) -> Result<Option<u32>> {
    let code = process::exit_code(value(handle)).map_err(failed("get exit code of process"))?;
    Ok(Some(code).filter(|&code| code != STILL_ACTIVE))
}

pub(crate) fn terminate(handle: &Handle, code: u32) -> Result<()> {
    process::terminate(value(handle), code).map_err(failed("terminate process"))
}

pub(crate) fn exit(code: u32) -> ! {
    // ExitProcess with the same 32 bits, after what the standard library does at the end.
    std::process::exit(code.cast_signed())
}

pub(crate) fn standard_handle(which: usize) -> Result<RawHandle> {
    const OPERATION: &str = "get standard handle";
    let handle = process::standard_handle(standard(which, OPERATION)?).map_err(failed(OPERATION))?;
    handle.map(RawHandle::new).ok_or_else(|| Error::new(OPERATION, Code::INVALID_HANDLE))
}

pub(crate) fn set_standard_handle(which: usize, handle: RawHandle) -> Result<()> {
    const OPERATION: &str = "set standard handle";
    process::set_standard_handle(standard(which, OPERATION)?, handle.value()).map_err(failed(OPERATION))
}

fn standard(which: usize, operation: &'static str) -> Result<Standard> {
    [Standard::Input, Standard::Output, Standard::Error]
        .get(which)
        .copied()
        .ok_or_else(|| Error::new(operation, Code::INVALID_PARAMETER))
}

/// Windows' loader takes care of that by itself.
pub(crate) fn let_go() {}

pub(crate) fn startup_info() -> StartupInfo {
    let startup = process::startup();
    let title = startup.title.map(|title| OsString::from_wide(&title));
    StartupInfo { title, flags: startup.flags, show_window: startup.show_window }
}

pub(crate) fn command_line() -> OsString {
    OsString::from_wide(&process::command_line())
}

pub(crate) fn spawn(command: &Command) -> Result<Child> {
    let application = command.application.as_deref().map(wide);
    let command_line = match &command.command_line {
        Some(line) => Some(wide(line)),
        None => command.application.as_deref().map(|program| quoted(program, &command.arguments)),
    };
    let directory = command.directory.as_deref().map(wide);
    let title = command.startup.title.as_deref().map(wide);
    let environment = environment(command)?;
    let standard =
        command.use_standard.then(|| command.standard.map(|handle| handle.unwrap_or(RawHandle::INVALID)));
    let handles = listed(&command.inherit, standard);
    let creation = process::Creation {
        application: application.as_deref(),
        command_line: command_line.as_deref(),
        process_attributes: Attributes::new(None, command.inherit_process),
        thread_attributes: Attributes::new(None, command.inherit_thread),
        // A list without members is no list to Windows: then nothing is inherited.
        inherit: handles.as_ref().is_none_or(|handles| !handles.is_empty()),
        handles: handles.as_deref().filter(|handles| !handles.is_empty()),
        flags: command.flags | if command.suspended { process::CREATE_SUSPENDED } else { 0 },
        environment: environment.as_deref(),
        directory: directory.as_deref(),
        standard: standard.map(|handles| handles.map(RawHandle::value)),
        title: title.as_deref(),
        startup_flags: command.startup.flags,
        show_window: command.startup.show_window,
    };
    let started = process::create(&creation).map_err(|code| error(command, code))?;
    Ok(Child {
        process: Process(adopt(started.process)),
        thread: Thread::from_handle(adopt(started.thread))?,
        process_id: started.process_id,
        thread_id: started.thread_id,
    })
}

/// An error that names the program.
fn error(command: &Command, code: u32) -> Error {
    let error = Error::new(CREATE, Code::new(code));
    match command.application.as_deref().or(command.command_line.as_deref()) {
        Some(program) => error.with_name(program.to_string_lossy()),
        None => error,
    }
}

/// The handles that go over, the standard ones included and each once; `None` = every inheritable one.
fn listed(inherit: &Inherit, standard: Option<[RawHandle; 3]>) -> Option<Vec<usize>> {
    let mut handles: Vec<usize> = match inherit {
        Inherit::All => return None,
        Inherit::Nothing => Vec::new(),
        Inherit::List(handles) => handles.iter().map(|handle| handle.value()).collect(),
    };
    let present = |handle: &RawHandle| *handle != RawHandle::NULL && !handle.is_pseudo();
    handles.extend(standard.into_iter().flatten().filter(present).map(RawHandle::value));
    handles.sort_unstable();
    handles.dedup();
    Some(handles)
}

/// The child's environment block; `None` = a copy of this process's.
fn environment(command: &Command) -> Result<Option<Vec<u16>>> {
    if command.environment.is_none() && command.changes.is_empty() {
        return Ok(None);
    }
    let error = |code| Error::new(CREATE, code);
    let mut environment = match &command.environment {
        Some(variables) => Environment::from_entries(entries(variables)?),
        None => Environment::from_block16(&process::environment().map_err(failed(CREATE))?),
    };
    for (name, value) in &command.changes {
        match value {
            Some(value) => environment.set(&bytes(name), &bytes(value)).map_err(error)?,
            None => {
                environment.remove(&bytes(name)).map_err(error)?;
            }
        }
    }
    // Windows wants the entries in the order of their names, without regard to case.
    let mut entries: Vec<&[u8]> = environment.entries().collect();
    entries.sort_by_cached_key(|entry| entry.to_ascii_uppercase());
    Ok(Some(Environment::from_entries(entries).to_block16()))
}

/// Variables as entries of a block. Hidden ones such as `=C:` go along (R18).
fn entries(variables: &[(OsString, OsString)]) -> Result<Vec<Vec<u8>>> {
    let entry = |(name, value): &(OsString, OsString)| {
        let entry = [bytes(name), bytes(value)].join(&b'=');
        if entry.contains(&0) { Err(Error::new(CREATE, Code::INVALID_PARAMETER)) } else { Ok(entry) }
    };
    variables.iter().map(entry).collect()
}

/// The command line whose words are `program` and `arguments`.
fn quoted(program: &OsStr, arguments: &[OsString]) -> Vec<u16> {
    let words: Vec<Vec<u8>> =
        std::iter::once(program).chain(arguments.iter().map(OsString::as_os_str)).map(bytes).collect();
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    text::to_utf16(&quote(&words))
}

fn wide(text: &OsStr) -> Vec<u16> {
    text.encode_wide().collect()
}

/// The form that the rules of `transom_core` work on.
fn bytes(text: impl AsRef<OsStr>) -> Vec<u8> {
    text::from_utf16(&wide(text.as_ref()))
}
