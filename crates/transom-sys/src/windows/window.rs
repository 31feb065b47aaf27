//! Windows: their classes, names and places.
//!
//! A window is its number ([`Window`]), as a handle is: the system looks it up and answers 1400. Text is UTF-16; which of
//! the two forms of a call is made matters only where a message or a procedure passes through it.
//!
//! # Safety
//! The calls take numbers, terminated strings, structures that outlive them, and locals for results. Those that run
//! procedures, or take what a procedure will read, pass their caller's promise on.
#![allow(unsafe_code)]

use std::mem;
use std::ptr;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_INDEX, ERROR_INVALID_PARAMETER, ERROR_INVALID_WINDOW_HANDLE, HANDLE, HWND, LPARAM,
};
use windows_sys::Win32::Globalization::{CP_ACP, WideCharToMultiByte};
use windows_sys::Win32::System::DataExchange::GetClipboardFormatNameW;
use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
use windows_sys::Win32::UI::WindowsAndMessaging::{
    CreateWindowExW, DestroyWindow, EnumChildWindows, EnumThreadWindows, EnumWindows, FindWindowExW,
    GA_PARENT, GWLP_WNDPROC, GetAncestor, GetClassInfoExA, GetClassInfoExW, GetClassNameW, GetDesktopWindow,
    GetParent, GetPropW, GetWindowLongPtrA, GetWindowLongPtrW, GetWindowLongW, GetWindowTextLengthW,
    GetWindowTextW, GetWindowThreadProcessId, HWND_MESSAGE, IsHungAppWindow, IsWindow, IsWindowUnicode,
    RegisterClassExA, RegisterClassExW, RegisterWindowMessageW, RemovePropW, SetParent, SetPropW,
    SetWindowLongPtrA, SetWindowLongPtrW, SetWindowLongW, SetWindowTextW, UnregisterClassW, WNDCLASSEXA,
    WNDCLASSEXW, WNDPROC,
};

use super::{Result, Wide, check, clear_last_error, from_api, last_error, to_api};

/// An `HWND` as its number; 0 is `NULL`.
pub type Window = usize;

/// `WNDPROC`.
pub type Procedure = unsafe extern "system-unwind" fn(usize, u32, usize, isize) -> isize;

/// A class or property by text, or by number (`MAKEINTATOM`).
#[derive(Debug, Clone, Copy)]
pub enum Name<'a> {
    /// UTF-16 without terminator.
    Text(&'a [u16]),
    /// The number.
    Atom(u16),
}

/// What `RegisterClassEx` is given beside the name.
#[derive(Debug, Clone, Copy)]
pub struct Class {
    /// Whether this is the W form.
    pub wide: bool,
    /// `lpfnWndProc`.
    pub procedure: Procedure,
    /// `style`.
    pub style: u32,
    /// `cbClsExtra`.
    pub class_extra: i32,
    /// `cbWndExtra`.
    pub window_extra: i32,
    /// `hInstance`; 0 = the program's.
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

/// What `CreateWindowEx` is given.
#[derive(Debug, Clone, Copy)]
pub struct Creation<'a> {
    /// `lpClassName`.
    pub class: Name<'a>,
    /// `lpWindowName`.
    pub title: Option<&'a [u16]>,
    /// `dwStyle`.
    pub style: u32,
    /// `dwExStyle`.
    pub ex_style: u32,
    /// x, y, width, height.
    pub rectangle: [i32; 4],
    /// `hWndParent`.
    pub parent: Window,
    /// `hMenu`.
    pub menu: usize,
    /// `hInstance`; 0 = the program's.
    pub instance: usize,
    /// `lpParam`.
    pub parameter: usize,
}

/// `RegisterClassEx`.
///
/// # Errors
/// As the call; 87 for a narrow class whose name the code page cannot express.
pub fn register_class(name: &[u16], class: &Class) -> Result<u16> {
    let wide_name = Wide::new(Some(name))?;
    let wide = WNDCLASSEXW {
        cbSize: size_of::<WNDCLASSEXW>() as u32,
        style: class.style,
        lpfnWndProc: to_procedure(class.procedure),
        cbClsExtra: class.class_extra,
        cbWndExtra: class.window_extra,
        hInstance: to_api(instance_or_own(class.instance)),
        hIcon: to_api(class.icon),
        hCursor: to_api(class.cursor),
        hbrBackground: to_api(class.background),
        lpszMenuName: ptr::without_provenance(class.menu_name),
        lpszClassName: wide_name.as_ptr(),
        hIconSm: to_api(class.small_icon),
    };
    let atom = if class.wide {
        // SAFETY: the structure and its name outlive the call; what the procedure does is its owner's to answer for.
        unsafe { RegisterClassExW(&raw const wide) }
    } else {
        let narrow_name = narrow(name)?;
        let narrow = WNDCLASSEXA {
            cbSize: size_of::<WNDCLASSEXA>() as u32,
            style: wide.style,
            lpfnWndProc: wide.lpfnWndProc,
            cbClsExtra: wide.cbClsExtra,
            cbWndExtra: wide.cbWndExtra,
            hInstance: wide.hInstance,
            hIcon: wide.hIcon,
            hCursor: wide.hCursor,
            hbrBackground: wide.hbrBackground,
            lpszMenuName: ptr::without_provenance(class.menu_name),
            lpszClassName: narrow_name.as_ptr(),
            hIconSm: wide.hIconSm,
        };
        // SAFETY: as above.
        unsafe { RegisterClassExA(&raw const narrow) }
    };
    if atom == 0 { Err(last_error()) } else { Ok(atom) }
}

/// `UnregisterClass`, of the program's own instance.
///
/// # Errors
/// As the call.
pub fn unregister_class(name: Name<'_>) -> Result<()> {
    let name = NameArgument::new(name)?;
    // SAFETY: the name is terminated or a number. The system refuses while windows of the class exist.
    check(unsafe { UnregisterClassW(name.as_ptr(), to_api(own_instance())) })
}

/// `GetClassInfoEx`, of the program's own instance: the number, and what it was registered with.
///
/// # Errors
/// As the call.
pub fn class(name: Name<'_>) -> Result<(u16, Class)> {
    let argument = NameArgument::new(name)?;
    let mut wide = WNDCLASSEXW { cbSize: size_of::<WNDCLASSEXW>() as u32, ..WNDCLASSEXW::default() };
    // SAFETY: the name is terminated or a number; `wide` is a local for the result, with its size.
    let atom = unsafe { GetClassInfoExW(to_api(own_instance()), argument.as_ptr(), &raw mut wide) };
    if atom == 0 {
        return Err(last_error());
    }
    // The result is the atom, which has 16 bits.
    let atom = atom as u16;
    let mut procedure = wide.lpfnWndProc;
    let is_wide = !is_thunk(procedure);
    if !is_wide {
        let mut narrow = WNDCLASSEXA { cbSize: size_of::<WNDCLASSEXA>() as u32, ..WNDCLASSEXA::default() };
        let number = ptr::without_provenance(usize::from(atom));
        // SAFETY: as above; the name is a number.
        if unsafe { GetClassInfoExA(to_api(own_instance()), number, &raw mut narrow) } == 0 {
            return Err(last_error());
        }
        procedure = narrow.lpfnWndProc;
    }
    // SAFETY: two types of one function pointer, which differ in how they spell its arguments.
    let procedure = unsafe { mem::transmute::<WNDPROC, Option<Procedure>>(procedure) };
    let class = Class {
        wide: is_wide,
        procedure: procedure.ok_or(ERROR_INVALID_PARAMETER)?,
        style: wide.style,
        class_extra: wide.cbClsExtra,
        window_extra: wide.cbWndExtra,
        instance: from_api(wide.hInstance),
        icon: from_api(wide.hIcon),
        cursor: from_api(wide.hCursor),
        background: from_api(wide.hbrBackground),
        menu_name: wide.lpszMenuName.addr(),
        small_icon: from_api(wide.hIconSm),
    };
    Ok((atom, class))
}

/// `CreateWindowEx`. 0 is the code if the procedure refused.
///
/// # Errors
/// As the call.
pub fn create(creation: &Creation<'_>) -> Result<Window> {
    let class = NameArgument::new(creation.class)?;
    let title = Wide::new(creation.title)?;
    let [x, y, width, height] = creation.rectangle;
    clear_last_error();
    // SAFETY: the strings are terminated and outlive the call; the rest are numbers. The class's procedure runs, and gets
    // `parameter` as the number it is.
    let window = unsafe {
        CreateWindowExW(
            creation.ex_style,
            class.as_ptr(),
            title.as_ptr(),
            creation.style,
            x,
            y,
            width,
            height,
            to_api(creation.parent),
            to_api(creation.menu),
            to_api(instance_or_own(creation.instance)),
            ptr::with_exposed_provenance(creation.parameter),
        )
    };
    if window.is_null() { Err(last_error()) } else { Ok(from_api(window)) }
}

/// `DestroyWindow`.
///
/// # Errors
/// As the call.
pub fn destroy(window: Window) -> Result<()> {
    // SAFETY: takes a number only; the procedure of an own window runs.
    check(unsafe { DestroyWindow(to_api(window)) })
}

/// `IsWindow`.
#[must_use]
pub fn is_window(window: Window) -> bool {
    // SAFETY: takes a number only.
    unsafe { IsWindow(to_api(window)) != 0 }
}

/// `IsWindowUnicode`.
///
/// # Errors
/// 1400: the call does not tell a narrow window from none.
pub fn is_wide(window: Window) -> Result<bool> {
    // SAFETY: takes a number only.
    let wide = unsafe { IsWindowUnicode(to_api(window)) != 0 };
    if !wide && !is_window(window) { Err(ERROR_INVALID_WINDOW_HANDLE) } else { Ok(wide) }
}

/// `GetClassName`.
///
/// # Errors
/// As the call.
pub fn class_name(window: Window) -> Result<Vec<u16>> {
    // The longest name has 255 units.
    let mut name = [0; 257];
    // SAFETY: `name` has room for as many units as is said.
    let length = unsafe { GetClassNameW(to_api(window), name.as_mut_ptr(), name.len() as i32) };
    match usize::try_from(length) {
        Ok(length) if length > 0 => Ok(name[..length.min(name.len())].to_vec()),
        _ => Err(last_error()),
    }
}

/// `GetWindowThreadProcessId`: thread, process.
///
/// # Errors
/// As the call.
pub fn owner(window: Window) -> Result<(u32, u32)> {
    let mut process = 0;
    // SAFETY: `process` is a local for the result.
    match unsafe { GetWindowThreadProcessId(to_api(window), &raw mut process) } {
        0 => Err(last_error()),
        thread => Ok((thread, process)),
    }
}

/// `GetWindowText`, whole.
///
/// # Errors
/// As the call.
pub fn text(window: Window) -> Result<Vec<u16>> {
    let mut room = text_length(window)? + 1;
    loop {
        let mut text = vec![0; room];
        let count = i32::try_from(room).map_err(|_| ERROR_INVALID_PARAMETER)?;
        clear_last_error();
        // SAFETY: `text` has room for `count` units.
        let length = unsafe { GetWindowTextW(to_api(window), text.as_mut_ptr(), count) };
        let length = checked_length(length)?;
        // A full buffer may be a part of what somebody has just set. What a procedure says it has written may be more.
        let now = if length + 1 < room { 0 } else { text_length(window)? + 1 };
        if now <= room || room > 1 << 24 {
            text.truncate(length.min(room - 1));
            return Ok(text);
        }
        room = now;
    }
}

/// `GetWindowTextLength`.
///
/// # Errors
/// As the call.
pub fn text_length(window: Window) -> Result<usize> {
    clear_last_error();
    // SAFETY: takes a number only.
    checked_length(unsafe { GetWindowTextLengthW(to_api(window)) })
}

/// `SetWindowText`.
///
/// # Errors
/// As the call.
pub fn set_text(window: Window, text: &[u16]) -> Result<()> {
    let text = Wide::new(Some(text))?;
    // SAFETY: the text is terminated and outlives the call.
    check(unsafe { SetWindowTextW(to_api(window), text.as_ptr()) })
}

/// `GetWindowLongPtr`.
///
/// # Errors
/// As the call.
pub fn long(window: Window, index: i32) -> Result<isize> {
    // The other form would give a stand-in for the procedure.
    let narrow = index == GWLP_WNDPROC && !is_wide(window)?;
    clear_last_error();
    // SAFETY: takes numbers only.
    let value = unsafe {
        if narrow {
            GetWindowLongPtrA(to_api(window), index)
        } else {
            GetWindowLongPtrW(to_api(window), index)
        }
    };
    zero_or_code(value)
}

/// `SetWindowLongPtr`.
///
/// # Errors
/// As the call.
///
/// # Safety
/// With `GWLP_WNDPROC` the value is a procedure of the form that `wide` says.
pub unsafe fn set_long(window: Window, index: i32, value: isize, wide: bool) -> Result<isize> {
    clear_last_error();
    // SAFETY: numbers, but for a procedure, for which the caller answers.
    let before = unsafe {
        if wide {
            SetWindowLongPtrW(to_api(window), index, value)
        } else {
            SetWindowLongPtrA(to_api(window), index, value)
        }
    };
    zero_or_code(before)
}

/// `GetWindowLong`.
///
/// # Errors
/// As the call; 1413 for the procedure, which the call would give a half of.
pub fn long32(window: Window, index: i32) -> Result<i32> {
    if index == GWLP_WNDPROC {
        return Err(ERROR_INVALID_INDEX);
    }
    clear_last_error();
    // SAFETY: takes numbers only.
    let value = unsafe { GetWindowLongW(to_api(window), index) };
    zero_or_code(value as isize).map(|value| value as i32)
}

/// `SetWindowLong`.
///
/// # Errors
/// As [`long32`].
pub fn set_long32(window: Window, index: i32, value: i32) -> Result<i32> {
    if index == GWLP_WNDPROC {
        return Err(ERROR_INVALID_INDEX);
    }
    clear_last_error();
    // SAFETY: numbers, and not a procedure.
    let before = unsafe { SetWindowLongW(to_api(window), index, value) };
    zero_or_code(before as isize).map(|before| before as i32)
}

/// `SetProp`.
///
/// # Errors
/// As the call.
pub fn set_property(window: Window, name: Name<'_>, value: usize) -> Result<()> {
    let name = NameArgument::new(name)?;
    // SAFETY: the name is terminated or a number; the value is never looked into.
    check(unsafe { SetPropW(to_api(window), name.as_ptr(), to_api(value)) })
}

/// `GetProp`; `None` = there is none.
///
/// # Errors
/// 1400.
pub fn property(window: Window, name: Name<'_>) -> Result<Option<usize>> {
    let name = NameArgument::new(name)?;
    // SAFETY: the name is terminated or a number.
    let value = unsafe { GetPropW(to_api(window), name.as_ptr()) };
    property_or_none(window, value)
}

/// `RemoveProp`; `None` = there was none.
///
/// # Errors
/// 1400.
pub fn remove_property(window: Window, name: Name<'_>) -> Result<Option<usize>> {
    let name = NameArgument::new(name)?;
    // SAFETY: the name is terminated or a number.
    let value = unsafe { RemovePropW(to_api(window), name.as_ptr()) };
    property_or_none(window, value)
}

/// `GetParent`; 0 = none.
///
/// # Errors
/// As the call.
pub fn parent(window: Window) -> Result<Window> {
    clear_last_error();
    // SAFETY: takes a number only.
    null_or_code(unsafe { GetParent(to_api(window)) })
}

/// `SetParent`: the parent before.
///
/// # Errors
/// As the call.
pub fn set_parent(window: Window, parent: Window) -> Result<Window> {
    clear_last_error();
    // SAFETY: takes numbers only.
    null_or_code(unsafe { SetParent(to_api(window), to_api(parent)) })
}

/// `GetDesktopWindow`.
#[must_use]
pub fn desktop() -> Window {
    // SAFETY: takes nothing.
    from_api(unsafe { GetDesktopWindow() })
}

/// `FindWindowEx`. Without a result any code but 1400 means nothing.
///
/// # Errors
/// 1400.
pub fn find(
    parent: Window,
    after: Window,
    class: Option<Name<'_>>,
    title: Option<&[u16]>,
) -> Result<Option<Window>> {
    let class = class.map(NameArgument::new).transpose()?;
    let title = Wide::new(title)?;
    let class_pointer = class.as_ref().map_or(ptr::null(), NameArgument::as_ptr);
    clear_last_error();
    // SAFETY: the strings are terminated and outlive the call; `NULL` means any.
    let found = unsafe { FindWindowExW(to_api(parent), to_api(after), class_pointer, title.as_ptr()) };
    match last_error() {
        _ if !found.is_null() => Ok(Some(from_api(found))),
        ERROR_INVALID_WINDOW_HANDLE => Err(ERROR_INVALID_WINDOW_HANDLE),
        _ => Ok(None),
    }
}

/// `EnumWindows`.
///
/// # Errors
/// As the call.
pub fn top_level() -> Result<Vec<Window>> {
    let mut list = Vec::new();
    // SAFETY: `note` is called during the call only, with the address of `list`.
    check(unsafe { EnumWindows(Some(note), list_parameter(&mut list)) })?;
    Ok(list)
}

/// `EnumThreadWindows`, whose result does not tell none from failure.
#[must_use]
pub fn of_thread(thread: u32) -> Vec<Window> {
    let mut list = Vec::new();
    // SAFETY: as in `top_level`.
    unsafe { EnumThreadWindows(thread, Some(note), list_parameter(&mut list)) };
    list
}

/// `EnumChildWindows`, whose result means nothing.
///
/// # Errors
/// 1400.
pub fn children(parent: Window) -> Result<Vec<Window>> {
    let mut list = Vec::new();
    clear_last_error();
    // SAFETY: as in `top_level`.
    unsafe { EnumChildWindows(to_api(parent), Some(note), list_parameter(&mut list)) };
    if list.is_empty() && !is_window(parent) { Err(ERROR_INVALID_WINDOW_HANDLE) } else { Ok(list) }
}

/// `GetAncestor` with `GA_PARENT`: the parent also of a top-level or message-only window; 0 = none.
#[must_use]
pub fn true_parent(window: Window) -> Window {
    // SAFETY: takes numbers only.
    from_api(unsafe { GetAncestor(to_api(window), GA_PARENT) })
}

/// `RegisterWindowMessage`.
///
/// # Errors
/// As the call.
pub fn register_message(name: &[u16]) -> Result<u32> {
    let name = Wide::new(Some(name))?;
    // SAFETY: the name is terminated and outlives the call.
    match unsafe { RegisterWindowMessageW(name.as_ptr()) } {
        0 => Err(last_error()),
        number => Ok(number),
    }
}

/// `GetClipboardFormatName`; `None` = no such name.
#[must_use]
pub fn name_of(number: u16) -> Option<Vec<u16>> {
    let mut name = [0; 257];
    // SAFETY: `name` has room for as many units as is said.
    let length = unsafe { GetClipboardFormatNameW(number.into(), name.as_mut_ptr(), name.len() as i32) };
    let length = usize::try_from(length).unwrap_or(0).min(name.len());
    (length > 0).then(|| name[..length].to_vec())
}

/// `IsHungAppWindow`.
#[must_use]
pub fn is_hung(window: Window) -> bool {
    // SAFETY: takes a number only.
    unsafe { IsHungAppWindow(to_api(window)) != 0 }
}

/// The number of `HWND_MESSAGE`.
#[must_use]
pub fn message_parent() -> Window {
    from_api(HWND_MESSAGE)
}

/// A name as the calls take it.
struct NameArgument {
    text: Wide,
    atom: Option<u16>,
}

impl NameArgument {
    fn new(name: Name<'_>) -> Result<NameArgument> {
        Ok(match name {
            Name::Text(units) => NameArgument { text: Wide::new(Some(units))?, atom: None },
            Name::Atom(atom) => NameArgument { text: Wide::new(None)?, atom: Some(atom) },
        })
    }

    fn as_ptr(&self) -> *const u16 {
        match self.atom {
            Some(atom) => ptr::without_provenance(usize::from(atom)),
            None => self.text.as_ptr(),
        }
    }
}

/// A text in the narrow code page, terminated.
fn narrow(text: &[u16]) -> Result<Vec<u8>> {
    if text.is_empty() {
        return Ok(vec![0]);
    }
    let length = i32::try_from(text.len()).map_err(|_| ERROR_INVALID_PARAMETER)?;
    let (no_text, no_flag) = (ptr::null(), ptr::null_mut());
    // SAFETY: `text` has `length` units; no room means: tell how much is needed.
    let needed = unsafe {
        WideCharToMultiByte(CP_ACP, 0, text.as_ptr(), length, ptr::null_mut(), 0, no_text, no_flag)
    };
    let mut bytes = vec![0_u8; usize::try_from(needed).unwrap_or(0) + 1];
    // SAFETY: as above; there is room for `needed` bytes and the terminator.
    let made = unsafe {
        WideCharToMultiByte(
            CP_ACP,
            0,
            text.as_ptr(),
            length,
            bytes.as_mut_ptr(),
            needed,
            ptr::null(),
            ptr::null_mut(),
        )
    };
    if made == 0 { Err(last_error()) } else { Ok(bytes) }
}

pub(super) fn to_procedure(procedure: Procedure) -> WNDPROC {
    // SAFETY: two types of one function pointer, which differ in how they spell its arguments.
    unsafe { mem::transmute::<Option<Procedure>, WNDPROC>(Some(procedure)) }
}

/// Whether this is a number that stands for a procedure of the other form: those lie where no code does.
fn is_thunk(procedure: WNDPROC) -> bool {
    let address = procedure.map_or(0, |procedure| procedure as usize);
    let high = (address as u64) >> 32;
    (high == 0 || high == u64::from(u32::MAX)) && address as u32 >= 0xFFFF_0000
}

/// The program's own `HINSTANCE`, in which classes are registered that name none.
fn own_instance() -> usize {
    // SAFETY: no name means the program itself, which is there.
    from_api(unsafe { GetModuleHandleW(ptr::null()) })
}

fn instance_or_own(instance: usize) -> usize {
    if instance == 0 { own_instance() } else { instance }
}

/// What [`note`] gets as its parameter.
fn list_parameter(list: &mut Vec<Window>) -> LPARAM {
    ptr::from_mut(list).expose_provenance().cast_signed()
}

/// Notes a window that an enumeration found.
unsafe extern "system" fn note(window: HWND, list: LPARAM) -> windows_sys::core::BOOL {
    // SAFETY: the address of a list that nobody else uses during the enumeration (`list_parameter`).
    let list = unsafe { &mut *ptr::with_exposed_provenance_mut::<Vec<Window>>(list.cast_unsigned()) };
    list.push(from_api(window));
    1
}

/// A length after [`clear_last_error`]: 0 may be a failure.
fn checked_length(length: i32) -> Result<usize> {
    match (usize::try_from(length), last_error()) {
        (Ok(length), _) if length > 0 => Ok(length),
        (_, 0) => Ok(0),
        (_, code) => Err(code),
    }
}

/// A value after [`clear_last_error`]: 0 may be a failure.
fn zero_or_code(value: isize) -> Result<isize> {
    match last_error() {
        0 => Ok(value),
        _ if value != 0 => Ok(value),
        code => Err(code),
    }
}

/// A window after [`clear_last_error`]: `NULL` may be a failure.
fn null_or_code(window: HWND) -> Result<Window> {
    match last_error() {
        0 => Ok(from_api(window)),
        _ if !window.is_null() => Ok(from_api(window)),
        code => Err(code),
    }
}

/// The value of a property. Whether there is none because there is no window is asked apart: codes differ by system.
fn property_or_none(window: Window, value: HANDLE) -> Result<Option<usize>> {
    match from_api(value) {
        0 if is_window(window) => Ok(None),
        0 => Err(ERROR_INVALID_WINDOW_HANDLE),
        value => Ok(Some(value)),
    }
}
