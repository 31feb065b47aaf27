//! How does a program that speaks TCP serve a named pipe? This stands between: each client of the pipe gets a
//! connection of its own, and what comes from one side goes to the other.
//!
//! `cargo run --example relay -- \\.\pipe\name 127.0.0.1:7000` relays until it is stopped; without arguments it shows
//! itself with a server that gives back what it gets. `transom relay` does this between any two of a pipe, standard
//! streams, a Unix socket, TCP and a program.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use transom::pipe::{ClientOptions, Listener, Server, ServerOptions};
use transom::wait::Timeout;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [pipe, address] => relay(Listener::bind(ServerOptions::new(pipe).first_instance(true))?, address),
        _ => show(),
    }
}

/// Gives each client of the pipe a connection to `address`.
fn relay(listener: Listener, address: &str) -> Result {
    for server in listener.incoming() {
        let (server, socket) = (server?, TcpStream::connect(address)?);
        thread::spawn(move || join(&server, &socket));
    }
    Ok(())
}

/// Carries both ways until either side has ended.
fn join(server: &Server, socket: &TcpStream) {
    thread::scope(|scope| {
        scope.spawn(|| {
            // Ends when the client closes its end, with everything read; then the other side is told.
            let _ = io::copy(&mut &*server, &mut &*socket);
            let _ = socket.shutdown(Shutdown::Write);
        });
        let _ = io::copy(&mut &*socket, &mut &*server);
        // Disconnecting throws away what the client has not read (P17), so it gets time for that first. It also ends
        // the thread above, should that still be reading.
        let _ = server.pipe().flush_timeout(Timeout::millis(5000));
        let _ = server.disconnect();
    });
}

fn show() -> Result {
    const NAME: &str = r"\\.\pipe\transom-relay";
    let echo = TcpListener::bind("127.0.0.1:0")?;
    let address = echo.local_addr()?.to_string();
    thread::spawn(move || {
        for socket in echo.incoming().flatten() {
            thread::spawn(move || io::copy(&mut &socket, &mut &socket));
        }
    });
    let listener = Listener::bind(ServerOptions::new(NAME).first_instance(true))?;
    thread::spawn(move || relay(listener, &address).map_err(|error| eprintln!("{error}")));
    let mut client = ClientOptions::new(NAME).wait(Timeout::millis(5000)).open()?;
    client.write_all(b"through the relay and back")?;
    let mut answer = [0; 26];
    client.read_exact(&mut answer)?;
    println!("{}", String::from_utf8_lossy(&answer));
    Ok(())
}
