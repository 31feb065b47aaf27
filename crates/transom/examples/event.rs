//! How does one process tell another that something has happened?
//!
//! `cargo run --example event`

use transom::event::{Event, EventOptions};
use transom::process::Command;
use transom::wait::{self, Timeout, Wait};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(name) = std::env::args().nth(1) {
        return child(&name);
    }
    let name = format!("example-event-{}", std::process::id());
    // Manual-reset: stays set, for all who wait now or later.
    let start = EventOptions::new().name(&format!("{name}-start")).manual_reset(true).create()?.object;
    // Auto-reset: each set lets one waiter through.
    let done = EventOptions::new().name(&format!("{name}-done")).create()?.object;

    let program = std::env::current_exe()?;
    let children = [Command::new(&program).arg(&name).spawn()?, Command::new(&program).arg(&name).spawn()?];
    assert_eq!(wait::one(&done, Timeout::millis(50))?, Wait::Timeout, "they wait for the start");
    println!("parent: start!");
    start.set()?;
    for _ in &children {
        wait::one(&done, Timeout::INFINITE)?;
        println!("parent: one is done");
    }
    for child in children {
        child.wait()?;
    }
    Ok(())
}

fn child(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let start = Event::open(&format!("{name}-start"))?;
    wait::one(&start, Timeout::INFINITE)?;
    println!("child {}: off I go", std::process::id());
    Event::open(&format!("{name}-done"))?.set()?;
    Ok(())
}
