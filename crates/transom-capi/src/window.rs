//! Windows as mailboxes: classes, windows, finding them, messages.
//!
//! # What is different here
//! Most of these calls run procedures of the program, and a procedure may end its thread (`ExitThread`), which unwinds
//! through the frames of the call. So they are `extern "C-unwind"`, have no panic guard, which would stop the
//! unwinding, and keep nothing across the call that would have to be dropped: texts are [`ManuallyDrop`], and are lost
//! with the thread that ends there.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s. What a message carries is what its procedure expects: the
//! program's promise, as in C.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;

use transom::window::WindowHandle;
use transom::window::raw::{Charset, Name};
use transom::{Code, Error};
use transom_core::text;

use crate::ffi::{In, Out, Unit};
use crate::last_error;

mod attribute;
mod class;
mod create;
mod find;
mod queue;
mod send;
mod show;
mod title;
mod wait;

/// `HWND`, in the form in which messages carry it.
type HWND = usize;

/// A window as the library knows it.
fn handle(window: HWND) -> WindowHandle {
    WindowHandle::from_raw(window)
}

/// The form of a call with characters of this kind.
fn charset<U: Unit>() -> Charset {
    if size_of::<U>() == 1 { Charset::Narrow } else { Charset::Wide }
}

/// The outcome of a call outside the panic guard; a failure sets the last error. Code 0 is the program's own refusal.
fn settled<T>(result: Result<T, Error>, failure: T) -> T {
    match result {
        Ok(value) => value,
        Err(error) => {
            if error.code() != Code::SUCCESS {
                last_error::set(error.code());
            }
            failure
        }
    }
}

/// Runs `call` with something that is lost, not dropped, if the call is left by unwinding.
fn keeping<T, R>(kept: T, call: impl FnOnce(&T) -> R) -> R {
    let kept = ManuallyDrop::new(kept);
    let result = call(&kept);
    drop(ManuallyDrop::into_inner(kept));
    result
}

/// Characters in 16 bits.
fn wide<U: Unit>(units: &[U]) -> Vec<u16> {
    text::to_utf16(&U::to_text(units))
}

/// A class, or another name of the desktop's table, as C names it: a pointer, or a number below 0x10000.
enum Named {
    Text(Vec<u16>),
    Number(u16),
}

impl Named {
    /// NULL is number 0, which no name has.
    fn of<U: Unit>(name: In<U>) -> Named {
        match name.number() {
            Some(number) => Named::Number(number),
            None => Named::Text(wide(&name.units().unwrap_or_default())),
        }
    }

    fn name(&self) -> Name<'_> {
        match self {
            Named::Text(text) => Name::Text(text),
            Named::Number(number) => Name::Atom(*number),
        }
    }
}

/// Stores a text cut to `size` characters with its terminator, and gives its length; a character is not cut in two.
fn put_cut<U: Unit>(text: &[u16], buffer: Out<U>, size: i32) -> i32 {
    let Some(room) = usize::try_from(size).ok().and_then(|size| size.checked_sub(1)) else { return 0 };
    let mut units = U::from_text(&text::from_utf16(text));
    units.truncate(room);
    if let Some(bytes) = whole_characters(&units) {
        units.truncate(bytes);
    }
    let length = i32::try_from(units.len()).unwrap_or(i32::MAX);
    units.push(U::default());
    buffer.put_all(&units);
    length
}

/// Of text in UTF-8, how much of it is whole; `None` for UTF-16, which Windows cuts anywhere.
fn whole_characters<U: Unit>(units: &[U]) -> Option<usize> {
    if size_of::<U>() != 1 {
        return None;
    }
    let bytes = U::to_bytes(units);
    match std::str::from_utf8(&bytes) {
        Err(error) if error.error_len().is_none() => Some(error.valid_up_to()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::ffi::tests::{given, taken};

    use super::*;

    #[test]
    fn a_narrow_text_is_cut_between_characters() {
        let text: Vec<u16> = "a\u{E4}\u{20AC}".encode_utf16().collect();
        let mut buffer = [b'#'; 8];
        assert_eq!(put_cut(&text, taken(&mut buffer), 6), 3);
        assert_eq!(&buffer[..5], "a\u{E4}\0#".as_bytes());
        assert_eq!(put_cut(&text, taken(&mut buffer), 7), 6);
        let mut buffer = [7_u16; 4];
        assert_eq!(put_cut(&text, taken(&mut buffer), 3), 2);
        assert_eq!(buffer, [97, 0xE4, 0, 7]);
        assert_eq!(put_cut(&text, taken(&mut buffer), 0), 0);
    }

    #[test]
    fn a_name_is_a_text_or_a_small_number() {
        let named = Named::of(given(b"ab\0"));
        assert_eq!(named.name(), Name::Text(&[97, 98]));
        // The pointer of no bytes at all is the number 1.
        assert_eq!(Named::of(given::<u8>(&[])).name(), Name::Atom(1));
    }
}
