//! How do whole messages travel? A pipe of messages: one write is one message, however long, and the reader sees
//! where each ends.
//!
//! `cargo run --example message_server` plays both sides in one process.

use transom::pipe::{self, ServerOptions};
use transom::wait::Timeout;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = format!(r"\\.\pipe\transom-messages-{}", std::process::id());
    let server = ServerOptions::new(&name).message(true).create()?;
    let client = std::thread::spawn(move || {
        // CallNamedPipe: connect, one message there, one back, close.
        let mut answer = [0; 64];
        let message = pipe::call(&name, b"how long is this?", &mut answer, Timeout::millis(5000))?;
        Ok::<_, transom::Error>(String::from_utf8_lossy(&answer[..message.len]).into_owned())
    });
    server.connect()?;

    // A buffer that is too small for the message loses nothing: the rest comes with the next read.
    let mut question = Vec::new();
    loop {
        let mut part = [0; 8];
        let message = server.pipe().receive_message(&mut part)?;
        question.extend_from_slice(&part[..message.len]);
        if message.complete {
            break;
        }
    }
    server.pipe().send(format!("{} bytes", question.len()).as_bytes())?;
    println!("{}", client.join().expect("the client's thread")?);
    Ok(())
}
