//! Pipes, mailslots and windows for [tokio](https://docs.rs/tokio): feature `tokio`.
//!
//! The rules are those of [`crate::pipe`], [`crate::mailslot`] and [`crate::window`]; here is only who waits, and how. A
//! call that would wait gives its turn to other tasks instead of keeping a thread.
//!
//! On Linux a task waits at a pipe's doorbell, a descriptor that tokio polls; for a mailslot see [`mailslot`]. On Windows each call is an overlapped
//! operation whose event wakes the task; tokio's own named pipes are not used, since they read ahead, and then neither
//! the borders of messages nor [`peek`](crate::pipe::Pipe::peek) are what the rules say.
//!
//! # Cancel safety
//! Each method says what is left if its future is dropped before it is ready, as `select!` does. Nothing here loses
//! bytes that it has taken from a pipe, or a message.
//!
//! # The backend contract
//! For pipes `linux.rs` and `windows.rs` each export `Port`, an end that tokio knows, with `new`, `poll_receive`, `poll_send`,
//! `poll_begin`, `poll_sent`, `poll_connect` and `poll_transact`; and the states that those keep between two polls:
//! `Receiving`, `Sending`, `Connecting`, `Transacting`. Dropping a state is cancelling. And `SlotPort`, a mailslot's server end, with `new` and `receive`.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod imp;
pub mod mailslot;
pub mod pipe;
pub mod window;

#[cfg(test)]
mod tests;
