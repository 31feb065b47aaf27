//! Processes on Linux, see [`crate::engine::process`] and [`crate::engine::spawn`].

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use transom_core::access::{
    FILE_GENERIC_READ, FILE_GENERIC_WRITE, Kind, PROCESS_QUERY_INFORMATION,
    PROCESS_QUERY_LIMITED_INFORMATION, PROCESS_TERMINATE,
};
use transom_core::code::Code;
use transom_core::command_line;
use transom_sys::linux::fd::{self, FileKind};
use transom_sys::linux::{process, procfs};

use super::{Child, Command, StartupInfo};
use crate::engine::named::{error, finish};
use crate::engine::process::ProcessObject;
use crate::engine::table::{self, Descriptor, Object, PipeEnd};
use crate::engine::{record, spawn as engine_spawn};
use crate::error::Result;
use crate::handle::{Handle, RawHandle};
use crate::pipe::imp::DEFAULT_QUOTA;

pub(super) fn open(id: u32, access: u32, inherit: bool) -> Result<Handle> {
    ProcessObject::open(id)
        .and_then(|process| {
            finish(Object::Process(process), Kind::Process.map_generic(access), None, inherit)
        })
        .map_err(error("open process"))
}

/// The right that both kinds of query rights have in common, as this handle has it.
fn query_right(handle: &Handle) -> u32 {
    if handle.resolved.0.access & PROCESS_QUERY_INFORMATION != 0 {
        PROCESS_QUERY_INFORMATION
    } else {
        PROCESS_QUERY_LIMITED_INFORMATION
    }
}

pub(super) fn id(handle: &Handle) -> Result<u32> {
    let process = handle.resolved.process(query_right(handle)).map_err(error("get process id"))?;
    Ok(process.id())
}

pub(super) fn exit_code(handle: &Handle) -> Result<Option<u32>> {
    let process = handle.resolved.process(query_right(handle)).map_err(error("get exit code of process"))?;
    Ok(process.exit_code())
}

pub(super) fn terminate(handle: &Handle, code: u32) -> Result<()> {
    let error = error("terminate process");
    handle.resolved.process(PROCESS_TERMINATE).map_err(&error)?.terminate(code).map_err(error)
}

pub(super) fn exit(code: u32) -> ! {
    if let Ok(own) = record::own() {
        own.record.set_exit_code(code);
    }
    process::exit(code as i32)
}

pub(super) fn spawn(command: &Command) -> Result<Child> {
    engine_spawn::spawn(command)
}

pub(super) fn standard_handle(which: usize) -> Result<RawHandle> {
    standard(which).map_err(error("get standard handle"))
}

fn standard(which: usize) -> std::result::Result<RawHandle, Code> {
    if which > 2 {
        return Err(Code::INVALID_PARAMETER);
    }
    let own = record::own()?;
    let value = own.standard(which).load(Ordering::Acquire);
    if value == record::NO_HANDLE {
        return Err(Code::INVALID_HANDLE);
    }
    if value != 0 {
        return Ok(RawHandle::new(usize::try_from(value).unwrap_or(usize::MAX)));
    }
    let descriptor = fd::standard(which as i32).ok_or(Code::INVALID_HANDLE)?;
    let (read, write) = fd::access_mode(descriptor).map_err(|_| Code::INVALID_HANDLE)?;
    let access = if read { FILE_GENERIC_READ } else { 0 } | if write { FILE_GENERIC_WRITE } else { 0 };
    let object = if fd::file_kind(descriptor) == Ok(FileKind::Pipe) {
        let descriptor = Descriptor::Standard(descriptor);
        Object::Pipe(Arc::new(PipeEnd::new(descriptor, DEFAULT_QUOTA, !write)))
    } else {
        Object::File(Arc::new(Descriptor::Standard(descriptor)))
    };
    // Children have the standard streams in any case, so the handles may as well be inherited.
    let raw = table::insert(object, access, None, true)?;
    let slot = own.standard(which);
    match slot.compare_exchange(0, raw.value() as u64, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Ok(raw),
        Err(other) => {
            // Another thread was quicker.
            let _ = table::close(raw);
            Ok(RawHandle::new(usize::try_from(other).unwrap_or(usize::MAX)))
        }
    }
}

pub(super) fn set_standard_handle(which: usize, handle: RawHandle) -> Result<()> {
    let error = error("set standard handle");
    if which > 2 {
        return Err(error(Code::INVALID_PARAMETER));
    }
    let own = record::own().map_err(error)?;
    // 0 would mean "not asked for yet".
    let value = if handle == RawHandle::NULL { record::NO_HANDLE } else { handle.value() as u64 };
    own.standard(which).store(value, Ordering::Release);
    Ok(())
}

pub(super) fn let_go() {
    engine_spawn::let_go();
}

pub(super) fn startup_info() -> StartupInfo {
    let Ok(own) = record::own() else { return StartupInfo::default() };
    let (flags, show_window, title) = own.record.startup();
    StartupInfo { title: title.map(OsString::from_vec), flags, show_window: show_window as u16 }
}

pub(super) fn command_line() -> OsString {
    let given = record::own().ok().and_then(|own| own.command_line().map(<[u8]>::to_vec));
    let line = given.unwrap_or_else(|| {
        let arguments = procfs::arguments();
        let arguments: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
        command_line::quote(&arguments)
    });
    OsString::from_vec(line)
}

/// The descriptor of a handle to a file or pipe, for a child's standard stream.
pub(crate) fn stream(entry: &table::Entry) -> Option<std::os::fd::BorrowedFd<'_>> {
    match &entry.object {
        Object::File(file) => Some(file.as_fd()),
        Object::Pipe(pipe) => Some(pipe.descriptor.as_fd()),
        _ => None,
    }
}
