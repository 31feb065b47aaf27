//! How does the second start of a program hand its arguments to the first?
//!
//! `cargo run --example single_instance -- a.txt` in one terminal, with other names in another one; without arguments it
//! plays both parts.

use std::ffi::OsString;
use std::time::Duration;

use transom::instance::{Answer, Launch, Single};
use transom::process::Command;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let files: Vec<OsString> = std::env::args_os().skip(1).collect();
    match Single::acquire("transom-example-single-instance")? {
        Single::First(first) => {
            let alone = files.is_empty();
            println!("first: open {files:?}");
            if alone {
                // Somebody starts the program again.
                Command::new(std::env::current_exe()?).arg("notes.txt").spawn()?;
            }
            // Until nobody has asked for a while; the name is free again when `first` is dropped.
            while let Some(request) = first.next(Duration::from_secs(if alone { 5 } else { 60 }))? {
                let Launch { arguments, directory, .. } = request.launch().clone();
                println!(
                    "first: in {}, open {:?} too",
                    directory.display(),
                    arguments.get(1..).unwrap_or_default()
                );
                request.answer(Answer { code: 0, bytes: b"opened".to_vec() });
                if alone {
                    break;
                }
            }
        }
        Single::Other(other) => {
            let answer = other.hand_over(&Launch::current()?, Duration::from_secs(5))?;
            println!("other: the first one says {:?}", String::from_utf8_lossy(&answer.bytes));
            std::process::exit(answer.code);
        }
    }
    Ok(())
}
