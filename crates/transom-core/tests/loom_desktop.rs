//! The stacks of `transom_core::desktop`, every interleaving of two or three threads.
//!
//! Runs only under loom: `cargo xtask loom`. The kernel's futex is modelled by a lock: it looks at the word when somebody
//! falls asleep, and wakes who sleeps.
#![cfg(loom)]

use loom::sync::atomic::Ordering;
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use transom_core::desktop::{Head, Refused, Slot, ThreadRow, WindowPage, stack};

struct Desk {
    row: ThreadRow,
    slots: Vec<Slot>,
    generation: u32,
    /// Whether the receiver sleeps, and whether it was woken.
    sleeper: Mutex<(bool, bool)>,
    bell: Condvar,
}

impl Desk {
    fn new() -> Arc<Desk> {
        let row = ThreadRow::default();
        let generation = stack::begin(&row);
        let slots = (0..4).map(|_| Slot::default()).collect();
        Arc::new(Desk { row, slots, generation, sleeper: Mutex::new((false, false)), bell: Condvar::new() })
    }

    /// Pushes slot `index`, which carries `what`.
    fn push(&self, index: u32, what: u64, wake: bool) -> Result<(), Refused> {
        let slot = &self.slots[index as usize];
        slot.lparam.store(what, Ordering::Relaxed);
        let asleep = stack::push(&self.row, slot, index, self.generation, true)?;
        if asleep && wake {
            self.wake();
        }
        Ok(())
    }

    fn wake(&self) {
        let mut sleeper = self.sleeper.lock().unwrap();
        if sleeper.0 {
            *sleeper = (false, true);
            self.bell.notify_one();
        }
    }

    /// What came; sleeps if there is nothing.
    fn receive(&self) -> Vec<u64> {
        loop {
            let mut drained = Vec::new();
            stack::drain(&self.row, &self.slots, &mut drained);
            if !drained.is_empty() {
                return self.values(&drained);
            }
            let Some(low) = stack::prepare_sleep(&self.row) else { continue };
            let mut sleeper = self.sleeper.lock().unwrap();
            if Head::from_word(self.row.head.load(Ordering::SeqCst)).low() == low {
                *sleeper = (true, false);
                while !sleeper.1 {
                    sleeper = self.bell.wait(sleeper).unwrap();
                }
            }
            drop(sleeper);
            self.row.asleep.store(0, Ordering::Relaxed);
        }
    }

    fn values(&self, drained: &[u32]) -> Vec<u64> {
        drained.iter().map(|index| self.slots[*index as usize].lparam.load(Ordering::Relaxed)).collect()
    }
}

#[test]
fn what_two_threads_push_is_received_whoever_sleeps() {
    loom::model(|| {
        let desk = Desk::new();
        let pushers = [(1, 11), (2, 22)].map(|(index, what)| {
            let desk = Arc::clone(&desk);
            thread::spawn(move || desk.push(index, what, true).unwrap())
        });
        let mut got = Vec::new();
        while got.len() < 2 {
            got.extend(desk.receive());
        }
        got.sort_unstable();
        assert_eq!(got, [11, 22]);
        for pusher in pushers {
            pusher.join().unwrap();
        }
        assert_eq!(Head::from_word(desk.row.head.load(Ordering::SeqCst)).posted(), 2);
    });
}

#[test]
fn one_threads_messages_keep_their_order() {
    loom::model(|| {
        let desk = Desk::new();
        let pusher = {
            let desk = Arc::clone(&desk);
            thread::spawn(move || {
                desk.push(1, 11, true).unwrap();
                desk.push(2, 22, true).unwrap();
            })
        };
        let mut got = Vec::new();
        while got.len() < 2 {
            got.extend(desk.receive());
        }
        assert_eq!(got, [11, 22]);
        pusher.join().unwrap();
    });
}

#[test]
fn what_a_killed_thread_pushed_comes_with_the_next_message() {
    loom::model(|| {
        let desk = Desk::new();
        let killed = {
            let desk = Arc::clone(&desk);
            // It comes as far as the push.
            thread::spawn(move || desk.push(1, 11, false).unwrap())
        };
        let next = {
            let desk = Arc::clone(&desk);
            thread::spawn(move || {
                killed.join().unwrap();
                desk.push(2, 22, true).unwrap();
            })
        };
        let mut got = Vec::new();
        while got.len() < 2 {
            got.extend(desk.receive());
        }
        assert_eq!(got, [11, 22]);
        next.join().unwrap();
    });
}

#[test]
fn a_stack_that_is_closed_has_given_everything_out_or_refused_it() {
    loom::model(|| {
        let desk = Desk::new();
        let pushers = [1, 2].map(|index| {
            let desk = Arc::clone(&desk);
            thread::spawn(move || desk.push(index, u64::from(index), true))
        });
        let mut left = Vec::new();
        stack::drain(&desk.row, &desk.slots, &mut left);
        stack::close(&desk.row, &desk.slots, &mut left);
        let pushed = pushers.into_iter().map(|pusher| pusher.join().unwrap());
        let pushed = pushed.filter(Result::is_ok).count();
        assert_eq!(left.len(), pushed);
        assert_eq!(desk.push(3, 3, true), Err(Refused::Gone));
    });
}

#[test]
fn a_row_that_passed_to_another_takes_nothing_of_the_old_ones() {
    loom::model(|| {
        let desk = Desk::new();
        let pusher = {
            let desk = Arc::clone(&desk);
            thread::spawn(move || desk.push(1, 11, true))
        };
        let mut left = Vec::new();
        stack::close(&desk.row, &desk.slots, &mut left);
        stack::begin(&desk.row);
        let pushed = pusher.join().unwrap();
        assert_eq!(left.len(), usize::from(pushed.is_ok()));
        left.clear();
        stack::drain(&desk.row, &desk.slots, &mut left);
        assert!(left.is_empty());
    });
}

#[test]
fn a_title_is_read_whole() {
    loom::model(|| {
        let page = Arc::new(WindowPage::default());
        page.set_title(&[1, 1, 1]);
        let writer = {
            let page = Arc::clone(&page);
            thread::spawn(move || page.set_title(&[2, 2, 2, 2]))
        };
        let mut units = Vec::new();
        if page.title(&mut units) {
            assert!(units == [1, 1, 1] || units == [2, 2, 2, 2], "{units:?}");
        }
        writer.join().unwrap();
    });
}
