//! How does one serve a named pipe to many clients? A thread for each, and what comes in goes back.
//!
//! `cargo run --example echo_server` serves until it is stopped; `cargo run --example echo_server -- try` talks to it.

use std::io::{Read, Write};

use transom::pipe::{ClientOptions, Listener, ServerOptions};
use transom::wait::Timeout;

const NAME: &str = r"\\.\pipe\transom-echo";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).as_deref() == Some("try") {
        return talk();
    }
    // The name must be new: two servers of one name would share its clients.
    let listener = Listener::bind(ServerOptions::new(NAME).first_instance(true))?;
    println!("serving {NAME}");
    for server in listener.incoming() {
        let server = server?;
        std::thread::spawn(move || {
            let (mut input, mut output) = (&server, &server);
            // Ends when the client closes its end.
            std::io::copy(&mut input, &mut output)
        });
    }
    Ok(())
}

fn talk() -> Result<(), Box<dyn std::error::Error>> {
    let mut client = ClientOptions::new(NAME).wait(Timeout::millis(5000)).open()?;
    client.write_all(b"hello")?;
    let mut answer = [0; 5];
    client.read_exact(&mut answer)?;
    println!("{}", String::from_utf8_lossy(&answer));
    Ok(())
}
