//! How does one thread wait for several things at once, of different kinds?
//!
//! `cargo run --example wait_any`

use transom::event::{Event, EventOptions};
use transom::handle::AsHandle;
use transom::process::Command;
use transom::semaphore::{Semaphore, SemaphoreOptions};
use transom::wait::{self, Timeout, Wait};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(name) = std::env::args().nth(1) {
        return child(&name);
    }
    let name = format!("example-wait-{}", std::process::id());
    let message = EventOptions::new().name(&format!("{name}-event")).create()?.object;
    let units = SemaphoreOptions::new(0, 10).name(&format!("{name}-units")).create()?.object;
    let child = Command::new(std::env::current_exe()?).arg(&name).spawn()?;

    // Of several that are signalled the first in the list is taken, and only that one.
    let list: [&dyn AsHandle; 3] = [&message, &units, &child.process];
    loop {
        match wait::any(&list, Timeout::millis(10_000))? {
            Wait::Object(0) => println!("the event was set"),
            Wait::Object(1) => println!("took one unit"),
            Wait::Object(_) => break,
            Wait::Abandoned(_) => unreachable!("there is no mutex in the list"),
            Wait::Timeout => return Err("nothing happened for ten seconds".into()),
        }
    }
    println!("the child has ended with {}", child.wait()?);
    Ok(())
}

fn child(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let units = Semaphore::open(&format!("{name}-units"))?;
    units.release(2)?;
    Event::open(&format!("{name}-event"))?.set()?;
    units.release(1)?;
    Ok(())
}
