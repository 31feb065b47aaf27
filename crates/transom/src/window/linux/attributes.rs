//! What windows are: text, longs, properties, parents; finding them; the names of the desktop.

use std::sync::atomic::Ordering;

use transom_core::code::Code;
use transom_core::desktop::find::{DESKTOP, Seen, Under};
use transom_core::desktop::layout::{MESSAGE_ROOT, NAME, WIDE};
use transom_core::desktop::names;

use super::create::number;
use super::{Coded, all_top_level, seen};
use crate::engine::desktop::{Desktop, desktop};
use crate::engine::named::error;
use crate::engine::owner::me;
use crate::engine::procedures::{self, Local};
use crate::error::Result;
use crate::window::WindowHandle;
use crate::window::message::{
    GWL_EXSTYLE, GWL_STYLE, GWLP_HINSTANCE, GWLP_HWNDPARENT, GWLP_ID, GWLP_USERDATA, GWLP_WNDPROC,
    WM_GETTEXT, WM_GETTEXTLENGTH, WM_SETTEXT,
};
use crate::window::raw::{Charset, Name, Procedure};

fn handle(seen: &Seen) -> WindowHandle {
    WindowHandle::from_raw(seen.handle as usize)
}

fn is_desktop(window: WindowHandle) -> bool {
    window.value() as u32 == DESKTOP
}

pub(in super::super) fn is_window(window: WindowHandle) -> bool {
    desktop().is_ok_and(|desktop| is_desktop(window) || seen(desktop, window).is_ok())
}

pub(in super::super) fn charset(window: WindowHandle) -> Result<Charset> {
    let find = || {
        if is_desktop(window) {
            return Ok(Charset::Wide);
        }
        let seen = seen(desktop()?, window)?;
        Ok(if seen.class & WIDE != 0 { Charset::Wide } else { Charset::Narrow })
    };
    find().map_err(error("get window form"))
}

pub(in super::super) fn class_name(window: WindowHandle) -> Result<Vec<u16>> {
    let find = || {
        if is_desktop(window) {
            return Ok("#32769".encode_utf16().collect());
        }
        let desktop = desktop()?;
        let class = seen(desktop, window)?.class & !WIDE;
        names::text(desktop.names(), class as u16).ok_or(Code::INVALID_WINDOW_HANDLE)
    };
    find().map_err(error("get class name"))
}

pub(in super::super) fn owner(window: WindowHandle) -> Result<(u32, u32)> {
    let find = || {
        let desktop = desktop()?;
        let (process, thread) = desktop.ids(seen(desktop, window)?.owner);
        Ok((thread, process))
    };
    find().map_err(error("get window owner"))
}

/// Whether the window is this process's, which asks it by messages.
fn is_own(desktop: &Desktop, seen: &Seen) -> bool {
    desktop.ids(seen.owner).0 == me().process
}

pub(in super::super) fn text(window: WindowHandle) -> Result<Vec<u16>> {
    let find = || {
        let desktop = desktop()?;
        if is_desktop(window) {
            return Ok(None);
        }
        let seen = seen(desktop, window)?;
        Ok(if is_own(desktop, &seen) { None } else { Some(desktop.title(&seen)) })
    };
    if let Some(title) = find().map_err(error("get window text"))? {
        return Ok(title);
    }
    if is_desktop(window) {
        return Ok(Vec::new());
    }
    let length = text_length(window)?;
    let mut units = vec![0_u16; length + 1];
    let at = units.as_mut_ptr() as isize;
    // SAFETY: room for so many units, terminator included.
    let count = unsafe { super::send(window, WM_GETTEXT, units.len(), at, Charset::Wide) }?;
    units.truncate(usize::try_from(count).unwrap_or(0).min(length));
    Ok(units)
}

pub(in super::super) fn text_length(window: WindowHandle) -> Result<usize> {
    let find = || {
        let desktop = desktop()?;
        let seen = seen(desktop, window)?;
        Ok(if is_own(desktop, &seen) { None } else { Some(desktop.title(&seen).len()) })
    };
    if let Some(length) = find().map_err(error("get window text length"))? {
        return Ok(length);
    }
    // SAFETY: the message has no pointers.
    let length = unsafe { super::send(window, WM_GETTEXTLENGTH, 0, 0, Charset::Wide) }?;
    Ok(usize::try_from(length).unwrap_or(0).min(1 << 20))
}

pub(in super::super) fn set_text(window: WindowHandle, text: &[u16], _charset: Charset) -> Result<bool> {
    let mut units: Vec<u16> = text.iter().copied().take_while(|unit| *unit != 0).collect();
    units.push(0);
    let at = units.as_ptr() as isize;
    // SAFETY: text with a terminator.
    unsafe { super::send(window, WM_SETTEXT, 0, at, Charset::Wide) }.map(|taken| taken != 0)
}

/// Does something with what only this process knows of its window.
fn local<T>(seen: &Seen, work: impl FnOnce(&mut Local) -> Coded<T>) -> Coded<T> {
    let mut known = procedures::known();
    let local = known.as_mut().and_then(|known| known.windows.get_mut(&seen.handle));
    work(local.ok_or(Code::ACCESS_DENIED)?)
}

/// So many extra bytes from `index` on.
fn extra(local: &mut Local, index: i32, size: usize) -> Coded<&mut [u8]> {
    let index = usize::try_from(index).map_err(|_| Code::INVALID_INDEX)?;
    local.extra.get_mut(index..index + size).ok_or(Code::INVALID_INDEX)
}

/// Of an isize.
const LONG: usize = size_of::<isize>();

pub(in super::super) fn long(window: WindowHandle, index: i32) -> Result<isize> {
    let find = || {
        let desktop = desktop()?;
        let seen = seen(desktop, window)?;
        let row = &desktop.windows()[seen.place];
        let relaxed = Ordering::Relaxed;
        Ok(match index {
            GWLP_USERDATA => row.user_data.load(relaxed) as isize,
            GWL_STYLE => row.style.load(relaxed) as isize,
            GWL_EXSTYLE => row.ex_style.load(relaxed) as isize,
            GWLP_ID => row.id.load(relaxed) as isize,
            GWLP_HWNDPARENT => parent_value(seen.parent).value() as isize,
            GWLP_HINSTANCE => local(&seen, |local| Ok(local.instance as isize))?,
            GWLP_WNDPROC => local(&seen, |local| Ok(local.procedure as usize as isize))?,
            _ => local(&seen, |local| {
                extra(local, index, LONG)
                    .map(|bytes| isize::from_ne_bytes(bytes.try_into().unwrap_or_default()))
            })?,
        })
    };
    find().map_err(error("get window long"))
}

pub(in super::super) unsafe fn set_long(
    window: WindowHandle,
    index: i32,
    value: isize,
    charset: Charset,
) -> Result<isize> {
    put_long(window, index, value, charset)
}

/// What replaces a procedure is one: the promise of whoever calls [`set_long`].
fn put_long(window: WindowHandle, index: i32, value: isize, charset: Charset) -> Result<isize> {
    let set = || {
        let desktop = desktop()?;
        let seen = seen(desktop, window)?;
        let row = &desktop.windows()[seen.place];
        let relaxed = Ordering::Relaxed;
        Ok(match index {
            GWLP_USERDATA => row.user_data.swap(value as u64, relaxed) as isize,
            GWL_STYLE => row.style.swap(value as u32, relaxed) as isize,
            GWL_EXSTYLE => row.ex_style.swap(value as u32, relaxed) as isize,
            GWLP_ID => row.id.swap(value as u64, relaxed) as isize,
            GWLP_HWNDPARENT => return Err(Code::INVALID_INDEX),
            GWLP_HINSTANCE => {
                local(&seen, |local| Ok(std::mem::replace(&mut local.instance, value as usize)))? as isize
            }
            GWLP_WNDPROC => {
                if value == 0 {
                    return Err(Code::INVALID_PARAMETER);
                }
                // SAFETY: not null; the caller's promise: it is a procedure.
                let procedure = unsafe { std::mem::transmute::<*const (), Procedure>(value as *const ()) };
                let charset = procedures::note_form(procedure, charset);
                let old = local(&seen, |local| {
                    local.charset = charset;
                    Ok(std::mem::replace(&mut local.procedure, procedure))
                })?;
                let wide = if charset == Charset::Wide { WIDE } else { 0 };
                row.class.store(row.class.load(relaxed) & !WIDE | wide, relaxed);
                old as usize as isize
            }
            _ => local(&seen, |local| {
                let bytes = extra(local, index, LONG)?;
                let old = isize::from_ne_bytes((&*bytes).try_into().unwrap_or_default());
                bytes.copy_from_slice(&value.to_ne_bytes());
                Ok(old)
            })?,
        })
    };
    set().map_err(error("set window long"))
}

/// The extra bytes, which alone have a place of their own for 32 bits.
fn extra32(window: WindowHandle, index: i32, value: Option<i32>) -> Coded<i32> {
    let seen = seen(desktop()?, window)?;
    local(&seen, |local| {
        let bytes = extra(local, index, size_of::<i32>())?;
        let old = i32::from_ne_bytes((&*bytes).try_into().unwrap_or_default());
        if let Some(value) = value {
            bytes.copy_from_slice(&value.to_ne_bytes());
        }
        Ok(old)
    })
}

pub(in super::super) fn long32(window: WindowHandle, index: i32) -> Result<i32> {
    match index {
        0.. => extra32(window, index, None).map_err(error("get window long")),
        GWLP_WNDPROC => Err(Code::INVALID_INDEX).map_err(error("get window long")),
        // As on Windows: the low half.
        _ => long(window, index).map(|value| value as i32),
    }
}

pub(in super::super) fn set_long32(window: WindowHandle, index: i32, value: i32) -> Result<i32> {
    match index {
        0.. => extra32(window, index, Some(value)).map_err(error("set window long")),
        GWLP_WNDPROC => Err(Code::INVALID_INDEX).map_err(error("set window long")),
        _ => put_long(window, index, value as isize, Charset::Wide).map(|value| value as i32),
    }
}

// Properties

pub(in super::super) fn set_property(window: WindowHandle, name: Name<'_>, value: usize) -> Result<()> {
    let set = || {
        let desktop = desktop()?;
        let seen = seen(desktop, window)?;
        let number = match name {
            Name::Atom(number) => number,
            Name::Text(units) if units.is_empty() || units.len() > NAME => {
                return Err(Code::INVALID_PARAMETER);
            }
            Name::Text(units) => desktop.add_name(units)?,
        };
        let key = u64::from(number);
        if key == 0 {
            return Err(Code::INVALID_PARAMETER);
        }
        let properties = &desktop.pages()[seen.place].properties;
        let known = properties.iter().find(|property| property[0].load(Ordering::Acquire) == key);
        let free = || {
            properties.iter().find(|property| {
                property[0].compare_exchange(0, key, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            })
        };
        let property = known.or_else(free).ok_or(Code::NOT_ENOUGH_MEMORY)?;
        property[1].store(value as u64, Ordering::Release);
        Ok(())
    };
    set().map_err(error("set property"))
}

/// Does something with the property of that name, if the window has it.
fn with_property<T>(
    window: WindowHandle,
    name: Name<'_>,
    work: impl FnOnce(&[std::sync::atomic::AtomicU64; 2]) -> T,
) -> Coded<Option<T>> {
    let desktop = desktop()?;
    let seen = seen(desktop, window)?;
    let Some(number) = number(desktop, name) else { return Ok(None) };
    let mut properties = desktop.pages()[seen.place].properties.iter();
    let found = properties.find(|property| property[0].load(Ordering::Acquire) == u64::from(number));
    Ok(found.map(work))
}

pub(in super::super) fn property(window: WindowHandle, name: Name<'_>) -> Result<Option<usize>> {
    with_property(window, name, |property| property[1].load(Ordering::Acquire) as usize)
        .map_err(error("get property"))
}

pub(in super::super) fn remove_property(window: WindowHandle, name: Name<'_>) -> Result<Option<usize>> {
    let remove = |property: &[std::sync::atomic::AtomicU64; 2]| {
        let value = property[1].swap(0, Ordering::AcqRel) as usize;
        property[0].store(0, Ordering::Release);
        value
    };
    with_property(window, name, remove).map_err(error("remove property"))
}

// Parents

fn parent_value(parent: u32) -> WindowHandle {
    if parent == MESSAGE_ROOT { WindowHandle::MESSAGE } else { WindowHandle::from_raw(parent as usize) }
}

pub(in super::super) fn parent(window: WindowHandle) -> Result<WindowHandle> {
    let find = || {
        let parent = seen(desktop()?, window)?.parent;
        Ok(if parent == MESSAGE_ROOT { WindowHandle::NULL } else { parent_value(parent) })
    };
    find().map_err(error("get parent"))
}

pub(in super::super) fn set_parent(window: WindowHandle, parent: WindowHandle) -> Result<WindowHandle> {
    let set = || {
        let desktop = desktop()?;
        let child = seen(desktop, window)?;
        let new = match parent {
            WindowHandle::NULL => 0,
            parent if is_desktop(parent) => 0,
            parent if parent == WindowHandle::MESSAGE || parent.value() as u32 == MESSAGE_ROOT => {
                MESSAGE_ROOT
            }
            parent => {
                let above = seen(desktop, parent)?;
                let below = descendants(desktop, child.handle);
                if above.handle == child.handle || below.iter().any(|seen| seen.handle == above.handle) {
                    return Err(Code::INVALID_PARAMETER);
                }
                above.handle
            }
        };
        let old = desktop.windows()[child.place].parent.swap(new, Ordering::AcqRel);
        desktop.header().changed();
        Ok(if old == 0 { WindowHandle::from_raw(DESKTOP as usize) } else { parent_value(old) })
    };
    set().map_err(error("set parent"))
}

pub(in super::super) fn desktop_window() -> Result<WindowHandle> {
    desktop().map(|_| WindowHandle::from_raw(DESKTOP as usize)).map_err(error("get desktop window"))
}

// Finding

pub(in super::super) fn find(
    parent: WindowHandle,
    after: WindowHandle,
    class: Option<Name<'_>>,
    title: Option<&[u16]>,
) -> Result<Option<WindowHandle>> {
    let find = || {
        let desktop = desktop()?;
        let parent = if parent == WindowHandle::MESSAGE { MESSAGE_ROOT } else { parent.value() as u32 };
        let under = Under::of(parent);
        if !matches!(parent, 0 | MESSAGE_ROOT | DESKTOP) && desktop.window(parent).is_none() {
            return Err(Code::INVALID_WINDOW_HANDLE);
        }
        // Behind which one the search begins: message-only windows come after all others (rule 5).
        let place = |seen: &Seen| (seen.parent == MESSAGE_ROOT, std::cmp::Reverse(seen.order));
        let behind = if after.is_null() {
            None
        } else {
            let after = seen(desktop, after)?;
            if !under.is(after.parent) {
                return Err(Code::INVALID_WINDOW_HANDLE);
            }
            Some(place(&after))
        };
        let class = match class {
            None => None,
            Some(name) => match number(desktop, name) {
                Some(number) => Some(u32::from(number)),
                None => return Ok(None),
            },
        };
        let wanted = |seen: &Seen| {
            under.is(seen.parent)
                && class.is_none_or(|class| seen.class & !WIDE == class)
                && behind.is_none_or(|behind| place(seen) > behind)
        };
        let mut found = desktop.all_windows(wanted);
        found.sort_by_key(place);
        let is_titled = |seen: &&Seen| title.is_none_or(|title| names::equal(&desktop.title(seen), title));
        Ok(found.iter().find(is_titled).map(handle))
    };
    find().map_err(error("find window"))
}

pub(in super::super) fn top_level() -> Result<Vec<WindowHandle>> {
    let all = desktop().map(|desktop| all_top_level(desktop).iter().map(handle).collect());
    all.map_err(error("enumerate windows"))
}

pub(in super::super) fn of_thread(thread: u32) -> Result<Vec<WindowHandle>> {
    let all = desktop().map(|desktop| {
        let of_thread = |seen: &&Seen| desktop.ids(seen.owner).1 == thread;
        all_top_level(desktop).iter().filter(of_thread).map(handle).collect()
    });
    all.map_err(error("enumerate windows of thread"))
}

/// All windows under one, each before its own children.
pub(super) fn descendants(desktop: &Desktop, parent: u32) -> Vec<Seen> {
    let all = desktop.all_windows(|seen| seen.parent != 0 && seen.parent != MESSAGE_ROOT);
    let mut found = Vec::new();
    below(&all, parent, &mut found);
    found
}

fn below(all: &[Seen], parent: u32, found: &mut Vec<Seen>) {
    for seen in all.iter().filter(|seen| seen.parent == parent) {
        // Parents that run in a circle are damage.
        if found.len() >= all.len() {
            return;
        }
        found.push(*seen);
        below(all, seen.handle, found);
    }
}

pub(in super::super) fn children(parent: WindowHandle) -> Result<Vec<WindowHandle>> {
    let all = || {
        let desktop = desktop()?;
        let roots = match parent {
            WindowHandle::NULL => all_top_level(desktop),
            parent if is_desktop(parent) => all_top_level(desktop),
            parent if parent == WindowHandle::MESSAGE => {
                desktop.all_windows(|seen| seen.parent == MESSAGE_ROOT)
            }
            parent => {
                let above = seen(desktop, parent)?;
                return Ok(descendants(desktop, above.handle).iter().map(handle).collect());
            }
        };
        let with_children = |root: &Seen| {
            let mut these = vec![*root];
            these.extend(descendants(desktop, root.handle));
            these
        };
        Ok(roots.iter().flat_map(with_children).map(|seen| handle(&seen)).collect())
    };
    all().map_err(error("enumerate child windows"))
}

// Names

pub(in super::super) fn register_message(name: &[u16]) -> Result<u32> {
    let register = || {
        if name.is_empty() || name.len() > NAME {
            return Err(Code::INVALID_PARAMETER);
        }
        desktop()?.add_name(name).map(u32::from)
    };
    register().map_err(error("register window message"))
}

pub(in super::super) fn name_of(number: u16) -> Result<Option<Vec<u16>>> {
    desktop().map(|desktop| names::text(desktop.names(), number)).map_err(error("get name"))
}
