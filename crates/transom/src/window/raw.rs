//! The calls as Win32 has them, by number and pointer: what [`Class`](super) and its like are made of, and what
//! `libtransom` exports.
//!
//! # Safety
//! What is unsafe here passes the caller's promise on.
#![allow(unsafe_code)]

use super::{WindowHandle, imp};
use crate::error::Result;
use crate::handle::Handle;
use crate::wait::{Timeout, Wait};

/// A window procedure (`WNDPROC`): window, message, wParam, lParam; its result goes to the sender.
pub type Procedure = unsafe extern "system-unwind" fn(usize, u32, usize, isize) -> isize;

/// What [`send_callback`] calls (`SENDASYNCPROC`): window, message, data, result.
pub type SendCallback = unsafe extern "system-unwind" fn(usize, u32, usize, isize);

/// What a timer calls (`TIMERPROC`): window, `WM_TIMER`, timer, milliseconds since the system started.
pub type TimerProcedure = unsafe extern "system-unwind" fn(usize, u32, usize, u32);

/// Which of the two forms of a call is meant: text in messages is converted for receivers of the other form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charset {
    /// The A form: text is in the narrow code page (on Linux UTF-8).
    Narrow,
    /// The W form: text is UTF-16.
    Wide,
}

/// A class, or another name of the desktop's table, by text or by number (`MAKEINTATOM`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name<'a> {
    /// By its text, in UTF-16 without a terminator; case does not matter.
    Text(&'a [u16]),
    /// By its number.
    Atom(u16),
}

/// What a class is (`WNDCLASSEX`). Pointers and handles that mean nothing without a display are kept as they are.
#[derive(Debug, Clone)]
pub struct ClassDefinition {
    /// Its name, in UTF-16.
    pub name: Vec<u16>,
    /// Whether its windows are narrow or wide.
    pub charset: Charset,
    /// What its windows call.
    pub procedure: Procedure,
    /// `CS_` flags.
    pub style: u32,
    /// `cbClsExtra`, bytes.
    pub class_extra: i32,
    /// `cbWndExtra`: bytes that each window has for its program, zero at first.
    pub window_extra: i32,
    /// `hInstance`.
    pub instance: usize,
    /// `hIcon`.
    pub icon: usize,
    /// `hCursor`.
    pub cursor: usize,
    /// `hbrBackground`.
    pub background: usize,
    /// `lpszMenuName`, as a number.
    pub menu_name: usize,
    /// `hIconSm`.
    pub small_icon: usize,
}

/// What [`create`] is told (`CreateWindowEx`).
#[derive(Debug, Clone, Copy)]
pub struct Creation<'a> {
    /// The class.
    pub class: Name<'a>,
    /// The title, in UTF-16; `None` is as an empty one.
    pub title: Option<&'a [u16]>,
    /// `WS_` flags.
    pub style: u32,
    /// `WS_EX_` flags.
    pub ex_style: u32,
    /// x, y, width, height.
    pub rectangle: [i32; 4],
    /// [`WindowHandle::NULL`] makes a top-level window, [`WindowHandle::MESSAGE`] a message-only one.
    pub parent: WindowHandle,
    /// `hMenu`, or the number of a child.
    pub menu: usize,
    /// `hInstance`.
    pub instance: usize,
    /// `lpParam`: arrives as `CREATESTRUCT.lpCreateParams`.
    pub parameter: usize,
    /// Which form of the call: text in `WM_NCCREATE` is as the window has it in any case.
    pub charset: Charset,
}

/// A message as [`get`] gives it (`MSG`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Message {
    /// For which window; [`WindowHandle::NULL`] for one that was posted to the thread.
    pub window: WindowHandle,
    /// Its number.
    pub message: u32,
    /// Its first parameter.
    pub wparam: usize,
    /// Its second parameter.
    pub lparam: isize,
    /// When it was posted: milliseconds since the system started, as `GetTickCount` counts them.
    pub time: u32,
}

/// What `WM_COPYDATA` points to (`COPYDATASTRUCT`).
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct CopyData {
    /// `dwData`.
    pub(crate) tag: usize,
    /// `cbData`.
    pub(crate) length: u32,
    /// `lpData`.
    pub(crate) bytes: *const u8,
}

/// How [`wait`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageWait {
    /// As a wait for objects ends.
    Objects(Wait),
    /// There is something in the queue (`WAIT_OBJECT_0` + number of objects).
    Input,
    /// A call was made to this thread (`WAIT_IO_COMPLETION`). Windows only; on Linux such calls are `libtransom`'s.
    Called,
}

// Classes

/// `RegisterClassEx`: makes a class known to this process; its number in the desktop's table of names.
///
/// # Errors
/// `ERROR_CLASS_ALREADY_EXISTS` (1410): this process has one of that name, in any case. `ERROR_INVALID_PARAMETER` (87): an empty
/// name, one of more than 255 units, or negative extra bytes.
#[doc(alias = "RegisterClassEx")]
pub fn register_class(definition: &ClassDefinition) -> Result<u16> {
    imp::register_class(definition)
}

/// `UnregisterClass`.
///
/// # Errors
/// `ERROR_CLASS_DOES_NOT_EXIST` (1411). `ERROR_CLASS_HAS_WINDOWS` (1412).
#[doc(alias = "UnregisterClass")]
pub fn unregister_class(name: Name<'_>) -> Result<()> {
    imp::unregister_class(name)
}

/// `GetClassInfoEx`: a class of this process and its number.
///
/// # Errors
/// `ERROR_CLASS_DOES_NOT_EXIST` (1411).
#[doc(alias = "GetClassInfoEx")]
pub fn class(name: Name<'_>) -> Result<(u16, ClassDefinition)> {
    imp::class(name)
}

// Windows

/// `CreateWindowEx`: a window of the calling thread. Its procedure gets `WM_NCCREATE` and `WM_CREATE` before this returns.
///
/// # Errors
/// `ERROR_CANNOT_FIND_WND_CLASS` (1407). `ERROR_TLW_WITH_WSCHILD` (1406): `WS_CHILD` without a parent.
/// `ERROR_INVALID_WINDOW_HANDLE` (1400): the parent. 0: the procedure refused (rule 2).
#[doc(alias = "CreateWindowEx")]
pub fn create(creation: &Creation<'_>) -> Result<WindowHandle> {
    imp::create(creation)
}

/// `DestroyWindow`: `WM_DESTROY`, the children, `WM_NCDESTROY`; what was posted to it is dropped.
///
/// # Errors
/// 1400. `ERROR_ACCESS_DENIED` (5): it belongs to another thread.
#[doc(alias = "DestroyWindow")]
pub fn destroy(window: WindowHandle) -> Result<()> {
    imp::destroy(window)
}

/// `IsWindow`: whether it exists. A window of a killed process does not, from the moment of its death on.
#[doc(alias = "IsWindow")]
pub fn is_window(window: WindowHandle) -> bool {
    imp::is_window(window)
}

/// `IsWindowUnicode`.
///
/// # Errors
/// 1400.
#[doc(alias = "IsWindowUnicode")]
pub fn charset(window: WindowHandle) -> Result<Charset> {
    imp::charset(window)
}

/// `GetClassName`: in the spelling of the first registration (rule 1).
///
/// # Errors
/// 1400.
#[doc(alias = "GetClassName")]
pub fn class_name(window: WindowHandle) -> Result<Vec<u16>> {
    imp::class_name(window)
}

/// `GetWindowThreadProcessId`: the numbers of its thread and of that one's process.
///
/// # Errors
/// 1400.
#[doc(alias = "GetWindowThreadProcessId")]
pub fn owner(window: WindowHandle) -> Result<(u32, u32)> {
    imp::owner(window)
}

/// `GetWindowText`, whole: a window of this process is asked by `WM_GETTEXT`; of another process's the stored title is read.
///
/// # Errors
/// 1400.
#[doc(alias = "GetWindowText")]
pub fn text(window: WindowHandle) -> Result<Vec<u16>> {
    imp::text(window)
}

/// `GetWindowTextLength`: UTF-16 units of the same.
///
/// # Errors
/// 1400.
#[doc(alias = "GetWindowTextLength")]
pub fn text_length(window: WindowHandle) -> Result<usize> {
    imp::text_length(window)
}

/// `SetWindowText`: sends `WM_SETTEXT`; whether the procedure took it.
///
/// # Errors
/// As [`send`].
#[doc(alias = "SetWindowText")]
pub fn set_text(window: WindowHandle, text: &[u16], charset: Charset) -> Result<bool> {
    imp::set_text(window, text, charset)
}

/// `GetWindowLongPtr`: a `GWLP_` value, or the extra bytes from `index` on.
///
/// # Errors
/// 1400. `ERROR_INVALID_INDEX` (1413). `ERROR_ACCESS_DENIED` (5): the procedure of another process's window.
#[doc(alias = "GetWindowLongPtr")]
pub fn long(window: WindowHandle, index: i32) -> Result<isize> {
    imp::long(window, index)
}

/// `SetWindowLongPtr`: the value before. A new procedure's form is `charset`.
///
/// # Errors
/// As [`long`].
///
/// # Safety
/// With `GWLP_WNDPROC` the value is a [`Procedure`].
#[doc(alias = "SetWindowLongPtr")]
pub unsafe fn set_long(window: WindowHandle, index: i32, value: isize, charset: Charset) -> Result<isize> {
    // SAFETY: the caller's promise.
    unsafe { imp::set_long(window, index, value, charset) }
}

/// `GetWindowLong`: 32 bits of the same, so that extra bytes can be taken by fours.
///
/// # Errors
/// As [`long`]; 1413 also for the procedure, which does not fit.
#[doc(alias = "GetWindowLong")]
pub fn long32(window: WindowHandle, index: i32) -> Result<i32> {
    imp::long32(window, index)
}

/// `SetWindowLong`: the value before.
///
/// # Errors
/// As [`long32`].
#[doc(alias = "SetWindowLong")]
pub fn set_long32(window: WindowHandle, index: i32, value: i32) -> Result<i32> {
    imp::set_long32(window, index, value)
}

/// `SetProp`.
///
/// # Errors
/// 1400. `ERROR_NOT_ENOUGH_MEMORY` (8): too many.
#[doc(alias = "SetProp")]
pub fn set_property(window: WindowHandle, name: Name<'_>, value: usize) -> Result<()> {
    imp::set_property(window, name, value)
}

/// `GetProp`, of any process's window.
///
/// # Errors
/// 1400.
#[doc(alias = "GetProp")]
pub fn property(window: WindowHandle, name: Name<'_>) -> Result<Option<usize>> {
    imp::property(window, name)
}

/// `RemoveProp`: what it was.
///
/// # Errors
/// 1400.
#[doc(alias = "RemoveProp")]
pub fn remove_property(window: WindowHandle, name: Name<'_>) -> Result<Option<usize>> {
    imp::remove_property(window, name)
}

/// `GetParent`: of a child its parent, of a top-level or message-only window `NULL`.
///
/// # Errors
/// 1400.
#[doc(alias = "GetParent")]
pub fn parent(window: WindowHandle) -> Result<WindowHandle> {
    imp::parent(window)
}

/// `SetParent`: the parent before. [`WindowHandle::MESSAGE`] makes a message-only window, `NULL` a top-level one.
///
/// # Errors
/// 1400. `ERROR_INVALID_PARAMETER` (87): it would be its own ancestor.
#[doc(alias = "SetParent")]
pub fn set_parent(window: WindowHandle, parent: WindowHandle) -> Result<WindowHandle> {
    imp::set_parent(window, parent)
}

/// `GetDesktopWindow`: the parent of top-level windows.
///
/// # Errors
/// The desktop cannot be reached.
#[doc(alias = "GetDesktopWindow")]
pub fn desktop() -> Result<WindowHandle> {
    imp::desktop_window()
}

// Finding

/// `FindWindowEx`: the first window, in Z order behind `after`, whose class and title match in full, without case (rules 5 to 8).
///
/// # Errors
/// 1400: parent or `after` is no window.
#[doc(alias = "FindWindowEx")]
pub fn find(
    parent: WindowHandle,
    after: WindowHandle,
    class: Option<Name<'_>>,
    title: Option<&[u16]>,
) -> Result<Option<WindowHandle>> {
    imp::find(parent, after, class, title)
}

/// `EnumWindows`: top-level windows in Z order.
///
/// # Errors
/// The desktop cannot be reached.
#[doc(alias = "EnumWindows")]
pub fn top_level() -> Result<Vec<WindowHandle>> {
    imp::top_level()
}

/// `EnumThreadWindows`: a thread's top-level windows.
///
/// # Errors
/// The desktop cannot be reached.
#[doc(alias = "EnumThreadWindows")]
pub fn of_thread(thread: u32) -> Result<Vec<WindowHandle>> {
    imp::of_thread(thread)
}

/// `EnumChildWindows`: all descendants, each before its own children. Of [`WindowHandle::MESSAGE`] the message-only windows;
/// of `NULL` or the desktop everything but those.
///
/// # Errors
/// 1400.
#[doc(alias = "EnumChildWindows")]
pub fn children(parent: WindowHandle) -> Result<Vec<WindowHandle>> {
    imp::children(parent)
}

// Names

/// `RegisterWindowMessage`, and `RegisterClipboardFormat`, which shares its numbers: 0xC000 to 0xFFFF, the same in every process.
///
/// # Errors
/// `ERROR_INVALID_PARAMETER` (87): empty, or more than 255 units. `ERROR_NOT_ENOUGH_MEMORY` (8): 16,384 names exist.
#[doc(alias = "RegisterWindowMessage")]
pub fn register_message(name: &[u16]) -> Result<u32> {
    imp::register_message(name)
}

/// The text of a class, message or format of the desktop's table (`GetClipboardFormatName`).
///
/// # Errors
/// The desktop cannot be reached.
#[doc(alias = "GetClipboardFormatName")]
pub fn name_of(number: u16) -> Result<Option<Vec<u16>>> {
    imp::name_of(number)
}

// Sending

/// `SendMessage`: runs the window's procedure, in its thread, and waits for the result; meanwhile this thread serves what is
/// sent to its own windows. 0 if the receiver is gone before it has answered.
///
/// # Blocking
/// Without limit.
///
/// # Errors
/// 1400.
///
/// # Safety
/// For the messages whose parameters are pointers (rule 21) they are what Windows documents, valid during the call.
#[doc(alias = "SendMessage")]
pub unsafe fn send(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<isize> {
    // SAFETY: the caller's promise.
    unsafe { imp::send(window, message, wparam, lparam, charset) }
}

/// `SendMessageTimeout`, with `SMTO_` flags.
///
/// # Errors
/// `ERROR_TIMEOUT` (1460): no answer in time, or the receiver is hung. 1400: no such window, or gone before it has answered.
///
/// # Safety
/// For the messages whose parameters are pointers (rule 21) they are what Windows documents, valid during the call.
#[doc(alias = "SendMessageTimeout")]
pub unsafe fn send_timeout(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    flags: u32,
    timeout: Timeout,
    charset: Charset,
) -> Result<isize> {
    // SAFETY: the caller's promise.
    unsafe { imp::send_timeout(window, message, wparam, lparam, flags, timeout, charset) }
}

/// `SendNotifyMessage`: does not wait for windows of other threads.
///
/// # Errors
/// 1400. `ERROR_MESSAGE_SYNC_ONLY` (1159).
///
/// # Safety
/// As [`send`], for windows of the calling thread.
#[doc(alias = "SendNotifyMessage")]
pub unsafe fn notify(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { imp::notify(window, message, wparam, lparam, charset) }
}

/// `SendMessageCallback`: `callback` is called in this thread, when it looks at its queue or waits in a send.
///
/// # Errors
/// As [`notify`].
///
/// # Safety
/// As [`send`]; `callback` can be called with `data`.
#[doc(alias = "SendMessageCallback")]
pub unsafe fn send_callback(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    callback: SendCallback,
    data: usize,
    charset: Charset,
) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { imp::send_callback(window, message, wparam, lparam, callback, data, charset) }
}

/// `ReplyMessage`: lets the sender go on with this result; whether a message of another thread's is being handled.
#[doc(alias = "ReplyMessage")]
pub fn reply(result: isize) -> bool {
    imp::reply(result)
}

/// `InSendMessageEx`: `ISMEX_` bits.
#[doc(alias = "InSendMessageEx")]
pub fn in_send() -> u32 {
    imp::in_send()
}

/// `PostMessage`: puts a message into the queue of the window's thread; `NULL` means the calling thread, `BROADCAST` every
/// top-level window.
///
/// # Errors
/// 1400. 1159: its parameters are pointers. `ERROR_NOT_ENOUGH_QUOTA` (1816): 10,000 are waiting there.
#[doc(alias = "PostMessage")]
pub fn post(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> Result<()> {
    imp::post(window, message, wparam, lparam, charset)
}

/// `PostThreadMessage`.
///
/// # Errors
/// `ERROR_INVALID_THREAD_ID` (1444): no such thread, or it has no queue. 1159, 1816 as [`post`].
#[doc(alias = "PostThreadMessage")]
pub fn post_thread(thread: u32, message: u32, wparam: usize, lparam: isize, charset: Charset) -> Result<()> {
    imp::post_thread(thread, message, wparam, lparam, charset)
}

/// `PostQuitMessage`: `WM_QUIT` appears when no posted message is left.
#[doc(alias = "PostQuitMessage")]
pub fn post_quit(code: i32) {
    imp::post_quit(code)
}

// Retrieving

/// `GetMessage`: the next message for `window` and its children (`NULL`: any) between the two numbers (0, 0: any); serves what is
/// sent meanwhile. `WM_QUIT` is a message like others.
///
/// # Blocking
/// Until there is one.
///
/// # Errors
/// 1400: the filter is no window.
#[doc(alias = "GetMessage")]
pub fn get(window: WindowHandle, first: u32, last: u32, charset: Charset) -> Result<Message> {
    imp::get(window, first, last, charset)
}

/// `PeekMessage`: the same without waiting, with `PM_` flags.
///
/// # Errors
/// 1400.
#[doc(alias = "PeekMessage")]
pub fn peek(
    window: WindowHandle,
    first: u32,
    last: u32,
    flags: u32,
    charset: Charset,
) -> Result<Option<Message>> {
    imp::peek(window, first, last, flags, charset)
}

/// `DispatchMessage`: runs the window's procedure, or a timer's.
///
/// # Safety
/// What the message carries is as its procedure expects it.
#[doc(alias = "DispatchMessage")]
pub unsafe fn dispatch(message: &Message, charset: Charset) -> isize {
    // SAFETY: the caller's promise.
    unsafe { imp::dispatch(message, charset) }
}

/// `DefWindowProc`: keeps the title, allows creation, destroys on `WM_CLOSE`; else 0.
///
/// # Safety
/// As [`send`].
#[doc(alias = "DefWindowProc")]
pub unsafe fn default_procedure(
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { imp::default_procedure(window, message, wparam, lparam, charset) }
}

/// `CallWindowProc`: runs a procedure that [`set_long`] replaced, with texts in its form.
///
/// # Safety
/// `procedure` came from [`long`] or [`set_long`]; else as [`send`].
#[doc(alias = "CallWindowProc")]
pub unsafe fn call_procedure(
    procedure: Procedure,
    window: WindowHandle,
    message: u32,
    wparam: usize,
    lparam: isize,
    charset: Charset,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { imp::call_procedure(procedure, window, message, wparam, lparam, charset) }
}

/// `GetQueueStatus`: low word what is new since last asked, high word what is there.
///
/// # Errors
/// `ERROR_INVALID_FLAGS` (1004).
#[doc(alias = "GetQueueStatus")]
pub fn queue_status(flags: u32) -> Result<u32> {
    imp::queue_status(flags)
}

/// `WaitMessage`: until there is something new in the queue; serves what is sent meanwhile.
///
/// # Errors
/// The desktop cannot be reached.
#[doc(alias = "WaitMessage")]
pub fn wait_message() -> Result<()> {
    imp::wait_message()
}

/// `MsgWaitForMultipleObjectsEx`: until an object is signalled, or all with `MWMO_WAITALL`, or something of `mask` is new in the
/// queue (rule 33). Sent messages are not served here: the next [`peek`] does that.
///
/// # Errors
/// As [`wait::any`](crate::wait::any); 87: more than 63 objects; 1004: undefined `QS_` bits.
#[doc(alias = "MsgWaitForMultipleObjectsEx")]
pub fn wait(objects: &[&Handle], timeout: Timeout, mask: u32, flags: u32) -> Result<MessageWait> {
    imp::wait(objects, timeout, mask, flags)
}

/// `SetTimer`: `WM_TIMER` every `period` milliseconds (at least 10), never two of one timer at a time; its number.
///
/// # Errors
/// 1400. 5: a window of another thread.
///
/// # Safety
/// `procedure` can be called until the timer is killed.
#[doc(alias = "SetTimer")]
pub unsafe fn set_timer(
    window: WindowHandle,
    timer: usize,
    period: u32,
    procedure: Option<TimerProcedure>,
) -> Result<usize> {
    // SAFETY: the caller's promise.
    unsafe { imp::set_timer(window, timer, period, procedure) }
}

/// `KillTimer`.
///
/// # Errors
/// 1400. `ERROR_INVALID_PARAMETER` (87): no such timer.
#[doc(alias = "KillTimer")]
pub fn kill_timer(window: WindowHandle, timer: usize) -> Result<()> {
    imp::kill_timer(window, timer)
}

/// `IsHungAppWindow`: whether its thread has not looked at its queue for 5 seconds (rule 40).
#[doc(alias = "IsHungAppWindow")]
pub fn is_hung(window: WindowHandle) -> bool {
    imp::is_hung(window)
}
