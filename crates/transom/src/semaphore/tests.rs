//! What both systems show about semaphores (sync.md, section 6).

use transom_core::access::{SEMAPHORE_MODIFY_STATE, SYNCHRONIZE};

use crate::semaphore::{Semaphore, SemaphoreOptions};
use crate::support::{code, expect_signal, in_thread, limit, signalled, unique};
use crate::wait::{self, Timeout};

/// Takes until nothing is left and tells how often.
fn drain(semaphore: &Semaphore) -> i32 {
    let mut taken = 0;
    while signalled(semaphore) {
        taken += 1;
    }
    taken
}

/// Y18: nobody owns what was taken.
#[test]
fn waits_take_and_releases_give_whoever_does_them() {
    let _limit = limit();
    let semaphore = Semaphore::new(2, 3).unwrap();
    assert!(in_thread(|| signalled(&semaphore)));
    assert!(signalled(&semaphore));
    assert!(!signalled(&semaphore));
    assert_eq!(in_thread(|| semaphore.release(3).unwrap()), 0);
    assert_eq!(drain(&semaphore), 3);
}

/// Y18: from nothing to the largest maximum.
#[test]
fn the_maximum_may_be_the_largest_number() {
    let _limit = limit();
    let semaphore = Semaphore::new(0, i32::MAX).unwrap();
    assert_eq!(semaphore.release(i32::MAX).unwrap(), 0);
    assert_eq!(code(semaphore.release(1)), 298);
    assert!(signalled(&semaphore));
    assert_eq!(semaphore.release(1).unwrap(), i32::MAX - 1);
}

/// Y19.
#[test]
fn releasing_n_lets_n_waiters_through() {
    let _limit = limit();
    let semaphore = Semaphore::new(0, 10).unwrap();
    std::thread::scope(|scope| {
        let waiters: Vec<_> = (0..5).map(|_| scope.spawn(|| expect_signal(&semaphore))).collect();
        semaphore.release(5).unwrap();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
    assert!(!signalled(&semaphore));
}

/// Y20.
#[test]
fn a_release_beyond_the_maximum_changes_nothing() {
    let _limit = limit();
    let semaphore = Semaphore::new(1, 3).unwrap();
    assert_eq!(code(semaphore.release(3)), 298);
    assert_eq!(code(semaphore.release(i32::MAX)), 298);
    assert_eq!(drain(&semaphore), 1);
}

/// Y21.
#[test]
fn a_release_tells_the_count_before() {
    let _limit = limit();
    let semaphore = Semaphore::new(1, 10).unwrap();
    assert_eq!(semaphore.release(2).unwrap(), 1);
    assert_eq!(semaphore.release(1).unwrap(), 3);
    assert_eq!(semaphore.release(6).unwrap(), 4);
}

/// Y22, for a thread; tests/sync_between_processes.rs has it for processes.
#[test]
fn what_a_thread_took_before_it_ended_is_not_given_back() {
    let _limit = limit();
    let semaphore = Semaphore::new(2, 2).unwrap();
    in_thread(|| assert!(signalled(&semaphore)));
    assert_eq!(drain(&semaphore), 1);
}

/// Y23, Y39.
#[test]
fn on_an_existing_name_counts_do_not_apply_but_are_checked() {
    let _limit = limit();
    let name = unique("semaphore");
    let first = SemaphoreOptions::new(1, 2).name(&name).create().unwrap();
    let second = SemaphoreOptions::new(5, 100).name(&name).create().unwrap();
    assert!(!first.existed && second.existed);
    assert_eq!(code(SemaphoreOptions::new(2, 1).name(&name).create()), 87);
    assert_eq!(code(second.object.release(2)), 298, "the maximum is 2");
    assert_eq!(drain(&first.object), 1);
}

/// Sync.md, section 2.
#[test]
fn counts_that_make_no_sense_are_87() {
    let _limit = limit();
    for (initial, maximum) in [(0, 0), (-1, 1), (2, 1), (0, -1), (i32::MIN, i32::MAX), (1, i32::MIN)] {
        assert_eq!(code(Semaphore::new(initial, maximum)), 87, "{initial} of {maximum}");
    }
    let semaphore = Semaphore::new(1, 5).unwrap();
    crate::differs_under_wine!("Y21", code(semaphore.release(0)) == 87);
    crate::differs_under_wine!("Y20", code(semaphore.release(-1)) == 87);
    assert_eq!(drain(&semaphore), 1);
}

/// Handles.md, section 8.
#[test]
fn releasing_and_waiting_need_their_rights() {
    let _limit = limit();
    let name = unique("rights");
    let _semaphore = SemaphoreOptions::new(1, 5).name(&name).create().unwrap();
    let open = |access| SemaphoreOptions::new(0, 1).name(&name).access(access).open().unwrap();
    let waits = open(SYNCHRONIZE);
    assert_eq!(code(waits.release(1)), 5);
    assert!(signalled(&waits));
    let gives = open(SEMAPHORE_MODIFY_STATE);
    assert_eq!(gives.release(1).unwrap(), 0);
    assert_eq!(code(wait::one(&gives, Timeout::ZERO)), 5);
}

/// Y18: nothing is lost between many that give and many that take.
#[test]
fn no_unit_is_lost_or_made() {
    let _limit = limit();
    let semaphore = Semaphore::new(0, 4000).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..1000).for_each(|_| assert!(semaphore.release(1).is_ok())));
            scope.spawn(|| (0..900).for_each(|_| expect_signal(&semaphore)));
        }
    });
    assert_eq!(drain(&semaphore), 200);
}
