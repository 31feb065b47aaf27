//! Steps about window messages.

use std::time::Instant;

use transom::Code;
use transom::event::EventOptions;
use transom::window::message::{WM_APP, WM_USER};
use transom::window::{Class, MessageLoop, Sender, WindowHandle};

use super::peer::Peer;
use super::signals::await_event;
use super::{PATIENCE, Stage, expect};
use crate::exit::Exit;
use crate::failure::Failure;

/// What the child's window is asked.
const QUESTION: &[u8] = b"what is the answer?";

pub fn both_ways(stage: &Stage) -> Result<String, Failure> {
    let (class, ready) = (stage.name("Window"), stage.name("window ready"));
    let is_ready = EventOptions::new().name(&ready).create()?.object;
    let child = Peer::start("answer-by-asking", [&class, &ready])?;
    await_event(&is_ready, "make its window")?;
    // Answers while this thread waits in its own send.
    let own = Class::register(&stage.name("Asker"))?
        .window("asker")
        .on_copydata(|_, tag, bytes| if tag == 2 && bytes == QUESTION { 41 } else { -1 })
        .create()?;
    let window = Sender::find(class.as_str(), "answers")?.on_behalf_of(&own);
    let answer = window.copydata(1, QUESTION, PATIENCE)?;
    expect(answer == 42, format!("the answer was {answer}, not 42"))?;
    window.post(WM_USER, 0, 0)?;
    child.finish()?;
    expect(!window.is_alive(), "the window outlived its process")?;
    Ok(format!(
        "{} bytes there, the same bytes back before the answer, then 42; the window went with its process",
        QUESTION.len()
    ))
}

/// The other side of [`both_ways`]: asks the asker before it answers.
pub fn answer_by_asking(class: &str, ready: &str) -> Result<(), Failure> {
    let class = Class::register(class)?;
    let _window = class
        .window("answers")
        .on_copydata(|from: WindowHandle, _, bytes| {
            Sender::new(from).copydata(2, bytes, PATIENCE).map_or(-1, |answer| answer + 1)
        })
        .on_message(WM_USER, |_, _| {
            MessageLoop::quit(0);
            0
        })
        .create()?;
    EventOptions::new().name(ready).open()?.set()?;
    let told = MessageLoop::new()?.run_for(PATIENCE)?;
    expect(told == Some(0), "nobody told this process to end")
}

pub fn killed_receiver(stage: &Stage) -> Result<String, Failure> {
    let (class, ready, inside) = (stage.name("Killed"), stage.name("killed ready"), stage.name("inside"));
    let is_ready = EventOptions::new().name(&ready).create()?.object;
    let is_inside = EventOptions::new().name(&inside).create()?.object;
    let child = Peer::start("never-answer", [&class, &ready, &inside])?;
    await_event(&is_ready, "make its window")?;
    let window = Sender::find(class.as_str(), None)?;
    let (sent, killed) = std::thread::scope(|scope| {
        let killer = scope.spawn(|| {
            await_event(&is_inside, "begin with the message")?;
            let now = Instant::now();
            child.kill().map(|()| now)
        });
        (window.send(WM_APP, 0, 0, PATIENCE), killer.join())
    });
    let killed = killed.map_err(|_| Failure::new(Exit::General, "the killer panicked"))??;
    let waited = killed.elapsed();
    let code = sent.err().map(|error| error.code());
    // Windows documents 0 as the answer and says nothing of the code.
    expect(
        code.is_some() && code != Some(Code::TIMEOUT),
        "a killed process has answered, or its sender waited on",
    )?;
    let post = window.post(WM_APP, 0, 0).err().map(|error| error.code());
    expect(post == Some(Code::INVALID_WINDOW_HANDLE), "the window of a killed process takes messages")?;
    let found = Sender::find(class.as_str(), None).is_ok();
    expect(!found && !window.is_alive(), "the window of a killed process can be found")?;
    Ok(format!(
        "its sender went on after {:.1} ms; the handle is invalid at once (1400)",
        waited.as_secs_f64() * 1e3
    ))
}

/// The other side of [`killed_receiver`].
pub fn never_answer(class: &str, ready: &str, inside: &str) -> Result<(), Failure> {
    let is_inside = EventOptions::new().name(inside).open()?;
    let class = Class::register(class)?;
    let never = EventOptions::new().create()?.object;
    let _window = class
        .window("")
        .on_message(WM_APP, move |_, _| {
            // Until it is killed; not for ever if nobody does.
            let waited = is_inside.set().and_then(|()| transom::wait::one(&never, 2 * PATIENCE));
            isize::from(waited.is_ok())
        })
        .create()?;
    EventOptions::new().name(ready).open()?.set()?;
    MessageLoop::new()?.run_for(2 * PATIENCE)?;
    Err(Failure::new(Exit::TimedOut, "nobody killed this process"))
}
