//! The terminal, and what of windows and debuggers a program without them needs.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. A handler that the program registers is called in a
//! thread of its own, as on Windows.
#![allow(unsafe_code)]

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use transom::Code;
use transom::handle::{Handle, Kind, ext};
use transom_core::access;

use crate::ffi::{Bool, FALSE, Failure, HANDLE, In, Out, Outcome, TRUE, Unit, fail, guard, truth};
use crate::os;

/// `CP_UTF8`.
const UTF8: u32 = 65001;
/// `CTRL_C_EVENT`, `CTRL_BREAK_EVENT`.
const CTRL_C: u32 = 0;
const CTRL_BREAK: u32 = 1;
/// What an input and an output that are terminals are set to: echo, lines, processing of control characters.
const INPUT_MODE: u32 = 0x0007;
const OUTPUT_MODE: u32 = 0x0003;

/// The descriptor of a handle to a terminal; 6 for anything else.
fn terminal(handle: HANDLE) -> Outcome<(transom::handle::Borrowed<Handle>, bool)> {
    let handle = Handle::borrow(handle.raw())?;
    if handle.kind() != Some(Kind::File) || !os::is_terminal(ext::as_fd(&handle, 0)?) {
        return fail(Code::INVALID_HANDLE);
    }
    let writes = ext::granted_access(&handle) & access::FILE_WRITE_DATA != 0;
    Ok((handle, writes))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetConsoleMode(console: HANDLE, mode: Out<u32>) -> Bool {
    truth(|| {
        let (_, writes) = terminal(console)?;
        mode.required()?.put(if writes { OUTPUT_MODE } else { INPUT_MODE });
        Ok(())
    })
}

/// The terminal's settings are its own affair: accepted, without effect.
#[unsafe(no_mangle)]
pub extern "C" fn SetConsoleMode(console: HANDLE, _mode: u32) -> Bool {
    truth(|| terminal(console).map(drop))
}

fn write<U: Unit>(console: HANDLE, text: In<U>, length: u32, written: Out<u32>) -> Bool {
    truth(|| {
        let (handle, _) = terminal(console)?;
        let text = U::to_text(&text.values(length as usize)?);
        let mut file = &*os::file(ext::as_fd(&handle, access::FILE_WRITE_DATA)?);
        file.write_all(&text)?;
        written.put(length);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn WriteConsoleA(
    console: HANDLE,
    text: In<u8>,
    length: u32,
    written: Out<u32>,
    _reserved: *mut std::ffi::c_void,
) -> Bool {
    write(console, text, length, written)
}

#[unsafe(no_mangle)]
pub extern "C" fn WriteConsoleW(
    console: HANDLE,
    text: In<u16>,
    length: u32,
    written: Out<u32>,
    _reserved: *mut std::ffi::c_void,
) -> Bool {
    write(console, text, length, written)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetConsoleCP() -> u32 {
    UTF8
}

#[unsafe(no_mangle)]
pub extern "C" fn GetConsoleOutputCP() -> u32 {
    UTF8
}

fn set_code_page(page: u32) -> Bool {
    truth(|| if page == UTF8 { Ok(()) } else { fail(Code::INVALID_PARAMETER) })
}

#[unsafe(no_mangle)]
pub extern "C" fn SetConsoleCP(page: u32) -> Bool {
    set_code_page(page)
}

#[unsafe(no_mangle)]
pub extern "C" fn SetConsoleOutputCP(page: u32) -> Bool {
    set_code_page(page)
}

/// Called with an event; TRUE: it has been dealt with.
type Handler = extern "C" fn(event: u32) -> Bool;

/// Handlers in the order of their registration; the last is asked first.
static HANDLERS: Mutex<Vec<Handler>> = Mutex::new(Vec::new());

fn handlers() -> std::sync::MutexGuard<'static, Vec<Handler>> {
    HANDLERS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[unsafe(no_mangle)]
pub extern "C" fn SetConsoleCtrlHandler(handler: Option<Handler>, add: Bool) -> Bool {
    truth(|| {
        let Some(handler) = handler else {
            // Whether Ctrl+C is ignored.
            return Ok(os::ignore_interrupts(add != 0)?);
        };
        if add != 0 {
            listen()?;
            handlers().push(handler);
            return Ok(());
        }
        let mut handlers = handlers();
        let at = handlers.iter().rposition(|other| std::ptr::fn_addr_eq(*other, handler));
        handlers.remove(at.ok_or(Failure(Code::INVALID_PARAMETER))?);
        Ok(())
    })
}

/// Starts, once, the thread that waits for SIGINT and SIGTERM and asks the handlers.
fn listen() -> Outcome<()> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        let signals = os::interrupts()?;
        std::thread::Builder::new().name("transom-console".to_owned()).spawn(move || {
            while let Ok(signal) = signals.next() {
                deliver(if signal == os::SIGINT { CTRL_C } else { CTRL_BREAK });
            }
        })?;
        *started = true;
    }
    Ok(())
}

/// Asks the handlers, the last one first; if none deals with it the process ends as from the signal.
fn deliver(event: u32) {
    let list: Vec<Handler> = handlers().iter().rev().copied().collect();
    if !list.into_iter().any(|handler| handler(event) != FALSE) {
        // STATUS_CONTROL_C_EXIT.
        transom::process::exit(0xC000_013A);
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn GenerateConsoleCtrlEvent(event: u32, group: u32) -> Bool {
    truth(|| {
        let signal = match event {
            CTRL_C => os::SIGINT,
            CTRL_BREAK => os::SIGTERM,
            _ => return fail(Code::INVALID_PARAMETER),
        };
        Ok(os::signal_group(group, signal)?)
    })
}

/// There is one terminal or none, which nothing here changes.
#[unsafe(no_mangle)]
pub extern "C" fn AllocConsole() -> Bool {
    truth(|| fail(Code::ACCESS_DENIED))
}

#[unsafe(no_mangle)]
pub extern "C" fn FreeConsole() -> Bool {
    TRUE
}

#[unsafe(no_mangle)]
pub extern "C" fn SetConsoleTitleA(_title: In<u8>) -> Bool {
    TRUE
}

#[unsafe(no_mangle)]
pub extern "C" fn SetConsoleTitleW(_title: In<u16>) -> Bool {
    TRUE
}

/// `MB_OKCANCEL` and the others by their number; what the first button of each gives.
fn first_button(buttons: u32) -> i32 {
    match buttons & 0xF {
        // IDABORT, IDYES, IDRETRY, IDCANCEL of "cancel, try again, continue", else IDOK.
        2 => 3,
        3 | 4 => 6,
        5 => 4,
        6 => 2,
        _ => 1,
    }
}

fn message<U: Unit>(text: In<U>, caption: In<U>, kind: u32) -> i32 {
    guard(0, || {
        let caption = caption.text().unwrap_or_else(|| b"Error".to_vec());
        let line = [&caption[..], b": ", &text.text().unwrap_or_default(), b"\n"].concat();
        std::io::stderr().write_all(&line)?;
        Ok(first_button(kind))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn MessageBoxA(_owner: HANDLE, text: In<u8>, caption: In<u8>, kind: u32) -> i32 {
    message(text, caption, kind)
}

#[unsafe(no_mangle)]
pub extern "C" fn MessageBoxW(_owner: HANDLE, text: In<u16>, caption: In<u16>, kind: u32) -> i32 {
    message(text, caption, kind)
}

/// What no debugger listens to is lost, as on Windows.
#[unsafe(no_mangle)]
pub extern "C" fn OutputDebugStringA(_text: In<u8>) {}

#[unsafe(no_mangle)]
pub extern "C" fn OutputDebugStringW(_text: In<u16>) {}

#[unsafe(no_mangle)]
pub extern "C" fn IsDebuggerPresent() -> Bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let tracer = status.lines().find_map(|line| line.strip_prefix("TracerPid:"));
    if tracer.is_some_and(|id| id.trim() != "0") { TRUE } else { FALSE }
}

/// What the program set last; there are no boxes that could be shown or not.
static ERROR_MODE: AtomicU32 = AtomicU32::new(0);

#[unsafe(no_mangle)]
pub extern "C" fn SetErrorMode(mode: u32) -> u32 {
    ERROR_MODE.swap(mode, Ordering::Relaxed)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetErrorMode() -> u32 {
    ERROR_MODE.load(Ordering::Relaxed)
}
