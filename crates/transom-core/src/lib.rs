//! The rules of transom: what Windows answers, worked out without asking any system.
//!
//! Nothing in this crate opens, waits, sleeps or looks at a clock. Each module takes what a
//! caller passed (and, where it matters, what is true of the object) and returns what is to be
//! done or the Win32 code the call fails with. That makes the rules testable by the thousand and
//! gives every platform the same ones.
//!
//! # Map of the rules
//!
//! | question | module |
//! | --- | --- |
//! | which code is that, and what does it mean? | [`code`] |
//! | is this a good object name, which scope, which file does it become? | [`name`] |
//! | which bits does this access mask stand for, per kind of object? | [`access`] |
//! | who may open an object with this security descriptor? | [`security`] |
//! | which sections and views are allowed, and how large are they? | [`mapping`] |
//! | how long is that timeout, and when is it over? | [`time`] |
//! | which words and which program does a command line name? | [`command_line`] |
//! | what is in an environment block? | [`environment`] |
//! | how do UTF-16 and byte strings meet? | [`text`] |
//! | what does an operation make of a synchronisation object? | [`word`] |
//! | which bytes do processes share besides section memory? | [`record`] |
//! | which bytes say that a handle is on its way to a running process? | [`delivery`] |
//! | which bytes is a name on Linux, and who holds it? | [`entry`] |
//! | what may be done with a pipe, and what does each call answer in each state? | [`pipe`] |
//! | where do the instances of a pipe stand, and in which bytes? | [`board`] |
//! | what do a pipe's server and clients of other users say to each other? | [`gate`] |
//! | how do bytes and messages travel through memory that two processes share? | [`ring`] |
//! | what is in a mailslot, and who reads what next? | [`post`] |
//! | when may a reader sleep, and who wakes it? | [`doze`] |
//! | which windows are there, and how do messages reach their threads? | [`desktop`] |
//! | which atomics are used, also under the model checker? | [`sync`] |
//!
//! # Purity
//!
//! The crate is `no_std` with `alloc`. It depends on nothing of ours and names no platform.
//! Functions here are total: every input, also one made up by a hostile peer, has an answer, and
//! none of them panics or overflows.

#![no_std]

extern crate alloc;
#[cfg(any(test, loom))]
extern crate std;

pub mod access;
pub mod board;
pub mod code;
pub mod command_line;
pub mod delivery;
pub mod desktop;
pub mod doze;
pub mod entry;
pub mod environment;
pub mod gate;
pub mod mapping;
pub mod name;
pub mod pipe;
pub mod post;
pub mod protocol;
pub mod record;
pub mod ring;
pub mod security;
pub mod sync;
pub mod text;
pub mod time;
pub mod word;
