//! What happens to a mutex whose owner dies?
//!
//! `cargo run --example mutex`

use transom::event::{Event, EventOptions};
use transom::mutex::{Mutex, MutexOptions};
use transom::process::Command;
use transom::wait::{self, Timeout};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(name) = std::env::args().nth(1) {
        return own_until_killed(&name);
    }
    let name = format!("example-mutex-{}", std::process::id());
    let mutex = MutexOptions::new().name(&name).create()?.object;
    let owned = EventOptions::new().name(&format!("{name}-owned")).create()?.object;

    let child = Command::new(std::env::current_exe()?).arg(&name).spawn()?;
    wait::one(&owned, Timeout::INFINITE)?;
    let held = mutex.lock_for(Timeout::millis(50))?.is_none();
    println!("the child owns it: {held}");

    child.process.terminate(1)?;
    let guard = mutex.lock()?;
    // What the mutex protects may be half changed: look before using it.
    println!("it is ours now; its owner died: {}", guard.abandoned());
    drop(guard);
    println!("the next one is not told again: {}", !mutex.lock()?.abandoned());
    child.wait()?;
    Ok(())
}

fn own_until_killed(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mutex = Mutex::open(name)?;
    let _guard = mutex.lock()?;
    Event::open(&format!("{name}-owned"))?.set()?;
    wait::one(&Event::new(true)?, Timeout::INFINITE)?;
    Ok(())
}
