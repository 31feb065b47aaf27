//! What both systems show about waits (sync.md, section 7).

use std::time::{Duration, Instant};

use crate::event::{Event, EventOptions};
use crate::handle::{AsHandle, DuplicateOptions, FromHandle, Handle};
use crate::mapping::Mapping;
use crate::mutex::Mutex;
use crate::process::Process;
use crate::semaphore::Semaphore;
use crate::support::{
    A_MOMENT, NEVER_ISSUED, PATIENCE, code, expect_signal, in_thread, limit, signalled, unique,
};
use crate::thread::ThreadOptions;
use crate::wait::{MAXIMUM_WAIT_OBJECTS, Timeout, Wait, all, any, one, signal_and_wait};

fn auto() -> Event {
    Event::new(false).unwrap()
}

fn manual() -> Event {
    Event::new(true).unwrap()
}

/// All events as what a wait takes.
fn objects(events: &[Event]) -> Vec<&dyn AsHandle> {
    events.iter().map(|event| event as &dyn AsHandle).collect()
}

/// Y24.
#[test]
fn time_out_0_asks_and_returns() {
    let _limit = limit();
    let event = auto();
    assert_eq!(one(&event, Timeout::ZERO).unwrap(), Wait::Timeout);
    assert_eq!(one(&event, Duration::ZERO).unwrap(), Wait::Timeout);
    event.set().unwrap();
    assert_eq!(one(&event, Timeout::ZERO).unwrap(), Wait::Object(0));
}

/// Y24: never early; how late is the machine's business.
#[test]
fn no_time_out_ends_early() {
    let _limit = limit();
    let events = [auto(), auto()];
    for millis in [1, 15, 40] {
        let before = Instant::now();
        assert_eq!(one(&events[0], Timeout::millis(millis)).unwrap(), Wait::Timeout);
        assert!(before.elapsed() >= Duration::from_millis(millis.into()), "{millis}");
        let before = Instant::now();
        assert_eq!(any(&objects(&events), Timeout::millis(millis)).unwrap(), Wait::Timeout);
        assert!(before.elapsed() >= Duration::from_millis(millis.into()), "{millis}");
        let before = Instant::now();
        assert_eq!(all(&objects(&events), Timeout::millis(millis)).unwrap(), Wait::Timeout);
        assert!(before.elapsed() >= Duration::from_millis(millis.into()), "{millis}");
    }
}

/// Y24.
#[test]
fn infinite_waits_until_it_comes() {
    let _limit = limit();
    let events = [auto(), auto()];
    std::thread::scope(|scope| {
        let waiters = [
            scope.spawn(|| one(&events[0], Timeout::INFINITE).unwrap()),
            scope.spawn(|| any(&objects(&events[1..]), Timeout::INFINITE).unwrap()),
        ];
        assert!(!signalled(&manual()));
        events.iter().for_each(|event| event.set().unwrap());
        assert!(waiters.into_iter().all(|waiter| waiter.join().unwrap() == Wait::Object(0)));
    });
}

/// Y25.
#[test]
fn any_takes_the_first_signalled_one_alone() {
    let _limit = limit();
    let events = [auto(), auto(), auto()];
    assert_eq!(any(&objects(&events), Timeout::ZERO).unwrap(), Wait::Timeout);
    events[2].set().unwrap();
    events[1].set().unwrap();
    assert_eq!(any(&objects(&events), Timeout::ZERO).unwrap(), Wait::Object(1));
    assert_eq!(any(&objects(&events), Timeout::ZERO).unwrap(), Wait::Object(2));
    assert_eq!(any(&objects(&events), Timeout::ZERO).unwrap(), Wait::Timeout);
}

/// Y25: woken by one, the others stay as they are.
#[test]
fn any_wakes_for_each_of_its_objects() {
    let _limit = limit();
    let events = [auto(), auto(), auto()];
    for (index, event) in events.iter().enumerate() {
        let found = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| any(&objects(&events), PATIENCE).unwrap());
            event.set().unwrap();
            waiter.join().unwrap()
        });
        assert_eq!(found, Wait::Object(index));
        assert!(events.iter().all(|event| !signalled(event)));
    }
}

/// Y26: nothing is taken before everything can be.
#[test]
fn all_takes_nothing_until_it_can_take_everything() {
    let _limit = limit();
    let events = [auto(), auto(), auto()];
    events[0].set().unwrap();
    events[2].set().unwrap();
    assert_eq!(all(&objects(&events), A_MOMENT).unwrap(), Wait::Timeout);
    assert!(signalled(&events[0]), "it was not taken");
    events[0].set().unwrap();
    events[1].set().unwrap();
    assert_eq!(all(&objects(&events), Timeout::ZERO).unwrap(), Wait::Object(0));
    assert_eq!(any(&objects(&events), Timeout::ZERO).unwrap(), Wait::Timeout, "all were taken");
}

/// Y26: a thread that waits for all does not hold some while it waits.
#[test]
fn while_one_waits_for_all_others_can_have_a_part() {
    let _limit = limit();
    let events = [auto(), auto()];
    std::thread::scope(|scope| {
        let waiter = scope.spawn(|| all(&objects(&events), PATIENCE).unwrap());
        for _ in 0..200 {
            events[0].set().unwrap();
            expect_signal(&events[0]);
        }
        events[0].set().unwrap();
        events[1].set().unwrap();
        assert_eq!(waiter.join().unwrap(), Wait::Object(0));
    });
    assert!(events.iter().all(|event| !signalled(event)));
}

/// Y26: two who want the same two in different order never deadlock and never share.
#[test]
fn waits_for_all_of_the_same_objects_take_turns() {
    let _limit = limit();
    let (one_mutex, two_mutex) = (Mutex::new().unwrap(), Mutex::new().unwrap());
    let mapping = Mapping::anonymous(4096).unwrap();
    let view = mapping.view().unwrap();
    std::thread::scope(|scope| {
        for turned in [false, true] {
            let (first, second) = if turned { (&two_mutex, &one_mutex) } else { (&one_mutex, &two_mutex) };
            let view = &view;
            scope.spawn(move || {
                for _ in 0..500 {
                    assert_eq!(all(&[first, second], PATIENCE).unwrap(), Wait::Object(0));
                    let count = view.load_u32(0).unwrap();
                    view.store_u32(0, count + 1).unwrap();
                    first.release().unwrap();
                    second.release().unwrap();
                }
            });
        }
    });
    assert_eq!(view.load_u32(0).unwrap(), 1000);
}

/// Y27, Y36: all kinds in one call; nothing is taken of three as long as one is missing.
#[test]
fn a_semaphore_a_mutex_and_an_event_are_taken_together() {
    let _limit = limit();
    let (semaphore, mutex, event) = (Semaphore::new(1, 1).unwrap(), Mutex::new().unwrap(), manual());
    let three: [&dyn AsHandle; 3] = [&semaphore, &mutex, &event];
    assert_eq!(all(&three, A_MOMENT).unwrap(), Wait::Timeout);
    assert_eq!(code(mutex.release()), 288, "the mutex was not taken");
    event.set().unwrap();
    assert_eq!(all(&three, A_MOMENT).unwrap(), Wait::Object(0));
    mutex.release().unwrap();
    assert!(!signalled(&semaphore));
}

/// Y28.
#[test]
fn one_bad_handle_fails_the_whole_wait() {
    let _limit = limit();
    let set = EventOptions::new().manual_reset(true).initial(true).create().unwrap().object;
    let bad = || Handle::borrow(NEVER_ISSUED);
    assert_eq!(code(bad().and_then(|bad| any(&[&set, &*bad], Timeout::ZERO))), 6);
    assert_eq!(code(bad().and_then(|bad| all(&[&set, &*bad], Timeout::ZERO))), 6);
    assert_eq!(code(bad().and_then(|bad| one(&*bad, Timeout::ZERO))), 6);
    let mapping = Mapping::anonymous(4096).unwrap();
    assert_eq!(code(any(&[&set, &mapping], Timeout::ZERO)), 5, "a section's handle has no right to it");
}

/// Y16, Y28: rights count like handles.
#[test]
fn one_handle_without_the_right_fails_the_whole_wait() {
    let _limit = limit();
    let name = unique("right");
    let event = EventOptions::new().name(&name).initial(true).create().unwrap().object;
    let cannot = EventOptions::new().name(&name).access(0x2).open().unwrap();
    assert_eq!(code(any(&[&event, &cannot], Timeout::ZERO)), 5);
    assert!(signalled(&event), "nothing was taken");
}

/// Y29.
#[test]
fn the_same_handle_twice_works_for_any_and_not_for_all() {
    let _limit = limit();
    let event = EventOptions::new().initial(true).create().unwrap().object;
    crate::differs_under_wine!("Y29", code(all(&[&event, &event], Timeout::ZERO)) == 87);
    let again = event.as_handle().duplicate(DuplicateOptions::default()).unwrap();
    crate::differs_under_wine!("Y29", code(all(&[&event, &again], Timeout::ZERO)) == 87);
    event.set().unwrap();
    assert_eq!(any(&[&event, &event], Timeout::ZERO).unwrap(), Wait::Object(0));
    assert_eq!(any(&[&event, &event], Timeout::ZERO).unwrap(), Wait::Timeout);
}

/// Y26: two handles of one auto-reset event can never both be had.
#[test]
fn one_object_under_two_handles_is_waited_for_as_one_in_any() {
    let _limit = limit();
    let semaphore = Semaphore::new(2, 2).unwrap();
    let copy = Semaphore::from_handle(semaphore.as_handle().try_clone().unwrap()).unwrap();
    assert_eq!(any(&[&copy, &semaphore], Timeout::ZERO).unwrap(), Wait::Object(0));
    assert_eq!(any(&[&semaphore, &copy], Timeout::ZERO).unwrap(), Wait::Object(0));
    assert_eq!(any(&[&semaphore, &copy], Timeout::ZERO).unwrap(), Wait::Timeout);
}

/// Sync.md, section 2: from 1 to 64.
#[test]
fn the_number_of_objects_has_bounds() {
    let _limit = limit();
    let events: Vec<Event> = (0..=MAXIMUM_WAIT_OBJECTS).map(|_| auto()).collect();
    assert_eq!(code(any(&[], Timeout::ZERO)), 87);
    assert_eq!(code(all(&[], Timeout::ZERO)), 87);
    assert_eq!(code(any(&objects(&events), Timeout::ZERO)), 87);
    assert_eq!(code(all(&objects(&events), Timeout::ZERO)), 87);
    let found = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| any(&objects(&events[..64]), PATIENCE).unwrap());
        events[63].set().unwrap();
        waiter.join().unwrap()
    });
    assert_eq!(found, Wait::Object(63));
    events.iter().for_each(|event| event.set().unwrap());
    assert_eq!(all(&objects(&events[..64]), PATIENCE).unwrap(), Wait::Object(0));
    assert!(events[..64].iter().all(|event| !signalled(event)));
}

/// Y12: the index in a wait for any.
#[test]
fn an_abandoned_mutex_shows_with_its_index_in_any() {
    let _limit = limit();
    let (event, mutex) = (auto(), Mutex::new().unwrap());
    in_thread(|| assert!(signalled(&mutex)));
    assert_eq!(any(&[&event, &mutex], PATIENCE).unwrap(), Wait::Abandoned(1));
    mutex.release().unwrap();
    assert_eq!(any(&[&event, &mutex], PATIENCE).unwrap(), Wait::Object(1));
    mutex.release().unwrap();
}

/// Y12: in a wait for all the whole is abandoned, whichever member was.
#[test]
fn an_abandoned_mutex_shows_in_all() {
    let _limit = limit();
    let event = EventOptions::new().manual_reset(true).initial(true).create().unwrap().object;
    let mutexes = [Mutex::new().unwrap(), Mutex::new().unwrap()];
    in_thread(|| assert!(signalled(&mutexes[1])));
    let result = all(&[&event, &mutexes[0], &mutexes[1]], PATIENCE).unwrap();
    assert!(matches!(result, Wait::Abandoned(_)), "{result:?}");
    assert!(result.is_signalled());
    mutexes.iter().for_each(|mutex| mutex.release().unwrap());
    assert_eq!(all(&[&event, &mutexes[0], &mutexes[1]], PATIENCE).unwrap(), Wait::Object(0));
    mutexes.iter().for_each(|mutex| mutex.release().unwrap());
}

/// Y31.
#[test]
fn signal_and_wait_gives_the_signal_even_if_the_wait_times_out() {
    let _limit = limit();
    let (signal, object) = (manual(), auto());
    assert_eq!(signal_and_wait(&signal, &object, A_MOMENT).unwrap(), Wait::Timeout);
    assert!(signalled(&signal));
    object.set().unwrap();
    let semaphore = Semaphore::new(0, 1).unwrap();
    assert_eq!(signal_and_wait(&semaphore, &object, PATIENCE).unwrap(), Wait::Object(0));
    assert!(signalled(&semaphore) && !signalled(&object));
}

/// Y31: without a signal there is no wait, and nothing is taken.
#[test]
fn signal_and_wait_waits_for_nothing_if_the_signal_fails() {
    let _limit = limit();
    let set = EventOptions::new().initial(true).create().unwrap().object;
    let mutex = Mutex::new().unwrap();
    assert_eq!(code(signal_and_wait(&mutex, &set, Timeout::INFINITE)), 288);
    let full = Semaphore::new(1, 1).unwrap();
    assert_eq!(code(signal_and_wait(&full, &set, Timeout::INFINITE)), 298);
    let mapping = Mapping::anonymous(4096).unwrap();
    assert_eq!(code(signal_and_wait(&mapping, &set, Timeout::INFINITE)), 6);
    assert!(signalled(&set), "it was not taken");
    assert!(signalled(&full) && !signalled(&full), "and the count is as it was");
}

/// Y31 for mutexes: released, once.
#[test]
fn signal_and_wait_releases_a_mutex() {
    let _limit = limit();
    let mutex = Mutex::new().unwrap();
    let event = EventOptions::new().manual_reset(true).initial(true).create().unwrap().object;
    assert!(signalled(&mutex));
    assert_eq!(signal_and_wait(&mutex, &event, PATIENCE).unwrap(), Wait::Object(0));
    assert_eq!(code(mutex.release()), 288);
}

/// Y32.
#[test]
fn signal_and_wait_checks_both_before_it_signals() {
    let _limit = limit();
    let signal = manual();
    let bad = || Handle::borrow(NEVER_ISSUED);
    assert_eq!(code(bad().and_then(|bad| signal_and_wait(&signal, &*bad, Timeout::ZERO))), 6);
    assert_eq!(code(bad().and_then(|bad| signal_and_wait(&*bad, &signal, Timeout::ZERO))), 6);
    assert!(!signalled(&signal), "it was not signalled");
    let mapping = Mapping::anonymous(4096).unwrap();
    assert_ne!(code(signal_and_wait(&signal, &mapping, Timeout::ZERO)), 0);
    assert!(!signalled(&signal), "it was not signalled");
}

/// Two threads hand a token to and fro with it.
#[test]
fn signal_and_wait_plays_ping_pong() {
    let _limit = limit();
    let (ping, pong) = (auto(), auto());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            expect_signal(&ping);
            for _ in 1..300 {
                assert_eq!(signal_and_wait(&pong, &ping, PATIENCE).unwrap(), Wait::Object(0));
            }
            pong.set().unwrap();
        });
        for _ in 0..300 {
            assert_eq!(signal_and_wait(&ping, &pong, PATIENCE).unwrap(), Wait::Object(0));
        }
    });
}

/// Y33.
#[test]
fn a_thread_is_signalled_once_it_has_ended_and_stays_so() {
    let _limit = limit();
    let go = std::sync::Arc::new(manual());
    let theirs = std::sync::Arc::clone(&go);
    let thread = ThreadOptions::new().spawn(move || {
        expect_signal(&*theirs);
        77
    });
    let thread = thread.unwrap();
    let event = auto();
    assert_eq!(any(&[&event, &thread], Timeout::ZERO).unwrap(), Wait::Timeout);
    assert_eq!(thread.exit_code().unwrap(), None);
    go.set().unwrap();
    assert_eq!(any(&[&event, &thread], PATIENCE).unwrap(), Wait::Object(1));
    assert_eq!(thread.exit_code().unwrap(), Some(77));
    assert!(signalled(&thread) && signalled(&thread));
}

/// Y35.
#[test]
fn ones_own_process_is_not_signalled() {
    let _limit = limit();
    assert_eq!(one(&Process::current(), Timeout::ZERO).unwrap(), Wait::Timeout);
    assert_eq!(one(&crate::thread::Thread::current().unwrap(), Timeout::ZERO).unwrap(), Wait::Timeout);
}

/// Y36: named, unnamed, duplicated and process handles in one wait.
#[test]
fn all_kinds_mix_in_one_wait() {
    let _limit = limit();
    let name = unique("mixed");
    let event = EventOptions::new().name(&name).create().unwrap().object;
    let named = Event::open(&name).unwrap();
    let semaphore = Semaphore::new(0, 1).unwrap();
    let copy: Handle = semaphore.as_handle().try_clone().unwrap();
    let process = Process::current();
    let list: [&dyn AsHandle; 3] = [&process, &named, &copy];
    assert_eq!(any(&list, Timeout::ZERO).unwrap(), Wait::Timeout);
    semaphore.release(1).unwrap();
    assert_eq!(any(&list, PATIENCE).unwrap(), Wait::Object(2));
    event.set().unwrap();
    assert_eq!(any(&list, PATIENCE).unwrap(), Wait::Object(1));
}

/// Sync.md, section 2: the values Win32 returns.
#[test]
fn results_have_the_numbers_of_win32() {
    assert_eq!(Wait::Object(0).value(), 0);
    assert_eq!(Wait::Object(63).value(), 63);
    assert_eq!(Wait::Abandoned(3).value(), 0x83);
    assert_eq!(Wait::Timeout.value(), 0x102);
    assert!(!Wait::Timeout.is_signalled());
}
