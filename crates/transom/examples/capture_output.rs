//! How is a child's output read through a pipe?
//!
//! `cargo run --example capture_output`

use std::io::Read;

use transom::handle::{AsHandle, HandleFlags, RawHandle};
use transom::pipe;
use transom::process::{Command, Inherit};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().len() > 1 {
        println!("this line is the child's");
        eprintln!("and this one is its error message");
        return Ok(());
    }
    let (mut reader, writer) = pipe::anonymous()?;
    // The writing end is for the child; the reading end stays ours.
    let output = writer.as_handle();
    output.set_information(HandleFlags { inherit: true, ..HandleFlags::default() })?;
    let child = Command::new(std::env::current_exe()?)
        .arg("child")
        .stdin(RawHandle::INVALID)
        .stdout(output.as_raw())
        .stderr(output.as_raw())
        .inherit(Inherit::List(vec![output.as_raw()]))
        .spawn()?;
    // The pipe ends when every writing end is closed, ours too.
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text)?;
    println!("the child ended with {} and said:", child.wait()?);
    for line in text.lines() {
        println!("  {line}");
    }
    Ok(())
}
