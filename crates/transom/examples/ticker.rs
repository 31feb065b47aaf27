//! How does one message reach many processes, copied once?
//!
//! `cargo run --example ticker`

use transom::mailslot::{Broadcast, Server, Subscriber, Writer};
use transom::process::Command;
use transom::wait::Timeout;

const SUBSCRIBERS: usize = 3;
const TICKS: u32 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, name, id] = arguments.as_slice() {
        return subscribe(name, id);
    }
    let name = format!("ticker-{}", std::process::id());
    let ticker = Broadcast::create(&name, 1 << 16)?;
    // Who subscribes says so, since only what comes later is received.
    let here = Server::create(&format!(r"\\.\mailslot\{name}"))?;
    let mut children = Vec::new();
    for id in 0..SUBSCRIBERS {
        children.push(Command::new(std::env::current_exe()?).arg(&name).arg(id.to_string()).spawn()?);
    }
    for _ in &children {
        here.receive_vec()?;
    }
    for tick in 1..=TICKS {
        // One copy, however many subscribe.
        ticker.publish(&tick.to_le_bytes())?;
    }
    for child in children {
        child.wait()?;
    }
    Ok(())
}

fn subscribe(name: &str, id: &str) -> Result<(), Box<dyn std::error::Error>> {
    let mut subscriber = Subscriber::open(name)?;
    Writer::open(&format!(r"\\.\mailslot\{name}"))?.send(b"")?;
    let mut sum = 0;
    for _ in 0..TICKS {
        let mut tick = [0; 4];
        let received = subscriber.receive(&mut tick, Timeout::INFINITE)?;
        assert_eq!(received.lost, 0);
        sum += u32::from_le_bytes(tick);
    }
    println!("subscriber {id}: {TICKS} ticks, the sum of their numbers is {sum}");
    Ok(())
}
