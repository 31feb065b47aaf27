//! Tests of windows, the same on every system.
//!
//! # Safety
//! T1. What messages point to here lives longer than the call; procedures get what Windows documents.
#![allow(unsafe_code)]

use super::WindowHandle;
use super::message::{PM_REMOVE, WM_APP, WM_COPYDATA, WM_DESTROY, WS_POPUP};
use super::raw::{self, Charset, ClassDefinition, Creation, Name};
use crate::wait::Timeout;

#[repr(C)]
struct CopyData {
    tag: usize,
    length: u32,
    data: *const u8,
}

unsafe extern "system-unwind" fn procedure(
    window: usize,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    match message {
        WM_APP => wparam as isize + lparam,
        WM_COPYDATA => {
            // SAFETY: T1.
            let data = unsafe { &*(lparam as *const CopyData) };
            // SAFETY: T1.
            let bytes = unsafe { std::slice::from_raw_parts(data.data, data.length as usize) };
            bytes.iter().map(|byte| *byte as isize).sum::<isize>() + data.tag as isize
        }
        WM_DESTROY => {
            raw::post_quit(7);
            0
        }
        // SAFETY: T1.
        _ => unsafe {
            raw::default_procedure(WindowHandle::from_raw(window), message, wparam, lparam, Charset::Wide)
        },
    }
}

fn make(name: &str) -> WindowHandle {
    let name: Vec<u16> = name.encode_utf16().collect();
    let definition = ClassDefinition {
        name: name.clone(),
        charset: Charset::Wide,
        procedure,
        style: 0,
        class_extra: 0,
        window_extra: 0,
        instance: 0,
        icon: 0,
        cursor: 0,
        background: 0,
        menu_name: 0,
        small_icon: 0,
    };
    let _ = raw::register_class(&definition);
    raw::create(&Creation {
        class: Name::Text(&name),
        title: Some(&name),
        style: WS_POPUP,
        ex_style: 0,
        rectangle: [0; 4],
        parent: WindowHandle::MESSAGE,
        menu: 0,
        instance: 0,
        parameter: 0,
        charset: Charset::Wide,
    })
    .expect("a window")
}

#[test]
fn a_thread_sends_to_another_and_gets_its_answer() {
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let window = make("transom-test-answer");
        tell.send(window).expect("somebody listens");
        loop {
            let message = raw::get(WindowHandle::NULL, 0, 0, Charset::Wide).expect("a message");
            if message.message == super::message::WM_QUIT {
                return message.wparam;
            }
            // SAFETY: T1.
            unsafe { raw::dispatch(&message, Charset::Wide) };
        }
    });
    let window = told.recv().expect("a window");
    assert!(raw::is_window(window));
    // SAFETY: T1.
    assert_eq!(unsafe { raw::send(window, WM_APP, 20, 3, Charset::Wide) }.expect("sent"), 23);
    for length in [1_usize, 100, 40_000, 3_000_000] {
        let bytes = vec![1_u8; length];
        let data = CopyData { tag: 5, length: length as u32, data: bytes.as_ptr() };
        let at = &raw const data as isize;
        // SAFETY: T1.
        let answer = unsafe {
            raw::send_timeout(window, WM_COPYDATA, 0, at, 0, Timeout::millis(20_000), Charset::Wide)
        };
        assert_eq!(answer.expect("answered"), length as isize + 5);
    }
    let name: Vec<u16> = "transom-TEST-answer".encode_utf16().collect();
    let found = raw::find(WindowHandle::MESSAGE, WindowHandle::NULL, Some(Name::Text(&name)), None);
    assert_eq!(found.expect("looked"), Some(window));
    raw::post(window, super::message::WM_CLOSE, 0, 0, Charset::Wide).expect("posted");
    assert_eq!(thread.join().expect("it ended"), 7);
    assert!(!raw::is_window(window));
    assert_eq!(raw::peek(WindowHandle::NULL, 0, 0, PM_REMOVE, Charset::Wide).expect("looked"), None);
}
