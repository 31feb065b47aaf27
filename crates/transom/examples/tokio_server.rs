//! How does one serve a named pipe from tasks? One for each client, and a message in gives a message back.
//!
//! `cargo run --example tokio_server --features tokio` serves until it is stopped; with `-- try` behind it, it talks to
//! itself: a hundred clients at once.

use transom::aio::pipe::{Client, Listener, Server};
use transom::pipe::{ClientOptions, ServerOptions};
use transom::wait::Timeout;

const NAME: &str = r"\\.\pipe\transom-tokio";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The name must be new: two servers of one name would share its clients.
    let options = ServerOptions::new(NAME).message(true).message_read(true).first_instance(true);
    let serving = tokio::spawn(serve(Listener::bind(options)?));
    println!("serving {NAME}");
    if std::env::args().nth(1).as_deref() == Some("try") {
        let talks: Vec<_> = (0..100).map(|number| tokio::spawn(talk(number))).collect();
        for talk in talks {
            talk.await??;
        }
        println!("all of them were answered");
        return Ok(());
    }
    Ok(serving.await??)
}

async fn serve(listener: Listener) -> transom::Result<()> {
    loop {
        let client = listener.accept().await?;
        // Ends when the client closes its end.
        tokio::spawn(answer(client));
    }
}

async fn answer(client: Server) -> transom::Result<()> {
    let mut question = [0; 4096];
    loop {
        let message = client.receive_message(&mut question).await?;
        client.send(&question[..message.len].to_ascii_uppercase()).await?;
    }
}

async fn talk(number: u32) -> transom::Result<()> {
    // If all instances are busy, somebody else's turn comes first.
    let options = ClientOptions::new(NAME).message_read(true).wait(Timeout::millis(5000));
    let client = Client::open(&options).await?;
    let question = format!("question {number}");
    let mut reply = [0; 64];
    let message = client.transact(question.as_bytes(), &mut reply).await?;
    assert_eq!(reply[..message.len], *question.to_uppercase().as_bytes());
    Ok(())
}
