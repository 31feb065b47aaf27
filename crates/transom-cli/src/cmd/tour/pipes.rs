//! Steps about named pipes.

use std::time::Instant;

use transom::Code;
use transom::event::EventOptions;
use transom::pipe::{Client, ClientOptions, Listener, Server, ServerOptions};
use transom::wait::Timeout;

use super::peer::Peer;
use super::signals::await_event;
use super::{PATIENCE, Stage, expect};
use crate::failure::Failure;

/// Questions that a child asks.
pub const QUESTIONS: u32 = 2000;

/// Children that come at once.
const CLIENTS: u32 = 4;

/// Messages that the killed child has sent before.
pub const SENT: usize = 3;

fn name(stage: &Stage, what: &str) -> String {
    format!(r"\\.\pipe\{}", stage.name(what))
}

fn patience() -> Timeout {
    Timeout::from(PATIENCE)
}

pub fn messages(stage: &Stage) -> Result<String, Failure> {
    let name = name(stage, "messages");
    let server = ServerOptions::new(&name).message(true).create()?;
    let child = Peer::start("ask-questions", [&name])?;
    server.connect_timeout(patience())?;
    let began = Instant::now();
    let mut question = [0; 64];
    for number in 0..QUESTIONS {
        let message = server.pipe().receive_message_timeout(&mut question, patience())?;
        let text = String::from_utf8_lossy(&question[..message.len]).into_owned();
        expect(text == format!("question {number}"), format!("received '{text}' as number {number}"))?;
        server.pipe().send_timeout(format!("answer {number}").as_bytes(), patience())?;
    }
    let micros = began.elapsed().as_secs_f64() * 1e6 / f64::from(QUESTIONS);
    child.finish()?;
    Ok(format!("{QUESTIONS} questions and answers, {micros:.1} microseconds each, none torn or joined"))
}

/// The other side of [`messages`].
pub fn ask_questions(name: &str) -> Result<(), Failure> {
    let client = ClientOptions::new(name).message_read(true).open()?;
    let mut answer = [0; 64];
    for number in 0..QUESTIONS {
        let question = format!("question {number}");
        let message = client.pipe().transact_timeout(question.as_bytes(), &mut answer, patience())?;
        let text = String::from_utf8_lossy(&answer[..message.len]).into_owned();
        expect(text == format!("answer {number}"), format!("answered '{text}' to number {number}"))?;
    }
    Ok(())
}

pub fn many_clients(stage: &Stage) -> Result<String, Failure> {
    let name = name(stage, "many");
    let listener = Listener::bind(ServerOptions::new(&name).message(true))?;
    let children: Vec<Peer> =
        (0..CLIENTS).map(|_| Peer::start("say-who", [&name])).collect::<Result<_, Failure>>()?;
    let mut seen = Vec::new();
    for _ in 0..CLIENTS {
        let server = listener.accept_timeout(patience())?;
        seen.push(serve(&server)?);
    }
    for child in &children {
        child.finish()?;
        expect(seen.contains(&child.id()), format!("process {} was not seen", child.id()))?;
    }
    Ok(format!("processes {seen:?}, each by an instance of its own; the system says who they are"))
}

fn serve(server: &Server) -> Result<u32, Failure> {
    let mut text = [0; 32];
    let message = server.pipe().receive_message_timeout(&mut text, patience())?;
    let said = String::from_utf8_lossy(&text[..message.len]).into_owned();
    let client = server.pipe().client_process_id()?;
    expect(said == client.to_string(), format!("process {client} says that it is {said}"))?;
    server.pipe().send_timeout(b"seen", patience())?;
    Ok(client)
}

/// The other side of [`many_clients`].
pub fn say_who(name: &str) -> Result<(), Failure> {
    let client = ClientOptions::new(name).wait(patience()).message_read(true).open()?;
    let mut answer = [0; 8];
    let own = std::process::id().to_string();
    let message = client.pipe().transact_timeout(own.as_bytes(), &mut answer, patience())?;
    expect(&answer[..message.len] == b"seen", "the server did not answer 'seen'")
}

pub fn killed_client(stage: &Stage) -> Result<String, Failure> {
    let (name, sent) = (name(stage, "killed"), stage.name("sent"));
    let has_sent = EventOptions::new().name(&sent).create()?.object;
    let server = ServerOptions::new(&name).message(true).max_instances(1).create()?;
    let child = Peer::start("send-and-wait", [&name, &sent])?;
    server.connect_timeout(patience())?;
    await_event(&has_sent, "send its messages")?;
    child.kill()?;
    let mut text = [0; 32];
    for number in 0..SENT {
        let message = server.pipe().receive_message_timeout(&mut text, patience())?;
        let whole = format!("message {number}");
        expect(&text[..message.len] == whole.as_bytes(), format!("message {number} is not whole"))?;
    }
    let end = server.pipe().receive_timeout(&mut text, patience());
    let code = end.err().map(|error| error.code());
    expect(code == Some(Code::BROKEN_PIPE), "the pipe of the killed process is not broken")?;
    server.disconnect()?;
    Ok(format!("its {SENT} messages, whole; then ERROR_BROKEN_PIPE (109), and the instance was free again"))
}

/// The other side of [`killed_client`].
pub fn send_and_wait(name: &str, sent: &str) -> Result<(), Failure> {
    let client = Client::open(name)?;
    for number in 0..SENT {
        client.pipe().send(format!("message {number}").as_bytes())?;
    }
    EventOptions::new().name(sent).open()?.set()?;
    // Until it is killed: the server says nothing.
    client.pipe().receive_timeout(&mut [0; 8], patience())?;
    Ok(())
}
