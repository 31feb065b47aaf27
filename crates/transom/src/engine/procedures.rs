//! The window classes of this process, and what its windows call.
//!
//! A procedure runs in the thread whose window it is for. It may call anything here again, and may end its thread, which
//! unwinds through [`run`]: nothing here is locked or kept while it runs.
//!
//! # Safety
//! R1. A procedure was given by the program as one: it can be called with any message.
#![allow(unsafe_code)]

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use transom_core::desktop::Who;

use super::marshal;
use super::queue::{self, Call, Called};
use crate::window::message::{WM_GETTEXT, WM_SETTEXT};
use crate::window::raw::{Charset, ClassDefinition, Procedure, TimerProcedure};

/// A class of this process.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) definition: ClassDefinition,
    pub(crate) windows: usize,
}

/// What only this process knows of a window of its own.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) owner: Who,
    pub(crate) class: u16,
    pub(crate) procedure: Procedure,
    pub(crate) charset: Charset,
    pub(crate) instance: usize,
    /// `cbWndExtra`.
    pub(crate) extra: Vec<u8>,
}

/// Classes by their number, windows by their handle.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) classes: HashMap<u16, Class>,
    pub(crate) windows: HashMap<u32, Local>,
    /// In which form procedures were given, by their address; `None` is both.
    forms: HashMap<usize, Option<Charset>>,
}

/// What this process knows. Never kept while a procedure runs.
pub(crate) fn known() -> MutexGuard<'static, Option<Known>> {
    static KNOWN: Mutex<Option<Known>> = Mutex::new(None);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default();
    known
}

/// A window's procedure and form.
fn procedure(window: u32) -> Option<(Procedure, Charset)> {
    known().as_ref()?.windows.get(&window).map(|local| (local.procedure, local.charset))
}

/// A window's form; of one that this process does not know, wide.
pub(crate) fn charset(window: u32) -> Charset {
    procedure(window).map_or(Charset::Wide, |(_, charset)| charset)
}

/// A procedure was given in this form: the form it has, which is the one in which it was given first, unless it has been
/// given in both.
pub(crate) fn note_form(procedure: Procedure, given: Charset) -> Charset {
    let mut known = known();
    let forms = &mut known.get_or_insert_default().forms;
    forms.entry(procedure as usize).or_insert(Some(given)).unwrap_or(given)
}

/// A class was registered in this form: its procedure may have to be in both.
pub(crate) fn note_class(known: &mut Known, procedure: Procedure, given: Charset) {
    let form = known.forms.entry(procedure as usize).or_insert(Some(given));
    if *form != Some(given) {
        *form = None;
    }
}

/// In which form a procedure expects texts; `called` if that is not known.
pub(crate) fn form_of(procedure: Procedure, called: Charset) -> Charset {
    let known = known();
    let form = known.as_ref().and_then(|known| known.forms.get(&(procedure as usize)).copied().flatten());
    form.unwrap_or(called)
}

/// A window of this process is no more.
pub(crate) fn forget(window: u32) {
    if let Some(known) = known().as_mut()
        && let Some(local) = known.windows.remove(&window)
        && let Some(class) = known.classes.get_mut(&local.class)
    {
        class.windows = class.windows.saturating_sub(1);
    }
}

/// The windows of this process that belong to the thread.
pub(crate) fn windows_of(owner: Who) -> Vec<u32> {
    let known = known();
    let windows = known.as_ref().map(|known| &known.windows).into_iter().flatten();
    windows.filter(|(_, local)| local.owner == owner).map(|(handle, _)| *handle).collect()
}

/// Runs a window's procedure with parameters that are in its form.
pub(crate) fn run(call: &Call) -> isize {
    match procedure(call.window) {
        // SAFETY: R1; pointers among the parameters are good in this process (`marshal`, or the caller's promise).
        Some((procedure, _)) => unsafe {
            procedure(call.window as usize, call.message, call.wparam, call.lparam)
        },
        None => 0,
    }
}

/// Runs a procedure with parameters that are in the caller's form.
///
/// # Safety
/// `procedure` is one (R1), and pointers among the parameters are what the message says.
pub(crate) unsafe fn run_converted(procedure: Procedure, charset: Charset, call: &Call) -> isize {
    let is_text = matches!(call.message, WM_SETTEXT | WM_GETTEXT);
    if call.charset == charset || !is_text || call.lparam == 0 {
        // SAFETY: the caller's promise.
        return unsafe { procedure(call.window as usize, call.message, call.wparam, call.lparam) };
    }
    let block = if call.message == WM_SETTEXT {
        // SAFETY: the caller's promise: text of its form.
        marshal::text_block(&unsafe { marshal::read_text(call.lparam, call.charset) }, charset)
    } else {
        vec![0; (2 * call.wparam.min(1 << 20)).div_ceil(8) + 1]
    };
    // Kept with the thread, since the procedure may end it.
    let at = queue::keep(block);
    // SAFETY: the caller's promise; the text lies in the block.
    let result = unsafe { procedure(call.window as usize, call.message, call.wparam, at as isize) };
    let block = queue::take_back();
    if call.message == WM_SETTEXT || call.wparam == 0 {
        return result;
    }
    let count = usize::try_from(result).unwrap_or(0).min(call.wparam - 1);
    let units = marshal::block_text(&block, charset, count);
    // SAFETY: the caller's promise: room for wParam characters of its form.
    unsafe { marshal::write_text(call.lparam, call.wparam, call.charset, &units) }
}

/// Runs the procedure of a window of this thread with parameters that are in the caller's form.
///
/// # Safety
/// Pointers among the parameters are what the message says.
pub(crate) unsafe fn run_here(call: &Call) -> isize {
    match procedure(call.window) {
        // SAFETY: R1 and the caller's promise.
        Some((procedure, charset)) => unsafe { run_converted(procedure, charset, call) },
        None => 0,
    }
}

/// Tells a sender its answer.
pub(crate) fn run_callback(called: Called) {
    let Called { callback, data, window, message, value } = called;
    // SAFETY: whoever sent promised that it can be called with this data.
    unsafe { callback(window as usize, message, data, value) }
}

/// Runs a timer's procedure.
pub(crate) fn run_timer(procedure: TimerProcedure, window: u32, timer: usize, time: u32) {
    // SAFETY: whoever set the timer promised that it can be called until it is killed.
    unsafe { procedure(window as usize, crate::window::message::WM_TIMER, timer, time) }
}
