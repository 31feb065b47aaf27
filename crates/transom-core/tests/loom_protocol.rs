//! The protocol of `transom_core::protocol`, every interleaving of two or three threads.
//!
//! Runs only under loom: `cargo xtask loom`. The futex of the model is a mutex and a condition variable
//! around what the kernel does under its own lock: compare and queue, change and wake.
#![cfg(loom)]

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use transom_core::protocol::{self, Slept, Tried, Waitable};
use transom_core::sync::{AtomicU32, AtomicU64, Ordering};
use transom_core::word::{self, Rule};

/// Sleepers that the model's kernel has queued, and how many of them it has let go.
#[derive(Default)]
struct Queue {
    sleeping: u32,
    released: u32,
}

struct Object {
    rule: Rule,
    maximum: u32,
    word: AtomicU64,
    herd: AtomicU32,
    queue: Mutex<Queue>,
    bell: Condvar,
}

impl Object {
    fn new(rule: Rule, signalled: bool, count: u32, maximum: u32) -> Arc<Object> {
        Arc::new(Object {
            rule,
            maximum,
            word: AtomicU64::new(word::initial(rule, signalled, count)),
            herd: AtomicU32::new(0),
            queue: Mutex::new(Queue::default()),
            bell: Condvar::new(),
        })
    }

    fn release(&self, queue: &mut Queue, count: u32) -> u32 {
        let woken = queue.sleeping.min(count);
        queue.sleeping -= woken;
        queue.released += woken;
        for _ in 0..woken {
            self.bell.notify_one();
        }
        woken
    }

    fn wait(&self, me: u32) -> bool {
        let attempt = || Ok::<_, ()>(protocol::try_take(self, me));
        match protocol::try_take(self, me) {
            Tried::Taken { abandoned } => abandoned,
            _ => protocol::wait(self, attempt).unwrap().expect("no time-out in the model"),
        }
    }
}

impl Waitable for Object {
    fn word(&self) -> &AtomicU64 {
        &self.word
    }
    fn rule(&self) -> Rule {
        self.rule
    }
    fn maximum(&self) -> u32 {
        self.maximum
    }
    fn herd(&self) -> &AtomicU32 {
        &self.herd
    }
    fn sleep(&self, expected: u32) -> Slept {
        let mut queue = self.queue.lock().unwrap();
        if word::low(self.word.load(Ordering::SeqCst)) != expected {
            return Slept::Look;
        }
        queue.sleeping += 1;
        while queue.released == 0 {
            queue = self.bell.wait(queue).unwrap();
        }
        queue.released -= 1;
        Slept::Look
    }
    fn wake(&self, count: u32) -> u32 {
        let mut queue = self.queue.lock().unwrap();
        self.release(&mut queue, count)
    }
    fn set_signalled_and_wake(&self, count: u32) -> u32 {
        let mut queue = self.queue.lock().unwrap();
        self.word.fetch_or(u64::from(word::SIGNALLED), Ordering::SeqCst);
        self.release(&mut queue, count)
    }
    fn clear_waiters_and_wake(&self) -> u32 {
        let mut queue = self.queue.lock().unwrap();
        self.word.fetch_and(!u64::from(word::WAITERS), Ordering::SeqCst);
        self.release(&mut queue, u32::MAX)
    }
    fn begin_pending(&self) {}
    fn end_pending(&self) {}
    fn pause(&self) -> Slept {
        thread::yield_now();
        Slept::Look
    }
}

/// Y3: one set lets one waiter through; two sets, two. Nobody sleeps for ever: loom reports a deadlock.
#[test]
fn every_set_of_an_auto_reset_event_reaches_a_waiter() {
    loom::model(|| {
        let event = Object::new(Rule::Auto, false, 0, 0);
        let taken = Object::new(Rule::Auto, false, 0, 0);
        let waiter = {
            let (event, taken) = (event.clone(), taken.clone());
            thread::spawn(move || {
                event.wait(0);
                protocol::set_event(&*taken);
                event.wait(0);
            })
        };
        protocol::set_event(&*event);
        taken.wait(0);
        protocol::set_event(&*event);
        waiter.join().unwrap();
    });
}

/// Y3: two waiters and two releases of a semaphore, of whatever size: both get through.
#[test]
fn what_a_semaphore_was_given_reaches_as_many_waiters() {
    loom::model(|| {
        let semaphore = Object::new(Rule::Semaphore, false, 0, 2);
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let semaphore = semaphore.clone();
                thread::spawn(move || semaphore.wait(0))
            })
            .collect();
        protocol::release_semaphore(&*semaphore, 2).expect("within the maximum");
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(word::count(semaphore.word.load(Ordering::SeqCst)), 0);
    });
}

/// Y2: a manual-reset event lets everybody through.
#[test]
fn a_manual_reset_event_lets_everybody_through() {
    loom::model(|| {
        let event = Object::new(Rule::Manual, false, 0, 0);
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let event = event.clone();
                thread::spawn(move || event.wait(0))
            })
            .collect();
        protocol::set_event(&*event);
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}

/// Y8, Y9: a mutex excludes, and what one owner wrote the next one sees.
#[test]
fn a_mutex_excludes_and_publishes() {
    loom::model(|| {
        let mutex = Object::new(Rule::Mutex, false, 0, 0);
        // Relaxed and in two steps: only the mutex orders it.
        let data = Arc::new(AtomicU32::new(0));
        let threads: Vec<_> = (1..=2)
            .map(|me| {
                let (mutex, data) = (mutex.clone(), data.clone());
                thread::spawn(move || {
                    assert!(!mutex.wait(me), "nobody died");
                    data.store(data.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                    protocol::give_up(&*mutex, word::unlock);
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(data.load(Ordering::Relaxed), 2);
    });
}

/// Y11: of two waiters exactly one is told that the owner died.
#[test]
fn an_abandoned_mutex_is_reported_once() {
    loom::model(|| {
        let mutex = Object::new(Rule::Mutex, false, 0, 0);
        mutex.wait(7);
        let waiters: Vec<_> = (1..=2)
            .map(|me| {
                let mutex = mutex.clone();
                thread::spawn(move || {
                    let abandoned = mutex.wait(me);
                    protocol::give_up(&*mutex, word::unlock);
                    u32::from(abandoned)
                })
            })
            .collect();
        // What the kernel does for a thread that died.
        protocol::give_up(&*mutex, word::died);
        let told: u32 = waiters.into_iter().map(|waiter| waiter.join().unwrap()).sum();
        assert_eq!(told, 1);
    });
}

/// Y26: a wait for all that locks and puts back never makes a single waiter miss the signal.
#[test]
fn a_lock_that_is_put_back_loses_no_signal() {
    loom::model(|| {
        let event = Object::new(Rule::Auto, true, 0, 0);
        let waiter = {
            let event = event.clone();
            thread::spawn(move || event.wait(0))
        };
        let old = event.word.load(Ordering::SeqCst);
        if let word::Take::Free { word: new, .. } = word::lock(Rule::Auto, old, 5) {
            if event.word.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                protocol::unlock(&*event, false, false);
            }
        }
        waiter.join().unwrap();
        assert!(!word::is_signalled(event.word.load(Ordering::SeqCst)));
    });
}
