//! Events, mutexes and semaphores between processes (sync.md).

mod support;

use support::{
    A_MOMENT, PATIENCE, With, argument, child, code, exit_code, expect_signal, limit, named_event, ready,
    role, signalled, unique, wait_to_be_killed,
};
use transom::event::{Event, EventOptions};
use transom::handle::AsHandle;
use transom::mapping::Mapping;
use transom::mutex::{Mutex, MutexOptions};
use transom::semaphore::{Semaphore, SemaphoreOptions};
use transom::wait::{self, Timeout, Wait};

#[test]
fn child_entry() {
    child(&[
        ("set", set),
        ("wait-then-set", wait_then_set),
        ("ping-pong", ping_pong),
        ("own-and-leave", own_and_leave),
        ("release", release),
        ("probe", probe),
        ("count", count),
        ("take", take),
        ("produce", produce),
        ("consume", consume),
        ("all", wait_for_all),
    ]);
}

fn set() -> u32 {
    code(Event::open(&argument("NAME")).and_then(|event| event.set()))
}

/// Y5, Y6: any process may set it, and it stays set when its setter has ended.
#[test]
fn an_event_set_by_a_process_that_ended_stays_set() {
    let _limit = limit();
    let name = unique("set");
    let event = named_event(&name);
    assert_eq!(role("set").with("NAME", &name).run(), 0);
    assert!(signalled(&event) && signalled(&event));
}

fn wait_then_set() -> u32 {
    let go = EventOptions::new().name(&argument("GO")).access(0x10_0000).open().unwrap();
    let done = EventOptions::new().name(&argument("DONE")).access(0x2).open().unwrap();
    assert_eq!(code(go.set()), 5, "opened for waiting only");
    assert_eq!(code(wait::one(&done, Timeout::ZERO)), 5, "opened for setting only");
    ready();
    expect_signal(&go);
    done.set().unwrap();
    42
}

/// Y3, Y31: one wakes the other and waits for its answer; each set lets one of several children through.
#[test]
fn an_auto_reset_event_lets_one_process_through_for_each_set() {
    let _limit = limit();
    let (go_name, done_name, here) = (unique("go"), unique("done"), unique("ready"));
    let go = EventOptions::new().name(&go_name).create().unwrap().object;
    let done = EventOptions::new().name(&done_name).create().unwrap().object;
    let here_event = EventOptions::new().name(&here).create().unwrap().object;
    let start = || {
        let started =
            role("wait-then-set").with("GO", &go_name).with("DONE", &done_name).with("READY", &here).start();
        expect_signal(&here_event);
        started
    };
    let children = [start(), start(), start()];
    for _ in 0..3 {
        assert_eq!(wait::signal_and_wait(&go, &done, PATIENCE).unwrap(), Wait::Object(0));
        assert_eq!(wait::one(&done, A_MOMENT).unwrap(), Wait::Timeout, "one only");
    }
    assert!(children.iter().all(|child| exit_code(child) == 42));
    assert!(!signalled(&go));
}

fn ping_pong() -> u32 {
    let view = Mapping::open(&argument("NAME")).unwrap().view().unwrap();
    let (ping, pong) = (Event::open(&argument("PING")).unwrap(), Event::open(&argument("PONG")).unwrap());
    for round in 0..500u32 {
        expect_signal(&ping);
        assert_eq!(view.load_u32(0).unwrap(), round);
        view.store_u32(64, !round).unwrap();
        pong.set().unwrap();
    }
    0
}

/// Sync.md, section 9: a signal carries what was stored before it, to another process too.
#[test]
fn signals_order_what_is_stored_around_them() {
    let _limit = limit();
    let (name, ping_name, pong_name) = (unique("memory"), unique("ping"), unique("pong"));
    let view = Mapping::create(&name, 4096).unwrap().object;
    let (mapping, view) = (&view, view.view().unwrap());
    let ping = EventOptions::new().name(&ping_name).create().unwrap().object;
    let pong = EventOptions::new().name(&pong_name).create().unwrap().object;
    let child =
        role("ping-pong").with("NAME", &name).with("PING", &ping_name).with("PONG", &pong_name).start();
    for round in 0..500u32 {
        view.store_u32(0, round).unwrap();
        ping.set().unwrap();
        expect_signal(&pong);
        assert_eq!(view.load_u32(64).unwrap(), !round);
    }
    assert_eq!(exit_code(&child), 0);
    assert_eq!(mapping.size().unwrap(), 4096);
}

fn own_and_leave() -> u32 {
    let mutex = Mutex::open(&argument("NAME")).unwrap();
    assert!(wait::one(&mutex, PATIENCE).unwrap().is_signalled());
    ready();
    match argument("HOW").as_str() {
        "return" => 61,
        "exit" => transom::process::exit(62),
        _ => wait_to_be_killed(),
    }
}

/// Y11, H4, R28: an owner that returns, exits or is killed leaves an abandoned mutex, told once.
#[test]
fn a_mutex_whose_owner_process_ends_is_abandoned() {
    let _limit = limit();
    for (how, expected) in [("return", 61), ("exit", 62), ("kill", 63)] {
        let (name, here) = (unique("mutex"), unique("ready"));
        let here_event = named_event(&here);
        let mutex = MutexOptions::new().name(&name).create().unwrap().object;
        let child = role("own-and-leave").with("NAME", &name).with("READY", &here).with("HOW", how).start();
        expect_signal(&here_event);
        if how == "kill" {
            assert_eq!(wait::one(&mutex, A_MOMENT).unwrap(), Wait::Timeout, "it is the child's");
            child.process.terminate(expected).unwrap();
        }
        assert_eq!(wait::one(&mutex, PATIENCE).unwrap(), Wait::Abandoned(0), "{how}");
        assert_eq!(exit_code(&child), expected);
        assert_eq!(role("probe").with("NAME", &name).run(), 0, "{how}: it is ours now");
        mutex.release().unwrap();
        assert_eq!(code(mutex.release()), 288);
        assert_eq!(role("probe").with("NAME", &name).run(), 1, "{how}: an ordinary mutex again");
        assert_eq!(wait::one(&mutex, Timeout::ZERO).unwrap(), Wait::Object(0));
    }
}

/// Y11: somebody who waits already when the owner is killed.
#[test]
fn a_waiter_is_woken_by_the_death_of_the_owner() {
    let _limit = limit();
    let (name, here) = (unique("mutex"), unique("ready"));
    let here_event = named_event(&here);
    let mutex = MutexOptions::new().name(&name).create().unwrap().object;
    let child = role("own-and-leave").with("NAME", &name).with("READY", &here).with("HOW", "kill").start();
    expect_signal(&here_event);
    let never = Event::new(true).unwrap();
    let found = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| wait::any(&[&never, &mutex], PATIENCE).unwrap());
        assert_eq!(wait::one(&never, A_MOMENT).unwrap(), Wait::Timeout);
        assert!(!waiter.is_finished());
        child.process.terminate(1).unwrap();
        waiter.join().unwrap()
    });
    assert_eq!(found, Wait::Abandoned(1), "Y12: with its index");
}

/// Whether the mutex is free: 1.
fn probe() -> u32 {
    let mutex = Mutex::open(&argument("NAME")).unwrap();
    u32::from(mutex.lock_for(A_MOMENT).unwrap().is_some())
}

fn release() -> u32 {
    code(Mutex::open(&argument("NAME")).and_then(|mutex| mutex.release()))
}

/// Y9, Y14: another process's mutex is not released by opening and releasing it.
#[test]
fn another_process_cannot_release_what_it_does_not_own() {
    let _limit = limit();
    let name = unique("mutex");
    let mutex = MutexOptions::new().name(&name).initial_owner(true).create().unwrap().object;
    assert_eq!(role("release").with("NAME", &name).run(), 288);
    assert_eq!(role("probe").with("NAME", &name).run(), 0);
    mutex.release().unwrap();
    assert_eq!(role("probe").with("NAME", &name).run(), 1);
}

fn count() -> u32 {
    let mutex = Mutex::open(&argument("NAME")).unwrap();
    let view = Mapping::open(&argument("MEMORY")).unwrap().view().unwrap();
    for _ in 0..300 {
        let guard = mutex.lock().unwrap();
        let count = view.load_u32(0).unwrap();
        std::thread::yield_now();
        view.store_u32(0, count + 1).unwrap();
        drop(guard);
    }
    60
}

/// Y8: what a mutex is for.
#[test]
fn a_mutex_excludes_processes_from_each_other() {
    let _limit = limit();
    let (name, memory) = (unique("mutex"), unique("memory"));
    let _mutex = MutexOptions::new().name(&name).create().unwrap();
    let mapping = Mapping::create(&memory, 4096).unwrap().object;
    let children: Vec<_> =
        (0..3).map(|_| role("count").with("NAME", &name).with("MEMORY", &memory).start()).collect();
    assert!(children.iter().all(|child| exit_code(child) == 60));
    assert_eq!(mapping.view().unwrap().load_u32(0).unwrap(), 900);
}

fn take() -> u32 {
    let semaphore = Semaphore::open(&argument("NAME")).unwrap();
    expect_signal(&semaphore);
    expect_signal(&semaphore);
    ready();
    wait_to_be_killed()
}

/// Y22: what a process took is not given back, whatever becomes of it.
#[test]
fn a_count_taken_by_a_process_that_is_killed_stays_taken() {
    let _limit = limit();
    let (name, here) = (unique("semaphore"), unique("ready"));
    let here_event = named_event(&here);
    let semaphore = SemaphoreOptions::new(3, 3).name(&name).create().unwrap().object;
    let child = role("take").with("NAME", &name).with("READY", &here).start();
    expect_signal(&here_event);
    child.process.terminate(1).unwrap();
    exit_code(&child);
    assert!(signalled(&semaphore));
    assert!(!signalled(&semaphore));
    assert_eq!(semaphore.release(3).unwrap(), 0, "Y18: whoever gives it");
}

const SLOTS: u32 = 4;
const ITEMS: u32 = 60;

/// The parts of the bounded queue: places to put into, items to take, the lock, the memory (put, got, sum at 0,
/// 4, 8; slots from 64).
struct Queue {
    room: Semaphore,
    items: Semaphore,
    lock: Mutex,
    view: transom::mapping::View,
}

impl Queue {
    fn open(name: &str) -> Queue {
        Queue {
            room: Semaphore::open(&format!("{name}-room")).unwrap(),
            items: Semaphore::open(&format!("{name}-items")).unwrap(),
            lock: Mutex::open(&format!("{name}-lock")).unwrap(),
            view: Mapping::open(&format!("{name}-memory")).unwrap().view().unwrap(),
        }
    }

    /// Moves the counter at `offset` on and gives the slot it stood at.
    fn next(&self, offset: usize) -> usize {
        let at = self.view.load_u32(offset).unwrap();
        self.view.store_u32(offset, at + 1).unwrap();
        64 + 4 * (at % SLOTS) as usize
    }
}

fn produce() -> u32 {
    let queue = Queue::open(&argument("NAME"));
    for item in 1..=ITEMS {
        expect_signal(&queue.room);
        let guard = queue.lock.lock().unwrap();
        queue.view.store_u32(queue.next(0), item).unwrap();
        drop(guard);
        queue.items.release(1).unwrap();
    }
    70
}

fn consume() -> u32 {
    let queue = Queue::open(&argument("NAME"));
    for _ in 1..=ITEMS {
        expect_signal(&queue.items);
        let guard = queue.lock.lock().unwrap();
        let item = queue.view.load_u32(queue.next(4)).unwrap();
        let sum = queue.view.load_u32(8).unwrap();
        queue.view.store_u32(8, sum + item).unwrap();
        drop(guard);
        queue.room.release(1).unwrap();
    }
    70
}

/// Y18, Y19, Y21: a bounded queue between four processes.
#[test]
fn two_semaphores_and_a_mutex_make_a_bounded_queue() {
    let _limit = limit();
    let name = unique("queue");
    let room = SemaphoreOptions::new(4, 4).name(&format!("{name}-room")).create().unwrap().object;
    let items = SemaphoreOptions::new(0, 4).name(&format!("{name}-items")).create().unwrap().object;
    let _lock = MutexOptions::new().name(&format!("{name}-lock")).create().unwrap();
    let memory = Mapping::create(&format!("{name}-memory"), 4096).unwrap().object;
    let roles = ["produce", "consume", "produce", "consume"];
    let children = roles.map(|kind| role(kind).with("NAME", &name).start());
    assert!(children.iter().all(|child| exit_code(child) == 70));
    let view = memory.view().unwrap();
    assert_eq!((view.load_u32(0).unwrap(), view.load_u32(4).unwrap()), (2 * ITEMS, 2 * ITEMS));
    assert_eq!(view.load_u32(8).unwrap(), 2 * (1..=ITEMS).sum::<u32>());
    assert!(!signalled(&items));
    assert_eq!(code(room.release(1)), 298, "all the room is free again");
}

/// A producer with nobody to consume stops when the queue is full; what it did stays when it is killed.
#[test]
fn counts_survive_the_process_that_made_them() {
    let _limit = limit();
    let name = unique("queue");
    let room = SemaphoreOptions::new(4, 4).name(&format!("{name}-room")).create().unwrap().object;
    let items = SemaphoreOptions::new(0, 5).name(&format!("{name}-items")).create().unwrap().object;
    let _lock = MutexOptions::new().name(&format!("{name}-lock")).create().unwrap();
    let _memory = Mapping::create(&format!("{name}-memory"), 4096).unwrap();
    let child = role("produce").with("NAME", &name).start();
    // Four items come, and not a fifth.
    for _ in 0..4 {
        expect_signal(&items);
    }
    assert_eq!(wait::one(&items, A_MOMENT).unwrap(), Wait::Timeout);
    items.release(4).unwrap();
    child.process.terminate(71).unwrap();
    assert_eq!(exit_code(&child), 71);
    assert!(!signalled(&room));
    assert_eq!(items.release(1).unwrap(), 4);
}

fn wait_for_all() -> u32 {
    let event = Event::open(&argument("EVENT")).unwrap();
    let mutex = Mutex::open(&argument("MUTEX")).unwrap();
    let semaphore = Semaphore::open(&argument("SEMAPHORE")).unwrap();
    ready();
    match wait::all(&[&event, &mutex, &semaphore], PATIENCE).unwrap() {
        Wait::Object(0) => 0,
        other => other.value(),
    }
}

/// Y26, Y36: a wait for all in one process does not hold what another one wants meanwhile.
#[test]
fn a_wait_for_all_holds_nothing_against_other_processes() {
    let _limit = limit();
    let (event_name, mutex_name, semaphore_name, here) =
        (unique("event"), unique("mutex"), unique("sem"), unique("ready"));
    let event = EventOptions::new().name(&event_name).create().unwrap().object;
    let mutex = MutexOptions::new().name(&mutex_name).create().unwrap().object;
    let semaphore = SemaphoreOptions::new(1, 1).name(&semaphore_name).create().unwrap().object;
    let here_event = named_event(&here);
    let waiting = role("all").with("EVENT", &event_name).with("MUTEX", &mutex_name);
    let child = waiting.with("SEMAPHORE", &semaphore_name).with("READY", &here).start();
    expect_signal(&here_event);
    // Two of the three are there: the child takes neither, so we can, again and again.
    for _ in 0..100 {
        assert_eq!(wait::all(&[&mutex, &semaphore], Timeout::ZERO).unwrap(), Wait::Object(0));
        mutex.release().unwrap();
        semaphore.release(1).unwrap();
    }
    event.set().unwrap();
    assert_eq!(exit_code(&child), 0);
    assert!(!signalled(&event) && !signalled(&semaphore));
    assert_eq!(wait::one(&mutex, PATIENCE).unwrap(), Wait::Abandoned(0), "the child ended as its owner");
    mutex.release().unwrap();
}

/// Y33, Y36: processes among other objects in one wait.
#[test]
fn children_are_waited_for_like_anything_else() {
    let _limit = limit();
    let name = unique("event");
    let event = named_event(&name);
    let child = role("set").with("NAME", &name).start();
    let list: [&dyn AsHandle; 2] = [&child.process, &event];
    assert_eq!(wait::all(&list, PATIENCE).unwrap(), Wait::Object(0));
    assert_eq!(wait::any(&list, Timeout::ZERO).unwrap(), Wait::Object(0));
    assert!(signalled(&child.process) && signalled(&child.thread));
}
