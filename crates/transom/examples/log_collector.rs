//! How do many processes write into one log without waiting for each other?
//!
//! `cargo run --example log_collector`

use transom::mailslot::{Options, Server, Writer};
use transom::process::Command;

const WRITERS: usize = 4;
const LINES: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, name, id] = arguments.as_slice() {
        // A writer: each call is one message, whatever the others do.
        let writer = Writer::open(name)?;
        for line in 1..=LINES {
            writer.send(format!("process {id}: line {line}").as_bytes())?;
        }
        return Ok(());
    }
    let name = format!(r"\\.\mailslot\log-collector-{}", std::process::id());
    let server: Server = Options::new(&name).max_message(1000).create()?;
    for id in 0..WRITERS {
        Command::new(std::env::current_exe()?).arg(&name).arg(id.to_string()).spawn()?;
    }
    // Lines of one process are in order, and none is in the middle of another.
    for line in server.messages().take(WRITERS * LINES) {
        println!("{}", String::from_utf8_lossy(&line));
    }
    Ok(())
}
