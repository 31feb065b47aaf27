//! Window text, narrow and wide.
//!
//! # Safety
//! What the tests hand to the raw calls outlives them.
#![allow(unsafe_code)]

use super::super::message::{WM_GETTEXT, WM_GETTEXTLENGTH, WM_SETTEXT};
use super::*;
use crate::support::limit;

/// Sends `WM_GETTEXT` with room for `characters` into a poisoned buffer of 16.
fn get_text(window: WindowHandle, characters: usize, charset: Charset) -> (isize, Vec<u16>) {
    let mut buffer = vec![0xABAB_u16; 16];
    let lparam = buffer.as_mut_ptr().expose_provenance() as isize;
    // SAFETY: at most 16 characters, of one or two bytes.
    let copied = unsafe { raw::send(window, WM_GETTEXT, characters, lparam, charset) }.unwrap();
    (copied, buffer)
}

/// W22, W21: from another thread.
#[test]
fn text_is_copied_as_far_as_there_is_room() {
    let _limit = limit();
    let class = class("get-text");
    let other = hidden(&class, |class| class.window("caption").create());
    for (room, expected) in [(16, "caption"), (8, "caption"), (7, "captio"), (2, "c"), (1, "")] {
        let (copied, buffer) = get_text(other.handle(), room, Charset::Wide);
        let count = expected.len();
        assert_eq!(copied, count as isize, "room for {room}");
        assert_eq!(buffer[..count], wide(expected));
        assert_eq!(buffer[count], 0, "the terminator");
        assert!(buffer[room.min(16)..].iter().all(|unit| *unit == 0xABAB), "nothing behind the room");
    }
    let (copied, buffer) = get_text(other.handle(), 0, Charset::Wide);
    assert_eq!(copied, 0);
    assert!(buffer.iter().all(|unit| *unit == 0xABAB), "nothing is written");
    // SAFETY: no pointers.
    let length = unsafe { raw::send(other.handle(), WM_GETTEXTLENGTH, 0, 0, Charset::Wide) };
    assert_eq!(length.unwrap(), 7);
    assert_eq!(raw::text_length(other.handle()).unwrap(), 7);
}

/// W21: the text reaches the procedure, and the stored title changes if it lets it.
#[test]
fn text_is_set_by_a_message() {
    let _limit = limit();
    let class = class("set-text");
    let other = hidden(&class, |class| {
        let window = class.window("before").create()?;
        window.on_message(WM_USER, |_, _| 1);
        Ok(window)
    });
    let terminated = wide("after\0");
    let lparam = terminated.as_ptr().expose_provenance() as isize;
    // SAFETY: a terminated text that outlives the call.
    let set = unsafe { raw::send(other.handle(), WM_SETTEXT, 0, lparam, Charset::Wide) };
    assert_eq!(set.unwrap(), 1);
    assert_eq!(other.sender().title().unwrap(), "after");
    assert!(raw::set_text(other.handle(), &wide("again"), Charset::Narrow).unwrap());
    assert_eq!(other.sender().title().unwrap(), "again");
    assert_eq!(code(raw::set_text(NO_WINDOW, &[], Charset::Wide)), 1400);
    let long = "long ".repeat(100);
    assert!(raw::set_text(other.handle(), &wide(&long), Charset::Wide).unwrap());
    assert_eq!(other.sender().title().unwrap(), long);
}

#[test]
fn a_window_of_this_process_is_asked_for_its_text() {
    let _limit = limit();
    let window = class("asked").window("stored").create().unwrap();
    assert_eq!(window.title().unwrap(), "stored");
    window.on_message(WM_GETTEXT, |_, _| 0);
    window.on_message(WM_GETTEXTLENGTH, |_, _| 0);
    assert_eq!(window.title().unwrap(), "");
    // More than it has written is cut to what there is room for.
    window.on_message(WM_GETTEXT, |_, _| 1_000_000);
    window.on_message(WM_GETTEXTLENGTH, |_, _| 3);
    assert!(window.title().unwrap().len() <= 3);
}

/// What a narrow window's procedure has got: the bytes of WM_SETTEXT's text.
static NARROW_TEXT: std::sync::Mutex<Vec<u8>> = std::sync::Mutex::new(Vec::new());

unsafe extern "system-unwind" fn narrow(window: usize, message: u32, wparam: usize, lparam: isize) -> isize {
    let window = WindowHandle::from_raw(window);
    if message == WM_SETTEXT {
        // SAFETY: a terminated narrow text.
        let text = unsafe { std::ffi::CStr::from_ptr(std::ptr::with_exposed_provenance(lparam as usize)) };
        *NARROW_TEXT.lock().unwrap() = text.to_bytes().to_vec();
    }
    // SAFETY: passed on as they came.
    unsafe { raw::default_procedure(window, message, wparam, lparam, Charset::Narrow) }
}

/// W42, W22.
#[test]
fn text_is_converted_for_narrow_windows() {
    let _limit = limit();
    let name = unique("narrow");
    raw::register_class(&definition(&name, Charset::Narrow, narrow)).unwrap();
    let units = wide(&name);
    assert_eq!(raw::class(Name::Text(&units)).unwrap().1.charset, Charset::Narrow);
    let window = raw::create(&creation(&units, &wide("made"), WindowHandle::MESSAGE)).unwrap();
    assert_eq!(raw::charset(window).unwrap(), Charset::Narrow);
    assert_eq!(raw::text(window).unwrap(), wide("made"));
    let terminated = wide("wide\0");
    // SAFETY: a terminated text that outlives the call.
    unsafe {
        raw::send(window, WM_SETTEXT, 0, terminated.as_ptr().expose_provenance() as isize, Charset::Wide)
    }
    .unwrap();
    assert_eq!(*NARROW_TEXT.lock().unwrap(), b"wide");
    assert_eq!(get_text(window, 16, Charset::Wide).1[..5], wide("wide\0"));
    let (copied, buffer) = get_text(window, 16, Charset::Narrow);
    let bytes: Vec<u8> = buffer.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    assert_eq!((copied, &bytes[..5]), (4, b"wide\0".as_slice()));
    assert_eq!(Sender::find(name.as_str(), "WIDE").unwrap().handle(), window);
    raw::destroy(window).unwrap();
    raw::unregister_class(Name::Text(&units)).unwrap();
}
