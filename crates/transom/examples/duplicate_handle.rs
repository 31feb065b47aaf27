//! How does a process that runs already get a handle of ours?
//!
//! `cargo run --example duplicate_handle`

use std::io::{BufRead, BufReader, Write};

use transom::event::Event;
use transom::handle::{AsHandle, DuplicateOptions, FromHandle, HandleFlags, RawHandle};
use transom::pipe;
use transom::process::{Command, Inherit};
use transom::wait::{self, Timeout};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().len() > 1 {
        return child();
    }
    let (input, to_child) = pipe::anonymous()?;
    input.as_handle().set_information(HandleFlags { inherit: true, ..HandleFlags::default() })?;
    let child = Command::new(std::env::current_exe()?)
        .arg("child")
        .stdin(input.as_handle().as_raw())
        .stdout(transom::process::standard_handle(1)?)
        .stderr(transom::process::standard_handle(2)?)
        .inherit(Inherit::List(vec![input.as_handle().as_raw()]))
        .spawn()?;
    drop(input);

    let event = Event::new(true)?;
    // The duplicate is the child's. Its number means something there alone, and has to be told to it.
    let number = event.as_handle().duplicate_into(&child.process, DuplicateOptions::default())?;
    writeln!(&to_child, "{number}")?;
    wait::one(&event, Timeout::INFINITE)?;
    println!("parent: the child set our event through its handle {number}");
    child.wait()?;
    Ok(())
}

fn child() -> Result<(), Box<dyn std::error::Error>> {
    let mut line = String::new();
    BufReader::new(std::io::stdin()).read_line(&mut line)?;
    let event = Event::from_raw(RawHandle::new(line.trim().parse()?))?;
    println!("child:  got handle {}", line.trim());
    event.set()?;
    Ok(())
}
