//! `WM_COPYDATA`.
//!
//! # Safety
//! What the tests hand to the raw calls outlives them.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::super::message::{WM_COPYDATA, WM_SETTEXT};
use super::super::raw::CopyData;
use super::*;
use crate::differs_under_wine;
use crate::support::limit;

/// Answers with a sum of everything it is given.
fn summing(class: &Class) -> WindowThread {
    hidden(class, |class| class.window("sum").on_copydata(sum).create())
}

fn sum(from: WindowHandle, tag: usize, bytes: &[u8]) -> isize {
    let bytes =
        bytes.iter().fold(bytes.len(), |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    from.value().wrapping_mul(7).wrapping_add(tag).wrapping_add(bytes) as isize
}

/// W24.
#[test]
fn it_carries_a_window_a_number_and_bytes() {
    let _limit = limit();
    let class = class("carries");
    let other = summing(&class);
    let own = class.window("own").create().unwrap();
    let tag = 0xFEDC_BA98_7654_3210_usize;
    let anonymous = other.sender().copydata(tag, b"bytes", PATIENCE).unwrap();
    assert_eq!(anonymous, sum(WindowHandle::NULL, tag, b"bytes"));
    let named = other.sender().on_behalf_of(&own).copydata(tag, b"bytes", PATIENCE).unwrap();
    assert_eq!(named, sum(own.handle(), tag, b"bytes"));
    let data = CopyData { tag: 1, length: 2, bytes: b"xy".as_ptr() };
    let lparam = (&raw const data).expose_provenance() as isize;
    // SAFETY: the structure and its bytes outlive the call.
    let unchecked = unsafe { raw::send(other.handle(), WM_COPYDATA, 12_345, lparam, Charset::Narrow) };
    assert_eq!(unchecked.unwrap(), sum(WindowHandle::from_raw(12_345), 1, b"xy"));
}

/// W25.
#[test]
fn it_can_only_be_sent() {
    let _limit = limit();
    let class = class("only-sent");
    let other = summing(&class);
    let data = CopyData { tag: 1, length: 0, bytes: std::ptr::null() };
    let lparam = (&raw const data).expose_provenance() as isize;
    let own = class.window("").create().unwrap();
    for to in [other.handle(), own.handle()] {
        assert_eq!(code(raw::post(to, WM_COPYDATA, 0, lparam, Charset::Wide)), 1159, "W23");
        assert_eq!(code(raw::post(to, WM_SETTEXT, 0, 0, Charset::Wide)), 1159);
    }
    // SAFETY: refused.
    let notified = unsafe { raw::notify(other.handle(), WM_COPYDATA, 0, lparam, Charset::Wide) };
    assert_eq!(code(notified), 1159);
    let (thread, _) = raw::owner(other.handle()).unwrap();
    assert_eq!(code(raw::post_thread(thread, WM_COPYDATA, 0, lparam, Charset::Wide)), 1159);
}

/// W26.
#[test]
fn it_carries_nothing_or_much_of_anything() {
    let _limit = limit();
    let class = class("sizes");
    let other = summing(&class);
    let nothing = hidden(&class, |class| {
        let answer = |_, tag: usize, bytes: &[u8]| isize::from(tag == 3 && bytes.is_empty());
        class.window("nothing").on_copydata(answer).create()
    });
    assert_eq!(nothing.sender().copydata(3, &[], PATIENCE).unwrap(), 1);
    let all: Vec<u8> = (0..1_000_000_u32).map(|number| (number.wrapping_mul(number) >> 3) as u8).collect();
    for length in [1, 2, 3, 255, 4095, 4096, 4097, 65_535, 65_536, 100_001, 1_000_000] {
        for start in [0, 1, 7] {
            let bytes = &all[start..length.max(start)];
            let answer = other.sender().copydata(length, bytes, PATIENCE).unwrap();
            assert_eq!(answer, sum(WindowHandle::NULL, length, bytes), "{length} from {start}");
        }
    }
}

/// W26: up to what memory allows.
#[test]
fn it_carries_many_megabytes() {
    let _limit = limit();
    // Wine 8.0's receiver overflows its stack beyond about 2 MB.
    if crate::support::under_wine() {
        return;
    }
    let class = class("large");
    let other = summing(&class);
    for length in [3_000_000, 16 << 20, 50_000_001] {
        let bytes = vec![0x5A; length];
        assert_eq!(other.sender().copydata(0, &bytes, PATIENCE).unwrap(), sum(WindowHandle::NULL, 0, &bytes));
    }
}

/// W27.
#[test]
fn within_one_thread_the_bytes_are_the_senders_own() {
    let _limit = limit();
    let class = class("own-bytes");
    let seen = Rc::new(Cell::new(0));
    let theirs = Rc::clone(&seen);
    let window = class.window("").create().unwrap();
    window.on_copydata(move |_, _, bytes| {
        theirs.set(bytes.as_ptr().addr());
        1
    });
    let bytes = *b"here";
    window.sender().copydata(0, &bytes, PATIENCE).unwrap();
    assert_eq!(seen.get(), bytes.as_ptr().addr());
    let other = hidden(&class, |class| {
        class.window("").on_copydata(|_, _, bytes| bytes.as_ptr().addr() as isize).create()
    });
    let there = other.sender().copydata(0, &bytes, PATIENCE).unwrap();
    differs_under_wine!("W27", there != bytes.as_ptr().addr() as isize);
}

unsafe extern "system-unwind" fn scribbling(
    window: usize,
    message: u32,
    wparam: usize,
    lparam: isize,
) -> isize {
    if message == WM_COPYDATA {
        let data = std::ptr::with_exposed_provenance::<CopyData>(lparam.cast_unsigned());
        // SAFETY: this thread's own copy during the call, from another thread: nobody else looks at it.
        unsafe {
            let bytes = (*data).bytes.cast_mut();
            for at in 0..(*data).length as usize {
                bytes.add(at).write(0xFF);
            }
        }
        return 1;
    }
    // SAFETY: passed on as they came.
    unsafe { raw::default_procedure(WindowHandle::from_raw(window), message, wparam, lparam, Charset::Wide) }
}

/// W25.
#[test]
fn what_the_receiver_writes_is_not_seen_by_the_sender() {
    let _limit = limit();
    let name = unique("scribble");
    raw::register_class(&definition(&name, Charset::Wide, scribbling)).unwrap();
    let (tell, told) = channel();
    let units = wide(&name);
    let thread = std::thread::spawn(move || {
        let window = raw::create(&creation(&units, &[], WindowHandle::MESSAGE)).unwrap();
        let messages = MessageLoop::new().unwrap();
        tell.send(window).unwrap();
        messages.run().unwrap();
        raw::destroy(window).unwrap();
    });
    let to = Sender::new(told.recv().unwrap());
    for length in [10, 5000, 200_000] {
        let bytes = vec![1; length];
        assert_eq!(to.copydata(0, &bytes, PATIENCE).unwrap(), 1);
        differs_under_wine!("W25", bytes.iter().all(|byte| *byte == 1));
    }
    let quit = super::super::message::WM_QUIT;
    raw::post_thread(to.thread_id().unwrap(), quit, 0, 0, Charset::Wide).unwrap();
    thread.join().unwrap();
    raw::unregister_class(Name::Text(&wide(&name))).unwrap();
}

/// W28.
#[test]
fn what_nobody_handles_is_answered_with_0() {
    let _limit = limit();
    let class = class("unhandled");
    let other = hidden(&class, |class| class.window("").create());
    assert_eq!(other.sender().copydata(1, b"x", PATIENCE).unwrap(), 0);
    let own = class.window("").create().unwrap();
    assert_eq!(own.sender().copydata(1, b"x", PATIENCE).unwrap(), 0);
}

/// W28: the receiver sends back before it answers; what each has got is still whole then.
#[test]
fn the_receiver_may_send_back_before_it_answers() {
    let _limit = limit();
    let class = class("back");
    let own = class.window("own").create().unwrap();
    let got = Rc::new(RefCell::new(Vec::new()));
    let theirs = Rc::clone(&got);
    own.on_copydata(move |_, tag, bytes| {
        theirs.borrow_mut().extend_from_slice(bytes);
        tag as isize + 1
    });
    let other = hidden(&class, |class| {
        let answer = |from: WindowHandle, tag: usize, bytes: &[u8]| {
            let mut turned = bytes.to_vec();
            turned.reverse();
            let answer = Sender::from(from).copydata(tag + 10, &turned, PATIENCE).unwrap();
            assert!(bytes.iter().rev().eq(&turned), "they stay as they were");
            answer * 100
        };
        class.window("other").on_copydata(answer).create()
    });
    let answer = other.sender().on_behalf_of(&own).copydata(5, b"abc", PATIENCE).unwrap();
    assert_eq!((answer, got.borrow().as_slice()), (1600, b"cba".as_slice()));
}
