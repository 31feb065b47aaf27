//! Processes.
//!
//! # Safety
//! The calls take numbers, terminated strings, and structures that outlive them; what the system lends is
//! copied and given back.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::mem;
use std::ptr;
use std::slice;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::System::Console::{
    GetStdHandle, STD_ERROR_HANDLE, STD_HANDLE, STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, SetStdHandle,
};
use windows_sys::Win32::System::Environment::{
    FreeEnvironmentStringsW, GetCommandLineW, GetEnvironmentStringsW,
};
use windows_sys::Win32::System::Threading::{
    CREATE_UNICODE_ENVIRONMENT, CreateProcessW, DeleteProcThreadAttributeList, EXTENDED_STARTUPINFO_PRESENT,
    GetExitCodeProcess, GetProcessHandleCount, GetProcessId, GetStartupInfoW,
    InitializeProcThreadAttributeList, LPPROC_THREAD_ATTRIBUTE_LIST, OpenProcess,
    PROC_THREAD_ATTRIBUTE_HANDLE_LIST, PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOEXW,
    STARTUPINFOW, TerminateProcess, UpdateProcThreadAttribute,
};

use super::security::Attributes;
use super::{Handle, Result, Wide, check, check_handle, from_api, last_error, to_api};

pub use windows_sys::Win32::System::Threading::CREATE_SUSPENDED;

/// `OpenProcess`.
///
/// # Errors
/// As the call.
pub fn open(access: u32, inherit: bool, id: u32) -> Result<Handle> {
    // SAFETY: takes numbers only.
    check_handle(unsafe { OpenProcess(access, inherit.into(), id) })
}

/// `GetProcessId`.
///
/// # Errors
/// As the call.
pub fn id(process: Handle) -> Result<u32> {
    // SAFETY: takes a number only.
    match unsafe { GetProcessId(to_api(process)) } {
        0 => Err(last_error()),
        id => Ok(id),
    }
}

/// `GetExitCodeProcess`: 259 while it runs.
///
/// # Errors
/// As the call.
pub fn exit_code(process: Handle) -> Result<u32> {
    let mut code = 0;
    // SAFETY: `code` is a local for the result.
    check(unsafe { GetExitCodeProcess(to_api(process), &raw mut code) })?;
    Ok(code)
}

/// `TerminateProcess`.
///
/// # Errors
/// As the call.
pub fn terminate(process: Handle, code: u32) -> Result<()> {
    // SAFETY: takes numbers only. A process that ends uses no memory any more; what it shared stays as it is.
    check(unsafe { TerminateProcess(to_api(process), code) })
}

/// `GetProcessHandleCount`.
///
/// # Errors
/// As the call.
pub fn handle_count(process: Handle) -> Result<u32> {
    let mut count = 0;
    // SAFETY: `count` is a local for the result.
    check(unsafe { GetProcessHandleCount(to_api(process), &raw mut count) })?;
    Ok(count)
}

/// One of the standard handles of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standard {
    /// `STD_INPUT_HANDLE`.
    Input,
    /// `STD_OUTPUT_HANDLE`.
    Output,
    /// `STD_ERROR_HANDLE`.
    Error,
}

impl Standard {
    fn number(self) -> STD_HANDLE {
        match self {
            Standard::Input => STD_INPUT_HANDLE,
            Standard::Output => STD_OUTPUT_HANDLE,
            Standard::Error => STD_ERROR_HANDLE,
        }
    }
}

/// `GetStdHandle`; `None` where there is none (`NULL`).
///
/// # Errors
/// As the call (`INVALID_HANDLE_VALUE`).
pub fn standard_handle(which: Standard) -> Result<Option<Handle>> {
    // SAFETY: takes a number only.
    let handle = unsafe { GetStdHandle(which.number()) };
    if handle == INVALID_HANDLE_VALUE {
        return Err(last_error());
    }
    Ok(Some(from_api(handle)).filter(|&handle| handle != 0))
}

/// `SetStdHandle`.
///
/// # Errors
/// As the call.
pub fn set_standard_handle(which: Standard, handle: Handle) -> Result<()> {
    // SAFETY: takes numbers only.
    check(unsafe { SetStdHandle(which.number(), to_api(handle)) })
}

/// `GetCommandLine`, without its terminator.
#[must_use]
pub fn command_line() -> Vec<u16> {
    // SAFETY: takes nothing.
    let line = unsafe { GetCommandLineW() };
    if line.is_null() {
        return Vec::new();
    }
    let mut length = 0;
    // SAFETY: the string is terminated and stays as it is as long as the process lives.
    while unsafe { line.add(length).read() } != 0 {
        length += 1;
    }
    // SAFETY: just counted: this many units are there.
    unsafe { slice::from_raw_parts(line, length) }.to_vec()
}

/// `GetEnvironmentStrings`: the entries of this process's block, each with its terminator.
///
/// # Errors
/// `ERROR_NOT_ENOUGH_MEMORY` (8): the call gave nothing.
pub fn environment() -> Result<Vec<u16>> {
    // SAFETY: takes nothing.
    let block = unsafe { GetEnvironmentStringsW() };
    if block.is_null() {
        return Err(ERROR_NOT_ENOUGH_MEMORY);
    }
    let mut length = 0;
    // SAFETY: the block is a copy made for this call: terminated entries, then an empty one. `length` is
    // the start of an entry, which the empty one also has.
    while unsafe { block.add(length).read() } != 0 {
        // SAFETY: within an entry or at its terminator.
        while unsafe { block.add(length).read() } != 0 {
            length += 1;
        }
        length += 1;
    }
    // SAFETY: just counted: this many units are there.
    let entries = unsafe { slice::from_raw_parts(block, length) }.to_vec();
    // SAFETY: the block is the one from above and is not used any more. A failure would be a lost copy.
    unsafe { FreeEnvironmentStringsW(block) };
    Ok(entries)
}

/// What `CreateProcess` is given; strings are 16-bit units without terminator.
pub struct Creation<'a> {
    /// `lpApplicationName`.
    pub application: Option<&'a [u16]>,
    /// `lpCommandLine`.
    pub command_line: Option<&'a [u16]>,
    /// `lpProcessAttributes`.
    pub process_attributes: Attributes<'a>,
    /// `lpThreadAttributes`.
    pub thread_attributes: Attributes<'a>,
    /// `bInheritHandles`.
    pub inherit: bool,
    /// `PROC_THREAD_ATTRIBUTE_HANDLE_LIST`; `None` = no such limit.
    pub handles: Option<&'a [Handle]>,
    /// `dwCreationFlags`, but for the two that the other fields imply.
    pub flags: u32,
    /// `lpEnvironment`: 16-bit units with two terminators at the end; `None` = a copy of this process's.
    pub environment: Option<&'a [u16]>,
    /// `lpCurrentDirectory`.
    pub directory: Option<&'a [u16]>,
    /// `STARTF_USESTDHANDLES` and the three handles.
    pub standard: Option<[Handle; 3]>,
    /// `lpTitle`.
    pub title: Option<&'a [u16]>,
    /// `STARTUPINFO.dwFlags`, but for the one that `standard` implies.
    pub startup_flags: u32,
    /// `wShowWindow`.
    pub show_window: u16,
}

/// What of `STARTUPINFO` a creator told this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Startup {
    /// `lpTitle`.
    pub title: Option<Vec<u16>>,
    /// `dwFlags`.
    pub flags: u32,
    /// `wShowWindow`.
    pub show_window: u16,
}

/// `GetStartupInfo`.
#[must_use]
pub fn startup() -> Startup {
    let mut startup = STARTUPINFOW::default();
    // SAFETY: the structure is this function's own.
    unsafe { GetStartupInfoW(&raw mut startup) };
    let title = (!startup.lpTitle.is_null()).then(|| {
        let mut units = Vec::new();
        loop {
            // SAFETY: the title is a terminated string of the process's own, and its end is not reached yet.
            let unit = unsafe { startup.lpTitle.add(units.len()).read() };
            if unit == 0 {
                break units;
            }
            units.push(unit);
        }
    });
    Startup { title, flags: startup.dwFlags, show_window: startup.wShowWindow }
}

/// `PROCESS_INFORMATION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// `hProcess`.
    pub process: Handle,
    /// `hThread`.
    pub thread: Handle,
    /// `dwProcessId`.
    pub process_id: u32,
    /// `dwThreadId`.
    pub thread_id: u32,
}

/// `CreateProcess`.
///
/// # Errors
/// As the call; `ERROR_INVALID_PARAMETER` (87) for neither an application nor a command line, on which some
/// systems crash, and for an environment without its two terminators.
pub fn create(creation: &Creation<'_>) -> Result<Started> {
    let nothing = creation.application.is_none() && creation.command_line.is_none();
    if nothing || creation.environment.is_some_and(|block| !block.ends_with(&[0, 0])) {
        return Err(ERROR_INVALID_PARAMETER);
    }
    let application = Wide::new(creation.application)?;
    let mut command_line = Wide::new(creation.command_line)?;
    let directory = Wide::new(creation.directory)?;
    let mut title = Wide::new(creation.title)?;
    let handles: Option<Vec<HANDLE>> =
        creation.handles.map(|handles| handles.iter().map(|&handle| to_api(handle)).collect());
    let attributes = handles.as_deref().map(AttributeList::of_handles).transpose()?;

    let mut startup = STARTUPINFOEXW::default();
    let mut flags = creation.flags & !EXTENDED_STARTUPINFO_PRESENT;
    // Structures of some 100 bytes, the first of which is the start of the second.
    startup.StartupInfo.cb = size_of::<STARTUPINFOW>() as u32;
    if let Some(attributes) = &attributes {
        startup.StartupInfo.cb = size_of::<STARTUPINFOEXW>() as u32;
        startup.lpAttributeList = attributes.list;
        flags |= EXTENDED_STARTUPINFO_PRESENT;
    }
    if creation.environment.is_some() {
        flags |= CREATE_UNICODE_ENVIRONMENT;
    }
    if creation.title.is_some() {
        startup.StartupInfo.lpTitle = title.as_mut_ptr();
    }
    startup.StartupInfo.dwFlags = creation.startup_flags & !STARTF_USESTDHANDLES;
    startup.StartupInfo.wShowWindow = creation.show_window;
    if let Some([input, output, error]) = creation.standard {
        startup.StartupInfo.dwFlags |= STARTF_USESTDHANDLES;
        startup.StartupInfo.hStdInput = to_api(input);
        startup.StartupInfo.hStdOutput = to_api(output);
        startup.StartupInfo.hStdError = to_api(error);
    }
    let mut information = PROCESS_INFORMATION::default();
    // SAFETY: every string is terminated or NULL, the environment ends as it must, the command line may be
    // written to, and all of them, the attribute list and the handles it points at outlive the call. The
    // flags say truly whether the startup structure is the extended one, and that an environment is of
    // 16-bit units.
    check(unsafe {
        CreateProcessW(
            application.as_ptr(),
            command_line.as_mut_ptr(),
            creation.process_attributes.as_ptr(),
            creation.thread_attributes.as_ptr(),
            creation.inherit.into(),
            flags,
            creation.environment.map_or(ptr::null(), |block| block.as_ptr().cast()),
            directory.as_ptr(),
            (&raw const startup).cast(),
            &raw mut information,
        )
    })?;
    Ok(Started {
        process: from_api(information.hProcess),
        thread: from_api(information.hThread),
        process_id: information.dwProcessId,
        thread_id: information.dwThreadId,
    })
}

/// A list with the one attribute `PROC_THREAD_ATTRIBUTE_HANDLE_LIST`.
struct AttributeList<'a> {
    /// The initialised list; it lies in the memory below.
    list: LPPROC_THREAD_ATTRIBUTE_LIST,
    /// Aligned for pointers; only `list` leads to it.
    _memory: Vec<usize>,
    /// The list keeps a pointer to the handles.
    _handles: PhantomData<&'a [HANDLE]>,
}

impl<'a> AttributeList<'a> {
    fn of_handles(handles: &'a [HANDLE]) -> Result<AttributeList<'a>> {
        let mut size = 0;
        // SAFETY: asks for the size only, which is what NULL means here; it fails by design.
        unsafe { InitializeProcThreadAttributeList(ptr::null_mut(), 1, 0, &raw mut size) };
        let mut memory = vec![0; size.div_ceil(size_of::<usize>())];
        let list = memory.as_mut_ptr().cast();
        // SAFETY: the memory is as large as the call asked for.
        check(unsafe { InitializeProcThreadAttributeList(list, 1, 0, &raw mut size) })?;
        // From here on dropping the value deletes the list.
        let attributes = AttributeList { list, _memory: memory, _handles: PhantomData };
        // SAFETY: the list is initialised with room for one attribute; the handles outlive it by its
        // lifetime.
        check(unsafe {
            UpdateProcThreadAttribute(
                list,
                0,
                PROC_THREAD_ATTRIBUTE_HANDLE_LIST as usize,
                handles.as_ptr().cast(),
                mem::size_of_val(handles),
                ptr::null_mut(),
                ptr::null(),
            )
        })?;
        Ok(attributes)
    }
}

impl Drop for AttributeList<'_> {
    fn drop(&mut self) {
        // SAFETY: the list was initialised, its memory is still there, and nobody uses it any more.
        unsafe { DeleteProcThreadAttributeList(self.list) };
    }
}
