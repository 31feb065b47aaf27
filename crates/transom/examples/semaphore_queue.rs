//! How do processes pass items through a queue of limited size?
//!
//! `cargo run --example semaphore_queue`

use transom::mapping::{Mapping, View};
use transom::mutex::{Mutex, MutexOptions};
use transom::process::Command;
use transom::semaphore::{Semaphore, SemaphoreOptions};
use transom::wait::{self, Timeout};

const SLOTS: u32 = 4;
const ITEMS: u32 = 1000;

/// Where in the shared memory the positions of both ends and the first slot lie.
const PUT: usize = 0;
const GOT: usize = 4;
const FIRST_SLOT: usize = 64;

struct Queue {
    /// Free slots: whoever puts something in takes one.
    room: Semaphore,
    /// Full slots: whoever takes something out takes one.
    items: Semaphore,
    lock: Mutex,
    /// Held for its name, which goes with the last handle: a view alone would not keep it.
    _memory: Mapping,
    view: View,
}

impl Queue {
    /// Makes the queue, or opens the one that has the name.
    fn new(name: &str) -> transom::Result<Queue> {
        let semaphore = |what, initial| {
            SemaphoreOptions::new(initial, SLOTS as i32).name(&format!("{name}-{what}")).create()
        };
        let memory = Mapping::create(&format!("{name}-memory"), 4096)?.object;
        Ok(Queue {
            room: semaphore("room", SLOTS as i32)?.object,
            items: semaphore("items", 0)?.object,
            lock: MutexOptions::new().name(&format!("{name}-lock")).create()?.object,
            view: memory.view()?,
            _memory: memory,
        })
    }

    /// Waits while all slots are full.
    fn put(&self, item: u32) -> transom::Result<()> {
        wait::one(&self.room, Timeout::INFINITE)?;
        let guard = self.lock.lock()?;
        self.view.store_u32(self.next_slot(PUT)?, item)?;
        drop(guard);
        self.items.release(1).map(drop_count)
    }

    /// Waits while all slots are empty.
    fn get(&self) -> transom::Result<u32> {
        wait::one(&self.items, Timeout::INFINITE)?;
        let guard = self.lock.lock()?;
        let item = self.view.load_u32(self.next_slot(GOT)?)?;
        drop(guard);
        self.room.release(1).map(drop_count)?;
        Ok(item)
    }

    /// Moves one end on and tells which slot it was at.
    fn next_slot(&self, end: usize) -> transom::Result<usize> {
        let position = self.view.load_u32(end)?;
        self.view.store_u32(end, position + 1)?;
        Ok(FIRST_SLOT + 4 * (position % SLOTS) as usize)
    }
}

/// Nobody here needs the count before a release.
fn drop_count(_count: i32) {}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(name) = std::env::args().nth(1) {
        let queue = Queue::new(&name)?;
        for item in 1..=ITEMS {
            queue.put(item)?;
        }
        return Ok(());
    }
    let name = format!("example-queue-{}", std::process::id());
    let queue = Queue::new(&name)?;
    let program = std::env::current_exe()?;
    let producers = [Command::new(&program).arg(&name).spawn()?, Command::new(&program).arg(&name).spawn()?];
    let mut sum = 0;
    for _ in 0..2 * ITEMS {
        sum += queue.get()?;
    }
    println!("took {} items from two processes, sum {sum}", 2 * ITEMS);
    assert_eq!(sum, ITEMS * (ITEMS + 1));
    for producer in producers {
        producer.wait()?;
    }
    Ok(())
}
