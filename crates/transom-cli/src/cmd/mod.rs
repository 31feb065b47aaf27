//! The commands, one file each.

mod bench;
mod completions;
mod doctor;
mod dump;
mod event;
mod help;
mod list;
mod mailslot;
mod man;
mod map;
mod mutex;
mod pipe;
mod pipes;
pub mod relay;
mod run;
mod semaphore;
mod tour;
mod wait;
mod watch;
mod who;
mod window;
mod window_list;
mod window_listen;

use crate::args::Command;
use crate::failure::Failure;
use crate::output::Output;

/// Does what was asked for and gives the exit code.
pub fn run(command: Command, output: &Output) -> Result<i32, Failure> {
    match command {
        Command::Map(command) => map::run(command, output),
        Command::Event(command) => event::run(command, output),
        Command::Mutex(command) => mutex::run(command, output),
        Command::Semaphore(command) => semaphore::run(command, output),
        Command::Wait(args) => wait::run(&args, output),
        Command::Run(args) => run::run(&args, output),
        Command::Pipe(command) => pipe::run(command, output),
        Command::Mailslot(command) => mailslot::run(command, output),
        Command::Window(command) => window::run(command, output),
        Command::Relay(args) => relay::run(&args, output),
        Command::List(args) => list::run(&args, output),
        Command::Who(args) => who::run(&args, output),
        Command::Doctor(args) => doctor::run(&args, output),
        Command::Tour(args) => tour::run(&args, output),
        Command::Bench(command) => bench::run(command, output),
        Command::Completions { shell } => completions::run(shell, output),
        Command::Help { words } => help::run(&words, output),
        Command::Man => man::run(output),
        Command::TourChild { role, arguments } => tour::child(&role, &arguments),
    }
}
