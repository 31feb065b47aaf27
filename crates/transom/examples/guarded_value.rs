//! How does a reader never see a half written value, even if its writer is killed?
//!
//! `cargo run --example guarded_value`

use transom::event::{Event, EventOptions};
use transom::mapping::Guarded;
use transom::process::Command;
use transom::wait::{self, Timeout};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A position and its check sum; a C++ program would have the same struct.
#[derive(Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Position {
    x: u64,
    y: u64,
    sum: u64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(name) = std::env::args().nth(1) {
        return write_for_ever(&name);
    }
    let name = format!("example-guarded-{}", std::process::id());
    let position = Guarded::<Position>::create(&name)?.object;
    let started = EventOptions::new().name(&format!("{name}-started")).create()?.object;
    let writer = Command::new(std::env::current_exe()?).arg(&name).spawn()?;
    wait::one(&started, Timeout::INFINITE)?;

    for _ in 0..100_000 {
        let Position { x, y, sum } = position.load()?;
        assert_eq!(x + y, sum, "half of one value and half of another");
    }
    println!("read 100000 whole values while the other process wrote");

    writer.process.terminate(1)?;
    writer.wait()?;
    println!("killed it; the value is still whole: {:?}", position.load()?);
    position.update(|position| *position = Position { x: 1, y: 2, sum: 3 })?;
    println!("and can be written by others: {:?}", position.load()?);
    Ok(())
}

fn write_for_ever(name: &str) -> Result<(), Box<dyn std::error::Error>> {
    let position = Guarded::<Position>::open(name)?;
    let mut step = 0;
    loop {
        step += 1;
        position.store(&Position { x: step, y: 2 * step, sum: 3 * step })?;
        if step == 1 {
            Event::open(&format!("{name}-started"))?.set()?;
        }
    }
}
