//! `transom run --single`: one instance at a time.

use transom::mutex::MutexOptions;
use transom::namespace;
use transom::wait::Timeout;

use crate::args::RunArgs;
use crate::child;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, printable};

/// Runs a command while owning the name, or says who does.
pub fn run(args: &RunArgs, output: &Output) -> Result<i32, Failure> {
    let mutex = MutexOptions::new().name(&args.single).create()?.object;
    let guard = match mutex.lock_for(Timeout::ZERO)? {
        Some(guard) => guard,
        None => {
            let Some(timeout) = args.wait else { return Err(busy(&args.single)) };
            output.note(&format!("waiting for {}", other(&args.single)));
            match mutex.lock_for(timeout)? {
                Some(guard) => guard,
                None => return Err(Failure::timed_out(other(&args.single))),
            }
        }
    };
    // An abandoned mutex needs no word: the other instance was killed, which is what frees the name.
    let code = child::run(&args.command);
    drop(guard);
    code
}

fn busy(name: &str) -> Failure {
    let message = format!("{} holds the name", other(name));
    Failure::new(Exit::Exists, message).hint("--wait waits for its turn; `transom who` shows who waits")
}

/// The other instance, as far as the system tells.
fn other(name: &str) -> String {
    let instance = format!("another instance of '{}'", printable(name));
    let Ok(Some(object)) = namespace::find(name) else { return instance };
    // The state of a mutex says who owns it; the holders include those that wait.
    let owner = object.state.as_deref().and_then(|state| state.strip_prefix("owned by "));
    let owner: Option<u32> =
        owner.and_then(|words| words.split_whitespace().find_map(|word| word.parse().ok()));
    let Some(id) = owner else { return instance };
    match object.holders.iter().find(|holder| holder.process_id == id) {
        Some(holder) => format!("{instance} (process {id}, {})", printable(&holder.command)),
        None => format!("{instance} (process {id})"),
    }
}
