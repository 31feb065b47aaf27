//! What both systems show about mutexes (sync.md, section 5).

use transom_core::access::{MUTEX_MODIFY_STATE, SYNCHRONIZE};

use crate::event::Event;
use crate::handle::{AsHandle, FromHandle};
use crate::mutex::{Mutex, MutexOptions};
use crate::support::{A_MOMENT, PATIENCE, code, expect_signal, in_thread, limit, signalled, unique};
use crate::wait::{self, Timeout, Wait};

fn free(mutex: &Mutex) -> bool {
    in_thread(|| mutex.lock_for(Timeout::ZERO).unwrap().is_some())
}

/// Y8.
#[test]
fn the_owner_may_take_it_again_and_releases_as_often() {
    let _limit = limit();
    let mutex = Mutex::new().unwrap();
    for _ in 0..3 {
        assert_eq!(wait::one(&mutex, Timeout::ZERO).unwrap(), Wait::Object(0));
    }
    for _ in 0..3 {
        assert!(!free(&mutex));
        mutex.release().unwrap();
    }
    assert!(free(&mutex));
}

/// Y8: it belongs to a thread.
#[test]
fn other_threads_wait_until_the_owner_has_released() {
    let _limit = limit();
    let mutex = Mutex::new().unwrap();
    let guard = mutex.lock().unwrap();
    assert!(!guard.abandoned());
    std::thread::scope(|scope| {
        let other = scope.spawn(|| mutex.lock_for(PATIENCE).unwrap().is_some());
        assert!(in_thread(|| mutex.lock_for(A_MOMENT).unwrap().is_none()));
        drop(guard);
        assert!(other.join().unwrap());
    });
    assert!(free(&mutex));
}

/// Y9.
#[test]
fn releasing_without_owning_is_288() {
    let _limit = limit();
    let mutex = Mutex::new().unwrap();
    assert_eq!(code(mutex.release()), 288);
    let guard = mutex.lock().unwrap();
    assert_eq!(in_thread(|| code(mutex.release())), 288, "another thread of the owner's process");
    drop(guard);
    assert_eq!(code(mutex.release()), 288, "once too often");
}

/// Y10.
#[test]
fn initial_ownership_counts_for_the_one_who_makes_it() {
    let _limit = limit();
    let name = unique("mutex");
    let first = MutexOptions::new().name(&name).initial_owner(true).create().unwrap();
    assert!(!first.existed);
    assert!(!free(&first.object));
    let second = in_thread(|| MutexOptions::new().name(&name).initial_owner(true).create().unwrap());
    assert!(second.existed);
    assert_eq!(in_thread(|| code(second.object.release())), 288);
    first.object.release().unwrap();
    assert!(free(&second.object));
}

/// Y11: reported once; then it is an ordinary mutex.
#[test]
fn an_owner_that_ends_without_releasing_is_reported_once() {
    let _limit = limit();
    let mutex = Mutex::new().unwrap();
    in_thread(|| assert!(wait::one(&mutex, Timeout::ZERO).unwrap().is_signalled()));
    assert_eq!(wait::one(&mutex, PATIENCE).unwrap(), Wait::Abandoned(0));
    assert!(!free(&mutex), "the waiter owns it");
    mutex.release().unwrap();
    assert_eq!(code(mutex.release()), 288, "once");
    let guard = mutex.lock().unwrap();
    assert!(!guard.abandoned());
}

/// Y11: the same for the guard, and for one who waits already.
#[test]
fn one_who_waits_gets_the_mutex_of_an_owner_that_ends() {
    let _limit = limit();
    let mutex = Mutex::new().unwrap();
    let (owned, end) = (Event::new(true).unwrap(), Event::new(true).unwrap());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::mem::forget(mutex.lock().unwrap());
            std::mem::forget(mutex.lock().unwrap());
            owned.set().unwrap();
            expect_signal(&end);
        });
        expect_signal(&owned);
        let waiter = scope.spawn(|| mutex.lock_for(PATIENCE).unwrap().map(|guard| guard.abandoned()));
        assert!(in_thread(|| mutex.lock_for(A_MOMENT).unwrap().is_none()));
        end.set().unwrap();
        assert_eq!(waiter.join().unwrap(), Some(true));
    });
    assert!(!mutex.lock().unwrap().abandoned());
}

/// Y13: closing the handle is not releasing; by name the mutex is still owned.
#[test]
fn closing_the_handle_does_not_release() {
    let _limit = limit();
    let name = unique("close");
    let first = MutexOptions::new().name(&name).initial_owner(true).create().unwrap().object;
    let second = Mutex::open(&name).unwrap();
    drop(first);
    assert!(!free(&second));
    second.release().unwrap();
    assert!(free(&second));
}

/// Y14, Y15, H37: all handles of one mutex are the same to the owner.
#[test]
fn any_handle_of_the_mutex_releases_it() {
    let _limit = limit();
    let name = unique("handles");
    let mutex = MutexOptions::new().name(&name).create().unwrap().object;
    let copy = Mutex::from_handle(mutex.as_handle().try_clone().unwrap()).unwrap();
    let named = Mutex::open(&name).unwrap();
    assert!(wait::one(&mutex, Timeout::ZERO).unwrap().is_signalled());
    assert!(wait::one(&copy, Timeout::ZERO).unwrap().is_signalled());
    named.release().unwrap();
    named.release().unwrap();
    assert_eq!(code(mutex.release()), 288);
    assert_eq!(in_thread(|| code(copy.release())), 288, "a copy of the handle is no ownership");
}

/// Y15: whatever rights the handle has.
#[test]
fn releasing_needs_no_right() {
    let _limit = limit();
    let name = unique("rights");
    let mutex = MutexOptions::new().name(&name).initial_owner(true).create().unwrap().object;
    let waits = MutexOptions::new().name(&name).access(SYNCHRONIZE).open().unwrap();
    waits.release().unwrap();
    assert_eq!(code(mutex.release()), 288);
}

/// Y16.
#[test]
fn waiting_needs_synchronize() {
    let _limit = limit();
    let name = unique("no-wait");
    let _mutex = MutexOptions::new().name(&name).create().unwrap();
    let cannot = MutexOptions::new().name(&name).access(MUTEX_MODIFY_STATE).open().unwrap();
    assert_eq!(code(wait::one(&cannot, Timeout::ZERO)), 5);
    assert_eq!(code(cannot.lock()), 5);
    assert_eq!(code(cannot.lock_for(Timeout::ZERO)), 5);
}

/// Y8: what it is for.
#[test]
fn threads_exclude_each_other() {
    let _limit = limit();
    let mutex = Mutex::new().unwrap();
    let mapping = crate::mapping::Mapping::anonymous(4096).unwrap();
    let view = mapping.view().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    let _guard = mutex.lock().unwrap();
                    let count = view.load_u32(0).unwrap();
                    view.store_u32(0, count + 1).unwrap();
                }
            });
        }
    });
    assert_eq!(view.load_u32(0).unwrap(), 4000);
}

/// Y24.
#[test]
fn a_lock_with_a_time_out_gives_up() {
    let _limit = limit();
    let mutex = Mutex::new().unwrap();
    let _guard = mutex.lock().unwrap();
    in_thread(|| {
        let before = std::time::Instant::now();
        assert!(mutex.lock_for(Timeout::millis(30)).unwrap().is_none());
        assert!(before.elapsed().as_millis() >= 30);
    });
}

/// Many owners die one after the other: each is reported to the next one.
#[test]
fn every_abandonment_is_reported() {
    let _limit = limit();
    let mutex = Mutex::new().unwrap();
    for round in 0..50 {
        let found = in_thread(|| wait::one(&mutex, PATIENCE).unwrap());
        assert_eq!(found, if round == 0 { Wait::Object(0) } else { Wait::Abandoned(0) }, "round {round}");
    }
}

/// Owning one mutex says nothing about another.
#[test]
fn mutexes_are_apart() {
    let _limit = limit();
    let (one, two) = (Mutex::new().unwrap(), Mutex::new().unwrap());
    let _guard = one.lock().unwrap();
    assert!(free(&two) && !free(&one));
    assert_eq!(code(two.release()), 288);
    assert!(signalled(&one), "it is signalled for its owner");
    one.release().unwrap();
}
