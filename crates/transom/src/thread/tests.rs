//! What both systems show about threads (process.md and sync.md, section 7).
//!
//! # Safety
//! One test ends its thread from within, which is unsafe if others borrow from it: nobody does.
#![allow(unsafe_code)]

use std::sync::Arc;

use transom_core::access::{
    SYNCHRONIZE, THREAD_ALL_ACCESS, THREAD_QUERY_INFORMATION, THREAD_QUERY_LIMITED_INFORMATION,
};

use crate::event::Event;
use crate::handle::{AsHandle, DuplicateOptions, FromHandle};
use crate::support::{A_MOMENT, PATIENCE, code, expect_signal, limit, signalled};
use crate::thread::{self, Thread, ThreadOptions};
use crate::wait::{self, Timeout, Wait};

/// A thread that waits for the event and then ends with 21.
fn waiting_thread() -> (Thread, Arc<Event>) {
    let go = Arc::new(Event::new(true).unwrap());
    let theirs = Arc::clone(&go);
    let thread = ThreadOptions::new().spawn(move || {
        expect_signal(&*theirs);
        21
    });
    (thread.unwrap(), go)
}

/// Y33: signalled when it has ended, for good, with its body's value as exit code.
#[test]
fn a_thread_ends_with_the_value_of_its_body() {
    let _limit = limit();
    let (thread, go) = waiting_thread();
    assert!(!signalled(&thread));
    assert_eq!(thread.exit_code().unwrap(), None);
    go.set().unwrap();
    expect_signal(&thread);
    assert!(signalled(&thread));
    assert_eq!(thread.exit_code().unwrap(), Some(21));
}

/// R26 for threads: all 32 bits.
#[test]
fn exit_codes_of_threads_have_32_bits() {
    let _limit = limit();
    for exit in [0, 256, 0x1234_5678, 0xC000_0005, u32::MAX] {
        let thread = ThreadOptions::new().spawn(move || exit).unwrap();
        expect_signal(&thread);
        assert_eq!(thread.exit_code().unwrap(), Some(exit));
    }
}

/// R27: the others go on.
#[test]
fn a_thread_may_end_itself_anywhere() {
    fn deep(levels: u32) {
        if levels == 0 {
            // SAFETY: nobody borrows from this thread's stack.
            unsafe { thread::exit(33) };
        }
        deep(levels - 1);
        unreachable!("the thread has ended");
    }
    let _limit = limit();
    let thread = ThreadOptions::new().spawn(|| {
        deep(10);
        1
    });
    let thread = thread.unwrap();
    expect_signal(&thread);
    assert_eq!(thread.exit_code().unwrap(), Some(33));
}

/// R5 for threads, and how often it was suspended.
#[test]
fn a_suspended_thread_runs_nothing_until_resumed() {
    let _limit = limit();
    let ran = Arc::new(Event::new(true).unwrap());
    let theirs = Arc::clone(&ran);
    let thread = ThreadOptions::new().suspended(true).spawn(move || {
        theirs.set().unwrap();
        0
    });
    let thread = thread.unwrap();
    assert_eq!(wait::one(&*ran, A_MOMENT).unwrap(), Wait::Timeout);
    assert_eq!(thread.resume().unwrap(), 1);
    expect_signal(&*ran);
    expect_signal(&thread);
}

/// R7.
#[test]
fn ids_are_not_0_and_each_thread_has_its_own() {
    let _limit = limit();
    let (thread, go) = waiting_thread();
    assert_ne!(thread.id().unwrap(), 0);
    assert_ne!(thread.id().unwrap(), thread::current_id());
    assert_eq!(Thread::current().unwrap().id().unwrap(), thread::current_id());
    go.set().unwrap();
    let own = ThreadOptions::new().spawn(thread::current_id).unwrap();
    expect_signal(&own);
    assert_eq!(own.exit_code().unwrap(), Some(own.id().unwrap()), "R29: also when it has ended");
}

/// `OpenThread`: by id, with the rights asked for.
#[test]
fn a_thread_can_be_opened_by_its_id() {
    let _limit = limit();
    let (thread, go) = waiting_thread();
    let id = thread.id().unwrap();
    let waits = Thread::open(id, SYNCHRONIZE, false).unwrap();
    assert!(waits.as_handle().same_object(thread.as_handle()));
    assert_eq!(wait::one(&waits, Timeout::ZERO).unwrap(), Wait::Timeout);
    assert_eq!(code(waits.exit_code()), 5);
    let asks = Thread::open(id, THREAD_QUERY_INFORMATION, true).unwrap();
    assert!(asks.as_handle().information().unwrap().inherit);
    assert_eq!(code(wait::one(&asks, Timeout::ZERO)), 5);
    go.set().unwrap();
    assert_eq!(wait::one(&waits, PATIENCE).unwrap(), Wait::Object(0));
    assert_eq!(asks.exit_code().unwrap(), Some(21));
    assert_eq!(code(Thread::open(0, THREAD_ALL_ACCESS, false)), 87);
}

/// Handles.md, section 3: what each right allows.
#[test]
fn a_duplicate_can_do_what_its_rights_allow() {
    let _limit = limit();
    let (thread, go) = waiting_thread();
    let with = |access| {
        let options = DuplicateOptions { access: Some(access), ..DuplicateOptions::default() };
        Thread::from_handle(thread.as_handle().duplicate(options).unwrap()).unwrap()
    };
    assert_eq!(code(with(SYNCHRONIZE).exit_code()), 5);
    assert_eq!(code(with(SYNCHRONIZE).resume()), 5);
    assert_eq!(code(with(SYNCHRONIZE).id()), 5);
    assert_eq!(code(with(THREAD_QUERY_LIMITED_INFORMATION).id()), 0);
    go.set().unwrap();
    expect_signal(&with(SYNCHRONIZE));
}

/// H5: a closed handle ends nobody.
#[test]
fn closing_the_handle_does_not_end_the_thread() {
    let _limit = limit();
    let (thread, go) = waiting_thread();
    let watch = thread.as_handle().try_clone().unwrap();
    drop(thread);
    assert_eq!(wait::one(&watch, A_MOMENT).unwrap(), Wait::Timeout);
    go.set().unwrap();
    expect_signal(&watch);
}

/// A stack as large as asked for.
#[test]
fn a_stack_can_be_asked_for() {
    fn use_stack(kilobytes: usize) -> u8 {
        let block = [1u8; 1024];
        let block = std::hint::black_box(&block);
        if kilobytes == 0 { block[7] } else { use_stack(kilobytes - 1).wrapping_add(block[9]) }
    }
    let _limit = limit();
    let thread = ThreadOptions::new().stack_size(64 << 20).spawn(|| use_stack(16 << 10).into()).unwrap();
    expect_signal(&thread);
    assert_eq!(thread.exit_code().unwrap(), Some(1));
}
