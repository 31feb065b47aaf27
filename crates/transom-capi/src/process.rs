//! Processes: `CreateProcess`, `OpenProcess`, their ends.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use transom::Code;
use transom::handle::{FromHandle, RawHandle};
use transom::process::{self, Command, Inherit, Process};
use transom_core::environment::Environment;

use crate::ffi::{Bool, HANDLE, In, Out, Outcome, Plain, Unit, fail, guard, opened, truth};
use crate::security::{self, SECURITY_ATTRIBUTES};
use crate::startup::{self, STARTUPINFO, STARTUPINFOEX};
use crate::thread::STILL_ACTIVE;

const DETACHED_PROCESS: u32 = 0x0000_0008;
const CREATE_NEW_CONSOLE: u32 = 0x0000_0010;
const CREATE_SUSPENDED: u32 = 0x0000_0004;
const CREATE_UNICODE_ENVIRONMENT: u32 = 0x0000_0400;
const CREATE_SEPARATE_WOW_VDM: u32 = 0x0000_0800;
const CREATE_SHARED_WOW_VDM: u32 = 0x0000_1000;
const EXTENDED_STARTUPINFO_PRESENT: u32 = 0x0008_0000;
/// Pairs of flags that contradict each other.
const CONTRADICTIONS: [u32; 2] =
    [DETACHED_PROCESS | CREATE_NEW_CONSOLE, CREATE_SEPARATE_WOW_VDM | CREATE_SHARED_WOW_VDM];
/// How long a child lets its creator go first. A thread that waits for something ends it.
const HEAD_START: Duration = Duration::from_millis(20);
/// Bits that are no flag of CreateProcess.
const UNDEFINED: u32 = 0x0080_0000;

/// What CreateProcess fills.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PROCESS_INFORMATION {
    process: HANDLE,
    thread: HANDLE,
    process_id: u32,
    thread_id: u32,
}

// SAFETY: integers and handles, laid out as C does.
unsafe impl Plain for PROCESS_INFORMATION {}

/// The arguments of CreateProcess that are text or lead to text.
struct Texts<U: Unit> {
    application: In<U>,
    command_line: In<U>,
    environment: In<u8>,
    directory: In<U>,
    startup: In<STARTUPINFO<U>>,
}

fn create<U: Unit>(
    texts: &Texts<U>,
    attributes: [In<SECURITY_ATTRIBUTES>; 2],
    inherit: Bool,
    flags: u32,
    information: Out<PROCESS_INFORMATION>,
) -> Bool {
    truth(|| {
        let (Some(startup), false) = (texts.startup.get(), information.is_null()) else {
            return fail(Code::INVALID_PARAMETER);
        };
        if flags & UNDEFINED != 0 || CONTRADICTIONS.iter().any(|pair| flags & pair == *pair) {
            return fail(Code::INVALID_PARAMETER);
        }
        let command = command(texts)?
            .inherit(inheritance(texts.startup, &startup, inherit, flags)?)
            .suspended(flags & CREATE_SUSPENDED != 0)
            .creation_flags(flags)
            .head_start(HEAD_START)
            .inherit_returned(security::inherit(attributes[0]), security::inherit(attributes[1]));
        let command = environment(command, texts.environment, flags);
        let child = startup.apply(command, inherit != 0).spawn()?;
        information.put(PROCESS_INFORMATION {
            process: HANDLE::of(child.process.into_handle().into_raw()),
            thread: HANDLE::of(child.thread.into_handle().into_raw()),
            process_id: child.process_id,
            thread_id: child.thread_id,
        });
        Ok(())
    })
}

/// Program, command line and folder.
fn command<U: Unit>(texts: &Texts<U>) -> Outcome<Command> {
    let command = match (texts.application.is_null(), texts.command_line.os_text()) {
        (false, line) => {
            let command = Command::new(texts.application.path()?);
            match line {
                Some(line) => command.command_line(line),
                // The name as it is, in Windows' spelling too.
                None => command.command_line(texts.application.os_text().unwrap_or_default()),
            }
        }
        (true, Some(line)) => Command::from_command_line(line),
        (true, None) => return fail(Code::INVALID_PARAMETER),
    };
    Ok(if texts.directory.is_null() {
        command
    } else {
        let directory = texts.directory.path().map_err(|_| crate::ffi::Failure(Code::DIRECTORY))?;
        command.current_dir(directory)
    })
}

/// What of the inheritable handles goes over.
fn inheritance<U: Unit>(
    at: In<STARTUPINFO<U>>,
    startup: &STARTUPINFO<U>,
    inherit: Bool,
    flags: u32,
) -> Outcome<Inherit> {
    let extended = flags & EXTENDED_STARTUPINFO_PRESENT != 0;
    let list = if extended {
        if !startup.is_extended() {
            return fail(Code::INVALID_PARAMETER);
        }
        startup::handle_list(at.cast::<STARTUPINFOEX<U>>().required()?)?
    } else {
        None
    };
    match (list, inherit != 0) {
        (Some(list), true) => {
            Ok(Inherit::List(list.into_iter().map(HANDLE::raw).collect::<Vec<RawHandle>>()))
        }
        // A list is of no use without inheritance, and refused.
        (Some(_), false) => fail(Code::INVALID_PARAMETER),
        (None, true) => Ok(Inherit::All),
        (None, false) => Ok(Inherit::Nothing),
    }
}

/// Exactly the variables of a block, if there is one (R17).
fn environment(command: Command, block: In<u8>, flags: u32) -> Command {
    if block.is_null() {
        return command;
    }
    let variables = if flags & CREATE_UNICODE_ENVIRONMENT != 0 {
        Environment::from_block16(&block.cast::<u16>().block().unwrap_or_default())
    } else {
        Environment::from_block(&block.block().unwrap_or_default())
    };
    let text = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
    command.environment(variables.iter().map(|(name, value)| (text(name), text(value))).collect::<Vec<_>>())
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateProcessA(
    application: In<u8>,
    command_line: In<u8>,
    process_attributes: In<SECURITY_ATTRIBUTES>,
    thread_attributes: In<SECURITY_ATTRIBUTES>,
    inherit: Bool,
    flags: u32,
    environment: In<u8>,
    directory: In<u8>,
    startup: In<STARTUPINFO<u8>>,
    information: Out<PROCESS_INFORMATION>,
) -> Bool {
    let texts = Texts { application, command_line, environment, directory, startup };
    create(&texts, [process_attributes, thread_attributes], inherit, flags, information)
}

#[unsafe(no_mangle)]
pub extern "C" fn CreateProcessW(
    application: In<u16>,
    command_line: In<u16>,
    process_attributes: In<SECURITY_ATTRIBUTES>,
    thread_attributes: In<SECURITY_ATTRIBUTES>,
    inherit: Bool,
    flags: u32,
    environment: In<u8>,
    directory: In<u16>,
    startup: In<STARTUPINFO<u16>>,
    information: Out<PROCESS_INFORMATION>,
) -> Bool {
    let texts = Texts { application, command_line, environment, directory, startup };
    create(&texts, [process_attributes, thread_attributes], inherit, flags, information)
}

#[unsafe(no_mangle)]
pub extern "C" fn OpenProcess(access: u32, inherit: Bool, id: u32) -> HANDLE {
    opened(|| Ok(Process::open(id, access, inherit != 0)?.into_handle().into_raw()))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentProcess() -> HANDLE {
    HANDLE::of(RawHandle::CURRENT_PROCESS)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentProcessId() -> u32 {
    process::current_id()
}

#[unsafe(no_mangle)]
pub extern "C" fn GetProcessId(process: HANDLE) -> u32 {
    guard(0, || Ok(Process::borrow(process.raw())?.id()?))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetExitCodeProcess(process: HANDLE, code: Out<u32>) -> Bool {
    truth(|| {
        let ended = Process::borrow(process.raw())?.exit_code()?;
        code.required()?.put(ended.unwrap_or(STILL_ACTIVE));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn TerminateProcess(process: HANDLE, code: u32) -> Bool {
    truth(|| Ok(Process::borrow(process.raw())?.terminate(code)?))
}

#[unsafe(no_mangle)]
pub extern "C" fn ExitProcess(code: u32) {
    process::let_go();
    process::exit(code)
}
