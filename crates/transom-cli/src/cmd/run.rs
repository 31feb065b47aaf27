//! `transom run --single`: one instance at a time.

use std::time::Duration;

use transom::instance::{Answer, First, Launch, Other, Single};
use transom::namespace;
use transom::wait::Timeout;

use crate::args::RunArgs;
use crate::child;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, printable};

/// How long another instance may take to say what it runs.
const INTRODUCTION: Duration = Duration::from_secs(1);

/// Runs a command while being the first of the name, or says who is.
pub fn run(args: &RunArgs, output: &Output) -> Result<i32, Failure> {
    let first = match Single::acquire(&args.single)? {
        Single::First(first) => first,
        Single::Other(other) => {
            let running = describe(&args.single, &other);
            let Some(timeout) = args.wait else { return Err(busy(&running)) };
            output.note(&format!("waiting for {running}"));
            wait(&args.single, timeout)?.ok_or_else(|| Failure::timed_out(running))?
        }
    };
    // Who was killed needs no word: that is what frees the name.
    let command = args.command.iter().map(|word| printable(&word.to_string_lossy()).to_string());
    let command = command.collect::<Vec<_>>().join(" ").into_bytes();
    first.on_launch(move |_| Answer { code: 0, bytes: command.clone() });
    let code = child::run(&args.command);
    drop(first);
    code
}

/// The first, when the one before has ended; `None` if it has not in time.
fn wait(name: &str, timeout: Timeout) -> Result<Option<First>, Failure> {
    Ok(match Single::acquire_for(name, timeout)? {
        Single::First(first) => Some(first),
        Single::Other(_) => None,
    })
}

fn busy(running: &str) -> Failure {
    let message = format!("{running} holds the name");
    Failure::new(Exit::Exists, message).hint("--wait waits for its turn; `transom who` shows who waits")
}

/// The other instance, as far as it tells, or the system.
fn describe(name: &str, other: &Other) -> String {
    let instance = format!("another instance of '{}'", printable(name));
    if let Some(id) = other.process_id() {
        let launch = Launch::current().unwrap_or_default();
        return match other.hand_over(&launch, INTRODUCTION) {
            Ok(answer) if !answer.bytes.is_empty() => {
                let command = String::from_utf8_lossy(&answer.bytes).into_owned();
                format!("{instance} (process {id}, running {})", printable(&command))
            }
            _ => format!("{instance} (process {id})"),
        };
    }
    // Somebody who has the mutex by other means. Its state says who; the holders include those that wait.
    let Ok(Some(object)) = namespace::find(name) else { return instance };
    let owner = object.state.as_deref().and_then(|state| state.strip_prefix("owned by "));
    let owner: Option<u32> =
        owner.and_then(|words| words.split_whitespace().find_map(|word| word.parse().ok()));
    let Some(id) = owner else { return instance };
    match object.holders.iter().find(|holder| holder.process_id == id) {
        Some(holder) => format!("{instance} (process {id}, {})", printable(&holder.command)),
        None => format!("{instance} (process {id})"),
    }
}
