//! The arguments of `transom relay`.

use clap::{Args, ValueEnum};

use super::{Frame, Instance};
use crate::cmd::relay::Place;

/// What the end of one side's input means to a side that cannot be closed for one direction only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Eof {
    /// Nothing: the other direction goes on until it ends too
    Keep,
    /// The connection ends as soon as everything has been read
    Close,
    /// An empty message is sent (pipes of messages), and the other direction goes on
    Message,
}

/// `transom relay`
#[derive(Debug, Args)]
pub struct RelayArgs {
    /// One side; may listen, and then serves many connections at once
    #[arg(value_name = "A")]
    pub first: Place,

    /// The other side, opened anew for each connection
    #[arg(value_name = "B")]
    pub second: Place,

    /// How messages stand where there are only bytes
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub frame: Frame,

    /// Listen with a pipe of messages instead of bytes
    #[arg(long)]
    pub message: bool,

    /// What the end of a side's input means to a pipe; the default is keep for standard streams, close for
    /// the others
    #[arg(long, value_enum, value_name = "HOW")]
    pub eof: Option<Eof>,

    /// End after the first connection
    #[arg(long)]
    pub once: bool,

    /// The most connections at a time
    #[arg(long, value_name = "N", default_value = "255", value_parser = clap::value_parser!(u32).range(1..=255))]
    pub max: u32,

    /// Let every user connect to a pipe that listens, not only this one
    #[arg(long)]
    pub everyone: bool,

    /// How long to wait for an instance of a pipe.
    #[command(flatten)]
    pub wait: Instance,

    /// Print what went through, for each connection and in the end, to standard error
    #[arg(long)]
    pub stats: bool,
}
