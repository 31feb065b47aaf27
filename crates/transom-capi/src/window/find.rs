//! `FindWindow`, the Enum calls, and walking from window to window.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. The Enum calls call a function of the program.
#![allow(unsafe_code)]

use transom::window::WindowHandle;
use transom::window::raw;
use transom::{Code, Error};

use crate::ffi::{Bool, FALSE, In, Outcome, TRUE, Unit, fail, guard};
use crate::last_error;

use super::attribute::ancestors;
use super::{HWND, Named, handle, keeping, settled, wide};

/// `ERROR_INVALID_GW_COMMAND`.
const INVALID_GW_COMMAND: Code = Code::new(1443);

fn find<U: Unit>(parent: HWND, after: HWND, class: In<U>, title: In<U>) -> HWND {
    guard(0, || {
        let class = (!class.is_null()).then(|| Named::of(class));
        let title = title.units().map(|units| wide(&units));
        let class = class.as_ref().map(Named::name);
        let found = raw::find(handle(parent), handle(after), class, title.as_deref())?;
        Ok(found.unwrap_or_default().value())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn FindWindowA(class: In<u8>, title: In<u8>) -> HWND {
    find(0, 0, class, title)
}

#[unsafe(no_mangle)]
pub extern "C" fn FindWindowW(class: In<u16>, title: In<u16>) -> HWND {
    find(0, 0, class, title)
}

#[unsafe(no_mangle)]
pub extern "C" fn FindWindowExA(parent: HWND, after: HWND, class: In<u8>, title: In<u8>) -> HWND {
    find(parent, after, class, title)
}

#[unsafe(no_mangle)]
pub extern "C" fn FindWindowExW(parent: HWND, after: HWND, class: In<u16>, title: In<u16>) -> HWND {
    find(parent, after, class, title)
}

/// `WNDENUMPROC`.
type Visit = unsafe extern "C-unwind" fn(HWND, isize) -> Bool;

/// Calls the program for each window that is still one.
fn visit(windows: Result<Vec<WindowHandle>, Error>, call: Option<Visit>, data: isize) -> Bool {
    let Some(call) = call else {
        last_error::set(Code::INVALID_PARAMETER);
        return FALSE;
    };
    let Some(windows) = settled(windows.map(Some), None) else { return FALSE };
    keeping(windows, |windows| {
        for window in windows.iter().filter(|window| raw::is_window(**window)) {
            // SAFETY: the program gave it to be called with each window.
            if unsafe { call(window.value(), data) } == FALSE {
                return FALSE;
            }
        }
        TRUE
    })
}

/// # Safety
/// `call` can be called with a window and `data`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn EnumWindows(call: Option<Visit>, data: isize) -> Bool {
    visit(raw::top_level(), call, data)
}

/// # Safety
/// As for [`EnumWindows`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn EnumThreadWindows(thread: u32, call: Option<Visit>, data: isize) -> Bool {
    visit(raw::of_thread(thread), call, data)
}

/// # Safety
/// As for [`EnumWindows`].
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn EnumChildWindows(parent: HWND, call: Option<Visit>, data: isize) -> Bool {
    visit(raw::children(handle(parent)), call, data)
}

/// The windows that lie where this one lies, in Z order.
fn siblings(window: WindowHandle) -> Outcome<Vec<WindowHandle>> {
    let parent = raw::parent(window)?;
    if !parent.is_null() {
        return direct_children(parent);
    }
    let top_level = raw::top_level()?;
    if top_level.contains(&window) {
        return Ok(top_level);
    }
    let of_messages = raw::children(WindowHandle::MESSAGE)?;
    Ok(of_messages.into_iter().filter(|one| raw::parent(*one).is_ok_and(WindowHandle::is_null)).collect())
}

fn direct_children(parent: WindowHandle) -> Outcome<Vec<WindowHandle>> {
    let all = raw::children(parent)?;
    Ok(all.into_iter().filter(|one| raw::parent(*one) == Ok(parent)).collect())
}

/// NULL, and the desktop, have the top-level windows.
fn first_child(window: HWND) -> Outcome<HWND> {
    let parent = handle(window);
    let children = if parent.is_null() || raw::desktop()? == parent {
        raw::top_level()?
    } else {
        direct_children(parent)?
    };
    Ok(children.first().copied().unwrap_or_default().value())
}

#[unsafe(no_mangle)]
pub extern "C" fn GetTopWindow(window: HWND) -> HWND {
    guard(0, || first_child(window))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetWindow(window: HWND, command: u32) -> HWND {
    guard(0, || {
        let this = handle(window);
        if command == 5 {
            return if this.is_null() { fail(Code::INVALID_WINDOW_HANDLE) } else { first_child(window) };
        }
        let row = siblings(this)?;
        let place = row.iter().position(|one| *one == this);
        let found = match command {
            0 => row.first(),
            1 => row.last(),
            2 => place.and_then(|place| row.get(place + 1)),
            3 => place.and_then(|place| row.get(place.checked_sub(1)?)),
            4 => None,
            _ => return fail(INVALID_GW_COMMAND),
        };
        Ok(found.copied().unwrap_or_default().value())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn GetAncestor(window: HWND, which: u32) -> HWND {
    guard(0, || {
        let this = handle(window);
        let parent = raw::parent(this)?;
        match which {
            1 if !parent.is_null() => Ok(parent.value()),
            // What lies under the root of message-only windows has nothing above it that could be named.
            1 => Ok(if raw::top_level()?.contains(&this) { raw::desktop()?.value() } else { 0 }),
            2 | 3 => Ok(ancestors(this).last().unwrap_or(this).value()),
            _ => fail(Code::INVALID_PARAMETER),
        }
    })
}
