//! How do several processes report their progress to one, which waits for them as well?
//!
//! Each worker posts a registered message with two numbers; the reporter waits for messages and for the ends of the
//! processes at the same time (`MsgWaitForMultipleObjects`).
//!
//! `cargo run --example progress`

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use transom::handle::AsHandle;
use transom::process::Command;
use transom::wait::{Timeout, Wait};
use transom::window::{Class, Ended, MessageLoop, Registered, Sender};

const WORKERS: u32 = 3;
const STEPS: u32 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let progress = Registered::<(u32, u32)>::new("progress: worker and step")?;
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, class, worker] = arguments.as_slice() {
        let reporter = Sender::find(class.as_str(), None)?;
        let worker: u32 = worker.parse()?;
        for step in 1..=STEPS {
            progress.post(reporter, (worker, step))?;
        }
        return Ok(());
    }

    let class = Class::register(&format!("progress-{}", std::process::id()))?;
    let steps = Rc::new(RefCell::new([0; WORKERS as usize]));
    let seen = Rc::clone(&steps);
    let _window = class
        .window("")
        .on_registered(&progress, move |(worker, step)| {
            let mut steps = seen.borrow_mut();
            if let Some(known) = steps.get_mut(worker as usize) {
                *known = step;
            }
            println!("{}", steps.map(|step| format!("{:3} %", step * 100 / STEPS)).join("  "));
            0
        })
        .create()?;

    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let command = Command::new(std::env::current_exe()?).arg(class.name()).arg(worker.to_string());
        workers.push(command.spawn()?.process);
    }
    let messages = MessageLoop::new()?;
    while !workers.is_empty() {
        let objects: Vec<&dyn AsHandle> = workers.iter().map(|process| process as _).collect();
        match messages.wait_with(&objects, Timeout::from(Duration::from_secs(30)))? {
            Ended::Wait(Wait::Object(index)) => drop(workers.remove(index)),
            other => return Err(format!("the workers did not end: {other:?}").into()),
        }
    }
    // What the last one posted before it ended.
    messages.poll()?;
    assert_eq!(*steps.borrow(), [STEPS; WORKERS as usize]);
    Ok(())
}
