//! The procedure that all windows of [`Class`](super::Class)es have, and the closures it calls.
//!
//! The closures of a window lie in a table of its thread, by the window's number. A closure may send, and so be called
//! again before it has returned: nothing is borrowed while it runs, and it is an `Fn`, so it can.
//!
//! | message | goes to |
//! | --- | --- |
//! | `WM_NCCREATE` of a window that is being made | the table: from here on its closures are known |
//! | `WM_COPYDATA` | the closure for it, with the bytes as a slice |
//! | any | the closure for its number, else the one for any, else `DefWindowProc` |
//! | `WM_NCDESTROY` | also the table: the window is gone |
//!
//! A panic must not unwind through the system. It is kept, the message is answered with 0, and the panic goes on where
//! the call of this thread returns that ran the procedure ([`resume`]).
//!
//! # Safety
//! A procedure is called by the system alone, with what the message is documented to have; `WM_COPYDATA` cannot be posted,
//! so its structure and bytes are there during the call.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use super::WindowHandle;
use super::message::{WM_COPYDATA, WM_NCCREATE, WM_NCDESTROY, WM_NULL};
use super::raw::{self, Charset, CopyData};

type OnCopydata = dyn Fn(WindowHandle, usize, &[u8]) -> isize;
type OnMessage = dyn Fn(usize, isize) -> isize;
type OnAny = dyn Fn(u32, usize, isize) -> Option<isize>;

/// The closures of one window.
#[derive(Default)]
pub(super) struct Handlers {
    copydata: RefCell<Option<Rc<OnCopydata>>>,
    messages: RefCell<HashMap<u32, Rc<OnMessage>>>,
    any: RefCell<Option<Rc<OnAny>>>,
    /// Between `WM_NCCREATE` and `WM_NCDESTROY`.
    alive: Cell<bool>,
}

thread_local! {
    /// The windows of this thread.
    static WINDOWS: RefCell<HashMap<WindowHandle, Rc<Handlers>>> = RefCell::default();
    /// Of the windows that are being made, the innermost last.
    static COMING: RefCell<Vec<Rc<Handlers>>> = const { RefCell::new(Vec::new()) };
    /// A panic that waits for [`resume`].
    static PANIC: Cell<Option<Box<dyn Any + Send>>> = const { Cell::new(None) };
}

impl Handlers {
    // What is replaced is dropped when nothing is borrowed any more: its drop may be anything.

    pub(super) fn set_copydata(&self, closure: Rc<OnCopydata>) {
        drop(self.copydata.replace(Some(closure)));
    }

    pub(super) fn set_message(&self, number: u32, closure: Rc<OnMessage>) {
        let before = self.messages.borrow_mut().insert(number, closure);
        drop(before);
    }

    pub(super) fn set_any(&self, closure: Rc<OnAny>) {
        drop(self.any.replace(Some(closure)));
    }

    /// Whether the window exists.
    pub(super) fn alive(&self) -> bool {
        self.alive.get()
    }

    /// What a closure answers; `None` if there is none for the message.
    ///
    /// # Safety
    /// The parameters are what the message is documented to have.
    unsafe fn answer(&self, message: u32, wparam: usize, lparam: isize) -> Option<isize> {
        let copydata = if message == WM_COPYDATA { self.copydata.borrow().clone() } else { None };
        if let Some(closure) = copydata {
            let data = std::ptr::with_exposed_provenance::<CopyData>(lparam.cast_unsigned());
            // SAFETY: the system's structure, or a sender's of this thread that waits for the answer; both stay
            // unchanged during the call.
            let (tag, bytes) = unsafe {
                let Some(data) = data.as_ref() else { return Some(0) };
                if data.bytes.is_null() || data.length == 0 {
                    (data.tag, [].as_slice())
                } else {
                    (data.tag, std::slice::from_raw_parts(data.bytes, data.length as usize))
                }
            };
            return Some(closure(WindowHandle::from_raw(wparam), tag, bytes));
        }
        let closure = self.messages.borrow().get(&message).cloned();
        if let Some(closure) = closure {
            return Some(closure(wparam, lparam));
        }
        let closure = self.any.borrow().clone();
        closure.and_then(|closure| closure(message, wparam, lparam))
    }
}

/// Makes a window whose first message finds `handlers`.
pub(super) fn creating<T>(handlers: &Rc<Handlers>, create: impl FnOnce() -> T) -> T {
    COMING.with_borrow_mut(|coming| coming.push(Rc::clone(handlers)));
    let created = create();
    // Still there if the system has refused before the first message.
    COMING.with_borrow_mut(|coming| coming.retain(|other| !Rc::ptr_eq(other, handlers)));
    created
}

/// The procedure.
///
/// # Safety
/// For the system alone.
pub(super) unsafe extern "system-unwind" fn procedure(
    window: usize,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    let window = WindowHandle::from_raw(window);
    let handlers = handlers(window, message);
    let answer = handlers.as_ref().and_then(|handlers| {
        // SAFETY: passed on as they came.
        catch(|| unsafe { handlers.answer(message, wparam, lparam) }).unwrap_or(Some(0))
    });
    let answer = match answer {
        Some(answer) => answer,
        // SAFETY: passed on as they came.
        None => unsafe { raw::default_procedure(window, message, wparam, lparam, Charset::Wide) },
    };
    if message == WM_NCDESTROY {
        let _ = WINDOWS.try_with(|windows| windows.borrow_mut().remove(&window));
        if let Some(handlers) = handlers {
            handlers.alive.set(false);
            // Perhaps the last: what the closures own is dropped.
            catch(|| drop(handlers));
        }
    }
    answer
}

/// The closures of a window; `None` before its `WM_NCCREATE`, and when the thread is ending.
fn handlers(window: WindowHandle, message: u32) -> Option<Rc<Handlers>> {
    if message == WM_NCCREATE {
        let coming = COMING.try_with(|coming| coming.borrow_mut().pop()).ok()??;
        coming.alive.set(true);
        let known = Rc::clone(&coming);
        WINDOWS.try_with(|windows| windows.borrow_mut().insert(window, known)).ok()?;
        return Some(coming);
    }
    WINDOWS.try_with(|windows| windows.borrow().get(&window).cloned()).ok()?
}

/// Runs a closure of the user's; `None` if it panicked.
fn catch<T>(closure: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(closure)) {
        Ok(value) => Some(value),
        Err(panic) => {
            keep(panic);
            None
        }
    }
}

/// Keeps a panic, the first of several, and lets a loop that waits for messages return for it.
fn keep(panic: Box<dyn Any + Send>) {
    let _ = PANIC.try_with(|kept| match kept.take() {
        None => kept.set(Some(panic)),
        Some(first) => {
            kept.set(Some(first));
            // Its drop could panic.
            std::mem::forget(panic);
        }
    });
    // If the queue is full the loop will not wait.
    let _ = raw::post(WindowHandle::NULL, WM_NULL, 0, 0, Charset::Wide);
}

/// Lets a panic of a closure go on. Called where a call has returned that may have run procedures of this thread.
pub(super) fn resume() {
    if !std::thread::panicking()
        && let Some(panic) = PANIC.take()
    {
        resume_unwind(panic);
    }
}
