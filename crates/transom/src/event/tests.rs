//! What both systems show about events (sync.md, section 4).

use std::time::Duration;

use transom_core::access::{EVENT_MODIFY_STATE, SYNCHRONIZE};

use crate::event::{Event, EventOptions};
use crate::handle::{AsHandle, FromHandle};
use crate::support::{
    A_MOMENT, PATIENCE, code, expect_signal, in_thread, limit, named_event, signalled, unique,
};
use crate::wait::{self, Timeout, Wait};

/// Y1.
#[test]
fn setting_and_resetting_twice_is_like_once() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    for _ in 0..2 {
        event.set().unwrap();
        assert!(signalled(&event));
    }
    for _ in 0..2 {
        event.reset().unwrap();
        assert!(!signalled(&event));
    }
}

/// Y1: two sets of an auto-reset event with nobody waiting are one pass.
#[test]
fn two_sets_of_an_auto_reset_event_let_one_through() {
    let _limit = limit();
    let event = Event::new(false).unwrap();
    event.set().unwrap();
    event.set().unwrap();
    assert!(signalled(&event));
    assert!(!signalled(&event));
}

/// Y2.
#[test]
fn a_manual_reset_event_lets_all_through_until_it_is_reset() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    std::thread::scope(|scope| {
        let waiters: Vec<_> = (0..4).map(|_| scope.spawn(|| expect_signal(&event))).collect();
        event.set().unwrap();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
    assert!(signalled(&event) && signalled(&event));
    event.reset().unwrap();
    assert!(!signalled(&event));
}

/// Y3: of four that wait, each set lets exactly one through.
#[test]
fn an_auto_reset_event_lets_exactly_one_through() {
    let _limit = limit();
    let event = Event::new(false).unwrap();
    let (passed, passing) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (event, passed) = (&event, passed.clone());
            scope.spawn(move || {
                expect_signal(event);
                passed.send(()).unwrap();
            });
        }
        for _ in 0..4 {
            event.set().unwrap();
            passing.recv().unwrap();
            assert!(passing.recv_timeout(Duration::from_millis(30)).is_err(), "a second one came through");
        }
    });
    assert!(!signalled(&event));
}

/// Y3: with nobody waiting the pass is kept for the next.
#[test]
fn an_auto_reset_event_keeps_its_pass() {
    let _limit = limit();
    let event = EventOptions::new().initial(true).create().unwrap().object;
    assert!(signalled(&event));
    assert!(!signalled(&event));
    event.set().unwrap();
    in_thread(|| assert!(signalled(&event)));
    assert!(!signalled(&event));
}

/// Y4, Y39.
#[test]
fn on_an_existing_name_kind_and_state_do_not_count() {
    let _limit = limit();
    let name = unique("event");
    let manual = EventOptions::new().name(&name).manual_reset(true).create().unwrap();
    assert!(!manual.existed);
    let other = EventOptions::new().name(&name).initial(true).create().unwrap();
    assert!(other.existed);
    assert!(!signalled(&other.object), "the initial state does not count");
    other.object.set().unwrap();
    assert!(signalled(&other.object) && signalled(&manual.object), "it is a manual-reset event");
}

/// Y5: any thread may set and reset it.
#[test]
fn an_event_has_no_owner() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    in_thread(|| event.set().unwrap());
    assert!(signalled(&event));
    in_thread(|| event.reset().unwrap());
    assert!(!signalled(&event));
}

/// Y7: who waits may come through or not; the event is reset afterwards in any case.
#[test]
fn a_pulse_leaves_the_event_reset() {
    let _limit = limit();
    for manual_reset in [false, true] {
        let event = Event::new(manual_reset).unwrap();
        event.pulse().unwrap();
        assert!(!signalled(&event));
        event.set().unwrap();
        event.pulse().unwrap();
        assert!(!signalled(&event));
    }
}

/// Y7: pulsed again and again, those who wait come through in the end.
#[test]
fn repeated_pulses_let_waiters_through() {
    let _limit = limit();
    let event = Event::new(true).unwrap();
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| expect_signal(&event));
        while !waiter.is_finished() {
            event.pulse().unwrap();
            std::thread::yield_now();
        }
        waiter.join().unwrap();
    });
}

/// Handles.md, section 8: what each right allows.
#[test]
fn setting_and_waiting_need_their_rights() {
    let _limit = limit();
    let name = unique("rights");
    let _event = named_event(&name);
    let open = |access| EventOptions::new().name(&name).access(access).open().unwrap();
    let waits = open(SYNCHRONIZE);
    assert_eq!([code(waits.set()), code(waits.reset()), code(waits.pulse())], [5, 5, 5]);
    assert_eq!(code(wait::one(&waits, Timeout::ZERO)), 0);
    let sets = open(EVENT_MODIFY_STATE);
    assert_eq!([code(sets.set()), code(sets.pulse()), code(sets.reset())], [0, 0, 0]);
    assert_eq!(code(wait::one(&sets, Timeout::ZERO)), 5);
}

/// Y4, Y38: creating with fewer rights than all.
#[test]
fn creation_may_ask_for_less() {
    let _limit = limit();
    let event = EventOptions::new().access(SYNCHRONIZE).initial(true).create().unwrap().object;
    assert_eq!(code(event.set()), 5);
    assert!(signalled(&event));
}

/// H43.
#[test]
fn no_rights_at_all_are_refused() {
    let _limit = limit();
    let name = unique("none");
    let _event = named_event(&name);
    crate::differs_under_wine!("H43", code(EventOptions::new().name(&name).access(0).open()) == 5);
}

#[test]
fn a_handle_of_another_kind_is_no_event() {
    let _limit = limit();
    let mutex = crate::mutex::Mutex::new().unwrap();
    let borrowed = Event::borrow(mutex.as_handle().as_raw());
    assert_eq!(code(borrowed.and_then(|event| event.set())), 6);
}

/// Sync.md, section 9: what was stored before the signal is visible after the wait.
#[test]
fn a_signal_carries_what_was_stored_before_it() {
    let _limit = limit();
    let mapping = crate::mapping::Mapping::anonymous(4096).unwrap();
    let (ours, theirs) = (mapping.view().unwrap(), mapping.view().unwrap());
    let (ping, pong) = (Event::new(false).unwrap(), Event::new(false).unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..1000u32 {
                expect_signal(&ping);
                assert_eq!(theirs.load_u32(0).unwrap(), round);
                theirs.store_u32(128, round).unwrap();
                pong.set().unwrap();
            }
        });
        for round in 0..1000u32 {
            ours.store_u32(0, round).unwrap();
            ping.set().unwrap();
            expect_signal(&pong);
            assert_eq!(ours.load_u32(128).unwrap(), round);
        }
    });
}

#[test]
fn a_wait_sleeps_until_the_event_is_set() {
    let _limit = limit();
    let (event, waiting) = (Event::new(false).unwrap(), Event::new(false).unwrap());
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            waiting.set().unwrap();
            wait::one(&event, PATIENCE).unwrap()
        });
        expect_signal(&waiting);
        assert_eq!(wait::one(&waiting, A_MOMENT).unwrap(), Wait::Timeout);
        assert!(!waiter.is_finished());
        event.set().unwrap();
        assert_eq!(waiter.join().unwrap(), Wait::Object(0));
    });
}
