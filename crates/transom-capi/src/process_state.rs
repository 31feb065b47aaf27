//! What a process or thread is, beside its end: its program's file, its times, its priority.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::fs;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use transom::Code;
use transom::handle::{FromHandle, RawHandle};
use transom::process::Process;
use transom::thread::Thread;

use crate::date::FILETIME;
use crate::ffi::{Bool, FALSE, HANDLE, In, Out, Outcome, Unit, fail, guard, truth};
use crate::{os, system};

/// `NORMAL_PRIORITY_CLASS`, and the others that are accepted.
const NORMAL: u32 = 0x20;
const CLASSES: [u32; 6] = [NORMAL, 0x40, 0x80, 0x100, 0x4000, 0x8000];
/// `THREAD_PRIORITY_ERROR_RETURN`.
const NO_PRIORITY: i32 = i32::MAX;

fn image_name<U: Unit>(process: HANDLE, flags: u32, buffer: Out<U>, size: Out<u32>) -> Bool {
    truth(|| {
        if flags > 1 {
            return fail(Code::INVALID_PARAMETER);
        }
        let id = Process::borrow(process.raw())?.id()?;
        let path = fs::read_link(format!("/proc/{id}/exe"))?;
        let room = size.reader().required()?;
        let length = buffer.required()?.put_text(room, path.as_os_str());
        if length >= room {
            return fail(Code::INSUFFICIENT_BUFFER);
        }
        size.put(length);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn QueryFullProcessImageNameA(
    process: HANDLE,
    flags: u32,
    buffer: Out<u8>,
    size: Out<u32>,
) -> Bool {
    image_name(process, flags, buffer, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn QueryFullProcessImageNameW(
    process: HANDLE,
    flags: u32,
    buffer: Out<u16>,
    size: Out<u32>,
) -> Bool {
    image_name(process, flags, buffer, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetProcessIdOfThread(thread: HANDLE) -> u32 {
    guard(0, || {
        let id = Thread::borrow(thread.raw())?.id()?;
        let status = fs::read_to_string(format!("/proc/{id}/status"))?;
        let group = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
        group.and_then(|id| id.trim().parse().ok()).ok_or(crate::ffi::Failure(Code::INVALID_PARAMETER))
    })
}

/// Start, and time in the system and in the program, in ticks of the kernel's clock: fields 22, 15 and 14 of a line
/// whose second field, in parentheses, may contain anything.
fn ticks(line: &str) -> Option<[u64; 3]> {
    let fields: Vec<&str> = line.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse().ok();
    Some([field(22)?, field(15)?, field(14)?])
}

#[unsafe(no_mangle)]
pub extern "C" fn GetProcessTimes(
    process: HANDLE,
    created: Out<FILETIME>,
    ended: Out<FILETIME>,
    in_system: Out<FILETIME>,
    in_program: Out<FILETIME>,
) -> Bool {
    truth(|| {
        let process = Process::borrow(process.raw())?;
        let line = fs::read_to_string(format!("/proc/{}/stat", process.id()?)).unwrap_or_default();
        let [start, system, program] = ticks(&line).unwrap_or_default();
        let time =
            |ticks: u64| Duration::from_nanos(ticks.saturating_mul(1_000_000_000 / os::ticks_per_second()));
        let up = Duration::from_nanos(os::since_start());
        let age = up.saturating_sub(time(start));
        created.put(FILETIME::at(SystemTime::now() - if start == 0 { Duration::ZERO } else { age }));
        let is_over = process.exit_code()?.is_some();
        ended.put(if is_over { FILETIME::at(SystemTime::now()) } else { FILETIME::of(0) });
        in_system.put(FILETIME::of(time(system).as_nanos() as u64 / 100));
        in_program.put(FILETIME::of(time(program).as_nanos() as u64 / 100));
        Ok(())
    })
}

/// The class that the program set for itself; it has no effect.
static CLASS: AtomicU32 = AtomicU32::new(NORMAL);

#[unsafe(no_mangle)]
pub extern "C" fn GetPriorityClass(process: HANDLE) -> u32 {
    guard(0, || {
        let id = Process::borrow(process.raw())?.id()?;
        Ok(if id == transom::process::current_id() { CLASS.load(Ordering::Relaxed) } else { NORMAL })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SetPriorityClass(process: HANDLE, class: u32) -> Bool {
    truth(|| {
        let id = Process::borrow(process.raw())?.id()?;
        if !CLASSES.contains(&class) {
            return fail(Code::INVALID_PARAMETER);
        }
        if id == transom::process::current_id() {
            CLASS.store(class, Ordering::Relaxed);
        }
        Ok(())
    })
}

/// Fails unless the handle is a thread's.
fn thread(handle: HANDLE) -> Outcome<()> {
    if handle.raw() != RawHandle::CURRENT_THREAD {
        Thread::borrow(handle.raw())?;
    }
    Ok(())
}

thread_local! {
    /// The priority that the program set for this thread; it has no effect.
    static PRIORITY: AtomicI32 = const { AtomicI32::new(0) };
}

#[unsafe(no_mangle)]
pub extern "C" fn GetThreadPriority(handle: HANDLE) -> i32 {
    guard(NO_PRIORITY, || {
        thread(handle)?;
        let own = handle.raw() == RawHandle::CURRENT_THREAD;
        Ok(if own { PRIORITY.with(|priority| priority.load(Ordering::Relaxed)) } else { 0 })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SetThreadPriority(handle: HANDLE, priority: i32) -> Bool {
    truth(|| {
        thread(handle)?;
        if !matches!(priority, -15 | -2..=2 | 15) {
            return fail(Code::INVALID_PARAMETER);
        }
        if handle.raw() == RawHandle::CURRENT_THREAD {
            PRIORITY.with(|own| own.store(priority, Ordering::Relaxed));
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetProcessAffinityMask(process: HANDLE, own: Out<usize>, all: Out<usize>) -> Bool {
    truth(|| {
        Process::borrow(process.raw())?;
        let mask = system::processors();
        own.required()?.put(mask);
        all.required()?.put(mask);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn IsWow64Process(process: HANDLE, result: Out<Bool>) -> Bool {
    truth(|| {
        Process::borrow(process.raw())?;
        result.required()?.put(FALSE);
        Ok(())
    })
}

/// The program's own descriptions of its threads are for debuggers; the kernel keeps 15 bytes of this one's.
#[unsafe(no_mangle)]
pub extern "C" fn SetThreadDescription(handle: HANDLE, description: In<u16>) -> i32 {
    let text = description.text().unwrap_or_default();
    let named = guard(false, || {
        thread(handle)?;
        if handle.raw() == RawHandle::CURRENT_THREAD {
            os::name_thread(&text);
        }
        Ok(true)
    });
    // S_OK, or E_HANDLE.
    if named { 0 } else { 0x8007_0006_u32.cast_signed() }
}

fn name<U: Unit>(text: &[u8], buffer: Out<U>, size: Out<u32>, with_terminator: bool) -> Bool {
    truth(|| {
        let room = size.reader().required()?;
        let text = std::os::unix::ffi::OsStrExt::from_bytes(text);
        let length = buffer.put_text(room, text);
        if buffer.is_null() || length >= room {
            size.put(length);
            // GetUserName and GetComputerName have one each.
            return fail(if with_terminator { Code::INSUFFICIENT_BUFFER } else { Code::BUFFER_OVERFLOW });
        }
        size.put(if with_terminator { length + 1 } else { length });
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetComputerNameA(buffer: Out<u8>, size: Out<u32>) -> Bool {
    name(&os::host_name(), buffer, size, false)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetComputerNameW(buffer: Out<u16>, size: Out<u32>) -> Bool {
    name(&os::host_name(), buffer, size, false)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetUserNameA(buffer: Out<u8>, size: Out<u32>) -> Bool {
    name(os::user_name(os::user()).as_bytes(), buffer, size, true)
}

#[unsafe(no_mangle)]
pub extern "C" fn GetUserNameW(buffer: Out<u16>, size: Out<u32>) -> Bool {
    name(os::user_name(os::user()).as_bytes(), buffer, size, true)
}

/// Nothing catches what a program's own handlers do not: NULL, no filter before.
#[unsafe(no_mangle)]
pub extern "C" fn SetUnhandledExceptionFilter(_filter: *mut std::ffi::c_void) -> *mut std::ffi::c_void {
    std::ptr::null_mut()
}

#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentProcessorNumber() -> u32 {
    os::processor()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_about_a_process_is_understood() {
        let line = "7 (a) b) S 1 7 7 0 -1 0 0 0 0 0 11 22 0 0 20 0 1 0 333 0 0";
        assert_eq!(ticks(line), Some([333, 22, 11]));
        assert_eq!(ticks("7 (a) S 1"), None);
    }
}
