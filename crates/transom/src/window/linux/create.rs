//! Classes, making and destroying windows, and what a window does that nobody programmed.

use std::sync::atomic::Ordering;

use transom_core::code::Code;
use transom_core::desktop::find::{self, DESKTOP};
use transom_core::desktop::layout::{MESSAGE_ROOT, NAME, TITLE, WIDE};
use transom_core::desktop::names::{self, Place};
use transom_sys::linux::fault::step;

use super::{Coded, call, seen, with};
use crate::engine::desktop::{Desktop, desktop};
use crate::engine::marshal::{read_text, text_block, write_text};
use crate::engine::named::error;
use crate::engine::procedures::{self, Class, Local};
use crate::engine::queue::{self, Queue};
use crate::error::Result;
use crate::window::WindowHandle;
use crate::window::message::{
    WM_CLOSE, WM_CREATE, WM_DESTROY, WM_GETTEXT, WM_GETTEXTLENGTH, WM_NCCREATE, WM_NCDESTROY, WM_SETTEXT,
    WS_CHILD,
};
use crate::window::raw::{Charset, ClassDefinition, Creation, Name};

/// `CREATESTRUCT`.
#[repr(C)]
struct CreateStruct {
    parameter: usize,
    instance: usize,
    menu: usize,
    parent: usize,
    height: i32,
    width: i32,
    y: i32,
    x: i32,
    style: u32,
    name: usize,
    class: usize,
    ex_style: u32,
}

/// The number of a name, if the table has it.
pub(super) fn number(desktop: &Desktop, name: Name<'_>) -> Option<u16> {
    match name {
        Name::Atom(number) => Some(number),
        Name::Text(units) => match names::look_up(desktop.names(), units) {
            Place::Known(number) => Some(number),
            _ => None,
        },
    }
}

pub(in super::super) fn register_class(definition: &ClassDefinition) -> Result<u16> {
    let register = || {
        let bytes = |count: i32| (0..=0xFFFF).contains(&count);
        let good = !definition.name.is_empty()
            && definition.name.len() <= NAME
            && bytes(definition.window_extra)
            && bytes(definition.class_extra);
        if !good {
            return Err(Code::INVALID_PARAMETER);
        }
        let desktop = desktop()?;
        // A name that is not in the table cannot be that of a class.
        let number = desktop.add_name(&definition.name)?;
        let mut known = procedures::known();
        let known = known.get_or_insert_default();
        if known.classes.contains_key(&number) {
            return Err(Code::CLASS_ALREADY_EXISTS);
        }
        known.classes.insert(number, Class { definition: definition.clone(), windows: 0 });
        procedures::note_class(known, definition.procedure, definition.charset);
        Ok(number)
    };
    register().map_err(error("register window class"))
}

pub(in super::super) fn unregister_class(name: Name<'_>) -> Result<()> {
    let unregister = || {
        let number = number(desktop()?, name).ok_or(Code::CLASS_DOES_NOT_EXIST)?;
        let mut known = procedures::known();
        let classes = &mut known.get_or_insert_default().classes;
        let class = classes.get(&number).ok_or(Code::CLASS_DOES_NOT_EXIST)?;
        if class.windows > 0 {
            return Err(Code::CLASS_HAS_WINDOWS);
        }
        classes.remove(&number);
        Ok(())
    };
    unregister().map_err(error("unregister window class"))
}

pub(in super::super) fn class(name: Name<'_>) -> Result<(u16, ClassDefinition)> {
    let find = || {
        let number = number(desktop()?, name).ok_or(Code::CLASS_DOES_NOT_EXIST)?;
        let known = procedures::known();
        let class = known.as_ref().and_then(|known| known.classes.get(&number));
        class.map(|class| (number, class.definition.clone())).ok_or(Code::CLASS_DOES_NOT_EXIST)
    };
    find().map_err(error("get window class"))
}

/// What a new window's row says of its parent.
fn parent_of(desktop: &Desktop, creation: &Creation<'_>) -> Coded<u32> {
    let is_child = creation.style & WS_CHILD != 0;
    match creation.parent {
        WindowHandle::NULL if is_child => Err(Code::TLW_WITH_WSCHILD),
        WindowHandle::NULL => Ok(0),
        parent if parent == WindowHandle::MESSAGE || parent.value() as u32 == MESSAGE_ROOT => {
            Ok(MESSAGE_ROOT)
        }
        parent if parent.value() as u32 == DESKTOP => Ok(0),
        parent => {
            let above = seen(desktop, parent)?;
            // Without WS_CHILD it is the owner of a top-level window.
            Ok(if is_child { above.handle } else { 0 })
        }
    }
}

pub(in super::super) fn create(creation: &Creation<'_>) -> Result<WindowHandle> {
    with(|queue| try_create(queue, creation)).map_err(error("create window"))
}

fn try_create(queue: &Queue, creation: &Creation<'_>) -> Coded<WindowHandle> {
    let desktop = queue.desktop;
    let number = number(desktop, creation.class).ok_or(Code::CANNOT_FIND_WND_CLASS)?;
    let parent = parent_of(desktop, creation)?;
    let (charset, handle) = {
        let mut known = procedures::known();
        let known = known.get_or_insert_default();
        let class = known.classes.get_mut(&number).ok_or(Code::CANNOT_FIND_WND_CLASS)?;
        let (place, handle) =
            find::take(desktop.header(), desktop.windows(), queue.who()).ok_or(Code::NOT_ENOUGH_MEMORY)?;
        step("window-taken");
        let charset = class.definition.charset;
        fill(desktop, place, creation, parent, u32::from(number), charset);
        class.windows += 1;
        let local = Local {
            owner: queue.who(),
            class: number,
            procedure: class.definition.procedure,
            charset,
            instance: creation.instance,
            extra: vec![0; class.definition.window_extra.unsigned_abs() as usize],
        };
        known.windows.insert(handle, local);
        // From now on it exists.
        desktop.windows()[place].handle.store(handle, Ordering::Release);
        (charset, handle)
    };
    desktop.header().changed();
    step("window-made");
    // The texts are kept with the thread, since the procedure may end it.
    let title = queue::keep(text_block(creation.title.unwrap_or_default(), charset));
    let class = match creation.class {
        Name::Atom(number) => number as usize,
        Name::Text(units) => queue::keep(text_block(units, charset)),
    };
    let [x, y, width, height] = creation.rectangle;
    let create = CreateStruct {
        parameter: creation.parameter,
        instance: creation.instance,
        menu: creation.menu,
        parent: creation.parent.value(),
        height,
        width,
        y,
        x,
        style: creation.style,
        name: title,
        class,
        ex_style: creation.ex_style,
    };
    let at = std::ptr::from_ref(&create) as isize;
    let allowed = procedures::run(&call(handle, WM_NCCREATE, 0, at, charset)) != 0;
    let made = allowed && procedures::run(&call(handle, WM_CREATE, 0, at, charset)) != -1;
    if let Name::Text(_) = creation.class {
        queue::take_back();
    }
    queue::take_back();
    if made && desktop.window(handle).is_some() {
        return Ok(WindowHandle::from_raw(handle as usize));
    }
    // Refused (rule 2).
    if allowed {
        take_apart(queue, handle);
    } else {
        remove(queue, handle);
    }
    Err(Code::SUCCESS)
}

fn fill(desktop: &Desktop, place: usize, creation: &Creation<'_>, parent: u32, class: u32, charset: Charset) {
    let (row, page) = (&desktop.windows()[place], &desktop.pages()[place]);
    let relaxed = Ordering::Relaxed;
    row.parent.store(parent, relaxed);
    row.class.store(class | if charset == Charset::Wide { WIDE } else { 0 }, relaxed);
    row.order.store(desktop.header().order.0.fetch_add(1, relaxed), relaxed);
    row.style.store(creation.style, relaxed);
    row.ex_style.store(creation.ex_style, relaxed);
    row.user_data.store(0, relaxed);
    row.id.store(creation.menu as u64, relaxed);
    for property in &page.properties {
        property[0].store(0, relaxed);
    }
    page.set_title(creation.title.unwrap_or_default());
}

pub(in super::super) fn destroy(window: WindowHandle) -> Result<()> {
    let destroyed = with(|queue| {
        let seen = seen(queue.desktop, window)?;
        if seen.owner != queue.who() {
            return Err(Code::ACCESS_DENIED);
        }
        take_apart(queue, seen.handle);
        Ok(())
    });
    destroyed.map_err(error("destroy window"))
}

/// WM_DESTROY, the children, WM_NCDESTROY (rule 3).
fn take_apart(queue: &Queue, handle: u32) {
    let exists = || queue.desktop.window(handle).is_some();
    let charset = procedures::charset(handle);
    procedures::run(&call(handle, WM_DESTROY, 0, 0, charset));
    // A procedure may have destroyed it again.
    while exists() {
        let mine = |seen: &find::Seen| seen.parent == handle && seen.owner == queue.who();
        let child = queue.desktop.all_windows(mine).first().map(|child| child.handle);
        let Some(child) = child else { break };
        take_apart(queue, child);
    }
    if exists() {
        procedures::run(&call(handle, WM_NCDESTROY, 0, 0, charset));
    }
    if exists() {
        remove(queue, handle);
    }
}

/// The window is no more.
fn remove(queue: &Queue, handle: u32) {
    if let Some(seen) = queue.desktop.window(handle).filter(|seen| seen.owner == queue.who()) {
        find::free(&queue.desktop.windows()[seen.place]);
        queue.desktop.header().changed();
    }
    step("window-removed");
    procedures::forget(handle);
    queue.forget_window(handle);
}

pub(in super::super) unsafe fn default_procedure(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> isize {
    let done = with(|queue| {
        let seen = seen(queue.desktop, window)?;
        let is_mine = seen.owner == queue.who();
        Ok(match message {
            WM_NCCREATE => 1,
            WM_SETTEXT if is_mine => {
                // SAFETY: the caller's promise: text of its form.
                let units = unsafe { read_text(lparam, charset) };
                queue.desktop.pages()[seen.place].set_title(&units[..units.len().min(TITLE)]);
                queue.desktop.header().changed();
                1
            }
            WM_GETTEXT => {
                let title = queue.desktop.title(&seen);
                // SAFETY: the caller's promise: room for wParam characters of its form.
                unsafe { write_text(lparam, wparam, charset, &title) }
            }
            WM_GETTEXTLENGTH => {
                let title = queue.desktop.title(&seen);
                match charset {
                    Charset::Wide => title.len() as isize,
                    Charset::Narrow => transom_core::text::from_utf16(&title).len() as isize,
                }
            }
            WM_CLOSE if is_mine => {
                take_apart(queue, seen.handle);
                0
            }
            _ => 0,
        })
    });
    done.unwrap_or(0)
}
