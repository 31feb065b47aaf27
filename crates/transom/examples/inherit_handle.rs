//! How does a child get a handle that has no name?
//!
//! `cargo run --example inherit_handle`

use transom::handle::{AsHandle, FromHandle, RawHandle};
use transom::mapping::{Mapping, MappingOptions};
use transom::process::{Command, Inherit};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(number) = std::env::args().nth(1) {
        return child(&number);
    }
    // Inheritable handles have the same number in the child, which therefore can be told on its command line.
    let memory = MappingOptions::new(4096).inherit(true).create()?.object;
    let number = memory.as_handle().as_raw();
    let child = Command::new(std::env::current_exe()?)
        .arg(number.to_string())
        // Only this one; Inherit::All would hand over every inheritable handle of the process.
        .inherit(Inherit::List(vec![number]))
        .spawn()?;
    println!("parent: the child ended with {}", child.wait()?);
    let view = memory.view()?;
    println!("parent: it wrote: {}", String::from_utf8(view.read_to_vec(0, 18)?)?);
    Ok(())
}

fn child(number: &str) -> Result<(), Box<dyn std::error::Error>> {
    let memory = Mapping::from_raw(RawHandle::new(number.parse()?))?;
    println!("child:  handle {number} is a section of {} bytes", memory.size()?);
    memory.view()?.write(0, b"no name was needed")?;
    Ok(())
}
