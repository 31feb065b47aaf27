//! What holds for every input, checked with random ones: one module per module of the crate, and
//! `hostile` for inputs that nobody would write on purpose.

mod access;
mod command_line;
mod environment;
mod hostile;
mod mapping;
mod name;
mod record;
mod ring;
mod security;
mod text;
mod time;
