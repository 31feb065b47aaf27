//! Mutexes whose pages a peer writes while they are owned: the kernel's list of what a thread owns stays whole,
//! so everything else that it owns is abandoned properly when it dies (Y11).

use transom::event::{Event, EventOptions};
use transom::mutex::{Mutex, MutexOptions};
use transom::wait::{self, Timeout, Wait};
use transom_core::record::page;
use transom_core::word;

use crate::peer::{page_of, read_u64, write_u32, write_u64};
use crate::support::{
    PATIENCE, With, argument, code, exit_code, expect_signal, limit, number, role, unique, wait_to_be_killed,
};

/// A mutex named as the arguments say.
fn mutex(what: &str) -> Mutex {
    Mutex::open(&format!("{}-{what}", argument("NAME"))).unwrap()
}

fn event(what: &str) -> Event {
    Event::open(&format!("{}-{what}", argument("NAME"))).unwrap()
}

/// Owns a mutex that gets scribbled, and one before and one after it in the list.
pub fn owner_of_two() -> u32 {
    let (first, scribbled, last) = (mutex("first"), mutex("scribbled"), mutex("last"));
    for mutex in [&first, &scribbled, &last] {
        assert_eq!(wait::one(mutex, Timeout::ZERO).unwrap(), Wait::Object(0));
    }
    event("ready").set().unwrap();
    expect_signal(&event("go"));
    // Whatever its word says now, using it bends nothing.
    for _ in 0..3 {
        let _ = wait::one(&scribbled, Timeout::millis(5));
        let _ = wait::any(&[&scribbled, &event("go")], Timeout::millis(5));
        let _ = wait::all(&[&scribbled, &event("ready")], Timeout::millis(5));
        let _ = scribbled.release();
    }
    event("ready").set().unwrap();
    wait_to_be_killed()
}

/// Three mutexes and two events, by name.
struct Objects {
    name: String,
    mutexes: [Mutex; 3],
    ready: Event,
    go: Event,
}

impl Objects {
    fn new() -> Objects {
        let name = unique("mutex");
        let mutex = |what: &str| MutexOptions::new().name(&format!("{name}-{what}")).create().unwrap().object;
        let event = |what: &str| EventOptions::new().name(&format!("{name}-{what}")).create().unwrap().object;
        let mutexes = [mutex("first"), mutex("scribbled"), mutex("last")];
        let (ready, go) = (event("ready"), event("go"));
        Objects { name, mutexes, ready, go }
    }
}

#[test]
fn a_scribbled_mutex_does_not_keep_others_from_being_abandoned() {
    let _limit = limit();
    let somebody = 0x1234_5678 & u64::from(word::ID);
    let words = [
        0,
        u64::from(word::SIGNALLED),
        u64::from(word::WAITERS),
        u64::from(word::SIGNALLED | word::WAITERS),
        somebody,
        u64::MAX,
        somebody | u64::from(word::SIGNALLED),
    ];
    for scribble in words {
        for depth in [0, 1, u32::MAX] {
            let objects = Objects::new();
            let owner = role("owner-of-two").with("NAME", &objects.name).start();
            expect_signal(&objects.ready);
            let page = page_of(&format!("{}-scribbled", objects.name));
            write_u64(&page, page::OWNER_KEY, scribble ^ 77);
            write_u32(&page, page::DEPTH, depth);
            write_u64(&page, page::WORD, scribble);
            objects.go.set().unwrap();
            expect_signal(&objects.ready);
            owner.process.terminate(1).unwrap();
            exit_code(&owner);
            for at in [0, 2] {
                let got = wait::one(&objects.mutexes[at], PATIENCE).unwrap();
                assert_eq!(got, Wait::Abandoned(0), "word {scribble:#x}, depth {depth}, mutex {at}");
                objects.mutexes[at].release().unwrap();
            }
        }
    }
}

/// Takes a mutex again after its word was made free, and ends in an orderly way.
pub fn taker_twice() -> u32 {
    let (scribbled, last) = (mutex("scribbled"), mutex("last"));
    let page = page_of(&format!("{}-scribbled", argument("NAME")));
    let thread = transom::thread::ThreadOptions::new().spawn(move || {
        for _ in 0..number("TIMES") {
            assert_eq!(wait::one(&scribbled, Timeout::ZERO).unwrap(), Wait::Object(0));
            write_u64(&page, page::WORD, 0);
        }
        assert_eq!(wait::one(&last, Timeout::ZERO).unwrap(), Wait::Object(0));
        assert_eq!(code(scribbled.release()), 288, "it is nobody's");
        // Here the handles are closed, and the thread ends while the list has both.
        0
    });
    let thread = thread.unwrap();
    assert_eq!(wait::one(&thread, PATIENCE).unwrap(), Wait::Object(0));
    assert_eq!(wait::one(&mutex("last"), Timeout::ZERO).unwrap(), Wait::Abandoned(0));
    mutex("last").release().unwrap();
    let scribbled = mutex("scribbled");
    assert_eq!(wait::one(&scribbled, Timeout::ZERO).unwrap(), Wait::Object(0));
    scribbled.release().unwrap();
    0
}

#[test]
fn a_mutex_taken_again_after_it_was_made_free_by_somebody_else_ends_with_its_thread() {
    let _limit = limit();
    for times in [1, 2, 5] {
        let objects = Objects::new();
        let child = role("taker-twice").with("NAME", &objects.name).with("TIMES", times).start();
        assert_eq!(exit_code(&child), 0, "{times}");
    }
}

/// Two threads of one process, both owners of a mutex of their own, of which the second takes what the first owns.
pub fn two_threads() -> u32 {
    let (first, scribbled, last) = (mutex("first"), mutex("scribbled"), mutex("last"));
    let page = page_of(&format!("{}-scribbled", argument("NAME")));
    let (owned, refused) = (Event::new(true).unwrap(), Event::new(true).unwrap());
    std::thread::scope(|scope| {
        let (first, scribbled, last) = (&first, &scribbled, &last);
        let (owned, refused, page) = (&owned, &refused, &page);
        scope.spawn(move || {
            assert_eq!(wait::all(&[first, scribbled], PATIENCE).unwrap(), Wait::Object(0));
            owned.set().unwrap();
            expect_signal(refused);
            assert!([0, 288].contains(&code(scribbled.release())));
            wait_to_be_killed()
        });
        scope.spawn(move || {
            assert_eq!(wait::one(last, PATIENCE).unwrap(), Wait::Object(0));
            expect_signal(owned);
            write_u64(page, page::WORD, 0);
            // The mapping is on the first thread's list, so it is not to be had here.
            assert_eq!(code(wait::one(scribbled, Timeout::ZERO)), 1392);
            assert_eq!(code(wait::any(&[scribbled, refused], Timeout::ZERO)), 1392);
            assert_eq!(code(wait::all(&[scribbled, owned], Timeout::ZERO)), 1392);
            assert_eq!(read_u64(page, page::WORD), 0, "it was put back");
            refused.set().unwrap();
            event("ready").set().unwrap();
            wait_to_be_killed()
        });
    });
    0
}

#[test]
fn a_mutex_that_was_made_free_is_refused_to_the_owners_other_threads() {
    let _limit = limit();
    let objects = Objects::new();
    let child = role("two-threads").with("NAME", &objects.name).start();
    let woken = wait::any(&[&objects.ready, &child.process], PATIENCE).unwrap();
    assert_eq!(woken, Wait::Object(0), "the process lives");
    child.process.terminate(1).unwrap();
    exit_code(&child);
    for at in [0, 2] {
        assert_eq!(wait::one(&objects.mutexes[at], PATIENCE).unwrap(), Wait::Abandoned(0), "mutex {at}");
        objects.mutexes[at].release().unwrap();
    }
}

/// A waiter with a time-out gets its time-out, whatever the page says about the owner.
#[test]
fn a_wait_for_a_scribbled_mutex_ends_in_time() {
    let _limit = limit();
    let name = unique("waited");
    let mutex = MutexOptions::new().name(&name).create().unwrap().object;
    let page = page_of(&name);
    let other = Event::new(true).unwrap();
    let living = u64::from(std::process::id());
    for owner in [1, living, u64::from(word::ID)] {
        for depth in [0, 1] {
            for process in [0, 1, std::process::id(), u32::MAX] {
                write_u32(&page, page::DEPTH, depth);
                write_u32(&page, page::PROCESS_ID, process);
                write_u64(&page, page::WORD, owner);
                assert_eq!(wait::one(&mutex, Timeout::millis(3)).unwrap(), Wait::Timeout);
                assert_eq!(wait::any(&[&mutex, &other], Timeout::millis(3)).unwrap(), Wait::Timeout);
                write_u64(&page, page::WORD, owner);
                assert_eq!(wait::all(&[&mutex, &other], Timeout::ZERO).unwrap(), Wait::Timeout);
                assert_eq!(code(mutex.release()), 288);
            }
        }
    }
}
